//! The test kit: clock, mail, fixtures and providers for people who write browser tests against Vestibule.
//!
//! Compiled in only with the feature `test-kit`, and refused on anything but loopback. Its addresses stand outside the
//! origin check, because test runners are not browsers.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicI64, Ordering},
};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, Query, State, rejection::JsonRejection},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::json;
use vestibule_core::{
    account::Role,
    backup_code::BackupCode,
    company::{NewAgentMail, RequireSecondFactor},
    limits::BODY_MAX,
    oidc::application::ApplicationInput,
    ports::{Clock, Moment},
    secret::Password,
    session::Proof,
};
use vestibule_mail::{
    StoredMail,
    preview::{self, Preview},
};
use vestibule_service::hashing::Turn;
use vestibule_service::operator::{AccountInput, CompanyInput, LogOut, OperatorError, PolicyChange};

use crate::{stand_in::Providers, state::AppState};

/// The real clock plus what tests moved it by.
pub struct KitClock {
    real: Arc<dyn Clock>,
    offset_micros: AtomicI64,
}

impl KitClock {
    /// A clock that shows the real time until told otherwise.
    pub fn new(real: Arc<dyn Clock>) -> Self {
        Self {
            real,
            offset_micros: AtomicI64::new(0),
        }
    }

    fn advance(&self, seconds: i64) {
        self.offset_micros
            .fetch_add(seconds.saturating_mul(1_000_000), Ordering::SeqCst);
    }

    fn set(&self, moment: Moment) {
        let offset = (moment - self.real.now()).num_microseconds().unwrap_or_default();
        self.offset_micros.store(offset, Ordering::SeqCst);
    }

    fn reset(&self) {
        self.offset_micros.store(0, Ordering::SeqCst);
    }
}

impl Clock for KitClock {
    fn now(&self) -> Moment {
        self.real.now() + TimeDelta::microseconds(self.offset_micros.load(Ordering::SeqCst))
    }
}

#[derive(Clone)]
struct Kit {
    state: AppState,
    clock: Arc<KitClock>,
    providers: Arc<Providers>,
    /// Turns of the hashing threads that are held, so that people have to stand in line.
    held: Arc<Mutex<Vec<Turn>>>,
}

