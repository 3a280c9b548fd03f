//! Applications behind a proxy: who is signed in there, asked at every request of every application. What a session is
//! worth is remembered, and whatever changes it is forgotten at once: what this server itself does, and what others do as
//! long as they are heard ([`Hearing`]). Where nobody else is listened to, it is remembered for a second; while others should
//! be heard and may not be, the database is asked every time. So an ended session is refused here from then on, and
//! everywhere else within a second.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use chrono::TimeDelta;
use serde::Serialize;
use vestibule_core::{
    account::Account,
    audit::{AuditEntry, Event},
    company::Company,
    id::{ApplicationId, ApplicationSessionId, PublicId, SessionId},
    limits::{APPLICATION_TICKET_SECONDS, ASSERTION_SECONDS, HEARD_SECONDS, REMEMBERED_MILLISECONDS},
    oidc::application::{Application, ApplicationKind},
    ports::Moment,
    refusal::Refusal,
    second_factor::must_set_up,
    secret::{Token, TokenHash},
};
use vestibule_storage::{ApplicationSessionRow, Changed, Hearing, NewApplicationSession, SessionRow};

use crate::{
    Failure, ForwardAuth, Service, Visitor,
    sessions::{Need, is_live_at},
};

/// How often the use of a session, and of an application, is written down at most.
const NOTED_EVERY: TimeDelta = TimeDelta::minutes(1);
/// An assertion that is older is made anew: the application gets it with half of its life left at least.
const SIGNED_EVERY: TimeDelta = TimeDelta::seconds(ASSERTION_SECONDS / 2 - HEARD_SECONDS);
/// Parts of the memory, so that requests seldom wait for each other.
const PARTS: usize = 16;
/// Sessions, or applications, that one part remembers at most.
const PART_MAX: usize = 4096;

/// Who is signed in, as an application gets to know it. What there is not is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Account name: unique in the company.
    pub user: String,
    /// First and last name.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// Words of roles, with commas between.
    pub groups: String,
    /// Name of the company.
    pub company: String,
}

/// What an assertion says besides who is signed in.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: PublicId,
    sid: SessionId,
    iat: i64,
    exp: i64,
    preferred_username: &'a str,
    name: &'a str,
    email: &'a str,
    groups: Vec<&'a str>,
    company: &'a str,
    company_id: String,
}

/// Somebody who is let in to an application.
pub struct Admitted {
    /// Who.
    pub identity: Identity,
    /// The same, signed for the application's host, good for a minute.
    pub assertion: String,
    signed_at: Moment,
    read_at: Moment,
    application: Arc<Application>,
    session: SessionRow,
    noted: AtomicBool,
}

/// What becomes of a request to an application.
pub enum Checked {
    /// It is let in.
    Admitted(Arc<Admitted>),
    /// Nobody is signed in there, or has to do something before.
    SignIn,
    /// Who is signed in may not use the application.
    Forbidden,
}

/// A ticket to an application.
pub struct Opened {
    /// For the address on the application's host.
    pub ticket: Token,
    /// The application.
    pub application: Arc<Application>,
}

/// What has come of a ticket.
pub struct Entered {
    /// For the cookie of the application's host.
    pub session: Token,
    /// The application.
    pub application: Arc<Application>,
}

/// What is remembered for a moment.
#[derive(Default)]
pub(crate) struct Memory {
    sessions: [RwLock<HashMap<TokenHash, Arc<Admitted>>>; PARTS],
    applications: RwLock<HashMap<ApplicationId, (Moment, Arc<Application>)>>,
    /// Grows before anything is forgotten: what was read before then is not remembered afterwards.
    changes: AtomicU64,
}

/// Whether what was read then is still good.
fn is_fresh(hearing: Hearing, now: Moment, read_at: Moment) -> bool {
    let good_for = match hearing {
        Hearing::Itself => TimeDelta::milliseconds(REMEMBERED_MILLISECONDS),
        Hearing::Others => TimeDelta::seconds(HEARD_SECONDS),
        Hearing::Cut => return false,
    };
    read_at <= now && now - read_at < good_for
}

