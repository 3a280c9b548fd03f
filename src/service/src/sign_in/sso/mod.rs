//! Sign-in with Google and Office 365 (product.md section 4): out to the provider and back, and whose account that is.
//!
//! An identity opens only what it was linked to, and it is linked only by whoever proved account and second factor. The
//! gate is asked as for any other way in.

mod applications;
mod connections;

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use tokio::sync::{AcquireError, OwnedSemaphorePermit};
use vestibule_core::{
    account::Account,
    audit::{Actor, AuditEntry, Event},
    company::Company,
    gate,
    id::{AccountId, CompanyId, SessionId, SsoFlowId},
    limits::{PENDING_SECONDS, SSO_FLOWS_BYTES},
    mail::Mail,
    paths,
    ports::{Moment, Randomness},
    refusal::Refusal,
    secret::{Token, TokenHash, same},
    session::Proof,
    sign_in::{AfterPassword, Pending, after_password, after_provider},
    sso::{Identity, Provider},
};
use vestibule_sso::{Returned, SsoError};
use vestibule_storage::{Entrant, LinkedIdentity, NewSsoFlow, Reader, SsoFlowRow, StoreError, Writer, again};
use zeroize::Zeroizing;

pub(crate) use self::applications::secret_context;
use self::applications::{Chosen, Trust, company_named};
pub use self::applications::{KnownProvider, OwnProvider, Providers};
use super::{Outcome, SignInForm};
use crate::{
    Failure, RETRY_SECONDS, Service, Sso, Visitor,
    keys::{Keys, Purpose, Unsealable},
    letters::Receiver,
    profile::Confirmed,
    turns::TurnsOf,
};

/// An authorization request (RFC 6749, 4.1.1): where a browser is sent to, and what it keeps meanwhile.
pub struct AuthorizationRequest {
    /// Where to.
    pub url: String,
    /// For the browser's cookie, for ten minutes: everything that is needed when it comes back, sealed. Nothing is
    /// written for somebody who only sets out.
    pub flow: String,
}

/// What came back with a browser.
pub struct SsoAnswer {
    /// The state.
    pub state: String,
    /// The code, or the word for why there is none.
    pub code: Result<String, String>,
    /// Whose answer it is, where it says so.
    pub issuer: Option<String>,
}

/// Where somebody who came back goes on.
pub enum Arrival {
    /// Signed in, or asked for a code.
    In(Outcome),
    /// Nobody has this identity yet.
    Bind,
    /// Several companies know it: one has to be chosen.
    Choose(Vec<Company>),
    /// It was connected with the account that is signed in.
    Connected,
    /// It proved who is signed in once more; goes on at the address.
    Confirmed(Confirmed, String),
}

/// What the bind page shows.
pub struct BindPage {
    /// The provider.
    pub provider: Provider,
    /// What the identity is known by; may be empty.
    pub shown: String,
    /// The company that stood in the form when the browser set out; may be empty.
    pub company: String,
    /// The companies that know the identity, when there are several: one has to be chosen.
    pub known: Vec<Company>,
}

/// What the browser's cookie is bound to, besides its purpose.
const OF_COOKIE: &[u8] = b"cookie";

/// What the end of the way needs; sealed until then.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// The flow is known by it from the provider's answer on.
    token: Zeroizing<String>,
    provider: Provider,
    /// Whose application it is; `None` = the installation's.
    application: Option<CompanyId>,
    session: Option<SessionId>,
    state: Zeroizing<String>,
    nonce: Zeroizing<String>,
    verifier: Zeroizing<String>,
    /// What stood in the form.
    company: String,
    #[serde(default)]
    account: String,
    /// Whether it is a step-up of the flow's session.
    step_up: bool,
    /// Deep link asked for before.
    next: Option<String>,
    /// When the way ends.
    ends_at: Moment,
}

impl Kept {
    fn token(&self) -> Result<TokenHash, Failure> {
        Ok(Token::parse(&self.token).ok_or(Unsealable)?.hash())
    }
}

/// A way that a browser is on.
struct Flow {
    /// As the browser keeps it.
    text: String,
    sealed: Vec<u8>,
    kept: Kept,
}

/// Ways that one browser may be on at once, in several tabs.
const FLOWS_MAX: usize = 3;

