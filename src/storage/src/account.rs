//! Accounts, their passwords, and the one counter of wrong codes (N13, N14).

use sqlx::FromRow;
use uuid::Uuid;
use vestibule_core::{
    account::{Account, Person, Role},
    id::{AccountId, CompanyId, PublicId},
    name::{AccountName, EmailAddress, key},
    ports::Moment,
};

use crate::{
    Changed, Reader, StoreError, Writer,
    columns::{AccountColumns, account_columns, password_columns},
    grant::END_OF_ACCOUNT,
    later::{Later, values},
    link::{Link, all, execute, optional},
    words::alias_key,
};

const INSERT: &str = "INSERT INTO account (company_id, id, name, name_key, email, email_key, first_name, \
    last_name, alias, alias_key, phone, title, hour_clock, language, active, email_factor, password_hash, \
    password_must_change, password_expires_at, created_at, changed_at, public_id) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $20, $21)";
const INSERT_ROLE: &str = "INSERT INTO account_role (company_id, account_id, role) VALUES ($1, $2, $3)";
const BY_ID: &str = concat!(
    "SELECT ",
    account_columns!(),
    " FROM account a WHERE a.company_id = $1 AND a.id = $2"
);
pub(crate) const BY_SIGN_IN: &str = concat!(
    "SELECT ",
    account_columns!(),
    ", ",
    password_columns!(),
    " FROM account a \
     WHERE a.company_id = $1 AND (a.name_key = $2 OR a.email_key = $3)"
);
const PASSWORD: &str = "SELECT password_hash, password_must_change, password_expires_at FROM account \
    WHERE company_id = $1 AND id = $2";
const ALL: &str = concat!(
    "SELECT ",
    account_columns!(),
    " FROM account a WHERE a.company_id = $1 ORDER BY a.name_key"
);
const SET_PASSWORD: &str = "UPDATE account SET password_hash = $3, password_must_change = $4, \
    password_expires_at = $5, credential_version = credential_version + 1, changed_at = $6 \
    WHERE company_id = $1 AND id = $2";
const REPLACE_HASH: &str =
    "UPDATE account SET password_hash = $4 WHERE company_id = $1 AND id = $2 AND password_hash = $3";
const SET_ACTIVE: &str = "UPDATE account SET active = $3, changed_at = $4 WHERE company_id = $1 AND id = $2";
const SET_LANGUAGE: &str =
    "UPDATE account SET language = $3, changed_at = $4 WHERE company_id = $1 AND id = $2";
const SET_EMAIL_FACTOR: &str = "UPDATE account SET email_factor = $3, \
    credential_version = credential_version + 1, changed_at = $4 WHERE company_id = $1 AND id = $2";
const NOTE_SIGN_IN: &str = "UPDATE account SET last_sign_in_at = $3 WHERE company_id = $1 AND id = $2";
const NOTE_SIGN_IN_BY_CODE: &str = "UPDATE account SET last_sign_in_at = $3, wrong_codes = 0, \
    code_round = code_round + 1 WHERE company_id = $1 AND id = $2 AND locked_at IS NULL";
// Not as strong as for a deletion: rows that refer to the account are written meanwhile.
const HOLD: &str =
    "SELECT CAST(1 AS BIGINT) FROM account WHERE company_id = $1 AND id = $2 FOR NO KEY UPDATE";
const COUNT_WRONG_CODE: &str = "UPDATE account SET wrong_codes = wrong_codes + 1 \
    WHERE company_id = $1 AND id = $2 AND locked_at IS NULL AND wrong_codes < $3 \
    RETURNING wrong_codes AS number, code_round AS round";
const NOTE_LAST_CODE: &str = "UPDATE account SET last_code_at = $3 WHERE company_id = $1 AND id = $2";
const UNCOUNT_WRONG_CODE: &str = "UPDATE account SET wrong_codes = wrong_codes - 1 \
    WHERE company_id = $1 AND id = $2 AND locked_at IS NULL AND wrong_codes > 0 AND code_round = $3";
const LOCK: &str = "UPDATE account SET locked_at = $4, lock_reason = $3, changed_at = $4 \
    WHERE company_id = $1 AND id = $2 AND locked_at IS NULL";
