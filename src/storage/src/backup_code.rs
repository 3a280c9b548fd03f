//! Backup codes: the set that an agent keeps (N16), and the one that an administrator issued (N17). Only hashes are
//! stored, one salt per set, so that an entered code is hashed once.

use sqlx::FromRow;
use vestibule_core::{
    id::{AccountId, CompanyId},
    ports::Moment,
};

use crate::{
    Reader, StoreError, Writer,
    columns::hash,
    link::{all, execute, optional},
};

const SET_SALT: &str =
    "UPDATE account SET backup_salt = $3, backup_made_at = $4 WHERE company_id = $1 AND id = $2";
const CLEAR_SALT: &str = "UPDATE account SET backup_salt = NULL, backup_made_at = NULL \
    WHERE company_id = $1 AND id = $2 AND backup_salt IS NOT NULL";
const INSERT: &str =
    "INSERT INTO backup_code (company_id, account_id, position, code_hash) VALUES ($1, $2, $3, $4)";
const DELETE: &str = "DELETE FROM backup_code WHERE company_id = $1 AND account_id = $2";
// One statement, so that the salt always belongs to the codes.
pub(crate) const OF_ACCOUNT: &str = "SELECT a.backup_salt, a.backup_made_at, b.position, b.code_hash, b.used_at \
    FROM account a JOIN backup_code b ON b.company_id = a.company_id AND b.account_id = a.id \
    WHERE a.company_id = $1 AND a.id = $2 ORDER BY b.position";
pub(crate) const LEFT: &str =
    "SELECT count(*), count(used_at) FROM backup_code WHERE company_id = $1 AND account_id = $2";
pub(crate) const USE: &str = "UPDATE backup_code SET used_at = $4 \
    WHERE company_id = $1 AND account_id = $2 AND code_hash = $3 AND used_at IS NULL";
const PUT_ISSUED: &str = "INSERT INTO issued_code (company_id, account_id, salt, code_hash, created_at, expires_at) \
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (company_id, account_id) DO UPDATE SET salt = excluded.salt, \
    code_hash = excluded.code_hash, created_at = excluded.created_at, expires_at = excluded.expires_at, \
    used_at = NULL";
pub(crate) const ISSUED: &str = "SELECT salt, code_hash, expires_at, used_at FROM issued_code \
    WHERE company_id = $1 AND account_id = $2";
const USE_ISSUED: &str = "UPDATE issued_code SET used_at = $4 \
    WHERE company_id = $1 AND account_id = $2 AND code_hash = $3 AND used_at IS NULL AND expires_at > $4";
const END_ISSUED: &str = "UPDATE issued_code SET expires_at = $3 \
    WHERE company_id = $1 AND account_id = $2 AND used_at IS NULL AND expires_at > $3";
const DELETE_ISSUED: &str = "DELETE FROM issued_code WHERE company_id = $1 AND account_id = $2";

/// The set of backup codes of an account.
#[derive(Clone, PartialEq, Eq)]
pub struct BackupSet {
    /// The salt of all its hashes.
    pub salt: Vec<u8>,
    /// When the set was made.
    pub made_at: Moment,
    /// Its codes, used ones included, by position.
    pub codes: Vec<BackupCodeRow>,
}

impl std::fmt::Debug for BackupSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BackupSet")
            .field("made_at", &self.made_at)
            .field("codes", &self.codes)
            .finish_non_exhaustive()
    }
}

/// One backup code of a set.
#[derive(Clone, PartialEq, Eq)]
pub struct BackupCodeRow {
    /// Its place in the list that its owner saw: 1 for the first.
    pub position: i64,
    /// Its hash.
    pub code_hash: [u8; 32],
    /// When it was used; `None` = not yet.
    pub used_at: Option<Moment>,
}

impl std::fmt::Debug for BackupCodeRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BackupCodeRow")
            .field("position", &self.position)
            .field("used_at", &self.used_at)
            .finish_non_exhaustive()
    }
}

/// A backup code that an administrator issues.
#[derive(Clone)]
pub struct NewIssuedCode {
    /// Its company.
    pub company: CompanyId,
    /// The account that may use it.
    pub account: AccountId,
    /// Salt of its hash.
    pub salt: [u8; 16],
    /// Its hash.
    pub code_hash: [u8; 32],
    /// When it is issued.
    pub created_at: Moment,
    /// When it ends.
    pub expires_at: Moment,
}

impl std::fmt::Debug for NewIssuedCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewIssuedCode")
            .field("company", &self.company)
            .field("account", &self.account)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// The backup code that an administrator issued last.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuedRow {
    /// Salt of its hash.
    pub salt: Vec<u8>,
    /// Its hash.
    pub code_hash: [u8; 32],
    /// When it ends.
    pub expires_at: Moment,
    /// When it was used; `None` = not yet.
    pub used_at: Option<Moment>,
}

impl std::fmt::Debug for IssuedRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedRow")
            .field("expires_at", &self.expires_at)
            .field("used_at", &self.used_at)
            .finish_non_exhaustive()
    }
}

