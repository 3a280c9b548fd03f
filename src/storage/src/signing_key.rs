//! Keys that tokens are signed with: the same for all servers, sealed with the key file's.

use sqlx::FromRow;
use uuid::Uuid;
use vestibule_core::{id::SigningKeyId, oidc::application::Signing, ports::Moment};

use crate::{
    Reader, StoreError, Writer,
    application::signing,
    link::{all, execute},
};

const ALL: &str = "SELECT id, algorithm, sealed, created_at, begins_at, ends_at FROM signing_key ORDER BY id";
/// Of several servers that make one at once, one does.
const INSERT: &str = "INSERT INTO signing_key (id, algorithm, sealed, created_at, begins_at) \
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
const END_CURRENT: &str = "UPDATE signing_key SET ends_at = $2 \
    WHERE algorithm = $1 AND begins_at IS NOT NULL AND ends_at IS NULL";
const BEGIN_NEXT: &str = "UPDATE signing_key SET begins_at = $2 WHERE algorithm = $1 AND begins_at IS NULL";
const RESEAL: &str = "UPDATE signing_key SET sealed = $3 WHERE id = $1 AND sealed = $2";

/// A key that tokens are signed with.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKeyRow {
    /// Its identifier: what tokens call it by.
    pub id: SigningKeyId,
    /// How it signs.
    pub algorithm: Signing,
    /// The private key, sealed.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_at: Moment,
    /// Since when it is in use; `None` = it comes next.
    pub begins_at: Option<Moment>,
    /// Until when what it has signed is still good; `None` = it is in use, or comes next.
    pub ends_at: Option<Moment>,
}

impl std::fmt::Debug for SigningKeyRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKeyRow")
            .field("id", &self.id)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

#[derive(FromRow)]
struct SigningKeyColumns {
    id: Uuid,
    algorithm: String,
    sealed: Vec<u8>,
    created_at: Moment,
    begins_at: Option<Moment>,
    ends_at: Option<Moment>,
}

impl Reader {
    /// All keys, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn signing_keys(&mut self) -> Result<Vec<SigningKeyRow>, StoreError> {
        let rows = all!(self, SigningKeyColumns, ALL)?;
        rows.into_iter()
            .map(|row| {
                Ok(SigningKeyRow {
                    id: SigningKeyId(row.id),
                    algorithm: signing(&row.algorithm, "signing_key", "algorithm")?,
                    sealed: row.sealed,
                    created_at: row.created_at,
                    begins_at: row.begins_at,
                    ends_at: row.ends_at,
                })
            })
            .collect()
    }
}

impl Writer {
    /// Stores a key, unless another server has just stored one for the same place: in use, or next.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_signing_key(&mut self, new: &SigningKeyRow) -> Result<bool, StoreError> {
        let inserted = execute!(
            self,
            INSERT,
            new.id.0,
            new.algorithm.as_str(),
            &new.sealed,
            new.created_at,
            new.begins_at
        )?;
        Ok(inserted == 1)
    }

    /// Puts the next key of an algorithm into use. What the one before has signed is good until `good_until`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn begin_next_signing_key(
        &mut self,
        algorithm: Signing,
        now: Moment,
        good_until: Moment,
    ) -> Result<(), StoreError> {
        execute!(self, END_CURRENT, algorithm.as_str(), good_until)?;
        execute!(self, BEGIN_NEXT, algorithm.as_str(), now).map(drop)
    }

    /// Replaces the sealed form of a key, unless it has changed meanwhile; says whether it was.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn reseal_signing_key(
        &mut self,
        id: SigningKeyId,
        old: &[u8],
        new: &[u8],
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, RESEAL, id.0, old, new)? == 1)
    }
}
