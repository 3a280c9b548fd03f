//! Every sentence a user reads, and which language it is said in.
//!
//! On the server `locales/<language>/*.json` becomes typed keys at compile time: `td_string!(locale, sign_in.title)`. A key or
//! placeholder that English does not have stops the build where it is used; a language with a gap shows a warning
//! in the build and falls back to English.
//!
//! The browser's half uses this crate too, with the same macro, and has no text in it: the page brings those of its language,
//! other languages are files. Only the keys of `vestibule_locales::ISLANDS` compile there.

#[cfg(target_arch = "wasm32")]
mod browser;
#[cfg(feature = "ssr")]
mod details;
#[cfg(any(target_arch = "wasm32", test))]
mod fill;
mod isolation;
#[cfg(feature = "ssr")]
pub mod labels;
#[cfg(not(target_arch = "wasm32"))]
pub mod language;
#[cfg(feature = "ssr")]
pub mod legal;
#[cfg(feature = "ssr")]
mod moments;
pub mod refusal;
pub mod time;
mod together;

#[cfg(test)]
mod tests;

#[cfg(target_arch = "wasm32")]
pub use browser::{Key, Locale, direction, from_tag, keys, learn, tag};
#[cfg(feature = "ssr")]
pub use details::{event_detail, list, proof_name};
#[cfg(not(target_arch = "wasm32"))]
pub use generated::i18n;
#[cfg(not(target_arch = "wasm32"))]
pub use i18n::Locale;
pub use isolation::isolate;
#[cfg(not(target_arch = "wasm32"))]
#[doc(hidden)]
pub use isolation::placed;
#[cfg(feature = "ssr")]
pub use labels::{event_name, verdict_sentence, yes_or_no};
#[cfg(feature = "ssr")]
pub use language::negotiate;
#[cfg(not(target_arch = "wasm32"))]
pub use language::{all, direction, from_tag, is_rtl, island_texts, name, tag};
#[cfg(not(target_arch = "wasm32"))]
#[doc(hidden)]
pub use leptos_i18n;
#[cfg(feature = "ssr")]
pub use moments::{Times, browser_name};
pub use time::wait;
pub use together::sentences;

#[cfg(not(target_arch = "wasm32"))]
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
/// `td_string!(locale, common.signed_in_as, name = "Ada")` a `String`. A value that is written in the other direction stands
/// between marks, as [`isolate`] makes them; `count`, which chooses the form, is a number.
#[cfg(not(target_arch = "wasm32"))]
#[macro_export]
macro_rules! td_string {
    ($locale:expr, $file:ident . $key:ident $(,)?) => {{
        // The library's macro names its own crate; this makes the name known to crates that do not depend on it.
        use $crate::leptos_i18n;
        leptos_i18n::td_string!($locale, $file.$key)
    }};
    ($locale:expr, $file:ident . $key:ident, $($name:ident = $value:expr),+ $(,)?) => {{
        use $crate::leptos_i18n;
        let locale = $locale;
        let ($($name,)+) = ($($crate::placed!(locale, $name, $value),)+);
        leptos_i18n::td_string!(locale, $file.$key, $($name),+)
    }};
}

/// What the library's macro is given for a placeholder.
#[cfg(not(target_arch = "wasm32"))]
#[doc(hidden)]
#[macro_export]
macro_rules! placed {
    ($locale:expr, count, $value:expr) => {
        $value
    };
    ($locale:expr, $name:ident, $value:expr) => {
        $crate::placed($locale, $value)
    };
}

/// The text of a key that an island says: as on the server.
#[cfg(target_arch = "wasm32")]
#[macro_export]
macro_rules! td_string {
    ($locale:expr, $file:ident . $key:ident $(,)?) => {
        $crate::Locale::text($locale, $crate::keys::$file::$key)
    };
    ($locale:expr, $file:ident . $key:ident, $($name:ident = $value:expr),+ $(,)?) => {
        $crate::Locale::filled(
            $locale,
            $crate::keys::$file::$key,
            &[$((stringify!($name), ($value).to_string())),+],
        )
    };
}
