//! What a mail says, before it has words: which mail, to whom, in which language, and until when it is of use.

use serde::{Deserialize, Serialize};

use crate::{
    account::TimeFormat,
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
        /// The browser that asked for it, as [`Browser`](crate::browser::Browser) reads it; empty = unknown.
        browser: String,
        /// The network address that asked for it; empty = unknown.
        address: String,
        /// How the receiver reads times.
        #[serde(default)]
        times: TimeStyle,
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
        /// How the receiver reads times.
        #[serde(default)]
        times: TimeStyle,
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
    /// The code that confirms who somebody is before credentials are changed.
    ConfirmCode {
        /// Who asked for it, and where.
        about: About,
        /// Six digits.
        code: String,
        /// Minutes it is good for.
        minutes: u32,
    },
    /// The code that turns codes by e-mail on.
    SetUpCode {
        /// Who asked for it, and where.
        about: About,
        /// Six digits.
        code: String,
        /// Minutes it is good for.
        minutes: u32,
    },
    /// The password was changed by its owner.
    PasswordChanged {
        /// Whose, and where it happened.
        about: About,
    },
    /// A second factor was turned on or off, or backup codes were made.
    SecondFactorChanged {
        /// Whose, and where it happened.
        about: About,
        /// What changed.
        change: FactorChange,
    },
    /// One of the ten backup codes was used.
    BackupCodeUsed {
        /// Whose, and where it happened.
        about: About,
        /// How many are left, 0 to 9.
        left: u32,
    },
    /// An administrator or an operator issued a backup code; the code itself is told by the administrator.
    BackupCodeIssued {
        /// For whom.
        about: About,
        /// Minutes it is good for.
        minutes: u32,
    },
    /// A sign-in came from a browser that the account had not used before.
    NewBrowser {
        /// Whose, and where it happened.
        about: About,
    },
    /// A session was ended because the password was entered wrongly too often in it.
    SessionCut {
        /// Whose, and where it happened.
        about: About,
    },
    /// Account details for a new agent, with a temporary password (product.md section 5).
    AccountDetails {
        /// For whom.
        about: About,
        /// Login URL.
        sign_in: String,
        /// Login Email.
        email: String,
        /// Login Password: a temporary one.
        password: String,
        /// Hours it is good for.
        hours: u32,
    },
    /// A link under which a new agent chooses a password.
    ActivationLink {
        /// For whom.
        about: About,
        /// The link.
        link: String,
        /// Login URL, for later; empty in mails of a version that did not say it.
        #[serde(default)]
        sign_in: String,
        /// Hours it is good for.
        hours: u32,
    },
    /// A link to choose a new password.
    ResetLink {
        /// For whom, and who asked for it.
        about: About,
        /// The link.
        link: String,
        /// Minutes it is good for.
        minutes: u32,
    },
    /// An administrator or an operator set a new password.
    PasswordReset {
        /// Whose.
        about: About,
    },
    /// An administrator took the password away.
    PasswordRemoved {
        /// Whose.
        about: About,
        /// Names of the providers that the account comes in by.
        provider: String,
    },
    /// Asks the holder of a new e-mail address to confirm it. It goes to the new address.
    ConfirmEmail {
        /// Whose account.
        about: About,
        /// The link.
        link: String,
        /// Hours it is good for.
        hours: u32,
    },
    /// Tells the old address that a new one waits for its confirmation.
    EmailChangeBegan {
        /// Whose account.
        about: About,
        /// The new address.
        email: String,
        /// The link that stops it.
        stop: String,
        /// Hours the link is good for.
        hours: u32,
    },
    /// An account of a provider was connected: whoever has it can sign in.
    SsoConnected {
        /// To whom.
        about: About,
        /// Name of the provider.
        provider: String,
        /// What its account is known by; empty = unknown.
        shown: String,
    },
    /// An account of a provider was disconnected.
    SsoDisconnected {
        /// To whom.
        about: About,
        /// Name of the provider.
        provider: String,
    },
    /// Shows an admin that the company's own mail server works.
    TestMail {
        /// To whom.
        about: About,
        /// Host and port of the server it went through.
        server: String,
    },
    /// Tells admins that the company's policies were changed.
    PoliciesChanged {
        /// To whom.
        about: About,
        /// Alias of whoever changed them; empty = an operator.
        by: String,
    },
}

