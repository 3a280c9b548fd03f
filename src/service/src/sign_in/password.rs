//! The first step: company, account and password.

use vestibule_core::{
    account::Account,
    audit::{AuditEntry, Event},
    company::Company,
    form::sign_in_problems,
    id::{PendingId, SessionId},
    ports::Moment,
    refusal::Refusal,
    secret::{Password, Token},
    sign_in::{AfterPassword, Pending, Purpose as Leads, after_password, pending_ends_at},
    sign_in_view::Method,
};
use vestibule_storage::{Entrant, NewPending, PasswordRecord, StoreError, TrustedRow, Typed, Writer, again};

use super::{
    Opening, Outcome, SignInForm,
    tries::{Candidate, Compared, PasswordTry, forgive, subject_of},
};
use crate::{Failure, Service, SignIn, Visitor, counted::Counted, hashing::Turn, letters::Receiver};

/// What a pending sign-in is for.
pub(crate) struct Wanted {
    pub purpose: Leads,
    pub method: Method,
    pub next: Option<String>,
}

/// An account whose password was right.
pub(super) struct Proved {
    pub company: Company,
    pub account: Account,
    counted: Counted<PasswordTry>,
    /// Held until it is written down what came of it.
    _turn: Turn,
}

impl SignIn {
    /// Checks company, account and password.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] for fields that cannot be right (not counted), [`Refusal::TooManyTries`],
    /// [`Refusal::Busy`], [`Refusal::WrongCredentials`], and, only after the right password, what the gate says.
    pub async fn with_password(&self, form: SignInForm, visitor: &Visitor) -> Result<Outcome, Refusal> {
        visitor
            .attempt(async {
                let proved = self.prove_password(&form, visitor).await?;
                let done = again(|| self.password_was_right(&proved, &form, visitor)).await;
                Ok(self.settle(proved, done).await??)
            })
            .await
    }
}

impl Service {
    /// Finds the account and compares its password, in its turn. The try is counted before that, and stays counted until
    /// [`Service::enter_proved`] takes it back: whoever calls this hands what came of it to [`Service::settle`].
    ///
    /// # Errors
    /// As [`crate::SignIn::with_password`], but for what the gate says.
    pub(super) async fn prove_password(
        &self,
        form: &SignInForm,
        visitor: &Visitor,
    ) -> Result<Proved, Failure> {
        let fields = sign_in_problems(&form.company, &form.account, form.password.reveal());
        if !fields.is_empty() {
            return Err(Refusal::Invalid { fields }.into());
        }
        let (typed, candidate) = self.identify(form, visitor).await?;
        if candidate.is_known() && self.is_blocked(&candidate).await? {
            // Nothing slows these down: they must not cost a transaction each.
            self.note_stranger(refused(typed.as_ref(), visitor), visitor);
            return Err(Refusal::WrongCredentials.into());
        }
        let mut turn = self.turn_of(&candidate).await?;
        let now = self.now();
        let stored = typed.as_ref().and_then(|typed| usable(&typed.password, now));
        let compared = self
            .compare_counted(&candidate, &turn, &form.password, stored)
            .await?;
        match (compared, typed) {
            (Compared::Right { counted, outdated }, Some(typed)) => {
                // A new hash takes a turn of its own: whoever waits for one must not take room.
                turn.compared();
                if outdated {
                    self.renew_hash(&typed, &form.password).await;
                }
                let Typed { company, account, .. } = typed;
                Ok(Proved {
                    company,
                    account,
                    counted,
                    _turn: turn,
                })
            }
            (compared, typed) => {
                let compared = matches!(compared, Compared::Wrong);
                let entry = refused(typed.as_ref(), visitor);
                self.note_wrong(&candidate, compared, &entry).await?;
                Err(Refusal::WrongCredentials.into())
            }
        }
    }

