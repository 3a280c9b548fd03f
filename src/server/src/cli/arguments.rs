//! The arguments, with the help that teaches them.

use std::{fmt::Write as _, path::PathBuf};

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use vestibule_core::{
    account::Role,
    company::{NewAgentMail, RequireSecondFactor},
    id::ApplicationId,
    limits::{IDLE_MINUTES_LEAST, IDLE_MINUTES_MOST},
    oidc::application::{ApplicationKind, Signing},
};
use vestibule_service::operator::{AfterSignIn, LogOut};
use vestibule_storage::Office;

use crate::config::KEYS;

/// Vestibule: sign-in for many companies in one installation.
#[derive(Debug, Parser)]
#[command(name = "vestibule", version, arg_required_else_help = true, after_help = FIRST_HOUR)]
pub struct Cli {
    /// File with settings
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        help = "File with settings [default: VESTIBULE_CONFIG, else vestibule.toml or /etc/vestibule/vestibule.toml when it \
                exists]"
    )]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const FIRST_HOUR: &str = "\
Just looking:
  vestibule demo

The first hour of a real installation:
  vestibule config check
  vestibule migrate
  vestibule company create --name Acme --language en --time-zone Europe/London \\
      --admin alice --admin-email alice@acme.example --admin-first-name Alice
  vestibule serve

Exit codes: 0 done, 1 refused (the reason is on standard error), 2 wrong usage.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the pages and send the mails
    #[command(after_help = "\
Brings the database up to date, makes the key file when there is none, and runs until it receives SIGTERM or SIGINT.
SIGTERM: /readyz says 503 for a while (setting drain_seconds) before no more connections are taken; SIGINT, or a second
SIGTERM, ends that at once. Requests under way may then end (setting shutdown_seconds). SIGHUP reads the key file, the log
filter, the mail server's settings and the legal texts anew. /healthz and /readyz are for supervisors.

Examples:
  vestibule serve
  VESTIBULE_LISTEN=127.0.0.1:8080 vestibule serve
  vestibule serve --config /etc/vestibule.toml")]
    Serve,
    /// Bring the database up to this version
    #[command(after_help = "\
Creates the tables the first time, and the key file when there is none and the database is new. `serve` does the same at its
start; this command is for doing it beforehand, for instance with a database user that may change tables. Make a copy of
the database first. No other command makes a database or a key file.

Example:
  VESTIBULE_DATABASE_URL=postgres://owner:…@db/vestibule vestibule migrate")]
    Migrate,
    /// Copy the database into a file, also while the server runs
    #[command(after_help = "\
For SQLite; a PostgreSQL database is copied with pg_dump. The file is made whole before it gets its name, is looked through
once, and only its owner may read it. The key file is not in it: keep a copy of that in another place.

