//! The mail server's address and how to speak to it, from one URL.

use std::time::Duration;

use lettre::transport::smtp::{
    authentication::Credentials,
    client::{Certificate, CertificateStore, TlsParameters},
};
use percent_encoding::percent_decode_str;
use url::{Host, Url};

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
    /// A name for EHLO that is no host name.
    #[error("the name to greet the mail server with must be a host name")]
    HelloName,
}

/// How to reach a mail server. It holds a password, so it has no `Debug`.
#[derive(Clone)]
pub struct SmtpSettings {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) encryption: Encryption,
    pub(super) loopback: bool,
    pub(super) tls: TlsParameters,
    pub(super) credentials: Option<Credentials>,
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
        Ok(Self {
            tls: tls_parameters(&host, None)?,
            credentials: credentials(&url)?,
            host,
            port,
            encryption,
            loopback,
            hello_name: None,
            connect_limit: CONNECT_LIMIT,
            conversation_limit: CONVERSATION_LIMIT,
        })
    }

    /// Trusts the certificates of a PEM file too, for a mail server whose certificate no public authority signed.
    ///
    /// # Errors
    /// [`SettingsError::Certificate`].
    pub fn with_root_certificate(mut self, pem: &[u8]) -> Result<Self, SettingsError> {
        const BEGINNING: &[u8] = b"-----BEGIN CERTIFICATE-----";
        if !pem.windows(BEGINNING.len()).any(|window| window == BEGINNING) {
            return Err(SettingsError::Certificate);
        }
        let certificate = Certificate::from_pem(pem).map_err(|_| SettingsError::Certificate)?;
        self.tls = tls_parameters(&self.host, Some(certificate))?;
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
        self.credentials.is_some() && matches!(self.encryption, Encryption::None) && !self.loopback
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

fn credentials(url: &Url) -> Result<Option<Credentials>, SettingsError> {
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
        (false, false) => Ok(Some(Credentials::new(user, password))),
        _ => Err(SettingsError::Credentials),
    }
}

fn tls_parameters(host: &str, root: Option<Certificate>) -> Result<TlsParameters, SettingsError> {
    let builder = TlsParameters::builder(host.to_owned()).certificate_store(CertificateStore::WebpkiRoots);
    let builder = match root {
        Some(certificate) => builder.add_root_certificate(certificate),
        None => builder,
    };
    builder.build_rustls().map_err(|_| SettingsError::Certificate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> (String, Encryption, bool) {
        let settings = SmtpSettings::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
        (
            settings.server(),
            settings.encryption(),
            settings.credentials.is_some(),
        )
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
        assert!(settings.credentials == Some(Credentials::new("us@er".to_owned(), "p/a:s#s é".to_owned())));
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