/// Whether this is the state of the way.
fn is_state(kept: &Kept, state: &str) -> bool {
    same(kept.state.as_bytes(), state.as_bytes())
}

/// What a browser keeps, the first way first. No browser keeps more than there is room for: the oldest goes first.
fn joined(first: String, others: Vec<String>) -> String {
    let mut all = first;
    for other in others.into_iter().take(FLOWS_MAX - 1) {
        if all.len() + other.len() >= SSO_FLOWS_BYTES {
            break;
        }
        all.push('.');
        all.push_str(&other);
    }
    all
}

/// Stands before a request of an application, which follows the rest of a way. No JSON holds it.
const MARK: u8 = 0;

/// The request of an application that an address carries along, as bytes: they take a quarter less room than their text.
fn carried_in(next: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(paths::resumed(next)?).ok()
}

/// What the browser keeps of a way. What there is no room for is left behind: a name is typed again, and whoever comes back
/// without an address is signed in all the same, and goes on where nobody has asked for anything. A request of an
/// application always has room.
fn flow_text(mut kept: Kept, keys: &Keys, randomness: &dyn Randomness) -> Result<String, Unsealable> {
    let carried = kept.next.as_deref().and_then(carried_in);
    if carried.is_some() {
        kept.next = None;
    }
    let text = sealed_text(&kept, carried.as_deref(), keys, randomness)?;
    if text.len() <= SSO_FLOWS_BYTES {
        return Ok(text);
    }
    kept.account.clear();
    let text = sealed_text(&kept, carried.as_deref(), keys, randomness)?;
    if text.len() <= SSO_FLOWS_BYTES {
        return Ok(text);
    }
    kept.next = None;
    sealed_text(&kept, None, keys, randomness)
}

fn sealed_text(
    kept: &Kept,
    carried: Option<&[u8]>,
    keys: &Keys,
    randomness: &dyn Randomness,
) -> Result<String, Unsealable> {
    let rest = Zeroizing::new(serde_json::to_vec(kept).map_err(|_| Unsealable)?);
    let carried = carried.map_or_else(Vec::new, |carried| [[MARK].as_slice(), carried].concat());
    let plain = Zeroizing::new([rest.as_slice(), carried.as_slice()].concat());
    let sealed = keys.seal(Purpose::SsoFlow, OF_COOKIE, &plain, randomness)?;
    Ok(URL_SAFE_NO_PAD.encode(sealed))
}

fn open_kept(sealed: &[u8], keys: &Keys) -> Result<Kept, Unsealable> {
    let plain = keys.open(Purpose::SsoFlow, OF_COOKIE, sealed)?;
    let mut parts = plain.splitn(2, |byte| *byte == MARK);
    let rest = parts.next().unwrap_or_default();
    let mut kept: Kept = serde_json::from_slice(rest).map_err(|_| Unsealable)?;
    if let Some(carried) = parts.next() {
        kept.next = Some(paths::resuming(&URL_SAFE_NO_PAD.encode(carried)));
    }
    Ok(kept)
}

/// Requests to providers that are under way at once, of visitors from one source.
const OF_SOURCE: usize = 8;
/// The same for one application: a provider that is slow, or asked in vain, must not take everything.
const OF_APPLICATION: usize = 32;
/// How long one waits for a place among them.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// A provider and whose application it is.
type ApplicationKey = (Provider, Option<CompanyId>);

/// The questions to providers that are under way: an answer costs a stranger nothing, and each has a question behind it.
pub(crate) struct Asking {
    sources: TurnsOf<String>,
    applications: TurnsOf<ApplicationKey>,
}

impl Default for Asking {
    fn default() -> Self {
        Self {
            sources: TurnsOf::new(OF_SOURCE),
            applications: TurnsOf::new(OF_APPLICATION),
        }
    }
}

impl Asking {
    /// A place among them, until it is dropped.
    ///
    /// # Errors
    /// [`Refusal::ProviderBusy`] when none became free in time.
    async fn place(
        &self,
        source: &str,
        application: ApplicationKey,
    ) -> Result<[OwnedSemaphorePermit; 2], Refusal> {
        let places = async {
            // Its own first: whoever waits for that stands in nobody's way.
            let own = self.sources.of(source.to_owned()).acquire_owned().await?;
            let place = self.applications.of(application).acquire_owned().await?;
            Ok::<_, AcquireError>([own, place])
        };
        let found = tokio::time::timeout(LONGEST_WAIT, places).await;
        found.ok().and_then(Result::ok).ok_or(Refusal::ProviderBusy {
            provider: application.0,
            retry_after: RETRY_SECONDS,
        })
    }
}

