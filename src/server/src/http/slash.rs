//! Addresses with a slash too many at their end, as people type them and other programs write them.

use axum::{
    Router,
    body::Body,
    extract::OriginalUri,
    http::{Method, Request, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use tower::ServiceExt as _;
use vestibule_core::{paths::is_local, refusal::Refusal};

use super::denied::Denied;

/// The answer when there is nothing at an address of `routes`; a fallback for them. Whoever only reads, and wrote a slash at
/// the end of an address that there is, is led to it, with the query.
pub async fn not_found(routes: Router, method: Method, OriginalUri(asked): OriginalUri) -> Response {
    let elsewhere = matches!(method, Method::GET | Method::HEAD)
        .then(|| without_slash(asked.path(), asked.query()))
        .flatten();
    match elsewhere {
        Some(address) if leads_somewhere(routes, &address).await => {
            Redirect::permanent(&address).into_response()
        }
        _ => Denied::from(Refusal::NotFound).into_response(),
    }
}

/// Whether there is a route to an address. No route has this method, so nothing is done there: one that exists says so.
async fn leads_somewhere(routes: Router, address: &str) -> bool {
    let Ok(question) = Request::options(address).body(Body::empty()) else {
        return false;
    };
    let Ok(answer) = routes.oneshot(question).await;
    answer.status() == StatusCode::METHOD_NOT_ALLOWED
}

/// `None` when there is no slash to leave out, or what is left could lead to another host: `//evil.test/`.
fn without_slash(path: &str, query: Option<&str>) -> Option<String> {
    let shorter = path.trim_end_matches('/');
    if shorter.len() == path.len() || !is_local(shorter) {
        return None;
    }
    Some(match query {
        Some(query) => format!("{shorter}?{query}"),
        None => shorter.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_at_the_end_is_left_out_and_the_query_stays() {
        for (path, query, address) in [
            ("/login/", None, "/login"),
            (
                "/admin/agents//",
                Some("page=2&q=a/"),
                "/admin/agents?page=2&q=a/",
            ),
            ("/login/", Some(""), "/login?"),
        ] {
            assert_eq!(without_slash(path, query).as_deref(), Some(address));
        }
        assert_eq!(without_slash("/login", None), None);
    }

    #[test]
    fn no_address_without_its_slash_leads_to_another_host() {
        for path in [
            "/",
            "//",
            "///",
            "//evil.test/",
            "///evil.test/",
            "/\\evil.test/",
            "/%2Fevil.test/",
            "/%5cevil.test/",
            "/@evil.test/",
            "/%09/evil.test/",
            "https://evil.test/",
            "evil.test/",
        ] {
            assert_eq!(without_slash(path, None), None, "{path}");
        }
    }
}
