//! Requests of applications that are kept while somebody signs in.

use std::time::Duration;

use vestibule_storage::{NewCarried, Store, test_support::TestStore};

use crate::fixture::{Maker, at, count, write};

const DAY: i64 = 24 * 3600;

pub async fn a_long_request_is_found_by_its_token_for_a_day(store: &Store) {
    let maker = Maker::new();
    let (token, sealed) = (maker.token(), [7_u8; 8000]);
    let new = NewCarried {
        token_hash: token,
        source: "192.0.2.1",
        sealed: &sealed,
        created_at: at(0),
    };
    write(store, async |writer| writer.put_carried_request(&new, 9).await)
        .await
        .unwrap();
    for (seconds, expected) in [(DAY - 1, true), (DAY, false)] {
        store.delete_expired(at(seconds), Duration::ZERO).await.unwrap();
        let mut reader = store.read().await.unwrap();
        let found = reader.carried_request(token).await.unwrap();
        assert_eq!(found, expected.then(|| sealed.to_vec()), "{seconds}");
        assert_eq!(reader.carried_request(maker.token()).await, Ok(None));
    }
}

/// Strangers make them: whoever makes many takes the room of their own first.
pub async fn there_are_never_more_long_requests_than_there_is_room_for(store: &TestStore) {
    let maker = Maker::new();
    let mut kept = Vec::new();
    for (second, source) in [(1, "a"), (2, "b"), (3, "b"), (4, "b"), (5, "c"), (6, "d")] {
        let token = maker.token();
        kept.push((token, second));
        let new = NewCarried {
            token_hash: token,
            source,
            sealed: b"sealed",
            created_at: at(second),
        };
        write(store, async |writer| writer.put_carried_request(&new, 2).await)
            .await
            .unwrap();
    }
    assert_eq!(count(store, "SELECT count(*) FROM carried_request").await, 5);
    // In steps, whoever lets them go.
    for expected in [1, 0] {
        let gone = write(store, async |writer| writer.trim_carried_requests(4, 1).await).await;
        assert_eq!(gone, Ok(expected));
    }
    assert_eq!(count(store, "SELECT count(*) FROM carried_request").await, 4);
    let mut reader = store.read().await.unwrap();
    for (token, second) in kept {
        let found = reader.carried_request(token).await.unwrap();
        // The oldest of `b` made room for its third, and the oldest of all for the others.
        assert_eq!(found.is_some(), second > 2, "{second}");
    }
}
