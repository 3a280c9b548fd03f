//! General Information and the policies (product.md section 6). Every change bites at the next request of everybody
//! concerned, on every node: sessions are read together with their company.

use vestibule_core::{
    audit::{AuditEntry, Event},
    company::{Company, NewAgentMail, RequireSecondFactor, TwoFactorPolicy},
    limits::{IDLE_MINUTES_LEAST, IDLE_MINUTES_MOST, PASSWORD_MIN_HIGHEST, PASSWORD_MIN_LOWEST},
    mail::Mail,
    refusal::Refusal,
    rights::Action,
    signed_in::{FormField, FormFieldProblem, FormProblem, FormRefusal},
};
use vestibule_storage::{CompanySettings, StoreError, Writer, again};

use super::{CompanyInfoInput, Hold, PolicyInput};
use crate::{Failure, Service, Visitor, letters::Receiver, sessions::SignedIn};

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
            fields.push(FormFieldProblem {
                field: FormField::PasswordMin,
                problem: FormProblem::OutOfRange {
                    least: PASSWORD_MIN_LOWEST,
                    most: PASSWORD_MIN_HIGHEST,
                },
            });
        }
        let never = input.idle_minutes.trim().is_empty();
        let idle_minutes = whole_number(&input.idle_minutes)
            .filter(|minutes| (IDLE_MINUTES_LEAST..=IDLE_MINUTES_MOST).contains(minutes));
        if !never && idle_minutes.is_none() {
            fields.push(FormFieldProblem {
                field: FormField::IdleMinutes,
                problem: FormProblem::OutOfRange {
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
            _ => Err(FormRefusal::Invalid { fields }.into()),
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

fn settings_of(company: &Company) -> CompanySettings {
    CompanySettings {
        language: company.language.clone(),
        time_zone: company.time_zone.clone(),
        new_agent_mail: company.new_agent_mail,
        two_factor: company.two_factor,
        require_second_factor: company.require_second_factor,
        password_min: company.password_min,
        idle_minutes: company.idle_minutes,
    }
}

/// What of the settings changes from what to what, for the audit log; empty = nothing.
fn changes(before: &CompanySettings, after: &CompanySettings) -> String {
    let words = |settings: &CompanySettings| {
        [
            ("language", settings.language.clone()),
            ("time_zone", settings.time_zone.clone()),
            ("new_agent_mail", settings.new_agent_mail.as_str().to_owned()),
            ("two_factor_days", settings.two_factor.days().to_string()),
            (
                "require_second_factor",
                settings.require_second_factor.as_str().to_owned(),
            ),
            ("password_min", settings.password_min.to_string()),
            (
                "idle_minutes",
                settings
                    .idle_minutes
                    .map_or_else(|| "never".to_owned(), |minutes| minutes.to_string()),
            ),
        ]
    };
    let changed: Vec<_> = words(before)
        .into_iter()
        .zip(words(after))
        .filter(|(old, new)| old != new)
        .map(|((name, old), (_, new))| format!("{name}: {old} -> {new}"))
        .collect();
    changed.join("; ")
}

impl Service {
    /// Saves General Information if the company's version is still `version`.
    ///
    /// # Errors
    /// As [`Service::console`]; `Invalid`; `ChangedMeanwhile`: the page then shows both versions.
    pub async fn save_company(
        &self,
        version: i64,
        input: CompanyInfoInput,
        visitor: &Visitor,
    ) -> Result<(), Refusal> {
        again(|| self.set_info(version, &input, visitor))
            .await
            .map_err(|failure| visitor.explain(&failure))
    }

    async fn set_info(
        &self,
        version: i64,
        input: &CompanyInfoInput,
        visitor: &Visitor,
    ) -> Result<(), Failure> {
        self.allowed(Action::ChangeCompany, visitor).await?;
        let info = self.read_info(input)?;
        let (mut writer, own) = self.act(Action::ChangeCompany, Hold::Company, visitor).await?;
        let settings = CompanySettings {
            language: info.language,
            time_zone: info.time_zone,
            new_agent_mail: info.new_agent_mail,
            ..settings_of(&own.company)
        };
        self.put_settings(
            &mut writer,
            &own,
            version,
            &settings,
            Event::CompanyChanged,
            visitor,
        )
        .await?;
        Ok(writer.commit().await?)
    }

    fn read_info(&self, input: &CompanyInfoInput) -> Result<Info, Failure> {
        let new_agent_mail = NewAgentMail::from_word(&input.new_agent_mail).ok_or(Refusal::Malformed)?;
        let offered = [
            (
                FormField::Language,
                self.inner.settings.languages.contains(&input.language),
            ),
            (
                FormField::TimeZone,
                input.time_zone.parse::<chrono_tz::Tz>().is_ok(),
            ),
        ];
        let fields: Vec<_> = offered
            .into_iter()
            .filter(|(_, offered)| !offered)
            .map(|(field, _)| FormFieldProblem {
                field,
                problem: FormProblem::NotOffered,
            })
            .collect();
        if !fields.is_empty() {
            return Err(FormRefusal::Invalid { fields }.into());
        }
        Ok(Info {
            language: input.language.clone(),
            time_zone: input.time_zone.clone(),
            new_agent_mail,
        })
    }

    /// Saves the policies if the company's version is still `version`, and tells all admins.
    ///
    /// # Errors
    /// As [`Service::console`]; `Invalid`; `ChangedMeanwhile`.
    pub async fn save_policies(
        &self,
        version: i64,
        input: PolicyInput,
        visitor: &Visitor,
    ) -> Result<(), Refusal> {
        again(|| self.set_policies(version, &input, visitor))
            .await
            .map_err(|failure| visitor.explain(&failure))
    }

    async fn set_policies(
        &self,
        version: i64,
        input: &PolicyInput,
        visitor: &Visitor,
    ) -> Result<(), Failure> {
        self.allowed(Action::ChangePolicies, visitor).await?;
        let policies = Policies::read(input)?;
        let (mut writer, own) = self.act(Action::ChangePolicies, Hold::Company, visitor).await?;
        let settings = CompanySettings {
            two_factor: policies.two_factor,
            require_second_factor: policies.require_second_factor,
            password_min: policies.password_min,
            idle_minutes: policies.idle_minutes,
            ..settings_of(&own.company)
        };
        let changed = self
            .put_settings(
                &mut writer,
                &own,
                version,
                &settings,
                Event::PolicyChanged,
                visitor,
            )
            .await?;
        if changed {
            self.tell_admins(&mut writer, &own, visitor).await?;
        }
        writer.commit().await?;
        if changed {
            self.inner.outbox_filled.notify_one();
        }
        Ok(())
    }

    /// Tells all admins that the company's policies were changed.
    pub(super) async fn tell_admins(
        &self,
        writer: &mut Writer,
        own: &SignedIn,
        visitor: &Visitor,
    ) -> Result<(), StoreError> {
        for admin in writer.active_admins(own.company.id).await? {
            let receiver = Receiver {
                company: &own.company,
                account: &admin,
            };
            let mail = Mail::PoliciesChanged {
                about: receiver.about(visitor),
                by: own.account.alias.clone(),
            };
            self.tell(writer, receiver, mail).await?;
        }
        Ok(())
    }

    /// Saves settings behind the company's lock, if its version is still `version`; says whether anything changed.
    async fn put_settings(
        &self,
        writer: &mut Writer,
        own: &SignedIn,
        version: i64,
        settings: &CompanySettings,
        event: Event,
        visitor: &Visitor,
    ) -> Result<bool, Failure> {
        let company = &own.company;
        if company.version != version {
            return Err(FormRefusal::ChangedMeanwhile.into());
        }
        let detail = changes(&settings_of(company), settings);
        if detail.is_empty() {
            return Ok(false);
        }
        if !writer
            .set_company(company.id, version, settings, self.now())
            .await?
        {
            return Err(FormRefusal::ChangedMeanwhile.into());
        }
        let entry = AuditEntry {
            detail: Some(detail),
            ..own.by(visitor).entry(event, company.id, None)
        };
        self.record(writer, &entry).await?;
        Ok(true)
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
