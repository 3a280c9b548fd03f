//! Counters of wrong passwords.

use futures::future::join_all;
use vestibule_core::ports::Moment;
use vestibule_storage::{FOREVER, SourceCounts, SourceTry, Store, StoreError};

use crate::fixture::{Maker, at, write};

const fn counts(minute: i64, hour: i64, accounts: i64) -> SourceCounts {
    SourceCounts {
        minute,
        hour,
        accounts,
    }
}

/// A full hour, and seconds after it.
fn clock(seconds: i64) -> Moment {
    Moment::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

pub async fn a_source_is_counted_in_fixed_windows(store: &Store) {
    let (first, second) = ([1; 32], [2; 32]);
    write(store, async |writer| {
        for (source, subject, seconds, expected) in [
            ("192.0.2.1", first, 0, counts(1, 1, 1)),
            ("192.0.2.1", first, 59, counts(2, 2, 1)),
            ("192.0.2.1", second, 59, counts(3, 3, 2)),
            ("192.0.2.2", second, 59, counts(1, 1, 1)),
            ("192.0.2.1", second, 60, counts(1, 4, 2)),
            ("192.0.2.1", second, 600, counts(1, 5, 1)),
            ("192.0.2.1", first, 3599, counts(1, 6, 1)),
            ("192.0.2.1", first, 3600, counts(1, 1, 1)),
        ] {
            let counted = writer
                .count_source_try(&SourceTry {
                    source,
                    subject,
                    now: clock(seconds),
                })
                .await?;
            assert_eq!(counted, expected, "{source} after {seconds} s");
        }
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn a_right_password_takes_its_try_back(store: &Store) {
    let attempt = |subject: u8, seconds| SourceTry {
        source: "2001:db8::/64",
        subject: [subject; 32],
        now: clock(seconds),
    };
    write(store, async |writer| {
        writer.forgive_source_try(&attempt(1, 0)).await?;
        writer.count_source_try(&attempt(1, 0)).await?;
        writer.count_source_try(&attempt(2, 1)).await?;
        writer.forgive_source_try(&attempt(2, 1)).await?;
        assert_eq!(writer.count_source_try(&attempt(3, 2)).await?, counts(2, 2, 2));
        writer.forgive_source_try(&attempt(3, 2)).await?;
        assert_eq!(writer.count_source_try(&attempt(1, 3)).await?, counts(2, 2, 1));
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn wrong_passwords_are_counted_per_lane_until_blocked(store: &Store) {
    let (subject, other) = ([1_u8; 32], [2_u8; 32]);
    let (everybody, known): (&[u8], &[u8]) = (b"", &[9; 32]);
    write(store, async |writer| {
        for expected in 1..=5 {
            assert_eq!(
                writer.count_password_try(&subject, everybody, at(0)).await?,
                Some(expected)
            );
        }
        assert_eq!(
            writer.count_password_try(&subject, known, at(0)).await?,
            Some(1),
            "a lane of its own"
        );
        assert_eq!(
            writer.count_password_try(&other, everybody, at(0)).await?,
            Some(1)
        );

        writer.block_password(&subject, everybody, at(30)).await?;
        writer.block_password(&subject, everybody, at(20)).await?;
        assert_eq!(
            writer.count_password_try(&subject, everybody, at(29)).await?,
            None,
            "not shortened"
        );
        assert_eq!(writer.count_password_try(&subject, known, at(29)).await?, Some(2));
        assert_eq!(
            writer.count_password_try(&subject, everybody, at(30)).await?,
            Some(6),
            "not counted while blocked"
        );

        writer.block_password(&subject, everybody, FOREVER).await?;
        assert_eq!(
            writer
                .count_password_try(&subject, everybody, at(900_000_000))
                .await?,
            None
        );
        writer.clear_password_tries(&subject, known).await?;
        assert_eq!(writer.count_password_try(&subject, known, at(31)).await?, Some(1));
        assert_eq!(
            writer.count_password_try(&subject, everybody, at(31)).await?,
            None
        );
        writer.clear_all_password_tries(&subject).await?;
        assert_eq!(
            writer.count_password_try(&subject, everybody, at(32)).await?,
            Some(1)
        );
        assert_eq!(
            writer.count_password_try(&other, everybody, at(32)).await?,
            Some(2)
        );
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn parallel_wrong_passwords_are_all_counted(store: &Store) {
    let subject = Maker::new().bytes();
    let tries = (0..40).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut writer = store.write().await?;
            let source = writer
                .count_source_try(&SourceTry {
                    source: "192.0.2.1",
                    subject,
                    now: at(0),
                })
                .await?;
            let failures = writer.count_password_try(&subject, b"", at(0)).await?;
            writer.commit().await?;
            Ok::<_, StoreError>((source.minute, failures))
        })
    });
    let mut counted: Vec<_> = join_all(tries)
        .await
        .into_iter()
        .map(|count| count.unwrap().unwrap())
        .collect();
    counted.sort_unstable();
    assert_eq!(counted, (1..=40).map(|n| (n, Some(n))).collect::<Vec<_>>());
}

pub async fn all_wrong_passwords_are_forgotten_together(store: &Store) {
    let attempt = SourceTry {
        source: "192.0.2.1",
        subject: [1; 32],
        now: clock(0),
    };
    write(store, async |writer| {
        writer.count_source_try(&attempt).await?;
        writer
            .count_source_try(&SourceTry {
                subject: [2; 32],
                ..attempt
            })
            .await?;
        writer.count_password_try(&[1; 32], b"", at(0)).await?;
        writer.block_password(&[1; 32], b"", FOREVER).await?;
        writer.clear_tries().await?;
        assert_eq!(writer.count_source_try(&attempt).await?, counts(1, 1, 1));
        assert_eq!(writer.count_password_try(&[1; 32], b"", at(0)).await?, Some(1));
        Ok(())
    })
    .await
    .unwrap();
}
