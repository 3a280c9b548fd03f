//! The own data, the own password, and the proof that it is really you.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use vestibule_core::sign_in_view::Onward;

use super::Refused;

/// What is said about a new password while it is typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// In the language of the page.
    pub sentence: String,
    /// Whether it would be taken.
    pub good: bool,
    /// 0 (weak) to 3 (strong).
    pub strength: u8,
}

/// Saves the own data.
#[server(name = SaveProfile, prefix = "", endpoint = "profile")]
pub async fn save_profile(
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
) -> Result<Onward, Refused> {
    use crate::call::{Call, Effect};
    use vestibule_core::{account::TimeFormat, paths::PROFILE};
    use vestibule_service::profile::ProfileInput;

    let call = Call::current()?;
    let before = call.service.session(&call.visitor).await?;
    let time_format = time_format.parse().ok().and_then(TimeFormat::from_hours);
    let input = ProfileInput {
        first_name,
        last_name,
        alias,
        phone,
        title,
        time_format,
        language: language.clone(),
    };
    call.service.save_profile(input, &call.visitor).await?;
    // What this browser remembers goes before the account's language: a new choice must be seen at once.
    let chosen = (!language.is_empty()).then_some(language);
    if before.is_some_and(|before| before.account.language != chosen) {
        call.add(Effect::Language(chosen));
    }
    Ok(Onward {
        to: format!("{PROFILE}?saved"),
    })
}

/// Changes the own password. Ends every session, this one too.
#[server(name = ChangePassword, prefix = "", endpoint = "profile/password")]
pub async fn change_password(
    /// The password until now.
    old_password: String,
    /// The password from now on.
    new_password: String,
    /// The same once more.
    confirm_password: String,
) -> Result<Onward, Refused> {
    use crate::call::{Call, Effect};
    use vestibule_core::{paths::LOGIN, secret::Password};
    use vestibule_service::profile::PasswordInput;

    let call = Call::current()?;
    let input = PasswordInput {
        old: Password::new(old_password),
        new: Password::new(new_password),
        confirm: Password::new(confirm_password),
    };
    call.service.change_password(input, &call.visitor).await?;
    call.add(Effect::Session(None));
    Ok(Onward {
        to: format!("{LOGIN}?password_changed"),
    })
}

/// Begins a change of the own e-mail address.
#[server(name = ChangeEmail, prefix = "", endpoint = "profile/email")]
pub async fn change_email(
    /// The new address.
    email: String,
) -> Result<Onward, Refused> {
    use crate::call::Call;
    use vestibule_core::paths::PROFILE;

    let call = Call::current()?;
    call.service.change_own_email(&email, &call.visitor).await?;
    Ok(Onward {
        to: format!("{PROFILE}?email_sent"),
    })
}

/// Sends the mails of the change once more.
#[server(name = ResendOwnEmailChange, prefix = "", endpoint = "profile/email/resend")]
pub async fn resend_own_email_change() -> Result<Onward, Refused> {
    use crate::call::Call;
    use vestibule_core::paths::PROFILE;

    let call = Call::current()?;
    call.service.resend_own_email_change(&call.visitor).await?;
    Ok(Onward {
        to: format!("{PROFILE}?email_sent"),
    })
}

/// Gives the change up.
#[server(name = CancelOwnEmailChange, prefix = "", endpoint = "profile/email/cancel")]
pub async fn cancel_own_email_change() -> Result<Onward, Refused> {
    use crate::call::Call;
    use vestibule_core::paths::PROFILE;

    let call = Call::current()?;
    call.service.cancel_own_email_change(&call.visitor).await?;
    Ok(Onward {
        to: format!("{PROFILE}?email_cancelled"),
    })
}

/// Says how good a new password is. Changes nothing.
#[server(name = JudgePassword, prefix = "", endpoint = "profile/password/check")]
pub async fn judge_password(
    /// What is typed so far.
    new_password: String,
) -> Result<Judged, Refused> {
    use crate::call::Call;
    use vestibule_core::secret::Password;

    let call = Call::current()?;
    let password = Password::new(new_password);
    let judgement = call.service.judge_password(&password, &call.visitor).await?;
    Ok(judged(call.locale().await?, judgement))
}

/// What is said about a password.
#[cfg(feature = "ssr")]
pub(super) fn judged(
    now: vestibule_translations::Locale,
    judgement: vestibule_service::profile::Judgement,
) -> Judged {
    use vestibule_core::{
        password::Strength,
        refusal::Refusal,
        signed_in::{FormField, FormRefusal},
    };
    use vestibule_translations::{refusal, td_string};

    let sentence = match (judgement.problem, judgement.strength) {
        (Some(problem), _) => {
            let refused = FormRefusal::field(FormField::NewPassword, problem);
            refusal::sentence(now, &Refusal::Form(refused))
        }
        (None, Strength::Strong) => td_string!(now, profile.password_strong).to_owned(),
        (None, _) => td_string!(now, profile.password_good).to_owned(),
    };
    Judged {
        sentence,
        good: judgement.problem.is_none(),
        strength: judgement.strength as u8,
    }
}

/// Checks the password of somebody who is signed in; a code follows when the account has a second factor (N21).
#[server(name = ConfirmIdentity, prefix = "", endpoint = "profile/confirm")]
pub async fn confirm_identity(
    /// Password, as typed.
    password: String,
    /// Where it leads; anything but a local path leads to Security Settings.
    next: String,
) -> Result<Onward, Refused> {
    use crate::call::{Call, after_step_up};
    use vestibule_core::secret::Password;

    let call = Call::current()?;
    let next = after_step_up(&next);
    let confirmed = call
        .service
        .confirm_identity(&Password::new(password), &next, &call.visitor)
        .await?;
    let to = call.confirmed(confirmed, next).await;
    Ok(Onward { to })
}
