//! What an operator does from the command line (product.md section 1). Every act is in the audit log.

use std::str::FromStr;

use vestibule_core::{
    account::{Account, Person, Role},
    audit::{AuditEntry, Event},
    backup_code::BackupCode,
    company::{Company, CompanySettings, NewAgentMail, RequireSecondFactor, TwoFactorPolicy},
    id::{AccountId, ApplicationId, CompanyId},
    limits::{
        IDLE_MINUTES_LEAST, IDLE_MINUTES_MOST, PASSWORD_MIN_HIGHEST, PASSWORD_MIN_LOWEST, PERSON_FIELD_MAX,
    },
    name::{AccountName, CompanyName, EmailAddress, NameProblem, has_bad_characters_in_name},
    password::problem,
    refusal::{Problem, Refusal},
    secret::Password,
    session::EndReason,
    text::trim,
};
use vestibule_storage::{
    AgentData, CompanyCounts, EventRow, Failed, InstallationCounts, NewCompany, StoreError, Unique, again,
};

use crate::{
    Failure, Operator, Service,
    accounts::{PasswordToSet, reason_problem},
    hashing::HashingError,
    judges::Reason,
    keys::Unsealable,
    letters::Receiver,
    new_agents::{FirstPassword, NewAgent, alias_or_names},
    work::{By, Work},
};

/// Why an operator's act was refused.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// The company's name is not allowed.
    #[error("company name: {0:?}")]
    BadCompanyName(NameProblem),
    /// The company's name has letters of several scripts.
    #[error("the company's name mixes scripts")]
    MixedScripts,
    /// The account's name is not allowed.
    #[error("account name: {0:?}")]
    BadAccountName(NameProblem),
    /// The e-mail address is not allowed.
    #[error("e-mail address: {0:?}")]
    BadEmail(NameProblem),
    /// First name, last name or alias is not allowed.
    #[error("person name: {0:?}")]
    BadPersonName(NameProblem),
    /// There is no such company.
    #[error("no such company")]
    UnknownCompany,
    /// There is no such account in the company.
    #[error("no such account")]
    UnknownAccount,
    /// There is no such application.
    #[error("no such application")]
    UnknownApplication,
    /// A company of this name exists.
    #[error("the company exists")]
    CompanyExists,
    /// An account of this name exists in the company.
    #[error("the account exists")]
    AccountExists,
    /// An account of the company has this e-mail address.
    #[error("the e-mail address is taken")]
    EmailExists,
    /// No such language is offered.
    #[error("no such language")]
    UnknownLanguage,
    /// The IANA database has no such time zone.
    #[error("no such time zone")]
    UnknownTimeZone,
    /// Not 0, 14, 30, 60 or 90 days.
    #[error("no such policy")]
    BadPolicy,
    /// A minimum password length outside 8 to 64.
    #[error("no such minimum password length")]
    BadPasswordMin,
    /// Minutes without activity outside 15 to 999.
    #[error("no such number of minutes")]
    BadIdleMinutes,
    /// What the console would say, too.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// An account needs at least one role.
    #[error("no role")]
    NoRole,
    /// Fewer characters than the company allows.
    #[error("the password is too short")]
    PasswordTooShort {
        /// Characters it needs.
        least: usize,
    },
    /// More characters than anybody allows.
    #[error("the password is too long")]
    PasswordTooLong,
    /// Too easy to guess.
    #[error("the password is too easy to guess")]
    PasswordTooWeak,
    /// A backup code needs a reason of at most 200 characters.
    #[error("no reason")]
    NoReason,
    /// A secret could not be sealed.
    #[error(transparent)]
    Sealing(#[from] Unsealable),
    /// The password could not be hashed.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A company to be created.
#[derive(Clone, Debug)]
pub struct CompanyInput {
    /// Its name.
    pub name: String,
    /// Whether its letters may be of several scripts.
    pub allow_mixed_script: bool,
    /// Language tag.
    pub language: String,
    /// IANA time zone.
    pub time_zone: String,
    /// 2FA Policy: 0 = every login, or 14, 30, 60, 90 days.
    pub two_factor_days: i64,
    /// Require a second factor.
    pub require_second_factor: RequireSecondFactor,
}

/// The first admin of a company.
#[derive(Clone, Debug)]
pub struct FirstAdmin {
    /// Account name.
    pub account: String,
    /// E-mail address.
    pub email: String,
    /// First name; empty = the account name.
    pub first_name: String,
    /// Last name, may be empty.
    pub last_name: String,
}

/// An account to be created.
#[derive(Clone, Debug)]
pub struct AccountInput {
    /// Its company's name.
    pub company: String,
    /// Account name.
    pub account: String,
    /// E-mail address.
    pub email: String,
    /// First name.
    pub first_name: String,
    /// Last name, may be empty.
    pub last_name: String,
    /// Roles, at least one.
    pub roles: Vec<Role>,
    /// Language tag; `None` = the company's.
    pub language: Option<String>,
    /// Whether a code by e-mail is its second factor.
    pub email_factor: bool,
    /// Its password.
    pub password: Password,
}

/// Log-out Policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogOut {
    /// Never for want of activity.
    Never,
    /// After this many minutes without activity: 15 to 999.
    After(u16),
}

