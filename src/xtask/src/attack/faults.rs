//! Bad days, one after the other and at random, under load.

mod agents;
mod disk;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use tokio::{task::block_in_place, time::sleep};

use self::{
    agents::{AT_WORK, Record, Seen, Shift, accounts_each},
    disk::Disk,
};
use super::{
    Kind, Stage,
    client::Outcome,
    load::wait_until,
    nodes::{ADMIN, COMPANY, Codes, Nodes, PASSWORD, Wanted, account},
    report::Report,
    sink::{Mood, Sink},
};

/// Between two faults.
const CALM: Duration = Duration::from_secs(3);
/// How long it may take until everybody can sign in again.
const HEALED: Duration = Duration::from_secs(30);

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Kill,
    Restart,
    DiskFull,
    DatabaseHeld,
    DatabaseStopped,
    DatabaseSilent,
    MailDown,
    MailSlow,
    MailLater,
    Clock,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kill => "kill -9",
            Self::Restart => "restart",
            Self::DiskFull => "disk full",
            Self::DatabaseHeld => "database held by another process",
            Self::DatabaseStopped => "database stopped at once",
            Self::DatabaseSilent => "database silent",
            Self::MailDown => "mail down",
            Self::MailSlow => "mail slow",
            Self::MailLater => "mail says 451",
            Self::Clock => "clock steps",
        })
    }
}

/// Where the small disk of a run is mounted, given the run's folder.
fn disk_in(folder: &Path) -> PathBuf {
    folder.join("disk")
}

/// Undoes what a killed run has left mounted in its folder.
pub fn clean(folder: &Path) {
    Disk::leftover(&disk_in(folder));
}

/// Random faults, then the invariants.
///
/// # Errors
/// The nodes do not start, or a fault cannot be made.
pub async fn run(stage: &mut Stage, kind: Kind, report: &mut Report) -> Result<()> {
    let minutes = stage.arguments.minutes.unwrap_or(stage.either(30, 2));
    let disk = match kind {
        Kind::Sqlite => Disk::mount(&disk_in(&stage.folder)),
        Kind::Postgres => Err(anyhow::anyhow!("the disk of PostgreSQL is not ours to fill")),
    };
    let disk = match disk {
        Ok(disk) => Some(disk),
        Err(why) => {
            report.tell("disk full: not tried", format!("{why:#}"));
            None
        }
    };
    let sink = Arc::new(Sink::start().await?);
    let wanted = Wanted {
        name: "faults",
        accounts: AT_WORK * accounts_each(minutes),
        codes: Codes::Everybody,
        mail_port: Some(sink.port),
        clocks: true,
        folder: disk.as_ref().map(Disk::data),
    };
    // After the disk, so that it ends before the disk does.
    let nodes = Nodes::start(stage, kind, wanted).await?;
    let shift = Shift::begin(&nodes, &sink, stage.seed, accounts_each(minutes));
    let mut day = Day {
        kind,
        nodes,
        sink,
        disk: disk.as_ref(),
        random: StdRng::seed_from_u64(stage.seed),
        faults: Vec::new(),
        not_healed: Vec::new(),
        longest: Duration::ZERO,
    };
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(60 * u64::from(minutes)) {
        sleep(CALM).await;
        day.one(stage).await?;
    }
    sleep(CALM).await;
    let (seen, records) = shift.end().await;
    day.tell(report, minutes);
    answers(report, &seen);
    invariants(stage, &day, &records, report)
}

/// One run of faults.
struct Day<'a> {
    kind: Kind,
    nodes: Nodes,
    sink: Arc<Sink>,
    disk: Option<&'a Disk>,
    random: StdRng,
    faults: Vec<Fault>,
    not_healed: Vec<String>,
    longest: Duration,
}

