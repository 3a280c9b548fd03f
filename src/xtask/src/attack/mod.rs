//! Attacks the release binary the way a shift start, a guesser and a bad day do, and says whether what was promised
//! holds: on one node with SQLite, and on two nodes with PostgreSQL behind nginx. Loopback only; everything it starts ends
//! with it.

pub mod client;
mod clocks;
mod deadlocks;
mod faults;
mod fleet;
mod flood;
mod guesses;
pub mod load;
mod memory;
pub mod nodes;
mod office;
mod report;
pub mod sink;
mod slow;
mod spray;
mod storm;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use anyhow::{Result, anyhow, bail};
use clap::ValueEnum;
use tokio::signal::unix::{SignalKind, signal};

use self::report::Report;
use crate::{postgres::Cluster, say, server, shell};

/// What is attacked, and how hard.
#[derive(clap::Args)]
pub struct Arguments {
    /// Which scenarios, in this order [default: all]
    #[arg(value_enum)]
    scenarios: Vec<Scenario>,
    /// Only say what each scenario shows
    #[arg(long)]
    list: bool,
    /// Only on this database
    #[arg(long, value_enum)]
    database: Option<Kind>,
    /// About a tenth of everything: does the program itself work?
    #[arg(long)]
    quick: bool,
    /// How often codes are guessed in parallel [default: 100, quick: 5]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    rounds: Option<u16>,
    /// How long random faults happen [default: 30, quick: 2]
    #[arg(long, value_name = "M", value_parser = clap::value_parser!(u16).range(1..=1440))]
    minutes: Option<u16>,
    /// Makes the same choices as the run that printed it
    #[arg(long)]
    seed: Option<u64>,
    /// A binary that is there already, instead of building the release binary
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// A binary of an older version, for `versions`
    #[arg(long, value_name = "FILE")]
    old_binary: Option<PathBuf>,
    /// Leave logs and databases in target/attack until the next run
    #[arg(long)]
    keep: bool,
}

/// An installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// One node on SQLite
    Sqlite,
    /// Two nodes on PostgreSQL behind nginx
    Postgres,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL, 2 nodes",
        }
    }

    const fn short(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    const fn nodes(self) -> usize {
        match self {
            Self::Sqlite => 1,
            Self::Postgres => 2,
        }
    }
}

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// Right sign-ins of a shift start from one address
    Storm,
    /// 500 agents behind one address, some of whom mistype
    Office,
    /// Codes and passwords guessed in parallel
    Guesses,
    /// One password tried on many accounts
    Spray,
    /// More sign-ins than can be hashed
    Flood,
    /// Memory after a storm
    Memory,
    /// Every pair of use cases at once on one account
    Deadlocks,
    /// Random faults under load
    Faults,
    /// Clients that take their time
    Slow,
    /// A node whose clock is wrong
    Clocks,
    /// Two nodes as one, while nodes come and go
    Fleet,
    /// PostgreSQL is restarted and fails over to a standby
    Failover,
    /// An older and this version at once
    Versions,
    /// `PgBouncer` before the database
    Pooler,
}

impl Scenario {
    /// What it shows, and the tests of attacks.md that it covers.
    const fn shows(self) -> (&'static str, &'static str) {
        match self {
            Self::Storm => (
                "30 right sign-ins at once, 600 in 30 s and 1000 over 200 connections from one office address all come \
                 in; nobody is refused",
                "T180 in small",
            ),
            Self::Office => (
                "500 agents behind one address in 60 s, 5 % of whom mistype first, half with a mailed code: all come \
                 in, nobody is told to wait for others",
                "T005, T177, T180 in small",
            ),
            Self::Guesses => (
                "of 200 wrong codes in parallel over all nodes never more than five are compared, of 200 wrong \
                 passwords never more than the waits allow; somebody else comes in in the middle",
                "T005, T020, T021, T051, T177",
            ),
            Self::Spray => (
                "one password on 50 accounts from one IPv4 address and one IPv6 /64 ends in 429 by the 21st; others go \
                 on; forged forwarding headers change nothing",
                "T007, T008",
            ),
            Self::Flood => (
                "500 clients sign in without a pause, half of them as nobody: /healthz and signed-in pages stay quick, \
                 memory stays bounded, overflow is 503 with Retry-After, known browsers come in",
                "T011",
            ),
            Self::Memory => (
                "some seconds after a storm a node has at most 40 MB + 19 MiB for each hashing thread",
                "T011",
            ),
            Self::Deadlocks => (
                "every pair of use cases at the same account, company and address: no deadlock, no 5xx",
                "T177",
            ),
            Self::Faults => (
                "random kill -9, restart, full disk, database away or silent, mail down, slow or 451, clock steps under load: \
                 the invariants of section 12 hold and all heals without a restart",
                "T166, T167, T169, T170, T172, T173, T175, T176, T187, section 12",
            ),
            Self::Slow => (
                "silent sockets, dripping heads and bodies and slow readers are closed in time and delay nobody",
                "T156",
            ),
            Self::Clocks => (
                "a node that is 2 s off asks for nothing twice; one that is 45 s off says so in /readyz; one that is 6 or 40 \
                 min off ends nobody's session and is not ready",
                "T176",
            ),
            Self::Fleet => (
                "every step on another node; a rolling restart fails no request, a killed node only those under way; no \
                 session is lost",
                "section 12",
            ),
            Self::Failover => (
                "PostgreSQL restarted, and failed over to a standby at the same address: failures are 503, all heals \
                 without a restart, no session is lost",
                "section 12",
            ),
            Self::Versions => (
                "an older version, named with --old-binary, and this one share a database: every step on the other node",
                "section 12",
            ),
            Self::Pooler => (
                "all works behind PgBouncer in session mode; in transaction mode the start is refused with the reason",
                "E6",
            ),
        }
    }