/// Where agents go after a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterSignIn {
    /// The Agent Panel.
    Panel,
    /// An application.
    Application(ApplicationId),
}

/// Settings of a company to change (product.md section 6); `None` leaves one as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PolicyChange {
    /// 2FA Policy: 0 = every login, or 14, 30, 60, 90 days.
    pub two_factor_days: Option<i64>,
    /// Require a second factor.
    pub require_second_factor: Option<RequireSecondFactor>,
    /// Minimum password length, in characters (8-64).
    pub password_min: Option<usize>,
    /// Log-out Policy.
    pub log_out: Option<LogOut>,
    /// New-agent mail.
    pub new_agent_mail: Option<NewAgentMail>,
    /// Where agents go after a sign-in.
    pub after_sign_in: Option<AfterSignIn>,
}

impl Operator {
    /// Creates a company.
    ///
    /// # Errors
    /// A bad or taken name, an unknown language, time zone or policy; a failing database.
    pub async fn create_company(&self, input: CompanyInput) -> Result<Company, OperatorError> {
        self.found_company(input, NewAgentMail::default(), None).await
    }

    /// Creates a company and, in the same transaction, its first admin, who is told by mail how to sign in.
    ///
    /// # Errors
    /// As [`crate::Operator::create_company`] and [`crate::Operator::create_account`].
    pub async fn found_company(
        &self,
        input: CompanyInput,
        new_agent_mail: NewAgentMail,
        admin: Option<FirstAdmin>,
    ) -> Result<Company, OperatorError> {
        let name = CompanyName::parse(&input.name).map_err(OperatorError::BadCompanyName)?;
        if name.mixes_scripts() && !input.allow_mixed_script {
            return Err(OperatorError::MixedScripts);
        }
        self.check_language(&input.language)?;
        chrono_tz::Tz::from_str(&input.time_zone).map_err(|_| OperatorError::UnknownTimeZone)?;
        let two_factor = TwoFactorPolicy::from_days(input.two_factor_days).ok_or(OperatorError::BadPolicy)?;
        let company = Company {
            id: CompanyId::new(self.now(), self.random()),
            name: name.display().to_owned(),
            enabled: true,
            settings: CompanySettings {
                two_factor,
                require_second_factor: input.require_second_factor,
                new_agent_mail,
                ..CompanySettings::new(input.language, input.time_zone)
            },
            version: 1,
            created_at: self.now(),
        };
        let admin = match admin {
            Some(admin) => Some(self.prepare_new_agent(&company, first_admin(&admin)?).await?),
            None => None,
        };
        let mut work = self.operate().await?;
        work.insert_company(&NewCompany {
            id: company.id,
            name,
            settings: company.settings.clone(),
            created_at: company.created_at,
        })
        .await
        .map_err(taken)?;
        let entry = AuditEntry {
            detail: Some(company.name.clone()),
            ..work.entry(Event::CompanyCreated, company.id, None)
        };
        self.record(&mut work, &entry).await?;
        if let Some(admin) = admin {
            self.create_in(&mut work, &company, admin).await.map_err(taken)?;
        }
        work.commit().await?;
        Ok(company)
    }

