//! This server among those that share the database: every few seconds it writes down that it is there, which tells
//! whether anybody could sign in; compares its clock with the database's; and looks whether it still has every key.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use chrono::{SubsecRound as _, TimeDelta};
use vestibule_core::{
    clock::{ClockState, offset_between},
    id::NodeId,
    ports::{Clock, Moment},
};
use vestibule_storage::{NodeRow, StoreError};

use crate::{Service, Upkeep, key_check::KeyCheckError, locked};

/// A server whose last probe is older than this is as good as one whose last probe failed.
const STALE: Duration = Duration::from_secs(15);

/// What the last probe found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vitals {
    /// Whether something can be written, so that a sign-in would work.
    pub writes: bool,
    /// Whether the server has every key that the database needs.
    pub keys: bool,
    /// How far its clock is before the database's; `None` = that could not be asked yet.
    pub clock_offset: Option<TimeDelta>,
}

/// What this process knows of itself.
pub(crate) struct Node {
    /// By which the others know it, and the line before its hashing threads.
    pub id: NodeId,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// When it started, by the database's clock.
    started_at: Option<Moment>,
    last: Option<Probe>,
    measure: Option<Measure>,
}

/// The outcome of a probe.
#[derive(Clone, Copy)]
struct Probe {
    at: Instant,
    writes: bool,
    keys: bool,
}

impl Probe {
    fn writes(self, now: Instant) -> bool {
        self.writes && now.saturating_duration_since(self.at) <= STALE
    }
}

/// One comparison of clocks.
#[derive(Clone)]
struct Measure {
    machine: Arc<dyn Clock>,
    /// What the machine's clock showed.
    showed: Moment,
    /// How far that was before the database's.
    offset: TimeDelta,
    /// When that was, by a clock that nobody sets.
    at: Instant,
}

impl Measure {
    /// How far the machine's clock is before the database's by now: it may have been set since.
    fn offset(&self) -> TimeDelta {
        let passed = TimeDelta::from_std(self.at.elapsed()).unwrap_or(TimeDelta::MAX);
        let moved = self.machine.now() - self.showed - passed;
        self.offset + moved
    }
}

struct DatabaseClock(Service);

impl Clock for DatabaseClock {
    fn now(&self) -> Moment {
        self.0.database_now()
    }
}

impl Node {
    pub fn new(id: NodeId) -> Self {
        Self {
            id,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }
}

impl Upkeep {
    /// Writes down that this server is there, and compares its clock and its keys with the database's. `machine` is the
    /// clock of the machine.
    ///
    /// # Errors
    /// A database that cannot be written: nobody could sign in.
    pub async fn probe(&self, machine: &Arc<dyn Clock>) -> Result<(), StoreError> {
        let before = self.upkeep().vitals();
        let written = self.write_down(machine).await;
        let keys = match &written {
            Ok(true) => true,
            Ok(false) => self.probe_keys(before).await,
            Err(_) => before.is_none_or(|before| before.keys),
        };
        self.inner.node.state().last = Some(Probe {
            at: Instant::now(),
            writes: written.is_ok(),
            keys,
        });
        self.tell_of_the_clock(before.and_then(|before| before.clock_offset));
        written.map(drop)
    }

    /// What the last probe found out; `None` = there was none yet.
    pub fn vitals(&self) -> Option<Vitals> {
        let state = self.inner.node.state();
        let (last, measure) = (state.last?, state.measure.clone());
        drop(state);
        Some(Vitals {
            writes: last.writes(Instant::now()),
            keys: last.keys,
            clock_offset: measure.map(|measure| measure.offset()),
        })
    }

    /// The database's clock, as far as this server knows it: for background work on what others have written.
    pub fn database_clock(&self) -> Arc<dyn Clock> {
        Arc::new(DatabaseClock(Service::clone(self)))
    }

    /// Compares the clock of the machine with the database's, and gives what the latter shows. Before this was done once,
    /// the machine's is believed.
    ///
    /// # Errors
    /// A database that does not answer.
    pub async fn measure_clock(&self, machine: &Arc<dyn Clock>) -> Result<Moment, StoreError> {
        let mut reader = self.inner.store.read().await?;
        let before = machine.now();
        let time = reader.time().await?;
        let (showed, at) = (machine.now(), Instant::now());
        self.inner.node.state().measure = Some(Measure {
            machine: Arc::clone(machine),
            showed,
            offset: offset_between(before, time, showed),
            at,
        });
        Ok(time)
    }
}

impl Service {
    /// What the database's clock shows: what several servers have written must not end by the clock of one of them.
    /// PostgreSQL keeps microseconds.
    pub(crate) fn database_now(&self) -> Moment {
        let measure = self.inner.node.state().measure.clone();
        let now = self.now() - measure.map_or_else(TimeDelta::zero, |measure| measure.offset());
        now.trunc_subsecs(6)
    }

    /// Gives whether the keys are those that the database knows.
    async fn write_down(&self, machine: &Arc<dyn Clock>) -> Result<bool, StoreError> {
        let time = self.upkeep().measure_clock(machine).await?;
        let mut writer = self.inner.store.write().await?;
        let (started_at, offset) = {
            let mut state = self.inner.node.state();
            let offset = state.measure.as_ref().map(Measure::offset).unwrap_or_default();
            (*state.started_at.get_or_insert(time), offset)
        };
        let node = NodeRow {
            id: self.inner.node.id,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at,
            seen_at: time,
            clock_offset: offset,
            host: host(),
            key: self
                .inner
                .keys
                .fingerprints()
                .last()
                .map(|(version, fingerprint)| (*version, fingerprint.0)),
        };
        writer.note_node(&node).await?;
        let keys = self.keys_fit(&mut writer).await?;
        writer.commit().await?;
        Ok(keys)
    }

    /// Keys are new to the database, or to this server, or they are the wrong ones.
    async fn probe_keys(&self, before: Option<Vitals>) -> bool {
        match self.upkeep().check_keys().await {
            Ok(()) => true,
            Err(KeyCheckError::Store(error)) => {
                tracing::warn!(%error, "the keys cannot be compared with those of the database");
                before.is_none_or(|before| before.keys)
            }
            Err(KeyCheckError::Mismatch(mismatch)) => {
                // Said once, not every few seconds.
                if before.is_none_or(|before| before.keys) {
                    tracing::error!("nobody should sign in here: the key file {mismatch}");
                }
                false
            }
        }
    }

    fn tell_of_the_clock(&self, before: Option<TimeDelta>) {
        let Some(offset) = self.upkeep().vitals().and_then(|vitals| vitals.clock_offset) else {
            return;
        };
        let state = ClockState::of(offset);
        if state == before.map_or(ClockState::Right, ClockState::of) {
            return;
        }
        let seconds = offset.num_seconds();
        match state {
            ClockState::Right => tracing::info!(seconds, "the clock agrees with the database's again"),
            ClockState::Wrong => tracing::error!(
                seconds,
                "the clock is so far before or behind the database's that nobody should sign in here"
            ),
            _ => tracing::warn!(seconds, "the clock is before or behind the database's"),
        }
    }
}

/// What this machine is called, where its system says so.
fn host() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_probe_is_a_failed_one() {
        let at = Instant::now();
        let probe = |writes| Probe {
            at,
            writes,
            keys: true,
        };
        assert!(probe(true).writes(at));
        assert!(probe(true).writes(at + STALE));
        assert!(!probe(true).writes(at + STALE + Duration::from_millis(1)));
        assert!(!probe(false).writes(at));
    }
}
