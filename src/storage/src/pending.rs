//! Pending sign-ins and step-ups: the password was right, the second factor is awaited (N11, N12, N21).

use sqlx::FromRow;
use uuid::Uuid;
use vestibule_core::{
    account::Account,
    company::Company,
    id::{AccountId, CodeId, CompanyId, PendingId, SessionId},
    ports::Moment,
    secret::TokenHash,
    sign_in::{Pending, Purpose},
    sign_in_view::Method,
};

use crate::{
    Reader, StoreError, Writer,
    columns::{AccountColumns, CompanyColumns, account_columns, company_columns, method},
    later::{Later, values},
    link::{Link, execute, optional},
};

const INSERT: &str = "INSERT INTO pending_sign_in (company_id, id, account_id, token_hash, created_at, expires_at, \
    credential_version, next, address, browser, purpose, for_session, method, mailed_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
macro_rules! pending_columns {
    () => {
        "p.company_id, p.id, p.account_id, p.created_at, p.expires_at, p.mailed_at, p.resends, \
         p.credential_version, p.next, p.completed_at, p.session_id, p.purpose, p.for_session, p.method, \
         p.completed_with"
    };
}
pub(crate) const BY_TOKEN: &str = concat!(
    "SELECT ",
    pending_columns!(),
    " FROM pending_sign_in p WHERE p.token_hash = $1"
);
pub(crate) const UNDERWAY: &str = concat!(
    "SELECT ",
    pending_columns!(),
    ", ",
    company_columns!(),
    ", ",
    account_columns!(),
    ", EXISTS (SELECT 1 FROM sso_flow f WHERE f.pending_id = p.id) AS links \
     FROM pending_sign_in p JOIN company c ON c.id = p.company_id \
     JOIN account a ON a.company_id = p.company_id AND a.id = p.account_id WHERE p.token_hash = $1"
);
const MARK_MAILED: &str = "UPDATE pending_sign_in SET mailed_at = $4, resends = resends + $5 \
    WHERE company_id = $1 AND id = $2 AND completed_at IS NULL AND mailed_at IS NOT DISTINCT FROM $3";
const SET_METHOD: &str = "UPDATE pending_sign_in SET method = $3 \
    WHERE company_id = $1 AND id = $2 AND completed_at IS NULL";
macro_rules! complete {
    () => {
        "UPDATE pending_sign_in SET completed_at = $5, session_id = $3, completed_with = $4 \
         WHERE company_id = $1 AND id = $2 AND completed_at IS NULL AND expires_at > $5"
    };
}
macro_rules! use_code {
    () => {
        "UPDATE one_time_code SET used_at = $5 \
         WHERE company_id = $1 AND id = $6 AND used_at IS NULL AND replaced_at IS NULL AND expires_at > $5"
    };
}
const COMPLETE: &str = complete!();
// The same together with a code. Both or nothing: on SQLite two statements, and whoever asks rolls back one that stands alone.
const COMPLETE_BY_CODE_POSTGRES: &str = concat!(
    "WITH used AS (",
    use_code!(),
    " RETURNING id) ",
    complete!(),
    " AND EXISTS (SELECT 1 FROM used)"
);
const COMPLETE_BY_CODE_SQLITE: &str = concat!(use_code!(), "; ", complete!());
const DELETE: &str = "DELETE FROM pending_sign_in WHERE company_id = $1 AND id = $2";
const DELETE_OF_COMPANY: &str = "DELETE FROM pending_sign_in WHERE company_id = $1";
const DELETE_OF_ACCOUNT: &str = "DELETE FROM pending_sign_in WHERE company_id = $1 AND account_id = $2";

/// A pending sign-in, or a step-up, to begin.
#[derive(Clone, Debug)]
pub struct NewPending {
    /// Its company.
    pub company: CompanyId,
    /// Its identifier.
    pub id: PendingId,
    /// Whose it is.
    pub account: AccountId,
    /// Hash of the token in the cookie.
    pub token_hash: TokenHash,
    /// What it leads to.
    pub purpose: Purpose,
    /// The method that its page asks for first.
    pub method: Method,
    /// When the password was right.
    pub created_at: Moment,
    /// When its first code is mailed, if that is at once.
    pub mailed_at: Option<Moment>,
    /// Its absolute end.
    pub expires_at: Moment,
    /// Version of the credentials it begins with.
    pub credential_version: i64,
    /// Where to go afterwards: a local path.
    pub next: Option<String>,
    /// The visitor's network address.
    pub address: Option<String>,
    /// The visitor's browser, shortened.
    pub browser: Option<String>,
}

