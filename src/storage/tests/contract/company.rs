//! Companies.

use vestibule_core::company::{Company, NewAgentMail, RequireSecondFactor, TwoFactorPolicy};
use vestibule_storage::{CompanySettings, NewCompany, Store, StoreError, Unique, test_support::TestStore};

use crate::fixture::{Maker, at, raw, write};

pub async fn a_company_is_read_as_it_was_written(store: &Store) {
    let maker = Maker::new();
    let acme = maker.company("Müller & Söhne");
    let second = NewCompany {
        two_factor: TwoFactorPolicy::EveryLogin,
        require_second_factor: RequireSecondFactor::Off,
        password_min: 8,
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
        require_second_factor: RequireSecondFactor::Admins,
        password_min: 14,
        idle_minutes: Some(30),
        new_agent_mail: NewAgentMail::ActivationLink,
        version: 1,
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
    assert_eq!(
        (plain.require_second_factor, plain.password_min),
        (RequireSecondFactor::Off, 8)
    );
    drop(reader);
    for password_min in [0, 7, 65, usize::MAX] {
        let bad = NewCompany {
            password_min,
            ..maker.company("Bad")
        };
        let refused = write(store, async |writer| writer.insert_company(&bad).await).await;
        assert!(matches!(refused, Err(StoreError::Other(_))), "{refused:?}");
    }
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
        assert!(
            writer
                .set_require_second_factor(acme.id, RequireSecondFactor::Everyone, at(1))
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
    assert_eq!(read.require_second_factor, RequireSecondFactor::Everyone);
    let untouched = reader.company(other.id).await.unwrap().unwrap();
    assert!(untouched.enabled && untouched.two_factor == TwoFactorPolicy::Skip(30));
    assert_eq!(untouched.require_second_factor, RequireSecondFactor::Admins);
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
        assert!(
            !writer
                .set_require_second_factor(other.id, RequireSecondFactor::Off, at(2))
                .await?
        );
        assert!(writer.company(acme.id).await?.unwrap().enabled);
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn an_unknown_policy_is_not_guessed(store: &TestStore) {
    let maker = Maker::new();
    let acme = maker.company("Acme");
    write(store, async |writer| writer.insert_company(&acme).await)
        .await
        .unwrap();
    for (breaking, mending, column) in [
        (
            "UPDATE company SET require_second_factor = 'nobody'",
            "UPDATE company SET require_second_factor = 'off'",
            "require_second_factor",
        ),
        (
            "UPDATE company SET password_min_length = 7",
            "UPDATE company SET password_min_length = 8",
            "password_min_length",
        ),
    ] {
        raw(store, breaking).await;
        let read = store.read().await.unwrap().company(acme.id).await;
        let table = "company";
        assert_eq!(read, Err(StoreError::Corrupt { table, column }));
        raw(store, mending).await;
        let read = store.read().await.unwrap().company(acme.id).await;
        assert!(read.unwrap().is_some());
    }
}

pub async fn settings_are_saved_once_per_version(store: &Store) {
    let maker = Maker::new();
    let (acme, other) = (maker.company("Acme"), maker.company("Other"));
    let settings = CompanySettings {
        language: "fr".into(),
        time_zone: "Asia/Tokyo".into(),
        new_agent_mail: NewAgentMail::AccountDetails,
        two_factor: TwoFactorPolicy::EveryLogin,
        require_second_factor: RequireSecondFactor::Everyone,
        password_min: 20,
        idle_minutes: None,
    };
    write(store, async |writer| {
        writer.insert_company(&acme).await?;
        writer.insert_company(&other).await?;
        let (before, others) = (
            writer.company(acme.id).await?.unwrap(),
            writer.company(other.id).await?,
        );
        assert!(writer.set_company(acme.id, 1, &settings, at(1)).await?);
        let expected = Company {
            language: "fr".into(),
            time_zone: "Asia/Tokyo".into(),
            new_agent_mail: NewAgentMail::AccountDetails,
            two_factor: TwoFactorPolicy::EveryLogin,
            require_second_factor: RequireSecondFactor::Everyone,
            password_min: 20,
            idle_minutes: None,
            version: 2,
            ..before
        };
        assert_eq!(writer.company(acme.id).await?, Some(expected));
        assert_eq!(writer.company(other.id).await?, others);
        assert!(!writer.set_company(acme.id, 1, &settings, at(2)).await?);
        // What an operator sets counts too.
        writer.set_company_enabled(acme.id, false, at(3)).await?;
        writer
            .set_two_factor_policy(acme.id, TwoFactorPolicy::Skip(14), at(3))
            .await?;
        writer
            .set_require_second_factor(acme.id, RequireSecondFactor::Off, at(3))
            .await?;
        assert_eq!(writer.company(acme.id).await?.unwrap().version, 5);
        assert!(!writer.set_company(acme.id, 2, &settings, at(4)).await?);
        Ok(())
    })
    .await
    .unwrap();
    for password_min in [0, 7, 65] {
        let bad = CompanySettings {
            password_min,
            ..settings.clone()
        };
        let refused = write(store, async |writer| {
            writer.set_company(acme.id, 5, &bad, at(5)).await
        })
        .await;
        assert!(matches!(refused, Err(StoreError::Other(_))), "{refused:?}");
    }
    let saved = crate::fixture::winners_of_twenty(store, async |writer| {
        writer.set_company(acme.id, 5, &settings, at(6)).await
    })
    .await;
    assert_eq!(saved, 1);
}
