//! Sign-ins per second, against how many passwords the machine can hash at all.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow, bail};
use argon2::{Algorithm, Argon2, Params, Version};

use super::{ACCOUNTS, COMPANY, PASSWORD};

/// The server's parameters: 19 MiB, 2 passes, 1 lane (number N5 of the security model).
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;

/// Name of one of the accounts.
pub fn account(number: usize) -> String {
    format!("agent{number}")
}

/// Measures and prints both rates.
///
/// # Errors
/// No sign-in succeeds.
pub fn print(url: &str, time: Duration) -> Result<()> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    println!(
        "\nSign-ins (company, account, password; no second factor), {cores} cores, {} s each",
        time.as_secs()
    );
    let hashes = rate(cores, time, |_| hash())?;
    println!("  argon2id alone, one thread a core: {hashes:.1} a second");
    let signed_in = several(url, time)?;
    println!(
        "  POST /login: {signed_in:.1} a second, {:.0} % of that",
        signed_in / hashes * 100.0
    );
    Ok(())
}

/// How many sign in a second.
///
/// # Errors
/// No sign-in succeeds.
pub fn several(url: &str, time: Duration) -> Result<f64> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    // Twice the cores keep the server's line filled while answers travel.
    rate(cores * 2, time, |number| sign_in(url, number))
}

/// How often a second `act` can be done by so many threads.
///
/// # Errors
/// What `act` fails with first, or nothing was done.
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
    Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters)
        .hash_password_into(PASSWORD.as_bytes(), b"sixteen bytes it", &mut tag)
        .map_err(|error| anyhow!("{error}"))
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
