//! The authorization request (OpenID Connect Core 1.0, section 3.1.2): read once, and then either whole and right, a page
//! here, or an error at the application's address.

use crate::{
    id::ApplicationId,
    limits::OAUTH_ECHOED_MAX,
    oidc::{
        application::Application,
        claims::Acr,
        error::{AuthorizationError, Described, PageProblem},
        parameters::{Doubled, Parameters, with_parameters},
        scope::{Scope, Scopes},
        token::Challenge,
    },
};

/// How an answer reaches the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the query of its redirect URI.
    Query,
    /// In a form that the browser posts there (OAuth 2.0 Form Post Response Mode).
    FormPost,
}

/// Whether the agent may, or must, be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prompt {
    /// Nobody may be asked anything.
    pub none: bool,
    /// Credentials are asked for again.
    pub login: bool,
    /// The agent says as whom.
    pub select_account: bool,
}

/// Who is expected to sign in: `Acme/alice`, or an account of any company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginHint {
    /// The company, where it is said.
    pub company: Option<String>,
    /// Account name or e-mail address.
    pub account: String,
}

impl LoginHint {
    /// Reads what stands before and after the last slash.
    pub fn parse(text: &str) -> Self {
        match text.rsplit_once('/') {
            Some((company, account)) if !company.is_empty() => Self {
                company: Some(company.to_owned()),
                account: account.to_owned(),
            },
            _ => Self {
                company: None,
                account: text.to_owned(),
            },
        }
    }
}

/// Where an answer goes.
#[derive(Clone, PartialEq, Eq)]
pub struct ReturnTo {
    /// The redirect URI: one of the application's own.
    pub uri: String,
    /// How the answer gets there.
    pub mode: ResponseMode,
    /// What the application gave along for itself.
    pub state: Option<String>,
}

/// An answer on its way: an address, or a form to be posted there.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizationAnswer {
    /// The redirect URI, with the parameters where they go in the query.
    pub uri: String,
    /// The fields of the form; none for an address.
    pub fields: Option<Vec<(&'static str, String)>>,
}

impl std::fmt::Debug for ReturnTo {
    /// Without the state, which is the application's secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReturnTo")
            .field("uri", &self.uri)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for AuthorizationAnswer {
    /// Without what is answered: a code is among it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthorizationAnswer")
            .field("uri", &self.uri.split('?').next())
            .finish_non_exhaustive()
    }
}

impl ReturnTo {
    /// The answer with a code.
    pub fn with_code(&self, code: &str, issuer: &str) -> AuthorizationAnswer {
        self.answer(vec![("code", code)], issuer)
    }

    /// The answer with an error.
    pub fn with_error(&self, error: Described<AuthorizationError>, issuer: &str) -> AuthorizationAnswer {
        let parameters = vec![
            ("error", error.error.as_str()),
            ("error_description", error.description),
        ];
        self.answer(parameters, issuer)
    }

    /// Every answer has the state, and says whose it is (RFC 9207).
    fn answer<'a>(
        &'a self,
        mut parameters: Vec<(&'static str, &'a str)>,
        issuer: &'a str,
    ) -> AuthorizationAnswer {
        if let Some(state) = &self.state {
            parameters.push(("state", state));
        }
        parameters.push(("iss", issuer));
        match self.mode {
            ResponseMode::Query => AuthorizationAnswer {
                uri: with_parameters(&self.uri, &parameters),
                fields: None,
            },
            ResponseMode::FormPost => AuthorizationAnswer {
                uri: self.uri.clone(),
                fields: Some(
                    parameters
                        .into_iter()
                        .map(|(name, value)| (name, value.to_owned()))
                        .collect(),
                ),
            },
        }
    }
}

/// A request that is whole and right.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// Where the answer goes.
    pub return_to: ReturnTo,
    /// What the application wants to know; `openid` is among it.
    pub scopes: Scopes,
    /// Stands in the ID token.
    pub nonce: Option<String>,
    /// What the code is bound to.
    pub challenge: Option<Challenge>,
    /// Whether the agent may, or must, be asked.
    pub prompt: Prompt,
    /// Seconds since the last proof of identity that are not too many.
    pub max_age: Option<i64>,
    /// Who is expected.
    pub login_hint: Option<LoginHint>,
    /// Language tags, the best first.
    pub ui_locales: Vec<String>,
    /// An ID token of whoever is expected.
    pub id_token_hint: Option<String>,
    /// How much has to be proved: any of these. None that is known here = nothing in particular.
    pub acr_values: Vec<Acr>,
}

