//! A whole installation from one database into another of the other kind: in batches of which each is whole, so that a copy
//! that was cut off goes on where it ended, and compared row by row before anybody may serve it.

mod side;
mod tables;

use std::{path::Path, str::FromStr as _, time::Duration};

use sqlx::{
    ConnectOptions as _, Connection as _, PgConnection,
    migrate::Migrator,
    postgres::PgConnectOptions,
    sqlite::{SqliteConnectOptions, SqliteLockingMode, SqliteSynchronous},
};
use tokio::time::{Instant, sleep};
use vestibule_core::ports::Moment;

use self::{
    side::{Cell, Cells, Side, on_side, take_later},
    tables::{TABLES, Table, tables},
};
use crate::{
    Reader, Store, StoreError, StoreOptions,
    backup::{self, BackupError},
    link::{Link, optional},
    store::{POSTGRES_MIGRATIONS, SQLITE_MIGRATIONS},
};

/// The migration that brought the table of the mark.
pub(crate) const MARKED_SINCE: i64 = 27;
/// A number of our own for the lock of PostgreSQL that keeps two copies apart.
const LOCK: &str = "SELECT pg_try_advisory_lock(6281709923)";
const OTHERS: &str = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
    AND application_name = 'vestibule' AND pid <> pg_backend_pid()";
/// How long others may hold what the copy needs alone.
const SERVED_AFTER: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

const MARK: &str = "SELECT fingerprint FROM copy_mark";
const SET_MARK: &str = "INSERT INTO copy_mark (id, fingerprint, begun_at) VALUES (1, $1, $2)";
const UNMARK: &str = "DELETE FROM copy_mark";
/// What a database that was only just made has by itself.
const MADE_BY_ITSELF: &str = "folding";
const KEYS: &str = "SELECT version, fingerprint FROM key_check ORDER BY version";
const APPLIED: &str = "SELECT version, checksum FROM _sqlx_migrations WHERE success = TRUE ORDER BY version";

/// One of the two databases of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The one that is copied.
    Source,
    /// The one that is copied into.
    Target,
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Source => "the source",
            Self::Target => "the target",
        })
    }
}

/// Why nothing, or not everything, was copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// Both are of one kind.
    #[error(
        "a copy goes from SQLite to PostgreSQL or back; within one kind `vestibule backup` or pg_dump makes copies"
    )]
    SameKind,
    /// The file of the source.
    #[error("the source: {0}")]
    File(#[from] BackupError),
    /// It is no database of Vestibule, or one with something else in it.
    #[error("{0} is no database of Vestibule, or holds something else too")]
    Foreign(End),
    /// A newer version has migrated it.
    #[error("{0} was migrated by a newer version of Vestibule")]
    Newer(End),
    /// It lacks migrations of this version.
    #[error(
        "{0} was left by an older version of Vestibule: bring it up to this one with `vestibule migrate` first"
    )]
    Older(End),
    /// Somebody uses it.
    #[error("{0} is in use: stop every server first, and let no other copy run")]
    Served(End),
    /// It has content that is none of this copy.
    #[error("the target is not empty: {0} has rows. Take a new, empty database")]
    NotEmpty(&'static str),
    /// It was used with other keys.
    #[error(
        "the target was used with another key file (version {0} has another fingerprint there). Take a new, empty database"
    )]
    OtherKeys(i64),
    /// It is a part of another database.
    #[error("the target holds the beginning of a copy of another database. Take a new, empty database")]
    OtherCopy,
    /// A table is not what this version knows.
    #[error("the table {0} is not as this version of Vestibule made it")]
    Shape(&'static str),
    /// Source and target differ after everything was copied.
    #[error(
        "the table {table} differs: {source_rows} rows in the source, {target_rows} in the target. The source has changed \
         since the copy was begun: take a new, empty database and begin anew"
    )]
    Differs {
        /// Which one.
        table: &'static str,
        /// Rows in the source.
        source_rows: u64,
        /// Rows in the target.
        target_rows: u64,
    },
    /// One of the databases failed.
    #[error("{0}: {1}")]
    Store(End, StoreError),
}

