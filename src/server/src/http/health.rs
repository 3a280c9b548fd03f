//! Whether this node is alive, and whether it can do its work; for load balancers and operators.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use futures::future::BoxFuture;
use serde::Serialize;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use vestibule_core::clock::ClockState;
use vestibule_service::node::Vitals;

/// Answers as long as the process can answer at all.
pub const ALIVE: &str = "/healthz";
/// Answers 200 when sign-ins can work.
pub const READY: &str = "/readyz";

/// Longest wait for the check.
const PATIENCE: Duration = Duration::from_secs(5);

/// How one thing that Vestibule needs is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// Fine.
    Ok,
    /// Not working.
    Failing,
    /// Working, but not as it should be.
    Warning,
    /// Nobody knows: the check took too long.
    Unknown,
}

impl From<bool> for Condition {
    fn from(fine: bool) -> Self {
        if fine { Self::Ok } else { Self::Failing }
    }
}

/// What a check found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// The database answers.
    pub database: Condition,
    /// The database has the tables of this version.
    pub migrations: Condition,
    /// Mails go out. Failing mail does not make the node unready: whoever needs no code can still sign in, and another
    /// node would have the same mail server (attacks.md T166).
    pub mail: Condition,
    /// The database can be written, so that a sign-in would work: tried in the background every few seconds.
    pub writes: Condition,
    /// The key file holds every key that the database needs. Without one of them right codes would look wrong.
    pub keys: Condition,
    /// The clock agrees with the database's: a warning from 30 seconds on, failing from 5 minutes on.
    pub clock: Condition,
    /// By how many seconds the clock is before the database's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_offset_seconds: Option<i64>,
}

impl Readiness {
    /// Nobody knows anything.
    pub const UNKNOWN: Self = Self {
        database: Condition::Unknown,
        migrations: Condition::Unknown,
        mail: Condition::Unknown,
        writes: Condition::Unknown,
        keys: Condition::Unknown,
        clock: Condition::Unknown,
        clock_offset_seconds: None,
    };

    /// The same with what the last probe of this server found out.
    #[must_use]
    pub fn with_vitals(self, vitals: Option<Vitals>) -> Self {
        let Some(vitals) = vitals else { return self };
        let state = vitals.clock_offset.map(ClockState::of);
        Self {
            writes: vitals.writes.into(),
            keys: vitals.keys.into(),
            clock: match state {
                None => Condition::Unknown,
                Some(ClockState::Right | ClockState::Noticed) => Condition::Ok,
                Some(ClockState::Shown) => Condition::Warning,
                Some(ClockState::Wrong) => Condition::Failing,
            },
            clock_offset_seconds: vitals
                .clock_offset
                .filter(|_| state >= Some(ClockState::Shown))
                .map(|offset| offset.num_seconds()),
            ..self
        }
    }

    fn is_ready(self) -> bool {
        let needed = [self.database, self.migrations, self.writes, self.keys];
        needed.into_iter().all(|condition| condition == Condition::Ok) && self.clock != Condition::Failing
    }
}

/// Finds out how things are.
pub type Check = Arc<dyn Fn() -> BoxFuture<'static, Readiness> + Send + Sync>;

/// The whole answer of a node that is about to stop: how the rest is doing makes no difference any more.
#[derive(Serialize)]
struct Stopping {
    node: &'static str,
}

/// The two addresses. Nobody is to be sent to this node any more once `draining` is cancelled.
pub fn router(check: Check, draining: CancellationToken) -> Router {
    Router::new()
        .route(ALIVE, get(|| async { "ok" }))
        .route(READY, get(ready))
        .with_state((check, draining))
}

