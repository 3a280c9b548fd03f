//! Every pair of use cases at once, at the same account, company and address.

use std::{fmt, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use tokio::task::{JoinSet, spawn_blocking};

use super::{
    Kind, Stage,
    client::{Browser, Outcome},
    load::Tally,
    nodes::{ADMIN, COMPANY, Codes, Nodes, PASSWORD, Wanted, account, email},
    report::Report,
    sink::Sink,
};
use crate::shell;

/// So many times as often where nothing is to be prepared.
const QUICK: usize = 6;
const MAIL_PATIENCE: Duration = Duration::from_mins(1);
/// What PostgreSQL writes into its log.
const WORD: &str = "deadlock detected";
const OTHER_PASSWORD: &str = "brass-candle-orchard-58";

/// One use case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    RightPassword,
    WrongPassword,
    UnknownAccount,
    RightCode,
    WrongCode,
    Cancel,
    Logout,
    StepUp,
    ChangePassword,
    EndOthers,
    ForgotPassword,
    AdminUnlocks,
    AdminEndsSessions,
    AdminIssuesCode,
    OperatorUnlocks,
    OperatorEndsSessions,
    OperatorSetsPassword,
    OperatorChangesPolicy,
    OperatorDisables,
}

impl Act {
    const ALL: [Self; 19] = [
        Self::RightPassword,
        Self::WrongPassword,
        Self::UnknownAccount,
        Self::RightCode,
        Self::WrongCode,
        Self::Cancel,
        Self::Logout,
        Self::StepUp,
        Self::ChangePassword,
        Self::EndOthers,
        Self::ForgotPassword,
        Self::AdminUnlocks,
        Self::AdminEndsSessions,
        Self::AdminIssuesCode,
        Self::OperatorUnlocks,
        Self::OperatorEndsSessions,
        Self::OperatorSetsPassword,
        Self::OperatorChangesPolicy,
        Self::OperatorDisables,
    ];

    /// How far its browser has come before.
    const fn needs(self) -> Before {
        match self {
            Self::RightCode | Self::WrongCode | Self::Cancel => Before::Pending,
            Self::Logout | Self::StepUp | Self::ChangePassword | Self::EndOthers => Before::SignedIn,
            Self::AdminUnlocks | Self::AdminEndsSessions | Self::AdminIssuesCode => Before::Admin,
            _ => Before::Nothing,
        }
    }

    /// Rounds that cost nothing to prepare are played more often.
    const fn is_quick(self) -> bool {
        matches!(
            self,
            Self::RightPassword | Self::WrongPassword | Self::UnknownAccount | Self::ForgotPassword
        )
    }

