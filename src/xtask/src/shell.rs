//! Other programs: finding and running them.

use std::{
    env,
    ffi::OsStr,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};

/// Folder of the workspace.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// A path below `target/`.
pub fn target(name: &str) -> PathBuf {
    root().join("target").join(name)
}

/// Whether this is a gate's run: nobody watches, nothing may be asked.
pub fn on_ci() -> bool {
    env::var_os("CI").is_some()
}

/// The cargo that runs this program, in the workspace's folder, with the workspace's target folder.
pub fn cargo(command: &str) -> Command {
    let mut cargo = cargo_plain(command);
    if on_ci() {
        cargo.arg("--locked");
    }
    cargo
}

/// Cargo without `--locked`, for those of its commands that do not know it there.
pub fn cargo_plain(command: &str) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .arg(command)
        .current_dir(root())
        .env("CARGO_TARGET_DIR", target(""));
    // `cargo run` described this package to us in the environment; build scripts of others would notice the
    // difference and build everything again.
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| {
            ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"]
                .iter()
                .any(|start| name.starts_with(start))
        }) {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// Runs a program and waits for it; what it prints is shown.
///
/// # Errors
/// It cannot be started, or ends with anything but success.
pub fn execute(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    Ok(())
}

/// Runs a program, shows nothing, returns what it printed to standard output.
///
/// # Errors
/// It cannot be started, or ends with anything but success; the error quotes its standard error.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    if !output.status.success() {
        bail!(
            "{} ended with {}: {}",
            shown(command),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The same for a program that reads `input`.
///
/// # Errors
/// As [`output`].
#[cfg(feature = "attack")]
pub fn fed(command: &mut Command, input: &str) -> Result<String> {
    use std::io::Write as _;

    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    let reader = child.stdin.take();
    // Written beside the reading: a long answer may come before all of it is read.
    let output = std::thread::scope(|scope| {
        scope.spawn(|| reader.map(|mut reader| reader.write_all(input.as_bytes())));
        child.wait_with_output()
    })?;
    if !output.status.success() {
        bail!(
            "{} ended with {}: {}",
            shown(command),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A command as one would type it.
pub fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or(command.get_program());
    let words: Vec<_> = std::iter::once(program)
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect();
    format!("`{}`", words.join(" "))
}

/// Looks a program up in the search path.
pub fn which(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|file| is_program(file))
}

/// Whether a file is there and may be run.
pub fn is_program(file: &Path) -> bool {
    file.metadata()
        .is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o111 != 0)
}

/// Whether this process may install Debian packages.
pub fn is_root() -> bool {
    Path::new("/proc/self")
        .metadata()
        .is_ok_and(|facts| facts.uid() == 0)
}
