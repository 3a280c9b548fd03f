//! The load: agents who sign in, mistype, trust and try again, and remember every answer they got.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use tokio::{task::JoinSet, task::spawn_blocking, time::sleep};

use super::super::{
    client::{Browser, Outcome, Web},
    load::Tally,
    nodes::{COMPANY, Nodes, PASSWORD, Settings, account, email},
    sink::Sink,
};
use crate::shell;

/// Agents at work at a time.
pub const AT_WORK: usize = 12;
/// Accounts of each for half an hour, in turn, so that the limits of mails per account (N12) are not reached.
const ACCOUNTS_EACH: usize = 40;
/// Wrong codes before the account is locked.
const CODES: u32 = 5;
/// Lines that a diary keeps.
const DIARY: usize = 8;
const MAIL_PATIENCE: Duration = Duration::from_secs(15);
/// Between two things that one agent does.
const PAUSE: Duration = Duration::from_millis(300);

/// How many accounts each of them needs for so many minutes.
pub fn accounts_each(minutes: u16) -> usize {
    ACCOUNTS_EACH * usize::from(minutes.div_ceil(30))
}

/// What one account's answers say about what must stand in the database.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Wrong codes that were certainly counted since the last reset.
    pub least: u32,
    /// The same with those whose answer never came.
    pub most: u32,
    /// Answers to wrong codes since the last reset.
    answered: u32,
    /// Sign-ins that were answered.
    pub signed_in: u32,
    /// Sign-ins that may have happened: their answer never came.
    pub perhaps: u32,
    /// Whether its browser was trusted since the last lock.
    trusted: bool,
    /// The newest things it did and what came of them.
    diary: VecDeque<String>,
}

impl Record {
    /// A wrong code was answered.
    const fn wrong(&mut self) {
        self.least += 1;
        self.most += 1;
        self.answered += 1;
    }

    /// Nobody knows whether something was counted.
    const fn unknown(&mut self) {
        self.most += 1;
    }

    /// Nobody knows whether the count was reset either.
    const fn unknown_right(&mut self) {
        self.unknown();
        self.least = 0;
        self.perhaps += 1;
    }

    fn write(&mut self, what: &str, outcome: &Outcome) {
        if self.diary.len() == DIARY {
            self.diary.pop_front();
        }
        self.diary.push_back(format!("{what}: {outcome}"));
    }

    /// The diary, for somebody who looks for a cause.
    pub fn diary(&self) -> String {
        let lines: Vec<&str> = self.diary.iter().map(String::as_str).collect();
        lines.join(", ")
    }

    /// An answered sign-in or unlock: everything begins anew.
    const fn reset(&mut self) {
        self.least = 0;
        self.most = 0;
        self.answered = 0;
    }
}

/// What everybody saw.
#[derive(Default)]
pub struct Seen {
    /// All answers.
    pub answers: Tally,
    /// Answers with 500.
    pub faults: usize,
    /// What must never happen.
    pub problems: Vec<String>,
    /// What honest people should not meet.
    pub hardships: Vec<String>,
}

/// Agents at work until told to stop.
pub struct Shift {
    running: JoinSet<Vec<(usize, Record)>>,
    common: Common,
}

#[derive(Clone)]
struct Common {
    web: Web,
    settings: Settings,
    sink: Arc<Sink>,
    seen: Arc<Mutex<Seen>>,
    over: Arc<AtomicBool>,
}

impl Shift {
    /// Everybody begins.
    pub fn begin(nodes: &Nodes, sink: &Arc<Sink>, seed: u64, accounts_each: usize) -> Self {
        let common = Common {
            web: nodes.web.clone(),
            settings: nodes.settings.clone(),
            sink: Arc::clone(sink),
            seen: Arc::default(),
            over: Arc::default(),
        };
        let mut running = JoinSet::new();
        for place in 0..AT_WORK {
            let agent = Agent {
                common: common.clone(),
                place,
                random: StdRng::seed_from_u64(seed ^ u64::try_from(place).unwrap_or_default()),
                records: vec![Record::default(); accounts_each],
                browsers: (0..accounts_each)
                    .map(|number| common.web.browser(format!("10.3.{place}.{number}")))
                    .collect(),
            };
            running.spawn(agent.work());
        }
        Self { running, common }
    }

