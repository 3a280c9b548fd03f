//! Pending sign-ins.

use futures::future::join_all;
use vestibule_core::{
    sign_in::{Pending, Purpose},
    sign_in_view::Method,
};
use vestibule_storage::{Completion, NewPending, Store, StoreError, test_support::TestStore};

use crate::fixture::{Maker, alice, at, raw, write};

pub async fn a_pending_sign_in_is_read_as_it_was_written(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let new = maker.pending(&alice, at(0));
    write(store, async |writer| writer.insert_pending(&new).await)
        .await
        .unwrap();
    let expected = Pending {
        id: new.id,
        company: new.company,
        account: new.account,
        purpose: Purpose::SignIn,
        method: Method::Email,
        created_at: at(0),
        expires_at: at(600),
        mailed_at: None,
        resends: 0,
        credential_version: 1,
        next: Some("/profile".into()),
        completed_at: None,
    };
    let mut reader = store.read().await.unwrap();
    assert_eq!(
        reader.pending_by_token(new.token_hash).await,
        Ok(Some((expected.clone(), None)))
    );
    let underway = reader.underway(new.token_hash).await.unwrap().unwrap();
    assert_eq!((underway.pending, underway.account.id), (expected, alice.id));
    assert_eq!(underway.company.id, alice.company);
    assert!(underway.completion.is_none() && !underway.links);
    assert!(reader.underway(maker.token()).await.unwrap().is_none());
    assert_eq!(reader.pending_by_token(maker.token()).await, Ok(None));
}

pub async fn a_mail_is_marked_once(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let new = maker.pending(&alice, at(0));
    let (company, id) = (new.company, new.id);
    write(store, async |writer| {
        writer.insert_pending(&new).await?;
        assert!(
            !writer.mark_mailed(company, id, Some(at(0)), at(0), false).await?,
            "none was mailed yet"
        );
        assert!(writer.mark_mailed(company, id, None, at(0), false).await?);
        assert!(!writer.mark_mailed(company, id, None, at(0), false).await?);
        let (pending, _) = writer.pending_by_token(new.token_hash).await?.unwrap();
        assert_eq!((pending.mailed_at, pending.resends), (Some(at(0)), 0));
        Ok(())
    })
    .await
    .unwrap();

    let resends = (0..20).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut writer = store.write().await?;
            let won = writer.mark_mailed(company, id, Some(at(0)), at(60), true).await?;
            writer.commit().await?;
            Ok::<_, StoreError>(won)
        })
    });
    let won = join_all(resends)
        .await
        .into_iter()
        .filter(|won| *won.as_ref().unwrap().as_ref().unwrap())
        .count();
    assert_eq!(won, 1);
    let (pending, _) = store
        .read()
        .await
        .unwrap()
        .pending_by_token(new.token_hash)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((pending.mailed_at, pending.resends), (Some(at(60)), 1));
}

