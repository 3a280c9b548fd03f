//! Mails: their words, their looks and their way to a mail server.
//!
//! [`compose::compose`] turns the facts of a [`vestibule_core::mail::Mail`] into subject, text and HTML in the
//! receiver's language. [`Transport`] carries an [`Envelope`] to a mail server, or into the [`Mailbox`] of the demo
//! and of tests. [`outbox`] holds the rules of sending again and the [`outbox::Worker`] that empties the outbox.
//!
//! Codes, links and passwords of the mail server are in no log line and in no `Debug` output of this crate.

pub mod compose;
mod envelope;
mod mailbox;
pub mod outbox;
pub mod preview;
pub mod smtp;
mod transport;

pub use compose::{Message, compose};
pub use envelope::{Envelope, NotASender, Sender};
pub use mailbox::{Mailbox, StoredMail};
pub use smtp::{CheckedHost, Encryption, Reach, SettingsError, SmtpSettings, SmtpTransport, is_public};
pub use transport::{Reason, SendError, Transport, Try};
