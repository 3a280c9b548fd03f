//! The database of Vestibule: SQLite or PostgreSQL behind one set of statements.
//!
//! [`Store::read`] gives a [`Reader`], [`Store::write`] a [`Writer`]: a transaction in which every read works too.
//! There are no rules in here. Services load, let `vestibule_core` decide, and write the outcome down in one
//! [`Writer`]. What must hold even when many requests arrive at once is one conditional statement: counting a wrong
//! code, using a code or a step of an app, completing a pending sign-in, claiming a mail.
//!
//! Transactions take what they lock in one order, which stands at [`Writer`]; one that the database ends for others
//! all the same is run once more by [`again`].
//!
//! Every method takes the company first where there is one, and every statement asks for it: another company's
//! identifiers are as if they did not exist. Secrets are stored as hashes only; mails and the secrets
//! of authenticator apps, which must be read again, are stored encrypted.

mod account;
mod again;
mod agents;
mod application;
mod application_session;
mod audit;
mod authenticator;
pub mod backup;
mod backup_code;
mod built;
mod carried;
mod cleanup;
mod code;
mod columns;
mod company;
mod contact;
pub mod copy;
mod error;
mod file;
mod folding;
mod grant;
mod import;
mod kept;
mod key_check;
mod later;
mod link;
mod links;
mod mail_server;
mod node;
mod note;
mod office;
mod others;
mod outbox;
mod overview;
mod pending;
#[cfg(test)]
mod plans;
mod presence;
mod profile;
mod reset_request;
mod retention;
mod session;
mod set_up;
mod sign_in;
mod signing_key;
mod sso;
mod store;
mod tally;
#[cfg(feature = "test-support")]
pub mod test_support;
mod throttle;
mod ticket;
mod traffic;
mod trusted;
mod watch;
mod words;

pub use account::{CodeCount, NewAccount, PasswordRecord};
pub use again::{Failed, again};
pub use agents::{AgentCounts, AgentData, AgentPage, PageFrom};
pub use application::{ApplicationSecretRow, NewApplicationSecret};
pub use application_session::{ApplicationSessionRow, NewApplicationSession};
pub use audit::{EventFilter, EventPage, EventRow};
pub use authenticator::AppRow;
pub use backup_code::{BackupCodeRow, BackupSet, IssuedRow, NewIssuedCode};
pub use carried::NewCarried;
pub use code::{CodeRow, MailedCodeRow, NewCode};
pub use company::NewCompany;
pub use error::{Cause, StoreError, Unique};
pub use folding::Twins;
pub use grant::{
    AccessTokenRow, GrantRow, LogoutNotice, NewAccessToken, NewGrant, RefreshTokenRow, SessionOfApplications,
};
pub use import::{ImportLine, ImportRow, ImportState, NewImport};
pub use kept::{KeptRow, NewKept};
pub use key_check::KeyCheckRow;
pub use link::{Reader, Writer};
pub use links::{LinkRow, NewLink};
pub use mail_server::MailServerRow;
pub use node::NodeRow;
pub use office::Office;
pub use outbox::{MailLane, MailProgress, NewMail, OutboxCounts, OutboxRow, TestMailRow};
pub use overview::{CompanyCounts, InstallationCounts, Waiting};
pub use pending::{Completion, NewPending, Underway};
pub use reset_request::ResetRequest;
pub use session::{CompanySession, EndedRow, NewSession, SessionEntry, SessionRow};
pub use set_up::{NewSetUp, SetUpCodeRow, SetUpRow};
pub use sign_in::{Entrant, Typed, WrongCodes};
pub use signing_key::SigningKeyRow;
pub use sso::{LinkedIdentity, NewSsoFlow, SsoApplicationRow, SsoClient, SsoFlowRow};
pub use store::{Store, StoreOptions, open_to_everybody};
pub use throttle::{FOREVER, PasswordCount};
pub use ticket::{NewTicket, TicketRow};
pub use traffic::Traffic;
pub use trusted::{NewTrusted, TrustedRow};
pub use watch::{Changed, Hearing};
