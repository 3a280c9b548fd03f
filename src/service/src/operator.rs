//! What an operator does from the command line (product.md section 1). Every act is in the audit log.

use std::str::FromStr;

use chrono::TimeDelta;
use vestibule_core::{
    account::{Account, Role, TimeFormat},
    audit::{Actor, AuditEntry, Event},
    authenticator::AppSecret,
    backup_code::BackupCode,
    company::{Company, RequireSecondFactor, TwoFactorPolicy},
    id::{AccountId, CompanyId},
    limits::{ISSUED_CODE_SECONDS, PASSWORD_MIN_DEFAULT, PERSON_FIELD_MAX},
    mail::Mail,
    name::{AccountName, CompanyName, EmailAddress, NameProblem, has_bad_characters, key},
    password::problem,
    profile::ProfileProblem,
    secret::Password,
};
use vestibule_storage::{NewAccount, NewCompany, NewIssuedCode, StoreError, Unique, Writer};

use crate::{
    Failure, Service, Visitor,
    codes::app_context,
    keys::{Purpose, Unsealable},
    letters::Receiver,
    passwords::HashingError,
};

/// Longest reason for a backup code that is issued, in characters.
const REASON_MAX: usize = 200;

/// Why an operator's act was refused.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// The company's name is not allowed.
    #[error("company name: {0:?}")]
    BadCompanyName(NameProblem),
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

/// What became of the secrets in the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Encrypted anew.
    pub resealed: usize,
    /// Opened by no key: their accounts are refused until the missing key is back.
    pub unreadable: usize,
}

/// What a company holds, for the question before it is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contents {
    /// Accounts.
    pub accounts: usize,
    /// Live sessions.
    pub sessions: usize,
}

