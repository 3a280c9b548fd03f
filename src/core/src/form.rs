//! The cheap checks of a form, the same in the browser and on the server: what cannot be right needs no round trip.

use crate::{
    limits::{
        ACCOUNT_MAX, BACKUP_CODE_CHARS, CODE_DIGITS, CODE_FIELD_MAX, COMPANY_MAX, EMAIL_MAX, PASSWORD_MAX,
    },
    refusal::{Field, FieldProblem, Problem},
    text::trim,
    typed_code,
};

/// What is wrong with the fields of the sign-in page, in their order.
pub fn sign_in_problems(company: &str, account: &str, password: &str) -> Vec<FieldProblem> {
    let account_max = if account.contains(['@', '＠']) {
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

/// What is wrong with an entered code: neither six digits nor a backup code, however they are written
/// ([`typed_code`] says how).
pub fn code_problem(typed: &str) -> Option<Problem> {
    if typed.chars().nth(CODE_FIELD_MAX).is_some() {
        return Some(Problem::NotACode);
    }
    let code = typed_code::read(typed);
    let of_backup_code = |byte: u8| byte.is_ascii_alphanumeric() && !matches!(byte, b'u' | b'U');
    match code.len() {
        0 => Some(Problem::Missing),
        CODE_DIGITS if typed_code::is_digits(&code) => None,
        BACKUP_CODE_CHARS if code.bytes().all(of_backup_code) => None,
        _ => Some(Problem::NotACode),
    }
}

fn name_problem(name: &str, most: usize) -> Option<Problem> {
    let name = trim(name);
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
        assert_eq!(problems("Acme", &format!("{}＠acme.test", long(200)), "x"), []);
        assert_eq!(
            problems("\u{200b}", "\u{feff} ", "\u{200b}").len(),
            2,
            "a password is never trimmed"
        );
        assert_eq!(problems("Ac\u{0}me", "al\nice", "a\0b").len(), 3);
    }

    #[test]
    fn a_code_is_six_digits_however_it_is_pasted() {
        assert_eq!(code_problem(" 123 456\n"), None);
        assert_eq!(code_problem("123-456"), None);
        for typed in ["١٢٣٤٥٦", "１２３４５６", "१२३४५६", "G-123456", "123\u{2013}456."]
        {
            assert_eq!(code_problem(typed), None, "{typed}");
        }
        for empty in ["  ", "\u{200b}", "-", "。"] {
            assert_eq!(code_problem(empty), Some(Problem::Missing), "{empty:?}");
        }
        for backup in [
            "0123-4567-89ab-cdef",
            "0123456789ABCDEF",
            " oI23 4567 89ab cdel ",
            "0123456789012345",
            "０１２３－４５６７－８９ＡＢ－ＣＤＥＦ",
            "0123ー4567ー89abーcdef",
        ] {
            assert_eq!(code_problem(backup), None, "{backup}");
        }
        for bad in [
            "12345",
            "1234567",
            "12345a",
            "0123-4567-89ab-cdeu",
            "0123-4567-89ab-cdef0",
            "一二三四五六",
            "①②③④⑤⑥",
            "null",
            "[\"123456\"]",
            &"1".repeat(10_000),
        ] {
            assert_eq!(code_problem(bad), Some(Problem::NotACode), "{bad}");
        }
    }
}
