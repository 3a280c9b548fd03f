//! Whether this server has the keys that the database was written with. Without them right codes would look wrong.

use vestibule_core::ports::Moment;
use vestibule_storage::{KeyCheckRow, StoreError, Writer};

use crate::{Service, Upkeep, keys::KeyFingerprint};

/// What is wrong with the keys of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyMismatch {
    /// A key is not here.
    #[error("lacks version {version}, with the fingerprint {needed}, that the database was written with")]
    Missing {
        /// Its version.
        version: u32,
        /// By what it is known.
        needed: KeyFingerprint,
    },
    /// Another key is here.
    #[error(
        "holds another version {version} than the one that the database was written with: its fingerprint is {has}, \
         and the one that is needed has {needed}"
    )]
    Different {
        /// Its version.
        version: u32,
        /// The one that is needed.
        needed: KeyFingerprint,
        /// The one that is here.
        has: KeyFingerprint,
    },
}

/// Why the keys could not be compared, or must not be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyCheckError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// They are the wrong ones.
    #[error(transparent)]
    Mismatch(#[from] KeyMismatch),
}

impl Upkeep {
    /// Compares the keys with those that the database was written with, and writes down those that are new to it. An
    /// older key that nothing in the database needs any more may be gone.
    ///
    /// # Errors
    /// [`KeyCheckError::Mismatch`] when this server must not serve; a failing database.
    pub async fn check_keys(&self) -> Result<(), KeyCheckError> {
        match self.compare_keys().await {
            Err(KeyCheckError::Mismatch(_)) => {
                // Another process may have rotated them a moment ago.
                self.inner.keys.reload();
                self.compare_keys().await
            }
            other => other,
        }
    }
}

impl Service {
    async fn compare_keys(&self) -> Result<(), KeyCheckError> {
        let now = self.database_now();
        let own = self.inner.keys.fingerprints();
        let mut writer = self.inner.store.write().await?;
        let known = writer.key_checks().await?;
        for (version, fingerprint) in &own {
            if !known.iter().any(|row| row.version == *version) {
                writer.note_key(*version, &fingerprint.0, now).await?;
            }
        }
        // Asked again: another server that starts at this moment may have been first.
        for row in writer.key_checks().await? {
            if let Some(mismatch) = mismatch(&own, &row) {
                self.may_be_gone(&mut writer, mismatch, &own, now).await?;
            }
        }
        Ok(writer.commit().await?)
    }

    /// A key older than the newest that nothing is made with any more is retired, and need not be kept.
    ///
    /// That is a guess where another server has not read the newest key yet: until it has, seconds later, or else is not
    /// ready any more, it may still make something with the old one. What it makes is refused here, but nobody is locked by
    /// it: what no key can judge is never counted, and what no key opens lets nobody in. It heals with the next code.
    async fn may_be_gone(
        &self,
        writer: &mut Writer,
        mismatch: KeyMismatch,
        own: &[(u32, KeyFingerprint)],
        now: Moment,
    ) -> Result<(), KeyCheckError> {
        match mismatch {
            KeyMismatch::Missing { version, .. }
                if own.iter().any(|(own, _)| *own > version) && !writer.key_in_use(version, now).await? =>
            {
                writer.retire_key(version, now).await?;
                writer.after_commit(move || {
                    tracing::info!(
                        version,
                        "nothing is encrypted with this version of the key any more"
                    );
                });
                Ok(())
            }
            _ => Err(mismatch.into()),
        }
    }

    /// Whether the keys are still those of the database. Costs one read, unless something has changed.
    pub(crate) async fn keys_fit(&self, writer: &mut Writer) -> Result<bool, StoreError> {
        let (own, known) = (self.inner.keys.fingerprints(), writer.key_checks().await?);
        Ok(known.iter().all(|row| mismatch(&own, row).is_none())
            && own
                .iter()
                .all(|(version, _)| known.iter().any(|row| row.version == *version)))
    }
}

fn mismatch(own: &[(u32, KeyFingerprint)], row: &KeyCheckRow) -> Option<KeyMismatch> {
    let (version, needed) = (row.version, KeyFingerprint(row.fingerprint));
    match own.iter().find(|(own, _)| *own == version) {
        Some((_, has)) if *has == needed => None,
        Some((_, has)) => Some(KeyMismatch::Different {
            version,
            needed,
            has: *has,
        }),
        None if row.retired => None,
        None => Some(KeyMismatch::Missing { version, needed }),
    }
}
