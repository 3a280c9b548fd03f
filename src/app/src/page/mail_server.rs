//! The pages of a company's own mail server (product.md section 3, Custom SMTP Server).

use vestibule_core::refusal::Refusal;

use super::{Typed, When};

/// `/admin/mail`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailServerPage {
    /// Version that is saved over; 0 = there is none yet.
    pub version: i64,
    /// `own`, or `installation`.
    pub way: Typed,
    /// Host name or network address.
    pub host: Typed,
    /// Port.
    pub port: Typed,
    /// Word of how connections are encrypted.
    pub security: Typed,
    /// User to sign in with.
    pub user: Typed,
    /// Whether a password is stored.
    pub has_password: bool,
    /// Whom mails are from.
    pub sender: Typed,
    /// Where answers go.
    pub reply_to: Typed,
    /// Whether mails go through the installation's server when this one fails.
    pub fall_back: bool,
    /// Where a test mail would go.
    pub email: String,
    /// When the newest test mail was asked for, if that is not long ago.
    pub last_test: Option<When>,
    /// Whether it was just saved.
    pub saved: bool,
    /// Why the last try was refused.
    pub refusal: Option<Refusal>,
}

/// `/admin/mail/test`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestMailPage {
    /// The newest test mail; `None` = none was sent lately.
    pub test: Option<TestMail>,
    /// Why another was not sent.
    pub refusal: Option<Refusal>,
}

/// How a test mail is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestMail {
    /// Where it went.
    pub email: String,
    /// When it was asked for.
    pub at: When,
    /// What became of it.
    pub outcome: TestOutcome,
    /// What the server said.
    pub answer: Option<String>,
}

/// What became of a test mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestOutcome {
    /// It is on its way.
    Waiting,
    /// The server took it.
    Sent,
    /// It was not taken; with the word that the outbox keeps.
    Failed(String),
}

impl TestMailPage {
    /// Whether an answer is still to come.
    pub fn is_waiting(&self) -> bool {
        let outcome = self.test.as_ref().map(|test| &test.outcome);
        outcome == Some(&TestOutcome::Waiting)
    }
}
