//! Sign-in: password, mailed code, trust, sessions.

use std::collections::HashSet;

use futures::future::join_all;
use vestibule_core::{
    account::Account,
    limits::TRUSTED_ACCOUNTS_MAX,
    mail::Mail,
    ports::Clock,
    refusal::{Field, Problem, Refusal},
    secret::Token,
    sign_in_view::CodeMail,
};
use vestibule_mail::{Reason, outbox::Queue};
use vestibule_service::{
    Visitor,
    operator::{LogOut, OperatorError, PolicyChange},
    sign_in::{Granted, Outcome},
};

use crate::site::{self, Site, on_both};

/// The cookie of trusted browsers in an answer.
fn cookie(granted: &Granted) -> Vec<String> {
    let tokens = granted.trusted.as_deref().unwrap_or_default();
    tokens.iter().map(Token::reveal).collect()
}

fn cookie_of(browser: &Visitor) -> Vec<String> {
    browser.trusted.iter().map(Token::reveal).collect()
}

/// A browser, always the same, that has this cookie.
fn browser_with(cookie: &[String]) -> Visitor {
    another_browser_with(1, cookie)
}

/// The browser with this number that has this cookie.
fn another_browser_with(number: u8, cookie: &[String]) -> Visitor {
    Visitor {
        trusted: cookie.iter().filter_map(|token| Token::parse(token)).collect(),
        browser_token: Some(Token::from_bytes([number; 32])),
        ..site::visitor()
    }
}

/// The browser after this agent signed in in it with `Don't ask again`.
async fn trusting(site: &Site, account: &str, browser: &Visitor) -> Visitor {
    let (visitor, code) = site.at_code_page("Acme", account).await;
    let visitor = Visitor {
        trusted: browser.trusted.clone(),
        browser_token: browser.browser_token.clone(),
        ..visitor
    };
    let granted = site
        .service
        .sign_in()
        .verify_code(&code, true, &visitor)
        .await
        .unwrap();
    browser_with(&cookie(&granted))
}

async fn code_is_asked(site: &Site, account: &str, browser: &Visitor) -> bool {
    let outcome = site.try_password("Acme", account, site::PASSWORD, browser).await;
    matches!(outcome, Ok(Outcome::CodeAsked { .. }))
}

