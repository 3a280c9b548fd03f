//! Security Settings: second factors, backup codes, trusted browsers and sessions.

use leptos::prelude::*;
use vestibule_core::sign_in_view::Onward;

use super::{Done, Refused};

/// Begins the set-up of codes by e-mail: a code goes out.
#[server(name = BeginEmailSetUp, prefix = "", endpoint = "profile/security/email")]
pub async fn begin_email_set_up() -> Result<Onward, Refused> {
    use crate::call::Call;
    use vestibule_core::paths::SECURITY_EMAIL;

    let call = Call::current()?;
    call.service.begin_email_set_up(&call.visitor).await?;
    Ok(Onward {
        to: SECURITY_EMAIL.to_owned(),
    })
}

/// Finishes the set-up of codes by e-mail.
#[server(name = FinishEmailSetUp, prefix = "", endpoint = "profile/security/email/code")]
pub async fn finish_email_set_up(
    /// Identifier of the set-up, from the page.
    set_up: String,
    /// Six digits, as typed.
    code: String,
) -> Result<Done, Refused> {
    use crate::call::Call;
    use vestibule_core::sign_in_view::Method;

    let call = Call::current()?;
    Ok(call.finish_set_up(Method::Email, &set_up, &code).await?)
}

/// Sends the code of the set-up once more.
#[server(name = ResendSetUpCode, prefix = "", endpoint = "profile/security/email/resend")]
pub async fn resend_set_up_code() -> Result<Onward, Refused> {
    use crate::call::Call;
    use vestibule_core::paths::SECURITY_EMAIL;

    let call = Call::current()?;
    call.service.resend_set_up_code(&call.visitor).await?;
    Ok(Onward {
        to: format!("{SECURITY_EMAIL}?resent"),
    })
}

/// Turns codes by e-mail off.
#[server(name = TurnEmailOff, prefix = "", endpoint = "profile/security/email/off")]
pub async fn turn_email_off() -> Result<Onward, Refused> {
    use crate::call::Call;
    use vestibule_core::{paths::SECURITY, sign_in_view::Method};

    let call = Call::current()?;
    call.service.turn_off(Method::Email, &call.visitor).await?;
    Ok(Onward {
        to: format!("{SECURITY}?changed"),
    })
}

/// Begins the set-up of an authenticator app: a new secret.
#[server(name = BeginAppSetUp, prefix = "", endpoint = "profile/security/app")]
pub async fn begin_app_set_up() -> Result<Onward, Refused> {
    use crate::call::Call;
    use vestibule_core::paths::SECURITY_APP;

    let call = Call::current()?;
    call.service.begin_app_set_up(&call.visitor).await?;
    Ok(Onward {
        to: SECURITY_APP.to_owned(),
    })
}

/// Finishes the set-up of an authenticator app.
#[server(name = FinishAppSetUp, prefix = "", endpoint = "profile/security/app/code")]
pub async fn finish_app_set_up(
    /// Identifier of the set-up, from the page.
    set_up: String,
    /// Six digits, as typed.
    code: String,
) -> Result<Done, Refused> {
    use crate::call::Call;
    use vestibule_core::sign_in_view::Method;

    let call = Call::current()?;
    Ok(call.finish_set_up(Method::App, &set_up, &code).await?)
}

/// Turns the authenticator app off.
#[server(name = TurnAppOff, prefix = "", endpoint = "profile/security/app/off")]
pub async fn turn_app_off() -> Result<Onward, Refused> {
    use crate::call::Call;
    use vestibule_core::{paths::SECURITY, sign_in_view::Method};

    let call = Call::current()?;
    call.service.turn_off(Method::App, &call.visitor).await?;
    Ok(Onward {
        to: format!("{SECURITY}?changed"),
    })
}

/// Makes ten new backup codes; the old ones no longer work.
#[server(name = NewBackupCodes, prefix = "", endpoint = "profile/security/backup-codes")]
pub async fn new_backup_codes() -> Result<Done, Refused> {
    use crate::call::Call;
    use vestibule_core::{backup_code::BackupCode, paths::SECURITY};

    let call = Call::current()?;
    let codes = call.service.new_backup_codes(&call.visitor).await?;
    Ok(Done {
        to: SECURITY.to_owned(),
        backup_codes: Some(codes.iter().map(BackupCode::reveal).collect()),
    })
}

/// No longer trusts one browser.
#[server(name = ForgetBrowser, prefix = "", endpoint = "profile/security/trusted/remove")]
pub async fn forget_browser(
    /// Identifier of the trusted browser, from the page.
    id: String,
) -> Result<Onward, Refused> {
    use crate::call::Call;
    use vestibule_core::paths::SECURITY;

    let call = Call::current()?;
    call.service.forget_browser(&id, &call.visitor).await?;
    Ok(Onward {
        to: format!("{SECURITY}?ended"),
    })
}

/// No longer trusts any browser.
#[server(name = ForgetAllBrowsers, prefix = "", endpoint = "profile/security/trusted/remove-all")]
pub async fn forget_all_browsers() -> Result<Onward, Refused> {
    use crate::call::Call;
    use vestibule_core::paths::SECURITY;

    let call = Call::current()?;
    call.service.forget_all_browsers(&call.visitor).await?;
    Ok(Onward {
        to: format!("{SECURITY}?ended"),
    })
}

/// Ends one session; when it is this one, the browser goes to the sign-in page.
#[server(name = EndSession, prefix = "", endpoint = "profile/security/sessions/end")]
pub async fn end_session(
    /// Identifier of the session, from the page.
    id: String,
) -> Result<Onward, Refused> {
    use crate::call::{Call, Effect};
    use vestibule_core::paths::{LOGIN, SECURITY};

    let call = Call::current()?;
    let to = if call.service.end_one_session(&id, &call.visitor).await? {
        call.add(Effect::Session(None));
        format!("{LOGIN}?signed_out")
    } else {
        format!("{SECURITY}?ended")
    };
    Ok(Onward { to })
}

/// Ends all sessions but this one.
#[server(name = EndOtherSessions, prefix = "", endpoint = "profile/security/sessions/end-others")]
pub async fn end_other_sessions() -> Result<Onward, Refused> {
    use crate::call::Call;
    use vestibule_core::paths::SECURITY;

    let call = Call::current()?;
    call.service.end_other_sessions(&call.visitor).await?;
    Ok(Onward {
        to: format!("{SECURITY}?ended"),
    })
}
