//! What applications got from sign-ins: codes, tokens, and the word that a session is over. Everything is read together
//! with the session that it came of: without it nothing is worth anything.

use sqlx::FromRow;
use uuid::Uuid;
use vestibule_core::{
    id::{AccountId, ApplicationId, CompanyId, GrantId, IssuedTokenId, PublicId, SessionId},
    oidc::{application::Application, token::Challenge},
    ports::Moment,
    secret::TokenHash,
    session::Proof,
};

use crate::{
    Reader, SessionRow, StoreError, Writer,
    application::{ApplicationColumns, application_columns},
    columns::{account_columns, company_columns, hash, proof},
    link::{all, execute, optional},
    session::{TokenColumns, session_columns},
};

const TABLE: &str = "access_grant";

const INSERT: &str = "INSERT INTO access_grant (id, company_id, application_id, account_id, subject, session_id, \
    scopes, nonce, proof, proved_at, code_hash, redirect_uri, challenge, created_at, expires_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";

macro_rules! grant_columns {
    () => {
        concat!(
            "g.id AS g_id, g.application_id AS g_application_id, g.scopes AS g_scopes, g.nonce AS g_nonce, \
             g.proof AS g_proof, g.proved_at AS g_proved_at, g.redirect_uri AS g_redirect_uri, \
             g.challenge AS g_challenge, g.created_at AS g_created_at, g.code_used_at AS g_code_used_at, \
             g.is_over AS g_is_over, ",
            session_columns!()
        )
    };
}

/// The session, company and account that a grant came of.
macro_rules! of_grant {
    () => {
        " JOIN session s ON s.company_id = g.company_id AND s.id = g.session_id \
         JOIN company c ON c.id = g.company_id \
         JOIN account a ON a.company_id = g.company_id AND a.id = g.account_id "
    };
}

pub(crate) const BY_CODE: &str = concat!(
    "SELECT ",
    grant_columns!(),
    " FROM access_grant g",
    of_grant!(),
    "WHERE g.code_hash = $1"
);
pub(crate) const BY_REFRESH: &str = concat!(
    "SELECT t.used_at AS t_used_at, ",
    grant_columns!(),
    " FROM refresh_token t JOIN access_grant g ON g.id = t.grant_id",
    of_grant!(),
    "WHERE t.token_hash = $1"
);
pub(crate) const BY_ACCESS: &str = concat!(
    "SELECT t.scopes AS t_scopes, t.created_at AS t_created_at, t.expires_at AS t_expires_at, ",
    grant_columns!(),
    ", ",
    application_columns!(),
    " FROM access_token t JOIN access_grant g ON g.id = t.grant_id JOIN application p ON p.id = g.application_id",
    of_grant!(),
    "WHERE t.token_hash = $1"
);
/// Of several at once one is the first.
const USE_CODE: &str = "UPDATE access_grant SET code_used_at = $2 \
    WHERE id = $1 AND code_used_at IS NULL AND NOT is_over";
const USE_REFRESH: &str = "UPDATE refresh_token SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL";
const INSERT_REFRESH: &str = "INSERT INTO refresh_token (id, grant_id, token_hash, created_at) \
    VALUES ($1, $2, $3, $4) ON CONFLICT (token_hash) DO NOTHING";
const INSERT_ACCESS: &str = "INSERT INTO access_token (id, grant_id, token_hash, scopes, created_at, expires_at) \
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (token_hash) DO NOTHING";
const DELETE_ACCESS: &str = "DELETE FROM access_token WHERE token_hash = $1";
/// Its tokens end, and the session does not: the application is told when that does, at its absolute end at the latest.
const END: &str = "UPDATE access_grant SET is_over = TRUE, ended_early = TRUE, notice_due_at = expires_at \
    WHERE id = $1 AND NOT is_over";
pub(crate) const END_OF_ACCOUNT: &str = "UPDATE access_grant \
    SET is_over = TRUE, ended_early = FALSE, notice_due_at = NULL \
    WHERE company_id = $1 AND account_id = $2 AND (NOT is_over OR ended_early)";
pub(crate) const APPLICATIONS_OF_SESSION: &str = "SELECT DISTINCT p.name FROM access_grant g \
    JOIN application p ON p.id = g.application_id \
    WHERE g.session_id = $1 AND (NOT g.is_over OR g.ended_early) AND g.code_used_at IS NOT NULL \
    AND p.back_channel_uri IS NULL \
    ORDER BY p.name";

