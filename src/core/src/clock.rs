//! How far the clock of a server may be off. The database's clock is the one that all servers have in common.

use chrono::TimeDelta;

use crate::{limits::CLOCK_TOLERANCE_SECONDS, ports::Moment};

/// From here on the operator is told: what is less, nobody notices.
pub const NOTICED_SECONDS: i64 = CLOCK_TOLERANCE_SECONDS;
/// From here on the readiness of the server tells it too.
pub const SHOWN_SECONDS: i64 = 30;
/// From here on codes, sessions and links are judged wrongly: nobody should sign in with this server.
pub const WRONG_SECONDS: i64 = 5 * 60;

/// What to think of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClockState {
    /// Right, as far as anybody needs it.
    Right,
    /// More than 5 seconds off.
    Noticed,
    /// More than 30 seconds off.
    Shown,
    /// More than 5 minutes off.
    Wrong,
}

impl ClockState {
    /// Of a clock that is this far before the database's.
    pub fn of(offset: TimeDelta) -> Self {
        let off = offset.abs();
        [
            (WRONG_SECONDS, Self::Wrong),
            (SHOWN_SECONDS, Self::Shown),
            (NOTICED_SECONDS, Self::Noticed),
        ]
        .into_iter()
        .find(|(seconds, _)| off > TimeDelta::seconds(*seconds))
        .map_or(Self::Right, |(_, state)| state)
    }
}

/// How far a clock is before another one that was asked in between two looks at it: as little as these allow, so that a
/// slow answer is not taken for a wrong clock.
pub fn offset_between(before: Moment, other: Moment, after: Moment) -> TimeDelta {
    if other < before {
        before - other
    } else if other > after {
        after - other
    } else {
        TimeDelta::zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_right_until_it_is_noticed() {
        for (seconds, state) in [
            (0, ClockState::Right),
            (5, ClockState::Right),
            (6, ClockState::Noticed),
            (30, ClockState::Noticed),
            (31, ClockState::Shown),
            (300, ClockState::Shown),
            (301, ClockState::Wrong),
            (2400, ClockState::Wrong),
        ] {
            assert_eq!(ClockState::of(TimeDelta::seconds(seconds)), state, "{seconds}");
            assert_eq!(ClockState::of(TimeDelta::seconds(-seconds)), state, "-{seconds}");
        }
        assert_eq!(
            ClockState::of(TimeDelta::MIN + TimeDelta::seconds(1)),
            ClockState::Wrong
        );
    }

    #[test]
    fn a_slow_answer_is_no_wrong_clock() {
        let at = |seconds: i64| chrono::DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap();
        assert_eq!(offset_between(at(0), at(3), at(10)), TimeDelta::zero());
        assert_eq!(offset_between(at(0), at(-40), at(10)), TimeDelta::seconds(40));
        assert_eq!(offset_between(at(0), at(50), at(10)), TimeDelta::seconds(-40));
        // Our own clock stepped back meanwhile.
        assert_eq!(offset_between(at(10), at(5), at(0)), TimeDelta::seconds(5));
    }
}