    /// The installations it makes sense on.
    const fn kinds(self) -> &'static [Kind] {
        match self {
            Self::Deadlocks | Self::Clocks | Self::Fleet | Self::Failover | Self::Versions | Self::Pooler => {
                &[Kind::Postgres]
            }
            _ => &Kind::ALL,
        }
    }

    async fn run(self, stage: &mut Stage, kind: Kind, report: &mut Report) -> Result<()> {
        match self {
            Self::Storm => storm::run(stage, kind, report).await,
            Self::Office => office::run(stage, kind, report).await,
            Self::Guesses => guesses::run(stage, kind, report).await,
            Self::Spray => spray::run(stage, kind, report).await,
            Self::Flood => flood::run(stage, kind, report).await,
            Self::Memory => memory::run(stage, kind, report).await,
            Self::Deadlocks => deadlocks::run(stage, kind, report).await,
            Self::Faults => faults::run(stage, kind, report).await,
            Self::Slow => slow::run(stage, kind, report).await,
            Self::Clocks => clocks::run(stage, kind, report).await,
            Self::Fleet => fleet::run(stage, kind, report).await,
            Self::Failover => fleet::fail_over(stage, kind, report).await,
            Self::Versions => fleet::versions(stage, kind, report).await,
            Self::Pooler => fleet::pooler(stage, kind, report).await,
        }
    }

    fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }
}

/// What all scenarios share.
pub struct Stage {
    arguments: Arguments,
    binary: PathBuf,
    folder: PathBuf,
    /// Hashing threads of each node.
    threads: usize,
    seed: u64,
    cluster: Option<Cluster>,
    /// Port through which nodes reach PostgreSQL instead of its own.
    relay: Option<u16>,
}

impl Stage {
    /// For measurements, with what they need.
    ///
    /// # Errors
    /// Something cannot be installed.
    #[cfg(feature = "bench")]
    pub fn of_bench(binary: PathBuf, quick: bool) -> Result<Self> {
        nodes::install(&Kind::ALL)?;
        raise_file_limit();
        Ok(Self {
            arguments: Arguments {
                scenarios: Vec::new(),
                list: false,
                database: None,
                quick,
                rounds: None,
                minutes: None,
                seed: None,
                binary: None,
                old_binary: None,
                keep: false,
            },
            binary,
            folder: own_folder(),
            threads: thread::available_parallelism().map_or(2, usize::from),
            seed: 0,
            cluster: None,
            relay: None,
        })
    }

    /// From now on nodes reach PostgreSQL through this port, or again through its own.
    #[cfg(feature = "bench")]
    pub const fn reach_database_at(&mut self, relay: Option<u16>) {
        self.relay = relay;
    }

    /// A new database of the cluster, as nodes reach it.
    ///
    /// # Errors
    /// The cluster does not start.
    pub fn database(&mut self, name: &str) -> Result<String> {
        let relay = self.relay;
        let cluster = self.cluster()?;
        let (url, port) = (cluster.database(name)?, format!(":{}/", cluster.port()));
        Ok(relay.map_or(url.clone(), |relay| url.replace(&port, &format!(":{relay}/"))))
    }

