//! The legal texts: Markdown without HTML, with the headings and lists that English has.

use std::fs;

use super::{about, texts::is_invisible};
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
        findings.extend(marked_up(&path, &text));
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

/// What is wrong with the letters of a legal text, line by line.
fn marked_up(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut say = |line: usize, problem: String| {
        findings.push(Finding {
            line,
            ..about(path, &problem)
        });
    };
    if text.starts_with('\u{feff}') {
        say(
            1,
            "The file begins with a byte order mark. Save it as UTF-8 without one.".to_owned(),
        );
    } else if !text.starts_with("# ") {
        let first = text.lines().next().unwrap_or_default();
        say(
            1,
            format!("The text begins with its heading. Expected: `# ` and the title. Found: `{first}`."),
        );
    }
    for (text, line) in text.trim_start_matches('\u{feff}').lines().zip(1..) {
        for found in html(text) {
            say(
                line,
                format!(
                    "A legal text is Markdown without HTML, which would be shown as it is written. Expected: words, or `&lt;` for \
                     the letter `<`. Found: `{found}`."
                ),
            );
        }
        for letter in text.chars().filter(|letter| is_invisible(*letter)) {
            say(
                line,
                format!(
                    "There is a letter that nobody sees. Expected: none. Found: U+{:04X}.",
                    u32::from(letter)
                ),
            );
        }
    }
    findings
}

/// What of a line is HTML: from a `<` that begins an element, a comment or a declaration, up to its end. An address between
/// angle brackets is none.
fn html(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some((_, from)) = rest.split_once('<') {
        rest = from;
        let begins = from.starts_with(|letter: char| letter.is_ascii_alphabetic() || "/!?".contains(letter));
        let inside = from.split_once('>').map_or(from, |(inside, _)| inside);
        let address = inside.contains(['@', ':']) && !inside.contains([' ', '"', '=']);
        if begins && !address {
            let start = line.len() - from.len() - 1;
            found.push(
                line.get(start..=start + inside.len() + 1)
                    .or_else(|| line.get(start..))
                    .unwrap_or_default(),
            );
        }
    }
    found
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_is_found_and_addresses_are_not() {
        for (line, expected) in [
            ("one <b>two</b>", vec!["<b>", "</b>"]),
            ("<!-- note -->", vec!["<!-- note -->"]),
            ("a <br/> b", vec!["<br/>"]),
            (
                "<a href=\"https://example.org\">",
                vec!["<a href=\"https://example.org\">"],
            ),
            ("broken <b", vec!["<b"]),
            (
                "<https://example.org> or <privacy@example.org>, 1 < 2, &lt;b&gt;",
                vec![],
            ),
        ] {
            assert_eq!(html(line), expected, "{line}");
        }
    }

    #[test]
    fn a_legal_text_begins_with_its_heading() {
        let said = |text: &str| -> Vec<(usize, String)> {
            let findings = marked_up("it/terms.md", text).into_iter();
            findings.map(|finding| (finding.line, finding.problem)).collect()
        };
        assert_eq!(said("# Termini\n\n- uno\n"), []);
        for (text, line, words) in [
            ("Termini\n", 1, "Found: `Termini`"),
            ("\u{feff}# Termini\n", 1, "byte order mark"),
            ("# Termini\n\nu\u{200b}no\n", 3, "U+200B"),
            ("# Termini\n\n<p>uno\n", 3, "Found: `<p>`"),
        ] {
            let said = said(text);
            assert!(
                said.len() == 1 && said[0].0 == line && said[0].1.contains(words),
                "{said:?}"
            );
        }
    }
}
