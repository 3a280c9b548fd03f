//! Names that were written by older rules of comparing.

use futures::future::join_all;
use vestibule_core::name::EmailAddress;
use vestibule_storage::{
    NewAccount, NewCompany, Reader, Store, StoreError, Twins, Unique, test_support::TestStore,
};

use crate::fixture::{Maker, raw, write};

/// The spellings of an address by older rules and by another keyboard.
const ADDRESSES: [&str; 2] = ["anna@bücher.test", "anna@xn--bcher-kva.test"];

fn account_of(maker: &Maker, company: &NewCompany, name: &str, email: &str) -> NewAccount {
    NewAccount {
        email: EmailAddress::parse(email).unwrap(),
        ..maker.account(company.id, name)
    }
}

async fn company_found(reader: &mut Reader, typed: &str) -> Option<String> {
    let found = reader.company_by_name(typed).await.unwrap();
    found.map(|company| company.name)
}

pub async fn names_from_before_are_found_by_every_spelling(store: &TestStore) {
    let maker = Maker::new();
    let (weiss, acme) = (maker.company("Weiß AG"), maker.company("Acme"));
    let anna = account_of(&maker, &acme, "anna", ADDRESSES[0]);
    write(store, async |writer| {
        writer.insert_company(&weiss).await?;
        writer.insert_company(&acme).await?;
        writer.insert_account(&anna).await
    })
    .await
    .unwrap();
    raw(
        store,
        "UPDATE company SET name_key = 'weiß ag' WHERE name = 'Weiß AG';
         UPDATE account SET email_key = 'anna@bücher.test'; DELETE FROM folding",
    )
    .await;
    let mut reader = store.read().await.unwrap();
    assert_eq!(
        company_found(&mut reader, "Weiß ag").await.as_deref(),
        Some("Weiß AG")
    );
    assert_eq!(company_found(&mut reader, "WEISS AG").await, None, "not yet");
    drop(reader);
    // Servers that start together.
    let nodes = [store.second().await, store.second().await];
    for folded in join_all(nodes.iter().map(Store::fold_names)).await {
        assert_eq!(folded, Ok(vec![]));
    }
    let mut reader = store.read().await.unwrap();
    for typed in ["Weiß AG", "weiss ag", "WEIẞ AG"] {
        assert_eq!(
            company_found(&mut reader, typed).await.as_deref(),
            Some("Weiß AG"),
            "{typed}"
        );
    }
    for typed in ADDRESSES {
        let found = reader.account_by_sign_in(acme.id, typed, typed).await.unwrap();
        assert_eq!(found.map(|(account, _)| account.id), Some(anna.id), "{typed}");
    }
    drop(reader);
    // Once is enough: a start does not look at every account again.
    raw(
        store,
        "UPDATE company SET name_key = 'weiß ag' WHERE name = 'Weiß AG'",
    )
    .await;
    assert_eq!(store.migrate().await, Ok(()));
    let mut reader = store.read().await.unwrap();
    assert_eq!(company_found(&mut reader, "WEISS AG").await, None);
}

pub async fn twins_are_told_and_both_work_on(store: &TestStore) {
    let maker = Maker::new();
    let (old, new) = (maker.company("Weiß"), maker.company("WEISS"));
    let anna = account_of(&maker, &old, "anna", ADDRESSES[0]);
    let bea = account_of(&maker, &old, "bea", ADDRESSES[1]);
    write(store, async |writer| {
        writer.insert_company(&old).await?;
        writer.insert_account(&anna).await
    })
    .await
    .unwrap();
    raw(
        store,
        "UPDATE company SET name_key = 'weiß'; UPDATE account SET email_key = 'anna@bücher.test'; DELETE FROM folding",
    )
    .await;
    write(store, async |writer| {
        writer.insert_company(&new).await?;
        writer.insert_account(&bea).await
    })
    .await
    .unwrap();

    let companies = Twins::Companies {
        found: "WEISS".into(),
        other: "Weiß".into(),
    };
    let accounts = Twins::Accounts {
        company: "Weiß".into(),
        found: "bea".into(),
        other: "anna".into(),
    };
    for twins in [&companies, &accounts] {
        let sentence = twins.to_string();
        let names = ["Weiß", "WEISS", "anna", "bea"].map(|name| sentence.contains(&format!("{name:?}")));
        assert!(names.iter().filter(|named| **named).count() >= 2, "{sentence}");
    }
    assert_eq!(
        store.migrate().await,
        Ok(()),
        "twins do not keep a server from starting"
    );
    for _ in 0..2 {
        let told = store.fold_names().await.unwrap();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told.contains(&companies) && told.contains(&accounts), "{told:?}");
    }
    let mut reader = store.read().await.unwrap();
    for (typed, name) in [
        ("weiß", "Weiß"),
        ("WEIẞ", "Weiß"),
        ("WEISS", "WEISS"),
        ("weiss", "WEISS"),
    ] {
        assert_eq!(
            company_found(&mut reader, typed).await.as_deref(),
            Some(name),
            "{typed}"
        );
    }
    for (typed, account) in ADDRESSES.into_iter().zip([&anna, &bea]) {
        let found = reader.account_by_sign_in(old.id, typed, typed).await.unwrap();
        assert_eq!(found.map(|(account, _)| account.id), Some(account.id), "{typed}");
    }
    drop(reader);

    raw(store, "DELETE FROM company WHERE name = 'WEISS'").await;
    assert_eq!(store.fold_names().await, Ok(vec![accounts]));
    let mut reader = store.read().await.unwrap();
    assert_eq!(company_found(&mut reader, "WEISS").await.as_deref(), Some("Weiß"));
}

pub async fn a_name_is_taken_in_every_spelling(store: &Store) {
    let maker = Maker::new();
    let acme = maker.company("Straßenbau Weiß");
    write(store, async |writer| {
        writer.insert_company(&acme).await?;
        writer
            .insert_account(&account_of(&maker, &acme, "anna", ADDRESSES[0]))
            .await
    })
    .await
    .unwrap();
    let twin = maker.company("STRASSENBAU WEISS");
    let refused = write(store, async |writer| writer.insert_company(&twin).await).await;
    assert_eq!(refused, Err(StoreError::Conflict(Unique::CompanyName)));
    let twin = account_of(&maker, &acme, "bea", ADDRESSES[1]);
    let refused = write(store, async |writer| writer.insert_account(&twin).await).await;
    assert_eq!(refused, Err(StoreError::Conflict(Unique::Email)));
}
