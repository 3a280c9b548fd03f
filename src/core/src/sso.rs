//! Sign-in with the account of a provider (product.md section 4).

use serde::{Deserialize, Serialize};

use crate::words;

words! {
    /// Who vouches for an identity.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Provider {
        /// Google.
        Google = "google",
        /// Office 365: Microsoft Entra ID.
        Office365 = "office365",
    }
}

impl Provider {
    /// Where a form sends a browser out to sign in; a POST.
    pub const fn start_path(self) -> &'static str {
        match self {
            Self::Google => "/auth/google/start",
            Self::Office365 => "/auth/office365/start",
        }
    }

    /// Where a form sends a browser out to connect an account; a POST.
    pub const fn connect_path(self) -> &'static str {
        match self {
            Self::Google => "/auth/google/connect",
            Self::Office365 => "/auth/office365/connect",
        }
    }

    /// Where a form sends a browser out to prove once more who is signed in; a POST.
    pub const fn confirm_path(self) -> &'static str {
        match self {
            Self::Google => "/auth/google/confirm",
            Self::Office365 => "/auth/office365/confirm",
        }
    }

    /// Where the provider sends browsers back to.
    pub const fn callback_path(self) -> &'static str {
        match self {
            Self::Google => "/auth/google/callback",
            Self::Office365 => "/auth/office365/callback",
        }
    }

    /// Its name, which is no word of any language.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Google => "Google",
            Self::Office365 => "Office 365",
        }
    }
}

/// Why a provider cannot be used as it is set up (Test connection of product.md section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderProblem {
    /// No way there, or no encrypted connection that can be trusted.
    Unreachable,
    /// No answer in time.
    TimedOut,
    /// It answered with this status.
    Status(u16),
    /// What it answered is no discovery document, or no set of keys.
    NotUnderstood,
    /// Its discovery document is another provider's.
    WrongIssuer,
    /// It does not know the application, or the secret is wrong.
    UnknownApplication,
    /// It takes no sign-in of the application, whatever its code.
    Refused,
}

/// Who somebody is to a provider: never the e-mail address, which can be given to somebody else.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    /// Who vouches for it.
    pub provider: Provider,
    /// Issuer and subject, for Office 365 tenant and object, with a space between: what it is compared by.
    pub key: String,
    /// What is shown to its owner, such as the e-mail address; may be empty.
    pub shown: String,
}

impl Identity {
    /// Whether a company that lets these tenants of Office 365 in lets it in: when no tenant is named, or it is of one of
    /// them. Google has no tenants.
    pub fn is_of(&self, tenants: &[String]) -> bool {
        let Some((tenant, _)) = self.key.split_once(' ') else {
            return false;
        };
        let named = || tenants.iter().any(|allowed| allowed.eq_ignore_ascii_case(tenant));
        tenants.is_empty() || self.provider == Provider::Google || named()
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{Identity, Provider};

    #[test]
    fn an_identity_is_let_in_when_no_tenant_or_its_own_is_named() {
        let of = |provider, key: &str| Identity {
            provider,
            key: key.to_owned(),
            shown: String::new(),
        };
        let named = ["1B6D".to_owned(), "2c7e".to_owned()];
        let office = |key| of(Provider::Office365, key);
        for (identity, tenants, expected) in [
            (office("1b6d 7"), &named[..], true),
            (office("1b6d 7"), &[], true),
            (office("3d8f 7"), &named, false),
            (office("7 1b6d"), &named, false),
            (office(""), &named, false),
            (
                of(Provider::Google, "https://accounts.google.com 7"),
                &named,
                true,
            ),
        ] {
            assert_eq!(identity.is_of(tenants), expected, "{}", identity.key);
        }
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for provider in Provider::ALL {
            assert_eq!(Provider::from_word(provider.as_str()), Some(provider));
        }
        assert_eq!(Provider::from_word("Google"), None);
    }
}