/// What somebody has at hand who sets out from the sign-in page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetOut {
    /// What stands in the form, if anything.
    pub company: String,
    /// The same for the account.
    pub account: String,
    /// Where it goes on in the end.
    pub next: Option<String>,
}

/// Why a browser sets out.
struct Way {
    from: SetOut,
    /// Whose session it is, unless it is a sign-in.
    session: Option<SessionId>,
    /// Whether the session's account proves who it is once more; if not, the identity becomes the account's.
    step_up: bool,
}

/// Whether an identity is one of those of an account.
fn is_among(linked: &[LinkedIdentity], identity: &Identity) -> bool {
    linked.iter().any(|linked| linked.identity.key == identity.key)
}

fn over() -> Failure {
    Refusal::SignInExpired.into()
}

impl Sso {
    /// Sends a browser to a provider to sign in.
    ///
    /// # Errors
    /// [`Refusal::SsoNotOffered`]; [`Refusal::SsoFailed`] when the provider cannot be asked.
    pub async fn begin_sso(
        &self,
        provider: Provider,
        from: SetOut,
        visitor: &Visitor,
    ) -> Result<AuthorizationRequest, Refusal> {
        let begun = async {
            let mut reader = self.inner.store.read().await?;
            let known = company_named(&mut reader, &from.company).await?;
            let chosen = self.choose_application(&mut reader, provider, known).await?;
            drop(reader);
            let way = Way {
                from,
                session: None,
                step_up: false,
            };
            self.request_authorization(chosen, way, visitor).await
        };
        visitor.attempt(begun).await
    }

    /// Takes what came back with this browser and asks the provider who that is. Nobody is signed in by it: see
    /// [`crate::Sso::arrive`].
    ///
    /// # Errors
    /// [`Refusal::SignInExpired`] for an answer to no question of this browser, or a second one;
    /// [`Refusal::SsoCancelled`]; [`Refusal::SsoFailed`]; [`Refusal::ProviderBusy`], and the flow can
    /// still be used. Gives what the browser keeps from now on.
    pub async fn answer_sso(
        &self,
        provider: Provider,
        answer: &SsoAnswer,
        visitor: &Visitor,
    ) -> Result<String, Refusal> {
        visitor
            .attempt(async {
                let unknown = || {
                    self.sso_failed(provider, "unknown_flow", visitor);
                    over()
                };
                let Flow { text, sealed, kept } = self
                    .flows_out(visitor)
                    .into_iter()
                    .find(|Flow { kept, .. }| {
                        kept.provider == provider
                            && is_state(kept, &answer.state)
                            && self.now() < kept.ends_at
                    })
                    .ok_or_else(unknown)?;
                let token = kept.token()?;
                let mut reader = self.inner.store.read().await?;
                if reader.sso_flow_by_token(token).await?.is_some() {
                    return Err(unknown());
                }
                let code = match &answer.code {
                    Ok(code) => code,
                    Err(word) if word == "access_denied" => {
                        self.sso_failed(provider, "cancelled", visitor);
                        return Err(Refusal::SsoCancelled.into());
                    }
                    Err(_) => return Err(self.sso_failed(provider, "provider_error", visitor)),
                };
                let chosen = self
                    .choose_application(&mut reader, provider, kept.application)
                    .await?;
                drop(reader);
                // The company's conditions were changed meanwhile.
                if chosen.company != kept.application {
                    return Err(over());
                }
                let returned = Returned {
                    code,
                    issuer: answer.issuer.as_deref(),
                    verifier: &kept.verifier,
                    nonce: &kept.nonce,
                };
                let asking = &self.inner.sso_asking;
                let _place = asking.place(&visitor.source, (provider, chosen.company)).await?;
                let Some(flow) = again(|| self.use_flow_up(&sealed, &kept)).await? else {
                    return Err(unknown());
                };
                let found = self
                    .sso_client()?
                    .finish(&chosen.application, &returned, self.now())
                    .await;
                match found {
                    Ok(identity) => {
                        again(|| self.keep_identity(flow, &identity)).await?;
                        Ok(joined(text, self.others(&answer.state, visitor)))
                    }
                    Err(error) => {
                        let failed = self.sso_failed(provider, &error.to_string(), visitor);
                        Err(match error {
                            SsoError::TenantNotAllowed => Refusal::SsoNotOffered.into(),
                            _ => failed,
                        })
                    }
                }
            })
            .await
    }

