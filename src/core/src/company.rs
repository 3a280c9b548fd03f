//! A company and its policies (product.md sections 2 and 6).

use crate::{account::Role, id::CompanyId, ports::Moment};

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

/// Require a second factor: who has to set one up at the next sign-in (product.md section 6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RequireSecondFactor {
    /// Nobody.
    #[default]
    Off,
    /// Accounts whose highest role is Admin.
    Admins,
    /// Every account.
    Everyone,
}

impl RequireSecondFactor {
    /// All values, in the order of product.md.
    pub const ALL: [Self; 3] = [Self::Off, Self::Admins, Self::Everyone];

    /// The stored and typed form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Admins => "admins",
            Self::Everyone => "everyone",
        }
    }

    /// From the stored form.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == word)
    }

    /// Whether an account with this highest role has to have a second factor.
    pub fn asks(self, highest: Role) -> bool {
        match self {
            Self::Off => false,
            Self::Admins => highest == Role::Admin,
            Self::Everyone => true,
        }
    }
}

/// New-agent mail: how a new agent is told (product.md sections 5 and 6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NewAgentMail {
    /// Account details with a temporary password.
    #[default]
    AccountDetails,
    /// A link under which the agent chooses a password.
    ActivationLink,
}

impl NewAgentMail {
    /// Both, in the order of product.md.
    pub const ALL: [Self; 2] = [Self::AccountDetails, Self::ActivationLink];

    /// The stored and typed form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccountDetails => "account_details",
            Self::ActivationLink => "activation_link",
        }
    }

    /// From the stored form.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == word)
    }
}

/// A company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Company {
    /// Its identifier.
    pub id: CompanyId,
    /// Its name, as shown.
    pub name: String,
    /// Language tag of its mails and screens when an account has none.
    pub language: String,
    /// IANA name of its time zone.
    pub time_zone: String,
    /// An operator's switch.
    pub enabled: bool,
    /// 2FA Policy.
    pub two_factor: TwoFactorPolicy,
    /// Require a second factor.
    pub require_second_factor: RequireSecondFactor,
    /// Minimum password length, in characters (8-64).
    pub password_min: usize,
    /// Log-out Policy: minutes without activity (15-999); `None` = never.
    pub idle_minutes: Option<u16>,
    /// How new agents are told.
    pub new_agent_mail: NewAgentMail,
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
}
