//! Pending sign-ins: the password was right, the second factor is awaited (N11, N12).

use sqlx::FromRow;
use uuid::Uuid;
use vestibule_core::{
    id::{AccountId, CompanyId, PendingId, SessionId},
    ports::Moment,
    secret::TokenHash,
    sign_in::Pending,
};

use crate::{
    Reader, StoreError, Writer,
    link::{execute, optional},
};

const INSERT: &str = "INSERT INTO pending_sign_in (company_id, id, account_id, token_hash, created_at, expires_at, \
    credential_version, next, address, browser) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
pub(crate) const BY_TOKEN: &str = "SELECT company_id, id, account_id, created_at, expires_at, mailed_at, resends, \
    credential_version, next, completed_at, session_id FROM pending_sign_in WHERE token_hash = $1";
const MARK_MAILED: &str = "UPDATE pending_sign_in SET mailed_at = $4, resends = resends + $5 \
    WHERE company_id = $1 AND id = $2 AND completed_at IS NULL AND mailed_at IS NOT DISTINCT FROM $3";
const COMPLETE: &str = "UPDATE pending_sign_in SET completed_at = $4, session_id = $3 \
    WHERE company_id = $1 AND id = $2 AND completed_at IS NULL AND expires_at > $4";
const DELETE: &str = "DELETE FROM pending_sign_in WHERE company_id = $1 AND id = $2";
const DELETE_OF_ACCOUNT: &str = "DELETE FROM pending_sign_in WHERE company_id = $1 AND account_id = $2";

/// A pending sign-in to begin; no code is mailed yet.
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
    /// When the password was right.
    pub created_at: Moment,
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
}

impl Reader {
    /// The pending sign-in of a token and, when it was completed, the session it led to.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn pending_by_token(
        &mut self,
        token: TokenHash,
    ) -> Result<Option<(Pending, Option<SessionId>)>, StoreError> {
        let row = optional!(self, PendingColumns, BY_TOKEN, &token.0[..])?;
        Ok(row.map(|row| {
            let pending = Pending {
                id: PendingId(row.id),
                company: CompanyId(row.company_id),
                account: AccountId(row.account_id),
                created_at: row.created_at,
                expires_at: row.expires_at,
                mailed_at: row.mailed_at,
                resends: row.resends,
                credential_version: row.credential_version,
                next: row.next,
                completed_at: row.completed_at,
            };
            (pending, row.session_id.map(SessionId))
        }))
    }
}

impl Writer {
    /// Begins a pending sign-in.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_pending(&mut self, new: &NewPending) -> Result<(), StoreError> {
        execute!(
            self,
            INSERT,
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
        )
        .map(drop)
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

    /// Completes a pending sign-in that is open and not over; says whether it was. Its row stays until it would have
    /// expired, so that the same request sent twice finds the session.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn complete_pending(
        &mut self,
        company: CompanyId,
        id: PendingId,
        session: SessionId,
        now: Moment,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, COMPLETE, company.0, id.0, session.0, now)? == 1)
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
}
