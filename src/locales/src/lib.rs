//! The files of `locales/`, read as files: by the build of the product, by the build of the site and by those who translate.
//!
//! Nothing here depends on the product, so that a translator has an answer in seconds; and nothing here stops at the first
//! mistake, so that one broken folder does not take the others along.

mod begin;
mod catalogue;
mod check;
mod glossary;
mod islands;
mod notes;
mod offered;
mod plural;
mod sources;
mod stats;
mod text;

pub use begin::PSEUDO;
pub use catalogue::{Broken, Catalogue, DEFAULT_LANGUAGE, Entry, File, Language};
pub use check::{EVENTS, Group, VERDICTS, check};
pub use islands::{ISLANDS, TEXTS};
pub use offered::{Finding, TRANSLATOR};
pub use sources::accept;
pub use stats::Progress;
