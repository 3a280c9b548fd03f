//! One-time codes.

use std::time::Duration;

use chrono::TimeDelta;
use futures::future::join_all;
use vestibule_core::{ports::Moment, sign_in_view::Method};
use vestibule_storage::{NewCode, NewMail, Store, StoreError, Writer};

use crate::fixture::{Maker, alice, at, write};

pub async fn a_code_is_used_once(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let pending = maker.pending(&alice, at(0));
    let code = maker.code(&pending, at(0));
    write(store, async |writer| {
        writer.insert_pending(&pending).await?;
        writer.insert_code(&code).await?;
        assert!(writer.use_code(code.company, code.id, at(1)).await?);
        assert!(!writer.use_code(code.company, code.id, at(2)).await?);
        writer
            .replace_codes(code.company, alice.id, code.purpose, at(3))
            .await?;
        let rows = writer.codes_of_pending(code.company, pending.id).await?;
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].id, &rows[0].code_hash), (code.id, &code.code_hash));
        assert_eq!((rows[0].expires_at, rows[0].used_at), (at(600), Some(at(1))));
        assert_eq!(rows[0].replaced_at, None, "a used code is not replaced");
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn a_replaced_or_expired_code_is_not_used(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let pending = maker.pending(&alice, at(0));
    let other = maker.pending(&alice, at(0));
    let (old, new) = (maker.code(&pending, at(0)), maker.code(&pending, at(60)));
    let elsewhere = maker.code(&other, at(0));
    let bob = maker.account(alice.company, "bob");
    let bobs = maker.pending(&bob, at(0));
    let bobs_code = maker.code(&bobs, at(0));
    let step_up = NewCode {
        purpose: "step_up",
        ..maker.code(&other, at(0))
    };
    write(store, async |writer| {
        writer.insert_account(&bob).await?;
        for pending in [&pending, &other, &bobs] {
            writer.insert_pending(pending).await?;
        }
        for code in [&elsewhere, &old, &bobs_code, &step_up] {
            writer.insert_code(code).await?;
        }
        writer
            .replace_codes(alice.company, alice.id, "sign_in", at(60))
            .await?;
        writer.insert_code(&new).await?;
        assert!(!writer.use_code(old.company, old.id, at(61)).await?);
        assert!(!writer.use_code(new.company, new.id, new.expires_at).await?);
        let rows = writer.codes_of_pending(pending.company, pending.id).await?;
        let seen: Vec<_> = rows
            .iter()
            .map(|row| (row.id, row.replaced_at, row.used_at))
            .collect();
        assert_eq!(
            seen,
            [(new.id, None, None), (old.id, Some(at(60)), None)],
            "newest first"
        );
        assert!(writer.use_code(new.company, new.id, at(61)).await?);
        assert!(
            !writer.use_code(elsewhere.company, elsewhere.id, at(61)).await?,
            "a new code replaces those of other sign-ins too"
        );
        for code in [&bobs_code, &step_up] {
            assert!(
                writer.use_code(code.company, code.id, at(61)).await?,
                "another's, or for something else"
            );
        }
        Ok(())
    })
    .await
    .unwrap();
}

/// Fingerprints of mailed codes, each with the end of what is still good.
type Known = Vec<(Vec<u8>, Option<Moment>)>;

