//! The state machine of a sign-in: identify, password, second factor, session (product.md section 4).
//!
//! Pure: what was found and counted comes in, what happens next comes out. Whoever calls it has counted before it
//! compared, and writes the outcome down in one transaction.

use chrono::TimeDelta;

use crate::{
    account::{Account, Role},
    company::{Company, CompanySettings, TwoFactorPolicy},
    gate,
    id::{AccountId, CompanyId, PendingId, SessionId},
    limits::{PENDING_SECONDS, WRONG_CODES_TO_LOCK},
    paths,
    ports::{Moment, has_begun},
    refusal::{CodeHint, Refusal},
    second_factor::first_method,
    session::Proof,
    sign_in_view::Method,
};

/// What a right password and a code lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A new session.
    SignIn,
    /// This session has proved once more who it is (N21).
    StepUp(SessionId),
}

/// A sign-in, or a step-up, whose password was right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Its identifier.
    pub id: PendingId,
    /// The company.
    pub company: CompanyId,
    /// The account.
    pub account: AccountId,
    /// What it leads to.
    pub purpose: Purpose,
    /// The method that its page asks for.
    pub method: Method,
    /// When the password was right.
    pub created_at: Moment,
    /// The absolute end.
    pub expires_at: Moment,
    /// When a code was last mailed; `None` = none yet.
    pub mailed_at: Option<Moment>,
    /// How often `Resend` was used.
    pub resends: i64,
    /// Version of the credentials it began with.
    pub credential_version: i64,
    /// Where to go afterwards: a local path.
    pub next: Option<String>,
    /// When it was completed; `None` = still open.
    pub completed_at: Option<Moment>,
}

/// When a pending sign-in that begins now ends.
pub fn pending_ends_at(now: Moment) -> Moment {
    now + TimeDelta::seconds(PENDING_SECONDS)
}

/// What a right password, or a provider's word, leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterPassword {
    /// Signed in.
    Session(Proof),
    /// A code of this method is asked for.
    AskForCode(Method),
}

/// The step after a right password. `trusted` says that this browser is trusted for this account
/// ([`trust_holds`]).
///
/// # Errors
/// What [`gate::admit`] says.
pub fn after_password(company: &Company, account: &Account, trusted: bool) -> Result<AfterPassword, Refusal> {
    gate::admit(company, account)?;
    Ok(match (first_method(account), trusted) {
        (None, _) => AfterPassword::Session(Proof::Password),
        (Some(_), true) => AfterPassword::Session(Proof::TrustedBrowser),
        (Some(method), false) => AfterPassword::AskForCode(method),
    })
}

/// The step after a provider's word. `spared` says that the company asks for no second factor then; `trusted` as in
/// [`after_password`].
///
/// # Errors
/// What [`gate::admit`] says.
pub fn after_provider(
    company: &Company,
    account: &Account,
    spared: bool,
    trusted: bool,
) -> Result<AfterPassword, Refusal> {
    Ok(match after_password(company, account, trusted)? {
        AfterPassword::Session(Proof::Password) => AfterPassword::Session(Proof::Provider),
        _ if spared => AfterPassword::Session(Proof::Provider),
        other => other,
    })
}

/// Whether trust given at `since` with the fixed end `until` still holds under today's policy: a policy of fewer
/// days, or of none, ends trust that was given under an older one (product.md section 4.7).
pub fn trust_holds(now: Moment, since: Moment, until: Moment, policy: TwoFactorPolicy) -> bool {
    policy.trust_days().is_some_and(|days| {
        let by_policy = since + TimeDelta::days(i64::from(days));
        has_begun(now, since) && now < until.min(by_policy)
    })
}

/// When trust given now ends; `None` when there is none: the policy allows none, or what proved the account was no code
/// of its own method. A backup code, or an administrator's, helps out once (product.md section 4.7).
pub fn trust_ends_at(now: Moment, policy: TwoFactorPolicy, proof: Proof) -> Option<Moment> {
    match proof {
        Proof::EmailCode | Proof::AppCode => policy
            .trust_days()
            .map(|days| now + TimeDelta::days(i64::from(days))),
        Proof::Password | Proof::BackupCode | Proof::IssuedCode | Proof::TrustedBrowser | Proof::Provider => {
            None
        }
    }
}

/// Whether a pending sign-in can still be completed.
///
/// # Errors
/// [`Refusal::SignInExpired`] when it is over, was completed, or credentials changed since it began; what
/// [`gate::admit`] says about the account.
pub fn may_continue(
    now: Moment,
    company: &Company,
    account: &Account,
    pending: &Pending,
) -> Result<(), Refusal> {
    gate::admit(company, account)?;
    let open = pending.completed_at.is_none()
        && now < pending.expires_at
        && now >= pending.created_at - TimeDelta::seconds(PENDING_SECONDS)
        && pending.credential_version == account.credential_version;
    if open { Ok(()) } else { Err(Refusal::SignInExpired) }
}

