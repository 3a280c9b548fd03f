//! Helping an agent in: password, links, backup code, unlocking, sessions.

use serde::{Deserialize, Serialize};
use vestibule_core::{
    audit::Event,
    backup_code::BackupCode,
    id::AccountId,
    limits::{CODES_SHOWN_SECONDS, RESET_LINK_MINUTES},
    link::LinkPurpose,
    mail::Mail,
    refusal::{Field, Refusal},
    rights::Action,
    sso::Provider,
    text::trim,
};
use zeroize::Zeroizing;

use super::{Chosen, Hold, NewPasswordInput, Selected};
use crate::{
    Console, Failure, Service, Visitor,
    accounts::{PasswordToSet, optional_reason, reason_problem},
    letters::Sending,
    notes::NoteKind,
};

/// A backup code that was issued just now. It has no `Debug`.
#[derive(Serialize, Deserialize)]
struct IssuedNote {
    account: AccountId,
    /// As it is typed.
    code: Zeroizing<String>,
}

impl Console {
    /// Sets a new password that the agent has to change at the next sign-in, within 72 hours. Ends the agent's sessions,
    /// trusted browsers and links, and tells the agent.
    ///
    /// # Errors
    /// As [`crate::Console::agent`]; `OwnAccount`; `Invalid` with everything that is wrong.
    pub async fn reset_password(
        &self,
        id: &str,
        input: NewPasswordInput,
        visitor: &Visitor,
    ) -> Result<(), Refusal> {
        visitor
            .transact(async || {
                let (own, target) = self.require_target(Action::ResetPassword, id, visitor).await?;
                let fields = self
                    .judge_new(&input.new, &input.confirm, &own.company, &target)
                    .await?;
                if !fields.is_empty() {
                    return Err(Refusal::Invalid { fields }.into());
                }
                let hash = self.inner.hasher.hash(&input.new, self.random()).await?;
                let (mut work, own, target) = self
                    .act_behind_locks(Action::ResetPassword, Hold::Accounts, target.id, visitor)
                    .await?;
                let receiver = own.receiver(&target);
                let password = PasswordToSet {
                    hash: &hash,
                    temporary_until: Some(self.temporary_until()),
                };
                self.reset_password_in(&mut work, receiver, password).await?;
                work.commit().await?;
                Ok(())
            })
            .await
    }

    /// Takes the password away from an agent who signs in with a provider: that is the only way in then, until a password
    /// is set again. Ends the agent's sessions, trusted browsers and links, and tells the agent.
    ///
    /// # Errors
    /// As [`crate::Console::agent`]; `OwnAccount`; `NoIdentity` when no provider is connected that the company lets in.
    pub async fn remove_password(&self, id: &str, visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .transact(async || {
                let (mut work, own, target) = self
                    .act_on(Action::ResetPassword, Hold::Company, id, visitor)
                    .await?;
                let company = own.company.id;
                let ways = self.ways_in(&mut work, company, target.id).await?;
                if ways.is_empty() {
                    return Err(Refusal::NoIdentity.into());
                }
                if !target.has_password {
                    return Ok(());
                }
                let receiver = own.receiver(&target);
                let names: Vec<&str> = ways.iter().map(|provider| provider.name()).collect();
                self.remove_password_in(&mut work, receiver, names.join(", "))
                    .await?;
                work.commit().await?;
                Ok(())
            })
            .await
    }

    /// Takes the account of a provider from an agent, who hears of it: somebody else has it now, say. Nothing to take away
    /// is fine.
    ///
    /// # Errors
    /// As [`crate::Console::agent`]; `OwnAccount`; `ProviderIsLastWayIn` when the agent has neither a password nor another provider.
    pub async fn disconnect_agent(
        &self,
        id: &str,
        provider: Provider,
        visitor: &Visitor,
    ) -> Result<(), Refusal> {
        visitor
            .transact(async || {
                let (mut work, own, target) = self
                    .act_on(Action::ResetPassword, Hold::Accounts, id, visitor)
                    .await?;
                let receiver = own.receiver(&target);
                let last = Refusal::ProviderIsLastWayIn;
                if self.unlink_in(&mut work, receiver, provider, last).await? {
                    work.commit().await?;
                }
                Ok(())
            })
            .await
    }

