//! Backup codes, the agent's own and issued ones.

use futures::future::join_all;
use vestibule_storage::{BackupCodeRow, BackupSet, IssuedRow, Store};

use crate::fixture::{Maker, alice, at, winners_of_twenty, write};

pub async fn a_set_is_read_as_it_was_written(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let bob = maker.account(alice.company, "bob");
    let (company, id) = (alice.company, alice.id);
    let (salt, hashes) = (maker.salt(), maker.hashes());
    write(store, async |writer| {
        writer.insert_account(&bob).await?;
        assert_eq!(writer.backup_codes_of(company, id).await?, None);
        assert_eq!(writer.backup_codes_left(company, id).await?, None);
        assert!(
            writer
                .replace_backup_codes(company, id, &salt, &hashes, at(1))
                .await?
        );
        assert!(writer.use_backup_code(company, id, &hashes[6], at(2)).await?);
        Ok(())
    })
    .await
    .unwrap();
    let codes = (1..).zip(&hashes).map(|(position, &code_hash)| BackupCodeRow {
        position,
        code_hash,
        used_at: (position == 7).then_some(at(2)),
    });
    let expected = BackupSet {
        salt: salt.to_vec(),
        made_at: at(1),
        codes: codes.collect(),
    };
    let shown = format!("{expected:?}");
    assert!(!shown.contains("salt") && !shown.contains("hash"), "{shown}");
    write(store, async |writer| {
        assert_eq!(writer.backup_codes_of(company, id).await?, Some(expected));
        assert_eq!(writer.backup_codes_left(company, id).await?, Some(9));
        assert_eq!(writer.backup_codes_of(company, bob.id).await?, None);
        assert_eq!(
            writer.account(company, id).await?.unwrap().credential_version,
            1,
            "nothing that was proved is over"
        );
        assert!(writer.delete_backup_codes(company, id).await?);
        assert!(!writer.delete_backup_codes(company, id).await?);
        assert_eq!(writer.backup_codes_of(company, id).await?, None);
        assert_eq!(writer.backup_codes_left(company, id).await?, None);
        assert!(!writer.use_backup_code(company, id, &hashes[0], at(3)).await?);
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn a_backup_code_is_used_once(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let bob = maker.account(alice.company, "bob");
    let company = alice.company;
    let (hashes, bobs) = (maker.hashes(), maker.hashes());
    write(store, async |writer| {
        writer.insert_account(&bob).await?;
        for (id, hashes) in [(alice.id, &hashes), (bob.id, &bobs)] {
            writer
                .replace_backup_codes(company, id, &maker.salt(), hashes, at(1))
                .await?;
        }
        assert!(
            !writer.use_backup_code(company, alice.id, &bobs[0], at(2)).await?,
            "another account's"
        );
        assert!(
            !writer
                .use_backup_code(company, alice.id, &maker.bytes(), at(2))
                .await?
        );
        // In any order, each once.
        for (count, hash) in hashes.iter().rev().enumerate() {
            assert!(writer.use_backup_code(company, alice.id, hash, at(2)).await?);
            assert!(!writer.use_backup_code(company, alice.id, hash, at(3)).await?);
            assert_eq!(
                writer.backup_codes_left(company, alice.id).await?,
                Some(9 - count)
            );
        }
        let set = writer.backup_codes_of(company, alice.id).await?.unwrap();
        assert!(set.codes.iter().all(|code| code.used_at == Some(at(2))));
        assert_eq!(writer.backup_codes_left(company, bob.id).await?, Some(10));
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn a_replaced_set_is_dead(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let (company, id) = (alice.company, alice.id);
    let (old, new, salt) = (maker.hashes(), maker.hashes(), maker.salt());
    write(store, async |writer| {
        writer
            .replace_backup_codes(company, id, &maker.salt(), &old, at(1))
            .await?;
        writer.use_backup_code(company, id, &old[0], at(2)).await?;
        writer
            .replace_backup_codes(company, id, &salt, &new, at(3))
            .await?;
        for hash in &old {
            assert!(!writer.use_backup_code(company, id, hash, at(4)).await?);
        }
        assert_eq!(writer.backup_codes_left(company, id).await?, Some(10));
        let set = writer.backup_codes_of(company, id).await?.unwrap();
        assert_eq!((set.salt, set.made_at), (salt.to_vec(), at(3)));
        assert!(writer.use_backup_code(company, id, &new[0], at(4)).await?);
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn parallel_sets_leave_one_whole_set(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let (company, id) = (alice.company, alice.id);
    let sets: Vec<_> = (0..10).map(|_| (maker.salt(), maker.hashes())).collect();
    let replaced = sets.iter().map(|(salt, hashes)| {
        write(store, async |writer| {
            writer
                .replace_backup_codes(company, id, salt, hashes, at(1))
                .await
        })
    });
    for replaced in join_all(replaced).await {
        assert_eq!(replaced, Ok(true));
    }
    let set = store.read().await.unwrap().backup_codes_of(company, id).await;
    let set = set.unwrap().unwrap();
    let hashes: Vec<_> = set.codes.iter().map(|code| code.code_hash).collect();
    assert!(
        sets.iter()
            .any(|(salt, whole)| set.salt == salt && hashes == *whole),
        "the salt of one and the codes of another"
    );
}

pub async fn twenty_parallel_uses_of_a_backup_code_have_one_winner(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let (company, id) = (alice.company, alice.id);
    let (hashes, issued) = (maker.hashes(), maker.issued(&alice, at(0)));
    write(store, async |writer| {
        writer
            .replace_backup_codes(company, id, &maker.salt(), &hashes, at(1))
            .await?;
        writer.put_issued_code(&issued).await
    })
    .await
    .unwrap();
    let won = winners_of_twenty(store, async |writer| {
        writer.use_backup_code(company, id, &hashes[3], at(2)).await
    })
    .await;
    assert_eq!(won, 1, "of the agent's own");
    let won = winners_of_twenty(store, async |writer| {
        writer
            .use_issued_code(company, id, &issued.code_hash, at(2))
            .await
    })
    .await;
    assert_eq!(won, 1, "of the issued one");
}

pub async fn the_newest_issued_code_replaces_the_older(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let bob = maker.account(alice.company, "bob");
    let (company, id) = (alice.company, alice.id);
    let (old, new, bobs) = (
        maker.issued(&alice, at(0)),
        maker.issued(&alice, at(60)),
        maker.issued(&bob, at(0)),
    );
    write(store, async |writer| {
        writer.insert_account(&bob).await?;
        assert_eq!(writer.issued_code_of(company, id).await?, None);
        writer.put_issued_code(&old).await?;
        writer.put_issued_code(&bobs).await?;
        assert!(writer.use_issued_code(company, id, &old.code_hash, at(1)).await?);
        writer.put_issued_code(&new).await?;
        assert_eq!(
            writer.issued_code_of(company, id).await?,
            Some(IssuedRow {
                salt: new.salt.to_vec(),
                code_hash: new.code_hash,
                expires_at: new.expires_at,
                used_at: None,
            }),
            "unused again"
        );
        for hash in [&old.code_hash, &bobs.code_hash] {
            assert!(!writer.use_issued_code(company, id, hash, at(61)).await?);
        }
        assert!(
            writer
                .use_issued_code(company, id, &new.code_hash, at(61))
                .await?
        );
        assert!(writer.delete_issued_code(company, id).await?);
        assert!(!writer.delete_issued_code(company, id).await?);
        assert_eq!(writer.issued_code_of(company, id).await?, None);
        assert!(writer.issued_code_of(company, bob.id).await?.is_some());
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn an_issued_code_that_ended_early_is_still_known(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let bob = maker.account(alice.company, "bob");
    let (company, id) = (alice.company, alice.id);
    let (alices, bobs) = (maker.issued(&alice, at(0)), maker.issued(&bob, at(0)));
    write(store, async |writer| {
        writer.insert_account(&bob).await?;
        writer.put_issued_code(&alices).await?;
        writer.put_issued_code(&bobs).await?;
        assert!(writer.end_issued_code(company, id, at(60)).await?);
        assert!(
            !writer.end_issued_code(company, id, at(61)).await?,
            "over already"
        );
        let row = writer.issued_code_of(company, id).await?.unwrap();
        assert_eq!((row.code_hash, row.expires_at), (alices.code_hash, at(60)));
        let hash = &alices.code_hash;
        assert!(!writer.use_issued_code(company, id, hash, at(60)).await?);
        // What was used stays what it is, and somebody else's stays good.
        let hash = &bobs.code_hash;
        assert!(writer.use_issued_code(company, bob.id, hash, at(61)).await?);
        assert!(!writer.end_issued_code(company, bob.id, at(62)).await?);
        let row = writer.issued_code_of(company, bob.id).await?.unwrap();
        assert_eq!((row.expires_at, row.used_at), (bobs.expires_at, Some(at(61))));
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn an_issued_code_is_used_once_and_in_time(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let (company, id) = (alice.company, alice.id);
    let issued = maker.issued(&alice, at(0));
    let hash = &issued.code_hash;
    write(store, async |writer| {
        writer.put_issued_code(&issued).await?;
        assert!(
            !writer.use_issued_code(company, id, hash, at(3600)).await?,
            "over"
        );
        assert!(writer.use_issued_code(company, id, hash, at(3599)).await?);
        assert!(
            !writer.use_issued_code(company, id, hash, at(3599)).await?,
            "used"
        );
        let row = writer.issued_code_of(company, id).await?.unwrap();
        assert_eq!(row.used_at, Some(at(3599)));
        Ok(())
    })
    .await
    .unwrap();
}
