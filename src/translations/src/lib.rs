//! Every sentence a user reads, and which language it is said in.
//!
//! `locales/<language>/*.json` becomes typed keys at compile time: `td_string!(locale, sign_in.title)`. A key or
//! placeholder that English does not have stops the build where it is used; a language with a gap shows a warning
//! in the build, falls back to English and fails the tests of this crate.
//!
//! The browser's half uses this crate too. Strings that no island uses are dropped from the WebAssembly.

#[cfg(feature = "ssr")]
pub mod detail;
#[cfg(feature = "ssr")]
pub mod labels;
pub mod language;
#[cfg(feature = "ssr")]
pub mod legal;
pub mod refusal;
pub mod time;

#[cfg(test)]
mod tests;

#[cfg(feature = "ssr")]
pub use detail::{event_detail, proof_name};
pub use generated::i18n;
pub use i18n::Locale;
#[cfg(feature = "ssr")]
pub use labels::{event_name, verdict_sentence, yes_or_no};
#[cfg(feature = "ssr")]
pub use language::negotiate;
pub use language::{all, direction, from_tag, is_rtl, name, tag};
#[doc(hidden)]
pub use leptos_i18n;
pub use time::wait;

mod generated {
    #![expect(
        missing_docs,
        unused_qualifications,
        clippy::expect_used,
        clippy::pedantic,
        reason = "generated from locales/; its only expect() is on a tag that was parsed at compile time"
    )]
    include!(concat!(env!("OUT_DIR"), "/i18n/mod.rs"));
}

/// The text of a key in one language: `td_string!(locale, sign_in.title)` is a `&'static str`,
/// `td_string!(locale, common.signed_in_as, name = "Ada")` a `String`.
#[macro_export]
macro_rules! td_string {
    ($($input:tt)*) => {{
        // The library's macro names its own crate; this makes the name known to crates that do not depend on it.
        use $crate::leptos_i18n;
        leptos_i18n::td_string!($($input)*)
    }};
}
