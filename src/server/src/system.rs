//! Time and randomness of the operating system: the one place where they are taken (security.md section 9).

use chrono::{SubsecRound as _, Utc};
use vestibule_core::ports::{Clock, Moment, Randomness};

/// The clock of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the Clock that everybody else takes the time from"
    )]
    fn now(&self) -> Moment {
        Utc::now().trunc_subsecs(6)
    }
}

/// The random numbers of the operating system, fit for keys (N10, N19).
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandomness;

impl Randomness for SystemRandomness {
    /// # Panics
    /// When the operating system gives none: every secret made after that would be a guess.
    #[expect(
        clippy::panic,
        reason = "a key or code that is not random is worse than no answer"
    )]
    fn fill(&self, buffer: &mut [u8]) {
        if let Err(error) = getrandom::fill(buffer) {
            panic!("the operating system gives no random numbers: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_goes_in_microseconds_and_random_numbers_differ() {
        let now = SystemClock.now();
        assert_eq!(now, now.trunc_subsecs(6));
        let (mut one, mut two) = ([0; 32], [0; 32]);
        SystemRandomness.fill(&mut one);
        SystemRandomness.fill(&mut two);
        assert_ne!(one, two);
    }
}
