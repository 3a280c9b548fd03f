//! `/forgot-password`: asking for a link to choose a new password.

use axum::{extract::State, response::Response};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    call::Call,
    components::forms::{Input, good, refused},
    functions::Done,
    page::{Content, Frame, Head, Sheet},
    text::Sentence,
};
use vestibule_core::{
    limits::COMPANY_MAX,
    paths::{FORGOT_PASSWORD, LOGIN},
    refusal::{Field, Refusal},
    rights::Action,
};
use vestibule_service::recovery::ResetInput;
use vestibule_translations::{Locale, td_string};

use super::common::{in_gate, in_gate_with_form};
use crate::{
    form::{Form, REFUSED_TEXT, Routes},
    http::{answer::show_form, facts::Facts},
    state::AppState,
};

/// Id of the form, which the language switch sends along.
const FORM: &str = "forgot-form";
/// Title of the page.
const TITLE: Sentence = |now| td_string!(now, sign_in.forgot);

/// Forgot Password.
pub fn routes(routes: Routes) -> Routes {
    routes
        .page(FORGOT_PASSWORD, Action::ComeIn, open)
        .form::<AskForResetLink>()
}

/// Asks for a link to choose a new password. The answer is the same whether or not there is such an account.
#[derive(Clone, Deserialize)]
pub struct AskForResetLink {
    company: String,
    email: String,
}

impl Form for AskForResetLink {
    const PATH: &'static str = FORGOT_PASSWORD;
    const ACTION: Action = Action::ComeIn;
    const SWITCHED: bool = true;

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        let input = ResetInput {
            company: self.company,
            email: self.email,
        };
        call.service
            .recovery()
            .ask_for_reset_link(&input, &call.visitor)
            .await?;
        Ok(Done::to(format!("{FORGOT_PASSWORD}?sent")))
    }

    fn problems(&self) -> Option<Refusal> {
        let input = ResetInput {
            company: self.company.clone(),
            email: self.email.clone(),
        };
        input.problems()
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        let text = || {
            form_urlencoded::Serializer::new(String::new())
                .append_pair("company", &self.company)
                .append_pair("email", &self.email)
                .finish()
        };
        let page = ForgotPage {
            company: self.company.clone(),
            email: self.email.clone(),
            sent: false,
            refused_text: facts.refused_text.clone().or_else(|| refusal.map(|_| text())),
            refusal: refusal.cloned(),
        };
        show(state, facts, page)
    }
}

async fn open(State(state): State<AppState>, facts: Facts) -> Response {
    let company = facts.query("company").or_else(|| facts.company.clone());
    let page = ForgotPage {
        company: company.unwrap_or_default().chars().take(COMPANY_MAX).collect(),
        email: String::new(),
        sent: facts.asks("sent"),
        refused_text: None,
        refusal: None,
    };
    show(&state, &facts, page)
}

fn show(state: &AppState, facts: &Facts, page: ForgotPage) -> Response {
    let refusal = page.refusal.clone();
    let path = if page.sent {
        format!("{FORGOT_PASSWORD}?sent")
    } else {
        FORGOT_PASSWORD.to_owned()
    };
    let mut page = facts.page(state, page);
    page.frame.path = path;
    show_form(page, refusal.as_ref())
}

struct ForgotPage {
    company: String,
    email: String,
    /// Whether a mail is on its way, should there be such an account.
    sent: bool,
    /// What was refused, for the language switch.
    refused_text: Option<String>,
    refusal: Option<Refusal>,
}

impl Content for ForgotPage {
    fn head(&self, now: Locale) -> Head {
        Head::new(TITLE(now), &[Sheet::Account]).with_account_script()
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        if self.sent {
            let content = view! {
                <h1>{td_string!(now, sign_in.forgot)}</h1>
                {good(td_string!(now, recovery.sent))}
                <p>{td_string!(now, recovery.sent_next)}</p>
                <a class="button primary wide" href=LOGIN>
                    {td_string!(now, sign_in.back_to_sign_in)}
                </a>
            };
            return in_gate(frame, TITLE, content);
        }
        let refusal = self.refusal.as_ref();
        let input = |field, label, autocomplete, value| {
            Input {
                field,
                label,
                autocomplete,
                value,
                required: true,
                hint: None,
                refusal,
            }
            .view(now)
        };
        let content = view! {
            <h1>{td_string!(now, sign_in.forgot)}</h1>
            <p class="lead">{td_string!(now, recovery.intro)}</p>
            {refused(now, refusal, true)}
            <form id=FORM class="fields" method="post" action=AskForResetLink::PATH novalidate>
                {self.refused_text.map(|text| view! { <input type="hidden" name=REFUSED_TEXT value=text /> })}
                {input(Field::Company, td_string!(now, sign_in.company), "organization", self.company)}
                {input(Field::Email, td_string!(now, recovery.email), "email", self.email)}
                <button class="button primary wide">{td_string!(now, recovery.submit)}</button>
            </form>
            <p class="aside">
                <a href=LOGIN>{td_string!(now, sign_in.back_to_sign_in)}</a>
            </p>
        };
        in_gate_with_form(frame, FORM, TITLE, content)
    }
}
