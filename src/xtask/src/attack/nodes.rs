//! Vestibule as operators run it: one node on SQLite, or two on PostgreSQL behind nginx.

use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    net::IpAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use tokio::task::block_in_place;

use super::{Kind, Stage, client::Web};
use crate::{
    postgres::free_port,
    setup,
    shell::{self, which},
};

/// The company that is attacked.
pub const COMPANY: &str = "Attack";
/// Password of all its accounts.
pub const PASSWORD: &str = "copper-lantern-meadow-41";
/// Its admin, without a second factor.
pub const ADMIN: &str = "root";
const START_LIMIT: Duration = Duration::from_secs(30);
/// Five seconds of draining, and the line's end.
const STOP_LIMIT: Duration = Duration::from_mins(1);

/// Name of one of the agents.
pub fn account(number: usize) -> String {
    format!("agent{number}")
}

/// Where the agent's mails go.
pub fn email(number: usize) -> String {
    format!("{}@attack.test", account(number))
}

/// Which agents are asked for a mailed code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codes {
    /// None.
    Nobody,
    /// Those with an odd number.
    Half,
    /// All.
    Everybody,
}

impl Codes {
    /// Whether this agent is.
    pub const fn asked_of(self, number: usize) -> bool {
        match self {
            Self::Nobody => false,
            Self::Half => number % 2 == 1,
            Self::Everybody => true,
        }
    }
}

/// What a scenario needs.
pub struct Wanted<'a> {
    /// Its name, for folders and databases.
    pub name: &'a str,
    /// How many agents.
    pub accounts: usize,
    /// Which of them are asked for a code.
    pub codes: Codes,
    /// Port of the mail server; `None` = mails stay in the mailbox.
    pub mail_port: Option<u16>,
    /// Whether the nodes' clocks can be moved.
    pub clocks: bool,
    /// Where data are kept; `None` = a folder of its own below `target`.
    pub folder: Option<PathBuf>,
}

/// The running installation; ended and removed when dropped.
pub struct Nodes {
    kind: Kind,
    /// The site at its public address.
    pub web: Web,
    keep: bool,
    // Before the nodes, so that it ends first.
    _proxy: Option<Ended>,
    servers: Vec<Node>,
    /// How the binary is started.
    pub settings: Settings,
}

/// How the binary is started.
#[derive(Clone)]
pub struct Settings {
    /// What people type.
    pub url: String,
    database_url: String,
    folder: PathBuf,
    binary: PathBuf,
    mail_port: Option<u16>,
    threads: usize,
}

/// One of the servers.
struct Node {
    port: u16,
    running: Option<Ended>,
    log: PathBuf,
    /// File with the offset of its clock.
    clock: Option<PathBuf>,
}

