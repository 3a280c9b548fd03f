//! States that tests and the test kit put accounts into, past what the rules allow to people.

use vestibule_core::{
    account::Account,
    authenticator::AppSecret,
    backup_code::BackupCode,
    company::RequireSecondFactor,
    id::SessionId,
    link::LinkPurpose,
    secret::Token,
    session::{Proof, absolute_end},
};
use vestibule_storage::{NewSession, again};

use crate::{
    Operator, Visitor,
    operator::{AccountInput, OperatorError, PolicyChange},
};

impl Operator {
    /// [`crate::Operator::change_policies`] without a mail to anybody.
    ///
    /// # Errors
    /// As [`crate::Operator::change_policies`].
    pub async fn give_policies(&self, name: &str, change: PolicyChange) -> Result<(), OperatorError> {
        again(async || {
            let id = self.company_named(name).await?.id;
            let mut work = self.operate().await?;
            work.hold_company(id).await?;
            let company = work.company(id).await?.ok_or(OperatorError::UnknownCompany)?;
            let settings = change.applied_to(company.settings.clone())?;
            work.set_company(id, company.version, &settings, self.now())
                .await?;
            Ok(work.commit().await?)
        })
        .await
    }

    /// [`crate::Operator::give_policies`] with another 2FA Policy.
    ///
    /// # Errors
    /// As [`crate::Operator::change_policies`].
    pub async fn set_two_factor_days(&self, name: &str, days: i64) -> Result<(), OperatorError> {
        let change = PolicyChange {
            two_factor_days: Some(days),
            ..PolicyChange::default()
        };
        self.give_policies(name, change).await
    }

    /// [`crate::Operator::give_policies`] with another Require a second factor.
    ///
    /// # Errors
    /// As [`crate::Operator::change_policies`].
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

    /// [`crate::Operator::create_account`] with any password.
    ///
    /// # Errors
    /// As [`crate::Operator::create_account`].
    pub async fn give_account(&self, input: AccountInput) -> Result<Account, OperatorError> {
        let (company, agent) = self.check_account(&input).await?;
        self.put_account(&company, agent, &input.password).await
    }

    /// Gives an account an authenticator app and ten backup codes, as its owner would.
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
        let mut work = self.operate().await?;
        work.set_app_secret(company.id, account.id, &sealed, 0, self.now())
            .await?;
        self.store_backup_codes(&mut work, &account, &fresh).await?;
        work.commit().await?;
        Ok((secret, fresh.codes))
    }

    /// Makes the password of an account a temporary one, good for 72 hours.
    ///
    /// # Errors
    /// Unknown names; a failing database.
    pub async fn make_password_temporary(&self, company: &str, account: &str) -> Result<(), OperatorError> {
        let (company, account) = self.account_named(company, account).await?;
        let mut work = self.operate().await?;
        let password = work.password_of(company.id, account.id).await?;
        let hash = password
            .and_then(|password| password.hash)
            .ok_or(OperatorError::UnknownAccount)?;
        let now = self.now();
        let ends = LinkPurpose::Activate.ends_at(now);
        work.set_password(company.id, account.id, &hash, true, Some(ends), now)
            .await?;
        Ok(work.commit().await?)
    }

    /// Opens a session of an account that has just proved who it is with this; gives the session and its cookie.
    ///
    /// # Errors
    /// Unknown names; a failing database.
    pub async fn give_session(
        &self,
        company: &str,
        account: &str,
        proof: Proof,
    ) -> Result<(SessionId, Token), OperatorError> {
        let (company, account) = self.account_named(company, account).await?;
        let (now, token) = (self.now(), Token::new(self.random()));
        let id = SessionId::new(now, self.random());
        let mut work = self.operate().await?;
        work.insert_session(&NewSession {
            company: company.id,
            id,
            account: account.id,
            token_hash: token.hash(),
            created_at: now,
            ends_at: absolute_end(now, account.highest_role()),
            proof,
            address: None,
            browser: None,
            credential_version: account.credential_version,
        })
        .await?;
        work.commit().await?;
        Ok((id, token))
    }

    /// Locks an account as the fifth wrong code does.
    ///
    /// # Errors
    /// Unknown names; a failing database.
    pub async fn lock_account(&self, company: &str, account: &str) -> Result<(), OperatorError> {
        again(async || {
            let (company, account) = self.account_named(company, account).await?;
            let mut work = self.operate().await?;
            self.lock_in(&mut work, &company, &account, &Visitor::default())
                .await?;
            Ok(work.commit().await?)
        })
        .await
    }

    /// Forgets all wrong passwords, by account and by source.
    ///
    /// # Errors
    /// A failing database.
    pub async fn forget_tries(&self) -> Result<(), OperatorError> {
        let mut work = self.operate().await?;
        work.clear_tries().await?;
        Ok(work.commit().await?)
    }
}
