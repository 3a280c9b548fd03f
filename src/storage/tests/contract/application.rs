//! Applications and their secrets.

use vestibule_core::{
    account::Role,
    id::{ApplicationId, ApplicationSecretId, CompanyId},
    oidc::application::{Application, ApplicationKind, ApplicationSettings, Signing},
    secret::TokenHash,
};
use vestibule_storage::{NewApplicationSecret, Store, test_support::TestStore};

use crate::fixture::{Maker, alice, at, count, write};

/// A web application of a company, or of the installation.
pub fn application(maker: &Maker, company: Option<CompanyId>, name: &str) -> Application {
    Application {
        id: ApplicationId(maker.uuid()),
        company,
        settings: ApplicationSettings {
            name: name.into(),
            kind: ApplicationKind::Web,
            redirect_uris: vec!["https://a.test/callback".into(), "https://a.test/other".into()],
            logout_uris: Vec::new(),
            back_channel_uri: Some("https://a.test/ended".into()),
            launch_uri: None,
            roles: vec![Role::Agent, Role::Admin],
            signing: Signing::Es256,
        },
        version: 1,
        created_at: at(0),
        last_used_at: None,
    }
}

pub async fn an_application_is_read_as_it_was_written(store: &Store) {
    let maker = Maker::new();
    let company = alice(store, &maker).await.company;
    let mut own = application(&maker, Some(company), "Wallboard");
    let shared = application(&maker, None, "Dialler");
    write(store, async |writer| {
        writer.insert_application(&own).await?;
        writer.insert_application(&shared).await?;
        writer
            .insert_application(&application(&maker, Some(company), "CRM"))
            .await
    })
    .await
    .unwrap();
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.application(own.id).await, Ok(Some(own.clone())));
    assert_eq!(reader.applications_of(None).await, Ok(vec![shared.clone()]));
    let found = reader.applications_of(Some(company)).await.unwrap();
    let names: Vec<_> = found.into_iter().map(|found| found.settings.name).collect();
    assert_eq!(names, ["CRM", "Wallboard"]);
    assert_eq!(reader.count_applications(company).await, Ok(2));
    drop(reader);

    own.settings.kind = ApplicationKind::SinglePage;
    own.settings.redirect_uris.truncate(1);
    own.settings.back_channel_uri = None;
    own.settings.launch_uri = Some("https://a.test/".into());
    let (id, settings) = (own.id, own.settings.clone());
    let (other, now) = (maker.company("Other").id, at(9));
    write(store, async |writer| {
        assert!(
            !writer
                .set_application(Some(company), id, 2, &settings, now)
                .await?
        );
        assert!(!writer.set_application(Some(other), id, 1, &settings, now).await?);
        assert!(!writer.set_application(None, id, 1, &settings, now).await?);
        assert!(
            writer
                .set_application(Some(company), id, 1, &settings, now)
                .await?
        );
        assert!(
            !writer
                .set_application(Some(company), id, 1, &settings, now)
                .await?
        );
        writer.note_application_use(id, at(100), at(40)).await?;
        writer.note_application_use(id, at(130), at(70)).await?;
        let read = writer.application(id).await?.unwrap();
        assert_eq!((read.version, read.last_used_at), (2, Some(at(100))));
        assert_eq!(read.settings, settings);
        assert!(!writer.delete_application(Some(company), shared.id).await?);
        assert!(!writer.delete_application(None, id).await?);
        assert!(writer.delete_application(None, shared.id).await?);
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn secrets_of_an_application_end_one_after_the_other(store: &TestStore) {
    let maker = Maker::new();
    let company = alice(store, &maker).await.company;
    let own = application(&maker, Some(company), "Wallboard");
    let secrets = [1_u128, 2, 3].map(|number| NewApplicationSecret {
        id: ApplicationSecretId(uuid::Uuid::from_u128(number)),
        application: own.id,
        hash: TokenHash(maker.bytes()),
        created_at: at(0),
    });
    write(store, async |writer| {
        writer.insert_application(&own).await?;
        for secret in &secrets {
            writer.insert_application_secret(secret).await?;
        }
        writer.end_application_secrets(own.id, at(1000)).await?;
        writer
            .end_application_secrets_before(own.id, secrets[1].id, at(10))
            .await?;
        writer.end_application_secrets(own.id, at(2000)).await
    })
    .await
    .unwrap();
    let read = store
        .read()
        .await
        .unwrap()
        .application_secrets(own.id)
        .await
        .unwrap();
    let ends: Vec<_> = read.iter().map(|row| row.secret.expires_at).collect();
    assert_eq!(ends, [Some(at(10)), Some(at(1000)), Some(at(1000))]);
    assert_eq!(read[2].secret.hash, secrets[2].hash);

    store
        .delete_expired(at(500), std::time::Duration::ZERO)
        .await
        .unwrap();
    assert_eq!(count(store, "SELECT count(*) FROM application_secret").await, 2);
    write(store, async |writer| writer.delete_company(company).await)
        .await
        .unwrap();
    assert_eq!(count(store, "SELECT count(*) FROM application_secret").await, 0);
    assert_eq!(count(store, "SELECT count(*) FROM application").await, 0);
}
