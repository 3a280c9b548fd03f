//! The OpenID provider as use cases: a request of an application becomes a code, a code becomes tokens, and applications
//! are told when a session is over. What is right is decided in `vestibule_core::oidc`; what is worth anything is asked of
//! the session behind it, by the same gate as everything else.

mod authorize;
mod client;
mod keys;
mod logout;
mod notices;
mod tokens;

pub(crate) use authorize::Carrying;
pub use authorize::{Authorized, Begun, Posted};
pub(crate) use keys::SigningRing;
pub use logout::LoggingOut;
pub(crate) use notices::BackChannels;
pub use tokens::{ActiveUser, TokenAnswer};

use vestibule_core::{
    gate,
    oidc::{
        application::Application,
        discovery::Discovery,
        error::{Described, TokenError},
    },
    refusal::Refusal,
    second_factor::must_set_up,
};
use vestibule_storage::{Failed, GrantRow, StoreError};

use crate::{Failure, Issuer, Service, Visitor, keys::Unsealable};

/// Why an endpoint of the protocol did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndpointError {
    /// An error of the protocol.
    Protocol(Described<TokenError>),
    /// The application has sent wrong secrets: it waits this many seconds.
    Wait(u32),
    /// A fault of ours.
    Fault(Refusal),
}

/// The same inside of a use case.
enum Trouble {
    Protocol(Described<TokenError>),
    Wait(u32),
    Failed(Failure),
}

impl Failed for Trouble {
    fn is_victim(&self) -> bool {
        matches!(self, Self::Failed(failure) if failure.is_victim())
    }
}

impl From<Described<TokenError>> for Trouble {
    fn from(error: Described<TokenError>) -> Self {
        Self::Protocol(error)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Unsealable> for Trouble {
    fn from(error: Unsealable) -> Self {
        Self::Failed(error.into())
    }
}

impl Trouble {
    /// What the application may know of it.
    fn told(self, visitor: &Visitor) -> EndpointError {
        match self {
            Self::Protocol(error) => EndpointError::Protocol(error),
            Self::Wait(seconds) => EndpointError::Wait(seconds),
            Self::Failed(failure) => EndpointError::Fault(visitor.explain(&failure)),
        }
    }
}

impl Issuer {
    /// What this provider can do, and where.
    pub fn discovery(&self) -> Discovery {
        let settings = &self.inner.settings;
        Discovery::of(&settings.origin, &settings.languages)
    }

    /// The issuer: the public URL without a slash at its end. It never changes.
    pub fn issuer(&self) -> &str {
        &self.inner.settings.origin
    }
}

impl Service {
    /// Whether what came of a sign-in is still worth anything: the session lives, the gate lets the account pass, nothing has
    /// to be done first, and the application is still there for the account.
    fn is_grant_good(&self, grant: &GrantRow, application: &Application) -> bool {
        let (company, account) = (&grant.session.company, &grant.session.account);
        !grant.is_over
            && self.is_live(&grant.session)
            && gate::admit(company, account).is_ok()
            && !account.password_must_change
            && !must_set_up(company, account)
            && application.admits(account)
    }
}