Examples:
  vestibule backup /backup/vestibule-monday.db
  vestibule backup \"/backup/vestibule-$(date +%F).db\"")]
    Backup {
        /// The file to make; it must not be there yet
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Put a copy of the database back
    #[command(after_help = "\
Stop the server first. The copy is looked through, tried with the key file and brought up to this version before it takes
the place of the database; what was there is kept beside it. All sessions, trusted browsers, links and codes under way end,
because some of them may have been used since the copy was made. A PostgreSQL database is put back with pg_restore: then
run this with --already-there.

Examples:
  vestibule restore /backup/vestibule-monday.db
  vestibule restore --already-there")]
    Restore {
        /// The copy
        #[arg(value_name = "FILE", required_unless_present = "already_there")]
        file: Option<PathBuf>,
        /// The database was put back by other means: only end what must not go on
        #[arg(long, conflicts_with = "file")]
        already_there: bool,
    },
    /// Copy everything from SQLite to PostgreSQL, or back
    #[command(after_help = "\
Stop every server first. The other database has to be empty, or hold the beginning of the same copy: one that was cut off
goes on where it ended. In the end both are compared row by row, and only then can the new one be served. The old one stays
as it was. Sessions, trusted browsers and codes go on, with the same key file. The address that is left out is the setting
database_url, which may have a password; what is typed here can be seen by others and may not.

Examples:
  vestibule copy --from sqlite:///var/lib/vestibule/vestibule.db --to postgres:///vestibule
  VESTIBULE_DATABASE_URL_FILE=/run/secrets/database vestibule copy --from sqlite:///var/lib/vestibule/vestibule.db")]
    Copy {
        /// The database to copy
        #[arg(long, value_name = "URL", required_unless_present = "to")]
        from: Option<String>,
        /// The database to copy into
        #[arg(long, value_name = "URL")]
        to: Option<String>,
    },
    /// List the servers on this database
    #[command(after_help = "\
Shows what every server wrote down of itself within the last day: its version, its newest key, how far its clock is from
the database's, and when it was there last. One that is running is there every few seconds.

Examples:
  vestibule nodes
  vestibule nodes --json")]
    Nodes {
        /// Print JSON, for programs
        #[arg(long)]
        json: bool,
    },
    /// Prove that a set-up is right
    #[command(after_help = "\
Asks an application behind a proxy as a visitor would: nobody is let in without a sign-in, what a visitor says about
themselves counts for nothing, and cookies stay on their host. Run it where visitors are, not on the proxy. With --direct
it is tried, too, that nobody gets past the proxy: name the address at which the application itself listens.

Examples:
  vestibule doctor --behind https://wallboard.example.com
  vestibule doctor --behind https://wallboard.example.com --direct 10.0.0.5:8080")]
    Doctor {
        /// Address of an application behind a proxy
        #[arg(long, value_name = "URL")]
        behind: url::Url,
        /// Where the application itself listens: a host and a port that must not be reachable from here
        #[arg(long, value_name = "HOST:PORT")]
        direct: Option<String>,
    },
    /// Look at the settings
    Config {
        /// What to do.
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Manage companies
    Company {
        /// What to do.
        #[command(subcommand)]
        command: CompanyCommand,
    },
    /// Manage the accounts of a company
    Account {
        /// What to do.
        #[command(subcommand)]
        command: AccountCommand,
    },
    /// Manage the applications that people are signed in to
    Application {
        /// What to do.
        #[command(subcommand)]
        command: ApplicationCommand,
    },
    /// End sessions
    Session {
        /// What to do.
        #[command(subcommand)]
        command: SessionCommand,
    },
    /// Read the audit log
    Audit {
        /// What to do.
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Count what the installation holds
    #[command(after_help = "\
Example:
  vestibule stats --json")]
    Stats {
        /// Print JSON, for programs
        #[arg(long)]
        json: bool,
    },
    /// Look after the keys that secrets in the database are encrypted with
    Keys {
        /// What to do.
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Look at the mails
    Mail {
        /// What to do.
        #[command(subcommand)]
        command: MailCommand,
    },
    /// Try everything on this machine, without setting anything up
    #[command(after_help = "\
Serves a company with three accounts and a mailbox page that receives all mails. It reads no settings and keeps all it
has in one folder: delete the folder to start afresh. Its passwords are printed, so it listens on this machine only.

Examples:
  vestibule demo
  vestibule demo --listen 127.0.0.1:8080 --data /tmp/vestibule-demo")]
    Demo(DemoArguments),
}

impl Command {
    /// Whether it changes the database and ends: then it says beforehand which one.
    pub(super) fn writes(&self) -> bool {
        match self {
            Self::Migrate | Self::Session { .. } | Self::Restore { .. } => true,
            Self::Company { command } => match command {
                CompanyCommand::List { .. } | CompanyCommand::Delete { dry_run: true, .. } => false,
                CompanyCommand::Offices { office, none, .. } => *none || !office.is_empty(),
                _ => true,
            },
            Self::Account { command } => !matches!(command, AccountCommand::List { .. }),
            Self::Application { command } => !matches!(command, ApplicationCommand::List { .. }),
            Self::Keys {
                command: KeysCommand::Rotate { add_only, .. },
            } => !*add_only,
            Self::Serve
            | Self::Doctor { .. }
            | Self::Backup { .. }
            | Self::Copy { .. }
            | Self::Nodes { .. }
            | Self::Config { .. }
            | Self::Audit { .. }
            | Self::Stats { .. }
            | Self::Mail { .. }
            | Self::Demo(_) => false,
        }
    }
}

/// Arguments of `demo`.
#[derive(Clone, Debug, Args)]
pub struct DemoArguments {
    /// Folder for the demo's data
    #[arg(long, value_name = "FOLDER", default_value = "vestibule-demo")]
    pub data: PathBuf,
    /// Address and port to listen on, this machine only
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:3000")]
    pub listen: String,
}

/// Commands about the settings.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check all settings and show them, with where each comes from
    Check,
}

/// Commands about the mails.
#[derive(Debug, Subcommand)]
pub enum MailCommand {
    /// Write every mail in every language into a folder, with made-up facts
    #[command(after_help = "\
Open index.html in the folder. Each mail is there twice: as the HTML and as the plain text that it is sent as. Nothing is
sent, and no settings are needed.

Example:
  vestibule mail preview --out mails")]
    Preview {
        /// The folder; it is made when it is not there, and what is in it under the same names is written over
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
    },
}

/// Commands about the keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Add a new key to the key file and encrypt the secrets in the database with it
    #[command(after_help = "\
Servers that run go on serving: they read the key file again when they meet the new key, and every minute. Make a copy of
the new file. Keep the old keys in it for a day: mails and codes under way were made with them. The keys that tokens of
applications are signed with change too; what was signed before is good for a day.

Several servers with a file each: add the key, copy the file to all of them, then encrypt.
  vestibule keys rotate --add-only
  vestibule keys rotate --newest")]
    Rotate {
        /// Only add the key to the file
        #[arg(long, conflicts_with = "newest")]
        add_only: bool,
        /// Add no key: encrypt with the newest there is
        #[arg(long)]
        newest: bool,
    },
}

/// Commands about sessions.
#[derive(Debug, Subcommand)]
pub enum SessionCommand {
    /// End all sessions of an account, or of a whole company
    #[command(after_help = "\
Sign-ins that wait for a code end too. Trusted browsers stay.

Examples:
  vestibule session end --company Acme --account alice
  vestibule session end --company Acme")]
    End {
        /// Name of the company
        #[arg(long)]
        company: String,
        /// Account name or e-mail address [default: everybody's]
        #[arg(long)]
        account: Option<String>,
    },
}

/// Commands about the audit log.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Show the newest events, the newest last
    #[command(after_help = "\
One line an event: time (UTC), company, event, who did it, to whom, from which address, and what belongs to it.

Examples:
  vestibule audit tail --company Acme --lines 100
  vestibule audit tail --follow --json")]
    Tail {
        /// Name of the company [default: all]
        #[arg(long)]
        company: Option<String>,
        /// How many events
        #[arg(long, value_name = "N", default_value = "20", value_parser = clap::value_parser!(u16).range(1..=10_000))]
        lines: u16,
        /// Go on and show new events as they happen
        #[arg(long)]
        follow: bool,
        /// Print JSON, one object a line, for programs
        #[arg(long)]
        json: bool,
    },
}

