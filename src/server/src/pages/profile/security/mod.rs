//! `/profile/security`: Security Settings: second factors, providers, trusted browsers and sessions.

mod app;
mod backup_codes;
mod email;
mod set_up;

use axum::{extract::State, response::Response};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    call::Call,
    components::forms::{action, ask_to_disconnect, danger, few_backup_codes, good, moment, refused},
    functions::Done,
    page::{Content, Frame, Head, Sheet, When},
    shell::console::account_page,
    text::Sentence,
};
use vestibule_core::{
    paths::{LOGIN, PROFILE, SECURITY, SECURITY_BACKUP_CODES},
    refusal::Refusal,
    rights::Action,
    sign_in_view::Method,
    sso::Provider,
};
use vestibule_service::{
    profile::{SecurityPage as Found, SessionItem, TrustedItem},
    sign_in::sso::OwnProvider,
};
use vestibule_translations::{Locale, browser_name, td_string};

use self::{app::BeginAppSetUp, email::BeginEmailSetUp};
use crate::{
    form::{Form, Routes, redirect_or_refuse},
    http::{answer::show_form, facts::Facts, moments::Moments},
    pages::common::few,
    state::AppState,
};

/// Security Settings, and the pages on which a second factor is set up.
pub fn routes(routes: Routes) -> Routes {
    routes
        .page(SECURITY, Action::OwnAccount, settings)
        .form::<TurnEmailOff>()
        .form::<TurnAppOff>()
        .form::<Disconnect>()
        .form::<ForgetBrowser>()
        .form::<ForgetAllBrowsers>()
        .form::<EndSession>()
        .form::<EndOtherSessions>()
        .room(set_up::routes)
        .room(email::routes)
        .room(app::routes)
        .room(backup_codes::routes)
}

/// Turns codes by e-mail off.
#[derive(Clone, Deserialize)]
pub struct TurnEmailOff {}

impl Form for TurnEmailOff {
    const PATH: &'static str = "/profile/security/email/off";
    const ACTION: Action = Action::OwnAccount;
    const OPENED: Option<&'static str> = Some(SECURITY);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service
            .profile()
            .turn_off(Method::Email, &call.visitor)
            .await?;
        Ok(Done::to(format!("{SECURITY}?changed")))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        show_settings(state, facts, refusal).await
    }
}

/// Turns the authenticator app off.
#[derive(Clone, Deserialize)]
pub struct TurnAppOff {}

impl Form for TurnAppOff {
    const PATH: &'static str = "/profile/security/app/off";
    const ACTION: Action = Action::OwnAccount;
    const OPENED: Option<&'static str> = Some(SECURITY);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service
            .profile()
            .turn_off(Method::App, &call.visitor)
            .await?;
        Ok(Done::to(format!("{SECURITY}?changed")))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        show_settings(state, facts, refusal).await
    }
}

/// Takes the account of a provider from the own one.
#[derive(Clone, Deserialize)]
pub struct Disconnect {
    /// Word of the provider.
    provider: String,
}

impl Form for Disconnect {
    const PATH: &'static str = "/profile/security/sso/disconnect";
    const ACTION: Action = Action::OwnAccount;
    const OPENED: Option<&'static str> = Some(SECURITY);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        let provider = Provider::from_word(&self.provider).ok_or(Refusal::Malformed)?;
        call.service.sso().disconnect(provider, &call.visitor).await?;
        Ok(Done::to(format!("{SECURITY}?disconnected")))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        show_settings(state, facts, refusal).await
    }
}

/// No longer trusts one browser.
#[derive(Clone, Deserialize)]
pub struct ForgetBrowser {
    /// Identifier of the trusted browser.
    id: String,
}

impl Form for ForgetBrowser {
    const PATH: &'static str = "/profile/security/trusted/remove";
    const ACTION: Action = Action::OwnAccount;
    const OPENED: Option<&'static str> = Some(SECURITY);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service
            .profile()
            .forget_browser(&self.id, &call.visitor)
            .await?;
        Ok(Done::to(format!("{SECURITY}?ended")))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        show_settings(state, facts, refusal).await
    }
}

/// No longer trusts any browser.
#[derive(Clone, Deserialize)]
pub struct ForgetAllBrowsers {}

