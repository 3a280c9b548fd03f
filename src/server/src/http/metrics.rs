//! Numbers for the operator's monitoring, in the text format of `OpenMetrics`, at an address of their own: they are about
//! all companies, so they must not stand where agents sign in.

use std::{
    sync::{Arc, LazyLock, atomic::AtomicU64},
    time::Duration,
};

use axum::{
    Router,
    extract::{MatchedPath, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
        info::Info,
    },
    registry::Registry,
};
use vestibule_mail::outbox::Counters;
use vestibule_service::Service;
use vestibule_storage::StoreError;

use crate::logging;

/// Answers by route, method and status: how many, and how long they took. One process has one of it, like its log.
static ANSWERS: LazyLock<Answers> = LazyLock::new(|| {
    // From a millisecond to eight seconds.
    Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.001, 2.0, 14)))
});

type Answers = Family<Answer, Histogram, fn() -> Histogram>;

/// Of a request only what its route and the protocol say: nothing that a visitor may choose.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    route: String,
    method: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Build {
    version: &'static str,
}

/// Counts an answer. `route` is the pattern of its address; `None` = there is none.
pub fn answered(route: Option<&MatchedPath>, method: &Method, status: StatusCode, took: Duration) {
    let answer = Answer {
        route: route.map_or("none", MatchedPath::as_str).to_owned(),
        method: known_method(method),
        status: status.as_u16(),
    };
    ANSWERS.get_or_create(&answer).observe(took.as_secs_f64());
}

/// A method that a route may have; a visitor may send any word.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        _ => "other",
    }
}

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone)]
struct Sources {
    service: Service,
    mail: Arc<Counters>,
}

/// `/metrics`: what waits in the outbox, for how long, and what became of mails since the start of this process.
pub fn router(service: Service, mail: Arc<Counters>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .with_state(Sources { service, mail })
}

async fn metrics(State(sources): State<Sources>) -> Response {
    match gather(&sources).await {
        Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => {
            tracing::warn!(%error, "the outbox cannot be counted");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

async fn gather(sources: &Sources) -> Result<String, StoreError> {
    let mut registry = Registry::with_prefix("vestibule");
    for (name, help, value) in gauges(sources).await? {
        let gauge: Gauge = Gauge::default();
        gauge.set(value);
        registry.register(name, help, gauge);
    }
    if let Some(offset) = sources
        .service
        .upkeep()
        .vitals()
        .and_then(|vitals| vitals.clock_offset)
    {
        let gauge = Gauge::<f64, AtomicU64>::default();
        gauge.set(offset.as_seconds_f64());
        let help = "By how much the clock of this server is before the database's";
        registry.register("clock_offset_seconds", help, gauge);
    }
    for (name, help, value) in counters(sources) {
        let counter: Counter<u64, AtomicU64> = Counter::default();
        counter.inc_by(value);
        registry.register(name, help, counter);
    }
    sources.service.metrics().register(&mut registry);
    registry.register(
        "http_answer_seconds",
        "Answers by route, method and status, and how long they took",
        ANSWERS.clone(),
    );
    let build = Build {
        version: env!("CARGO_PKG_VERSION"),
    };
    registry.register("build", "The version that runs", Info::new(build));
    let mut text = String::new();
    // Writing into a string cannot fail.
    let _ = encode(&mut text, &registry);
    Ok(text)
}

/// What is so at the moment: names, what they mean, and values.
async fn gauges(sources: &Sources) -> Result<[(&'static str, &'static str, i64); 7], StoreError> {
    let outbox = sources.service.outbox().outbox_counts().await?;
    let now = sources.service.clock().now();
    let oldest = outbox
        .oldest
        .map_or(0, |oldest| (now - oldest).num_seconds().max(0));
    let (connections, idle) = sources.service.store().connections();
    let signed = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    Ok([
        (
            "hashing_waiting",
            "Passwords that wait for a hashing thread",
            signed(sources.service.sign_in().waiting_in_line()),
        ),
        (
            "database_connections",
            "Connections to the database",
            i64::from(connections),
        ),
        (
            "database_connections_idle",
            "Connections to the database that nobody uses",
            signed(idle),
        ),
        ("mails_waiting", "Mails in the outbox", outbox.waiting),
        (
            "mails_failing",
            "Mails in the outbox whose last try failed",
            outbox.failing,
        ),
        (
            "mail_oldest_seconds",
            "Age of the oldest mail in the outbox",
            oldest,
        ),
        (
            "mails_given_up_last_day",
            "Mails given up in the last 24 hours",
            outbox.given_up,
        ),
    ])
}

/// What was counted since the start, in the same form.
fn counters(sources: &Sources) -> [(&'static str, &'static str, u64); 8] {
    let mail = &sources.mail;
    let strangers = sources.service.upkeep().stranger_lines();
    let traffic = sources.service.store().traffic();
    [
        ("mails_taken", "Mails that a mail server took", mail.taken()),
        (
            "mails_put_off",
            "Tries that failed and are followed by another",
            mail.put_off(),
        ),
        ("mails_given_up", "Mails that were given up", mail.given_up()),
        (
            "database_statements",
            "Statements, those included that begin and end transactions",
            traffic.statements,
        ),
        (
            "database_commits",
            "Transactions that were committed",
            traffic.commits,
        ),
        (
            "log_lines_dropped",
            "Lines that are missing in the log because it could not be written",
            logging::lines_dropped(),
        ),
        (
            "refusals_repeated",
            "Refused requests not noted: the source had one of the kind in the same minute",
            strangers.repeated,
        ),
        (
            "refusals_dropped",
            "Refused requests not noted: there were too many",
            strangers.dropped,
        ),
    ]
}
