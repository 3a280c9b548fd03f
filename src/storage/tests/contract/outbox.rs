//! The outbox.

use std::collections::HashSet;

use futures::future::join_all;
use vestibule_storage::{MailProgress, NewMail, StoreError, test_support::TestStore};

use crate::fixture::{Maker, alice, at, write};

pub async fn a_mail_goes_out_once_and_is_wiped(store: &TestStore) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let pending = maker.pending(&alice, at(0));
    let mail = maker.mail(&alice, Some(&pending), at(0));
    write(store, async |writer| {
        writer.insert_pending(&pending).await?;
        assert_eq!(writer.mail_of_pending(alice.company, pending.id).await?, None);
        writer.insert_mail(&mail).await?;
        let waiting = MailProgress {
            sent_at: None,
            given_up_at: None,
            tries: 0,
            problem: None,
        };
        assert_eq!(
            writer.mail_of_pending(alice.company, pending.id).await?,
            Some(waiting)
        );

        assert_eq!(writer.mail_owner(mail.id).await?, Some((alice.company, alice.id)));
        assert_eq!(writer.mail_owner(maker.mail(&alice, None, at(0)).id).await?, None);

        assert!(!writer.has_due_mail(at(-1)).await?);
        assert!(writer.has_due_mail(at(0)).await?);
        let claimed = writer.claim_mails(at(0), at(30), 10).await?;
        assert_eq!(claimed.len(), 1);
        let row = &claimed[0];
        assert_eq!(
            (row.id, row.company, row.account),
            (mail.id, mail.company, mail.account)
        );
        assert_eq!(
            (row.kind.as_str(), &row.receiver, &row.language),
            (mail.kind, &mail.receiver, &mail.language)
        );
        assert_eq!((&row.sealed, row.priority, row.tries), (&mail.sealed, 0, 1));
        assert_eq!(
            (row.created_at, row.due_at, row.expires_at),
            (at(0), at(0), Some(at(600)))
        );
        assert_eq!(row.pending, Some(pending.id));
        assert!(!writer.has_due_mail(at(29)).await?, "claimed");
        assert!(
            writer.has_due_mail(at(30)).await?,
            "claimed by somebody who has died"
        );
        assert_eq!(writer.claim_mails(at(1), at(31), 10).await?, []);

        writer.mail_sent(mail.id, at(2)).await?;
        writer.mail_retry(mail.id, at(3), "late news").await?;
        writer.mail_given_up(mail.id, at(3), "late news").await?;
        let sent = MailProgress {
            sent_at: Some(at(2)),
            given_up_at: None,
            tries: 1,
            problem: None,
        };
        assert_eq!(
            writer.mail_of_pending(alice.company, pending.id).await?,
            Some(sent)
        );
        assert!(!writer.has_due_mail(at(999)).await?);
        assert_eq!(writer.claim_mails(at(999), at(1029), 10).await?, []);
        Ok(())
    })
    .await
    .unwrap();
    assert_eq!(sealed_mails(store).await, 0, "what it said is wiped");
}

pub async fn a_failing_mail_is_tried_again_and_given_up(store: &TestStore) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let pending = maker.pending(&alice, at(0));
    let mail = maker.mail(&alice, Some(&pending), at(0));
    write(store, async |writer| {
        writer.insert_pending(&pending).await?;
        writer.insert_mail(&mail).await?;
        assert_eq!(writer.claim_mails(at(0), at(30), 10).await?.len(), 1);
        assert!(!writer.has_failing_mail().await?);
        writer.mail_retry(mail.id, at(20), "connection refused").await?;
        assert!(writer.has_failing_mail().await?);
        let failing = MailProgress {
            sent_at: None,
            given_up_at: None,
            tries: 1,
            problem: Some("connection refused".into()),
        };
        assert_eq!(
            writer.mail_of_pending(alice.company, pending.id).await?,
            Some(failing)
        );
        assert_eq!(writer.claim_mails(at(19), at(49), 10).await?, [], "not due yet");
        let again = writer.claim_mails(at(20), at(50), 10).await?;
        assert_eq!(again.iter().map(|row| row.tries).collect::<Vec<_>>(), [2]);

        assert!(writer.has_failing_mail().await?, "until it has come through");
        writer.mail_given_up(mail.id, at(21), "no such mailbox").await?;
        assert!(!writer.has_failing_mail().await?);
        writer.mail_sent(mail.id, at(22)).await?;
        let given_up = MailProgress {
            sent_at: None,
            given_up_at: Some(at(21)),
            tries: 2,
            problem: Some("no such mailbox".into()),
        };
        assert_eq!(
            writer.mail_of_pending(alice.company, pending.id).await?,
            Some(given_up)
        );
        assert_eq!(writer.claim_mails(at(999), at(1029), 10).await?, []);

        let newer = maker.mail(&alice, Some(&pending), at(60));
        writer.insert_mail(&newer).await?;
        assert_eq!(
            writer
                .mail_of_pending(alice.company, pending.id)
                .await?
                .unwrap()
                .tries,
            0,
            "the newest"
        );
        writer.mail_given_up(newer.id, at(61), "expired").await
    })
    .await
    .unwrap();
    assert_eq!(sealed_mails(store).await, 0, "what they said is wiped");
}