    /// All companies, ordered by name.
    ///
    /// # Errors
    /// A failing database.
    pub async fn companies(&self) -> Result<Vec<Company>, OperatorError> {
        Ok(self.inner.store.read().await?.companies().await?)
    }

    /// The company of this name.
    ///
    /// # Errors
    /// [`OperatorError::UnknownCompany`]; a failing database.
    pub async fn company_named(&self, name: &str) -> Result<Company, OperatorError> {
        let mut reader = self.inner.store.read().await?;
        reader
            .company_by_name(name)
            .await?
            .ok_or(OperatorError::UnknownCompany)
    }

    /// Enables or disables a company; disabling ends every session and pending sign-in in it at once.
    ///
    /// # Errors
    /// [`OperatorError::UnknownCompany`]; a failing database.
    pub async fn set_company_enabled(&self, name: &str, enabled: bool) -> Result<(), OperatorError> {
        again(async || {
            let company = self.company_named(name).await?;
            let mut work = self.operate().await?;
            work.set_company_enabled(company.id, enabled, self.now()).await?;
            let event = if enabled {
                Event::CompanyEnabled
            } else {
                work.hold_accounts_of(company.id).await?;
                work.end_sessions_of_company(company.id, self.ending(EndReason::CompanyDisabled))
                    .await?;
                work.delete_pendings_of_company(company.id).await?;
                Event::CompanyDisabled
            };
            let entry = work.entry(event, company.id, None);
            self.record(&mut work, &entry).await?;
            Ok(work.commit().await?)
        })
        .await
    }

    /// Changes policies and settings of a company; they bite at the next request of everybody concerned. What became
    /// another stands in the audit log with what it was. All admins are told of policies.
    ///
    /// # Errors
    /// [`OperatorError::UnknownCompany`], values that no policy has; a failing database.
    pub async fn change_policies(&self, name: &str, change: PolicyChange) -> Result<(), OperatorError> {
        again(async || {
            let id = self.company_named(name).await?.id;
            let mut work = self.operate().await?;
            work.hold_company(id).await?;
            let company = work.company(id).await?.ok_or(OperatorError::UnknownCompany)?;
            let settings = change.applied_to(company.settings.clone())?;
            if let Some(AfterSignIn::Application(application)) = change.after_sign_in {
                let found = work.application(application).await?;
                found
                    .filter(|found| found.can_be_opened_in(id))
                    .ok_or(OperatorError::UnknownApplication)?;
            }
            self.put_settings(&mut work, &company, &settings, "").await?;
            Ok(work.commit().await?)
        })
        .await
    }

    /// Issues a backup code to an account: good once, for 60 minutes, in place of any earlier one (N17). The agent is
    /// told by mail that there is one, and by a person what it is.
    ///
    /// # Errors
    /// [`OperatorError::NoReason`]; [`Refusal::TargetLocked`]; unknown names; a failing database.
    pub async fn issue_backup_code(
        &self,
        company: &str,
        account: &str,
        reason: &str,
    ) -> Result<BackupCode, OperatorError> {
        let reason = trim(reason);
        if reason_problem(reason).is_some() {
            return Err(OperatorError::NoReason);
        }
        let (company, account) = self.account_named(company, account).await?;
        let drawn = self.draw_issued_code().await?;
        again(async || {
            let mut work = self.operate().await?;
            work.hold_account(company.id, account.id).await?;
            // As it is now: it may have been locked, or have gone, while the code was hashed.
            let found = work.account(company.id, account.id).await?;
            let account = found.ok_or(OperatorError::UnknownAccount)?;
            if account.is_locked() {
                return Err(OperatorError::Refused(Refusal::TargetLocked));
            }
            let receiver = Receiver::new(&company, &account);
            self.issue_code_in(&mut work, receiver, &drawn, reason).await?;
            Ok(work.commit().await?)
        })
        .await?;
        Ok(drawn.code)
    }

