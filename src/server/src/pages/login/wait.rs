//! `/login/wait`: standing in line in sight (product.md 4.10).
//!
//! An answer that is fetched never takes the place of what the browser was given since it sent the form: it is given up, but
//! for the trust it brings, which is put to what the browser has.

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header::SET_COOKIE},
    response::{IntoResponse, Response},
};
use leptos::prelude::*;
use serde_json::json;
use vestibule_app::{
    page::{Content, Frame, Head, Refresh},
    shell::site::site,
};
use vestibule_core::{limits::TRUSTED_ACCOUNTS_MAX, paths, refusal::Refusal};
use vestibule_service::{Visitor, sign_in::Standing};
use vestibule_translations::{Locale, td_string};

use super::{bind, sign_in::again};
use crate::{
    form::{Answer, FormFields, Had, give_up, internal, value_of},
    http::{
        answer::{mark, see_other, show},
        cookies::Kind,
        denied::Denied,
        facts::Facts,
    },
    state::AppState,
};

/// `/login/wait`
pub async fn wait(State(state): State<AppState>, facts: Facts) -> Response {
    let Some(ticket) = facts.ticket.clone() else {
        return see_other(paths::LOGIN);
    };
    let mut response = match state.service.sign_in().standing(&ticket, &facts.visitor).await {
        Ok(Standing::Waiting(number)) if facts.wants_page => {
            return show(StatusCode::OK, facts.page(&state, Waiting(Some(number))));
        }
        Ok(Standing::Waiting(number)) => return Json(json!({ "number": number })).into_response(),
        Ok(Standing::Answered(answer)) => match serde_json::from_slice(&answer) {
            Ok(answer) => deliver(&state, facts, answer).await,
            Err(_) => Denied::from(internal(&facts)).into_response(),
        },
        Ok(Standing::Over) => {
            let (facts, nothing) = (facts.answering_form(), FormFields::default());
            refuse(&state, &facts, &nothing, &Refusal::SignInExpired).await
        }
        // Whoever stands in line goes on standing there, and this page goes on asking.
        Err(refusal) if facts.wants_page => {
            let mut response = show(StatusCode::OK, facts.page(&state, Waiting(None)));
            mark(&mut response, &refusal);
            return response;
        }
        Err(refusal) => return Denied::from(refusal).into_response(),
    };
    if let Some(cookie) = state.cookies.remove(Kind::Ticket) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

async fn deliver(state: &AppState, facts: Facts, answer: Answer) -> Response {
    let overtaken = match &answer.outcome {
        Ok(_) => overtaken_by(state, &facts, &answer.had).await,
        Err(_) => None,
    };
    let mut response = match (&answer.outcome, overtaken) {
        (Ok(_), Some(to)) => {
            give_up(state, &facts.visitor, &answer).await;
            see_other(to)
        }
        (Ok(to), None) => see_other(to),
        (Err(refusal), _) => {
            let fields = answer.fields.iter().cloned().collect();
            let facts = facts.clone().answering_form();
            if answer.path == paths::LOGIN_BIND && *refusal != Refusal::SignInExpired {
                bind::again(state, &facts, &fields, refusal).await
            } else {
                refuse(state, &facts, &fields, refusal).await
            }
        }
    };
    let trusted = trusted_with(state, &facts.visitor, &answer);
    let trusted_cookie = format!("{}=", state.cookies.name(Kind::Trusted));
    let others = answer
        .cookies
        .iter()
        .filter(|cookie| overtaken.is_none() && (trusted.is_none() || !cookie.starts_with(&trusted_cookie)));
    let others = others.filter_map(|cookie| HeaderValue::from_str(cookie).ok());
    for cookie in others.chain(trusted.clone()) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// Where the browser goes on with what it was given since it sent the form, if that was anything.
async fn overtaken_by(state: &AppState, facts: &Facts, had: &Had) -> Option<&'static str> {
    let has = Had::of(&facts.visitor);
    if has.session.is_some()
        && has.session != had.session
        && !matches!(state.service.sign_in().session(&facts.visitor).await, Ok(None))
    {
        return Some("/");
    }
    (has.pending.is_some() && has.pending != had.pending).then_some(paths::LOGIN_CODE)
}

/// The trust that an answer brings, first, and that which the browser was given since it sent the form. `None`: the answer
/// brings none.
fn trusted_with(state: &AppState, visitor: &Visitor, answer: &Answer) -> Option<HeaderValue> {
    let brought = value_of(state, answer, Kind::Trusted)?;
    let mut tokens: Vec<_> = brought.split('.').map(str::to_owned).collect();
    for token in &visitor.trusted {
        let text = token.reveal();
        if tokens.len() < TRUSTED_ACCOUNTS_MAX
            && !answer.had.trusted.contains(&token.hash().0)
            && !tokens.contains(&text)
        {
            tokens.push(text);
        }
    }
    state.cookies.set(Kind::Trusted, &tokens.join("."))
}

async fn refuse(state: &AppState, facts: &Facts, fields: &FormFields, refusal: &Refusal) -> Response {
    if facts.wants_page {
        again(state, facts, fields, refusal).await
    } else {
        Denied::from(refusal.clone()).into_response()
    }
}

/// The number in line; `None` = it cannot be told at the moment. The document refreshes itself.
struct Waiting(Option<u32>);

impl Content for Waiting {
    fn head(&self, now: Locale) -> Head {
        Head::new(td_string!(now, sign_in.waiting_title), &[]).refreshed(Some(Refresh::Soon))
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let place = self
            .0
            .map(|number| td_string!(now, sign_in.waiting, number = number));
        let content = view! {
            <main id="content" class="problem-page" tabindex="-1">
                <h1>{td_string!(now, sign_in.waiting_title)}</h1>
                {place.map(|place| view! { <p class="lead" role="status">{place}</p> })}
                <p>{td_string!(now, sign_in.waiting_next)}</p>
            </main>
        };
        site(frame, content)
    }
}
