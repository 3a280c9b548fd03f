//! The second step: a code.

use chrono::TimeDelta;
use vestibule_core::{
    account::Account,
    audit::{Actor, AuditEntry, Event},
    id::SessionId,
    limits::DOUBLE_SUBMIT_SECONDS,
    ports::Moment,
    refusal::{CodeHint, Refusal},
    secret::{SixDigits, Token},
    sign_in::{Comparison, Pending, Purpose as Leads, is_repeat, landing, may_continue, trust_ends_at},
};
use vestibule_storage::{CodeRow, Completion, Entrant, Reader, StoreError, Underway, Writer, again};

use super::{Granted, Opening, code_parts};
use crate::{
    Failure, Service, SignIn, Visitor,
    codes::{CodeTry, Entered, Found},
    keys::{Fit, Purpose, Unsealable},
    letters::Receiver,
};

/// What became of an entered code.
enum Judged {
    /// It was right, and completed the sign-in.
    In(Granted),
    /// It was right, and had completed the sign-in a moment before.
    Again(Granted),
    /// It was not right.
    Not(Comparison),
}

impl SignIn {
    /// Checks an entered code: the mailed one, one of the authenticator app, a backup code, or one that an
    /// administrator issued. The try is counted in a transaction of its own before the code is compared.
    ///
    /// # Errors
    /// [`Refusal::SignInExpired`], [`Refusal::Invalid`] (not counted), [`Refusal::WrongCode`],
    /// [`Refusal::CodeReplaced`], [`Refusal::CodeExpired`] and [`Refusal::CodeElsewhere`] (count taken back), what the gate
    /// says.
    pub async fn verify_code(&self, typed: &str, trust: bool, visitor: &Visitor) -> Result<Granted, Refusal> {
        visitor
            .attempt(async {
                let token = visitor.pending.as_ref().ok_or(Refusal::SignInExpired)?;
                let underway = self.load_pending(token).await?;
                let Underway {
                    pending,
                    completion,
                    company,
                    account,
                    ..
                } = &underway;
                let entered = Entered::parse(typed)?;
                if completion.is_some() {
                    was_completed_just_now(self.now(), pending)?;
                } else {
                    may_continue(self.now(), company, account, pending)?;
                    if pending.purpose != Leads::SignIn {
                        let mut reader = self.inner.store.read().await?;
                        self.belongs_to(&mut reader, pending, visitor).await?;
                    }
                }

                let counted = self.count_code(account).await?;
                let judged = match completion {
                    None => {
                        let tried = (&entered, counted.what());
                        self.judge(token, &underway, tried, trust, visitor).await
                    }
                    Some(completion) => {
                        self.judge_again(token, pending, completion, (account, &entered), visitor)
                            .await
                    }
                };
                match judged {
                    // The count is settled with the sign-in, by its transaction.
                    Ok(Judged::In(granted)) => {
                        counted.stands();
                        Ok(granted)
                    }
                    Ok(Judged::Again(granted)) => {
                        counted.take_back().await;
                        Ok(granted)
                    }
                    Ok(Judged::Not(comparison)) => {
                        let receiver = Receiver::new(company, account);
                        let refused = self.refuse_code(receiver, comparison, counted, visitor).await?;
                        Err(refused.into())
                    }
                    // Nobody said that it is wrong: a fault of ours is no guess.
                    Err(failure) => {
                        counted.take_back().await;
                        self.note_unreadable(&failure, account, visitor).await?;
                        Err(failure)
                    }
                }
            })
            .await
    }
}

