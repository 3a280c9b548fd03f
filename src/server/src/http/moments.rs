//! Moments as people read them: in the company's time zone and in the account's time format (product.md section 2).

use chrono::{SecondsFormat, Utc};
use chrono_tz::Tz;
use vestibule_app::page::When;
use vestibule_core::{
    account::{Account, TimeFormat},
    company::Company,
    ports::Moment,
};

/// Writes moments for one account.
#[derive(Clone, Copy, Debug)]
pub struct Moments {
    /// `None` = the name of the zone is not known: UTC, and the text says so.
    zone: Option<Tz>,
    format: TimeFormat,
}

impl Moments {
    /// For the pages of this account.
    pub fn of(company: &Company, account: &Account) -> Self {
        Self {
            zone: company.settings.time_zone.parse().ok(),
            format: account.person.time_format,
        }
    }

    /// The day of a moment, `2026-01-05`.
    pub fn day(self, moment: Moment) -> String {
        let zone = self.zone.unwrap_or(Tz::UTC);
        moment.with_timezone(&zone).date_naive().to_string()
    }

    /// `2026-01-05 21:30` or `2026-01-05 9:30 PM`.
    pub fn write(self, moment: Moment) -> When {
        let format = match self.format {
            TimeFormat::Hours24 => "%Y-%m-%d %H:%M",
            TimeFormat::Hours12 => "%Y-%m-%d %-I:%M %p",
        };
        let shown = match self.zone {
            Some(zone) => moment.with_timezone(&zone).format(format).to_string(),
            None => format!("{} UTC", moment.with_timezone(&Utc).format(format)),
        };
        When {
            datetime: moment.to_rfc3339_opts(SecondsFormat::Secs, true),
            shown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(zone: &str, format: TimeFormat, moment: &str) -> String {
        let moments = Moments {
            zone: zone.parse().ok(),
            format,
        };
        moments.write(moment.parse().unwrap()).shown
    }

    #[test]
    fn a_moment_is_shown_in_the_zone_of_the_company_and_the_format_of_the_account() {
        let evening = "2026-01-05T20:30:59Z";
        assert_eq!(
            shown("Europe/Berlin", TimeFormat::Hours24, evening),
            "2026-01-05 21:30"
        );
        assert_eq!(
            shown("Europe/Berlin", TimeFormat::Hours12, evening),
            "2026-01-05 9:30 PM"
        );
        assert_eq!(
            shown("Asia/Tokyo", TimeFormat::Hours12, "2026-01-05T15:05:00Z"),
            "2026-01-06 12:05 AM"
        );
        assert_eq!(
            shown("Europe/Berlin", TimeFormat::Hours24, "2026-07-05T20:30:00Z"),
            "2026-07-05 22:30",
            "summer time"
        );
        assert_eq!(
            shown("Nowhere/Land", TimeFormat::Hours24, evening),
            "2026-01-05 20:30 UTC"
        );
    }

    #[test]
    fn programs_get_utc() {
        let moments = Moments {
            zone: "Asia/Tokyo".parse().ok(),
            format: TimeFormat::Hours12,
        };
        let when = moments.write("2026-01-05T20:30:59.123Z".parse().unwrap());
        assert_eq!(when.datetime, "2026-01-05T20:30:59Z");
    }
}