/// Whether a request is the same act as the one at `then`, done twice: a double click, or an answer that was lost.
pub fn is_repeat(now: Moment, then: Moment, seconds: i64) -> bool {
    has_begun(now, then) && now - then <= TimeDelta::seconds(seconds)
}

/// How an entered code compared, after it was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// It is the code of this pending sign-in, or one that the account may use anywhere.
    Right,
    /// It was, until a newer one replaced it.
    Replaced,
    /// It is, but its time is over.
    Expired,
    /// It is the newest code of another sign-in or set-up of the same account.
    Elsewhere,
    /// It is none of ours, or used up.
    Wrong(Option<CodeHint>),
}

/// What an entered code leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterCode {
    /// Signed in; the counter starts at zero again.
    Session,
    /// The count is taken back: an old code is not a guess.
    Uncount(OldCode),
    /// Wrong; with the tries that are left from the third on.
    Wrong {
        /// Tries left, said from the third wrong code on.
        left: Option<u8>,
        /// What is known about the code besides.
        hint: Option<CodeHint>,
    },
    /// The fifth wrong code.
    Lock,
}

/// A code that was right once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldCode {
    /// A newer one replaced it.
    Replaced,
    /// Its time is over.
    Expired,
    /// It is right for another sign-in or set-up of the same account, and for that one alone.
    Elsewhere,
}

/// What a code is worth that was mailed to the account at `sent_at`, but not for what it was entered for. `live_until` is
/// its end while it is still the newest of what it was for; `mailed_at` says when a code was last mailed for what it was
/// entered for. An old one is no guess: it was the account's own (product.md section 4.6). One that still opens something
/// else is told of only where no code could have been right, `may_be_right` = false: otherwise each entry would be a guess
/// at two codes, and five of them ten in a million.
pub fn own_code(
    now: Moment,
    sent_at: Moment,
    live_until: Option<Moment>,
    mailed_at: Option<Moment>,
    may_be_right: bool,
) -> Comparison {
    if live_until.is_some_and(|end| now < end) {
        if may_be_right {
            Comparison::Wrong(None)
        } else {
            Comparison::Elsewhere
        }
    } else if mailed_at.is_some_and(|newer| sent_at <= newer) {
        Comparison::Replaced
    } else {
        Comparison::Expired
    }
}

/// The step after a code was counted as number `counted` (1-5) and compared (product.md section 4.5).
pub fn after_code(comparison: Comparison, counted: i64) -> AfterCode {
    match comparison {
        Comparison::Right => AfterCode::Session,
        Comparison::Replaced => AfterCode::Uncount(OldCode::Replaced),
        Comparison::Expired => AfterCode::Uncount(OldCode::Expired),
        Comparison::Elsewhere => AfterCode::Uncount(OldCode::Elsewhere),
        Comparison::Wrong(_) if counted >= WRONG_CODES_TO_LOCK => AfterCode::Lock,
        Comparison::Wrong(hint) => {
            let left = WRONG_CODES_TO_LOCK - counted;
            AfterCode::Wrong {
                left: u8::try_from(left).ok().filter(|&left| left <= 2),
                hint,
            }
        }
    }
}

