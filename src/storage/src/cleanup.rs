//! Deletes what is over. Nothing depends on it: every reader checks times itself.

use std::time::Duration;

use chrono::TimeDelta;
use vestibule_core::{
    limits::LOGOUT_NOTICE_HOURS, ports::Moment, session::TOLD_HOURS, throttle::EARNED_DAYS,
};

use crate::{
    Store, StoreError, Writer,
    link::{Link, execute},
};

/// Rows that one transaction deletes at most.
const BATCH: u32 = 1000;

/// Rows of one table that are over some time after a moment in them.
struct Expired {
    /// At most `$2` rows that are over by `$1`; on PostgreSQL without waiting for rows that somebody holds, nor making
    /// anybody wait who holds one and wants the next.
    sqlite: &'static str,
    postgres: &'static str,
    /// How long they stay. The spans leave every window that somebody still looks at untouched: codes and their mails
    /// count for a day (N12), windows of sources for an hour (N8), a browser is known as long as its cookie lives.
    age: TimeDelta,
    /// How many go at once.
    at_once: u32,
}

macro_rules! expired {
    ($table:literal, $key:literal, $over:literal, $age:expr) => {
        expired!($table, $key, $over, $age, BATCH)
    };
    ($table:literal, $key:literal, $over:literal, $age:expr, $at_once:expr) => {
        Expired {
            sqlite: expired!(@ $table, $key, $over, ""),
            postgres: expired!(@ $table, $key, $over, " FOR UPDATE SKIP LOCKED"),
            age: $age,
            at_once: $at_once,
        }
    };
    (@ $table:literal, $key:literal, $over:literal, $passing_over:literal) => {
        concat!(
            "DELETE FROM ", $table, " WHERE (", $key, ") IN (SELECT ", $key, " FROM ", $table, " WHERE ", $over,
            " LIMIT $2", $passing_over, ")"
        )
    };
}

const EXPIRED: [Expired; 32] = [
    expired!(
        "pending_sign_in",
        "company_id, id",
        "expires_at <= $1",
        TimeDelta::zero()
    ),
    expired!(
        "one_time_code",
        "company_id, id",
        "created_at <= $1",
        TimeDelta::hours(25)
    ),
    expired!(
        "factor_set_up",
        "company_id, id",
        "expires_at <= $1",
        TimeDelta::zero()
    ),
    // Kept for a day, so that a code that came too late is told from a wrong one.
    expired!(
        "issued_code",
        "company_id, account_id",
        "expires_at <= $1",
        TimeDelta::days(1)
    ),
    // Kept for a day, as what is known of those that ended otherwise: whoever comes back is told why.
    expired!(
        "session",
        "company_id, id",
        "ends_at <= $1",
        TimeDelta::hours(TOLD_HOURS)
    ),
    expired!(
        "ended_session",
        "token_hash",
        "ended_at <= $1",
        TimeDelta::hours(TOLD_HOURS)
    ),
    expired!("kept", "session_id, path", "expires_at <= $1", TimeDelta::zero()),
    expired!(
        "trusted_browser",
        "company_id, id",
        "ends_at <= $1",
        TimeDelta::zero()
    ),
    expired!(
        "account_link",
        "company_id, id",
        "expires_at <= $1",
        TimeDelta::zero()
    ),
    // One at a time: each takes up to ten thousand lines along.
    expired!(
        "agent_import",
        "company_id, id",
        "expires_at <= $1",
        TimeDelta::zero(),
        1
    ),
    // A link made now for one of these would have been good no longer.
    expired!(
        "reset_request",
        "id",
        "created_at <= $1",
        TimeDelta::minutes(vestibule_core::limits::RESET_LINK_MINUTES)
    ),
    expired!("sso_flow", "id", "expires_at <= $1", TimeDelta::zero()),
    expired!(
        "known_browser",
        "company_id, account_id, browser_hash",
        "last_at <= $1",
        TimeDelta::days(400)
    ),
    expired!(
        "source_try",
        "source, span, starts_at",
        "starts_at <= $1",
        TimeDelta::hours(2)
    ),
    // Only nodes of the version before write into it.
    expired!(
        "source_account",
        "source, starts_at, subject",
        "starts_at <= $1",
        TimeDelta::hours(2)
    ),
    expired!(
        "source_wrong",
        "source, at, subject",
        "at <= $1",
        TimeDelta::hours(2)
    ),
    expired!(
        "source_right",
        "source, subject",
        "seen_at <= $1",
        TimeDelta::days(EARNED_DAYS)
    ),
    expired!("sign_in_line", "node, lane", "seen_at <= $1", TimeDelta::days(1)),
    expired!(
        "sign_in_ticket",
        "token_hash",
        "expires_at <= $1",
        TimeDelta::zero()
    ),
    expired!(
        "session_note",
        "company_id, session_id, kind",
        "expires_at <= $1",
        TimeDelta::zero()
    ),
    expired!(
        "mailed_code",
        "company_id, id",
        "created_at <= $1",
        TimeDelta::hours(25)
    ),
    expired!("mail_outbox", "id", "sent_at <= $1", TimeDelta::days(7)),
    expired!("mail_outbox", "id", "given_up_at <= $1", TimeDelta::days(7)),
    // Long, because failures in a row must add up for somebody who guesses slowly (N7); a password that is disabled
    // until its reset stays so.
    expired!(
        "password_try",
        "subject, lane",
        "changed_at <= $1 AND (blocked_until IS NULL OR blocked_until <= $1)",
        TimeDelta::days(30)
    ),
    expired!("node", "id", "seen_at <= $1", TimeDelta::days(1)),
    expired!("access_token", "id", "expires_at <= $1", TimeDelta::zero()),
    // As long as an application may still have to be told that the session is over.
    expired!(
        "access_grant",
        "id",
        "expires_at <= $1",
        TimeDelta::hours(LOGOUT_NOTICE_HOURS + 1)
    ),
    // A code that nobody trades in is worth nothing after a minute, and nobody has to be told of its end.
    expired!(
        "access_grant",
        "id",
        "created_at <= $1 AND code_used_at IS NULL",
        TimeDelta::minutes(5)
    ),
    expired!(
        "carried_request",
        "token_hash",
        "created_at <= $1",
        TimeDelta::days(1)
    ),
    expired!("application_secret", "id", "expires_at <= $1", TimeDelta::zero()),
    expired!("application_session", "id", "expires_at <= $1", TimeDelta::zero()),
    expired!("signing_key", "id", "ends_at <= $1", TimeDelta::zero()),
];

