//! The offered languages: one per folder of `locales/`, English first, then by tag.

#[cfg(feature = "ssr")]
use std::{cmp::Reverse, sync::LazyLock};

#[cfg(feature = "ssr")]
use icu_locale::{LanguageIdentifier, LocaleExpander};

use crate::{Locale, i18n::I18nLocaleTrait, td_string};

/// Longest language tag that is looked at, in bytes (RFC 5646, 4.4.1: 35 is enough for every tag in use).
#[cfg(feature = "ssr")]
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

/// The texts that islands say, for the browser's half: tag, direction, and one text a line.
pub fn island_texts(locale: Locale) -> &'static str {
    let tag = locale.as_str();
    include!(concat!(env!("OUT_DIR"), "/islands.rs"))
}

/// Whether the language is written from right to left.
pub fn is_rtl(locale: Locale) -> bool {
    matches!(locale.direction(), leptos_i18n::Direction::RightToLeft)
}

/// `rtl` or `ltr`, for `dir=""`.
pub fn direction(locale: Locale) -> &'static str {
    if is_rtl(locale) { "rtl" } else { "ltr" }
}

/// The offered language for a tag, whatever its case: one of the same language and script as Unicode takes them to be where
/// the tag does not say (`zh-TW` is written in traditional letters, `pt` is `pt-BR`), of the same region if there is one; else
/// one of the same language. Anything that cannot be a tag is `None`.
#[cfg(feature = "ssr")]
pub fn from_tag(tag: &str) -> Option<Locale> {
    let offered = OFFERED.iter().map(|(known, _)| known);
    let found = best(tag, offered)?;
    OFFERED.get(found).map(|(_, locale)| *locale)
}

/// The offered language with exactly this tag.
#[cfg(not(feature = "ssr"))]
pub fn from_tag(tag: &str) -> Option<Locale> {
    all().iter().find(|locale| locale.as_str() == tag).copied()
}

/// The offered languages with everything that their tags leave out.
#[cfg(feature = "ssr")]
static OFFERED: LazyLock<Vec<(LanguageIdentifier, Locale)>> = LazyLock::new(|| {
    let whole = |locale: &Locale| Some((whole(locale.as_str())?, *locale));
    all().iter().filter_map(whole).collect()
});

/// Which of the languages fits a tag best.
#[cfg(feature = "ssr")]
fn best<'a>(tag: &str, offered: impl Iterator<Item = &'a LanguageIdentifier>) -> Option<usize> {
    let wanted = whole(tag)?;
    let same_language = offered
        .enumerate()
        .filter(|(_, known)| known.language == wanted.language);
    let fits = |known: &LanguageIdentifier| (known.script == wanted.script, known.region == wanted.region);
    // Of several that fit as well, the first.
    let best = same_language.min_by_key(|(_, known)| Reverse(fits(known)));
    best.map(|(found, _)| found)
}

/// A tag with what it leaves out: `zh-TW` as `zh-Hant-TW`.
#[cfg(feature = "ssr")]
fn whole(tag: &str) -> Option<LanguageIdentifier> {
    let may_be_one = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if tag.len() > TAG_MAX || !tag.bytes().all(may_be_one) {
        return None;
    }
    let mut id = tag.parse::<icu_locale::Locale>().ok()?.id;
    // No language at all would be taken for English.
    if id.language.is_unknown() {
        return None;
    }
    LocaleExpander::new_common().maximize(&mut id);
    Some(id)
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
            #[cfg(feature = "ssr")]
            assert_eq!(from_tag(&tag(*locale).to_ascii_uppercase()), Some(*locale));
        }
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn a_tag_means_what_people_who_use_it_read() {
        const OFFERED: [&str; 10] = [
            "en", "ar", "de", "es", "fr", "ja", "ko", "pt-BR", "zh-Hans", "zh-Hant",
        ];
        let offered = OFFERED.map(|tag| whole(tag).unwrap());
        for (tag, expected) in [
            ("zh-TW", Some("zh-Hant")),
            ("zh-HK", Some("zh-Hant")),
            ("zh-MO", Some("zh-Hant")),
            ("zh-Hant-CN", Some("zh-Hant")),
            ("zh", Some("zh-Hans")),
            ("zh-CN", Some("zh-Hans")),
            ("ZH-sg", Some("zh-Hans")),
            ("zh-Hans-HK", Some("zh-Hans")),
            ("yue-HK", None),
            ("pt", Some("pt-BR")),
            ("pt-PT", Some("pt-BR")),
            ("pt-br", Some("pt-BR")),
            ("es-419", Some("es")),
            ("fr-CA", Some("fr")),
            ("ja-JP", Some("ja")),
            ("ko-KP", Some("ko")),
            ("de-CH-1996", Some("de")),
            ("de-u-co-phonebk", Some("de")),
            ("sr", None),
            ("und", None),
        ] {
            let found = best(tag, offered.iter()).map(|found| OFFERED[found]);
            assert_eq!(found, expected, "{tag}");
        }
    }

    #[cfg(feature = "ssr")]
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
