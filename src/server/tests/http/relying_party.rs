//! An application that signs agents in, as far as it is a program: what it asks for, and what it makes of the answers.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use openidconnect::{
    JsonWebKey,
    core::{CoreJsonWebKeySet, CoreJwsSigningAlgorithm},
};
use serde_json::Value;
use vestibule_core::oidc::application::ApplicationInput;

use crate::site::{Answer, Browser, PASSWORD, Site};

pub const CALLBACK: &str = "https://desktop.acme.test/callback";
pub const BYE: &str = "https://desktop.acme.test/bye";
pub const ISSUER: &str = "http://127.0.0.1:3000";
/// RFC 7636, appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub struct RelyingParty {
    pub site: Site,
    pub browser: Browser,
    pub id: String,
    /// `None` = it runs in the browser.
    pub secret: Option<String>,
}

/// What is typed about an application of this kind.
pub fn typed(kind: &str) -> ApplicationInput {
    ApplicationInput {
        name: "Agent Desktop".into(),
        kind: kind.into(),
        redirect_uris: format!("{CALLBACK}\n{CALLBACK}?from=vestibule\nhttp://127.0.0.1/callback"),
        logout_uris: BYE.into(),
        roles: ["agent", "supervisor", "admin"].map(str::to_owned).to_vec(),
        signing: "ES256".into(),
        ..ApplicationInput::default()
    }
}

impl RelyingParty {
    /// A web application of Acme, and a browser in which nobody is signed in.
    pub async fn new() -> Self {
        Self::of("Acme", &typed("web")).await
    }

    pub async fn of(company: &str, input: &ApplicationInput) -> Self {
        Self::at(Site::new().await, Some(company), input).await
    }

    pub async fn at(site: Site, company: Option<&str>, input: &ApplicationInput) -> Self {
        let added = site
            .service
            .operator()
            .add_application(company, input)
            .await
            .unwrap();
        Self {
            id: added.application.id.to_string(),
            secret: added.secret.map(|secret| secret.reveal()),
            browser: Browser::default(),
            site,
        }
    }

    /// Signs in an account without a second factor.
    pub async fn sign_in(&mut self, account: &str) {
        let typed = [("company", "Acme"), ("account", account), ("password", PASSWORD)];
        let answer = self.browser.post(&self.site, "/login", &typed).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
    }

    /// The parameters of a right request with these instead of its own; an empty value takes one out.
    pub fn parameters(&self, changes: &[(&str, &str)]) -> Vec<(String, String)> {
        let mut pairs = vec![
            ("client_id", self.id.as_str()),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "openid"),
            ("state", "s t&a=te"),
            ("nonce", "nonce"),
        ];
        pairs.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        pairs.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
        pairs
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    pub fn query(&self, changes: &[(&str, &str)]) -> String {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(self.parameters(changes))
            .finish()
    }

    /// Sends the browser out.
    pub async fn authorize(&mut self, changes: &[(&str, &str)]) -> Answer {
        let path = format!("/oauth/authorize?{}", self.query(changes));
        self.browser.get(&self.site, &path).await
    }

    /// Sends the browser out; gives what came back to the callback.
    pub async fn answered(&mut self, changes: &[(&str, &str)]) -> BTreeMap<String, String> {
        let answer = self.authorize(changes).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        called_back(answer.location())
    }

    /// The error that the application is told.
    pub async fn error(&mut self, changes: &[(&str, &str)]) -> String {
        let said = self.answered(changes).await;
        assert!(!said.contains_key("code"), "{said:?}");
        said["error"].clone()
    }

    /// The error that the application is told when the visitor follows the link of the page: nobody is led to it.
    pub async fn offered(&mut self, changes: &[(&str, &str)]) -> String {
        let page = self.authorize(changes).await;
        assert_eq!(page.status, 400, "{}", page.body);
        assert!(!page.has_header("location") && !page.body.contains("http-equiv=\"refresh\""));
        assert!(page.body.contains("Back to Agent Desktop"), "{}", page.body);
        called_back(&onward(&page))["error"].clone()
    }