impl Service {
    /// Compares what was entered, and completes the sign-in when it is right.
    async fn judge(
        &self,
        token: &Token,
        underway: &Underway,
        (entered, tried): (&Entered, &CodeTry),
        trust: bool,
        visitor: &Visitor,
    ) -> Result<Judged, Failure> {
        let Underway { pending, account, .. } = underway;
        let (comparison, found) = self.recognise(pending, account, entered).await?;
        let was_right = comparison == Comparison::Right;
        let comparison = match (comparison, found) {
            (Comparison::Right, Some(found)) => {
                let right = (entered, &found, tried);
                let completed = again(|| self.complete(token, underway, right, trust, visitor)).await?;
                if let Some(granted) = completed {
                    return Ok(Judged::In(granted));
                }
                Comparison::Wrong(Some(CodeHint::Used))
            }
            (other, _) => other,
        };
        // Somebody was faster: with this very request, which is a double click, or with the same code elsewhere.
        if comparison == Comparison::Wrong(Some(CodeHint::Used)) {
            let Underway {
                pending, completion, ..
            } = self.load_pending(token).await?;
            if let Some(completion) = completion {
                let again = self.double_submit(token, &pending, &completion, entered, visitor);
                match again.await? {
                    Some(granted) => return Ok(Judged::Again(granted)),
                    None if was_right => return Err(Refusal::SignInExpired.into()),
                    None => {}
                }
            }
        }
        Ok(Judged::Not(comparison))
    }

    /// Compares what was entered in a sign-in that is completed with the one code that completed it. Nothing else can be
    /// learnt there, and each try counts like any other.
    async fn judge_again(
        &self,
        token: &Token,
        pending: &Pending,
        completion: &Completion,
        (account, entered): (&Account, &Entered),
        visitor: &Visitor,
    ) -> Result<Judged, Failure> {
        let mut reader = self.inner.store.read().await?;
        let others = self.mailed_within_a_day(&mut reader, account).await?;
        drop(reader);
        let again = self.double_submit(token, pending, completion, entered, visitor);
        if let Some(granted) = again.await? {
            return Ok(Judged::Again(granted));
        }
        let comparison = match entered {
            Entered::Digits(digits) => self.compare_others(account, digits, &others, pending.mailed_at, true),
            Entered::Backup(_) => Comparison::Wrong(None),
        };
        Ok(Judged::Not(comparison))
    }

    /// A step-up is of use only to the session that began it.
    pub(super) async fn belongs_to(
        &self,
        reader: &mut Reader,
        pending: &Pending,
        visitor: &Visitor,
    ) -> Result<(), Failure> {
        let Leads::StepUp(session) = pending.purpose else {
            return Ok(());
        };
        let token = visitor.session.as_ref().ok_or(Refusal::SignInExpired)?;
        let row = reader.session_by_token(token.hash()).await?;
        match row {
            Some(row) if row.id == session && self.is_live(&row) => Ok(()),
            _ => Err(Refusal::SignInExpired.into()),
        }
    }

    /// What was entered, if anything of ours.
    async fn recognise(
        &self,
        pending: &Pending,
        account: &Account,
        entered: &Entered,
    ) -> Result<(Comparison, Option<Found>), Failure> {
        let digits = match entered {
            Entered::Digits(digits) => digits,
            Entered::Backup(code) => return self.find_backup_code(account, code).await,
        };
        let mut reader = self.inner.store.read().await?;
        let since = self.now() - TimeDelta::days(1);
        let ids = (pending.company, pending.account);
        let (codes, others) = reader.codes_to_compare(ids, pending.id, since).await?;
        let app = self.open_app(&mut reader, account).await?;
        drop(reader);
        let now = self.now();
        let has_live_code = codes
            .iter()
            .any(|code| code.replaced_at.is_none() && now < code.expires_at);
        let may_be_right = has_live_code || app.is_some();
        // From here on nothing may fail: a wrong guess would be taken back.
        let (comparison, mailed) = self.compare(pending, digits, &codes)?;
        if comparison != Comparison::Wrong(None) {
            return Ok((comparison, mailed.map(|code| Found::Mailed(code.id))));
        }
        if let Some(app) = app {
            let by_app = self.find_app_code(account, digits, app).await;
            if by_app.0 != Comparison::Wrong(None) {
                return Ok(by_app);
            }
        }
        let comparison = self.compare_others(account, digits, &others, pending.mailed_at, may_be_right);
        Ok((comparison, None))
    }

