//! Links of mails: only the hash of the token is stored, and of each purpose the newest (N22).

use sqlx::FromRow;
use uuid::Uuid;
use vestibule_core::{
    account::Account,
    company::Company,
    id::{AccountId, CompanyId, LinkId},
    link::LinkPurpose,
    ports::Moment,
    secret::TokenHash,
};

use crate::{
    Reader, StoreError, Writer,
    columns::{AccountColumns, CompanyColumns, account_columns, company_columns},
    link::{execute, optional},
};

macro_rules! link_with_owner {
    ($condition:literal) => {
        concat!(
            "SELECT l.id AS l_id, l.purpose AS l_purpose, l.email AS l_email, l.created_at AS l_created_at, \
             l.expires_at AS l_expires_at, ",
            company_columns!(),
            ", ",
            account_columns!(),
            " FROM account_link l JOIN company c ON c.id = l.company_id \
             JOIN account a ON a.company_id = l.company_id AND a.id = l.account_id WHERE ",
            $condition
        )
    };
}

pub(crate) const BY_TOKEN: &str = link_with_owner!("l.token_hash = $1");
pub(crate) const OF_ACCOUNT: &str =
    link_with_owner!("l.company_id = $1 AND l.account_id = $2 AND l.purpose = $3");
/// One statement, so that two at once leave one link and neither fails.
const PUT: &str = "INSERT INTO account_link (company_id, id, account_id, purpose, token_hash, email, created_at, \
    expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
    ON CONFLICT (company_id, account_id, purpose) DO UPDATE SET id = excluded.id, \
    token_hash = excluded.token_hash, email = excluded.email, created_at = excluded.created_at, \
    expires_at = excluded.expires_at";
pub(crate) const USE: &str = "DELETE FROM account_link WHERE company_id = $1 AND id = $2";
pub(crate) const END: &str =
    "DELETE FROM account_link WHERE company_id = $1 AND account_id = $2 AND purpose = $3";

/// A link to make.
#[derive(Clone, Debug)]
pub struct NewLink {
    /// Its company.
    pub company: CompanyId,
    /// Its identifier.
    pub id: LinkId,
    /// Whose it is.
    pub account: AccountId,
    /// What it is good for.
    pub purpose: LinkPurpose,
    /// Hash of the token in it.
    pub token_hash: TokenHash,
    /// The new e-mail address that it is about.
    pub email: Option<String>,
    /// When it is made.
    pub created_at: Moment,
    /// When it ends.
    pub expires_at: Moment,
}

/// A link with its company and account, as they are now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkRow {
    /// Its identifier.
    pub id: LinkId,
    /// The company.
    pub company: Company,
    /// The account.
    pub account: Account,
    /// What it is good for.
    pub purpose: LinkPurpose,
    /// The new e-mail address that it is about.
    pub email: Option<String>,
    /// When it was made.
    pub created_at: Moment,
    /// When it ends.
    pub expires_at: Moment,
}

#[derive(FromRow)]
struct LinkColumns {
    l_id: Uuid,
    l_purpose: String,
    l_email: Option<String>,
    l_created_at: Moment,
    l_expires_at: Moment,
    #[sqlx(flatten)]
    company: CompanyColumns,
    #[sqlx(flatten)]
    account: AccountColumns,
}

impl TryFrom<LinkColumns> for LinkRow {
    type Error = StoreError;

    fn try_from(row: LinkColumns) -> Result<Self, StoreError> {
        Ok(Self {
            id: LinkId(row.l_id),
            company: row.company.try_into()?,
            account: row.account.try_into()?,
            purpose: LinkPurpose::from_word(&row.l_purpose)
                .ok_or(StoreError::corrupt("account_link", "purpose"))?,
            email: row.l_email,
            created_at: row.l_created_at,
            expires_at: row.l_expires_at,
        })
    }
}

impl Reader {
    /// The link with this token, ended or not; `None` when it was used or replaced, or never was.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn link_by_token(&mut self, token: TokenHash) -> Result<Option<LinkRow>, StoreError> {
        optional!(self, LinkColumns, BY_TOKEN, &token.0[..])?
            .map(LinkRow::try_from)
            .transpose()
    }

    /// The link of this purpose that an account has, if any.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn link_of(
        &mut self,
        company: CompanyId,
        account: AccountId,
        purpose: LinkPurpose,
    ) -> Result<Option<LinkRow>, StoreError> {
        optional!(
            self,
            LinkColumns,
            OF_ACCOUNT,
            company.0,
            account.0,
            purpose.as_str()
        )?
        .map(LinkRow::try_from)
        .transpose()
    }
}

impl Writer {
    /// Makes a link in place of an older one of the same account and purpose.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_link(&mut self, new: &NewLink) -> Result<(), StoreError> {
        execute!(
            self,
            PUT,
            new.company.0,
            new.id.0,
            new.account.0,
            new.purpose.as_str(),
            &new.token_hash.0[..],
            &new.email,
            new.created_at,
            new.expires_at,
        )
        .map(drop)
    }

    /// Uses a link up; says whether it was still there. Of two at once only one is told so.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn use_link(&mut self, company: CompanyId, id: LinkId) -> Result<bool, StoreError> {
        Ok(execute!(self, USE, company.0, id.0)? == 1)
    }

    /// Ends the links of an account that have one of these purposes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_links_of(
        &mut self,
        company: CompanyId,
        account: AccountId,
        purposes: &[LinkPurpose],
    ) -> Result<(), StoreError> {
        for purpose in purposes {
            execute!(self, END, company.0, account.0, purpose.as_str())?;
        }
        Ok(())
    }
}
