//! The second step: a code.

use chrono::TimeDelta;
use vestibule_core::{
    account::Account,
    audit::{AuditEntry, Event},
    company::Company,
    form::code_problem,
    id::SessionId,
    mail::{Letter, Mail},
    refusal::{Field, Refusal},
    secret::{SixDigits, Token},
    session::Proof,
    sign_in::{AfterCode, Comparison, OldCode, Pending, after_code, landing, may_continue, trust_ends_at},
};
use vestibule_storage::{CodeRow, StoreError, Writer};

use super::{Granted, Opening, Underway, code_parts, language_of};
use crate::{Failure, Service, Visitor, keys::Purpose};

/// Seconds after which a right code, sent again, is no longer a double click.
const DOUBLE_SUBMIT_SECONDS: i64 = 60;
/// What the account is locked for.
const LOCK_REASON: &str = "wrong_codes";

impl Service {
    /// Checks an entered code. The try is counted in a transaction of its own before the code is compared: neither
    /// parallel guesses, nor a dropped connection, nor a crash gives a free guess.
    ///
    /// # Errors
    /// [`Refusal::SignInExpired`], [`Refusal::Invalid`] (not counted), [`Refusal::WrongCode`],
    /// [`Refusal::CodeReplaced`] and [`Refusal::CodeExpired`] (count taken back), what the gate says.
    pub async fn verify_code(&self, typed: &str, trust: bool, visitor: &Visitor) -> Result<Granted, Refusal> {
        self.check_code(typed, trust, visitor)
            .await
            .map_err(|failure| visitor.explain(&failure))
    }

    async fn check_code(&self, typed: &str, trust: bool, visitor: &Visitor) -> Result<Granted, Failure> {
        let token = visitor.pending.as_ref().ok_or(Refusal::SignInExpired)?;
        let Underway {
            pending,
            session,
            company,
            account,
        } = self.load_pending(token).await?;
        if let Some(problem) = code_problem(typed) {
            return Err(Refusal::field(Field::Code, problem).into());
        }
        let digits = SixDigits::parse(typed).ok_or(Refusal::Malformed)?;
        if pending.completed_at.is_some() {
            return self.double_submit(token, &pending, session, &digits).await;
        }
        may_continue(self.now(), &company, &account, &pending)?;

        let mut writer = self.inner.store.write().await?;
        let counted = writer.count_wrong_code(company.id, account.id).await?;
        writer.commit().await?;
        let counted = counted.ok_or(Refusal::AccountLocked)?;

        let mut reader = self.inner.store.read().await?;
        let codes = reader.codes_of_pending(company.id, pending.id).await?;
        drop(reader);
        let (comparison, code) = self.compare(&pending, &digits, &codes);
        match after_code(comparison, counted) {
            AfterCode::Session => {
                let code = code.ok_or(Refusal::SignInExpired)?;
                if let Some(granted) = self.complete(token, &pending, code, trust, visitor).await? {
                    return Ok(granted);
                }
                self.take_count_back(&account).await?;
                let Underway { pending, session, .. } = self.load_pending(token).await?;
                self.double_submit(token, &pending, session, &digits).await
            }
            AfterCode::Uncount(old) => {
                self.take_count_back(&account).await?;
                Err(match old {
                    OldCode::Replaced => Refusal::CodeReplaced.into(),
                    OldCode::Expired => Refusal::CodeExpired.into(),
                })
            }
            AfterCode::Wrong { left } => {
                let entry = AuditEntry {
                    detail: Some(counted.to_string()),
                    ..visitor.entry(Event::CodeRefused, Some(company.id), Some(account.id))
                };
                self.note(entry).await?;
                Err(Refusal::WrongCode { left }.into())
            }
            AfterCode::Lock => {
                self.lock(&company, &account, visitor).await?;
                Err(Refusal::AccountLocked.into())
            }
        }
    }