    /// Sends the agent a link to choose a new password, good for 30 minutes. The old password stays until then.
    ///
    /// # Errors
    /// As [`crate::Console::agent`]; `OwnAccount`.
    pub async fn send_reset_link(&self, id: &str, visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .transact(async || {
                let (mut work, own, target) = self
                    .act_on(Action::ResetPassword, Hold::Accounts, id, visitor)
                    .await?;
                let receiver = own.receiver(&target);
                let (link, expires_at) = self
                    .make_link(&mut work, receiver, LinkPurpose::ResetPassword, None)
                    .await?;
                let mail = Mail::ResetLink {
                    about: receiver.about(&Visitor::default()),
                    link,
                    minutes: u32::try_from(RESET_LINK_MINUTES).unwrap_or_default(),
                };
                let sending = Sending {
                    address: None,
                    expires_at,
                };
                self.tell_until(&mut work, receiver, mail, sending).await?;
                let entry = work.entry(Event::ResetLinkSent, own.company.id, Some(target.id));
                self.record(&mut work, &entry).await?;
                work.commit().await?;
                Ok(())
            })
            .await
    }

    /// Tells a new agent once more how to sign in, in the company's way of today: a new temporary password or a new link;
    /// the older one is dead.
    ///
    /// # Errors
    /// As [`crate::Console::agent`]; `AlreadyActivated` when the agent has chosen a password.
    pub async fn send_account_details(&self, id: &str, visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .transact(async || {
                let (own, target) = self
                    .require_target(Action::SendAccountDetails, id, visitor)
                    .await?;
                if !target.awaits_password() {
                    return Err(Refusal::AlreadyActivated.into());
                }
                let invitation = self.prepare_invitation(&own.company).await?;
                let unknown = self.unknown_password().await?;
                let (mut work, own, target) = self
                    .act_behind_locks(Action::SendAccountDetails, Hold::Accounts, target.id, visitor)
                    .await?;
                let receiver = own.receiver(&target);
                // They may have chosen one at this very moment.
                if !target.awaits_password() {
                    return Err(Refusal::AlreadyActivated.into());
                }
                self.invite_again(&mut work, receiver, &invitation, &unknown)
                    .await?;
                work.commit().await?;
                Ok(())
            })
            .await
    }

    /// Issues a backup code: good once, for 60 minutes, in place of any earlier one (N17). The agent is told by mail that
    /// there is one, and by whoever issued it what it is: [`crate::Console::issued_code`] shows it for a while to this session.
    ///
    /// # Errors
    /// As [`crate::Console::agent`]; `OwnAccount`; `Invalid` without a reason; `NoSecondFactor`; `TargetLocked`.
    pub async fn issue_backup_code_for(
        &self,
        id: &str,
        reason: &str,
        visitor: &Visitor,
    ) -> Result<BackupCode, Refusal> {
        let reason = trim(reason);
        visitor
            .transact(async || {
                let (_, target) = self.require_target(Action::IssueBackupCode, id, visitor).await?;
                if let Some(problem) = reason_problem(reason) {
                    return Err(Refusal::field(Field::Reason, problem).into());
                }
                let drawn = self.draw_issued_code().await?;
                let (mut work, own, target) = self
                    .act_behind_locks(Action::IssueBackupCode, Hold::Accounts, target.id, visitor)
                    .await?;
                let receiver = own.receiver(&target);
                if !target.has_second_factor() {
                    return Err(Refusal::NoSecondFactor.into());
                }
                if target.is_locked() {
                    return Err(Refusal::TargetLocked.into());
                }
                self.issue_code_in(&mut work, receiver, &drawn, reason).await?;
                let note = IssuedNote {
                    account: target.id,
                    code: Zeroizing::new(drawn.code.reveal()),
                };
                self.keep_note(&mut work, &own, NoteKind::IssuedCode, &note, CODES_SHOWN_SECONDS)
                    .await?;
                work.commit().await?;
                Ok(drawn.code)
            })
            .await
    }

