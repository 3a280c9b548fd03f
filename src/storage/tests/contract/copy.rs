//! A whole installation from one kind of database into the other.

use std::path::Path;

use tokio::sync::Notify;
use vestibule_core::{audit::Actor, id::CompanyId};
use vestibule_storage::{
    Store, StoreOptions,
    backup::BackupError,
    copy::{CopyError, End, Step, copy},
    test_support::{TestStore, until},
};

use crate::fixture::{Maker, alice, at, count, entry, mail_server, raw, write};

/// More than are written at once.
const EVENTS: i64 = 1_234;

fn file(folder: &Path, name: &str) -> String {
    format!("sqlite://{}", folder.join(name).display())
}

/// Copies as soon as nobody uses the two any more: connections that were closed a moment ago may still be there.
async fn alone(from: &str, to: &str, tell: &mut impl FnMut(Step)) -> Result<u64, CopyError> {
    until(async || match copy(from, to, at(0), &mut *tell).await {
        Err(CopyError::Served(_)) => None,
        other => Some(other),
    })
    .await
}

/// The same without a word.
async fn quietly(from: &TestStore, to: &TestStore) -> Result<u64, CopyError> {
    alone(from.url(), to.url(), &mut |_| {}).await
}

/// A database with rows of all sorts, which nobody has open.
async fn filled(seed: u64) -> (TestStore, CompanyId) {
    let store = TestStore::sqlite().await;
    let maker = Maker::seeded(seed);
    let alice = alice(&store, &maker).await;
    write(&store, async |writer| {
        writer.note_key(1, &maker.bytes(), at(0)).await?;
        let pending = maker.pending(&alice, at(0));
        writer.insert_session(&maker.session(&alice, at(0))).await?;
        writer.insert_pending(&pending).await?;
        writer.insert_trusted(&maker.trusted(&alice, at(0))).await?;
        writer.put_link(&maker.link(&alice, at(0))).await?;
        writer.insert_import(&maker.import(&alice, 700, at(0))).await?;
        writer
            .insert_mail(&maker.mail(&alice, Some(&pending), at(0)))
            .await?;
        writer.put_mail_server(&mail_server(alice.company), None).await?;
        writer
            .set_app_secret(alice.company, alice.id, b"sealed", 7, at(0))
            .await?;
        for second in 0..EVENTS {
            let new = entry(Some(alice.company), Actor::Account(alice.id));
            writer
                .insert_event(maker.event_id_at(at(second)), at(second), &new)
                .await?;
        }
        Ok(())
    })
    .await
    .unwrap();
    raw(
        &store,
        "INSERT INTO application (id, company_id, version, name, kind, redirect_uris, logout_uris, roles, signing, \
            created_at, changed_at) SELECT X'0102030405060708090a0b0c0d0e0f10', id, 1, 'Wall', 'web', '', '', '', 'RS256', \
            created_at, created_at FROM company; \
         UPDATE company SET after_sign_in = X'0102030405060708090a0b0c0d0e0f10'; \
         INSERT INTO source_right (source, subject, seen_at) SELECT '192.0.2.' || n.value, zeroblob(32), created_at FROM company, \
            (SELECT 10 AS value UNION SELECT 9 UNION SELECT 100) n; \
         INSERT INTO source_right (source, subject, seen_at) SELECT '2001:DB8::', zeroblob(32), created_at FROM company",
    )
    .await;
    store.close().await;
    (store, alice.company)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_arrives_and_comes_back() {
    let (source, company) = filled(1).await;
    let Some(target) = TestStore::postgres().await else {
        return;
    };
    target.close().await;
    let mut compared = 0;
    let rows = alone(source.url(), target.url(), &mut |step| {
        compared += usize::from(matches!(step, Step::Compared { .. }));
    })
    .await
    .unwrap();
    assert_eq!(compared, 47);
    assert!(rows > EVENTS.unsigned_abs() + 700, "{rows}");
    assert_eq!(count(&target, "SELECT COUNT(*) FROM audit_event").await, EVENTS);
    assert_eq!(
        count(
            &target,
            "SELECT COUNT(*) FROM company c JOIN application a ON a.id = c.after_sign_in WHERE a.company_id = c.id"
        )
        .await,
        1
    );
    let served = target.second().await;
    assert_eq!(served.migrations_pending().await, Ok(0));
    let accounts = served.read().await.unwrap().accounts(company).await.unwrap();
    assert_eq!(accounts.len(), 1);
    let twice = copy(source.url(), target.url(), at(0), |_| {}).await;
    assert!(
        matches!(twice, Err(CopyError::Served(End::Target))),
        "{twice:?}: it is served"
    );
    let folder = tempfile::tempdir().unwrap();
    let back = file(folder.path(), "back.db");
    let taken = copy(target.url(), &back, at(0), |_| {}).await;
    assert!(matches!(taken, Err(CopyError::Served(End::Source))), "{taken:?}");
    served.close().await;

    let twice = quietly(&source, &target).await;
    assert!(
        matches!(twice, Err(CopyError::NotEmpty("key_check"))),
        "{twice:?}: it holds an installation"
    );
    let returned = alone(target.url(), &back, &mut |_| {}).await;
    assert_eq!(returned.unwrap(), rows);
    let store = Store::open(&back, StoreOptions::default()).await.unwrap();
    let events = store.read().await.unwrap().events(Some(company), 5_000).await;
    assert_eq!(i64::try_from(events.unwrap().len()), Ok(EVENTS));
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_was_cut_off_goes_on_and_is_nobodys_until_it_is_whole() {
    let (source, company) = filled(1).await;
    let Some(target) = TestStore::postgres().await else {
        return;
    };
    target.close().await;
    until(async || {
        let open = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
            AND application_name = 'vestibule'";
        (count(&target, open).await == 0).then_some(())
    })
    .await;
    let enough = Notify::new();
    tokio::select! {
        biased;
        () = enough.notified() => {}
        _ = copy(source.url(), target.url(), at(0), |step| {
            if matches!(step, Step::Copied { table: "audit_event", rows: 500, .. }) {
                enough.notify_one();
            }
        }) => {}
    }
    let half = count(&target, "SELECT COUNT(*) FROM audit_event").await;
    assert!((500..EVENTS).contains(&half), "{half}");
    let refused = target.second().await.migrate().await.unwrap_err().to_string();
    assert!(refused.contains("was cut off"), "{refused}");

    // What belongs to another installation is not completed.
    let (other, _) = filled(2).await;
    let refused = quietly(&other, &target).await;
    assert!(matches!(refused, Err(CopyError::OtherCopy)), "{refused:?}");

    // Nor is one whose source has changed in between.
    raw(&source, "UPDATE account SET phone = '+49 30 1'").await;
    let refused = quietly(&source, &target).await;
    assert!(
        matches!(refused, Err(CopyError::Differs { table: "account", .. })),
        "{refused:?}"
    );
    raw(&source, "UPDATE account SET phone = ''").await;
    quietly(&source, &target).await.unwrap();
    assert_eq!(count(&target, "SELECT COUNT(*) FROM audit_event").await, EVENTS);
    let served = target.second().await;
    served.migrate().await.unwrap();
    let accounts = served.read().await.unwrap().accounts(company).await.unwrap();
    assert_eq!(accounts.len(), 1);
    served.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_copied_is_refused_and_stays_as_it_is() {
    let (source, company) = filled(1).await;
    let Some(target) = TestStore::postgres().await else {
        return;
    };
    target.close().await;
    let same = copy(source.url(), "sqlite:///nowhere/x.db", at(0), |_| {}).await;
    assert!(matches!(same, Err(CopyError::SameKind)), "{same:?}");

    let serving = source.second().await;
    let served = copy(source.url(), target.url(), at(0), |_| {}).await;
    assert!(
        matches!(served, Err(CopyError::Served(End::Source))),
        "{served:?}"
    );
    let accounts = serving.read().await.unwrap().accounts(company).await.unwrap();
    assert_eq!(accounts.len(), 1, "whoever serves it goes on");
    serving.close().await;

    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'later', TRUE, '', 0)";
    raw(&target, newer).await;
    let refused = quietly(&source, &target).await.unwrap_err();
    assert!(refused.to_string().contains("newer Vestibule"), "{refused}");
    raw(&target, "DELETE FROM _sqlx_migrations WHERE version = 9999").await;

    raw(
        &source,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'later', TRUE, x'00', 0)",
    )
    .await;
    let refused = quietly(&source, &target).await;
    assert!(
        matches!(refused, Err(CopyError::File(BackupError::Newer(_)))),
        "{refused:?}"
    );
    raw(&source, "DELETE FROM _sqlx_migrations WHERE version = 9999").await;

    raw(
        &source,
        "DELETE FROM _sqlx_migrations WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)",
    )
    .await;
    let refused = quietly(&source, &target).await;
    assert!(
        matches!(refused, Err(CopyError::Older(End::Source))),
        "{refused:?}"
    );

    let (source, _) = filled(1).await;
    raw(
        &target,
        "INSERT INTO key_check (version, fingerprint, first_used_at) VALUES (1, decode(repeat('ab', 32), 'hex'), CURRENT_TIMESTAMP)",
    )
    .await;
    let refused = quietly(&source, &target).await;
    assert!(matches!(refused, Err(CopyError::OtherKeys(1))), "{refused:?}");
    assert_eq!(count(&target, "SELECT COUNT(*) FROM company").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_something_else_is_left_alone() {
    let (source, _) = filled(1).await;
    let Some(target) = TestStore::postgres().await else {
        return;
    };
    target.close().await;
    raw(
        &target,
        "DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE thing (id BIGINT)",
    )
    .await;
    let refused = quietly(&source, &target).await;
    assert!(
        matches!(refused, Err(CopyError::Foreign(End::Target))),
        "{refused:?}"
    );
    assert_eq!(
        count(
            &target,
            "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'"
        )
        .await,
        1
    );
}