impl Form for ForgetAllBrowsers {
    const PATH: &'static str = "/profile/security/trusted/remove-all";
    const ACTION: Action = Action::OwnAccount;
    const OPENED: Option<&'static str> = Some(SECURITY);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service.profile().forget_all_browsers(&call.visitor).await?;
        Ok(Done::to(format!("{SECURITY}?ended")))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        show_settings(state, facts, refusal).await
    }
}

/// Ends one session; when it is this one, the browser goes to the sign-in page.
#[derive(Clone, Deserialize)]
pub struct EndSession {
    /// Identifier of the session.
    id: String,
}

impl Form for EndSession {
    const PATH: &'static str = "/profile/security/sessions/end";
    const ACTION: Action = Action::OwnAccount;
    const OPENED: Option<&'static str> = Some(SECURITY);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        if call
            .service
            .profile()
            .end_one_session(&self.id, &call.visitor)
            .await?
        {
            call.leave();
            return Ok(Done::to(format!("{LOGIN}?signed_out")));
        }
        Ok(Done::to(format!("{SECURITY}?ended")))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        show_settings(state, facts, refusal).await
    }
}

/// Ends all sessions but this one.
#[derive(Clone, Deserialize)]
pub struct EndOtherSessions {}

impl Form for EndOtherSessions {
    const PATH: &'static str = "/profile/security/sessions/end-others";
    const ACTION: Action = Action::OwnAccount;
    const OPENED: Option<&'static str> = Some(SECURITY);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service.profile().end_other_sessions(&call.visitor).await?;
        Ok(Done::to(format!("{SECURITY}?ended")))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        show_settings(state, facts, refusal).await
    }
}

/// What went well before, by the word in the address.
const NOTICES: [(&str, Sentence); 5] = [
    ("confirmed", |now| td_string!(now, profile.confirmed)),
    ("changed", |now| td_string!(now, profile.changed)),
    ("ended", |now| td_string!(now, profile.ended)),
    ("connected", |now| td_string!(now, sso.was_connected)),
    ("disconnected", |now| td_string!(now, sso.was_disconnected)),
];

async fn settings(State(state): State<AppState>, facts: Facts) -> Response {
    show_settings(&state, &facts, None).await
}

/// The settings, with the reason when a form of theirs was refused.
pub async fn show_settings(state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
    let found = match state.service.profile().security(&facts.visitor).await {
        Ok(found) => found,
        Err(reason) => return redirect_or_refuse(&reason, SECURITY),
    };
    let providers = match state.service.sso().own_providers(&facts.visitor).await {
        Ok(providers) => providers,
        Err(reason) => return redirect_or_refuse(&reason, SECURITY),
    };
    let notice = NOTICES.into_iter().find(|(word, _)| facts.asks(word));
    let (company, account) = (found.company.clone(), found.account.clone());
    let page = SecurityPage {
        found,
        providers,
        notice: notice.map(|(_, sentence)| sentence),
        refusal: refusal.cloned(),
    };
    show_form(facts.page_at(state, &company, &account, SECURITY, page), refusal)
}

struct SecurityPage {
    found: Found,
    /// Providers that are offered, or connected.
    providers: Vec<OwnProvider>,
    /// What went well before.
    notice: Option<Sentence>,
    /// Why the last try was refused.
    refusal: Option<Refusal>,
}

impl Content for SecurityPage {
    fn head(&self, now: Locale) -> Head {
        Head::new(td_string!(now, profile.security_title), &[Sheet::Account])
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let Found {
            company,
            account,
            backup_codes_left,
            trusted,
            sessions: all_sessions,
            ..
        } = self.found;
        let moments = Moments::of(now, &company, &account);
        let content = view! {
            <main id="content" class="settings" tabindex="-1">
                <p class="back">
                    <a href=PROFILE>{td_string!(now, profile.title)}</a>
                </p>
                <h1>{td_string!(now, profile.security_title)}</h1>
                {self.notice.map(|sentence| good(sentence(now)))}
                {refused(now, self.refusal.as_ref(), true)}
                {few_backup_codes(now, few(backup_codes_left))}
                {second_factors(now, account.email_factor, account.app_factor)}
                {providers(now, self.providers)}
                <p class="quiet">{moments.zone()}</p>
                {trusted_browsers(now, moments, trusted)}
                {sessions(now, moments, all_sessions)}
            </main>
        };
        account_page(frame, None, content)
    }
}

