//! Refusals as sentences for the operator: what is wrong, and what to do about it.

use std::path::Path;

use vestibule_core::{name::NameProblem, refusal::Refusal};
use vestibule_service::operator::OperatorError;
use vestibule_storage::{StoreError, copy::CopyError};
use vestibule_translations::{Locale, refusal};

use crate::{config::Place, key_file::KeyFileError};

/// Names that a command was given, for sentences about them.
#[derive(Clone, Copy, Default)]
pub(super) struct Names<'a> {
    /// The company.
    pub(super) company: &'a str,
    /// The account.
    pub(super) account: &'a str,
    /// Language tags on offer.
    pub(super) languages: &'a [String],
}

/// The sentence for an operator's act that was refused.
pub(super) fn operator(error: &OperatorError, names: Names<'_>) -> String {
    let Names {
        company,
        account,
        languages,
    } = names;
    match error {
        OperatorError::BadCompanyName(problem) => name(
            "The company's name",
            *problem,
            "up to 64 characters that can be seen",
        ),
        OperatorError::MixedScripts => format!(
            "The company's name {company:?} has letters of several scripts (such as Latin and Cyrillic) and may look like \
             another company's. If that is meant, add --allow-mixed-script."
        ),
        OperatorError::BadAccountName(problem) => name(
            "The account name",
            *problem,
            "up to 64 letters (a-z), digits, dots, underscores and hyphens",
        ),
        OperatorError::BadEmail(problem) => name(
            "The e-mail address",
            *problem,
            "an address such as alice@acme.example",
        ),
        OperatorError::BadPersonName(problem) => name(
            "The first or last name",
            *problem,
            "up to 100 characters that can be seen",
        ),
        OperatorError::UnknownCompany => {
            format!("There is no company called {company:?}. `vestibule company list` shows all.")
        }
        OperatorError::UnknownAccount => format!(
            "There is no account {account:?} in the company {company:?}. `vestibule account list --company …` shows all."
        ),
        OperatorError::UnknownApplication => {
            "There is no such application. `vestibule application list` shows their identifiers.".to_owned()
        }
        OperatorError::CompanyExists => {
            format!("A company called {company:?} exists already (capital letters make no difference).")
        }
        OperatorError::AccountExists => {
            format!(
                "The company {company:?} has an account {account:?} already (capital letters make no difference)."
            )
        }
        OperatorError::EmailExists => {
            format!("Another account of the company {company:?} has this e-mail address already.")
        }
        OperatorError::UnknownLanguage => {
            format!(
                "This language is not on offer. It has to be one of: {}.",
                languages.join(", ")
            )
        }
        OperatorError::UnknownTimeZone => {
            "There is no such time zone. It has to be an IANA name such as Europe/Berlin or UTC.".to_owned()
        }
        OperatorError::BadPolicy => "The 2FA policy has to be 0, 14, 30, 60 or 90 days.".to_owned(),
        OperatorError::BadPasswordMin => {
            "The minimum password length has to be 8 to 64 characters.".to_owned()
        }
        OperatorError::BadIdleMinutes => {
            "The log-out policy has to be 15 to 999 minutes, or never.".to_owned()
        }
        OperatorError::Refused(Refusal::ChangedMeanwhile) => {
            format!(
                "Somebody else changed the company {company:?} at the same moment. Nothing was changed: try again."
            )
        }
        OperatorError::Refused(Refusal::NotLocked) => {
            format!("The account {account:?} of the company {company:?} is not locked.")
        }
        OperatorError::Refused(refusal) => refusal::full_sentence(Locale::en, refusal),
        OperatorError::NoRole => "An account needs at least one role.".to_owned(),
        OperatorError::PasswordTooShort { least } => {
            format!("The password is too short: it needs at least {least} characters.")
        }
        OperatorError::PasswordTooLong => {
            "The password is too long: it may have up to 128 characters.".to_owned()
        }
        OperatorError::PasswordTooWeak => {
            "The password is too easy to guess. Take several words that do not belong \
            together, or let a password manager make one; names of the person or the company do not count."
                .to_owned()
        }
        OperatorError::NoReason => {
            "A reason is needed for the audit log: up to 200 characters that can be seen.".to_owned()
        }
        OperatorError::Sealing(error) => {
            format!("{}: the key file cannot be used.", capital(&error.to_string()))
        }
        OperatorError::Hashing(error) => format!("The password could not be hashed: {error}. Try again."),
        OperatorError::Store(error) => store(error),
    }
}

/// The sentence for a database that cannot be opened.
pub(super) fn unusable(place: &Place, error: &StoreError) -> String {
    format!("The database {place} cannot be used: {error}.")
}

/// The sentence for a database that is not there.
pub(super) fn missing_database(file: &Path) -> String {
    format!(
        "There is no database {}. Run this where your settings are, name them with --config, or make a new database with \
         `vestibule migrate`.",
        file.display()
    )
}

/// The sentence for a database whose folder is not there.
pub(super) fn missing_folder(folder: &Path) -> String {
    format!(
        "The folder {} for the database does not exist: make it, or change database_url.",
        folder.display()
    )
}

/// The sentence for a key file that is not there.
pub(super) fn missing_key_file(file: &Path) -> String {
    format!(
        "There is no key file {}. Run this where your settings are, or copy the file that your servers use; only `vestibule \
         serve` and `vestibule migrate` make one, for a new database.",
        file.display()
    )
}

/// The sentence for a database that fails.
pub(super) fn store(error: &StoreError) -> String {
    format!(
        "{}. `vestibule config check` shows which database is used.",
        capital(&error.to_string())
    )
}

/// The sentence for a copy that was not made, or not to its end.
pub(super) fn copy(error: &CopyError) -> String {
    let begun = match error {
        CopyError::Store(..) => {
            " Nobody can serve what is copied so far; the same command goes on where this one ended."
        }
        _ => "",
    };
    format!("{}.{begun}", capital(&error.to_string()))
}

/// The sentence for a key file that cannot be used.
pub(super) fn key_file(error: &KeyFileError) -> String {
    format!("{}.", capital(&error.to_string()))
}

fn name(what: &str, problem: NameProblem, right: &str) -> String {
    let wrong = match problem {
        NameProblem::Missing => "is empty",
        NameProblem::TooLong => "is too long",
        NameProblem::BadCharacters => "has characters that are not allowed",
        NameProblem::NotAnAddress => "is not an address",
    };
    format!("{what} {wrong}. It has to be {right}.")
}

fn capital(text: &str) -> String {
    let mut rest = text.chars();
    rest.next()
        .map(|first| first.to_uppercase().chain(rest).collect())
        .unwrap_or_default()
}
