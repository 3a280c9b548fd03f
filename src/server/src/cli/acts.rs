//! The one place where commands meet the rest of the program.

use std::{
    io::{self, BufRead as _, Read as _},
    sync::Arc,
};

use vestibule_core::{limits::PASSWORD_MAX_BYTES, secret::Password};
use vestibule_service::{
    Service,
    operator::{AccountInput, CompanyInput, FirstAdmin, OperatorError, PolicyChange},
};
use vestibule_storage::{CompanyCounts, Store, StoreError};
use zeroize::Zeroizing;

use super::{
    AccountCommand, AdminArguments, AuditCommand, CompanyCommand, KeysCommand, Refused, SecondFactor,
    SessionCommand, Streams, events,
    output::{self, CompanyView},
    sentences::{self, Names},
};
use crate::{
    assembly::{self, AssemblyError},
    config::{self, Config},
    key_file,
    system::{SystemClock, SystemRandomness},
};

/// Accounts that are read at once.
const PAGE: usize = 500;

/// Serves until told to stop.
pub(super) async fn serve(config: Config, reload: crate::reload::Reload) -> Result<(), Refused> {
    start(
        config,
        crate::serve::ServeOptions {
            reload: Some(reload),
            ..crate::serve::ServeOptions::default()
        },
    )
    .await
}

/// Serves the demo until told to stop; `welcome` makes what is printed when it can be visited, and `people` are who Google and
/// Office 365 offer there.
pub(super) async fn serve_demo(
    config: Config,
    welcome: fn(&Config) -> String,
    people: Vec<String>,
) -> Result<(), Refused> {
    start(
        config,
        crate::serve::ServeOptions {
            welcome: Some(welcome),
            stand_in: Some(people),
            ..crate::serve::ServeOptions::default()
        },
    )
    .await
}

async fn start(config: Config, options: crate::serve::ServeOptions) -> Result<(), Refused> {
    crate::serve::serve(config, options)
        .await
        .map_err(|error| Refused::because(format!("{error}.")))
}

/// Brings the database up to date.
pub(super) async fn migrate(config: &Config, streams: &mut Streams<'_>) -> Result<(), Refused> {
    let store = open_store(config).await?;
    let pending = migrated(&store).await;
    let is_new = match pending {
        Ok(_) => is_fresh(&store).await,
        Err(_) => Ok(false),
    };
    store.close().await;
    let unusable = |error| Refused::because(sentences::unusable(&config.database_url.place(), &error));
    let (pending, is_new) = (pending.map_err(unusable)?, is_new.map_err(unusable)?);
    if is_new {
        make_key_file(config, streams)?;
    }
    match pending {
        0 => writeln!(streams.output, "The database was up to date already.")?,
        1 => writeln!(streams.output, "The database is up to date: 1 step was applied.")?,
        many => writeln!(
            streams.output,
            "The database is up to date: {many} steps were applied."
        )?,
    }
    Ok(())
}

/// Brings the database up to date; gives how many steps that took.
async fn migrated(store: &Store) -> Result<usize, StoreError> {
    let pending = store.migrations_pending().await?;
    store.migrate().await?;
    Ok(pending)
}

/// Whether nothing can be in it that was made with keys.
async fn is_fresh(store: &Store) -> Result<bool, StoreError> {
    store.read().await?.is_fresh().await
}

/// Makes the key file of a new installation, unless it is there.
fn make_key_file(config: &Config, streams: &mut Streams<'_>) -> Result<(), Refused> {
    let file = key_file::load_or_create(&config.key_file, &SystemClock, &SystemRandomness)
        .map_err(|error| Refused::because(sentences::key_file(&error)))?;
    if file.was_created() {
        let path = config::whole(&config.key_file);
        writeln!(
            streams.errors,
            "Made the key file {}: keep a copy in a safe place.",
            path.display()
        )?;
    }
    Ok(())
}

/// Commands about companies.
pub(super) async fn company(
    config: &Config,
    command: CompanyCommand,
    streams: &mut Streams<'_>,
) -> Result<(), Refused> {
    let service = open_service(config).await?;
    let result = company_act(&service, command, streams).await;
    service.store().close().await;
    result
}

