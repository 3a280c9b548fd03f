//! Where the account is known: Security Settings with its trusted browsers and sessions.

use chrono::TimeDelta;
use uuid::Uuid;
use vestibule_core::{
    audit::{AuditEntry, Event},
    id::{SessionId, TrustedBrowserId},
    refusal::Refusal,
    secret::Token,
    session::{EndReason, is_alive},
    sign_in::trust_holds,
};

use super::{SecurityPage, SessionItem, TrustedItem};
use crate::{
    Failure, Profile, Service, Visitor,
    sessions::{Need, SignedIn},
};

impl Profile {
    /// What the security page shows: only trust and sessions that are still worth something.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`]; `SetUpRequired`.
    pub async fn security(&self, visitor: &Visitor) -> Result<SecurityPage, Refusal> {
        visitor
            .attempt(async {
                let SignedIn {
                    session,
                    company,
                    account,
                    ..
                } = self.require(Need::Home, visitor).await?;
                let now = self.now();
                let mine: Vec<_> = visitor.trusted.iter().map(Token::hash).collect();
                let mut reader = self.inner.store.read().await?;
                let trusted = reader
                    .trusted_of(company.id, account.id)
                    .await?
                    .into_iter()
                    .filter(|row| {
                        row.credential_version == account.credential_version
                            && trust_holds(now, row.created_at, row.ends_at, company.settings.two_factor)
                    })
                    .map(|row| {
                        let by_policy = company
                            .settings
                            .two_factor
                            .trust_days()
                            .map(|days| row.created_at + TimeDelta::days(i64::from(days)));
                        TrustedItem {
                            id: row.id,
                            browser: row.browser,
                            address: row.address,
                            since: row.created_at,
                            until: by_policy.map_or(row.ends_at, |end| end.min(row.ends_at)),
                            last_used: row.last_used_at,
                            this: mine.contains(&row.token_hash),
                        }
                    })
                    .collect();
                let sessions = reader
                    .sessions_of(company.id, account.id)
                    .await?
                    .into_iter()
                    .filter(|row| {
                        row.credential_version == account.credential_version
                            && is_alive(now, row.last_used_at, row.ends_at, company.settings.idle_minutes)
                    })
                    .map(|row| SessionItem {
                        this: row.id == session,
                        id: row.id,
                        browser: row.browser,
                        address: row.address,
                        since: row.created_at,
                        last_used: row.last_used_at,
                    })
                    .collect();
                let backup_codes_left = reader.backup_codes_left(company.id, account.id).await?;
                Ok(SecurityPage {
                    company,
                    account,
                    backup_codes_left,
                    trusted,
                    sessions,
                })
            })
            .await
    }

    /// Ends trust in one browser. An identifier that is none of this account changes nothing: whoever wants it gone has
    /// what they want.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`]; `SetUpRequired`.
    pub async fn forget_browser(&self, id: &str, visitor: &Visitor) -> Result<(), Refusal> {
        let id = Uuid::parse_str(id)
            .map(TrustedBrowserId)
            .map_err(|_| Refusal::Malformed)?;
        visitor.transact(|| self.end_trust(Some(id), visitor)).await
    }

    /// Ends trust in all browsers of the account.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`]; `SetUpRequired`.
    pub async fn forget_all_browsers(&self, visitor: &Visitor) -> Result<(), Refusal> {
        visitor.transact(|| self.end_trust(None, visitor)).await
    }

    /// Ends one session of the account; says whether it was this one. An identifier that is none of this account
    /// changes nothing.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`]; `SetUpRequired`.
    pub async fn end_one_session(&self, id: &str, visitor: &Visitor) -> Result<bool, Refusal> {
        let id = Uuid::parse_str(id)
            .map(SessionId)
            .map_err(|_| Refusal::Malformed)?;
        visitor.transact(|| self.end_sessions(Some(id), visitor)).await
    }

    /// Ends all sessions of the account but this one.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`]; `SetUpRequired`.
    pub async fn end_other_sessions(&self, visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .transact(|| self.end_sessions(None, visitor))
            .await
            .map(drop)
    }
}

impl Service {
    async fn end_trust(&self, one: Option<TrustedBrowserId>, visitor: &Visitor) -> Result<(), Failure> {
        let (mut work, SignedIn { company, account, .. }) = self.enter(Need::Home, visitor).await?;
        let ended = match one {
            Some(id) => u64::from(work.end_trusted(company.id, account.id, id).await?),
            None => work.end_trusted_of(company.id, account.id).await?,
        };
        if ended > 0 {
            let entry = AuditEntry {
                detail: Some(ended.to_string()),
                ..work.entry(Event::BrowserForgotten, company.id, Some(account.id))
            };
            self.record(&mut work, &entry).await?;
        }
        Ok(work.commit().await?)
    }

    async fn end_sessions(&self, one: Option<SessionId>, visitor: &Visitor) -> Result<bool, Failure> {
        let (
            mut work,
            SignedIn {
                session,
                company,
                account,
                ..
            },
        ) = self.enter(Need::Home, visitor).await?;
        let ending = self.ending(EndReason::ByOwner);
        let ended = match one {
            Some(id) => u64::from(
                work.end_session_of(company.id, account.id, id, ending, None)
                    .await?,
            ),
            None => {
                work.end_other_sessions(company.id, account.id, session, ending)
                    .await?
            }
        };
        if ended > 0 {
            let entry = AuditEntry {
                detail: Some(ended.to_string()),
                ..work.entry(Event::SessionEnded, company.id, Some(account.id))
            };
            self.record(&mut work, &entry).await?;
        }
        work.commit().await?;
        Ok(one == Some(session))
    }
}
