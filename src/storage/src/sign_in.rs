//! What a sign-in has to know, asked in one statement each: with a database some milliseconds away, every question counts.

use chrono::TimeDelta;
use sqlx::FromRow;
use vestibule_core::{
    account::Account,
    company::Company,
    id::{AccountId, CompanyId},
    name::{self, EmailAddress},
    ports::Moment,
    secret::TokenHash,
    throttle::Subject,
};

use crate::{
    PasswordRecord, Reader, StoreError,
    columns::{AccountColumns, CompanyColumns, account_columns, company_columns, password_columns},
    link::optional,
};

pub(crate) const BY_NAMES: &str = concat!(
    "SELECT ",
    company_columns!(),
    ", ",
    account_columns!(),
    ", ",
    password_columns!(),
    ", EXISTS (SELECT 1 FROM known_browser k WHERE k.company_id = a.company_id AND k.account_id = a.id \
     AND k.browser_hash = $4) AS knows_browser \
     FROM company c JOIN account a ON a.company_id = c.id AND (a.name_key = $2 OR a.email_key = $3) \
     WHERE c.name_key = $1"
);
pub(crate) const SIGNING_IN: &str = concat!(
    "SELECT ",
    company_columns!(),
    ", ",
    account_columns!(),
    ", a.locked_at AS lock_at, \
     (SELECT count(*) FROM session s WHERE s.company_id = a.company_id AND s.account_id = a.id) AS sessions, \
     (SELECT k.last_at FROM known_browser k WHERE k.company_id = a.company_id AND k.account_id = a.id \
     AND k.browser_hash = $3) AS browser_at, \
     (SELECT r.seen_at FROM source_right r WHERE r.source = $4 AND r.subject = $5) AS source_at \
     FROM account a JOIN company c ON c.id = a.company_id WHERE a.company_id = $1 AND a.id = $2"
);

/// How long it is enough to have noted once that a browser or a source was right.
pub(crate) const NOTED_FOR: TimeDelta = TimeDelta::days(1);

/// The account that was typed at sign-in.
#[derive(Debug)]
pub struct Typed {
    /// Its company.
    pub company: Company,
    /// The account.
    pub account: Account,
    /// Its password.
    pub password: PasswordRecord,
    /// Whether it has signed in from this browser before.
    pub knows_browser: bool,
}

/// What becomes of an account's wrong codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrongCodes {
    /// They stay counted.
    Kept,
    /// A right one came after them.
    Forgotten,
}

/// An account that is about to get a session, as it is in the transaction that holds it.
#[derive(Debug)]
pub struct Entrant {
    /// Its company.
    pub company: Company,
    /// The account.
    pub account: Account,
    /// How many sessions it has.
    pub sessions: i64,
    /// Whether it has signed in from this browser before.
    pub knows_browser: bool,
    /// Whether that was written down within a day.
    pub browser_is_noted: bool,
    /// Whether it was written down within a day that its password was right at this source.
    pub source_is_noted: bool,
    /// What becomes of its wrong codes when it comes in.
    pub wrong_codes: WrongCodes,
    /// When a lock was written down.
    lock_at: Option<Moment>,
}

impl Entrant {
    /// After a right code: the account as it is once its wrong codes are forgotten, this very try among them, which was
    /// counted as the fifth perhaps. They are with [`crate::Writer::note_sign_in_by_code`], which whoever lets it in has to call.
    #[must_use]
    pub fn with_codes_forgotten(mut self) -> Self {
        self.wrong_codes = WrongCodes::Forgotten;
        if self.lock_at.is_none() {
            self.account.wrong_codes = 0;
            self.account.locked_at = None;
            self.account.lock_reason = None;
        }
        self
    }
}

#[derive(FromRow)]
struct TypedColumns {
    #[sqlx(flatten)]
    company: CompanyColumns,
    #[sqlx(flatten)]
    account: AccountColumns,
    #[sqlx(flatten)]
    password: PasswordRecord,
    knows_browser: bool,
}

#[derive(FromRow)]
struct EntrantColumns {
    #[sqlx(flatten)]
    company: CompanyColumns,
    #[sqlx(flatten)]
    account: AccountColumns,
    lock_at: Option<Moment>,
    sessions: i64,
    browser_at: Option<Moment>,
    source_at: Option<Moment>,
}

impl Reader {
    /// The account that was typed at sign-in: the company by its name, the account by its own or by its e-mail address, and
    /// whether it knows the browser with this number. A name has no `@` and an address has one, so the two never mean two
    /// accounts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn typed_account(
        &mut self,
        company: &str,
        account: &str,
        browser: Option<TokenHash>,
    ) -> Result<Option<Typed>, StoreError> {
        let name_key = name::key(account);
        let browser = browser.as_ref().map(|hash| &hash.0[..]);
        // Nearly always one of each.
        for company_key in name::keys(company) {
            for email_key in EmailAddress::lookup_keys(account) {
                let found = optional!(
                    self,
                    TypedColumns,
                    BY_NAMES,
                    &company_key,
                    &name_key,
                    &email_key,
                    browser
                )?;
                if let Some(row) = found {
                    return Ok(Some(Typed {
                        company: row.company.try_into()?,
                        account: row.account.try_into()?,
                        password: row.password,
                        knows_browser: row.knows_browser,
                    }));
                }
            }
        }
        Ok(None)
    }

    /// An account that is about to get a session in the browser with this number. Call it while holding the account.
    /// `source` is where its password was right, and what its tries are counted by.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn entrant(
        &mut self,
        (company, account): (CompanyId, AccountId),
        browser: Option<TokenHash>,
        source: Option<(&str, &Subject)>,
        now: Moment,
    ) -> Result<Option<Entrant>, StoreError> {
        let (source, subject) = source.unzip();
        let row = optional!(
            self,
            EntrantColumns,
            SIGNING_IN,
            company.0,
            account.0,
            browser.as_ref().map(|hash| &hash.0[..]),
            source,
            subject.map(|subject| &subject[..]),
        )?;
        let is_noted = |at: Option<Moment>| at.is_some_and(|at| now - at < NOTED_FOR);
        row.map(|row| {
            Ok(Entrant {
                company: row.company.try_into()?,
                account: row.account.try_into()?,
                sessions: row.sessions,
                knows_browser: row.browser_at.is_some(),
                browser_is_noted: is_noted(row.browser_at),
                source_is_noted: is_noted(row.source_at),
                wrong_codes: WrongCodes::Kept,
                lock_at: row.lock_at,
            })
        })
        .transpose()
    }
}
