//! The chart of sign-ins as SVG, made of our own numbers and words: no library draws one without scripts or styles of its
//! own, which the policy of our pages forbids. Places are shares of the width and heights are pixels, so that it fills what
//! room there is and its letters keep their size; which of them are shown is said by the style sheet, by that room.

use std::fmt::Write;

use vestibule_app::shell::document::escape;
use vestibule_service::console::SpanOfSignIns;
use vestibule_translations::{Locale, is_rtl};

/// Height of the highest column, in pixels.
const HEIGHT: i64 = 160;
/// Space above the columns, for the highest number.
const HEAD: i64 = 24;
/// Space below them, for what they are called.
const FOOT: i64 = 26;

/// Fill of the columns of failed sign-ins: stripes with a line around, so that nobody has to tell colours apart.
const STRIPES: &str = r#"<pattern id="failed" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0V5" stroke="var(--bad)" stroke-width="4"/></pattern>"#;
/// How the columns of completed sign-ins look.
pub const GOOD_FILL: &str = r#"fill="var(--brand)" stroke="var(--brand)""#;
/// How those of failed ones do.
pub const FAILED_FILL: &str = r#"fill="url(#failed)" stroke="var(--bad)""#;

/// What one column of numbers is called beneath the chart: the day of the month, or the hour.
pub fn short_name(span: &SpanOfSignIns) -> String {
    match span.hour {
        Some(hour) => format!("{hour:02}"),
        None => span.day.format("%-d").to_string(),
    }
}

/// The most of one kind in one span.
pub fn most(spans: &[SpanOfSignIns]) -> i64 {
    let highest = spans.iter().map(|span| span.signed_in.max(span.failed)).max();
    highest.unwrap_or_default()
}

/// The chart, which is called `title` and says `text`. Time goes the way the language is read.
pub fn chart(now: Locale, spans: &[SpanOfSignIns], title: &str, text: &str) -> String {
    let most = most(spans);
    let base = HEAD + HEIGHT;
    let mut svg = format!(
        r#"<svg width="100%" height="{}" role="img" aria-labelledby="chart-title chart-text"><title id="chart-title">{}</title><desc id="chart-text">{}</desc><defs>{STRIPES}</defs><g font-size="14" fill="currentColor" text-anchor="middle">"#,
        base + FOOT,
        escape(title),
        escape(text),
    );
    let count = spans.len().max(1);
    for (place, span) in spans.iter().enumerate() {
        draw_span(&mut svg, now, span, (place, count), most);
    }
    let _ = write!(
        svg,
        r#"</g><line x1="0" x2="100%" y1="{base}.5" y2="{base}.5" stroke="currentColor"/></svg>"#
    );
    svg
}

/// Thousandths of the width, as a share that SVG reads.
fn share(thousandths: usize) -> String {
    format!("{}.{}%", thousandths / 10, thousandths % 10)
}

fn draw_span(svg: &mut String, now: Locale, span: &SpanOfSignIns, (place, count): (usize, usize), most: i64) {
    let base = HEAD + HEIGHT;
    let shown = if is_rtl(now) { count - 1 - place } else { place };
    let (left, right) = (1000 * shown / count, 1000 * (shown + 1) / count);
    let width = right - left;
    let (column, first, second) = (width * 38 / 100, left + width / 10, left + width * 52 / 100);
    let (good, failed) = if is_rtl(now) {
        (second, first)
    } else {
        (first, second)
    };
    for (x, number, fill) in [
        (good, span.signed_in, GOOD_FILL),
        (failed, span.failed, FAILED_FILL),
    ] {
        if number == 0 {
            continue;
        }
        // Every sign-in is to be seen, however many there were at another time.
        let height = (number * HEIGHT / most.max(1)).max(3);
        let top = base - height;
        // Writing to a string cannot fail.
        let _ = write!(
            svg,
            r#"<rect x="{}" y="{top}" width="{}" height="{height}" {fill}/>"#,
            share(x),
            share(column)
        );
        if number == most {
            let _ = write!(
                svg,
                r#"<text x="{}" y="{}">{number}</text>"#,
                share(x + column / 2),
                top - 6
            );
        }
    }
    let _ = write!(
        svg,
        r#"<text class="{}" x="{}" y="{}">{}</text>"#,
        seldom(place, count),
        share(left + width / 2),
        base + 18,
        short_name(span)
    );
}

/// In how little room a name is still shown: with the more names, the fewer of them.
fn seldom(place: usize, count: usize) -> &'static str {
    let rank = if place == 0 {
        3
    } else {
        place.trailing_zeros().min(3)
    };
    match (count, rank) {
        (_, 3) | (..=16, 2) => "mark",
        (17..=50, 2) | (..=16, 1) => "mark mark-4",
        (51.., 2) | (17..=50, 1) | (..=16, _) => "mark mark-2",
        (51.., 1) | (17..=50, _) => "mark mark-1",
        (51.., _) => "mark mark-0",
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    fn days(numbers: &[(i64, i64)]) -> Vec<SpanOfSignIns> {
        (1..)
            .zip(numbers)
            .map(|(day, &(signed_in, failed))| SpanOfSignIns {
                day: NaiveDate::from_ymd_opt(2026, 1, day).unwrap(),
                hour: None,
                signed_in,
                failed,
            })
            .collect()
    }

    #[test]
    fn the_chart_says_in_words_what_it_shows_and_its_letters_do_not_grow() {
        let svg = chart(
            Locale::en,
            &days(&[(0, 0), (8, 1), (3, 0)]),
            "Sign-ins <1>",
            "At most 8.",
        );
        for part in [
            r#"role="img""#,
            "Sign-ins &lt;1&gt;",
            r#"<desc id="chart-text">At most 8."#,
            r#"fill="url(#failed)""#,
        ] {
            assert!(svg.contains(part), "{part}: {svg}");
        }
        assert!(!svg.contains("viewBox"), "{svg}");
        assert_eq!(svg.matches("<rect").count(), 3, "nothing is drawn of nothing");
        assert!(chart(Locale::en, &[], "", "").ends_with("</svg>"));
    }

    #[test]
    fn the_first_day_stands_where_reading_begins() {
        let first = |locale| {
            let svg = chart(locale, &days(&[(1, 0), (0, 0), (0, 0)]), "", "");
            let (_, rest) = svg.split_once("<rect x=\"").unwrap();
            let (x, _) = rest.split_once('.').unwrap();
            x.parse::<u32>().unwrap()
        };
        assert!(first(Locale::en) < 33);
        assert!(first(Locale::ar) > 66);
    }
}