fn providers(now: Locale, rows: Vec<OwnProvider>) -> AnyView {
    let content = if rows.is_empty() {
        view! { <p class="quiet">{td_string!(now, profile.sso_none)}</p> }.into_any()
    } else {
        let rows = rows.into_iter().map(|row| provider(now, row)).collect_view();
        view! {
            <p class="quiet">{td_string!(now, sso.section_intro)}</p>
            <ul class="rows">{rows}</ul>
        }
        .into_any()
    };
    view! {
        <section class="card" aria-labelledby="sso">
            <h2 id="sso">{td_string!(now, profile.sso_title)}</h2>
            {content}
        </section>
    }
    .into_any()
}

fn provider(now: Locale, row: OwnProvider) -> AnyView {
    let OwnProvider { provider, identity } = row;
    let connected = identity.map(|identity| identity.shown);
    let heading = ["row-", provider.as_str()].concat();
    let about = heading.clone();
    let on = connected.is_some();
    let state = if on {
        td_string!(now, sso.connected)
    } else {
        td_string!(now, sso.not_connected)
    };
    let button = if on {
        ask_to_disconnect(
            now,
            Disconnect::PATH,
            td_string!(now, sso.disconnect_confirm),
            provider,
            about,
            None,
        )
        .into_any()
    } else {
        action(provider.connect_path(), td_string!(now, sso.connect), about, None).into_any()
    };
    view! {
        <li class="row">
            <div class="row-text">
                <h3 id=heading>
                    {provider.name()} " " <span class="state" data-on=on.then_some("")>{state}</span>
                </h3>
                {connected
                    .filter(|shown| !shown.is_empty())
                    .map(|shown| {
                        view! {
                            <p class="quiet">
                                <bdi>{shown}</bdi>
                            </p>
                        }
                    })}
            </div>
            <div class="buttons">{button}</div>
        </li>
    }
    .into_any()
}

fn second_factors(now: Locale, email: bool, app: bool) -> AnyView {
    let backup_codes = (email || app).then(|| {
        view! {
            <p class="card-end">
                <a class="button" href=SECURITY_BACKUP_CODES>
                    {td_string!(now, profile.view_backup_codes)}
                </a>
            </p>
        }
    });
    let email = factor(
        now,
        td_string!(now, profile.email_row),
        td_string!(now, profile.email_advice),
        email,
        (BeginEmailSetUp::PATH, TurnEmailOff::PATH),
    );
    let app = factor(
        now,
        td_string!(now, profile.app_row),
        td_string!(now, profile.app_advice),
        app,
        (BeginAppSetUp::PATH, TurnAppOff::PATH),
    );
    view! {
        <section class="card" aria-labelledby="two-factor">
            <h2 id="two-factor">{td_string!(now, profile.two_factor_title)}</h2>
            <ul class="rows">{email} {app}</ul>
            {backup_codes}
        </section>
    }
    .into_any()
}

/// One method: its state and what can be done. `set_up` and `off` are the addresses of the two forms.
fn factor(
    now: Locale,
    title: &'static str,
    advice: &'static str,
    on: bool,
    (set_up, off): (&'static str, &'static str),
) -> AnyView {
    let heading = ["row", &set_up.replace('/', "-")].concat();
    let (state, label) = if on {
        (td_string!(now, profile.on), td_string!(now, profile.reset))
    } else {
        (td_string!(now, profile.off), td_string!(now, profile.set_up))
    };
    view! {
        <li class="row">
            <div class="row-text">
                <h3 id=heading.clone()>
                    {title} " " <span class="state" data-on=on.then_some("")>{state}</span>
                </h3>
                <p class="quiet">{advice}</p>
            </div>
            <div class="buttons">
                {action(set_up, label, heading.clone(), None)}
                {on.then(|| danger(off, td_string!(now, profile.turn_off), heading, None))}
            </div>
        </li>
    }
    .into_any()
}

