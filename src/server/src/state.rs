//! What every request handler shares.

use std::{ops::Deref, sync::Arc};

use vestibule_app::page::{Assets, Links};
use vestibule_mail::Mailbox;
use vestibule_service::Service;

use crate::{config::Config, http::cookies::Cookies, legal::LegalTexts};

/// Shared by all handlers; cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<Parts>);

/// What [`AppState`] holds.
pub struct Parts {
    /// The use cases.
    pub service: Service,
    /// The settings.
    pub config: Config,
    /// Addresses of the embedded files.
    pub assets: Assets,
    /// Names and attributes of the cookies.
    pub cookies: Cookies,
    /// Terms of Service and Privacy Policy.
    pub legal: LegalTexts,
    /// Links of the footer.
    pub links: Links,
    /// The local mailbox, when mails stay on this machine.
    pub mailbox: Option<Mailbox>,
}

impl AppState {
    /// Shares the parts.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for AppState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
