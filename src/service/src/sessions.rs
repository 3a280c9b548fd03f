//! Sessions: who is signed in, and signing out (N19, N20).

use std::sync::{Arc, OnceLock};

use chrono::TimeDelta;
use vestibule_core::{
    account::Account,
    audit::{Actor, AuditEntry, Event},
    company::Company,
    gate,
    id::SessionId,
    limits::KEPT_SECONDS,
    ports::Moment,
    refusal::Refusal,
    second_factor::must_set_up,
    secret::Token,
    session::{EndReason, Ending, Proof, TOLD_HOURS, TOUCH_SECONDS, idle_end, is_alive, is_proved},
};
use vestibule_storage::{EndedRow, SessionRow, StoreError, Writer};

use crate::{Failure, Service, SignIn, Visitor, work::Work};

/// A live session.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The session.
    pub session: SessionId,
    /// The company.
    pub company: Company,
    /// The account.
    pub account: Account,
    /// When it began.
    pub since: Moment,
    /// The absolute end.
    pub ends_at: Moment,
    /// How the account proved who it is.
    pub proof: Proof,
    /// When it did.
    pub proved_at: Moment,
}

impl From<SessionRow> for SignedIn {
    fn from(row: SessionRow) -> Self {
        Self {
            session: row.id,
            company: row.company,
            account: row.account,
            since: row.created_at,
            ends_at: row.ends_at,
            proof: row.proof,
            proved_at: row.proved_at,
        }
    }
}

/// Until when a session lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionEnds {
    /// When it ends if nobody uses it; `None` = not before its absolute end.
    pub idle: Option<Moment>,
    /// The absolute end.
    pub latest: Moment,
}

impl SessionEnds {
    /// The first of both.
    pub fn next(self) -> Moment {
        self.idle.map_or(self.latest, |idle| idle.min(self.latest))
    }
}

/// Where a request notes until when its session lasts.
#[derive(Clone, Debug, Default)]
pub struct EndsSeen(Arc<OnceLock<SessionEnds>>);

impl EndsSeen {
    /// What was noted, when there was a session.
    pub fn get(&self) -> Option<SessionEnds> {
        self.0.get().copied()
    }
}

/// What a use case asks of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Signed in; open even to somebody who has to set up a second factor.
    SetUp,
    /// The same, and everything the account has was proved moments ago (N21).
    ProvedSetUp,
    /// Signed in, and nothing to set up first.
    Home,
    /// The same, and everything the account has was proved moments ago.
    ProvedHome,
}

impl SignIn {
    /// The session of this browser, if it is alive: neither idle for too long nor past its absolute end, company
    /// enabled, account active, credentials unchanged. A dead one is removed, so that a clock that steps back does not
    /// revive it, unless it lives by the database's clock: this server's may be the wrong one of many. Counts as
    /// activity.
    ///
    /// # Errors
    /// Only when the database fails: then nobody is signed in.
    pub async fn session(&self, visitor: &Visitor) -> Result<Option<SignedIn>, Refusal> {
        visitor.attempt(self.find_session(visitor)).await
    }

    /// The session of this browser for pages that need one.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`]; [`Refusal::PasswordChangeRequired`] when the password is a temporary one;
    /// [`Refusal::SetUpRequired`] when a second factor has to be set up first.
    pub async fn signed_in(&self, visitor: &Visitor) -> Result<SignedIn, Refusal> {
        visitor.attempt(self.require(Need::Home, visitor)).await
    }

    /// The session of this browser and until when it lasts, without using it; `stay` uses it, to the second.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`].
    pub async fn session_ends(
        &self,
        stay: bool,
        visitor: &Visitor,
    ) -> Result<(SignedIn, SessionEnds), Refusal> {
        visitor
            .attempt(async {
                let token = visitor.session.as_ref().ok_or(Refusal::NotSignedIn)?;
                let mut reader = self.inner.store.read().await?;
                let row = reader.session_by_token(token.hash()).await?;
                drop(reader);
                let row = row.filter(|row| self.is_live(row)).ok_or(Refusal::NotSignedIn)?;
                let mut last_used = row.last_used_at;
                if stay {
                    last_used = last_used.max(self.now());
                    let mut writer = self.inner.store.write_one().await?;
                    writer.touch_session(row.company.id, row.id, last_used).await?;
                    writer.commit().await?;
                }
                let ends = ends_of(&row, last_used);
                Ok((row.into(), ends))
            })
            .await
    }

    /// Why the session is over that this browser had: the one of its cookie, or else the one that it signed out of moments
    /// ago. Reads only. `None`: it had none, or that is long ago. What whoever ended it typed is told for as long as what was
    /// typed there is kept: after that others may sit at this browser.
    ///
    /// # Errors
    /// Only when the database fails.
    pub async fn ended_session(&self, visitor: &Visitor) -> Result<Option<EndedRow>, Refusal> {
        visitor.attempt(self.find_ended(visitor)).await
    }

