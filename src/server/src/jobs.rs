//! Background work besides mail.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use vestibule_service::Service;

/// How often what has expired is deleted.
const CLEAN_UP_EVERY: Duration = Duration::from_mins(10);

/// How often another process's new keys are looked for, in case nothing made with them was met before.
const LOOK_FOR_KEYS_EVERY: Duration = Duration::from_mins(1);

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
