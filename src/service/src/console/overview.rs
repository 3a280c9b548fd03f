//! The numbers of a company.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Timelike};
use chrono_tz::Tz;
use vestibule_core::{
    agents::{AgentFilter, AgentSort, AgentState},
    audit::Event,
    company::Company,
    ports::Moment,
    refusal::Refusal,
    rights::Action,
};
use vestibule_storage::{PageFrom, Reader, StoreError};

use super::{
    FAILED_SIGN_INS, Overview, Period, PeriodInput, SpanOfSignIns,
    days::{end_of_day, read_day, start_of_day, zone_of},
};
use crate::{Console, Failure, Service, Visitor, sessions::SignedIn};

/// Days that are shown when nobody asks for others, today among them.
const DAYS: u64 = 14;
/// Most days that are shown.
const DAYS_MAX: u64 = 92;
/// Up to so many days are shown by the hour.
const DAYS_BY_HOUR: i64 = 2;
/// Sign-ins whose second factor is looked at, the newest ones.
const PROOFS_OF: i64 = 10_000;
/// Accounts that are listed of those that are locked, or wait for a code.
const LISTED: usize = 5;

impl Console {
    /// Who is signed in, locked, waiting for a code; second factors; sign-ins of a period, and why others failed.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`].
    pub async fn overview(&self, input: &PeriodInput, visitor: &Visitor) -> Result<Overview, Refusal> {
        visitor.attempt(self.count_company(input, visitor)).await
    }
}

/// The period that was asked for. Nonsense is the usual one; one that is too long ends at its last day.
fn period_of(input: &PeriodInput, today: NaiveDate) -> Period {
    let until = read_day(&input.until).unwrap_or(today).min(today);
    let usual = until.checked_sub_days(Days::new(DAYS - 1)).unwrap_or(until);
    let earliest = until.checked_sub_days(Days::new(DAYS_MAX - 1)).unwrap_or(until);
    let from = read_day(&input.from)
        .filter(|from| *from <= until)
        .unwrap_or(usual)
        .max(earliest);
    Period {
        from,
        until,
        by_hour: (until - from).num_days() < DAYS_BY_HOUR,
        is_usual: until == today && from == usual,
    }
}

/// The days of a period, or its hours, and where each begins and ends.
fn spans_of(period: &Period, zone: Tz) -> Vec<(NaiveDate, Option<u32>, Moment, Moment)> {
    let mut spans = Vec::new();
    for day in period.from.iter_days().take_while(|day| *day <= period.until) {
        let (start, end) = (start_of_day(zone, day), end_of_day(zone, day));
        if !period.by_hour {
            spans.push((day, None, start, end));
            continue;
        }
        let mut hour = start;
        while hour < end {
            let next = (hour + TimeDelta::hours(1)).min(end);
            let shown: DateTime<Tz> = hour.with_timezone(&zone);
            spans.push((day, Some(shown.hour()), hour, next));
            hour = next;
        }
    }
    spans
}

impl Service {
    /// Since when a session must have been used to be alive; `None` = there is no such limit.
    pub(super) fn idle_since(&self, company: &Company) -> Option<Moment> {
        let minutes = company.settings.idle_minutes?;
        Some(self.now() - TimeDelta::minutes(i64::from(minutes)))
    }

    async fn count_company(&self, input: &PeriodInput, visitor: &Visitor) -> Result<Overview, Failure> {
        let SignedIn { company, account, .. } = self.allowed(Action::SeeOverview, visitor).await?;
        let now = self.now();
        let zone = zone_of(&company);
        let period = period_of(input, now.with_timezone(&zone).date_naive());
        let mut reader = self.inner.store.read().await?;
        let agents = reader.count_agents(company.id).await?;
        let signed_in = reader
            .count_signed_in(company.id, self.idle_since(&company), now)
            .await?;
        let waiting = reader.count_pending(company.id, now).await?;
        let waiting_for_code = reader.waiting_for_code(company.id, now, LISTED).await?;
        let mail = reader.outbox_counts(company.id, now - TimeDelta::days(1)).await?;
        let locked = AgentFilter {
            state: Some(AgentState::Locked),
            sort: AgentSort::LastSignIn,
            descending: true,
            ..AgentFilter::default()
        };
        let locked = reader
            .agent_page(company.id, &locked, PageFrom::Start, LISTED)
            .await?
            .accounts;
        let (from, until) = (start_of_day(zone, period.from), end_of_day(zone, period.until));
        let spans = count_spans(&mut reader, &company, spans_of(&period, zone)).await?;
        let causes = causes(&mut reader, &company, from, until).await?;
        let proofs = reader.proofs_of(company.id, from, until, PROOFS_OF).await?;
        let identities = reader.count_identities(company.id).await?;
        Ok(Overview {
            company,
            own: account,
            agents,
            signed_in,
            waiting,
            waiting_for_code,
            locked,
            mail,
            period,
            spans,
            causes,
            proofs,
            identities,
        })
    }
}

