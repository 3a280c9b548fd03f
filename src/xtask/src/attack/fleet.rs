//! Two nodes as one: whatever begins on one goes on at the other, also while nodes come and go, when the database moves, when
//! one node is of the version before, and behind `PgBouncer`.

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU16, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinSet, block_in_place},
    time::sleep,
};

use super::{
    Kind, Stage,
    client::{Outcome, Web},
    load::wait_until,
    nodes::{COMPANY, Codes, Nodes, PASSWORD, Wanted, account, email},
    report::Report,
    sink::Sink,
};
use crate::postgres::Pooler;

/// Agents that are asked for a code.
const AGENTS: usize = 12;
/// Agents at work while something happens.
const AT_WORK: usize = 6;
const MAIL_PATIENCE: Duration = Duration::from_mins(1);
/// Load before and after what happens.
const CALM: Duration = Duration::from_secs(4);
/// How long it may take until all nodes are ready again.
const HEALED: Duration = Duration::from_secs(30);

fn wanted(name: &str, mail_port: u16) -> Wanted<'_> {
    Wanted {
        name,
        accounts: AGENTS,
        codes: Codes::Half,
        mail_port: Some(mail_port),
        clocks: false,
        folder: None,
    }
}

/// Flows over both nodes, a rolling restart, and a node that is killed.
///
/// # Errors
/// The nodes do not start.
pub async fn run(stage: &mut Stage, kind: Kind, report: &mut Report) -> Result<()> {
    let sink = Sink::start().await?;
    let mut nodes = Nodes::start(stage, kind, wanted("fleet", sink.port)).await?;
    split(&nodes, &sink, "", report).await?;

    let work = Work::begin(&nodes);
    sleep(CALM).await;
    for number in 0..nodes.count() {
        nodes.stop_node(number).await?;
        nodes.start_node(number).await?;
    }
    sleep(CALM).await;
    let seen = work.end().await?;
    seen.tell("rolling restart", 0, report);

    let work = Work::begin(&nodes);
    sleep(CALM).await;
    for number in 0..nodes.count() {
        nodes.kill_node(number);
        sleep(CALM).await;
        nodes.start_node(number).await?;
    }
    sleep(CALM).await;
    // Requests that were under way on the killed node.
    let seen = work.end().await?;
    seen.tell("each node killed once", 2 * AT_WORK, report);
    Ok(())
}

/// PostgreSQL is restarted, and then fails over to a standby, at the same address.
///
/// # Errors
/// The nodes or the standby do not start.
pub async fn fail_over(stage: &mut Stage, kind: Kind, report: &mut Report) -> Result<()> {
    let sink = Sink::start().await?;
    let door = Door::open(stage.cluster()?.port()).await?;
    let nodes = Nodes::start_through(stage, kind, wanted("failover", sink.port), door.port).await?;

    let work = Work::begin(&nodes);
    sleep(CALM).await;
    block_in_place(|| stage.cluster()?.stop_at_once())?;
    sleep(CALM).await;
    block_in_place(|| stage.cluster()?.start_again())?;
    let healed = ready(&nodes).await?;
    report.row(
        "PostgreSQL restarted: all nodes ready again",
        "yes",
        yes(healed),
        healed,
    );
    sleep(CALM).await;
    work.end().await?.tell_faults("PostgreSQL restarted", report);

    block_in_place(|| stage.cluster()?.stand_by())?;
    let before = nodes.number(stage, "SELECT COUNT(*) FROM audit_event")?;
    let work = Work::begin(&nodes);
    sleep(CALM).await;
    let begun = Instant::now();
    let port = block_in_place(|| stage.cluster()?.fail_over())?;
    door.leads_to(port);
    let healed = ready(&nodes).await?;
    report.row(
        "failed over to a standby: all nodes ready again",
        "yes",
        format!("{} after {:.1} s", yes(healed), begun.elapsed().as_secs_f64()),
        healed,
    );
    sleep(CALM).await;
    work.end().await?.tell_faults("failed over", report);
    let after = nodes.number(stage, "SELECT COUNT(*) FROM audit_event")?;
    report.row(
        "the standby has what was written before, and more",
        "yes",
        format!("{before} events, then {after}"),
        after > before,
    );
    split(&nodes, &sink, "after it: ", report).await
}

