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
}

impl Readiness {
    const fn is_ready(self) -> bool {
        matches!((self.database, self.migrations), (Condition::Ok, Condition::Ok))
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
    let unknown = Condition::Unknown;
    let readiness = timeout(PATIENCE, check()).await.unwrap_or(Readiness {
        database: unknown,
        migrations: unknown,
        mail: unknown,
    });
    let status = if readiness.is_ready() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(readiness)).into_response()
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;
    use crate::http::testing::{ask, text};

    fn node(database: bool, migrations: bool, mail: bool) -> Router {
        let readiness = Readiness {
            database: database.into(),
            migrations: migrations.into(),
            mail: mail.into(),
        };
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
            r#"{"database":"ok","migrations":"failing","mail":"failing"}"#
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
        };
        let check: Check = Arc::new(move || async move { readiness }.boxed());
        let node = router(check, draining.clone());
        assert_eq!(ask(node.clone(), "GET", "/readyz", &[], "").await.status(), 200);
        draining.cancel();
        let response = ask(node.clone(), "GET", "/readyz", &[], "").await;
        assert_eq!(response.status(), 503);
        assert_eq!(text(response).await, r#"{"node":"draining"}"#);
        assert_eq!(ask(node, "GET", "/healthz", &[], "").await.status(), 200);
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
