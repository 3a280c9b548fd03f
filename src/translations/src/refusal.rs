//! A translated sentence for every refusal: closed matches, so that a new refusal without words does not compile.

use std::borrow::Borrow;

use vestibule_core::refusal::{CodeHint, Field, Problem, Refusal};
#[cfg(feature = "ssr")]
use vestibule_core::{
    signed_in::{FormField, FormProblem, FormRefusal},
    sso::{Provider, ProviderProblem},
};

use crate::{Locale, clock, td_string};

/// Bytes of what a sentence about the size of a file counts in.
#[cfg(feature = "ssr")]
const MEGABYTE: usize = 1024 * 1024;

/// What a refusal says, without the attempts that are left: see [`warning`].
///
/// A reference that is not eight characters of `A`-`Z` and `0`-`9` is not shown: it did not come from us.
pub fn sentence(locale: Locale, refusal: &Refusal) -> String {
    let sentence = match refusal {
        Refusal::Invalid { fields } => {
            let sentences = fields
                .iter()
                .map(|found| field_sentence(locale, found.field, found.problem));
            return each_once(locale, sentences);
        }
        Refusal::TooManyTries { retry_after } => {
            return td_string!(locale, errors.too_many_tries, time = clock(*retry_after));
        }
        Refusal::Busy { retry_after } => {
            return td_string!(locale, errors.busy, seconds = *retry_after);
        }
        Refusal::Unavailable { retry_after } => {
            return td_string!(locale, errors.unavailable, seconds = *retry_after);
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
        Refusal::AccountLocked => td_string!(locale, errors.account_locked),
        Refusal::AccountInactive => td_string!(locale, errors.account_inactive),
        Refusal::CompanyDisabled => td_string!(locale, errors.company_disabled),
        Refusal::WrongCode { hint: None, .. } => td_string!(locale, errors.wrong_code),
        Refusal::WrongCode { hint: Some(hint), .. } => match hint {
            CodeHint::Used => td_string!(locale, errors.code_used),
            CodeHint::ClockAhead(seconds) => {
                return td_string!(locale, errors.clock_ahead, time = clock(*seconds));
            }
            CodeHint::ClockBehind(seconds) => {
                return td_string!(locale, errors.clock_behind, time = clock(*seconds));
            }
        },
        Refusal::CodeReplaced => td_string!(locale, errors.code_replaced),
        Refusal::CodeExpired => td_string!(locale, errors.code_expired),
        Refusal::CodeElsewhere => td_string!(locale, errors.code_elsewhere),
        Refusal::SignInExpired => td_string!(locale, errors.sign_in_expired),
        Refusal::ResendLimit => td_string!(locale, errors.resend_limit),
        Refusal::NotSignedIn => td_string!(locale, errors.not_signed_in),
        #[cfg(feature = "ssr")]
        Refusal::Form(refusal) => return form_sentence(locale, refusal),
        Refusal::Forbidden => td_string!(locale, errors.forbidden),
        Refusal::CrossSite => td_string!(locale, errors.cross_site),
        Refusal::Malformed => td_string!(locale, errors.malformed),
        Refusal::TooLarge => td_string!(locale, errors.too_large),
        Refusal::NotFound => td_string!(locale, errors.not_found),
    };
    sentence.to_owned()
}

/// What [`sentence`] says to a signed-in agent's own changes.
#[cfg(feature = "ssr")]
fn form_sentence(locale: Locale, refusal: &FormRefusal) -> String {
    let sentence = match refusal {
        FormRefusal::Invalid { fields } => {
            let sentences = fields
                .iter()
                .map(|found| form_field_sentence(locale, found.field, found.problem));
            return each_once(locale, sentences);
        }
        FormRefusal::StepUpNeeded => td_string!(locale, errors.step_up_needed),
        FormRefusal::SetUpRequired => td_string!(locale, errors.set_up_required),
        FormRefusal::LastFactor => td_string!(locale, errors.last_factor),
        FormRefusal::SetUpOver => td_string!(locale, errors.set_up_over),
        FormRefusal::PasswordChangeRequired => td_string!(locale, errors.password_change_required),
        FormRefusal::LinkOver => td_string!(locale, errors.link_over),
        FormRefusal::ChangedMeanwhile => td_string!(locale, errors.changed_meanwhile),
        FormRefusal::LastAdmin => td_string!(locale, errors.last_admin),
        FormRefusal::OwnAccount => td_string!(locale, errors.own_account),
        FormRefusal::NoSecondFactor => td_string!(locale, errors.no_second_factor),
        FormRefusal::TargetLocked => td_string!(locale, errors.target_locked),
        FormRefusal::NotLocked => td_string!(locale, errors.not_locked),
        FormRefusal::AlreadyActivated => td_string!(locale, errors.already_activated),
        FormRefusal::NoEmailChange => td_string!(locale, errors.no_email_change),
        FormRefusal::NothingSelected => td_string!(locale, errors.nothing_selected),
        FormRefusal::MailLimit => td_string!(locale, errors.mail_limit),
        FormRefusal::NoMailServer => td_string!(locale, errors.no_mail_server),
        FormRefusal::SsoFailed => td_string!(locale, errors.sso_failed),
        FormRefusal::SsoCancelled => td_string!(locale, errors.sso_cancelled),
        FormRefusal::SsoNotOffered => td_string!(locale, errors.sso_not_offered),
        FormRefusal::OtherApplication => td_string!(locale, errors.other_application),
        FormRefusal::IdentityTaken => td_string!(locale, errors.identity_taken),
        FormRefusal::IdentityOther => td_string!(locale, errors.identity_other),
        FormRefusal::LastWayIn => td_string!(locale, errors.last_way_in),
        FormRefusal::ProviderIsLastWayIn => td_string!(locale, errors.provider_is_last_way_in),
        FormRefusal::NoIdentity => td_string!(locale, errors.no_identity),
        FormRefusal::ProviderNeeded { accounts } => {
            return td_string!(locale, errors.provider_needed, count = accounts);
        }
        FormRefusal::NoApplication { provider } => {
            return td_string!(locale, errors.no_application, provider = provider.name());
        }
        FormRefusal::ProviderUnusable { provider, problem } => {
            return provider_sentence(locale, *provider, *problem);
        }
        FormRefusal::ImportOver => td_string!(locale, errors.import_over),
        FormRefusal::WrongAddress => td_string!(locale, errors.wrong_address),
    };
    sentence.to_owned()
}

/// What is wrong with a provider as it is set up.
#[cfg(feature = "ssr")]
fn provider_sentence(locale: Locale, provider: Provider, problem: ProviderProblem) -> String {
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
        ProviderProblem::UnknownApplication => {
            td_string!(locale, errors.provider_unknown_application, provider = provider)
        }
    }
}

