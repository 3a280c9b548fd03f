//! Settings: defaults, then a TOML file, then environment variables `VESTIBULE_*`, each winning over the one before.
//!
//! Everything is checked at start and every problem is told at once, with the key, where its value came from and
//! what would be right. Values that may hold a password show themselves only with the password hidden
//! (security.md 13.3.1, 16.2.5).

mod keys;
mod layers;
mod place;
mod problem;
mod values;

#[cfg(test)]
mod tests;

use std::{
    ffi::OsString,
    fmt::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use ipnet::IpNet;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use url::Url;
use vestibule_core::{sso::Provider, throttle::SourceLimits};
use vestibule_mail::{Reach, Sender, SmtpSettings};
use vestibule_sso::{Application, ApplicationProblem};
use vestibule_storage::StoreOptions;
use zeroize::Zeroizing;

pub use keys::{KEYS, Key};
pub use layers::Origin;
pub use place::Place;
pub(crate) use place::whole;
pub use problem::{ConfigError, Problem};
pub use values::{DatabaseUrl, Legal, LogFormat, Smtp};

use layers::{Layers, Noted, Reader};

/// The files of which the first that exists is read when no other is named: one in the working folder, one of the
/// machine.
pub const DEFAULT_FILES: [&str; 2] = ["vestibule.toml", "/etc/vestibule/vestibule.toml"];

/// Characters that mean something in the address of a SQLite file.
const SPECIAL_IN_PATHS: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#');

/// The checked settings of one start.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the server listens.
    pub listen: SocketAddr,
    /// Scheme, host and port as browsers see them, without a path. `https`, or `http` on a loopback host.
    pub public_url: Url,
    /// The database.
    pub database_url: DatabaseUrl,
    /// Connections to it: 2 to 500 (N28).
    pub database_connections: u32,
    /// The mail server, with the operator's certificates; `None` = mails stay in the local mailbox.
    pub smtp: Option<Smtp>,
    /// Sender of all mails.
    pub mail_from: Sender,
    /// Which mail servers companies may name: only those of the internet, or also those of this network.
    pub company_mail_reach: Reach,
    /// The key file (see [`crate::key_file`]).
    pub key_file: PathBuf,
    /// Google and Office 365.
    pub sso: [SsoSettings; 2],
    /// Where the operator's monitoring asks; `None` = nowhere.
    pub metrics_listen: Option<SocketAddr>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Terms of Service.
    pub terms: Legal,
    /// Privacy Policy.
    pub privacy: Legal,
    /// What is logged, in the syntax of `tracing_subscriber::EnvFilter`.
    pub log: String,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Passwords hashed at the same time (N6): 1 to the number of cores.
    pub hashing_threads: usize,
    /// Limits of wrong passwords by network address (N8).
    pub sources: SourceLimits,
    /// Whether addresses over these limits are only noted, not stopped.
    pub report_sources_only: bool,
    /// Days that the audit log is kept: 30 to 36500; `None` = for ever.
    pub audit_retention_days: Option<u16>,
    /// Seconds that requests under way may take to end after a stop signal: 1 to 600.
    pub shutdown_seconds: u16,
    /// Seconds from SIGTERM, and a `/readyz` that says so, to the end of the listener: 0 to 600.
    pub drain_seconds: u16,
    settings: Vec<Setting>,
    warnings: Vec<String>,
    public_url_follows_listen: bool,
}

/// A provider, and the application that the operator registered with it.
#[derive(Clone)]
pub struct SsoSettings {
    /// The provider.
    pub provider: Provider,
    /// Where its discovery document is.
    pub issuer: String,
    /// The application's identifier and secret; `None` = only companies have applications.
    pub application: Option<(String, Zeroizing<String>)>,
}

impl std::fmt::Debug for SsoSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SsoSettings")
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}

/// One setting as `config check` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Name of the key.
    pub key: &'static str,
    /// Its value, passwords hidden.
    pub shown: String,
    /// Where the value came from.
    pub origin: Origin,
}

/// What settings are read from.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// The file named by `--config`; wins over `VESTIBULE_CONFIG`.
    pub file: Option<PathBuf>,
    /// The file that is read only when it exists.
    pub default_file: PathBuf,
    /// Environment variables; those that do not begin with `VESTIBULE_` are ignored.
    pub environment: Vec<(OsString, OsString)>,
}

