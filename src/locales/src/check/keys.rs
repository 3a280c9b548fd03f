//! Files and keys: none missing, none unknown, none twice, in the order of English.

use std::collections::BTreeSet;

use super::{about, at};
use crate::{
    DEFAULT_LANGUAGE, File, Finding, Language,
    plural::{Forms, ending, has_forms, wanted},
    text::base,
};

/// The files of a language are those of English. A draft may lack some.
pub fn files(english: &Language, language: &Language) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &language.files {
        if english.file(&file.name).is_none() {
            findings.push(about(
                &format!("{}/{}.json", language.tag, file.name),
                "English has no such file. Expected: the file names of locales/en.",
            ));
        }
    }
    if !language.draft {
        for file in &english.files {
            if language.file(&file.name).is_none() {
                findings.push(about(
                    &language.tag,
                    &format!("The file `{}.json` is missing.", file.name),
                ));
            }
        }
    }
    findings
}

/// The keys of a file are those that the language needs. A draft may lack some.
pub fn keys(english: &File, language: &Language, file: &File, forms: &Forms) -> Vec<Finding> {
    let mut findings = Vec::new();
    let wanted = wanted(english, forms);
    let mut seen = BTreeSet::new();
    for entry in &file.entries {
        if !seen.insert(&entry.key) {
            findings.push(at(
                language,
                file,
                entry,
                "The key stands there twice. Remove one of them.".to_owned(),
            ));
        } else if !wanted.contains(&entry.key) {
            findings.push(at(language, file, entry, unknown(english, &entry.key, forms)));
        }
    }
    if language.tag == DEFAULT_LANGUAGE {
        return findings;
    }
    for key in wanted.iter().filter(|key| !language.draft && !seen.contains(key)) {
        let mut missing = about(
            &format!("{}/{}.json", language.tag, file.name),
            &format!(
                "The text `{key}` is missing. Take its line over from locales/en and translate it; a form that English has not \
                 stands among the others of its text."
            ),
        );
        missing.key = Some(key.clone());
        findings.push(missing);
    }
    if findings.is_empty() {
        findings.extend(order(&wanted, language, file));
    }
    findings
}

/// Why a key is not wanted.
fn unknown(english: &File, key: &str, forms: &Forms) -> String {
    let base = base(key);
    if !has_forms(english, base) {
        return "English has no such key. Remove it, or correct its name.".to_owned();
    }
    let expected: Vec<String> = forms
        .endings()
        .iter()
        .map(|ending| format!("`{base}{ending}`"))
        .collect();
    let found = ending(english, key).unwrap_or_default();
    let expected = expected.join(", ");
    if found.is_empty() {
        format!("This text has a form for each group of numbers. Expected: {expected}. Found: `{key}`.")
    } else {
        format!("The language has no form `{found}`. Expected: {expected}. Found: `{key}`.")
    }
}

/// The first key that stands in another place than in English.
fn order(wanted: &[String], language: &Language, file: &File) -> Option<Finding> {
    let mut rest = wanted.iter();
    let misplaced = file
        .entries
        .iter()
        .find(|entry| !rest.any(|key| *key == entry.key))?;
    Some(at(
        language,
        file,
        misplaced,
        "The key stands in another place than in English. Keep the order of English.".to_owned(),
    ))
}
