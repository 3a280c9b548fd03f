//! Telling applications that a session is over (OpenID Connect Back-Channel Logout 1.0): soon after it ended, however it
//! ended and on whichever server, and again for a day while an application does not listen.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};
use vestibule_core::{
    audit::{Actor, AuditEntry, Event},
    id::{ApplicationId, CompanyId},
    limits::LOGOUT_NOTICE_HOURS,
    oidc::claims::{LogoutClaims, LogoutEvents, seconds},
    secret::Token,
    session::Ending,
};
use vestibule_mail::{Reach, is_public};
use vestibule_sso::{BackChannel, SsoError};
use vestibule_storage::{LogoutNotice, SessionOfApplications, StoreError};

use crate::{Failure, Issuer, Service, Visitor, turns::TurnsOf};

/// Notices that are looked at in one go.
const AT_ONCE: i64 = 100;
/// Notices to one application that are under way at once.
const OF_APPLICATION: usize = 4;
/// The same to all applications of one company, and to those of the installation.
const OF_OWNER: usize = 8;
/// The same in all.
const IN_ALL: usize = 64;
/// How often others are looked for while some are under way: an application takes seconds to be given up.
const LOOK_AGAIN: Duration = Duration::from_millis(400);
/// How long whoever tells an application has it for itself, in seconds: longer than a call may take.
const CLAIM_SECONDS: i64 = 30;
/// First pause after an application did not listen, in seconds; it doubles with every try.
const FIRST_PAUSE_SECONDS: i64 = 2;
/// Longest pause, in seconds.
const LONGEST_PAUSE_SECONDS: i64 = 15 * 60;
/// Life of a logout token, in seconds (OpenID Connect Back-Channel Logout 1.0, section 2.4).
const TOKEN_SECONDS: i64 = 120;

/// The ways to applications: of companies, and of the installation.
pub(crate) struct BackChannels {
    company: Option<BackChannel>,
    installation: Option<BackChannel>,
}

impl BackChannels {
    /// Companies' applications stand where companies may reach; the operator's own may stand anywhere.
    pub fn new(reach: Reach) -> Self {
        let anywhere = || BackChannel::new(|_| true);
        let company = match reach {
            Reach::Public => BackChannel::new(is_public),
            Reach::Anywhere => anywhere(),
        };
        let usable = |channel: Result<BackChannel, SsoError>| {
            channel
                .inspect_err(|error| tracing::warn!(%error, "applications cannot be told of sign-outs"))
                .ok()
        };
        Self {
            company: usable(company),
            installation: usable(anywhere()),
        }
    }
}

/// The places of notices that are under way: an application that is slow, or dead, has its own and nobody else's.
struct Turns {
    applications: TurnsOf<ApplicationId>,
    owners: TurnsOf<Option<CompanyId>>,
    all: Arc<Semaphore>,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            applications: TurnsOf::new(OF_APPLICATION),
            owners: TurnsOf::new(OF_OWNER),
            all: Arc::new(Semaphore::new(IN_ALL)),
        }
    }
}

impl Turns {
    /// A place for a notice to this application, until it is dropped; `None` when the notice has to wait.
    fn take(
        &self,
        application: ApplicationId,
        owner: Option<CompanyId>,
    ) -> Option<[OwnedSemaphorePermit; 3]> {
        let own = self.applications.of(application).try_acquire_owned().ok()?;
        let of_owner = self.owners.of(owner).try_acquire_owned().ok()?;
        let of_all = Arc::clone(&self.all).try_acquire_owned().ok()?;
        Some([own, of_owner, of_all])
    }
}

/// Notices that are under way, and those that wait for a place.
#[derive(Default)]
struct Round {
    turns: Turns,
    tasks: JoinSet<Result<bool, StoreError>>,
    waiting: Vec<LogoutNotice>,
}

/// How a session that is over came to its end: whichever end was the first, whoever sees it.
fn ending_of(session: &SessionOfApplications, idle_minutes: Option<u16>) -> Ending {
    Ending::by_itself(
        session.created_at,
        session.last_used_at,
        session.ends_at,
        idle_minutes,
    )
}

