//! When a mail is sent, sent again, and given up. Pure functions of facts, time and a random number.

use chrono::TimeDelta;
use vestibule_core::ports::Moment;

use crate::transport::{Reason, SendError};

/// A mail that is of use for no longer than this is urgent: a code, a link to a new password. It is tried as long as it
/// is of use: somebody waits for it, and a server that greylists takes it only after some minutes.
const URGENT_LIFE: TimeDelta = TimeDelta::hours(1);
/// Tries of any other (N27).
const PATIENT_TRIES: i64 = 12;
/// Wait after the first failed try, in milliseconds.
const FIRST_WAIT: i64 = 5_000;
/// Longest wait of an urgent mail, in milliseconds.
const LONGEST_URGENT_WAIT: i64 = 60 * 1000;
/// Longest wait of any other, in milliseconds.
const LONGEST_WAIT: i64 = 30 * 60 * 1000;

/// What decides about the next try of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// When the mail was put into the outbox.
    pub created_at: Moment,
    /// When it stops being of use.
    pub expires_at: Option<Moment>,
    /// Tries that failed so far.
    pub tries: i64,
}

/// What to do with a mail that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Send it.
    Send,
    /// It is of no use any more and must not be sent.
    Expired,
    /// It was tried often enough.
    GiveUp,
}

/// What to do after a failed try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Try again at this moment.
    Retry(Moment),
    /// Never again.
    GiveUp,
}

/// Why a mail was given up. Its `Display` is the word that the outbox keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// It was of no use any more.
    Expired,
    /// It was tried often enough, and nothing is known of the last try.
    TriesUsedUp,
    /// The last try failed for this reason.
    NotTaken(Reason),
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Expired => f.write_str("expired"),
            Self::TriesUsedUp => f.write_str("tries_used_up"),
            Self::NotTaken(reason) => reason.fmt(f),
        }
    }
}

/// Whether this word of a mail that was given up says that its receiver's server refuses it for good, and not that our
/// own does, or that nobody came to it. `Rejected` codes that ask for a sign-in or for encryption are about our settings.
pub fn refuses_receiver(word: &str) -> bool {
    match word.strip_prefix("rejected_5") {
        Some(rest) => rest.len() == 2 && !matches!(rest, "30" | "34" | "35" | "38"),
        None => word == "address",
    }
}

impl Attempt {
    /// Whether the mail may be sent at `now`.
    pub fn decide(&self, now: Moment) -> Decision {
        if self.expires_at.is_some_and(|end| now >= end) {
            Decision::Expired
        } else if self.is_worn(self.tries) {
            Decision::GiveUp
        } else {
            Decision::Send
        }
    }

    /// What follows when the try that began with `self.tries` failed ones has failed too.
    pub fn after(&self, error: SendError, now: Moment, random: u64) -> Next {
        let failed = self.tries.saturating_add(1);
        if matches!(error, SendError::Permanent(_)) || self.is_worn(failed) {
            return Next::GiveUp;
        }
        let due = now + self.wait(failed, random);
        if self.expires_at.is_some_and(|end| due >= end) {
            Next::GiveUp
        } else {
            Next::Retry(due)
        }
    }

    /// How long to wait after so many failed tries: 5 seconds after the first, then twice as long each time and never
    /// longer than 30 minutes. Urgent mails wait three times as long each time, so that a mail server that restarts is
    /// not asked all the time, and never longer than a minute. The wait is up to a fifth shorter or longer, so that
    /// mails that failed together do not come back together.
    fn wait(&self, failed: i64, random: u64) -> TimeDelta {
        let (factor, longest): (i64, i64) = if self.is_urgent() {
            (3, LONGEST_URGENT_WAIT)
        } else {
            (2, LONGEST_WAIT)
        };
        let exponent = u32::try_from(failed.saturating_sub(1)).unwrap_or(u32::MAX);
        let wait = factor
            .saturating_pow(exponent)
            .saturating_mul(FIRST_WAIT)
            .min(longest);
        let jitter = 800 + i64::try_from(random % 401).unwrap_or_default();
        TimeDelta::milliseconds((wait * jitter / 1000).min(longest))
    }

    /// Whether so many failed tries are enough. The end of an urgent mail is the end of its use, which is near.
    fn is_worn(&self, failed: i64) -> bool {
        !self.is_urgent() && failed >= PATIENT_TRIES
    }

