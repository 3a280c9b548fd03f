//! The authorization-code flow.

use std::time::Duration;

use oauth2::TokenResponse;
use openidconnect::{
    AccessToken, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet,
    EndpointSet, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, Scope,
    StandardErrorResponse, TokenUrl,
    core::{
        CoreErrorResponseType, CoreRevocableToken, CoreRevocationErrorResponse,
        CoreTokenIntrospectionResponse, CoreTokenType,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use vestibule_core::{
    ports::{Moment, Randomness},
    secret::Token,
    sso::{Identity, Provider},
};
use zeroize::Zeroizing;

use crate::{
    application::Application,
    documents::{Documents, Library},
    error::{SsoError, TokenProblem},
    http::{CallFailed, Http, TOTAL_LIMIT},
    token::verify,
};

/// Speaks to providers. Clone-free: one for the whole process, so that documents are fetched once.
pub struct Client {
    http: Http,
    library: Library,
    limit: Duration,
}

/// A flow that has begun. It has to be kept until the browser comes back, and given away to nobody.
pub struct Begun {
    /// Where to send the browser.
    pub url: String,
    /// Comes back with the browser, and must be the same then (RFC 6749, section 10.12).
    pub state: Zeroizing<String>,
    /// Stands in the ID token.
    pub nonce: Zeroizing<String>,
    /// Proves to the provider that the code comes from whoever began (RFC 7636).
    pub verifier: Zeroizing<String>,
}

/// What a browser brought back, and what was kept for it.
pub struct Returned<'a> {
    /// The code.
    pub code: &'a str,
    /// Whose answer it is, where it says so (RFC 9207).
    pub issuer: Option<&'a str>,
    /// As in [`Begun`].
    pub verifier: &'a str,
    /// As in [`Begun`].
    pub nonce: &'a str,
}

/// The answer of a token endpoint, of which only the ID token is used. The library's own refuses it for an `expires_in` that
/// is text, and for an access token that nobody needs.
#[derive(Serialize, Deserialize)]
struct TokenAnswer {
    #[serde(default)]
    id_token: Value,
    #[serde(skip, default = "nothing")]
    access_token: AccessToken,
    #[serde(skip, default = "bearer")]
    token_type: CoreTokenType,
}

fn nothing() -> AccessToken {
    AccessToken::new(String::new())
}

const fn bearer() -> CoreTokenType {
    CoreTokenType::Bearer
}

impl std::fmt::Debug for TokenAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenAnswer")
    }
}

/// For the library, which asks for all of it and does nothing with it.
impl TokenResponse for TokenAnswer {
    type TokenType = CoreTokenType;

    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    fn token_type(&self) -> &CoreTokenType {
        &self.token_type
    }

    fn expires_in(&self) -> Option<Duration> {
        None
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        None
    }

    fn scopes(&self) -> Option<&Vec<Scope>> {
        None
    }
}

type Protocol = oauth2::Client<
    StandardErrorResponse<CoreErrorResponseType>,
    TokenAnswer,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

impl Client {
    /// A client that knows nobody yet. `limit` is how long each step may take, whatever it has to ask for; `None` = 10
    /// seconds (N24).
    ///
    /// # Errors
    /// When the machine offers no randomness or no certificates.
    pub fn new(limit: Option<Duration>) -> Result<Self, SsoError> {
        let limit = limit.unwrap_or(TOTAL_LIMIT);
        Ok(Self {
            http: Http::new(limit)?,
            library: Library::default(),
            limit,
        })
    }

    async fn in_time<T>(&self, step: impl Future<Output = Result<T, SsoError>>) -> Result<T, SsoError> {
        tokio::time::timeout(self.limit, step)
            .await
            .unwrap_or(Err(SsoError::TimedOut))
    }

    /// Begins a flow: the address to send the browser to, and what to keep meanwhile. `anew` asks the provider to have the
    /// person prove who they are even when they are signed in there; Google does not know how to.
    ///
    /// # Errors
    /// [`SsoError`] when the provider cannot be asked.
    pub async fn begin(
        &self,
        application: &Application,
        anew: bool,
        randomness: &dyn Randomness,
    ) -> Result<Begun, SsoError> {
        let documents = self.in_time(self.library.of(application, &self.http)).await?;
        let prompt = if anew && application.provider == Provider::Office365 {
            "login"
        } else {
            "select_account"
        };
        let random = || Zeroizing::new(Token::new(randomness).reveal());
        let (state, nonce, verifier) = (random(), random(), random());
        let challenge =
            PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new((*verifier).clone()));
        let (url, _) = protocol(application, &documents)?
            .authorize_url(|| CsrfToken::new((*state).clone()))
            .add_scopes(["openid", "email", "profile"].map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(challenge)
            .add_extra_param("nonce", nonce.as_str())
            .add_extra_param("prompt", prompt)
            .url();
        Ok(Begun {
            url: url.into(),
            state,
            nonce,
            verifier,
        })
    }

