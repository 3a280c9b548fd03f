//! Forgot Password.

use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use vestibule_app::page::{Body, ForgotPasswordPage};
use vestibule_core::{limits::COMPANY_MAX, paths, refusal::Refusal};

use super::{mark, show};
use crate::{
    http::{facts::Facts, form_guard::FormFields},
    state::AppState,
};

/// `/forgot-password`
pub async fn forgot_password(State(state): State<AppState>, request: Request) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    let company = facts.query("company").or_else(|| facts.company.clone());
    let page = ForgotPasswordPage {
        company: company.unwrap_or_default().chars().take(COMPANY_MAX).collect(),
        sent: facts.asks("sent"),
        ..ForgotPasswordPage::default()
    };
    show_page(&state, &facts, page)
}

/// The page again with everything typed: after it was refused, or in another language.
pub fn again(state: &AppState, facts: &Facts, fields: &FormFields, refusal: Option<&Refusal>) -> Response {
    let typed = |name| fields.get(name).unwrap_or_default().to_owned();
    let page = ForgotPasswordPage {
        company: typed("company"),
        email: typed("email"),
        sent: false,
        refusal: refusal.cloned(),
    };
    let mut response = show_page(state, facts, page);
    if let Some(refusal) = refusal {
        mark(&mut response, refusal);
    }
    response
}

fn show_page(state: &AppState, facts: &Facts, page: ForgotPasswordPage) -> Response {
    let path = if page.sent {
        format!("{}?sent", paths::FORGOT_PASSWORD)
    } else {
        paths::FORGOT_PASSWORD.to_owned()
    };
    let mut page = facts.page(state, Body::ForgotPassword(page));
    page.frame.path = path;
    show(StatusCode::OK, page)
}