impl Kit {
    fn let_go(&self) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// The kit's addresses, without those of the providers, to which it tells whom they offer.
pub fn router(state: AppState, clock: Arc<KitClock>, providers: Arc<Providers>) -> Router {
    Router::new()
        .route("/_test/clock", post(move_clock))
        .route("/_test/mail", get(mails))
        .route(
            "/_test/mails",
            get(|| async { Redirect::permanent("/_test/mails/") }),
        )
        .route("/_test/mails/", get(mail_previews))
        .route("/_test/mails/{language}/{file}", get(mail_preview))
        .route("/_test/companies", post(create_company))
        .route("/_test/companies/state", post(set_company_state))
        .route("/_test/accounts", post(create_account))
        .route("/_test/accounts/state", post(set_account_state))
        .route("/_test/accounts/backup-code", post(issue_backup_code))
        .route("/_test/sessions", post(create_session))
        .route("/_test/applications", post(create_application))
        .route("/_test/line", post(hold_line))
        .route("/_test/reset", post(reset))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(Kit {
            state,
            clock,
            providers,
            held: Arc::default(),
        })
}

/// Every mail in every language with made-up facts.
async fn mail_previews() -> Html<String> {
    Html(preview::index_html(&preview::previews()))
}

async fn mail_preview(Path((language, file)): Path<(String, String)>) -> Response {
    let wanted = |preview: &&Preview| preview.language == language && file.starts_with(&preview.kind);
    let all = preview::previews();
    let found =
        all.iter()
            .filter(wanted)
            .find_map(|preview| match file.strip_prefix(preview.kind.as_str())? {
                ".html" => Some(Html(preview.html.clone()).into_response()),
                ".txt" => Some(preview.text.clone().into_response()),
                _ => None,
            });
    found.unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
}

/// Why the kit did not do what it was asked.
struct KitError(StatusCode, String);

impl IntoResponse for KitError {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

impl From<OperatorError> for KitError {
    fn from(error: OperatorError) -> Self {
        let status = match error {
            OperatorError::UnknownCompany
            | OperatorError::UnknownAccount
            | OperatorError::UnknownApplication => StatusCode::NOT_FOUND,
            OperatorError::CompanyExists | OperatorError::AccountExists | OperatorError::EmailExists => {
                StatusCode::CONFLICT
            }
            OperatorError::Store(_) | OperatorError::Hashing(_) | OperatorError::Sealing(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self(status, error.to_string())
    }
}

impl From<JsonRejection> for KitError {
    fn from(rejection: JsonRejection) -> Self {
        Self(rejection.status(), rejection.body_text())
    }
}

type KitResult<T> = Result<T, KitError>;
type Input<T> = Result<Json<T>, JsonRejection>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockInput {
    advance_seconds: Option<i64>,
    set: Option<Moment>,
}

async fn move_clock(State(kit): State<Kit>, input: Input<ClockInput>) -> KitResult<Json<serde_json::Value>> {
    let Json(input) = input?;
    if let Some(moment) = input.set {
        kit.clock.set(moment);
    }
    if let Some(seconds) = input.advance_seconds {
        kit.clock.advance(seconds);
    }
    // Mails whose time has come are sent now, not at the worker's next look.
    kit.state.service.outbox_filled().notify_one();
    Ok(Json(json!({ "now": kit.clock.now() })))
}

#[derive(Deserialize)]
struct MailQuery {
    to: Option<String>,
}

#[derive(Serialize)]
struct MailOutput {
    to: String,
    from: String,
    subject: String,
    text: String,
    html: String,
    at: Moment,
    code: Option<String>,
    link: Option<String>,
}

async fn mails(State(kit): State<Kit>, Query(query): Query<MailQuery>) -> KitResult<Json<Vec<MailOutput>>> {
    let mailbox = kit.state.mailbox.as_ref().ok_or_else(|| {
        KitError(
            StatusCode::NOT_FOUND,
            "mails go to a real mail server: VESTIBULE_SMTP_URL is set".to_owned(),
        )
    })?;
    Ok(Json(
        mailbox
            .mails(query.to.as_deref())
            .into_iter()
            .map(output)
            .collect(),
    ))
}

fn output(mail: StoredMail) -> MailOutput {
    let word = |found: fn(&str) -> bool| {
        mail.text
            .split_whitespace()
            .find(|word| found(word))
            .map(str::to_owned)
    };
    MailOutput {
        code: word(|word| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit())),
        link: word(|word| word.starts_with("http://") || word.starts_with("https://")),
        to: mail.to,
        from: mail.from,
        subject: mail.subject,
        text: mail.text,
        html: mail.html,
        at: mail.at,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CompanyFixture {
    name: String,
    #[serde(default = "english")]
    language: String,
    #[serde(default)]
    two_factor_policy: i64,
    #[serde(default)]
    require_second_factor: Who,
    new_agent_mail: Option<Told>,
    idle_minutes: Option<u16>,
    password_min: Option<usize>,
}

/// How new agents are told.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Told {
    AccountDetails,
    ActivationLink,
}

impl From<Told> for NewAgentMail {
    fn from(told: Told) -> Self {
        match told {
            Told::AccountDetails => Self::AccountDetails,
            Told::ActivationLink => Self::ActivationLink,
        }
    }
}

/// Minutes without activity; 0 = never.
fn log_out(minutes: u16) -> LogOut {
    if minutes == 0 {
        LogOut::Never
    } else {
        LogOut::After(minutes)
    }
}

/// Who has to have a second factor.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Who {
    #[default]
    Off,
    Admins,
    Everyone,
}

impl From<Who> for RequireSecondFactor {
    fn from(who: Who) -> Self {
        match who {
            Who::Off => Self::Off,
            Who::Admins => Self::Admins,
            Who::Everyone => Self::Everyone,
        }
    }
}

fn english() -> String {
    "en".to_owned()
}

async fn create_company(
    State(kit): State<Kit>,
    input: Input<CompanyFixture>,
) -> KitResult<impl IntoResponse> {
    let Json(input) = input?;
    let service = &kit.state.service;
    let change = PolicyChange {
        password_min: input.password_min,
        log_out: input.idle_minutes.map(log_out),
        new_agent_mail: input.new_agent_mail.map(NewAgentMail::from),
        ..PolicyChange::default()
    };
    let company = service
        .operator()
        .create_company(CompanyInput {
            name: input.name,
            allow_mixed_script: true,
            language: input.language,
            time_zone: "UTC".to_owned(),
            two_factor_days: input.two_factor_policy,
            require_second_factor: input.require_second_factor.into(),
        })
        .await?;
    service.operator().give_policies(&company.name, change).await?;
    Ok((
        StatusCode::CREATED,
        Json(json!({ "id": company.id, "name": company.name })),
    ))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CompanyState {
    name: String,
    enabled: Option<bool>,
    two_factor_policy: Option<i64>,
    require_second_factor: Option<Who>,
    new_agent_mail: Option<Told>,
    idle_minutes: Option<u16>,
    password_min: Option<usize>,
}

async fn set_company_state(
    State(kit): State<Kit>,
    input: Input<CompanyState>,
) -> KitResult<impl IntoResponse> {
    let Json(input) = input?;
    let change = PolicyChange {
        two_factor_days: input.two_factor_policy,
        require_second_factor: input.require_second_factor.map(RequireSecondFactor::from),
        password_min: input.password_min,
        log_out: input.idle_minutes.map(log_out),
        new_agent_mail: input.new_agent_mail.map(NewAgentMail::from),
        ..PolicyChange::default()
    };
    kit.state
        .service
        .operator()
        .give_policies(&input.name, change)
        .await?;
    if let Some(enabled) = input.enabled {
        kit.state
            .service
            .operator()
            .set_company_enabled(&input.name, enabled)
            .await?;
    }
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum SecondFactor {
    None,
    Email,
    App,
    Both,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountFixture {
    company: String,
    account: String,
    email: String,
    #[serde(default)]
    first_name: String,
    #[serde(default)]
    last_name: String,
    #[serde(default = "agent")]
    roles: Vec<Role>,
    language: Option<String>,
    password: String,
    #[serde(default)]
    password_must_change: bool,
    #[serde(default = "no_second_factor")]
    second_factor: SecondFactor,
}

fn agent() -> Vec<Role> {
    vec![Role::Agent]
}

const fn no_second_factor() -> SecondFactor {
    SecondFactor::None
}

async fn create_account(
    State(kit): State<Kit>,
    input: Input<AccountFixture>,
) -> KitResult<impl IntoResponse> {
    let Json(input) = input?;
    let company = input.company.clone();
    let account = kit
        .state
        .service
        .operator()
        .give_account(AccountInput {
            company: input.company,
            account: input.account,
            email: input.email,
            first_name: input.first_name,
            last_name: input.last_name,
            roles: input.roles,
            language: input.language,
            email_factor: matches!(input.second_factor, SecondFactor::Email | SecondFactor::Both),
            password: Password::new(input.password),
        })
        .await?;
    kit.providers.offer(&account.email);
    if input.password_must_change {
        kit.state
            .service
            .operator()
            .make_password_temporary(&company, &account.name)
            .await?;
    }
    let mut made = json!({ "id": account.id, "account": account.name });
    if matches!(input.second_factor, SecondFactor::App | SecondFactor::Both) {
        let (secret, codes) = kit
            .state
            .service
            .operator()
            .give_app(&company, &account.name)
            .await?;
        made["app_secret"] = secret.typed().replace(' ', "").into();
        made["backup_codes"] = codes.iter().map(BackupCode::reveal).collect();
    }
    Ok((StatusCode::CREATED, Json(made)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountState {
    company: String,
    account: String,
    active: Option<bool>,
    locked: Option<bool>,
}

async fn set_account_state(
    State(kit): State<Kit>,
    input: Input<AccountState>,
) -> KitResult<impl IntoResponse> {
    let Json(input) = input?;
    if let Some(active) = input.active {
        kit.state
            .service
            .operator()
            .set_account_active(&input.company, &input.account, active)
            .await?;
    }
    let operator = kit.state.service.operator();
    match input.locked {
        Some(true) => operator.lock_account(&input.company, &input.account).await?,
        Some(false) => operator.unlock_account(&input.company, &input.account).await?,
        None => {}
    }
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IssuedCodeFixture {
    company: String,
    account: String,
}

async fn issue_backup_code(
    State(kit): State<Kit>,
    input: Input<IssuedCodeFixture>,
) -> KitResult<impl IntoResponse> {
    let Json(input) = input?;
    let code = kit
        .state
        .service
        .operator()
        .issue_backup_code(&input.company, &input.account, "test")
        .await?;
    Ok((StatusCode::CREATED, Json(json!({ "code": code.reveal() }))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SessionFixture {
    company: String,
    account: String,
    #[serde(default)]
    proof: ProofFixture,
}

/// With what the account has just proved who it is.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ProofFixture {
    #[default]
    Password,
    EmailCode,
    AppCode,
    TrustedBrowser,
    Provider,
}

impl From<ProofFixture> for Proof {
    fn from(proof: ProofFixture) -> Self {
        match proof {
            ProofFixture::Password => Self::Password,
            ProofFixture::EmailCode => Self::EmailCode,
            ProofFixture::AppCode => Self::AppCode,
            ProofFixture::TrustedBrowser => Self::TrustedBrowser,
            ProofFixture::Provider => Self::Provider,
        }
    }
}

async fn create_session(
    State(kit): State<Kit>,
    input: Input<SessionFixture>,
) -> KitResult<impl IntoResponse> {
    let Json(input) = input?;
    let operator = kit.state.service.operator();
    let (id, token) = operator
        .give_session(&input.company, &input.account, input.proof.into())
        .await?;
    let cookie = kit.state.cookies.name(crate::http::cookies::Kind::Session);
    Ok((
        StatusCode::CREATED,
        Json(json!({ "sid": id, "cookie": cookie, "value": token.reveal() })),
    ))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ApplicationFixture {
    company: Option<String>,
    name: String,
    #[serde(default = "web")]
    kind: String,
    #[serde(default)]
    redirect_uris: Vec<String>,
    #[serde(default)]
    post_logout_redirect_uris: Vec<String>,
    backchannel_logout_uri: Option<String>,
    launch_uri: Option<String>,
    #[serde(default = "everybody")]
    roles: Vec<Role>,
    id_token_signed_response_alg: Option<String>,
}

fn web() -> String {
    "web".to_owned()
}

fn everybody() -> Vec<Role> {
    Role::ALL.to_vec()
}

async fn create_application(
    State(kit): State<Kit>,
    input: Input<ApplicationFixture>,
) -> KitResult<impl IntoResponse> {
    let Json(input) = input?;
    let typed = ApplicationInput {
        name: input.name,
        kind: input.kind,
        redirect_uris: input.redirect_uris.join("\n"),
        logout_uris: input.post_logout_redirect_uris.join("\n"),
        back_channel_uri: input.backchannel_logout_uri.unwrap_or_default(),
        launch_uri: input.launch_uri.unwrap_or_default(),
        roles: input.roles.iter().map(|role| role.as_str().to_owned()).collect(),
        signing: input.id_token_signed_response_alg.unwrap_or_default(),
    };
    let operator = kit.state.service.operator();
    let added = operator.add_application(input.company.as_deref(), &typed).await?;
    Ok((
        StatusCode::CREATED,
        Json(json!({
            "issuer": kit.state.service.issuer().issuer(),
            "client_id": added.application.id,
            "client_secret": added.secret.map(|secret| secret.reveal()),
        })),
    ))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LineFixture {
    hold: bool,
}

/// Holds everybody in line before the hashing threads, or lets them go on.
async fn hold_line(State(kit): State<Kit>, input: Input<LineFixture>) -> KitResult<impl IntoResponse> {
    let Json(input) = input?;
    kit.let_go();
    if input.hold {
        let turns = kit.state.service.sign_in().hold_line().await;
        *kit.held.lock().unwrap_or_else(PoisonError::into_inner) = turns;
    }
    Ok(Json(json!({ "held": input.hold })))
}

async fn reset(State(kit): State<Kit>) -> KitResult<impl IntoResponse> {
    kit.let_go();
    for company in kit.state.service.operator().companies().await? {
        kit.state.service.operator().delete_company(&company.name).await?;
    }
    for application in kit.state.service.operator().applications(None).await? {
        let id = application.id.to_string();
        kit.state.service.operator().delete_application(&id).await?;
    }
    kit.state.service.operator().forget_tries().await?;
    if let Some(mailbox) = &kit.state.mailbox {
        mailbox.clear();
    }
    kit.providers.forget();
    kit.clock.reset();
    Ok(Json(json!({})))
}
