//! A translated sentence for every refusal: closed matches, so that a new refusal without words does not compile.

use vestibule_core::refusal::{Field, Problem, Refusal};

use crate::{Locale, clock, td_string};

/// What a refusal says, without the attempts that are left: see [`warning`].
///
/// A reference that is not eight characters of `A`-`Z` and `0`-`9` is not shown: it did not come from us.
pub fn sentence(locale: Locale, refusal: &Refusal) -> String {
    let sentence = match refusal {
        Refusal::Invalid { fields } => {
            let mut sentences: Vec<&str> = Vec::new();
            for found in fields {
                let sentence = field_sentence(locale, found.field, found.problem);
                if !sentences.contains(&sentence) {
                    sentences.push(sentence);
                }
            }
            if !sentences.is_empty() {
                return sentences.join(" ");
            }
            td_string!(locale, errors.malformed)
        }
        Refusal::TooManyTries { retry_after } => {
            return td_string!(locale, errors.too_many_tries, time = clock(*retry_after));
        }
        Refusal::ResendTooSoon { retry_after } => {
            return td_string!(locale, errors.resend_too_soon, time = clock(*retry_after));
        }
        Refusal::CodeMailLimit { retry_after } => {
            return td_string!(locale, errors.code_mail_limit, time = clock(*retry_after));
        }
        Refusal::Internal { reference } if is_reference(reference) => {
            return td_string!(locale, errors.internal, reference = reference);
        }
        Refusal::Internal { .. } => td_string!(locale, errors.internal_plain),
        Refusal::WrongCredentials => td_string!(locale, errors.wrong_credentials),
        Refusal::Busy { .. } => td_string!(locale, errors.busy),
        Refusal::AccountLocked => td_string!(locale, errors.account_locked),
        Refusal::AccountInactive => td_string!(locale, errors.account_inactive),
        Refusal::CompanyDisabled => td_string!(locale, errors.company_disabled),
        Refusal::WrongCode { .. } => td_string!(locale, errors.wrong_code),
        Refusal::CodeReplaced => td_string!(locale, errors.code_replaced),
        Refusal::CodeExpired => td_string!(locale, errors.code_expired),
        Refusal::SignInExpired => td_string!(locale, errors.sign_in_expired),
        Refusal::ResendLimit => td_string!(locale, errors.resend_limit),
        Refusal::NotSignedIn => td_string!(locale, errors.not_signed_in),
        Refusal::Forbidden => td_string!(locale, errors.forbidden),
        Refusal::CrossSite => td_string!(locale, errors.cross_site),
        Refusal::Malformed => td_string!(locale, errors.malformed),
        Refusal::TooLarge => td_string!(locale, errors.too_large),
        Refusal::NotFound => td_string!(locale, errors.not_found),
    };
    sentence.to_owned()
}

/// The attempts that are left before the account is locked, for a wrong code that says so (product.md section 4.5).
/// A page shows it beside [`sentence`], with more weight. Any number but 1 and 2 gives no warning.
pub fn warning(locale: Locale, refusal: &Refusal) -> Option<&'static str> {
    match refusal {
        Refusal::WrongCode { left: Some(2) } => Some(td_string!(locale, errors.two_left)),
        Refusal::WrongCode { left: Some(1) } => Some(td_string!(locale, errors.one_left)),
        Refusal::WrongCode { .. }
        | Refusal::Invalid { .. }
        | Refusal::WrongCredentials
        | Refusal::TooManyTries { .. }
        | Refusal::Busy { .. }
        | Refusal::AccountLocked
        | Refusal::AccountInactive
        | Refusal::CompanyDisabled
        | Refusal::CodeReplaced
        | Refusal::CodeExpired
        | Refusal::SignInExpired
        | Refusal::ResendTooSoon { .. }
        | Refusal::ResendLimit
        | Refusal::CodeMailLimit { .. }
        | Refusal::NotSignedIn
        | Refusal::Forbidden
        | Refusal::CrossSite
        | Refusal::Malformed
        | Refusal::TooLarge
        | Refusal::NotFound
        | Refusal::Internal { .. } => None,
    }
}

/// [`sentence`] and [`warning`] in one, for places that show a single text.
pub fn full_sentence(locale: Locale, refusal: &Refusal) -> String {
    let mut text = sentence(locale, refusal);
    if let Some(warning) = warning(locale, refusal) {
        text.push(' ');
        text.push_str(warning);
    }
    text
}

