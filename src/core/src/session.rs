//! How long sessions live (N20; product.md section 6, Log-out Policy).

use chrono::TimeDelta;

use crate::{account::Role, ports::Moment};

/// Activity is written down at most this often, in seconds, so that a page view costs no write.
pub const TOUCH_SECONDS: i64 = 30;

/// The absolute end of a session that begins now: 8 hours for admins, 12 for everyone else.
pub fn absolute_end(now: Moment, highest: Role) -> Moment {
    let hours = if highest == Role::Admin { 8 } else { 12 };
    now + TimeDelta::hours(hours)
}

/// Whether a session is still alive.
pub fn is_alive(now: Moment, last_used: Moment, ends_at: Moment, idle_minutes: Option<u16>) -> bool {
    let idle_over =
        idle_minutes.is_some_and(|minutes| now - last_used >= TimeDelta::minutes(i64::from(minutes)));
    now < ends_at && !idle_over
}

/// How a session proved who it is, kept for the audit log and for step-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Password alone: the account has no second factor.
    Password,
    /// Password and a code by e-mail.
    EmailCode,
    /// Password on a trusted browser.
    TrustedBrowser,
}

impl Proof {
    /// The stored form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::EmailCode => "email_code",
            Self::TrustedBrowser => "trusted_browser",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_and_absolute_end_are_both_ends() {
        let start = Moment::UNIX_EPOCH;
        let end = absolute_end(start, Role::Agent);
        assert_eq!((end - start).num_hours(), 12);
        assert_eq!((absolute_end(start, Role::Admin) - start).num_hours(), 8);
        let after = |minutes| start + TimeDelta::minutes(minutes);
        assert!(is_alive(after(29), start, end, Some(30)));
        assert!(!is_alive(after(30), start, end, Some(30)));
        assert!(is_alive(after(600), start, end, None));
        assert!(!is_alive(end, after(719), end, None));
    }
}
