//! The database of Vestibule: SQLite or PostgreSQL behind one set of statements.
//!
//! [`Store::read`] gives a [`Reader`], [`Store::write`] a [`Writer`]: a transaction in which every read works too.
//! There are no rules in here. Services load, let `vestibule_core` decide, and write the outcome down in one
//! [`Writer`]. What must hold even when many requests arrive at once is one conditional statement: counting a wrong
//! code, using a code, completing a pending sign-in, claiming a mail.
//!
//! Every method takes the company first where there is one, and every statement asks for it: another company's
//! identifiers are as if they did not exist. Secrets are stored as hashes only; mails are stored encrypted.

mod account;
mod audit;
mod cleanup;
mod code;
mod columns;
mod company;
mod error;
mod link;
mod outbox;
mod pending;
#[cfg(test)]
mod plans;
mod session;
mod store;
#[cfg(feature = "test-support")]
pub mod test_support;
mod throttle;
mod trusted;

pub use account::{NewAccount, PasswordRecord};
pub use audit::EventRow;
pub use code::{CodeRow, NewCode};
pub use company::NewCompany;
pub use error::{Cause, StoreError, Unique};
pub use link::{Reader, Writer};
pub use outbox::{MailProgress, NewMail, OutboxRow};
pub use pending::NewPending;
pub use session::{NewSession, SessionEntry, SessionRow};
pub use store::{Store, StoreOptions};
pub use throttle::{FOREVER, SourceCounts, SourceTry};
pub use trusted::{NewTrusted, TrustedRow};
