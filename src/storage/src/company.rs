//! Companies: looked up by name before anybody is signed in, and switched by operators.

use chrono::TimeDelta;
use vestibule_core::{
    company::{Company, CompanySettings},
    id::CompanyId,
    name::{self, CompanyName},
    ports::Moment,
    session::{EndReason, Ending},
};

use crate::{
    Changed, Reader, StoreError, Writer,
    columns::{CompanyColumns, PASSWORD_MIN, company_columns},
    link::{Link, all, execute, optional},
    session::{NOTE_IDLE, note},
};

const INSERT: &str = "INSERT INTO company (id, name, name_key, language, time_zone, enabled, \
    skip_second_factor_days, require_second_factor, password_min_length, idle_minutes, new_agent_mail, \
    created_at, changed_at, after_sign_in) VALUES ($1, $2, $3, $4, $5, TRUE, $6, $7, $8, $9, $10, $11, $11, $12)";
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
const SET_ENABLED: &str =
    "UPDATE company SET enabled = $2, changed_at = $3, version = version + 1 WHERE id = $1";
const SET: &str = "UPDATE company SET language = $3, time_zone = $4, new_agent_mail = $5, \
    skip_second_factor_days = $6, require_second_factor = $7, password_min_length = $8, idle_minutes = $9, \
    changed_at = $10, after_sign_in = $11, version = version + 1 WHERE id = $1 AND version = $2";
const DELETE: &str = "DELETE FROM company WHERE id = $1";
const END_TRUST: &str = "DELETE FROM trusted_browser WHERE company_id = $1";
// Moments are text on SQLite. A day is 24 hours on both, whatever time zone a server has.
const CUT_TRUST_SQLITE: &str = "UPDATE trusted_browser \
    SET ends_at = date(created_at, '+' || $2 || ' days') || substr(created_at, 11) \
    WHERE company_id = $1 AND ends_at > date(created_at, '+' || $2 || ' days') || substr(created_at, 11)";
const CUT_TRUST_POSTGRES: &str = "UPDATE trusted_browser SET ends_at = created_at + $2 * INTERVAL '24 hours' \
    WHERE company_id = $1 AND ends_at > created_at + $2 * INTERVAL '24 hours'";
const END_IDLE: &str = "DELETE FROM session WHERE company_id = $1 AND last_used_at <= $2";
const HOLD_ACCOUNTS: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM ( \
    SELECT id FROM account WHERE company_id = $1 ORDER BY id FOR UPDATE) AS held";

/// A company to create; it is enabled.
#[derive(Clone, Debug)]
pub struct NewCompany {
    /// Its identifier.
    pub id: CompanyId,
    /// Its name.
    pub name: CompanyName,
    /// What its admins set.
    pub settings: CompanySettings,
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

