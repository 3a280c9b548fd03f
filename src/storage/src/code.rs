//! One-time codes (N10), and those that are only old. Only keyed hashes are stored.

use std::cmp::Reverse;

use sqlx::FromRow;
use uuid::Uuid;
use vestibule_core::{
    id::{AccountId, CodeId, CompanyId, PendingId},
    limits::CODE_MAIL_DAY,
    ports::Moment,
};

use crate::{
    Reader, StoreError, Writer,
    later::{Later, values},
    link::{all, beside, execute},
};

const INSERT: &str = "INSERT INTO one_time_code (company_id, id, account_id, pending_id, purpose, code_hash, \
    created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const REPLACE: &str = "UPDATE one_time_code SET replaced_at = $4 \
    WHERE company_id = $1 AND account_id = $2 AND purpose = $3 AND replaced_at IS NULL AND used_at IS NULL";
pub(crate) const OF_PENDING: &str = "SELECT id, code_hash, expires_at, replaced_at, used_at FROM one_time_code \
    WHERE company_id = $1 AND pending_id = $2 ORDER BY created_at DESC, id DESC";
const USE: &str = "UPDATE one_time_code SET used_at = $3 \
    WHERE company_id = $1 AND id = $2 AND used_at IS NULL AND replaced_at IS NULL AND expires_at > $3";
const REMEMBER: &str = "INSERT INTO mailed_code (company_id, id, account_id, fingerprint, created_at) \
    VALUES ($1, $2, $3, $4, $5)";
const FORGET: &str = "DELETE FROM mailed_code WHERE company_id = $1 AND id = $2";
// Where the code still is the newest of a sign-in or of a set-up, with its end.
pub(crate) const REMEMBERED: &str = "SELECT m.fingerprint, m.created_at, \
    COALESCE(c.expires_at, f.expires_at) AS live_until FROM mailed_code m \
    LEFT JOIN one_time_code c ON c.company_id = m.company_id AND c.id = m.id AND c.replaced_at IS NULL \
    LEFT JOIN set_up_code s ON s.company_id = m.company_id AND s.id = m.id AND s.replaced_at IS NULL \
    LEFT JOIN factor_set_up f ON f.company_id = s.company_id AND f.id = s.set_up_id \
    WHERE m.company_id = $1 AND m.account_id = $2 AND m.created_at > $3 \
    ORDER BY m.created_at DESC, m.id DESC LIMIT $4";
/// What [`OF_PENDING`] and [`REMEMBERED`] find, each in another order.
pub(crate) const TO_COMPARE: &str = "SELECT TRUE AS of_pending, c.id, c.code_hash, c.created_at, c.expires_at AS until, \
    c.replaced_at, c.used_at FROM one_time_code c WHERE c.company_id = $1 AND c.pending_id = $5 \
    UNION ALL SELECT * FROM (SELECT FALSE, m.id, m.fingerprint, m.created_at, COALESCE(c.expires_at, f.expires_at), \
    CAST(NULL AS TIMESTAMPTZ), CAST(NULL AS TIMESTAMPTZ) FROM mailed_code m \
    LEFT JOIN one_time_code c ON c.company_id = m.company_id AND c.id = m.id AND c.replaced_at IS NULL \
    LEFT JOIN set_up_code s ON s.company_id = m.company_id AND s.id = m.id AND s.replaced_at IS NULL \
    LEFT JOIN factor_set_up f ON f.company_id = s.company_id AND f.id = s.set_up_id \
    WHERE m.company_id = $1 AND m.account_id = $2 AND m.created_at > $3 \
    ORDER BY m.created_at DESC, m.id DESC LIMIT $4) AS remembered";
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

/// A code that was mailed to an account, whatever it was for, and was not used.
#[derive(Clone, PartialEq, Eq, FromRow)]
pub struct MailedCodeRow {
    /// Keyed hash of the code, by which it is known again and which opens nothing.
    pub fingerprint: Vec<u8>,
    /// When it was mailed.
    pub created_at: Moment,
    /// Its end, while it is still the newest one of what it was mailed for; `None` = it is only old.
    pub live_until: Option<Moment>,
}

impl std::fmt::Debug for MailedCodeRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailedCodeRow")
            .field("created_at", &self.created_at)
            .field("live_until", &self.live_until)
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

