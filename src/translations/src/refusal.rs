//! A translated sentence for every refusal, from the table in [`vestibule_core::refusal`]: a refusal without words does not
//! compile.

use vestibule_core::{
    fields,
    refusal::{CodeHint, Field, FieldProblem, Problem, Refusal},
    refusals,
};
#[cfg(feature = "ssr")]
use vestibule_core::{
    limits::{OFFICE_PREFIX_IPV4, OFFICE_PREFIX_IPV6},
    sso::{Provider, ProviderProblem},
};

use crate::{Locale, sentences, td_string, wait};

/// Bytes of what a sentence about the size of a file counts in.
#[cfg(feature = "ssr")]
const MEGABYTE: usize = 1024 * 1024;

/// A sentence as the table of refusals names it.
macro_rules! say {
    ($locale:ident, (by $function:ident($($argument:expr),*))) => {
        $function($locale, $($argument),*)
    };
    ($locale:ident, ($key:ident)) => {
        td_string!($locale, errors.$key).to_owned()
    };
    ($locale:ident, ($key:ident, wait = $seconds:expr $(, $name:ident = $value:expr)*)) => {
        td_string!($locale, errors.$key, time = wait($locale, $seconds) $(, $name = $value)*)
    };
    ($locale:ident, ($key:ident, $($name:ident = $value:expr),+)) => {
        td_string!($locale, errors.$key, $($name = $value),+)
    };
}

#[cfg(not(target_arch = "wasm32"))]
macro_rules! title_of {
    ($locale:ident, ($group:ident.$key:ident)) => {
        td_string!($locale, $group.$key)
    };
}