async fn count_spans(
    reader: &mut Reader,
    company: &Company,
    spans: Vec<(NaiveDate, Option<u32>, Moment, Moment)>,
) -> Result<Vec<SpanOfSignIns>, StoreError> {
    let kinds = 1 + FAILED_SIGN_INS.len();
    let asked: Vec<(Event, Moment, Moment)> = spans
        .iter()
        .flat_map(|&(_, _, from, until)| {
            [Event::SignedIn]
                .into_iter()
                .chain(FAILED_SIGN_INS)
                .map(move |event| (event, from, until))
        })
        .collect();
    let counts = reader.counts_of_events(company.id, &asked).await?;
    let counted = spans.into_iter().zip(counts.chunks(kinds));
    Ok(counted
        .map(|((day, hour, ..), counts)| SpanOfSignIns {
            day,
            hour,
            signed_in: counts.first().copied().unwrap_or_default(),
            failed: counts.iter().skip(1).sum(),
        })
        .collect())
}

/// Why sign-ins failed, and how many did; locks besides.
async fn causes(
    reader: &mut Reader,
    company: &Company,
    from: Moment,
    until: Moment,
) -> Result<Vec<(Event, i64)>, StoreError> {
    let events = FAILED_SIGN_INS
        .into_iter()
        .chain([Event::SsoRefused, Event::AccountLocked]);
    let asked: Vec<_> = events.map(|event| (event, from, until)).collect();
    let counts = reader.counts_of_events(company.id, &asked).await?;
    Ok(asked.into_iter().map(|(event, ..)| event).zip(counts).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(from: &str, until: &str) -> Period {
        let input = PeriodInput {
            from: from.to_owned(),
            until: until.to_owned(),
        };
        period_of(&input, "2026-03-29".parse().unwrap())
    }

    #[test]
    fn a_period_is_what_was_asked_for_and_nonsense_is_two_weeks() {
        let usual = period("", "");
        assert_eq!(usual.from.to_string(), "2026-03-16");
        assert!(usual.is_usual && !usual.by_hour);
        for (from, until) in [("rubbish", "2099-01-01"), ("2026-03-30", "")] {
            assert_eq!(period(from, until), usual, "{from} {until}");
        }
        let days = period("2026-03-28", "2026-03-29");
        assert!(days.by_hour && !days.is_usual);
        let long = period("1999-01-01", "2026-03-01");
        assert_eq!((long.until - long.from).num_days(), 91);
    }

    #[test]
    fn a_day_has_the_hours_that_its_clocks_show() {
        let hours = |day: &str| {
            let spans = spans_of(&period(day, day), Tz::Europe__Berlin);
            spans
                .iter()
                .map(|(_, hour, ..)| hour.unwrap())
                .collect::<Vec<_>>()
        };
        assert_eq!(hours("2026-03-28"), (0..24).collect::<Vec<_>>());
        let short = hours("2026-03-29");
        assert_eq!((short.len(), short[1], short[2]), (23, 1, 3));
        let spans = spans_of(&period("2026-03-01", "2026-03-29"), Tz::Europe__Berlin);
        assert_eq!(spans.len(), 29);
        for pair in spans.windows(2) {
            assert_eq!(pair[0].3, pair[1].2, "one ends where the next begins");
        }
    }
}