/// Commands about companies.
#[derive(Debug, Subcommand)]
pub enum CompanyCommand {
    /// Create a company and, if you like, its first admin
    #[command(after_help = "\
With --admin the first admin is created too, and gets a mail with which to sign in within 72 hours: account details with a
temporary password, or a link to choose one. Codes go to the same address. The mail leaves when `serve` runs.

Examples:
  vestibule company create --name Acme --language de --time-zone Europe/Berlin --two-factor-policy 30
  vestibule company create --name Acme --admin alice --admin-email alice@acme.example --admin-first-name Alice")]
    Create {
        /// Name, which people type at sign-in: up to 64 characters
        #[arg(long)]
        name: String,
        /// Let the name have letters of several scripts, although it may then look like another company's
        #[arg(long)]
        allow_mixed_script: bool,
        /// Language of its pages and mails, for accounts that have not chosen one
        #[arg(long, value_name = "TAG", default_value = "en")]
        language: String,
        /// Time zone, by its IANA name
        #[arg(long, value_name = "ZONE", default_value = "UTC")]
        time_zone: String,
        /// Days for which people may skip the second factor in a browser they trust; 0 = never
        #[arg(long, value_name = "DAYS", default_value = "0", value_parser = policy_days())]
        two_factor_policy: i64,
        /// Who has to set up a second factor at the next sign-in
        #[arg(long, value_name = "WHO", default_value = "off", value_parser = require_second_factor())]
        require_second_factor: RequireSecondFactor,
        /// How new agents are told how to sign in
        #[arg(long, value_name = "KIND", default_value = "account-details", value_parser = new_agent_mail())]
        new_agent_mail: NewAgentMail,
        /// The first admin
        #[command(flatten)]
        admin: AdminArguments,
    },
    /// Change the policies of a company
    #[command(after_help = "\
Policies bite at the next request of everybody concerned; the admins of the company are told by mail.

Examples:
  vestibule company set --name Acme --two-factor-policy 0 --require-second-factor everyone
  vestibule company set --name Acme --password-min 14 --log-out-after 60 --new-agent-mail activation-link")]
    Set {
        /// Name of the company
        #[arg(long)]
        name: String,
        /// Days for which people may skip the second factor in a browser they trust; 0 = never
        #[arg(long, value_name = "DAYS", value_parser = policy_days(),
            required_unless_present_any = ["require_second_factor", "password_min", "log_out_after", "new_agent_mail", "after_sign_in"])]
        two_factor_policy: Option<i64>,
        /// Who has to set up a second factor at the next sign-in
        #[arg(long, value_name = "WHO", value_parser = require_second_factor())]
        require_second_factor: Option<RequireSecondFactor>,
        /// Characters that a new password needs: 8 to 64
        #[arg(long, value_name = "CHARACTERS", value_parser = clap::value_parser!(u16).range(8..=64))]
        password_min: Option<u16>,
        /// Minutes without activity that end a session: 15 to 999, or never
        #[arg(long, value_name = "MINUTES", value_parser = log_out)]
        log_out_after: Option<LogOut>,
        /// How new agents are told how to sign in
        #[arg(long, value_name = "KIND", value_parser = new_agent_mail())]
        new_agent_mail: Option<NewAgentMail>,
        /// Where agents go after a sign-in: panel, or the client ID of an application
        #[arg(long, value_name = "WHERE", value_parser = after_sign_in)]
        after_sign_in: Option<AfterSignIn>,
    },
    /// Say from where the people of a company sign in together, or list it
    #[command(after_help = "\
