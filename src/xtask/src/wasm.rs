//! The compiler of the browser's half.
//!
//! Two ways, and the smaller result wins when both are there:
//! - Debian's compiler with the library's source: the standard library is compiled along with us, for size and with
//!   panics that abort at once. About a tenth smaller; needs switches that only a nightly compiler, or a
//!   distribution's with `RUSTC_BOOTSTRAP`, accepts.
//! - the compiler at hand with the ready-made library that `rustup target add` brings.
//!
//! `XTASK_WASM_TOOLCHAIN=rustup` or `=debian` decides otherwise.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};

use crate::{
    say, setup,
    shell::{self, which},
};

/// Name of the target.
pub const TARGET: &str = "wasm32-unknown-unknown";

const CHOICE: &str = "XTASK_WASM_TOOLCHAIN";
const DEBIAN_PROGRAMS: &str = "/usr/bin";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// What compiles for WebAssembly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Toolchain {
    /// The one at hand, with the target's library installed.
    Ready,
    /// Debian's, with the library's source and this linker.
    Debian(PathBuf),
}

impl Toolchain {
    /// What a person calls it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ready => "the installed target",
            Self::Debian(_) => "Debian's compiler, standard library built for size",
        }
    }

    /// What `/login` may weigh when this compiled it: bytes of everything that a first visit loads, as brotli.
    pub fn budget(&self) -> usize {
        match self {
            Self::Ready => 84_000,
            Self::Debian(_) => 72_000,
        }
    }

    /// A cargo command for the target, with everything but the package and the profile.
    pub fn cargo(&self, command: &str) -> Command {
        let mut cargo = shell::cargo(command);
        let mut flags = vec![format!("--remap-path-prefix={}=", registry_sources().display())];
        if let Self::Debian(linker) = self {
            let mut debian = Command::new(DEBIAN_CARGO);
            debian.args(cargo.get_args()).current_dir(shell::root());
            for (name, value) in cargo.get_envs() {
                match value {
                    Some(value) => debian.env(name, value),
                    None => debian.env_remove(name),
                };
            }
            // Its subcommands, such as clippy, are looked for in the path: rustup's would run rustup's compiler.
            let path = env::var("PATH").unwrap_or_default();
            debian.env("PATH", format!("{DEBIAN_PROGRAMS}:{path}"));
            for name in [
                "CARGO",
                "RUSTUP_TOOLCHAIN",
                "RUST_RECURSION_COUNT",
                "LD_LIBRARY_PATH",
            ] {
                debian.env_remove(name);
            }
            debian
                .args([
                    "-Zbuild-std=std,panic_abort",
                    "-Zbuild-std-features=optimize_for_size",
                ])
                .env("RUSTC", DEBIAN_RUSTC)
                .env("RUSTDOC", "/usr/bin/rustdoc")
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
            flags.extend([
                "-Zunstable-options".to_owned(),
                "-Cpanic=immediate-abort".to_owned(),
                // What Debug would print goes into the messages of panics, which nobody sees.
                "-Zfmt-debug=none".to_owned(),
                "-Zlocation-detail=none".to_owned(),
            ]);
            cargo = debian;
        }
        // A folder of its own: two compilers in one would throw each other's work away.
        cargo
            .args(["--target", TARGET])
            .env("CARGO_TARGET_DIR", shell::target("wasm"))
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", flags.join(" "));
        cargo
    }
}

/// Where cargo keeps the sources of dependencies: cut from the paths that end up in the file, which would otherwise
/// tell where it was built.
fn registry_sources() -> PathBuf {
    let home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cargo")))
        .unwrap_or_default();
    home.join("registry/src")
}

/// Finds a toolchain, installing one when none is there.
///
/// # Errors
/// None is there and none can be installed; says what to install.
pub fn toolchain() -> Result<Toolchain> {
    match env::var(CHOICE).as_deref() {
        Ok("rustup") => ready().or_else(add_target).with_context(by_hand),
        Ok("debian") => debian().map_or_else(install_debian, Ok),
        Ok(other) => bail!("{CHOICE}={other}: choose rustup or debian"),
        Err(_) => match debian().or_else(ready).or_else(add_target) {
            Some(toolchain) => Ok(toolchain),
            None => install_debian(),
        },
    }
}

