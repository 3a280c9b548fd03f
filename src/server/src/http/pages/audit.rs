//! The audit log on screen, and the files of the console.

use axum::{
    body::Body as HttpBody,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono_tz::Tz;
use futures::stream;
use vestibule_app::page::{AuditPage, Body, EventLine, Who};
use vestibule_core::{
    audit::{Actor, Event},
    paths,
};
use vestibule_service::console::{AuditInput, Download};
use vestibule_storage::EventRow;

use super::{agents::filter_of, show, turned_away};
use crate::{
    http::{facts::Facts, moments::Moments},
    state::AppState,
};

/// `/admin/audit`
pub async fn audit(State(state): State<AppState>, request: Request) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    let input = input_of(&facts);
    let page = match state.service.audit_log(&input, &facts.visitor).await {
        Ok(page) => page,
        Err(refusal) => return turned_away(&refusal, &facts.path),
    };
    let moments = Moments::of(&page.company, &page.own);
    let older = page
        .events
        .last()
        .filter(|_| page.older)
        .map(|last| address(paths::ADMIN_AUDIT, &input, Some(&last.id.to_string())));
    let body = AuditPage {
        rows: page
            .events
            .into_iter()
            .map(|event| line(moments, event))
            .collect(),
        older,
        newest: (!input.before.is_empty()).then(|| address(paths::ADMIN_AUDIT, &input, None)),
        export: address(paths::ADMIN_AUDIT_EXPORT, &input, None),
        event: input.event,
        account: input.account,
        from: input.from,
        until: input.until,
    };
    show(
        StatusCode::OK,
        facts.page_for(&state, &page.company, &page.own, Body::Audit(body)),
    )
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

/// An event as the pages show it.
pub(super) fn line(moments: Moments, event: EventRow) -> EventLine {
    let who = match event.actor {
        Actor::Visitor => Who::Visitor,
        Actor::Account(_) => Who::Account(event.actor_name),
        Actor::Operator => Who::Operator,
        Actor::System => Who::System,
    };
    EventLine {
        at: moments.write(event.at),
        refused: Event::from_word(&event.event).is_some_and(Event::is_refusal),
        event: event.event,
        who,
        target: event.target_name,
        address: event.address,
        browser: event.browser,
        detail: event.detail,
    }
}

/// `/admin/audit/export`: the same events as a file, from the newest on.
pub async fn export_audit(State(state): State<AppState>, request: Request) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    let input = AuditInput {
        before: String::new(),
        ..input_of(&facts)
    };
    match state.service.export_audit(input, &facts.visitor).await {
        Ok(download) => file(&state, &facts, "audit", download).await,
        Err(refusal) => turned_away(&refusal, &facts.path),
    }
}

/// `/admin/agents/export`: the agents that the list with the same query shows.
pub async fn export_agents(State(state): State<AppState>, request: Request) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    match state
        .service
        .export_agents(filter_of(&facts), &facts.visitor)
        .await
    {
        Ok(download) => file(&state, &facts, "agents", download).await,
        Err(refusal) => turned_away(&refusal, &facts.path),
    }
}

/// A CSV file that is sent while it is written, named after what it holds and the day in the company's time zone.
async fn file(state: &AppState, facts: &Facts, what: &str, download: Download) -> Response {
    let signed_in = state.service.session(&facts.visitor).await.ok().flatten();
    let zone: Tz = signed_in
        .and_then(|signed_in| signed_in.company.time_zone.parse().ok())
        .unwrap_or(Tz::UTC);
    let today = state
        .service
        .clock()
        .now()
        .with_timezone(&zone)
        .format("%Y-%m-%d");
    let name = format!("attachment; filename=\"{what}-{today}.csv\"");
    let chunks = stream::unfold(download, |mut download| async move {
        download.recv().await.map(|chunk| (chunk, download))
    });
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/csv; charset=utf-8"),
        ),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::try_from(name).unwrap_or(HeaderValue::from_static("attachment")),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, HttpBody::from_stream(chunks)).into_response()
}
