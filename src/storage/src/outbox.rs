//! The outbox: mails are written in the transaction that causes them, and sent by a worker (N27).

use sqlx::FromRow;
use uuid::Uuid;
use vestibule_core::{
    id::{AccountId, CompanyId, MailId, PendingId},
    ports::Moment,
};

use crate::{
    Reader, StoreError, Writer,
    link::{Link, all, execute, optional},
};

const INSERT: &str = "INSERT INTO mail_outbox (id, company_id, account_id, kind, receiver, language, sealed, \
    priority, created_at, due_at, expires_at, pending_id) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

/// The two texts differ in one clause: on PostgreSQL several workers claim at once and pass over what another is just
/// claiming; on SQLite there is one writer at a time.
macro_rules! claim {
    ($passing_over:literal) => {
        concat!(
            "WITH due AS MATERIALIZED (SELECT id FROM mail_outbox \
             WHERE sent_at IS NULL AND given_up_at IS NULL AND due_at <= $1 \
             AND (claimed_until IS NULL OR claimed_until <= $1) ORDER BY priority, due_at, id LIMIT $3",
            $passing_over,
            ") UPDATE mail_outbox SET claimed_until = $2, tries = tries + 1 WHERE id IN (SELECT id FROM due) \
             RETURNING id, company_id, account_id, kind, receiver, language, sealed, priority, created_at, due_at, \
             expires_at, tries, pending_id"
        )
    };
}
pub(crate) const CLAIM_SQLITE: &str = claim!("");
const CLAIM_POSTGRES: &str = claim!(" FOR UPDATE SKIP LOCKED");

const SENT: &str = "UPDATE mail_outbox SET sent_at = $2, sealed = NULL, claimed_until = NULL, problem = NULL \
    WHERE id = $1 AND sent_at IS NULL AND given_up_at IS NULL";
const RETRY: &str = "UPDATE mail_outbox SET due_at = $2, problem = $3, claimed_until = NULL \
    WHERE id = $1 AND sent_at IS NULL AND given_up_at IS NULL";
const GIVEN_UP: &str = "UPDATE mail_outbox SET given_up_at = $2, problem = $3, sealed = NULL, claimed_until = NULL \
    WHERE id = $1 AND sent_at IS NULL AND given_up_at IS NULL";
pub(crate) const DUE: &str = "SELECT id FROM mail_outbox WHERE sent_at IS NULL AND given_up_at IS NULL AND due_at <= $1 \
    AND (claimed_until IS NULL OR claimed_until <= $1) LIMIT 1";
const FAILING: &str = "SELECT id FROM mail_outbox WHERE sent_at IS NULL AND given_up_at IS NULL \
    AND problem IS NOT NULL LIMIT 1";
const OWNER: &str = "SELECT company_id, account_id FROM mail_outbox WHERE id = $1";
pub(crate) const OF_PENDING: &str = "SELECT sent_at, given_up_at, tries, problem FROM mail_outbox \
    WHERE company_id = $1 AND pending_id = $2 ORDER BY created_at DESC, id DESC LIMIT 1";

/// A mail for the outbox.
#[derive(Clone)]
pub struct NewMail {
    /// Its identifier.
    pub id: MailId,
    /// The company it belongs to.
    pub company: CompanyId,
    /// The account it goes to.
    pub account: AccountId,
    /// `vestibule_core::mail::Mail::kind`.
    pub kind: &'static str,
    /// The receiver's address.
    pub receiver: String,
    /// Language tag of the receiver.
    pub language: String,
    /// What it says, encrypted.
    pub sealed: Vec<u8>,
    /// `vestibule_core::mail::Mail::priority`: smaller is sooner.
    pub priority: i64,
    /// When it was written.
    pub created_at: Moment,
    /// When it may be sent.
    pub due_at: Moment,
    /// After this moment it is of no use.
    pub expires_at: Option<Moment>,
    /// The pending sign-in whose page shows how it is doing.
    pub pending: Option<PendingId>,
}

impl std::fmt::Debug for NewMail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewMail")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// A claimed mail.
#[derive(Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its identifier.
    pub id: MailId,
    /// The company it belongs to.
    pub company: CompanyId,
    /// The account it goes to.
    pub account: AccountId,
    /// `vestibule_core::mail::Mail::kind`.
    pub kind: String,
    /// The receiver's address.
    pub receiver: String,
    /// Language tag of the receiver.
    pub language: String,
    /// What it says, encrypted.
    pub sealed: Vec<u8>,
    /// Smaller is sooner.
    pub priority: i64,
    /// When it was written.
    pub created_at: Moment,
    /// When it was due.
    pub due_at: Moment,
    /// After this moment it must not be sent any more.
    pub expires_at: Option<Moment>,
    /// Tries begun, this one included: 1 at the first.
    pub tries: i64,
    /// The pending sign-in whose page shows how it is doing.
    pub pending: Option<PendingId>,
}

