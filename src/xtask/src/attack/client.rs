//! A browser without scripts: cookies, forms, and what is followed by itself.

use std::{
    collections::BTreeMap,
    fmt,
    net::IpAddr,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use reqwest::{
    Client, RequestBuilder,
    header::{HOST, HeaderMap, LOCATION, ORIGIN, RETRY_AFTER, SET_COOKIE},
    redirect::Policy,
};

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long redirects and refreshes are followed.
const FOLLOWED: Duration = Duration::from_mins(3);
/// Most steps of that.
const STEPS: usize = 400;

/// A site and the connections to it, which all browsers share.
#[derive(Clone)]
pub struct Web {
    http: Client,
    /// Where the connections go.
    base: String,
    /// What people type, such as `http://127.0.0.1:8080`.
    public: String,
}

impl Web {
    /// The site at its public address.
    ///
    /// # Errors
    /// The HTTP client cannot be made.
    pub fn new(public: &str) -> Result<Self> {
        Self::through(public, public, None)
    }

    /// The site, reached at `base`, from one of this machine's addresses.
    ///
    /// # Errors
    /// As [`Web::new`].
    pub fn through(public: &str, base: &str, from: Option<IpAddr>) -> Result<Self> {
        let http = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .local_address(from)
            .timeout(PATIENCE)
            .build()
            .context("no HTTP client")?;
        Ok(Self {
            http,
            base: base.to_owned(),
            public: public.to_owned(),
        })
    }

    /// Somebody new at this network address.
    pub fn browser(&self, source: impl Into<String>) -> Browser {
        Browser {
            web: self.clone(),
            source: source.into(),
            jar: BTreeMap::new(),
            forged: Vec::new(),
        }
    }

    /// One request without cookies, such as for `/healthz`.
    ///
    /// # Errors
    /// No answer.
    pub async fn get(&self, path: &str) -> Result<Answer, reqwest::Error> {
        self.browser("192.0.2.1").get(path).await
    }
}

/// One browser: its address and its cookies.
#[derive(Clone)]
pub struct Browser {
    web: Web,
    source: String,
    jar: BTreeMap<String, String>,
    /// Headers about its address that it sends although nobody asked.
    pub forged: Vec<(&'static str, String)>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Where the browser is sent on to, as a local path.
    pub location: Option<String>,
    /// After how many seconds the page asks to be loaded again, and from where.
    pub refresh: Option<(u64, Option<String>)>,
    /// Seconds of the header `Retry-After`.
    pub retry_after: Option<u64>,
    /// The page.
    pub body: String,
}

/// How something that somebody tried ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Signed in.
    In,
    /// The password was right; a code is asked for.
    Code,
    /// What was typed is wrong, or may not be tried now.
    Wrong,
    /// Back at the sign-in page, with a reason.
    Back,
    /// Not compared: malformed, replaced, or too old.
    NotCounted,
    /// The account is locked or inactive.
    Locked,
    /// The sign-in is over.
    Over,
    /// 429, with the seconds to wait.
    Limited(Option<u64>),
    /// 503, with the seconds to wait.
    Busy(Option<u64>),
    /// Still waiting when patience ended.
    Waiting,
    /// Any other status.
    Status(u16),
    /// No answer: the connection was refused or broke, or it took too long.
    Silence,
}

impl Outcome {
    /// Whether the server said that something of its own is broken: anything but 503 is its fault.
    pub const fn is_fault(&self) -> bool {
        matches!(self, Self::Status(500..))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::In => f.write_str("in"),
            Self::Code => f.write_str("asked for a code"),
            Self::Wrong => f.write_str("wrong"),
            Self::Back => f.write_str("back at sign-in"),
            Self::NotCounted => f.write_str("not counted"),
            Self::Locked => f.write_str("locked"),
            Self::Over => f.write_str("over"),
            Self::Limited(_) => f.write_str("x 429"),
            Self::Busy(Some(_)) => f.write_str("x 503"),
            Self::Busy(None) => f.write_str("x 503 without Retry-After"),
            Self::Waiting => f.write_str("still waiting"),
            Self::Status(status) => write!(f, "x {status}"),
            Self::Silence => f.write_str("without an answer"),
        }
    }
}

/// How a sign-in went.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// How it ended.
    pub outcome: Outcome,
    /// From the click to the end.
    pub took: Duration,
    /// Whether a waiting page was shown on the way.
    pub waited: bool,
}

impl Browser {
    /// Asks for a page; redirects are not followed.
    ///
    /// # Errors
    /// No answer.
    pub async fn get(&mut self, path: &str) -> Result<Answer, reqwest::Error> {
        let request = self.web.http.get(format!("{}{path}", self.web.base));
        self.send(request).await
    }

