//! The list of all settings: the one place that knows their names, defaults and explanations.

use vestibule_sso::Application;

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Name in the file; in the environment it is `VESTIBULE_` and the name in capitals.
    pub name: &'static str,
    /// Default; `None` = worked out at start, or nothing.
    pub default: Option<&'static str>,
    /// May hold a password: never shown whole, and may be read from the file that `<name>_file` names.
    pub secret: bool,
    /// What it is for, one line.
    pub purpose: &'static str,
    /// What its value has to be, as the end of "It must be …".
    pub right: &'static str,
}

impl Key {
    /// The environment variable.
    pub fn variable(&self) -> String {
        format!("{PREFIX}{}", self.name.to_ascii_uppercase())
    }
}

/// Beginning of all environment variables.
pub(super) const PREFIX: &str = "VESTIBULE_";

/// Ending of the keys that name a file with a secret in it.
pub(super) const FILE_SUFFIX: &str = "_file";

/// Settings whose default is worked out at start.
const WORKED_OUT: [&str; 2] = ["public_url", "hashing_threads"];

/// Names in the environment that are no settings: the path of the file, and what the build and the tests use.
pub(super) const OTHER_VARIABLES: [&str; 3] =
    ["VESTIBULE_CONFIG", "VESTIBULE_BINARY", "VESTIBULE_WASM_TOOLCHAIN"];

/// Beginning of the names that only the tests use.
pub(super) const TEST_PREFIX: &str = "VESTIBULE_TEST_";

const LEGAL: &str = "the address of a page (https://…) or the path of a readable Markdown file";