impl CopyError {
    fn at(end: End) -> impl Fn(sqlx::Error) -> Self {
        move |error| Self::Store(end, error.into())
    }
}

/// What is done so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Rows of a table are copied.
    Copied {
        /// Which one.
        table: &'static str,
        /// How many of its rows.
        rows: u64,
        /// How many it has.
        of: u64,
    },
    /// A table is the same on both ends.
    Compared {
        /// Which one.
        table: &'static str,
        /// How many rows it has.
        rows: u64,
    },
}

/// Copies everything, tells of each step, and gives the number of rows. The source is as it was; the target can be served
/// when this is done, and not before. After an error the same call goes on where it ended.
///
/// # Errors
/// [`CopyError`].
pub async fn copy(from: &str, to: &str, now: Moment, mut tell: impl FnMut(Step)) -> Result<u64, CopyError> {
    if is_sqlite(from) == is_sqlite(to) {
        return Err(CopyError::SameKind);
    }
    let mut source = open_source(from).await?;
    let resumed = prepare_target(to).await?;
    let mut target = open_target(to).await?;
    let copied = async {
        let tables = layout(&mut source, &mut target).await?;
        begin(&mut source, &mut target, resumed, now).await?;
        for table in &tables {
            copy_table(&mut source, &mut target, table, &mut tell).await?;
        }
        finish(&mut source, &mut target, &tables, &mut tell).await
    };
    let copied = Box::pin(copied).await;
    // Whatever was open is given up with the connection.
    let closed = target.close().await;
    let _ = source.close().await;
    let rows = copied?;
    closed.map_err(CopyError::at(End::Target))?;
    Ok(rows)
}

fn is_sqlite(url: &str) -> bool {
    url.starts_with("sqlite:")
}

/// Opens the source so that nobody changes it meanwhile.
async fn open_source(url: &str) -> Result<Side, CopyError> {
    let failed = CopyError::at(End::Source);
    if is_sqlite(url) {
        let options = SqliteConnectOptions::from_str(url).map_err(&failed)?;
        let path = options.get_filename().to_owned();
        backup::check(&path).await?;
        let mut side = open_file_alone(&path, End::Source).await?;
        same_version(&mut side, End::Source).await?;
        return Ok(side);
    }
    let mut side = open_server(url, End::Source).await?;
    same_version(&mut side, End::Source).await?;
    side.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        .await
        .map_err(&failed)?;
    side.execute("SET LOCAL lock_timeout = '2s'")
        .await
        .map_err(&failed)?;
    for sql in LOCK_TABLES {
        side.execute(sql).await.map_err(|error| {
            let is_held = error
                .as_database_error()
                .is_some_and(|error| error.code().as_deref() == Some("55P03"));
            if is_held {
                CopyError::Served(End::Source)
            } else {
                failed(error)
            }
        })?;
    }
    Ok(side)
}

/// Nobody writes into these meanwhile; whatever else there is hangs on them, or means nothing without them.
const LOCK_TABLES: [&str; 4] = [
    "LOCK TABLE company IN SHARE MODE",
    "LOCK TABLE account IN SHARE MODE",
    "LOCK TABLE node IN SHARE MODE",
    "LOCK TABLE audit_event IN SHARE MODE",
];

async fn open_file_alone(path: &Path, end: End) -> Result<Side, CopyError> {
    let failed = CopyError::at(end);
    backup::refuse_served(path).await.map_err(|error| match error {
        BackupError::Served(_) => CopyError::Served(end),
        other => CopyError::File(other),
    })?;
    let connection = SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .locking_mode(SqliteLockingMode::Exclusive)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(SERVED_AFTER)
        .disable_statement_logging()
        .connect()
        .await
        .map_err(&failed)?;
    let mut side = Side::Sqlite(connection);
    // The lock of this transaction stays with the connection.
    for sql in ["BEGIN EXCLUSIVE", "COMMIT"] {
        side.execute(sql).await.map_err(|_| CopyError::Served(end))?;
    }
    Ok(side)
}

