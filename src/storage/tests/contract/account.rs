//! Accounts, passwords, the counter of wrong codes.

use std::time::Duration;

use futures::future::join_all;
use vestibule_core::{
    account::{Account, LockReason, Person, Role, TimeFormat},
    agents::{AgentFilter, AgentState},
    id::{AccountId, CompanyId},
    name::{AccountName, EmailAddress},
};
use vestibule_storage::{CodeCount, NewAccount, PageFrom, PasswordRecord, Store, StoreError, Unique, Writer};

use crate::fixture::{Maker, alice, at, write};

pub async fn an_account_is_read_as_it_was_written(store: &Store) {
    let maker = Maker::new();
    let new = alice(store, &maker).await;
    let expected = Account {
        public_id: new.public_id,
        company: new.company,
        id: new.id,
        name: "alice".into(),
        email: "alice@Example.test".into(),
        roles: vec![Role::Agent, Role::Admin],
        active: true,
        locked_at: None,
        lock_reason: None,
        wrong_codes: 0,
        password_must_change: false,
        has_password: true,
        pending_email: None,
        version: 1,
        email_factor: true,
        app_factor: false,
        credential_version: 1,
        created_at: at(0),
        last_sign_in_at: None,
        person: Person {
            first_name: "Zoë".into(),
            last_name: "O'Neil".into(),
            alias: "Zoë O'Neil".into(),
            phone: String::new(),
            title: String::new(),
            time_format: TimeFormat::Hours24,
            language: None,
        },
    };
    let mut reader = store.read().await.unwrap();
    assert_eq!(reader.account(new.company, new.id).await, Ok(Some(expected)));
    let password = PasswordRecord {
        hash: new.password_hash,
        must_change: false,
        expires_at: None,
    };
    assert_eq!(reader.password_of(new.company, new.id).await, Ok(Some(password)));
    drop(reader);

    let bare = NewAccount {
        active: false,
        email_factor: false,
        roles: vec![Role::Supervisor],
        password_hash: None,
        password_must_change: true,
        password_expires_at: Some(at(72 * 3600)),
        person: Person {
            language: Some("pt-BR".into()),
            phone: "+49 30 1".into(),
            title: "Team lead".into(),
            time_format: TimeFormat::Hours12,
            ..maker.account(new.company, "bare").person
        },
        ..maker.account(new.company, "bare")
    };
    write(store, async |writer| writer.insert_account(&bare).await)
        .await
        .unwrap();
    let mut reader = store.read().await.unwrap();
    let read = reader.account(bare.company, bare.id).await.unwrap().unwrap();
    assert_eq!(
        (read.person.language.as_deref(), read.active, read.email_factor),
        (Some("pt-BR"), false, false)
    );
    assert_eq!(read.roles, [Role::Supervisor]);
    assert_eq!(
        (
            read.person.phone.as_str(),
            read.person.title.as_str(),
            read.person.time_format
        ),
        ("+49 30 1", "Team lead", TimeFormat::Hours12)
    );
    assert!(read.password_must_change && !read.has_password);
    let password = PasswordRecord {
        hash: None,
        must_change: true,
        expires_at: Some(at(72 * 3600)),
    };
    assert_eq!(
        reader.password_of(bare.company, bare.id).await,
        Ok(Some(password))
    );
}

pub async fn names_and_addresses_are_unique_in_their_company(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let same_name = NewAccount {
        name: AccountName::parse("ALICE").unwrap(),
        ..maker.account(alice.company, "other")
    };
    let same_address = NewAccount {
        email: EmailAddress::parse("Alice@example.TEST").unwrap(),
        ..maker.account(alice.company, "other")
    };
    for (new, unique) in [(same_name, Unique::AccountName), (same_address, Unique::Email)] {
        let refused = write(store, async |writer| writer.insert_account(&new).await).await;
        assert_eq!(refused, Err(StoreError::Conflict(unique)));
    }
    let elsewhere = maker.company("Elsewhere");
    write(store, async |writer| {
        writer.insert_company(&elsewhere).await?;
        writer.insert_account(&maker.account(elsewhere.id, "alice")).await
    })
    .await
    .unwrap();
}