/// The sessions that applications got tokens of, and that are not past their absolute end: `$1` is now.
macro_rules! live_sessions {
    () => {
        " FROM access_grant g JOIN session s ON s.company_id = g.company_id AND s.id = g.session_id \
         JOIN company c ON c.id = s.company_id WHERE g.expires_at > $1 AND (NOT g.is_over OR g.ended_early)"
    };
}
pub(crate) const IDLE: &str = concat!(
    "SELECT DISTINCT s.company_id, s.id, s.created_at, s.last_used_at, s.ends_at",
    live_sessions!(),
    " AND c.idle_minutes = $2 AND s.last_used_at <= $3 LIMIT $4"
);
pub(crate) const OLDEST_USES: &str = concat!(
    "SELECT c.idle_minutes, MIN(s.last_used_at)",
    live_sessions!(),
    " AND c.idle_minutes IS NOT NULL GROUP BY c.idle_minutes"
);
/// A grant has the end of its session.
pub(crate) const PAST_END: &str = "SELECT DISTINCT s.company_id, s.id, s.created_at, s.last_used_at, s.ends_at \
    FROM access_grant g JOIN session s ON s.company_id = g.company_id AND s.id = g.session_id \
    WHERE g.expires_at <= $1 AND s.ends_at <= $1 AND (NOT g.is_over OR g.ended_early) LIMIT $2";

/// One notice of each owner of applications after the other, and of each owner one of each application after the other: a
/// long list of one of them comes behind the short ones of others. Those that are due are few and read first.
pub(crate) const UNTOLD: &str = concat!(
    "WITH due AS MATERIALIZED (SELECT id, application_id, notice_due_at FROM access_grant \
     WHERE is_over AND NOT is_told AND code_used_at IS NOT NULL AND (notice_due_at IS NULL OR notice_due_at <= $1)), \
     placed AS (SELECT d.id, d.notice_due_at, o.company_id, row_number() OVER ( \
     PARTITION BY d.application_id ORDER BY d.notice_due_at NULLS FIRST, d.id) AS place \
     FROM due d JOIN application o ON o.id = d.application_id), \
     in_turn AS (SELECT id, row_number() OVER ( \
     PARTITION BY company_id ORDER BY place, notice_due_at NULLS FIRST, id) AS turn FROM placed) \
     SELECT g.subject AS g_subject, g.company_id AS g_company_id, g.account_id AS g_account_id, \
     g.session_id AS g_session_id, g.notice_since AS g_notice_since, g.notice_tries AS g_notice_tries, ",
    application_columns!(),
    " FROM in_turn t JOIN access_grant g ON g.id = t.id JOIN application p ON p.id = g.application_id \
     ORDER BY t.turn, g.notice_due_at NULLS FIRST, g.id LIMIT $2"
);
/// Of several servers one takes it.
pub(crate) const CLAIM: &str = "UPDATE access_grant SET notice_due_at = $4, \
    notice_since = COALESCE(notice_since, $3), notice_tries = notice_tries + 1 \
    WHERE session_id = $1 AND application_id = $2 AND is_over AND NOT is_told \
    AND (notice_due_at IS NULL OR notice_due_at <= $3)";
const PUT_OFF: &str = "UPDATE access_grant SET notice_due_at = $3 \
    WHERE session_id = $1 AND application_id = $2 AND is_over AND NOT is_told";
const TOLD: &str = "UPDATE access_grant SET is_told = TRUE \
    WHERE session_id = $1 AND application_id = $2 AND is_over AND NOT is_told";

/// A grant to store, with its code.
#[derive(Clone)]
pub struct NewGrant {
    /// Its identifier.
    pub id: GrantId,
    /// The company of the account.
    pub company: CompanyId,
    /// To whom.
    pub application: ApplicationId,
    /// About whom.
    pub account: AccountId,
    /// By what the application knows the account.
    pub subject: PublicId,
    /// The session that it comes of.
    pub session: SessionId,
    /// Words of the scopes.
    pub scopes: String,
    /// What came with the request.
    pub nonce: Option<String>,
    /// How the account proved who it is.
    pub proof: Proof,
    /// When it did.
    pub proved_at: Moment,
    /// Hash of the code.
    pub code_hash: TokenHash,
    /// The address that the code is sent to.
    pub redirect_uri: String,
    /// What the code is bound to.
    pub challenge: Option<Challenge>,
    /// When it is given.
    pub created_at: Moment,
    /// When the session ends at the latest.
    pub expires_at: Moment,
}