/// The heading of a page that shows nothing but this refusal.
pub fn title(locale: Locale, refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Invalid { .. } => td_string!(locale, errors.summary_title),
        Refusal::WrongCredentials | Refusal::AccountInactive | Refusal::CompanyDisabled => {
            td_string!(locale, errors.sign_in_refused_title)
        }
        Refusal::AccountLocked => td_string!(locale, sign_in.locked_title),
        Refusal::WrongCode { .. } | Refusal::CodeReplaced | Refusal::CodeExpired => {
            td_string!(locale, errors.code_refused_title)
        }
        Refusal::TooManyTries { .. }
        | Refusal::Busy { .. }
        | Refusal::ResendTooSoon { .. }
        | Refusal::ResendLimit
        | Refusal::CodeMailLimit { .. } => td_string!(locale, errors.try_later_title),
        Refusal::SignInExpired | Refusal::NotSignedIn => td_string!(locale, sign_in.title),
        Refusal::Forbidden => td_string!(locale, errors.forbidden_title),
        Refusal::CrossSite | Refusal::TooLarge => td_string!(locale, errors.cross_site_title),
        Refusal::Malformed => td_string!(locale, errors.malformed_title),
        Refusal::NotFound => td_string!(locale, errors.not_found_title),
        Refusal::Internal { .. } => td_string!(locale, errors.internal_title),
    }
}

/// What is wrong with one input, for the place right at that input.
pub fn field_sentence(locale: Locale, field: Field, problem: Problem) -> &'static str {
    match (field, problem) {
        (Field::Company, Problem::Missing) => td_string!(locale, errors.company_missing),
        (Field::Company, Problem::TooLong) => td_string!(locale, errors.company_too_long),
        (Field::Account, Problem::Missing) => td_string!(locale, errors.account_missing),
        (Field::Account, Problem::TooLong) => td_string!(locale, errors.account_too_long),
        (Field::Password, Problem::Missing) => td_string!(locale, errors.password_missing),
        (Field::Password, Problem::TooLong) => td_string!(locale, errors.password_too_long),
        (Field::Company | Field::Account | Field::Password, Problem::BadCharacters | Problem::NotACode) => {
            td_string!(locale, errors.bad_characters)
        }
        (Field::Code, Problem::Missing) => td_string!(locale, errors.code_missing),
        (Field::Code, Problem::TooLong | Problem::BadCharacters | Problem::NotACode) => {
            td_string!(locale, errors.code_malformed)
        }
    }
}

