//! `/login/code`: the code of a pending sign-in, or of a step-up.

use axum::{extract::State, http::StatusCode, response::Response};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    call::{Call, Effect},
    functions::{CodeStatus, Done, ResendCode, VerifyCode},
    islands::CodeScreen,
    page::{CodePage, Content, Frame, Head, Page},
    shell::document::shell,
};
use vestibule_core::{
    paths::{self, LOGIN, LOGIN_CODE, SECURITY},
    refusal::Refusal,
    rights::Action,
};
use vestibule_translations::{Locale, td_string};

use super::sign_in;
use crate::{
    form::{Form, FormFields, FunctionPage, NoPage, Routes, refused_or},
    http::{
        answer::{see_other, show, show_form},
        facts::Facts,
    },
    pages::problem::closed,
    state::AppState,
};

/// The code page.
pub fn routes(routes: Routes) -> Routes {
    routes
        .page(LOGIN_CODE, Action::ComeIn, code)
        .function::<VerifyCode, Code>(Action::ComeIn)
        .function::<ResendCode, Code>(Action::ComeIn)
        .function::<CodeStatus, NoPage>(Action::ComeIn)
        .form::<UseOtherMethod>()
        .form::<CancelSignIn>()
}

/// The code page, which an island brings to life.
pub struct Code(pub CodePage);

impl FunctionPage for Code {
    /// Whether a backup code is asked for.
    const KEPT: &'static [&'static str] = &["backup"];

    async fn redisplay(state: &AppState, facts: &Facts, fields: &FormFields, refusal: &Refusal) -> Response {
        let (trust, backup) = (fields.get("trust").is_some(), fields.get("backup").is_some());
        again(state, facts, fields, (trust, backup), refusal).await
    }
}

impl Content for Code {
    fn head(&self, now: Locale) -> Head {
        Head::new(td_string!(now, sign_in.code_title), &[])
    }

    fn view(self, frame: Frame) -> AnyView {
        provide_context((shell(frame), self.0));
        view! { <CodeScreen /> }.into_any()
    }

    fn island(&self, frame: &Frame) -> Option<String> {
        serde_json::to_string(&(shell(frame.clone()), &self.0)).ok()
    }
}

/// Offers the account's other method on the code page.
#[derive(Clone, Deserialize)]
pub struct UseOtherMethod {}

impl Form for UseOtherMethod {
    const PATH: &'static str = paths::LOGIN_CODE_METHOD;
    const ACTION: Action = Action::ComeIn;

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service.sign_in().use_other_method(&call.visitor).await?;
        Ok(Done::to(LOGIN_CODE))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        match refusal {
            Some(refusal) => again(state, facts, &FormFields::default(), (false, false), refusal).await,
            None => see_other(LOGIN_CODE),
        }
    }
}

/// Gives the pending sign-in up, or the step-up of somebody who is signed in.
#[derive(Clone, Deserialize)]
pub struct CancelSignIn {}

impl Form for CancelSignIn {
    const PATH: &'static str = paths::LOGIN_CODE_CANCEL;
    const ACTION: Action = Action::ComeIn;

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service.sign_in().cancel_sign_in(&call.visitor).await?;
        call.add(Effect::Pending(None));
        Ok(Done::to(
            match call.service.sign_in().session(&call.visitor).await? {
                Some(_) => SECURITY,
                None => LOGIN,
            },
        ))
    }

    async fn redisplay(&self, _: &AppState, _: &Facts, refusal: Option<&Refusal>) -> Response {
        refused_or(refusal, LOGIN_CODE)
    }
}

/// `/login/code`
async fn code(State(state): State<AppState>, facts: Facts) -> Response {
    let (resent, backup) = (facts.asks("resent"), facts.asks("backup"));
    match state.service.sign_in().open_sign_in(&facts.visitor).await {
        Ok(open) => {
            let page = CodePage {
                view: open.view,
                refusal: None,
                resent,
                trust: false,
                backup,
            };
            show(StatusCode::OK, code_page(&state, &facts, &open.language, page))
        }
        Err(Refusal::SignInExpired) if facts.visitor.pending.is_some() => {
            match state.service.sign_in().session(&facts.visitor).await {
                // A step-up that took too long.
                Ok(Some(_)) => see_other(&format!("{}?expired", paths::PROFILE_CONFIRM)),
                _ => see_other("/login?ended"),
            }
        }
        Err(Refusal::SignInExpired) => see_other(LOGIN),
        Err(refusal) => closed(&state, &facts, &refusal, None),
    }
}

/// The code page in the language of its account or company; the language form comes back to the way of asking that
/// is shown.
fn code_page(state: &AppState, facts: &Facts, language: &str, page: CodePage) -> Page<Code> {
    let path = if page.backup {
        format!("{LOGIN_CODE}?backup")
    } else {
        LOGIN_CODE.to_owned()
    };
    let locale = facts.locale(Some(language), None);
    let mut page = facts.page_in(state, locale, Code(page));
    page.frame.path = path;
    page
}

/// The page again after a code was refused, or another could not be sent.
async fn again(
    state: &AppState,
    facts: &Facts,
    fields: &FormFields,
    (trust, backup): (bool, bool),
    refusal: &Refusal,
) -> Response {
    if matches!(
        refusal,
        Refusal::AccountLocked | Refusal::AccountInactive | Refusal::CompanyDisabled
    ) {
        return closed(state, facts, refusal, None);
    }
    match state.service.sign_in().open_sign_in(&facts.visitor).await {
        Ok(open) => {
            let page = CodePage {
                view: open.view,
                refusal: Some(refusal.clone()),
                resent: false,
                trust,
                backup,
            };
            show_form(code_page(state, facts, &open.language, page), Some(refusal))
        }
        Err(Refusal::SignInExpired) => sign_in::again(state, facts, fields, &Refusal::SignInExpired).await,
        Err(reason) => closed(state, facts, &reason, None),
    }
}
