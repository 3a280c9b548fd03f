//! What programs read before they speak to the provider. Anybody may, from any page.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{
    http::{denied::Denied, facts::Facts, headers::CrossOrigin},
    state::AppState,
};

/// How long a program may keep what it has read: a next key is published long before it is used.
const KEPT: &str = "public, max-age=300";

/// The discovery document.
pub async fn discovery(State(state): State<AppState>) -> Response {
    published(Json(state.service.issuer().discovery()).into_response())
}

/// The public keys.
pub async fn keys(State(state): State<AppState>, facts: Facts) -> Response {
    match state.service.issuer().public_keys(&facts.visitor).await {
        Ok(keys) => published(Json(keys).into_response()),
        Err(refusal) => Denied::from(refusal).into_response(),
    }
}

fn published(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static(KEPT));
    response.extensions_mut().insert(CrossOrigin::anybody());
    response
}

/// The question of a browser whether a script of another origin may ask at all. It says nothing about who may read the
/// answer: that is decided with the answer, by the application.
pub async fn preflight(headers: HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(origin) = headers.get(header::ORIGIN) {
        response
            .extensions_mut()
            .insert(CrossOrigin::asking(origin.clone()));
    }
    response
}
