//! Copies of a SQLite database that are whole, made while others write, and put back so that nothing of the old state comes
//! to life again. PostgreSQL has tools of its own for the copy; what has to end afterwards is the same.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
    str::FromStr as _,
    time::Duration,
};

use sqlx::{
    ConnectOptions as _, Connection as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteLockingMode},
};
use vestibule_core::ports::Moment;

use crate::{Store, StoreError, Writer, link::execute, store::SQLITE_MIGRATIONS};

/// How long somebody else may hold the file before it is taken for served.
const SERVED_AFTER: Duration = Duration::from_secs(2);

const BUSY: u32 = 5;
const LOCKED: u32 = 6;
const CORRUPT: u32 = 11;
const NO_DATABASE: u32 = 26;

/// What would go on where the copy was made, as if nothing had happened since: who is signed in or about to be, trust in
/// browsers, links and codes that may have been used meanwhile, mails that went out long ago.
const REVIVED: [&str; 17] = [
    "DELETE FROM access_grant",
    "DELETE FROM session",
    "DELETE FROM ended_session",
    "DELETE FROM kept",
    "DELETE FROM carried_request",
    "DELETE FROM pending_sign_in",
    "DELETE FROM one_time_code",
    "DELETE FROM trusted_browser",
    "DELETE FROM account_link",
    "DELETE FROM issued_code",
    "DELETE FROM factor_set_up",
    "DELETE FROM reset_request",
    "DELETE FROM sso_flow",
    "DELETE FROM sign_in_ticket",
    "DELETE FROM sign_in_line",
    "DELETE FROM node",
    "DELETE FROM mail_outbox WHERE sent_at IS NULL AND given_up_at IS NULL",
];
/// Codes of authenticator apps up to now may have been used.
const RAISE_STEPS: &str = "UPDATE account SET app_step = $1 WHERE app_secret IS NOT NULL AND app_step < $1";

/// Why a copy could not be made or put back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// It is no SQLite database.
    #[error("this is done for SQLite only")]
    OtherDatabase,
    /// There is something at this path already.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// The file cannot be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// It is no database, or it is damaged; with what SQLite says.
    #[error("{} is damaged, or no database: {what}", path.display())]
    Damaged {
        /// Which one.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// It is a database, but none of Vestibule.
    #[error("{} is no database of Vestibule", .0.display())]
    Foreign(PathBuf),
    /// A newer version has written it.
    #[error("{} was written by a newer version of Vestibule", .0.display())]
    Newer(PathBuf),
    /// Somebody uses it.
    #[error("{} is in use: stop the server first", .0.display())]
    Served(PathBuf),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |error| BackupError::File { path, error }
}

fn damaged(path: &Path) -> impl FnOnce(sqlx::Error) -> BackupError {
    let path = path.to_owned();
    move |error| BackupError::Damaged {
        path,
        what: error.to_string(),
    }
}

/// A path as SQLite takes it.
fn text(path: &Path) -> Result<&str, BackupError> {
    let odd = || at(path)(io::ErrorKind::InvalidFilename.into());
    path.to_str().ok_or_else(odd)
}

/// Where a file is made before it gets its name: no other process makes one of this name.
fn part_of(path: &Path) -> PathBuf {
    beside(path, &format!(".part-{}", std::process::id()))
}

/// Gives a file another name besides, never that of a file that is there.
fn name_also(from: &Path, to: &Path) -> Result<(), BackupError> {
    fs::hard_link(from, to).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists(to.to_owned()),
        _ => at(to)(error),
    })
}

/// A path beside another: the same name with an ending.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// An empty file that only its owner may read.
fn create(path: &Path) -> Result<File, BackupError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(at(path))
}

/// Makes what was written to a file, and its name, survive a loss of power.
fn sync(path: &Path) -> Result<(), BackupError> {
    let file = File::open(path).map_err(at(path))?;
    file.sync_all().map_err(at(path))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(at(folder))
}

fn remove(path: &Path) -> Result<(), BackupError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(path)(error)),
        _ => Ok(()),
    }
}

/// A file that is not finished goes when nobody finishes it.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        for ending in ["", "-wal", "-shm", "-journal"] {
            // It is only in the way: the next copy removes what this one could not.
            let _ = remove(&beside(&self.0, ending));
        }
    }
}

