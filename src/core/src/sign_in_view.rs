//! What the sign-in screens show: plain data that the server fills in and the browser's half reads.

use serde::{Deserialize, Serialize};

/// Where a server function sends the browser when it succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Onward {
    /// A local path.
    pub to: String,
}

/// How the mail with the code is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeMail {
    /// Waiting in the outbox, or on its way.
    Queued,
    /// The mail server took it.
    Sent,
    /// The mail server refuses or cannot be reached.
    Failing,
    /// None was sent: too many codes went to this account lately.
    Limited,
}

/// What the code page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeView {
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
