//! What people cause who have proved nothing: lines of the audit log about refused requests, and sources that asked for
//! links too often (attacks.md T086, T102, T132).
//!
//! Anybody can send such requests as fast as a line carries them, so none of them may cost others anything: nobody waits
//! for their lines, one task writes them, a source has one line of a kind and a share of all lines a minute, and what does
//! not fit is dropped and counted.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::Notify;
use vestibule_core::{
    audit::{AuditEntry, Event},
    id::{AccountId, CompanyId},
    ports::Moment,
};
use vestibule_storage::StoreError;

use crate::{Service, Upkeep, Visitor, locked};

/// Lines a minute and node, and as many may wait.
const LINES_MAX: usize = 1000;
/// Lines a minute and node that one source may cause of them.
const LINES_OF_SOURCE_MAX: usize = 50;
/// Lines that are written in one transaction.
const BATCH: usize = 100;
/// Sources that are remembered for having asked for too many links this hour.
const SOURCES_MAX: usize = 10_000;

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;

/// What is noted once a minute.
#[derive(PartialEq, Eq, Hash)]
struct Kind {
    event: Event,
    company: Option<CompanyId>,
    target: Option<AccountId>,
    detail: Option<String>,
}

/// Things that are known of one span of time only.
struct Span<T> {
    number: i64,
    known: T,
}

impl<T: Default> Default for Span<T> {
    fn default() -> Self {
        Self {
            number: i64::MIN,
            known: T::default(),
        }
    }
}

impl<T: Default> Span<T> {
    /// What is known of the span of `seconds` around `now`.
    fn at(&mut self, now: Moment, seconds: i64) -> &mut T {
        let number = now.timestamp().div_euclid(seconds);
        if number != self.number {
            *self = Self {
                number,
                known: T::default(),
            };
        }
        &mut self.known
    }
}

/// What was noted in a minute.
#[derive(Default)]
struct Noted {
    of_sources: HashMap<String, HashSet<Kind>>,
    lines: usize,
}

#[derive(Default)]
struct Lines {
    this_minute: Span<Noted>,
    waiting: VecDeque<(Moment, AuditEntry)>,
}

/// The lines that wait, and what was noted already.
#[derive(Default)]
pub(crate) struct Strangers {
    lines: Mutex<Lines>,
    over_this_hour: Mutex<Span<HashSet<String>>>,
    noted: Notify,
    repeated: AtomicU64,
    dropped: AtomicU64,
}

/// What became of lines that strangers caused, since the start of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StrangerLines {
    /// Not written, because the same source had one of the kind in the same minute.
    pub repeated: u64,
    /// Not written, because there were too many.
    pub dropped: u64,
}