fn is_reference(text: &str) -> bool {
    text.len() == 8
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use vestibule_core::refusal::FieldProblem;

    use super::*;
    use crate::all;

    const FIELDS: [Field; 4] = [Field::Company, Field::Account, Field::Password, Field::Code];
    const PROBLEMS: [Problem; 4] = [
        Problem::Missing,
        Problem::TooLong,
        Problem::BadCharacters,
        Problem::NotACode,
    ];

    fn refusals() -> Vec<Refusal> {
        vec![
            Refusal::field(Field::Company, Problem::Missing),
            Refusal::WrongCredentials,
            Refusal::TooManyTries { retry_after: 42 },
            Refusal::Busy { retry_after: 5 },
            Refusal::AccountLocked,
            Refusal::AccountInactive,
            Refusal::CompanyDisabled,
            Refusal::WrongCode { left: None },
            Refusal::CodeReplaced,
            Refusal::CodeExpired,
            Refusal::SignInExpired,
            Refusal::ResendTooSoon { retry_after: 42 },
            Refusal::ResendLimit,
            Refusal::CodeMailLimit { retry_after: 42 },
            Refusal::NotSignedIn,
            Refusal::Forbidden,
            Refusal::CrossSite,
            Refusal::Malformed,
            Refusal::TooLarge,
            Refusal::NotFound,
            Refusal::Internal {
                reference: "AB12CD34".to_owned(),
            },
        ]
    }

    #[test]
    fn every_refusal_has_its_own_sentence_in_every_language() {
        for locale in all() {
            let mut seen: Vec<String> = Vec::new();
            for refusal in refusals() {
                let sentence = sentence(*locale, &refusal);
                assert!(
                    !sentence.is_empty() && !sentence.contains(['{', '}']),
                    "{locale}: {sentence}"
                );
                assert!(!title(*locale, &refusal).is_empty());
                assert!(!seen.contains(&sentence), "{locale}: {sentence}");
                seen.push(sentence);
            }
        }
    }

    #[test]
    fn every_input_has_a_sentence_for_every_problem() {
        for locale in all() {
            for field in FIELDS {
                for problem in PROBLEMS {
                    assert!(!field_sentence(*locale, field, problem).is_empty());
                }
            }
        }
        assert_eq!(
            field_sentence(Locale::en, Field::Company, Problem::Missing),
            "Enter your company."
        );
        assert_eq!(
            field_sentence(Locale::de, Field::Company, Problem::Missing),
            "Geben Sie Ihre Firma ein."
        );
    }

    #[test]
    fn several_inputs_are_said_one_after_the_other_and_nothing_twice() {
        let problem = |field, problem| FieldProblem { field, problem };
        let refusal = Refusal::Invalid {
            fields: vec![
                problem(Field::Company, Problem::BadCharacters),
                problem(Field::Account, Problem::BadCharacters),
                problem(Field::Password, Problem::Missing),
            ],
        };
        let nothing = Refusal::Invalid { fields: Vec::new() };
        assert_eq!(
            sentence(Locale::en, &nothing),
            sentence(Locale::en, &Refusal::Malformed)
        );
        assert_eq!(
            sentence(Locale::en, &refusal),
            "This field holds characters that cannot be used here. Type it again. Enter your password."
        );
    }

    #[test]
    fn the_contract_is_kept_word_for_word() {
        let said = |refusal: &Refusal| full_sentence(Locale::en, refusal);
        assert_eq!(
            said(&Refusal::WrongCredentials),
            "Company, account or password is incorrect"
        );
        assert_eq!(
            said(&Refusal::AccountLocked),
            "Your account is locked. Contact your administrator to unlock it."
        );
        assert_eq!(
            said(&Refusal::AccountInactive),
            "Your account is inactive. Contact your administrator."
        );
        assert_eq!(
            said(&Refusal::WrongCode { left: Some(2) }),
            "The code is incorrect. You have 2 login attempts before your account is locked"
        );
        assert_eq!(
            said(&Refusal::WrongCode { left: Some(1) }),
            "The code is incorrect. You have 1 login attempt before your account is locked"
        );
    }

    #[test]
    fn the_warning_stands_apart_from_the_sentence() {
        let refusal = Refusal::WrongCode { left: Some(2) };
        assert_eq!(sentence(Locale::en, &refusal), "The code is incorrect.");
        assert_eq!(
            warning(Locale::en, &refusal),
            Some("You have 2 login attempts before your account is locked")
        );
        for left in [None, Some(0), Some(3), Some(u8::MAX)] {
            let refusal = Refusal::WrongCode { left };
            assert_eq!(warning(Locale::en, &refusal), None);
            assert_eq!(full_sentence(Locale::en, &refusal), "The code is incorrect.");
        }
        for refusal in refusals() {
            assert_eq!(warning(Locale::de, &refusal), None);
        }
    }

    #[test]
    fn only_our_own_references_are_shown() {
        let said = |reference: &str| {
            sentence(
                Locale::en,
                &Refusal::Internal {
                    reference: reference.to_owned(),
                },
            )
        };
        assert!(said("AB12CD34").ends_with(": AB12CD34"));
        for forged in [
            "",
            "AB12CD3",
            "AB12CD345",
            "ab12cd34",
            "AB12 D34",
            "Call 555",
            "ÄÖÜÄ",
            "٠١٢٣",
        ] {
            assert_eq!(
                said(forged),
                "That was our fault, not yours. Try again in a moment. If it keeps happening, tell your administrator."
            );
        }
    }

    #[test]
    fn waits_are_said_as_a_clock() {
        let refusal = Refusal::ResendTooSoon { retry_after: 42 };
        assert_eq!(
            sentence(Locale::en, &refusal),
            "You can ask for a new code in 0:42."
        );
        assert_eq!(
            sentence(Locale::de, &refusal),
            "In 0:42 können Sie einen neuen Code anfordern."
        );
        let refusal = Refusal::TooManyTries { retry_after: 3725 };
        assert!(sentence(Locale::ar, &refusal).contains("1:02:05"));
    }
}
