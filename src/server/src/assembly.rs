//! Puts the use cases together from the settings: the same for the server, the commands and the test kit.

use std::sync::Arc;

use vestibule_core::ports::{Clock, Randomness};
use vestibule_service::{
    Service, Settings,
    hashing::{HashCost, Hasher, HashingError},
    keys::{BadKeys, Key, Keys},
    sign_in::sso::{KnownProvider, Providers},
};
use vestibule_sso::{Client, SsoError};
use vestibule_storage::Store;

use crate::{
    config::Config,
    key_file::{self, KeyFileError, KeyMaterial},
};

/// Why the use cases cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum AssemblyError {
    /// The key file cannot be used.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// Its keys cannot be used.
    #[error(transparent)]
    Keys(#[from] BadKeys),
    /// The first password could not be hashed.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// The client that asks providers could not be made.
    #[error(transparent)]
    Sso(#[from] SsoError),
}

fn versions(keys: Vec<KeyMaterial>) -> Vec<Key> {
    keys.into_iter()
        .map(|KeyMaterial { version, secret }| Key { version, secret })
        .collect()
}

/// Tags of the languages on offer; the first is the fallback.
pub fn languages() -> Vec<String> {
    vestibule_translations::all()
        .iter()
        .map(|locale| vestibule_translations::tag(*locale).to_owned())
        .collect()
}

/// The use cases on this database. Makes the key file when there is none.
///
/// # Errors
/// [`AssemblyError`] when the key file cannot be used.
pub fn service(
    config: &Config,
    store: Store,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
) -> Result<Service, AssemblyError> {
    let keys = key_file::load_or_create(&config.key_file, clock.as_ref(), randomness.as_ref())?.into_keys();
    let path = config.key_file.clone();
    let source = Box::new(move || match key_file::load(&path) {
        Ok(file) => Some(versions(file.into_keys())),
        Err(error) => {
            tracing::error!(%error, "the key file cannot be read again");
            None
        }
    });
    let keys = Keys::new(versions(keys))?.with_source(source);
    let hasher = Hasher::new(HashCost::default(), config.hashing_threads, randomness.as_ref())?;
    let settings = Settings {
        languages: languages(),
        source_limits: config.sources,
        report_sources_only: config.report_sources_only,
        origin: config.origin(),
        company_mail_reach: config.company_mail_reach,
        sso: providers(config)?,
    };
    Ok(Service::new(store, clock, randomness, hasher, keys, settings))
}

/// The providers. A machine on which none can be spoken to serves passwords all the same, unless the operator configured
/// one.
fn providers(config: &Config) -> Result<Option<Arc<Providers>>, AssemblyError> {
    let client = match Client::new(None) {
        Ok(client) => client,
        Err(error) if config.sso.iter().any(|provider| provider.application.is_some()) => {
            return Err(error.into());
        }
        Err(error) => {
            tracing::warn!(%error, "nobody can sign in with Google or Office 365");
            return Ok(None);
        }
    };
    let known = config
        .sso
        .iter()
        .map(|settings| KnownProvider {
            provider: settings.provider,
            issuer: settings.issuer.clone(),
            application: settings.application.clone(),
        })
        .collect();
    Ok(Some(Arc::new(Providers::new(client, known))))
}
