//! How an application proves to the endpoints who it is (RFC 6749, section 2.3; OpenID Connect Core 1.0, section 9).

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use crate::{
    id::ApplicationId,
    oidc::{
        application::Application,
        error::{Described, TokenError},
        parameters::{Doubled, Parameters},
    },
    ports::Moment,
    secret::{Token, TokenHash, same},
};

/// What an application says about itself.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Which one.
    pub application: ApplicationId,
    /// What proves it.
    pub secret: SentSecret,
}

/// The secret that came along.
#[derive(Clone, Debug)]
pub enum SentSecret {
    /// None.
    Nothing,
    /// One that can be none of ours.
    Unreadable,
    /// One that may be right.
    Token(Token),
}

impl SentSecret {
    fn parse(text: &str) -> Self {
        Token::parse(text).map_or(Self::Unreadable, Self::Token)
    }
}

/// A secret of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientSecret {
    /// Its hash.
    pub hash: TokenHash,
    /// When it stops being good; `None` = never by itself.
    pub expires_at: Option<Moment>,
}

const INVALID: Described<TokenError> = Described::new(
    TokenError::InvalidClient,
    "the application is unknown, or it did not prove itself as it has to",
);
const DOUBLED: Described<TokenError> = Described::new(TokenError::InvalidRequest, "a parameter comes twice");
const TWO_WAYS: Described<TokenError> = Described::new(
    TokenError::InvalidRequest,
    "an application proves itself in one way, not in two",
);

/// Name and secret of the header, each form-encoded (RFC 6749, section 2.3.1).
fn basic(header: &str) -> Option<(String, Zeroizing<String>)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let bytes = Zeroizing::new(STANDARD.decode(encoded.trim()).ok()?);
    let (name, secret) = str::from_utf8(&bytes).ok()?.split_once(':')?;
    let decoded = |text: &str| {
        // A form of one field reads it as its name; an equals sign in it is none of ours.
        let mut pairs = url::form_urlencoded::parse(text.as_bytes());
        pairs
            .next()
            .map(|(name, _)| name.into_owned())
            .unwrap_or_default()
    };
    Some((decoded(name), Zeroizing::new(decoded(secret))))
}

impl Credentials {
    /// Reads the header `Authorization` and the fields of the form. Exactly one way may be used: `client_secret_basic`,
    /// `client_secret_post`, or `client_id` alone.
    ///
    /// # Errors
    /// `invalid_client` for what can be no application; `invalid_request` for two ways at once.
    pub fn read(header: Option<&str>, parameters: &Parameters) -> Result<Self, Described<TokenError>> {
        let id = parameters.one("client_id").map_err(|Doubled| DOUBLED)?;
        let posted = parameters.one("client_secret").map_err(|Doubled| DOUBLED)?;
        for other in ["client_assertion", "client_assertion_type"] {
            if parameters.one(other).map_err(|Doubled| DOUBLED)?.is_some() {
                return Err(INVALID);
            }
        }
        let Some(header) = header else {
            let application = id.and_then(ApplicationId::parse).ok_or(INVALID)?;
            return Ok(Self {
                application,
                secret: posted.map_or(SentSecret::Nothing, SentSecret::parse),
            });
        };
        let (name, secret) = basic(header).ok_or(INVALID)?;
        if posted.is_some() || id.is_some_and(|id| id != name) {
            return Err(TWO_WAYS);
        }
        Ok(Self {
            application: ApplicationId::parse(&name).ok_or(INVALID)?,
            secret: SentSecret::parse(&secret),
        })
    }

    /// Whether this proves the application; with which of its secrets, by its place in the list.
    ///
    /// # Errors
    /// `invalid_client`.
    pub fn prove(
        &self,
        application: &Application,
        secrets: &[ClientSecret],
        now: Moment,
    ) -> Result<Option<usize>, Described<TokenError>> {
        match &self.secret {
            SentSecret::Nothing if application.is_public() => Ok(None),
            SentSecret::Token(token) if !application.is_public() && application.speaks_protocol() => {
                let hash = token.hash();
                // All are compared, whichever fits.
                let fitting = secrets.iter().enumerate().filter(|(_, secret)| {
                    let fits = same(&secret.hash.0, &hash.0);
                    fits && secret.expires_at.is_none_or(|end| now < end)
                });
                let newest = fitting.fold(None, |_, (place, _)| Some(place));
                newest.map(Some).ok_or(INVALID)
            }
            _ => Err(INVALID),
        }
    }
}

