//! The list of agents.

use leptos::prelude::*;
use vestibule_core::{
    account::Role,
    agents::{AgentSort, AgentState, FactorFilter},
    paths,
};
use vestibule_translations::{Locale, td_string};

use super::{
    console::console,
    forms::{good, moment, refused},
};
use crate::page::{AgentAct, AgentRow, AgentsNotice, AgentsPage, Frame};

/// Id of the form with the boxes of the list.
const SELECTION: &str = "selection";

/// `/admin/agents`
pub(super) fn list(frame: Frame, page: &AgentsPage) -> impl IntoView + use<> {
    let now = frame.locale;
    let notice = page.notice.map(|notice| match notice {
        AgentsNotice::Deleted => good(td_string!(now, agents.deleted)).into_any(),
        AgentsNotice::Changed(count) => view! {
            <p class="notice good" role="status">
                {td_string!(now, agents.changed, count = count)}
            </p>
        }
        .into_any(),
    });
    let export = with_query(paths::AGENTS_EXPORT, &page.query);
    let head = page.is_admin.then(|| {
        view! {
            <div class="buttons">
                <a class="button primary" href=paths::AGENTS_NEW aria-label=td_string!(now, agents.add)>
                    "+"
                </a>
                <a class="button" href=paths::AGENTS_IMPORT>
                    {td_string!(now, agents.import)}
                </a>
                <a class="button" href=export>
                    {td_string!(now, agents.export)}
                </a>
            </div>
        }
    });
    let content = view! {
        <div class="console-head">
            <h1>{td_string!(now, agents.title)}</h1>
            {head}
        </div>
        {notice}
        {refused(now, page.refusal.as_ref(), true)}
        {filter(now, page)}
        {table(now, page)}
        {pages(now, page)}
    };
    console(frame, paths::AGENTS, None, content)
}

/// An address with a query, unless that is empty.
fn with_query(path: &str, query: &str) -> String {
    if query.is_empty() {
        path.to_owned()
    } else {
        [path, "?", query].concat()
    }
}

fn filter(now: Locale, page: &AgentsPage) -> impl IntoView + use<> {
    let states = AgentState::ALL.map(|state| {
        let label = match state {
            AgentState::Active => td_string!(now, agents.active),
            AgentState::Inactive => td_string!(now, agents.inactive),
            AgentState::Locked => td_string!(now, agents.locked),
        };
        (state.as_str(), label)
    });
    let roles = [Role::Agent, Role::Supervisor, Role::Admin]
        .map(|role| (role.as_str(), role_name(now, role.as_str())));
    let factors = FactorFilter::ALL.map(|factor| {
        let label = match factor {
            FactorFilter::None => td_string!(now, agents.factor_none),
            FactorFilter::Email => td_string!(now, agents.factor_email),
            FactorFilter::App => td_string!(now, agents.factor_app),
        };
        (factor.as_str(), label)
    });
    let roles = page.is_admin.then(|| {
        choice(
            "role",
            td_string!(now, agents.role),
            td_string!(now, agents.all),
            &roles,
            &page.role,
        )
    });
    let order = page
        .descending
        .then(|| view! { <input type="hidden" name="order" value="desc" /> });
    view! {
        <form class="card filter" method="get" action=paths::AGENTS role="search">
            <div class="pairs">
                <div class="field">
                    <label for="search">{td_string!(now, agents.search)}</label>
                    <div class="control">
                        <input
                            id="search"
                            name="search"
                            type="search"
                            value=page.search.clone()
                            dir="auto"
                            autocomplete="off"
                            autocapitalize="none"
                            spellcheck="false"
                            aria-describedby="search-hint"
                        />
                    </div>
                    <p class="hint" id="search-hint">
                        {td_string!(now, agents.search_hint)}
                    </p>
                </div>
                {choice("state", td_string!(now, agents.state), td_string!(now, agents.all), &states, &page.state)}
                {roles}
                {choice("factor", td_string!(now, agents.factor), td_string!(now, agents.all), &factors, &page.factor)}
            </div>
            <input type="hidden" name="sort" value=page.sort.clone() />
            {order}
            <div class="buttons">
                <button class="button primary">{td_string!(now, agents.show)}</button>
                <a class="button" href=paths::AGENTS>
                    {td_string!(now, agents.show_all)}
                </a>
            </div>
        </form>
    }
}

fn choice(
    id: &'static str,
    label: &'static str,
    all: &'static str,
    options: &[(&'static str, &'static str)],
    picked: &str,
) -> impl IntoView + use<> {
    let options = options
        .iter()
        .map(|&(value, label)| {
            view! {
                <option value=value selected=value == picked>
                    {label}
                </option>
            }
        })
        .collect_view();
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <select id=id name=id autocomplete="off">
                <option value="" selected=picked.is_empty()>
                    {all}
                </option>
                {options}
            </select>
        </div>
    }
}

