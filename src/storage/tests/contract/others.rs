//! Nodes that share a database hear what the others change.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use vestibule_storage::{
    Changed, Hearing, Store,
    test_support::{PATIENT, TestStore, until},
};

use crate::{
    application::application,
    connections::behind_a_relay,
    fixture::{Maker, alice, at, write},
    session::by_admin,
};

/// Another node that listens.
struct Node {
    store: Store,
    heard: Arc<Mutex<Vec<Changed>>>,
    _listening: JoinSet<()>,
}

impl Node {
    fn listen(store: Store) -> Self {
        let heard: Arc<Mutex<Vec<Changed>>> = Arc::default();
        let listener = Arc::clone(&heard);
        store.watch(move |changed| listener.lock().unwrap().extend(changed));
        let mut listening = JoinSet::new();
        let hearing = store.clone();
        listening.spawn(async move { hearing.hear_others().await });
        Self {
            store,
            heard,
            _listening: listening,
        }
    }

    async fn until(&self, hearing: Hearing) {
        until(async || (self.store.hearing() == hearing).then_some(())).await;
    }

    /// Waits until this was heard, and gives everything that was heard before it.
    async fn hears(&self, awaited: Changed) -> Vec<Changed> {
        until(async || {
            let mut heard = self.heard.lock().unwrap();
            let at = heard.iter().position(|changed| *changed == awaited)?;
            Some(heard.drain(..=at).take(at).collect())
        })
        .await
    }
}

pub async fn nodes_hear_what_others_change(store: &TestStore) {
    if store.is_sqlite() {
        let node = Node::listen(store.second().await);
        assert_eq!(node.store.hearing(), Hearing::Itself, "a file has one node");
        return;
    }
    let maker = Maker::new();
    let account = alice(store, &maker).await;
    let (company, id) = (account.company, account.id);
    let [first, second] = [(); 2].map(|()| maker.session(&account, at(0)));
    let own = application(&maker, Some(company), "Wallboard");
    write(store, async |writer| {
        writer.insert_session(&first).await?;
        writer.insert_session(&second).await?;
        writer.insert_application(&own).await
    })
    .await
    .unwrap();
    let node = Node::listen(store.second().await);
    assert_eq!(node.hears(Changed::Everything).await, []);
    node.until(Hearing::Others).await;

    // What changes nothing about their worth is not told; what never was is not told either.
    write(store, async |writer| {
        writer.touch_session(company, first.id, at(100)).await?;
        writer.note_application_use(own.id, at(100), at(50)).await
    })
    .await
    .unwrap();
    let mut given_up = store.write().await.unwrap();
    given_up
        .end_session(company, second.id, by_admin())
        .await
        .unwrap();
    drop(given_up);
    write(store, async |writer| {
        writer.end_session(company, first.id, by_admin()).await
    })
    .await
    .unwrap();
    assert_eq!(node.hears(Changed::Session(first.id)).await, []);

    write(store, async |writer| {
        writer.set_account_active(company, id, false, at(1)).await
    })
    .await
    .unwrap();
    assert_eq!(node.hears(Changed::Account(id)).await, []);
    write(store, async |writer| {
        writer.set_company_enabled(company, false, at(1)).await
    })
    .await
    .unwrap();
    assert_eq!(node.hears(Changed::Company(company)).await, []);
    write(store, async |writer| {
        writer.delete_application(Some(company), own.id).await
    })
    .await
    .unwrap();
    assert_eq!(node.hears(Changed::Application(own.id)).await, []);
    // Whoever does it.
    store.run("DELETE FROM session").await;
    assert_eq!(node.hears(Changed::Session(second.id)).await, []);
}

pub async fn a_line_that_is_cut_is_known_and_mended(store: &TestStore) {
    const END: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
        WHERE datname = current_database() AND application_name = 'vestibule-listener'";
    let Some((mut relay, far)) = behind_a_relay(store).await else {
        return;
    };
    let node = Node::listen(far);
    assert_eq!(node.hears(Changed::Everything).await, []);
    node.until(Hearing::Others).await;
    // Somebody ends the connection: another one takes its place, and what was remembered is forgotten.
    store.run(END).await;
    assert_eq!(node.hears(Changed::Everything).await, []);
    node.until(Hearing::Others).await;

    // Nothing says that the line is cut, and within a second it is not trusted any more.
    relay.silence();
    let silent = Instant::now();
    node.until(Hearing::Cut).await;
    assert!(
        silent.elapsed() < Duration::from_secs(1),
        "{:?}",
        silent.elapsed()
    );
    let maker = Maker::new();
    let account = alice(store, &maker).await;
    let session = maker.session(&account, at(0));
    write(store, async |writer| {
        writer.insert_session(&session).await?;
        writer.end_session(account.company, session.id, by_admin()).await
    })
    .await
    .unwrap();
    relay.close().await;
    relay.open().await;
    // That end was missed: everything is forgotten before the line is trusted again.
    assert_eq!(node.hears(Changed::Everything).await, []);
    node.until(Hearing::Others).await;
}

pub async fn where_nothing_is_passed_on_the_line_is_not_trusted(store: &TestStore) {
    if store.is_sqlite() {
        return;
    }
    let mut url = url::Url::parse(store.url()).unwrap();
    let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
    url.query_pairs_mut().append_pair("sslmode", "disable");
    let (dropped, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let mut pooler = JoinSet::new();
    pooler.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((near, _)) = listener.accept().await {
            connections.spawn(without_notifications(near, server.clone(), dropped.clone()));
        }
    });
    let node = Node::listen(Store::open(url.as_str(), PATIENT).await.unwrap());
    // The server has told, and it was dropped on the way.
    seen.recv().await.unwrap();
    assert_eq!(node.store.hearing(), Hearing::Cut);
    assert_eq!(*node.heard.lock().unwrap(), []);
    assert_eq!(node.store.ping().await, Ok(()), "everything else works");
}

/// Passes everything on but what the server tells by itself: a pooler that gives its connections to everybody in turn.
async fn without_notifications(
    near: TcpStream,
    server: String,
    dropped: tokio::sync::mpsc::UnboundedSender<()>,
) -> std::io::Result<()> {
    let far = TcpStream::connect(server).await?;
    let (mut from_near, mut to_near) = near.into_split();
    let (mut from_far, mut to_far) = far.into_split();
    let asked = async { tokio::io::copy(&mut from_near, &mut to_far).await.map(drop) };
    let answered = async {
        loop {
            let kind = from_far.read_u8().await?;
            let length = from_far.read_u32().await?;
            let mut rest = vec![0; usize::try_from(length).unwrap() - 4];
            from_far.read_exact(&mut rest).await?;
            if kind == b'A' {
                let _ = dropped.send(());
            } else {
                let message = [&[kind][..], &length.to_be_bytes(), &rest].concat();
                to_near.write_all(&message).await?;
            }
        }
    };
    tokio::select! {
        done = asked => done,
        done = answered => done,
    }
}
