//! The command line: what an operator does.
//!
//! Exit codes: 0 done, 1 refused or failed with one clear sentence on standard error, 2 wrong usage. Answers go to
//! standard output, logs of commands to standard error. Passwords come from standard input only: arguments can be
//! seen by every user of the machine and stay in the history of the shell.

mod acts;
mod arguments;
mod demo;
mod events;
mod mails;
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
    config::{Config, ConfigError, Inputs, Origin},
    key_file::{self, KeyFileProblem},
    logging::{self, Stream},
};

pub use arguments::{
    AccountCommand, AdminArguments, AuditCommand, Cli, Command, CompanyCommand, ConfigCommand, DemoArguments,
    KeysCommand, MailCommand, SecondFactor, SessionCommand, command,
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
}

/// Runs the program: reads the arguments of this process, does what they ask, and says how it went.
pub fn main() -> ExitCode {
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
    let (mut input, mut output) = (io::stdin().lock(), io::stdout());
    let streams = Streams {
        input: &mut input,
        output: &mut output,
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
    match cli.command {
        Command::Serve => {
            let config = Config::load(inputs)?;
            start_logging(&config, Stream::Output)?;
            for warning in config.warnings() {
                tracing::warn!("{warning}");
            }
            acts::serve(config).await
        }
        Command::Demo(arguments) => run_demo(&arguments).await,
        Command::Config {
            command: ConfigCommand::Check,
        } => check(&Config::load(inputs)?, &mut streams),
        Command::Mail {
            command: MailCommand::Preview { out },
        } => mails::preview(&out, &mut streams),
        Command::Migrate => acts::migrate(&commands_config(inputs)?, &mut streams).await,
        Command::Company { command } => acts::company(&commands_config(inputs)?, command, &mut streams).await,
        Command::Keys { command } => acts::keys(&commands_config(inputs)?, &command, &mut streams).await,
        Command::Session { command } => acts::session(&commands_config(inputs)?, command, &mut streams).await,
        Command::Audit { command } => acts::audit(&commands_config(inputs)?, command, &mut streams).await,
        Command::Stats { json } => acts::stats(&commands_config(inputs)?, json, &mut streams).await,
        Command::Account { command } => acts::account(&commands_config(inputs)?, command, &mut streams).await,
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

fn start_logging(config: &Config, stream: Stream) -> Result<(), Refused> {
    match logging::start(&config.log, config.log_format, stream) {
        // A test runs several commands in one process.
        Ok(()) | Err(logging::LoggingError::Twice(_)) => Ok(()),
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
    match key_file::load(&config.key_file) {
        Ok(_) => {}
        Err(error) if matches!(error.problem, KeyFileProblem::Missing) => {
            writeln!(
                streams.output,
                "The key file does not exist yet: the first `vestibule serve` makes it."
            )?;
        }
        Err(error) => return Err(Refused::because(sentences::key_file(&error))),
    }
    writeln!(streams.output, "The settings can be used.")?;
    Ok(())
}
