//! What other nodes change, heard on a connection of its own. PostgreSQL tells it (`0026_changes_told.sql`) as soon as it is
//! final; a question several times a second proves that the line still is there.

use std::{convert::Infallible, time::Duration};

use sqlx::{
    Executor as _, PgPool, Postgres,
    pool::PoolOptions,
    postgres::{PgConnectOptions, PgListener, PgNotification},
};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::{Cause, Changed, StoreError, watch::Watch};

const CHANNEL: &str = "vestibule_changed";
/// By what the server's list of connections shows this one.
const NAME: &str = "vestibule-listener";
/// Kind of what is told only to see whether it arrives.
const TRIAL: &str = "trial";
const NUMBER: &str = "SELECT md5(CAST(random() AS TEXT) || CAST(clock_timestamp() AS TEXT))";
const TELL: &str = "SELECT pg_notify($1, $2)";
const QUESTION: &str = "SELECT 1";
/// How often is asked whether the line is there.
const ASK_EVERY: Duration = Duration::from_millis(250);
/// How long the answer, or what is told as a trial, may take; the line is cut then.
const ANSWER: Duration = Duration::from_secs(5);
/// Pause before another line.
const AGAIN: Duration = Duration::from_millis(500);

/// Why a line has ended.
enum Ended {
    /// The connection is lost, or could not be made.
    Lost(StoreError),
    /// It is there, and what is told does not arrive on it.
    Deaf,
}

impl From<sqlx::Error> for Ended {
    fn from(error: sqlx::Error) -> Self {
        Self::Lost(error.into())
    }
}

impl Ended {
    fn silent() -> Self {
        Self::Lost(StoreError::Unavailable(Cause::new("it does not answer")))
    }
}

/// Listens for ever; one line after the other. `pool` tells the trials.
pub(crate) async fn hear(watch: &Watch, connect: &PgConnectOptions, pool: &PgPool) {
    watch.begin();
    let mut is_known = false;
    loop {
        let line = Line { watch, pool };
        let mut heard = false;
        let Err(ended) = line.hear(connect, &mut heard).await;
        watch.cut();
        // Said once for as long as it lasts.
        if heard || !is_known {
            match ended {
                Ended::Lost(error) => tracing::warn!(
                    %error, "what other nodes change is not heard: the database is asked every time"
                ),
                Ended::Deaf => tracing::warn!(
                    "notifications of PostgreSQL do not arrive: the database is asked every time; a pooler in between needs \
                     pool_mode = session"
                ),
            }
        }
        is_known = true;
        sleep(AGAIN).await;
    }
}

struct Line<'a> {
    watch: &'a Watch,
    pool: &'a PgPool,
}

impl Line<'_> {
    /// Listens until the line ends; notes whether it was one.
    async fn hear(&self, connect: &PgConnectOptions, heard: &mut bool) -> Result<Infallible, Ended> {
        let own = PoolOptions::<Postgres>::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(ANSWER)
            .connect_with(connect.clone().application_name(NAME))
            .await?;
        let mut line = PgListener::connect_with(&own).await?;
        line.eager_reconnect(false);
        let asked = Instant::now();
        timeout(2 * ANSWER, self.try_out(&mut line))
            .await
            .map_err(|_| Ended::silent())??;
        // Who remembers something from before it was listened to, or from a line before, forgets it.
        self.watch.tell(&[Changed::Everything]);
        self.watch.sure_since(asked);
        *heard = true;
        tracing::debug!("what other nodes change is heard");
        let mut next = Instant::now() + ASK_EVERY;
        loop {
            // However much is told, it is asked in time.
            if Instant::now() < next {
                if let Ok(told) = timeout_at(next, line.try_recv()).await {
                    let told = told?.ok_or_else(Ended::silent)?;
                    self.pass_on(&mut line, Some(told));
                }
                continue;
            }
            let asked = Instant::now();
            timeout(ANSWER, line.execute(QUESTION))
                .await
                .map_err(|_| Ended::silent())??;
            self.pass_on(&mut line, None);
            self.watch.sure_since(asked);
            next = asked + ASK_EVERY;
        }
    }

    /// Begins to listen, and sees whether what others tell arrives: a pooler that shares its connections takes the order and
    /// passes nothing on.
    async fn try_out(&self, line: &mut PgListener) -> Result<(), Ended> {
        line.listen(CHANNEL).await?;
        let (number,): (String,) = sqlx::query_as(NUMBER).fetch_one(&mut *line).await?;
        let trial = format!("{TRIAL} {number}");
        sqlx::query(TELL)
            .bind(CHANNEL)
            .bind(&trial)
            .execute(self.pool)
            .await?;
        let arrives = async {
            while let Some(told) = line.try_recv().await? {
                if told.payload() == trial {
                    return Ok(());
                }
            }
            Err(Ended::silent())
        };
        timeout(ANSWER, arrives).await.map_err(|_| Ended::Deaf)?
    }

    /// Tells of everything that has arrived.
    fn pass_on(&self, line: &mut PgListener, first: Option<PgNotification>) {
        let mut told = first.or_else(|| line.next_buffered());
        let mut changed = Vec::new();
        while let Some(one) = told {
            changed.extend(Changed::told(one.payload()));
            told = line.next_buffered();
        }
        self.watch.tell(&changed);
    }
}
