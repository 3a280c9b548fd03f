//! Types of single settings and the checks of their texts.

use std::{
    fmt, fs,
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    path::{Path, PathBuf},
    str::FromStr,
};

use ipnet::IpNet;
use url::{Host, Url};
use vestibule_core::name::has_bad_characters;
use vestibule_mail::{Sender, SmtpSettings, smtp::Encryption};
use zeroize::Zeroizing;

use super::{Place, layers::BYTE_ORDER_MARK};

/// Largest legal text and largest file of certificates, in bytes.
const TEXT_MAX: u64 = 1024 * 1024;
/// What is shown in the place of a password.
const HIDDEN: &str = "***";

/// A text that is not right, with the reason when there is more to say than "it is not right"; the reason ends the
/// sentence that begins with the value.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong(pub(super) Option<String>);

fn wrong<T>() -> Result<T, Wrong> {
    Err(Wrong(None))
}

fn because<T>(reason: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong(Some(reason.into())))
}

/// The address of a database. Shows itself without its password.
#[derive(Clone)]
pub struct DatabaseUrl {
    url: Zeroizing<String>,
    protected: bool,
}

impl DatabaseUrl {
    /// Of a SQLite file, by its path as addresses have it.
    pub(super) fn of_file(path: &str) -> Self {
        Self {
            url: Zeroizing::new(format!("sqlite://{path}")),
            protected: true,
        }
    }

    /// Of an argument of a command; else the end of a sentence that says what is wrong with it, without repeating it.
    ///
    /// # Errors
    /// That end.
    pub fn of_argument(text: &str) -> Result<Self, String> {
        if has_password(text) {
            return Err("has a password, which every user of this machine could see there: leave this address out, and set \
                        VESTIBULE_DATABASE_URL or VESTIBULE_DATABASE_URL_FILE"
                .to_owned());
        }
        database_url(text).map_err(|Wrong(reason)| {
            reason.unwrap_or_else(|| {
                "is none of a database: it has to be sqlite://FILE or postgres://USER@HOST/DATABASE"
                    .to_owned()
            })
        })
    }

    /// The whole address, with its password.
    pub fn reveal(&self) -> &str {
        &self.url
    }

    /// Where it is, without a password.
    pub fn place(&self) -> Place {
        Place::of(self)
    }

    /// Whether nobody between here and the database can listen or pose as it (ASVS 12.3.2).
    pub fn is_protected(&self) -> bool {
        self.protected
    }
}

/// How to reach the mail server. Shows host and port only.
#[derive(Clone)]
pub struct Smtp(SmtpSettings);

impl Smtp {
    pub(super) const fn new(settings: SmtpSettings) -> Self {
        Self(settings)
    }

    /// For the transport; holds the password.
    pub const fn settings(&self) -> &SmtpSettings {
        &self.0
    }

    /// Whether the connection is encrypted for certain, or never leaves this machine.
    pub fn is_protected(&self) -> bool {
        let server = self.0.server();
        let host = server
            .rsplit_once(':')
            .and_then(|(host, _)| Host::parse(host).ok());
        matches!(self.0.encryption(), Encryption::Required | Encryption::Implicit)
            || host.is_some_and(|host| is_loopback(&host))
    }
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Smtp({})", self.0.server())
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hidden(&self.url))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

/// Where a legal text is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Legal {
    /// A short text that says the operator has not given one.
    BuiltIn,
    /// A page elsewhere.
    Url(Url),
    /// A Markdown file that can be read.
    File(PathBuf),
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One readable line for each event.
    Text,
    /// One JSON object for each event.
    Json,
}

impl FromStr for LogFormat {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => wrong(),
        }
    }
}

pub(super) fn listen(text: &str) -> Result<SocketAddr, Wrong> {
    text.parse().or_else(|_| wrong())
}

