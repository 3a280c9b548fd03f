//! Why an identity was not established. The words are for log and audit; people read a translated sentence.

use vestibule_core::sso::ProviderProblem;

/// Why a provider brought no identity. Its `Display` is one word, for the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SsoError {
    /// No way to the provider, or no encrypted connection that can be trusted.
    #[error("unreachable")]
    Unreachable,
    /// The provider did not answer in time.
    #[error("timed_out")]
    TimedOut,
    /// The answer was longer than any honest one.
    #[error("too_large")]
    TooLarge,
    /// The provider answered with this status.
    #[error("status_{0}")]
    Status(u16),
    /// The answer is not what the standard asks for.
    #[error("not_understood")]
    NotUnderstood,
    /// The discovery document belongs to another issuer.
    #[error("wrong_issuer")]
    WrongIssuer,
    /// The provider does not know the application, or its secret is wrong.
    #[error("unknown_application")]
    UnknownApplication,
    /// The provider does not take the code: it was used, is too old, or belongs to another flow.
    #[error("code_refused")]
    CodeRefused,
    /// The provider takes no code in this way, say because it does not know the address it sends browsers back to.
    #[error("request_refused")]
    RequestRefused,
    /// The ID token is not to be trusted.
    #[error("token_{0}")]
    Token(TokenProblem),
    /// The tenant may not sign in here.
    #[error("tenant_not_allowed")]
    TenantNotAllowed,
}

impl SsoError {
    /// What an admin is told who tries the settings.
    pub const fn problem(self) -> ProviderProblem {
        match self {
            Self::Unreachable => ProviderProblem::Unreachable,
            Self::TimedOut => ProviderProblem::TimedOut,
            Self::Status(status) => ProviderProblem::Status(status),
            Self::WrongIssuer => ProviderProblem::WrongIssuer,
            Self::UnknownApplication => ProviderProblem::UnknownApplication,
            Self::RequestRefused => ProviderProblem::Refused,
            Self::TooLarge
            | Self::NotUnderstood
            | Self::CodeRefused
            | Self::Token(_)
            | Self::TenantNotAllowed => ProviderProblem::NotUnderstood,
        }
    }
}

/// What is wrong with an ID token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenProblem {
    /// There is none, or it cannot be read.
    #[error("missing")]
    Missing,
    /// This claim is missing, or is of a kind that says nothing.
    #[error("claim_{0}")]
    Claim(&'static str),
    /// It is signed by nobody we know.
    #[error("signature")]
    Signature,
    /// It is signed in a way that is not allowed, or not at all.
    #[error("algorithm")]
    Algorithm,
    /// It was made for another application.
    #[error("audience")]
    Audience,
    /// It was made by another issuer.
    #[error("issuer")]
    Issuer,
    /// Its time is over, has not come, or it is older than a sign-in can be: this claim says so.
    #[error("time_{0}")]
    Time(&'static str),
    /// It answers another request.
    #[error("nonce")]
    Nonce,
    /// It does not say whom it is about.
    #[error("subject")]
    Subject,
}
