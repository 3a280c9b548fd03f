//! `/login/wait`: standing in line in sight (product.md 4.10).
//!
//! A browser has one ticket, its newest: with a second one, from another tab, the first is thrown away, and what came of it
//! is given up. An answer that is fetched never takes the place of what the browser was given since it sent the form: it is
//! given up too, but for the trust it brings, which is put to what the browser has.

use std::time::Duration;

use axum::{
    Json,
    body::Bytes,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header::SET_COOKIE},
    response::{IntoResponse, Response},
};
use axum_extra::extract::cookie::Cookie;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::task::{JoinError, JoinHandle};
use vestibule_app::{call::Call, functions::Done, page::Body};
use vestibule_core::{
    limits::TRUSTED_ACCOUNTS_MAX, paths, refusal::Refusal, secret::Token, sign_in_view::Onward,
};
use vestibule_service::{
    Visitor,
    sign_in::{Standing, Taken},
};
use zeroize::Zeroizing;

use super::{mark, see_other, show, sso};
use crate::{
    http::{
        cookies::Kind,
        denied::Denied,
        facts::Facts,
        form_guard::FormFields,
        functions::{apply, internal, login_again},
    },
    state::AppState,
};

/// How long somebody waits for an answer before they see that they stand in line.
const PATIENCE: Duration = Duration::from_secs(1);
/// What is put back into a form that was refused.
const KEPT: [&str; 3] = ["company", "account", "next"];

/// What a server function answered.
pub type Outcome = Result<Bytes, Refusal>;

/// What came of waiting, kept for the browser that waits.
#[derive(Serialize, Deserialize)]
struct Answer {
    /// The form that was sent.
    path: String,
    /// What it held besides secrets.
    fields: Vec<(String, String)>,
    /// Where to go, or why not.
    outcome: Result<String, Refusal>,
    /// What the browser is to keep.
    cookies: Vec<String>,
    /// What it had when it sent the form.
    had: Had,
}

/// Hashes of tokens that a browser has.
#[derive(Serialize, Deserialize)]
struct Had {
    session: Option<[u8; 32]>,
    pending: Option<[u8; 32]>,
    trusted: Vec<[u8; 32]>,
}

impl Had {
    fn of(visitor: &Visitor) -> Self {
        let hash = |token: &Token| token.hash().0;
        Self {
            session: visitor.session.as_ref().map(hash),
            pending: visitor.pending.as_ref().map(hash),
            trusted: visitor.trusted.iter().map(hash).collect(),
        }
    }
}

/// Whether this form compares the password of somebody who has proved nothing yet.
pub fn may_wait(path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    [paths::LOGIN, paths::LOGIN_BIND].contains(&path)
}

/// How far a form has come.
pub enum Sight {
    /// It is done.
    Done(Result<Outcome, JoinError>),
    /// It stands in line, with this ticket.
    InLine(Token),
}

/// Waits for the answer, and after a second without one looks whether that is because of the line.
pub async fn in_sight(state: &AppState, facts: &Facts, run: &mut JoinHandle<Outcome>) -> Sight {
    loop {
        if let Ok(done) = tokio::time::timeout(PATIENCE, &mut *run).await {
            return Sight::Done(done);
        }
        // Where no ticket can be kept, waiting goes on unseen.
        let taken = state.service.take_ticket(facts.ticket.as_ref(), &facts.visitor);
        if let Ok(Some(Taken { ticket, overtaken })) = taken.await {
            if let Some(answer) = overtaken.and_then(|answer| serde_json::from_slice(&answer).ok()) {
                give_up(state, &facts.visitor, &answer).await;
            }
            return Sight::InLine(ticket);
        }
    }
}