#[derive(FromRow)]
struct BackupColumns {
    backup_salt: Option<Vec<u8>>,
    backup_made_at: Option<Moment>,
    position: i64,
    code_hash: Vec<u8>,
    used_at: Option<Moment>,
}

#[derive(FromRow)]
struct IssuedColumns {
    salt: Vec<u8>,
    code_hash: Vec<u8>,
    expires_at: Moment,
    used_at: Option<Moment>,
}

impl Reader {
    /// The backup codes of an account; `None` when it has no set.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn backup_codes_of(
        &mut self,
        company: CompanyId,
        id: AccountId,
    ) -> Result<Option<BackupSet>, StoreError> {
        let mut set: Option<BackupSet> = None;
        for row in all!(self, BackupColumns, OF_ACCOUNT, company.0, id.0)? {
            let code = BackupCodeRow {
                position: row.position,
                code_hash: hash(&row.code_hash, "backup_code", "code_hash")?,
                used_at: row.used_at,
            };
            if let Some(set) = &mut set {
                set.codes.push(code);
            } else {
                set = Some(BackupSet {
                    salt: row
                        .backup_salt
                        .ok_or(StoreError::corrupt("account", "backup_salt"))?,
                    made_at: row
                        .backup_made_at
                        .ok_or(StoreError::corrupt("account", "backup_made_at"))?,
                    codes: vec![code],
                });
            }
        }
        Ok(set)
    }

    /// How many backup codes of an account are unused; `None` when it has no set.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn backup_codes_left(
        &mut self,
        company: CompanyId,
        id: AccountId,
    ) -> Result<Option<usize>, StoreError> {
        let counted = optional!(self, (i64, i64), LEFT, company.0, id.0)?;
        Ok(counted
            .filter(|&(all, _)| all > 0)
            .and_then(|(all, used)| usize::try_from(all - used).ok()))
    }

    /// The backup code that an administrator issued last to an account, used and ended ones included.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn issued_code_of(
        &mut self,
        company: CompanyId,
        account: AccountId,
    ) -> Result<Option<IssuedRow>, StoreError> {
        optional!(self, IssuedColumns, ISSUED, company.0, account.0)?
            .map(|row| {
                Ok(IssuedRow {
                    salt: row.salt,
                    code_hash: hash(&row.code_hash, "issued_code", "code_hash")?,
                    expires_at: row.expires_at,
                    used_at: row.used_at,
                })
            })
            .transpose()
    }
}

impl Writer {
    /// Gives an account a new set of backup codes in the place of the old one, in the order of `hashes`. Says whether
    /// the account exists.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn replace_backup_codes(
        &mut self,
        company: CompanyId,
        id: AccountId,
        salt: &[u8; 16],
        hashes: &[[u8; 32]],
        now: Moment,
    ) -> Result<bool, StoreError> {
        // First, because it makes others who replace them wait.
        if execute!(self, SET_SALT, company.0, id.0, &salt[..], now)? != 1 {
            return Ok(false);
        }
        execute!(self, DELETE, company.0, id.0)?;
        for (position, hash) in (1_i64..).zip(hashes) {
            execute!(self, INSERT, company.0, id.0, position, &hash[..])?;
        }
        Ok(true)
    }

    /// Uses a backup code of the account's set if it is unused. Of several requests at once, one gets `true`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn use_backup_code(
        &mut self,
        company: CompanyId,
        id: AccountId,
        hash: &[u8; 32],
        now: Moment,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, USE, company.0, id.0, &hash[..], now)? == 1)
    }

    /// Deletes the set of backup codes of an account; says whether it had one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_backup_codes(
        &mut self,
        company: CompanyId,
        id: AccountId,
    ) -> Result<bool, StoreError> {
        let had_one = execute!(self, CLEAR_SALT, company.0, id.0)? == 1;
        execute!(self, DELETE, company.0, id.0)?;
        Ok(had_one)
    }

    /// Stores a backup code that an administrator issued, in the place of an older one, used or not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_issued_code(&mut self, new: &NewIssuedCode) -> Result<(), StoreError> {
        execute!(
            self,
            PUT_ISSUED,
            new.company.0,
            new.account.0,
            &new.salt[..],
            &new.code_hash[..],
            new.created_at,
            new.expires_at,
        )
        .map(drop)
    }

    /// Uses the issued code if this is its hash, it is unused and not over. Of several requests at once, one gets
    /// `true`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn use_issued_code(
        &mut self,
        company: CompanyId,
        account: AccountId,
        hash: &[u8; 32],
        now: Moment,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, USE_ISSUED, company.0, account.0, &hash[..], now)? == 1)
    }

    /// Ends the issued code of an account before its time; says whether there was one that was good. It is known for what it
    /// is when it is entered, as one that came too late is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_issued_code(
        &mut self,
        company: CompanyId,
        account: AccountId,
        now: Moment,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, END_ISSUED, company.0, account.0, now)? == 1)
    }

    /// Deletes the issued code of an account; says whether there was one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_issued_code(
        &mut self,
        company: CompanyId,
        account: AccountId,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, DELETE_ISSUED, company.0, account.0)? == 1)
    }
}
