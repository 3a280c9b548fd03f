//! Tries that are counted before they are compared.
//!
//! The count is committed first, so that neither parallel guesses, nor a dropped connection, nor a crash gives a free
//! one. From then on a [`Counted`] goes along until somebody settles it: the try *stands* when it was compared and is
//! wrong, or when the transaction that a right one led to has itself written what becomes of the count; in every other
//! case it is *taken back*, because a fault of ours is nobody's guess. Whatever leaves early, with `?` or otherwise, drops
//! it unsettled, and that takes it back too: nobody was told anything by then.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::{
    runtime::Handle,
    sync::Semaphore,
    time::{Instant, sleep},
};
use vestibule_storage::{Store, StoreError, Writer};

/// Counts that may wait to be taken back at once. With more, the database has been away for long, and the rest stays
/// counted.
static WAITING: Semaphore = Semaphore::const_new(1000);

/// How long the first of the later attempts waits; each waits twice as long as the one before.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How long it is attempted: nearly as long as a sign-in lives.
const PATIENCE: Duration = Duration::from_mins(9);
/// Seconds after which a count that still stands stays: the last attempt to take it back is over. A sign-in still lives.
pub(crate) const SETTLED_AFTER: i64 = 9 * 60 + 50;

/// Knows how a try is taken back.
pub(crate) trait TakeBack: Send + Sync + 'static {
    /// Takes it back, as part of a transaction.
    fn take_back(&self, writer: &mut Writer) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// A try whose count is committed, and that nobody has judged yet.
#[must_use = "a try that was counted is settled: it stands or it is taken back"]
pub(crate) struct Counted<T: TakeBack> {
    store: Store,
    what: Arc<T>,
    settled: bool,
}

impl<T: TakeBack> Counted<T> {
    /// Goes along with a count that is committed.
    pub fn new(store: &Store, counted: T) -> Self {
        Self {
            store: store.clone(),
            what: Arc::new(counted),
            settled: false,
        }
    }

    /// What was counted.
    pub fn what(&self) -> &T {
        &self.what
    }

    /// The try was compared and is wrong, or what it led to has settled the count: it stays as it is.
    pub fn stands(mut self) {
        self.settled = true;
    }

    /// It was no guess: takes it back. When the database is away, that happens later.
    pub async fn take_back(mut self) {
        self.settled = take_back(&self.store, self.what.as_ref()).await.is_ok();
    }
}

impl<T: TakeBack> Drop for Counted<T> {
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        let (Ok(runtime), Ok(place)) = (Handle::try_current(), WAITING.try_acquire()) else {
            tracing::error!("a try stays counted: too many wait to be taken back");
            return;
        };
        let (store, counted) = (self.store.clone(), Arc::clone(&self.what));
        runtime.spawn(async move {
            if let Err(error) = patiently(PATIENCE, || take_back(&store, counted.as_ref())).await {
                tracing::error!(%error, "a try stays counted: it could not be taken back");
            }
            drop(place);
        });
    }
}

async fn take_back<T: TakeBack>(store: &Store, counted: &T) -> Result<(), StoreError> {
    let mut writer = store.write().await?;
    counted.take_back(&mut writer).await?;
    writer.commit().await
}

/// Tries again and again, with longer and longer waits, and gives up with the last error when another wait would be longer
/// than this altogether.
pub(crate) async fn patiently<F, T, E>(patience: Duration, mut act: impl FnMut() -> F) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    let begun = Instant::now();
    let mut wait = FIRST_WAIT;
    loop {
        match act().await {
            Err(_) if begun.elapsed() + wait <= patience => sleep(wait).await,
            done => return done,
        }
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_fails_is_tried_again_until_it_succeeds() {
        let calls = Cell::new(0);
        let done = patiently(PATIENCE, async || {
            calls.set(calls.get() + 1);
            if calls.get() < 4 { Err("away") } else { Ok(()) }
        });
        assert_eq!(done.await, Ok(()));
        assert_eq!(calls.get(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_for_as_long_as_a_sign_in_lives_is_given_up() {
        let begun = Instant::now();
        let calls = Cell::new(0);
        let done = patiently(PATIENCE, async || {
            calls.set(calls.get() + 1);
            Err::<(), _>("away")
        });
        assert_eq!(done.await, Err("away"));
        assert!((20..30).contains(&calls.get()), "{calls:?}");
        let most = begun.elapsed().as_secs();
        assert!((8 * 60..=9 * 60).contains(&most), "{most} seconds");
    }
}
