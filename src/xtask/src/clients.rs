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
    shell::{self, cargo, execute, which},
    test,
};

/// How long the server may take to answer.
const START_LIMIT: Duration = Duration::from_mins(1);

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

/// The command `clients`.
///
/// # Errors
/// A registry does not answer, a relying party does not sign in, or an application behind a proxy is not reached as it should.
pub fn run() -> Result<()> {
    let cluster = say::step("A private PostgreSQL cluster", Cluster::start)?;
    setup::proxies()?;
    setup::npm()?;
    setup::chromium()?;
    let python = install()?;
    let binary = server::build_test_kit()?;
    let folder = shell::target("clients");
    let sqlite = format!("sqlite://{}", folder.join("clients.db").display());
    for (name, database) in [("SQLite", &sqlite), ("PostgreSQL", &cluster.url)] {
        let key = folder.join(format!("{name}.key"));
        say::step(&format!("Relying parties on {name}"), || {
            let kit = Kit::start(&binary, &key, database)?;
            for script in NODE {
                execute(node(script).arg(&kit.url))?;
            }
            for script in PYTHON {
                execute(
                    Command::new(&python)
                        .arg(script)
                        .arg(&kit.url)
                        .current_dir(scripts()),
                )?;
            }
            Ok(())
        })?;
        say::step(&format!("Applications behind proxies on {name}"), || {
            execute(
                node("../end2end/proxies/try.mjs")
                    .arg(&binary)
                    .env("VESTIBULE_DATABASE_URL", database)
                    .env("VESTIBULE_KEY_FILE", &key),
            )
        })?;
    }
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
            thread::sleep(Duration::from_millis(50));
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