pub(super) fn public_url(text: &str) -> Result<Url, Wrong> {
    let Ok(url) = Url::parse(text) else { return wrong() };
    let Some(host) = url.host() else { return wrong() };
    if !matches!(url.scheme(), "http" | "https") {
        return wrong();
    }
    if url.scheme() == "http" && !is_loopback(&host) {
        return because("would send passwords over the network in clear");
    }
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if !bare || !url.username().is_empty() || url.password().is_some() {
        return because("has more than scheme, host and port");
    }
    Ok(url)
}

pub(super) fn database_url(text: &str) -> Result<DatabaseUrl, Wrong> {
    let protected = if let Some(path) = text.strip_prefix("sqlite://") {
        if path.contains(":memory:") {
            return because("keeps nothing: a database in memory is gone with the process");
        }
        if path.is_empty() || path.ends_with('/') || path.contains(['?', '#']) || has_bad_characters(path) {
            return wrong();
        }
        true
    } else {
        if let Some(reason) = of_libpq(text) {
            return because(reason);
        }
        let Ok(url) = Url::parse(text) else { return wrong() };
        // A password with one of these ends the address of the server too early.
        if url.fragment().is_some() || url.path().contains('@') {
            return because("has a # or an @ where none can stand");
        }
        let parameter = |name: &str| {
            url.query_pairs()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value)
        };
        let database = !url.path().trim_start_matches('/').is_empty() || parameter("dbname").is_some();
        if !matches!(url.scheme(), "postgres" | "postgresql") || !database {
            return wrong();
        }
        is_near(&url, parameter("host").as_deref())
            || parameter("sslmode")
                .or_else(|| parameter("ssl-mode"))
                .is_some_and(|mode| mode == "verify-full")
    };
    Ok(DatabaseUrl {
        url: Zeroizing::new(text.to_owned()),
        protected,
    })
}

/// What addresses of other clients of PostgreSQL may have and ours may not.
fn of_libpq(text: &str) -> Option<&'static str> {
    let (_, rest) = text.split_once("://")?;
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let hosts = place.split('/').next()?.rsplit('@').next()?;
    let mut parameters = form_urlencoded::parse(query.as_bytes());
    if hosts.contains(',') || parameters.any(|(name, value)| name == "host" && value.contains(',')) {
        return Some(
            "names several servers: name one place that leads to the one that writes, also after a failover, such as a \
             virtual address or a proxy",
        );
    }
    form_urlencoded::parse(query.as_bytes())
        .any(|(name, _)| name == "target_session_attrs")
        .then_some(
            "has target_session_attrs, which is not needed: a server that only reads is left at once; let the address lead \
             to the one that writes",
        )
}

pub(super) fn smtp_url(text: &str) -> Result<SmtpSettings, Wrong> {
    SmtpSettings::parse(text).or_else(|error| because(format!("is not right ({error})")))
}

pub(super) fn certificates(text: &str) -> Result<String, Wrong> {
    file_text(&path(text)?)
}

pub(super) fn sender(text: &str) -> Result<Sender, Wrong> {
    Sender::parse(text).or_else(|_| wrong())
}

pub(super) fn path(text: &str) -> Result<PathBuf, Wrong> {
    if text.trim().is_empty() || text.contains('\0') {
        wrong()
    } else {
        Ok(PathBuf::from(text))
    }
}

pub(super) fn networks(text: &str) -> Result<Vec<IpNet>, Wrong> {
    let network = |text: &str| match text
        .parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
    {
        Ok(network) if network.prefix_len() == 0 => because(format!(
            "holds {network}: then everybody could choose the address they are counted under"
        )),
        Ok(network) => Ok(network.trunc()),
        Err(_) => because(format!("holds {text:?}, which is no address and no network")),
    };
    text.split(',').map(|part| network(part.trim())).collect()
}

pub(super) fn legal(text: &str) -> Result<Legal, Wrong> {
    if text.contains("://") {
        return match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(Legal::Url(url)),
            _ => wrong(),
        };
    }
    let path = path(text)?;
    file_text(&path)?;
    Ok(Legal::File(path))
}

