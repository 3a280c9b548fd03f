//! What the console does to agents.

#![expect(
    clippy::too_many_arguments,
    reason = "a server function has an argument for every field of its form"
)]

use leptos::prelude::*;
use vestibule_core::sign_in_view::Onward;

use super::{Done, Refused};

/// Creates an agent.
#[server(name = AddAgent, prefix = "", endpoint = "admin/agents/new")]
pub async fn add_agent(
    /// Account name.
    account: String,
    /// E-mail address.
    email: String,
    /// First name.
    first_name: String,
    /// Last name.
    last_name: String,
    /// What colleagues see; empty = first and last name.
    alias: String,
    /// Phone.
    phone: String,
    /// Title.
    title: String,
    /// `12` or `24`.
    time_format: String,
    /// Language tag; empty = the company's.
    language: String,
    /// Words of roles.
    #[server(default)]
    roles: Vec<String>,
    /// Sent when the switch is on.
    active: Option<String>,
) -> Result<Onward, Refused> {
    use crate::call::{Call, agent_page};
    use vestibule_core::account::TimeFormat;
    use vestibule_service::console::AgentInput;

    let call = Call::current()?;
    let input = AgentInput {
        account,
        email,
        first_name,
        last_name,
        alias,
        phone,
        title,
        time_format: time_format.parse().ok().and_then(TimeFormat::from_hours),
        language,
        roles,
        active: active.is_some(),
    };
    let id = call.service.add_agent(input, &call.visitor).await?;
    Ok(agent_page(&id.to_string(), "view?added"))
}

/// Saves an agent.
#[server(name = EditAgent, prefix = "", endpoint = "admin/agents/edit")]
pub async fn edit_agent(
    /// Identifier of the account.
    id: String,
    /// Version that the page showed.
    version: i64,
    /// E-mail address.
    email: String,
    /// First name.
    first_name: String,
    /// Last name.
    last_name: String,
    /// What colleagues see; empty = first and last name.
    alias: String,
    /// Phone.
    phone: String,
    /// Title.
    title: String,
    /// `12` or `24`.
    time_format: String,
    /// Language tag; empty = the company's.
    language: String,
    /// Words of roles.
    #[server(default)]
    roles: Vec<String>,
    /// Sent when the switch is on.
    active: Option<String>,
) -> Result<Onward, Refused> {
    use crate::call::{Call, agent_page};
    use vestibule_core::account::TimeFormat;
    use vestibule_service::console::AgentInput;

    let call = Call::current()?;
    let input = AgentInput {
        account: String::new(),
        email,
        first_name,
        last_name,
        alias,
        phone,
        title,
        time_format: time_format.parse().ok().and_then(TimeFormat::from_hours),
        language,
        roles,
        active: active.is_some(),
    };
    let edited = call
        .service
        .edit_agent(&id, version, input, &call.visitor)
        .await?;
    Ok(match edited.email_to_confirm {
        Some(_) => agent_page(&id, "?saved&email_sent"),
        None => agent_page(&id, "?saved"),
    })
}

/// Deletes an agent.
#[server(name = DeleteAgent, prefix = "", endpoint = "admin/agents/delete")]
pub async fn delete_agent(
    /// Identifier of the account.
    id: String,
    /// The account name once more.
    confirm_name: String,
) -> Result<Onward, Refused> {
    use crate::call::Call;
    use vestibule_core::paths::AGENTS;

    let call = Call::current()?;
    call.service
        .delete_agent(&id, &confirm_name, &call.visitor)
        .await?;
    Ok(Onward {
        to: format!("{AGENTS}?deleted"),
    })
}

/// Sets a new password that the agent has to change at the next sign-in.
#[server(name = ResetPassword, prefix = "", endpoint = "admin/agents/password")]
pub async fn reset_password(
    /// Identifier of the account.
    id: String,
    /// The password.
    new_password: String,
    /// The same once more.
    confirm_password: String,
) -> Result<Onward, Refused> {
    use crate::call::{Call, agent_page};
    use vestibule_core::secret::Password;
    use vestibule_service::console::NewPasswordInput;

    let call = Call::current()?;
    let input = NewPasswordInput {
        new: Password::new(new_password),
        confirm: Password::new(confirm_password),
    };
    call.service.reset_password(&id, input, &call.visitor).await?;
    Ok(agent_page(&id, "view?password_set"))
}

/// Sends an agent a link to choose a new password.
#[server(name = SendResetLink, prefix = "", endpoint = "admin/agents/reset-link")]
pub async fn send_reset_link(
    /// Identifier of the account.
    id: String,
) -> Result<Onward, Refused> {
    use crate::call::{Call, agent_page};

    let call = Call::current()?;
    call.service.send_reset_link(&id, &call.visitor).await?;
    Ok(agent_page(&id, "view?link_sent"))
}

/// Takes the password away from an agent who signs in with a provider.
#[server(name = RemovePassword, prefix = "", endpoint = "admin/agents/remove-password")]
pub async fn remove_password(
    /// Identifier of the account.
    id: String,
) -> Result<Onward, Refused> {
    use crate::call::{Call, agent_page};

    let call = Call::current()?;
    call.service.remove_password(&id, &call.visitor).await?;
    Ok(agent_page(&id, "view?password_removed"))
}

