//! Forms of people who are signed in, or who choose a password: their inputs, what can be wrong with them, and why they
//! are refused (product.md section 3).

use serde::{Deserialize, Serialize};

use crate::{
    limits::PERSON_FIELD_MAX,
    name::has_bad_characters,
    sso::{Provider, ProviderProblem},
};

/// An input of these forms, named as the forms name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormField {
    /// First name.
    FirstName,
    /// Last name.
    LastName,
    /// What colleagues see.
    Alias,
    /// Phone.
    Phone,
    /// Title.
    Title,
    /// The password, asked again.
    Password,
    /// The password until now.
    OldPassword,
    /// The password from now on.
    NewPassword,
    /// The same once more.
    ConfirmPassword,
    /// Account name.
    Account,
    /// E-mail address.
    Email,
    /// Roles.
    Roles,
    /// Language.
    Language,
    /// Time zone.
    TimeZone,
    /// Why a backup code is issued.
    Reason,
    /// The account name once more, before it is deleted.
    ConfirmName,
    /// Minutes without activity that end a session.
    IdleMinutes,
    /// Characters that a password needs.
    PasswordMin,
    /// A file.
    File,
    /// The company's name.
    Company,
    /// Host of a mail server.
    Host,
    /// Port of a mail server.
    Port,
    /// How connections to a mail server are encrypted.
    MailSecurity,
    /// User of a mail server.
    MailUser,
    /// Password of a mail server.
    MailPassword,
    /// Whom mails are from.
    Sender,
    /// Where answers to mails go.
    ReplyTo,
    /// Identifier of an application at Google.
    GoogleClientId,
    /// Its secret.
    GoogleClientSecret,
    /// Identifier of an application at Office 365.
    Office365ClientId,
    /// Its secret.
    Office365ClientSecret,
    /// Tenants of Office 365.
    Office365Tenants,
}

impl FormField {
    /// The id and name of its input.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FirstName => "first_name",
            Self::LastName => "last_name",
            Self::Alias => "alias",
            Self::Phone => "phone",
            Self::Title => "title",
            Self::Password => "password",
            Self::OldPassword => "old_password",
            Self::NewPassword => "new_password",
            Self::ConfirmPassword => "confirm_password",
            Self::Account => "account",
            Self::Email => "email",
            Self::Roles => "roles",
            Self::Language => "language",
            Self::TimeZone => "time_zone",
            Self::Reason => "reason",
            Self::ConfirmName => "confirm_name",
            Self::IdleMinutes => "idle_minutes",
            Self::PasswordMin => "password_min",
            Self::File => "file",
            Self::Company => "company",
            Self::Host => "host",
            Self::Port => "port",
            Self::MailSecurity => "security",
            Self::MailUser => "user",
            Self::MailPassword => "mail_password",
            Self::Sender => "sender",
            Self::ReplyTo => "reply_to",
            Self::GoogleClientId => "google_client_id",
            Self::GoogleClientSecret => "google_client_secret",
            Self::Office365ClientId => "office365_client_id",
            Self::Office365ClientSecret => "office365_client_secret",
            Self::Office365Tenants => "office365_tenants",
        }
    }
}

