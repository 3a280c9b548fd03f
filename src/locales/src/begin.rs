//! Beginning a language, and languages that nobody speaks, which show what is not translated and what is too narrow.

use std::{fs, io};

use crate::{
    Catalogue, DEFAULT_LANGUAGE, File, Language,
    catalogue::DRAFT,
    check::LEGAL,
    glossary::{GLOSSARY, Glossary},
    plural::{self, Forms},
    text::{Piece, pieces},
};

/// The languages that nobody speaks: accented English, and the same from right to left.
pub const PSEUDO: [&str; 2] = ["en-XA", "ar-XB"];
/// How much longer than English texts are that nobody speaks, in percent: German and French are hardly ever longer.
const LONGER: usize = 40;

impl Catalogue {
    /// Makes the folder of a new language, a draft in which every text is still English, and places for its words in the
    /// glossary.
    ///
    /// # Errors
    /// The tag is none, the language is there already, the glossary cannot be read, or a file cannot be written.
    pub fn begin(&self, tag: &str) -> io::Result<usize> {
        let language = Language::empty(tag);
        if language.identifier().is_none() {
            return Err(io::Error::other(format!(
                "`{tag}` is not a language tag as Unicode writes it; such as `it`, `pt-PT` or `zh-Hant`."
            )));
        }
        if self.folder.join(tag).exists() {
            return Err(io::Error::other(format!(
                "There is a folder locales/{tag} already."
            )));
        }
        // Read before anything is written: what is begun is begun whole.
        let mut glossary = Glossary::read(&self.folder)
            .map_err(|broken| io::Error::other(format!("{GLOSSARY}: {}", broken.problem)))?;
        let texts = self.write(&language, str::to_owned)?;
        glossary.begin(tag);
        glossary.write(&self.folder)?;
        Ok(texts)
    }

    /// Makes the languages that nobody speaks anew.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn pseudo(&self) -> io::Result<usize> {
        let mut texts = 0;
        for tag in PSEUDO {
            texts = self.write(&Language::empty(tag), accented)?;
        }
        Ok(texts)
    }

    /// Writes every file of a language as a draft, made of the English ones. Says how many texts that were.
    fn write(&self, language: &Language, make: fn(&str) -> String) -> io::Result<usize> {
        let (Some(english), Some(forms)) = (self.english(), Forms::of(&language.tag)) else {
            return Err(io::Error::other("There is no English."));
        };
        let folder = self.folder.join(&language.tag);
        fs::create_dir_all(&folder)?;
        let mut texts = 0;
        for file in &english.files {
            let own = of_english(file, &forms, &language.tag, make);
            texts += own.len();
            fs::write(folder.join(format!("{}.json", file.name)), json(&own)?)?;
        }
        for name in LEGAL {
            let text = fs::read_to_string(self.folder.join(DEFAULT_LANGUAGE).join(name))?;
            let lines: Vec<String> = text.lines().map(|line| in_line(line, make)).collect();
            fs::write(folder.join(name), lines.join("\n") + "\n")?;
        }
        fs::write(folder.join(DRAFT), "")?;
        Ok(texts)
    }
}

/// The texts of a file in the forms of a language. Its name tells a language from every other.
fn of_english(english: &File, forms: &Forms, tag: &str, make: fn(&str) -> String) -> Vec<(String, String)> {
    plural::wanted(english, forms)
        .into_iter()
        .map(|key| {
            let source = plural::source(english, &key).unwrap_or_default();
            let text = if key == "language_name" {
                tag.to_owned()
            } else {
                make(source)
            };
            (key, text)
        })
        .collect()
}

/// One object, a text on each line, as the files are kept.
fn json(texts: &[(String, String)]) -> io::Result<String> {
    let quoted = |text: &String| serde_json::to_string(text);
    let lines = texts
        .iter()
        .map(|(key, text)| Ok(format!("  {}: {}", quoted(key)?, quoted(text)?)))
        .collect::<io::Result<Vec<String>>>()?;
    Ok(format!("{{\n{}\n}}\n", lines.join(",\n")))
}

/// The words of a line of Markdown; what makes it a heading or an entry of a list stays.
fn in_line(line: &str, make: fn(&str) -> String) -> String {
    let words = line.trim_start_matches(['#', '-', ' ']);
    let (mark, words) = line.split_at(line.len() - words.len());
    if words.is_empty() {
        line.to_owned()
    } else {
        [mark, &make(words)].concat()
    }
}

/// A text with an accent on every letter that can have one, in brackets, and longer.
fn accented(text: &str) -> String {
    let mut made = String::from("[");
    let mut letters = 0;
    for piece in pieces(text) {
        match piece {
            Piece::Words(words) => {
                letters += words.chars().count();
                made.extend(words.chars().map(accent));
            }
            Piece::Placeholder(name) => made.extend(["{{ ", name, " }}"]),
        }
    }
    let more = (letters * LONGER).div_ceil(100);
    made.extend(" ~".chars().cycle().take(more));
    made.push(']');
    made
}

fn accent(letter: char) -> char {
    const PLAIN: &str = "ACDEGHIJKLNORSTUWYZacdeghijklnorstuwyz";
    const ACCENTED: &str = "ÁÇĎÉĞĤÍĴĶĹÑÓŔŠŤÚŴÝŽáçďéğĥíĵķĺñóŕšťúŵýž";
    let place = PLAIN.chars().position(|plain| plain == letter);
    place
        .and_then(|place| ACCENTED.chars().nth(place))
        .unwrap_or(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_speaks_it_and_it_is_longer() {
        assert_eq!(accented("Sign in"), "[Šíğñ íñ ~ ]");
        assert_eq!(accented("{{ days }} days"), "[{{ days }} ďáýš ~]");
        assert_eq!(in_line("## Data", accented), "## [Ďáťá ~]");
        assert_eq!(in_line("", accented), "");
    }

    #[test]
    fn a_new_language_has_its_own_forms() {
        let english = File::parse(
            "common",
            "{\"language_name\":\"English\",\"n_one\":\"a\",\"n_other\":\"{{ count }} b\"}",
        );
        let made = of_english(&english, &Forms::of("ja").unwrap(), "ja", str::to_owned);
        let text = json(&made).unwrap();
        assert_eq!(
            text,
            "{\n  \"language_name\": \"ja\",\n  \"n\": \"{{ count }} b\"\n}\n"
        );
        assert_eq!(File::parse("common", &text).broken, []);
    }
}