    /// Which of the codes of this pending sign-in was entered. All are compared, whatever matches first.
    ///
    /// # Errors
    /// [`Unsealable`] when the newest was made with a key that is not here: then nothing is compared at all, so
    /// that no guess at another code is free.
    fn compare<'a>(
        &self,
        pending: &Pending,
        digits: &SixDigits,
        codes: &'a [CodeRow],
    ) -> Result<(Comparison, Option<&'a CodeRow>), Unsealable> {
        let now = self.now();
        let parts = code_parts(pending, digits);
        let fit = |code: &CodeRow| self.inner.keys.fits(Purpose::Code, &parts, &code.code_hash);
        if codes.first().is_some_and(|newest| fit(newest) == Fit::UnknownKey) {
            return Err(Unsealable);
        }
        let mut found = (Comparison::Wrong(None), None);
        // Oldest first: when two codes happen to be equal, the newest decides.
        for code in codes.iter().rev() {
            if fit(code) == Fit::Right {
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
        Ok(found)
    }

    /// Uses the code up and opens what it opens. `None`: somebody else used the code, or completed this sign-in, in the
    /// meantime.
    async fn complete(
        &self,
        token: &Token,
        underway: &Underway,
        (entered, found, tried): (&Entered, &Found, &CodeTry),
        trust: bool,
        visitor: &Visitor,
    ) -> Result<Option<Granted>, Failure> {
        let pending = &underway.pending;
        let now = self.now();
        let mut writer = self.inner.store.write().await?;
        let ids = (pending.company, pending.account);
        self.hold_for_sign_in(&mut writer, ids, (visitor.session.as_ref(), None))
            .await?;
        // The fifth try, if right, must not find the gate shut by its own count. A step-up takes back its own count alone
        // (N14).
        if pending.purpose != Leads::SignIn {
            tried.take_back_in(&mut writer).await?;
        }
        let browser = visitor.browser_hash();
        let mut entrant = writer
            .entrant(ids, browser, None, now)
            .await?
            .ok_or(Refusal::SignInExpired)?;
        if pending.purpose == Leads::SignIn {
            entrant = entrant.with_codes_forgotten();
        }
        let Entrant { company, account, .. } = &entrant;
        may_continue(now, company, account, pending)?;
        self.belongs_to(&mut writer, pending, visitor).await?;
        let receiver = Receiver::new(company, account);
        let session = match pending.purpose {
            Leads::SignIn => SessionId::new(now, self.random()),
            Leads::StepUp(session) => session,
        };
        let with = self
            .inner
            .keys
            .fingerprint(Purpose::Code, &entered_parts(pending, entered));
        let id = (pending.company, pending.id);
        let won = match found {
            Found::Mailed(code) => {
                writer
                    .complete_pending_by_code(id, *code, session, &with, now)
                    .await?
            }
            Found::App { .. } | Found::Backup(_) | Found::Issued(_) => {
                self.use_up(&mut writer, receiver, found, visitor).await?
                    && writer.complete_pending(id.0, id.1, session, &with, now).await?
            }
        };
        if !won {
            return Ok(None);
        }
        let opening = Opening {
            id: session,
            token: &self.session_token(token),
            proof: found.proof(),
            next: pending.next.as_deref(),
        };
        let granted = match pending.purpose {
            Leads::SignIn => {
                if underway.links {
                    self.link_after_code(&mut writer, receiver, pending, visitor)
                        .await?;
                }
                let mut granted = self.grant(&mut writer, &entrant, &opening, visitor).await?;
                let ends_at = trust_ends_at(now, company.settings.two_factor, found.proof());
                if let Some(ends_at) = ends_at.filter(|_| trust) {
                    let given = (token, ends_at);
                    let number = granted.browser.as_ref().or(visitor.browser_token.as_ref());
                    let cookie = self.trust(&mut writer, account, given, (visitor, number));
                    granted.trusted = Some(cookie.await?);
                }
                granted
            }
            Leads::StepUp(_) => self.prove(&mut writer, receiver, &opening, visitor).await?,
        };
        writer.commit().await?;
        Ok(Some(granted))
    }

    /// The session token follows from the pending token, so that the two answers to a double click carry the same
    /// cookie. Only the server can compute it.
    fn session_token(&self, pending: &Token) -> Token {
        Token::from_bytes(self.inner.keys.derive(Purpose::Session, &[pending.bytes()]))
    }

    /// The right code once more, from the same browser, moments after it was accepted: the same answer again. `None`:
    /// another code.
    async fn double_submit(
        &self,
        token: &Token,
        pending: &Pending,
        completion: &Completion,
        entered: &Entered,
        visitor: &Visitor,
    ) -> Result<Option<Granted>, Failure> {
        let parts = entered_parts(pending, entered);
        match self.inner.keys.fits(Purpose::Code, &parts, &completion.with) {
            Fit::Right => {}
            Fit::Wrong => return Ok(None),
            // Nothing was compared, so nothing is counted.
            Fit::UnknownKey => return Err(Unsealable.into()),
        }
        was_completed_just_now(self.now(), pending)?;
        let session = self.session_token(token);
        let mut reader = self.inner.store.read().await?;
        let row = reader
            .session_by_token(session.hash())
            .await?
            .filter(|row| row.id == completion.session)
            .ok_or(Refusal::SignInExpired)?;
        let trusted = self
            .trust_given(&mut reader, &row.account, token, visitor)
            .await?;
        Ok(Some(Granted {
            session,
            browser: None,
            trusted,
            landing: landing(
                &row.company.settings,
                row.account.highest_role(),
                pending.next.as_deref(),
            ),
            company: row.company.name,
            step_up: pending.purpose != Leads::SignIn,
        }))
    }

    /// A secret that no key opens is an alarm for the operator (attacks.md T184).
    pub(crate) async fn note_unreadable(
        &self,
        failure: &Failure,
        account: &Account,
        visitor: &Visitor,
    ) -> Result<(), StoreError> {
        if !matches!(failure, Failure::Unsealable(_)) {
            return Ok(());
        }
        let entry = visitor.entry(Event::SecretUnreadable, Some(account.company), Some(account.id));
        self.note(entry).await
    }

    /// The session of a step-up goes on under a new token, proved once more (security.md 7.2.4).
    pub(crate) async fn prove(
        &self,
        writer: &mut Writer,
        receiver: Receiver<'_>,
        opening: &Opening<'_>,
        visitor: &Visitor,
    ) -> Result<Granted, Failure> {
        let Receiver { company, account } = receiver;
        let proved = writer
            .prove_session(
                company.id,
                opening.id,
                Some(opening.token.hash()),
                opening.proof,
                account.credential_version,
                self.now(),
            )
            .await?;
        if !proved {
            return Err(Refusal::SignInExpired.into());
        }
        let entry = AuditEntry {
            actor: Actor::Account(account.id),
            detail: Some(opening.proof.as_str().to_owned()),
            ..visitor.entry(Event::SteppedUp, Some(company.id), Some(account.id))
        };
        self.record(writer, &entry).await?;
        Ok(Granted {
            session: opening.token.clone(),
            browser: None,
            trusted: None,
            landing: landing(&company.settings, account.highest_role(), opening.next),
            company: company.name.clone(),
            step_up: true,
        })
    }
}

/// Whether a completed sign-in may still give its answer once more.
fn was_completed_just_now(now: Moment, pending: &Pending) -> Result<(), Refusal> {
    match pending.completed_at {
        Some(at) if is_repeat(now, at, DOUBLE_SUBMIT_SECONDS) => Ok(()),
        _ => Err(Refusal::SignInExpired),
    }
}

/// What the fingerprint of an accepted entry covers, by which the same request sent twice is known again.
fn entered_parts<'a>(pending: &'a Pending, entered: &'a Entered) -> [&'a [u8]; 4] {
    [
        pending.company.0.as_bytes(),
        pending.id.0.as_bytes(),
        entered.bytes(),
        b"completed",
    ]
}
