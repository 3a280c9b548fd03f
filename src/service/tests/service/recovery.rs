//! Forgotten passwords, another e-mail address for the own account, and codes while the mail server is down.

use vestibule_core::{
    mail::Mail,
    ports::Clock,
    refusal::{Field, Problem, Refusal},
    sign_in_view::CodeMail,
};
use vestibule_mail::{Reason, outbox::Queue};
use vestibule_service::{Visitor, recovery::ResetInput};

use crate::{
    console::acme,
    site::{self, Site, on_both},
};

const CHOSEN: &str = "orchard marble thunder";
const HOUR: i64 = 3600;

fn invalid(field: Field, problem: Problem) -> Result<(), Refusal> {
    Err(Refusal::field(field, problem))
}

fn at(address: &str) -> Visitor {
    Visitor {
        address: Some(address.to_owned()),
        source: address.to_owned(),
        ..Visitor::default()
    }
}

async fn ask(site: &Site, company: &str, email: &str, visitor: &Visitor) -> Result<(), Refusal> {
    let input = ResetInput {
        company: company.to_owned(),
        email: email.to_owned(),
    };
    site.service.recovery().ask_for_reset_link(&input, visitor).await
}

/// Asks, lets the worker look, and gives the links that were mailed with their receivers.
async fn links(site: &Site, company: &str, email: &str, visitor: &Visitor) -> Vec<(String, String)> {
    // Events of one moment have no order.
    site.clock.advance(1);
    ask(site, company, email, visitor).await.unwrap();
    site.service.recovery().answer_reset_requests().await.unwrap();
    let mails = site.mails().await;
    let links = mails.into_iter().filter_map(|mail| match mail.mail {
        Mail::ResetLink { link, .. } => Some((mail.receiver, link)),
        _ => None,
    });
    links.collect()
}

/// Why the newest request got no link.
async fn refused(site: &Site) -> Option<String> {
    let events = site.store.read().await.unwrap().events(None, 1).await.unwrap();
    let newest = events
        .into_iter()
        .next()
        .filter(|event| event.event == "reset_refused");
    newest.and_then(|event| event.detail)
}

async fn choose(site: &Site, link: &str) -> Result<(), Refusal> {
    let password = || site::password(CHOSEN);
    site.service
        .recovery()
        .choose_password(password(), password(), &site::with_link(link))
        .await
}

