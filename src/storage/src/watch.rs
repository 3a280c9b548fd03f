//! Who remembers sessions is told what may have changed about them.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;
use uuid::Uuid;
use vestibule_core::id::{AccountId, ApplicationId, CompanyId, SessionId};

/// How long what was heard of others is sure after a question on that line that was answered.
const SURE: Duration = Duration::from_millis(750);

/// What a transaction may have changed about sessions: whoever holds an account or a company may change what sessions of
/// it are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// A session.
    Session(SessionId),
    /// Sessions of an account.
    Account(AccountId),
    /// Sessions of a company.
    Company(CompanyId),
    /// Sessions at an application.
    Application(ApplicationId),
    /// Anything: others may have changed it while nobody listened.
    Everything,
}

impl Changed {
    /// As the database tells it; `None` for what this version does not know.
    pub(crate) fn told(payload: &str) -> Option<Self> {
        let (kind, id) = payload.split_once(' ')?;
        let id = Uuid::parse_str(id).ok()?;
        match kind {
            "session" => Some(Self::Session(SessionId(id))),
            "account" => Some(Self::Account(AccountId(id))),
            "company" => Some(Self::Company(CompanyId(id))),
            "application" => Some(Self::Application(ApplicationId(id))),
            _ => None,
        }
    }
}

/// Whether a store hears of what others change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hearing {
    /// It does not listen to others.
    Itself,
    /// Everything that became final until a moment ago, well below a second.
    Others,
    /// It listens, and the line is cut, or may be.
    Cut,
}

type Listener = Box<dyn Fn(&[Changed]) + Send + Sync>;

/// Where whoever remembers sessions listens.
#[derive(Default)]
pub(crate) struct Watch {
    listener: OnceLock<Listener>,
    /// When it was begun to listen to others.
    begun: OnceLock<Instant>,
    /// Milliseconds after `begun`, at least 1, at which the last question was asked on the line that was answered; 0 = it
    /// is cut.
    asked: AtomicU64,
}

impl Watch {
    /// The first listener stays the only one.
    pub(crate) fn listen(&self, listener: Listener) {
        let _ = self.listener.set(listener);
    }

    /// Tells of a transaction that has become final.
    pub(crate) fn tell(&self, changed: &[Changed]) {
        if let Some(listener) = self.listener.get()
            && !changed.is_empty()
        {
            listener(changed);
        }
    }

    /// From now on others are listened to.
    pub(crate) fn begin(&self) {
        let _ = self.begun.set(Instant::now());
    }

    /// A question of this moment was answered on the line, and everything that was told before it has been passed on.
    pub(crate) fn sure_since(&self, asked: Instant) {
        if let Some(begun) = self.begun.get() {
            let asked = asked.saturating_duration_since(*begun).as_millis();
            let asked = u64::try_from(asked).unwrap_or(u64::MAX).max(1);
            self.asked.store(asked, Ordering::SeqCst);
        }
    }

    /// The line is cut.
    pub(crate) fn cut(&self) {
        self.asked.store(0, Ordering::SeqCst);
    }

    pub(crate) fn hearing(&self) -> Hearing {
        let Some(begun) = self.begun.get() else {
            return Hearing::Itself;
        };
        let asked = self.asked.load(Ordering::SeqCst);
        if asked > 0 && begun.elapsed() < Duration::from_millis(asked) + SURE {
            Hearing::Others
        } else {
            Hearing::Cut
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_read_strictly() {
        let id = Uuid::from_u128(7);
        let told = |kind: &str| Changed::told(&format!("{kind} {id}"));
        assert_eq!(told("session"), Some(Changed::Session(SessionId(id))));
        assert_eq!(told("account"), Some(Changed::Account(AccountId(id))));
        assert_eq!(told("company"), Some(Changed::Company(CompanyId(id))));
        assert_eq!(told("application"), Some(Changed::Application(ApplicationId(id))));
        for other in ["", "session", "session x", "trial 7"] {
            assert_eq!(Changed::told(other), None, "{other}");
        }
        assert_eq!(told("everything"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_is_sure_for_less_than_a_second() {
        let watch = Watch::default();
        assert_eq!(watch.hearing(), Hearing::Itself);
        watch.begin();
        assert_eq!(watch.hearing(), Hearing::Cut);
        let asked = Instant::now();
        tokio::time::advance(SURE / 2).await;
        watch.sure_since(asked);
        assert_eq!(watch.hearing(), Hearing::Others);
        tokio::time::advance(SURE / 2 + Duration::from_millis(1)).await;
        assert_eq!(watch.hearing(), Hearing::Cut, "it counts from the question");
        watch.sure_since(Instant::now());
        assert_eq!(watch.hearing(), Hearing::Others);
        watch.cut();
        assert_eq!(watch.hearing(), Hearing::Cut);
    }
}
