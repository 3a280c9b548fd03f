//! The outbox.

use std::collections::HashSet;

use futures::future::join_all;
use vestibule_core::{id::CompanyId, ports::Moment};
use vestibule_storage::{
    MailLane, MailProgress, NewAccount, NewMail, OutboxCounts, Store, StoreError, TestMailRow,
    test_support::TestStore,
};

use crate::fixture::{Maker, alice, at, mail_server, write};

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
            Some(waiting.clone())
        );
        let kind = mail.kind;
        assert_eq!(
            writer.newest_mail(alice.company, alice.id, kind).await?,
            Some(waiting)
        );
        assert_eq!(
            writer.newest_mail(alice.company, alice.id, "another").await?,
            None
        );

        assert_eq!(writer.mail_owner(mail.id).await?, Some((alice.company, alice.id)));
        assert_eq!(writer.mail_owner(maker.mail(&alice, None, at(0)).id).await?, None);

        assert!(!writer.has_due_mail(at(-1)).await?);
        assert!(writer.has_due_mail(at(0)).await?);
        let claimed = writer
            .claim_mails(MailLane::Installation, at(0), at(30), 10)
            .await?;
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
        assert_eq!(
            writer
                .claim_mails(MailLane::Installation, at(1), at(31), 10)
                .await?,
            []
        );

        writer.mail_sent(mail.id, at(2), None).await?;
        writer.mail_retry(mail.id, at(3), "late news").await?;
        writer.mail_given_up(mail.id, at(3), "late news", None).await?;
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
        assert_eq!(
            writer
                .claim_mails(MailLane::Installation, at(999), at(1029), 10)
                .await?,
            []
        );
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
        assert_eq!(
            writer
                .claim_mails(MailLane::Installation, at(0), at(30), 10)
                .await?
                .len(),
            1
        );
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
        assert_eq!(
            writer
                .claim_mails(MailLane::Installation, at(19), at(49), 10)
                .await?,
            [],
            "not due yet"
        );
        let again = writer
            .claim_mails(MailLane::Installation, at(20), at(50), 10)
            .await?;
        assert_eq!(again.iter().map(|row| row.tries).collect::<Vec<_>>(), [2]);

        assert!(writer.has_failing_mail().await?, "until it has come through");
        writer
            .mail_given_up(mail.id, at(21), "no such mailbox", None)
            .await?;
        assert!(!writer.has_failing_mail().await?);
        writer.mail_sent(mail.id, at(22), None).await?;
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
        assert_eq!(
            writer
                .claim_mails(MailLane::Installation, at(999), at(1029), 10)
                .await?,
            []
        );

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
        writer.mail_given_up(newer.id, at(61), "expired", None).await
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
            let claimed = writer
                .claim_mails(MailLane::Installation, at(10), at(40), most)
                .await?;
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
        assert_eq!(
            writer
                .claim_mails(MailLane::Installation, at(0), at(30), 10)
                .await?
                .len(),
            1
        );
        assert_eq!(
            writer
                .claim_mails(MailLane::Installation, at(29), at(59), 10)
                .await?
                .len(),
            0
        );
        let again = writer
            .claim_mails(MailLane::Installation, at(30), at(60), 10)
            .await?;
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
                let claimed = writer
                    .claim_mails(MailLane::Installation, at(1), at(31), 7)
                    .await?;
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

/// Another company with one account and a mail server of its own.
async fn bob(store: &Store, maker: &Maker) -> NewAccount {
    let company = maker.company("Globex");
    let account = maker.account(company.id, "bob");
    write(store, async |writer| {
        writer.insert_company(&company).await?;
        writer.insert_account(&account).await?;
        writer.put_mail_server(&mail_server(company.id), None).await
    })
    .await
    .unwrap();
    account
}

