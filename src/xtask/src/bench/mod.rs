//! Measures the release binary on this machine, over the loopback. Prints and asserts nothing: figures of one machine are no
//! reason to fail on another. All of it takes more than an hour, each part some minutes, shift starts half an hour.

mod applications;
mod console;
mod distance;
mod figures;
mod growth;
mod mail;
mod pages;
mod shift_start;
mod sign_in;
mod weight;
mod wrk;

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;

use self::figures::Figures;
use crate::{attack, postgres::free_port, say, server, setup, shell};

/// Company of the bench.
const COMPANY: &str = "Bench";
/// Password of all its accounts, which exist for a minute.
const PASSWORD: &str = "copper-lantern-meadow-41";
/// Enough accounts that no two sign-ins often want the same one.
const ACCOUNTS: usize = 32;
const START_LIMIT: Duration = Duration::from_secs(20);
const LOAD_TIME: Duration = Duration::from_secs(10);

/// What is measured.
#[derive(clap::Args)]
pub struct Arguments {
    /// Which parts, in this order [default: all]
    #[arg(value_enum)]
    parts: Vec<Part>,
    /// About a tenth of everything: does the program itself work?
    #[arg(long)]
    quick: bool,
    /// A binary that is there already, instead of building the release binary
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
}

/// A part of the figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Start-up, memory, bytes, and sign-in pages a second against nginx
    Pages,
    /// The console in companies of several sizes
    Console,
    /// Sign-ins a second against bare argon2
    SignIn,
    /// Sessions that proxies ask about, and tokens, on both databases
    Applications,
    /// Ten thousand mails
    Mail,
    /// Ten thousand agents sign in at their own pace, from few addresses and from many
    ShiftStart,
    /// PostgreSQL some milliseconds away
    Distance,
    /// A thousand accounts, a hundred thousand, a million
    Growth,
}

/// The command `bench`.
///
/// # Errors
/// The binary cannot be built or does not start.
pub fn run(arguments: &Arguments) -> Result<()> {
    let parts = if arguments.parts.is_empty() {
        Part::value_variants()
    } else {
        &arguments.parts[..]
    };
    let binary = match &arguments.binary {
        Some(binary) => fs::canonicalize(binary)?,
        None => server::build()?,
    };
    let mut figures = Figures::default();
    let measured = parts
        .iter()
        .try_for_each(|part| part.measure(&binary, arguments.quick, &mut figures));
    // What was measured before something failed is told all the same.
    figures.tell()?;
    measured
}

impl Part {
    fn measure(self, binary: &Path, quick: bool, figures: &mut Figures) -> Result<()> {
        match self {
            Self::Pages => pages_of(binary, figures),
            Self::Console => {
                let mut site = Installation::in_folder(binary, "bench-console", None)?;
                site.fill_with("none", &["agent0"])?;
                console::fill(&site)?;
                site.start()?;
                console::print(&site.url)
            }
            Self::SignIn => {
                let mut site = Installation::new(binary)?;
                say::step(&format!("A company with {ACCOUNTS} accounts"), || site.fill())?;
                site.start()?;
                sign_in::measure(&site.url, LOAD_TIME, figures)?;
                println!("  most memory: {}", site.memory("VmHWM:")?);
                Ok(())
            }
            Self::Applications => applications::run(binary, figures),
            Self::Mail => mail::print(binary),
            Self::ShiftStart | Self::Distance => self.measure_nodes(binary, quick, figures),
            Self::Growth => growth::run(binary, quick, figures),
        }
    }

    /// What is measured on nodes as operators run them.
    fn measure_nodes(self, binary: &Path, quick: bool, figures: &mut Figures) -> Result<()> {
        let mut stage = attack::Stage::of_bench(binary.to_path_buf(), quick)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let hashes = sign_in::hashes(Duration::from_secs(3))?;
        runtime.block_on(async {
            if self == Self::Distance {
                return distance::run(&mut stage, figures).await;
            }
            for kind in attack::Kind::ALL {
                shift_start::run(&mut stage, kind, hashes, figures).await?;
            }
            Ok(())
        })
    }
}

fn pages_of(binary: &Path, figures: &mut Figures) -> Result<()> {
    setup::npm()?;
    let mut site = Installation::new(binary)?;
    say::step(&format!("A company with {ACCOUNTS} accounts"), || site.fill())?;
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
    pages::run(&site, figures)?;
    println!("  most memory so far: {}", site.memory("VmHWM:")?);
    Ok(())
}

/// A tenth of it in a quick run.
fn quick_or(quick: bool, full: usize) -> usize {
    if quick { full.div_ceil(10) } else { full }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// An installation of the release binary in a folder of its own.
struct Installation {
    binary: PathBuf,
    folder: PathBuf,
    port: u16,
    url: String,
    database: String,
    /// Port of the mail server on this machine; `None` = mails stay in the local mailbox.
    mail_port: Option<u16>,
    server: Option<Child>,
}

impl Installation {
    fn new(binary: &Path) -> Result<Self> {
        Self::in_folder(binary, "bench", None)
    }

    /// One whose mails go to a mail server on this machine.
    fn sending_to(binary: &Path, mail_port: u16) -> Result<Self> {
        Self::in_folder(binary, "bench-mail", Some(mail_port))
    }

    fn in_folder(binary: &Path, name: &str, mail_port: Option<u16>) -> Result<Self> {
        let folder = shell::target(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)?;
        let port = free_port()?;
        let url = format!("http://127.0.0.1:{port}");
        Ok(Self {
            binary: binary.to_path_buf(),
            database: format!("sqlite://{}", folder.join("vestibule.db").display()),
            folder,
            port,
            url,
            mail_port,
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
            .env("VESTIBULE_DATABASE_URL", &self.database)
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
