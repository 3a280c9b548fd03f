//! What is kept for a moment for one session.

use vestibule_storage::{Store, test_support::TestStore};

use crate::fixture::{Maker, alice, at, write};
use crate::session::by_admin;

pub async fn a_note_is_its_sessions_until_it_is_over(store: &TestStore) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let (one, two) = (maker.session(&alice, at(0)), maker.session(&alice, at(0)));
    write(store, async |writer| {
        writer.insert_session(&one).await?;
        writer.insert_session(&two).await?;
        let company = alice.company;
        for sealed in [b"first".as_slice(), b"second"] {
            writer
                .put_session_note(company, one.id, "undo", sealed, at(10))
                .await?;
        }
        writer
            .put_session_note(company, two.id, "undo", b"other", at(10))
            .await?;
        let read = writer.session_note(company, one.id, "undo", at(9)).await?;
        assert_eq!(
            read.as_deref(),
            Some(b"second".as_slice()),
            "the newest replaces the older"
        );
        assert_eq!(writer.session_note(company, one.id, "undo", at(10)).await?, None);
        assert_eq!(writer.session_note(company, one.id, "code", at(9)).await?, None);
        assert!(writer.drop_session_note(company, one.id, "undo").await?);
        assert!(!writer.drop_session_note(company, one.id, "undo").await?);
        assert!(
            writer
                .session_note(company, two.id, "undo", at(9))
                .await?
                .is_some()
        );
        writer.end_session(company, two.id, by_admin()).await?;
        assert_eq!(writer.session_note(company, two.id, "undo", at(9)).await?, None);
        Ok(())
    })
    .await
    .unwrap();
    let after_its_end = write(store, async |writer| {
        writer
            .put_session_note(alice.company, two.id, "undo", b"late", at(10))
            .await
    });
    assert!(after_its_end.await.is_err());
    write(store, async |writer| {
        writer
            .put_session_note(alice.company, one.id, "undo", b"again", at(10))
            .await
    })
    .await
    .unwrap();
    Store::delete_expired(store, at(10), std::time::Duration::ZERO)
        .await
        .unwrap();
    let mut reader = store.read().await.unwrap();
    assert_eq!(
        reader.session_note(alice.company, one.id, "undo", at(0)).await,
        Ok(None)
    );
}
