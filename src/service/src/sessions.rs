//! Sessions: who is signed in, and signing out (N19, N20).

use chrono::TimeDelta;
use vestibule_core::{
    account::Account,
    audit::{Actor, AuditEntry, Event},
    company::Company,
    gate,
    id::SessionId,
    ports::Moment,
    refusal::Refusal,
    second_factor::must_set_up,
    secret::Token,
    session::{Proof, TOUCH_SECONDS, is_alive, is_proved},
};
use vestibule_storage::{SessionRow, StoreError, Writer};

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
            let mut writer = self.inner.store.write_one().await?;
            writer.end_session(row.company.id, row.id).await?;
            writer.commit().await?;
            return Ok(None);
        }
        if now - row.last_used_at >= TimeDelta::seconds(TOUCH_SECONDS) {
            let mut writer = self.inner.store.write_one().await?;
            writer.touch_session(row.company.id, row.id, now).await?;
            writer.commit().await?;
        }
        Ok(Some(row.into()))
    }

    /// Whether a session is worth anything: neither idle for too long nor past its absolute end, company enabled,
    /// account active, credentials unchanged.
    pub(crate) fn is_live(&self, row: &SessionRow) -> bool {
        is_live_at(self.now(), row)
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
            && writer.end_session(company, session).await?
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
