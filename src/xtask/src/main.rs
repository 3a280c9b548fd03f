//! Builds, runs and tests Vestibule. Start with `cargo xtask help`.
//!
//! Every command sets up what it needs, says in short lines what it does and how long that took, and when it cannot
//! do a step says exactly what to install.

#[cfg(feature = "attack")]
mod attack;
#[cfg(feature = "bench")]
mod bench;
mod bindings;
mod check;
mod clients;
mod files;
mod locales;
mod native;
mod pictures;
mod postgres;
mod say;
mod server;
mod setup;
mod shell;
mod site;
mod test;
mod wasm;

use std::{process::ExitCode, time::Instant};

use clap::{Parser, Subcommand};

const HELP: &str = "\
A first hour:
  cargo xtask run             builds everything and serves the demo at http://127.0.0.1:3000
  cargo xtask test            sets up and runs every check and test, as the gate does
  cargo xtask dev             the demo again, rebuilt and restarted whenever a file changes
  cargo xtask build           the one self-contained release binary: target/vestibule

What is where:
  target/site                 the files browsers load: hashed names, each with .br and .gz beside it, manifest.json
  target/demo                 database and key of the demo: delete the folder to start over
  target/vestibule            release binary, site inside
  target/vestibule-native     the same for processors like this machine's: hashes passwords faster
  target/vestibule-test-kit   the same with the test kit: clock, mails and fixtures over HTTP, loopback only

Needed: Rust (rustup or Debian's) and Node.js 20. What else is missing is installed when that can be done without
asking (npm packages; Debian packages when root), else its name is printed.";

/// Builds, runs and tests Vestibule.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", after_help = HELP, max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build everything and serve the demo on port 3000 of this machine
    Run,
    /// Serve the demo; rebuild and restart when a source, style, language or public file changes
    Dev,
    /// Build the release binary with the site inside: target/vestibule
    Build {
        /// Build target/vestibule-test-kit instead: clock, mails and fixtures over HTTP for other people's tests
        #[arg(long, conflicts_with = "native")]
        test_kit: bool,
        /// Build target/vestibule-native instead: passwords are hashed with all that this machine's processor can do, and
        /// others without that are told so at the start
        #[arg(long)]
        native: bool,
    },
    /// Build only the site: target/site
    Site,
    /// Set up and run every check and test
    Test {
        /// Run only this part
        #[arg(long, value_enum)]
        only: Option<test::Part>,
        /// Handed to the test runner of that part, after `--`
        #[arg(last = true, requires = "only")]
        rest: Vec<String>,
    },
    /// Formatting, clippy on both targets with warnings as errors, audit of what the WebAssembly contains
    Check,
    /// For translators: check the files of locales/, count, begin a language
    Locales {
        #[command(subcommand)]
        task: locales::Task,
    },
    /// Measure the release binary on this machine: bytes, rates, memory, shift starts, distant and large databases
    #[cfg(feature = "bench")]
    Bench(bench::Arguments),
    /// Measure the release binary on this machine: bytes, rates, memory, shift starts, distant and large databases
    #[cfg(not(feature = "bench"))]
    #[command(disable_help_flag = true)]
    Bench {
        /// Parts and options: see `cargo xtask bench --help`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// Take the pictures of the README from a demo of its own: end2end/screenshots
    Pictures,
    /// Sign in with relying parties that others wrote, and behind four proxies, on both databases, with an optimised build;
    /// installs them from npm, `PyPI` and Debian
    Clients,
    /// Attack the release binary, on SQLite and on two nodes with PostgreSQL, and say which promises hold
    #[cfg(feature = "attack")]
    Attack(attack::Arguments),
    /// Attack the release binary, on SQLite and on two nodes with PostgreSQL, and say which promises hold
    #[cfg(not(feature = "attack"))]
    #[command(disable_help_flag = true)]
    Attack {
        /// Scenarios and options: see `cargo xtask attack --help`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
}

fn main() -> ExitCode {
    if let Some(ended) = native::as_compiler() {
        return ended;
    }
    let task = Arguments::parse().task;
    let start = Instant::now();
    let outcome = match task {
        Task::Run => server::run(),
        Task::Dev => server::dev(),
        Task::Build { test_kit: true, .. } => server::build_test_kit().map(drop),
        Task::Build { native: true, .. } => server::build_native().map(drop),
        Task::Build { .. } => server::build().map(drop),
        Task::Site => site::build(site::Kind::Shipped).map(drop),
        Task::Test { only, rest } => test::run(only, &rest),
        Task::Check => check::run(),
        Task::Locales { task } => locales::run(&task),
        Task::Pictures => pictures::run(),
        Task::Clients => clients::run(),
        #[cfg(feature = "bench")]
        Task::Bench(arguments) => bench::run(&arguments),
        #[cfg(not(feature = "bench"))]
        Task::Bench { rest } => become_with("bench", &rest),
        #[cfg(feature = "attack")]
        Task::Attack(arguments) => attack::run(arguments),
        #[cfg(not(feature = "attack"))]
        Task::Attack { rest } => become_with("attack", &rest),
    };
    match outcome {
        Ok(()) => {
            say::line(&format!("done, {}", say::took(start)));
            ExitCode::SUCCESS
        }
        Err(error) => {
            say::problem(&error);
            ExitCode::FAILURE
        }
    }
}

/// Builds this program again with what this command needs, and becomes it; everything else starts quicker without.
#[cfg(not(feature = "bench"))]
fn become_with(command: &str, rest: &[impl AsRef<std::ffi::OsStr>]) -> anyhow::Result<()> {
    use std::os::unix::process::CommandExt as _;

    let error = shell::cargo("run")
        .args([
            "--package",
            "vestibule-xtask",
            "--features",
            command,
            "--",
            command,
        ])
        .args(rest)
        .exec();
    Err(error.into())
}
