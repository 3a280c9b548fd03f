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
const START_LIMIT: Duration = Duration::from_mins(1);
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// The running cluster; stopped and removed when dropped.
#[derive(Debug)]
pub struct Cluster {
    server: Child,
    folder: PathBuf,
    /// Address of its first database.
    pub url: String,
}

impl Cluster {
    /// Makes and starts a cluster, installing PostgreSQL when it is missing.
    ///
    /// # Errors
    /// PostgreSQL is missing and cannot be installed, or does not start.
    pub fn start() -> Result<Self> {
        let programs = setup::postgresql()?;
        let user = unprivileged_user()?;
        remove_leftovers();
        // Below /tmp and not below target/: as root the server runs as somebody who may not enter every home folder.
        let folder = std::env::temp_dir().join(format!("{FOLDER}{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        if let Some(user) = &user {
            execute(Command::new("chown").arg(user).arg(&folder))?;
        }
        let data = folder.join("data");
        let log = folder.join("log");
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
                .arg(&data)
                .current_dir(&folder),
        )?;
        let port = free_port()?;
        let server = as_user(user.as_deref(), &programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(&folder)
            .args(["-h", "127.0.0.1", "-p", &port.to_string()])
            .args([
                "-c",
                "fsync=off",
                "-c",
                "synchronous_commit=off",
                "-c",
                "full_page_writes=off",
            ])
            .args(["-c", "max_connections=500", "-c", "shared_buffers=128MB"])
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(fs::File::create(&log)?)
            .stderr(fs::File::options().append(true).open(&log)?)
            .spawn()
            .context("cannot start PostgreSQL")?;
        let url = format!("postgres://vestibule@127.0.0.1:{port}/postgres");
        let mut cluster = Self { server, folder, url };
        cluster.wait_until_ready(&programs, port).with_context(|| {
            format!(
                "PostgreSQL's log: {}",
                fs::read_to_string(&log).unwrap_or_default().trim()
            )
        })?;
        Ok(cluster)
    }

    fn wait_until_ready(&mut self, programs: &Path, port: u16) -> Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < START_LIMIT {
            if let Some(status) = self.server.try_wait()? {
                bail!("PostgreSQL ended with {status} while starting");
            }
            let asked = shell::output(Command::new(programs.join("pg_isready")).args([
                "-h",
                "127.0.0.1",
                "-p",
                &port.to_string(),
            ]));
            if asked.is_ok() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(50));
        }
        bail!("PostgreSQL was not ready after {} s", START_LIMIT.as_secs())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
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
