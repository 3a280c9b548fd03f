//! The cookies, each with its name, attributes and form in one place (N18, N19; security.md 3.3.1-3.3.5; attacks.md T071,
//! T159).
//!
//! Over https every name begins with `__Host-` and the cookie is `Secure`; on plain http, which is only for loopback,
//! names are plain. A cookie that is doubled or cannot be one of ours counts as absent, and the next answer removes it.

use std::time::Duration;

use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue,
        header::{COOKIE, SET_COOKIE},
    },
    middleware::Next,
    response::Response,
};
use axum_extra::extract::cookie::{Cookie, SameSite};
use vestibule_core::{
    limits::{COMPANY_MAX, KEPT_SECONDS, TICKET_SECONDS, TRUSTED_ACCOUNTS_MAX},
    name::has_bad_characters,
    oidc::application::Application,
    secret::Token,
};

/// The only value of [`Kind::Probe`].
pub const PROBE: &str = "1";
/// Length of a token's text, see `vestibule_core::secret::Token`.
const TOKEN_LENGTH: usize = 43;
/// Longest sealed text, in bytes: browsers keep no cookie of more than 4096.
const SEALED_MAX: usize = 3800;
/// Longest language tag, in bytes (RFC 5646, section 4.4.1, recommends room for 35).
const LANGUAGE_MAX: usize = 35;

/// Longest way to show the list of agents, and longest query of it, in bytes.
const VIEW_MAX: usize = 200;
const QUERY_MAX: usize = 1500;

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;

/// Which cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Token of the session. Ends with the browser; the server ends it earlier.
    Session,
    /// Token of the pending sign-in, ten minutes.
    Pending,
    /// Up to [`TRUSTED_ACCOUNTS_MAX`] tokens of trusted browsers, joined by `.`; kept for as long as the longest policy
    /// allows, while the server ends each token in its own time. Never sent with a request from another site.
    Trusted,
    /// Random token of this browser, for the known-browser lane (N9); 400 days, the longest browsers allow.
    Browser,
    /// The company that was typed last, 400 days.
    Company,
    /// Token of a link from a mail, ten minutes: it leaves the address bar at once.
    Link,
    /// What the end of each way to a provider and back needs, sealed and joined by `.`; ten minutes.
    SsoFlow,
    /// Token of a place in line, a quarter of an hour.
    Ticket,
    /// How the list of agents is shown: columns and rows; 400 days.
    AgentView,
    /// Who looked at the list of agents last, and its query: whoever comes back finds it. Ends with the browser, or with the
    /// session.
    AgentsQuery,
    /// Token of the session that was signed out of moments ago: it opens nothing, and tells another tab why.
    Ended,
    /// Token of the forms that are kept for whoever has to sign in again or to prove identity.
    Kept,
    /// Shows that the browser keeps cookies at all; until it is closed.
    Probe,
    /// How many wrong passwords were sent for the names that were typed last, sealed; thirty days, as long as
    /// they are counted.
    Tries,
    /// Language tag, one year. Scripts may read and write it.
    Language,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Session,
        Self::Pending,
        Self::Trusted,
        Self::Browser,
        Self::Company,
        Self::Link,
        Self::SsoFlow,
        Self::Ticket,
        Self::AgentView,
        Self::AgentsQuery,
        Self::Ended,
        Self::Kept,
        Self::Probe,
        Self::Tries,
        Self::Language,
    ];

    const fn plain_name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Pending => "pending",
            Self::Trusted => "trusted",
            Self::Browser => "browser",
            Self::Company => "company",
            Self::Link => "link",
            Self::SsoFlow => "sso",
            Self::Ticket => "ticket",
            Self::AgentView => "agent_view",
            Self::AgentsQuery => "agents",
            Self::Ended => "ended",
            Self::Kept => "kept",
            Self::Probe => "probe",
            Self::Tries => "tries",
            Self::Language => "language",
        }
    }

    const fn secure_name(self) -> &'static str {
        match self {
            Self::Session => "__Host-session",
            Self::Pending => "__Host-pending",
            Self::Trusted => "__Host-trusted",
            Self::Browser => "__Host-browser",
            Self::Company => "__Host-company",
            Self::Link => "__Host-link",
            Self::SsoFlow => "__Host-sso",
            Self::Ticket => "__Host-ticket",
            Self::AgentView => "__Host-agent_view",
            Self::AgentsQuery => "__Host-agents",
            Self::Ended => "__Host-ended",
            Self::Kept => "__Host-kept",
            Self::Probe => "__Host-probe",
            Self::Tries => "__Host-tries",
            Self::Language => "__Host-language",
        }
    }

    /// Seconds the browser keeps it; `None` = until the browser is closed.
    const fn seconds(self) -> Option<u64> {
        match self {
            Self::Session | Self::AgentsQuery | Self::Probe => None,
            Self::Pending | Self::Link | Self::SsoFlow => Some(10 * MINUTE),
            Self::Ticket => Some(TICKET_SECONDS.unsigned_abs()),
            Self::Ended | Self::Kept => Some(KEPT_SECONDS.unsigned_abs()),
            Self::Tries => Some(30 * DAY),
            Self::Trusted => Some(90 * DAY),
            Self::Browser | Self::Company | Self::AgentView => Some(400 * DAY),
            Self::Language => Some(365 * DAY),
        }
    }

    /// Whether `value` can be one of ours.
    fn fits(self, value: &str) -> bool {
        match self {
            Self::Session
            | Self::Pending
            | Self::Browser
            | Self::Link
            | Self::Ticket
            | Self::Ended
            | Self::Kept => is_token(value),
            Self::Probe => value == PROBE,
            Self::SsoFlow | Self::Tries => {
                (TOKEN_LENGTH..=SEALED_MAX).contains(&value.len()) && value.split('.').all(is_base64url)
            }
            Self::Trusted => {
                value.split('.').count() <= TRUSTED_ACCOUNTS_MAX && value.split('.').all(is_token)
            }
            Self::AgentView => {
                value.len() <= VIEW_MAX
                    && value
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
            }
            Self::AgentsQuery => {
                value.len() <= QUERY_MAX
                    && value.bytes().all(|byte| {
                        byte.is_ascii_alphanumeric()
                            || matches!(byte, b'%' | b'&' | b'=' | b'+' | b'.' | b'-' | b'_' | b'*')
                    })
            }
            Self::Company => {
                !value.is_empty() && value.chars().count() <= COMPANY_MAX && !has_bad_characters(value)
            }
            Self::Language => {
                (2..=LANGUAGE_MAX).contains(&value.len())
                    && value
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            }
        }
    }
}

