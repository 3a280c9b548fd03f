use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use super::*;

fn inputs(file: Option<&Path>, environment: &[(&str, &str)]) -> Inputs {
    Inputs {
        file: file.map(Path::to_owned),
        default_file: PathBuf::from("/nonexistent/vestibule.toml"),
        environment: environment
            .iter()
            .map(|(name, value)| (OsString::from(name), OsString::from(value)))
            .collect(),
    }
}

fn of_environment(environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::load(&inputs(None, environment))
}

/// The keys of the problems, and all the text about them.
fn problems(result: Result<Config, ConfigError>) -> (Vec<String>, String) {
    let error = result.expect_err("these settings are wrong");
    (
        error
            .problems()
            .iter()
            .map(|problem| problem.key.clone())
            .collect(),
        error.to_string(),
    )
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, text).unwrap();
    file
}

#[test]
fn without_any_setting_it_is_a_private_server_on_sqlite() {
    let config = of_environment(&[]).unwrap();
    assert_eq!(config.listen, "127.0.0.1:3000".parse().unwrap());
    assert_eq!(config.origin(), "http://127.0.0.1:3000");
    assert!(!config.is_https());
    assert_eq!(config.database_url.reveal(), "sqlite://vestibule.db");
    assert!(config.smtp.is_none());
    assert_eq!(config.key_file, Path::new("vestibule.key"));
    assert_eq!(
        (&config.terms, &config.privacy),
        (&Legal::BuiltIn, &Legal::BuiltIn)
    );
    assert_eq!(
        config.sources,
        SourceLimits {
            per_minute: 10,
            per_hour: 100,
            accounts_per_ten_minutes: 20
        }
    );
    assert_eq!(
        (config.log_format, config.shutdown_seconds, config.drain_seconds),
        (LogFormat::Text, 30, 5)
    );
    assert!(config.hashing_threads >= 1 && config.trusted_proxies.is_empty());
    assert_eq!(config.warnings(), [""; 0]);
    assert_eq!(config.settings().len(), KEYS.len());
    assert!(
        config
            .settings()
            .iter()
            .all(|setting| setting.origin == Origin::Default)
    );
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_defaults() {
    let file = file(
        "listen = \"127.0.0.1:4000\"\nshutdown_seconds = 5\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]\n",
    );
    let config = Config::load(&inputs(
        Some(file.path()),
        &[("VESTIBULE_LISTEN", "127.0.0.1:5000")],
    ))
    .unwrap();
    assert_eq!(config.listen.port(), 5000);
    assert_eq!(
        config.origin(),
        "http://127.0.0.1:5000",
        "the public address follows"
    );
    assert_eq!(config.shutdown_seconds, 5);
    assert_eq!(
        config.trusted_proxies,
        ["10.0.0.0/8".parse().unwrap(), "::1/128".parse::<IpNet>().unwrap()]
    );
    let report = config.report();
    let line = |key: &str| report.lines().find(|line| line.starts_with(key)).unwrap();
    assert!(line("listen").ends_with("VESTIBULE_LISTEN"), "{report}");
    assert!(
        line("shutdown_seconds").ends_with(file.path().to_str().unwrap()),
        "{report}"
    );
    assert!(line("key_file").ends_with("default"), "{report}");
}

#[test]
fn the_file_is_the_named_one_or_the_one_that_lies_there() {
    let (one, two) = (file("shutdown_seconds = 1"), file("shutdown_seconds = 2"));
    let mut inputs = inputs(None, &[("VESTIBULE_CONFIG", one.path().to_str().unwrap())]);
    assert_eq!(Config::load(&inputs).unwrap().shutdown_seconds, 1);
    inputs.file = Some(two.path().to_owned());
    assert_eq!(Config::load(&inputs).unwrap().shutdown_seconds, 2);
    inputs = Inputs {
        file: None,
        default_file: one.path().to_owned(),
        environment: Vec::new(),
    };
    assert_eq!(Config::load(&inputs).unwrap().shutdown_seconds, 1);
    inputs.file = Some(PathBuf::from("/nonexistent/other.toml"));
    let (keys, text) = problems(Config::load(&inputs));
    assert_eq!(keys, ["the file"]);
    assert!(
        text.contains("/nonexistent/other.toml") && text.contains("no such file"),
        "{text}"
    );
}

#[test]
fn all_problems_are_told_at_once_each_with_key_source_and_what_is_right() {
    let file = file("listen = 3000\nlog_format = \"xml\"\nlisten_port = 1\nterms = [[1]]\n");
    let environment = [
        ("VESTIBULE_HASHING_THREADS", "many"),
        ("VESTIBULE_SHUTDOWN_SECOND", "5"),
        ("VESTIBULE_TRUSTED_PROXIES", "10.0.0.1, everybody"),
        ("VESTIBULE_LOG", "inof"),
        ("VESTIBULE_KEY_FILE", "a\0b"),
        ("VESTIBULE_WRONG_PASSWORDS_PER_MINUTE", "-1"),
        ("PATH", "/bin"),
    ];
    let (keys, text) = problems(Config::load(&inputs(Some(file.path()), &environment)));
    let expected = [
        "listen_port",
        "shutdown_second",
        "listen",
        "key_file",
        "trusted_proxies",
        "terms",
        "log",
        "log_format",
        "hashing_threads",
        "wrong_passwords_per_minute",
    ];
    assert_eq!(keys, expected, "{text}");
    for part in [
        "There are 10 problems",
        "VESTIBULE_HASHING_THREADS): \"many\" is not right. It must be a number from 1 to 256.",
        "Did you mean VESTIBULE_SHUTDOWN_SECONDS?\n",
        "\"everybody\", which is no address",
        "\"3000\" is not right. It must be an IP address and a port",
        "It must be text or json.",
        "\"inof\", which is no level",
    ] {
        assert!(text.contains(part), "{part:?} is missing in {text}");
    }
    assert_eq!(text.matches(file.path().to_str().unwrap()).count(), 4, "{text}");
}

#[test]
fn a_file_that_is_no_toml_is_told_by_its_line_and_never_quoted() {
    let file = file("listen = \"127.0.0.1:3000\"\nsmtp_url = smtp://u:sentinel@mail.test\n");
    let (keys, text) = problems(Config::load(&inputs(Some(file.path()), &[])));
    assert_eq!(keys, ["the file"]);
    assert!(text.contains("line 2") && !text.contains("sentinel"), "{text}");
}

#[test]
fn names_of_tools_and_of_kubernetes_are_no_settings() {
    let environment = [
        ("VESTIBULE_TEST_WORKERS", "4"),
        ("VESTIBULE_BINARY", "target/vestibule"),
        ("VESTIBULE_SERVICE_HOST", "10.0.0.9"),
        ("VESTIBULE_SERVICE_PORT_HTTP", "3000"),
        ("VESTIBULE_PORT", "tcp://10.0.0.9:3000"),
        ("VESTIBULE_PORT_3000_TCP_ADDR", "10.0.0.9"),
    ];
    let config = of_environment(&environment).unwrap();
    let [warning] = config.warnings() else {
        panic!("{:?}", config.warnings());
    };
    for name in [
        "VESTIBULE_PORT,",
        "VESTIBULE_PORT_3000_TCP_ADDR,",
        "VESTIBULE_SERVICE_HOST,",
    ] {
        assert!(warning.contains(name), "{name} is missing in {warning}");
    }
    assert!(
        !warning.contains("TEST") && !warning.contains("BINARY"),
        "{warning}"
    );
    for (name, value) in [
        ("VESTIBULE_SERVICE_PORT", "3000"),
        ("VESTIBULE_PORT_3000_TCP", "tcp://10.0.0.9:3000"),
        ("VESTIBULE_PORT_53_UDP_PROTO", "udp"),
        ("VESTIBULE_WEB_SERVICE_HOST", "10.0.0.9"),
        ("VESTIBULE_WEB_SERVICE_PORT_HTTP", "3000"),
        ("VESTIBULE_WEB_PORT", "tcp://10.0.0.9:3000"),
        ("VESTIBULE_WEB_PORT_3000_TCP_PORT", "3000"),
        ("VESTIBULE_NAME", "/web/vestibule"),
        ("VESTIBULE_ENV_PATH", "/bin"),
    ] {
        let config = of_environment(&[(name, value)]).unwrap();
        assert!(config.warnings().concat().contains(name), "{name}");
    }
    for (name, value) in [
        ("VESTIBULE_SMTP_PORT", "587"),
        ("VESTIBULE_SMTP_PORT", "smtp://mail"),
        ("VESTIBULE_PORT_NUMBER", "1"),
        ("VESTIBULE_SERVICE_PORTS", "1"),
        ("VESTIBULE_NAME", "Acme"),
    ] {
        assert_eq!(problems(of_environment(&[(name, value)])).0.len(), 1, "{name}");
    }
    let (keys, _) = problems(of_environment(&[
        ("VESTIBULE_PORT", "3000"),
        ("VESTIBULE_Listen", "x"),
    ]));
    assert_eq!(keys, ["VESTIBULE_Listen", "port"]);
}

#[test]
fn plain_http_is_for_this_machine_only() {
    for good in [
        "http://localhost:3000",
        "http://127.0.0.1:3000/",
        "http://127.8.9.1",
        "http://[::1]:3000",
        "https://login.acme.example",
        "https://login.acme.example:8443",
    ] {
        assert!(
            of_environment(&[("VESTIBULE_PUBLIC_URL", good)]).is_ok(),
            "{good}"
        );
    }
    for bad in [
        "http://login.acme.example",
        "http://10.0.0.1",
        "http://localhost.evil.example",
        "http://localhost@evil.example",
        "https://acme.example/login",
        "https://acme.example/?a=b",
        "https://user:password@acme.example",
        "ftp://localhost",
        "localhost:3000",
        "login.acme.example",
    ] {
        let result = of_environment(&[("VESTIBULE_LISTEN", "127.0.0.1:1"), ("VESTIBULE_PUBLIC_URL", bad)]);
        assert_eq!(problems(result).0, ["public_url"], "{bad}");
    }
    let (keys, text) = problems(of_environment(&[("VESTIBULE_LISTEN", "0.0.0.0:3000")]));
    assert_eq!(
        keys,
        ["public_url"],
        "listening for everybody needs a public address: {text}"
    );
    let both = [
        ("VESTIBULE_LISTEN", "0.0.0.0:3000"),
        ("VESTIBULE_PUBLIC_URL", "https://login.acme.example"),
    ];
    assert!(of_environment(&both).unwrap().is_https());
}

#[test]
fn a_free_port_is_filled_in_when_it_is_known() {
    let mut config = of_environment(&[("VESTIBULE_LISTEN", "127.0.0.1:0")]).unwrap();
    config.bound_to("127.0.0.1:40123".parse().unwrap());
    assert_eq!(
        (config.listen.port(), config.origin().as_str()),
        (40123, "http://127.0.0.1:40123")
    );
    let chosen = [
        ("VESTIBULE_LISTEN", "127.0.0.1:0"),
        ("VESTIBULE_PUBLIC_URL", "https://login.acme.example"),
    ];
    let mut config = of_environment(&chosen).unwrap();
    config.bound_to("127.0.0.1:40123".parse().unwrap());
    assert_eq!(config.origin(), "https://login.acme.example");
}

#[test]
fn no_password_is_ever_shown() {
    let environment = [
        (
            "VESTIBULE_DATABASE_URL",
            "postgres://app:sentinel1@db.acme.example/vestibule?password=sentinel2&sslmode=verify-full",
        ),
        (
            "VESTIBULE_SMTP_URL",
            "smtps://sentinel3:sentinel3@mail.acme.example",
        ),
        ("VESTIBULE_MAIL_FROM", "Acme <login@acme.example>"),
    ];
    let config = of_environment(&environment).unwrap();
    let shown = format!("{config:?}\n{config:#?}\n{}", config.report());
    assert!(!shown.contains("sentinel"), "{shown}");
    assert!(
        config
            .report()
            .contains("postgres://app:***@db.acme.example/vestibule"),
        "{}",
        config.report()
    );
    assert!(
        config.database_url.reveal().contains("sentinel1"),
        "the database still gets it"
    );
    for bad in [
        (
            "VESTIBULE_DATABASE_URL",
            "postgres://app:sentinel@db.acme.example",
        ),
        ("VESTIBULE_DATABASE_URL", "mysql://app:sentinel@db/x"),
        (
            "VESTIBULE_SMTP_URL",
            "smtp://app:sentinel@mail.acme.example?tls=sentinel",
        ),
        ("VESTIBULE_SMTP_URL", "app:sentinel@mail.acme.example"),
    ] {
        let (keys, text) = problems(of_environment(&[bad]));
        assert_eq!(keys.len(), 1, "{text}");
        assert!(!text.contains("sentinel"), "{text}");
    }
}

#[test]
fn secrets_may_lie_in_files_of_their_own() {
    let secret = file("postgres://app:sentinel@localhost/vestibule\n");
    let path = secret.path().to_str().unwrap();
    let config = of_environment(&[("VESTIBULE_DATABASE_URL_FILE", path)]).unwrap();
    assert_eq!(
        config.database_url.reveal(),
        "postgres://app:sentinel@localhost/vestibule"
    );
    assert!(
        config.report().contains(&format!("secret file {path}")) && !config.report().contains("sentinel")
    );

    // The layers keep their order whichever way the secret is given.
    let toml = file(&format!("database_url_file = \"{path}\"\n"));
    let config = Config::load(&inputs(Some(toml.path()), &[])).unwrap();
    assert!(config.database_url.reveal().starts_with("postgres:"));
    let over = inputs(Some(toml.path()), &[("VESTIBULE_DATABASE_URL", "sqlite://x.db")]);
    assert_eq!(
        Config::load(&over).unwrap().database_url.reveal(),
        "sqlite://x.db"
    );
    let toml = file("database_url = \"sqlite://x.db\"\n");
    let over = inputs(Some(toml.path()), &[("VESTIBULE_DATABASE_URL_FILE", path)]);
    assert!(
        Config::load(&over)
            .unwrap()
            .database_url
            .reveal()
            .starts_with("postgres:")
    );

    let twice = [
        ("VESTIBULE_DATABASE_URL_FILE", path),
        ("VESTIBULE_DATABASE_URL", "sqlite://x.db"),
    ];
    assert_eq!(problems(of_environment(&twice)).0, ["database_url_file"]);
    let missing = [("VESTIBULE_SMTP_URL_FILE", "/nonexistent/smtp")];
    let (keys, text) = problems(of_environment(&missing));
    assert_eq!(keys, ["smtp_url_file"]);
    assert!(
        text.contains("/nonexistent/smtp: there is no such file"),
        "{text}"
    );
    assert_eq!(
        problems(of_environment(&[("VESTIBULE_LISTEN_FILE", path)])).0,
        ["listen_file"]
    );
}

#[test]
fn a_mail_server_needs_a_sender_and_certificates_need_a_mail_server() {
    let smtp = ("VESTIBULE_SMTP_URL", "smtps://u:p@mail.acme.example");
    let (keys, text) = problems(of_environment(&[smtp]));
    assert_eq!(keys, ["mail_from"]);
    assert!(text.contains("it is needed when smtp_url is set"), "{text}");
    let from = ("VESTIBULE_MAIL_FROM", "login@acme.example");
    assert!(of_environment(&[smtp, from]).unwrap().smtp.is_some());
    for bad in [
        "Acme",
        "a@b@c",
        "Acme <login@acme.example>, Eve <eve@evil.example>",
        "A\nBcc: eve@evil.example",
    ] {
        assert_eq!(
            problems(of_environment(&[("VESTIBULE_MAIL_FROM", bad)])).0,
            ["mail_from"],
            "{bad}"
        );
    }

    let nonsense = file("no certificate");
    let ca = ("VESTIBULE_SMTP_CA_FILE", nonsense.path().to_str().unwrap());
    assert_eq!(problems(of_environment(&[smtp, from, ca])).0, ["smtp_ca_file"]);
    assert_eq!(problems(of_environment(&[ca])).0, ["smtp_ca_file"]);
    let absent = ("VESTIBULE_SMTP_CA_FILE", "/nonexistent/ca.pem");
    assert_eq!(
        problems(of_environment(&[smtp, from, absent])).0,
        ["smtp_ca_file"]
    );
}

#[test]
fn an_empty_variable_takes_an_optional_setting_back() {
    let file = file("smtp_url = \"smtps://u:p@mail.acme.example\"\nmail_from = \"a@acme.example\"\n");
    let config = Config::load(&inputs(Some(file.path()), &[("VESTIBULE_SMTP_URL", "")])).unwrap();
    assert!(config.smtp.is_none());
}

#[test]
fn an_empty_value_of_a_setting_with_a_default_is_no_value() {
    for key in KEYS {
        let variable = key.variable();
        for empty in ["", " "] {
            let empty = [(variable.as_str(), empty)];
            if keys::has_default(key.name) {
                let config = of_environment(&empty).unwrap();
                assert_eq!(
                    config.report(),
                    of_environment(&[]).unwrap().report(),
                    "{}",
                    key.name
                );
            } else if empty[0].1.is_empty() {
                assert!(of_environment(&empty).is_ok(), "{}", key.name);
            }
        }
    }
    // Not even over the file: a database that is named there must not be left for the default one.
    let named = file("database_url = \"postgres://localhost/x\"\nlog = \"\"\n");
    let config = Config::load(&inputs(Some(named.path()), &[("VESTIBULE_DATABASE_URL", "")])).unwrap();
    assert_eq!(config.database_url.reveal(), "postgres://localhost/x");
    assert_eq!(config.log, crate::logging::DEFAULT_FILTER);
    // Nor does it contradict a file with the secret.
    let secret = file("smtps://u:p@mail.acme.example");
    let environment = [
        ("VESTIBULE_SMTP_URL", ""),
        ("VESTIBULE_SMTP_URL_FILE", secret.path().to_str().unwrap()),
        ("VESTIBULE_MAIL_FROM", "a@acme.example"),
    ];
    assert!(of_environment(&environment).unwrap().smtp.is_some());
}

#[test]
fn the_file_of_the_working_folder_comes_before_the_one_of_the_machine() {
    let (near, far) = (file(""), file(""));
    let (near, far) = (near.path().to_str().unwrap(), far.path().to_str().unwrap());
    let missing = "/nonexistent/vestibule.toml";
    for (files, first) in [
        ([near, far], near),
        ([missing, far], far),
        ([missing, missing], missing),
    ] {
        assert_eq!(first_there(files), Path::new(first));
    }
}

#[test]
fn the_place_of_a_database_is_whole_and_holds_no_password() {
    let here = std::env::current_dir().unwrap();
    for (url, place) in [
        ("sqlite://x.db", here.join("x.db").to_str().unwrap()),
        ("sqlite://a/b%20c.db", here.join("a/b c.db").to_str().unwrap()),
        ("sqlite:///var/lib/x.db", "/var/lib/x.db"),
        (
            "postgres://app:sentinel@db.acme.example:6432/x",
            "x on db.acme.example:6432 (PostgreSQL)",
        ),
        (
            "postgres://db.acme.example/x?password=sentinel",
            "x on db.acme.example (PostgreSQL)",
        ),
        ("postgres://sentinel@[::1]/x", "x on [::1] (PostgreSQL)"),
        (
            "postgresql:///x?host=/run/postgresql&port=5433",
            "x on /run/postgresql (PostgreSQL)",
        ),
        ("postgres://%2Frun%2Fpg/x", "x on /run/pg (PostgreSQL)"),
        ("postgres:///?dbname=x", "x (PostgreSQL)"),
    ] {
        let config = of_environment(&[("VESTIBULE_DATABASE_URL", url)]).unwrap();
        assert_eq!(config.database_url.place().to_string(), place);
    }
    for raw in [
        "postgres://app:sent#inel@db/x",
        "postgres://app:12#inel@db/x",
        "postgres://app:12/inel@db/x",
        "postgres://app:12?inel@db/x",
        "postgres://app:inel/@db/x",
        "postgres://app:inel?@db/x",
        "postgres://app:inel@db/x#y",
    ] {
        let (_, text) = problems(of_environment(&[("VESTIBULE_DATABASE_URL", raw)]));
        assert!(
            text.contains("percent-encoded") && !text.contains("inel"),
            "{raw}: {text}"
        );
    }
    let config = of_environment(&[("VESTIBULE_DATABASE_URL", "postgres://app:sent@inel@db:6432/x")]).unwrap();
    assert_eq!(
        config.database_url.place().to_string(),
        "x on db:6432 (PostgreSQL)"
    );
}

#[test]
fn databases_are_files_or_postgres() {
    for good in [
        "sqlite://x.db",
        "sqlite:///var/lib/x.db",
        "postgres://localhost/x",
        "postgresql:///x?host=/run/postgresql",
    ] {
        let config = of_environment(&[("VESTIBULE_DATABASE_URL", good)]).unwrap();
        assert_eq!(config.warnings(), [""; 0], "{good}");
    }
    for bad in [
        "x.db",
        "sqlite::memory:",
        "sqlite://",
        "sqlite://:memory:",
        "sqlite://a/",
        "sqlite://x.db?mode=ro",
        "postgres://localhost",
    ] {
        assert_eq!(
            problems(of_environment(&[("VESTIBULE_DATABASE_URL", bad)])).0,
            ["database_url"],
            "{bad}"
        );
    }
}

#[test]
fn nobody_trusts_everybody() {
    for bad in [
        "0.0.0.0/0",
        "10.0.0.1,::/0",
        "10.0.0.0/33",
        "proxy.acme.example",
        "10.0.0.1,,10.0.0.2",
    ] {
        assert_eq!(
            problems(of_environment(&[("VESTIBULE_TRUSTED_PROXIES", bad)])).0,
            ["trusted_proxies"],
            "{bad}"
        );
    }
    let config = of_environment(&[("VESTIBULE_TRUSTED_PROXIES", "10.1.2.3/8, 192.0.2.1")]).unwrap();
    assert_eq!(
        config.trusted_proxies,
        [
            "10.0.0.0/8".parse().unwrap(),
            "192.0.2.1/32".parse::<IpNet>().unwrap()
        ]
    );
}

#[test]
fn legal_texts_are_pages_or_files() {
    let text = file("# Terms");
    let path = text.path().to_str().unwrap();
    let config = of_environment(&[
        ("VESTIBULE_TERMS", path),
        ("VESTIBULE_PRIVACY", "https://acme.example/privacy"),
    ])
    .unwrap();
    assert_eq!(config.terms, Legal::File(text.path().to_owned()));
    assert_eq!(
        config.privacy,
        Legal::Url(Url::parse("https://acme.example/privacy").unwrap())
    );
    for bad in ["/nonexistent/terms.md", "/", "javascript://x", "https://"] {
        assert_eq!(
            problems(of_environment(&[("VESTIBULE_TERMS", bad)])).0,
            ["terms"],
            "{bad}"
        );
    }
}

#[test]
fn doubtful_settings_are_allowed_with_a_warning() {
    let file = file("database_url = \"postgres://app:secret@db.acme.example/x\"\n");
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o644)).unwrap();
    let environment = [
        ("VESTIBULE_PUBLIC_URL", "https://login.acme.example"),
        ("VESTIBULE_HASHING_THREADS", "256"),
    ];
    let config = Config::load(&inputs(Some(file.path()), &environment)).unwrap();
    let warnings = config.warnings().join("\n");
    for part in [
        "chmod 600",
        "sslmode=verify-full",
        "smtp_url is not set",
        r#"trusted_proxies = ["127.0.0.1"]"#,
    ] {
        assert!(warnings.contains(part), "{part:?} is missing in {warnings}");
    }
    assert!(!warnings.contains(":secret"));
    let cores = std::thread::available_parallelism().unwrap().get();
    assert_eq!(config.hashing_threads, cores.min(256));
    assert_eq!(warnings.contains("hashing_threads is 256"), cores < 256);
    let named = [
        ("VESTIBULE_PUBLIC_URL", "https://login.acme.example"),
        ("VESTIBULE_TRUSTED_PROXIES", "10.0.0.1"),
    ];
    let warnings = of_environment(&named).unwrap().warnings().join("\n");
    assert!(!warnings.contains("trusted_proxies"), "{warnings}");
    let smtp = [
        ("VESTIBULE_SMTP_URL", "smtp://mail.acme.example?tls=optional"),
        ("VESTIBULE_MAIL_FROM", "a@acme.example"),
    ];
    assert!(
        of_environment(&smtp)
            .unwrap()
            .warnings()
            .join("")
            .contains("does not insist on TLS")
    );
}

