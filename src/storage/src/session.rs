//! Sessions: one joined query tells whether a cookie is worth anything (N19, N20).

use sqlx::FromRow;
use uuid::Uuid;
use vestibule_core::{
    account::Account,
    company::Company,
    id::{AccountId, CompanyId, SessionId},
    ports::Moment,
    secret::TokenHash,
    session::{EndReason, Ending, Proof},
};

use crate::{
    Changed, Reader, StoreError, Writer,
    built::{Built, built_all},
    columns::{AccountColumns, CompanyColumns, account_columns, company_columns, proof},
    later::{Later, values},
    link::{all, execute, optional},
};

const INSERT: &str = "INSERT INTO session (company_id, id, account_id, token_hash, created_at, last_used_at, \
    ends_at, proof, proved_at, address, browser, credential_version) \
    VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $5, $8, $9, $10)";
/// The columns of a session `s` with its company and account.
macro_rules! session_columns {
    () => {
        concat!(
            "s.id AS s_id, s.created_at AS s_created_at, s.last_used_at AS s_last_used_at, \
             s.ends_at AS s_ends_at, s.proof AS s_proof, s.proved_at AS s_proved_at, s.address AS s_address, \
             s.browser AS s_browser, s.credential_version AS s_credential_version, ",
            company_columns!(),
            ", ",
            account_columns!()
        )
    };
}
pub(crate) use session_columns;

pub(crate) const BY_TOKEN: &str = concat!(
    "SELECT ",
    session_columns!(),
    " FROM session s JOIN company c ON c.id = s.company_id \
     JOIN account a ON a.company_id = s.company_id AND a.id = s.account_id WHERE s.token_hash = $1"
);
pub(crate) const OF_ACCOUNT: &str = "SELECT id, created_at, last_used_at, ends_at, proof, address, browser, \
    credential_version FROM session WHERE company_id = $1 AND account_id = $2 ORDER BY created_at DESC, id DESC";
pub(crate) const ACCOUNT_OF: &str = "SELECT account_id FROM session WHERE company_id = $1 AND id = $2";
const TOUCH: &str =
    "UPDATE session SET last_used_at = $3 WHERE company_id = $1 AND id = $2 AND last_used_at < $3";
pub(crate) const BY_FORMER_TOKEN: &str =
    "SELECT company_id, id, account_id FROM session WHERE token_hash = $1 OR former_token_hash = $1";
const PROVE: &str = "UPDATE session SET proof = $4, credential_version = $5, proved_at = $6, \
    wrong_passwords = 0, token_hash = COALESCE($3, token_hash), \
    former_token_hash = CASE WHEN $3 IS NULL THEN former_token_hash ELSE token_hash END \
    WHERE company_id = $1 AND id = $2";
const KEEP: &str = "UPDATE session SET proof = $3, credential_version = $4 WHERE company_id = $1 AND id = $2";
const COUNT_WRONG_PASSWORD: &str = "UPDATE session SET wrong_passwords = wrong_passwords + 1 \
    WHERE company_id = $1 AND id = $2 RETURNING wrong_passwords";
/// Writes down why the sessions of a company end for which the condition holds; its parameters begin with `$6`.
macro_rules! note_sql {
    ($which:literal) => {
        concat!(
            "INSERT INTO ended_session (token_hash, session_id, company_id, account_id, reason, minutes, ended_at, \
             note) SELECT token_hash, id, company_id, account_id, $1, $2, $3, $5 FROM session WHERE company_id = $4",
            $which,
            " ON CONFLICT (token_hash) DO NOTHING"
        )
    };
}
const NOTE: &str = note_sql!(" AND id = $6");
const NOTE_ONE_IDLE: &str = note_sql!(" AND id = $6 AND last_used_at <= $7");
const NOTE_ONE_OF_ACCOUNT: &str = note_sql!(" AND account_id = $6 AND id = $7");
const NOTE_OF_ACCOUNT: &str = note_sql!(" AND account_id = $6");
const NOTE_OTHERS: &str = note_sql!(" AND account_id = $6 AND id <> $7");
const NOTE_OF_COMPANY: &str = note_sql!("");
const NOTE_TRIMMED: &str = note_sql!(
    " AND account_id = $6 AND id NOT IN (SELECT id FROM session WHERE company_id = $4 AND account_id = $6 \
      ORDER BY created_at DESC, id DESC LIMIT $7)"
);
pub(crate) const NOTE_IDLE: &str = note_sql!(" AND last_used_at <= $6");

