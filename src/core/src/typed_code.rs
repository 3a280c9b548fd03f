//! What a typed code means, whichever keyboard, word processor or mail it comes from: the same in the browser and on the
//! server. The tables are small because the browser has to load them.

use crate::{
    limits::CODE_DIGITS,
    text::{is_blank, narrow},
};

/// The zero of every ten digits (general category `Nd`) in the first plane of Unicode; nine more follow each.
const ZEROS: [u16; 37] = [
    0x0030, 0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66,
    0x0de6, 0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50,
    0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
];
/// The same in the second plane, less 0x10000.
const ZEROS_OF_SECOND_PLANE: [u16; 40] = [
    0x04a0, 0x0d30, 0x0d40, 0x1066, 0x10f0, 0x1136, 0x11d0, 0x12f0, 0x1450, 0x14d0, 0x1650, 0x16c0, 0x16d0,
    0x16da, 0x1730, 0x18e0, 0x1950, 0x1bf0, 0x1c50, 0x1d50, 0x1da0, 0x1de0, 0x1f50, 0x6130, 0x6a60, 0x6ac0,
    0x6b50, 0x6d70, 0xccf0, 0xd7ce, 0xd7d8, 0xd7e2, 0xd7ec, 0xd7f6, 0xe140, 0xe2f0, 0xe4f0, 0xe5f1, 0xe950,
    0xfbf0,
];

/// A code as our own side writes it: digits and letters of ASCII. Blanks and dashes are gone, so are a full stop at the
/// end and a letter with a dash before six digits (`G-123456`). What can stand in no code stays.
pub fn read(typed: &str) -> String {
    // As long as it can become, so that no half of it stays behind in memory.
    let mut code = String::with_capacity(typed.len());
    let (mut letter_and_dash, mut stop) = (false, false);
    for c in typed.chars() {
        if is_full_stop(c) {
            stop = true;
        } else if is_dash(c) {
            letter_and_dash |= code.len() == 1;
        } else if !is_blank(c) {
            if stop {
                // It was not the end.
                code.push('.');
                stop = false;
            }
            code.push(digit(c).unwrap_or_else(|| narrow(c)));
        }
    }
    if letter_and_dash
        && let [letter, digits @ ..] = code.as_bytes()
        && letter.is_ascii_alphabetic()
        && digits.len() == CODE_DIGITS
        && digits.iter().all(u8::is_ascii_digit)
    {
        code.remove(0);
    }
    code
}

