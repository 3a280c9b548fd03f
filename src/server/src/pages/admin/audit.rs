//! `/admin/audit`: what happened in the company, and who did it.

use axum::{extract::State, http::StatusCode, response::Response};
use leptos::prelude::*;
use vestibule_app::{
    components::forms::moment,
    page::{Content, Frame, Head, Sheet},
    shell::console::console,
};
use vestibule_core::{
    audit::{Actor, Event},
    paths::{ADMIN_AUDIT, ADMIN_AUDIT_EXPORT},
    rights::Action,
};
use vestibule_service::console::{AuditInput, AuditPage as Found};
use vestibule_storage::EventRow;
use vestibule_translations::{Locale, browser_name, event_detail, event_name, td_string};

use super::download::csv;
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
            let page = AuditPage { input, found };
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
        let Self { input, found } = self;
        let filter = filter(now, &input);
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
        let content = view! {
            <h1>{td_string!(now, company.audit_title)}</h1>
            <p class="lead">{td_string!(now, company.audit_intro)}</p>
            <p class="quiet">{moments.zone()}</p>
            {filter}
            {event_table(now, moments, found.events)}
            {pages}
            <p class="card-end">
                <a class="button" href=address(ADMIN_AUDIT_EXPORT, &input, None) download="">
                    {td_string!(now, company.export)}
                </a>
            </p>
        };
        console(frame, ADMIN_AUDIT, None, content)
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

fn filter(now: Locale, input: &AuditInput) -> AnyView {
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

fn event_row(now: Locale, moments: Moments, row: EventRow) -> AnyView {
    let event = Event::from_word(&row.event);
    // What a newer version wrote has no name here.
    let what = event.map_or(row.event, |event| event_name(now, event).to_owned());
    let detail = row.detail.map(|stored| match event {
        Some(event) => event_detail(now, event, &stored),
        None => stored,
    });
    let refused = event.is_some_and(Event::is_refusal);
    let outcome = if refused {
        td_string!(now, company.refused)
    } else {
        td_string!(now, company.done)
    };
    let who = match row.actor {
        Actor::Visitor => td_string!(now, company.visitor).to_owned(),
        Actor::Operator => td_string!(now, company.operator).to_owned(),
        Actor::System => td_string!(now, company.system).to_owned(),
        Actor::Account(_) => row
            .actor_name
            .unwrap_or_else(|| td_string!(now, company.gone_account).to_owned()),
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
            <td>
                <bdi>{row.target_name}</bdi>
            </td>
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
            </td>
        </tr>
    }
    .into_any()
}
