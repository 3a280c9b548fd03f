//! The legal texts: as many headings and lists as English has.

use std::fs;

use super::about;
use crate::{Catalogue, DEFAULT_LANGUAGE, Finding, Language};

/// The files that are no JSON.
pub const TEXTS: [&str; 2] = ["privacy.md", "terms.md"];

/// What is wrong with the legal texts of a language. A draft may lack them.
pub fn legal(catalogue: &Catalogue, language: &Language) -> Vec<Finding> {
    let mut findings = Vec::new();
    let read = |tag: &str, name: &str| fs::read_to_string(catalogue.folder.join(tag).join(name)).ok();
    for name in TEXTS {
        let path = format!("{}/{name}", language.tag);
        let Some(text) = read(&language.tag, name) else {
            if !language.draft {
                findings.push(about(&path, "The file is missing, or it is not UTF-8."));
            }
            continue;
        };
        let english = read(DEFAULT_LANGUAGE, name).unwrap_or_default();
        if language.tag == DEFAULT_LANGUAGE || (language.draft && text == english) {
            continue;
        }
        if text == english {
            findings.push(about(&path, "The text is still English."));
        }
        let (expected, found) = (marks(&english), marks(&text));
        let same = expected
            .iter()
            .zip(&found)
            .take_while(|((one, _), (other, _))| one == other)
            .count();
        if same < expected.len().max(found.len()) {
            let place = found.get(same).or(found.last()).map_or(1, |(_, line)| *line);
            let mut differs = about(
                &path,
                &format!(
                    "Headings and lists differ from English. Expected: {} of them. Found: {}; the first that differs is here.",
                    expected.len(),
                    found.len()
                ),
            );
            differs.line = place;
            findings.push(differs);
        }
    }
    for other in &language.others {
        if !TEXTS.contains(&other.as_str()) && other != "draft" {
            findings.push(about(
                &format!("{}/{other}", language.tag),
                "There is no such file in any language. Remove it. (What marks a draft is called `draft`, without an ending.)",
            ));
        }
    }
    findings
}

/// The marks of headings and lists in their order, each with its line.
fn marks(text: &str) -> Vec<(String, usize)> {
    let lines = text.lines().zip(1..);
    let marked = lines.filter_map(|(text, line)| {
        let (mark, _) = text.split_once(' ')?;
        (mark.starts_with('#') || mark == "-").then(|| (mark.to_owned(), line))
    });
    marked.collect()
}
