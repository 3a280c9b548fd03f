//! Applications behind a proxy, asked about on several servers.

use std::sync::Arc;

use tokio::task::JoinSet;
use vestibule_core::{
    oidc::application::{Application, ApplicationInput},
    secret::Token,
};
use vestibule_service::{Visitor, forward_auth::Checked};
use vestibule_storage::Hearing;

use crate::site::{Site, on_both, until, visitor};

/// An application behind a proxy, and the session of an agent there.
struct Entered {
    application: Arc<Application>,
    token: Token,
    browser: Visitor,
}

async fn entered(site: &Site) -> Entered {
    site.company("Acme", 0).await;
    site.account("Acme", "bob", false).await;
    let input = ApplicationInput {
        name: "Wallboard".to_owned(),
        kind: "behind_proxy".to_owned(),
        launch_uri: "https://wall.acme.test/".to_owned(),
        roles: vec!["agent".to_owned()],
        signing: "ES256".to_owned(),
        ..ApplicationInput::default()
    };
    let added = site
        .service
        .operator()
        .add_application(Some("Acme"), &input)
        .await
        .unwrap();
    let id = added.application.id.to_string();
    let browser = site.at_home("Acme", "bob", None).await;
    let state = Token::new(site.service.randomness().as_ref());
    let gate = site.service.forward_auth();
    let opened = gate
        .open(&id, &Token::from_bytes(state.hash().0).reveal(), &browser)
        .await
        .unwrap();
    let entered = gate
        .enter_application(&opened.ticket, &state, &visitor())
        .await
        .unwrap();
    Entered {
        application: entered.application,
        token: entered.session,
        browser,
    }
}

/// Whether this server lets the agent in.
async fn lets_in(site: &Site, by: &Entered) -> bool {
    let gate = site.service.forward_auth();
    let checked = gate
        .check(&by.application, Some(&by.token), &visitor())
        .await
        .unwrap();
    matches!(checked, Checked::Admitted(_))
}

/// How many statements so many checks ask of the database.
async fn asks(site: &Site, by: &Entered, checks: usize) -> u64 {
    let before = site.service.store().traffic().statements;
    for _ in 0..checks {
        assert!(lets_in(site, by).await);
    }
    site.service.store().traffic().statements - before
}

on_both! {
    async fn an_ended_session_is_refused_on_every_server_within_a_second(site: Site) {
        let bob = entered(&site).await;
        let other = site.with_connections(&site.store.second().await);
        let mut listening = JoinSet::new();
        let store = other.service.store().clone();
        listening.spawn(async move { store.hear_others().await });
        if site.store.is_sqlite() {
            // Nobody tells another process of the same file: what it remembers is a second old at most.
            assert!(lets_in(&other, &bob).await);
            site.service.sign_in().sign_out(&bob.browser).await.unwrap();
            site.clock.advance(1);
            assert!(!lets_in(&other, &bob).await);
            return;
        }
        until(async || (other.service.store().hearing() == Hearing::Others).then_some(())).await;
        assert!(lets_in(&other, &bob).await);
        site.clock.advance(5);
        assert_eq!(asks(&other, &bob, 10).await, 0, "it is remembered while others are heard");
        site.service.sign_in().sign_out(&bob.browser).await.unwrap();
        // The clock stands still: nothing has become old.
        until(async || (!lets_in(&other, &bob).await).then_some(())).await;
    }

    async fn a_server_that_does_not_hear_others_asks_the_database_every_time(site: Site) {
        if site.store.is_sqlite() {
            return;
        }
        let bob = entered(&site).await;
        let other = site.with_connections(&site.store.second().await);
        assert!(lets_in(&other, &bob).await);
        assert_eq!(asks(&other, &bob, 10).await, 0, "nobody else is listened to: a second");
        let mut listening = JoinSet::new();
        let store = other.service.store().clone();
        listening.spawn(async move { store.hear_others().await });
        until(async || (other.service.store().hearing() == Hearing::Others).then_some(())).await;
        // The line goes.
        listening.shutdown().await;
        until(async || (other.service.store().hearing() == Hearing::Cut).then_some(())).await;
        assert_eq!(asks(&other, &bob, 10).await, 10);
        site.service.sign_in().sign_out(&bob.browser).await.unwrap();
        assert!(!lets_in(&other, &bob).await, "at once");
    }
}