/// One node of an older version and one of this, on one database.
///
/// # Errors
/// The nodes do not start, or no older binary was named.
pub async fn versions(stage: &mut Stage, kind: Kind, report: &mut Report) -> Result<()> {
    let Some(old) = stage.arguments.old_binary.clone() else {
        report.tell("not tried", "name a binary of an older version with --old-binary");
        return Ok(());
    };
    let old = std::fs::canonicalize(old)?;
    let sink = Sink::start().await?;
    let new = mem::replace(&mut stage.binary, old);
    let started = Nodes::start(stage, kind, wanted("versions", sink.port)).await;
    stage.binary.clone_from(&new);
    let mut nodes = started?;
    split(&nodes, &sink, "both old: ", report).await?;
    let work = Work::begin(&nodes);
    nodes.settings.use_binary(new);
    nodes.stop_node(0).await?;
    nodes.start_node(0).await?;
    sleep(CALM).await;
    work.end().await?.tell("one node replaced", 0, report);
    // The older one is node 1, and goes on with the tables of the newer one.
    split(&nodes, &sink, "one old, one new: ", report).await?;
    let runs = nodes.runs(1);
    report.row("the old node still runs", "yes", yes(runs), runs);
    nodes.stop_node(1).await?;
    nodes.start_node(1).await?;
    split(&nodes, &sink, "both new: ", report).await
}

/// `PgBouncer` before the database: as it may be, and as it may not.
///
/// # Errors
/// The nodes or `PgBouncer` do not start.
pub async fn pooler(stage: &mut Stage, kind: Kind, report: &mut Report) -> Result<()> {
    let sink = Sink::start().await?;
    let session = block_in_place(|| Pooler::start(stage.cluster()?, "session"))?;
    let nodes = Nodes::start_through(stage, kind, wanted("pooler", sink.port), session.port).await?;
    split(&nodes, &sink, "session mode: ", report).await?;
    let transaction = block_in_place(|| Pooler::start(stage.cluster()?, "transaction"))?;
    let refused = nodes.settings.refusal_through(transaction.port)?;
    report.row(
        "transaction mode: the start is refused, and says why",
        "pool_mode = session",
        &refused,
        refused.contains("pool_mode = session"),
    );
    Ok(())
}

/// Everything of a day, each step on the other node.
async fn split(nodes: &Nodes, sink: &Sink, when: &str, report: &mut Report) -> Result<()> {
    let doors = [nodes.node(0, None)?, nodes.node(1, None)?];
    let mut wrong = Vec::new();
    for number in 0..AGENTS {
        let (here, there) = if number % 4 < 2 {
            (&doors[0], &doors[1])
        } else {
            (&doors[1], &doors[0])
        };
        if let Err(error) = day(number, here, there, sink).await {
            wrong.push(format!("{}: {error:#}", account(number)));
        }
    }
    report.row(
        format!(
            "{when}{AGENTS} agents sign in, are trusted, come back and sign out, each step on the other node"
        ),
        "all",
        if wrong.is_empty() {
            "all".to_owned()
        } else {
            wrong.join("; ")
        },
        wrong.is_empty(),
    );
    Ok(())
}

async fn day(number: usize, here: &Web, there: &Web, sink: &Sink) -> Result<()> {
    let (name, mail) = (account(number), email(number));
    let asked = Codes::Half.asked_of(number);
    let seen = sink.codes(&mail);
    let mut browser = here.browser(format!("10.7.0.{number}"));
    let mut outcome = browser.sign_in(COMPANY, &name, PASSWORD).await.outcome;
    if asked {
        expect("the password", &outcome, &Outcome::Code)?;
        let code = sink
            .code_after(&mail, seen, MAIL_PATIENCE)
            .await
            .context("no code came")?;
        browser = browser.at(there);
        outcome = browser.enter_code(&code, true).await;
    }
    expect("signing in", &outcome, &Outcome::In)?;
    for door in [here, there] {
        browser = browser.at(door);
        let status = browser.get("/agent").await?.status;
        if status != 200 {
            bail!("/agent answers {status}");
        }
    }
    // Trust is renewed at each use: the next node has to know the new one.
    for door in [here, there, here] {
        browser.close();
        browser = browser.at(door);
        let outcome = browser.sign_in(COMPANY, &name, PASSWORD).await.outcome;
        expect("coming back", &outcome, &Outcome::In)?;
    }
    let mut elsewhere = browser.at(there);
    browser.post("/logout", &[]).await?;
    if elsewhere.get("/agent").await?.status == 200 {
        bail!("signed out on one node, and still signed in on the other");
    }
    Ok(())
}

fn expect(what: &str, outcome: &Outcome, wanted: &Outcome) -> Result<()> {
    if outcome != wanted {
        bail!("{what}: {outcome} instead of {wanted}");
    }
    Ok(())
}