impl std::fmt::Debug for AuthorizationRequest {
    /// Without what is the application's secret, and without the token that came along.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthorizationRequest")
            .field("return_to", &self.return_to)
            .field("scopes", &self.scopes)
            .field("prompt", &self.prompt)
            .field("max_age", &self.max_age)
            .field("acr_values", &self.acr_values)
            .finish_non_exhaustive()
    }
}

/// Why a request gets no code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unanswerable {
    /// A page here.
    Page(PageProblem),
    /// An error at the application's address.
    AtRedirect(ReturnTo, Described<AuthorizationError>),
}

/// Which application asks.
///
/// # Errors
/// [`PageProblem`]: what cannot be an application of ours is none.
pub fn application_of(parameters: &Parameters) -> Result<ApplicationId, PageProblem> {
    let named = parameters
        .one("client_id")
        .map_err(|Doubled| PageProblem::Unreadable)?;
    let named = named.ok_or(PageProblem::UnknownApplication)?;
    ApplicationId::parse(named).ok_or(PageProblem::UnknownApplication)
}

/// Whether nobody may be asked or shown anything, whatever else is wrong with the request.
pub fn is_silent(parameters: &Parameters) -> bool {
    let prompt = parameters.one("prompt").ok().flatten();
    words_of(prompt).iter().any(|word| word == "none")
}

impl AuthorizationRequest {
    /// Reads a request of this application.
    ///
    /// # Errors
    /// [`Unanswerable::Page`] as long as it is not certain where the answer belongs.
    pub fn read(parameters: &Parameters, application: &Application) -> Result<Self, Unanswerable> {
        let return_to = return_to(parameters, application).map_err(Unanswerable::Page)?;
        match Self::read_rest(parameters, application, &return_to) {
            Ok(request) => Ok(request),
            Err(error) => Err(Unanswerable::AtRedirect(return_to, error)),
        }
    }

    fn read_rest(
        parameters: &Parameters,
        application: &Application,
        return_to: &ReturnTo,
    ) -> Result<Self, Described<AuthorizationError>> {
        use AuthorizationError as E;
        let one = |name| {
            let doubled = Described::new(E::InvalidRequest, "a parameter comes twice");
            parameters.one(name).map_err(|Doubled| doubled)
        };
        let state = one("state")?;
        one("response_mode")?;
        for (name, error, description) in [
            ("request", E::RequestNotSupported, "request objects are not read"),
            (
                "request_uri",
                E::RequestUriNotSupported,
                "request objects are not fetched",
            ),
            (
                "registration",
                E::RegistrationNotSupported,
                "applications do not register themselves",
            ),
        ] {
            if one(name)?.is_some() {
                return Err(Described::new(error, description));
            }
        }
        match one("response_type")? {
            Some("code") => {}
            None => return Err(Described::new(E::InvalidRequest, "response_type is missing")),
            Some(_) => {
                return Err(Described::new(
                    E::UnsupportedResponseType,
                    "response_type must be code",
                ));
            }
        }
        if !matches!(one("response_mode")?, None | Some("query" | "form_post")) {
            return Err(Described::new(
                E::InvalidRequest,
                "response_mode must be query or form_post",
            ));
        }
        let too_long = |text: Option<&str>| text.is_some_and(|text| text.len() > OAUTH_ECHOED_MAX);
        let nonce = one("nonce")?;
        if too_long(nonce) || too_long(state) {
            return Err(Described::new(E::InvalidRequest, "state or nonce is too long"));
        }
        let scopes = Scopes::parse(one("scope")?.unwrap_or_default());
        if !scopes.has(Scope::OpenId) {
            return Err(Described::new(E::InvalidScope, "scope must contain openid"));
        }
        Ok(Self {
            return_to: return_to.clone(),
            scopes,
            nonce: nonce.map(str::to_owned),
            challenge: challenge(one("code_challenge")?, one("code_challenge_method")?, application)?,
            prompt: prompt(one("prompt")?)?,
            max_age: max_age(one("max_age")?)?,
            login_hint: one("login_hint")?.map(LoginHint::parse),
            ui_locales: words_of(one("ui_locales")?),
            id_token_hint: one("id_token_hint")?.map(str::to_owned),
            acr_values: one("acr_values")?
                .unwrap_or_default()
                .split(' ')
                .filter_map(Acr::from_word)
                .collect(),
        })
    }
}