on_both! {
    async fn an_account_without_second_factor_is_signed_in_by_its_password(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "bob", false).await;
        for account in ["bob", "BOB", " bob ", "bob@acme.test", "Bob@ACME.test"] {
            let granted = site.signed_in(" ACME ", account, &site::visitor()).await;
            assert_eq!(granted.landing, "/agent");
            assert_eq!(granted.company, "Acme");
            let visitor = Visitor { session: Some(granted.session), ..site::visitor() };
            assert_eq!(site.service.sign_in().session(&visitor).await.unwrap().unwrap().account.name, "bob");
        }
    }

    async fn names_and_addresses_are_found_by_what_they_mean(site: Site) {
        site.company("Straßenbau Weiß", 0).await;
        site.person_at("STRASSENBAU WEISS", "anna", "anna@bücher.test").await;
        for company in ["Straßenbau Weiß", "STRASSENBAU WEISS", "straßenbau weiẞ", "\u{feff}Straßenbau Weiß\u{200b}"] {
            for account in [
                "anna",
                "anna\u{200b}",
                "\u{202a}ＡＮＮＡ\u{202c}\u{feff}",
                "anna@bücher.test",
                "ANNA@BÜCHER.test",
                "anna@xn--bcher-kva.test",
                "anna＠ｂücher．test\u{200b}",
            ] {
                let granted = site.signed_in(company, account, &site::visitor()).await;
                assert_eq!(granted.company, "Straßenbau Weiß", "{company} {account}");
            }
        }
        let twin = site.try_person_at("straßenbau weiss", "bea", "anna@xn--bcher-kva.test").await;
        assert!(matches!(twin, Err(OperatorError::EmailExists)), "{twin:?}");
    }

    async fn spellings_of_an_address_tell_nothing_about_its_account(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "alice", true).await;
        let mut answers = Vec::new();
        for (name, address) in [("alice", "192.0.2.1"), ("nobody", "192.0.2.2")] {
            let visitor = Visitor {
                address: Some(address.to_owned()),
                source: address.to_owned(),
                ..Visitor::default()
            };
            let mut told = Vec::new();
            for typed in [format!("{name}@acme.test"), format!("{name}@acme\u{3002}test"), format!("{name}@ac\u{ad}me.test")] {
                for _ in 0..5 {
                    // Wrong passwords of one moment are one.
                    site.clock.advance(1);
                    told.push(site.try_password("Acme", &typed, "not the password", &visitor).await.err());
                }
            }
            answers.push(told);
        }
        assert_eq!(answers[0], answers[1]);
    }

    async fn every_wrong_try_gets_one_and_the_same_answer(site: Site) {
        site.company("Acme", 0).await;
        site.company("Beta", 0).await;
        for account in ["alice", "off", "lock"] {
            site.account("Acme", account, true).await;
        }
        site.service.operator().set_account_active("Acme", "off", false).await.unwrap();
        site.lock("Acme", "lock").await;
        for (company, account) in
            [("Nowhere", "x"), ("Acme", "nobody"), ("Acme", "alice"), ("Acme", "off"), ("Acme", "lock"), ("Beta", "alice"), ("%", "_")]
        {
            let visitor = site::visitor();
            let refused = site.try_password(company, account, "not the password", &visitor).await.err();
            assert_eq!(refused, Some(Refusal::WrongCredentials), "{company}/{account}");
        }
    }

    async fn the_state_of_an_account_is_told_only_after_the_right_password(site: Site) {
        site.company("Acme", 0).await;
        for account in ["off", "lock", "alice"] {
            site.account("Acme", account, true).await;
        }
        site.service.operator().set_account_active("Acme", "off", false).await.unwrap();
        site.lock("Acme", "lock").await;
        site.no_mail().await;
        let visitor = site::visitor();
        let right = |account| site.try_password("Acme", account, site::PASSWORD, &visitor);
        assert_eq!(right("off").await.err(), Some(Refusal::AccountInactive));
        assert_eq!(right("lock").await.err(), Some(Refusal::AccountLocked));
        site.service.operator().set_company_enabled("Acme", false).await.unwrap();
        assert_eq!(right("alice").await.err(), Some(Refusal::CompanyDisabled));
        assert_eq!(site.mails().await.len(), 0, "nobody gets a code who may not come in");
    }

    async fn a_code_completes_the_sign_in_once(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "alice", true).await;
        let (visitor, code) = site.at_code_page("Acme", "alice").await;
        let granted = site.service.sign_in().verify_code(&format!("{} {}", &code[..3], &code[3..]), false, &visitor).await.unwrap();
        assert!(granted.trusted.is_none(), "nobody is trusted who did not ask for it");

        let (again, other) = site.at_code_page("Acme", "alice").await;
        if other != code {
            assert_eq!(site.verify(&code, &again).await, Err(site::wrong(None)), "counted");
        }
    }

    async fn a_double_click_gets_the_same_session_and_leaves_no_count(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "alice", true).await;
        let (visitor, code) = site.at_code_page("Acme", "alice").await;
        let answers = join_all((0..5).map(|_| site.service.sign_in().verify_code(&code, false, &visitor))).await;
        let sessions: HashSet<_> =
            answers.into_iter().map(|answer| answer.unwrap().session.reveal()).collect();
        assert_eq!(sessions.len(), 1);
        assert_eq!(site.account_of("Acme", "alice").await.wrong_codes, 0);
        assert_eq!(site.sessions("Acme", "alice").await, 1);

        site.clock.advance(61);
        assert_eq!(site.verify(&code, &visitor).await, Err(Refusal::SignInExpired), "much later it is no double click");
    }

    async fn five_wrong_codes_warn_twice_and_lock(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "alice", true).await;
        let (visitor, code) = site.at_code_page("Acme", "alice").await;
        let wrong = site::other_code(&code);
        let mut answers = Vec::new();
        for _ in 0..5 {
            answers.push(site.verify(&wrong, &visitor).await.unwrap_err());
        }
        assert_eq!(
            answers,
            [
                site::wrong(None),
                site::wrong(None),
                site::wrong(Some(2)),
                site::wrong(Some(1)),
                Refusal::AccountLocked,
            ]
        );
        assert_eq!(site.verify(&code, &visitor).await, Err(Refusal::SignInExpired), "the pending sign-in is gone");
        let mails = site.mails().await;
        assert!(mails.iter().any(|mail| matches!(&mail.mail, Mail::AccountLocked { account, .. } if account == "alice")));
        let right = site.try_password("Acme", "alice", site::PASSWORD, &site::visitor()).await;
        assert_eq!(right.err(), Some(Refusal::AccountLocked));
        site.service.operator().unlock_account("Acme", "alice").await.unwrap();
        assert!(matches!(site.service.operator().unlock_account("Acme", "alice").await, Err(OperatorError::Refused(Refusal::NotLocked))));
        let (visitor, code) = site.at_code_page("Acme", "alice").await;
        assert_eq!(site.verify(&code, &visitor).await, Ok(()));
    }

    async fn the_count_survives_resend_cancel_and_new_sign_ins_and_ends_with_a_passed_second_factor(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "alice", true).await;
        let (visitor, code) = site.at_code_page("Acme", "alice").await;
        for _ in 0..2 {
            site.verify(&site::other_code(&code), &visitor).await.unwrap_err();
        }
        site.clock.advance(61);
        site.service.sign_in().resend_code(&visitor).await.unwrap();
        let code = site.code_for("alice").await;
        assert_eq!(site.verify(&site::other_code(&code), &visitor).await, Err(site::wrong(Some(2))));
        site.service.sign_in().cancel_sign_in(&visitor).await.unwrap();
        assert_eq!(site.verify(&code, &visitor).await, Err(Refusal::SignInExpired));
        let (visitor, code) = site.at_code_page("Acme", "alice").await;
        assert_eq!(site.verify(&site::other_code(&code), &visitor).await, Err(site::wrong(Some(1))));
        assert_eq!(site.verify(&code, &visitor).await, Ok(()), "the fifth try may be the right one");
        let (visitor, code) = site.at_code_page("Acme", "alice").await;
        assert_eq!(site.verify(&site::other_code(&code), &visitor).await, Err(site::wrong(None)));
    }

    async fn two_hundred_parallel_guesses_compare_five(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "alice", true).await;
        let (visitor, code) = site.at_code_page("Acme", "alice").await;
        let wrong = site::other_code(&code);
        let answers = join_all((0..200).map(|_| site.verify(&wrong, &visitor))).await;
        let compared = answers.iter().filter(|answer| matches!(answer, Err(Refusal::WrongCode { .. }))).count();
        assert_eq!(compared, 4, "the fifth locks");
        assert!(answers.iter().all(Result::is_err));
        let account = site.account_of("Acme", "alice").await;
        assert_eq!((account.wrong_codes, account.locked_at.is_some()), (5, true));
    }

    async fn a_crash_between_count_and_comparison_leaves_the_count(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "alice", true).await;
        let account = site.account_of("Acme", "alice").await;
        for _ in 0..5 {
            let mut writer = site.store.write().await.unwrap();
            writer.count_wrong_code(account.company, account.id, 5).await.unwrap().unwrap();
            writer.commit().await.unwrap();
        }
        let right = site.try_password("Acme", "alice", site::PASSWORD, &site::visitor()).await;
        assert_eq!(right.err(), Some(Refusal::AccountLocked), "five counted codes lock even without the lock itself");
        site.service.operator().unlock_account("Acme", "alice").await.unwrap();
        site.at_code_page("Acme", "alice").await;
    }

    async fn a_lock_that_was_left_behind_is_completed_by_whoever_meets_it(site: Site) {
        site.company("Acme", 0).await;
        for (account, way) in [("alice", "sign-in"), ("carol", "code"), ("dora", "background")] {
            site.account("Acme", account, true).await;
            let (visitor, code) = site.at_code_page("Acme", account).await;
            for _ in 0..4 {
                site.verify(&site::other_code(&code), &visitor).await.unwrap_err();
            }
            // The fifth is counted, and its process is killed before it compares.
            let Account { company, id, .. } = site.account_of("Acme", account).await;
            let mut writer = site.store.write().await.unwrap();
            let count = writer.count_wrong_code(company, id, 5).await.unwrap();
            assert_eq!(count.map(|count| count.number), Some(5));
            writer.note_last_code(company, id, site.clock.now()).await.unwrap();
            writer.commit().await.unwrap();
            let meet = || async {
                match way {
                    "sign-in" => {
                        let right = site.try_password("Acme", account, site::PASSWORD, &site::visitor()).await;
                        assert_eq!(right.err(), Some(Refusal::AccountLocked));
                    }
                    "code" => assert_eq!(site.verify(&code, &visitor).await, Err(Refusal::AccountLocked)),
                    _ => {
                        site.service.upkeep().complete_locks().await.unwrap();
                    }
                }
                let kinds = site.mail_kinds().await;
                kinds.contains(&"account_locked")
            };
            assert!(site.account_of("Acme", account).await.is_locked(), "for everybody who looks, at once");
            // For as long as it may be compared, or wait to be taken back because the database was away.
            for seconds in [0, 61, 9 * 60 - 61] {
                site.clock.advance(seconds);
                assert!(!meet().await, "{way}: it may have been right");
            }
            site.clock.advance(51);
            let told = meet().await;
            // A code that meets a shut gate is not even counted: the background work comes by.
            assert!(told || site.service.upkeep().complete_locks().await == Ok(1), "{way}");
            assert_eq!(site.service.upkeep().complete_locks().await, Ok(0));
            let locked = site.events("Acme").await.iter().filter(|(event, _)| event == "account_locked").count();
            assert!(locked > 0, "{way}");
            assert_eq!(site.verify(&code, &visitor).await, Err(Refusal::SignInExpired), "{way}: its pending is gone");
            site.no_mail().await;
        }
    }

    async fn malformed_replaced_and_foreign_codes(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "alice", true).await;
        site.account("Acme", "carol", true).await;
        let (visitor, first) = site.at_code_page("Acme", "alice").await;
        for (bad, problem) in
            [("", Problem::Missing), ("   ", Problem::Missing), ("12345", Problem::NotACode), ("null", Problem::NotACode), ("一二三四五六", Problem::NotACode)]
        {
            assert_eq!(site.verify(bad, &visitor).await, Err(Refusal::field(Field::Code, problem)), "{bad}");
        }
        site.clock.advance(60);
        site.service.sign_in().resend_code(&visitor).await.unwrap();
        let second = site.code_for("alice").await;
        if first != second {
            assert_eq!(site.verify(&first, &visitor).await, Err(Refusal::CodeReplaced));
        }
        assert_eq!(site.account_of("Acme", "alice").await.wrong_codes, 0, "none of these counted");

        let (other_browser, third) = site.at_code_page("Acme", "alice").await;
        if third != second {
            assert_eq!(site.verify(&third, &visitor).await, Err(Refusal::CodeElsewhere), "another browser's");
        }
        assert_eq!(site.account_of("Acme", "alice").await.wrong_codes, 0, "her own code is no guess");
        let (carol, _) = site.at_code_page("Acme", "carol").await;
        let foreign = site.verify(&second, &carol).await;
        assert_eq!(foreign, Err(site::wrong(None)), "another account's code");
        assert_eq!(site.verify(&third, &other_browser).await, Ok(()));
    }

    async fn a_code_of_an_earlier_sign_in_is_replaced_and_never_counts(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "alice", true).await;
        let (cancelled, first) = site.at_code_page("Acme", "alice").await;
        site.service.sign_in().cancel_sign_in(&cancelled).await.unwrap();
        let (old_browser, second) = site.at_code_page("Acme", "alice").await;
        let (visitor, third) = site.at_code_page("Acme", "alice").await;
        for code in [&first, &second] {
            for _ in 0..3 {
                assert_eq!(site.verify(code, &visitor).await, Err(Refusal::CodeReplaced));
            }
        }
        assert_eq!(site.verify(&second, &old_browser).await, Err(Refusal::CodeReplaced), "its own, in its own browser");
        assert_eq!(site.account_of("Acme", "alice").await.wrong_codes, 0);
        assert_eq!(site.verify(&site::other_code(&third), &visitor).await, Err(site::wrong(None)), "a slip counts");
        assert_eq!(site.verify(&third, &visitor).await, Ok(()));

        let (visitor, _) = site.at_code_page("Acme", "alice").await;
        assert_eq!(site.verify(&third, &visitor).await, Err(site::wrong(None)), "a used one is refused and counts");
    }

    async fn a_sign_in_without_a_mail_of_its_own_asks_for_one_when_an_old_code_is_entered(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "alice", true).await;
        let mut newest = String::new();
        for _ in 0..5 {
            let (visitor, code) = site.at_code_page("Acme", "alice").await;
            newest = code;
            site.service.sign_in().cancel_sign_in(&visitor).await.unwrap();
        }
        let visitor = site.past_password("Acme", "alice").await;
        assert_eq!(site.verify(&newest, &visitor).await, Err(Refusal::CodeExpired), "no mail is newer");
        assert_eq!(site.account_of("Acme", "alice").await.wrong_codes, 0);
        site.clock.advance(86_400);
        let (visitor, _) = site.at_code_page("Acme", "alice").await;
        assert_eq!(site.verify(&newest, &visitor).await, Err(site::wrong(None)), "yesterday's is forgotten");
    }

    async fn a_resend_never_hurries_a_mail_whose_code_a_later_sign_in_has_replaced(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "alice", true).await;
        let visitor = site.past_password("Acme", "alice").await;
        let now = site.clock.now();
        for lane in site.service.lanes(now).await.unwrap() {
            for mail in site.service.claim(lane, now, 50).await.unwrap() {
                let later = now + chrono::TimeDelta::minutes(5);
                site.service.retry(mail.id, later, Reason::Refused).await.unwrap();
            }
        }
        site.at_code_page("Acme", "alice").await;
        site.clock.advance(60);
        site.service.sign_in().resend_code(&visitor).await.unwrap();
        let code = site.code_for("alice").await;
        assert_eq!(site.verify(&code, &visitor).await, Ok(()), "a new code, and not the dead one");
    }

    async fn ten_minutes_and_not_longer(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "alice", true).await;
        let (visitor, code) = site.at_code_page("Acme", "alice").await;
        site.clock.advance(599);
        assert_eq!(site.verify(&code, &visitor).await, Ok(()));

        let (visitor, _) = site.at_code_page("Acme", "alice").await;
        site.clock.advance(540);
        site.service.sign_in().resend_code(&visitor).await.unwrap();
        let code = site.code_for("alice").await;
        site.clock.advance(60);
        assert_eq!(site.verify(&code, &visitor).await, Err(Refusal::SignInExpired));
        assert_eq!(site.service.sign_in().resend_code(&visitor).await, Err(Refusal::SignInExpired));
    }

    async fn resend_waits_sixty_seconds_and_sends_one_mail_for_a_burst(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "alice", true).await;
        let (visitor, _) = site.at_code_page("Acme", "alice").await;
        assert_eq!(site.service.sign_in().resend_code(&visitor).await, Err(Refusal::ResendTooSoon { retry_after: 60 }));
        site.clock.advance(59);
        assert_eq!(site.service.sign_in().resend_code(&visitor).await, Err(Refusal::ResendTooSoon { retry_after: 1 }));
        site.clock.advance(2);
        let answers = join_all((0..20).map(|_| site.service.sign_in().resend_code(&visitor))).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
        assert_eq!(site.mails().await.len(), 1);
        let view = site.service.sign_in().open_sign_in(&visitor).await.unwrap().view;
        assert_eq!((view.resend_in, view.mail, view.mailed_to.as_str()), (60, CodeMail::Sent, "a***@a***.test"));
    }

    async fn five_codes_in_ten_minutes_however_they_are_asked_for(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "alice", true).await;
        for _ in 0..5 {
            let (visitor, _) = site.at_code_page("Acme", "alice").await;
            site.service.sign_in().cancel_sign_in(&visitor).await.unwrap();
            site.clock.advance(30);
        }
        let visitor = site.past_password("Acme", "alice").await;
        let view = site.service.sign_in().open_sign_in(&visitor).await.unwrap().view;
        assert_eq!(view.mail, CodeMail::Limited);
        assert_eq!(site.mails().await.len(), 0);
        assert_eq!(site.service.sign_in().resend_code(&visitor).await, Err(Refusal::CodeMailLimit { retry_after: 450 }));
        site.clock.advance(450);
        site.service.sign_in().resend_code(&visitor).await.unwrap();
        let code = site.code_for("alice").await;
        assert_eq!(site.verify(&code, &visitor).await, Ok(()));
    }

    async fn a_new_sign_in_kills_the_one_this_browser_had_open(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "alice", true).await;
        let (old, code) = site.at_code_page("Acme", "alice").await;
        site.try_password("Acme", "alice", site::PASSWORD, &old).await.unwrap();
        assert_eq!(site.verify(&code, &old).await, Err(Refusal::SignInExpired));
    }

    async fn the_lock_stops_a_sign_in_that_was_already_under_way(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "alice", true).await;
        let (visitor, code) = site.at_code_page("Acme", "alice").await;
        let (attacker, other) = site.at_code_page("Acme", "alice").await;
        for _ in 0..5 {
            site.verify(&site::other_code(&other), &attacker).await.unwrap_err();
        }
        assert!(site.verify(&code, &visitor).await.is_err());
        assert_eq!(site.sessions("Acme", "alice").await, 0);
    }

    async fn wrong_passwords_make_strangers_wait_but_not_the_browser_that_knows_the_account(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "bob", false).await;
        let granted = site.signed_in("Acme", "bob", &site::visitor()).await;
        let known = Visitor { browser_token: granted.browser, ..site::visitor() };
        for n in 0..5 {
            let visitor = Visitor { source: format!("192.0.2.{n}"), ..site::visitor() };
            site.try_password("Acme", "bob", "wrong", &visitor).await.err().unwrap();
        }
        let right = |visitor: Visitor| {
            let site = &site;
            async move { site.try_password("Acme", "bob", site::PASSWORD, &visitor).await.map(|_| ()) }
        };
        assert_eq!(right(site::visitor()).await, Err(Refusal::WrongCredentials), "even the right one has to wait");
        assert_eq!(right(known).await, Ok(()), "the owner's own browser is not kept out");
        site.clock.advance(31);
        assert_eq!(right(site::visitor()).await, Ok(()));
        assert_eq!(right(site::visitor()).await, Ok(()), "a right password clears the count");
    }

    async fn a_hundred_wrong_passwords_in_a_row_disable_the_password_until_it_is_set_anew(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "bob", false).await;
        for n in 0..100 {
            let visitor = Visitor { source: format!("198.51.100.{n}"), ..site::visitor() };
            site.try_password("Acme", "bob", "wrong", &visitor).await.err().unwrap();
            site.clock.advance(901);
        }
        site.clock.advance(86_400 * 30);
        let right = site.try_password("Acme", "bob", site::PASSWORD, &site::visitor()).await;
        assert_eq!(right.err(), Some(Refusal::WrongCredentials));
        site.service.operator().set_password("Acme", "bob", &site::password("another long passphrase")).await.unwrap();
        site.try_password("Acme", "bob", "another long passphrase", &site::visitor()).await.unwrap();
    }

    async fn one_source_may_be_wrong_ten_times_a_minute(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "bob", false).await;
        let visitor = Visitor { source: "203.0.113.9".into(), ..site::visitor() };
        for n in 0..10 {
            let refused = site.try_password("Acme", &format!("nobody{n}"), "wrong", &visitor).await.err();
            assert_eq!(refused, Some(Refusal::WrongCredentials));
        }
        let refused = site.try_password("Acme", "bob", site::PASSWORD, &visitor).await.err();
        assert!(matches!(refused, Some(Refusal::TooManyTries { retry_after: 1..=60 })), "{refused:?}");
        site.try_password("Acme", "bob", site::PASSWORD, &site::visitor()).await.unwrap();
        site.clock.advance(60);
        // Right passwords do not count.
        for _ in 0..15 {
            site.try_password("Acme", "bob", site::PASSWORD, &visitor).await.unwrap();
        }
    }

    async fn a_trusted_browser_skips_the_code_for_this_account_until_its_day(site: Site) {
        site.company("Acme", 14).await;
        site.account("Acme", "alice", true).await;
        site.account("Acme", "carol", true).await;
        let (visitor, code) = site.at_code_page("Acme", "alice").await;
        let granted = site.service.sign_in().verify_code(&code, true, &visitor).await.unwrap();
        let browser = |granted: &Granted| Visitor {
            trusted: granted.trusted.clone().unwrap_or_default(),
            ..site::visitor()
        };
        let trusted = browser(&granted);
        assert!(matches!(
            site.try_password("Acme", "carol", site::PASSWORD, &trusted).await,
            Ok(Outcome::CodeAsked { .. })
        ), "another account on this browser is asked");

        site.clock.advance(86_400 * 13);
        let next = site.signed_in("Acme", "alice", &trusted).await;
        site.clock.advance(31);
        assert!(matches!(
            site.try_password("Acme", "alice", site::PASSWORD, &trusted).await,
            Ok(Outcome::CodeAsked { .. })
        ), "the token of the last visit is dead: every use makes a new one");
        let rotated = browser(&next);
        site.clock.advance(86_400 + 60);
        assert!(matches!(
            site.try_password("Acme", "alice", site::PASSWORD, &rotated).await,
            Ok(Outcome::CodeAsked { .. })
        ), "use does not lengthen trust");
    }

    async fn a_double_click_or_a_lost_answer_keeps_trust(site: Site) {
        site.company("Acme", 30).await;
        site.account("Acme", "alice", true).await;
        let (visitor, code) = site.at_code_page("Acme", "alice").await;
        let answers = join_all((0..3).map(|_| site.service.sign_in().verify_code(&code, true, &visitor))).await;
        let cookies: HashSet<_> = answers.into_iter().map(|answer| cookie(&answer.unwrap())).collect();
        assert_eq!(cookies.len(), 1, "the answers to a double click carry one cookie");
        let before = browser_with(&cookies.into_iter().next().unwrap());

        let mut cookies = HashSet::new();
        for _ in 0..4 {
            cookies.insert(cookie(&site.signed_in("Acme", "alice", &before).await));
        }
        assert_eq!(cookies.len(), 1, "two tabs, or a lost answer: the same new token");
        site.clock.advance(30);
        let late = cookie(&site.signed_in("Acme", "alice", &before).await);
        assert!(cookies.contains(&late));
        site.clock.advance(1);
        assert!(code_is_asked(&site, "alice", &before).await, "a stolen copy is of no use for long");
        site.signed_in("Acme", "alice", &browser_with(&late)).await;
        assert!(code_is_asked(&site, "alice", &before).await, "and never again");
    }

    async fn many_agents_trust_one_browser_and_dead_trust_takes_nobodys_place(site: Site) {
        site.company("Acme", 30).await;
        let names: Vec<_> = (1..TRUSTED_ACCOUNTS_MAX).map(|n| format!("agent{n}")).collect();
        let mut shared = site::visitor();
        for name in &names {
            site.account("Acme", name, true).await;
            shared = trusting(&site, name, &shared).await;
        }
        // Somebody whose trust ends and is given anew, again and again.
        site.account("Acme", "bob", true).await;
        for _ in 0..20 {
            shared = trusting(&site, "bob", &shared).await;
            site.service.operator().set_password("Acme", "bob", &site::password(site::PASSWORD)).await.unwrap();
            site.clock.advance(3600);
        }
        for name in &names {
            let granted = site.signed_in("Acme", name, &shared).await;
            shared = browser_with(&cookie(&granted));
        }
        assert_eq!(shared.trusted.len(), names.len(), "bob's dead trust has left the cookie");
    }

    async fn a_browser_that_is_full_forgets_whoever_used_it_least(site: Site) {
        site.company("Acme", 30).await;
        let mut shared = site::visitor();
        for n in 0..=TRUSTED_ACCOUNTS_MAX {
            let name = format!("agent{n}");
            site.account("Acme", &name, true).await;
            shared = trusting(&site, &name, &shared).await;
        }
        assert_eq!(shared.trusted.len(), TRUSTED_ACCOUNTS_MAX);
        assert!(code_is_asked(&site, "agent0", &shared).await);
        site.signed_in("Acme", "agent1", &shared).await;
    }

    async fn a_browser_that_a_version_before_filled_further_keeps_what_was_used_last(site: Site) {
        site.company("Acme", 30).await;
        site.account("Acme", "oldest", true).await;
        let oldest = trusting(&site, "oldest", &site::visitor()).await;
        let mut shared = site::visitor();
        for n in 0..TRUSTED_ACCOUNTS_MAX {
            let name = format!("agent{n}");
            site.account("Acme", &name, true).await;
            shared = trusting(&site, &name, &shared).await;
        }
        shared.trusted.extend(oldest.trusted);
        assert!(!code_is_asked(&site, "oldest", &shared).await, "it is read whole");
        let kept = browser_with(&cookie(&site.signed_in("Acme", "agent0", &shared).await));
        assert_eq!(kept.trusted.len(), TRUSTED_ACCOUNTS_MAX);
        assert!(code_is_asked(&site, "oldest", &kept).await, "once more");
    }

    async fn two_agents_who_sign_in_in_two_tabs_at_once_both_stay_trusted(site: Site) {
        site.company("Acme", 30).await;
        let mut shared = site::visitor();
        for name in ["alice", "carol"] {
            site.account("Acme", name, true).await;
            shared = trusting(&site, name, &shared).await;
        }
        site.signed_in("Acme", "alice", &shared).await;
        let last = site.signed_in("Acme", "carol", &shared).await;
        site.clock.advance(3600);
        for name in ["alice", "carol"] {
            site.signed_in("Acme", name, &browser_with(&cookie(&last))).await;
        }
    }

    async fn a_stolen_copy_of_trust_does_not_follow_its_original(site: Site) {
        site.company("Acme", 30).await;
        for name in ["alice", "mallory"] {
            site.account("Acme", name, true).await;
        }
        let mut hers = trusting(&site, "alice", &browser_with(&[])).await;
        let mut mallorys = cookie_of(&trusting(&site, "mallory", &another_browser_with(2, &[])).await);
        for _ in 0..3 {
            let stolen = cookie_of(&hers).remove(0);
            let mut thief = another_browser_with(2, &[mallorys.remove(0), stolen.clone()]);
            hers = browser_with(&cookie(&site.signed_in("Acme", "alice", &hers).await));
            site.clock.advance(25);
            // With an account of their own, and even with her password.
            let given = cookie(&site.signed_in("Acme", "mallory", &thief).await);
            assert_eq!((given.len(), &given[1]), (2, &stolen), "nothing new for hers");
            thief = another_browser_with(2, &given);
            let with_password = cookie(&site.signed_in("Acme", "alice", &thief).await);
            assert_eq!(with_password[0], stolen, "it is taken once more, and no better for it");
            mallorys = given;
            site.clock.advance(6);
            assert!(code_is_asked(&site, "alice", &thief).await);
        }
        site.signed_in("Acme", "alice", &hers).await;
    }

    async fn only_a_code_of_the_accounts_own_method_earns_trust(site: Site) {
        site.company("Acme", 90).await;
        let (secret, codes) = site.app_account("Acme", "tom").await;
        let issued = site.service.operator().issue_backup_code("Acme", "tom", "lost phone").await.unwrap().reveal();
        for (code, earns) in [(codes[0].clone(), false), (issued, false), (site.app_code(&secret, 0), true)] {
            let visitor = site.past_password("Acme", "tom").await;
            let granted = site.service.sign_in().verify_code(&code, true, &visitor).await.unwrap();
            assert_eq!(granted.trusted.is_some(), earns);
        }
        let account = site.account_of("Acme", "tom").await;
        let trusted = site.store.read().await.unwrap().trusted_of(account.company, account.id).await.unwrap();
        assert_eq!(trusted.len(), 1);
    }

    async fn nodes_whose_clocks_are_two_seconds_apart_are_as_one(site: Site) {
        site.company("Acme", 30).await;
        site.account("Acme", "alice", true).await;
        let (visitor, code) = site.at_code_page("Acme", "alice").await;
        let granted = site.service.sign_in().verify_code(&code, true, &visitor).await.unwrap();
        site.clock.advance(-2);
        let again = site.service.sign_in().verify_code(&code, true, &visitor).await.unwrap();
        assert_eq!(again.session.reveal(), granted.session.reveal(), "a double click is one");
        let home = Visitor { session: Some(granted.session.clone()), ..site::visitor() };
        site.service.profile().begin_app_set_up(&home).await.unwrap();
        site.signed_in("Acme", "alice", &browser_with(&cookie(&granted))).await;
    }

    async fn guesses_in_a_completed_sign_in_count(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "both", true).await;
        let (secret, backup) = site.give_app("Acme", "both").await;
        let visitor = site.past_password("Acme", "both").await;
        let code = site.app_code(&secret, 0);
        let granted = site.service.sign_in().verify_code(&code, false, &visitor).await.unwrap();
        assert_eq!(site.verify(&site::other_code(&code), &visitor).await, Err(site::wrong(None)));
        assert_eq!(site.verify(&backup[0], &visitor).await, Err(site::wrong(None)), "nothing else can be learnt");
        let again = site.service.sign_in().verify_code(&code, false, &visitor).await.unwrap();
        assert_eq!(again.session.reveal(), granted.session.reveal());
        assert_eq!(site.account_of("Acme", "both").await.wrong_codes, 2, "the right one leaves no count");
        assert_eq!(site.verify("000000", &visitor).await, Err(site::wrong(Some(2))));
        assert_eq!(site.verify("000000", &visitor).await, Err(site::wrong(Some(1))));
        assert_eq!(site.verify("000000", &visitor).await, Err(Refusal::AccountLocked));
        assert_eq!(site.verify(&code, &visitor).await, Err(Refusal::SignInExpired), "the lock ended it");
    }

    async fn a_fault_of_ours_is_nobodys_guess(site: Site) {
        site.company("Acme", 0).await;
        let (_, backup) = site.app_account("Acme", "tom").await;
        let visitor = site.past_password("Acme", "tom").await;
        for (what, take, give_back) in [
            ("comparing", "ALTER TABLE backup_code RENAME TO away", "ALTER TABLE away RENAME TO backup_code"),
            ("completing", "ALTER TABLE session RENAME TO away", "ALTER TABLE away RENAME TO session"),
        ] {
            site.store.run(take).await;
            for _ in 0..6 {
                let failed = site.verify(&backup[0], &visitor).await;
                assert!(matches!(failed, Err(Refusal::Internal { .. })), "{what}: {failed:?}");
            }
            site.store.run(give_back).await;
            assert_eq!(site.account_of("Acme", "tom").await.wrong_codes, 0, "{what}");
        }
        site.verify(&backup[0], &visitor).await.unwrap();
    }

    async fn a_count_that_cannot_be_taken_back_now_is_taken_back_later(site: Site) {
        site.company("Acme", 0).await;
        let (_, backup) = site.app_account("Acme", "tom").await;
        let visitor = site.past_password("Acme", "tom").await;
        site.store.run("ALTER TABLE backup_code RENAME TO away").await;
        site.store.run(if site.store.is_sqlite() {
            "CREATE TRIGGER stuck BEFORE UPDATE OF wrong_codes ON account WHEN NEW.wrong_codes < OLD.wrong_codes \
             BEGIN SELECT RAISE(ABORT, 'stuck'); END"
        } else {
            "CREATE FUNCTION stuck() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'stuck'; END $$; \
             CREATE TRIGGER stuck BEFORE UPDATE OF wrong_codes ON account FOR EACH ROW \
             WHEN (NEW.wrong_codes < OLD.wrong_codes) EXECUTE FUNCTION stuck()"
        }).await;
        assert!(site.verify(&backup[0], &visitor).await.is_err());
        assert_eq!(site.account_of("Acme", "tom").await.wrong_codes, 1);
        site.store.run(if site.store.is_sqlite() { "DROP TRIGGER stuck" } else { "DROP TRIGGER stuck ON account" }).await;
        let settled = async {
            while site.account_of("Acme", "tom").await.wrong_codes > 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_mins(1), settled).await.unwrap();
    }

    async fn trust_ends_with_a_new_password_a_lock_and_a_shorter_policy(site: Site) {
        site.company("Acme", 90).await;
        for account in ["alice", "carol", "dora"] {
            site.account("Acme", account, true).await;
        }
        let mut trusted = Vec::new();
        for account in ["alice", "carol", "dora"] {
            let (visitor, code) = site.at_code_page("Acme", account).await;
            let visitor = Visitor { trusted: trusted.clone(), ..visitor };
            trusted = site.service.sign_in().verify_code(&code, true, &visitor).await.unwrap().trusted.unwrap();
        }
        assert_eq!(trusted.len(), 3, "several accounts trust one browser side by side");
        let visitor = Visitor { trusted, ..site::visitor() };
        let asked = |account: &'static str, password: &'static str| {
            let (site, visitor) = (&site, &visitor);
            async move {
                matches!(site.try_password("Acme", account, password, visitor).await, Ok(Outcome::CodeAsked { .. }))
            }
        };
        site.service.operator().set_password("Acme", "alice", &site::password("another long passphrase")).await.unwrap();
        assert!(asked("alice", "another long passphrase").await);
        site.lock("Acme", "carol").await;
        site.service.operator().unlock_account("Acme", "carol").await.unwrap();
        assert!(asked("carol", site::PASSWORD).await);
        site.clock.advance(86_400 * 20);
        site.service.operator().set_two_factor_days("Acme", 14).await.unwrap();
        assert!(asked("dora", site::PASSWORD).await);
    }

    async fn a_policy_of_every_login_trusts_nobody_whatever_is_sent(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "alice", true).await;
        let (visitor, code) = site.at_code_page("Acme", "alice").await;
        assert!(site.service.sign_in().verify_code(&code, true, &visitor).await.unwrap().trusted.is_none());
    }

    async fn sessions_end_when_idle_at_their_end_and_with_what_they_stand_on(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "bob", false).await;
        let begin = || async {
            let granted = site.signed_in("Acme", "bob", &site::visitor()).await;
            Visitor { session: Some(granted.session), ..site::visitor() }
        };
        let alive = |visitor: Visitor| {
            let service = site.service.clone();
            async move { service.sign_in().session(&visitor).await.unwrap().is_some() }
        };
        let idle = begin().await;
        site.clock.advance(29 * 60);
        assert!(alive(idle.clone()).await);
        site.clock.advance(30 * 60);
        assert!(!alive(idle.clone()).await);
        site.clock.advance(-30 * 60);
        assert!(!alive(idle).await, "a clock that steps back revives nothing");

        let long = begin().await;
        for _ in 0..(12 * 60 / 20 - 1) {
            site.clock.advance(20 * 60);
            assert!(alive(long.clone()).await);
        }
        site.clock.advance(20 * 60);
        assert!(!alive(long).await, "twelve hours, whatever happens");

        let out = begin().await;
        site.service.sign_in().sign_out(&out).await.unwrap();
        site.service.sign_in().sign_out(&out).await.unwrap();
        assert!(!alive(out).await);

        for end in ["password", "inactive", "disabled"] {
            site.service.operator().set_company_enabled("Acme", true).await.unwrap();
            site.service.operator().set_account_active("Acme", "bob", true).await.unwrap();
            let visitor = begin().await;
            match end {
                "password" => {
                    site.service.operator().set_password("Acme", "bob", &site::password(site::PASSWORD)).await.unwrap();
                }
                "inactive" => site.service.operator().set_account_active("Acme", "bob", false).await.unwrap(),
                _ => site.service.operator().set_company_enabled("Acme", false).await.unwrap(),
            }
            assert!(!alive(visitor).await, "{end}");
        }
    }

    // attacks.md T072
    async fn a_new_sign_in_takes_the_place_of_the_session_that_the_browser_had(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "bob", false).await;
        site.account("Acme", "alice", true).await;
        let phone = site.at_home("Acme", "bob", None).await;
        let home = site.at_home("Acme", "bob", None).await;
        let again = site.signed_in("Acme", "bob", &home).await;
        assert!(site.service.sign_in().session(&home).await.unwrap().is_none());
        let home = Visitor { session: Some(again.session), ..site::visitor() };
        // Somebody else on the same browser.
        let asked = site.try_password("Acme", "alice", site::PASSWORD, &home).await.unwrap();
        let Outcome::CodeAsked { pending, .. } = asked else { panic!("no code is asked") };
        assert!(site.service.sign_in().session(&home).await.unwrap().is_some(), "nobody else is signed in yet");
        let at = Visitor { pending: Some(pending), ..home.clone() };
        let code = site.code_for("alice").await;
        let granted = site.service.sign_in().verify_code(&code, false, &at).await.unwrap();
        assert!(site.service.sign_in().session(&home).await.unwrap().is_none());
        let alice = Visitor { session: Some(granted.session), ..site::visitor() };
        assert!(site.service.sign_in().session(&alice).await.unwrap().is_some());
        assert!(site.service.sign_in().session(&phone).await.unwrap().is_some(), "another browser is another browser");
        let signed_out = site.events("Acme").await.iter().filter(|(event, _)| event == "signed_out").count();
        assert_eq!(signed_out, 2);
    }

    // attacks.md T065
    async fn what_a_shorter_policy_ended_stays_ended(site: Site) {
        site.company("Acme", 90).await;
        site.account("Acme", "alice", true).await;
        site.account("Acme", "bob", false).await;
        let trust = || async {
            let (visitor, code) = site.at_code_page("Acme", "alice").await;
            let trusted = site.service.sign_in().verify_code(&code, true, &visitor).await.unwrap().trusted.unwrap();
            Visitor { trusted, ..site::visitor() }
        };
        let asked = |visitor: Visitor| {
            let site = &site;
            async move {
                let outcome = site.try_password("Acme", "alice", site::PASSWORD, &visitor).await.unwrap();
                site.no_mail().await;
                matches!(outcome, Outcome::CodeAsked { .. })
            }
        };
        let (over, cut) = (trust().await, {
            site.clock.advance(86_400 * 10);
            trust().await
        });
        site.clock.advance(86_400 * 5);
        for days in [14, 90] {
            site.service.operator().set_two_factor_days("Acme", days).await.unwrap();
        }
        assert!(asked(over).await);
        site.clock.advance(86_400 * 9);
        assert!(asked(cut).await, "its fixed end is the shorter one");
        let none = trust().await;
        for days in [0, 90] {
            site.service.operator().set_two_factor_days("Acme", days).await.unwrap();
        }
        assert!(asked(none).await);

        let home = site.at_home("Acme", "bob", None).await;
        site.clock.advance(20 * 60);
        for minutes in [15, 999] {
            let change = PolicyChange { log_out: Some(LogOut::After(minutes)), ..PolicyChange::default() };
            site.service.operator().give_policies("Acme", change).await.unwrap();
        }
        assert!(site.service.sign_in().session(&home).await.unwrap().is_none());
    }

    async fn an_eleventh_session_ends_the_oldest(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "bob", false).await;
        let mut sessions = Vec::new();
        for _ in 0..11 {
            sessions.push(site.signed_in("Acme", "bob", &site::visitor()).await.session);
            site.clock.advance(1);
        }
        let first = Visitor { session: sessions.first().cloned(), ..site::visitor() };
        let last = Visitor { session: sessions.last().cloned(), ..site::visitor() };
        assert!(site.service.sign_in().session(&first).await.unwrap().is_none());
        assert!(site.service.sign_in().session(&last).await.unwrap().is_some());
        assert_eq!(site.sessions("Acme", "bob").await, 10);
    }

    async fn the_pending_token_opens_nothing_but_the_code_step(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "alice", true).await;
        let (visitor, _) = site.at_code_page("Acme", "alice").await;
        let renamed = Visitor { session: visitor.pending.clone(), ..site::visitor() };
        assert!(site.service.sign_in().session(&renamed).await.unwrap().is_none());
    }

    async fn mails_speak_the_language_of_the_browser_the_account_or_the_company(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "alice", true).await;
        let visitor = Visitor { language: Some("ar".into()), ..site::visitor() };
        site.try_password("Acme", "alice", site::PASSWORD, &visitor).await.unwrap();
        assert_eq!(site.mails().await[0].language, "ar");
        site.try_password("Acme", "alice", site::PASSWORD, &site::visitor()).await.unwrap();
        assert_eq!(site.mails().await[0].language, "de", "the account's");
    }

    async fn codes_and_passwords_are_nowhere_in_the_database(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "alice", true).await;
        let visitor = site.past_password("Acme", "alice").await;
        let rows = site.dump().await;
        let code = site.code_for("alice").await;
        assert!(!rows.contains(&code), "the code waits sealed in the outbox");
        assert!(!rows.contains(site::PASSWORD));
        assert!(!rows.contains(&visitor.pending.unwrap().reveal()));
    }
}
