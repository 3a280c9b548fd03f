//! What every request handler shares.

use std::{ops::Deref, sync::Arc};

use tokio_util::{sync::CancellationToken, task::TaskTracker};
use vestibule_app::page::{Assets, Links};
use vestibule_core::paths;
use vestibule_mail::Mailbox;
use vestibule_service::Service;

use crate::{
    config::Config,
    http::cookies::Cookies,
    legal::{Kind, LegalTexts},
    pages::login::ReadyPages,
};

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
    /// Those who have been sent to wait in sight, until their answer lies ready.
    pub waiting: TaskTracker,
    /// Sign-in pages that need not be rendered.
    pub ready_pages: ReadyPages,
    /// The local mailbox, when mails stay on this machine.
    pub mailbox: Option<Mailbox>,
    /// Cancelled when this node is about to stop: visitors still come in, and balancers are told to go elsewhere.
    pub draining: CancellationToken,
}

impl AppState {
    /// Shares the parts.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Links of the footer.
    pub fn links(&self) -> Links {
        Links {
            terms: self.legal.link(Kind::Terms),
            privacy: self.legal.link(Kind::Privacy),
            mailbox: self.mailbox.is_some().then(|| paths::MAILBOX.to_owned()),
        }
    }
}

impl Deref for AppState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
