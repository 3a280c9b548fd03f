//! Serving: opens everything, listens, and closes everything again.

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use vestibule_core::ports::Clock;
use vestibule_mail::{Mailbox, SettingsError, SmtpSettings, SmtpTransport, Transport, outbox::Worker};
use vestibule_service::Service;
use vestibule_storage::{Store, StoreError};

use crate::{
    assembly::{self, AssemblyError},
    config::{Config, Place, Smtp},
    http::{
        assets::Site,
        cookies::Cookies,
        listener::{self, ListenerLimits},
        metrics, request_id,
    },
    jobs,
    legal::LegalTexts,
    open_files,
    pages::login::ReadyPages,
    reload::{Reload, Running},
    signals::{self, StopSignals},
    stand_in::{self, Providers},
    state::{AppState, Parts},
    system::{SystemClock, SystemRandomness},
};

/// What differs between `serve` and `demo`.
#[derive(Clone, Default)]
pub struct ServeOptions {
    /// Makes what is printed once visitors can come.
    pub welcome: Option<fn(&Config) -> String>,
    /// What SIGHUP reads anew; `None` = nothing.
    pub reload: Option<Reload>,
    /// Whom the providers offer that are played in the place of Google and Office 365; `None` = none are played. The test kit
    /// always has them.
    pub stand_in: Option<Vec<String>>,
}

/// Why serving could not begin.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The database.
    #[error("the database {place} cannot be used: {error}")]
    Store {
        /// Where it is.
        place: Place,
        /// Why not.
        error: StoreError,
    },
    /// There is no folder for the database.
    #[error("the folder {0} for the database does not exist: make it, or change database_url")]
    NoFolder(PathBuf),
    /// The system gives no signals.
    #[error("signals cannot be received: {0}")]
    Signals(io::Error),
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
        address: SocketAddr,
        /// Why not.
        error: io::Error,
    },
    /// The test kit on an address that others can reach.
    #[cfg(feature = "test-kit")]
    #[error("the test kit gives everybody every account: it listens on loopback addresses only, not on {0}")]
    TestKitInPublic(SocketAddr),
    /// The providers that are played could make no key.
    #[error("the machine offers no randomness")]
    NoRandomness,
}

/// Whom the providers offer that are played here from now on; `None` = none are. Where others reach this server nobody is
/// played.
fn play(options: &ServeOptions, config: &mut Config) -> Option<Vec<String>> {
    let kit = cfg!(feature = "test-kit").then(Vec::new);
    let people = options.stand_in.clone().or(kit)?;
    if !stand_in::may_listen(config.listen) {
        return None;
    }
    stand_in::settle(config);
    Some(people)
}

/// The providers that are played, if any are.
fn providers(
    listen: SocketAddr,
    clock: &Arc<dyn Clock>,
    people: Option<Vec<String>>,
) -> Result<Option<Arc<Providers>>, ServeError> {
    let Some(people) = people else {
        return Ok(None);
    };
    let providers = Providers::new(listen, Arc::clone(clock)).map_err(|_| ServeError::NoRandomness)?;
    for email in people.iter().rev() {
        providers.offer(email);
    }
    Ok(Some(Arc::new(providers)))
}

/// The addresses of this server with those of the test kit.
#[cfg(feature = "test-kit")]
fn with_kit(
    routes: Router,
    state: AppState,
    clock: Arc<crate::test_kit::KitClock>,
    providers: Option<&Arc<Providers>>,
) -> Router {
    tracing::warn!("this binary has the test kit: everybody on this machine can do everything");
    match providers {
        Some(providers) => crate::test_kit::router(state, clock, Arc::clone(providers)).merge(routes),
        None => routes,
    }
}