/// What is said to an application that is not there at all: the same as to one with a wrong secret.
pub const fn unknown() -> Described<TokenError> {
    INVALID
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::{
        oidc::{application::ApplicationKind, tests::application},
        ports::SeededRandomness,
    };

    fn header(name: &str, secret: &str) -> String {
        format!("Basic {}", STANDARD.encode(format!("{name}:{secret}")))
    }

    fn id() -> String {
        application(ApplicationKind::Web).id.to_string()
    }

    /// `oidcc-server`, `oidcc-server-client-secret-post`
    #[test]
    fn an_application_says_who_it_is_in_one_way() {
        let secret = Token::new(&SeededRandomness::new(1));
        let text = secret.reveal();
        let escaped: String = text.replace('-', "%2D").replace('_', "%5F");
        for (header, body) in [
            (Some(header(&id(), &text)), String::new()),
            (
                Some(header(&id().replace('-', "%2D"), &escaped)),
                format!("client_id={}", id()),
            ),
            (None, format!("client_id={}&client_secret={text}", id())),
        ] {
            let read = Credentials::read(header.as_deref(), &Parameters::parse(&body)).unwrap();
            assert_eq!(read.application.to_string(), id());
            assert!(matches!(read.secret, SentSecret::Token(sent) if sent.hash() == secret.hash()));
        }
        let public = Credentials::read(None, &Parameters::parse(&format!("client_id={}", id())));
        assert!(matches!(public.unwrap().secret, SentSecret::Nothing));
    }

    #[test]
    fn two_ways_and_none_are_refused() {
        use TokenError as E;
        let secret = Token::new(&SeededRandomness::new(1)).reveal();
        let good = header(&id(), &secret);
        for (header, body, expected) in [
            (None, String::new(), E::InvalidClient),
            (None, "client_id=nobody".to_owned(), E::InvalidClient),
            (Some("Bearer x".to_owned()), String::new(), E::InvalidClient),
            (Some("Basic !".to_owned()), String::new(), E::InvalidClient),
            (Some(header("nobody", &secret)), String::new(), E::InvalidClient),
            (
                Some(good.clone()),
                format!("client_secret={secret}"),
                E::InvalidRequest,
            ),
            (
                Some(good.clone()),
                "client_id=other".to_owned(),
                E::InvalidRequest,
            ),
            (
                None,
                format!("client_id={}&client_id={}", id(), id()),
                E::InvalidRequest,
            ),
            (Some(good), "client_assertion=x".to_owned(), E::InvalidClient),
        ] {
            let read = Credentials::read(header.as_deref(), &Parameters::parse(&body));
            assert_eq!(read.unwrap_err().error, expected, "{header:?} {body}");
        }
    }

    #[test]
    fn two_secrets_are_good_at_once_and_an_old_one_ends() {
        let (now, randomness) = (Moment::UNIX_EPOCH, SeededRandomness::new(1));
        let (old, new) = (Token::new(&randomness), Token::new(&randomness));
        let web = application(ApplicationKind::Web);
        let secrets = [
            ClientSecret {
                hash: old.hash(),
                expires_at: Some(now + TimeDelta::hours(1)),
            },
            ClientSecret {
                hash: new.hash(),
                expires_at: None,
            },
        ];
        let prove = |application: &Application, secret, hours| {
            let credentials = Credentials {
                application: application.id,
                secret,
            };
            credentials.prove(application, &secrets, now + TimeDelta::hours(hours))
        };
        assert_eq!(prove(&web, SentSecret::Token(old.clone()), 0), Ok(Some(0)));
        assert_eq!(prove(&web, SentSecret::Token(new.clone()), 0), Ok(Some(1)));
        assert_eq!(prove(&web, SentSecret::Token(new.clone()), 1), Ok(Some(1)));
        for (kind, secret, hours) in [
            (ApplicationKind::Web, SentSecret::Token(old), 1),
            (
                ApplicationKind::Web,
                SentSecret::Token(Token::new(&randomness)),
                0,
            ),
            (ApplicationKind::Web, SentSecret::Unreadable, 0),
            (ApplicationKind::Web, SentSecret::Nothing, 0),
            (ApplicationKind::SinglePage, SentSecret::Token(new.clone()), 0),
            (ApplicationKind::BehindProxy, SentSecret::Token(new), 0),
            (ApplicationKind::BehindProxy, SentSecret::Nothing, 0),
        ] {
            assert!(prove(&application(kind), secret, hours).is_err(), "{kind:?}");
        }
        assert_eq!(
            prove(&application(ApplicationKind::SinglePage), SentSecret::Nothing, 0),
            Ok(None)
        );
    }
}
