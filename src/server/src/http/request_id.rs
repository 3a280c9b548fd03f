//! The number of a request, which ties an error page to the log, and what the log says of a request
//! (security.md 16; attacks.md T092, T138).

use std::{any::Any, borrow::Cow, fmt::Write, panic::AssertUnwindSafe, sync::Arc, time::Instant};

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use tracing::{Instrument, field::Empty};
use vestibule_core::{paths, ports::Randomness, refusal::Refusal};

use crate::http::{assets, denied::Denied, health, metrics};

/// Longest path in a log line, in bytes.
const LOGGED_PATH_MAX: usize = 200;
const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// 128 random bits that name a request; an extension of the request. Never taken from the visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(pub [u8; 16]);

impl RequestId {
    /// Draws a new one.
    pub fn new(randomness: &dyn Randomness) -> Self {
        let mut bytes = [0; 16];
        randomness.fill(&mut bytes);
        Self(bytes)
    }
}

impl std::fmt::Display for RequestId {
    /// 32 characters of `0`-`9` and `a`-`f`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// What an error page shows so that an operator finds the request in the log: eight characters of `A`-`Z` and `0`-`9`.
pub fn reference(id: &RequestId) -> String {
    const DIGITS: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let mut number = u128::from_be_bytes(id.0);
    let mut text = String::with_capacity(8);
    for _ in 0..8 {
        let digit = usize::try_from(number % 36).unwrap_or_default();
        text.push(char::from(DIGITS[digit]));
        number /= 36;
    }
    text
}

/// The layer that names the request, wraps it in a span of the log, says in the log how it ended, and sends the name
/// back as `x-request-id`.
pub async fn identify(
    State(randomness): State<Arc<dyn Randomness>>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = RequestId::new(randomness.as_ref());
    request.extensions_mut().insert(id);
    let span = tracing::info_span!(
        "request",
        %id,
        method = request.method().as_str(),
        path = logged(request.uri().path()).as_ref(),
        status = Empty,
        milliseconds = Empty,
    );
    let (method, route) = (request.method().clone(), request.extensions().get().cloned());
    let is_routine = is_routine(request.uri().path());
    let start = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let took = start.elapsed();
    metrics::answered(route.as_ref(), &method, response.status(), took);
    span.record("status", response.status().as_u16());
    span.record(
        "milliseconds",
        u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
    );
    span.in_scope(|| {
        if is_routine && response.status().is_success() {
            tracing::debug!("answered");
        } else {
            tracing::info!("answered");
        }
    });
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}

/// Whether a path is asked for so often, and says so little, that only what goes wrong there is worth a line.
fn is_routine(path: &str) -> bool {
    [health::ALIVE, health::READY].contains(&path) || path.starts_with(assets::PREFIX)
}

/// The path as it may be logged: the token of a mail's link is withheld, the rest cut.
fn logged(path: &str) -> Cow<'_, str> {
    [
        paths::ACTIVATE_LINK,
        paths::RESET_LINK,
        paths::CONFIRM_EMAIL_LINK,
        paths::STOP_EMAIL_LINK,
    ]
    .into_iter()
    .find(|link| path.starts_with(link))
    .map_or_else(|| shortened(path).into(), |link| format!("{link}…").into())
}

/// The path, cut to [`LOGGED_PATH_MAX`]. The query is never logged: it may hold a secret.
fn shortened(path: &str) -> &str {
    path.get(..LOGGED_PATH_MAX).unwrap_or(path)
}

/// The layer that turns a panic into [`Refusal::Internal`] and logs it under its reference.
pub async fn catch_panic(request: Request, next: Next) -> Response {
    let reference = request
        .extensions()
        .get::<RequestId>()
        .map(reference)
        .unwrap_or_default();
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(panic) => {
            tracing::error!(
                reference,
                panic = constant_message(panic.as_ref()),
                "a request panicked"
            );
            Denied::from(Refusal::Internal { reference }).into_response()
        }
    }
}

/// The message of a panic when it is a constant of the program. A composed one may quote what a visitor sent.
fn constant_message(panic: &dyn Any) -> &'static str {
    panic
        .downcast_ref::<&'static str>()
        .copied()
        .unwrap_or("(composed message withheld)")
}

