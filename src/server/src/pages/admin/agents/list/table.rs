//! What the list found: the bar for those that are ticked, the table, and the way to its other pages.

use leptos::prelude::*;
use vestibule_app::components::forms::{labelled, moment};
use vestibule_core::{
    account::{Account, Role},
    agents::{AgentColumn, AgentFilter, AgentSort},
    limits::FOUND_MAX,
    paths::AGENTS,
    rights::Action,
};
use vestibule_translations::{Locale, td_string};

use super::{
    ListPage,
    batch::{Activate, AskToDeactivate, Batch, Unlock},
    columns::{chooser, column_name},
    query::{list_of, with_query},
};
use crate::{
    form::Form,
    http::moments::Moments,
    pages::admin::agents::row::{actions, factors, list_state, page_of, roles},
    pages::admin::select_page,
};

/// Id of the form with the boxes of the list.
const SELECTION: &str = "selection";

/// The order that a column sorts by; `None` = it sorts nothing.
const fn order_of(column: AgentColumn) -> Option<AgentSort> {
    Some(match column {
        AgentColumn::Account => AgentSort::Account,
        AgentColumn::Email => AgentSort::Email,
        AgentColumn::Roles => AgentSort::Role,
        AgentColumn::State => AgentSort::State,
        AgentColumn::Factor => AgentSort::Factor,
        AgentColumn::LastSignIn => AgentSort::LastSignIn,
        AgentColumn::Created => AgentSort::Created,
        AgentColumn::Phone | AgentColumn::Title => return None,
    })
}

/// What the style sheet knows a column by.
const fn class_of(column: AgentColumn) -> &'static str {
    match column {
        AgentColumn::Account => "col-account",
        AgentColumn::Email => "col-email",
        AgentColumn::Phone => "col-phone",
        AgentColumn::Title => "col-title",
        AgentColumn::Roles => "col-roles",
        AgentColumn::State => "col-state",
        AgentColumn::Factor => "col-factor",
        AgentColumn::LastSignIn => "col-last",
        AgentColumn::Created => "col-created",
    }
}

/// The table with everything around it.
pub fn table(now: Locale, page: &ListPage) -> AnyView {
    let list = &page.list;
    if list.page.accounts.is_empty() {
        return view! { <p class="quiet" role="status">{td_string!(now, agents.none_found)}</p> }.into_any();
    }
    let heads = page
        .view
        .columns
        .iter()
        .map(|&column| {
            let label = column_name(now, column);
            match order_of(column) {
                Some(sort) => sortable(page, sort, label, Some(column)),
                None => view! { <th scope="col" class=class_of(column)>{label}</th> }.into_any(),
            }
        })
        .collect_view();
    let rows = list
        .page
        .accounts
        .iter()
        .map(|account| agent_row(now, page, account))
        .collect_view();
    view! {
        <form id=SELECTION method="post" action=Unlock::PATH autocomplete="off">
            <input type="hidden" name="back" value=page.query.clone() />
            <input type="hidden" name="counted" value=list.found.to_string() />
        </form>
        {bar(now, page)}
        <div class="table-scroll list-table" role="region" aria-label=td_string!(now, agents.title) tabindex="0">
            <table class="agents">
                <thead>
                    <tr>
                        {select_page(now)}
                        {sortable(page, AgentSort::Alias, td_string!(now, agents.name), None)}
                        {heads}
                        <th scope="col" class="actions">
                            <span class="visually-hidden">{td_string!(now, agents.actions)}</span>
                        </th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        {pages(now, page)}
    }
    .into_any()
}