pub async fn urgent_mails_go_first_and_only_when_due(store: &TestStore) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let notice = NewMail {
        priority: 10,
        ..maker.mail(&alice, None, at(0))
    };
    let later = maker.mail(&alice, None, at(2));
    let code = maker.mail(&alice, None, at(1));
    let tomorrow = maker.mail(&alice, None, at(86_400));
    write(store, async |writer| {
        for mail in [&notice, &later, &tomorrow, &code] {
            writer.insert_mail(mail).await?;
        }
        let mut order = Vec::new();
        for most in [2, 5, 5] {
            let claimed = writer.claim_mails(at(10), at(40), most).await?;
            order.push(claimed.into_iter().map(|row| row.id).collect::<Vec<_>>());
        }
        assert_eq!(order, [vec![code.id, later.id], vec![notice.id], vec![]]);
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn a_claim_of_a_dead_worker_ends(store: &TestStore) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    write(store, async |writer| {
        writer.insert_mail(&maker.mail(&alice, None, at(0))).await?;
        assert_eq!(writer.claim_mails(at(0), at(30), 10).await?.len(), 1);
        assert_eq!(writer.claim_mails(at(29), at(59), 10).await?.len(), 0);
        let again = writer.claim_mails(at(30), at(60), 10).await?;
        assert_eq!(
            again.iter().map(|row| row.tries).collect::<Vec<_>>(),
            [2],
            "the lost try counts"
        );
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn two_nodes_never_claim_the_same_mail(store: &TestStore) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    write(store, async |writer| {
        for _ in 0..60 {
            writer.insert_mail(&maker.mail(&alice, None, at(0))).await?;
        }
        Ok(())
    })
    .await
    .unwrap();
    let nodes = [store.second().await, store.second().await];
    let workers = (0..8).map(|worker| {
        let node = nodes[worker % 2].clone();
        tokio::spawn(async move {
            let mut mine = Vec::new();
            loop {
                let mut writer = node.write().await?;
                let claimed = writer.claim_mails(at(1), at(31), 7).await?;
                // Others come in between the claim and its commit.
                tokio::task::yield_now().await;
                writer.commit().await?;
                if claimed.is_empty() {
                    return Ok::<_, StoreError>(mine);
                }
                mine.extend(claimed.into_iter().map(|row| row.id));
            }
        })
    });
    let claimed: Vec<_> = join_all(workers)
        .await
        .into_iter()
        .flat_map(|mine| mine.unwrap().unwrap())
        .collect();
    assert_eq!(claimed.len(), 60);
    assert_eq!(claimed.iter().collect::<HashSet<_>>().len(), 60);
}

/// Mails whose content is still stored.
async fn sealed_mails(store: &TestStore) -> i64 {
    const SEALED: &str = "SELECT count(*) FROM mail_outbox WHERE sealed IS NOT NULL";
    use sqlx::Connection;
    let (count,): (i64,) = if store.url().starts_with("sqlite") {
        let mut connection = sqlx::SqliteConnection::connect(store.url()).await.unwrap();
        sqlx::query_as(SEALED).fetch_one(&mut connection).await.unwrap()
    } else {
        let mut connection = sqlx::PgConnection::connect(store.url()).await.unwrap();
        sqlx::query_as(SEALED).fetch_one(&mut connection).await.unwrap()
    };
    count
}