pub(super) fn log_filter(text: &str) -> Result<String, Wrong> {
    // A word that is no level would be taken as the name of a part of the program and silence all others.
    let is_level = |word: &str| word.parse::<tracing_subscriber::filter::LevelFilter>().is_ok();
    let unclear = |part: &&str| !part.contains(['=', '[']) && !is_level(part.trim());
    if let Some(part) = text.split(',').find(unclear).filter(|_| !text.contains('[')) {
        return because(format!("holds {part:?}, which is no level"));
    }
    match tracing_subscriber::EnvFilter::builder().parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => because(format!("cannot be understood ({error})")),
    }
}

pub(super) fn number<T: FromStr + PartialOrd>(
    range: RangeInclusive<T>,
) -> impl FnOnce(&str) -> Result<T, Wrong> {
    move |text| match text.trim().parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => wrong(),
    }
}

/// `true` or `false`.
pub(super) fn truth(text: &str) -> Result<bool, Wrong> {
    text.trim().parse().or_else(|_| wrong())
}

/// Whether an address has a password in it.
pub(super) fn has_password(text: &str) -> bool {
    Url::parse(text)
        .is_ok_and(|url| url.password().is_some() || url.query_pairs().any(|(key, _)| key == "password"))
}

/// An address without its passwords.
pub(super) fn hidden(text: &str) -> String {
    if text.starts_with("sqlite:") {
        return text.to_owned();
    }
    let Ok(mut url) = Url::parse(text) else {
        return HIDDEN.to_owned();
    };
    // Some mail services take one token as the user, or as both user and password.
    let token_as_user = url.scheme().starts_with("smtp")
        && !url.username().is_empty()
        && url.password().is_none_or(|password| password == url.username());
    // Neither can fail: a host is there, or the address had no user and no password.
    if token_as_user {
        let _ = url.set_username(HIDDEN);
    }
    if url.password().is_some() {
        let _ = url.set_password(Some(HIDDEN));
    }
    if url.query_pairs().any(|(key, _)| key == "password") {
        let pairs: Vec<_> = url.query_pairs().into_owned().collect();
        let shown = pairs
            .iter()
            .map(|(key, value)| (key, if key == "password" { HIDDEN } else { value.as_str() }));
        url.query_pairs_mut().clear().extend_pairs(shown);
    }
    url.to_string()
}

/// Whether the other end is on this machine: a loopback address or a socket file.
fn is_near(url: &Url, host_parameter: Option<&str>) -> bool {
    if let Some(host) = host_parameter {
        return host.starts_with('/') || Host::parse(host).is_ok_and(|host| is_loopback(&host));
    }
    // Schemes other than http and https keep an IPv4 address as a name.
    match url.host_str().unwrap_or_default() {
        "" => true,
        socket if socket.to_ascii_lowercase().starts_with("%2f") => true,
        host => Host::parse(host).is_ok_and(|host| is_loopback(&host)),
    }
}

fn is_loopback<S: AsRef<str>>(host: &Host<S>) -> bool {
    match host {
        Host::Domain(name) => name.as_ref() == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// The text of a file without the byte order mark that some editors write before it.
fn without_mark(text: String) -> String {
    match text.strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) => rest.to_owned(),
        None => text,
    }
}

fn file_text(path: &Path) -> Result<String, Wrong> {
    let metadata = fs::metadata(path).or_else(|error| because(format!("cannot be read: {error}")))?;
    if !metadata.is_file() || metadata.len() > TEXT_MAX {
        return because("is no file of at most 1 MiB");
    }
    match fs::read(path).map(String::from_utf8) {
        Ok(Ok(text)) => Ok(without_mark(text)),
        Ok(Err(_)) => because("is not valid UTF-8"),
        Err(error) => because(format!("cannot be read: {error}")),
    }
}
