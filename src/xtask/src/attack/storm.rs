//! Everybody is right, and everybody comes at once.

use std::time::Duration;

use anyhow::Result;

use super::{
    Kind, Stage,
    client::Outcome,
    load::{Tally, at_once, each, over},
    nodes::{COMPANY, Codes, Nodes, PASSWORD, Wanted, account},
    report::Report,
};

/// Right sign-ins of different agents from one address each time.
///
/// # Errors
/// The nodes do not start.
pub async fn run(stage: &mut Stage, kind: Kind, report: &mut Report) -> Result<()> {
    let wanted = Wanted {
        name: "storm",
        accounts: stage.count(1000),
        codes: Codes::Nobody,
        mail_port: None,
        clocks: false,
        folder: None,
    };
    let nodes = Nodes::start(stage, kind, wanted).await?;
    let all = usize::MAX >> 4;
    let (thirty, six_hundred, thousand) = (30, stage.count(600), stage.count(1000));
    let half_a_minute = stage.either(Duration::from_secs(30), Duration::from_secs(3));

    let arrivals = each(thirty, all, at_once, arrive(&nodes, "203.0.113.10")).await?;
    told(
        report,
        &format!("{thirty} at once from one address"),
        thirty,
        &Tally::of(&arrivals),
    );
    let arrivals = each(
        six_hundred,
        all,
        over(half_a_minute, six_hundred),
        arrive(&nodes, "203.0.113.20"),
    )
    .await?;
    let what = format!("{six_hundred} in {} s from one address", half_a_minute.as_secs());
    told(report, &what, six_hundred, &Tally::of(&arrivals));
    let connections = stage.count(200);
    let arrivals = each(thousand, connections, at_once, arrive(&nodes, "203.0.113.30")).await?;
    let what = format!("{thousand} over {connections} connections from one address");
    told(report, &what, thousand, &Tally::of(&arrivals));
    Ok(())
}

fn told(report: &mut Report, what: &str, count: usize, tally: &Tally) {
    let all_in = tally.count(&Outcome::In) == count;
    report.row(what, "all in", tally.words(), all_in);
}

/// Signs agents in, each in a browser of their own behind the same address.
fn arrive(
    nodes: &Nodes,
    source: &'static str,
) -> impl Fn(usize) -> std::pin::Pin<Box<dyn Future<Output = super::client::Arrival> + Send>> {
    let web = nodes.web.clone();
    move |number| {
        let mut browser = web.browser(source);
        Box::pin(async move { browser.sign_in(COMPANY, &account(number), PASSWORD).await })
    }
}
