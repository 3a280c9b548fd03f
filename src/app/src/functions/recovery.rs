//! A forgotten password.

use leptos::prelude::*;
use vestibule_core::sign_in_view::Onward;

use super::Refused;

/// Asks for a link to choose a new password. The answer is the same whether or not there is such an account.
#[server(name = AskForResetLink, prefix = "", endpoint = "forgot-password")]
pub async fn ask_for_reset_link(
    /// The company's name.
    company: String,
    /// The account's e-mail address.
    email: String,
) -> Result<Onward, Refused> {
    use crate::call::Call;
    use vestibule_core::paths::FORGOT_PASSWORD;
    use vestibule_service::recovery::ResetInput;

    let call = Call::current()?;
    let input = ResetInput { company, email };
    call.service.ask_for_reset_link(&input, &call.visitor).await?;
    Ok(Onward {
        to: format!("{FORGOT_PASSWORD}?sent"),
    })
}