    /// What the way with this state began with, for whoever turned back and begins anew; nothing of a way that began in a
    /// session.
    pub fn set_out_with(&self, state: &str, visitor: &Visitor) -> Option<SetOut> {
        let mut flows = self.flows_out(visitor).into_iter().map(|flow| flow.kept);
        let kept = flows.find(|kept| is_state(kept, state))?;
        kept.session.is_none().then_some(SetOut {
            company: kept.company,
            account: kept.account,
            next: kept.next,
        })
    }

    /// What the browser keeps when the way with this state is over: its other ways.
    pub fn flows_without(&self, state: &str, visitor: &Visitor) -> Option<String> {
        let mut others = self.others(state, visitor).into_iter();
        Some(joined(others.next()?, others.collect()))
    }

    /// What the browser keeps when the way that came back last is over.
    pub fn flows_after(&self, visitor: &Visitor) -> Option<String> {
        let current = self.flows_out(visitor).into_iter().next()?;
        self.flows_without(&current.kept.state, visitor)
    }

    /// Goes on with who came back: into the account that the identity is linked to, to the bind page, or back to the
    /// session that it is connected with. `company` is the one that was chosen, where several know the identity.
    ///
    /// # Errors
    /// [`Refusal::SignInExpired`]; [`Refusal::SsoNotOffered`]; [`Refusal::IdentityTaken`] and
    /// [`Refusal::IdentityOther`]; what the gate says.
    pub async fn arrive(&self, company: Option<CompanyId>, visitor: &Visitor) -> Result<Arrival, Refusal> {
        visitor
            .attempt(async {
                let mut reader = self.inner.store.read().await?;
                let (flow, identity) = self.flow_back(&mut reader, visitor).await?;
                if let Some(session) = flow.session {
                    drop(reader);
                    if self.kept(&flow)?.step_up {
                        return again(|| self.step_up_by(&flow, session, &identity, visitor)).await;
                    }
                    again(|| self.connect(&flow, session, &identity, visitor)).await?;
                    return Ok(Arrival::Connected);
                }
                let mut known = self.who_knows(&mut reader, &flow, &identity).await?;
                known.retain(|(found, _)| company.is_none_or(|chosen| chosen == found.id));
                drop(reader);
                match &known[..] {
                    [] => Ok(Arrival::Bind),
                    [(company, account)] => {
                        let known = (company, *account);
                        let outcome =
                            again(|| self.enter_by_identity(&flow, &identity, known, visitor)).await?;
                        Ok(Arrival::In(outcome))
                    }
                    _ => Ok(Arrival::Choose(
                        known.into_iter().map(|(company, _)| company).collect(),
                    )),
                }
            })
            .await
    }

    /// Forgets who came back: they went away from the bind page. Nothing to forget is fine.
    ///
    /// # Errors
    /// Only when the database fails.
    pub async fn cancel_binding(&self, visitor: &Visitor) -> Result<(), Refusal> {
        let ended = async {
            let Ok(token) = self.flow_token(visitor) else {
                return Ok(());
            };
            let mut reader = self.inner.store.read().await?;
            let flow = reader.sso_flow_by_token(token).await?;
            drop(reader);
            match flow {
                Some(flow) => self.end_flow(flow.id).await,
                None => Ok(()),
            }
        };
        visitor.attempt(ended).await
    }

    /// Who came back and is nobody yet, or somebody of several companies.
    ///
    /// # Errors
    /// [`Refusal::SignInExpired`].
    pub async fn bind_page(&self, visitor: &Visitor) -> Result<BindPage, Refusal> {
        let shown = async {
            let mut reader = self.inner.store.read().await?;
            let (flow, identity) = self.flow_back(&mut reader, visitor).await?;
            if flow.session.is_some() {
                return Err(over());
            }
            let known = self.who_knows(&mut reader, &flow, &identity).await?;
            let choice = if known.len() > 1 { known } else { Vec::new() };
            Ok(BindPage {
                known: choice.into_iter().map(|(company, _)| company).collect(),
                company: self.kept(&flow)?.company,
                provider: identity.provider,
                shown: identity.shown,
            })
        };
        visitor.attempt(shown).await
    }

