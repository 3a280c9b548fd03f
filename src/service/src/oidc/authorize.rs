//! From a request of an application to its code.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use vestibule_core::{
    audit::{AuditEntry, Event},
    gate,
    id::{ApplicationId, CompanyId, GrantId, PublicId, SessionId},
    limits::{CARRIED_ADDRESS_MAX, CARRIED_MAX, CARRIED_OF_SOURCE_MAX, OAUTH_REQUEST_MAX},
    oidc::{
        application::Application,
        error::{AuthorizationError, Described, PageProblem},
        logout::Hinted,
        parameters::Parameters,
        request::{
            AuthorizationAnswer, AuthorizationRequest, LoginHint, ReturnTo, Unanswerable, application_of,
            is_silent,
        },
        step::{Choice, Present, SoFar, Step, next_step},
    },
    paths,
    ports::Moment,
    refusal::Refusal,
    secret::Token,
};
use vestibule_storage::{NewCarried, NewGrant, StoreError, again};

use crate::{
    Failure, Issuer, RETRY_SECONDS, Service, Visitor,
    keys::{Purpose, Unsealable},
    sessions::{Need, SignedIn},
    turns::TurnsOf,
};

/// What sealed requests are bound to.
const REQUEST_CONTEXT: &[u8] = b"authorization request";
/// How long a request may be carried along: longer than a sign-in takes.
const CARRIED_FOR: TimeDelta = TimeDelta::hours(1);
/// How often the last use of an application is written down at most.
const NOTED_EVERY: TimeDelta = TimeDelta::minutes(1);

/// Requests of visitors from one place that are written down at once.
const OF_SOURCE: usize = 4;
/// The same of all places together.
const IN_ALL: usize = 16;
/// How long one waits for a place among them.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// After so many requests that this server has written down it looks whether there are too many.
const ROOM_EVERY: usize = 50;
/// Requests that make room then, at most: more than have come meanwhile.
const ROOM_AT_ONCE: i64 = 100;

/// The requests that are being written down. Anybody may bring one, so each place has its own few turns.
pub(crate) struct Carrying {
    sources: TurnsOf<String>,
    all: Arc<Semaphore>,
    written: AtomicUsize,
}

impl Default for Carrying {
    fn default() -> Self {
        Self {
            sources: TurnsOf::new(OF_SOURCE),
            all: Arc::new(Semaphore::new(IN_ALL)),
            written: AtomicUsize::new(0),
        }
    }
}

impl Carrying {
    /// A place among them, until it is dropped.
    ///
    /// # Errors
    /// [`Refusal::Busy`] when none became free in time.
    async fn place(&self, source: &str) -> Result<[OwnedSemaphorePermit; 2], Refusal> {
        let places = async {
            // Its own first: whoever waits for that stands in nobody's way.
            let own = self.sources.of(source.to_owned()).acquire_owned().await?;
            let place = Arc::clone(&self.all).acquire_owned().await?;
            Ok::<_, AcquireError>([own, place])
        };
        let found = tokio::time::timeout(LONGEST_WAIT, places).await;
        found.ok().and_then(Result::ok).ok_or(Refusal::Busy {
            retry_after: RETRY_SECONDS,
        })
    }

    /// Counts one that is written down; says whether to look for room now: that reads as many as there may be.
    fn is_room_due(&self) -> bool {
        self.written
            .fetch_add(1, Ordering::Relaxed)
            .is_multiple_of(ROOM_EVERY)
    }
}

/// What has happened to a request before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begun {
    /// When it came.
    pub at: Moment,
    /// Whether the agent has said to go on as who is signed in.
    pub chosen: bool,
}

impl Begun {
    /// Nothing has: the request comes now.
    pub const fn anew(now: Moment) -> Self {
        Self {
            at: now,
            chosen: false,
        }
    }
}

