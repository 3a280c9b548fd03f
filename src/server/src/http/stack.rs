//! All layers around all routes, in their order.

use std::sync::Arc;

use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
};
use url::Url;
use vestibule_core::ports::Randomness;

use crate::http::{
    client_address::{self, TrustedProxies},
    cookies::{self, Cookies},
    denied::{self, DeniedPage},
    form_guard::{self, FormRules},
    headers::{self, Protection},
    origin::{self, PublicOrigin, Report},
    request_id, slash,
};

/// What the layers need to know.
#[derive(Clone)]
pub struct Stack {
    /// Address that people type into their browsers.
    pub public_url: Url,
    /// Proxies whose word about the visitor's address counts.
    pub proxies: TrustedProxies,
    /// Source of nonces and request numbers.
    pub randomness: Arc<dyn Randomness>,
    /// The names each form may have.
    pub forms: FormRules,
    /// Where other sites and programs may post to.
    pub open: Arc<[&'static str]>,
    /// Makes the page of a refusal.
    pub page: DeniedPage,
    /// Is told of refused requests from other sites.
    pub cross_site: Report,
}

impl Stack {
    /// Puts the layers around the routes. What has no route, and methods a route does not know, become refusals too.
    pub fn around(self, routes: Router) -> Router {
        let https = self.public_url.scheme() == "https";
        let public = PublicOrigin::new(&self.public_url, self.cross_site).open_at(self.open);
        let protection = Protection {
            https,
            randomness: self.randomness.clone(),
        };
        let known = routes.clone();
        // The last layer is the outermost.
        routes
            .fallback(move |method, asked| slash::not_found(known.clone(), method, asked))
            .method_not_allowed_fallback(denied::method_not_allowed)
            .layer(from_fn_with_state(self.forms, form_guard::check))
            .layer(from_fn_with_state(Cookies::new(https), cookies::clean))
            .layer(from_fn_with_state(public, origin::guard))
            .layer(from_fn_with_state(self.proxies, client_address::find))
            .layer(from_fn(request_id::catch_panic))
            .layer(from_fn_with_state(self.page, denied::show))
            .layer(from_fn_with_state(protection, headers::protect))
            .layer(from_fn_with_state(self.randomness, request_id::identify))
    }
}

#[cfg(test)]
mod tests {
    use axum::{
        Extension,
        response::{Html, IntoResponse},
        routing::{get, post},
    };
    use futures::FutureExt;
    use vestibule_core::ports::SeededRandomness;

    use super::*;
    use crate::{
        form::FormFields,
        http::{
            client_address::ClientAddress,
            headers::Nonce,
            request_id::RequestId,
            testing::{ask, text},
        },
    };

    type Facts = (Extension<RequestId>, Extension<Nonce>, Extension<ClientAddress>);

    async fn broken(_: Facts) -> &'static str {
        panic!("panicked")
    }

    fn site() -> Router {
        let routes = Router::new()
            .route(
                "/login",
                get(|_: Facts| async { "page" }).post(|_: Facts, _: Extension<FormFields>| async { "in" }),
            )
            .route("/broken", post(broken).get(broken));
        let stack = Stack {
            public_url: "https://login.acme.test".parse().unwrap(),
            proxies: TrustedProxies::default(),
            randomness: Arc::new(SeededRandomness::new(1)),
            forms: [("/login", vec!["company"])].into_iter().collect(),
            open: Arc::new([]),
            page: Arc::new(|asked, denied| {
                let nonce = asked.extensions.get::<Nonce>().unwrap().0.clone();
                async move { Html(format!("{nonce} {:?}", denied.refusal)).into_response() }.boxed()
            }),
            cross_site: Arc::new(|_| {}),
        };
        stack.around(routes)
    }

    const HOST: &str = "login.acme.test";
    const FORM: &str = "application/x-www-form-urlencoded";

    /// Asks for something as a program or as a browser, and checks what every answer has to carry.
    async fn check(accept: &str, asked: [&str; 5], body: String, status: u16) {
        let [method, path, host, site_header, kind] = asked;
        let headers = [
            ("host", host),
            ("sec-fetch-site", site_header),
            ("content-type", kind),
            ("accept", accept),
            ("cookie", "__Host-session=rubbish"),
        ];
        let response = ask(site(), method, path, &headers, body).await;
        assert_eq!(response.status(), status, "{asked:?}");
        let sent = response.headers();
        for name in [
            "x-request-id",
            "strict-transport-security",
            "content-security-policy",
        ] {
            assert!(sent.contains_key(name), "{asked:?} {name}");
        }
        assert_eq!(sent["cache-control"], "no-store");
        let policy = sent["content-security-policy"].to_str().unwrap().to_owned();
        let is_wanted = sent["content-type"].to_str().unwrap().starts_with(accept);
        let body = text(response).await;
        if status >= 400 {
            assert!(is_wanted, "{asked:?}");
            assert!(!body.contains("panicked"), "{body}");
        }
        if status >= 400 && accept == "text/html" {
            let nonce = body.split(' ').next().unwrap();
            assert!(
                policy.contains(nonce),
                "the page has the nonce of its own answer: {body}"
            );
        }
    }

    #[tokio::test]
    async fn every_answer_is_numbered_protected_and_a_page_for_those_who_want_one() {
        let large = "a".repeat(70_000);
        for (asked, body, status) in [
            (["GET", "/login", HOST, "none", FORM], "", 200),
            (["POST", "/login", HOST, "same-origin", FORM], "company=A", 200),
            (["GET", "/login", "evil.test", "none", FORM], "", 421),
            (["POST", "/login", HOST, "cross-site", FORM], "company=A", 403),
            (
                ["POST", "/login", HOST, "same-origin", "text/plain"],
                "company=A",
                415,
            ),
            (["POST", "/login", HOST, "same-origin", FORM], "role=admin", 400),
            (["POST", "/login", HOST, "same-origin", FORM], &large, 413),
            (["POST", "/nothing", HOST, "same-origin", FORM], "", 404),
            (["DELETE", "/login", HOST, "same-origin", FORM], "", 405),
            (["GET", "/broken", HOST, "none", FORM], "", 500),
        ] {
            for accept in ["text/html", "application/json"] {
                check(accept, asked, body.to_owned(), status).await;
            }
        }
    }
}