    /// Links the identity that came back to the account whose credentials are given. When the account has a second factor,
    /// its code is asked first, whatever browser this is: only then the link is made.
    ///
    /// # Errors
    /// As [`crate::SignIn::with_password`]; [`Refusal::SignInExpired`]; and only after the right password
    /// [`Refusal::SsoNotOffered`], [`Refusal::OtherApplication`], [`Refusal::IdentityTaken`] and
    /// [`Refusal::IdentityOther`].
    pub async fn bind(&self, form: SignInForm, visitor: &Visitor) -> Result<Outcome, Refusal> {
        visitor
            .attempt(async {
                let mut reader = self.inner.store.read().await?;
                let (flow, _) = self.flow_back(&mut reader, visitor).await?;
                drop(reader);
                if flow.session.is_some() {
                    return Err(over());
                }
                let proved = self.prove_password(&form, visitor).await?;
                let done = again(|| self.bind_proved(&proved, visitor)).await;
                Ok(self.settle(proved, done).await??)
            })
            .await
    }
}

impl Service {
    async fn request_authorization(
        &self,
        chosen: Chosen,
        way: Way,
        visitor: &Visitor,
    ) -> Result<AuthorizationRequest, Failure> {
        let provider = chosen.application.provider();
        let client = self.sso_client()?;
        let begun = match client
            .begin(&chosen.application, way.step_up, self.random())
            .await
        {
            Ok(begun) => begun,
            Err(error) => return Err(self.sso_failed(provider, &error.to_string(), visitor)),
        };
        let kept = Kept {
            token: Token::new(self.random()).reveal().into(),
            provider,
            application: chosen.company,
            session: way.session,
            state: begun.state,
            nonce: begun.nonce,
            verifier: begun.verifier,
            company: way.from.company,
            account: way.from.account,
            step_up: way.step_up,
            next: way.from.next,
            ends_at: self.now() + TimeDelta::seconds(PENDING_SECONDS),
        };
        let flow = flow_text(kept, &self.inner.keys, self.random())?;
        Ok(AuthorizationRequest {
            url: begun.url,
            flow: joined(flow, self.others("", visitor)),
        })
    }

    /// Notes why nobody came in; gives what the visitor is told.
    fn sso_failed(&self, provider: Provider, why: &str, visitor: &Visitor) -> Failure {
        let entry = AuditEntry {
            detail: Some(format!("{}: {why}", provider.as_str())),
            ..visitor.entry(Event::SsoRefused, None, None)
        };
        self.note_stranger(entry, visitor);
        Refusal::SsoFailed.into()
    }

    /// Uses a flow up before its provider is asked: one flow is one question, whatever becomes of it. Of several answers
    /// at once, on one node and on several, one is taken; the others get `None`.
    async fn use_flow_up(&self, sealed: &[u8], kept: &Kept) -> Result<Option<SsoFlowId>, Failure> {
        let now = self.now();
        let flow = NewSsoFlow {
            id: SsoFlowId::new(now, self.random()),
            token_hash: kept.token()?,
            provider: kept.provider,
            company: kept.application,
            session: kept.session,
            sealed: sealed.to_owned(),
            next: kept.next.clone(),
            created_at: now,
            expires_at: kept.ends_at,
        };
        let mut writer = self.inner.store.write_one().await?;
        let is_first = writer.insert_sso_flow(&flow).await?;
        writer.commit().await?;
        Ok(is_first.then_some(flow.id))
    }

    /// Writes down who came back.
    async fn keep_identity(&self, flow: SsoFlowId, identity: &Identity) -> Result<(), Failure> {
        let mut writer = self.inner.store.write_one().await?;
        let is_first = writer.answer_sso_flow(flow, identity, self.now()).await?;
        writer.commit().await?;
        if is_first { Ok(()) } else { Err(over()) }
    }

