//! Forms that are kept for a while, by the token of a browser.

use vestibule_core::limits::KEPT_FORMS_MAX;
use vestibule_storage::{KeptRow, NewKept, Store};

use crate::fixture::{Maker, alice, at, write};

pub async fn a_kept_form_is_its_browsers_and_its_accounts(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let bob = maker.account(alice.company, "bob");
    let (company, session, token) = (alice.company, maker.session_id(), maker.token());
    let form = NewKept {
        session,
        path: "/profile",
        company,
        account: alice.id,
        token_hash: token,
        sealed: b"first",
        expires_at: at(900),
    };
    write(store, async |writer| {
        writer.insert_account(&bob).await?;
        writer.put_kept(&form).await?;
        let newer = NewKept {
            sealed: b"second",
            ..form.clone()
        };
        writer.put_kept(&newer).await
    })
    .await
    .unwrap();
    let second = KeptRow {
        session,
        path: "/profile".to_owned(),
        company,
        account: alice.id,
        sealed: b"second".to_vec(),
        expires_at: at(900),
    };
    let mut reader = store.read().await.unwrap();
    let found = reader.kept_by_token(token, (company, alice.id)).await;
    assert_eq!(found, Ok(vec![second]), "the newer one");
    let found = reader.kept_by_token(token, (company, bob.id)).await;
    assert_eq!(found, Ok(Vec::new()), "somebody else in the same browser");
    let found = reader.kept_by_token(maker.token(), (company, alice.id)).await;
    assert_eq!(found, Ok(Vec::new()), "another browser");
    drop(reader);
    write(store, async |writer| {
        let (alices, bobs) = ((company, alice.id), (company, bob.id));
        writer.drop_kept(maker.token(), alices, "/profile").await?;
        writer.drop_kept(token, bobs, "/profile").await?;
        writer.drop_kept(token, alices, "/profile/email").await?;
        assert_eq!(writer.kept_by_token(token, alices).await?.len(), 1);
        writer.drop_kept(token, alices, "/profile").await?;
        assert!(writer.kept_by_token(token, alices).await?.is_empty());
        writer.put_kept(&form).await?;
        assert!(writer.delete_account(company, alice.id).await?);
        assert!(writer.kept_by_token(token, (company, alice.id)).await?.is_empty());
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn of_each_form_of_an_account_the_newest_is_kept(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let bob = maker.account(alice.company, "bob");
    let (company, token) = (alice.company, maker.token());
    let first = NewKept {
        session: maker.session_id(),
        path: "/agents/edit /agents/1",
        company,
        account: alice.id,
        token_hash: token,
        sealed: b"one",
        expires_at: at(900),
    };
    let second = NewKept {
        path: "/agents/edit /agents/2",
        sealed: b"two",
        expires_at: at(901),
        ..first.clone()
    };
    let bobs = NewKept {
        session: maker.session_id(),
        account: bob.id,
        sealed: b"bob",
        ..first.clone()
    };
    // She has signed in again meanwhile.
    let newer = NewKept {
        session: maker.session_id(),
        sealed: b"newer",
        expires_at: at(902),
        ..first.clone()
    };
    write(store, async |writer| {
        writer.insert_account(&bob).await?;
        for new in [&first, &second, &bobs, &newer] {
            writer.put_kept(new).await?;
        }
        Ok(())
    })
    .await
    .unwrap();
    let mut reader = store.read().await.unwrap();
    let mut sealed = async |account| {
        let rows = reader.kept_by_token(token, (company, account)).await.unwrap();
        rows.into_iter().map(|row| row.sealed).collect::<Vec<_>>()
    };
    assert_eq!(sealed(alice.id).await, [b"newer".as_slice(), b"two"]);
    assert_eq!(sealed(bob.id).await, [b"bob".as_slice()]);
}

pub async fn the_oldest_kept_form_of_an_account_makes_room(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let bob = maker.account(alice.company, "bob");
    let (company, token) = (alice.company, maker.token());
    let bobs = NewKept {
        session: maker.session_id(),
        path: "/profile",
        company,
        account: bob.id,
        token_hash: token,
        sealed: b"bob",
        expires_at: at(900),
    };
    let session = maker.session_id();
    let paths: Vec<String> = (0..KEPT_FORMS_MAX + 2)
        .map(|number| format!("/agents/edit /agents/{number:02}"))
        .collect();
    write(store, async |writer| {
        writer.insert_account(&bob).await?;
        writer.put_kept(&bobs).await?;
        for (expires, path) in (901..).zip(&paths) {
            let form = NewKept {
                session,
                path,
                account: alice.id,
                sealed: b"alice",
                expires_at: at(expires),
                ..bobs.clone()
            };
            writer.put_kept(&form).await?;
        }
        Ok(())
    })
    .await
    .unwrap();
    let mut reader = store.read().await.unwrap();
    let rows = reader.kept_by_token(token, (company, alice.id)).await.unwrap();
    let found: Vec<&str> = rows.iter().map(|row| row.path.as_str()).collect();
    let newest: Vec<&str> = paths[2..].iter().rev().map(String::as_str).collect();
    assert_eq!(found, newest, "the newest first");
    let rows = reader.kept_by_token(token, (company, bob.id)).await.unwrap();
    assert_eq!(rows.len(), 1, "each account has room of its own");
}
