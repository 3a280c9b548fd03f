//! One statement, two drivers: an enum of connections and macros that repeat an expression for each of them, so that
//! every driver keeps its own types.

use std::{
    future::Future,
    ops::{Deref, DerefMut},
    sync::Arc,
};

use sqlx::{Database, Postgres, SqlSafeStr, Sqlite, pool::PoolConnection};
use sqlx_core::transaction::TransactionManager;

use crate::{
    Changed, StoreError,
    built::bound,
    error::spoils,
    later::{Later, joined},
    presence::Presence,
    traffic::Counter,
    watch::Watch,
};

/// A connection of one driver, with or without a transaction. It goes back to its pool only in a state that the pool
/// knows of.
pub(crate) struct Held<DB: Database> {
    connection: PoolConnection<DB>,
    /// Whether a transaction is open on it.
    open: bool,
    /// Whether nobody knows any more what is open on it: it is closed then, and the pool makes another. sqlx 0.9.0
    /// would give it back and fail at every later transaction (a full disk ends a transaction of SQLite by itself).
    spoiled: bool,
}

impl<DB: Database> Held<DB> {
    /// Without a transaction.
    pub(crate) fn plain(connection: PoolConnection<DB>) -> Self {
        Self {
            connection,
            open: false,
            spoiled: false,
        }
    }

    /// With a transaction, begun by this statement.
    pub(crate) async fn begin(
        connection: PoolConnection<DB>,
        statement: Option<&'static str>,
    ) -> Result<Self, sqlx::Error> {
        // Until it is known that the transaction has begun, nothing is known.
        let mut held = Self {
            connection,
            open: true,
            spoiled: true,
        };
        let statement = statement.map(SqlSafeStr::into_sql_str);
        let begun = DB::TransactionManager::begin(&mut held.connection, statement).await;
        held.spoiled = begun.as_ref().is_err_and(spoils);
        held.open = begun.is_ok();
        begun.map(|()| held)
    }

    pub(crate) fn connection(&mut self) -> &mut DB::Connection {
        &mut self.connection
    }

    async fn commit(&mut self) -> Result<(), sqlx::Error> {
        if self.open {
            let done = DB::TransactionManager::commit(&mut self.connection).await;
            self.spoiled |= done.as_ref().is_err_and(spoils);
            done?;
            self.open = false;
        }
        Ok(())
    }
}

impl<DB: Database> Drop for Held<DB> {
    fn drop(&mut self) {
        if self.spoiled {
            self.connection.close_on_drop();
        } else if self.open {
            DB::TransactionManager::start_rollback(&mut self.connection);
        }
    }
}

/// A connection of either driver.
pub(crate) enum Link {
    Sqlite(Held<Sqlite>),
    Postgres(Held<Postgres>),
}

impl Link {
    async fn commit(&mut self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(held) => held.commit().await,
            Self::Postgres(held) => held.commit().await,
        }
    }

    fn is_open(&self) -> bool {
        match self {
            Self::Sqlite(held) => held.open,
            Self::Postgres(held) => held.open,
        }
    }

    fn spoil(&mut self) {
        match self {
            Self::Sqlite(held) => held.spoiled = true,
            Self::Postgres(held) => held.spoiled = true,
        }
    }
}

/// Reads: a connection from the pool, or the read half of a [`Writer`].
pub struct Reader {
    pub(crate) link: Link,
    /// Where it is known whether the server is there at all; SQLite has none.
    pub(crate) presence: Option<Arc<Presence>>,
    /// Whether a statement failed. PostgreSQL throws such a transaction away even at a commit and says nothing;
    /// SQLite would keep its other statements. Neither is what the caller meant.
    failed: bool,
    /// What goes along with the next statement.
    pub(crate) later: Vec<Later>,
    counter: Arc<Counter>,
}

impl Reader {
    pub(crate) fn new(link: Link, presence: Option<Arc<Presence>>, counter: Arc<Counter>) -> Self {
        Self {
            link,
            presence,
            failed: false,
            later: Vec::new(),
            counter,
        }
    }

    /// Runs what was to go along with the next statement, as one statement.
    async fn send_later(&mut self) -> Result<(), StoreError> {
        let later = std::mem::take(&mut self.later);
        let built = joined(later, matches!(self.link, Link::Postgres(_)));
        ask!(self, |connection| {
            bound!(sqlx::query(built.sql()), built)
                .execute(connection)
                .await
                .map(|done| done.rows_affected())
        })
        .map(drop)
    }

    /// See [`Later`].
    pub(crate) async fn settle_later(&mut self) -> Result<(), StoreError> {
        if self.later.is_empty() {
            return Ok(());
        }
        // Boxed: every statement holds one of these.
        Box::pin(self.send_later()).await
    }

    /// The same where any of it touches this table.
    pub(crate) async fn settle_later_of(&mut self, table: &str) -> Result<(), StoreError> {
        if self.later.iter().any(|later| later.touches(table)) {
            self.settle_later().await?;
        }
        Ok(())
    }

    pub(crate) fn count_statement(&self) {
        self.counter.statement();
    }

    pub(crate) fn settle<T>(&mut self, result: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        result.map_err(|error| {
            self.failed = true;
            if spoils(&error) {
                self.link.spoil();
            }
            error.into()
        })
    }
}

