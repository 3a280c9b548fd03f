//! Reading the folder.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use icu_locale::{LanguageIdentifier, LocaleDirectionality};
use jsonc_parser::{
    ParseOptions,
    ast::{ObjectPropName, Value},
    common::Ranged as _,
    parse_to_ast,
};
use serde::de::DeserializeOwned;

/// The language that every other is translated from.
pub const DEFAULT_LANGUAGE: &str = "en";
/// A folder with a file of this name is checked and not offered.
pub const DRAFT: &str = "draft";

/// Every language there is, English first, then by tag.
#[derive(Debug)]
pub struct Catalogue {
    /// The folder of all.
    pub folder: PathBuf,
    /// What its folders hold.
    pub languages: Vec<Language>,
}

/// One folder.
#[derive(Debug)]
pub struct Language {
    /// Its name, which should be a language tag.
    pub tag: String,
    /// Whether it is not offered yet.
    pub draft: bool,
    /// Its JSON files, by name.
    pub files: Vec<File>,
    /// The names of everything else in it, sorted.
    pub others: Vec<String>,
}

/// One JSON file.
#[derive(Debug)]
pub struct File {
    /// Its name without `.json`.
    pub name: String,
    /// Its texts in their order; empty when it cannot be read.
    pub entries: Vec<Entry>,
    /// Why it, or a part of it, cannot be used.
    pub broken: Vec<Broken>,
}

/// One text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: String,
    /// What it says.
    pub text: String,
    /// The line of the key, from 1.
    pub line: usize,
}

/// What cannot be read, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The line, from 1.
    pub line: usize,
    /// The key, where it is known.
    pub key: Option<String>,
    /// What is wrong, as a sentence.
    pub problem: String,
}

impl Catalogue {
    /// Reads `folder`, which is `locales/`.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let mut languages = Vec::new();
        for name in names(folder)? {
            let path = folder.join(&name);
            if path.is_dir() {
                languages.push(Language::read(name, &path)?);
            }
        }
        // Stable: the others stay sorted by tag.
        languages.sort_by_key(|language| language.tag != DEFAULT_LANGUAGE);
        Ok(Self {
            folder: folder.to_owned(),
            languages,
        })
    }

    /// The language with this tag.
    pub fn language(&self, tag: &str) -> Option<&Language> {
        self.languages.iter().find(|language| language.tag == tag)
    }

    /// English.
    pub fn english(&self) -> Option<&Language> {
        self.language(DEFAULT_LANGUAGE)
    }
}

impl Language {
    /// A language of which nothing is there.
    pub fn empty(tag: &str) -> Self {
        Self {
            tag: tag.to_owned(),
            draft: false,
            files: Vec::new(),
            others: Vec::new(),
        }
    }

    fn read(tag: String, folder: &Path) -> io::Result<Self> {
        let (mut files, mut others) = (Vec::new(), Vec::new());
        for name in names(folder)? {
            match name.strip_suffix(".json") {
                Some(stem) => files.push(File::read(stem, &folder.join(&name))),
                None => others.push(name),
            }
        }
        Ok(Self {
            draft: others.iter().any(|name| name == DRAFT),
            tag,
            files,
            others,
        })
    }

    /// The file with this name, which has no ending.
    pub fn file(&self, name: &str) -> Option<&File> {
        self.files.iter().find(|file| file.name == name)
    }

    /// What a key such as `sign_in.title` says.
    pub fn text(&self, path: &str) -> Option<&str> {
        let (file, key) = path.split_once('.')?;
        self.file(file)?.text(key)
    }

    /// The tag, when the name of the folder is one as Unicode writes it: `fr-CA`, neither `fr_CA` nor `fr-ca`.
    pub fn identifier(&self) -> Option<LanguageIdentifier> {
        let read: LanguageIdentifier = self.tag.parse().ok()?;
        (!read.language.is_unknown() && read.to_string() == self.tag).then_some(read)
    }

    /// Whether it is written from right to left.
    pub fn is_rtl(&self) -> bool {
        self.identifier()
            .is_some_and(|id| LocaleDirectionality::new_common().is_right_to_left(&id))
    }
}