/// Takes the account of a provider from an agent.
#[server(name = DisconnectAgent, prefix = "", endpoint = "admin/agents/disconnect")]
pub async fn disconnect_agent(
    /// Identifier of the account.
    id: String,
    /// Word of the provider.
    provider: String,
) -> Result<Onward, Refused> {
    use crate::call::{Call, agent_page};
    use vestibule_core::{refusal::Refusal, sso::Provider};

    let call = Call::current()?;
    let provider = Provider::from_word(&provider).ok_or(Refusal::Malformed)?;
    call.service
        .disconnect_agent(&id, provider, &call.visitor)
        .await?;
    Ok(agent_page(&id, "view?provider_disconnected"))
}

/// Tells a new agent once more how to sign in.
#[server(name = SendAccountDetails, prefix = "", endpoint = "admin/agents/send-details")]
pub async fn send_account_details(
    /// Identifier of the account.
    id: String,
) -> Result<Onward, Refused> {
    use crate::call::{Call, agent_page};

    let call = Call::current()?;
    call.service.send_account_details(&id, &call.visitor).await?;
    Ok(agent_page(&id, "view?details_sent"))
}

/// Issues a backup code, which is shown this once.
#[server(name = IssueBackupCode, prefix = "", endpoint = "admin/agents/backup-code")]
pub async fn issue_backup_code(
    /// Identifier of the account.
    id: String,
    /// Why.
    reason: String,
) -> Result<Done, Refused> {
    use crate::call::{Call, agent_page};

    let call = Call::current()?;
    let code = call
        .service
        .issue_backup_code_for(&id, &reason, &call.visitor)
        .await?;
    Ok(Done {
        to: agent_page(&id, "view").to,
        backup_codes: Some(vec![code.reveal()]),
    })
}

/// Unlocks an agent.
#[server(name = UnlockAgent, prefix = "", endpoint = "admin/agents/unlock")]
pub async fn unlock_agent(
    /// Identifier of the account.
    id: String,
) -> Result<Onward, Refused> {
    use crate::call::{Call, agent_page};

    let call = Call::current()?;
    call.service.unlock_agent(&id, &call.visitor).await?;
    Ok(agent_page(&id, "view?unlocked"))
}

/// Ends the sessions of an agent.
#[server(name = EndAgentSessions, prefix = "", endpoint = "admin/agents/end-sessions")]
pub async fn end_agent_sessions(
    /// Identifier of the account.
    id: String,
) -> Result<Onward, Refused> {
    use crate::call::{Call, agent_page};

    let call = Call::current()?;
    call.service.end_agent_sessions(&id, &call.visitor).await?;
    Ok(agent_page(&id, "view?sessions_ended"))
}

/// Sends the mail that confirms a new e-mail address once more.
#[server(name = ResendEmailChange, prefix = "", endpoint = "admin/agents/email/resend")]
pub async fn resend_email_change(
    /// Identifier of the account.
    id: String,
) -> Result<Onward, Refused> {
    use crate::call::{Call, agent_page};

    let call = Call::current()?;
    call.service.resend_email_change(&id, &call.visitor).await?;
    Ok(agent_page(&id, "?email_sent"))
}

/// Gives a change of the e-mail address up.
#[server(name = CancelEmailChange, prefix = "", endpoint = "admin/agents/email/cancel")]
pub async fn cancel_email_change(
    /// Identifier of the account.
    id: String,
) -> Result<Onward, Refused> {
    use crate::call::{Call, agent_page};

    let call = Call::current()?;
    call.service.cancel_email_change(&id, &call.visitor).await?;
    Ok(agent_page(&id, "?email_cancelled"))
}

/// Switches the agents on that were ticked in the list.
#[server(name = ActivateAgents, prefix = "", endpoint = "admin/agents/activate")]
pub async fn activate_agents(
    /// Identifiers of accounts.
    #[server(default)]
    selected: Vec<String>,
    /// Query of the list.
    back: String,
) -> Result<Onward, Refused> {
    use crate::call::{Call, list_again};

    let call = Call::current()?;
    let done = call
        .service
        .set_agents_active(&selected, true, &call.visitor)
        .await?;
    Ok(list_again(&back, &done))
}

/// Switches the agents off that were ticked in the list.
#[server(name = DeactivateAgents, prefix = "", endpoint = "admin/agents/deactivate")]
pub async fn deactivate_agents(
    /// Identifiers of accounts.
    #[server(default)]
    selected: Vec<String>,
    /// Query of the list.
    back: String,
) -> Result<Onward, Refused> {
    use crate::call::{Call, list_again};

    let call = Call::current()?;
    let done = call
        .service
        .set_agents_active(&selected, false, &call.visitor)
        .await?;
    Ok(list_again(&back, &done))
}

/// Unlocks the agents that were ticked in the list.
#[server(name = UnlockAgents, prefix = "", endpoint = "admin/agents/unlock-selected")]
pub async fn unlock_agents(
    /// Identifiers of accounts.
    #[server(default)]
    selected: Vec<String>,
    /// Query of the list.
    back: String,
) -> Result<Onward, Refused> {
    use crate::call::{Call, list_again};

    let call = Call::current()?;
    let done = call.service.unlock_agents(&selected, &call.visitor).await?;
    Ok(list_again(&back, &done))
}