/// Writes down why these sessions end, and what was typed for their owners where anything was; call it before they are
/// deleted.
macro_rules! note {
    ($writer:ident, $sql:expr, ($ending:expr, $note:expr), $company:expr $(, $bind:expr)*) => {
        $crate::link::execute!(
            $writer,
            $sql,
            $ending.reason.as_str(),
            $ending.minutes,
            $ending.at,
            $company.0,
            $note
            $(, $bind)*
        )
    };
    ($writer:ident, $sql:expr, $ending:ident, $company:expr $(, $bind:expr)*) => {
        $crate::session::note!($writer, $sql, ($ending, None::<&str>), $company $(, $bind)*)
    };
}
pub(crate) use note;

pub(crate) const ENDED: &str = "SELECT session_id, company_id, account_id, reason, minutes, ended_at, note \
    FROM ended_session WHERE token_hash = $1";
const END: &str = "DELETE FROM session WHERE company_id = $1 AND id = $2";
/// Whoever used it since it was found idle keeps it.
const END_IDLE: &str = "DELETE FROM session WHERE company_id = $1 AND id = $2 AND last_used_at <= $3";
const END_OF_ACCOUNT: &str = "DELETE FROM session WHERE company_id = $1 AND account_id = $2";
const END_ONE_OF_ACCOUNT: &str = "DELETE FROM session WHERE company_id = $1 AND account_id = $2 AND id = $3";
const END_OTHERS: &str = "DELETE FROM session WHERE company_id = $1 AND account_id = $2 AND id <> $3";
const END_OF_COMPANY: &str = "DELETE FROM session WHERE company_id = $1";
const TRIM: &str = "DELETE FROM session WHERE company_id = $1 AND account_id = $2 AND id NOT IN ( \
    SELECT id FROM session WHERE company_id = $1 AND account_id = $2 \
    ORDER BY created_at DESC, id DESC LIMIT $3)";

/// A session to begin. It counts as used, and as proved, when it is created.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Its company.
    pub company: CompanyId,
    /// Its identifier.
    pub id: SessionId,
    /// Whose it is.
    pub account: AccountId,
    /// Hash of the token in the cookie.
    pub token_hash: TokenHash,
    /// When it begins.
    pub created_at: Moment,
    /// Its absolute end.
    pub ends_at: Moment,
    /// How the account proved who it is.
    pub proof: Proof,
    /// The visitor's network address.
    pub address: Option<String>,
    /// The visitor's browser, shortened.
    pub browser: Option<String>,
    /// Version of the credentials it was begun with.
    pub credential_version: i64,
}

/// A session with its company and account, as they are now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// Its identifier.
    pub id: SessionId,
    /// The company.
    pub company: Company,
    /// The account.
    pub account: Account,
    /// When it began.
    pub created_at: Moment,
    /// Its last use that was written down.
    pub last_used_at: Moment,
    /// Its absolute end.
    pub ends_at: Moment,
    /// How the account proved who it is.
    pub proof: Proof,
    /// When it did.
    pub proved_at: Moment,
    /// Network address it began from.
    pub address: Option<String>,
    /// Browser it began in.
    pub browser: Option<String>,
    /// Version of the credentials it was begun with; over when the account's is another.
    pub credential_version: i64,
}

/// A session in the list of an account's sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionEntry {
    /// Its identifier.
    pub id: SessionId,
    /// When it began.
    pub created_at: Moment,
    /// Its last use that was written down.
    pub last_used_at: Moment,
    /// Its absolute end.
    pub ends_at: Moment,
    /// How the account proved who it is.
    pub proof: Proof,
    /// Network address it began from.
    pub address: Option<String>,
    /// Browser it began in.
    pub browser: Option<String>,
    /// Version of the credentials it was begun with.
    pub credential_version: i64,
}

