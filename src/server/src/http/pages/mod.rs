//! The pages: gather facts, ask the service, fill in a page. No rule is decided here.

pub mod agents;
pub mod audit;
pub mod company;
pub mod import;
pub mod links;
pub mod mail_server;
pub mod profile;
pub mod recovery;
pub mod security;
pub mod sso;
pub mod sso_settings;
pub mod waiting;

use std::sync::Arc;

use axum::{
    extract::{Query, Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use serde::Deserialize;
use vestibule_app::{
    page::{Body, CodePage, LandingPage, Legal, LoginPage, Page},
    view,
};
use vestibule_core::{
    limits::{BACKUP_CODES_LOW, COMPANY_MAX},
    paths,
    refusal::Refusal,
    sign_in::landing,
    signed_in::FormRefusal,
};
use vestibule_service::sessions::SignedIn;

use super::{
    denied::{Denied, DeniedPage},
    facts::Facts,
};
use crate::state::AppState;

/// A page with its status.
pub fn show(status: StatusCode, page: Page) -> Response {
    (status, Html(view::render(page))).into_response()
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

/// Query of the sign-in page.
#[derive(Debug, Default, Deserialize)]
pub struct LoginQuery {
    company: Option<String>,
    next: Option<String>,
    signed_out: Option<String>,
    password_changed: Option<String>,
    ended: Option<String>,
}

/// `/`: the landing page, or the sign-in page.
pub async fn home(State(state): State<AppState>, request: Request) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    match state.service.session(&facts.visitor).await {
        Ok(Some(signed_in)) => see_other(&landing(signed_in.account.highest_role(), None)),
        Ok(None) => see_other(paths::LOGIN),
        Err(refusal) => Denied::from(refusal).into_response(),
    }
}

/// `/login`
pub async fn login(
    State(state): State<AppState>,
    query: Result<Query<LoginQuery>, axum::extract::rejection::QueryRejection>,
    request: Request,
) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    // A query that cannot be read is a broken bookmark, not a reason to turn somebody away.
    let query = query.map(|Query(query)| query).unwrap_or_default();
    let next = query.next.filter(|next| paths::is_local(next));
    match state.service.session(&facts.visitor).await {
        Ok(Some(signed_in)) => {
            return see_other(&landing(signed_in.account.highest_role(), next.as_deref()));
        }
        Ok(None) => {}
        Err(refusal) => return Denied::from(refusal).into_response(),
    }
    let company = query
        .company
        .or_else(|| facts.company.clone())
        .unwrap_or_default();
    let company: String = company.chars().take(COMPANY_MAX).collect();
    let providers = match providers(&state, &facts).await {
        Ok(providers) => providers,
        Err(refusal) => return Denied::from(refusal).into_response(),
    };
    let page = LoginPage {
        forgot: forgot_password(&company),
        providers,
        company,
        account: String::new(),
        next,
        refusal: query.ended.map(|_| Refusal::SignInExpired),
        signed_out: query.signed_out.is_some(),
        password_changed: query.password_changed.is_some(),
    };
    show(StatusCode::OK, facts.page(&state, Body::Login(page)))
}

/// The providers that somebody of this company may sign in with: names, and where their buttons lead.
///
/// # Errors
/// [`Refusal::Internal`] when storage cannot answer.
pub async fn providers(state: &AppState, facts: &Facts) -> Result<Vec<(String, String)>, Refusal> {
    let offered = state.service.offered_providers(&facts.visitor).await?;
    Ok(offered
        .into_iter()
        .map(|provider| (provider.name().to_owned(), provider.start_path().to_owned()))
        .collect())
}

/// Where `Forgot Password` leads to somebody of this company.
pub fn forgot_password(company: &str) -> String {
    let company: String = form_urlencoded::byte_serialize(company.as_bytes()).collect();
    format!("{}?company={company}", paths::FORGOT_PASSWORD)
}

/// `/login/code`
pub async fn code(State(state): State<AppState>, request: Request) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    let (resent, backup) = (facts.asks("resent"), facts.asks("backup"));
    match state.service.open_sign_in(&facts.visitor).await {
        Ok(open) => {
            let page = CodePage {
                view: open.view,
                refusal: None,
                resent,
                trust: false,
                backup,
            };
            show(StatusCode::OK, code_page(&state, &facts, &open.language, page))
        }
        Err(Refusal::SignInExpired) if facts.visitor.pending.is_some() => {
            match state.service.session(&facts.visitor).await {
                // A step-up that took too long.
                Ok(Some(_)) => see_other(&format!("{}?expired", paths::PROFILE_CONFIRM)),
                _ => see_other("/login?ended"),
            }
        }
        Err(Refusal::SignInExpired) => see_other(paths::LOGIN),
        Err(refusal) => closed(&state, &facts, &refusal),
    }
}

