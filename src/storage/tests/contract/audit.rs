//! The audit log.

use std::time::Duration;

use chrono::TimeDelta;
use vestibule_core::{
    audit::{Actor, ActorKind, AuditEntry, Event, Outcome, Source},
    id::{AccountId, CompanyId},
};
use vestibule_storage::{
    EventFilter, EventRow, MailLane, Reader, Store, StoreError, test_support::TestStore,
};

use crate::fixture::{Maker, alice, at, count, day, entry, refuses, write};

pub async fn events_are_listed_newest_first(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let other = maker.company("Other");
    let actors = [
        Actor::Visitor,
        Actor::Account(alice.id),
        Actor::Operator,
        Actor::System,
    ]
    .into_iter()
    .enumerate();
    let mut expected = Vec::new();
    let mut writer = store.write().await.unwrap();
    for (second, actor) in (0..).zip(actors).map(|(second, (_, actor))| (second, actor)) {
        let new = AuditEntry {
            target: Some(alice.id),
            ..entry(Some(alice.company), actor.clone())
        };
        let id = maker.event_id_at(at(second));
        writer.insert_event(id, at(second), &new).await.unwrap();
        let actor_name = matches!(actor, Actor::Account(_)).then(|| "alice".to_owned());
        expected.insert(
            0,
            EventRow {
                id,
                at: at(second),
                company: Some(alice.company),
                actor,
                actor_name,
                target: Some(alice.id),
                target_name: Some("alice".into()),
                event: Event::SignedIn.as_str().into(),
                address: new.address,
                browser: None,
                request: new.request,
                detail: new.detail,
            },
        );
    }
    for company in [Some(other.id), None] {
        let id = maker.event_id_at(at(9));
        writer
            .insert_event(id, at(9), &entry(company, Actor::Visitor))
            .await
            .unwrap();
    }
    writer.commit().await.unwrap();

    let mut reader = store.read().await.unwrap();
    assert_eq!(
        reader.events(Some(alice.company), 10).await.as_ref(),
        Ok(&expected)
    );
    assert_eq!(
        reader.events(Some(alice.company), 2).await.unwrap(),
        expected[..2]
    );
    assert_eq!(reader.events(Some(other.id), 10).await.unwrap().len(), 1);
    let all = reader.events(None, 10).await.unwrap();
    assert_eq!(all.len(), 6, "the operator sees every company's");
    assert_eq!(all[2..], expected[..]);
}