async fn company_act(
    service: &Service,
    command: CompanyCommand,
    streams: &mut Streams<'_>,
) -> Result<(), Refused> {
    match command {
        CompanyCommand::Create {
            name,
            allow_mixed_script,
            language,
            time_zone,
            two_factor_policy,
            require_second_factor,
            new_agent_mail,
            admin,
        } => {
            let input = CompanyInput {
                name: name.clone(),
                allow_mixed_script,
                language,
                time_zone,
                two_factor_days: two_factor_policy,
                require_second_factor,
            };
            let admin = first_admin(admin);
            let told = admin
                .as_ref()
                .map(|admin| (admin.account.clone(), admin.email.clone()));
            let account = told.as_ref().map_or("", |(account, _)| account);
            let made = service
                .operator()
                .found_company(input, new_agent_mail, admin)
                .await
                .map_err(|error| refused(&name, account, &error))?;
            writeln!(streams.output, "Created the company {:?}.", made.name)?;
            tell_first_admin(told.as_ref(), streams)?;
        }
        CompanyCommand::Set {
            name,
            two_factor_policy,
            require_second_factor,
            password_min,
            log_out_after,
            new_agent_mail,
            after_sign_in,
        } => {
            let change = PolicyChange {
                two_factor_days: two_factor_policy,
                require_second_factor,
                password_min: password_min.map(usize::from),
                log_out: log_out_after,
                new_agent_mail,
                after_sign_in,
            };
            let done = service.operator().change_policies(&name, change).await;
            done.map_err(|error| refused(&name, "", &error))?;
            writeln!(streams.output, "Changed the policies of the company {name:?}.")?;
        }
        CompanyCommand::Offices { name, office, none } if none || !office.is_empty() => {
            let done = service.operator().set_offices(&name, office).await;
            done.map_err(|error| refused(&name, "", &error))?;
            writeln!(streams.output, "Changed the offices of the company {name:?}.")?;
        }
        CompanyCommand::Offices { name, .. } => {
            let offices = service.operator().offices(&name).await;
            for office in offices.map_err(|error| refused(&name, "", &error))? {
                writeln!(streams.output, "{}={}", office.name, office.network)?;
            }
        }
        CompanyCommand::List { json } => list_companies(service, json, streams).await?,
        CompanyCommand::Enable { name } => {
            service
                .operator()
                .set_company_enabled(&name, true)
                .await
                .map_err(|error| refused(&name, "", &error))?;
            writeln!(
                streams.output,
                "The company {name:?} is enabled: its people can sign in."
            )?;
        }
        CompanyCommand::Disable { name } => {
            service
                .operator()
                .set_company_enabled(&name, false)
                .await
                .map_err(|error| refused(&name, "", &error))?;
            let answer = "is disabled: its sessions and sign-ins under way are over, nobody can sign in";
            writeln!(streams.output, "The company {name:?} {answer}.")?;
        }
        CompanyCommand::Delete {
            name,
            confirm,
            dry_run,
        } => {
            delete_company(service, &name, confirm.as_deref(), dry_run, streams).await?;
        }
    }
    Ok(())
}

fn tell_first_admin(told: Option<&(String, String)>, streams: &mut Streams<'_>) -> io::Result<()> {
    let Some((account, email)) = told else {
        return Ok(());
    };
    writeln!(
        streams.output,
        "Created its first admin {account:?}. A mail to {email} says how to sign in, within 72 hours; it leaves when \
         `vestibule serve` runs."
    )
}

async fn list_companies(service: &Service, json: bool, streams: &mut Streams<'_>) -> Result<(), Refused> {
    let companies = service
        .operator()
        .companies()
        .await
        .map_err(|error| refused("", "", &error))?;
    if json {
        let views: Vec<_> = companies.iter().map(CompanyView::from).collect();
        output::json(streams.output, &views)?;
    } else if companies.is_empty() {
        writeln!(
            streams.output,
            "There is no company yet: `vestibule company create --name Acme`"
        )?;
    } else {
        output::companies(streams.output, &companies)?;
    }
    Ok(())
}

