//! Facts about when and where, in words of a language: moments (Unicode CLDR) and browsers.

use chrono::{Datelike, FixedOffset, NaiveDateTime, Offset, Timelike};
use chrono_tz::Tz;
use icu_calendar::Gregorian;
use icu_datetime::{
    FixedCalendarDateTimeFormatter, NoCalendarFormatter,
    fieldsets::{T, YMD, zone::LocalizedOffsetShort},
    input::{Date, DateTime, Time, UtcOffset, ZonedDateTime},
};
use vestibule_core::{account::TimeFormat, browser::Browser, ports::Moment};

use crate::{Locale, tag, td_string};

/// How somebody reads moments: in the zone of the company, by a clock of 12 or 24 hours (product.md section 2).
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// `None` = the name of the zone is not known: UTC, and the text says so.
    zone: Option<Tz>,
    format: TimeFormat,
}

impl Times {
    /// In the zone of this name.
    pub fn new(zone: &str, format: TimeFormat) -> Self {
        Self {
            zone: zone.parse().ok(),
            format,
        }
    }

    /// `Jan 5, 2026, 9:30 PM` or `05.01.2026, 21:30`.
    pub fn say(self, locale: Locale, at: Moment) -> String {
        if self.zone.is_none() {
            return self.say_with_zone(locale, at);
        }
        let (local, _) = self.local(at);
        self.words(locale, local).unwrap_or_else(|| plain(local))
    }

    /// The same with the distance to UTC: `05.01.2026, 21:30 GMT+1`.
    pub fn say_with_zone(self, locale: Locale, at: Moment) -> String {
        let (local, offset) = self.local(at);
        let words = self.words_with_zone(locale, local, offset);
        words.unwrap_or_else(|| [&plain(local), " ", &offset.to_string()].concat())
    }

    /// The time of day alone, for what is less than a day away: `9:30 PM` or `21:30`.
    pub fn time_of_day(self, locale: Locale, at: Moment) -> String {
        if self.zone.is_none() {
            return self.say_with_zone(locale, at);
        }
        let (local, _) = self.local(at);
        self.time_in_words(locale, local).unwrap_or_else(|| plain(local))
    }

    /// The day of a moment, `2026-01-05`.
    pub fn day(self, at: Moment) -> String {
        self.local(at).0.date().to_string()
    }

    /// The name of the zone.
    pub fn zone_name(self) -> &'static str {
        self.zone.map_or("UTC", Tz::name)
    }

    fn local(self, at: Moment) -> (NaiveDateTime, FixedOffset) {
        let local = at.with_timezone(&self.zone.unwrap_or(Tz::UTC));
        (local.naive_local(), local.offset().fix())
    }

    fn words(self, locale: Locale, local: NaiveDateTime) -> Option<String> {
        let fields = YMD::medium().with_time_hm();
        let words =
            FixedCalendarDateTimeFormatter::<Gregorian, _>::try_new(self.language(locale)?.into(), fields);
        let (date, time) = day_and_time(local)?;
        Some(words.ok()?.format(&DateTime { date, time }).to_string())
    }

    fn time_in_words(self, locale: Locale, local: NaiveDateTime) -> Option<String> {
        let words = NoCalendarFormatter::try_new(self.language(locale)?.into(), T::hm());
        let (_, time) = day_and_time(local)?;
        Some(words.ok()?.format(&time).to_string())
    }

    fn words_with_zone(self, locale: Locale, local: NaiveDateTime, offset: FixedOffset) -> Option<String> {
        let fields = YMD::medium().with_time_hm().with_zone(LocalizedOffsetShort);
        let words =
            FixedCalendarDateTimeFormatter::<Gregorian, _>::try_new(self.language(locale)?.into(), fields);
        let (date, time) = day_and_time(local)?;
        let zone = UtcOffset::try_from_seconds(offset.local_minus_utc()).ok()?;
        Some(
            words
                .ok()?
                .format(&ZonedDateTime { date, time, zone })
                .to_string(),
        )
    }

    /// The language with the account's clock and the digits of every keyboard.
    fn language(self, locale: Locale) -> Option<icu_locale::Locale> {
        let cycle = match self.format {
            TimeFormat::Hours12 => "h12",
            TimeFormat::Hours24 => "h23",
        };
        [tag(locale), "-u-hc-", cycle, "-nu-latn"].concat().parse().ok()
    }
}

