//! Identifiers: random enough not to be guessed, ordered by time so that indexes stay compact.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ports::{Moment, Randomness};

/// A UUID of version 7 from the given time and randomness.
fn version_7(now: Moment, randomness: &dyn Randomness) -> Uuid {
    let mut random = [0; 10];
    randomness.fill(&mut random);
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Reads what a form or an address sent; anything but the usual form of an identifier is `None`.
            pub fn parse(text: &str) -> Option<Self> {
                (text.len() == 36).then(|| Uuid::try_parse(text).ok().map(Self)).flatten()
            }

            /// Makes a new one.
            pub fn new(now: Moment, randomness: &dyn Randomness) -> Self {
                Self(version_7(now, randomness))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

identifier!(/// A company.
    CompanyId);
identifier!(/// An account of a company.
    AccountId);
identifier!(/// A session.
    SessionId);
identifier!(/// A pending sign-in: the password was right, the second factor is awaited.
    PendingId);
identifier!(/// The set-up of a second factor that is under way.
    SetUpId);
identifier!(/// A one-time code.
    CodeId);
identifier!(/// A trusted browser of an account.
    TrustedBrowserId);
identifier!(/// A mail in the outbox.
    MailId);
identifier!(/// An event of the audit log.
    EventId);
identifier!(/// A server, from its start to its end.
    NodeId);
identifier!(/// A link of a mail.
    LinkId);
identifier!(/// A request for a link to choose a new password.
    ResetRequestId);
identifier!(/// A browser's way to a provider and back.
    SsoFlowId);
identifier!(/// A file of accounts that is being imported.
    ImportId);
identifier!(/// An application.
    ApplicationId);
identifier!(/// A session at an application behind a proxy.
    ApplicationSessionId);
identifier!(/// A secret of an application.
    ApplicationSecretId);
identifier!(/// What an application got from one sign-in.
    GrantId);
identifier!(/// A key that tokens are signed with.
    SigningKeyId);
identifier!(/// A token that an application has.
    IssuedTokenId);

/// By what an account is known outside, to applications. Random, so that it says nothing; it never changes, and nobody
/// else ever gets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PublicId(pub Uuid);

impl PublicId {
    /// Draws one.
    pub fn draw(randomness: &dyn Randomness) -> Self {
        let mut random = [0; 16];
        randomness.fill(&mut random);
        Self(uuid::Builder::from_random_bytes(random).into_uuid())
    }
}

impl std::fmt::Display for PublicId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
