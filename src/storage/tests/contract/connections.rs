//! Transactions, connections and errors.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::{FutureExt, future::join_all};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::timeout,
};
use vestibule_core::{audit::Actor, secret::TokenHash};
use vestibule_storage::{
    Failed, NewAccount, Store, StoreError, StoreOptions, Unique,
    test_support::{PATIENT, TestStore, until},
};

use crate::fixture::{Maker, alice, at, count, entry, raw, write};

pub async fn a_dropped_writer_rolls_back(store: &TestStore) {
    let maker = Maker::new();
    let company = maker.company("Acme");
    let mut writer = store.write().await.unwrap();
    writer.insert_company(&company).await.unwrap();
    drop(writer);
    assert_eq!(store.read().await.unwrap().company(company.id).await, Ok(None));
    // And the connection is fit for the next one.
    write(store, async |writer| writer.insert_company(&company).await)
        .await
        .unwrap();
    assert!(
        store
            .second()
            .await
            .read()
            .await
            .unwrap()
            .company(company.id)
            .await
            .unwrap()
            .is_some()
    );
}

pub async fn a_writer_reads_what_it_wrote_and_others_do_not(store: &TestStore) {
    let maker = Maker::new();
    let company = maker.company("Acme");
    let mut writer = store.write().await.unwrap();
    writer.insert_company(&company).await.unwrap();
    assert!(writer.company(company.id).await.unwrap().is_some());
    assert!(
        store
            .read()
            .await
            .unwrap()
            .company(company.id)
            .await
            .unwrap()
            .is_none()
    );
    writer.commit().await.unwrap();
    assert!(
        store
            .read()
            .await
            .unwrap()
            .company(company.id)
            .await
            .unwrap()
            .is_some()
    );
}

pub async fn what_nobody_waits_for_is_seen_by_what_comes_next(store: &TestStore) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let (session, event) = (
        maker.session(&alice, at(0)),
        entry(Some(alice.company), Actor::System),
    );
    let before = store.traffic();
    let mut writer = store.write().await.unwrap();
    writer.insert_session(&session).await.unwrap();
    writer.note_sign_in(alice.company, alice.id, at(1)).await.unwrap();
    for second in 0..3 {
        let id = maker.event_id_at(at(second));
        writer.insert_event(id, at(second), &event).await.unwrap();
    }
    let browser = maker.bytes();
    for second in [5, 6] {
        // The same row twice: one after the other.
        let noted = writer.remember_browser(alice.company, alice.id, browser, at(second));
        noted.await.unwrap();
    }
    let row = writer
        .session_by_token(session.token_hash)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.account.last_sign_in_at, Some(at(1)));
    let asked = store.traffic().statements - before.statements;
    assert_eq!(
        asked, 4,
        "begin, five that go together with the first of two, the second, and the question"
    );
    writer.commit().await.unwrap();
    assert_eq!(count(store, "SELECT COUNT(*) FROM audit_event").await, 3);
    let mut reader = store.read().await.unwrap();
    let entrant = reader.entrant((alice.company, alice.id), Some(TokenHash(browser)), None, at(6));
    assert!(entrant.await.unwrap().unwrap().knows_browser);
}

pub async fn a_read_of_one_table_takes_along_what_touches_it(store: &TestStore) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let (company, id) = (alice.company, alice.id);
    let mut writer = store.write().await.unwrap();
    writer.note_sign_in(company, id, at(1)).await.unwrap();
    let before = store.traffic().statements;
    let mails = writer.code_mails_since(company, id, at(-1)).await.unwrap();
    assert_eq!((mails.len(), store.traffic().statements - before), (0, 1));
    writer
        .insert_mail(&maker.mail(&alice, None, at(5)))
        .await
        .unwrap();
    let mails = writer.code_mails_since(company, id, at(-1)).await.unwrap();
    assert_eq!((mails, store.traffic().statements - before), (vec![at(5)], 3));
}

pub async fn what_nobody_waits_for_fails_at_the_commit_at_the_latest(store: &TestStore) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let session = maker.session(&alice, at(0));
    for _ in 0..2 {
        let mut writer = store.write().await.unwrap();
        writer.note_sign_in(alice.company, alice.id, at(7)).await.unwrap();
        for _ in 0..2 {
            writer.insert_session(&session).await.unwrap();
        }
        writer.commit().await.unwrap_err();
        assert_eq!(count(store, "SELECT COUNT(*) FROM session").await, 0);
    }
    let account = store.read().await.unwrap().account(alice.company, alice.id).await;
    assert_eq!(account.unwrap().unwrap().last_sign_in_at, None, "all or nothing");
    // Where nothing but these is written, they are one statement that stands alone.
    let mut writer = store.write_one().await.unwrap();
    writer.note_sign_in(alice.company, alice.id, at(8)).await.unwrap();
    writer.insert_session(&session).await.unwrap();
    writer.commit().await.unwrap();
    assert_eq!(count(store, "SELECT COUNT(*) FROM session").await, 1);
}

