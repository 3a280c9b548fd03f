//! Waiting times in words.

use crate::{Locale, td_string};

/// What a wait is counted in.
#[derive(Clone, Copy)]
enum Unit {
    Second,
    Minute,
    Hour,
}

/// A waiting time in words, such as `42 seconds`, `1 minute 30 seconds` or `15 minutes`. Above two minutes, and above two
/// hours, nobody counts the smaller unit: it is rounded up, so that nobody comes back too early.
pub fn wait(locale: Locale, seconds: u32) -> String {
    if seconds <= 120 {
        return together(locale, (seconds / 60, Unit::Minute), (seconds % 60, Unit::Second));
    }
    let minutes = seconds.div_ceil(60);
    if minutes <= 120 {
        return together(locale, (minutes / 60, Unit::Hour), (minutes % 60, Unit::Minute));
    }
    in_words(locale, minutes.div_ceil(60), Unit::Hour)
}

/// Two units, of which one that is zero is not said.
fn together(locale: Locale, longer: (u32, Unit), shorter: (u32, Unit)) -> String {
    let say = |(count, unit)| in_words(locale, count, unit);
    match (longer.0, shorter.0) {
        (0, _) => say(shorter),
        (_, 0) => say(longer),
        _ => td_string!(
            locale,
            time.two_units,
            longer = say(longer),
            shorter = say(shorter)
        ),
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn in_words(locale: Locale, count: u32, unit: Unit) -> String {
    match unit {
        Unit::Second => td_string!(locale, time.seconds, count = count),
        Unit::Minute => td_string!(locale, time.minutes, count = count),
        Unit::Hour => td_string!(locale, time.hours, count = count),
    }
}

/// The browser has the units of every language, in the words that `time.json` has too.
#[cfg(target_arch = "wasm32")]
fn in_words(locale: Locale, count: u32, unit: Unit) -> String {
    use js_sys::{Array, Intl::NumberFormat, JSON, wasm_bindgen::JsCast, wasm_bindgen::JsValue};

    macro_rules! options {
        ($unit:literal) => {
            concat!(
                r#"{"style":"unit","unitDisplay":"long","numberingSystem":"latn","unit":""#,
                $unit,
                r#""}"#
            )
        };
    }
    let options = match unit {
        Unit::Second => options!("second"),
        Unit::Minute => options!("minute"),
        Unit::Hour => options!("hour"),
    };
    let said = || {
        let options = JSON::parse(options).ok()?;
        let languages = Array::of1(&crate::tag(locale).into());
        let format = NumberFormat::new(&languages, options.unchecked_ref()).format();
        format.call1(&JsValue::UNDEFINED, &count.into()).ok()?.as_string()
    };
    said().unwrap_or_else(|| count.to_string())
}

#[cfg(test)]
mod tests {
    use super::wait;
    use crate::Locale;

    #[test]
    fn waits_read_as_people_say_them() {
        for (seconds, text) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (42, "42 seconds"),
            (60, "1 minute"),
            (61, "1 minute 1 second"),
            (90, "1 minute 30 seconds"),
            (120, "2 minutes"),
            (121, "3 minutes"),
            (725, "13 minutes"),
            (900, "15 minutes"),
            (3540, "59 minutes"),
            (3541, "1 hour"),
            (3600, "1 hour"),
            (3725, "1 hour 3 minutes"),
            (7200, "2 hours"),
            (7201, "3 hours"),
            (86_400, "24 hours"),
            (u32::MAX, "1193047 hours"),
        ] {
            assert_eq!(wait(Locale::en, seconds), text);
        }
    }

    /// Word for word what `Intl.NumberFormat` says with the style `unit`: the browser counts down in its words.
    #[test]
    fn the_server_and_the_browser_say_the_same() {
        for (seconds, german, arabic) in [
            (1, "1 Sekunde", "ثانية"),
            (2, "2 Sekunden", "ثانيتان"),
            (3, "3 Sekunden", "3 ثوان"),
            (11, "11 Sekunden", "11 ثانية"),
            (42, "42 Sekunden", "42 ثانية"),
            (60, "1 Minute", "دقيقة"),
            (90, "1 Minute und 30 Sekunden", "دقيقة و30 ثانية"),
            (120, "2 Minuten", "دقيقتان"),
            (180, "3 Minuten", "3 دقائق"),
            (11 * 60, "11 Minuten", "11 دقيقة"),
            (3600, "1 Stunde", "ساعة"),
            (2 * 3600, "2 Stunden", "ساعتان"),
            (3 * 3600, "3 Stunden", "3 ساعات"),
            (11 * 3600, "11 Stunden", "11 ساعة"),
            (100 * 3600, "100 Stunden", "100 ساعة"),
        ] {
            assert_eq!(wait(Locale::de, seconds), german);
            assert_eq!(wait(Locale::ar, seconds), arabic);
        }
    }
}
