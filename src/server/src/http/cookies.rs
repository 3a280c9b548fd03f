//! The cookies, each with its name, attributes and form in one place (N18, N19; security.md 3.3.1-3.3.5; attacks.md T071,
//! T159).
//!
//! Over https every name begins with `__Host-` and the cookie is `Secure`; on plain http, which is only for loopback,
//! names are plain. A cookie that is doubled or cannot be one of ours counts as absent, and the next answer removes it.
//!
//! Each has a longest length, and all together stay below 4 KiB: proxies before us refuse requests with large headers, and
//! whoever had collected too much could not even sign in. Lists lose their oldest entries where they are made; where there is
//! still too much, [`clean`] takes comfort away.

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
    limits::{
        COMPANY_MAX, KEPT_SECONDS, SSO_FLOWS_BYTES, TICKET_SECONDS, TRUSTED_ACCOUNTS_MAX, TRUSTED_TOKENS_READ,
    },
    name::has_bad_characters,
    oidc::application::Application,
    secret::Token,
};

/// The only value of [`Kind::Probe`].
pub const PROBE: &str = "1";
/// Length of a token's text, see `vestibule_core::secret::Token`.
const TOKEN_LENGTH: usize = 43;
/// Longest sealed count of wrong passwords, in bytes.
const TRIES_MAX: usize = 400;
/// Longest language tag, in bytes (RFC 5646, section 4.4.1, recommends room for 35).
const LANGUAGE_MAX: usize = 35;

/// Longest way to show the list of agents, and longest query of it, in bytes.
const VIEW_MAX: usize = 200;
const QUERY_MAX: usize = 1000;

