//! The pages behind the links of mails. Opening one uses nothing up: only its form does (attacks.md T126).

use axum::{
    extract::{Path, Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use vestibule_app::page::{Body, ChoiceReason, ChoosePasswordPage, EmailLinkPage};
use vestibule_core::{link::LinkPurpose, paths, refusal::Refusal, secret::Token, signed_in::FormRefusal};

use super::{mark, see_other, show, turned_away};
use crate::{
    http::{cookies::Kind, denied::Denied, facts::Facts},
    state::AppState,
};

/// `/activate/{token}` and `/reset-password/{token}`
pub async fn choose_password_with(State(state): State<AppState>, Path(token): Path<String>) -> Response {
    keep(&state, &token, paths::CHOOSE_PASSWORD)
}

/// `/confirm-email/{token}`
pub async fn confirm_email_with(State(state): State<AppState>, Path(token): Path<String>) -> Response {
    keep(&state, &token, paths::CONFIRM_EMAIL)
}

/// `/stop-email-change/{token}`
pub async fn stop_email_change_with(State(state): State<AppState>, Path(token): Path<String>) -> Response {
    keep(&state, &token, paths::STOP_EMAIL_CHANGE)
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

/// `/choose-password`
pub async fn choose_password(State(state): State<AppState>, request: Request) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    show_choice(&state, &facts, None).await
}

/// The page again after what was typed was refused.
pub async fn choice_refused(state: &AppState, facts: &Facts, refusal: &Refusal) -> Response {
    match refusal {
        Refusal::Form(FormRefusal::Invalid { .. }) => show_choice(state, facts, Some(refusal)).await,
        other => nothing_to_do(state, facts, other),
    }
}

async fn show_choice(state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
    let choice = match state.service.password_choice(&facts.visitor).await {
        Ok(choice) => choice,
        Err(refusal) => return nothing_to_do(state, facts, &refusal),
    };
    let body = ChoosePasswordPage {
        company: choice.company.name.clone(),
        account: choice.account.name.clone(),
        reason: match choice.link {
            Some(LinkPurpose::Activate) => ChoiceReason::First,
            Some(_) => ChoiceReason::Reset,
            None => ChoiceReason::Temporary,
        },
        password_min: choice.company.password_min,
        refusal: refusal.cloned(),
    };
    let locale = facts.locale(choice.account.language.as_deref(), Some(&choice.company.language));
    let mut page = facts.page_in(state, locale, Body::ChoosePassword(body));
    paths::CHOOSE_PASSWORD.clone_into(&mut page.frame.path);
    let mut response = show(StatusCode::OK, page);
    if let Some(refusal) = refusal {
        mark(&mut response, refusal);
    }
    response
}

/// `/confirm-email`
pub async fn confirm_email(State(state): State<AppState>, request: Request) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    show_email(&state, &facts, LinkPurpose::ConfirmEmail).await
}

/// `/stop-email-change`
pub async fn stop_email_change(State(state): State<AppState>, request: Request) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    show_email(&state, &facts, LinkPurpose::StopEmailChange).await
}

/// The page again after it was refused.
pub fn email_refused(state: &AppState, facts: &Facts, refusal: &Refusal) -> Response {
    nothing_to_do(state, facts, refusal)
}

async fn show_email(state: &AppState, facts: &Facts, purpose: LinkPurpose) -> Response {
    let stops = purpose == LinkPurpose::StopEmailChange;
    if facts.asks("done") {
        let body = EmailLinkPage {
            stops,
            done: true,
            ..EmailLinkPage::default()
        };
        return show(StatusCode::OK, facts.page(state, Body::EmailLink(body)));
    }
    match state.service.open_link(&[purpose], &facts.visitor).await {
        Ok(link) => {
            let locale = facts.locale(link.account.language.as_deref(), Some(&link.company.language));
            let body = EmailLinkPage {
                company: link.company.name,
                account: link.account.name,
                email: link.email.unwrap_or_default(),
                stops,
                done: false,
                refusal: None,
            };
            show(
                StatusCode::OK,
                facts.page_in(state, locale, Body::EmailLink(body)),
            )
        }
        Err(refusal) => nothing_to_do(state, facts, &refusal),
    }
}

/// A clear page with a way back for a link that is not good, and the sign-in page where there is no link at all.
fn nothing_to_do(state: &AppState, facts: &Facts, refusal: &Refusal) -> Response {
    match refusal {
        Refusal::Form(FormRefusal::LinkOver) => {
            let mut response = show(StatusCode::OK, facts.page(state, Body::Problem(refusal.clone())));
            mark(&mut response, refusal);
            if let Some(cookie) = state.cookies.remove(Kind::Link) {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
        Refusal::NotSignedIn => see_other(paths::LOGIN),
        Refusal::Form(_) => turned_away(refusal, &facts.path),
        other => Denied::from(other.clone()).into_response(),
    }
}