#[derive(FromRow)]
struct ToCompareColumns {
    of_pending: bool,
    id: Uuid,
    code_hash: Vec<u8>,
    created_at: Moment,
    until: Option<Moment>,
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

    /// The codes that were mailed to an account after `since` and were not used, newest first: no more than may be mailed
    /// within a day (N12).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mailed_codes(
        &mut self,
        company: CompanyId,
        account: AccountId,
        since: Moment,
    ) -> Result<Vec<MailedCodeRow>, StoreError> {
        all!(
            self,
            MailedCodeRow,
            REMEMBERED,
            company.0,
            account.0,
            since,
            CODE_MAIL_DAY
        )
    }

    /// What an entered code is compared with, in one trip: [`Reader::codes_of_pending`] and [`Reader::mailed_codes`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn codes_to_compare(
        &mut self,
        (company, account): (CompanyId, AccountId),
        pending: PendingId,
        since: Moment,
    ) -> Result<(Vec<CodeRow>, Vec<MailedCodeRow>), StoreError> {
        let mut rows = all!(
            self,
            ToCompareColumns,
            TO_COMPARE,
            company.0,
            account.0,
            since,
            CODE_MAIL_DAY,
            pending.0
        )?;
        rows.sort_unstable_by_key(|row| Reverse((row.created_at, row.id)));
        let (mut codes, mut remembered) = (Vec::new(), Vec::new());
        for row in rows {
            if row.of_pending {
                codes.push(CodeRow {
                    id: CodeId(row.id),
                    code_hash: row.code_hash,
                    expires_at: row
                        .until
                        .ok_or(StoreError::corrupt("one_time_code", "expires_at"))?,
                    replaced_at: row.replaced_at,
                    used_at: row.used_at,
                });
            } else {
                remembered.push(MailedCodeRow {
                    fingerprint: row.code_hash,
                    created_at: row.created_at,
                    live_until: row.until,
                });
            }
        }
        Ok((codes, remembered))
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
        let rows = beside!(self, "mail_outbox", |connection| {
            sqlx::query_as::<_, (Moment,)>(MAILED_SINCE)
                .bind(company.0)
                .bind(account.0)
                .bind(since)
                .fetch_all(connection)
                .await
        })?;
        Ok(rows.into_iter().map(|(at,)| at).collect())
    }
}

impl Writer {
    /// Stores a code.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_code(&mut self, new: &NewCode) -> Result<(), StoreError> {
        let values = values![
            new.company.0,
            new.id.0,
            new.account.0,
            new.pending.map(|pending| pending.0),
            new.purpose,
            &new.code_hash[..],
            new.created_at,
            new.expires_at,
        ];
        self.write_later(Later::adding("one_time_code", INSERT, values))
            .await
    }

    /// Marks the unused codes of an account that are for the same, in whatever sign-in or step-up, as replaced. Call it
    /// before storing the new one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn replace_codes(
        &mut self,
        company: CompanyId,
        account: AccountId,
        purpose: &str,
        now: Moment,
    ) -> Result<(), StoreError> {
        let values = values![company.0, account.0, purpose, now];
        self.write_later(Later::changing("one_time_code", REPLACE, values))
            .await
    }

    /// Remembers that a code was mailed, so that it is known again when it is old. `id` is that of the code itself, of a
    /// sign-in or of a set-up; `fingerprint` another one than that under which it is good.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remember_code(
        &mut self,
        company: CompanyId,
        account: AccountId,
        id: CodeId,
        fingerprint: &[u8],
        now: Moment,
    ) -> Result<(), StoreError> {
        let values = values![company.0, id.0, account.0, fingerprint, now];
        self.write_later(Later::adding("mailed_code", REMEMBER, values))
            .await
    }

    /// Forgets a code that was used: entered once more, it is wrong.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget_code(&mut self, company: CompanyId, id: CodeId) -> Result<(), StoreError> {
        let values = values![company.0, id.0];
        self.write_later(Later::changing("mailed_code", FORGET, values))
            .await
    }

    /// Uses a code if it is unused, not replaced and not over, and forgets that it was mailed. Of several requests at
    /// once, one gets `true`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn use_code(
        &mut self,
        company: CompanyId,
        id: CodeId,
        now: Moment,
    ) -> Result<bool, StoreError> {
        let used = execute!(self, USE, company.0, id.0, now)? == 1;
        if used {
            self.forget_code(company, id).await?;
        }
        Ok(used)
    }
}