    fn is_urgent(&self) -> bool {
        self.expires_at
            .is_some_and(|end| end - self.created_at <= URGENT_LIFE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATER: SendError = SendError::Temporary(Reason::Unreachable);
    /// The random number that leaves a wait as it is.
    const NO_JITTER: u64 = 200;

    fn at(seconds: i64) -> Moment {
        Moment::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn attempt(life: Option<i64>, tries: i64) -> Attempt {
        Attempt {
            created_at: at(0),
            expires_at: life.map(at),
            tries,
        }
    }

    /// Seconds at which a mail is tried when every try fails at once.
    fn tries_of(life: Option<i64>, random: u64) -> Vec<i64> {
        let mut now = at(0);
        let mut tries = vec![0];
        while let Next::Retry(due) =
            attempt(life, i64::try_from(tries.len()).unwrap() - 1).after(LATER, now, random)
        {
            now = due;
            tries.push((now - at(0)).num_seconds());
        }
        tries
    }

    #[test]
    fn a_code_is_tried_as_long_as_it_lives() {
        assert_eq!(
            tries_of(Some(600), NO_JITTER),
            [0, 5, 20, 65, 125, 185, 245, 305, 365, 425, 485, 545]
        );
        for random in [0, NO_JITTER, 400, u64::MAX] {
            let tries = tries_of(Some(600), random);
            let waits = tries.windows(2).map(|pair| pair[1] - pair[0]);
            assert!(waits.max() <= Some(60), "{tries:?}");
            assert!(tries.last() >= Some(&540), "to its end: {tries:?}");
        }
    }

    #[test]
    fn a_code_that_is_greylisted_for_five_minutes_comes_within_the_next() {
        for random in [0, NO_JITTER, 400] {
            let tries = tries_of(Some(600), random);
            assert!(
                tries.iter().any(|at| (300..=360).contains(at)),
                "the server takes it after 300 seconds: {tries:?}"
            );
        }
    }

    #[test]
    fn other_mails_are_tried_twelve_times_and_never_wait_longer_than_half_an_hour() {
        let tries = tries_of(None, NO_JITTER);
        assert_eq!(tries[..6], [0, 5, 15, 35, 75, 155]);
        assert_eq!(tries.len(), 12);
        for random in [0, NO_JITTER, 400, u64::MAX] {
            let tries = tries_of(None, random);
            assert!(
                tries
                    .windows(2)
                    .all(|pair| (4..=1800).contains(&(pair[1] - pair[0]))),
                "{tries:?}"
            );
        }
        assert_eq!(
            tries_of(Some(72 * 3600), NO_JITTER).len(),
            12,
            "a link of three days is not urgent"
        );
    }

    #[test]
    fn an_expired_mail_is_never_sent() {
        assert_eq!(attempt(Some(600), 0).decide(at(599)), Decision::Send);
        assert_eq!(attempt(Some(600), 0).decide(at(600)), Decision::Expired);
        assert_eq!(attempt(Some(600), 9).decide(at(601)), Decision::Expired);
        assert_eq!(attempt(None, 0).decide(at(1_000_000)), Decision::Send);
        assert_eq!(
            attempt(Some(600), 1).after(LATER, at(595), NO_JITTER),
            Next::GiveUp,
            "the next try would be too late"
        );
    }

    #[test]
    fn tries_that_were_counted_elsewhere_end_too() {
        assert_eq!(attempt(Some(600), i64::MAX).decide(at(1)), Decision::Send);
        assert_eq!(attempt(None, 11).decide(at(1)), Decision::Send);
        assert_eq!(attempt(None, 12).decide(at(1)), Decision::GiveUp);
        assert_eq!(attempt(None, i64::MAX).after(LATER, at(1), 0), Next::GiveUp);
    }

    #[test]
    fn a_final_no_is_final() {
        assert_eq!(
            attempt(None, 0).after(SendError::Permanent(Reason::Rejected(550)), at(1), 0),
            Next::GiveUp
        );
    }

    #[test]
    fn problems_have_words() {
        let words = [
            Problem::Expired,
            Problem::TriesUsedUp,
            Problem::NotTaken(Reason::Rejected(451)),
        ];
        assert_eq!(
            words.map(|problem| problem.to_string()),
            ["expired", "tries_used_up", "rejected_451"]
        );
    }

    #[test]
    fn a_refused_receiver_is_told_from_refused_settings_and_from_time_that_ran_out() {
        let word = |problem: Problem| problem.to_string();
        for code in [550, 551, 552, 553, 554, 556, 521] {
            assert!(
                refuses_receiver(&word(Problem::NotTaken(Reason::Rejected(code)))),
                "{code}"
            );
        }
        assert!(refuses_receiver(&word(Problem::NotTaken(Reason::Address))));
        for code in [421, 450, 451, 452, 530, 534, 535, 538] {
            assert!(
                !refuses_receiver(&word(Problem::NotTaken(Reason::Rejected(code)))),
                "{code}"
            );
        }
        for problem in [
            Problem::Expired,
            Problem::TriesUsedUp,
            Problem::NotTaken(Reason::Tls),
            Problem::NotTaken(Reason::NoSignIn),
            Problem::NotTaken(Reason::Other),
        ] {
            assert!(!refuses_receiver(&word(problem)), "{problem}");
        }
    }
}