/// Counted out and not locked: somebody was cut off, or compares the last try right now. The first condition says nothing
/// more: it is that of the index `account_locked`, which is found by it.
pub(crate) const COUNTED_OUT: &str = "SELECT company_id, id FROM account \
    WHERE (locked_at IS NOT NULL OR wrong_codes >= 5) AND locked_at IS NULL \
    AND (last_code_at IS NULL OR last_code_at <= $1) ORDER BY company_id, id LIMIT $2";
const IS_COUNTED_OUT: &str = "SELECT COUNT(*) FROM account WHERE company_id = $1 AND id = $2 \
    AND wrong_codes >= 5 AND locked_at IS NULL AND (last_code_at IS NULL OR last_code_at <= $3)";
const UNLOCK: &str = "UPDATE account SET locked_at = NULL, lock_reason = NULL, wrong_codes = 0, \
    code_round = code_round + 1, changed_at = $3 \
    WHERE company_id = $1 AND id = $2 AND (locked_at IS NOT NULL OR wrong_codes > 0)";

/// An account to create, with at least one role.
#[derive(Clone)]
pub struct NewAccount {
    /// Its company.
    pub company: CompanyId,
    /// Its identifier.
    pub id: AccountId,
    /// By what applications know it.
    pub public_id: PublicId,
    /// Account name.
    pub name: AccountName,
    /// E-mail address.
    pub email: EmailAddress,
    /// Whom it belongs to.
    pub person: Person,
    /// Roles, each once.
    pub roles: Vec<Role>,
    /// An admin's switch.
    pub active: bool,
    /// Whether a code by e-mail is a second factor.
    pub email_factor: bool,
    /// Hash of the password as a PHC string; `None` = none yet.
    pub password_hash: Option<String>,
    /// Whether the password must be changed at the first sign-in.
    pub password_must_change: bool,
    /// When a temporary password ends.
    pub password_expires_at: Option<Moment>,
    /// When it is created.
    pub created_at: Moment,
}

impl std::fmt::Debug for NewAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewAccount")
            .field("company", &self.company)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The password of an account, as stored.
#[derive(Clone, PartialEq, Eq, FromRow)]
pub struct PasswordRecord {
    /// PHC string; `None` = this account has no password.
    #[sqlx(rename = "password_hash")]
    pub hash: Option<String>,
    /// Whether it must be changed before anything else.
    #[sqlx(rename = "password_must_change")]
    pub must_change: bool,
    /// When a temporary password ends.
    #[sqlx(rename = "password_expires_at")]
    pub expires_at: Option<Moment>,
}

impl std::fmt::Debug for PasswordRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordRecord(…)")
    }
}

/// A code that was counted as wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct CodeCount {
    /// Its number: 1 to 5.
    pub number: i64,
    /// Which count it belongs to: an unlock and a sign-in that passed the second factor begin another.
    pub round: i64,
}

#[derive(FromRow)]
struct SignInColumns {
    #[sqlx(flatten)]
    account: AccountColumns,
    #[sqlx(flatten)]
    password: PasswordRecord,
}