/// What a browser sends us in all our cookies together stays below this, in bytes.
const TOGETHER_MAX: usize = 4096;
/// What stands between two cookies.
const BETWEEN: &str = "; ";

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

    /// Those that are comfort, and yield when there would be too much: the first goes first.
    const YIELDING: [Self; 4] = [Self::AgentsQuery, Self::Tries, Self::Company, Self::AgentView];

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

    /// Longest value as it is sent, in bytes, with everything in it encoded that has to be.
    const fn longest(self) -> usize {
        match self {
            Self::Session
            | Self::Pending
            | Self::Browser
            | Self::Link
            | Self::Ticket
            | Self::Ended
            | Self::Kept => TOKEN_LENGTH,
            Self::Trusted => TRUSTED_ACCOUNTS_MAX * (TOKEN_LENGTH + 1) - 1,
            Self::SsoFlow => SSO_FLOWS_BYTES,
            Self::Tries => TRIES_MAX,
            Self::AgentView => VIEW_MAX,
            Self::AgentsQuery => QUERY_MAX,
            // Four bytes of UTF-8, each encoded by three.
            Self::Company => COMPANY_MAX * 12,
            Self::Probe => PROBE.len(),
            Self::Language => LANGUAGE_MAX,
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
                (TOKEN_LENGTH..=self.longest()).contains(&value.len()) && value.split('.').all(is_base64url)
            }
            Self::Trusted => {
                value.split('.').count() <= TRUSTED_TOKENS_READ && value.split('.').all(is_token)
            }
            Self::AgentView => {
                value.len() <= self.longest()
                    && value
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
            }
            Self::AgentsQuery => {
                value.len() <= self.longest()
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
        // What is encoded is longer.
        self.write(kind, value, kind.seconds())
            .filter(|cookie| pair_of(cookie).len() <= self.name(kind).len() + "=".len() + kind.longest())
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

    /// Bytes of the cookie in a request.
    fn brought(self, headers: &HeaderMap, kind: Kind) -> usize {
        let pairs = headers
            .get_all(COOKIE)
            .iter()
            .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'))
            .map(<[u8]>::trim_ascii);
        let ours = pairs.filter(|pair| {
            let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
            name.trim_ascii() == self.name(kind).as_bytes()
        });
        ours.map(|pair| pair.len() + BETWEEN.len()).sum()
    }

    /// Bytes of the cookie that an answer gives the browser, none for one that it removes; `None` when it says nothing of it.
    fn given(self, headers: &HeaderMap, kind: Kind) -> Option<usize> {
        let last = headers
            .get_all(SET_COOKIE)
            .iter()
            .rfind(|cookie| self.is_of(cookie, kind))?;
        let pair = pair_of(last);
        Some(if pair.ends_with(b"=") {
            0
        } else {
            pair.len() + BETWEEN.len()
        })
    }

    /// Whether an answer gives, or removes, this cookie here.
    fn is_of(self, cookie: &HeaderValue, kind: Kind) -> bool {
        let value = cookie.as_bytes().strip_prefix(self.name(kind).as_bytes());
        value.is_some_and(|value| value.starts_with(b"="))
    }

    /// Bytes of a cookie in requests after this answer; `brought` are those in the request before it.
    fn sent_after(self, headers: &HeaderMap, (kind, brought): (Kind, usize)) -> usize {
        if kind == Kind::Trusted {
            // It does not come along from other sites, and is there all the same.
            return self.name(kind).len() + "=".len() + kind.longest() + BETWEEN.len();
        }
        self.given(headers, kind).unwrap_or(brought)
    }

    /// Takes comfort away until the browser sends less than [`TOGETHER_MAX`] after this answer.
    fn make_room(self, brought: &[(Kind, usize)], headers: &mut HeaderMap) {
        let sent: Vec<(Kind, usize)> = brought
            .iter()
            .map(|&brought| (brought.0, self.sent_after(headers, brought)))
            .collect();
        let mut together: usize = sent.iter().map(|(_, bytes)| bytes).sum();
        for kind in Kind::YIELDING {
            if together < TOGETHER_MAX {
                return;
            }
            let bytes = sent.iter().find(|(known, _)| *known == kind);
            let bytes = bytes.map_or(0, |&(_, bytes)| bytes);
            if bytes > 0 {
                together -= bytes;
                self.take_away(kind, headers);
            }
        }
    }

    /// Makes an answer remove a cookie, whatever it said of it before.
    fn take_away(self, kind: Kind, headers: &mut HeaderMap) {
        let others = headers.get_all(SET_COOKIE).iter();
        let others: Vec<HeaderValue> = others
            .filter(|cookie| !self.is_of(cookie, kind))
            .cloned()
            .collect();
        headers.remove(SET_COOKIE);
        for cookie in others.into_iter().chain(self.remove(kind)) {
            headers.append(SET_COOKIE, cookie);
        }
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

/// Name and value in a `Set-Cookie`.
fn pair_of(cookie: &HeaderValue) -> &[u8] {
    let pair = cookie.as_bytes().split(|byte| *byte == b';').next();
    pair.unwrap_or_default()
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

/// The layer that removes cookies that cannot be ours, unless the answer sets them anyway, and comfort that there is no room
/// for.
pub async fn clean(State(cookies): State<Cookies>, request: Request, next: Next) -> Response {
    let unreadable = Kind::ALL.map(|kind| {
        (
            kind,
            matches!(cookies.find(request.headers(), kind), Found::Unreadable),
        )
    });
    let brought = Kind::ALL.map(|kind| (kind, cookies.brought(request.headers(), kind)));
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (kind, _) in unreadable.into_iter().filter(|(_, unreadable)| *unreadable) {
        if cookies.given(headers, kind).is_none()
            && let Some(removal) = cookies.remove(kind)
        {
            headers.append(SET_COOKIE, removal);
        }
    }
    cookies.make_room(&brought, headers);
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
                &[format!("trusted={}", [&*t; TRUSTED_TOKENS_READ + 1].join(".")).as_bytes()]
            ),
            None
        );
        let former = [&*t; TRUSTED_TOKENS_READ].join(".");
        assert_eq!(
            read(PLAIN, Kind::Trusted, &[format!("trusted={former}").as_bytes()]),
            Some(former),
            "of a version before"
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

    /// The longest value of a cookie, as it is given.
    fn longest(kind: Kind) -> String {
        match kind {
            Kind::Trusted => [&*token('a'); TRUSTED_ACCOUNTS_MAX].join("."),
            Kind::Company => "\u{10ffff}".repeat(COMPANY_MAX),
            Kind::Probe => PROBE.to_owned(),
            kind => "a".repeat(kind.longest()),
        }
    }

    /// Bytes of a cookie in a request.
    fn bytes(name: &str, length: usize) -> usize {
        name.len() + "=".len() + length + BETWEEN.len()
    }

    #[test]
    fn no_cookie_is_larger_than_it_may_be() {
        for kind in Kind::ALL {
            let cookie = SECURE.set(kind, &longest(kind)).unwrap();
            let sent = bytes(SECURE.name(kind), kind.longest());
            assert_eq!(pair_of(&cookie).len() + BETWEEN.len(), sent, "{kind:?}");
            if kind != Kind::Probe {
                let longer = [longest(kind).as_str(), ".a"].concat();
                assert_eq!(SECURE.set(kind, &longer), None, "{kind:?}");
            }
        }
        // What has to be encoded takes more room.
        assert!(
            SECURE
                .set(Kind::AgentsQuery, &"=".repeat(QUERY_MAX / 3))
                .is_some()
        );
        assert_eq!(SECURE.set(Kind::AgentsQuery, &"=".repeat(QUERY_MAX / 2)), None);
    }

    #[test]
    fn there_is_room_for_all_but_a_way_to_a_provider_and_for_that_without_comfort() {
        let together = |without: &[Kind]| -> usize {
            let kinds = Kind::ALL.into_iter().filter(|kind| !without.contains(kind));
            kinds.map(|kind| bytes(SECURE.name(kind), kind.longest())).sum()
        };
        assert!(together(&[Kind::SsoFlow]) < TOGETHER_MAX);
        assert!(together(&Kind::YIELDING) < TOGETHER_MAX);
    }

    /// A browser that keeps what it is given.
    #[derive(Default)]
    struct Jar(Vec<(String, String)>);

    impl Jar {
        fn has(&self, kind: Kind) -> bool {
            self.0.iter().any(|(name, _)| name == SECURE.name(kind))
        }

        /// Asks for the longest cookie of this kind; gives how much it sends from then on.
        async fn ask_for(&mut self, router: &Router, kind: Kind, from_another_site: bool) -> usize {
            let comes_along = |name: &str| !from_another_site || name != SECURE.name(Kind::Trusted);
            let pairs = self.0.iter().filter(|(name, _)| comes_along(name));
            let pairs: Vec<String> = pairs.map(|(name, value)| format!("{name}={value}")).collect();
            let path = format!("/{}", kind.plain_name());
            let sent = pairs.join(BETWEEN);
            let response = ask(router.clone(), "GET", &path, &[("cookie", &sent)], "").await;
            for cookie in response.headers().get_all(SET_COOKIE) {
                let pair = str::from_utf8(pair_of(cookie)).unwrap();
                let (name, value) = pair.split_once('=').unwrap();
                self.0.retain(|(known, _)| known != name);
                if !value.is_empty() {
                    self.0.push((name.to_owned(), value.to_owned()));
                }
            }
            self.0.iter().map(|(name, value)| bytes(name, value.len())).sum()
        }
    }

    /// A page for each cookie, which gives the longest that there is.
    fn giver() -> Router {
        let pages = Kind::ALL.into_iter().fold(Router::new(), |router, kind| {
            let page = move || async move { [(SET_COOKIE, SECURE.set(kind, &longest(kind)).unwrap())] };
            router.route(&format!("/{}", kind.plain_name()), get(page))
        });
        pages.layer(from_fn_with_state(SECURE, clean))
    }

    #[tokio::test]
    async fn whatever_is_kept_all_cookies_together_stay_small() {
        let router = giver();
        for from_another_site in [false, true] {
            for first in 0..Kind::ALL.len() {
                let mut jar = Jar::default();
                for kind in Kind::ALL
                    .into_iter()
                    .cycle()
                    .skip(first)
                    .take(2 * Kind::ALL.len())
                {
                    let together = jar.ask_for(&router, kind, from_another_site).await;
                    assert!(together < TOGETHER_MAX, "{together} {kind:?} {first}");
                }
                for kind in Kind::ALL
                    .into_iter()
                    .filter(|kind| !Kind::YIELDING.contains(kind))
                {
                    assert!(jar.has(kind), "{kind:?} {first}");
                }
            }
        }
    }

    #[tokio::test]
    async fn comfort_yields_in_its_order_and_only_when_there_is_too_much() {
        let router = giver();
        let mut jar = Jar::default();
        for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::SsoFlow) {
            jar.ask_for(&router, kind, false).await;
        }
        for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::SsoFlow) {
            assert!(jar.has(kind), "{kind:?}");
        }
        let small = Router::new()
            .route(
                "/sso",
                get(|| async { [(SET_COOKIE, SECURE.set(Kind::SsoFlow, &"a".repeat(1000)).unwrap())] }),
            )
            .layer(from_fn_with_state(SECURE, clean));
        jar.ask_for(&small, Kind::SsoFlow, false).await;
        assert!(jar.has(Kind::SsoFlow) && !jar.has(Kind::AgentsQuery));
        assert!(
            Kind::YIELDING[1..].iter().all(|kind| jar.has(*kind)),
            "there is room for the others"
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
