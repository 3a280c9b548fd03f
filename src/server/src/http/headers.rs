//! The headers that every answer carries (N30; security.md 3.4.1-3.5.8, 14.3.2; attacks.md T078, T084, T085, T091, T163).

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue,
        header::{
            ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
            ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, SERVER,
            STRICT_TRANSPORT_SECURITY, VARY, X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::Next,
    response::Response,
};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use vestibule_core::ports::Randomness;

/// The nonce of this answer's scripts, 128 bits; an extension of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nonce(pub Arc<str>);

/// Which Content-Security-Policy an answer gets; an extension of the response. Without one it is
/// [`ContentPolicy::Page`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ContentPolicy {
    /// A page: our own scripts under the nonce, our own style sheet, no frames.
    #[default]
    Page,
    /// A page that shows another of our addresses in a frame: a message of the local mailbox.
    PageWithFrame,
    /// A page with a form that is posted to another site: the answer to an application there. With its origin.
    PageWithForm(Arc<str>),
    /// The HTML part of a mail, shown in a frame of the local mailbox: inline styles, pictures that are part of it,
    /// nothing that runs, nothing remote.
    MailPart,
    /// A file that a page loads.
    File,
}

impl ContentPolicy {
    fn text(&self, nonce: &str) -> String {
        match self {
            Self::Page | Self::PageWithFrame | Self::PageWithForm(_) => {
                let elsewhere = match self {
                    Self::PageWithForm(origin) => format!(" {origin}"),
                    _ => String::new(),
                };
                let frames = if *self == Self::PageWithFrame {
                    "frame-src 'self'; "
                } else {
                    ""
                };
                format!(
                    "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; \
                     style-src 'self'; img-src 'self' data:; font-src 'none'; connect-src 'self'; \
                     form-action 'self'{elsewhere}; {frames}frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
                )
            }
            Self::MailPart => {
                "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; \
                               base-uri 'none'; frame-ancestors 'self'; \
                               sandbox allow-popups allow-popups-to-escape-sandbox"
                    .to_owned()
            }
            Self::File => {
                "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; \
                 frame-ancestors 'none'; sandbox"
                    .to_owned()
            }
        }
    }
}

/// Lets scripts of other origins read an answer of the OpenID provider; an extension of the response. Cookies are never
/// let along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrossOrigin {
    origin: HeaderValue,
    asks: bool,
}

impl CrossOrigin {
    /// Everybody's scripts may read it: it is public.
    pub const fn anybody() -> Self {
        Self {
            origin: HeaderValue::from_static("*"),
            asks: false,
        }
    }

    /// Scripts of this origin may read it.
    pub const fn reading(origin: HeaderValue) -> Self {
        Self { origin, asks: false }
    }

    /// Scripts of this origin may ask.
    pub const fn asking(origin: HeaderValue) -> Self {
        Self { origin, asks: true }
    }

    fn open(self, headers: &mut HeaderMap) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, self.origin);
        headers.append(VARY, HeaderValue::from_static("origin"));
        if self.asks {
            for (name, value) in [
                (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
                (ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type"),
                (ACCESS_CONTROL_MAX_AGE, "600"),
            ] {
                headers.insert(name, HeaderValue::from_static(value));
            }
        }
    }
}

/// What [`protect`] needs to know.
#[derive(Clone)]
pub struct Protection {
    /// Whether the public URL is https: only then may browsers be told to use nothing else.
    pub https: bool,
    /// Where nonces come from.
    pub randomness: Arc<dyn Randomness>,
}

/// The same on every answer.
const FIXED: [(HeaderName, HeaderValue); 4] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static(
            "camera=(), display-capture=(), geolocation=(), microphone=(), midi=(), payment=(), usb=()",
        ),
    ),
];

