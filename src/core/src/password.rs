//! Which passwords may be chosen (product.md section 6; N1, N2, N4).

use crate::refusal::Problem;
use crate::{
    limits::{PASSWORD_MAX, PASSWORD_MAX_BYTES},
    search::{ends_word, fold, is_cjk},
    secret::Password,
};

/// Name of the product: a word that attackers try first.
const PRODUCT: &str = "vestibule";
/// Shorter words of an address, such as `de`, say nothing about a password.
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
    let words = known_words(names);
    let of = |text: &str| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match zxcvbn::zxcvbn(text, &words).score() {
            zxcvbn::Score::Four => Strength::Strong,
            zxcvbn::Score::Three => Strength::Good,
            zxcvbn::Score::Two => Strength::Fair,
            _ => Strength::Weak,
        }
    };
    let mut least = of(password.reveal());
    let typed = password.reveal().to_lowercase();
    let folded = fold(&typed);
    for typed in [Some(&typed), Some(&folded).filter(|folded| **folded != typed)]
        .into_iter()
        .flatten()
    {
        let rest = words
            .iter()
            .fold(typed.clone(), |rest, word| rest.replace(word.as_str(), ""));
        if least > Strength::Weak && rest.len() < typed.len() {
            least = least.min(of(&rest));
        }
    }
    least
}

/// The words of these names and of the product, each as it is written and as it is typed without accents; the longest
/// first.
fn known_words(names: &[&str]) -> Vec<String> {
    let mut words = Vec::new();
    for name in names.iter().chain(&[PRODUCT]) {
        words.push(name.to_lowercase());
        let (name, domain) = name.rsplit_once('@').unwrap_or((name, ""));
        let of_name = || name.split(ends_word).chain([name]);
        words.extend(of_name().map(str::to_lowercase));
        words.extend(of_name().map(fold));
        let of_domain = domain.split(ends_word).chain([domain]);
        words.extend(of_domain.filter(|word| is_long(word)).map(str::to_lowercase));
    }
    words.retain(|word| counts(word));
    words.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    words.dedup();
    words
}

fn is_long(word: &str) -> bool {
    word.chars().count() >= SHORTEST_WORD
}

/// Whether a word of a name says something about a password. Most Chinese, Japanese and Korean names have one or two
/// characters; elsewhere two letters can be a name, and one is in every password.
fn counts(word: &str) -> bool {
    let short = word.chars().nth(1).is_some() && word.chars().all(char::is_alphabetic);
    is_long(word) || short || word.chars().all(is_cjk) && !word.is_empty()
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
    fn names_of_every_script_and_length_are_known() {
        let strength_with =
            |names: &[&str], password: &str| strength(&Password::new(password.to_owned()), names);
        for (names, weak) in [
            (["王", "小明"], "王小明王小明2026"),
            (["田中", "太郎"], "太郎田中-太郎20"),
            (["김", "민수"], "김민수-민수김!!1"),
            (["Wu", "Li"], "WuLi#2026#Wu"),
            (["José", "Núñez"], "jose-nunez-2026"),
            (["Jose", "Nunez"], "josé-núñez-2026"),
            (["Conan", "O’Brien"], "conan brien 2026"),
            (["マイク・スミス", ""], "マイク2026スミス"),
        ] {
            assert!(strength_with(&names, weak) < Strength::Good, "{names:?} {weak}");
        }
        // One letter, or the end of a domain, is in every password.
        for names in [["A", "T"], ["e@e.de", "a@mail.io"]] {
            assert_eq!(
                strength_with(&names, "violet harbour kettle"),
                Strength::Strong,
                "{names:?}"
            );
        }
        assert!(strength_with(&["Le", "An"], "violet harbour kettle") >= Strength::Good);
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
