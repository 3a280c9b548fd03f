//! `locales/glossary.json`: the words of the trade in every language, what is never written, and what may look like a mistake.

use std::{collections::BTreeMap, fs, io, path::Path};

use serde::{Deserialize, Serialize};

use crate::{
    catalogue::{Broken, beside},
    text::words,
};

/// The file, below `locales/`.
pub const GLOSSARY: &str = "glossary.json";

/// Everything that was decided about words.
#[derive(Debug, Deserialize, Serialize)]
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
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// In English.
    #[serde(rename = "term")]
    pub english: String,
    /// What it means here.
    pub definition: String,
    /// By language; empty where a draft has none yet.
    pub words: BTreeMap<String, String>,
}

/// Something that is never written.
#[derive(Debug, Deserialize, Serialize)]
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
    /// What is wrong with it, and where.
    pub fn read(folder: &Path) -> Result<Self, Broken> {
        beside(folder, GLOSSARY, "a glossary")
    }

    /// Makes a place for every word of a language that has none.
    pub fn begin(&mut self, language: &str) {
        self.address.entry(language.to_owned()).or_default();
        for term in &mut self.terms {
            term.words.entry(language.to_owned()).or_default();
        }
    }

    /// Writes the file into `folder`.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        fs::write(folder.join(GLOSSARY), self.json()?)
    }

    fn json(&self) -> io::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
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
    fn a_new_language_changes_nothing_but_its_own_lines() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../locales");
        let before = fs::read_to_string(folder.join(GLOSSARY)).unwrap();
        let mut glossary = Glossary::read(&folder).unwrap();
        assert_eq!(glossary.json().unwrap(), before);
        glossary.begin("it");
        let after = glossary.json().unwrap();
        // The language that stands before it in every list gets a comma.
        let added = after.lines().filter(|line| line.trim_start() == "\"it\": \"\",");
        assert_eq!(added.count(), glossary.terms.len() + 1);
        assert_eq!(
            after.lines().count(),
            before.lines().count() + glossary.terms.len() + 1
        );
        glossary.begin("it");
        assert_eq!(glossary.json().unwrap(), after);
    }

    #[test]
    fn a_word_is_found_as_a_word() {
        assert!(never("a mail").is_in("We sent a mail.") && never("a mail").is_in("A mail is here."));
        assert!(!never("a mail").is_in("a mailbox") && !never("a mail").is_in("via mail"));
        assert!(never("メアド").is_in("新しいメアドです"));
        assert!(!never("mail").is_in("e-mail {{ mail }}") && !never("Email").is_in("account, email"));
    }
}
