//! `/admin/audit`: what happened in the company, and who did it.

use axum::{extract::State, http::StatusCode, response::Response};
use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use leptos::prelude::*;
use vestibule_app::{
    components::forms::{labelled, moment},
    page::{Content, Frame, Head, Sheet},
    shell::console::console_wide,
};
use vestibule_core::{
    audit::{Actor, ActorKind, Event, Outcome, Source},
    paths::{ADMIN_AUDIT, ADMIN_AUDIT_EXPORT},
    rights::Action,
};
use vestibule_service::console::{AuditField, AuditInput, AuditPage as Found};
use vestibule_storage::EventRow;
use vestibule_translations::{Locale, browser_name, event_detail, event_name, list, td_string};

use super::{agents::agent_view, chips, choice, download::csv};
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
            // What could not be read asks for nothing, neither here nor behind the links of the page.
            let input = found
                .ignored
                .iter()
                .fold(input, |input, field| input.with(*field, String::new()));
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
    let all = AuditInput {
        before: asked("before"),
        ..AuditInput::default()
    };
    AuditField::ALL
        .into_iter()
        .fold(all, |input, field| input.with(field, asked(field.as_str())))
}

/// The address of the same events; `before` begins with older ones.
fn address(path: &str, input: &AuditInput, before: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let asked = AuditField::ALL.map(|field| (field.as_str(), input.get(field)));
    for (name, value) in asked.into_iter().chain([("before", before.unwrap_or_default())]) {
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
        let ignored = (!found.ignored.is_empty()).then(|| {
            let names: Vec<&str> = found
                .ignored
                .iter()
                .map(|field| field_name(now, *field))
                .collect();
            let sentence = td_string!(now, audit.ignored, names = list(now, &names));
            view! { <p class="notice caution" role="status">{sentence}</p> }
        });
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
            {ignored}
            {filter}
            {narrowed(now, &input)}
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

/// What something is called by which the log is asked.
fn field_name(now: Locale, field: AuditField) -> &'static str {
    match field {
        AuditField::Event => td_string!(now, company.event),
        AuditField::Outcome => td_string!(now, company.outcome),
        AuditField::Account => td_string!(now, company.account),
        AuditField::Actor => td_string!(now, company.who),
        AuditField::Source => td_string!(now, audit.source),
        AuditField::From => td_string!(now, company.from),
        AuditField::Until => td_string!(now, company.until),
    }
}

fn outcome_name(now: Locale, outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Done => td_string!(now, company.done),
        Outcome::Refused => td_string!(now, company.refused),
    }
}

fn actor_name(now: Locale, actor: ActorKind) -> &'static str {
    match actor {
        ActorKind::Visitor => td_string!(now, company.visitor),
        ActorKind::Account => td_string!(now, company.account),
        ActorKind::Operator => td_string!(now, company.operator),
        ActorKind::System => td_string!(now, company.system),
    }
}

fn source_name(now: Locale, source: Source) -> &'static str {
    match source {
        Source::SignIn => td_string!(now, audit.source_sign_in),
        Source::Profile => td_string!(now, common.profile),
        Source::Console => td_string!(now, console.admin_title),
        Source::Import => td_string!(now, audit.source_import),
        Source::Application => td_string!(now, applications.title),
        Source::CommandLine => td_string!(now, audit.source_command_line),
        Source::System => td_string!(now, company.system),
    }
}

/// What the log is narrowed by.
fn narrowed(now: Locale, input: &AuditInput) -> AnyView {
    let asked = AuditField::ALL
        .into_iter()
        .filter(|field| !input.get(*field).is_empty());
    let narrowed = asked.map(|field| {
        let typed = input.get(field);
        let name = match field {
            AuditField::Event => Event::from_word(typed).map(|event| event_name(now, event)),
            AuditField::Outcome => Outcome::from_word(typed).map(|outcome| outcome_name(now, outcome)),
            AuditField::Actor => ActorKind::from_word(typed).map(|actor| actor_name(now, actor)),
            AuditField::Source => Source::from_word(typed).map(|source| source_name(now, source)),
            AuditField::Account | AuditField::From | AuditField::Until => None,
        };
        let wider = address(ADMIN_AUDIT, &input.clone().with(field, String::new()), None);
        (field_name(now, field), name.unwrap_or(typed).to_owned(), wider)
    });
    chips(now, narrowed)
}