    /// The company with this name, as typed (`vestibule_core::name::keys`).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn company_by_name(&mut self, name: &str) -> Result<Option<Company>, StoreError> {
        for key in name::keys(name) {
            if let Some(row) = optional!(self, CompanyColumns, BY_KEY, &key)? {
                return row.try_into().map(Some);
            }
        }
        Ok(None)
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
        let settings = &new.settings;
        let password_min = password_min(settings.password_min)?;
        execute!(
            self,
            INSERT,
            new.id.0,
            new.name.display(),
            new.name.key(),
            &settings.language,
            &settings.time_zone,
            settings.two_factor.days(),
            settings.require_second_factor.as_str(),
            password_min,
            settings.idle_minutes.map(i64::from),
            settings.new_agent_mail.as_str(),
            new.created_at,
            settings.after_sign_in.map(|application| application.0),
        )
        .map(drop)
    }

    /// Enables or disables a company and makes the version one higher; says whether it exists.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_company_enabled(
        &mut self,
        id: CompanyId,
        enabled: bool,
        now: Moment,
    ) -> Result<bool, StoreError> {
        self.note_change(Changed::Company(id));
        Ok(execute!(self, SET_ENABLED, id.0, enabled, now)? == 1)
    }

    /// Saves the settings if the company's version is still `version`, and makes the version one higher; trust and sessions
    /// that a shorter policy ends are ended. Says whether it did.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Other`] for a minimum password length outside 8 to 64.
    pub async fn set_company(
        &mut self,
        id: CompanyId,
        version: i64,
        settings: &CompanySettings,
        now: Moment,
    ) -> Result<bool, StoreError> {
        let password_min = password_min(settings.password_min)?;
        let Some(before) = self.company(id).await?.filter(|before| before.version == version) else {
            return Ok(false);
        };
        let set = execute!(
            self,
            SET,
            id.0,
            version,
            &settings.language,
            &settings.time_zone,
            settings.new_agent_mail.as_str(),
            settings.two_factor.days(),
            settings.require_second_factor.as_str(),
            password_min,
            settings.idle_minutes.map(i64::from),
            now,
            settings.after_sign_in.map(|application| application.0),
        )? == 1;
        if set {
            self.end_by_policies(id, &before.settings, settings, now).await?;
        }
        Ok(set)
    }

    /// Writes down what the policies until now or from now on end: what has ended must not begin again when a policy is
    /// lengthened (product.md section 4.7).
    async fn end_by_policies(
        &mut self,
        company: CompanyId,
        before: &CompanySettings,
        after: &CompanySettings,
        now: Moment,
    ) -> Result<(), StoreError> {
        if (before.two_factor, before.idle_minutes) == (after.two_factor, after.idle_minutes) {
            return Ok(());
        }
        self.hold_accounts_of(company).await?;
        let days = before.two_factor.trust_days().zip(after.two_factor.trust_days());
        if let Some((until_now, from_now)) = days {
            let cut = match self.link {
                Link::Sqlite(_) => CUT_TRUST_SQLITE,
                Link::Postgres(_) => CUT_TRUST_POSTGRES,
            };
            execute!(self, cut, company.0, i64::from(until_now.min(from_now)))?;
        } else {
            execute!(self, END_TRUST, company.0)?;
        }
        let shortest = before.idle_minutes.into_iter().chain(after.idle_minutes).min();
        if let Some(minutes) = shortest {
            let unused_since = now - TimeDelta::minutes(i64::from(minutes));
            let ending = if before.idle_minutes == Some(minutes) {
                Ending {
                    reason: EndReason::Idle,
                    at: now,
                    minutes: Some(i64::from(minutes)),
                }
            } else {
                Ending::now(EndReason::Policy, now)
            };
            note!(self, NOTE_IDLE, ending, company, unused_since)?;
            execute!(self, END_IDLE, company.0, unused_since)?;
        }
        Ok(())
    }

    /// Holds all accounts of a company in their order, for what ends things of many of them at once. Call it after
    /// [`Writer::hold_company`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn hold_accounts_of(&mut self, company: CompanyId) -> Result<(), StoreError> {
        self.note_change(Changed::Company(company));
        match self.link {
            // Nobody else writes while a transaction does.
            Link::Sqlite(_) => Ok(()),
            Link::Postgres(_) => optional!(self, (i64,), HOLD_ACCOUNTS, company.0).map(drop),
        }
    }

    /// Deletes a company with everything in it, except its audit events; says whether it existed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_company(&mut self, id: CompanyId) -> Result<bool, StoreError> {
        self.note_change(Changed::Company(id));
        let gone = execute!(self, DELETE, id.0)? == 1;
        self.forget_agent_tally(id).await?;
        Ok(gone)
    }
}

fn password_min(length: usize) -> Result<i64, StoreError> {
    i64::try_from(length)
        .ok()
        .filter(|_| PASSWORD_MIN.contains(&length))
        .ok_or_else(|| StoreError::other("a minimum password length outside 8 to 64"))
}
