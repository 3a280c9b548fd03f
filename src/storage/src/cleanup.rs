//! Deletes what is over. Nothing depends on it: every reader checks times itself.

use chrono::TimeDelta;
use vestibule_core::{ports::Moment, throttle::EARNED_DAYS};

use crate::{StoreError, Writer, link::execute};

/// Each statement deletes what lies this long in the past. The spans leave every window that somebody still looks at
/// untouched: codes and their mails count for a day (N12), windows of sources for an hour (N8), a browser is known as
/// long as its cookie lives.
const EXPIRED: [(&str, TimeDelta); 19] = [
    (
        "DELETE FROM pending_sign_in WHERE expires_at <= $1",
        TimeDelta::zero(),
    ),
    (
        "DELETE FROM one_time_code WHERE created_at <= $1",
        TimeDelta::hours(25),
    ),
    // Nobody looks at them after a day.
    (
        "DELETE FROM mailed_code WHERE created_at <= $1",
        TimeDelta::hours(25),
    ),
    (
        "DELETE FROM factor_set_up WHERE expires_at <= $1",
        TimeDelta::zero(),
    ),
    // Kept for a day, so that a code that came too late is told from a wrong one.
    (
        "DELETE FROM issued_code WHERE expires_at <= $1",
        TimeDelta::days(1),
    ),
    ("DELETE FROM session WHERE ends_at <= $1", TimeDelta::zero()),
    (
        "DELETE FROM trusted_browser WHERE ends_at <= $1",
        TimeDelta::zero(),
    ),
    (
        "DELETE FROM account_link WHERE expires_at <= $1",
        TimeDelta::zero(),
    ),
    (
        "DELETE FROM agent_import WHERE expires_at <= $1",
        TimeDelta::zero(),
    ),
    // A link made now for one of these would have been good no longer.
    (
        "DELETE FROM reset_request WHERE created_at <= $1",
        TimeDelta::minutes(vestibule_core::limits::RESET_LINK_MINUTES),
    ),
    ("DELETE FROM sso_flow WHERE expires_at <= $1", TimeDelta::zero()),
    (
        "DELETE FROM known_browser WHERE last_at <= $1",
        TimeDelta::days(400),
    ),
    (
        "DELETE FROM source_try WHERE starts_at <= $1",
        TimeDelta::hours(2),
    ),
    ("DELETE FROM source_wrong WHERE at <= $1", TimeDelta::hours(2)),
    (
        "DELETE FROM source_right WHERE seen_at <= $1",
        TimeDelta::days(EARNED_DAYS),
    ),
    ("DELETE FROM sign_in_line WHERE seen_at <= $1", TimeDelta::days(1)),
    (
        "DELETE FROM sign_in_ticket WHERE expires_at <= $1",
        TimeDelta::zero(),
    ),
    (
        "DELETE FROM mail_outbox WHERE sent_at <= $1 OR given_up_at <= $1",
        TimeDelta::days(7),
    ),
    // Long, because failures in a row must add up for somebody who guesses slowly (N7); a password that is disabled
    // until its reset stays so.
    (
        "DELETE FROM password_try WHERE changed_at <= $1 AND (blocked_until IS NULL OR blocked_until <= $1)",
        TimeDelta::days(30),
    ),
];

impl Writer {
    /// Deletes everything that is over, of all companies; gives the number of rows.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_expired(&mut self, now: Moment) -> Result<u64, StoreError> {
        let mut deleted = 0;
        for (sql, age) in EXPIRED {
            deleted += execute!(self, sql, now - age)?;
        }
        Ok(deleted)
    }
}
