//! What the code page offers besides the code: a new code, giving up, and what it shows.

use chrono::TimeDelta;
use vestibule_core::{
    account::Account,
    audit::Event,
    code::{ends_at, may_mail, may_resend, resend_in, seconds_until},
    company::Company,
    id::CodeId,
    limits::RESENDS_MAX,
    mail::{Letter, Mail},
    name::EmailAddress,
    refusal::Refusal,
    secret::{SixDigits, Token},
    sign_in::{Pending, may_continue},
    sign_in_view::{CodeMail, CodeView},
};
use vestibule_storage::{NewCode, StoreError, Writer};

use super::{OpenSignIn, Underway, code_parts, language_of};
use crate::{Failure, Service, Visitor, keys::Purpose};

impl Service {
    /// Mails a new code; the old one is replaced. Never touches the counter of wrong codes (N12).
    ///
    /// # Errors
    /// [`Refusal::ResendTooSoon`], [`Refusal::ResendLimit`], [`Refusal::CodeMailLimit`],
    /// [`Refusal::SignInExpired`], what the gate says.
    pub async fn resend_code(&self, visitor: &Visitor) -> Result<(), Refusal> {
        self.mail_new_code(visitor)
            .await
            .map_err(|failure| visitor.explain(&failure))
    }

    async fn mail_new_code(&self, visitor: &Visitor) -> Result<(), Failure> {
        let token = visitor.pending.as_ref().ok_or(Refusal::SignInExpired)?;
        let now = self.now();
        let mut writer = self.inner.store.write().await?;
        let (pending, _) = writer
            .pending_by_token(token.hash())
            .await?
            .ok_or(Refusal::SignInExpired)?;
        writer.hold_account(pending.company, pending.account).await?;
        // Read again behind the lock: of twenty parallel requests the first one changes what the others see.
        let (pending, _) = writer
            .pending_by_token(token.hash())
            .await?
            .ok_or(Refusal::SignInExpired)?;
        let company = writer
            .company(pending.company)
            .await?
            .ok_or(Refusal::SignInExpired)?;
        let account = writer
            .account(pending.company, pending.account)
            .await?
            .ok_or(Refusal::SignInExpired)?;
        may_continue(now, &company, &account, &pending)?;
        may_resend(now, pending.mailed_at, pending.resends)?;
        let mailed = writer
            .code_mails_since(company.id, account.id, now - TimeDelta::days(1))
            .await?;
        may_mail(now, &mailed)?;
        if !writer
            .mark_mailed(company.id, pending.id, pending.mailed_at, now, true)
            .await?
        {
            return Err(Refusal::ResendTooSoon {
                retry_after: resend_in(now, Some(now)),
            }
            .into());
        }
        writer.replace_codes(company.id, pending.id, now).await?;
        self.mail_code(&mut writer, &company, &account, &pending, visitor)
            .await?;
        let entry = visitor.entry(Event::CodeResent, Some(company.id), Some(account.id));
        self.record(&mut writer, &entry).await?;
        writer.commit().await?;
        self.inner.outbox_filled.notify_one();
        Ok(())
    }

    pub(super) async fn mail_code(
        &self,
        writer: &mut Writer,
        company: &Company,
        account: &Account,
        pending: &Pending,
        visitor: &Visitor,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let digits = SixDigits::draw(self.random());
        let expires_at = ends_at(now, pending.expires_at);
        writer
            .insert_code(&NewCode {
                id: CodeId::new(now, self.random()),
                company: company.id,
                account: account.id,
                pending: Some(pending.id),
                purpose: "sign_in",
                code_hash: self
                    .inner
                    .keys
                    .fingerprint(Purpose::Code, &code_parts(pending, &digits)),
                created_at: now,
                expires_at,
            })
            .await?;
        let letter = Letter {
            company: company.id,
            account: account.id,
            receiver: account.email.clone(),
            language: visitor
                .language
                .clone()
                .unwrap_or_else(|| language_of(company, account)),
            mail: Mail::SignInCode {
                name: account.first_name.clone(),
                company: company.name.clone(),
                code: digits.reveal().to_owned(),
                minutes: seconds_until(now, expires_at).div_ceil(60),
                browser: visitor.browser.clone().unwrap_or_default(),
                address: visitor.address.clone().unwrap_or_default(),
            },
            expires_at: Some(expires_at),
            pending: Some(pending.id),
        };
        self.post(writer, &letter).await
    }

