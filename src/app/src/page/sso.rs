//! The pages on the way to a provider and back (product.md sections 3 and 4).

use vestibule_core::{refusal::Refusal, sso::Provider};

use super::Typed;

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

/// Asks for the company that somebody wants to sign in to with a provider: the one that was given, if any, has no
/// application there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SsoCompanyPage {
    /// The provider.
    pub provider: Provider,
    /// What was given; may be empty.
    pub company: String,
    /// Deep link asked for before.
    pub next: Option<String>,
    /// Why what was given does not do.
    pub refusal: Option<Refusal>,
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

/// `/admin/sso`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SsoSettingsPage {
    /// Each provider.
    pub providers: Vec<ProviderForm>,
    /// Whether it was just saved.
    pub saved: bool,
    /// The provider that was tried and is good.
    pub tested: Option<Provider>,
    /// Why the last try was refused.
    pub refusal: Option<Refusal>,
}

/// A provider in `/admin/sso`. What is ticked is a word, what is not is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderForm {
    /// Which.
    pub provider: Provider,
    /// Version that is saved over; 0 = nothing was saved yet.
    pub version: i64,
    /// Whether accounts may come in this way.
    pub enabled: Typed,
    /// Identifier of the company's application.
    pub client_id: Typed,
    /// Whether a secret is stored.
    pub has_secret: bool,
    /// Tenants of Office 365.
    pub tenants: Typed,
    /// Whether its sign-in spares the second factor.
    pub trusted: Typed,
    /// Whether the installation has an application for companies without their own.
    pub installation: bool,
    /// Where the provider sends browsers back to.
    pub redirect_uri: String,
}

/// A provider in Security Settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderRow {
    /// Which.
    pub provider: Provider,
    /// What its connected account is known by; `None` = none is connected.
    pub connected: Option<String>,
}
