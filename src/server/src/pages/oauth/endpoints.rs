//! The endpoints that applications speak to themselves. They know no cookie and no page, and read one form, strictly.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use vestibule_core::oidc::{
    application::Application,
    error::{Described, TokenError},
    parameters::{Doubled, Parameters},
};
use vestibule_service::{Service, Visitor, oidc::EndpointError};

use crate::{
    form::internal,
    http::{facts::Facts, headers::CrossOrigin},
    state::AppState,
};

/// What is asked of an endpoint: the application's word about itself, and the form.
struct Asked {
    header: Option<String>,
    form: Parameters,
}

/// Reads a request. Nothing may stand in the query: queries are logged by proxies, and secrets are sent here.
fn read(facts: &Facts, headers: &HeaderMap, body: &str) -> Result<Asked, EndpointError> {
    let refused =
        |description| EndpointError::Protocol(Described::new(TokenError::InvalidRequest, description));
    if facts.path.contains('?') {
        return Err(refused("parameters belong into the body, not into the query"));
    }
    if !is_form(headers) {
        return Err(refused("the body must be application/x-www-form-urlencoded"));
    }
    Ok(Asked {
        header: one(headers, header::AUTHORIZATION).map_err(|()| refused("Authorization comes twice"))?,
        form: Parameters::parse(body),
    })
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    kind.and_then(|kind| kind.split(';').next()).is_some_and(|kind| {
        kind.trim()
            .eq_ignore_ascii_case("application/x-www-form-urlencoded")
    })
}

/// The one value of a header.
fn one(headers: &HeaderMap, name: header::HeaderName) -> Result<Option<String>, ()> {
    let mut values = headers.get_all(name).iter();
    let value = values
        .next()
        .map(|value| value.to_str().map(str::to_owned).map_err(|_| ()));
    if values.next().is_some() {
        return Err(());
    }
    value.transpose()
}

/// Runs it to its end, also when whoever asked goes away: a code is not used half-way.
async fn run<T: Send + 'static>(
    facts: &Facts,
    act: impl Future<Output = Result<T, EndpointError>> + Send + 'static,
) -> Result<T, EndpointError> {
    tokio::spawn(act)
        .await
        .unwrap_or_else(|_| Err(EndpointError::Fault(internal(facts))))
}

/// Runs an act of an endpoint with what was sent.
async fn asked<T: Send + 'static, F>(
    state: &AppState,
    facts: &Facts,
    (headers, body): (&HeaderMap, &str),
    act: impl FnOnce(Service, Asked, Visitor) -> F + Send + 'static,
) -> Result<T, EndpointError>
where
    F: Future<Output = Result<T, EndpointError>> + Send + 'static,
{
    let sent = read(facts, headers, body)?;
    let visitor = Visitor::clone(&facts.visitor);
    run(facts, act(state.service.clone(), sent, visitor)).await
}

/// The answer in JSON, which the scripts of the application's own pages may read.
fn answered(value: impl IntoResponse, application: &Application, headers: &HeaderMap) -> Response {
    let mut response = value.into_response();
    let origin = headers.get(header::ORIGIN);
    if let Some(origin) = origin
        && origin.to_str().is_ok_and(|text| application.has_origin(text))
    {
        response
            .extensions_mut()
            .insert(CrossOrigin::reading(origin.clone()));
    }
    response
}

/// `POST /oauth/token`
pub async fn token(
    State(state): State<AppState>,
    facts: Facts,
    headers: HeaderMap,
    body: String,
) -> Response {
    let given = asked(
        &state,
        &facts,
        (&headers, &body),
        |service, asked, visitor| async move {
            let header = asked.header.as_deref();
            service.issuer().tokens(header, &asked.form, &visitor).await
        },
    )
    .await;
    match given {
        Ok((tokens, application)) => answered(Json(tokens), &application, &headers),
        Err(error) => failed(&error, &headers),
    }
}

/// `POST /oauth/introspect`
pub async fn introspect(
    State(state): State<AppState>,
    facts: Facts,
    headers: HeaderMap,
    body: String,
) -> Response {
    let said = asked(
        &state,
        &facts,
        (&headers, &body),
        |service, asked, visitor| async move {
            let header = asked.header.as_deref();
            service.issuer().introspect(header, &asked.form, &visitor).await
        },
    )
    .await;
    match said {
        Ok(said) => Json(said).into_response(),
        Err(error) => failed(&error, &headers),
    }
}