pub async fn a_failed_statement_spoils_the_commit(store: &TestStore) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let mut writer = store.write().await.unwrap();
    writer
        .set_account_language(alice.company, alice.id, Some("fr"), at(1))
        .await
        .unwrap();
    let twin = NewAccount {
        email: alice.email.clone(),
        ..maker.account(alice.company, "twin")
    };
    assert_eq!(
        writer.insert_account(&twin).await,
        Err(StoreError::Conflict(Unique::Email))
    );
    assert!(
        matches!(writer.commit().await, Err(StoreError::Other(_))),
        "PostgreSQL would say yes and write nothing"
    );
    let read = store
        .read()
        .await
        .unwrap()
        .account(alice.company, alice.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(read.person.language, None);
}

pub async fn what_follows_a_commit_is_done_after_it_or_never(store: &TestStore) {
    let done = Arc::new(AtomicUsize::new(0));
    let begin = async || {
        let mut writer = store.write().await.unwrap();
        let done = Arc::clone(&done);
        writer.after_commit(move || {
            done.fetch_add(1, Ordering::Relaxed);
        });
        writer
    };
    drop(begin().await);
    let mut failing = begin().await;
    let maker = Maker::new();
    let orphan = maker.account(maker.company("Nowhere").id, "orphan");
    failing.insert_account(&orphan).await.unwrap_err();
    failing.commit().await.unwrap_err();
    assert_eq!(done.load(Ordering::Relaxed), 0);
    let mut good = begin().await;
    good.insert_company(&maker.company("Acme")).await.unwrap();
    assert_eq!(done.load(Ordering::Relaxed), 0);
    good.commit().await.unwrap();
    assert_eq!(done.load(Ordering::Relaxed), 1);
}

pub async fn a_caller_who_goes_away_leaves_no_transaction_open(store: &TestStore) {
    let maker = Maker::new();
    let narrow = Store::open(
        store.url(),
        StoreOptions {
            connections: 1,
            ..PATIENT
        },
    )
    .await
    .unwrap();
    for round in 0..200 {
        // Given up before it is done, a little later each time.
        let mut begin = Box::pin(narrow.write());
        for _ in 0..round {
            if begin.as_mut().now_or_never().is_some() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(begin);
        // The only connection is free again, and nothing is open on it: neither a lock that another node would wait
        // for, nor a transaction that the next statements would silently belong to.
        narrow.read().await.unwrap().events(None, 1).await.unwrap();
        if round % 10 == 0 {
            let event = entry(None, Actor::System);
            write(store, async |writer| {
                writer.insert_event(maker.event_id(), at(0), &event).await
            })
            .await
            .unwrap();
        }
        assert!(
            no_transaction_is_forgotten(store).await,
            "given up after {round} polls"
        );
    }
}

pub async fn fifty_parallel_writers_all_succeed(store: &TestStore) {
    // Half of them come from a second process, as far as the database can tell.
    let nodes = [(**store).clone(), store.second().await];
    let maker = Maker::new();
    let writers = (0..50).map(|writer| {
        let (node, id) = (nodes[writer % 2].clone(), maker.event_id());
        tokio::spawn(async move {
            let mut writer = node.write().await?;
            let before = writer.events(None, 1000).await?.len();
            tokio::task::yield_now().await;
            writer
                .insert_event(id, at(0), &entry(None, Actor::System))
                .await?;
            writer.commit().await?;
            Ok::<_, StoreError>(before)
        })
    });
    for written in join_all(writers).await {
        let written = written.unwrap();
        assert!(written.is_ok(), "{written:?}");
    }
    assert_eq!(
        store
            .read()
            .await
            .unwrap()
            .events(None, 1000)
            .await
            .unwrap()
            .len(),
        50
    );
}

pub async fn the_database_answers_and_is_up_to_date(store: &TestStore) {
    assert_eq!(store.ping().await, Ok(()));
    assert_eq!(store.migrations_pending().await, Ok(0));
    assert_eq!(store.migrate().await, Ok(()), "a second time changes nothing");
}

pub async fn a_closed_database_is_unavailable(store: &TestStore) {
    let second = store.second().await;
    second.close().await;
    assert!(matches!(second.ping().await, Err(StoreError::Unavailable(_))));
    assert!(matches!(
        second.write().await.err(),
        Some(StoreError::Unavailable(_))
    ));
    assert_eq!(store.ping().await, Ok(()));
}

pub async fn a_reader_cannot_be_made_to_wait_by_a_writer(store: &TestStore) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let mut writer = store.write().await.unwrap();
    writer
        .set_account_active(alice.company, alice.id, false, at(1))
        .await
        .unwrap();
    let mut reader = store.read().await.unwrap();
    assert!(
        reader
            .account(alice.company, alice.id)
            .await
            .unwrap()
            .unwrap()
            .active,
        "the committed state"
    );
    drop(reader);
    writer.commit().await.unwrap();
    let mut reader = store.read().await.unwrap();
    assert!(
        !reader
            .account(alice.company, alice.id)
            .await
            .unwrap()
            .unwrap()
            .active,
        "at once"
    );
}

