//! Codes and passwords guessed in parallel, over every node.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::{
    Kind, Stage,
    client::{Browser, Outcome},
    load::{Tally, at_once, each},
    nodes::{ADMIN, COMPANY, Codes, Nodes, PASSWORD, Wanted, account, email},
    report::Report,
    sink::Sink,
};

/// Guesses in parallel.
const GUESSES: usize = 200;
/// Wrong codes that are compared before the account is locked.
const COMPARED: usize = 5;
/// Every so manieth round the operator unlocks, and the guessing begins anew.
const UNLOCKED: usize = 10;
const MAIL_PATIENCE: Duration = Duration::from_mins(1);
/// The first wait after wrong passwords (N7), which doubles.
const FIRST_WAIT: u64 = 30;
/// Wrong passwords before it.
const FREE: i64 = 5;

/// Rounds of guessed codes, then guessed passwords.
///
/// # Errors
/// The nodes do not start, or a code does not come.
pub async fn run(stage: &mut Stage, kind: Kind, report: &mut Report) -> Result<()> {
    let rounds = usize::from(stage.arguments.rounds.unwrap_or(stage.either(100, 5)));
    let sink = Sink::start().await?;
    let wanted = Wanted {
        name: "guesses",
        accounts: rounds + 2,
        codes: Codes::Everybody,
        mail_port: Some(sink.port),
        clocks: false,
        folder: None,
    };
    let nodes = Nodes::start(stage, kind, wanted).await?;
    codes(&nodes, &sink, rounds, report).await?;
    passwords(stage, &nodes, &sink, rounds + 1, report).await
}

/// What the rounds found.
#[derive(Default)]
struct Found {
    most: usize,
    answers: Tally,
    let_in: usize,
    bystanders: Tally,
    right_after: Tally,
}

async fn codes(nodes: &Nodes, sink: &Sink, rounds: usize, report: &mut Report) -> Result<()> {
    let mut found = Found::default();
    let mut cycles = 0;
    for round in 0..rounds {
        guess(nodes, sink, round, COMPARED, &mut found).await?;
        cycles += 1;
        if round % UNLOCKED == 0 {
            let name = account(round);
            nodes.operator(&["account", "unlock", "--company", COMPANY, "--account", &name])?;
            guess(nodes, sink, round, 2 * COMPARED, &mut found).await?;
            cycles += 1;
        }
    }
    report.row(
        format!("{cycles} times {GUESSES} wrong codes in parallel: most that were compared"),
        "at most 5",
        format!("{} ({})", found.most, found.answers.words()),
        found.most <= COMPARED && found.let_in == 0,
    );
    report.row(
        "somebody else in the middle of each",
        "all in",
        found.bystanders.words(),
        found.bystanders.count(&Outcome::In) == cycles,
    );
    let refused = found.right_after.count(&Outcome::In) == 0;
    report.row(
        "the right code after each",
        "never in",
        found.right_after.words(),
        refused,
    );
    Ok(())
}

/// One cycle: two browsers past the password guess at once. `so_far`: most comparisons of this account since it exists.
async fn guess(nodes: &Nodes, sink: &Sink, round: usize, so_far: usize, found: &mut Found) -> Result<()> {
    let name = account(round);
    let mut browsers = Vec::new();
    let mut right = String::new();
    for place in ["198.51.100.1", "198.51.100.2"] {
        let mut browser = nodes.web.browser(place);
        let (outcome, code) = past_password(&mut browser, sink, round).await?;
        ensure!(outcome == Outcome::Code, "the password was right, but: {outcome}");
        right = code;
        browsers.push(browser);
    }
    let number: u32 = right.parse()?;
    let bystander = nodes.web.browser("198.51.100.99");
    let shared = Arc::new(browsers.clone());
    let outcomes = each(GUESSES + 1, GUESSES + 1, at_once, |guess| {
        let (shared, bystander) = (Arc::clone(&shared), bystander.clone());
        async move {
            // Somebody else, in the middle of them.
            if guess == GUESSES / 2 {
                return (true, sign_in_else(bystander).await);
            }
            let wrong = (number + 1 + u32::try_from(guess).unwrap_or_default()) % 1_000_000;
            let Some(browser) = shared.get(guess % shared.len()) else {
                return (false, Outcome::Silence);
            };
            let code = format!("{wrong:06}");
            (false, browser.clone().enter_code(&code, false).await)
        }
    })
    .await?;
    for (bystander, outcome) in &outcomes {
        if *bystander {
            found.bystanders.add(outcome);
        } else {
            found.answers.add(outcome);
            found.let_in += usize::from(*outcome == Outcome::In);
        }
    }
    let compared = compared(nodes, &name)?;
    found.most = found.most.max(compared.saturating_sub(so_far - COMPARED));
    if let Some(browser) = browsers.last_mut() {
        found.right_after.add(&browser.enter_code(&right, false).await);
    }
    Ok(())
}

