//! Texts that the product does more with than to show them: what stands around their values, and words that files are
//! compared with.

use super::at;
use crate::{
    Catalogue, Entry, File, Finding, Language,
    text::{Piece, pieces},
};

/// Where the words are that a file may say yes and no with.
const IMPORT: &str = "import";
const YES: &str = "yes_words";
const NO: &str = "no_words";
/// The sentence that names them.
const NAMED: &str = "bad_active";
/// What every file may say, whatever its language.
const ALWAYS: [(&str, &str); 6] = [
    ("yes", YES),
    ("true", YES),
    ("1", YES),
    ("no", NO),
    ("false", NO),
    ("0", NO),
];

/// What is wrong with a text of which the product uses what stands between its values.
pub fn taken_apart(file: &File, entry: &Entry) -> Option<String> {
    use Piece::{Placeholder, Words};

    if file.name != "common" {
        return None;
    }
    let pieces = pieces(&entry.text);
    let (is_good, expected) = match entry.key.as_str() {
        "two_sentences" => (
            matches!(
                pieces.as_slice(),
                [Placeholder("first"), Placeholder("second")]
                    | [Placeholder("first"), Words(" "), Placeholder("second")]
            ),
            "`{{ first }}` and `{{ second }}` with one blank or nothing between them",
        ),
        // A value at the end of its line can be copied, whatever stands before it.
        "labelled" => (
            matches!(
                pieces.as_slice(),
                [Placeholder("label"), Words(colon), Placeholder("value")]
                    if matches!(colon.trim(), ":" | "：") && colon.ends_with([' ', '：'])
            ),
            "`{{ label }}`, a colon and `{{ value }}`, with a blank behind the colon unless it is a wide one",
        ),
        _ => return None,
    };
    (!is_good).then(|| format!("Expected: {expected}. Found: `{}`.", entry.text))
}

/// The words for yes and no in the files that companies import: each for one of them in every language, and each named in the
/// sentence about a cell that holds neither.
pub fn yes_and_no(catalogue: &Catalogue) -> Vec<Finding> {
    let mut findings = Vec::new();
    let said: Vec<(&Language, &File, &Entry)> = catalogue
        .languages
        .iter()
        .filter_map(|language| Some((language, language.file(IMPORT)?)))
        .flat_map(|(language, file)| file.entries.iter().map(move |entry| (language, file, entry)))
        .filter(|(_, _, entry)| [YES, NO].contains(&entry.key.as_str()))
        .collect();
    for (place, (language, file, entry)) in said.iter().enumerate() {
        for word in entry.text.split_whitespace() {
            let means_other =
                |key: &str, known: &str| key != entry.key && known.to_lowercase() == word.to_lowercase();
            let always = ALWAYS.iter().any(|(known, key)| means_other(key, known));
            // Of two languages the later one has to give way.
            let other = said.iter().take(place).find(|(_, _, other)| {
                let mut words = other.text.split_whitespace();
                words.any(|known| means_other(&other.key, known))
            });
            let whose = if always {
                Some("that are always taken".to_owned())
            } else {
                other.map(|(language, _, other)| format!("of `{}` in locales/{}", other.key, language.tag))
            };
            if let Some(whose) = whose {
                let problem = format!(
                    "A file may be of any language, so a word means yes or no and never both. Expected: another word than those \
                     {whose}. Found: `{word}`."
                );
                findings.push(at(language, file, entry, problem));
            }
            if let Some(sentence) = file.text(NAMED).filter(|sentence| !sentence.contains(word)) {
                let problem = format!(
                    "The word has to be named in `{NAMED}`. Expected: `{word}` in it. Found: `{sentence}`."
                );
                findings.push(at(language, file, entry, problem));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(key: &str, text: &str) -> Option<String> {
        let entry = Entry {
            key: key.to_owned(),
            text: text.to_owned(),
            line: 1,
        };
        taken_apart(&File::parse("common", "{}"), &entry)
    }

    #[test]
    fn between_two_sentences_stands_a_blank_or_nothing() {
        for good in ["{{ first }} {{ second }}", "{{first}}{{ second }}"] {
            assert_eq!(shape("two_sentences", good), None);
        }
        for bad in [
            "{{ first }}. {{ second }}",
            "{{ second }} {{ first }}",
            "{{ first }}",
        ] {
            assert!(shape("two_sentences", bad).unwrap().contains(bad), "{bad}");
        }
    }

    #[test]
    fn a_value_stands_behind_a_colon() {
        for good in [
            "{{ label }}: {{ value }}",
            "{{ label }}\u{202f}: {{ value }}",
            "{{ label }}：{{ value }}",
        ] {
            assert_eq!(shape("labelled", good), None);
        }
        for bad in [
            "{{ label }}:{{ value }}",
            "{{ label }} – {{ value }}",
            "{{ value }}: {{ label }}",
            "{{ label }}: {{ value }}.",
        ] {
            assert!(shape("labelled", bad).unwrap().contains(bad), "{bad}");
        }
        assert_eq!(shape("title", "{{ label }}"), None);
    }

    #[test]
    fn a_word_is_for_yes_or_for_no_and_named() {
        let language = |tag: &str, yes: &str, no: &str, sentence: &str| Language {
            files: vec![File::parse(
                "import",
                &format!(
                    "{{\"bad_active\": \"{sentence}\",\n\"yes_words\": \"{yes}\",\n\"no_words\": \"{no}\"}}"
                ),
            )],
            ..Language::empty(tag)
        };
        let said = |others: Vec<Language>| {
            let english = language("en", "yes true", "no false", "yes, true, no, false");
            let catalogue = Catalogue {
                folder: "locales".into(),
                languages: [english].into_iter().chain(others).collect(),
            };
            let findings = yes_and_no(&catalogue).into_iter();
            findings.map(|finding| finding.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(
            said(vec![language("it", "sì vero", "no falso", "sì, vero, no, falso")]),
            [""; 0]
        );
        // Polish says “no” for yes, colloquially.
        let confused = said(vec![language("pl", "tak no", "nie", "tak, no, nie")]);
        assert_eq!(confused.len(), 1, "{confused:?}");
        assert!(
            confused[0].starts_with("locales/pl/import.json:2: yes_words:"),
            "{confused:?}"
        );
        let earlier = said(vec![
            language("it", "sì", "falso", "sì, falso"),
            language("xx", "falso", "nie", "falso, nie"),
        ]);
        assert!(
            earlier.len() == 1 && earlier[0].contains("of `no_words` in locales/it"),
            "{earlier:?}"
        );
        let unnamed = said(vec![language("it", "sì vero", "no", "sì, no")]);
        assert!(
            unnamed.len() == 1 && unnamed[0].contains("Expected: `vero` in it."),
            "{unnamed:?}"
        );
    }
}
