//! How wrong passwords slow further tries down (N7, N8, N9). Nothing here locks: only wrong codes do that.
//!
//! **Per account** (N7): four wrong passwords are free, from the fifth on there is a wait that doubles from 30 seconds to
//! 15 minutes, and after 100 in a row the password is disabled until it is reset. Each is counted before it is
//! compared. Browsers that have signed the account in before have a count of their own (N9).
//!
//! **Per network address** (N8): only passwords that were compared and found wrong count, in windows that slide. What is
//! under way does not count, nor does what was refused, so that being many is no offence and a wait never grows by
//! itself. An address has a budget: [`SourceLimits`], which are 10 wrong passwords in a minute, 100 in an hour, and 20
//! different accounts in ten minutes. For the accounts of a company it grows with what they have earned there: for every
//! five of them whose password was right there within [`EARNED_DAYS`] days it has one try more in a minute and one account more in ten
//! minutes, for every account one try more in an hour, up to [`EARNED_MAX`] accounts ([`SourceLimits::grown_by`]). So
//! spraying is judged against those who came in: an office of 500 in which one in twenty mistypes stays far below, while
//! somebody who knows one password of it has earned as good as nothing. A range of addresses that a company has named
//! as its office has ten times the budget for this company's accounts ([`SourceLimits::of_office`]). A browser that has
//! signed the account in before is never stopped by its address, and its wrong passwords do not count there.
//!
//! **What that leaves to a guesser.** One account can be tried 12 times in the first hour and about 100 times in a day,
//! from however many addresses. From inside an office that has earned 500 accounts at most 600 guesses an hour can be made
//! over all of them. A password here is at least one in 10^10 (product.md section 6), so an hour's odds are below one
//! in ten million. Nodes look before they compare and write after it: as many tries as a node works at once can slip
//! through beyond a budget, once, while the account's own count lets none through.

use std::collections::HashMap;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::ports::Moment;

/// Wrong passwords in a row before the first wait.
pub const FREE_TRIES: i64 = 4;
/// First wait, in seconds; it doubles with every further wrong password.
const FIRST_WAIT_SECONDS: i64 = 30;
/// Longest wait, in seconds.
const LONGEST_WAIT_SECONDS: i64 = 15 * 60;
/// Wrong passwords in a row that disable the password until it is reset (NIST SP 800-63B-4, 3.2.2).
pub const TRIES_TO_DISABLE: i64 = 100;

/// How long an account that signed in rightly counts for its address, in days.
pub const EARNED_DAYS: i64 = 30;
/// Most accounts that an address can earn a budget with.
pub const EARNED_MAX: u32 = 2_000;
/// Accounts that earn one try more in a minute, and one account more in ten minutes.
const ACCOUNTS_PER_TRY: u32 = 5;
/// Most wrong passwords of a source that are looked at: more than the largest budget that grows from the usual limits.
const KNOWN_MAX: i64 = 25_000;
/// How many times the budget a named office has.
const OFFICE_FACTOR: i64 = 10;

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

/// Wrong passwords that one browser has sent for the same names, as it is told about them: what [`wait_after`] makes of them
/// when nobody else tries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldTries {
    count: i64,
    blocked_until: Option<Moment>,
}

impl ToldTries {
    /// After one more. What is sent while one has to wait is not compared, and does not count.
    #[must_use]
    pub fn wrong(self, now: Moment) -> Self {
        if self.wait(now).is_some() {
            return self;
        }
        let count = self.count + 1;
        let wait = wait_after(count).unwrap_or(TimeDelta::seconds(LONGEST_WAIT_SECONDS));
        Self {
            count,
            blocked_until: (wait > TimeDelta::zero()).then(|| now + wait),
        }
    }

    /// Seconds until a right password would be taken; `None` = at once.
    pub fn wait(self, now: Moment) -> Option<u32> {
        let left = self.blocked_until? - now;
        let seconds = left.num_seconds() + i64::from(left.subsec_nanos() > 0);
        u32::try_from(seconds).ok().filter(|&seconds| seconds > 0)
    }
}

/// What tries are counted by: an account, or a fingerprint of what was typed where there is none.
pub type Subject = [u8; 32];

