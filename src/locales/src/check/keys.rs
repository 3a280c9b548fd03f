//! Files and keys: none missing, none unknown, none twice, in the order of English.

use std::collections::BTreeSet;

use super::{about, at};
use crate::{
    DEFAULT_LANGUAGE, Entry, File, Finding, Language,
    plural::{Forms, ending, has_forms, source, wanted},
    text::base,
};

/// The files of a language are among those of English. That one is missing is said where languages are left out.
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
    if !language.draft {
        findings.extend(missing(english, &wanted, language, file));
    }
    if findings.is_empty() {
        findings.extend(order(&wanted, language, file));
    }
    findings
}

/// The texts that are not there, each at the line behind which it belongs.
fn missing(english: &File, wanted: &[String], language: &Language, file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut before: Option<&Entry> = None;
    let cannot_be_read: BTreeSet<_> = file
        .broken
        .iter()
        .filter_map(|broken| broken.key.as_ref())
        .collect();
    for key in wanted {
        let here = file.entries.iter().find(|entry| entry.key == *key);
        if here.is_some() || cannot_be_read.contains(key) {
            before = here.or(before);
            continue;
        }
        let place = match before {
            Some(before) => format!("behind `{}`, which is in this line", before.key),
            None => "at the beginning of the file".to_owned(),
        };
        findings.push(Finding {
            file: format!("{}/{}.json", language.tag, file.name),
            line: before.map_or(1, |before| before.line),
            key: Some(key.clone()),
            problem: format!(
                "The text is missing. Expected: its translation {place}. English: `{}`.",
                source(english, key).unwrap_or_default()
            ),
        });
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
