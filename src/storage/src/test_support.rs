//! Fresh, migrated databases for tests, of this crate and of those above it.
//!
//! SQLite lives in a temporary folder. PostgreSQL is found through the environment variable
//! `VESTIBULE_TEST_POSTGRES`, such as `postgres://vestibule@127.0.0.1:5433/postgres`; every test gets a database of
//! its own there, which goes away with its [`TestStore`].
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that has no database cannot go on"
)]

use std::{
    ops::Deref,
    time::{Duration, Instant},
};

use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use tempfile::TempDir;
use url::Url;

use crate::{Store, StoreOptions};

/// Holds the address of a PostgreSQL server where tests may create databases.
pub const POSTGRES_VARIABLE: &str = "VESTIBULE_TEST_POSTGRES";
/// `1` says that tests on PostgreSQL may be left out.
pub const SQLITE_ONLY_VARIABLE: &str = "VESTIBULE_TEST_SQLITE_ONLY";

/// Limits for tests: the number sheet's, but with patience for a busy machine.
pub const PATIENT: StoreOptions = StoreOptions {
    connections: 8,
    wait: Duration::from_mins(1),
    statement: Duration::from_mins(1),
    idle: Duration::from_mins(1),
};

/// Waits for something that another task does, and gives what came of it.
///
/// # Panics
/// When it does not happen within a minute.
pub async fn until<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(
            begun.elapsed() < Duration::from_mins(1),
            "it did not happen within a minute"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

enum Home {
    Folder { folder: TempDir },
    Database { server: Url, name: String },
}

/// A fresh database with all tables; it goes away when this is dropped. Works like the [`Store`] in it.
pub struct TestStore {
    store: Store,
    url: String,
    home: Home,
}

impl TestStore {
    /// On SQLite.
    ///
    /// # Panics
    /// When the temporary folder or the database cannot be created.
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("vestibule.sqlite").display());
        Self::open(url, Home::Folder { folder }).await
    }

    /// On PostgreSQL; `None` when the environment says that tests run on SQLite only.
    ///
    /// # Panics
    /// When no server is named and leaving PostgreSQL out was not asked for, or when the server does not do its part.
    pub async fn postgres() -> Option<Self> {
        let Ok(server) = std::env::var(POSTGRES_VARIABLE) else {
            if std::env::var(SQLITE_ONLY_VARIABLE).is_ok_and(|value| value == "1") {
                return None;
            }
            panic!(
                "{POSTGRES_VARIABLE} does not name a PostgreSQL server. `cargo xtask test` starts one; or set \
                 {SQLITE_ONLY_VARIABLE}=1 to leave PostgreSQL out."
            );
        };
        let server = Url::parse(&server).expect("VESTIBULE_TEST_POSTGRES is an address");
        let mut connection = PgConnection::connect(server.as_str())
            .await
            .expect("the test server answers");
        let (name,): (String,) =
            sqlx::query_as("SELECT 'vestibule_test_' || replace(CAST(gen_random_uuid() AS TEXT), '-', '')")
                .fetch_one(&mut connection)
                .await
                .expect("a name");
        // The name is the server's own random hexadecimal digits. template0 is never in use by others.
        sqlx::raw_sql(AssertSqlSafe(format!(
            "CREATE DATABASE {name} TEMPLATE template0"
        )))
        .execute(&mut connection)
        .await
        .expect("a database of our own");
        connection.close().await.expect("a clean end");
        let mut url = server.clone();
        url.set_path(&name);
        Some(Self::open(url.into(), Home::Database { server, name }).await)
    }

    /// One of each kind that the environment offers: SQLite, and PostgreSQL unless it is left out.
    ///
    /// # Panics
    /// As [`TestStore::sqlite`] and [`TestStore::postgres`].
    pub async fn every() -> Vec<Self> {
        let mut stores = vec![Self::sqlite().await];
        stores.extend(Self::postgres().await);
        stores
    }

    async fn open(url: String, home: Home) -> Self {
        let store = Store::open(&url, PATIENT).await.expect("the database opens");
        store.migrate().await.expect("the migrations run");
        Self { store, url, home }
    }

    /// The address, for opening it once more.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs statements on a connection of their own, as somebody with access to the database could.
    ///
    /// # Panics
    /// When the database refuses them.
    pub async fn run(&self, sql: &'static str) {
        match &self.home {
            Home::Folder { .. } => {
                let mut connection = SqliteConnection::connect(&self.url)
                    .await
                    .expect("the database opens");
                sqlx::raw_sql(sql)
                    .execute(&mut connection)
                    .await
                    .expect("the statements run");
            }
            Home::Database { .. } => {
                let mut connection = PgConnection::connect(&self.url)
                    .await
                    .expect("the server answers");
                sqlx::raw_sql(sql)
                    .execute(&mut connection)
                    .await
                    .expect("the statements run");
            }
        }
    }

    /// Everything the database holds, as text in which a known value can be searched.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn dump(&self) -> String {
        match &self.home {
            Home::Folder { folder } => {
                let files = std::fs::read_dir(folder.path()).expect("the folder").flatten();
                files
                    .map(|file| {
                        String::from_utf8_lossy(&std::fs::read(file.path()).expect("a file")).into_owned()
                    })
                    .collect()
            }
            Home::Database { .. } => {
                let mut connection = PgConnection::connect(&self.url)
                    .await
                    .expect("the database answers");
                let tables: Vec<(String,)> = sqlx::query_as(
                    "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = 'public'",
                )
                .fetch_all(&mut connection)
                .await
                .expect("the tables");
                let mut all = String::new();
                for (table,) in tables {
                    let rows: Vec<(String,)> = sqlx::query_as(AssertSqlSafe(format!(
                        "SELECT CAST(t AS TEXT) FROM \"{table}\" t"
                    )))
                    .fetch_all(&mut connection)
                    .await
                    .expect("the rows");
                    all.extend(rows.into_iter().map(|(row,)| row));
                }
                all
            }
        }
    }

    /// Closes the connections and gives the number of deadlocks that PostgreSQL has counted in this database since it was
    /// made; SQLite has none.
    ///
    /// # Panics
    /// When the database does not answer, or somebody else goes on using it.
    pub async fn deadlocks(&self) -> i64 {
        if matches!(self.home, Home::Folder { .. }) {
            return 0;
        }
        self.store.close().await;
        let mut connection = PgConnection::connect(&self.url)
            .await
            .expect("the database answers");
        // A connection tells what it has counted when it ends.
        until(async || {
            let (others,): (i64,) = sqlx::query_as(
                "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            .fetch_one(&mut connection)
            .await
            .expect("the connections");
            (others == 0).then_some(())
        })
        .await;
        let (deadlocks,): (i64,) =
            sqlx::query_as("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
                .fetch_one(&mut connection)
                .await
                .expect("the numbers");
        deadlocks
    }

    /// Whether it is SQLite.
    pub const fn is_sqlite(&self) -> bool {
        matches!(self.home, Home::Folder { .. })
    }

    /// A second, independent set of connections to the same database: another node, or the command line.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn second(&self) -> Store {
        Store::open(&self.url, PATIENT)
            .await
            .expect("the database opens again")
    }
}

impl Deref for TestStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

impl Drop for TestStore {
    fn drop(&mut self) {
        let Home::Database { server, name } = &self.home else {
            return;
        };
        let (server, name) = (server.clone(), name.clone());
        // Nothing asynchronous can be waited for here, so another thread does it. If it fails, a database stays on a
        // server that exists for tests.
        let _ = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(async {
                let mut connection = PgConnection::connect(server.as_str()).await?;
                sqlx::raw_sql(AssertSqlSafe(format!(
                    "DROP DATABASE IF EXISTS {name} WITH (FORCE)"
                )))
                .execute(&mut connection)
                .await?;
                connection.close().await
            })?;
            Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
        })
        .join();
    }
}
