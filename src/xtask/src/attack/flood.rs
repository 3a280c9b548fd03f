//! More sign-ins than can be hashed, from everywhere, without a pause.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use tokio::{
    runtime,
    task::{JoinSet, spawn_blocking},
    time::timeout,
};

use super::{
    Kind, Stage,
    client::{Browser, Outcome, Web},
    load::{Tally, megabytes, percentile, spread},
    nodes::{COMPANY, Codes, Nodes, PASSWORD, Wanted, account},
    report::Report,
};

/// Browsers that have signed their account in before.
const KNOWN: usize = 10;
/// Most memory of a node during a flood.
const MEMORY: u64 = 200_000_000;
/// How often the healthy parts are looked at.
const LOOK: Duration = Duration::from_millis(200);
const HEALTH: Duration = Duration::from_millis(200);
const PAGE: Duration = Duration::from_millis(500);
/// How long answers are waited for when it is over.
const LAST_ANSWERS: Duration = Duration::from_secs(40);
/// How long a known browser may stand in line during a flood.
const KNOWN_PATIENCE: Duration = Duration::from_secs(30);

/// 500 clients for half a minute.
///
/// # Errors
/// The nodes do not start, or nobody can sign in before.
pub async fn run(stage: &mut Stage, kind: Kind, report: &mut Report) -> Result<()> {
    let clients = stage.count(500);
    let time = stage.either(Duration::from_secs(30), Duration::from_secs(6));
    let wanted = Wanted {
        name: "flood",
        accounts: KNOWN + clients,
        codes: Codes::Nobody,
        mail_port: None,
        clocks: false,
        folder: None,
    };
    let nodes = Nodes::start(stage, kind, wanted).await?;
    let mut known = Vec::with_capacity(KNOWN);
    for number in 0..KNOWN {
        let mut browser = nodes.web.browser(format!("192.0.2.{}", number + 1));
        let outcome = browser.sign_in(COMPANY, &account(number), PASSWORD).await.outcome;
        ensure!(outcome == Outcome::In, "before the flood: {outcome}");
        known.push(browser);
    }

    let signed_in = known.first().cloned().context("nobody is known")?;
    let flood = Flood::start(&nodes, clients);
    let watched = watch(&nodes, signed_in, time, known).await?;
    let (tally, tries, refused) = flood.end().await;

    let mut health = watched.looks.health;
    let within = percentile(&mut health, 95);
    report.row("/healthz", "p95 < 200 ms", spread(health), within < HEALTH);
    let mut pages = watched.looks.pages;
    let within = percentile(&mut pages, 95);
    report.row("a signed-in page", "p95 < 500 ms", spread(pages), within < PAGE);
    report.row(
        "other answers to them than 200",
        "0",
        watched.looks.odd.to_string(),
        watched.looks.odd == 0,
    );
    report.row(
        "most memory of a node",
        &format!("at most {}", megabytes(MEMORY)),
        megabytes(watched.memory),
        watched.memory <= MEMORY,
    );
    // However long the wait is that a 503 names: outcomes are counted by their words.
    let fine = [
        Outcome::In,
        Outcome::Wrong,
        Outcome::Back,
        Outcome::Waiting,
        Outcome::Busy(Some(1)),
    ];
    let expected: usize = fine.iter().map(|outcome| tally.count(outcome)).sum();
    report.row(
        format!("{tries} sign-ins of {clients} clients in {} s", time.as_secs()),
        "only let in, refused, in line, or 503 with Retry-After",
        tally.words(),
        expected == tries,
    );
    report.row(
        "right passwords among them that were refused as wrong",
        "0",
        refused.to_string(),
        refused == 0,
    );
    let came = Tally::of(&watched.known);
    report.row(
        format!("{KNOWN} known browsers in the middle"),
        &format!("all in, each within {} s", KNOWN_PATIENCE.as_secs()),
        came.words(),
        came.count(&Outcome::In) == KNOWN
            && watched.known.iter().all(|arrival| arrival.took < KNOWN_PATIENCE),
    );
    Ok(())
}

/// Clients that sign in again and again.
struct Flood {
    running: JoinSet<()>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    over: AtomicBool,
    tries: AtomicUsize,
    /// Right passwords that were refused as wrong.
    refused: AtomicUsize,
    tally: Mutex<Tally>,
}

