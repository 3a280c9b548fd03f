//! The mail server's address and how to speak to it, from one URL.

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use percent_encoding::percent_decode_str;
use tokio_rustls::rustls::ClientConfig;
use url::{Host, Url};
use vestibule_core::mail_server::MailSecurity;
use zeroize::Zeroizing;

use super::{
    LOGGED_MAX,
    hosts::{CheckedHost, Reach},
    trust,
};

/// Longest wait for a connection (N27).
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// Longest conversation, connecting included (N27).
const CONVERSATION_LIMIT: Duration = Duration::from_secs(15);

/// How a connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// Never.
    None,
    /// When the server offers STARTTLS. The certificate is checked even then.
    Optional,
    /// By STARTTLS, or no mail is sent.
    Required,
    /// From the first byte.
    Implicit,
}

/// Why a mail server's URL or certificate file cannot be used. No variant repeats what was given: it may hold the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// No URL.
    #[error(
        "not a URL; write smtp://user:password@host:port, with special characters in user and password percent-encoded"
    )]
    NotAUrl,
    /// Another scheme.
    #[error("the URL must begin with smtp:// or smtps://")]
    Scheme,
    /// No host, or none that exists.
    #[error("the URL names no usable host")]
    Host,
    /// Port 0.
    #[error("port 0 cannot be used")]
    Port,
    /// Something between the host and the question mark, or after a hash sign.
    #[error(
        "nothing may follow the host and port but ?tls=…; percent-encode / ? # and @ in user and password"
    )]
    Trailing,
    /// An option that does not exist, or one given twice.
    #[error("the only option is tls, and it is given once")]
    UnknownOption,
    /// An unknown value of `tls`.
    #[error("tls is none, optional or required")]
    UnknownTls,
    /// `smtps://` with weaker encryption.
    #[error("smtps:// is always encrypted: leave tls away or use smtp://")]
    TlsOfSmtps,
    /// A user without a password or a password without a user.
    #[error("a user needs a password and a password needs a user")]
    Credentials,
    /// Control characters or broken UTF-8 in user or password.
    #[error("user and password must be UTF-8 text without control characters")]
    CredentialsText,
    /// A certificate file without a usable certificate.
    #[error("the file holds no usable certificate in PEM form")]
    Certificate,
    /// No encryption to another machine.
    #[error("without encryption only a server on the same machine can be used")]
    Unencrypted,
    /// A name for EHLO that is no host name.
    #[error("the name to greet the mail server with must be a host name")]
    HelloName,
}

/// Who signs in to a mail server.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: Zeroizing<String>,
}

impl Login {
    fn new([user, password]: [String; 2]) -> Self {
        Self {
            user,
            password: Zeroizing::new(password),
        }
    }
}

/// How to reach a mail server. It holds a password, so it has no `Debug`.
#[derive(Clone)]
pub struct SmtpSettings {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) encryption: Encryption,
    pub(super) loopback: bool,
    pub(super) tls: Arc<ClientConfig>,
    pub(super) login: Option<Login>,
    /// The password in every form in which a server may repeat it.
    secrets: Vec<Zeroizing<String>>,
    pub(super) reach: Reach,
    pub(super) hello_name: Option<String>,
    pub(super) connect_limit: Duration,
    pub(super) conversation_limit: Duration,
}

