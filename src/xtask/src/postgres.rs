//! A PostgreSQL cluster of our own for the tests: made new, on a free port of the loopback, gone afterwards.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use crate::{
    setup,
    shell::{self, execute, which},
};

const FOLDER: &str = "vestibule-postgres-";
const FIRST_DATA: &str = "data";
const START_LIMIT: Duration = Duration::from_mins(1);
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// What a commit promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Commits {
    /// They may be lost when the server is killed: quicker, for tests that never kill it.
    Quick,
    /// They survive a killed server.
    #[cfg(any(feature = "attack", feature = "bench"))]
    Durable,
}

/// The running cluster; stopped and removed when dropped.
#[derive(Debug)]
pub struct Cluster {
    server: Child,
    folder: PathBuf,
    programs: PathBuf,
    /// Name of the folder with its data.
    #[cfg(feature = "attack")]
    data: &'static str,
    #[cfg(feature = "attack")]
    standby: Option<(Child, u16)>,
    #[cfg(feature = "attack")]
    user: Option<String>,
    port: u16,
    #[cfg(feature = "attack")]
    commits: Commits,
    /// Address of its first database.
    pub url: String,
}

impl Cluster {
    /// Makes and starts a cluster, installing PostgreSQL when it is missing.
    ///
    /// # Errors
    /// PostgreSQL is missing and cannot be installed, or does not start.
    pub fn start() -> Result<Self> {
        Self::make(Commits::Quick)
    }

    /// One whose commits survive when it is killed.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    #[cfg(any(feature = "attack", feature = "bench"))]
    pub fn durable() -> Result<Self> {
        Self::make(Commits::Durable)
    }

    fn make(commits: Commits) -> Result<Self> {
        let programs = setup::postgresql()?;
        let user = unprivileged_user()?;
        remove_leftovers();
        // Below /tmp and not below target/: as root the server runs as somebody who may not enter every home folder.
        let folder = std::env::temp_dir().join(format!("{FOLDER}{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        if let Some(user) = &user {
            execute(Command::new("chown").arg(user).arg(&folder))?;
        }
        shell::output(
            as_user(user.as_deref(), &programs.join("initdb"))
                .args([
                    "--username=vestibule",
                    "--auth=trust",
                    "--encoding=UTF8",
                    "--locale=C",
                    "--no-sync",
                    "-D",
                ])
                .arg(folder.join(FIRST_DATA))
                .current_dir(&folder),
        )?;
        let port = free_port()?;
        let server = launch(&folder, FIRST_DATA, &programs, user.as_deref(), port, commits)?;
        let url = format!("postgres://vestibule@127.0.0.1:{port}/postgres");
        let mut cluster = Self {
            server,
            folder,
            programs,
            #[cfg(feature = "attack")]
            data: FIRST_DATA,
            #[cfg(feature = "attack")]
            standby: None,
            #[cfg(feature = "attack")]
            user,
            port,
            #[cfg(feature = "attack")]
            commits,
            url,
        };
        cluster.wait_until_ready()?;
        Ok(cluster)
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        self.try_until_ready()
            .with_context(|| format!("PostgreSQL's log: {}", self.log().trim()))
    }

    /// Everything it has said.
    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    fn try_until_ready(&mut self) -> Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < START_LIMIT {
            if let Some(status) = self.server.try_wait()? {
                bail!("PostgreSQL ended with {status} while starting");
            }
            let asked = shell::output(Command::new(self.programs.join("pg_isready")).args([
                "-h",
                "127.0.0.1",
                "-p",
                &self.port.to_string(),
            ]));
            if asked.is_ok() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(50));
        }
        bail!("PostgreSQL was not ready after {} s", START_LIMIT.as_secs())
    }
}

/// What attacks do to it.
#[cfg(feature = "attack")]
impl Cluster {
    /// Runs SQL in one of its databases; gives the lines of the answer, cells apart by `|`.
    ///
    /// # Errors
    /// The database does not answer, or refuses.
    pub fn sql(&self, url: &str, script: &str) -> Result<Vec<String>> {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-qAtX", "-v", "ON_ERROR_STOP=1", "-d", url])
            .env("PGCONNECT_TIMEOUT", "5");
        Ok(shell::fed(&mut psql, script)?
            .lines()
            .map(str::to_owned)
            .collect())
    }