    /// Gives the pending sign-in of this browser up. Nothing to give up is fine.
    ///
    /// # Errors
    /// Only when the database fails.
    pub async fn cancel_sign_in(&self, visitor: &Visitor) -> Result<(), Refusal> {
        self.give_sign_in_up(visitor)
            .await
            .map_err(|failure| visitor.explain(&failure))
    }

    async fn give_sign_in_up(&self, visitor: &Visitor) -> Result<(), Failure> {
        let Some(token) = &visitor.pending else {
            return Ok(());
        };
        let mut writer = self.inner.store.write().await?;
        if let Some((pending, _)) = writer.pending_by_token(token.hash()).await?
            && writer.delete_pending(pending.company, pending.id).await?
        {
            let entry = visitor.entry(
                Event::SignInCancelled,
                Some(pending.company),
                Some(pending.account),
            );
            self.record(&mut writer, &entry).await?;
        }
        Ok(writer.commit().await?)
    }

    /// What the code page shows. Reads only.
    ///
    /// # Errors
    /// [`Refusal::SignInExpired`], what the gate says.
    pub async fn open_sign_in(&self, visitor: &Visitor) -> Result<OpenSignIn, Refusal> {
        self.look_at_sign_in(visitor)
            .await
            .map_err(|failure| visitor.explain(&failure))
    }

    async fn look_at_sign_in(&self, visitor: &Visitor) -> Result<OpenSignIn, Failure> {
        let token = visitor.pending.as_ref().ok_or(Refusal::SignInExpired)?;
        let Underway {
            pending,
            company,
            account,
            ..
        } = self.load_pending(token).await?;
        let now = self.now();
        may_continue(now, &company, &account, &pending)?;
        let mut reader = self.inner.store.read().await?;
        let progress = reader.mail_of_pending(company.id, pending.id).await?;
        let mail = match progress {
            None => CodeMail::Limited,
            Some(progress) if progress.sent_at.is_some() => CodeMail::Sent,
            Some(progress) if progress.problem.is_some() => CodeMail::Failing,
            Some(_) => CodeMail::Queued,
        };
        let wait = if mail == CodeMail::Limited {
            let mailed = reader
                .code_mails_since(company.id, account.id, now - TimeDelta::days(1))
                .await?;
            may_mail(now, &mailed)
                .err()
                .and_then(|refusal| refusal.retry_after())
                .unwrap_or(0)
        } else {
            resend_in(now, pending.mailed_at)
        };
        let mailed_to = EmailAddress::parse(&account.email)
            .map(|email| email.masked())
            .unwrap_or_default();
        Ok(OpenSignIn {
            view: CodeView {
                mailed_to,
                mail,
                resend_in: wait,
                resends_left: pending.resends < RESENDS_MAX,
                trust_days: company.two_factor.trust_days(),
            },
            language: language_of(&company, &account),
        })
    }

    /// The pending sign-in of this token, open or completed.
    pub(super) async fn load_pending(&self, token: &Token) -> Result<Underway, Failure> {
        let mut reader = self.inner.store.read().await?;
        let (pending, session) = reader
            .pending_by_token(token.hash())
            .await?
            .ok_or(Refusal::SignInExpired)?;
        let company = reader
            .company(pending.company)
            .await?
            .ok_or(Refusal::SignInExpired)?;
        let account = reader
            .account(pending.company, pending.account)
            .await?
            .ok_or(Refusal::SignInExpired)?;
        Ok(Underway {
            pending,
            session,
            company,
            account,
        })
    }
}