pub async fn a_mailed_code_is_known_again_until_it_is_used(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let (company, id) = (alice.company, alice.id);
    let bob = maker.account(company, "bob");
    let (gone, open) = (maker.pending(&alice, at(0)), maker.pending(&alice, at(60)));
    let (old, new) = (maker.code(&gone, at(0)), maker.code(&open, at(60)));
    let set_up = maker.set_up(&alice, Method::Email, at(120));
    let set_up_code = maker.code_id(at(120));
    write(store, async |writer| {
        writer.insert_account(&bob).await?;
        for (pending, code, name) in [(&gone, &old, b"old"), (&open, &new, b"new")] {
            writer.insert_pending(pending).await?;
            writer
                .replace_codes(company, id, code.purpose, code.created_at)
                .await?;
            writer.insert_code(code).await?;
            writer
                .remember_code(company, id, code.id, name, code.created_at)
                .await?;
        }
        writer.begin_set_up(&set_up).await?;
        writer
            .insert_set_up_code(company, set_up.id, set_up_code, &[1; 32], at(120))
            .await?;
        writer
            .remember_code(company, id, set_up_code, b"set-up", at(120))
            .await?;
        writer.delete_pending(company, gone.id).await
    })
    .await
    .unwrap();
    let known = async |writer: &mut Writer, since| -> Result<Known, StoreError> {
        let codes = writer.mailed_codes(company, id, since).await?;
        Ok(codes
            .into_iter()
            .map(|code| (code.fingerprint, code.live_until))
            .collect())
    };
    write(store, async |writer| {
        let all = known(writer, at(-1)).await?;
        let expected = [
            (b"set-up".to_vec(), Some(set_up.expires_at)),
            (b"new".to_vec(), Some(new.expires_at)),
            (b"old".to_vec(), None),
        ];
        assert_eq!(
            all, expected,
            "newest first, whatever became of what they were for"
        );
        assert_eq!(known(writer, at(60)).await?.len(), 1);
        assert_eq!(writer.mailed_codes(company, bob.id, at(-1)).await?, []);

        assert!(writer.use_code(company, new.id, at(61)).await?);
        writer.replace_set_up_codes(company, set_up.id, at(121)).await?;
        assert_eq!(
            known(writer, at(-1)).await?,
            [(b"set-up".to_vec(), None), (b"old".to_vec(), None)],
            "what was used is no longer known"
        );
        writer.forget_code(company, set_up_code).await?;
        assert_eq!(known(writer, at(-1)).await?.len(), 1);
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn what_an_entered_code_is_compared_with_is_read_at_once(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let ids = (alice.company, alice.id);
    let (gone, open) = (maker.pending(&alice, at(0)), maker.pending(&alice, at(60)));
    write(store, async |writer| {
        for (pending, second) in [(&gone, 0), (&open, 60), (&open, 120), (&open, 120)] {
            if second < 120 {
                writer.insert_pending(pending).await?;
            }
            writer.replace_codes(ids.0, ids.1, "sign_in", at(second)).await?;
            let code = maker.code(pending, at(second));
            writer.insert_code(&code).await?;
            writer
                .remember_code(ids.0, ids.1, code.id, &code.code_hash, at(second))
                .await?;
        }
        for pending in [&gone, &open] {
            let (codes, remembered) = writer.codes_to_compare(ids, pending.id, at(0)).await?;
            assert_eq!(codes, writer.codes_of_pending(ids.0, pending.id).await?);
            assert_eq!(remembered, writer.mailed_codes(ids.0, ids.1, at(0)).await?);
            assert_eq!(
                (codes.len(), remembered.len()),
                (if pending.id == open.id { 3 } else { 1 }, 3)
            );
        }
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn no_more_old_codes_are_known_than_may_be_mailed_in_a_day(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let (company, id) = (alice.company, alice.id);
    write(store, async |writer| {
        for second in 0..25 {
            writer
                .remember_code(company, id, maker.code_id(at(second)), &[1], at(second))
                .await?;
        }
        let known = writer.mailed_codes(company, id, at(-1)).await?;
        assert_eq!((known.len(), known[0].created_at), (20, at(24)));
        Ok(())
    })
    .await
    .unwrap();
    for (now, gone) in [(at(4 + 25 * 3600), 5), (at(24 + 25 * 3600), 20)] {
        assert_eq!(store.delete_expired(now, Duration::ZERO).await, Ok(gone));
    }
}

pub async fn twenty_parallel_uses_have_one_winner(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let pending = maker.pending(&alice, at(0));
    let code = maker.code(&pending, at(0));
    write(store, async |writer| {
        writer.insert_pending(&pending).await?;
        writer.insert_code(&code).await
    })
    .await
    .unwrap();
    let (company, id) = (code.company, code.id);
    let attempts = (0..20).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut writer = store.write().await?;
            let used = writer.use_code(company, id, at(1)).await?;
            writer.commit().await?;
            Ok::<_, StoreError>(used)
        })
    });
    let used = join_all(attempts)
        .await
        .into_iter()
        .filter(|used| *used.as_ref().unwrap().as_ref().unwrap())
        .count();
    assert_eq!(used, 1);
}

pub async fn mailed_codes_are_counted_even_after_a_cancel(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let bob = maker.account(alice.company, "bob");
    write(store, async |writer| {
        writer.insert_account(&bob).await?;
        let kinds = ["sign_in_code", "confirm_code", "set_up_code"];
        for (second, kind) in [0, 60, 120].into_iter().zip(kinds) {
            let pending = maker.pending(&alice, at(second));
            writer.insert_pending(&pending).await?;
            writer.insert_code(&maker.code(&pending, at(second))).await?;
            writer
                .insert_mail(&NewMail {
                    kind,
                    ..maker.mail(&alice, Some(&pending), at(second))
                })
                .await?;
        }
        writer
            .insert_mail(&NewMail {
                kind: "account_locked",
                ..maker.mail(&alice, None, at(130))
            })
            .await?;
        writer.insert_mail(&maker.mail(&bob, None, at(130))).await?;
        writer.delete_pendings_of(alice.company, alice.id).await?;
        Ok(())
    })
    .await
    .unwrap();
    let deleted = store.delete_expired(at(120) + TimeDelta::hours(24), Duration::ZERO);
    deleted.await.unwrap();
    write(store, async |writer| {
        let mailed = writer
            .code_mails_since(alice.company, alice.id, at(0) - TimeDelta::seconds(1))
            .await?;
        assert_eq!(mailed, [at(120), at(60), at(0)]);
        assert_eq!(
            writer.code_mails_since(alice.company, alice.id, at(60)).await?,
            [at(120)]
        );
        Ok(())
    })
    .await
    .unwrap();
}
