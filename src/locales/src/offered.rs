//! Which languages can be offered: a folder that the compiler could not take is left out, and the others are not.

use std::{env, fmt};

use icu_locale::LanguageIdentifier;

use crate::{Catalogue, DEFAULT_LANGUAGE, Entry, File, Language, text};

/// The variable of the environment that offers drafts too.
pub const TRANSLATOR: &str = "VESTIBULE_TRANSLATOR";

/// Something to mend in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file below `locales/`, such as `de/sign_in.json`; a folder when it is about the whole of it.
    pub file: String,
    /// The line, from 1; 0 when it is about the whole file.
    pub line: usize,
    /// The key, where it is about one.
    pub key: Option<String>,
    /// What is wrong, what is expected and what was found, in sentences.
    pub problem: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "locales/{}", self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        match &self.key {
            Some(key) => write!(f, ": {key}: {}", self.problem),
            None => write!(f, ": {}", self.problem),
        }
    }
}

impl Catalogue {
    /// The languages that the product offers; with drafts, for those who translate, when the environment says so.
    pub fn offered(&self) -> Vec<&Language> {
        let drafts = env::var_os(TRANSLATOR).is_some();
        self.languages
            .iter()
            .filter(|language| drafts || !language.draft)
            .filter(|language| self.unusable(language).is_empty() && self.lacks(language).is_empty())
            .collect()
    }

    /// Why languages that are no drafts are not offered.
    pub fn left_out(&self) -> Vec<Finding> {
        self.languages
            .iter()
            .filter(|language| !language.draft)
            .flat_map(|language| self.unusable(language))
            .collect()
    }

    /// The files of English that a language has not. A draft may lack some and is not offered before they are there.
    pub fn lacks(&self, language: &Language) -> Vec<&str> {
        let english = self.english().into_iter().flat_map(|english| &english.files);
        let names = english.map(|file| file.name.as_str());
        names.filter(|name| language.file(name).is_none()).collect()
    }

    /// What the compiler could not take, or what would show braces to a reader. Everything else leaves a product that works.
    pub fn unusable(&self, language: &Language) -> Vec<Finding> {
        let mut findings = Vec::new();
        if language.identifier().is_none() {
            findings.push(Finding {
                file: language.tag.clone(),
                line: 0,
                key: None,
                problem: format!(
                    "The folder's name is not a language tag. Expected: {}. Found: `{}`.",
                    likely_tag(&language.tag),
                    language.tag
                ),
            });
        }
        let lacks = if language.draft {
            Vec::new()
        } else {
            self.lacks(language)
        };
        findings.extend(lacks.iter().map(|name| Finding {
            file: language.tag.clone(),
            line: 0,
            key: None,
            problem: format!("The file `{name}.json` is missing."),
        }));
        for file in &language.files {
            let path = format!("{}/{}.json", language.tag, file.name);
            findings.extend(file.broken.iter().map(|broken| Finding {
                file: path.clone(),
                line: broken.line,
                key: broken.key.clone(),
                problem: broken.problem.clone(),
            }));
            let english = self.english().and_then(|english| english.file(&file.name));
            for entry in &file.entries {
                let at = |problem| Finding {
                    file: path.clone(),
                    line: entry.line,
                    key: Some(entry.key.clone()),
                    problem,
                };
                let lost = |problem: String| findings.push(at(problem));
                wrong_placeholders(language, english, entry)
                    .into_iter()
                    .chain(no_form(file, entry))
                    .for_each(lost);
            }
        }
        findings
    }
}

/// What was meant by a name that is no tag, such as `fr_CA`.
fn likely_tag(name: &str) -> String {
    let meant = name.replace('_', "-").parse::<LanguageIdentifier>();
    match meant.ok().filter(|meant| !meant.language.is_unknown()) {
        Some(meant) => format!("`{meant}`"),
        None => "one such as `fr` or `pt-BR`".to_owned(),
    }
}

/// What the compiler would take for forms of a number that no text here has.
fn no_form(file: &File, entry: &Entry) -> Option<String> {
    if text::base(&entry.key).ends_with("_ordinal") {
        return Some("There are no texts with ordinal numbers. Remove it.".to_owned());
    }
    // A key with `_one` alone is one like every other.
    let forms = [entry.key.as_str(), "_other"].concat();
    file.text(&forms)
        .map(|_| format!("The key stands beside `{forms}`, a form of its own. Remove one of them."))
}