impl Store {
    /// Copies the database into a new file while others read and write, looks whether the copy is whole, and gives its size
    /// in bytes. Until then it has an ending; only its owner may read it.
    ///
    /// # Errors
    /// [`BackupError`]; no file is left then.
    pub async fn back_up(&self, to: &Path) -> Result<u64, BackupError> {
        let mut source = self.sqlite_writer().await?.ok_or(BackupError::OtherDatabase)?;
        if to.try_exists().map_err(at(to))? {
            return Err(BackupError::Exists(to.to_owned()));
        }
        let part = Unfinished(part_of(to));
        remove(&part.0)?;
        drop(create(&part.0)?);
        sqlx::query("VACUUM INTO $1")
            .bind(text(&part.0)?)
            .execute(&mut *source)
            .await
            .map_err(StoreError::from)?;
        check(&part.0).await?;
        sync(&part.0)?;
        let size = fs::metadata(&part.0).map_err(at(&part.0))?.len();
        name_also(&part.0, to)?;
        sync(to)?;
        Ok(size)
    }
}

async fn open_to_read(path: &Path) -> Result<SqliteConnection, BackupError> {
    SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        // Going through a large file takes its time.
        .disable_statement_logging()
        .connect()
        .await
        .map_err(damaged(path))
}

/// Whether a file is a whole database of this version of Vestibule or an older one.
///
/// # Errors
/// [`BackupError`], with what is wrong.
pub async fn check(path: &Path) -> Result<(), BackupError> {
    // Asked of the system first: SQLite says of every file that it cannot be opened.
    drop(File::open(path).map_err(at(path))?);
    let mut connection = open_to_read(path).await?;
    let (said,): (String,) = sqlx::query_as("PRAGMA integrity_check(1)")
        .fetch_one(&mut connection)
        .await
        .map_err(damaged(path))?;
    if said != "ok" {
        return Err(BackupError::Damaged {
            path: path.to_owned(),
            what: said,
        });
    }
    let applied: Result<Vec<(i64, Vec<u8>)>, _> =
        sqlx::query_as("SELECT version, checksum FROM _sqlx_migrations ORDER BY version")
            .fetch_all(&mut connection)
            .await;
    let foreign = || BackupError::Foreign(path.to_owned());
    let applied = applied.map_err(|_| foreign())?;
    if applied.is_empty() {
        return Err(foreign());
    }
    for (version, checksum) in applied {
        match SQLITE_MIGRATIONS.iter().find(|known| known.version == version) {
            None => return Err(BackupError::Newer(path.to_owned())),
            Some(known) if *known.checksum != *checksum => return Err(foreign()),
            Some(_) => {}
        }
    }
    connection.close().await.map_err(damaged(path))
}

/// A copy that is about to take the place of a database.
#[derive(Debug)]
pub struct Restore {
    part: PathBuf,
    target: PathBuf,
    finished: bool,
}

impl Restore {
    /// Looks whether `copy` can be used, and copies it beside the database at `target`, which nobody may be using.
    ///
    /// # Errors
    /// [`BackupError`]; the database is as it was.
    pub async fn begin(copy: &Path, target: &Path) -> Result<Self, BackupError> {
        check(copy).await?;
        refuse_served(target).await?;
        let part = part_of(target);
        drop(Unfinished(part.clone()));
        let restore = Self {
            part,
            target: target.to_owned(),
            finished: false,
        };
        drop(create(&restore.part)?);
        // By SQLite: a copy that was made by hand has a part of its content in the files beside it.
        let mut from = open_to_read(copy).await?;
        sqlx::query("VACUUM INTO $1")
            .bind(text(&restore.part)?)
            .execute(&mut from)
            .await
            .map_err(damaged(copy))?;
        from.close().await.map_err(damaged(copy))?;
        Ok(restore)
    }

    /// Where the copy is prepared.
    pub fn part(&self) -> &Path {
        &self.part
    }

