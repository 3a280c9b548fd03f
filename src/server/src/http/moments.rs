//! Moments as people read them: in the language of the page, in the company's time zone and in the account's time format
//! (product.md section 2).

use chrono::SecondsFormat;
use vestibule_app::page::When;
use vestibule_core::{account::Account, company::Company, ports::Moment};
use vestibule_translations::{Locale, Times, td_string};

/// Writes moments for one account.
#[derive(Clone, Copy, Debug)]
pub struct Moments {
    locale: Locale,
    times: Times,
}

impl Moments {
    /// For the pages of this account, in the language of the page.
    pub fn of(locale: Locale, company: &Company, account: &Account) -> Self {
        Self {
            locale,
            times: Times::new(&company.settings.time_zone, account.person.time_format),
        }
    }

    /// The day of a moment in the company's zone, `2026-01-05`.
    pub fn day(self, moment: Moment) -> String {
        self.times.day(moment)
    }

    /// For people and for programs.
    pub fn write(self, moment: Moment) -> When {
        When {
            datetime: moment.to_rfc3339_opts(SecondsFormat::Secs, true),
            shown: self.times.say(self.locale, moment),
        }
    }

    /// The same, for what is less than a day away: the time of day alone.
    pub fn write_time(self, moment: Moment) -> When {
        When {
            shown: self.times.time_of_day(self.locale, moment),
            ..self.write(moment)
        }
    }

    /// Says in which time zone they all are.
    pub fn zone(self) -> String {
        td_string!(self.locale, common.times_in_zone, zone = self.times.zone_name())
    }
}

#[cfg(test)]
mod tests {
    use vestibule_core::account::TimeFormat;

    use super::*;

    #[test]
    fn programs_get_utc() {
        let moments = Moments {
            locale: Locale::de,
            times: Times::new("Asia/Tokyo", TimeFormat::Hours24),
        };
        let when = moments.write("2026-01-05T20:30:59.123Z".parse().unwrap());
        assert_eq!(when.datetime, "2026-01-05T20:30:59Z");
        assert_eq!(when.shown, "06.01.2026, 05:30");
        assert!(moments.zone().contains("Asia/Tokyo"));
    }
}
