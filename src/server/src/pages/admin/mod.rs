//! `/admin`: the console.

mod agents;
mod applications;
mod audit;
mod company;
mod download;
mod mail;
mod overview;
mod security;
mod sessions;
mod sso;

use crate::form::Routes;

/// Pages and forms of the console.
pub fn routes(routes: Routes) -> Routes {
    routes
        .room(overview::routes)
        .room(agents::routes)
        .room(sessions::routes)
        .room(company::routes)
        .room(security::routes)
        .room(sso::routes)
        .room(applications::routes)
        .room(mail::routes)
        .room(audit::routes)
}
