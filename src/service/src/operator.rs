//! What an operator does from the command line (product.md section 1). Every act is in the audit log.

use std::str::FromStr;

use vestibule_core::{
    account::{Account, Role, TimeFormat},
    audit::{Actor, AuditEntry, Event},
    authenticator::AppSecret,
    backup_code::BackupCode,
    company::{Company, NewAgentMail, RequireSecondFactor, TwoFactorPolicy},
    id::{AccountId, CompanyId},
    limits::{
        IDLE_MINUTES_LEAST, IDLE_MINUTES_MOST, PASSWORD_MIN_DEFAULT, PASSWORD_MIN_HIGHEST,
        PASSWORD_MIN_LOWEST, PERSON_FIELD_MAX,
    },
    link::LinkPurpose,
    mail::Mail,
    name::{AccountName, CompanyName, EmailAddress, NameProblem, has_bad_characters, key},
    password::problem,
    secret::Password,
    signed_in::FormProblem,
};
use vestibule_storage::{
    AgentData, CompanyCounts, CompanySettings, EventRow, Failed, InstallationCounts, NewCompany, StoreError,
    Unique, Writer, again,
};

use crate::{
    Failure, Service, Visitor,
    accounts::{PasswordToSet, reason_problem},
    audit::By,
    first_admin::FirstAdmin,
    hashing::HashingError,
    judges::Reason,
    keys::Unsealable,
    letters::Receiver,
    new_agents::{FirstPassword, NewAgent, alias_or_names},
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
    /// Somebody else was faster.
    #[error("the company has changed meanwhile")]
    ChangedMeanwhile,
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
    /// The account was not locked.
    #[error("not locked")]
    NotLocked,
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

/// Whether a password is held against the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordCheck {
    /// Length and zxcvbn, with the names around it as context.
    Enforced,
    /// None: for fixtures of tests.
    Waived,
}

/// Log-out Policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogOut {
    /// Never for want of activity.
    Never,
    /// After this many minutes without activity: 15 to 999.
    After(u16),
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
}

