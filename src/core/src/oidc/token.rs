//! Codes and refresh tokens: what they are worth. How often each may be used is settled by one statement in the database.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use sha2::{Digest, Sha256};

use crate::{
    id::ApplicationId,
    limits::{CODE_OF_APPLICATION_SECONDS, REFRESH_REUSE_SECONDS},
    oidc::{
        error::{Described, TokenError},
        parameters::{Doubled, Parameters},
        scope::Scopes,
    },
    ports::{Moment, has_begun},
    secret::{Token, same},
};

/// What a code is bound to: the SHA-256 of a secret that the application keeps until it trades the code in (RFC 7636).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge(pub [u8; 32]);

impl Challenge {
    /// Reads base64url without padding.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        (length == 32 && text.len() == 43).then_some(Self(bytes))
    }

    /// Whether this is the secret: 43 to 128 characters that stand for themselves in an address.
    pub fn fits(self, verifier: &str) -> bool {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        (43..=128).contains(&verifier.len())
            && verifier.bytes().all(plain)
            && same(&Sha256::digest(verifier.as_bytes()), &self.0)
    }
}

/// What the token endpoint is asked for.
#[derive(Clone)]
pub enum TokenRequest {
    /// Tokens for a code.
    Code {
        /// The code; `None` = what was sent can be none of ours.
        code: Option<Token>,
        /// The address that the code was sent to.
        redirect_uri: Option<String>,
        /// The secret behind the challenge.
        verifier: Option<String>,
    },
    /// New tokens for a refresh token.
    Refresh {
        /// The refresh token; `None` = what was sent can be none of ours.
        token: Option<Token>,
        /// Fewer scopes than before.
        scopes: Option<Scopes>,
    },
}

impl std::fmt::Debug for TokenRequest {
    /// Its kind alone: everything else in it is secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Code { .. } => "Code(…)",
            Self::Refresh { .. } => "Refresh(…)",
        })
    }
}

/// What a code is, wherever it is stored.
#[derive(Clone, Copy, Debug)]
pub struct CodeFacts<'a> {
    /// Whose it is.
    pub application: ApplicationId,
    /// The address that it was sent to.
    pub redirect_uri: &'a str,
    /// What it is bound to.
    pub challenge: Option<Challenge>,
    /// When it was given.
    pub given_at: Moment,
}

/// What becomes of a refresh token that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refreshing {
    /// It is the newest: others take its place.
    Rotate,
    /// It was used a moment ago, and the answer may have been lost: the same answer once more.
    Repeat,
    /// It was used long ago, or its answer arrived: somebody has a copy. Everything that came of the first code ends.
    EndFamily,
}

const INVALID: Described<TokenError> = Described::new(
    TokenError::InvalidGrant,
    "the code or the refresh token is used, over, or not meant for this request",
);

/// What is said about a code or refresh token that is worth nothing, whatever the reason.
pub const fn worthless() -> Described<TokenError> {
    INVALID
}

impl TokenRequest {
    /// Reads the form.
    ///
    /// # Errors
    /// `invalid_request`, `unsupported_grant_type`.
    pub fn read(parameters: &Parameters) -> Result<Self, Described<TokenError>> {
        let refused = |description| Described::new(TokenError::InvalidRequest, description);
        if parameters.any_doubled() {
            return Err(refused("a parameter comes twice"));
        }
        let one = |name| {
            parameters
                .one(name)
                .map_err(|Doubled| refused("a parameter comes twice"))
        };
        match one("grant_type")? {
            Some("authorization_code") => Ok(Self::Code {
                code: Token::parse(one("code")?.ok_or(refused("code is missing"))?),
                redirect_uri: one("redirect_uri")?.map(str::to_owned),
                verifier: one("code_verifier")?.map(str::to_owned),
            }),
            Some("refresh_token") => Ok(Self::Refresh {
                token: Token::parse(one("refresh_token")?.ok_or(refused("refresh_token is missing"))?),
                scopes: one("scope")?.map(Scopes::parse),
            }),
            Some(_) => Err(Described::new(
                TokenError::UnsupportedGrantType,
                "grant_type must be authorization_code or refresh_token",
            )),
            None => Err(refused("grant_type is missing")),
        }
    }
}

