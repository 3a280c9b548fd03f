//! An account and its roles (product.md sections 1 and 2).

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{
    id::{AccountId, CompanyId, PublicId},
    limits::WRONG_CODES_TO_LOCK,
    ports::Moment,
    words,
};

words! {
    /// A role. The order is the order of rights: the highest decides the landing page.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Role {
        /// Signs in and manages their own profile.
        Agent = "agent",
        /// Helps agents: sees, unlocks, issues backup codes.
        Supervisor = "supervisor",
        /// Runs the company.
        Admin = "admin",
    }
}

/// A word that names no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownRole;

impl std::fmt::Display for UnknownRole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a role is agent, supervisor or admin")
    }
}

impl std::error::Error for UnknownRole {}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::from_word(text).ok_or(UnknownRole)
    }
}

/// How times are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeFormat {
    /// 9:30 PM
    Hours12,
    /// 21:30
    #[default]
    Hours24,
}

impl TimeFormat {
    /// From 12 or 24.
    pub fn from_hours(hours: i64) -> Option<Self> {
        match hours {
            12 => Some(Self::Hours12),
            24 => Some(Self::Hours24),
            _ => None,
        }
    }

    /// The number that [`TimeFormat::from_hours`] reads.
    pub const fn hours(self) -> i64 {
        match self {
            Self::Hours12 => 12,
            Self::Hours24 => 24,
        }
    }
}

words! {
    /// Why an account is locked.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum LockReason {
        /// Five wrong codes (product.md section 4.5).
        WrongCodes = "wrong_codes",
    }
}

/// A new e-mail address that waits for its confirmation. Until then the old one counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingEmail {
    /// The new address.
    pub address: String,
    /// When the change was asked for.
    pub since: Moment,
}

/// Whom an account belongs to, as people see them: what the profile and the console edit.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// What colleagues see; first and last name unless set.
    pub alias: String,
    /// Phone number, free text.
    pub phone: String,
    /// Title, such as "Team lead".
    pub title: String,
    /// How times are shown.
    pub time_format: TimeFormat,
    /// Language tag; `None` = the company's.
    pub language: Option<String>,
}

impl Person {
    /// The names of the fields that are others in `after`, for the audit log: never their values.
    pub fn changed(&self, after: &Self) -> impl Iterator<Item = &'static str> + use<> {
        [
            ("first_name", self.first_name != after.first_name),
            ("last_name", self.last_name != after.last_name),
            ("alias", self.alias != after.alias),
            ("phone", self.phone != after.phone),
            ("title", self.title != after.title),
            ("language", self.language != after.language),
            ("time_format", self.time_format != after.time_format),
        ]
        .into_iter()
        .filter_map(|(name, changed)| changed.then_some(name))
    }
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Person(…)")
    }
}

/// An account, without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own in product.md"
)]
pub struct Account {
    /// Its company.
    pub company: CompanyId,
    /// Its identifier, unique over the installation.
    pub id: AccountId,
    /// By what applications know it.
    pub public_id: PublicId,
    /// Account name, as shown.
    pub name: String,
    /// E-mail address; mail goes here.
    pub email: String,
    /// Who it belongs to.
    pub person: Person,
    /// Roles, highest last; never empty.
    pub roles: Vec<Role>,
    /// An admin's switch.
    pub active: bool,
    /// When five wrong codes locked it; `None` = not locked.
    pub locked_at: Option<Moment>,
    /// Why it is locked; `None` when it is not.
    pub lock_reason: Option<LockReason>,
    /// Wrong codes since the last sign-in that passed the second factor, or the last unlock.
    pub wrong_codes: i64,
    /// Whether a code by e-mail is a second factor of this account.
    pub email_factor: bool,
    /// Whether the codes of an authenticator app are a second factor of this account. True as soon as a secret is
    /// stored, whether or not a key can open it: a lost key refuses, it never lets anybody in.
    pub app_factor: bool,
    /// Whether the password is a temporary one: nothing is open but choosing another.
    pub password_must_change: bool,
    /// Whether it has a password at all. One that was told by an activation link has none until that is used.
    pub has_password: bool,
    /// A new e-mail address that waits for its confirmation.
    pub pending_email: Option<PendingEmail>,
    /// Grows whenever an admin or the agent saves its data: whoever saves an older version is told (no lost update).
    pub version: i64,
    /// Grows whenever a credential changes; sessions and trusted browsers of older versions are over.
    pub credential_version: i64,
    /// When it was created.
    pub created_at: Moment,
    /// When it last signed in.
    pub last_sign_in_at: Option<Moment>,
}

impl Account {
    /// The highest role.
    pub fn highest_role(&self) -> Role {
        self.roles.iter().copied().max().unwrap_or(Role::Agent)
    }

    /// Whether it is locked. Five wrong codes lock it even if the lock itself was not written any more (a crash in
    /// between).
    pub const fn is_locked(&self) -> bool {
        self.locked_at.is_some() || self.wrong_codes >= WRONG_CODES_TO_LOCK
    }

    /// Whether a password alone is not enough for this account.
    pub const fn has_second_factor(&self) -> bool {
        self.email_factor || self.app_factor
    }

    /// Whether the account's owner has not chosen a password yet. Whoever has signed in without one comes in by a provider
    /// and waits for none.
    pub const fn awaits_password(&self) -> bool {
        self.password_must_change || (!self.has_password && self.last_sign_in_at.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::{Account, Role};
    use crate::{ports::Moment, sign_in::tests::account};

    #[test]
    fn whoever_was_invited_awaits_a_password_and_whoever_comes_in_by_a_provider_does_not() {
        for (has_password, password_must_change, last_sign_in_at, expected) in [
            (false, false, None, true),
            (true, true, None, true),
            (true, true, Some(Moment::UNIX_EPOCH), true),
            (true, false, Some(Moment::UNIX_EPOCH), false),
            (false, false, Some(Moment::UNIX_EPOCH), false),
        ] {
            let account = Account {
                password_must_change,
                has_password,
                last_sign_in_at,
                ..account()
            };
            assert_eq!(account.awaits_password(), expected);
        }
    }

    #[test]
    fn admin_is_the_highest_role() {
        assert!(Role::Admin > Role::Supervisor && Role::Supervisor > Role::Agent);
        assert_eq!("supervisor".parse(), Ok(Role::Supervisor));
        assert!("Admin".parse::<Role>().is_err());
    }
}
