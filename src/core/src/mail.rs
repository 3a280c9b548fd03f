//! What a mail says, before it has words: which mail, to whom, in which language, and until when it is of use.

use serde::{Deserialize, Serialize};

use crate::{
    id::{AccountId, CompanyId, PendingId},
    ports::Moment,
};

/// Which mail, with the facts it states (product.md section 5). It is encrypted in the outbox: codes and links do
/// not lie around in the database.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mail", rename_all = "snake_case")]
pub enum Mail {
    /// The code for a sign-in.
    SignInCode {
        /// How the receiver is addressed.
        name: String,
        /// The company.
        company: String,
        /// Six digits.
        code: String,
        /// Minutes it is good for.
        minutes: u32,
        /// The browser that asked for it, such as "Firefox on Windows"; empty = unknown.
        browser: String,
        /// The network address that asked for it; empty = unknown.
        address: String,
    },
    /// The account was locked by wrong codes.
    AccountLocked {
        /// How the receiver is addressed.
        name: String,
        /// The company.
        company: String,
        /// The account.
        account: String,
        /// The browser of the last wrong code; empty = unknown.
        browser: String,
        /// The network address of the last wrong code; empty = unknown.
        address: String,
    },
    /// The account was unlocked.
    AccountUnlocked {
        /// How the receiver is addressed.
        name: String,
        /// The company.
        company: String,
        /// The account.
        account: String,
        /// Where to sign in.
        link: String,
    },
}

impl Mail {
    /// The stored kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::SignInCode { .. } => "sign_in_code",
            Self::AccountLocked { .. } => "account_locked",
            Self::AccountUnlocked { .. } => "account_unlocked",
        }
    }

    /// Mails somebody waits for go before all others; smaller is sooner.
    pub const fn priority(&self) -> i64 {
        match self {
            Self::SignInCode { .. } => 0,
            Self::AccountLocked { .. } | Self::AccountUnlocked { .. } => 10,
        }
    }
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mail({})", self.kind())
    }
}

/// A mail on its way into the outbox.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The company it belongs to.
    pub company: CompanyId,
    /// The account it goes to.
    pub account: AccountId,
    /// The receiver's address: always the stored one.
    pub receiver: String,
    /// Language tag of the receiver.
    pub language: String,
    /// What it says.
    pub mail: Mail,
    /// After this moment it is of no use and must not be sent any more.
    pub expires_at: Option<Moment>,
    /// The pending sign-in whose code page shows how this mail is doing.
    pub pending: Option<PendingId>,
}