async fn ready(State((check, draining)): State<(Check, CancellationToken)>) -> Response {
    if draining.is_cancelled() {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(Stopping { node: "draining" }),
        )
            .into_response();
    }
    let readiness = timeout(PATIENCE, check()).await.unwrap_or(Readiness::UNKNOWN);
    let status = if readiness.is_ready() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(readiness)).into_response()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use futures::FutureExt;

    use super::*;
    use crate::http::testing::{ask, text};

    const WELL: Vitals = Vitals {
        writes: true,
        keys: true,
        clock_offset: Some(TimeDelta::zero()),
    };

    fn node(database: bool, migrations: bool, mail: bool) -> Router {
        node_with(database, migrations, mail, Some(WELL))
    }

    fn node_with(database: bool, migrations: bool, mail: bool, vitals: Option<Vitals>) -> Router {
        let readiness = Readiness {
            database: database.into(),
            migrations: migrations.into(),
            mail: mail.into(),
            ..Readiness::UNKNOWN
        }
        .with_vitals(vitals);
        router(
            Arc::new(move || async move { readiness }.boxed()),
            CancellationToken::new(),
        )
    }

    #[tokio::test]
    async fn alive_needs_nothing() {
        let response = ask(node(false, false, false), "GET", "/healthz", &[], "").await;
        assert_eq!(
            (response.status(), text(response).await.as_str()),
            (StatusCode::OK, "ok")
        );
    }

    #[tokio::test]
    async fn ready_needs_a_database_of_this_version_and_tells_about_mail() {
        for (database, migrations, mail, status) in [
            (true, true, true, 200),
            (true, true, false, 200),
            (true, false, true, 503),
            (false, true, true, 503),
        ] {
            assert_eq!(
                ask(node(database, migrations, mail), "GET", "/readyz", &[], "")
                    .await
                    .status(),
                status
            );
        }
        let response = ask(node(true, false, false), "GET", "/readyz", &[], "").await;
        assert_eq!(
            text(response).await,
            r#"{"database":"ok","migrations":"failing","mail":"failing","writes":"ok","keys":"ok","clock":"ok"}"#
        );
    }

    #[tokio::test]
    async fn a_node_that_is_about_to_stop_is_alive_and_not_ready() {
        let draining = CancellationToken::new();
        let fine = Condition::Ok;
        let readiness = Readiness {
            database: fine,
            migrations: fine,
            mail: fine,
            ..Readiness::UNKNOWN
        }
        .with_vitals(Some(WELL));
        let check: Check = Arc::new(move || async move { readiness }.boxed());
        let node = router(check, draining.clone());
        assert_eq!(ask(node.clone(), "GET", "/readyz", &[], "").await.status(), 200);
        draining.cancel();
        let response = ask(node.clone(), "GET", "/readyz", &[], "").await;
        assert_eq!(response.status(), 503);
        assert_eq!(text(response).await, r#"{"node":"draining"}"#);
        assert_eq!(ask(node, "GET", "/healthz", &[], "").await.status(), 200);
    }

    #[tokio::test]
    async fn ready_needs_writes_keys_and_a_clock() {
        let off = |seconds| Vitals {
            clock_offset: Some(TimeDelta::seconds(seconds)),
            ..WELL
        };
        let mute = Vitals {
            writes: false,
            ..WELL
        };
        let foreign = Vitals { keys: false, ..WELL };
        for (vitals, status, told) in [
            (Some(WELL), 200, r#""writes":"ok","keys":"ok","clock":"ok"}"#),
            (Some(mute), 503, r#""writes":"failing""#),
            (Some(foreign), 503, r#""keys":"failing""#),
            (Some(off(30)), 200, r#""clock":"ok"}"#),
            (
                Some(off(31)),
                200,
                r#""clock":"warning","clock_offset_seconds":31}"#,
            ),
            (
                Some(off(-301)),
                503,
                r#""clock":"failing","clock_offset_seconds":-301}"#,
            ),
            (
                None,
                503,
                r#""writes":"unknown","keys":"unknown","clock":"unknown"}"#,
            ),
        ] {
            let response = ask(node_with(true, true, true, vitals), "GET", "/readyz", &[], "").await;
            assert_eq!(response.status(), status, "{vitals:?}");
            let body = text(response).await;
            assert!(body.contains(told), "{body}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_that_hangs_is_not_ready() {
        let hanging = router(
            Arc::new(|| std::future::pending().boxed()),
            CancellationToken::new(),
        );
        let response = ask(hanging, "GET", "/readyz", &[], "").await;
        assert_eq!(response.status(), 503);
        assert!(text(response).await.contains("unknown"));
    }
}