    /// Everybody ends what they are doing; gives what they saw, and the records by number of the account.
    pub async fn end(mut self) -> (Seen, Vec<(usize, Record)>) {
        self.common.over.store(true, Ordering::Relaxed);
        let mut records = Vec::new();
        while let Some(done) = self.running.join_next().await {
            let Ok(of_agent) = done else { continue };
            records.extend(of_agent);
        }
        let seen = std::mem::take(&mut *self.common.seen());
        (seen, records)
    }
}

impl Common {
    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody at work, with some accounts in turn.
struct Agent {
    common: Common,
    place: usize,
    random: StdRng,
    records: Vec<Record>,
    browsers: Vec<Browser>,
}

/// One visit of one account.
struct Visit<'a> {
    common: &'a Common,
    number: usize,
    random: &'a mut StdRng,
    record: &'a mut Record,
    browser: &'a mut Browser,
}

impl Agent {
    async fn work(mut self) -> Vec<(usize, Record)> {
        let first = self.place * self.records.len();
        let mut turn = 0;
        while !self.common.over.load(Ordering::Relaxed) {
            let (Some(record), Some(browser)) = (self.records.get_mut(turn), self.browsers.get_mut(turn))
            else {
                turn = 0;
                continue;
            };
            let mut visit = Visit {
                common: &self.common,
                number: first + turn,
                random: &mut self.random,
                record,
                browser,
            };
            visit.go().await;
            turn += 1;
            sleep(PAUSE).await;
        }
        (first..).zip(self.records).collect()
    }
}

