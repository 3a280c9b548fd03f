//! A company and its policies (product.md sections 2 and 6).

use crate::{
    account::Role,
    id::{ApplicationId, CompanyId},
    limits::{IDLE_MINUTES_DEFAULT, PASSWORD_MIN_DEFAULT},
    ports::Moment,
    words,
};

/// 2FA Policy: how long a browser may skip the second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TwoFactorPolicy {
    /// The second factor is asked at every sign-in.
    EveryLogin,
    /// Agents may skip it on a trusted browser for this many days: 14, 30, 60 or 90.
    Skip(u16),
}

impl TwoFactorPolicy {
    /// From the number of days; 0 means every login. Other numbers than 0, 14, 30, 60 and 90 are no policy.
    pub fn from_days(days: i64) -> Option<Self> {
        match days {
            0 => Some(Self::EveryLogin),
            14 | 30 | 60 | 90 => u16::try_from(days).ok().map(Self::Skip),
            _ => None,
        }
    }

    /// Days a browser may be trusted; `None` for never.
    pub const fn trust_days(self) -> Option<u16> {
        match self {
            Self::EveryLogin => None,
            Self::Skip(days) => Some(days),
        }
    }

    /// The number that [`TwoFactorPolicy::from_days`] reads.
    pub fn days(self) -> i64 {
        self.trust_days().map_or(0, i64::from)
    }
}

words! {
    /// Require a second factor: who has to set one up at the next sign-in (product.md section 6).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum RequireSecondFactor {
        /// Nobody.
        #[default]
        Off = "off",
        /// Accounts whose highest role is Admin.
        Admins = "admins",
        /// Every account.
        Everyone = "everyone",
    }
}

impl RequireSecondFactor {
    /// Whether an account with this highest role has to have a second factor.
    pub fn asks(self, highest: Role) -> bool {
        match self {
            Self::Off => false,
            Self::Admins => highest == Role::Admin,
            Self::Everyone => true,
        }
    }
}

words! {
    /// New-agent mail: how a new agent is told (product.md sections 5 and 6).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum NewAgentMail {
        /// Account details with a temporary password.
        #[default]
        AccountDetails = "account_details",
        /// A link under which the agent chooses a password.
        ActivationLink = "activation_link",
    }
}

/// What an admin or an operator sets about a company (product.md section 6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompanySettings {
    /// Language tag of its mails and screens when an account has none.
    pub language: String,
    /// IANA name of its time zone.
    pub time_zone: String,
    /// How new agents are told.
    pub new_agent_mail: NewAgentMail,
    /// 2FA Policy.
    pub two_factor: TwoFactorPolicy,
    /// Require a second factor.
    pub require_second_factor: RequireSecondFactor,
    /// Minimum password length, in characters (8-64).
    pub password_min: usize,
    /// Log-out Policy: minutes without activity (15-999); `None` = never.
    pub idle_minutes: Option<u16>,
    /// After sign-in agents go to this application; `None` = the Agent Panel.
    pub after_sign_in: Option<ApplicationId>,
}

impl CompanySettings {
    /// Those of a new company, until somebody sets others.
    pub fn new(language: String, time_zone: String) -> Self {
        Self {
            language,
            time_zone,
            new_agent_mail: NewAgentMail::default(),
            two_factor: TwoFactorPolicy::EveryLogin,
            require_second_factor: RequireSecondFactor::default(),
            password_min: PASSWORD_MIN_DEFAULT,
            idle_minutes: Some(IDLE_MINUTES_DEFAULT),
            after_sign_in: None,
        }
    }

    /// What of General Information becomes another in `after`, from what to what, for the audit log; empty = nothing.
    pub fn information_changed(&self, after: &Self) -> String {
        let words = |settings: &Self| {
            [
                ("language", settings.language.clone()),
                ("time_zone", settings.time_zone.clone()),
                ("new_agent_mail", settings.new_agent_mail.as_str().to_owned()),
                (
                    "after_sign_in",
                    settings
                        .after_sign_in
                        .map_or_else(|| "panel".to_owned(), |application| application.to_string()),
                ),
            ]
        };
        changed(words(self), words(after))
    }

    /// The same of the policies: all admins hear of them.
    pub fn policies_changed(&self, after: &Self) -> String {
        let words = |settings: &Self| {
            let idle = settings.idle_minutes;
            [
                ("two_factor_days", settings.two_factor.days().to_string()),
                (
                    "require_second_factor",
                    settings.require_second_factor.as_str().to_owned(),
                ),
                ("password_min", settings.password_min.to_string()),
                (
                    "idle_minutes",
                    idle.map_or_else(|| "never".to_owned(), |minutes| minutes.to_string()),
                ),
            ]
        };
        changed(words(self), words(after))
    }
}

fn changed<const N: usize>(before: [(&str, String); N], after: [(&str, String); N]) -> String {
    let changed: Vec<_> = before
        .into_iter()
        .zip(after)
        .filter(|((_, old), (_, new))| old != new)
        .map(|((name, old), (_, new))| format!("{name}: {old} -> {new}"))
        .collect();
    changed.join("; ")
}

/// A company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Company {
    /// Its identifier.
    pub id: CompanyId,
    /// Its name, as shown.
    pub name: String,
    /// An operator's switch.
    pub enabled: bool,
    /// What its admins set.
    pub settings: CompanySettings,
    /// Grows with every change of the company's settings: whoever saves an older version is told (no lost update).
    pub version: i64,
    /// When it was created.
    pub created_at: Moment,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_five_policies_exist() {
        for days in [0, 14, 30, 60, 90] {
            assert_eq!(TwoFactorPolicy::from_days(days).unwrap().days(), days);
        }
        for days in [-1, 1, 15, 91, 3650, i64::MAX] {
            assert_eq!(TwoFactorPolicy::from_days(days), None);
        }
    }

    #[test]
    fn a_second_factor_is_asked_of_nobody_of_admins_or_of_everyone() {
        let asked = |word: &str| {
            let policy = RequireSecondFactor::from_word(word).unwrap();
            [Role::Agent, Role::Supervisor, Role::Admin].map(|role| policy.asks(role))
        };
        assert_eq!(asked("off"), [false; 3]);
        assert_eq!(asked("admins"), [false, false, true]);
        assert_eq!(asked("everyone"), [true; 3]);
        assert_eq!(RequireSecondFactor::from_word("Everyone"), None);
    }

    #[test]
    fn the_audit_log_says_what_became_what() {
        let before = CompanySettings::new("en".to_owned(), "UTC".to_owned());
        let after = CompanySettings {
            language: "de".to_owned(),
            two_factor: TwoFactorPolicy::Skip(30),
            idle_minutes: None,
            ..before.clone()
        };
        assert_eq!(before.information_changed(&after), "language: en -> de");
        assert_eq!(
            before.policies_changed(&after),
            "two_factor_days: 0 -> 30; idle_minutes: 30 -> never"
        );
        assert_eq!(before.policies_changed(&before), "");
    }
}
