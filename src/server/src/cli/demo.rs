//! The demo: one company with three accounts to sign in with, 57 colleagues and three weeks of a past, all mails in a mailbox
//! page, Google and Office 365 played by pages of its own, everything in one folder.

use std::{fs, path::Path};

use vestibule_core::{
    account::Role, company::RequireSecondFactor, paths, refusal::Refusal, secret::Password,
};
use vestibule_service::{
    Service,
    operator::{AccountInput, CompanyInput, OperatorError},
};

use super::{
    DemoArguments, Refused, acts,
    sentences::{self, Names},
};
use crate::{config::Config, logging::Stream};

/// Company of the demo.
pub const COMPANY: &str = "Demo";
/// Password of all accounts of the demo. It is printed and in this source: the demo listens on this machine only.
pub const PASSWORD: &str = "marble-kettle-orchard-9";
/// The account that runs the company of the demo.
const ADMIN: &str = "admin";
/// Days for which the demo lets people skip the second factor, so that the choice can be seen.
const TRUST_DAYS: i64 = 30;

/// An account of the demo.
struct Person {
    account: &'static str,
    first_name: &'static str,
    last_name: &'static str,
    role: Role,
    email_factor: bool,
    shown: &'static str,
}

impl Person {
    fn email(&self) -> String {
        format!("{}@demo.test", self.account)
    }

    fn input(&self) -> AccountInput {
        AccountInput {
            company: COMPANY.to_owned(),
            account: self.account.to_owned(),
            email: self.email(),
            first_name: self.first_name.to_owned(),
            last_name: self.last_name.to_owned(),
            roles: vec![self.role],
            language: None,
            email_factor: self.email_factor,
            password: Password::new(PASSWORD.to_owned()),
        }
    }
}

const PEOPLE: [Person; 3] = [
    Person {
        account: "alice",
        first_name: "Alice",
        last_name: "Moreno",
        role: Role::Agent,
        email_factor: true,
        shown: "agent, code by e-mail",
    },
    Person {
        account: "bob",
        first_name: "Bob",
        last_name: "Lindqvist",
        role: Role::Agent,
        email_factor: false,
        shown: "agent, password only",
    },
    Person {
        account: ADMIN,
        first_name: "Ada",
        last_name: "Okafor",
        role: Role::Admin,
        email_factor: true,
        shown: "admin, code by e-mail",
    },
];

/// Serves the demo until told to stop.
///
/// # Errors
/// [`Refused`] when the address is not of this machine, the folder cannot be used, or the server fails.
pub async fn run_demo(arguments: &DemoArguments) -> Result<(), Refused> {
    let config = Config::demo(&arguments.listen, &arguments.data)?;
    let _log = super::start_logging(&config, Stream::Output)?;
    prepare(&config, &arguments.data).await?;
    acts::serve_demo(config, welcome, PEOPLE.iter().map(Person::email).collect()).await
}

/// Makes the folder and what is in it.
pub(super) async fn prepare(config: &Config, folder: &Path) -> Result<(), Refused> {
    make_folder(folder)?;
    seed(config).await
}

fn make_folder(folder: &Path) -> Result<(), Refused> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| {
            Refused::because(format!(
                "The folder {} cannot be made: {error}.",
                folder.display()
            ))
        })
}

/// Creates what is missing, and unlocks what an earlier demo locked.
async fn seed(config: &Config) -> Result<(), Refused> {
    let service = acts::open_fresh_service(config).await?;
    let result = people(&service).await;
    service.store().close().await;
    result.map_err(|error| {
        let names = Names {
            company: COMPANY,
            ..Names::default()
        };
        Refused::because(format!(
            "The demo cannot be set up. {}",
            sentences::operator(&error, names)
        ))
    })
}

async fn people(service: &Service) -> Result<(), OperatorError> {
    let company = CompanyInput {
        name: COMPANY.to_owned(),
        allow_mixed_script: false,
        language: "en".to_owned(),
        time_zone: "UTC".to_owned(),
        two_factor_days: TRUST_DAYS,
        require_second_factor: RequireSecondFactor::Off,
    };
    let is_new = match service.operator().create_company(company).await {
        Ok(_) => true,
        Err(OperatorError::CompanyExists) => false,
        Err(error) => return Err(error),
    };
    for person in PEOPLE {
        match service.operator().account_named(COMPANY, person.account).await {
            Ok(_) => match service.operator().unlock_account(COMPANY, person.account).await {
                Ok(()) | Err(OperatorError::Refused(Refusal::NotLocked)) => {}
                Err(error) => return Err(error),
            },
            Err(OperatorError::UnknownAccount) => {
                service.operator().create_account(person.input()).await?;
            }
            Err(error) => return Err(error),
        }
    }
    if is_new {
        let password = Password::new(PASSWORD.to_owned());
        service.operator().make_up_past(COMPANY, ADMIN, &password).await?;
    }
    Ok(())
}

/// What is printed when the demo can be visited.
pub(super) fn welcome(config: &Config) -> String {
    let origin = config.origin();
    let mut lines = vec![
        "The Vestibule demo is ready.".to_owned(),
        String::new(),
        format!("Sign in    {origin}{}", paths::LOGIN),
        format!("Mailbox    {origin}{}   (all mails arrive here)", paths::MAILBOX),
        String::new(),
        format!("Company    {COMPANY}"),
        format!("Password   {PASSWORD}   (the same for everybody)"),
    ];
    for (index, person) in PEOPLE.iter().enumerate() {
        let title = if index == 0 { "Accounts" } else { "" };
        lines.push(format!("{title:<10} {:<7} {}", person.account, person.shown));
    }
    lines.extend([String::new(), "Ctrl-C ends it.".to_owned()]);
    boxed(&lines)
}

fn boxed(lines: &[String]) -> String {
    let width = lines
        .iter()
        .map(|line| line.chars().count())
        .max()
        .unwrap_or_default();
    let rule = "─".repeat(width + 4);
    let body = lines.iter().fold(String::new(), |body, line| {
        body + &format!("│  {line:width$}  │\n")
    });
    format!("╭{rule}╮\n{body}╰{rule}╯\n")
}
