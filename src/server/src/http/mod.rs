//! HTTP: what stands between a socket and a page.
//!
//! Every part is a layer or a small router of its own. A request meets the layers in this order, and the order
//! matters ([`stack::Stack`] keeps it):
//!
//! 1. [`request_id::identify`]: everything after it is logged under one number.
//! 2. [`headers::protect`]: outside all that can refuse or fail, so that every answer carries the headers.
//! 3. [`denied::show`]: turns a refusal of any layer below into a page, for those who asked for one.
//! 4. [`request_id::catch_panic`]: a panic becomes a refusal with a reference number.
//! 5. [`client_address::find`]: who is asking, before anything is counted or logged by address.
//! 6. [`origin::guard`]: foreign hosts, foreign sites and methods that nobody needs end here, before a body is read.
//! 7. [`cookies::clean`]: cookies that cannot be right are removed by the next answer.
//! 8. [`form_guard::check`]: size, type, encoding and field names of forms.
//! 9. The routes.
//!
//! [`listener::serve`] holds the sockets: it knows how long each part of a request may take.

pub mod answer;
pub mod assets;
pub mod client_address;
pub mod cookies;
pub mod denied;
pub mod facts;
pub mod form_guard;
pub mod forward_auth;
pub mod headers;
pub mod health;
pub mod language;
pub mod listener;
pub mod metrics;
pub mod moments;
pub mod origin;
pub mod request_id;
pub mod said;
pub mod slash;
pub mod stack;

#[cfg(test)]
mod testing;
