//! Days of a company: they begin when its time zone says so.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use vestibule_core::{company::Company, ports::Moment};

/// A skipped midnight is looked for in steps of so many minutes.
const STEP_MINUTES: i64 = 15;
/// So many steps reach over a day that a time zone has skipped as a whole.
const STEPS: i64 = 25 * 60 / STEP_MINUTES;
/// 9999-12-30: what the database can compare.
const LAST_SECOND: i64 = 253_402_128_000;

/// The company's time zone; one that is not known any more is UTC.
pub(super) fn zone_of(company: &Company) -> Tz {
    company.settings.time_zone.parse().unwrap_or(Tz::UTC)
}

/// The first moment of a day. Where the clocks skip midnight it is the first one that they show.
pub(super) fn start_of_day(zone: Tz, day: NaiveDate) -> Moment {
    let midnight = day.and_time(NaiveTime::MIN);
    let start = (0..=STEPS)
        .filter_map(|step| midnight.checked_add_signed(TimeDelta::minutes(step * STEP_MINUTES)))
        .find_map(|shown| zone.from_local_datetime(&shown).earliest())
        .map_or_else(|| midnight.and_utc(), |start| start.with_timezone(&Utc));
    let last = DateTime::from_timestamp(LAST_SECOND, 0).unwrap_or(start);
    start.clamp(DateTime::UNIX_EPOCH, last)
}

/// The first moment of the day after this one.
pub(super) fn end_of_day(zone: Tz, day: NaiveDate) -> Moment {
    start_of_day(zone, day.succ_opt().unwrap_or(day))
}

/// A day as `2026-01-31`; anything else is none.
pub(super) fn read_day(text: &str) -> Option<NaiveDate> {
    let bytes = text.as_bytes();
    let has_form = bytes.len() == 10
        && bytes.iter().enumerate().all(|(place, byte)| match place {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    has_form
        .then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(zone: Tz, day: &str) -> String {
        start_of_day(zone, read_day(day).unwrap()).to_rfc3339()
    }

    #[test]
    fn a_day_begins_with_the_first_moment_that_its_clocks_show() {
        assert_eq!(
            start(Tz::Europe__Berlin, "2026-01-05"),
            "2026-01-04T23:00:00+00:00"
        );
        assert_eq!(
            start(Tz::Europe__Berlin, "2026-03-30"),
            "2026-03-29T22:00:00+00:00"
        );
        // Midnight is skipped, happens twice, or the whole day is missing.
        assert_eq!(
            start(Tz::America__Santiago, "2025-09-07"),
            "2025-09-07T04:00:00+00:00"
        );
        assert_eq!(
            start(Tz::America__Havana, "2025-11-02"),
            "2025-11-02T04:00:00+00:00"
        );
        assert_eq!(
            start(Tz::Pacific__Apia, "2011-12-30"),
            start(Tz::Pacific__Apia, "2011-12-31")
        );
        assert_eq!(start(Tz::UTC, "0000-01-01"), "1970-01-01T00:00:00+00:00");
        assert_eq!(start(Tz::UTC, "9999-12-31"), "9999-12-30T00:00:00+00:00");
    }

    #[test]
    fn only_whole_dates_are_days() {
        assert!(read_day("2024-02-29").is_some());
        for odd in [
            "",
            "2026-02-29",
            "2026-1-5",
            "+2026-01-5",
            " 2026-01-0",
            "2026/01/05",
            "2026-01-05 ",
        ] {
            assert_eq!(read_day(odd), None, "{odd}");
        }
    }
}