    /// Exchanges the code that the browser came back with, and verifies the ID token.
    ///
    /// # Errors
    /// [`SsoError`]: then nobody is known.
    pub async fn finish(
        &self,
        application: &Application,
        returned: &Returned<'_>,
        now: Moment,
    ) -> Result<Identity, SsoError> {
        self.in_time(self.exchange(application, returned, now)).await
    }

    async fn exchange(
        &self,
        application: &Application,
        returned: &Returned<'_>,
        now: Moment,
    ) -> Result<Identity, SsoError> {
        let Returned {
            code,
            issuer,
            verifier,
            nonce,
        } = *returned;
        let documents = self.library.of(application, &self.http).await?;
        // The code of another provider is not given to this one.
        if !documents.is_answer_of(application, issuer) {
            return Err(SsoError::WrongIssuer);
        }
        let answer = protocol(application, &documents)?
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.to_owned()))
            .request_async(&self.http)
            .await
            .map_err(|error| exchange_error(&error))?;
        let raw = answer
            .id_token
            .as_str()
            .ok_or(SsoError::Token(TokenProblem::Missing))?;
        match verify(raw, nonce, application, &documents, now) {
            // The provider may have new keys since.
            Err(SsoError::Token(TokenProblem::Signature)) => {
                let newer = self
                    .library
                    .newer_than(&documents, application, &self.http)
                    .await?
                    .ok_or(SsoError::Token(TokenProblem::Signature))?;
                verify(raw, nonce, application, &newer, now)
            }
            other => other,
        }
    }

    /// Whether the settings can work: fetches what the provider publishes, whatever is known already, and offers it a code
    /// that it never gave. A provider that knows the application and takes its secret complains about the code only (RFC 6749, 5.2:
    /// `invalid_grant`).
    ///
    /// # Errors
    /// [`SsoError`] says what is wrong.
    pub async fn check(&self, application: &Application) -> Result<(), SsoError> {
        self.in_time(self.offer_nothing(application)).await
    }

    async fn offer_nothing(&self, application: &Application) -> Result<(), SsoError> {
        let documents = self.library.fetch(application, &self.http).await?;
        let asked = protocol(application, &documents)?
            .exchange_code(AuthorizationCode::new("test".to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new("test".repeat(11)))
            .request_async(&self.http)
            .await;
        match asked.map_err(|error| exchange_error(&error)) {
            Ok(_) | Err(SsoError::CodeRefused) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn protocol(application: &Application, documents: &Documents) -> Result<Protocol, SsoError> {
    let unusable = |_| SsoError::NotUnderstood;
    Ok(oauth2::Client::new(ClientId::new(application.client_id.clone()))
        .set_client_secret(ClientSecret::new((*application.client_secret).clone()))
        .set_auth_type(AuthType::RequestBody)
        .set_auth_uri(AuthUrl::new(documents.authorization.to_string()).map_err(unusable)?)
        .set_token_uri(TokenUrl::new(documents.token.to_string()).map_err(unusable)?)
        .set_redirect_uri(RedirectUrl::new(application.redirect_uri.clone()).map_err(unusable)?))
}

fn exchange_error(
    error: &RequestTokenError<CallFailed, StandardErrorResponse<CoreErrorResponseType>>,
) -> SsoError {
    match error {
        RequestTokenError::Request(CallFailed(error)) => *error,
        RequestTokenError::ServerResponse(answer) => match answer.error() {
            CoreErrorResponseType::InvalidClient | CoreErrorResponseType::UnauthorizedClient => {
                SsoError::UnknownApplication
            }
            CoreErrorResponseType::InvalidGrant => SsoError::CodeRefused,
            // Such as Google's `redirect_uri_mismatch`: no code would be taken, whichever it is.
            _ => SsoError::RequestRefused,
        },
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => SsoError::NotUnderstood,
    }
}
