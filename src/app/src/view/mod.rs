//! Whole HTML documents, rendered on the server.

mod agent;
mod agents;
mod audit;
mod company;
mod console;
mod document;
mod forms;
mod import;
mod links;
mod mail_server;
mod mailbox;
mod overview;
mod profile;
mod recovery;
mod second_factor;
mod security;
mod site;
mod sso;
mod sso_settings;

#[cfg(test)]
mod tests;

use leptos::prelude::*;

pub use document::document;
pub use mail_server::{INSTALLATION, OWN};

use crate::page::Page;

/// Renders a page to HTML. Everything is in `page` already, so nothing is awaited.
pub fn render(page: Page) -> String {
    // Without resources there is nothing to hand from server to browser, hence no shared context.
    let owner = Owner::new_root(None);
    let html = owner.with(|| document(page).to_html());
    owner.unset_with_forced_cleanup();
    html
}