    /// How often at once: three are what it takes to fall over each other, more than five codes an account does not get.
    const fn copies(self) -> usize {
        match self.needs() {
            Before::Nothing => 3,
            _ => 2,
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    Pending,
    SignedIn,
    Admin,
}

/// Somebody ready to act.
struct Ready {
    act: Act,
    browser: Browser,
    name: String,
    email: String,
    id: String,
    code: String,
}

/// What all rounds share.
struct Scene {
    nodes: Arc<Nodes>,
    sink: Sink,
    next_source: usize,
}

/// All pairs, some rounds.
///
/// # Errors
/// The nodes do not start.
pub async fn run(stage: &mut Stage, kind: Kind, report: &mut Report) -> Result<()> {
    let rounds = stage.either(3, 2);
    let step = stage.either(1, 5);
    let pairs: Vec<(Act, Act, usize)> = Act::ALL
        .into_iter()
        .enumerate()
        .flat_map(|(index, one)| Act::ALL.into_iter().skip(index).map(move |other| (one, other)))
        .step_by(step)
        .map(|(one, other)| {
            let quick = one.is_quick() && other.is_quick();
            (one, other, if quick { rounds * QUICK } else { rounds })
        })
        .collect();
    let sink = Sink::start().await?;
    let wanted = Wanted {
        name: "deadlocks",
        accounts: pairs.iter().map(|(_, _, rounds)| rounds).sum(),
        codes: Codes::Everybody,
        mail_port: Some(sink.port),
        clocks: false,
        folder: None,
    };
    let nodes = Arc::new(Nodes::start(stage, kind, wanted).await?);
    let mut scene = Scene {
        nodes,
        sink,
        next_source: 0,
    };
    let before = deadlocks(stage, &scene.nodes)?;
    let logged = stage.cluster()?.log_lines(WORD).len();
    let mut tally = Tally::default();
    let mut faults = Vec::new();
    let mut locked = Vec::new();
    let mut number = 0;
    for (one, other, rounds) in &pairs {
        let seen = stage.cluster()?.log_lines(WORD).len();
        for _ in 0..*rounds {
            for (act, outcome) in scene.round(stage, number, *one, *other).await? {
                if outcome.is_fault() || matches!(outcome, Outcome::Busy(_) | Outcome::Silence) {
                    faults.push(format!("{act} beside {one} and {other}: {outcome}"));
                }
                tally.add(&outcome);
            }
            number += 1;
        }
        if stage.cluster()?.log_lines(WORD).len() > seen {
            locked.push(format!("{one} and {other}"));
        }
    }
    doomed(&scene.nodes, stage.either(5, 2), &mut tally, &mut faults).await?;
    let found = stage.cluster()?.log_lines(WORD).len() - logged;
    let counted = deadlocks(stage, &scene.nodes)? - before;
    let what = format!("{} pairs, {rounds} rounds, 4 to 6 acts at once", pairs.len());
    report.tell(what, tally.words());
    report.row(
        "deadlocks in PostgreSQL's log, and as it counts them",
        "0, 0",
        format!("{found}, {counted} {}", first(&locked)),
        found == 0 && counted == 0,
    );
    report.row(
        "answers with 5xx, or none",
        "0",
        format!("{} {}", faults.len(), first(&faults)),
        faults.is_empty(),
    );
    Ok(())
}

/// The first few, for somebody who looks for a cause.
fn first(found: &[String]) -> String {
    if found.is_empty() {
        return String::new();
    }
    format!("({})", found[..found.len().min(4)].join("; "))
}

fn deadlocks(stage: &Stage, nodes: &Nodes) -> Result<i64> {
    nodes.number(
        stage,
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()",
    )
}

impl Scene {
    /// Both use cases at once at one fresh account, from one address.
    async fn round(
        &mut self,
        stage: &Stage,
        number: usize,
        one: Act,
        other: Act,
    ) -> Result<Vec<(Act, Outcome)>> {
        let mut ready = Vec::new();
        for act in [one, other] {
            for _ in 0..act.copies() {
                ready.push(self.prepare(stage, number, act).await?);
            }
        }
        let [.., high, low] = number.to_be_bytes();
        let mut running = JoinSet::new();
        for mut person in ready {
            person.browser.moves_to(format!("10.200.{high}.{low}"));
            let nodes = Arc::clone(&self.nodes);
            running.spawn(async move { (person.act, person.act(nodes).await) });
        }
        let mut outcomes = Vec::new();
        while let Some(done) = running.join_next().await {
            outcomes.push(done?);
        }
        if [one, other].contains(&Act::OperatorDisables) {
            self.nodes.operator(&["company", "enable", "--name", COMPANY])?;
        }
        Ok(outcomes)
    }

    async fn prepare(&mut self, stage: &Stage, number: usize, act: Act) -> Result<Ready> {
        self.next_source += 1;
        let [.., a, b] = self.next_source.to_be_bytes();
        let mut ready = Ready {
            act,
            // Far from the address that is fought over.
            browser: self.nodes.web.browser(format!("10.100.{a}.{b}")),
            name: account(number),
            email: email(number),
            id: String::new(),
            code: String::new(),
        };
        match act.needs() {
            Before::Nothing => {}
            Before::Pending => self.past_password(number, &mut ready).await?,
            Before::SignedIn => {
                self.past_password(number, &mut ready).await?;
                ready.browser.enter_code(&ready.code, false).await;
            }
            Before::Admin => {
                ready.browser.sign_in(COMPANY, ADMIN, PASSWORD).await;
                let query = format!("SELECT id FROM account WHERE name = '{}'", ready.name);
                ready.id = self
                    .nodes
                    .sql(stage, &query)?
                    .first()
                    .cloned()
                    .context("no account")?;
            }
        }
        Ok(ready)
    }

    async fn past_password(&self, number: usize, ready: &mut Ready) -> Result<()> {
        let seen = self.sink.codes(&email(number));
        let arrival = ready.browser.sign_in(COMPANY, &ready.name, PASSWORD).await;
        ready.code = self
            .sink
            .code_after(&email(number), seen, MAIL_PATIENCE)
            .await
            .with_context(|| format!("no code came after: {}", arrival.outcome))?;
        Ok(())
    }
}

impl Ready {
    async fn act(mut self, nodes: Arc<Nodes>) -> Outcome {
        let browser = &mut self.browser;
        let arrival = match self.act {
            Act::RightPassword => browser.sign_in(COMPANY, &self.name, PASSWORD).await,
            Act::WrongPassword => browser.sign_in(COMPANY, &self.name, OTHER_PASSWORD).await,
            Act::UnknownAccount => browser.sign_in(COMPANY, "nobody", PASSWORD).await,
            Act::RightCode => return browser.enter_code(&self.code, true).await,
            Act::WrongCode => {
                let wrong = if self.code == "111111" { "222222" } else { "111111" };
                return browser.enter_code(wrong, false).await;
            }
            Act::Cancel => browser.submit("/login/code/cancel", &[]).await,
            Act::Logout => browser.submit("/logout", &[]).await,
            Act::StepUp => {
                browser
                    .submit("/profile/confirm", &[("password", PASSWORD), ("next", "")])
                    .await
            }
            Act::ChangePassword => {
                let fields = [
                    ("old_password", PASSWORD),
                    ("new_password", OTHER_PASSWORD),
                    ("confirm_password", OTHER_PASSWORD),
                ];
                browser.submit("/profile/password", &fields).await
            }
            Act::EndOthers => browser.submit("/profile/security/sessions/end-others", &[]).await,
            Act::ForgotPassword => {
                let fields = [("company", COMPANY), ("email", self.email.as_str())];
                browser.submit("/forgot-password", &fields).await
            }
            Act::AdminUnlocks => browser.submit("/admin/agents/unlock", &[("id", &self.id)]).await,
            Act::AdminEndsSessions => {
                browser
                    .submit("/admin/agents/end-sessions", &[("id", &self.id)])
                    .await
            }
            Act::AdminIssuesCode => {
                let fields = [("id", self.id.as_str()), ("reason", "Lost phone")];
                browser.submit("/admin/agents/backup-code", &fields).await
            }
            _ => return self.operate(nodes).await,
        };
        arrival.outcome
    }

    /// What the operator does from the command line.
    async fn operate(self, nodes: Arc<Nodes>) -> Outcome {
        let of_account = ["--company", COMPANY, "--account", self.name.as_str()];
        let (words, input): (Vec<&str>, &str) = match self.act {
            Act::OperatorUnlocks => ([&["account", "unlock"], &of_account[..]].concat(), ""),
            Act::OperatorEndsSessions => (vec!["session", "end", "--company", COMPANY], ""),
            Act::OperatorSetsPassword => (
                [&["account", "set-password", "--password-stdin"], &of_account[..]].concat(),
                OTHER_PASSWORD,
            ),
            Act::OperatorChangesPolicy => (
                vec!["company", "set", "--name", COMPANY, "--log-out-after", "60"],
                "",
            ),
            _ => (vec!["company", "disable", "--name", COMPANY], ""),
        };
        operate(&nodes, &words, input).await
    }
}

/// A command of the operator: done, or refused for a reason; a failing database is a fault.
async fn operate(nodes: &Nodes, words: &[&str], input: &str) -> Outcome {
    let mut command = nodes.settings.command(words);
    let input = format!("{input}\n");
    let ended = spawn_blocking(move || shell::fed(&mut command, &input)).await;
    match ended {
        Ok(Err(error)) if format!("{error:#}").contains("database") => Outcome::Status(500),
        Ok(_) => Outcome::In,
        Err(_) => Outcome::Silence,
    }
}

/// Companies are deleted while their people sign in.
async fn doomed(
    nodes: &Arc<Nodes>,
    rounds: usize,
    tally: &mut Tally,
    faults: &mut Vec<String>,
) -> Result<()> {
    for round in 0..rounds {
        let company = format!("Doomed {round}");
        nodes.operator(&["company", "create", "--name", &company])?;
        let mut create =
            nodes
                .settings
                .command(&["account", "create", "--company", &company, "--account", "last"]);
        create.args(["--email", "last@doomed.test", "--first-name", "Last"]);
        create.args(["--second-factor", "none", "--password-stdin"]);
        spawn_blocking(move || shell::fed(&mut create, &format!("{PASSWORD}\n"))).await??;
        let mut running = JoinSet::new();
        for number in 0..8 {
            let mut browser = nodes.web.browser(format!("10.201.{round}.{number}"));
            let company = company.clone();
            let password = if number % 2 == 0 { PASSWORD } else { OTHER_PASSWORD };
            running.spawn(async move { browser.sign_in(&company, "last", password).await.outcome });
        }
        let deleting = Arc::clone(nodes);
        running.spawn(async move {
            let words = ["company", "delete", "--name", &company, "--confirm", &company];
            operate(&deleting, &words, "").await
        });
        while let Some(done) = running.join_next().await {
            let outcome = done?;
            if outcome.is_fault() || matches!(outcome, Outcome::Busy(_) | Outcome::Silence) {
                faults.push(format!("while a company is deleted: {outcome}"));
            }
            tally.add(&outcome);
        }
    }
    Ok(())
}