/// What a browser that brings a request gets.
#[derive(Debug)]
pub enum Authorized {
    /// The sign-in page, and then the same request once more.
    SignIn {
        /// Who is expected.
        hint: Option<LoginHint>,
        /// Language tags, the best first.
        ui_locales: Vec<String>,
    },
    /// A page on which the agent says how to go on.
    Choose {
        /// Why.
        choice: Choice,
        /// Name of the application.
        application: String,
        /// Who is signed in.
        signed_in: Box<SignedIn>,
        /// The way back to the application, with an error.
        back: AuthorizationAnswer,
    },
    /// The page that asks for a proof of identity, and then the same request once more.
    Prove,
    /// What has to be done before anything is open: a password to choose, a second factor to set up.
    First(Refusal),
    /// The answer to the application: a code or an error.
    Answer {
        /// Where it goes.
        answer: AuthorizationAnswer,
        /// Name of the application.
        application: String,
    },
    /// The same, but nobody is led to it who does not want to: a page says that it cannot go on, with the way back.
    Offer {
        /// Where it goes.
        answer: AuthorizationAnswer,
        /// Name of the application.
        application: String,
    },
}

impl Authorized {
    /// An answer that nobody is led to by itself.
    fn offered(self) -> Self {
        match self {
            Self::Answer { answer, application } => Self::Offer { answer, application },
            other => other,
        }
    }
}

/// What becomes of a request that the form of another site brings.
#[derive(Debug)]
pub enum Posted {
    /// It goes on at this local address, where the browser brings its cookies.
    GoesOn(String),
    /// It is wrong, and this is the answer.
    Answered(Authorized),
}

/// A request that is carried along.
#[derive(Serialize, Deserialize)]
struct Carried {
    query: String,
    /// Microseconds since 1970.
    at: i64,
    chosen: bool,
    /// By what the browser is known that it came to; `None` = it has to come there first.
    #[serde(default)]
    browser: Option<String>,
}

const TOO_LONG: Described<AuthorizationError> =
    Described::new(AuthorizationError::InvalidRequest, "the request is too long");

const MAY_NOT: Described<AuthorizationError> =
    Described::new(AuthorizationError::AccessDenied, "the account may not sign in");

/// By what a browser with this number is known.
fn known_by(number: &Token) -> String {
    URL_SAFE_NO_PAD.encode(number.hash().0)
}

/// What an ID token of ours says that is shown again.
#[derive(Deserialize)]
struct HintClaims {
    iss: String,
    aud: ApplicationId,
    sub: PublicId,
    sid: SessionId,
}

impl From<PageProblem> for Failure {
    fn from(problem: PageProblem) -> Self {
        Self::Refused(match problem {
            PageProblem::Unreadable => Refusal::Malformed,
            PageProblem::UnknownApplication => Refusal::UnknownApplication,
            PageProblem::UnknownRedirect => Refusal::UnknownRedirect,
        })
    }
}

impl Issuer {
    /// Answers a request of an application, the query of the authorization endpoint, for whoever is signed in in this
    /// browser. Counts as activity.
    ///
    /// # Errors
    /// [`Refusal::UnknownApplication`], [`Refusal::UnknownRedirect`], [`Refusal::Malformed`]: a page, never a redirect.
    pub async fn authorize(
        &self,
        query: &str,
        begun: Begun,
        visitor: &Visitor,
    ) -> Result<Authorized, Refusal> {
        let (application, read) = visitor.attempt(self.read_request(query)).await?;
        let request = match read {
            Ok(request) => request,
            Err(wrong) => {
                let answered = self.answer_wrong(&wrong, &application, visitor);
                return visitor.attempt(answered).await;
            }
        };
        let answered = visitor
            .attempt(self.answer(&request, &application, begun, visitor))
            .await;
        answered.or_else(|refusal| self.told(refusal, &request.return_to, &application))
    }

    /// Carries a request along while something else happens; gives the local address at which it goes on. Nobody can make it
    /// look older, or chosen, and what has happened to it counts in the browser with the number `browser` only.
    ///
    /// # Errors
    /// What [`Issuer::authorize`] says of what is no request; [`Refusal::Malformed`] for a long one that is wrong;
    /// [`Refusal::Busy`] when too many come from the same place; a failing database.
    pub async fn carry_request(
        &self,
        query: &str,
        begun: Begun,
        browser: Option<&Token>,
        visitor: &Visitor,
    ) -> Result<String, Refusal> {
        let carried = async {
            match self.carry(query, begun, browser, visitor).await? {
                Kept::At(resume) => Ok(resume),
                Kept::Wrong(_) => Err(Refusal::Malformed.into()),
            }
        };
        visitor.attempt(carried).await
    }

