//! A company's own mail server, and its test mail.

use vestibule_core::{
    account::Role,
    mail::Mail,
    mail_server::MailSecurity,
    ports::Clock,
    refusal::{Field, Problem, Refusal},
};
use vestibule_mail::{
    Reason,
    outbox::{Lane, Problem as MailProblem, Queue, Route},
};
use vestibule_service::{
    Visitor,
    console::{MailServerInput, MailServerSaved},
    keys::{Key, Keys},
};

use crate::{
    console::acme,
    site::{Site, on_both},
};

const PASSWORD: &str = "s3cret of the server";

fn input() -> MailServerInput {
    MailServerInput {
        own: true,
        host: " Mail.Example.org ".to_owned(),
        port: "465".to_owned(),
        security: "tls".to_owned(),
        user: "mailer".to_owned(),
        password: PASSWORD.to_owned().into(),
        sender: "Acme <no-reply@example.org>".to_owned(),
        reply_to: String::new(),
        fall_back: false,
    }
}

async fn version(site: &Site, ada: &Visitor) -> Option<i64> {
    let page = site.service.console().mail_server(ada).await.unwrap();
    page.server.map(|row| row.version)
}

async fn save(site: &Site, input: MailServerInput, ada: &Visitor) -> Result<(), Refusal> {
    let version = version(site, ada).await;
    let saved = site.service.console().save_mail_server(version, input, ada).await;
    saved.map(drop)
}

/// The route that a mail of the company takes, and the mail's kind.
async fn claim(site: &Site) -> (Route, &'static str) {
    let now = site.clock.now();
    let lanes = site.service.lanes(now).await.unwrap();
    assert_eq!(lanes.len(), 1, "{lanes:?}");
    let mut claimed = site.service.claim(lanes[0], now, 1).await.unwrap();
    let mail = claimed.remove(0);
    site.service.sent(mail.id, now, None).await.unwrap();
    assert_eq!(
        matches!(lanes[0], Lane::Company(_)),
        !matches!(mail.route, Route::Installation)
    );
    (mail.route, mail.mail.kind())
}

