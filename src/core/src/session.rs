//! How long sessions live (N20; product.md section 6, Log-out Policy).

use chrono::TimeDelta;

use crate::{
    account::{Account, Role},
    limits::STEP_UP_SECONDS,
    ports::{Moment, has_begun},
    sign_in_view::Method,
    words,
};

/// Activity is written down at most this often, in seconds, so that a page view costs no write.
pub const TOUCH_SECONDS: i64 = 30;

/// How long a browser is told why its session is over, in hours.
pub const TOLD_HOURS: i64 = 24;

/// The absolute end of a session that begins now: 8 hours for admins, 12 for everyone else.
pub fn absolute_end(now: Moment, highest: Role) -> Moment {
    let hours = if highest == Role::Admin { 8 } else { 12 };
    now + TimeDelta::hours(hours)
}

/// When a session ends that nobody uses any more; `None` = only at its absolute end.
pub fn idle_end(last_used: Moment, idle_minutes: Option<u16>) -> Option<Moment> {
    idle_minutes.map(|minutes| last_used + TimeDelta::minutes(i64::from(minutes)))
}

/// Whether a session is still alive.
pub fn is_alive(now: Moment, last_used: Moment, ends_at: Moment, idle_minutes: Option<u16>) -> bool {
    now < ends_at && idle_end(last_used, idle_minutes).is_none_or(|end| now < end)
}

words! {
    /// Why a session is over, told to the browser that had it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum EndReason {
        /// Nobody used it for as long as the Log-out Policy allows.
        Idle = "idle",
        /// It was as old as a session may become.
        Lifetime = "lifetime",
        /// `Logout`, or a new sign-in in the same browser.
        SignedOut = "signed_out",
        /// Its owner ended it from another one, in Security Settings.
        ByOwner = "by_owner",
        /// An administrator or an operator ended it.
        ByAdmin = "by_admin",
        /// The account was deactivated.
        Deactivated = "deactivated",
        /// The account was deleted.
        Deleted = "deleted",
        /// The company was disabled.
        CompanyDisabled = "company_disabled",
        /// The password was changed, reset or chosen.
        PasswordChanged = "password_changed",
        /// Something else that the account signs in with was changed: its second factor, its e-mail address.
        CredentialsChanged = "credentials_changed",
        /// The account has other roles.
        RolesChanged = "roles_changed",
        /// A change of the Log-out Policy ended it.
        Policy = "policy",
        /// The password was entered wrongly too often in it.
        WrongPasswords = "wrong_passwords",
        /// The account had more sessions than it may.
        TooMany = "too_many",
    }
}

impl EndReason {
    /// Whether it may come upon somebody at work, so that what they send next must not be lost. Whoever signed out, here or
    /// from another browser, has left, and whoever guesses passwords was never there: what is sent then is anybody's.
    pub const fn interrupts(self) -> bool {
        match self {
            Self::Idle
            | Self::Lifetime
            | Self::ByAdmin
            | Self::Deactivated
            | Self::CompanyDisabled
            | Self::PasswordChanged
            | Self::CredentialsChanged
            | Self::RolesChanged
            | Self::Policy
            | Self::TooMany => true,
            Self::SignedOut | Self::ByOwner | Self::Deleted | Self::WrongPasswords => false,
        }
    }
}

/// The end of a session, as it is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Why.
    pub reason: EndReason,
    /// When.
    pub at: Moment,
    /// Minutes that it may be unused ([`EndReason::Idle`]) or last in all ([`EndReason::Lifetime`]).
    pub minutes: Option<i64>,
}

impl Ending {
    /// An end that needs no number.
    pub const fn now(reason: EndReason, at: Moment) -> Self {
        Self {
            reason,
            at,
            minutes: None,
        }
    }

    /// How a session that is not alive any more came to its end by itself: whichever of both ends came first.
    pub fn by_itself(
        created_at: Moment,
        last_used: Moment,
        ends_at: Moment,
        idle_minutes: Option<u16>,
    ) -> Self {
        match idle_end(last_used, idle_minutes) {
            Some(end) if end <= ends_at => Self {
                reason: EndReason::Idle,
                at: end,
                minutes: idle_minutes.map(i64::from),
            },
            _ => Self {
                reason: EndReason::Lifetime,
                at: ends_at,
                minutes: Some((ends_at - created_at).num_minutes()),
            },
        }
    }
}

