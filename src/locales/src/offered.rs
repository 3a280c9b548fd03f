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
            .filter(|language| (drafts || !language.draft) && self.unusable(language).is_empty())
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

/// Placeholders that English has not, and braces that make none.
fn wrong_placeholders(language: &Language, english: Option<&File>, entry: &Entry) -> Vec<String> {
    let mut problems = Vec::new();
    if let Some(words) = text::words(&entry.text).find(|words| words.contains(['{', '}'])) {
        problems.push(format!(
            "A placeholder is written `{{{{ name }}}}`, with two braces on each side. Found: `{}`.",
            words.trim()
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
    fn a_draft_is_not_offered_and_nothing_is_said_about_it() {
        let mut draft = language("fr", "{\"days\": }");
        draft.draft = true;
        let catalogue = catalogue(vec![draft]);
        assert_eq!(tags(&catalogue), ["en"]);
        assert_eq!(catalogue.left_out(), []);
    }
}
