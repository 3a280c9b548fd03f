//! Links to choose a new password that somebody asked for and nobody has looked up yet (product.md section 3, N22).

use sqlx::FromRow;
use uuid::Uuid;
use vestibule_core::{id::ResetRequestId, ports::Moment};

use crate::{
    Reader, StoreError, Writer,
    link::{Link, execute, optional},
};

const INSERT: &str = "INSERT INTO reset_request (id, company_key, email_key, address, browser, request, \
    created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
const WAITING: &str = "SELECT id FROM reset_request LIMIT 1";
macro_rules! take {
    ($passing_over:literal) => {
        concat!(
            "DELETE FROM reset_request WHERE id = (SELECT id FROM reset_request ORDER BY id LIMIT 1",
            $passing_over,
            ") RETURNING id, company_key, email_key, address, browser, request, created_at"
        )
    };
}
pub(crate) const TAKE_SQLITE: &str = take!("");
const TAKE_POSTGRES: &str = take!(" FOR UPDATE SKIP LOCKED");

/// Somebody asked for a link to choose a new password. What was typed need not exist.
#[derive(Clone, PartialEq, Eq)]
pub struct ResetRequest {
    /// Its identifier.
    pub id: ResetRequestId,
    /// Key of the company's name, as typed (`vestibule_core::name::former_key`): another may be found by it, too.
    pub company_key: String,
    /// The same of the e-mail address.
    pub email_key: String,
    /// Network address.
    pub address: Option<String>,
    /// Kind of browser.
    pub browser: Option<String>,
    /// Identifier of the request.
    pub request: Option<String>,
    /// When.
    pub created_at: Moment,
}

impl std::fmt::Debug for ResetRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResetRequest")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

#[derive(FromRow)]
struct RequestColumns {
    id: Uuid,
    company_key: String,
    email_key: String,
    address: Option<String>,
    browser: Option<String>,
    request: Option<String>,
    created_at: Moment,
}

impl From<RequestColumns> for ResetRequest {
    fn from(row: RequestColumns) -> Self {
        Self {
            id: ResetRequestId(row.id),
            company_key: row.company_key,
            email_key: row.email_key,
            address: row.address,
            browser: row.browser,
            request: row.request,
            created_at: row.created_at,
        }
    }
}

impl Reader {
    /// Whether a request waits.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn has_reset_request(&mut self) -> Result<bool, StoreError> {
        Ok(optional!(self, (Uuid,), WAITING)?.is_some())
    }
}

impl Writer {
    /// Writes a request down.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_reset_request(&mut self, new: &ResetRequest) -> Result<(), StoreError> {
        execute!(
            self,
            INSERT,
            new.id.0,
            &new.company_key,
            &new.email_key,
            &new.address,
            &new.browser,
            &new.request,
            new.created_at,
        )
        .map(drop)
    }

    /// Takes the oldest request. Of several nodes at once, each gets another; what is not committed comes back.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn take_reset_request(&mut self) -> Result<Option<ResetRequest>, StoreError> {
        let sql = match self.link {
            Link::Sqlite(_) => TAKE_SQLITE,
            Link::Postgres(_) => TAKE_POSTGRES,
        };
        let row = optional!(self, RequestColumns, sql)?;
        Ok(row.map(ResetRequest::from))
    }
}