/// Whether every node says that somebody could sign in there.
async fn ready(nodes: &Nodes) -> Result<bool> {
    for number in 0..nodes.count() {
        let web = nodes.node(number, None)?;
        let well = wait_until(HEALED, || async {
            web.get("/readyz").await.is_ok_and(|answer| answer.status == 200)
        })
        .await;
        if !well {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Agents who sign in and work through the proxy until told to stop.
struct Work {
    stop: Arc<AtomicBool>,
    agents: JoinSet<Seen>,
}

/// What they saw.
#[derive(Debug, Default)]
struct Seen {
    requests: usize,
    /// Not let in, or no answer, or 5xx.
    failed: usize,
    /// Of them 5xx other than 503 and what a proxy says of a node that is away.
    faults: usize,
    /// Sessions that were there and were not over.
    lost: usize,
}

impl Work {
    fn begin(nodes: &Nodes) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut agents = JoinSet::new();
        for number in 0..AT_WORK {
            // Those who are asked for no code.
            agents.spawn(work(nodes.web.clone(), 2 * number, Arc::clone(&stop)));
        }
        Self { stop, agents }
    }

    async fn end(mut self) -> Result<Seen> {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Seen::default();
        while let Some(seen) = self.agents.join_next().await {
            let seen = seen?;
            all.requests += seen.requests;
            all.failed += seen.failed;
            all.faults += seen.faults;
            all.lost += seen.lost;
        }
        Ok(all)
    }
}

async fn work(web: Web, number: usize, stop: Arc<AtomicBool>) -> Seen {
    let mut seen = Seen::default();
    let mut browser = web.browser(format!("10.8.0.{number}"));
    while !stop.load(Ordering::Relaxed) {
        seen.requests += 1;
        let outcome = browser.sign_in(COMPANY, &account(number), PASSWORD).await.outcome;
        if outcome != Outcome::In {
            seen.failed += 1;
            seen.faults += usize::from(matches!(outcome, Outcome::Status(500)));
            sleep(Duration::from_millis(100)).await;
            continue;
        }
        for _ in 0..10 {
            seen.requests += 1;
            let answer = browser.get("/agent").await;
            let status = answer.as_ref().map_or(0, |answer| answer.status);
            seen.failed += usize::from(status == 0 || status >= 500);
            seen.faults += usize::from(status == 500);
            let is_lost = answer.is_ok_and(|answer| answer.location.is_some());
            seen.lost += usize::from(is_lost);
            if is_lost {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
    seen
}

impl Seen {
    fn tell(&self, what: &str, most: usize, report: &mut Report) {
        report.row(
            format!("{what}: of {} requests failed", self.requests),
            &format!("at most {most}"),
            self.failed.to_string(),
            self.failed <= most,
        );
        self.tell_faults(what, report);
    }

    /// Where failures cannot be helped, but have to be told as what they are.
    fn tell_faults(&self, what: &str, report: &mut Report) {
        report.row(
            format!(
                "{what}: of {} requests, {} failed; answered 500",
                self.requests, self.failed
            ),
            "0",
            self.faults.to_string(),
            self.faults == 0,
        );
        let what = format!("{what}: sessions lost");
        report.row(what, "0", self.lost.to_string(), self.lost == 0);
    }
}

/// An address of the database that can lead elsewhere, as a virtual address of a cluster does.
struct Door {
    port: u16,
    leads_to: Arc<AtomicU16>,
    _passing: JoinSet<()>,
}

impl Door {
    async fn open(port: u16) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let leads_to = Arc::new(AtomicU16::new(port));
        let own = listener.local_addr()?.port();
        let mut passing = JoinSet::new();
        passing.spawn(pass(listener, Arc::clone(&leads_to)));
        Ok(Self {
            port: own,
            leads_to,
            _passing: passing,
        })
    }

    fn leads_to(&self, port: u16) {
        self.leads_to.store(port, Ordering::Relaxed);
    }
}

async fn pass(listener: TcpListener, leads_to: Arc<AtomicU16>) {
    let mut connections = JoinSet::new();
    while let Ok((mut near, _)) = listener.accept().await {
        let port = leads_to.load(Ordering::Relaxed);
        connections.spawn(async move {
            if let Ok(mut far) = TcpStream::connect(("127.0.0.1", port)).await {
                // However it ends, both ends are closed with it.
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

fn yes(held: bool) -> &'static str {
    if held { "yes" } else { "no" }
}