impl Inputs {
    /// The inputs of this process, without its arguments.
    pub fn of_process() -> Self {
        Self {
            file: None,
            default_file: first_there(DEFAULT_FILES),
            environment: std::env::vars_os().collect(),
        }
    }
}

/// The first of these files that is there, or that hides itself from us, which then is the problem to tell; else the
/// first.
fn first_there(files: [&str; 2]) -> PathBuf {
    let there = |file: &&str| Path::new(file).try_exists().unwrap_or(true);
    PathBuf::from(files.into_iter().find(there).unwrap_or(files[0]))
}

impl Config {
    /// Reads and checks all settings.
    ///
    /// # Errors
    /// [`ConfigError`] with every problem found: a file that cannot be read, unknown keys, bad values, settings that
    /// do not fit together.
    pub fn load(inputs: &Inputs) -> Result<Self, ConfigError> {
        let (layers, problems) = Layers::gather(inputs);
        Self::from_reader(Reader::new(layers, problems))
    }

    /// The settings of the demo: everything in one folder, no mail server, nothing read from files or the
    /// environment, so that a demo can never touch the data of a real installation.
    ///
    /// # Errors
    /// [`ConfigError`] when the address is not a loopback address or the folder's name cannot be used.
    pub fn demo(listen: &str, folder: &Path) -> Result<Self, ConfigError> {
        let Some(folder) = folder.to_str() else {
            return Err(ConfigError::one(Problem::new(
                "--data",
                &"the command line",
                "the name is not valid UTF-8",
            )));
        };
        if listen
            .parse::<SocketAddr>()
            .is_ok_and(|listen| !listen.ip().is_loopback())
        {
            let reason = format!(
                "{listen} can be reached from outside, and the demo's passwords are known to everybody. \
                 Use an address such as 127.0.0.1:3000"
            );
            return Err(ConfigError::one(Problem::new(
                "--listen",
                &"the command line",
                reason,
            )));
        }
        let values = [
            ("listen", listen.to_owned()),
            (
                "database_url",
                format!(
                    "sqlite://{}/demo.db",
                    utf8_percent_encode(folder, SPECIAL_IN_PATHS)
                ),
            ),
            ("key_file", format!("{folder}/demo.key")),
            // Nobody balances between demos.
            ("drain_seconds", "0".to_owned()),
        ];
        Self::from_reader(Reader::new(Layers::of_command_line(values), Vec::new()))
    }

    /// The same settings with a SQLite database in this file.
    #[must_use]
    pub fn with_database_file(&self, file: &Path) -> Self {
        let mut config = self.clone();
        let file = file.to_string_lossy();
        config.database_url = DatabaseUrl::of_file(&utf8_percent_encode(&file, SPECIAL_IN_PATHS).to_string());
        config
    }

    /// Every setting with where it came from, in the order of [`KEYS`].
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// Things that are allowed and probably not meant, one sentence each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The settings as a table for people, passwords hidden.
    pub fn report(&self) -> String {
        let width = |text: fn(&Setting) -> &str| {
            self.settings
                .iter()
                .map(|setting| text(setting).chars().count())
                .max()
                .unwrap_or_default()
        };
        let (keys, values) = (
            width(|setting| setting.key),
            width(|setting| &setting.shown).min(60),
        );
        self.settings
            .iter()
            .fold(String::new(), |mut report, Setting { key, shown, origin }| {
                // Writing to a String cannot fail.
                let _ = writeln!(report, "{key:keys$}  {shown:values$}  {origin}");
                report
            })
    }

    /// How the database is to be opened.
    pub fn store_options(&self) -> StoreOptions {
        StoreOptions {
            connections: self.database_connections,
            ..StoreOptions::default()
        }
    }

    /// Scheme, host and port as browsers send them in `Origin`.
    pub fn origin(&self) -> String {
        self.public_url.origin().ascii_serialization()
    }

    /// Whether browsers reach the server over TLS, so that cookies are `__Host-` and Secure (N19).
    pub fn is_https(&self) -> bool {
        self.public_url.scheme() == "https"
    }

    /// Tells the settings the address that was really bound. It differs when port 0 asked for any free port; the
    /// public address follows when it was never set.
    pub fn bound_to(&mut self, listen: SocketAddr) {
        self.listen = listen;
        if self.public_url_follows_listen
            && let Ok(url) = Url::parse(&format!("http://{listen}"))
        {
            self.public_url = url;
        }
    }

