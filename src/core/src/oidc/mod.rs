//! The OpenID provider as rules: what an application may ask for, what stands before the answer, and what the answer says
//! (OpenID Connect Core 1.0, RFC 6749, 7636, 8252, 9207). Nothing here knows a database, a key or HTTP.
//!
//! A request goes through these in turn: [`request::AuthorizationRequest::read`] makes it valid, or a page, or an error at
//! the application's address; [`step::next_step`] says what has to happen before a code is given; [`client`] and [`token`]
//! say whether the code, or a refresh token, is worth new tokens; [`claims`] says what stands in them.

pub mod application;
pub mod claims;
pub mod client;
pub mod discovery;
pub mod error;
pub mod logout;
pub mod parameters;
pub mod request;
pub mod scope;
pub mod step;
pub mod token;

#[cfg(test)]
pub(crate) mod tests {
    use super::application::{Application, ApplicationKind, ApplicationSettings, Signing};
    use crate::{
        account::Role,
        id::ApplicationId,
        ports::{Moment, SeededRandomness},
        sign_in::tests::company,
    };

    /// A web application of the company Acme that everybody may use.
    pub(crate) fn application(kind: ApplicationKind) -> Application {
        Application {
            id: ApplicationId::new(Moment::UNIX_EPOCH, &SeededRandomness::new(11)),
            company: Some(company().id),
            settings: ApplicationSettings {
                name: "Agent Desktop".into(),
                kind,
                redirect_uris: vec![
                    "https://desktop.acme.test/callback".into(),
                    "http://127.0.0.1/callback".into(),
                ],
                logout_uris: vec!["https://desktop.acme.test/bye?from=vestibule".into()],
                back_channel_uri: None,
                launch_uri: None,
                roles: Role::ALL.to_vec(),
                signing: Signing::Es256,
            },
            version: 1,
            created_at: Moment::UNIX_EPOCH,
            last_used_at: None,
        }
    }
}