async fn open_server(url: &str, end: End) -> Result<Side, CopyError> {
    let failed = CopyError::at(end);
    let options = PgConnectOptions::from_str(url)
        .map_err(&failed)?
        .application_name("vestibule copy")
        .disable_statement_logging();
    let mut connection = PgConnection::connect_with(&options).await.map_err(&failed)?;
    // Connections that were closed a moment ago, our own among them, take some time to be gone.
    let until = Instant::now() + SERVED_AFTER;
    while !is_alone(&mut connection).await.map_err(&failed)? {
        if Instant::now() >= until {
            return Err(CopyError::Served(end));
        }
        sleep(LOOK_AGAIN).await;
    }
    Ok(Side::Postgres(connection))
}

async fn is_alone(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let (others,): (i64,) = sqlx::query_as(OTHERS).fetch_one(&mut *connection).await?;
    if others > 0 {
        return Ok(false);
    }
    let (is_ours,): (bool,) = sqlx::query_as(LOCK).fetch_one(connection).await?;
    Ok(is_ours)
}

/// Whether a database has the migrations of this version, and no others.
async fn same_version(side: &mut Side, end: End) -> Result<(), CopyError> {
    let migrations: &Migrator = match side {
        Side::Sqlite(_) => &SQLITE_MIGRATIONS,
        Side::Postgres(_) => &POSTGRES_MIGRATIONS,
    };
    let applied: Result<Vec<(i64, Vec<u8>)>, sqlx::Error> =
        on_side!(side, |connection| sqlx::query_as(APPLIED)
            .fetch_all(connection)
            .await);
    let applied = applied.map_err(|error| match error {
        sqlx::Error::Database(_) => CopyError::Foreign(end),
        other => CopyError::at(end)(other),
    })?;
    for (version, checksum) in &applied {
        match migrations.iter().find(|known| known.version == *version) {
            None => return Err(CopyError::Newer(end)),
            Some(known) if *known.checksum != **checksum => return Err(CopyError::Foreign(end)),
            Some(_) => {}
        }
    }
    if applied.len() < migrations.iter().count() {
        return Err(CopyError::Older(end));
    }
    Ok(())
}

/// Makes the tables of a target that has none; gives whether a copy was begun there.
async fn prepare_target(url: &str) -> Result<bool, CopyError> {
    let failed = |error| CopyError::Store(End::Target, error);
    let store = Store::open(url, StoreOptions::default()).await.map_err(failed)?;
    let prepared = prepare(&store).await;
    store.close().await;
    prepared
}

async fn prepare(store: &Store) -> Result<bool, CopyError> {
    let failed = |error| CopyError::Store(End::Target, error);
    if store.is_half_copied().await.map_err(failed)? {
        return Ok(true);
    }
    let mut reader = store.read().await.map_err(failed)?;
    let is_new = reader.applied_migrations().await.map_err(failed)?.is_empty();
    if is_new && reader.has_tables().await.map_err(failed)? {
        return Err(CopyError::Foreign(End::Target));
    }
    // One that somebody works with stays as it is: what is wrong with it is said later.
    let is_free = is_new || reader.is_fresh().await.map_err(failed)?;
    drop(reader);
    if is_free {
        store.migrate().await.map_err(failed)?;
    }
    Ok(false)
}

async fn open_target(url: &str) -> Result<Side, CopyError> {
    let mut side = if is_sqlite(url) {
        let options = SqliteConnectOptions::from_str(url).map_err(CopyError::at(End::Target))?;
        open_file_alone(options.get_filename(), End::Target).await?
    } else {
        open_server(url, End::Target).await?
    };
    same_version(&mut side, End::Target).await?;
    Ok(side)
}

/// All tables with their columns. One of the two is PostgreSQL, which says what they hold.
async fn layout(source: &mut Side, target: &mut Side) -> Result<Vec<Table>, CopyError> {
    let found = match (source, target) {
        (Side::Postgres(connection), _) | (_, Side::Postgres(connection)) => tables(connection).await,
        _ => return Err(CopyError::SameKind),
    };
    let found = found.map_err(CopyError::at(End::Source))?;
    let missing = |name: &&&'static str| found.iter().all(|table| table.name != **name);
    match TABLES.iter().find(missing) {
        Some(name) => Err(CopyError::Shape(name)),
        None => Ok(found),
    }
}