impl Day<'_> {
    /// Makes one fault, ends it, and waits until all is well.
    async fn one(&mut self, stage: &mut Stage) -> Result<()> {
        let mut possible = vec![
            Fault::Kill,
            Fault::Restart,
            Fault::MailDown,
            Fault::MailSlow,
            Fault::MailLater,
            Fault::Clock,
        ];
        match self.kind {
            Kind::Sqlite => {
                possible.push(Fault::DatabaseHeld);
                possible.extend(self.disk.map(|_| Fault::DiskFull));
            }
            Kind::Postgres => possible.extend([Fault::DatabaseStopped, Fault::DatabaseSilent]),
        }
        // Each of them once before chance decides.
        let fresh: Vec<Fault> = possible
            .iter()
            .copied()
            .filter(|fault| !self.faults.contains(fault))
            .collect();
        let choices = if fresh.is_empty() { possible } else { fresh };
        let fault = *choices.choose(&mut self.random).context("no fault")?;
        self.faults.push(fault);
        self.make(stage, fault).await?;
        let ended = Instant::now();
        if self.all_is_well().await? {
            self.longest = self.longest.max(ended.elapsed());
        } else {
            self.not_healed.push(fault.to_string());
            // The rest of the day is worth nothing on a node that is broken.
            for number in 0..self.nodes.count() {
                self.nodes.kill_node(number);
                self.nodes.start_node(number).await?;
            }
        }
        Ok(())
    }

    async fn make(&mut self, stage: &mut Stage, fault: Fault) -> Result<()> {
        let seconds = self.random.random_range(2..=8);
        let time = Duration::from_secs(seconds);
        match fault {
            Fault::Kill => {
                let number = self.random.random_range(0..self.nodes.count());
                self.nodes.kill_node(number);
                sleep(time / 4).await;
                self.nodes.start_node(number).await?;
            }
            Fault::Restart => {
                let number = self.random.random_range(0..self.nodes.count());
                self.nodes.stop_node(number).await?;
                self.nodes.start_node(number).await?;
            }
            Fault::DiskFull => {
                let disk = self.disk.context("no disk of our own")?;
                block_in_place(|| disk.fill())?;
                sleep(time).await;
                disk.free()?;
            }
            Fault::DatabaseHeld => {
                let holding = self.nodes.hold_database()?;
                sleep(time).await;
                drop(holding);
            }
            Fault::DatabaseStopped => {
                block_in_place(|| stage.cluster()?.stop_at_once())?;
                sleep(time).await;
                block_in_place(|| stage.cluster()?.start_again())?;
            }
            Fault::DatabaseSilent => {
                stage.cluster()?.freeze(true)?;
                sleep(time).await;
                stage.cluster()?.freeze(false)?;
            }
            Fault::MailDown => self.mail(Mood::Down, time * 2).await,
            Fault::MailSlow => self.mail(Mood::Slow(Duration::from_secs(20)), time * 2).await,
            Fault::MailLater => self.mail(Mood::Later, time * 2).await,
            Fault::Clock => {
                let steps = [90, -90, 3600, -3600, 400 * 86_400];
                let step = *steps.choose(&mut self.random).context("no step")?;
                for number in 0..self.nodes.count() {
                    self.nodes.set_clock(number, step)?;
                }
                sleep(time).await;
                for number in 0..self.nodes.count() {
                    self.nodes.set_clock(number, 0)?;
                }
            }
        }
        Ok(())
    }

    async fn mail(&self, mood: Mood, time: Duration) {
        self.sink.set(mood);
        sleep(time).await;
        self.sink.set(Mood::Willing);
    }

    /// Whether somebody can sign in at every node, without any help but time.
    async fn all_is_well(&mut self) -> Result<bool> {
        for number in 0..self.nodes.count() {
            let web = self.nodes.node(number, None)?;
            let source = format!("10.5.{number}.{}", self.faults.len() % 250);
            let well = wait_until(HEALED, || {
                let mut browser = web.browser(source.as_str());
                async move { browser.sign_in(COMPANY, ADMIN, PASSWORD).await.outcome == Outcome::In }
            })
            .await;
            if !well || !self.nodes.runs(number) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn tell(&self, report: &mut Report, minutes: u16) {
        let mut kinds: Vec<String> = Vec::new();
        for fault in &self.faults {
            let name = fault.to_string();
            if !kinds.iter().any(|kind| kind.ends_with(&name)) {
                let count = self.faults.iter().filter(|other| *other == fault).count();
                kinds.push(format!("{count} x {name}"));
            }
        }
        report.tell(
            format!("{} faults in {minutes} min", self.faults.len()),
            kinds.join(", "),
        );
        report.row(
            "everybody can sign in again after each, without a restart",
            &format!("within {} s", HEALED.as_secs()),
            if self.not_healed.is_empty() {
                format!("at most {:.1} s", self.longest.as_secs_f64())
            } else {
                format!("not after: {}", self.not_healed.join(", "))
            },
            self.not_healed.is_empty(),
        );
    }
}

/// What people saw.
fn answers(report: &mut Report, seen: &Seen) {
    report.tell("all answers", seen.answers.words());
    report.row("answers with 500", "0", seen.faults.to_string(), seen.faults == 0);
    told(report, "what must never happen", &seen.problems);
    told(
        report,
        "right passwords and codes that were refused",
        &seen.hardships,
    );
}

fn told(report: &mut Report, what: &str, found: &[String]) {
    let some = found.iter().take(3).cloned().collect::<Vec<_>>().join("; ");
    let measured = format!("{} {some}", found.len());
    report.row(what, "none", measured.trim_end(), found.is_empty());
}

/// What must stand in the database at the end (section 12).
fn invariants(stage: &Stage, day: &Day<'_>, records: &[(usize, Record)], report: &mut Report) -> Result<()> {
    let nodes = &day.nodes;
    if day.kind == Kind::Sqlite {
        let found = nodes.sql(stage, "PRAGMA integrity_check; PRAGMA foreign_key_check;")?;
        let whole = found == ["ok"];
        report.row("the database file", "whole", found.join(" "), whole);
    }
    counts(stage, nodes, records, report)?;
    let of_account = "FROM account a WHERE a.company_id = x.company_id AND a.id = x.account_id";
    let signed_in = "FROM audit_event e WHERE e.company_id = x.company_id AND e.target_id = x.account_id
         AND e.event = 'signed_in'";
    let mut none = vec![(
        "sessions without a sign-in in the audit log".to_owned(),
        format!("SELECT COUNT(*) FROM session x WHERE NOT EXISTS (SELECT 1 {signed_in})"),
    )];
    none.push((
        "accounts with more sessions than sign-ins in the audit log".to_owned(),
        "SELECT COUNT(*) FROM account a WHERE (SELECT COUNT(*) FROM session x WHERE x.account_id = a.id) >
             (SELECT COUNT(*) FROM audit_event e WHERE e.target_id = a.id AND e.event = 'signed_in')"
            .to_owned(),
    ));
    none.push((
        "mails to another address than the account's".to_owned(),
        "SELECT COUNT(*) FROM mail_outbox o JOIN account a ON a.company_id = o.company_id AND a.id = o.account_id
         WHERE o.receiver <> a.email"
            .to_owned(),
    ));
    for table in [
        "session",
        "pending_sign_in",
        "one_time_code",
        "trusted_browser",
        "mail_outbox",
    ] {
        none.push((
            format!("rows of {table} that link two companies"),
            format!("SELECT COUNT(*) FROM {table} x WHERE NOT EXISTS (SELECT 1 {of_account})"),
        ));
    }
    for (what, statement) in none {
        let found = nodes.number(stage, &statement)?;
        report.row(what, "0", found.to_string(), found == 0);
    }
    let (mails, odd) = day.sink.taken();
    let what = format!("of {mails} mails taken, those with another number of receivers than one");
    report.row(what, "0", odd.to_string(), odd == 0);
    let secrets = nodes.logs_with(PASSWORD);
    report.row(
        "lines of the logs with a password",
        "0",
        secrets.to_string(),
        secrets == 0,
    );
    locks(nodes, records, report)
}

/// Nothing counted was forgotten, and nothing was counted that nobody did.
fn counts(stage: &Stage, nodes: &Nodes, records: &[(usize, Record)], report: &mut Report) -> Result<()> {
    let rows = nodes.sql(
        stage,
        "SELECT a.name, a.wrong_codes, (SELECT COUNT(*) FROM audit_event e
         WHERE e.company_id = a.company_id AND e.target_id = a.id AND e.event = 'signed_in') FROM account a",
    )?;
    let mut forgotten = Vec::new();
    let mut invented = Vec::new();
    let mut silent = Vec::new();
    for (number, record) in records {
        let name = account(*number);
        let row = rows
            .iter()
            .find_map(|row| row.strip_prefix(&format!("{name}|"))?.split_once('|'))
            .with_context(|| format!("{name} is gone"))?;
        let (counted, signed_in): (u32, u32) = (row.0.parse()?, row.1.parse()?);
        if counted < record.least {
            forgotten.push(format!(
                "{name}: {counted} of {} ({})",
                record.least,
                record.diary()
            ));
        }
        if counted > record.most {
            let diary = record.diary();
            invented.push(format!("{name}: {counted} instead of {} ({diary})", record.most));
        }
        if signed_in < record.signed_in || signed_in > record.signed_in + record.perhaps {
            silent.push(format!("{name}: {signed_in} of {}", record.signed_in));
        }
    }
    told(report, "answered wrong codes that are not counted", &forgotten);
    told(report, "counted wrong codes that nobody entered", &invented);
    told(
        report,
        "sign-ins that the audit log does not have, or has too often",
        &silent,
    );
    Ok(())
}

/// One truth about who is locked: what the gate says and what the operator sees.
fn locks(nodes: &Nodes, records: &[(usize, Record)], report: &mut Report) -> Result<()> {
    let list = nodes.operator(&["account", "list", "--company", COMPANY, "--json"])?;
    let list: Vec<serde_json::Value> = serde_json::from_str(&list)?;
    let mut wrong = Vec::new();
    for (number, record) in records {
        let name = account(*number);
        let shown = list
            .iter()
            .find(|account| account["account"] == name.as_str())
            .is_some_and(|account| !account["locked_at"].is_null());
        if (record.least >= 5 && !shown) || (record.most < 5 && shown) {
            wrong.push(name);
        }
    }
    told(
        report,
        "accounts whose lock the operator does not see as it is",
        &wrong,
    );
    Ok(())
}
