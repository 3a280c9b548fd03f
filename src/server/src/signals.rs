//! What the process is told by signals: to stop, to read its settings anew, or nothing at all.

use std::{io, time::Duration};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

/// SIGHUP, which asks for settings to be read anew. From now on neither it nor SIGUSR1, SIGUSR2 and SIGQUIT end the
/// process, which they do to a program that knows nothing of them.
///
/// # Errors
/// When the system gives no signals.
pub fn hangups() -> io::Result<Signal> {
    for ignored in [
        SignalKind::user_defined1(),
        SignalKind::user_defined2(),
        SignalKind::quit(),
    ] {
        // The handler stays when nobody waits for it.
        drop(signal(ignored)?);
    }
    signal(SignalKind::hangup())
}

/// The signals that stop the server.
pub struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

/// Who wants it to stop.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// A service manager: SIGTERM.
    Manager,
    /// Somebody at a terminal: SIGINT.
    Person,
}

impl StopSignals {
    /// Takes them from now on.
    ///
    /// # Errors
    /// When the system gives no signals.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> By {
        tokio::select! {
            _ = self.terminate.recv() => By::Manager,
            _ = self.interrupt.recv() => By::Person,
        }
    }

    /// Waits to be told, drains (cancels `draining` and leaves balancers the time to notice) and cancels `stop`. Whoever
    /// sits at a terminal does not wait, and a second signal ends the waiting.
    pub async fn stop_in_order(
        mut self,
        drain: Duration,
        draining: CancellationToken,
        stop: CancellationToken,
    ) {
        if self.next().await == By::Manager && !drain.is_zero() {
            tracing::info!(seconds = drain.as_secs(), "about to stop: /readyz says so");
            draining.cancel();
            tokio::select! {
                () = sleep(drain) => {}
                _ = self.next() => {}
            }
        }
        tracing::info!("stopping");
        stop.cancel();
    }
}
