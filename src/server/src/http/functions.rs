//! The door to the server functions: one handler for programs and for plain forms.
//!
//! Both reach the same function. A program gets its JSON. A plain form, sent without scripts, gets what a person
//! expects: on success it is sent on, on refusal it comes back with the reason and everything typed except the
//! password and the code.

use axum::{
    body::{Body as HttpBody, to_bytes},
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use leptos::context::provide_context;
use vestibule_app::{
    call::{Call, Effect},
    page::{Body, CodePage, LoginPage},
};
use vestibule_core::{paths, refusal::Refusal, secret::Token, sign_in_view::Onward};

use super::{
    cookies::Kind,
    denied::Denied,
    facts::Facts,
    form_guard::FormFields,
    pages::{closed, mark, see_other, show},
};
use crate::state::AppState;

/// Largest answer of a server function, in bytes.
const ANSWER_MAX: usize = 256 * 1024;

/// Calls the server function at the address of the request.
pub async fn call(State(state): State<AppState>, mut request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let facts = Facts::of(&state, &parts);
    let fields = parts.extensions.get::<FormFields>().cloned().unwrap_or_default();
    request = Request::from_parts(parts, body);
    // The function always answers a program; what a plain form gets is made from that here.
    request
        .headers_mut()
        .insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    request.headers_mut().remove(header::REFERER);

    let call = Call::new(state.service.clone(), facts.visitor.clone());
    let context = call.clone();
    // In a task of its own: a visitor who hangs up does not stop a count, a lock or a mail half-way.
    let run = tokio::spawn(async move {
        leptos_axum::handle_server_fns_with_context(move || provide_context(context.clone()), request)
            .await
            .into_response()
    });
    let Ok(answer) = run.await else {
        return Denied::from(internal(&facts)).into_response();
    };
    let (parts, body) = answer.into_parts();
    let Ok(bytes) = to_bytes(body, ANSWER_MAX).await else {
        return Denied::from(internal(&facts)).into_response();
    };
    let outcome = if parts.status.is_success() {
        Ok(bytes)
    } else {
        Err(serde_json::from_slice::<Refusal>(&bytes)
            .map_or_else(|_| internal(&facts), |found| named(found, &facts)))
    };
    let mut response = match outcome {
        Ok(bytes) if facts.wants_page => match serde_json::from_slice::<Onward>(&bytes) {
            Ok(onward) => see_other(&onward.to),
            // A function that answers with data has no page of its own.
            Err(_) => see_other(paths::LOGIN),
        },
        Ok(bytes) => {
            let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
            (StatusCode::OK, json, HttpBody::from(bytes)).into_response()
        }
        Err(refusal) if facts.wants_page => come_back(&state, &facts, &fields, &refusal).await,
        Err(refusal) => Denied::from(refusal).into_response(),
    };
    apply(&state, &call.take_effects(), &mut response);
    response
}

/// A fault without a reference gets the one of this request.
fn named(refusal: Refusal, facts: &Facts) -> Refusal {
    match refusal {
        Refusal::Internal { reference } if reference.is_empty() => internal(facts),
        other => other,
    }
}

fn internal(facts: &Facts) -> Refusal {
    Refusal::Internal {
        reference: facts.visitor.reference.clone(),
    }
}

/// The page that a refused plain form came from, with the reason.
async fn come_back(state: &AppState, facts: &Facts, fields: &FormFields, refusal: &Refusal) -> Response {
    match facts.path.as_str() {
        paths::LOGIN => login_again(state, facts, fields, refusal),
        paths::LOGIN_CODE | paths::LOGIN_CODE_RESEND => code_again(state, facts, fields, refusal).await,
        _ => Denied::from(refusal.clone()).into_response(),
    }
}

async fn code_again(state: &AppState, facts: &Facts, fields: &FormFields, refusal: &Refusal) -> Response {
    if matches!(
        refusal,
        Refusal::AccountLocked | Refusal::AccountInactive | Refusal::CompanyDisabled
    ) {
        return closed(state, facts, refusal);
    }
    match state.service.open_sign_in(&facts.visitor).await {
        Ok(open) => {
            let trust = fields.get("trust").is_some();
            let page = CodePage {
                view: open.view,
                refusal: Some(refusal.clone()),
                resent: false,
                trust,
            };
            let locale = facts.locale(Some(&open.language), None);
            let mut page = facts.page_in(state, locale, Body::Code(page));
            paths::LOGIN_CODE.clone_into(&mut page.frame.path);
            let mut response = show(StatusCode::OK, page);
            mark(&mut response, refusal);
            response
        }
        Err(Refusal::SignInExpired) => login_again(state, facts, fields, &Refusal::SignInExpired),
        Err(reason) => closed(state, facts, &reason),
    }
}

fn login_again(state: &AppState, facts: &Facts, fields: &FormFields, refusal: &Refusal) -> Response {
    let typed = |name| fields.get(name).map(str::to_owned);
    let page = LoginPage {
        company: typed("company")
            .or_else(|| facts.company.clone())
            .unwrap_or_default(),
        account: typed("account").unwrap_or_default(),
        next: typed("next").filter(|next| paths::is_local(next)),
        refusal: Some(refusal.clone()),
        signed_out: false,
    };
    let page = facts.page(state, Body::Login(page));
    let mut response = show(StatusCode::OK, page);
    mark(&mut response, refusal);
    response
}

/// Turns effects into headers.
fn apply(state: &AppState, effects: &[Effect], response: &mut Response) {
    let headers = response.headers_mut();
    let cookies = &state.cookies;
    for effect in effects {
        let cookie = match effect {
            Effect::Session(Some(token)) => cookies.set(Kind::Session, &token.reveal()),
            Effect::Session(None) => cookies.remove(Kind::Session),
            Effect::Pending(Some(token)) => cookies.set(Kind::Pending, &token.reveal()),
            Effect::Pending(None) => cookies.remove(Kind::Pending),
            Effect::Trusted(tokens) => {
                let list: Vec<_> = tokens.iter().map(Token::reveal).collect();
                cookies.set(Kind::Trusted, &list.join("."))
            }
            Effect::Browser(token) => cookies.set(Kind::Browser, &token.reveal()),
            Effect::Company(name) => cookies.set(Kind::Company, name),
            Effect::Language(tag) => cookies.set(Kind::Language, tag),
            Effect::ClearSiteData => {
                headers.insert("clear-site-data", HeaderValue::from_static("\"storage\""));
                None
            }
        };
        if let Some(cookie) = cookie {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
}