async fn delete_company(
    service: &Service,
    name: &str,
    confirm: Option<&str>,
    dry_run: bool,
    streams: &mut Streams<'_>,
) -> Result<(), Refused> {
    let contents = service
        .operator()
        .company_contents(name)
        .await
        .map_err(|error| refused(name, "", &error))?;
    let contents = said_contents(contents);
    if dry_run {
        let answer = format!("This would delete the company {name:?} with {contents}. Nothing was deleted.");
        writeln!(streams.output, "{answer}")?;
        return Ok(());
    }
    if confirm != Some(name) {
        return Err(Refused::because(format!(
            "Nothing was deleted: --confirm has to repeat the name {name:?} exactly. The company has {contents}."
        )));
    }
    service
        .operator()
        .delete_company(name)
        .await
        .map_err(|error| refused(name, "", &error))?;
    writeln!(streams.output, "Deleted the company {name:?} with {contents}.")?;
    Ok(())
}

fn said_contents(counts: CompanyCounts) -> String {
    let CompanyCounts {
        accounts,
        sessions,
        waiting_mails,
        imports,
    } = counts;
    format!("accounts: {accounts}, sessions: {sessions}, mails waiting: {waiting_mails}, imports: {imports}")
}

fn first_admin(arguments: AdminArguments) -> Option<FirstAdmin> {
    let AdminArguments {
        admin,
        admin_email,
        admin_first_name,
        admin_last_name,
    } = arguments;
    Some(FirstAdmin {
        account: admin?,
        email: admin_email?,
        first_name: admin_first_name.unwrap_or_default(),
        last_name: admin_last_name.unwrap_or_default(),
    })
}

/// Commands about sessions.
pub(super) async fn session(
    config: &Config,
    command: SessionCommand,
    streams: &mut Streams<'_>,
) -> Result<(), Refused> {
    let SessionCommand::End { company, account } = command;
    let service = open_service(config).await?;
    let ended = service
        .operator()
        .end_sessions_of(&company, account.as_deref())
        .await;
    service.store().close().await;
    let ended = ended.map_err(|error| refused(&company, account.as_deref().unwrap_or_default(), &error))?;
    let whose = account.map_or_else(String::new, |account| format!("the account {account:?} of "));
    writeln!(
        streams.output,
        "Ended {ended} sessions of {whose}the company {company:?}."
    )?;
    Ok(())
}

/// Commands about the audit log.
pub(super) async fn audit(
    config: &Config,
    command: AuditCommand,
    streams: &mut Streams<'_>,
) -> Result<(), Refused> {
    let AuditCommand::Tail {
        company,
        lines,
        follow,
        json,
    } = command;
    let service = open_service(config).await?;
    let tail = events::Tail::new(&service, company.as_deref(), json);
    let result = tail.run(lines, follow, streams.output).await;
    service.store().close().await;
    result.map_err(|problem| match problem {
        events::TailError::Operator(error) => refused(&company.unwrap_or_default(), "", &error),
        events::TailError::Output(error) => Refused::Output(error),
    })
}

/// Numbers of the installation.
pub(super) async fn stats(config: &Config, json: bool, streams: &mut Streams<'_>) -> Result<(), Refused> {
    let service = open_service(config).await?;
    let counts = service.operator().installation_counts().await;
    service.store().close().await;
    let counts = counts.map_err(|error| refused("", "", &error))?;
    output::counts(streams.output, &counts, json)?;
    Ok(())
}

/// Commands about the keys.
pub(super) async fn keys(
    config: &Config,
    command: &KeysCommand,
    streams: &mut Streams<'_>,
) -> Result<(), Refused> {
    let KeysCommand::Rotate { add_only, newest } = *command;
    if !add_only {
        check_database(config)?;
    }
    if !newest {
        check_key_file(config)?;
        let version = key_file::add_version(&config.key_file, &SystemClock, &SystemRandomness)
            .map_err(|error| Refused::because(sentences::key_file(&error)))?;
        writeln!(
            streams.output,
            "Added version {version} to the key file {}.",
            config.key_file.display()
        )?;
    }
    if add_only {
        return Ok(());
    }
    let service = open_service(config).await?;
    let done = service.operator().reseal_secrets().await;
    let rotated = service.operator().rotate_signing_keys().await;
    service.store().close().await;
    let done = done.map_err(|error| refused("", "", &error))?;
    rotated.map_err(|error| refused("", "", &error))?;
    writeln!(streams.output, "Encrypted {} secrets anew.", done.resealed)?;
    if done.unreadable > 0 {
        return Err(Refused::because(format!(
            "{} secrets cannot be opened with any key of the file: their accounts are refused until the missing key is back in it.",
            done.unreadable
        )));
    }
    Ok(())
}

