//! One password on many accounts.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::Result;

use super::{
    Kind, Stage,
    client::{Outcome, Web},
    nodes::{COMPANY, Codes, Nodes, PASSWORD, Wanted, account},
    report::Report,
};

/// Accounts that are tried, every second of them unknown.
const TRIED: usize = 50;
/// The try by which the address has to be told to wait (N8).
const LATEST: usize = 21;
const GUESS: &str = "Welcome-2026!";

/// Where one spray comes from.
struct Spray<'a> {
    what: &'a str,
    web: Web,
    /// Address of the n-th try.
    source: fn(usize) -> String,
    /// Whether headers that nobody asked for lie about it.
    forged: bool,
}

/// Sprays of every kind, and somebody else meanwhile.
///
/// # Errors
/// The nodes do not start.
pub async fn run(stage: &mut Stage, kind: Kind, report: &mut Report) -> Result<()> {
    let wanted = Wanted {
        name: "spray",
        accounts: TRIED,
        codes: Codes::Nobody,
        mail_port: None,
        clocks: false,
        folder: None,
    };
    let nodes = Nodes::start(stage, kind, wanted).await?;
    let stranger = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
    let third = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3));
    let sprays = [
        Spray {
            what: "one IPv4 address",
            web: nodes.web.clone(),
            source: |_| "198.51.100.7".to_owned(),
            forged: false,
        },
        Spray {
            what: "one IPv6 /64",
            web: nodes.web.clone(),
            source: |number| format!("2001:db8:0:1::{:x}", number + 1),
            forged: false,
        },
        Spray {
            what: "forged headers, through the proxy",
            web: nodes.web.clone(),
            source: |_| "198.51.100.8".to_owned(),
            forged: true,
        },
        Spray {
            what: "forged headers, from a peer that is no proxy",
            web: nodes.node(0, Some(stranger))?,
            source: |number| format!("198.18.0.{number}"),
            forged: true,
        },
        Spray {
            what: "the same at the public address",
            web: Web::through(&nodes.settings.url, &nodes.settings.url, Some(third))?,
            source: |number| format!("198.19.0.{number}"),
            forged: true,
        },
    ];
    for spray in &sprays {
        spray.run(report).await;
        let mut other = nodes.web.browser("198.51.100.200");
        let outcome = other.sign_in(COMPANY, &account(0), PASSWORD).await.outcome;
        let what = format!("{}: a right sign-in from elsewhere", spray.what);
        report.row(what, "in", outcome.to_string(), outcome == Outcome::In);
    }
    seen_as(&nodes, report)
}

impl Spray<'_> {
    async fn run(&self, report: &mut Report) {
        let mut stopped = None;
        let mut last = Outcome::Silence;
        for number in 0..TRIED {
            let mut browser = self.web.browser((self.source)(number));
            if self.forged {
                browser.forged = forged(number);
            }
            // Known and unknown ones in turn; account 0 is left to the innocent.
            let name = if number % 2 == 0 {
                account(number + 1)
            } else {
                format!("nobody{number}")
            };
            last = browser.sign_in(COMPANY, &name, GUESS).await.outcome;
            if matches!(last, Outcome::Limited(_)) {
                stopped = Some(number + 1);
                break;
            }
        }
        let told = matches!(last, Outcome::Limited(Some(_)));
        report.row(
            format!("{}: one password on {TRIED} accounts", self.what),
            &format!("429 with Retry-After by try {LATEST}"),
            match stopped {
                Some(tries) if told => format!("at try {tries}"),
                Some(tries) => format!("at try {tries}, without Retry-After"),
                None => format!("never; the last answer: {last}"),
            },
            told && stopped.is_some_and(|tries| tries <= LATEST),
        );
    }
}

/// What a liar says about its address, single and repeated.
fn forged(number: usize) -> Vec<(&'static str, String)> {
    let lie = format!("203.0.113.{}", number + 1);
    let mut headers = vec![
        ("x-forwarded-for", lie.clone()),
        ("forwarded", format!("for={lie}")),
        ("x-real-ip", lie.clone()),
        ("cf-connecting-ip", lie.clone()),
    ];
    if number.is_multiple_of(3) {
        headers.push(("x-real-ip", "203.0.113.250".to_owned()));
        headers.push(("forwarded", "for=203.0.113.251".to_owned()));
    }
    headers
}

/// The audit log tells where they really came from.
fn seen_as(nodes: &Nodes, report: &mut Report) -> Result<()> {
    let log = nodes.operator(&["audit", "tail", "--json", "--lines", "10000"])?;
    let lies = log
        .lines()
        .filter(|line| line.contains("\"address\":\"203.0.113.") || line.contains("\"address\":\"198.18."))
        .count();
    let peer = log
        .lines()
        .filter(|line| line.contains("\"address\":\"127.0.0.2\""))
        .count();
    report.row(
        "forged addresses in the audit log",
        "0, but the true peer",
        format!("{lies}, and the true peer {peer} times"),
        lies == 0 && peer > 0,
    );
    Ok(())
}
