//! One end of a copy: its rows as values that both databases have, read and written in the order of their keys.

use futures::TryStreamExt as _;
use sha2::{Digest as _, Sha256};
use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, Postgres, QueryBuilder, Row as _, Sqlite, SqliteConnection,
};
use uuid::Uuid;
use vestibule_core::ports::Moment;

use super::tables::{Column, Kind, LATER, Table};

/// Rows that are written at once. Times the columns of the widest table they stay below what one statement may bind.
pub(crate) const BATCH: usize = 500;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    Id(Option<Uuid>),
    Bytes(Option<Vec<u8>>),
    Number(Option<i64>),
    Flag(Option<bool>),
    At(Option<Moment>),
    Text(Option<String>),
}

pub(crate) type Cells = Vec<Cell>;

impl Cell {
    const fn nothing(kind: Kind) -> Self {
        match kind {
            Kind::Id => Self::Id(None),
            Kind::Bytes => Self::Bytes(None),
            Kind::Number => Self::Number(None),
            Kind::Flag => Self::Flag(None),
            Kind::At => Self::At(None),
            Kind::Text => Self::Text(None),
        }
    }

    /// Goes into a digest so that no two rows look alike.
    fn add_to(&self, digest: &mut Sha256) {
        let bytes = match self {
            Self::Id(id) => id.map(|id| id.as_bytes().to_vec()),
            Self::Bytes(bytes) => bytes.clone(),
            Self::Number(number) => number.map(|number| number.to_be_bytes().to_vec()),
            Self::Flag(flag) => flag.map(|flag| vec![u8::from(flag)]),
            Self::At(at) => at.map(|at| at.timestamp_micros().to_be_bytes().to_vec()),
            Self::Text(text) => text.as_ref().map(|text| text.as_bytes().to_vec()),
        };
        match bytes {
            None => digest.update([0]),
            Some(bytes) => {
                digest.update([1]);
                digest.update((bytes.len() as u64).to_be_bytes());
                digest.update(bytes);
            }
        }
    }
}

/// The values of a row, in the order of its columns.
macro_rules! cells {
    ($row:expr, $columns:expr) => {{
        let read = |(place, column): (usize, &Column)| -> Result<Cell, sqlx::Error> {
            Ok(match column.kind {
                Kind::Id => Cell::Id($row.try_get(place)?),
                Kind::Bytes => Cell::Bytes($row.try_get(place)?),
                Kind::Number => Cell::Number($row.try_get(place)?),
                Kind::Flag => Cell::Flag($row.try_get(place)?),
                Kind::At => Cell::At($row.try_get(place)?),
                Kind::Text => Cell::Text($row.try_get(place)?),
            })
        };
        $columns
            .iter()
            .enumerate()
            .map(read)
            .collect::<Result<Cells, _>>()
    }};
}

/// Binds a value.
macro_rules! bind {
    ($query:expr, $cell:expr) => {
        match $cell {
            Cell::Id(id) => $query.push_bind(id),
            Cell::Bytes(bytes) => $query.push_bind(bytes),
            Cell::Number(number) => $query.push_bind(number),
            Cell::Flag(flag) => $query.push_bind(flag),
            Cell::At(at) => $query.push_bind(at),
            Cell::Text(text) => $query.push_bind(text),
        };
    };
}

/// Runs an expression with the connection of whichever database it is.
macro_rules! on_side {
    ($side:expr, |$connection:ident| $run:expr) => {
        match $side {
            Side::Sqlite($connection) => $run,
            Side::Postgres($connection) => $run,
        }
    };
    ($side:expr, |$connection:ident, $database:ident| $run:expr) => {
        match $side {
            Side::Sqlite($connection) => {
                type $database = Sqlite;
                $run
            }
            Side::Postgres($connection) => {
                type $database = Postgres;
                $run
            }
        }
    };
}
pub(super) use on_side;

/// A connection to one of the two databases.
pub(crate) enum Side {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Side {
    /// Runs a statement of this program.
    pub(crate) async fn execute(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        on_side!(self, |connection| sqlx::raw_sql(sql)
            .execute(connection)
            .await
            .map(drop))
    }

    pub(crate) async fn count(&mut self, table: &str) -> Result<u64, sqlx::Error> {
        let sql = AssertSqlSafe(format!("SELECT COUNT(*) FROM {}", quoted(table)));
        let (count,): (i64,) = on_side!(self, |connection| sqlx::query_as(sql)
            .persistent(false)
            .fetch_one(connection)
            .await?);
        Ok(count.unsigned_abs())
    }

    pub(crate) async fn is_empty(&mut self, table: &str) -> Result<bool, sqlx::Error> {
        let sql = AssertSqlSafe(format!("SELECT 1 FROM {} LIMIT 1", quoted(table)));
        on_side!(self, |connection| {
            let row = sqlx::query(sql)
                .persistent(false)
                .fetch_optional(connection)
                .await?;
            Ok(row.is_none())
        })
    }

