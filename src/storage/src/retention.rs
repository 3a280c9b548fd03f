//! The end of the audit log: what is older than the operator wants to keep goes, the oldest first.

use std::time::Duration;

use chrono::TimeDelta;
use sqlx::FromRow;
use vestibule_core::ports::Moment;

use crate::{
    Reader, Store, StoreError, Writer,
    audit::first_id_at,
    link::{execute, optional},
};

/// Events that one transaction deletes at most.
const BATCH: i64 = 500;

const OLDEST: &str = "SELECT at FROM audit_event ORDER BY id LIMIT 1";
// Nodes whose clocks differ never take it back.
const LET_GO: &str = "INSERT INTO audit_kept (id, from_id) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET \
    from_id = excluded.from_id WHERE audit_kept.from_id < excluded.from_id";
const DELETE: &str =
    "DELETE FROM audit_event WHERE id IN (SELECT id FROM audit_event WHERE id < $1 ORDER BY id LIMIT $2)";

#[derive(FromRow)]
struct Oldest {
    at: Moment,
}

impl Store {
    /// Deletes events from before a moment, but only the oldest day of those that are there, so that a clock that is years
    /// ahead for an hour costs days of the log and not all of it. It goes in small steps with this pause between two; gives
    /// the number of events.
    ///
    /// # Errors
    /// [`StoreError`]; what was deleted until then stays deleted.
    pub async fn delete_events_before(&self, before: Moment, pause: Duration) -> Result<u64, StoreError> {
        let Some(oldest) = self.read().await?.oldest_event().await? else {
            return Ok(0);
        };
        if before <= oldest {
            return Ok(0);
        }
        let before = before.min(oldest + TimeDelta::days(1));
        let mut deleted = 0;
        loop {
            let mut writer = self.write().await?;
            let gone = writer.delete_some_events(before).await?;
            writer.commit().await?;
            deleted += gone;
            if gone < BATCH.unsigned_abs() {
                break;
            }
            tokio::time::sleep(pause).await;
        }
        Ok(deleted)
    }
}

impl Reader {
    async fn oldest_event(&mut self) -> Result<Option<Moment>, StoreError> {
        Ok(optional!(self, Oldest, OLDEST)?.map(|oldest| oldest.at))
    }
}

impl Writer {
    async fn delete_some_events(&mut self, before: Moment) -> Result<u64, StoreError> {
        let first_kept = first_id_at(before);
        execute!(self, LET_GO, first_kept)?;
        execute!(self, DELETE, first_kept, BATCH)
    }
}