fn is_token(text: &str) -> bool {
    text.len() == TOKEN_LENGTH && is_base64url(text)
}

fn is_base64url(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// What a request says about one cookie.
enum Found {
    Nothing,
    Unreadable,
    Value(String),
}

/// Reads and writes all cookies.
#[derive(Clone, Copy, Debug)]
pub struct Cookies {
    https: bool,
}

impl Cookies {
    /// For a public URL with https, or without.
    pub const fn new(https: bool) -> Self {
        Self { https }
    }

    /// The cookie's name.
    pub const fn name(self, kind: Kind) -> &'static str {
        if self.https {
            kind.secure_name()
        } else {
            kind.plain_name()
        }
    }

    /// The cookie's value; `None` when it is missing, doubled, or cannot be one of ours.
    pub fn read(self, headers: &HeaderMap, kind: Kind) -> Option<String> {
        match self.find(headers, kind) {
            Found::Value(value) => Some(value),
            Found::Nothing | Found::Unreadable => None,
        }
    }

    /// The `Set-Cookie` that gives the browser this value. `None` when the value can be none of ours, such as a
    /// company name nobody has.
    pub fn set(self, kind: Kind, value: &str) -> Option<HeaderValue> {
        if !kind.fits(value) {
            return None;
        }
        self.write(kind, value, kind.seconds())
    }

    /// The `Set-Cookie` that removes the cookie.
    pub fn remove(self, kind: Kind) -> Option<HeaderValue> {
        self.write(kind, "", Some(0))
    }

    fn write(self, kind: Kind, value: &str, seconds: Option<u64>) -> Option<HeaderValue> {
        let site = if kind == Kind::Trusted {
            SameSite::Strict
        } else {
            SameSite::Lax
        };
        let mut cookie = Cookie::build((self.name(kind), value))
            .path("/")
            .secure(self.https)
            .http_only(kind != Kind::Language)
            .same_site(site);
        if let Some(seconds) = seconds {
            cookie = cookie.max_age(Duration::from_secs(seconds).try_into().ok()?);
        }
        HeaderValue::from_str(&cookie.build().encoded().to_string()).ok()
    }

    fn find(self, headers: &HeaderMap, kind: Kind) -> Found {
        let mut found = Found::Nothing;
        for line in headers.get_all(COOKIE) {
            // Bytes that are no text may stand in a cookie of somebody else; in one of ours they make it unfit.
            for pair in String::from_utf8_lossy(line.as_bytes()).split(';') {
                // The name is compared as sent: an encoded name is not our name.
                let name = pair.split('=').next().unwrap_or_default().trim();
                if name != self.name(kind) {
                    continue;
                }
                found = match (&found, Cookie::parse_encoded(pair)) {
                    (Found::Nothing, Ok(cookie)) if kind.fits(cookie.value()) => {
                        Found::Value(cookie.value().to_owned())
                    }
                    _ => Found::Unreadable,
                };
            }
        }
        found
    }
}

