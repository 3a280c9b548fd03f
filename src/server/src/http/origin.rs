//! Only our own pages may ask for changes, and only under our own name (security.md 3.5.1, 4.1.4; attacks.md T086-T091,
//! T162, T165).
//!
//! A request that is not GET or HEAD must prove where it comes from: `Sec-Fetch-Site` says `same-origin`, and `Origin`
//! is the public address; browsers send at least one of them and each that is there must be right. A request with
//! neither is refused, so a program (curl, a test) has to send `Origin: <public URL>`.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode, Uri,
        header::{ALLOW, HOST, ORIGIN},
        request::Parts,
        uri::Authority,
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use url::Url;
use vestibule_core::{paths::BEHIND, refusal::Refusal};

use crate::http::{denied::Denied, health, said::Said};

/// Most foreign hosts that the log names.
const HOSTS_TOLD: usize = 32;
/// Longest host that it names, in characters.
const HOST_SHOWN: usize = 100;

/// Names of this machine; a public URL with one of them answers to all three.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// One name the site is reached under.
#[derive(Debug, PartialEq, Eq)]
struct Site {
    /// Host in lower case, IPv6 in brackets.
    host: String,
    /// The origin as browsers write it.
    origin: String,
}

/// Is told of every request from another site that is refused, for the audit log. It must not block.
pub type Report = Arc<dyn Fn(&Parts) + Send + Sync>;

/// The names the site is reached under, from the public URL.
#[derive(Clone)]
pub struct PublicOrigin {
    sites: Arc<[Site]>,
    port: u16,
    default_port: u16,
    report: Report,
    public_url: String,
    open: Arc<[&'static str]>,
    told: Arc<Said>,
}

impl PublicOrigin {
    /// Takes the public URL. One without a host answers to no name at all.
    pub fn new(public_url: &Url, report: Report) -> Self {
        let own = public_url.host_str().unwrap_or_default();
        let names = if LOOPBACK.contains(&own) {
            LOOPBACK.to_vec()
        } else {
            vec![own]
        };
        let sites = names
            .into_iter()
            .filter(|name| !name.is_empty())
            .map(|name| {
                let port = public_url
                    .port()
                    .map(|port| format!(":{port}"))
                    .unwrap_or_default();
                Site {
                    host: name.to_owned(),
                    origin: format!("{}://{name}{port}", public_url.scheme()),
                }
            })
            .collect();
        let default_port = if public_url.scheme() == "https" { 443 } else { 80 };
        Self {
            sites,
            port: public_url.port().unwrap_or(default_port),
            default_port,
            report,
            public_url: public_url.origin().ascii_serialization(),
            open: Arc::new([]),
            told: Arc::new(Said::new(HOSTS_TOLD)),
        }
    }