impl Memory {
    fn part(&self, token: &TokenHash) -> &RwLock<HashMap<TokenHash, Arc<Admitted>>> {
        let [first, ..] = token.0;
        &self.sessions[usize::from(first) % PARTS]
    }

    fn session(&self, token: &TokenHash) -> Option<Arc<Admitted>> {
        let part = self.part(token).read().unwrap_or_else(PoisonError::into_inner);
        part.get(token).cloned()
    }

    fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    /// Remembers what was read when there had been so many `changes`.
    fn keep_session(&self, token: TokenHash, admitted: Arc<Admitted>, changes: u64) {
        let mut part = self.part(&token).write().unwrap_or_else(PoisonError::into_inner);
        if self.changes() != changes {
            return;
        }
        if part.len() >= PART_MAX {
            part.retain(|_, known| is_fresh(Hearing::Others, admitted.read_at, known.read_at));
        }
        if part.len() >= PART_MAX {
            part.clear();
        }
        part.insert(token, admitted);
    }

    fn drop_session(&self, token: &TokenHash) {
        let mut part = self.part(token).write().unwrap_or_else(PoisonError::into_inner);
        part.remove(token);
    }

    fn application(&self, id: ApplicationId, hearing: Hearing, now: Moment) -> Option<Arc<Application>> {
        let known = self.applications.read().unwrap_or_else(PoisonError::into_inner);
        let (read_at, application) = known.get(&id)?;
        is_fresh(hearing, now, *read_at).then(|| Arc::clone(application))
    }

    fn keep_application(&self, application: &Arc<Application>, now: Moment, changes: u64) {
        let mut known = self.applications.write().unwrap_or_else(PoisonError::into_inner);
        if self.changes() != changes {
            return;
        }
        if known.len() >= PART_MAX {
            known.clear();
        }
        known.insert(application.id, (now, Arc::clone(application)));
    }

    /// Forgets what a transaction may have changed.
    pub(crate) fn forget(&self, changed: &[Changed]) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        let is_about = |known: &Admitted| {
            let row = &known.session;
            changed.iter().any(|changed| match *changed {
                Changed::Session(session) => row.id == session,
                Changed::Account(account) => row.account.id == account,
                Changed::Company(company) => row.company.id == company,
                Changed::Application(application) => known.application.id == application,
                Changed::Everything => true,
            })
        };
        for part in &self.sessions {
            let nothing = part.read().unwrap_or_else(PoisonError::into_inner).is_empty();
            if !nothing {
                let mut part = part.write().unwrap_or_else(PoisonError::into_inner);
                part.retain(|_, known| !is_about(known));
            }
        }
        let may_be_applications = |changed: &Changed| {
            matches!(
                changed,
                Changed::Company(_) | Changed::Application(_) | Changed::Everything
            )
        };
        if changed.iter().any(may_be_applications) {
            let mut known = self.applications.write().unwrap_or_else(PoisonError::into_inner);
            known.clear();
        }
    }
}

fn identity_of(company: &Company, account: &Account) -> Identity {
    let person = &account.person;
    let names = [person.first_name.as_str(), person.last_name.as_str()];
    let names: Vec<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
    let roles: Vec<&str> = account.roles.iter().map(|role| role.as_str()).collect();
    Identity {
        user: account.name.clone(),
        name: names.join(" "),
        email: account.email.clone(),
        groups: roles.join(","),
        company: company.name.clone(),
    }
}

/// What a check came to, with the moment it was made.
fn judge(admitted: Arc<Admitted>, now: Moment) -> Checked {
    let (company, account) = (&admitted.session.company, &admitted.session.account);
    let ready =
        is_live_at(now, &admitted.session) && !account.password_must_change && !must_set_up(company, account);
    if !ready {
        Checked::SignIn
    } else if admitted.application.admits(account) {
        Checked::Admitted(admitted)
    } else {
        Checked::Forbidden
    }
}

