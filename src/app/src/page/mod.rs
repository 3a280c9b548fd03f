//! What every page is made of, and what the two live ones show.

#[cfg(feature = "ssr")]
mod field;
#[cfg(feature = "ssr")]
mod frame;

#[cfg(feature = "ssr")]
pub use field::{Typed, When};
#[cfg(feature = "ssr")]
pub use frame::{Assets, Content, Frame, Head, Page, Refresh, SessionEnd, Sheet, SignedIn};
use serde::{Deserialize, Serialize};
use vestibule_core::{refusal::Refusal, sign_in_view::CodeView};

/// Links of the footer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Links {
    /// Terms of Service.
    pub terms: String,
    /// Privacy Policy.
    pub privacy: String,
    /// The demo's local mailbox, when there is one.
    pub mailbox: Option<String>,
}

/// The sign-in page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginPage {
    /// Company to start with.
    pub company: String,
    /// Account to start with: empty unless a plain form came back, or the visitor has just chosen a password.
    pub account: String,
    /// Deep link asked for before: a local path.
    pub next: Option<String>,
    /// Why the last try was refused.
    pub refusal: Option<Refusal>,
    /// What to know before signing in: the tag of every language, and the sentence in it. It is said seldom, so it comes from
    /// the server and not with the island.
    pub notice: Vec<(String, String)>,
    /// Whether that is good news.
    pub good: bool,
    /// Where `Forgot Password` leads, with the company.
    pub forgot: String,
    /// The providers to sign in with: names, and where their buttons lead.
    pub providers: Vec<(String, String)>,
}

/// The code page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodePage {
    /// The state of the pending sign-in.
    pub view: CodeView,
    /// Why the last try was refused.
    pub refusal: Option<Refusal>,
    /// Whether a new code was just asked for.
    pub resent: bool,
    /// Whether `Don't ask again` was ticked before a plain form came back.
    pub trust: bool,
    /// Whether a backup code is asked for: one plain field instead of six boxes.
    pub backup: bool,
}
