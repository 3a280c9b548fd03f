//! Servers that share the database, and the time that all of them have in common: the database's own.

use chrono::TimeDelta;
use sqlx::FromRow;
use uuid::Uuid;
use vestibule_core::{id::NodeId, ports::Moment};

use crate::{
    Reader, StoreError, Writer,
    link::{Link, all, execute, optional},
};

const NOTE: &str = "INSERT INTO node (id, version, started_at, seen_at, clock_offset, host, key_version, \
    key_fingerprint) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO UPDATE SET \
    seen_at = excluded.seen_at, clock_offset = excluded.clock_offset, host = excluded.host, \
    key_version = excluded.key_version, key_fingerprint = excluded.key_fingerprint";
const ALL: &str = "SELECT id, version, started_at, seen_at, clock_offset, host, key_version, key_fingerprint \
    FROM node ORDER BY started_at, id";
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
    /// The name of its machine, where the machine tells it.
    pub host: Option<String>,
    /// Version and fingerprint of its newest key; `None` = it is of a version that does not say.
    pub key: Option<(u32, [u8; 32])>,
}

#[derive(FromRow)]
struct NodeColumns {
    id: Uuid,
    version: String,
    started_at: Moment,
    seen_at: Moment,
    clock_offset: i64,
    host: Option<String>,
    key_version: Option<i64>,
    key_fingerprint: Option<Vec<u8>>,
}

impl TryFrom<NodeColumns> for NodeRow {
    type Error = StoreError;

    fn try_from(row: NodeColumns) -> Result<Self, StoreError> {
        let key = match (row.key_version, row.key_fingerprint) {
            (Some(version), Some(fingerprint)) => Some((
                u32::try_from(version).map_err(|_| StoreError::corrupt("node", "key_version"))?,
                fingerprint
                    .try_into()
                    .map_err(|_| StoreError::corrupt("node", "key_fingerprint"))?,
            )),
            _ => None,
        };
        Ok(Self {
            id: NodeId(row.id),
            version: row.version,
            started_at: row.started_at,
            seen_at: row.seen_at,
            clock_offset: TimeDelta::milliseconds(row.clock_offset),
            host: row.host,
            key,
        })
    }
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

impl Reader {
    /// All servers that were there within the last day, in the order in which they started.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn nodes(&mut self) -> Result<Vec<NodeRow>, StoreError> {
        let rows = all!(self, NodeColumns, ALL)?;
        rows.into_iter().map(NodeRow::try_from).collect()
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
            &node.host,
            node.key.map(|(version, _)| i64::from(version)),
            node.key.map(|(_, fingerprint)| fingerprint.to_vec()),
        )
        .map(drop)
    }
}
