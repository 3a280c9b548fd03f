//! Every page in a room of its own, named as its address is: what is asked of it, what it shows and its forms. No rule is
//! decided here.

mod admin;
mod agent;
mod auth;
mod common;
mod forgot_password;
mod forward_auth;
mod home;
mod legal;
mod links;
pub mod login;
mod logout;
mod mailbox;
mod oauth;
mod problem;
mod profile;
mod session;

pub use self::problem::of_denied;

use crate::form::Routes;

/// All pages and forms.
pub fn routes() -> Routes {
    Routes::default()
        .room(home::routes)
        .room(login::routes)
        .room(auth::routes)
        .room(oauth::routes)
        .room(logout::routes)
        .room(session::routes)
        .room(forgot_password::routes)
        .room(links::routes)
        .room(agent::routes)
        .room(forward_auth::routes)
        .room(profile::routes)
        .room(admin::routes)
        .room(legal::routes)
        .room(mailbox::routes)
        .language()
}