    /// Looks for key versions that another process has added.
    pub fn reload_keys(&self) {
        self.inner.keys.reload();
    }

    /// What deleting a company would delete.
    ///
    /// # Errors
    /// [`OperatorError::UnknownCompany`]; a failing database.
    pub async fn company_contents(&self, name: &str) -> Result<CompanyCounts, OperatorError> {
        let company = self.company_named(name).await?;
        let now = self.now();
        Ok(self
            .inner
            .store
            .read()
            .await?
            .count_company(company.id, now)
            .await?)
    }

    /// Deletes a company with everything in it; its lines of the audit log stay.
    ///
    /// # Errors
    /// [`OperatorError::UnknownCompany`]; a failing database.
    pub async fn delete_company(&self, name: &str) -> Result<(), OperatorError> {
        again(async || {
            let company = self.company_named(name).await?;
            let mut work = self.operate().await?;
            work.hold_company(company.id).await?;
            work.hold_accounts_of(company.id).await?;
            work.delete_company(company.id).await?;
            // Only here its name is found once the company is gone.
            let entry = AuditEntry {
                detail: Some(company.name),
                ..work.entry(Event::CompanyDeleted, company.id, None)
            };
            self.record(&mut work, &entry).await?;
            Ok(work.commit().await?)
        })
        .await
    }

    /// Ends all sessions and pending sign-ins of an account, or with `None` of the whole company; says how many sessions.
    ///
    /// # Errors
    /// Unknown names; a failing database.
    pub async fn end_sessions_of(&self, company: &str, account: Option<&str>) -> Result<u64, OperatorError> {
        again(async || {
            if let Some(account) = account {
                let (company, account) = self.account_named(company, account).await?;
                let mut work = self.operate().await?;
                work.hold_account(company.id, account.id).await?;
                let receiver = Receiver::new(&company, &account);
                let ended = self.end_sessions_in(&mut work, receiver, None).await?;
                work.commit().await?;
                return Ok(ended);
            }
            let company = self.company_named(company).await?.id;
            let mut work = self.operate().await?;
            work.hold_company(company).await?;
            work.hold_accounts_of(company).await?;
            work.delete_pendings_of_company(company).await?;
            let ended = work
                .end_sessions_of_company(company, self.ending(EndReason::ByAdmin))
                .await?;
            let entry = AuditEntry {
                detail: Some(ended.to_string()),
                ..work.entry(Event::SessionsEnded, company, None)
            };
            self.record(&mut work, &entry).await?;
            work.commit().await?;
            Ok(ended)
        })
        .await
    }

    /// The newest events of the company of this name, or with `None` of the whole installation; newest first.
    ///
    /// # Errors
    /// [`OperatorError::UnknownCompany`]; a failing database.
    pub async fn newest_events(
        &self,
        company: Option<&str>,
        most: i64,
    ) -> Result<Vec<EventRow>, OperatorError> {
        let company = match company {
            Some(name) => Some(self.company_named(name).await?.id),
            None => None,
        };
        Ok(self.inner.store.read().await?.events(company, most).await?)
    }

    /// Name of a company; `None` when it was deleted.
    ///
    /// # Errors
    /// A failing database.
    pub async fn company_name(&self, id: CompanyId) -> Result<Option<String>, OperatorError> {
        let company = self.inner.store.read().await?.company(id).await?;
        Ok(company.map(|company| company.name))
    }

