//! Background work besides mail.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;
use vestibule_core::ports::Clock;
use vestibule_service::Service;

/// How often what has expired is deleted.
const CLEAN_UP_EVERY: Duration = Duration::from_mins(10);

/// How often this server writes down that it is there.
const PROBE_EVERY: Duration = Duration::from_secs(5);

/// How often another process's new keys are looked for, in case nothing made with them was met before.
const LOOK_FOR_KEYS_EVERY: Duration = Duration::from_mins(1);

/// How often links that were asked for on other nodes are looked for.
const LOOK_FOR_REQUESTS_EVERY: Duration = Duration::from_secs(2);

/// Looks up who asked for a link to choose a new password: at once when it was asked here, and every two seconds for
/// what other nodes left behind. Until told to stop.
pub async fn answer_reset_requests(service: Service, stop: CancellationToken) {
    let mut tick = tokio::time::interval(LOOK_FOR_REQUESTS_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut readable = true;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = service.reset_asked().notified() => {}
            _ = tick.tick() => {}
        }
        match service.answer_reset_requests().await {
            Ok(_) => readable = true,
            // Said once, not every two seconds.
            Err(error) if readable => {
                readable = false;
                tracing::warn!(%error, "links that were asked for cannot be looked up");
            }
            Err(_) => {}
        }
    }
}

/// Writes down every five seconds that this server is there, and compares its clock and its keys with the database's,
/// until told to stop.
pub async fn probe(service: Service, machine: Arc<dyn Clock>, stop: CancellationToken) {
    let mut tick = tokio::time::interval(PROBE_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut writable = true;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        match service.probe(&machine).await {
            Ok(()) => writable = true,
            // Said once, not every five seconds.
            Err(error) if writable => {
                writable = false;
                tracing::warn!(%error, "nothing can be written: nobody can sign in");
            }
            Err(_) => {}
        }
    }
}

/// Takes over new versions from the key file every minute, until told to stop.
pub async fn look_for_keys(service: Service, stop: CancellationToken) {
    let mut tick = tokio::time::interval(LOOK_FOR_KEYS_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => service.reload_keys(),
        }
    }
}

/// Deletes what has expired, now and every ten minutes, until told to stop.
pub async fn clean_up(service: Service, stop: CancellationToken) {
    let mut tick = tokio::time::interval(CLEAN_UP_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        match service.clean_up().await {
            Ok(0) => {}
            Ok(deleted) => tracing::debug!(deleted, "expired rows are gone"),
            Err(error) => tracing::warn!(%error, "expired rows could not be deleted"),
        }
    }
}
