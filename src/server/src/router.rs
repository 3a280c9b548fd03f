//! Which address does what.

use std::sync::Arc;

use axum::{Router, middleware::from_fn_with_state};
use futures::FutureExt;
use vestibule_core::ports::Clock;

use crate::{
    form::{Finished, restore},
    http::{
        assets::Site,
        client_address::TrustedProxies,
        facts::Facts,
        forward_auth,
        health::{self, Condition, Readiness},
        stack::Stack,
    },
    pages,
    state::AppState,
    system::SystemClock,
};

/// Everything that Vestibule answers, inside all its layers.
pub fn router(state: &AppState, site: Site) -> Router {
    let Finished {
        router,
        forms,
        restorable,
        open,
    } = pages::routes().finish();
    let routes = router
        .with_state(state.clone())
        .layer(from_fn_with_state((state.clone(), restorable), restore))
        .merge(site.router())
        .merge(health::router(readiness(state), state.draining.clone()));
    let refused = state.clone();
    let stack = Stack {
        public_url: state.config.public_url.clone(),
        proxies: TrustedProxies::new(state.config.trusted_proxies.clone()),
        randomness: state.service.randomness().clone(),
        forms,
        open: open.into(),
        page: pages::of_denied(state.clone()),
        cross_site: Arc::new(move |parts| {
            let facts = Facts::of(&refused, parts);
            refused.service.upkeep().note_cross_site(&facts.visitor);
        }),
    };
    // Proxies ask at every request of every application: that goes past the layers for browsers.
    stack.around(routes).merge(forward_auth::router(state))
}

fn readiness(state: &AppState) -> health::Check {
    let state = state.clone();
    Arc::new(move || {
        let state = state.clone();
        async move {
            let store = state.service.store();
            if state.service.upkeep().vitals().is_none() {
                // Asked before the background has looked for the first time. What came of it is read below.
                let machine: Arc<dyn Clock> = Arc::new(SystemClock);
                let _ = state.service.upkeep().probe(&machine).await;
            }
            Readiness {
                database: store.ping().await.is_ok().into(),
                migrations: store
                    .migrations_pending()
                    .await
                    .is_ok_and(|pending| pending == 0)
                    .into(),
                mail: match state.service.outbox().mail_is_flowing().await {
                    Ok(flowing) => flowing.into(),
                    Err(_) => Condition::Unknown,
                },
                ..Readiness::UNKNOWN
            }
            .with_vitals(state.service.upkeep().vitals())
        }
        .boxed()
    })
}
