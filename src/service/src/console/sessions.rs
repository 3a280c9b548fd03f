//! Who is signed in to the company, and ending that.

use uuid::Uuid;
use vestibule_core::{
    audit::{AuditEntry, Event},
    id::SessionId,
    limits::{PAGE_SIZE, SELECTED_MAX},
    refusal::Refusal,
    rights::Action,
    session::EndReason,
};
use vestibule_storage::again;

use super::{Hold, SessionList};
use crate::{
    Console, Failure, Service, Visitor,
    accounts::{ended_detail, optional_reason},
    sessions::SignedIn,
};

impl Console {
    /// The live sessions of the company, the newest first; `before` is the identifier of the last of the page before.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`].
    pub async fn company_sessions(
        &self,
        before: Option<&str>,
        visitor: &Visitor,
    ) -> Result<SessionList, Refusal> {
        visitor
            .attempt(async {
                let SignedIn {
                    company,
                    account,
                    session,
                    ..
                } = self.allowed(Action::EndSessions, visitor).await?;
                let before = before.and_then(SessionId::parse);
                let idle_since = self.idle_since(&company);
                let mut reader = self.inner.store.read().await?;
                let mut sessions = reader
                    .sessions_of_company(company.id, idle_since, self.now(), before, PAGE_SIZE + 1)
                    .await?;
                let older = sessions.len() > PAGE_SIZE;
                sessions.truncate(PAGE_SIZE);
                let signed_in = reader.count_signed_in(company.id, idle_since, self.now()).await?;
                Ok(SessionList {
                    company,
                    own: account,
                    this: session,
                    sessions,
                    older,
                    signed_in,
                })
            })
            .await
    }

    /// Ends sessions of the company; says how many there were. One that has ended, or is another company's, is none. The
    /// reason, unless it is left empty, goes into the audit log and is told where the sessions were. When it cannot go on
    /// half way, what was ended is counted: the list shows what is left.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`]; `NothingSelected`; `Invalid` for the reason; [`Refusal::Malformed`] for more than
    /// may be ended in one go.
    pub async fn end_company_sessions(
        &self,
        ids: &[String],
        reason: &str,
        visitor: &Visitor,
    ) -> Result<usize, Refusal> {
        visitor
            .attempt(async {
                self.allowed(Action::EndSessions, visitor).await?;
                if ids.is_empty() {
                    return Err(Refusal::NothingSelected.into());
                }
                if ids.len() > SELECTED_MAX {
                    return Err(Refusal::Malformed.into());
                }
                let reason = optional_reason(reason)?;
                let mut ended = 0;
                for id in ids {
                    let Ok(id) = Uuid::parse_str(id).map(SessionId) else {
                        continue;
                    };
                    match again(|| self.end_one(id, reason, visitor)).await {
                        Ok(was_there) => ended += usize::from(was_there),
                        Err(Failure::Refused(Refusal::NotFound)) => {}
                        Err(failure) if ended == 0 => return Err(failure),
                        Err(failure) => {
                            visitor.explain(&failure);
                            break;
                        }
                    }
                }
                Ok(ended)
            })
            .await
    }
}

impl Service {
    async fn end_one(&self, id: SessionId, reason: Option<&str>, visitor: &Visitor) -> Result<bool, Failure> {
        let own = self.allowed(Action::EndSessions, visitor).await?;
        let mut reader = self.inner.store.read().await?;
        let Some(account) = reader.account_of_session(own.company.id, id).await? else {
            return Ok(false);
        };
        drop(reader);
        let (mut work, own, target) = self
            .act_behind_locks(Action::EndSessions, Hold::Accounts, account, visitor)
            .await?;
        let ending = self.ending(EndReason::ByAdmin);
        let ended = work
            .end_session_of(own.company.id, target.id, id, ending, reason)
            .await?;
        if ended {
            let entry = AuditEntry {
                detail: Some(ended_detail(1, reason)),
                ..work.entry(Event::SessionsEnded, own.company.id, Some(target.id))
            };
            self.record(&mut work, &entry).await?;
            work.commit().await?;
        }
        Ok(ended)
    }
}
