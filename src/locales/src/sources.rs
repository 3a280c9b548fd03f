//! `locales/sources.json`: of which English text each translation was made. One whose English text has changed since is stale.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
};

use serde::{Deserialize, Serialize};

use crate::{Catalogue, DEFAULT_LANGUAGE, Language, plural, text::base};

/// The file, below `locales/`.
pub const SOURCES: &str = "sources.json";

/// The hash of the English text, by key and language.
pub type Sources = BTreeMap<String, BTreeMap<String, String>>;

/// What stands in the file for a key.
#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum Source {
    /// Every language translates the same English text.
    All(String),
    /// By language.
    Each(BTreeMap<String, String>),
}

/// Reads the file; there is none before the first translation was accepted.
///
/// # Errors
/// What is wrong with it, as a sentence.
pub fn read(catalogue: &Catalogue) -> Result<Sources, String> {
    let text = match fs::read_to_string(catalogue.folder.join(SOURCES)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Sources::new()),
        Err(error) => return Err(format!("The file cannot be read: {error}.")),
    };
    let written: BTreeMap<String, Source> =
        serde_json::from_str(&text).map_err(|error| format!("The file holds no hashes: {error}."))?;
    let each = |source| match source {
        Source::All(hash) => translations(catalogue).map(|tag| (tag, hash.clone())).collect(),
        Source::Each(each) => each,
    };
    Ok(written
        .into_iter()
        .map(|(key, source)| (key, each(source)))
        .collect())
}

fn translations(catalogue: &Catalogue) -> impl Iterator<Item = String> {
    let others = catalogue
        .languages
        .iter()
        .filter(|language| language.tag != DEFAULT_LANGUAGE);
    others.map(|language| language.tag.clone())
}

/// Notes that the texts of `language` are translations of the English of today: all of them, or those of `keys`. Says how many
/// were noted anew.
///
/// # Errors
/// The file cannot be written, or what is there cannot be read.
pub fn accept(catalogue: &Catalogue, language: &Language, keys: &[String]) -> io::Result<usize> {
    let mut sources = read(catalogue).map_err(io::Error::other)?;
    let mut accepted = 0;
    for (key, hash) in hashes(catalogue, language) {
        if keys.is_empty() || keys.contains(&key) {
            let each = sources.entry(key).or_default();
            accepted += usize::from(each.insert(language.tag.clone(), hash.clone()).as_ref() != Some(&hash));
        }
    }
    write(catalogue, sources)?;
    Ok(accepted)
}

fn write(catalogue: &Catalogue, sources: Sources) -> io::Result<()> {
    let short = |each: BTreeMap<String, String>| {
        let hashes: BTreeSet<&String> = each.values().collect();
        match hashes.first() {
            Some(hash) if hashes.len() == 1 && translations(catalogue).all(|tag| each.contains_key(&tag)) => {
                Source::All((*hash).clone())
            }
            _ => Source::Each(each),
        }
    };
    let written: BTreeMap<String, Source> = sources
        .into_iter()
        .map(|(key, each)| (key, short(each)))
        .collect();
    let text = serde_json::to_string_pretty(&written)?;
    fs::write(catalogue.folder.join(SOURCES), text + "\n")
}

/// The keys of a language without their forms, and the hashes of the English texts that they translate.
pub fn hashes(catalogue: &Catalogue, language: &Language) -> BTreeMap<String, String> {
    let mut hashes = BTreeMap::new();
    for file in &language.files {
        let Some(english) = catalogue.english().and_then(|english| english.file(&file.name)) else {
            continue;
        };
        for entry in &file.entries {
            let key = if plural::has_forms(english, base(&entry.key)) {
                base(&entry.key)
            } else {
                &entry.key
            };
            let forms =
                [key, &[key, "_one"].concat(), &[key, "_other"].concat()].map(|key| english.text(key));
            let source: Vec<&str> = forms.into_iter().flatten().collect();
            if !source.is_empty() {
                hashes.insert(format!("{}.{key}", file.name), hash(&source.join("\n")));
            }
        }
    }
    hashes
}

/// Eight hexadecimal digits (FNV-1a, 32 bits): enough to notice a change, and nobody attacks it.
fn hash(text: &str) -> String {
    let hashed = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    format!("{hashed:08x}")
}

#[cfg(test)]
mod tests {
    use super::hash;

    #[test]
    fn the_hash_is_that_of_everybody() {
        assert_eq!(hash(""), "811c9dc5");
        assert_eq!(hash("foobar"), "bf9cf968");
    }
}