impl Issuer {
    /// Tells all applications that are to be told now, and whatever becomes due meanwhile; gives how many were told. For the
    /// background, several times a second: looking costs no write. Whoever takes long holds nobody up: others are looked
    /// for, and told, while it does.
    ///
    /// # Errors
    /// A failing database: what was not told waits for the next time.
    pub async fn tell_logouts(&self) -> Result<usize, StoreError> {
        let (mut round, mut told, mut failure) = (Round::default(), 0, None);
        // Nothing new is begun after a fault, but nothing is broken off either: whoever is being told is waited for.
        let (mut looking, mut looked) = (true, Instant::now());
        loop {
            // What waits has no place yet, while what became due meanwhile may have one.
            if looking && (round.waiting.is_empty() || looked.elapsed() >= LOOK_AGAIN) {
                looked = Instant::now();
                match self.due_notices().await {
                    Ok(due) => round.waiting = due,
                    Err(error) => failure = Some(error),
                }
            }
            looking &= failure.is_none();
            if looking {
                self.begin_notices(&mut round);
            }
            match tokio::time::timeout(LOOK_AGAIN, round.tasks.join_next()).await {
                // Whoever is under way takes long.
                Err(_) => {}
                // Nobody is under way: there was a place for everybody, or nothing more is begun.
                Ok(None) => return failure.map_or(Ok(told), Err),
                Ok(Some(Ok(Ok(now)))) => told += usize::from(now),
                Ok(Some(Ok(Err(error)))) => failure = Some(error),
                // One that broke off has told nobody, and its notice comes again: not at once, or it would for ever.
                Ok(Some(Err(_))) => looking = false,
            }
        }
    }

    /// Ends the sessions that nobody has used for too long and that applications have tokens of, so that these are told too;
    /// gives how many. Others end when their browser comes again, or are deleted after their absolute end. For the
    /// background, whenever [`Issuer::until_idle_end`] says so.
    ///
    /// # Errors
    /// A failing database.
    pub async fn end_idle_sessions(&self) -> Result<usize, StoreError> {
        let now = self.database_now();
        let mut reader = self.inner.store.read().await?;
        let oldest = reader.oldest_uses_of_applications(now).await?;
        drop(reader);
        let mut ended = 0;
        for (minutes, used_at) in oldest {
            let until = now - TimeDelta::minutes(minutes.into());
            if used_at > until {
                continue;
            }
            let mut reader = self.inner.store.read().await?;
            let idle = reader
                .idle_sessions_of_applications(minutes, until, now, AT_ONCE)
                .await?;
            drop(reader);
            for session in idle {
                let ending = ending_of(&session, Some(minutes));
                let mut writer = self.inner.store.write().await?;
                // Somebody may have used it since it was found.
                if writer
                    .end_idle_session(session.company, session.id, until, ending)
                    .await?
                {
                    writer.commit().await?;
                    ended += 1;
                }
            }
        }
        Ok(ended)
    }

    /// How long it takes until the first of these sessions ends if nobody uses it; `None` without one. New ones, and shorter
    /// policies, are not known beforehand.
    ///
    /// # Errors
    /// A failing database.
    pub async fn until_idle_end(&self) -> Result<Option<TimeDelta>, StoreError> {
        let now = self.database_now();
        let mut reader = self.inner.store.read().await?;
        let oldest = reader.oldest_uses_of_applications(now).await?;
        let ends = oldest
            .into_iter()
            .map(|(minutes, used_at)| used_at + TimeDelta::minutes(minutes.into()));
        Ok(ends.min().map(|end| (end - now).max(TimeDelta::zero())))
    }

    /// The same for sessions that are as old as they may become. For the background, every second: looking reads those alone
    /// that have to be ended.
    ///
    /// # Errors
    /// A failing database.
    pub async fn end_old_sessions(&self) -> Result<usize, StoreError> {
        let now = self.database_now();
        let mut ended = 0;
        loop {
            let before = ended;
            let mut reader = self.inner.store.read().await?;
            let old = reader.old_sessions_of_applications(now, AT_ONCE).await?;
            drop(reader);
            for session in old {
                let company = self.inner.store.read().await?.company(session.company).await?;
                let minutes = company.and_then(|company| company.settings.idle_minutes);
                let ending = ending_of(&session, minutes);
                let mut writer = self.inner.store.write().await?;
                if writer.end_session(session.company, session.id, ending).await? {
                    writer.commit().await?;
                    ended += 1;
                }
            }
            // Those that another server has ended are not found again.
            if ended == before {
                return Ok(ended);
            }
        }
    }

    async fn due_notices(&self) -> Result<Vec<LogoutNotice>, StoreError> {
        let now = self.now();
        let mut reader = self.inner.store.read().await?;
        reader.logout_notices(now, AT_ONCE).await
    }

    /// Begins with all for which there is a place.
    fn begin_notices(&self, round: &mut Round) {
        for notice in std::mem::take(&mut round.waiting) {
            let (application, owner) = (notice.application.id, notice.application.company);
            let Some(turn) = round.turns.take(application, owner) else {
                round.waiting.push(notice);
                continue;
            };
            let service = Service::clone(self);
            round.tasks.spawn(async move {
                let told = service.tell_logout(notice).await;
                drop(turn);
                told
            });
        }
    }
}

