//! How often the database was asked: with one some milliseconds away, that is what a page costs.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a database was asked since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Statements, those included that begin and end transactions.
    pub statements: u64,
    /// Commits, those included of statements that stand alone.
    pub commits: u64,
}

/// Counts for all connections of a store.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    statements: AtomicU64,
    commits: AtomicU64,
}

impl Counter {
    pub(crate) fn statement(&self) {
        self.statements.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn commit(&self) {
        self.commits.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Traffic {
        Traffic {
            statements: self.statements.load(Ordering::Relaxed),
            commits: self.commits.load(Ordering::Relaxed),
        }
    }
}
