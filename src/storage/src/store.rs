//! Connections: which database, how many, and how long anything may take (N28).

use std::{
    future::ready,
    io::ErrorKind,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use sqlx::{
    Connection, PgConnection, PgPool, Postgres, Sqlite, SqlitePool,
    migrate::Migrator,
    pool::{PoolConnection, PoolOptions},
    postgres::PgConnectOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use crate::{
    Changed, Hearing, Reader, StoreError, Writer, contact, file,
    link::{Held, Link, all},
    others,
    presence::Presence,
    traffic::{Counter, Traffic},
    watch::Watch,
};

pub(crate) static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
pub(crate) static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// Bytes of SQLite's journal that stay on the disk after it was longer for once.
const JOURNAL_LIMIT: u32 = 64 * 1024 * 1024;
/// What one reading connection to SQLite keeps of the database. The system keeps the file for all of them; with the usual 2 MiB
/// each, a storm leaves 40 MiB behind.
const READER_CACHE_KIB: u32 = 256;

/// How long a connection to PostgreSQL may be idle before it is asked whether it still is there.
const ASK_AFTER: Duration = Duration::from_secs(1);

const PING: &str = "SELECT CAST(1 AS BIGINT)";
const APPLIED: &str = "SELECT version FROM _sqlx_migrations WHERE success = TRUE";

/// Limits of the connections (N28). The defaults are the number sheet's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreOptions {
    /// Connections to PostgreSQL, or readers of SQLite (which has one writer besides). At least 1.
    pub connections: u32,
    /// How long to wait for a free connection.
    pub wait: Duration,
    /// How long one statement may take on PostgreSQL, and how long SQLite waits for another process's lock.
    pub statement: Duration,
    /// How long a reader of SQLite may have nothing to do: then it is closed and gives its memory back, a MiB each. One stays.
    pub idle: Duration,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            connections: 10,
            wait: Duration::from_secs(3),
            statement: Duration::from_secs(5),
            idle: Duration::from_secs(10),
        }
    }
}

#[derive(Clone)]
enum Pools {
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres {
        pool: PgPool,
        /// For migrations, which may take longer than a statement may.
        patient: Arc<PgConnectOptions>,
        presence: Arc<Presence>,
    },
}

/// The database. Clones share their connections.
#[derive(Clone)]
pub struct Store {
    pools: Pools,
    counter: Arc<Counter>,
    watch: Arc<Watch>,
}

impl Store {
    /// Connects to `sqlite://path/to/file` (created if missing, readable by its owner only) or
    /// `postgres://user:password@host/database`. Creates no tables: see [`Store::migrate`].
    ///
    /// # Errors
    /// [`StoreError::Other`] for an address that is neither; [`StoreError::Unavailable`] when nothing answers.
    pub async fn open(url: &str, options: StoreOptions) -> Result<Self, StoreError> {
        if url.starts_with("sqlite:") {
            Self::open_sqlite(url, options).await
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Self::open_postgres(url, options).await
        } else {
            Err(StoreError::other(
                "the address of the database must begin with sqlite:// or postgres://",
            ))
        }
    }

    fn of(pools: Pools) -> Self {
        Self {
            pools,
            counter: Arc::default(),
            watch: Arc::default(),
        }
    }

    /// Tells `listener` of every transaction of this store and its clones that may have ended sessions, or changed what
    /// they are worth, as soon as it is final; of others' as far as [`Store::hearing`] says. The first listener stays the only one.
    pub fn watch(&self, listener: impl Fn(&[Changed]) + Send + Sync + 'static) {
        self.watch.listen(Box::new(listener));
    }

    /// Listens to what others change, on a connection of its own: for ever on PostgreSQL. SQLite has no others.
    pub async fn hear_others(&self) {
        if let Pools::Postgres { pool, patient, .. } = &self.pools {
            others::hear(&self.watch, patient, pool).await;
        }
    }

    /// Whether whoever watches hears of what others change.
    pub fn hearing(&self) -> Hearing {
        self.watch.hearing()
    }

