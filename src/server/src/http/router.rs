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
const FORMS: [(&str, &[&str]); 24] = [
    (paths::LOGIN, &["company", "account", "password", "next"]),
    (paths::LOGIN_CODE, &["code", "trust", "backup"]),
    (paths::LOGIN_CODE_RESEND, &[]),
    (paths::LOGIN_CODE_CANCEL, &[]),
    (paths::LOGIN_CODE_STATUS, &[]),
    (paths::LOGIN_CODE_METHOD, &[]),
    (paths::LOGOUT, &[]),
    // The profile's form sends its fields along, so that they come back in the new language.
    (
        paths::LANGUAGE,
        &[
            "language",
            "return_to",
            "shown_in",
            "first_name",
            "last_name",
            "alias",
            "phone",
            "title",
            "time_format",
        ],
    ),
    // `shown_in` belongs to the language switch, which stands in the same form.
    (
        paths::PROFILE,
        &[
            "first_name",
            "last_name",
            "alias",
            "phone",
            "title",
            "time_format",
            "language",
            "shown_in",
        ],
    ),
    (
        paths::PROFILE_PASSWORD,
        &["old_password", "new_password", "confirm_password"],
    ),
    (paths::PROFILE_PASSWORD_CHECK, &["new_password"]),
    (paths::PROFILE_CONFIRM, &["password", "next"]),
    (paths::SECURITY_EMAIL, &[]),
    (paths::SECURITY_EMAIL_CODE, &["set_up", "code"]),
    (paths::SECURITY_EMAIL_RESEND, &[]),
    (paths::SECURITY_EMAIL_OFF, &[]),
    (paths::SECURITY_APP, &[]),
    (paths::SECURITY_APP_CODE, &["set_up", "code"]),
    (paths::SECURITY_APP_OFF, &[]),
    (paths::SECURITY_BACKUP_CODES, &[]),
    (paths::SECURITY_TRUSTED_REMOVE, &["id"]),
    (paths::SECURITY_TRUSTED_REMOVE_ALL, &[]),
    (paths::SECURITY_SESSION_END, &["id"]),
    (paths::SECURITY_SESSIONS_END_OTHERS, &[]),
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
        .route(paths::LOGIN_CODE_METHOD, call())
        .route(paths::LOGOUT, call())
        .route(paths::LANGUAGE, call())
        .merge(profile())
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

/// Profile and Security Settings.
fn profile() -> Router<AppState> {
    let call = || post(functions::call);
    // A refused form leaves its own address in the browser: opened anew, it leads to the page that holds the form.
    let form = || get(functions::page_of_form).post(functions::call);
    Router::new()
        .route(paths::PROFILE, get(pages::profile::profile).post(functions::call))
        .route(paths::PROFILE_PASSWORD, form())
        .route(paths::PROFILE_PASSWORD_CHECK, call())
        .route(
            paths::PROFILE_CONFIRM,
            get(pages::profile::confirm).post(functions::call),
        )
        .route(paths::SECURITY, get(pages::security::settings))
        .route(paths::SECURITY_SET_UP, get(pages::security::set_up))
        .route(
            paths::SECURITY_EMAIL,
            get(pages::security::email).post(functions::call),
        )
        .route(paths::SECURITY_EMAIL_CODE, form())
        .route(paths::SECURITY_EMAIL_RESEND, form())
        .route(paths::SECURITY_EMAIL_OFF, form())
        .route(
            paths::SECURITY_APP,
            get(pages::security::app).post(functions::call),
        )
        .route(
            paths::SECURITY_APP_CODE,
            get(pages::security::app_code).post(functions::call),
        )
        .route(paths::SECURITY_APP_OFF, form())
        .route(
            paths::SECURITY_BACKUP_CODES,
            get(pages::security::backup_codes).post(functions::call),
        )
        .route(paths::SECURITY_TRUSTED_REMOVE, form())
        .route(paths::SECURITY_TRUSTED_REMOVE_ALL, form())
        .route(paths::SECURITY_SESSION_END, form())
        .route(paths::SECURITY_SESSIONS_END_OTHERS, form())
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
