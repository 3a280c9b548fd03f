//! `/admin/audit`: what happened in the company, and who did it.

use axum::{extract::State, http::StatusCode, response::Response};
use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use leptos::prelude::*;
use vestibule_app::{
    components::forms::{around, moment},
    page::{Content, Frame, Head, Sheet},
    shell::console::console_wide,
};
use vestibule_core::{
    audit::{Actor, Event},
    paths::{ADMIN_AUDIT, ADMIN_AUDIT_EXPORT},
    rights::Action,
};
use vestibule_service::console::{AuditInput, AuditPage as Found};
use vestibule_storage::EventRow;
use vestibule_translations::{Locale, browser_name, event_detail, event_name, td_string};

use super::{agents::agent_view, download::csv};
use crate::{
    form::{Routes, redirect_or_refuse},
    http::{answer::show, facts::Facts, moments::Moments},
    state::AppState,
};

/// The audit log, on screen and as a file.
pub fn routes(routes: Routes) -> Routes {
    routes
        .page(ADMIN_AUDIT, Action::SeeAudit, audit)
        .page(ADMIN_AUDIT_EXPORT, Action::SeeAudit, export)
}

async fn audit(State(state): State<AppState>, facts: Facts) -> Response {
    let input = input_of(&facts);
    match state.service.console().audit_log(&input, &facts.visitor).await {
        Ok(found) => {
            let (company, own) = (found.company.clone(), found.own.clone());
            let zone: Tz = company.settings.time_zone.parse().unwrap_or(Tz::UTC);
            let page = AuditPage {
                today: state.service.clock().now().with_timezone(&zone).date_naive(),
                input,
                found,
            };
            show(StatusCode::OK, facts.page_for(&state, &company, &own, page))
        }
        Err(refusal) => redirect_or_refuse(&refusal, &facts.path),
    }
}

/// `/admin/audit/export`: the same events as a file, from the newest on.
async fn export(State(state): State<AppState>, facts: Facts) -> Response {
    let input = AuditInput {
        before: String::new(),
        ..input_of(&facts)
    };
    match state.service.console().export_audit(input, &facts.visitor).await {
        Ok(download) => csv(&state, &facts, "audit", download).await,
        Err(refusal) => redirect_or_refuse(&refusal, &facts.path),
    }
}

fn input_of(facts: &Facts) -> AuditInput {
    let asked = |name| facts.query(name).unwrap_or_default().trim().to_owned();
    AuditInput {
        event: asked("event"),
        account: asked("account"),
        from: asked("from"),
        until: asked("until"),
        before: asked("before"),
    }
}

