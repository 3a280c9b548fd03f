//! Which address does what.

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    routing::{get, post},
};
use futures::FutureExt;
use vestibule_core::{paths, ports::Clock, sso::Provider};

use super::{
    assets::Site,
    client_address::TrustedProxies,
    facts::Facts,
    form_guard::FormRules,
    functions, health,
    health::{Condition, Readiness},
    mailbox,
    pages::{self, import::UPLOAD_MAX},
    stack::Stack,
};
use crate::{state::AppState, system::SystemClock};

/// The fields of each form, by its address. Everything else in a form is refused (attacks.md T094, T160).
const FORMS: [(&str, &[&str]); 37] = [
    (paths::LOGIN, &["company", "account", "password", "next"]),
    (paths::LOGIN_CODE, &["code", "trust", "backup"]),
    (paths::LOGIN_CODE_RESEND, &[]),
    (paths::LOGIN_CODE_CANCEL, &[]),
    (paths::LOGIN_CODE_STATUS, &[]),
    (paths::LOGIN_CODE_METHOD, &[]),
    (paths::LOGOUT, &[]),
    // A form with the language switch in it sends its fields along, so that they come back in the new language.
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
            "version",
            "time_zone",
            "new_agent_mail",
            "two_factor_days",
            "require_second_factor",
            "log_out",
            "idle_minutes",
            "password_min",
            "id",
            "account",
            "email",
            "roles[]",
            "active",
            "refused",
            "way",
            "host",
            "port",
            "security",
            "user",
            "mail_password",
            "sender",
            "reply_to",
            "fall_back",
            "google_version",
            "google_enabled",
            "google_client_id",
            "google_client_secret",
            "google_trusted",
            "office365_version",
            "office365_enabled",
            "office365_client_id",
            "office365_client_secret",
            "office365_tenants",
            "office365_trusted",
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
    (paths::PROFILE_EMAIL, &["email"]),
    (paths::PROFILE_EMAIL_RESEND, &[]),
    (paths::PROFILE_EMAIL_CANCEL, &[]),
    (paths::PROFILE_CONFIRM, &["password", "next"]),
    (paths::LOGIN_BIND, &["company", "account", "password"]),
    (paths::LOGIN_BIND_COMPANY, &["id"]),
    (paths::LOGIN_BIND_CANCEL, &[]),
    (Provider::Google.start_path(), &["company", "next"]),
    (Provider::Office365.start_path(), &["company", "next"]),
    (Provider::Google.connect_path(), &[]),
    (Provider::Office365.connect_path(), &[]),
    (Provider::Google.confirm_path(), &["next"]),
    (Provider::Office365.confirm_path(), &["next"]),
    (paths::SECURITY_SSO_DISCONNECT, &["provider"]),
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

/// The same for the forms of a company's pages. `shown_in` belongs to the language switch, which stands in the same form.
const COMPANY_FORMS: [(&str, &[&str]); 7] = [
    (
        paths::ADMIN_COMPANY,
        &["version", "language", "time_zone", "new_agent_mail", "shown_in"],
    ),
    (
        paths::ADMIN_SECURITY,
        &[
            "version",
            "two_factor_days",
            "require_second_factor",
            "log_out",
            "idle_minutes",
            "password_min",
            "shown_in",
        ],
    ),
    (
        paths::ADMIN_MAIL,
        &[
            "version",
            "way",
            "host",
            "port",
            "security",
            "user",
            "mail_password",
            "sender",
            "reply_to",
            "fall_back",
            "shown_in",
        ],
    ),
    (paths::ADMIN_MAIL_TEST, &[]),
    (
        paths::ADMIN_SSO,
        &[
            "google_version",
            "google_enabled",
            "google_client_id",
            "google_client_secret",
            "google_trusted",
            "office365_version",
            "office365_enabled",
            "office365_client_id",
            "office365_client_secret",
            "office365_tenants",
            "office365_trusted",
            "shown_in",
        ],
    ),
    (paths::ADMIN_SSO_TEST, &["provider"]),
    (paths::AGENTS_IMPORT_START, &["id"]),
];

/// The same for the forms about agents and behind the links of mails.
const AGENT_FORMS: [(&str, &[&str]); 21] = [
    (
        paths::AGENTS_NEW,
        &[
            "account",
            "email",
            "first_name",
            "last_name",
            "alias",
            "phone",
            "title",
            "time_format",
            "language",
            "roles[]",
            "active",
            "shown_in",
        ],
    ),
    (
        paths::AGENTS_EDIT,
        &[
            "id",
            "version",
            "email",
            "first_name",
            "last_name",
            "alias",
            "phone",
            "title",
            "time_format",
            "language",
            "roles[]",
            "active",
            "shown_in",
        ],
    ),
    (paths::AGENTS_DELETE, &["id", "confirm_name"]),
    (
        paths::AGENTS_PASSWORD,
        &["id", "new_password", "confirm_password"],
    ),
    (paths::AGENTS_RESET_LINK, &["id"]),
    (paths::AGENTS_REMOVE_PASSWORD, &["id"]),
    (paths::AGENTS_DISCONNECT, &["id", "provider"]),
    (paths::AGENTS_SEND_DETAILS, &["id"]),
    (paths::AGENTS_BACKUP_CODE, &["id", "reason"]),
    (paths::AGENTS_UNLOCK, &["id"]),
    (paths::AGENTS_END_SESSIONS, &["id"]),
    (paths::AGENTS_EMAIL_RESEND, &["id"]),
    (paths::AGENTS_EMAIL_CANCEL, &["id"]),
    (paths::AGENTS_ACTIVATE, &["selected[]", "back"]),
    (paths::AGENTS_DEACTIVATE, &["selected[]", "back"]),
    (paths::AGENTS_UNLOCK_SELECTED, &["selected[]", "back"]),
    (paths::FORGOT_PASSWORD, &["company", "email"]),
    (paths::CHOOSE_PASSWORD, &["new_password", "confirm_password"]),
    (paths::CHOOSE_PASSWORD_CHECK, &["new_password"]),
    (paths::CONFIRM_EMAIL, &[]),
    (paths::STOP_EMAIL_CHANGE, &[]),
];

/// Everything that Vestibule answers, inside all its layers.
pub fn router(state: &AppState, site: Site) -> Router {
    let call = || post(functions::call);
    let routes = Router::new()
        .route("/", get(pages::home))
        .route(paths::LOGIN, get(pages::login).post(functions::call))
        .route(paths::LOGIN_WAIT, get(pages::waiting::wait))
        .route(paths::LOGIN_CODE, get(pages::code).post(functions::call))
        .route(paths::LOGIN_CODE_RESEND, call())
        .route(paths::LOGIN_CODE_CANCEL, call())
        .route(paths::LOGIN_CODE_STATUS, call())
        .route(paths::LOGIN_CODE_METHOD, call())
        .route(paths::LOGOUT, call())
        .route(paths::LANGUAGE, call())
        .merge(profile())
        .route(paths::AGENT, get(pages::agent))
        .merge(company())
        .merge(agents())
        .merge(links())
        .merge(sso())
        .route(paths::TERMS, get(pages::terms))
        .route(paths::PRIVACY, get(pages::privacy))
        .route(paths::MAILBOX, get(mailbox::list))
        .route("/mailbox/{id}", get(mailbox::message))
        .route("/mailbox/{id}/html", get(mailbox::html))
        .with_state(state.clone())
        .merge(site.router())
        .merge(health::router(readiness(state), state.draining.clone()));
    let refused = state.clone();
    let stack = Stack {
        public_url: state.config.public_url.clone(),
        proxies: TrustedProxies::new(state.config.trusted_proxies.clone()),
        randomness: state.service.randomness().clone(),
        forms: FORMS
            .into_iter()
            .chain(COMPANY_FORMS)
            .chain(AGENT_FORMS)
            .collect::<FormRules>()
            .with_upload(paths::AGENTS_IMPORT, UPLOAD_MAX),
        page: pages::problem(state.clone()),
        cross_site: Arc::new(move |parts| {
            let facts = Facts::of(&refused, parts);
            refused.service.note_cross_site(&facts.visitor);
        }),
    };
    stack.around(routes)
}

/// Overview, General Information, Security, Audit log, and what comes and goes as a file.
fn company() -> Router<AppState> {
    let upload = get(pages::import::upload_page)
        .post(pages::import::upload)
        .layer(DefaultBodyLimit::max(UPLOAD_MAX));
    Router::new()
        .route(
            paths::ADMIN_MAIL,
            get(pages::mail_server::settings).post(functions::call),
        )
        .route(
            paths::ADMIN_MAIL_TEST,
            get(pages::mail_server::test).post(functions::call),
        )
        .route(
            paths::ADMIN_SSO,
            get(pages::sso_settings::settings).post(functions::call),
        )
        .route(
            paths::ADMIN_SSO_TEST,
            get(pages::sso_settings::of_test).post(functions::call),
        )
        .route(paths::ADMIN, get(pages::company::overview))
        .route(
            paths::ADMIN_COMPANY,
            get(pages::company::general).post(functions::call),
        )
        .route(
            paths::ADMIN_SECURITY,
            get(pages::company::policies).post(functions::call),
        )
        .route(paths::ADMIN_AUDIT, get(pages::audit::audit))
        .route(paths::ADMIN_AUDIT_EXPORT, get(pages::audit::export_audit))
        .route(paths::AGENTS_EXPORT, get(pages::audit::export_agents))
        .route(paths::AGENTS_IMPORT, upload)
        .route(
            paths::AGENTS_IMPORT_START,
            get(pages::import::of_start).post(functions::call),
        )
        .route("/admin/agents/import/{id}", get(pages::import::import))
}

/// The list of agents, one agent, and what is done to them.
fn agents() -> Router<AppState> {
    // A refused form leaves its own address in the browser: opened anew, it leads to the list.
    let form = || get(pages::agents::of_form).post(functions::call);
    let mut router = Router::new()
        .route(paths::AGENTS, get(pages::agents::list))
        .route(paths::AGENTS_NEW, get(pages::agents::new).post(functions::call))
        .route("/admin/agents/{id}", get(pages::agents::edit))
        .route("/admin/agents/{id}/{page}", get(pages::agents::page));
    for path in [
        paths::AGENTS_EDIT,
        paths::AGENTS_DELETE,
        paths::AGENTS_PASSWORD,
        paths::AGENTS_RESET_LINK,
        paths::AGENTS_REMOVE_PASSWORD,
        paths::AGENTS_DISCONNECT,
        paths::AGENTS_SEND_DETAILS,
        paths::AGENTS_BACKUP_CODE,
        paths::AGENTS_UNLOCK,
        paths::AGENTS_END_SESSIONS,
        paths::AGENTS_EMAIL_RESEND,
        paths::AGENTS_EMAIL_CANCEL,
        paths::AGENTS_ACTIVATE,
        paths::AGENTS_DEACTIVATE,
        paths::AGENTS_UNLOCK_SELECTED,
    ] {
        router = router.route(path, form());
    }
    router
}

/// What the links of mails lead to. The token leaves the address bar at once.
fn links() -> Router<AppState> {
    Router::new()
        .route("/activate/{token}", get(pages::links::choose_password_with))
        .route("/reset-password/{token}", get(pages::links::choose_password_with))
        .route("/confirm-email/{token}", get(pages::links::confirm_email_with))
        .route(
            "/stop-email-change/{token}",
            get(pages::links::stop_email_change_with),
        )
        .route(
            paths::FORGOT_PASSWORD,
            get(pages::recovery::forgot_password).post(functions::call),
        )
        .route(
            paths::CHOOSE_PASSWORD,
            get(pages::links::choose_password).post(functions::call),
        )
        .route(paths::CHOOSE_PASSWORD_CHECK, post(functions::call))
        .route(
            paths::CONFIRM_EMAIL,
            get(pages::links::confirm_email).post(functions::call),
        )
        .route(
            paths::STOP_EMAIL_CHANGE,
            get(pages::links::stop_email_change).post(functions::call),
        )
}

/// The way to a provider and back.
fn sso() -> Router<AppState> {
    let routes = Router::new()
        .route(paths::AUTH_CONTINUE, get(pages::sso::go_on))
        .route(paths::LOGIN_BIND, get(pages::sso::bind).post(functions::call))
        .route(paths::LOGIN_BIND_COMPANY, post(functions::call))
        .route(paths::LOGIN_BIND_CANCEL, post(functions::call));
    Provider::ALL.into_iter().fold(routes, |routes, provider| {
        routes
            .route(
                provider.start_path(),
                post(move |State(state), request| pages::sso::start(provider, state, request)),
            )
            .route(
                provider.connect_path(),
                post(move |State(state), request| pages::sso::connect(provider, state, request)),
            )
            .route(
                provider.confirm_path(),
                post(move |State(state), request| pages::sso::confirm(provider, state, request)),
            )
            .route(
                provider.callback_path(),
                get(move |State(state), request| pages::sso::callback(provider, state, request)),
            )
    })
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
        .route(paths::PROFILE_EMAIL, form())
        .route(paths::PROFILE_EMAIL_RESEND, form())
        .route(paths::PROFILE_EMAIL_CANCEL, form())
        .route(
            paths::PROFILE_CONFIRM,
            get(pages::profile::confirm).post(functions::call),
        )
        .route(paths::SECURITY, get(pages::security::settings))
        .route(paths::SECURITY_SSO_DISCONNECT, form())
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
            if state.service.vitals().is_none() {
                // Asked before the background has looked for the first time. What came of it is read below.
                let machine: Arc<dyn Clock> = Arc::new(SystemClock);
                let _ = state.service.probe(&machine).await;
            }
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
                ..Readiness::UNKNOWN
            }
            .with_vitals(state.service.vitals())
        }
        .boxed()
    })
}