impl ForwardAuth {
    /// The application behind a proxy with this identifier.
    ///
    /// # Errors
    /// [`Refusal::UnknownApplication`]; a failing database.
    pub async fn application(&self, id: &str, visitor: &Visitor) -> Result<Arc<Application>, Refusal> {
        visitor.attempt(self.behind_proxy(id)).await
    }

    /// What becomes of a request to an application that carries this token of a session there. It counts as activity,
    /// which is written down once a minute.
    ///
    /// # Errors
    /// A failing database: nobody is let in then.
    pub async fn check(
        &self,
        application: &Application,
        token: Option<&Token>,
        visitor: &Visitor,
    ) -> Result<Checked, Refusal> {
        let Some(token) = token else {
            return Ok(Checked::SignIn);
        };
        let hash = token.hash();
        let now = self.now();
        let known = self.inner.admitted.session(&hash);
        let admitted = match known {
            Some(known) if is_fresh(self.inner.store.hearing(), now, known.read_at) => known,
            before => match visitor.attempt(self.read_admitted(hash, before, now)).await? {
                Some(read) => read,
                None => return Ok(Checked::SignIn),
            },
        };
        if admitted.application.id != application.id {
            return Ok(Checked::SignIn);
        }
        let checked = judge(admitted, now);
        if let Checked::Admitted(admitted) = &checked {
            self.note_use(&hash, admitted, now).await;
        }
        Ok(checked)
    }

    /// Gives whoever is signed in in this browser a ticket to an application behind a proxy. `state` is the hash, in
    /// text, of what the browser keeps on the application's host. Counts as activity.
    ///
    /// # Errors
    /// What the session refuses; [`Refusal::UnknownApplication`]; [`Refusal::Forbidden`] for whom the application does
    /// not admit; [`Refusal::Malformed`].
    pub async fn open(&self, application: &str, state: &str, visitor: &Visitor) -> Result<Opened, Refusal> {
        visitor
            .transact(async || {
                // Not only the hash of a token has 32 bytes and this form, and nothing else is asked of it.
                let state = Token::parse(state).ok_or(Refusal::Malformed)?;
                let application = self.behind_proxy(application).await?;
                let (mut work, own) = self.enter(Need::Home, visitor).await?;
                if !application.admits(&own.account) {
                    return Err(Refusal::Forbidden.into());
                }
                let now = self.now();
                let ticket = Token::new(self.random());
                work.insert_application_session(&NewApplicationSession {
                    id: ApplicationSessionId::new(now, self.random()),
                    company: own.company.id,
                    session: own.session,
                    application: application.id,
                    ticket_hash: ticket.hash(),
                    state_hash: TokenHash(*state.bytes()),
                    created_at: now,
                    expires_at: now + TimeDelta::seconds(APPLICATION_TICKET_SECONDS),
                })
                .await?;
                let entry = AuditEntry {
                    detail: Some(application.settings.name.clone()),
                    ..work.entry(Event::ApplicationEntered, own.company.id, Some(own.account.id))
                };
                self.record(&mut work, &entry).await?;
                work.commit().await?;
                Ok(Opened { ticket, application })
            })
            .await
    }

    /// Takes a ticket in the browser that asked for it, which keeps `state` on the application's host.
    ///
    /// # Errors
    /// [`Refusal::SignInExpired`] for a ticket that is used, too old, another browser's or none; a failing database.
    pub async fn enter_application(
        &self,
        ticket: &Token,
        state: &Token,
        visitor: &Visitor,
    ) -> Result<Entered, Refusal> {
        visitor
            .transact(async || {
                let session = Token::new(self.random());
                let mut writer = self.inner.store.write().await?;
                let entered = writer
                    .enter_application(ticket.hash(), state.hash(), session.hash(), self.now())
                    .await?;
                writer.commit().await?;
                let id = entered.ok_or(Refusal::SignInExpired)?;
                let application = self.behind_proxy(&id.to_string()).await?;
                Ok(Entered { session, application })
            })
            .await
    }
}