/// A session in the list of a company's sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompanySession {
    /// Its identifier.
    pub id: SessionId,
    /// Whose it is.
    pub account: AccountId,
    /// Name of that account.
    pub name: String,
    /// What colleagues see of it.
    pub alias: String,
    /// When it began.
    pub created_at: Moment,
    /// Its last use that was written down.
    pub last_used_at: Moment,
    /// How the account proved who it is.
    pub proof: Proof,
    /// Network address it began from.
    pub address: Option<String>,
    /// Browser it began in.
    pub browser: Option<String>,
}

#[derive(FromRow)]
struct ListColumns {
    id: Uuid,
    account_id: Uuid,
    name: String,
    alias: String,
    created_at: Moment,
    last_used_at: Moment,
    proof: String,
    address: Option<String>,
    browser: Option<String>,
}

/// The live sessions of a company, the newest first.
pub(crate) fn of_company(
    company: CompanyId,
    idle_since: Option<Moment>,
    now: Moment,
    before: Option<SessionId>,
    most: usize,
) -> Built {
    let mut built = Built::new(
        "SELECT s.id, s.account_id, a.name, a.alias, s.created_at, s.last_used_at, s.proof, s.address, s.browser \
         FROM session s JOIN account a ON a.company_id = s.company_id AND a.id = s.account_id \
         WHERE s.credential_version = a.credential_version AND a.active AND s.company_id = ",
    );
    built.bind(company).add(" AND s.ends_at > ").bind(now);
    if let Some(since) = idle_since {
        built.add(" AND s.last_used_at > ").bind(since);
    }
    if let Some(before) = before {
        built.add(" AND s.id < ").bind(before.0);
    }
    built
        .add(" ORDER BY s.id DESC LIMIT ")
        .bind(i64::try_from(most).unwrap_or(i64::MAX));
    built
}

/// A session that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedRow {
    /// Its identifier.
    pub session: SessionId,
    /// The company.
    pub company: CompanyId,
    /// The account.
    pub account: AccountId,
    /// Why it ended, and when.
    pub ending: Ending,
    /// What whoever ended it typed for its owner.
    pub note: Option<String>,
}

#[derive(FromRow)]
struct EndedColumns {
    session_id: Uuid,
    company_id: Uuid,
    account_id: Uuid,
    reason: String,
    minutes: Option<i64>,
    ended_at: Moment,
    note: Option<String>,
}

#[derive(FromRow)]
pub(crate) struct TokenColumns {
    s_id: Uuid,
    s_created_at: Moment,
    s_last_used_at: Moment,
    s_ends_at: Moment,
    s_proof: String,
    s_proved_at: Moment,
    s_address: Option<String>,
    s_browser: Option<String>,
    s_credential_version: i64,
    #[sqlx(flatten)]
    company: CompanyColumns,
    #[sqlx(flatten)]
    account: AccountColumns,
}

impl TryFrom<TokenColumns> for SessionRow {
    type Error = StoreError;

    fn try_from(row: TokenColumns) -> Result<Self, StoreError> {
        Ok(Self {
            id: SessionId(row.s_id),
            company: row.company.try_into()?,
            account: row.account.try_into()?,
            created_at: row.s_created_at,
            last_used_at: row.s_last_used_at,
            ends_at: row.s_ends_at,
            proof: proof(&row.s_proof)?,
            proved_at: row.s_proved_at,
            address: row.s_address,
            browser: row.s_browser,
            credential_version: row.s_credential_version,
        })
    }
}

#[derive(FromRow)]
struct EntryColumns {
    id: Uuid,
    created_at: Moment,
    last_used_at: Moment,
    ends_at: Moment,
    proof: String,
    address: Option<String>,
    browser: Option<String>,
    credential_version: i64,
}

impl TryFrom<EntryColumns> for SessionEntry {
    type Error = StoreError;

    fn try_from(row: EntryColumns) -> Result<Self, StoreError> {
        Ok(Self {
            id: SessionId(row.id),
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            ends_at: row.ends_at,
            proof: proof(&row.proof)?,
            address: row.address,
            browser: row.browser,
            credential_version: row.credential_version,
        })
    }
}