/// The layer that gives the request its [`Nonce`] and the answer its headers. An answer that says nothing about
/// caching is never stored; no answer names the server's software or opens itself to other sites.
pub async fn protect(State(protection): State<Protection>, mut request: Request, next: Next) -> Response {
    let mut bytes = [0; 16];
    protection.randomness.fill(&mut bytes);
    let nonce: Arc<str> = STANDARD_NO_PAD.encode(bytes).into();
    request.extensions_mut().insert(Nonce(nonce.clone()));
    let mut response = next.run(request).await;
    let policy = response
        .extensions()
        .get::<ContentPolicy>()
        .cloned()
        .unwrap_or_default();
    let opened = response.extensions_mut().remove::<CrossOrigin>();
    let headers = response.headers_mut();
    close_to_others(headers);
    if let Some(opened) = opened {
        opened.open(headers);
    }
    for (name, value) in FIXED {
        headers.insert(name, value);
    }
    if let Ok(policy) = HeaderValue::from_str(&policy.text(&nonce)) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    if protection.https {
        let two_years = HeaderValue::from_static("max-age=63072000; includeSubDomains");
        headers.insert(STRICT_TRANSPORT_SECURITY, two_years);
    }
    // Not `no-referrer` in general: browsers then send `Origin: null` with our own forms.
    headers
        .entry(REFERRER_POLICY)
        .or_insert(HeaderValue::from_static("same-origin"));
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Removes what a library may have added.
fn close_to_others(headers: &mut HeaderMap) {
    headers.remove(SERVER);
    let cors: Vec<_> = headers
        .keys()
        .filter(|name| name.as_str().starts_with("access-control-"))
        .cloned()
        .collect();
    for name in cors {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use axum::{
        Extension, Router, http::StatusCode, middleware::from_fn_with_state, response::IntoResponse,
        routing::get,
    };
    use vestibule_core::ports::SeededRandomness;

    use super::*;
    use crate::http::testing::{ask, text};

    fn router(https: bool) -> Router {
        let protection = Protection {
            https,
            randomness: Arc::new(SeededRandomness::new(1)),
        };
        let loud = [
            ("access-control-allow-origin", "*"),
            ("server", "axum"),
            ("x-other", "stays"),
        ];
        Router::new()
            .route(
                "/nonce",
                get(|Extension(Nonce(nonce)): Extension<Nonce>| async move { nonce.to_string() }),
            )
            .route(
                "/loud",
                get(move || async move { (StatusCode::INTERNAL_SERVER_ERROR, loud) }),
            )
            .route(
                "/kept",
                get(|| async { [("cache-control", "public, max-age=31536000, immutable")] }),
            )
            .route(
                "/mail",
                get(|| async { Extension(ContentPolicy::MailPart).into_response() }),
            )
            .route(
                "/mailbox",
                get(|| async { Extension(ContentPolicy::PageWithFrame) }),
            )
            .layer(from_fn_with_state(protection, protect))
    }

    fn policy(response: &Response) -> String {
        response.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .to_owned()
    }

    #[tokio::test]
    async fn every_answer_is_protected_whatever_its_status() {
        for (path, status) in [("/nonce", 200), ("/loud", 500), ("/nothing", 404)] {
            let response = ask(router(true), "GET", path, &[], "").await;
            assert_eq!(response.status(), status);
            for (name, value) in [
                ("x-content-type-options", "nosniff"),
                ("referrer-policy", "same-origin"),
                ("cross-origin-opener-policy", "same-origin"),
                ("cross-origin-resource-policy", "same-origin"),
                ("strict-transport-security", "max-age=63072000; includeSubDomains"),
                ("cache-control", "no-store"),
            ] {
                assert_eq!(response.headers()[name], value, "{path}");
            }
            assert!(response.headers().contains_key("permissions-policy"));
            assert!(policy(&response).starts_with("default-src 'none'; script-src 'nonce-"));
        }
    }

    #[tokio::test]
    async fn no_answer_names_software_or_opens_itself_to_other_sites() {
        let response = ask(
            router(false),
            "GET",
            "/loud",
            &[("origin", "https://evil.test")],
            "",
        )
        .await;
        assert!(!response.headers().contains_key("server"));
        assert!(!response.headers().contains_key("access-control-allow-origin"));
        assert_eq!(response.headers()["x-other"], "stays");
    }

    #[tokio::test]
    async fn only_what_says_so_is_open_to_other_sites() {
        let opened = |opened: CrossOrigin| get(move || async { Extension(opened) });
        let origin = HeaderValue::from_static("https://app.test");
        let router = Router::new()
            .route("/public", opened(CrossOrigin::anybody()))
            .route("/read", opened(CrossOrigin::reading(origin.clone())))
            .route("/ask", opened(CrossOrigin::asking(origin)))
            .layer(from_fn_with_state(
                Protection {
                    https: true,
                    randomness: Arc::new(SeededRandomness::new(1)),
                },
                protect,
            ));
        for (path, origin, asks) in [
            ("/public", "*", false),
            ("/read", "https://app.test", false),
            ("/ask", "https://app.test", true),
        ] {
            let response = ask(router.clone(), "GET", path, &[], "").await;
            assert_eq!(response.headers()["access-control-allow-origin"], origin);
            assert_eq!(
                response.headers().contains_key("access-control-allow-headers"),
                asks
            );
            assert!(
                !response
                    .headers()
                    .contains_key("access-control-allow-credentials")
            );
        }
    }

    #[test]
    fn a_form_may_lead_to_the_one_site_that_it_is_for() {
        let policy = ContentPolicy::PageWithForm(Arc::from("https://app.test")).text("n");
        assert!(
            policy.contains("form-action 'self' https://app.test;"),
            "{policy}"
        );
    }

    #[tokio::test]
    async fn plain_http_promises_no_https() {
        let response = ask(router(false), "GET", "/nonce", &[], "").await;
        assert!(!response.headers().contains_key("strict-transport-security"));
    }

    #[tokio::test]
    async fn every_answer_has_its_own_nonce_of_128_bits() {
        let router = router(true);
        let mut seen = std::collections::HashSet::new();
        for _ in 0..50 {
            let response = ask(router.clone(), "GET", "/nonce", &[], "").await;
            let policy = policy(&response);
            let nonce = text(response).await;
            assert_eq!(nonce.len(), 22);
            assert!(
                policy.contains(&format!("'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval';")),
                "{policy}"
            );
            assert!(!policy.contains("unsafe-inline") && !policy.contains("frame-src"));
            assert!(seen.insert(nonce));
        }
    }

    #[tokio::test]
    async fn an_answer_may_be_kept_or_have_another_policy() {
        let response = ask(router(true), "GET", "/kept", &[], "").await;
        assert_eq!(
            response.headers()["cache-control"],
            "public, max-age=31536000, immutable"
        );
        let mail = policy(&ask(router(true), "GET", "/mail", &[], "").await);
        assert!(
            mail.contains("sandbox")
                && mail.contains("frame-ancestors 'self'")
                && !mail.contains("script-src")
        );
        let mailbox = policy(&ask(router(true), "GET", "/mailbox", &[], "").await);
        assert!(
            mailbox.contains("frame-src 'self'; frame-ancestors 'none'"),
            "{mailbox}"
        );
    }
}
