//! A whole Vestibule in memory, and browsers to visit it.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{HeaderMap, Request},
};
use tempfile::TempDir;
use tower::ServiceExt;
use vestibule_core::{
    account::Role,
    company::RequireSecondFactor,
    ports::{Clock, ManualClock, Moment, SeededRandomness},
    secret::Password,
};
use vestibule_mail::outbox::Worker;
use vestibule_server::{
    assembly,
    config::{Config, Inputs},
    serve::{Assembled, assemble},
};
use vestibule_service::{
    Service,
    operator::{AccountInput, CompanyInput},
};
use vestibule_storage::test_support::TestStore;

/// The password of every account.
pub const PASSWORD: &str = "violet harbour kettle";
pub const HOST: &str = "127.0.0.1:3000";

pub struct Site {
    pub service: Service,
    pub clock: Arc<ManualClock>,
    router: Router,
    pub worker: Arc<Worker>,
    pub mailbox: vestibule_mail::Mailbox,
    _store: TestStore,
    _folder: TempDir,
}

impl Site {
    /// Company Acme (30 days of trust) with alice (code by mail), bob (none), clara (German, code), root (admin, none)
    /// and root2 (admin, code).
    pub async fn new() -> Self {
        Self::with(&[]).await
    }

    /// The same with these settings.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        Self::on(TestStore::sqlite().await, settings).await
    }

    /// The same on this database.
    pub async fn on(store: TestStore, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key_file = folder.path().join("vestibule.key");
        let mut environment = vec![("VESTIBULE_KEY_FILE".into(), key_file.into_os_string())];
        environment.extend(settings.iter().map(|(name, value)| (name.into(), value.into())));
        let inputs = Inputs {
            file: None,
            default_file: folder.path().join("none.toml"),
            environment,
        };
        let config = Config::load(&inputs).unwrap();
        let clock = Arc::new(ManualClock::at("2026-01-05T09:00:00Z".parse::<Moment>().unwrap()));
        let as_clock: Arc<dyn Clock> = clock.clone();
        let service = assembly::service(
            &config,
            store.clone(),
            as_clock,
            Arc::new(SeededRandomness::new(7)),
        )
        .await
        .unwrap();
        let Assembled {
            state,
            routes,
            worker,
            ..
        } = assemble(&config, service.clone()).unwrap();
        let mailbox = state.mailbox.clone().unwrap();
        let site = Self {
            service,
            clock,
            router: routes,
            worker,
            mailbox,
            _store: store,
            _folder: folder,
        };
        site.fill().await;
        site
    }

    async fn fill(&self) {
        let company = CompanyInput {
            name: "Acme".to_owned(),
            allow_mixed_script: false,
            language: "en".to_owned(),
            time_zone: "UTC".to_owned(),
            two_factor_days: 30,
            require_second_factor: RequireSecondFactor::Off,
        };
        self.service.operator().create_company(company).await.unwrap();
        for (account, first_name, role, language, email_factor) in [
            ("alice", "Alice", Role::Agent, None, true),
            ("bob", "Bob", Role::Agent, None, false),
            ("clara", "Clara", Role::Agent, Some("de"), true),
            ("root", "Rita", Role::Admin, None, false),
            ("root2", "Rosa", Role::Admin, None, true),
        ] {
            let input = AccountInput {
                company: "Acme".to_owned(),
                account: account.to_owned(),
                email: format!("{account}@acme.test"),
                first_name: first_name.to_owned(),
                last_name: String::new(),
                roles: vec![role],
                language: language.map(str::to_owned),
                email_factor,
                password: Password::new(PASSWORD.to_owned()),
            };
            self.service.operator().create_account(input).await.unwrap();
        }
    }

    /// What the clock shows.
    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// The code in the newest mail to an account.
    pub async fn code(&self, account: &str) -> String {
        while self.worker.run_once(&self.service).await > 0 {}
        let mails = self.mailbox.mails(Some(&format!("{account}@acme.test")));
        mails
            .iter()
            .flat_map(|mail| mail.text.split_whitespace())
            .find(|word| word.len() == 6 && word.bytes().all(|b| b.is_ascii_digit()))
            .unwrap()
            .to_owned()
    }

    /// The address of this kind in the newest mail to somebody, without the origin.
    pub async fn link(&self, email: &str, beginning: &str) -> String {
        let texts = self.mails(email).await;
        let link = texts
            .iter()
            .flat_map(|text| text.split_whitespace())
            .find_map(|word| word.find(beginning).map(|start| &word[start..]));
        link.unwrap().to_owned()
    }

    /// The texts of all mails to somebody, the newest first.
    pub async fn mails(&self, email: &str) -> Vec<String> {
        while self.worker.run_once(&self.service).await > 0 {}
        let mails = self.mailbox.mails(Some(email));
        mails.iter().map(|mail| mail.text.clone()).collect()
    }

    /// Six digits that are not that code.
    pub async fn wrong_code(&self, account: &str) -> String {
        let code: u32 = self.code(account).await.parse().unwrap();
        format!("{:06}", (code + 1) % 1_000_000)
    }
}

