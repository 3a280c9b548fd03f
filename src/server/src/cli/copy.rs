//! A whole installation from one kind of database into the other.

use std::time::{Duration, Instant};

use vestibule_core::ports::Clock as _;
use vestibule_storage::copy::{Step, copy as copy_rows};

use super::{Refused, Streams, sentences};
use crate::{
    config::{self, Config, DatabaseUrl},
    system::SystemClock,
};

/// How often somebody who waits hears how far it is.
const TELL_AFTER: Duration = Duration::from_secs(5);

/// Copies everything into an empty database of the other kind.
pub(super) async fn copy(
    config: &Config,
    from: Option<&str>,
    to: Option<&str>,
    streams: &mut Streams<'_>,
) -> Result<(), Refused> {
    let (from, to) = (address(config, "--from", from)?, address(config, "--to", to)?);
    if let Some(file) = from.place().missing_file() {
        return Err(Refused::because(sentences::missing_database(file)));
    }
    if let Some(folder) = to.place().missing_folder() {
        return Err(Refused::because(sentences::missing_folder(folder)));
    }
    writeln!(streams.errors, "From: {}\nTo: {}", from.place(), to.place())?;
    let mut told = Instant::now();
    let tell = |step: Step| {
        // Whoever does not listen gets a copy all the same.
        let _ = match step {
            Step::Copied { table, rows, of } if rows > 0 && (rows >= of || told.elapsed() >= TELL_AFTER) => {
                told = Instant::now();
                writeln!(streams.errors, "{table}: {rows} of {of}")
            }
            Step::Compared { table, rows } if rows > 0 => {
                writeln!(streams.errors, "{table}: {rows} compared")
            }
            Step::Copied { .. } | Step::Compared { .. } => Ok(()),
        };
    };
    let copied = copy_rows(from.reveal(), to.reveal(), SystemClock.now(), tell).await;
    let rows = copied.map_err(|error| Refused::because(sentences::copy(&error)))?;
    writeln!(
        streams.output,
        "Copied {rows} rows, and every one is the same. Set database_url to {} now; the key file {} goes with it, and the \
         old database stays as it was.",
        to.place(),
        config::whole(&config.key_file).display()
    )?;
    Ok(())
}

/// An address as it was typed, or the one of the settings.
fn address(config: &Config, name: &str, typed: Option<&str>) -> Result<DatabaseUrl, Refused> {
    match typed {
        None => Ok(config.database_url.clone()),
        Some(typed) => DatabaseUrl::of_argument(typed)
            .map_err(|reason| Refused::because(format!("The address after {name} {reason}."))),
    }
}
