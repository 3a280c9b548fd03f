//! What is behind the links of mails, and the password that replaces a temporary one.

use leptos::prelude::*;
use vestibule_core::sign_in_view::Onward;

use super::{Judged, Refused};

/// Chooses a password. Signs nobody in.
#[server(name = ChoosePassword, prefix = "", endpoint = "choose-password")]
pub async fn choose_password(
    /// The password.
    new_password: String,
    /// The same once more.
    confirm_password: String,
) -> Result<Onward, Refused> {
    use crate::call::{Call, Effect};
    use vestibule_core::{paths::LOGIN, secret::Password};

    let call = Call::current()?;
    call.service
        .choose_password(
            Password::new(new_password),
            Password::new(confirm_password),
            &call.visitor,
        )
        .await?;
    // Every session of the account is over; another account's in this browser would only confuse.
    call.add(Effect::Session(None));
    call.add(Effect::Link(None));
    Ok(Onward {
        to: format!("{LOGIN}?password_changed"),
    })
}

/// Says how good the password is that is being chosen. Changes nothing.
#[server(name = JudgeChosenPassword, prefix = "", endpoint = "choose-password/check")]
pub async fn judge_chosen_password(
    /// What is typed so far.
    new_password: String,
) -> Result<Judged, Refused> {
    use crate::call::Call;
    use vestibule_core::secret::Password;

    let call = Call::current()?;
    let password = Password::new(new_password);
    let judgement = call
        .service
        .judge_chosen_password(&password, &call.visitor)
        .await?;
    Ok(super::profile::judged(call.locale().await?, judgement))
}

/// Confirms a new e-mail address.
#[server(name = ConfirmEmail, prefix = "", endpoint = "confirm-email")]
pub async fn confirm_email() -> Result<Onward, Refused> {
    use crate::call::{Call, Effect};
    use vestibule_core::paths::CONFIRM_EMAIL;

    let call = Call::current()?;
    call.service.confirm_email(&call.visitor).await?;
    call.add(Effect::Link(None));
    Ok(Onward {
        to: format!("{CONFIRM_EMAIL}?done"),
    })
}

/// Stops a change of the e-mail address.
#[server(name = StopEmailChange, prefix = "", endpoint = "stop-email-change")]
pub async fn stop_email_change() -> Result<Onward, Refused> {
    use crate::call::{Call, Effect};
    use vestibule_core::paths::STOP_EMAIL_CHANGE;

    let call = Call::current()?;
    call.service.stop_email_change(&call.visitor).await?;
    call.add(Effect::Link(None));
    Ok(Onward {
        to: format!("{STOP_EMAIL_CHANGE}?done"),
    })
}