/// A process that ends when this is dropped.
pub struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Nodes {
    /// Makes a new installation with its company, and starts it.
    ///
    /// # Errors
    /// Something does not start, or the database cannot be filled.
    pub async fn start(stage: &mut Stage, kind: Kind, wanted: Wanted<'_>) -> Result<Self> {
        Self::begin(stage, kind, wanted, None).await
    }

    /// The same with a database on PostgreSQL that is reached at another port than its own.
    ///
    /// # Errors
    /// As [`Nodes::start`].
    pub async fn start_through(stage: &mut Stage, kind: Kind, wanted: Wanted<'_>, port: u16) -> Result<Self> {
        Self::begin(stage, kind, wanted, Some(port)).await
    }

    async fn begin(stage: &mut Stage, kind: Kind, wanted: Wanted<'_>, through: Option<u16>) -> Result<Self> {
        let mut nodes = block_in_place(|| Self::prepare(stage, kind, &wanted, through))?;
        for number in 0..nodes.servers.len() {
            nodes.start_node(number).await?;
        }
        Ok(nodes)
    }

    fn prepare(stage: &mut Stage, kind: Kind, wanted: &Wanted<'_>, through: Option<u16>) -> Result<Self> {
        let folder = wanted
            .folder
            .clone()
            .unwrap_or_else(|| stage.folder.join(format!("{}-{}", wanted.name, kind.short())));
        fs::create_dir_all(&folder)?;
        let database_url = match kind {
            Kind::Sqlite => format!("sqlite://{}", folder.join("vestibule.db").display()),
            Kind::Postgres => match through {
                None => stage.database(&format!("attack_{}", wanted.name))?,
                Some(port) => {
                    let cluster = stage.cluster()?;
                    let url = cluster.database(&format!("attack_{}", wanted.name))?;
                    at_port(&url, cluster.port(), port)
                }
            },
        };
        let nodes = (0..kind.nodes())
            .map(|number| {
                Ok(Node {
                    port: free_port()?,
                    running: None,
                    log: folder.join(format!("node{number}.log")),
                    clock: wanted.clocks.then(|| folder.join(format!("node{number}.clock"))),
                })
            })
            .collect::<Result<Vec<_>>>()?;
        for clock in nodes.iter().filter_map(|node| node.clock.as_ref()) {
            fs::write(clock, "+0")?;
        }
        let ports: Vec<u16> = nodes.iter().map(|node| node.port).collect();
        let (proxy, port) = match kind {
            Kind::Sqlite => (None, ports.first().copied().context("no node")?),
            Kind::Postgres => {
                let port = free_port()?;
                (Some(nginx(&folder, port, &ports)?), port)
            }
        };
        let url = format!("http://127.0.0.1:{port}");
        let installation = Self {
            kind,
            web: Web::new(&url)?,
            keep: stage.arguments.keep,
            _proxy: proxy,
            servers: nodes,
            settings: Settings {
                url,
                database_url,
                folder,
                binary: stage.binary.clone(),
                mail_port: wanted.mail_port,
                threads: stage.threads,
            },
        };
        installation.fill(stage, wanted)?;
        Ok(installation)
    }

    /// The company, its admin, and its agents: the first by the operator's command, the others as its copies, because
    /// a thousand commands would hash a thousand passwords.
    fn fill(&self, stage: &Stage, wanted: &Wanted<'_>) -> Result<()> {
        self.operator(&["migrate"])?;
        self.operator(&[
            "company",
            "create",
            "--name",
            COMPANY,
            "--two-factor-policy",
            "30",
        ])?;
        for (name, role) in [(ADMIN, "admin"), ("agent0", "agent")] {
            let email = format!("{name}@attack.test");
            let words = ["account", "create", "--company", COMPANY, "--account", name];
            let mut command = self.settings.command(&words);
            command.args(["--email", &email, "--first-name", name, "--role", role]);
            command.args(["--second-factor", "none", "--password-stdin"]);
            shell::fed(&mut command, &format!("{PASSWORD}\n"))?;
        }
        let id = match self.kind {
            Kind::Sqlite => "randomblob(16)",
            Kind::Postgres => "gen_random_uuid()",
        };
        let mut script =
            "BEGIN; CREATE TEMP TABLE copy AS SELECT * FROM account WHERE name = 'agent0';".to_owned();
        for number in 1..wanted.accounts {
            let (name, email) = (account(number), email(number));
            write!(
                script,
                "UPDATE copy SET id = {id}, public_id = NULL, name = '{name}', name_key = '{name}', email = '{email}',
                 email_key = '{email}', email_factor = {};
                 INSERT INTO account SELECT * FROM copy;",
                wanted.codes.asked_of(number)
            )?;
        }
        write!(
            script,
            "INSERT INTO account_role SELECT company_id, id, 'agent' FROM account
             WHERE NOT EXISTS (SELECT 1 FROM account_role WHERE account_id = id);
             UPDATE account SET email_factor = {} WHERE name = 'agent0';
             COMMIT;",
            wanted.codes.asked_of(0)
        )?;
        self.sql(stage, &script).map(drop)
    }

    /// Starts a node that does not run, and waits until it answers.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn start_node(&mut self, number: usize) -> Result<()> {
        let started = self.launch(number)?;
        let node = self.servers.get_mut(number).context("no such node")?;
        node.running = Some(started);
        let begun = Instant::now();
        let web = self.node(number, None)?;
        while begun.elapsed() < START_LIMIT {
            if web.get("/healthz").await.is_ok_and(|answer| answer.status == 200) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let log = self.servers.get(number).map(|node| fs::read_to_string(&node.log));
        bail!("node {number} does not answer: {}", tail(log))
    }

    fn launch(&self, number: usize) -> Result<Ended> {
        let node = self.servers.get(number).context("no such node")?;
        let log = fs::File::options().create(true).append(true).open(&node.log)?;
        let mut serve = self.settings.command(&["serve"]);
        serve
            .env("VESTIBULE_LISTEN", format!("127.0.0.1:{}", node.port))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        if let Some(clock) = &node.clock {
            serve
                .env("LD_PRELOAD", setup::faketime()?)
                .env("FAKETIME_TIMESTAMP_FILE", clock)
                .env("FAKETIME_NO_CACHE", "1")
                .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        }
        Ok(Ended(serve.spawn().context("cannot start the binary")?))
    }

    /// Kills a node without a warning.
    pub fn kill_node(&mut self, number: usize) {
        if let Some(node) = self.servers.get_mut(number) {
            node.running = None;
        }
    }

    /// Stops a node as an operator does who restarts it: it drains first.
    ///
    /// # Errors
    /// It does not end.
    pub async fn stop_node(&mut self, number: usize) -> Result<()> {
        let node = self.servers.get(number).context("no such node")?;
        let id = node.running.as_ref().context("it does not run")?.0.id();
        shell::output(Command::new("kill").args(["-TERM", &id.to_string()]))?;
        let begun = Instant::now();
        while self.runs(number) {
            if begun.elapsed() > STOP_LIMIT {
                bail!("node {number} does not end within {} s", STOP_LIMIT.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.kill_node(number);
        Ok(())
    }

    /// Whether a node runs that was not killed by us.
    pub fn runs(&mut self, number: usize) -> bool {
        self.servers
            .get_mut(number)
            .and_then(|node| node.running.as_mut())
            .is_some_and(|running| matches!(running.0.try_wait(), Ok(None)))
    }

    /// How many nodes there are.
    pub fn count(&self) -> usize {
        self.servers.len()
    }

    /// A node without the proxy, reached from one of this machine's addresses.
    ///
    /// # Errors
    /// No such node.
    pub fn node(&self, number: usize, from: Option<IpAddr>) -> Result<Web> {
        let node = self.servers.get(number).context("no such node")?;
        Web::through(
            &self.settings.url,
            &format!("http://127.0.0.1:{}", node.port),
            from,
        )
    }

    /// Port of a node.
    ///
    /// # Errors
    /// No such node.
    pub fn port(&self, number: usize) -> Result<u16> {
        Ok(self.servers.get(number).context("no such node")?.port)
    }

    /// Moves a node's clock away from the true time by so many seconds.
    ///
    /// # Errors
    /// Its clock cannot be moved.
    pub fn set_clock(&self, number: usize, seconds: i64) -> Result<()> {
        let node = self.servers.get(number).context("no such node")?;
        let clock = node.clock.as_ref().context("its clock is the machine's")?;
        // Moved into place, so that the node never reads half a number.
        let new = clock.with_extension("new");
        fs::write(&new, format!("{seconds:+}"))?;
        Ok(fs::rename(new, clock)?)
    }

    /// Memory of each node that is in use now, in bytes.
    pub fn memory(&self) -> Vec<u64> {
        self.servers
            .iter()
            .filter_map(|node| of_status(node.running.as_ref()?.0.id(), "VmRSS:"))
            .collect()
    }

    /// How much of it is pages of the binary's file, which the system takes back when it needs them, in bytes.
    pub fn memory_of_files(&self) -> Vec<u64> {
        self.servers
            .iter()
            .filter_map(|node| of_status(node.running.as_ref()?.0.id(), "RssFile:"))
            .collect()
    }

    /// A command of the operator; gives what it printed.
    ///
    /// # Errors
    /// It refuses.
    pub fn operator(&self, words: &[&str]) -> Result<String> {
        block_in_place(|| shell::output(&mut self.settings.command(words)))
    }

    /// Runs SQL beside the servers; gives the lines of the answer, cells apart by `|`.
    ///
    /// # Errors
    /// The database refuses.
    pub fn sql(&self, stage: &Stage, script: &str) -> Result<Vec<String>> {
        block_in_place(|| match self.kind {
            Kind::Sqlite => {
                let mut sqlite = Command::new("sqlite3");
                sqlite.args(["-bail", "-batch", "-cmd", ".timeout 10000"]);
                sqlite.arg(self.settings.folder.join("vestibule.db"));
                Ok(shell::fed(&mut sqlite, script)?
                    .lines()
                    .map(str::to_owned)
                    .collect())
            }
            Kind::Postgres => stage
                .running_cluster()
                .context("PostgreSQL does not run")?
                .sql(&self.settings.database_url, script),
        })
    }

    /// Holds the write lock of `SQLite`'s file until the answer is dropped, as a backup program of a careless operator.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn hold_database(&self) -> Result<Ended> {
        let mut holding = Command::new("setpriv")
            .args([
                "--pdeathsig",
                "KILL",
                "sqlite3",
                "-batch",
                "-cmd",
                ".timeout 10000",
            ])
            .arg(self.settings.folder.join("vestibule.db"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start sqlite3")?;
        let mut input = holding.stdin.take().context("no input")?;
        writeln!(input, "BEGIN EXCLUSIVE;")?;
        // Its input stays open, so that it stays too.
        holding.stdin = Some(input);
        Ok(Ended(holding))
    }

    /// The one number that a statement gives.
    ///
    /// # Errors
    /// As [`Nodes::sql`], or it gives something else.
    pub fn number(&self, stage: &Stage, statement: &str) -> Result<i64> {
        let lines = self.sql(stage, statement)?;
        let only = lines.first().context("no row")?;
        only.trim()
            .parse()
            .with_context(|| format!("{only:?} is no number"))
    }

    /// Lines of the nodes' logs that hold this word.
    pub fn logs_with(&self, word: &str) -> usize {
        self.servers
            .iter()
            .map(|node| fs::read_to_string(&node.log).unwrap_or_default())
            .map(|log| log.lines().filter(|line| line.contains(word)).count())
            .sum()
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        self.servers.clear();
        if !self.keep {
            let _ = fs::remove_dir_all(&self.settings.folder);
        }
    }
}

/// An address of a database with another port.
fn at_port(url: &str, from: u16, to: u16) -> String {
    url.replace(&format!(":{from}/"), &format!(":{to}/"))
}

impl Settings {
    /// From now on nodes are started with this binary.
    pub fn use_binary(&mut self, binary: PathBuf) {
        self.binary = binary;
    }

    /// What the binary says when it refuses the database at another port.
    ///
    /// # Errors
    /// It does not refuse, or cannot be run.
    pub fn refusal_through(&self, port: u16) -> Result<String> {
        let own = self
            .database_url
            .rsplit(':')
            .next()
            .and_then(|rest| rest.split('/').next());
        let own = own.and_then(|port| port.parse().ok()).context("no port")?;
        // As `serve` opens it, but it ends also when it does not refuse.
        let mut migrate = self.command(&["migrate"]);
        migrate.env("VESTIBULE_DATABASE_URL", at_port(&self.database_url, own, port));
        let ended = block_in_place(|| migrate.stdin(Stdio::null()).output())?;
        if ended.status.success() {
            bail!("it does not refuse");
        }
        Ok(String::from_utf8_lossy(&ended.stderr).into_owned())
    }

    /// A command of the operator, or `serve`.
    pub fn command(&self, words: &[&str]) -> Command {
        let Self {
            url,
            database_url,
            folder,
            ..
        } = self;
        // Whatever happens to this program, what it started ends with it.
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL"])
            .arg(&self.binary)
            .args(words)
            .current_dir(folder)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("VESTIBULE_PUBLIC_URL", url)
            .env("VESTIBULE_LISTEN", url.split("//").last().unwrap_or_default())
            .env("VESTIBULE_DATABASE_URL", database_url)
            .env("VESTIBULE_KEY_FILE", folder.join("vestibule.key"))
            .env("VESTIBULE_TRUSTED_PROXIES", "127.0.0.1")
            .env("VESTIBULE_HASHING_THREADS", self.threads.to_string())
            // Times of requests beside what went wrong: enough to look for a secret in it.
            .env("VESTIBULE_LOG", "info,sqlx=warn,hyper=warn");
        if let Some(port) = self.mail_port {
            command
                .env("VESTIBULE_SMTP_URL", format!("smtp://127.0.0.1:{port}?tls=none"))
                .env("VESTIBULE_MAIL_FROM", "attack@attack.test");
        }
        command
    }
}

/// nginx before the nodes, each in turn, none ever marked down.
fn nginx(folder: &Path, port: u16, nodes: &[u16]) -> Result<Ended> {
    let program = setup::nginx()?;
    let place = folder.display();
    let upstream = nodes
        .iter()
        .map(|port| format!("server 127.0.0.1:{port} max_fails=0;"))
        .collect::<Vec<_>>()
        .join(" ");
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|what| format!("{what}_temp_path {place}/{what};"))
        .join("\n");
    // One process, which ends when this program does.
    let file = format!(
        "daemon off;\nmaster_process off;\npid {place}/nginx.pid;\nerror_log {place}/nginx.log error;\n\
         worker_rlimit_nofile 16384;\nevents {{ worker_connections 8192; }}\n\
         http {{\naccess_log off;\n{temporary}\n\
         upstream nodes {{ {upstream} keepalive 64; }}\n\
         server {{\nlisten 127.0.0.1:{port} backlog=4096;\n\
         location / {{\nproxy_pass http://nodes;\nproxy_http_version 1.1;\nproxy_set_header Connection \"\";\n\
         proxy_set_header Host $http_host;\nproxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n\
         proxy_connect_timeout 2s;\nproxy_read_timeout 60s;\n}}\n}}\n}}\n"
    );
    let path = folder.join("nginx.conf");
    fs::write(&path, file)?;
    let log = fs::File::create(folder.join("nginx.out"))?;
    let nginx = Command::new("setpriv")
        .args(["--pdeathsig", "KILL"])
        .arg(program)
        .arg("-c")
        .arg(path)
        .args(["-e", "stderr"])
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .context("cannot start nginx")?;
    Ok(Ended(nginx))
}

/// What the system says about a process's memory, in bytes.
fn of_status(id: u32, what: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let kilobytes: u64 = status
        .lines()
        .find_map(|line| line.strip_prefix(what))?
        .trim()
        .strip_suffix(" kB")?
        .parse()
        .ok()?;
    Some(kilobytes * 1024)
}

fn tail(log: Option<std::io::Result<String>>) -> String {
    let log = log.and_then(Result::ok).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}

/// Installs what only the attacks need.
///
/// # Errors
/// It cannot be installed.
pub fn install(kinds: &[Kind]) -> Result<()> {
    if which("setpriv").is_none() {
        bail!("install setpriv (Debian: apt-get install util-linux)");
    }
    if kinds.contains(&Kind::Sqlite) && which("sqlite3").is_none() {
        setup::debian(&["sqlite3"], "looks into the attacked database")?;
    }
    if kinds.contains(&Kind::Postgres) {
        setup::nginx()?;
    }
    setup::faketime().map(drop)
}