impl std::fmt::Debug for NewGrant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewGrant")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// A grant with the session, company and account that it came of, as they are now.
#[derive(Clone, Debug)]
pub struct GrantRow {
    /// Its identifier.
    pub id: GrantId,
    /// To whom.
    pub application: ApplicationId,
    /// Words of the scopes.
    pub scopes: String,
    /// What came with the request.
    pub nonce: Option<String>,
    /// How the account had proved who it is.
    pub proof: Proof,
    /// When it had.
    pub proved_at: Moment,
    /// The address that the code was sent to.
    pub redirect_uri: String,
    /// What the code is bound to.
    pub challenge: Option<Challenge>,
    /// When it was given.
    pub created_at: Moment,
    /// When the code was used.
    pub code_used_at: Option<Moment>,
    /// Whether its tokens have ended.
    pub is_over: bool,
    /// The session, with company and account.
    pub session: SessionRow,
}

/// A refresh token.
#[derive(Clone, Debug)]
pub struct RefreshTokenRow {
    /// When it was used.
    pub used_at: Option<Moment>,
    /// What it belongs to.
    pub grant: GrantRow,
}

/// An access token.
#[derive(Clone, Debug)]
pub struct AccessTokenRow {
    /// Words of its scopes.
    pub scopes: String,
    /// When it was given.
    pub created_at: Moment,
    /// When it ends.
    pub expires_at: Moment,
    /// What it belongs to.
    pub grant: GrantRow,
    /// The application that it was given to.
    pub application: Application,
}

/// An access token to store.
#[derive(Clone, Debug)]
pub struct NewAccessToken {
    /// Its identifier.
    pub id: IssuedTokenId,
    /// What it belongs to.
    pub grant: GrantId,
    /// Its hash.
    pub hash: TokenHash,
    /// Words of its scopes.
    pub scopes: String,
    /// When it is given.
    pub created_at: Moment,
    /// When it ends.
    pub expires_at: Moment,
}

/// A session that applications got something of, as far as it tells how it comes to its end by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionOfApplications {
    /// Its company.
    pub company: CompanyId,
    /// Its identifier.
    pub id: SessionId,
    /// When it began.
    pub created_at: Moment,
    /// Its last use that was written down.
    pub last_used_at: Moment,
    /// Its absolute end.
    pub ends_at: Moment,
}

/// An application that is to be told that a session is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutNotice {
    /// Who is told.
    pub application: Application,
    /// The company of the account.
    pub company: CompanyId,
    /// The account, which may be gone.
    pub account: AccountId,
    /// By what the application knows the account.
    pub subject: PublicId,
    /// Which session.
    pub session: SessionId,
    /// When it was first tried; `None` = never.
    pub since: Option<Moment>,
    /// How often it was tried.
    pub tries: i64,
}

/// Company, identifier, beginning, last use and absolute end of a session.
type EndColumns = (Uuid, Uuid, Moment, Moment, Moment);

impl From<EndColumns> for SessionOfApplications {
    fn from((company, id, created_at, last_used_at, ends_at): EndColumns) -> Self {
        Self {
            company: CompanyId(company),
            id: SessionId(id),
            created_at,
            last_used_at,
            ends_at,
        }
    }
}

#[derive(FromRow)]
struct GrantColumns {
    g_id: Uuid,
    g_application_id: Uuid,
    g_scopes: String,
    g_nonce: Option<String>,
    g_proof: String,
    g_proved_at: Moment,
    g_redirect_uri: String,
    g_challenge: Option<Vec<u8>>,
    g_created_at: Moment,
    g_code_used_at: Option<Moment>,
    g_is_over: bool,
    #[sqlx(flatten)]
    session: TokenColumns,
}

#[derive(FromRow)]
struct RefreshColumns {
    t_used_at: Option<Moment>,
    #[sqlx(flatten)]
    grant: GrantColumns,
}

