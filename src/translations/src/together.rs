//! Whole sentences, one after the other.

use crate::{Locale, td_string};

/// Sentences as the language writes them one after the other: there is no blank between Chinese or Japanese ones.
pub fn sentences<T: AsRef<str>>(locale: Locale, said: &[T]) -> String {
    let between = td_string!(locale, common.two_sentences, first = "\n", second = "\n");
    let said: Vec<&str> = said.iter().map(AsRef::as_ref).collect();
    said.join(between.trim_matches('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn a_language_has_its_own_gap_between_sentences() {
        assert_eq!(
            sentences(Locale::en, &["One.", "Two.", "Three."]),
            "One. Two. Three."
        );
        assert_eq!(sentences(Locale::ja, &["一。", "二。"]), "一。二。");
        assert_eq!(sentences(Locale::ja, &["1"]), "1");
        assert_eq!(sentences::<&str>(Locale::en, &[]), "");
    }
}
