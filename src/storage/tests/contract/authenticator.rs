//! Authenticator apps.

use vestibule_storage::{AppRow, NewAccount, Store, StoreError};

use crate::fixture::{Maker, alice, at, winners_of_twenty, write};

const SEALED: &[u8] = b"a sealed secret";

/// Alice with an app whose step 100 was used for its set-up.
async fn alice_with_app(store: &Store, maker: &Maker) -> NewAccount {
    let alice = alice(store, maker).await;
    write(store, async |writer| {
        assert!(
            writer
                .set_app_secret(alice.company, alice.id, SEALED, 100, at(1))
                .await?
        );
        Ok(())
    })
    .await
    .unwrap();
    alice
}

pub async fn an_app_is_read_as_it_was_written(store: &Store) {
    let maker = Maker::new();
    let alice = alice_with_app(store, &maker).await;
    let (company, id) = (alice.company, alice.id);
    let bob = maker.account(company, "bob");
    let row = |sealed: &[u8], step| {
        let sealed = sealed.to_vec();
        Some(AppRow { sealed, step })
    };
    write(store, async |writer| {
        writer.insert_account(&bob).await?;
        let read = writer.account(company, id).await?.unwrap();
        assert_eq!((read.app_factor, read.credential_version), (true, 2));
        let app = writer.app_of(company, id).await?;
        assert!(!format!("{app:?}").contains("97"), "no bytes in it");
        assert_eq!(app, row(SEALED, 100));
        assert_eq!(writer.app_of(company, bob.id).await?, None);
        assert!(!writer.account(company, bob.id).await?.unwrap().app_factor);

        // Another one in its place, from a phone whose clock is behind.
        assert!(writer.set_app_secret(company, id, b"another", 90, at(2)).await?);
        assert_eq!(writer.app_of(company, id).await?, row(b"another", 90));
        assert!(writer.clear_app_secret(company, id, at(3)).await?);
        assert!(!writer.clear_app_secret(company, id, at(4)).await?);
        assert_eq!(writer.app_of(company, id).await?, None);
        let read = writer.account(company, id).await?.unwrap();
        assert_eq!((read.app_factor, read.credential_version), (false, 4));
        assert!(!writer.use_app_step(company, id, b"another", 200).await?);
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn only_a_later_step_of_the_present_secret_is_used(store: &Store) {
    let maker = Maker::new();
    let alice = alice_with_app(store, &maker).await;
    let (company, id) = (alice.company, alice.id);
    write(store, async |writer| {
        for (step, expected) in [
            (99, false),
            (100, false),
            (102, true),
            (102, false),
            (101, false),
            (103, true),
        ] {
            let used = writer.use_app_step(company, id, SEALED, step).await?;
            assert_eq!(used, expected, "{step}");
        }
        assert!(!writer.use_app_step(company, id, b"not it", 200).await?);
        writer.set_app_secret(company, id, b"another", 50, at(2)).await?;
        assert!(
            !writer.use_app_step(company, id, SEALED, 200).await?,
            "the app before"
        );
        assert!(writer.use_app_step(company, id, b"another", 51).await?);
        assert_eq!(
            writer.account(company, id).await?.unwrap().credential_version,
            3,
            "using a step changes no credential"
        );
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn a_hinted_step_is_refused(store: &Store) {
    let maker = Maker::new();
    let alice = alice_with_app(store, &maker).await;
    let (company, id) = (alice.company, alice.id);
    write(store, async |writer| {
        writer.note_hinted_step(company, id, 115).await?;
        assert!(writer.use_app_step(company, id, SEALED, 114).await?);
        // The hint for a code of the past sets the future one not free.
        writer.note_hinted_step(company, id, 80).await?;
        assert!(!writer.use_app_step(company, id, SEALED, 115).await?);
        assert!(writer.use_app_step(company, id, SEALED, 116).await?);
        writer.note_hinted_step(company, id, 130).await?;
        writer.set_app_secret(company, id, b"another", 120, at(2)).await?;
        assert!(
            writer.use_app_step(company, id, b"another", 130).await?,
            "another secret, another code"
        );
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn twenty_parallel_uses_of_a_step_have_one_winner(store: &Store) {
    let maker = Maker::new();
    let alice = alice_with_app(store, &maker).await;
    let won = winners_of_twenty(store, async |writer| {
        writer.use_app_step(alice.company, alice.id, SEALED, 101).await
    })
    .await;
    assert_eq!(won, 1);
}

pub async fn secrets_of_all_companies_are_sealed_anew(store: &Store) {
    let maker = Maker::new();
    let alice = alice_with_app(store, &maker).await;
    let elsewhere = maker.company("Elsewhere");
    let without = maker.account(alice.company, "without");
    let others = ["bob", "carol"].map(|name| maker.account(elsewhere.id, name));
    write(store, async |writer| {
        writer.insert_company(&elsewhere).await?;
        writer.insert_account(&without).await?;
        for account in &others {
            writer.insert_account(account).await?;
            let sealed = account.name.key().as_bytes();
            writer
                .set_app_secret(elsewhere.id, account.id, sealed, 1, at(1))
                .await?;
        }
        Ok(())
    })
    .await
    .unwrap();
    let mut expected = [
        (alice.company, alice.id, SEALED.to_vec()),
        (elsewhere.id, others[0].id, b"bob".to_vec()),
        (elsewhere.id, others[1].id, b"carol".to_vec()),
    ];
    expected.sort_unstable_by_key(|(_, id, _)| *id);
    let mut reader = store.read().await.unwrap();
    assert_eq!(
        reader.app_secrets_after(None, 10).await.as_deref(),
        Ok(&expected[..])
    );
    let (first, rest) = (&expected[..2], &expected[2..]);
    assert_eq!(reader.app_secrets_after(None, 2).await.as_deref(), Ok(first));
    let after = Some(first[1].1);
    assert_eq!(reader.app_secrets_after(after, 2).await.as_deref(), Ok(rest));
    let after = Some(rest[0].1);
    assert_eq!(reader.app_secrets_after(after, 2).await, Ok(Vec::new()));
    drop(reader);

    let (company, id) = (alice.company, alice.id);
    write(store, async |writer| {
        writer.note_hinted_step(company, id, 105).await?;
        assert!(!writer.reseal_app_secret(company, id, b"not it", b"anew").await?);
        assert!(writer.reseal_app_secret(company, id, SEALED, b"anew").await?);
        assert!(!writer.reseal_app_secret(company, id, SEALED, b"late").await?);
        let sealed = b"anew".to_vec();
        assert_eq!(
            writer.app_of(company, id).await?,
            Some(AppRow { sealed, step: 100 })
        );
        assert_eq!(
            writer.account(company, id).await?.unwrap().credential_version,
            2,
            "the same credential"
        );
        assert!(!writer.use_app_step(company, id, b"anew", 105).await?, "hinted");
        assert!(
            !writer
                .reseal_app_secret(company, without.id, SEALED, b"anew")
                .await?
        );
        Ok::<_, StoreError>(())
    })
    .await
    .unwrap();
}