    /// How often this database was asked, through this store and its clones.
    pub fn traffic(&self) -> Traffic {
        self.counter.read()
    }

    /// How many connections are open, and how many of them nobody uses at the moment. Those of SQLite are its readers.
    pub fn connections(&self) -> (u32, usize) {
        match &self.pools {
            Pools::Sqlite { readers, .. } => (readers.size(), readers.num_idle()),
            Pools::Postgres { pool, .. } => (pool.size(), pool.num_idle()),
        }
    }

    async fn open_sqlite(url: &str, options: StoreOptions) -> Result<Self, StoreError> {
        if url.contains(":memory:") || url.contains("mode=memory") {
            return Err(StoreError::other(
                "a database in memory would lose every account at the next start",
            ));
        }
        let connect = SqliteConnectOptions::from_str(url)?
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("journal_size_limit", JOURNAL_LIMIT.to_string())
            .busy_timeout(options.statement);
        let path = connect.get_filename().to_owned();
        let explained = |error| file::explained(error, &path);
        create_for_owner(&path)?;
        let lasting = || {
            PoolOptions::<Sqlite>::new()
                .acquire_timeout(options.wait)
                .idle_timeout(None)
                .max_lifetime(None)
                .test_before_acquire(false)
                .before_acquire(|connection, _| Box::pin(ready(Ok(!connection.is_in_transaction()))))
        };
        let writer = lasting()
            .max_connections(1)
            .connect_with(connect.clone())
            .await
            .map_err(|error| explained(error.into()))?;
        let readers = lasting()
            .min_connections(1)
            .max_connections(options.connections.max(1))
            .idle_timeout(options.idle)
            .connect_with(
                connect
                    .pragma("query_only", "ON")
                    .pragma("cache_size", format!("-{READER_CACHE_KIB}")),
            )
            .await
            .map_err(|error| explained(error.into()))?;
        Ok(Self::of(Pools::Sqlite { writer, readers }))
    }

    async fn open_postgres(url: &str, options: StoreOptions) -> Result<Self, StoreError> {
        let connect = PgConnectOptions::from_str(url)?.application_name("vestibule");
        let patient = Arc::new(connect.clone());
        let limit = options.statement.as_millis().to_string();
        // A transaction that its owner forgot must not keep its locks.
        let idle = (options.statement * 6).as_millis().to_string();
        let connect = connect.options([
            ("statement_timeout", limit),
            ("idle_in_transaction_session_timeout", idle),
        ]);
        contact::first_contact(&connect, options.wait).await?;
        let presence = Presence::new(Arc::clone(&patient), options.wait);
        let known = Arc::clone(&presence);
        let pool = PoolOptions::<Postgres>::new()
            .max_connections(options.connections.max(1))
            .acquire_timeout(options.wait)
            .test_before_acquire(false)
            .before_acquire(move |connection, meta| {
                // One that was in use a moment ago is there, unless another was just found broken.
                let is_sure = meta.idle_for < ASK_AFTER && !known.is_doubtful();
                Box::pin(async move {
                    Ok(!connection.is_in_transaction() && (is_sure || connection.ping().await.is_ok()))
                })
            })
            .connect_with(connect)
            .await?;
        Ok(Self::of(Pools::Postgres {
            pool,
            patient,
            presence,
        }))
    }

