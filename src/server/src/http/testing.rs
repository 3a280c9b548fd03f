//! Short ways to ask a router something, for the tests of this folder.

use axum::{
    Router,
    body::{Body, to_bytes},
    http::Request,
    response::Response,
};
use tower::ServiceExt;

/// Sends one request through the router.
pub async fn ask(
    router: Router,
    method: &str,
    uri: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Response {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    router.oneshot(request.body(body.into()).unwrap()).await.unwrap()
}

/// The whole body as text.
pub async fn text(response: Response) -> String {
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}
