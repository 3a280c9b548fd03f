//! Reading anew, while the server runs, what can change under it (SIGHUP): keys, the log filter, the mail server's
//! settings and certificates, and the legal texts. What is wrong is said, and the old stays.

use tokio::signal::unix::Signal;
use tokio_util::sync::CancellationToken;
use vestibule_mail::Transport;

use crate::{
    config::{Config, Inputs},
    key_file,
    legal::LegalTexts,
    logging::Filter,
    serve::smtp_settings,
    state::AppState,
};

/// Settings that take effect without a restart.
const WHILE_RUNNING: [&str; 5] = ["smtp_url", "smtp_ca_file", "terms", "privacy", "log"];

/// Where settings are read from again, and the filter of the log they may change.
#[derive(Clone)]
pub struct Reload {
    /// The file and the environment of the start.
    pub inputs: Inputs,
    /// The filter; `None` = the log is not ours.
    pub filter: Option<Filter>,
}

/// A server that runs, as far as it can change.
pub(crate) struct Running {
    /// The settings of the start.
    pub(crate) config: Config,
    pub(crate) reload: Reload,
    pub(crate) state: AppState,
    pub(crate) transport: Transport,
}

impl Running {
    /// Reads anew at each signal, until told to stop.
    pub(crate) async fn watch(self, mut hangups: Signal, stop: CancellationToken) {
        while let Some(Some(())) = stop.run_until_cancelled(hangups.recv()).await {
            self.read_anew().await;
        }
    }

    async fn read_anew(&self) {
        let mut outcome = Outcome::default();
        outcome.note("key_file", self.read_keys());
        match Config::load(&self.reload.inputs) {
            Ok(new) => {
                if let Some(filter) = &self.reload.filter {
                    outcome.note("log", filter.change(&new.log));
                }
                outcome.note("terms and privacy", self.read_legal_texts(&new));
                let mut restart = needs_restart(&self.config, &new);
                match self.read_mail_server(&new).await {
                    Some(result) => outcome.note("smtp_url and smtp_ca_file", result),
                    None => restart.push("smtp_url"),
                }
                outcome.needs_restart = restart;
            }
            Err(error) => outcome.failed.push(error.to_string()),
        }
        outcome.tell();
    }

    fn read_keys(&self) -> Result<(), key_file::KeyFileError> {
        key_file::load(&self.config.key_file)?;
        self.state.service.operator().reload_keys();
        Ok(())
    }

    fn read_legal_texts(&self, new: &Config) -> std::io::Result<()> {
        self.state
            .legal
            .replace(&LegalTexts::load(&new.terms, &new.privacy)?);
        Ok(())
    }

    /// `None` = mails went to the local mailbox and shall go to a server, or the reverse.
    async fn read_mail_server(&self, new: &Config) -> Option<Result<(), vestibule_mail::SettingsError>> {
        match (&self.transport, &new.smtp) {
            (Transport::Smtp(transport), Some(smtp)) => Some(match smtp_settings(new, smtp) {
                Ok(settings) => {
                    transport.replace(settings).await;
                    Ok(())
                }
                Err(error) => Err(error),
            }),
            (Transport::Mailbox(_), None) => Some(Ok(())),
            _ => None,
        }
    }
}

/// What came of it, for one line in the log.
#[derive(Default)]
struct Outcome {
    done: Vec<&'static str>,
    failed: Vec<String>,
    needs_restart: Vec<&'static str>,
}

impl Outcome {
    fn note<E: std::fmt::Display>(&mut self, what: &'static str, result: Result<(), E>) {
        match result {
            Ok(()) => self.done.push(what),
            Err(error) => self.failed.push(format!("{what}: {error}")),
        }
    }

    fn tell(self) {
        let (read, needs_restart) = (self.done.join(", "), self.needs_restart.join(", "));
        if self.failed.is_empty() {
            tracing::info!(read, needs_restart, "settings were read anew");
        } else {
            let failed = self.failed.join("; ");
            tracing::error!(
                read,
                needs_restart,
                failed,
                "not all settings could be read anew: the old ones stay"
            );
        }
    }
}

/// Settings that differ from those of the start and count from the next one on.
fn needs_restart(old: &Config, new: &Config) -> Vec<&'static str> {
    let pairs = old.settings().iter().zip(new.settings());
    let mut changed: Vec<&str> = pairs
        .filter(|(old, new)| old.shown != new.shown && !WHILE_RUNNING.contains(&old.key))
        .map(|(old, _)| old.key)
        .collect();
    // What is shown hides passwords.
    if old.database_url.reveal() != new.database_url.reveal() && !changed.contains(&"database_url") {
        changed.push("database_url");
    }
    if old
        .sso
        .iter()
        .zip(&new.sso)
        .any(|(old, new)| old.application != new.application)
    {
        changed.push("sso");
    }
    changed
}
