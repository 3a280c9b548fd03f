//! Values inside a sentence that are written in the other direction. Without a border of its own, such a value turns the words
//! and signs beside it around; so [`td_string!`](crate::td_string) draws one around every value that needs it. Pages, mails
//! and the browser do it by this one function, and the files of `locales/` hold no marks.

#[cfg(not(target_arch = "wasm32"))]
use std::fmt::Display;

use crate::{Locale, direction};

/// Begins a value that is read in the direction of its own first letter.
const FIRST_STRONG_ISOLATE: char = '\u{2068}';
/// Ends it.
const POP_ISOLATE: char = '\u{2069}';

/// A value as it stands among words of a language: between marks when it is written in the other direction, else as it is. What
/// stands between marks already gets no second pair, and a plain number never needs one.
///
/// For what no sentence of `locales/` takes, such as a row of facts; [`td_string!`](crate::td_string) does it by itself. What
/// people copy is left without it: the marks would be copied along.
pub fn isolate(locale: Locale, value: &str) -> String {
    isolated(value, direction(locale) == "rtl")
}

/// A value of a placeholder, for the macro.
#[cfg(not(target_arch = "wasm32"))]
#[doc(hidden)]
pub fn placed(locale: Locale, value: impl Display) -> String {
    isolate(locale, &value.to_string())
}

/// The same for a language that is written from right to left, or not.
pub(crate) fn isolated(value: &str, right_to_left: bool) -> String {
    let mut said = String::new();
    if needs_marks(value, right_to_left) {
        said.push(FIRST_STRONG_ISOLATE);
        said.push_str(value);
        said.push(POP_ISOLATE);
    } else {
        said.push_str(value);
    }
    said
}

/// Whether words of the given direction would disturb a value, or it them: it has a letter of the other direction; or it is made
/// of digits and signs, such as a telephone number, which would be turned around among words from right to left.
fn needs_marks(value: &str, right_to_left: bool) -> bool {
    let (mut depth, mut own, mut digits, mut signs) = (0_u32, false, false, false);
    for c in value.chars() {
        match c {
            '\u{2066}'..=FIRST_STRONG_ISOLATE => depth += 1,
            POP_ISOLATE => depth = depth.saturating_sub(1),
            // It has its border already.
            _ if depth > 0 => {}
            _ if is_letter(c) && is_right_to_left(c) != right_to_left => return true,
            _ if is_letter(c) => own = true,
            '0'..='9' => digits = true,
            _ => signs = true,
        }
    }
    right_to_left && !own && digits && signs
}

/// Whether a letter belongs to a script that is written from right to left. The mark that Unicode's words for dates hold is
/// one too.
fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{0590}'..='\u{08ff}' | '\u{200f}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

/// Whether this is a letter, as far as directions go: tables of all letters would be larger than the whole rest, and a pair of
/// marks too many is seen by nobody.
fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || is_right_to_left(c) || (c >= '\u{c0}' && !matches!(c, '\u{2000}'..='\u{2bff}'))
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(feature = "ssr")]
    use crate::list;
    use crate::{all, td_string};

    #[test]
    fn only_values_of_the_other_direction_stand_between_marks() {
        for (value, left_to_right, right_to_left) in [
            ("Acme", "Acme", "\u{2068}Acme\u{2069}"),
            ("Müller", "Müller", "\u{2068}Müller\u{2069}"),
            ("株式会社", "株式会社", "\u{2068}株式会社\u{2069}"),
            ("شركة", "\u{2068}شركة\u{2069}", "شركة"),
            ("חברה", "\u{2068}חברה\u{2069}", "חברה"),
            ("3 دقائق", "\u{2068}3 دقائق\u{2069}", "3 دقائق"),
            (
                "Acme شركة",
                "\u{2068}Acme شركة\u{2069}",
                "\u{2068}Acme شركة\u{2069}",
            ),
            (
                "123_admin@acme.test",
                "123_admin@acme.test",
                "\u{2068}123_admin@acme.test\u{2069}",
            ),
            ("2001:0:0::1", "2001:0:0::1", "\u{2068}2001:0:0::1\u{2069}"),
            ("+49 30 1234", "+49 30 1234", "\u{2068}+49 30 1234\u{2069}"),
            ("2026-01-05", "2026-01-05", "\u{2068}2026-01-05\u{2069}"),
            // As Unicode says the time in Arabic.
            (
                "05\u{200f}/01\u{200f}/2026",
                "\u{2068}05\u{200f}/01\u{200f}/2026\u{2069}",
                "05\u{200f}/01\u{200f}/2026",
            ),
            ("123456", "123456", "123456"),
            ("", "", ""),
            ("\n", "\n", "\n"),
            (" · ", " · ", " · "),
        ] {
            assert_eq!(isolated(value, false), left_to_right, "{value}");
            assert_eq!(isolated(value, true), right_to_left, "{value}");
        }
    }

    #[test]
    fn marks_are_never_doubled() {
        for right_to_left in [false, true] {
            for value in ["Acme", "شركة", "2026-01-05", "Acme شركة"] {
                let once = isolated(value, right_to_left);
                assert_eq!(isolated(&once, right_to_left), once);
            }
        }
        let both = "\u{2068}Google\u{2069} و\u{2068}Office 365\u{2069}";
        assert_eq!(isolated(both, true), both);
        // An end without a beginning ends nothing.
        assert_eq!(isolated("\u{2069}Acme", true), "\u{2068}\u{2069}Acme\u{2069}");
    }

    #[test]
    fn a_sentence_draws_the_border_around_its_values() {
        let ada = td_string!(Locale::ar, common.signed_in_as, name = "Ada");
        assert!(ada.ends_with(" \u{2068}Ada\u{2069}"), "{ada}");
        let noor = td_string!(Locale::ar, common.signed_in_as, name = "نور");
        assert!(noor.ends_with(" نور"), "{noor}");
        assert_eq!(
            td_string!(Locale::en, common.signed_in_as, name = "نور"),
            "Signed in as \u{2068}نور\u{2069}"
        );
        assert_eq!(
            td_string!(Locale::en, common.signed_in_as, name = "Ada"),
            "Signed in as Ada"
        );
        // A browser and a system, each between marks, are in order among Arabic words.
        let browser = td_string!(
            Locale::ar,
            common.browser_on,
            browser = "Firefox",
            system = "Linux"
        );
        assert!(browser.starts_with("\u{2068}Firefox\u{2069} "), "{browser}");
        assert_eq!(isolate(Locale::ar, &browser), browser);
    }

    #[test]
    fn numbers_stay_numbers() {
        for &locale in all() {
            for count in [0, 1, 2, 3, 11, 100] {
                let left = td_string!(locale, profile.backup_left, count = count);
                assert!(!left.contains(FIRST_STRONG_ISOLATE), "{left}");
            }
            let days = td_string!(locale, sign_in.trust, days = 30);
            assert!(
                days.contains("30") && !days.contains(FIRST_STRONG_ISOLATE),
                "{days}"
            );
        }
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn each_item_of_a_list_has_a_border_of_its_own() {
        let providers = list(Locale::ar, &["Google", "Office 365"]);
        assert!(providers.starts_with("\u{2068}Google\u{2069}"), "{providers}");
        assert!(providers.ends_with("\u{2068}Office 365\u{2069}"), "{providers}");
        assert_eq!(list(Locale::en, &["Google", "Office 365"]), "Google, Office 365");
    }
}
