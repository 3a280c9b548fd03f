//! Takes mails out of the outbox and sends them.

use std::{
    collections::{HashMap, HashSet},
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::future::join_all;
use tokio::{
    sync::Notify,
    task::{Id, JoinError, JoinSet},
    time::{MissedTickBehavior, interval, sleep},
};
use vestibule_core::{
    id::MailId,
    mail::Mail,
    ports::{Clock, Moment, Randomness},
};

use super::{
    own_server::{Lane, OwnServers, Route},
    rules::{Attempt, Decision, Next, Problem},
};
use crate::{
    compose::compose,
    envelope::{Envelope, Sender},
    smtp::SmtpTransport,
    transport::{Reason, SendError, Transport, Try},
};

/// Mails on their way through the installation's server at once.
pub const PARALLEL: usize = 8;
/// Mails on their way through one company's own server at once.
pub const PARALLEL_OF_COMPANY: usize = 2;
/// Mails on their way through all companies' own servers at once.
pub const COMPANY_PLACES: usize = 64;
/// How long a claim must hold, in seconds: longer than two conversations with mail servers and the note of their outcome
/// take together.
pub const CLAIM_SECONDS: i64 = 60;
/// How long the outbox is left alone when nobody says that a mail was put into it.
const TICK: Duration = Duration::from_secs(1);
/// Times an outcome is noted when the database does not take it at once.
const NOTE_TRIES: u32 = 3;

/// A mail that whoever claimed it, and nobody else until the claim ends, may send.
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
    /// The way it takes.
    pub route: Route,
}

impl Claimed {
    /// Whether it only shows how the company's own server answers: it is tried once, and nothing else will do.
    const fn is_test(&self) -> bool {
        matches!(self.mail, Mail::TestMail { .. })
    }

    /// The mail as it goes out in somebody's name.
    fn envelope(&self, from: &Sender, reply_to: Option<&Sender>) -> Envelope {
        Envelope {
            from: from.clone(),
            reply_to: reply_to.cloned(),
            message: compose(&self.mail, &self.language, self.created_at),
            to: self.receiver.clone(),
            message_id: self.id,
            at: self.created_at,
        }
    }

    /// Sends it through the company's own server that its route names, on a connection of its own that is closed
    /// afterwards: no other mail goes that way, so a server can be tried before it is saved. It ends in time (N27).
    pub async fn send_alone(&self) -> Try {
        let Route::Own(server) = &self.route else {
            return Try::not_begun(SendError::Temporary(Reason::Other));
        };
        let way = SmtpTransport::new(server.settings.clone());
        let envelope = self.envelope(&server.sender, server.reply_to.as_ref());
        let tried = way.send(&envelope).await;
        way.close().await;
        tried
    }
}

/// The outbox as the worker sees it.
pub trait Queue: Send + Sync {
    /// What can go wrong in the database.
    type Error: std::fmt::Display + Send;

    /// The lanes that have mails which are due.
    fn lanes(&self, now: Moment) -> impl Future<Output = Result<Vec<Lane>, Self::Error>> + Send;

    /// Takes up to `most` mails of a lane that are due, the urgent ones first, for [`CLAIM_SECONDS`]. A mail that cannot
    /// be decrypted must not be returned; it is for the implementation to give it up.
    fn claim(
        &self,
        lane: Lane,
        now: Moment,
        most: usize,
    ) -> impl Future<Output = Result<Vec<Claimed>, Self::Error>> + Send;

