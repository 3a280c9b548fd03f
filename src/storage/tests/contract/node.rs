//! Servers that share the database.

use std::time::Duration;

use chrono::TimeDelta;
use vestibule_core::{id::NodeId, ports::Moment};
use vestibule_storage::{NodeRow, Store};

use crate::fixture::{Maker, at, day, write};

pub async fn a_node_is_noted_and_forgotten_a_day_later(store: &Store) {
    let maker = Maker::new();
    let node = |started| NodeRow {
        id: NodeId(maker.event_id().0),
        version: "0.1.0".into(),
        started_at: at(started),
        seen_at: at(started),
        clock_offset: TimeDelta::milliseconds(-1_500),
        host: None,
        key: None,
    };
    let (old, new) = (node(0), node(60));
    let seen = NodeRow {
        seen_at: at(65),
        clock_offset: TimeDelta::milliseconds(3),
        host: Some("login-2".into()),
        key: Some((7, maker.bytes())),
        ..new.clone()
    };
    write(store, async |writer| {
        for node in [&old, &new, &seen] {
            writer.note_node(node).await?;
        }
        Ok(())
    })
    .await
    .unwrap();
    let nodes = async || store.read().await.unwrap().nodes().await.unwrap();
    assert_eq!(nodes().await, [old, seen.clone()]);
    assert_eq!(store.delete_expired(day(1), Duration::ZERO).await, Ok(1));
    assert_eq!(nodes().await, [seen]);
}

pub async fn the_database_tells_the_time(store: &Store) {
    let mut reader = store.read().await.unwrap();
    let first = reader.time().await.unwrap();
    let second = reader.time().await.unwrap();
    assert!(first <= second, "{first} {second}");
    let written = "2026-01-01T00:00:00Z".parse::<Moment>().unwrap();
    assert!(first > written, "{first}");
}
