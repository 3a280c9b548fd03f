//! One-time codes.

use std::time::Duration;

use chrono::TimeDelta;
use futures::future::join_all;
use vestibule_storage::{NewMail, Store, StoreError};

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
        writer.replace_codes(code.company, pending.id, at(3)).await?;
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
    write(store, async |writer| {
        writer.insert_pending(&pending).await?;
        writer.insert_pending(&other).await?;
        writer.insert_code(&elsewhere).await?;
        writer.insert_code(&old).await?;
        writer.replace_codes(pending.company, pending.id, at(60)).await?;
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
        assert!(writer.use_code(elsewhere.company, elsewhere.id, at(61)).await?);
        Ok(())
    })
    .await
    .unwrap();
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
