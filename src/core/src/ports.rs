//! Time and randomness as the rules see them.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

use crate::limits::CLOCK_TOLERANCE_SECONDS;

/// A moment in UTC, never finer than a microsecond: PostgreSQL keeps no more.
pub type Moment = DateTime<Utc>;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The present moment, cut to microseconds.
    fn now(&self) -> Moment;
}

/// Whether what was written down at `since` has begun by `now`. The two may come from the clocks of two nodes, so a moment
/// that lies a little in the future counts as the present.
pub fn has_begun(now: Moment, since: Moment) -> bool {
    since <= now + TimeDelta::seconds(CLOCK_TOLERANCE_SECONDS)
}

/// A source of unpredictable bytes, fit for keys and codes (N10, N19).
pub trait Randomness: Send + Sync {
    /// Fills the whole buffer.
    fn fill(&self, buffer: &mut [u8]);
}

/// A clock that stands still until told otherwise, for tests.
#[derive(Debug)]
pub struct ManualClock(std::sync::Mutex<Moment>);

impl ManualClock {
    /// A clock that stands at `moment`.
    pub fn at(moment: Moment) -> Self {
        Self(std::sync::Mutex::new(moment.trunc_subsecs(6)))
    }

    /// Moves the clock; negative seconds move it back.
    pub fn advance(&self, seconds: i64) {
        let mut now = self.lock();
        *now += TimeDelta::seconds(seconds);
    }

    /// Sets the clock.
    pub fn set(&self, moment: Moment) {
        *self.lock() = moment.trunc_subsecs(6);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Moment> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Moment {
        *self.lock()
    }
}

/// Randomness that repeats itself from the same seed, for tests.
pub struct SeededRandomness(std::sync::Mutex<rand::rngs::StdRng>);

impl SeededRandomness {
    /// The sequence that belongs to `seed`.
    pub fn new(seed: u64) -> Self {
        use rand::SeedableRng;
        Self(std::sync::Mutex::new(rand::rngs::StdRng::seed_from_u64(seed)))
    }
}

impl Randomness for SeededRandomness {
    fn fill(&self, buffer: &mut [u8]) {
        use rand::RngCore;
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .fill_bytes(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_a_little_ahead_is_no_future() {
        let now = Moment::UNIX_EPOCH;
        for (ahead, expected) in [(-3600, true), (0, true), (5, true), (6, false), (3600, false)] {
            assert_eq!(
                has_begun(now, now + TimeDelta::seconds(ahead)),
                expected,
                "{ahead}"
            );
        }
    }
}
