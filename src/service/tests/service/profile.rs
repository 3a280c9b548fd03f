//! Profile and Security Settings.

use vestibule_core::{
    account::TimeFormat,
    company::RequireSecondFactor,
    refusal::{Field, FieldProblem, Problem, Refusal},
    sign_in_view::Method,
};
use vestibule_service::{
    Visitor,
    profile::{PasswordInput, PersonInput, SetUpDone},
    sign_in::Outcome,
};

use crate::site::{self, Site, on_both};

const NEW_PASSWORD: &str = "orchard marble thunder";

fn over() -> Refusal {
    Refusal::SetUpOver
}

fn passwords(old: &str, new: &str, confirm: &str) -> PasswordInput {
    PasswordInput {
        old: site::password(old),
        new: site::password(new),
        confirm: site::password(confirm),
    }
}

fn profile() -> PersonInput {
    PersonInput {
        first_name: " Bob ".to_owned(),
        last_name: "Lindqvist".to_owned(),
        alias: String::new(),
        phone: "+46 8 123".to_owned(),
        title: "Team lead".to_owned(),
        time_format: Some(TimeFormat::Hours12),
        language: "ar".to_owned(),
    }
}

pub async fn set_up_email(site: &Site, home: &Visitor) -> SetUpDone {
    site.service.profile().begin_email_set_up(home).await.unwrap();
    let set_up = site.service.profile().email_set_up(home).await.unwrap().unwrap();
    let code = site.set_up_code().await;
    site.service
        .profile()
        .finish_set_up(Method::Email, &set_up.id.to_string(), &code, home)
        .await
        .unwrap()
}

/// The secret of the app set-up under way, and its identifier.
async fn app_set_up(site: &Site, home: &Visitor) -> (vestibule_core::authenticator::AppSecret, String) {
    site.service.profile().begin_app_set_up(home).await.unwrap();
    let set_up = site.service.profile().app_set_up(home).await.unwrap().unwrap();
    assert!(set_up.qr.starts_with("<svg") && set_up.qr.len() > 1000);
    let bytes = data_encoding::BASE32_NOPAD
        .decode(set_up.secret.replace(' ', "").as_bytes())
        .unwrap();
    let secret = vestibule_core::authenticator::AppSecret::from_bytes(&bytes).unwrap();
    (secret, set_up.id.to_string())
}