    /// Brings the tables up to this version of Vestibule. Nodes that start together wait for one another.
    ///
    /// # Errors
    /// [`StoreError`]; also when a newer version has already migrated this database.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        self.refuse_half().await?;
        match &self.pools {
            Pools::Sqlite { writer, .. } => {
                let path = writer.connect_options().get_filename().to_owned();
                let migrated = migrate_sqlite(writer).await;
                migrated.map_err(|error| file::explained(error, &path))?;
            }
            Pools::Postgres { patient, .. } => {
                let mut connection = PgConnection::connect_with(patient).await?;
                POSTGRES_MIGRATIONS.run(&mut connection).await?;
                connection.close().await?;
            }
        }
        for twins in self.fold_names().await? {
            tracing::warn!("{twins}");
        }
        self.fold_words().await?;
        let mended = self.mend_agent_tallies().await?;
        if mended > 0 {
            tracing::warn!(
                companies = mended,
                "numbers of accounts were not what the accounts are, and are mended"
            );
        }
        tracing::debug!("the database is up to date");
        Ok(())
    }

    /// How many migrations of this version the database does not have yet; 0 = up to date.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn migrations_pending(&self) -> Result<usize, StoreError> {
        let migrations = match &self.pools {
            Pools::Sqlite { .. } => &SQLITE_MIGRATIONS,
            Pools::Postgres { .. } => &POSTGRES_MIGRATIONS,
        };
        self.refuse_half().await?;
        let applied = self.read().await?.applied_migrations().await?;
        Ok(migrations
            .iter()
            .filter(|migration| !applied.contains(&migration.version))
            .count())
    }

    /// Half a copy is no installation: nobody may take it for one.
    async fn refuse_half(&self) -> Result<(), StoreError> {
        let is_half = self.is_half_copied().await.map_err(|error| match &self.pools {
            Pools::Sqlite { writer, .. } => file::explained(error, writer.connect_options().get_filename()),
            Pools::Postgres { .. } => error,
        })?;
        if is_half {
            return Err(StoreError::other(
                "a copy into this database was cut off: run `vestibule copy` once more, or take an empty database",
            ));
        }
        Ok(())
    }

    /// The one connection that writes to SQLite; `None` for PostgreSQL.
    pub(crate) async fn sqlite_writer(&self) -> Result<Option<PoolConnection<Sqlite>>, StoreError> {
        match &self.pools {
            Pools::Sqlite { writer, .. } => Ok(Some(writer.acquire().await?)),
            Pools::Postgres { .. } => Ok(None),
        }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut reader = self.read().await?;
        all!(reader, (i64,), PING).map(drop)
    }

    /// Waits for the connections in use and closes all of them.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres { pool, .. } => pool.close().await,
        }
    }

    /// A connection for reading. Each read sees the newest committed state.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when none becomes free in time.
    pub async fn read(&self) -> Result<Reader, StoreError> {
        let counter = Arc::clone(&self.counter);
        Ok(match &self.pools {
            Pools::Sqlite { readers, .. } => {
                let held = Held::plain(readers.acquire().await?);
                Reader::new(Link::Sqlite(held), None, counter)
            }
            Pools::Postgres { pool, presence, .. } => {
                // Boxed: every use case holds many of these.
                let connection = Box::pin(presence.acquire(pool)).await?;
                Reader::new(
                    Link::Postgres(Held::plain(connection)),
                    Some(Arc::clone(presence)),
                    counter,
                )
            }
        })
    }

    /// A transaction for writing. On SQLite there is one at a time, so keep it short: no password hashing and no mail
    /// server in between.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when none can begin in time.
    pub async fn write(&self) -> Result<Writer, StoreError> {
        // In a task of its own: whoever waits here may go away (a browser that hangs up), and sqlx 0.9.0 gives a
        // connection back with its transaction open when `begin` is dropped half way (sqlx issue 4385).
        tokio::spawn(self.clone().begin()).await.map_err(shutting_down)?
    }

    /// For one statement that needs no other, or for writes that go together as one (`later.rs`). On PostgreSQL it is
    /// final as soon as it is done, and costs one trip instead of three; [`Writer::commit`] then only does what was to be done afterwards. On SQLite it is a transaction all the same:
    /// sqlx 0.9.0 passes over an error at the end of a statement that gives a row, and there that end would be the commit.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when no connection becomes free in time.
    pub async fn write_one(&self) -> Result<Writer, StoreError> {
        match &self.pools {
            Pools::Sqlite { .. } => self.write().await,
            Pools::Postgres { pool, presence, .. } => {
                let connection = Box::pin(presence.acquire(pool)).await?;
                let (link, presence) = (Link::Postgres(Held::plain(connection)), Arc::clone(presence));
                Ok(Writer::new(
                    link,
                    Some(presence),
                    Arc::clone(&self.counter),
                    Arc::clone(&self.watch),
                ))
            }
        }
    }

    async fn begin(self) -> Result<Writer, StoreError> {
        let (counter, watch) = (self.counter, self.watch);
        counter.statement();
        Ok(match self.pools {
            Pools::Sqlite { writer, .. } => {
                let connection = writer.acquire().await?;
                let held = Held::begin(connection, Some("BEGIN IMMEDIATE")).await?;
                Writer::new(Link::Sqlite(held), None, counter, watch)
            }
            Pools::Postgres { pool, presence, .. } => {
                let connection = presence.acquire(&pool).await?;
                let held = presence.attend(Held::begin(connection, None)).await?;
                Writer::new(Link::Postgres(held), Some(presence), counter, watch)
            }
        })
    }
}

