//! `locales/notes.json`: for every English text what a translator cannot see in it.

use std::{collections::BTreeMap, fs, path::Path};

use serde::{Deserialize, Serialize};

/// The file, below `locales/`.
pub const NOTES: &str = "notes.json";

/// By key, such as `sign_in.title`; a text with a number by its key without a form.
pub type Notes = BTreeMap<String, Note>;

/// About one text.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// Where it stands, and as what.
    pub place: String,
    /// What each placeholder is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
    /// The longest useful length: in letters of Latin, Arabic or Cyrillic; a Chinese, Japanese or Korean one counts as two.
    pub longest: usize,
}

/// Reads the file in `folder`.
///
/// # Errors
/// What is wrong with it, as a sentence.
pub fn read(folder: &Path) -> Result<Notes, String> {
    let text = fs::read_to_string(folder.join(NOTES))
        .map_err(|error| format!("The file cannot be read: {error}."))?;
    serde_json::from_str(&text).map_err(|error| format!("The file holds no notes: {error}."))
}