An office has ten times as many wrong passwords free, for the accounts of its company. What is named takes the place of
what was named before, and the admins of the company are told; without --office and --none the offices are listed. An
admin does the same in the console, under Security.

Example:
  vestibule company offices --name Acme --office Berlin=192.0.2.0/28 --office Aachen=2001:db8::/48")]
    Offices {
        /// Name of the company
        #[arg(long)]
        name: String,
        /// An office: what it is called, and its network address or range of them
        #[arg(long, value_name = "NAME=RANGE", value_parser = vestibule_service::offices::parse)]
        office: Vec<Office>,
        /// No office at all
        #[arg(long, conflicts_with = "office")]
        none: bool,
    },
    /// List all companies
    #[command(after_help = "\
Example:
  vestibule company list --json")]
    List {
        /// Print JSON, for programs
        #[arg(long)]
        json: bool,
    },
    /// Let the people of a company sign in again
    Enable {
        /// Name of the company
        #[arg(long)]
        name: String,
    },
    /// End all sessions and sign-ins under way of a company and let nobody of it sign in
    Disable {
        /// Name of the company
        #[arg(long)]
        name: String,
    },
    /// Delete a company with its accounts, for ever
    #[command(after_help = "\
Look first, then delete; the name has to be given twice:
  vestibule company delete --name Acme --dry-run
  vestibule company delete --name Acme --confirm Acme")]
    Delete {
        /// Name of the company
        #[arg(long)]
        name: String,
        /// The name once more, exactly
        #[arg(long, value_name = "NAME", required_unless_present = "dry_run")]
        confirm: Option<String>,
        /// Only say what would be deleted
        #[arg(long)]
        dry_run: bool,
    },
}

