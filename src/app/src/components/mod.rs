//! Parts that several pages share. Each follows the language of the page, so that it serves islands as well.

pub mod code;
pub mod frame;
pub mod notice;

/// Name of the product, in every language.
pub const PRODUCT: &str = "Vestibule";
