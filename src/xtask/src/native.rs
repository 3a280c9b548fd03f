//! A binary for processors like this machine's: one crate, the one that hashes passwords, is compiled for a level of `x86-64`
//! above the first. Cargo cannot do that for a single crate; it starts this program instead of the compiler, which adds a word.

use std::{
    env,
    ffi::{OsStr, OsString},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Command, ExitCode},
};

use anyhow::{Context as _, Result};

use crate::{say, shell};

/// Where it is built, below `target`: of every crate there is one of each kind.
pub const FOLDER: &str = "native";
/// The crate that is compiled for the level.
const HASHING: &str = "argon2";
/// Says the level to this program where it stands for the compiler, and to the server, whose start compares it with its
/// processor.
const LEVEL: &str = "VESTIBULE_HASHING_LEVEL";
/// The levels, the highest first, each with what the compiler calls what is new in it.
const LEVELS: [(&str, &[&str]); 2] = [
    (
        "x86-64-v4",
        &["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"],
    ),
    (
        "x86-64-v3",
        &["avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "lzcnt", "movbe"],
    ),
];

/// The highest level that this machine's processor has.
///
/// # Errors
/// It has none above the first.
pub fn level() -> Result<&'static str> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let facts = shell::output(Command::new(rustc).args(["--print", "cfg", "-C", "target-cpu=native"]))?;
    level_of(&facts).context("this processor can do nothing that others cannot: use `cargo xtask build`")
}

/// The highest level whose words are among what the compiler says of a processor.
fn level_of(facts: &str) -> Option<&'static str> {
    let has = |name: &str| {
        facts
            .lines()
            .any(|line| line == format!("target_feature=\"{name}\""))
    };
    let mut levels = LEVELS.iter().enumerate();
    levels
        .find(|(index, _)| {
            LEVELS[*index..]
                .iter()
                .all(|(_, names)| names.iter().all(|name| has(name)))
        })
        .map(|(_, (level, _))| *level)
}

/// The same command, compiling the hashing for a level.
///
/// # Errors
/// It is not known where this program is.
pub fn compiling<'a>(cargo: &'a mut Command, level: &str) -> Result<&'a mut Command> {
    Ok(cargo
        .env("CARGO_TARGET_DIR", shell::target(FOLDER))
        .env("RUSTC_WRAPPER", env::current_exe()?)
        .env(LEVEL, level))
}

/// Stands for the compiler where cargo has started this program instead; `None` = it was started by somebody else.
pub fn as_compiler() -> Option<ExitCode> {
    let level = env::var(LEVEL).ok()?;
    let mut words = env::args_os().skip(1);
    let compiler = words.next()?;
    if Path::new(&compiler).file_stem() != Some(OsStr::new("rustc")) {
        return None;
    }
    let words: Vec<OsString> = words.collect();
    let mut command = Command::new(compiler);
    command.args(&words);
    if compiles(&words, HASHING) {
        command.args(["-C", &format!("target-cpu={level}")]);
    }
    // It comes back only when there is no such program.
    say::problem(&command.exec().into());
    Some(ExitCode::FAILURE)
}

/// Whether these are the words by which cargo has this crate compiled.
fn compiles(words: &[OsString], name: &str) -> bool {
    words.windows(2).any(|pair| pair == ["--crate-name", name])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the compiler says of a processor that has all of these levels.
    fn facts(levels: &[usize]) -> String {
        let names = levels.iter().flat_map(|index| LEVELS[*index].1);
        names.fold(String::new(), |facts, name| {
            facts + "target_feature=\"" + name + "\"\n"
        })
    }

    #[test]
    fn a_level_holds_all_below_it() {
        assert_eq!(level_of(&facts(&[0, 1])), Some("x86-64-v4"));
        assert_eq!(level_of(&facts(&[1])), Some("x86-64-v3"));
        assert_eq!(level_of(&facts(&[0])), None);
        assert_eq!(level_of(&facts(&[1]).replace("bmi2", "bmi9")), None);
        assert_eq!(
            level_of("target_arch=\"aarch64\"\ntarget_feature=\"neon\"\n"),
            None
        );
    }

    #[test]
    fn one_crate_is_compiled_otherwise() {
        let words = |name: &str| ["--crate-name", name, "--edition=2024", "src/lib.rs"].map(OsString::from);
        assert!(compiles(&words("argon2"), HASHING));
        for other in ["blake2", "argon2_tests", "vestibule_server"] {
            assert!(!compiles(&words(other), HASHING), "{other}");
        }
        assert!(!compiles(&["-vV".into()], HASHING));
    }
}
