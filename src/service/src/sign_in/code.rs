//! The second step: a code.

use chrono::TimeDelta;
use vestibule_core::{
    account::Account,
    audit::{Actor, AuditEntry, Event},
    id::SessionId,
    ports::Moment,
    refusal::{CodeHint, Refusal},
    secret::{SixDigits, Token},
    sign_in::{Comparison, Pending, Purpose as Leads, landing, may_continue, trust_ends_at},
};
use vestibule_storage::{CodeRow, Completion, Reader, StoreError, Writer};

use super::{Granted, Opening, Underway, code_parts};
use crate::{
    Failure, Service, Visitor,
    codes::{Entered, Found},
    keys::{Fit, Purpose, Unsealable},
    letters::Receiver,
};

/// Seconds after which a right code, sent again, is no longer a double click.
const DOUBLE_SUBMIT_SECONDS: i64 = 60;

impl Service {
    /// Checks an entered code: the mailed one, one of the authenticator app, a backup code, or one that an
    /// administrator issued. The try is counted in a transaction of its own before the code is compared.
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
            completion,
            company,
            account,
        } = self.load_pending(token).await?;
        let entered = Entered::parse(typed)?;
        if let Some(completion) = completion {
            return self.double_submit(token, &pending, &completion, &entered).await;
        }
        may_continue(self.now(), &company, &account, &pending)?;
        let mut reader = self.inner.store.read().await?;
        self.belongs_to(&mut reader, &pending, visitor).await?;
        drop(reader);

        let counted = self.count_code(&account).await?;
        let recognised = self.recognise(&pending, &account, &entered).await;
        let (comparison, found) = match recognised {
            Ok(recognised) => recognised,
            // Nothing was compared: a fault of ours is no guess.
            Err(failure) => {
                self.take_count_back(&account).await?;
                self.note_unreadable(&failure, &account, visitor).await?;
                return Err(failure);
            }
        };
        let receiver = Receiver {
            company: &company,
            account: &account,
        };
        let comparison = match (comparison, found) {
            (Comparison::Right, Some(found)) => {
                let right = (&entered, &found);
                if let Some(granted) = self.complete(token, &pending, right, trust, visitor).await? {
                    return Ok(granted);
                }
                Comparison::Wrong(Some(CodeHint::Used))
            }
            (other, _) => other,
        };
        // Somebody was faster: with this very request, which is a double click, or with the same code elsewhere.
        if comparison == Comparison::Wrong(Some(CodeHint::Used))
            && let Some(completion) = self.load_pending(token).await?.completion
        {
            self.take_count_back(&account).await?;
            return self.double_submit(token, &pending, &completion, &entered).await;
        }
        Err(self
            .refuse_code(receiver, comparison, counted, visitor)
            .await?
            .into())
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
        let codes = reader.codes_of_pending(pending.company, pending.id).await?;
        drop(reader);
        let (comparison, mailed) = self.compare(pending, digits, &codes)?;
        if comparison != Comparison::Wrong(None) || !account.app_factor {
            return Ok((comparison, mailed.map(|code| Found::Mailed(code.id))));
        }
        self.find_app_code(account, digits).await
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
        pending: &Pending,
        (entered, found): (&Entered, &Found),
        trust: bool,
        visitor: &Visitor,
    ) -> Result<Option<Granted>, Failure> {
        let now = self.now();
        let mut writer = self.inner.store.write().await?;
        writer.hold_account(pending.company, pending.account).await?;
        // The counter first: the fifth try, if right, must not find the gate shut by its own count. A step-up takes
        // back its own count alone (N14).
        if pending.purpose == Leads::SignIn {
            writer.reset_wrong_codes(pending.company, pending.account).await?;
        } else {
            writer
                .uncount_wrong_code(pending.company, pending.account)
                .await?;
        }
        let company = writer
            .company(pending.company)
            .await?
            .ok_or(Refusal::SignInExpired)?;
        let account = writer
            .account(pending.company, pending.account)
            .await?
            .ok_or(Refusal::SignInExpired)?;
        may_continue(now, &company, &account, pending)?;
        self.belongs_to(&mut writer, pending, visitor).await?;
        let receiver = Receiver {
            company: &company,
            account: &account,
        };
        let session = match pending.purpose {
            Leads::SignIn => SessionId::new(now, self.random()),
            Leads::StepUp(session) => session,
        };
        let with = self
            .inner
            .keys
            .fingerprint(Purpose::Code, &entered_parts(pending, entered));
        let won = self.use_up(&mut writer, receiver, found, visitor).await?
            && writer
                .complete_pending(pending.company, pending.id, session, &with, now)
                .await?;
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
                self.link_after_code(&mut writer, receiver, pending, visitor)
                    .await?;
                let mut granted = self.grant(&mut writer, receiver, &opening, visitor).await?;
                if trust && let Some(ends_at) = trust_ends_at(now, company.two_factor) {
                    granted.trusted = Some(self.trust(&mut writer, &account, ends_at, visitor).await?);
                }
                granted
            }
            Leads::StepUp(_) => self.prove(&mut writer, receiver, &opening, visitor).await?,
        };
        writer.commit().await?;
        self.inner.outbox_filled.notify_one();
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
        completion: &Completion,
        entered: &Entered,
    ) -> Result<Granted, Failure> {
        let same_code =
            self.inner
                .keys
                .fits(Purpose::Code, &entered_parts(pending, entered), &completion.with)
                == Fit::Right;
        let recent = pending
            .completed_at
            .is_none_or(|at| is_double_click(self.now(), at));
        let token = self.session_token(token);
        let mut reader = self.inner.store.read().await?;
        let row = reader.session_by_token(token.hash()).await?;
        match row {
            Some(row) if recent && same_code && row.id == completion.session => Ok(Granted {
                session: token,
                browser: None,
                trusted: None,
                landing: landing(row.account.highest_role(), pending.next.as_deref()),
                company: row.company.name,
                step_up: pending.purpose != Leads::SignIn,
            }),
            _ => Err(Refusal::SignInExpired.into()),
        }
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
            landing: landing(account.highest_role(), opening.next),
            company: company.name.clone(),
            step_up: true,
        })
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

fn is_double_click(now: Moment, completed_at: Moment) -> bool {
    now >= completed_at && now - completed_at <= TimeDelta::seconds(DOUBLE_SUBMIT_SECONDS)
}
