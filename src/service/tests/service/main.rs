//! The use cases on real databases, with a clock and randomness that the tests hold.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod attacks;
mod budget;
mod console;
mod forward_auth;
mod import;
mod kept;
mod keys;
mod links;
mod mail_server;
mod meetings;
mod node;
mod oidc;
mod profile;
mod records;
mod recovery;
mod second_factor;
mod shift_start;
mod sign_in;
mod site;
mod sso;
mod sso_settings;
mod step_up;
