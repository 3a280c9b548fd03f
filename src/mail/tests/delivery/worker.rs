//! The worker with an outbox in memory.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::TimeDelta;
use tokio::{
    sync::{Notify, oneshot, watch},
    time::Instant,
};
use uuid::Uuid;
use vestibule_core::{
    id::MailId,
    mail::{Mail, TimeStyle},
    ports::{Clock, ManualClock, Moment, SeededRandomness},
};
use vestibule_mail::{
    Mailbox, Reason, Sender, SmtpSettings, SmtpTransport, Transport,
    outbox::{Claimed, Lane, Problem, Queue, Route, Worker},
};

use crate::server::{Mischief, Server, Stage};

/// What became of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    Sent,
    Retry(Moment, Reason),
    GivenUp(Problem),
}

#[derive(Default)]
pub struct Rows {
    waiting: Vec<Claimed>,
    pub fates: Vec<(u128, Fate)>,
    answers: Vec<String>,
    claims: usize,
    /// Calls that fail before one is answered.
    failures: usize,
}

/// An outbox in memory.
pub struct Memory(watch::Sender<Rows>);

impl Memory {
    pub fn new(waiting: Vec<Claimed>) -> Arc<Self> {
        Arc::new(Self(watch::Sender::new(Rows {
            waiting,
            ..Rows::default()
        })))
    }

    fn call<T>(&self, change: impl FnOnce(&mut Rows) -> T) -> Result<T, &'static str> {
        let mut answer = Err("the database is away");
        self.0.send_modify(|rows| {
            if rows.failures > 0 {
                rows.failures -= 1;
            } else {
                answer = Ok(change(rows));
            }
        });
        answer
    }

    fn fail(&self, times: usize) {
        self.0.send_modify(|rows| rows.failures = times);
    }

    pub fn add(&self, mail: Claimed) {
        self.0.send_modify(|rows| rows.waiting.push(mail));
    }

    pub fn fates(&self) -> Vec<(u128, Fate)> {
        self.0.borrow().fates.clone()
    }

    fn answer(&self, answer: Option<&str>) {
        let kept = answer.map(str::to_owned);
        self.0.send_modify(|rows| rows.answers.extend(kept));
    }

    pub fn answers(&self) -> Vec<String> {
        self.0.borrow().answers.clone()
    }

    fn fate(&self, id: MailId, fate: Fate) -> Result<(), &'static str> {
        self.call(|rows| rows.fates.push((id.0.as_u128(), fate)))
    }

    pub async fn wait_for(&self, condition: impl FnMut(&Rows) -> bool) {
        drop(self.0.subscribe().wait_for(condition).await.unwrap());
    }
}

fn lane_of(mail: &Claimed) -> Lane {
    match &mail.route {
        Route::Own(server) => Lane::Company(server.company),
        Route::Installation | Route::Unusable { .. } => Lane::Installation,
    }
}

impl Queue for Memory {
    type Error = &'static str;

    async fn lanes(&self, _: Moment) -> Result<Vec<Lane>, Self::Error> {
        self.call(|rows| {
            rows.claims += 1;
            let lanes: HashSet<Lane> = rows.waiting.iter().map(lane_of).collect();
            lanes.into_iter().collect()
        })
    }

    async fn claim(&self, lane: Lane, _: Moment, most: usize) -> Result<Vec<Claimed>, Self::Error> {
        self.call(|rows| {
            let mut left = most;
            let taken = |mail: &mut Claimed| {
                let mine = left > 0 && lane_of(mail) == lane;
                left -= usize::from(mine);
                mine
            };
            rows.waiting.extract_if(.., taken).collect()
        })
    }

    async fn sent(&self, id: MailId, _: Moment, answer: Option<&str>) -> Result<(), Self::Error> {
        self.answer(answer);
        self.fate(id, Fate::Sent)
    }

    async fn retry(&self, id: MailId, due_at: Moment, problem: Reason) -> Result<(), Self::Error> {
        self.fate(id, Fate::Retry(due_at, problem))
    }

    async fn given_up(
        &self,
        id: MailId,
        _: Moment,
        problem: Problem,
        answer: Option<&str>,
    ) -> Result<(), Self::Error> {
        self.answer(answer);
        self.fate(id, Fate::GivenUp(problem))
    }
}

fn now() -> Moment {
    Moment::UNIX_EPOCH + TimeDelta::days(20_000)
}

