//! Time and randomness as the rules see them.

use chrono::{DateTime, SubsecRound, Utc};

/// A moment in UTC, never finer than a microsecond: PostgreSQL keeps no more.
pub type Moment = DateTime<Utc>;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The present moment, cut to microseconds.
    fn now(&self) -> Moment;
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
        *now += chrono::TimeDelta::seconds(seconds);
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
