//! What the processor has to be able to do: `cargo xtask build --native` compiles the hashing of passwords, and nothing
//! else, for a level above what every processor of its kind has. This file is compiled for all of them, so that it can say so.

use thiserror::Error;

/// The level that hashing was compiled for; `None` = every processor of its kind.
const LEVEL: Option<&str> = option_env!("VESTIBULE_HASHING_LEVEL");

/// What stands for a level of `x86-64`, and what of it this processor has.
type Ability = (&'static str, bool);

/// This binary is for others.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum WrongProcessor {
    /// It cannot do what hashing was compiled for.
    #[error(
        "This binary was built for processors of level {level} (`cargo xtask build --native`), and this one lacks: {}. \
         Take a binary from `cargo xtask build`, which runs on all of them.", .lacks.join(", ")
    )]
    Lacks {
        /// The level.
        level: String,
        /// What the processor lacks of it.
        lacks: Vec<&'static str>,
    },
    /// Nobody here knows what the level means.
    #[error("This binary was built for processors of level {0}, which it does not know. Build it again.")]
    Unknown(String),
}

/// Whether this processor can do what this binary was compiled for.
///
/// # Errors
/// It cannot.
pub fn check() -> Result<(), WrongProcessor> {
    LEVEL.map_or(Ok(()), |level| suffices(level, &abilities()))
}

/// Whether a processor that can do this suffices for a level. The lists are those of the System V ABI for x86-64.
fn suffices(level: &str, abilities: &[Ability]) -> Result<(), WrongProcessor> {
    const V2: [&str; 6] = ["cmpxchg16b", "popcnt", "sse3", "sse4.1", "sse4.2", "ssse3"];
    const V3: [&str; 8] = ["avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "lzcnt", "movbe"];
    const V4: [&str; 5] = ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"];
    let needed: Vec<&'static str> = match level {
        "x86-64-v3" => [&V2[..], &V3].concat(),
        "x86-64-v4" => [&V2[..], &V3, &V4].concat(),
        other => return Err(WrongProcessor::Unknown(other.to_owned())),
    };
    let lacks: Vec<&'static str> = needed
        .into_iter()
        .filter(|needed| !abilities.contains(&(*needed, true)))
        .collect();
    if lacks.is_empty() {
        Ok(())
    } else {
        Err(WrongProcessor::Lacks {
            level: level.to_owned(),
            lacks,
        })
    }
}

/// What this processor can do, and this system lets it do.
#[cfg(target_arch = "x86_64")]
fn abilities() -> Vec<Ability> {
    macro_rules! detected {
        ($($name:tt),*) => {
            vec![$(($name, is_x86_feature_detected!($name))),*]
        };
    }
    detected![
        "cmpxchg16b",
        "popcnt",
        "sse3",
        "sse4.1",
        "sse4.2",
        "ssse3",
        "avx",
        "avx2",
        "bmi1",
        "bmi2",
        "f16c",
        "fma",
        "lzcnt",
        "movbe",
        "avx512f",
        "avx512bw",
        "avx512cd",
        "avx512dq",
        "avx512vl"
    ]
}

/// Others have no levels.
#[cfg(not(target_arch = "x86_64"))]
fn abilities() -> Vec<Ability> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [&str; 19] = [
        "cmpxchg16b",
        "popcnt",
        "sse3",
        "sse4.1",
        "sse4.2",
        "ssse3",
        "avx",
        "avx2",
        "bmi1",
        "bmi2",
        "f16c",
        "fma",
        "lzcnt",
        "movbe",
        "avx512f",
        "avx512bw",
        "avx512cd",
        "avx512dq",
        "avx512vl",
    ];

    fn without(missing: &[&str]) -> Vec<Ability> {
        ALL.into_iter()
            .map(|name| (name, !missing.contains(&name)))
            .collect()
    }

    #[test]
    fn what_a_processor_lacks_of_a_level_is_named() {
        for level in ["x86-64-v3", "x86-64-v4"] {
            assert_eq!(suffices(level, &without(&[])), Ok(()));
        }
        assert_eq!(suffices("x86-64-v3", &without(&["avx512f"])), Ok(()));
        let refused = suffices("x86-64-v4", &without(&["avx512f", "avx512vl"])).unwrap_err();
        assert!(
            refused.to_string().contains("lacks: avx512f, avx512vl."),
            "{refused}"
        );
        let refused = suffices("x86-64-v3", &[]).unwrap_err();
        let named = ALL
            .into_iter()
            .take(14)
            .filter(|name| refused.to_string().contains(name));
        assert_eq!(named.count(), 14, "{refused}");
        let refused = suffices("x86-64-v5", &without(&[])).unwrap_err();
        assert_eq!(refused, WrongProcessor::Unknown("x86-64-v5".to_owned()));
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn everything_that_a_level_needs_is_asked_of_the_processor() {
        let asked: Vec<&str> = abilities().into_iter().map(|(name, _)| name).collect();
        assert_eq!(asked, ALL);
    }

    #[test]
    fn what_is_built_for_every_processor_runs() {
        assert!(LEVEL.is_some() || check() == Ok(()));
    }
}
