//! The gate of the console: session, right, step-up, and the locks behind which all of that is asked again.

use crate::{
    Failure, Service, Visitor,
    letters::Receiver,
    sessions::{Need, SignedIn},
    work::{By, Work},
};
use vestibule_core::{
    account::Account,
    audit::{AuditEntry, Event},
    id::AccountId,
    refusal::Refusal,
    rights::{Action, Scope},
};

/// What a change holds until it is saved. Everybody takes these in one order: the company, then accounts in the order
/// of their identifiers, so that two admins who act on each other do not wait for each other for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// The accounts it is about.
    Accounts,
    /// The company besides: whatever may leave it with fewer admins, or changes the company itself.
    Company,
}

/// A change of somebody's account under way: the transaction, who acts, and whom it is done to.
type Act<'a> = (Work<'a>, SignedIn, Account);

impl SignedIn {
    /// Who acts, for the audit log.
    pub(crate) fn by<'a>(&self, visitor: &'a Visitor) -> By<'a> {
        By::account(self.account.id, visitor)
    }

    /// A colleague who is told what is done to their account.
    pub(crate) const fn receiver<'a>(&'a self, colleague: &'a Account) -> Receiver<'a> {
        Receiver::new(&self.company, colleague)
    }

    fn scope(&self, action: Action) -> Scope {
        action.scope(self.account.highest_role())
    }

    /// Whether `action` may be done to this account.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] outside the scope; `OwnAccount` for what is never done to oneself.
    fn may_reach(&self, action: Action, target: &Account) -> Result<(), Refusal> {
        if !self.scope(action).holds(&self.account, target) {
            return Err(Refusal::NotFound);
        }
        if !action.reaches(&self.account, target) {
            return Err(Refusal::OwnAccount);
        }
        Ok(())
    }
}

impl Service {
    /// The session of this browser, if its account's role may do `action` to anybody and, where the action asks for
    /// it, identity was proved moments ago. Counts as activity; a missing right is noted in the audit log.
    pub(crate) async fn allowed(&self, action: Action, visitor: &Visitor) -> Result<SignedIn, Failure> {
        let own = self.require(Need::Home, visitor).await?;
        if own.scope(action) == Scope::Nobody {
            return Err(self.forbid(action, &own, visitor).await?);
        }
        self.proved_for(action, &own)?;
        Ok(own)
    }

    /// The account with this identifier, if `action` may be done to it.
    pub(crate) async fn require_target(
        &self,
        action: Action,
        id: &str,
        visitor: &Visitor,
    ) -> Result<(SignedIn, Account), Failure> {
        let (own, target) = self.require_in_scope(action, id, visitor).await?;
        own.may_reach(action, &target)?;
        Ok((own, target))
    }

    /// The account with this identifier, if it lies in the scope of `action`. What is unknown, foreign, out of scope or no
    /// identifier at all is the same: not there.
    pub(crate) async fn require_in_scope(
        &self,
        action: Action,
        id: &str,
        visitor: &Visitor,
    ) -> Result<(SignedIn, Account), Failure> {
        let own = self.allowed(action, visitor).await?;
        let id = AccountId::parse(id).ok_or(Refusal::NotFound)?;
        let mut reader = self.inner.store.read().await?;
        let target = reader
            .account(own.company.id, id)
            .await?
            .filter(|target| own.scope(action).holds(&own.account, target))
            .ok_or(Refusal::NotFound)?;
        Ok((own, target))
    }

    /// Begins a change of the company: the session and its rights are asked again behind the locks.
    pub(crate) async fn act<'a>(
        &self,
        action: Action,
        hold: Hold,
        visitor: &'a Visitor,
    ) -> Result<(Work<'a>, SignedIn), Failure> {
        self.enter_console(action, hold, None, visitor).await
    }

    /// Begins a change of an account: the session, its rights and whether the account lies in their scope are asked
    /// before anything is locked, and again behind the locks.
    pub(crate) async fn act_on<'a>(
        &self,
        action: Action,
        hold: Hold,
        id: &str,
        visitor: &'a Visitor,
    ) -> Result<Act<'a>, Failure> {
        let (_, target) = self.require_target(action, id, visitor).await?;
        self.act_behind_locks(action, hold, target.id, visitor).await
    }

    /// The second half of [`Service::act_on`], for a change that does something slow between the two.
    pub(crate) async fn act_behind_locks<'a>(
        &self,
        action: Action,
        hold: Hold,
        target: AccountId,
        visitor: &'a Visitor,
    ) -> Result<Act<'a>, Failure> {
        let (mut work, own) = self.enter_console(action, hold, Some(target), visitor).await?;
        let found = work.account(own.company.id, target).await?;
        let target = found.ok_or(Refusal::NotFound)?;
        own.may_reach(action, &target)?;
        Ok((work, own, target))
    }

    /// Asks for a whole and recent proof of identity (N21).
    ///
    /// # Errors
    /// `StepUpNeeded`; what the gate says.
    pub(crate) fn step_up(&self, own: &SignedIn) -> Result<(), Failure> {
        self.meets(own, Need::ProvedHome)
    }

    async fn enter_console<'a>(
        &self,
        action: Action,
        hold: Hold,
        target: Option<AccountId>,
        visitor: &'a Visitor,
    ) -> Result<(Work<'a>, SignedIn), Failure> {
        let mut writer = self.inner.store.write().await?;
        let token = visitor.session.as_ref().ok_or(Refusal::NotSignedIn)?.hash();
        let row = writer
            .session_by_token(token)
            .await?
            .ok_or(Refusal::NotSignedIn)?;
        if hold == Hold::Company {
            writer.hold_company(row.company.id).await?;
        }
        let mut accounts = vec![row.account.id];
        accounts.extend(target);
        accounts.sort_unstable();
        accounts.dedup();
        for account in accounts {
            writer.hold_account(row.company.id, account).await?;
        }
        let row = writer
            .session_by_token(token)
            .await?
            .filter(|row| self.is_live(row))
            .ok_or(Refusal::NotSignedIn)?;
        let own = SignedIn::from(row);
        self.meets(&own, Need::Home)?;
        if own.scope(action) == Scope::Nobody {
            // The refusal is noted in a transaction of its own, which would wait for this one.
            drop(writer);
            return Err(self.forbid(action, &own, visitor).await?);
        }
        self.proved_for(action, &own)?;
        Ok((Work::new(writer, own.by(visitor)), own))
    }

    /// Notes that somebody tried what their role may not.
    async fn forbid(&self, action: Action, own: &SignedIn, visitor: &Visitor) -> Result<Failure, Failure> {
        let entry = AuditEntry {
            detail: Some(format!("{action:?}")),
            ..own
                .by(visitor)
                .entry(Event::RightRefused, own.company.id, Some(own.account.id))
        };
        self.note(entry).await?;
        Ok(Refusal::Forbidden.into())
    }

    /// Asks for a step-up where the action does. Whoever is locked has none: two stolen sessions would unlock each other for
    /// ever.
    fn proved_for(&self, action: Action, own: &SignedIn) -> Result<(), Failure> {
        if action.needs_step_up() {
            self.step_up(own)?;
        }
        Ok(())
    }
}