pub async fn an_account_signs_in_by_name_or_address(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let bob = maker.account(alice.company, "bob");
    write(store, async |writer| writer.insert_account(&bob).await)
        .await
        .unwrap();
    let mut reader = store.read().await.unwrap();
    for (name_key, email_key, whose) in [
        ("alice", "alice", Some(&alice)),
        ("alice@example.test", "alice@example.test", Some(&alice)),
        ("bob", "bob", Some(&bob)),
        ("\u{feff}Ａlice", "\u{feff}Ａlice", Some(&alice)),
        ("alice＠Example.test", "alice＠Example.test", Some(&alice)),
        ("alic_", "alic_", None),
        ("%", "%", None),
        ("", "", None),
    ] {
        let found = reader
            .account_by_sign_in(alice.company, name_key, email_key)
            .await
            .unwrap();
        let found = found.map(|(account, password)| (account.id, password.hash));
        assert_eq!(
            found,
            whose.map(|new| (new.id, new.password_hash.clone())),
            "{name_key}"
        );
    }
}

pub async fn accounts_are_listed_by_the_key_of_their_name(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    write(store, async |writer| {
        for name in ["Zed", "a-b", "a_b", "A.b", "ab", "Bob"] {
            writer.insert_account(&maker.account(alice.company, name)).await?;
        }
        Ok(())
    })
    .await
    .unwrap();
    let accounts = store.read().await.unwrap().accounts(alice.company).await.unwrap();
    let names: Vec<_> = accounts.iter().map(|account| account.name.as_str()).collect();
    assert_eq!(
        names,
        ["a-b", "A.b", "a_b", "ab", "alice", "Bob", "Zed"],
        "by bytes, on every database"
    );
}

