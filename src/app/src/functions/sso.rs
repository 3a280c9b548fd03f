//! Who came back from a provider, and the accounts of providers that are connected.

#![expect(
    clippy::too_many_arguments,
    reason = "a server function has an argument for every field of its form"
)]

use leptos::prelude::*;
use vestibule_core::sign_in_view::Onward;

use super::Refused;

/// Connects who came back with the account whose credentials are given.
#[server(name = Bind, prefix = "", endpoint = "login/bind")]
pub async fn bind(
    /// Company name, as typed.
    company: String,
    /// Account name or e-mail address, as typed.
    account: String,
    /// Password, as typed.
    password: String,
) -> Result<Onward, Refused> {
    use crate::call::Call;
    use vestibule_core::secret::Password;
    use vestibule_service::sign_in::SignInForm;

    let call = Call::current()?;
    let form = SignInForm {
        company,
        account,
        password: Password::new(password),
        next: None,
    };
    let outcome = call.service.bind(form, &call.visitor).await?;
    Ok(Onward {
        to: call.entered(outcome),
    })
}

/// Signs in to one of the companies that know who came back.
#[server(name = ChooseCompany, prefix = "", endpoint = "login/bind/company")]
pub async fn choose_company(
    /// Identifier of the company.
    id: String,
) -> Result<Onward, Refused> {
    use crate::call::Call;
    use vestibule_core::{id::CompanyId, paths::LOGIN_BIND, refusal::Refusal};
    use vestibule_service::sign_in::sso::Arrival;

    let call = Call::current()?;
    let company = CompanyId::parse(&id).ok_or(Refusal::Malformed)?;
    let to = match call.service.arrive(Some(company), &call.visitor).await? {
        Arrival::In(outcome) => call.entered(outcome),
        _ => LOGIN_BIND.to_owned(),
    };
    Ok(Onward { to })
}

/// Takes the account of a provider from the own one.
#[server(name = Disconnect, prefix = "", endpoint = "profile/security/sso/disconnect")]
pub async fn disconnect(
    /// Word of the provider.
    provider: String,
) -> Result<Onward, Refused> {
    use crate::call::Call;
    use vestibule_core::{paths::SECURITY, refusal::Refusal, sso::Provider};

    let call = Call::current()?;
    let provider = Provider::from_word(&provider).ok_or(Refusal::Malformed)?;
    call.service.disconnect(provider, &call.visitor).await?;
    Ok(Onward {
        to: format!("{SECURITY}?disconnected"),
    })
}

/// Goes away from the bind page: who came back is forgotten.
#[server(name = CancelBinding, prefix = "", endpoint = "login/bind/cancel")]
pub async fn cancel_binding() -> Result<Onward, Refused> {
    use crate::call::{Call, Effect};
    use vestibule_core::paths::LOGIN;

    let call = Call::current()?;
    call.service.cancel_binding(&call.visitor).await?;
    call.add(Effect::SsoFlowOver);
    Ok(Onward { to: LOGIN.to_owned() })
}

/// Saves what the company says about providers.
#[server(name = SaveSso, prefix = "", endpoint = "admin/sso")]
pub async fn save_sso(
    /// Version about Google that the page showed; 0 = nothing was saved yet.
    google_version: i64,
    /// Whether accounts may come in by Google.
    google_enabled: Option<String>,
    /// Identifier of the company's application at Google; empty = the installation's is used.
    google_client_id: String,
    /// Its secret; empty = the one that is stored.
    google_client_secret: String,
    /// Whether a sign-in with Google spares the second factor.
    google_trusted: Option<String>,
    /// Version about Office 365 that the page showed.
    office365_version: i64,
    /// Whether accounts may come in by Office 365.
    office365_enabled: Option<String>,
    /// Identifier of the company's application at Office 365.
    office365_client_id: String,
    /// Its secret.
    office365_client_secret: String,
    /// Tenants that are let in; empty = all.
    office365_tenants: String,
    /// Whether a sign-in with Office 365 spares the second factor.
    office365_trusted: Option<String>,
) -> Result<Onward, Refused> {
    use crate::call::Call;
    use vestibule_core::paths::ADMIN_SSO;
    use vestibule_service::console::ProviderInput;

    let call = Call::current()?;
    let input = |version,
                 [enabled, trusted]: [Option<String>; 2],
                 [client_id, client_secret, tenants]: [String; 3]| {
        ProviderInput {
            version: (version != 0).then_some(version),
            enabled: enabled.is_some(),
            client_id,
            client_secret: client_secret.into(),
            tenants,
            trusted: trusted.is_some(),
        }
    };
    let google = input(
        google_version,
        [google_enabled, google_trusted],
        [google_client_id, google_client_secret, String::new()],
    );
    let office365 = input(
        office365_version,
        [office365_enabled, office365_trusted],
        [office365_client_id, office365_client_secret, office365_tenants],
    );
    call.service.save_sso([google, office365], &call.visitor).await?;
    Ok(Onward {
        to: format!("{ADMIN_SSO}?saved"),
    })
}

/// Tries a provider as it is saved.
#[server(name = TestSso, prefix = "", endpoint = "admin/sso/test")]
pub async fn test_sso(
    /// Word of the provider.
    provider: String,
) -> Result<Onward, Refused> {
    use crate::call::Call;
    use vestibule_core::{paths::ADMIN_SSO, refusal::Refusal, sso::Provider};

    let call = Call::current()?;
    let provider = Provider::from_word(&provider).ok_or(Refusal::Malformed)?;
    call.service.test_sso(provider, &call.visitor).await?;
    Ok(Onward {
        to: format!("{ADMIN_SSO}?tested={}", provider.as_str()),
    })
}