#[derive(FromRow)]
struct AccessColumns {
    t_scopes: String,
    t_created_at: Moment,
    t_expires_at: Moment,
    #[sqlx(flatten)]
    grant: GrantColumns,
    #[sqlx(flatten)]
    application: ApplicationColumns,
}

#[derive(FromRow)]
struct NoticeColumns {
    g_subject: Uuid,
    g_company_id: Uuid,
    g_account_id: Uuid,
    g_session_id: Uuid,
    g_notice_since: Option<Moment>,
    g_notice_tries: i64,
    #[sqlx(flatten)]
    application: ApplicationColumns,
}

impl TryFrom<GrantColumns> for GrantRow {
    type Error = StoreError;

    fn try_from(row: GrantColumns) -> Result<Self, StoreError> {
        let challenge = row.g_challenge.map(|bytes| hash(&bytes, TABLE, "challenge"));
        Ok(Self {
            id: GrantId(row.g_id),
            application: ApplicationId(row.g_application_id),
            scopes: row.g_scopes,
            nonce: row.g_nonce,
            proof: proof(&row.g_proof)?,
            proved_at: row.g_proved_at,
            redirect_uri: row.g_redirect_uri,
            challenge: challenge.transpose()?.map(Challenge),
            created_at: row.g_created_at,
            code_used_at: row.g_code_used_at,
            is_over: row.g_is_over,
            session: row.session.try_into()?,
        })
    }
}

impl Reader {
    /// The grant of a code, if its session is still there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn grant_by_code(&mut self, code: TokenHash) -> Result<Option<GrantRow>, StoreError> {
        optional!(self, GrantColumns, BY_CODE, &code.0[..])?
            .map(GrantRow::try_from)
            .transpose()
    }

    /// A refresh token, if the session of its grant is still there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn refresh_token(&mut self, token: TokenHash) -> Result<Option<RefreshTokenRow>, StoreError> {
        let row = optional!(self, RefreshColumns, BY_REFRESH, &token.0[..])?;
        row.map(|row| {
            Ok(RefreshTokenRow {
                used_at: row.t_used_at,
                grant: row.grant.try_into()?,
            })
        })
        .transpose()
    }

    /// An access token, if the session of its grant is still there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn access_token(&mut self, token: TokenHash) -> Result<Option<AccessTokenRow>, StoreError> {
        let row = optional!(self, AccessColumns, BY_ACCESS, &token.0[..])?;
        row.map(|row| {
            Ok(AccessTokenRow {
                scopes: row.t_scopes,
                created_at: row.t_created_at,
                expires_at: row.t_expires_at,
                grant: row.grant.try_into()?,
                application: row.application.try_into()?,
            })
        })
        .transpose()
    }

    /// Names of the applications that got tokens of a session and cannot be told when it ends.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn applications_not_told(&mut self, session: SessionId) -> Result<Vec<String>, StoreError> {
        let rows = all!(self, (String,), APPLICATIONS_OF_SESSION, session.0)?;
        Ok(rows.into_iter().map(|(name,)| name).collect())
    }

    /// Up to `most` sessions that were not used since `until`, of companies that end them after so many idle minutes, and that
    /// applications got tokens of.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn idle_sessions_of_applications(
        &mut self,
        idle_minutes: u16,
        until: Moment,
        now: Moment,
        most: i64,
    ) -> Result<Vec<SessionOfApplications>, StoreError> {
        let rows = all!(self, EndColumns, IDLE, now, i64::from(idle_minutes), until, most)?;
        Ok(rows.into_iter().map(SessionOfApplications::from).collect())
    }

    /// After how many idle minutes companies end sessions that applications got tokens of, and when the first of these was
    /// used last.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn oldest_uses_of_applications(
        &mut self,
        now: Moment,
    ) -> Result<Vec<(u16, Moment)>, StoreError> {
        let rows = all!(self, (i64, Moment), OLDEST_USES, now)?;
        rows.into_iter()
            .map(|(minutes, used_at)| {
                let minutes =
                    u16::try_from(minutes).map_err(|_| StoreError::corrupt("company", "idle_minutes"))?;
                Ok((minutes, used_at))
            })
            .collect()
    }

    /// Up to `most` sessions of all companies that are past their absolute end and that applications got tokens of.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn old_sessions_of_applications(
        &mut self,
        now: Moment,
        most: i64,
    ) -> Result<Vec<SessionOfApplications>, StoreError> {
        let rows = all!(self, EndColumns, PAST_END, now, most)?;
        Ok(rows.into_iter().map(SessionOfApplications::from).collect())
    }

    /// Up to `most` applications that are to be told now that a session is over: of each owner and each application one in
    /// turn, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn logout_notices(&mut self, now: Moment, most: i64) -> Result<Vec<LogoutNotice>, StoreError> {
        let rows = all!(self, NoticeColumns, UNTOLD, now, most)?;
        rows.into_iter()
            .map(|row| {
                Ok(LogoutNotice {
                    application: row.application.try_into()?,
                    company: CompanyId(row.g_company_id),
                    account: AccountId(row.g_account_id),
                    subject: PublicId(row.g_subject),
                    session: SessionId(row.g_session_id),
                    since: row.g_notice_since,
                    tries: row.g_notice_tries,
                })
            })
            .collect()
    }
}

