//! What a signed-in agent does with the own account: data, password, second factors, backup codes, trusted browsers
//! and sessions (product.md section 3, Profile and Security Settings).
//!
//! Every use case begins with [`crate::SignIn::signed_in`]; what changes credentials asks for a whole and recent proof of
//! identity besides (N21).

mod backup_codes;
mod data;
mod devices;
mod email;
pub(crate) mod password;
mod set_up;
mod step_up;
mod wrong_passwords;

use vestibule_core::{
    account::{Account, TimeFormat},
    backup_code::BackupCode,
    company::Company,
    id::{SessionId, SetUpId, TrustedBrowserId},
    password::Strength,
    ports::Moment,
    refusal::Problem,
    secret::{Password, Token},
    sign_in_view::CodeMail,
};

/// What was typed about a person, by themselves or by an admin.
pub struct PersonInput {
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// What colleagues see; empty = first and last name, or else the account name.
    pub alias: String,
    /// Phone.
    pub phone: String,
    /// Title.
    pub title: String,
    /// How times are shown; `None` = what was sent is no format.
    pub time_format: Option<TimeFormat>,
    /// Language tag; empty = the company's.
    pub language: String,
}

/// What was typed to change the password.
pub struct PasswordInput {
    /// The password until now.
    pub old: Password,
    /// The password from now on.
    pub new: Password,
    /// The same once more.
    pub confirm: Password,
}

/// How good a new password is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// How hard it is to guess.
    pub strength: Strength,
    /// Why it would be refused.
    pub problem: Option<Problem>,
}

/// What a right password leads to when it was asked again.
pub enum Confirmed {
    /// Proved: the session goes on under a new token.
    Proved(Token),
    /// A code is asked, on the code page: the token of the pending step-up.
    CodeAsked(Token),
}

/// What the profile page shows.
pub struct ProfilePage {
    /// The company.
    pub company: Company,
    /// The account.
    pub account: Account,
    /// Whether the password can be changed now, or identity has to be confirmed first.
    pub proved: bool,
    /// Whether identity was proved moments ago, as a new e-mail address asks for.
    pub proved_lately: bool,
}

/// What the security page shows.
pub struct SecurityPage {
    /// The company.
    pub company: Company,
    /// The account.
    pub account: Account,
    /// How many backup codes are left; `None` = no set.
    pub backup_codes_left: Option<usize>,
    /// Trusted browsers, newest first.
    pub trusted: Vec<TrustedItem>,
    /// Sessions, newest first.
    pub sessions: Vec<SessionItem>,
}

/// A trusted browser in the list.
pub struct TrustedItem {
    /// Its identifier.
    pub id: TrustedBrowserId,
    /// Kind of browser; `None` = unknown.
    pub browser: Option<String>,
    /// Network address it was trusted from.
    pub address: Option<String>,
    /// When trust began.
    pub since: Moment,
    /// Its fixed end, under today's policy.
    pub until: Moment,
    /// When it last spared a code.
    pub last_used: Moment,
    /// Whether it is the browser that asks.
    pub this: bool,
}

/// A session in the list.
pub struct SessionItem {
    /// Its identifier.
    pub id: SessionId,
    /// Kind of browser; `None` = unknown.
    pub browser: Option<String>,
    /// Network address it began from.
    pub address: Option<String>,
    /// When it began.
    pub since: Moment,
    /// Its last use that was written down.
    pub last_used: Moment,
    /// Whether it is the session that asks.
    pub this: bool,
}

/// The set-up of codes by e-mail that is under way.
pub struct EmailSetUp {
    /// Its identifier: the form carries it, so that an older tab is told apart.
    pub id: SetUpId,
    /// The address the code went to, in full: it is the agent's own.
    pub address: String,
    /// How the mail is doing.
    pub mail: CodeMail,
    /// Seconds until another code may be sent.
    pub resend_in: u32,
}

/// The set-up of an authenticator app that is under way.
pub struct AppSetUp {
    /// Its identifier: the form carries it, so that an older tab is told apart.
    pub id: SetUpId,
    /// The QR code as SVG.
    pub qr: String,
    /// The secret to be typed, in groups of four.
    pub secret: String,
}

/// A second factor was set up.
pub struct SetUpDone {
    /// The ten codes, when this was the first factor; they are shown once.
    pub backup_codes: Option<Vec<BackupCode>>,
}

/// Which backup codes are used.
pub struct BackupCodesPage {
    /// When the set was made; `None` = there is no set.
    pub made_at: Option<Moment>,
    /// For each code in its order, when it was used.
    pub used_at: Vec<Option<Moment>>,
    /// Whether the account has a second factor, without which there are no backup codes.
    pub available: bool,
}
