//! The outbox: mails are written in the transaction that causes them, and sent by a worker (N27).

use sqlx::FromRow;
use uuid::Uuid;
use vestibule_core::{
    id::{AccountId, CompanyId, MailId, PendingId},
    ports::Moment,
};

use crate::{
    Reader, StoreError, Writer,
    later::{Later, values},
    link::{Link, all, execute, optional},
};

const INSERT: &str = "INSERT INTO mail_outbox (id, company_id, account_id, kind, receiver, language, sealed, \
    priority, created_at, due_at, expires_at, pending_id) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

/// Mails that a worker may take now. `$1` is the moment.
macro_rules! due {
    () => {
        "m.sent_at IS NULL AND m.given_up_at IS NULL AND m.due_at <= $1 \
         AND (m.claimed_until IS NULL OR m.claimed_until <= $1)"
    };
}

/// Mails of companies without a mail server of their own.
macro_rules! installations {
    () => {
        "NOT EXISTS (SELECT 1 FROM mail_server s WHERE s.company_id = m.company_id)"
    };
}

/// The texts differ in whose mails they take, and in one clause: on PostgreSQL several workers claim at once and pass
/// over what another is just claiming; on SQLite there is one writer at a time.
macro_rules! claim {
    ($whose:expr, $passing_over:literal) => {
        concat!(
            "WITH due AS MATERIALIZED (SELECT m.id FROM mail_outbox m WHERE ",
            due!(),
            " AND ",
            $whose,
            " ORDER BY m.priority, m.due_at, m.id LIMIT $3",
            $passing_over,
            ") UPDATE mail_outbox SET claimed_until = $2, tries = tries + 1 WHERE id IN (SELECT id FROM due) \
             RETURNING id, company_id, account_id, kind, receiver, language, sealed, priority, created_at, due_at, \
             expires_at, tries, pending_id"
        )
    };
}
pub(crate) const CLAIM_SQLITE: &str = claim!(installations!(), "");
const CLAIM_POSTGRES: &str = claim!(installations!(), " FOR UPDATE OF m SKIP LOCKED");
pub(crate) const CLAIM_OF_COMPANY_SQLITE: &str = claim!("m.company_id = $4", "");
const CLAIM_OF_COMPANY_POSTGRES: &str = claim!("m.company_id = $4", " FOR UPDATE OF m SKIP LOCKED");

const SENT: &str = "UPDATE mail_outbox SET sent_at = $2, answer = $3, sealed = NULL, claimed_until = NULL, problem = NULL \
    WHERE id = $1 AND sent_at IS NULL AND given_up_at IS NULL";
const RETRY: &str = "UPDATE mail_outbox SET due_at = $2, problem = $3, claimed_until = NULL \
    WHERE id = $1 AND sent_at IS NULL AND given_up_at IS NULL";
const GIVEN_UP: &str = "UPDATE mail_outbox SET given_up_at = $2, problem = $3, answer = $4, sealed = NULL, \
    claimed_until = NULL \
    WHERE id = $1 AND sent_at IS NULL AND given_up_at IS NULL";
pub(crate) const DUE: &str = concat!("SELECT m.id FROM mail_outbox m WHERE ", due!(), " LIMIT 1");
pub(crate) const DUE_OF_INSTALLATION: &str = concat!(
    "SELECT m.id FROM mail_outbox m WHERE ",
    due!(),
    " AND ",
    installations!(),
    " LIMIT 1"
);
pub(crate) const DUE_COMPANIES: &str = concat!(
    "SELECT s.company_id FROM mail_server s WHERE EXISTS (SELECT 1 FROM mail_outbox m \
     WHERE m.company_id = s.company_id AND ",
    due!(),
    ")"
);
const FAILING: &str = concat!(
    "SELECT m.id FROM mail_outbox m WHERE m.sent_at IS NULL AND m.given_up_at IS NULL AND m.problem IS NOT NULL AND ",
    installations!(),
    " LIMIT 1"
);
/// Tried at once, unless it is being tried.
pub(crate) const HURRY: &str = "UPDATE mail_outbox SET due_at = $3 WHERE company_id = $1 AND pending_id = $2 \
    AND sent_at IS NULL AND given_up_at IS NULL AND problem IS NOT NULL AND due_at > $3 \
    AND (claimed_until IS NULL OR claimed_until <= $3)";
pub(crate) const DROP: &str = "UPDATE mail_outbox SET given_up_at = $4, problem = $5, sealed = NULL, claimed_until = NULL \
    WHERE company_id = $1 AND account_id = $2 AND kind = $3 AND sent_at IS NULL AND given_up_at IS NULL \
    AND (claimed_until IS NULL OR claimed_until <= $4)";
