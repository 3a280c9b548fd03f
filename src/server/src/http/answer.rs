//! Answers that pages and forms share.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use vestibule_app::{
    call::Effect,
    page::{Content, Page},
    shell::document::render,
};
use vestibule_core::{paths, refusal::Refusal, secret::Token};

use super::cookies::Kind;
use crate::state::AppState;

/// A page with its status.
pub fn show<C: Content>(status: StatusCode, page: Page<C>) -> Response {
    (status, Html(render(page))).into_response()
}

/// A page whose form may have been refused: then its status, and the time to wait, are those of the refusal,
/// and its title says so.
pub fn show_form<C: Content>(mut page: Page<C>, refusal: Option<&Refusal>) -> Response {
    page.frame.refused = refusal.is_some_and(|refusal| refusal.status() >= 400);
    let mut response = show(StatusCode::OK, page);
    if let Some(refusal) = refusal {
        mark(&mut response, refusal);
    }
    response
}

/// Sends the browser to a local path by GET.
pub fn see_other(to: &str) -> Response {
    match HeaderValue::from_str(to) {
        Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        Err(_) => (
            StatusCode::SEE_OTHER,
            [(header::LOCATION, HeaderValue::from_static(paths::LOGIN))],
        )
            .into_response(),
    }
}

/// Gives an answer the status of a refusal, and the time to wait where waiting helps.
pub fn mark(response: &mut Response, refusal: &Refusal) {
    *response.status_mut() =
        StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(seconds) = refusal.retry_after() {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
}

/// Turns effects into headers.
pub fn apply(state: &AppState, effects: &[Effect], response: &mut Response) {
    let headers = response.headers_mut();
    let cookies = &state.cookies;
    for effect in effects {
        let cookie = match effect {
            Effect::Session(Some(token)) => cookies.set(Kind::Session, &token.reveal()),
            Effect::Session(None) => cookies.remove(Kind::Session),
            Effect::Ended(Some(token)) => cookies.set(Kind::Ended, &token.reveal()),
            Effect::Ended(None) => cookies.remove(Kind::Ended),
            Effect::Tries(Some(sealed)) => cookies.set(Kind::Tries, sealed),
            Effect::Tries(None) => cookies.remove(Kind::Tries),
            Effect::Pending(Some(token)) => cookies.set(Kind::Pending, &token.reveal()),
            Effect::Pending(None) => cookies.remove(Kind::Pending),
            Effect::Trusted(tokens) => {
                let list: Vec<_> = tokens.iter().map(Token::reveal).collect();
                cookies.set(Kind::Trusted, &list.join("."))
            }
            Effect::Browser(token) => cookies.set(Kind::Browser, &token.reveal()),
            Effect::Company(name) => cookies.set(Kind::Company, name),
            Effect::Link(Some(token)) => cookies.set(Kind::Link, &token.reveal()),
            Effect::Link(None) => cookies.remove(Kind::Link),
            Effect::SsoFlowOver => cookies.remove(Kind::SsoFlow),
            Effect::Language(Some(tag)) => cookies.set(Kind::Language, tag),
            Effect::Language(None) => cookies.remove(Kind::Language),
            Effect::AgentView(view) => cookies.set(Kind::AgentView, &view.to_text()),
            Effect::ClearSiteData => {
                headers.insert("clear-site-data", HeaderValue::from_static("\"storage\""));
                None
            }
        };
        let searched = matches!(effect, Effect::Session(None))
            .then(|| cookies.remove(Kind::AgentsQuery))
            .flatten();
        for cookie in [cookie, searched].into_iter().flatten() {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
}