impl CodeFacts<'_> {
    /// Whether the code is worth tokens to this application.
    ///
    /// # Errors
    /// `invalid_grant`, always in the same words.
    pub fn redeem(
        &self,
        application: ApplicationId,
        redirect_uri: Option<&str>,
        verifier: Option<&str>,
        now: Moment,
    ) -> Result<(), Described<TokenError>> {
        let proved = match (self.challenge, verifier) {
            (None, None) => true,
            (Some(challenge), Some(verifier)) => challenge.fits(verifier),
            // A verifier without a challenge: somebody took the challenge out on the way.
            (None, Some(_)) | (Some(_), None) => false,
        };
        let good = self.application == application
            && redirect_uri == Some(self.redirect_uri)
            && proved
            && has_begun(now, self.given_at)
            && now < self.given_at + TimeDelta::seconds(CODE_OF_APPLICATION_SECONDS);
        if good { Ok(()) } else { Err(INVALID) }
    }
}

impl Refreshing {
    /// What becomes of a refresh token that was used at `used_at`, if it was. `answer_unused`: whether the token that took
    /// its place was never shown. Whoever has shown that one has got the answer, and sends this one no more.
    pub fn of(used_at: Option<Moment>, answer_unused: bool, now: Moment) -> Self {
        match used_at {
            None => Self::Rotate,
            Some(used) if answer_unused && now < used + TimeDelta::seconds(REFRESH_REUSE_SECONDS) => {
                Self::Repeat
            }
            Some(_) => Self::EndFamily,
        }
    }
}

/// The scopes of new tokens: those that were given at first, or fewer of them.
///
/// # Errors
/// `invalid_scope` when more are asked for.
pub fn narrowed(given: &Scopes, asked: Option<Scopes>) -> Result<Scopes, Described<TokenError>> {
    let scopes = asked.unwrap_or_else(|| given.clone());
    if given.has_all(&scopes) {
        Ok(scopes)
    } else {
        Err(Described::new(
            TokenError::InvalidScope,
            "more scopes than were given at first",
        ))
    }
}