pub async fn a_new_password_ends_what_was_proved_with_the_old_one(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let (company, id) = (alice.company, alice.id);
    write(store, async |writer| {
        assert!(
            !writer
                .replace_password_hash(company, id, "not it", "stronger")
                .await?
        );
        assert!(
            writer
                .replace_password_hash(company, id, "hash of alice", "stronger")
                .await?
        );
        assert_eq!(
            writer.account(company, id).await?.unwrap().credential_version,
            1,
            "the same password"
        );
        assert_eq!(
            writer.password_of(company, id).await?.unwrap().hash.as_deref(),
            Some("stronger")
        );

        assert!(
            writer
                .set_password(company, id, "new", true, Some(at(9)), at(1))
                .await?
        );
        assert_eq!(writer.account(company, id).await?.unwrap().credential_version, 2);
        let password = writer.password_of(company, id).await?.unwrap();
        assert_eq!(
            password,
            PasswordRecord {
                hash: Some("new".into()),
                must_change: true,
                expires_at: Some(at(9))
            }
        );
        assert!(
            !writer
                .replace_password_hash(company, id, "stronger", "late")
                .await?
        );
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn switches_and_notes_are_kept(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let (company, id) = (alice.company, alice.id);
    write(store, async |writer| {
        assert!(writer.set_account_active(company, id, false, at(1)).await?);
        assert!(
            writer
                .set_account_language(company, id, Some("ja"), at(1))
                .await?
        );
        writer.note_sign_in(company, id, at(2)).await
    })
    .await
    .unwrap();
    let read = store
        .read()
        .await
        .unwrap()
        .account(company, id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (read.active, read.person.language.as_deref(), read.last_sign_in_at),
        (false, Some("ja"), Some(at(2)))
    );
    write(store, async |writer| {
        assert!(writer.set_account_active(company, id, true, at(3)).await?);
        assert!(writer.set_account_language(company, id, None, at(3)).await?);
        let read = writer.account(company, id).await?.unwrap();
        assert_eq!((read.active, read.person.language), (true, None));
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn a_profile_is_read_as_it_was_written(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let bob = maker.account(alice.company, "bob");
    let (company, id) = (alice.company, alice.id);
    let mut new = Person {
        first_name: "Ægir".into(),
        last_name: String::new(),
        alias: "Ä".into(),
        phone: "+49 30 1".into(),
        title: "Team lead".into(),
        time_format: TimeFormat::Hours12,
        language: Some("ar".into()),
    };
    write(store, async |writer| {
        writer.insert_account(&bob).await?;
        let (before, bobs) = (
            writer.account(company, id).await?.unwrap(),
            writer.account(company, bob.id).await?,
        );
        assert!(writer.set_profile(company, id, &new, at(1)).await?);
        let expected = Account {
            version: 2,
            person: Person {
                first_name: "Ægir".into(),
                last_name: String::new(),
                alias: "Ä".into(),
                phone: "+49 30 1".into(),
                title: "Team lead".into(),
                time_format: TimeFormat::Hours12,
                language: Some("ar".into()),
            },
            ..before
        };
        assert_eq!(writer.account(company, id).await?, Some(expected));
        assert_eq!(writer.account(company, bob.id).await?, bobs);
        (new.time_format, new.language) = (TimeFormat::Hours24, None);
        assert!(writer.set_profile(company, id, &new, at(2)).await?);
        let read = writer.account(company, id).await?.unwrap();
        assert_eq!(
            (read.person.time_format, read.person.language),
            (TimeFormat::Hours24, None)
        );
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn codes_by_email_are_switched_with_a_new_credential_version(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let (company, id) = (alice.company, alice.id);
    write(store, async |writer| {
        for (on, version) in [(false, 2), (true, 3), (true, 4)] {
            assert!(writer.set_email_factor(company, id, on, at(1)).await?);
            let read = writer.account(company, id).await?.unwrap();
            assert_eq!((read.email_factor, read.credential_version), (on, version));
        }
        Ok(())
    })
    .await
    .unwrap();
}

/// Counts a wrong code; gives its number.
async fn number(writer: &mut Writer, company: CompanyId, id: AccountId) -> Result<Option<i64>, StoreError> {
    let counted = writer.count_wrong_code(company, id, 5).await?;
    Ok(counted.map(|counted| counted.number))
}

pub async fn five_wrong_codes_and_no_sixth(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let (company, id) = (alice.company, alice.id);
    write(store, async |writer| {
        writer.uncount_wrong_code(company, id, 0).await?;
        assert_eq!(
            writer.account(company, id).await?.unwrap().wrong_codes,
            0,
            "never below zero"
        );
        for expected in [Some(1), Some(2), Some(3)] {
            assert_eq!(number(writer, company, id).await?, expected);
        }
        writer.uncount_wrong_code(company, id, 0).await?;
        assert_eq!(number(writer, company, id).await?, Some(3));
        writer.note_sign_in_by_code(company, id, at(6)).await?;
        assert_eq!(
            writer.count_wrong_code(company, id, 5).await?,
            Some(CodeCount { number: 1, round: 1 })
        );
        writer.uncount_wrong_code(company, id, 0).await?;
        assert_eq!(
            writer.account(company, id).await?.unwrap().wrong_codes,
            1,
            "what was counted before takes nothing from what came after"
        );
        writer.uncount_wrong_code(company, id, 1).await?;
        for expected in [Some(1), Some(2), Some(3), Some(4), Some(5), None, None] {
            assert_eq!(number(writer, company, id).await?, expected);
        }
        assert!(writer.lock_account(company, id, "wrong_codes", at(5)).await?);
        assert!(
            !writer.lock_account(company, id, "wrong_codes", at(6)).await?,
            "locked already"
        );
        writer.uncount_wrong_code(company, id, 1).await?;
        writer.note_sign_in_by_code(company, id, at(6)).await?;
        let read = writer.account(company, id).await?.unwrap();
        assert_eq!(
            (read.locked_at, read.wrong_codes),
            (Some(at(5)), 5),
            "only an unlock helps now"
        );
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn two_hundred_parallel_wrong_codes_count_five_times(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let (company, id) = (alice.company, alice.id);
    let tries = (0..200).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut writer = store.write().await?;
            let count = number(&mut writer, company, id).await?;
            writer.commit().await?;
            Ok::<_, StoreError>(count)
        })
    });
    let mut counted: Vec<i64> = join_all(tries)
        .await
        .into_iter()
        .filter_map(|count| count.unwrap().unwrap())
        .collect();
    counted.sort_unstable();
    assert_eq!(counted, [1, 2, 3, 4, 5]);
    assert_eq!(
        store
            .read()
            .await
            .unwrap()
            .account(company, id)
            .await
            .unwrap()
            .unwrap()
            .wrong_codes,
        5
    );
}

pub async fn five_counted_codes_are_a_lock_for_everybody_who_looks(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let (company, id) = (alice.company, alice.id);
    let locked = AgentFilter {
        state: Some(AgentState::Locked),
        ..AgentFilter::default()
    };
    write(store, async |writer| {
        for counted in 1..=5 {
            let page = writer.agent_page(company, &locked, PageFrom::Start, 9).await?;
            assert!(page.accounts.is_empty(), "{counted}");
            assert!(!writer.is_counted_out(company, id, at(9)).await?, "{counted}");
            writer.count_wrong_code(company, id, 5).await?;
        }
        assert!(
            writer.is_counted_out(company, id, at(0)).await?,
            "nobody knows since when"
        );
        writer.note_last_code(company, id, at(5)).await?;
        let read = writer.account(company, id).await?.unwrap();
        assert_eq!(
            (read.locked_at, read.lock_reason),
            (Some(at(5)), Some(LockReason::WrongCodes))
        );
        let page = writer.agent_page(company, &locked, PageFrom::Start, 9).await?;
        assert_eq!(page.accounts, [read]);
        assert_eq!(writer.count_agents(company).await?.locked, 1);
        assert_eq!(writer.installation_counts(at(5)).await?.locked, 1);
        assert!(
            !writer.is_counted_out(company, id, at(4)).await?,
            "it is being compared"
        );
        assert_eq!(writer.counted_out(at(4), 9).await?, []);
        assert!(writer.is_counted_out(company, id, at(5)).await?);
        assert_eq!(writer.counted_out(at(5), 9).await?, [(company, id)]);
        writer.lock_account(company, id, "wrong_codes", at(6)).await?;
        assert_eq!(writer.counted_out(at(9), 9).await?, []);
        assert!(!writer.is_counted_out(company, id, at(9)).await?);
        let read = writer.account(company, id).await?.unwrap();
        assert_eq!(read.locked_at, Some(at(6)));
        writer.unlock_account(company, id, at(7)).await?;
        let read = writer.account(company, id).await?.unwrap();
        assert_eq!((read.locked_at, read.lock_reason), (None, None));
        assert_eq!(writer.count_agents(company).await?.locked, 0);
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn an_unlock_forgives_everything(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let (company, id) = (alice.company, alice.id);
    write(store, async |writer| {
        assert!(
            !writer.unlock_account(company, id, at(1)).await?,
            "nothing to unlock"
        );
        writer.count_wrong_code(company, id, 5).await?;
        assert!(writer.unlock_account(company, id, at(1)).await?, "it had a count");
        writer.lock_account(company, id, "wrong_codes", at(2)).await?;
        assert_eq!(
            writer.count_wrong_code(company, id, 5).await?,
            None,
            "locked, whatever the count"
        );
        assert!(writer.unlock_account(company, id, at(3)).await?);
        let read = writer.account(company, id).await?.unwrap();
        assert_eq!((read.locked_at, read.wrong_codes), (None, 0));
        let counted = writer.count_wrong_code(company, id, 5).await?;
        assert_eq!(counted, Some(CodeCount { number: 1, round: 2 }));
        for before in 0..2 {
            writer.uncount_wrong_code(company, id, before).await?;
        }
        let read = writer.account(company, id).await?.unwrap();
        assert_eq!(
            read.wrong_codes, 1,
            "a try of before the unlock that is taken back late"
        );
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn an_account_without_a_role_is_refused(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let nobody = NewAccount {
        roles: Vec::new(),
        ..maker.account(alice.company, "nobody")
    };
    let refused = write(store, async |writer| writer.insert_account(&nobody).await).await;
    assert!(matches!(refused, Err(StoreError::Other(_))), "{refused:?}");
    assert_eq!(
        store
            .read()
            .await
            .unwrap()
            .accounts(alice.company)
            .await
            .unwrap()
            .len(),
        1
    );
}

pub async fn holding_an_account_makes_others_wait(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let (company, id) = (alice.company, alice.id);
    let mut first = store.write().await.unwrap();
    first.hold_account(company, id).await.unwrap();
    let second = {
        let store = store.clone();
        tokio::spawn(async move {
            let mut writer = store.write().await?;
            writer.hold_account(company, id).await?;
            let seen = writer.account(company, id).await?.unwrap().person.language;
            writer.commit().await?;
            Ok::<_, StoreError>(seen)
        })
    };
    // However long it is given, it has not got through while the first one holds the account.
    tokio::task::yield_now().await;
    let mut second = second;
    assert!(
        tokio::time::timeout(Duration::from_millis(100), &mut second)
            .await
            .is_err()
    );
    first
        .set_account_language(company, id, Some("fr"), at(1))
        .await
        .unwrap();
    first.commit().await.unwrap();
    assert_eq!(
        second.await.unwrap().unwrap().as_deref(),
        Some("fr"),
        "and then it sees what was written"
    );
}
