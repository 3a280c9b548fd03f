//! The verification of ID tokens (OpenID Connect Core 1.0, section 3.1.3.7).
//!
//! The library checks signatures. The claims are read here and not by it: it reads all that the standard knows and refuses a
//! token for the wrong type of one that nobody asked for, such as an `email_verified` that is text. Here only claims
//! that are used are read.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use chrono::TimeDelta;
use openidconnect::{
    JsonWebKey, JsonWebKeyId, JsonWebKeyUse, Nonce, NonceVerifier,
    core::{CoreJsonWebKey, CoreJwsSigningAlgorithm},
};
use serde::Deserialize;
use serde_json::{Map, Value};
use vestibule_core::{
    ports::Moment,
    sso::{Identity, Provider},
};

use crate::{
    application::Application,
    documents::Documents,
    error::{SsoError, TokenProblem},
};

/// How far a provider's clock may be off.
const LEEWAY: TimeDelta = TimeDelta::seconds(60);
/// How old a token may be: a sign-in takes no longer.
const OLDEST: TimeDelta = TimeDelta::minutes(10);
/// Longest token that is read, in bytes.
const TOKEN_MAX: usize = 64 * 1024;

/// What a token says of itself (RFC 7515, section 4.1).
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<JsonWebKeyId>,
    typ: Option<String>,
    cty: Option<Value>,
    crit: Option<Value>,
}

impl Header {
    /// How it is signed: in one of the two ways that are taken.
    fn algorithm(&self) -> Result<CoreJwsSigningAlgorithm, TokenProblem> {
        match self.alg.as_str() {
            "RS256" => Ok(CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256),
            "ES256" => Ok(CoreJwsSigningAlgorithm::EcdsaP256Sha256),
            _ => Err(TokenProblem::Algorithm),
        }
    }

    /// Whether it is a token of claims, and none of another kind or with demands that are not understood here.
    fn is_plain(&self) -> bool {
        let is_jwt =
            |typ: &String| typ.eq_ignore_ascii_case("JWT") || typ.eq_ignore_ascii_case("application/jwt");
        self.typ.as_ref().is_none_or(is_jwt) && self.cty.is_none() && self.crit.is_none()
    }
}

/// The claims of a token. `null` is as good as none.
struct Claims(Map<String, Value>);

impl Claims {
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A claim that is text, if it is there.
    fn text_if_any(&self, name: &'static str) -> Result<Option<&str>, TokenProblem> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(TokenProblem::Claim(name)),
        }
    }

    fn text(&self, name: &'static str) -> Result<&str, TokenProblem> {
        self.text_if_any(name)?.ok_or(TokenProblem::Claim(name))
    }

    /// Seconds since 1970, if the claim is there: as a number, or as the text of one.
    fn seconds_if_any(&self, name: &'static str) -> Result<Option<i64>, TokenProblem> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let seconds = match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        seconds
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .and_then(|since| i64::try_from(since.as_secs()).ok())
            .map(Some)
            .ok_or(TokenProblem::Claim(name))
    }

    fn seconds(&self, name: &'static str) -> Result<i64, TokenProblem> {
        self.seconds_if_any(name)?.ok_or(TokenProblem::Claim(name))
    }

    /// Whom the token was made for: text, or a list of it.
    fn audience(&self) -> Result<Vec<&str>, TokenProblem> {
        let wrong = TokenProblem::Claim("aud");
        match self.get("aud") {
            Some(Value::String(one)) => Ok(vec![one]),
            Some(Value::Array(many)) => many.iter().map(|one| one.as_str().ok_or(wrong)).collect(),
            _ => Err(wrong),
        }
    }

    /// What its owner knows the account by. It proves nothing, so whatever else stands there is passed over.
    fn shown(&self) -> String {
        ["email", "preferred_username"]
            .into_iter()
            .find_map(|name| self.text_if_any(name).ok().flatten())
            .unwrap_or_default()
            .chars()
            .take(254)
            .collect()
    }
}

/// Verifies a token and says whom it is about.
pub(crate) fn verify(
    raw: &str,
    nonce: &str,
    application: &Application,
    documents: &Documents,
    now: Moment,
) -> Result<Identity, SsoError> {
    let claims = signed_claims(raw, documents).map_err(SsoError::Token)?;
    let issuer = claims.text("iss").map_err(SsoError::Token)?;
    // The issuer of Office 365 depends on the tenant and is compared below.
    if application.provider == Provider::Google && issuer != documents.issuer {
        return Err(SsoError::Token(TokenProblem::Issuer));
    }
    check(&claims, nonce, application, now).map_err(SsoError::Token)?;
    let key = match application.provider {
        Provider::Google => google_key(&claims, issuer)?,
        Provider::Office365 => office365_key(&claims, issuer, application, documents)?,
    };
    Ok(Identity {
        provider: application.provider,
        key,
        shown: claims.shown(),
    })
}