    /// Numbers of the whole installation.
    ///
    /// # Errors
    /// A failing database.
    pub async fn installation_counts(&self) -> Result<InstallationCounts, OperatorError> {
        let now = self.now();
        Ok(self.inner.store.read().await?.installation_counts(now).await?)
    }

    /// Creates an account that can sign in at once.
    ///
    /// # Errors
    /// Bad or taken names, an unknown company or language, no role, a weak password; a failing database.
    pub async fn create_account(&self, input: AccountInput) -> Result<Account, OperatorError> {
        let (company, agent) = self.check_account(&input).await?;
        let person = &agent.data.person;
        let words = [
            company.name.as_str(),
            agent.name.display(),
            agent.email.display(),
            &person.first_name,
            &person.last_name,
        ];
        self.check_new_password(&input.password, &words, company.settings.password_min)
            .await?;
        self.put_account(&company, agent, &input.password).await
    }

    /// Up to `most` accounts of a company after this one, oldest first: for walking over all of them.
    ///
    /// # Errors
    /// [`OperatorError::UnknownCompany`]; a failing database.
    pub async fn accounts_after(
        &self,
        company: &str,
        after: Option<AccountId>,
        most: usize,
    ) -> Result<Vec<Account>, OperatorError> {
        let company = self.company_named(company).await?;
        let mut reader = self.inner.store.read().await?;
        Ok(reader.accounts_after(company.id, after, most).await?)
    }

    /// Deletes an account with everything that hangs on it; its names are free then, the audit log keeps them.
    ///
    /// # Errors
    /// Unknown names; a failing database.
    pub async fn delete_account(&self, company: &str, account: &str) -> Result<(), OperatorError> {
        again(async || {
            let (company, account) = self.account_named(company, account).await?;
            let mut work = self.operate().await?;
            let receiver = Receiver::new(&company, &account);
            if !self.delete_account_in(&mut work, receiver).await? {
                return Err(OperatorError::UnknownAccount);
            }
            Ok(work.commit().await?)
        })
        .await
    }

    /// The account of this name or e-mail address.
    ///
    /// # Errors
    /// [`OperatorError::UnknownCompany`], [`OperatorError::UnknownAccount`]; a failing database.
    pub async fn account_named(
        &self,
        company: &str,
        account: &str,
    ) -> Result<(Company, Account), OperatorError> {
        let company = self.company_named(company).await?;
        let mut reader = self.inner.store.read().await?;
        let found = reader.account_by_sign_in(company.id, account, account).await?;
        found
            .map(|(account, _)| (company, account))
            .ok_or(OperatorError::UnknownAccount)
    }

    /// Unlocks an account, sets its counter to zero and tells the agent by mail.
    ///
    /// # Errors
    /// [`Refusal::NotLocked`] when there was nothing to unlock; unknown names; a failing database.
    pub async fn unlock_account(&self, company: &str, account: &str) -> Result<(), OperatorError> {
        again(async || {
            let (company, account) = self.account_named(company, account).await?;
            let mut work = self.operate().await?;
            let receiver = Receiver::new(&company, &account);
            if !self.unlock_in(&mut work, receiver).await? {
                return Err(Refusal::NotLocked.into());
            }
            Ok(work.commit().await?)
        })
        .await
    }

    /// Sets an account's password; ends its sessions, its pending sign-ins, all trust in browsers and its links, and
    /// tells the agent by mail.
    ///
    /// # Errors
    /// Unknown names, a weak password; a failing database.
    pub async fn set_password(
        &self,
        company: &str,
        account: &str,
        password: &Password,
    ) -> Result<(), OperatorError> {
        again(async || {
            let (company, account) = self.account_named(company, account).await?;
            let words = [
                company.name.as_str(),
                account.name.as_str(),
                account.email.as_str(),
                account.person.first_name.as_str(),
                account.person.last_name.as_str(),
            ];
            self.check_new_password(password, &words, company.settings.password_min)
                .await?;
            let hash = self.inner.hasher.hash(password, self.random()).await?;
            let mut work = self.operate().await?;
            let receiver = Receiver::new(&company, &account);
            let password = PasswordToSet {
                hash: &hash,
                temporary_until: None,
            };
            self.reset_password_in(&mut work, receiver, password).await?;
            Ok(work.commit().await?)
        })
        .await
    }