/// Whether a code that was [read] has digits and nothing else.
pub fn is_digits(code: &str) -> bool {
    code.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a code that was [read] can only become a backup code: it has letters.
pub fn has_letters(code: &str) -> bool {
    code.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// The digit of ASCII with the value of a digit of whichever script.
fn digit(c: char) -> Option<char> {
    let number = u32::from(c);
    let zeros: &[u16] = match number >> 16 {
        0 => &ZEROS,
        1 => &ZEROS_OF_SECOND_PLANE,
        _ => &[],
    };
    let value = |zero: &u16| char::from_digit((number & 0xffff).wrapping_sub(u32::from(*zero)), 10);
    zeros.iter().find_map(value)
}

/// What may stand behind a code at the end of a sentence.
const fn is_full_stop(c: char) -> bool {
    matches!(c, '.' | '。' | '｡' | '．' | '\u{6d4}' | '\u{964}')
}

/// Everything that is written where a code has a dash: the general category `Pd`, the sign for minus, and the sign for
/// long vowels, which has the dash's key on a Japanese keyboard.
const fn is_dash(c: char) -> bool {
    matches!(
        c,
        '-' | '\u{058a}' | '\u{05be}' | '\u{1400}' | '\u{1806}' | '\u{2010}'
            ..='\u{2015}'
                | '\u{2212}'
                | '\u{2e17}'
                | '\u{2e1a}'
                | '\u{2e3a}'
                | '\u{2e3b}'
                | '\u{2e40}'
                | '\u{2e5d}'
                | '\u{301c}'
                | '\u{3030}'
                | '\u{30a0}'
                | '\u{30fc}'
                | '\u{fe31}'
                | '\u{fe32}'
                | '\u{fe58}'
                | '\u{fe63}'
                | '\u{ff0d}'
                | '\u{ff70}'
                | '\u{10d6e}'
                | '\u{10ead}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "server")]
    #[test]
    fn every_decimal_digit_has_its_value_and_every_dash_is_one() {
        use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
        let mut before = None;
        for c in char::MIN..=char::MAX {
            let category = c.general_category();
            let found = digit(c);
            assert_eq!(
                found.is_some(),
                category == GeneralCategory::DecimalNumber,
                "U+{:04X}",
                u32::from(c)
            );
            if let (Some(found), Some(before)) = (found, before) {
                assert_eq!(
                    u32::from(found) % 10,
                    (u32::from(before) + 1) % 10,
                    "U+{:04X}",
                    u32::from(c)
                );
            }
            assert!(
                found.is_none() || before.is_some() || found == Some('0'),
                "U+{:04X}",
                u32::from(c)
            );
            before = found;
            assert!(
                is_dash(c) || category != GeneralCategory::DashPunctuation,
                "U+{:04X}",
                u32::from(c)
            );
        }
    }

    #[test]
    fn a_code_is_read_whichever_keyboard_it_comes_from() {
        for typed in [
            "123456",
            " 123 456\n",
            "123-456",
            "\u{a0}123456",
            "１２３４５６",
            "１２３　４５６",
            "١٢٣٤٥٦",
            "۱۲۳۴۵۶",
            "१२३४५६",
            "১২৩৪৫৬",
            "๑๒๓๔๕๖",
            "၁၂၃၄၅၆",
            "१२3456",
            "𝟏𝟐𝟑𝟜𝟝𝟞",
            "123\u{2013}456",
            "123\u{2011}456",
            "123\u{2212}456",
            "１２３ー４５６",
            "１２３－４５６",
            "\u{200e}123456\u{200f}",
            "\u{2068}123456\u{2069}",
            "\u{200b}123\u{200b}456\u{feff}",
            "123456.",
            "123456。",
            "１２３４５６．",
            "123456. ",
            "१२३४५६।",
            "G-123456",
            "g \u{2011} 123456.",
            "Ｇー１２３４５６",
        ] {
            assert_eq!(read(typed), "123456", "{typed:?}");
        }
    }

    #[test]
    fn what_is_no_part_of_a_code_stays() {
        for (typed, read_as) in [
            ("", ""),
            ("null", "null"),
            ("12.3456", "12.3456"),
            ("\u{0}123456", "\u{0}123456"),
            ("+12345", "+12345"),
            ("-12345", "12345"),
            ("G123456", "G123456"),
            ("GG-123456", "GG123456"),
            ("G-1234567", "G1234567"),
            ("1-123456", "1123456"),
            ("一二三四五六", "一二三四五六"),
            ("①②③④⑤⑥", "①②③④⑤⑥"),
            ("²²²²²²", "²²²²²²"),
        ] {
            assert_eq!(read(typed), read_as, "{typed:?}");
        }
    }

    #[test]
    fn a_backup_code_keeps_its_letters() {
        for typed in [
            "0123-4567-89ab-cdef",
            "０１２３－４５６７－８９ａｂ－ｃｄｅｆ",
            "0123ー4567ー89abーcdef",
            "0123\u{2013}4567\u{2014}89ab\u{2010}cdef.",
        ] {
            assert_eq!(read(typed), "0123456789abcdef", "{typed}");
        }
        assert_eq!(
            read("A-123456789012345"),
            "A123456789012345",
            "a backup code, though grouped oddly"
        );
        assert!(has_letters(&read("ａ")) && !has_letters(&read("１")));
    }
}