pub async fn a_company_with_a_server_of_its_own_has_a_lane_of_its_own(store: &TestStore) {
    let maker = Maker::new();
    let (alice, bob) = (alice(store, &maker).await, bob(store, &maker).await);
    let (hers, his) = (maker.mail(&alice, None, at(0)), maker.mail(&bob, None, at(0)));
    let his_lane = MailLane::Company(bob.company);
    write(store, async |writer| {
        assert_eq!(writer.mail_lanes(at(0)).await?, []);
        writer.insert_mail(&his).await?;
        assert_eq!(writer.mail_lanes(at(-1)).await?, [], "not due yet");
        assert_eq!(writer.mail_lanes(at(0)).await?, [his_lane]);
        writer.insert_mail(&hers).await?;
        assert_eq!(
            writer.mail_lanes(at(0)).await?,
            [MailLane::Installation, his_lane]
        );
        for (lane, id) in [(MailLane::Installation, hers.id), (his_lane, his.id)] {
            let claimed = writer.claim_mails(lane, at(0), at(30), 10).await?;
            assert_eq!(claimed.iter().map(|row| row.id).collect::<Vec<_>>(), [id]);
            assert_eq!(writer.claim_mails(lane, at(0), at(30), 10).await?, []);
        }
        assert_eq!(writer.mail_lanes(at(29)).await?, [], "claimed");
        assert_eq!(writer.mail_lanes(at(30)).await?.len(), 2);

        writer.mail_retry(his.id, at(60), "timed_out").await?;
        assert!(
            !writer.has_failing_mail().await?,
            "only the installation's counts"
        );
        let server = writer.mail_server(bob.company).await?.unwrap();
        assert!(writer.delete_mail_server(bob.company, server.version).await?);
        assert!(writer.has_failing_mail().await?, "it goes that way now");
        assert_eq!(
            writer
                .claim_mails(MailLane::Installation, at(60), at(90), 10)
                .await?
                .len(),
            2
        );
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn a_failing_mail_of_a_sign_in_is_hurried(store: &TestStore) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let pending = maker.pending(&alice, at(0));
    let mail = maker.mail(&alice, Some(&pending), at(0));
    let (company, id) = (alice.company, pending.id);
    write(store, async |writer| {
        writer.insert_pending(&pending).await?;
        writer.insert_mail(&mail).await?;
        assert!(!writer.hurry_mail(company, id, at(1)).await?, "it has not failed");
        writer
            .claim_mails(MailLane::Installation, at(1), at(30), 10)
            .await?;
        writer.mail_retry(mail.id, at(200), "refused").await?;
        assert!(
            !writer.hurry_mail(CompanyId(id.0), id, at(2)).await?,
            "another company"
        );
        assert!(writer.hurry_mail(company, id, at(2)).await?);
        assert!(!writer.hurry_mail(company, id, at(3)).await?, "it is due already");
        assert_eq!(
            writer
                .claim_mails(MailLane::Installation, at(2), at(32), 10)
                .await?
                .len(),
            1
        );
        assert!(!writer.hurry_mail(company, id, at(3)).await?, "it is on its way");
        writer.mail_sent(mail.id, at(4), None).await?;
        assert!(!writer.hurry_mail(company, id, at(5)).await?, "it was sent");
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn older_mails_of_a_kind_are_counted_and_dropped(store: &TestStore) {
    let maker = Maker::new();
    let (alice, bob) = (alice(store, &maker).await, bob(store, &maker).await);
    let of = |account: &NewAccount, kind: &'static str, seconds: i64| NewMail {
        kind,
        ..maker.mail(account, None, at(seconds))
    };
    let mails = [
        of(&alice, "reset_link", 0),
        of(&alice, "reset_link", 10),
        of(&alice, "new_browser", 20),
        of(&bob, "reset_link", 20),
    ];
    let count = async |since: Moment| {
        let mut reader = store.read().await.unwrap();
        reader
            .mails_since(alice.company, alice.id, "reset_link", since)
            .await
            .unwrap()
    };
    write(store, async |writer| {
        for mail in &mails {
            writer.insert_mail(mail).await?;
        }
        writer
            .drop_mails(alice.company, alice.id, "reset_link", at(30), "replaced")
            .await?;
        let mut left = writer
            .claim_mails(MailLane::Installation, at(30), at(60), 10)
            .await?;
        left.extend(
            writer
                .claim_mails(MailLane::Company(bob.company), at(30), at(60), 10)
                .await?,
        );
        let left: Vec<_> = left.into_iter().map(|row| row.id).collect();
        assert_eq!(left, [mails[2].id, mails[3].id]);
        Ok(())
    })
    .await
    .unwrap();
    assert_eq!(sealed_mails(store).await, 2, "what the others said is wiped");
    assert_eq!(
        [count(at(-1)).await, count(at(0)).await, count(at(10)).await],
        [2, 1, 0]
    );
}

pub async fn a_test_mail_keeps_what_the_server_said(store: &TestStore) {
    let maker = Maker::new();
    let (alice, bob) = (alice(store, &maker).await, bob(store, &maker).await);
    let test = |seconds| NewMail {
        kind: "test_mail",
        ..maker.mail(&bob, None, at(seconds))
    };
    let (old, new) = (test(0), test(5));
    write(store, async |writer| {
        assert_eq!(writer.newest_test_mail(bob.company).await?, None);
        for mail in [&old, &new, &maker.mail(&bob, None, at(9))] {
            writer.insert_mail(mail).await?;
        }
        writer.mail_sent(old.id, at(6), Some("250 queued")).await?;
        let mut expected = TestMailRow {
            receiver: new.receiver.clone(),
            created_at: at(5),
            sent_at: None,
            given_up_at: None,
            problem: None,
            answer: None,
        };
        assert_eq!(
            writer.newest_test_mail(bob.company).await?.as_ref(),
            Some(&expected)
        );
        writer
            .mail_given_up(new.id, at(7), "rejected_535", Some("535 no such user"))
            .await?;
        expected.given_up_at = Some(at(7));
        expected.problem = Some("rejected_535".into());
        expected.answer = Some("535 no such user".into());
        assert_eq!(writer.newest_test_mail(bob.company).await?, Some(expected));
        assert_eq!(writer.test_mails_since(bob.company, at(-1)).await?, 2);
        assert_eq!(writer.test_mails_since(bob.company, at(0)).await?, 1);
        assert_eq!(writer.test_mails_since(alice.company, at(-1)).await?, 0);
        assert_eq!(writer.newest_test_mail(alice.company).await?, None);
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn what_waits_in_the_outbox_is_counted(store: &TestStore) {
    let maker = Maker::new();
    let (alice, bob) = (alice(store, &maker).await, bob(store, &maker).await);
    let [sent, failing, waiting, his] = [(&alice, 0), (&alice, 1), (&alice, 2), (&bob, 3)]
        .map(|(account, seconds)| maker.mail(account, None, at(seconds)));
    write(store, async |writer| {
        let nothing = OutboxCounts::default();
        assert_eq!(writer.all_outbox_counts(at(0)).await?, nothing);
        for mail in [&sent, &failing, &waiting, &his] {
            writer.insert_mail(mail).await?;
        }
        writer.mail_sent(sent.id, at(4), None).await?;
        writer.mail_retry(failing.id, at(60), "refused").await?;
        writer.mail_given_up(his.id, at(5), "expired", None).await?;
        let hers = OutboxCounts {
            waiting: 2,
            failing: 1,
            oldest: Some(at(1)),
            given_up: 0,
        };
        assert_eq!(writer.outbox_counts(alice.company, at(0)).await?, hers);
        let his = OutboxCounts {
            given_up: 1,
            ..nothing.clone()
        };
        assert_eq!(writer.outbox_counts(bob.company, at(4)).await?, his);
        assert_eq!(
            writer.outbox_counts(bob.company, at(5)).await?,
            nothing,
            "long ago"
        );
        let all = OutboxCounts { given_up: 1, ..hers };
        assert_eq!(writer.all_outbox_counts(at(4)).await?, all);
        Ok(())
    })
    .await
    .unwrap();
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