    async fn identify<'a>(
        &self,
        form: &SignInForm,
        visitor: &'a Visitor,
    ) -> Result<(Option<Typed>, Candidate<'a>), StoreError> {
        let browser = visitor.browser_hash();
        let mut reader = self.inner.store.read().await?;
        let typed = reader
            .typed_account(&form.company, &form.account, browser)
            .await?;
        let candidate = self.candidate(form, typed.as_ref(), visitor);
        Ok((typed, candidate))
    }

    /// Stores a password anew that was hashed at another cost. The old hash is as good until the next sign-in.
    async fn renew_hash(&self, typed: &Typed, password: &Password) {
        let Some(old) = typed.password.hash.as_deref() else {
            return;
        };
        let renewed = async {
            let new = self.inner.hasher.hash(password, self.random()).await?;
            let mut writer = self.inner.store.write_one().await?;
            let Typed { company, account, .. } = typed;
            writer
                .replace_password_hash(company.id, account.id, old, &new)
                .await?;
            Ok::<_, Failure>(writer.commit().await?)
        };
        if let Err(failure) = renewed.await {
            let _ = Visitor::default().explain(&failure);
        }
    }

    /// The account behind its lock, if the password that was compared is still its own; the try is taken back.
    pub(super) async fn enter_proved(
        &self,
        writer: &mut Writer,
        proved: &Proved,
        visitor: &Visitor,
    ) -> Result<Entrant, Failure> {
        let Proved {
            company,
            account,
            counted,
            ..
        } = proved;
        let ids = (company.id, account.id);
        let given_up = (visitor.session.as_ref(), visitor.pending.as_ref());
        self.hold_for_sign_in(writer, ids, given_up).await?;
        let (now, source) = (self.now(), &*visitor.source);
        let browser = visitor.browser_hash();
        let right = (source, &subject_of(company, account));
        let entrant = writer
            .entrant(ids, browser, Some(right), now)
            .await?
            .filter(|entrant| entrant.account.credential_version == account.credential_version)
            .ok_or(Refusal::WrongCredentials)?;
        let unnoted = (!entrant.source_is_noted).then_some(source);
        forgive(writer, counted, unnoted, now).await?;
        Ok(entrant)
    }

    /// What came of a right password. A try whose transaction was rolled back is still counted as wrong, which it was
    /// not, unless the password was changed in the meantime.
    pub(super) async fn settle<T>(&self, proved: Proved, done: Result<T, Failure>) -> Result<T, Failure> {
        match &done {
            Ok(_) | Err(Failure::Refused(Refusal::WrongCredentials)) => proved.counted.stands(),
            Err(_) => proved.counted.take_back().await,
        }
        done
    }

    async fn password_was_right(
        &self,
        proved: &Proved,
        form: &SignInForm,
        visitor: &Visitor,
    ) -> Result<Result<Outcome, Refusal>, Failure> {
        let now = self.now();
        let mut writer = self.inner.store.write().await?;
        let entrant = self.enter_proved(&mut writer, proved, visitor).await?;
        let Entrant { company, account, .. } = &entrant;
        self.drop_old_pending(&mut writer, visitor).await?;

        let trusted = self
            .trusted_row(&mut writer, company, account, visitor, now)
            .await?;
        let after = after_password(company, account, trusted.is_some());
        let next = form.next.as_deref();
        let outcome = self
            .carry_out(&mut writer, &entrant, after, trusted, next, visitor)
            .await?;
        writer.commit().await?;
        Ok(outcome)
    }

    /// Does what the rules say comes next: opens a session, asks for a code, or notes that the gate is shut. `trusted` is
    /// the trust in this browser, to be renewed by a session.
    pub(super) async fn carry_out(
        &self,
        writer: &mut Writer,
        entrant: &Entrant,
        after: Result<AfterPassword, Refusal>,
        trusted: Option<(Token, TrustedRow)>,
        next: Option<&str>,
        visitor: &Visitor,
    ) -> Result<Result<Outcome, Refusal>, Failure> {
        let now = self.now();
        let Entrant { company, account, .. } = entrant;
        Ok(match after {
            Err(refusal) => {
                self.complete_lock_in(writer, Receiver::new(company, account))
                    .await?;
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
                let mut granted = self.grant(writer, entrant, &opening, visitor).await?;
                if let Some((old, row)) = trusted {
                    let number = granted.browser.as_ref().or(visitor.browser_token.as_ref());
                    let used = (&old, &row);
                    let cookie = self.rotate_trust(writer, account, used, (visitor, number), now);
                    granted.trusted = Some(cookie.await?);
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
        let mailed = match wanted.method {
            Method::Email => self.may_mail_code(writer, company, account).await?,
            Method::App => None,
        };
        let pending = Pending {
            id: PendingId::new(now, self.random()),
            company: company.id,
            account: account.id,
            purpose: wanted.purpose,
            method: wanted.method,
            created_at: now,
            expires_at: pending_ends_at(now),
            mailed_at: mailed.as_ref().map(|_| now),
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
                mailed_at: pending.mailed_at,
                expires_at: pending.expires_at,
                credential_version: pending.credential_version,
                next: pending.next.clone(),
                address: visitor.address.clone(),
                browser: visitor.browser.clone(),
            })
            .await?;
        if let Some(before) = mailed {
            let receiver = Receiver::new(company, account);
            self.mail_code(writer, receiver, &pending, &before, visitor)
                .await?;
        }
        let entry = visitor.entry(Event::PasswordAccepted, Some(company.id), Some(account.id));
        self.record(writer, &entry).await?;
        Ok(token)
    }
}

/// A line of the audit log about a password that was not right.
fn refused(typed: Option<&Typed>, visitor: &Visitor) -> AuditEntry {
    let (company, account) = typed.map(|typed| (typed.company.id, typed.account.id)).unzip();
    visitor.entry(Event::PasswordRefused, company, account)
}

/// The hash that a password is compared with. A temporary password that is too old is none at all.
pub(crate) fn usable(stored: &PasswordRecord, now: Moment) -> Option<&str> {
    let over = stored.must_change && stored.expires_at.is_some_and(|end| end <= now);
    stored.hash.as_deref().filter(|_| !over)
}
