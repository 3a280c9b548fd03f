//! Statements that are put together while the program runs: only out of pieces of its own text. Whatever somebody
//! typed, and every identifier, is bound.

use sqlx::AssertSqlSafe;
use uuid::Uuid;
use vestibule_core::{
    id::{AccountId, CompanyId},
    ports::Moment,
    secret::TokenHash,
};

/// A value that is bound.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Id(Option<Uuid>),
    Number(i64),
    Text(Option<String>),
    At(Option<Moment>),
    Bytes(Vec<u8>),
}

impl From<CompanyId> for Value {
    fn from(id: CompanyId) -> Self {
        Self::Id(Some(id.0))
    }
}

impl From<AccountId> for Value {
    fn from(id: AccountId) -> Self {
        Self::Id(Some(id.0))
    }
}

impl From<Uuid> for Value {
    fn from(id: Uuid) -> Self {
        Self::Id(Some(id))
    }
}

impl From<Option<Uuid>> for Value {
    fn from(id: Option<Uuid>) -> Self {
        Self::Id(id)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<&Option<String>> for Value {
    fn from(text: &Option<String>) -> Self {
        Self::Text(text.clone())
    }
}

impl From<TokenHash> for Value {
    fn from(hash: TokenHash) -> Self {
        Self::Bytes(hash.0.to_vec())
    }
}

impl From<Moment> for Value {
    fn from(at: Moment) -> Self {
        Self::At(Some(at))
    }
}

impl From<Option<Moment>> for Value {
    fn from(at: Option<Moment>) -> Self {
        Self::At(at)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

/// A statement with its values.
#[derive(Clone, Debug)]
pub(crate) struct Built {
    sql: String,
    pub(crate) values: Vec<Value>,
}

impl Built {
    pub(crate) fn new(piece: &'static str) -> Self {
        Self {
            sql: piece.to_owned(),
            values: Vec::new(),
        }
    }

    /// Adds a piece of the statement. It is `'static`, so it stands in this program and was typed by nobody else.
    pub(crate) fn add(&mut self, piece: &'static str) -> &mut Self {
        self.sql += piece;
        self
    }

    /// Adds a place for a value, by its number.
    pub(crate) fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        self.sql.push('$');
        self.sql += &self.values.len().to_string();
        self
    }

    /// Adds a whole statement of this program with its values, whose numbers go on where those before ended.
    pub(crate) fn append(&mut self, statement: &'static str, values: Vec<Value>) -> &mut Self {
        let before = self.values.len();
        for (index, piece) in statement.split('$').enumerate() {
            if index == 0 {
                self.sql += piece;
                continue;
            }
            let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
            let (number, rest) = piece.split_at(digits);
            self.sql.push('$');
            match number.parse::<usize>() {
                Ok(number) => self.sql += &(before + number).to_string(),
                Err(_) => self.sql += number,
            }
            self.sql += rest;
        }
        self.values.extend(values);
        self
    }

    #[cfg(test)]
    pub(crate) fn text(&self) -> String {
        self.sql.clone()
    }

    /// The text, which is safe because it holds nothing but what [`Built::add`] and [`Built::bind`] put in.
    pub(crate) fn sql(&self) -> AssertSqlSafe<String> {
        AssertSqlSafe(self.sql.clone())
    }
}

/// A query of either driver with the values of a built statement.
macro_rules! bound {
    ($query:expr, $built:expr) => {{
        let mut query = $query;
        for value in &$built.values {
            query = match value {
                $crate::built::Value::Id(id) => query.bind(*id),
                $crate::built::Value::Number(number) => query.bind(*number),
                $crate::built::Value::Text(text) => query.bind(text.as_deref()),
                $crate::built::Value::At(at) => query.bind(*at),
                $crate::built::Value::Bytes(bytes) => query.bind(bytes.as_slice()),
            };
        }
        query
    }};
}

/// Runs a built statement; gives all its rows.
macro_rules! built_all {
    ($self:ident, $row:ty, $built:expr) => {{
        let built = &$built;
        $crate::link::on!($self, |connection| {
            let query = sqlx::query_as::<_, $row>(built.sql());
            $crate::built::bound!(query, built).fetch_all(connection).await
        })
    }};
}

/// The same for a statement that is not kept prepared, so that PostgreSQL plans it for its values each time: a plan for any
/// values would take another index.
macro_rules! built_anew {
    ($self:ident, $row:ty, $built:expr) => {{
        let built = &$built;
        $crate::link::on!($self, |connection| {
            let query = sqlx::query_as::<_, $row>(built.sql()).persistent(false);
            $crate::built::bound!(query, built).fetch_all(connection).await
        })
    }};
}

/// Runs a built statement; gives the number of rows it touched. It is not kept prepared: its text varies.
macro_rules! built_execute {
    ($self:ident, $built:expr) => {{
        let built = &$built;
        $crate::link::on!($self, |connection| {
            let query = sqlx::query(built.sql()).persistent(false);
            $crate::built::bound!(query, built)
                .execute(connection)
                .await
                .map(|done| done.rows_affected())
        })
    }};
}

pub(crate) use {bound, built_all, built_anew, built_execute};