    /// Which of the codes of this pending sign-in was entered. All are compared, whatever matches first.
    fn compare<'a>(
        &self,
        pending: &Pending,
        digits: &SixDigits,
        codes: &'a [CodeRow],
    ) -> (Comparison, Option<&'a CodeRow>) {
        let now = self.now();
        let mut found = (Comparison::Wrong, None);
        // Oldest first: when two codes happen to be equal, the newest decides.
        for code in codes.iter().rev() {
            if self
                .inner
                .keys
                .fits(Purpose::Code, &code_parts(pending, digits), &code.code_hash)
            {
                let comparison = match code {
                    CodeRow {
                        replaced_at: Some(_), ..
                    } => Comparison::Replaced,
                    CodeRow { expires_at, .. } if *expires_at <= now => Comparison::Expired,
                    _ => Comparison::Right,
                };
                found = (comparison, Some(code));
            }
        }
        found
    }

    /// Opens the session for a right code. `None`: somebody else completed this sign-in in the meantime.
    async fn complete(
        &self,
        token: &Token,
        pending: &Pending,
        code: &CodeRow,
        trust: bool,
        visitor: &Visitor,
    ) -> Result<Option<Granted>, Failure> {
        let now = self.now();
        let mut writer = self.inner.store.write().await?;
        writer.hold_account(pending.company, pending.account).await?;
        let id = SessionId::new(now, self.random());
        let won = writer.use_code(pending.company, code.id, now).await?
            && writer
                .complete_pending(pending.company, pending.id, id, now)
                .await?;
        if !won {
            return Ok(None);
        }
        // The counter first: the fifth try, if right, must not find the gate shut by its own count.
        writer.reset_wrong_codes(pending.company, pending.account).await?;
        let company = writer
            .company(pending.company)
            .await?
            .ok_or(Refusal::SignInExpired)?;
        let account = writer
            .account(pending.company, pending.account)
            .await?
            .ok_or(Refusal::SignInExpired)?;
        may_continue(now, &company, &account, pending)?;

        let opening = Opening {
            id,
            token: &self.session_token(token),
            proof: Proof::EmailCode,
            next: pending.next.as_deref(),
        };
        let mut granted = self
            .grant(&mut writer, &company, &account, &opening, visitor)
            .await?;
        if trust && let Some(ends_at) = trust_ends_at(now, company.two_factor) {
            granted.trusted = Some(self.trust(&mut writer, &account, ends_at, visitor).await?);
        }
        writer.commit().await?;
        Ok(Some(granted))
    }

    /// The session token follows from the pending token, so that the two answers to a double click carry the same
    /// cookie. Only the server can compute it.
    fn session_token(&self, pending: &Token) -> Token {
        Token::from_bytes(self.inner.keys.derive(Purpose::Session, &[pending.bytes()]))
    }

    /// The right code once more, from the same browser, moments after it was accepted: the same answer again.
    async fn double_submit(
        &self,
        token: &Token,
        pending: &Pending,
        session: Option<SessionId>,
        digits: &SixDigits,
    ) -> Result<Granted, Failure> {
        let now = self.now();
        let mut reader = self.inner.store.read().await?;
        let codes = reader.codes_of_pending(pending.company, pending.id).await?;
        let same_code = codes.iter().any(|code| {
            code.used_at.is_some()
                && self
                    .inner
                    .keys
                    .fits(Purpose::Code, &code_parts(pending, digits), &code.code_hash)
        });
        let recent = pending
            .completed_at
            .is_some_and(|at| now - at <= TimeDelta::seconds(DOUBLE_SUBMIT_SECONDS) && now >= at);
        let token = self.session_token(token);
        let row = reader.session_by_token(token.hash()).await?;
        match row {
            Some(row) if recent && same_code && Some(row.id) == session => Ok(Granted {
                session: token,
                browser: None,
                trusted: None,
                landing: landing(row.account.highest_role(), pending.next.as_deref()),
                company: row.company.name,
            }),
            _ => Err(Refusal::SignInExpired.into()),
        }
    }

    async fn take_count_back(&self, account: &Account) -> Result<(), Failure> {
        let mut writer = self.inner.store.write().await?;
        writer.uncount_wrong_code(account.company, account.id).await?;
        Ok(writer.commit().await?)
    }

    async fn lock(&self, company: &Company, account: &Account, visitor: &Visitor) -> Result<(), Failure> {
        let mut writer = self.inner.store.write().await?;
        self.lock_in(&mut writer, company, account, visitor).await?;
        writer.commit().await?;
        self.inner.outbox_filled.notify_one();
        Ok(())
    }

    /// Locks the account: its pending sign-ins and all trust in browsers end, and the agent hears of it by mail.
    pub(crate) async fn lock_in(
        &self,
        writer: &mut Writer,
        company: &Company,
        account: &Account,
        visitor: &Visitor,
    ) -> Result<(), StoreError> {
        if !writer
            .lock_account(company.id, account.id, LOCK_REASON, self.now())
            .await?
        {
            return Ok(());
        }
        writer.delete_pendings_of(company.id, account.id).await?;
        writer.end_trusted_of(company.id, account.id).await?;
        let letter = Letter {
            company: company.id,
            account: account.id,
            receiver: account.email.clone(),
            language: language_of(company, account),
            mail: Mail::AccountLocked {
                name: account.first_name.clone(),
                company: company.name.clone(),
                account: account.name.clone(),
                browser: visitor.browser.clone().unwrap_or_default(),
                address: visitor.address.clone().unwrap_or_default(),
            },
            expires_at: None,
            pending: None,
        };
        self.post(writer, &letter).await?;
        self.record(
            writer,
            &visitor.entry(Event::AccountLocked, Some(company.id), Some(account.id)),
        )
        .await
    }
}