    /// Puts the copy, that nobody has open any more, in the place of the database; gives where that is kept, if there was
    /// one.
    ///
    /// # Errors
    /// [`BackupError`]; the database is as it was.
    pub async fn finish(mut self, now: Moment) -> Result<Option<PathBuf>, BackupError> {
        // Everything in one file: what stood beside it would be taken for a part of another database.
        let mut connection = SqliteConnectOptions::new()
            .filename(&self.part)
            .journal_mode(SqliteJournalMode::Delete)
            .connect()
            .await
            .map_err(damaged(&self.part))?;
        sqlx::query("PRAGMA optimize")
            .execute(&mut connection)
            .await
            .map_err(damaged(&self.part))?;
        connection.close().await.map_err(damaged(&self.part))?;
        check(&self.part).await?;
        sync(&self.part)?;
        refuse_served(&self.target).await?;
        let kept = beside(&self.target, &now.format(".%Y%m%dT%H%M%SZ").to_string());
        let had_one = self.target.try_exists().map_err(at(&self.target))?;
        if had_one {
            give_to_owner_of(&self.target, &self.part)?;
            name_also(&self.target, &kept)?;
        }
        // What stands beside it belongs to what was there; where that could be read, nothing is in it any more.
        for ending in ["-wal", "-shm", "-journal"] {
            let from = beside(&self.target, ending);
            if from.try_exists().map_err(at(&from))? {
                fs::rename(&from, beside(&kept, ending)).map_err(at(&from))?;
            }
        }
        // At every moment there is a database of this name.
        fs::rename(&self.part, &self.target).map_err(at(&self.target))?;
        self.finished = true;
        sync(&self.target)?;
        Ok(had_one.then_some(kept))
    }
}

impl Drop for Restore {
    fn drop(&mut self) {
        if !self.finished {
            drop(Unfinished(self.part.clone()));
        }
    }
}

/// The server may run as somebody else than who restores.
#[cfg(unix)]
fn give_to_owner_of(target: &Path, part: &Path) -> Result<(), BackupError> {
    use std::os::unix::fs::{MetadataExt as _, chown};
    let (is, should) = (
        fs::metadata(part).map_err(at(part))?,
        fs::metadata(target).map_err(at(target))?,
    );
    if (is.uid(), is.gid()) == (should.uid(), should.gid()) {
        return Ok(());
    }
    chown(part, Some(should.uid()), Some(should.gid())).map_err(at(part))
}

#[cfg(not(unix))]
fn give_to_owner_of(_: &Path, _: &Path) -> Result<(), BackupError> {
    Ok(())
}

/// A database that somebody has open cannot be had alone. One that is damaged is in nobody's way.
pub(crate) async fn refuse_served(path: &Path) -> Result<(), BackupError> {
    if !path.try_exists().map_err(at(path))? {
        return Ok(());
    }
    let alone = async {
        let mut connection = SqliteConnectOptions::from_str("sqlite://")?
            .filename(path)
            .locking_mode(SqliteLockingMode::Exclusive)
            .busy_timeout(SERVED_AFTER)
            .disable_statement_logging()
            .connect()
            .await?;
        // Leaving the write-ahead log needs the file alone, and brings what is in it into the file.
        let taken: Result<(String,), sqlx::Error> = sqlx::query_as("PRAGMA journal_mode = DELETE")
            .fetch_one(&mut connection)
            .await;
        let closed = connection.close().await;
        taken.and_then(|(mode,)| closed.map(|()| mode))
    };
    match alone.await {
        Ok(mode) if mode == "wal" => Err(BackupError::Served(path.to_owned())),
        Ok(_) => Ok(()),
        Err(error) => match primary_code(&error) {
            Some(BUSY | LOCKED) => Err(BackupError::Served(path.to_owned())),
            Some(CORRUPT | NO_DATABASE) => Ok(()),
            _ => Err(damaged(path)(error)),
        },
    }
}

/// What went wrong, by SQLite's own numbers, without the details of their upper bits.
fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let code: u32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}

impl Writer {
    /// Ends what an old copy of the database would bring back to life, and uses up the codes of authenticator apps up to the
    /// step `step`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_what_was_revived(&mut self, step: i64) -> Result<(), StoreError> {
        for statement in REVIVED {
            execute!(self, statement)?;
        }
        execute!(self, RAISE_STEPS, step).map(drop)
    }
}