    /// How an order that is that of the bytes is asked for.
    const fn by_bytes(&self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Self::Postgres(_), Kind::Text) => " COLLATE \"C\"",
            _ => "",
        }
    }

    fn ordered(&self, key: &[Column], ending: &str) -> String {
        let column = |column: &Column| quoted(&column.name) + self.by_bytes(column.kind) + ending;
        key.iter().map(column).collect::<Vec<_>>().join(", ")
    }

    /// The greatest key of a table.
    pub(crate) async fn last_key(&mut self, table: &Table) -> Result<Option<Cells>, sqlx::Error> {
        let key = table.key();
        let sql = AssertSqlSafe(format!(
            "SELECT {} FROM {} ORDER BY {} LIMIT 1",
            listed(&key),
            quoted(table.name),
            self.ordered(&key, " DESC")
        ));
        on_side!(self, |connection| {
            let row = sqlx::query(sql)
                .persistent(false)
                .fetch_optional(connection)
                .await?;
            row.map(|row| cells!(row, key)).transpose()
        })
    }

    /// Gives the rows of a table after a key, in the order of their keys, some at a time.
    pub(crate) async fn each<E: From<sqlx::Error>>(
        &mut self,
        table: &Table,
        after: Option<Cells>,
        mut take: impl AsyncFnMut(Vec<Cells>) -> Result<(), E>,
    ) -> Result<(), E> {
        let key = table.key();
        let from = format!("SELECT {} FROM {}", listed(&table.columns), quoted(table.name));
        let order = self.ordered(&key, "");
        on_side!(self, |connection, Db| {
            let mut query = QueryBuilder::<Db>::new(from);
            if let Some(after) = after {
                query.push(format!(" WHERE ({order}) > ("));
                let mut values = query.separated(", ");
                for cell in after {
                    bind!(values, cell);
                }
                query.push(")");
            }
            query.push(format!(" ORDER BY {order}"));
            let mut rows = query.build().persistent(false).fetch(connection);
            let mut some = Vec::new();
            while let Some(row) = rows.try_next().await? {
                some.push(cells!(row, table.columns)?);
                if some.len() == BATCH {
                    take(std::mem::take(&mut some)).await?;
                }
            }
            if some.is_empty() { Ok(()) } else { take(some).await }
        })
    }

    /// Writes rows down, all of them or none. One that is there already stays.
    pub(crate) async fn insert(&mut self, table: &Table, rows: Vec<Cells>) -> Result<(), sqlx::Error> {
        let into = format!("INSERT INTO {} ({}) ", quoted(table.name), listed(&table.columns));
        on_side!(self, |connection, Db| {
            let mut query = QueryBuilder::<Db>::new(into);
            query.push_values(rows, |mut values, row| {
                for cell in row {
                    bind!(values, cell);
                }
            });
            query.push(" ON CONFLICT DO NOTHING");
            query
                .build()
                .persistent(false)
                .execute(connection)
                .await
                .map(drop)
        })
    }

    /// Fills in what had to wait for another table.
    pub(crate) async fn set_later(
        &mut self,
        table: &Table,
        key: Cells,
        value: Cell,
    ) -> Result<(), sqlx::Error> {
        let update = format!("UPDATE {} SET {} = ", quoted(LATER.0), quoted(LATER.1));
        let columns = table.key();
        on_side!(self, |connection, Db| {
            let mut query = QueryBuilder::<Db>::new(update);
            bind!(query, value);
            for (number, (column, cell)) in columns.iter().zip(key).enumerate() {
                query.push(if number == 0 { " WHERE " } else { " AND " });
                query.push(quoted(&column.name) + " = ");
                bind!(query, cell);
            }
            query
                .build()
                .persistent(false)
                .execute(connection)
                .await
                .map(drop)
        })
    }

    /// How many rows a table has, and what they are, in one number that only equal rows have.
    pub(crate) async fn digest(&mut self, table: &Table) -> Result<(u64, [u8; 32]), sqlx::Error> {
        let (mut rows, mut digest) = (0, Sha256::new());
        self.each(table, None, async |some| {
            for row in some {
                rows += 1;
                for cell in &row {
                    cell.add_to(&mut digest);
                }
            }
            Ok::<_, sqlx::Error>(())
        })
        .await?;
        Ok((rows, digest.finalize().into()))
    }

    pub(crate) async fn close(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(connection) => connection.close().await,
            Self::Postgres(connection) => connection.close().await,
        }
    }
}

/// Takes out of a row what has to wait for another table; gives its key and the value.
pub(crate) fn take_later(table: &Table, row: &mut Cells) -> Option<(Cells, Cell)> {
    let place = later_place(table)?;
    let kind = table.columns.get(place)?.kind;
    let key = table
        .key
        .iter()
        .filter_map(|place| row.get(*place))
        .cloned()
        .collect();
    let value = std::mem::replace(row.get_mut(place)?, Cell::nothing(kind));
    (value != Cell::nothing(kind)).then_some((key, value))
}

/// Where the column is that has to wait, in the table that has one.
pub(crate) fn later_place(table: &Table) -> Option<usize> {
    let place = || table.columns.iter().position(|column| column.name == LATER.1);
    (table.name == LATER.0).then(place).flatten()
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn listed(columns: &[Column]) -> String {
    let names = columns.iter().map(|column| quoted(&column.name));
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_differ_have_different_digests() {
        let digest = |cells: &[Cell]| {
            let mut digest = Sha256::new();
            for cell in cells {
                cell.add_to(&mut digest);
            }
            digest.finalize()
        };
        let text = |text: &str| Cell::Text(Some(text.to_owned()));
        let rows = [
            vec![text("ab"), text("c")],
            vec![text("a"), text("bc")],
            vec![text("ab"), text("c"), Cell::Text(None)],
            vec![text("ab"), Cell::Text(None), text("c")],
            vec![text("ab"), text(""), text("c")],
        ];
        for (one, row) in rows.iter().enumerate() {
            for (other, second) in rows.iter().enumerate() {
                assert_eq!(digest(row) == digest(second), one == other, "{row:?} {second:?}");
            }
        }
    }
}