pub async fn a_pending_sign_in_is_completed_once_and_in_time(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let new = maker.pending(&alice, at(0));
    let (company, id, session) = (new.company, new.id, maker.session_id());
    write(store, async |writer| {
        writer.insert_pending(&new).await?;
        assert!(
            !writer
                .complete_pending(company, id, session, b"hash", at(600))
                .await?,
            "over"
        );
        assert!(
            writer
                .complete_pending(company, id, session, b"hash", at(599))
                .await?
        );
        assert!(
            !writer
                .complete_pending(company, id, maker.session_id(), b"late", at(599))
                .await?,
            "completed"
        );
        assert!(
            !writer.mark_mailed(company, id, None, at(599), true).await?,
            "completed"
        );
        let (pending, led_to) = writer.pending_by_token(new.token_hash).await?.unwrap();
        let with = b"hash".to_vec();
        let completion = Completion { session, with };
        assert!(!format!("{completion:?}").contains("104"), "no bytes in it");
        assert_eq!((pending.completed_at, led_to), (Some(at(599)), Some(completion)));
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn a_code_and_its_sign_in_are_used_together(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let new = maker.pending(&alice, at(0));
    let (company, id, session) = (new.company, new.id, maker.session_id());
    let (code, used) = (maker.code(&new, at(0)), maker.code(&new, at(0)));
    write(store, async |writer| {
        writer.insert_pending(&new).await?;
        writer.insert_code(&code).await?;
        writer.insert_code(&used).await?;
        writer
            .remember_code(company, alice.id, code.id, b"known", at(0))
            .await?;
        assert!(writer.use_code(company, used.id, at(1)).await?);
        Ok(())
    })
    .await
    .unwrap();
    let complete = async |code, now| {
        let mut writer = store.write().await?;
        let won = writer
            .complete_pending_by_code((company, id), code, session, b"hash", now)
            .await?;
        if won {
            writer.commit().await?;
        }
        Ok::<_, StoreError>(won)
    };
    assert_eq!(complete(used.id, at(2)).await, Ok(false), "a code is used once");
    assert_eq!(complete(code.id, at(600)).await, Ok(false), "both are over");
    assert_eq!(complete(code.id, at(3)).await, Ok(true));
    assert_eq!(complete(code.id, at(4)).await, Ok(false));
    let mut reader = store.read().await.unwrap();
    let (pending, led_to) = reader.pending_by_token(new.token_hash).await.unwrap().unwrap();
    assert_eq!(
        (pending.completed_at, led_to.unwrap().session),
        (Some(at(3)), session)
    );
    assert_eq!(reader.mailed_codes(company, alice.id, at(-1)).await, Ok(vec![]));

    // The code is good, the sign-in completed: nothing of it may stay used.
    let fresh = maker.code(&new, at(5));
    write(store, async |writer| writer.insert_code(&fresh).await)
        .await
        .unwrap();
    assert_eq!(complete(fresh.id, at(6)).await, Ok(false));
    let rows = store.read().await.unwrap().codes_of_pending(company, id).await;
    assert_eq!(rows.unwrap()[0].used_at, None);
}

pub async fn a_cancelled_sign_in_takes_its_codes_along(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let pendings: Vec<_> = (0..3).map(|_| maker.pending(&alice, at(0))).collect();
    write(store, async |writer| {
        for pending in &pendings {
            writer.insert_pending(pending).await?;
            writer.insert_code(&maker.code(pending, at(0))).await?;
        }
        assert!(writer.delete_pending(alice.company, pendings[0].id).await?);
        assert!(!writer.delete_pending(alice.company, pendings[0].id).await?);
        assert_eq!(writer.codes_of_pending(alice.company, pendings[0].id).await?, []);
        assert_eq!(
            writer
                .codes_of_pending(alice.company, pendings[1].id)
                .await?
                .len(),
            1
        );
        assert_eq!(writer.delete_pendings_of(alice.company, alice.id).await?, 2);
        assert_eq!(writer.codes_of_pending(alice.company, pendings[1].id).await?, []);
        assert_eq!(writer.pending_by_token(pendings[2].token_hash).await?, None);
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn a_step_up_names_its_session_and_a_method_changes_while_it_is_open(store: &TestStore) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let session = maker.session_id();
    let new = NewPending {
        purpose: Purpose::StepUp(session),
        method: Method::App,
        ..maker.pending(&alice, at(0))
    };
    let other = maker.pending(&alice, at(0));
    let (company, id) = (new.company, new.id);
    write(store, async |writer| {
        writer.insert_pending(&new).await?;
        writer.insert_pending(&other).await?;
        let (pending, _) = writer.pending_by_token(new.token_hash).await?.unwrap();
        assert_eq!(
            (pending.purpose, pending.method),
            (Purpose::StepUp(session), Method::App)
        );
        assert!(writer.set_pending_method(company, id, Method::Email).await?);
        let (pending, _) = writer.pending_by_token(new.token_hash).await?.unwrap();
        assert_eq!(pending.method, Method::Email);
        assert!(
            writer
                .complete_pending(company, id, session, b"hash", at(1))
                .await?
        );
        assert!(!writer.set_pending_method(company, id, Method::App).await?);
        let (pending, _) = writer.pending_by_token(new.token_hash).await?.unwrap();
        assert_eq!(pending.method, Method::Email, "completed");
        let (pending, _) = writer.pending_by_token(other.token_hash).await?.unwrap();
        assert_eq!(
            (pending.purpose, pending.method),
            (Purpose::SignIn, Method::Email)
        );
        Ok(())
    })
    .await
    .unwrap();

    raw(store, "UPDATE pending_sign_in SET for_session = NULL").await;
    let mut reader = store.read().await.unwrap();
    assert_eq!(
        reader.pending_by_token(new.token_hash).await,
        Err(StoreError::Corrupt {
            table: "pending_sign_in",
            column: "purpose"
        }),
        "never taken for a sign-in"
    );
}

pub async fn all_pendings_of_a_company_go_together_and_no_others(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let pendings: Vec<_> = (0..2).map(|_| maker.pending(&alice, at(0))).collect();
    write(store, async |writer| {
        for pending in &pendings {
            writer.insert_pending(pending).await?;
            writer.insert_code(&maker.code(pending, at(0))).await?;
        }
        let unknown = vestibule_core::id::CompanyId(uuid::Uuid::nil());
        assert_eq!(writer.delete_pendings_of_company(unknown).await?, 0);
        assert!(writer.pending_by_token(pendings[0].token_hash).await?.is_some());
        assert_eq!(writer.delete_pendings_of_company(alice.company).await?, 2);
        for pending in &pendings {
            assert_eq!(writer.pending_by_token(pending.token_hash).await?, None);
            assert_eq!(writer.codes_of_pending(alice.company, pending.id).await?, []);
        }
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn what_a_company_holds_is_counted(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let pending = maker.pending(&alice, at(0));
    write(store, async |writer| {
        writer.insert_pending(&pending).await?;
        writer
            .insert_mail(&maker.mail(&alice, Some(&pending), at(0)))
            .await?;
        let counts = writer.count_company(alice.company, at(1)).await?;
        assert_eq!(
            (
                counts.accounts,
                counts.sessions,
                counts.waiting_mails,
                counts.imports
            ),
            (1, 0, 1, 0)
        );
        Ok(())
    })
    .await
    .unwrap();
}
