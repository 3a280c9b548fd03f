//! What is kept for a while: forms by the token of a browser, codes by their session.

use vestibule_storage::{KeptRow, NewKept, Store};

use crate::fixture::{Maker, alice, at, write};

pub async fn what_is_kept_is_found_by_its_browser_or_its_session(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let bob = maker.account(alice.company, "bob");
    let (company, session, token) = (alice.company, maker.session_id(), maker.token());
    let form = NewKept {
        session,
        path: "/profile",
        company,
        account: alice.id,
        token_hash: Some(token),
        sealed: b"first",
        expires_at: at(900),
    };
    let codes = NewKept {
        path: "/codes",
        token_hash: None,
        sealed: b"codes",
        ..form.clone()
    };
    write(store, async |writer| {
        writer.insert_account(&bob).await?;
        for new in [&form, &codes] {
            writer.put_kept(new).await?;
        }
        let newer = NewKept {
            sealed: b"second",
            ..form.clone()
        };
        writer.put_kept(&newer).await
    })
    .await
    .unwrap();
    let row = |new: &NewKept<'_>, sealed: &[u8]| KeptRow {
        session,
        path: new.path.to_owned(),
        company,
        account: alice.id,
        sealed: sealed.to_vec(),
        expires_at: at(900),
    };
    let mut reader = store.read().await.unwrap();
    let found = reader.kept_by_token(token, (company, alice.id)).await;
    assert_eq!(found, Ok(vec![row(&form, b"second")]), "the newer one");
    let found = reader.kept_by_token(token, (company, bob.id)).await;
    assert_eq!(found, Ok(Vec::new()), "somebody else in the same browser");
    let found = reader.kept_of_session(session, "/codes").await;
    assert_eq!(found, Ok(Some(row(&codes, b"codes"))));
    let found = reader.kept_of_session(maker.session_id(), "/codes").await;
    assert_eq!(found, Ok(None));
    drop(reader);
    write(store, async |writer| {
        writer.drop_kept(maker.token(), "/profile").await?;
        assert_eq!(writer.kept_by_token(token, (company, alice.id)).await?.len(), 1);
        writer.drop_kept(token, "/profile").await?;
        assert!(writer.kept_by_token(token, (company, alice.id)).await?.is_empty());
        assert!(writer.delete_account(company, alice.id).await?);
        assert_eq!(writer.kept_of_session(session, "/codes").await?, None);
        Ok(())
    })
    .await
    .unwrap();
}
