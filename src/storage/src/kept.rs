//! Forms that somebody sent in vain: sealed, and for minutes.

use sqlx::FromRow;
use uuid::Uuid;
use vestibule_core::{
    id::{AccountId, CompanyId, SessionId},
    limits::KEPT_FORMS_MAX,
    ports::Moment,
    secret::TokenHash,
};

use crate::{
    Reader, StoreError, Writer,
    link::{all, execute},
};

const PUT: &str = "INSERT INTO kept (session_id, path, company_id, account_id, token_hash, sealed, expires_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (session_id, path) DO UPDATE \
    SET token_hash = excluded.token_hash, sealed = excluded.sealed, expires_at = excluded.expires_at";
pub(crate) const BY_TOKEN: &str = "SELECT session_id, path, company_id, account_id, sealed, expires_at FROM kept \
    WHERE token_hash = $1 AND company_id = $2 AND account_id = $3 ORDER BY expires_at DESC";
pub(crate) const DROP: &str =
    "DELETE FROM kept WHERE token_hash = $1 AND company_id = $2 AND account_id = $3 AND path = $4";
/// Which forms there are, whoever sends them says: only their number is bounded.
pub(crate) const TRIM: &str = "DELETE FROM kept WHERE company_id = $1 AND account_id = $2 \
    AND (session_id, path) NOT IN (SELECT session_id, path FROM kept WHERE company_id = $1 AND account_id = $2 \
    ORDER BY expires_at DESC, session_id DESC, path DESC LIMIT $3)";

/// What is kept, in the place of what the same account kept of the same form in the same browser before.
#[derive(Clone, Debug)]
pub struct NewKept<'a> {
    /// The session in which it was typed, which may be over.
    pub session: SessionId,
    /// Which form it is, and what it is about.
    pub path: &'a str,
    /// The company.
    pub company: CompanyId,
    /// The account.
    pub account: AccountId,
    /// By what the browser finds it.
    pub token_hash: TokenHash,
    /// What is kept, sealed.
    pub sealed: &'a [u8],
    /// When it is worth nothing any more.
    pub expires_at: Moment,
}

/// Something that is kept. Whether it is still good is for the caller to decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptRow {
    /// The session in which it was typed.
    pub session: SessionId,
    /// Which form it is, and what it is about.
    pub path: String,
    /// The company.
    pub company: CompanyId,
    /// The account.
    pub account: AccountId,
    /// What is kept, sealed.
    pub sealed: Vec<u8>,
    /// When it is worth nothing any more.
    pub expires_at: Moment,
}

#[derive(FromRow)]
struct KeptColumns {
    session_id: Uuid,
    path: String,
    company_id: Uuid,
    account_id: Uuid,
    sealed: Vec<u8>,
    expires_at: Moment,
}

impl From<KeptColumns> for KeptRow {
    fn from(row: KeptColumns) -> Self {
        Self {
            session: SessionId(row.session_id),
            path: row.path,
            company: CompanyId(row.company_id),
            account: AccountId(row.account_id),
            sealed: row.sealed,
            expires_at: row.expires_at,
        }
    }
}

impl Reader {
    /// What this account finds by the token of its browser, the newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn kept_by_token(
        &mut self,
        token: TokenHash,
        (company, account): (CompanyId, AccountId),
    ) -> Result<Vec<KeptRow>, StoreError> {
        let rows = all!(self, KeptColumns, BY_TOKEN, &token.0[..], company.0, account.0)?;
        Ok(rows.into_iter().map(KeptRow::from).collect())
    }
}

impl Writer {
    /// Keeps something; the oldest of the account makes room when it has [`KEPT_FORMS_MAX`] already. Call it with the account
    /// held.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_kept(&mut self, new: &NewKept<'_>) -> Result<(), StoreError> {
        // Of an earlier session.
        self.drop_kept(new.token_hash, (new.company, new.account), new.path)
            .await?;
        execute!(self, TRIM, new.company.0, new.account.0, KEPT_FORMS_MAX - 1)?;
        execute!(
            self,
            PUT,
            new.session.0,
            new.path,
            new.company.0,
            new.account.0,
            &new.token_hash.0[..],
            new.sealed,
            new.expires_at
        )
        .map(drop)
    }

    /// Throws away what this account has kept of a form in the browser with this token.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn drop_kept(
        &mut self,
        token: TokenHash,
        (company, account): (CompanyId, AccountId),
        path: &str,
    ) -> Result<(), StoreError> {
        execute!(self, DROP, &token.0[..], company.0, account.0, path).map(drop)
    }
}
