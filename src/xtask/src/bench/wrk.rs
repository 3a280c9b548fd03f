//! Requests a second over 32 connections, as `wrk` counts them.

use std::{process::Command, thread};

use anyhow::{Context as _, Result, bail};

use super::LOAD_TIME;
use crate::{setup, shell};

/// What `wrk` counted.
pub struct Answers {
    /// A second.
    pub rate: f64,
    /// In milliseconds.
    pub p99: f64,
}

/// Makes the tool present.
///
/// # Errors
/// It cannot be installed.
pub fn install() -> Result<()> {
    setup::debian(&["wrk"], "measures requests per second")
}

/// Asks for an address, with these lines in the head of each request.
///
/// # Errors
/// The tool is missing, or not every answer was a good one.
pub fn load(url: &str, headers: &[String]) -> Result<Answers> {
    let threads = thread::available_parallelism().map_or(2, |cores| cores.get().min(8));
    let mut wrk = Command::new("wrk");
    wrk.args(["--threads", &threads.to_string(), "--connections", "32"])
        .args(["--latency", "--duration", &format!("{}s", LOAD_TIME.as_secs())]);
    for header in headers {
        wrk.args(["--header", header]);
    }
    read(&shell::output(wrk.arg(url))?)
}

/// What `wrk` says of it, unless some of the answers were none.
fn read(text: &str) -> Result<Answers> {
    if ["Non-2xx", "Socket errors"].iter().any(|bad| text.contains(bad)) {
        bail!("not all was answered: {text}");
    }
    let figure = |name: &str| {
        let found = text.lines().find_map(|line| line.trim().strip_prefix(name));
        let found = found.with_context(|| format!("wrk said no {name}: {text}"))?;
        Ok::<_, anyhow::Error>(found.trim())
    };
    Ok(Answers {
        rate: figure("Requests/sec:")?.parse()?,
        p99: in_milliseconds(figure("99%")?)?,
    })
}

/// `wrk` says `812.00us`, `4.05ms`, `1.20s`.
fn in_milliseconds(text: &str) -> Result<f64> {
    let (number, factor) = if let Some(number) = text.strip_suffix("us") {
        (number, 0.001)
    } else if let Some(number) = text.strip_suffix("ms") {
        (number, 1.0)
    } else {
        (text.trim_end_matches('s'), 1000.0)
    };
    Ok(number.parse::<f64>()? * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wrk_says_is_read() {
        let said = "  2 threads and 32 connections\n     99%    4.05ms\n  40100 requests in 10.00s, 1.05GB read\n\
                    Requests/sec:   4009.71\n";
        let answers = read(said).unwrap();
        assert!((answers.rate - 4009.71).abs() < f64::EPSILON);
        assert!((answers.p99 - 4.05).abs() < f64::EPSILON);
        assert!(read(&said.replace("Requests", "  Non-2xx or 3xx responses: 4\nRequests")).is_err());
        assert!(read("").is_err());
    }
}
