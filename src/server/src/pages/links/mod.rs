//! What the links of mails lead to. Opening one uses nothing up: only its form does (attacks.md T126).

mod choose_password;
mod email;

use axum::{
    extract::{Path, State},
    http::{HeaderValue, header},
    response::Response,
};
use vestibule_core::{paths, refusal::Refusal, rights::Action, secret::Token};

use super::problem::Problem;
use crate::{
    form::{Routes, redirect_or_refuse},
    http::{
        answer::{see_other, show_form},
        cookies::Kind,
        facts::Facts,
    },
    state::AppState,
};

/// The addresses in mails, and the pages behind them.
pub fn routes(routes: Routes) -> Routes {
    let to = |page: &'static str| {
        move |State(state): State<AppState>, Path(token): Path<String>| {
            std::future::ready(keep(&state, &token, page))
        }
    };
    routes
        .page("/activate/{token}", Action::ComeIn, to(paths::CHOOSE_PASSWORD))
        .page(
            "/reset-password/{token}",
            Action::ComeIn,
            to(paths::CHOOSE_PASSWORD),
        )
        .page("/confirm-email/{token}", Action::ComeIn, to(paths::CONFIRM_EMAIL))
        .page(
            "/stop-email-change/{token}",
            Action::ComeIn,
            to(paths::STOP_EMAIL_CHANGE),
        )
        .room(choose_password::routes)
        .room(email::routes)
}

/// Moves the token from the address into a cookie: address bar, history and Referer never have it for longer than this
/// (attacks.md T131). What is no token leads on too; the page then says that the link is over.
fn keep(state: &AppState, token: &str, to: &str) -> Response {
    let token = Token::parse(token).unwrap_or_else(|| Token::from_bytes([0; 32]));
    let mut response = see_other(to);
    if let Some(cookie) = state.cookies.set(Kind::Link, &token.reveal()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
        .headers_mut()
        .insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// A clear page with a way back for a link that is not good, and the sign-in page where there is no link at all.
pub fn nothing_to_do(state: &AppState, facts: &Facts, refusal: &Refusal) -> Response {
    match refusal {
        Refusal::LinkOver => {
            let mut response = show_form(facts.page(state, Problem(refusal.clone())), Some(refusal));
            if let Some(cookie) = state.cookies.remove(Kind::Link) {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
        Refusal::NotSignedIn => see_other(paths::LOGIN),
        other => redirect_or_refuse(other, &facts.path),
    }
}
