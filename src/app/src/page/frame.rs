//! What all pages share, and what a document has to know of its page.

use std::borrow::Cow;

use leptos::prelude::AnyView;
use vestibule_core::account::Role;
use vestibule_translations::Locale;

use super::{Links, When};

/// One page: what all pages share, and what this one shows.
#[derive(Clone, Debug)]
pub struct Page<C> {
    /// What all pages share.
    pub frame: Frame,
    /// What this one shows.
    pub content: C,
}

/// What a page shows, and what the document around it has to know of it.
pub trait Content {
    /// Title, sheets and scripts.
    fn head(&self, now: Locale) -> Head;

    /// Everything inside the body of the document.
    fn view(self, frame: Frame) -> AnyView;

    /// What the island of the page reads when it comes to life, as JSON.
    fn island(&self, _frame: &Frame) -> Option<String> {
        None
    }
}

/// What the document around a page has to know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Title, without the name of the product.
    pub title: Cow<'static, str>,
    /// Style sheets besides the one of all pages.
    pub sheets: &'static [Sheet],
    /// Whether the script of the pages of an account is loaded.
    pub account_script: bool,
    /// When the document is loaded anew by itself.
    pub refresh: Option<Refresh>,
}

impl Head {
    /// A page with this title and these sheets.
    pub fn new(title: impl Into<Cow<'static, str>>, sheets: &'static [Sheet]) -> Self {
        Self {
            title: title.into(),
            sheets,
            account_script: false,
            refresh: None,
        }
    }

    /// The same with the script of the pages of an account.
    #[must_use]
    pub fn with_account_script(self) -> Self {
        Self {
            account_script: true,
            ..self
        }
    }

    /// The same for a page that is loaded anew by itself.
    #[must_use]
    pub fn refreshed(self, refresh: Option<Refresh>) -> Self {
        Self { refresh, ..self }
    }
}

/// A style sheet besides the one of all pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sheet {
    /// Of the pages of an account.
    Account,
    /// Of the console; its script comes with it.
    Console,
}

/// When a document is loaded anew by itself, without scripts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// Something is under way: it shows how that goes on.
    Soon,
    /// Something may come: it is looked for every few seconds.
    Often,
    /// At once, from another address. A redirect after a form may lead to this site only; and coming back, only a page of
    /// this site brings all cookies.
    To(String),
}

/// What all pages share.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Language of the page.
    pub locale: Locale,
    /// Address of the page, a local path: the language form comes back to it.
    pub path: String,
    /// Where the links in the footer lead.
    pub links: Links,
    /// Nonce of this answer's Content-Security-Policy.
    pub nonce: String,
    /// Addresses of the hashed files.
    pub assets: Assets,
    /// Who is signed in, for pages that need it.
    pub signed_in: Option<SignedIn>,
    /// Whether the page answers a form: then it is lost by leaving it.
    pub answers_form: bool,
    /// Whether the page says why something was refused: its title says so too.
    pub refused: bool,
}

/// Addresses of the files a page loads, such as `/assets/vestibule.4f2a….css`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assets {
    /// Style sheet.
    pub style: String,
    /// Style sheet of the pages of an account, besides the other.
    pub account_style: String,
    /// Style sheet of the console, besides the others.
    pub console_style: String,
    /// Script of the pages of an account.
    pub account_script: String,
    /// Script of the console.
    pub console_script: String,
    /// Script of all pages of somebody who is signed in.
    pub session_script: String,
    /// Script that loads the WebAssembly and brings the islands to life.
    pub script: String,
    /// Bindings, loaded by the script.
    pub bindings: String,
    /// WebAssembly, loaded by the script.
    pub wasm: String,
    /// The texts of the islands, by language tag.
    pub texts: Vec<(String, String)>,
    /// Logo.
    pub logo: String,
    /// Icon of the browser's tab.
    pub icon: String,
}

/// Until when a session lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionEnd {
    /// Seconds until then.
    pub left: u32,
    /// Whether it ends then only if nobody does anything.
    pub idle: bool,
    /// The moment.
    pub at: When,
}

/// Who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Alias of the account.
    pub alias: String,
    /// Account name.
    pub account: String,
    /// E-mail address.
    pub email: String,
    /// Company.
    pub company: String,
    /// Highest role.
    pub role: Role,
    /// Whether a second factor has to be set up first: no page but that and `Logout` is open.
    pub confined: bool,
    /// Until when the session lasts, where that is known.
    pub ends: Option<SessionEnd>,
}