impl Reader {
    /// The account with this identifier.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn account(
        &mut self,
        company: CompanyId,
        id: AccountId,
    ) -> Result<Option<Account>, StoreError> {
        optional!(self, AccountColumns, BY_ID, company.0, id.0)?
            .map(Account::try_from)
            .transpose()
    }

    /// The account with this name or this e-mail address, both as typed: at sign-in they are the same. A name has no `@`
    /// and an address has one, so the two never mean two accounts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn account_by_sign_in(
        &mut self,
        company: CompanyId,
        name: &str,
        email: &str,
    ) -> Result<Option<(Account, PasswordRecord)>, StoreError> {
        let name_key = key(name);
        for email_key in EmailAddress::lookup_keys(email) {
            if let Some(row) = optional!(self, SignInColumns, BY_SIGN_IN, company.0, &name_key, &email_key)? {
                return Ok(Some((row.account.try_into()?, row.password)));
            }
        }
        Ok(None)
    }

    /// The password of an account; `None` when there is no such account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn password_of(
        &mut self,
        company: CompanyId,
        id: AccountId,
    ) -> Result<Option<PasswordRecord>, StoreError> {
        optional!(self, PasswordRecord, PASSWORD, company.0, id.0)
    }

    /// Accounts of all companies, at most so many, whose last try of a code was counted before `until` and that nobody has
    /// locked since.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn counted_out(
        &mut self,
        until: Moment,
        most: i64,
    ) -> Result<Vec<(CompanyId, AccountId)>, StoreError> {
        let rows = all!(self, (Uuid, Uuid), COUNTED_OUT, until, most)?;
        Ok(rows
            .into_iter()
            .map(|(company, id)| (CompanyId(company), AccountId(id)))
            .collect())
    }

    /// Whether the account is one of those of [`Reader::counted_out`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn is_counted_out(
        &mut self,
        company: CompanyId,
        id: AccountId,
        until: Moment,
    ) -> Result<bool, StoreError> {
        let row = optional!(self, (i64,), IS_COUNTED_OUT, company.0, id.0, until)?;
        Ok(row.is_some_and(|(count,)| count > 0))
    }

    /// All accounts of a company, ordered by the key of their name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn accounts(&mut self, company: CompanyId) -> Result<Vec<Account>, StoreError> {
        all!(self, AccountColumns, ALL, company.0)?
            .into_iter()
            .map(Account::try_from)
            .collect()
    }
}

impl Writer {
    /// Creates an account with its roles.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when its name or e-mail address is taken in its company; [`StoreError::Other`] when
    /// it has no role or the company does not exist.
    pub async fn insert_account(&mut self, new: &NewAccount) -> Result<(), StoreError> {
        if new.roles.is_empty() {
            return Err(StoreError::other("an account without a role"));
        }
        execute!(
            self,
            INSERT,
            new.company.0,
            new.id.0,
            new.name.display(),
            new.name.key(),
            new.email.display(),
            new.email.key(),
            &new.person.first_name,
            &new.person.last_name,
            &new.person.alias,
            alias_key(&new.person.alias),
            &new.person.phone,
            &new.person.title,
            new.person.time_format.hours(),
            &new.person.language,
            new.active,
            new.email_factor,
            &new.password_hash,
            new.password_must_change,
            new.password_expires_at,
            new.created_at,
            new.public_id.0,
        )?;
        self.insert_roles(new.company, new.id, &new.roles).await?;
        self.put_words_of(new.company, new.id).await
    }

    pub(crate) async fn insert_roles(
        &mut self,
        company: CompanyId,
        id: AccountId,
        roles: &[Role],
    ) -> Result<(), StoreError> {
        for role in roles {
            execute!(self, INSERT_ROLE, company.0, id.0, role.as_str())?;
        }
        Ok(())
    }

