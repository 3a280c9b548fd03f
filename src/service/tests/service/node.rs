//! Servers that share a database: whose clock is wrong, and who cannot write.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use vestibule_core::{
    clock::ClockState,
    ports::{Clock, ManualClock, Moment},
};
use vestibule_service::Visitor;
use vestibule_storage::{Store, StoreOptions};

use crate::site::{Site, on_both, visitor};

fn clock(site: &Site) -> Arc<dyn Clock> {
    site.clock.clone()
}

/// What the database's clock shows.
async fn time(site: &Site) -> Moment {
    site.store.read().await.unwrap().time().await.unwrap()
}

/// A session of bob that begins now, by the database's clock.
async fn session(site: &Site) -> Visitor {
    site.clock.set(time(site).await);
    site.company("Acme", 0).await;
    site.account("Acme", "bob", false).await;
    let granted = site.signed_in("Acme", "bob", &visitor()).await;
    Visitor {
        session: Some(granted.session),
        ..visitor()
    }
}

async fn is_signed_in(site: &Site, visitor: &Visitor) -> bool {
    site.service.sign_in().session(visitor).await.unwrap().is_some()
}

on_both! {
    async fn a_server_whose_clock_is_ahead_ends_nobodys_session(site: Site) {
        let bob = session(&site).await;
        for (ahead, state) in [(40, ClockState::Wrong), (13 * 60, ClockState::Wrong)] {
            let ahead = TimeDelta::minutes(ahead);
            let wrong = site.with_clock(ManualClock::at(time(&site).await + ahead));
            wrong.service.upkeep().probe(&clock(&wrong)).await.unwrap();
            let offset = wrong.service.upkeep().vitals().unwrap().clock_offset.unwrap();
            assert_eq!(ClockState::of(offset), state);
            assert!(!is_signed_in(&wrong, &bob).await, "by its clock it is over");
            assert_eq!(wrong.service.outbox().clean_up().await, Ok(0));
            assert!(is_signed_in(&site, &bob).await, "by everybody else's it is not");
        }
    }

    async fn the_audit_log_is_kept_as_long_as_the_operator_says(site: Site) {
        session(&site).await;
        let events = async || {
            let events = site.store.read().await.unwrap().events(None, 100).await.unwrap();
            events.into_iter().map(|event| (event.event, event.detail)).collect::<Vec<_>>()
        };
        let begun = events().await;
        let shortened = ("audit_shortened".to_owned(), Some(begun.len().to_string()));
        for (days, left) in [(364, begun), (366, vec![shortened])] {
            let later = site.with_clock(ManualClock::at(time(&site).await + TimeDelta::days(days)));
            later.service.outbox().clean_up().await.unwrap();
            assert_eq!(events().await, left, "{days} days");
        }
    }

    async fn the_databases_clock_is_kept_whatever_the_servers_shows(site: Site) {
        let before = time(&site).await;
        let wrong = site.with_clock(ManualClock::at(before + TimeDelta::minutes(40)));
        let clocks = (wrong.service.upkeep().database_clock(), clock(&wrong));
        assert_eq!(clocks.0.now(), clocks.1.now(), "nobody has asked the database yet");
        wrong.service.upkeep().probe(&clocks.1).await.unwrap();
        wrong.clock.advance(60 * 60);
        let kept = clocks.0.now();
        // SQLite tells milliseconds only.
        let most = time(&site).await + TimeDelta::milliseconds(1);
        assert!(before <= kept && kept <= most, "{kept}");
    }

    async fn a_clock_that_was_set_since_the_last_probe_ends_nobodys_session_either(site: Site) {
        let bob = session(&site).await;
        site.service.upkeep().probe(&clock(&site)).await.unwrap();
        site.clock.advance(40 * 60);
        assert!(!is_signed_in(&site, &bob).await);
        let offset = site.service.upkeep().vitals().unwrap().clock_offset.unwrap();
        assert_eq!(ClockState::of(offset), ClockState::Wrong, "known before the next probe");
        site.clock.advance(-40 * 60);
        assert!(is_signed_in(&site, &bob).await);
        // What is over by the database's clock too is over for good.
        let begun = time(&site).await - TimeDelta::hours(13);
        let early = site.with_clock(ManualClock::at(begun));
        early.service.upkeep().probe(&clock(&early)).await.unwrap();
        let granted = early.signed_in("Acme", "bob", &visitor()).await;
        let old = Visitor { session: Some(granted.session), ..visitor() };
        assert!(!is_signed_in(&site, &old).await);
        assert!(!is_signed_in(&early, &old).await, "a clock that steps back revives nothing");
    }

    async fn a_server_writes_down_that_it_is_there(site: Site) {
        assert_eq!(site.service.upkeep().vitals(), None);
        let early = time(&site).await;
        site.clock.set(early + TimeDelta::hours(1));
        for _ in 0..2 {
            site.service.upkeep().probe(&clock(&site)).await.unwrap();
        }
        let nodes = site.store.read().await.unwrap().nodes().await.unwrap();
        assert_eq!(nodes.len(), 1);
        assert!(early <= nodes[0].started_at && nodes[0].started_at <= nodes[0].seen_at);
        assert!(nodes[0].clock_offset > TimeDelta::minutes(30), "{nodes:?}");
        let known = site.store.read().await.unwrap().key_checks().await.unwrap();
        let newest = known.last().map(|key| (key.version, key.fingerprint));
        assert!(newest.is_some() && nodes[0].key == newest, "{nodes:?}");
        assert!(site.service.upkeep().vitals().unwrap().writes && site.service.upkeep().vitals().unwrap().keys);
    }

    async fn a_server_that_cannot_write_knows_it(site: Site) {
        let impatient = StoreOptions {
            statement: Duration::from_millis(50),
            ..vestibule_storage::test_support::PATIENT
        };
        let store = Store::open(site.store.url(), impatient).await.unwrap();
        let mute = site.with_connections(&store);
        mute.service.upkeep().probe(&clock(&site)).await.unwrap();
        assert!(mute.service.upkeep().vitals().unwrap().writes);
        if site.store.url().starts_with("sqlite") {
            // Another process that holds the lock.
            let holder = site.store.write().await.unwrap();
            mute.service.upkeep().probe(&clock(&site)).await.unwrap_err();
            assert!(!mute.service.upkeep().vitals().unwrap().writes);
            drop(holder);
            mute.service.upkeep().probe(&clock(&site)).await.unwrap();
            assert!(mute.service.upkeep().vitals().unwrap().writes);
        }
        store.close().await;
        mute.service.upkeep().probe(&clock(&site)).await.unwrap_err();
        assert!(!mute.service.upkeep().vitals().unwrap().writes);
    }
}