/// What a completed pending sign-in led to, for the same request sent twice.
#[derive(Clone, PartialEq, Eq)]
pub struct Completion {
    /// The session: the new one, or the one that was proved once more.
    pub session: SessionId,
    /// What it was completed with, as given to [`Writer::complete_pending`]. Empty when a version of Vestibule that did
    /// not note it completed it.
    pub with: Vec<u8>,
}

impl std::fmt::Debug for Completion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Completion")
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

#[derive(FromRow)]
struct PendingColumns {
    company_id: Uuid,
    id: Uuid,
    account_id: Uuid,
    created_at: Moment,
    expires_at: Moment,
    mailed_at: Option<Moment>,
    resends: i64,
    credential_version: i64,
    next: Option<String>,
    completed_at: Option<Moment>,
    session_id: Option<Uuid>,
    purpose: String,
    for_session: Option<Uuid>,
    method: String,
    completed_with: Option<Vec<u8>>,
}

/// The stored forms of a purpose: its word and its session.
fn purpose_columns(purpose: Purpose) -> (&'static str, Option<Uuid>) {
    match purpose {
        Purpose::SignIn => ("sign_in", None),
        Purpose::StepUp(session) => ("step_up", Some(session.0)),
    }
}

/// What [`purpose_columns`] wrote. A step-up without a session must not be taken for a sign-in.
fn purpose(word: &str, session: Option<Uuid>) -> Result<Purpose, StoreError> {
    match (word, session) {
        ("sign_in", None) => Ok(Purpose::SignIn),
        ("step_up", Some(session)) => Ok(Purpose::StepUp(SessionId(session))),
        _ => Err(StoreError::corrupt("pending_sign_in", "purpose")),
    }
}

impl TryFrom<PendingColumns> for (Pending, Option<Completion>) {
    type Error = StoreError;

    fn try_from(row: PendingColumns) -> Result<Self, StoreError> {
        let pending = Pending {
            id: PendingId(row.id),
            company: CompanyId(row.company_id),
            account: AccountId(row.account_id),
            purpose: purpose(&row.purpose, row.for_session)?,
            method: method(&row.method, "pending_sign_in")?,
            created_at: row.created_at,
            expires_at: row.expires_at,
            mailed_at: row.mailed_at,
            resends: row.resends,
            credential_version: row.credential_version,
            next: row.next,
            completed_at: row.completed_at,
        };
        let completion = row.session_id.map(|session| Completion {
            session: SessionId(session),
            with: row.completed_with.unwrap_or_default(),
        });
        Ok((pending, completion))
    }
}

#[derive(FromRow)]
struct UnderwayColumns {
    #[sqlx(flatten)]
    pending: PendingColumns,
    #[sqlx(flatten)]
    company: CompanyColumns,
    #[sqlx(flatten)]
    account: AccountColumns,
    links: bool,
}

/// A pending sign-in with what it stands on.
#[derive(Debug)]
pub struct Underway {
    /// The pending sign-in.
    pub pending: Pending,
    /// What it led to, when it was completed.
    pub completion: Option<Completion>,
    /// Its company.
    pub company: Company,
    /// Whose it is.
    pub account: Account,
    /// Whether an identity of a provider waits to be linked by it.
    pub links: bool,
}

impl TryFrom<UnderwayColumns> for Underway {
    type Error = StoreError;

    fn try_from(row: UnderwayColumns) -> Result<Self, StoreError> {
        let (pending, completion) = row.pending.try_into()?;
        Ok(Self {
            pending,
            completion,
            company: row.company.try_into()?,
            account: row.account.try_into()?,
            links: row.links,
        })
    }
}

