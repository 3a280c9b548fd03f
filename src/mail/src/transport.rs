//! The ways a mail can take, and how one fails.

use crate::{envelope::Envelope, mailbox::Mailbox, smtp::SmtpTransport};

/// Why a mail was not taken. Its `Display` is the word that the outbox keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The server's computer refuses connections: no mail server runs there.
    Refused,
    /// No way to the server, no mail server speaks there, or the connection broke.
    Unreachable,
    /// The server did not finish the conversation in time (N27).
    TimedOut,
    /// No encrypted connection as the settings demand it, or a certificate that is not to be trusted.
    Tls,
    /// The server offers no way to sign in that takes a user and a password. What it offers is in [`Try::said`].
    NoSignIn,
    /// The server of a company lies inside the operator's network, where companies may not send mail.
    Forbidden,
    /// The server answered with this code, 400-599.
    Rejected(u16),
    /// No server can take an address of the mail, or this one cannot: it has letters that its server does not know.
    Address,
    /// Anything else.
    Other,
}

impl Reason {
    /// Whether the server asks for another sign-in, or for encryption: that says nothing about the mail, but about the settings.
    pub const fn is_about_sign_in(self) -> bool {
        matches!(self, Self::Rejected(530 | 534 | 535 | 538))
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused => f.write_str("refused"),
            Self::Unreachable => f.write_str("unreachable"),
            Self::TimedOut => f.write_str("timed_out"),
            Self::Tls => f.write_str("tls"),
            Self::NoSignIn => f.write_str("no_sign_in"),
            Self::Forbidden => f.write_str("forbidden"),
            Self::Rejected(code) => write!(f, "rejected_{code}"),
            Self::Address => f.write_str("address"),
            Self::Other => f.write_str("other"),
        }
    }
}

/// A mail was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// It may be taken later.
    #[error("not now: {0}")]
    Temporary(Reason),
    /// It will never be taken.
    #[error("never: {0}")]
    Permanent(Reason),
}

impl SendError {
    /// Why.
    pub const fn reason(self) -> Reason {
        match self {
            Self::Temporary(reason) | Self::Permanent(reason) => reason,
        }
    }
}

/// How one try went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Try {
    /// Whether the mail was taken.
    pub result: Result<(), SendError>,
    /// What the server said last: one line of at most 200 characters, without the password; empty when it did not
    /// speak. For the eyes of whoever configures the server.
    pub said: String,
}

impl Try {
    /// A try that was not even begun.
    pub const fn not_begun(error: SendError) -> Self {
        Self {
            result: Err(error),
            said: String::new(),
        }
    }
}

/// Where mails go. Clones share connections and mails.
#[derive(Clone)]
pub enum Transport {
    /// To a mail server.
    Smtp(SmtpTransport),
    /// Into the mailbox of the demo and of tests.
    Mailbox(Mailbox),
}

impl Transport {
    /// Sends one mail. It ends in time (N27), whatever the mail server does.
    pub async fn send(&self, envelope: &Envelope) -> Try {
        match self {
            Self::Smtp(smtp) => smtp.send(envelope).await,
            Self::Mailbox(mailbox) => {
                mailbox.deliver(envelope);
                Try {
                    result: Ok(()),
                    said: String::new(),
                }
            }
        }
    }

    /// Says goodbye on connections that were not used for a while.
    pub(crate) fn sweep(&self) {
        if let Self::Smtp(smtp) = self {
            smtp.sweep();
        }
    }

    /// Says goodbye on all connections that are not in use.
    pub async fn close(&self) {
        if let Self::Smtp(smtp) = self {
            smtp.close().await;
        }
    }
}