on_both! {
    async fn a_link_goes_to_the_stored_address_of_those_who_get_one_and_the_answer_is_always_the_same(site: Site) {
        acme(&site).await;
        site.person("Acme", "off", &[vestibule_core::account::Role::Agent], false).await;
        site.service.operator().set_account_active("Acme", "off", false).await.unwrap();
        site.lock("Acme", "sue").await;
        site.company("Globex", 0).await;
        site.account("Globex", "gus", false).await;
        site.service.operator().set_company_enabled("Globex", false).await.unwrap();
        site.no_mail().await;
        let visitor = site::visitor();
        for (company, email, gets) in [
            ("acme", " BOB@Acme.test ", Ok("bob@acme.test")),
            ("Acme", "sue@acme.test", Ok("sue@acme.test")),
            ("Acme", "nobody@acme.test", Err("unknown_account")),
            ("Acme", "b\u{f6}b@acme.test", Err("unknown_account")),
            ("Acme", "bob@\u{430}cme.test", Err("unknown_account")),
            ("Nowhere", "bob@acme.test", Err("unknown_company")),
            ("Globex", "bob@acme.test", Err("unknown_account")),
            ("Globex", "gus@globex.test", Err("company_disabled")),
            ("Acme", "off@acme.test", Err("account_inactive")),
        ] {
            let links = links(&site, company, email, &visitor).await;
            let to: Vec<_> = links.iter().map(|(to, _)| to.as_str()).collect();
            match gets {
                Ok(receiver) => assert_eq!(to, [receiver]),
                Err(reason) => {
                    assert_eq!(to, [""; 0], "{email}");
                    assert_eq!(refused(&site).await.as_deref(), Some(reason));
                }
            }
        }
        // The account with a name like an address of nobody: only addresses count.
        assert!(links(&site, "Acme", "bob@acme.test", &at("192.0.2.9")).await.len() == 1);
    }

    async fn whatever_spelling_of_an_address_is_typed_the_link_goes_to_the_stored_one(site: Site) {
        site.company("Straßenbau Weiß", 0).await;
        site.person_at("Straßenbau Weiß", "anna", "anna@bücher.test").await;
        for (company, email) in [
            ("Straßenbau Weiß", "anna@bücher.test"),
            ("STRASSENBAU WEISS", "anna@xn--bcher-kva.test"),
            ("straßenbau weiẞ\u{200b}", "\u{feff}ａnna＠bücher.test"),
        ] {
            let links = links(&site, company, email, &site::visitor()).await;
            let to: Vec<_> = links.iter().map(|(to, _)| to.as_str()).collect();
            assert_eq!(to, ["anna@bücher.test"], "{company} {email}");
        }
    }

    async fn what_cannot_be_read_is_said_and_one_address_stays_one(site: Site) {
        acme(&site).await;
        let visitor = site::visitor();
        let both = ask(&site, " ", "", &visitor).await;
        let Err(Refusal::Invalid { fields }) = both else { panic!("{both:?}") };
        assert_eq!(fields.iter().map(|found| found.field).collect::<Vec<_>>(), [Field::Company, Field::Email]);
        for (company, email, expected) in [
            ("a\u{202e}b", "a@b.test", invalid(Field::Company, Problem::BadCharacters)),
            (&"a".repeat(65), "a@b.test", invalid(Field::Company, Problem::TooLong { most: 64 })),
            ("Acme", "bob", invalid(Field::Email, Problem::NotAnAddress)),
            ("Acme", "bob@acme.test,eve@evil.test", invalid(Field::Email, Problem::NotAnAddress)),
            ("Acme", "bob@acme.test eve@evil.test", invalid(Field::Email, Problem::NotAnAddress)),
            ("Acme", "bob@acme.test\nBcc: eve@evil.test", invalid(Field::Email, Problem::BadCharacters)),
            ("Acme", "\"b ob\"@acme.test", invalid(Field::Email, Problem::NotAnAddress)),
        ] {
            assert_eq!(ask(&site, company, email, &visitor).await, expected, "{email:?}");
        }
        assert_eq!(site.service.recovery().answer_reset_requests().await, Ok(0));
        assert!(site.mails().await.is_empty());
    }

    async fn three_links_an_hour_for_an_account_and_ten_requests_for_a_source(site: Site) {
        acme(&site).await;
        for n in 0..3 {
            assert_eq!(links(&site, "Acme", "bob@acme.test", &at(&format!("192.0.2.{n}"))).await.len(), 1);
        }
        assert!(links(&site, "Acme", "bob@acme.test", &at("192.0.2.3")).await.is_empty());
        assert_eq!(refused(&site).await.as_deref(), Some("account_limit"));
        assert_eq!(links(&site, "Acme", "sue@acme.test", &at("192.0.2.3")).await.len(), 1);
        site.clock.advance(HOUR);
        assert_eq!(links(&site, "Acme", "bob@acme.test", &at("192.0.2.3")).await.len(), 1);

        let flood = at("192.0.2.200");
        for n in 0..12 {
            ask(&site, "Acme", &format!("x{n}@acme.test"), &flood).await.unwrap();
        }
        let noted = site.store.read().await.unwrap().events(None, 50).await.unwrap();
        let limit = |event: &&vestibule_storage::EventRow| event.detail.as_deref() == Some("source_limit");
        assert_eq!(noted.iter().filter(limit).count(), 1, "said once");
        assert_eq!(site.service.recovery().answer_reset_requests().await, Ok(10));
        site.clock.advance(HOUR);
        assert_eq!(links(&site, "Acme", "sue@acme.test", &flood).await.len(), 1);
        assert_eq!(site.account_of("Acme", "bob").await.wrong_codes, 0);
    }

    async fn only_the_newest_link_is_good_and_an_older_one_that_waits_is_not_mailed(site: Site) {
        acme(&site).await;
        let old = links(&site, "Acme", "bob@acme.test", &site::visitor()).await;
        ask(&site, "Acme", "bob@acme.test", &site::visitor()).await.unwrap();
        site.service.recovery().answer_reset_requests().await.unwrap();
        let new = links(&site, "Acme", "bob@acme.test", &site::visitor()).await;
        assert_eq!(new.len(), 1, "the one in between was never sent");
        assert_eq!(choose(&site, &old[0].1).await, Err(Refusal::LinkOver));
        let bob = site.at_home("Acme", "bob", None).await;
        choose(&site, &new[0].1).await.unwrap();
        assert_eq!(site.mail_kinds().await, ["password_changed"]);
        assert!(site.service.sign_in().session(&bob).await.unwrap().is_none());
        assert_eq!(choose(&site, &new[0].1).await, Err(Refusal::LinkOver));
    }

    async fn a_request_that_waited_too_long_and_a_link_of_an_account_without_password_lead_nowhere(site: Site) {
        let ada = acme(&site).await;
        site.tell_new_agents("Acme", vestibule_core::company::NewAgentMail::ActivationLink).await;
        site.service.console().add_agent(crate::console::new_agent("eve"), &ada).await.unwrap();
        site.no_mail().await;
        ask(&site, "Acme", "bob@acme.test", &site::visitor()).await.unwrap();
        site.clock.advance(1800);
        assert_eq!(site.service.recovery().answer_reset_requests().await, Ok(1));
        assert!(site.mails().await.is_empty());
        assert_eq!(refused(&site).await.as_deref(), Some("too_late"));
        let email = site.account_of("Acme", "eve").await.email;
        assert!(links(&site, "Acme", &email, &site::visitor()).await.is_empty());
        assert_eq!(refused(&site).await.as_deref(), Some("no_password"));
    }

    async fn an_agent_changes_the_own_address_from_both_mailboxes(site: Site) {
        acme(&site).await;
        let bob = site.at_home("Acme", "bob", None).await;
        let service = &site.service;
        for (typed, problem) in [
            ("", Problem::Missing),
            ("bob", Problem::NotAnAddress),
            ("BOB@acme.test", Problem::Unchanged),
            ("sue@acme.test", Problem::Taken),
        ] {
            assert_eq!(service.profile().change_own_email(typed, &bob).await, invalid(Field::Email, problem));
        }
        let gone = Err(Refusal::NoEmailChange);
        assert_eq!(service.profile().resend_own_email_change(&bob).await, gone);
        assert_eq!(service.profile().cancel_own_email_change(&bob).await, gone);
        assert!(site.mails().await.is_empty());

        service.profile().change_own_email("rob@new.test", &bob).await.unwrap();
        let mails = site.mails().await;
        let find = |kind: &str| mails.iter().find(|mail| mail.mail.kind() == kind).unwrap();
        let (confirm, stop) = (find("confirm_email"), find("email_change_began"));
        assert_eq!((confirm.receiver.as_str(), stop.receiver.as_str()), ("rob@new.test", "bob@acme.test"));
        let Mail::EmailChangeBegan { about, stop, .. } = &stop.mail else { panic!("no notice") };
        assert_eq!(about.address, "192.0.2.77", "the agent's own place");
        let waiting = site.account_of("Acme", "bob").await.pending_email.unwrap();
        assert_eq!(waiting.address, "rob@new.test");
        service.recovery().stop_email_change(&site::with_link(stop)).await.unwrap();
        assert_eq!(site.account_of("Acme", "bob").await.pending_email, None);

        service.profile().change_own_email("rob@new.test", &bob).await.unwrap();
        site.no_mail().await;
        service.profile().resend_own_email_change(&bob).await.unwrap();
        let mails = site.mails().await;
        let Some(Mail::ConfirmEmail { link, .. }) =
            mails.iter().map(|mail| &mail.mail).find(|mail| mail.kind() == Mail::CONFIRM_EMAIL)
        else {
            panic!("no link")
        };
        service.recovery().confirm_email(&site::with_link(link)).await.unwrap();
        assert_eq!(site.account_of("Acme", "bob").await.email, "rob@new.test");
        assert!(service.sign_in().session(&bob).await.unwrap().is_none());
    }

    async fn a_new_address_asks_for_a_recent_proof_and_is_written_to_five_times_an_hour(site: Site) {
        acme(&site).await;
        let bob = site.at_home("Acme", "bob", None).await;
        site.clock.advance(vestibule_core::limits::STEP_UP_SECONDS + 1);
        let old = site.service.profile().change_own_email("rob@new.test", &bob).await;
        assert_eq!(old, Err(Refusal::StepUpNeeded));
        let bob = site.at_home("Acme", "bob", None).await;
        for n in 0..5 {
            site.service.profile().change_own_email(&format!("rob{n}@new.test"), &bob).await.unwrap();
        }
        let limit = Err(Refusal::MailLimit);
        assert_eq!(site.service.profile().change_own_email("rob@new.test", &bob).await, limit);
        assert_eq!(site.service.profile().resend_own_email_change(&bob).await, limit);
        let confirming = site.mail_kinds().await.into_iter().filter(|kind| *kind == Mail::CONFIRM_EMAIL).count();
        assert_eq!(confirming, 1, "mails with links that a newer one replaced are not sent");
        site.service.profile().cancel_own_email_change(&bob).await.unwrap();
        assert_eq!(site.account_of("Acme", "bob").await.pending_email, None);
    }

    async fn a_mailbox_that_refuses_a_code_is_told_from_a_server_that_fails(site: Site) {
        use vestibule_mail::outbox::{Lane, Problem};
        site.company("Acme", 0).await;
        site.account("Acme", "alice", true).await;
        site.account("Acme", "bob", false).await;
        let service = &site.service;
        let claimed = async || {
            let mails = service.claim(Lane::Installation, site.clock.now(), 10).await.unwrap();
            assert_eq!(mails.len(), 1);
            mails[0].id
        };
        let refuse = async |code| {
            let problem = Problem::NotTaken(Reason::Rejected(code));
            service.given_up(claimed().await, site.clock.now(), problem, Some("no such user")).await.unwrap();
        };

        let visitor = site.past_password("Acme", "alice").await;
        refuse(550).await;
        let page = async || service.sign_in().open_sign_in(&visitor).await.unwrap().view.mail;
        assert_eq!(page().await, CodeMail::Undeliverable);
        site.clock.advance(60);
        service.sign_in().resend_code(&visitor).await.unwrap();
        assert_eq!(page().await, CodeMail::Queued, "the address may have been mended");
        refuse(451).await;
        assert_eq!(page().await, CodeMail::GivenUp);

        let bob = site.at_home("Acme", "bob", None).await;
        site.no_mail().await;
        service.profile().begin_email_set_up(&bob).await.unwrap();
        let set_up = async || service.profile().email_set_up(&bob).await.unwrap().unwrap().mail;
        assert_eq!(set_up().await, CodeMail::Queued);
        refuse(550).await;
        assert_eq!(set_up().await, CodeMail::Undeliverable);
    }

    async fn a_resend_while_the_mail_server_is_down_costs_nothing(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "alice", true).await;
        let visitor = site.past_password("Acme", "alice").await;
        let service = &site.service;
        let fail = async || {
            let now = site.clock.now();
            let mails = service.claim(vestibule_mail::outbox::Lane::Installation, now, 10).await.unwrap();
            assert_eq!(mails.len(), 1);
            let due = now + chrono::TimeDelta::seconds(300);
            service.retry(mails[0].id, due, Reason::Refused).await.unwrap();
            mails[0].id
        };
        let first = fail().await;
        let page = async || service.sign_in().open_sign_in(&visitor).await.unwrap().view;
        assert_eq!(page().await.mail, CodeMail::Failing);
        for _ in 0..7 {
            assert!(matches!(service.sign_in().resend_code(&visitor).await, Err(Refusal::ResendTooSoon { .. })));
            site.clock.advance(60);
            service.sign_in().resend_code(&visitor).await.unwrap();
            assert_eq!(fail().await, first, "the same mail, at once");
            assert!(page().await.resends_left);
        }
        site.clock.advance(60);
        service.given_up(first, site.clock.now(), vestibule_mail::outbox::Problem::TriesUsedUp, None).await.unwrap();
        assert_eq!(page().await.mail, CodeMail::GivenUp, "nobody is told that it is tried again");
        service.sign_in().resend_code(&visitor).await.unwrap();
        let code = site.code_for("alice").await;
        assert_eq!(site.verify(&code, &visitor).await, Ok(()));
    }
}
