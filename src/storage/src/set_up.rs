//! Second factors that are being set up: nothing of them counts before the right code has come (product.md section 3,
//! Security Settings).

use sqlx::FromRow;
use uuid::Uuid;
use vestibule_core::{
    id::{AccountId, CodeId, CompanyId, SessionId, SetUpId},
    ports::Moment,
    sign_in_view::Method,
};

use crate::{
    Reader, StoreError, Writer,
    link::{all, execute, optional},
};

const DELETE_METHOD: &str =
    "DELETE FROM factor_set_up WHERE company_id = $1 AND account_id = $2 AND method = $3";
const INSERT: &str = "INSERT INTO factor_set_up (company_id, id, account_id, session_id, method, sealed, \
    created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
pub(crate) const OF_ACCOUNT: &str = "SELECT id, session_id, sealed, created_at, expires_at, mailed_at, resends \
    FROM factor_set_up WHERE company_id = $1 AND account_id = $2 AND method = $3";
const MARK_MAILED: &str = "UPDATE factor_set_up SET mailed_at = $4, resends = resends + $5 \
    WHERE company_id = $1 AND id = $2 AND mailed_at IS NOT DISTINCT FROM $3";
const END: &str = "DELETE FROM factor_set_up WHERE company_id = $1 AND id = $2";
const END_OF_ACCOUNT: &str = "DELETE FROM factor_set_up WHERE company_id = $1 AND account_id = $2";
const INSERT_CODE: &str = "INSERT INTO set_up_code (company_id, id, set_up_id, code_hash, created_at) \
    VALUES ($1, $2, $3, $4, $5)";
const REPLACE_CODES: &str = "UPDATE set_up_code SET replaced_at = $3 \
    WHERE company_id = $1 AND set_up_id = $2 AND replaced_at IS NULL";
pub(crate) const CODES: &str = "SELECT id, code_hash, replaced_at FROM set_up_code \
    WHERE company_id = $1 AND set_up_id = $2 ORDER BY created_at DESC, id DESC";

/// A set-up to begin; no code is mailed yet.
#[derive(Clone)]
pub struct NewSetUp {
    /// Its company.
    pub company: CompanyId,
    /// Its identifier.
    pub id: SetUpId,
    /// Whose it is.
    pub account: AccountId,
    /// The session it was begun in.
    pub session: SessionId,
    /// The method that is set up.
    pub method: Method,
    /// The new app's secret, encrypted; `None` for codes by e-mail.
    pub sealed: Option<Vec<u8>>,
    /// When it begins.
    pub created_at: Moment,
    /// Its absolute end.
    pub expires_at: Moment,
}

impl std::fmt::Debug for NewSetUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewSetUp")
            .field("company", &self.company)
            .field("id", &self.id)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// A set-up that is under way.
#[derive(Clone, PartialEq, Eq)]
pub struct SetUpRow {
    /// Its identifier.
    pub id: SetUpId,
    /// The session it was begun in.
    pub session: SessionId,
    /// The new app's secret, encrypted; `None` for codes by e-mail.
    pub sealed: Option<Vec<u8>>,
    /// When it began.
    pub created_at: Moment,
    /// Its absolute end.
    pub expires_at: Moment,
    /// When a code was last mailed; `None` = none yet.
    pub mailed_at: Option<Moment>,
    /// How often `Resend` was used.
    pub resends: i64,
}

impl std::fmt::Debug for SetUpRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SetUpRow")
            .field("id", &self.id)
            .field("expires_at", &self.expires_at)
            .field("mailed_at", &self.mailed_at)
            .field("resends", &self.resends)
            .finish_non_exhaustive()
    }
}

/// A code that was mailed for a set-up.
#[derive(Clone, PartialEq, Eq)]
pub struct SetUpCodeRow {
    /// Its identifier.
    pub id: CodeId,
    /// Keyed hash of the code.
    pub code_hash: Vec<u8>,
    /// When a newer one replaced it.
    pub replaced_at: Option<Moment>,
}

impl std::fmt::Debug for SetUpCodeRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SetUpCodeRow")
            .field("id", &self.id)
            .field("replaced_at", &self.replaced_at)
            .finish_non_exhaustive()
    }
}

#[derive(FromRow)]
struct SetUpCodeColumns {
    id: Uuid,
    code_hash: Vec<u8>,
    replaced_at: Option<Moment>,
}