fn by_hand() -> String {
    format!("the browser's half needs a compiler for {TARGET}: rustup target add {TARGET}")
}

/// Whether the compiler at hand has the target's library.
pub fn ready() -> Option<Toolchain> {
    let folder =
        shell::output(Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET])).ok()?;
    let mut files = fs::read_dir(folder.trim()).ok()?;
    files
        .any(|file| file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with("libcore-")))
        .then_some(Toolchain::Ready)
}

fn add_target() -> Option<Toolchain> {
    which("rustup")?;
    let added = say::step(&format!("Adding the target {TARGET} with rustup"), || {
        shell::execute(
            Command::new("timeout")
                .args(["180", "rustup", "target", "add", TARGET])
                .stdin(Stdio::null())
                .stderr(Stdio::null()),
        )
    });
    if let Err(error) = added {
        say::line(&format!(
            "  rustup cannot reach its server ({:#})",
            error.root_cause()
        ));
        return None;
    }
    ready()
}

/// Debian's compiler, when everything it needs is installed.
fn debian() -> Option<Toolchain> {
    // A link of rustup's would be the compiler at hand again.
    if fs::canonicalize(DEBIAN_RUSTC)
        .ok()?
        .to_string_lossy()
        .contains("rustup")
    {
        return None;
    }
    shell::is_program(Path::new(DEBIAN_CARGO)).then_some(())?;
    let facts = debian_rustc(&["-vV"])?;
    let fact = |name: &str| {
        facts
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .map(str::to_owned)
    };
    new_enough(&fact("release: ")?).then_some(())?;
    let sysroot = debian_rustc(&["--print", "sysroot"])?;
    Path::new(sysroot.trim())
        .join("lib/rustlib/src/rust/library/Cargo.toml")
        .exists()
        .then_some(())?;
    let llvm = fact("LLVM version: ")?;
    which(&format!("wasm-ld-{}", llvm.split('.').next()?))
        .or_else(|| which("wasm-ld"))
        .map(Toolchain::Debian)
}

fn debian_rustc(arguments: &[&str]) -> Option<String> {
    shell::output(
        Command::new(DEBIAN_RUSTC)
            .args(arguments)
            .env_remove("LD_LIBRARY_PATH"),
    )
    .ok()
}

/// Whether a version such as `1.96.0+dfsg1-1` is at least the one that the workspace asks for.
fn new_enough(version: &str) -> bool {
    let numbers = |text: &str| -> Vec<u32> {
        text.split(|letter: char| !letter.is_ascii_digit())
            .take(2)
            .map_while(|part| part.parse().ok())
            .collect()
    };
    numbers(version) >= numbers(env!("CARGO_PKG_RUST_VERSION"))
}

fn install_debian() -> Result<Toolchain> {
    if which("apt-get").is_none() {
        bail!(by_hand());
    }
    let choices = [
        ["rustc-web", "cargo-web", "rust-web-src"],
        ["rustc", "cargo", "rust-src"],
    ];
    let Some(packages) = choices
        .into_iter()
        .find(|[compiler, ..]| setup::offered_version(compiler).is_some_and(|version| new_enough(&version)))
    else {
        bail!("{}; Debian offers no compiler that is new enough", by_hand());
    };
    setup::debian(&packages, "a compiler for WebAssembly with the library's source").with_context(by_hand)?;
    let facts = debian_rustc(&["-vV"]).unwrap_or_default();
    let llvm = facts
        .lines()
        .find_map(|line| line.strip_prefix("LLVM version: ")?.split('.').next())
        .context("cannot tell which LLVM Debian's compiler uses")?;
    setup::debian(&[&format!("lld-{llvm}")], "the linker for WebAssembly")?;
    debian().context("Debian's compiler is installed and yet not complete")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(new_enough("1.95.0"));
        assert!(new_enough("1.100.0"));
        assert!(new_enough("2.0"));
        assert!(!new_enough("1.63.0+dfsg1-2"));
        assert!(!new_enough("1.9.0"));
        assert!(!new_enough(""));
    }

    #[test]
    fn debian_versions_are_understood() {
        assert!(new_enough("1.96.0+dfsg1-1~deb12u2"));
        assert!(!new_enough("1.85.0+dfsg3-1~deb12u3"));
    }
}