impl Visit<'_> {
    async fn go(&mut self) {
        // Else after some minutes nobody would be asked for a code any more.
        if self.record.trusted && self.random.random_bool(0.2) {
            self.browser.forget();
            self.record.trusted = false;
        }
        let seen = self.common.sink.codes(&email(self.number));
        match self.password().await {
            Outcome::Code => {}
            Outcome::In => {
                self.record.signed_in += 1;
                if !self.record.trusted {
                    self.problem("signed in without a code");
                }
                return self.rest().await;
            }
            Outcome::Locked => return self.unlock().await,
            Outcome::Wrong | Outcome::Back => return self.hardship("a right password was refused"),
            Outcome::Limited(_) => return self.hardship("told to wait although every password was right"),
            // It may have come in on a trusted browser.
            Outcome::Silence | Outcome::Status(_) | Outcome::Busy(_) => {
                self.record.perhaps += 1;
                return;
            }
            _ => return,
        }
        let Some(code) = self
            .common
            .sink
            .code_after(&email(self.number), seen, MAIL_PATIENCE)
            .await
        else {
            let outcome = self.browser.submit("/login/code/cancel", &[]).await.outcome;
            return self.note("cancel", &outcome);
        };
        if self.random.random_bool(0.1) {
            // Too soon after the first one, mostly; where it is not, the code in hand is an old one.
            let mut browser = self.browser.clone();
            let outcome = browser.submit("/login/code/resend", &[]).await.outcome;
            self.note("resend", &outcome);
            if outcome == Outcome::Code {
                return;
            }
        }
        let slips = if self.random.random_bool(0.35) {
            self.random.random_range(1..=6)
        } else {
            0
        };
        for _ in 0..slips {
            if !self.slip(&code).await {
                return;
            }
        }
        self.enter(&code).await;
    }

    async fn password(&mut self) -> Outcome {
        let name = account(self.number);
        let outcome = self.browser.sign_in(COMPANY, &name, PASSWORD).await.outcome;
        self.note("password", &outcome);
        outcome
    }

    /// A wrong code; whether the sign-in goes on.
    async fn slip(&mut self, code: &str) -> bool {
        let right: u32 = code.parse().unwrap_or_default();
        let wrong = (right + self.random.random_range(1..999_999)) % 1_000_000;
        let outcome = self.browser.enter_code(&format!("{wrong:06}"), false).await;
        self.note("wrong code", &outcome);
        match outcome {
            Outcome::Wrong => {
                self.record.wrong();
                if self.record.answered >= CODES {
                    self.problem("a fifth wrong code was answered and the account not locked");
                }
                true
            }
            Outcome::Locked => {
                self.record.wrong();
                self.record.trusted = false;
                if self.record.most < CODES {
                    self.problem("locked before the fifth wrong code");
                }
                false
            }
            Outcome::In => {
                self.problem("a wrong code was accepted");
                false
            }
            Outcome::NotCounted => true,
            Outcome::Silence | Outcome::Busy(_) | Outcome::Status(_) => {
                self.record.unknown();
                true
            }
            // The clock stepped: before it was counted, or while its page was made.
            Outcome::Over => {
                self.record.unknown();
                false
            }
            _ => false,
        }
    }

    /// The right code, and what may be done with it afterwards.
    async fn enter(&mut self, code: &str) {
        let trust = self.random.random_bool(0.3);
        let outcome = self.browser.enter_code(code, trust).await;
        self.note("right code", &outcome);
        match outcome {
            Outcome::In => {
                self.record.signed_in += 1;
                self.record.reset();
                self.record.trusted |= trust;
                self.rest().await;
                if self.random.random_bool(0.2) {
                    self.replay(code).await;
                }
            }
            Outcome::Wrong => {
                self.record.wrong();
                self.hardship("a right code was refused as wrong");
            }
            Outcome::Locked => {
                // Wrong codes whose answers were lost may have locked it before.
                self.record.unknown();
                if self.record.most < CODES {
                    self.problem("locked before the fifth wrong code");
                }
            }
            Outcome::Silence | Outcome::Busy(_) | Outcome::Status(_) => {
                self.record.unknown_right();
                // It may have trusted the browser.
                self.record.trusted |= trust;
            }
            Outcome::Over => self.record.unknown(),
            _ => {}
        }
    }

    /// A used code in another browser opens nothing.
    async fn replay(&mut self, code: &str) {
        let mut other = self.common.web.browser("10.4.0.1");
        let outcome = other
            .sign_in(COMPANY, &account(self.number), PASSWORD)
            .await
            .outcome;
        self.note("password elsewhere", &outcome);
        if outcome != Outcome::Code {
            return;
        }
        let outcome = other.enter_code(code, false).await;
        self.note("used code", &outcome);
        match outcome {
            Outcome::In => self.problem("a code worked twice"),
            Outcome::Wrong => self.record.wrong(),
            Outcome::Silence | Outcome::Busy(_) | Outcome::Status(_) | Outcome::Over => {
                self.record.unknown();
            }
            _ => {}
        }
    }

    /// A look at the panel, then home.
    async fn rest(&mut self) {
        let answer = self.browser.get("/agent").await;
        let status = answer.map_or(0, |answer| answer.status);
        if status >= 500 {
            self.note("panel", &Outcome::Status(status));
        }
        self.browser.close();
    }

    /// The operator helps.
    async fn unlock(&mut self) {
        if self.record.most < CODES {
            self.problem("locked before the fifth wrong code");
        }
        self.record.trusted = false;
        let name = account(self.number);
        let words = ["account", "unlock", "--company", COMPANY, "--account", &name];
        let mut command = self.common.settings.command(&words);
        let done = spawn_blocking(move || shell::output(&mut command)).await;
        if matches!(done, Ok(Ok(_))) {
            self.note("unlock", &Outcome::In);
            self.record.reset();
        } else {
            self.note("unlock", &Outcome::Silence);
            // The disk is full or the database away: perhaps it was done, perhaps not.
            self.record.least = 0;
        }
    }

    fn note(&mut self, what: &str, outcome: &Outcome) {
        self.record.write(what, outcome);
        let mut seen = self.common.seen();
        seen.answers.add(outcome);
        seen.faults += usize::from(matches!(outcome, Outcome::Status(500)));
    }

    fn problem(&self, what: &str) {
        let told = format!("{}: {what}", account(self.number));
        self.common.seen().problems.push(told);
    }

    fn hardship(&self, what: &str) {
        let told = format!("{}: {what}", account(self.number));
        self.common.seen().hardships.push(told);
    }
}
