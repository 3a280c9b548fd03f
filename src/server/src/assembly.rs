//! Puts the use cases together from the settings: the same for the server, the commands and the test kit.

use std::{path::PathBuf, sync::Arc};

use vestibule_core::ports::{Clock, Randomness};
use vestibule_service::{
    Service, Settings,
    hashing::{HashCost, Hasher, HashingError},
    key_check::{KeyCheckError, KeyMismatch},
    keys::{BadKeys, Key, KeyFingerprint, Keys},
    sign_in::sso::{KnownProvider, Providers},
};
use vestibule_sso::{Client, SsoError};
use vestibule_storage::{KeyCheckRow, Store, StoreError};

use crate::{
    config::{self, Config},
    key_file::{self, KeyFile, KeyFileError, KeyFileProblem, KeyMaterial},
};

/// Why the use cases cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum AssemblyError {
    /// The key file cannot be used.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// There is none, and the database was written with one.
    #[error(
        "the key file {} does not exist, and the database was written with one: {}. Copy it from another node or from \
         your backup; a new key could read nothing of what is encrypted",
        path.display(),
        needed(known)
    )]
    KeyFileNeeded {
        /// Where it should be.
        path: PathBuf,
        /// What should be in it.
        known: Vec<KeyCheckRow>,
    },
    /// It is the file of another installation, or an old one.
    #[error(
        "the key file {} {mismatch}. Copy the key file of another node of this installation, or the one of your backup",
        path.display()
    )]
    ForeignKeys {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        mismatch: KeyMismatch,
    },
    /// The database does not tell what it was written with.
    #[error(transparent)]
    Store(#[from] StoreError),
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

/// What a key file has to hold, for people.
fn needed(known: &[KeyCheckRow]) -> String {
    let keys: Vec<_> = known
        .iter()
        .filter(|row| !row.retired)
        .map(|row| {
            let fingerprint = KeyFingerprint(row.fingerprint);
            format!("version {} with the fingerprint {fingerprint}", row.version)
        })
        .collect();
    if keys.is_empty() {
        "whose keys are not known".to_owned()
    } else {
        keys.join(", ")
    }
}

/// Reads the key file. It is made only for a database that holds nothing yet: on any other a new key would make right
/// codes look wrong.
async fn keys_for(
    store: &Store,
    config: &Config,
    clock: &dyn Clock,
    randomness: &dyn Randomness,
) -> Result<KeyFile, AssemblyError> {
    let mut reader = store.read().await?;
    if reader.is_fresh().await? {
        return Ok(key_file::load_or_create(&config.key_file, clock, randomness)?);
    }
    match key_file::load(&config.key_file) {
        Err(KeyFileError {
            path,
            problem: KeyFileProblem::Missing,
        }) => Err(AssemblyError::KeyFileNeeded {
            path: config::whole(&path),
            known: reader.key_checks().await?,
        }),
        other => Ok(other?),
    }
}

/// The use cases on this database. Makes the key file when the database holds nothing yet; refuses one that is not the
/// database's.
///
/// # Errors
/// [`AssemblyError`] when the key file cannot be used.
pub async fn service(
    config: &Config,
    store: Store,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
) -> Result<Service, AssemblyError> {
    let keys = keys_for(&store, config, clock.as_ref(), randomness.as_ref())
        .await?
        .into_keys();
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
        audit_retention_days: config.audit_retention_days,
        origin: config.origin(),
        company_mail_reach: config.company_mail_reach,
        sso: providers(config)?,
    };
    let service = Service::new(store, clock, randomness, hasher, keys, settings);
    service.upkeep().check_keys().await.map_err(|error| match error {
        KeyCheckError::Store(error) => AssemblyError::Store(error),
        KeyCheckError::Mismatch(mismatch) => AssemblyError::ForeignKeys {
            path: config::whole(&config.key_file),
            mismatch,
        },
    })?;
    Ok(service)
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
