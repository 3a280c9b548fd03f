//! Standing in line in sight (product.md 4.10): whoever waits longer than a second for an answer gets a ticket, and a page
//! that shows their place.
//!
//! A browser has one ticket, its newest: with a second one, from another tab, the first is thrown away, and what came of it
//! is given up.

use std::time::Duration;

use axum::{
    Json,
    http::{StatusCode, header::SET_COOKIE},
    response::{IntoResponse, Response},
};
use axum_extra::extract::cookie::Cookie;
use serde::{Deserialize, Serialize};
use tokio::task::{JoinError, JoinHandle};
use vestibule_app::call::Call;
use vestibule_core::{paths, refusal::Refusal, secret::Token, sign_in_view::Onward};
use vestibule_service::{Visitor, sign_in::Taken};
use zeroize::Zeroizing;

use super::{FormFields, receive::internal};
use crate::{
    http::{
        answer::{apply, see_other},
        cookies::Kind,
        facts::Facts,
    },
    state::AppState,
};

/// How long somebody waits for an answer before they see that they stand in line.
const PATIENCE: Duration = Duration::from_secs(1);
/// What is put back into a form that was refused.
const KEPT: [&str; 3] = ["company", "account", "next"];

/// What came of waiting, kept for the browser that waits.
#[derive(Serialize, Deserialize)]
pub struct Answer {
    /// The form that was sent.
    pub path: String,
    /// What it held besides secrets.
    pub fields: Vec<(String, String)>,
    /// Where to go, or why not.
    pub outcome: Result<String, Refusal>,
    /// What the browser is to keep.
    pub cookies: Vec<String>,
    /// What it had when it sent the form.
    pub had: Had,
}

/// Hashes of tokens that a browser has.
#[derive(Serialize, Deserialize)]
pub struct Had {
    /// Session.
    pub session: Option<[u8; 32]>,
    /// Pending sign-in.
    pub pending: Option<[u8; 32]>,
    /// Accounts that trust it.
    pub trusted: Vec<[u8; 32]>,
}

impl Had {
    /// What the browser of this visitor has.
    pub fn of(visitor: &Visitor) -> Self {
        let hash = |token: &Token| token.hash().0;
        Self {
            session: visitor.session.as_ref().map(hash),
            pending: visitor.pending.as_ref().map(hash),
            trusted: visitor.trusted.iter().map(hash).collect(),
        }
    }
}

/// How far a form has come.
pub enum Sight<T> {
    /// It is done.
    Done(Result<Result<T, Refusal>, JoinError>),
    /// It stands in line, with this ticket.
    InLine(Token),
}

/// Waits for the answer, and after a second without one looks whether that is because of the line.
pub async fn in_sight<T>(
    state: &AppState,
    facts: &Facts,
    run: &mut JoinHandle<Result<T, Refusal>>,
) -> Sight<T> {
    loop {
        if let Ok(done) = tokio::time::timeout(PATIENCE, &mut *run).await {
            return Sight::Done(done);
        }
        // Where no ticket can be kept, waiting goes on unseen.
        let taken = state
            .service
            .sign_in()
            .take_ticket(facts.ticket.as_ref(), &facts.visitor);
        if let Ok(Some(Taken { ticket, overtaken })) = taken.await {
            if let Some(answer) = overtaken.and_then(|answer| serde_json::from_slice(&answer).ok()) {
                give_up(state, &facts.visitor, &answer).await;
            }
            return Sight::InLine(ticket);
        }
    }
}

/// Sends the browser to where it can wait, and sees to it that what it waits for gets there; `leads` says where an answer
/// leads.
pub fn begin<T: Send + 'static>(
    state: &AppState,
    facts: &Facts,
    fields: &FormFields,
    ticket: &Token,
    (run, call): (JoinHandle<Result<T, Refusal>>, Call),
    leads: impl FnOnce(T) -> Option<String> + Send + 'static,
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
            outcome: outcome.and_then(|answer| leads(answer).ok_or_else(|| internal(&waiting))),
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
    match state.service.sign_in().answer_ticket(ticket, &bytes).await {
        Ok(true) => {}
        Ok(false) => give_up(state, visitor, answer).await,
        Err(error) => tracing::warn!(%error, "somebody who stood in line gets no answer"),
    }
}

/// What an answer would have the browser keep of this kind.
pub fn value_of(state: &AppState, answer: &Answer, kind: Kind) -> Option<String> {
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
pub async fn give_up(state: &AppState, visitor: &Visitor, answer: &Answer) {
    let session = value_of(state, answer, Kind::Session).and_then(|value| Token::parse(&value));
    if session.is_none() {
        return;
    }
    let visitor = Visitor {
        session,
        ..visitor.clone()
    };
    if state.service.sign_in().sign_out(&visitor).await.is_err() {
        tracing::warn!(request = %visitor.request, "a session that nobody got could not be ended");
    }
}