    /// Lets other sites and programs post to these addresses, and ask whether they may: endpoints of a protocol, which
    /// take nobody's cookies for a word.
    #[must_use]
    pub fn open_at(mut self, paths: Arc<[&'static str]>) -> Self {
        self.open = paths;
        self
    }

    /// What the log has to say, once for each host, about a request for a foreign one. Mostly it is a proxy that does not
    /// pass the name on that people typed.
    fn news(&self, request: &Request) -> Option<String> {
        let host: String = match only(request.headers(), HOST.as_str()) {
            Some(host) => String::from_utf8_lossy(host.as_bytes())
                .chars()
                .take(HOST_SHOWN)
                .collect(),
            None => String::new(),
        };
        if !self.told.is_new(&host) {
            return None;
        }
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let near = peer.is_some_and(|ConnectInfo(peer)| is_near(peer.ip()));
        let advice = if near {
            ": if it came through a proxy of yours, let it pass the header Host on (nginx: proxy_set_header Host $host)"
        } else {
            ""
        };
        Some(format!(
            "host {host:?} is not public_url {}{advice}",
            self.public_url
        ))
    }

    /// The site that this request is for; `None` for a foreign, doubled, missing or unreadable host.
    fn site(&self, uri: &Uri, headers: &HeaderMap) -> Option<&Site> {
        let named = self.named(&only(headers, HOST.as_str())?.to_str().ok()?.parse().ok()?)?;
        match uri.authority() {
            Some(target) if self.named(target)? != named => None,
            _ => Some(named),
        }
    }

    fn named(&self, authority: &Authority) -> Option<&Site> {
        let rest = authority.as_str().strip_prefix(authority.host())?;
        let port = match rest.strip_prefix(':') {
            Some(digits) => digits.parse().ok()?,
            None if rest.is_empty() => self.default_port,
            None => return None,
        };
        self.sites
            .iter()
            .find(|site| port == self.port && site.host.eq_ignore_ascii_case(authority.host()))
    }
}

/// The one value of a header; `None` when it is missing or doubled.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

/// Whether a peer is on this machine or in a private network, as proxies are.
fn is_near(peer: IpAddr) -> bool {
    match peer.to_canonical() {
        IpAddr::V4(peer) => peer.is_loopback() || peer.is_private() || peer.is_link_local(),
        IpAddr::V6(peer) => peer.is_loopback() || peer.is_unique_local() || peer.is_unicast_link_local(),
    }
}

/// Whether a request for `site` comes from one of our own pages.
fn is_ours(site: &Site, headers: &HeaderMap) -> bool {
    let right = |name: &str, wanted: &str| {
        headers
            .contains_key(name)
            .then(|| only(headers, name).is_some_and(|value| value.as_bytes() == wanted.as_bytes()))
    };
    match (
        right("sec-fetch-site", "same-origin"),
        right(ORIGIN.as_str(), &site.origin),
    ) {
        (None, None) => false,
        (fetched, sent) => fetched != Some(false) && sent != Some(false),
    }
}

/// The layer that refuses foreign hosts (421), foreign sites (403) and methods other than GET, HEAD and POST (405).
///
/// Health checks come from machines that know no name, so `/healthz` and `/readyz` answer under every host. What begins
/// with [`BEHIND`] is asked for on the hosts of applications, and asks itself whether the host is right.
pub async fn guard(State(public): State<PublicOrigin>, request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let is_open = public.open.contains(&request.uri().path());
    let asks = is_open && request.method() == Method::OPTIONS;
    if !reads && !asks && request.method() != Method::POST {
        let denied = Denied::with_status(StatusCode::METHOD_NOT_ALLOWED, Refusal::NotFound);
        return ([(ALLOW, "GET, HEAD, POST")], denied).into_response();
    }
    let path = request.uri().path();
    if reads && ([health::ALIVE, health::READY].contains(&path) || path.starts_with(BEHIND)) {
        return next.run(request).await;
    }
    let Some(site) = public.site(request.uri(), request.headers()) else {
        if let Some(news) = public.news(&request) {
            tracing::warn!("{news}");
        }
        return Denied::from(Refusal::WrongAddress).into_response();
    };
    if !reads && !is_open && !is_ours(site, request.headers()) {
        // What tells of it in the log is the line of the audit log, one a minute; and every request has a line of its own.
        tracing::debug!("a request from another site was refused");
        (public.report)(&request.into_parts().0);
        return Denied::from(Refusal::CrossSite).into_response();
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use axum::{Router, middleware::from_fn_with_state, routing::any};

    use super::*;
    use crate::http::testing::ask;

    fn router(public_url: &str) -> Router {
        reporting(public_url, Arc::new(|_| {}))
    }

    fn reporting(public_url: &str, report: Report) -> Router {
        let public = PublicOrigin::new(&public_url.parse().unwrap(), report);
        Router::new()
            .fallback(any(|| async { "reached" }))
            .layer(from_fn_with_state(public, guard))
    }

    const URL: &str = "https://login.acme.test";

    async fn post(headers: &[(&str, &str)]) -> u16 {
        let mut all = vec![("host", "login.acme.test")];
        all.extend(headers);
        ask(router(URL), "POST", "/login", &all, "")
            .await
            .status()
            .as_u16()
    }

    #[tokio::test]
    async fn only_our_own_pages_may_post() {
        for ours in [
            &[("sec-fetch-site", "same-origin")][..],
            &[("origin", URL)],
            &[("sec-fetch-site", "same-origin"), ("origin", URL)],
        ] {
            assert_eq!(post(ours).await, 200, "{ours:?}");
        }
        for foreign in [
            &[][..],
            &[("cookie", "session=x")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "none")],
            &[("sec-fetch-site", "")],
            &[
                ("sec-fetch-site", "same-origin"),
                ("sec-fetch-site", "same-origin"),
            ],
            &[("sec-fetch-site", "same-origin"), ("origin", "https://evil.test")],
            &[("sec-fetch-site", "cross-site"), ("origin", URL)],
            &[("origin", "null")],
            &[("origin", "")],
            &[("origin", "https://evil.test")],
            &[("origin", "http://login.acme.test")],
            &[("origin", "https://login.acme.test:8443")],
            &[("origin", "https://login.acme.test.evil.test")],
            &[("origin", "https://evil.login.acme.test")],
            &[("origin", URL), ("origin", URL)],
            &[("referer", "https://login.acme.test/login")],
        ] {
            assert_eq!(post(foreign).await, 403, "{foreign:?}");
        }
    }

    #[tokio::test]
    async fn what_is_refused_is_reported() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let list = seen.clone();
        let report: Report = Arc::new(move |asked| list.lock().unwrap().push(asked.uri.path().to_owned()));
        let router = reporting(URL, report);
        for (path, site) in [("/login", "same-origin"), ("/logout", "cross-site")] {
            ask(
                router.clone(),
                "POST",
                path,
                &[("host", "login.acme.test"), ("sec-fetch-site", site)],
                "",
            )
            .await;
        }
        assert_eq!(*seen.lock().unwrap(), ["/logout"]);
    }

