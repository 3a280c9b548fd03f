//! The pages of a signed-in agent: Profile and Security Settings (product.md section 3).

use vestibule_core::{refusal::Refusal, sign_in_view::CodeMail, sso::Provider};

use super::ProviderRow;

/// A moment, written for this page: in the company's time zone and the account's time format.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct When {
    /// RFC 3339, for programs.
    pub datetime: String,
    /// For people, such as `2026-01-05 21:30`.
    pub shown: String,
}

/// `/profile`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfilePage {
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// What colleagues see.
    pub alias: String,
    /// Phone.
    pub phone: String,
    /// Title.
    pub title: String,
    /// Hours that a clock has: 12 or 24.
    pub time_format: String,
    /// Language tag; empty = the company's.
    pub language: String,
    /// Language tag of the company.
    pub company_language: String,
    /// Whether there is no password to change.
    pub no_password: bool,
    /// Characters that a new password needs.
    pub password_min: usize,
    /// Whether the password can be changed only after identity was confirmed.
    pub must_confirm: bool,
    /// The same for the e-mail address.
    pub must_confirm_for_email: bool,
    /// The e-mail address that was typed, when it was refused.
    pub email: String,
    /// A new address that waits for its confirmation, and since when.
    pub pending_email: Option<(String, When)>,
    /// What went well before.
    pub notice: Option<ProfileNotice>,
    /// The form that was refused, and why.
    pub refused: Option<(ProfileForm, Refusal)>,
}

/// One of the forms of the profile page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfileForm {
    /// Basic information.
    Data,
    /// Change Password.
    Password,
    /// The e-mail address.
    Email,
}

/// What went well before the profile page was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfileNotice {
    /// The data were saved.
    Saved,
    /// Identity was confirmed.
    Confirmed,
    /// A link went to the new address.
    EmailSent,
    /// The change of the address was given up.
    EmailCancelled,
}

/// `/profile/confirm`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfirmPage {
    /// Where it leads: a local path.
    pub next: String,
    /// Why it is asked.
    pub reason: ConfirmReason,
    /// Providers that are asked in the place of a password, by an account that has none.
    pub providers: Vec<Provider>,
    /// Why the last try was refused.
    pub refusal: Option<Refusal>,
}

/// Why identity has to be confirmed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConfirmReason {
    /// For what comes next.
    #[default]
    Ahead,
    /// A change was refused because the last proof is too old.
    TooOld,
    /// The code took too long.
    Expired,
}

/// `/profile/security`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecurityPage {
    /// Whether codes by e-mail are on.
    pub email: bool,
    /// Whether the authenticator app is on.
    pub app: bool,
    /// How many backup codes are left, when there are so few that it has to be said.
    pub few_backup_codes: Option<usize>,
    /// Providers that are offered, or connected.
    pub providers: Vec<ProviderRow>,
    /// Trusted browsers, newest first.
    pub trusted: Vec<TrustedRow>,
    /// Sessions, newest first.
    pub sessions: Vec<SessionRow>,
    /// What went well before.
    pub notice: Option<SecurityNotice>,
    /// Why the last try was refused.
    pub refusal: Option<Refusal>,
}

/// What went well before the security page was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecurityNotice {
    /// Identity was confirmed; what was wanted has to be chosen again.
    Confirmed,
    /// A second factor was set up, renewed or turned off.
    Changed,
    /// Sessions or trust in browsers were ended.
    Ended,
    /// An account of a provider was connected.
    Connected,
    /// An account of a provider was disconnected.
    Disconnected,
}

/// A trusted browser in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedRow {
    /// Its identifier.
    pub id: String,
    /// Kind of browser; `None` = unknown.
    pub browser: Option<String>,
    /// Network address.
    pub address: Option<String>,
    /// When trust began.
    pub since: When,
    /// When it ends.
    pub until: When,
    /// When it last spared a code.
    pub last_used: When,
    /// Whether it is the browser that asks.
    pub this: bool,
}

/// A session in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// Its identifier.
    pub id: String,
    /// Kind of browser; `None` = unknown.
    pub browser: Option<String>,
    /// Network address.
    pub address: Option<String>,
    /// When it began.
    pub since: When,
    /// Its last use.
    pub last_used: When,
    /// Whether it is the session that asks.
    pub this: bool,
}

/// `/profile/security/set-up`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetUpPage {
    /// Why the last try was refused.
    pub refusal: Option<Refusal>,
}

/// `/profile/security/email`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EmailSetUpPage {
    /// The set-up under way.
    pub set_up: Option<EmailSetUp>,
    /// Whether a new code was just asked for.
    pub resent: bool,
    /// Why the last try was refused.
    pub refusal: Option<Refusal>,
}

/// The set-up of codes by e-mail that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailSetUp {
    /// Its identifier.
    pub id: String,
    /// The address the code went to.
    pub address: String,
    /// How the mail is doing.
    pub mail: CodeMail,
    /// Seconds until another code may be sent; 0 = now.
    pub resend_in: u32,
}

/// `/profile/security/app`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppSetUpPage {
    /// The set-up under way.
    pub set_up: Option<AppSetUp>,
    /// Why the last try was refused.
    pub refusal: Option<Refusal>,
}

/// The set-up of an authenticator app that is under way.
#[derive(Clone, PartialEq, Eq)]
pub struct AppSetUp {
    /// Its identifier: the next page is about this one, or says that it is over.
    pub id: String,
    /// The QR code as SVG, made by us: it goes into the page as it is.
    pub qr: String,
    /// The secret to be typed, in groups of four.
    pub secret: String,
}

impl std::fmt::Debug for AppSetUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AppSetUp(…)")
    }
}

/// `/profile/security/app/code`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppCodePage {
    /// Identifier of the set-up under way.
    pub set_up: String,
    /// Why the last try was refused.
    pub refusal: Option<Refusal>,
}

/// `/profile/security/backup-codes`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackupCodesPage {
    /// When the set was made; `None` = there is no set.
    pub made_at: Option<When>,
    /// For each code in its order, when it was used.
    pub used_at: Vec<Option<When>>,
    /// Whether the account has a second factor, without which there are no backup codes.
    pub available: bool,
    /// Whether identity was just confirmed.
    pub confirmed: bool,
    /// Why the last try was refused.
    pub refusal: Option<Refusal>,
}

/// The backup codes that were just made. They are shown once.
#[derive(Clone, PartialEq, Eq)]
pub struct NewBackupCodesPage {
    /// The codes, as they are typed.
    pub codes: Vec<String>,
    /// The same as a text file: a `data:` address, which works without scripts.
    pub file: String,
    /// Where `Done` leads.
    pub to: String,
}

impl std::fmt::Debug for NewBackupCodesPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewBackupCodesPage(…)")
    }
}