    /// Ends the session of this browser on the server. Nothing to end is fine. Gives the names of the applications that
    /// cannot be told of it.
    ///
    /// # Errors
    /// Only when the database fails.
    pub async fn sign_out(&self, visitor: &Visitor) -> Result<Vec<String>, Refusal> {
        visitor
            .transact(async || {
                let Some(token) = &visitor.session else {
                    return Ok(Vec::new());
                };
                // Anybody can send a token that is none: that costs no transaction.
                let mut reader = self.inner.store.read().await?;
                let Some((company, account, session)) = reader.session_to_end(token.hash()).await? else {
                    return Ok(Vec::new());
                };
                let not_told = reader.applications_not_told(session).await?;
                drop(reader);
                let mut writer = self.inner.store.write().await?;
                writer.hold_account(company, account).await?;
                self.end_session_of_browser(&mut writer, token, visitor).await?;
                writer.commit().await?;
                Ok(not_told)
            })
            .await
    }

    /// Stores the language that a signed-in agent chose with the account (product.md section 7).
    ///
    /// # Errors
    /// Only when the database fails.
    pub async fn choose_language(
        &self,
        signed_in: &SignedIn,
        language: &str,
        visitor: &Visitor,
    ) -> Result<(), Refusal> {
        visitor
            .attempt(async {
                let mut writer = self.inner.store.write().await?;
                let account = &signed_in.account;
                writer
                    .set_account_language(account.company, account.id, Some(language), self.now())
                    .await?;
                Ok(writer.commit().await?)
            })
            .await
    }
}

impl Service {
    pub(crate) async fn find_session(&self, visitor: &Visitor) -> Result<Option<SignedIn>, Failure> {
        let Some(token) = &visitor.session else {
            return Ok(None);
        };
        let mut reader = self.inner.store.read().await?;
        let Some(row) = reader.session_by_token(token.hash()).await? else {
            return Ok(None);
        };
        drop(reader);
        let now = self.now();
        if !self.is_live(&row) {
            if is_live_at(self.database_now(), &row) {
                return Ok(None);
            }
            let mut writer = self.inner.store.write().await?;
            writer
                .end_session(row.company.id, row.id, self.ending_of(&row))
                .await?;
            writer.commit().await?;
            return Ok(None);
        }
        let mut last_used = row.last_used_at;
        if !visitor.quiet && now - last_used >= TimeDelta::seconds(TOUCH_SECONDS) {
            let mut writer = self.inner.store.write_one().await?;
            writer.touch_session(row.company.id, row.id, now).await?;
            writer.commit().await?;
            last_used = now;
        }
        // The first look of a request is the one that its page tells of.
        let _ = visitor.ends.0.set(ends_of(&row, last_used));
        Ok(Some(row.into()))
    }

    /// The session of this browser that is over: the one of its cookie, or else the one that it signed out of moments ago.
    async fn find_ended(&self, visitor: &Visitor) -> Result<Option<EndedRow>, Failure> {
        match visitor.session.as_ref().or(visitor.ended.as_ref()) {
            Some(token) => self.ended_with(token).await,
            None => Ok(None),
        }
    }

    /// The session of this browser's cookie that is over, unless whoever had it has left: what comes from the browser after
    /// that is not theirs.
    pub(crate) async fn find_interrupted(&self, visitor: &Visitor) -> Result<Option<EndedRow>, Failure> {
        let Some(token) = &visitor.session else {
            return Ok(None);
        };
        let ended = self.ended_with(token).await?;
        Ok(ended.filter(|ended| ended.ending.reason.interrupts()))
    }

    /// The session that had this token, when it ended not long ago.
    async fn ended_with(&self, token: &Token) -> Result<Option<EndedRow>, Failure> {
        let mut reader = self.inner.store.read().await?;
        let ended = reader.ended_session(token.hash()).await?;
        let now = self.now();
        let told_from = now - TimeDelta::hours(TOLD_HOURS);
        let note_from = now - TimeDelta::seconds(KEPT_SECONDS);
        let mut ended = ended.filter(|ended| ended.ending.at > told_from);
        if let Some(ended) = &mut ended
            && ended.ending.at <= note_from
        {
            ended.note = None;
        }
        Ok(ended)
    }

    /// Whether a session is worth anything: neither idle for too long nor past its absolute end, company enabled,
    /// account active, credentials unchanged.
    pub(crate) fn is_live(&self, row: &SessionRow) -> bool {
        is_live_at(self.now(), row)
    }