    /// The code for whoever is signed in.
    pub async fn code(&mut self, changes: &[(&str, &str)]) -> String {
        let said = self.answered(changes).await;
        assert!(said.contains_key("code"), "{said:?}");
        assert_eq!(said["iss"], ISSUER);
        said["code"].clone()
    }

    /// Posts to an endpoint, with the secret in the header if there is one.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut program = Browser::program();
        program.without_origin();
        let mut fields = fields.to_vec();
        match &self.secret {
            Some(secret) => {
                let both = base64::engine::general_purpose::STANDARD.encode(format!("{}:{secret}", self.id));
                program.extra.push(("authorization", format!("Basic {both}")));
            }
            None => fields.push(("client_id", &self.id)),
        }
        program.post(&self.site, path, &fields).await
    }

    /// Trades a code in.
    pub async fn trade(&self, code: &str) -> Answer {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
        ];
        self.post("/oauth/token", &fields).await
    }

    /// Tokens for whoever is signed in.
    pub async fn tokens(&mut self, changes: &[(&str, &str)]) -> Value {
        let code = self.code(changes).await;
        json(&self.trade(&code).await)
    }

    pub async fn refresh(&self, token: &str) -> Answer {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.post("/oauth/token", &fields).await
    }

    pub async fn userinfo(&self, token: &str) -> Answer {
        let mut program = Browser::program();
        program.extra.push(("authorization", format!("Bearer {token}")));
        program.get(&self.site, "/oauth/userinfo").await
    }

    /// The claims of a token, after its signature was found to be one of the published keys.
    pub async fn verified(&self, token: &str) -> Value {
        let keys = Browser::program().get(&self.site, "/oauth/jwks").await;
        let keys: CoreJsonWebKeySet = serde_json::from_str(&keys.body).unwrap();
        let (text, signature) = token.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let header = part(token, 0);
        let known = [
            ("ES256", CoreJwsSigningAlgorithm::EcdsaP256Sha256),
            ("RS256", CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256),
        ];
        let (_, algorithm) = known
            .into_iter()
            .find(|(name, _)| header["alg"] == *name)
            .unwrap();
        let kid = header["kid"].as_str().unwrap();
        let of_kid = keys
            .keys()
            .iter()
            .filter(|key| key.key_id().is_some_and(|id| id.as_str() == kid));
        let verified = of_kid
            .filter(|key| {
                key.verify_signature(&algorithm, text.as_bytes(), &signature)
                    .is_ok()
            })
            .count();
        assert_eq!(verified, 1, "signed by exactly one published key");
        part(token, 1)
    }
}

/// Header or claims of a token.
pub fn part(token: &str, place: usize) -> Value {
    let part = token.split('.').nth(place).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

pub fn json(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("cache-control"), "no-store");
    serde_json::from_str(&answer.body).unwrap()
}

/// The word of an error of an endpoint.
pub fn refused(answer: &Answer) -> String {
    assert!(answer.status >= 400, "{}", answer.body);
    let value: Value = serde_json::from_str(&answer.body).unwrap();
    value["error"].as_str().unwrap().to_owned()
}

/// The parameters with which a browser came back.
pub fn called_back(location: &str) -> BTreeMap<String, String> {
    assert!(location.starts_with(CALLBACK), "{location}");
    let (_, query) = location.split_once('?').unwrap();
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// A parameter of a local address.
pub fn parameter(location: &str, name: &str) -> String {
    let (_, query) = location.split_once('?').unwrap();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(found, _)| found == name).unwrap().1.into_owned()
}

/// Where a page leads on to by itself.
pub fn led_on(page: &Answer) -> String {
    assert_eq!(page.status, 200, "{}", page.body);
    onward(page)
}

/// Where a page has a link to.
fn onward(page: &Answer) -> String {
    assert_eq!(page.header("referrer-policy"), "strict-origin");
    let (_, rest) = page.body.split_once("href=\"https://desktop").unwrap();
    let (address, _) = rest.split_once('"').unwrap();
    format!("https://desktop{}", address.replace("&amp;", "&"))
}