/// Which change of the second factor a mail tells about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactorChange {
    /// Codes by e-mail were turned on, or confirmed anew.
    EmailOn,
    /// Codes by e-mail were turned off.
    EmailOff,
    /// An authenticator app was set up, or replaced by another.
    AppOn,
    /// The authenticator app was turned off.
    AppOff,
    /// New backup codes were made; the old ones are dead.
    BackupCodes,
}

/// What a mail about an account says in every case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// How the receiver is addressed.
    pub name: String,
    /// The company.
    pub company: String,
    /// The account.
    pub account: String,
    /// The browser in which it happened; empty = unknown.
    pub browser: String,
    /// The network address from which it happened; empty = unknown.
    pub address: String,
    /// How the receiver reads times.
    #[serde(default)]
    pub times: TimeStyle,
}

/// How the receiver of a mail reads times.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeStyle {
    /// The company's time zone; UTC when it is empty or unknown.
    pub zone: String,
    /// The account's time format.
    pub format: TimeFormat,
}

impl Mail {
    /// The stored kind of [`Mail::TestMail`].
    pub const TEST: &str = "test_mail";
    /// [`Self::kind`] of the code that is asked for when codes by mail are set up.
    pub const SET_UP_CODE: &str = "set_up_code";
    /// The stored kind of [`Mail::ResetLink`].
    pub const RESET_LINK: &str = "reset_link";
    /// The stored kind of [`Mail::ConfirmEmail`].
    pub const CONFIRM_EMAIL: &str = "confirm_email";
    /// The stored kind of [`Mail::EmailChangeBegan`].
    pub const EMAIL_CHANGE_BEGAN: &str = "email_change_began";

    /// The stored kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::SignInCode { .. } => "sign_in_code",
            Self::AccountLocked { .. } => "account_locked",
            Self::AccountUnlocked { .. } => "account_unlocked",
            Self::ConfirmCode { .. } => "confirm_code",
            Self::SetUpCode { .. } => Self::SET_UP_CODE,
            Self::PasswordChanged { .. } => "password_changed",
            Self::SecondFactorChanged { .. } => "second_factor_changed",
            Self::BackupCodeUsed { .. } => "backup_code_used",
            Self::BackupCodeIssued { .. } => "backup_code_issued",
            Self::NewBrowser { .. } => "new_browser",
            Self::SessionCut { .. } => "session_cut",
            Self::AccountDetails { .. } => "account_details",
            Self::ActivationLink { .. } => "activation_link",
            Self::ResetLink { .. } => Self::RESET_LINK,
            Self::PasswordReset { .. } => "password_reset",
            Self::PasswordRemoved { .. } => "password_removed",
            Self::ConfirmEmail { .. } => Self::CONFIRM_EMAIL,
            Self::EmailChangeBegan { .. } => Self::EMAIL_CHANGE_BEGAN,
            Self::SsoConnected { .. } => "sso_connected",
            Self::SsoDisconnected { .. } => "sso_disconnected",
            Self::TestMail { .. } => Self::TEST,
            Self::PoliciesChanged { .. } => "policies_changed",
        }
    }

    /// Mails somebody waits for go before all others; smaller is sooner.
    pub const fn priority(&self) -> i64 {
        match self {
            Self::SignInCode { .. } | Self::ConfirmCode { .. } | Self::SetUpCode { .. } => 0,
            Self::ResetLink { .. } | Self::ConfirmEmail { .. } | Self::TestMail { .. } => 5,
            Self::AccountLocked { .. }
            | Self::AccountUnlocked { .. }
            | Self::SsoConnected { .. }
            | Self::SsoDisconnected { .. }
            | Self::PasswordChanged { .. }
            | Self::PasswordReset { .. }
            | Self::PasswordRemoved { .. }
            | Self::SecondFactorChanged { .. }
            | Self::BackupCodeUsed { .. }
            | Self::BackupCodeIssued { .. }
            | Self::EmailChangeBegan { .. }
            | Self::PoliciesChanged { .. }
            | Self::SessionCut { .. }
            | Self::NewBrowser { .. } => 10,
            // A shift of new agents must not hold up anybody who is at work.
            Self::AccountDetails { .. } | Self::ActivationLink { .. } => 20,
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