impl Service {
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
    /// As [`Service::create_company`] and [`Service::create_account`].
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
        let now = self.now();
        let company = Company {
            id: CompanyId::new(now, self.random()),
            name: name.display().to_owned(),
            language: input.language,
            time_zone: input.time_zone,
            enabled: true,
            two_factor,
            require_second_factor: input.require_second_factor,
            password_min: PASSWORD_MIN_DEFAULT,
            idle_minutes: Some(30),
            new_agent_mail,
            version: 1,
            created_at: now,
        };
        let admin = match admin {
            Some(admin) => Some(self.ready_first_admin(admin, &company).await?),
            None => None,
        };
        let mut writer = self.inner.store.write().await?;
        writer
            .insert_company(&NewCompany {
                id: company.id,
                name,
                language: company.language.clone(),
                time_zone: company.time_zone.clone(),
                two_factor,
                require_second_factor: company.require_second_factor,
                password_min: company.password_min,
                idle_minutes: company.idle_minutes,
                new_agent_mail: company.new_agent_mail,
                created_at: now,
            })
            .await
            .map_err(taken)?;
        let entry = AuditEntry {
            detail: Some(company.name.clone()),
            ..operator_entry(Event::CompanyCreated, company.id, None)
        };
        self.record(&mut writer, &entry).await?;
        if let Some(admin) = admin {
            self.insert_first_admin(&mut writer, admin, &company)
                .await
                .map_err(taken)?;
        }
        writer.commit().await?;
        self.inner.outbox_filled.notify_one();
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
            .company_by_key(&key(name))
            .await?
            .ok_or(OperatorError::UnknownCompany)
    }

    /// Enables or disables a company; disabling ends every session and pending sign-in in it at once.
    ///
    /// # Errors
    /// [`OperatorError::UnknownCompany`]; a failing database.
    pub async fn set_company_enabled(&self, name: &str, enabled: bool) -> Result<(), OperatorError> {
        again(|| self.switch_company(name, enabled)).await
    }

    async fn switch_company(&self, name: &str, enabled: bool) -> Result<(), OperatorError> {
        let company = self.company_named(name).await?;
        let mut writer = self.inner.store.write().await?;
        writer
            .set_company_enabled(company.id, enabled, self.now())
            .await?;
        if !enabled {
            writer.hold_accounts_of(company.id).await?;
            writer.end_sessions_of_company(company.id).await?;
            writer.delete_pendings_of_company(company.id).await?;
        }
        let event = if enabled {
            Event::CompanyEnabled
        } else {
            Event::CompanyDisabled
        };
        self.record_operator(&mut writer, event, company.id, None).await?;
        Ok(writer.commit().await?)
    }

    /// Changes policies and settings of a company; they bite at the next request of everybody concerned. Each that became
    /// another stands in the audit log with what it was. All admins are told of policies.
    ///
    /// # Errors
    /// [`OperatorError::UnknownCompany`], values that no policy has; a failing database.
    pub async fn change_policies(&self, name: &str, change: PolicyChange) -> Result<(), OperatorError> {
        again(|| self.save_policy_change(name, change, true)).await
    }

    /// [`Service::change_policies`] without a mail to anybody: for fixtures of tests.
    ///
    /// # Errors
    /// As [`Service::change_policies`].
    pub async fn give_policies(&self, name: &str, change: PolicyChange) -> Result<(), OperatorError> {
        again(|| self.save_policy_change(name, change, false)).await
    }

    /// Changes how long agents may skip the second factor, as [`Service::give_policies`] does.
    ///
    /// # Errors
    /// As [`Service::change_policies`].
    pub async fn set_two_factor_days(&self, name: &str, days: i64) -> Result<(), OperatorError> {
        let change = PolicyChange {
            two_factor_days: Some(days),
            ..PolicyChange::default()
        };
        self.give_policies(name, change).await
    }

    /// Changes who has to have a second factor, as [`Service::give_policies`] does.
    ///
    /// # Errors
    /// As [`Service::change_policies`].
    pub async fn set_require_second_factor(
        &self,
        name: &str,
        policy: RequireSecondFactor,
    ) -> Result<(), OperatorError> {
        let change = PolicyChange {
            require_second_factor: Some(policy),
            ..PolicyChange::default()
        };
        self.give_policies(name, change).await
    }

    async fn save_policy_change(
        &self,
        name: &str,
        change: PolicyChange,
        tell: bool,
    ) -> Result<(), OperatorError> {
        let id = self.company_named(name).await?.id;
        let mut writer = self.inner.store.write().await?;
        writer.hold_company(id).await?;
        let company = writer.company(id).await?.ok_or(OperatorError::UnknownCompany)?;
        let before = settings_of(&company);
        let after = change.applied_to(before.clone())?;
        let (policies, mail) = differences(&before, &after);
        if policies.is_empty() && mail.is_none() {
            return Ok(());
        }
        if !writer
            .set_company(id, company.version, &after, self.now())
            .await?
        {
            return Err(OperatorError::ChangedMeanwhile);
        }
        let policy_events = policies.iter().map(|detail| (Event::PolicyChanged, detail));
        let events = policy_events.chain(mail.iter().map(|detail| (Event::CompanyChanged, detail)));
        for (event, detail) in events {
            let entry = AuditEntry {
                detail: Some(detail.clone()),
                ..operator_entry(event, id, None)
            };
            self.record(&mut writer, &entry).await?;
        }
        if tell && !policies.is_empty() {
            for account in writer.active_admins(id).await? {
                let receiver = Receiver {
                    company: &company,
                    account: &account,
                };
                let mail = Mail::PoliciesChanged {
                    about: receiver.about(&Visitor::default()),
                    by: String::new(),
                };
                self.tell(&mut writer, receiver, mail).await?;
            }
        }
        writer.commit().await?;
        self.inner.outbox_filled.notify_one();
        Ok(())
    }

    /// Issues a backup code to an account: good once, for 60 minutes, in place of any earlier one (N17). The agent is
    /// told by mail that there is one, and by a person what it is.
    ///
    /// # Errors
    /// [`OperatorError::NoReason`]; unknown names; a failing database.
    pub async fn issue_backup_code(
        &self,
        company: &str,
        account: &str,
        reason: &str,
    ) -> Result<BackupCode, OperatorError> {
        let reason = reason.trim();
        if reason_problem(reason).is_some() {
            return Err(OperatorError::NoReason);
        }
        let (company, account) = self.account_named(company, account).await?;
        let drawn = self.draw_issued_code().await?;
        let receiver = Receiver {
            company: &company,
            account: &account,
        };
        let by = By {
            actor: Actor::Operator,
            visitor: &Visitor::default(),
        };
        again(async || {
            let mut writer = self.inner.store.write().await?;
            writer.hold_account(company.id, account.id).await?;
            self.issue_code_in(&mut writer, receiver, &drawn, reason, &by)
                .await?;
            writer.commit().await
        })
        .await?;
        self.inner.outbox_filled.notify_one();
        Ok(drawn.code)
    }

    /// Gives an account an authenticator app and ten backup codes, as its owner would: for fixtures of tests.
    ///
    /// # Errors
    /// Unknown names; a failing database.
    pub async fn give_app(
        &self,
        company: &str,
        account: &str,
    ) -> Result<(AppSecret, Vec<BackupCode>), OperatorError> {
        let (company, account) = self.account_named(company, account).await?;
        let secret = AppSecret::draw(self.random());
        let sealed = self.seal_app_secret(&account, &secret)?;
        let fresh = self.draw_backup_codes().await?;
        let mut writer = self.inner.store.write().await?;
        writer
            .set_app_secret(company.id, account.id, &sealed, 0, self.now())
            .await?;
        self.store_backup_codes(&mut writer, &account, &fresh).await?;
        writer.commit().await?;
        Ok((secret, fresh.codes))
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
        again(|| self.remove_company(name)).await
    }

    async fn remove_company(&self, name: &str) -> Result<(), OperatorError> {
        let company = self.company_named(name).await?;
        let mut writer = self.inner.store.write().await?;
        writer.hold_company(company.id).await?;
        writer.hold_accounts_of(company.id).await?;
        writer.delete_company(company.id).await?;
        // Only here its name is found once the company is gone.
        let entry = AuditEntry {
            detail: Some(company.name),
            ..operator_entry(Event::CompanyDeleted, company.id, None)
        };
        self.record(&mut writer, &entry).await?;
        Ok(writer.commit().await?)
    }

    /// Ends all sessions and pending sign-ins of an account, or with `None` of the whole company; says how many sessions.
    ///
    /// # Errors
    /// Unknown names; a failing database.
    pub async fn end_sessions_in(&self, company: &str, account: Option<&str>) -> Result<u64, OperatorError> {
        again(|| self.end_all_sessions_in(company, account)).await
    }

    async fn end_all_sessions_in(&self, company: &str, account: Option<&str>) -> Result<u64, OperatorError> {
        let (company, account) = match account {
            Some(account) => {
                let (company, account) = self.account_named(company, account).await?;
                (company.id, Some(account.id))
            }
            None => (self.company_named(company).await?.id, None),
        };
        let mut writer = self.inner.store.write().await?;
        let ended = if let Some(account) = account {
            writer.hold_account(company, account).await?;
            writer.delete_pendings_of(company, account).await?;
            writer.end_sessions_of(company, account).await?
        } else {
            writer.hold_company(company).await?;
            writer.hold_accounts_of(company).await?;
            writer.delete_pendings_of_company(company).await?;
            writer.end_sessions_of_company(company).await?
        };
        let entry = AuditEntry {
            detail: Some(ended.to_string()),
            ..operator_entry(Event::SessionsEnded, company, account)
        };
        self.record(&mut writer, &entry).await?;
        writer.commit().await?;
        Ok(ended)
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
    pub async fn create_account(
        &self,
        input: AccountInput,
        check: PasswordCheck,
    ) -> Result<Account, OperatorError> {
        let name = AccountName::parse(&input.account).map_err(OperatorError::BadAccountName)?;
        let email = EmailAddress::parse(&input.email).map_err(OperatorError::BadEmail)?;
        let first_name = person_name(&input.first_name)?;
        let last_name = person_name(&input.last_name)?;
        if let Some(language) = &input.language {
            self.check_language(language)?;
        }
        let mut roles = input.roles;
        roles.sort_unstable();
        roles.dedup();
        if roles.is_empty() {
            return Err(OperatorError::NoRole);
        }
        let company = self.company_named(&input.company).await?;
        let words = [
            company.name.as_str(),
            name.display(),
            email.display(),
            &first_name,
            &last_name,
        ];
        self.check_new_password(&input.password, &words, company.password_min, check)
            .await?;
        let hash = self.inner.hasher.hash(&input.password, self.random()).await?;

        let agent = NewAgent {
            data: AgentData {
                alias: alias_or_names("", &first_name, &last_name, name.display()),
                first_name,
                last_name,
                phone: String::new(),
                title: String::new(),
                time_format: TimeFormat::default(),
                language: input.language,
                roles,
                active: true,
            },
            name,
            email,
        };
        let password = FirstPassword {
            hash,
            temporary_until: None,
        };
        let mut writer = self.inner.store.write().await?;
        let account = self
            .insert_new(&mut writer, &company, agent, Some(password), input.email_factor)
            .await
            .map_err(taken)?;
        self.record_operator(&mut writer, Event::AccountCreated, company.id, Some(account.id))
            .await?;
        writer.commit().await?;
        Ok(account)
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
        again(|| self.remove_account(company, account)).await
    }

    async fn remove_account(&self, company: &str, account: &str) -> Result<(), OperatorError> {
        let (company, account) = self.account_named(company, account).await?;
        let mut writer = self.inner.store.write().await?;
        // First, while the name can still be looked up.
        self.record_operator(&mut writer, Event::AccountDeleted, company.id, Some(account.id))
            .await?;
        if !writer.delete_account(company.id, account.id).await? {
            return Err(OperatorError::UnknownAccount);
        }
        Ok(writer.commit().await?)
    }

    /// Makes the password of an account a temporary one, good for 72 hours: for fixtures of tests.
    ///
    /// # Errors
    /// Unknown names; a failing database.
    pub async fn make_password_temporary(&self, company: &str, account: &str) -> Result<(), OperatorError> {
        let (company, account) = self.account_named(company, account).await?;
        let mut writer = self.inner.store.write().await?;
        let password = writer.password_of(company.id, account.id).await?;
        let hash = password
            .and_then(|password| password.hash)
            .ok_or(OperatorError::UnknownAccount)?;
        let now = self.now();
        let ends = LinkPurpose::Activate.ends_at(now);
        writer
            .set_password(company.id, account.id, &hash, true, Some(ends), now)
            .await?;
        Ok(writer.commit().await?)
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
        let found = reader
            .account_by_sign_in(company.id, &key(account), &EmailAddress::lookup_key(account))
            .await?;
        found
            .map(|(account, _)| (company, account))
            .ok_or(OperatorError::UnknownAccount)
    }

    /// Unlocks an account, sets its counter to zero and tells the agent by mail.
    ///
    /// # Errors
    /// [`OperatorError::NotLocked`] when there was nothing to unlock; unknown names; a failing database.
    pub async fn unlock_account(&self, company: &str, account: &str) -> Result<(), OperatorError> {
        again(|| self.forgive_codes(company, account)).await
    }

    async fn forgive_codes(&self, company: &str, account: &str) -> Result<(), OperatorError> {
        let (company, account) = self.account_named(company, account).await?;
        let mut writer = self.inner.store.write().await?;
        let receiver = Receiver {
            company: &company,
            account: &account,
        };
        let by = By {
            actor: Actor::Operator,
            visitor: &Visitor::default(),
        };
        if !self.unlock_in(&mut writer, receiver, &by).await? {
            return Err(OperatorError::NotLocked);
        }
        writer.commit().await?;
        self.inner.outbox_filled.notify_one();
        Ok(())
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
        again(|| self.replace_password_for(company, account, password)).await
    }

    async fn replace_password_for(
        &self,
        company: &str,
        account: &str,
        password: &Password,
    ) -> Result<(), OperatorError> {
        let (company, account) = self.account_named(company, account).await?;
        let words = [
            company.name.as_str(),
            account.name.as_str(),
            account.email.as_str(),
            account.first_name.as_str(),
            account.last_name.as_str(),
        ];
        self.check_new_password(password, &words, company.password_min, PasswordCheck::Enforced)
            .await?;
        let hash = self.inner.hasher.hash(password, self.random()).await?;
        let mut writer = self.inner.store.write().await?;
        let receiver = Receiver {
            company: &company,
            account: &account,
        };
        let by = By {
            actor: Actor::Operator,
            visitor: &Visitor::default(),
        };
        let password = PasswordToSet {
            hash: &hash,
            temporary_until: None,
        };
        self.reset_password_in(&mut writer, receiver, password, &by)
            .await?;
        writer.commit().await?;
        self.inner.outbox_filled.notify_one();
        Ok(())
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
        again(|| self.switch_account(company, account, active)).await
    }

    async fn switch_account(&self, company: &str, account: &str, active: bool) -> Result<(), OperatorError> {
        let (company, account) = self.account_named(company, account).await?;
        let mut writer = self.inner.store.write().await?;
        writer
            .set_account_active(company.id, account.id, active, self.now())
            .await?;
        if !active {
            writer.end_sessions_of(company.id, account.id).await?;
            writer.end_set_ups_of(company.id, account.id).await?;
            writer.end_trusted_of(company.id, account.id).await?;
            writer
                .end_links_of(company.id, account.id, &LinkPurpose::ALL)
                .await?;
        }
        if active != account.active {
            let event = if active {
                Event::AccountActivated
            } else {
                Event::AccountDeactivated
            };
            self.record_operator(&mut writer, event, company.id, Some(account.id))
                .await?;
        }
        Ok(writer.commit().await?)
    }

    /// Locks an account as the fifth wrong code does.
    ///
    /// # Errors
    /// Unknown names; a failing database.
    pub async fn lock_account(&self, company: &str, account: &str) -> Result<(), OperatorError> {
        again(|| self.lock_at_once(company, account)).await
    }

    async fn lock_at_once(&self, company: &str, account: &str) -> Result<(), OperatorError> {
        let (company, account) = self.account_named(company, account).await?;
        let mut writer = self.inner.store.write().await?;
        self.lock_in(&mut writer, &company, &account, &Visitor::default())
            .await?;
        Ok(writer.commit().await?)
    }

    /// Forgets all wrong passwords, by account and by source.
    ///
    /// # Errors
    /// A failing database.
    pub async fn forget_tries(&self) -> Result<(), OperatorError> {
        let mut writer = self.inner.store.write().await?;
        writer.clear_tries().await?;
        Ok(writer.commit().await?)
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

    pub(crate) async fn record_operator(
        &self,
        writer: &mut Writer,
        event: Event,
        company: CompanyId,
        target: Option<AccountId>,
    ) -> Result<(), StoreError> {
        self.record(writer, &operator_entry(event, company, target)).await
    }
}

pub(crate) fn operator_entry(event: Event, company: CompanyId, target: Option<AccountId>) -> AuditEntry {
    AuditEntry {
        company: Some(company),
        actor: Actor::Operator,
        target,
        event,
        address: None,
        browser: None,
        request: None,
        detail: None,
    }
}

impl PolicyChange {
    /// The settings with this change.
    fn applied_to(self, settings: CompanySettings) -> Result<CompanySettings, OperatorError> {
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
            ..settings
        })
    }
}