/// What came back.
pub struct Answer {
    pub status: u16,
    pub body: String,
    headers: HeaderMap,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    }

    pub fn has_header(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    /// The page without the texts that it brings for later.
    pub fn shown(&self) -> String {
        let Some((before, rest)) = self.body.split_once("data-texts=\"") else {
            return self.body.clone();
        };
        let (_, after) = rest.split_once('"').unwrap();
        [before, after].concat()
    }

    pub fn location(&self) -> &str {
        self.header("location")
    }

    pub fn set_cookies(&self) -> Vec<&str> {
        self.headers
            .get_all("set-cookie")
            .iter()
            .map(|value| value.to_str().unwrap())
            .collect()
    }
}

/// A browser without scripts, or a program: it keeps cookies.
pub struct Browser {
    pub accept_language: &'static str,
    pub address: &'static str,
    /// The host that it asks; cookies of all hosts are in one jar.
    pub host: &'static str,
    pub content_type: String,
    pub extra: Vec<(&'static str, String)>,
    accept: &'static str,
    origin: bool,
    cookies: BTreeMap<String, String>,
}

impl Default for Browser {
    fn default() -> Self {
        Self {
            accept_language: "en",
            address: "127.0.0.1",
            host: HOST,
            content_type: "application/x-www-form-urlencoded".to_owned(),
            extra: Vec::new(),
            accept: "text/html,application/xhtml+xml,*/*;q=0.8",
            origin: true,
            cookies: BTreeMap::new(),
        }
    }
}

impl Browser {
    /// Somebody who wants JSON.
    pub fn program() -> Self {
        Self {
            accept: "application/json",
            ..Self::default()
        }
    }

    /// No longer says which page a request comes from.
    pub fn without_origin(&mut self) {
        self.origin = false;
    }

    pub fn has(&self, cookie: &str) -> bool {
        self.cookies.contains_key(cookie)
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.get(name).cloned()
    }

    pub fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    pub fn forget(&mut self, cookie: &str) {
        self.cookies.remove(cookie);
    }

    pub async fn get(&mut self, site: &Site, path: &str) -> Answer {
        self.send(site, "GET", path, None).await
    }

    pub async fn post(&mut self, site: &Site, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body: String = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.send(site, "POST", path, Some(body.into_bytes())).await
    }

    /// Passes the password of an account that has a second factor.
    pub async fn past_password(&mut self, site: &Site, account: &str) -> Answer {
        let answer = self
            .post(
                site,
                "/login",
                &[("company", "Acme"), ("account", account), ("password", PASSWORD)],
            )
            .await;
        assert!(self.has("pending"), "{}", answer.body);
        answer
    }

    pub async fn send(&mut self, site: &Site, method: &str, path: &str, body: Option<Vec<u8>>) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", self.host)
            .header("accept", self.accept)
            .header("accept-language", self.accept_language);
        if body.is_some() && !self.content_type.is_empty() {
            request = request.header("content-type", &self.content_type);
        }
        if method != "GET" && self.origin {
            request = request
                .header("origin", format!("http://{HOST}"))
                .header("sec-fetch-site", "same-origin");
        }
        for (name, value) in &self.extra {
            request = request.header(*name, value);
        }
        if !self.cookies.is_empty() {
            let cookies: Vec<_> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            request = request.header("cookie", cookies.join("; "));
        }
        let peer: SocketAddr = format!("{}:50000", self.address).parse().unwrap();
        let mut request = request.body(Body::from(body.unwrap_or_default())).unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = site.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = String::from_utf8_lossy(&to_bytes(body, usize::MAX).await.unwrap()).into_owned();
        let answer = Answer {
            status: parts.status.as_u16(),
            body,
            headers: parts.headers,
        };
        for cookie in answer.set_cookies() {
            let (pair, rest) = cookie.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if rest.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }
}
