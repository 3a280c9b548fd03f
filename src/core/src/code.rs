//! Mailed codes: how long they live and when another may be sent (N10, N12).

use chrono::TimeDelta;

use crate::{
    limits::{
        CODE_MAIL_BURST, CODE_MAIL_BURST_SECONDS, CODE_MAIL_DAY, PENDING_SECONDS, RESEND_WAIT_SECONDS,
        RESENDS_MAX,
    },
    ports::Moment,
    refusal::Refusal,
};

/// When a code issued now ends: after ten minutes, and never beyond its pending sign-in.
pub fn ends_at(now: Moment, pending_ends_at: Moment) -> Moment {
    (now + TimeDelta::seconds(PENDING_SECONDS)).min(pending_ends_at)
}

/// Whole seconds from `now` until `then`, rounded up; 0 when it has passed.
pub fn seconds_until(now: Moment, then: Moment) -> u32 {
    let millis = (then - now).num_milliseconds().max(0);
    u32::try_from(millis.div_euclid(1000) + i64::from(millis % 1000 > 0)).unwrap_or(u32::MAX)
}

/// Seconds until `Resend` is allowed, by the server's clock.
pub fn resend_in(now: Moment, last_sent_at: Option<Moment>) -> u32 {
    last_sent_at.map_or(0, |sent| {
        seconds_until(now, sent + TimeDelta::seconds(RESEND_WAIT_SECONDS))
    })
}

/// Whether a pending sign-in may get another code.
///
/// # Errors
/// [`Refusal::ResendLimit`] or [`Refusal::ResendTooSoon`].
pub fn may_resend(now: Moment, last_sent_at: Option<Moment>, resends: i64) -> Result<(), Refusal> {
    if resends >= RESENDS_MAX {
        return Err(Refusal::ResendLimit);
    }
    match resend_in(now, last_sent_at) {
        0 => Ok(()),
        retry_after => Err(Refusal::ResendTooSoon { retry_after }),
    }
}

/// The moments of an account's code mails of the last 24 hours, newest first, decide whether one more may go out.
///
/// # Errors
/// [`Refusal::CodeMailLimit`] with the seconds until the window has room again.
pub fn may_mail(now: Moment, mailed: &[Moment]) -> Result<(), Refusal> {
    let windows = [
        (CODE_MAIL_BURST, CODE_MAIL_BURST_SECONDS),
        (CODE_MAIL_DAY, 24 * 60 * 60),
    ];
    let wait = windows
        .into_iter()
        .filter_map(|(most, seconds)| {
            let index = usize::try_from(most - 1).ok()?;
            Some(seconds_until(
                now,
                *mailed.get(index)? + TimeDelta::seconds(seconds),
            ))
        })
        .max()
        .unwrap_or(0);
    if wait == 0 {
        Ok(())
    } else {
        Err(Refusal::CodeMailLimit { retry_after: wait })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Moment {
        Moment::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    #[test]
    fn a_code_never_outlives_its_pending_sign_in() {
        assert_eq!(ends_at(at(0), at(600)), at(600));
        assert_eq!(ends_at(at(540), at(600)), at(600));
    }

    #[test]
    fn resend_opens_after_sixty_seconds_and_never_counts_below_zero() {
        assert_eq!(resend_in(at(0), Some(at(0))), 60);
        assert_eq!(
            may_resend(at(59), Some(at(0)), 0),
            Err(Refusal::ResendTooSoon { retry_after: 1 })
        );
        assert_eq!(may_resend(at(60), Some(at(0)), 4), Ok(()));
        assert_eq!(may_resend(at(60), Some(at(0)), 5), Err(Refusal::ResendLimit));
        assert_eq!(resend_in(at(90_000), Some(at(0))), 0);
        assert_eq!(
            resend_in(at(-30), Some(at(0))),
            90,
            "a clock that steps back only lengthens the wait"
        );
    }

    #[test]
    fn five_mails_in_ten_minutes_and_twenty_a_day() {
        let burst: Vec<_> = (0..5).rev().map(|n| at(n * 100)).collect();
        assert_eq!(may_mail(at(410), &burst[1..]), Ok(()));
        assert_eq!(
            may_mail(at(410), &burst),
            Err(Refusal::CodeMailLimit { retry_after: 190 })
        );
        assert_eq!(may_mail(at(600), &burst), Ok(()));
        let day: Vec<_> = (0..20).rev().map(|n| at(n * 1000)).collect();
        assert_eq!(may_mail(at(20_000), &day[1..]), Ok(()));
        assert_eq!(
            may_mail(at(20_000), &day),
            Err(Refusal::CodeMailLimit { retry_after: 66_400 })
        );
    }
}
