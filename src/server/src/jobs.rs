//! Background work besides mail.

use std::{sync::Arc, time::Duration};

use tokio_util::{sync::CancellationToken, task::TaskTracker};
use vestibule_core::ports::Clock;
use vestibule_service::Service;

/// How often what has expired is deleted.
const CLEAN_UP_EVERY: Duration = Duration::from_mins(10);

/// How often locks that were left behind are looked for.
const COMPLETE_LOCKS_EVERY: Duration = Duration::from_secs(30);
/// How often this server writes down that it is there.
const PROBE_EVERY: Duration = Duration::from_secs(5);

/// How often another process's new keys are looked for, in case nothing made with them was met before.
const LOOK_FOR_KEYS_EVERY: Duration = Duration::from_mins(1);

/// How often it is told how the line before the hashing threads moves.
const TELL_LINE_EVERY: Duration = Duration::from_secs(1);

/// How often links that were asked for on other nodes are looked for.
const LOOK_FOR_REQUESTS_EVERY: Duration = Duration::from_secs(2);

/// How often is looked for applications that have to be told of the end of a session.
const TELL_LOGOUTS_EVERY: Duration = Duration::from_millis(400);

/// How often sessions are ended that are as old as they may become and that applications have to be told of.
const END_OLD_SESSIONS_EVERY: Duration = Duration::from_secs(1);

/// How often sessions that become idle are looked for at least: new ones, and shorter policies, may come between.
const LOOK_FOR_IDLE_EVERY: Duration = Duration::from_mins(1);
/// Shortest pause in between.
const LOOK_FOR_IDLE_PAUSE: Duration = Duration::from_millis(250);

/// How long lines about strangers wait after the database failed.
const WRITE_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// How long the end of the process waits for the last of them.
const LAST_WRITE: Duration = Duration::from_secs(2);

/// Writes the lines of the audit log about people who have proved nothing, until told to stop.
async fn write_stranger_lines(service: Service, stop: CancellationToken) {
    let mut writable = true;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = service.upkeep().stranger_noted().notified() => {}
        }
        match service.upkeep().write_stranger_lines().await {
            Ok(_) => writable = true,
            Err(error) => {
                // Said once, not every five seconds.
                if writable {
                    tracing::warn!(%error, "lines of the audit log about refused requests wait");
                }
                writable = false;
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(WRITE_AGAIN_AFTER) => service.upkeep().stranger_noted().notify_one(),
                }
            }
        }
    }
}

/// Writes the last of them, when no request is under way any more. The end does not wait long for it.
pub async fn write_last_stranger_lines(service: &Service) {
    match tokio::time::timeout(LAST_WRITE, service.upkeep().write_stranger_lines()).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(%error, "lines of the audit log about refused requests are lost"),
        Err(_) => tracing::warn!("lines of the audit log about refused requests are lost"),
    }
}

/// Lets those who stand in line have their turn, for so long at most, and meanwhile goes on telling other nodes how it
/// moves: that is where they ask now.
pub async fn finish_line(service: &Service, waiting: &TaskTracker, most: Duration) {
    waiting.close();
    let telling = async {
        let mut tick = tokio::time::interval(TELL_LINE_EVERY);
        loop {
            tick.tick().await;
            if let Err(error) = service.sign_in().tell_line().await {
                tracing::warn!(%error, "how the line moves cannot be told");
            }
        }
    };
    tokio::select! {
        done = tokio::time::timeout(most, waiting.wait()) => {
            if done.is_err() {
                tracing::warn!(waiting = waiting.len(), "some who stood in line get no answer");
            }
        }
        () = telling => {}
    }
}

/// Starts all of it. `machine` is the clock of the machine.
pub fn start(tasks: &TaskTracker, service: &Service, machine: Arc<dyn Clock>, stop: &CancellationToken) {
    let (service, stop) = (|| service.clone(), || stop.clone());
    tasks.spawn(probe(service(), machine, stop()));
    tasks.spawn(look_for_keys(service(), stop()));
    tasks.spawn(tell_line(service(), stop()));
    tasks.spawn(answer_reset_requests(service(), stop()));
    tasks.spawn(complete_locks(service(), stop()));
    tasks.spawn(write_stranger_lines(service(), stop()));
    tasks.spawn(clean_up(service(), stop()));
    tasks.spawn(end_old_sessions(service(), stop()));
    tasks.spawn(end_idle_sessions(service(), stop()));
    tasks.spawn(tell_logouts(service(), stop()));
    tasks.spawn(hear_others(service(), stop()));
}

