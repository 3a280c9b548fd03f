//! The command line: what an operator does.
//!
//! Exit codes: 0 done, 1 refused or failed with one clear sentence on standard error, 2 wrong usage. Answers go to
//! standard output, logs of commands to standard error. Passwords come from standard input only: arguments can be
//! seen by every user of the machine and stay in the history of the shell.

mod acts;
mod applications;
mod arguments;
mod backup;
mod copy;
mod demo;
mod doctor;
mod events;
mod mails;
mod nodes;
mod output;
mod sentences;

#[cfg(test)]
mod tests;

use std::{
    io::{self, BufRead, Write},
    process::ExitCode,
};

use clap::FromArgMatches as _;

use crate::{
    config::{self, Config, ConfigError, Inputs, Origin},
    key_file::{self, KeyFileProblem},
    logging::{self, Log, Stream},
    processor,
    reload::Reload,
};

pub use arguments::{
    AccountCommand, AdminArguments, ApplicationArguments, ApplicationCommand, AuditCommand, Cli, Command,
    CompanyCommand, ConfigCommand, DemoArguments, KeysCommand, MailCommand, SecondFactor, SessionCommand,
    command,
};
pub use demo::run_demo;

/// Exit code of what was refused or failed.
const REFUSED: u8 = 1;

/// Why a command did not do what it was asked, as a sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// With a sentence.
    #[error("{0}")]
    Because(String),
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The answer could not be written.
    #[error("The answer could not be written: {0}")]
    Output(#[from] io::Error),
}

impl Refused {
    fn because(sentence: impl Into<String>) -> Self {
        Self::Because(sentence.into())
    }
}

/// What a command reads and writes.
pub struct Streams<'a> {
    /// Standard input.
    pub input: &'a mut dyn BufRead,
    /// Standard output.
    pub output: &'a mut dyn Write,
    /// Standard error, for what is no answer.
    pub errors: &'a mut dyn Write,
}

/// Runs the program: reads the arguments of this process, does what they ask, and says how it went.
pub fn main() -> ExitCode {
    if let Err(wrong) = processor::check() {
        // Nobody reads it when this fails too.
        let _ = writeln!(io::stderr(), "{wrong}");
        return ExitCode::from(REFUSED);
    }
    let matches = command().get_matches();
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return refused(&Refused::because(format!(
                "The program cannot start its threads: {error}"
            )));
        }
    };
    let (mut input, mut output, mut errors) = (io::stdin().lock(), io::stdout(), io::stderr());
    let streams = Streams {
        input: &mut input,
        output: &mut output,
        errors: &mut errors,
    };
    match runtime.block_on(run(cli, Inputs::of_process(), streams)) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads the answer has seen enough, as in `vestibule account list … | head`.
        Err(Refused::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => refused(&error),
    }
}

fn refused(error: &Refused) -> ExitCode {
    // Nothing can be done when even this cannot be written.
    let _ = writeln!(io::stderr(), "{error}");
    ExitCode::from(REFUSED)
}

/// Does what the arguments ask.
///
/// # Errors
/// [`Refused`] with the sentence to show.
pub async fn run(cli: Cli, inputs: Inputs, mut streams: Streams<'_>) -> Result<(), Refused> {
    let inputs = &Inputs {
        file: cli.config.or(inputs.file),
        ..inputs
    };
    let writes = cli.command.writes();
    match cli.command {
        Command::Serve => {
            let config = Config::load(inputs)?;
            let log = start_logging(&config, Stream::Output)?;
            for warning in config.warnings() {
                tracing::warn!("{warning}");
            }
            let reload = Reload {
                inputs: inputs.clone(),
                filter: log.as_ref().map(Log::filter),
            };
            acts::serve(config, reload).await
        }
        Command::Demo(arguments) => run_demo(&arguments).await,
        Command::Config {
            command: ConfigCommand::Check,
        } => check(&Config::load(inputs)?, &mut streams),
        Command::Mail {
            command: MailCommand::Preview { out },
        } => mails::preview(&out, &mut streams),
        Command::Doctor { behind, direct } => doctor::behind(&behind, direct.as_deref(), &mut streams).await,
        of_database => {
            let config = commands_config(inputs)?;
            if writes {
                writeln!(streams.errors, "Database: {}", config.database_url.place())?;
            }
            on_database(&config, of_database, &mut streams).await
        }
    }
}

