//! Copies of the database, and putting one back.

use std::path::{Path, PathBuf};

use vestibule_core::ports::Clock as _;
use vestibule_storage::backup::{BackupError, Restore};

use super::{Refused, Streams, acts};
use crate::{
    config::{self, Config, Place},
    system::SystemClock,
};

/// The file of a SQLite database, for what is done with files.
fn sqlite_file(config: &Config, instead: &str) -> Result<PathBuf, Refused> {
    match config.database_url.place() {
        Place::File(path) => Ok(path),
        place @ Place::Server { .. } => Err(Refused::because(format!(
            "The database {place} is copied and put back with PostgreSQL's own tools: {instead}"
        ))),
    }
}

fn refused(error: &BackupError) -> Refused {
    Refused::because(format!("Nothing was changed: {error}."))
}

/// Copies the database into a new file.
pub(super) async fn back_up(config: &Config, to: &Path, streams: &mut Streams<'_>) -> Result<(), Refused> {
    sqlite_file(
        config,
        "pg_dump --format=custom --file=vestibule.dump. Keep the key file with it.",
    )?;
    let store = acts::open_prepared_store(config).await?;
    let done = store.back_up(to).await;
    store.close().await;
    let size = done.map_err(|error| refused(&error))?;
    writeln!(
        streams.output,
        "Wrote {} ({size} bytes). It is of no use without the key file {}: keep a copy of that too, in another place.",
        config::whole(to).display(),
        config::whole(&config.key_file).display()
    )?;
    Ok(())
}

/// Puts a copy in the place of the database, and ends what it would bring back to life.
pub(super) async fn restore(config: &Config, from: &Path, streams: &mut Streams<'_>) -> Result<(), Refused> {
    let target = sqlite_file(
        config,
        "pg_restore, with no server running, and then vestibule restore --already-there.",
    )?;
    let restore = Restore::begin(from, &target)
        .await
        .map_err(|error| refused(&error))?;
    let prepared = config.with_database_file(restore.part());
    // Reads the key file: a copy that it does not fit is refused here.
    let service = acts::open_fresh_service(&prepared).await?;
    let ended = service.operator().end_what_was_revived().await;
    service.store().close().await;
    ended.map_err(|error| refused(&error.into()))?;
    let kept = restore
        .finish(SystemClock.now())
        .await
        .map_err(|error| refused(&error))?;
    writeln!(
        streams.output,
        "{} is in the place of {}.",
        config::whole(from).display(),
        target.display()
    )?;
    if let Some(kept) = kept {
        writeln!(
            streams.output,
            "What was there before is kept in {}.",
            kept.display()
        )?;
    }
    tell_what_ended(streams)
}

/// Ends what an old state brought back to life that somebody has put back already.
pub(super) async fn already_there(config: &Config, streams: &mut Streams<'_>) -> Result<(), Refused> {
    let service = acts::open_service(config).await?;
    let ended = service.operator().end_what_was_revived().await;
    service.store().close().await;
    ended.map_err(|error| refused(&error.into()))?;
    tell_what_ended(streams)
}

fn tell_what_ended(streams: &mut Streams<'_>) -> Result<(), Refused> {
    writeln!(
        streams.output,
        "All sessions, sign-ins under way, trusted browsers, links and issued codes have ended, and mails that had not gone \
         out are gone. Passwords, roles and backup codes are those of the copy: what was changed or used since counts no \
         more."
    )?;
    Ok(())
}