/// All in one transaction that takes the lock first: half a migration never stays behind, and a second process waits.
async fn migrate_sqlite(writer: &SqlitePool) -> Result<(), StoreError> {
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    SQLITE_MIGRATIONS.run(&mut *transaction).await?;
    Ok(transaction.commit().await?)
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match &self.pools {
            Pools::Sqlite { .. } => "Store(SQLite)",
            Pools::Postgres { .. } => "Store(PostgreSQL)",
        })
    }
}

impl Reader {
    /// Versions of the applied migrations; none when there is no table of them yet.
    pub(crate) async fn applied_migrations(&mut self) -> Result<Vec<i64>, StoreError> {
        let rows: Result<Vec<(i64,)>, sqlx::Error> = match &mut self.link {
            Link::Sqlite(held) => sqlx::query_as(APPLIED).fetch_all(held.connection()).await,
            Link::Postgres(held) => sqlx::query_as(APPLIED).fetch_all(held.connection()).await,
        };
        match rows {
            Ok(rows) => Ok(rows.into_iter().map(|(version,)| version).collect()),
            Err(sqlx::Error::Database(error))
                if error.code().as_deref() == Some("42P01")
                    || error.message().starts_with("no such table") =>
            {
                Ok(Vec::new())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Creates the file so that only its owner may read it: it holds password hashes and addresses. SQLite gives the same
/// permissions to the files beside it. One that is there already is closed to everybody.
fn create_for_owner(path: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // An existing file is not opened here: closing it again would drop the locks of this process's connections.
    match options.open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            let cause = format!("the file {} cannot be created: {}", path.display(), error.kind());
            Err(file::explained(StoreError::other(cause), path))
        }
        _ => {
            close_to_everybody(path);
            Ok(())
        }
    }
}

/// The file of this database and its mode, when every user of this machine can read or write it: `None` for a file that
/// is not there, and for PostgreSQL.
pub fn open_to_everybody(url: &str) -> Option<(PathBuf, u32)> {
    let options = url
        .starts_with("sqlite:")
        .then(|| SqliteConnectOptions::from_str(url).ok())??;
    let path = options.get_filename();
    open_mode(path).map(|mode| (path.to_owned(), mode))
}

#[cfg(unix)]
fn open_mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o006 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn open_mode(_: &Path) -> Option<u32> {
    None
}

/// A copy that was put back is often readable by everybody, and SQLite gives the files beside it the same permissions.
/// What a group may do is the operator's choice.
fn close_to_everybody(path: &Path) {
    for path in [
        path.to_owned(),
        file::beside(path, "-wal"),
        file::beside(path, "-shm"),
    ] {
        #[cfg(unix)]
        if let Some(mode) = open_mode(&path) {
            use std::os::unix::fs::PermissionsExt as _;
            let closed = std::fs::Permissions::from_mode(mode & !0o007);
            match std::fs::set_permissions(&path, closed) {
                Ok(()) => {
                    tracing::warn!(file = %path.display(), "every user of this machine could read it: no more");
                }
                Err(error) => tracing::warn!(
                    file = %path.display(), %error, "every user of this machine can read it: run chmod 600 on it"
                ),
            }
        }
    }
}

fn shutting_down(_: tokio::task::JoinError) -> StoreError {
    StoreError::Unavailable(crate::Cause::new("the process is ending"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::execute;

    #[test]
    fn both_databases_have_the_same_migrations() {
        let list = |migrator: &'static Migrator| -> Vec<(i64, String)> {
            migrator
                .iter()
                .map(|migration| (migration.version, migration.description.to_string()))
                .collect()
        };
        assert_eq!(list(&SQLITE_MIGRATIONS), list(&POSTGRES_MIGRATIONS));
        assert!(!list(&SQLITE_MIGRATIONS).is_empty());
    }

    /// The first two words of every line that is not a comment: statements, columns, constraints, in their order.
    /// Types may differ; `NOT NULL`, defaults, keys and deletion rules may not.
    fn shape(migration: &str) -> Vec<String> {
        const TYPES: [&str; 7] = [
            "BLOB",
            "TEXT",
            "INTEGER",
            "UUID",
            "BYTEA",
            "BIGINT",
            "TIMESTAMPTZ",
        ];
        let plain = migration
            .replace(" STRICT", "")
            .replace("octet_length(", "length(")
            .replace(" COLLATE \"C\"", "")
            .replace(" DEFAULT FALSE", " DEFAULT 0");
        plain
            .lines()
            .filter(|line| !line.starts_with("--"))
            .map(|line| {
                let line = line.split(" CHECK (").next().unwrap_or(line);
                let words = line.trim_end_matches([',', ';']).split_whitespace();
                words
                    .filter(|word| !TYPES.contains(word) && *word != "BOOLEAN")
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect()
    }

    #[test]
    fn both_databases_have_the_same_tables() {
        for (sqlite, postgres) in SQLITE_MIGRATIONS.iter().zip(POSTGRES_MIGRATIONS.iter()) {
            let (sqlite, name, postgres) = (sqlite.sql.as_str(), &sqlite.description, postgres.sql.as_str());
            if postgres.contains("pg_notify(") {
                // Nodes tell each other; a file has one.
                assert!(sqlite.lines().all(|line| line.starts_with("--")), "{name}");
                continue;
            }
            // Triggers are written differently, so they have a migration of their own, or the end of one.
            let ([tables, of_postgres], [watching, watching_postgres]) = halves([sqlite, postgres]);
            assert_eq!(shape(tables), shape(of_postgres), "{name}");
            for other in ["TABLE ", "INDEX ", "ALTER "] {
                assert!(
                    !watching.contains(other) && !watching_postgres.contains(other),
                    "{name}: {other}"
                );
            }
            assert_eq!(triggers(watching), triggers(watching_postgres), "{name}");
        }
    }

    /// What a migration says of tables, and what of triggers.
    fn halves(texts: [&str; 2]) -> ([&str; 2], [&str; 2]) {
        let has_triggers = texts[0].contains("CREATE TRIGGER");
        let halves = texts.map(|text| match text.split_once("\n-- By triggers") {
            Some(halves) => halves,
            None if has_triggers => ("", text),
            None => (text, ""),
        });
        (
            halves.map(|(tables, _)| tables),
            halves.map(|(_, watching)| watching),
        )
    }

    /// The tables that have triggers, and whether these watch over updates and over deletions.
    fn triggers(migration: &str) -> std::collections::BTreeMap<&str, (bool, bool)> {
        let mut found = std::collections::BTreeMap::new();
        for trigger in migration.split("CREATE TRIGGER ").skip(1) {
            let (what, rest) = trigger.split_once(" ON ").unwrap();
            let watched: &mut (bool, bool) =
                found.entry(rest.split_whitespace().next().unwrap()).or_default();
            watched.0 |= what.contains("UPDATE");
            watched.1 |= what.contains("DELETE");
        }
        found
    }

    #[tokio::test]
    async fn addresses_of_no_database_are_refused_without_repeating_them() {
        for bad in [
            "",
            "mysql://root:secret@localhost/x",
            "vestibule.sqlite",
            "sqlite::memory:",
            "sqlite://x?mode=memory",
            "postgres://user:secret@host:notaport/x",
        ] {
            let error = Store::open(bad, StoreOptions::default()).await.unwrap_err();
            assert!(matches!(error, StoreError::Other(_)), "{bad}: {error:?}");
            assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
        }
    }

    #[tokio::test]
    async fn a_database_that_does_not_answer_is_unavailable() {
        let options = StoreOptions {
            wait: Duration::from_millis(500),
            ..StoreOptions::default()
        };
        let error = Store::open("postgres://nobody@127.0.0.1:1/x", options)
            .await
            .unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    }

    #[tokio::test]
    async fn a_pooler_that_shares_its_connections_is_named() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        // What PgBouncer says to whom it does not understand.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let pooler = tokio::spawn(async move {
            let (mut client, _) = listener.accept().await.unwrap();
            let _ = client.read(&mut [0; 1024]).await.unwrap();
            let fields = b"SFATAL\0VFATAL\0C08P01\0Munsupported startup parameter: extra_float_digits\0\0";
            let length = u32::try_from(fields.len() + 4).unwrap().to_be_bytes();
            let answer = [b"E".as_slice(), &length, fields].concat();
            client.write_all(&answer).await.unwrap();
        });
        let url = format!("postgres://nobody@127.0.0.1:{port}/x?sslmode=disable");
        let refused = Store::open(&url, StoreOptions::default()).await.unwrap_err();
        pooler.await.unwrap();
        let sentence = refused.to_string();
        assert!(
            matches!(refused, StoreError::Other(_)) && sentence.contains("pool_mode = session"),
            "{sentence}"
        );
    }

    async fn sqlite() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("vestibule.sqlite").display());
        let store = Store::open(&url, StoreOptions::default()).await.unwrap();
        store.migrate().await.unwrap();
        (folder, store)
    }