/// The claims, when a key of the provider signed them. Nothing of them is believed before.
fn signed_claims(raw: &str, documents: &Documents) -> Result<Claims, TokenProblem> {
    if raw.len() > TOKEN_MAX {
        return Err(TokenProblem::Missing);
    }
    let mut parts = raw.split('.');
    let (Some(header), Some(claims), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(TokenProblem::Missing);
    };
    let decode = |part: &str| BASE64.decode(part).map_err(|_| TokenProblem::Missing);
    let bytes = decode(claims)?;
    let signature = decode(signature)?;
    let signed = raw
        .get(..header.len() + 1 + claims.len())
        .ok_or(TokenProblem::Missing)?;
    let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| TokenProblem::Missing)?;
    let algorithm = header.algorithm()?;
    if !header.is_plain() {
        return Err(TokenProblem::Missing);
    }
    let may_sign = |key: &&CoreJsonWebKey| {
        let named = header.kid.is_none() || key.key_id() == header.kid.as_ref();
        named && key.key_use().is_none_or(JsonWebKeyUse::allows_signature)
    };
    // A key of another kind than the algorithm's verifies nothing: the library compares them.
    let is_signed = documents.keys.keys().iter().filter(may_sign).any(|key| {
        key.verify_signature(&algorithm, signed.as_bytes(), &signature)
            .is_ok()
    });
    if !is_signed {
        return Err(TokenProblem::Signature);
    }
    serde_json::from_slice(&bytes)
        .map(Claims)
        .map_err(|_| TokenProblem::Missing)
}

/// Whether the token is for us, of now, and the answer to what was asked.
fn check(claims: &Claims, nonce: &str, application: &Application, now: Moment) -> Result<(), TokenProblem> {
    let audience = claims.audience()?;
    let is_us = |party: &str| party == application.client_id;
    if audience.is_empty() || !audience.into_iter().all(is_us) {
        return Err(TokenProblem::Audience);
    }
    if !claims.text_if_any("azp")?.is_none_or(is_us) {
        return Err(TokenProblem::Audience);
    }
    let (earliest, latest) = ((now - LEEWAY).timestamp(), (now + LEEWAY).timestamp());
    if claims.seconds("exp")? <= earliest {
        return Err(TokenProblem::Time("exp"));
    }
    let issued = claims.seconds("iat")?;
    if issued > latest || issued < (now - OLDEST - LEEWAY).timestamp() {
        return Err(TokenProblem::Time("iat"));
    }
    if claims
        .seconds_if_any("nbf")?
        .is_some_and(|begins| begins > latest)
    {
        return Err(TokenProblem::Time("nbf"));
    }
    let said = claims
        .text_if_any("nonce")?
        .map(|said| Nonce::new(said.to_owned()));
    (&Nonce::new(nonce.to_owned()))
        .verify(said.as_ref())
        .map_err(|_| TokenProblem::Nonce)
}

fn google_key(claims: &Claims, issuer: &str) -> Result<String, SsoError> {
    let subject = claims.text("sub").map_err(SsoError::Token)?;
    if subject.is_empty() {
        return Err(SsoError::Token(TokenProblem::Subject));
    }
    Ok(format!("{issuer} {subject}"))
}

/// Tenant and object. The issuer must be the one of that tenant, or any tenant could speak for any other.
fn office365_key(
    claims: &Claims,
    issuer: &str,
    application: &Application,
    documents: &Documents,
) -> Result<String, SsoError> {
    let number = |name| {
        let text = claims.text(name)?;
        let is_number = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        is_number.then_some(text).ok_or(TokenProblem::Claim(name))
    };
    let tenant = number("tid").map_err(SsoError::Token)?;
    let object = number("oid").map_err(SsoError::Token)?;
    if issuer != documents.issuer_for(tenant) {
        return Err(SsoError::Token(TokenProblem::Issuer));
    }
    let tenants = &application.tenants;
    if !tenants.is_empty() && !tenants.iter().any(|allowed| allowed.eq_ignore_ascii_case(tenant)) {
        return Err(SsoError::TenantNotAllowed);
    }
    Ok(format!(
        "{} {}",
        tenant.to_ascii_lowercase(),
        object.to_ascii_lowercase()
    ))
}