/// Sentences about inputs, one after the other and none twice. A refusal that names no input is not one of ours.
fn each_once<S: Borrow<str> + PartialEq>(locale: Locale, sentences: impl Iterator<Item = S>) -> String {
    let mut said: Vec<S> = Vec::new();
    for sentence in sentences {
        if !said.contains(&sentence) {
            said.push(sentence);
        }
    }
    if said.is_empty() {
        return td_string!(locale, errors.malformed).to_owned();
    }
    said.join(" ")
}

/// The attempts that are left before the account is locked, for a wrong code that says so (product.md section 4.5).
/// A page shows it beside [`sentence`], with more weight. Any number but 1 and 2 gives no warning.
pub fn warning(locale: Locale, refusal: &Refusal) -> Option<&'static str> {
    match refusal {
        Refusal::WrongCode { left: Some(2), .. } => Some(td_string!(locale, errors.two_left)),
        Refusal::WrongCode { left: Some(1), .. } => Some(td_string!(locale, errors.one_left)),
        Refusal::WrongCode { .. }
        | Refusal::Invalid { .. }
        | Refusal::WrongCredentials
        | Refusal::TooManyTries { .. }
        | Refusal::Busy { .. }
        | Refusal::Unavailable { .. }
        | Refusal::AccountLocked
        | Refusal::AccountInactive
        | Refusal::CompanyDisabled
        | Refusal::CodeReplaced
        | Refusal::CodeExpired
        | Refusal::CodeElsewhere
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
        #[cfg(feature = "ssr")]
        Refusal::Form(_) => None,
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
        Refusal::WrongCode { .. } | Refusal::CodeReplaced | Refusal::CodeExpired | Refusal::CodeElsewhere => {
            td_string!(locale, errors.code_refused_title)
        }
        Refusal::TooManyTries { .. }
        | Refusal::Busy { .. }
        | Refusal::Unavailable { .. }
        | Refusal::ResendTooSoon { .. }
        | Refusal::ResendLimit
        | Refusal::CodeMailLimit { .. } => td_string!(locale, errors.try_later_title),
        Refusal::SignInExpired | Refusal::NotSignedIn => td_string!(locale, sign_in.title),
        #[cfg(feature = "ssr")]
        Refusal::Form(refusal) => match refusal {
            FormRefusal::Invalid { .. } | FormRefusal::NothingSelected => {
                td_string!(locale, errors.summary_title)
            }
            FormRefusal::StepUpNeeded => td_string!(locale, errors.step_up_title),
            FormRefusal::SetUpRequired | FormRefusal::LastFactor => {
                td_string!(locale, errors.factor_required_title)
            }
            FormRefusal::SetUpOver => td_string!(locale, errors.set_up_over_title),
            FormRefusal::PasswordChangeRequired => td_string!(locale, errors.password_change_title),
            FormRefusal::LinkOver => td_string!(locale, errors.link_over_title),
            FormRefusal::ChangedMeanwhile => td_string!(locale, errors.changed_meanwhile_title),
            FormRefusal::LastAdmin
            | FormRefusal::OwnAccount
            | FormRefusal::NoSecondFactor
            | FormRefusal::TargetLocked
            | FormRefusal::NotLocked
            | FormRefusal::AlreadyActivated
            | FormRefusal::NoMailServer
            | FormRefusal::IdentityTaken
            | FormRefusal::IdentityOther
            | FormRefusal::LastWayIn
            | FormRefusal::NoIdentity
            | FormRefusal::ProviderIsLastWayIn
            | FormRefusal::ProviderNeeded { .. }
            | FormRefusal::NoApplication { .. }
            | FormRefusal::NoEmailChange => td_string!(locale, errors.not_done_title),
            FormRefusal::MailLimit => td_string!(locale, errors.try_later_title),
            FormRefusal::ProviderUnusable { .. } => td_string!(locale, errors.provider_unusable_title),
            FormRefusal::SsoFailed
            | FormRefusal::SsoCancelled
            | FormRefusal::SsoNotOffered
            | FormRefusal::OtherApplication => {
                td_string!(locale, errors.sign_in_refused_title)
            }
            FormRefusal::ImportOver => td_string!(locale, errors.import_over_title),
            FormRefusal::WrongAddress => td_string!(locale, errors.wrong_address_title),
        },
        Refusal::Forbidden => td_string!(locale, errors.forbidden_title),
        Refusal::CrossSite => td_string!(locale, errors.cross_site_title),
        Refusal::TooLarge => td_string!(locale, errors.too_large_title),
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

/// What is wrong with one input of the forms of people who are signed in, for the place right at that input
/// (product.md sections 3 and 6). Lengths are counted in characters.
#[cfg(feature = "ssr")]
pub fn form_field_sentence(locale: Locale, field: FormField, problem: FormProblem) -> String {
    let sentence = match problem {
        FormProblem::Missing => missing_sentence(locale, field),
        FormProblem::TooLong { most } => return td_string!(locale, errors.field_too_long, most = most),
        FormProblem::TooShort { least } => {
            return td_string!(locale, errors.field_too_short, least = least);
        }
        FormProblem::BadCharacters if field == FormField::Account => {
            td_string!(locale, errors.account_characters)
        }
        FormProblem::BadCharacters => td_string!(locale, errors.bad_characters),
        FormProblem::Weak => td_string!(locale, errors.password_weak),
        FormProblem::Different if field == FormField::ConfirmName => td_string!(locale, errors.names_differ),
        FormProblem::Different => td_string!(locale, errors.passwords_differ),
        FormProblem::Unchanged if field == FormField::Email => td_string!(locale, errors.email_unchanged),
        FormProblem::Unchanged => td_string!(locale, errors.password_unchanged),
        FormProblem::Wrong => td_string!(locale, errors.password_wrong),
        FormProblem::Taken => match field {
            FormField::Account => td_string!(locale, errors.account_taken),
            FormField::Email => td_string!(locale, errors.email_taken),
            _ => td_string!(locale, errors.value_taken),
        },
        FormProblem::NotAnAddress => td_string!(locale, errors.not_an_address),
        FormProblem::NotOffered => td_string!(locale, errors.not_offered),
        FormProblem::OutOfRange { least, most } => {
            return td_string!(locale, errors.out_of_range, least = least, most = most);
        }
        FormProblem::EmptyFile => td_string!(locale, errors.file_empty),
        FormProblem::LargeFile { most } => {
            return td_string!(locale, errors.file_too_large, most = most / MEGABYTE);
        }
        FormProblem::NotUtf8 { line } => return td_string!(locale, errors.file_not_text, line = line),
        FormProblem::NotOurColumns => td_string!(locale, errors.file_columns),
        FormProblem::ManyLines { most } => return td_string!(locale, errors.file_many_lines, most = most),
        FormProblem::NotAHost => td_string!(locale, errors.not_a_host),
        FormProblem::PrivateHost => td_string!(locale, errors.private_host),
        FormProblem::Unencrypted => td_string!(locale, errors.unencrypted),
        FormProblem::NotASender => td_string!(locale, errors.not_a_sender),
        FormProblem::NotATenant => td_string!(locale, errors.not_a_tenant),
        FormProblem::ManyTenants { most } => return td_string!(locale, errors.many_tenants, most = most),
    };
    sentence.to_owned()
}

/// What to enter into an input that was left empty.
#[cfg(feature = "ssr")]
fn missing_sentence(locale: Locale, field: FormField) -> &'static str {
    match field {
        FormField::FirstName => td_string!(locale, errors.first_name_missing),
        FormField::Password => td_string!(locale, errors.password_missing),
        FormField::OldPassword => td_string!(locale, errors.old_password_missing),
        FormField::NewPassword => td_string!(locale, errors.new_password_missing),
        FormField::ConfirmPassword => td_string!(locale, errors.confirm_password_missing),
        FormField::Account => td_string!(locale, errors.account_name_missing),
        FormField::Email => td_string!(locale, errors.email_missing),
        FormField::Roles => td_string!(locale, errors.roles_missing),
        FormField::Reason => td_string!(locale, errors.reason_missing),
        FormField::ConfirmName => td_string!(locale, errors.confirm_name_missing),
        FormField::File => td_string!(locale, errors.file_missing),
        FormField::Company => td_string!(locale, errors.company_missing),
        FormField::Host => td_string!(locale, errors.host_missing),
        FormField::Sender => td_string!(locale, errors.sender_missing),
        FormField::GoogleClientId | FormField::Office365ClientId => {
            td_string!(locale, errors.client_id_missing)
        }
        FormField::GoogleClientSecret | FormField::Office365ClientSecret => {
            td_string!(locale, errors.client_secret_missing)
        }
        FormField::LastName
        | FormField::Alias
        | FormField::Phone
        | FormField::Title
        | FormField::Language
        | FormField::TimeZone
        | FormField::IdleMinutes
        | FormField::PasswordMin
        | FormField::Port
        | FormField::MailSecurity
        | FormField::MailUser
        | FormField::MailPassword
        | FormField::ReplyTo
        | FormField::Office365Tenants => td_string!(locale, errors.field_missing),
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

    fn wrong_code(left: Option<u8>, hint: Option<CodeHint>) -> Refusal {
        Refusal::WrongCode { left, hint }
    }

    fn refusals() -> Vec<Refusal> {
        let refusals = vec![
            Refusal::field(Field::Company, Problem::Missing),
            Refusal::WrongCredentials,
            Refusal::TooManyTries { retry_after: 42 },
            Refusal::Busy { retry_after: 5 },
            Refusal::Unavailable { retry_after: 5 },
            Refusal::AccountLocked,
            Refusal::AccountInactive,
            Refusal::CompanyDisabled,
            wrong_code(None, None),
            wrong_code(None, Some(CodeHint::Used)),
            wrong_code(None, Some(CodeHint::ClockAhead(90))),
            wrong_code(None, Some(CodeHint::ClockBehind(90))),
            Refusal::CodeReplaced,
            Refusal::CodeExpired,
            Refusal::CodeElsewhere,
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
        ];
        #[cfg(feature = "ssr")]
        let refusals = [refusals, profile_refusals()].concat();
        refusals
    }

    #[cfg(feature = "ssr")]
    fn profile_refusals() -> Vec<Refusal> {
        let refusals = [
            FormRefusal::field(FormField::FirstName, FormProblem::Missing),
            FormRefusal::StepUpNeeded,
            FormRefusal::SetUpRequired,
            FormRefusal::LastFactor,
            FormRefusal::SetUpOver,
            FormRefusal::PasswordChangeRequired,
            FormRefusal::LinkOver,
            FormRefusal::ChangedMeanwhile,
            FormRefusal::LastAdmin,
            FormRefusal::OwnAccount,
            FormRefusal::NoSecondFactor,
            FormRefusal::TargetLocked,
            FormRefusal::NotLocked,
            FormRefusal::AlreadyActivated,
            FormRefusal::NoEmailChange,
            FormRefusal::NothingSelected,
            FormRefusal::MailLimit,
            FormRefusal::NoMailServer,
            FormRefusal::SsoFailed,
            FormRefusal::SsoCancelled,
            FormRefusal::SsoNotOffered,
            FormRefusal::OtherApplication,
            FormRefusal::IdentityTaken,
            FormRefusal::IdentityOther,
            FormRefusal::LastWayIn,
            FormRefusal::NoIdentity,
            FormRefusal::ProviderIsLastWayIn,
            FormRefusal::ProviderNeeded { accounts: 3 },
            FormRefusal::NoApplication {
                provider: Provider::Google,
            },
            FormRefusal::ImportOver,
            FormRefusal::WrongAddress,
        ];
        let unusable = [
            ProviderProblem::Unreachable,
            ProviderProblem::TimedOut,
            ProviderProblem::Status(500),
            ProviderProblem::NotUnderstood,
            ProviderProblem::WrongIssuer,
            ProviderProblem::UnknownApplication,
        ];
        let unusable = unusable.map(|problem| FormRefusal::ProviderUnusable {
            provider: Provider::Office365,
            problem,
        });
        refusals.into_iter().chain(unusable).map(Refusal::Form).collect()
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
            assert_eq!(full_sentence(Locale::en, &refusal), "The code is incorrect.");
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
            "The code is incorrect: your phone's clock is ahead of ours by 5:30. Set it to automatic and enter the \
             new code. You have 1 login attempt before your account is locked"
        );
        let behind = wrong_code(None, Some(CodeHint::ClockBehind(330)));
        assert_eq!(
            sentence(Locale::de, &behind),
            "Der Code ist falsch: Die Uhr Ihres Telefons geht gegenüber unserer um 5:30 nach. Stellen Sie sie auf \
             automatisch und geben Sie den neuen Code ein."
        );
        let used = wrong_code(Some(2), Some(CodeHint::Used));
        assert_eq!(
            sentence(Locale::en, &used),
            "This code has been used already. Each code works once: enter the next one."
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

    #[cfg(feature = "ssr")]
    mod profile {
        use vestibule_core::signed_in::FormFieldProblem;

        use super::*;

        const FIELDS: [FormField; 27] = [
            FormField::FirstName,
            FormField::LastName,
            FormField::Alias,
            FormField::Phone,
            FormField::Title,
            FormField::Password,
            FormField::OldPassword,
            FormField::NewPassword,
            FormField::ConfirmPassword,
            FormField::Account,
            FormField::Email,
            FormField::Roles,
            FormField::Language,
            FormField::TimeZone,
            FormField::Reason,
            FormField::ConfirmName,
            FormField::IdleMinutes,
            FormField::PasswordMin,
            FormField::File,
            FormField::Company,
            FormField::Host,
            FormField::Port,
            FormField::MailSecurity,
            FormField::MailUser,
            FormField::MailPassword,
            FormField::Sender,
            FormField::ReplyTo,
        ];
        const PROBLEMS: [FormProblem; 21] = [
            FormProblem::Missing,
            FormProblem::TooLong { most: 100 },
            FormProblem::TooShort { least: 12 },
            FormProblem::BadCharacters,
            FormProblem::Weak,
            FormProblem::Different,
            FormProblem::Unchanged,
            FormProblem::Wrong,
            FormProblem::Taken,
            FormProblem::NotAnAddress,
            FormProblem::NotOffered,
            FormProblem::OutOfRange { least: 15, most: 999 },
            FormProblem::EmptyFile,
            FormProblem::LargeFile { most: 5 * MEGABYTE },
            FormProblem::NotUtf8 { line: 7 },
            FormProblem::NotOurColumns,
            FormProblem::ManyLines { most: 10_000 },
            FormProblem::NotAHost,
            FormProblem::PrivateHost,
            FormProblem::Unencrypted,
            FormProblem::NotASender,
        ];

        #[test]
        fn every_input_has_its_own_sentence_for_every_problem() {
            for locale in all() {
                for field in FIELDS {
                    let mut seen: Vec<String> = Vec::new();
                    for problem in PROBLEMS {
                        let sentence = form_field_sentence(*locale, field, problem);
                        assert!(
                            !sentence.is_empty() && !sentence.contains(['{', '}']),
                            "{locale}: {sentence}"
                        );
                        assert!(!seen.contains(&sentence), "{locale}, {field:?}: {sentence}");
                        seen.push(sentence);
                    }
                }
            }
        }

        #[test]
        fn a_missing_password_says_which_one() {
            let said = |field| form_field_sentence(Locale::en, field, FormProblem::Missing);
            assert_eq!(said(FormField::FirstName), "Enter your first name.");
            assert_eq!(said(FormField::Password), "Enter your password.");
            assert_eq!(said(FormField::OldPassword), "Enter your old password.");
            assert_eq!(said(FormField::NewPassword), "Enter a new password.");
            assert_eq!(
                said(FormField::ConfirmPassword),
                "Enter the new password once more."
            );
            assert_eq!(said(FormField::Phone), said(FormField::Title));
        }

        #[test]
        fn lengths_are_said() {
            let said = |locale, problem| form_field_sentence(locale, FormField::NewPassword, problem);
            assert_eq!(
                said(Locale::en, FormProblem::TooShort { least: 12 }),
                "Use at least 12 characters."
            );
            assert_eq!(
                said(Locale::de, FormProblem::TooLong { most: 128 }),
                "Verwenden Sie höchstens 128 Zeichen."
            );
            assert!(said(Locale::ar, FormProblem::TooShort { least: 64 }).contains("64"));
        }

        #[test]
        fn an_input_of_the_console_says_what_is_wrong_with_it() {
            let said = |field, problem| form_field_sentence(Locale::en, field, problem);
            let missing = |field| said(field, FormProblem::Missing);
            assert_eq!(missing(FormField::Account), "Enter an account name.");
            assert_eq!(missing(FormField::Roles), "Choose at least one role.");
            assert_eq!(missing(FormField::File), "Choose a file.");
            assert_eq!(
                said(FormField::Email, FormProblem::Taken),
                "Another account of your company has this e-mail address. Enter another."
            );
            assert_eq!(
                said(FormField::ConfirmName, FormProblem::Different),
                "This is not the name of the account. Type it as it is shown."
            );
            assert_eq!(
                said(FormField::Account, FormProblem::BadCharacters),
                "An account name has only the letters A to Z, digits, dots, underscores and hyphens."
            );
        }

        #[test]
        fn numbers_and_files_say_what_would_be_taken() {
            for locale in all() {
                let said = |field, problem| form_field_sentence(*locale, field, problem);
                let range = said(
                    FormField::IdleMinutes,
                    FormProblem::OutOfRange { least: 15, most: 999 },
                );
                assert!(range.contains("15") && range.contains("999"), "{range}");
                for (problem, number) in [
                    (FormProblem::LargeFile { most: 5 * MEGABYTE }, "5"),
                    (FormProblem::NotUtf8 { line: 7 }, "7"),
                    (FormProblem::ManyLines { most: 10_000 }, "10000"),
                ] {
                    let sentence = said(FormField::File, problem);
                    let numbers: Vec<_> = sentence.split(|c: char| !c.is_ascii_digit()).collect();
                    assert!(numbers.contains(&number), "{sentence}");
                }
                let columns = said(FormField::File, FormProblem::NotOurColumns);
                for column in ["account", "email", "first_name"] {
                    assert!(columns.contains(column), "{columns}");
                }
            }
        }

        #[test]
        fn a_large_request_is_not_called_a_foreign_one() {
            for &locale in all() {
                assert_ne!(
                    title(locale, &Refusal::TooLarge),
                    title(locale, &Refusal::CrossSite)
                );
            }
        }

        #[test]
        fn several_inputs_are_said_one_after_the_other_and_nothing_twice() {
            let problem = |field, problem| FormFieldProblem { field, problem };
            let fields = vec![
                problem(FormField::Alias, FormProblem::BadCharacters),
                problem(FormField::Title, FormProblem::BadCharacters),
                problem(FormField::ConfirmPassword, FormProblem::Different),
            ];
            let said = |fields| sentence(Locale::en, &Refusal::Form(FormRefusal::Invalid { fields }));
            assert_eq!(
                said(fields),
                "This field holds characters that cannot be used here. Type it again. The two new passwords are not \
                 the same."
            );
            assert_eq!(said(Vec::new()), sentence(Locale::en, &Refusal::Malformed));
        }
    }
}