    /// The PostgreSQL cluster, started when first needed.
    ///
    /// # Errors
    /// It does not start.
    pub fn cluster(&mut self) -> Result<&mut Cluster> {
        if self.cluster.is_none() {
            self.cluster = Some(say::step("A private PostgreSQL cluster", Cluster::durable)?);
        }
        let Some(cluster) = &mut self.cluster else {
            bail!("no cluster");
        };
        Ok(cluster)
    }

    /// The cluster, if it was needed yet.
    pub const fn running_cluster(&self) -> Option<&Cluster> {
        self.cluster.as_ref()
    }

    /// A count as it is, or a tenth of it in a quick run.
    pub fn count(&self, full: usize) -> usize {
        if self.arguments.quick {
            full.div_ceil(10)
        } else {
            full
        }
    }

    /// One value for a full run, another for a quick one.
    pub fn either<T>(&self, full: T, quick: T) -> T {
        if self.arguments.quick { quick } else { full }
    }
}

/// The command `attack`.
///
/// # Errors
/// The binary cannot be built, or a promise did not hold.
pub fn run(arguments: Arguments) -> Result<()> {
    if arguments.list {
        list();
        return Ok(());
    }
    let scenarios = if arguments.scenarios.is_empty() {
        Scenario::value_variants().to_vec()
    } else {
        arguments.scenarios.clone()
    };
    let kinds: Vec<Kind> = Kind::ALL
        .into_iter()
        .filter(|kind| arguments.database.is_none_or(|only| only == *kind))
        .collect();
    nodes::install(&kinds)?;
    let binary = match &arguments.binary {
        Some(binary) => fs::canonicalize(binary)?,
        None => server::build()?,
    };
    raise_file_limit();
    let folder = own_folder();
    let seed = match arguments.seed {
        Some(seed) => seed,
        None => u64::from(getrandom::u32().map_err(|error| anyhow!("no seed: {error}"))?),
    };
    say::line(&format!("seed {seed}"));
    let mut stage = Stage {
        threads: thread::available_parallelism().map_or(2, usize::from),
        arguments,
        binary,
        folder,
        seed,
        cluster: None,
        relay: None,
    };
    let mut report = Report::default();
    let ended = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(until_stopped(&mut stage, &scenarios, &kinds, &mut report));
    if !stage.arguments.keep {
        let _ = fs::remove_dir_all(&stage.folder);
    }
    drop(stage);
    println!("\n{}", report.table());
    ended?;
    if !report.all_held() {
        bail!("{} promises were missed (seed {seed})", report.missed());
    }
    Ok(())
}

/// Runs everything, unless somebody says stop: then all that was started ends too.
async fn until_stopped(
    stage: &mut Stage,
    scenarios: &[Scenario],
    kinds: &[Kind],
    report: &mut Report,
) -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        () = run_all(stage, scenarios, kinds, report) => Ok(()),
        _ = interrupt.recv() => bail!("interrupted"),
        _ = terminate.recv() => bail!("stopped"),
    }
}

/// A folder for this run alone; those of runs that have ended go.
fn own_folder() -> PathBuf {
    let all = shell::target("attack");
    for entry in fs::read_dir(&all).into_iter().flatten().flatten() {
        let runs = entry
            .file_name()
            .to_str()
            .is_some_and(|id| Path::new("/proc").join(id).exists());
        if !runs {
            faults::clean(&entry.path());
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    all.join(std::process::id().to_string())
}

async fn run_all(stage: &mut Stage, scenarios: &[Scenario], kinds: &[Kind], report: &mut Report) {
    for scenario in scenarios {
        for kind in kinds.iter().filter(|kind| scenario.kinds().contains(kind)) {
            let name = scenario.name();
            say::line(&format!("{name}, {}", kind.name()));
            report.begin(&name, kind.name());
            if let Err(error) = scenario.run(stage, *kind, report).await {
                report.row("runs to its end", "yes", format!("{error:#}"), false);
            }
        }
    }
}

fn list() {
    for scenario in Scenario::value_variants() {
        let (what, tests) = scenario.shows();
        let on: Vec<&str> = scenario.kinds().iter().map(|kind| kind.name()).collect();
        println!(
            "{}: {what}\n    on {}; {tests}",
            scenario.name(),
            on.join(" and ")
        );
    }
}

/// Hundreds of clients need more files than a login shell may open. What we start inherits it.
fn raise_file_limit() {
    let own = std::process::id().to_string();
    let raised = shell::output(Command::new("prlimit").args(["--pid", &own, "--nofile=16384:"]));
    if raised.is_err() {
        say::line("  the limit of open files stays as it is; if clients fail, raise it: ulimit -n 16384");
    }
}