/// `POST /oauth/revoke`
pub async fn revoke(
    State(state): State<AppState>,
    facts: Facts,
    headers: HeaderMap,
    body: String,
) -> Response {
    let done = asked(
        &state,
        &facts,
        (&headers, &body),
        |service, asked, visitor| async move {
            let header = asked.header.as_deref();
            service.issuer().revoke(header, &asked.form, &visitor).await
        },
    )
    .await;
    match done {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => failed(&error, &headers),
    }
}

/// `GET /oauth/userinfo`
pub async fn userinfo(State(state): State<AppState>, facts: Facts, headers: HeaderMap) -> Response {
    match bearer(&headers) {
        Ok(Some(token)) => user(&state, &facts, &headers, token).await,
        Ok(None) => unauthorized(None),
        Err(()) => unauthorized(Some("invalid_request")),
    }
}

/// `POST /oauth/userinfo`: the token in the header, or in the form.
pub async fn userinfo_posted(
    State(state): State<AppState>,
    facts: Facts,
    headers: HeaderMap,
    body: String,
) -> Response {
    let form = if is_form(&headers) {
        Parameters::parse(&body)
    } else {
        Parameters::default()
    };
    let posted = form.one("access_token").map(|token| token.map(str::to_owned));
    match (bearer(&headers), posted) {
        (Ok(Some(token)), Ok(None)) | (Ok(None), Ok(Some(token))) => {
            user(&state, &facts, &headers, token).await
        }
        (Ok(None), Ok(None)) => unauthorized(None),
        (Ok(Some(_)), Ok(Some(_))) | (Err(()), _) | (_, Err(Doubled)) => {
            unauthorized(Some("invalid_request"))
        }
    }
}

/// The token of the header (RFC 6750, section 2.1).
fn bearer(headers: &HeaderMap) -> Result<Option<String>, ()> {
    let Some(value) = one(headers, header::AUTHORIZATION)? else {
        return Ok(None);
    };
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim().to_owned())),
        _ => Err(()),
    }
}

async fn user(state: &AppState, facts: &Facts, headers: &HeaderMap, token: String) -> Response {
    let (service, visitor) = (state.service.clone(), Visitor::clone(&facts.visitor));
    let found = run(
        facts,
        async move { service.issuer().user(&token, &visitor).await },
    )
    .await;
    match found {
        Ok(Some(user)) => answered(Json(&user.claims), &user.application, headers),
        Ok(None) => unauthorized(Some("invalid_token")),
        Err(error) => failed(&error, headers),
    }
}

/// Without a token nothing is said about what is wrong (RFC 6750, section 3.1).
fn unauthorized(error: Option<&'static str>) -> Response {
    let status = match error {
        Some("invalid_request") => StatusCode::BAD_REQUEST,
        _ => StatusCode::UNAUTHORIZED,
    };
    let challenge = match error {
        Some(error) => format!("Bearer error=\"{error}\""),
        None => "Bearer".to_owned(),
    };
    let mut response = match error {
        Some(error) => (status, Json(json!({ "error": error }))).into_response(),
        None => status.into_response(),
    };
    if let Ok(challenge) = HeaderValue::from_str(&challenge) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// An error in JSON (RFC 6749, section 5.2).
fn failed(error: &EndpointError, headers: &HeaderMap) -> Response {
    match error {
        EndpointError::Protocol(Described { error, description }) => {
            let body = Json(json!({ "error": error.as_str(), "error_description": description }));
            if *error != TokenError::InvalidClient {
                return (StatusCode::BAD_REQUEST, body).into_response();
            }
            let mut response = (StatusCode::UNAUTHORIZED, body).into_response();
            if headers.contains_key(header::AUTHORIZATION) {
                let challenge = HeaderValue::from_static("Basic realm=\"token\"");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            }
            response
        }
        EndpointError::Wait(seconds) => {
            let body = Json(json!({
                "error": TokenError::InvalidClient.as_str(),
                "error_description": "too many wrong secrets came from this address",
            }));
            later(StatusCode::TOO_MANY_REQUESTS, *seconds, body)
        }
        EndpointError::Fault(refusal) => {
            let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            match refusal.retry_after() {
                Some(seconds) => later(
                    status,
                    seconds,
                    Json(json!({ "error": "temporarily_unavailable" })),
                ),
                None => (status, Json(json!({ "error": "server_error" }))).into_response(),
            }
        }
    }
}

fn later(status: StatusCode, seconds: u32, body: impl IntoResponse) -> Response {
    let mut response = (status, body).into_response();
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}
