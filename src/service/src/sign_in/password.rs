//! The first step: company, account and password.

use vestibule_core::{
    account::Account,
    audit::Event,
    company::Company,
    form::sign_in_problems,
    id::{PendingId, SessionId},
    name::{self, EmailAddress},
    ports::Moment,
    refusal::Refusal,
    secret::{Password, Token},
    sign_in::{AfterPassword, Pending, Purpose as Leads, after_password, pending_ends_at},
    sign_in_view::Method,
    throttle::wait_after,
};
use vestibule_storage::{
    FOREVER, NewPending, PasswordRecord, Reader, SourceCounts, SourceTry, StoreError, TrustedRow, Writer,
};

use super::{Opening, Outcome, SignInForm};
use crate::{Failure, Service, Visitor, keys::Purpose, letters::Receiver, passwords::Verdict};

/// Lane of browsers that never signed the account in (N9).
const STRANGERS: [u8; 32] = [0; 32];

/// What a pending sign-in is for.
pub(crate) struct Wanted {
    pub purpose: Leads,
    pub method: Method,
    pub next: Option<String>,
}

/// An account whose password was right.
pub(super) struct Proved<'a> {
    pub company: Company,
    pub account: Account,
    pub attempt: Try<'a>,
}

/// How tries of one sign-in are counted.
pub(crate) struct Try<'a> {
    subject: [u8; 32],
    lane: [u8; 32],
    source: &'a str,
    now: Moment,
}

impl Try<'_> {
    fn of_source(&self) -> SourceTry<'_> {
        SourceTry {
            source: self.source,
            subject: self.subject,
            now: self.now,
        }
    }
}

impl Service {
    /// Checks company, account and password.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] for fields that cannot be right (not counted), [`Refusal::TooManyTries`],
    /// [`Refusal::Busy`], [`Refusal::WrongCredentials`], and, only after the right password, what the gate says.
    pub async fn sign_in(&self, form: SignInForm, visitor: &Visitor) -> Result<Outcome, Refusal> {
        self.check_password(form, visitor)
            .await
            .map_err(|failure| visitor.explain(&failure))
    }

    async fn check_password(&self, form: SignInForm, visitor: &Visitor) -> Result<Outcome, Failure> {
        let proved = self.prove_password(&form, visitor).await?;
        self.password_was_right(&proved, &form, visitor).await
    }