impl File {
    /// Reads one file, whatever its state.
    fn read(name: &str, path: &Path) -> Self {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) => return Self::unreadable(name, 1, format!("The file cannot be read: {error}.")),
        };
        match std::str::from_utf8(&bytes) {
            Ok(text) => Self::parse(name, text),
            Err(error) => {
                let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
                let line = good.split(|byte| *byte == b'\n').count();
                Self::unreadable(name, line, "The file is not UTF-8. Save it as UTF-8.".to_owned())
            }
        }
    }

    /// Reads the text of a file.
    pub fn parse(name: &str, text: &str) -> Self {
        if text.starts_with('\u{feff}') {
            let problem = "The file begins with a byte order mark. Save it as UTF-8 without one.";
            let rest = Self::parse(name, text.trim_start_matches('\u{feff}'));
            let mut broken = vec![Broken {
                line: 1,
                key: None,
                problem: problem.to_owned(),
            }];
            broken.extend(rest.broken);
            return Self { broken, ..rest };
        }
        // Strict, and with a line; the other reader is lenient and knows where everything stands.
        if let Err(error) = serde_json::from_str::<serde_json::Value>(text) {
            let line = error.line().max(1);
            let what = error.to_string();
            let what = what.split(" at line ").next().unwrap_or_default();
            let whole = Self::unreadable(
                name,
                line,
                format!(
                    "The file is not JSON: {what}. Often the line before lacks its comma, or a quotation mark inside a text lacks \
                 the `\\` before it."
                ),
            );
            return Self::line_by_line(name, text).unwrap_or(whole);
        }
        Self::texts(name, text)
    }

    /// What can be read of a file that is not JSON, a text on each line, and every line that is the reason. `None` when the lines
    /// do not say it.
    fn line_by_line(name: &str, text: &str) -> Option<Self> {
        let lines: Vec<(usize, &str)> = (1..)
            .zip(text.lines().map(str::trim))
            .filter(|(_, line)| !matches!(*line, "" | "{" | "}"))
            .collect();
        let (last, _) = lines.last()?;
        let mut file = Self {
            name: name.to_owned(),
            entries: Vec::new(),
            broken: Vec::new(),
        };
        for (line, text) in &lines {
            let pair = text.strip_suffix(',');
            let read = Self::texts(name, &["{", pair.unwrap_or(text), "}"].concat());
            let strict =
                serde_json::from_str::<serde_json::Value>(&["{", pair.unwrap_or(text), "}"].concat());
            let problem = match (strict, pair) {
                (Err(_), _) => {
                    "This line is not `\"key\": \"text\",`. Often a quotation mark is missing, or one inside the text lacks the `\\` \
                     before it."
                }
                (Ok(_), None) if line != last => "The comma at the end of this line is missing.",
                (Ok(_), Some(_)) if line == last => "Behind the last text stands no comma. Remove it.",
                (Ok(_), _) => "",
            };
            if !problem.is_empty() {
                let key = text.split('"').nth(1).filter(|_| text.starts_with('"'));
                file.broken.push(Broken {
                    line: *line,
                    key: key.map(str::to_owned),
                    problem: problem.to_owned(),
                });
            }
            file.entries.extend(
                read.entries
                    .into_iter()
                    .map(|entry| Entry { line: *line, ..entry }),
            );
        }
        // A file that is laid out in another way would have a finding for each of its lines.
        (!file.broken.is_empty() && file.broken.len() * 2 <= lines.len()).then_some(file)
    }

    /// The texts of a file that is JSON.
    fn texts(name: &str, text: &str) -> Self {
        let line_of = |position: usize| 1 + text.bytes().take(position).filter(|byte| *byte == b'\n').count();
        let parsed = parse_to_ast(
            text,
            &jsonc_parser::CollectOptions::default(),
            &ParseOptions::default(),
        );
        let Some(Value::Object(object)) = parsed.ok().and_then(|parsed| parsed.value) else {
            return Self::unreadable(
                name,
                1,
                "The file must hold one object of keys and texts.".to_owned(),
            );
        };
        let (mut entries, mut broken) = (Vec::new(), Vec::new());
        for property in object.properties {
            let line = line_of(property.start());
            let ObjectPropName::String(key) = property.name else {
                continue;
            };
            let key = key.value.into_owned();
            match property.value {
                Value::StringLit(text) => entries.push(Entry {
                    key,
                    text: text.value.into_owned(),
                    line,
                }),
                _ => broken.push(Broken {
                    line,
                    key: Some(key),
                    problem: "Only a text may stand here, in double quotes.".to_owned(),
                }),
            }
        }
        Self {
            name: name.to_owned(),
            entries,
            broken,
        }
    }

    fn unreadable(name: &str, line: usize, problem: String) -> Self {
        Self {
            name: name.to_owned(),
            entries: Vec::new(),
            broken: vec![Broken {
                line,
                key: None,
                problem,
            }],
        }
    }

    /// What a key says; the first when it stands there twice.
    pub fn text(&self, key: &str) -> Option<&str> {
        let found = self.entries.iter().find(|entry| entry.key == key)?;
        Some(&found.text)
    }
}

