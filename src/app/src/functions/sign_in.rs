//! Signing in.

use leptos::prelude::*;
use vestibule_core::sign_in_view::{CodeView, Onward};

use super::Refused;

/// Checks company, account and password; leads to the code page or signs in.
#[server(name = SignIn, prefix = "", endpoint = "login")]
pub async fn sign_in(
    /// Company name, as typed.
    company: String,
    /// Account name or e-mail address, as typed.
    account: String,
    /// Password, as typed.
    password: String,
    /// Deep link asked for before; anything but a local path is ignored.
    next: Option<String>,
) -> Result<Onward, Refused> {
    use crate::call::Call;
    use vestibule_core::{paths, secret::Password};
    use vestibule_service::sign_in::SignInForm;

    let call = Call::current()?;
    let next = next.filter(|next| paths::is_local(next));
    let form = SignInForm {
        company,
        account,
        password: Password::new(password),
        next,
    };
    let (company, account) = (form.company.clone(), form.account.clone());
    match call.service.sign_in().with_password(form, &call.visitor).await {
        Ok(outcome) => Ok(Onward {
            to: call.entered(outcome),
        }),
        Err(refusal) => Err(call.refused_password(&company, &account, refusal).into()),
    }
}

/// Checks a code; signs in.
#[server(name = VerifyCode, prefix = "", endpoint = "login/code")]
pub async fn verify_code(
    /// Six digits, as typed.
    code: String,
    /// `yes` when `Don't ask again` is ticked.
    trust: Option<String>,
) -> Result<Onward, Refused> {
    use crate::call::{Call, Effect};
    use vestibule_core::{paths::PROFILE_CONFIRM, refusal::Refusal, sign_in::landing};

    let call = Call::current()?;
    let trust = trust.as_deref() == Some("yes");
    let refusal = match call
        .service
        .sign_in()
        .verify_code(&code, trust, &call.visitor)
        .await
    {
        Ok(granted) => {
            return Ok(Onward {
                to: call.granted(granted).await,
            });
        }
        Err(refusal) => refusal,
    };
    if matches!(refusal, Refusal::SignInExpired | Refusal::AccountLocked) {
        call.add(Effect::Pending(None));
    }
    if refusal == Refusal::SignInExpired
        && let Some(signed_in) = call.service.sign_in().session(&call.visitor).await?
    {
        let to = if call.visitor.pending.is_some() {
            // A step-up that took too long.
            format!("{PROFILE_CONFIRM}?expired")
        } else {
            // A second tab of a sign-in that another tab has completed: it is where it wanted to be.
            landing(
                &signed_in.company.settings,
                signed_in.account.highest_role(),
                None,
            )
        };
        return Ok(Onward { to });
    }
    Err(refusal.into())
}

/// Mails a new code.
#[server(name = ResendCode, prefix = "", endpoint = "login/code/resend")]
pub async fn resend_code() -> Result<Onward, Refused> {
    use crate::call::Call;
    use vestibule_core::paths::LOGIN_CODE;

    let call = Call::current()?;
    call.service.sign_in().resend_code(&call.visitor).await?;
    Ok(Onward {
        to: format!("{LOGIN_CODE}?resent"),
    })
}

/// What the code page should show now. Changes nothing.
#[server(name = CodeStatus, prefix = "", endpoint = "login/code/status")]
pub async fn code_status() -> Result<CodeView, Refused> {
    use crate::call::Call;

    let call = Call::current()?;
    Ok(call.service.sign_in().open_sign_in(&call.visitor).await?.view)
}