async fn keys_of(side: &mut Side) -> Result<Vec<(i64, Vec<u8>)>, sqlx::Error> {
    on_side!(side, |connection| sqlx::query_as(KEYS)
        .fetch_all(connection)
        .await)
}

/// Marks an empty target as the beginning of a copy, or looks whether the beginning that is there is one of this source.
async fn begin(source: &mut Side, target: &mut Side, resumed: bool, now: Moment) -> Result<(), CopyError> {
    let failed = CopyError::at(End::Target);
    let keys = keys_of(source).await.map_err(CopyError::at(End::Source))?;
    let own = keys
        .first()
        .map(|(_, fingerprint)| fingerprint.clone())
        .unwrap_or_default();
    if resumed {
        let mark: Result<Option<(Vec<u8>,)>, sqlx::Error> =
            on_side!(target, |connection| sqlx::query_as(MARK)
                .fetch_optional(connection)
                .await);
        return match mark.map_err(&failed)? {
            Some((mark,)) if mark == own => Ok(()),
            _ => Err(CopyError::OtherCopy),
        };
    }
    for (version, fingerprint) in keys_of(target).await.map_err(&failed)? {
        if !keys.contains(&(version, fingerprint)) {
            return Err(CopyError::OtherKeys(version));
        }
    }
    for table in TABLES.into_iter().filter(|table| *table != MADE_BY_ITSELF) {
        if !target.is_empty(table).await.map_err(&failed)? {
            return Err(CopyError::NotEmpty(table));
        }
    }
    target.execute("BEGIN").await.map_err(&failed)?;
    target.execute("DELETE FROM folding").await.map_err(&failed)?;
    let marked = on_side!(target, |connection| sqlx::query(SET_MARK)
        .bind(own)
        .bind(now)
        .execute(connection)
        .await
        .map(drop));
    marked.map_err(&failed)?;
    target.execute("COMMIT").await.map_err(failed)
}

/// Copies what a table has more than the target.
async fn copy_table(
    source: &mut Side,
    target: &mut Side,
    table: &Table,
    tell: &mut impl FnMut(Step),
) -> Result<(), CopyError> {
    let failed = CopyError::at(End::Target);
    let of = source
        .count(table.name)
        .await
        .map_err(CopyError::at(End::Source))?;
    let mut rows = target.count(table.name).await.map_err(&failed)?;
    let last = target.last_key(table).await.map_err(&failed)?;
    let mut step = |rows| {
        tell(Step::Copied {
            table: table.name,
            rows,
            of,
        });
    };
    step(rows);
    source
        .each(table, last, async |mut some: Vec<Cells>| {
            for row in &mut some {
                take_later(table, row);
            }
            rows += some.len() as u64;
            target.insert(table, some).await.map_err(&failed)?;
            step(rows);
            Ok::<_, Failed>(())
        })
        .await
        .map_err(Failed::of_source)
}

/// What fails while the source is read: the source itself, or what is done with its rows.
enum Failed {
    Source(sqlx::Error),
    Copy(CopyError),
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        Self::Source(error)
    }
}

impl From<CopyError> for Failed {
    fn from(error: CopyError) -> Self {
        Self::Copy(error)
    }
}

impl Failed {
    fn of_source(self) -> CopyError {
        match self {
            Self::Source(error) => CopyError::at(End::Source)(error),
            Self::Copy(error) => error,
        }
    }
}

/// Fills in what had to wait, compares everything, and only then takes the mark away: all of it or nothing.
async fn finish(
    source: &mut Side,
    target: &mut Side,
    tables: &[Table],
    tell: &mut impl FnMut(Step),
) -> Result<u64, CopyError> {
    let failed = CopyError::at(End::Target);
    target.execute("BEGIN").await.map_err(&failed)?;
    for table in tables.iter().filter(|table| side::later_place(table).is_some()) {
        let filled = source.each(table, None, async |some: Vec<Cells>| {
            let later: Vec<(Cells, Cell)> = some
                .into_iter()
                .filter_map(|mut row| take_later(table, &mut row))
                .collect();
            for (key, value) in later {
                target.set_later(table, key, value).await.map_err(&failed)?;
            }
            Ok::<_, Failed>(())
        });
        filled.await.map_err(Failed::of_source)?;
    }
    let mut all = 0;
    for table in tables {
        let (source_rows, is) = source.digest(table).await.map_err(CopyError::at(End::Source))?;
        let (target_rows, copied) = target.digest(table).await.map_err(&failed)?;
        if (source_rows, is) != (target_rows, copied) {
            return Err(CopyError::Differs {
                table: table.name,
                source_rows,
                target_rows,
            });
        }
        all += source_rows;
        tell(Step::Compared {
            table: table.name,
            rows: source_rows,
        });
    }
    target.execute(UNMARK).await.map_err(&failed)?;
    target.execute("COMMIT").await.map_err(&failed)?;
    // What the planner knows of the tables is from when they were empty; the database finds that out by itself, too.
    let _ = target.execute("ANALYZE").await;
    Ok(all)
}