/// Half of the hash of an access token, which binds the ID token to it (OpenID Connect Core 1.0, section 3.1.3.6).
pub fn at_hash(access_token: &str) -> String {
    let digest = Sha256::digest(access_token.as_bytes());
    URL_SAFE_NO_PAD.encode(&digest[..16])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        oidc::{application::ApplicationKind, tests::application},
        ports::SeededRandomness,
    };

    /// RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    /// `oidcc-ensure-request-with-valid-pkce-succeeds`
    #[test]
    fn a_challenge_fits_its_verifier_and_nothing_else() {
        let challenge = Challenge::parse(CHALLENGE).unwrap();
        assert!(challenge.fits(VERIFIER));
        for bad in [
            "",
            CHALLENGE,
            &VERIFIER[1..],
            &format!("{VERIFIER}="),
            &"a".repeat(129),
        ] {
            assert!(!challenge.fits(bad), "{bad}");
        }
        for bad in [
            "",
            VERIFIER.trim_end_matches('k'),
            &format!("{CHALLENGE}="),
            "a b",
        ] {
            assert_eq!(Challenge::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_code_is_worth_tokens_only_to_whom_it_was_given() {
        let now = Moment::UNIX_EPOCH;
        let own = application(ApplicationKind::Web).id;
        let other = ApplicationId(uuid::Uuid::from_u128(1));
        let bound = CodeFacts {
            application: own,
            redirect_uri: "https://desktop.acme.test/callback",
            challenge: Challenge::parse(CHALLENGE),
            given_at: now,
        };
        let free = CodeFacts {
            challenge: None,
            ..bound
        };
        let (uri, wrong_uri) = (Some(bound.redirect_uri), Some("https://desktop.acme.test/"));
        let (good, wrong) = (Some(VERIFIER), Some(CHALLENGE));
        for (code, application, uri, verifier, seconds, expected) in [
            (bound, own, uri, good, 59, true),
            (free, own, uri, None, 0, true),
            (bound, own, uri, good, 60, false),
            (bound, own, uri, good, -6, false),
            (bound, other, uri, good, 0, false),
            (bound, own, wrong_uri, good, 0, false),
            (bound, own, None, good, 0, false),
            (bound, own, uri, wrong, 0, false),
            (bound, own, uri, None, 0, false),
            (free, own, uri, good, 0, false),
        ] {
            let redeemed = code.redeem(application, uri, verifier, now + TimeDelta::seconds(seconds));
            assert_eq!(redeemed.is_ok(), expected, "{uri:?} {verifier:?} {seconds}");
        }
    }

    /// `oidcc-refresh-token`
    #[test]
    fn a_refresh_token_is_good_once_and_for_a_moment_more() {
        let used = Moment::UNIX_EPOCH;
        let after = |seconds, unused| Refreshing::of(Some(used), unused, used + TimeDelta::seconds(seconds));
        assert_eq!(Refreshing::of(None, false, used), Refreshing::Rotate);
        assert_eq!(after(0, true), Refreshing::Repeat);
        assert_eq!(after(29, true), Refreshing::Repeat);
        assert_eq!(after(30, true), Refreshing::EndFamily);
        assert_eq!(after(0, false), Refreshing::EndFamily, "the answer arrived");
        let given = Scopes::parse("openid email");
        assert_eq!(narrowed(&given, None), Ok(given.clone()));
        assert_eq!(
            narrowed(&given, Some(Scopes::parse("email")))
                .unwrap()
                .to_string(),
            "email"
        );
        assert!(narrowed(&given, Some(Scopes::parse("openid roles"))).is_err());
    }

    #[test]
    fn a_request_for_tokens_is_read_strictly() {
        use TokenError as E;
        let code = Token::new(&SeededRandomness::new(1)).reveal();
        let read = |text: &str| TokenRequest::read(&Parameters::parse(text));
        let good = read(&format!(
            "grant_type=authorization_code&code={code}&redirect_uri=x&unknown=1"
        ));
        assert!(matches!(
            good,
            Ok(TokenRequest::Code {
                code: Some(_),
                verifier: None,
                ..
            })
        ));
        let secret = read(&format!(
            "grant_type=authorization_code&code={code}&code_verifier={VERIFIER}"
        ));
        assert_eq!(format!("{secret:?}"), "Ok(Code(…))");
        let nonsense = read("grant_type=refresh_token&refresh_token=nonsense");
        assert!(matches!(nonsense, Ok(TokenRequest::Refresh { token: None, .. })));
        for (text, expected) in [
            ("", E::InvalidRequest),
            ("grant_type=authorization_code", E::InvalidRequest),
            ("grant_type=refresh_token", E::InvalidRequest),
            (
                "grant_type=password&username=a&password=b",
                E::UnsupportedGrantType,
            ),
            ("grant_type=client_credentials", E::UnsupportedGrantType),
            (
                "grant_type=refresh_token&refresh_token=a&refresh_token=a",
                E::InvalidRequest,
            ),
        ] {
            assert_eq!(read(text).unwrap_err().error, expected, "{text}");
        }
    }

    /// OpenID Connect Core 1.0, appendix A.4, with the hash of RS256.
    #[test]
    fn the_hash_of_an_access_token_is_the_standards() {
        assert_eq!(
            at_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"),
            "77QmUPtjPfzWtF2AnpK9RQ"
        );
    }
}