    /// Switches an account on or off; off ends its sessions, set-ups, trusted browsers and links. A sign-in under way is
    /// stopped by the gate, which tells why.
    ///
    /// # Errors
    /// Unknown names; a failing database.
    pub async fn set_account_active(
        &self,
        company: &str,
        account: &str,
        active: bool,
    ) -> Result<(), OperatorError> {
        again(async || {
            let (company, account) = self.account_named(company, account).await?;
            let mut work = self.operate().await?;
            work.hold_account(company.id, account.id).await?;
            let receiver = Receiver::new(&company, &account);
            if account.active != active {
                self.switch_account_in(&mut work, receiver, active, None).await?;
            }
            Ok(work.commit().await?)
        })
        .await
    }
}

impl Service {
    /// A transaction of the operator's.
    pub(crate) async fn operate(&self) -> Result<Work<'static>, StoreError> {
        Ok(Work::new(self.inner.store.write().await?, By::operator()))
    }

    /// Checks everything about a new account but its password.
    pub(crate) async fn check_account(
        &self,
        input: &AccountInput,
    ) -> Result<(Company, NewAgent), OperatorError> {
        let name = AccountName::parse(&input.account).map_err(OperatorError::BadAccountName)?;
        let email = EmailAddress::parse(&input.email).map_err(OperatorError::BadEmail)?;
        let person = person(&input.first_name, &input.last_name, name.display())?;
        if let Some(language) = &input.language {
            self.check_language(language)?;
        }
        let mut roles = input.roles.clone();
        roles.sort_unstable();
        roles.dedup();
        if roles.is_empty() {
            return Err(OperatorError::NoRole);
        }
        let company = self.operator().company_named(&input.company).await?;
        let agent = NewAgent {
            name,
            email,
            data: AgentData {
                person: Person {
                    language: input.language.clone(),
                    ..person
                },
                roles,
                active: true,
            },
            email_factor: input.email_factor,
        };
        Ok((company, agent))
    }

    pub(crate) async fn put_account(
        &self,
        company: &Company,
        agent: NewAgent,
        password: &Password,
    ) -> Result<Account, OperatorError> {
        let password = FirstPassword {
            hash: self.inner.hasher.hash(password, self.random()).await?,
            temporary_until: None,
        };
        let mut work = self.operate().await?;
        let account = self
            .insert_new(&mut work, company, agent, Some(password))
            .await
            .map_err(taken)?;
        let entry = work.entry(Event::AccountCreated, company.id, Some(account.id));
        self.record(&mut work, &entry).await?;
        work.commit().await?;
        Ok(account)
    }

    pub(crate) fn check_language(&self, language: &str) -> Result<(), OperatorError> {
        let offered = self
            .inner
            .settings
            .languages
            .iter()
            .any(|offered| offered == language);
        if offered {
            Ok(())
        } else {
            Err(OperatorError::UnknownLanguage)
        }
    }
}