impl std::fmt::Debug for OutboxRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutboxRow")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("tries", &self.tries)
            .finish_non_exhaustive()
    }
}

/// How a mail is doing.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct MailProgress {
    /// When the mail server took it.
    pub sent_at: Option<Moment>,
    /// When it was given up.
    pub given_up_at: Option<Moment>,
    /// Tries begun.
    pub tries: i64,
    /// What went wrong at the last try; `None` = nothing yet.
    pub problem: Option<String>,
}

#[derive(FromRow)]
struct OutboxColumns {
    id: Uuid,
    company_id: Uuid,
    account_id: Uuid,
    kind: String,
    receiver: String,
    language: String,
    sealed: Option<Vec<u8>>,
    priority: i64,
    created_at: Moment,
    due_at: Moment,
    expires_at: Option<Moment>,
    tries: i64,
    pending_id: Option<Uuid>,
}

impl TryFrom<OutboxColumns> for OutboxRow {
    type Error = StoreError;

    fn try_from(row: OutboxColumns) -> Result<Self, StoreError> {
        Ok(Self {
            id: MailId(row.id),
            company: CompanyId(row.company_id),
            account: AccountId(row.account_id),
            kind: row.kind,
            receiver: row.receiver,
            language: row.language,
            sealed: row.sealed.ok_or(StoreError::corrupt("mail_outbox", "sealed"))?,
            priority: row.priority,
            created_at: row.created_at,
            due_at: row.due_at,
            expires_at: row.expires_at,
            tries: row.tries,
            pending: row.pending_id.map(PendingId),
        })
    }
}

impl Reader {
    /// Whether [`Writer::claim_mails`] would find a mail.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn has_due_mail(&mut self, now: Moment) -> Result<bool, StoreError> {
        Ok(optional!(self, (Uuid,), DUE, now)?.is_some())
    }

    /// Whether a mail waits whose last try failed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn has_failing_mail(&mut self) -> Result<bool, StoreError> {
        Ok(optional!(self, (Uuid,), FAILING)?.is_some())
    }

    /// The company and the account that a mail belongs to.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mail_owner(&mut self, id: MailId) -> Result<Option<(CompanyId, AccountId)>, StoreError> {
        let owner = optional!(self, (Uuid, Uuid), OWNER, id.0)?;
        Ok(owner.map(|(company, account)| (CompanyId(company), AccountId(account))))
    }

    /// How the newest mail of a pending sign-in is doing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mail_of_pending(
        &mut self,
        company: CompanyId,
        pending: PendingId,
    ) -> Result<Option<MailProgress>, StoreError> {
        optional!(self, MailProgress, OF_PENDING, company.0, pending.0)
    }
}

impl Writer {
    /// Puts a mail into the outbox.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_mail(&mut self, new: &NewMail) -> Result<(), StoreError> {
        execute!(
            self,
            INSERT,
            new.id.0,
            new.company.0,
            new.account.0,
            new.kind,
            &new.receiver,
            &new.language,
            &new.sealed,
            new.priority,
            new.created_at,
            new.due_at,
            new.expires_at,
            new.pending.map(|pending| pending.0),
        )
        .map(drop)
    }

    /// Claims up to `most` due mails until a moment, most urgent first, of all companies. Nobody else gets them before
    /// that moment, on this node or another; afterwards they can be claimed again, because the claimer has died.
    /// A claim counts as a try, so that a mail that kills its worker is given up one day. Mails whose time is over
    /// are claimed too: the worker gives them up.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claim_mails(
        &mut self,
        now: Moment,
        until: Moment,
        most: i64,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        let sql = match self.link {
            Link::Sqlite(_) => CLAIM_SQLITE,
            Link::Postgres(_) => CLAIM_POSTGRES,
        };
        let rows = all!(self, OutboxColumns, sql, now, until, most)?;
        let rows: Result<Vec<OutboxRow>, _> = rows.into_iter().map(OutboxRow::try_from).collect();
        let mut rows = rows?;
        rows.sort_unstable_by_key(|row| (row.priority, row.due_at, row.id));
        Ok(rows)
    }

    /// The mail server took it: what it said is wiped.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mail_sent(&mut self, id: MailId, now: Moment) -> Result<(), StoreError> {
        execute!(self, SENT, id.0, now).map(drop)
    }

    /// It could not be sent; it is due again at `due_at`. `problem` says why, without secrets.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mail_retry(&mut self, id: MailId, due_at: Moment, problem: &str) -> Result<(), StoreError> {
        execute!(self, RETRY, id.0, due_at, problem).map(drop)
    }

    /// It will never be sent: what it said is wiped.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mail_given_up(&mut self, id: MailId, now: Moment, problem: &str) -> Result<(), StoreError> {
        execute!(self, GIVEN_UP, id.0, now, problem).map(drop)
    }
}
