//! Everything that is wrong, at once, whatever the state of the files.

mod apart;
mod keys;
mod legal;
mod shape;
mod texts;
mod used;
mod words;

use std::path::Path;

pub use apart::{EVENTS, Group, VERDICTS};
pub use legal::TEXTS as LEGAL;

use crate::{
    Catalogue, DEFAULT_LANGUAGE, Entry, File, Finding, Language,
    catalogue::Broken,
    glossary::{GLOSSARY, Glossary},
    notes::{self, NOTES, Notes},
    plural::Forms,
    sources::{self, SOURCES, Sources},
};

/// All that a rule may look at.
struct Rules<'a> {
    catalogue: &'a Catalogue,
    english: &'a Language,
    /// Nothing where the file cannot be read: one finding says so, and what depends on it is not asked.
    glossary: Option<Glossary>,
    notes: Option<Notes>,
    sources: Option<Sources>,
}

/// Every finding, by file and line. `code` is the folder of the product's sources, in which every text has to be used; without
/// it that is not asked.
pub fn check(catalogue: &Catalogue, code: Option<&Path>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(english) = catalogue.english() else {
        return vec![about(
            DEFAULT_LANGUAGE,
            "There is no English, from which everything is translated.",
        )];
    };
    let glossary = kept(&mut findings, GLOSSARY, Glossary::read(&catalogue.folder));
    let notes = kept(&mut findings, NOTES, notes::read(&catalogue.folder));
    let sources = kept(&mut findings, SOURCES, sources::read(catalogue));
    let rules = Rules {
        catalogue,
        english,
        glossary,
        notes,
        sources,
    };
    for language in &catalogue.languages {
        findings.extend(catalogue.unusable(language));
        findings.extend(rules.language(language));
    }
    findings.extend(rules.notes());
    findings.extend(rules.glossary());
    if let Some(code) = code {
        findings.extend(used::unused(english, code));
    }
    findings.extend(words::names(catalogue));
    findings.extend(shape::yes_and_no(catalogue));
    findings.sort_by(|one, other| (&one.file, one.line).cmp(&(&other.file, other.line)));
    findings.dedup();
    findings
}

/// The file, or nothing, and why.
fn kept<T>(findings: &mut Vec<Finding>, file: &str, read: Result<T, Broken>) -> Option<T> {
    let say = |broken: Broken| {
        findings.push(Finding {
            line: broken.line,
            ..about(file, &broken.problem)
        });
    };
    read.map_err(say).ok()
}

/// A finding about a whole file or folder.
fn about(file: &str, problem: &str) -> Finding {
    Finding {
        file: file.to_owned(),
        line: 0,
        key: None,
        problem: problem.to_owned(),
    }
}

/// A finding about a text.
fn at(language: &Language, file: &File, entry: &Entry, problem: String) -> Finding {
    Finding {
        file: format!("{}/{}.json", language.tag, file.name),
        line: entry.line,
        key: Some(entry.key.clone()),
        problem,
    }
}

impl Rules<'_> {
    fn language(&self, language: &Language) -> Vec<Finding> {
        let mut findings = keys::files(self.english, language);
        // That the folder's name is no tag is said elsewhere; what is in it is checked all the same.
        let forms = Forms::of(&language.tag.replace('_', "-"));
        for file in &language.files {
            let Some(english) = self.english.file(&file.name) else {
                continue;
            };
            let unreadable = file.entries.is_empty() && !file.broken.is_empty();
            if let Some(forms) = forms.as_ref().filter(|_| !unreadable) {
                findings.extend(keys::keys(english, language, file, forms));
            }
            for entry in &file.entries {
                let mut problems = texts::plain(entry);
                if let Some(forms) = &forms {
                    problems.extend(texts::placeholders(english, entry, forms));
                }
                problems.extend(shape::taken_apart(file, entry));
                problems.extend(self.words(language, file, english, entry));
                findings.extend(
                    problems
                        .into_iter()
                        .map(|problem| at(language, file, entry, problem)),
                );
            }
        }
        findings.extend(apart::apart(language));
        findings.extend(self.one_text_one_translation(language));
        findings.extend(self.stale(language));
        findings.extend(legal::legal(self.catalogue, language));
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The files of this repository.
    fn ours() -> (std::path::PathBuf, std::path::PathBuf) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        (root.join("locales"), root.join("src"))
    }

    #[test]
    fn our_own_files_are_in_order() {
        let (folder, code) = ours();
        let catalogue = Catalogue::read(&folder).unwrap();
        let findings: Vec<String> = check(&catalogue, Some(&code))
            .iter()
            .map(ToString::to_string)
            .collect();
        assert!(
            findings.is_empty(),
            "{} findings:\n{}",
            findings.len(),
            findings.join("\n")
        );
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let (folder, _) = ours();
        let mut catalogue = Catalogue::read(&folder).unwrap();
        let german = catalogue
            .languages
            .iter_mut()
            .find(|language| language.tag == "de")
            .unwrap();
        let file = german
            .files
            .iter_mut()
            .find(|file| file.name == "sign_in")
            .unwrap();
        let mut change = |key: &str, text: &str| {
            let entry = file.entries.iter_mut().find(|entry| entry.key == key).unwrap();
            text.clone_into(&mut entry.text);
            entry.line
        };
        let lines = [
            (change("title", "Sign in"), "still English"),
            (change("trust", "Nicht mehr fragen"), "{{ days }}"),
            (change("intro", "  Melden Sie sich an. "), "blank"),
            (change("verify", &"Bestätigen".repeat(20)), "too long"),
            (change("cancel", "Abbre\u{200b}chen"), "U+200B"),
        ];
        file.entries.retain(|entry| entry.key != "resend");
        let doubled = file
            .entries
            .iter()
            .find(|entry| entry.key == "submit")
            .cloned()
            .unwrap();
        file.entries.push(doubled);
        let findings: Vec<String> = check(&catalogue, None).iter().map(ToString::to_string).collect();
        for (line, words) in lines {
            let place = format!("locales/de/sign_in.json:{line}:");
            assert!(
                findings
                    .iter()
                    .any(|said| said.starts_with(&place) && said.contains(words)),
                "{place} {words}: {findings:?}"
            );
        }
        let missing = "resend: The text is missing. Expected: its translation behind `cancel`, which is in this line. English: \
                       `Resend`.";
        for words in [missing, "stands there twice"] {
            assert!(
                findings.iter().any(|said| said.contains(words)),
                "{words}: {findings:?}"
            );
        }
    }
}
