//! `/profile/security/email`: setting up codes by e-mail.

use axum::{extract::State, response::Response};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    call::Call,
    components::forms::{around, good, refused},
    functions::Done,
    page::{Content, Frame, Head, Sheet},
    shell::console::account_page,
};
use vestibule_core::{
    paths::SECURITY_EMAIL,
    refusal::Refusal,
    rights::Action,
    sign_in_view::{CodeMail, Method},
};
use vestibule_service::profile::EmailSetUp;
use vestibule_translations::{Locale, td_string, wait};

use super::{
    backup_codes::to_new_codes,
    set_up::{begin, code_form, finish, set_up_over},
};
use crate::{
    form::{Form, Routes, redirect_or_refuse},
    http::{answer::show_form, facts::Facts},
    pages::common::session,
    state::AppState,
};

/// Set-up of codes by e-mail.
pub fn routes(routes: Routes) -> Routes {
    routes
        .page(SECURITY_EMAIL, Action::OwnAccount, email)
        .form::<BeginEmailSetUp>()
        .form::<FinishEmailSetUp>()
        .form::<ResendSetUpCode>()
}

/// Begins the set-up of codes by e-mail: a code goes out.
#[derive(Clone, Deserialize)]
pub struct BeginEmailSetUp {}

impl Form for BeginEmailSetUp {
    const PATH: &'static str = SECURITY_EMAIL;
    const ACTION: Action = Action::OwnAccount;

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service.profile().begin_email_set_up(&call.visitor).await?;
        Ok(Done::to(SECURITY_EMAIL))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        show(state, facts, refusal).await
    }
}

/// Finishes the set-up of codes by e-mail.
#[derive(Clone, Deserialize)]
pub struct FinishEmailSetUp {
    /// Identifier of the set-up.
    set_up: String,
    /// Six digits, as typed.
    code: String,
}

impl Form for FinishEmailSetUp {
    const PATH: &'static str = "/profile/security/email/code";
    const ACTION: Action = Action::OwnAccount;
    const OPENED: Option<&'static str> = Some(SECURITY_EMAIL);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        finish(call, Method::Email, &self.set_up, &self.code).await
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        show(state, facts, refusal).await
    }

    async fn done(&self, _: &AppState, _: &Facts, done: Done) -> Response {
        to_new_codes(&done)
    }
}

/// Sends the code of the set-up once more.
#[derive(Clone, Deserialize)]
pub struct ResendSetUpCode {}

impl Form for ResendSetUpCode {
    const PATH: &'static str = "/profile/security/email/resend";
    const ACTION: Action = Action::OwnAccount;
    const OPENED: Option<&'static str> = Some(SECURITY_EMAIL);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service.profile().resend_set_up_code(&call.visitor).await?;
        Ok(Done::to(format!("{SECURITY_EMAIL}?resent")))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        show(state, facts, refusal).await
    }
}

async fn email(State(state): State<AppState>, facts: Facts) -> Response {
    show(&state, &facts, None).await
}

async fn show(state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
    if let Some(over @ Refusal::SetUpOver) = refusal {
        return set_up_over(state, facts, over).await;
    }
    let signed_in = match session(state, facts, SECURITY_EMAIL).await {
        Ok(signed_in) => signed_in,
        Err(response) => return *response,
    };
    let set_up = match state.service.profile().email_set_up(&facts.visitor).await {
        Ok(set_up) => set_up,
        Err(reason) => return redirect_or_refuse(&reason, SECURITY_EMAIL),
    };
    let page = EmailPage {
        set_up,
        resent: facts.asks("resent"),
        refusal: refusal.cloned(),
    };
    let (company, account) = (&signed_in.company, &signed_in.account);
    show_form(
        facts.page_at(state, company, account, SECURITY_EMAIL, page),
        refusal,
    )
}

struct EmailPage {
    /// The set-up under way.
    set_up: Option<EmailSetUp>,
    /// Whether a new code was just asked for.
    resent: bool,
    refusal: Option<Refusal>,
}

impl Content for EmailPage {
    fn head(&self, now: Locale) -> Head {
        Head::new(td_string!(now, profile.email_title), &[Sheet::Account])
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let Self {
            set_up,
            resent,
            refusal,
        } = self;
        let steps = match set_up {
            Some(set_up) => email_steps(now, set_up, resent, refusal.as_ref()).into_any(),
            None => view! {
                {refused(now, refusal.as_ref(), true)}
                {begin(now, td_string!(now, profile.email_advice), BeginEmailSetUp::PATH)}
            }
            .into_any(),
        };
        let content = view! {
            <main id="content" class="settings narrow" tabindex="-1">
                <h1>{td_string!(now, profile.email_title)}</h1>
                {steps}
            </main>
        };
        account_page(frame, None, content)
    }
}

fn email_steps(now: Locale, set_up: EmailSetUp, resent: bool, refusal: Option<&Refusal>) -> AnyView {
    let news = match set_up.mail {
        CodeMail::Failing => Some(td_string!(now, profile.email_mail_failing)),
        CodeMail::GivenUp => Some(td_string!(now, profile.email_mail_given_up)),
        CodeMail::Undeliverable => Some(td_string!(now, profile.email_mail_undeliverable)),
        CodeMail::Limited => Some(td_string!(now, sign_in.code_mail_limited)),
        CodeMail::Queued | CodeMail::Sent => None,
    };
    let lead = if news.is_some() {
        td_string!(now, profile.email_lead_waiting, address = "\n")
    } else {
        td_string!(now, profile.email_lead, address = "\n")
    };
    let wait = if set_up.resend_in == 0 {
        td_string!(now, sign_in.resend_now).to_owned()
    } else {
        td_string!(now, sign_in.resend_in, time = wait(now, set_up.resend_in))
    };
    let resent = (resent && news.is_none()).then(|| good(td_string!(now, sign_in.resent)));
    view! {
        <p class="lead">{around(&lead, view! { <bdi>{set_up.address}</bdi> })}</p>
        {news.map(|news| view! { <p class="notice caution">{news}</p> })}
        {resent}
        {refused(now, refusal, false)}
        {code_form(now, FinishEmailSetUp::PATH, set_up.id.to_string(), refusal)}
        <form class="resend" method="post" action=ResendSetUpCode::PATH>
            <button class="button" aria-describedby="resend-when">
                {td_string!(now, sign_in.resend)}
            </button>
            <p id="resend-when" class="quiet">{wait}</p>
        </form>
    }
    .into_any()
}
