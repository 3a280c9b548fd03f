//! Many people at once: what stops a guesser must not stop an office.

use std::time::Duration;

use futures::future::join_all;
use vestibule_core::{refusal::Refusal, secret::Token};
use vestibule_service::{Visitor, hashing::Place, sign_in::Standing};

use crate::site::{self, Site, on_both};

const OFFICE: &str = "203.0.113.9";

/// A new browser behind the office's address.
fn in_office() -> Visitor {
    Visitor {
        address: Some(OFFICE.to_owned()),
        source: OFFICE.to_owned(),
        ..Visitor::default()
    }
}

async fn agents(site: &Site, count: usize) -> Vec<String> {
    site.company("Acme", 0).await;
    let names: Vec<_> = (0..count).map(|number| format!("agent{number}")).collect();
    for name in &names {
        site.account("Acme", name, false).await;
    }
    names
}

async fn right(site: &Site, account: &str, visitor: &Visitor) -> Result<(), Refusal> {
    site.try_password("Acme", account, site::PASSWORD, visitor)
        .await
        .map(drop)
}

async fn wrong(site: &Site, account: &str, visitor: &Visitor) -> Refusal {
    site.try_password("Acme", account, "not the password", visitor)
        .await
        .err()
        .unwrap()
}

/// Wrong passwords on accounts that nobody has, as many as the address may send.
async fn use_up(site: &Site, visitor: &Visitor) {
    for number in 0..10 {
        assert_eq!(
            wrong(site, &format!("nobody{number}"), visitor).await,
            Refusal::WrongCredentials
        );
    }
    assert!(matches!(
        wrong(site, "nobody", visitor).await,
        Refusal::TooManyTries { .. }
    ));
}

