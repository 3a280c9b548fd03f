//! Types, rules and ports of Vestibule.
//!
//! Nothing here reads a file, a socket, a clock or a source of randomness: those come in as arguments.
//! Without the feature `server` the crate holds only what the browser needs too: refusals, limits, addresses.

pub mod form;
pub mod limits;
pub mod paths;
pub mod refusal;
pub mod sign_in_view;
pub mod text;
pub mod typed_code;

#[cfg(feature = "server")]
pub mod account;
#[cfg(feature = "server")]
pub mod agents;
#[cfg(feature = "server")]
pub mod audit;
#[cfg(feature = "server")]
pub mod authenticator;
#[cfg(feature = "server")]
pub mod backup_code;
#[cfg(feature = "server")]
pub mod browser;
#[cfg(feature = "server")]
pub mod clock;
#[cfg(feature = "server")]
pub mod code;
#[cfg(feature = "server")]
pub mod company;
#[cfg(feature = "server")]
pub mod forward_auth;
#[cfg(feature = "server")]
pub mod gate;
#[cfg(feature = "server")]
pub mod id;
#[cfg(feature = "server")]
pub mod link;
#[cfg(feature = "server")]
pub mod mail;
#[cfg(feature = "server")]
pub mod mail_server;
#[cfg(feature = "server")]
pub mod name;
#[cfg(feature = "server")]
pub mod oidc;
#[cfg(feature = "server")]
pub mod password;
#[cfg(feature = "server")]
pub mod ports;
#[cfg(feature = "server")]
pub mod rights;
#[cfg(feature = "server")]
pub mod search;
#[cfg(feature = "server")]
pub mod second_factor;
#[cfg(feature = "server")]
pub mod secret;
#[cfg(feature = "server")]
pub mod session;
#[cfg(feature = "server")]
pub mod sign_in;
pub mod sso;
#[cfg(feature = "server")]
pub mod throttle;
mod words;