fn words_of(text: Option<&str>) -> Vec<String> {
    text.unwrap_or_default()
        .split(' ')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Where the answer goes: only to an address that the application has named. What is wrong with the rest is told there.
fn return_to(parameters: &Parameters, application: &Application) -> Result<ReturnTo, PageProblem> {
    let uri = parameters
        .one("redirect_uri")
        .map_err(|Doubled| PageProblem::Unreadable)?
        .filter(|uri| application.speaks_protocol() && application.allows_redirect(uri))
        .ok_or(PageProblem::UnknownRedirect)?;
    let once = |name| parameters.one(name).ok().flatten();
    Ok(ReturnTo {
        uri: uri.to_owned(),
        mode: match once("response_mode") {
            Some("form_post") => ResponseMode::FormPost,
            _ => ResponseMode::Query,
        },
        state: once("state")
            .filter(|state| state.len() <= OAUTH_ECHOED_MAX)
            .map(str::to_owned),
    })
}

fn challenge(
    challenge: Option<&str>,
    method: Option<&str>,
    application: &Application,
) -> Result<Option<Challenge>, Described<AuthorizationError>> {
    let refused = |description| Err(Described::new(AuthorizationError::InvalidRequest, description));
    match (challenge, method) {
        (None, None) if application.is_public() => {
            refused("applications without a secret need PKCE: code_challenge is missing")
        }
        (None, None) => Ok(None),
        (Some(challenge), Some("S256")) => match Challenge::parse(challenge) {
            Some(challenge) => Ok(Some(challenge)),
            None => refused("code_challenge is no SHA-256 in base64url"),
        },
        (None, Some(_)) => refused("code_challenge is missing"),
        (Some(_), _) => refused("code_challenge_method must be S256"),
    }
}

fn prompt(text: Option<&str>) -> Result<Prompt, Described<AuthorizationError>> {
    let words = words_of(text);
    let mut prompt = Prompt::default();
    for word in &words {
        match word.as_str() {
            "none" => prompt.none = true,
            "login" => prompt.login = true,
            "select_account" => prompt.select_account = true,
            // Applications of the company need no consent of the agent; other values are of extensions.
            _ => {}
        }
    }
    if prompt.none && words.len() > 1 {
        return Err(Described::new(
            AuthorizationError::InvalidRequest,
            "prompt none stands alone or not at all",
        ));
    }
    Ok(prompt)
}

fn max_age(text: Option<&str>) -> Result<Option<i64>, Described<AuthorizationError>> {
    let Some(text) = text else { return Ok(None) };
    let wrong = Described::new(
        AuthorizationError::InvalidRequest,
        "max_age is no number of seconds",
    );
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u32>() {
        Ok(seconds) if digits => Ok(Some(seconds.into())),
        _ => Err(wrong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oidc::{application::ApplicationKind, tests::application};

    const CALLBACK: &str = "https://desktop.acme.test/callback";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    /// A right request with these parameters instead of its own; an empty value takes one out.
    fn with(changes: &[(&str, &str)]) -> Parameters {
        let mut pairs = vec![
            ("client_id", "any"),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "openid email"),
            ("state", "s 1&"),
            ("nonce", "n"),
        ];
        pairs.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        pairs.extend(changes);
        Parameters::parse(&with_parameters("", &pairs)[1..])
    }

    fn read(kind: ApplicationKind, changes: &[(&str, &str)]) -> Result<AuthorizationRequest, Unanswerable> {
        AuthorizationRequest::read(&with(changes), &application(kind))
    }

    fn error(changes: &[(&str, &str)]) -> AuthorizationError {
        match read(ApplicationKind::Web, changes) {
            Err(Unanswerable::AtRedirect(to, error)) => {
                assert_eq!(to.uri, CALLBACK);
                error.error
            }
            other => panic!("{changes:?}: {other:?}"),
        }
    }

    /// `oidcc-server`, `oidcc-ensure-request-without-nonce-succeeds-for-code-flow`,
    /// `oidcc-ensure-request-with-unknown-parameter-succeeds`, `oidcc-display-page`, `oidcc-display-popup`,
    /// `oidcc-ui-locales`, `oidcc-claims-locales`, `oidcc-ensure-request-with-valid-pkce-succeeds`
    #[test]
    fn a_right_request_is_read() {
        let plain = read(ApplicationKind::Web, &[("nonce", "")]).unwrap();
        assert_eq!((plain.nonce, plain.challenge), (None, None));
        assert_eq!(plain.return_to.state.as_deref(), Some("s 1&"));
        let full = read(
            ApplicationKind::SinglePage,
            &[
                ("extra", "foobar"),
                ("extra", "foobar"),
                ("display", "popup"),
                ("claims_locales", "se"),
                ("ui_locales", "de  fr-CA"),
                ("prompt", "login consent"),
                ("max_age", "10000"),
                ("login_hint", "Acme/alice"),
                ("acr_values", "unknown urn:vestibule:acr:app-code"),
                ("code_challenge", CHALLENGE),
                ("code_challenge_method", "S256"),
                ("response_mode", "form_post"),
            ],
        )
        .unwrap();
        assert_eq!(full.ui_locales, ["de", "fr-CA"]);
        assert!(full.prompt.login && !full.prompt.none && full.challenge.is_some());
        assert_eq!(full.max_age, Some(10000));
        assert_eq!(full.acr_values, [Acr::AppCode]);
        assert_eq!(full.return_to.mode, ResponseMode::FormPost);
        let hint = full.login_hint.unwrap();
        assert_eq!(
            (hint.company.as_deref(), hint.account.as_str()),
            (Some("Acme"), "alice")
        );
        assert_eq!(LoginHint::parse("alice@acme.test").company, None);
        assert_eq!(LoginHint::parse("A/B/alice").company.as_deref(), Some("A/B"));
    }

    /// `oidcc-ensure-registered-redirect-uri`, `oidcc-ensure-redirect-uri-in-authorization-request`
    #[test]
    fn an_unknown_application_or_address_is_never_answered_elsewhere() {
        for (changes, problem) in [
            (&[("redirect_uri", "")][..], PageProblem::UnknownRedirect),
            (
                &[("redirect_uri", "https://evil.test/")],
                PageProblem::UnknownRedirect,
            ),
            (
                &[("redirect_uri", "javascript:alert(1)")],
                PageProblem::UnknownRedirect,
            ),
            (
                &[("redirect_uri", CALLBACK), ("redirect_uri", CALLBACK)],
                PageProblem::Unreadable,
            ),
        ] {
            let read = read(ApplicationKind::Web, changes);
            assert_eq!(read, Err(Unanswerable::Page(problem)), "{changes:?}");
        }
        let read = read(ApplicationKind::BehindProxy, &[]);
        assert_eq!(read, Err(Unanswerable::Page(PageProblem::UnknownRedirect)));
        for (query, problem) in [
            ("", PageProblem::UnknownApplication),
            ("client_id=", PageProblem::UnknownApplication),
            ("client_id=nobody", PageProblem::UnknownApplication),
            ("client_id=a&client_id=a", PageProblem::Unreadable),
        ] {
            assert_eq!(application_of(&Parameters::parse(query)), Err(problem), "{query}");
        }
    }

    /// `oidcc-response-type-missing`, `oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported`,
    /// `oidcc-ensure-request-object-with-redirect-uri`
    #[test]
    fn what_is_wrong_is_told_at_the_applications_address() {
        use AuthorizationError as E;
        for (changes, expected) in [
            (&[("response_type", "")][..], E::InvalidRequest),
            (&[("response_type", "token")], E::UnsupportedResponseType),
            (&[("response_type", "code id_token")], E::UnsupportedResponseType),
            (&[("response_mode", "fragment")], E::InvalidRequest),
            (&[("scope", "")], E::InvalidScope),
            (&[("scope", "email")], E::InvalidScope),
            (&[("request", "eyJ")], E::RequestNotSupported),
            (
                &[("request_uri", "https://evil.test/")],
                E::RequestUriNotSupported,
            ),
            (&[("registration", "{}")], E::RegistrationNotSupported),
            (&[("prompt", "none login")], E::InvalidRequest),
            (&[("max_age", "-1")], E::InvalidRequest),
            (&[("max_age", "+1")], E::InvalidRequest),
            (&[("max_age", "soon")], E::InvalidRequest),
            (&[("state", "a"), ("state", "a")], E::InvalidRequest),
            (&[("nonce", "a"), ("nonce", "b")], E::InvalidRequest),
            (&[("code_challenge", CHALLENGE)], E::InvalidRequest),
            (
                &[("code_challenge", CHALLENGE), ("code_challenge_method", "plain")],
                E::InvalidRequest,
            ),
            (
                &[("code_challenge", "short"), ("code_challenge_method", "S256")],
                E::InvalidRequest,
            ),
            (&[("code_challenge_method", "S256")], E::InvalidRequest),
        ] {
            assert_eq!(error(changes), expected, "{changes:?}");
        }
        let longest = "a".repeat(OAUTH_ECHOED_MAX);
        let fits = read(ApplicationKind::Web, &[("nonce", &longest), ("state", &longest)]).unwrap();
        assert_eq!(fits.return_to.state, Some(longest));
        let long = "a".repeat(OAUTH_ECHOED_MAX + 1);
        assert_eq!(error(&[("nonce", &long)]), E::InvalidRequest);
        assert_eq!(error(&[("state", &long)]), E::InvalidRequest);
        let no_proof = read(ApplicationKind::SinglePage, &[]);
        assert!(
            matches!(no_proof, Err(Unanswerable::AtRedirect(_, error)) if error.error == E::InvalidRequest)
        );
    }

    #[test]
    fn a_request_is_silent_though_the_rest_of_it_is_wrong() {
        for (query, expected) in [
            ("prompt=none&response_type=token", true),
            ("prompt=login+none", true),
            ("prompt=login", false),
            ("prompt=none&prompt=none", false),
            ("", false),
        ] {
            assert_eq!(is_silent(&Parameters::parse(query)), expected, "{query}");
        }
    }

    #[test]
    fn nothing_secret_is_shown_in_a_log() {
        let changes = [
            ("state", "secret-state"),
            ("nonce", "secret-nonce"),
            ("id_token_hint", "secret-token"),
        ];
        let request = read(ApplicationKind::Web, &changes).unwrap();
        let form = ReturnTo {
            mode: ResponseMode::FormPost,
            ..request.return_to.clone()
        };
        let denied = Described::new(AuthorizationError::AccessDenied, "no");
        let shown = format!(
            "{request:?} {:?} {:?} {:?}",
            request.return_to.with_code("secret-code", "https://login.test"),
            form.with_code("secret-code", "https://login.test"),
            Unanswerable::AtRedirect(form.clone(), denied),
        );
        assert!(!shown.contains("secret"), "{shown}");
        assert!(shown.contains(CALLBACK), "{shown}");
    }

    #[test]
    fn an_answer_has_its_state_and_says_whose_it_is() {
        let query = read(ApplicationKind::Web, &[]).unwrap().return_to;
        assert_eq!(
            query.with_code("c", "https://login.test").uri,
            format!("{CALLBACK}?code=c&state=s+1%26&iss=https%3A%2F%2Flogin.test")
        );
        let form = read(
            ApplicationKind::Web,
            &[("response_mode", "form_post"), ("state", "")],
        );
        let denied = Described::new(AuthorizationError::AccessDenied, "no");
        let answer = form.unwrap().return_to.with_error(denied, "https://login.test");
        assert_eq!(answer.uri, CALLBACK);
        let fields = answer.fields.unwrap();
        assert_eq!(fields[0], ("error", "access_denied".to_owned()));
        assert_eq!(fields.last().unwrap().0, "iss");
        assert!(fields.iter().all(|(name, _)| *name != "state"));
    }
}