/// Sends the browser to where it can wait, and sees to it that what it waits for gets there.
pub fn begin(
    state: &AppState,
    facts: &Facts,
    fields: &FormFields,
    ticket: &Token,
    (run, call): (JoinHandle<Outcome>, Call),
) -> Response {
    let fields = fields.kept(&KEPT);
    let (owner, waiting, token) = (state.clone(), facts.clone(), ticket.clone());
    state.waiting.spawn(async move {
        let outcome = run.await.unwrap_or_else(|_| Err(internal(&waiting)));
        let answer = Answer {
            path: waiting.path.clone(),
            fields: fields
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            outcome: outcome.and_then(|answer| {
                serde_json::from_slice::<Done>(&answer)
                    .map(|done| done.to)
                    .map_err(|_| internal(&waiting))
            }),
            cookies: cookies_of(&owner, &call),
            had: Had::of(&waiting.visitor),
        };
        hand_over(&owner, &waiting.visitor, &token, &answer).await;
    });
    let mut response = if facts.wants_page {
        see_other(paths::LOGIN_WAIT)
    } else {
        Json(Onward {
            to: paths::LOGIN_WAIT.to_owned(),
        })
        .into_response()
    };
    if let Some(cookie) = state.cookies.set(Kind::Ticket, &ticket.reveal()) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// The cookies that an answer would set.
fn cookies_of(state: &AppState, call: &Call) -> Vec<String> {
    let mut response = StatusCode::OK.into_response();
    apply(state, &call.take_effects(), &mut response);
    let cookies = response.headers().get_all(SET_COOKIE).iter();
    cookies
        .filter_map(|cookie| cookie.to_str().ok().map(str::to_owned))
        .collect()
}

/// Puts the answer where every node finds it. A database that is away for longer costs the answer, and whoever waits is
/// told to come again.
async fn hand_over(state: &AppState, visitor: &Visitor, ticket: &Token, answer: &Answer) {
    let Ok(bytes) = serde_json::to_vec(answer).map(Zeroizing::new) else {
        return;
    };
    match state.service.answer_ticket(ticket, &bytes).await {
        Ok(true) => {}
        Ok(false) => give_up(state, visitor, answer).await,
        Err(error) => tracing::warn!(%error, "somebody who stood in line gets no answer"),
    }
}

/// What an answer would have the browser keep of this kind.
fn value_of(state: &AppState, answer: &Answer, kind: Kind) -> Option<String> {
    let name = state.cookies.name(kind);
    let cookies = answer
        .cookies
        .iter()
        .filter_map(|cookie| Cookie::parse(cookie.as_str()).ok());
    let named = cookies.filter(|cookie| cookie.name() == name);
    named
        .map(|cookie| cookie.value().to_owned())
        .find(|value| !value.is_empty())
}

/// Nobody gets this answer: the session that it opened ends.
async fn give_up(state: &AppState, visitor: &Visitor, answer: &Answer) {
    let session = value_of(state, answer, Kind::Session).and_then(|value| Token::parse(&value));
    if session.is_none() {
        return;
    }
    let visitor = Visitor {
        session,
        ..visitor.clone()
    };
    if state.service.sign_out(&visitor).await.is_err() {
        tracing::warn!(request = %visitor.request, "a session that nobody got could not be ended");
    }
}

/// `/login/wait`
pub async fn wait(State(state): State<AppState>, request: Request) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    let Some(ticket) = facts.ticket.clone() else {
        return see_other(paths::LOGIN);
    };
    let mut response = match state.service.standing(&ticket, &facts.visitor).await {
        Ok(Standing::Waiting(number)) if facts.wants_page => {
            return show(StatusCode::OK, facts.page(&state, Body::Waiting(Some(number))));
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
            let mut response = show(StatusCode::OK, facts.page(&state, Body::Waiting(None)));
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
                sso::bind_again(state, &facts, &fields, refusal).await
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
        && !matches!(state.service.session(&facts.visitor).await, Ok(None))
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
        login_again(state, facts, fields, refusal).await
    } else {
        Denied::from(refusal.clone()).into_response()
    }
}
