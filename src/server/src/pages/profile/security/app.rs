//! `/profile/security/app`: setting up an authenticator app: the QR code, then the first code.

use axum::{extract::State, response::Response};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    call::Call,
    components::forms::refused,
    functions::Done,
    page::{Content, Frame, Head, Sheet},
    shell::console::account_page,
};
use vestibule_core::{
    paths::{SECURITY_APP, SECURITY_APP_CODE},
    refusal::Refusal,
    rights::Action,
    sign_in_view::Method,
};
use vestibule_service::profile::AppSetUp;
use vestibule_translations::{Locale, td_string};

use super::{
    backup_codes::to_new_codes,
    set_up::{begin, cancel, code_form, finish, set_up_over},
};
use crate::{
    form::{Form, Routes, redirect_or_refuse},
    http::{
        answer::{see_other, show_form},
        facts::Facts,
    },
    pages::common::session,
    state::AppState,
};

/// Set-up of an authenticator app.
pub fn routes(routes: Routes) -> Routes {
    routes
        .page(SECURITY_APP, Action::OwnAccount, app)
        .form::<BeginAppSetUp>()
        .page(SECURITY_APP_CODE, Action::OwnAccount, app_code)
        .form::<FinishAppSetUp>()
}

/// Begins the set-up of an authenticator app: a new secret.
#[derive(Clone, Deserialize)]
pub struct BeginAppSetUp {}

impl Form for BeginAppSetUp {
    const PATH: &'static str = SECURITY_APP;
    const ACTION: Action = Action::OwnAccount;

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service.profile().begin_app_set_up(&call.visitor).await?;
        Ok(Done::to(SECURITY_APP))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        show(state, facts, refusal).await
    }
}

/// Finishes the set-up of an authenticator app.
#[derive(Clone, Deserialize)]
pub struct FinishAppSetUp {
    /// Identifier of the set-up.
    set_up: String,
    /// Six digits, as typed.
    code: String,
}

impl Form for FinishAppSetUp {
    const PATH: &'static str = SECURITY_APP_CODE;
    const ACTION: Action = Action::OwnAccount;

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        finish(call, Method::App, &self.set_up, &self.code).await
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        show_code(state, facts, refusal).await
    }

    async fn done(&self, _: &AppState, _: &Facts, done: Done) -> Response {
        to_new_codes(&done)
    }
}

async fn app(State(state): State<AppState>, facts: Facts) -> Response {
    show(&state, &facts, None).await
}

async fn show(state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
    if let Some(over @ Refusal::SetUpOver) = refusal {
        return set_up_over(state, facts, over).await;
    }
    let signed_in = match session(state, facts, SECURITY_APP).await {
        Ok(signed_in) => signed_in,
        Err(response) => return *response,
    };
    let set_up = match state.service.profile().app_set_up(&facts.visitor).await {
        Ok(set_up) => set_up,
        Err(reason) => return redirect_or_refuse(&reason, SECURITY_APP),
    };
    let page = AppPage {
        set_up,
        refusal: refusal.cloned(),
    };
    let (company, account) = (&signed_in.company, &signed_in.account);
    show_form(
        facts.page_at(state, company, account, SECURITY_APP, page),
        refusal,
    )
}

/// `/profile/security/app/code`
async fn app_code(State(state): State<AppState>, facts: Facts) -> Response {
    show_code(&state, &facts, None).await
}

async fn show_code(state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
    let over = Refusal::SetUpOver;
    if refusal == Some(&over) {
        return set_up_over(state, facts, &over).await;
    }
    let signed_in = match session(state, facts, SECURITY_APP).await {
        Ok(signed_in) => signed_in,
        Err(response) => return *response,
    };
    let set_up = match state.service.profile().app_set_up(&facts.visitor).await {
        Ok(Some(set_up)) => set_up.id.to_string(),
        // Nothing to enter a code for (any more): the page before says why, and what to do.
        Ok(None) if refusal.is_some() => return show(state, facts, refusal).await,
        Ok(None) => return see_other(SECURITY_APP),
        Err(reason) => return redirect_or_refuse(&reason, SECURITY_APP),
    };
    // A tab whose QR code a newer set-up has replaced: its code would be wrong, and count.
    if facts.query("set_up").is_some_and(|asked| asked != set_up) {
        return set_up_over(state, facts, &over).await;
    }
    let page = CodePage {
        set_up,
        refusal: refusal.cloned(),
    };
    let (company, account) = (&signed_in.company, &signed_in.account);
    show_form(
        facts.page_at(state, company, account, SECURITY_APP_CODE, page),
        refusal,
    )
}

struct AppPage {
    /// The set-up under way.
    set_up: Option<AppSetUp>,
    refusal: Option<Refusal>,
}

impl Content for AppPage {
    fn head(&self, now: Locale) -> Head {
        Head::new(td_string!(now, profile.app_title), &[Sheet::Account])
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let steps = match self.set_up {
            Some(set_up) => app_steps(now, set_up).into_any(),
            None => begin(now, td_string!(now, profile.app_advice), BeginAppSetUp::PATH).into_any(),
        };
        let content = view! {
            <main id="content" class="settings narrow" tabindex="-1">
                <h1>{td_string!(now, profile.app_title)}</h1>
                {refused(now, self.refusal.as_ref(), true)}
                {steps}
            </main>
        };
        account_page(frame, None, content)
    }
}

fn app_steps(now: Locale, set_up: AppSetUp) -> AnyView {
    view! {
        <ol class="steps">
            <li>{td_string!(now, profile.app_step_install)}</li>
            <li>
                {td_string!(now, profile.app_step_scan)}
                <div class="qr" role="img" aria-label=td_string!(now, profile.qr_text) inner_html=set_up.qr></div>
                <p>{td_string!(now, profile.app_step_type)}</p>
                <p class="secret">
                    <code dir="ltr">{set_up.secret}</code>
                </p>
            </li>
            <li>{td_string!(now, profile.app_step_next)}</li>
        </ol>
        <form class="buttons" method="get" action=SECURITY_APP_CODE>
            <input type="hidden" name="set_up" value=set_up.id.to_string() />
            <button class="button primary">{td_string!(now, profile.next)}</button>
            {cancel(now)}
        </form>
    }.into_any()
}

struct CodePage {
    /// Identifier of the set-up under way.
    set_up: String,
    refusal: Option<Refusal>,
}

impl Content for CodePage {
    fn head(&self, now: Locale) -> Head {
        Head::new(td_string!(now, profile.app_title), &[Sheet::Account])
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let content = view! {
            <main id="content" class="settings narrow" tabindex="-1">
                <p class="back">
                    <a href=SECURITY_APP>{td_string!(now, profile.back_to_qr)}</a>
                </p>
                <h1>{td_string!(now, profile.app_title)}</h1>
                <p class="lead">{td_string!(now, sign_in.code_from_app)}</p>
                {refused(now, self.refusal.as_ref(), false)}
                {code_form(now, FinishAppSetUp::PATH, self.set_up, self.refusal.as_ref())}
            </main>
        };
        account_page(frame, None, content)
    }
}
