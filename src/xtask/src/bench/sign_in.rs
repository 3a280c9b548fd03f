//! Sign-ins per second, against how many passwords the machine can hash at all.

use std::{
    cell::RefCell,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow, bail};
use argon2::{Algorithm, Argon2, Block, Params, Version};

use super::{ACCOUNTS, COMPANY, PASSWORD, figures::Figures};

/// The server's parameters: 19 MiB, 2 passes, 1 lane (number N5 of the security model).
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;

/// Name of one of the accounts.
pub fn account(number: usize) -> String {
    format!("agent{number}")
}

/// Measures both rates.
///
/// # Errors
/// No sign-in succeeds.
pub fn measure(url: &str, time: Duration, figures: &mut Figures) -> Result<()> {
    let hashes = hashes(time)?;
    let signed_in = several(url, time)?;
    let (part, on) = ("sign-ins, password only", format!("SQLite, {} cores", cores()));
    figures.add(part, &on, "argon2id alone with kept memory, a second", hashes, "");
    figures.add(part, &on, "POST /login, a second", signed_in, "");
    figures.add(
        part,
        &on,
        "share of argon2id alone",
        signed_in / hashes * 100.0,
        "%",
    );
    Ok(())
}

/// How many sign in a second.
///
/// # Errors
/// No sign-in succeeds.
pub fn several(url: &str, time: Duration) -> Result<f64> {
    // Twice the cores keep the server's line filled while answers travel.
    rate(cores() * 2, time, |number| sign_in(url, number))
}

/// How many passwords this machine hashes a second with one thread a core, each with memory of its own that it keeps.
///
/// # Errors
/// None is hashed.
pub fn hashes(time: Duration) -> Result<f64> {
    rate(cores(), time, |_| hash())
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

thread_local! {
    /// Memory of this thread's hashes.
    static BLOCKS: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) };
}

/// How often a second `act` can be done by so many threads.
///
/// # Errors
/// Those of `act`; it was never done.
pub fn rate(threads: usize, time: Duration, act: impl Fn(usize) -> Result<()> + Sync) -> Result<f64> {
    let done = AtomicUsize::new(0);
    let next = AtomicUsize::new(0);
    let begun = Instant::now();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| -> Result<()> {
                    while begun.elapsed() < time {
                        act(next.fetch_add(1, Ordering::Relaxed))?;
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok(())
                })
            })
            .collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().map_err(|_| anyhow!("a thread died"))?)
    })?;
    let done = u32::try_from(done.into_inner())?;
    if done == 0 {
        bail!("nothing was done in {} s", time.as_secs());
    }
    Ok(f64::from(done) / begun.elapsed().as_secs_f64())
}

fn hash() -> Result<()> {
    let parameters = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(|error| anyhow!("{error}"))?;
    let mut tag = [0; 32];
    BLOCKS.with_borrow_mut(|blocks| {
        blocks.resize(parameters.block_count(), Block::default());
        Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters)
            .hash_password_into_with_memory(PASSWORD.as_bytes(), b"sixteen bytes it", &mut tag, blocks)
            .map_err(|error| anyhow!("{error}"))
    })
}

fn sign_in(url: &str, number: usize) -> Result<()> {
    let [.., high, middle, low] = number.to_be_bytes();
    ureq::post(format!("{url}/login"))
        .header("accept", "application/json")
        .header("origin", url)
        .header("sec-fetch-site", "same-origin")
        .header("x-forwarded-for", format!("10.{high}.{middle}.{low}"))
        .send_form([
            ("company", COMPANY),
            ("account", &account(number % ACCOUNTS)),
            ("password", PASSWORD),
        ])?;
    Ok(())
}