/// The commands that answer from the database, or change it, and end.
async fn on_database(config: &Config, command: Command, streams: &mut Streams<'_>) -> Result<(), Refused> {
    match command {
        Command::Migrate => acts::migrate(config, streams).await,
        Command::Backup { file } => backup::back_up(config, &file, streams).await,
        Command::Restore { file: Some(file), .. } => backup::restore(config, &file, streams).await,
        Command::Restore { file: None, .. } => backup::already_there(config, streams).await,
        Command::Copy { from, to } => {
            Box::pin(copy::copy(config, from.as_deref(), to.as_deref(), streams)).await
        }
        Command::Nodes { json } => nodes::list(config, json, streams).await,
        Command::Company { command } => acts::company(config, command, streams).await,
        Command::Keys { command } => acts::keys(config, &command, streams).await,
        Command::Application { command } => applications::application(config, command, streams).await,
        Command::Session { command } => acts::session(config, command, streams).await,
        Command::Audit { command } => acts::audit(config, command, streams).await,
        Command::Stats { json } => acts::stats(config, json, streams).await,
        Command::Account { command } => acts::account(config, command, streams).await,
        Command::Serve
        | Command::Demo(_)
        | Command::Config { .. }
        | Command::Mail { .. }
        | Command::Doctor { .. } => Ok(()),
    }
}

/// The settings for a command that answers and ends. Unless the operator chose a filter, only warnings are logged.
fn commands_config(inputs: &Inputs) -> Result<Config, Refused> {
    let mut config = Config::load(inputs)?;
    let chosen = config
        .settings()
        .iter()
        .any(|setting| setting.key == "log" && setting.origin != Origin::Default);
    if !chosen {
        "warn".clone_into(&mut config.log);
    }
    start_logging(&config, Stream::Error)?;
    Ok(config)
}

/// Starts the log, which lives as long as what is returned.
fn start_logging(config: &Config, stream: Stream) -> Result<Option<Log>, Refused> {
    match logging::start(&config.log, config.log_format, stream) {
        Ok(log) => Ok(Some(log)),
        // A test runs several commands in one process.
        Err(logging::LoggingError::Twice(_)) => Ok(None),
        Err(error) => Err(Refused::because(format!("Logging cannot start: {error}."))),
    }
}

fn check(config: &Config, streams: &mut Streams<'_>) -> Result<(), Refused> {
    write!(streams.output, "{}", config.report())?;
    writeln!(streams.output)?;
    for warning in config.warnings() {
        writeln!(streams.output, "Warning: {warning}")?;
    }
    if let Some((path, mode)) = vestibule_storage::open_to_everybody(config.database_url.reveal()) {
        writeln!(
            streams.output,
            "Warning: the database {} can be read by every user of this machine (mode {mode:03o}): run chmod 600 on it, \
             or the next command that opens it does.",
            path.display()
        )?;
    }
    let place = config.database_url.place();
    if let Some(folder) = place.missing_folder() {
        return Err(Refused::because(sentences::missing_folder(folder)));
    }
    writeln!(streams.output, "Database: {place}")?;
    if place.missing_file().is_some() {
        writeln!(
            streams.output,
            "The database does not exist yet: `vestibule migrate` or the first `vestibule serve` makes it."
        )?;
    }
    match key_file::load(&config.key_file) {
        Ok(_) => {}
        Err(error) if matches!(error.problem, KeyFileProblem::Missing) => {
            writeln!(
                streams.output,
                "The key file {} does not exist yet: the first `vestibule migrate` or the first `vestibule serve` makes it.",
                config::whole(&config.key_file).display()
            )?;
        }
        Err(error) => return Err(Refused::because(sentences::key_file(&error))),
    }
    writeln!(streams.output, "The settings can be used.")?;
    Ok(())
}