impl Service {
    /// Creates a company.
    ///
    /// # Errors
    /// A bad or taken name, an unknown language, time zone or policy; a failing database.
    pub async fn create_company(&self, input: CompanyInput) -> Result<Company, OperatorError> {
        let name = CompanyName::parse(&input.name).map_err(OperatorError::BadCompanyName)?;
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
            created_at: now,
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
                created_at: now,
            })
            .await
            .map_err(taken)?;
        self.record_operator(&mut writer, Event::CompanyCreated, company.id, None)
            .await?;
        writer.commit().await?;
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
        let company = self.company_named(name).await?;
        let mut writer = self.inner.store.write().await?;
        writer
            .set_company_enabled(company.id, enabled, self.now())
            .await?;
        if !enabled {
            writer.end_sessions_of_company(company.id).await?;
        }
        let event = if enabled {
            Event::CompanyEnabled
        } else {
            Event::CompanyDisabled
        };
        self.record_operator(&mut writer, event, company.id, None).await?;
        Ok(writer.commit().await?)
    }

    /// Changes how long agents may skip the second factor.
    ///
    /// # Errors
    /// [`OperatorError::UnknownCompany`], [`OperatorError::BadPolicy`]; a failing database.
    pub async fn set_two_factor_days(&self, name: &str, days: i64) -> Result<(), OperatorError> {
        let policy = TwoFactorPolicy::from_days(days).ok_or(OperatorError::BadPolicy)?;
        let company = self.company_named(name).await?;
        let mut writer = self.inner.store.write().await?;
        writer
            .set_two_factor_policy(company.id, policy, self.now())
            .await?;
        self.record_operator(&mut writer, Event::PolicyChanged, company.id, None)
            .await?;
        Ok(writer.commit().await?)
    }

    /// Changes who has to have a second factor. It bites at the next request of everybody concerned.
    ///
    /// # Errors
    /// [`OperatorError::UnknownCompany`]; a failing database.
    pub async fn set_require_second_factor(
        &self,
        name: &str,
        policy: RequireSecondFactor,
    ) -> Result<(), OperatorError> {
        let company = self.company_named(name).await?;
        let mut writer = self.inner.store.write().await?;
        writer
            .set_require_second_factor(company.id, policy, self.now())
            .await?;
        self.record_operator(&mut writer, Event::PolicyChanged, company.id, None)
            .await?;
        Ok(writer.commit().await?)
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
        if reason.is_empty() || reason.chars().count() > REASON_MAX || has_bad_characters(reason) {
            return Err(OperatorError::NoReason);
        }
        let (company, account) = self.account_named(company, account).await?;
        let code = BackupCode::draw(self.random());
        let mut salt = [0; 16];
        self.random().fill(&mut salt);
        let secret = zeroize::Zeroizing::new(code.bytes().to_vec());
        let hashes = self.inner.hasher.derive(vec![secret], salt.to_vec()).await?;
        let now = self.now();
        let mut writer = self.inner.store.write().await?;
        writer
            .put_issued_code(&NewIssuedCode {
                company: company.id,
                account: account.id,
                salt,
                code_hash: hashes.first().copied().unwrap_or_default(),
                created_at: now,
                expires_at: now + TimeDelta::seconds(ISSUED_CODE_SECONDS),
            })
            .await?;
        let receiver = Receiver {
            company: &company,
            account: &account,
        };
        let mail = Mail::BackupCodeIssued {
            about: receiver.about(&Visitor::default()),
            minutes: u32::try_from(ISSUED_CODE_SECONDS / 60).unwrap_or_default(),
        };
        self.tell(&mut writer, receiver, mail).await?;
        let entry = AuditEntry {
            detail: Some(reason.to_owned()),
            ..operator_entry(Event::BackupCodeIssued, company.id, Some(account.id))
        };
        self.record(&mut writer, &entry).await?;
        writer.commit().await?;
        self.inner.outbox_filled.notify_one();
        Ok(code)
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

    /// Encrypts every long-lived secret in the database anew that was not made with the newest key. Serving goes on
    /// meanwhile: each account is one small transaction, and whoever meets a key not known yet reads the key file again.
    ///
    /// # Errors
    /// A failing database. What no key opens is counted, not changed.
    pub async fn reseal_secrets(&self) -> Result<Resealed, OperatorError> {
        const AT_ONCE: i64 = 200;
        let mut count = Resealed::default();
        let mut after = None;
        loop {
            let rows = self
                .inner
                .store
                .read()
                .await?
                .app_secrets_after(after, AT_ONCE)
                .await?;
            let Some((_, last, _)) = rows.last() else {
                break;
            };
            after = Some(*last);
            for (company, account, old) in &rows {
                if self.inner.keys.is_newest(old) {
                    continue;
                }
                let context = app_context(*company, *account);
                let Ok(plain) = self.inner.keys.open(Purpose::AppSecret, &context, old) else {
                    count.unreadable += 1;
                    continue;
                };
                let new = self
                    .inner
                    .keys
                    .seal(Purpose::AppSecret, &context, &plain, self.random())?;
                let mut writer = self.inner.store.write().await?;
                // Somebody who sets the app up anew at this moment has used the newest key already.
                count.resealed += usize::from(writer.reseal_app_secret(*company, *account, old, &new).await?);
                writer.commit().await?;
            }
        }
        let entry = AuditEntry {
            company: None,
            detail: Some(count.resealed.to_string()),
            ..operator_entry(Event::KeysRotated, CompanyId(uuid::Uuid::nil()), None)
        };
        self.note(entry).await?;
        Ok(count)
    }

    /// Looks for key versions that another process has added.
    pub fn reload_keys(&self) {
        self.inner.keys.reload();
    }

    /// What deleting a company would delete.
    ///
    /// # Errors
    /// [`OperatorError::UnknownCompany`]; a failing database.
    pub async fn company_contents(&self, name: &str) -> Result<Contents, OperatorError> {
        let company = self.company_named(name).await?;
        let mut reader = self.inner.store.read().await?;
        let accounts = reader.accounts(company.id).await?;
        let mut sessions = 0;
        for account in &accounts {
            sessions += reader.sessions_of(company.id, account.id).await?.len();
        }
        Ok(Contents {
            accounts: accounts.len(),
            sessions,
        })
    }

    /// Deletes a company with everything in it; its lines of the audit log stay.
    ///
    /// # Errors
    /// [`OperatorError::UnknownCompany`]; a failing database.
    pub async fn delete_company(&self, name: &str) -> Result<(), OperatorError> {
        let company = self.company_named(name).await?;
        let mut writer = self.inner.store.write().await?;
        writer.delete_company(company.id).await?;
        self.record_operator(&mut writer, Event::CompanyDeleted, company.id, None)
            .await?;
        Ok(writer.commit().await?)
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
        check_password(&input.password, &words, company.password_min, check)?;
        let hash = self.inner.hasher.hash(&input.password, self.random()).await?;

        let now = self.now();
        let alias = [first_name.as_str(), last_name.as_str()]
            .join(" ")
            .trim()
            .to_owned();
        let account = Account {
            company: company.id,
            id: AccountId::new(now, self.random()),
            name: name.display().to_owned(),
            email: email.display().to_owned(),
            first_name,
            last_name,
            alias: if alias.is_empty() {
                name.display().to_owned()
            } else {
                alias
            },
            phone: String::new(),
            title: String::new(),
            time_format: TimeFormat::default(),
            language: input.language,
            roles,
            active: true,
            locked_at: None,
            wrong_codes: 0,
            email_factor: input.email_factor,
            app_factor: false,
            credential_version: 1,
            created_at: now,
            last_sign_in_at: None,
        };
        let mut writer = self.inner.store.write().await?;
        writer
            .insert_account(&NewAccount {
                company: company.id,
                id: account.id,
                name,
                email,
                first_name: account.first_name.clone(),
                last_name: account.last_name.clone(),
                alias: account.alias.clone(),
                language: account.language.clone(),
                roles: account.roles.clone(),
                active: true,
                email_factor: account.email_factor,
                password_hash: Some(hash),
                password_must_change: false,
                password_expires_at: None,
                created_at: now,
            })
            .await
            .map_err(taken)?;
        self.record_operator(&mut writer, Event::AccountCreated, company.id, Some(account.id))
            .await?;
        writer.commit().await?;
        Ok(account)
    }

    /// The accounts of a company, ordered by name.
    ///
    /// # Errors
    /// [`OperatorError::UnknownCompany`]; a failing database.
    pub async fn accounts(&self, company: &str) -> Result<Vec<Account>, OperatorError> {
        let company = self.company_named(company).await?;
        Ok(self.inner.store.read().await?.accounts(company.id).await?)
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
        let (company, account) = self.account_named(company, account).await?;
        let was_locked = account.locked_at.is_some() || account.wrong_codes > 0;
        let mut writer = self.inner.store.write().await?;
        if !was_locked || !writer.unlock_account(company.id, account.id, self.now()).await? {
            return Err(OperatorError::NotLocked);
        }
        let receiver = Receiver {
            company: &company,
            account: &account,
        };
        let mail = Mail::AccountUnlocked {
            name: account.first_name.clone(),
            company: company.name.clone(),
            account: account.name.clone(),
            link: self.inner.settings.sign_in_url.clone(),
        };
        self.tell(&mut writer, receiver, mail).await?;
        self.record_operator(&mut writer, Event::AccountUnlocked, company.id, Some(account.id))
            .await?;
        writer.commit().await?;
        self.inner.outbox_filled.notify_one();
        Ok(())
    }

    /// Sets an account's password; ends its sessions, its pending sign-ins and all trust in browsers.
    ///
    /// # Errors
    /// Unknown names, a weak password; a failing database.
    pub async fn set_password(
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
        check_password(password, &words, company.password_min, PasswordCheck::Enforced)?;
        let hash = self.inner.hasher.hash(password, self.random()).await?;
        let mut writer = self.inner.store.write().await?;
        writer
            .set_password(company.id, account.id, &hash, false, None, self.now())
            .await?;
        writer.end_sessions_of(company.id, account.id).await?;
        writer.delete_pendings_of(company.id, account.id).await?;
        writer.end_trusted_of(company.id, account.id).await?;
        writer.end_set_ups_of(company.id, account.id).await?;
        writer
            .clear_all_password_tries(&self.account_subject(&company, &account))
            .await?;
        self.record_operator(&mut writer, Event::PasswordSet, company.id, Some(account.id))
            .await?;
        Ok(writer.commit().await?)
    }

    /// Switches an account on or off; off ends its sessions. A sign-in under way is stopped by the gate, which tells why.
    ///
    /// # Errors
    /// Unknown names; a failing database.
    pub async fn set_account_active(
        &self,
        company: &str,
        account: &str,
        active: bool,
    ) -> Result<(), OperatorError> {
        let (company, account) = self.account_named(company, account).await?;
        let mut writer = self.inner.store.write().await?;
        writer
            .set_account_active(company.id, account.id, active, self.now())
            .await?;
        if !active {
            writer.end_sessions_of(company.id, account.id).await?;
        }
        Ok(writer.commit().await?)
    }

    /// Locks an account as the fifth wrong code does.
    ///
    /// # Errors
    /// Unknown names; a failing database.
    pub async fn lock_account(&self, company: &str, account: &str) -> Result<(), OperatorError> {
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

    fn check_language(&self, language: &str) -> Result<(), OperatorError> {
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

    async fn record_operator(
        &self,
        writer: &mut Writer,
        event: Event,
        company: CompanyId,
        target: Option<AccountId>,
    ) -> Result<(), StoreError> {
        self.record(writer, &operator_entry(event, company, target)).await
    }
}

fn operator_entry(event: Event, company: CompanyId, target: Option<AccountId>) -> AuditEntry {
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

fn person_name(typed: &str) -> Result<String, OperatorError> {
    let name = typed.trim();
    if name.chars().count() > PERSON_FIELD_MAX {
        return Err(OperatorError::BadPersonName(NameProblem::TooLong));
    }
    if has_bad_characters(name) {
        return Err(OperatorError::BadPersonName(NameProblem::BadCharacters));
    }
    Ok(name.to_owned())
}

/// Length and guessability (product.md section 6).
fn check_password(
    password: &Password,
    names: &[&str],
    least: usize,
    check: PasswordCheck,
) -> Result<(), OperatorError> {
    match problem(password, names, least) {
        None => Ok(()),
        Some(ProfileProblem::TooLong { .. }) => Err(OperatorError::PasswordTooLong),
        Some(_) if check == PasswordCheck::Waived => Ok(()),
        Some(ProfileProblem::Missing | ProfileProblem::TooShort { .. }) => {
            Err(OperatorError::PasswordTooShort { least })
        }
        Some(_) => Err(OperatorError::PasswordTooWeak),
    }
}