on_both! {
    async fn thirty_right_passwords_at_once_from_one_address_all_come_in(site: Site) {
        let names = agents(&site, 30).await;
        let visitor = in_office();
        let answers = join_all(names.iter().map(|name| right(&site, name, &visitor))).await;
        assert_eq!(answers, vec![Ok(()); 30]);
        let acme = site.service.operator().company_named("Acme").await.unwrap();
        let mut reader = site.store.read().await.unwrap();
        assert_eq!(reader.wrong_of_source(OFFICE, 999, site.now()).await, Ok(Vec::new()));
        let since = site.now() - chrono::TimeDelta::days(1);
        assert_eq!(reader.accounts_right_at_source(OFFICE, acme.id, since).await, Ok(30));
    }

    async fn clicking_often_is_no_guessing(site: Site) {
        agents(&site, 1).await;
        let visitor = in_office();
        for _ in 0..3 {
            let answers = join_all((0..8).map(|_| right(&site, "agent0", &visitor))).await;
            assert_eq!(answers, vec![Ok(()); 8]);
        }
        assert_eq!(wrong(&site, "agent0", &visitor).await, Refusal::WrongCredentials);
        assert_eq!(right(&site, "agent0", &visitor).await, Ok(()), "nothing was left of it");
    }

    async fn parallel_wrong_passwords_on_one_account_compare_no_more_than_one_after_another(site: Site) {
        agents(&site, 1).await;
        let visitors: Vec<_> = (0..50)
            .map(|number| Visitor { source: format!("198.51.100.{number}"), ..site::visitor() })
            .collect();
        join_all(visitors.iter().map(|visitor| wrong(&site, "agent0", visitor))).await;
        // The fifth wrong one has begun the wait: the 45 others were not compared, and none made it longer.
        assert_eq!(right(&site, "agent0", &in_office()).await, Err(Refusal::WrongCredentials));
        site.clock.advance(31);
        assert_eq!(right(&site, "agent0", &in_office()).await, Ok(()));
    }

    async fn what_was_refused_makes_no_wait_longer(site: Site) {
        agents(&site, 1).await;
        let visitor = in_office();
        use_up(&site, &visitor).await;
        site.clock.advance(30);
        for _ in 0..50 {
            let refused = wrong(&site, "agent0", &visitor).await;
            assert!(matches!(refused, Refusal::TooManyTries { retry_after: 1..=30 }), "{refused:?}");
        }
        site.clock.advance(31);
        assert_eq!(right(&site, "agent0", &visitor).await, Ok(()));
    }

    async fn a_browser_that_knows_the_account_is_not_stopped_by_its_address(site: Site) {
        agents(&site, 2).await;
        let granted = site.signed_in("Acme", "agent0", &in_office()).await;
        use_up(&site, &in_office()).await;
        let known = Visitor { browser_token: granted.browser, ..in_office() };
        assert_eq!(right(&site, "agent0", &known).await, Ok(()));
        assert!(matches!(right(&site, "agent1", &known).await, Err(Refusal::TooManyTries { .. })), "another account");
        // Nor do its wrong passwords use up what others need.
        site.clock.advance(61);
        for _ in 0..4 {
            assert_eq!(wrong(&site, "agent0", &known).await, Refusal::WrongCredentials);
        }
        let mut reader = site.store.read().await.unwrap();
        assert_eq!(reader.wrong_of_source(OFFICE, 999, site.now()).await.unwrap().len(), 10);
    }

    async fn an_address_earns_its_budget_with_the_accounts_of_a_company_that_come_in(site: Site) {
        let names = agents(&site, 13).await;
        site.company("Beta", 0).await;
        site.account("Beta", "bob", false).await;
        let visitor = in_office();
        for name in &names[..10] {
            right(&site, name, &visitor).await.unwrap();
        }
        use_up(&site, &visitor).await;
        for name in &names[..2] {
            assert_eq!(wrong(&site, name, &visitor).await, Refusal::WrongCredentials, "12, not 10");
        }
        assert!(matches!(wrong(&site, &names[2], &visitor).await, Refusal::TooManyTries { .. }));
        let other = site.try_password("Beta", "bob", site::PASSWORD, &visitor).await.err();
        assert!(matches!(other, Some(Refusal::TooManyTries { .. })), "another company has earned nothing");
        site.clock.advance(86_400 * 31);
        use_up(&site, &visitor).await;
        assert!(matches!(wrong(&site, &names[0], &visitor).await, Refusal::TooManyTries { .. }));
    }

    async fn an_office_that_a_company_has_named_has_more_room_for_this_company(site: Site) {
        agents(&site, 1).await;
        site.company("Beta", 0).await;
        site.account("Beta", "bob", false).await;
        let office = vestibule_storage::Office { network: "203.0.113.0/24".to_owned(), name: "Berlin".to_owned() };
        let (acme, _) = site.service.operator().account_named("Acme", "agent0").await.unwrap();
        let mut writer = site.store.write().await.unwrap();
        writer.replace_offices(acme.id, &[office]).await.unwrap();
        writer.commit().await.unwrap();
        use_up(&site, &in_office()).await;
        assert_eq!(right(&site, "agent0", &in_office()).await, Ok(()));
        let other = site.try_password("Beta", "bob", site::PASSWORD, &in_office()).await.err();
        assert!(matches!(other, Some(Refusal::TooManyTries { .. })), "{other:?}");
    }

    async fn an_address_over_its_budget_is_noted_once_a_minute(site: Site) {
        agents(&site, 1).await;
        for _ in 0..2 {
            use_up(&site, &in_office()).await;
            for _ in 0..5 {
                wrong(&site, "agent0", &in_office()).await;
            }
            site.clock.advance(61);
        }
        site.service.upkeep().write_stranger_lines().await.unwrap();
        let events = site.events_of_nobody().await;
        let limited: Vec<_> = events.iter().filter(|(event, _)| event == "source_limited").collect();
        assert_eq!(limited.len(), 2);
        assert!(limited.iter().all(|(_, detail)| detail.as_deref() == Some(OFFICE)));
    }

    async fn a_fault_of_ours_is_nobodys_guess(site: Site) {
        agents(&site, 1).await;
        let visitor = in_office();
        site.store.run("ALTER TABLE session RENAME TO session_away").await;
        for _ in 0..6 {
            let refused = right(&site, "agent0", &visitor).await;
            assert!(matches!(refused, Err(Refusal::Internal { .. })), "{refused:?}");
        }
        site.store.run("ALTER TABLE session_away RENAME TO session").await;
        assert_eq!(right(&site, "agent0", &visitor).await, Ok(()));
        for _ in 0..4 {
            assert_eq!(wrong(&site, "agent0", &visitor).await, Refusal::WrongCredentials);
        }
        assert_eq!(right(&site, "agent0", &visitor).await, Ok(()), "four are free, as ever");
    }

    async fn a_known_browser_that_has_to_wait_takes_nobodys_turn(site: Site) {
        agents(&site, 1).await;
        let known = Visitor { browser_token: Some(Token::from_bytes([3; 32])), ..in_office() };
        assert_eq!(right(&site, "agent0", &known).await, Ok(()));
        for _ in 0..5 {
            assert_eq!(wrong(&site, "agent0", &known).await, Refusal::WrongCredentials);
        }
        let held = site.service.sign_in().hold_line().await;
        let at_once = tokio::time::timeout(Duration::from_secs(30), right(&site, "agent0", &known));
        assert_eq!(at_once.await, Ok(Err(Refusal::WrongCredentials)));
        site.service.upkeep().write_stranger_lines().await.unwrap();
        let refused = site.events("Acme").await;
        assert_eq!(refused.iter().filter(|(event, _)| event == "password_refused").count(), 6);
        drop(held);
        site.clock.advance(30);
        assert_eq!(right(&site, "agent0", &known).await, Ok(()));
    }

    async fn new_keys_lift_no_wait(site: Site) {
        agents(&site, 1).await;
        for _ in 0..5 {
            wrong(&site, "agent0", &in_office()).await;
        }
        let other = site.with_keys(site::keys_of(2));
        assert_eq!(right(&other, "agent0", &site::visitor()).await, Err(Refusal::WrongCredentials));
        site.clock.advance(31);
        assert_eq!(right(&other, "agent0", &site::visitor()).await, Ok(()));
    }

    async fn whoever_waits_sees_their_number_on_every_node_and_gets_the_answer_on_any(site: Site) {
        agents(&site, 2).await;
        let other = site.with_keys(site::keys_of(1));
        let held = site.service.sign_in().hold_line().await;
        let visitors = [(); 2].map(|()| Visitor { place: Place::default(), ..in_office() });
        let sign_in = |number: usize| {
            let (service, visitor) = (site.service.clone(), visitors[number].clone());
            tokio::spawn(async move {
                service.sign_in().with_password(site::form("Acme", &format!("agent{number}")), &visitor).await.map(drop)
            })
        };
        assert!(site.service.sign_in().take_ticket(None, &visitors[0]).await.unwrap().is_none(), "not in line yet");
        let first = sign_in(0);
        site::until_in_line(&visitors[0]).await;
        let second = sign_in(1);
        site::until_in_line(&visitors[1]).await;
        let ticket = site.service.sign_in().take_ticket(None, &visitors[1]).await.unwrap().unwrap().ticket;
        site.service.sign_in().tell_line().await.unwrap();
        for service in [&site.service, &other.service] {
            let standing = service.sign_in().standing(&ticket, &site::visitor()).await.unwrap();
            assert!(matches!(standing, Standing::Waiting(2)));
        }
        drop(held);
        assert_eq!((first.await.unwrap(), second.await.unwrap()), (Ok(()), Ok(())));
        assert_eq!(site.service.sign_in().answer_ticket(&ticket, b"an answer").await, Ok(true));
        let Standing::Answered(answer) = other.service.sign_in().standing(&ticket, &site::visitor()).await.unwrap() else {
            panic!("it is answered");
        };
        assert_eq!(answer.as_slice(), b"an answer");
        let stranger = Token::from_bytes([9; 32]);
        assert!(matches!(other.service.sign_in().standing(&stranger, &site::visitor()).await, Ok(Standing::Over)));
        site.clock.advance(121);
        let late = other.service.sign_in().standing(&ticket, &site::visitor()).await;
        assert!(matches!(late, Ok(Standing::Over)), "it was not fetched in time");
    }

    async fn a_node_that_is_silent_keeps_nobody_waiting(site: Site) {
        agents(&site, 1).await;
        let held = site.service.sign_in().hold_line().await;
        let visitor = in_office();
        let (service, waiting) = (site.service.clone(), visitor.clone());
        let run = tokio::spawn(async move { service.sign_in().with_password(site::form("Acme", "agent0"), &waiting).await.map(drop) });
        site::until_in_line(&visitor).await;
        let ticket = site.service.sign_in().take_ticket(None, &visitor).await.unwrap().unwrap().ticket;
        let waits = async || {
            let standing = site.service.sign_in().standing(&ticket, &site::visitor()).await.unwrap();
            matches!(standing, Standing::Waiting(1))
        };
        site.clock.advance(14);
        assert!(waits().await, "it may have had no time yet");
        site.service.sign_in().tell_line().await.unwrap();
        site.clock.advance(15);
        assert!(waits().await);
        site.clock.advance(1);
        assert!(!waits().await);
        drop(held);
        assert_eq!(run.await.unwrap(), Ok(()));
    }
}
