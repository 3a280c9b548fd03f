//! The company's own mail server.

#![expect(
    clippy::too_many_arguments,
    reason = "a server function has an argument for every field of its form"
)]

use leptos::prelude::*;
use vestibule_core::sign_in_view::Onward;

use super::Refused;

/// Saves the company's own mail server, or goes back to the installation's.
#[server(name = SaveMailServer, prefix = "", endpoint = "admin/mail")]
pub async fn save_mail_server(
    /// Version that the page showed; 0 = there was none.
    version: i64,
    /// `own`, or `installation`.
    way: String,
    /// Host name or network address.
    host: String,
    /// Port.
    port: String,
    /// Word of how connections are encrypted.
    security: Option<String>,
    /// User to sign in with.
    user: String,
    /// Its password; empty = the one that is stored.
    mail_password: String,
    /// Whom mails are from.
    sender: String,
    /// Where answers go.
    reply_to: String,
    /// Whether mails go through the installation's server when this one fails.
    fall_back: Option<String>,
) -> Result<Onward, Refused> {
    use crate::{call::Call, view::OWN};
    use vestibule_core::paths::ADMIN_MAIL;
    use vestibule_service::console::MailServerInput;

    let call = Call::current()?;
    let input = MailServerInput {
        own: way == OWN,
        host,
        port,
        security: security.unwrap_or_default(),
        user,
        password: mail_password.into(),
        sender,
        reply_to,
        fall_back: fall_back.is_some(),
    };
    let version = (version != 0).then_some(version);
    call.service
        .save_mail_server(version, input, &call.visitor)
        .await?;
    Ok(Onward {
        to: format!("{ADMIN_MAIL}?saved"),
    })
}

/// Sends a test mail through the company's own server. Nobody waits for the answer here.
#[server(name = SendTestMail, prefix = "", endpoint = "admin/mail/test")]
pub async fn send_test_mail() -> Result<Onward, Refused> {
    use crate::call::Call;
    use vestibule_core::paths::ADMIN_MAIL_TEST;

    let call = Call::current()?;
    call.service.send_test_mail(&call.visitor).await?;
    Ok(Onward {
        to: ADMIN_MAIL_TEST.to_owned(),
    })
}
