//! How many accounts are how is kept, and is what counting them gives.

use futures::future::join_all;
use vestibule_core::id::{AccountId, CompanyId};
use vestibule_storage::{AgentCounts, NewAccount, Store, test_support::TestStore};

use crate::fixture::{Maker, alice, at, count, raw, write};

async fn counts(store: &Store, company: CompanyId) -> AgentCounts {
    store.read().await.unwrap().count_agents(company).await.unwrap()
}

/// The numbers, which are those that counting gives.
async fn kept(store: &Store, company: CompanyId, what: &str) -> [i64; 7] {
    assert_eq!(store.mend_agent_tallies().await, Ok(0), "{what}");
    let AgentCounts {
        all,
        active,
        inactive,
        locked,
        with_second_factor,
        with_email,
        with_app,
    } = counts(store, company).await;
    [
        all,
        active,
        inactive,
        locked,
        with_second_factor,
        with_email,
        with_app,
    ]
}

/// A company of two accounts without a second factor.
async fn two_without_a_factor(store: &Store) -> (CompanyId, AccountId, AccountId) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let plain = NewAccount {
        email_factor: false,
        ..maker.account(alice.company, "bob")
    };
    write(store, async |writer| {
        writer.insert_account(&plain).await?;
        writer
            .set_email_factor(alice.company, alice.id, false, at(1))
            .await
    })
    .await
    .unwrap();
    (alice.company, alice.id, plain.id)
}

pub async fn numbers_are_kept_through_every_change(store: &TestStore) {
    let (company, id, bob) = two_without_a_factor(store).await;
    let mut expected = [2, 2, 0, 0, 0, 0, 0];
    assert_eq!(kept(store, company, "two without a factor").await, expected);

    let change = async |what: &str, change: &[(usize, i64)], expected: &mut [i64; 7]| {
        for (of, by) in change {
            expected[*of] += by;
        }
        assert_eq!(kept(store, company, what).await, *expected, "{what}");
    };
    let act = async |sql: &'static str| raw(store, sql).await;
    let set_email = async |on| {
        write(store, async |writer| {
            writer.set_email_factor(company, id, on, at(2)).await
        })
        .await
    };
    let set_active = async |on| {
        write(store, async |writer| {
            writer.set_account_active(company, id, on, at(2)).await
        })
        .await
    };

    assert!(set_email(true).await.unwrap());
    change("codes by e-mail", &[(4, 1), (5, 1)], &mut expected).await;
    write(store, async |writer| {
        writer.set_app_secret(company, id, b"sealed", 0, at(3)).await
    })
    .await
    .unwrap();
    change("an app besides", &[(6, 1)], &mut expected).await;
    set_active(false).await.unwrap();
    change(
        "switched off",
        &[(1, -1), (2, 1), (4, -1), (5, -1), (6, -1)],
        &mut expected,
    )
    .await;
    set_email(false).await.unwrap();
    change("what is off has none", &[], &mut expected).await;
    set_active(true).await.unwrap();
    change("switched on", &[(1, 1), (2, -1), (4, 1), (6, 1)], &mut expected).await;
    write(store, async |writer| {
        writer.clear_app_secret(company, id, at(3)).await
    })
    .await
    .unwrap();
    change("no app", &[(4, -1), (6, -1)], &mut expected).await;

    for number in 1..=5 {
        write(store, async |writer| {
            writer.count_wrong_code(company, bob, 5).await
        })
        .await
        .unwrap();
        let locked = i64::from(number == 5);
        change("a wrong code", &[(3, locked)], &mut expected).await;
    }
    let lock = async || {
        write(store, async |writer| {
            writer.lock_account(company, bob, "wrong_codes", at(4)).await
        })
        .await
    };
    lock().await.unwrap();
    change("it was locked by its count", &[], &mut expected).await;
    write(store, async |writer| {
        writer.unlock_account(company, bob, at(5)).await
    })
    .await
    .unwrap();
    change("unlocked", &[(3, -1)], &mut expected).await;
    lock().await.unwrap();
    change("locked by somebody", &[(3, 1)], &mut expected).await;
    // A version that does not know of the numbers, and a transaction that came to nothing.
    act("UPDATE account SET active = FALSE").await;
    change("all switched off", &[(1, -2), (2, 2)], &mut expected).await;
    let mut writer = store.write().await.unwrap();
    writer.delete_account(company, bob).await.unwrap();
    drop(writer);
    change("nobody has gone", &[], &mut expected).await;
    write(store, async |writer| writer.delete_account(company, bob).await)
        .await
        .unwrap();
    change(
        "deleted while locked",
        &[(0, -1), (2, -1), (3, -1)],
        &mut expected,
    )
    .await;
    write(store, async |writer| writer.delete_company(company).await)
        .await
        .unwrap();
    assert_eq!(kept(store, company, "a company that is gone").await, [0; 7]);
    assert_eq!(count(store, "SELECT COUNT(*) FROM agent_tally").await, 0);
}

