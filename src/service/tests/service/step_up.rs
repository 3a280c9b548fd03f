//! Proving once more who it is, and everything that asks for it.

use vestibule_core::{
    backup_code::BackupCode,
    refusal::{Field, Problem, Refusal},
    sign_in_view::Method,
};
use vestibule_service::{
    Visitor,
    profile::{Confirmed, PasswordInput},
    sign_in::Outcome,
};

use crate::{
    profile::set_up_email,
    site::{self, Site, on_both},
};

fn needed() -> Refusal {
    Refusal::StepUpNeeded
}

fn wrong_password() -> Refusal {
    Refusal::field(Field::Password, Problem::Wrong)
}

/// Everything that changes credentials.
async fn every_change(site: &Site, visitor: &Visitor) -> Vec<Refusal> {
    let service = &site.service;
    vec![
        service.profile().begin_email_set_up(visitor).await.unwrap_err(),
        service.profile().begin_app_set_up(visitor).await.unwrap_err(),
        service.profile().resend_set_up_code(visitor).await.unwrap_err(),
        service
            .profile()
            .turn_off(Method::Email, visitor)
            .await
            .unwrap_err(),
        service
            .profile()
            .turn_off(Method::App, visitor)
            .await
            .unwrap_err(),
        service
            .profile()
            .new_backup_codes(visitor)
            .await
            .map(drop)
            .unwrap_err(),
        service
            .profile()
            .finish_set_up(
                Method::Email,
                "00000000-0000-0000-0000-000000000000",
                "123456",
                visitor,
            )
            .await
            .map(drop)
            .unwrap_err(),
        service
            .profile()
            .finish_set_up(
                Method::App,
                "00000000-0000-0000-0000-000000000000",
                "123456",
                visitor,
            )
            .await
            .map(drop)
            .unwrap_err(),
    ]
}

async fn code_asked(site: &Site, visitor: &Visitor, next: &str) -> Visitor {
    match site
        .service
        .profile()
        .confirm_identity(&site::password(site::PASSWORD), next, visitor)
        .await
        .unwrap()
    {
        Confirmed::CodeAsked(pending) => Visitor {
            pending: Some(pending),
            ..visitor.clone()
        },
        Confirmed::Proved(_) => panic!("no code is asked"),
    }
}

/// The session after a step-up with a mailed code.
async fn proved_anew(site: &Site, home: &Visitor) -> Visitor {
    let pending = code_asked(site, home, "/x").await;
    let code = site.code_for("alice").await;
    let granted = site
        .service
        .sign_in()
        .verify_code(&code, false, &pending)
        .await
        .unwrap();
    Visitor {
        session: Some(granted.session),
        ..site::visitor()
    }
}

/// The new backup codes that this session may read.
async fn shown(site: &Site, visitor: &Visitor) -> Result<Option<Vec<String>>, Refusal> {
    let codes = site.service.profile().new_codes(visitor).await?;
    Ok(codes.map(|codes| codes.to_vec()))
}

