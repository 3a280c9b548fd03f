//! The audit log.

use vestibule_core::audit::{Actor, AuditEntry, Event};
use vestibule_storage::{EventRow, Store};

use crate::fixture::{Maker, alice, at, entry, write};

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
        expected.insert(
            0,
            EventRow {
                id,
                at: at(second),
                company: Some(alice.company),
                actor,
                target: Some(alice.id),
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
        assert_eq!(writer.claim_mails(at(1), at(2), 10).await?, []);
        assert_eq!(writer.events(Some(alice.company), 10).await?.len(), 1);
        Ok(())
    })
    .await
    .unwrap();
}