/// The first admin of a company that is created.
#[derive(Clone, Debug, Args)]
pub struct AdminArguments {
    /// Account name of the first admin: letters, digits, dot, underscore and hyphen
    #[arg(long, value_name = "ACCOUNT", requires = "admin_email")]
    pub admin: Option<String>,
    /// E-mail address of the first admin; the mail and the codes go there
    #[arg(long, value_name = "ADDRESS", requires = "admin")]
    pub admin_email: Option<String>,
    /// First name of the first admin [default: the account name]
    #[arg(long, value_name = "NAME", requires = "admin")]
    pub admin_first_name: Option<String>,
    /// Last name of the first admin
    #[arg(long, value_name = "NAME", requires = "admin")]
    pub admin_last_name: Option<String>,
}

/// Commands about accounts.
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Create an account that can sign in at once
    #[command(after_help = "\
The password is read from standard input, one line, never from an argument. It needs 12 characters and must not be easy
to guess.

Examples:
  vestibule account create --company Acme --account alice --email alice@acme.example \\
      --first-name Alice --role agent --second-factor email --password-stdin < password.txt
  pwgen -s 20 1 | vestibule account create --company Acme --account root --email it@acme.example \\
      --first-name Ada --role agent --role admin --password-stdin")]
    Create {
        /// Name of the company
        #[arg(long)]
        company: String,
        /// Account name: letters, digits, dot, underscore and hyphen
        #[arg(long)]
        account: String,
        /// E-mail address; codes go there
        #[arg(long, value_name = "ADDRESS")]
        email: String,
        /// First name
        #[arg(long, value_name = "NAME")]
        first_name: String,
        /// Last name
        #[arg(long, value_name = "NAME", default_value = "")]
        last_name: String,
        /// agent, supervisor or admin; may be given more than once
        #[arg(long = "role", value_name = "ROLE", default_value = "agent", value_parser = role())]
        roles: Vec<Role>,
        /// Language of its pages and mails [default: the company's]
        #[arg(long, value_name = "TAG")]
        language: Option<String>,
        /// What is asked for besides the password
        #[arg(long, value_name = "KIND", value_enum, default_value_t = SecondFactor::Email)]
        second_factor: SecondFactor,
        /// Read the password from standard input
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// List the accounts of a company, the oldest first
    #[command(after_help = "\
Example:
  vestibule account list --company Acme --json")]
    List {
        /// Name of the company
        #[arg(long)]
        company: String,
        /// Print JSON, for programs
        #[arg(long)]
        json: bool,
    },
    /// Delete an account, for ever
    #[command(after_help = "\
Its sessions, second factors and mails waiting go with it; its lines of the audit log stay. The account name has to be given
twice.

Example:
  vestibule account delete --company Acme --account alice --confirm alice")]
    Delete {
        /// Name of the company
        #[arg(long)]
        company: String,
        /// Account name
        #[arg(long)]
        account: String,
        /// The account name once more, exactly
        #[arg(long, value_name = "NAME")]
        confirm: String,
    },
    /// Unlock an account that five wrong codes locked
    #[command(after_help = "\
The owner is told by mail.

Example:
  vestibule account unlock --company Acme --account alice")]
    Unlock {
        /// Name of the company
        #[arg(long)]
        company: String,
        /// Account name or e-mail address
        #[arg(long)]
        account: String,
    },
    /// Issue a backup code to somebody who has lost their second factor
    #[command(after_help = "\
Make sure who asks before you tell it. The code works once, for 60 minutes, and replaces an earlier one. The owner is told
by mail that it was issued; the reason stands in the audit log.

Example:
  vestibule account backup-code --company Acme --account alice --reason 'Lost phone, called back on the desk line'")]
    BackupCode {
        /// Name of the company
        #[arg(long)]
        company: String,
        /// Account name or e-mail address
        #[arg(long)]
        account: String,
        /// Why, for the audit log: up to 200 characters
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Set an account's password, end its sessions and forget its trusted browsers
    #[command(after_help = "\
Example:
  vestibule account set-password --company Acme --account alice --password-stdin < password.txt")]
    SetPassword {
        /// Name of the company
        #[arg(long)]
        company: String,
        /// Account name or e-mail address
        #[arg(long)]
        account: String,
        /// Read the password from standard input
        #[arg(long, required = true)]
        password_stdin: bool,
    },
}

/// Commands about applications.
#[derive(Debug, Subcommand)]
pub enum ApplicationCommand {
    /// Add an application: what it needs to sign people in is printed
    #[command(after_help = "\
Agents of the company come in by OpenID Connect: give the application the issuer, its client ID and its secret. The secret
is printed once. With --installation instead of --company it is there for all companies.

Examples:
  vestibule application create --company Acme --name 'Agent Desktop' --redirect-uri https://desktop.acme.example/callback
  vestibule application create --company Acme --name Wallboard --kind single_page --role supervisor \\
      --redirect-uri https://wall.acme.example/callback --json
  vestibule application create --installation --name Dialler --redirect-uri https://dialler.example/callback \\
      --back-channel-uri https://dialler.example/signed-out")]
    Create {
        /// What it is.
        #[command(flatten)]
        application: ApplicationArguments,
        /// Print JSON, for programs
        #[arg(long)]
        json: bool,
    },
    /// List the applications of a company, or the installation's
    #[command(after_help = "\
Examples:
  vestibule application list --company Acme --json
  vestibule application list")]
    List {
        /// Name of the company [default: those of the installation]
        #[arg(long)]
        company: Option<String>,
        /// Print JSON, for programs
        #[arg(long)]
        json: bool,
    },
    /// Make a new secret; the one before stays good for 24 hours
    #[command(after_help = "\
Example:
  vestibule application rotate --id 019b0000-0000-7000-8000-000000000000 --json")]
    Rotate {
        /// Client ID
        #[arg(long)]
        id: String,
        /// Print JSON, for programs
        #[arg(long)]
        json: bool,
    },
    /// Delete an application, for ever
    #[command(after_help = "\
Everything that it got is worth nothing then. Its lines of the audit log stay.

Example:
  vestibule application delete --id 019b0000-0000-7000-8000-000000000000")]
    Delete {
        /// Client ID
        #[arg(long)]
        id: String,
        /// Print JSON, for programs
        #[arg(long)]
        json: bool,
    },
}

/// What an application is.
#[derive(Clone, Debug, Args)]
pub struct ApplicationArguments {
    /// Name of the company
    #[arg(long, required_unless_present = "installation")]
    pub company: Option<String>,
    /// For all companies
    #[arg(long, conflicts_with = "company")]
    pub installation: bool,
    /// What agents call it: up to 64 characters
    #[arg(long)]
    pub name: String,
    /// Where it runs: on a server, in the browser, or behind a proxy that asks for it
    #[arg(long, value_name = "KIND", default_value = "web", value_parser = application_kind())]
    pub kind: ApplicationKind,
    /// Where browsers may be sent back to; may be given more than once
    #[arg(long, value_name = "ADDRESS")]
    pub redirect_uri: Vec<String>,
    /// Where browsers may be sent to after a sign-out; may be given more than once
    #[arg(long, value_name = "ADDRESS")]
    pub logout_uri: Vec<String>,
    /// Is told of the end of every session
    #[arg(long, value_name = "ADDRESS")]
    pub back_channel_uri: Option<String>,
    /// Where agents open it
    #[arg(long, value_name = "ADDRESS")]
    pub launch_uri: Option<String>,
    /// Who may use it; may be given more than once [default: everybody]
    #[arg(long = "role", value_name = "ROLE", value_parser = role())]
    pub roles: Vec<Role>,
    /// How ID tokens are signed
    #[arg(long, value_name = "ALGORITHM", default_value = "RS256", value_parser = signing())]
    pub signing: Signing,
}

/// What is asked for besides the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SecondFactor {
    /// Nothing
    None,
    /// A code that is mailed at each sign-in
    Email,
}

