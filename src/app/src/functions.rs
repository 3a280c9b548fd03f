//! Server functions: thin adapters between a form and the service.
//!
//! Each is a POST at its page's own address. With WebAssembly the islands call them by fetch; without, the plain
//! form does. They answer [`Onward`] (where to go) or [`Refused`] (why not).

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use server_fn::{codec::JsonEncoding, error::FromServerFnError, error::ServerFnErrorErr};
use vestibule_core::{
    refusal::Refusal,
    sign_in_view::{CodeView, Onward},
};

/// A [`Refusal`] on its way through a server function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Refused(pub Refusal);

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl FromServerFnError for Refused {
    type Encoder = JsonEncoding;

    /// What the library says is dropped: it may quote what was sent.
    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        Self(match error {
            ServerFnErrorErr::Args(_)
            | ServerFnErrorErr::MissingArg(_)
            | ServerFnErrorErr::Deserialization(_) => Refusal::Malformed,
            _ => Refusal::Internal {
                reference: String::new(),
            },
        })
    }
}

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
    use crate::call::{Call, Effect};
    use vestibule_core::{paths, secret::Password};
    use vestibule_service::sign_in::{Outcome, SignInForm};

    let call = Call::current()?;
    let next = next.filter(|next| paths::is_local(next));
    let form = SignInForm {
        company,
        account,
        password: Password::new(password),
        next,
    };
    let to = match call.service.sign_in(form, &call.visitor).await? {
        Outcome::SignedIn(granted) => call.signed_in(granted),
        Outcome::CodeAsked { pending, company } => {
            call.add(Effect::Pending(Some(pending)));
            call.add(Effect::Company(company));
            paths::LOGIN_CODE.to_owned()
        }
    };
    Ok(Onward { to })
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
    use vestibule_core::sign_in::landing;

    let call = Call::current()?;
    let trust = trust.as_deref() == Some("yes");
    let refusal = match call.service.verify_code(&code, trust, &call.visitor).await {
        Ok(granted) => {
            return Ok(Onward {
                to: call.signed_in(granted),
            });
        }
        Err(refusal) => refusal,
    };
    if matches!(refusal, Refusal::SignInExpired | Refusal::AccountLocked) {
        call.add(Effect::Pending(None));
    }
    // A second tab of a sign-in that another tab has completed: it is where it wanted to be.
    if refusal == Refusal::SignInExpired
        && let Some(signed_in) = call.service.session(&call.visitor).await?
    {
        return Ok(Onward {
            to: landing(signed_in.account.highest_role(), None),
        });
    }
    Err(refusal.into())
}

/// Mails a new code.
#[server(name = ResendCode, prefix = "", endpoint = "login/code/resend")]
pub async fn resend_code() -> Result<Onward, Refused> {
    use crate::call::Call;
    use vestibule_core::paths::LOGIN_CODE;

    let call = Call::current()?;
    call.service.resend_code(&call.visitor).await?;
    Ok(Onward {
        to: format!("{LOGIN_CODE}?resent"),
    })
}

/// Gives the pending sign-in up.
#[server(name = CancelSignIn, prefix = "", endpoint = "login/code/cancel")]
pub async fn cancel_sign_in() -> Result<Onward, Refused> {
    use crate::call::{Call, Effect};
    use vestibule_core::paths::LOGIN;

    let call = Call::current()?;
    call.service.cancel_sign_in(&call.visitor).await?;
    call.add(Effect::Pending(None));
    Ok(Onward { to: LOGIN.to_owned() })
}

/// What the code page should show now. Changes nothing.
#[server(name = CodeStatus, prefix = "", endpoint = "login/code/status")]
pub async fn code_status() -> Result<CodeView, Refused> {
    use crate::call::Call;

    let call = Call::current()?;
    Ok(call.service.open_sign_in(&call.visitor).await?.view)
}

/// Ends this session.
#[server(name = SignOut, prefix = "", endpoint = "logout")]
pub async fn sign_out() -> Result<Onward, Refused> {
    use crate::call::{Call, Effect};
    use vestibule_core::paths::LOGIN;

    let call = Call::current()?;
    call.service.sign_out(&call.visitor).await?;
    call.add(Effect::Session(None));
    call.add(Effect::ClearSiteData);
    Ok(Onward {
        to: format!("{LOGIN}?signed_out"),
    })
}

/// Remembers a language in this browser, and with the account when somebody is signed in. An unknown language changes
/// nothing.
#[server(name = SetLanguage, prefix = "", endpoint = "language")]
pub async fn set_language(
    /// Language tag.
    language: String,
    /// Where to go back to; anything but a local path leads to the sign-in page.
    return_to: String,
) -> Result<Onward, Refused> {
    use crate::call::{Call, Effect};
    use vestibule_core::paths;

    let call = Call::current()?;
    if let Some(locale) = vestibule_translations::from_tag(&language) {
        let tag = vestibule_translations::tag(locale);
        if let Some(signed_in) = call.service.session(&call.visitor).await? {
            call.service
                .choose_language(&signed_in, tag, &call.visitor)
                .await?;
        }
        call.add(Effect::Language(tag.to_owned()));
    }
    let to = if paths::is_local(&return_to) {
        return_to
    } else {
        paths::LOGIN.to_owned()
    };
    Ok(Onward { to })
}