impl Strangers {
    fn note(&self, now: Moment, source: &str, entry: AuditEntry) {
        let kind = Kind {
            event: entry.event,
            company: entry.company,
            target: entry.target,
            detail: entry.detail.clone(),
        };
        let mut lines = locked(&self.lines);
        let has_room = lines.waiting.len() < LINES_MAX;
        let noted = lines.this_minute.at(now, MINUTE);
        let of_source = noted.of_sources.get(source);
        if of_source.is_some_and(|kinds| kinds.contains(&kind)) {
            self.repeated.fetch_add(1, Ordering::Relaxed);
        } else if has_room
            && noted.lines < LINES_MAX
            && of_source.is_none_or(|kinds| kinds.len() < LINES_OF_SOURCE_MAX)
        {
            noted
                .of_sources
                .entry(source.to_owned())
                .or_default()
                .insert(kind);
            noted.lines += 1;
            lines.waiting.push_back((now, entry));
            drop(lines);
            self.noted.notify_one();
        } else {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn take(&self) -> Vec<(Moment, AuditEntry)> {
        let mut lines = locked(&self.lines);
        let most = lines.waiting.len().min(BATCH);
        lines.waiting.drain(..most).collect()
    }

    /// What could not be written waits again, in front.
    fn put_back(&self, batch: Vec<(Moment, AuditEntry)>) {
        let mut lines = locked(&self.lines);
        for line in batch.into_iter().rev() {
            lines.waiting.push_front(line);
        }
    }

    /// Whether this source is known to have asked for too many links in this hour.
    pub fn asked_too_often(&self, source: &str, now: Moment) -> bool {
        locked(&self.over_this_hour).at(now, HOUR).contains(source)
    }

    /// Remembers a source that asked for too many links in this hour. One that does not fit is counted in the database
    /// again.
    pub fn remember_asking(&self, source: &str, now: Moment) {
        let mut over = locked(&self.over_this_hour);
        let known = over.at(now, HOUR);
        if known.len() < SOURCES_MAX {
            known.insert(source.to_owned());
        }
    }
}

impl Upkeep {
    /// Notes a request that came from another site.
    pub fn note_cross_site(&self, visitor: &Visitor) {
        self.note_stranger(visitor.entry(Event::CrossSiteRefused, None, None), visitor);
    }

    /// Told whenever a line about a stranger waits.
    pub fn stranger_noted(&self) -> &Notify {
        &self.inner.strangers.noted
    }

    /// What became of the lines about strangers.
    pub fn stranger_lines(&self) -> StrangerLines {
        let Strangers {
            repeated, dropped, ..
        } = &self.inner.strangers;
        StrangerLines {
            repeated: repeated.load(Ordering::Relaxed),
            dropped: dropped.load(Ordering::Relaxed),
        }
    }

    /// Writes all lines about strangers that wait; gives how many.
    ///
    /// # Errors
    /// A failing database: what was not written waits for the next time.
    pub async fn write_stranger_lines(&self) -> Result<usize, StoreError> {
        let mut written = 0;
        loop {
            let batch = self.inner.strangers.take();
            if batch.is_empty() {
                return Ok(written);
            }
            if let Err(error) = self.write_batch(&batch).await {
                self.inner.strangers.put_back(batch);
                return Err(error);
            }
            written += batch.len();
        }
    }
}

impl Service {
    /// Notes what somebody did who has proved nothing. Waits for nothing: the line is written later, or dropped.
    pub(crate) fn note_stranger(&self, entry: AuditEntry, visitor: &Visitor) {
        self.inner.strangers.note(self.now(), &visitor.source, entry);
    }

    async fn write_batch(&self, batch: &[(Moment, AuditEntry)]) -> Result<(), StoreError> {
        let mut writer = self.inner.store.write().await?;
        for (at, entry) in batch {
            self.record_at(&mut writer, *at, entry).await?;
        }
        writer.commit().await
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn start() -> Moment {
        "2026-01-05T09:00:00Z".parse().unwrap()
    }

    fn note(strangers: &Strangers, seconds: i64, source: &str, detail: &str) {
        let entry = AuditEntry {
            detail: Some(detail.to_owned()),
            ..Visitor::default().entry(Event::SsoRefused, None, None)
        };
        strangers.note(start() + TimeDelta::seconds(seconds), source, entry);
    }

    #[test]
    fn a_source_has_one_line_of_a_kind_a_minute() {
        let strangers = Strangers::default();
        for (seconds, source, detail) in [
            (0, "192.0.2.1", "google: a"),
            (59, "192.0.2.1", "google: a"),
            (59, "192.0.2.1", "google: b"),
            (59, "192.0.2.2", "google: a"),
            (60, "192.0.2.1", "google: a"),
        ] {
            note(&strangers, seconds, source, detail);
        }
        assert_eq!(strangers.take().len(), 4);
        assert_eq!(strangers.repeated.load(Ordering::Relaxed), 1);
        assert_eq!(strangers.dropped.load(Ordering::Relaxed), 0);
        // A clock that steps back begins another minute.
        note(&strangers, 0, "192.0.2.1", "google: a");
        assert_eq!(strangers.take().len(), 1);
    }

    #[test]
    fn one_source_silences_nobody_else() {
        let strangers = Strangers::default();
        for number in 0..3 * LINES_MAX {
            note(&strangers, 0, "192.0.2.1", &number.to_string());
        }
        note(&strangers, 0, "192.0.2.2", "google: a");
        let lines = locked(&strangers.lines);
        assert_eq!(lines.waiting.len(), LINES_OF_SOURCE_MAX + 1);
        let last = lines.waiting.back().unwrap();
        assert_eq!(last.1.detail.as_deref(), Some("google: a"));
    }

    #[test]
    fn what_does_not_fit_is_dropped_and_counted_and_the_next_minute_has_room_again() {
        let strangers = Strangers::default();
        for number in 0..LINES_MAX + 7 {
            note(&strangers, 0, &number.to_string(), "google: a");
        }
        assert_eq!(strangers.dropped.load(Ordering::Relaxed), 7);
        note(&strangers, 60, "late", "google: a");
        assert_eq!(
            strangers.dropped.load(Ordering::Relaxed),
            8,
            "nothing was written meanwhile"
        );
        let batch = strangers.take();
        assert_eq!(batch.len(), BATCH);
        note(&strangers, 60, "late", "google: a");
        let first = batch[0].0;
        strangers.put_back(batch);
        assert_eq!(
            strangers.take()[0].0,
            first,
            "what could not be written comes first"
        );
        let mut taken = BATCH;
        loop {
            match strangers.take().len() {
                0 => break,
                some => taken += some,
            }
        }
        assert_eq!(taken, LINES_MAX + 1);
    }

    #[test]
    fn a_source_that_asked_for_too_many_links_is_known_for_the_hour_only() {
        let strangers = Strangers::default();
        let (source, now) = ("192.0.2.1", start());
        assert!(!strangers.asked_too_often(source, now));
        strangers.remember_asking(source, now);
        assert!(strangers.asked_too_often(source, now + TimeDelta::seconds(HOUR - 1)));
        assert!(!strangers.asked_too_often("192.0.2.2", now));
        assert!(!strangers.asked_too_often(source, now + TimeDelta::seconds(HOUR)));
    }
}