    /// A new, empty database; gives its address.
    ///
    /// # Errors
    /// As [`Cluster::sql`].
    pub fn database(&self, name: &str) -> Result<String> {
        self.sql(&self.url, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))?;
        self.sql(&self.url, &format!("CREATE DATABASE {name}"))?;
        Ok(self.url.replace("/postgres", &format!("/{name}")))
    }

    /// Lines of its log that hold this word.
    pub fn log_lines(&self, word: &str) -> Vec<String> {
        let log = self.log();
        log.lines()
            .filter(|line| line.contains(word))
            .map(str::to_owned)
            .collect()
    }

    /// Stops at once, as in `pg_ctl stop -m immediate`: nothing is written down any more.
    ///
    /// # Errors
    /// It cannot be waited for.
    pub fn stop_at_once(&mut self) -> Result<()> {
        let _ = shell::output(Command::new("kill").args(["-QUIT", &self.server.id().to_string()]));
        self.server.wait()?;
        Ok(())
    }

    /// Where it listens.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Makes a standby that follows it.
    ///
    /// # Errors
    /// It does not start.
    pub fn stand_by(&mut self) -> Result<()> {
        let data = self.other_data();
        let folder = self.folder.join(data);
        let _ = fs::remove_dir_all(&folder);
        let port = self.port.to_string();
        shell::output(
            as_user(self.user.as_deref(), &self.programs.join("pg_basebackup"))
                .args(["-h", "127.0.0.1", "-p", &port, "-U", "vestibule"])
                .args([
                    "--write-recovery-conf",
                    "--wal-method=stream",
                    "--checkpoint=fast",
                    "--no-sync",
                    "-D",
                ])
                .arg(&folder)
                .current_dir(&self.folder),
        )?;
        let port = free_port()?;
        let server = launch(
            &self.folder,
            data,
            &self.programs,
            self.user.as_deref(),
            port,
            self.commits,
        )?;
        self.standby = Some((server, port));
        let url = self
            .url
            .replace(&format!(":{}/", self.port), &format!(":{port}/"));
        let begun = Instant::now();
        while begun.elapsed() < START_LIMIT {
            // It answers, and has caught up with what is streamed.
            let follows = self.sql(
                &self.url,
                "SELECT COUNT(*) FROM pg_stat_replication WHERE state = 'streaming'",
            );
            let answers = self.sql(&url, "SELECT pg_is_in_recovery()");
            if answers.is_ok_and(|lines| lines == ["t"]) && follows.is_ok_and(|lines| lines == ["1"]) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(50));
        }
        bail!("the standby does not follow after {} s", START_LIMIT.as_secs())
    }

    fn other_data(&self) -> &'static str {
        if self.data == FIRST_DATA {
            "standby"
        } else {
            FIRST_DATA
        }
    }

    /// Kills the server and lets its standby take its place; gives the port of that.
    ///
    /// # Errors
    /// There is no standby, or it does not take over.
    pub fn fail_over(&mut self) -> Result<u16> {
        let (standby, port) = self.standby.take().context("there is no standby")?;
        self.stop_at_once()?;
        self.data = self.other_data();
        self.url = self
            .url
            .replace(&format!(":{}/", self.port), &format!(":{port}/"));
        self.server = standby;
        self.port = port;
        let promoted = self.sql(&self.url, "SELECT pg_promote(true, 60)")?;
        if promoted != ["t"] {
            bail!("the standby does not take over");
        }
        Ok(port)
    }

    /// Starts again after [`Cluster::stop_at_once`].
    ///
    /// # Errors
    /// It does not start.
    pub fn start_again(&mut self) -> Result<()> {
        self.server = launch(
            &self.folder,
            self.data,
            &self.programs,
            self.user.as_deref(),
            self.port,
            self.commits,
        )?;
        self.wait_until_ready()
    }

    /// Stops answering without closing anything, like a host that vanished; or goes on.
    ///
    /// # Errors
    /// A signal cannot be sent.
    pub fn freeze(&self, frozen: bool) -> Result<()> {
        let main = self.server.id();
        let children = fs::read_to_string(format!("/proc/{main}/task/{main}/children"))
            .context("only Linux tells the processes of PostgreSQL")?;
        let mut all = vec![main.to_string()];
        all.extend(children.split_whitespace().map(str::to_owned));
        let signal = if frozen { "-STOP" } else { "-CONT" };
        // One of them may have ended in between.
        let _ = shell::output(Command::new("kill").arg(signal).args(&all));
        Ok(())
    }
}