impl SmtpSettings {
    /// Reads `smtp://[user:password@]host[:port][?tls=none|optional|required]` or `smtps://…`.
    ///
    /// Without `tls`, `smtp://` demands STARTTLS, except on the loopback interface, where it is optional. The port is
    /// 465 for `smtps://`, 587 when STARTTLS is required, else 25.
    ///
    /// # Errors
    /// [`SettingsError`] says what is wrong.
    ///
    /// ```
    /// use vestibule_mail::SmtpSettings;
    /// let settings = SmtpSettings::parse("smtp://mailer:pa%40ss@mail.example.org").unwrap();
    /// assert_eq!(settings.server(), "mail.example.org:587");
    /// ```
    pub fn parse(url: &str) -> Result<Self, SettingsError> {
        let url = Url::parse(url.trim()).map_err(|error| match error {
            url::ParseError::EmptyHost => SettingsError::Host,
            _ => SettingsError::NotAUrl,
        })?;
        let implicit = match url.scheme() {
            "smtp" => false,
            "smtps" => true,
            _ => return Err(SettingsError::Scheme),
        };
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(SettingsError::Trailing);
        }
        // The scheme is not one that `url` knows, so it has left the host unparsed.
        let host = Host::parse(url.host_str().unwrap_or_default()).map_err(|_| SettingsError::Host)?;
        let loopback = match &host {
            Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        let host = match host {
            Host::Domain(name) => name,
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        let encryption = encryption(&url, implicit, loopback)?;
        let port = match (url.port(), encryption) {
            (Some(0), _) => return Err(SettingsError::Port),
            (Some(port), _) => port,
            (None, Encryption::Implicit) => 465,
            (None, Encryption::Required) => 587,
            (None, Encryption::Optional | Encryption::None) => 25,
        };
        let login = credentials(&url)?;
        Ok(Self {
            tls: trust::tls(None)?,
            secrets: secrets(login.as_ref()),
            login: login.map(Login::new),
            reach: Reach::Anywhere,
            host,
            port,
            encryption,
            loopback,
            hello_name: None,
            connect_limit: CONNECT_LIMIT,
            conversation_limit: CONVERSATION_LIMIT,
        })
    }

    /// The server that a company chose for its mails; `login` is user and password.
    ///
    /// # Errors
    /// [`SettingsError::Unencrypted`] without encryption to another machine; [`SettingsError::Port`] for port 0;
    /// [`SettingsError::CredentialsText`] for control characters in user or password.
    pub fn of_company(
        host: &CheckedHost,
        port: u16,
        security: MailSecurity,
        login: Option<[String; 2]>,
        reach: Reach,
    ) -> Result<Self, SettingsError> {
        let encryption = match security {
            MailSecurity::Tls => Encryption::Implicit,
            MailSecurity::StartTls => Encryption::Required,
            MailSecurity::None if host.loopback => Encryption::None,
            MailSecurity::None => return Err(SettingsError::Unencrypted),
        };
        if port == 0 {
            return Err(SettingsError::Port);
        }
        if login
            .iter()
            .flatten()
            .any(|text| text.chars().any(char::is_control))
        {
            return Err(SettingsError::CredentialsText);
        }
        Ok(Self {
            tls: trust::tls(None)?,
            secrets: secrets(login.as_ref()),
            login: login.map(Login::new),
            reach,
            host: host.name.clone(),
            port,
            encryption,
            loopback: host.loopback,
            hello_name: None,
            connect_limit: CONNECT_LIMIT,
            conversation_limit: CONVERSATION_LIMIT,
        })
    }

    /// One line of what was said, cut off where it gets long, and without the password if that was repeated.
    pub(super) fn without_password(&self, said: &str) -> String {
        let mut line = said.split_whitespace().collect::<Vec<_>>().join(" ");
        for secret in &self.secrets {
            line = line.replace(secret.as_str(), "…");
        }
        line.chars()
            .filter(|c| !c.is_control())
            .take(LOGGED_MAX)
            .collect()
    }

    /// Trusts the certificates of a PEM file too, for a mail server whose certificate no public authority signed: what
    /// they signed, and what is one of them.
    ///
    /// # Errors
    /// [`SettingsError::Certificate`].
    pub fn with_root_certificate(mut self, pem: &[u8]) -> Result<Self, SettingsError> {
        self.tls = trust::tls(Some(pem))?;
        Ok(self)
    }

    /// Greets the mail server with this name instead of the sender's domain.
    ///
    /// # Errors
    /// [`SettingsError::HelloName`].
    pub fn with_hello_name(mut self, name: &str) -> Result<Self, SettingsError> {
        let Ok(Host::Domain(name)) = Host::parse(name.trim()) else {
            return Err(SettingsError::HelloName);
        };
        self.hello_name = Some(name);
        Ok(self)
    }

    /// Other limits than the 5 seconds for connecting and the 15 seconds for everything (N27).
    #[must_use]
    pub const fn with_limits(mut self, connect: Duration, conversation: Duration) -> Self {
        self.connect_limit = connect;
        self.conversation_limit = conversation;
        self
    }

    /// Host and port, for messages to the operator.
    pub fn server(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') {
            format!("[{host}]:{port}")
        } else {
            format!("{host}:{port}")
        }
    }

    /// How connections are encrypted.
    pub const fn encryption(&self) -> Encryption {
        self.encryption
    }

    /// Whether the operator chose to send the password over the network unencrypted; worth a warning.
    pub const fn exposes_password(&self) -> bool {
        self.login.is_some() && matches!(self.encryption, Encryption::None) && !self.loopback
    }
}

