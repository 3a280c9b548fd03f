//! What providers publish about themselves: the discovery document and the keys, kept for an hour.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use openidconnect::core::CoreJsonWebKeySet;
use serde::Deserialize;
use serde_json::Value;
use url::Url;
use vestibule_core::sso::Provider;

use crate::{
    application::{Application, is_safe},
    error::SsoError,
    http::Http,
};

/// How long documents are used before they are asked for again.
const KEPT_FOR: Duration = Duration::from_hours(1);
/// How often they are asked for before that, because a token is signed with a key that is not among them: once at a time,
/// so that nobody makes us ask with tokens of their own.
const REFRESH_PAUSE: Duration = Duration::from_mins(1);
/// What stands in the issuer of `common` and `organizations` in the place of the tenant.
const PLACEHOLDER: &str = "{tenantid}";

/// What a provider publishes.
#[derive(Clone, Debug)]
pub(crate) struct Documents {
    pub(crate) issuer: String,
    pub(crate) authorization: Url,
    pub(crate) token: Url,
    pub(crate) keys: CoreJsonWebKeySet,
    /// Whether every answer that a browser brings back names the issuer (RFC 9207).
    names_issuer: bool,
    fetched: Instant,
}

impl Documents {
    /// Whether what a browser brought back is the answer of this provider, as far as it says whose it is (RFC 9207,
    /// section 2.4).
    pub(crate) fn is_answer_of(&self, application: &Application, named: Option<&str>) -> bool {
        match named {
            Some(named) => is_of(
                application.provider,
                &application.issuer,
                named.trim_end_matches('/'),
            ),
            None => !self.names_issuer,
        }
    }

    /// The issuer that a token of this tenant must name.
    pub(crate) fn issuer_for(&self, tenant: &str) -> String {
        self.issuer.replace(PLACEHOLDER, tenant)
    }
}

/// What is used of a discovery document. The rest is not read, so that nothing is wrong with it.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
    #[serde(default)]
    authorization_response_iss_parameter_supported: Value,
}

impl Metadata {
    fn names_issuer(&self) -> bool {
        match &self.authorization_response_iss_parameter_supported {
            Value::Bool(said) => *said,
            Value::String(said) => said.eq_ignore_ascii_case("true"),
            _ => false,
        }
    }
}

/// The documents of all issuers that were met.
#[derive(Default)]
pub(crate) struct Library {
    known: Mutex<HashMap<String, Entry>>,
    /// Held by whoever asks an issuer, so that the others wait for the answer and do not ask too.
    asking: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

struct Entry {
    documents: Arc<Documents>,
    /// When they were last asked for because a key was missing.
    refreshed: Option<Instant>,
}

impl Library {
    /// The documents of the application's issuer, fetched when there are none or they are old.
    pub(crate) async fn of(
        &self,
        application: &Application,
        http: &Http,
    ) -> Result<Arc<Documents>, SsoError> {
        if let Some(fresh) = self.fresh(&application.issuer) {
            return Ok(fresh);
        }
        let asking = {
            let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(asking.entry(application.issuer.clone()).or_default())
        };
        let _held = asking.lock().await;
        match self.fresh(&application.issuer) {
            Some(fresh) => Ok(fresh),
            None => self.fetch(application, http).await,
        }
    }

    /// The documents anew, because `old` lack a key; `None` when they were asked for a moment ago.
    pub(crate) async fn newer_than(
        &self,
        old: &Documents,
        application: &Application,
        http: &Http,
    ) -> Result<Option<Arc<Documents>>, SsoError> {
        let may_ask = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            match known.get_mut(&application.issuer) {
                Some(entry) if entry.documents.fetched > old.fetched => {
                    return Ok(Some(Arc::clone(&entry.documents)));
                }
                Some(entry) if entry.refreshed.is_some_and(|at| at.elapsed() < REFRESH_PAUSE) => false,
                Some(entry) => {
                    entry.refreshed = Some(Instant::now());
                    true
                }
                None => true,
            }
        };
        if !may_ask {
            return Ok(None);
        }
        self.fetch(application, http).await.map(Some)
    }

    /// The documents, fetched now whatever is known.
    pub(crate) async fn fetch(
        &self,
        application: &Application,
        http: &Http,
    ) -> Result<Arc<Documents>, SsoError> {
        let issuer = &application.issuer;
        let bytes = http
            .get(&format!("{issuer}/.well-known/openid-configuration"))
            .await?;
        let metadata: Metadata = serde_json::from_slice(&bytes).map_err(|_| SsoError::NotUnderstood)?;
        if !is_of(
            application.provider,
            issuer,
            metadata.issuer.trim_end_matches('/'),
        ) {
            return Err(SsoError::WrongIssuer);
        }
        let names_issuer = metadata.names_issuer();
        let address = |url: Url| Some(url).filter(is_safe).ok_or(SsoError::NotUnderstood);
        let keys = http.get(address(metadata.jwks_uri)?.as_str()).await?;
        let documents = Arc::new(Documents {
            authorization: address(metadata.authorization_endpoint)?,
            token: address(metadata.token_endpoint)?,
            keys: serde_json::from_slice(&keys).map_err(|_| SsoError::NotUnderstood)?,
            issuer: metadata.issuer,
            names_issuer,
            fetched: Instant::now(),
        });
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let refreshed = known.get(issuer).and_then(|entry| entry.refreshed);
        let entry = Entry {
            documents: Arc::clone(&documents),
            refreshed,
        };
        known.insert(issuer.clone(), entry);
        Ok(documents)
    }

    fn fresh(&self, issuer: &str) -> Option<Arc<Documents>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let documents = &known.get(issuer)?.documents;
        (documents.fetched.elapsed() < KEPT_FOR).then(|| Arc::clone(documents))
    }
}

/// Whether a document that names this issuer belongs to the one that was asked. For Office 365 the tenant may be left
/// open, or may be the number of the tenant that was asked for by name.
fn is_of(provider: Provider, asked: &str, published: &str) -> bool {
    match provider {
        Provider::Google => asked == published,
        Provider::Office365 => {
            let parts = |issuer: &str| -> Option<(String, String)> {
                let (rest, version) = issuer.rsplit_once('/')?;
                let (authority, _) = rest.rsplit_once('/')?;
                Some((authority.to_owned(), version.to_owned()))
            };
            parts(asked).is_some() && parts(asked) == parts(published)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_the_one_that_was_asked() {
        let google = |published| is_of(Provider::Google, "https://accounts.google.com", published);
        assert!(google("https://accounts.google.com"));
        assert!(!google("https://accounts.google.com.evil.test") && !google("https://evil.test"));
        let common = "https://login.microsoftonline.com/common/v2.0";
        let office = |published| is_of(Provider::Office365, common, published);
        assert!(office("https://login.microsoftonline.com/{tenantid}/v2.0"));
        assert!(office(
            "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"
        ));
        for other in [
            "https://evil.test/{tenantid}/v2.0",
            "https://login.microsoftonline.com/{tenantid}/v1.0",
            "https://login.microsoftonline.com/a/{tenantid}/v2.0",
            "",
        ] {
            assert!(!office(other), "{other}");
        }
    }
}
