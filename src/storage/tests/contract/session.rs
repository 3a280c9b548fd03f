//! Sessions.

use vestibule_core::id::SessionId;
use vestibule_storage::{Reader, SessionRow, Store};

use crate::fixture::{Maker, alice, at, write};

pub async fn a_session_is_read_with_its_company_and_account(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let new = maker.session(&alice, at(5));
    write(store, async |writer| writer.insert_session(&new).await)
        .await
        .unwrap();
    let mut reader = store.read().await.unwrap();
    let expected = SessionRow {
        id: new.id,
        company: reader.company(alice.company).await.unwrap().unwrap(),
        account: reader.account(alice.company, alice.id).await.unwrap().unwrap(),
        created_at: at(5),
        last_used_at: at(5),
        ends_at: new.ends_at,
        proof: "email_code".into(),
        proved_at: at(5),
        address: new.address.clone(),
        browser: new.browser.clone(),
        credential_version: 1,
    };
    assert_eq!(reader.session_by_token(new.token_hash).await, Ok(Some(expected)));
    assert_eq!(reader.session_by_token(maker.token()).await, Ok(None));
    let entries = reader.sessions_of(alice.company, alice.id).await.unwrap();
    assert_eq!(entries.len(), 1);
    let entry = &entries[0];
    assert_eq!(
        (entry.id, entry.created_at, entry.last_used_at),
        (new.id, at(5), at(5))
    );
    assert_eq!(
        (entry.ends_at, entry.proof.as_str(), entry.credential_version),
        (new.ends_at, "email_code", 1)
    );
    assert_eq!((&entry.address, &entry.browser), (&new.address, &new.browser));
}

pub async fn a_session_is_touched_forwards_only(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let new = maker.session(&alice, at(0));
    write(store, async |writer| {
        writer.insert_session(&new).await?;
        for (touch, expected) in [(60, 60), (30, 60), (61, 61)] {
            writer.touch_session(alice.company, new.id, at(touch)).await?;
            let read = writer.session_by_token(new.token_hash).await?.unwrap();
            assert_eq!(read.last_used_at, at(expected));
        }
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn sessions_end_one_by_one_and_together(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let bob = maker.account(alice.company, "bob");
    write(store, async |writer| {
        writer.insert_account(&bob).await?;
        let first = maker.session(&alice, at(0));
        writer.insert_session(&first).await?;
        assert!(writer.end_session(alice.company, first.id).await?);
        assert!(!writer.end_session(alice.company, first.id).await?);
        for account in [&alice, &alice, &bob] {
            writer.insert_session(&maker.session(account, at(0))).await?;
        }
        assert_eq!(writer.end_sessions_of(alice.company, alice.id).await?, 2);
        assert_eq!(writer.sessions_of(alice.company, bob.id).await?.len(), 1);
        writer.insert_session(&maker.session(&alice, at(0))).await?;
        assert_eq!(writer.end_sessions_of_company(alice.company).await?, 2);
        assert_eq!(writer.sessions_of(alice.company, bob.id).await?.len(), 0);
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn the_oldest_sessions_make_room(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let bob = maker.account(alice.company, "bob");
    write(store, async |writer| {
        writer.insert_account(&bob).await?;
        writer.insert_session(&maker.session(&bob, at(-1))).await?;
        let mut newest = Vec::new();
        for second in [3, 0, 4, 1, 2] {
            let session = maker.session(&alice, at(second));
            writer.insert_session(&session).await?;
            if second > 1 {
                newest.push((second, session.id));
            }
        }
        assert_eq!(writer.trim_sessions(alice.company, alice.id, 3).await?, 2);
        assert_eq!(writer.trim_sessions(alice.company, alice.id, 3).await?, 0);
        newest.sort_unstable_by_key(|(second, _)| -second);
        let expected: Vec<SessionId> = newest.into_iter().map(|(_, id)| id).collect();
        assert_eq!(ids(writer, &alice).await, expected, "newest first");
        assert_eq!(ids(writer, &bob).await.len(), 1);
        Ok(())
    })
    .await
    .unwrap();
}

async fn ids(reader: &mut Reader, account: &vestibule_storage::NewAccount) -> Vec<SessionId> {
    let entries = reader.sessions_of(account.company, account.id).await.unwrap();
    entries.into_iter().map(|entry| entry.id).collect()
}
