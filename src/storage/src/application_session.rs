//! Sessions at applications behind a proxy: each is a cookie of the application's host, hangs on a session and ends with
//! it. It begins as a ticket that is good once.

use sqlx::FromRow;
use uuid::Uuid;
use vestibule_core::{
    id::{ApplicationId, ApplicationSessionId, CompanyId, SessionId},
    oidc::application::Application,
    ports::Moment,
    secret::TokenHash,
};

use crate::{
    Reader, SessionRow, StoreError, Writer,
    application::{ApplicationColumns, application_columns},
    columns::{account_columns, company_columns},
    link::{execute, optional},
    session::{TokenColumns, session_columns},
};

const INSERT: &str = "INSERT INTO application_session (id, company_id, session_id, application_id, ticket_hash, \
    state_hash, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
pub(crate) const ENTER: &str = "UPDATE application_session SET token_hash = $3, expires_at = NULL \
    WHERE ticket_hash = $1 AND state_hash = $2 AND token_hash IS NULL AND expires_at > $4 RETURNING application_id";
pub(crate) const BY_TOKEN: &str = concat!(
    "SELECT ",
    application_columns!(),
    ", ",
    session_columns!(),
    " FROM application_session x JOIN application p ON p.id = x.application_id \
     JOIN session s ON s.company_id = x.company_id AND s.id = x.session_id \
     JOIN company c ON c.id = s.company_id \
     JOIN account a ON a.company_id = s.company_id AND a.id = s.account_id WHERE x.token_hash = $1"
);

/// A ticket to an application.
#[derive(Clone, Copy, Debug)]
pub struct NewApplicationSession {
    /// Its identifier.
    pub id: ApplicationSessionId,
    /// The company of the session.
    pub company: CompanyId,
    /// The session.
    pub session: SessionId,
    /// The application.
    pub application: ApplicationId,
    /// Hash of the ticket.
    pub ticket_hash: TokenHash,
    /// Hash of what the browser keeps on the application's host meanwhile.
    pub state_hash: TokenHash,
    /// When it is made.
    pub created_at: Moment,
    /// Until when the ticket is good.
    pub expires_at: Moment,
}

/// A session at an application, as everything about it is now. Whether it is worth anything is for the caller to decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationSessionRow {
    /// The application.
    pub application: Application,
    /// The session it hangs on.
    pub session: SessionRow,
}

#[derive(FromRow)]
struct Columns {
    #[sqlx(flatten)]
    application: ApplicationColumns,
    #[sqlx(flatten)]
    session: TokenColumns,
}

impl Reader {
    /// The session at an application that has this token.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn application_session(
        &mut self,
        token: TokenHash,
    ) -> Result<Option<ApplicationSessionRow>, StoreError> {
        let found = optional!(self, Columns, BY_TOKEN, &token.0[..])?;
        found
            .map(|row| {
                Ok(ApplicationSessionRow {
                    application: row.application.try_into()?,
                    session: row.session.try_into()?,
                })
            })
            .transpose()
    }
}

impl Writer {
    /// Keeps a ticket.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_application_session(
        &mut self,
        new: &NewApplicationSession,
    ) -> Result<(), StoreError> {
        execute!(
            self,
            INSERT,
            new.id.0,
            new.company.0,
            new.session.0,
            new.application.0,
            &new.ticket_hash.0[..],
            &new.state_hash.0[..],
            new.created_at,
            new.expires_at,
        )
        .map(drop)
    }

    /// Takes a ticket in the browser that asked for it, once; from now on this token is worth the session. Gives the
    /// application; `None` = the ticket is used, too old, another browser's or none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn enter_application(
        &mut self,
        ticket: TokenHash,
        state: TokenHash,
        token: TokenHash,
        now: Moment,
    ) -> Result<Option<ApplicationId>, StoreError> {
        let entered = optional!(
            self,
            (Uuid,),
            ENTER,
            &ticket.0[..],
            &state.0[..],
            &token.0[..],
            now
        )?;
        Ok(entered.map(|(application,)| ApplicationId(application)))
    }
}