/// The code page in the language of its account or company; the language form comes back to the way of asking that
/// is shown.
pub fn code_page(state: &AppState, facts: &Facts, language: &str, page: CodePage) -> Page {
    let path = if page.backup {
        format!("{}?backup", paths::LOGIN_CODE)
    } else {
        paths::LOGIN_CODE.to_owned()
    };
    let locale = facts.locale(Some(language), None);
    let mut page = facts.page_in(state, locale, Body::Code(page));
    page.frame.path = path;
    page
}

/// The code page of a sign-in that the gate stopped.
pub fn closed(state: &AppState, facts: &Facts, refusal: &Refusal) -> Response {
    let body = match refusal {
        Refusal::AccountLocked => Body::Locked,
        other => Body::Problem(other.clone()),
    };
    let mut response = show(StatusCode::OK, facts.page(state, body));
    mark(&mut response, refusal);
    response
}

/// `/agent`
pub async fn agent(State(state): State<AppState>, request: Request) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    match signed_in(&state, &facts).await {
        Ok(signed_in) => {
            let landing = landing_page(&state, &facts, &signed_in).await;
            show(
                StatusCode::OK,
                page_for(&state, &facts, &signed_in, Body::Agent(landing)),
            )
        }
        Err(response) => *response,
    }
}

fn page_for(state: &AppState, facts: &Facts, signed_in: &SignedIn, body: Body) -> Page {
    facts.page_for(state, &signed_in.company, &signed_in.account, body)
}

/// What both landing pages show besides. A fault in it does not keep anybody from their work.
async fn landing_page(state: &AppState, facts: &Facts, signed_in: &SignedIn) -> LandingPage {
    let left = state.service.backup_codes_left(signed_in, &facts.visitor).await;
    LandingPage {
        few_backup_codes: few(left.ok().flatten()),
    }
}

/// The backup codes that are left, when they are so few that it has to be said.
fn few(left: Option<usize>) -> Option<usize> {
    left.filter(|&left| left <= BACKUP_CODES_LOW)
}

/// The live session with everything open to it, or the way to what stands before.
async fn signed_in(state: &AppState, facts: &Facts) -> Result<SignedIn, Box<Response>> {
    state
        .service
        .signed_in(&facts.visitor)
        .await
        .map_err(|refusal| Box::new(turned_away(&refusal, &facts.path)))
}

/// The answer to somebody who may not see the page at `path`, or not yet.
pub fn turned_away(refusal: &Refusal, path: &str) -> Response {
    match refusal {
        Refusal::NotSignedIn => {
            let next: String = form_urlencoded::byte_serialize(path.as_bytes()).collect();
            see_other(&format!("{}?next={next}", paths::LOGIN))
        }
        Refusal::Form(FormRefusal::SetUpRequired) => see_other(paths::SECURITY_SET_UP),
        Refusal::Form(FormRefusal::PasswordChangeRequired) => see_other(paths::CHOOSE_PASSWORD),
        Refusal::Form(FormRefusal::StepUpNeeded) => {
            see_other(&format!("{}?next={path}&again", paths::PROFILE_CONFIRM))
        }
        other => Denied::from(other.clone()).into_response(),
    }
}

/// `/terms`
pub async fn terms(State(state): State<AppState>, request: Request) -> Response {
    legal(&state, Legal::Terms, request).await
}

/// `/privacy`
pub async fn privacy(State(state): State<AppState>, request: Request) -> Response {
    legal(&state, Legal::Privacy, request).await
}

async fn legal(state: &AppState, kind: Legal, request: Request) -> Response {
    let facts = Facts::of(state, &request.into_parts().0);
    let signed_in = match state.service.session(&facts.visitor).await {
        Ok(signed_in) => signed_in,
        Err(refusal) => return Denied::from(refusal).into_response(),
    };
    let language = |signed_in: &SignedIn| {
        facts.locale(
            signed_in.account.language.as_deref(),
            Some(&signed_in.company.language),
        )
    };
    let locale = signed_in
        .as_ref()
        .map_or_else(|| facts.locale(None, None), language);
    match state.legal.page(kind, locale) {
        Ok(page) => show(StatusCode::OK, facts.page_in(state, locale, Body::Legal(page))),
        Err(url) => see_other(&url),
    }
}

/// The page of a refusal that a layer or a program's answer became.
pub fn problem(state: AppState) -> DeniedPage {
    Arc::new(move |parts, denied| {
        let state = state.clone();
        Box::pin(async move {
            let facts = Facts::of(&state, &parts);
            show(StatusCode::OK, facts.page(&state, Body::Problem(denied.refusal)))
        })
    })
}