words! {
    /// How a session proved who it is, kept for the audit log and for step-up.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Proof {
        /// Password alone: the account has no second factor.
        Password = "password",
        /// Password and a code by e-mail.
        EmailCode = "email_code",
        /// Password and a code of an authenticator app.
        AppCode = "app_code",
        /// Password and one of the ten backup codes.
        BackupCode = "backup_code",
        /// Password and a backup code that an administrator issued.
        IssuedCode = "issued_code",
        /// Password, or a provider's word, on a trusted browser.
        TrustedBrowser = "trusted_browser",
        /// A provider's word alone: the account has no second factor, or the company trusts the provider.
        Provider = "provider",
    }
}

impl Proof {
    /// The proof that a code of this method is.
    pub const fn by(method: Method) -> Self {
        match method {
            Method::Email => Self::EmailCode,
            Method::App => Self::AppCode,
        }
    }

    /// Whether it holds a second factor. A trusted browser skips the question, it does not answer it.
    pub const fn has_second_factor(self) -> bool {
        match self {
            Self::EmailCode | Self::AppCode | Self::BackupCode | Self::IssuedCode => true,
            Self::Password | Self::TrustedBrowser | Self::Provider => false,
        }
    }
}

/// Whether a session may change credentials without being asked again: everything the account has was proved, not
/// more than five minutes ago (N21).
pub fn is_proved(now: Moment, proof: Proof, proved_at: Moment, account: &Account) -> bool {
    let recent = has_begun(now, proved_at) && now - proved_at < TimeDelta::seconds(STEP_UP_SECONDS);
    recent && (proof.has_second_factor() || !account.has_second_factor())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign_in::tests::account;

    #[test]
    fn a_proof_is_good_for_five_minutes_and_only_when_it_is_whole() {
        let start = Moment::UNIX_EPOCH;
        let with = account();
        let without = Account {
            email_factor: false,
            ..account()
        };
        let holds = |seconds, proof, account: &Account| {
            is_proved(start + TimeDelta::seconds(seconds), proof, start, account)
        };
        assert!(holds(299, Proof::EmailCode, &with));
        assert!(!holds(300, Proof::EmailCode, &with));
        assert!(
            holds(-5, Proof::EmailCode, &with),
            "the clock of the node that wrote it may be a little ahead"
        );
        assert!(
            !holds(-6, Proof::EmailCode, &with),
            "a clock that steps back proves nothing"
        );
        assert!(
            !holds(0, Proof::TrustedBrowser, &with),
            "trust replaces the question, not the answer"
        );
        assert!(!holds(0, Proof::Password, &with));
        assert!(holds(0, Proof::Password, &without));
    }

    #[test]
    fn every_proof_is_read_as_it_is_written() {
        for word in [
            "password",
            "email_code",
            "app_code",
            "backup_code",
            "issued_code",
            "trusted_browser",
        ] {
            assert_eq!(Proof::from_word(word).map(Proof::as_str), Some(word));
        }
        assert_eq!(Proof::from_word("nothing"), None);
    }

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

    #[test]
    fn the_end_that_came_first_is_the_reason() {
        let start = Moment::UNIX_EPOCH;
        let end = absolute_end(start, Role::Agent);
        let after = |minutes| start + TimeDelta::minutes(minutes);
        let of = |last_used, idle| {
            let ending = Ending::by_itself(start, last_used, end, idle);
            (ending.reason, ending.at, ending.minutes)
        };
        assert_eq!(of(start, Some(30)), (EndReason::Idle, after(30), Some(30)));
        assert_eq!(of(after(719), Some(30)), (EndReason::Lifetime, end, Some(720)));
        assert_eq!(of(start, None), (EndReason::Lifetime, end, Some(720)));
        for reason in EndReason::ALL {
            assert_eq!(EndReason::from_word(reason.as_str()), Some(reason));
        }
    }

    #[test]
    fn whoever_left_is_not_interrupted() {
        let left = EndReason::ALL.into_iter().filter(|reason| !reason.interrupts());
        assert_eq!(
            left.collect::<Vec<_>>(),
            [
                EndReason::SignedOut,
                EndReason::ByOwner,
                EndReason::Deleted,
                EndReason::WrongPasswords,
            ]
        );
    }
}
