//! One statement, two drivers: an enum of connections and macros that repeat an expression for each of them, so that
//! every driver keeps its own types.

use std::ops::{Deref, DerefMut};

use sqlx::{Database, Postgres, Sqlite, Transaction, pool::PoolConnection};

use crate::StoreError;

/// A connection of one driver, with or without a transaction.
pub(crate) enum Held<DB: Database> {
    Plain(PoolConnection<DB>),
    Transaction(Transaction<'static, DB>),
}

impl<DB: Database> Held<DB> {
    pub(crate) fn connection(&mut self) -> &mut DB::Connection {
        match self {
            Self::Plain(connection) => connection,
            Self::Transaction(transaction) => transaction,
        }
    }

    async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Transaction(transaction) => transaction.commit().await,
        }
    }
}

/// A connection of either driver.
pub(crate) enum Link {
    Sqlite(Held<Sqlite>),
    Postgres(Held<Postgres>),
}

/// Reads: a connection from the pool, or the read half of a [`Writer`].
pub struct Reader {
    pub(crate) link: Link,
    /// Whether a statement failed. PostgreSQL throws such a transaction away even at a commit and says nothing;
    /// SQLite would keep its other statements. Neither is what the caller meant.
    failed: bool,
}

impl Reader {
    pub(crate) fn new(link: Link) -> Self {
        Self { link, failed: false }
    }

    pub(crate) fn settle<T>(&mut self, result: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        result.map_err(|error| {
            self.failed = true;
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
pub struct Writer(Reader);

impl Writer {
    pub(crate) fn new(link: Link) -> Self {
        Self(Reader::new(link))
    }

    /// Makes everything written so far final.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was written then, unless the connection broke at this very moment. After any statement
    /// of this transaction has failed, a commit fails too.
    pub async fn commit(self) -> Result<(), StoreError> {
        if self.0.failed {
            return Err(StoreError::other(
                "a statement of this transaction has failed before",
            ));
        }
        match self.0.link {
            Link::Sqlite(held) => held.commit().await?,
            Link::Postgres(held) => held.commit().await?,
        }
        Ok(())
    }
}

impl Deref for Writer {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.0
    }
}

impl DerefMut for Writer {
    fn deref_mut(&mut self) -> &mut Reader {
        &mut self.0
    }
}

/// Runs an expression with the connection of whichever driver it is.
macro_rules! on {
    ($self:ident, |$connection:ident| $run:expr) => {{
        let result = match &mut $self.link {
            $crate::link::Link::Sqlite(held) => {
                let $connection = held.connection();
                $run
            }
            $crate::link::Link::Postgres(held) => {
                let $connection = held.connection();
                $run
            }
        };
        $self.settle(result)
    }};
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

pub(crate) use {all, execute, on, optional};