/// A cookie on the host of an application behind a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostCookie {
    /// Token of the session at the application. Ends with the browser; the server ends it earlier.
    Session,
    /// What marks the browser that begins a sign-in, ten minutes.
    State,
}

impl HostCookie {
    const fn name(self, https: bool) -> &'static str {
        match (self, https) {
            (Self::Session, true) => "__Host-vestibule",
            (Self::Session, false) => "vestibule",
            (Self::State, true) => "__Host-vestibule-state",
            (Self::State, false) => "vestibule-state",
        }
    }
}

/// Whether an application is reached by https; if not, it is on a loopback address.
pub fn is_https(application: &Application) -> bool {
    let uri = application.settings.launch_uri.as_deref();
    uri.is_some_and(|uri| uri.starts_with("https:"))
}

/// The token in a cookie of an application's host; `None` when it is missing, doubled, or can be none of ours.
pub fn read_host_cookie(headers: &HeaderMap, cookie: HostCookie, https: bool) -> Option<Token> {
    let name = cookie.name(https);
    let mut found = None;
    for line in headers.get_all(COOKIE) {
        for pair in line.as_bytes().split(|byte| *byte == b';') {
            let pair = pair.trim_ascii();
            let Some(value) = pair
                .strip_prefix(name.as_bytes())
                .and_then(|rest| rest.strip_prefix(b"="))
            else {
                continue;
            };
            if found.is_some() {
                return None;
            }
            found = Some(value);
        }
    }
    Token::parse(str::from_utf8(found?).ok()?)
}

/// The `Set-Cookie` that leaves a token on an application's host.
pub fn set_host_cookie(cookie: HostCookie, token: &Token, https: bool) -> Option<HeaderValue> {
    let mut built = Cookie::build((cookie.name(https), token.reveal()))
        .path("/")
        .secure(https)
        .http_only(true)
        .same_site(SameSite::Lax);
    if cookie == HostCookie::State {
        built = built.max_age(Duration::from_secs(10 * MINUTE).try_into().ok()?);
    }
    HeaderValue::from_str(&built.build().encoded().to_string()).ok()
}