fn encryption(url: &Url, implicit: bool, loopback: bool) -> Result<Encryption, SettingsError> {
    let mut chosen = None;
    for (option, value) in url.query_pairs() {
        if option != "tls" || chosen.is_some() {
            return Err(SettingsError::UnknownOption);
        }
        chosen = Some(match value.as_ref() {
            "none" => Encryption::None,
            "optional" => Encryption::Optional,
            "required" => Encryption::Required,
            _ => return Err(SettingsError::UnknownTls),
        });
    }
    match (implicit, chosen) {
        (true, None | Some(Encryption::Required)) => Ok(Encryption::Implicit),
        (true, Some(_)) => Err(SettingsError::TlsOfSmtps),
        (false, Some(encryption)) => Ok(encryption),
        (false, None) if loopback => Ok(Encryption::Optional),
        (false, None) => Ok(Encryption::Required),
    }
}

/// The password as it is and as AUTH sends it, the longest first (RFC 4616, RFC 4954).
fn secrets(login: Option<&[String; 2]>) -> Vec<Zeroizing<String>> {
    let Some([user, password]) = login else {
        return Vec::new();
    };
    let plain = Zeroizing::new(format!("\0{user}\0{password}"));
    [
        BASE64.encode(plain.as_bytes()),
        BASE64.encode(password),
        password.clone(),
    ]
    .map(Zeroizing::new)
    .into_iter()
    .filter(|secret| !secret.is_empty())
    .collect()
}