on_both! {
    async fn a_server_is_saved_used_and_taken_away(site: Site) {
        let ada = acme(&site).await;
        let service = &site.service;
        assert_eq!(service.console().send_test_mail(&ada).await, Err(Refusal::NoMailServer));
        save(&site, input(), &ada).await.unwrap();
        let row = service.console().mail_server(&ada).await.unwrap().server.unwrap();
        assert_eq!(
            (row.host.as_str(), row.port, row.security, row.user.as_deref(), row.sender.as_str()),
            ("mail.example.org", 465, MailSecurity::Tls, Some("mailer"), "Acme <no-reply@example.org>")
        );
        assert!(!site.dump().await.contains(PASSWORD), "the password is stored encrypted");

        service.console().send_test_mail(&ada).await.unwrap();
        let (route, kind) = claim(&site).await;
        let Route::Own(server) = route else { panic!("{route:?}") };
        assert_eq!((kind, server.settings.server().as_str()), (Mail::TEST, "mail.example.org:465"));
        assert!(!format!("{server:?}").contains(PASSWORD));

        let again = service.console().save_mail_server(None, input(), &ada).await;
        assert_eq!(again, Err(Refusal::ChangedMeanwhile));
        let gone = MailServerInput { own: false, ..input() };
        save(&site, gone, &ada).await.unwrap();
        assert_eq!(version(&site, &ada).await, None);
        let bob = site.id_of("Acme", "bob").await;
        service.console().send_reset_link(&bob, &ada).await.unwrap();
        assert!(matches!(claim(&site).await, (Route::Installation, "reset_link")));
        let events = site.events("Acme").await;
        let changed: Vec<_> = events.iter().filter(|(event, _)| event == "mail_server_changed").collect();
        assert_eq!(changed.len(), 2);
        assert!(changed.iter().all(|(_, detail)| !detail.as_ref().unwrap().contains(PASSWORD)));
        assert!(events.iter().any(|(event, _)| event == "mail_tested"));
    }

    async fn a_password_stays_only_for_the_same_host_and_user(site: Site) {
        let ada = acme(&site).await;
        save(&site, input(), &ada).await.unwrap();
        let without = || MailServerInput { password: String::new().into(), ..input() };
        let fall_back = MailServerInput { fall_back: true, port: "2465".to_owned(), ..without() };
        save(&site, fall_back, &ada).await.unwrap();
        site.service.console().send_test_mail(&ada).await.unwrap();
        let (route, _) = claim(&site).await;
        assert!(matches!(route, Route::Own(server) if server.fall_back));
        let missing = || Err(Refusal::field(Field::MailPassword, Problem::Missing));
        let elsewhere = MailServerInput { host: "evil.example.net".to_owned(), ..without() };
        assert_eq!(save(&site, elsewhere, &ada).await, missing());
        let other = MailServerInput { user: "other".to_owned(), ..without() };
        assert_eq!(save(&site, other, &ada).await, missing());
        let nobody = MailServerInput { user: String::new(), ..without() };
        save(&site, nobody, &ada).await.unwrap();
        assert_eq!(save(&site, without(), &ada).await, missing(), "it is gone");
    }

    async fn a_way_that_no_test_mail_has_gone_is_told_of_when_it_is_saved(site: Site) {
        let ada = acme(&site).await;
        let kept = || MailServerInput { password: String::new().into(), ..input() };
        for (input, untested) in [
            (input(), true),
            (kept(), false),
            (MailServerInput { fall_back: true, ..kept() }, false),
            (MailServerInput { port: "587".into(), security: "starttls".into(), fall_back: true, ..kept() }, true),
            (MailServerInput { own: false, ..input() }, false),
        ] {
            site.clock.advance(1);
            let version = version(&site, &ada).await;
            let saved = site.service.console().save_mail_server(version, input, &ada).await;
            assert_eq!(saved, Ok(MailServerSaved { untested }));
        }
    }

    async fn what_cannot_be_a_server_is_refused_at_its_input(site: Site) {
        let ada = acme(&site).await;
        let range = Problem::OutOfRange { least: 1, most: 65_535 };
        for (change, field, problem) in [
            (MailServerInput { host: String::new(), ..input() }, Field::Host, Problem::Missing),
            (MailServerInput { host: "two words".into(), ..input() }, Field::Host, Problem::NotAHost),
            (MailServerInput { host: "localhost".into(), ..input() }, Field::Host, Problem::PrivateHost),
            (MailServerInput { host: "10.0.0.7".into(), ..input() }, Field::Host, Problem::PrivateHost),
            (MailServerInput { host: "[::1]".into(), ..input() }, Field::Host, Problem::PrivateHost),
            (MailServerInput { host: "a".repeat(254), ..input() }, Field::Host, Problem::TooLong { most: 253 }),
            (MailServerInput { port: "0".into(), ..input() }, Field::Port, range),
            (MailServerInput { port: "65536".into(), ..input() }, Field::Port, range),
            (MailServerInput { port: "smtp".into(), ..input() }, Field::Port, range),
            (MailServerInput { security: "ssl".into(), ..input() }, Field::MailSecurity, Problem::NotOffered),
            (MailServerInput { security: "none".into(), ..input() }, Field::MailSecurity, Problem::Unencrypted),
            (MailServerInput { user: String::new(), ..input() }, Field::MailUser, Problem::Missing),
            (MailServerInput { user: "a\r\nb".into(), ..input() }, Field::MailUser, Problem::BadCharacters),
            (MailServerInput { sender: String::new(), ..input() }, Field::Sender, Problem::Missing),
            (MailServerInput { sender: "Acme".into(), ..input() }, Field::Sender, Problem::NotASender),
            (
                MailServerInput { sender: "a@b.test\nBcc: c@d.test".into(), ..input() },
                Field::Sender,
                Problem::BadCharacters,
            ),
            (MailServerInput { reply_to: "nobody".into(), ..input() }, Field::ReplyTo, Problem::NotASender),
        ] {
            let refused = save(&site, change, &ada).await;
            assert_eq!(refused, Err(Refusal::field(field, problem)), "{field:?}");
        }
        assert_eq!(version(&site, &ada).await, None);
    }

    async fn only_an_admin_with_a_recent_proof_changes_it_and_another_company_never_sees_it(site: Site) {
        let ada = acme(&site).await;
        save(&site, input(), &ada).await.unwrap();
        let sue = site.at_home("Acme", "sue", None).await;
        for refused in [
            site.service.console().mail_server(&sue).await.map(drop),
            site.service.console().save_mail_server(None, input(), &sue).await.map(drop),
            site.service.console().send_test_mail(&sue).await,
            site.service.console().try_mail_server(input(), &sue).await,
        ] {
            assert_eq!(refused, Err(Refusal::Forbidden));
        }
        site.company("Globex", 0).await;
        site.person("Globex", "gus", &[Role::Admin], false).await;
        let gus = site.at_home("Globex", "gus", None).await;
        assert_eq!(version(&site, &gus).await, None);
        assert_eq!(site.service.console().send_test_mail(&gus).await, Err(Refusal::NoMailServer));
        site.clock.advance(vestibule_core::limits::STEP_UP_SECONDS + 1);
        assert_eq!(save(&site, input(), &ada).await, Err(Refusal::StepUpNeeded));
        assert_eq!(site.service.console().send_test_mail(&ada).await, Err(Refusal::StepUpNeeded));
        assert_eq!(site.service.console().try_mail_server(input(), &ada).await, Err(Refusal::StepUpNeeded));
    }

    async fn what_cannot_be_a_server_is_not_spoken_to(site: Site) {
        let ada = acme(&site).await;
        for (change, field, problem) in [
            (MailServerInput { host: "localhost".into(), ..input() }, Field::Host, Problem::PrivateHost),
            (MailServerInput { security: "none".into(), ..input() }, Field::MailSecurity, Problem::Unencrypted),
            (MailServerInput { password: String::new().into(), ..input() }, Field::MailPassword, Problem::Missing),
        ] {
            let refused = site.service.console().try_mail_server(change, &ada).await;
            assert_eq!(refused, Err(Refusal::field(field, problem)), "{field:?}");
        }
        let page = site.service.console().mail_server(&ada).await.unwrap();
        assert!(page.server.is_none() && page.test.is_none() && page.tried.is_none());
        assert!(!site.events("Acme").await.iter().any(|(event, _)| event == "mail_tested"));
    }

    async fn a_test_mail_tells_what_the_server_said_and_twenty_an_hour_are_enough(site: Site) {
        let ada = acme(&site).await;
        save(&site, input(), &ada).await.unwrap();
        let service = &site.service;
        for _ in 0..20 {
            service.console().send_test_mail(&ada).await.unwrap();
            site.clock.advance(1);
        }
        assert_eq!(service.console().send_test_mail(&ada).await, Err(Refusal::MailLimit));
        assert_eq!(service.console().try_mail_server(input(), &ada).await, Err(Refusal::MailLimit), "of either kind");
        let now = site.clock.now();
        let lane = service.lanes(now).await.unwrap()[0];
        let claimed = service.claim(lane, now, 50).await.unwrap();
        assert_eq!(claimed.len(), 20);
        let problem = MailProblem::NotTaken(Reason::Rejected(535));
        let newest = claimed.iter().max_by_key(|mail| mail.created_at).unwrap();
        service.given_up(newest.id, now, problem, Some("535 5.7.8 no")).await.unwrap();
        let test = service.console().mail_server(&ada).await.unwrap().test.unwrap();
        assert_eq!(
            (test.receiver.as_str(), test.problem.as_deref(), test.answer.as_deref()),
            ("ada@acme.test", Some("rejected_535"), Some("535 5.7.8 no"))
        );
    }

    async fn a_password_that_no_key_opens_stops_its_mails_and_a_rotation_seals_it_anew(site: Site) {
        let ada = acme(&site).await;
        save(&site, input(), &ada).await.unwrap();
        let key = |version, secret| Key { version, secret: [secret; 32].into() };
        let both = site.with_keys(Keys::new(vec![key(1, 7), key(2, 8)]).unwrap());
        assert_eq!(both.service.operator().reseal_secrets().await.unwrap().resealed, 1);
        both.service.console().send_test_mail(&ada).await.unwrap();
        assert!(matches!(claim(&both).await.0, Route::Own(_)));

        let lost = site.with_keys(Keys::new(vec![key(3, 9)]).unwrap());
        assert_eq!(lost.service.operator().reseal_secrets().await.unwrap().unreadable, 1);
        both.service.console().send_test_mail(&ada).await.unwrap();
        let now = site.clock.now();
        let lane = lost.service.lanes(now).await.unwrap()[0];
        assert!(lost.service.claim(lane, now, 1).await.unwrap().is_empty(), "nor the mail");
        let row = both.service.console().mail_server(&ada).await.unwrap().server;
        assert!(row.is_some(), "nothing is thrown away");
    }

    async fn a_mail_that_was_taken_but_not_marked_goes_out_once_more_and_never_again(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "alice", true).await;
        site.past_password("Acme", "alice").await;
        let service = &site.service;
        let claim = async |seconds| {
            site.clock.advance(seconds);
            service.claim(Lane::Installation, site.clock.now(), 8).await.unwrap()
        };
        let first = claim(0).await;
        assert_eq!(first.len(), 1);
        // The worker dies between the server's answer and the mark.
        assert!(claim(59).await.is_empty());
        let second = claim(1).await;
        assert_eq!(second.iter().map(|mail| mail.id).collect::<Vec<_>>(), [first[0].id], "with the same Message-ID");
        assert_eq!(second[0].tries, 1);
        service.sent(second[0].id, site.clock.now(), None).await.unwrap();
        assert!(claim(600).await.is_empty());
    }
}
