//! Which passwords may be chosen (product.md section 6; N1, N2, N4).

use crate::refusal::Problem;
use crate::{
    limits::{PASSWORD_MAX, PASSWORD_MAX_BYTES},
    secret::Password,
};

/// Name of the product: a word that attackers try first.
const PRODUCT: &str = "vestibule";
/// Shorter names say nothing about a password.
const SHORTEST_WORD: usize = 3;

/// How hard a password is to guess, by zxcvbn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// Guessed in no time.
    Weak,
    /// Guessed by somebody who tries.
    Fair,
    /// Safely unguessable: the least that is accepted.
    Good,
    /// Very unguessable.
    Strong,
}

/// How hard `password` is to guess for somebody who knows these names. zxcvbn knows them too, and what is left of the
/// password without them has to be strong by itself (N4).
///
/// zxcvbn looks at the first 100 characters. Cutting earlier would be cheaper and let long words through that are merely
/// repeated: a piece of the last one counts as random letters. So this takes long for long passwords, and is for threads
/// that may.
pub fn strength(password: &Password, names: &[&str]) -> Strength {
    let typed = password.reveal().to_lowercase();
    let mut words: Vec<String> = names
        .iter()
        .chain(&[PRODUCT])
        .flat_map(|name| name.split(['@', ' ']).chain([*name]))
        .map(str::to_lowercase)
        .filter(|word| word.chars().count() >= SHORTEST_WORD)
        .collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let rest = words
        .iter()
        .fold(typed.clone(), |rest, word| rest.replace(word.as_str(), ""));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let of = |text: &str| match zxcvbn::zxcvbn(text, &words).score() {
        zxcvbn::Score::Four => Strength::Strong,
        zxcvbn::Score::Three => Strength::Good,
        zxcvbn::Score::Two => Strength::Fair,
        _ => Strength::Weak,
    };
    let whole = of(password.reveal());
    if whole > Strength::Weak && rest.len() < typed.len() {
        whole.min(of(&rest))
    } else {
        whole
    }
}

/// What is wrong with a new password: too short for the company (`least` characters), too long, or easy to guess for
/// somebody who knows these names. No rule asks for kinds of characters.
pub fn problem(password: &Password, names: &[&str], least: usize) -> Option<Problem> {
    length_problem(password, least)
        .or_else(|| (strength(password, names) < Strength::Good).then_some(Problem::Weak))
}

/// How hard a new password is to guess, and what is wrong with it.
pub fn assess(password: &Password, names: &[&str], least: usize) -> (Strength, Option<Problem>) {
    let problem = length_problem(password, least);
    if matches!(problem, Some(Problem::Missing | Problem::TooLong { .. })) {
        // Not worth the work.
        return (Strength::Weak, problem);
    }
    let strength = strength(password, names);
    let weak = (strength < Strength::Good).then_some(Problem::Weak);
    (strength, problem.or(weak))
}

/// What is wrong with a password that can be seen without guessing.
fn length_problem(password: &Password, least: usize) -> Option<Problem> {
    let typed = password.reveal();
    let length = typed.chars().count();
    if length == 0 {
        Some(Problem::Missing)
    } else if length > PASSWORD_MAX || typed.len() > PASSWORD_MAX_BYTES {
        Some(Problem::TooLong { most: PASSWORD_MAX })
    } else if typed.contains('\0') {
        Some(Problem::BadCharacters)
    } else if length < least {
        Some(Problem::TooShort { least })
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 5] = ["Acme", "alice", "alice@mail.acme.test", "Alice", "Ng"];

    fn check(password: &str) -> Option<Problem> {
        problem(&Password::new(password.to_owned()), &NAMES, 12)
    }

    #[test]
    fn passwords_that_are_easy_to_guess_are_refused() {
        for weak in [
            "passwordpassword",
            "Acme2026!!!!",
            "alicealice12",
            "alice-acme-alice",
            "alice@mail.acme.test",
            "vestibule123",
            "qwertyuiop12",
            "aaaaaaaaaaaaaaaa",
            // Its first 64 characters alone would be strong.
            &"telecommunications".repeat(5),
        ] {
            assert_eq!(check(weak), Some(Problem::Weak), "{weak}");
        }
        for strong in [
            "kqzvwyxbntgmrdf",
            "violet harbour kettle",
            "Ünïcödé is fine too",
            "acme violet harbour kettle",
        ] {
            assert_eq!(check(strong), None, "{strong}");
        }
        for password in ["passwordpassword", "violet harbour kettle", "short", ""] {
            let password = Password::new(password.to_owned());
            let (strength, found) = assess(&password, &NAMES, 12);
            assert_eq!(found, problem(&password, &NAMES, 12));
            assert!(found.is_some() || strength >= Strength::Good);
        }
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert_eq!(check(""), Some(Problem::Missing));
        assert_eq!(check("kqzvwyxbntg"), Some(Problem::TooShort { least: 12 }));
        assert_eq!(check("kqzvwyxbntgm"), None);
        assert_eq!(check("kqzvwyx\0bntgm"), Some(Problem::BadCharacters));
        let long: String = ["violet harbour kettle "; 7].concat();
        assert_eq!(check(&long[..129]), Some(Problem::TooLong { most: 128 }));
        assert_ne!(check(&long[..128]), Some(Problem::TooLong { most: 128 }));
    }
}
