//! Sign-in with the account of a provider (product.md section 4).

/// Who vouches for an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provider {
    /// Google.
    Google,
    /// Office 365: Microsoft Entra ID.
    Office365,
}

impl Provider {
    /// All of them, in the order of their buttons.
    pub const ALL: [Self; 2] = [Self::Google, Self::Office365];

    /// The stored form, and the word in addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Google => "google",
            Self::Office365 => "office365",
        }
    }

    /// From the stored form.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.as_str() == word)
    }

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

/// Who somebody is to a provider: never the e-mail address, which can be given to somebody else.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    /// Who vouches for it.
    pub provider: Provider,
    /// Issuer and subject, for Office 365 tenant and object: what it is compared by.
    pub key: String,
    /// What is shown to its owner, such as the e-mail address; may be empty.
    pub shown: String,
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
    use super::Provider;

    #[test]
    fn words_are_read_as_they_are_written() {
        for provider in Provider::ALL {
            assert_eq!(Provider::from_word(provider.as_str()), Some(provider));
        }
        assert_eq!(Provider::from_word("Google"), None);
    }
}
