//! What an operator does from the command line (product.md section 1). Every act is in the audit log.

use std::str::FromStr;

use vestibule_core::{
    account::{Account, Role},
    audit::{Actor, AuditEntry, Event},
    company::{Company, TwoFactorPolicy},
    id::{AccountId, CompanyId},
    limits::PASSWORD_MAX,
    mail::{Letter, Mail},
    name::{AccountName, CompanyName, EmailAddress, NameProblem, has_bad_characters, key},
    secret::Password,
};
use vestibule_storage::{NewAccount, NewCompany, StoreError, Unique, Writer};

use crate::{Service, Visitor, passwords::HashingError, sign_in::language_of};

/// Shortest password of a new company (product.md section 6).
const PASSWORD_MIN: usize = 12;
/// Longest first name, last name and alias, in characters.
const PERSON_NAME_MAX: usize = 100;
/// Name of the product: a word that attackers try first.
const PRODUCT: &str = "vestibule";
/// Shorter names say nothing about a password.
const SHORTEST_WORD: usize = 3;

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
        Ok(writer.commit().await?)
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
        check_password(&input.password, &words, check)?;
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
            language: input.language,
            roles,
            active: true,
            locked_at: None,
            wrong_codes: 0,
            email_factor: input.email_factor,
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
        let letter = Letter {
            company: company.id,
            account: account.id,
            receiver: account.email.clone(),
            language: language_of(&company, &account),
            mail: Mail::AccountUnlocked {
                name: account.first_name.clone(),
                company: company.name.clone(),
                account: account.name.clone(),
                link: self.inner.settings.sign_in_url.clone(),
            },
            expires_at: None,
            pending: None,
        };
        self.post(&mut writer, &letter).await?;
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
        check_password(password, &words, PasswordCheck::Enforced)?;
        let hash = self.inner.hasher.hash(password, self.random()).await?;
        let mut writer = self.inner.store.write().await?;
        writer
            .set_password(company.id, account.id, &hash, false, None, self.now())
            .await?;
        writer.end_sessions_of(company.id, account.id).await?;
        writer.delete_pendings_of(company.id, account.id).await?;
        writer.end_trusted_of(company.id, account.id).await?;
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
        let entry = AuditEntry {
            company: Some(company),
            actor: Actor::Operator,
            target,
            event,
            address: None,
            browser: None,
            request: None,
            detail: None,
        };
        self.record(writer, &entry).await
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
    if name.chars().count() > PERSON_NAME_MAX {
        return Err(OperatorError::BadPersonName(NameProblem::TooLong));
    }
    if has_bad_characters(name) {
        return Err(OperatorError::BadPersonName(NameProblem::BadCharacters));
    }
    Ok(name.to_owned())
}

/// Length and guessability (product.md section 6): at least "safely unguessable" by zxcvbn, which is 3 of 4. The names
/// around the account are what an attacker tries first (N4): zxcvbn knows them, and what is left of the password
/// without them has to be strong by itself.
fn check_password(password: &Password, names: &[&str], check: PasswordCheck) -> Result<(), OperatorError> {
    let password = password.reveal();
    let length = password.chars().count();
    if length > PASSWORD_MAX {
        return Err(OperatorError::PasswordTooLong);
    }
    if check == PasswordCheck::Waived {
        return Ok(());
    }
    if length < PASSWORD_MIN {
        return Err(OperatorError::PasswordTooShort { least: PASSWORD_MIN });
    }
    let mut words: Vec<String> = names
        .iter()
        .chain(&[PRODUCT])
        .flat_map(|name| name.split(['@', ' ']).chain([*name]))
        .map(str::to_lowercase)
        .filter(|word| word.chars().count() >= SHORTEST_WORD)
        .collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let rest = words.iter().fold(password.to_lowercase(), |rest, word| {
        rest.replace(word.as_str(), "")
    });
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let guessable = |text: &str| zxcvbn::zxcvbn(text, &words).score() < zxcvbn::Score::Three;
    if guessable(password) || (rest.len() < password.to_lowercase().len() && guessable(&rest)) {
        return Err(OperatorError::PasswordTooWeak);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(password: &str) -> Result<(), OperatorError> {
        let names = ["Acme", "alice", "alice@mail.acme.test", "Alice", "Ng"];
        check_password(
            &Password::new(password.to_owned()),
            &names,
            PasswordCheck::Enforced,
        )
    }

    #[test]
    fn passwords_that_are_easy_to_guess_are_refused() {
        for weak in [
            "passwordpassword",
            "Acme2026!!!!",
            "alicealice12",
            "alice-acme-alice",
            "alice@mail.acme.test",
            "vestibule123",
            "qwertyuiop12",
            "aaaaaaaaaaaaaaaa",
        ] {
            assert!(
                matches!(check(weak), Err(OperatorError::PasswordTooWeak)),
                "{weak}"
            );
        }
        for strong in [
            "kqzvwyxbntgmrdf",
            "violet harbour kettle",
            "Ünïcödé is fine too",
            "acme violet harbour kettle",
        ] {
            assert!(check(strong).is_ok(), "{strong}");
        }
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert!(matches!(
            check("kqzvwyxbntg"),
            Err(OperatorError::PasswordTooShort { least: 12 })
        ));
        assert!(check("kqzvwyxbntgm").is_ok());
        let long: String = ["violet harbour kettle "; 7].concat();
        assert!(matches!(check(&long[..129]), Err(OperatorError::PasswordTooLong)));
        assert!(!matches!(
            check(&long[..128]),
            Err(OperatorError::PasswordTooLong)
        ));
    }
}
