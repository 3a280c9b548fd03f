//! The door to the server functions, which islands call by fetch and plain forms without scripts.
//!
//! Both reach the same function. A program gets its JSON. A plain form gets what a person expects: on success it is sent on,
//! on refusal the page comes back with the reason.

use axum::{
    Extension,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use leptos::context::provide_context;
use vestibule_app::functions::Done;
use vestibule_core::refusal::Refusal;

use super::{
    FormFields,
    receive::{call_of, internal, named},
    wait::{self, Sight},
};
use crate::{
    http::{
        answer::{apply, see_other},
        denied::Denied,
        facts::Facts,
    },
    state::AppState,
};

/// Largest answer of a server function, in bytes.
const ANSWER_MAX: usize = 256 * 1024;

/// The page whose plain form calls a server function.
pub trait FunctionPage: 'static {
    /// Fields of the form that only its page reads.
    const KEPT: &'static [&'static str] = &[];

    /// The field by which its page says that it gave the browser a cookie, if it does.
    const COOKIES_GIVEN: Option<&'static str> = None;

    /// Whether it compares the password of somebody who has proved nothing yet, and so may have to stand in line.
    const MAY_WAIT: bool = false;

    /// The page again, with the reason.
    fn redisplay(
        state: &AppState,
        facts: &Facts,
        fields: &FormFields,
        refusal: &Refusal,
    ) -> impl Future<Output = Response> + Send;
}

/// A function that only scripts call.
pub struct NoPage;

impl FunctionPage for NoPage {
    async fn redisplay(
        _state: &AppState,
        _facts: &Facts,
        _fields: &FormFields,
        refusal: &Refusal,
    ) -> Response {
        Denied::from(refusal.clone()).into_response()
    }
}

/// Calls the server function at the address of the request.
pub async fn call<P: FunctionPage>(
    State(state): State<AppState>,
    facts: Facts,
    fields: Option<Extension<FormFields>>,
    mut request: Request,
) -> Response {
    let fields = fields.map(|Extension(fields)| fields).unwrap_or_default();
    if !facts.has_cookies && P::COOKIES_GIVEN.is_some_and(|given| fields.get(given).is_some()) {
        return refuse::<P>(&state, &facts, &fields, Refusal::NoCookies).await;
    }
    // The function always answers a program; what a plain form gets is made from that here.
    request
        .headers_mut()
        .insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    request.headers_mut().remove(header::REFERER);
    let call = call_of(&state, &facts);
    let (context, about) = (call.clone(), facts.clone());
    // In a task of its own: a visitor who hangs up does not stop a count, a lock or a mail half-way.
    let mut run = tokio::spawn(async move {
        let answer =
            leptos_axum::handle_server_fns_with_context(move || provide_context(context.clone()), request)
                .await
                .into_response();
        outcome_of(answer, &about).await
    });
    let outcome = if P::MAY_WAIT {
        match wait::in_sight(&state, &facts, &mut run).await {
            Sight::InLine(ticket) => {
                let read = |answer: Bytes| {
                    let done = serde_json::from_slice::<Done>(&answer);
                    done.map(|done| done.to).ok()
                };
                return wait::begin(&state, &facts, &fields, &ticket, (run, call), read);
            }
            Sight::Done(outcome) => outcome,
        }
    } else {
        run.await
    };
    let outcome = outcome.unwrap_or_else(|_| Err(internal(&facts)));
    let mut response = match outcome {
        // Where to go is the same in every answer. A function that answers with data has no page of its own.
        Ok(bytes) if facts.wants_page => match serde_json::from_slice::<Done>(&bytes) {
            Ok(done) => see_other(&done.to),
            Err(_) => see_other("/"),
        },
        Ok(bytes) => {
            let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
            (StatusCode::OK, json, Body::from(bytes)).into_response()
        }
        Err(refusal) => refuse::<P>(&state, &facts, &fields, refusal).await,
    };
    apply(&state, &call.take_effects(), &mut response);
    response
}

async fn refuse<P: FunctionPage>(
    state: &AppState,
    facts: &Facts,
    fields: &FormFields,
    refusal: Refusal,
) -> Response {
    if facts.wants_page {
        P::redisplay(state, facts, fields, &refusal).await
    } else {
        Denied::from(refusal).into_response()
    }
}

/// What a server function answered.
async fn outcome_of(answer: Response, facts: &Facts) -> Result<Bytes, Refusal> {
    let (parts, body) = answer.into_parts();
    let bytes = to_bytes(body, ANSWER_MAX).await.map_err(|_| internal(facts))?;
    if parts.status.is_success() {
        return Ok(bytes);
    }
    Err(serde_json::from_slice::<Refusal>(&bytes)
        .map_or_else(|_| internal(facts), |found| named(found, facts)))
}