/// Commands about accounts.
pub(super) async fn account(
    config: &Config,
    command: AccountCommand,
    streams: &mut Streams<'_>,
) -> Result<(), Refused> {
    let service = open_service(config).await?;
    let result = account_act(&service, command, streams).await;
    service.store().close().await;
    result
}

async fn account_act(
    service: &Service,
    command: AccountCommand,
    streams: &mut Streams<'_>,
) -> Result<(), Refused> {
    match command {
        AccountCommand::Create {
            company,
            account,
            email,
            first_name,
            last_name,
            roles,
            language,
            second_factor,
            password_stdin: _,
        } => {
            let input = AccountInput {
                company: company.clone(),
                account: account.clone(),
                email,
                first_name,
                last_name,
                roles,
                language,
                email_factor: second_factor == SecondFactor::Email,
                password: password(streams)?,
            };
            let made = service.operator().create_account(input).await;
            let made = made.map_err(|error| refused(&company, &account, &error))?;
            writeln!(
                streams.output,
                "Created the account {:?} in the company {company:?}.",
                made.name
            )?;
        }
        AccountCommand::List { company, json } => {
            list_accounts(service, &company, json, streams).await?;
        }
        AccountCommand::Delete {
            company,
            account,
            confirm,
        } => {
            if confirm != account {
                return Err(Refused::because(format!(
                    "Nothing was deleted: --confirm has to repeat the account name {account:?} exactly."
                )));
            }
            let done = service.operator().delete_account(&company, &account).await;
            done.map_err(|error| refused(&company, &account, &error))?;
            writeln!(
                streams.output,
                "Deleted the account {account:?} of the company {company:?}."
            )?;
        }
        AccountCommand::Unlock { company, account } => {
            let done = service.operator().unlock_account(&company, &account).await;
            done.map_err(|error| refused(&company, &account, &error))?;
            writeln!(
                streams.output,
                "Unlocked the account {account:?} of the company {company:?}."
            )?;
        }
        AccountCommand::BackupCode {
            company,
            account,
            reason,
        } => {
            let code = service
                .operator()
                .issue_backup_code(&company, &account, &reason)
                .await;
            let code = code.map_err(|error| refused(&company, &account, &error))?;
            let whose = format!("the account {account:?} of the company {company:?}");
            writeln!(
                streams.output,
                "Backup code for {whose}, good once for 60 minutes:\n{}",
                code.reveal()
            )?;
        }
        AccountCommand::SetPassword {
            company,
            account,
            password_stdin: _,
        } => {
            let password = password(streams)?;
            let done = service
                .operator()
                .set_password(&company, &account, &password)
                .await;
            done.map_err(|error| refused(&company, &account, &error))?;
            let whose = format!("the account {account:?} of the company {company:?}");
            writeln!(
                streams.output,
                "Set the password of {whose}. Its sessions are over."
            )?;
        }
    }
    Ok(())
}

/// Writes all accounts, a page at a time: there may be a hundred thousand.
async fn list_accounts(
    service: &Service,
    company: &str,
    json: bool,
    streams: &mut Streams<'_>,
) -> Result<(), Refused> {
    let mut list = output::AccountList::new(json);
    let mut after = None;
    loop {
        let page = service
            .operator()
            .accounts_after(company, after, PAGE)
            .await
            .map_err(|error| refused(company, "", &error))?;
        list.page(streams.output, &page)?;
        after = page.last().map(|account| account.id);
        if page.len() < PAGE {
            break;
        }
    }
    if !list.end(streams.output)? {
        writeln!(streams.output, "The company {company:?} has no account yet.")?;
    }
    Ok(())
}

