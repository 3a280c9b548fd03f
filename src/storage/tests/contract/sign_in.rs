//! What a sign-in asks for at once.

use vestibule_core::{ports::Moment, secret::TokenHash};
use vestibule_storage::Store;

use crate::fixture::{Maker, alice, at, day, write};

pub async fn a_right_code_forgets_wrong_ones_and_no_lock(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let ids = (alice.company, alice.id);
    for locked in [false, true] {
        write(store, async |writer| {
            for _ in 0..5 {
                writer.count_wrong_code(ids.0, ids.1, 5).await?;
            }
            if locked {
                assert!(writer.lock_account(ids.0, ids.1, "wrong_codes", at(1)).await?);
            }
            let entrant = writer.entrant(ids, None, None, at(2)).await?.unwrap();
            assert!(
                entrant.account.locked_at.is_some(),
                "five counted ones are a lock"
            );
            let entrant = entrant.with_codes_forgotten();
            let wrong = if locked { 5 } else { 0 };
            assert_eq!(
                (entrant.account.locked_at.is_some(), entrant.account.wrong_codes),
                (locked, wrong)
            );
            writer.note_sign_in_by_code(ids.0, ids.1, at(2)).await?;
            let account = writer.account(ids.0, ids.1).await?.unwrap();
            assert_eq!(
                (account.locked_at.is_some(), account.wrong_codes),
                (locked, wrong)
            );
            Ok(())
        })
        .await
        .unwrap();
    }
}

pub async fn an_account_is_found_by_what_was_typed(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let company = store
        .read()
        .await
        .unwrap()
        .company(alice.company)
        .await
        .unwrap()
        .unwrap();
    let browser = TokenHash(maker.bytes());
    write(store, async |writer| {
        writer
            .remember_browser(alice.company, alice.id, browser.0, at(0))
            .await
    })
    .await
    .unwrap();
    let mut reader = store.read().await.unwrap();
    for (company_name, account, is_there) in [
        (&*company.name, "alice", true),
        (&company.name.to_uppercase(), " Alice\u{200b}", true),
        (&company.name, "ALICE@example.test", true),
        (&company.name, "bob", false),
        (&company.name, "%", false),
        ("another", "alice", false),
    ] {
        for (number, knows) in [
            (Some(browser), true),
            (Some(TokenHash(maker.bytes())), false),
            (None, false),
        ] {
            let typed = reader.typed_account(company_name, account, number).await.unwrap();
            assert_eq!(typed.is_some(), is_there, "{company_name} {account}");
            let Some(typed) = typed else { continue };
            assert_eq!((&typed.company, typed.account.id), (&company, alice.id));
            assert_eq!(typed.password.hash, alice.password_hash);
            assert_eq!(typed.knows_browser, knows);
        }
    }
}

pub async fn what_a_new_session_needs_is_read_at_once(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let (ids, source, subject) = ((alice.company, alice.id), "192.0.2.1", [7; 32]);
    let browser = TokenHash(maker.bytes());
    let entrant = async |browser: Option<TokenHash>, now: Moment| {
        let mut reader = store.read().await.unwrap();
        let entrant = reader.entrant(ids, browser, Some((source, &subject)), now).await;
        entrant.unwrap().unwrap()
    };
    let first = entrant(Some(browser), at(0)).await;
    assert_eq!(first.account.id, alice.id);
    assert_eq!(first.company.id, alice.company);
    assert_eq!(first.sessions, 0);
    assert!(!first.knows_browser && !first.browser_is_noted && !first.source_is_noted);
    write(store, async |writer| {
        writer.insert_session(&maker.session(&alice, at(0))).await?;
        writer.remember_browser(ids.0, ids.1, browser.0, at(0)).await?;
        writer.note_right_at_source(source, &subject, at(0)).await
    })
    .await
    .unwrap();
    let again = entrant(Some(browser), at(60)).await;
    assert_eq!(again.sessions, 1);
    assert!(again.knows_browser && again.browser_is_noted && again.source_is_noted);
    // A day later it is written down anew.
    let later = entrant(Some(browser), day(1)).await;
    assert!(later.knows_browser && !later.browser_is_noted && !later.source_is_noted);
    let elsewhere = entrant(None, at(60)).await;
    assert!(!elsewhere.knows_browser && elsewhere.source_is_noted);
    let mut reader = store.read().await.unwrap();
    let nobody = (alice.company, maker.account(alice.company, "bob").id);
    assert!(reader.entrant(nobody, None, None, at(0)).await.unwrap().is_none());
}