pub async fn a_deleted_company_leaves_nothing_but_its_events(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let (session, pending) = (maker.session(&alice, at(0)), maker.pending(&alice, at(0)));
    let (trusted, browser) = (maker.trusted(&alice, at(0)), maker.bytes());
    write(store, async |writer| {
        writer.insert_session(&session).await?;
        writer.insert_pending(&pending).await?;
        writer.insert_code(&maker.code(&pending, at(0))).await?;
        writer.insert_trusted(&trusted).await?;
        writer
            .remember_browser(alice.company, alice.id, browser, at(0))
            .await?;
        writer
            .insert_mail(&maker.mail(&alice, Some(&pending), at(0)))
            .await?;
        writer
            .insert_event(
                maker.event_id(),
                at(0),
                &entry(Some(alice.company), Actor::Account(alice.id)),
            )
            .await
    })
    .await
    .unwrap();
    write(store, async |writer| {
        assert!(writer.delete_company(alice.company).await?);
        assert_eq!(writer.company(alice.company).await?, None);
        assert_eq!(writer.account(alice.company, alice.id).await?, None);
        assert_eq!(writer.session_by_token(session.token_hash).await?, None);
        assert_eq!(writer.pending_by_token(pending.token_hash).await?, None);
        assert_eq!(writer.codes_of_pending(alice.company, pending.id).await?, []);
        assert_eq!(
            writer
                .trusted_of_browser(alice.company, alice.id, &[trusted.token_hash])
                .await?,
            []
        );
        assert!(!writer.knows_browser(alice.company, alice.id, browser).await?);
        assert_eq!(
            writer
                .claim_mails(MailLane::Installation, at(1), at(2), 10)
                .await?,
            []
        );
        assert_eq!(writer.events(Some(alice.company), 10).await?.len(), 1);
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn events_are_paged_and_filtered(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let bob = maker.account(alice.company, "bob");
    let other = maker.company("Other");
    let company = alice.company;
    let kinds = [Event::SignedIn, Event::CodeRefused, Event::AccountUnlocked];
    let mut writer = store.write().await.unwrap();
    writer.insert_account(&bob).await.unwrap();
    writer.insert_company(&other).await.unwrap();
    // Four events in each millisecond.
    let moment = |number: i64| at(0) + TimeDelta::microseconds(250 * number);
    for number in 0..130 {
        let index = usize::try_from(number).unwrap();
        let new = AuditEntry {
            actor: match number % 4 {
                0 => Actor::Visitor,
                1 => Actor::Account(bob.id),
                _ => Actor::Account(alice.id),
            },
            target: (number % 5 < 2).then_some(if number % 2 == 0 { alice.id } else { bob.id }),
            event: kinds[index % kinds.len()],
            ..entry(Some(company), Actor::Visitor)
        };
        let id = maker.event_id_at(moment(number));
        writer.insert_event(id, moment(number), &new).await.unwrap();
    }
    let foreign = entry(Some(other.id), Actor::Account(alice.id));
    writer
        .insert_event(maker.event_id_at(at(0)), at(0), &foreign)
        .await
        .unwrap();
    writer.commit().await.unwrap();

    let mut reader = store.read().await.unwrap();
    let all = reader.events(Some(company), 1_000).await.unwrap();
    assert_eq!(all.len(), 130);
    let periods = [
        (None, None),
        (Some(moment(41)), None),
        (None, Some(moment(90))),
        (Some(moment(41)), Some(moment(90))),
        (Some(moment(90)), Some(moment(41))),
    ];
    for (from, until) in periods {
        for event in [None, Some(Event::CodeRefused), Some(Event::KeysRotated)] {
            for account in [None, Some(alice.id), Some(bob.id)] {
                let fits = |row: &&EventRow| {
                    from.is_none_or(|from| row.at >= from)
                        && until.is_none_or(|until| row.at < until)
                        && event.is_none_or(|event| row.event == event.as_str())
                        && account.is_none_or(|account| {
                            row.target == Some(account) || row.actor == Actor::Account(account)
                        })
                };
                let expected: Vec<EventRow> = all.iter().filter(fits).cloned().collect();
                let filter = EventFilter {
                    event,
                    account,
                    from,
                    until,
                    ..EventFilter::default()
                };
                assert_pages(&mut reader, company, filter, 13, &expected).await;
            }
        }
    }
}

/// All pages of a filter, one after the other, hold these events.
async fn assert_pages(
    reader: &mut Reader,
    company: CompanyId,
    mut filter: EventFilter,
    most: usize,
    expected: &[EventRow],
) {
    let mut found = Vec::new();
    loop {
        let page = reader.event_page(company, &filter, most).await.unwrap();
        assert!(page.events.len() <= most);
        filter.before = page.events.last().map(|row| row.id);
        found.extend(page.events);
        assert_eq!(page.older, found.len() < expected.len(), "{filter:?}");
        if !page.older {
            break;
        }
    }
    assert_eq!(found, expected, "{filter:?}");
}

pub async fn events_are_found_by_outcome_actor_and_source(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let bob = maker.account(alice.company, "bob");
    let other = maker.company("Other");
    let company = alice.company;
    let actors = [
        Actor::Visitor,
        Actor::Account(alice.id),
        Actor::Account(bob.id),
        Actor::Operator,
        Actor::System,
    ];
    let mut writer = store.write().await.unwrap();
    writer.insert_account(&bob).await.unwrap();
    writer.insert_company(&other).await.unwrap();
    let mut moments = (0..).map(at);
    let mut targets = [Some(alice.id), None, Some(bob.id)].into_iter().cycle();
    let mut details = ["google: good", "google: odd"].into_iter().cycle();
    for event in Event::ALL {
        for actor in &actors {
            let moment = moments.next().unwrap();
            let new = AuditEntry {
                event,
                target: targets.next().unwrap(),
                detail: details.next().map(str::to_owned),
                ..entry(Some(company), actor.clone())
            };
            let id = maker.event_id_at(moment);
            writer.insert_event(id, moment, &new).await.unwrap();
        }
    }
    let foreign = entry(Some(other.id), Actor::Operator);
    let id = maker.event_id_at(at(0));
    writer.insert_event(id, at(0), &foreign).await.unwrap();
    writer.commit().await.unwrap();

    let mut reader = store.read().await.unwrap();
    let all = reader.events(Some(company), 1_000).await.unwrap();
    assert_eq!(all.len(), Event::ALL.len() * actors.len());
    for outcome in [None].into_iter().chain(Outcome::ALL.map(Some)) {
        for actor in [None].into_iter().chain(ActorKind::ALL.map(Some)) {
            for source in [None].into_iter().chain(Source::ALL.map(Some)) {
                for account in [None, Some(bob.id)] {
                    let fits = |row: &&EventRow| {
                        let event = Event::from_word(&row.event).unwrap();
                        let kind = row.actor.kind();
                        let by_it = account.is_some_and(|account| row.actor == Actor::Account(account));
                        let upon_it = row.target == account;
                        let told = kind.told(event);
                        let own = matches!(row.actor, Actor::Account(id) if row.target == Some(id));
                        let is_its = match (account, actor) {
                            (None, _) => true,
                            (Some(_), Some(ActorKind::Account)) => by_it || (kind != told && upon_it),
                            (Some(_), _) => by_it || upon_it,
                        };
                        is_its
                            && outcome.is_none_or(|wanted| wanted == event.outcome(row.detail.as_deref()))
                            && actor.is_none_or(|wanted| wanted == told)
                            && source.is_none_or(|wanted| wanted == Source::of(event, kind, own))
                    };
                    let expected: Vec<EventRow> = all.iter().filter(fits).cloned().collect();
                    let filter = EventFilter {
                        outcome,
                        account,
                        actor,
                        source,
                        ..EventFilter::default()
                    };
                    assert_pages(&mut reader, company, filter, 150, &expected).await;
                }
            }
        }
    }
}

pub async fn the_log_is_only_ever_added_to(store: &TestStore) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let new = entry(Some(alice.company), Actor::Account(alice.id));
    let id = maker.event_id();
    write(store, async |writer| writer.insert_event(id, at(0), &new).await)
        .await
        .unwrap();
    let before = store.read().await.unwrap().events(None, 10).await.unwrap();
    for sql in [
        "UPDATE audit_event SET detail = 'nothing'",
        "UPDATE audit_event SET event = event WHERE id IS NOT NULL",
        "DELETE FROM audit_event",
    ] {
        assert!(refuses(store, sql).await, "{sql}");
    }
    if store.url().starts_with("sqlite") {
        let replace = "INSERT OR REPLACE INTO audit_event SELECT id, at, company_id, actor, actor_id, target_id, \
            'nothing', address, browser, request, detail, actor_name, target_name FROM audit_event";
        assert!(refuses(store, replace).await);
    } else {
        assert!(refuses(store, "TRUNCATE audit_event").await);
    }
    let again = write(store, async |writer| writer.insert_event(id, at(1), &new).await).await;
    assert!(matches!(again, Err(StoreError::Other(_))), "{again:?}");
    let after = store.read().await.unwrap().events(None, 10).await;
    assert_eq!(after, Ok(before));
}

pub async fn the_oldest_day_of_the_log_goes(store: &TestStore) {
    let maker = Maker::new();
    // More than one step takes, all of the first day.
    let moments = (0..600).map(at).chain([at(86_399), day(1), day(2), day(3)]);
    write(store, async |writer| {
        for moment in moments {
            let new = entry(None, Actor::System);
            writer
                .insert_event(maker.event_id_at(moment), moment, &new)
                .await?;
        }
        Ok(())
    })
    .await
    .unwrap();
    let delete = async |before| store.delete_events_before(before, Duration::ZERO).await;
    let oldest = async || {
        let events = store.read().await.unwrap().events(None, 1000).await.unwrap();
        events.last().map(|event| event.at)
    };

    assert_eq!(delete(at(0)).await, Ok(0), "nothing is older than the oldest");
    assert_eq!(delete(at(10)).await, Ok(10));
    assert!(
        refuses(store, "DELETE FROM audit_event").await,
        "the rest is kept"
    );
    assert_eq!(oldest().await, Some(at(10)));
    assert_eq!(
        delete(day(4000)).await,
        Ok(592),
        "a day from the oldest, whatever the clock says"
    );
    assert_eq!(oldest().await, Some(day(2)));
    assert_eq!(
        delete(day(1)).await,
        Ok(0),
        "a clock that is behind takes nothing back"
    );
    assert!(refuses(store, "DELETE FROM audit_event").await);
    assert_eq!(oldest().await, Some(day(2)));
}

pub async fn names_outlive_their_accounts(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let bob = maker.account(alice.company, "bob");
    let company = alice.company;
    write(store, async |writer| {
        writer.insert_account(&bob).await?;
        let new = AuditEntry {
            target: Some(bob.id),
            event: Event::AccountDeleted,
            ..entry(Some(company), Actor::Account(alice.id))
        };
        writer.insert_event(maker.event_id_at(at(1)), at(1), &new).await?;
        assert!(writer.delete_account(company, bob.id).await?);
        let gone = AuditEntry {
            target: Some(bob.id),
            ..entry(None, Actor::System)
        };
        writer.insert_event(maker.event_id_at(at(2)), at(2), &gone).await
    })
    .await
    .unwrap();
    let filter = EventFilter {
        account: Some(bob.id),
        ..EventFilter::default()
    };
    let mut reader = store.read().await.unwrap();
    let page = reader.event_page(company, &filter, 10).await.unwrap();
    assert_eq!(page.events.len(), 1);
    assert_eq!(page.events[0].actor_name.as_deref(), Some("alice"));
    assert_eq!(page.events[0].target_name.as_deref(), Some("bob"));
    let newest = reader.events(None, 1).await.unwrap();
    assert_eq!((&newest[0].actor_name, &newest[0].target_name), (&None, &None));
}

/// Half of it are indexes. Whoever makes an event longer or the log slower to write sees it here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_takes_no_more_room_than_it_did() {
    const EVENTS: usize = 5_000;
    const MOST: i64 = 540;
    let store = TestStore::sqlite().await;
    let maker = Maker::new();
    let company = maker.company("Acme").id;
    let accounts: Vec<AccountId> = (0..500).map(|_| AccountId(maker.event_id().0)).collect();
    let kinds = [
        Event::PasswordAccepted,
        Event::SignedIn,
        Event::SignedIn,
        Event::SignedOut,
    ];
    let size = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()";
    let before = count(&store, size).await;
    write(&store, async |writer| {
        for (second, kind) in (0..).zip(kinds.into_iter().cycle().take(EVENTS)) {
            let account = accounts[usize::try_from(second * 7919).unwrap() % accounts.len()];
            let new = AuditEntry {
                target: Some(account),
                event: kind,
                browser: Some("Firefox on Windows".into()),
                request: Some("0123456789abcdef".into()),
                detail: None,
                ..entry(Some(company), Actor::Account(account))
            };
            writer
                .insert_event(maker.event_id_at(at(second)), at(second), &new)
                .await?;
        }
        Ok(())
    })
    .await
    .unwrap();
    let each = (count(&store, size).await - before) / i64::try_from(EVENTS).unwrap();
    assert!(each <= MOST, "{each} bytes");
}
