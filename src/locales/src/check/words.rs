//! The words of a text: translated, short enough, none that is never written, one for one thing; and the notes beside them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Rules, about, at};
use crate::{
    Catalogue, DEFAULT_LANGUAGE, Entry, File, Finding, Language,
    glossary::{GLOSSARY, Glossary},
    notes::{NOTES, Note},
    plural::{has_forms, source},
    sources,
    text::{self, base},
};

/// Terms that a glossary needs to be one.
const TERMS_LEAST: usize = 40;

/// Languages can be told apart by their names.
pub fn names(catalogue: &Catalogue) -> Vec<Finding> {
    let mut seen = BTreeMap::new();
    let mut findings = Vec::new();
    for language in &catalogue.languages {
        let Some(name) = language.text("common.language_name") else {
            continue;
        };
        if let Some(other) = seen.insert(name, &language.tag).filter(|_| !language.draft) {
            let problem =
                format!("`language_name` is the language's own name. Found: `{name}`, as in `{other}`.");
            findings.push(about(&format!("{}/common.json", language.tag), &problem));
        }
    }
    findings
}

/// How long a text is: a letter of Chinese, Japanese or Korean takes the place of two.
pub fn width(text: &str) -> usize {
    let wide = |letter: char| matches!(letter, '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ff60}');
    text.chars().map(|letter| if wide(letter) { 2 } else { 1 }).sum()
}

/// Whether something in a text can be translated.
fn has_words(text: &str) -> bool {
    text::words(text).any(|words| words.chars().any(char::is_alphabetic))
}

/// The key of the note about a text.
fn noted(file: &str, english: &File, key: &str) -> String {
    let base = base(key);
    if has_forms(english, base) {
        format!("{file}.{base}")
    } else {
        format!("{file}.{key}")
    }
}

