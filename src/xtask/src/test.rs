//! Everything that proves Vestibule: checks, unit and integration tests on both databases, browser tests, relying parties and
//! proxies that others wrote.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};

use crate::{
    check,
    clients::Clients,
    postgres::Cluster,
    say, setup,
    shell::{self, cargo, cargo_plain, execute, shown, which},
    site,
};

/// Variable that names the cluster to the tests.
pub const CLUSTER: &str = "VESTIBULE_TEST_POSTGRES";

/// A part of the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// Formatting, clippy, audit of the WebAssembly
    Check,
    /// Unit and integration tests of all crates
    Unit,
    /// Tests of the server's crate alone: HTTP, configuration, command line
    Http,
    /// Playwright, with and without JavaScript, on SQLite and on PostgreSQL
    Browser,
    /// Relying parties that others wrote, and applications behind four proxies, on both databases
    Clients,
}

/// The command `test`.
///
/// # Errors
/// Something fails; what comes after it is not run.
pub fn run(only: Option<Part>, rest: &[String]) -> Result<()> {
    let wants = |part| only.is_none_or(|only| only == part);
    // First, so that a machine that lacks something says so before the long builds.
    let cluster = if only == Some(Part::Check) {
        None
    } else {
        Some(say::step("A private PostgreSQL cluster", Cluster::start)?)
    };
    if wants(Part::Browser) {
        setup::npm()?;
        setup::chromium()?;
    }
    let clients = if wants(Part::Clients) {
        Some(Clients::install()?)
    } else {
        None
    };
    let site = site::build(site::Kind::Shipped)?;
    if wants(Part::Check) {
        check::run_all(&site)?;
    }
    let Some(cluster) = cluster else { return Ok(()) };
    if wants(Part::Unit) {
        unit(&cluster, false, rest)?;
    } else if only == Some(Part::Http) {
        unit(&cluster, true, rest)?;
    }
    if wants(Part::Browser) || clients.is_some() {
        let binary = binary()?;
        if let Some(clients) = clients {
            clients.visit(&binary, &cluster)?;
        }
        if wants(Part::Browser) {
            browser(&binary, &cluster, rest)?;
        }
    }
    Ok(())
}

/// What is compiled for the tests. With the test kit, so that the same compilation gives the browser tests their binary.
const ALL: [&str; 5] = [
    "--workspace",
    "--exclude",
    "vestibule-frontend",
    "--features",
    "vestibule-server/test-kit",
];

/// Cargo's tests.
fn unit(cluster: &Cluster, server_only: bool, rest: &[String]) -> Result<()> {
    if which("cargo-nextest").is_some() {
        let mut nextest = cargo_plain("nextest");
        nextest
            .args(["run", "--locked"])
            .args(ALL)
            .env(CLUSTER, &cluster.url);
        if server_only {
            nextest.args(["--filterset", "package(vestibule-server)"]);
        }
        return say::step("Unit and integration tests (nextest)", || {
            execute(nextest.args(rest))
        });
    }
    let mut tests = cargo("test");
    if server_only {
        tests.args(["--package", "vestibule-server", "--features", "test-kit"]);
    } else {
        tests.args(ALL);
    }
    tests.env(CLUSTER, &cluster.url).arg("--").args(rest);
    say::step("Unit and integration tests (cargo test)", || execute(&mut tests))
}

/// The binary with the test kit, of what the unit tests have compiled already. It differs from `build --test-kit` in its
/// optimisation only.
fn binary() -> Result<PathBuf> {
    say::step("Compiling the server with the test kit", || {
        execute(cargo("build").args(ALL).arg("--tests"))
    })?;
    Ok(shell::target("debug").join("vestibule"))
}

/// Playwright's tests.
fn browser(binary: &Path, cluster: &Cluster, rest: &[String]) -> Result<()> {
    say::step("Browser tests (Playwright)", || {
        let mut playwright = setup::npm_program("playwright");
        playwright
            .arg("test")
            .args(rest)
            .env("VESTIBULE_BINARY", binary)
            .env(CLUSTER, &cluster.url)
            .stdin(Stdio::null());
        counted(&mut playwright)
    })
}

/// Runs Playwright, shows what it prints, and closes with its counts on one plain line.
fn counted(command: &mut Command) -> Result<()> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    let mut counts = Counts::default();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).split(b'\n') {
            let line = String::from_utf8_lossy(&line?).into_owned();
            println!("{line}");
            counts.read(&line);
        }
    }
    let status = child.wait()?;
    println!(
        "browser: {} passed, {} failed, {} skipped",
        counts.passed, counts.failed, counts.skipped
    );
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    if counts.passed == 0 {
        bail!("no browser test ran");
    }
    Ok(())
}

/// What Playwright's summary says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: u32,
    failed: u32,
    skipped: u32,
}

impl Counts {
    /// Reads one line of output: summary lines are a number and a word, such as `  12 passed (3.4s)`.
    fn read(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        let (Some(Ok(count)), Some(what)) = (words.next().map(str::parse::<u32>), words.next()) else {
            return;
        };
        match what {
            // A flaky test passed in the end.
            "passed" | "flaky" => self.passed += count,
            "failed" | "interrupted" => self.failed += count,
            "skipped" | "did" => self.skipped += count,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_of_playwright_is_understood() {
        let mut counts = Counts::default();
        for line in [
            "Running 9 tests using 2 workers",
            "  ✓  1 [live] › sign-in.spec.ts:3:1 › signs in (1.2s)",
            "  1 failed",
            "    [plain] › sign-in.spec.ts:3:1 › signs in",
            "  1 flaky",
            "  2 skipped",
            "  1 did not run",
            "  4 passed (3.4s)",
        ] {
            counts.read(line);
        }
        assert_eq!(
            counts,
            Counts {
                passed: 5,
                failed: 1,
                skipped: 3
            }
        );
    }
}
