//! How wrong passwords slow further tries down (N7, N8). Nothing here locks: only wrong codes do that.

use chrono::TimeDelta;

/// Wrong passwords in a row before the first wait.
const FREE_TRIES: i64 = 4;
/// First wait, in seconds; it doubles with every further wrong password.
const FIRST_WAIT_SECONDS: i64 = 30;
/// Longest wait, in seconds.
const LONGEST_WAIT_SECONDS: i64 = 15 * 60;
/// Wrong passwords in a row that disable the password until it is reset (NIST SP 800-63B-4, 3.2.2).
pub const TRIES_TO_DISABLE: i64 = 100;

/// How long nobody may try again after `failures` wrong passwords in a row, this one included.
///
/// `None` from [`TRIES_TO_DISABLE`] on: the password is disabled until it is reset.
pub fn wait_after(failures: i64) -> Option<TimeDelta> {
    if failures >= TRIES_TO_DISABLE {
        return None;
    }
    let doublings = failures - FREE_TRIES - 1;
    if doublings < 0 {
        return Some(TimeDelta::zero());
    }
    let seconds = if doublings >= 5 {
        LONGEST_WAIT_SECONDS
    } else {
        FIRST_WAIT_SECONDS << doublings
    };
    Some(TimeDelta::seconds(seconds))
}

/// Limits on wrong passwords from one source: an IPv4 address or an IPv6 network of 64 bits (N8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceLimits {
    /// Wrong passwords in a minute.
    pub per_minute: i64,
    /// Wrong passwords in an hour.
    pub per_hour: i64,
    /// Different accounts with wrong passwords in ten minutes.
    pub accounts_per_ten_minutes: i64,
}

impl Default for SourceLimits {
    fn default() -> Self {
        Self {
            per_minute: 10,
            per_hour: 100,
            accounts_per_ten_minutes: 20,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_tries_are_free_then_the_wait_doubles_to_a_quarter_of_an_hour() {
        let seconds = |failures| wait_after(failures).map(|wait| wait.num_seconds());
        assert_eq!((1..=4).map(seconds).collect::<Vec<_>>(), vec![Some(0); 4]);
        assert_eq!(
            (5..=11).map(seconds).collect::<Vec<_>>(),
            [30, 60, 120, 240, 480, 900, 900].map(Some).to_vec()
        );
        assert_eq!(seconds(99), Some(900));
        assert_eq!(seconds(100), None);
        assert_eq!(seconds(i64::MAX), None);
    }
}
