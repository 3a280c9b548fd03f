//! Serving: opens everything, listens, and closes everything again.

use std::{io, sync::Arc, time::Duration};

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use vestibule_app::page::{Legal, Links};
use vestibule_core::{paths, ports::Clock};
use vestibule_mail::{Mailbox, SettingsError, SmtpTransport, Transport, outbox::Worker};
use vestibule_service::Service;
use vestibule_storage::{Store, StoreError};

use crate::{
    assembly::{self, AssemblyError},
    config::Config,
    http::{
        assets::Site,
        cookies::Cookies,
        listener::{self, ListenerLimits},
        metrics, request_id, router,
    },
    jobs,
    legal::LegalTexts,
    state::{AppState, Parts},
    system::{SystemClock, SystemRandomness},
};

/// What differs between `serve` and `demo`.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServeOptions {
    /// Makes what is printed once visitors can come.
    pub welcome: Option<fn(&Config) -> String>,
}

/// Why serving could not begin.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key file or what depends on it.
    #[error(transparent)]
    Assembly(#[from] AssemblyError),
    /// The mail server's settings.
    #[error("the mail server cannot be used: {0}")]
    Smtp(#[from] SettingsError),
    /// The operator's Terms of Service or Privacy Policy.
    #[error("the legal texts cannot be read: {0}")]
    Legal(io::Error),
    /// The address.
    #[error("{address} cannot be listened on: {error}")]
    Listen {
        /// Where.
        address: std::net::SocketAddr,
        /// Why not.
        error: io::Error,
    },
    /// The test kit on an address that others can reach.
    #[cfg(feature = "test-kit")]
    #[error("the test kit gives everybody every account: it listens on loopback addresses only, not on {0}")]
    TestKitInPublic(std::net::SocketAddr),
    /// The test kit could make no key.
    #[cfg(feature = "test-kit")]
    #[error("the machine offers no randomness")]
    NoRandomness,
}

/// Serves until the process is told to stop (SIGTERM, SIGINT), then lets requests under way finish.
///
/// # Errors
/// [`ServeError`] when something is missing or wrong at start.
pub async fn serve(mut config: Config, options: ServeOptions) -> Result<(), ServeError> {
    request_id::log_panics();
    #[cfg(feature = "test-kit")]
    if !crate::test_kit::may_listen(config.listen) {
        return Err(ServeError::TestKitInPublic(config.listen));
    }
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| ServeError::Listen {
            address: config.listen,
            error,
        })?;
    if let Ok(address) = listener.local_addr() {
        config.bound_to(address);
    }
    #[cfg(feature = "test-kit")]
    crate::test_kit::stand_in(&mut config);
    let metrics = match config.metrics_listen {
        None => None,
        Some(address) => {
            let bound = TcpListener::bind(address).await;
            Some(bound.map_err(|error| ServeError::Listen { address, error })?)
        }
    };
    let store = Store::open(config.database_url.reveal(), config.store_options()).await?;
    store.migrate().await?;

    #[cfg(feature = "test-kit")]
    let kit_clock = Arc::new(crate::test_kit::KitClock::new(Arc::new(SystemClock)));
    #[cfg(feature = "test-kit")]
    let clock: Arc<dyn Clock> = kit_clock.clone();
    #[cfg(not(feature = "test-kit"))]
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let service = assembly::service(&config, store.clone(), clock, Arc::new(SystemRandomness)).await?;

    let Assembled {
        state,
        routes,
        worker,
        transport,
    } = assemble(&config, service.clone())?;
    let stop = CancellationToken::new();
    #[cfg(not(feature = "test-kit"))]
    drop(state);
    #[cfg(feature = "test-kit")]
    let routes = {
        tracing::warn!("this binary has the test kit: everybody on this machine can do everything");
        crate::test_kit::router(state, kit_clock, config.listen)
            .map_err(|_| ServeError::NoRandomness)?
            .merge(routes)
    };

    let tasks = TaskTracker::new();
    if let Some(metrics) = metrics {
        let routes = metrics::router(service.clone(), worker.counters());
        let told = stop.clone();
        tasks.spawn(async move {
            let serving = axum::serve(metrics, routes);
            let served = serving
                .with_graceful_shutdown(async move { told.cancelled().await })
                .await;
            if let Err(error) = served {
                tracing::error!(%error, "/metrics is no longer served");
            }
        });
    }
    let outbox = Arc::new(service.clone());
    let told = stop.clone();
    tasks.spawn(async move {
        let filled = outbox.outbox_filled().clone();
        worker
            .run(outbox, filled, async move { told.cancelled().await })
            .await;
    });
    let machine: Arc<dyn Clock> = Arc::new(SystemClock);
    // Before anything is judged by the clock.
    service.measure_clock(&machine).await?;
    tasks.spawn(jobs::probe(service.clone(), machine, stop.clone()));
    tasks.spawn(jobs::look_for_keys(service.clone(), stop.clone()));
    tasks.spawn(jobs::answer_reset_requests(service.clone(), stop.clone()));
    tasks.spawn(jobs::clean_up(service, stop.clone()));
    tasks.close();
    tokio::spawn(cancel_on_signal(stop.clone()));

    tracing::info!(address = %config.listen, url = %config.origin(), "serving");
    if let Some(welcome) = options.welcome {
        print_welcome(&welcome(&config));
    }
    let limits = ListenerLimits {
        shutdown: Duration::from_secs(config.shutdown_seconds.into()),
        ..ListenerLimits::default()
    };
    listener::serve(listener, routes, limits, stop.clone()).await;

    tasks.wait().await;
    transport.close().await;
    store.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// Everything between the use cases and the socket.
pub struct Assembled {
    /// What the handlers share.
    pub state: AppState,
    /// All addresses, inside all layers.
    pub routes: Router,
    /// Empties the outbox.
    pub worker: Arc<Worker>,
    /// Where mails go.
    pub transport: Transport,
}

/// Puts pages, addresses and mail around the use cases.
///
/// # Errors
/// [`ServeError`] when the mail server's settings or the legal texts cannot be used.
pub fn assemble(config: &Config, service: Service) -> Result<Assembled, ServeError> {
    let (transport, mailbox) = transport(config)?;
    let worker = Arc::new(Worker::new(
        transport.clone(),
        // A mail is not given up because the clock of one server says that it has expired.
        service.database_clock(),
        service.randomness().clone(),
        config.mail_from.clone(),
    ));
    let site = Site::embedded();
    let legal = LegalTexts::load(&config.terms, &config.privacy).map_err(ServeError::Legal)?;
    let links = Links {
        terms: legal.link(Legal::Terms),
        privacy: legal.link(Legal::Privacy),
        mailbox: mailbox.is_some().then(|| paths::MAILBOX.to_owned()),
    };
    let state = AppState::new(Parts {
        service,
        assets: site.asset_names(),
        cookies: Cookies::new(config.is_https()),
        legal,
        links,
        mailbox,
        config: config.clone(),
    });
    let routes = router::router(&state, site);
    Ok(Assembled {
        state,
        routes,
        worker,
        transport,
    })
}

/// The way mails take, and the mailbox when it is the local one.
fn transport(config: &Config) -> Result<(Transport, Option<Mailbox>), ServeError> {
    let Some(smtp) = &config.smtp else {
        let mailbox = Mailbox::new();
        return Ok((Transport::Mailbox(mailbox.clone()), Some(mailbox)));
    };
    let mut settings = smtp.settings().clone();
    // Mail servers expect a name; an address is no name, and the library then takes the sender's domain.
    if let Some(url::Host::Domain(host)) = config.public_url.host() {
        settings = settings.with_hello_name(host)?;
    }
    Ok((Transport::Smtp(SmtpTransport::new(settings)), None))
}

/// Waits for SIGTERM or Ctrl-C.
async fn cancel_on_signal(stop: CancellationToken) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            stop.cancel();
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_ok() {
        stop.cancel();
    }
}

fn print_welcome(text: &str) {
    use std::io::Write;
    // Nobody to greet is no reason to stop.
    let _ = writeln!(io::stdout(), "{text}");
}