/// A wrong password that came from a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongTry {
    /// When it was found wrong.
    pub at: Moment,
    /// Whose it was.
    pub subject: Subject,
}

/// The budget of a source, which is an IPv4 address or an IPv6 network of 64 bits (N8).
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

/// The longest of the windows: wrong passwords older than this no longer matter.
pub const SOURCE_WINDOW: TimeDelta = TimeDelta::hours(1);
const MINUTE: TimeDelta = TimeDelta::minutes(1);
const TEN_MINUTES: TimeDelta = TimeDelta::minutes(10);

impl SourceLimits {
    /// The budget of a source at which the passwords of so many accounts were right lately.
    #[must_use]
    pub fn grown_by(self, accounts: u32) -> Self {
        let accounts = accounts.min(EARNED_MAX);
        let share = i64::from(accounts / ACCOUNTS_PER_TRY);
        Self {
            per_minute: self.per_minute.saturating_add(share),
            per_hour: self.per_hour.saturating_add(accounts.into()),
            accounts_per_ten_minutes: self.accounts_per_ten_minutes.saturating_add(share),
        }
    }

    /// The budget for the accounts of a company that has named the source as its office.
    #[must_use]
    pub const fn of_office(self) -> Self {
        Self {
            per_minute: self.per_minute.saturating_mul(OFFICE_FACTOR),
            per_hour: self.per_hour.saturating_mul(OFFICE_FACTOR),
            accounts_per_ten_minutes: self.accounts_per_ten_minutes.saturating_mul(OFFICE_FACTOR),
        }
    }

    /// How many of the newest wrong passwords of a source [`SourceLimits::wait`] has to know: with as many in an hour
    /// nobody may try anyway, and older ones make no wait but a longer one.
    pub fn to_know(&self) -> i64 {
        self.per_minute
            .max(self.per_hour)
            .max(self.accounts_per_ten_minutes)
            .clamp(1, KNOWN_MAX)
    }

    /// How long a try on `subject` has to wait, given the wrong passwords of its source, the newest first. `None`: it
    /// may be compared now. Whoever is among the accounts that were tried already does not make them more.
    pub fn wait(&self, wrong: &[WrongTry], subject: &Subject, now: Moment) -> Option<TimeDelta> {
        let tries: Vec<_> = wrong.iter().map(|wrong| wrong.at).collect();
        let others = newest_of_each(wrong.iter().filter(|wrong| wrong.subject != *subject));
        [
            (&tries, self.per_minute, MINUTE),
            (&tries, self.per_hour, SOURCE_WINDOW),
            (&others, self.accounts_per_ten_minutes, TEN_MINUTES),
        ]
        .into_iter()
        .filter_map(|(moments, limit, span)| wait_for(moments, limit, span, now))
        .max()
    }
}

/// How long it takes until fewer than `limit` of these moments, the newest first, lie within `span`.
fn wait_for(newest_first: &[Moment], limit: i64, span: TimeDelta, now: Moment) -> Option<TimeDelta> {
    let last_place = usize::try_from(limit.max(1) - 1).unwrap_or(usize::MAX);
    let last = *newest_first.get(last_place)?;
    Some(last + span - now).filter(|wait| *wait > TimeDelta::zero())
}