impl Flood {
    fn start(nodes: &Nodes, clients: usize) -> Self {
        let shared = Arc::<Shared>::default();
        let mut running = JoinSet::new();
        for number in 0..clients {
            let (web, shared) = (nodes.web.clone(), Arc::clone(&shared));
            running.spawn(async move {
                let mut round = 0_usize;
                while !shared.over.load(Ordering::Relaxed) {
                    round += 1;
                    // From everywhere: limits by address are another scenario's.
                    let [.., a, b, c] = (number * 4099 + round).to_be_bytes();
                    let browser = web.browser(format!("10.{a}.{b}.{c}"));
                    let outcome = one(browser, number).await;
                    shared.tries.fetch_add(1, Ordering::Relaxed);
                    let refused = !is_nobody(number) && matches!(outcome, Outcome::Wrong | Outcome::Back);
                    shared.refused.fetch_add(usize::from(refused), Ordering::Relaxed);
                    shared
                        .tally
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .add(&outcome);
                }
            });
        }
        Self { running, shared }
    }

    async fn end(mut self) -> (Tally, usize, usize) {
        self.shared.over.store(true, Ordering::Relaxed);
        // Whoever still waits for an answer is not waited for long.
        let all = async { while self.running.join_next().await.is_some() {} };
        let _ = timeout(LAST_ANSWERS, all).await;
        self.running.shutdown().await;
        let tally = std::mem::take(&mut *self.shared.tally.lock().unwrap_or_else(PoisonError::into_inner));
        let load = |count: &AtomicUsize| count.load(Ordering::Relaxed);
        (tally, load(&self.shared.tries), load(&self.shared.refused))
    }
}

/// Half of them have no account.
const fn is_nobody(number: usize) -> bool {
    number.is_multiple_of(2)
}

/// Those who are nobody do not wait in line; the others do, until it is their turn or the flood is over.
async fn one(mut browser: Browser, number: usize) -> Outcome {
    if is_nobody(number) {
        return browser.knock(COMPANY, &format!("nobody{number}"), PASSWORD).await;
    }
    browser
        .sign_in(COMPANY, &account(KNOWN + number), PASSWORD)
        .await
        .outcome
}

/// What was seen while it went on.
struct Watched {
    looks: Looks,
    memory: u64,
    known: Vec<super::client::Arrival>,
}

/// How the healthy parts answered.
#[derive(Default)]
struct Looks {
    health: Vec<Duration>,
    pages: Vec<Duration>,
    odd: usize,
}

async fn watch(nodes: &Nodes, signed_in: Browser, time: Duration, known: Vec<Browser>) -> Result<Watched> {
    let begun = Instant::now();
    let mut arrivals = JoinSet::new();
    for (number, mut browser) in known.into_iter().enumerate() {
        let moment =
            time / 4 + time / 2 * u32::try_from(number).unwrap_or(0) / u32::try_from(KNOWN).unwrap_or(1);
        arrivals.spawn(async move {
            tokio::time::sleep(moment).await;
            browser.close();
            browser.sign_in(COMPANY, &account(number), PASSWORD).await
        });
    }
    let url = nodes.settings.url.clone();
    // On a thread of its own: what is measured are the nodes, not how busy the clients of the flood keep this program.
    let looking = spawn_blocking(move || {
        runtime::Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(look(&url, &signed_in, time))
    });
    let mut memory = 0;
    while begun.elapsed() < time {
        memory = nodes.memory().into_iter().fold(memory, u64::max);
        tokio::time::sleep(LOOK).await;
    }
    let looks = looking.await??;
    let mut known = Vec::new();
    while let Some(Ok(arrival)) = arrivals.join_next().await {
        known.push(arrival);
    }
    Ok(Watched { looks, memory, known })
}

/// Looks at the healthy parts again and again.
async fn look(url: &str, signed_in: &Browser, time: Duration) -> Result<Looks> {
    let begun = Instant::now();
    let web = Web::new(url)?;
    let (mut health, mut signed_in) = (web.browser("192.0.2.250"), signed_in.at(&web));
    let mut looks = Looks::default();
    while begun.elapsed() < time {
        let (alive, page) = tokio::join!(timed(&mut health, "/healthz"), timed(&mut signed_in, "/agent"));
        looks.odd += usize::from(alive.1 != 200) + usize::from(page.1 != 200);
        looks.health.push(alive.0);
        looks.pages.push(page.0);
        tokio::time::sleep(LOOK).await;
    }
    Ok(looks)
}

/// How long a page took, and its status; 0 = no answer.
async fn timed(browser: &mut Browser, path: &str) -> (Duration, u16) {
    let begun = Instant::now();
    let status = browser.get(path).await.map_or(0, |answer| answer.status);
    (begun.elapsed(), status)
}