    /// Takes a request that the form of another site brings, which comes without the cookies of the browser: it begins when
    /// the browser comes once more by itself. A wrong one is answered there too, or at once when it is long: only what an
    /// application may ask is written down.
    ///
    /// # Errors
    /// As [`Issuer::authorize`]; [`Refusal::Busy`] when too many come from the same place.
    pub async fn take_posted(&self, query: &str, visitor: &Visitor) -> Result<Posted, Refusal> {
        let taken = async {
            match self.carry(query, Begun::anew(self.now()), None, visitor).await? {
                Kept::At(resume) => Ok(Posted::GoesOn(resume)),
                Kept::Wrong(wrong) => {
                    let (application, wrong) = *wrong;
                    let answer = self.answer_wrong(&wrong, &application, visitor).await?;
                    Ok(Posted::Answered(answer))
                }
            }
        };
        visitor.attempt(taken).await
    }

    /// What [`Issuer::carry_request`] carries along under this name. A request begins anew that was carried for more than an
    /// hour, or comes from another browser: whoever has it from somebody else has proved nothing for it.
    ///
    /// # Errors
    /// [`Refusal::SignInExpired`] when it is kept no longer; [`Refusal::Malformed`] for what never was one; a failing database.
    pub async fn open_request(&self, asked: &str, visitor: &Visitor) -> Result<(String, Begun), Refusal> {
        visitor.attempt(self.open_carried(asked, visitor)).await
    }
}

impl Service {
    /// Where an address has no room for the request on every way that may follow, it is written down, and the address names it.
    async fn carry(
        &self,
        query: &str,
        begun: Begun,
        browser: Option<&Token>,
        visitor: &Visitor,
    ) -> Result<Kept, Failure> {
        let sealed = self.seal_request(query, begun, browser)?;
        let resume = paths::resuming(&URL_SAFE_NO_PAD.encode(&sealed));
        if resume.len() <= CARRIED_ADDRESS_MAX {
            return Ok(Kept::At(resume));
        }
        // Anybody may come here: only what an application may ask is written down.
        let (application, read) = self.read_request(query).await?;
        if let Err(wrong) = read {
            return Ok(Kept::Wrong(Box::new((application, wrong))));
        }
        let _place = self.inner.carrying.place(&visitor.source).await?;
        let token = again(|| self.put_request(&sealed, visitor)).await?;
        Ok(Kept::At(paths::resuming(&token.reveal())))
    }

    /// Writes a request down; gives the token that names it.
    async fn put_request(&self, sealed: &[u8], visitor: &Visitor) -> Result<Token, StoreError> {
        let token = Token::new(self.random());
        let mut writer = self.inner.store.write().await?;
        let new = NewCarried {
            token_hash: token.hash(),
            source: &visitor.source,
            sealed,
            created_at: self.now(),
        };
        writer.put_carried_request(&new, CARRIED_OF_SOURCE_MAX).await?;
        if self.inner.carrying.is_room_due() {
            writer.trim_carried_requests(CARRIED_MAX, ROOM_AT_ONCE).await?;
        }
        writer.commit().await?;
        Ok(token)
    }

    fn seal_request(
        &self,
        query: &str,
        begun: Begun,
        browser: Option<&Token>,
    ) -> Result<Vec<u8>, Unsealable> {
        let carried = Carried {
            query: query.to_owned(),
            at: begun.at.timestamp_micros(),
            chosen: begun.chosen,
            browser: browser.map(known_by),
        };
        let plain = serde_json::to_vec(&carried).map_err(|_| Unsealable)?;
        self.inner
            .keys
            .seal(Purpose::Request, REQUEST_CONTEXT, &plain, self.random())
    }

