//! Fingerprints of the keys that values in the database are made with.

use sqlx::FromRow;
use vestibule_core::ports::Moment;

use crate::{
    Reader, StoreError, Writer,
    link::{all, execute, optional},
};

const ALL: &str =
    "SELECT version, fingerprint, retired_at IS NOT NULL AS retired FROM key_check ORDER BY version";
const NOTE: &str = "INSERT INTO key_check (version, fingerprint, first_used_at) VALUES ($1, $2, $3) \
    ON CONFLICT (version) DO NOTHING";
const RETIRE: &str = "UPDATE key_check SET retired_at = $2 WHERE version = $1";
/// Whether there is anything in the database that a lost key would hurt.
const FRESH: &str = "SELECT CAST(CASE WHEN EXISTS (SELECT 1 FROM company) OR EXISTS (SELECT 1 FROM key_check) \
    THEN 0 ELSE 1 END AS BIGINT)";

/// Whether a value begins with the version `$1`, in the form that stands before everything that is made with a key.
macro_rules! made_with {
    ($table:literal, $column:literal) => {
        made_with!($table, $column, "1 = 1")
    };
    ($table:literal, $column:literal, $while:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM ",
            $table,
            " WHERE substr(",
            $column,
            ", 1, 4) = $1 AND ",
            $while,
            ")"
        )
    };
}

/// Everything that is made with a key; what is over by `$2` needs none any more. Mailed codes that are only old need none
/// either: nothing opens by them.
const IN_USE: &str = concat!(
    "SELECT CAST(CASE WHEN ",
    made_with!("account", "app_secret"),
    " OR ",
    made_with!("mail_server", "sealed_password"),
    " OR ",
    made_with!("sso_application", "sealed_secret"),
    " OR ",
    made_with!("signing_key", "sealed"),
    " OR ",
    made_with!("mail_outbox", "sealed"),
    " OR ",
    made_with!("one_time_code", "code_hash", "expires_at > $2"),
    " OR ",
    made_with!("pending_sign_in", "completed_with", "expires_at > $2"),
    " OR ",
    made_with!("factor_set_up", "sealed", "expires_at > $2"),
    " OR EXISTS (SELECT 1 FROM set_up_code c JOIN factor_set_up s ON s.company_id = c.company_id \
     AND s.id = c.set_up_id WHERE substr(c.code_hash, 1, 4) = $1 AND s.expires_at > $2) OR ",
    made_with!("sso_flow", "sealed", "expires_at > $2"),
    " OR ",
    made_with!("sign_in_ticket", "answer", "expires_at > $2"),
    " OR ",
    made_with!("session_note", "sealed", "expires_at > $2"),
    " THEN 1 ELSE 0 END AS BIGINT)"
);

/// A key that values in the database are made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyCheckRow {
    /// Its version.
    pub version: u32,
    /// Its fingerprint.
    pub fingerprint: [u8; 32],
    /// Whether nothing is made with it any more.
    pub retired: bool,
}

#[derive(FromRow)]
struct KeyCheckColumns {
    version: i64,
    fingerprint: Vec<u8>,
    retired: bool,
}

impl TryFrom<KeyCheckColumns> for KeyCheckRow {
    type Error = StoreError;

    fn try_from(row: KeyCheckColumns) -> Result<Self, StoreError> {
        Ok(Self {
            version: u32::try_from(row.version).map_err(|_| StoreError::corrupt("key_check", "version"))?,
            fingerprint: row
                .fingerprint
                .try_into()
                .map_err(|_| StoreError::corrupt("key_check", "fingerprint"))?,
            retired: row.retired,
        })
    }
}

impl Reader {
    /// Whether nothing was ever kept here: no company, and no key in use.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn is_fresh(&mut self) -> Result<bool, StoreError> {
        let row = optional!(self, (i64,), FRESH)?;
        Ok(row == Some((1,)))
    }

    /// All keys that were ever used here, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn key_checks(&mut self) -> Result<Vec<KeyCheckRow>, StoreError> {
        let rows = all!(self, KeyCheckColumns, ALL)?;
        rows.into_iter().map(KeyCheckRow::try_from).collect()
    }

    /// Whether anything here can be read only with the key of this version. Reads whole tables: for a start, not for
    /// a request.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn key_in_use(&mut self, version: u32, now: Moment) -> Result<bool, StoreError> {
        let prefix = version.to_be_bytes();
        let row = optional!(self, (i64,), IN_USE, prefix.as_slice(), now)?;
        Ok(row == Some((1,)))
    }
}

impl Writer {
    /// Writes down a key; one that is known stays as it is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn note_key(
        &mut self,
        version: u32,
        fingerprint: &[u8; 32],
        now: Moment,
    ) -> Result<(), StoreError> {
        execute!(self, NOTE, i64::from(version), fingerprint.as_slice(), now).map(drop)
    }

    /// Writes down that a key is not needed any more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn retire_key(&mut self, version: u32, now: Moment) -> Result<(), StoreError> {
        execute!(self, RETIRE, i64::from(version), now).map(drop)
    }
}