pub async fn a_full_pool_is_unavailable(store: &TestStore) {
    let options = StoreOptions {
        connections: 1,
        wait: Duration::from_secs(1),
        statement: Duration::from_secs(1),
        ..PATIENT
    };
    let narrow = Store::open(store.url(), options).await.unwrap();
    let reader = narrow.read().await.unwrap();
    let refused = narrow.read().await.err();
    assert!(matches!(refused, Some(StoreError::Unavailable(_))), "{refused:?}");
    drop(reader);
    let writer = narrow.write().await.unwrap();
    let refused = narrow.write().await.err();
    assert!(matches!(refused, Some(StoreError::Unavailable(_))), "{refused:?}");
    drop(writer);

    // A lock that another node holds for too long.
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let mut holder = store.write().await.unwrap();
    holder.hold_account(alice.company, alice.id).await.unwrap();
    let refused = write(&narrow, async |writer| {
        writer.hold_account(alice.company, alice.id).await
    })
    .await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    holder.commit().await.unwrap();
    assert_eq!(
        write(&narrow, async |writer| writer
            .hold_account(alice.company, alice.id)
            .await)
        .await,
        Ok(())
    );
}

pub async fn readers_with_nothing_to_do_are_closed(store: &TestStore) {
    if !store.url().starts_with("sqlite") {
        return;
    }
    let options = StoreOptions {
        idle: Duration::from_millis(50),
        ..PATIENT
    };
    let store = Store::open(store.url(), options).await.unwrap();
    let readers = join_all((0..5).map(|_| store.read())).await;
    assert!(readers.iter().all(Result::is_ok));
    assert_eq!(store.connections().0, 5);
    drop(readers);
    until(async || (store.connections().0 == 1).then_some(())).await;
    assert!(store.read().await.is_ok());
}

pub async fn two_nodes_migrate_at_once(store: &TestStore) {
    let nodes = [store.second().await, store.second().await, store.second().await];
    // Back to an empty database, so that there is something to do.
    empty(store).await;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite");
    let all = std::fs::read_dir(folder).unwrap().count();
    assert_eq!(nodes[0].migrations_pending().await, Ok(all));
    for migrated in join_all(nodes.iter().map(Store::migrate)).await {
        assert_eq!(migrated, Ok(()));
    }
    assert_eq!(nodes[0].migrations_pending().await, Ok(0));
    alice(&nodes[1], &Maker::new()).await;
}

