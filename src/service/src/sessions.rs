//! Sessions: who is signed in, and signing out (N19, N20).

use chrono::TimeDelta;
use vestibule_core::{
    account::Account,
    audit::{Actor, AuditEntry, Event},
    company::Company,
    id::SessionId,
    ports::Moment,
    refusal::Refusal,
    session::{TOUCH_SECONDS, is_alive},
};

use crate::{Failure, Service, Visitor};

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
}

impl Service {
    /// The session of this browser, if it is alive: neither idle for too long nor past its absolute end, company
    /// enabled, account active, credentials unchanged. A dead one is removed on sight, so that a clock that steps
    /// back does not revive it. Counts as activity.
    ///
    /// # Errors
    /// Only when the database fails: then nobody is signed in.
    pub async fn session(&self, visitor: &Visitor) -> Result<Option<SignedIn>, Refusal> {
        self.find_session(visitor)
            .await
            .map_err(|failure| visitor.explain(&failure))
    }

    async fn find_session(&self, visitor: &Visitor) -> Result<Option<SignedIn>, Failure> {
        let Some(token) = &visitor.session else {
            return Ok(None);
        };
        let mut reader = self.inner.store.read().await?;
        let Some(row) = reader.session_by_token(token.hash()).await? else {
            return Ok(None);
        };
        drop(reader);
        let now = self.now();
        let alive = row.company.enabled
            && row.account.active
            && row.credential_version == row.account.credential_version
            && is_alive(now, row.last_used_at, row.ends_at, row.company.idle_minutes);
        if !alive {
            let mut writer = self.inner.store.write().await?;
            writer.end_session(row.company.id, row.id).await?;
            writer.commit().await?;
            return Ok(None);
        }
        if now - row.last_used_at >= TimeDelta::seconds(TOUCH_SECONDS) {
            let mut writer = self.inner.store.write().await?;
            writer.touch_session(row.company.id, row.id, now).await?;
            writer.commit().await?;
        }
        Ok(Some(SignedIn {
            session: row.id,
            company: row.company,
            account: row.account,
            since: row.created_at,
            ends_at: row.ends_at,
        }))
    }

    /// Ends the session of this browser on the server. Nothing to end is fine.
    ///
    /// # Errors
    /// Only when the database fails.
    pub async fn sign_out(&self, visitor: &Visitor) -> Result<(), Refusal> {
        self.end_own_session(visitor)
            .await
            .map_err(|failure| visitor.explain(&failure))
    }

    async fn end_own_session(&self, visitor: &Visitor) -> Result<(), Failure> {
        let Some(token) = &visitor.session else {
            return Ok(());
        };
        let mut writer = self.inner.store.write().await?;
        if let Some(row) = writer.session_by_token(token.hash()).await?
            && writer.end_session(row.company.id, row.id).await?
        {
            let entry = AuditEntry {
                actor: Actor::Account(row.account.id),
                ..visitor.entry(Event::SignedOut, Some(row.company.id), Some(row.account.id))
            };
            self.record(&mut writer, &entry).await?;
        }
        Ok(writer.commit().await?)
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
        self.store_language(signed_in, language)
            .await
            .map_err(|failure| visitor.explain(&failure))
    }

    async fn store_language(&self, signed_in: &SignedIn, language: &str) -> Result<(), Failure> {
        let mut writer = self.inner.store.write().await?;
        let account = &signed_in.account;
        writer
            .set_account_language(account.company, account.id, Some(language), self.now())
            .await?;
        Ok(writer.commit().await?)
    }

    /// Notes a request that came from another site.
    pub async fn note_cross_site(&self, visitor: &Visitor) {
        let entry = visitor.entry(Event::CrossSiteRefused, None, None);
        if let Err(error) = self.note(entry).await {
            tracing::warn!(%error, "a refused request could not be noted");
        }
    }
}