fn policy_days() -> impl clap::builder::TypedValueParser<Value = i64> {
    use clap::builder::TypedValueParser as _;
    // Every possible value is a number, so that the fallback is never used.
    clap::builder::PossibleValuesParser::new(["0", "14", "30", "60", "90"])
        .map(|days| days.parse().unwrap_or_default())
}

fn require_second_factor() -> impl clap::builder::TypedValueParser<Value = RequireSecondFactor> {
    use clap::builder::TypedValueParser as _;
    // Every possible value is a policy, so that the fallback is never used.
    clap::builder::PossibleValuesParser::new(RequireSecondFactor::ALL.map(RequireSecondFactor::as_str))
        .map(|word| RequireSecondFactor::from_word(&word).unwrap_or_default())
}

fn after_sign_in(typed: &str) -> Result<AfterSignIn, String> {
    match typed {
        "panel" => Ok(AfterSignIn::Panel),
        id => ApplicationId::parse(id)
            .map(AfterSignIn::Application)
            .ok_or_else(|| "panel, or the client ID of an application".to_owned()),
    }
}

fn new_agent_mail() -> impl clap::builder::TypedValueParser<Value = NewAgentMail> {
    use clap::builder::TypedValueParser as _;
    // Every possible value is a kind, so that the fallback is never used.
    clap::builder::PossibleValuesParser::new(["account-details", "activation-link"])
        .map(|word| NewAgentMail::from_word(&word.replace('-', "_")).unwrap_or_default())
}

