//! Nine o'clock in an office: everybody behind one address, some mistype, half wait for a mailed code.

use std::{sync::Arc, time::Duration};

use anyhow::Result;

use super::{
    Kind, Stage,
    client::{Arrival, Browser, Outcome},
    load::{Tally, each, over},
    nodes::{COMPANY, Codes, Nodes, PASSWORD, Wanted, account, email},
    report::Report,
    sink::Sink,
};

const ADDRESS: &str = "203.0.113.50";
/// How long a person takes to type the password again.
const AGAIN: Duration = Duration::from_secs(3);
const MAIL_PATIENCE: Duration = Duration::from_mins(2);

/// How the morning of one agent went.
struct Morning {
    /// What the mistyped password led to.
    mistyped: Option<Outcome>,
    /// What the right one led to, and the code if there was one.
    arrival: Arrival,
}

/// The morning of 500 agents.
///
/// # Errors
/// The nodes do not start.
pub async fn run(stage: &mut Stage, kind: Kind, report: &mut Report) -> Result<()> {
    let agents = stage.count(500);
    let minute = stage.either(Duration::from_mins(1), Duration::from_secs(6));
    let sink = Arc::new(Sink::start().await?);
    let wanted = Wanted {
        name: "office",
        accounts: agents,
        codes: Codes::Half,
        mail_port: Some(sink.port),
        clocks: false,
        folder: None,
    };
    let nodes = Nodes::start(stage, kind, wanted).await?;
    let mornings = each(agents, agents, over(minute, agents), |number| {
        morning(nodes.web.browser(ADDRESS), number, Arc::clone(&sink))
    })
    .await?;

    let tally = Tally::of(mornings.iter().map(|morning| &morning.arrival));
    let what = format!("{agents} agents behind one address in {} s", minute.as_secs());
    report.row(what, "all in", tally.words(), tally.count(&Outcome::In) == agents);
    let mut mistyped = Tally::default();
    for outcome in mornings.iter().filter_map(|morning| morning.mistyped.as_ref()) {
        mistyped.add(outcome);
    }
    let honest = mornings
        .iter()
        .filter_map(|morning| morning.mistyped.as_ref())
        .all(|outcome| matches!(outcome, Outcome::Wrong | Outcome::Back));
    report.row("those who mistyped", "told so, no wait", mistyped.words(), honest);
    let limited = mornings
        .iter()
        .flat_map(|morning| morning.mistyped.iter().chain([&morning.arrival.outcome]))
        .filter(|outcome| matches!(outcome, Outcome::Limited(_)))
        .count();
    report.row(
        "told to wait by the address",
        "0",
        limited.to_string(),
        limited == 0,
    );
    Ok(())
}

/// One agent in twenty mistypes, with and without a code.
const fn mistypes(number: usize) -> bool {
    matches!(number % 40, 7 | 24)
}

async fn morning(mut browser: Browser, number: usize, sink: Arc<Sink>) -> Morning {
    let name = account(number);
    let mut mistyped = None;
    if mistypes(number) {
        let wrong = format!("{PASSWORD}q");
        mistyped = Some(browser.sign_in(COMPANY, &name, &wrong).await.outcome);
        tokio::time::sleep(AGAIN).await;
    }
    let seen = sink.codes(&email(number));
    let mut arrival = browser.sign_in(COMPANY, &name, PASSWORD).await;
    if arrival.outcome == Outcome::Code
        && let Some(code) = sink.code_after(&email(number), seen, MAIL_PATIENCE).await
    {
        arrival.outcome = browser.enter_code(&code, false).await;
    }
    Morning { mistyped, arrival }
}
