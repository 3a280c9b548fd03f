//! Links to choose a new password that wait to be looked up.

use std::collections::HashSet;

use futures::future::join_all;
use vestibule_storage::{StoreError, test_support::TestStore};

use crate::fixture::{Maker, at, write};

pub async fn requests_are_taken_oldest_first(store: &TestStore) {
    let maker = Maker::new();
    let (old, new) = (maker.reset_request(at(0)), maker.reset_request(at(1)));
    write(store, async |writer| {
        assert!(!writer.has_reset_request().await?);
        assert_eq!(writer.take_reset_request().await?, None);
        for request in [&new, &old] {
            writer.insert_reset_request(request).await?;
        }
        assert!(writer.has_reset_request().await?);
        assert_eq!(writer.take_reset_request().await?, Some(old));
        Ok(())
    })
    .await
    .unwrap();
    let mut dropped = store.write().await.unwrap();
    assert_eq!(dropped.take_reset_request().await.unwrap().as_ref(), Some(&new));
    drop(dropped);
    // What was not committed comes back, as soon as the database has taken it back.
    let taken = loop {
        let taken = write(store, async |writer| writer.take_reset_request().await).await;
        if taken != Ok(None) {
            break taken;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(taken, Ok(Some(new)));
    let left = write(store, async |writer| writer.has_reset_request().await).await;
    assert_eq!(left, Ok(false));
}

pub async fn two_nodes_never_take_the_same_request(store: &TestStore) {
    let maker = Maker::new();
    write(store, async |writer| {
        for _ in 0..40 {
            writer.insert_reset_request(&maker.reset_request(at(0))).await?;
        }
        Ok(())
    })
    .await
    .unwrap();
    let nodes = [store.second().await, store.second().await];
    let workers = (0..6).map(|worker| {
        let node = nodes[worker % 2].clone();
        tokio::spawn(async move {
            let mut mine = Vec::new();
            loop {
                let mut writer = node.write().await?;
                let taken = writer.take_reset_request().await?;
                // Others come in between.
                tokio::task::yield_now().await;
                writer.commit().await?;
                match taken {
                    Some(request) => mine.push(request.id),
                    None => return Ok::<_, StoreError>(mine),
                }
            }
        })
    });
    let taken: Vec<_> = join_all(workers)
        .await
        .into_iter()
        .flat_map(|mine| mine.unwrap().unwrap())
        .collect();
    assert_eq!(taken.len(), 40);
    assert_eq!(taken.iter().collect::<HashSet<_>>().len(), 40);
}

pub async fn requests_of_a_source_are_counted_by_the_hour(store: &TestStore) {
    const HOUR: i64 = 3600;
    let counts = write(store, async |writer| {
        let mut counts = Vec::new();
        for (source, seconds) in [("a", 0), ("a", 1), ("b", 1), ("a", HOUR), ("a", HOUR + 1)] {
            counts.push(writer.count_reset_request(source, at(seconds)).await?);
        }
        Ok(counts)
    })
    .await;
    assert_eq!(counts, Ok(vec![1, 2, 1, 1, 2]));
}
