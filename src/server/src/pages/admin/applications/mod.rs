//! `/admin/applications`: the applications of a company.

mod delete;
mod edit;
mod list;
mod secret;

use vestibule_core::{paths, rights::Action};

use self::{
    delete::DeleteApplication,
    edit::{AddApplication, EditApplication},
    list::SaveAfterSignIn,
    secret::NewSecret,
};
use crate::form::Routes;

/// Pages and forms about applications.
pub fn routes(routes: Routes) -> Routes {
    routes
        .page(paths::ADMIN_APPLICATIONS, Action::SeeSettings, list::list)
        .form::<SaveAfterSignIn>()
        .page(paths::ADMIN_APPLICATIONS_NEW, AddApplication::RIGHT, edit::new)
        .form::<AddApplication>()
        .page("/admin/applications/{id}", Action::SeeSettings, edit::edit)
        .form::<EditApplication>()
        .form::<NewSecret>()
        .page(
            "/admin/applications/{id}/delete",
            Action::ChangeApplications,
            delete::ask,
        )
        .form::<DeleteApplication>()
}

/// The page of an application.
fn page_of(id: &str) -> String {
    // What was done to an application was done to one that exists: the identifier is one.
    let id = vestibule_core::id::ApplicationId::parse(id);
    match id {
        Some(id) => format!("{}/{id}", paths::ADMIN_APPLICATIONS),
        None => paths::ADMIN_APPLICATIONS.to_owned(),
    }
}
