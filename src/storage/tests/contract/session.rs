//! Sessions.

use vestibule_core::{
    id::SessionId,
    session::{EndReason, Ending, Proof},
};
use vestibule_storage::{EndedRow, Reader, SessionRow, Store, StoreError, test_support::TestStore};

use crate::fixture::{Maker, alice, at, raw, write};

pub async fn a_session_is_read_with_its_company_and_account(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let new = maker.session(&alice, at(5));
    write(store, async |writer| writer.insert_session(&new).await)
        .await
        .unwrap();
    let mut reader = store.read().await.unwrap();
    let expected = SessionRow {
        id: new.id,
        company: reader.company(alice.company).await.unwrap().unwrap(),
        account: reader.account(alice.company, alice.id).await.unwrap().unwrap(),
        created_at: at(5),
        last_used_at: at(5),
        ends_at: new.ends_at,
        proof: Proof::EmailCode,
        proved_at: at(5),
        address: new.address.clone(),
        browser: new.browser.clone(),
        credential_version: 1,
    };
    assert_eq!(reader.session_by_token(new.token_hash).await, Ok(Some(expected)));
    assert_eq!(reader.session_by_token(maker.token()).await, Ok(None));
    let entries = reader.sessions_of(alice.company, alice.id).await.unwrap();
    assert_eq!(entries.len(), 1);
    let entry = &entries[0];
    assert_eq!(
        (entry.id, entry.created_at, entry.last_used_at),
        (new.id, at(5), at(5))
    );
    assert_eq!(
        (entry.ends_at, entry.proof, entry.credential_version),
        (new.ends_at, Proof::EmailCode, 1)
    );
    assert_eq!((&entry.address, &entry.browser), (&new.address, &new.browser));
}