    async fn open_carried(&self, asked: &str, visitor: &Visitor) -> Result<(String, Begun), Failure> {
        // What is sealed is longer than any token.
        let sealed = match Token::parse(asked) {
            Some(token) => {
                let mut reader = self.inner.store.read().await?;
                let kept = reader.carried_request(token.hash()).await?;
                kept.ok_or(Refusal::SignInExpired)?
            }
            None => URL_SAFE_NO_PAD.decode(asked).map_err(|_| Refusal::Malformed)?,
        };
        let opened = self.unseal_request(&sealed, visitor);
        Ok(opened.ok_or(Refusal::Malformed)?)
    }

    fn unseal_request(&self, sealed: &[u8], visitor: &Visitor) -> Option<(String, Begun)> {
        let plain = self
            .inner
            .keys
            .open(Purpose::Request, REQUEST_CONTEXT, sealed)
            .ok()?;
        let carried: Carried = serde_json::from_slice(&plain).ok()?;
        let (now, at) = (self.now(), Moment::from_timestamp_micros(carried.at)?);
        let own = visitor.browser_token.as_ref().map(known_by);
        let begun = if now - at < CARRIED_FOR && own.is_some() && own == carried.browser {
            Begun {
                at,
                chosen: carried.chosen,
            }
        } else {
            Begun::anew(now)
        };
        Some((carried.query, begun))
    }
}

/// What has come of a request that was about to be carried along.
enum Kept {
    /// It goes on at this local address.
    At(String),
    /// It is long, and cannot be answered but with an error.
    Wrong(Box<(Application, Wrong)>),
}

/// What has come of a code that was about to be given.
enum Given {
    /// The code.
    Code(Token),
    /// The account may not sign in any more.
    Denied,
    /// Something that has to be done first.
    First(Refusal),
    /// Something else happens now, and to whom.
    Else(Step, Option<Box<SignedIn>>),
}

/// Who is signed in, as the rules see it.
fn present(signed_in: &SignedIn) -> Present<'_> {
    Present {
        company: &signed_in.company,
        account: &signed_in.account,
        proof: signed_in.proof,
        proved_at: signed_in.proved_at,
    }
}

/// A request that can be answered, or what is wrong with it.
type Read = Result<AuthorizationRequest, Wrong>;

/// A request that cannot be answered, and where its error belongs.
struct Wrong {
    to: ReturnTo,
    error: Described<AuthorizationError>,
    /// Whether nobody may be shown anything.
    silent: bool,
}

/// Whether a browser is led to the application with an error by itself. A company enters the addresses of its applications
/// itself, and whoever follows a link to this site must not end at any of them unasked (RFC 9700, section 4.11.2): so only
/// the company's own people are, and everybody by an application of the installation. Others get a page with the way back,
/// by which the error reaches the application too (OpenID Connect Core 1.0, section 3.1.2.6). Where nobody may be shown
/// anything, that section leaves no choice.
fn is_led_back(application: &Application, signed_in: Option<&SignedIn>, silent: bool) -> bool {
    let of_company = |company: CompanyId| signed_in.is_some_and(|signed_in| signed_in.company.id == company);
    silent || application.company.is_none_or(of_company)
}

impl Service {
    async fn read_request(&self, query: &str) -> Result<(Application, Read), Failure> {
        let parameters = Parameters::parse(query);
        let id = application_of(&parameters)?;
        let found = self.inner.store.read().await?.application(id).await?;
        let application = found.ok_or(PageProblem::UnknownApplication)?;
        match AuthorizationRequest::read(&parameters, &application) {
            Ok(request) if query.len() > OAUTH_REQUEST_MAX => {
                let wrong = Wrong {
                    to: request.return_to,
                    error: TOO_LONG,
                    silent: request.prompt.none,
                };
                Ok((application, Err(wrong)))
            }
            Ok(request) => Ok((application, Ok(request))),
            Err(Unanswerable::Page(problem)) => Err(problem.into()),
            Err(Unanswerable::AtRedirect(to, error)) => {
                let silent = is_silent(&parameters);
                Ok((application, Err(Wrong { to, error, silent })))
            }
        }
    }

    async fn answer_wrong(
        &self,
        wrong: &Wrong,
        application: &Application,
        visitor: &Visitor,
    ) -> Result<Authorized, Failure> {
        let signed_in = self.find_session(visitor).await?;
        let refused = self.refuse(&wrong.to, wrong.error, application);
        let led = is_led_back(application, signed_in.as_ref(), wrong.silent);
        Ok(if led { refused } else { refused.offered() })
    }