/// Where a completed sign-in lands: the deep link if it is local, else `/admin` for admins, and for everyone else the
/// application that the company has chosen or `/agent` (product.md section 4.9).
pub fn landing(settings: &CompanySettings, highest: Role, next: Option<&str>) -> String {
    match next {
        Some(next) if paths::is_local(next) && next != "/" => next.to_owned(),
        _ if highest == Role::Admin => paths::ADMIN.to_owned(),
        _ if settings.after_sign_in.is_some() => paths::AGENT_START.to_owned(),
        _ => paths::AGENT.to_owned(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{account::Person, id::PublicId, ports::SeededRandomness};

    fn at(seconds: i64) -> Moment {
        Moment::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    pub(crate) fn company() -> Company {
        Company {
            id: CompanyId::new(at(0), &SeededRandomness::new(1)),
            name: "Acme".into(),
            enabled: true,
            settings: CompanySettings::new("en".into(), "UTC".into()),
            version: 1,
            created_at: at(0),
        }
    }

    pub(crate) fn account() -> Account {
        Account {
            company: company().id,
            id: AccountId::new(at(0), &SeededRandomness::new(2)),
            public_id: PublicId::draw(&SeededRandomness::new(4)),
            name: "alice".into(),
            email: "a@acme.test".into(),
            person: Person {
                first_name: "Alice".into(),
                alias: "Alice".into(),
                ..Person::default()
            },
            roles: vec![Role::Agent],
            active: true,
            locked_at: None,
            lock_reason: None,
            password_must_change: false,
            has_password: true,
            pending_email: None,
            version: 1,
            wrong_codes: 0,
            email_factor: true,
            app_factor: false,
            credential_version: 1,
            created_at: at(0),
            last_sign_in_at: None,
        }
    }

    fn pending() -> Pending {
        Pending {
            id: PendingId::new(at(0), &SeededRandomness::new(3)),
            company: company().id,
            account: account().id,
            purpose: Purpose::SignIn,
            method: Method::Email,
            created_at: at(0),
            expires_at: pending_ends_at(at(0)),
            mailed_at: Some(at(0)),
            resends: 0,
            credential_version: 1,
            next: None,
            completed_at: None,
        }
    }

    #[test]
    fn a_right_password_is_not_enough_for_an_account_with_a_second_factor() {
        assert_eq!(
            after_password(&company(), &account(), false),
            Ok(AfterPassword::AskForCode(Method::Email))
        );
        assert_eq!(
            after_password(&company(), &account(), true),
            Ok(AfterPassword::Session(Proof::TrustedBrowser))
        );
        let both = Account {
            app_factor: true,
            ..account()
        };
        assert_eq!(
            after_password(&company(), &both, false),
            Ok(AfterPassword::AskForCode(Method::App)),
            "the app is asked first"
        );
        let plain = Account {
            email_factor: false,
            ..account()
        };
        assert_eq!(
            after_password(&company(), &plain, false),
            Ok(AfterPassword::Session(Proof::Password))
        );
    }

    #[test]
    fn a_providers_word_is_worth_a_password_unless_the_company_says_more() {
        let plain = Account {
            email_factor: false,
            ..account()
        };
        let by_provider = Ok(AfterPassword::Session(Proof::Provider));
        for (account, spared, trusted, expected) in [
            (
                account(),
                false,
                false,
                Ok(AfterPassword::AskForCode(Method::Email)),
            ),
            (
                account(),
                false,
                true,
                Ok(AfterPassword::Session(Proof::TrustedBrowser)),
            ),
            (account(), true, false, by_provider.clone()),
            (account(), true, true, by_provider.clone()),
            (plain, false, true, by_provider),
        ] {
            assert_eq!(after_provider(&company(), &account, spared, trusted), expected);
        }
    }

    #[test]
    fn the_gate_stops_every_step() {
        let disabled = Company {
            enabled: false,
            ..company()
        };
        let inactive = Account {
            active: false,
            ..account()
        };
        let locked = Account {
            locked_at: Some(at(0)),
            ..account()
        };
        let counted_out = Account {
            wrong_codes: 5,
            ..account()
        };
        for (company, account, refusal) in [
            (disabled, account(), Refusal::CompanyDisabled),
            (company(), inactive, Refusal::AccountInactive),
            (company(), locked, Refusal::AccountLocked),
            (company(), counted_out, Refusal::AccountLocked),
        ] {
            for trusted in [false, true] {
                assert_eq!(after_password(&company, &account, trusted), Err(refusal.clone()));
                let spared = after_provider(&company, &account, true, trusted);
                assert_eq!(spared, Err(refusal.clone()));
            }
            assert_eq!(may_continue(at(1), &company, &account, &pending()), Err(refusal));
        }
    }

    #[test]
    fn a_pending_sign_in_ends_after_ten_minutes_or_with_the_credentials_it_began_with() {
        let go_on = |now, pending: &Pending| may_continue(now, &company(), &account(), pending);
        assert_eq!(go_on(at(599), &pending()), Ok(()));
        assert_eq!(go_on(at(600), &pending()), Err(Refusal::SignInExpired));
        assert_eq!(
            go_on(
                at(1),
                &Pending {
                    credential_version: 0,
                    ..pending()
                }
            ),
            Err(Refusal::SignInExpired)
        );
        assert_eq!(
            go_on(
                at(1),
                &Pending {
                    completed_at: Some(at(1)),
                    ..pending()
                }
            ),
            Err(Refusal::SignInExpired)
        );
    }

    #[test]
    fn the_third_and_fourth_wrong_code_warn_and_the_fifth_locks() {
        let outcomes: Vec<_> = (1..=5)
            .map(|counted| after_code(Comparison::Wrong(None), counted))
            .collect();
        assert_eq!(
            outcomes,
            [
                AfterCode::Wrong {
                    left: None,
                    hint: None
                },
                AfterCode::Wrong {
                    left: None,
                    hint: None
                },
                AfterCode::Wrong {
                    left: Some(2),
                    hint: None
                },
                AfterCode::Wrong {
                    left: Some(1),
                    hint: None
                },
                AfterCode::Lock,
            ]
        );
    }

    #[test]
    fn old_codes_are_not_guesses_and_a_right_one_wins_even_as_the_fifth() {
        assert_eq!(
            after_code(Comparison::Replaced, 5),
            AfterCode::Uncount(OldCode::Replaced)
        );
        assert_eq!(
            after_code(Comparison::Expired, 1),
            AfterCode::Uncount(OldCode::Expired)
        );
        assert_eq!(
            after_code(Comparison::Elsewhere, 4),
            AfterCode::Uncount(OldCode::Elsewhere)
        );
        assert_eq!(after_code(Comparison::Right, 5), AfterCode::Session);
    }

    #[test]
    fn a_code_of_another_sign_in_is_told_by_what_became_of_it() {
        let elsewhere = own_code(at(100), at(0), Some(at(600)), Some(at(60)), false);
        assert_eq!(elsewhere, Comparison::Elsewhere);
        for (live_until, mailed_at, expected) in [
            (Some(at(600)), Some(at(60)), Comparison::Wrong(None)),
            (Some(at(100)), Some(at(60)), Comparison::Replaced),
            (None, Some(at(60)), Comparison::Replaced),
            // Nothing newer is there to be entered instead.
            (None, Some(at(-60)), Comparison::Expired),
            (None, None, Comparison::Expired),
        ] {
            assert_eq!(
                own_code(at(100), at(0), live_until, mailed_at, true),
                expected,
                "{live_until:?} {mailed_at:?}"
            );
        }
    }

    #[test]
    fn trust_has_a_fixed_end_and_a_shorter_policy_shortens_it() {
        let day = |n: i64| at(n * 86_400);
        let policy = |days| TwoFactorPolicy::from_days(days).unwrap();
        for proof in [Proof::EmailCode, Proof::AppCode] {
            assert_eq!(trust_ends_at(day(0), policy(30), proof), Some(day(30)));
            assert_eq!(trust_ends_at(day(0), policy(0), proof), None);
        }
        for proof in [
            Proof::BackupCode,
            Proof::IssuedCode,
            Proof::Password,
            Proof::TrustedBrowser,
            Proof::Provider,
        ] {
            assert_eq!(trust_ends_at(day(0), policy(90), proof), None, "{proof:?}");
        }
        assert!(trust_holds(day(29), day(0), day(30), policy(30)));
        assert!(!trust_holds(day(30), day(0), day(30), policy(30)));
        assert!(trust_holds(day(29), day(0), day(30), policy(90)));
        assert!(
            !trust_holds(day(31), day(0), day(30), policy(90)),
            "a longer policy does not lengthen it"
        );
        assert!(!trust_holds(day(15), day(0), day(30), policy(14)));
        assert!(!trust_holds(day(1), day(0), day(30), policy(0)));
        assert!(
            !trust_holds(day(-1), day(0), day(30), policy(30)),
            "a clock that steps back trusts nobody"
        );
        assert!(
            trust_holds(at(-2), at(0), day(30), policy(30)),
            "the clock of the node that gave it may be a little ahead"
        );
    }

    #[test]
    fn the_same_request_is_one_act_for_a_while_whichever_nodes_clock_is_ahead() {
        for (second, expected) in [(-6, false), (-5, true), (0, true), (60, true), (61, false)] {
            assert_eq!(is_repeat(at(second), at(0), 60), expected, "{second}");
        }
    }

    #[test]
    fn everyone_lands_where_they_belong() {
        let panel = company().settings;
        assert_eq!(landing(&panel, Role::Admin, None), "/admin");
        assert_eq!(landing(&panel, Role::Supervisor, None), "/agent");
        assert_eq!(
            landing(&panel, Role::Agent, Some("/profile?tab=2")),
            "/profile?tab=2"
        );
        assert_eq!(landing(&panel, Role::Agent, Some("//evil.example")), "/agent");
        assert_eq!(landing(&panel, Role::Agent, Some("/")), "/agent");
        let application = CompanySettings {
            after_sign_in: Some(crate::id::ApplicationId(uuid::Uuid::from_u128(1))),
            ..panel
        };
        assert_eq!(landing(&application, Role::Admin, None), "/admin");
        assert_eq!(landing(&application, Role::Supervisor, None), "/agent/start");
        assert_eq!(landing(&application, Role::Agent, Some("/profile")), "/profile");
    }
}
