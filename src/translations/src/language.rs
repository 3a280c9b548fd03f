//! The offered languages: one per folder of `locales/`, English first, then by tag.

use crate::{Locale, i18n::I18nLocaleTrait, td_string};

/// Longest language tag that is looked at, in bytes (RFC 5646, 4.4.1: 35 is enough for every tag in use).
const TAG_MAX: usize = 35;

/// Most entries of an `Accept-Language` header that are looked at. Browsers send up to about ten.
#[cfg(feature = "ssr")]
const ENTRIES_MAX: usize = 32;

/// Every offered language, English first, then by tag.
pub fn all() -> &'static [Locale] {
    Locale::get_all()
}

/// The tag of a language, such as `de`: for `lang=""`, cookies, the database and mails.
pub fn tag(locale: Locale) -> &'static str {
    locale.as_str()
}

/// The language's own name, such as `Deutsch`.
pub fn name(locale: Locale) -> &'static str {
    td_string!(locale, common.language_name)
}

/// Whether the language is written from right to left.
pub fn is_rtl(locale: Locale) -> bool {
    matches!(locale.direction(), leptos_i18n::Direction::RightToLeft)
}

/// `rtl` or `ltr`, for `dir=""`.
pub fn direction(locale: Locale) -> &'static str {
    if is_rtl(locale) { "rtl" } else { "ltr" }
}

/// The offered language for a tag, whatever its case: the tag itself or, as in RFC 4647 (3.4), what is left when its
/// last parts are taken away, so that `de-AT` is `de`. Anything that cannot be a tag is `None`.
pub fn from_tag(tag: &str) -> Option<Locale> {
    if tag.len() > TAG_MAX
        || !tag
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        || tag.split('-').any(str::is_empty)
    {
        return None;
    }
    let mut wanted = tag;
    loop {
        if let Some(found) = all()
            .iter()
            .find(|locale| locale.as_str().eq_ignore_ascii_case(wanted))
        {
            return Some(*found);
        }
        (wanted, _) = wanted.rsplit_once('-')?;
    }
}

/// The offered language that an `Accept-Language` header asks for most (RFC 9110, 12.5.4): the highest weight wins,
/// the earlier entry when weights are equal. `None` when it names no offered language; `*` names none.
///
/// Not left to a library: `fluent-langneg` ignores the weights, and `accept-language` sorts by them and can be made
/// to panic by `q=nan`. This reads the first [`ENTRIES_MAX`] entries once and keeps nothing.
#[cfg(feature = "ssr")]
pub fn negotiate(accept_language: &str) -> Option<Locale> {
    let mut best: Option<(f32, Locale)> = None;
    for entry in accept_language.split(',').take(ENTRIES_MAX) {
        let (tag, weight) = entry.split_once(';').unwrap_or((entry, "q=1"));
        if let (Some(locale), Some(weight)) = (from_tag(tag.trim()), read_weight(weight))
            && weight > best.map_or(0.0, |(most, _)| most)
        {
            best = Some((weight, locale));
        }
    }
    best.map(|(_, locale)| locale)
}

