//! `/forward-auth/{family}/{application}`: a proxy asks who is signed in at an application behind it, at every request.
//! Only proxies that the operator named get an answer. It goes past the layers for browsers, so it says itself what they
//! would say.

use std::{net::SocketAddr, panic::AssertUnwindSafe, sync::Arc};

use axum::{
    Router,
    extract::{ConnectInfo, Path, Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION},
        request::Parts,
    },
    response::{IntoResponse, Response},
    routing::any,
};
use futures::FutureExt;
use vestibule_core::{
    forward_auth::{Asked, Family, IDENTITY, pack_path},
    oidc::application::Application,
    paths::BEHIND_START,
    refusal::Refusal,
};
use vestibule_service::{
    Visitor,
    forward_auth::{Admitted, Checked},
};

use super::{
    client_address::TrustedProxies,
    cookies::{self, HostCookie},
    denied::wants_page,
    said::Said,
};
use crate::state::AppState;

/// Most things about proxies that the log says.
const THINGS_TOLD: usize = 32;

/// What the check needs.
#[derive(Clone)]
struct Check {
    state: AppState,
    proxies: TrustedProxies,
    told: Arc<Said>,
}

/// The check, for all kinds of proxies.
pub fn router(state: &AppState) -> Router {
    let check = Check {
        state: state.clone(),
        proxies: TrustedProxies::new(state.config.trusted_proxies.clone()),
        told: Arc::new(Said::new(THINGS_TOLD)),
    };
    Router::new()
        // A proxy may ask with the method of the visitor: what counts stands in its headers.
        .route("/forward-auth/{family}/{application}", any(answer))
        .with_state(check)
}

async fn answer(
    State(check): State<Check>,
    Path((family, application)): Path<(String, String)>,
    request: Request,
) -> Response {
    let (asked, _) = request.into_parts();
    let answered = check.answer(&family, &application, &asked);
    let mut response = match AssertUnwindSafe(answered).catch_unwind().await {
        Ok(response) => response,
        Err(_) => refuse(StatusCode::INTERNAL_SERVER_ERROR, "The check has failed."),
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A sentence for whoever sets the proxy up. Browsers may see it, so it says nothing of anybody.
fn refuse(status: StatusCode, sentence: &'static str) -> Response {
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    (status, [(CONTENT_TYPE, kind)], sentence).into_response()
}

impl Check {
    async fn answer(&self, family: &str, id: &str, request: &Parts) -> Response {
        if !self.is_trusted(request) {
            return refuse(
                StatusCode::FORBIDDEN,
                "Only proxies named in trusted_proxies may ask here.",
            );
        }
        let Some(family) = Family::from_word(family) else {
            return refuse(StatusCode::NOT_FOUND, "There is no such kind of proxy.");
        };
        let headers = &request.headers;
        let named = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()));
        let asked = match Asked::read(family, named) {
            Ok(asked) => asked,
            Err(unclear) => {
                self.tell(id, &unclear.to_string());
                return refuse(StatusCode::BAD_REQUEST, "The request could be read in two ways.");
            }
        };
        let visitor = Visitor::default();
        let forward_auth = self.state.service.forward_auth();
        let application = match forward_auth.application(id, &visitor).await {
            Ok(application) => application,
            Err(refusal) => return failed(&refusal),
        };
        if application.origin().as_ref() != Some(&asked.origin) {
            self.tell(
                id,
                "the proxy asks for another host than the application's address has",
            );
            return refuse(StatusCode::FORBIDDEN, "This is not the host of the application.");
        }
        if asked.is_ours() {
            self.tell(id, "the proxy asks for /.vestibule/ instead of passing it on");
            return refuse(
                StatusCode::FORBIDDEN,
                "The proxy has to pass /.vestibule/ on to Vestibule, without asking.",
            );
        }
        let https = cookies::is_https(&application);
        let token = cookies::read_host_cookie(headers, HostCookie::Session, https);
        match forward_auth.check(&application, token.as_ref(), &visitor).await {
            Ok(Checked::Admitted(admitted)) => admit(&admitted),
            Ok(Checked::SignIn) => lead_to_sign_in(family, &application, &asked, headers),
            // The way to a ticket ends at a page that says why, in the language of the agent.
            Ok(Checked::Forbidden) if is_page(&asked, headers) => {
                lead_to_sign_in(family, &application, &asked, headers)
            }
            Ok(Checked::Forbidden) => refuse(
                StatusCode::FORBIDDEN,
                "The role of who is signed in cannot use this application.",
            ),
            Err(refusal) => failed(&refusal),
        }
    }

    fn is_trusted(&self, request: &Parts) -> bool {
        let peer = request.extensions.get::<ConnectInfo<SocketAddr>>();
        let Some(ConnectInfo(peer)) = peer else {
            return false;
        };
        let trusted = self.proxies.trusts(peer.ip());
        if !trusted && self.told.is_new(&peer.ip().to_string()) {
            tracing::warn!(
                peer = %peer.ip(),
                "this peer asks who is signed in, and gets no answer: if it is your proxy, name it in trusted_proxies"
            );
        }
        trusted
    }

    /// Says once for each application and fault what is wrong.
    fn tell(&self, application: &str, fault: &str) {
        let application: String = application.chars().take(36).collect();
        if self.told.is_new(&format!("{application} {fault}")) {
            tracing::warn!(application, "a proxy was refused: {fault}");
        }
    }
}

fn failed(refusal: &Refusal) -> Response {
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match refusal {
        Refusal::UnknownApplication => refuse(
            StatusCode::NOT_FOUND,
            "There is no such application behind a proxy.",
        ),
        _ => refuse(status, "Nobody can be let in at the moment."),
    }
}

/// All headers, always: what the visitor may have sent under one of these names is overwritten by the proxy.
fn admit(admitted: &Admitted) -> Response {
    let identity = &admitted.identity;
    let values = [
        &identity.user,
        &identity.name,
        &identity.email,
        &identity.groups,
        &identity.company,
        &admitted.assertion,
    ];
    let mut response = StatusCode::OK.into_response();
    for (name, value) in IDENTITY.into_iter().zip(values) {
        // Names are in UTF-8. What cannot stand in a header is left out, never cut.
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap_or(HeaderValue::from_static(""));
        response
            .headers_mut()
            .insert(HeaderName::from_static(name), value);
    }
    response
}

/// Whether a browser reads a page, and can be led elsewhere and back.
fn is_page(asked: &Asked, headers: &HeaderMap) -> bool {
    asked.can_come_back() && wants_page(headers)
}

/// Leads a browser that reads a page to the sign-in and back; everything else is refused.
fn lead_to_sign_in(
    family: Family,
    application: &Application,
    asked: &Asked,
    headers: &HeaderMap,
) -> Response {
    let nobody = "Nobody is signed in.";
    if !is_page(asked, headers) {
        return refuse(StatusCode::UNAUTHORIZED, nobody);
    }
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("application", &application.id.to_string())
        .append_pair("to", &pack_path(&asked.path))
        .finish();
    let to = format!("{}{BEHIND_START}?{query}", asked.origin.ascii_serialization());
    let status = if family.redirects_itself() {
        StatusCode::UNAUTHORIZED
    } else {
        StatusCode::SEE_OTHER
    };
    let mut response = refuse(status, nobody);
    if let Ok(to) = HeaderValue::from_str(&to) {
        response.headers_mut().insert(LOCATION, to);
    }
    response
}
