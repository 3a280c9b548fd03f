//! A refusal on its way out.
//!
//! Layers know nothing of pages: they answer a [`Denied`], which is JSON for programs, and [`show`] turns it into a
//! page for browsers.

use std::{
    future::{Ready, ready},
    panic::AssertUnwindSafe,
    sync::Arc,
};

use axum::{
    Json,
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{ACCEPT, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER},
        request::Parts,
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::{FutureExt, future::BoxFuture};
use vestibule_core::refusal::Refusal;

/// A refusal with its status. As a response it is JSON, and it stays in the response's extensions so that layers
/// further out can see what happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// HTTP status.
    pub status: StatusCode,
    /// What the visitor is told.
    pub refusal: Refusal,
}

impl Denied {
    /// A refusal under another status than its own, where HTTP has a more exact one.
    pub fn with_status(status: StatusCode, refusal: Refusal) -> Self {
        Self { status, refusal }
    }
}

impl From<Refusal> for Denied {
    fn from(refusal: Refusal) -> Self {
        let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, refusal }
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(&self.refusal)).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.refusal.retry_after() {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if matches!(
            self.status,
            StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT
        ) {
            // The rest of the body is still coming and nobody will read it.
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// The answer when an address knows other methods only; the router adds which (security.md 4.1.4).
pub fn method_not_allowed() -> Ready<Denied> {
    ready(Denied::with_status(
        StatusCode::METHOD_NOT_ALLOWED,
        Refusal::NotFound,
    ))
}

/// Makes the page of a refusal from what was asked. Its status does not matter: the refusal's is used.
pub type DeniedPage = Arc<dyn Fn(Parts, Denied) -> BoxFuture<'static, Response> + Send + Sync>;

/// Whether whoever asked would rather see a page than JSON.
pub fn wants_page(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT)
        .iter()
        .any(|value| value.to_str().is_ok_and(|value| value.contains("text/html")))
}

/// The layer that shows refusals as pages to those who asked for `text/html`.
///
/// All headers of the refusal stay (`Allow`, `Retry-After`, cookies), only its body is replaced. When making the page
/// panics, the refusal goes out as it is.
pub async fn show(State(page): State<DeniedPage>, request: Request, next: Next) -> Response {
    if !wants_page(request.headers()) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let asked = parts.clone();
    let response = next.run(Request::from_parts(parts, body)).await;
    let Some(denied) = response.extensions().get::<Denied>().cloned() else {
        return response;
    };
    let made = AssertUnwindSafe(async { page(asked, denied.clone()).await })
        .catch_unwind()
        .await;
    let Ok(mut shown) = made else {
        tracing::error!(
            status = denied.status.as_u16(),
            "the page of a refusal could not be made"
        );
        return response;
    };
    *shown.status_mut() = denied.status;
    for (name, value) in response.headers() {
        if *name != CONTENT_TYPE && *name != CONTENT_LENGTH {
            shown.headers_mut().append(name, value.clone());
        }
    }
    shown.extensions_mut().insert(denied);
    shown
}

#[cfg(test)]
mod tests {
    use axum::{Router, middleware::from_fn_with_state, response::Html, routing::get};

    use super::*;
    use crate::http::{
        slash,
        testing::{ask, text},
    };

    fn router() -> Router {
        let page: DeniedPage = Arc::new(|asked, denied| {
            async move {
                assert_ne!(asked.uri.path(), "/broken", "this page cannot be made");
                Html(format!("<p>{:?}</p>", denied.refusal)).into_response()
            }
            .boxed()
        });
        let busy = || async {
            (
                [("set-cookie", "a=b")],
                Denied::from(Refusal::Busy { retry_after: 2 }),
            )
        };
        Router::new()
            .route("/fine", get(|| async { "fine" }))
            .route("/busy", get(busy))
            .route("/broken", get(busy))
            .fallback(|method, asked| slash::not_found(Router::new(), method, asked))
            .method_not_allowed_fallback(method_not_allowed)
            .layer(from_fn_with_state(page, show))
    }

    #[tokio::test]
    async fn programs_get_json_and_browsers_a_page_with_the_same_status_and_headers() {
        for (accept, kind, body) in [
            (
                "application/json",
                "application/json",
                r#"{"code":"busy","retry_after":2}"#,
            ),
            (
                "text/html,*/*;q=0.8",
                "text/html; charset=utf-8",
                "<p>Busy { retry_after: 2 }</p>",
            ),
        ] {
            let response = ask(router(), "GET", "/busy", &[("accept", accept)], "").await;
            assert_eq!(response.status(), 503);
            assert_eq!(response.headers()["content-type"], kind);
            assert_eq!(response.headers()["retry-after"], "2");
            assert_eq!(response.headers()["set-cookie"], "a=b");
            assert_eq!(response.headers().get_all("content-type").iter().count(), 1);
            assert!(response.extensions().get::<Denied>().is_some());
            assert_eq!(text(response).await, body);
        }
        let fine = ask(router(), "GET", "/fine", &[("accept", "text/html")], "").await;
        assert_eq!(text(fine).await, "fine");
    }

    #[tokio::test]
    async fn a_page_that_cannot_be_made_does_not_hide_the_refusal() {
        let response = ask(router(), "GET", "/broken", &[("accept", "text/html")], "").await;
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["content-type"], "application/json");
    }

    #[tokio::test]
    async fn unknown_addresses_and_methods_are_refusals_too() {
        let response = ask(router(), "GET", "/.git", &[], "").await;
        assert_eq!(
            (response.status(), text(response).await.as_str()),
            (StatusCode::NOT_FOUND, r#"{"code":"not_found"}"#)
        );
        let response = ask(router(), "POST", "/fine", &[], "").await;
        assert_eq!(response.status(), 405);
        assert_eq!(response.headers()["allow"], "GET,HEAD");
    }
}