    #[tokio::test]
    async fn endpoints_of_a_protocol_are_open_and_nothing_else_is() {
        let public =
            PublicOrigin::new(&URL.parse().unwrap(), Arc::new(|_| {})).open_at(Arc::new(["/oauth/token"]));
        let router = Router::new()
            .fallback(any(|| async { "reached" }))
            .layer(from_fn_with_state(public, guard));
        let headers = [("host", "login.acme.test"), ("origin", "https://app.test")];
        for (method, path, status) in [
            ("POST", "/oauth/token", 200),
            ("OPTIONS", "/oauth/token", 200),
            ("PUT", "/oauth/token", 405),
            ("POST", "/oauth/token/", 403),
            ("POST", "/login", 403),
            ("OPTIONS", "/login", 405),
        ] {
            let answer = ask(router.clone(), method, path, &headers, "").await;
            assert_eq!(answer.status(), status, "{method} {path}");
        }
        let foreign = [("host", "evil.test")];
        assert_eq!(
            ask(router, "POST", "/oauth/token", &foreign, "").await.status(),
            421
        );
    }

    #[tokio::test]
    async fn reading_needs_no_proof() {
        for method in ["GET", "HEAD"] {
            let headers = [
                ("host", "login.acme.test"),
                ("sec-fetch-site", "cross-site"),
                ("origin", "https://evil.test"),
            ];
            assert_eq!(
                ask(router(URL), method, "/login", &headers, "").await.status(),
                200
            );
        }
    }

    #[tokio::test]
    async fn other_methods_do_not_exist() {
        for method in [
            "OPTIONS", "TRACE", "PUT", "DELETE", "PATCH", "CONNECT", "PROPFIND", "get",
        ] {
            let headers = [("host", "login.acme.test"), ("origin", URL)];
            let response = ask(router(URL), method, "/login", &headers, "").await;
            assert_eq!(response.status(), 405, "{method}");
            assert_eq!(response.headers()["allow"], "GET, HEAD, POST");
        }
    }

