//! Fingerprints of keys, and what is made with which.

use uuid::Uuid;
use vestibule_core::{id::NodeId, sign_in_view::Method};
use vestibule_storage::{KeyCheckRow, NewSetUp, NewSsoFlow, NewTicket, Store};

use crate::fixture::{Maker, alice, at, write};

pub async fn a_key_is_noted_once_and_retired(store: &Store) {
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.is_fresh().await, Ok(true));
    assert_eq!(reader.key_checks().await, Ok(vec![]));
    drop(reader);
    write(store, async |writer| {
        writer.note_key(2, &[2; 32], at(0)).await?;
        writer.note_key(1, &[1; 32], at(0)).await?;
        writer.note_key(2, &[9; 32], at(1)).await?;
        writer.retire_key(1, at(2)).await
    })
    .await
    .unwrap();
    let rows = [(1, [1; 32], true), (2, [2; 32], false)].map(|(version, fingerprint, retired)| KeyCheckRow {
        version,
        fingerprint,
        retired,
    });
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.key_checks().await, Ok(rows.to_vec()));
    assert_eq!(reader.is_fresh().await, Ok(false));
}

pub async fn a_key_is_in_use_while_something_is_made_with_it(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.is_fresh().await, Ok(false), "there is a company");
    drop(reader);
    // Something of every kind, each with a version of its own.
    let made = |version: u32| [version.to_be_bytes().as_slice(), &maker.bytes()].concat();
    let pending = maker.pending(&alice, at(0));
    let completed = maker.pending(&alice, at(0));
    let (code, mail, flow) = (
        maker.code(&pending, at(0)),
        maker.mail(&alice, None, at(0)),
        maker.sso_flow(at(0)),
    );
    let (app, email) = (
        maker.set_up(&alice, Method::App, at(0)),
        maker.set_up(&alice, Method::Email, at(0)),
    );
    let ticket = NewTicket {
        token_hash: maker.token(),
        node: NodeId(Uuid::nil()),
        lane: "others",
        place: 1,
        expires_at: at(900),
    };
    let with = made(3);
    let mut server = crate::fixture::mail_server(alice.company);
    server.sealed_password = Some(made(1));
    write(store, async |writer| {
        assert!(writer.put_mail_server(&server, None).await?);
        writer.insert_pending(&pending).await?;
        writer.insert_pending(&completed).await?;
        writer
            .insert_code(&vestibule_storage::NewCode {
                code_hash: made(2),
                ..code
            })
            .await?;
        let won = writer.complete_pending(alice.company, completed.id, maker.session_id(), &with, at(1));
        assert!(won.await?);
        writer
            .insert_mail(&vestibule_storage::NewMail {
                sealed: made(4),
                ..mail
            })
            .await?;
        writer
            .begin_set_up(&NewSetUp {
                sealed: Some(made(5)),
                ..app
            })
            .await?;
        writer.begin_set_up(&email).await?;
        writer
            .insert_set_up_code(alice.company, email.id, maker.code_id(at(0)), &made(6), at(0))
            .await?;
        let session = maker.session(&alice, at(0));
        writer.insert_session(&session).await?;
        writer
            .put_session_note(alice.company, session.id, "undo", &made(9), at(120))
            .await?;
        writer.insert_ticket(&ticket).await?;
        assert!(writer.answer_ticket(ticket.token_hash, &made(8), at(120)).await?);
        writer
            .insert_sso_flow(&NewSsoFlow {
                sealed: made(7),
                ..flow
            })
            .await
    })
    .await
    .unwrap();
    let mut reader = store.read().await.unwrap();
    for version in 1..=9 {
        assert_eq!(reader.key_in_use(version, at(1)).await, Ok(true), "{version}");
    }
    assert_eq!(reader.key_in_use(10, at(1)).await, Ok(false));
    // What is over needs no key; a mail stays sealed until it is sent or given up, a password of a server for ever.
    for (version, in_use) in (1..=9).zip([true, false, false, true, false, false, false, false, false]) {
        assert_eq!(
            reader.key_in_use(version, at(100_000)).await,
            Ok(in_use),
            "{version}"
        );
    }
}
