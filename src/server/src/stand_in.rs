//! Google and Office 365, played for the demo and the test kit: a page with one click to "Continue as …" in the place of
//! theirs, and a token that Vestibule verifies like any other. Discovery, keys, authorization code with PKCE, ES256. Everybody
//! is who they say there, so it stands on loopback only, and `serve` without the test kit never has it.

use std::{
    collections::HashMap,
    fmt::Write as _,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Form, Json, Router,
    extract::{DefaultBodyLimit, Path, Query, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use leptos::prelude::*;
use ring::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;
use vestibule_core::{limits::BODY_MAX, ports::Clock, secret::Token, sso::Provider};
use vestibule_sso::Application;

use crate::{config::Config, system::SystemRandomness};

/// The tenant of everybody who comes from Office 365.
const TENANT: &str = "11111111-2222-4333-8444-555555555555";
/// Where the providers stand.
const BELOW: &str = "/_test/providers";
/// How many people the page offers.
const OFFERED: usize = 20;
/// The one secret that no application has.
const WRONG_SECRET: &str = "wrong";

/// Whether anybody may be played at this address: only where no other machine reaches it.
#[must_use]
pub fn may_listen(address: SocketAddr) -> bool {
    address.ip().is_loopback()
}

/// What the providers know.
pub struct Providers {
    /// Scheme, host and port.
    origin: String,
    key: EcdsaKeyPair,
    clock: Arc<dyn Clock>,
    /// Codes that were given and not yet exchanged.
    codes: Mutex<HashMap<String, Given>>,
    /// Addresses of accounts, the newest first.
    people: Mutex<Vec<String>>,
}

/// For whom and for what a code was given.
struct Given {
    email: String,
    asked: Asked,
}

/// What a browser asks for.
#[derive(Clone, Deserialize)]
struct Asked {
    client_id: String,
    redirect_uri: String,
    state: String,
    nonce: String,
    code_challenge: String,
    /// Whoever goes on.
    email: Option<String>,
    /// Whether somebody says no.
    cancel: Option<String>,
}

/// How a code is exchanged.
#[derive(Deserialize)]
struct Exchange {
    client_id: String,
    client_secret: String,
    redirect_uri: String,
    code: String,
    code_verifier: String,
}

/// Puts the providers that are played in the place of those about which the operator said nothing.
pub fn settle(config: &mut Config) {
    let origin = origin(config.listen);
    for settings in &mut config.sso {
        let (usual, tenant) = match settings.provider {
            Provider::Google => (Application::GOOGLE.to_owned(), ""),
            Provider::Office365 => (Application::office365("organizations"), "/common/v2.0"),
        };
        if settings.application.is_none() && settings.issuer == usual {
            settings.issuer = [&origin, BELOW, "/", settings.provider.as_str(), tenant].concat();
            settings.application = Some(("test-kit".to_owned(), "test-kit".to_owned().into()));
        }
    }
}

fn origin(address: SocketAddr) -> String {
    format!("http://{address}")
}

impl Providers {
    /// Providers at the address of this server.
    ///
    /// # Errors
    /// When the machine offers no randomness.
    pub fn new(address: SocketAddr, clock: Arc<dyn Clock>) -> Result<Self, ring::error::Unspecified> {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)?;
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random)
            .map_err(|_| ring::error::Unspecified)?;
        Ok(Self {
            origin: origin(address),
            key,
            clock,
            codes: Mutex::default(),
            people: Mutex::default(),
        })
    }

    /// Offers this account from now on.
    pub fn offer(&self, email: &str) {
        let mut people = held(&self.people);
        people.retain(|known| known != email);
        people.insert(0, email.to_owned());
        people.truncate(OFFERED);
    }

    /// Forgets everybody.
    pub fn forget(&self) {
        held(&self.people).clear();
        held(&self.codes).clear();
    }

    fn address(&self, provider: Provider) -> String {
        [&self.origin, BELOW, "/", provider.as_str()].concat()
    }

    /// What a discovery document says; `tenant` as it stands in its address.
    fn document(&self, provider: Provider, tenant: &str) -> Value {
        let address = self.address(provider);
        let issuer = match (provider, tenant) {
            (Provider::Google, _) => address.clone(),
            (Provider::Office365, "common" | "organizations") => format!("{address}/{{tenantid}}/v2.0"),
            (Provider::Office365, tenant) => format!("{address}/{tenant}/v2.0"),
        };
        json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{address}/authorize"),
            "token_endpoint": format!("{address}/token"),
            "jwks_uri": format!("{address}/keys"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        })
    }

    fn keys(&self) -> Value {
        let point = self.key.public_key().as_ref();
        json!({"keys": [{
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "test-kit",
            "x": BASE64.encode(&point[1..33]), "y": BASE64.encode(&point[33..]),
        }]})
    }

    fn token(&self, provider: Provider, given: &Given, now: i64) -> Result<String, ring::error::Unspecified> {
        let number = numbered(&given.email);
        let mut claims = json!({
            "iss": self.address(provider), "aud": given.asked.client_id, "sub": number, "nonce": given.asked.nonce,
            "iat": now, "exp": now + 3600, "email": given.email,
        });
        if provider == Provider::Office365 {
            claims["iss"] = format!("{}/{TENANT}/v2.0", self.address(provider)).into();
            claims["tid"] = TENANT.into();
            claims["oid"] = number.into();
        }
        let part = |value: &Value| BASE64.encode(value.to_string());
        let header = json!({"alg": "ES256", "kid": "test-kit", "typ": "JWT"});
        let text = format!("{}.{}", part(&header), part(&claims));
        let signature = self.key.sign(&SystemRandom::new(), text.as_bytes())?;
        Ok(format!("{text}.{}", BASE64.encode(signature)))
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The number that somebody has at a provider, the same every time.
fn numbered(email: &str) -> String {
    let hash = digest(&SHA256, email.to_lowercase().as_bytes());
    hash.as_ref()
        .iter()
        .take(16)
        .fold(String::new(), |mut number, byte| {
            let _ = write!(number, "{byte:02x}");
            number
        })
}

/// The providers' addresses.
pub fn router(providers: Arc<Providers>) -> Router {
    Router::new()
        .route(
            "/_test/providers/google/.well-known/openid-configuration",
            get(async |State(providers): State<Arc<Providers>>| {
                Json(providers.document(Provider::Google, ""))
            }),
        )
        .route(
            "/_test/providers/office365/{tenant}/v2.0/.well-known/openid-configuration",
            get(
                async |State(providers): State<Arc<Providers>>, Path(tenant): Path<String>| {
                    Json(providers.document(Provider::Office365, &tenant))
                },
            ),
        )
        .route(
            "/_test/providers/{provider}/keys",
            get(async |State(providers): State<Arc<Providers>>| Json(providers.keys())),
        )
        .route("/_test/providers/{provider}/authorize", get(authorize))
        .route("/_test/providers/{provider}/token", post(token))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(providers)
}

async fn authorize(
    State(providers): State<Arc<Providers>>,
    Path(word): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let Some(provider) = Provider::from_word(&word) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Ok(mut back) = Url::parse(&asked.redirect_uri) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let email = asked.email.as_deref().map(str::trim).unwrap_or_default();
    if asked.cancel.is_none() && email.is_empty() {
        let people = held(&providers.people).clone();
        return Html(page(provider, &asked, people)).into_response();
    }
    let answer = if asked.cancel.is_some() {
        ("error", "access_denied".to_owned())
    } else {
        let code = Token::new(&SystemRandomness).reveal();
        let given = Given {
            email: email.to_owned(),
            asked: asked.clone(),
        };
        held(&providers.codes).insert(code.clone(), given);
        ("code", code)
    };
    back.query_pairs_mut()
        .append_pair(answer.0, &answer.1)
        .append_pair("state", &asked.state);
    Redirect::to(back.as_str()).into_response()
}

async fn token(
    State(providers): State<Arc<Providers>>,
    Path(word): Path<String>,
    Form(exchange): Form<Exchange>,
) -> Response {
    let refused = |word: &str| (StatusCode::BAD_REQUEST, Json(json!({ "error": word }))).into_response();
    let Some(provider) = Provider::from_word(&word) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if exchange.client_secret == WRONG_SECRET {
        return refused("invalid_client");
    }
    let Some(given) = held(&providers.codes).remove(&exchange.code) else {
        return refused("invalid_grant");
    };
    let challenge = BASE64.encode(digest(&SHA256, exchange.code_verifier.as_bytes()));
    let Asked {
        client_id,
        redirect_uri,
        code_challenge,
        ..
    } = &given.asked;
    if (&exchange.client_id, &exchange.redirect_uri, &challenge) != (client_id, redirect_uri, code_challenge)
    {
        return refused("invalid_grant");
    }
    match providers.token(provider, &given, providers.clock.now().timestamp()) {
        Ok(token) => Json(json!({
            "access_token": "of-no-use", "token_type": "Bearer", "expires_in": 3600, "id_token": token,
        }))
        .into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The page that asks who it is.
fn page(provider: Provider, asked: &Asked, people: Vec<String>) -> String {
    let hidden = |asked: &Asked| {
        [
            ("client_id", &asked.client_id),
            ("redirect_uri", &asked.redirect_uri),
            ("state", &asked.state),
            ("nonce", &asked.nonce),
            ("code_challenge", &asked.code_challenge),
        ]
        .map(|(name, value)| view! { <input type="hidden" name=name value=value.clone() /> })
        .into_iter()
        .collect_view()
    };
    let known = people
        .into_iter()
        .map(|email| {
            let label = format!("Continue as {email}");
            view! {
                <form>
                    {hidden(asked)} <input type="hidden" name="email" value=email /> <button>{label}</button>
                </form>
            }
        })
        .collect_view();
    let title = format!("{} (stand-in)", provider.name());
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <title>{title.clone()}</title>
            </head>
            <body>
                <main>
                    <h1>{title}</h1>
                    {known}
                    <form>
                        {hidden(asked)} <label>"E-mail" <input type="email" name="email" required /></label>
                        <button>"Continue"</button>
                    </form>
                    <form>
                        {hidden(asked)} <button name="cancel" value="yes">"Cancel"</button>
                    </form>
                </main>
            </body>
        </html>
    }
    .to_html()
}
