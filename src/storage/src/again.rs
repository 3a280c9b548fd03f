//! Transactions that are run again because the database ended them for others.

use std::{future::Future, time::Duration};

use crate::StoreError;

/// How often at most a transaction is run again.
const AGAIN: u32 = 3;
/// Wait before the first time, doubled before each other: whoever went on needs a moment.
const WAIT: Duration = Duration::from_millis(10);

/// What a transaction fails with.
pub trait Failed {
    /// Whether the database ended the transaction so that others could go on: the same once more helps.
    fn is_victim(&self) -> bool;
}

impl Failed for StoreError {
    fn is_victim(&self) -> bool {
        matches!(self, Self::Victim(_))
    }
}

/// Runs a whole transaction, from its [`crate::Store::write`] to its commit, and once more, up to three times, when the
/// database ended it so that others could go on (PostgreSQL: 40001 and 40P01). Nothing of it was written then. What is
/// done before the transaction, such as counting a try, does not belong into it.
///
/// # Errors
/// What the transaction fails with the last time.
pub async fn again<T, E, F>(mut transaction: impl FnMut() -> F) -> Result<T, E>
where
    E: Failed,
    F: Future<Output = Result<T, E>>,
{
    let mut wait = WAIT;
    for _ in 0..AGAIN {
        match transaction().await {
            Err(error) if error.is_victim() => {
                tracing::debug!("a transaction is run again");
                tokio::time::sleep(wait).await;
                wait *= 2;
            }
            done => return done,
        }
    }
    transaction().await
}

#[cfg(test)]
mod tests {
    use super::{AGAIN, again};
    use crate::{Cause, StoreError};

    #[tokio::test]
    async fn only_what_the_database_ended_is_run_again_and_not_for_ever() {
        let victim = StoreError::Victim(Cause::new("40P01"));
        let other = StoreError::other("a mistake");
        for (failures, error, runs, expected) in [
            (0, &victim, 1, Ok(1)),
            (2, &victim, 3, Ok(3)),
            (9, &victim, AGAIN + 1, Err(victim.clone())),
            (1, &other, 1, Err(other.clone())),
        ] {
            let mut run = 0;
            let done = again(|| {
                run += 1;
                let done = if run > failures {
                    Ok(run)
                } else {
                    Err(error.clone())
                };
                async { done }
            })
            .await;
            assert_eq!((done, run), (expected, runs));
        }
    }
}