impl Rules<'_> {
    /// What is wrong with the words of a text.
    pub fn words(&self, language: &Language, file: &File, english: &File, entry: &Entry) -> Vec<String> {
        let mut problems = Vec::new();
        let translated = language.tag != DEFAULT_LANGUAGE;
        if translated
            && !language.draft
            && source(english, &entry.key) == Some(&entry.text)
            && has_words(&entry.text)
            && self
                .glossary
                .as_ref()
                .is_some_and(|glossary| !glossary.may_be_same(&language.tag, &entry.text))
        {
            problems.push(format!(
                "The text is still English: `{}`. If it is the same in this language, add it under `same` in {GLOSSARY}.",
                entry.text
            ));
        }
        let never = self.glossary.iter().flat_map(|glossary| &glossary.never);
        for never in never.filter(|never| never.language == language.tag) {
            if never.is_in(&entry.text) {
                problems.push(format!(
                    "`{}` is never written: {} Expected: {}. Found: `{}`.",
                    never.text, never.why, never.instead, entry.text
                ));
            }
        }
        let note = self.note(&noted(&file.name, english, &entry.key));
        for word in note.into_iter().flat_map(|note| &note.keep) {
            if !stands_in(&entry.text, word) {
                problems.push(format!(
                    "`{word}` stays as it is in every language, because programs read and write it so. Expected: `{word}` in the \
                     text. Found: `{}`.",
                    entry.text
                ));
            }
        }
        if let Some(longest) = note
            .map(|note| note.longest)
            .filter(|longest| width(&entry.text) > *longest)
        {
            problems.push(format!(
                "The text is too long. Expected: at most {longest} letters, of which wide ones count twice. Found: {}.",
                width(&entry.text)
            ));
        }
        problems
    }

    /// One English text has one translation in a language, unless the glossary says why not.
    pub fn one_text_one_translation(&self, language: &Language) -> Vec<Finding> {
        let mut known: BTreeMap<&str, (&str, String)> = BTreeMap::new();
        let mut findings = Vec::new();
        let Some(glossary) = self
            .glossary
            .as_ref()
            .filter(|_| language.tag != DEFAULT_LANGUAGE)
        else {
            return findings;
        };
        for (file, entry) in entries(language) {
            let english = self
                .english
                .file(&file.name)
                .and_then(|english| english.text(&entry.key));
            let Some(english) = english.filter(|text| !glossary.several.contains_key(*text)) else {
                continue;
            };
            let here = (entry.text.as_str(), format!("{}.{}", file.name, entry.key));
            let (first, place) = known.entry(english).or_insert(here);
            if *first != entry.text {
                findings.push(at(
                    language,
                    file,
                    entry,
                    format!(
                        "`{english}` is translated in two ways. Expected: `{first}`, as in {place}. Found: `{}`. If both are \
                         right, add the English text under `several` in {GLOSSARY}.",
                        entry.text
                    ),
                ));
            }
        }
        findings
    }

    /// Translations of an English text that has changed since.
    pub fn stale(&self, language: &Language) -> Vec<Finding> {
        let Some(known) = self.sources.as_ref().filter(|_| language.tag != DEFAULT_LANGUAGE) else {
            return Vec::new();
        };
        let now = sources::hashes(self.catalogue, language);
        let mut findings = Vec::new();
        let mut said = BTreeSet::new();
        for (file, entry) in entries(language) {
            let Some(english) = self.english.file(&file.name) else {
                continue;
            };
            let key = noted(&file.name, english, &entry.key);
            let then = known.get(&key).and_then(|each| each.get(&language.tag));
            let changed = then.is_some_and(|then| now.get(&key).is_some_and(|now| now != then));
            if changed && said.insert(key.clone()) {
                let source = source(english, &entry.key).unwrap_or_default();
                let problem = format!(
                    "The English text has changed since this was translated. English now: `{source}`. Here: `{}`. Correct it \
                     if needed, then: cargo xtask locales accept {} {key}",
                    entry.text, language.tag
                );
                findings.push(at(language, file, entry, problem));
            }
        }
        findings
    }

    /// Every English text has a note that says what its placeholders are, and there is no note without its text.
    pub fn notes(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut wanted = BTreeSet::new();
        let Some(notes) = &self.notes else {
            return findings;
        };
        for (file, entry) in entries(self.english) {
            let key = noted(&file.name, file, &entry.key);
            if !wanted.insert(key.clone()) {
                continue;
            }
            let Some(note) = notes.get(&key) else {
                let problem = format!(
                    "There is no note for translators. Add `{key}` to {NOTES}: where it stands, what each value is, the longest \
                     useful length."
                );
                findings.push(at(self.english, file, entry, problem));
                continue;
            };
            let placeholders: BTreeSet<&str> = text::placeholders(&entry.text).collect();
            for name in placeholders
                .iter()
                .filter(|name| !note.values.contains_key(**name))
            {
                let problem = format!("The note in {NOTES} does not say what `{{{{ {name} }}}}` is.");
                findings.push(at(self.english, file, entry, problem));
            }
        }
        for key in notes.keys().filter(|key| !wanted.contains(*key)) {
            findings.push(Finding {
                key: Some(key.clone()),
                ..about(NOTES, "English has no such text. Remove the note.")
            });
        }
        findings
    }

    /// The glossary is whole: every language has its word for every term, and says how it speaks to its readers.
    pub fn glossary(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let Some(glossary) = &self.glossary else {
            return findings;
        };
        let mut say = |problem: String| findings.push(about(GLOSSARY, &problem));
        if glossary.terms.len() < TERMS_LEAST {
            say(format!(
                "A glossary has at least {TERMS_LEAST} terms. Found: {}.",
                glossary.terms.len()
            ));
        }
        for term in glossary.terms.iter().filter(|term| term.definition.is_empty()) {
            say(format!("The term `{}` has no definition.", term.english));
        }
        if glossary.security.is_empty() {
            say("It does not say what a message about security must not do.".to_owned());
        }
        let offered = self.catalogue.languages.iter().filter(|language| !language.draft);
        for tag in offered
            .map(|language| &language.tag)
            .filter(|tag| *tag != DEFAULT_LANGUAGE)
        {
            if glossary.address.get(tag).is_none_or(String::is_empty) {
                say(format!(
                    "`address` does not say how `{tag}` speaks to its readers."
                ));
            }
            let terms = glossary
                .terms
                .iter()
                .filter(|term| term.words.get(tag).is_none_or(String::is_empty));
            let missing: Vec<&str> = terms.map(|term| term.english.as_str()).collect();
            if !missing.is_empty() {
                say(format!(
                    "These terms have no word in `{tag}`: {}.",
                    missing.join(", ")
                ));
            }
        }
        findings.extend(self.unneeded(glossary));
        findings
    }

    /// Marks that excuse nothing: they would hide a mistake that is made later.
    fn unneeded(&self, glossary: &Glossary) -> Vec<Finding> {
        let mut problems = Vec::new();
        for (tag, texts) in &glossary.same {
            let mut readers: Vec<&Language> = self.others().collect();
            if tag != "all" {
                readers.retain(|language| language.tag == *tag);
                // A draft is still English in most places, and may not have come to the one that is meant.
                readers.retain(|language| !language.draft);
                if readers.is_empty() {
                    continue;
                }
            }
            let of_english: BTreeSet<&str> = readers
                .iter()
                .flat_map(|language| self.translations(language))
                .filter(|(english, entry)| *english == entry.text)
                .map(|(english, _)| english)
                .collect();
            for text in texts.iter().filter(|text| !of_english.contains(text.as_str())) {
                problems.push(format!(
                    "`same` marks a text under `{tag}` that no language has as English has it. Remove it. Found: `{text}`."
                ));
            }
        }
        let several: BTreeSet<&str> = self
            .others()
            .flat_map(|language| self.several(language))
            .collect();
        for text in glossary
            .several
            .keys()
            .filter(|text| !several.contains(text.as_str()))
        {
            problems.push(format!(
                "`several` marks an English text that every language translates in one way. Remove it. Found: `{text}`."
            ));
        }
        problems.iter().map(|problem| about(GLOSSARY, problem)).collect()
    }

    /// English texts that a language translates in more than one way.
    fn several<'a>(&'a self, language: &'a Language) -> Vec<&'a str> {
        let mut known: BTreeMap<&str, &str> = BTreeMap::new();
        let translated = entries(language).filter_map(|(file, entry)| {
            let english = self.english.file(&file.name)?.text(&entry.key)?;
            Some((english, entry.text.as_str()))
        });
        let several = translated.filter(|(english, text)| known.entry(english).or_insert(text) != text);
        several.map(|(english, _)| english).collect()
    }

    /// The texts of a language, each with the English one.
    fn translations<'a>(&'a self, language: &'a Language) -> impl Iterator<Item = (&'a str, &'a Entry)> {
        entries(language)
            .filter_map(|(file, entry)| Some((source(self.english.file(&file.name)?, &entry.key)?, entry)))
    }

    /// The languages that are not English.
    fn others(&self) -> impl Iterator<Item = &Language> {
        let languages = self.catalogue.languages.iter();
        languages.filter(|language| language.tag != DEFAULT_LANGUAGE)
    }

    fn note(&self, key: &str) -> Option<&Note> {
        self.notes.as_ref()?.get(key)
    }
}

/// Whether a word stands in a text, by itself as far as its own letters go: Korean particles and Chinese words may touch it.
fn stands_in(text: &str, word: &str) -> bool {
    let joins =
        |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    text.match_indices(word).any(|(start, found)| {
        let before = text.get(..start).and_then(|before| before.chars().next_back());
        let after = text
            .get(start + found.len()..)
            .and_then(|after| after.chars().next());
        !joins(before) && !joins(after)
    })
}

fn entries(language: &Language) -> impl Iterator<Item = (&File, &Entry)> {
    let files = language.files.iter();
    files.flat_map(|file| file.entries.iter().map(move |entry| (file, entry)))
}

#[cfg(test)]
mod tests {
    use super::stands_in;

    #[test]
    fn a_word_that_stays_is_found_by_itself() {
        assert!(
            stands_in("active 열에는 yes, no", "active") && stands_in("email과 first_name을", "first_name")
        );
        assert!(
            !stands_in("first_name", "name") && !stands_in("inactive", "active") && !stands_in("10", "1")
        );
    }
}