/// All settings, in the order in which they are explained and shown.
pub const KEYS: &[Key] = &[
    Key {
        name: "listen",
        default: Some("127.0.0.1:3000"),
        secret: false,
        purpose: "Address and port to listen on.",
        right: "an IP address and a port, such as 127.0.0.1:3000 or [::]:3000",
    },
    Key {
        name: "public_url",
        default: None,
        secret: false,
        purpose: "Address that people type into their browsers. Default: http:// and the value of listen.",
        right: "https:// and a host, with no path; http:// only for localhost, 127.0.0.1 or [::1]",
    },
    Key {
        name: "database_url",
        default: Some("sqlite://vestibule.db"),
        secret: true,
        purpose: "Database.",
        right: "sqlite:// and the path of a file, or postgres://user:password@host/database with special characters of the \
                password percent-encoded, such as %40 for @ and %23 for #",
    },
    Key {
        name: "database_connections",
        default: Some("10"),
        secret: false,
        purpose: "Connections to PostgreSQL, or readers of SQLite; of this server alone.",
        right: "a number from 2 to 500",
    },
    Key {
        name: "smtp_url",
        default: None,
        secret: true,
        purpose: "Mail server. Without one, mails stay in the local mailbox page.",
        right: "smtps://user:password@host or smtp://user:password@host:587, if need be with ?tls=optional or ?tls=none",
    },
    Key {
        name: "smtp_ca_file",
        default: None,
        secret: false,
        purpose: "Certificates (PEM) to trust for the mail server besides the well-known ones.",
        right: "the path of a readable file with certificates in PEM form",
    },
    Key {
        name: "mail_from",
        default: Some("Vestibule <vestibule@localhost.test>"),
        secret: false,
        purpose: "Sender of all mails; has to be set when smtp_url is.",
        right: "an e-mail address, with or without a name: Acme Login <login@acme.example>",
    },
    Key {
        name: "company_mail_private_hosts",
        default: Some("false"),
        secret: false,
        purpose: "Whether companies may name mail servers inside your own network, this machine included.",
        right: "true or false",
    },
    Key {
        name: "key_file",
        default: Some("vestibule.key"),
        secret: false,
        purpose: "Key file; made at the first start. Keep a copy in a safe place.",
        right: "the path of a file",
    },
    Key {
        name: "sso__google__client_id",
        default: None,
        secret: false,
        purpose: "Sign in with Google: identifier of the application. Default: only companies that have their own sign in with Google.",
        right: "the client ID of an OAuth client of the type web application",
    },
    Key {
        name: "sso__google__client_secret",
        default: None,
        secret: true,
        purpose: "Sign in with Google: secret of the application.",
        right: "the client secret that belongs to the client ID",
    },
    Key {
        name: "sso__google__issuer",
        default: Some(Application::GOOGLE),
        secret: false,
        purpose: "Sign in with Google: issuer.",
        right: "an https address",
    },
    Key {
        name: "sso__office365__client_id",
        default: None,
        secret: false,
        purpose: "Sign in with Office 365: identifier of the application. Default: only companies that have their own sign in with Office 365.",
        right: "the application (client) ID of an app registration",
    },
    Key {
        name: "sso__office365__client_secret",
        default: None,
        secret: true,
        purpose: "Sign in with Office 365: secret of the application.",
        right: "a client secret of the app registration",
    },
    Key {
        name: "sso__office365__tenant",
        default: Some("organizations"),
        secret: false,
        purpose: "Sign in with Office 365: whose accounts.",
        right: "organizations, common, or the ID of one tenant",
    },
    Key {
        name: "sso__office365__issuer",
        default: None,
        secret: false,
        purpose: "Sign in with Office 365: issuer, for another cloud than the public one. Default: follows from the tenant.",
        right: "an https address",
    },
    Key {
        name: "metrics_listen",
        default: None,
        secret: false,
        purpose: "Address of /metrics for your monitoring, apart from everything else. Default: none.",
        right: "an IP address and a port such as 127.0.0.1:9464",
    },
    Key {
        name: "trusted_proxies",
        default: None,
        secret: false,
        purpose: "Proxies whose X-Forwarded-For is believed. Default: none.",
        right: "IP addresses or networks such as 10.0.0.0/8, but never everybody (/0)",
    },
    Key {
        name: "terms",
        default: None,
        secret: false,
        purpose: "Terms of Service. Default: a short built-in text.",
        right: LEGAL,
    },
    Key {
        name: "privacy",
        default: None,
        secret: false,
        purpose: "Privacy Policy. Default: a short built-in text.",
        right: LEGAL,
    },
    Key {
        name: "log",
        default: Some(crate::logging::DEFAULT_FILTER),
        secret: false,
        purpose: "What is logged: a level, and levels for parts of the program.",
        right: "a level (error, warn, info, debug, trace, off), or several such as info,sqlx=warn",
    },
    Key {
        name: "log_format",
        default: Some("text"),
        secret: false,
        purpose: "How log lines look.",
        right: "text or json",
    },
    Key {
        name: "hashing_threads",
        default: None,
        secret: false,
        purpose: "Passwords hashed at the same time, 19 MiB of memory each. Default and most: the number of cores.",
        right: "a number from 1 to 256",
    },
    Key {
        name: "wrong_passwords_per_minute",
        default: Some("10"),
        secret: false,
        purpose: "Wrong passwords from one network address within a minute. One more for every five accounts that signed in \
                  there within 30 days.",
        right: "a number from 1 to 100000",
    },
    Key {
        name: "wrong_passwords_per_hour",
        default: Some("100"),
        secret: false,
        purpose: "Wrong passwords from one network address within an hour.",
        right: "a number from 1 to 1000000",
    },
    Key {
        name: "accounts_per_ten_minutes",
        default: Some("20"),
        secret: false,
        purpose: "Different accounts with wrong passwords from one network address within ten minutes.",
        right: "a number from 1 to 100000",
    },
    Key {
        name: "report_sources_only",
        default: Some("false"),
        secret: false,
        purpose: "Whether a network address with more wrong passwords than that is only noted in the audit log, not stopped: \
                  to find numbers that fit.",
        right: "true or false",
    },
    Key {
        name: "audit_retention_days",
        default: None,
        secret: false,
        purpose: "Days that events of the audit log are kept; older ones are deleted, the oldest first. Default: for ever.",
        right: "a number from 30 to 36500",
    },
    Key {
        name: "shutdown_seconds",
        default: Some("30"),
        secret: false,
        purpose: "How long requests under way may take to end after a stop signal.",
        right: "a number of seconds from 1 to 600",
    },
    Key {
        name: "drain_seconds",
        default: Some("5"),
        secret: false,
        purpose: "How long /readyz says 503 after SIGTERM before the node takes no more connections, so that balancers go elsewhere.",
        right: "a number of seconds from 0 to 600",
    },
];

/// The setting of this name, which has to be one.
pub(super) fn find(name: &'static str) -> &'static Key {
    const UNKNOWN: Key = Key {
        name: "",
        default: None,
        secret: true,
        purpose: "",
        right: "",
    };
    KEYS.iter().find(|key| key.name == name).unwrap_or(&UNKNOWN)
}

/// Whether the setting of this name has a value when nobody sets it; then an empty one counts as not set.
pub(super) fn has_default(name: &str) -> bool {
    WORKED_OUT.contains(&name) || KEYS.iter().any(|key| key.name == name && key.default.is_some())
}

/// Whether a file or a variable may have this name.
pub(super) fn is_known(name: &str) -> bool {
    KEYS.iter()
        .any(|key| key.name == name || (key.secret && name.strip_suffix(FILE_SUFFIX) == Some(key.name)))
}

/// The known name that looks most like `name`, when one looks alike at all.
pub(super) fn closest(name: &str) -> Option<String> {
    let all = KEYS.iter().flat_map(|key| {
        let file = key.secret.then(|| format!("{}{FILE_SUFFIX}", key.name));
        std::iter::once(key.name.to_owned()).chain(file)
    });
    all.map(|known| (strsim::jaro_winkler(name, &known), known))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, known)| known)
}
