//! Companies' own mail servers (product.md section 3, Custom SMTP Server).

use sqlx::FromRow;
use uuid::Uuid;
use vestibule_core::{id::CompanyId, mail_server::MailSecurity, ports::Moment};

use crate::{
    Reader, StoreError, Writer,
    link::{all, execute, optional},
};

const TABLE: &str = "mail_server";
pub(crate) const OF_COMPANY: &str = "SELECT company_id, version, host, port, security, login_user, sealed_password, \
    sender, reply_to, fall_back, changed_at FROM mail_server WHERE company_id = $1";
pub(crate) const AFTER: &str = "SELECT company_id, sealed_password FROM mail_server \
    WHERE company_id > $1 AND sealed_password IS NOT NULL ORDER BY company_id LIMIT $2";
const INSERT: &str = "INSERT INTO mail_server (company_id, version, host, port, security, login_user, \
    sealed_password, sender, reply_to, fall_back, changed_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (company_id) DO NOTHING";
/// The version only ever grows, also when it comes from a clock that does not move.
const UPDATE: &str = "UPDATE mail_server SET version = CASE WHEN $2 > version THEN $2 ELSE version + 1 END, \
    host = $3, port = $4, security = $5, login_user = $6, sealed_password = $7, sender = $8, reply_to = $9, \
    fall_back = $10, changed_at = $11 WHERE company_id = $1 AND version = $12";
const DELETE: &str = "DELETE FROM mail_server WHERE company_id = $1 AND version = $2";
const RESEAL: &str =
    "UPDATE mail_server SET sealed_password = $3 WHERE company_id = $1 AND sealed_password = $2";

/// A company's own mail server.
#[derive(Clone, PartialEq, Eq)]
pub struct MailServerRow {
    /// Whose it is.
    pub company: CompanyId,
    /// Differs after every change, also when the server was deleted in between.
    pub version: i64,
    /// Host name or network address.
    pub host: String,
    /// Port (1-65535).
    pub port: u16,
    /// How connections are encrypted.
    pub security: MailSecurity,
    /// User to sign in with.
    pub user: Option<String>,
    /// Its password, encrypted.
    pub sealed_password: Option<Vec<u8>>,
    /// Whom mails are from.
    pub sender: String,
    /// Where answers go.
    pub reply_to: Option<String>,
    /// Whether mails go through the installation's server when this one fails.
    pub fall_back: bool,
    /// When it was changed.
    pub changed_at: Moment,
}

impl std::fmt::Debug for MailServerRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailServerRow")
            .field("company", &self.company)
            .field("version", &self.version)
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

#[derive(FromRow)]
struct ServerColumns {
    company_id: Uuid,
    version: i64,
    host: String,
    port: i64,
    security: String,
    login_user: Option<String>,
    sealed_password: Option<Vec<u8>>,
    sender: String,
    reply_to: Option<String>,
    fall_back: bool,
    changed_at: Moment,
}

impl TryFrom<ServerColumns> for MailServerRow {
    type Error = StoreError;

    fn try_from(row: ServerColumns) -> Result<Self, StoreError> {
        Ok(Self {
            company: CompanyId(row.company_id),
            version: row.version,
            host: row.host,
            port: u16::try_from(row.port).map_err(|_| StoreError::corrupt(TABLE, "port"))?,
            security: MailSecurity::from_word(&row.security).ok_or(StoreError::corrupt(TABLE, "security"))?,
            user: row.login_user,
            sealed_password: row.sealed_password,
            sender: row.sender,
            reply_to: row.reply_to,
            fall_back: row.fall_back,
            changed_at: row.changed_at,
        })
    }
}

impl Reader {
    /// The company's own mail server; `None`: it sends through the installation's.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mail_server(&mut self, company: CompanyId) -> Result<Option<MailServerRow>, StoreError> {
        optional!(self, ServerColumns, OF_COMPANY, company.0)?
            .map(MailServerRow::try_from)
            .transpose()
    }

    /// Up to `most` sealed passwords of mail servers, ordered by company, from the one after `after` on. For encrypting
    /// them anew under another key.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mail_passwords_after(
        &mut self,
        after: Option<CompanyId>,
        most: i64,
    ) -> Result<Vec<(CompanyId, Vec<u8>)>, StoreError> {
        // No company has the smallest identifier there is.
        let after = after.map_or(Uuid::nil(), |id| id.0);
        let rows = all!(self, (Uuid, Vec<u8>), AFTER, after, most)?;
        Ok(rows
            .into_iter()
            .map(|(company, sealed)| (CompanyId(company), sealed))
            .collect())
    }
}

impl Writer {
    /// Saves the company's own mail server in the place of version `over`, `None` = in the place of none; says whether
    /// that was still so. `row.version` is the version it gets, or the next one when that is not newer.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_mail_server(
        &mut self,
        row: &MailServerRow,
        over: Option<i64>,
    ) -> Result<bool, StoreError> {
        let touched = match over {
            None => execute!(
                self,
                INSERT,
                row.company.0,
                row.version,
                &row.host,
                i64::from(row.port),
                row.security.as_str(),
                &row.user,
                &row.sealed_password,
                &row.sender,
                &row.reply_to,
                row.fall_back,
                row.changed_at,
            )?,
            Some(version) => execute!(
                self,
                UPDATE,
                row.company.0,
                row.version,
                &row.host,
                i64::from(row.port),
                row.security.as_str(),
                &row.user,
                &row.sealed_password,
                &row.sender,
                &row.reply_to,
                row.fall_back,
                row.changed_at,
                version,
            )?,
        };
        Ok(touched == 1)
    }

    /// Takes the company's own mail server away, if it still has this version; says whether it had.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_mail_server(&mut self, company: CompanyId, version: i64) -> Result<bool, StoreError> {
        Ok(execute!(self, DELETE, company.0, version)? == 1)
    }

    /// Puts a password that was encrypted anew in the place of the old one, if that is still there; says whether.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn reseal_mail_password(
        &mut self,
        company: CompanyId,
        old: &[u8],
        new: &[u8],
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, RESEAL, company.0, old, new)? == 1)
    }
}
