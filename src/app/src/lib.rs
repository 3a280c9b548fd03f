//! Pages, components and server functions.
//!
//! Built twice: with `ssr` into the binary, with `hydrate` into the browser's WebAssembly. Every page is complete
//! HTML from the server and every form works without scripts; islands then make it live.

// A view is one nested type, and a whole page is deep.
#![recursion_limit = "256"]

#[cfg(all(feature = "ssr", feature = "hydrate"))]
compile_error!("the features ssr and hydrate are two different builds");

mod browser;
#[cfg(feature = "ssr")]
pub mod call;
pub mod components;
mod facts;
pub mod functions;
pub mod islands;
pub mod page;
#[cfg(feature = "ssr")]
pub mod shell;
pub mod text;
