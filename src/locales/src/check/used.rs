//! Texts that nothing says any more.

use std::{collections::HashSet, fs, path::Path};

use super::at;
use crate::{Finding, Language, plural::has_forms, text::base};

/// Tables whose rows name a text by its key alone, and the file that the key is in.
const TABLES: [(&str, &str); 1] = [("errors", "core/src/refusal.rs")];

/// Texts that no source below `code` names, as `file.key`.
pub fn unused(english: &Language, code: &Path) -> Vec<Finding> {
    let mut named = HashSet::new();
    read(code, &mut |source| named_in(source, &mut named));
    let rows = |(file, table): &(&str, &str)| {
        let source = fs::read_to_string(code.join(table)).unwrap_or_default();
        let words = words(&source).map(str::to_owned).collect::<HashSet<_>>();
        (file.to_string(), words)
    };
    let rows: Vec<(String, HashSet<String>)> = TABLES.iter().map(rows).collect();
    let mut findings = Vec::new();
    for file in &english.files {
        for entry in &file.entries {
            let key = if has_forms(file, base(&entry.key)) {
                base(&entry.key)
            } else {
                &entry.key
            };
            let in_a_table = rows
                .iter()
                .any(|(name, words)| *name == file.name && words.contains(key));
            if !in_a_table && !named.contains(&format!("{}.{key}", file.name)) {
                let problem = "Nothing says this text. Remove it from every language.".to_owned();
                findings.push(at(english, file, entry, problem));
            }
        }
    }
    findings
}

/// Hands the sources below a folder to `take`, one after the other.
fn read(folder: &Path, take: &mut impl FnMut(&str)) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            read(&path, take);
        } else if path.extension().is_some_and(|ending| ending == "rs")
            && let Ok(source) = fs::read_to_string(&path)
        {
            take(&source);
        }
    }
}

/// Adds every `one.other` of a source, whatever blanks are between.
fn named_in(source: &str, named: &mut HashSet<String>) {
    let mut before = "";
    let mut rest = source;
    while let Some(start) = rest.find(is_of_name) {
        let (between, from) = rest.split_at(start);
        let end = from.find(|letter| !is_of_name(letter)).unwrap_or(from.len());
        let (word, behind) = from.split_at(end);
        if between.trim() == "." && !before.is_empty() {
            named.insert(format!("{before}.{word}"));
        }
        before = word;
        rest = behind;
    }
}

fn words(source: &str) -> impl Iterator<Item = &str> {
    source.split(|letter| !is_of_name(letter))
}

fn is_of_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_named_by_its_file_and_key() {
        let mut named = HashSet::new();
        named_in(
            "td_string!(now, sign_in.title) phrase!(sign_in . intro) a::b",
            &mut named,
        );
        assert!(named.contains("sign_in.title") && named.contains("sign_in.intro"));
        assert!(!named.contains("a.b"));
    }
}
