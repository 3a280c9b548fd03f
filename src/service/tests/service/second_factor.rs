//! Codes of every kind at the code step.

use futures::future::join_all;
use vestibule_core::{
    mail::Mail,
    refusal::{CodeHint, Refusal},
    sign_in_view::Method,
};
use vestibule_service::{Visitor, operator::OperatorError};

use crate::site::{self, Site, on_both};

on_both! {
    async fn an_app_code_signs_in_once(site: Site) {
        site.company("Acme", 0).await;
        let (secret, _) = site.app_account("Acme", "tom").await;
        let visitor = site.past_password("Acme", "tom").await;
        assert_eq!(site.mail_kinds().await, Vec::<&str>::new(), "no code is mailed");
        let view = site.service.sign_in().open_sign_in(&visitor).await.unwrap().view;
        assert_eq!((view.method, view.other_method), (Method::App, false));
        let code = site.app_code(&secret, 0);
        site.verify(&code, &visitor).await.unwrap();

        let again = site.past_password("Acme", "tom").await;
        assert_eq!(site.verify(&code, &again).await, Err(site::wrong_but(None, CodeHint::Used)));
        let earlier = site.app_code(&secret, -1);
        assert_eq!(site.verify(&earlier, &again).await, Err(site::wrong_but(None, CodeHint::Used)), "nor one before it");
        site.verify(&site.app_code(&secret, 1), &again).await.unwrap();
        assert_eq!(site.account_of("Acme", "tom").await.wrong_codes, 0);
    }

    async fn of_two_browsers_with_one_app_code_one_wins(site: Site) {
        site.company("Acme", 0).await;
        let (secret, _) = site.app_account("Acme", "tom").await;
        let mut visitors = Vec::new();
        for _ in 0..4 {
            visitors.push(site.past_password("Acme", "tom").await);
        }
        let code = site.app_code(&secret, 0);
        let answers = join_all(visitors.iter().map(|visitor| site.verify(&code, visitor))).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
        assert_eq!(site.sessions("Acme", "tom").await, 1);
    }

    async fn a_double_click_with_an_app_code_or_a_backup_code_is_one_sign_in(site: Site) {
        site.company("Acme", 0).await;
        let (secret, codes) = site.app_account("Acme", "tom").await;
        for typed in [site.app_code(&secret, 0), codes[0].clone()] {
            let visitor = site.past_password("Acme", "tom").await;
            let answers = join_all((0..4).map(|_| site.service.sign_in().verify_code(&typed, false, &visitor))).await;
            let sessions: std::collections::HashSet<_> =
                answers.into_iter().map(|answer| answer.unwrap().session.reveal()).collect();
            assert_eq!(sessions.len(), 1);
            assert_eq!(site.account_of("Acme", "tom").await.wrong_codes, 0);
        }
        assert_eq!(site.sessions("Acme", "tom").await, 2);
    }

    async fn a_clock_that_is_off_is_told_by_how_much_and_still_counts(site: Site) {
        site.company("Acme", 0).await;
        let (secret, _) = site.app_account("Acme", "tom").await;
        let visitor = site.past_password("Acme", "tom").await;
        let ahead = site.app_code(&secret, 4);
        assert_eq!(site.verify(&ahead, &visitor).await, Err(site::wrong_but(None, CodeHint::ClockAhead(120))));
        assert_eq!(
            site.verify(&site.app_code(&secret, -20), &visitor).await,
            Err(site::wrong_but(None, CodeHint::ClockBehind(600)))
        );
        assert_eq!(site.verify(&site.app_code(&secret, 21), &visitor).await, Err(site::wrong(Some(2))));
        assert_eq!(site.account_of("Acme", "tom").await.wrong_codes, 3);
        let visitor = site.past_password("Acme", "tom").await;
        site.verify(&site.app_code(&secret, 0), &visitor).await.unwrap();
    }

    async fn the_code_that_a_hint_gave_away_is_never_right(site: Site) {
        site.company("Acme", 0).await;
        let (secret, _) = site.app_account("Acme", "tom").await;
        let visitor = site.past_password("Acme", "tom").await;
        let later = site.app_code(&secret, 4);
        site.verify(&later, &visitor).await.unwrap_err();
        site.clock.advance(120);
        assert!(site.verify(&later, &visitor).await.is_err());
        assert_eq!(site.sessions("Acme", "tom").await, 0);
        site.verify(&site.app_code(&secret, 1), &visitor).await.unwrap();
    }

    async fn with_both_methods_the_app_is_asked_first_and_either_is_right(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "both", true).await;
        let (secret, _) = site.give_app("Acme", "both").await;
        let visitor = site.past_password("Acme", "both").await;
        let view = site.service.sign_in().open_sign_in(&visitor).await.unwrap().view;
        assert_eq!((view.method, view.other_method), (Method::App, true));
        assert!(site.mails().await.is_empty());

        site.service.sign_in().use_other_method(&visitor).await.unwrap();
        assert_eq!(site.service.sign_in().open_sign_in(&visitor).await.unwrap().view.method, Method::Email);
        let mailed = site.code_for("both").await;
        for _ in 0..2 {
            site.service.sign_in().use_other_method(&visitor).await.unwrap();
        }
        assert!(site.mails().await.is_empty(), "going to and fro sends no second mail");
        site.verify(&mailed, &visitor).await.unwrap();

        let visitor = site.past_password("Acme", "both").await;
        site.service.sign_in().use_other_method(&visitor).await.unwrap();
        site.verify(&site.app_code(&secret, 0), &visitor).await.unwrap();
    }

    async fn an_account_with_one_method_has_no_other(site: Site) {
        site.company("Acme", 0).await;
        let (_, _) = site.app_account("Acme", "tom").await;
        let visitor = site.past_password("Acme", "tom").await;
        site.service.sign_in().use_other_method(&visitor).await.unwrap();
        assert_eq!(site.service.sign_in().open_sign_in(&visitor).await.unwrap().view.method, Method::App);
        assert!(site.mails().await.is_empty(), "an app account gets no code by mail");
    }

    async fn a_backup_code_works_once_in_any_spelling(site: Site) {
        site.company("Acme", 0).await;
        let (_, codes) = site.app_account("Acme", "tom").await;
        let spellings: [fn(&str) -> String; 4] = [
            str::to_owned,
            |code| code.replace('-', ""),
            |code| code.to_lowercase().replace('-', " "),
            |code| format!("  {code}\n"),
        ];
        for (code, spell) in codes.iter().rev().zip(spellings) {
            let visitor = site.past_password("Acme", "tom").await;
            site.verify(&spell(code), &visitor).await.unwrap();
        }
        let used = codes.last().unwrap();
        for spell in spellings {
            let visitor = site.past_password("Acme", "tom").await;
            assert!(
                matches!(
                    site.verify(&spell(used), &visitor).await,
                    Err(Refusal::WrongCode { hint: Some(CodeHint::Used), .. })
                ),
                "a used one is refused, and counts"
            );
        }
        assert_eq!(site.account_of("Acme", "tom").await.wrong_codes, 4);
    }

    async fn each_use_of_a_backup_code_is_mailed_with_the_number_left(site: Site) {
        site.company("Acme", 0).await;
        let (_, codes) = site.app_account("Acme", "tom").await;
        for (index, code) in codes.iter().enumerate() {
            let visitor = site.past_password("Acme", "tom").await;
            site.verify(code, &visitor).await.unwrap();
            let told: Vec<_> = site
                .mails()
                .await
                .iter()
                .filter_map(|mail| match mail.mail {
                    Mail::BackupCodeUsed { left, .. } => Some(left),
                    _ => None,
                })
                .collect();
            assert_eq!(told, [u32::try_from(9 - index).unwrap()]);
        }
    }

    async fn of_four_browsers_with_one_backup_code_one_wins(site: Site) {
        site.company("Acme", 0).await;
        let (_, codes) = site.app_account("Acme", "tom").await;
        let mut visitors = Vec::new();
        for _ in 0..4 {
            visitors.push(site.past_password("Acme", "tom").await);
        }
        let answers = join_all(visitors.iter().map(|visitor| site.verify(&codes[3], visitor))).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
        assert_eq!(site.sessions("Acme", "tom").await, 1);
    }

    async fn backup_codes_of_others_are_wrong(site: Site) {
        site.company("Acme", 0).await;
        site.company("Beta", 0).await;
        let (_, _) = site.app_account("Acme", "tom").await;
        let (secret, codes) = site.app_account("Beta", "tom").await;
        let visitor = site.past_password("Acme", "tom").await;
        assert_eq!(site.verify(&codes[0], &visitor).await, Err(site::wrong(None)));
        assert_eq!(site.verify(&site.app_code(&secret, 0), &visitor).await, Err(site::wrong(None)));
        let owner = site.past_password("Beta", "tom").await;
        site.verify(&codes[0], &owner).await.unwrap();
    }

    async fn an_issued_code_works_once_within_the_hour_and_the_newest_alone(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "alice", true).await;
        let issue = || async { site.service.operator().issue_backup_code("Acme", "alice", "lost phone").await.unwrap().reveal() };
        let (first, second) = (issue().await, issue().await);
        assert_eq!(site.mail_kinds().await, ["backup_code_issued"; 2]);
        let visitor = site.past_password("Acme", "alice").await;
        assert_eq!(site.verify(&first, &visitor).await, Err(site::wrong(None)), "replaced");
        site.verify(&second, &visitor).await.unwrap();
        let visitor = site.past_password("Acme", "alice").await;
        assert_eq!(site.verify(&second, &visitor).await, Err(site::wrong_but(None, CodeHint::Used)));

        let third = issue().await;
        site.clock.advance(60 * 60);
        let visitor = site.past_password("Acme", "alice").await;
        assert_eq!(site.verify(&third, &visitor).await, Err(Refusal::CodeExpired));
        assert_eq!(site.account_of("Acme", "alice").await.wrong_codes, 1, "an expired one does not count");
    }

    async fn an_issued_code_ends_with_a_lock_and_a_deactivation(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "alice", true).await;
        let operator = site.service.operator();
        let issue = async || operator.issue_backup_code("Acme", "alice", "lost phone").await;
        for way in ["lock", "deactivation"] {
            let code = issue().await.unwrap().reveal();
            if way == "lock" {
                site.lock("Acme", "alice").await;
                let refused = issue().await.map(drop);
                assert!(matches!(refused, Err(OperatorError::Refused(Refusal::TargetLocked))), "{refused:?}");
                operator.unlock_account("Acme", "alice").await.unwrap();
            } else {
                operator.set_account_active("Acme", "alice", false).await.unwrap();
                operator.set_account_active("Acme", "alice", true).await.unwrap();
            }
            let visitor = site.past_password("Acme", "alice").await;
            assert_eq!(site.verify(&code, &visitor).await, Err(Refusal::CodeExpired), "{way}");
            assert_eq!(site.account_of("Acme", "alice").await.wrong_codes, 0, "{way}: it does not count");
        }
    }

    async fn wrong_codes_of_every_kind_count_on_one_counter(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "both", true).await;
        let (secret, codes) = site.give_app("Acme", "both").await;
        let home = site.at_home("Acme", "both", Some(&secret)).await;
        site.service.profile().begin_app_set_up(&home).await.unwrap();
        let set_up = site.service.profile().app_set_up(&home).await.unwrap().unwrap();

        let visitor = site.past_password("Acme", "both").await;
        assert_eq!(site.verify(&site::other_code(&site.app_code(&secret, 40)), &visitor).await, Err(site::wrong(None)));
        assert_eq!(site.verify("0000-0000-0000-0000", &visitor).await, Err(site::wrong(None)));
        site.service.sign_in().use_other_method(&visitor).await.unwrap();
        let mailed = site.code_for("both").await;
        assert_eq!(site.verify(&site::other_code(&mailed), &visitor).await, Err(site::wrong(Some(2))));
        let finish = site.service.profile().finish_set_up(Method::App, &set_up.id.to_string(), "000000", &home).await;
        assert_eq!(finish.err(), Some(site::wrong(Some(1))), "a set-up is no free guess");
        assert_eq!(site.verify("ZZZZ-ZZZZ-ZZZZ-ZZZZ", &visitor).await, Err(Refusal::AccountLocked));
        for right in [mailed, codes[0].clone(), site.app_code(&secret, 1)] {
            assert!(site.verify(&right, &visitor).await.is_err(), "locked means locked");
        }
        assert_eq!(
            site.service.profile().begin_app_set_up(&home).await,
            Err(Refusal::AccountLocked),
            "a running session changes no second factor of a locked account"
        );
    }

    async fn malformed_entries_do_not_count(site: Site) {
        site.company("Acme", 0).await;
        let (_, codes) = site.app_account("Acme", "tom").await;
        let visitor = site.past_password("Acme", "tom").await;
        for bad in ["", "12345", "1234567", &codes[0][1..], &format!("{}0", codes[0]), "UUUU-UUUU-UUUU-UUUU", "\0", "[]"] {
            assert!(matches!(site.verify(bad, &visitor).await, Err(Refusal::Invalid { .. })), "{bad:?}");
        }
        assert_eq!(site.account_of("Acme", "tom").await.wrong_codes, 0);
    }

    async fn nothing_secret_is_readable_in_the_database(site: Site) {
        site.company("Acme", 0).await;
        let (secret, codes) = site.app_account("Acme", "tom").await;
        let rows = site.dump().await;
        let plain = codes[0].replace('-', "");
        assert!(!rows.contains(&codes[0]) && !rows.contains(&plain));
        assert!(!rows.contains(&secret.typed()) && !rows.contains(&secret.typed().replace(' ', "")));
        assert!(!rows.to_lowercase().contains(&data_encoding::HEXLOWER.encode(secret.bytes())));
    }

    async fn a_browser_never_seen_is_told_by_mail_only_after_the_whole_sign_in(site: Site) {
        site.company("Acme", 0).await;
        let (secret, _) = site.app_account("Acme", "tom").await;
        let visitor = site.past_password("Acme", "tom").await;
        assert!(site.mails().await.is_empty(), "a password alone tells nobody");
        let granted = site.service.sign_in().verify_code(&site.app_code(&secret, 0), false, &visitor).await.unwrap();
        assert_eq!(site.mail_kinds().await, ["new_browser"]);

        site.clock.advance(60);
        let known = Visitor { browser_token: granted.browser, ..site::visitor() };
        let outcome = site.try_password("Acme", "tom", site::PASSWORD, &known).await.unwrap();
        let vestibule_service::sign_in::Outcome::CodeAsked { pending, .. } = outcome else { panic!("no code asked") };
        let known = Visitor { pending: Some(pending), ..known };
        site.verify(&site.app_code(&secret, 0), &known).await.unwrap();
        assert!(site.mails().await.is_empty(), "this browser is known");
    }
}
