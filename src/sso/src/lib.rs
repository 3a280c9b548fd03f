//! Sign-in with Google and Office 365: the authorization-code flow with PKCE, state and nonce, and the whole verification of
//! the ID token (OpenID Connect Core 1.0, section 3.1.3.7; RFC 7636; RFC 9700).
//!
//! [`Client::begin`] makes the address to send a browser to; [`Client::finish`] turns the code that comes back into an
//! [`Identity`](vestibule_core::sso::Identity). Nothing is stored here: the caller keeps [`Begun`] with the browser's
//! flow. [`BackChannel`] speaks to applications that sign agents in here. No token, code or secret is in a log line or in a `Debug` output of this crate.

mod application;
mod back_channel;
mod client;
mod documents;
mod error;
mod http;
#[cfg(feature = "test-support")]
pub mod test_support;
mod token;

pub use application::{Application, ApplicationProblem};
pub use back_channel::{BackChannel, MayReach};
pub use client::{Begun, Client, Returned};
pub use error::{SsoError, TokenProblem};
