//! A shift start as it comes: agents sign in at their own pace, whether or not the server keeps up, while others work on.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use tokio::task::JoinHandle;

use super::figures::Figures;
use crate::attack::{
    Kind, Stage,
    client::{Arrival, Browser, Outcome, Web},
    load::{each, over, percentile},
    nodes::{ADMIN, COMPANY, Codes, Nodes, PASSWORD, Wanted, account, email},
    sink::Sink,
};

/// Accounts of the company; each signs in once.
const ACCOUNTS: usize = 10_000;
/// Sign-ins a second, as a share of the passwords that the machine can hash: a storm, and no flood.
const SHARE: f64 = 0.6;
/// Each of those who work on loads a page so often.
const EVERY: Duration = Duration::from_millis(100);
const CODE_PATIENCE: Duration = Duration::from_secs(30);

/// Measures a shift start from few addresses and from many, with and without mailed codes; `hashes` a second are what the
/// machine can do.
///
/// # Errors
/// Something does not start.
pub async fn run(stage: &mut Stage, kind: Kind, hashes: f64, figures: &mut Figures) -> Result<()> {
    for codes in [Codes::Nobody, Codes::Everybody] {
        for sources in [3, 3000] {
            let shift = Shift { codes, sources };
            shift.measure(stage, kind, hashes, figures).await?;
        }
    }
    Ok(())
}

struct Shift {
    codes: Codes,
    sources: usize,
}

impl Shift {
    async fn measure(&self, stage: &mut Stage, kind: Kind, hashes: f64, figures: &mut Figures) -> Result<()> {
        let sink = Arc::new(Sink::start().await?);
        let (accounts, sources) = (stage.count(ACCOUNTS), stage.count(self.sources));
        let wanted = Wanted {
            name: "shift",
            accounts,
            codes: self.codes,
            mail_port: Some(sink.port),
            clocks: false,
            folder: None,
        };
        let nodes = Nodes::start(stage, kind, wanted).await?;
        let factor = if self.codes == Codes::Nobody {
            "password"
        } else {
            "mailed code"
        };
        let part = format!("shift start of {accounts}, {factor}, {sources} addresses");
        let time = Duration::from_secs_f64(f64::from(u32::try_from(accounts)?) / (hashes * SHARE));
        let mut admin = nodes.web.browser("198.51.100.1");
        let signed_in = admin.sign_in(COMPANY, ADMIN, PASSWORD).await;
        anyhow::ensure!(
            signed_in.outcome == Outcome::In,
            "no admin: {}",
            signed_in.outcome
        );
        let working = [("/agent", &admin), ("/admin/agents", &admin)]
            .map(|(page, browser)| (page, Worker::start(browser.clone(), page)));
        let by_code = self.codes == Codes::Everybody;
        let arrivals = each(accounts, usize::MAX >> 4, over(time, accounts), |number| {
            let web = nodes.web.clone();
            let sink = Arc::clone(&sink);
            async move { arrive(&web, &sink, number, sources, by_code).await }
        })
        .await?;
        let peak = nodes.memory().into_iter().max().unwrap_or_default();
        let on = kind.name();
        let came_in = arrivals.iter().filter(|arrival| arrival.outcome == Outcome::In);
        let came_in: Vec<Duration> = came_in.map(|arrival| arrival.took).collect();
        figures.add(&part, on, "wanted a second", hashes * SHARE, "");
        figures.add(&part, on, "refused", number(accounts - came_in.len()), "");
        told(figures, (&part, on), "sign-in", came_in);
        for (page, worker) in working {
            let times = worker
                .end()
                .await
                .with_context(|| format!("{page} was not shown"))?;
            told(figures, (&part, on), page, times);
        }
        figures.add(
            &part,
            on,
            "memory of the larger node",
            number(usize::try_from(peak)?) / 1e6,
            "MB",
        );
        Ok(())
    }
}

/// Median and the longest but one of a hundred.
pub fn told(figures: &mut Figures, (part, on): (&str, &str), what: &str, mut times: Vec<Duration>) {
    for (hundredth, word) in [(50, "p50"), (99, "p99")] {
        let value = percentile(&mut times, hundredth).as_secs_f64() * 1000.0;
        figures.add(part, on, &format!("{what} {word}"), value, "ms");
    }
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// One agent comes in, in a browser of their own. How long the mail is under way is not the server's.
async fn arrive(web: &Web, sink: &Sink, number: usize, sources: usize, by_code: bool) -> Arrival {
    let source = number % sources;
    let mut browser = web.browser(format!("10.7.{}.{}", source / 250, source % 250));
    sign_in(&mut browser, sink, number, by_code).await
}

/// The whole way in.
pub async fn sign_in(browser: &mut Browser, sink: &Sink, number: usize, by_code: bool) -> Arrival {
    let receiver = email(number);
    let seen = sink.codes(&receiver);
    let mut arrival = browser.sign_in(COMPANY, &account(number), PASSWORD).await;
    if !by_code || arrival.outcome != Outcome::Code {
        return arrival;
    }
    let Some(code) = sink.code_after(&receiver, seen, CODE_PATIENCE).await else {
        arrival.outcome = Outcome::Silence;
        return arrival;
    };
    let begun = Instant::now();
    arrival.outcome = browser.enter_code(&code, false).await;
    arrival.took += begun.elapsed();
    arrival
}

/// Somebody who is signed in and loads a page again and again.
struct Worker {
    task: JoinHandle<()>,
    is_over: Arc<AtomicBool>,
    times: Arc<Mutex<Vec<Duration>>>,
}

impl Worker {
    fn start(mut browser: Browser, page: &'static str) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let times = Arc::<Mutex<Vec<Duration>>>::default();
        let (ends, shared) = (Arc::clone(&is_over), Arc::clone(&times));
        let task = tokio::spawn(async move {
            let mut next = tokio::time::interval(EVERY);
            next.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            while !ends.load(Ordering::Relaxed) {
                next.tick().await;
                let begun = Instant::now();
                if browser.get(page).await.is_ok_and(|answer| answer.status == 200) {
                    let mut times = shared.lock().unwrap_or_else(PoisonError::into_inner);
                    times.push(begun.elapsed());
                }
            }
        });
        Self { task, is_over, times }
    }

    /// How long the page took each time; `None` when it never came.
    async fn end(self) -> Option<Vec<Duration>> {
        self.is_over.store(true, Ordering::Relaxed);
        self.task.await.ok()?;
        let times = std::mem::take(&mut *self.times.lock().unwrap_or_else(PoisonError::into_inner));
        (!times.is_empty()).then_some(times)
    }
}
