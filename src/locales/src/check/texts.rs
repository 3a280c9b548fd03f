//! What every text must be: plain, trimmed, with the placeholders of English.

use std::collections::BTreeSet;

use crate::{
    Entry, File,
    plural::{COUNT, Forms, ending, source},
    text,
};

/// Marks of the direction in which words run.
fn is_direction(letter: char) -> bool {
    matches!(letter, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Letters that nobody sees: they break searches and are typed by accident. Blanks that do not break are no such letters.
pub fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}')
        || (letter.is_control())
}

/// What is wrong with the letters of a text.
pub fn plain(entry: &Entry) -> Vec<String> {
    let text = entry.text.as_str();
    let mut problems = Vec::new();
    let mut say = |problem: &str| problems.push(problem.to_owned());
    if text.trim().is_empty() {
        say("The text is empty.");
        return problems;
    }
    if text != text.trim() {
        say("The text begins or ends with a blank. Remove it.");
    }
    if text.contains("  ") {
        say("There are two blanks in a row. One is enough.");
    }
    if text.contains(['<', '>']) {
        say("A text is plain: no HTML and none of the letters `<` and `>`.");
    }
    if text
        .chars()
        .any(|letter| letter.is_numeric() && !letter.is_ascii())
    {
        say("Digits are written as 0 to 9.");
    }
    for letter in text.chars().filter(|letter| is_invisible(*letter)) {
        let code = u32::from(letter);
        problems.push(if is_direction(letter) {
            format!(
                "There is a mark of direction, which nobody sees: U+{code:04X}. Remove it: pages and mails draw a border around \
                 every value of the other direction by themselves, and marks in a file would be doubled or forgotten."
            )
        } else {
            format!("There is a letter that nobody sees. Expected: none. Found: U+{code:04X}.")
        });
    }
    problems
}

/// Placeholders that are missing. Those that English has not are said elsewhere: the product cannot be built with them.
pub fn placeholders(english: &File, entry: &Entry, forms: &Forms) -> Vec<String> {
    let Some(source) = source(english, &entry.key) else {
        return Vec::new();
    };
    let mut wanted: BTreeSet<&str> = text::placeholders(source).collect();
    let found: BTreeSet<&str> = text::placeholders(&entry.text).collect();
    match ending(english, &entry.key) {
        Some(ending) if forms.is_one_number(ending) => {
            wanted.remove(COUNT);
        }
        Some(_) => {
            wanted.insert(COUNT);
        }
        None => {}
    }
    wanted
        .difference(&found)
        .map(|name| format!("The text lacks `{{{{ {name} }}}}`. English: `{source}`."))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let entry = Entry {
            key: "a".to_owned(),
            text: text.to_owned(),
            line: 1,
        };
        plain(&entry)
    }

    #[test]
    fn only_plain_texts_pass() {
        for good in ["Sign in", "Mot de passe\u{a0}:", "{{ a }} & b", "密码"] {
            assert_eq!(problems(good), Vec::<String>::new(), "{good}");
        }
        for bad in ["", " ", "a ", "a  b", "<b>", "٣ أيام", "a\u{200b}b", "a\nb"] {
            assert_eq!(problems(bad).len(), 1, "{bad:?}");
        }
    }

    #[test]
    fn marks_of_direction_are_left_to_the_product() {
        for mark in [
            '\u{61c}', '\u{200e}', '\u{200f}', '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}',
        ] {
            let said = problems(&format!("مرحبًا، {mark}{{{{ name }}}}"));
            let code = format!("U+{:04X}. Remove it", u32::from(mark));
            assert!(said.len() == 1 && said[0].contains(&code), "{said:?}");
        }
        assert_eq!(problems("\u{2068}{{ name }}\u{2069}").len(), 2);
    }

    #[test]
    fn placeholders_of_english_are_wanted() {
        let english = File::parse(
            "a",
            "{\"x\":\"{{ a }}\",\"n_one\":\"{{ count }}\",\"n_other\":\"{{ count }} of {{ a }}\"}",
        );
        let arabic = Forms::of("ar").unwrap();
        let lacks = |key: &str, text: &str| {
            let entry = Entry {
                key: key.to_owned(),
                text: text.to_owned(),
                line: 1,
            };
            placeholders(&english, &entry, &arabic).len()
        };
        assert_eq!(lacks("x", "b"), 1);
        assert_eq!(lacks("x", "{{a}}"), 0);
        assert_eq!(lacks("n_few", "{{ a }}"), 1);
        assert_eq!(lacks("n_two", "{{ a }}"), 0);
        assert_eq!(lacks("n_other", "b"), 2);
    }
}