impl Store {
    /// Whether a copy into this database was begun and is not whole.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn is_half_copied(&self) -> Result<bool, StoreError> {
        let mut reader = self.read().await?;
        if !reader.applied_migrations().await?.contains(&MARKED_SINCE) {
            return Ok(false);
        }
        reader.has_mark().await
    }
}

impl Reader {
    async fn has_tables(&mut self) -> Result<bool, StoreError> {
        let sql = match self.link {
            Link::Sqlite(_) => "SELECT COUNT(*) FROM sqlite_master",
            Link::Postgres(_) => "SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema()",
        };
        Ok(optional!(self, (i64,), sql)?.is_some_and(|(tables,)| tables > 0))
    }

    async fn has_mark(&mut self) -> Result<bool, StoreError> {
        Ok(optional!(self, (Vec<u8>,), MARK)?.is_some())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{tables::OWN, *};
    use crate::test_support::TestStore;

    /// Tables and columns of a SQLite database.
    async fn sqlite_columns(store: &TestStore) -> BTreeMap<String, Vec<String>> {
        let mut connection = sqlx::SqliteConnection::connect(store.url()).await.unwrap();
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' \
             ORDER BY m.name, c.cid",
        )
        .fetch_all(&mut connection)
        .await
        .unwrap();
        let mut columns: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (table, column) in rows {
            columns.entry(table).or_default().push(column);
        }
        columns
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn no_table_and_no_column_is_forgotten() {
        let sqlite = sqlite_columns(&TestStore::sqlite().await).await;
        let mut listed: Vec<&str> = TABLES.into_iter().chain(OWN).collect();
        listed.sort_unstable();
        assert_eq!(sqlite.keys().map(String::as_str).collect::<Vec<_>>(), listed);

        let Some(postgres) = TestStore::postgres().await else {
            return;
        };
        let mut connection = PgConnection::connect(postgres.url()).await.unwrap();
        let found = tables(&mut connection).await.unwrap();
        assert_eq!(found.iter().map(|table| table.name).collect::<Vec<_>>(), TABLES);
        for table in &found {
            let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
            let mut sorted = names.clone();
            sorted.sort_unstable();
            let mut there = sqlite[table.name].clone();
            there.sort_unstable();
            assert_eq!(sorted, there, "{}", table.name);
            assert!(names.len() * side::BATCH < 32_766, "{}", table.name);
        }
        let all: Vec<(String,)> = sqlx::query_as(
            "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1",
        )
        .fetch_all(&mut connection)
        .await
        .unwrap();
        let mut all: Vec<String> = all.into_iter().map(|(name,)| name).collect();
        all.sort_unstable();
        assert_eq!(all, listed);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_others_refer_to_is_copied_before_them() {
        let store = TestStore::sqlite().await;
        let mut connection = sqlx::SqliteConnection::connect(store.url()).await.unwrap();
        let refers: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT m.name, f.\"table\", f.\"from\" FROM sqlite_master m, pragma_foreign_key_list(m.name) f \
             WHERE m.type = 'table'",
        )
        .fetch_all(&mut connection)
        .await
        .unwrap();
        let place = |name: &str| TABLES.iter().position(|table| *table == name);
        for (from, to, column) in refers {
            let waits = (from.as_str(), column.as_str()) == tables::LATER;
            assert!(waits || place(&to) < place(&from), "{from}.{column} -> {to}");
        }
    }
}
