//! Companies.

use vestibule_core::company::{Company, TwoFactorPolicy};
use vestibule_storage::{NewCompany, Store, StoreError, Unique};

use crate::fixture::{Maker, at, write};

pub async fn a_company_is_read_as_it_was_written(store: &Store) {
    let maker = Maker::new();
    let acme = maker.company("Müller & Söhne");
    let second = NewCompany {
        two_factor: TwoFactorPolicy::EveryLogin,
        idle_minutes: None,
        ..maker.company("Acme")
    };
    write(store, async |writer| {
        writer.insert_company(&acme).await?;
        writer.insert_company(&second).await
    })
    .await
    .unwrap();

    let mut reader = store.read().await.unwrap();
    let expected = Company {
        id: acme.id,
        name: "Müller & Söhne".into(),
        language: "de".into(),
        time_zone: "Europe/Berlin".into(),
        enabled: true,
        two_factor: TwoFactorPolicy::Skip(30),
        idle_minutes: Some(30),
        created_at: at(0),
    };
    assert_eq!(reader.company(acme.id).await, Ok(Some(expected.clone())));
    assert_eq!(reader.company_by_key("müller & söhne").await, Ok(Some(expected)));
    assert_eq!(
        reader.company_by_key("Müller & Söhne").await,
        Ok(None),
        "only the key is compared"
    );
    assert_eq!(reader.company_by_key("m%").await, Ok(None));
    let names: Vec<_> = reader
        .companies()
        .await
        .unwrap()
        .into_iter()
        .map(|company| company.name)
        .collect();
    assert_eq!(names, ["Acme", "Müller & Söhne"]);
    let plain = reader.company(second.id).await.unwrap().unwrap();
    assert_eq!(
        (plain.two_factor, plain.idle_minutes),
        (TwoFactorPolicy::EveryLogin, None)
    );
}

pub async fn company_names_are_unique(store: &Store) {
    let maker = Maker::new();
    write(store, async |writer| {
        writer.insert_company(&maker.company("Acme")).await
    })
    .await
    .unwrap();
    let refused = write(store, async |writer| {
        writer.insert_company(&maker.company("ＡＣＭＥ")).await
    })
    .await;
    assert_eq!(refused, Err(StoreError::Conflict(Unique::CompanyName)));
}

pub async fn switches_are_kept(store: &Store) {
    let maker = Maker::new();
    let acme = maker.company("Acme");
    let other = maker.company("Other");
    write(store, async |writer| {
        writer.insert_company(&acme).await?;
        writer.insert_company(&other).await?;
        assert!(writer.set_company_enabled(acme.id, false, at(1)).await?);
        assert!(
            writer
                .set_two_factor_policy(acme.id, TwoFactorPolicy::Skip(90), at(1))
                .await?
        );
        Ok(())
    })
    .await
    .unwrap();
    let mut reader = store.read().await.unwrap();
    let read = reader.company(acme.id).await.unwrap().unwrap();
    assert!(!read.enabled);
    assert_eq!(read.two_factor, TwoFactorPolicy::Skip(90));
    let untouched = reader.company(other.id).await.unwrap().unwrap();
    assert!(untouched.enabled && untouched.two_factor == TwoFactorPolicy::Skip(30));
    drop(reader);

    write(store, async |writer| {
        assert!(writer.set_company_enabled(acme.id, true, at(2)).await?);
        assert!(writer.delete_company(other.id).await?);
        assert!(!writer.delete_company(other.id).await?);
        assert!(!writer.set_company_enabled(other.id, true, at(2)).await?);
        assert!(
            !writer
                .set_two_factor_policy(other.id, TwoFactorPolicy::EveryLogin, at(2))
                .await?
        );
        assert!(writer.company(acme.id).await?.unwrap().enabled);
        Ok(())
    })
    .await
    .unwrap();
}
