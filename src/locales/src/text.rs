//! What stands in a text.

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Words.
    Words(&'a str),
    /// The name between `{{` and `}}`, without blanks around it.
    Placeholder(&'a str),
}

/// The text in pieces. Braces that make no placeholder are words.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, behind)) = after.split_once("}}") else {
            break;
        };
        if !before.is_empty() {
            pieces.push(Piece::Words(before));
        }
        pieces.push(Piece::Placeholder(name.trim()));
        rest = behind;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Words(rest));
    }
    pieces
}

/// The names of the placeholders, in their order.
pub fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    pieces(text).into_iter().filter_map(|piece| match piece {
        Piece::Placeholder(name) => Some(name),
        Piece::Words(_) => None,
    })
}

/// The words without the placeholders.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    pieces(text).into_iter().filter_map(|piece| match piece {
        Piece::Words(words) => Some(words),
        Piece::Placeholder(_) => None,
    })
}

/// The endings of the forms of a text with a number, in the order in which they stand in a file.
pub const FORMS: [&str; 6] = ["_zero", "_one", "_two", "_few", "_many", "_other"];

/// A key without the ending of a form.
pub fn base(key: &str) -> &str {
    FORMS
        .iter()
        .find_map(|ending| key.strip_suffix(ending))
        .unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_belongs_to_its_key() {
        assert_eq!(base("changed_few"), "changed");
        assert_eq!(base("changed"), "changed");
    }

    #[test]
    fn placeholders_are_told_from_words() {
        use Piece::{Placeholder, Words};
        assert_eq!(
            pieces("a {{ b }}{{c}} d {{ e"),
            [Words("a "), Placeholder("b"), Placeholder("c"), Words(" d {{ e")]
        );
        assert_eq!(placeholders("{{ b }} x {{ b }}").collect::<Vec<_>>(), ["b", "b"]);
        assert_eq!(words("{days} {{ b }}").collect::<Vec<_>>(), ["{days} "]);
    }
}