pub(crate) const SINCE: &str = "SELECT COUNT(*) FROM mail_outbox WHERE company_id = $1 AND account_id = $2 \
    AND created_at > $4 AND kind = $3";
pub(crate) const TESTS_SINCE: &str =
    "SELECT COUNT(*) FROM mail_outbox WHERE company_id = $1 AND created_at > $2 AND kind = 'test_mail'";
pub(crate) const NEWEST_TEST: &str = "SELECT receiver, created_at, sent_at, given_up_at, problem, answer FROM mail_outbox \
    WHERE company_id = $1 AND kind = 'test_mail' ORDER BY created_at DESC, id DESC LIMIT 1";
macro_rules! counts {
    ($whose:literal) => {
        concat!(
            "SELECT COUNT(*) AS waiting, COUNT(m.problem) AS failing, MIN(m.created_at) AS oldest, \
             (SELECT COUNT(*) FROM mail_outbox g WHERE g.given_up_at > $1",
            $whose,
            ") AS given_up FROM mail_outbox m WHERE m.sent_at IS NULL AND m.given_up_at IS NULL"
        )
    };
}
pub(crate) const COUNTS_OF_COMPANY: &str =
    concat!(counts!(" AND g.company_id = $2"), " AND m.company_id = $2");
pub(crate) const COUNTS: &str = counts!("");
const OWNER: &str = "SELECT company_id, account_id FROM mail_outbox WHERE id = $1";
pub(crate) const OF_PENDING: &str = "SELECT sent_at, given_up_at, tries, problem FROM mail_outbox \
    WHERE company_id = $1 AND pending_id = $2 ORDER BY created_at DESC, id DESC LIMIT 1";

pub(crate) const NEWEST_OF_KIND: &str = "SELECT sent_at, given_up_at, tries, problem FROM mail_outbox \
    WHERE company_id = $1 AND account_id = $2 AND kind = $3 ORDER BY created_at DESC, id DESC LIMIT 1";

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

/// Whose mails a worker takes: each lane has a mail server of its own, so that none waits for another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MailLane {
    /// Mails of all companies that send through the installation's server.
    Installation,
    /// Mails of a company with a server of its own.
    Company(CompanyId),
}

/// How a test mail is doing.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct TestMailRow {
    /// Where it goes.
    pub receiver: String,
    /// When it was asked for.
    pub created_at: Moment,
    /// When the mail server took it.
    pub sent_at: Option<Moment>,
    /// When it was given up.
    pub given_up_at: Option<Moment>,
    /// Why it was given up.
    pub problem: Option<String>,
    /// What the mail server said.
    pub answer: Option<String>,
}

/// What waits in the outbox.
#[derive(Clone, Debug, Default, PartialEq, Eq, FromRow)]
pub struct OutboxCounts {
    /// Mails that wait, those on their way included.
    pub waiting: i64,
    /// Of them those whose last try failed.
    pub failing: i64,
    /// When the oldest of them was written.
    pub oldest: Option<Moment>,
    /// Mails that were given up since the moment that was asked for.
    pub given_up: i64,
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

    /// The lanes that have mails which [`Writer::claim_mails`] would find.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mail_lanes(&mut self, now: Moment) -> Result<Vec<MailLane>, StoreError> {
        if !self.has_due_mail(now).await? {
            return Ok(Vec::new());
        }
        let companies = all!(self, (Uuid,), DUE_COMPANIES, now)?;
        let installation = optional!(self, (Uuid,), DUE_OF_INSTALLATION, now)?;
        let companies = companies
            .into_iter()
            .map(|(company,)| MailLane::Company(CompanyId(company)));
        Ok(installation
            .map(|_| MailLane::Installation)
            .into_iter()
            .chain(companies)
            .collect())
    }

    /// Whether a mail for the installation's server waits whose last try failed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn has_failing_mail(&mut self) -> Result<bool, StoreError> {
        Ok(optional!(self, (Uuid,), FAILING)?.is_some())
    }

    /// How many mails of a kind were written for an account after a moment, whatever became of them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mails_since(
        &mut self,
        company: CompanyId,
        account: AccountId,
        kind: &str,
        since: Moment,
    ) -> Result<i64, StoreError> {
        let count = optional!(self, (i64,), SINCE, company.0, account.0, kind, since)?;
        Ok(count.map_or(0, |(count,)| count))
    }

    /// How many test mails a company wrote after a moment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn test_mails_since(&mut self, company: CompanyId, since: Moment) -> Result<i64, StoreError> {
        let count = optional!(self, (i64,), TESTS_SINCE, company.0, since)?;
        Ok(count.map_or(0, |(count,)| count))
    }

    /// How the newest test mail of a company is doing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn newest_test_mail(&mut self, company: CompanyId) -> Result<Option<TestMailRow>, StoreError> {
        optional!(self, TestMailRow, NEWEST_TEST, company.0)
    }

    /// What waits of a company, and what was given up after a moment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn outbox_counts(
        &mut self,
        company: CompanyId,
        since: Moment,
    ) -> Result<OutboxCounts, StoreError> {
        let counts = optional!(self, OutboxCounts, COUNTS_OF_COMPANY, since, company.0)?;
        Ok(counts.unwrap_or_default())
    }

    /// The same of all companies together. For operators only.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn all_outbox_counts(&mut self, since: Moment) -> Result<OutboxCounts, StoreError> {
        Ok(optional!(self, OutboxCounts, COUNTS, since)?.unwrap_or_default())
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

    /// How the newest mail of a kind to an account is doing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn newest_mail(
        &mut self,
        company: CompanyId,
        account: AccountId,
        kind: &str,
    ) -> Result<Option<MailProgress>, StoreError> {
        optional!(self, MailProgress, NEWEST_OF_KIND, company.0, account.0, kind)
    }
}

