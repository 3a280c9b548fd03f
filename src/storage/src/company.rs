//! Companies: looked up by name before anybody is signed in, and switched by operators.

use vestibule_core::{
    company::{Company, RequireSecondFactor, TwoFactorPolicy},
    id::CompanyId,
    name::CompanyName,
    ports::Moment,
};

use crate::{
    Reader, StoreError, Writer,
    columns::{CompanyColumns, PASSWORD_MIN, company_columns},
    link::{all, execute, optional},
};

const INSERT: &str = "INSERT INTO company (id, name, name_key, language, time_zone, enabled, \
    skip_second_factor_days, require_second_factor, password_min_length, idle_minutes, created_at, changed_at) \
    VALUES ($1, $2, $3, $4, $5, TRUE, $6, $7, $8, $9, $10, $10)";
const BY_ID: &str = concat!("SELECT ", company_columns!(), " FROM company c WHERE c.id = $1");
pub(crate) const BY_KEY: &str = concat!(
    "SELECT ",
    company_columns!(),
    " FROM company c WHERE c.name_key = $1"
);
const ALL: &str = concat!(
    "SELECT ",
    company_columns!(),
    " FROM company c ORDER BY c.name_key"
);
const SET_ENABLED: &str = "UPDATE company SET enabled = $2, changed_at = $3 WHERE id = $1";
const SET_TWO_FACTOR: &str = "UPDATE company SET skip_second_factor_days = $2, changed_at = $3 WHERE id = $1";
const SET_REQUIRE: &str = "UPDATE company SET require_second_factor = $2, changed_at = $3 WHERE id = $1";
const DELETE: &str = "DELETE FROM company WHERE id = $1";

/// A company to create; it is enabled, and the policies that are not named here have their defaults.
#[derive(Clone, Debug)]
pub struct NewCompany {
    /// Its identifier.
    pub id: CompanyId,
    /// Its name.
    pub name: CompanyName,
    /// Language tag of mails and screens for accounts that have none.
    pub language: String,
    /// IANA name of its time zone.
    pub time_zone: String,
    /// 2FA Policy.
    pub two_factor: TwoFactorPolicy,
    /// Require a second factor.
    pub require_second_factor: RequireSecondFactor,
    /// Minimum password length, in characters (8-64).
    pub password_min: usize,
    /// Minutes without activity that end a session; `None` = never.
    pub idle_minutes: Option<u16>,
    /// When it is created.
    pub created_at: Moment,
}

impl Reader {
    /// The company with this identifier.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn company(&mut self, id: CompanyId) -> Result<Option<Company>, StoreError> {
        optional!(self, CompanyColumns, BY_ID, id.0)?
            .map(Company::try_from)
            .transpose()
    }

    /// The company whose name has this key (`vestibule_core::name::key`).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn company_by_key(&mut self, key: &str) -> Result<Option<Company>, StoreError> {
        optional!(self, CompanyColumns, BY_KEY, key)?
            .map(Company::try_from)
            .transpose()
    }

    /// All companies, ordered by the key of their name. For operators only.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn companies(&mut self) -> Result<Vec<Company>, StoreError> {
        all!(self, CompanyColumns, ALL)?
            .into_iter()
            .map(Company::try_from)
            .collect()
    }
}

impl Writer {
    /// Creates a company.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when its name is taken; [`StoreError::Other`] when its minimum password length is
    /// none that a company may have.
    pub async fn insert_company(&mut self, new: &NewCompany) -> Result<(), StoreError> {
        let password_min = i64::try_from(new.password_min)
            .ok()
            .filter(|_| PASSWORD_MIN.contains(&new.password_min))
            .ok_or_else(|| StoreError::other("a minimum password length outside 8 to 64"))?;
        execute!(
            self,
            INSERT,
            new.id.0,
            new.name.display(),
            new.name.key(),
            &new.language,
            &new.time_zone,
            new.two_factor.days(),
            new.require_second_factor.as_str(),
            password_min,
            new.idle_minutes.map(i64::from),
            new.created_at,
        )
        .map(drop)
    }

    /// Enables or disables a company; says whether it exists.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_company_enabled(
        &mut self,
        id: CompanyId,
        enabled: bool,
        now: Moment,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, SET_ENABLED, id.0, enabled, now)? == 1)
    }

    /// Sets the 2FA Policy; says whether the company exists.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_two_factor_policy(
        &mut self,
        id: CompanyId,
        policy: TwoFactorPolicy,
        now: Moment,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, SET_TWO_FACTOR, id.0, policy.days(), now)? == 1)
    }

    /// Sets Require a second factor (product.md section 6); says whether the company exists.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_require_second_factor(
        &mut self,
        id: CompanyId,
        policy: RequireSecondFactor,
        now: Moment,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, SET_REQUIRE, id.0, policy.as_str(), now)? == 1)
    }

    /// Deletes a company with everything in it, except its audit events; says whether it existed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_company(&mut self, id: CompanyId) -> Result<bool, StoreError> {
        Ok(execute!(self, DELETE, id.0)? == 1)
    }
}