/// A code mail written now that ends in ten minutes.
pub fn code(number: u128, receiver: &str) -> Claimed {
    let mail = Mail::SignInCode {
        name: "Ann".to_owned(),
        company: "Acme".to_owned(),
        code: "042719".to_owned(),
        minutes: 10,
        browser: String::new(),
        address: String::new(),
        times: TimeStyle::default(),
    };
    Claimed {
        id: MailId(Uuid::from_u128(number)),
        receiver: receiver.to_owned(),
        language: "en".to_owned(),
        mail,
        expires_at: Some(now() + TimeDelta::minutes(10)),
        tries: 0,
        created_at: now(),
        route: Route::Installation,
    }
}

pub fn worker(transport: Transport) -> Arc<Worker> {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(now()));
    let from = Sender::parse("Vestibule <no-reply@vestibule.test>").unwrap();
    Arc::new(Worker::new(
        transport,
        clock,
        Arc::new(SeededRandomness::new(1)),
        from,
    ))
}

pub fn smtp(server: &Server) -> Transport {
    let settings = SmtpSettings::parse(&format!("smtp://{}", server.address)).unwrap();
    let patience = Duration::from_mins(1);
    Transport::Smtp(SmtpTransport::new(settings.with_limits(patience, patience)))
}

#[tokio::test]
async fn due_mails_are_sent_and_expired_ones_are_not() {
    let mailbox = Mailbox::new();
    let mut late = code(2, "late@example.org");
    late.expires_at = Some(now());
    let mut worn = code(3, "worn@example.org");
    (worn.tries, worn.expires_at) = (12, None);
    let queue = Memory::new(vec![code(1, "ann@example.org"), late, worn]);
    let worker = worker(Transport::Mailbox(mailbox.clone()));
    assert_eq!(worker.run_once(&*queue).await, 3);
    assert_eq!(worker.run_once(&*queue).await, 0);
    let mut fates = queue.fates();
    fates.sort_by_key(|(number, _)| *number);
    let expected = [
        Fate::Sent,
        Fate::GivenUp(Problem::Expired),
        Fate::GivenUp(Problem::TriesUsedUp),
    ];
    assert_eq!(fates, [1, 2, 3].into_iter().zip(expected).collect::<Vec<_>>());
    let mails = mailbox.mails(None);
    assert_eq!(mails.len(), 1);
    assert_eq!(
        (mails[0].to.as_str(), mails[0].subject.as_str()),
        ("ann@example.org", "042719 is your verification code")
    );
    assert_eq!(mails[0].at, now());
}

#[tokio::test]
async fn a_failed_mail_is_tried_again_until_it_is_given_up() {
    let server = Server::start().await;
    server.misbehave(Stage::Rcpt, Mischief::Answer("451 later".to_owned()));
    let worker = worker(smtp(&server));
    let rejected = Reason::Rejected(451);
    // A code is tried to its end; of other mails the twelfth try is the last.
    for (tries, expires_at, last) in [
        (0, code(1, "").expires_at, false),
        (100, code(1, "").expires_at, false),
        (100, Some(now() + TimeDelta::seconds(40)), true),
        (10, None, false),
        (11, None, true),
    ] {
        let mut mail = code(1, "ann@example.org");
        (mail.tries, mail.expires_at) = (tries, expires_at);
        let queue = Memory::new(vec![mail]);
        worker.run_once(&*queue).await;
        match &queue.fates()[..] {
            [(1, Fate::Retry(due, reason))] if !last => {
                let wait = *due - now();
                assert!(
                    *reason == rejected && wait >= TimeDelta::seconds(4) && wait <= TimeDelta::minutes(30),
                    "{wait}"
                );
            }
            [(1, Fate::GivenUp(Problem::NotTaken(reason)))] if last => assert_eq!(*reason, rejected),
            other => panic!("{tries}: {other:?}"),
        }
    }
    server.misbehave(Stage::Rcpt, Mischief::Answer("550 nobody".to_owned()));
    let queue = Memory::new(vec![code(1, "ann@example.org")]);
    worker.run_once(&*queue).await;
    assert_eq!(
        queue.fates(),
        [(1, Fate::GivenUp(Problem::NotTaken(Reason::Rejected(550))))]
    );
}

#[tokio::test]
async fn a_slow_mail_holds_up_no_other() {
    let server = Server::start().await;
    server.be_slow_for("slow@example.org");
    let mut mails = vec![code(0, "slow@example.org")];
    mails.extend((1..=30).map(|number| code(number, "ann@example.org")));
    let queue = Memory::new(mails);
    let run =
        tokio::spawn(worker(smtp(&server)).run(Arc::clone(&queue), Arc::default(), std::future::pending()));
    queue.wait_for(|rows| rows.fates.len() == 30).await;
    assert!(
        queue
            .fates()
            .iter()
            .all(|(number, fate)| *number != 0 && *fate == Fate::Sent)
    );
    assert!(server.connections() < 30, "connections are used again");
    run.abort();
}