/// The layer that removes cookies that cannot be ours, unless the answer sets them anyway.
pub async fn clean(State(cookies): State<Cookies>, request: Request, next: Next) -> Response {
    let unreadable = Kind::ALL.map(|kind| {
        (
            kind,
            matches!(cookies.find(request.headers(), kind), Found::Unreadable),
        )
    });
    let mut response = next.run(request).await;
    for (kind, _) in unreadable.into_iter().filter(|(_, unreadable)| *unreadable) {
        let begin = format!("{}=", cookies.name(kind));
        let set = |value: &HeaderValue| value.as_bytes().starts_with(begin.as_bytes());
        if !response.headers().get_all(SET_COOKIE).iter().any(set)
            && let Some(removal) = cookies.remove(kind)
        {
            response.headers_mut().append(SET_COOKIE, removal);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::{Router, middleware::from_fn_with_state, routing::get};

    use super::*;
    use crate::http::testing::ask;

    const PLAIN: Cookies = Cookies::new(false);
    const SECURE: Cookies = Cookies::new(true);

    fn token(letter: char) -> String {
        letter.to_string().repeat(TOKEN_LENGTH)
    }

    fn read(cookies: Cookies, kind: Kind, lines: &[&[u8]]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_bytes(line).unwrap());
        }
        cookies.read(&headers, kind)
    }

    fn attributes(cookies: Cookies, kind: Kind, value: &str) -> Vec<String> {
        let text = cookies.set(kind, value).unwrap().to_str().unwrap().to_owned();
        let mut parts: Vec<String> = text.split("; ").map(str::to_owned).collect();
        parts[1..].sort();
        parts
    }

    #[test]
    fn over_https_cookies_are_bound_to_the_host_and_secure() {
        let t = token('a');
        assert_eq!(
            attributes(SECURE, Kind::Session, &t),
            [
                &*format!("__Host-session={t}"),
                "HttpOnly",
                "Path=/",
                "SameSite=Lax",
                "Secure"
            ]
        );
        assert_eq!(
            attributes(SECURE, Kind::Trusted, &t),
            [
                &*format!("__Host-trusted={t}"),
                "HttpOnly",
                "Max-Age=7776000",
                "Path=/",
                "SameSite=Strict",
                "Secure"
            ]
        );
        assert_eq!(
            attributes(SECURE, Kind::Language, "pt-BR"),
            [
                "__Host-language=pt-BR",
                "Max-Age=31536000",
                "Path=/",
                "SameSite=Lax",
                "Secure"
            ]
        );
    }

    #[test]
    fn on_loopback_they_are_plain() {
        let t = token('a');
        assert_eq!(
            attributes(PLAIN, Kind::Pending, &t),
            [
                &*format!("pending={t}"),
                "HttpOnly",
                "Max-Age=600",
                "Path=/",
                "SameSite=Lax"
            ]
        );
        assert_eq!(
            attributes(PLAIN, Kind::Browser, &t),
            [
                &*format!("browser={t}"),
                "HttpOnly",
                "Max-Age=34560000",
                "Path=/",
                "SameSite=Lax"
            ]
        );
        assert_eq!(
            read(SECURE, Kind::Session, &[format!("session={t}").as_bytes()]),
            None
        );
    }

    #[test]
    fn a_removal_has_the_attributes_of_its_cookie() {
        let removal = SECURE.remove(Kind::Trusted).unwrap();
        let removal = removal.to_str().unwrap();
        assert!(removal.starts_with("__Host-trusted=; "), "{removal}");
        for part in ["Max-Age=0", "Path=/", "Secure", "HttpOnly", "SameSite=Strict"] {
            assert!(removal.contains(part), "{removal}");
        }
    }

    #[test]
    fn what_is_written_can_be_read() {
        let company = "Müller & Söhne; \"AG\", 100 %";
        let written = PLAIN.set(Kind::Company, company).unwrap();
        let pair = written.to_str().unwrap().split("; ").next().unwrap().to_owned();
        assert!(pair.is_ascii());
        assert_eq!(
            read(PLAIN, Kind::Company, &[pair.as_bytes()]).as_deref(),
            Some(company)
        );
        let three = [token('a'), token('b'), token('-')].join(".");
        let line = format!("other=1; trusted={three}; session={}", token('_'));
        assert_eq!(read(PLAIN, Kind::Trusted, &[line.as_bytes()]), Some(three));
        assert_eq!(read(PLAIN, Kind::Session, &[line.as_bytes()]), Some(token('_')));
        assert_eq!(
            read(
                PLAIN,
                Kind::Session,
                &[b"a=b", format!("session={}", token('x')).as_bytes()]
            ),
            Some(token('x'))
        );
    }

    #[test]
    fn what_can_be_none_of_ours_is_absent() {
        let t = token('a');
        let session = |value: &[u8]| read(PLAIN, Kind::Session, &[&[b"session=", value].concat()]);
        assert!(session(t.as_bytes()).is_some());
        for bad in [
            &b""[..],
            b"x",
            b"\xff\xfe",
            b"\"\"",
            &t.as_bytes()[1..],
            format!("\"{t}\"").as_bytes(),
            format!("{t}a").as_bytes(),
            format!("{t}; session={t}").as_bytes(),
            format!("{t}; session=other").as_bytes(),
            "ü".repeat(43).as_bytes(),
            &[b'a'; 8192],
            b"%00",
            b"%",
            format!("{}%", &t[1..]).as_bytes(),
        ] {
            assert_eq!(session(bad), None, "{bad:?}");
        }
        assert_eq!(
            read(
                PLAIN,
                Kind::Session,
                &[format!("session={t}").as_bytes(), b"session="]
            ),
            None
        );
        assert_eq!(
            read(PLAIN, Kind::Session, &[format!("%73ession={t}").as_bytes()]),
            None
        );
        assert_eq!(
            read(
                PLAIN,
                Kind::Trusted,
                &[format!("trusted={}", [&*t; TRUSTED_ACCOUNTS_MAX + 1].join(".")).as_bytes()]
            ),
            None
        );
        assert_eq!(
            read(PLAIN, Kind::Trusted, &[format!("trusted={t}.").as_bytes()]),
            None
        );
        assert_eq!(
            read(
                PLAIN,
                Kind::Company,
                &[format!("company={}", "a".repeat(65)).as_bytes()]
            ),
            None
        );
        assert_eq!(read(PLAIN, Kind::Company, &[b"company=a%0Ab"]), None);
        assert_eq!(read(PLAIN, Kind::Language, &[b"language=<script>"]), None);
        assert_eq!(PLAIN.set(Kind::Company, "a\r\nb"), None);
    }

    #[test]
    fn nonsense_in_other_cookies_does_not_matter() {
        let t = token('a');
        let line = [
            b"x=\xff; =; ; y; session=".as_slice(),
            t.as_bytes(),
            b"; z=\"\xfe",
        ]
        .concat();
        assert_eq!(read(PLAIN, Kind::Session, &[&line]), Some(t.clone()));
        let hundred = format!("{}session={t}", "a=b; ".repeat(100));
        assert_eq!(read(PLAIN, Kind::Session, &[hundred.as_bytes()]), Some(t));
    }

    #[test]
    fn no_cookie_is_larger_than_browsers_keep() {
        let longest = [&*token('a'); TRUSTED_ACCOUNTS_MAX].join(".");
        assert!(SECURE.set(Kind::Trusted, &longest).unwrap().len() < 4096);
        assert!(SECURE.set(Kind::SsoFlow, &"a".repeat(SEALED_MAX)).unwrap().len() < 4096);
        assert_eq!(SECURE.set(Kind::SsoFlow, &"a".repeat(SEALED_MAX + 1)), None);
        assert!(
            SECURE
                .set(Kind::Company, &"\u{10ffff}".repeat(COMPANY_MAX))
                .unwrap()
                .len()
                < 4096
        );
    }

    #[tokio::test]
    async fn nonsense_is_removed_by_the_next_answer() {
        let sign_in = || async { [("set-cookie", format!("pending={}", token('n')))] };
        let router = Router::new()
            .route("/", get(sign_in))
            .layer(from_fn_with_state(PLAIN, clean));
        let cookie = format!("session=x; pending=y; browser={}", token('a'));
        let response = ask(router.clone(), "GET", "/", &[("cookie", &cookie)], "").await;
        let sent: Vec<_> = response
            .headers()
            .get_all("set-cookie")
            .iter()
            .map(|value| value.to_str().unwrap())
            .collect();
        assert_eq!(sent.len(), 2, "{sent:?}");
        assert!(
            sent[0].starts_with("pending=nnn") && sent[1].starts_with("session=; "),
            "{sent:?}"
        );
        let response = ask(
            router,
            "GET",
            "/",
            &[("cookie", &format!("session={}", token('a')))],
            "",
        )
        .await;
        assert_eq!(response.headers().get_all("set-cookie").iter().count(), 1);
    }
}