impl PolicyChange {
    /// The settings with this change.
    pub(crate) fn applied_to(self, settings: CompanySettings) -> Result<CompanySettings, OperatorError> {
        let two_factor = match self.two_factor_days {
            Some(days) => TwoFactorPolicy::from_days(days).ok_or(OperatorError::BadPolicy)?,
            None => settings.two_factor,
        };
        let password_min = self.password_min.unwrap_or(settings.password_min);
        if !(PASSWORD_MIN_LOWEST..=PASSWORD_MIN_HIGHEST).contains(&password_min) {
            return Err(OperatorError::BadPasswordMin);
        }
        let idle_minutes = match self.log_out {
            Some(LogOut::Never) => None,
            Some(LogOut::After(minutes)) if !(IDLE_MINUTES_LEAST..=IDLE_MINUTES_MOST).contains(&minutes) => {
                return Err(OperatorError::BadIdleMinutes);
            }
            Some(LogOut::After(minutes)) => Some(minutes),
            None => settings.idle_minutes,
        };
        Ok(CompanySettings {
            two_factor,
            password_min,
            idle_minutes,
            require_second_factor: self
                .require_second_factor
                .unwrap_or(settings.require_second_factor),
            new_agent_mail: self.new_agent_mail.unwrap_or(settings.new_agent_mail),
            after_sign_in: match self.after_sign_in {
                Some(AfterSignIn::Panel) => None,
                Some(AfterSignIn::Application(id)) => Some(id),
                None => settings.after_sign_in,
            },
            ..settings
        })
    }
}

impl Failed for OperatorError {
    fn is_victim(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_victim())
    }
}

impl From<Refusal> for OperatorError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Failure> for OperatorError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Store(error) => Self::Store(error),
            Failure::Hashing(error) => Self::Hashing(error),
            Failure::Unsealable(error) => Self::Sealing(error),
            Failure::Refused(refusal) => Self::Refused(refusal),
        }
    }
}

pub(crate) fn taken(error: StoreError) -> OperatorError {
    match error {
        StoreError::Conflict(Unique::CompanyName) => OperatorError::CompanyExists,
        StoreError::Conflict(Unique::AccountName) => OperatorError::AccountExists,
        StoreError::Conflict(Unique::Email) => OperatorError::EmailExists,
        other => OperatorError::Store(other),
    }
}

fn person_name(typed: &str) -> Result<String, OperatorError> {
    let name = trim(typed);
    if name.chars().count() > PERSON_FIELD_MAX {
        return Err(OperatorError::BadPersonName(NameProblem::TooLong));
    }
    if has_bad_characters_in_name(name) {
        return Err(OperatorError::BadPersonName(NameProblem::BadCharacters));
    }
    Ok(name.to_owned())
}

fn person(first_name: &str, last_name: &str, account: &str) -> Result<Person, OperatorError> {
    let (first_name, last_name) = (person_name(first_name)?, person_name(last_name)?);
    Ok(Person {
        alias: alias_or_names("", &first_name, &last_name, account),
        first_name,
        last_name,
        ..Person::default()
    })
}

/// Whoever reads the first mail can read the codes: the console is never behind a password alone.
fn first_admin(input: &FirstAdmin) -> Result<NewAgent, OperatorError> {
    let name = AccountName::parse(&input.account).map_err(OperatorError::BadAccountName)?;
    let email = EmailAddress::parse(&input.email).map_err(OperatorError::BadEmail)?;
    let first_name = Some(trim(&input.first_name)).filter(|name| !name.is_empty());
    let person = person(
        first_name.unwrap_or_else(|| name.display()),
        &input.last_name,
        name.display(),
    )?;
    Ok(NewAgent {
        name,
        email,
        data: AgentData {
            person,
            roles: vec![Role::Admin],
            active: true,
        },
        email_factor: true,
    })
}

impl Service {
    /// Length and guessability (product.md section 6).
    async fn check_new_password(
        &self,
        password: &Password,
        names: &[&str],
        least: usize,
    ) -> Result<(), OperatorError> {
        let password = password.clone();
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let judged = move || {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            problem(&password, &names, least)
        };
        match self.inner.judges.in_turn(Reason::Form, None, judged).await? {
            None => Ok(()),
            Some(Problem::TooLong { .. }) => Err(OperatorError::PasswordTooLong),
            Some(Problem::Missing | Problem::TooShort { .. }) => {
                Err(OperatorError::PasswordTooShort { least })
            }
            Some(_) => Err(OperatorError::PasswordTooWeak),
        }
    }
}
