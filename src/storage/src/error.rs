//! What can go wrong with the database, without any of its data.

use sqlx::error::DatabaseError;

/// A name that must be unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unique {
    /// A company's name, over the installation.
    CompanyName,
    /// An account's name, in its company.
    AccountName,
    /// An account's e-mail address, in its company.
    Email,
}

impl Unique {
    /// Names as each database tells them: PostgreSQL by constraint, SQLite by columns.
    const NAMES: [(&'static str, &'static str, Self); 3] = [
        ("company_name_key", "company.name_key", Self::CompanyName),
        ("account_name_key", "account.name_key", Self::AccountName),
        ("account_email_key", "account.email_key", Self::Email),
    ];

    fn of(error: &dyn DatabaseError) -> Option<Self> {
        if !error.is_unique_violation() {
            return None;
        }
        Self::NAMES
            .into_iter()
            .find(|(constraint, column, _)| match error.constraint() {
                Some(violated) => violated == *constraint,
                None => error.message().ends_with(column),
            })
            .map(|(_, _, unique)| unique)
    }
}

/// What a driver said, reduced to what may stand in a log: codes, names of tables and constraints, never values.
/// The driver's own error is not kept, because its `Debug` shows whole rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause(String);

impl Cause {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why the database did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, is too busy, or took too long (N28). Trying again later can help: status 503.
    #[error("the database is not available: {0}")]
    Unavailable(Cause),
    /// It ended this transaction so that others could go on: the same once more helps, see [`crate::again`].
    #[error("the database ended the transaction for others: {0}")]
    Victim(Cause),
    /// A name is taken.
    #[error("this name is taken")]
    Conflict(Unique),
    /// It holds something that no version of Vestibule writes.
    #[error("the database holds something unreadable in {table}.{column}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// Everything else: a wrong address, a failed migration, a broken rule of the schema, a mistake of ours.
    #[error("the database refused: {0}")]
    Other(Cause),
}

impl StoreError {
    /// For callers whose value could not be encrypted for the database.
    pub fn unsealable() -> Self {
        Self::other("a value could not be sealed")
    }

    /// Whether trying again later can help.
    pub const fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Victim(_))
    }

    pub(crate) fn other(text: impl Into<String>) -> Self {
        Self::Other(Cause::new(text))
    }

    pub(crate) const fn corrupt(table: &'static str, column: &'static str) -> Self {
        Self::Corrupt { table, column }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match error {
            E::Database(error) => from_database(&*error),
            E::Io(error) => Self::Unavailable(Cause(words_of(&error))),
            E::Tls(error) => Self::Unavailable(Cause(format!("TLS: {error}"))),
            E::PoolTimedOut => Self::Unavailable(Cause::new("no connection became free in time")),
            E::PoolClosed | E::WorkerCrashed => Self::Unavailable(Cause::new("the connections are closed")),
            // A server that ends, or a connection that is not what sqlx takes it for: the next one is another.
            E::Protocol(_) => Self::Unavailable(Cause::new("unexpected words from the database")),
            E::BeginFailed | E::InvalidSavePointStatement => {
                Self::Unavailable(Cause::new("no transaction could begin"))
            }
            E::Configuration(error) => {
                Self::Other(Cause(format!("wrong database address or settings: {error}")))
            }
            E::Migrate(error) => (*error).into(),
            E::RowNotFound => Self::other("a row is missing"),
            E::ColumnDecode { index, .. } => Self::Other(Cause(format!("column {index} does not decode"))),
            E::ColumnNotFound(name) => Self::Other(Cause(format!("column {name} is missing"))),
            E::Encode(_) | E::Decode(_) => Self::other("a value has the wrong type"),
            _ => Self::other("unexpected error of the driver"),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        use sqlx::migrate::MigrateError as M;
        match error {
            M::Execute(error) => error.into(),
            M::ExecuteMigration(error, version) => match Self::from(error) {
                Self::Other(cause) => Self::Other(Cause(format!("migration {version}: {cause}"))),
                other => other,
            },
            M::VersionMissing(version) => Self::Other(Cause(format!(
                "it was migrated to version {version} by a newer Vestibule"
            ))),
            M::VersionMismatch(version) => Self::Other(Cause(format!(
                "migration {version} is not the one that was applied"
            ))),
            _ => Self::other("a migration failed"),
        }
    }
}

/// What went wrong with a connection. A name that cannot be looked up is an error of no kind and of no system.
fn words_of(error: &std::io::Error) -> String {
    let kind = error.kind().to_string();
    if error.raw_os_error().is_none() && kind.starts_with("uncategorized") {
        "its host is not known".to_owned()
    } else {
        kind
    }
}

