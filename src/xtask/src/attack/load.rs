//! Many at once, and figures about them.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use tokio::{sync::Semaphore, task::JoinSet, time::timeout};

use super::client::{Arrival, Outcome};

/// Longest time for all of them.
const LIMIT: Duration = Duration::from_mins(10);

/// Runs `act` for each number, each not before its moment and no more than `at_once` at a time. They end early with the
/// scenario.
///
/// # Errors
/// They take too long, or one of them dies.
pub async fn each<T, F>(
    count: usize,
    at_once: usize,
    moment: impl Fn(usize) -> Duration,
    act: impl Fn(usize) -> F,
) -> Result<Vec<T>>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let room = Arc::new(Semaphore::new(at_once));
    let begun = tokio::time::Instant::now();
    let mut running = JoinSet::new();
    for number in 0..count {
        let (room, moment, act) = (Arc::clone(&room), moment(number), act(number));
        running.spawn(async move {
            tokio::time::sleep_until(begun + moment).await;
            let _turn = room.acquire_owned().await;
            act.await
        });
    }
    let mut done = Vec::with_capacity(count);
    let all = async {
        while let Some(one) = running.join_next().await {
            done.push(one?);
        }
        Ok(())
    };
    match timeout(LIMIT, all).await {
        Ok(Ok(())) => Ok(done),
        Ok(Err::<(), anyhow::Error>(error)) => Err(error),
        Err(_) => bail!(
            "{} of {count} were not done after {} s",
            count - done.len(),
            LIMIT.as_secs()
        ),
    }
}

/// All at once.
pub const fn at_once(_: usize) -> Duration {
    Duration::ZERO
}

/// So many spread evenly over a time.
pub fn over(time: Duration, count: usize) -> impl Fn(usize) -> Duration {
    let count = u32::try_from(count.max(1)).unwrap_or(u32::MAX);
    move |number| time * u32::try_from(number).unwrap_or(u32::MAX) / count
}

/// How outcomes are spread.
#[derive(Debug, Default)]
pub struct Tally {
    counts: BTreeMap<String, usize>,
    times: Vec<Duration>,
    waited: usize,
    longest_wait: Option<u64>,
}

impl Tally {
    /// Counts one outcome.
    pub fn add(&mut self, outcome: &Outcome) {
        *self.counts.entry(outcome.to_string()).or_default() += 1;
        if let Outcome::Limited(Some(seconds)) | Outcome::Busy(Some(seconds)) = outcome {
            self.longest_wait = self.longest_wait.max(Some(*seconds));
        }
    }

    /// Counts how a sign-in went.
    pub fn arrival(&mut self, arrival: &Arrival) {
        self.add(&arrival.outcome);
        self.times.push(arrival.took);
        self.waited += usize::from(arrival.waited);
    }

    /// Of these arrivals.
    pub fn of<'a>(arrivals: impl IntoIterator<Item = &'a Arrival>) -> Self {
        let mut tally = Self::default();
        for arrival in arrivals {
            tally.arrival(arrival);
        }
        tally
    }

    /// How often this was the outcome.
    pub fn count(&self, outcome: &Outcome) -> usize {
        self.counts.get(&outcome.to_string()).copied().unwrap_or_default()
    }

    /// In words: `590 in, 10 x 429; 40 in line; p50 0.1 s, p95 0.9 s, longest 2.0 s`.
    pub fn words(&self) -> String {
        let mut words: Vec<String> = self
            .counts
            .iter()
            .map(|(what, count)| format!("{count} {what}"))
            .collect();
        if let Some(seconds) = self.longest_wait {
            words.push(format!("told to wait up to {seconds} s"));
        }
        let mut text = words.join(", ");
        // Writing to a String cannot fail.
        if self.waited > 0 {
            let _ = write!(text, "; {} stood in line", self.waited);
        }
        if !self.times.is_empty() {
            let times = self.times.clone();
            let _ = write!(text, "; {}", spread(times));
        }
        text
    }
}

/// The time within which so many of a hundred stay.
pub fn percentile(times: &mut [Duration], hundredth: usize) -> Duration {
    times.sort_unstable();
    let last = times.len().saturating_sub(1);
    times
        .get((times.len() * hundredth / 100).min(last))
        .copied()
        .unwrap_or_default()
}

/// Median, 95th of a hundred and longest, in words.
pub fn spread(mut times: Vec<Duration>) -> String {
    let at = |times: &mut Vec<Duration>, part| percentile(times, part).as_secs_f64();
    format!(
        "p50 {:.2} s, p95 {:.2} s, longest {:.2} s",
        at(&mut times, 50),
        at(&mut times, 95),
        at(&mut times, 100)
    )
}

/// Bytes as people say them.
pub fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes / 1_000_000)
}

/// Asks for a condition until it holds; whether it did in time.
pub async fn wait_until<F>(patience: Duration, mut condition: impl FnMut() -> F) -> bool
where
    F: Future<Output = bool>,
{
    let begun = Instant::now();
    loop {
        if condition().await {
            return true;
        }
        if begun.elapsed() > patience {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_sorted_times() {
        let mut times: Vec<Duration> = (1..=100).rev().map(Duration::from_millis).collect();
        assert_eq!(percentile(&mut times, 50), Duration::from_millis(51));
        assert_eq!(percentile(&mut times, 95), Duration::from_millis(96));
        assert_eq!(percentile(&mut times, 100), Duration::from_millis(100));
        assert_eq!(percentile(&mut [], 95), Duration::ZERO);
    }

    #[test]
    fn arrivals_are_spread_evenly() {
        let moment = over(Duration::from_secs(30), 600);
        assert_eq!(moment(0), Duration::ZERO);
        assert_eq!(moment(300), Duration::from_secs(15));
    }
}
