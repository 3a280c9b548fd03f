use std::{ffi::OsString, os::unix::fs::PermissionsExt as _, path::PathBuf};

use vestibule_core::ports::Clock as _;
use vestibule_storage::test_support::{TestStore, until};

use super::*;
use crate::system::SystemClock;

/// An installation in a folder of its own, and its operator.
struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn inputs(&self) -> Inputs {
        let path = |name: &str| self.folder.path().join(name).to_str().unwrap().to_owned();
        let environment = [
            ("VESTIBULE_DATABASE_URL", format!("sqlite://{}", path("test.db"))),
            ("VESTIBULE_KEY_FILE", path("test.key")),
        ];
        let environment = environment
            .into_iter()
            .map(|(name, value)| (OsString::from(name), OsString::from(value)))
            .collect();
        Inputs {
            file: None,
            default_file: PathBuf::from("/nonexistent/vestibule.toml"),
            environment,
        }
    }

    /// Runs a command line; its answer, or the sentence of the refusal.
    async fn run(&self, line: &str, input: &str) -> Result<String, String> {
        self.told(line, input).await.map(|(answer, _)| answer)
    }

    /// The same, with what stands on standard error beside the answer.
    async fn told(&self, line: &str, input: &str) -> Result<(String, String), String> {
        let cli = parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        let (mut input, mut output, mut errors) = (input.as_bytes(), Vec::new(), Vec::new());
        let streams = Streams {
            input: &mut input,
            output: &mut output,
            errors: &mut errors,
        };
        match run(cli, self.inputs(), streams).await {
            Ok(()) => Ok((
                String::from_utf8(output).unwrap(),
                String::from_utf8(errors).unwrap(),
            )),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn prepared() -> Self {
        let site = Self::new();
        site.run("migrate", "").await.unwrap();
        site.run("company create --name Acme", "").await.unwrap();
        site
    }
}

fn parse(line: &str) -> Result<Cli, clap::Error> {
    let words = std::iter::once("vestibule").chain(line.split_whitespace());
    command()
        .try_get_matches_from(words)
        .and_then(|matches| Cli::from_arg_matches(&matches))
}

const ALICE: &str = "account create --company Acme --account alice --email a@acme.test --first-name Alice --role agent \
                     --language en --second-factor none --password-stdin";
const GOOD_PASSWORD: &str = "velvet-harbour-lantern-42\n";

#[test]
fn the_arguments_are_consistent_and_every_command_teaches() {
    command().debug_assert();
    let help = command().render_long_help().to_string();
    assert!(
        help.contains("vestibule demo") && help.contains("Exit codes"),
        "{help}"
    );
    let help = command()
        .find_subcommand("config")
        .and_then(|config| config.find_subcommand("check"))
        .and_then(clap::Command::get_after_help)
        .map(ToString::to_string)
        .unwrap();
    for key in config::KEYS {
        assert!(help.contains(&key.variable()), "{}", key.name);
    }
    for part in ["VESTIBULE_SMTP_URL_FILE", "Default: 127.0.0.1:3000"] {
        assert!(help.contains(part), "{part:?} is missing in {help}");
    }
}

#[test]
fn wrong_usage_has_code_2_and_help_has_code_0() {
    for bad in [
        "company create",
        "company create --name Acme --two-factor-policy 15",
        "company delete --name Acme",
        "account create --company Acme --account a --email a@b.test --first-name A",
        "account create --company Acme --account a --email a@b.test --first-name A --password-stdin --role boss",
        "account create --company Acme --account a --email a@b.test --first-name A --password secret",
        "account set-password --company Acme --account alice",
        "config",
        "backup",
        "restore",
        "restore copy.db --already-there",
        "copy",
        "bogus",
    ] {
        assert_eq!(parse(bad).expect_err(bad).exit_code(), 2, "{bad}");
    }
    for good in ["--help", "--version", "company create --help", "help account"] {
        assert_eq!(parse(good).expect_err(good).exit_code(), 0, "{good}");
    }
}

#[test]
fn an_account_is_an_agent_with_a_mailed_code_unless_told_otherwise() {
    let line = "account create --company Acme --account a --email a@b.test --first-name A --password-stdin";
    let Command::Account {
        command:
            AccountCommand::Create {
                roles,
                second_factor,
                language,
                ..
            },
    } = parse(line).unwrap().command
    else {
        panic!("{line}");
    };
    assert_eq!(
        (roles, second_factor, language),
        (
            vec![vestibule_core::account::Role::Agent],
            SecondFactor::Email,
            None
        )
    );
    let Command::Account {
        command: AccountCommand::Create { roles, .. },
    } = parse(&format!("{line} --role agent --role admin"))
        .unwrap()
        .command
    else {
        panic!("{line}");
    };
    assert_eq!(roles.len(), 2);
}

#[tokio::test]
async fn a_database_is_prepared_first() {
    let site = Site::new();
    let refusal = site.run("company list", "").await.unwrap_err();
    assert!(refusal.contains("vestibule migrate"), "{refusal}");
    assert!(site.run("migrate", "").await.unwrap().contains("applied"));
    assert!(site.run("migrate", "").await.unwrap().contains("already"));
    assert!(
        site.run("company list", "")
            .await
            .unwrap()
            .contains("There is no company yet")
    );
}

/// Every command that needs a database, with what it reads from standard input.
const ON_A_DATABASE: [(&str, &str); 17] = [
    ("company create --name Other", ""),
    ("company set --name Acme --two-factor-policy 30", ""),
    ("company list", ""),
    ("company disable --name Acme", ""),
    ("company enable --name Acme", ""),
    ("company delete --name Acme --dry-run", ""),
    (ALICE, GOOD_PASSWORD),
    ("account list --company Acme", ""),
    ("account unlock --company Acme --account alice", ""),
    (
        "account backup-code --company Acme --account alice --reason lost",
        "",
    ),
    (
        "account set-password --company Acme --account alice --password-stdin",
        GOOD_PASSWORD,
    ),
    (
        "account delete --company Acme --account alice --confirm alice",
        "",
    ),
    ("session end --company Acme", ""),
    ("audit tail", ""),
    ("stats", ""),
    ("keys rotate", ""),
    ("company delete --name Acme --confirm Acme", ""),
];

#[tokio::test]
async fn in_the_wrong_folder_nothing_is_made_and_the_refusal_names_what_is_missing() {
    let site = Site::new();
    let path = |name: &str| site.folder.path().join(name).to_str().unwrap().to_owned();
    for (line, input) in ON_A_DATABASE {
        let refusal = site.run(line, input).await.unwrap_err();
        assert!(
            refusal.starts_with(&format!("There is no database {}.", path("test.db")))
                && refusal.contains("vestibule migrate"),
            "{line}: {refusal}"
        );
    }
    let add = site.run("keys rotate --add-only", "").await.unwrap_err();
    assert!(add.contains(&path("test.key")), "{add}");
    assert_eq!(std::fs::read_dir(site.folder.path()).unwrap().count(), 0);

    site.run("migrate", "").await.unwrap();
    std::fs::remove_file(path("test.key")).unwrap();
    for (line, input) in ON_A_DATABASE {
        let refusal = site.run(line, input).await.unwrap_err();
        assert!(
            refusal.starts_with(&format!("There is no key file {}.", path("test.key"))),
            "{line}: {refusal}"
        );
    }
    assert!(!site.folder.path().join("test.key").exists());
}

#[tokio::test]
async fn migrate_makes_a_key_file_for_a_new_database_and_for_no_other() {
    let site = Site::new();
    let key_file = site.folder.path().join("test.key");
    let (_, told) = site.told("migrate", "").await.unwrap();
    assert!(
        told.contains(&format!("Made the key file {}", key_file.display())),
        "{told}"
    );
    site.run("company create --name Acme", "").await.unwrap();
    std::fs::remove_file(&key_file).unwrap();
    site.run("migrate", "").await.unwrap();
    assert!(!key_file.exists(), "what was encrypted needs the old one");
}

#[tokio::test]
async fn whoever_changes_the_database_is_told_which_one() {
    let site = Site::prepared().await;
    let database = format!("Database: {}\n", site.folder.path().join("test.db").display());
    let (_, told) = site.told("migrate", "").await.unwrap();
    assert_eq!(told, database);
    for (line, input) in ON_A_DATABASE {
        let Ok((answer, told)) = site.told(line, input).await else {
            continue;
        };
        let reads = ["list", "--dry-run", "tail", "stats"]
            .iter()
            .any(|word| line.contains(word));
        assert_eq!(told, if reads { "" } else { &database }, "{line}");
        assert!(!answer.contains("Database:"), "{line}");
    }
    let (_, told) = site.told("keys rotate --add-only", "").await.unwrap();
    assert_eq!(told, "");
}

#[tokio::test]
async fn a_database_that_cannot_be_used_is_named_with_the_reason() {
    let site = Site::new();
    let file = site.folder.path().join("test.db");
    std::fs::write(&file, "This is a letter to my aunt. ".repeat(100)).unwrap();
    std::fs::write(site.folder.path().join("test.key"), "").unwrap();
    for line in ["migrate", "company list"] {
        let refusal = site.run(line, "").await.unwrap_err();
        assert!(
            refusal.starts_with(&format!("The database {} cannot be used: ", file.display()))
                && refusal.contains("not a database"),
            "{line}: {refusal}"
        );
    }
    let folder = site.folder.path().to_owned();
    std::fs::remove_dir_all(&folder).unwrap();
    for line in ["migrate", "config check"] {
        let refusal = site.run(line, "").await.unwrap_err();
        assert!(
            refusal.starts_with(&format!(
                "The folder {} for the database does not exist",
                folder.display()
            )),
            "{line}: {refusal}"
        );
    }
}

#[tokio::test]
async fn offices_are_named_and_listed() {
    let site = Site::prepared().await;
    let offices = "company offices --name acme";
    assert_eq!(site.run(offices, "").await.unwrap(), "");
    site.run(
        &format!("{offices} --office Berlin=192.0.2.7/28 --office Aachen=2001:db8::/48"),
        "",
    )
    .await
    .unwrap();
    let named = "Aachen=2001:db8::/48\nBerlin=192.0.2.0/28\n";
    assert_eq!(site.run(offices, "").await.unwrap(), named);
    let many: Vec<String> = (0..=50)
        .map(|number| format!("--office O{number}=10.0.{number}.0/24"))
        .collect();
    let refusal = site
        .run(&format!("{offices} {}", many.join(" ")), "")
        .await
        .unwrap_err();
    assert!(refusal.contains("up to 50 offices"), "{refusal}");
    assert_eq!(site.run(offices, "").await.unwrap(), named);
    site.run(&format!("{offices} --none"), "").await.unwrap();
    assert_eq!(site.run(offices, "").await.unwrap(), "");
    assert_eq!(
        told(&events(&site, "--company Acme").await),
        [
            ("company_created", "Acme"),
            ("policy_changed", "offices: 2001:db8::/48, 192.0.2.0/28 -> none"),
            ("policy_changed", "offices: none -> 192.0.2.0/28, 2001:db8::/48"),
        ]
    );
}

#[tokio::test]
async fn companies_come_and_go() {
    let site = Site::prepared().await;
    let refusal = site.run("company create --name ACME", "").await.unwrap_err();
    assert!(refusal.contains("\"ACME\" exists already"), "{refusal}");
    let refusal = site
        .run("company create --name Other --language xx", "")
        .await
        .unwrap_err();
    assert!(refusal.contains("one of: en"), "{refusal}");
    let refusal = site
        .run("company create --name Other --time-zone Mars/Olympus", "")
        .await
        .unwrap_err();
    assert!(refusal.contains("Europe/Berlin"), "{refusal}");

    let cyrillic = "company create --name \u{410}cme";
    let refusal = site.run(cyrillic, "").await.unwrap_err();
    assert!(refusal.contains("--allow-mixed-script"), "{refusal}");
    site.run(&format!("{cyrillic} --allow-mixed-script"), "")
        .await
        .unwrap();
    site.run("company delete --name \u{410}cme --confirm \u{410}cme", "")
        .await
        .unwrap();

    site.run(
        "company create --name Zebra --language en --time-zone Europe/Paris --two-factor-policy 30",
        "",
    )
    .await
    .unwrap();
    site.run("company disable --name zebra", "").await.unwrap();
    let table = site.run("company list", "").await.unwrap();
    assert!(
        table
            .lines()
            .any(|line| line.starts_with("Zebra") && line.contains("disabled") && line.ends_with("30 days"))
    );
    let list: serde_json::Value =
        serde_json::from_str(&site.run("company list --json", "").await.unwrap()).unwrap();
    assert_eq!(
        (&list[0]["name"], &list[0]["two_factor_policy"]),
        (&"Acme".into(), &0.into())
    );
    assert_eq!(
        (&list[1]["enabled"], &list[1]["time_zone"]),
        (&false.into(), &"Europe/Paris".into())
    );
    site.run("company enable --name Zebra", "").await.unwrap();

    let refusal = site
        .run("company delete --name Zebra --confirm zebra", "")
        .await
        .unwrap_err();
    assert!(refusal.contains("Nothing was deleted"), "{refusal}");
    let answer = site
        .run("company delete --name Zebra --dry-run", "")
        .await
        .unwrap();
    assert!(
        answer.contains("accounts: 0, sessions: 0, mails waiting: 0, imports: 0"),
        "{answer}"
    );
    assert!(site.run("company list", "").await.unwrap().contains("Zebra"));
    site.run("company delete --name Zebra --confirm Zebra", "")
        .await
        .unwrap();
    let refusal = site.run("company enable --name Zebra", "").await.unwrap_err();
    assert!(refusal.contains("no company called \"Zebra\""), "{refusal}");
}

#[tokio::test]
async fn accounts_are_made_with_a_password_from_standard_input() {
    let site = Site::prepared().await;
    for (password, why) in [
        ("", "the first line is empty"),
        ("\nvelvet-harbour-lantern-42\n", "the first line is empty"),
        ("tiny\n", "at least 12"),
        ("passwordpassword\n", "easy to guess"),
        ("a\0bcdefghijklmnop\n", "UTF-8"),
    ] {
        let refusal = site.run(ALICE, password).await.unwrap_err();
        assert!(refusal.contains(why), "{password:?}: {refusal}");
        assert!(
            password.trim().is_empty() || !refusal.contains(password.trim()),
            "{refusal}"
        );
    }
    for long in ["ab".repeat(65), "ü".repeat(513), "x".repeat(1_000_000)] {
        let refusal = site.run(ALICE, &long).await.unwrap_err();
        assert!(refusal.contains("too long"), "{refusal}");
    }
    site.run(ALICE, GOOD_PASSWORD).await.unwrap();
    let again = ALICE.replace("a@acme.test", "a2@acme.test");
    let refusal = site.run(&again, GOOD_PASSWORD).await.unwrap_err();
    assert!(refusal.contains("an account \"alice\" already"), "{refusal}");
    let again = ALICE.replace("--account alice", "--account alicia");
    assert!(
        site.run(&again, GOOD_PASSWORD)
            .await
            .unwrap_err()
            .contains("this e-mail address already")
    );
    let unknown = ALICE.replace("--company Acme", "--company Nobody");
    assert!(
        site.run(&unknown, GOOD_PASSWORD)
            .await
            .unwrap_err()
            .contains("no company called")
    );
    for (from, to, why) in [
        (
            "--account alice",
            "--account al@ice",
            "account name has characters",
        ),
        ("a@acme.test", "acme.test", "is not an address"),
        ("--language en", "--language xx", "one of: en"),
    ] {
        let refusal = site
            .run(&ALICE.replace(from, to), GOOD_PASSWORD)
            .await
            .unwrap_err();
        assert!(refusal.contains(why), "{refusal}");
    }

    let list = site.run("account list --company Acme --json", "").await.unwrap();
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    assert_eq!(
        (&list[0]["account"], &list[0]["second_factor"]),
        (&"alice".into(), &"none".into())
    );
    assert_eq!(list[0]["roles"], serde_json::json!(["agent"]));
    assert!(
        list[0]
            .as_object()
            .unwrap()
            .keys()
            .all(|key| !key.contains("password"))
    );
    let table = site.run("account list --company Acme", "").await.unwrap();
    assert!(
        table.contains("a@acme.test") && table.contains("never"),
        "{table}"
    );
}

#[tokio::test]
async fn passwords_are_set_and_only_locked_accounts_unlocked() {
    let site = Site::prepared().await;
    site.run(ALICE, GOOD_PASSWORD).await.unwrap();
    let line = "account set-password --company Acme --account a@acme.test --password-stdin";
    assert!(site.run(line, "weak\n").await.is_err());
    assert!(
        site.run(line, "saddle-quartz-meadow-17\r\n")
            .await
            .unwrap()
            .contains("Set the password")
    );
    let refusal = site
        .run("account unlock --company Acme --account alice", "")
        .await
        .unwrap_err();
    assert!(refusal.contains("is not locked"), "{refusal}");
    let refusal = site
        .run("account unlock --company Acme --account bob", "")
        .await
        .unwrap_err();
    assert!(refusal.contains("no account \"bob\""), "{refusal}");
}

#[tokio::test]
async fn policies_change_and_a_policy_that_does_not_exist_is_wrong_usage() {
    let site = Site::prepared().await;
    let list = || async {
        let list = site.run("company list --json", "").await.unwrap();
        let list: serde_json::Value = serde_json::from_str(&list).unwrap();
        (
            list[0]["two_factor_policy"].clone(),
            list[0]["require_second_factor"].clone(),
        )
    };
    assert_eq!(list().await, (0.into(), "off".into()));
    site.run("company set --name acme --require-second-factor everyone", "")
        .await
        .unwrap();
    site.run("company set --name Acme --two-factor-policy 90", "")
        .await
        .unwrap();
    assert_eq!(list().await, (90.into(), "everyone".into()));
    assert!(parse("company set --name Acme").is_err(), "nothing to change");
    assert!(parse("company set --name Acme --require-second-factor nobody").is_err());
    let refusal = site
        .run("company set --name Nobody --two-factor-policy 0", "")
        .await
        .unwrap_err();
    assert!(refusal.contains("no company called"), "{refusal}");
}

#[tokio::test]
async fn a_backup_code_is_issued_for_a_reason() {
    let site = Site::prepared().await;
    site.run(ALICE, GOOD_PASSWORD).await.unwrap();
    let line = "account backup-code --company Acme --account alice --reason";
    let answer = site.run(&format!("{line} phone-lost"), "").await.unwrap();
    let code = answer.lines().last().unwrap();
    assert_eq!((code.len(), code.matches('-').count()), (19, 3), "{answer}");
    let long = "x".repeat(201);
    let refusal = site.run(&format!("{line} {long}"), "").await.unwrap_err();
    assert!(refusal.contains("reason"), "{refusal}");
    assert!(parse("account backup-code --company Acme --account alice").is_err());
}

#[tokio::test]
async fn keys_rotate_in_one_step_or_in_two() {
    let site = Site::prepared().await;
    site.run(ALICE, GOOD_PASSWORD).await.unwrap();
    let answer = site.run("keys rotate", "").await.unwrap();
    assert!(
        answer.contains("Added version 2") && answer.contains("Encrypted 0 secrets anew"),
        "{answer}"
    );
    let answer = site.run("keys rotate --add-only", "").await.unwrap();
    assert!(
        answer.contains("Added version 3") && !answer.contains("Encrypted"),
        "{answer}"
    );
    let answer = site.run("keys rotate --newest", "").await.unwrap();
    assert!(
        !answer.contains("Added") && answer.contains("Encrypted 0 secrets anew"),
        "{answer}"
    );
    assert!(parse("keys rotate --add-only --newest").is_err());
}

#[tokio::test]
async fn a_key_file_is_made_for_an_empty_database_and_for_no_other() {
    let site = Site::prepared().await;
    let key_file = site.folder.path().join("test.key");
    let kept = std::fs::read(&key_file).unwrap();
    std::fs::remove_file(&key_file).unwrap();
    let refusal = site.run("company list", "").await.unwrap_err();
    for needed in [
        "test.key does not exist",
        "version 1 with the fingerprint",
        "backup",
    ] {
        assert!(refusal.contains(needed), "{refusal}");
    }
    assert!(!key_file.exists(), "nothing is made in its place");

    // The key file of another installation.
    let other = Site::prepared().await;
    std::fs::copy(other.folder.path().join("test.key"), &key_file).unwrap();
    let refusal = site.run("company list", "").await.unwrap_err();
    for needed in ["test.key holds another version 1", "fingerprint"] {
        assert!(refusal.contains(needed), "{refusal}");
    }

    // A copy from before the last rotation.
    std::fs::write(&key_file, &kept).unwrap();
    site.run("keys rotate", "").await.unwrap();
    let rotated = std::fs::read(&key_file).unwrap();
    std::fs::write(&key_file, &kept).unwrap();
    let refusal = site.run("company list", "").await.unwrap_err();
    assert!(refusal.contains("test.key lacks version 2"), "{refusal}");
    std::fs::write(&key_file, &rotated).unwrap();
    site.run("company list", "").await.unwrap();
}

#[tokio::test]
async fn a_database_file_that_everybody_can_read_is_noticed_and_closed() {
    let site = Site::prepared().await;
    let file = site.folder.path().join("test.db");
    let mode = || std::fs::metadata(&file).unwrap().permissions().mode() & 0o777;
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let answer = site.run("config check", "").await.unwrap();
    assert!(
        answer.contains("test.db can be read by every user") && answer.contains("mode 644"),
        "{answer}"
    );
    assert_eq!(mode(), 0o644, "a check changes nothing");
    site.run("company list", "").await.unwrap();
    assert_eq!(mode(), 0o640, "a group may be meant");
    let answer = site.run("config check", "").await.unwrap();
    assert!(!answer.contains("every user"), "{answer}");
}

#[tokio::test]
async fn the_settings_are_shown_or_all_their_problems() {
    let site = Site::new();
    let answer = site.run("config check", "").await.unwrap();
    assert!(
        answer.contains("VESTIBULE_KEY_FILE") && answer.contains("The settings can be used."),
        "{answer}"
    );
    for part in [
        format!("Database: {}\n", site.folder.path().join("test.db").display()),
        "The database does not exist yet".to_owned(),
        format!(
            "The key file {} does not exist yet",
            site.folder.path().join("test.key").display()
        ),
        "the first `vestibule serve` makes it".to_owned(),
    ] {
        assert!(answer.contains(&part), "{part:?} is missing in {answer}");
    }
    assert_eq!(
        std::fs::read_dir(site.folder.path()).unwrap().count(),
        0,
        "looking makes nothing"
    );
    let key_file = site.folder.path().join("test.key");
    std::fs::write(&key_file, "nonsense").unwrap();
    std::fs::set_permissions(&key_file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let refusal = site.run("config check", "").await.unwrap_err();
    assert!(
        refusal.starts_with("The key file") && refusal.contains("chmod 600"),
        "{refusal}"
    );
    let refusal = site
        .run("config check --config /nonexistent/x.toml", "")
        .await
        .unwrap_err();
    assert!(
        refusal.contains("/nonexistent/x.toml") && refusal.contains("no such file"),
        "{refusal}"
    );
}

#[tokio::test]
async fn the_demo_can_be_set_up_again_and_again() {
    let site = Site::new();
    let folder = site.folder.path().join("new/demo");
    let config = Config::demo("127.0.0.1:0", &folder).unwrap();
    for _ in 0..2 {
        demo::prepare(&config, &folder).await.unwrap();
    }
    let service = acts::open_service(&config).await.unwrap();
    let accounts = service
        .operator()
        .accounts_after(demo::COMPANY, None, 100)
        .await
        .unwrap();
    let mut names: Vec<_> = accounts.iter().map(|account| account.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names.len(), 60);
    for name in ["admin", "alice", "bob"] {
        assert!(names.contains(&name), "{name}");
    }
    let locked = accounts.iter().filter(|account| account.locked_at.is_some());
    assert_eq!(locked.count(), 2);
    let events = service
        .operator()
        .newest_events(Some(demo::COMPANY), 100)
        .await
        .unwrap();
    assert!(events.iter().any(|event| event.event == "signed_in"));
    service.store().close().await;
    let text = demo::welcome(&config);
    for part in [
        "Demo",
        "alice",
        "bob",
        "admin",
        demo::PASSWORD,
        "/mailbox",
        "/login",
    ] {
        assert!(text.contains(part), "{part:?} is missing in {text}");
    }
    let widths: Vec<usize> = text.lines().map(|line| line.chars().count()).collect();
    assert!(widths.iter().all(|width| *width == widths[0]), "{text}");
}

#[tokio::test]
async fn the_demo_refuses_visitors_from_outside() {
    let site = Site::new();
    let refusal = site.run("demo --listen 0.0.0.0:3000", "").await.unwrap_err();
    assert!(refusal.contains("can be reached from outside"), "{refusal}");
}

/// The audit log, newest last, as JSON.
async fn events(site: &Site, arguments: &str) -> Vec<serde_json::Value> {
    let log = site
        .run(&format!("audit tail --json {arguments}"), "")
        .await
        .unwrap();
    log.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Sorted: events of one transaction have the same time, and no order.
fn told(events: &[serde_json::Value]) -> Vec<(&str, &str)> {
    let mut told: Vec<_> = events
        .iter()
        .map(|event| {
            (
                event["event"].as_str().unwrap(),
                event["detail"].as_str().unwrap_or_default(),
            )
        })
        .collect();
    told.sort_unstable();
    told
}

#[tokio::test]
async fn a_company_is_founded_with_its_first_admin_in_one_go() {
    let site = Site::new();
    site.run("migrate", "").await.unwrap();
    let create = "company create --name Acme --admin root --admin-email root@acme.test";
    for bad in [
        "company create --name Acme --admin root",
        "company create --name Acme --admin-email root@acme.test",
        "company create --name Acme --admin-first-name Rita",
        "company create --name Acme --new-agent-mail telegram",
    ] {
        assert_eq!(parse(bad).expect_err(bad).exit_code(), 2, "{bad}");
    }
    for (from, to, why) in [
        ("root@", "root", "is not an address"),
        ("--admin root", "--admin r@t", "account name has characters"),
    ] {
        let refusal = site.run(&create.replacen(from, to, 1), "").await.unwrap_err();
        assert!(refusal.contains(why), "{refusal}");
    }
    assert!(
        site.run("company list", "")
            .await
            .unwrap()
            .contains("no company yet"),
        "nothing is left of what was refused"
    );
    let answer = site.run(create, "").await.unwrap();
    assert!(
        answer.contains("first admin \"root\"") && answer.contains("root@acme.test"),
        "{answer}"
    );
    let link = "company create --name Zebra --admin zoe --admin-email z@zebra.test --admin-first-name Zoe \
                --new-agent-mail activation-link";
    site.run(link, "").await.unwrap();
    for (company, first_name) in [("Acme", "root"), ("Zebra", "Zoe")] {
        let list = site
            .run(&format!("account list --company {company} --json"), "")
            .await
            .unwrap();
        let list: serde_json::Value = serde_json::from_str(&list).unwrap();
        assert_eq!(list[0]["roles"], serde_json::json!(["admin"]));
        assert_eq!(list[0]["first_name"], first_name);
        let answer = site
            .run(&format!("company delete --name {company} --dry-run"), "")
            .await
            .unwrap();
        assert!(
            answer.contains("accounts: 1, sessions: 0, mails waiting: 1"),
            "{answer}"
        );
    }
    for (company, mail) in [("Acme", "account_details"), ("Zebra", "activation_link")] {
        assert_eq!(
            told(&events(&site, &format!("--company {company}")).await),
            [
                ("account_created", ""),
                ("account_details_sent", mail),
                ("company_created", company)
            ]
        );
    }
}

#[tokio::test]
async fn every_change_of_a_policy_is_in_the_audit_log_with_old_and_new() {
    let site = Site::prepared().await;
    site.run(
        "company set --name Acme --password-min 14 --log-out-after never --new-agent-mail activation-link \
         --two-factor-policy 30 --require-second-factor admins",
        "",
    )
    .await
    .unwrap();
    site.run("company set --name Acme --log-out-after 60 --password-min 14", "")
        .await
        .unwrap();
    let list = site.run("company list --json", "").await.unwrap();
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    assert_eq!(
        (
            &list[0]["password_min"],
            &list[0]["idle_minutes"],
            &list[0]["new_agent_mail"]
        ),
        (&14.into(), &60.into(), &"activation_link".into())
    );
    assert_eq!(
        told(&events(&site, "--company Acme").await),
        [
            (
                "company_changed",
                "new_agent_mail: account_details -> activation_link"
            ),
            ("company_created", "Acme"),
            ("policy_changed", "idle_minutes: never -> 60"),
            (
                "policy_changed",
                "two_factor_days: 0 -> 30; require_second_factor: off -> admins; password_min: 12 -> 14; idle_minutes: 30 \
                 -> never"
            ),
        ]
    );
    for bad in [
        "--log-out-after 14",
        "--log-out-after 1000",
        "--log-out-after soon",
        "--password-min 7",
    ] {
        let line = format!("company set --name Acme {bad}");
        assert_eq!(parse(&line).expect_err(bad).exit_code(), 2, "{bad}");
    }
}

#[tokio::test]
async fn every_mail_is_written_into_a_folder() {
    let site = Site::new();
    let out = site.folder.path().join("new").join("mails");
    let line = format!("mail preview --out {}", out.display());
    for _ in 0..2 {
        let said = site.run(&line, "").await.unwrap();
        assert!(said.contains("Open index.html"), "{said}");
    }
    let read = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    assert!(read("index.html").contains("href=\"ar/reset_link.html\""));
    assert!(read("ar/reset_link.html").contains("dir=\"rtl\""));
    assert!(read("en/reset_link.txt").contains("https://login.example.com/"));
    std::fs::write(site.folder.path().join("file"), "").unwrap();
    let line = format!("mail preview --out {}", site.folder.path().join("file").display());
    assert!(
        site.run(&line, "")
            .await
            .unwrap_err()
            .contains("cannot be written")
    );
}

#[tokio::test]
async fn sessions_end_accounts_go_and_the_log_tells_it_a_line_each() {
    let site = Site::prepared().await;
    site.run(ALICE, GOOD_PASSWORD).await.unwrap();
    let answer = site
        .run("session end --company Acme --account alice", "")
        .await
        .unwrap();
    assert!(
        answer.contains("Ended 0 sessions of the account \"alice\""),
        "{answer}"
    );
    site.run("session end --company Acme", "").await.unwrap();
    let refusal = site
        .run("session end --company Acme --account bob", "")
        .await
        .unwrap_err();
    assert!(refusal.contains("no account \"bob\""), "{refusal}");

    let refusal = site
        .run(
            "account delete --company Acme --account alice --confirm Alice",
            "",
        )
        .await
        .unwrap_err();
    assert!(refusal.contains("Nothing was deleted"), "{refusal}");
    let line = "account delete --company Acme --account alice --confirm alice";
    site.run(line, "").await.unwrap();
    let refusal = site.run(line, "").await.unwrap_err();
    assert!(refusal.contains("no account"), "{refusal}");
    let empty = site.run("account list --company Acme --json", "").await.unwrap();
    assert_eq!(empty.trim(), "[]");

    let log = site.run("audit tail --lines 3", "").await.unwrap();
    let lines: Vec<_> = log.lines().collect();
    assert_eq!(lines.len(), 3, "{log}");
    assert!(
        lines[0].contains("Acme  sessions_ended  operator -> alice  -  0"),
        "{log}"
    );
    assert!(lines[1].contains("Acme  sessions_ended  operator  -  0"), "{log}");
    assert!(
        lines[2].contains("account_deleted  operator -> alice") && lines[2].contains("Z  Acme"),
        "{log}"
    );
    let refusal = site.run("audit tail --company Nobody", "").await.unwrap_err();
    assert!(refusal.contains("no company called"), "{refusal}");

    site.run("company delete --name Acme --confirm Acme", "")
        .await
        .unwrap();
    let gone = events(&site, "--lines 1").await;
    assert_eq!(told(&gone), [("company_deleted", "Acme")]);
    assert_eq!(gone[0]["company"], serde_json::Value::Null);
}

#[tokio::test]
async fn the_installation_is_counted() {
    let site = Site::prepared().await;
    site.run(ALICE, GOOD_PASSWORD).await.unwrap();
    let json: serde_json::Value = serde_json::from_str(&site.run("stats --json", "").await.unwrap()).unwrap();
    assert_eq!(
        (
            &json["companies"],
            &json["accounts"],
            &json["locked"],
            &json["events"]
        ),
        (&1.into(), &1.into(), &0.into(), &2.into())
    );
    let table = site.run("stats", "").await.unwrap();
    assert!(
        table.contains("enabled companies  1") && table.contains("waiting mails      0"),
        "{table}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_put_back_and_what_it_would_revive_has_ended() {
    let site = Site::prepared().await;
    site.run(ALICE, GOOD_PASSWORD).await.unwrap();
    let copy = site.folder.path().join("monday.db");
    let backup = format!("backup {}", copy.display());
    let told = site.run(&backup, "").await.unwrap();
    assert!(told.contains("monday.db") && told.contains("test.key"), "{told}");
    let again = site.run(&backup, "").await.unwrap_err();
    assert!(
        again.contains("Nothing was changed") && again.contains("exists already"),
        "{again}"
    );
    site.run(
        "account delete --company Acme --account alice --confirm alice",
        "",
    )
    .await
    .unwrap();

    let restore = format!("restore {}", copy.display());
    let told = site.run(&restore, "").await.unwrap();
    assert!(told.contains("is kept in") && told.contains("sessions"), "{told}");
    let list = site.run("account list --company Acme", "").await.unwrap();
    assert!(list.contains("alice"), "{list}");
    let log = site.run("audit tail --lines 1", "").await.unwrap();
    assert!(log.contains("database_restored  operator"), "{log}");
    site.run("restore --already-there", "").await.unwrap();

    // A copy that the key file does not fit changes nothing.
    let key = site.folder.path().join("test.key");
    std::fs::rename(&key, site.folder.path().join("other.key")).unwrap();
    let refused = site.run(&restore, "").await.unwrap_err();
    assert!(refused.contains("key file"), "{refused}");
    std::fs::rename(site.folder.path().join("other.key"), &key).unwrap();
    let log = site.run("audit tail --lines 2", "").await.unwrap();
    assert_eq!(log.matches("database_restored").count(), 2, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_moves_to_another_database() {
    let site = Site::prepared().await;
    site.run(ALICE, GOOD_PASSWORD).await.unwrap();
    let Some(target) = TestStore::postgres().await else {
        return;
    };
    target.close().await;
    for (arguments, expected) in [
        ("--to postgres://owner:hidden@db/vestibule", "has a password"),
        ("--to mysql://db/vestibule", "is none of a database"),
        (
            "--from sqlite:///nowhere/vestibule.db",
            "There is no database /nowhere/vestibule.db",
        ),
        (
            "--to sqlite:///nowhere/vestibule.db",
            "The folder /nowhere for the database does not exist",
        ),
    ] {
        let refused = site.run(&format!("copy {arguments}"), "").await.unwrap_err();
        assert!(
            refused.contains(expected) && !refused.contains("hidden"),
            "{refused}"
        );
    }
    let command = format!("copy --to {}", target.url());
    // Connections that were closed a moment ago may still be there.
    let attempt = async || {
        until(async || match site.told(&command, "").await {
            Err(refused) if refused.contains("is in use") => None,
            told => Some(told),
        })
        .await
    };
    let (told, progress) = attempt().await.unwrap();
    assert!(
        told.contains("every one is the same") && told.contains("test.key"),
        "{told}"
    );
    assert!(
        progress.contains("account: 1 of 1") && progress.contains("account: 1 compared"),
        "{progress}"
    );
    let moved = target.second().await;
    assert_eq!(moved.migrations_pending().await, Ok(0));
    let counts = moved
        .read()
        .await
        .unwrap()
        .installation_counts(SystemClock.now())
        .await;
    assert_eq!(counts.unwrap().accounts, 1);
    moved.close().await;
    let refused = attempt().await.unwrap_err();
    assert!(refused.starts_with("The target is not empty"), "{refused}");
}

#[tokio::test]
async fn the_servers_are_listed_with_their_versions_keys_and_clocks() {
    let site = Site::prepared().await;
    let (listed, told) = site.told("nodes", "").await.unwrap();
    assert!(listed.is_empty() && told.contains("No server"), "{listed} {told}");
    let config = Config::load(&site.inputs()).unwrap();
    let service = acts::open_service(&config).await.unwrap();
    let machine: std::sync::Arc<dyn vestibule_core::ports::Clock> = std::sync::Arc::new(SystemClock);
    service.upkeep().probe(&machine).await.unwrap();
    service.store().close().await;

    let listed = site.run("nodes --json", "").await.unwrap();
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let only = &listed[0];
    assert_eq!(only["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(only["key_version"], 1);
    assert_eq!(
        only["clock_offset_milliseconds"]
            .as_i64()
            .map(|offset| offset.abs() < 5_000),
        Some(true)
    );
    let fingerprint = only["key_fingerprint"].as_str().unwrap();
    let table = site.run("nodes", "").await.unwrap();
    assert!(
        table.contains("NEWEST KEY") && table.contains(&format!("1: {fingerprint}")),
        "{table}"
    );
}

#[tokio::test]
async fn applications_are_provisioned_by_programs() {
    let site = Site::prepared().await;
    let json = |answer: String| serde_json::from_str::<serde_json::Value>(&answer).unwrap();
    let create =
        "application create --company Acme --name Desktop --redirect-uri https://desktop.acme.test/callback";
    let made = json(
        site.run(&format!("{create} --role agent --json"), "")
            .await
            .unwrap(),
    );
    let (id, secret) = (
        made["client_id"].as_str().unwrap(),
        made["client_secret"].as_str().unwrap(),
    );
    assert_eq!((made["kind"].as_str(), secret.len()), (Some("web"), 43));
    assert_eq!(made["issuer"], "http://127.0.0.1:3000");
    assert_eq!(made["roles"], serde_json::json!(["agent"]));
    assert_eq!(made["id_token_signed_response_alg"], "RS256");
    let listed = site
        .run("application list --company Acme --json", "")
        .await
        .unwrap();
    assert!(!listed.contains(secret), "a secret is shown once");
    let listed = json(listed);
    assert_eq!(
        (listed[0]["client_id"].as_str(), listed[0]["name"].as_str()),
        (Some(id), Some("Desktop"))
    );
    let rotate = format!("application rotate --id {id} --json");
    let rotated = json(site.run(&rotate, "").await.unwrap());
    assert_ne!(rotated["client_secret"].as_str(), Some(secret));

    let wall = "application create --installation --name Wall --kind single_page --signing ES256 \
                --redirect-uri https://wall.test/ --json";
    let wall = json(site.run(wall, "").await.unwrap());
    assert!(wall.get("client_secret").is_none() && wall["company_id"].is_null());
    let refused = site
        .run(
            &format!("application rotate --id {}", wall["client_id"].as_str().unwrap()),
            "",
        )
        .await;
    assert!(refused.unwrap_err().contains("without a secret"));
    assert!(site.run("application list", "").await.unwrap().contains("Wall"));

    let refused = site
        .run(&format!("{create} --redirect-uri http://desktop.acme.test/"), "")
        .await;
    assert!(refused.unwrap_err().contains("https://"));
    assert!(
        parse("application create --name Desktop").is_err(),
        "a company, or --installation"
    );
    site.run(&format!("application delete --id {id}"), "")
        .await
        .unwrap();
    let gone = site.run(&rotate, "").await.unwrap_err();
    assert!(gone.contains("no such application"), "{gone}");
    let events = events(&site, "--company Acme").await;
    let told: Vec<_> = told(&events).into_iter().map(|(event, _)| event).collect();
    for event in [
        "application_added",
        "application_secret_rotated",
        "application_deleted",
    ] {
        assert!(told.contains(&event), "{told:?}");
    }
}