pub(super) fn refused(company: &str, account: &str, error: &OperatorError) -> Refused {
    let languages = assembly::languages();
    Refused::because(sentences::operator(
        error,
        Names {
            company,
            account,
            languages: &languages,
        },
    ))
}

/// The first line of standard input, without its end.
fn password(streams: &mut Streams<'_>) -> Result<Password, Refused> {
    let unreadable =
        |what: &str| Refused::because(format!("No password can be read from standard input: {what}."));
    // One byte more than allowed and the end of the line, so that a longer one is refused and not cut.
    let most = PASSWORD_MAX_BYTES as u64 + 3;
    let mut line = Zeroizing::new(Vec::with_capacity(PASSWORD_MAX_BYTES + 3));
    streams
        .input
        .take(most)
        .read_until(b'\n', &mut line)
        .map_err(|error| unreadable(&error.to_string()))?;
    let line = line.strip_suffix(b"\n").unwrap_or(&line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() {
        return Err(unreadable("the first line is empty"));
    }
    if line.len() > PASSWORD_MAX_BYTES {
        return Err(Refused::because(
            "The password is too long: it may have up to 128 characters.",
        ));
    }
    match std::str::from_utf8(line) {
        Ok(text) if !text.contains('\0') => Ok(Password::new(text.to_owned())),
        _ => Err(unreadable("it is not valid UTF-8")),
    }
}

/// The use cases, on a database that is there and up to date. Makes neither database nor key file: in the wrong folder a
/// command would otherwise succeed on nothing.
pub(super) async fn open_service(config: &Config) -> Result<Service, Refused> {
    let store = open_prepared_store(config).await?;
    if is_fresh(&store).await.map_err(|error| store_refused(&error))? {
        // A database that knows its keys says by itself which file it needs.
        check_key_file(config)?;
    }
    assemble(config, store).await
}

/// The database, if it is there and has the tables of this version.
pub(super) async fn open_prepared_store(config: &Config) -> Result<Store, Refused> {
    check_database(config)?;
    let store = open_store(config).await?;
    if store
        .migrations_pending()
        .await
        .map_err(|error| store_refused(&error))?
        > 0
    {
        return Err(Refused::because(
            "The database is not prepared for this version: run `vestibule migrate` first.",
        ));
    }
    Ok(store)
}

fn check_database(config: &Config) -> Result<(), Refused> {
    match config.database_url.place().missing_file() {
        Some(file) => Err(Refused::because(sentences::missing_database(file))),
        None => Ok(()),
    }
}

fn check_key_file(config: &Config) -> Result<(), Refused> {
    let file = config::whole(&config.key_file);
    match file.try_exists() {
        Ok(false) => Err(Refused::because(sentences::missing_key_file(&file))),
        _ => Ok(()),
    }
}

/// The use cases, on a database that is brought up to date first.
pub(super) async fn open_fresh_service(config: &Config) -> Result<Service, Refused> {
    let store = open_store(config).await?;
    store.migrate().await.map_err(|error| store_refused(&error))?;
    assemble(config, store).await
}

async fn assemble(config: &Config, store: Store) -> Result<Service, Refused> {
    let assembled = assembly::service(config, store, Arc::new(SystemClock), Arc::new(SystemRandomness)).await;
    assembled.map_err(|error| match error {
        AssemblyError::KeyFile(error) => Refused::because(sentences::key_file(&error)),
        AssemblyError::Store(error) => store_refused(&error),
        other => Refused::because(format!("The program cannot start: {other}.")),
    })
}

async fn open_store(config: &Config) -> Result<Store, Refused> {
    let place = config.database_url.place();
    if let Some(folder) = place.missing_folder() {
        return Err(Refused::because(sentences::missing_folder(folder)));
    }
    Store::open(config.database_url.reveal(), config.store_options())
        .await
        .map_err(|error| Refused::because(sentences::unusable(&place, &error)))
}

fn store_refused(error: &StoreError) -> Refused {
    Refused::because(sentences::store(error))
}
