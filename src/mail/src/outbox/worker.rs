//! Takes mails out of the outbox and sends them.

use std::{future::Future, sync::Arc, time::Duration};

use futures::future::join_all;
use tokio::{
    sync::Notify,
    task::{JoinError, JoinSet},
    time::{MissedTickBehavior, interval, sleep},
};
use vestibule_core::{
    id::MailId,
    mail::Mail,
    ports::{Clock, Moment, Randomness},
};

use super::rules::{Attempt, Decision, Next, Problem};
use crate::{
    compose::compose,
    envelope::{Envelope, Sender},
    transport::{Reason, Transport},
};

/// Mails on their way at once.
pub const PARALLEL: usize = 8;
/// How long a claim must hold, in seconds: longer than a conversation with a mail server and the note of its outcome
/// take together.
pub const CLAIM_SECONDS: i64 = 60;
/// How long the outbox is left alone when nobody says that a mail was put into it.
const TICK: Duration = Duration::from_secs(1);
/// Times an outcome is noted when the database does not take it at once.
const NOTE_TRIES: u32 = 3;

/// A mail that this worker, and nobody else until the claim ends, may send.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// Its identifier.
    pub id: MailId,
    /// The receiver's address.
    pub receiver: String,
    /// Language tag.
    pub language: String,
    /// What it says.
    pub mail: Mail,
    /// When it stops being of use.
    pub expires_at: Option<Moment>,
    /// Tries that failed before this one.
    pub tries: i64,
    /// When it was put into the outbox.
    pub created_at: Moment,
}

/// The outbox as the worker sees it.
pub trait Queue: Send + Sync {
    /// What can go wrong in the database.
    type Error: std::fmt::Display + Send;

    /// Takes up to `most` mails that are due, the urgent ones first, for [`CLAIM_SECONDS`]. A mail that cannot be
    /// decrypted must not be returned; it is for the implementation to give it up.
    fn claim(
        &self,
        now: Moment,
        most: usize,
    ) -> impl Future<Output = Result<Vec<Claimed>, Self::Error>> + Send;

    /// The mail was taken by a mail server.
    fn sent(&self, id: MailId, now: Moment) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// The mail was not taken and is due again at `due_at`; this counts one more failed try.
    fn retry(
        &self,
        id: MailId,
        due_at: Moment,
        problem: Reason,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// The mail is never sent any more.
    fn given_up(
        &self,
        id: MailId,
        now: Moment,
        problem: Problem,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// Empties the outbox.
pub struct Worker {
    transport: Transport,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    from: Sender,
}

impl Worker {
    /// A worker that sends everything through one transport, in the name of `from`.
    pub fn new(
        transport: Transport,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
        from: Sender,
    ) -> Self {
        Self {
            transport,
            clock,
            randomness,
            from,
        }
    }

    /// Sends the mails that are due, up to [`PARALLEL`] at once, and returns how many it took care of; 0 when there
    /// were none or the database did not answer.
    pub async fn run_once<Q: Queue>(&self, queue: &Q) -> usize {
        match queue.claim(self.clock.now(), PARALLEL).await {
            Ok(claimed) => join_all(claimed.into_iter().map(|mail| self.handle(queue, mail)))
                .await
                .len(),
            Err(error) => {
                tracing::warn!(%error, "the outbox cannot be read");
                0
            }
        }
    }

    /// Sends mails until `shutdown`: at once when notified, and looks every second by itself, for mails whose time has
    /// come and those that other nodes left behind. A mail that is slow to go holds up no other but the one
    /// in its place. After `shutdown` it finishes the mails that are on their way, which takes no longer than one
    /// conversation with a mail server.
    pub async fn run<Q: Queue + 'static>(
        self: Arc<Self>,
        queue: Arc<Q>,
        notify: Arc<Notify>,
        shutdown: impl Future<Output = ()> + Send,
    ) {
        let mut shutdown = std::pin::pin!(shutdown);
        let mut on_the_way = JoinSet::new();
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut look = true;
        let mut readable = true;
        loop {
            let free = PARALLEL.saturating_sub(on_the_way.len());
            if look && free > 0 {
                match queue.claim(self.clock.now(), free).await {
                    Ok(claimed) => {
                        readable = true;
                        // A full answer means that there may be more as soon as a place is free.
                        look = claimed.len() >= free;
                        for mail in claimed {
                            let (worker, queue) = (Arc::clone(&self), Arc::clone(&queue));
                            on_the_way.spawn(async move { worker.handle(&*queue, mail).await });
                        }
                    }
                    Err(error) => {
                        // Said once, not every second.
                        if readable {
                            tracing::warn!(%error, "the outbox cannot be read");
                        }
                        readable = false;
                        look = false;
                    }
                }
            }
            tokio::select! {
                () = &mut shutdown => break,
                () = notify.notified() => look = true,
                _ = tick.tick() => {
                    look = true;
                    self.transport.tidy();
                }
                Some(done) = on_the_way.join_next() => report(done),
            }
        }
        while let Some(done) = on_the_way.join_next().await {
            report(done);
        }
        self.transport.close().await;
    }

    /// Sends one mail, or finds that it must not be sent, and notes the outcome.
    async fn handle<Q: Queue>(&self, queue: &Q, mail: Claimed) {
        let id = mail.id;
        let attempt = Attempt {
            created_at: mail.created_at,
            expires_at: mail.expires_at,
            tries: mail.tries,
        };
        let now = self.clock.now();
        let problem = match attempt.decide(now) {
            Decision::Expired => Problem::Expired,
            Decision::GiveUp => Problem::TriesUsedUp,
            Decision::Send => {
                let envelope = Envelope {
                    from: self.from.clone(),
                    message: compose(&mail.mail, &mail.language),
                    to: mail.receiver,
                    message_id: id,
                    at: mail.created_at,
                };
                let outcome = self.transport.send(&envelope).await;
                let now = self.clock.now();
                match outcome {
                    Ok(()) => {
                        tracing::info!(mail = %id, kind = mail.mail.kind(), "mail sent");
                        return note(id, || queue.sent(id, now)).await;
                    }
                    Err(error) => match attempt.after(error, now, self.random()) {
                        Next::Retry(due) => return note(id, || queue.retry(id, due, error.reason())).await,
                        Next::GiveUp => Problem::NotTaken(error.reason()),
                    },
                }
            }
        };
        tracing::warn!(mail = %id, kind = mail.mail.kind(), %problem, "mail given up");
        note(id, || queue.given_up(id, self.clock.now(), problem)).await;
    }

    fn random(&self) -> u64 {
        let mut bytes = [0; 8];
        self.randomness.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}

/// Notes an outcome. When the database takes it at none of the tries, the claim ends some day and the mail is sent once
/// more (attacks.md T169).
async fn note<F, E>(id: MailId, outcome: impl Fn() -> F)
where
    F: Future<Output = Result<(), E>>,
    E: std::fmt::Display,
{
    for tries_left in (0..NOTE_TRIES).rev() {
        match outcome().await {
            Ok(()) => return,
            Err(error) => {
                tracing::error!(mail = %id, %error, tries_left, "the outcome of a mail was not noted");
            }
        }
        if tries_left > 0 {
            sleep(TICK).await;
        }
    }
}

fn report(done: Result<(), JoinError>) {
    if let Err(error) = done {
        // What a panic said is in the log already, written by the panic hook; it may quote anything, so not here.
        tracing::error!(panicked = error.is_panic(), "sending a mail ended early");
    }
}
