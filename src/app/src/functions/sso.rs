//! Who came back from a provider, and the accounts of providers that are connected.

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
