//! Cleaning up.

use std::time::Duration;

use vestibule_core::{audit::Actor, sign_in_view::Method, throttle::WrongTry};
use vestibule_storage::{FOREVER, MailLane, NewMail, Store, test_support::TestStore};

use crate::fixture::{Maker, alice, at, count, day, entry, write};

const HOUR: i64 = 3600;

pub async fn what_is_over_goes_and_what_counts_stays(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let session = maker.session(&alice, at(0));
    let pending = maker.pending(&alice, at(0));
    let long = vestibule_storage::NewPending {
        expires_at: day(3),
        ..maker.pending(&alice, at(0))
    };
    let code = maker.code(&long, at(0));
    let trusted = maker.trusted(&alice, at(0));
    let browser = maker.bytes();
    let (sent, given_up, waiting) = (
        maker.mail(&alice, None, at(0)),
        maker.mail(&alice, None, at(0)),
        maker.mail(&alice, None, at(0)),
    );
    let waiting = NewMail {
        expires_at: None,
        ..waiting
    };
    let wrong = WrongTry {
        at: at(0),
        subject: [1; 32],
    };
    let (slow, disabled): (&[u8], &[u8]) = (&[1; 32], &[2; 32]);
    write(store, async |writer| {
        writer.insert_session(&session).await?;
        writer.insert_pending(&pending).await?;
        writer.insert_pending(&long).await?;
        writer.insert_code(&code).await?;
        writer.insert_trusted(&trusted).await?;
        writer
            .remember_browser(alice.company, alice.id, browser, at(0))
            .await?;
        for mail in [&sent, &given_up, &waiting] {
            writer.insert_mail(mail).await?;
        }
        writer.mail_sent(sent.id, at(0), None).await?;
        writer
            .mail_given_up(given_up.id, at(0), "no such mailbox", None)
            .await?;
        writer.count_reset_request("192.0.2.1", at(0)).await?;
        writer.note_wrong_at_source("192.0.2.1", &wrong).await?;
        writer.note_right_at_source("192.0.2.1", &[1; 32], at(0)).await?;
        writer.insert_reset_request(&maker.reset_request(at(0))).await?;
        writer.count_password_try((slow, b""), 1, 1000, at(0)).await?;
        writer.count_password_try((disabled, b""), 1, 1000, at(0)).await?;
        writer.block_password(disabled, b"", FOREVER).await
    })
    .await
    .unwrap();

    // Each row names a moment and how many rows are over by then that were not over before.
    let steps = [
        ("nothing yet", at(599), 0),
        ("the pending sign-in", at(600), 1),
        ("a link that was asked for", at(1800), 1),
        (
            "a wrong password of a source, and links that it asked for",
            at(2 * HOUR),
            2,
        ),
        ("the code", at(25 * HOUR), 1),
        ("the session, a day after its end", at(36 * HOUR), 1),
        ("the long pending sign-in", day(3), 1),
        ("mails that are done", day(7), 2),
        (
            "trust, failures of a month ago, and what a source earned",
            day(30),
            3,
        ),
        ("the known browser", day(400), 1),
        ("nothing more", day(4000), 0),
    ];
    for (what, now, expected) in steps {
        assert_eq!(
            store.delete_expired(now, Duration::ZERO).await,
            Ok(expected),
            "{what}"
        );
    }
    write(store, async |writer| {
        let forgotten = writer.count_password_try((slow, b""), 2, 1000, day(4000)).await?;
        let still_disabled = writer
            .count_password_try((disabled, b""), 2, 1000, day(4000))
            .await?;
        assert_eq!(forgotten.map(|counted| counted.failures), Some(1));
        assert_eq!(still_disabled, None);
        let waiting_still = writer
            .claim_mails(MailLane::Installation, day(4000), day(4001), 10)
            .await?;
        assert_eq!(
            waiting_still.iter().map(|row| row.id).collect::<Vec<_>>(),
            [waiting.id]
        );
        assert!(writer.account(alice.company, alice.id).await?.is_some());
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn a_set_up_goes_at_its_end_and_an_issued_code_a_day_later(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let (company, id) = (alice.company, alice.id);
    let set_up = maker.set_up(&alice, Method::Email, at(0));
    write(store, async |writer| {
        writer.begin_set_up(&set_up).await?;
        writer
            .insert_set_up_code(company, set_up.id, maker.code_id(at(0)), &[1; 32], at(0))
            .await?;
        writer.put_issued_code(&maker.issued(&alice, at(0))).await?;
        writer
            .replace_backup_codes(company, id, &maker.salt(), &maker.hashes(), at(0))
            .await
    })
    .await
    .unwrap();
    for (what, now, expected) in [
        ("nothing yet", at(599), 0),
        ("the set-up", at(600), 1),
        ("not yet the issued code", at(25 * HOUR - 1), 0),
        ("the issued code", at(25 * HOUR), 1),
        ("nothing more", day(4000), 0),
    ] {
        assert_eq!(
            store.delete_expired(now, Duration::ZERO).await,
            Ok(expected),
            "{what}"
        );
    }
    write(store, async |writer| {
        assert_eq!(writer.set_up_codes(company, set_up.id).await?, []);
        assert_eq!(writer.backup_codes_left(company, id).await?, Some(10));
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn links_and_imports_go_at_their_end(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let (link, import) = (maker.link(&alice, at(0)), maker.import(&alice, 3, at(0)));
    write(store, async |writer| {
        writer.put_link(&link).await?;
        writer.insert_import(&import).await
    })
    .await
    .unwrap();
    for (what, now, expected) in [
        ("nothing yet", at(1_799), 0),
        ("the link", at(1_800), 1),
        ("not yet the import", at(24 * HOUR - 1), 0),
        ("the import", at(24 * HOUR), 1),
        ("nothing more", day(4000), 0),
    ] {
        assert_eq!(
            store.delete_expired(now, Duration::ZERO).await,
            Ok(expected),
            "{what}"
        );
    }
    write(store, async |writer| {
        assert_eq!(writer.link_by_token(link.token_hash).await?, None);
        let lines = writer.import_lines(alice.company, import.id, None, &[], 0, 10);
        assert_eq!(lines.await?, []);
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn a_long_clean_up_lets_others_write_in_between(store: &TestStore) {
    let maker = Maker::new();
    write(store, async |writer| {
        for _ in 0..2500 {
            writer.insert_reset_request(&maker.reset_request(at(0))).await?;
        }
        Ok(())
    })
    .await
    .unwrap();
    // The pause is so long that nothing but the first step is ever done.
    let (cleaner, forever) = (Store::clone(store), Duration::from_hours(1));
    let cleaning = tokio::spawn(async move { cleaner.delete_expired(day(1), forever).await });
    while count(store, "SELECT count(*) FROM reset_request").await == 2500 {
        tokio::task::yield_now().await;
    }
    assert_eq!(count(store, "SELECT count(*) FROM reset_request").await, 1500);
    write(store, async |writer| {
        writer
            .insert_event(maker.event_id(), at(0), &entry(None, Actor::System))
            .await
    })
    .await
    .unwrap();
    assert!(!cleaning.is_finished());
    cleaning.abort();
    // Whoever cleans up next, here or on another node, goes on where this one stopped.
    assert_eq!(store.delete_expired(day(1), Duration::ZERO).await, Ok(1500));
}

pub async fn what_somebody_holds_is_passed_over(store: &TestStore) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let sessions = [maker.session(&alice, at(0)), maker.session(&alice, at(0))];
    write(store, async |writer| {
        writer.insert_session(&sessions[0]).await?;
        writer.insert_session(&sessions[1]).await
    })
    .await
    .unwrap();
    if store.url().starts_with("sqlite") {
        // One writer at a time: nobody holds anything while this runs.
        assert_eq!(store.delete_expired(day(2), Duration::ZERO).await, Ok(2));
        return;
    }
    let mut holder = store.write().await.unwrap();
    holder
        .touch_session(alice.company, sessions[0].id, at(60))
        .await
        .unwrap();
    assert_eq!(store.delete_expired(day(2), Duration::ZERO).await, Ok(1));
    holder.commit().await.unwrap();
    assert_eq!(store.delete_expired(day(2), Duration::ZERO).await, Ok(1));
}