/// The statements on SQLite, to be looked at.
#[cfg(test)]
pub(crate) fn statements() -> impl Iterator<Item = &'static str> {
    EXPIRED.iter().map(|expired| expired.sqlite)
}

impl Store {
    /// Deletes everything that is over, of all companies; gives the number of rows. It goes in small steps, each final
    /// by itself and followed by this pause when there is more, so that whoever signs in meanwhile need not wait.
    ///
    /// # Errors
    /// [`StoreError`]: the first one; what else could be deleted is gone all the same.
    pub async fn delete_expired(&self, now: Moment, pause: Duration) -> Result<u64, StoreError> {
        let (mut deleted, mut failure) = (0, None);
        for expired in &EXPIRED {
            loop {
                match self.delete_some(expired, now).await {
                    Ok(gone) => {
                        deleted += gone;
                        if gone < u64::from(expired.at_once) {
                            break;
                        }
                    }
                    Err(error) => {
                        failure.get_or_insert(error);
                        break;
                    }
                }
                tokio::time::sleep(pause).await;
            }
        }
        failure.map_or(Ok(deleted), Err)
    }

    async fn delete_some(&self, expired: &Expired, now: Moment) -> Result<u64, StoreError> {
        let mut writer = self.write().await?;
        let gone = writer.delete_some(expired, now).await?;
        writer.commit().await?;
        Ok(gone)
    }
}

impl Writer {
    async fn delete_some(&mut self, expired: &Expired, now: Moment) -> Result<u64, StoreError> {
        let sql = match self.link {
            Link::Sqlite(_) => expired.sqlite,
            Link::Postgres(_) => {
                // Nobody waits for this, so it may take longer than a statement may.
                execute!(self, "SET LOCAL statement_timeout = '60s'")?;
                expired.postgres
            }
        };
        execute!(self, sql, now - expired.age, i64::from(expired.at_once))
    }
}
