//! Counters of wrong passwords: per account and lane (N7, N9), and per source (N8).

use sqlx::FromRow;
use vestibule_core::ports::Moment;

use crate::{
    StoreError, Writer,
    link::{execute, optional},
};

const COUNT_PASSWORD: &str = "INSERT INTO password_try (subject, lane, failures, changed_at) VALUES ($1, $2, 1, $3) \
    ON CONFLICT (subject, lane) DO UPDATE SET failures = password_try.failures + 1, changed_at = excluded.changed_at \
    WHERE password_try.blocked_until IS NULL OR password_try.blocked_until <= excluded.changed_at \
    RETURNING failures";
const BLOCK_PASSWORD: &str = "UPDATE password_try SET blocked_until = $3 \
    WHERE subject = $1 AND lane = $2 AND (blocked_until IS NULL OR blocked_until < $3)";
const CLEAR_LANE: &str = "DELETE FROM password_try WHERE subject = $1 AND lane = $2";
const CLEAR_SUBJECT: &str = "DELETE FROM password_try WHERE subject = $1";
const COUNT_SOURCE: &str = "INSERT INTO source_try (source, span, starts_at, tries) VALUES ($1, $2, $3, 1) \
    ON CONFLICT (source, span, starts_at) DO UPDATE SET tries = source_try.tries + 1 RETURNING tries";
const NOTE_SOURCE_ACCOUNT: &str = "INSERT INTO source_account (source, starts_at, subject) VALUES ($1, $2, $3) \
    ON CONFLICT (source, starts_at, subject) DO NOTHING";
const COUNT_SOURCE_ACCOUNTS: &str =
    "SELECT count(*) FROM source_account WHERE source = $1 AND starts_at = $2";
const FORGIVE_SOURCE: &str = "UPDATE source_try SET tries = tries - 1 \
    WHERE source = $1 AND span = $2 AND starts_at = $3 AND tries > 0";
const FORGIVE_SOURCE_ACCOUNT: &str =
    "DELETE FROM source_account WHERE source = $1 AND starts_at = $2 AND subject = $3";

const MINUTE: i64 = 60;
const TEN_MINUTES: i64 = 10 * MINUTE;
const HOUR: i64 = 60 * MINUTE;

/// The last second of the year 9999: as a block, "until the password is reset". Later moments would not sort.
pub const FOREVER: Moment = match Moment::from_timestamp(253_402_300_799, 0) {
    Some(moment) => moment,
    None => Moment::UNIX_EPOCH,
};

/// A password that was tried.
#[derive(Clone, Copy, Debug)]
pub struct SourceTry<'a> {
    /// Where it came from: an IPv4 address, or an IPv6 network of 64 bits, in one spelling.
    pub source: &'a str,
    /// Which account, or a hash of what was typed.
    pub subject: [u8; 32],
    /// When. Forgiving a try takes the moment it was counted with.
    pub now: Moment,
}

/// Tries from one source, the present one included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct SourceCounts {
    /// In this minute by the clock.
    pub minute: i64,
    /// In this hour by the clock.
    pub hour: i64,
    /// Different accounts in these ten minutes by the clock.
    pub accounts: i64,
}

/// When the window of `seconds` began that `now` lies in.
fn window(now: Moment, seconds: i64) -> Moment {
    let start = now.timestamp().div_euclid(seconds) * seconds;
    Moment::from_timestamp(start, 0).unwrap_or(now)
}

impl Writer {
    /// Counts a try of a source in fixed windows.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_source_try(&mut self, attempt: &SourceTry<'_>) -> Result<SourceCounts, StoreError> {
        let minute = self
            .count_source(attempt.source, "minute", window(attempt.now, MINUTE))
            .await?;
        let hour = self
            .count_source(attempt.source, "hour", window(attempt.now, HOUR))
            .await?;
        let ten_minutes = window(attempt.now, TEN_MINUTES);
        execute!(
            self,
            NOTE_SOURCE_ACCOUNT,
            attempt.source,
            ten_minutes,
            &attempt.subject[..]
        )?;
        let accounts = optional!(self, (i64,), COUNT_SOURCE_ACCOUNTS, attempt.source, ten_minutes)?;
        Ok(SourceCounts {
            minute,
            hour,
            accounts: accounts.map_or(1, |(count,)| count),
        })
    }

    /// Counts a link to choose a new password that a source asked for, and gives how many there were in this hour by the
    /// clock, this one included (N22).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_reset_request(&mut self, source: &str, now: Moment) -> Result<i64, StoreError> {
        // A source of its own, so that wrong passwords and links do not add up.
        let asking = format!("reset {source}");
        self.count_source(&asking, "hour", window(now, HOUR)).await
    }

    async fn count_source(&mut self, source: &str, span: &str, start: Moment) -> Result<i64, StoreError> {
        Ok(optional!(self, (i64,), COUNT_SOURCE, source, span, start)?.map_or(1, |(tries,)| tries))
    }

    /// Takes a counted try back, because the password was right.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forgive_source_try(&mut self, attempt: &SourceTry<'_>) -> Result<(), StoreError> {
        execute!(
            self,
            FORGIVE_SOURCE,
            attempt.source,
            "minute",
            window(attempt.now, MINUTE)
        )?;
        execute!(
            self,
            FORGIVE_SOURCE,
            attempt.source,
            "hour",
            window(attempt.now, HOUR)
        )?;
        let ten_minutes = window(attempt.now, TEN_MINUTES);
        execute!(
            self,
            FORGIVE_SOURCE_ACCOUNT,
            attempt.source,
            ten_minutes,
            &attempt.subject[..]
        )
        .map(drop)
    }

    /// Counts a password as wrong before it is compared, and gives the failures in a row, this one included. `None`
    /// while the lane is blocked: then nothing is counted and nothing may be compared.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_password_try(
        &mut self,
        subject: &[u8],
        lane: &[u8],
        now: Moment,
    ) -> Result<Option<i64>, StoreError> {
        let row = optional!(self, (i64,), COUNT_PASSWORD, subject, lane, now)?;
        Ok(row.map(|(failures,)| failures))
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
        execute!(self, CLEAR_LANE, subject, lane).map(drop)
    }

    /// Forgets the failures of all lanes, because the password was reset.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clear_all_password_tries(&mut self, subject: &[u8]) -> Result<(), StoreError> {
        execute!(self, CLEAR_SUBJECT, subject).map(drop)
    }

    /// Forgets all failures of all accounts and all sources.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clear_tries(&mut self) -> Result<(), StoreError> {
        execute!(self, "DELETE FROM password_try")?;
        execute!(self, "DELETE FROM source_try")?;
        execute!(self, "DELETE FROM source_account").map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_begin_at_full_minutes_and_hours() {
        let at = |seconds| Moment::from_timestamp(seconds, 999_999_000).unwrap();
        assert_eq!(window(at(119), MINUTE).timestamp(), 60);
        assert_eq!(window(at(120), MINUTE).timestamp(), 120);
        assert_eq!(window(at(7199), HOUR).timestamp(), 3600);
        assert_eq!(window(at(-1), MINUTE).timestamp(), -60);
        assert_eq!(FOREVER.to_rfc3339(), "9999-12-31T23:59:59+00:00");
    }
}