/// Sends panics to the log, with their place in the source and without composed messages, in place of the text on
/// standard error. Call it once at start.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|info| {
        let mut place = String::new();
        if let Some(location) = info.location() {
            // Writing to a string does not fail.
            let _ = write!(place, "{}:{}", location.file(), location.line());
        }
        tracing::error!(place, panic = constant_message(info.payload()), "panic");
    }));
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use axum::{
        Extension, Router,
        middleware::{from_fn, from_fn_with_state},
        routing::get,
    };
    use vestibule_core::ports::SeededRandomness;

    use super::*;
    use crate::http::testing::{ask, text};

    fn router() -> Router {
        let randomness: Arc<dyn Randomness> = Arc::new(SeededRandomness::new(1));
        Router::new()
            .route(
                "/id",
                get(|Extension(id): Extension<RequestId>| async move { id.to_string() }),
            )
            .route("/constant", get(constant))
            .route("/composed", get(composed))
            .layer(from_fn(catch_panic))
            .layer(from_fn_with_state(randomness, identify))
    }

    #[test]
    fn tokens_of_links_are_not_logged() {
        for link in [
            "/activate/",
            "/reset-password/",
            "/confirm-email/",
            "/stop-email-change/",
        ] {
            assert_eq!(logged(&format!("{link}secret")), format!("{link}…"));
        }
        assert_eq!(logged("/login"), "/login");
    }

    #[tokio::test]
    async fn the_number_is_ours_and_new_every_time() {
        let router = router();
        let mut seen = std::collections::HashSet::new();
        for _ in 0..20 {
            let response = ask(router.clone(), "GET", "/id", &[("x-request-id", "theirs")], "").await;
            let sent = response.headers()["x-request-id"].to_str().unwrap().to_owned();
            assert_eq!(sent, text(response).await);
            assert!(sent.len() == 32 && sent.bytes().all(|byte| byte.is_ascii_hexdigit()));
            assert!(seen.insert(sent));
        }
    }

    #[test]
    fn a_reference_is_eight_capitals_and_digits() {
        let randomness = SeededRandomness::new(3);
        let mut seen = std::collections::HashSet::new();
        for _ in 0..1000 {
            let reference = reference(&RequestId::new(&randomness));
            assert!(
                reference.len() == 8
                    && reference
                        .bytes()
                        .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
            );
            assert!(seen.insert(reference));
        }
        assert_eq!(reference(&RequestId([0; 16])), "AAAAAAAA");
    }

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Log {
        fn start(&self) -> tracing::subscriber::DefaultGuard {
            let log = self.clone();
            let subscriber = tracing_subscriber::fmt()
                .with_ansi(false)
                .with_writer(move || log.clone())
                .finish();
            tracing::subscriber::set_default(subscriber)
        }

        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    async fn constant() -> &'static str {
        panic!("a constant")
    }

    async fn composed() -> &'static str {
        panic!("composed of {}", String::from("hunter2"))
    }

    #[tokio::test]
    async fn a_panic_is_a_refusal_with_a_reference_and_the_log_has_no_secret() {
        let log = Log::default();
        let _guard = log.start();
        for path in ["/constant", "/composed"] {
            let response = ask(router(), "GET", path, &[], "").await;
            assert_eq!(response.status(), 500);
            let Some(Denied {
                refusal: Refusal::Internal { reference },
                ..
            }) = response.extensions().get::<Denied>()
            else {
                panic!("not a refusal")
            };
            assert_eq!(reference.len(), 8);
            assert!(log.text().contains(reference.as_str()), "{}", log.text());
            assert!(!text(response).await.contains("hunter2"));
        }
        assert!(log.text().contains("a constant") && !log.text().contains("hunter2"));
    }

    #[tokio::test]
    async fn the_log_says_how_a_request_ended_and_not_what_was_in_the_query() {
        let log = Log::default();
        let _guard = log.start();
        let endless = "a".repeat(1000);
        let response = ask(router(), "GET", &format!("/{endless}?token=hunter2"), &[], "").await;
        assert_eq!(response.status(), 404);
        let text = log.text();
        assert!(
            text.contains("method=\"GET\"") && text.contains("status=404") && text.contains("milliseconds="),
            "{text}"
        );
        assert!(!text.contains("hunter2") && !text.contains(&endless));
    }
}
