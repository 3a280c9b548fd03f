//! How Vestibule signs in to a mail server: PLAIN when it is offered, else LOGIN.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use lettre::transport::smtp::{
    authentication::{Credentials, Mechanism},
    client::AsyncSmtpConnection,
    commands::Ehlo,
    extension::ClientId,
};
use zeroize::Zeroizing;

use super::{Failure, settings::Login};
use crate::transport::{Reason, SendError};

/// The code of an answer that wants more of the sign-in.
const GO_ON: u16 = 334;

/// Signs in with user and password.
pub(super) async fn sign_in(
    connection: &mut AsyncSmtpConnection,
    login: &Login,
    hello: &ClientId,
) -> Result<(), Failure> {
    let of_connection = |error| Failure::of_connection(&error, false);
    let offered = connection.server_info();
    if offered.supports_auth_mechanism(Mechanism::Plain) {
        let credentials = Credentials::new(login.user.clone(), login.password.to_string());
        let accepted = connection.auth(&[Mechanism::Plain], &credentials).await;
        accepted.map_err(of_connection)?;
        return Ok(());
    }
    if !offered.supports_auth_mechanism(Mechanism::Login) {
        return Err(not_offered(&offers(connection, hello).await));
    }
    // LOGIN asks for the name first and for the password next, in whatever words and language: they are not looked at.
    let mut answer = connection
        .command("AUTH LOGIN\r\n")
        .await
        .map_err(of_connection)?;
    for words in [login.user.as_str(), &login.password] {
        if !answer.has_code(GO_ON) {
            break;
        }
        let line = Zeroizing::new(format!("{}\r\n", BASE64.encode(words)));
        answer = connection.command(line.as_str()).await.map_err(of_connection)?;
    }
    if answer.has_code(GO_ON) {
        // A third question is none that a user and a password answer.
        return Err(Failure::of(
            SendError::Temporary(Reason::Other),
            "LOGIN asks for more",
        ));
    }
    Ok(())
}

/// The ways to sign in that a server offers, as it calls them. The library keeps only those it knows, so it is asked again.
async fn offers(connection: &mut AsyncSmtpConnection, hello: &ClientId) -> String {
    let Ok(answer) = connection.command(Ehlo::new(hello.clone())).await else {
        return String::new();
    };
    let mut offers: Vec<&str> = Vec::new();
    for line in answer.message().skip(1) {
        let mut words = line.split_whitespace();
        if words.next() == Some("AUTH") {
            offers.extend(words);
        }
    }
    let mut known = std::collections::HashSet::new();
    offers.retain(|offer| known.insert(*offer));
    offers.join(", ")
}

fn not_offered(offers: &str) -> Failure {
    Failure {
        error: SendError::Temporary(Reason::NoSignIn),
        detail: if offers.is_empty() {
            "the server offers no sign-in; PLAIN and LOGIN can be used".to_owned()
        } else {
            format!("the server offers {offers}; PLAIN and LOGIN can be used")
        },
        said: offers.to_owned(),
    }
}
