//! What a storm leaves behind.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::{
    Kind, Stage,
    load::{Tally, at_once, each, megabytes},
    nodes::{COMPANY, Codes, Nodes, PASSWORD, Wanted, account},
    report::Report,
};

/// What a node may need besides its hashing threads.
const REST: u64 = 40_000_000;
/// What a hashing thread keeps (N5).
const THREAD: u64 = 19 * 1024 * 1024;
/// How long the operating system may take to get it back.
const SETTLED: Duration = Duration::from_secs(30);

/// Memory of every node some seconds after a storm.
///
/// # Errors
/// The nodes do not start.
pub async fn run(stage: &mut Stage, kind: Kind, report: &mut Report) -> Result<()> {
    let (agents, connections) = (stage.count(1000), stage.count(200));
    let wanted = Wanted {
        name: "memory",
        accounts: agents,
        codes: Codes::Nobody,
        mail_port: None,
        clocks: false,
        folder: None,
    };
    let nodes = Nodes::start(stage, kind, wanted).await?;
    let idle = nodes.memory().into_iter().max().unwrap_or_default();
    report.tell("before it", megabytes(idle));
    let arrivals = each(agents, connections, at_once, |number| {
        // An address each: what is measured is memory, not the limits by address.
        let mut browser = nodes
            .web
            .browser(format!("10.0.{}.{}", number / 250, number % 250));
        async move { browser.sign_in(COMPANY, &account(number), PASSWORD).await }
    })
    .await?;
    report.tell(
        format!("{agents} sign-ins over {connections} connections"),
        Tally::of(&arrivals).words(),
    );
    let threads = u64::try_from(stage.threads)?;
    let allowed = REST + THREAD * threads;
    let peak = nodes.memory().into_iter().max().unwrap_or_default();
    report.tell("at its end", megabytes(peak));
    let begun = Instant::now();
    let mut most = peak;
    while most > allowed && begun.elapsed() < SETTLED {
        tokio::time::sleep(Duration::from_secs(1)).await;
        most = nodes.memory().into_iter().max().unwrap_or(u64::MAX);
    }
    let files = nodes.memory_of_files().into_iter().max().unwrap_or_default();
    report.tell("pages of files in it", megabytes(files));
    report.row(
        format!("the larger node after {} s", begun.elapsed().as_secs()),
        &format!("{} ({threads} hashing threads)", megabytes(allowed)),
        megabytes(most),
        most <= allowed,
    );
    Ok(())
}