pub async fn errors_name_no_data(store: &TestStore) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let twin = NewAccount {
        name: alice.name.clone(),
        ..maker.account(alice.company, "twin")
    };
    let lost = maker.account(maker.company("Nowhere").id, "confidential");
    let double = NewAccount {
        roles: vec![vestibule_core::account::Role::Agent; 2],
        ..maker.account(alice.company, "confidential")
    };
    for new in [twin, lost, double] {
        let error = write(store, async |writer| writer.insert_account(&new).await)
            .await
            .unwrap_err();
        let text = format!("{error} {error:?}").to_lowercase();
        for secret in [
            "alice",
            "confidential",
            "example.test",
            "hash of",
            &alice.company.to_string(),
        ] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

pub async fn a_server_that_goes_away_in_a_transaction_is_found_again(store: &TestStore) {
    let maker = Maker::new();
    if store.url().starts_with("sqlite") {
        // There is no server that could go away.
        return;
    }
    for _ in 0..3 {
        let mut writer = store.write().await.unwrap();
        let event = entry(None, Actor::System);
        writer
            .insert_event(maker.event_id(), at(0), &event)
            .await
            .unwrap();
        let reader = store.read().await.unwrap();
        let killed = count(
            store,
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await;
        assert!(killed >= 2, "{killed}");
        let lost = writer.is_password_blocked(b"nobody", b"", at(0)).await;
        assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
        assert!(writer.commit().await.is_err());
        drop(reader);
        // The very next one works, and nothing of the lost one is there.
        assert_eq!(store.ping().await, Ok(()));
        write(store, async |writer| {
            assert_eq!(writer.events(None, 10).await?, []);
            Ok(())
        })
        .await
        .unwrap();
    }
}

pub async fn a_server_that_only_reads_is_left(store: &TestStore) {
    const READ_ONLY: &str = "DO $$ BEGIN EXECUTE format( \
        'ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$";
    const WRITABLE: &str = "BEGIN READ WRITE; DO $$ BEGIN EXECUTE format( \
        'ALTER DATABASE %I RESET default_transaction_read_only', current_database()); END $$; COMMIT";
    if store.url().starts_with("sqlite") {
        return;
    }
    let maker = Maker::new();
    let event = entry(None, Actor::System);
    raw(store, READ_ONLY).await;
    let narrow = Store::open(
        store.url(),
        StoreOptions {
            connections: 1,
            ..PATIENT
        },
    )
    .await
    .unwrap();
    raw(store, WRITABLE).await;
    // Its only connection was made while the server, as after a failover, was not the one that writes.
    let add = async || {
        write(&narrow, async |writer| {
            writer.insert_event(maker.event_id(), at(0), &event).await
        })
        .await
    };
    let refused = add().await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert_eq!(add().await, Ok(()), "with a connection of its own time");
}

pub async fn a_server_that_is_away_is_told_at_once(store: &TestStore) {
    let Some((mut relay, away)) = behind_a_relay(store).await else {
        return;
    };
    assert_eq!(away.ping().await, Ok(()));
    relay.close().await;
    for _ in 0..3 {
        // Not `read` alone: a connection that was in use a moment ago is handed out without being asked.
        let refused = timeout(HALF_THE_WAIT, away.ping()).await;
        let refused = refused.unwrap().err();
        assert!(matches!(refused, Some(StoreError::Unavailable(_))), "{refused:?}");
        let refused = timeout(HALF_THE_WAIT, away.write()).await;
        let refused = refused.unwrap().err();
        assert!(matches!(refused, Some(StoreError::Unavailable(_))), "{refused:?}");
    }
    relay.open().await;
    back(&away).await;
    assert!(away.write().await.is_ok());
}

pub async fn a_server_that_falls_silent_is_away(store: &TestStore) {
    let Some((mut relay, away)) = behind_a_relay(store).await else {
        return;
    };
    let mut writer = away.write().await.unwrap();
    relay.silence();
    let lost = timeout(
        2 * HALF_THE_WAIT,
        writer.is_password_blocked(b"nobody", b"", at(0)),
    )
    .await;
    let lost = lost.unwrap();
    assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
    drop(writer);
    let refused = timeout(HALF_THE_WAIT, away.read()).await;
    let refused = refused.unwrap().err();
    assert!(matches!(refused, Some(StoreError::Unavailable(_))), "{refused:?}");
    relay.close().await;
    relay.open().await;
    back(&away).await;
    assert!(away.write().await.is_ok());
}

/// Half of the time for which a connection is waited for behind a relay.
const HALF_THE_WAIT: Duration = Duration::from_secs(15);

/// The same database at an address that can go away. SQLite has no address.
pub async fn behind_a_relay(store: &TestStore) -> Option<(Relay, Store)> {
    if store.url().starts_with("sqlite") {
        return None;
    }
    let mut url = url::Url::parse(store.url()).unwrap();
    let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432));
    let relay = Relay::to(server).await;
    url.set_port(Some(relay.address.port())).unwrap();
    let options = StoreOptions {
        wait: 2 * HALF_THE_WAIT,
        ..PATIENT
    };
    let store = Store::open(url.as_str(), options).await.unwrap();
    Some((relay, store))
}

/// Waits until a database answers again.
async fn back(store: &Store) {
    let answers = async {
        while store.ping().await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_mins(1), answers).await.unwrap();
}

/// Passes connections on to a server, until told otherwise.
pub struct Relay {
    address: std::net::SocketAddr,
    server: String,
    mute: watch::Sender<bool>,
    serving: Option<JoinSet<()>>,
}

impl Relay {
    async fn to(server: String) -> Self {
        let mut relay = Self {
            address: ([127, 0, 0, 1], 0).into(),
            server,
            mute: watch::Sender::new(false),
            serving: None,
        };
        relay.open().await;
        relay
    }

