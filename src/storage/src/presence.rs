//! Whether PostgreSQL is there at all. sqlx tries to connect again and again until the wait for a connection is over;
//! while the server is away nobody should wait, and when it is back nobody should have to try twice.

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use sqlx::{Connection, PgConnection, PgPool, Postgres, pool::PoolConnection, postgres::PgConnectOptions};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

use crate::{Cause, StoreError, error::seems_gone};

/// Pause between two questions.
const AGAIN: Duration = Duration::from_millis(250);

/// How long all connections are doubtful after one was found broken.
const DOUBT_MILLISECONDS: u64 = 10_000;

/// What is known about the server.
pub(crate) struct Presence {
    connect: Arc<PgConnectOptions>,
    /// After how long it is asked whether the server is there, again and again: a twelfth of the wait.
    grace: Duration,
    /// How long the server may take to answer that question: just under a quarter of the wait.
    answer: Duration,
    /// Why it is away; `None` = it is there, as far as anybody knows.
    away: watch::Sender<Option<Cause>>,
    /// Whether somebody is asking: one at a time.
    asking: AtomicBool,
    started: Instant,
    /// Milliseconds after `started` at which it last did something for us.
    seen: AtomicU64,
    /// The same for when a connection was last found broken; 0 = never.
    broke: AtomicU64,
}

/// What an attempt to connect says.
enum Verdict {
    Here,
    Away(Cause),
    /// No answer in time, which may be our own machine's fault.
    Silent,
}

impl Presence {
    /// Of the server at this address, for a pool whose connections are waited for so long.
    pub(crate) fn new(connect: Arc<PgConnectOptions>, wait: Duration) -> Arc<Self> {
        Arc::new(Self {
            connect,
            grace: wait / 12,
            answer: (wait * 7 / 30).max(Duration::from_millis(500)),
            away: watch::Sender::new(None),
            asking: AtomicBool::new(false),
            started: Instant::now(),
            seen: AtomicU64::new(0),
            broke: AtomicU64::new(0),
        })
    }

    /// A connection of the pool, or at once an error while the server is away.
    pub(crate) async fn acquire(
        self: &Arc<Self>,
        pool: &PgPool,
    ) -> Result<PoolConnection<Postgres>, StoreError> {
        let mut away = self.away.subscribe();
        let known = away.borrow_and_update().clone();
        if let Some(cause) = known {
            return Err(StoreError::Unavailable(cause));
        }
        let acquired = self.patiently(pool.acquire(), &mut away).await?;
        match acquired {
            Ok(connection) => {
                self.saw();
                Ok(connection)
            }
            Err(error) => {
                if seems_gone(&error) {
                    self.broke();
                }
                Err(error.into())
            }
        }
    }

    /// Runs a statement until it is done or the server is away.
    pub(crate) async fn attend<T>(
        self: &Arc<Self>,
        run: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, sqlx::Error> {
        let gone = || sqlx::Error::Io(std::io::ErrorKind::TimedOut.into());
        let mut away = self.away.subscribe();
        if away.borrow_and_update().is_some() {
            return Err(gone());
        }
        let done = self.patiently(run, &mut away).await.map_err(|_| gone())?;
        match &done {
            Err(error) if seems_gone(error) => self.broke(),
            _ => self.saw(),
        }
        done
    }

    /// Waits for `run`; every now and then it asks whether the server is there, and stops waiting when it is not.
    async fn patiently<T>(
        self: &Arc<Self>,
        run: impl Future<Output = T>,
        away: &mut watch::Receiver<Option<Cause>>,
    ) -> Result<T, StoreError> {
        let mut run = pin!(run);
        let mut doubt = pin!(sleep(self.grace));
        loop {
            tokio::select! {
                biased;
                done = &mut run => return Ok(done),
                () = &mut doubt => {
                    self.suspect();
                    doubt.as_mut().reset(Instant::now() + self.grace);
                }
                changed = away.changed() => {
                    let cause = away.borrow_and_update().clone();
                    match (changed, cause) {
                        (Ok(()), None) => {}
                        (_, cause) => {
                            let cause = cause.unwrap_or_else(|| Cause::new("the connections are closed"));
                            return Err(StoreError::Unavailable(cause));
                        }
                    }
                }
            }
        }
    }

    /// Milliseconds since the start, at least 1.
    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis())
            .unwrap_or(u64::MAX)
            .max(1)
    }

    fn saw(&self) {
        self.seen.fetch_max(self.now(), Ordering::Relaxed);
    }

    fn broke(self: &Arc<Self>) {
        self.broke.fetch_max(self.now(), Ordering::Relaxed);
        self.suspect();
    }

    /// Whether a connection was found broken a moment ago: then the others are doubtful too.
    pub(crate) fn is_doubtful(&self) -> bool {
        let broke = self.broke.load(Ordering::Relaxed);
        broke > 0 && self.now() < broke + DOUBT_MILLISECONDS
    }

    /// Asks whether the server is there, unless somebody is asking already. While it is away it is asked again and
    /// again, so that it is known when it is back.
    fn suspect(self: &Arc<Self>) {
        if !self.asking.swap(true, Ordering::AcqRel) {
            tokio::spawn(ask(Arc::downgrade(self)));
        }
    }

    /// Whether the server has answered about then, or since.
    fn was_seen(&self, asked: Duration) -> bool {
        Duration::from_millis(self.seen.load(Ordering::Relaxed)) + self.grace >= asked
    }

    /// What one attempt to connect says.
    async fn verdict(&self) -> Verdict {
        let asked = self.started.elapsed();
        match timeout(self.answer, PgConnection::connect_with(&self.connect)).await {
            Ok(Ok(connection)) => {
                // It was only a question.
                let _ = timeout(self.answer, connection.close()).await;
                Verdict::Here
            }
            // While its connections are answered, a new one that fails is no proof: names and ports may run out here.
            Ok(Err(_)) | Err(_) if self.was_seen(asked) => Verdict::Here,
            Ok(Err(error)) if seems_gone(&error) => match StoreError::from(error) {
                StoreError::Unavailable(cause) | StoreError::Other(cause) => Verdict::Away(cause),
                _ => Verdict::Here,
            },
            // It answers, though it lets nobody in: the pool's own connections may still be good.
            Ok(Err(_)) => Verdict::Here,
            Err(_) => Verdict::Silent,
        }
    }
}

/// Asks until the server is there. Ends with the store.
async fn ask(presence: Weak<Presence>) {
    while let Some(asking) = presence.upgrade() {
        let (cause, known) = match asking.verdict().await {
            Verdict::Here => {
                if asking.away.send_replace(None).is_some() {
                    tracing::info!("the database is back");
                }
                // Many who wait must not become many questions.
                sleep(AGAIN).await;
                asking.asking.store(false, Ordering::Release);
                return;
            }
            Verdict::Away(cause) => (cause, asking.away.borrow().is_some()),
            Verdict::Silent => (Cause::new("it does not answer"), asking.away.borrow().is_some()),
        };
        if !known {
            tracing::warn!(%cause, "the database is away");
            asking.away.send_replace(Some(cause));
        }
        drop(asking);
        sleep(AGAIN).await;
    }
}
