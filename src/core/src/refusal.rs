//! Why a request was refused: a closed list without free text, so that every refusal has a translated
//! sentence and no message of a library or of an attacker can reach a page.

use serde::{Deserialize, Serialize};

/// An input of a form, named as the form names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// The company's name.
    Company,
    /// Account name or e-mail address.
    Account,
    /// The password.
    Password,
    /// The one-time code.
    Code,
}

/// What is wrong with one input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// Nothing was typed.
    Missing,
    /// Longer than the field allows.
    TooLong,
    /// Holds characters that no valid value has (control characters, NUL).
    BadCharacters,
    /// A code that is not six digits.
    NotACode,
}

/// One input and what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldProblem {
    /// The input.
    pub field: Field,
    /// What is wrong with it.
    pub problem: Problem,
}

/// Why an entered code of an authenticator app was wrong, where that helps its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeHint {
    /// It was accepted before: each code counts once.
    Used,
    /// It will be right in this many seconds: the phone's clock is ahead.
    ClockAhead(u32),
    /// It was right this many seconds ago: the phone's clock is behind.
    ClockBehind(u32),
}

/// Every way in which Vestibule says no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Refusal {
    /// Some inputs cannot be right; nothing was compared or counted.
    Invalid {
        /// The inputs, in the order of the form.
        fields: Vec<FieldProblem>,
    },
    /// Company, account or password is wrong, or the password may not be tried now (product.md section 4.1).
    WrongCredentials,
    /// Too many wrong passwords from this address (N8).
    TooManyTries {
        /// Seconds until another try is allowed.
        retry_after: u32,
    },
    /// The line before the hashing threads is full (N6). Nothing was counted.
    Busy {
        /// Seconds until another try makes sense.
        retry_after: u32,
    },
    /// The database cannot be reached, or does not take what is written.
    Unavailable {
        /// Seconds until another try makes sense.
        retry_after: u32,
    },
    /// The account is locked; said only after the right password.
    AccountLocked,
    /// The account is inactive; said only after the right password.
    AccountInactive,
    /// The company is disabled; said only after the right password.
    CompanyDisabled,
    /// The code is wrong, and counted.
    WrongCode {
        /// Tries that are left, said from the third wrong code on (product.md section 4.5).
        left: Option<u8>,
        /// What is known about the code besides.
        hint: Option<CodeHint>,
    },
    /// The code was right once and a newer one replaced it; not counted.
    CodeReplaced,
    /// The code is too old; not counted.
    CodeExpired,
    /// The code is right for another sign-in or set-up of the same account; not counted.
    CodeElsewhere,
    /// The pending sign-in is over: expired, cancelled, finished or never begun in this browser.
    SignInExpired,
    /// A new code may not be sent yet (N12).
    ResendTooSoon {
        /// Seconds until it may.
        retry_after: u32,
    },
    /// No more codes for this pending sign-in (N12).
    ResendLimit,
    /// Too many codes were mailed to this account (N12).
    CodeMailLimit {
        /// Seconds until another code may be mailed.
        retry_after: u32,
    },
    /// Not signed in, or the session has ended.
    NotSignedIn,
    /// Signed in, but not allowed.
    Forbidden,
    /// What only a signed-in agent can be refused. The browser's half never gets one: its pages are plain forms.
    #[cfg(feature = "server")]
    Form(crate::signed_in::FormRefusal),
    /// The request did not come from one of our pages.
    CrossSite,
    /// The request cannot be read: missing, doubled or unknown fields, wrong type, broken encoding.
    Malformed,
    /// The request is larger than allowed (N25).
    TooLarge,
    /// There is nothing at this address.
    NotFound,
    /// Something broke on our side; the log has the details under the reference.
    Internal {
        /// Eight characters of `A`-`Z` and `0`-`9`.
        reference: String,
    },
}

impl Refusal {
    /// The honest HTTP status of this refusal.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Invalid { .. } | Self::CodeReplaced | Self::CodeExpired | Self::CodeElsewhere => 422,
            Self::WrongCredentials | Self::WrongCode { .. } | Self::NotSignedIn => 401,
            Self::TooManyTries { .. }
            | Self::ResendTooSoon { .. }
            | Self::ResendLimit
            | Self::CodeMailLimit { .. } => 429,
            Self::Busy { .. } | Self::Unavailable { .. } => 503,
            Self::AccountLocked
            | Self::AccountInactive
            | Self::CompanyDisabled
            | Self::Forbidden
            | Self::CrossSite => 403,
            #[cfg(feature = "server")]
            Self::Form(refusal) => refusal.status(),
            Self::SignInExpired => 410,
            Self::Malformed => 400,
            Self::TooLarge => 413,
            Self::NotFound => 404,
            Self::Internal { .. } => 500,
        }
    }

    /// Seconds for a `Retry-After` header, where waiting helps.
    pub const fn retry_after(&self) -> Option<u32> {
        match self {
            Self::TooManyTries { retry_after }
            | Self::Busy { retry_after }
            | Self::Unavailable { retry_after }
            | Self::ResendTooSoon { retry_after }
            | Self::CodeMailLimit { retry_after } => Some(*retry_after),
            _ => None,
        }
    }

    /// A refusal because of a single input.
    pub fn field(field: Field, problem: Problem) -> Self {
        Self::Invalid {
            fields: vec![FieldProblem { field, problem }],
        }
    }

    /// What is wrong with `field`, when this refusal is about it.
    pub fn problem(&self, field: Field) -> Option<Problem> {
        match self {
            Self::Invalid { fields } => fields
                .iter()
                .find(|found| found.field == field)
                .map(|found| found.problem),
            _ => None,
        }
    }
}
