//! Measures the release binary on this machine, over the loopback, within a few minutes. Prints and asserts nothing:
//! figures of one machine are no reason to fail on another.

mod applications;
mod console;
mod mail;
mod sign_in;
mod weight;

use std::{
    fs,
    io::Write as _,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use crate::{
    postgres::free_port,
    say, server, setup,
    shell::{self, which},
};

/// Company of the bench.
const COMPANY: &str = "Bench";
/// Password of all its accounts, which exist for a minute.
const PASSWORD: &str = "copper-lantern-meadow-41";
/// Enough accounts that no two sign-ins often want the same one.
const ACCOUNTS: usize = 32;
const START_LIMIT: Duration = Duration::from_secs(20);
const LOAD_TIME: Duration = Duration::from_secs(10);

/// The command `bench`; `only_mail`: nothing but the mails of a shift start.
///
/// # Errors
/// The binary cannot be built or does not start.
pub fn run(only_mail: bool) -> Result<()> {
    let binary = server::build()?;
    if only_mail {
        return mail::print(&binary);
    }
    setup::npm()?;
    let mut site = Installation::new(&binary)?;
    say::step(&format!("A company with {ACCOUNTS} accounts"), || site.fill())?;
    console::fill(&site)?;

    let started = site.start()?;
    println!("\nStart-up");
    println!(
        "  first answer of /healthz: {:.0} ms after the start of the process",
        milliseconds(started)
    );
    let begun = Instant::now();
    weight::get(&format!("{}/login", site.url), "br")?;
    println!("  first GET /login: {:.1} ms", milliseconds(begun.elapsed()));
    thread::sleep(Duration::from_secs(1));
    println!("\nMemory\n  idle: {}", site.memory("VmRSS:")?);

    weight::print(&site.url)?;
    pages_per_second(&site.url);
    println!("  most memory so far: {}", site.memory("VmHWM:")?);
    console::print(&site.url)?;
    sign_in::print(&site.url, LOAD_TIME)?;
    println!("  most memory so far: {}", site.memory("VmHWM:")?);
    drop(site);
    applications::print(&binary)?;
    mail::print(&binary)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// How many sign-in pages the server renders.
fn pages_per_second(url: &str) {
    println!("\nGET /login, 32 connections, {} s", LOAD_TIME.as_secs());
    for line in measured_by_wrk(&mut Command::new("wrk"), &format!("{url}/login")) {
        println!("  {line}");
    }
}

/// What `wrk` says of this address, which it asks for as it was told.
fn measured_by_wrk(wrk: &mut Command, address: &str) -> Vec<String> {
    if which("wrk").is_none() && setup::debian(&["wrk"], "measures requests per second").is_err() {
        return vec!["not measured: install wrk (Debian: apt-get install wrk)".to_owned()];
    }
    let threads = thread::available_parallelism()
        .map_or(2, |cores| cores.get().min(8))
        .to_string();
    let measured = shell::output(
        wrk.args(["--threads", &threads, "--connections", "32", "--latency"])
            .args(["--duration", &format!("{}s", LOAD_TIME.as_secs()), address]),
    );
    match measured {
        Ok(text) => text
            .lines()
            .map(str::trim)
            .filter(|line| {
                ["Requests/sec", "50% ", "99% ", "Non-2xx", "Socket errors"]
                    .iter()
                    .any(|part| line.starts_with(part))
            })
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect(),
        Err(error) => vec![format!("not measured: {error:#}")],
    }
}

/// An installation of the release binary in a folder of its own.
struct Installation {
    binary: std::path::PathBuf,
    folder: std::path::PathBuf,
    port: u16,
    url: String,
    /// Port of the mail server on this machine; `None` = mails stay in the local mailbox.
    mail_port: Option<u16>,
    /// Address of its database; `None` = SQLite in the folder.
    database: Option<String>,
    server: Option<Child>,
}

impl Installation {
    fn new(binary: &std::path::Path) -> Result<Self> {
        Self::in_folder(binary, "bench", None)
    }

    /// One whose mails go to a mail server on this machine.
    fn sending_to(binary: &std::path::Path, mail_port: u16) -> Result<Self> {
        Self::in_folder(binary, "bench-mail", Some(mail_port))
    }

    fn in_folder(binary: &std::path::Path, name: &str, mail_port: Option<u16>) -> Result<Self> {
        let folder = shell::target(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)?;
        let port = free_port()?;
        let url = format!("http://127.0.0.1:{port}");
        Ok(Self {
            binary: binary.to_path_buf(),
            folder,
            port,
            url,
            mail_port,
            database: None,
            server: None,
        })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env_clear()
            .env("VESTIBULE_LISTEN", format!("127.0.0.1:{}", self.port))
            .env("VESTIBULE_PUBLIC_URL", &self.url)
            .env("VESTIBULE_DATABASE_URL", self.database_url())
            .env("VESTIBULE_KEY_FILE", self.folder.join("vestibule.key"))
            // Each sign-in comes from an address of its own, as in life; else the limits per address are measured.
            .env("VESTIBULE_TRUSTED_PROXIES", "127.0.0.1")
            .env("VESTIBULE_LOG", "warn");
        if let Some(port) = self.mail_port {
            command
                .env("VESTIBULE_SMTP_URL", format!("smtp://127.0.0.1:{port}?tls=none"))
                .env("VESTIBULE_MAIL_FROM", "bench@bench.test");
        }
        command
    }

    fn database_url(&self) -> String {
        if let Some(database) = &self.database {
            return database.clone();
        }
        format!("sqlite://{}", self.folder.join("vestibule.db").display())
    }

    fn fill(&self) -> Result<()> {
        let accounts: Vec<String> = (0..ACCOUNTS).map(sign_in::account).collect();
        let accounts: Vec<&str> = accounts.iter().map(String::as_str).collect();
        self.fill_with("none", &accounts)
    }

    /// A company with these accounts, which have this second factor.
    fn fill_with(&self, second_factor: &str, accounts: &[&str]) -> Result<()> {
        shell::output(&mut self.command(&["migrate"]))?;
        shell::output(&mut self.command(&["company", "create", "--name", COMPANY, "--language", "en"]))?;
        for account in accounts {
            let mut created = self
                .command(&["account", "create", "--company", COMPANY, "--account", account])
                .args([
                    "--email",
                    &format!("{account}@bench.test"),
                    "--first-name",
                    "Bench",
                    "--role",
                    "agent",
                ])
                .args(["--second-factor", second_factor, "--password-stdin"])
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .spawn()
                .context("cannot start the binary")?;
            if let Some(mut input) = created.stdin.take() {
                writeln!(input, "{PASSWORD}")?;
            }
            if !created.wait()?.success() {
                bail!("an account could not be created");
            }
        }
        Ok(())
    }

    /// Starts the server; returns how long it took to answer.
    fn start(&mut self) -> Result<Duration> {
        let log = fs::File::create(self.folder.join("log"))?;
        let begun = Instant::now();
        let server = self
            .command(&["serve"])
            .stdout(log.try_clone()?)
            .stderr(log)
            .stdin(Stdio::null())
            .spawn()?;
        self.server = Some(server);
        while begun.elapsed() < START_LIMIT {
            if ureq::get(format!("{}/healthz", self.url)).call().is_ok() {
                return Ok(begun.elapsed());
            }
            thread::sleep(Duration::from_millis(1));
        }
        bail!(
            "no answer after {} s: see {}",
            START_LIMIT.as_secs(),
            self.folder.join("log").display()
        )
    }

    /// A figure of the kernel about the server's memory.
    fn memory(&self, figure: &str) -> Result<String> {
        let id = self.server.as_ref().context("the server does not run")?.id();
        let status = fs::read_to_string(format!("/proc/{id}/status")).context("only Linux tells this")?;
        let kilobytes = status
            .lines()
            .find_map(|line| {
                line.strip_prefix(figure)?
                    .trim()
                    .strip_suffix(" kB")?
                    .parse::<u64>()
                    .ok()
            })
            .context("the kernel does not tell this")?;
        Ok(format!("{} MiB", kilobytes / 1024))
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server::stop(server);
        }
    }
}