#[tokio::test(start_paused = true)]
async fn a_notified_worker_does_not_wait_for_the_next_second() {
    let queue = Memory::new(Vec::new());
    let notify = Arc::new(Notify::new());
    let worker = worker(Transport::Mailbox(Mailbox::new()));
    let run = tokio::spawn(worker.run(Arc::clone(&queue), Arc::clone(&notify), std::future::pending()));
    queue.wait_for(|rows| rows.claims >= 3).await;
    let asked = Instant::now();
    queue.add(code(1, "ann@example.org"));
    notify.notify_one();
    queue.wait_for(|rows| rows.fates.len() == 1).await;
    assert_eq!(asked.elapsed(), Duration::ZERO);
    queue.add(code(2, "ann@example.org"));
    queue.wait_for(|rows| rows.fates.len() == 2).await;
    assert!(
        asked.elapsed() <= Duration::from_secs(1),
        "it looks by itself every second"
    );
    run.abort();
}

#[tokio::test(start_paused = true)]
async fn a_database_that_is_away_is_asked_again() {
    let queue = Memory::new(vec![code(1, "ann@example.org")]);
    queue.fail(5);
    let mailbox = Mailbox::new();
    let worker = worker(Transport::Mailbox(mailbox.clone()));
    assert_eq!(worker.run_once(&*queue).await, 0);
    let run = tokio::spawn(worker.run(Arc::clone(&queue), Arc::default(), std::future::pending()));
    queue.wait_for(|rows| rows.fates.len() == 1).await;
    assert_eq!(
        (queue.fates(), mailbox.mails(None).len()),
        (vec![(1, Fate::Sent)], 1)
    );
    run.abort();
}

/// An outbox whose first notes of an outcome fail.
struct Forgetful(Arc<Memory>, Mutex<usize>);

impl Queue for Forgetful {
    type Error = &'static str;

    async fn lanes(&self, now: Moment) -> Result<Vec<Lane>, Self::Error> {
        self.0.lanes(now).await
    }

    async fn claim(&self, lane: Lane, now: Moment, most: usize) -> Result<Vec<Claimed>, Self::Error> {
        self.0.claim(lane, now, most).await
    }

    async fn sent(&self, id: MailId, now: Moment, answer: Option<&str>) -> Result<(), Self::Error> {
        let failed = {
            let mut left = self.1.lock().unwrap();
            let failed = *left > 0;
            *left = left.saturating_sub(1);
            failed
        };
        if failed {
            Err("busy")
        } else {
            self.0.sent(id, now, answer).await
        }
    }

    async fn retry(&self, id: MailId, due_at: Moment, problem: Reason) -> Result<(), Self::Error> {
        self.0.retry(id, due_at, problem).await
    }

    async fn given_up(
        &self,
        id: MailId,
        now: Moment,
        problem: Problem,
        answer: Option<&str>,
    ) -> Result<(), Self::Error> {
        self.0.given_up(id, now, problem, answer).await
    }
}

#[tokio::test(start_paused = true)]
async fn an_outcome_is_noted_again_before_the_mail_would_be_sent_twice() {
    let memory = Memory::new(vec![code(1, "ann@example.org")]);
    let queue = Forgetful(Arc::clone(&memory), Mutex::new(2));
    let mailbox = Mailbox::new();
    worker(Transport::Mailbox(mailbox.clone())).run_once(&queue).await;
    assert_eq!(
        (memory.fates(), mailbox.mails(None).len()),
        (vec![(1, Fate::Sent)], 1)
    );
}

#[tokio::test]
async fn a_stopped_worker_finishes_what_is_on_its_way() {
    let server = Server::start().await;
    server.misbehave(Stage::Data, Mischief::Hang);
    let settings = SmtpSettings::parse(&format!("smtp://{}", server.address)).unwrap();
    let limit = Duration::from_millis(500);
    let transport = Transport::Smtp(SmtpTransport::new(settings.with_limits(limit, limit)));
    let queue = Memory::new(vec![code(1, "ann@example.org")]);
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async move { drop(stopped.await) };
    let run = tokio::spawn(worker(transport).run(Arc::clone(&queue), Arc::default(), shutdown));
    queue.wait_for(|rows| rows.claims > 0).await;
    server.wait_for_open(1).await;
    stop.send(()).unwrap();
    run.await.unwrap();
    assert!(
        matches!(&queue.fates()[..], [(1, Fate::Retry(_, Reason::TimedOut))]),
        "{:?}",
        queue.fates()
    );
}
