//! Speaks to a mail server, never longer than the limits allow (N27; attacks.md T166, T167).
//!
//! Connections are kept here and not in lettre's own pool: that one takes a connection back when a limit has cut its
//! conversation short, in the middle of whatever was being said, and the next mail would continue the last one's.
//! Here only a connection whose last mail was taken is used again; any other is closed.

mod hosts;
mod settings;
mod sign_in;
mod trust;
mod wire;

use std::{
    error::Error,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use lettre::{
    address,
    transport::smtp::{
        self,
        client::{AsyncSmtpConnection, AsyncTokioStream},
        commands::Starttls,
        extension::{ClientId, Extension},
    },
};
use tokio::{
    net::{TcpStream, lookup_host},
    time::{Instant, timeout},
};

pub use hosts::{CheckedHost, Reach, is_public};
pub use settings::{Encryption, SettingsError, SmtpSettings};

use tokio_rustls::client::TlsStream;
use wire::Wire;

use crate::{
    envelope::Envelope,
    transport::{Reason, SendError, Try},
};

/// Connections that wait for the next mail: as many as the worker uses at once.
const KEPT_CONNECTIONS: usize = crate::outbox::PARALLEL;
/// How long one waits; shorter than any common server's patience.
const KEPT_FOR: Duration = Duration::from_secs(20);
/// How long a kept connection may take to show that it still lives, and how long a goodbye may take.
const COURTESY: Duration = Duration::from_secs(1);
/// Longest answer of a server that is logged or shown, in characters.
const LOGGED_MAX: usize = 200;
/// Longest word of it that is logged, in characters; tokens are longer.
const LOGGED_WORD_MAX: usize = 40;

/// Sends mails to one server. Clones share their settings and connections.
#[derive(Clone)]
pub struct SmtpTransport {
    line: Arc<Mutex<Arc<Line>>>,
}

/// The way to a server by one set of settings, and the connections made with them.
struct Line {
    settings: SmtpSettings,
    kept: Mutex<Vec<Kept>>,
}

struct Kept {
    connection: AsyncSmtpConnection,
    since: Instant,
}

impl SmtpTransport {
    /// A transport that connects when the first mail is sent.
    pub fn new(settings: SmtpSettings) -> Self {
        Self {
            line: Arc::new(Mutex::new(Line::new(settings))),
        }
    }

    /// Takes other settings for the mails that are sent from now on; those on their way go the old one to its end.
    pub async fn replace(&self, settings: SmtpSettings) {
        let new = Line::new(settings);
        let old = std::mem::replace(&mut *self.lock(), new);
        old.close().await;
    }

    /// Sends one mail within the limits of the settings. It fails with [`SendError::Permanent`] when the server refused
    /// this mail or its receiver for good; everything that went wrong before it was asked, a wrong password included, is
    /// temporary: somebody will mend it.
    pub async fn send(&self, envelope: &Envelope) -> Try {
        let (addresses, bytes) = match envelope.wire_form() {
            Ok(wire_form) => wire_form,
            Err(error) => return Try::not_begun(error),
        };
        let line = self.line();
        let settings = &line.settings;
        let conversation = line.converse(envelope.from.domain(), &addresses, &bytes);
        let outcome = match timeout(settings.conversation_limit, conversation).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::of(
                SendError::Temporary(Reason::TimedOut),
                "no answer in time",
            )),
        };
        let (result, said) = match outcome {
            Ok(said) => (Ok(()), said),
            Err(Failure { error, detail, said }) => {
                let server = settings.server();
                tracing::warn!(mail = %envelope.message_id, %server, reason = %error.reason(), detail, "mail not taken");
                (Err(error), said)
            }
        };
        Try {
            result,
            said: settings.without_password(&said),
        }
    }

    /// Says goodbye, in the background, on connections that were kept long enough.
    pub(crate) fn sweep(&self) {
        self.line().sweep();
    }

    /// Says goodbye on all kept connections.
    pub(crate) async fn close(&self) {
        self.line().close().await;
    }

    fn line(&self) -> Arc<Line> {
        Arc::clone(&self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Line>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    fn new(settings: SmtpSettings) -> Arc<Self> {
        Arc::new(Self {
            settings,
            kept: Mutex::default(),
        })
    }

    async fn converse(
        &self,
        domain: &str,
        addresses: &address::Envelope,
        mail: &[u8],
    ) -> Result<String, Failure> {
        let mut connection = match self.kept().await {
            Some(connection) => connection,
            None => self.connect(domain).await?,
        };
        let answer = connection
            .send(addresses, mail)
            .await
            .map_err(|error| Failure::of_mail(&error))?;
        self.keep(connection);
        let words: Vec<&str> = answer.message().collect();
        Ok(format!("{} {}", answer.code(), words.join(" ")))
    }

    /// Where the server is. A name that may lead only to public addresses is looked up here and not again: the second
    /// answer could be another one.
    async fn addresses(&self) -> Result<Vec<SocketAddr>, Failure> {
        let settings = &self.settings;
        let unknown = || {
            Failure::of(
                SendError::Temporary(Reason::Unreachable),
                "the host name is not known",
            )
        };
        let found = timeout(
            settings.connect_limit,
            lookup_host((settings.host.as_str(), settings.port)),
        );
        let found: Vec<SocketAddr> = found
            .await
            .map_err(|_| {
                Failure::of(
                    SendError::Temporary(Reason::TimedOut),
                    "the host name was not found in time",
                )
            })?
            .map_err(|_| unknown())?
            .collect();
        if found.is_empty() {
            return Err(unknown());
        }
        let allowed: Vec<SocketAddr> = found
            .into_iter()
            .filter(|address| settings.reach == Reach::Anywhere || is_public(address.ip()))
            .collect();
        if allowed.is_empty() {
            return Err(Failure::of(
                SendError::Permanent(Reason::Forbidden),
                "the host is inside the network of Vestibule",
            ));
        }
        Ok(allowed)
    }

    /// A new connection, encrypted and signed in as the settings say.
    async fn connect(&self, domain: &str) -> Result<AsyncSmtpConnection, Failure> {
        let settings = &self.settings;
        let hello = ClientId::Domain(settings.hello_name.clone().unwrap_or_else(|| domain.to_owned()));
        let stream = self.reach().await?;
        let (mut connection, encrypted) = match settings.encryption {
            Encryption::None => (greet(Wire::new(stream), &hello, false).await?, false),
            Encryption::Implicit => (self.encrypt(stream, Wire::new, &hello).await?, true),
            Encryption::Optional | Encryption::Required => self.upgrade(stream, &hello).await?,
        };
        if let Some(login) = &settings.login {
            let exposed = settings.encryption == Encryption::Optional && !settings.loopback;
            if exposed && !encrypted {
                return Err(Failure::unencrypted(
                    "the server offers no STARTTLS, so the password was not sent",
                ));
            }
            sign_in::sign_in(&mut connection, login, &hello).await?;
        }
        Ok(connection)
    }

    /// A connection to the first address that takes one.
    async fn reach(&self) -> Result<TcpStream, Failure> {
        let mut last = Failure::of(SendError::Temporary(Reason::Unreachable), "no address");
        for address in self.addresses().await? {
            match timeout(self.settings.connect_limit, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = Failure::of_stream(&error, false),
                Err(_) => last = Failure::of(SendError::Temporary(Reason::TimedOut), "no connection in time"),
            }
        }
        Err(last)
    }

    /// Encrypts when the server offers it. What it said before is forgotten (RFC 3207, 4.2): the encrypted connection
    /// begins anew, and what was sent ahead unencrypted, by whomever, is dropped with the first one.
    async fn upgrade(
        &self,
        stream: TcpStream,
        hello: &ClientId,
    ) -> Result<(AsyncSmtpConnection, bool), Failure> {
        let of_stream = |error: io::Error| Failure::of_stream(&error, true);
        let [stream, twin] = wire::twins(stream).map_err(of_stream)?;
        let mut connection = greet(Wire::new(stream), hello, false).await?;
        if !connection.server_info().supports_feature(Extension::StartTls) {
            return match self.settings.encryption {
                Encryption::Required => Err(Failure::unencrypted("the server offers no STARTTLS")),
                _ => Ok((connection, false)),
            };
        }
        let ready = connection.command(Starttls).await;
        ready.map_err(|error| Failure::of_connection(&error, true))?;
        drop(connection);
        let connection = self.encrypt(twin, Wire::greeted, hello).await?;
        Ok((connection, true))
    }

    async fn encrypt<S>(
        &self,
        stream: TcpStream,
        wire: impl FnOnce(TlsStream<TcpStream>) -> S,
        hello: &ClientId,
    ) -> Result<AsyncSmtpConnection, Failure>
    where
        S: AsyncTokioStream + 'static,
    {
        let Self { settings, .. } = self;
        let encrypted = wire::encrypt(stream, &settings.tls, &settings.host);
        let late = |_| Failure::of(SendError::Temporary(Reason::TimedOut), "not encrypted in time");
        let stream = timeout(settings.connect_limit, encrypted)
            .await
            .map_err(late)?
            .map_err(|error| Failure::of_stream(&error, true))?;
        greet(wire(stream), hello, true).await
    }

    /// A kept connection that still answers. When one does not, the others will hardly either.
    async fn kept(&self) -> Option<AsyncSmtpConnection> {
        self.sweep();
        let mut kept = self.lock().pop()?;
        if timeout(COURTESY, kept.connection.test_connected()).await == Ok(true) {
            return Some(kept.connection);
        }
        self.lock().clear();
        None
    }

    fn keep(&self, connection: AsyncSmtpConnection) {
        let mut kept = self.lock();
        if kept.len() < KEPT_CONNECTIONS {
            kept.push(Kept {
                connection,
                since: Instant::now(),
            });
        } else {
            drop(kept);
            tokio::spawn(say_goodbye(connection));
        }
    }

    /// Says goodbye, in the background, on connections that were kept long enough.
    fn sweep(&self) {
        let old: Vec<Kept> = self
            .lock()
            .extract_if(.., |kept| kept.since.elapsed() >= KEPT_FOR)
            .collect();
        for kept in old {
            tokio::spawn(say_goodbye(kept.connection));
        }
    }

    /// Says goodbye on all kept connections.
    async fn close(&self) {
        let all = std::mem::take(&mut *self.lock());
        futures::future::join_all(all.into_iter().map(|kept| say_goodbye(kept.connection))).await;
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the server's greeting and says hello.
async fn greet(
    stream: impl AsyncTokioStream + 'static,
    hello: &ClientId,
    encrypted: bool,
) -> Result<AsyncSmtpConnection, Failure> {
    let greeted = AsyncSmtpConnection::connect_with_transport(Box::new(stream), hello).await;
    greeted.map_err(|error| Failure::of_connection(&error, encrypted))
}

async fn say_goodbye(mut connection: AsyncSmtpConnection) {
    // Whether the server answers makes no difference: the connection is closed when it is dropped here.
    drop(timeout(COURTESY, connection.quit()).await);
}

/// What went wrong, what the operator may read about it in the log, and what the server said, if it spoke.
struct Failure {
    error: SendError,
    detail: String,
    said: String,
}

impl Failure {
    fn of(error: SendError, detail: &str) -> Self {
        Self {
            error,
            detail: detail.to_owned(),
            said: String::new(),
        }
    }

    fn unencrypted(detail: &str) -> Self {
        Self::of(SendError::Temporary(Reason::Tls), detail)
    }

    /// A connection that did not come about, or broke while it was encrypted.
    fn of_stream(error: &io::Error, encrypting: bool) -> Self {
        let reason = reason_of_io(error.kind(), encrypting).unwrap_or(Reason::Unreachable);
        Self::of(SendError::Temporary(reason), &harmless(&error.to_string()))
    }

    /// A failure before the server was asked to take the mail. What the server said is not logged: it was told the
    /// password and may repeat it.
    fn of_connection(error: &smtp::Error, encrypting: bool) -> Self {
        let said = error.status().is_some() || error.is_response();
        let detail = if said {
            String::new()
        } else {
            harmless(&error.to_string())
        };
        Self {
            error: SendError::Temporary(reason(error, encrypting)),
            detail,
            said: answer_of(error),
        }
    }

    /// A failure of the mail itself.
    fn of_mail(error: &smtp::Error) -> Self {
        let reason = reason(error, false);
        let permanent = error.is_client() || (error.is_permanent() && !reason.is_about_sign_in());
        let error_kind = if permanent {
            SendError::Permanent(reason)
        } else {
            SendError::Temporary(reason)
        };
        Self {
            error: error_kind,
            detail: harmless(&error.to_string()),
            said: answer_of(error),
        }
    }
}

/// The server's own words, without those of the library; empty when the server did not speak.
fn answer_of(error: &smtp::Error) -> String {
    let Some(code) = error.status() else {
        return String::new();
    };
    let text = error.to_string();
    let words = text.split_once("): ").map_or("", |(_, words)| words);
    format!("{code} {words}")
}

fn reason(error: &smtp::Error, encrypting: bool) -> Reason {
    if let Some(code) = error.status() {
        return Reason::Rejected(code.into());
    }
    if error.is_client() {
        return Reason::Address;
    }
    io_kind(error)
        .and_then(|kind| reason_of_io(kind, encrypting))
        .unwrap_or(Reason::Unreachable)
}

fn reason_of_io(kind: io::ErrorKind, encrypting: bool) -> Option<Reason> {
    match kind {
        io::ErrorKind::ConnectionRefused => Some(Reason::Refused),
        io::ErrorKind::TimedOut => Some(Reason::TimedOut),
        // The TLS library reports its own errors, such as a certificate it does not trust, as invalid data.
        io::ErrorKind::InvalidData => Some(Reason::Tls),
        io::ErrorKind::UnexpectedEof if encrypting => Some(Reason::Tls),
        _ => None,
    }
}

fn io_kind(error: &smtp::Error) -> Option<io::ErrorKind> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(error.kind());
        }
        source = error.source();
    }
    None
}

/// What may be logged of a server's answer. A server can repeat the mail, so all that could be a code, a token or a
/// password is left out.
fn harmless(answer: &str) -> String {
    let secret = |word: &str| {
        let digits = word.chars().filter(char::is_ascii_digit).count();
        digits >= vestibule_core::limits::CODE_DIGITS
            || word.chars().count() > LOGGED_WORD_MAX
            || word.contains("=?")
    };
    let words: Vec<&str> = answer
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let shown: Vec<&str> = words
        .into_iter()
        .map(|word| if secret(word) { "…" } else { word })
        .collect();
    shown.join(" ").chars().take(LOGGED_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn codes_and_tokens_are_not_logged() {
        let answer = "permanent error (550): 5.7.1 relaying denied\r\nfor \"123456 is your code\" 12-34-56 =?utf-8?b?MTIz?= ";
        let logged = harmless(&format!("{answer}{} end", "A".repeat(43)));
        assert_eq!(
            logged,
            "permanent error (550): 5.7.1 relaying denied for … is your code\" … … … end"
        );
        assert_eq!(harmless(&"ab ".repeat(500)).len(), 200);
    }
}