/// Whether a connection on which this happened must not be used again: what is open on it, or where the conversation
/// stands, is not known any more, or the server is none that can be written to.
pub(crate) fn spoils(error: &sqlx::Error) -> bool {
    use sqlx::Error as E;
    match error {
        E::Database(error) => {
            let code = error.code().unwrap_or_default();
            if code.len() == 5 {
                spoils_postgres(&code)
            } else {
                // Whatever SQLite may end a transaction for by itself, and all that is not foreseen. BUSY, LOCKED,
                // CONSTRAINT and MISMATCH end no more than their statement.
                !matches!(code.parse::<u32>().unwrap_or_default() & 0xff, 5 | 6 | 19 | 20)
            }
        }
        // The conversation is in order: it is only that the answer is not the one that was expected.
        E::RowNotFound
        | E::ColumnDecode { .. }
        | E::ColumnNotFound(_)
        | E::ColumnIndexOutOfBounds { .. }
        | E::TypeNotFound { .. }
        | E::Decode(_)
        | E::Encode(_) => false,
        _ => true,
    }
}

/// Connection, resources, the operator's intervention (but not the statement timeout), system and internal errors;
/// then: idle in transaction for too long, a server that only reads, as the old one after a failover does, and prepared
/// statements that are not what we take them for.
fn spoils_postgres(code: &str) -> bool {
    matches!(&code[..2], "08" | "53" | "57" | "58" | "XX") && code != "57014"
        || matches!(code, "25006" | "25P03" | "42P05" | "26000")
}

/// Whether the server itself seems to be gone, not just one statement.
pub(crate) fn seems_gone(error: &sqlx::Error) -> bool {
    use sqlx::Error as E;
    match error {
        E::Io(_) | E::Tls(_) | E::Protocol(_) => true,
        E::Database(error) => matches!(
            error.code().as_deref(),
            Some("57P01" | "57P02" | "57P03" | "08000" | "08001" | "08003" | "08004" | "08006")
        ),
        _ => false,
    }
}

fn from_database(error: &dyn DatabaseError) -> StoreError {
    if let Some(unique) = Unique::of(error) {
        return StoreError::Conflict(unique);
    }
    let code = error.code().unwrap_or_default();
    // Only PostgreSQL has codes of five characters; SQLite's are numbers of up to four digits.
    if code.len() == 5 {
        from_postgres(error, &code)
    } else {
        from_sqlite(error, &code)
    }
}

/// By class of the code (PostgreSQL manual, appendix A).
fn from_postgres(error: &dyn DatabaseError, code: &str) -> StoreError {
    if shared_by_a_pooler(code, error.message()) {
        return StoreError::Other(Cause(format!(
            "a pooler such as PgBouncer stands before it ({code}). It must give every connection a session of its own \
             (pool_mode = session) and accept the start-up parameters `options` and `extra_float_digits`"
        )));
    }
    // Messages of these classes may quote values: data exception, broken constraint, broken check option.
    let may_quote = matches!(&code[..2], "22" | "23" | "44");
    let cause = if may_quote {
        Cause(format!(
            "{code} {}",
            error.constraint().or(error.table()).unwrap_or_default()
        ))
    } else {
        Cause(format!("{code} {}", error.message()))
    };
    // Connection, resources, operator's intervention and statement timeout; then: lock not available, read-only server
    // after a failover, idle in transaction for too long.
    let passes = matches!(&code[..2], "08" | "53" | "57") || matches!(code, "55P03" | "25006" | "25P03");
    // Serialisation, deadlock.
    if matches!(code, "40001" | "40P01") {
        StoreError::Victim(cause)
    } else if passes {
        StoreError::Unavailable(cause)
    } else {
        StoreError::Other(cause)
    }
}

/// Whether a connection is not ours alone: start-up parameters are refused, or prepared statements are another's.
fn shared_by_a_pooler(code: &str, message: &str) -> bool {
    matches!(code, "42P05" | "26000")
        || code == "08P01" && message.starts_with("unsupported startup parameter")
}

/// By primary result code; SQLite's messages name tables and columns, never values.
fn from_sqlite(error: &dyn DatabaseError, code: &str) -> StoreError {
    let cause = Cause(format!("{code} {}", error.message()));
    // BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN.
    match code.parse::<u32>().unwrap_or_default() & 0xff {
        5 | 6 | 8 | 10 | 13 | 14 => StoreError::Unavailable(cause),
        _ => StoreError::Other(cause),
    }
}
