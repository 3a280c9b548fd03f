//! `locales/sources.json`: of which English text each translation was made. One whose English text has changed since is stale.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
};

use serde::{Deserialize, Serialize};

use crate::{
    Catalogue, DEFAULT_LANGUAGE, Language,
    catalogue::{Broken, beside},
    plural,
    text::base,
};

/// The file, below `locales/`.
pub const SOURCES: &str = "sources.json";

/// How many keys are named that may be meant.
const NEAREST: usize = 3;
/// From which likeness on a key may be meant: 1 is the same.
const ALIKE: f64 = 0.8;

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
/// What is wrong with it, and where.
pub fn read(catalogue: &Catalogue) -> Result<Sources, Broken> {
    if !catalogue.folder.join(SOURCES).exists() {
        return Ok(Sources::new());
    }
    let written: BTreeMap<String, Source> = beside(&catalogue.folder, SOURCES, "a file of hashes")?;
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
/// One of the keys is none of the language, the file cannot be written, or what is there cannot be read.
pub fn accept(catalogue: &Catalogue, language: &Language, keys: &[String]) -> io::Result<usize> {
    let hashes = hashes(catalogue, language);
    let unknown = keys.iter().filter(|key| !hashes.contains_key(*key));
    let refused: Vec<String> = unknown.map(|key| unknown_key(key, language, &hashes)).collect();
    if !refused.is_empty() {
        return Err(io::Error::other(refused.join("\n")));
    }
    let mut sources =
        read(catalogue).map_err(|broken| io::Error::other(format!("{SOURCES}: {}", broken.problem)))?;
    let mut accepted = 0;
    for (key, hash) in hashes {
        if keys.is_empty() || keys.contains(&key) {
            let each = sources.entry(key).or_default();
            accepted += usize::from(each.insert(language.tag.clone(), hash.clone()).as_ref() != Some(&hash));
        }
    }
    write(catalogue, sources)?;
    Ok(accepted)
}

/// Why a key is not accepted, and what may be meant.
fn unknown_key(key: &str, language: &Language, known: &BTreeMap<String, String>) -> String {
    let whole = base(key);
    let nearest = if whole != key && known.contains_key(whole) {
        // All forms of a text are accepted together.
        vec![whole]
    } else {
        let mut alike: Vec<(f64, &str)> = known
            .keys()
            .map(|known| (strsim::jaro_winkler(key, known), known.as_str()))
            .filter(|(likeness, _)| *likeness > ALIKE)
            .collect();
        alike.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        alike.into_iter().map(|(_, known)| known).take(NEAREST).collect()
    };
    let expected = if nearest.is_empty() {
        "a key such as `sign_in.title`".to_owned()
    } else {
        format!("`{}`", nearest.join("`, `"))
    };
    format!(
        "`{}` has no text `{key}`. Expected: {expected}. Nothing was noted.",
        language.tag
    )
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
    use std::path::PathBuf;

    use super::*;
    use crate::File;

    #[test]
    fn a_mistyped_key_is_refused_with_the_nearest_ones() {
        let texts = "{\"title\":\"Sign in\",\"trust\":\"Trust\",\"n_one\":\"1\",\"n_other\":\"{{ count }}\"}";
        let language = |tag: &str| Language {
            files: vec![File::parse("sign_in", texts)],
            ..Language::empty(tag)
        };
        let catalogue = Catalogue {
            folder: PathBuf::from("no such folder"),
            languages: vec![language("en"), language("de")],
        };
        let refused = |key: &str| {
            let keys = ["sign_in.title".to_owned(), key.to_owned()];
            accept(&catalogue, &catalogue.languages[1], &keys)
                .unwrap_err()
                .to_string()
        };
        for (key, expected) in [
            ("sign_in.titel", "Expected: `sign_in.title`, "),
            ("sign_in.n_other", "Expected: `sign_in.n`."),
            ("x", "Expected: a key such as `sign_in.title`."),
        ] {
            let said = refused(key);
            assert!(said.contains(&format!("no text `{key}`. {expected}")), "{said}");
        }
    }

    #[test]
    fn the_hash_is_that_of_everybody() {
        assert_eq!(hash(""), "811c9dc5");
        assert_eq!(hash("foobar"), "bf9cf968");
    }
}
