//! Why a signed-in agent's own changes are refused, and the checks of what was typed (product.md section 3, Profile).

use serde::{Deserialize, Serialize};

use crate::{limits::PERSON_FIELD_MAX, name::has_bad_characters};

/// An input of the profile's forms, named as the forms name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProfileField {
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
}

impl ProfileField {
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
        }
    }
}

/// What is wrong with one input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
pub enum ProfileProblem {
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
}

/// One input and what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileFieldProblem {
    /// The input.
    pub field: ProfileField,
    /// What is wrong with it.
    #[serde(flatten)]
    pub problem: ProfileProblem,
}

/// Every way in which a signed-in agent's own changes are refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum ProfileRefusal {
    /// Some inputs cannot be taken; nothing was changed.
    Invalid {
        /// The inputs, in the order of the form.
        fields: Vec<ProfileFieldProblem>,
    },
    /// The last proof of identity is too old, or was not whole; nothing was changed (N21).
    StepUpNeeded,
    /// The company requires a second factor and this account has none yet: nothing else is open.
    SetUpRequired,
    /// The company requires a second factor: the last one cannot be turned off.
    LastFactor,
    /// The set-up is over: finished, replaced by a newer one, or not finished in ten minutes. Nothing was compared.
    SetUpOver,
}

impl ProfileRefusal {
    /// A refusal because of a single input.
    pub fn field(field: ProfileField, problem: ProfileProblem) -> Self {
        Self::Invalid {
            fields: vec![ProfileFieldProblem { field, problem }],
        }
    }

    /// What is wrong with `field`, when this refusal is about it.
    pub fn problem(&self, field: ProfileField) -> Option<ProfileProblem> {
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
            Self::Invalid { .. } => 422,
            Self::StepUpNeeded | Self::SetUpRequired | Self::LastFactor => 403,
            Self::SetUpOver => 410,
        }
    }
}

/// What is wrong with a name, an alias, a phone number or a title. Only the first name may not be empty.
pub fn person_problem(field: ProfileField, typed: &str) -> Option<ProfileProblem> {
    let typed = typed.trim();
    if typed.is_empty() {
        (field == ProfileField::FirstName).then_some(ProfileProblem::Missing)
    } else if typed.chars().count() > PERSON_FIELD_MAX {
        Some(ProfileProblem::TooLong {
            most: PERSON_FIELD_MAX,
        })
    } else if has_bad_characters(typed) {
        Some(ProfileProblem::BadCharacters)
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
            person_problem(ProfileField::FirstName, "  "),
            Some(ProfileProblem::Missing)
        );
        assert_eq!(person_problem(ProfileField::Phone, ""), None);
        assert_eq!(person_problem(ProfileField::Alias, &"ü".repeat(100)), None);
        assert_eq!(
            person_problem(ProfileField::Alias, &"ü".repeat(101)),
            Some(ProfileProblem::TooLong { most: 100 })
        );
        assert_eq!(
            person_problem(ProfileField::Title, "Lead\u{202e}"),
            Some(ProfileProblem::BadCharacters)
        );
    }

    #[test]
    fn a_refusal_comes_back_as_it_was_written() {
        use crate::refusal::Refusal;
        for refusal in [
            ProfileRefusal::field(ProfileField::NewPassword, ProfileProblem::TooShort { least: 12 }),
            ProfileRefusal::StepUpNeeded,
            ProfileRefusal::SetUpOver,
        ] {
            let refusal = Refusal::Profile(refusal);
            let json = serde_json::to_string(&refusal).unwrap();
            assert_eq!(serde_json::from_str::<Refusal>(&json).unwrap(), refusal, "{json}");
        }
    }
}
