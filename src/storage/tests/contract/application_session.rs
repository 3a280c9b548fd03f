//! Sessions at applications behind a proxy.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use vestibule_core::{id::ApplicationSessionId, secret::TokenHash};
use vestibule_storage::{Changed, NewApplicationSession, Store, test_support::TestStore};

use crate::session::by_admin;
use crate::{
    application::application,
    fixture::{Maker, alice, at, count, write},
};

pub async fn a_ticket_becomes_a_session_once_and_ends_with_it(store: &TestStore) {
    let maker = Maker::new();
    let account = alice(store, &maker).await;
    let session = maker.session(&account, at(0));
    let own = application(&maker, Some(account.company), "Wallboard");
    let [ticket, state, token, other] = [(); 4].map(|()| TokenHash(maker.bytes()));
    let new = NewApplicationSession {
        id: ApplicationSessionId(maker.uuid()),
        company: account.company,
        session: session.id,
        application: own.id,
        ticket_hash: ticket,
        state_hash: state,
        created_at: at(0),
        expires_at: at(60),
    };
    write(store, async |writer| {
        writer.insert_session(&session).await?;
        writer.insert_application(&own).await?;
        writer.insert_application_session(&new).await
    })
    .await
    .unwrap();
    write(store, async |writer| {
        for (ticket, state, now) in [
            (other, state, at(1)),
            (ticket, other, at(1)),
            (ticket, state, at(60)),
        ] {
            assert_eq!(writer.enter_application(ticket, state, token, now).await?, None);
        }
        let entered = writer.enter_application(ticket, state, token, at(59)).await?;
        assert_eq!(entered, Some(own.id));
        assert_eq!(
            writer.enter_application(ticket, state, other, at(59)).await?,
            None
        );
        Ok(())
    })
    .await
    .unwrap();
    let found = store
        .read()
        .await
        .unwrap()
        .application_session(token)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.application.id, found.session.id), (own.id, session.id));
    assert_eq!(found.session.account.id, account.id);

    // It lives as long as the session, however old the ticket was.
    store.delete_expired(at(1000), Duration::ZERO).await.unwrap();
    assert!(
        store
            .read()
            .await
            .unwrap()
            .application_session(token)
            .await
            .unwrap()
            .is_some()
    );
    write(store, async |writer| {
        writer.end_session(account.company, session.id, by_admin()).await
    })
    .await
    .unwrap();
    assert_eq!(
        store.read().await.unwrap().application_session(token).await,
        Ok(None)
    );
    assert_eq!(count(store, "SELECT count(*) FROM application_session").await, 0);
}

pub async fn who_remembers_sessions_hears_of_what_may_change_them(store: &Store) {
    let maker = Maker::new();
    let account = alice(store, &maker).await;
    let heard: Arc<Mutex<Vec<Changed>>> = Arc::default();
    let listener = Arc::clone(&heard);
    store.watch(move |changed| listener.lock().unwrap().extend(changed));
    let (company, id) = (account.company, account.id);
    write(store, async |writer| {
        writer.hold_company(company).await?;
        writer.hold_account(company, id).await?;
        assert!(heard.lock().unwrap().is_empty(), "nothing is final yet");
        Ok(())
    })
    .await
    .unwrap();
    assert_eq!(
        *heard.lock().unwrap(),
        [Changed::Company(company), Changed::Account(id)]
    );
    let mut given_up = store.write().await.unwrap();
    given_up.hold_account(company, id).await.unwrap();
    drop(given_up);
    assert_eq!(heard.lock().unwrap().len(), 2, "what never was is not told");
}
