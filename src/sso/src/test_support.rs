//! A provider on a real socket that can be told to misbehave, for tests of this crate and of those above it.
#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a test ends at the first thing that goes wrong"
)]

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use rsa::{pkcs8::EncodePrivateKey, traits::PublicKeyParts};
use serde_json::{Value, json};

/// How it signs.
#[derive(Clone, Copy, Debug)]
pub enum Signature {
    /// With a curve.
    Es256,
    /// With RSA.
    Rs256,
}

/// How it behaves at the token endpoint, and the ill ones everywhere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mood {
    /// As it should.
    Good,
    /// Tokens say that they are not signed.
    Unsigned,
    /// Tokens are signed with the application's secret.
    SignedWithTheSecret,
    /// Tokens are signed by somebody else.
    ForeignKey,
    /// The same, and tokens bring the key along.
    KeyInHeader,
    /// Tokens name a key that nobody knows.
    UnknownKey,
    /// Signatures fit nothing.
    Damaged,
    /// There is no ID token.
    NoToken,
    /// The ID token is none.
    Garbage,
    /// The exchange is refused with this word.
    Refusing(&'static str),
    /// Everything is answered with 500.
    Down,
    /// Nothing is answered.
    Silent,
    /// Everything is answered, a while later.
    Slow(Duration),
    /// Answers are a byte too long.
    Huge,
    /// Everything leads elsewhere.
    Redirecting,
    /// Everything is a web page.
    NotJson,
}

enum Key {
    Es256(EcdsaKeyPair),
    /// With modulus and exponent.
    Rs256(RsaKeyPair, [String; 2]),
}

struct Inner {
    key: Key,
    kid: u32,
    mood: Mood,
    claims: Value,
    published: Value,
    answer: Value,
    calls: Vec<String>,
    exchange: HashMap<String, String>,
}

/// The provider. Clones are the same.
#[derive(Clone)]
pub struct Issuer {
    /// Its issuer, without a slash at the end; for Office 365 `/common/v2.0` follows.
    pub url: String,
    inner: Arc<Mutex<Inner>>,
}

fn new_key(signature: Signature) -> Key {
    match signature {
        Signature::Es256 => {
            let random = SystemRandom::new();
            let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
            let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random);
            Key::Es256(key.unwrap())
        }
        Signature::Rs256 => {
            let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
            let numbers = [key.n(), key.e()].map(|number| BASE64.encode(number.to_bytes_be()));
            Key::Rs256(
                RsaKeyPair::from_pkcs8(key.to_pkcs8_der().unwrap().as_bytes()).unwrap(),
                numbers,
            )
        }
    }
}

impl Key {
    fn jwk(&self, kid: u32) -> Value {
        match self {
            Self::Es256(key) => {
                let point = key.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "use": "sig", "kid": kid.to_string(),
                    "x": BASE64.encode(&point[1..33]), "y": BASE64.encode(&point[33..])})
            }
            Self::Rs256(_, [n, e]) => {
                json!({"kty": "RSA", "use": "sig", "kid": kid.to_string(), "alg": "RS256", "n": n, "e": e})
            }
        }
    }

    const fn algorithm(&self) -> &'static str {
        match self {
            Self::Es256(_) => "ES256",
            Self::Rs256(..) => "RS256",
        }
    }

    fn sign(&self, text: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Es256(key) => key.sign(&random, text).unwrap().as_ref().to_vec(),
            Self::Rs256(key, _) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, text, &mut signature)
                    .unwrap();
                signature
            }
        }
    }
}

impl Issuer {
    /// Begins to listen, on a port of its own.
    pub async fn start() -> Self {
        Self::start_with(Signature::Es256).await
    }