fn log_out(typed: &str) -> Result<LogOut, String> {
    if typed == "never" {
        return Ok(LogOut::Never);
    }
    typed
        .parse()
        .ok()
        .filter(|minutes| (IDLE_MINUTES_LEAST..=IDLE_MINUTES_MOST).contains(minutes))
        .map(LogOut::After)
        .ok_or_else(|| format!("{IDLE_MINUTES_LEAST} to {IDLE_MINUTES_MOST} minutes, or never"))
}

fn application_kind() -> impl clap::builder::TypedValueParser<Value = ApplicationKind> {
    use clap::builder::TypedValueParser as _;
    // Every possible value is a kind, so that the fallback is never used.
    clap::builder::PossibleValuesParser::new(ApplicationKind::ALL.map(ApplicationKind::as_str))
        .map(|word| ApplicationKind::from_word(&word).unwrap_or(ApplicationKind::Web))
}

fn signing() -> impl clap::builder::TypedValueParser<Value = Signing> {
    use clap::builder::TypedValueParser as _;
    // Every possible value is an algorithm, so that the fallback is never used.
    clap::builder::PossibleValuesParser::new(Signing::ALL.map(Signing::as_str))
        .map(|word| Signing::from_word(&word).unwrap_or(Signing::Rs256))
}

fn role() -> impl clap::builder::TypedValueParser<Value = Role> {
    use clap::builder::TypedValueParser as _;
    clap::builder::PossibleValuesParser::new([Role::Agent, Role::Supervisor, Role::Admin].map(Role::as_str))
        .try_map(|role| role.parse::<Role>())
}

/// The whole command, with the list of settings in the help of `config check`.
pub fn command() -> clap::Command {
    Cli::command().mut_subcommand("config", |config| {
        config.mut_subcommand("check", |check| check.after_help(settings_help()))
    })
}

fn settings_help() -> String {
    let mut help = String::from(
        "Settings come from the file (TOML), and from environment variables, which win. All of them are optional.\n\n",
    );
    for key in KEYS {
        // Writing to a String cannot fail.
        let _ = write!(help, "  {}\n      {}", key.name, key.purpose);
        if let Some(default) = key.default {
            let _ = write!(help, " Default: {default}");
        }
        let _ = write!(help, "\n      {}", key.variable());
        if key.secret {
            let _ = write!(
                help,
                ", or {}_FILE with the path of a file that holds it",
                key.variable()
            );
        }
        help.push('\n');
    }
    help.push_str(
        "\nExample of a file:\n  public_url = \"https://login.acme.example\"\n  \
         database_url_file = \"/run/secrets/database\"\n  trusted_proxies = [\"10.0.0.0/8\"]\n\n\
         Examples:\n  vestibule config check\n  vestibule config check --config /etc/vestibule.toml",
    );
    help
}