impl Service {
    async fn behind_proxy(&self, id: &str) -> Result<Arc<Application>, Failure> {
        let id = ApplicationId::parse(id).ok_or(Refusal::UnknownApplication)?;
        let now = self.now();
        if let Some(known) = self
            .inner
            .admitted
            .application(id, self.inner.store.hearing(), now)
        {
            return Ok(known);
        }
        let changes = self.inner.admitted.changes();
        let found = self.inner.store.read().await?.application(id).await?;
        let application = found
            .filter(|found| found.settings.kind == ApplicationKind::BehindProxy)
            .map(Arc::new)
            .ok_or(Refusal::UnknownApplication)?;
        self.inner.admitted.keep_application(&application, now, changes);
        Ok(application)
    }

    /// Reads what a token is worth now, and remembers it. `before` is what was known of it until now.
    async fn read_admitted(
        &self,
        token: TokenHash,
        before: Option<Arc<Admitted>>,
        now: Moment,
    ) -> Result<Option<Arc<Admitted>>, Failure> {
        let changes = self.inner.admitted.changes();
        let found = self.inner.store.read().await?.application_session(token).await?;
        let Some(row) = found else {
            self.inner.admitted.drop_session(&token);
            return Ok(None);
        };
        let admitted = Arc::new(self.admit(row, before, now).await?);
        self.inner
            .admitted
            .keep_session(token, Arc::clone(&admitted), changes);
        Ok(Some(admitted))
    }

    /// What an application gets to know of a session. An assertion that still says the same is handed out again: signing
    /// takes longer than everything else.
    async fn admit(
        &self,
        row: ApplicationSessionRow,
        before: Option<Arc<Admitted>>,
        now: Moment,
    ) -> Result<Admitted, Failure> {
        let ApplicationSessionRow { application, session } = row;
        let identity = identity_of(&session.company, &session.account);
        let good = before.filter(|before| {
            before.signed_at <= now
                && now - before.signed_at < SIGNED_EVERY
                && before.identity == identity
                && before.session.account.public_id == session.account.public_id
                && before.application.settings == application.settings
        });
        let (assertion, signed_at) = match good {
            Some(before) => (before.assertion.clone(), before.signed_at),
            None => (self.assert(&application, &session, &identity, now).await?, now),
        };
        Ok(Admitted {
            identity,
            assertion,
            signed_at,
            read_at: now,
            application: Arc::new(application),
            session,
            noted: AtomicBool::new(false),
        })
    }

    async fn assert(
        &self,
        application: &Application,
        session: &SessionRow,
        identity: &Identity,
        now: Moment,
    ) -> Result<String, Failure> {
        let audience = application.audience();
        let claims = Claims {
            iss: &self.inner.settings.origin,
            aud: &audience,
            sub: session.account.public_id,
            sid: session.id,
            iat: now.timestamp(),
            exp: now.timestamp() + ASSERTION_SECONDS,
            preferred_username: &identity.user,
            name: &identity.name,
            email: &identity.email,
            groups: session.account.roles.iter().map(|role| role.as_str()).collect(),
            company: &identity.company,
            company_id: session.company.id.to_string(),
        };
        self.sign(application.settings.signing, "JWT", &claims).await
    }

    /// Writes down once a minute that a session and an application are in use. Nobody is turned away because that fails.
    async fn note_use(&self, token: &TokenHash, admitted: &Admitted, now: Moment) {
        if now - admitted.session.last_used_at < NOTED_EVERY || admitted.noted.swap(true, Ordering::Relaxed) {
            return;
        }
        let written = async {
            let mut writer = self.inner.store.write().await?;
            let row = &admitted.session;
            writer.touch_session(row.company.id, row.id, now).await?;
            writer
                .note_application_use(admitted.application.id, now, now - NOTED_EVERY)
                .await?;
            writer.commit().await
        };
        match written.await {
            Ok(()) => self.inner.admitted.drop_session(token),
            Err(error) => tracing::warn!(%error, "the use of an application could not be written down"),
        }
    }
}