/// Reads a file that stands beside the folders. `what` is what it should be, as in `a glossary`.
///
/// # Errors
/// Why it cannot be used, and where.
pub fn beside<T: DeserializeOwned>(folder: &Path, name: &str, what: &str) -> Result<T, Broken> {
    let broken = |line, problem| Broken {
        line,
        key: None,
        problem,
    };
    let text = fs::read_to_string(folder.join(name))
        .map_err(|error| broken(0, format!("The file cannot be read: {error}.")))?;
    serde_json::from_str(&text).map_err(|error| {
        let said = error.to_string();
        let why = said.split(" at line ").next().unwrap_or_default();
        broken(
            error.line(),
            format!("The file is not {what}: {why}. Correct this first: what depends on it is not checked."),
        )
    })
}

/// The names in a folder, hidden ones left out, sorted.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(text: &str) -> Vec<(usize, String)> {
        let file = File::parse("x", text);
        file.broken
            .into_iter()
            .map(|broken| (broken.line, broken.problem))
            .collect()
    }

    #[test]
    fn texts_are_read_with_their_lines() {
        let file = File::parse(
            "x",
            "{\n  \"a\": \"1\",\n  \"b\": \"\\u00e4\",\n  \"a\": \"2\"\n}\n",
        );
        let read: Vec<_> = file
            .entries
            .iter()
            .map(|entry| (entry.key.as_str(), entry.text.as_str(), entry.line))
            .collect();
        assert_eq!(read, [("a", "1", 2), ("b", "ä", 3), ("a", "2", 4)]);
        assert_eq!(file.broken, []);
        assert_eq!(file.text("a"), Some("1"));
    }

    #[test]
    fn what_is_broken_is_said_with_its_line() {
        assert_eq!(broken("{\n  \"a\": \"1\"\n  \"b\": \"2\"\n}")[0].0, 2);
        assert_eq!(broken("{\n  \"a\": \"1\",\n}")[0].0, 3);
        assert_eq!(broken("// no\n{}")[0].0, 1);
        assert_eq!(broken("")[0].0, 1);
        assert_eq!(broken("[]").len(), 1);
        let mark = broken("\u{feff}{\"a\":\n 1}");
        assert_eq!(mark.len(), 2);
        assert!(mark[0].1.contains("byte order mark"));
    }

    #[test]
    fn every_line_that_is_broken_is_said_and_the_others_are_read() {
        let lines = [
            "{",
            "  \"a\": \"1\",",
            "  \"b\": \"2\"",
            "  \"c\": \"say \"three\"\",",
            "  \"d\": \"4\",",
            "  \"e\": \"5\",",
            "  \"f\": \"6\",",
            "}",
        ];
        let file = File::parse("x", &lines.join("\n"));
        let said: Vec<_> = file
            .broken
            .iter()
            .map(|broken| (broken.line, broken.key.as_deref()))
            .collect();
        assert_eq!(said, [(3, Some("b")), (4, Some("c")), (7, Some("f"))]);
        let read: Vec<_> = file.entries.iter().map(|entry| entry.line).collect();
        assert_eq!(read, [2, 3, 5, 6, 7]);
        assert!(file.broken[0].problem.contains("comma"), "{said:?}");
    }

    #[test]
    fn a_part_that_is_no_text_leaves_the_others() {
        let file = File::parse("x", "{\"a\": {\"b\": \"1\"}, \"c\": \"2\"}");
        assert_eq!(file.text("c"), Some("2"));
        assert_eq!(file.broken[0].key.as_deref(), Some("a"));
    }

    #[test]
    fn only_a_tag_as_unicode_writes_it_is_one() {
        let language = Language::empty;
        for good in ["en", "pt-BR", "zh-Hans", "fr-CA"] {
            assert!(language(good).identifier().is_some(), "{good}");
        }
        for bad in ["fr_CA", "fr-ca", "FR", "french", "und", "x", "zh-hant", ""] {
            assert!(language(bad).identifier().is_none(), "{bad}");
        }
        assert!(language("ar").is_rtl() && !language("ja").is_rtl());
    }
}
