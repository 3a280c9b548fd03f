//! A node whose clock is wrong.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result, ensure};

use super::{
    Kind, Stage,
    client::{Browser, Outcome, Web},
    load::{Tally, wait_until},
    nodes::{COMPANY, Codes, Nodes, PASSWORD, Wanted, account, email},
    report::Report,
    sink::Sink,
};

/// Agents, half of whom are asked for a code.
const AGENTS: usize = 20;
const MAIL_PATIENCE: Duration = Duration::from_mins(1);
/// Far longer than until a node looks at its clock again.
const NOTICED: Duration = Duration::from_secs(90);

/// Node 0 is right, node 1 is not.
struct Pair {
    nodes: Nodes,
    right: Web,
    wrong: Web,
    sink: Arc<Sink>,
}

/// Two seconds, 45 seconds, six minutes and forty, ahead and behind.
///
/// # Errors
/// The nodes do not start.
pub async fn run(stage: &mut Stage, kind: Kind, report: &mut Report) -> Result<()> {
    let sink = Arc::new(Sink::start().await?);
    let wanted = Wanted {
        name: "clocks",
        accounts: AGENTS,
        codes: Codes::Half,
        mail_port: Some(sink.port),
        clocks: true,
        folder: None,
    };
    let nodes = Nodes::start(stage, kind, wanted).await?;
    let pair = Pair {
        right: nodes.node(0, None)?,
        wrong: nodes.node(1, None)?,
        nodes,
        sink,
    };
    let healthy = pair.wrong.get("/readyz").await?;
    ensure!(
        healthy.status == 200,
        "/readyz answers {} before it",
        healthy.status
    );
    for seconds in [2, -2] {
        pair.little(seconds, report).await?;
    }
    pair.nodes.set_clock(1, 45)?;
    let told = wait_until(NOTICED, || async {
        let answer = pair.wrong.get("/readyz").await;
        answer.is_ok_and(|answer| answer.body != healthy.body)
    })
    .await;
    report.row("45 s ahead: /readyz says so", "yes", yes(told), told);
    for seconds in [6 * 60, -6 * 60, 40 * 60, -40 * 60] {
        pair.much(seconds, report).await?;
    }
    pair.nodes.set_clock(1, 0)?;
    let healed = wait_until(NOTICED, || async {
        let answer = pair.wrong.get("/readyz").await;
        answer.is_ok_and(|answer| answer.status == 200)
    })
    .await;
    report.row("right again: /readyz", "200", yes(healed), healed);
    Ok(())
}

impl Pair {
    /// A difference that nobody may notice.
    async fn little(&self, seconds: i64, report: &mut Report) -> Result<()> {
        self.nodes.set_clock(1, seconds)?;
        let mut again = 0;
        let mut split = Tally::default();
        for number in 0..AGENTS {
            // Password on one node, code and all that follows on the other.
            let (first, second) = if number % 4 < 2 {
                (&self.wrong, &self.right)
            } else {
                (&self.right, &self.wrong)
            };
            let (browser, outcome) = self.sign_in(number, seconds, first, second).await?;
            split.add(&outcome);
            let mut browser = browser.at(if number % 2 == 0 { second } else { first });
            // Whoever has just proved everything is not asked to prove it again.
            let answer = browser.post("/profile/security/email", &[]).await?;
            again += usize::from(answer.location.is_none_or(|to| to.contains("/confirm")));
        }
        report.row(
            format!("{seconds:+} s: {AGENTS} sign-ins split over the nodes"),
            "all in",
            split.words(),
            split.count(&Outcome::In) == AGENTS,
        );
        let what = format!("{seconds:+} s: asked to prove it again at once");
        report.row(what, "0", again.to_string(), again == 0);
        Ok(())
    }

    /// A difference that the operator has to hear of.
    async fn much(&self, seconds: i64, report: &mut Report) -> Result<()> {
        self.nodes.set_clock(1, 0)?;
        let mut browsers = Vec::new();
        for number in (0..AGENTS).filter(|number| !Codes::Half.asked_of(*number)) {
            let (browser, outcome) = self.sign_in(number, seconds, &self.right, &self.right).await?;
            ensure!(outcome == Outcome::In, "before the step: {outcome}");
            browsers.push(browser);
        }
        self.nodes.set_clock(1, seconds)?;
        for browser in &browsers {
            // What the wrong node answers is its affair; what it does to others' sessions is not.
            let _ = browser.at(&self.wrong).get("/agent").await;
        }
        let mut lost = 0;
        for browser in &mut browsers {
            lost += usize::from(browser.get("/agent").await?.status != 200);
        }
        report.row(
            format!(
                "{:+} min: sessions lost that asked the wrong node once",
                seconds / 60
            ),
            "0",
            format!("{lost} of {}", browsers.len()),
            lost == 0,
        );
        let told = wait_until(NOTICED, || async {
            let answer = self.wrong.get("/readyz").await;
            answer.is_ok_and(|answer| answer.status == 503)
        })
        .await;
        let what = format!("{:+} min: /readyz of the wrong node", seconds / 60);
        report.row(what, "503", if told { "503" } else { "200" }, told);
        Ok(())
    }

    /// Signs an agent in, a code on the other node.
    async fn sign_in(
        &self,
        number: usize,
        seconds: i64,
        first: &Web,
        second: &Web,
    ) -> Result<(Browser, Outcome)> {
        let seen = self.sink.codes(&email(number));
        let mut browser = first.browser(format!("10.2.{}.{number}", seconds.rem_euclid(200)));
        let outcome = browser.sign_in(COMPANY, &account(number), PASSWORD).await.outcome;
        if outcome != Outcome::Code {
            return Ok((browser, outcome));
        }
        let code = self.sink.code_after(&email(number), seen, MAIL_PATIENCE).await;
        let mut browser = browser.at(second);
        let outcome = browser.enter_code(&code.context("no code came")?, false).await;
        Ok((browser, outcome))
    }
}

fn yes(held: bool) -> &'static str {
    if held { "yes" } else { "no" }
}