    /// The end of a session, now.
    pub(crate) fn ending(&self, reason: EndReason) -> Ending {
        Ending::now(reason, self.now())
    }

    /// Why a session that is not live any more is over.
    fn ending_of(&self, row: &SessionRow) -> Ending {
        let minutes = row.company.settings.idle_minutes;
        if !row.company.enabled {
            self.ending(EndReason::CompanyDisabled)
        } else if !row.account.active {
            self.ending(EndReason::Deactivated)
        } else if row.credential_version != row.account.credential_version {
            self.ending(EndReason::CredentialsChanged)
        } else {
            Ending::by_itself(row.created_at, row.last_used_at, row.ends_at, minutes)
        }
    }

    /// The session of this browser, if it meets `need`. Counts as activity.
    pub(crate) async fn require(&self, need: Need, visitor: &Visitor) -> Result<SignedIn, Failure> {
        let signed_in = self.find_session(visitor).await?.ok_or(Refusal::NotSignedIn)?;
        self.meets(&signed_in, need)?;
        Ok(signed_in)
    }

    /// The session of this browser behind its account's lock, if it still meets `need`: the last word before something
    /// is changed.
    pub(crate) async fn enter<'a>(
        &self,
        need: Need,
        visitor: &'a Visitor,
    ) -> Result<(Work<'a>, SignedIn), Failure> {
        let (work, signed_in) = self.enter_any(visitor).await?;
        self.meets(&signed_in, need)?;
        Ok((work, signed_in))
    }

    /// The same for a session that a temporary password confines.
    pub(crate) async fn enter_confined<'a>(
        &self,
        visitor: &'a Visitor,
    ) -> Result<(Work<'a>, SignedIn), Failure> {
        let (work, signed_in) = self.enter_any(visitor).await?;
        if !signed_in.account.password_must_change {
            return Err(Refusal::NotSignedIn.into());
        }
        Ok((work, signed_in))
    }

    async fn enter_any<'a>(&self, visitor: &'a Visitor) -> Result<(Work<'a>, SignedIn), Failure> {
        let mut writer = self.inner.store.write().await?;
        let token = visitor.session.as_ref().ok_or(Refusal::NotSignedIn)?.hash();
        let row = writer
            .session_by_token(token)
            .await?
            .ok_or(Refusal::NotSignedIn)?;
        writer.hold_account(row.company.id, row.account.id).await?;
        let row = writer
            .session_by_token(token)
            .await?
            .filter(|row| self.is_live(row))
            .ok_or(Refusal::NotSignedIn)?;
        let signed_in = SignedIn::from(row);
        Ok((Work::new(writer, signed_in.by(visitor)), signed_in))
    }

    /// Whether a session, as it was read, meets `need`.
    pub(crate) fn meets(&self, signed_in: &SignedIn, need: Need) -> Result<(), Failure> {
        let SignedIn { company, account, .. } = signed_in;
        if account.password_must_change {
            return Err(Refusal::PasswordChangeRequired.into());
        }
        if matches!(need, Need::Home | Need::ProvedHome) && must_set_up(company, account) {
            return Err(Refusal::SetUpRequired.into());
        }
        if matches!(need, Need::ProvedHome | Need::ProvedSetUp) {
            // A running session survives a lock; what opens doors does not.
            gate::admit(company, account)?;
            if !is_proved(self.now(), signed_in.proof, signed_in.proved_at, account) {
                return Err(Refusal::StepUpNeeded.into());
            }
        }
        Ok(())
    }

    /// Ends the session with this token, also when a step-up in another tab has given it a new one meanwhile.
    pub(crate) async fn end_session_of_browser(
        &self,
        writer: &mut Writer,
        token: &Token,
        visitor: &Visitor,
    ) -> Result<(), StoreError> {
        if let Some((company, account, session)) = writer.session_to_end(token.hash()).await?
            && writer
                .end_session(company, session, self.ending(EndReason::SignedOut))
                .await?
        {
            let entry = AuditEntry {
                actor: Actor::Account(account),
                ..visitor.entry(Event::SignedOut, Some(company), Some(account))
            };
            self.record(writer, &entry).await?;
        }
        Ok(())
    }
}

fn ends_of(row: &SessionRow, last_used: Moment) -> SessionEnds {
    SessionEnds {
        idle: idle_end(last_used, row.company.settings.idle_minutes),
        latest: row.ends_at,
    }
}

pub(crate) fn is_live_at(now: Moment, row: &SessionRow) -> bool {
    row.company.enabled
        && row.account.active
        && row.credential_version == row.account.credential_version
        && is_alive(
            now,
            row.last_used_at,
            row.ends_at,
            row.company.settings.idle_minutes,
        )
}
