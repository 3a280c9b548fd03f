//! A unit of work: what somebody changes, the lines of the audit log about it and the mails that tell of it become final
//! together, and whoever waits for mail wakes up then.

use std::ops::{Deref, DerefMut};

use vestibule_core::{
    account::Account,
    audit::{Actor, AuditEntry, Event},
    id::{AccountId, CompanyId},
};
use vestibule_storage::{StoreError, Writer};

use crate::Visitor;

/// Who does something, and from where.
pub(crate) struct By<'a> {
    actor: Actor,
    /// `None`: not from a browser.
    visitor: Option<&'a Visitor>,
}

impl<'a> By<'a> {
    /// An account, in a browser.
    pub const fn account(account: AccountId, visitor: &'a Visitor) -> Self {
        Self {
            actor: Actor::Account(account),
            visitor: Some(visitor),
        }
    }

    /// An operator, at a command line.
    pub const fn operator() -> Self {
        Self {
            actor: Actor::Operator,
            visitor: None,
        }
    }

    /// A line of the audit log about what they did.
    pub fn entry(&self, event: Event, company: CompanyId, target: Option<AccountId>) -> AuditEntry {
        self.entry_of(event, Some(company), target)
    }

    /// The same about what may be no company's.
    pub fn entry_of(
        &self,
        event: Event,
        company: Option<CompanyId>,
        target: Option<AccountId>,
    ) -> AuditEntry {
        let place = self.visitor.cloned().unwrap_or_default();
        AuditEntry {
            actor: self.actor.clone(),
            ..place.entry(event, company, target)
        }
    }
}

/// A transaction in which somebody acts. Dropped before [`Work::commit`], nothing of it has happened.
pub(crate) struct Work<'a> {
    writer: Writer,
    by: By<'a>,
}

impl<'a> Work<'a> {
    /// What is begun here is done by `by`.
    pub const fn new(writer: Writer, by: By<'a>) -> Self {
        Self { writer, by }
    }

    /// A line of the audit log about what is done.
    pub fn entry(&self, event: Event, company: CompanyId, target: Option<AccountId>) -> AuditEntry {
        self.by.entry(event, company, target)
    }

    /// The same about what may be no company's.
    pub fn entry_of(
        &self,
        event: Event,
        company: Option<CompanyId>,
        target: Option<AccountId>,
    ) -> AuditEntry {
        self.by.entry_of(event, company, target)
    }

    /// What a mail to this account may say about the place: where somebody else sits is no business of theirs.
    pub fn seen_by(&self, account: &Account) -> Visitor {
        let own = self.by.actor == Actor::Account(account.id);
        self.by.visitor.filter(|_| own).cloned().unwrap_or_default()
    }

    /// Where it is done from, for mails to colleagues.
    pub fn place(&self) -> Visitor {
        self.by.visitor.cloned().unwrap_or_default()
    }

    /// Makes it all final.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.writer.commit().await
    }
}

impl Deref for Work<'_> {
    type Target = Writer;

    fn deref(&self) -> &Writer {
        &self.writer
    }
}

impl DerefMut for Work<'_> {
    fn deref_mut(&mut self) -> &mut Writer {
        &mut self.writer
    }
}
