//! Links of mails.

use vestibule_core::link::LinkPurpose;
use vestibule_storage::{LinkRow, NewLink, Store, StoreError, test_support::TestStore};

use crate::fixture::{Maker, alice, at, raw, winners_of_twenty, write};

pub async fn a_link_is_read_as_it_was_written(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let (company, id) = (alice.company, alice.id);
    write(store, async |writer| {
        for purpose in LinkPurpose::ALL {
            let link = NewLink {
                purpose,
                email: (purpose == LinkPurpose::ConfirmEmail).then(|| "new@other.test".into()),
                ..maker.link(&alice, at(0))
            };
            writer.put_link(&link).await?;
            let expected = LinkRow {
                id: link.id,
                company: writer.company(company).await?.unwrap(),
                account: writer.account(company, id).await?.unwrap(),
                purpose,
                email: link.email.clone(),
                created_at: link.created_at,
                expires_at: link.expires_at,
            };
            assert_eq!(
                writer.link_by_token(link.token_hash).await?.as_ref(),
                Some(&expected)
            );
            assert_eq!(writer.link_of(company, id, purpose).await?, Some(expected));
        }
        assert_eq!(writer.link_by_token(maker.token()).await?, None);
        let some = [LinkPurpose::Activate, LinkPurpose::ConfirmEmail];
        writer.end_links_of(company, id, &some).await?;
        for purpose in LinkPurpose::ALL {
            let left = writer.link_of(company, id, purpose).await?.is_some();
            assert_eq!(left, !some.contains(&purpose), "{purpose:?}");
        }
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn a_newer_link_replaces_the_older(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let (old, new) = (maker.link(&alice, at(0)), maker.link(&alice, at(1)));
    write(store, async |writer| {
        writer.put_link(&old).await?;
        writer.put_link(&new).await?;
        assert_eq!(writer.link_by_token(old.token_hash).await?, None);
        assert!(!writer.use_link(alice.company, old.id).await?);
        assert!(writer.link_by_token(new.token_hash).await?.is_some());
        Ok(())
    })
    .await
    .unwrap();
    // Twenty at once leave one, and none of them fails.
    let made = winners_of_twenty(store, async |writer| {
        writer.put_link(&maker.link(&alice, at(2))).await?;
        Ok(true)
    })
    .await;
    assert_eq!(made, 20);
    let left = store
        .read()
        .await
        .unwrap()
        .link_of(alice.company, alice.id, new.purpose)
        .await;
    assert_eq!(left.unwrap().unwrap().created_at, at(2));
}

pub async fn twenty_parallel_uses_of_a_link_have_one_winner(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let link = maker.link(&alice, at(0));
    write(store, async |writer| writer.put_link(&link).await)
        .await
        .unwrap();
    let winners = winners_of_twenty(store, async |writer| {
        writer.use_link(alice.company, link.id).await
    })
    .await;
    assert_eq!(winners, 1);
    let read = store.read().await.unwrap().link_by_token(link.token_hash).await;
    assert_eq!(read, Ok(None));
}

pub async fn an_unknown_purpose_is_not_guessed(store: &TestStore) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let link = maker.link(&alice, at(0));
    write(store, async |writer| writer.put_link(&link).await)
        .await
        .unwrap();
    raw(store, "UPDATE account_link SET purpose = 'anything'").await;
    let read = store.read().await.unwrap().link_by_token(link.token_hash).await;
    let (table, column) = ("account_link", "purpose");
    assert_eq!(read, Err(StoreError::Corrupt { table, column }));
}
