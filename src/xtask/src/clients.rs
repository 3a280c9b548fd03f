//! Relying parties that others wrote, and applications behind proxies, against the binary with the test kit, on both databases.

use std::{
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use crate::{
    postgres::{Cluster, free_port},
    say, server, setup,
    shell::{self, cargo, execute, shown, which},
    test,
};

/// How long the server may take to answer.
const START_LIMIT: Duration = Duration::from_mins(1);
/// How often is looked whether something has happened.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Scripts for Node.js in `clients/`.
const NODE: [&str; 5] = [
    "openid-client.mjs",
    "oauth4webapi.mjs",
    "auth-core.mjs",
    "oidc-client-ts.mjs",
    "mod-auth-openidc.mjs",
];
/// Scripts for Python in `clients/`.
const PYTHON: [&str; 1] = ["authlib_client.py"];

/// How long one script may take; the longest takes half a minute on two busy cores.
const SCRIPT_LIMIT: Duration = Duration::from_mins(3);

/// The command `clients`.
///
/// # Errors
/// A registry does not answer, a relying party does not sign in, or an application behind a proxy is not reached as it should.
pub fn run() -> Result<()> {
    let cluster = say::step("A private PostgreSQL cluster", Cluster::start)?;
    let clients = Clients::install()?;
    let binary = server::build_test_kit()?;
    clients.visit(&binary, &cluster)?;
    // It speaks to the router itself, on both databases.
    say::step("The crate openidconnect", || {
        execute(
            cargo("test")
                .args(["--package", "vestibule-server", "--features", "test-kit"])
                .args(["--test", "http", "rust_client"])
                .env(test::CLUSTER, &cluster.url),
        )
    })
}

/// The relying parties and proxies, which are there.
pub struct Clients {
    /// The Python that has its libraries.
    python: PathBuf,
}

impl Clients {
    /// Installs whatever of them is missing.
    ///
    /// # Errors
    /// A registry does not answer, or something has to be installed by hand.
    pub fn install() -> Result<Self> {
        setup::proxies()?;
        setup::npm()?;
        setup::chromium()?;
        let python = install()?;
        Ok(Self { python })
    }

    /// Signs in with all of them, on both databases, with a binary that has the test kit.
    ///
    /// # Errors
    /// A relying party does not sign in, or an application behind a proxy is not reached as it should.
    pub fn visit(&self, binary: &Path, cluster: &Cluster) -> Result<()> {
        let folder = shell::target("clients");
        let sqlite = format!("sqlite://{}", folder.join("clients.db").display());
        for (name, database) in [("SQLite", &sqlite), ("PostgreSQL", &cluster.url)] {
            let key = folder.join(format!("{name}.key"));
            say::step(&format!("Relying parties on {name}"), || {
                let kit = Kit::start(binary, &key, database)?;
                for script in NODE {
                    within(SCRIPT_LIMIT, node(script).arg(&kit.url))?;
                }
                for script in PYTHON {
                    let mut python = Command::new(&self.python);
                    within(
                        SCRIPT_LIMIT,
                        python.arg(script).arg(&kit.url).current_dir(scripts()),
                    )?;
                }
                Ok(())
            })?;
            say::step(&format!("Applications behind proxies on {name}"), || {
                within(
                    SCRIPT_LIMIT,
                    node("../end2end/proxies/try.mjs")
                        .arg(binary)
                        .env("VESTIBULE_DATABASE_URL", database)
                        .env("VESTIBULE_KEY_FILE", &key),
                )
            })?;
        }
        Ok(())
    }
}

/// Runs a program that may take so long.
///
/// # Errors
/// It cannot be started, ends with anything but success, or takes longer: it is ended then.
fn within(limit: Duration, command: &mut Command) -> Result<()> {
    let mut child = command
        .stdin(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if begun.elapsed() > limit {
            server::stop(child);
            bail!("{} took longer than {} s", shown(command), limit.as_secs());
        }
        thread::sleep(LOOK_EVERY);
    };
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    Ok(())
}

/// A script for Node.js, named from `clients/`.
fn node(script: &str) -> Command {
    let mut node = Command::new("node");
    node.arg(script).current_dir(scripts());
    node
}

fn scripts() -> PathBuf {
    shell::root().join("clients")
}

/// Installs the libraries; gives the Python that has them.
fn install() -> Result<PathBuf> {
    for program in ["npm", "node", "python3"] {
        if which(program).is_none() {
            bail!("install {program}: Node.js 20 or newer with npm, and Python 3.11 or newer with venv");
        }
    }
    if shell::output(Command::new("python3").args(["-c", "import ensurepip, venv"])).is_err() {
        setup::debian(&["python3-venv"], "a relying party is written in Python")?;
    }
    say::step("Installing the relying parties", || {
        execute(
            Command::new("npm")
                .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
                .current_dir(scripts())
                .stdin(Stdio::null()),
        )?;
        let folder = shell::target("clients");
        // A new one each time: what an older list has installed is gone.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)?;
        let python = folder.join("python");
        execute(Command::new("python3").args(["-m", "venv"]).arg(&python))?;
        let python = python.join("bin/python");
        execute(
            Command::new(&python)
                .args([
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--requirement",
                    "requirements.txt",
                ])
                .current_dir(scripts()),
        )?;
        Ok(python)
    })
}

/// A server with the test kit; stopped when dropped.
struct Kit {
    server: Child,
    url: String,
}

impl Kit {
    fn start(binary: &Path, key: &Path, database: &str) -> Result<Self> {
        let port = free_port()?;
        let url = format!("http://127.0.0.1:{port}");
        let server = Command::new(binary)
            .arg("serve")
            .env("VESTIBULE_DATABASE_URL", database)
            .env("VESTIBULE_KEY_FILE", key)
            .env("VESTIBULE_LISTEN", format!("127.0.0.1:{port}"))
            .env("VESTIBULE_PUBLIC_URL", &url)
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let kit = Self { server, url };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if begun.elapsed() > START_LIMIT {
                bail!("the server did not answer within a minute");
            }
            thread::sleep(LOOK_EVERY);
        }
        Ok(kit)
    }
}

impl Drop for Kit {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_too_long_is_ended() {
        let ran = |limit, script: &str| within(limit, Command::new("sh").args(["-c", script]));
        assert!(ran(SCRIPT_LIMIT, "exit 0").is_ok());
        assert!(
            ran(SCRIPT_LIMIT, "exit 3")
                .unwrap_err()
                .to_string()
                .contains("exit status: 3")
        );
        let late = ran(Duration::from_millis(100), "exec sleep 600").unwrap_err();
        assert!(late.to_string().contains("took longer"), "{late}");
    }
}
