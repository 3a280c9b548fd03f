//! Companies.

use chrono::TimeDelta;
use vestibule_core::company::{Company, CompanySettings, NewAgentMail, RequireSecondFactor, TwoFactorPolicy};
use vestibule_storage::{NewCompany, NewTrusted, Store, StoreError, Unique, test_support::TestStore};

use crate::fixture::{Maker, alice, at, day, raw, write};

pub async fn a_company_is_read_as_it_was_written(store: &Store) {
    let maker = Maker::new();
    let acme = maker.company("Müller & Söhne");
    let second = NewCompany {
        settings: CompanySettings {
            two_factor: TwoFactorPolicy::EveryLogin,
            require_second_factor: RequireSecondFactor::Off,
            password_min: 8,
            idle_minutes: None,
            ..maker.company("Acme").settings
        },
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
        enabled: true,
        version: 1,
        created_at: at(0),
        settings: CompanySettings {
            language: "de".into(),
            time_zone: "Europe/Berlin".into(),
            two_factor: TwoFactorPolicy::Skip(30),
            require_second_factor: RequireSecondFactor::Admins,
            password_min: 14,
            idle_minutes: Some(30),
            new_agent_mail: NewAgentMail::ActivationLink,
            after_sign_in: None,
        },
    };
    assert_eq!(reader.company(acme.id).await, Ok(Some(expected.clone())));
    for spelling in ["müller & söhne", " MÜLLER & SO\u{308}HNE\u{200b}"] {
        assert_eq!(
            reader.company_by_name(spelling).await,
            Ok(Some(expected.clone())),
            "{spelling}"
        );
    }
    assert_eq!(reader.company_by_name("m%").await, Ok(None));
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
        (plain.settings.two_factor, plain.settings.idle_minutes),
        (TwoFactorPolicy::EveryLogin, None)
    );
    assert_eq!(
        (plain.settings.require_second_factor, plain.settings.password_min),
        (RequireSecondFactor::Off, 8)
    );
    drop(reader);
    for password_min in [0, 7, 65, usize::MAX] {
        let bad = NewCompany {
            settings: CompanySettings {
                password_min,
                ..maker.company("Bad").settings
            },
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
        Ok(())
    })
    .await
    .unwrap();
    let mut reader = store.read().await.unwrap();
    let read = reader.company(acme.id).await.unwrap().unwrap();
    assert!(!read.enabled);
    let untouched = reader.company(other.id).await.unwrap().unwrap();
    assert!(untouched.enabled);
    drop(reader);

    write(store, async |writer| {
        assert!(writer.set_company_enabled(acme.id, true, at(2)).await?);
        assert!(writer.delete_company(other.id).await?);
        assert!(!writer.delete_company(other.id).await?);
        assert!(!writer.set_company_enabled(other.id, true, at(2)).await?);
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
        after_sign_in: None,
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
            version: 2,
            settings: settings.clone(),
            ..before
        };
        assert_eq!(writer.company(acme.id).await?, Some(expected));
        assert_eq!(writer.company(other.id).await?, others);
        assert!(!writer.set_company(acme.id, 1, &settings, at(2)).await?);
        // What an operator sets counts too.
        writer.set_company_enabled(acme.id, false, at(3)).await?;
        assert_eq!(writer.company(acme.id).await?.unwrap().version, 3);
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
            writer.set_company(acme.id, 3, &bad, at(5)).await
        })
        .await;
        assert!(matches!(refused, Err(StoreError::Other(_))), "{refused:?}");
    }
    let saved = crate::fixture::winners_of_twenty(store, async |writer| {
        writer.set_company(acme.id, 3, &settings, at(6)).await
    })
    .await;
    assert_eq!(saved, 1);
}

pub async fn what_a_policy_has_ended_stays_ended(store: &Store) {
    let maker = Maker::new();
    let (alice, other) = (alice(store, &maker).await, maker.company("Other"));
    let zoe = maker.account(other.id, "zoe");
    let company = alice.company;
    let minutes = |minutes| at(0) + TimeDelta::minutes(minutes);
    let trusted = |since: i64| NewTrusted {
        ends_at: day(since) + TimeDelta::days(90),
        ..maker.trusted(&alice, day(since))
    };
    let zoes = NewTrusted {
        ends_at: day(90),
        ..maker.trusted(&zoe, day(0))
    };
    let settings = |days, idle_minutes| CompanySettings {
        language: "en".into(),
        time_zone: "UTC".into(),
        new_agent_mail: NewAgentMail::AccountDetails,
        two_factor: TwoFactorPolicy::from_days(days).unwrap(),
        require_second_factor: RequireSecondFactor::Off,
        password_min: 12,
        idle_minutes,
        after_sign_in: None,
    };
    write(store, async |writer| {
        writer.insert_company(&other).await?;
        writer.insert_account(&zoe).await?;
        writer.set_company(company, 1, &settings(90, None), at(0)).await?;
        for trusted in [&trusted(0), &trusted(10), &zoes] {
            writer.insert_trusted(trusted).await?;
        }
        for session in [
            maker.session(&alice, minutes(0)),
            maker.session(&alice, minutes(45)),
        ] {
            writer.insert_session(&session).await?;
        }
        writer.insert_session(&maker.session(&zoe, minutes(0))).await?;
        Ok(())
    })
    .await
    .unwrap();
    let steps = [
        // A shorter policy cuts; what is over by it is over, and a longer one brings nothing back.
        (90, None, 2, vec![day(100), day(90)]),
        (14, Some(30), 1, vec![day(24), day(14)]),
        (90, Some(999), 1, vec![day(24), day(14)]),
        (60, None, 1, vec![day(24), day(14)]),
        (0, None, 1, vec![]),
        (90, None, 1, vec![]),
    ];
    for (version, (days, idle, sessions, ends)) in (2..).zip(steps) {
        write(store, async |writer| {
            let settings = settings(days, idle);
            assert!(
                writer
                    .set_company(company, version, &settings, minutes(60))
                    .await?
            );
            let rows = writer.trusted_of(company, alice.id).await?;
            assert_eq!(
                rows.iter().map(|row| row.ends_at).collect::<Vec<_>>(),
                ends,
                "{days}"
            );
            assert_eq!(
                writer.sessions_of(company, alice.id).await?.len(),
                sessions,
                "{days}"
            );
            Ok(())
        })
        .await
        .unwrap();
    }
    // What ran out under a policy is gone when the policy is lengthened, however long nobody looked.
    write(store, async |writer| {
        writer
            .set_company(company, 8, &settings(90, Some(15)), minutes(60))
            .await?;
        writer.insert_session(&maker.session(&alice, minutes(60))).await?;
        writer
            .set_company(company, 9, &settings(90, Some(999)), minutes(80))
            .await?;
        assert!(writer.sessions_of(company, alice.id).await?.is_empty());
        writer.insert_trusted(&trusted(10)).await?;
        writer
            .set_company(company, 10, &settings(14, Some(999)), at(0))
            .await?;
        let rows = writer.trusted_of(company, alice.id).await?;
        assert_eq!(rows[0].ends_at, day(24));
        // Nobody else is concerned.
        assert_eq!(writer.trusted_of(other.id, zoe.id).await?[0].ends_at, day(90));
        assert_eq!(writer.sessions_of(other.id, zoe.id).await?.len(), 1);
        Ok(())
    })
    .await
    .unwrap();
}
