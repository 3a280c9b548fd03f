//! `/login`: signing in.

mod bind;
mod code;
mod ready;
mod sign_in;
mod wait;

#[cfg(test)]
mod tests;

pub use self::{bind::input, ready::ReadyPages};

use vestibule_core::{paths, rights::Action};

use crate::form::Routes;

/// Signing in with a password and a code, and connecting the account of a provider.
pub fn routes(routes: Routes) -> Routes {
    routes
        .room(sign_in::routes)
        .page(paths::LOGIN_WAIT, Action::ComeIn, wait::wait)
        .room(code::routes)
        .room(bind::routes)
}