    /// The providers with the applications that are named whole; half of one is a mistake.
    fn sso(reader: &mut Reader) -> Result<[SsoSettings; 2], Noted> {
        let text = |text: &str| Ok(text.trim().to_owned());
        let google_issuer = reader.required("sso__google__issuer", text)?;
        let tenant = reader.required("sso__office365__tenant", text)?;
        let office_issuer = reader
            .optional("sso__office365__issuer", text)?
            .unwrap_or_else(|| Application::office365(&tenant));
        let google = Self::provider(
            reader,
            Provider::Google,
            google_issuer,
            [
                "sso__google__issuer",
                "sso__google__client_id",
                "sso__google__client_secret",
            ],
        );
        let office365 = Self::provider(
            reader,
            Provider::Office365,
            office_issuer,
            [
                "sso__office365__issuer",
                "sso__office365__client_id",
                "sso__office365__client_secret",
            ],
        );
        Ok([google?, office365?])
    }

    fn provider(
        reader: &mut Reader,
        provider: Provider,
        issuer: String,
        [issuer_key, id, secret]: [&'static str; 3],
    ) -> Result<SsoSettings, Noted> {
        let text = |text: &str| Ok(text.trim().to_owned());
        let application = match (reader.optional(id, text)?, reader.optional(secret, text)?) {
            (Some(id), Some(secret)) => Some((id, secret.into())),
            (None, None) => None,
            (Some(_), None) => {
                return Err(reader.complain(secret, "it is needed when the client ID is set"));
            }
            (None, Some(_)) => {
                return Err(reader.complain(id, "it is needed when the client secret is set"));
            }
        };
        // Companies may have applications of their own, so the issuer has to be right in any case.
        let (client_id, client_secret) = application
            .as_ref()
            .map_or(("a", "b"), |(id, secret): &(String, Zeroizing<String>)| {
                (id, secret)
            });
        let example = "https://login.example.com/callback";
        if let Err(problem) = Application::new(provider, client_id, client_secret, &issuer, example) {
            let key = match problem {
                ApplicationProblem::Issuer => issuer_key,
                ApplicationProblem::Credentials | ApplicationProblem::Redirect => id,
            };
            return Err(reader.complain(key, &problem.to_string()));
        }
        Ok(SsoSettings {
            provider,
            issuer,
            application,
        })
    }

    fn from_reader(mut reader: Reader) -> Result<Self, ConfigError> {
        let listen = reader.required("listen", values::listen);
        let default = listen
            .as_ref()
            .map_or_else(|_| String::new(), |listen| format!("http://{listen}"));
        let public_url = match &listen {
            // A default would only bring a second complaint about the first problem.
            Err(_) if reader.is_default("public_url") => Err(Noted),
            _ => reader.derived("public_url", default, values::public_url),
        };
        let public_url_follows_listen = reader.is_default("public_url");
        let database_url = reader.required("database_url", values::database_url);
        let database_connections = reader.required("database_connections", values::number(2..=500_u32));
        let smtp = reader.optional("smtp_url", values::smtp_url);
        let certificates = reader.optional("smtp_ca_file", values::certificates);
        let smtp = Self::with_certificates(&mut reader, smtp, certificates);
        let mail_from = reader.required("mail_from", values::sender);
        let private_hosts = reader.required("company_mail_private_hosts", values::truth);
        let key_file = reader.required("key_file", values::path);
        let sso = Self::sso(&mut reader);
        let metrics_listen = reader.optional("metrics_listen", values::listen);
        let trusted_proxies = reader.optional("trusted_proxies", values::networks);
        let terms = reader.optional("terms", values::legal);
        let privacy = reader.optional("privacy", values::legal);
        let log = reader.required("log", values::log_filter);
        let log_format = reader.required("log_format", str::parse);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let hashing_threads = reader.derived(
            "hashing_threads",
            cores.to_string(),
            values::number(1..=256_usize),
        );
        let per_minute = reader.required("wrong_passwords_per_minute", values::number(1..=100_000_i64));
        let per_hour = reader.required("wrong_passwords_per_hour", values::number(1..=1_000_000_i64));
        let accounts = reader.required("accounts_per_ten_minutes", values::number(1..=100_000_i64));
        let report_sources_only = reader.required("report_sources_only", values::truth);
        let audit_retention_days = reader.optional("audit_retention_days", values::number(30..=36_500_u16));
        let shutdown_seconds = reader.required("shutdown_seconds", values::number(1..=600_u16));
        let drain_seconds = reader.required("drain_seconds", values::number(0..=600_u16));

        if let Ok(Some(_)) = &smtp
            && reader.is_default("mail_from")
        {
            reader.complain("mail_from", "it is needed when smtp_url is set");
        }

        let (settings, problems, mut warnings) = reader.finish();
        let complete: Result<Self, Noted> = (|| {
            let sources = SourceLimits {
                per_minute: per_minute?,
                per_hour: per_hour?,
                accounts_per_ten_minutes: accounts?,
            };
            Ok(Self {
                listen: listen?,
                public_url: public_url?,
                database_url: database_url?,
                database_connections: database_connections?,
                smtp: smtp?.map(Smtp::new),
                mail_from: mail_from?,
                company_mail_reach: if private_hosts? {
                    Reach::Anywhere
                } else {
                    Reach::Public
                },
                key_file: key_file?,
                sso: sso?,
                metrics_listen: metrics_listen?,
                trusted_proxies: trusted_proxies?.unwrap_or_default(),
                terms: terms?.unwrap_or(Legal::BuiltIn),
                privacy: privacy?.unwrap_or(Legal::BuiltIn),
                log: log?,
                log_format: log_format?,
                hashing_threads: hashing_threads?,
                sources,
                report_sources_only: report_sources_only?,
                audit_retention_days: audit_retention_days?,
                shutdown_seconds: shutdown_seconds?,
                drain_seconds: drain_seconds?,
                settings,
                warnings: Vec::new(),
                public_url_follows_listen,
            })
        })();
        match complete {
            Ok(mut config) if problems.is_empty() => {
                config.keep_to_cores(cores, &mut warnings);
                config.warn_about_plain_connections(&mut warnings);
                config.warn_about_proxies(&mut warnings);
                config.warnings = warnings;
                Ok(config)
            }
            _ => Err(ConfigError::new(problems)),
        }
    }

    fn with_certificates(
        reader: &mut Reader,
        smtp: Result<Option<SmtpSettings>, Noted>,
        certificates: Result<Option<String>, Noted>,
    ) -> Result<Option<SmtpSettings>, Noted> {
        let smtp = smtp?;
        let Some(pem) = certificates? else { return Ok(smtp) };
        let Some(smtp) = smtp else {
            return Err(reader.complain("smtp_ca_file", "it has no use without smtp_url"));
        };
        match smtp.with_root_certificate(pem.as_bytes()) {
            Ok(smtp) => Ok(Some(smtp)),
            Err(error) => Err(reader.complain("smtp_ca_file", &error.to_string())),
        }
    }

    /// More hashes at once than cores make each slower and use more memory, nothing else (N6).
    fn keep_to_cores(&mut self, cores: usize, warnings: &mut Vec<String>) {
        if self.hashing_threads > cores {
            warnings.push(format!(
                "hashing_threads is {} and this machine has {cores} cores: {cores} are used.",
                self.hashing_threads
            ));
            self.hashing_threads = cores;
        }
    }

    /// Vestibule speaks no TLS itself: behind an https address there is always a proxy.
    fn warn_about_proxies(&self, warnings: &mut Vec<String>) {
        if self.is_https() && self.trusted_proxies.is_empty() {
            let example = if self.listen.ip().is_loopback() {
                self.listen.ip().to_string()
            } else {
                "10.0.0.1".to_owned()
            };
            warnings.push(format!(
                "trusted_proxies is not set, and public_url is https, which a proxy speaks for Vestibule: everybody would \
                 seem to come from the proxy's address and be held to one limit of wrong passwords. Set it to the address \
                 of your proxy, such as trusted_proxies = [\"{example}\"]."
            ));
        }
    }

    fn warn_about_plain_connections(&self, warnings: &mut Vec<String>) {
        if !self.database_url.is_protected() {
            warnings.push(
                "database_url names another machine without sslmode=verify-full: the connection can be listened to \
                 or redirected."
                    .to_owned(),
            );
        }
        match &self.smtp {
            Some(smtp) if smtp.settings().exposes_password() => warnings.push(
                "smtp_url sends the password of the mail server in clear: use smtps:// or ?tls=required.".to_owned(),
            ),
            Some(smtp) if !smtp.is_protected() => warnings.push(
                "smtp_url does not insist on TLS: mails with codes may travel in clear. Use smtps:// or ?tls=required."
                    .to_owned(),
            ),
            None if self.is_https() => warnings.push(
                "smtp_url is not set: mails go to the local mailbox only, nobody receives a code by e-mail.".to_owned(),
            ),
            _ => {}
        }
    }
}
