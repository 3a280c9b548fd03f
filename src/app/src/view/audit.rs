//! The audit log.

use leptos::prelude::*;
use vestibule_core::{audit::Event, paths};
use vestibule_translations::{Locale, event_name, td_string};

use super::{console::console, forms::moment};
use crate::page::{AuditPage, EventLine, Frame, Who};

/// `/admin/audit`
pub(super) fn audit(frame: Frame, page: AuditPage) -> impl IntoView {
    let now = frame.locale;
    let export = page.export.clone();
    let filter = filter(now, &page);
    let pages = (page.older.is_some() || page.newest.is_some()).then(|| {
        view! {
            <nav class="buttons pages" aria-label=td_string!(now, company.pages)>
                {page.newest.map(|href| link(href, td_string!(now, company.newest)))}
                {page.older.map(|href| link(href, td_string!(now, company.older)))}
            </nav>
        }
    });
    let content = view! {
        <h1>{td_string!(now, company.audit_title)}</h1>
        <p class="lead">{td_string!(now, company.audit_intro)}</p>
        {filter}
        {event_table(now, page.rows)}
        {pages}
        <p class="card-end">
            <a class="button" href=export download="">
                {td_string!(now, company.export)}
            </a>
        </p>
    };
    console(frame, paths::ADMIN_AUDIT, None, content)
}

fn link(href: String, label: &'static str) -> impl IntoView {
    view! {
        <a class="button" href=href>
            {label}
        </a>
    }
}

fn filter(now: Locale, page: &AuditPage) -> impl IntoView + use<> {
    let events = Event::ALL
        .into_iter()
        .map(|event| {
            view! {
                <option value=event.as_str() selected=page.event == event.as_str()>
                    {event_name(now, event)}
                </option>
            }
        })
        .collect_view();
    view! {
        <form class="card filter" method="get" action=paths::ADMIN_AUDIT aria-label=td_string!(now, company.filter)>
            <div class="pairs">
                <div class="field">
                    <label for="event">{td_string!(now, company.event)}</label>
                    <select id="event" name="event" autocomplete="off">
                        <option value="" selected=page.event.is_empty()>
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
                            value=page.account.clone()
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
                {date("from", td_string!(now, company.from), page.from.clone())}
                {date("until", td_string!(now, company.until), page.until.clone())}
            </div>
            <div class="buttons">
                <button class="button primary">{td_string!(now, company.show)}</button>
                <a class="button" href=paths::ADMIN_AUDIT>
                    {td_string!(now, company.show_all)}
                </a>
            </div>
        </form>
    }
}

fn date(id: &'static str, label: &'static str, value: String) -> impl IntoView {
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <div class="control">
                <input id=id name=id type="date" value=value autocomplete="off" />
            </div>
        </div>
    }
}

/// Events, newest first.
pub(super) fn event_table(now: Locale, rows: Vec<EventLine>) -> impl IntoView {
    if rows.is_empty() {
        return view! { <p class="quiet" role="status">{td_string!(now, company.no_events)}</p> }.into_any();
    }
    let rows = rows.into_iter().map(|row| event_row(now, row)).collect_view();
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
}

fn event_row(now: Locale, row: EventLine) -> impl IntoView {
    let what = match Event::from_word(&row.event) {
        Some(event) => event_name(now, event).to_owned(),
        // Written by a newer version.
        None => row.event,
    };
    let outcome = if row.refused {
        td_string!(now, company.refused)
    } else {
        td_string!(now, company.done)
    };
    let who = match row.who {
        Who::Visitor => td_string!(now, company.visitor).to_owned(),
        Who::Operator => td_string!(now, company.operator).to_owned(),
        Who::System => td_string!(now, company.system).to_owned(),
        Who::Account(name) => name.unwrap_or_else(|| td_string!(now, company.gone_account).to_owned()),
    };
    view! {
        <tr>
            <td>{moment(row.at)}</td>
            <td>{what}</td>
            <td>
                <span class="state" data-bad=row.refused.then_some("")>
                    {outcome}
                </span>
            </td>
            <td>
                <bdi>{who}</bdi>
            </td>
            <td>
                <bdi>{row.target}</bdi>
            </td>
            <td>
                <bdi>{row.address}</bdi>
                {row
                    .browser
                    .map(|browser| {
                        view! {
                            <br />
                            <bdi class="quiet">{browser}</bdi>
                        }
                    })}
            </td>
            <td>
                <bdi>{row.detail}</bdi>
            </td>
        </tr>
    }
}
