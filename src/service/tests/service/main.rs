//! The use cases on real databases, with a clock and randomness that the tests hold.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod console;
mod import;
mod keys;
mod links;
mod mail_server;
mod node;
mod profile;
mod records;
mod recovery;
mod second_factor;
mod sign_in;
mod site;
mod sso;
mod sso_settings;
mod step_up;