/// What is done to those that are ticked, and how many they are.
fn bar(now: Locale, page: &ListPage) -> AnyView {
    let list = &page.list;
    let switches = page.is_admin().then(|| {
        view! {
            <button class="button small" form=SELECTION formaction=Activate::PATH>
                {td_string!(now, agents.activate)}
            </button>
            <button class="button small danger-line" form=SELECTION formaction=AskToDeactivate::PATH>
                {td_string!(now, agents.deactivate)}
            </button>
        }
    });
    let shown = list.page.accounts.len();
    let all = (list.found > shown).then(|| {
        if list.found > FOUND_MAX || list.found_more {
            let hint = td_string!(now, agents.too_many_found, most = FOUND_MAX);
            view! { <span class="quiet">{hint}</span> }.into_any()
        } else {
            view! {
                <label class="check">
                    <input
                        type="checkbox"
                        name="all"
                        value="yes"
                        form=SELECTION
                        checked=page.all_ticked
                        data-select-found=list.found.to_string()
                    />
                    {td_string!(now, agents.select_found, all = list.found)}
                </label>
            }
            .into_any()
        }
    });
    let selected = td_string!(now, agents.selected);
    view! {
        <div class="bar">
            <div class="buttons selected" role="group" aria-label=selected>
                <span class="quiet">
                    {labelled(now, selected, view! { <b class="after-script" data-count="">"0"</b> })}
                </span>
                {switches}
                <button class="button small" form=SELECTION formaction=Unlock::PATH>
                    {td_string!(now, agents.unlock)}
                </button>
                {all}
            </div>
            <div class="buttons">{chooser(now, &page.view, &page.query)}</div>
        </div>
    }
    .into_any()
}

/// The head of a column that sorts the list, and turns its order round when it does already.
fn sortable(page: &ListPage, sort: AgentSort, label: &'static str, column: Option<AgentColumn>) -> AnyView {
    let filter = &page.list.filter;
    let current = filter.sort == sort;
    let direction = current.then_some(if filter.descending {
        "descending"
    } else {
        "ascending"
    });
    let turned = AgentFilter {
        sort,
        descending: current && !filter.descending,
        ..filter.clone()
    };
    let class = column.map_or("name", class_of);
    view! {
        <th scope="col" class=class aria-sort=direction>
            <a href=list_of(&turned)>{label}</a>
        </th>
    }
    .into_any()
}

fn agent_row(now: Locale, page: &ListPage, account: &Account) -> AnyView {
    let select = td_string!(now, agents.select_one, name = account.name.clone());
    let id = account.id.to_string();
    let ticked = page.ticked.contains(&id);
    let (alias, title) = (account.person.alias.clone(), account.person.alias.clone());
    let cells = page
        .view
        .columns
        .iter()
        .map(|&column| cell(now, page, account, column))
        .collect_view();
    view! {
        <tr>
            <td class="select">
                <input
                    type="checkbox"
                    form=SELECTION
                    name="selected[]"
                    value=id.clone()
                    checked=ticked
                    aria-label=select
                />
            </td>
            <th scope="row" class="name" title=title>
                <a href=page_of(&id, "view")>
                    <bdi>{alias}</bdi>
                </a>
            </th>
            {cells}
            <td class="actions">{unlock(now, page, account)} {menu(now, page, account)}</td>
        </tr>
    }
    .into_any()
}

fn cell(now: Locale, page: &ListPage, account: &Account, column: AgentColumn) -> AnyView {
    let moments = Moments::of(now, &page.list.company, &page.list.own);
    let text = |text: &str| {
        let (title, text) = (text.to_owned(), text.to_owned());
        view! {
            <td class=class_of(column) title=title>
                <bdi>{text}</bdi>
            </td>
        }
        .into_any()
    };
    match column {
        AgentColumn::Account => text(&account.name),
        AgentColumn::Email => text(&account.email),
        AgentColumn::Phone => text(&account.person.phone),
        AgentColumn::Title => text(&account.person.title),
        AgentColumn::Roles => text(&roles(now, &account.roles)),
        AgentColumn::Factor => text(&factors(now, account)),
        AgentColumn::State => {
            let locked = account.locked_at.map(|at| moments.write(at));
            view! { <td class=class_of(column)>{list_state(now, account, locked)}</td> }.into_any()
        }
        AgentColumn::LastSignIn => {
            let at = match account.last_sign_in_at {
                Some(at) => moment(moments.write(at)),
                None => td_string!(now, agents.never).into_any(),
            };
            view! { <td class=class_of(column)>{at}</td> }.into_any()
        }
        AgentColumn::Created => {
            view! { <td class=class_of(column)>{moment(moments.write(account.created_at))}</td> }.into_any()
        }
    }
}

