//! The errors of the protocol: closed lists of words, each with one sentence for the developer who reads it. Nothing of a
//! request stands in them.

use crate::words;

words! {
    /// What an application is told at its redirect URI (RFC 6749, section 4.1.2.1; OpenID Connect Core 1.0, section
    /// 3.1.2.6).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum AuthorizationError {
        /// A parameter is missing, doubled or not understood.
        InvalidRequest = "invalid_request",
        /// Whoever is signed in may not use it, or said no.
        AccessDenied = "access_denied",
        /// Something other than a code was asked for.
        UnsupportedResponseType = "unsupported_response_type",
        /// `openid` is not among the scopes.
        InvalidScope = "invalid_scope",
        /// Something broke on our side.
        ServerError = "server_error",
        /// The database cannot be reached.
        TemporarilyUnavailable = "temporarily_unavailable",
        /// Nobody is signed in, or not lately enough, and nobody may be asked.
        LoginRequired = "login_required",
        /// Something has to be done first, and nobody may be asked.
        InteractionRequired = "interaction_required",
        /// Somebody else is meant, and nobody may be asked.
        AccountSelectionRequired = "account_selection_required",
        /// Request objects are not read.
        RequestNotSupported = "request_not_supported",
        /// Request objects are not fetched.
        RequestUriNotSupported = "request_uri_not_supported",
        /// Applications do not register themselves.
        RegistrationNotSupported = "registration_not_supported",
        /// The account cannot prove as much as was asked for.
        UnmetAuthenticationRequirements = "unmet_authentication_requirements",
    }
}

words! {
    /// What an application is told by the other endpoints (RFC 6749, section 5.2; RFC 7009, section 2.2.1).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum TokenError {
        /// A parameter is missing, doubled or not understood.
        InvalidRequest = "invalid_request",
        /// The application is unknown, or its secret is wrong.
        InvalidClient = "invalid_client",
        /// The code or the refresh token is used, over, somebody else's, or does not fit the request.
        InvalidGrant = "invalid_grant",
        /// The application may not do this.
        UnauthorizedClient = "unauthorized_client",
        /// Neither a code nor a refresh token.
        UnsupportedGrantType = "unsupported_grant_type",
        /// More scopes than were given at first.
        InvalidScope = "invalid_scope",
    }
}

/// Why an authorization request shows a page here and is never answered at the address that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageProblem {
    /// It cannot be read at all.
    Unreadable,
    /// There is no such application.
    UnknownApplication,
    /// The application has not named this address.
    UnknownRedirect,
}

/// An error with what is wrong, for the developer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Described<E> {
    /// The word.
    pub error: E,
    /// One sentence in ASCII, without quotation marks or backslashes.
    pub description: &'static str,
}

impl<E> Described<E> {
    /// Puts the two together.
    pub const fn new(error: E, description: &'static str) -> Self {
        Self { error, description }
    }
}
