//! General Information, the policies, and the start of an import.

use leptos::prelude::*;
use vestibule_core::sign_in_view::Onward;

use super::Refused;

/// Saves General Information.
#[server(name = SaveCompany, prefix = "", endpoint = "admin/company")]
pub async fn save_company(
    /// Version that the page showed.
    version: i64,
    /// Language tag.
    language: String,
    /// IANA name.
    time_zone: String,
    /// Word of how new agents are told.
    new_agent_mail: String,
) -> Result<Onward, Refused> {
    use crate::call::Call;
    use vestibule_core::paths::ADMIN_COMPANY;
    use vestibule_service::console::CompanyInfoInput;

    let call = Call::current()?;
    let input = CompanyInfoInput {
        language,
        time_zone,
        new_agent_mail,
    };
    call.service.save_company(version, input, &call.visitor).await?;
    Ok(Onward {
        to: format!("{ADMIN_COMPANY}?saved"),
    })
}

/// Saves the policies.
#[server(name = SavePolicies, prefix = "", endpoint = "admin/security")]
pub async fn save_policies(
    /// Version that the page showed.
    version: i64,
    /// Days of the 2FA Policy; 0 = every login.
    two_factor_days: String,
    /// Word of Require a second factor.
    require_second_factor: String,
    /// `never` or `after`.
    log_out: String,
    /// Minutes without activity; not read for `never`.
    idle_minutes: String,
    /// Characters that a new password needs.
    password_min: String,
) -> Result<Onward, Refused> {
    use crate::call::Call;
    use vestibule_core::paths::ADMIN_SECURITY;
    use vestibule_service::console::PolicyInput;

    let call = Call::current()?;
    let idle_minutes = match (log_out.as_str(), idle_minutes.trim()) {
        ("never", _) => String::new(),
        // Empty would mean never, and that was not chosen: no number is out of range like zero.
        (_, "") => "0".to_owned(),
        (_, minutes) => minutes.to_owned(),
    };
    let input = PolicyInput {
        two_factor_days,
        require_second_factor,
        password_min,
        idle_minutes,
    };
    call.service.save_policies(version, input, &call.visitor).await?;
    Ok(Onward {
        to: format!("{ADMIN_SECURITY}?saved"),
    })
}

/// Imports the file that was checked, or takes an import on that was cut off.
#[server(name = StartImport, prefix = "", endpoint = "admin/agents/import/start")]
pub async fn start_import(
    /// Identifier of the import.
    id: String,
) -> Result<Onward, Refused> {
    use crate::call::Call;
    use vestibule_core::{id::ImportId, paths::AGENTS_IMPORT};

    let call = Call::current()?;
    call.service.start_import(&id, &call.visitor).await?;
    // What was started has an identifier.
    let to = match ImportId::parse(&id) {
        Some(id) => format!("{AGENTS_IMPORT}/{id}"),
        None => AGENTS_IMPORT.to_owned(),
    };
    Ok(Onward { to })
}
