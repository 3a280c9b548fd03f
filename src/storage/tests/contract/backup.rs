//! Copies of a database, and what may not come back to life with them.

use std::path::PathBuf;

use vestibule_storage::{
    Store, StoreOptions,
    backup::{self, BackupError, Restore},
    test_support::TestStore,
};

use crate::fixture::{Maker, alice, at, count, write};

pub async fn what_an_old_copy_would_revive_ends(store: &TestStore) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let (company, id) = (alice.company, alice.id);
    write(store, async |writer| {
        writer.insert_session(&maker.session(&alice, at(0))).await?;
        writer.insert_pending(&maker.pending(&alice, at(0))).await?;
        writer.insert_trusted(&maker.trusted(&alice, at(0))).await?;
        writer.set_app_secret(company, id, b"sealed", 7, at(0)).await
    })
    .await
    .unwrap();
    for (step, expected) in [(5, 7), (60, 60)] {
        write(store, async |writer| writer.end_what_was_revived(step).await)
            .await
            .unwrap();
        let app = store.read().await.unwrap().app_of(company, id).await.unwrap();
        assert_eq!(app.map(|app| app.step), Some(expected));
    }
    for table in [
        "SELECT count(*) FROM session",
        "SELECT count(*) FROM pending_sign_in",
        "SELECT count(*) FROM trusted_browser",
    ] {
        assert_eq!(count(store, table).await, 0, "{table}");
    }
    assert_eq!(count(store, "SELECT count(*) FROM account").await, 1);
}

async fn open(path: &std::path::Path) -> Store {
    let url = format!("sqlite://{}", path.display());
    Store::open(&url, StoreOptions::default()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_is_whole_and_takes_the_place_of_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let (live, copy) = (folder.path().join("live.db"), folder.path().join("copy.db"));
    let store = open(&live).await;
    store.migrate().await.unwrap();
    let maker = Maker::new();
    let alice = alice(&store, &maker).await;
    // While somebody writes.
    let writing = store.write().await.unwrap();
    drop(writing);
    assert!(store.back_up(&copy).await.unwrap() > 0);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&copy).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert!(matches!(
        store.back_up(&copy).await,
        Err(BackupError::Exists(path)) if path == copy
    ));
    let bob = maker.account(alice.company, "bob");
    write(&store, async |writer| writer.insert_account(&bob).await)
        .await
        .unwrap();

    let served = Restore::begin(&copy, &live).await.err();
    assert!(matches!(served, Some(BackupError::Served(_))), "{served:?}");
    store.close().await;

    let restore = Restore::begin(&copy, &live).await.unwrap();
    assert!(restore.part().is_file());
    let kept = restore.finish(at(0)).await.unwrap();
    assert_eq!(
        kept,
        Some(PathBuf::from(format!("{}.20270115T080000Z", live.display())))
    );
    let names = async |path: &std::path::Path| {
        let store = open(path).await;
        let accounts = store.read().await.unwrap().accounts(alice.company).await.unwrap();
        store.close().await;
        accounts
            .into_iter()
            .map(|account| account.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&live).await, ["alice"]);
    assert_eq!(names(&kept.unwrap()).await, ["alice", "bob"]);
    let mut left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".part"))
        .collect();
    left.sort();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_copy_is_refused_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let live = folder.path().join("live.db");
    let store = open(&live).await;
    store.migrate().await.unwrap();
    store.close().await;
    let before = std::fs::read(&live).unwrap();
    let file = |name: &str| folder.path().join(name);
    let raw = async |path: &std::path::Path, sql: &'static str| {
        use sqlx::Connection as _;
        let url = format!("sqlite://{}?mode=rwc", path.display());
        let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    };
    std::fs::write(
        file("text"),
        "no database at all, but long enough to be read as one".repeat(40),
    )
    .unwrap();
    raw(&file("foreign"), "CREATE TABLE thing (id INTEGER)").await;
    std::fs::copy(&live, file("newer")).unwrap();
    raw(
        &file("newer"),
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'later', TRUE, x'00', 0)",
    )
    .await;
    let mut torn = before.clone();
    torn.truncate(torn.len() / 2);
    std::fs::write(file("torn"), torn).unwrap();

    for (name, expected) in [
        ("missing", "No such file"),
        ("text", "damaged, or no database"),
        ("foreign", "is no database of Vestibule"),
        ("newer", "was written by a newer version"),
        ("torn", "damaged, or no database"),
    ] {
        let refused = Restore::begin(&file(name), &live)
            .await
            .err()
            .unwrap()
            .to_string();
        assert!(
            refused.contains(expected) && refused.contains(name),
            "{name}: {refused}"
        );
        assert_eq!(std::fs::read(&live).unwrap(), before, "{name}");
    }
    assert!(backup::check(&live).await.is_ok());
    assert!(!file("live.db.part").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_was_made_by_hand_is_read_with_the_files_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let store = open(&file("live.db")).await;
    store.migrate().await.unwrap();
    let alice = alice(&store, &Maker::new()).await;
    for ending in ["", "-wal"] {
        std::fs::copy(
            file(&format!("live.db{ending}")),
            file(&format!("copy.db{ending}")),
        )
        .unwrap();
    }
    store.close().await;
    let restore = Restore::begin(&file("copy.db"), &file("new.db")).await.unwrap();
    assert_eq!(restore.finish(at(0)).await.unwrap(), None);
    let restored = open(&file("new.db")).await;
    let accounts = restored
        .read()
        .await
        .unwrap()
        .accounts(alice.company)
        .await
        .unwrap();
    assert_eq!(accounts.len(), 1);
    restored.close().await;
    let again = Restore::begin(&file("copy.db"), &file("new.db")).await.unwrap();
    let kept = again.finish(at(0)).await.unwrap().unwrap();
    let twice = Restore::begin(&file("copy.db"), &file("new.db")).await.unwrap();
    assert!(matches!(twice.finish(at(0)).await, Err(BackupError::Exists(path)) if path == kept));
    assert!(backup::check(&file("new.db")).await.is_ok());
}