/// Signs in as far as the code, which came by mail.
async fn past_password(browser: &mut Browser, sink: &Sink, number: usize) -> Result<(Outcome, String)> {
    let seen = sink.codes(&email(number));
    let outcome = browser.sign_in(COMPANY, &account(number), PASSWORD).await.outcome;
    let code = sink
        .code_after(&email(number), seen, MAIL_PATIENCE)
        .await
        .with_context(|| format!("no code came after: {outcome}"))?;
    Ok((outcome, code))
}

async fn sign_in_else(mut browser: Browser) -> Outcome {
    browser.sign_in(COMPANY, ADMIN, PASSWORD).await.outcome
}

/// Wrong codes of this account that were compared, as the audit log tells: the last of a cycle is the lock.
fn compared(nodes: &Nodes, name: &str) -> Result<usize> {
    let log = nodes.operator(&["audit", "tail", "--company", COMPANY, "--json", "--lines", "2000"])?;
    let mut count = 0;
    for line in log.lines() {
        let event: Value = serde_json::from_str(line)?;
        let of_it = event["target_name"] == name;
        count +=
            usize::from(of_it && (event["event"] == "code_refused" || event["event"] == "account_locked"));
    }
    Ok(count)
}

/// Wrong passwords for one account from everywhere.
async fn passwords(
    stage: &Stage,
    nodes: &Nodes,
    sink: &Sink,
    number: usize,
    report: &mut Report,
) -> Result<()> {
    let name = account(number);
    let mut known = nodes.web.browser("198.51.100.3");
    let (outcome, code) = past_password(&mut known, sink, number).await?;
    ensure!(outcome == Outcome::Code, "before the guesses: {outcome}");
    let outcome = known.enter_code(&code, false).await;
    ensure!(outcome == Outcome::In, "before the guesses: {outcome}");
    known.close();
    let bystander = nodes.web.browser("198.51.100.98");
    let begun = Instant::now();
    let outcomes = each(GUESSES + 1, GUESSES + 1, at_once, |guess| {
        let (web, bystander, name) = (nodes.web.clone(), bystander.clone(), name.clone());
        async move {
            if guess == GUESSES / 2 {
                return (true, sign_in_else(bystander).await);
            }
            let mut browser = web.browser(format!("10.9.0.{guess}"));
            let wrong = format!("{PASSWORD}-{guess}");
            (false, browser.sign_in(COMPANY, &name, &wrong).await.outcome)
        }
    })
    .await?;
    let elapsed = begun.elapsed();
    let mut answers = Tally::default();
    let mut others = Tally::default();
    for (bystander, outcome) in &outcomes {
        if *bystander { &mut others } else { &mut answers }.add(outcome);
    }
    let allowed = waits_over(elapsed) + FREE;
    let counted = nodes.number(stage, "SELECT COALESCE(MAX(failures), 0) FROM password_try")?;
    report.row(
        format!("{GUESSES} wrong passwords in parallel: compared"),
        &format!("at most {allowed}"),
        format!("{counted} ({})", answers.words()),
        counted <= allowed && answers.count(&Outcome::In) + answers.count(&Outcome::Code) == 0,
    );
    report.row(
        "somebody else in the middle",
        "in",
        others.words(),
        others.count(&Outcome::In) == 1,
    );
    let outcome = known.sign_in(COMPANY, &name, PASSWORD).await.outcome;
    report.row(
        "its owner, from a browser that is known",
        "asked for a code",
        outcome.to_string(),
        outcome == Outcome::Code,
    );
    let mut stranger = nodes.web.browser("198.51.100.4");
    let outcome = stranger.sign_in(COMPANY, &name, PASSWORD).await.outcome;
    if elapsed < Duration::from_secs(FIRST_WAIT - 5) {
        let waits = matches!(outcome, Outcome::Wrong | Outcome::Back);
        report.row(
            "the right password from an unknown browser after it",
            "has to wait",
            outcome.to_string(),
            waits,
        );
    } else {
        report.tell(
            "the right password after it, when the wait may be over",
            outcome.to_string(),
        );
    }
    Ok(())
}

/// How many waits can have passed: 30 s, then twice as long each time.
fn waits_over(elapsed: Duration) -> i64 {
    let (mut over, mut wait, mut left) = (0, FIRST_WAIT, elapsed.as_secs());
    while left >= wait {
        left -= wait;
        wait *= 2;
        over += 1;
    }
    over
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double() {
        let over = |seconds| waits_over(Duration::from_secs(seconds));
        assert_eq!([0, 29, 30, 89, 90, 210].map(over), [0, 0, 1, 1, 2, 3]);
    }
}