    /// The mail was taken by a mail server. `answer`: what the server said, for a test mail.
    fn sent(
        &self,
        id: MailId,
        now: Moment,
        answer: Option<&str>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// The mail was not taken and is due again at `due_at`; this counts one more failed try.
    fn retry(
        &self,
        id: MailId,
        due_at: Moment,
        problem: Reason,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// The mail is never sent any more. `answer`: what the server said, for a test mail.
    fn given_up(
        &self,
        id: MailId,
        now: Moment,
        problem: Problem,
        answer: Option<&str>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// What became of mails since the start of the process.
#[derive(Debug, Default)]
pub struct Counters {
    taken: AtomicU64,
    put_off: AtomicU64,
    given_up: AtomicU64,
}

impl Counters {
    /// Mails that a mail server took.
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Tries that failed and are followed by another.
    pub fn put_off(&self) -> u64 {
        self.put_off.load(Ordering::Relaxed)
    }

    /// Mails that were given up.
    pub fn given_up(&self) -> u64 {
        self.given_up.load(Ordering::Relaxed)
    }
}

/// Empties the outbox.
pub struct Worker {
    transport: Transport,
    own_servers: OwnServers,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    from: Sender,
    counters: Arc<Counters>,
}

/// The mails on their way, by lane.
#[derive(Default)]
struct OnTheWay {
    tasks: JoinSet<()>,
    lanes: HashMap<Id, Lane>,
    /// Lanes that may have more mails than they had places: looked at again when a place is free.
    waiting: HashSet<Lane>,
}

impl OnTheWay {
    fn places(&self, lane: Lane) -> usize {
        let taken = self.lanes.values().filter(|taken| **taken == lane).count();
        match lane {
            Lane::Installation => PARALLEL.saturating_sub(taken),
            Lane::Company(_) => {
                let others = |lane: &&Lane| matches!(lane, Lane::Company(_));
                let all = self.lanes.values().filter(others).count();
                PARALLEL_OF_COMPANY
                    .saturating_sub(taken)
                    .min(COMPANY_PLACES.saturating_sub(all))
            }
        }
    }

    /// Whether it is time to fill the places that mails of this lane had: somebody waits for them, and half of them are
    /// free, so that one claim serves several mails. Fewer are filled at the next second, or when a mail is put into the
    /// outbox.
    fn is_time(&self, lane: Lane) -> bool {
        let all = match lane {
            Lane::Installation => PARALLEL,
            Lane::Company(_) => PARALLEL_OF_COMPANY,
        };
        self.places(lane) * 2 >= all && self.waiting.iter().any(|waiting| shares(*waiting, lane))
    }

    /// The lanes that wait for such a place.
    fn take_waiting(&mut self, lane: Lane) -> Vec<Lane> {
        self.waiting
            .extract_if(|waiting| shares(*waiting, lane))
            .collect()
    }

    /// The end of a task; gives its lane. What a panic said is in the log already, written by the panic hook; it may
    /// quote anything, so not here.
    fn ended(&mut self, done: Result<(Id, ()), JoinError>) -> Option<Lane> {
        let id = match done {
            Ok((id, ())) => id,
            Err(error) => {
                tracing::error!(panicked = error.is_panic(), "sending a mail ended early");
                error.id()
            }
        };
        self.lanes.remove(&id)
    }
}

/// Whether a place of one lane can become one of the other: companies' servers have a number of places together.
const fn shares(one: Lane, other: Lane) -> bool {
    matches!(
        (one, other),
        (Lane::Installation, Lane::Installation) | (Lane::Company(_), Lane::Company(_))
    )
}

impl Worker {
    /// A worker that sends through `transport` in the name of `from`, and mails of companies with servers of their own
    /// through those.
    pub fn new(
        transport: Transport,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
        from: Sender,
    ) -> Self {
        Self {
            transport,
            own_servers: OwnServers::default(),
            clock,
            randomness,
            from,
            counters: Arc::default(),
        }
    }

    /// What became of the mails so far.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// Sends the mails that are due, as many at once as each lane has places, and returns how many it took care of; 0
    /// when there were none or the database did not answer.
    pub async fn run_once<Q: Queue>(&self, queue: &Q) -> usize {
        let now = self.clock.now();
        let claimed = async {
            let mut all = Vec::new();
            for lane in queue.lanes(now).await? {
                all.extend(queue.claim(lane, now, OnTheWay::default().places(lane)).await?);
            }
            Ok::<_, Q::Error>(all)
        };
        match claimed.await {
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
    /// in its place, and no lane holds up another. After `shutdown` it finishes the mails that are on their way, which
    /// takes no longer than a conversation with two mail servers.
    pub async fn run<Q: Queue + 'static>(
        self: Arc<Self>,
        queue: Arc<Q>,
        notify: Arc<Notify>,
        shutdown: impl Future<Output = ()> + Send,
    ) {
        let mut shutdown = std::pin::pin!(shutdown);
        let mut on_the_way = OnTheWay::default();
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut readable = true;
        loop {
            let freed = tokio::select! {
                () = &mut shutdown => break,
                () = notify.notified() => None,
                _ = tick.tick() => {
                    self.transport.sweep();
                    self.own_servers.sweep();
                    None
                }
                Some(done) = on_the_way.tasks.join_next_with_id() => {
                    let lane = on_the_way.ended(done);
                    // Most mails that end leave nobody waiting for their place.
                    if !lane.is_some_and(|lane| on_the_way.is_time(lane)) {
                        continue;
                    }
                    lane
                }
            };
            match self.look(&queue, &mut on_the_way, freed).await {
                Ok(()) => readable = true,
                // Said once, not every second.
                Err(error) if readable => {
                    readable = false;
                    tracing::warn!(%error, "the outbox cannot be read");
                }
                Err(_) => {}
            }
        }
        while let Some(done) = on_the_way.tasks.join_next_with_id().await {
            on_the_way.ended(done);
        }
        self.transport.close().await;
        self.own_servers.close().await;
    }

    /// Sets out with the mails that there are places for: of all lanes, or of those that waited for the place that was
    /// `freed`.
    async fn look<Q: Queue + 'static>(
        self: &Arc<Self>,
        queue: &Arc<Q>,
        on_the_way: &mut OnTheWay,
        freed: Option<Lane>,
    ) -> Result<(), Q::Error> {
        let now = self.clock.now();
        let lanes = if let Some(lane) = freed {
            on_the_way.take_waiting(lane)
        } else {
            on_the_way.waiting.clear();
            queue.lanes(now).await?
        };
        for lane in lanes {
            let free = on_the_way.places(lane);
            let claimed = if free > 0 {
                queue.claim(lane, now, free).await?
            } else {
                Vec::new()
            };
            // A full answer means that there may be more as soon as a place is free.
            if claimed.len() >= free {
                on_the_way.waiting.insert(lane);
            }
            for mail in claimed {
                let (worker, queue) = (Arc::clone(self), Arc::clone(queue));
                let task = on_the_way
                    .tasks
                    .spawn(async move { worker.handle(&*queue, mail).await });
                on_the_way.lanes.insert(task.id(), lane);
            }
        }
        Ok(())
    }

    /// Sends one mail, or finds that it must not be sent, and notes the outcome.
    async fn handle<Q: Queue>(&self, queue: &Q, mail: Claimed) {
        let id = mail.id;
        let attempt = Attempt {
            created_at: mail.created_at,
            expires_at: mail.expires_at,
            tries: mail.tries,
        };
        let mut answer = None;
        let problem = match attempt.decide(self.clock.now()) {
            Decision::Expired => Problem::Expired,
            Decision::GiveUp => Problem::TriesUsedUp,
            // Whoever asked for it looks at what the first try brought.
            Decision::Send if mail.is_test() && mail.tries > 0 => Problem::TriesUsedUp,
            Decision::Send => {
                let Try { result, said } = self.deliver(&mail).await;
                answer = mail.is_test().then_some(said);
                let now = self.clock.now();
                match result {
                    Ok(()) => {
                        tracing::info!(mail = %id, kind = mail.mail.kind(), "mail sent");
                        self.counters.taken.fetch_add(1, Ordering::Relaxed);
                        return note(id, || queue.sent(id, now, answer.as_deref())).await;
                    }
                    Err(error) if mail.is_test() => Problem::NotTaken(error.reason()),
                    Err(error) => match attempt.after(error, now, self.random()) {
                        Next::Retry(due) => {
                            self.counters.put_off.fetch_add(1, Ordering::Relaxed);
                            return note(id, || queue.retry(id, due, error.reason())).await;
                        }
                        Next::GiveUp => Problem::NotTaken(error.reason()),
                    },
                }
            }
        };
        tracing::warn!(mail = %id, kind = mail.mail.kind(), %problem, "mail given up");
        self.counters.given_up.fetch_add(1, Ordering::Relaxed);
        note(id, || {
            queue.given_up(id, self.clock.now(), problem, answer.as_deref())
        })
        .await;
    }

    /// Sends one mail the way it has to take. When the company's own server fails and the company says so, it goes
    /// through the installation's in the same try; a server that refuses the mail itself for good has the last word.
    async fn deliver(&self, mail: &Claimed) -> Try {
        match &mail.route {
            Route::Installation | Route::Unusable { fall_back: true } if !mail.is_test() => {
                self.transport.send(&mail.envelope(&self.from, None)).await
            }
            Route::Installation | Route::Unusable { .. } => {
                Try::not_begun(SendError::Temporary(Reason::Other))
            }
            Route::Own(server) => {
                let reply_to = server.reply_to.as_ref();
                let way = self.own_servers.way(server);
                let tried = way.send(&mail.envelope(&server.sender, reply_to)).await;
                let another_way = matches!(
                    tried.result,
                    Err(SendError::Temporary(_) | SendError::Permanent(Reason::Forbidden))
                );
                if server.fall_back && another_way && !mail.is_test() {
                    return self.transport.send(&mail.envelope(&self.from, reply_to)).await;
                }
                tried
            }
        }
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