/// Unlocking is what a locked row is looked for. A sign and not a word, which would take the room of what is read in every row.
fn unlock(now: Locale, page: &ListPage, account: &Account) -> AnyView {
    let offered = account.is_locked() && Action::Unlock.reaches(&page.list.own, account);
    offered
        .then(|| {
            let unlock = td_string!(now, agents.unlock);
            let label = td_string!(now, common.labelled, label = unlock, value = &account.name);
            view! {
                <form method="post" action=Unlock::PATH>
                    <input type="hidden" name="selected[]" value=account.id.to_string() />
                    <input type="hidden" name="back" value=page.query.clone() />
                    <button class="button small" aria-label=label title=unlock>
                        <svg viewBox="0 0 16 16" width="18" height="18" aria-hidden="true">
                            <path
                                d="M3 7.5h10v6H3zM5 7.5V5a3 3 0 0 1 5.8-1"
                                fill="none"
                                stroke="currentColor"
                                stroke-width="1.6"
                            />
                        </svg>
                    </button>
                </form>
            }
        })
        .into_any()
}

/// What may be done to the agent of this row. Opens without scripts, over the table.
fn menu(now: Locale, page: &ListPage, account: &Account) -> AnyView {
    let name = td_string!(now, agents.actions_of, name = account.name.clone());
    let id = ["menu-", &account.id.to_string()].concat();
    view! {
        <button type="button" class="button small" popovertarget=id.clone() aria-label=name>
            "⋯"
        </button>
        <ul id=id class="panel menu" popover="auto">
            {actions(now, &page.list.own, account, true)}
        </ul>
    }
    .into_any()
}

/// Which of how many are shown, and the pages before and after.
fn pages(now: Locale, page: &ListPage) -> AnyView {
    let found = &page.list;
    let shown = found.page.accounts.len();
    let first = if found.page.before { page.number } else { 1 };
    let last = first + shown - 1;
    let all = found.found.max(last);
    let range = if found.found_more {
        // One more than this was counted.
        let all = found.found.saturating_sub(1).max(last);
        td_string!(now, agents.range_of_more, first = first, last = last, all = all)
    } else {
        td_string!(now, agents.range, first = first, last = last, all = all)
    };
    let link = |key: &str, account: Option<&Account>, number: usize, label: &'static str| {
        let own = format!("{key}={}&number={number}", account?.id);
        let query = if page.query.is_empty() {
            own
        } else {
            [&page.query, "&", &own].concat()
        };
        Some(view! {
            <a class="button small" href=with_query(AGENTS, &query)>
                {label}
            </a>
        })
    };
    let to_first = page.is_later.then(|| {
        view! {
            <a class="button small" href=with_query(AGENTS, &page.query)>
                {td_string!(now, agents.first_page)}
            </a>
        }
    });
    let previous = link(
        "before",
        found.page.accounts.first().filter(|_| found.page.before),
        first.saturating_sub(page.view.rows).max(1),
        td_string!(now, agents.previous_page),
    );
    let next = link(
        "after",
        found.page.accounts.last().filter(|_| found.page.after),
        last + 1,
        td_string!(now, agents.next_page),
    );
    view! {
        <nav class="buttons pages" aria-label=td_string!(now, agents.pages)>
            <span class="quiet">{range}</span>
            {to_first}
            {previous}
            {next}
        </nav>
    }
    .into_any()
}

impl ListPage {
    /// Whether whoever looks sees all of the company.
    pub(super) fn is_admin(&self) -> bool {
        self.list.own.highest_role() == Role::Admin
    }
}