    fn refuse(
        &self,
        to: &ReturnTo,
        error: Described<AuthorizationError>,
        application: &Application,
    ) -> Authorized {
        Authorized::Answer {
            answer: to.with_error(error, &self.inner.settings.origin),
            application: application.settings.name.clone(),
        }
    }

    /// A fault of ours is told where the application waits for its answer: nobody brings it about with a link.
    fn told(
        &self,
        refusal: Refusal,
        to: &ReturnTo,
        application: &Application,
    ) -> Result<Authorized, Refusal> {
        use AuthorizationError as E;
        let error = match refusal {
            Refusal::Unavailable { .. } | Refusal::Busy { .. } => Described::new(
                E::TemporarilyUnavailable,
                "the provider is not available for a moment",
            ),
            Refusal::Internal { .. } => Described::new(E::ServerError, "the provider failed"),
            other => return Err(other),
        };
        Ok(self.refuse(to, error, application))
    }

    async fn answer(
        &self,
        request: &AuthorizationRequest,
        application: &Application,
        begun: Begun,
        visitor: &Visitor,
    ) -> Result<Authorized, Failure> {
        let now = self.now();
        let signed_in = self.find_session(visitor).await?;
        let led = is_led_back(application, signed_in.as_ref(), request.prompt.none);
        let refused = |error| {
            let refused = self.refuse(&request.return_to, error, application);
            if led { refused } else { refused.offered() }
        };
        let hinted = match &request.id_token_hint {
            None => None,
            Some(token) => {
                let Some(hinted) = self.hinted(token).await? else {
                    return Ok(refused(Described::new(
                        AuthorizationError::InvalidRequest,
                        "id_token_hint is no token of this provider",
                    )));
                };
                Some(hinted.subject)
            }
        };
        if let Some(signed_in) = &signed_in {
            match self.meets(signed_in, Need::Home) {
                Err(Failure::Refused(first)) => return Ok(self.first(first, request, application)),
                other => other?,
            }
            if gate::admit(&signed_in.company, &signed_in.account).is_err() {
                return Ok(refused(MAY_NOT));
            }
        }
        let so_far = SoFar {
            begun: begun.at.min(now),
            now,
            hinted,
            chosen: begun.chosen,
        };
        let step = next_step(request, application, signed_in.as_ref().map(present), so_far);
        if step != Step::Answer {
            return Ok(self.take(step, request, application, signed_in));
        }
        let given = again(|| self.give_code(request, application, so_far, visitor)).await?;
        Ok(match given {
            Given::Code(code) => Authorized::Answer {
                answer: request
                    .return_to
                    .with_code(&code.reveal(), &self.inner.settings.origin),
                application: application.settings.name.clone(),
            },
            Given::Denied => refused(MAY_NOT),
            Given::First(first) => self.first(first, request, application),
            Given::Else(step, signed_in) => {
                self.take(step, request, application, signed_in.map(|signed_in| *signed_in))
            }
        })
    }

    /// Leads to what has to be done before anything is open, unless the application wants nobody to be asked.
    fn first(&self, first: Refusal, request: &AuthorizationRequest, application: &Application) -> Authorized {
        if !request.prompt.none {
            return Authorized::First(first);
        }
        tracing::debug!(reason = ?first, "somebody has to do something first");
        let error = Described::new(
            AuthorizationError::InteractionRequired,
            "the agent has to do something first",
        );
        self.refuse(&request.return_to, error, application)
    }

    /// Takes a step that gives no code.
    fn take(
        &self,
        step: Step,
        request: &AuthorizationRequest,
        application: &Application,
        signed_in: Option<SignedIn>,
    ) -> Authorized {
        let sign_in = || Authorized::SignIn {
            hint: request.login_hint.clone(),
            ui_locales: request.ui_locales.clone(),
        };
        match (step, signed_in) {
            (Step::Refuse(error), _) => self.refuse(&request.return_to, error, application),
            (Step::SignIn | Step::Answer, _) | (_, None) => sign_in(),
            (Step::Prove, _) => Authorized::Prove,
            (Step::Choose(choice), Some(signed_in)) => {
                let denied = Described::new(AuthorizationError::AccessDenied, "the agent went back");
                Authorized::Choose {
                    choice,
                    application: application.settings.name.clone(),
                    signed_in: Box::new(signed_in),
                    back: request.return_to.with_error(denied, &self.inner.settings.origin),
                }
            }
        }
    }