impl Reader {
    /// The session of a token, with its company and account. Whether it is still alive is for the caller to decide.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn session_by_token(&mut self, token: TokenHash) -> Result<Option<SessionRow>, StoreError> {
        optional!(self, TokenColumns, BY_TOKEN, &token.0[..])?
            .map(SessionRow::try_from)
            .transpose()
    }

    /// Which session has this token, or had it until its last step-up: for ending it. A former token opens nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn session_to_end(
        &mut self,
        token: TokenHash,
    ) -> Result<Option<(CompanyId, AccountId, SessionId)>, StoreError> {
        let row = optional!(self, (Uuid, Uuid, Uuid), BY_FORMER_TOKEN, &token.0[..])?;
        Ok(row.map(|(company, id, account)| (CompanyId(company), AccountId(account), SessionId(id))))
    }

    /// The session that had this token, when it ended within the last day. A reason that this version does not know is
    /// none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ended_session(&mut self, token: TokenHash) -> Result<Option<EndedRow>, StoreError> {
        let row = optional!(self, EndedColumns, ENDED, &token.0[..])?;
        Ok(row.and_then(|row| {
            Some(EndedRow {
                session: SessionId(row.session_id),
                company: CompanyId(row.company_id),
                account: AccountId(row.account_id),
                ending: Ending {
                    reason: EndReason::from_word(&row.reason)?,
                    at: row.ended_at,
                    minutes: row.minutes,
                },
                note: row.note,
            })
        }))
    }

    /// Up to `most` sessions of the company that were used after `idle_since` (`None` = no such limit), are not past their
    /// absolute end, belong to an active account and have its credential version; the newest first, beginning with those
    /// older than `before`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sessions_of_company(
        &mut self,
        company: CompanyId,
        idle_since: Option<Moment>,
        now: Moment,
        before: Option<SessionId>,
        most: usize,
    ) -> Result<Vec<CompanySession>, StoreError> {
        let statement = of_company(company, idle_since, now, before, most);
        let rows = built_all!(self, ListColumns, statement)?;
        let sessions = rows.into_iter().map(|row| {
            Ok(CompanySession {
                id: SessionId(row.id),
                account: AccountId(row.account_id),
                name: row.name,
                alias: row.alias,
                created_at: row.created_at,
                last_used_at: row.last_used_at,
                proof: proof(&row.proof)?,
                address: row.address,
                browser: row.browser,
            })
        });
        sessions.collect()
    }

    /// Whose session this is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn account_of_session(
        &mut self,
        company: CompanyId,
        id: SessionId,
    ) -> Result<Option<AccountId>, StoreError> {
        let row = optional!(self, (Uuid,), ACCOUNT_OF, company.0, id.0)?;
        Ok(row.map(|(account,)| AccountId(account)))
    }

    /// The sessions of an account, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sessions_of(
        &mut self,
        company: CompanyId,
        account: AccountId,
    ) -> Result<Vec<SessionEntry>, StoreError> {
        all!(self, EntryColumns, OF_ACCOUNT, company.0, account.0)?
            .into_iter()
            .map(SessionEntry::try_from)
            .collect()
    }
}

