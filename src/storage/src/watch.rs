//! Who remembers sessions is told what may have changed about them.

use std::sync::OnceLock;

use vestibule_core::id::{AccountId, CompanyId, SessionId};

/// What a transaction may have changed about sessions: whoever holds an account or a company may change what sessions of
/// it are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// A session.
    Session(SessionId),
    /// Sessions of an account.
    Account(AccountId),
    /// Sessions of a company.
    Company(CompanyId),
}

type Listener = Box<dyn Fn(&[Changed]) + Send + Sync>;

/// Where whoever remembers sessions listens.
#[derive(Default)]
pub(crate) struct Watch(OnceLock<Listener>);

impl Watch {
    /// The first listener stays the only one.
    pub(crate) fn listen(&self, listener: Listener) {
        let _ = self.0.set(listener);
    }

    /// Tells of a transaction that has become final.
    pub(crate) fn tell(&self, changed: &[Changed]) {
        if let Some(listener) = self.0.get()
            && !changed.is_empty()
        {
            listener(changed);
        }
    }
}