/// Placeholders that English has not, braces that make none, and names of other texts.
fn wrong_placeholders(language: &Language, english: Option<&File>, entry: &Entry) -> Vec<String> {
    let mut problems = Vec::new();
    if let Some(words) = text::words(&entry.text).find(|words| words.contains(['{', '}'])) {
        problems.push(format!(
            "A placeholder is written `{{{{ name }}}}`, with two braces on each side. Found: `{}`.",
            words.trim()
        ));
    }
    if entry.text.contains("$t(") {
        problems.push(format!(
            "`$t(` would be taken for the name of another text. Expected: the words themselves. Found: `{}`.",
            entry.text
        ));
    }
    let Some(english) = english.filter(|_| language.tag != DEFAULT_LANGUAGE) else {
        return problems;
    };
    let base = text::base(&entry.key);
    let known: Vec<&str> = english
        .entries
        .iter()
        .filter(|known| known.key == entry.key || text::base(&known.key) == base)
        .flat_map(|known| text::placeholders(&known.text))
        .collect();
    // A key that English has not is another finding.
    if english.entries.iter().all(|known| text::base(&known.key) != base) {
        return problems;
    }
    for name in text::placeholders(&entry.text).filter(|name| !known.contains(name)) {
        let expected: Vec<String> = known.iter().map(|name| format!("`{{{{ {name} }}}}`")).collect();
        let expected = if expected.is_empty() {
            "none".to_owned()
        } else {
            expected.join(", ")
        };
        problems.push(format!(
            "The English text has no such placeholder. Expected: {expected}. Found: `{{{{ {name} }}}}`."
        ));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn language(tag: &str, texts: &str) -> Language {
        Language {
            files: vec![File::parse("a", texts)],
            ..Language::empty(tag)
        }
    }

    fn catalogue(others: Vec<Language>) -> Catalogue {
        let english = language(
            "en",
            "{\"days\": \"For {{ days }} days\", \"n_one\": \"{{ count }} a\", \"n_other\": \"{{ count }} b\"}",
        );
        Catalogue {
            folder: "locales".into(),
            languages: [english].into_iter().chain(others).collect(),
        }
    }

    fn tags(catalogue: &Catalogue) -> Vec<&str> {
        let offered = catalogue.offered().into_iter();
        offered.map(|language| language.tag.as_str()).collect()
    }

    #[test]
    fn a_broken_folder_is_left_out_and_the_others_are_not() {
        let catalogue = catalogue(vec![
            language("de", "{\"days\": \"{{ days }} Tage\"}"),
            language("es", "{\"days\": \"{{ dias }}\"}"),
            language("fr", "{\"days\": }"),
            language("fr_CA", "{}"),
            language("it", "{\"days\": \"{days} giorni\"}"),
            language("ja", "{\"n\": \"{{ count }}\", \"unknown\": \"{{ x }}\"}"),
        ]);
        assert_eq!(tags(&catalogue), ["en", "de", "ja"]);
        let said: Vec<String> = catalogue.left_out().iter().map(ToString::to_string).collect();
        assert_eq!(said.len(), 4, "{said:?}");
        assert!(said[0].starts_with("locales/es/a.json:1: days: "), "{said:?}");
        assert!(
            said[0].contains("Expected: `{{ days }}`. Found: `{{ dias }}`."),
            "{said:?}"
        );
        assert!(said[2].contains("Expected: `fr-CA`. Found: `fr_CA`."), "{said:?}");
        assert!(said[3].contains("Found: `{days} giorni`."), "{said:?}");
    }

    #[test]
    fn what_the_compiler_would_not_take_is_left_out() {
        for (texts, words) in [
            ("{\"days\": \"$t(x) {{ days }}\"}", "`$t(`"),
            (
                "{\"n\": \"{{ count }}\", \"n_one\": \"1\", \"n_other\": \"{{ count }}\"}",
                "beside `n_other`",
            ),
            ("{\"n_ordinal_one\": \"{{ count }}.\"}", "ordinal"),
        ] {
            let catalogue = catalogue(vec![language("de", texts)]);
            assert_eq!(tags(&catalogue), ["en"], "{texts}");
            let said = catalogue.left_out();
            assert!(said.len() == 1 && said[0].problem.contains(words), "{said:?}");
        }
    }

    #[test]
    fn a_language_without_one_of_the_files_is_left_out() {
        let mut lacking = language("de", "{}");
        lacking.files[0].name = "b".to_owned();
        let mut catalogue = catalogue(vec![lacking]);
        assert_eq!(tags(&catalogue), ["en"]);
        let said: Vec<String> = catalogue.left_out().iter().map(ToString::to_string).collect();
        assert_eq!(said, ["locales/de: The file `a.json` is missing."]);
        catalogue.languages[1].draft = true;
        assert_eq!(catalogue.unusable(&catalogue.languages[1]), []);
        assert_eq!(catalogue.lacks(&catalogue.languages[1]), ["a"]);
    }

    #[test]
    fn a_draft_is_not_offered_and_nothing_is_said_about_it() {
        let mut draft = language("fr", "{\"days\": }");
        draft.draft = true;
        let catalogue = catalogue(vec![draft]);
        assert_eq!(tags(&catalogue), ["en"]);
        assert_eq!(catalogue.left_out(), []);
    }
}