/// The address of the same events; `before` begins with older ones.
fn address(path: &str, input: &AuditInput, before: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in [
        ("event", input.event.as_str()),
        ("account", &input.account),
        ("from", &input.from),
        ("until", &input.until),
        ("before", before.unwrap_or_default()),
    ] {
        if !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

struct AuditPage {
    /// Today, in the company's time zone.
    today: NaiveDate,
    input: AuditInput,
    found: Found,
}

impl Content for AuditPage {
    fn head(&self, now: Locale) -> Head {
        Head::new(
            td_string!(now, company.audit_title),
            &[Sheet::Account, Sheet::Console],
        )
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let Self { today, input, found } = self;
        let filter = filter(now, &input, today);
        let older = found.events.last().filter(|_| found.older).map(|last| {
            let href = address(ADMIN_AUDIT, &input, Some(&last.id.to_string()));
            link(href, td_string!(now, company.older))
        });
        let newest = (!input.before.is_empty()).then(|| {
            link(
                address(ADMIN_AUDIT, &input, None),
                td_string!(now, company.newest),
            )
        });
        let pages = (older.is_some() || newest.is_some()).then(|| {
            view! {
                <nav class="buttons pages" aria-label=td_string!(now, company.pages)>
                    {newest}
                    {older}
                </nav>
            }
        });
        let moments = Moments::of(now, &found.company, &found.own);
        // The newest page shows what happens as it happens.
        let live = input.before.is_empty().then_some("");
        let content = view! {
            <h1>{td_string!(now, company.audit_title)}</h1>
            <p class="lead">{td_string!(now, company.audit_intro)}</p>
            <p class="quiet">{moments.zone()}</p>
            {filter}
            <div id="events" data-refresh=live>
                {event_table(now, moments, found.events)}
            </div>
            {pages}
            <p class="card-end">
                <a class="button" href=address(ADMIN_AUDIT_EXPORT, &input, None) download="">
                    {td_string!(now, company.export)}
                </a>
            </p>
        };
        console_wide(frame, ADMIN_AUDIT, content)
    }
}

fn link(href: String, label: &'static str) -> AnyView {
    view! {
        <a class="button" href=href>
            {label}
        </a>
    }
    .into_any()
}

/// Days that are asked for often.
fn presets(now: Locale, input: &AuditInput, today: NaiveDate) -> AnyView {
    [1, 7, 30]
        .map(|days| {
            let from = today.checked_sub_days(Days::new(days - 1)).unwrap_or(today);
            let asked = AuditInput {
                from: from.to_string(),
                until: today.to_string(),
                ..input.clone()
            };
            let current = (input.from == asked.from && input.until == asked.until).then_some("true");
            view! {
                <a class="chip" href=address(ADMIN_AUDIT, &asked, None) aria-current=current>
                    {td_string!(now, console.last_days, count = days)}
                </a>
            }
        })
        .into_iter()
        .collect_view()
        .into_any()
}

fn filter(now: Locale, input: &AuditInput, today: NaiveDate) -> AnyView {
    let events = Event::ALL
        .into_iter()
        .map(|event| {
            view! {
                <option value=event.as_str() selected=input.event == event.as_str()>
                    {event_name(now, event)}
                </option>
            }
        })
        .collect_view();
    view! {
        <form class="card filter" method="get" action=ADMIN_AUDIT aria-label=td_string!(now, company.filter)>
            <div class="pairs">
                <div class="field">
                    <label for="event">{td_string!(now, company.event)}</label>
                    <select id="event" name="event" autocomplete="off">
                        <option value="" selected=input.event.is_empty()>
                            {td_string!(now, company.all_events)}
                        </option>
                        {events}
                    </select>
                </div>
                <div class="field">
                    <label for="account">{td_string!(now, company.account)}</label>
                    <div class="control">
                        <input
                            id="account"
                            name="account"
                            type="text"
                            value=input.account.clone()
                            dir="auto"
                            autocomplete="off"
                            autocapitalize="none"
                            spellcheck="false"
                            aria-describedby="account-hint"
                        />
                    </div>
                    <p class="hint" id="account-hint">
                        {td_string!(now, company.account_hint)}
                    </p>
                </div>
                {date("from", td_string!(now, company.from), input.from.clone())}
                {date("until", td_string!(now, company.until), input.until.clone())}
            </div>
            <div class="buttons">
                <button class="button primary">{td_string!(now, company.show)}</button>
                <a class="button" href=ADMIN_AUDIT>
                    {td_string!(now, company.show_all)}
                </a>
                {presets(now, input, today)}
            </div>
        </form>
    }
    .into_any()
}

fn date(id: &'static str, label: &'static str, value: String) -> AnyView {
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <div class="control">
                <input id=id name=id type="date" value=value autocomplete="off" />
            </div>
        </div>
    }
    .into_any()
}

/// Events, newest first.
pub fn event_table(now: Locale, moments: Moments, events: Vec<EventRow>) -> AnyView {
    if events.is_empty() {
        return view! { <p class="quiet" role="status">{td_string!(now, company.no_events)}</p> }.into_any();
    }
    let rows = events
        .into_iter()
        .map(|event| event_row(now, moments, event))
        .collect_view();
    let heads = [
        td_string!(now, company.when),
        td_string!(now, company.what),
        td_string!(now, company.outcome),
        td_string!(now, company.who),
        td_string!(now, company.on_whom),
        td_string!(now, company.from_where),
        td_string!(now, company.detail),
    ]
    .map(|head| view! { <th scope="col">{head}</th> })
    .into_iter()
    .collect_view();
    view! {
        <div class="table-scroll" role="region" aria-label=td_string!(now, company.audit_title) tabindex="0">
            <table>
                <thead>
                    <tr>{heads}</tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
    .into_any()
}

/// Whether it can only happen to somebody who gave the right password.
const fn follows_password(event: Event) -> bool {
    matches!(
        event,
        Event::SignedIn
            | Event::PasswordAccepted
            | Event::GateRefused
            | Event::CodeRefused
            | Event::CodeResent
            | Event::AccountLocked
            | Event::SignInCancelled
            | Event::BackupCodeUsed
            | Event::IssuedCodeUsed
            | Event::BrowserTrusted
    )
}

/// What else is known of an event: its request, and what else happened to the account that day.
fn more(now: Locale, moments: Moments, row: &EventRow) -> AnyView {
    let same_day = row.target_name.clone().map(|account| {
        let day = moments.day(row.at);
        let asked = AuditInput {
            account,
            from: day.clone(),
            until: day,
            ..AuditInput::default()
        };
        view! {
            <p>
                <a href=address(ADMIN_AUDIT, &asked, None)>{td_string!(now, audit.same_day)}</a>
            </p>
        }
    });
    let request = row.request.clone().map(|request| {
        let label = td_string!(now, audit.request);
        let sentence = td_string!(now, common.labelled, label = label, value = "\n");
        view! { <p>{around(&sentence, view! { <bdi>{request}</bdi> })}</p> }
    });
    (same_day.is_some() || request.is_some())
        .then(|| {
            view! {
                <details class="more">
                    <summary>{td_string!(now, company.detail)}</summary>
                    {request}
                    {same_day}
                </details>
            }
        })
        .into_any()
}

fn event_row(now: Locale, moments: Moments, row: EventRow) -> AnyView {
    let event = Event::from_word(&row.event);
    // What a newer version wrote has no name here.
    let what = event.map_or_else(|| row.event.clone(), |event| event_name(now, event).to_owned());
    let detail = row.detail.as_deref().unwrap_or_default();
    // A provider was tried, and was not as it should be.
    let failed_test = event == Some(Event::SsoTested) && !detail.ends_with(": good");
    let refused = failed_test || event.is_some_and(Event::is_refusal);
    let detail = match event {
        Some(event) if !detail.is_empty() => event_detail(now, event, detail),
        _ => detail.to_owned(),
    };
    let more = more(now, moments, &row);
    let outcome = if refused {
        td_string!(now, company.refused)
    } else {
        td_string!(now, company.done)
    };
    let who = match row.actor {
        // Whoever gave the right password is no stranger any more.
        Actor::Visitor if event.is_some_and(follows_password) => row
            .target_name
            .clone()
            .unwrap_or_else(|| td_string!(now, company.visitor).to_owned()),
        Actor::Visitor => td_string!(now, company.visitor).to_owned(),
        Actor::Operator => td_string!(now, company.operator).to_owned(),
        Actor::System => td_string!(now, company.system).to_owned(),
        Actor::Account(_) => row
            .actor_name
            .unwrap_or_else(|| td_string!(now, company.gone_account).to_owned()),
    };
    let target = match (row.target, row.target_name) {
        (Some(id), Some(name)) => view! {
            <a href=agent_view(id)>
                <bdi>{name}</bdi>
            </a>
        }
        .into_any(),
        (_, name) => view! { <bdi>{name}</bdi> }.into_any(),
    };
    view! {
        <tr>
            <td>{moment(moments.write(row.at))}</td>
            <td>{what}</td>
            <td>
                <span class="state" data-bad=refused.then_some("")>
                    {outcome}
                </span>
            </td>
            <td>
                <bdi>{who}</bdi>
            </td>
            <td>{target}</td>
            <td>
                <bdi>{row.address}</bdi>
                {row
                    .browser
                    .map(|browser| {
                        view! {
                            <br />
                            <bdi class="quiet">{browser_name(now, &browser)}</bdi>
                        }
                    })}
            </td>
            <td>
                <bdi>{detail}</bdi>
                {more}
            </td>
        </tr>
    }
    .into_any()
}