    /// Finds the account and compares its password. The try is counted before that, and stays counted until somebody
    /// takes it back with [`forgive`].
    ///
    /// # Errors
    /// As [`Service::sign_in`], but for what the gate says.
    pub(super) async fn prove_password<'a>(
        &self,
        form: &SignInForm,
        visitor: &'a Visitor,
    ) -> Result<Proved<'a>, Failure> {
        let fields = sign_in_problems(&form.company, &form.account, form.password.reveal());
        if !fields.is_empty() {
            return Err(Refusal::Invalid { fields }.into());
        }
        let found = self.identify(form).await?;
        let known = found.as_ref().map(|(company, account, _)| (company, account));
        let attempt = self.count_try(self.subject(form, known), known, visitor).await?;
        let stored = match (&attempt, &found) {
            (Some(_), Some((_, _, password))) => usable(password, self.now()),
            // Blocked, unknown or too old: compare with the dummy all the same, so that both cost what a real one costs.
            _ => None,
        };
        let verdict = self.inner.hasher.verify(&form.password, stored).await?;
        match (verdict, attempt, found) {
            (Verdict::Right { outdated }, Some(attempt), Some((company, account, password))) => {
                if outdated {
                    self.renew_hash(&account, &password, &form.password).await?;
                }
                Ok(Proved {
                    company,
                    account,
                    attempt,
                })
            }
            (_, _, found) => {
                let (company, account) = found
                    .map(|(company, account, _)| (company.id, account.id))
                    .unzip();
                let entry = visitor.entry(Event::PasswordRefused, company, account);
                self.note(entry).await?;
                Err(Refusal::WrongCredentials.into())
            }
        }
    }

    async fn identify(
        &self,
        form: &SignInForm,
    ) -> Result<Option<(Company, Account, PasswordRecord)>, StoreError> {
        let mut reader = self.inner.store.read().await?;
        let Some(company) = reader.company_by_key(&name::key(&form.company)).await? else {
            return Ok(None);
        };
        let account = reader
            .account_by_sign_in(
                company.id,
                &name::key(&form.account),
                &EmailAddress::lookup_key(&form.account),
            )
            .await?;
        Ok(account.map(|(account, password)| (company, account, password)))
    }

    /// Counts the try before anything is compared. `None`: this account may not be tried now.
    pub(crate) async fn count_try<'a>(
        &self,
        subject: [u8; 32],
        found: Option<(&Company, &Account)>,
        visitor: &'a Visitor,
    ) -> Result<Option<Try<'a>>, Failure> {
        let now = self.now();
        let mut writer = self.inner.store.write().await?;
        let lane = self.lane(&mut writer, found, visitor).await?;
        let attempt = Try {
            subject,
            lane,
            source: &visitor.source,
            now,
        };
        let counts = writer.count_source_try(&attempt.of_source()).await?;
        if let Some(retry_after) = self.source_wait(&counts, now) {
            writer.commit().await?;
            return Err(Refusal::TooManyTries { retry_after }.into());
        }
        let allowed = match writer.count_password_try(&subject, &lane, now).await? {
            None => false,
            Some(failures) => {
                // Written before the comparison: it holds if this try turns out wrong, and a right one clears it.
                let until = wait_after(failures).map_or(FOREVER, |wait| now + wait);
                if until > now {
                    writer.block_password(&subject, &lane, until).await?;
                }
                true
            }
        };
        writer.commit().await?;
        Ok(allowed.then_some(attempt))
    }

    /// What tries are counted by: the account, or for unknown names a fingerprint of what was typed, so that both
    /// leave the same traces in the same time.
    fn subject(&self, form: &SignInForm, found: Option<(&Company, &Account)>) -> [u8; 32] {
        if let Some((company, account)) = found {
            return self.account_subject(company, account);
        }
        let company = name::key(&form.company);
        let account = name::key(&form.account);
        let parts = [company.as_bytes(), account.as_bytes(), b"unknown"];
        self.inner.keys.derive(Purpose::Subject, &parts)
    }

    /// What tries on an account are counted by.
    pub(crate) fn account_subject(&self, company: &Company, account: &Account) -> [u8; 32] {
        self.inner.keys.derive(
            Purpose::Subject,
            &[company.id.0.as_bytes(), account.id.0.as_bytes()],
        )
    }

    async fn lane(
        &self,
        reader: &mut Reader,
        found: Option<(&Company, &Account)>,
        visitor: &Visitor,
    ) -> Result<[u8; 32], StoreError> {
        let (Some((company, account)), Some(browser)) = (found, &visitor.browser_token) else {
            return Ok(STRANGERS);
        };
        let hash = browser.hash();
        let known = reader.knows_browser(company.id, account.id, hash.0).await?;
        Ok(if known { hash.0 } else { STRANGERS })
    }

    fn source_wait(&self, counts: &SourceCounts, now: Moment) -> Option<u32> {
        let limits = self.inner.settings.source_limits;
        let second = now.timestamp();
        let rest = |span: i64| u32::try_from(span - second.rem_euclid(span)).unwrap_or(u32::MAX);
        [
            (counts.hour > limits.per_hour, 3600),
            (counts.accounts > limits.accounts_per_ten_minutes, 600),
            (counts.minute > limits.per_minute, 60),
        ]
        .into_iter()
        .find_map(|(over, span)| over.then(|| rest(span)))
    }

    pub(crate) async fn renew_hash(
        &self,
        account: &Account,
        old: &PasswordRecord,
        password: &Password,
    ) -> Result<(), Failure> {
        let Some(old) = old.hash.as_deref() else {
            return Ok(());
        };
        let new = self.inner.hasher.hash(password, self.random()).await?;
        let mut writer = self.inner.store.write().await?;
        writer
            .replace_password_hash(account.company, account.id, old, &new)
            .await?;
        Ok(writer.commit().await?)
    }

    /// The account behind its lock, if the password that was compared is still its own; the try is taken back.
    pub(super) async fn enter_proved(
        &self,
        writer: &mut Writer,
        proved: &Proved<'_>,
        visitor: &Visitor,
    ) -> Result<(Company, Account), Failure> {
        let Proved {
            company,
            account,
            attempt,
        } = proved;
        self.hold_for_sign_in(writer, (company.id, account.id), visitor)
            .await?;
        let entered = reload(writer, company, account)
            .await?
            .filter(|(_, now)| now.credential_version == account.credential_version)
            .ok_or(Refusal::WrongCredentials)?;
        forgive(writer, attempt).await?;
        Ok(entered)
    }

    async fn password_was_right(
        &self,
        proved: &Proved<'_>,
        form: &SignInForm,
        visitor: &Visitor,
    ) -> Result<Outcome, Failure> {
        let now = self.now();
        let mut writer = self.inner.store.write().await?;
        let (company, account) = self.enter_proved(&mut writer, proved, visitor).await?;
        self.drop_old_pending(&mut writer, visitor).await?;

        let trusted = self
            .trusted_row(&mut writer, &company, &account, visitor, now)
            .await?;
        let after = after_password(&company, &account, trusted.is_some());
        let receiver = Receiver {
            company: &company,
            account: &account,
        };
        let outcome = self
            .go_on(
                &mut writer,
                receiver,
                after,
                trusted,
                form.next.as_deref(),
                visitor,
            )
            .await?;
        writer.commit().await?;
        self.inner.outbox_filled.notify_one();
        Ok(outcome?)
    }

    /// Does what the rules say comes next: opens a session, asks for a code, or notes that the gate is shut. `trusted` is
    /// the trust in this browser, to be renewed by a session.
    pub(super) async fn go_on(
        &self,
        writer: &mut Writer,
        receiver: Receiver<'_>,
        after: Result<AfterPassword, Refusal>,
        trusted: Option<(Token, TrustedRow)>,
        next: Option<&str>,
        visitor: &Visitor,
    ) -> Result<Result<Outcome, Refusal>, Failure> {
        let now = self.now();
        let Receiver { company, account } = receiver;
        Ok(match after {
            Err(refusal) => {
                self.complete_lock_in(writer, receiver).await?;
                let entry = visitor.entry(Event::GateRefused, Some(company.id), Some(account.id));
                self.record(writer, &entry).await?;
                Err(refusal)
            }
            Ok(AfterPassword::Session(proof)) => {
                let opening = Opening {
                    id: SessionId::new(now, self.random()),
                    token: &Token::new(self.random()),
                    proof,
                    next,
                };
                let mut granted = self.grant(writer, receiver, &opening, visitor).await?;
                if let Some((old, row)) = trusted {
                    granted.trusted = self
                        .rotate_trust(writer, account, (&old, &row), visitor, now)
                        .await?;
                }
                Ok(Outcome::SignedIn(granted))
            }
            Ok(AfterPassword::AskForCode(method)) => {
                let wanted = Wanted {
                    purpose: Leads::SignIn,
                    method,
                    next: next.map(str::to_owned),
                };
                Ok(Outcome::CodeAsked {
                    pending: self
                        .open_pending(writer, company, account, wanted, visitor)
                        .await?,
                    company: company.name.clone(),
                })
            }
        })
    }

    /// A sign-in begun anew kills the one this browser had open.
    pub(crate) async fn drop_old_pending(
        &self,
        writer: &mut Writer,
        visitor: &Visitor,
    ) -> Result<(), StoreError> {
        if let Some(token) = &visitor.pending
            && let Some((old, _)) = writer.pending_by_token(token.hash()).await?
        {
            writer.delete_pending(old.company, old.id).await?;
        }
        Ok(())
    }

    /// Begins a pending sign-in, or a step-up, whose password was right.
    pub(crate) async fn open_pending(
        &self,
        writer: &mut Writer,
        company: &Company,
        account: &Account,
        wanted: Wanted,
        visitor: &Visitor,
    ) -> Result<Token, StoreError> {
        let now = self.now();
        let token = Token::new(self.random());
        let pending = Pending {
            id: PendingId::new(now, self.random()),
            company: company.id,
            account: account.id,
            purpose: wanted.purpose,
            method: wanted.method,
            created_at: now,
            expires_at: pending_ends_at(now),
            mailed_at: None,
            resends: 0,
            credential_version: account.credential_version,
            next: wanted.next,
            completed_at: None,
        };
        writer
            .insert_pending(&NewPending {
                company: pending.company,
                id: pending.id,
                account: pending.account,
                token_hash: token.hash(),
                purpose: pending.purpose,
                method: pending.method,
                created_at: pending.created_at,
                expires_at: pending.expires_at,
                credential_version: pending.credential_version,
                next: pending.next.clone(),
                address: visitor.address.clone(),
                browser: visitor.browser.clone(),
            })
            .await?;
        if pending.method == Method::Email {
            self.mail_first_code(writer, company, account, &pending, visitor)
                .await?;
        }
        let entry = visitor.entry(Event::PasswordAccepted, Some(company.id), Some(account.id));
        self.record(writer, &entry).await?;
        Ok(token)
    }
}

/// The hash that a password is compared with. A temporary password that is too old is none at all.
pub(crate) fn usable(stored: &PasswordRecord, now: Moment) -> Option<&str> {
    let over = stored.must_change && stored.expires_at.is_some_and(|end| end <= now);
    stored.hash.as_deref().filter(|_| !over)
}

/// A right password takes its try back.
pub(crate) async fn forgive(writer: &mut Writer, attempt: &Try<'_>) -> Result<(), StoreError> {
    writer
        .clear_password_tries(&attempt.subject, &attempt.lane)
        .await?;
    writer.forgive_source_try(&attempt.of_source()).await
}

pub(super) async fn reload(
    reader: &mut Reader,
    company: &Company,
    account: &Account,
) -> Result<Option<(Company, Account)>, StoreError> {
    let company = reader.company(company.id).await?;
    let account = reader.account(account.company, account.id).await?;
    Ok(company.zip(account))
}