fn trusted_browsers(now: Locale, moments: Moments, rows: Vec<TrustedItem>) -> AnyView {
    let content = if rows.is_empty() {
        view! { <p class="quiet">{td_string!(now, profile.trusted_none)}</p> }.into_any()
    } else {
        let rows = rows
            .into_iter()
            .map(|row| trusted(now, moments, row))
            .collect_view();
        view! {
            <p class="quiet">{td_string!(now, profile.trusted_intro)}</p>
            <ul class="rows">{rows}</ul>
            <form class="card-end" method="post" action=ForgetAllBrowsers::PATH>
                <button class="button danger-line" aria-describedby="trusted">
                    {td_string!(now, profile.remove_all)}
                </button>
            </form>
        }
        .into_any()
    };
    view! {
        <section class="card" aria-labelledby="trusted">
            <h2 id="trusted">{td_string!(now, profile.trusted_title)}</h2>
            {content}
        </section>
    }
    .into_any()
}

fn trusted(now: Locale, moments: Moments, row: TrustedItem) -> AnyView {
    let browser = browser(now, row.browser.as_deref());
    let id = row.id.to_string();
    let about = ["row-", &id].concat();
    view! {
        <li class="row">
            <div class="row-text">
                <h3 id=about.clone()>
                    <bdi>{browser}</bdi>
                    {row.this.then(|| this(td_string!(now, profile.this_browser)))}
                </h3>
                <dl class="details">
                    {address(now, row.address)} {detail(td_string!(now, profile.since), moments.write(row.since))}
                    {detail(td_string!(now, profile.until), moments.write(row.until))}
                    {detail(td_string!(now, profile.last_used), moments.write(row.last_used))}
                </dl>
            </div>
            {danger(ForgetBrowser::PATH, td_string!(now, profile.remove), about, Some(id))}
        </li>
    }.into_any()
}

fn sessions(now: Locale, moments: Moments, rows: Vec<SessionItem>) -> AnyView {
    let others = rows.iter().any(|row| !row.this);
    let rows = rows
        .into_iter()
        .map(|row| session_row(now, moments, row))
        .collect_view();
    let end_others = others.then(|| {
        view! {
            <form class="card-end" method="post" action=EndOtherSessions::PATH>
                <button class="button danger-line" aria-describedby="sessions">
                    {td_string!(now, profile.end_others)}
                </button>
            </form>
        }
    });
    view! {
        <section class="card" aria-labelledby="sessions">
            <h2 id="sessions">{td_string!(now, profile.sessions_title)}</h2>
            <p class="quiet">{td_string!(now, profile.sessions_intro)}</p>
            <ul class="rows">{rows}</ul>
            {end_others}
        </section>
    }
    .into_any()
}

fn session_row(now: Locale, moments: Moments, row: SessionItem) -> AnyView {
    let browser = browser(now, row.browser.as_deref());
    let id = row.id.to_string();
    let about = ["row-", &id].concat();
    view! {
        <li class="row">
            <div class="row-text">
                <h3 id=about.clone()>
                    <bdi>{browser}</bdi>
                    {row.this.then(|| this(td_string!(now, profile.this_session)))}
                </h3>
                <dl class="details">
                    {address(now, row.address)} {detail(td_string!(now, profile.since), moments.write(row.since))}
                    {detail(td_string!(now, profile.last_used), moments.write(row.last_used))}
                </dl>
            </div>
            {danger(EndSession::PATH, td_string!(now, profile.end), about, Some(id))}
        </li>
    }.into_any()
}

fn browser(now: Locale, stored: Option<&str>) -> String {
    stored.map_or_else(
        || td_string!(now, profile.unknown_browser).to_owned(),
        |stored| browser_name(now, stored),
    )
}

fn this(label: &'static str) -> AnyView {
    view! {
        " "
        <span class="state" data-on="">
            {label}
        </span>
    }
    .into_any()
}

fn address(now: Locale, address: Option<String>) -> AnyView {
    address
        .map(|address| {
            view! {
                <div>
                    <dt>{td_string!(now, profile.address)}</dt>
                    <dd>
                        <bdi>{address}</bdi>
                    </dd>
                </div>
            }
        })
        .into_any()
}

fn detail(name: &'static str, when: When) -> AnyView {
    view! {
        <div>
            <dt>{name}</dt>
            <dd>{moment(when)}</dd>
        </div>
    }
    .into_any()
}
