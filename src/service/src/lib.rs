//! What Vestibule does: use cases that load, let `vestibule-core` decide, and save in one transaction.
//!
//! Nothing here knows of HTTP, and nothing here contains SQL. Callers run each use case to its end even when the
//! visitor goes away: a count must never be lost because a connection was.

use std::{
    collections::HashMap,
    ops::Deref,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ref_cast::RefCast;
use tokio::sync::{Notify, Semaphore};
use vestibule_core::{
    audit::{Actor, AuditEntry, Event},
    id::{AccountId, CompanyId, NodeId},
    ports::{Clock, Moment, Randomness},
    refusal::Refusal,
    secret::{Token, TokenHash},
    throttle::SourceLimits,
};
use vestibule_mail::{Reach, outbox::OwnServer};
use vestibule_storage::{Failed, Store, StoreError, again};

mod accounts;
pub mod applications;
mod audit;
mod codes;
pub mod console;
mod counted;
mod demo;
#[cfg(feature = "test-support")]
pub mod fixtures;
pub mod forward_auth;
pub mod hashing;
mod judges;
pub mod kept;
pub mod key_check;
pub mod key_rotation;
pub mod keys;
mod letters;
pub mod links;
mod locks;
pub mod metrics;
mod new_agents;
pub mod node;
mod notes;
pub mod offices;
pub mod oidc;
pub mod operator;
pub mod outbox;
pub mod profile;
pub mod recovery;
mod restored;
pub mod sessions;
mod settings;
pub mod sign_in;
pub mod strangers;
mod turns;
mod work;

use hashing::{Hasher, HashingError};
use keys::{Keys, Unsealable};
use metrics::Metrics;
use strangers::Strangers;

/// What a mutex holds, also after somebody who held it panicked: nothing here is left half changed.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Seconds after which a visitor should try again when the database or the processor is overloaded.
const RETRY_SECONDS: u32 = 5;

/// Tickets for the line before the sign-in page that are written at once. In a flood thousands are wanted.
const TICKETS_AT_ONCE: usize = 4;

/// Everything a use case needs. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    inner: Arc<Inner>,
}