    /// The ways that this browser is on, of several tabs: the one that came back or set out last is the first. Anything that
    /// is not ours is nothing.
    fn flows_out(&self, visitor: &Visitor) -> Vec<Flow> {
        let texts = visitor.sso_flow.iter().flat_map(|flows| flows.split('.'));
        texts
            .filter_map(|text| {
                let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
                let kept = open_kept(&sealed, &self.inner.keys).ok()?;
                Some(Flow {
                    text: text.to_owned(),
                    sealed,
                    kept,
                })
            })
            .collect()
    }

    /// The ways of this browser but the one with this state, as they are kept.
    fn others(&self, state: &str, visitor: &Visitor) -> Vec<String> {
        self.flows_out(visitor)
            .into_iter()
            .filter(|flow| !is_state(&flow.kept, state) && self.now() < flow.kept.ends_at)
            .map(|flow| flow.text)
            .collect()
    }

    fn kept(&self, flow: &SsoFlowRow) -> Result<Kept, Failure> {
        Ok(open_kept(&flow.sealed, &self.inner.keys)?)
    }

    /// What the flow of this browser is known by in the database.
    fn flow_token(&self, visitor: &Visitor) -> Result<TokenHash, Failure> {
        let flow = self.flows_out(visitor).into_iter().next().ok_or_else(over)?;
        flow.kept.token()
    }

    async fn end_flow(&self, id: SsoFlowId) -> Result<(), Failure> {
        let mut writer = self.inner.store.write().await?;
        writer.end_sso_flow(id).await?;
        Ok(writer.commit().await?)
    }

    /// The flow of this browser and who came back with it, while it can still be used.
    async fn flow_back(
        &self,
        reader: &mut Reader,
        visitor: &Visitor,
    ) -> Result<(SsoFlowRow, Identity), Failure> {
        let token = self.flow_token(visitor)?;
        let flow = reader.sso_flow_by_token(token).await?.ok_or_else(over)?;
        let usable = self.now() < flow.expires_at && flow.pending.is_none();
        let identity = flow.identity.clone().filter(|_| usable).ok_or_else(over)?;
        Ok((flow, identity))
    }

    /// The accounts that the identity is linked to, of companies that accept this flow.
    async fn who_knows(
        &self,
        reader: &mut Reader,
        flow: &SsoFlowRow,
        identity: &Identity,
    ) -> Result<Vec<(Company, AccountId)>, StoreError> {
        let mut known = Vec::new();
        for (id, account) in reader
            .accounts_of_identity(identity.provider, &identity.key)
            .await?
        {
            if self.accepts(reader, id, flow, identity).await?.is_some()
                && let Some(found) = reader.company(id).await?
            {
                known.push((found, account));
            }
        }
        Ok(known)
    }

    /// Signs in with an identity, as far as the gate and the second factor allow.
    async fn enter_by_identity(
        &self,
        flow: &SsoFlowRow,
        identity: &Identity,
        (company, account): (&Company, AccountId),
        visitor: &Visitor,
    ) -> Result<Outcome, Failure> {
        let now = self.now();
        let mut writer = self.inner.store.write().await?;
        let given_up = (visitor.session.as_ref(), visitor.pending.as_ref());
        self.hold_for_sign_in(&mut writer, (company.id, account), given_up)
            .await?;
        let number = visitor.browser_hash();
        let entrant = writer
            .entrant((company.id, account), number, None, now)
            .await?
            .ok_or_else(over)?;
        let Entrant { company, account, .. } = &entrant;
        let linked = writer.identities_of(company.id, account.id).await?;
        let trust = self.accepts(&mut writer, company.id, flow, identity).await?;
        let (Some(Trust(spared)), true) = (trust, is_among(&linked, identity)) else {
            return Err(over());
        };
        if !writer.end_sso_flow(flow.id).await? {
            return Err(over());
        }
        self.drop_old_pending(&mut writer, visitor).await?;
        let browser = self
            .trusted_row(&mut writer, company, account, visitor, now)
            .await?;
        let after = after_provider(company, account, spared, browser.is_some());
        // Trust that was not needed is left alone.
        let used = browser.filter(|_| after == Ok(AfterPassword::Session(Proof::TrustedBrowser)));
        let next = flow.next.as_deref();
        let outcome = self
            .carry_out(&mut writer, &entrant, after, used, next, visitor)
            .await?;
        writer.commit().await?;
        Ok(outcome?)
    }

