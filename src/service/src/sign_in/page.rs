//! What the code page offers besides the code: a new code, giving up, and what it shows.

use chrono::TimeDelta;
use vestibule_core::{
    account::Account,
    audit::Event,
    code::{ends_at, may_mail, may_resend, resend_in, seconds_until},
    company::Company,
    id::CodeId,
    limits::RESENDS_MAX,
    mail::Mail,
    name::EmailAddress,
    ports::Moment,
    refusal::Refusal,
    second_factor::has_method,
    secret::{SixDigits, Token},
    sign_in::{Pending, Purpose as Leads, may_continue, pending_ends_at},
    sign_in_view::{CodeMail, CodeView, Method},
};
use vestibule_mail::outbox::refuses_receiver;
use vestibule_storage::{MailProgress, NewCode, Reader, StoreError, Underway, Writer};

use super::{OpenSignIn, code_parts};
use crate::{
    Failure, Service, SignIn, Visitor,
    keys::Purpose,
    letters::{CodeLetter, Receiver},
};

impl SignIn {
    /// Mails a new code; the old one is replaced. Never touches the counter of wrong codes (N12). While the mail with the
    /// present code waits for its next try, because the mail server failed, that try is made at once instead; and a code
    /// whose mail never went out is replaced for free.
    ///
    /// # Errors
    /// [`Refusal::ResendTooSoon`], [`Refusal::ResendLimit`], [`Refusal::CodeMailLimit`],
    /// [`Refusal::SignInExpired`], what the gate says.
    pub async fn resend_code(&self, visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .transact(async || {
                let now = self.now();
                let mut writer = self.inner.store.write().await?;
                let Underway {
                    pending,
                    company,
                    account,
                    ..
                } = self.hold_pending(&mut writer, visitor).await?;
                let progress = writer.mail_of_pending(company.id, pending.id).await?;
                let undelivered = progress.is_some_and(|mail| mail.problem.is_some());
                let codes = writer.codes_of_pending(company.id, pending.id).await?;
                // Not when a later sign-in has replaced it.
                let present = codes.first().is_some_and(|code| code.replaced_at.is_none());
                may_resend(
                    now,
                    pending.mailed_at,
                    if undelivered { 0 } else { pending.resends },
                )?;
                if undelivered && present && writer.hurry_mail(company.id, pending.id, now).await? {
                    writer
                        .mark_mailed(company.id, pending.id, pending.mailed_at, now, false)
                        .await?;
                    writer.commit().await?;
                    return Ok(());
                }
                let before = writer
                    .code_mails_since(company.id, account.id, now - TimeDelta::days(1))
                    .await?;
                may_mail(now, &before)?;
                if !writer
                    .mark_mailed(company.id, pending.id, pending.mailed_at, now, !undelivered)
                    .await?
                {
                    return Err(Refusal::ResendTooSoon {
                        retry_after: resend_in(now, Some(now)),
                    }
                    .into());
                }
                let receiver = Receiver::new(&company, &account);
                self.mail_code(&mut writer, receiver, &pending, &before, visitor)
                    .await?;
                let entry = visitor.entry(Event::CodeResent, Some(company.id), Some(account.id));
                self.record(&mut writer, &entry).await?;
                writer.commit().await?;
                Ok(())
            })
            .await
    }

    /// Offers the other method of the account on the code page. A code is mailed when it is the first one by e-mail;
    /// later ones are for `Resend`.
    ///
    /// # Errors
    /// [`Refusal::SignInExpired`], what the gate says. An account with one method keeps it.
    pub async fn use_other_method(&self, visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .transact(async || {
                let mut writer = self.inner.store.write().await?;
                let Underway {
                    pending,
                    company,
                    account,
                    ..
                } = self.hold_pending(&mut writer, visitor).await?;
                let other = other_method(pending.method);
                if !has_method(&account, other) {
                    return Ok(());
                }
                writer.set_pending_method(company.id, pending.id, other).await?;
                if other == Method::Email && pending.mailed_at.is_none() {
                    let receiver = Receiver::new(&company, &account);
                    self.mail_first_code(&mut writer, receiver, &pending, visitor)
                        .await?;
                }
                writer.commit().await?;
                Ok(())
            })
            .await
    }

    /// Gives the pending sign-in of this browser up. Nothing to give up is fine.
    ///
    /// # Errors
    /// Only when the database fails.
    pub async fn cancel_sign_in(&self, visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .transact(async || {
                let Some(token) = &visitor.pending else {
                    return Ok(());
                };
                let mut writer = self.inner.store.write().await?;
                let Some((pending, _)) = writer.pending_by_token(token.hash()).await? else {
                    return Ok(());
                };
                writer.hold_account(pending.company, pending.account).await?;
                if writer.delete_pending(pending.company, pending.id).await? {
                    let entry = visitor.entry(
                        Event::SignInCancelled,
                        Some(pending.company),
                        Some(pending.account),
                    );
                    self.record(&mut writer, &entry).await?;
                }
                Ok(writer.commit().await?)
            })
            .await
    }

    /// What the code page shows. Reads only.
    ///
    /// # Errors
    /// [`Refusal::SignInExpired`], what the gate says.
    pub async fn open_sign_in(&self, visitor: &Visitor) -> Result<OpenSignIn, Refusal> {
        visitor
            .attempt(async {
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
                self.belongs_to(&mut reader, &pending, visitor).await?;
                let progress = reader.mail_of_pending(company.id, pending.id).await?;
                let mail = progress.map_or(CodeMail::Limited, |progress| code_mail(&progress));
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
                let mailed_to = match pending.method {
                    Method::Email => EmailAddress::parse(&account.email)
                        .map(|email| email.masked())
                        .unwrap_or_default(),
                    // Nothing was mailed, and the page need not know where it would go.
                    Method::App => String::new(),
                };
                Ok(OpenSignIn {
                    view: CodeView {
                        method: pending.method,
                        other_method: has_method(&account, other_method(pending.method)),
                        step_up: pending.purpose != Leads::SignIn,
                        mailed_to,
                        mail,
                        resend_in: wait,
                        resends_left: pending.resends < RESENDS_MAX,
                        trust_days: (pending.purpose == Leads::SignIn)
                            .then(|| company.settings.two_factor.trust_days())
                            .flatten(),
                    },
                    language: account.person.language.unwrap_or(company.settings.language),
                })
            })
            .await
    }
}