fn table(now: Locale, page: &AgentsPage) -> impl IntoView + use<> {
    if page.rows.is_empty() {
        return view! { <p class="quiet" role="status">{td_string!(now, agents.none_found)}</p> }.into_any();
    }
    let columns = [
        (AgentSort::Alias, td_string!(now, agents.name)),
        (AgentSort::Account, td_string!(now, agents.account)),
        (AgentSort::Email, td_string!(now, agents.email)),
    ]
    .map(|(sort, label)| sortable(page, sort, label))
    .into_iter()
    .collect_view();
    let plain = [
        td_string!(now, agents.roles),
        td_string!(now, agents.state),
        td_string!(now, agents.factor),
        td_string!(now, agents.last_sign_in),
        td_string!(now, agents.actions),
    ]
    .map(|label| view! { <th scope="col">{label}</th> })
    .into_iter()
    .collect_view();
    let rows = page.rows.iter().map(|row| agent_row(now, row)).collect_view();
    let switches = page.is_admin.then(|| {
        view! {
            <button class="button small" form=SELECTION formaction=paths::AGENTS_ACTIVATE>
                {td_string!(now, agents.activate)}
            </button>
            <button class="button small" form=SELECTION formaction=paths::AGENTS_DEACTIVATE>
                {td_string!(now, agents.deactivate)}
            </button>
        }
    });
    view! {
        <form id=SELECTION method="post" action=paths::AGENTS_UNLOCK_SELECTED>
            <input type="hidden" name="back" value=page.query.clone() />
        </form>
        <div class="table-scroll" role="region" aria-label=td_string!(now, agents.title) tabindex="0">
            <table class="stacked">
                <thead>
                    <tr>
                        <th scope="col">
                            <span class="visually-hidden">{td_string!(now, agents.select)}</span>
                        </th>
                        {columns}
                        {plain}
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        <div class="buttons selected" role="group" aria-label=td_string!(now, agents.selected)>
            <span class="quiet">{td_string!(now, agents.selected)}</span>
            {switches}
            <button class="button small" form=SELECTION formaction=paths::AGENTS_UNLOCK_SELECTED>
                {td_string!(now, agents.unlock)}
            </button>
        </div>
    }
    .into_any()
}

/// The head of a column that sorts the list, and turns its order round when it does already.
fn sortable(page: &AgentsPage, sort: AgentSort, label: &'static str) -> impl IntoView + use<> {
    let current = page.sort == sort.as_str();
    let turned = current && !page.descending;
    let direction = current.then_some(if page.descending {
        "descending"
    } else {
        "ascending"
    });
    let kept = page
        .query
        .split('&')
        .filter(|part| !part.is_empty() && !part.starts_with("sort=") && !part.starts_with("order="));
    let order = turned.then_some("order=desc".to_owned());
    let query: Vec<String> = kept
        .map(str::to_owned)
        .chain([format!("sort={}", sort.as_str())])
        .chain(order)
        .collect();
    view! {
        <th scope="col" aria-sort=direction>
            <a href=with_query(paths::AGENTS, &query.join("&"))>{label}</a>
        </th>
    }
}

fn agent_row(now: Locale, row: &AgentRow) -> impl IntoView + use<> {
    let select = td_string!(now, agents.select_one, name = row.account.clone());
    let view_page = page_of(&row.id, "/view");
    let roles: Vec<&str> = row.roles.iter().map(|role| role_name(now, role)).collect();
    let never = td_string!(now, agents.never);
    view! {
        <tr>
            <td>
                <input type="checkbox" form=SELECTION name="selected[]" value=row.id.clone() aria-label=select />
            </td>
            <th scope="row" data-label=td_string!(now, agents.name)>
                <a href=view_page>
                    <bdi>{row.alias.clone()}</bdi>
                </a>
            </th>
            <td data-label=td_string!(now, agents.account)>
                <bdi>{row.account.clone()}</bdi>
            </td>
            <td data-label=td_string!(now, agents.email)>
                <bdi>{row.email.clone()}</bdi>
            </td>
            <td data-label=td_string!(now, agents.roles)>{roles.join(", ")}</td>
            <td data-label=td_string!(now, agents.state)>{state(now, row)}</td>
            <td data-label=td_string!(now, agents.factor)>{factors(now, row)}</td>
            <td data-label=td_string!(now, agents.last_sign_in)>
                {match row.last_sign_in.clone() {
                    Some(when) => moment(when).into_any(),
                    None => never.into_any(),
                }}
            </td>
            <td data-label=td_string!(now, agents.actions)>{menu(now, row)}</td>
        </tr>
    }
}