impl Writer {
    /// Puts a mail into the outbox.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_mail(&mut self, new: &NewMail) -> Result<(), StoreError> {
        let values = values![
            new.id.0,
            new.company.0,
            new.account.0,
            new.kind,
            new.receiver.as_str(),
            new.language.as_str(),
            &new.sealed[..],
            new.priority,
            new.created_at,
            new.due_at,
            new.expires_at,
            new.pending.map(|pending| pending.0),
        ];
        self.write_later(Later::adding("mail_outbox", INSERT, values))
            .await
    }

    /// Claims up to `most` due mails of a lane until a moment, most urgent first. Nobody else gets them before that
    /// moment, on this node or another; afterwards they can be claimed again, because the claimer has died.
    /// A claim counts as a try, so that a mail that kills its worker is given up one day. Mails whose time is over
    /// are claimed too: the worker gives them up.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claim_mails(
        &mut self,
        lane: MailLane,
        now: Moment,
        until: Moment,
        most: i64,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        let [of_installation, of_company] = match self.link {
            Link::Sqlite(_) => [CLAIM_SQLITE, CLAIM_OF_COMPANY_SQLITE],
            Link::Postgres(_) => [CLAIM_POSTGRES, CLAIM_OF_COMPANY_POSTGRES],
        };
        let rows = match lane {
            MailLane::Installation => all!(self, OutboxColumns, of_installation, now, until, most)?,
            MailLane::Company(company) => all!(self, OutboxColumns, of_company, now, until, most, company.0)?,
        };
        let rows: Result<Vec<OutboxRow>, _> = rows.into_iter().map(OutboxRow::try_from).collect();
        let mut rows = rows?;
        rows.sort_unstable_by_key(|row| (row.priority, row.due_at, row.id));
        Ok(rows)
    }

    /// The mail server took it: what it said is wiped. `answer` is what the server said, if that is to be kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mail_sent(
        &mut self,
        id: MailId,
        now: Moment,
        answer: Option<&str>,
    ) -> Result<(), StoreError> {
        execute!(self, SENT, id.0, now, answer).map(drop)
    }

    /// It could not be sent; it is due again at `due_at`. `problem` says why, without secrets.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mail_retry(&mut self, id: MailId, due_at: Moment, problem: &str) -> Result<(), StoreError> {
        execute!(self, RETRY, id.0, due_at, problem).map(drop)
    }

    /// It will never be sent: what it said is wiped. `answer` is what the server said, if that is to be kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mail_given_up(
        &mut self,
        id: MailId,
        now: Moment,
        problem: &str,
        answer: Option<&str>,
    ) -> Result<(), StoreError> {
        execute!(self, GIVEN_UP, id.0, now, problem, answer).map(drop)
    }

    /// Makes the failing mail of a pending sign-in due now; says whether there was one that waited for its next try.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn hurry_mail(
        &mut self,
        company: CompanyId,
        pending: PendingId,
        now: Moment,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, HURRY, company.0, pending.0, now)? > 0)
    }

    /// Gives up the waiting mails of a kind of an account, because a newer one takes their place; one that is just on
    /// its way cannot be held back.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn drop_mails(
        &mut self,
        company: CompanyId,
        account: AccountId,
        kind: &str,
        now: Moment,
        problem: &str,
    ) -> Result<(), StoreError> {
        execute!(self, DROP, company.0, account.0, kind, now, problem).map(drop)
    }
}