impl Service {
    /// Tells one application; says whether it was told now.
    async fn tell_logout(&self, notice: LogoutNotice) -> Result<bool, StoreError> {
        let now = self.now();
        let mut writer = self.inner.store.write_one().await?;
        let until = now + TimeDelta::seconds(CLAIM_SECONDS);
        if !writer.claim_logout_notice(&notice, now, until).await? {
            return Ok(false);
        }
        writer.commit().await?;
        let Some(uri) = notice.application.settings.back_channel_uri.clone() else {
            self.finish_notice(&notice).await?;
            return Ok(false);
        };
        let outcome = match self.logout_token(&notice).await {
            Ok(token) => self.post_logout(&notice, &uri, &token).await,
            Err(_) => Err(SsoError::NotUnderstood),
        };
        match outcome {
            Ok(()) => {
                self.finish_notice(&notice).await?;
                Ok(true)
            }
            Err(error) => {
                tracing::info!(application = %notice.application.id, %error, "an application was not told of a sign-out");
                self.try_later(&notice, error).await?;
                Ok(false)
            }
        }
    }

    async fn post_logout(&self, notice: &LogoutNotice, uri: &str, token: &str) -> Result<(), SsoError> {
        let channels = &self.inner.back_channels;
        let channel = match notice.application.company {
            Some(_) => &channels.company,
            None => &channels.installation,
        };
        match channel {
            Some(channel) => channel.post(uri, token).await,
            None => Err(SsoError::Unreachable),
        }
    }

    async fn logout_token(&self, notice: &LogoutNotice) -> Result<String, Failure> {
        let now = self.now();
        let claims = LogoutClaims {
            iss: &self.inner.settings.origin,
            aud: notice.application.id.to_string(),
            exp: seconds(now) + TOKEN_SECONDS,
            iat: seconds(now),
            jti: Token::new(self.random()).reveal(),
            sub: notice.subject,
            sid: notice.session,
            events: LogoutEvents::default(),
        };
        self.sign(notice.application.settings.signing, "logout+jwt", &claims)
            .await
    }

    async fn finish_notice(&self, notice: &LogoutNotice) -> Result<(), StoreError> {
        let mut writer = self.inner.store.write_one().await?;
        writer.finish_logout_notice(notice).await?;
        writer.commit().await
    }

    /// Puts it off, or gives it up after a day: then the audit log has it.
    async fn try_later(&self, notice: &LogoutNotice, error: SsoError) -> Result<(), StoreError> {
        let now = self.now();
        let since = notice.since.unwrap_or(now);
        if now - since < TimeDelta::hours(LOGOUT_NOTICE_HOURS) {
            let doublings = u32::try_from(notice.tries).unwrap_or(u32::MAX).min(20);
            let pause = (FIRST_PAUSE_SECONDS << doublings).min(LONGEST_PAUSE_SECONDS);
            let mut writer = self.inner.store.write_one().await?;
            writer
                .put_logout_notice_off(notice, now + TimeDelta::seconds(pause))
                .await?;
            return writer.commit().await;
        }
        let mut writer = self.inner.store.write().await?;
        writer.finish_logout_notice(notice).await?;
        let entry = AuditEntry {
            actor: Actor::System,
            detail: Some(format!("{}: {error}", notice.application.settings.name)),
            ..Visitor::default().entry(Event::LogoutNotTold, Some(notice.company), Some(notice.account))
        };
        self.record(&mut writer, &entry).await?;
        writer.commit().await
    }
}

#[cfg(test)]
mod tests {
    use vestibule_core::ports::{Moment, SeededRandomness};

    use super::*;

    #[test]
    fn an_application_and_its_company_take_their_own_share_and_no_more() {
        let randomness = SeededRandomness::new(1);
        let application = || ApplicationId::new(Moment::UNIX_EPOCH, &randomness);
        let company = Some(CompanyId::new(Moment::UNIX_EPOCH, &randomness));
        let (dead, slow) = (application(), application());
        let turns = Turns::default();
        let mut taken = Vec::new();
        for own in [dead, slow] {
            taken.extend((0..OF_APPLICATION).map(|_| turns.take(own, company).unwrap()));
            assert!(turns.take(own, company).is_none());
        }
        assert!(
            turns.take(application(), company).is_none(),
            "the company's share"
        );
        assert!(turns.take(application(), None).is_some());
        taken.clear();
        assert!(turns.take(dead, company).is_some());
    }
}
