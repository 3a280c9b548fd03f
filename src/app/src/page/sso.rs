//! The pages on the way to a provider and back (product.md sections 3 and 4).

use vestibule_core::{refusal::Refusal, sso::Provider};

/// A page that leads on by itself, with a link for whoever is not led.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnwardPage {
    /// The provider.
    pub provider: Provider,
    /// Where it leads.
    pub to: String,
    /// Whether it leads to the provider, or comes from there.
    pub leaves: bool,
}

/// `/login/bind`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindPage {
    /// The provider.
    pub provider: Provider,
    /// What its account is known by; may be empty.
    pub shown: String,
    /// Company to start with.
    pub company: String,
    /// Account to start with.
    pub account: String,
    /// Why the last try was refused.
    pub refusal: Option<Refusal>,
}

/// `/login/bind`, where several companies know who came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChooseCompanyPage {
    /// The provider.
    pub provider: Provider,
    /// Identifiers and names.
    pub companies: Vec<(String, String)>,
}

/// A provider in Security Settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderRow {
    /// Which.
    pub provider: Provider,
    /// What its connected account is known by; `None` = none is connected.
    pub connected: Option<String>,
}
