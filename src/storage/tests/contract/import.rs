//! Imports of accounts.

use vestibule_storage::{ImportLine, ImportRow, ImportState, Store};

use crate::fixture::{Maker, alice, at, winners_of_twenty, write};

pub async fn an_import_is_read_as_it_was_written(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let import = maker.import(&alice, 450, at(0));
    let (company, id) = (alice.company, import.id);
    write(store, async |writer| writer.insert_import(&import).await)
        .await
        .unwrap();
    let mut reader = store.read().await.unwrap();
    let expected = ImportRow {
        id,
        account: alice.id,
        created_at: at(0),
        expires_at: import.expires_at,
        state: ImportState::Checked,
        touched_at: at(0),
    };
    assert_eq!(reader.import(company, id).await, Ok(Some(expected)));
    let other = maker.import(&alice, 1, at(0));
    assert_eq!(reader.import(company, other.id).await, Ok(None));
    assert_eq!(
        reader.import_verdicts(company, id).await.unwrap(),
        [("bad".to_owned(), 150), ("good".to_owned(), 300)]
    );
    let all = reader
        .import_lines(company, id, None, &[], 0, 1_000)
        .await
        .unwrap();
    assert_eq!(all, import.lines);
    let some = |lines: &[ImportLine], from: i64, verdicts: &[&str]| -> Vec<ImportLine> {
        let later = lines.iter().filter(|line| line.line > from);
        let fitting = later.filter(|line| verdicts.contains(&line.verdict.as_str()));
        fitting.take(10).cloned().collect()
    };
    let good = reader.import_lines(company, id, Some("good"), &[], 100, 10).await;
    assert_eq!(good.unwrap(), some(&import.lines, 100, &["good"]));
    let bad = reader
        .import_lines(company, id, None, &["good", "done"], 7, 10)
        .await;
    assert_eq!(bad.unwrap(), some(&import.lines, 7, &["bad"]));
    let none = reader
        .import_lines(company, id, None, &["good", "bad"], 0, 10)
        .await;
    assert_eq!(none.unwrap(), []);
}

pub async fn an_import_is_run_by_one(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let import = maker.import(&alice, 6, at(0));
    let (company, id) = (alice.company, import.id);
    write(store, async |writer| writer.insert_import(&import).await)
        .await
        .unwrap();
    let runners = winners_of_twenty(store, async |writer| {
        writer.start_import(company, id, at(-60), at(10)).await
    })
    .await;
    assert_eq!(runners, 1);
    write(store, async |writer| {
        writer.settle_import_line(company, id, 1, "done", at(20)).await?;
        let lines = writer.import_lines(company, id, Some("done"), &[], 0, 10).await?;
        assert_eq!(lines.len(), 1);
        assert_eq!((lines[0].line, lines[0].fields.as_deref()), (1, None));
        let read = writer.import(company, id).await?.unwrap();
        assert_eq!((read.state, read.touched_at), (ImportState::Running, at(20)));
        // Somebody who died is relieved, somebody who works is not.
        assert!(!writer.start_import(company, id, at(19), at(30)).await?);
        assert!(writer.start_import(company, id, at(20), at(30)).await?);
        // Somebody who may not go on is relieved at once.
        writer.stop_import(company, id, at(35)).await?;
        let read = writer.import(company, id).await?.unwrap();
        assert_eq!((read.state, read.touched_at), (ImportState::Stopped, at(35)));
        assert!(writer.start_import(company, id, at(19), at(36)).await?);
        writer.finish_import(company, id, at(40)).await?;
        assert!(!writer.start_import(company, id, at(50), at(50)).await?);
        writer.stop_import(company, id, at(50)).await?;
        let read = writer.import(company, id).await?.unwrap();
        assert_eq!((read.state, read.touched_at), (ImportState::Done, at(40)));
        Ok(())
    })
    .await
    .unwrap();
}