    /// Sets a password and makes the credential version one higher, which ends sessions and trusted browsers of older
    /// versions. Says whether the account exists.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_password(
        &mut self,
        company: CompanyId,
        id: AccountId,
        hash: &str,
        must_change: bool,
        expires_at: Option<Moment>,
        now: Moment,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self,
            SET_PASSWORD,
            company.0,
            id.0,
            hash,
            must_change,
            expires_at,
            now
        )?;
        execute!(self, END_OF_ACCOUNT, company.0, id.0)?;
        Ok(changed == 1)
    }

    /// Takes the password away and makes the credential version one higher, as [`Writer::set_password`] does. Says whether
    /// the account exists.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remove_password(
        &mut self,
        company: CompanyId,
        id: AccountId,
        now: Moment,
    ) -> Result<bool, StoreError> {
        let (hash, expires_at) = (None::<&str>, None::<Moment>);
        Ok(execute!(self, SET_PASSWORD, company.0, id.0, hash, false, expires_at, now)? == 1)
    }

    /// Replaces the hash of an unchanged password by a stronger one. Says whether `old` was still the stored hash.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn replace_password_hash(
        &mut self,
        company: CompanyId,
        id: AccountId,
        old: &str,
        new: &str,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, REPLACE_HASH, company.0, id.0, old, new)? == 1)
    }

    /// Sets an admin's switch; says whether the account exists.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_account_active(
        &mut self,
        company: CompanyId,
        id: AccountId,
        active: bool,
        now: Moment,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, SET_ACTIVE, company.0, id.0, active, now)? == 1)
    }

    /// Sets the language; `None` = the company's. Says whether the account exists.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_account_language(
        &mut self,
        company: CompanyId,
        id: AccountId,
        language: Option<&str>,
        now: Moment,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, SET_LANGUAGE, company.0, id.0, language, now)? == 1)
    }

    /// Turns codes by e-mail on or off as a second factor and makes the credential version one higher, which ends
    /// sessions and trusted browsers of older versions. Says whether the account exists.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_email_factor(
        &mut self,
        company: CompanyId,
        id: AccountId,
        on: bool,
        now: Moment,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, SET_EMAIL_FACTOR, company.0, id.0, on, now)? == 1)
    }

    /// Writes down when the account signed in.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn note_sign_in(
        &mut self,
        company: CompanyId,
        id: AccountId,
        now: Moment,
    ) -> Result<(), StoreError> {
        let values = values![company.0, id.0, now];
        self.write_later(Later::changing("account", NOTE_SIGN_IN, values))
            .await
    }

    /// The same after a code that was right: wrong ones before it are forgotten, those counted meanwhile too. A lock stays.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn note_sign_in_by_code(
        &mut self,
        company: CompanyId,
        id: AccountId,
        now: Moment,
    ) -> Result<(), StoreError> {
        let values = values![company.0, id.0, now];
        self.write_later(Later::changing("account", NOTE_SIGN_IN_BY_CODE, values))
            .await
    }

    /// Holds the account until the transaction ends: whoever else wants to hold it or count on it waits. Decisions that read
    /// first and write afterwards begin with this. An account that does not exist is not held.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn hold_account(&mut self, company: CompanyId, id: AccountId) -> Result<(), StoreError> {
        self.note_change(Changed::Account(id));
        match self.link {
            // Nobody else writes while a transaction does.
            Link::Sqlite(_) => Ok(()),
            Link::Postgres(_) => optional!(self, (i64,), HOLD, company.0, id.0).map(drop),
        }
    }

    /// Counts a code as wrong before it is compared, as long as there are not more than `most` then. `None` when there would
    /// be, or when the account is locked or does not exist: then nothing may be compared (N13).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_wrong_code(
        &mut self,
        company: CompanyId,
        id: AccountId,
        most: i64,
    ) -> Result<Option<CodeCount>, StoreError> {
        optional!(self, CodeCount, COUNT_WRONG_CODE, company.0, id.0, most)
    }

    /// Writes down that the last try was counted now: until it is compared, nobody else may take it for a wrong one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn note_last_code(
        &mut self,
        company: CompanyId,
        id: AccountId,
        now: Moment,
    ) -> Result<(), StoreError> {
        execute!(self, NOTE_LAST_CODE, company.0, id.0, now).map(drop)
    }

    /// Takes a count of this round back: the code was an old one, not a guess. Does nothing on a locked account, nor to a
    /// count that has begun since.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn uncount_wrong_code(
        &mut self,
        company: CompanyId,
        id: AccountId,
        round: i64,
    ) -> Result<(), StoreError> {
        execute!(self, UNCOUNT_WRONG_CODE, company.0, id.0, round).map(drop)
    }
    /// Locks the account and ends what applications got of it; says whether it was not locked before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lock_account(
        &mut self,
        company: CompanyId,
        id: AccountId,
        reason: &str,
        now: Moment,
    ) -> Result<bool, StoreError> {
        let locked = execute!(self, LOCK, company.0, id.0, reason, now)? == 1;
        if locked {
            execute!(self, END_OF_ACCOUNT, company.0, id.0)?;
        }
        Ok(locked)
    }

    /// Unlocks the account and sets its count to zero; says whether it was locked or had a count.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn unlock_account(
        &mut self,
        company: CompanyId,
        id: AccountId,
        now: Moment,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, UNLOCK, company.0, id.0, now)? == 1)
    }
}