/// What is wrong with one input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
pub enum FormProblem {
    /// Nothing was typed.
    Missing,
    /// Longer than the field allows.
    TooLong {
        /// Characters it may have.
        most: usize,
    },
    /// Fewer characters than the company asks for.
    TooShort {
        /// Characters it needs.
        least: usize,
    },
    /// Holds characters that no valid value has.
    BadCharacters,
    /// Easy to guess.
    Weak,
    /// Not the same as the new password.
    Different,
    /// The new password is the old one.
    Unchanged,
    /// Not the password of this account, or not allowed to be tried now.
    Wrong,
    /// Another account of the company has it.
    Taken,
    /// Not of the form of an e-mail address.
    NotAnAddress,
    /// Not one of the values on offer.
    NotOffered,
    /// Not a whole number from `least` to `most`.
    OutOfRange {
        /// The smallest that is taken.
        least: usize,
        /// The largest that is taken.
        most: usize,
    },
    /// No file, or an empty one.
    EmptyFile,
    /// The file is larger than `most` bytes.
    LargeFile {
        /// Bytes that it may have.
        most: usize,
    },
    /// The file is not text in UTF-8.
    NotUtf8 {
        /// The first line that cannot be read, from 1.
        line: usize,
    },
    /// The file is no CSV with a first line that names the columns `account`, `email` and `first_name`.
    NotOurColumns,
    /// The file has more than `most` accounts.
    ManyLines {
        /// Accounts that it may have.
        most: usize,
    },
    /// Neither a host name nor a network address.
    NotAHost,
    /// An address inside the operator's network, which companies may not reach.
    PrivateHost,
    /// Without encryption only a server on the same machine may be spoken to.
    Unencrypted,
    /// Not of the form `name@example.org` or `Name <name@example.org>`.
    NotASender,
    /// Not the number of a tenant.
    NotATenant,
    /// More than `most` tenants.
    ManyTenants {
        /// Tenants that may be named.
        most: usize,
    },
}

/// One input and what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormFieldProblem {
    /// The input.
    pub field: FormField,
    /// What is wrong with it.
    #[serde(flatten)]
    pub problem: FormProblem,
}

/// Every way in which a signed-in agent's own changes are refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum FormRefusal {
    /// Some inputs cannot be taken; nothing was changed.
    Invalid {
        /// The inputs, in the order of the form.
        fields: Vec<FormFieldProblem>,
    },
    /// The last proof of identity is too old, or was not whole; nothing was changed (N21).
    StepUpNeeded,
    /// The company requires a second factor and this account has none yet: nothing else is open.
    SetUpRequired,
    /// The company requires a second factor: the last one cannot be turned off.
    LastFactor,
    /// The set-up is over: finished, replaced by a newer one, or not finished in ten minutes. Nothing was compared.
    SetUpOver,
    /// The password is a temporary one: nothing is open but choosing another.
    PasswordChangeRequired,
    /// The link is used, too old, or replaced by a newer one.
    LinkOver,
    /// Somebody else has saved a newer version meanwhile; nothing was changed.
    ChangedMeanwhile,
    /// It would leave the company without an active admin.
    LastAdmin,
    /// Nobody deletes, deactivates or demotes the own account, or does in the console what helps to open it.
    OwnAccount,
    /// A backup code is of no use to an account without a second factor.
    NoSecondFactor,
    /// The account is locked: unlock it first.
    TargetLocked,
    /// The account is not locked.
    NotLocked,
    /// The agent has chosen a password already: there are no account details to send.
    AlreadyActivated,
    /// There is no change of the e-mail address any more.
    NoEmailChange,
    /// Nothing was ticked.
    NothingSelected,
    /// So many mails of this kind were sent within the hour that no more go out now.
    MailLimit,
    /// The company has no mail server of its own that could be tried.
    NoMailServer,
    /// The provider brought nobody: it is down, answers nonsense, or its word is not to be trusted.
    SsoFailed,
    /// Whoever was sent to the provider said no there.
    SsoCancelled,
    /// The provider is not offered here, or not for this company.
    SsoNotOffered,
    /// The company has an application of its own at the provider, and this sign-in came through another.
    OtherApplication,
    /// Another account of the company has this account of the provider.
    IdentityTaken,
    /// The account has another account of the provider already.
    IdentityOther,
    /// Without it the account would have no way in.
    LastWayIn,
    /// The account is connected with no provider: without its password it would have no way in.
    NoIdentity,
    /// Somebody else's account would have no way in without it.
    ProviderIsLastWayIn,
    /// Accounts without a password come in by the provider: it would shut them out.
    ProviderNeeded {
        /// How many.
        accounts: usize,
    },
    /// Neither the company nor the installation has an application at the provider.
    NoApplication {
        /// The provider.
        provider: Provider,
    },
    /// The provider cannot be used as it is set up.
    ProviderUnusable {
        /// The provider.
        provider: Provider,
        /// What is wrong.
        problem: ProviderProblem,
    },
    /// The uploaded file was imported already, is being imported, or is gone.
    ImportOver,
    /// The site is not reached under the host that was asked for.
    WrongAddress,
}