fn credentials(url: &Url) -> Result<Option<[String; 2]>, SettingsError> {
    let decode = |text: &str| {
        let text = percent_decode_str(text)
            .decode_utf8()
            .map_err(|_| SettingsError::CredentialsText)?;
        if text.chars().any(char::is_control) {
            Err(SettingsError::CredentialsText)
        } else {
            Ok(text.into_owned())
        }
    };
    let user = decode(url.username())?;
    let password = decode(url.password().unwrap_or_default())?;
    match (user.is_empty(), password.is_empty()) {
        (true, true) => Ok(None),
        (false, false) => Ok(Some([user, password])),
        _ => Err(SettingsError::Credentials),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> (String, Encryption, bool) {
        let settings = SmtpSettings::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
        (settings.server(), settings.encryption(), settings.login.is_some())
    }

    #[test]
    fn encryption_and_port_follow_from_scheme_and_host() {
        use Encryption::{Implicit, None, Optional, Required};
        for (url, server, encryption) in [
            ("smtp://mail.example.org", "mail.example.org:587", Required),
            ("smtp://mail.example.org:2525/", "mail.example.org:2525", Required),
            (
                "smtp://Mail.Example.org?tls=optional",
                "mail.example.org:25",
                Optional,
            ),
            ("smtp://mail.example.org?tls=none", "mail.example.org:25", None),
            ("smtps://mail.example.org", "mail.example.org:465", Implicit),
            (
                "smtps://mail.example.org?tls=required",
                "mail.example.org:465",
                Implicit,
            ),
            ("smtp://localhost:1025", "localhost:1025", Optional),
            ("smtp://127.0.0.1", "127.0.0.1:25", Optional),
            ("smtp://[::1]:1025", "[::1]:1025", Optional),
            ("smtp://127.0.0.1?tls=required", "127.0.0.1:587", Required),
            ("smtp://10.0.0.1", "10.0.0.1:587", Required),
            ("smtp://bücher.test", "xn--bcher-kva.test:587", Required),
            (" smtp://mail.example.org\n", "mail.example.org:587", Required),
        ] {
            assert_eq!(parsed(url), (server.to_owned(), encryption, false), "{url}");
        }
    }

    #[test]
    fn user_and_password_are_percent_decoded() {
        let settings = SmtpSettings::parse("smtp://us%40er:p%2Fa%3As%23s%20%C3%A9@mail.example.org").unwrap();
        let login = ["us@er", "p/a:s#s é"].map(str::to_owned);
        assert!(settings.login == Some(Login::new(login)));
        assert!(!settings.exposes_password());
        assert!(
            SmtpSettings::parse("smtp://u:p@mail.example.org?tls=none")
                .unwrap()
                .exposes_password()
        );
        assert!(
            !SmtpSettings::parse("smtp://u:p@127.0.0.1?tls=none")
                .unwrap()
                .exposes_password()
        );
        assert!(
            !SmtpSettings::parse("smtp://mail.example.org?tls=none")
                .unwrap()
                .exposes_password()
        );
    }

    #[test]
    fn a_company_without_encryption_speaks_to_this_machine_only() {
        let settings = |host: &str, port, security| {
            let host = CheckedHost::parse(host).unwrap();
            SmtpSettings::of_company(&host, port, security, None, Reach::Anywhere)
                .map(|settings| (settings.server(), settings.encryption()))
        };
        for (host, security, encryption) in [
            ("mail.example.org", MailSecurity::Tls, Encryption::Implicit),
            ("mail.example.org", MailSecurity::StartTls, Encryption::Required),
            ("localhost", MailSecurity::None, Encryption::None),
            ("127.0.0.1", MailSecurity::None, Encryption::None),
        ] {
            assert_eq!(
                settings(host, 2525, security),
                Ok((format!("{host}:2525"), encryption))
            );
        }
        for host in ["mail.example.org", "10.0.0.1"] {
            assert_eq!(
                settings(host, 25, MailSecurity::None),
                Err(SettingsError::Unencrypted)
            );
        }
        assert_eq!(
            settings("localhost", 0, MailSecurity::Tls),
            Err(SettingsError::Port)
        );
    }

    #[test]
    fn a_password_that_a_server_repeats_is_not_shown() {
        let host = CheckedHost::parse("mail.example.org").unwrap();
        let login = Some(["mailer".to_owned(), "s3cret".to_owned()]);
        let settings = SmtpSettings::of_company(&host, 465, MailSecurity::Tls, login, Reach::Public).unwrap();
        let said = "535 no\r\n s3cret czNjcmV0 AG1haWxlcgBzM2NyZXQ= for mailer";
        assert_eq!(settings.without_password(said), "535 no … … … for mailer");
        assert_eq!(settings.without_password(&"é ".repeat(300)).chars().count(), 200);
    }

    #[test]
    fn the_limits_are_five_and_fifteen_seconds() {
        let settings = SmtpSettings::parse("smtps://mail.example.org").unwrap();
        let limits = [settings.connect_limit, settings.conversation_limit];
        assert_eq!(limits.map(|limit| limit.as_secs()), [5, 15]);
    }

    #[test]
    fn every_mistake_has_its_own_error() {
        for (url, error) in [
            ("", SettingsError::NotAUrl),
            ("mail.example.org", SettingsError::NotAUrl),
            ("smtp://host:99999", SettingsError::NotAUrl),
            ("http://mail.example.org", SettingsError::Scheme),
            ("mail.example.org:25", SettingsError::Scheme),
            ("smtp://", SettingsError::Host),
            ("smtp:mail.example.org", SettingsError::Trailing),
            ("smtp://ho%20st", SettingsError::Host),
            ("smtp://host:0", SettingsError::Port),
            ("smtp://host/path", SettingsError::Trailing),
            ("smtp://host#x", SettingsError::Trailing),
            ("smtp://host?timeout=5", SettingsError::UnknownOption),
            ("smtp://host?tls=none&tls=required", SettingsError::UnknownOption),
            ("smtp://host?tls=always", SettingsError::UnknownTls),
            ("smtps://host?tls=none", SettingsError::TlsOfSmtps),
            ("smtp://user@host", SettingsError::Credentials),
            ("smtp://:password@host", SettingsError::Credentials),
            ("smtp://us%00er:password@host", SettingsError::CredentialsText),
            ("smtp://user:pass%0D%0Aword@host", SettingsError::CredentialsText),
            ("smtp://user:%ff@host", SettingsError::CredentialsText),
        ] {
            assert_eq!(SmtpSettings::parse(url).err(), Some(error), "{url}");
            assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn a_certificate_file_must_hold_a_certificate() {
        let settings = || SmtpSettings::parse("smtps://mail.example.org").unwrap();
        let garbled = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for bad in [b"".as_slice(), b"hello", garbled] {
            assert_eq!(
                settings().with_root_certificate(bad).err(),
                Some(SettingsError::Certificate)
            );
        }
    }

    #[test]
    fn the_greeting_is_a_host_name() {
        let settings = || SmtpSettings::parse("smtps://mail.example.org").unwrap();
        assert_eq!(
            settings()
                .with_hello_name("app.example.org")
                .unwrap()
                .hello_name
                .unwrap(),
            "app.example.org"
        );
        for bad in ["", "two words", "a\r\nb", "127.0.0.1"] {
            assert_eq!(
                settings().with_hello_name(bad).err(),
                Some(SettingsError::HelloName),
                "{bad:?}"
            );
        }
    }
}
