//! Basic information, language and time format.

use vestibule_core::{audit::Event, refusal::Refusal, session::is_proved};

use super::{PersonInput, ProfilePage};
use crate::{
    Profile, Visitor,
    sessions::{Need, SignedIn},
};

impl Profile {
    /// What the profile page shows.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`]; `SetUpRequired`.
    pub async fn page(&self, visitor: &Visitor) -> Result<ProfilePage, Refusal> {
        let SignedIn {
            company,
            account,
            proof,
            proved_at,
            ..
        } = self.sign_in().signed_in(visitor).await?;
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
    /// [`Refusal::Invalid`] with everything that is wrong; [`Refusal::Malformed`] for a time format that there is not.
    pub async fn save_profile(&self, input: PersonInput, visitor: &Visitor) -> Result<(), Refusal> {
        visitor
            .transact(async || {
                input.time_format.ok_or(Refusal::Malformed)?;
                let (mut work, SignedIn { company, account, .. }) = self.enter(Need::Home, visitor).await?;
                let mut fields = Vec::new();
                let Some(person) = self.check_person(&input, &account.name, &mut fields) else {
                    return Err(Refusal::Invalid { fields }.into());
                };
                work.set_profile(company.id, account.id, &person, self.now())
                    .await?;
                let entry = work.entry(Event::ProfileChanged, company.id, Some(account.id));
                self.record(&mut work, &entry).await?;
                Ok(work.commit().await?)
            })
            .await
    }
}