pub async fn a_session_is_touched_forwards_only(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let new = maker.session(&alice, at(0));
    write(store, async |writer| {
        writer.insert_session(&new).await?;
        for (touch, expected) in [(60, 60), (30, 60), (61, 61)] {
            writer.touch_session(alice.company, new.id, at(touch)).await?;
            let read = writer.session_by_token(new.token_hash).await?.unwrap();
            assert_eq!(read.last_used_at, at(expected));
        }
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn sessions_end_one_by_one_and_together(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let bob = maker.account(alice.company, "bob");
    write(store, async |writer| {
        writer.insert_account(&bob).await?;
        let first = maker.session(&alice, at(0));
        writer.insert_session(&first).await?;
        assert!(writer.end_session(alice.company, first.id, by_admin()).await?);
        assert!(!writer.end_session(alice.company, first.id, by_admin()).await?);
        for account in [&alice, &alice, &bob] {
            writer.insert_session(&maker.session(account, at(0))).await?;
        }
        assert_eq!(
            writer
                .end_sessions_of(alice.company, alice.id, by_admin(), None)
                .await?,
            2
        );
        assert_eq!(writer.sessions_of(alice.company, bob.id).await?.len(), 1);
        writer.insert_session(&maker.session(&alice, at(0))).await?;
        assert_eq!(
            writer.end_sessions_of_company(alice.company, by_admin()).await?,
            2
        );
        assert_eq!(writer.sessions_of(alice.company, bob.id).await?.len(), 0);
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn an_idle_session_that_was_used_meanwhile_goes_on(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let session = maker.session(&alice, at(0));
    let ending = Ending {
        minutes: Some(30),
        ..Ending::now(EndReason::Idle, at(1800))
    };
    write(store, async |writer| {
        writer.insert_session(&session).await?;
        writer.touch_session(alice.company, session.id, at(60)).await?;
        for (until, expected) in [(59, false), (60, true), (60, false)] {
            let ended = writer.end_idle_session(alice.company, session.id, at(until), ending);
            assert_eq!(ended.await?, expected, "{until}");
            let known = writer.ended_session(session.token_hash).await?;
            assert_eq!(known.is_some(), until == 60, "{until}");
        }
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn the_oldest_sessions_make_room(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let bob = maker.account(alice.company, "bob");
    write(store, async |writer| {
        writer.insert_account(&bob).await?;
        writer.insert_session(&maker.session(&bob, at(-1))).await?;
        let mut newest = Vec::new();
        for second in [3, 0, 4, 1, 2] {
            let session = maker.session(&alice, at(second));
            writer.insert_session(&session).await?;
            if second > 1 {
                newest.push((second, session.id));
            }
        }
        assert_eq!(writer.trim_sessions(alice.company, alice.id, 3, at(9)).await?, 2);
        assert_eq!(writer.trim_sessions(alice.company, alice.id, 3, at(9)).await?, 0);
        newest.sort_unstable_by_key(|(second, _)| -second);
        let expected: Vec<SessionId> = newest.into_iter().map(|(_, id)| id).collect();
        assert_eq!(ids(writer, &alice).await, expected, "newest first");
        assert_eq!(ids(writer, &bob).await.len(), 1);
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn a_session_is_proved_once_more(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let (new, other) = (maker.session(&alice, at(0)), maker.session(&alice, at(0)));
    let (company, id, token) = (alice.company, new.id, maker.token());
    write(store, async |writer| {
        writer.insert_session(&new).await?;
        writer.insert_session(&other).await?;
        let before = writer.session_by_token(new.token_hash).await?.unwrap();
        let others = writer.session_by_token(other.token_hash).await?;
        assert!(
            writer
                .prove_session(company, id, None, Proof::Password, 2, at(60))
                .await?
        );
        let expected = SessionRow {
            proof: Proof::Password,
            proved_at: at(60),
            credential_version: 2,
            ..before
        };
        assert_eq!(
            writer.session_by_token(new.token_hash).await?.as_ref(),
            Some(&expected),
            "its token stays"
        );
        assert!(
            writer
                .prove_session(company, id, Some(token), Proof::AppCode, 3, at(90))
                .await?
        );
        assert_eq!(writer.session_by_token(new.token_hash).await?, None, "replaced");
        let expected = SessionRow {
            proof: Proof::AppCode,
            proved_at: at(90),
            credential_version: 3,
            ..expected
        };
        assert_eq!(writer.session_by_token(token).await?, Some(expected));
        assert_eq!(writer.session_by_token(other.token_hash).await?, others);
        assert!(
            !writer
                .prove_session(company, maker.session_id(), None, Proof::AppCode, 3, at(90))
                .await?
        );
        Ok(())
    })
    .await
    .unwrap();
    let refused = write(store, async |writer| {
        writer
            .prove_session(company, id, Some(other.token_hash), Proof::AppCode, 3, at(99))
            .await
    })
    .await;
    assert!(matches!(refused, Err(StoreError::Other(_))), "{refused:?}");
}

pub async fn a_former_token_ends_its_session_and_opens_nothing(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let new = maker.session(&alice, at(0));
    let (company, id, second, third) = (alice.company, new.id, maker.token(), maker.token());
    let found = Some((company, alice.id, id));
    write(store, async |writer| {
        writer.insert_session(&new).await?;
        assert_eq!(writer.session_to_end(new.token_hash).await?, found);
        assert_eq!(writer.session_to_end(second).await?, None);
        for token in [Some(second), None] {
            writer
                .prove_session(company, id, token, Proof::AppCode, 1, at(1))
                .await?;
            for token in [new.token_hash, second] {
                assert_eq!(writer.session_to_end(token).await?, found);
            }
            assert_eq!(
                writer.session_by_token(new.token_hash).await?,
                None,
                "it opens nothing"
            );
        }
        writer
            .prove_session(company, id, Some(third), Proof::AppCode, 1, at(2))
            .await?;
        assert_eq!(writer.session_to_end(second).await?, found);
        assert_eq!(
            writer.session_to_end(new.token_hash).await?,
            None,
            "the last one only"
        );
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn a_session_is_kept_without_a_proof(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let new = maker.session(&alice, at(0));
    write(store, async |writer| {
        writer.insert_session(&new).await?;
        let before = writer.session_by_token(new.token_hash).await?.unwrap();
        assert!(
            writer
                .keep_session(alice.company, new.id, Proof::AppCode, 7)
                .await?
        );
        let expected = SessionRow {
            proof: Proof::AppCode,
            credential_version: 7,
            ..before
        };
        assert_eq!(writer.session_by_token(new.token_hash).await?, Some(expected));
        assert!(
            !writer
                .keep_session(alice.company, maker.session_id(), Proof::AppCode, 7)
                .await?
        );
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn others_end_and_this_one_stays(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let bob = maker.account(alice.company, "bob");
    let company = alice.company;
    let sessions: Vec<_> = (0..4).map(|second| maker.session(&alice, at(second))).collect();
    let bobs = maker.session(&bob, at(0));
    write(store, async |writer| {
        writer.insert_account(&bob).await?;
        writer.insert_session(&bobs).await?;
        for session in &sessions {
            writer.insert_session(session).await?;
        }
        assert!(
            !writer
                .end_session_of(company, alice.id, bobs.id, by_admin(), None)
                .await?,
            "another account's"
        );
        assert!(
            !writer
                .end_session_of(company, bob.id, sessions[0].id, by_admin(), None)
                .await?,
            "another account's"
        );
        assert_eq!(ids(writer, &alice).await.len(), 4);
        assert!(
            writer
                .end_session_of(company, alice.id, sessions[0].id, by_admin(), None)
                .await?
        );
        assert!(
            !writer
                .end_session_of(company, alice.id, sessions[0].id, by_admin(), None)
                .await?
        );
        let keep = sessions[2].id;
        assert_eq!(
            writer
                .end_other_sessions(company, alice.id, keep, by_admin())
                .await?,
            2
        );
        assert_eq!(
            writer
                .end_other_sessions(company, alice.id, keep, by_admin())
                .await?,
            0
        );
        assert_eq!(ids(writer, &alice).await, [keep]);
        assert_eq!(ids(writer, &bob).await, [bobs.id]);
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn an_unknown_proof_is_not_guessed(store: &TestStore) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let new = maker.session(&alice, at(0));
    write(store, async |writer| writer.insert_session(&new).await)
        .await
        .unwrap();
    raw(store, "UPDATE session SET proof = 'magic'").await;
    let (table, column) = ("session", "proof");
    let corrupt = StoreError::Corrupt { table, column };
    let mut reader = store.read().await.unwrap();
    assert_eq!(
        reader.session_by_token(new.token_hash).await,
        Err(corrupt.clone())
    );
    assert_eq!(reader.sessions_of(alice.company, alice.id).await, Err(corrupt));
}

async fn ids(reader: &mut Reader, account: &vestibule_storage::NewAccount) -> Vec<SessionId> {
    let entries = reader.sessions_of(account.company, account.id).await.unwrap();
    entries.into_iter().map(|entry| entry.id).collect()
}

pub async fn wrong_passwords_are_counted_in_their_session_until_a_proof(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let (mine, other) = (maker.session(&alice, at(0)), maker.session(&alice, at(0)));
    let company = alice.company;
    write(store, async |writer| {
        writer.insert_session(&mine).await?;
        writer.insert_session(&other).await?;
        for expected in 1..=3 {
            assert_eq!(
                writer.count_wrong_password(company, mine.id).await?,
                Some(expected)
            );
        }
        assert_eq!(writer.count_wrong_password(company, other.id).await?, Some(1));
        writer
            .prove_session(company, mine.id, None, Proof::Password, 1, at(1))
            .await?;
        assert_eq!(writer.count_wrong_password(company, mine.id).await?, Some(1));
        assert_eq!(writer.count_wrong_password(company, other.id).await?, Some(2));
        writer.end_session(company, mine.id, by_admin()).await?;
        assert_eq!(writer.count_wrong_password(company, mine.id).await?, None);
        Ok(())
    })
    .await
    .unwrap();
}

/// An end that an admin brought about.
pub fn by_admin() -> Ending {
    Ending::now(EndReason::ByAdmin, at(60))
}

pub async fn why_a_session_is_over_is_known_by_its_token(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let bob = maker.account(alice.company, "bob");
    let company = alice.company;
    let mine: Vec<_> = (0..7).map(|second| maker.session(&alice, at(second))).collect();
    let bobs = maker.session(&bob, at(0));
    let ending = |reason| Ending::now(reason, at(60));
    let idle = Ending {
        minutes: Some(30),
        ..ending(EndReason::Idle)
    };
    write(store, async |writer| {
        writer.insert_account(&bob).await?;
        writer.insert_session(&bobs).await?;
        for session in &mine {
            writer.insert_session(session).await?;
        }
        assert_eq!(writer.ended_session(mine[0].token_hash).await?, None);
        writer.end_session(company, mine[0].id, idle).await?;
        let reason = ending(EndReason::ByOwner);
        writer
            .end_session_of(company, alice.id, mine[1].id, reason, None)
            .await?;
        writer.trim_sessions(company, alice.id, 4, at(60)).await?;
        let reason = ending(EndReason::CredentialsChanged);
        writer
            .end_other_sessions(company, alice.id, mine[6].id, reason)
            .await?;
        let reason = ending(EndReason::PasswordChanged);
        writer
            .end_sessions_of(company, alice.id, reason, Some("You know why."))
            .await?;
        let reason = ending(EndReason::CompanyDisabled);
        writer.end_sessions_of_company(company, reason).await?;
        Ok(())
    })
    .await
    .unwrap();
    let reasons = [
        (&mine[0], idle, None),
        (&mine[1], ending(EndReason::ByOwner), None),
        (&mine[2], ending(EndReason::TooMany), None),
        (&mine[3], ending(EndReason::CredentialsChanged), None),
        (&mine[5], ending(EndReason::CredentialsChanged), None),
        (
            &mine[6],
            ending(EndReason::PasswordChanged),
            Some("You know why."),
        ),
        (&bobs, ending(EndReason::CompanyDisabled), None),
    ];
    let mut reader = store.read().await.unwrap();
    for (session, ending, note) in reasons {
        let expected = EndedRow {
            session: session.id,
            company,
            account: session.account,
            ending,
            note: note.map(str::to_owned),
        };
        assert_eq!(reader.ended_session(session.token_hash).await, Ok(Some(expected)));
    }
}