    /// The backup code that this session has just issued for an agent, with a recent proof of identity; `None` when that was
    /// too long ago, or it was handed on.
    ///
    /// # Errors
    /// As [`crate::Console::agent`]; `StepUpNeeded` when there is one.
    pub async fn issued_code(
        &self,
        id: &str,
        visitor: &Visitor,
    ) -> Result<Option<Zeroizing<String>>, Refusal> {
        visitor
            .attempt(async {
                let (own, target) = self.require_target(Action::SeeAgents, id, visitor).await?;
                let mut reader = self.inner.store.read().await?;
                let note: Option<IssuedNote> =
                    self.kept_note(&mut reader, &own, NoteKind::IssuedCode).await?;
                let note = note.filter(|note| note.account == target.id);
                if note.is_some() {
                    self.step_up(&own)?;
                }
                Ok(note.map(|note| note.code))
            })
            .await
    }

    /// Forgets the backup code that this session has just issued for an agent: it was handed on. Nothing to forget is fine.
    ///
    /// # Errors
    /// As [`crate::Console::agent`].
    pub async fn forget_issued_code(&self, id: &str, visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .transact(async || {
                let (own, target) = self.require_target(Action::SeeAgents, id, visitor).await?;
                let mut writer = self.inner.store.write().await?;
                let note: Option<IssuedNote> =
                    self.kept_note(&mut writer, &own, NoteKind::IssuedCode).await?;
                // Another tab may have issued one for somebody else meanwhile.
                if note.is_some_and(|note| note.account == target.id) {
                    NoteKind::IssuedCode.forget(&mut writer, &own).await?;
                    writer.commit().await?;
                }
                Ok(())
            })
            .await
    }

    /// Unlocks an agent, sets the counter to zero and tells the agent. The counter of somebody who is not locked stays as it
    /// is: it is the guesses that are left.
    ///
    /// # Errors
    /// As [`crate::Console::agent`]; `OwnAccount`; `NotLocked`.
    pub async fn unlock_agent(&self, id: &str, visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .transact(async || {
                let (_, target) = self.require_target(Action::Unlock, id, visitor).await?;
                if self.unlock_behind_lock(target.id, visitor).await? {
                    Ok(())
                } else {
                    Err(Refusal::NotLocked.into())
                }
            })
            .await
    }

    /// Unlocks several agents; those that are not locked, and oneself, stay as they are.
    ///
    /// # Errors
    /// As [`crate::Console::activate_agents`].
    pub async fn unlock_agents(
        &self,
        chosen: impl Into<Chosen>,
        visitor: &Visitor,
    ) -> Result<Selected, Refusal> {
        let chosen = chosen.into();
        visitor
            .attempt(async {
                let own = self.allowed(Action::Unlock, visitor).await?;
                let ids = self.identifiers(Action::Unlock, &chosen, &own).await?;
                let unlock = |id| self.unlock_behind_lock(id, visitor);
                let (selected, _) = self.each(&own, &ids, visitor, unlock).await?;
                self.keep_outcome(&own, &selected, &[], visitor).await;
                Ok(selected)
            })
            .await
    }

    /// Ends all sessions and pending sign-ins of an agent; says how many sessions. The reason, unless it is left empty, goes
    /// into the audit log and is told where the sessions were.
    ///
    /// # Errors
    /// As [`crate::Console::agent`]; `Invalid` for the reason.
    pub async fn end_agent_sessions(
        &self,
        id: &str,
        reason: &str,
        visitor: &Visitor,
    ) -> Result<usize, Refusal> {
        visitor
            .transact(async || {
                let (_, target) = self.require_target(Action::EndSessions, id, visitor).await?;
                let reason = optional_reason(reason)?;
                let (mut work, own, target) = self
                    .act_behind_locks(Action::EndSessions, Hold::Accounts, target.id, visitor)
                    .await?;
                let receiver = own.receiver(&target);
                let ended = self.end_sessions_in(&mut work, receiver, reason).await?;
                work.commit().await?;
                Ok(usize::try_from(ended).unwrap_or(usize::MAX))
            })
            .await
    }
}

impl Service {
    async fn unlock_behind_lock(&self, target: AccountId, visitor: &Visitor) -> Result<bool, Failure> {
        let (mut work, own, target) = self
            .act_behind_locks(Action::Unlock, Hold::Accounts, target, visitor)
            .await?;
        if !target.is_locked() {
            return Ok(false);
        }
        let receiver = own.receiver(&target);
        let unlocked = self.unlock_in(&mut work, receiver).await?;
        work.commit().await?;
        Ok(unlocked)
    }
}