/// Switches an account off and on, many times at once with others.
async fn switch(store: &Store, company: CompanyId, id: AccountId, times: usize) {
    for number in 0..times {
        let on = number % 2 == 1;
        write(store, async |writer| {
            writer.set_account_active(company, id, on, at(1)).await
        })
        .await
        .unwrap();
    }
}

pub async fn changes_at_once_are_all_kept(store: &TestStore) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let company = alice.company;
    let accounts: Vec<NewAccount> = (0..8)
        .map(|number| maker.account(company, &format!("agent{number}")))
        .collect();
    write(store, async |writer| {
        for account in &accounts {
            writer.insert_account(account).await?;
        }
        Ok(())
    })
    .await
    .unwrap();
    // Odd numbers end switched off. Meanwhile two servers fold.
    let switching = accounts
        .iter()
        .enumerate()
        .map(|(number, account)| switch(store, company, account.id, 20 + number % 2));
    let folding = (0..2).map(|_| async {
        for _ in 0..20 {
            store.fold_agent_tallies().await.unwrap();
        }
    });
    tokio::join!(join_all(switching), join_all(folding));
    let [all, active, inactive, ..] = kept(store, company, "after all of it").await;
    assert_eq!((all, active, inactive), (9, 5, 4));
}

pub async fn many_rows_become_one_and_the_sums_stay(store: &TestStore) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let company = alice.company;
    switch(store, company, alice.id, 101).await;
    assert!(count(store, "SELECT COUNT(*) FROM agent_tally").await > 100);
    let before = counts(store, company).await;
    assert_eq!((before.all, before.inactive), (1, 1));
    store.fold_agent_tallies().await.unwrap();
    assert_eq!(count(store, "SELECT COUNT(*) FROM agent_tally").await, 1);
    assert_eq!(counts(store, company).await, before);
    // What a version that does not know of it leaves of a company goes too.
    raw(store, "DELETE FROM company").await;
    assert!(count(store, "SELECT COUNT(*) FROM agent_tally").await > 1);
    store.fold_agent_tallies().await.unwrap();
    assert_eq!(count(store, "SELECT COUNT(*) FROM agent_tally").await, 0);
}

pub async fn wrong_numbers_are_mended(store: &TestStore) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let company = alice.company;
    let right = counts(store, company).await;
    for harm in [
        "DELETE FROM agent_tally",
        "INSERT INTO agent_tally SELECT * FROM agent_tally",
        "UPDATE agent_tally SET locked = 7",
    ] {
        raw(store, harm).await;
        assert_ne!(counts(store, company).await, right, "{harm}");
        assert_eq!(store.mend_agent_tallies().await, Ok(1), "{harm}");
        assert_eq!(counts(store, company).await, right, "{harm}");
    }
    // The next start does it.
    raw(store, "DELETE FROM agent_tally").await;
    store.migrate().await.unwrap();
    assert_eq!(counts(store, company).await, right);
}
