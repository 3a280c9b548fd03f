//! Companies' own mail servers, and the ways through them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use vestibule_core::id::CompanyId;

use crate::{
    envelope::Sender,
    smtp::{SmtpSettings, SmtpTransport},
};

/// How long a way through a company's server is kept when nothing goes through it.
const KEPT_FOR: Duration = Duration::from_mins(5);

/// Whose mails wait in line for one mail server, so that no line waits for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Mails of all companies that send through the installation's server.
    Installation,
    /// Mails of a company with a server of its own.
    Company(CompanyId),
}

/// A company's own mail server.
#[derive(Clone)]
pub struct OwnServer {
    /// Whose it is.
    pub company: CompanyId,
    /// Differs after every change.
    pub version: i64,
    /// How to reach it.
    pub settings: SmtpSettings,
    /// Whom mails are from.
    pub sender: Sender,
    /// Where answers go.
    pub reply_to: Option<Sender>,
    /// Whether mails go through the installation's server when this one fails.
    pub fall_back: bool,
}

impl std::fmt::Debug for OwnServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnServer")
            .field("company", &self.company)
            .field("version", &self.version)
            .field("server", &self.settings.server())
            .finish_non_exhaustive()
    }
}

/// The way that a mail takes.
#[derive(Clone, Debug)]
pub enum Route {
    /// Through the installation's server.
    Installation,
    /// Through the company's own.
    Own(Arc<OwnServer>),
    /// Through the company's own, whose settings cannot be used now, such as a password that no key opens.
    Unusable {
        /// Whether the installation's server may be used instead.
        fall_back: bool,
    },
}

/// The ways through companies' servers that are in use: their connections are used again.
#[derive(Default)]
pub(super) struct OwnServers(Mutex<HashMap<CompanyId, Way>>);

struct Way {
    version: i64,
    transport: SmtpTransport,
    used: Instant,
}

impl OwnServers {
    /// The way through this server. One that was made for other settings is closed.
    pub(super) fn way(&self, server: &OwnServer) -> SmtpTransport {
        let mut ways = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        match ways.get_mut(&server.company) {
            Some(way) if way.version == server.version => {
                way.used = now;
                way.transport.clone()
            }
            _ => {
                let transport = SmtpTransport::new(server.settings.clone());
                let way = Way {
                    version: server.version,
                    transport: transport.clone(),
                    used: now,
                };
                ways.insert(server.company, way);
                transport
            }
        }
    }

    /// Says goodbye where nothing was sent for a while.
    pub(super) fn sweep(&self) {
        let mut ways = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ways.retain(|_, way| {
            way.transport.sweep();
            way.used.elapsed() < KEPT_FOR
        });
    }

    /// Says goodbye everywhere.
    pub(super) async fn close(&self) {
        let all = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        futures::future::join_all(all.values().map(|way| way.transport.close())).await;
    }
}