impl Writer {
    /// Begins a session.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_session(&mut self, new: &NewSession) -> Result<(), StoreError> {
        let values = values![
            new.company.0,
            new.id.0,
            new.account.0,
            &new.token_hash.0[..],
            new.created_at,
            new.ends_at,
            new.proof.as_str(),
            &new.address,
            &new.browser,
            new.credential_version,
        ];
        self.write_later(Later::adding("session", INSERT, values)).await
    }

    /// Writes down that the session was used; never moves its last use back.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn touch_session(
        &mut self,
        company: CompanyId,
        id: SessionId,
        now: Moment,
    ) -> Result<(), StoreError> {
        execute!(self, TOUCH, company.0, id.0, now).map(drop)
    }

    /// Writes down that the account has proved once more who it is (N21): with what, when, and with which version of
    /// its credentials. With `token`, the session's token is replaced too. Says whether there was such a session.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn prove_session(
        &mut self,
        company: CompanyId,
        id: SessionId,
        token: Option<TokenHash>,
        proof: Proof,
        credential_version: i64,
        now: Moment,
    ) -> Result<bool, StoreError> {
        Ok(execute!(
            self,
            PROVE,
            company.0,
            id.0,
            token.map(|token| token.0.to_vec()),
            proof.as_str(),
            credential_version,
            now
        )? == 1)
    }

    /// Lets a session go on with another version of its account's credentials, which it has just changed. When it was
    /// proved stays as it is: nothing but a proof moves that. Says whether there was such a session.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_session(
        &mut self,
        company: CompanyId,
        id: SessionId,
        proof: Proof,
        credential_version: i64,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, KEEP, company.0, id.0, proof.as_str(), credential_version)? == 1)
    }

    /// Counts a wrong password that was entered in a session; gives how many there are since it last proved who it is,
    /// `None` when it has ended.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_wrong_password(
        &mut self,
        company: CompanyId,
        id: SessionId,
    ) -> Result<Option<i64>, StoreError> {
        let counted = optional!(self, (i64,), COUNT_WRONG_PASSWORD, company.0, id.0)?;
        Ok(counted.map(|(count,)| count))
    }

    /// Ends a session; says whether there was one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_session(
        &mut self,
        company: CompanyId,
        id: SessionId,
        ending: Ending,
    ) -> Result<bool, StoreError> {
        note!(self, NOTE, ending, company, id.0)?;
        self.note_change(Changed::Session(id));
        Ok(execute!(self, END, company.0, id.0)? == 1)
    }

    /// Ends a session that was not used since `until`; says whether there was one. Without one nothing may be committed:
    /// somebody may have used it after its end was noted.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_idle_session(
        &mut self,
        company: CompanyId,
        id: SessionId,
        until: Moment,
        ending: Ending,
    ) -> Result<bool, StoreError> {
        note!(self, NOTE_ONE_IDLE, ending, company, id.0, until)?;
        self.note_change(Changed::Session(id));
        Ok(execute!(self, END_IDLE, company.0, id.0, until)? == 1)
    }

    /// Ends a session of this account, with what is told to its owner besides; says whether there was one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_session_of(
        &mut self,
        company: CompanyId,
        account: AccountId,
        id: SessionId,
        ending: Ending,
        note: Option<&str>,
    ) -> Result<bool, StoreError> {
        note!(
            self,
            NOTE_ONE_OF_ACCOUNT,
            (ending, note),
            company,
            account.0,
            id.0
        )?;
        Ok(execute!(self, END_ONE_OF_ACCOUNT, company.0, account.0, id.0)? == 1)
    }

    /// Ends all sessions of an account but one; gives the number of ended ones.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_other_sessions(
        &mut self,
        company: CompanyId,
        account: AccountId,
        keep: SessionId,
        ending: Ending,
    ) -> Result<u64, StoreError> {
        note!(self, NOTE_OTHERS, ending, company, account.0, keep.0)?;
        execute!(self, END_OTHERS, company.0, account.0, keep.0)
    }

    /// Ends all sessions of an account, with what is told to its owner besides; gives their number.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_sessions_of(
        &mut self,
        company: CompanyId,
        account: AccountId,
        ending: Ending,
        note: Option<&str>,
    ) -> Result<u64, StoreError> {
        note!(self, NOTE_OF_ACCOUNT, (ending, note), company, account.0)?;
        execute!(self, END_OF_ACCOUNT, company.0, account.0)
    }

    /// Ends all sessions of a company; gives their number.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_sessions_of_company(
        &mut self,
        company: CompanyId,
        ending: Ending,
    ) -> Result<u64, StoreError> {
        note!(self, NOTE_OF_COMPANY, ending, company)?;
        execute!(self, END_OF_COMPANY, company.0)
    }

    /// Ends the oldest sessions of an account so that at most `most` stay; gives the number of ended ones. Call it
    /// after inserting a new one, while holding the account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn trim_sessions(
        &mut self,
        company: CompanyId,
        account: AccountId,
        most: i64,
        now: Moment,
    ) -> Result<u64, StoreError> {
        let ending = Ending::now(EndReason::TooMany, now);
        note!(self, NOTE_TRIMMED, ending, company, account.0, most)?;
        execute!(self, TRIM, company.0, account.0, most)
    }
}