/// A transaction: everything that is written in it is seen at once after [`Writer::commit`], or never. Dropping it
/// rolls back. Every read of [`Reader`] works in it and sees what was written.
///
/// On PostgreSQL transactions wait for each other's rows. So that no two wait in a circle, every transaction that locks
/// more than one row takes them in this order:
/// 1. the company, when it is changed or must not change ([`Writer::hold_company`]);
/// 2. accounts by their identifiers ([`Writer::hold_account`], [`Writer::hold_accounts_of`]), all of them before
///    anything of the third step, also the account of a session or pending sign-in that a shared browser gives up;
/// 3. counters of wrong passwords;
/// 4. what hangs on a held account: sessions, pending sign-ins and their codes, set-ups, trusted browsers, links, mails;
/// 5. what hangs on the company alone: providers, the mail server, imports.
///
/// New rows and events of the audit log wait for nobody. Whoever touches a single row and then commits may do so without
/// holding anything.
pub struct Writer {
    reader: Reader,
    after_commit: Vec<Box<dyn FnOnce() + Send>>,
    watch: Arc<Watch>,
    changed: Vec<Changed>,
}

impl Writer {
    pub(crate) fn new(
        link: Link,
        presence: Option<Arc<Presence>>,
        counter: Arc<Counter>,
        watch: Arc<Watch>,
    ) -> Self {
        Self {
            reader: Reader::new(link, presence, counter),
            after_commit: Vec::new(),
            watch,
            changed: Vec::new(),
        }
    }

    /// What this transaction may change about sessions: who remembers them hears of it once it is final.
    pub(crate) fn note_change(&mut self, changed: Changed) {
        self.changed.push(changed);
    }

    /// Does this once everything is final, and not otherwise: what tells others must not tell what never was.
    pub fn after_commit(&mut self, act: impl FnOnce() + Send + 'static) {
        self.after_commit.push(Box::new(act));
    }

    /// Makes everything written so far final.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was written then, unless the connection broke at this very moment. After any statement
    /// of this transaction has failed, a commit fails too.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        if self.reader.failed {
            return Err(StoreError::other(
                "a statement of this transaction has failed before",
            ));
        }
        self.reader.settle_later().await?;
        if self.reader.link.is_open() {
            self.reader.counter.statement();
        }
        let presence = self.reader.presence.clone();
        let done = attended(presence.as_ref(), self.reader.link.commit()).await;
        self.reader.settle(done)?;
        self.reader.counter.commit();
        self.watch.tell(&self.changed);
        for act in self.after_commit {
            act();
        }
        Ok(())
    }
}

/// Runs a statement for as long as the server is there: no visitor waits for words that never come.
pub(crate) async fn attended<T>(
    presence: Option<&Arc<Presence>>,
    run: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    match presence {
        None => run.await,
        Some(presence) => Box::pin(presence.attend(run)).await,
    }
}

impl Deref for Writer {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.reader
    }
}

impl DerefMut for Writer {
    fn deref_mut(&mut self) -> &mut Reader {
        &mut self.reader
    }
}

/// Runs an expression with the connection of whichever driver it is.
macro_rules! ask {
    ($self:ident, |$connection:ident| $run:expr) => {{
        $self.count_statement();
        let presence = $self.presence.clone();
        let result = match &mut $self.link {
            $crate::link::Link::Sqlite(held) => {
                let $connection = held.connection();
                $run
            }
            $crate::link::Link::Postgres(held) => {
                let $connection = held.connection();
                // Boxed: every use case holds many of these.
                $crate::link::attended(presence.as_ref(), Box::pin(async { $run })).await
            }
        };
        $self.settle(result)
    }};
}

/// The same, after what was to go along with the next statement.
macro_rules! on {
    ($self:ident, |$connection:ident| $run:expr) => {
        match $self.settle_later().await {
            Ok(()) => $crate::link::ask!($self, |$connection| $run),
            Err(error) => Err(error),
        }
    };
}

/// The same for a read of one table: what is to go along with the next statement stays, unless it touches that table.
macro_rules! beside {
    ($self:ident, $table:literal, |$connection:ident| $run:expr) => {
        match $self.settle_later_of($table).await {
            Ok(()) => $crate::link::ask!($self, |$connection| $run),
            Err(error) => Err(error),
        }
    };
}

/// Runs a statement; gives the number of rows it touched.
macro_rules! execute {
    ($self:ident, $sql:expr $(, $bind:expr)* $(,)?) => {
        $crate::link::on!($self, |connection| sqlx::query($sql)
            $(.bind($bind))*
            .execute(connection)
            .await
            .map(|done| done.rows_affected()))
    };
}

/// Runs a statement; gives its first row, if any.
macro_rules! optional {
    ($self:ident, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        $crate::link::on!($self, |connection| sqlx::query_as::<_, $row>($sql)
            $(.bind($bind))*
            .fetch_optional(connection)
            .await)
    };
}

/// Runs a statement; gives all its rows.
macro_rules! all {
    ($self:ident, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        $crate::link::on!($self, |connection| sqlx::query_as::<_, $row>($sql)
            $(.bind($bind))*
            .fetch_all(connection)
            .await)
    };
}

pub(crate) use {all, ask, beside, execute, on, optional};
