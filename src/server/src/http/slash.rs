//! Addresses with a slash too many at their end, as people type them and other programs write them.

use axum::{
    extract::OriginalUri,
    http::Method,
    response::{IntoResponse, Redirect, Response},
};
use vestibule_core::{paths::is_local, refusal::Refusal};

use super::denied::Denied;

/// The answer when there is nothing at an address; a fallback for the router. Whoever only reads, and wrote a slash at the
/// end, is led to the address without it, with its query.
pub async fn not_found(method: Method, OriginalUri(asked): OriginalUri) -> Response {
    let elsewhere = matches!(method, Method::GET | Method::HEAD)
        .then(|| without_slash(asked.path(), asked.query()))
        .flatten();
    match elsewhere {
        Some(address) => Redirect::permanent(&address).into_response(),
        None => Denied::from(Refusal::NotFound).into_response(),
    }
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
