//! What cannot be seen in a text, the same in the browser and on the server.

/// Whether a character is invisible or changes the writing direction: joiners, marks of direction, the byte order
/// mark. It comes along when something is copied from a mail or a word processor.
pub const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// Whether nothing stands where this character is: white space, or [invisible](is_invisible).
pub fn is_blank(c: char) -> bool {
    c.is_whitespace() || is_invisible(c)
}

/// The text without blanks at its ends. Never for passwords.
pub fn trim(text: &str) -> &str {
    text.trim_matches(is_blank)
}

/// The character of ASCII that a full-width one is; any other character itself.
pub fn narrow(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_at_the_ends_is_dropped() {
        for end in [
            " ",
            "\t",
            "\n",
            "\u{a0}",
            "\u{3000}",
            "\u{200b}",
            "\u{200c}",
            "\u{200d}",
            "\u{200e}",
            "\u{200f}",
            "\u{202a}",
            "\u{202c}",
            "\u{2060}",
            "\u{2066}",
            "\u{2069}",
            "\u{61c}",
            "\u{feff}",
            "\u{ad}",
            " \u{feff} \u{200b}",
        ] {
            assert_eq!(trim(&format!("{end}a b{end}")), "a b", "{end:?}");
            assert_eq!(trim(end), "", "{end:?}");
        }
        assert_eq!(trim("\u{0}a"), "\u{0}a", "a control character is no blank");
        assert_eq!(trim("a\u{200c}b"), "a\u{200c}b");
    }
}
