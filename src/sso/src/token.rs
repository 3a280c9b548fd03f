//! The verification of ID tokens (OpenID Connect Core 1.0, section 3.1.3.7).

use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::{
    AdditionalClaims, ClaimsVerificationError, ClientId, ClientSecret, IdToken, IdTokenClaims, IssuerUrl,
    Nonce, SignatureVerificationError,
    core::{
        CoreGenderClaim, CoreIdTokenVerifier, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    },
};
use serde::{Deserialize, Serialize};
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
/// The only ways to sign that are taken.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 2] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
];

/// Claims of Office 365, and one that the library does not look at.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct MoreClaims {
    tid: Option<String>,
    oid: Option<String>,
    nbf: Option<i64>,
}

impl AdditionalClaims for MoreClaims {}

type Token = IdToken<MoreClaims, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;
type Claims = IdTokenClaims<MoreClaims, CoreGenderClaim>;

/// Verifies a token and says whom it is about.
pub(crate) fn verify(
    raw: &str,
    nonce: &str,
    application: &Application,
    documents: &Documents,
    now: Moment,
) -> Result<Identity, SsoError> {
    let token = Token::from_str(raw).map_err(|_| SsoError::Token(TokenProblem::Missing))?;
    let issuer = IssuerUrl::new(documents.issuer.clone()).map_err(|_| SsoError::WrongIssuer)?;
    let verifier = CoreIdTokenVerifier::<'_>::new_confidential_client(
        ClientId::new(application.client_id.clone()),
        ClientSecret::new((*application.client_secret).clone()),
        issuer,
        documents.keys.clone(),
    )
    .set_allowed_algs(ALGORITHMS)
    // The issuer of Office 365 depends on the tenant and is compared below.
    .require_issuer_match(application.provider == Provider::Google)
    .set_time_fn(|| now - LEEWAY)
    .set_issue_time_verifier_fn(|issued: DateTime<Utc>| {
        if issued <= now + LEEWAY && issued >= now - OLDEST - LEEWAY {
            Ok(())
        } else {
            Err("issued at another time".to_owned())
        }
    });
    let claims = token
        .claims::<CoreJsonWebKey, _>(&verifier, &Nonce::new(nonce.to_owned()))
        .map_err(|error| SsoError::Token(problem(&error)))?;
    let authorized = claims.authorized_party().map(|party| party.as_str());
    if authorized.is_some_and(|party| party != application.client_id) {
        return Err(SsoError::Token(TokenProblem::Audience));
    }
    let begins = claims.additional_claims().nbf;
    if begins.is_some_and(|begins| begins > (now + LEEWAY).timestamp()) {
        return Err(SsoError::Token(TokenProblem::Time));
    }
    let key = match application.provider {
        Provider::Google => google_key(claims)?,
        Provider::Office365 => office365_key(claims, application, documents)?,
    };
    Ok(Identity {
        provider: application.provider,
        key,
        shown: shown(claims),
    })
}

fn google_key(claims: &Claims) -> Result<String, SsoError> {
    let subject = claims.subject().as_str();
    if subject.is_empty() {
        return Err(SsoError::Token(TokenProblem::Subject));
    }
    Ok(format!("{} {subject}", claims.issuer().as_str()))
}

/// Tenant and object. The issuer must be the one of that tenant, or any tenant could speak for any other.
fn office365_key(
    claims: &Claims,
    application: &Application,
    documents: &Documents,
) -> Result<String, SsoError> {
    let MoreClaims { tid, oid, .. } = claims.additional_claims();
    let is_number =
        |text: &&String| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let (Some(tenant), Some(object)) = (tid.as_ref().filter(is_number), oid.as_ref().filter(is_number))
    else {
        return Err(SsoError::Token(TokenProblem::Subject));
    };
    if claims.issuer().as_str() != documents.issuer_for(tenant) {
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

/// What its owner knows it by. It proves nothing.
fn shown(claims: &Claims) -> String {
    let email = claims.email().map(|email| email.as_str());
    let name = claims.preferred_username().map(|name| name.as_str());
    email.or(name).unwrap_or_default().chars().take(254).collect()
}

fn problem(error: &ClaimsVerificationError) -> TokenProblem {
    use ClaimsVerificationError as E;
    match error {
        E::Expired(_) | E::InvalidAuthTime(_) => TokenProblem::Time,
        E::InvalidAudience(_) => TokenProblem::Audience,
        E::InvalidIssuer(_) => TokenProblem::Issuer,
        E::InvalidNonce(_) => TokenProblem::Nonce,
        E::InvalidSubject(_) => TokenProblem::Subject,
        E::SignatureVerification(
            SignatureVerificationError::DisallowedAlg(_)
            | SignatureVerificationError::UnsupportedAlg(_)
            | SignatureVerificationError::NoSignature,
        ) => TokenProblem::Algorithm,
        E::SignatureVerification(_) => TokenProblem::Signature,
        _ => TokenProblem::Missing,
    }
}
