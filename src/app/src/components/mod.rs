//! Parts that several pages share. Each follows the language of the page, so that it serves islands as well.

pub mod code;
#[cfg(feature = "ssr")]
pub mod fields;
#[cfg(feature = "ssr")]
pub mod forms;
pub mod frame;
pub mod notice;

/// Name of the product, in every language.
pub const PRODUCT: &str = "Vestibule";