impl Reader {
    /// The pending sign-in of a token with its company and account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn underway(&mut self, token: TokenHash) -> Result<Option<Underway>, StoreError> {
        optional!(self, UnderwayColumns, UNDERWAY, &token.0[..])?
            .map(Underway::try_from)
            .transpose()
    }

    /// The pending sign-in of a token and, when it was completed, what it led to.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn pending_by_token(
        &mut self,
        token: TokenHash,
    ) -> Result<Option<(Pending, Option<Completion>)>, StoreError> {
        optional!(self, PendingColumns, BY_TOKEN, &token.0[..])?
            .map(PendingColumns::try_into)
            .transpose()
    }
}

impl Writer {
    /// Begins a pending sign-in.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_pending(&mut self, new: &NewPending) -> Result<(), StoreError> {
        let (purpose, for_session) = purpose_columns(new.purpose);
        let values = values![
            new.company.0,
            new.id.0,
            new.account.0,
            &new.token_hash.0[..],
            new.created_at,
            new.expires_at,
            new.credential_version,
            &new.next,
            &new.address,
            &new.browser,
            purpose,
            for_session,
            new.method.as_str(),
            new.mailed_at,
        ];
        self.write_later(Later::adding("pending_sign_in", INSERT, values))
            .await
    }

    /// Notes that a code is mailed now, as a resend or not, if the last one was mailed at `expected` and the sign-in
    /// is still open. Of several requests at once, one gets `true`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mark_mailed(
        &mut self,
        company: CompanyId,
        id: PendingId,
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

    /// Sets the method that the page asks for, while the sign-in is not completed; says whether it was so.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_pending_method(
        &mut self,
        company: CompanyId,
        id: PendingId,
        method: Method,
    ) -> Result<bool, StoreError> {
        let method = method.as_str();
        Ok(execute!(self, SET_METHOD, company.0, id.0, method)? == 1)
    }

    /// Completes a pending sign-in that is open and not over; says whether it was. Its row stays until it would have
    /// expired, so that the same request sent twice finds the session. `with` is what the second request is recognised
    /// by: a hash of the entered code, never the code.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn complete_pending(
        &mut self,
        company: CompanyId,
        id: PendingId,
        session: SessionId,
        with: &[u8],
        now: Moment,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, COMPLETE, company.0, id.0, session.0, with, now)? == 1)
    }

    /// Uses a mailed code as [`Writer::use_code`] does, and completes the pending sign-in it belongs to; says whether both
    /// was so. If it was not, whoever asks has to let go of the transaction: one of them may have been done.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn complete_pending_by_code(
        &mut self,
        (company, id): (CompanyId, PendingId),
        code: CodeId,
        session: SessionId,
        with: &[u8],
        now: Moment,
    ) -> Result<bool, StoreError> {
        let (text, rows) = match self.link {
            Link::Sqlite(_) => (COMPLETE_BY_CODE_SQLITE, 2),
            Link::Postgres(_) => (COMPLETE_BY_CODE_POSTGRES, 1),
        };
        let done = execute!(self, text, company.0, id.0, session.0, with, now, code.0)? == rows;
        self.forget_code(company, code).await?;
        Ok(done)
    }

    /// Deletes a pending sign-in with its codes; says whether there was one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_pending(&mut self, company: CompanyId, id: PendingId) -> Result<bool, StoreError> {
        Ok(execute!(self, DELETE, company.0, id.0)? == 1)
    }

    /// Deletes all pending sign-ins of an account with their codes; gives their number.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_pendings_of(
        &mut self,
        company: CompanyId,
        account: AccountId,
    ) -> Result<u64, StoreError> {
        execute!(self, DELETE_OF_ACCOUNT, company.0, account.0)
    }

    /// Deletes all pending sign-ins and step-ups of a company with their codes; gives their number.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_pendings_of_company(&mut self, company: CompanyId) -> Result<u64, StoreError> {
        execute!(self, DELETE_OF_COMPANY, company.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purpose_is_never_guessed() {
        let session = Uuid::from_u128(7);
        for right in [Purpose::SignIn, Purpose::StepUp(SessionId(session))] {
            let (word, for_session) = purpose_columns(right);
            assert_eq!(purpose(word, for_session), Ok(right));
        }
        for (word, for_session) in [("step_up", None), ("sign_in", Some(session)), ("reset", None)] {
            assert_eq!(
                purpose(word, for_session),
                Err(StoreError::corrupt("pending_sign_in", "purpose")),
                "{word}"
            );
        }
    }
}
