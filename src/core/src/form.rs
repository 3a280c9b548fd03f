//! The cheap checks of a form, the same in the browser and on the server: what cannot be right needs no round trip.

use crate::{
    limits::{
        ACCOUNT_MAX, BACKUP_CODE_CHARS, CODE_DIGITS, CODE_FIELD_MAX, COMPANY_MAX, EMAIL_MAX, PASSWORD_MAX,
    },
    refusal::{Field, FieldProblem, Problem},
};

/// What is wrong with the fields of the sign-in page, in their order.
pub fn sign_in_problems(company: &str, account: &str, password: &str) -> Vec<FieldProblem> {
    let account_max = if account.contains('@') {
        EMAIL_MAX
    } else {
        ACCOUNT_MAX
    };
    let password_problem = match password {
        "" => Some(Problem::Missing),
        _ if password.chars().count() > PASSWORD_MAX => Some(Problem::TooLong { most: PASSWORD_MAX }),
        _ if password.contains('\0') => Some(Problem::BadCharacters),
        _ => None,
    };
    [
        (Field::Company, name_problem(company, COMPANY_MAX)),
        (Field::Account, name_problem(account, account_max)),
        (Field::Password, password_problem),
    ]
    .into_iter()
    .filter_map(|(field, problem)| problem.map(|problem| FieldProblem { field, problem }))
    .collect()
}

/// What is wrong with an entered code: neither six digits nor a backup code. White space and hyphens do not matter.
pub fn code_problem(code: &str) -> Option<Problem> {
    let (mut digits, mut letters, mut others) = (0, 0, 0);
    for c in code.chars().filter(|c| !c.is_whitespace() && *c != '-') {
        if ascii_digit(c).is_some() {
            digits += 1;
        } else if c.is_ascii_alphabetic() && !matches!(c, 'u' | 'U') {
            letters += 1;
        } else {
            others += 1;
        }
    }
    match (digits, letters, others) {
        (0, 0, 0) => Some(Problem::Missing),
        (CODE_DIGITS, 0, 0) if code.len() <= CODE_FIELD_MAX => None,
        (_, _, 0) if digits + letters == BACKUP_CODE_CHARS && code.len() <= CODE_FIELD_MAX => None,
        _ => Some(Problem::NotACode),
    }
}

/// Whether what stands in the code field so far can only become a backup code: it has letters.
pub fn looks_like_backup_code(code: &str) -> bool {
    code.chars().any(|c| c.is_ascii_alphabetic())
}

/// A digit of the mail, whichever keyboard typed it: ASCII, Arabic-Indic or Extended Arabic-Indic (Persian, Urdu).
pub fn ascii_digit(typed: char) -> Option<char> {
    let zero = match typed {
        '0'..='9' => return Some(typed),
        '\u{660}'..='\u{669}' => 0x660,
        '\u{6f0}'..='\u{6f9}' => 0x6f0,
        _ => return None,
    };
    char::from_digit(u32::from(typed) - zero, 10)
}

fn name_problem(name: &str, most: usize) -> Option<Problem> {
    let name = name.trim();
    if name.is_empty() {
        Some(Problem::Missing)
    } else if name.chars().count() > most {
        Some(Problem::TooLong { most })
    } else if name.chars().any(char::is_control) {
        Some(Problem::BadCharacters)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_checked_and_all_problems_are_told_at_once() {
        let problems = |company: &str, account: &str, password: &str| {
            sign_in_problems(company, account, password)
                .into_iter()
                .map(|p| (p.field, p.problem))
                .collect::<Vec<_>>()
        };
        assert_eq!(problems("Acme", "alice", "secret"), []);
        assert_eq!(
            problems(" ", "", ""),
            [
                (Field::Company, Problem::Missing),
                (Field::Account, Problem::Missing),
                (Field::Password, Problem::Missing)
            ]
        );
        let long = |n: usize| "ü".repeat(n);
        assert_eq!(problems(&long(64), &long(64), &long(128)), []);
        assert_eq!(
            problems(&long(65), &long(65), &long(129)),
            [
                (Field::Company, Problem::TooLong { most: COMPANY_MAX }),
                (Field::Account, Problem::TooLong { most: ACCOUNT_MAX }),
                (Field::Password, Problem::TooLong { most: PASSWORD_MAX })
            ]
        );
        assert_eq!(problems("Acme", &format!("{}@acme.test", long(200)), "x"), []);
        assert_eq!(problems("Ac\u{0}me", "al\nice", "a\0b").len(), 3);
    }

    #[test]
    fn digits_of_arabic_keyboards_are_digits() {
        let read = |typed: &str| typed.chars().filter_map(ascii_digit).collect::<String>();
        assert_eq!(read("١٢٣٤٥٦"), "123456");
        assert_eq!(read("۱۲۳۴۵۶"), "123456");
        assert_eq!(read("12a４"), "12");
    }

    #[test]
    fn a_code_is_six_digits_however_it_is_pasted() {
        assert_eq!(code_problem(" 123 456\n"), None);
        assert_eq!(code_problem("123-456"), None);
        assert_eq!(code_problem("١٢٣٤٥٦"), None);
        assert_eq!(code_problem("  "), Some(Problem::Missing));
        for backup in [
            "0123-4567-89ab-cdef",
            "0123456789ABCDEF",
            " oI23 4567 89ab cdel ",
            "0123456789012345",
        ] {
            assert_eq!(code_problem(backup), None, "{backup}");
        }
        for bad in [
            "12345",
            "1234567",
            "12345a",
            "0123-4567-89ab-cdeu",
            "0123-4567-89ab-cdef0",
            "１２３４５６",
            "null",
            "[\"123456\"]",
            &"1".repeat(10_000),
        ] {
            assert_eq!(code_problem(bad), Some(Problem::NotACode), "{bad}");
        }
    }
}