impl Service {
    /// The pending sign-in of this browser behind its account's lock: of twenty parallel requests the first one changes
    /// what the others see.
    async fn hold_pending(&self, writer: &mut Writer, visitor: &Visitor) -> Result<Underway, Failure> {
        let token = visitor.pending.as_ref().ok_or(Refusal::SignInExpired)?;
        let (pending, _) = writer
            .pending_by_token(token.hash())
            .await?
            .ok_or(Refusal::SignInExpired)?;
        writer.hold_account(pending.company, pending.account).await?;
        let underway = self.pending_in(writer, token).await?;
        may_continue(
            self.now(),
            &underway.company,
            &underway.account,
            &underway.pending,
        )?;
        self.belongs_to(writer, &underway.pending, visitor).await?;
        Ok(underway)
    }

    /// Mails the first code of a pending sign-in, unless too many went to this account lately (N12): then its page says
    /// so.
    async fn mail_first_code(
        &self,
        writer: &mut Writer,
        receiver: Receiver<'_>,
        pending: &Pending,
        visitor: &Visitor,
    ) -> Result<(), StoreError> {
        let Receiver { company, account } = receiver;
        let Some(before) = self.may_mail_code(writer, company, account).await? else {
            return Ok(());
        };
        writer
            .mark_mailed(company.id, pending.id, None, self.now(), false)
            .await?;
        self.mail_code(writer, receiver, pending, &before, visitor).await
    }

    /// When codes were mailed to this account within a day, newest first; `None` when no other may be mailed now (N12).
    pub(super) async fn may_mail_code(
        &self,
        reader: &mut Reader,
        company: &Company,
        account: &Account,
    ) -> Result<Option<Vec<Moment>>, StoreError> {
        let now = self.now();
        let mailed = reader
            .code_mails_since(company.id, account.id, now - TimeDelta::days(1))
            .await?;
        Ok(may_mail(now, &mailed).is_ok().then_some(mailed))
    }

    /// Mails a code in the place of all that went to this account before for the same, a sign-in or a step-up, in whatever
    /// browser. `before` says when those were mailed that went within a day, newest first.
    pub(super) async fn mail_code(
        &self,
        writer: &mut Writer,
        receiver: Receiver<'_>,
        pending: &Pending,
        before: &[Moment],
        visitor: &Visitor,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let Receiver { company, account } = receiver;
        let digits = SixDigits::draw(self.random());
        let expires_at = ends_at(now, pending.expires_at);
        let id = CodeId::new(now, self.random());
        let purpose = match pending.purpose {
            Leads::SignIn => "sign_in",
            Leads::StepUp(_) => "step_up",
        };
        // One that is over needs nobody to replace it.
        if before.first().is_some_and(|at| now <= pending_ends_at(*at)) {
            writer.replace_codes(company.id, account.id, purpose, now).await?;
        }
        writer
            .insert_code(&NewCode {
                id,
                company: company.id,
                account: account.id,
                pending: Some(pending.id),
                purpose,
                code_hash: self
                    .inner
                    .keys
                    .fingerprint(Purpose::Code, &code_parts(pending, &digits)),
                created_at: now,
                expires_at,
            })
            .await?;
        self.remember_code(writer, account, (id, &digits)).await?;
        let code = digits.reveal().to_owned();
        let minutes = seconds_until(now, expires_at).div_ceil(60);
        let about = receiver.about(visitor);
        let mail = match pending.purpose {
            Leads::SignIn => Mail::SignInCode {
                name: about.name,
                company: about.company,
                code,
                minutes,
                browser: about.browser,
                address: about.address,
                times: about.times,
            },
            Leads::StepUp(_) => Mail::ConfirmCode { about, code, minutes },
        };
        let letter = CodeLetter {
            expires_at,
            pending: Some(pending.id),
        };
        self.send_code(writer, receiver, mail, letter, visitor).await
    }

    /// The pending sign-in of this token, open or completed.
    pub(super) async fn load_pending(&self, token: &Token) -> Result<Underway, Failure> {
        let mut reader = self.inner.store.read().await?;
        self.pending_in(&mut reader, token).await
    }

    async fn pending_in(&self, reader: &mut Reader, token: &Token) -> Result<Underway, Failure> {
        Ok(reader
            .underway(token.hash())
            .await?
            .ok_or(Refusal::SignInExpired)?)
    }
}

/// How the mail with a code is doing, for the page that waits for it.
pub(crate) fn code_mail(progress: &MailProgress) -> CodeMail {
    let refused = || progress.problem.as_deref().is_some_and(refuses_receiver);
    match (progress.sent_at, progress.given_up_at) {
        (Some(_), _) => CodeMail::Sent,
        (None, Some(_)) if refused() => CodeMail::Undeliverable,
        (None, Some(_)) => CodeMail::GivenUp,
        (None, None) if progress.problem.is_some() => CodeMail::Failing,
        (None, None) => CodeMail::Queued,
    }
}

const fn other_method(method: Method) -> Method {
    match method {
        Method::Email => Method::App,
        Method::App => Method::Email,
    }
}