/// Hears what other nodes change about sessions, until told to stop.
async fn hear_others(service: Service, stop: CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = service.store().hear_others() => {}
    }
}

/// Tells applications that sessions are over, soon after they ended on whichever server, until told to stop.
async fn tell_logouts(service: Service, stop: CancellationToken) {
    let mut tick = tokio::time::interval(TELL_LOGOUTS_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut readable = true;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        // It goes on while others are slow. What is broken off here comes again soon, on whichever server.
        let told = tokio::select! {
            () = stop.cancelled() => return,
            told = service.issuer().tell_logouts() => told,
        };
        match told {
            Ok(_) => readable = true,
            // Said once, not several times a second.
            Err(error) if readable => {
                readable = false;
                tracing::warn!(%error, "applications cannot be told of the ends of sessions");
            }
            Err(_) => {}
        }
    }
}

/// Looks up who asked for a link to choose a new password: at once when it was asked here, and every two seconds for
/// what other nodes left behind. Until told to stop.
async fn answer_reset_requests(service: Service, stop: CancellationToken) {
    let mut tick = tokio::time::interval(LOOK_FOR_REQUESTS_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut readable = true;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = service.reset_asked().notified() => {}
            _ = tick.tick() => {}
        }
        match service.recovery().answer_reset_requests().await {
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

/// Tells other nodes how this one's line moves, every second while somebody waits in it. Until told to stop.
async fn tell_line(service: Service, stop: CancellationToken) {
    let mut tick = tokio::time::interval(TELL_LINE_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut waited = false;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        let waiting = service.sign_in().waiting_in_line() > 0;
        // Once more after the last one has gone: their tickets are being answered.
        if (waiting || waited)
            && let Err(error) = service.sign_in().tell_line().await
        {
            tracing::warn!(%error, "how the line moves cannot be told");
        }
        waited = waiting;
    }
}

/// Writes down every five seconds that this server is there, and compares its clock and its keys with the database's,
/// until told to stop.
async fn probe(service: Service, machine: Arc<dyn Clock>, stop: CancellationToken) {
    let mut tick = tokio::time::interval(PROBE_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut writable = true;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        match service.upkeep().probe(&machine).await {
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
async fn look_for_keys(service: Service, stop: CancellationToken) {
    let mut tick = tokio::time::interval(LOOK_FOR_KEYS_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => service.operator().reload_keys(),
        }
    }
}

/// Completes locks that a process left behind when it was cut off, now and every 30 seconds, until told to stop.
async fn complete_locks(service: Service, stop: CancellationToken) {
    let mut tick = tokio::time::interval(COMPLETE_LOCKS_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        if let Err(error) = service.upkeep().complete_locks().await {
            tracing::warn!(%error, "locks that were left behind could not be completed");
        }
    }
}

/// Deletes what has expired, now and every ten minutes, until told to stop.
async fn clean_up(service: Service, stop: CancellationToken) {
    let mut tick = tokio::time::interval(CLEAN_UP_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        match service.outbox().clean_up().await {
            Ok(0) => {}
            Ok(deleted) => tracing::debug!(deleted, "expired rows are gone"),
            Err(error) => tracing::warn!(%error, "expired rows could not be deleted"),
        }
    }
}

/// Ends sessions that applications have to be told of as soon as nobody has used them for too long, until told to stop.
async fn end_idle_sessions(service: Service, stop: CancellationToken) {
    loop {
        let round = async {
            service.issuer().end_idle_sessions().await?;
            service.issuer().until_idle_end().await
        };
        let pause = match round.await {
            Ok(Some(left)) => left.to_std().unwrap_or_default(),
            Ok(None) => LOOK_FOR_IDLE_EVERY,
            Err(error) => {
                tracing::warn!(%error, "idle sessions could not be ended");
                LOOK_FOR_IDLE_EVERY
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause.clamp(LOOK_FOR_IDLE_PAUSE, LOOK_FOR_IDLE_EVERY)) => {}
        }
    }
}

/// Ends sessions that applications have to be told of within a second after their absolute end, until told to stop.
async fn end_old_sessions(service: Service, stop: CancellationToken) {
    let mut tick = tokio::time::interval(END_OLD_SESSIONS_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut readable = true;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        match service.issuer().end_old_sessions().await {
            Ok(_) => readable = true,
            // Said once, not every second.
            Err(error) if readable => {
                readable = false;
                tracing::warn!(%error, "sessions past their end could not be ended");
            }
            Err(_) => {}
        }
    }
}