    async fn bind_proved(
        &self,
        proved: &super::password::Proved,
        visitor: &Visitor,
    ) -> Result<Result<Outcome, Refusal>, Failure> {
        let mut writer = self.inner.store.write().await?;
        let entrant = self.enter_proved(&mut writer, proved, visitor).await?;
        let Entrant { company, account, .. } = &entrant;
        let (flow, identity) = self.flow_back(&mut writer, visitor).await?;
        let may_link = self
            .may_link(&mut writer, &flow, &identity, company, account)
            .await;
        if let Err(Failure::Refused(refusal)) = may_link {
            // The password was right: the try stays taken back, and the refusal is noted.
            let event = match refusal {
                Refusal::SsoNotOffered
                | Refusal::OtherApplication
                | Refusal::IdentityTaken { .. }
                | Refusal::IdentityOther { .. } => Event::SsoRefused,
                _ => Event::GateRefused,
            };
            let entry = visitor.entry(event, Some(company.id), Some(account.id));
            self.record(&mut writer, &entry).await?;
            writer.commit().await?;
            return Ok(Err(refusal));
        }
        may_link?;
        self.drop_old_pending(&mut writer, visitor).await?;
        // No trust counts here: whoever links an identity has proved the second factor this time.
        let after = after_password(company, account, false);
        let next = flow.next.as_deref();
        let begun = self
            .carry_out(&mut writer, &entrant, after, None, next, visitor)
            .await?;
        let outcome = begun?;
        let flow_was_ours = match &outcome {
            Outcome::CodeAsked { pending, .. } => {
                let (pending, _) = writer.pending_by_token(pending.hash()).await?.ok_or_else(over)?;
                writer.set_sso_flow_pending(flow.id, pending.id).await?
            }
            Outcome::SignedIn(_) => {
                let receiver = Receiver::new(company, account);
                self.link(&mut writer, receiver, &identity, visitor).await?;
                writer.end_sso_flow(flow.id).await?
            }
        };
        if !flow_was_ours {
            return Err(over());
        }
        writer.commit().await?;
        Ok(Ok(outcome))
    }

    /// Whether the identity may become this account's.
    async fn may_link(
        &self,
        reader: &mut Reader,
        flow: &SsoFlowRow,
        identity: &Identity,
        company: &Company,
        account: &Account,
    ) -> Result<(), Failure> {
        gate::admit(company, account)?;
        if self.accepts(reader, company.id, flow, identity).await?.is_none() {
            let other = self.came_through_another(reader, company.id, flow).await?;
            return Err(if other {
                Refusal::OtherApplication.into()
            } else {
                Refusal::SsoNotOffered.into()
            });
        }
        let provider = identity.provider;
        let owners = reader.accounts_of_identity(provider, &identity.key).await?;
        if owners
            .iter()
            .any(|(of, owner)| *of == company.id && *owner != account.id)
        {
            return Err(Refusal::IdentityTaken { provider }.into());
        }
        let other = reader
            .identities_of(company.id, account.id)
            .await?
            .into_iter()
            .find(|linked| linked.identity.provider == provider);
        match other {
            Some(other) if other.identity.key != identity.key => {
                Err(Refusal::IdentityOther { provider }.into())
            }
            _ => Ok(()),
        }
    }

    /// Links an identity and tells the account. What was linked already stays as it is.
    async fn link(
        &self,
        writer: &mut Writer,
        receiver: Receiver<'_>,
        identity: &Identity,
        visitor: &Visitor,
    ) -> Result<(), Failure> {
        let (company, account) = (receiver.company.id, receiver.account.id);
        if !writer
            .link_identity(company, account, identity, self.now())
            .await?
        {
            let linked = writer.identities_of(company, account).await?;
            return if is_among(&linked, identity) {
                Ok(())
            } else {
                let provider = identity.provider;
                Err(Refusal::IdentityTaken { provider }.into())
            };
        }
        let mail = Mail::SsoConnected {
            about: receiver.about(visitor),
            provider: identity.provider.name().to_owned(),
            shown: identity.shown.clone(),
        };
        self.tell(writer, receiver, mail).await?;
        let entry = AuditEntry {
            actor: Actor::Account(account),
            detail: Some(identity.provider.as_str().to_owned()),
            ..visitor.entry(Event::SsoConnected, Some(company), Some(account))
        };
        Ok(self.record(writer, &entry).await?)
    }

