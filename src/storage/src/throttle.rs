//! Wrong passwords: counted per account and lane (N7, N9), and listed per source (N8).
//!
//! A right password writes no row here that another account shares: what it clears and what it earns its source are rows
//! of its own.

use sqlx::FromRow;
use vestibule_core::{
    id::CompanyId,
    ports::Moment,
    throttle::{SOURCE_WINDOW, Subject, WrongTry},
};

use crate::{
    Reader, StoreError, Writer,
    later::{Later, values},
    link::{all, execute, optional},
    sign_in::NOTED_FOR,
};

const COUNT_PASSWORD: &str = "INSERT INTO password_try (subject, lane, failures, changed_at, series) \
    VALUES ($1, $2, 1, $3, $4) \
    ON CONFLICT (subject, lane) DO UPDATE SET failures = password_try.failures + 1, changed_at = excluded.changed_at \
    WHERE (password_try.blocked_until IS NULL OR password_try.blocked_until <= excluded.changed_at) \
    AND password_try.failures < $5 RETURNING failures, series";
const BLOCK_PASSWORD: &str = "UPDATE password_try SET blocked_until = $3 \
    WHERE subject = $1 AND lane = $2 AND (blocked_until IS NULL OR blocked_until < $3)";
// A block that this try has set goes with it; one that a later try has set stays.
const UNCOUNT_PASSWORD: &str = "UPDATE password_try SET failures = failures - 1, \
    blocked_until = CASE WHEN failures = $3 THEN NULL ELSE blocked_until END \
    WHERE subject = $1 AND lane = $2 AND series = $4 AND failures > 0";
pub(crate) const IS_BLOCKED: &str =
    "SELECT count(*) FROM password_try WHERE subject = $1 AND lane = $2 AND blocked_until > $3";
const CLEAR_LANE: &str = "DELETE FROM password_try WHERE subject = $1 AND lane = $2";
const CLEAR_SUBJECT: &str = "DELETE FROM password_try WHERE subject = $1";
pub(crate) const WRONG_OF_SOURCE: &str =
    "SELECT at, subject FROM source_wrong WHERE source = $1 AND at > $2 ORDER BY at DESC LIMIT $3";
const NOTE_WRONG: &str =
    "INSERT INTO source_wrong (source, at, subject) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
pub(crate) const EARNED: &str = "SELECT count(*) FROM source_right \
    WHERE source = $1 AND subject >= $2 AND subject <= $3 AND seen_at > $4";
const NOTE_RIGHT: &str = "INSERT INTO source_right (source, subject, seen_at) VALUES ($1, $2, $3) \
    ON CONFLICT (source, subject) DO UPDATE SET seen_at = excluded.seen_at WHERE source_right.seen_at < $4";
const COUNT_RESET: &str = "INSERT INTO source_try (source, span, starts_at, tries) VALUES ($1, 'hour', $2, 1) \
    ON CONFLICT (source, span, starts_at) DO UPDATE SET tries = source_try.tries + 1 RETURNING tries";

const HOUR_SECONDS: i64 = 60 * 60;

/// The last second of the year 9999: as a block, "until the password is reset". Later moments would not sort.
pub const FOREVER: Moment = match Moment::from_timestamp(253_402_300_799, 0) {
    Some(moment) => moment,
    None => Moment::UNIX_EPOCH,
};

/// A password that was counted as wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct PasswordCount {
    /// Failures in a row, this one included.
    pub failures: i64,
    /// Which count it belongs to: a right password and a reset end it.
    pub series: i64,
}

#[derive(FromRow)]
struct WrongRow {
    at: Moment,
    subject: Vec<u8>,
}

/// When the hour by the clock began that `now` lies in.
fn hour_of(now: Moment) -> Moment {
    let start = now.timestamp().div_euclid(HOUR_SECONDS) * HOUR_SECONDS;
    Moment::from_timestamp(start, 0).unwrap_or(now)
}