    /// Gives a code behind the account's lock, if it is still to be given then. Whoever had the lock before may have changed
    /// the password, locked or deactivated the account or ended the session, and with it everything that came of it until
    /// then: a code that is written afterwards must not come of what was before.
    async fn give_code(
        &self,
        request: &AuthorizationRequest,
        application: &Application,
        so_far: SoFar,
        visitor: &Visitor,
    ) -> Result<Given, Failure> {
        let (mut work, own) = match self.enter(Need::Home, visitor).await {
            Ok(entered) => entered,
            Err(Failure::Refused(Refusal::NotSignedIn)) => {
                return Ok(Given::Else(next_step(request, application, None, so_far), None));
            }
            Err(Failure::Refused(first)) => return Ok(Given::First(first)),
            Err(failure) => return Err(failure),
        };
        if gate::admit(&own.company, &own.account).is_err() {
            return Ok(Given::Denied);
        }
        let step = next_step(request, application, Some(present(&own)), so_far);
        if step != Step::Answer {
            return Ok(Given::Else(step, Some(Box::new(own))));
        }
        let now = self.now();
        let code = Token::new(self.random());
        work.insert_grant(&NewGrant {
            id: GrantId::new(now, self.random()),
            company: own.company.id,
            application: application.id,
            account: own.account.id,
            subject: own.account.public_id,
            session: own.session,
            scopes: request.scopes.to_string(),
            nonce: request.nonce.clone(),
            proof: own.proof,
            proved_at: own.proved_at,
            code_hash: code.hash(),
            redirect_uri: request.return_to.uri.clone(),
            challenge: request.challenge,
            created_at: now,
            expires_at: own.ends_at,
        })
        .await?;
        let since = now - NOTED_EVERY;
        if application.last_used_at.is_none_or(|last| last <= since) {
            work.note_application_use(application.id, now, since).await?;
        }
        let entry = AuditEntry {
            detail: Some(application.settings.name.clone()),
            ..work.entry(Event::ApplicationEntered, own.company.id, Some(own.account.id))
        };
        self.record(&mut work, &entry).await?;
        work.commit().await?;
        Ok(Given::Code(code))
    }

    /// What an ID token says that is shown again; `None` when it is not one of ours.
    pub(super) async fn hinted(&self, token: &str) -> Result<Option<Hinted>, Failure> {
        let claims = self.signed_claims::<HintClaims>(token).await?;
        let ours = claims.filter(|claims| claims.iss == self.inner.settings.origin);
        Ok(ours.map(|claims| Hinted {
            application: claims.aud,
            subject: claims.sub,
            session: claims.sid,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_place_writes_a_few_requests_down_at_once_and_others_go_on() {
        let carrying = Carrying::default();
        let mut places = Vec::new();
        for _ in 0..OF_SOURCE {
            places.push(carrying.place("192.0.2.1").await.unwrap());
        }
        let busy = Refusal::Busy {
            retry_after: RETRY_SECONDS,
        };
        assert_eq!(carrying.place("192.0.2.1").await.err(), Some(busy.clone()));
        for other in OF_SOURCE..IN_ALL {
            places.push(carrying.place(&other.to_string()).await.unwrap());
        }
        assert_eq!(carrying.place("late").await.err(), Some(busy));
        places.clear();
        assert!(carrying.place("192.0.2.1").await.is_ok());
    }

    #[test]
    fn room_is_looked_for_now_and_then() {
        let carrying = Carrying::default();
        let due = (0..3 * ROOM_EVERY).filter(|_| carrying.is_room_due());
        assert_eq!(due.count(), 3);
        assert!(
            i64::try_from(ROOM_EVERY).unwrap() < ROOM_AT_ONCE,
            "there is less and less"
        );
    }
}