impl FormRefusal {
    /// A refusal because of a single input.
    pub fn field(field: FormField, problem: FormProblem) -> Self {
        Self::Invalid {
            fields: vec![FormFieldProblem { field, problem }],
        }
    }

    /// What is wrong with `field`, when this refusal is about it.
    pub fn problem(&self, field: FormField) -> Option<FormProblem> {
        match self {
            Self::Invalid { fields } => fields
                .iter()
                .find(|found| found.field == field)
                .map(|found| found.problem),
            _ => None,
        }
    }

    /// The honest HTTP status.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Invalid { .. } | Self::NothingSelected => 422,
            Self::SsoNotOffered
            | Self::OtherApplication
            | Self::StepUpNeeded
            | Self::SetUpRequired
            | Self::LastFactor
            | Self::PasswordChangeRequired => 403,
            Self::SetUpOver | Self::LinkOver => 410,
            Self::WrongAddress => 421,
            Self::MailLimit => 429,
            Self::SsoFailed | Self::ProviderUnusable { .. } => 502,
            Self::ChangedMeanwhile
            | Self::LastAdmin
            | Self::OwnAccount
            | Self::NoSecondFactor
            | Self::TargetLocked
            | Self::NotLocked
            | Self::AlreadyActivated
            | Self::NoEmailChange
            | Self::NoMailServer
            | Self::SsoCancelled
            | Self::IdentityTaken
            | Self::IdentityOther
            | Self::LastWayIn
            | Self::NoIdentity
            | Self::ProviderIsLastWayIn
            | Self::ProviderNeeded { .. }
            | Self::NoApplication { .. }
            | Self::ImportOver => 409,
        }
    }
}

/// What is wrong with a name, an alias, a phone number or a title. Only the first name may not be empty.
pub fn person_problem(field: FormField, typed: &str) -> Option<FormProblem> {
    let typed = typed.trim();
    if typed.is_empty() {
        (field == FormField::FirstName).then_some(FormProblem::Missing)
    } else if typed.chars().count() > PERSON_FIELD_MAX {
        Some(FormProblem::TooLong {
            most: PERSON_FIELD_MAX,
        })
    } else if has_bad_characters(typed) {
        Some(FormProblem::BadCharacters)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_name_is_needed_and_nothing_is_endless_or_invisible() {
        assert_eq!(
            person_problem(FormField::FirstName, "  "),
            Some(FormProblem::Missing)
        );
        assert_eq!(person_problem(FormField::Phone, ""), None);
        assert_eq!(person_problem(FormField::Alias, &"ü".repeat(100)), None);
        assert_eq!(
            person_problem(FormField::Alias, &"ü".repeat(101)),
            Some(FormProblem::TooLong { most: 100 })
        );
        assert_eq!(
            person_problem(FormField::Title, "Lead\u{202e}"),
            Some(FormProblem::BadCharacters)
        );
    }

    #[test]
    fn a_refusal_comes_back_as_it_was_written() {
        use crate::refusal::Refusal;
        for refusal in [
            FormRefusal::field(FormField::NewPassword, FormProblem::TooShort { least: 12 }),
            FormRefusal::StepUpNeeded,
            FormRefusal::SetUpOver,
        ] {
            let refusal = Refusal::Form(refusal);
            let json = serde_json::to_string(&refusal).unwrap();
            assert_eq!(serde_json::from_str::<Refusal>(&json).unwrap(), refusal, "{json}");
        }
    }
}
