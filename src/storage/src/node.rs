//! Servers that share the database, and the time that all of them have in common: the database's own.

use chrono::TimeDelta;
use vestibule_core::{id::NodeId, ports::Moment};

use crate::{
    Reader, StoreError, Writer,
    link::{Link, execute, optional},
};

const NOTE: &str = "INSERT INTO node (id, version, started_at, seen_at, clock_offset) VALUES ($1, $2, $3, $4, $5) \
    ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, clock_offset = excluded.clock_offset";
const TIME_SQLITE: &str = "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";
const TIME_POSTGRES: &str = "SELECT clock_timestamp()";

/// A server, as it says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRow {
    /// Drawn at its start.
    pub id: NodeId,
    /// Its version of Vestibule.
    pub version: String,
    /// When it started, by the database's clock.
    pub started_at: Moment,
    /// When it last wrote this row, by the database's clock.
    pub seen_at: Moment,
    /// How far its clock is before the database's, in milliseconds.
    pub clock_offset: TimeDelta,
}

impl Reader {
    /// What the database's own clock shows now. SQLite has the machine's.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn time(&mut self) -> Result<Moment, StoreError> {
        let sql = match self.link {
            Link::Sqlite(_) => TIME_SQLITE,
            Link::Postgres(_) => TIME_POSTGRES,
        };
        let row = optional!(self, (Moment,), sql)?;
        row.map(|(now,)| now)
            .ok_or_else(|| StoreError::other("it does not tell the time"))
    }
}

impl Writer {
    /// Writes down that a server is there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn note_node(&mut self, node: &NodeRow) -> Result<(), StoreError> {
        execute!(
            self,
            NOTE,
            node.id.0,
            &node.version,
            node.started_at,
            node.seen_at,
            node.clock_offset.num_milliseconds(),
        )
        .map(drop)
    }
}