    /// The same, with this way to sign.
    pub async fn start_with(signature: Signature) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            inner: Arc::new(Mutex::new(Inner {
                key: new_key(signature),
                kid: 1,
                mood: Mood::Good,
                claims: Value::Null,
                published: json!({}),
                answer: json!({}),
                calls: Vec::new(),
                exchange: HashMap::new(),
            })),
        };
        let routes = Router::new().fallback(answer).with_state(issuer.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        issuer
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// Behaves like this from now on.
    pub fn feel(&self, mood: Mood) {
        self.lock().mood = mood;
    }

    /// What the next tokens say.
    pub fn will_say(&self, claims: Value) {
        self.lock().claims = claims;
    }

    /// What the discovery document says instead.
    pub fn will_publish(&self, changes: Value) {
        self.lock().published = changes;
    }

    /// What the token endpoint says instead, beside the ID token.
    pub fn will_answer(&self, changes: Value) {
        self.lock().answer = changes;
    }

    /// From now on another key is published and used.
    pub fn rotate(&self) {
        let mut inner = self.lock();
        inner.key = new_key(Signature::Es256);
        inner.kid += 1;
    }

    /// How often this path was asked for.
    pub fn count(&self, path: &str) -> usize {
        self.lock().calls.iter().filter(|call| *call == path).count()
    }

    /// The fields of the last exchange of a code.
    pub fn exchange(&self) -> HashMap<String, String> {
        self.lock().exchange.clone()
    }

    fn discovery(&self, path: &str) -> Value {
        let issuer = match path.split_once("/v2.0/") {
            Some(("/common" | "/organizations", _)) => format!("{}/{{tenantid}}/v2.0", self.url),
            Some((tenant, _)) => format!("{}{tenant}/v2.0", self.url),
            None => self.url.clone(),
        };
        let mut document = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{}/authorize", self.url),
            "token_endpoint": format!("{}/token", self.url),
            "jwks_uri": format!("{}/jwks", self.url),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        });
        for (name, value) in self.lock().published.as_object().unwrap() {
            document[name] = value.clone();
        }
        document
    }

    fn token(&self) -> Value {
        let inner = self.lock();
        let part = |value: &Value| BASE64.encode(value.to_string());
        let algorithm = match inner.mood {
            Mood::Unsigned => "none",
            Mood::SignedWithTheSecret => "HS256",
            _ => inner.key.algorithm(),
        };
        let mut header = json!({"alg": algorithm, "kid": inner.kid.to_string(), "typ": "JWT"});
        let foreign = new_key(Signature::Es256);
        match inner.mood {
            Mood::UnknownKey => header["kid"] = json!("nobody knows"),
            Mood::KeyInHeader => {
                header["jwk"] = foreign.jwk(inner.kid);
                header["jku"] = json!(format!("{}/jwks", self.url));
            }
            _ => {}
        }
        let text = format!("{}.{}", part(&header), part(&inner.claims));
        let signature = match inner.mood {
            Mood::Unsigned => Vec::new(),
            Mood::SignedWithTheSecret => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, b"our-secret");
                hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
            }
            Mood::ForeignKey | Mood::KeyInHeader => foreign.sign(text.as_bytes()),
            Mood::Damaged => inner.key.sign(format!("{text} ").as_bytes()),
            _ => inner.key.sign(text.as_bytes()),
        };
        let token = match inner.mood {
            Mood::Garbage => "garbage".to_owned(),
            _ => format!("{text}.{}", BASE64.encode(signature)),
        };
        let mut answer = json!({"access_token": "at", "token_type": "Bearer", "expires_in": 3600});
        if inner.mood != Mood::NoToken {
            answer["id_token"] = json!(token);
        }
        for (name, value) in inner.answer.as_object().unwrap() {
            answer[name] = value.clone();
        }
        answer
    }
}

async fn answer(State(issuer): State<Issuer>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let body = axum::body::to_bytes(request.into_body(), 1 << 16)
        .await
        .unwrap_or(Bytes::new());
    issuer.lock().calls.push(path.clone());
    let mood = issuer.lock().mood;
    match mood {
        Mood::Down => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Mood::Silent => std::future::pending().await,
        Mood::Slow(while_later) => tokio::time::sleep(while_later).await,
        Mood::Huge => return vec![b' '; 1024 * 1024 + 1].into_response(),
        Mood::Redirecting => {
            return (StatusCode::FOUND, [(header::LOCATION, "/elsewhere")]).into_response();
        }
        Mood::NotJson => return "<html>".into_response(),
        _ => {}
    }
    let json =
        |value: Value| ([(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response();
    match path.as_str() {
        "/jwks" => {
            let inner = issuer.lock();
            json(json!({"keys": [inner.key.jwk(inner.kid)]}))
        }
        "/token" => {
            issuer.lock().exchange = url::form_urlencoded::parse(&body).into_owned().collect();
            match mood {
                Mood::Refusing(error) => {
                    let said = json!({"error": error, "error_description": "secret words"}).to_string();
                    let kind = [(header::CONTENT_TYPE, "application/json")];
                    (StatusCode::BAD_REQUEST, kind, said).into_response()
                }
                _ => json(issuer.token()),
            }
        }
        path if path.ends_with("/.well-known/openid-configuration") => json(issuer.discovery(path)),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
