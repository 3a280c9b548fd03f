//! Which address does what.

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};
use futures::FutureExt;
use vestibule_core::paths;

use super::{
    assets::Site,
    client_address::TrustedProxies,
    facts::Facts,
    form_guard::FormRules,
    functions, health,
    health::{Condition, Readiness},
    mailbox, pages,
    stack::Stack,
};
use crate::state::AppState;

/// The fields of each form, by its address. Everything else in a form is refused (attacks.md T094, T160).
const FORMS: [(&str, &[&str]); 7] = [
    (paths::LOGIN, &["company", "account", "password", "next"]),
    (paths::LOGIN_CODE, &["code", "trust"]),
    (paths::LOGIN_CODE_RESEND, &[]),
    (paths::LOGIN_CODE_CANCEL, &[]),
    (paths::LOGIN_CODE_STATUS, &[]),
    (paths::LOGOUT, &[]),
    (paths::LANGUAGE, &["language", "return_to"]),
];

/// Everything that Vestibule answers, inside all its layers.
pub fn router(state: &AppState, site: Site) -> Router {
    let call = || post(functions::call);
    let routes = Router::new()
        .route("/", get(pages::home))
        .route(paths::LOGIN, get(pages::login).post(functions::call))
        .route(paths::LOGIN_CODE, get(pages::code).post(functions::call))
        .route(paths::LOGIN_CODE_RESEND, call())
        .route(paths::LOGIN_CODE_CANCEL, call())
        .route(paths::LOGIN_CODE_STATUS, call())
        .route(paths::LOGOUT, call())
        .route(paths::LANGUAGE, call())
        .route(paths::AGENT, get(pages::agent))
        .route(paths::ADMIN, get(pages::admin))
        .route(paths::TERMS, get(pages::terms))
        .route(paths::PRIVACY, get(pages::privacy))
        .route(paths::MAILBOX, get(mailbox::list))
        .route("/mailbox/{id}", get(mailbox::message))
        .route("/mailbox/{id}/html", get(mailbox::html))
        .with_state(state.clone())
        .merge(site.router())
        .merge(health::router(readiness(state)));
    let refused = state.clone();
    let stack = Stack {
        public_url: state.config.public_url.clone(),
        proxies: TrustedProxies::new(state.config.trusted_proxies.clone()),
        randomness: state.service.randomness().clone(),
        forms: FormRules::from_iter(FORMS),
        page: pages::problem(state.clone()),
        cross_site: Arc::new(move |parts| {
            let (state, facts) = (refused.clone(), Facts::of(&refused, parts));
            tokio::spawn(async move { state.service.note_cross_site(&facts.visitor).await });
        }),
    };
    stack.around(routes)
}

fn readiness(state: &AppState) -> health::Check {
    let state = state.clone();
    Arc::new(move || {
        let state = state.clone();
        async move {
            let store = state.service.store();
            Readiness {
                database: store.ping().await.is_ok().into(),
                migrations: store
                    .migrations_pending()
                    .await
                    .is_ok_and(|pending| pending == 0)
                    .into(),
                mail: match state.service.mail_is_flowing().await {
                    Ok(flowing) => flowing.into(),
                    Err(_) => Condition::Unknown,
                },
            }
        }
        .boxed()
    })
}