/// Starts the server of a cluster that was made.
fn launch(
    folder: &Path,
    data: &str,
    programs: &Path,
    user: Option<&str>,
    port: u16,
    commits: Commits,
) -> Result<Child> {
    let log = fs::File::options()
        .create(true)
        .append(true)
        .open(folder.join("log"))?;
    let mut server = as_user(user, &programs.join("postgres"));
    server
        .arg("-D")
        .arg(folder.join(data))
        .arg("-k")
        .arg(folder)
        .args(["-h", "127.0.0.1", "-p", &port.to_string()])
        // The machine does not lose power while we test: what the kernel has got is safe.
        .args(["-c", "fsync=off", "-c", "full_page_writes=off"])
        .args(["-c", "max_connections=500", "-c", "shared_buffers=128MB"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    if commits == Commits::Quick {
        server.args(["-c", "synchronous_commit=off"]);
    }
    server.spawn().context("cannot start PostgreSQL")
}

impl Drop for Cluster {
    fn drop(&mut self) {
        #[cfg(feature = "attack")]
        let _ = self.freeze(false);
        #[cfg(feature = "attack")]
        if let Some((mut standby, _)) = self.standby.take() {
            let _ = standby.kill();
            let _ = standby.wait();
        }
        // The interrupt is PostgreSQL's fast stop: it ends its connections and cleans up.
        let _ = shell::output(Command::new("kill").args(["-INT", &self.server.id().to_string()]));
        let begun = Instant::now();
        while begun.elapsed() < STOP_LIMIT && matches!(self.server.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(20));
        }
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// `PgBouncer` before a cluster; ended when dropped.
#[cfg(feature = "attack")]
pub struct Pooler {
    process: Child,
    /// Where it listens.
    pub port: u16,
}

#[cfg(feature = "attack")]
impl Pooler {
    /// Starts it with this `pool_mode`, installing it when it is missing.
    ///
    /// # Errors
    /// It is missing and cannot be installed, or does not start.
    pub fn start(cluster: &Cluster, mode: &str) -> Result<Self> {
        setup::debian(&["pgbouncer"], "stands before the database in an attack")?;
        let port = free_port()?;
        let folder = cluster.folder.display();
        let users = cluster.folder.join("users.txt");
        fs::write(&users, "\"vestibule\" \"\"\n")?;
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = trust\nauth_file = {folder}/users.txt\npool_mode = {mode}\n\
             ignore_startup_parameters = extra_float_digits,options\nmax_client_conn = 500\ndefault_pool_size = 100\n",
            cluster.port
        );
        let file = cluster.folder.join(format!("pgbouncer-{mode}.ini"));
        fs::write(&file, settings)?;
        let log = fs::File::create(cluster.folder.join(format!("pgbouncer-{mode}.log")))?;
        let program = which("pgbouncer").unwrap_or_else(|| PathBuf::from("/usr/sbin/pgbouncer"));
        // It refuses to run as root, too.
        let process = as_user(cluster.user.as_deref(), &program)
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("cannot start PgBouncer")?;
        let pooler = Self { process, port };
        let begun = Instant::now();
        while begun.elapsed() < STOP_LIMIT {
            if std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return Ok(pooler);
            }
            thread::sleep(Duration::from_millis(50));
        }
        bail!("PgBouncer does not listen after {} s", STOP_LIMIT.as_secs())
    }
}

#[cfg(feature = "attack")]
impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// PostgreSQL refuses to run as root. `None` = this process is nobody special and needs no other user.
fn unprivileged_user() -> Result<Option<String>> {
    if !shell::is_root() {
        return Ok(None);
    }
    for user in ["postgres", "nobody"] {
        if shell::output(Command::new("id").args(["-u", user])).is_ok() {
            return Ok(Some(user.to_owned()));
        }
    }
    bail!("PostgreSQL refuses to run as root, and there is neither a user `postgres` nor `nobody`")
}

/// A command as another user, which ends when this process does, however it ends.
fn as_user(user: Option<&str>, program: &Path) -> Command {
    if which("setpriv").is_none() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "INT"]);
    if let Some(user) = user {
        command
            .args(["--reuid", user, "--regid"])
            .arg(group_of(user))
            .arg("--clear-groups");
    }
    command.arg(program);
    command
}

fn group_of(user: &str) -> String {
    shell::output(Command::new("id").args(["-g", user]))
        .map_or_else(|_| user.to_owned(), |id| id.trim().to_owned())
}

/// Folders of runs that were killed before they could clean up.
fn remove_leftovers() {
    for entry in fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name
            .to_str()
            .and_then(|name| name.strip_prefix(FOLDER))
            .and_then(|id| id.parse::<u32>().ok());
        if owner.is_some_and(|id| !Path::new("/proc").join(id.to_string()).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// A port that was free a moment ago.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
