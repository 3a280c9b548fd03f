//! The numbers of a company.

use chrono::{Days, TimeDelta};
use vestibule_core::{audit::Event, refusal::Refusal, rights::Action};

use super::{
    DayOfSignIns, FAILED_SIGN_INS, Overview,
    days::{end_of_day, start_of_day, zone_of},
};
use crate::{Console, Failure, Service, Visitor, sessions::SignedIn};

/// Days that are shown, today among them.
const DAYS: u64 = 14;

impl Console {
    /// Who is signed in, locked, waiting for a code; second factors; sign-ins of the last 14 days.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`].
    pub async fn overview(&self, visitor: &Visitor) -> Result<Overview, Refusal> {
        visitor.attempt(self.count_company(visitor)).await
    }
}

impl Service {
    async fn count_company(&self, visitor: &Visitor) -> Result<Overview, Failure> {
        let SignedIn { company, account, .. } = self.allowed(Action::SeeOverview, visitor).await?;
        let now = self.now();
        let idle_since = company
            .settings
            .idle_minutes
            .map(|minutes| now - TimeDelta::minutes(i64::from(minutes)));
        let mut reader = self.inner.store.read().await?;
        let agents = reader.count_agents(company.id).await?;
        let signed_in = reader.count_signed_in(company.id, idle_since, now).await?;
        let waiting = reader.count_pending(company.id, now).await?;
        let mail = reader.outbox_counts(company.id, now - TimeDelta::days(1)).await?;
        let zone = zone_of(&company);
        let today = now.with_timezone(&zone).date_naive();
        let mut days = Vec::new();
        for day in (0..DAYS)
            .rev()
            .filter_map(|back| today.checked_sub_days(Days::new(back)))
        {
            let (from, until) = (start_of_day(zone, day), end_of_day(zone, day));
            let signed_in = reader
                .count_events(company.id, &[Event::SignedIn], from, until)
                .await?;
            let failed = reader
                .count_events(company.id, &FAILED_SIGN_INS, from, until)
                .await?;
            days.push(DayOfSignIns {
                day,
                signed_in,
                failed,
            });
        }
        Ok(Overview {
            company,
            own: account,
            agents,
            signed_in,
            waiting,
            mail,
            days,
        })
    }
}
