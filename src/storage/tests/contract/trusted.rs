//! Trusted and known browsers.

use futures::future::join_all;
use vestibule_core::company::{CompanySettings, TwoFactorPolicy};
use vestibule_storage::{NewTrusted, Store, StoreError, TrustedRow};

use crate::fixture::{Maker, alice, at, write};

pub async fn a_trusted_browser_is_found_by_its_token(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let bob = maker.account(alice.company, "bob");
    let (mine, phone, bobs) = (
        maker.trusted(&alice, at(0)),
        maker.trusted(&alice, at(1)),
        maker.trusted(&bob, at(0)),
    );
    write(store, async |writer| {
        writer.insert_account(&bob).await?;
        for new in [&mine, &phone, &bobs] {
            writer.insert_trusted(new).await?;
        }
        Ok(())
    })
    .await
    .unwrap();
    let expected = TrustedRow {
        id: mine.id,
        token_hash: mine.token_hash,
        previous_hash: None,
        created_at: at(0),
        ends_at: mine.ends_at,
        last_used_at: at(0),
        credential_version: 1,
        address: mine.address.clone(),
        browser: mine.browser.clone(),
        browser_hash: mine.browser_hash,
    };
    let mut reader = store.read().await.unwrap();
    // Two agents on one shared browser: its cookie holds the tokens of both.
    let cookie = [bobs.token_hash, mine.token_hash, maker.token()];
    let found = reader.trusted_of_browser(alice.company, alice.id, &cookie).await;
    assert_eq!(found, Ok(vec![expected]));
    let found = reader
        .trusted_of_browser(alice.company, bob.id, &cookie)
        .await
        .unwrap();
    assert_eq!(found.iter().map(|row| row.id).collect::<Vec<_>>(), [bobs.id]);
    assert_eq!(
        reader.trusted_of_browser(alice.company, alice.id, &[]).await,
        Ok(Vec::new())
    );
    drop(reader);

    write(store, async |writer| {
        assert_eq!(writer.end_trusted_of(alice.company, alice.id).await?, 2);
        assert_eq!(
            writer
                .trusted_of_browser(alice.company, alice.id, &cookie)
                .await?,
            []
        );
        assert_eq!(
            writer
                .trusted_of_browser(alice.company, bob.id, &cookie)
                .await?
                .len(),
            1
        );
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn a_token_is_rotated_once(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let trusted = maker.trusted(&alice, at(0));
    write(store, async |writer| writer.insert_trusted(&trusted).await)
        .await
        .unwrap();
    let (company, id, old) = (trusted.company, trusted.id, trusted.token_hash);
    let number = maker.token();
    let rotations = (0..20).map(|_| {
        let (store, new) = (store.clone(), maker.token());
        tokio::spawn(async move {
            let mut writer = store.write().await?;
            let won = writer
                .rotate_trusted(company, id, (old, new), Some(number), at(9))
                .await?;
            writer.commit().await?;
            Ok::<_, StoreError>(won.then_some(new))
        })
    });
    let won: Vec<_> = join_all(rotations)
        .await
        .into_iter()
        .filter_map(|won| won.unwrap().unwrap())
        .collect();
    assert_eq!(won.len(), 1);
    let mut reader = store.read().await.unwrap();
    let found = reader.trusted_of_browser(company, alice.id, &won).await.unwrap();
    assert_eq!(
        (found.len(), found[0].last_used_at, found[0].ends_at),
        (1, at(9), trusted.ends_at)
    );
    assert_eq!(
        found[0].browser_hash,
        Some(number),
        "the browser that it was given to"
    );
    assert_eq!(
        (found[0].token_hash, found[0].previous_hash),
        (won[0], Some(old)),
        "the token before is told from its successor"
    );
    assert_eq!(
        reader.trusted_of_browser(company, alice.id, &[old]).await,
        Ok(found)
    );
    drop(reader);
    write(store, async |writer| {
        let newest = maker.token();
        let rotation = (won[0], newest);
        assert!(writer.rotate_trusted(company, id, rotation, None, at(10)).await?);
        let found = writer.trusted_of_browser(company, alice.id, &[old]).await?;
        assert_eq!(found, [], "only one before");
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn the_oldest_trusted_browsers_make_room(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let browsers: Vec<_> = (0..4).map(|second| maker.trusted(&alice, at(second))).collect();
    let tokens: Vec<_> = browsers.iter().map(|browser| browser.token_hash).collect();
    write(store, async |writer| {
        for browser in &browsers {
            writer.insert_trusted(browser).await?;
        }
        assert_eq!(writer.trim_trusted(alice.company, alice.id, 2, at(4)).await?, 2);
        let left = writer
            .trusted_of_browser(alice.company, alice.id, &tokens)
            .await?;
        assert_eq!(
            left.iter().map(|row| row.id).collect::<Vec<_>>(),
            [browsers[3].id, browsers[2].id]
        );
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn trust_that_is_over_takes_nobodys_place(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let (long, newer) = (maker.trusted(&alice, at(0)), maker.trusted(&alice, at(2)));
    let short = NewTrusted {
        ends_at: at(5),
        ..maker.trusted(&alice, at(1))
    };
    let outdated = NewTrusted {
        credential_version: 0,
        ..maker.trusted(&alice, at(3))
    };
    write(store, async |writer| {
        for browser in [&long, &short, &newer, &outdated] {
            writer.insert_trusted(browser).await?;
        }
        assert_eq!(writer.trim_trusted(alice.company, alice.id, 2, at(5)).await?, 2);
        let left = writer.trusted_of(alice.company, alice.id).await?;
        assert_eq!(
            left.iter().map(|row| row.id).collect::<Vec<_>>(),
            [newer.id, long.id]
        );
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn the_tokens_of_a_browser_are_found_whosever_they_are(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let company = maker.company("Beta");
    let bob = maker.account(company.id, "bob");
    let (hers, his) = (maker.trusted(&alice, at(0)), maker.trusted(&bob, at(0)));
    let outdated = NewTrusted {
        credential_version: 0,
        ..maker.trusted(&bob, at(0))
    };
    let new = maker.token();
    write(store, async |writer| {
        writer.insert_company(&company).await?;
        writer.insert_account(&bob).await?;
        for browser in [&hers, &his, &outdated] {
            writer.insert_trusted(browser).await?;
        }
        let settings = CompanySettings {
            two_factor: TwoFactorPolicy::Skip(14),
            ..company.settings.clone()
        };
        writer.set_company(company.id, 1, &settings, at(1)).await?;
        assert!(
            writer
                .rotate_trusted(bob.company, his.id, (his.token_hash, new), None, at(1))
                .await?
        );
        let cookie = [
            maker.token(),
            his.token_hash,
            outdated.token_hash,
            hers.token_hash,
        ];
        let mut found = writer.trusted_of_tokens(&cookie).await?;
        found.sort_by_key(|(row, _)| row.id != hers.id);
        let seen: Vec<_> = found
            .iter()
            .map(|(row, policy)| (row.id, row.token_hash, *policy))
            .collect();
        assert_eq!(
            seen,
            [
                (
                    hers.id,
                    hers.token_hash,
                    maker.company("Acme").settings.two_factor
                ),
                (his.id, new, TwoFactorPolicy::Skip(14)),
            ]
        );
        assert_eq!(writer.trusted_of_tokens(&[]).await?, []);
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn trust_is_listed_and_ended_one_by_one(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let bob = maker.account(alice.company, "bob");
    let company = alice.company;
    let (old, new, bobs) = (
        maker.trusted(&alice, at(0)),
        maker.trusted(&alice, at(1)),
        maker.trusted(&bob, at(0)),
    );
    write(store, async |writer| {
        writer.insert_account(&bob).await?;
        for browser in [&old, &new, &bobs] {
            writer.insert_trusted(browser).await?;
        }
        let listed = writer.trusted_of(company, alice.id).await?;
        assert_eq!(
            listed.iter().map(|row| row.id).collect::<Vec<_>>(),
            [new.id, old.id],
            "newest first"
        );
        assert_eq!(
            (listed[0].created_at, listed[0].ends_at, &listed[0].browser),
            (at(1), new.ends_at, &new.browser)
        );
        assert!(
            !writer.end_trusted(company, bob.id, new.id).await?,
            "another account's"
        );
        assert!(
            !writer.end_trusted(company, alice.id, bobs.id).await?,
            "another account's"
        );
        assert!(writer.end_trusted(company, alice.id, new.id).await?);
        assert!(!writer.end_trusted(company, alice.id, new.id).await?);
        let left = writer.trusted_of(company, alice.id).await?;
        assert_eq!(left.iter().map(|row| row.id).collect::<Vec<_>>(), [old.id]);
        assert_eq!(writer.trusted_of(company, bob.id).await?.len(), 1);
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn a_browser_is_known_to_the_account_that_used_it(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let bob = maker.account(alice.company, "bob");
    let browser = maker.bytes();
    write(store, async |writer| {
        writer.insert_account(&bob).await?;
        assert!(!writer.knows_browser(alice.company, alice.id, browser).await?);
        writer
            .remember_browser(alice.company, alice.id, browser, at(0))
            .await?;
        writer
            .remember_browser(alice.company, alice.id, browser, at(1))
            .await?;
        assert!(writer.knows_browser(alice.company, alice.id, browser).await?);
        assert!(
            !writer
                .knows_browser(alice.company, alice.id, maker.bytes())
                .await?
        );
        assert!(!writer.knows_browser(alice.company, bob.id, browser).await?);
        Ok(())
    })
    .await
    .unwrap();
}
