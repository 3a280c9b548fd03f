//! Counters of wrong passwords.

use futures::future::join_all;
use vestibule_core::{id::CompanyId, ports::Moment, throttle::WrongTry};
use vestibule_storage::{FOREVER, PasswordCount, Store, StoreError, Writer};

use crate::fixture::{Maker, at, write};

const HERE: &str = "192.0.2.1";

fn wrong(subject: u8, seconds: i64) -> WrongTry {
    WrongTry {
        at: at(seconds),
        subject: [subject; 32],
    }
}

pub async fn wrong_passwords_of_a_source_are_listed_the_newest_first(store: &Store) {
    write(store, async |writer| {
        for (source, wrong) in [
            (HERE, wrong(1, 0)),
            (HERE, wrong(2, 90)),
            (HERE, wrong(1, 90)),
            ("2001:db8::/64", wrong(3, 95)),
            (HERE, wrong(1, 3_600)),
        ] {
            writer.note_wrong_at_source(source, &wrong).await?;
        }
        Ok(())
    })
    .await
    .unwrap();
    let mut reader = store.read().await.unwrap();
    let mut listed = reader.wrong_of_source(HERE, 9, at(3_600)).await.unwrap();
    listed[1..3].sort_by_key(|wrong| wrong.subject);
    assert_eq!(
        listed,
        [wrong(1, 3_600), wrong(1, 90), wrong(2, 90)],
        "an hour ago is over"
    );
    assert_eq!(
        reader.wrong_of_source("192.0.2.2", 9, at(0)).await,
        Ok(Vec::new())
    );
}

pub async fn wrong_passwords_are_counted_per_lane_until_blocked(store: &Store) {
    let (subject, other) = ([1_u8; 32], [2_u8; 32]);
    let (everybody, known): (&[u8], &[u8]) = (b"", &[9; 32]);
    write(store, async |writer| {
        for expected in 1..=5 {
            assert_eq!(
                failures(writer, &subject, everybody, at(0)).await?,
                Some(expected)
            );
        }
        assert_eq!(
            failures(writer, &subject, known, at(0)).await?,
            Some(1),
            "a lane of its own"
        );
        assert_eq!(failures(writer, &other, everybody, at(0)).await?, Some(1));

        writer.block_password(&subject, everybody, at(30)).await?;
        writer.block_password(&subject, everybody, at(20)).await?;
        for (lane, seconds, blocked) in [(everybody, 29, true), (everybody, 30, false), (known, 29, false)] {
            let is = writer.is_password_blocked(&subject, lane, at(seconds)).await?;
            assert_eq!(is, blocked, "{lane:?} {seconds}");
        }
        assert_eq!(
            failures(writer, &subject, everybody, at(29)).await?,
            None,
            "not shortened"
        );
        assert_eq!(failures(writer, &subject, known, at(29)).await?, Some(2));
        assert_eq!(
            failures(writer, &subject, everybody, at(30)).await?,
            Some(6),
            "not counted while blocked"
        );

        writer.block_password(&subject, everybody, FOREVER).await?;
        assert_eq!(
            failures(writer, &subject, everybody, at(900_000_000)).await?,
            None
        );
        writer.clear_password_tries(&subject, known).await?;
        assert_eq!(failures(writer, &subject, known, at(31)).await?, Some(1));
        assert_eq!(failures(writer, &subject, everybody, at(31)).await?, None);
        writer.clear_all_password_tries(&subject).await?;
        assert_eq!(failures(writer, &subject, everybody, at(32)).await?, Some(1));
        assert_eq!(failures(writer, &other, everybody, at(32)).await?, Some(2));
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn a_count_is_taken_back_with_its_block(store: &Store) {
    let subject = [1_u8; 32];
    write(store, async |writer| {
        let count = async |writer: &mut Writer, series: i64| {
            writer
                .count_password_try((&subject, b""), series, 1000, at(0))
                .await
        };
        let of = |failures, series| PasswordCount { failures, series };
        assert_eq!(count(writer, 7).await?, Some(of(1, 7)));
        writer.uncount_password_try(&subject, b"", of(1, 7)).await?;
        assert_eq!(count(writer, 8).await?, Some(of(1, 7)), "as if it had not been");
        for expected in 2..=5 {
            assert_eq!(count(writer, 8).await?, Some(of(expected, 7)));
        }
        writer.block_password(&subject, b"", at(30)).await?;
        writer.uncount_password_try(&subject, b"", of(4, 7)).await?;
        assert_eq!(count(writer, 8).await?, None, "the block of the fifth stays");
        writer.uncount_password_try(&subject, b"", of(4, 7)).await?;
        assert_eq!(
            count(writer, 8).await?,
            Some(of(4, 7)),
            "it went with its own try"
        );
        writer.clear_all_password_tries(&subject).await?;
        writer.uncount_password_try(&subject, b"", of(1, 7)).await?;
        assert_eq!(count(writer, 9).await?, Some(of(1, 9)), "never below none");
        writer.uncount_password_try(&subject, b"", of(1, 7)).await?;
        assert_eq!(
            count(writer, 10).await?,
            Some(of(2, 9)),
            "what was counted before the reset takes nothing from what came after it"
        );
        Ok(())
    })
    .await
    .unwrap();
}

/// Counts a wrong password; gives the failures in a row.
async fn failures(
    writer: &mut Writer,
    subject: &[u8],
    lane: &[u8],
    now: Moment,
) -> Result<Option<i64>, StoreError> {
    let counted = writer.count_password_try((subject, lane), 1, 1000, now).await?;
    Ok(counted.map(|counted| counted.failures))
}

pub async fn parallel_wrong_passwords_are_all_counted(store: &Store) {
    let subject = Maker::new().bytes();
    let tries = (0..40).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut writer = store.write().await?;
            let failures = failures(&mut writer, &subject, b"", at(0)).await?;
            writer.commit().await?;
            Ok::<_, StoreError>(failures)
        })
    });
    let mut counted: Vec<_> = join_all(tries)
        .await
        .into_iter()
        .map(|count| count.unwrap().unwrap())
        .collect();
    counted.sort_unstable();
    assert_eq!(counted, (1..=40).map(Some).collect::<Vec<_>>());
}

pub async fn links_that_a_source_asks_for_are_counted_by_the_hour(store: &Store) {
    write(store, async |writer| {
        for (source, seconds, expected) in [(HERE, 0, 1), (HERE, 1, 2), ("192.0.2.2", 1, 1), (HERE, 3_600, 1)]
        {
            assert_eq!(writer.count_reset_request(source, at(seconds)).await?, expected);
        }
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn all_wrong_passwords_are_forgotten_together(store: &Store) {
    write(store, async |writer| {
        writer.note_wrong_at_source(HERE, &wrong(1, 0)).await?;
        writer.note_right_at_source(HERE, &[1; 32], at(0)).await?;
        failures(writer, &[1; 32], b"", at(0)).await?;
        writer.block_password(&[1; 32], b"", FOREVER).await?;
        writer.clear_tries().await?;
        assert_eq!(failures(writer, &[1; 32], b"", at(0)).await?, Some(1));
        assert_eq!(writer.wrong_of_source(HERE, 9, at(0)).await?, Vec::new());
        let company = CompanyId(uuid::Uuid::from_bytes([1; 16]));
        assert_eq!(writer.accounts_right_at_source(HERE, company, at(-1)).await?, 0);
        Ok(())
    })
    .await
    .unwrap();
}
