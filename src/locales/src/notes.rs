//! `locales/notes.json`: for every English text what a translator cannot see in it.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};

use crate::catalogue::{Broken, beside};

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
    /// Words that stay as they are in every language, because programs read or write them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keep: Vec<String>,
    /// The longest useful length: in letters of Latin, Arabic or Cyrillic; a Chinese, Japanese or Korean one counts as two.
    pub longest: usize,
}

/// Reads the file in `folder`.
///
/// # Errors
/// What is wrong with it, and where.
pub fn read(folder: &Path) -> Result<Notes, Broken> {
    beside(folder, NOTES, "a file of notes")
}
