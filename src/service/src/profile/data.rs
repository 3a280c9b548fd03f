//! Basic information, language and time format.

use vestibule_core::{
    audit::{Actor, AuditEntry, Event},
    refusal::Refusal,
    session::is_proved,
    signed_in::{FormField, FormFieldProblem, FormRefusal, person_problem},
};
use vestibule_storage::{NewProfile, again};

use super::{ProfileInput, ProfilePage};
use crate::{
    Failure, Service, Visitor,
    sessions::{Need, SignedIn},
};

impl Service {
    /// What the profile page shows.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`]; `SetUpRequired`.
    pub async fn profile(&self, visitor: &Visitor) -> Result<ProfilePage, Refusal> {
        let SignedIn {
            company,
            account,
            proof,
            proved_at,
            ..
        } = self.signed_in(visitor).await?;
        let proved_lately = is_proved(self.now(), proof, proved_at, &account);
        Ok(ProfilePage {
            // The old password, typed into the form, is proof enough where there is no second factor.
            proved: !account.has_second_factor() || proved_lately,
            proved_lately,
            company,
            account,
        })
    }

    /// Saves the own data.
    ///
    /// # Errors
    /// [`FormRefusal::Invalid`] with everything that is wrong; [`Refusal::Malformed`] for a language or a time
    /// format that is not offered.
    pub async fn save_profile(&self, input: ProfileInput, visitor: &Visitor) -> Result<(), Refusal> {
        self.store_profile(input, visitor)
            .await
            .map_err(|failure| visitor.explain(&failure))
    }

    async fn store_profile(&self, input: ProfileInput, visitor: &Visitor) -> Result<(), Failure> {
        let typed = [
            (FormField::FirstName, &input.first_name),
            (FormField::LastName, &input.last_name),
            (FormField::Alias, &input.alias),
            (FormField::Phone, &input.phone),
            (FormField::Title, &input.title),
        ];
        let fields: Vec<_> = typed
            .into_iter()
            .filter_map(|(field, typed)| {
                person_problem(field, typed).map(|problem| FormFieldProblem { field, problem })
            })
            .collect();
        let language = Some(input.language).filter(|language| !language.is_empty());
        let offered = |language: &String| self.inner.settings.languages.contains(language);
        let time_format = input.time_format.ok_or(Refusal::Malformed)?;
        if language.as_ref().is_some_and(|language| !offered(language)) {
            return Err(Refusal::Malformed.into());
        }
        let [first_name, last_name, alias, phone, title] = [
            input.first_name,
            input.last_name,
            input.alias,
            input.phone,
            input.title,
        ]
        .map(|typed| typed.trim().to_owned());
        let alias = if alias.is_empty() {
            format!("{first_name} {last_name}").trim().to_owned()
        } else {
            alias
        };
        let profile = NewProfile {
            first_name,
            last_name,
            alias,
            phone,
            title,
            time_format,
            language,
        };
        again(|| self.put_profile(&fields, &profile, visitor)).await
    }

    async fn put_profile(
        &self,
        problems: &[FormFieldProblem],
        profile: &NewProfile,
        visitor: &Visitor,
    ) -> Result<(), Failure> {
        let mut writer = self.inner.store.write().await?;
        let SignedIn { company, account, .. } = self.enter(&mut writer, Need::Home, visitor).await?;
        if !problems.is_empty() {
            return Err(FormRefusal::Invalid {
                fields: problems.to_vec(),
            }
            .into());
        }
        writer
            .set_profile(company.id, account.id, profile, self.now())
            .await?;
        let entry = AuditEntry {
            actor: Actor::Account(account.id),
            ..visitor.entry(Event::ProfileChanged, Some(company.id), Some(account.id))
        };
        self.record(&mut writer, &entry).await?;
        Ok(writer.commit().await?)
    }
}