impl From<SetUpCodeColumns> for SetUpCodeRow {
    fn from(row: SetUpCodeColumns) -> Self {
        Self {
            id: CodeId(row.id),
            code_hash: row.code_hash,
            replaced_at: row.replaced_at,
        }
    }
}

#[derive(FromRow)]
struct SetUpColumns {
    id: Uuid,
    session_id: Uuid,
    sealed: Option<Vec<u8>>,
    created_at: Moment,
    expires_at: Moment,
    mailed_at: Option<Moment>,
    resends: i64,
}

impl From<SetUpColumns> for SetUpRow {
    fn from(row: SetUpColumns) -> Self {
        Self {
            id: SetUpId(row.id),
            session: SessionId(row.session_id),
            sealed: row.sealed,
            created_at: row.created_at,
            expires_at: row.expires_at,
            mailed_at: row.mailed_at,
            resends: row.resends,
        }
    }
}

impl Reader {
    /// The set-up of this method that is under way. Whether it is over is for the caller to decide.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_up_of(
        &mut self,
        company: CompanyId,
        account: AccountId,
        method: Method,
    ) -> Result<Option<SetUpRow>, StoreError> {
        let method = method.as_str();
        let row = optional!(self, SetUpColumns, OF_ACCOUNT, company.0, account.0, method)?;
        Ok(row.map(SetUpRow::from))
    }

    /// The codes that were mailed for a set-up, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_up_codes(
        &mut self,
        company: CompanyId,
        set_up: SetUpId,
    ) -> Result<Vec<SetUpCodeRow>, StoreError> {
        let rows = all!(self, SetUpCodeColumns, CODES, company.0, set_up.0)?;
        Ok(rows.into_iter().map(SetUpCodeRow::from).collect())
    }
}

impl Writer {
    /// Begins a set-up, in the place of an older one of the same account and method, whose codes go with it. Holds the
    /// account, so that of two that begin at once the later one stays.
    ///
    /// # Errors
    /// [`StoreError::Other`] also when the account does not exist.
    pub async fn begin_set_up(&mut self, new: &NewSetUp) -> Result<(), StoreError> {
        let method = new.method.as_str();
        self.hold_account(new.company, new.account).await?;
        execute!(self, DELETE_METHOD, new.company.0, new.account.0, method)?;
        execute!(
            self,
            INSERT,
            new.company.0,
            new.id.0,
            new.account.0,
            new.session.0,
            method,
            &new.sealed,
            new.created_at,
            new.expires_at,
        )
        .map(drop)
    }

    /// Notes that a code is mailed now, as a resend or not, if the last one was mailed at `expected`. Of several
    /// requests at once, one gets `true`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mark_set_up_mailed(
        &mut self,
        company: CompanyId,
        id: SetUpId,
        expected: Option<Moment>,
        now: Moment,
        resend: bool,
    ) -> Result<bool, StoreError> {
        Ok(execute!(
            self,
            MARK_MAILED,
            company.0,
            id.0,
            expected,
            now,
            i64::from(resend)
        )? == 1)
    }

    /// Stores a code that is mailed for a set-up.
    ///
    /// # Errors
    /// [`StoreError::Other`] also when there is no such set-up.
    pub async fn insert_set_up_code(
        &mut self,
        company: CompanyId,
        set_up: SetUpId,
        id: CodeId,
        hash: &[u8],
        now: Moment,
    ) -> Result<(), StoreError> {
        execute!(self, INSERT_CODE, company.0, id.0, set_up.0, hash, now).map(drop)
    }

    /// Marks the codes of a set-up as replaced. Call it before storing the new one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn replace_set_up_codes(
        &mut self,
        company: CompanyId,
        set_up: SetUpId,
        now: Moment,
    ) -> Result<(), StoreError> {
        execute!(self, REPLACE_CODES, company.0, set_up.0, now).map(drop)
    }

    /// Ends a set-up, finished or given up, with its codes. Of several requests at once, one gets `true`: only that one
    /// may turn the factor on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_set_up(&mut self, company: CompanyId, id: SetUpId) -> Result<bool, StoreError> {
        Ok(execute!(self, END, company.0, id.0)? == 1)
    }

    /// Ends all set-ups of an account with their codes; gives their number.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_set_ups_of(
        &mut self,
        company: CompanyId,
        account: AccountId,
    ) -> Result<u64, StoreError> {
        execute!(self, END_OF_ACCOUNT, company.0, account.0)
    }
}