/// The parts of the service, named after what they are for. A part is a view of the whole: it costs nothing to take one.
macro_rules! parts {
    ($($(#[$doc:meta])* $part:ident $of:ident;)+) => {
        $(
            $(#[$doc])*
            #[derive(RefCast)]
            #[repr(transparent)]
            pub struct $part(Service);

            impl Deref for $part {
                type Target = Service;

                fn deref(&self) -> &Service {
                    &self.0
                }
            }

            impl Service {
                $(#[$doc])*
                pub fn $of(&self) -> &$part {
                    $part::ref_cast(self)
                }
            }
        )+
    };
}

parts! {
    /// Signing in with password and second factor, the line before it, and sessions (product.md section 4).
    SignIn sign_in;
    /// Signing in with a provider, and connecting one (product.md section 4).
    Sso sso;
    /// Signing agents in to applications: the OpenID provider (product.md section 9).
    Issuer issuer;
    /// Signing agents in to applications behind a proxy (product.md section 9).
    ForwardAuth forward_auth;
    /// Links of mails: choosing a password, confirming an e-mail address (product.md sections 3 and 5).
    Recovery recovery;
    /// What an agent does with the own account (product.md section 3, Profile and Security Settings).
    Profile profile;
    /// What admins and supervisors do (product.md section 3, Admin console).
    Console console;
    /// What an operator does from the command line (product.md section 1).
    Operator operator;
    /// Mails on their way, and the sweep of what has expired.
    Outbox outbox;
    /// The state of this node and of the installation: keys, clocks, probes, locks that were left behind.
    Upkeep upkeep;
}

struct Inner {
    store: Store,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    hasher: Hasher,
    keys: Keys,
    node: node::Node,
    settings: Settings,
    outbox_filled: Arc<Notify>,
    reset_asked: Arc<Notify>,
    strangers: Strangers,
    judges: judges::Judges,
    sso_asking: sign_in::sso::Asking,
    signing: oidc::SigningRing,
    carrying: oidc::Carrying,
    back_channels: oidc::BackChannels,
    admitted: Arc<forward_auth::Memory>,
    ticket_turns: Semaphore,
    metrics: Metrics,
    /// Companies' own mail servers as they were last read.
    own_servers: Mutex<HashMap<CompanyId, Arc<OwnServer>>>,
}

/// What an operator configures.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Language tags on offer; the first is the fallback.
    pub languages: Vec<String>,
    /// Limits on wrong passwords from one source.
    pub source_limits: SourceLimits,
    /// Whether sources over their limits are only noted, not stopped.
    pub report_sources_only: bool,
    /// Days that events of the audit log are kept; `None` = for ever.
    pub audit_retention_days: Option<u16>,
    /// Scheme, host and port of the installation, without a slash at the end: every link in a mail begins with it.
    pub origin: String,
    /// Which mail servers, and which addresses of applications, companies may have spoken to.
    pub company_mail_reach: Reach,
    /// The providers; `None` = nobody signs in with one.
    pub sso: Option<Arc<sign_in::sso::Providers>>,
}

/// Who is asking: facts of the request that rules, audit log and mails need.
#[derive(Clone, Default)]
pub struct Visitor {
    /// Network address, as text.
    pub address: Option<String>,
    /// What wrong passwords are counted by: an IPv4 address or an IPv6 network of 64 bits (N8).
    pub source: String,
    /// Where this request stands in line while it waits for its password to be compared.
    pub place: hashing::Place,
    /// Kind of browser, as `vestibule_core::browser::Browser::stored` writes it; `None` = unknown.
    pub browser: Option<String>,
    /// Whether nobody asked: a page renews what it shows by itself. That is no activity.
    pub quiet: bool,
    /// Identifier of the request.
    pub request: String,
    /// Short reference for error pages, `A`-`Z` and `0`-`9`.
    pub reference: String,
    /// Language chosen in this browser.
    pub language: Option<String>,
    /// The number of this browser.
    pub browser_token: Option<Token>,
    /// The pending sign-in of this browser.
    pub pending: Option<Token>,
    /// The accounts that trust this browser.
    pub trusted: Vec<Token>,
    /// The session of this browser.
    pub session: Option<Token>,
    /// The session that this browser signed out of moments ago.
    pub ended: Option<Token>,
    /// By what this browser finds the forms that were kept for it.
    pub kept: Option<Token>,
    /// How many wrong passwords this browser has sent, sealed.
    pub tries: Option<String>,
    /// Until when the session of this request lasts; written when it is found.
    pub ends: sessions::EndsSeen,
    /// The link of a mail that was opened in this browser.
    pub link: Option<Token>,
    /// What this browser keeps of the ways to providers and back that it is on, each sealed, joined by `.`; the one that
    /// came back last is the first.
    pub sso_flow: Option<String>,
}

/// Why a use case did not do what was asked.
enum Failure {
    Refused(Refusal),
    Store(StoreError),
    Hashing(HashingError),
    Unsealable(Unsealable),
}

impl Failed for Failure {
    fn is_victim(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_victim())
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Unsealable> for Failure {
    fn from(error: Unsealable) -> Self {
        Self::Unsealable(error)
    }
}

impl From<hashing::Full> for Failure {
    fn from(full: hashing::Full) -> Self {
        Self::Hashing(full.into())
    }
}

impl From<HashingError> for Failure {
    fn from(error: HashingError) -> Self {
        Self::Hashing(error)
    }
}

impl Service {
    /// Puts the parts together.
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
        hasher: Hasher,
        keys: Keys,
        settings: Settings,
    ) -> Self {
        let node = node::Node::new(NodeId::new(clock.now(), randomness.as_ref()));
        let metrics = Metrics::default();
        hasher.line().note_waits(metrics.hashing_waits());
        let back_channels = oidc::BackChannels::new(settings.company_mail_reach);
        let admitted = Arc::new(forward_auth::Memory::default());
        let told = Arc::clone(&admitted);
        store.watch(move |changed| told.forget(changed));
        let [outbox_filled, reset_asked] = [(); 2].map(|()| Arc::new(Notify::new()));
        Self {
            inner: Arc::new(Inner {
                store,
                clock,
                randomness,
                hasher,
                keys,
                node,
                settings,
                outbox_filled,
                reset_asked,
                strangers: Strangers::default(),
                judges: judges::Judges::default(),
                sso_asking: sign_in::sso::Asking::default(),
                signing: oidc::SigningRing::default(),
                carrying: oidc::Carrying::default(),
                back_channels,
                admitted,
                ticket_turns: Semaphore::new(TICKETS_AT_ONCE),
                metrics,
                own_servers: Mutex::default(),
            }),
        }
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// What is counted for the operator's monitoring.
    pub fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    /// The clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.clock
    }

    /// The source of randomness.
    pub fn randomness(&self) -> &Arc<dyn Randomness> {
        &self.inner.randomness
    }

    /// Told whenever a mail was put into the outbox.
    pub fn outbox_filled(&self) -> &Arc<Notify> {
        &self.inner.outbox_filled
    }

    /// Told whenever somebody asked for a link to choose a new password.
    pub fn reset_asked(&self) -> &Arc<Notify> {
        &self.inner.reset_asked
    }

    fn now(&self) -> Moment {
        self.inner.clock.now()
    }

    fn random(&self) -> &dyn Randomness {
        self.inner.randomness.as_ref()
    }
}

impl Visitor {
    /// By what the number of this browser is known.
    fn browser_hash(&self) -> Option<TokenHash> {
        self.browser_token.as_ref().map(Token::hash)
    }

    /// What comes of a use case, as the visitor may know it.
    async fn attempt<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Refusal> {
        work.await.map_err(|failure| self.explain(&failure))
    }

    /// The same for one that is a single transaction: it is run again when the database ended it so that others could go
    /// on.
    async fn transact<T, F>(&self, work: impl FnMut() -> F) -> Result<T, Refusal>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        self.attempt(again(work)).await
    }

    /// What the visitor is told of a failure: a refusal as it is, overload as a time to come back, and of everything
    /// else only the reference under which the log has it.
    fn explain(&self, failure: &Failure) -> Refusal {
        let error: &dyn std::error::Error = match failure {
            Failure::Refused(refusal) => return refusal.clone(),
            Failure::Store(error) if error.is_unavailable() => {
                tracing::warn!(request = %self.request, %error, "the database is not available");
                return Refusal::Unavailable {
                    retry_after: RETRY_SECONDS,
                };
            }
            Failure::Hashing(HashingError::Slow) => {
                return Refusal::Unavailable {
                    retry_after: RETRY_SECONDS,
                };
            }
            Failure::Hashing(HashingError::Busy { retry_after }) => {
                return Refusal::Busy {
                    retry_after: *retry_after,
                };
            }
            Failure::Store(error) => error,
            Failure::Hashing(error) => error,
            Failure::Unsealable(error) => error,
        };
        tracing::error!(request = %self.request, reference = %self.reference, error, "a request failed");
        Refusal::Internal {
            reference: self.reference.clone(),
        }
    }

    /// A line of the audit log about this visitor.
    fn entry(&self, event: Event, company: Option<CompanyId>, target: Option<AccountId>) -> AuditEntry {
        AuditEntry {
            company,
            actor: Actor::Visitor,
            target,
            event,
            address: self.address.clone(),
            browser: self.browser.clone(),
            request: (!self.request.is_empty()).then(|| self.request.clone()),
            detail: None,
        }
    }
}
