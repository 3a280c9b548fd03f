//! Translated text that follows the language of the page.

use leptos::prelude::*;
use vestibule_core::refusal::Refusal;
use vestibule_translations::{Locale, refusal::sentence};

/// One sentence in every language.
#[cfg(not(target_arch = "wasm32"))]
pub type Sentence = fn(Locale) -> &'static str;
/// One sentence in every language.
#[cfg(target_arch = "wasm32")]
pub type Sentence = vestibule_translations::Key;

/// A sentence in a language.
#[cfg(not(target_arch = "wasm32"))]
pub fn said(sentence: Sentence, now: Locale) -> &'static str {
    sentence(now)
}

/// A sentence in a language.
#[cfg(target_arch = "wasm32")]
pub fn said(sentence: Sentence, now: Locale) -> &'static str {
    now.text(sentence)
}

/// A text that is written anew when the language changes. It takes no closure so that all texts of all islands are one
/// type in the WebAssembly.
pub fn follow(
    locale: RwSignal<Locale>,
    of: Sentence,
) -> impl Fn() -> &'static str + Copy + Send + Sync + 'static {
    move || said(of, locale.get())
}

/// A text with something put in, written anew when the language or what `with` reads changes.
pub fn follow_with(
    locale: RwSignal<Locale>,
    with: impl Fn(Locale) -> String + Send + 'static,
) -> Box<dyn Fn() -> String + Send> {
    Box::new(move || with(locale.get()))
}

/// The sentence of a refusal. An internal error without a reference was made by the browser's half: no answer came.
pub fn refusal_sentence(locale: Locale, refusal: &Refusal) -> String {
    match refusal {
        Refusal::Internal { reference } if reference.is_empty() => {
            vestibule_translations::td_string!(locale, errors.offline).to_owned()
        }
        refusal => sentence(locale, refusal),
    }
}

/// The [`Sentence`] of a key, such as `phrase!(sign_in.title)`.
#[cfg(not(target_arch = "wasm32"))]
macro_rules! phrase {
    ($namespace:ident . $key:ident) => {{
        let sentence: $crate::text::Sentence =
            |locale| vestibule_translations::td_string!(locale, $namespace.$key);
        sentence
    }};
}

/// The [`Sentence`] of a key, such as `phrase!(sign_in.title)`.
#[cfg(target_arch = "wasm32")]
macro_rules! phrase {
    ($namespace:ident . $key:ident) => {
        vestibule_translations::keys::$namespace::$key
    };
}

/// A live text from a key, such as `text!(locale, sign_in.title)`.
macro_rules! text {
    ($locale:expr, $namespace:ident . $key:ident) => {
        $crate::text::follow($locale, $crate::text::phrase!($namespace.$key))
    };
}

pub(crate) use {phrase, text};