fn settings_of(company: &Company) -> CompanySettings {
    CompanySettings {
        language: company.language.clone(),
        time_zone: company.time_zone.clone(),
        new_agent_mail: company.new_agent_mail,
        two_factor: company.two_factor,
        require_second_factor: company.require_second_factor,
        password_min: company.password_min,
        idle_minutes: company.idle_minutes,
    }
}

/// What the audit log says about the policies that changed, and about the new-agent mail.
fn differences(before: &CompanySettings, after: &CompanySettings) -> (Vec<String>, Option<String>) {
    let said = |name: &str, old: String, new: String| (old != new).then(|| format!("{name}: {old} -> {new}"));
    let minutes =
        |minutes: Option<u16>| minutes.map_or_else(|| "never".to_owned(), |minutes| minutes.to_string());
    let policies = [
        said(
            "two_factor_days",
            before.two_factor.days().to_string(),
            after.two_factor.days().to_string(),
        ),
        said(
            "require_second_factor",
            before.require_second_factor.as_str().to_owned(),
            after.require_second_factor.as_str().to_owned(),
        ),
        said(
            "password_min",
            before.password_min.to_string(),
            after.password_min.to_string(),
        ),
        said(
            "idle_minutes",
            minutes(before.idle_minutes),
            minutes(after.idle_minutes),
        ),
    ];
    let mail = said(
        "new_agent_mail",
        before.new_agent_mail.as_str().to_owned(),
        after.new_agent_mail.as_str().to_owned(),
    );
    (policies.into_iter().flatten().collect(), mail)
}