fn day_and_time(local: NaiveDateTime) -> Option<(Date<Gregorian>, Time)> {
    let small = |number: u32| u8::try_from(number).ok();
    let date = Date::try_new_gregorian(local.year(), small(local.month())?, small(local.day())?);
    let time = Time::try_new(small(local.hour())?, small(local.minute())?, 0, 0);
    Some((date.ok()?, time.ok()?))
}

/// Where the library has no words.
fn plain(local: NaiveDateTime) -> String {
    local.format("%Y-%m-%d %H:%M").to_string()
}

/// What a browser is called that was stored as [`Browser::stored`]: `Firefox on Linux`.
pub fn browser_name(locale: Locale, stored: &str) -> String {
    let Browser { name, system } = Browser::read(stored);
    match system {
        Some(system) => td_string!(locale, common.browser_on, browser = name, system = system),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::all;

    const EVENING: &str = "2026-01-05T20:30:59Z";

    fn at(moment: &str) -> Moment {
        moment.parse().unwrap()
    }

    #[test]
    fn a_time_of_day_has_no_date() {
        let said = |locale, format| Times::new("Europe/Berlin", format).time_of_day(locale, at(EVENING));
        assert_eq!(said(Locale::en, TimeFormat::Hours12), "9:30\u{202f}PM");
        assert_eq!(said(Locale::de, TimeFormat::Hours24), "21:30");
    }

    #[test]
    fn a_moment_is_said_in_the_zone_of_the_company_and_the_format_of_the_account() {
        let said = |zone, format, moment| Times::new(zone, format).say(Locale::en, at(moment));
        let (half, whole) = (TimeFormat::Hours12, TimeFormat::Hours24);
        assert_eq!(said("Europe/Berlin", whole, EVENING), "Jan 5, 2026, 21:30");
        assert_eq!(
            said("Europe/Berlin", half, EVENING),
            "Jan 5, 2026, 9:30\u{202f}PM"
        );
        assert_eq!(
            said("Asia/Tokyo", half, "2026-01-05T15:05:00Z"),
            "Jan 6, 2026, 12:05\u{202f}AM"
        );
        assert_eq!(
            said("Europe/Berlin", whole, "2026-07-05T20:30:00Z"),
            "Jul 5, 2026, 22:30",
            "summer time"
        );
    }

    #[test]
    fn a_zone_that_nobody_knows_is_utc_and_says_so() {
        let times = Times::new("Nowhere/Land", TimeFormat::Hours24);
        assert_eq!(times.say(Locale::en, at(EVENING)), "Jan 5, 2026, 20:30 GMT+0");
        assert_eq!(times.zone_name(), "UTC");
    }

    #[test]
    fn every_language_has_its_own_order() {
        let times = Times::new("Europe/Berlin", TimeFormat::Hours24);
        assert_eq!(times.say(Locale::de, at(EVENING)), "05.01.2026, 21:30");
        assert_eq!(
            times.say_with_zone(Locale::de, at(EVENING)),
            "05.01.2026, 21:30 GMT+1"
        );
        for &locale in all() {
            let said = times.say(locale, at(EVENING));
            assert!(
                said.contains("2026") && said.contains("21:30"),
                "{locale}: {said}"
            );
            assert!(
                said.chars()
                    .all(|letter| !letter.is_numeric() || letter.is_ascii()),
                "{locale}: {said}"
            );
        }
    }

    #[test]
    fn a_browser_is_told_in_the_readers_language() {
        assert_eq!(browser_name(Locale::en, "Firefox / Linux"), "Firefox on Linux");
        assert_eq!(browser_name(Locale::de, "Firefox / Linux"), "Firefox unter Linux");
        assert_eq!(
            browser_name(Locale::de, "Firefox on Linux"),
            "Firefox unter Linux"
        );
        assert_eq!(browser_name(Locale::ja, "Lynx"), "Lynx");
    }
}
