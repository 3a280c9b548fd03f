//! The binary `vestibule`: configuration, HTTP, background work and the command line around the use cases.

// A view is one nested type, and a whole page is deep.
#![recursion_limit = "256"]

pub mod assembly;
pub mod cli;
pub mod config;
pub mod form;
pub mod http;
pub mod jobs;
pub mod key_file;
pub mod legal;
pub mod logging;
pub mod open_files;
pub mod pages;
pub mod processor;
pub mod reload;
pub mod router;
pub mod serve;
pub mod signals;
pub mod stand_in;
pub mod state;
pub mod system;
#[cfg(feature = "test-kit")]
pub mod test_kit;
