//! General Information and the policies (product.md section 6). Every change bites at the next request of everybody
//! concerned, on every node: sessions are read together with their company.

use vestibule_core::{
    company::{CompanySettings, NewAgentMail, RequireSecondFactor, TwoFactorPolicy},
    id::ApplicationId,
    limits::{IDLE_MINUTES_LEAST, IDLE_MINUTES_MOST, PASSWORD_MIN_HIGHEST, PASSWORD_MIN_LOWEST},
    refusal::{Field, FieldProblem, Problem, Refusal},
    rights::Action,
};

use super::{CompanyInfoInput, Hold, PolicyInput};
use crate::{Console, Failure, Service, Visitor, sessions::SignedIn, work::Work};

/// General Information as it was typed, checked.
struct Info {
    language: String,
    time_zone: String,
    new_agent_mail: NewAgentMail,
}

/// Policies as they were typed, checked.
struct Policies {
    two_factor: TwoFactorPolicy,
    require_second_factor: RequireSecondFactor,
    password_min: usize,
    idle_minutes: Option<u16>,
}

impl Policies {
    /// The words and numbers of a form; words that no form of ours sends are malformed.
    fn read(input: &PolicyInput) -> Result<Self, Failure> {
        let two_factor = whole_number(&input.two_factor_days)
            .and_then(|days| TwoFactorPolicy::from_days(i64::from(days)))
            .ok_or(Refusal::Malformed)?;
        let require_second_factor =
            RequireSecondFactor::from_word(&input.require_second_factor).ok_or(Refusal::Malformed)?;
        let mut fields = Vec::new();
        let password_min = whole_number(&input.password_min)
            .map(usize::from)
            .filter(|length| (PASSWORD_MIN_LOWEST..=PASSWORD_MIN_HIGHEST).contains(length));
        if password_min.is_none() {
            fields.push(FieldProblem {
                field: Field::PasswordMin,
                problem: Problem::OutOfRange {
                    least: PASSWORD_MIN_LOWEST,
                    most: PASSWORD_MIN_HIGHEST,
                },
            });
        }
        let never = input.idle_minutes.trim().is_empty();
        let idle_minutes = whole_number(&input.idle_minutes)
            .filter(|minutes| (IDLE_MINUTES_LEAST..=IDLE_MINUTES_MOST).contains(minutes));
        if !never && idle_minutes.is_none() {
            fields.push(FieldProblem {
                field: Field::IdleMinutes,
                problem: Problem::OutOfRange {
                    least: usize::from(IDLE_MINUTES_LEAST),
                    most: usize::from(IDLE_MINUTES_MOST),
                },
            });
        }
        match password_min {
            Some(password_min) if fields.is_empty() => Ok(Self {
                two_factor,
                require_second_factor,
                password_min,
                idle_minutes,
            }),
            _ => Err(Refusal::Invalid { fields }.into()),
        }
    }
}

/// Digits and nothing else, in white space or not.
pub(super) fn whole_number(typed: &str) -> Option<u16> {
    let digits = typed.trim();
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())
        .flatten()
}

impl Console {
    /// Saves General Information if the company's version is still `version`.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`]; `Invalid`; `ChangedMeanwhile`: the page then shows both versions.
    pub async fn save_company(
        &self,
        version: i64,
        input: CompanyInfoInput,
        visitor: &Visitor,
    ) -> Result<(), Refusal> {
        visitor
            .transact(async || {
                self.allowed(Action::ChangeCompany, visitor).await?;
                let info = self.read_info(&input)?;
                let (work, own) = self.act(Action::ChangeCompany, Hold::Company, visitor).await?;
                let settings = CompanySettings {
                    language: info.language,
                    time_zone: info.time_zone,
                    new_agent_mail: info.new_agent_mail,
                    ..own.company.settings.clone()
                };
                self.save_settings(work, &own, version, &settings).await
            })
            .await
    }

    /// Saves where agents go after a sign-in, if the company's version is still `version`: to this application, or with
    /// an empty word to the Agent Panel.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`]; `Malformed` for what is no application of the company that can be opened;
    /// `ChangedMeanwhile`.
    pub async fn save_after_sign_in(
        &self,
        version: i64,
        application: &str,
        visitor: &Visitor,
    ) -> Result<(), Refusal> {
        visitor
            .transact(async || {
                let (mut work, own) = self.act(Action::ChangeCompany, Hold::Company, visitor).await?;
                let after_sign_in = match application {
                    "" => None,
                    typed => {
                        let id = ApplicationId::parse(typed).ok_or(Refusal::Malformed)?;
                        let found = work.application(id).await?;
                        found
                            .filter(|found| found.can_be_opened_in(own.company.id))
                            .ok_or(Refusal::Malformed)?;
                        Some(id)
                    }
                };
                let settings = CompanySettings {
                    after_sign_in,
                    ..own.company.settings.clone()
                };
                self.save_settings(work, &own, version, &settings).await
            })
            .await
    }

    /// Saves the policies if the company's version is still `version`, and tells all admins.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`]; `Invalid`; `ChangedMeanwhile`.
    pub async fn save_policies(
        &self,
        version: i64,
        input: PolicyInput,
        visitor: &Visitor,
    ) -> Result<(), Refusal> {
        visitor
            .transact(async || {
                self.allowed(Action::ChangePolicies, visitor).await?;
                let policies = Policies::read(&input)?;
                let (work, own) = self.act(Action::ChangePolicies, Hold::Company, visitor).await?;
                let settings = CompanySettings {
                    two_factor: policies.two_factor,
                    require_second_factor: policies.require_second_factor,
                    password_min: policies.password_min,
                    idle_minutes: policies.idle_minutes,
                    ..own.company.settings.clone()
                };
                self.save_settings(work, &own, version, &settings).await
            })
            .await
    }
}

impl Service {
    fn read_info(&self, input: &CompanyInfoInput) -> Result<Info, Failure> {
        let new_agent_mail = NewAgentMail::from_word(&input.new_agent_mail).ok_or(Refusal::Malformed)?;
        let offered = [
            (
                Field::Language,
                self.inner.settings.languages.contains(&input.language),
            ),
            (Field::TimeZone, input.time_zone.parse::<chrono_tz::Tz>().is_ok()),
        ];
        let fields: Vec<_> = offered
            .into_iter()
            .filter(|(_, offered)| !offered)
            .map(|(field, _)| FieldProblem {
                field,
                problem: Problem::NotOffered,
            })
            .collect();
        if !fields.is_empty() {
            return Err(Refusal::Invalid { fields }.into());
        }
        Ok(Info {
            language: input.language.clone(),
            time_zone: input.time_zone.clone(),
            new_agent_mail,
        })
    }

    /// Saves settings behind the company's lock, if its version is still the one that was shown.
    async fn save_settings(
        &self,
        mut work: Work<'_>,
        own: &SignedIn,
        shown: i64,
        settings: &CompanySettings,
    ) -> Result<(), Failure> {
        if own.company.version != shown {
            return Err(Refusal::ChangedMeanwhile.into());
        }
        let by = &own.account.person.alias;
        self.put_settings(&mut work, &own.company, settings, by).await?;
        Ok(work.commit().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::whole_number;

    #[test]
    fn a_number_is_digits_and_nothing_else() {
        assert_eq!(whole_number(" 15 "), Some(15));
        for odd in ["", " ", "+15", "-1", "1.5", "1e2", "0x10", "99999999", "١٥"] {
            assert_eq!(whole_number(odd), None, "{odd}");
        }
    }
}