#[test]
fn the_demo_reads_nothing_and_stays_on_this_machine() {
    let config = Config::demo("127.0.0.1:3000", Path::new("some folder/100%")).unwrap();
    assert_eq!(
        config.database_url.reveal(),
        "sqlite://some folder/100%25/demo.db"
    );
    assert_eq!(config.key_file, Path::new("some folder/100%/demo.key"));
    assert!(config.smtp.is_none() && config.listen.ip().is_loopback());
    assert_eq!(config.drain_seconds, 0, "nobody waits for its end");
    for bad in ["0.0.0.0:3000", "[::]:3000", "192.0.2.1:3000", "localhost"] {
        assert!(Config::demo(bad, Path::new("x")).is_err(), "{bad}");
    }
}

#[test]
fn every_default_passes_its_own_check_and_every_key_is_explained() {
    for key in KEYS {
        assert!(
            key.purpose.ends_with('.') && !key.right.ends_with('.'),
            "{}",
            key.name
        );
    }
    assert_eq!(keys::closest("databse_url").as_deref(), Some("database_url"));
    assert_eq!(keys::closest("colour"), None);
}

#[test]
fn an_application_at_a_provider_is_named_whole() {
    let one = of_environment(&[
        ("VESTIBULE_SSO__OFFICE365__CLIENT_ID", "our-app"),
        ("VESTIBULE_SSO__OFFICE365__CLIENT_SECRET", "hush-hush"),
        ("VESTIBULE_SSO__OFFICE365__TENANT", "common"),
    ])
    .unwrap();
    let found: Vec<_> = one
        .sso
        .iter()
        .map(|sso| {
            let id = sso.application.as_ref().map(|(id, _)| id.as_str());
            (sso.provider, sso.issuer.as_str(), id)
        })
        .collect();
    let issuer = "https://login.microsoftonline.com/common/v2.0";
    assert_eq!(
        found,
        [
            (Provider::Google, "https://accounts.google.com", None),
            (Provider::Office365, issuer, Some("our-app")),
        ]
    );
    assert!(!format!("{one:?}{:?}", one.settings()).contains("hush-hush"));

    for (settings, key) in [
        (
            &[("VESTIBULE_SSO__GOOGLE__CLIENT_ID", "our-app")][..],
            "sso__google__client_secret",
        ),
        (
            &[("VESTIBULE_SSO__GOOGLE__CLIENT_SECRET", "hush-hush")],
            "sso__google__client_id",
        ),
        (
            &[
                ("VESTIBULE_SSO__GOOGLE__CLIENT_ID", "our-app"),
                ("VESTIBULE_SSO__GOOGLE__CLIENT_SECRET", "hush-hush"),
                ("VESTIBULE_SSO__GOOGLE__ISSUER", "http://accounts.example.com"),
            ],
            "sso__google__issuer",
        ),
        (
            &[("VESTIBULE_SSO__GOOGLE__ISSUER", "accounts.example.com")],
            "sso__google__issuer",
        ),
    ] {
        let (keys, text) = problems(of_environment(settings));
        assert_eq!(keys, [key], "{text}");
        assert!(!text.contains("hush-hush"), "{text}");
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_file() {
    let settings = file("\u{feff}shutdown_seconds = 7\n");
    let secret = file("\u{feff}postgres://app:sentinel@localhost/x\n");
    let terms = file("\u{feff}# Terms\n");
    let config = Config::load(&inputs(
        Some(settings.path()),
        &[
            ("VESTIBULE_DATABASE_URL_FILE", secret.path().to_str().unwrap()),
            ("VESTIBULE_TERMS", terms.path().to_str().unwrap()),
        ],
    ))
    .unwrap();
    assert_eq!(config.shutdown_seconds, 7);
    assert_eq!(
        config.database_url.reveal(),
        "postgres://app:sentinel@localhost/x"
    );
    assert_eq!(config.terms, Legal::File(terms.path().to_owned()));
}

#[test]
fn addresses_of_several_servers_are_refused_with_the_way_out() {
    for (url, expected) in [
        (
            "postgres://app:sentinel@one:5432,two:5432/x",
            "names several servers",
        ),
        ("postgres:///x?host=one,two", "names several servers"),
        (
            "postgres://app@one/x?target_session_attrs=read-write",
            "target_session_attrs",
        ),
    ] {
        let told = of_environment(&[("VESTIBULE_DATABASE_URL", url)])
            .unwrap_err()
            .to_string();
        assert!(
            told.contains(expected) && told.contains("one that writes") && !told.contains("sentinel"),
            "{told}"
        );
    }
    for good in ["postgres://app:a%2Cb@one/x", "postgres:///x?host=/run/postgresql"] {
        assert!(
            of_environment(&[("VESTIBULE_DATABASE_URL", good)]).is_ok(),
            "{good}"
        );
    }
}
