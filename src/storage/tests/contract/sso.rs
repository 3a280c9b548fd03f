//! Providers, identities and browsers on their way to them.

use std::time::Duration;

use vestibule_core::{
    id::{CompanyId, PendingId},
    sso::{Identity, Provider},
};
use vestibule_storage::{
    NewSsoFlow, SsoApplicationRow, SsoClient, StoreError, Writer, test_support::TestStore,
};

use crate::fixture::{Maker, alice, at, winners_of_twenty, write};

fn application(company: CompanyId, provider: Provider) -> SsoApplicationRow {
    SsoApplicationRow {
        company,
        provider,
        version: 5,
        enabled: true,
        client: Some(SsoClient {
            id: "our-app".into(),
            sealed_secret: b"sealed".to_vec(),
        }),
        tenants: vec!["one".into(), "two".into()],
        trusted: true,
        changed_at: at(0),
    }
}

fn identity(provider: Provider, key: &str) -> Identity {
    Identity {
        provider,
        key: key.into(),
        shown: format!("{key}@gmail.test"),
    }
}

pub async fn what_a_company_says_is_saved_once_per_version(store: &TestStore) {
    let maker = Maker::new();
    let company = alice(store, &maker).await.company;
    let [google, office] = Provider::ALL.map(|provider| application(company, provider));
    write(store, async |writer| {
        assert_eq!(writer.sso_applications(company).await?, []);
        assert!(!writer.put_sso_application(&google, Some(5)).await?);
        assert!(writer.put_sso_application(&google, None).await?);
        assert!(!writer.put_sso_application(&google, None).await?);
        assert!(writer.put_sso_application(&office, None).await?);
        assert_eq!(
            writer.sso_applications(company).await?,
            [google.clone(), office.clone()]
        );
        let off = SsoApplicationRow {
            enabled: false,
            client: None,
            tenants: Vec::new(),
            trusted: false,
            ..google.clone()
        };
        assert!(writer.put_sso_application(&off, Some(5)).await?);
        assert!(!writer.put_sso_application(&off, Some(5)).await?);
        let saved = SsoApplicationRow { version: 6, ..off };
        assert_eq!(writer.sso_applications(company).await?[0], saved);

        let secrets = writer.sso_secrets_after(None, 10).await?;
        assert_eq!(secrets, [(company, Provider::Office365, b"sealed".to_vec())]);
        let after = Some((company, Provider::Office365));
        assert_eq!(writer.sso_secrets_after(after, 10).await?, []);
        let provider = Provider::Office365;
        assert!(
            !writer
                .reseal_sso_secret(company, provider, b"other", b"new")
                .await?
        );
        assert!(
            writer
                .reseal_sso_secret(company, provider, b"sealed", b"new")
                .await?
        );
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn a_provider_is_in_use_when_an_enabled_company_lets_it_in(store: &TestStore) {
    const GOOGLE: Provider = Provider::Google;
    let maker = Maker::new();
    let company = alice(store, &maker).await.company;
    write(store, async |writer| {
        let in_use = async |writer: &mut Writer| {
            let [owned, office] = writer.providers_in_use([false; 2]).await?;
            assert!(!office, "nobody has an application there");
            Ok::<_, StoreError>((owned, writer.providers_in_use([true; 2]).await?[0]))
        };
        assert_eq!(
            in_use(writer).await?,
            (false, true),
            "whoever says nothing takes the installation's"
        );
        let own = application(company, GOOGLE);
        writer.put_sso_application(&own, None).await?;
        assert_eq!(in_use(writer).await?, (true, true), "an application of its own");
        writer.set_company_enabled(company, false, at(1)).await?;
        assert_eq!(
            in_use(writer).await?,
            (false, false),
            "of a company that is disabled"
        );
        writer.set_company_enabled(company, true, at(2)).await?;
        let bare = SsoApplicationRow {
            client: None,
            ..own.clone()
        };
        writer.put_sso_application(&bare, Some(5)).await?;
        assert_eq!(
            in_use(writer).await?,
            (false, true),
            "the installation's, under conditions"
        );
        let off = SsoApplicationRow {
            enabled: false,
            ..own
        };
        writer.put_sso_application(&off, Some(6)).await?;
        assert_eq!(in_use(writer).await?, (false, false), "switched off");
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn an_identity_is_one_accounts_and_an_account_has_one_of_each_provider(store: &TestStore) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let bob = maker.account(alice.company, "bob");
    let globex = maker.company("Globex");
    let gus = maker.account(globex.id, "gus");
    let (google, other) = (identity(Provider::Google, "1"), identity(Provider::Google, "2"));
    let office = identity(Provider::Office365, "1");
    write(store, async |writer| {
        writer.insert_account(&bob).await?;
        writer.insert_company(&globex).await?;
        writer.insert_account(&gus).await?;
        assert!(
            writer
                .link_identity(alice.company, alice.id, &google, at(0))
                .await?
        );
        assert!(
            !writer.link_identity(bob.company, bob.id, &google, at(1)).await?,
            "it is alice's"
        );
        assert!(
            !writer
                .link_identity(alice.company, alice.id, &other, at(1))
                .await?,
            "she has one"
        );
        assert!(
            writer
                .link_identity(alice.company, alice.id, &office, at(1))
                .await?
        );
        assert!(writer.link_identity(gus.company, gus.id, &google, at(1)).await?);
        let linked = writer.identities_of(alice.company, alice.id).await?;
        let shown: Vec<_> = linked
            .iter()
            .map(|linked| (&linked.identity, linked.linked_at))
            .collect();
        assert_eq!(shown, [(&google, at(0)), (&office, at(1))]);
        let mut accounts = writer.accounts_of_identity(Provider::Google, "1").await?;
        accounts.sort_unstable();
        let mut expected = vec![(alice.company, alice.id), (gus.company, gus.id)];
        expected.sort_unstable();
        assert_eq!(accounts, expected);
        assert_eq!(writer.accounts_of_identity(Provider::Office365, "2").await?, []);
        let only = async |writer: &mut Writer| {
            writer
                .identities_without_password(alice.company, Provider::Google)
                .await
        };
        assert_eq!(only(writer).await?, [], "she has a password");
        assert!(writer.remove_password(alice.company, alice.id, at(2)).await?);
        assert_eq!(only(writer).await?, std::slice::from_ref(&google));
        let read = writer.account(alice.company, alice.id).await?.unwrap();
        assert!(!read.has_password && !read.password_must_change);

        assert!(
            !writer
                .unlink_identity(gus.company, alice.id, Provider::Google)
                .await?
        );
        assert!(
            writer
                .unlink_identity(alice.company, alice.id, Provider::Google)
                .await?
        );
        assert!(
            !writer
                .unlink_identity(alice.company, alice.id, Provider::Google)
                .await?
        );
        assert!(
            writer.link_identity(bob.company, bob.id, &google, at(2)).await?,
            "it is free now"
        );
        writer.delete_account(bob.company, bob.id).await?;
        let accounts = writer.accounts_of_identity(Provider::Google, "1").await?;
        assert_eq!(accounts, [(gus.company, gus.id)]);
        Ok(())
    })
    .await
    .unwrap();
    let won = winners_of_twenty(store, async |writer| {
        writer.link_identity(alice.company, alice.id, &other, at(3)).await
    })
    .await;
    assert_eq!(won, 1);
}

pub async fn a_browser_comes_back_once_and_its_flow_ends_once(store: &TestStore) {
    let maker = Maker::new();
    let flow = maker.sso_flow(at(0));
    let won = winners_of_twenty(store, async |writer| {
        let id = maker.sso_flow(at(0)).id;
        writer.insert_sso_flow(&NewSsoFlow { id, ..flow.clone() }).await
    })
    .await;
    assert_eq!(won, 1);
    let mut reader = store.read().await.unwrap();
    let id = reader
        .sso_flow_by_token(flow.token_hash)
        .await
        .unwrap()
        .unwrap()
        .id;
    drop(reader);
    let identity = Identity {
        provider: Provider::Google,
        key: "1".into(),
        shown: "1@gmail.test".into(),
    };
    write(store, async |writer| {
        assert_eq!(writer.sso_flow_by_token(maker.token()).await?, None);
        let back = writer.sso_flow_by_token(flow.token_hash).await?.unwrap();
        assert_eq!((back.answered_at, &back.sealed), (None, &flow.sealed));
        assert_eq!(back.identity, None, "nobody has said yet who it is");
        assert!(!writer.set_sso_flow_pending(id, PendingId(id.0)).await?);
        assert!(!writer.end_sso_flow(id).await?);
        Ok(())
    })
    .await
    .unwrap();
    let answered = winners_of_twenty(store, async |writer| {
        writer.answer_sso_flow(id, &identity, at(1)).await
    })
    .await;
    assert_eq!(answered, 1);
    write(store, async |writer| {
        let back = writer.sso_flow_by_token(flow.token_hash).await?.unwrap();
        assert_eq!(back.answered_at, Some(at(1)));
        let came = Some(identity.clone());
        assert_eq!((back.next.as_deref(), &back.identity), (Some("/agent"), &came));
        let pending = PendingId(id.0);
        assert!(writer.set_sso_flow_pending(id, pending).await?);
        let back = writer.sso_flow_of_pending(pending).await?.unwrap();
        assert_eq!((back.identity, back.pending), (came, Some(pending)));
        Ok(())
    })
    .await
    .unwrap();
    let ended = winners_of_twenty(store, async |writer| writer.end_sso_flow(id).await).await;
    assert_eq!(ended, 1);
    write(store, async |writer| {
        let pending = PendingId(id.0);
        assert!(!writer.set_sso_flow_pending(id, pending).await?, "it is over");
        assert_eq!(writer.sso_flow_of_pending(pending).await?, None);
        assert!(!writer.end_sso_flow(maker.sso_flow(at(0)).id).await?);
        let over = writer.sso_flow_by_token(flow.token_hash).await?.unwrap();
        assert_eq!(over.identity, None);
        assert!(!writer.answer_sso_flow(id, &identity, at(2)).await?);
        assert!(
            !writer.insert_sso_flow(&flow).await?,
            "and stays over while it could be answered"
        );
        Ok(())
    })
    .await
    .unwrap();
    assert_eq!(store.delete_expired(at(599), Duration::ZERO).await, Ok(0));
    assert_eq!(store.delete_expired(at(600), Duration::ZERO).await, Ok(1));
}