on_both! {
    async fn the_own_data_are_saved_and_bad_ones_are_all_told_at_once(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "bob", false).await;
        let home = site.at_home("Acme", "bob", None).await;
        site.service.profile().save_profile(profile(), &home).await.unwrap();
        let account = site.account_of("Acme", "bob").await;
        assert_eq!((account.person.first_name.as_str(), account.person.alias.as_str()), ("Bob", "Bob Lindqvist"));
        assert_eq!((account.person.phone.as_str(), account.person.title.as_str()), ("+46 8 123", "Team lead"));
        assert_eq!((account.person.language.as_deref(), account.person.time_format), (Some("ar"), TimeFormat::Hours12));

        let bad = PersonInput {
            first_name: String::new(),
            alias: "x".repeat(101),
            title: "a\u{202e}b".to_owned(),
            ..profile()
        };
        let fields = [
            (Field::FirstName, Problem::Missing),
            (Field::Alias, Problem::TooLong { most: 100 }),
            (Field::Title, Problem::BadCharacters),
        ]
        .map(|(field, problem)| FieldProblem { field, problem })
        .to_vec();
        let refused = site.service.profile().save_profile(bad, &home).await;
        assert_eq!(refused, Err(Refusal::Invalid { fields }));
        let odd = PersonInput { language: "xx".to_owned(), ..profile() };
        let not_offered = Refusal::field(Field::Language, Problem::NotOffered);
        assert_eq!(site.service.profile().save_profile(odd, &home).await, Err(not_offered));
        let odd = PersonInput { time_format: None, ..profile() };
        assert_eq!(site.service.profile().save_profile(odd, &home).await, Err(Refusal::Malformed));
        assert_eq!(site.account_of("Acme", "bob").await, account, "nothing half-changed");
        assert_eq!(site.service.profile().save_profile(profile(), &site::visitor()).await, Err(Refusal::NotSignedIn));
    }

    async fn a_new_password_ends_everything_and_is_told_by_mail(site: Site) {
        site.company("Acme", 30).await;
        site.account("Acme", "bob", false).await;
        let home = site.at_home("Acme", "bob", None).await;
        let other = site.at_home("Acme", "bob", None).await;
        site.clock.advance(600);
        let change = |input| site.service.profile().change_password(input, &home);
        let only = |field, problem| Err(Refusal::field(field, problem));
        assert_eq!(
            change(passwords("wrong", NEW_PASSWORD, NEW_PASSWORD)).await,
            only(Field::OldPassword, Problem::Wrong)
        );
        assert_eq!(
            change(passwords(site::PASSWORD, "short", "short")).await,
            only(Field::NewPassword, Problem::TooShort { least: 12 })
        );
        assert_eq!(
            change(passwords(site::PASSWORD, "bobbobbobbob", "bobbobbobbob")).await,
            only(Field::NewPassword, Problem::Weak)
        );
        assert_eq!(
            change(passwords(site::PASSWORD, site::PASSWORD, site::PASSWORD)).await,
            only(Field::NewPassword, Problem::Unchanged)
        );
        assert_eq!(
            change(passwords(site::PASSWORD, NEW_PASSWORD, "other")).await,
            only(Field::ConfirmPassword, Problem::Different)
        );
        assert!(site.service.sign_in().session(&home).await.unwrap().is_some());
        assert!(site.mails().await.is_empty());

        change(passwords(site::PASSWORD, NEW_PASSWORD, NEW_PASSWORD)).await.unwrap();
        for visitor in [&home, &other] {
            assert!(site.service.sign_in().session(visitor).await.unwrap().is_none());
        }
        assert_eq!(site.mail_kinds().await, ["password_changed"]);
        let old = site.try_password("Acme", "bob", site::PASSWORD, &site::visitor()).await;
        assert_eq!(old.map(drop), Err(Refusal::WrongCredentials));
        site.try_password("Acme", "bob", NEW_PASSWORD, &site::visitor()).await.unwrap();
    }

    async fn with_a_second_factor_a_new_password_asks_for_it_and_ends_trust(site: Site) {
        site.company("Acme", 30).await;
        site.account("Acme", "alice", true).await;
        let (visitor, code) = site.at_code_page("Acme", "alice").await;
        let granted = site.service.sign_in().verify_code(&code, true, &visitor).await.unwrap();
        let home = Visitor { session: Some(granted.session), trusted: granted.trusted.unwrap(), ..site::visitor() };
        site.clock.advance(300);
        let change = || site.service.profile().change_password(passwords(site::PASSWORD, NEW_PASSWORD, NEW_PASSWORD), &home);
        assert_eq!(change().await, Err(Refusal::StepUpNeeded));
        site.clock.advance(-60);
        change().await.unwrap();
        let outcome = site.try_password("Acme", "alice", NEW_PASSWORD, &home).await.unwrap();
        assert!(matches!(outcome, Outcome::CodeAsked { .. }), "trust is over");
    }

    async fn email_is_on_once_its_code_was_right(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "bob", false).await;
        let home = site.at_home("Acme", "bob", None).await;
        let other = site.at_home("Acme", "bob", None).await;
        site.service.profile().begin_email_set_up(&home).await.unwrap();
        assert!(!site.account_of("Acme", "bob").await.email_factor, "not before its code");
        let done = set_up_email_after_begin(&site, &home).await;
        assert_eq!(done.backup_codes.as_ref().map(Vec::len), Some(10));
        assert_eq!(site.mail_kinds().await, ["second_factor_changed"]);
        assert!(site.service.sign_in().session(&home).await.unwrap().is_some());
        assert!(site.service.sign_in().session(&other).await.unwrap().is_none(), "other sessions end");
        let (visitor, code) = site.at_code_page("Acme", "bob").await;
        site.verify(&code, &visitor).await.unwrap();

        let home = site.at_home("Acme", "bob", None).await;
        let again = set_up_email(&site, &home).await;
        assert!(again.backup_codes.is_none(), "a reset keeps the codes");
        let backup = done.backup_codes.unwrap()[4].reveal();
        let visitor = site.past_password("Acme", "bob").await;
        site.verify(&backup, &visitor).await.unwrap();
    }

    async fn an_app_is_on_once_its_code_was_right_and_that_code_is_used_up(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "bob", false).await;
        let home = site.at_home("Acme", "bob", None).await;
        let (secret, id) = app_set_up(&site, &home).await;
        let visitor = site.signed_in("Acme", "bob", &site::visitor()).await;
        assert_eq!(visitor.landing, "/agent", "not asked for before it is confirmed");
        let code = site.app_code(&secret, 0);
        let done = site.service.profile().finish_set_up(Method::App, &id, &code, &home).await.unwrap();
        assert_eq!(done.backup_codes.map(|codes| codes.len()), Some(10));
        assert!(site.service.profile().app_set_up(&home).await.unwrap().is_none(), "the secret is not shown again");
        let visitor = site.past_password("Acme", "bob").await;
        assert!(site.verify(&code, &visitor).await.is_err());
        site.clock.advance(30);
        site.verify(&site.app_code(&secret, 0), &visitor).await.unwrap();
    }

    async fn two_set_ups_finished_at_once_show_one_set_of_backup_codes(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "bob", false).await;
        let home = site.at_home("Acme", "bob", None).await;
        let (secret, app) = app_set_up(&site, &home).await;
        site.service.profile().begin_email_set_up(&home).await.unwrap();
        let email = site.service.profile().email_set_up(&home).await.unwrap().unwrap().id.to_string();
        let (app_code, email_code) = (site.app_code(&secret, 0), site.set_up_code().await);
        let (first, second) = tokio::join!(
            site.service.profile().finish_set_up(Method::App, &app, &app_code, &home),
            site.service.profile().finish_set_up(Method::Email, &email, &email_code, &home),
        );
        let mut shown: Vec<_> = [first, second].into_iter().filter_map(|done| done.unwrap().backup_codes).collect();
        assert_eq!(shown.len(), 1, "a set that is shown is a set that works");
        let account = site.account_of("Acme", "bob").await;
        assert!(account.app_factor && account.email_factor);
        let visitor = site.past_password("Acme", "bob").await;
        site.verify(&shown.remove(0)[3].reveal(), &visitor).await.unwrap();
    }

    async fn of_two_tabs_the_newer_set_up_counts_and_the_older_is_told(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "bob", false).await;
        let home = site.at_home("Acme", "bob", None).await;
        let (older, older_id) = app_set_up(&site, &home).await;
        let (newer, newer_id) = app_set_up(&site, &home).await;
        let finish = |id: String, code: String| {
            let (site, home) = (&site, &home);
            async move { site.service.profile().finish_set_up(Method::App, &id, &code, home).await.map(drop).err() }
        };
        assert_eq!(finish(older_id, site.app_code(&older, 0)).await, Some(over()));
        assert_eq!(finish("nonsense".to_owned(), site.app_code(&newer, 0)).await, Some(over()));
        assert_eq!(site.account_of("Acme", "bob").await.wrong_codes, 0, "nothing was compared");
        assert_eq!(finish(newer_id.clone(), site.app_code(&older, 0)).await, Some(site::wrong(None)), "the old QR code");
        assert_eq!(finish(newer_id.clone(), site.app_code(&newer, 0)).await, None);
        assert_eq!(finish(newer_id, site.app_code(&newer, 1)).await, Some(over()), "finished once");
    }

    async fn after_a_reset_the_old_app_is_dead(site: Site) {
        site.company("Acme", 0).await;
        let (old, codes) = site.app_account("Acme", "tom").await;
        let home = site.at_home("Acme", "tom", Some(&old)).await;
        let (new, id) = app_set_up(&site, &home).await;
        site.clock.advance(30);
        let visitor = site.past_password("Acme", "tom").await;
        site.verify(&site.app_code(&old, 0), &visitor).await.unwrap();
        site.service.profile().finish_set_up(Method::App, &id, &site.app_code(&new, 0), &home).await.unwrap();
        let visitor = site.past_password("Acme", "tom").await;
        assert_eq!(site.verify(&site.app_code(&old, 1), &visitor).await, Err(site::wrong(None)));
        site.verify(&codes[0], &visitor).await.unwrap();
    }

    async fn a_set_up_belongs_to_its_session_and_ends(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "bob", false).await;
        let home = site.at_home("Acme", "bob", None).await;
        let other = site.at_home("Acme", "bob", None).await;
        let (secret, id) = app_set_up(&site, &home).await;
        let foreign = site.service.profile().finish_set_up(Method::App, &id, &site.app_code(&secret, 0), &other).await;
        assert_eq!(foreign.map(drop).err(), Some(over()));
        assert!(site.service.profile().app_set_up(&other).await.unwrap().is_none(), "nobody else sees the secret");
        let wrong_kind = site.service.profile().finish_set_up(Method::Email, &id, &site.app_code(&secret, 0), &home).await;
        assert_eq!(wrong_kind.map(drop).err(), Some(over()));
        site.clock.advance(600);
        let vestibule_service::profile::Confirmed::Proved(token) =
            site.service.profile().confirm_identity(&site::password(site::PASSWORD), "/x", &home).await.unwrap()
        else {
            panic!("a code is asked")
        };
        let fresh = Visitor { session: Some(token), ..site::visitor() };
        let late = site.service.profile().finish_set_up(Method::App, &id, &site.app_code(&secret, 0), &fresh).await;
        assert_eq!(late.map(drop).err(), Some(over()));
        assert!(!site.account_of("Acme", "bob").await.app_factor);
    }

    async fn a_set_up_goes_on_after_a_step_up_in_the_middle(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "bob", false).await;
        let home = site.at_home("Acme", "bob", None).await;
        let (secret, id) = app_set_up(&site, &home).await;
        site.clock.advance(300);
        let needed = Some(Refusal::StepUpNeeded);
        let finish = |visitor: Visitor| {
            let (site, id, code) = (&site, &id, site.app_code(&secret, 0));
            async move { site.service.profile().finish_set_up(Method::App, id, &code, &visitor).await.map(drop).err() }
        };
        assert_eq!(finish(home.clone()).await, needed);
        assert_eq!(site.service.profile().app_set_up(&home).await.map(drop).err(), needed, "nor is the secret shown");
        let vestibule_service::profile::Confirmed::Proved(token) =
            site.service.profile().confirm_identity(&site::password(site::PASSWORD), "/x", &home).await.unwrap()
        else {
            panic!("a code is asked")
        };
        assert_eq!(finish(Visitor { session: Some(token), ..site::visitor() }).await, None);
    }

    async fn a_set_up_code_can_be_sent_again_and_the_old_one_is_told(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "bob", false).await;
        let home = site.at_home("Acme", "bob", None).await;
        site.service.profile().begin_email_set_up(&home).await.unwrap();
        site.service.profile().begin_email_set_up(&home).await.unwrap();
        let first = site.set_up_code().await;
        let id = site.service.profile().email_set_up(&home).await.unwrap().unwrap().id.to_string();
        assert_eq!(site.service.profile().resend_set_up_code(&home).await, Err(Refusal::ResendTooSoon { retry_after: 60 }));
        site.clock.advance(60);
        site.service.profile().resend_set_up_code(&home).await.unwrap();
        let second = site.set_up_code().await;
        let finish = |code: String| {
            let (site, home, id) = (&site, &home, &id);
            async move { site.service.profile().finish_set_up(Method::Email, id, &code, home).await.map(drop).err() }
        };
        if first != second {
            assert_eq!(finish(first).await, Some(Refusal::CodeReplaced));
        }
        let malformed = Some(Refusal::field(Field::Code, Problem::NotACode));
        assert_eq!(finish("0000-0000-0000-0000".to_owned()).await, malformed, "a backup code sets nothing up");
        assert_eq!(site.account_of("Acme", "bob").await.wrong_codes, 0);
        assert_eq!(finish(second).await, None);
    }

    async fn a_code_of_an_earlier_set_up_or_sign_in_never_counts(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "bob", false).await;
        let home = site.at_home("Acme", "bob", None).await;
        let mut codes = Vec::new();
        for _ in 0..2 {
            site.service.profile().begin_email_set_up(&home).await.unwrap();
            codes.push(site.set_up_code().await);
            site.clock.advance(60);
        }
        let finish = |code: String| {
            let (site, home) = (&site, &home);
            async move {
                let id = site.service.profile().email_set_up(home).await.unwrap().unwrap().id.to_string();
                site.service.profile().finish_set_up(Method::Email, &id, &code, home).await.map(drop).err()
            }
        };
        assert_eq!(finish(codes[0].clone()).await, Some(Refusal::CodeReplaced));
        assert_eq!(site.account_of("Acme", "bob").await.wrong_codes, 0);
        assert_eq!(finish(codes[1].clone()).await, None);

        let (visitor, mailed) = site.at_code_page("Acme", "bob").await;
        assert_eq!(site.verify(&codes[0], &visitor).await, Err(Refusal::CodeReplaced), "an old one of the set-up");
        assert_eq!(site.verify(&codes[1], &visitor).await, Err(site::wrong(None)), "the used one counts");
        site.service.profile().begin_app_set_up(&home).await.unwrap();
        let id = site.service.profile().app_set_up(&home).await.unwrap().unwrap().id.to_string();
        let crossed = site.service.profile().finish_set_up(Method::App, &id, &mailed, &home).await;
        assert_eq!(crossed.map(drop).err(), Some(site::wrong(None)), "no guess is one at two codes");
        assert_eq!(site.account_of("Acme", "bob").await.wrong_codes, 2);
        assert_eq!(site.verify(&mailed, &visitor).await, Ok(()));
    }

    async fn guessing_a_set_up_code_locks(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "bob", false).await;
        let home = site.at_home("Acme", "bob", None).await;
        let (secret, id) = app_set_up(&site, &home).await;
        let wrong = site::other_code(&site.app_code(&secret, 50));
        for _ in 0..4 {
            site.service.profile().finish_set_up(Method::App, &id, &wrong, &home).await.map(drop).unwrap_err();
        }
        let fifth = site.service.profile().finish_set_up(Method::App, &id, &wrong, &home).await;
        assert_eq!(fifth.map(drop).err(), Some(Refusal::AccountLocked));
        let right = site.service.profile().finish_set_up(Method::App, &id, &site.app_code(&secret, 0), &home).await;
        assert_eq!(right.map(drop).err(), Some(Refusal::AccountLocked));
    }

    async fn turning_off_ends_what_hung_on_it(site: Site) {
        site.company("Acme", 30).await;
        site.account("Acme", "both", true).await;
        let (secret, codes) = site.give_app("Acme", "both").await;
        let other = site.at_home("Acme", "both", Some(&secret)).await;
        let visitor = site.past_password("Acme", "both").await;
        site.clock.advance(60);
        let granted = site.service.sign_in().verify_code(&site.app_code(&secret, 0), true, &visitor).await.unwrap();
        let home = Visitor { session: Some(granted.session), trusted: granted.trusted.unwrap(), ..site::visitor() };
        site.no_mail().await;

        site.service.profile().turn_off(Method::App, &home).await.unwrap();
        site.service.profile().turn_off(Method::App, &home).await.unwrap();
        assert_eq!(site.mail_kinds().await, ["second_factor_changed"], "once");
        assert!(site.service.sign_in().session(&other).await.unwrap().is_none());
        assert!(site.service.sign_in().session(&home).await.unwrap().is_some());
        let visitor = site.try_password("Acme", "both", site::PASSWORD, &home).await.unwrap();
        let Outcome::CodeAsked { pending, .. } = visitor else { panic!("trust has survived") };
        let visitor = Visitor { pending: Some(pending), ..site::visitor() };
        assert_eq!(site.verify(&site.app_code(&secret, 1), &visitor).await, Err(site::wrong(None)));
        site.verify(&codes[0], &visitor).await.unwrap();

        site.service.operator().issue_backup_code("Acme", "both", "test").await.unwrap();
        site.service.profile().turn_off(Method::Email, &home).await.unwrap();
        assert!(!site.service.profile().backup_codes(&home).await.unwrap().available);
        assert_eq!(site.service.profile().new_backup_codes(&home).await.map(drop), Err(Refusal::Forbidden));
        site.signed_in("Acme", "both", &site::visitor()).await;
    }

    async fn a_required_second_factor_is_the_only_thing_open(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "bob", false).await;
        let early = site.at_home("Acme", "bob", None).await;
        site.service.operator().set_require_second_factor("Acme", RequireSecondFactor::Everyone).await.unwrap();
        let home = site.at_home("Acme", "bob", None).await;
        let required = Refusal::SetUpRequired;
        let id = "00000000-0000-0000-0000-000000000000";
        for visitor in [&early, &home] {
            let service = &site.service;
            let refused = [
                service.sign_in().signed_in(visitor).await.map(drop),
                service.profile().page(visitor).await.map(drop),
                service.profile().save_profile(profile(), visitor).await,
                service.profile().change_password(passwords(site::PASSWORD, NEW_PASSWORD, NEW_PASSWORD), visitor).await,
                service.profile().judge_password(&site::password("x"), visitor).await.map(drop),
                service.profile().security(visitor).await.map(drop),
                service.profile().backup_codes(visitor).await.map(drop),
                service.profile().new_backup_codes(visitor).await.map(drop),
                service.profile().turn_off(Method::Email, visitor).await,
                service.profile().forget_browser(id, visitor).await,
                service.profile().forget_all_browsers(visitor).await,
                service.profile().end_one_session(id, visitor).await.map(drop),
                service.profile().end_other_sessions(visitor).await,
            ];
            assert!(refused.iter().all(|answer| *answer == Err(required.clone())), "{refused:?}");
        }
        set_up_email(&site, &home).await;
        site.service.sign_in().signed_in(&home).await.unwrap();
        assert_eq!(
            site.service.profile().turn_off(Method::Email, &home).await,
            Err(Refusal::LastFactor)
        );
        let (secret, id) = app_set_up(&site, &home).await;
        site.service.profile().finish_set_up(Method::App, &id, &site.app_code(&secret, 0), &home).await.unwrap();
        site.service.profile().turn_off(Method::Email, &home).await.unwrap();
    }

    async fn new_backup_codes_kill_the_old_ones(site: Site) {
        site.company("Acme", 0).await;
        let (secret, old) = site.app_account("Acme", "tom").await;
        let home = site.at_home("Acme", "tom", Some(&secret)).await;
        let both = futures::future::join(site.service.profile().new_backup_codes(&home), site.service.profile().new_backup_codes(&home)).await;
        let sets = [both.0.unwrap(), both.1.unwrap()];
        let page = site.service.profile().backup_codes(&home).await.unwrap();
        assert_eq!((page.used_at.len(), page.available), (10, true), "exactly one live set of ten");
        let visitor = site.past_password("Acme", "tom").await;
        assert_eq!(site.verify(&old[0], &visitor).await, Err(site::wrong(None)));
        let alive = [sets[0][0].reveal(), sets[1][0].reveal()];
        let mut right = 0;
        for code in alive {
            right += u32::from(site.verify(&code, &visitor).await.is_ok());
        }
        assert_eq!(right, 1, "one of the two sets is alive");
        let page = site.service.profile().backup_codes(&home).await.unwrap();
        assert_eq!(page.used_at.iter().filter(|used| used.is_some()).count(), 1);
        let left = site.service.profile().security(&home).await.unwrap().backup_codes_left;
        assert_eq!(left, Some(9));
    }

    async fn trusted_browsers_are_listed_and_ended_by_their_owner_alone(site: Site) {
        site.company("Acme", 30).await;
        site.account("Acme", "alice", true).await;
        site.account("Acme", "carol", true).await;
        let mut homes = Vec::new();
        for account in ["alice", "alice", "carol"] {
            let (visitor, code) = site.at_code_page("Acme", account).await;
            let granted = site.service.sign_in().verify_code(&code, true, &visitor).await.unwrap();
            homes.push(Visitor { session: Some(granted.session), trusted: granted.trusted.unwrap(), ..site::visitor() });
            site.clock.advance(1);
        }
        let list = site.service.profile().security(&homes[0]).await.unwrap().trusted;
        assert_eq!(list.iter().map(|item| item.this).collect::<Vec<_>>(), [false, true], "newest first");
        assert_eq!(list[0].until - list[0].since, chrono::TimeDelta::days(30));
        let hers = site.service.profile().security(&homes[2]).await.unwrap().trusted;
        site.service.profile().forget_browser(&hers[0].id.to_string(), &homes[0]).await.unwrap();
        assert_eq!(site.service.profile().security(&homes[2]).await.unwrap().trusted.len(), 1, "not hers to end");
        site.service.profile().forget_browser(&list[1].id.to_string(), &homes[0]).await.unwrap();
        assert_eq!(site.service.profile().forget_browser("1 OR 1=1", &homes[0]).await, Err(Refusal::Malformed));
        let outcome = site.try_password("Acme", "alice", site::PASSWORD, &homes[0]).await.unwrap();
        assert!(matches!(outcome, Outcome::CodeAsked { .. }));
        site.service.operator().set_two_factor_days("Acme", 14).await.unwrap();
        let list = site.service.profile().security(&homes[0]).await.unwrap().trusted;
        assert_eq!(list[0].until - list[0].since, chrono::TimeDelta::days(14), "a shorter policy shows");
        site.service.profile().forget_all_browsers(&homes[0]).await.unwrap();
        assert!(site.service.profile().security(&homes[0]).await.unwrap().trusted.is_empty());
    }

    async fn sessions_are_listed_and_ended_by_their_owner_alone(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "bob", false).await;
        site.account("Acme", "eve", false).await;
        let mine = site.at_home("Acme", "bob", None).await;
        site.clock.advance(1);
        let phone = site.at_home("Acme", "bob", None).await;
        let eve = site.at_home("Acme", "eve", None).await;
        let list = site.service.profile().security(&mine).await.unwrap().sessions;
        assert_eq!(list.iter().map(|item| item.this).collect::<Vec<_>>(), [false, true]);
        assert!(!site.service.profile().end_one_session(&list[1].id.to_string(), &eve).await.unwrap());
        assert!(site.service.sign_in().session(&mine).await.unwrap().is_some(), "not hers to end");
        assert!(!site.service.profile().end_one_session(&list[0].id.to_string(), &mine).await.unwrap());
        assert!(site.service.sign_in().session(&phone).await.unwrap().is_none());
        let third = site.at_home("Acme", "bob", None).await;
        site.service.profile().end_other_sessions(&mine).await.unwrap();
        assert!(site.service.sign_in().session(&third).await.unwrap().is_none());
        assert!(site.service.sign_in().session(&eve).await.unwrap().is_some());
        assert!(site.service.profile().end_one_session(&list[1].id.to_string(), &mine).await.unwrap(), "this one");
        assert!(site.service.sign_in().session(&mine).await.unwrap().is_none());
    }
}

async fn set_up_email_after_begin(site: &Site, home: &Visitor) -> SetUpDone {
    let set_up = site.service.profile().email_set_up(home).await.unwrap().unwrap();
    let code = site.set_up_code().await;
    let wrong = site::other_code(&code);
    let refused = site
        .service
        .profile()
        .finish_set_up(Method::Email, &set_up.id.to_string(), &wrong, home)
        .await;
    assert_eq!(refused.map(drop).err(), Some(site::wrong(None)));
    assert!(
        !site.account_of("Acme", "bob").await.email_factor,
        "nothing half-changed"
    );
    site.service
        .profile()
        .finish_set_up(Method::Email, &set_up.id.to_string(), &code, home)
        .await
        .unwrap()
}
