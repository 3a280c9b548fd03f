//! Second factors that are being set up.

use futures::future::join_all;
use vestibule_core::{id::CodeId, sign_in_view::Method};
use vestibule_storage::{NewSetUp, SetUpCodeRow, SetUpRow, Store};

use crate::fixture::{Maker, alice, at, winners_of_twenty, write};

/// What is read of a set-up that has just begun.
fn begun(new: &NewSetUp) -> SetUpRow {
    SetUpRow {
        id: new.id,
        session: new.session,
        sealed: new.sealed.clone(),
        created_at: new.created_at,
        expires_at: new.expires_at,
        mailed_at: None,
        resends: 0,
    }
}

pub async fn a_set_up_is_read_as_it_was_written(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let bob = maker.account(alice.company, "bob");
    let (company, id) = (alice.company, alice.id);
    let (app, email) = (
        maker.set_up(&alice, Method::App, at(0)),
        maker.set_up(&alice, Method::Email, at(1)),
    );
    write(store, async |writer| {
        writer.insert_account(&bob).await?;
        writer.begin_set_up(&app).await?;
        assert_eq!(writer.set_up_of(company, id, Method::Email).await?, None);
        writer.begin_set_up(&email).await?;
        Ok(())
    })
    .await
    .unwrap();
    let mut reader = store.read().await.unwrap();
    for new in [&app, &email] {
        let row = reader.set_up_of(company, id, new.method).await.unwrap().unwrap();
        assert_eq!(row, begun(new));
        assert!(!format!("{row:?}").contains("sealed"), "{row:?}");
        assert_eq!(reader.set_up_of(company, bob.id, new.method).await, Ok(None));
    }
    let account = reader.account(company, id).await.unwrap().unwrap();
    assert!(
        !account.app_factor && account.credential_version == 1,
        "not yet on"
    );
}

pub async fn a_newer_set_up_replaces_the_older_with_its_codes(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let bob = maker.account(alice.company, "bob");
    let (company, id) = (alice.company, alice.id);
    let (old, new) = (
        maker.set_up(&alice, Method::Email, at(0)),
        maker.set_up(&alice, Method::Email, at(5)),
    );
    let (app, bobs) = (
        maker.set_up(&alice, Method::App, at(0)),
        maker.set_up(&bob, Method::Email, at(0)),
    );
    write(store, async |writer| {
        writer.insert_account(&bob).await?;
        for set_up in [&old, &app, &bobs] {
            writer.begin_set_up(set_up).await?;
            writer
                .insert_set_up_code(company, set_up.id, maker.code_id(at(0)), &[1; 32], at(0))
                .await?;
        }
        writer.begin_set_up(&new).await?;
        assert_eq!(
            writer.set_up_of(company, id, Method::Email).await?,
            Some(begun(&new))
        );
        assert_eq!(writer.set_up_codes(company, old.id).await?, []);
        assert_eq!(writer.set_up_codes(company, new.id).await?, []);
        assert!(!writer.end_set_up(company, old.id).await?, "it is over");
        for untouched in [app.id, bobs.id] {
            assert_eq!(writer.set_up_codes(company, untouched).await?.len(), 1);
        }
        assert_eq!(writer.end_set_ups_of(company, id).await?, 2);
        assert_eq!(writer.end_set_ups_of(company, id).await?, 0);
        assert_eq!(writer.set_up_of(company, id, Method::App).await?, None);
        assert_eq!(writer.set_up_codes(company, app.id).await?, []);
        assert_eq!(writer.set_up_codes(company, bobs.id).await?.len(), 1);
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn parallel_set_ups_leave_one(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let set_ups: Vec<_> = (0..10)
        .map(|_| maker.set_up(&alice, Method::App, at(0)))
        .collect();
    let begun = set_ups
        .iter()
        .map(|new| write(store, async |writer| writer.begin_set_up(new).await));
    for begun in join_all(begun).await {
        assert_eq!(begun, Ok(()));
    }
    write(store, async |writer| {
        assert_eq!(writer.end_set_ups_of(alice.company, alice.id).await?, 1);
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn a_set_up_ends_once(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let new = maker.set_up(&alice, Method::App, at(0));
    write(store, async |writer| writer.begin_set_up(&new).await)
        .await
        .unwrap();
    let won = winners_of_twenty(store, async |writer| writer.end_set_up(new.company, new.id).await).await;
    assert_eq!(won, 1);
    let mut reader = store.read().await.unwrap();
    assert_eq!(
        reader.set_up_of(alice.company, alice.id, Method::App).await,
        Ok(None)
    );
}

pub async fn codes_of_a_set_up_are_listed_newest_first(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let new = maker.set_up(&alice, Method::Email, at(0));
    let other = maker.set_up(&alice, Method::App, at(0));
    let company = alice.company;
    let row = |(id, hash): &(CodeId, [u8; 32]), replaced_at| SetUpCodeRow {
        id: *id,
        code_hash: hash.to_vec(),
        replaced_at,
    };
    let [first, second, third] = [0, 60, 120].map(|second| (maker.code_id(at(second)), maker.bytes()));
    let elsewhere = (maker.code_id(at(0)), first.1);
    write(store, async |writer| {
        writer.begin_set_up(&new).await?;
        writer.begin_set_up(&other).await?;
        writer
            .insert_set_up_code(company, other.id, elsewhere.0, &elsewhere.1, at(0))
            .await?;
        for (second, (id, hash)) in [(0, &first), (60, &second), (120, &third)] {
            writer.replace_set_up_codes(company, new.id, at(second)).await?;
            writer
                .insert_set_up_code(company, new.id, *id, hash, at(second))
                .await?;
        }
        assert_eq!(
            writer.set_up_codes(company, new.id).await?,
            [
                row(&third, None),
                row(&second, Some(at(120))),
                row(&first, Some(at(60)))
            ]
        );
        assert_eq!(
            writer.set_up_codes(company, other.id).await?,
            [row(&elsewhere, None)]
        );
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn a_mail_of_a_set_up_is_marked_once(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let new = maker.set_up(&alice, Method::Email, at(0));
    let (company, id) = (new.company, new.id);
    write(store, async |writer| {
        writer.begin_set_up(&new).await?;
        assert!(
            !writer
                .mark_set_up_mailed(company, id, Some(at(0)), at(0), false)
                .await?,
            "none was mailed yet"
        );
        assert!(writer.mark_set_up_mailed(company, id, None, at(0), false).await?);
        Ok(())
    })
    .await
    .unwrap();
    let won = winners_of_twenty(store, async |writer| {
        writer
            .mark_set_up_mailed(company, id, Some(at(0)), at(60), true)
            .await
    })
    .await;
    assert_eq!(won, 1);
    let read = store
        .read()
        .await
        .unwrap()
        .set_up_of(company, alice.id, Method::Email)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((read.mailed_at, read.resends), (Some(at(60)), 1));
}
