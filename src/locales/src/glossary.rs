//! `locales/glossary.json`: the words of the trade in every language, what is never written, and what may look like a mistake.

use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;

use crate::text::words;

/// The file, below `locales/`.
pub const GLOSSARY: &str = "glossary.json";

/// Everything that was decided about words.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Glossary {
    /// The words of the trade.
    pub terms: Vec<Term>,
    /// How each language speaks to its readers, and what else to know about its style.
    pub address: BTreeMap<String, String>,
    /// What is never written.
    pub never: Vec<Never>,
    /// What a message about security must not do.
    pub security: Vec<String>,
    /// Texts that are the same as in English, by language; under `all` those that are the same everywhere.
    pub same: BTreeMap<String, Vec<String>>,
    /// English texts that may have several translations, each with its reason.
    pub several: BTreeMap<String, String>,
}

/// One term.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// In English.
    #[serde(rename = "term")]
    pub english: String,
    /// What it means here.
    pub definition: String,
    /// By language.
    pub words: BTreeMap<String, String>,
}

/// Something that is never written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Never {
    /// In which language.
    pub language: String,
    /// What.
    pub text: String,
    /// What to write in its place.
    pub instead: String,
    /// Why not.
    pub why: String,
}

impl Glossary {
    /// Reads the file in `folder`.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(folder.join(GLOSSARY))
            .map_err(|error| format!("The file cannot be read: {error}."))?;
        serde_json::from_str(&text).map_err(|error| {
            format!("The file is not a glossary: {error}. Correct this first: other findings may come of it.")
        })
    }

    /// Whether a text of a language may be that of English.
    pub fn may_be_same(&self, language: &str, text: &str) -> bool {
        ["all", language]
            .iter()
            .filter_map(|key| self.same.get(*key))
            .any(|texts| texts.iter().any(|known| known == text))
    }
}

impl Never {
    /// Whether it stands among the words of a text: as a word of its own where the script has words, and also with a capital
    /// where a sentence begins.
    pub fn is_in(&self, text: &str) -> bool {
        words(text)
            .any(|words| self.stands_in(words, &self.text) || self.stands_in(words, &capitalized(&self.text)))
    }

    fn stands_in(&self, words: &str, never: &str) -> bool {
        let joins =
            |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '-');
        let spaced = !self.text.chars().any(is_without_blanks);
        words.match_indices(never).any(|(start, found)| {
            let before = words.get(..start).and_then(|words| words.chars().next_back());
            let after = words
                .get(start + found.len()..)
                .and_then(|words| words.chars().next());
            !spaced || !(joins(before) || joins(after))
        })
    }
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Scripts that are written without blanks between words, and Korean, whose particles follow without one.
fn is_without_blanks(letter: char) -> bool {
    matches!(letter, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn never(text: &str) -> Never {
        Never {
            language: "en".to_owned(),
            text: text.to_owned(),
            instead: String::new(),
            why: String::new(),
        }
    }

    #[test]
    fn a_word_is_found_as_a_word() {
        assert!(never("a mail").is_in("We sent a mail.") && never("a mail").is_in("A mail is here."));
        assert!(!never("a mail").is_in("a mailbox") && !never("a mail").is_in("via mail"));
        assert!(never("メアド").is_in("新しいメアドです"));
        assert!(!never("mail").is_in("e-mail {{ mail }}") && !never("Email").is_in("account, email"));
    }
}