on_both! {
    async fn a_proof_is_good_for_five_minutes(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "bob", false).await;
        let home = site.at_home("Acme", "bob", None).await;
        site.clock.advance(299);
        site.service.profile().begin_app_set_up(&home).await.unwrap();
        site.clock.advance(1);
        assert!(every_change(&site, &home).await.iter().all(|refusal| *refusal == needed()));
        assert_eq!(site.account_of("Acme", "bob").await.wrong_codes, 0, "nothing was compared");
    }

    async fn without_a_second_factor_the_password_proves_and_the_session_gets_a_new_token(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "bob", false).await;
        let home = site.at_home("Acme", "bob", None).await;
        site.clock.advance(301);
        let wrong = site.service.profile().confirm_identity(&site::password("wrong"), "/x", &home).await;
        assert_eq!(wrong.err(), Some(wrong_password()));
        let right = site.service.profile().confirm_identity(&site::password(site::PASSWORD), "/x", &home).await.unwrap();
        let Confirmed::Proved(token) = right else { panic!("a code is asked") };
        let fresh = Visitor { session: Some(token), ..site::visitor() };
        site.service.profile().begin_app_set_up(&fresh).await.unwrap();
        assert_eq!(site.service.profile().begin_app_set_up(&home).await, Err(Refusal::NotSignedIn), "the old token is dead");
        assert_eq!(site.sessions("Acme", "bob").await, 1);
    }

    // N21: what was changed proves nothing about who changed it.
    async fn changing_factors_and_backup_codes_makes_no_proof_younger(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "both", true).await;
        let (secret, _) = site.give_app("Acme", "both").await;
        let home = site.at_home("Acme", "both", Some(&secret)).await;
        site.clock.advance(200);
        site.service.profile().new_backup_codes(&home).await.unwrap();
        site.service.profile().turn_off(Method::App, &home).await.unwrap();
        set_up_email(&site, &home).await;
        assert!(site.service.sign_in().session(&home).await.unwrap().is_some(), "the session goes on");
        site.service.profile().new_backup_codes(&home).await.unwrap();
        site.clock.advance(100);
        assert!(every_change(&site, &home).await.iter().all(|refusal| *refusal == needed()));
    }

    async fn a_first_factor_makes_no_proof_younger_either(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "bob", false).await;
        let home = site.at_home("Acme", "bob", None).await;
        site.clock.advance(200);
        set_up_email(&site, &home).await;
        site.service.profile().new_backup_codes(&home).await.unwrap();
        site.clock.advance(100);
        assert_eq!(site.service.profile().new_backup_codes(&home).await.map(drop), Err(needed()));
    }

    async fn signing_out_ends_a_session_that_got_a_new_token_meanwhile(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "bob", false).await;
        let old = site.at_home("Acme", "bob", None).await;
        let confirmed = site.service.profile().confirm_identity(&site::password(site::PASSWORD), "/x", &old).await.unwrap();
        let Confirmed::Proved(token) = confirmed else { panic!("a code is asked") };
        let new = Visitor { session: Some(token), ..site::visitor() };
        assert!(site.service.sign_in().session(&old).await.unwrap().is_none(), "the old token opens nothing");
        assert!(site.service.sign_in().session(&new).await.unwrap().is_some());
        site.service.sign_in().sign_out(&old).await.unwrap();
        assert!(site.service.sign_in().session(&new).await.unwrap().is_none());
        assert_eq!(site.sessions("Acme", "bob").await, 0);
        let signed_out = site.events("Acme").await.iter().filter(|(event, _)| event == "signed_out").count();
        assert_eq!(signed_out, 1);
    }

    async fn of_a_step_up_and_a_sign_out_at_once_no_session_is_left(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "alice", true).await;
        for _ in 0..4 {
            let home = site.at_home("Acme", "alice", None).await;
            let pending = code_asked(&site, &home, "/x").await;
            let code = site.code_for("alice").await;
            let (_, out) = tokio::join!(site.verify(&code, &pending), site.service.sign_in().sign_out(&home));
            assert_eq!(out, Ok(Vec::new()));
            assert_eq!(site.sessions("Acme", "alice").await, 0);
            site.clock.advance(601);
        }
    }

    async fn wrong_passwords_count_like_any_other(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "bob", false).await;
        let home = site.at_home("Acme", "bob", None).await;
        for _ in 0..5 {
            let wrong = site.service.profile().confirm_identity(&site::password("wrong"), "/x", &home).await;
            assert_eq!(wrong.err(), Some(wrong_password()));
        }
        let right = || async {
            site.service.profile().confirm_identity(&site::password(site::PASSWORD), "/x", &home).await.map(drop)
        };
        assert_eq!(right().await, Err(wrong_password()), "even the right one has to wait");
        assert_eq!(
            site.try_password("Acme", "bob", site::PASSWORD, &site::visitor()).await.map(drop),
            Err(Refusal::WrongCredentials),
            "the sign-in page waits with it"
        );
        site.clock.advance(31);
        assert_eq!(right().await, Ok(()));
    }

    async fn with_a_second_factor_a_code_is_asked_too(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "alice", true).await;
        let home = site.at_home("Acme", "alice", None).await;
        site.clock.advance(301);
        let pending = code_asked(&site, &home, "/profile/security/app").await;
        assert!(every_change(&site, &pending).await.iter().all(|refusal| *refusal == needed()), "a password is half of it");
        let view = site.service.sign_in().open_sign_in(&pending).await.unwrap().view;
        assert!(view.step_up && view.trust_days.is_none());

        let code = site.code_for("alice").await;
        assert_eq!(site.verify(&site::other_code(&code), &pending).await, Err(site::wrong(None)));
        let granted = site.service.sign_in().verify_code(&code, true, &pending).await.unwrap();
        assert!(granted.step_up && granted.trusted.is_none() && granted.browser.is_none());
        assert_eq!(granted.landing, "/profile/security/app");
        let fresh = Visitor { session: Some(granted.session), ..site::visitor() };
        site.service.profile().begin_app_set_up(&fresh).await.unwrap();
        assert!(site.service.sign_in().session(&home).await.unwrap().is_none(), "the old token is dead");
        assert_eq!(site.account_of("Acme", "alice").await.wrong_codes, 1, "a step-up forgives nothing (N14)");
        assert_eq!(site.sessions("Acme", "alice").await, 1);
    }

    async fn new_codes_are_read_again_only_with_a_recent_proof_and_until_they_are_saved(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "alice", true).await;
        let home = site.at_home("Acme", "alice", None).await;
        let other = site.at_home("Acme", "alice", None).await;
        let profile = site.service.profile();
        assert_eq!(profile.new_codes(&home).await, Ok(None));
        site.clock.advance(200);
        let made: Vec<String> = profile.new_backup_codes(&home).await.unwrap().iter().map(BackupCode::reveal).collect();
        assert_eq!(shown(&site, &home).await, Ok(Some(made.clone())));
        assert!(!site.dump().await.contains(&made[0]), "sealed");
        assert_eq!(shown(&site, &other).await, Err(Refusal::NotSignedIn), "the new codes ended it");
        site.clock.advance(100);
        assert_eq!(shown(&site, &home).await, Err(needed()), "whoever sits down at a browser that was left");
        site.no_mail().await;
        let fresh = proved_anew(&site, &home).await;
        assert_eq!(shown(&site, &fresh).await, Ok(Some(made)));
        site.clock.advance(200);
        assert_eq!(shown(&site, &fresh).await, Ok(None), "not for longer, however recent the proof");

        profile.new_backup_codes(&fresh).await.unwrap();
        assert!(shown(&site, &fresh).await.unwrap().is_some());
        for _ in 0..2 {
            profile.forget_new_codes(&fresh).await.unwrap();
            assert_eq!(shown(&site, &fresh).await, Ok(None), "they are saved");
        }
    }

    async fn a_step_up_serves_only_the_session_that_began_it(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "alice", true).await;
        let mine = site.at_home("Acme", "alice", None).await;
        let other = site.at_home("Acme", "alice", None).await;
        let pending = code_asked(&site, &mine, "/x").await;
        let code = site.code_for("alice").await;
        let stolen = Visitor { session: other.session.clone(), ..pending.clone() };
        assert_eq!(site.verify(&code, &stolen).await, Err(Refusal::SignInExpired));
        let nobody = Visitor { session: None, ..pending.clone() };
        assert_eq!(site.verify(&code, &nobody).await, Err(Refusal::SignInExpired), "it is no way to sign in");
        assert_eq!(site.account_of("Acme", "alice").await.wrong_codes, 0);
        site.service.sign_in().sign_out(&mine).await.unwrap();
        assert_eq!(site.verify(&code, &pending).await, Err(Refusal::SignInExpired));
        assert_eq!(site.sessions("Acme", "alice").await, 1);
    }

    async fn the_code_of_a_step_up_is_none_of_a_sign_in_and_the_other_way_round(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "alice", true).await;
        let home = site.at_home("Acme", "alice", None).await;
        let step_up = code_asked(&site, &home, "/x").await;
        let confirm = site.code_for("alice").await;
        let (sign_in, code) = site.at_code_page("Acme", "alice").await;
        if confirm != code {
            // Five guesses at one code each, not at both.
            assert_eq!(site.verify(&confirm, &sign_in).await, Err(site::wrong(None)));
            assert_eq!(site.verify(&code, &step_up).await, Err(site::wrong(None)));
            assert_eq!(site.account_of("Acme", "alice").await.wrong_codes, 2);
        }
        site.verify(&confirm, &step_up).await.unwrap();
    }

    async fn ten_wrong_passwords_end_the_session_and_are_told_by_mail(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "bob", false).await;
        let home = site.at_home("Acme", "bob", None).await;
        let other = site.at_home("Acme", "bob", None).await;
        let confirm = async || {
            let guess = site::password("not the password");
            site.service.profile().confirm_identity(&guess, "/x", &home).await.map(drop)
        };
        let change = async || {
            let input = PasswordInput {
                old: site::password("not the password"),
                new: site::password("orchard marble thunder"),
                confirm: site::password("orchard marble thunder"),
            };
            site.service.profile().change_password(input, &home).await
        };
        for _ in 0..5 {
            assert_eq!(confirm().await, Err(wrong_password()));
        }
        for _ in 0..4 {
            let wrong = Refusal::field(Field::OldPassword, Problem::Wrong);
            assert_eq!(change().await, Err(wrong), "every prompt counts on the session");
        }
        assert_eq!(site.mail_kinds().await, Vec::<&str>::new());
        assert_eq!(confirm().await, Err(Refusal::NotSignedIn), "the tenth ends it");
        assert_eq!(confirm().await, Err(Refusal::NotSignedIn));
        assert_eq!(site.mail_kinds().await, ["session_cut"]);
        let events = site.events("Acme").await;
        assert_eq!(events.iter().filter(|(event, _)| event == "session_cut").count(), 1);
        assert!(site.service.sign_in().session(&home).await.unwrap().is_none());
        assert!(site.service.sign_in().session(&other).await.unwrap().is_some(), "nobody guessed there");
    }

    async fn a_right_password_starts_the_count_of_its_session_anew(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "bob", false).await;
        let mut home = site.at_home("Acme", "bob", None).await;
        for _ in 0..4 {
            for _ in 0..3 {
                let guess = site::password("not the password");
                let refused = site.service.profile().confirm_identity(&guess, "/x", &home).await.map(drop);
                assert_eq!(refused, Err(wrong_password()));
            }
            let right = site::password(site::PASSWORD);
            let Confirmed::Proved(session) = site.service.profile().confirm_identity(&right, "/x", &home).await.unwrap() else {
                panic!("a code is asked");
            };
            home = Visitor { session: Some(session), ..home };
            site.clock.advance(61);
        }
        assert!(site.service.sign_in().session(&home).await.unwrap().is_some());
    }

    async fn a_trusted_browser_proves_nothing(site: Site) {
        site.company("Acme", 30).await;
        site.account("Acme", "alice", true).await;
        let (visitor, code) = site.at_code_page("Acme", "alice").await;
        let trusted = site.service.sign_in().verify_code(&code, true, &visitor).await.unwrap().trusted.unwrap();
        let visitor = Visitor { trusted, ..site::visitor() };
        let Outcome::SignedIn(granted) = site.try_password("Acme", "alice", site::PASSWORD, &visitor).await.unwrap() else {
            panic!("a code is asked")
        };
        let home = Visitor { session: Some(granted.session), ..visitor };
        assert!(every_change(&site, &home).await.iter().all(|refusal| *refusal == needed()));
    }

    async fn a_locked_account_proves_nothing(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "alice", true).await;
        let home = site.at_home("Acme", "alice", None).await;
        site.lock("Acme", "alice").await;
        assert!(site.service.sign_in().session(&home).await.unwrap().is_some(), "a running session stays");
        assert!(every_change(&site, &home).await.iter().all(|refusal| *refusal == Refusal::AccountLocked));
        let confirm = site.service.profile().confirm_identity(&site::password(site::PASSWORD), "/x", &home).await;
        assert_eq!(confirm.err(), Some(Refusal::AccountLocked));
    }
}