    #[tokio::test]
    async fn a_full_disk_is_forgotten_as_soon_as_there_is_space() {
        let (_folder, store) = sqlite().await;
        let Pools::Sqlite { writer, .. } = &store.pools else {
            unreachable!("it is SQLite")
        };
        let (pages,): (i64,) = sqlx::query_as("PRAGMA page_count")
            .fetch_one(writer)
            .await
            .unwrap();
        // Holds for this connection alone: the next one finds space again.
        let limit = sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {}", pages + 20));
        sqlx::raw_sql(limit).execute(writer).await.unwrap();
        let fill = async || -> Result<(), StoreError> {
            let mut writer = store.write().await?;
            execute!(
                writer,
                "INSERT INTO reset_request (id, company_key, email_key, created_at) \
                 VALUES (randomblob(16), hex(zeroblob(20000)), '', '')"
            )?;
            writer.commit().await
        };
        let refused = loop {
            if let Err(refused) = fill().await {
                break refused;
            }
        };
        assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
        for _ in 0..3 {
            assert_eq!(fill().await, Ok(()));
        }
    }

    #[tokio::test]
    async fn the_journal_does_not_stay_long() {
        let (_folder, store) = sqlite().await;
        let Pools::Sqlite { writer, .. } = &store.pools else {
            unreachable!("it is SQLite")
        };
        let limit: (i64,) = sqlx::query_as("PRAGMA journal_size_limit")
            .fetch_one(writer)
            .await
            .unwrap();
        assert_eq!(limit, (i64::from(JOURNAL_LIMIT),));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn the_file_is_readable_by_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vestibule.sqlite");
        let store = Store::open(&format!("sqlite://{}", path.display()), StoreOptions::default())
            .await
            .unwrap();
        assert_eq!(
            store.migrations_pending().await,
            Ok(SQLITE_MIGRATIONS.iter().count())
        );
        store.migrate().await.unwrap();
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{}", entry.path().display());
        }
        store.close().await;
    }
}