macro_rules! define_sentences {
    (
        browser { $(
            $(#[$doc:meta])*
            $refusal:ident $({ $($(#[$part_doc:meta])* $part:ident: $type:ty,)* })?
            $word:literal $status:literal $title:tt $sentence:tt;
        )* }
        server { $(
            $(#[$server_doc:meta])*
            $server_refusal:ident $({ $($(#[$server_part_doc:meta])* $server_part:ident: $server_type:ty,)* })?
            $server_status:literal $server_title:tt $server_sentence:tt;
        )* }
    ) => {
        /// What a refusal says, without the attempts that are left: see [`warning`].
        #[expect(unused_variables, reason = "a sentence need not say all that its refusal carries")]
        pub fn sentence(locale: Locale, refusal: &Refusal) -> String {
            match refusal {
                $(Refusal::$refusal $({ $($part,)* })? => say!(locale, $sentence),)*
                $(
                    #[cfg(feature = "ssr")]
                    Refusal::$server_refusal $({ $($server_part,)* })? => say!(locale, $server_sentence),
                )*
            }
        }

        /// The heading of a page that shows nothing but this refusal.
        #[cfg(not(target_arch = "wasm32"))]
        pub fn title(locale: Locale, refusal: &Refusal) -> &'static str {
            match refusal {
                $(Refusal::$refusal { .. } => title_of!(locale, $title),)*
                $(
                    #[cfg(feature = "ssr")]
                    Refusal::$server_refusal { .. } => title_of!(locale, $server_title),
                )*
            }
        }
    };
}

refusals!(define_sentences);

macro_rules! define_missing {
    (
        browser { $($(#[$doc:meta])* $field:ident $name:literal $key:ident;)* }
        server { $($(#[$server_doc:meta])* $server_field:ident $server_name:literal $server_key:ident;)* }
    ) => {
        /// What to enter into an input that was left empty.
        fn missing(locale: Locale, field: Field) -> &'static str {
            match field {
                $(Field::$field => td_string!(locale, errors.$key),)*
                $(#[cfg(feature = "ssr")] Field::$server_field => td_string!(locale, errors.$server_key),)*
            }
        }
    };
}

fields!(define_missing);

/// What is wrong with one input, for the place right at that input (product.md sections 3 and 6). Lengths are counted in
/// characters.
pub fn field_sentence(locale: Locale, field: Field, problem: Problem) -> String {
    let sentence = match problem {
        Problem::Missing => missing(locale, field),
        Problem::TooLong { .. } | Problem::BadCharacters | Problem::NotACode if field == Field::Code => {
            td_string!(locale, errors.code_malformed)
        }
        Problem::TooLong { .. } if field == Field::Company => td_string!(locale, errors.company_too_long),
        Problem::TooLong { .. } if field == Field::Password => td_string!(locale, errors.password_too_long),
        #[cfg(feature = "ssr")]
        Problem::TooLong { most } if field != Field::Account => {
            return td_string!(locale, errors.field_too_long, count = most);
        }
        Problem::TooLong { .. } => td_string!(locale, errors.account_too_long),
        #[cfg(feature = "ssr")]
        Problem::BadCharacters if field == Field::AccountName => {
            td_string!(locale, errors.account_characters)
        }
        Problem::BadCharacters | Problem::NotACode => td_string!(locale, errors.bad_characters),
        #[cfg(feature = "ssr")]
        problem => return form_sentence(locale, field, problem),
    };
    sentence.to_owned()
}

/// What is wrong with an input of a form that the browser's half does not know.
#[cfg(feature = "ssr")]
fn form_sentence(locale: Locale, field: Field, problem: Problem) -> String {
    let sentence = match problem {
        Problem::Missing | Problem::TooLong { .. } | Problem::BadCharacters | Problem::NotACode => {
            return field_sentence(locale, field, problem);
        }
        Problem::TooShort { least } => {
            return td_string!(locale, errors.field_too_short, count = least);
        }
        Problem::Weak => td_string!(locale, errors.password_weak),
        Problem::Different if field == Field::ConfirmName => td_string!(locale, errors.names_differ),
        Problem::Different => td_string!(locale, errors.passwords_differ),
        Problem::Unchanged if field == Field::Email => td_string!(locale, errors.email_unchanged),
        Problem::Unchanged => td_string!(locale, errors.password_unchanged),
        Problem::Wrong => td_string!(locale, errors.password_wrong),
        Problem::Taken => match field {
            Field::AccountName => td_string!(locale, errors.account_taken),
            Field::Email => td_string!(locale, errors.email_taken),
            Field::OfficeRange => td_string!(locale, errors.range_taken),
            _ => td_string!(locale, errors.value_taken),
        },
        Problem::NotAnAddress => td_string!(locale, errors.not_an_address),
        Problem::NotOffered => td_string!(locale, errors.not_offered),
        Problem::OutOfRange { least, most } => {
            return td_string!(locale, errors.out_of_range, least = least, most = most);
        }
        Problem::EmptyFile => td_string!(locale, errors.file_empty),
        Problem::LargeFile { most } => {
            return td_string!(locale, errors.file_too_large, most = most / MEGABYTE);
        }
        Problem::NotUtf8 { line } => return td_string!(locale, errors.file_not_text, line = line),
        Problem::Workbook => td_string!(locale, errors.file_workbook),
        Problem::NotOurColumns => td_string!(locale, errors.file_columns),
        Problem::ManyLines { most } => return td_string!(locale, errors.file_many_lines, count = most),
        Problem::NotAHost => td_string!(locale, errors.not_a_host),
        Problem::PrivateHost => td_string!(locale, errors.private_host),
        Problem::Unencrypted => td_string!(locale, errors.unencrypted),
        Problem::NotASender => td_string!(locale, errors.not_a_sender),
        Problem::NotATenant => td_string!(locale, errors.not_a_tenant),
        Problem::NotAnApplicationAddress => td_string!(locale, errors.not_an_application_address),
        Problem::ManyAddresses { most } => return td_string!(locale, errors.many_addresses, most = most),
        Problem::ManyTenants { most } => return td_string!(locale, errors.many_tenants, count = most),
        Problem::NotARange => return not_a_range(locale),
        Problem::WideRange => {
            return td_string!(
                locale,
                errors.wide_range,
                ipv4 = format!("/{OFFICE_PREFIX_IPV4}"),
                ipv6 = format!("/{OFFICE_PREFIX_IPV6}")
            );
        }
        Problem::ManyOffices { most } => return td_string!(locale, errors.many_offices, count = most),
    };
    sentence.to_owned()
}

/// How a range of network addresses is written, of either kind.
#[cfg(feature = "ssr")]
pub const RANGES: [&str; 2] = ["192.0.2.0/28", "2001:db8::/48"];

#[cfg(feature = "ssr")]
fn not_a_range(locale: Locale) -> String {
    let [ipv4, ipv6] = RANGES;
    td_string!(locale, errors.not_a_range, ipv4 = ipv4, ipv6 = ipv6)
}

/// Sentences about inputs, one after the other and none twice. A refusal that names no input is not one of ours.
fn every_problem(locale: Locale, fields: &[FieldProblem]) -> String {
    let mut said: Vec<String> = Vec::new();
    for found in fields {
        let sentence = field_sentence(locale, found.field, found.problem);
        if !said.contains(&sentence) {
            said.push(sentence);
        }
    }
    if said.is_empty() {
        return td_string!(locale, errors.malformed).to_owned();
    }
    sentences(locale, &said)
}

fn wrong_code(locale: Locale, hint: Option<CodeHint>) -> String {
    match hint {
        None => td_string!(locale, errors.wrong_code).to_owned(),
        Some(CodeHint::Used) => td_string!(locale, errors.code_used).to_owned(),
        Some(CodeHint::ClockAhead(seconds)) => {
            td_string!(locale, errors.clock_ahead, time = wait(locale, seconds))
        }
        Some(CodeHint::ClockBehind(seconds)) => {
            td_string!(locale, errors.clock_behind, time = wait(locale, seconds))
        }
    }
}

/// A reference that is not eight characters of `A`-`Z` and `0`-`9` is not shown: it did not come from us.
fn internal(locale: Locale, reference: &str) -> String {
    let ours = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    if reference.len() == 8 && reference.bytes().all(ours) {
        td_string!(locale, errors.internal, reference = reference)
    } else {
        td_string!(locale, errors.internal_plain).to_owned()
    }
}

/// What is wrong with a provider as it is set up.
#[cfg(feature = "ssr")]
fn provider_unusable(locale: Locale, provider: Provider, problem: ProviderProblem) -> String {
    let provider = provider.name();
    match problem {
        ProviderProblem::Unreachable => td_string!(locale, errors.provider_unreachable, provider = provider),
        ProviderProblem::TimedOut => td_string!(locale, errors.provider_timed_out, provider = provider),
        ProviderProblem::Status(status) => {
            td_string!(
                locale,
                errors.provider_status,
                provider = provider,
                status = status
            )
        }
        ProviderProblem::NotUnderstood => {
            td_string!(locale, errors.provider_not_understood, provider = provider)
        }
        ProviderProblem::WrongIssuer => td_string!(locale, errors.provider_wrong_issuer, provider = provider),
        ProviderProblem::Refused => td_string!(locale, errors.provider_refused, provider = provider),
        ProviderProblem::UnknownApplication => {
            td_string!(locale, errors.provider_unknown_application, provider = provider)
        }
    }
}

/// The attempts that are left before the account is locked, for a wrong code that says so (product.md section 4.5).
/// A page shows it beside [`sentence`], with more weight. Any number but 1 and 2 gives no warning.
pub fn warning(locale: Locale, refusal: &Refusal) -> Option<&'static str> {
    match refusal {
        Refusal::WrongCode { left: Some(2), .. } => Some(td_string!(locale, errors.two_left)),
        Refusal::WrongCode { left: Some(1), .. } => Some(td_string!(locale, errors.one_left)),
        _ => None,
    }
}

/// [`sentence`] and [`warning`] in one, for places that show a single text.
pub fn full_sentence(locale: Locale, refusal: &Refusal) -> String {
    let text = sentence(locale, refusal);
    match warning(locale, refusal) {
        Some(warning) => sentences(locale, &[text.as_str(), warning]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::all;

    fn wrong_code(left: Option<u8>, hint: Option<CodeHint>) -> Refusal {
        Refusal::WrongCode { left, hint }
    }

    /// What a refusal carries, in a test of its sentence.
    trait Sample {
        fn sample() -> Self;
    }

    macro_rules! samples {
        ($($type:ty = $value:expr),+ $(,)?) => {
            $(impl Sample for $type {
                fn sample() -> Self {
                    $value
                }
            })+
        };
    }

    samples! {
        u32 = 42,
        usize = 3,
        String = "AB12CD34".to_owned(),
        Vec<FieldProblem> = vec![FieldProblem { field: Field::Company, problem: Problem::Missing }],
        Option<u8> = None,
        Option<CodeHint> = None,
    }
    #[cfg(feature = "ssr")]
    samples! {
        Provider = Provider::Google,
        ProviderProblem = ProviderProblem::Unreachable,
    }

    macro_rules! define_samples {
        (
            browser { $(
                $(#[$doc:meta])*
                $refusal:ident $({ $($(#[$part_doc:meta])* $part:ident: $type:ty,)* })?
                $word:literal $status:literal $title:tt $sentence:tt;
            )* }
            server { $(
                $(#[$server_doc:meta])*
                $server_refusal:ident $({ $($(#[$server_part_doc:meta])* $server_part:ident: $server_type:ty,)* })?
                $server_status:literal $server_title:tt $server_sentence:tt;
            )* }
        ) => {
            /// One of each.
            fn refusals() -> Vec<Refusal> {
                vec![
                    $(Refusal::$refusal $({ $($part: Sample::sample(),)* })?,)*
                    $(
                        #[cfg(feature = "ssr")]
                        Refusal::$server_refusal $({ $($server_part: Sample::sample(),)* })?,
                    )*
                ]
            }
        };
    }

    refusals!(define_samples);

    #[test]
    fn every_refusal_has_its_own_sentence() {
        for locale in all() {
            let mut seen: Vec<String> = Vec::new();
            let hints = [
                CodeHint::Used,
                CodeHint::ClockAhead(90),
                CodeHint::ClockBehind(90),
            ];
            let hinted = hints.map(|hint| wrong_code(None, Some(hint)));
            for refusal in refusals().into_iter().chain(hinted) {
                let sentence = sentence(*locale, &refusal);
                assert!(
                    !sentence.is_empty() && !sentence.contains(['{', '}']),
                    "{locale}: {sentence}"
                );
                assert!(!title(*locale, &refusal).is_empty());
                // The check of the files keeps those of other languages apart.
                assert!(*locale != Locale::en || !seen.contains(&sentence), "{sentence}");
                seen.push(sentence);
            }
        }
    }

    #[test]
    fn an_input_that_was_left_empty_is_named() {
        assert_eq!(
            field_sentence(Locale::en, Field::Company, Problem::Missing),
            "Enter your company."
        );
        assert_eq!(
            field_sentence(Locale::de, Field::Company, Problem::Missing),
            "Geben Sie Ihr Unternehmen ein."
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
            "This field contains characters that aren't allowed. Remove them and try again. Enter your password."
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
            said(&wrong_code(Some(2), None)),
            "The code is incorrect. You have 2 login attempts before your account is locked"
        );
        assert_eq!(
            said(&wrong_code(Some(1), None)),
            "The code is incorrect. You have 1 login attempt before your account is locked"
        );
    }

    #[test]
    fn the_warning_stands_apart_from_the_sentence() {
        let refusal = wrong_code(Some(2), None);
        assert_eq!(sentence(Locale::en, &refusal), "The code is incorrect.");
        assert_eq!(
            warning(Locale::en, &refusal),
            Some("You have 2 login attempts before your account is locked")
        );
        for left in [None, Some(0), Some(3), Some(u8::MAX)] {
            let refusal = wrong_code(left, None);
            assert_eq!(warning(Locale::en, &refusal), None);
            assert_eq!(
                full_sentence(Locale::en, &refusal),
                sentence(Locale::en, &refusal)
            );
        }
        for refusal in refusals() {
            assert_eq!(warning(Locale::de, &refusal), None);
        }
    }

    #[test]
    fn a_wrong_code_says_what_is_known_about_it() {
        let ahead = wrong_code(Some(1), Some(CodeHint::ClockAhead(330)));
        assert_eq!(
            full_sentence(Locale::en, &ahead),
            "The code is incorrect: your phone's clock is 6 minutes fast. Set the time to automatic and enter the \
             new code. You have 1 login attempt before your account is locked"
        );
        let behind = wrong_code(None, Some(CodeHint::ClockBehind(90)));
        assert_eq!(
            sentence(Locale::de, &behind),
            "Der Code ist falsch: Die Uhr Ihres Telefons geht 1 Minute und 30 Sekunden nach. Stellen Sie die Uhrzeit auf \
             automatisch und geben Sie den neuen Code ein."
        );
        let used = wrong_code(Some(2), Some(CodeHint::Used));
        assert_eq!(
            sentence(Locale::en, &used),
            "This code has already been used. Each code works once: wait for your app to show the next code and \
             enter that one."
        );
        assert_eq!(
            warning(Locale::en, &used),
            Some("You have 2 login attempts before your account is locked")
        );
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
                "Something went wrong on our side. Try again in a moment. If it happens again, contact your \
                 administrator."
            );
        }
    }

    #[test]
    fn waits_are_said_in_words() {
        let refusal = Refusal::ResendTooSoon { retry_after: 42 };
        assert_eq!(
            sentence(Locale::en, &refusal),
            "You can request a new code in 42 seconds."
        );
        assert_eq!(
            sentence(Locale::de, &refusal),
            "Sie können in 42 Sekunden einen neuen Code anfordern."
        );
        let refusal = Refusal::TooManyTries { retry_after: 3725 };
        assert!(sentence(Locale::ar, &refusal).contains("ساعة و3 دقائق"));
        let refusal = Refusal::Busy { retry_after: 1 };
        assert_eq!(
            sentence(Locale::en, &refusal),
            "Too many people are signing in right now. Try again in 1 second."
        );
    }

    #[cfg(feature = "ssr")]
    mod profile {
        use super::*;

        macro_rules! all_fields {
            (
                browser { $($(#[$doc:meta])* $field:ident $name:literal $key:ident;)* }
                server { $($(#[$server_doc:meta])* $server_field:ident $server_name:literal $server_key:ident;)* }
            ) => {
                [$(Field::$field,)* $(Field::$server_field,)*]
            };
        }

        const PROBLEMS: [Problem; 22] = [
            Problem::Missing,
            Problem::TooLong { most: 100 },
            Problem::TooShort { least: 12 },
            Problem::BadCharacters,
            Problem::Weak,
            Problem::Different,
            Problem::Unchanged,
            Problem::Wrong,
            Problem::Taken,
            Problem::NotAnAddress,
            Problem::NotOffered,
            Problem::OutOfRange { least: 15, most: 999 },
            Problem::EmptyFile,
            Problem::LargeFile { most: 5 * MEGABYTE },
            Problem::NotUtf8 { line: 7 },
            Problem::Workbook,
            Problem::NotOurColumns,
            Problem::ManyLines { most: 10_000 },
            Problem::NotAHost,
            Problem::PrivateHost,
            Problem::Unencrypted,
            Problem::NotASender,
        ];

        #[test]
        fn every_input_has_its_own_sentence_for_every_problem() {
            for locale in all() {
                let fields = fields!(all_fields).into_iter();
                for field in fields.filter(|field| *field != Field::Code) {
                    let mut seen: Vec<String> = Vec::new();
                    for problem in PROBLEMS {
                        let sentence = field_sentence(*locale, field, problem);
                        assert!(
                            !sentence.is_empty() && !sentence.contains(['{', '}']),
                            "{locale}: {sentence}"
                        );
                        let english = *locale == Locale::en;
                        assert!(!english || !seen.contains(&sentence), "{field:?}: {sentence}");
                        seen.push(sentence);
                    }
                }
            }
        }

        #[test]
        fn a_missing_password_says_which_one() {
            let said = |field| field_sentence(Locale::en, field, Problem::Missing);
            assert_eq!(said(Field::FirstName), "Enter your first name.");
            assert_eq!(said(Field::Password), "Enter your password.");
            assert_eq!(said(Field::OldPassword), "Enter your old password.");
            assert_eq!(said(Field::NewPassword), "Enter a new password.");
            assert_eq!(said(Field::ConfirmPassword), "Enter the new password again.");
            assert_eq!(said(Field::Phone), said(Field::Title));
        }

        #[test]
        fn lengths_are_said() {
            let said = |locale, problem| field_sentence(locale, Field::NewPassword, problem);
            assert_eq!(
                said(Locale::en, Problem::TooShort { least: 12 }),
                "Use at least 12 characters."
            );
            assert_eq!(
                said(Locale::de, Problem::TooLong { most: 128 }),
                "Verwenden Sie höchstens 128 Zeichen."
            );
            assert!(said(Locale::ar, Problem::TooShort { least: 64 }).contains("64"));
        }

        #[test]
        fn an_input_of_the_console_says_what_is_wrong_with_it() {
            let said = |field, problem| field_sentence(Locale::en, field, problem);
            let missing = |field| said(field, Problem::Missing);
            assert_eq!(missing(Field::AccountName), "Enter a username.");
            assert_eq!(missing(Field::Roles), "Choose at least one role.");
            assert_eq!(missing(Field::File), "Choose a file.");
            assert_eq!(
                said(Field::Email, Problem::Taken),
                "Another account in your company already uses this email address. Enter a different one."
            );
            assert_eq!(
                said(Field::ConfirmName, Problem::Different),
                "The name doesn't match. Type it exactly as shown."
            );
            assert_eq!(
                said(Field::AccountName, Problem::BadCharacters),
                "Use only the letters A–Z, digits, dots, underscores, and hyphens."
            );
        }

        #[test]
        fn numbers_and_files_say_what_would_be_taken() {
            for locale in all() {
                let said = |field, problem| field_sentence(*locale, field, problem);
                let range = said(Field::IdleMinutes, Problem::OutOfRange { least: 15, most: 999 });
                assert!(range.contains("15") && range.contains("999"), "{range}");
                for (problem, number) in [
                    (Problem::LargeFile { most: 5 * MEGABYTE }, "5"),
                    (Problem::NotUtf8 { line: 7 }, "7"),
                    (Problem::ManyLines { most: 10_000 }, "10000"),
                ] {
                    let sentence = said(Field::File, problem);
                    let numbers: Vec<_> = sentence.split(|c: char| !c.is_ascii_digit()).collect();
                    assert!(numbers.contains(&number), "{sentence}");
                }
            }
            let columns = field_sentence(Locale::en, Field::File, Problem::NotOurColumns);
            for column in ["account", "email", "first_name"] {
                assert!(columns.contains(column), "{columns}");
            }
        }

        #[test]
        fn a_large_request_is_not_called_a_foreign_one() {
            let called = |refusal| title(Locale::en, refusal);
            assert_ne!(called(&Refusal::TooLarge), called(&Refusal::CrossSite));
        }

        #[test]
        fn several_inputs_are_said_one_after_the_other_and_nothing_twice() {
            let problem = |field, problem| FieldProblem { field, problem };
            let fields = vec![
                problem(Field::Alias, Problem::BadCharacters),
                problem(Field::Title, Problem::BadCharacters),
                problem(Field::ConfirmPassword, Problem::Different),
            ];
            let said = |fields| sentence(Locale::en, &Refusal::Invalid { fields });
            assert_eq!(
                said(fields),
                "This field contains characters that aren't allowed. Remove them and try again. The new passwords \
                 don't match. Enter the same password twice."
            );
            assert_eq!(said(Vec::new()), sentence(Locale::en, &Refusal::Malformed));
        }
    }
}