    #[tokio::test]
    async fn a_foreign_host_is_misdirected_whatever_is_asked() {
        for (url, host, right) in [
            (URL, "login.acme.test", true),
            (URL, "LOGIN.acme.TEST:443", true),
            (URL, "login.acme.test:80", false),
            (URL, "login.acme.test.", false),
            (URL, "acme.test", false),
            (URL, "localhost", false),
            (URL, "me@login.acme.test", false),
            (URL, "login.acme.test:", false),
            (URL, "login.acme.test:443:443", false),
            (URL, "login.acme.test, evil.test", false),
            (URL, "", false),
            ("https://login.acme.test:8443", "login.acme.test:8443", true),
            ("https://login.acme.test:8443", "login.acme.test", false),
            ("http://127.0.0.1:3000", "127.0.0.1:3000", true),
            ("http://127.0.0.1:3000", "localhost:3000", true),
            ("http://127.0.0.1:3000", "[::1]:3000", true),
            ("http://127.0.0.1:3000", "localhost", false),
            ("http://127.0.0.1:3000", "evil.test:3000", false),
            ("http://localhost", "localhost", true),
            ("http://localhost", "127.0.0.1:80", true),
        ] {
            for (method, path) in [
                ("GET", "/"),
                ("GET", "/assets/x"),
                ("POST", "/login"),
                ("POST", "/healthz"),
            ] {
                let headers = [("host", host), ("sec-fetch-site", "same-origin")];
                let status = ask(router(url), method, path, &headers, "").await.status();
                assert_eq!(
                    status,
                    if right { 200 } else { 421 },
                    "{url} {host:?} {method} {path}"
                );
            }
        }
        let doubled = [("host", "login.acme.test"), ("host", "login.acme.test")];
        assert_eq!(ask(router(URL), "GET", "/", &doubled, "").await.status(), 421);
        assert_eq!(ask(router(URL), "GET", "/", &[], "").await.status(), 421);
    }

    #[test]
    fn the_log_says_once_for_each_foreign_host_what_is_wrong() {
        let public = PublicOrigin::new(&URL.parse().unwrap(), Arc::new(|_| {}));
        let news = |host: &str, peer: &str| {
            let mut request = Request::new(axum::body::Body::empty());
            request.headers_mut().insert(HOST, host.parse().unwrap());
            let peer: SocketAddr = peer.parse().unwrap();
            request.extensions_mut().insert(ConnectInfo(peer));
            public.news(&request)
        };
        let near = news("127.0.0.1:3300", "10.0.0.7:40000").unwrap();
        assert!(
            near.starts_with(r#"host "127.0.0.1:3300" is not public_url https://login.acme.test: "#)
                && near.ends_with("proxy_set_header Host $host)"),
            "{near}"
        );
        assert_eq!(news("127.0.0.1:3300", "10.0.0.7:40001"), None, "it was said");
        let far = news("evil.test", "203.0.113.7:40000").unwrap();
        assert_eq!(
            far,
            r#"host "evil.test" is not public_url https://login.acme.test"#
        );
        let more = (0..100).filter_map(|number| news(&format!("{number}.evil.test"), "203.0.113.7:1"));
        assert_eq!(more.count(), HOSTS_TOLD - 2, "strangers do not fill the log");
    }

    #[tokio::test]
    async fn a_foreign_host_gets_a_sentence_that_is_true() {
        let response = ask(router(URL), "GET", "/login", &[("host", "evil.test")], "").await;
        let denied = response.extensions().get::<Denied>().cloned().unwrap();
        assert_eq!(denied.status, StatusCode::MISDIRECTED_REQUEST);
        assert_eq!(denied.refusal, Refusal::WrongAddress);
    }

    #[tokio::test]
    async fn an_absolute_target_must_name_the_same_host() {
        let host = [("host", "login.acme.test")];
        assert_eq!(
            ask(router(URL), "GET", "https://login.acme.test/login", &host, "")
                .await
                .status(),
            200
        );
        assert_eq!(
            ask(router(URL), "GET", "http://evil.test/login", &host, "")
                .await
                .status(),
            421
        );
    }

    #[tokio::test]
    async fn on_loopback_the_origin_must_match_the_name_that_was_used() {
        let router = router("http://127.0.0.1:3000");
        let post = async |host, origin| {
            ask(
                router.clone(),
                "POST",
                "/login",
                &[("host", host), ("origin", origin)],
                "",
            )
            .await
            .status()
        };
        assert_eq!(post("localhost:3000", "http://localhost:3000").await, 200);
        assert_eq!(post("[::1]:3000", "http://[::1]:3000").await, 200);
        assert_eq!(post("127.0.0.1:3000", "http://localhost:3000").await, 403);
        assert_eq!(post("127.0.0.1:3000", "http://127.0.0.1:4000").await, 403);
    }

    #[tokio::test]
    async fn health_checks_know_no_name() {
        for path in ["/healthz", "/readyz"] {
            assert_eq!(
                ask(router(URL), "GET", path, &[("host", "10.0.0.1:3000")], "")
                    .await
                    .status(),
                200
            );
            assert_eq!(ask(router(URL), "GET", path, &[], "").await.status(), 200);
        }
    }
}