/// The number of `q=0.8`, when it is one from 0 to 1.
#[cfg(feature = "ssr")]
fn read_weight(text: &str) -> Option<f32> {
    let value = text.trim().strip_prefix(['q', 'Q'])?.strip_prefix('=')?;
    value.parse().ok().filter(|weight| (0.0..=1.0).contains(weight))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_is_the_first_language_and_the_default() {
        assert_eq!(all().first(), Some(&Locale::en));
        assert_eq!(Locale::default(), Locale::en);
    }

    #[test]
    fn every_language_is_found_by_its_tag() {
        for locale in all() {
            assert_eq!(from_tag(tag(*locale)), Some(*locale));
            assert_eq!(from_tag(&tag(*locale).to_ascii_uppercase()), Some(*locale));
        }
    }

    #[test]
    fn a_tag_falls_back_to_its_language() {
        assert_eq!(from_tag("de-AT"), Some(Locale::de));
        assert_eq!(from_tag("DE-Latn-AT-1996"), Some(Locale::de));
        assert_eq!(from_tag("ar-EG"), Some(Locale::ar));
        assert_eq!(from_tag("en-GB-oxendict"), Some(Locale::en));
    }

    #[test]
    fn anything_else_is_no_language() {
        for tag in [
            "", "-", "-de", "d", "den", "deutsch", "xx", "*", "de_AT", " de", "de ", "de\0", "dé", "de;q=1",
        ] {
            assert_eq!(from_tag(tag), None, "{tag:?}");
        }
        assert_eq!(from_tag(&format!("de-{}", "a".repeat(TAG_MAX))), None);
        assert_eq!(from_tag(&"-".repeat(TAG_MAX)), None);
        assert_eq!(from_tag(&"de-".repeat(1_000_000)), None);
    }

    #[test]
    fn arabic_is_written_from_right_to_left() {
        assert!(is_rtl(Locale::ar));
        assert_eq!(direction(Locale::ar), "rtl");
        assert!(!is_rtl(Locale::en) && !is_rtl(Locale::de));
        assert_eq!(direction(Locale::de), "ltr");
    }

    #[test]
    fn names_are_in_the_language_itself() {
        assert_eq!(name(Locale::en), "English");
        assert_eq!(name(Locale::de), "Deutsch");
        assert_eq!(name(Locale::ar), "العربية");
    }

    #[cfg(feature = "ssr")]
    mod negotiation {
        use super::*;

        #[test]
        fn the_highest_weight_wins() {
            assert_eq!(negotiate("de"), Some(Locale::de));
            assert_eq!(
                negotiate("xx-CH, xx;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5"),
                Some(Locale::en)
            );
            assert_eq!(negotiate("en;q=0.3,\tde-AT ; Q=0.31"), Some(Locale::de));
            assert_eq!(negotiate("ar-SA,ar;q=0.9,en;q=0.8"), Some(Locale::ar));
            assert_eq!(negotiate("de;q=0.5, ar;q=0.5"), Some(Locale::de));
            assert_eq!(negotiate("de;q=1.000, ar"), Some(Locale::de));
        }

        #[test]
        fn zero_means_not_this_one() {
            assert_eq!(negotiate("de;q=0"), None);
            assert_eq!(negotiate("de;q=0.000, ar;q=0.001"), Some(Locale::ar));
        }

        #[test]
        fn what_is_not_offered_or_not_readable_is_passed_over() {
            for header in [
                "",
                ",",
                ",,;",
                ";q=1",
                "*",
                "*;q=1",
                "xx",
                "xx, yy;q=0.2",
                "de;q=nan",
                "de;q=inf",
                "de;q=-1",
            ] {
                assert_eq!(negotiate(header), None, "{header:?}");
            }
            for header in [
                "de;q",
                "de;q=",
                "de;q=2",
                "de;q=1;q=1",
                "de;level=1",
                "de;;q=1",
                "de q=1",
                "de\0",
            ] {
                assert_eq!(negotiate(header), None, "{header:?}");
                assert_eq!(
                    negotiate(&format!("{header}, ar;q=0.1")),
                    Some(Locale::ar),
                    "{header:?}"
                );
            }
        }

        #[test]
        fn hostile_headers_are_harmless() {
            let mut number = 1_u32;
            let weights: String = std::iter::repeat_with(|| {
                number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if number.is_multiple_of(3) {
                    "de;q=nan,".to_owned()
                } else {
                    format!("de;q=0.{number},")
                }
            })
            .take(1000)
            .collect();
            assert_eq!(negotiate(&weights), Some(Locale::de));
            for part in [
                "de",
                "de,",
                ",",
                ";",
                "q=",
                "-",
                "*,",
                "de;q=0,",
                "de-",
                "\u{202e}",
                "é,",
                "de;q=1e-999,",
            ] {
                let header = part.repeat(10 * 1024 / part.len());
                let _ = negotiate(&header);
            }
        }
    }
}