impl Reader {
    /// The wrong passwords of a source within the longest window that is looked at, the newest first, and at most so many.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn wrong_of_source(
        &mut self,
        source: &str,
        most: i64,
        now: Moment,
    ) -> Result<Vec<WrongTry>, StoreError> {
        let rows = all!(self, WrongRow, WRONG_OF_SOURCE, source, now - SOURCE_WINDOW, most)?;
        rows.into_iter()
            .map(|WrongRow { at, subject }| {
                let subject =
                    Subject::try_from(subject).map_err(|_| StoreError::corrupt("source_wrong", "subject"))?;
                Ok(WrongTry { at, subject })
            })
            .collect()
    }

    /// Whether a lane is blocked: then [`Writer::count_password_try`] would count nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn is_password_blocked(
        &mut self,
        subject: &[u8],
        lane: &[u8],
        now: Moment,
    ) -> Result<bool, StoreError> {
        let row = optional!(self, (i64,), IS_BLOCKED, subject, lane, now)?;
        Ok(row.is_some_and(|(count,)| count > 0))
    }

    /// How many accounts of a company had a right password at a source since a moment. Their subjects begin with the
    /// company's identifier.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn accounts_right_at_source(
        &mut self,
        source: &str,
        company: CompanyId,
        since: Moment,
    ) -> Result<u32, StoreError> {
        let [first, last] = [0, u8::MAX].map(|rest| {
            let mut subject: Subject = [rest; 32];
            subject[..16].copy_from_slice(company.0.as_bytes());
            subject
        });
        let row = optional!(self, (i64,), EARNED, source, &first[..], &last[..], since)?;
        Ok(row.map_or(0, |(count,)| u32::try_from(count).unwrap_or(u32::MAX)))
    }
}

impl Writer {
    /// Notes that a password was found wrong.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn note_wrong_at_source(&mut self, source: &str, wrong: &WrongTry) -> Result<(), StoreError> {
        let values = values![source, wrong.at, &wrong.subject[..]];
        self.write_later(Later::changing("source_wrong", NOTE_WRONG, values))
            .await
    }

    /// Notes that the password of an account was right at a source: a row of this account alone, written at most once a
    /// day.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn note_right_at_source(
        &mut self,
        source: &str,
        subject: &Subject,
        now: Moment,
    ) -> Result<(), StoreError> {
        let values = values![source, &subject[..], now, now - NOTED_FOR];
        self.write_later(Later::changing("source_right", NOTE_RIGHT, values))
            .await
    }

    /// Counts a link to choose a new password that a source asked for, and gives how many there were in this hour by the
    /// clock, this one included (N22).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_reset_request(&mut self, source: &str, now: Moment) -> Result<i64, StoreError> {
        Ok(optional!(self, (i64,), COUNT_RESET, source, hour_of(now))?.map_or(1, |(tries,)| tries))
    }

    /// Counts a password as wrong before it is compared, as long as there are not more than `most` in a row then. `series`
    /// names the count if this try begins it. `None` when there would be, or while the lane is blocked: then nothing is
    /// counted and nothing may be compared.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_password_try(
        &mut self,
        (subject, lane): (&[u8], &[u8]),
        series: i64,
        most: i64,
        now: Moment,
    ) -> Result<Option<PasswordCount>, StoreError> {
        optional!(
            self,
            PasswordCount,
            COUNT_PASSWORD,
            subject,
            lane,
            now,
            series,
            most
        )
    }

    /// Takes a count back, because nothing was compared or the fault was ours. The block that came with it goes too, unless
    /// a later try has set another. Does nothing to a count that has begun since.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn uncount_password_try(
        &mut self,
        subject: &[u8],
        lane: &[u8],
        counted: PasswordCount,
    ) -> Result<(), StoreError> {
        execute!(
            self,
            UNCOUNT_PASSWORD,
            subject,
            lane,
            counted.failures,
            counted.series
        )
        .map(drop)
    }

    /// Blocks a lane that has failures until a moment, at most [`FOREVER`]. Never shortens a block.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn block_password(
        &mut self,
        subject: &[u8],
        lane: &[u8],
        until: Moment,
    ) -> Result<(), StoreError> {
        execute!(self, BLOCK_PASSWORD, subject, lane, until).map(drop)
    }

    /// Forgets the failures of one lane, because the password was right in it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clear_password_tries(&mut self, subject: &[u8], lane: &[u8]) -> Result<(), StoreError> {
        let values = values![subject, lane];
        self.write_later(Later::changing("password_try", CLEAR_LANE, values))
            .await
    }

    /// Forgets the failures of all lanes, because the password was reset.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clear_all_password_tries(&mut self, subject: &[u8]) -> Result<(), StoreError> {
        execute!(self, CLEAR_SUBJECT, subject).map(drop)
    }

    /// Forgets all failures of all accounts and all sources, and what sources have earned.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clear_tries(&mut self) -> Result<(), StoreError> {
        execute!(self, "DELETE FROM password_try")?;
        execute!(self, "DELETE FROM source_try")?;
        execute!(self, "DELETE FROM source_wrong")?;
        execute!(self, "DELETE FROM source_right").map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_begin_at_full_hours() {
        let at = |seconds| Moment::from_timestamp(seconds, 999_999_000).unwrap();
        assert_eq!(hour_of(at(7199)).timestamp(), 3600);
        assert_eq!(hour_of(at(7200)).timestamp(), 7200);
        assert_eq!(hour_of(at(-1)).timestamp(), -3600);
        assert_eq!(FOREVER.to_rfc3339(), "9999-12-31T23:59:59+00:00");
    }
}