    /// Connections that are open now, and those to come, are cut.
    pub async fn close(&mut self) {
        if let Some(mut serving) = self.serving.take() {
            serving.shutdown().await;
        }
    }

    /// Nothing is passed on any more, and nothing is closed.
    pub fn silence(&self) {
        self.mute.send_replace(true);
    }

    pub async fn open(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.address = listener.local_addr().unwrap();
        self.mute.send_replace(false);
        let (server, mute) = (self.server.clone(), self.mute.clone());
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            // They end with this task.
            let mut connections = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                connections.spawn(pass_on(near, server.clone(), mute.subscribe()));
            }
        });
        self.serving = Some(serving);
    }
}

async fn pass_on(mut near: TcpStream, server: String, mut mute: watch::Receiver<bool>) {
    let Ok(mut far) = TcpStream::connect(server).await else {
        return;
    };
    tokio::select! {
        biased;
        () = async { let _ = mute.wait_for(|muted| *muted).await; } => std::future::pending().await,
        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
    }
}

/// Drops every table.
async fn empty(store: &TestStore) {
    use sqlx::{AssertSqlSafe, Connection};
    if store.url().starts_with("sqlite") {
        let mut connection = sqlx::SqliteConnection::connect(store.url()).await.unwrap();
        let tables: Vec<(String,)> = sqlx::query_as("SELECT name FROM sqlite_master WHERE type = 'table'")
            .fetch_all(&mut connection)
            .await
            .unwrap();
        let drops: Vec<_> = tables
            .into_iter()
            .map(|(table,)| format!("DROP TABLE {table};"))
            .collect();
        let drops = format!("PRAGMA foreign_keys = OFF; {}", drops.concat());
        sqlx::raw_sql(AssertSqlSafe(drops))
            .execute(&mut connection)
            .await
            .unwrap();
    } else {
        let mut connection = sqlx::PgConnection::connect(store.url()).await.unwrap();
        sqlx::raw_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
            .execute(&mut connection)
            .await
            .unwrap();
    }
}

/// Whether PostgreSQL has no connection that is in a transaction and does nothing. A connection that has just been used
/// may need a moment to say that it is not, so it is asked until it does.
async fn no_transaction_is_forgotten(store: &TestStore) -> bool {
    const IDLE: &str = "SELECT count(*) FROM pg_stat_activity \
        WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    use sqlx::Connection;
    if store.url().starts_with("sqlite") {
        return true;
    }
    let mut connection = sqlx::PgConnection::connect(store.url()).await.unwrap();
    let none_is_left = async {
        loop {
            let (count,): (i64,) = sqlx::query_as(IDLE).fetch_one(&mut connection).await.unwrap();
            if count == 0 {
                break;
            }
        }
    };
    timeout(Duration::from_secs(10), none_is_left).await.is_ok()
}

/// Two that take two accounts in opposite orders, and both have one.
async fn cross(
    store: &Store,
    [first, second]: [&NewAccount; 2],
    met: &tokio::sync::Barrier,
    runs: &AtomicUsize,
) -> Result<(), StoreError> {
    let mut writer = store.write().await?;
    writer.hold_account(first.company, first.id).await?;
    if runs.fetch_add(1, Ordering::SeqCst) < 2 {
        met.wait().await;
    }
    writer.hold_account(second.company, second.id).await?;
    writer.commit().await
}

pub async fn a_transaction_that_is_ended_for_others_runs_again(store: &TestStore) {
    if store.url().starts_with("sqlite") {
        return;
    }
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let bob = maker.account(alice.company, "bob");
    write(store, async |writer| writer.insert_account(&bob).await)
        .await
        .unwrap();
    let (there, back) = ([&alice, &bob], [&bob, &alice]);
    let (met, runs) = (tokio::sync::Barrier::new(2), AtomicUsize::new(0));
    let (one, other) = tokio::join!(cross(store, there, &met, &runs), cross(store, back, &met, &runs));
    let ended = one.and(other).unwrap_err();
    assert!(ended.is_victim() && ended.is_unavailable(), "{ended:?}");
    let runs = AtomicUsize::new(0);
    let (one, other) = tokio::join!(
        vestibule_storage::again(|| cross(store, there, &met, &runs)),
        vestibule_storage::again(|| cross(store, back, &met, &runs))
    );
    assert_eq!((one, other, runs.into_inner()), (Ok(()), Ok(()), 3));
    assert_eq!(store.deadlocks().await, 2);
}