impl Writer {
    /// Stores a grant with its code.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_grant(&mut self, new: &NewGrant) -> Result<(), StoreError> {
        execute!(
            self,
            INSERT,
            new.id.0,
            new.company.0,
            new.application.0,
            new.account.0,
            new.subject.0,
            new.session.0,
            &new.scopes,
            &new.nonce,
            new.proof.as_str(),
            new.proved_at,
            &new.code_hash.0[..],
            &new.redirect_uri,
            new.challenge.map(|challenge| challenge.0.to_vec()),
            new.created_at,
            new.expires_at,
        )
        .map(drop)
    }

    /// Uses the code of a grant. Of several at once, one gets `true`; nobody does once the grant is over.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn use_authorization_code(&mut self, grant: GrantId, now: Moment) -> Result<bool, StoreError> {
        Ok(execute!(self, USE_CODE, grant.0, now)? == 1)
    }

    /// Uses a refresh token. Of several at once, one gets `true`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn use_refresh_token(&mut self, token: TokenHash, now: Moment) -> Result<bool, StoreError> {
        Ok(execute!(self, USE_REFRESH, &token.0[..], now)? == 1)
    }

    /// Stores a refresh token; one that is there stays as it is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_refresh_token(
        &mut self,
        id: IssuedTokenId,
        grant: GrantId,
        token: TokenHash,
        now: Moment,
    ) -> Result<(), StoreError> {
        execute!(self, INSERT_REFRESH, id.0, grant.0, &token.0[..], now).map(drop)
    }

    /// Stores an access token; one that is there stays as it is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_access_token(&mut self, new: &NewAccessToken) -> Result<(), StoreError> {
        execute!(
            self,
            INSERT_ACCESS,
            new.id.0,
            new.grant.0,
            &new.hash.0[..],
            &new.scopes,
            new.created_at,
            new.expires_at,
        )
        .map(drop)
    }

    /// Ends one access token.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_access_token(&mut self, token: TokenHash) -> Result<(), StoreError> {
        execute!(self, DELETE_ACCESS, &token.0[..]).map(drop)
    }

    /// Ends a grant with all its tokens before its session; says whether it had not ended yet. Its application is told
    /// when the session ends: it may have one of its own that hangs on it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_grant(&mut self, grant: GrantId) -> Result<bool, StoreError> {
        Ok(execute!(self, END, grant.0)? == 1)
    }

    /// Takes a notice for whoever calls, until the given moment; says whether it was to be had.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claim_logout_notice(
        &mut self,
        notice: &LogoutNotice,
        now: Moment,
        until: Moment,
    ) -> Result<bool, StoreError> {
        let (session, application) = (notice.session.0, notice.application.id.0);
        Ok(execute!(self, CLAIM, session, application, now, until)? > 0)
    }

    /// Puts a notice off.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_logout_notice_off(
        &mut self,
        notice: &LogoutNotice,
        due_at: Moment,
    ) -> Result<(), StoreError> {
        execute!(self, PUT_OFF, notice.session.0, notice.application.id.0, due_at).map(drop)
    }

    /// Writes down that an application was told, or never will be.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn finish_logout_notice(&mut self, notice: &LogoutNotice) -> Result<(), StoreError> {
        execute!(self, TOLD, notice.session.0, notice.application.id.0).map(drop)
    }
}