/// Serves until the process is told to stop (SIGTERM, SIGINT), then drains and lets requests under way finish.
///
/// # Errors
/// [`ServeError`] when something is missing or wrong at start.
pub async fn serve(mut config: Config, options: ServeOptions) -> Result<(), ServeError> {
    request_id::log_panics();
    let hangups = signals::hangups().map_err(ServeError::Signals)?;
    let open_files = open_files::raise_limit();
    let as_loaded = config.clone();
    #[cfg(feature = "test-kit")]
    if !stand_in::may_listen(config.listen) {
        return Err(ServeError::TestKitInPublic(config.listen));
    }
    let listener = bind(config.listen)?;
    if let Ok(address) = listener.local_addr() {
        config.bound_to(address);
    }
    let people = play(&options, &mut config);
    let metrics = match config.metrics_listen {
        None => None,
        Some(address) => Some(bind(address)?),
    };
    let store = open_store(&config).await?;

    #[cfg(feature = "test-kit")]
    let kit_clock = Arc::new(crate::test_kit::KitClock::new(Arc::new(SystemClock)));
    #[cfg(feature = "test-kit")]
    let clock: Arc<dyn Clock> = kit_clock.clone();
    #[cfg(not(feature = "test-kit"))]
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let providers = providers(config.listen, &clock, people)?;
    let service = assembly::service(&config, store.clone(), clock, Arc::new(SystemRandomness)).await?;

    let Assembled {
        state,
        routes,
        worker,
        transport,
    } = assemble(&config, service.clone())?;
    let (draining, stop) = (state.draining.clone(), CancellationToken::new());
    let waiting = state.waiting.clone();
    let running = options.reload.map(|reload| Running {
        config: as_loaded,
        reload,
        state: state.clone(),
        transport: transport.clone(),
    });
    #[cfg(not(feature = "test-kit"))]
    drop(state);
    #[cfg(feature = "test-kit")]
    let routes = with_kit(routes, state, kit_clock, providers.as_ref());
    let played = providers.map(stand_in::router);
    let routes = played.into_iter().fold(routes, Router::merge);

    let tasks = TaskTracker::new();
    if let Some(metrics) = metrics {
        let routes = metrics::router(service.clone(), worker.counters());
        tasks.spawn(serve_metrics(metrics, routes, stop.clone()));
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
    service
        .upkeep()
        .measure_clock(&machine)
        .await
        .map_err(|error| ServeError::Store {
            place: config.database_url.place(),
            error,
        })?;
    jobs::start(&tasks, &service, machine, &stop);
    if let Some(running) = running {
        tasks.spawn(running.watch(hangups, stop.clone()));
    }
    tasks.close();
    let stopping = StopSignals::listen().map_err(ServeError::Signals)?;
    let drain = Duration::from_secs(config.drain_seconds.into());
    tokio::spawn(stopping.stop_in_order(drain, draining.clone(), stop.clone()));

    let database = config.database_url.place();
    tracing::info!(address = %config.listen, url = %config.origin(), %database, "serving");
    if let Some(welcome) = options.welcome {
        print_welcome(&welcome(&config));
    }
    let limits = ListenerLimits {
        shutdown: Duration::from_secs(config.shutdown_seconds.into()),
        connections: open_files::connections(open_files),
        ..ListenerLimits::default()
    };
    let shutdown = limits.shutdown;
    listener::serve(listener, routes, limits, draining, stop.clone()).await;
    jobs::finish_line(&service, &waiting, shutdown).await;

    tasks.wait().await;
    jobs::write_last_stranger_lines(&service).await;
    transport.close().await;
    store.close().await;
    tracing::info!("stopped");
    Ok(())
}

fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    listener::listen(address).map_err(|error| ServeError::Listen { address, error })
}

async fn serve_metrics(listener: TcpListener, routes: Router, stop: CancellationToken) {
    let serving = axum::serve(listener, routes);
    let served = serving
        .with_graceful_shutdown(async move { stop.cancelled().await })
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "/metrics is no longer served");
    }
}

/// The database, brought up to date.
async fn open_store(config: &Config) -> Result<Store, ServeError> {
    let place = config.database_url.place();
    if let Some(folder) = place.missing_folder() {
        return Err(ServeError::NoFolder(folder.to_owned()));
    }
    let opened = async {
        let store = Store::open(config.database_url.reveal(), config.store_options()).await?;
        store.migrate().await?;
        Ok::<_, StoreError>(store)
    };
    opened.await.map_err(|error| ServeError::Store { place, error })
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
        service.upkeep().database_clock(),
        service.randomness().clone(),
        config.mail_from.clone(),
    ));
    let site = Site::embedded();
    let legal = LegalTexts::load(&config.terms, &config.privacy).map_err(ServeError::Legal)?;
    let state = AppState::new(Parts {
        service,
        assets: site.asset_names(),
        cookies: Cookies::new(config.is_https()),
        legal,
        mailbox,
        waiting: TaskTracker::new(),
        ready_pages: ReadyPages::default(),
        draining: CancellationToken::new(),
        config: config.clone(),
    });
    let routes = crate::router::router(&state, site);
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
    let transport = SmtpTransport::new(smtp_settings(config, smtp)?);
    Ok((Transport::Smtp(transport), None))
}

/// How to speak to the mail server.
pub(crate) fn smtp_settings(config: &Config, smtp: &Smtp) -> Result<SmtpSettings, SettingsError> {
    let settings = smtp.settings().clone();
    // Mail servers expect a name; an address is no name, and the library then takes the sender's domain.
    match config.public_url.host() {
        Some(url::Host::Domain(host)) => settings.with_hello_name(host),
        _ => Ok(settings),
    }
}

fn print_welcome(text: &str) {
    use std::io::Write;
    // Nobody to greet is no reason to stop.
    let _ = writeln!(io::stdout(), "{text}");
}