/// The newest moment of each account, the newest first.
fn newest_of_each<'a>(newest_first: impl Iterator<Item = &'a WrongTry>) -> Vec<Moment> {
    let mut seen = HashMap::new();
    for wrong in newest_first {
        seen.entry(wrong.subject).or_insert(wrong.at);
    }
    let mut moments: Vec<_> = seen.into_values().collect();
    moments.sort_unstable_by(|a, b| b.cmp(a));
    moments
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::{Randomness as _, SeededRandomness};

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

    #[test]
    fn a_browser_is_told_the_wait_from_the_fifth_on_and_not_counted_while_it_waits() {
        let mut tries = ToldTries::default();
        for _ in 0..4 {
            tries = tries.wrong(at(0));
            assert_eq!(tries.wait(at(0)), None);
        }
        tries = tries.wrong(at(0));
        assert_eq!(tries.wait(at(0)), Some(30));
        tries = tries.wrong(at(20));
        assert_eq!(tries.wait(at(20)), Some(10), "nothing was compared");
        tries = tries.wrong(at(30));
        assert_eq!((tries.wait(at(30)), tries.wait(at(90))), (Some(60), None));
    }

    fn at(seconds: i64) -> Moment {
        Moment::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn subject(number: u32) -> Subject {
        let mut subject = [0; 32];
        subject[..4].copy_from_slice(&number.to_be_bytes());
        subject
    }

    /// Wrong passwords at these seconds, each on an account, the newest first.
    fn tries(of: &[(i64, u32)]) -> Vec<WrongTry> {
        of.iter()
            .rev()
            .map(|&(seconds, account)| WrongTry {
                at: at(seconds),
                subject: subject(account),
            })
            .collect()
    }

    fn wait_of(limits: SourceLimits, of: &[(i64, u32)], account: u32, now: i64) -> Option<i64> {
        limits
            .wait(&tries(of), &subject(account), at(now))
            .map(|wait| wait.num_seconds())
    }

    #[test]
    fn windows_slide_and_a_wait_ends_when_the_oldest_try_that_is_too_many_leaves() {
        let limits = SourceLimits::default();
        let ten: Vec<_> = (0..10).map(|second| (second, 1)).collect();
        assert_eq!(wait_of(limits, &ten[..9], 1, 9), None);
        assert_eq!(wait_of(limits, &ten, 1, 9), Some(51));
        assert_eq!(wait_of(limits, &ten, 1, 59), Some(1));
        assert_eq!(
            wait_of(limits, &ten, 1, 60),
            None,
            "the first has left the minute"
        );
        let hundred: Vec<_> = (0..100).map(|number| (number * 30, 1)).collect();
        assert_eq!(wait_of(limits, &hundred, 1, 3_000), Some(600), "the hour");
        assert_eq!(wait_of(limits, &hundred, 1, 3_600), None);
    }

    #[test]
    fn spraying_is_known_by_its_accounts() {
        let limits = SourceLimits::default();
        let spread: Vec<_> = (0..20).map(|number| (i64::from(number) * 20, number)).collect();
        assert_eq!(wait_of(limits, &spread[..19], 99, 399), None);
        assert_eq!(wait_of(limits, &spread, 99, 399), Some(201), "a 21st account");
        assert_eq!(
            wait_of(limits, &spread, 7, 399),
            None,
            "one of the twenty mistypes again"
        );
        assert_eq!(wait_of(limits, &spread, 99, 600), None);
    }

    #[test]
    fn a_budget_grows_with_the_accounts_that_came_in_and_with_a_name() {
        let grown = SourceLimits::default().grown_by(504);
        assert_eq!(
            (grown.per_minute, grown.per_hour, grown.accounts_per_ten_minutes),
            (110, 604, 120)
        );
        assert_eq!(SourceLimits::default().grown_by(4).per_minute, 10);
        let most = SourceLimits::default().grown_by(EARNED_MAX);
        assert_eq!(SourceLimits::default().grown_by(u32::MAX), most);
        let office = SourceLimits::default().of_office();
        assert_eq!((office.per_minute, office.per_hour), (100, 1_000));
        let unlimited = SourceLimits {
            per_minute: i64::MAX,
            ..SourceLimits::default()
        };
        assert_eq!(unlimited.grown_by(50).of_office().per_minute, i64::MAX);
    }

    #[test]
    fn what_has_to_be_known_decides_like_everything() {
        let randomness = SeededRandomness::new(3);
        let limits = SourceLimits::default();
        assert_eq!(limits.to_know(), 100);
        assert!(limits.grown_by(EARNED_MAX).of_office().to_know() < KNOWN_MAX);
        let unlimited = SourceLimits {
            per_hour: i64::MAX,
            ..limits
        };
        assert_eq!(unlimited.to_know(), KNOWN_MAX);
        for round in 0..500 {
            let mut now = 0;
            let gap = 1 + below(&randomness, 60);
            let all: Vec<_> = (0..300)
                .map(|_| {
                    now += i64::from(below(&randomness, gap));
                    (now, below(&randomness, 40))
                })
                .collect();
            let all = tries(&all);
            let known = &all[..usize::try_from(limits.to_know()).unwrap()];
            for account in [0, 99] {
                let wait = |wrong| limits.wait(wrong, &subject(account), at(now));
                assert_eq!(wait(known).is_some(), wait(&all).is_some(), "{round}");
                assert!(wait(known) <= wait(&all), "{round}");
            }
        }
    }

    /// What stands between a guess and its comparison: the address's budget and the account's waits.
    #[derive(Default)]
    struct Door {
        wrong: HashMap<u32, Vec<WrongTry>>,
        earned: HashMap<u32, u32>,
        /// Failures in a row and the end of the block, of every account.
        accounts: HashMap<u32, (i64, Moment)>,
    }

    impl Door {
        /// Whether a password may be compared now.
        fn admits(&self, source: u32, account: u32, now: Moment) -> bool {
            let budget = SourceLimits::default().grown_by(*self.earned.get(&source).unwrap_or(&0));
            let wrong = self.wrong.get(&source).map_or(&[][..], Vec::as_slice);
            let free = self.accounts.get(&account).is_none_or(|(_, end)| *end <= now);
            free && budget.wait(wrong, &subject(account), now).is_none()
        }

        fn was_wrong(&mut self, source: u32, account: u32, now: Moment) {
            let wrong = self.wrong.entry(source).or_default();
            wrong.insert(
                0,
                WrongTry {
                    at: now,
                    subject: subject(account),
                },
            );
            wrong.retain(|wrong| wrong.at > now - SOURCE_WINDOW);
            let (failures, end) = self.accounts.entry(account).or_insert((0, now));
            *failures += 1;
            *end = wait_after(*failures).map_or(Moment::MAX_UTC, |wait| now + wait);
        }

        fn was_right(&mut self, source: u32, account: u32) {
            *self.earned.entry(source).or_default() += 1;
            self.accounts.remove(&account);
        }
    }

    fn below(randomness: &SeededRandomness, end: u32) -> u32 {
        let mut bytes = [0; 4];
        randomness.fill(&mut bytes);
        u32::from_be_bytes(bytes) % end
    }

    #[test]
    fn an_office_of_five_hundred_with_one_in_twenty_mistyping_comes_in_whole() {
        for seed in 0..40 {
            let randomness = SeededRandomness::new(seed);
            let mut door = Door::default();
            // Nobody has ever signed in from here; everybody comes within the minute after nine o'clock.
            for account in 0..500 {
                let now = at(i64::from(account) * 60 / 500);
                if below(&randomness, 20) == 0 {
                    assert!(
                        door.admits(1, account, now),
                        "seed {seed}, account {account} mistypes"
                    );
                    door.was_wrong(1, account, now);
                }
                assert!(door.admits(1, account, now), "seed {seed}, account {account}");
                door.was_right(1, account);
            }
        }
    }

    #[test]
    fn ten_thousand_addresses_get_few_guesses_at_anybody() {
        let randomness = SeededRandomness::new(1);
        let mut door = Door::default();
        let mut guesses: HashMap<u32, u32> = HashMap::new();
        for second in 0..3_600 {
            // Each address tries something about every six minutes, against one of 200 accounts.
            for _ in 0..28 {
                let (source, account) = (below(&randomness, 10_000), below(&randomness, 200));
                if door.admits(source, account, at(second)) {
                    *guesses.entry(account).or_default() += 1;
                    door.was_wrong(source, account, at(second));
                }
            }
        }
        assert_eq!(guesses.len(), 200);
        assert!(guesses.values().all(|&guesses| guesses <= 12), "{guesses:?}");
    }

    #[test]
    fn one_address_that_sprays_is_stopped_and_does_not_stop_others() {
        let mut door = Door::default();
        let compared = (0..2_000)
            .filter(|&account| {
                let now = at(i64::from(account) / 10);
                let admitted = door.admits(1, account, now);
                if admitted {
                    door.was_wrong(1, account, now);
                }
                admitted
            })
            .count();
        assert!(compared <= 20, "{compared}");
        assert!(door.admits(2, 5_000, at(200)));
    }
}