    /// Makes the link that waited for this pending sign-in to be completed, as part of the transaction that completes it.
    /// What cannot be linked any more is noted.
    pub(super) async fn link_after_code(
        &self,
        writer: &mut Writer,
        receiver: Receiver<'_>,
        pending: &Pending,
        visitor: &Visitor,
    ) -> Result<(), Failure> {
        let Some(flow) = writer.sso_flow_of_pending(pending.id).await? else {
            return Ok(());
        };
        writer.end_sso_flow(flow.id).await?;
        let Some(identity) = &flow.identity else {
            return Ok(());
        };
        let Receiver { company, account } = receiver;
        match self.may_link(writer, &flow, identity, company, account).await {
            Ok(()) => self.link(writer, receiver, identity, visitor).await,
            // It was linked elsewhere while the code was on its way: whoever proved everything is signed in all the same.
            Err(Failure::Refused(_)) => {
                let entry = AuditEntry {
                    detail: Some(flow.provider.as_str().to_owned()),
                    ..visitor.entry(Event::SsoRefused, Some(company.id), Some(account.id))
                };
                Ok(self.record(writer, &entry).await?)
            }
            Err(failure) => Err(failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use vestibule_core::{
        limits::{CARRIED_ADDRESS_MAX, COMPANY_MAX, EMAIL_MAX},
        ports::SeededRandomness,
    };

    use super::*;
    use crate::keys::Key;

    /// With the longest of everything else, as bytes.
    #[test]
    fn the_longest_address_of_a_request_has_room_on_the_way_to_a_provider() {
        let randomness = SeededRandomness::new(1);
        let secret = Zeroizing::new([7; 32]);
        let keys = Keys::new(vec![Key { version: 1, secret }]).unwrap();
        let at = Moment::from_timestamp(1_800_000_000, 123_456_789).unwrap();
        let number = || Zeroizing::new(Token::new(&randomness).reveal());
        let room = CARRIED_ADDRESS_MAX - paths::resuming("").len();
        let next = paths::resuming(&"A".repeat(room));
        assert!(paths::is_local(&next));
        let kept = Kept {
            token: number(),
            provider: Provider::Office365,
            application: Some(CompanyId::new(at, &randomness)),
            session: Some(SessionId::new(at, &randomness)),
            state: number(),
            nonce: number(),
            verifier: number(),
            company: "\u{20000}".repeat(COMPANY_MAX),
            account: "\u{20000}".repeat(EMAIL_MAX),
            step_up: false,
            next: Some(next.clone()),
            ends_at: at,
        };
        let text = flow_text(kept, &keys, &randomness).unwrap();
        assert!(text.len() <= SSO_FLOWS_BYTES, "{}", text.len());
        let sealed = URL_SAFE_NO_PAD.decode(text).unwrap();
        assert_eq!(open_kept(&sealed, &keys).unwrap().next, Some(next));
    }

    const GOOGLE: ApplicationKey = (Provider::Google, None);

    #[tokio::test(start_paused = true)]
    async fn one_source_takes_its_share_and_whoever_gets_no_place_is_told_when_to_come_again() {
        let asking = Asking::default();
        let mut places = Vec::new();
        for _ in 0..OF_SOURCE {
            places.push(asking.place("192.0.2.1", GOOGLE).await.unwrap());
        }
        let busy = Refusal::ProviderBusy {
            provider: Provider::Google,
            retry_after: RETRY_SECONDS,
        };
        assert_eq!(asking.place("192.0.2.1", GOOGLE).await.err(), Some(busy.clone()));
        for other in OF_SOURCE..OF_APPLICATION {
            places.push(asking.place(&other.to_string(), GOOGLE).await.unwrap());
        }
        assert_eq!(asking.place("late", GOOGLE).await.err(), Some(busy));
        let another = (Provider::Office365, None);
        assert!(
            asking.place("late", another).await.is_ok(),
            "the other provider goes on"
        );
        places.pop();
        assert!(asking.place("late", GOOGLE).await.is_ok());
    }
}