/// Days that are asked for often.
fn presets(now: Locale, input: &AuditInput, today: NaiveDate) -> AnyView {
    let before = |days: u64| today.checked_sub_days(Days::new(days)).unwrap_or(today);
    let last = |days: u64| {
        (
            td_string!(now, console.last_days, count = days),
            before(days - 1),
            today,
        )
    };
    [
        (td_string!(now, console.today).to_owned(), today, today),
        (
            td_string!(now, console.yesterday).to_owned(),
            before(1),
            before(1),
        ),
        last(7),
        last(30),
    ]
    .map(|(label, from, until)| {
        let asked = AuditInput {
            from: from.to_string(),
            until: until.to_string(),
            ..input.clone()
        };
        let current = (input.from == asked.from && input.until == asked.until).then_some("true");
        view! {
            <a class="chip" href=address(ADMIN_AUDIT, &asked, None) aria-current=current>
                {label}
            </a>
        }
    })
    .into_iter()
    .collect_view()
    .into_any()
}

/// A choice of one word, or of all.
fn pick(
    now: Locale,
    input: &AuditInput,
    field: AuditField,
    all: &'static str,
    options: &[(&'static str, &'static str)],
) -> AnyView {
    let picked = Some(input.get(field)).filter(|word| !word.is_empty());
    choice(field.as_str(), field_name(now, field), all, options, picked)
}

fn filter(now: Locale, input: &AuditInput, today: NaiveDate) -> AnyView {
    let all = td_string!(now, agents.all);
    let events = Event::ALL.map(|event| (event.as_str(), event_name(now, event)));
    let outcomes = Outcome::ALL.map(|outcome| (outcome.as_str(), outcome_name(now, outcome)));
    let actors = ActorKind::ALL.map(|actor| (actor.as_str(), actor_name(now, actor)));
    let sources = Source::ALL.map(|source| (source.as_str(), source_name(now, source)));
    let every = td_string!(now, company.all_events);
    view! {
        <form class="card filter" method="get" action=ADMIN_AUDIT aria-label=td_string!(now, company.filter)>
            <div class="pairs">
                {pick(now, input, AuditField::Event, every, &events)}
                {pick(now, input, AuditField::Outcome, all, &outcomes)}
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
                {pick(now, input, AuditField::Actor, all, &actors)}
                {pick(now, input, AuditField::Source, all, &sources)}
                {date(now, input, AuditField::From)}
                {date(now, input, AuditField::Until)}
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

fn date(now: Locale, input: &AuditInput, field: AuditField) -> AnyView {
    let (id, typed) = (field.as_str(), input.get(field).to_owned());
    view! {
        <div class="field">
            <label for=id>{field_name(now, field)}</label>
            <div class="control">
                <input id=id name=id type="date" value=typed autocomplete="off" />
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

/// What else is known of an event: where it was done, its request, and what else happened to the account that day.
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
        view! { <p>{labelled(now, label, view! { <bdi>{request}</bdi> })}</p> }
    });
    let source = row.source().map(|source| {
        let label = td_string!(now, audit.source);
        let name = source_name(now, source);
        view! { <p>{td_string!(now, common.labelled, label = label, value = name)}</p> }
    });
    (source.is_some() || same_day.is_some() || request.is_some())
        .then(|| {
            view! {
                <details class="more">
                    <summary>{td_string!(now, company.detail)}</summary>
                    {source}
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
    let outcome = row.outcome();
    let detail = row.detail.as_deref().unwrap_or_default();
    let detail = match event {
        Some(event) if !detail.is_empty() => event_detail(now, event, detail),
        _ => detail.to_owned(),
    };
    let more = more(now, moments, &row);
    let refused = outcome == Outcome::Refused;
    let kind = row.actor.kind();
    let told = event.map_or(kind, |event| kind.told(event));
    let who = match row.actor {
        Actor::Visitor if told == ActorKind::Account => row
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
                    {outcome_name(now, outcome)}
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
