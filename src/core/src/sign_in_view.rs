//! What the sign-in screens show: plain data that the server fills in and the browser's half reads.

use serde::{Deserialize, Serialize};

use crate::words;

/// Where a server function sends the browser when it succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Onward {
    /// A local path.
    pub to: String,
}

words! {
    /// How the mail with the code is doing.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum CodeMail {
        /// Waiting in the outbox, or on its way.
        Queued = "queued",
        /// The mail server took it.
        Sent = "sent",
        /// The mail server refuses or cannot be reached, and is asked again.
        Failing = "failing",
        /// It was given up: nothing is tried any more.
        GivenUp = "given_up",
        /// The receiver's mail server refused it for good: another one would fare no better.
        Undeliverable = "undeliverable",
        /// None was sent: too many codes went to this account lately.
        Limited = "limited",
    }
}

words! {
    /// How a second factor is proved.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Method {
        /// A code by e-mail.
        Email = "email",
        /// A code of an authenticator app.
        App = "app",
    }
}

/// What the code page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeView {
    /// The method that is asked for.
    pub method: Method,
    /// Whether the account has the other method too: `Use another method`.
    pub other_method: bool,
    /// Whether this is a step-up of somebody who is signed in, and not a sign-in.
    pub step_up: bool,
    /// The masked address, such as `a***@d***.test`.
    pub mailed_to: String,
    /// How the mail is doing.
    pub mail: CodeMail,
    /// Seconds until `Resend` is allowed; 0 = now.
    pub resend_in: u32,
    /// Whether this pending sign-in has resends left.
    pub resends_left: bool,
    /// Days of `Don't ask again for N days`, when the company's policy offers it.
    pub trust_days: Option<u16>,
}