impl Failed for OperatorError {
    fn is_victim(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_victim())
    }
}

impl From<Failure> for OperatorError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Store(error) => Self::Store(error),
            Failure::Hashing(error) => Self::Hashing(error),
            Failure::Unsealable(error) => Self::Sealing(error),
            // Acts of an operator ask for no session, the only thing that is refused.
            Failure::Refused(_) => Self::UnknownAccount,
        }
    }
}

fn taken(error: StoreError) -> OperatorError {
    match error {
        StoreError::Conflict(Unique::CompanyName) => OperatorError::CompanyExists,
        StoreError::Conflict(Unique::AccountName) => OperatorError::AccountExists,
        StoreError::Conflict(Unique::Email) => OperatorError::EmailExists,
        other => OperatorError::Store(other),
    }
}

pub(crate) fn person_name(typed: &str) -> Result<String, OperatorError> {
    let name = typed.trim();
    if name.chars().count() > PERSON_FIELD_MAX {
        return Err(OperatorError::BadPersonName(NameProblem::TooLong));
    }
    if has_bad_characters(name) {
        return Err(OperatorError::BadPersonName(NameProblem::BadCharacters));
    }
    Ok(name.to_owned())
}

impl Service {
    /// Length and guessability (product.md section 6).
    async fn check_new_password(
        &self,
        password: &Password,
        names: &[&str],
        least: usize,
        check: PasswordCheck,
    ) -> Result<(), OperatorError> {
        let password = password.clone();
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let judged = move || {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            problem(&password, &names, least)
        };
        match self.inner.judges.in_turn(Reason::Form, None, judged).await? {
            None => Ok(()),
            Some(FormProblem::TooLong { .. }) => Err(OperatorError::PasswordTooLong),
            Some(_) if check == PasswordCheck::Waived => Ok(()),
            Some(FormProblem::Missing | FormProblem::TooShort { .. }) => {
                Err(OperatorError::PasswordTooShort { least })
            }
            Some(_) => Err(OperatorError::PasswordTooWeak),
        }
    }
}
