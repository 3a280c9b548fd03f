//! One-time codes (N10). Only keyed hashes are stored.

use sqlx::FromRow;
use uuid::Uuid;
use vestibule_core::{
    id::{AccountId, CodeId, CompanyId, PendingId},
    ports::Moment,
};

use crate::{
    Reader, StoreError, Writer,
    link::{all, execute},
};

const INSERT: &str = "INSERT INTO one_time_code (company_id, id, account_id, pending_id, purpose, code_hash, \
    created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const REPLACE: &str = "UPDATE one_time_code SET replaced_at = $3 \
    WHERE company_id = $1 AND pending_id = $2 AND replaced_at IS NULL AND used_at IS NULL";
pub(crate) const OF_PENDING: &str = "SELECT id, code_hash, expires_at, replaced_at, used_at FROM one_time_code \
    WHERE company_id = $1 AND pending_id = $2 ORDER BY created_at DESC, id DESC";
const USE: &str = "UPDATE one_time_code SET used_at = $3 \
    WHERE company_id = $1 AND id = $2 AND used_at IS NULL AND replaced_at IS NULL AND expires_at > $3";
pub(crate) const MAILED_SINCE: &str = "SELECT created_at FROM mail_outbox WHERE company_id = $1 AND account_id = $2 \
    AND kind IN ('sign_in_code', 'confirm_code', 'set_up_code') AND created_at > $3 ORDER BY created_at DESC";

/// A code to store.
#[derive(Clone)]
pub struct NewCode {
    /// Its company.
    pub company: CompanyId,
    /// Its identifier.
    pub id: CodeId,
    /// Whose it is.
    pub account: AccountId,
    /// The pending sign-in it belongs to, and with which it is deleted.
    pub pending: Option<PendingId>,
    /// What it is for, such as `sign_in`.
    pub purpose: &'static str,
    /// Keyed hash of the code.
    pub code_hash: Vec<u8>,
    /// When it was issued.
    pub created_at: Moment,
    /// When it ends.
    pub expires_at: Moment,
}

impl std::fmt::Debug for NewCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewCode")
            .field("company", &self.company)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// A stored code.
#[derive(Clone, PartialEq, Eq)]
pub struct CodeRow {
    /// Its identifier.
    pub id: CodeId,
    /// Keyed hash of the code.
    pub code_hash: Vec<u8>,
    /// When it ends.
    pub expires_at: Moment,
    /// When a newer one replaced it.
    pub replaced_at: Option<Moment>,
    /// When it was used.
    pub used_at: Option<Moment>,
}

impl std::fmt::Debug for CodeRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CodeRow")
            .field("id", &self.id)
            .field("expires_at", &self.expires_at)
            .field("replaced_at", &self.replaced_at)
            .field("used_at", &self.used_at)
            .finish_non_exhaustive()
    }
}

#[derive(FromRow)]
struct CodeColumns {
    id: Uuid,
    code_hash: Vec<u8>,
    expires_at: Moment,
    replaced_at: Option<Moment>,
    used_at: Option<Moment>,
}

impl From<CodeColumns> for CodeRow {
    fn from(row: CodeColumns) -> Self {
        Self {
            id: CodeId(row.id),
            code_hash: row.code_hash,
            expires_at: row.expires_at,
            replaced_at: row.replaced_at,
            used_at: row.used_at,
        }
    }
}

impl Reader {
    /// The codes of a pending sign-in, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn codes_of_pending(
        &mut self,
        company: CompanyId,
        pending: PendingId,
    ) -> Result<Vec<CodeRow>, StoreError> {
        let rows = all!(self, CodeColumns, OF_PENDING, company.0, pending.0)?;
        Ok(rows.into_iter().map(CodeRow::from).collect())
    }

    /// When mails with a code, for a sign-in, a step-up or a set-up, went to the outbox for this account after `since`,
    /// newest first. It asks the outbox and not the codes, because codes go away with a cancelled sign-in and the
    /// limits on mails must not (N12).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn code_mails_since(
        &mut self,
        company: CompanyId,
        account: AccountId,
        since: Moment,
    ) -> Result<Vec<Moment>, StoreError> {
        let rows = all!(self, (Moment,), MAILED_SINCE, company.0, account.0, since)?;
        Ok(rows.into_iter().map(|(at,)| at).collect())
    }
}

impl Writer {
    /// Stores a code.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_code(&mut self, new: &NewCode) -> Result<(), StoreError> {
        execute!(
            self,
            INSERT,
            new.company.0,
            new.id.0,
            new.account.0,
            new.pending.map(|pending| pending.0),
            new.purpose,
            &new.code_hash,
            new.created_at,
            new.expires_at,
        )
        .map(drop)
    }

    /// Marks the unused codes of a pending sign-in as replaced. Call it before storing the new one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn replace_codes(
        &mut self,
        company: CompanyId,
        pending: PendingId,
        now: Moment,
    ) -> Result<(), StoreError> {
        execute!(self, REPLACE, company.0, pending.0, now).map(drop)
    }

    /// Uses a code if it is unused, not replaced and not over. Of several requests at once, one gets `true`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn use_code(
        &mut self,
        company: CompanyId,
        id: CodeId,
        now: Moment,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, USE, company.0, id.0, now)? == 1)
    }
}