    /// Posts a form as one of our pages does; redirects are not followed.
    ///
    /// # Errors
    /// No answer.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Result<Answer, reqwest::Error> {
        let request = self
            .web
            .http
            .post(format!("{}{path}", self.web.base))
            .header(ORIGIN, &self.web.public)
            .header("sec-fetch-site", "same-origin")
            .form(fields);
        self.send(request).await
    }

    /// Forgets the session but not the browser, as somebody does who closes it in the evening.
    pub fn close(&mut self) {
        self.jar.retain(|name, _| name == "browser" || name == "trusted");
    }

    /// Forgets everything, as a browser does whose cookies are deleted.
    pub fn forget(&mut self) {
        self.jar.clear();
    }

    /// From now on it comes from this network address.
    pub fn moves_to(&mut self, source: String) {
        self.source = source;
    }

    /// The same cookies at another door, such as one node alone.
    pub fn at(&self, web: &Web) -> Self {
        Self {
            web: web.clone(),
            ..self.clone()
        }
    }

    /// Company, account and password, and what follows by itself.
    pub async fn sign_in(&mut self, company: &str, account: &str, password: &str) -> Arrival {
        let fields = [("company", company), ("account", account), ("password", password)];
        self.submit("/login", &fields).await
    }

    /// The same by somebody who does not wait in line: [`Outcome::Waiting`] when that is where they are sent.
    pub async fn knock(&mut self, company: &str, account: &str, password: &str) -> Outcome {
        let fields = [("company", company), ("account", account), ("password", password)];
        match self.post("/login", &fields).await {
            Ok(Answer {
                location: Some(to), ..
            }) => end_of(&to).unwrap_or(Outcome::Waiting),
            Ok(answer) => outcome_of(&answer),
            Err(_) => Outcome::Silence,
        }
    }

    /// Enters a code, and trusts the browser or not.
    pub async fn enter_code(&mut self, code: &str, trust: bool) -> Outcome {
        let mut fields = vec![("code", code)];
        fields.extend(trust.then_some(("trust", "yes")));
        self.submit("/login/code", &fields).await.outcome
    }

    /// Posts a form and follows redirects and refreshes until they end.
    pub async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Arrival {
        let begun = Instant::now();
        let (outcome, waited) = match self.post(path, fields).await {
            Ok(answer) => self.follow(path, answer, begun).await,
            Err(_) => (Outcome::Silence, false),
        };
        Arrival {
            outcome,
            took: begun.elapsed(),
            waited,
        }
    }

    async fn follow(&mut self, from: &str, mut answer: Answer, begun: Instant) -> (Outcome, bool) {
        let mut here = from.to_owned();
        let mut waited = false;
        for _ in 0..STEPS {
            let next = match (&answer.location, &answer.refresh) {
                (Some(to), _) => match end_of(to) {
                    Some(outcome) => return (outcome, waited),
                    None => to.clone(),
                },
                (None, Some((seconds, to))) => {
                    waited = true;
                    tokio::time::sleep(Duration::from_secs(*seconds)).await;
                    to.clone().unwrap_or_else(|| here.clone())
                }
                (None, None) => return (outcome_of(&answer), waited),
            };
            if begun.elapsed() > FOLLOWED {
                break;
            }
            match self.get(&next).await {
                Ok(found) => (answer, here) = (found, next),
                Err(_) => return (Outcome::Silence, waited),
            }
        }
        (Outcome::Waiting, waited)
    }

    async fn send(&mut self, request: RequestBuilder) -> Result<Answer, reqwest::Error> {
        let host = self.web.public.split("//").last().unwrap_or_default();
        let mut forwarded = self.source.clone();
        let mut request = request
            .header(HOST, host)
            .header("accept", "text/html,*/*;q=0.8")
            .header("accept-language", "en");
        for (name, value) in &self.forged {
            // A proxy adds what it saw behind what the visitor sent.
            if *name == "x-forwarded-for" {
                forwarded = format!("{value}, {forwarded}");
            } else {
                request = request.header(*name, value);
            }
        }
        if !self.jar.is_empty() {
            let pairs: Vec<String> = self
                .jar
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            request = request.header("cookie", pairs.join("; "));
        }
        let response = request.header("x-forwarded-for", forwarded).send().await?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        self.keep(&headers);
        let body = response.text().await?;
        Ok(Answer {
            status,
            location: text(&headers, LOCATION.as_str()).map(|to| self.local(to)),
            refresh: text(&headers, "refresh")
                .or_else(|| meta_refresh(&body))
                .and_then(|value| self.refresh(value)),
            retry_after: text(&headers, RETRY_AFTER.as_str()).and_then(|value| value.parse().ok()),
            body,
        })
    }

    fn keep(&mut self, headers: &HeaderMap) {
        for cookie in headers.get_all(SET_COOKIE).iter().filter_map(|c| c.to_str().ok()) {
            let Some((name, value)) = cookie.split(';').next().and_then(|pair| pair.split_once('=')) else {
                continue;
            };
            if value.is_empty() || cookie.contains("Max-Age=0") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    fn local(&self, to: &str) -> String {
        to.strip_prefix(&self.web.public).unwrap_or(to).to_owned()
    }

    /// Reads `2` or `2; url=/login/wait`.
    fn refresh(&self, value: &str) -> Option<(u64, Option<String>)> {
        let (seconds, rest) = value.split_once([';', ',']).unwrap_or((value, ""));
        let to = rest
            .split_once('=')
            .map(|(_, to)| self.local(to.trim().trim_matches(['"', '\''])));
        // A refresh at once is a redirect; a browser takes a moment for it too.
        Some((seconds.trim().parse::<u64>().ok()?.max(1), to))
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The content of `<meta http-equiv="refresh" content="…">`.
fn meta_refresh(page: &str) -> Option<&str> {
    let (before, after) = page.split_once("http-equiv=\"refresh\"")?;
    let start = before.rfind('<')?;
    let end = before.len() + "http-equiv=\"refresh\"".len() + after.find('>')?;
    let (_, value) = page.get(start..end)?.split_once("content=\"")?;
    value.split('"').next()
}

/// What a redirect to one of these addresses means; `None` = the way goes on.
fn end_of(to: &str) -> Option<Outcome> {
    let path = to.split('?').next().unwrap_or_default();
    if ["/agent", "/admin", "/profile"]
        .iter()
        .any(|start| path.starts_with(start))
    {
        return Some(Outcome::In);
    }
    match path {
        "/login/code" => Some(Outcome::Code),
        "/login" => Some(Outcome::Back),
        _ => None,
    }
}

fn outcome_of(answer: &Answer) -> Outcome {
    match answer.status {
        401 => Outcome::Wrong,
        403 => Outcome::Locked,
        410 => Outcome::Over,
        422 => Outcome::NotCounted,
        429 => Outcome::Limited(answer.retry_after),
        503 => Outcome::Busy(answer.retry_after),
        other => Outcome::Status(other),
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
        task::JoinHandle,
    };

    use super::*;

    #[test]
    fn a_page_that_refreshes_itself_is_understood() {
        let page = "<head><meta charset=\"utf-8\"><meta content=\"2; url=/login/wait\" http-equiv=\"refresh\"></head>";
        assert_eq!(meta_refresh(page), Some("2; url=/login/wait"));
        let page = "<meta http-equiv=\"refresh\" content=\"5\"><p content=\"9\">";
        assert_eq!(meta_refresh(page), Some("5"));
        assert_eq!(meta_refresh("<p>nothing</p>"), None);
    }

    #[test]
    fn the_ends_of_a_sign_in_are_known() {
        assert_eq!(end_of("/agent"), Some(Outcome::In));
        assert_eq!(end_of("/login/code?resent"), Some(Outcome::Code));
        assert_eq!(end_of("/login?busy"), Some(Outcome::Back));
        assert_eq!(end_of("/login/wait"), None);
    }

    /// A server that gives these answers, one after the other; ends with what it was asked.
    async fn scripted(answers: &'static [&'static str]) -> (String, JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let mut asked = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = vec![0; 4096];
                let length = stream.read(&mut request).await.unwrap();
                asked.push(String::from_utf8_lossy(&request[..length]).into_owned());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            asked
        });
        (format!("http://{address}"), server)
    }

    #[tokio::test]
    async fn a_line_is_stood_in_until_it_ends() {
        let (url, server) = scripted(&[
            "HTTP/1.1 303 See Other\r\nlocation: /login/wait\r\nset-cookie: ticket=abc; Path=/\r\n\
             content-length: 0\r\nconnection: close\r\n\r\n",
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n<meta http-equiv=\"refresh\" content=\"1\"/>You're number 7 in line.",
            "HTTP/1.1 303 See Other\r\nlocation: /agent\r\nset-cookie: session=xyz; Path=/\r\n\
             set-cookie: ticket=; Max-Age=0\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        ])
        .await;
        let mut browser = Web::new(&url).unwrap().browser("192.0.2.1");
        let arrival = browser.sign_in("Acme", "alice", "secret").await;
        assert_eq!((arrival.outcome, arrival.waited), (Outcome::In, true));
        let kept: Vec<_> = browser.jar.into_iter().collect();
        assert_eq!(kept, [("session".to_owned(), "xyz".to_owned())]);
        let asked = server.await.unwrap();
        assert!(asked[0].starts_with("POST /login ") && asked[2].starts_with("GET /login/wait "));
        assert!(
            asked[1].contains("cookie: ticket=abc") && !asked[2].contains("secret"),
            "{asked:?}"
        );
    }
}
