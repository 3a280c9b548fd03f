//! The server's half: builds of the binary, the demo, the loop for working on it.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Child, Command},
    thread,
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result, bail};

use crate::{
    check, files, native, say,
    shell::{self, cargo, execute},
    site,
};

const PACKAGE: [&str; 2] = ["--package", "vestibule-server"];
/// Something that only the test kit contains: the demo has its stand-ins for providers, too.
const TEST_KIT_MARK: &[u8] = b"/_test/clock";
const LOOK_EVERY: Duration = Duration::from_millis(400);
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// The release binary.
///
/// # Errors
/// A step fails, or the test kit got into it.
pub fn build() -> Result<PathBuf> {
    site::build(site::Kind::Shipped)?;
    say::step("Compiling the server (release)", || {
        execute(cargo("build").args(PACKAGE).arg("--release"))
    })?;
    let binary = place("release", "vestibule")?;
    if check::contains(&fs::read(&binary)?, TEST_KIT_MARK) {
        fs::remove_file(&binary)?;
        bail!("the release binary contains the test kit");
    }
    Ok(binary)
}

/// The release binary whose hashing of passwords is compiled for this machine's kind of processor.
///
/// # Errors
/// A step fails, or the processor can do nothing that others cannot.
pub fn build_native() -> Result<PathBuf> {
    let level = native::level()?;
    site::build(site::Kind::Shipped)?;
    let what = format!("Compiling the server (release, hashing for {level})");
    say::step(&what, || {
        let mut build = cargo("build");
        execute(
            native::compiling(&mut build, level)?
                .args(PACKAGE)
                .arg("--release"),
        )
    })?;
    place(&format!("{}/release", native::FOLDER), "vestibule-native")
}

/// The binary with the test kit.
///
/// # Errors
/// A step fails.
pub fn build_test_kit() -> Result<PathBuf> {
    site::build(site::Kind::Shipped)?;
    say::step("Compiling the server with the test kit", || {
        execute(
            cargo("build")
                .args(PACKAGE)
                .args(["--profile", "test-kit", "--features", "test-kit"]),
        )
    })?;
    let binary = place("test-kit", "vestibule-test-kit")?;
    if !check::contains(&fs::read(&binary)?, TEST_KIT_MARK) {
        bail!("nothing tells the test kit from a release any more");
    }
    Ok(binary)
}

/// Copies what cargo built to where people look for it.
fn place(profile: &str, name: &str) -> Result<PathBuf> {
    let built = shell::target(profile).join("vestibule");
    let placed = shell::target(name);
    // A running copy keeps its own file; writing into it would be refused.
    let _ = fs::remove_file(&placed);
    let size = fs::copy(&built, &placed).with_context(|| format!("cannot copy {}", built.display()))?;
    say::line(&format!("  target/{name}: {} bytes", say::bytes(size)));
    Ok(placed)
}

/// The command `run`.
///
/// # Errors
/// A step fails.
pub fn run() -> Result<()> {
    site::build(site::Kind::Shipped)?;
    compile()?;
    Err(demo()?.exec()).context("cannot start the demo")
}

/// The binary that the demo is served by.
///
/// # Errors
/// It does not compile.
pub fn compile() -> Result<()> {
    say::step("Compiling the server", || execute(cargo("build").args(PACKAGE)))
}

/// The demo, with its data in `target/demo`. It prints its address and accounts itself.
fn demo() -> Result<Command> {
    let folder = shell::target("demo");
    fs::create_dir_all(&folder)?;
    let mut demo = Command::new(shell::target("debug").join("vestibule"));
    demo.arg("demo").arg("--data").arg(&folder).current_dir(&folder);
    Ok(demo)
}

/// The command `dev`: until interrupted.
///
/// # Errors
/// The first build's steps cannot be set up.
pub fn dev() -> Result<()> {
    let mut running: Option<Child> = None;
    let mut seen = BTreeMap::new();
    loop {
        let now = sources()?;
        if now == seen {
            thread::sleep(LOOK_EVERY);
            continue;
        }
        seen = now;
        // The old server goes on while the new one is built, and stays when that fails.
        match site::build(site::Kind::Quick).and_then(|_| compile()) {
            Ok(()) => {
                if let Some(old) = running.take() {
                    stop(old);
                }
                running = Some(demo()?.spawn().context("cannot start the demo")?);
                say::line("running; waiting for changes");
            }
            Err(error) => {
                say::problem(&error);
                say::line("waiting for changes");
            }
        }
    }
}

/// Every file that the result depends on, and when it changed.
fn sources() -> Result<BTreeMap<PathBuf, SystemTime>> {
    let mut found = BTreeMap::new();
    for part in ["src", "style", "locales", "public", "Cargo.toml", "Cargo.lock"] {
        let path = shell::root().join(part);
        let all = if path.is_dir() {
            files::all_below(&path)?
        } else {
            vec![path]
        };
        for file in all {
            // A file that vanishes while we look is a change for the next look.
            if let Ok(changed) = file.metadata().and_then(|facts| facts.modified()) {
                found.insert(file, changed);
            }
        }
    }
    Ok(found)
}

/// Asks a server to stop and waits for it. As from a terminal: then it does not drain.
pub fn stop(mut server: Child) {
    let _ = shell::output(Command::new("kill").args(["-INT", &server.id().to_string()]));
    let mut left = STOP_LIMIT;
    while !left.is_zero() && matches!(server.try_wait(), Ok(None)) {
        thread::sleep(Duration::from_millis(20));
        left = left.saturating_sub(Duration::from_millis(20));
    }
    let _ = server.kill();
    let _ = server.wait();
}