/// Active or inactive, and the lock with when and why.
pub(super) fn state(now: Locale, row: &AgentRow) -> impl IntoView + use<> {
    let label = if row.active {
        td_string!(now, agents.active)
    } else {
        td_string!(now, agents.inactive)
    };
    let lock = row.locked.clone().map(|when| {
        let why = td_string!(now, agents.locked_since, when = when.shown);
        let title = why.clone();
        view! {
            <span class="lock" title=title>
                <span aria-hidden="true">"🔒"</span>
                " "
                <span>{why}</span>
            </span>
        }
    });
    view! {
        <span class="state" data-on=row.active.then_some("")>
            {label}
        </span>
        {lock}
    }
}

/// The second factors in words.
pub(super) fn factors(now: Locale, row: &AgentRow) -> String {
    let on = [
        row.app_factor.then(|| td_string!(now, agents.factor_app)),
        row.email_factor.then(|| td_string!(now, agents.factor_email)),
    ];
    let on: Vec<&str> = on.into_iter().flatten().collect();
    if on.is_empty() {
        td_string!(now, agents.factor_none).to_owned()
    } else {
        on.join(", ")
    }
}

/// What may be done to the agent of this row. Opens without scripts.
fn menu(now: Locale, row: &AgentRow) -> impl IntoView + use<> {
    let name = td_string!(now, agents.actions_of, name = row.account.clone());
    view! {
        <details class="menu">
            <summary class="button small" aria-label=name>
                "⋯"
            </summary>
            <ul>{actions(now, row, true)}</ul>
        </details>
    }
}

/// The links to everything that may be done to an agent.
pub(super) fn actions(now: Locale, row: &AgentRow, with_view: bool) -> impl IntoView + use<> {
    let may = row.may;
    let entries = [
        (with_view, "/view".to_owned(), td_string!(now, agents.view)),
        (may.edit, String::new(), td_string!(now, agents.edit)),
        (may.unlock, act(AgentAct::Unlock), td_string!(now, agents.unlock)),
        (
            may.backup_code,
            act(AgentAct::BackupCode),
            td_string!(now, agents.backup_code),
        ),
        (
            may.reset_password,
            act(AgentAct::ResetPassword),
            td_string!(now, agents.reset_password),
        ),
        (
            may.send_details,
            act(AgentAct::SendDetails),
            td_string!(now, agents.send_again),
        ),
        (
            may.end_sessions,
            act(AgentAct::EndSessions),
            td_string!(now, agents.end_sessions),
        ),
        (may.delete, act(AgentAct::Delete), td_string!(now, agents.delete)),
    ];
    entries
        .into_iter()
        .filter(|(offered, ..)| *offered)
        .map(|(_, page, label)| {
            view! {
                <li>
                    <a href=page_of(&row.id, &page)>{label}</a>
                </li>
            }
        })
        .collect_view()
}

fn act(act: AgentAct) -> String {
    ["/", act.word()].concat()
}

/// A page of an agent; `page` is empty or begins with a slash.
pub(super) fn page_of(id: &str, page: &str) -> String {
    [paths::AGENTS, "/", id, page].concat()
}

/// The name of a role in words.
pub(super) fn role_name(now: Locale, word: &str) -> &'static str {
    match word {
        "admin" => td_string!(now, console.role_admin),
        "supervisor" => td_string!(now, console.role_supervisor),
        _ => td_string!(now, console.role_agent),
    }
}

fn pages(now: Locale, page: &AgentsPage) -> impl IntoView + use<> {
    let link = |key: &str, id: &Option<String>, label: &'static str| {
        let id = id.clone()?;
        let own = format!("{key}={id}");
        let query = if page.query.is_empty() {
            own
        } else {
            [&page.query, "&", &own].concat()
        };
        Some(view! {
            <a class="button small" href=with_query(paths::AGENTS, &query)>
                {label}
            </a>
        })
    };
    let first = page.is_later.then(|| {
        view! {
            <a class="button small" href=with_query(paths::AGENTS, &page.query)>
                {td_string!(now, agents.first_page)}
            </a>
        }
    });
    let previous = link("before", &page.before, td_string!(now, agents.previous_page));
    let next = link("after", &page.after, td_string!(now, agents.next_page));
    (first.is_some() || previous.is_some() || next.is_some()).then(|| {
        view! {
            <nav class="buttons pages" aria-label=td_string!(now, agents.pages)>
                {first}
                {previous}
                {next}
            </nav>
        }
    })
}
