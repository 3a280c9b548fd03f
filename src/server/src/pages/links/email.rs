//! `/confirm-email` and `/stop-email-change`.

use axum::{extract::State, http::StatusCode, response::Response};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    call::{Call, Effect},
    functions::Done,
    page::{Content, Frame, Head, Sheet},
    shell::console::fact,
    text::Sentence,
};
use vestibule_core::{
    link::LinkPurpose,
    paths::{CONFIRM_EMAIL, LOGIN, STOP_EMAIL_CHANGE},
    refusal::Refusal,
    rights::Action,
};
use vestibule_translations::{Locale, td_string};

use super::nothing_to_do;
use crate::{
    form::{Form, Routes},
    http::{
        answer::{see_other, show},
        facts::Facts,
    },
    pages::common::in_gate,
    state::AppState,
};

/// Confirming a new e-mail address, and stopping the change to it.
pub fn routes(routes: Routes) -> Routes {
    let page = |purpose| {
        move |State(state): State<AppState>, facts: Facts| async move { open(&state, &facts, purpose).await }
    };
    routes
        .page(CONFIRM_EMAIL, Action::ComeIn, page(LinkPurpose::ConfirmEmail))
        .form::<ConfirmEmail>()
        .page(
            STOP_EMAIL_CHANGE,
            Action::ComeIn,
            page(LinkPurpose::StopEmailChange),
        )
        .form::<StopEmailChange>()
}

/// Confirms a new e-mail address.
#[derive(Clone, Deserialize)]
pub struct ConfirmEmail {}

impl Form for ConfirmEmail {
    const PATH: &'static str = CONFIRM_EMAIL;
    const ACTION: Action = Action::ComeIn;

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service.recovery().confirm_email(&call.visitor).await?;
        call.add(Effect::Link(None));
        Ok(Done::to(format!("{CONFIRM_EMAIL}?done")))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        over(state, facts, refusal, CONFIRM_EMAIL)
    }
}

/// Stops a change of the e-mail address.
#[derive(Clone, Deserialize)]
pub struct StopEmailChange {}

impl Form for StopEmailChange {
    const PATH: &'static str = STOP_EMAIL_CHANGE;
    const ACTION: Action = Action::ComeIn;

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service.recovery().stop_email_change(&call.visitor).await?;
        call.add(Effect::Link(None));
        Ok(Done::to(format!("{STOP_EMAIL_CHANGE}?done")))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        over(state, facts, refusal, STOP_EMAIL_CHANGE)
    }
}

fn over(state: &AppState, facts: &Facts, refusal: Option<&Refusal>, page: &str) -> Response {
    match refusal {
        Some(refusal) => nothing_to_do(state, facts, refusal),
        None => see_other(page),
    }
}

async fn open(state: &AppState, facts: &Facts, purpose: LinkPurpose) -> Response {
    let stops = purpose == LinkPurpose::StopEmailChange;
    if facts.asks("done") {
        let page = EmailPage {
            stops,
            done: true,
            ..EmailPage::default()
        };
        return show(StatusCode::OK, facts.page(state, page));
    }
    match state
        .service
        .recovery()
        .open_link(&[purpose], &facts.visitor)
        .await
    {
        Ok(link) => {
            let locale = facts.locale(
                link.account.person.language.as_deref(),
                Some(&link.company.settings.language),
            );
            let page = EmailPage {
                company: link.company.name,
                account: link.account.name,
                email: link.email.unwrap_or_default(),
                stops,
                done: false,
            };
            show(StatusCode::OK, facts.page_in(state, locale, page))
        }
        Err(refusal) => nothing_to_do(state, facts, &refusal),
    }
}

#[derive(Default)]
struct EmailPage {
    company: String,
    account: String,
    /// The new e-mail address.
    email: String,
    /// Whether the change is stopped, and not confirmed.
    stops: bool,
    /// Whether that was just done: nothing is left but to sign in.
    done: bool,
}

impl Content for EmailPage {
    fn head(&self, now: Locale) -> Head {
        let title = if self.stops {
            td_string!(now, agents.stop_title)
        } else {
            td_string!(now, agents.confirm_title)
        };
        Head::new(title, &[Sheet::Account])
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let (title, text, button, path): (Sentence, _, _, _) = if self.stops {
            (
                |now| td_string!(now, agents.stop_title),
                td_string!(now, agents.stop_text),
                td_string!(now, agents.cancel_email),
                StopEmailChange::PATH,
            )
        } else {
            (
                |now| td_string!(now, agents.confirm_title),
                td_string!(now, agents.confirm_text),
                td_string!(now, agents.confirm_button),
                ConfirmEmail::PATH,
            )
        };
        if self.done {
            let text = if self.stops {
                td_string!(now, agents.email_stopped)
            } else {
                td_string!(now, agents.email_confirmed)
            };
            let content = view! {
                <h1>{title(now)}</h1>
                <p class="notice good" role="status">
                    {text}
                </p>
                <a class="button primary wide" href=LOGIN>
                    {td_string!(now, sign_in.back_to_sign_in)}
                </a>
            };
            return in_gate(frame, title, content);
        }
        let content = view! {
            <h1>{title(now)}</h1>
            <p class="lead">{text}</p>
            <dl class="facts">
                {fact(td_string!(now, console.company), self.company)}
                {fact(td_string!(now, console.account), self.account)}
                {fact(td_string!(now, agents.new_email), self.email)}
            </dl>
            <form class="fields" method="post" action=path>
                <button class="button primary wide">{button}</button>
            </form>
        };
        in_gate(frame, title, content)
    }
}
