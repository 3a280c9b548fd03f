//! `/admin/agents`: the list, and what is done to several agents at once.

use std::marker::PhantomData;

use axum::{extract::State, response::Response};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    call::{Call, list_again},
    components::forms::{good, moment, refused},
    functions::Done,
    page::{Content, Frame, Head, Sheet},
    shell::console::{console, role_name},
};
use vestibule_core::{
    account::{Account, Role},
    agents::{AgentFilter, AgentSort, AgentState, FactorFilter},
    paths::{self, AGENTS},
    refusal::Refusal,
    rights::Action,
};
use vestibule_service::console::{AgentList, Selected};
use vestibule_translations::{Locale, td_string};

use super::row::{actions, factors, page_of, roles, state};
use crate::{
    form::{Form, redirect_or_refuse},
    http::{answer::show_form, facts::Facts, moments::Moments},
    pages::admin::download::csv,
    state::AppState,
};

/// Id of the form with the boxes of the list.
const SELECTION: &str = "selection";

/// `/admin/agents`
pub async fn list(State(state): State<AppState>, facts: Facts) -> Response {
    show_list(&state, &facts, filter_of(&facts), None).await
}

/// `/admin/agents/export`: the agents that the list with the same query shows.
pub async fn export(State(state): State<AppState>, facts: Facts) -> Response {
    match state
        .service
        .console()
        .export_agents(filter_of(&facts), &facts.visitor)
        .await
    {
        Ok(download) => csv(&state, &facts, "agents", download).await,
        Err(refusal) => redirect_or_refuse(&refusal, &facts.path),
    }
}

async fn show_list(
    state: &AppState,
    facts: &Facts,
    filter: AgentFilter,
    refusal: Option<&Refusal>,
) -> Response {
    let (after, before) = match refusal {
        None => (facts.query("after"), facts.query("before")),
        Some(_) => (None, None),
    };
    let found = state
        .service
        .console()
        .agents(filter, after.as_deref(), before.as_deref(), &facts.visitor)
        .await;
    let list = match found {
        Ok(list) => list,
        Err(refusal) => return redirect_or_refuse(&refusal, &facts.path),
    };
    let kept = facts.query("kept").and_then(|word| match word.as_str() {
        "own_account" => Some(Refusal::OwnAccount),
        "last_admin" => Some(Refusal::LastAdmin),
        _ => None,
    });
    let changed = facts.query("changed").and_then(|count| count.parse().ok());
    let notice = match (refusal, changed) {
        (Some(_), _) => None,
        (None, Some(count)) => Some(Notice::Changed(count)),
        (None, None) => facts.asks("deleted").then_some(Notice::Deleted),
    };
    let (company, own) = (list.company.clone(), list.own.clone());
    let page = ListPage {
        query: query_of(&list.filter),
        is_later: after.is_some() || before.is_some(),
        notice,
        refusal: refusal.cloned().or(kept),
        list,
    };
    let mut page = facts.page_for(state, &company, &own, page);
    if refusal.is_some() {
        AGENTS.clone_into(&mut page.frame.path);
    }
    show_form(page, refusal)
}

/// The filter in the address of the list. What cannot be read is as if it had not been asked.
fn filter_of(facts: &Facts) -> AgentFilter {
    filter_from(|name| facts.query(name))
}

fn filter_from(word: impl Fn(&str) -> Option<String>) -> AgentFilter {
    let word = |name| word(name).unwrap_or_default();
    AgentFilter {
        search: word("search").trim().to_owned(),
        state: AgentState::from_word(&word("state")),
        role: word("role").parse().ok(),
        factor: FactorFilter::from_word(&word("factor")),
        sort: AgentSort::from_word(&word("sort")).unwrap_or_default(),
        descending: word("order") == "desc",
        only_agents: false,
    }
}

/// The query that [`filter_of`] reads; without what is as it is anyway.
fn query_of(filter: &AgentFilter) -> String {
    let sort = (filter.sort != AgentSort::default()).then(|| filter.sort.as_str());
    let pairs = [
        (
            "search",
            Some(filter.search.as_str()).filter(|search| !search.is_empty()),
        ),
        ("state", filter.state.map(AgentState::as_str)),
        ("role", filter.role.map(Role::as_str)),
        ("factor", filter.factor.map(FactorFilter::as_str)),
        ("sort", sort),
        ("order", filter.descending.then_some("desc")),
    ];
    let asked = pairs.into_iter().filter_map(|(name, value)| Some((name, value?)));
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(asked)
        .finish()
}

/// Something that is done to the agents that were ticked in the list.
pub trait Batch: Clone + Send + Sync + 'static {
    /// Where it is posted to.
    const PATH: &'static str;
    /// What it does.
    const ACTION: Action;

    /// Does it to the accounts with these identifiers.
    fn run(selected: &[String], call: &Call) -> impl Future<Output = Result<Selected, Refusal>> + Send;
}

/// The agents that were ticked, and the list that they stand in.
#[derive(Clone, Deserialize)]
#[serde(bound = "")]
pub struct Selection<B: Batch> {
    #[serde(rename = "selected[]", default)]
    selected: Vec<String>,
    /// Query of the list.
    back: String,
    #[serde(skip)]
    batch: PhantomData<B>,
}

impl<B: Batch> Form for Selection<B> {
    const PATH: &'static str = B::PATH;
    const ACTION: Action = B::ACTION;
    const OPENED: Option<&'static str> = Some(AGENTS);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        let done = B::run(&self.selected, call).await?;
        Ok(Done::to(list_again(&self.back, &done).to))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        let filter = filter_from(|name| {
            form_urlencoded::parse(self.back.as_bytes())
                .find(|(found, _)| found == name)
                .map(|(_, value)| value.into_owned())
        });
        show_list(state, facts, filter, refusal).await
    }
}

/// Switches them on.
#[derive(Clone)]
pub struct Activate;

impl Batch for Activate {
    const PATH: &'static str = "/admin/agents/activate";
    const ACTION: Action = Action::EditAgent;

    async fn run(selected: &[String], call: &Call) -> Result<Selected, Refusal> {
        call.service
            .console()
            .set_agents_active(selected, true, &call.visitor)
            .await
    }
}

/// Switches them off.
#[derive(Clone)]
pub struct Deactivate;

impl Batch for Deactivate {
    const PATH: &'static str = "/admin/agents/deactivate";
    const ACTION: Action = Action::EditAgent;

    async fn run(selected: &[String], call: &Call) -> Result<Selected, Refusal> {
        call.service
            .console()
            .set_agents_active(selected, false, &call.visitor)
            .await
    }
}

/// Unlocks them.
#[derive(Clone)]
pub struct Unlock;

impl Batch for Unlock {
    const PATH: &'static str = "/admin/agents/unlock-selected";
    const ACTION: Action = Action::Unlock;

    async fn run(selected: &[String], call: &Call) -> Result<Selected, Refusal> {
        call.service
            .console()
            .unlock_agents(selected, &call.visitor)
            .await
    }
}

/// What went well before the list was shown.
enum Notice {
    /// An agent was deleted.
    Deleted,
    /// So many agents were changed.
    Changed(usize),
}

struct ListPage {
    list: AgentList,
    /// The query of this list without its page, for links and for coming back.
    query: String,
    /// Whether this is not the first page.
    is_later: bool,
    notice: Option<Notice>,
    /// Why the last try was refused, wholly or for some.
    refusal: Option<Refusal>,
}

impl ListPage {
    fn is_admin(&self) -> bool {
        self.list.own.highest_role() == Role::Admin
    }
}

impl Content for ListPage {
    fn head(&self, now: Locale) -> Head {
        Head::new(td_string!(now, agents.title), &[Sheet::Account, Sheet::Console])
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let notice = self.notice.as_ref().map(|notice| match notice {
            Notice::Deleted => good(td_string!(now, agents.deleted).to_owned()),
            Notice::Changed(count) => good(td_string!(now, agents.changed, count = *count)),
        });
        let head = self.is_admin().then(|| {
            view! {
                <div class="buttons">
                    <a class="button primary" href=paths::AGENTS_NEW aria-label=td_string!(now, agents.add)>
                        "+"
                    </a>
                    <a class="button" href=paths::AGENTS_IMPORT>
                        {td_string!(now, agents.import)}
                    </a>
                    <a class="button" href=with_query(paths::AGENTS_EXPORT, &self.query)>
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
            {refused(now, self.refusal.as_ref(), true)}
            {filter(now, &self)}
            {table(now, &self)}
            {pages(now, &self)}
        };
        console(frame, AGENTS, None, content)
    }
}

/// An address with a query, unless that is empty.
fn with_query(path: &str, query: &str) -> String {
    if query.is_empty() {
        path.to_owned()
    } else {
        [path, "?", query].concat()
    }
}

fn filter(now: Locale, page: &ListPage) -> AnyView {
    let states = AgentState::ALL.map(|state| {
        let label = match state {
            AgentState::Active => td_string!(now, agents.active),
            AgentState::Inactive => td_string!(now, agents.inactive),
            AgentState::Locked => td_string!(now, agents.locked),
        };
        (state.as_str(), label)
    });
    let asked = &page.list.filter;
    let roles = Role::ALL.map(|role| (role.as_str(), role_name(now, role)));
    let factors = FactorFilter::ALL.map(|factor| {
        let label = match factor {
            FactorFilter::None => td_string!(now, agents.factor_none),
            FactorFilter::Email => td_string!(now, agents.factor_email),
            FactorFilter::App => td_string!(now, agents.factor_app),
        };
        (factor.as_str(), label)
    });
    let roles = page.is_admin().then(|| {
        choice(
            "role",
            td_string!(now, agents.role),
            td_string!(now, agents.all),
            &roles,
            asked.role.map(Role::as_str),
        )
    });
    let order = asked
        .descending
        .then(|| view! { <input type="hidden" name="order" value="desc" /> });
    view! {
        <form class="card filter" method="get" action=AGENTS role="search">
            <div class="pairs">
                <div class="field">
                    <label for="search">{td_string!(now, agents.search)}</label>
                    <div class="control">
                        <input
                            id="search"
                            name="search"
                            type="search"
                            value=asked.search.clone()
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
                {choice("state", td_string!(now, agents.state), td_string!(now, agents.all), &states, asked.state.map(AgentState::as_str))}
                {roles}
                {choice("factor", td_string!(now, agents.factor), td_string!(now, agents.all), &factors, asked.factor.map(FactorFilter::as_str))}
            </div>
            <input type="hidden" name="sort" value=asked.sort.as_str() />
            {order}
            <div class="buttons">
                <button class="button primary">{td_string!(now, agents.show)}</button>
                <a class="button" href=AGENTS>
                    {td_string!(now, agents.show_all)}
                </a>
            </div>
        </form>
    }.into_any()
}

fn choice(
    id: &'static str,
    label: &'static str,
    all: &'static str,
    options: &[(&'static str, &'static str)],
    picked: Option<&str>,
) -> AnyView {
    let options = options
        .iter()
        .map(|&(value, label)| {
            view! {
                <option value=value selected=picked == Some(value)>
                    {label}
                </option>
            }
        })
        .collect_view();
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <select id=id name=id autocomplete="off">
                <option value="" selected=picked.is_none()>
                    {all}
                </option>
                {options}
            </select>
        </div>
    }
    .into_any()
}

fn table(now: Locale, page: &ListPage) -> AnyView {
    let ListPage { list, .. } = page;
    if list.page.accounts.is_empty() {
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
    let rows = list
        .page
        .accounts
        .iter()
        .map(|account| agent_row(now, list, account))
        .collect_view();
    let switches = page.is_admin().then(|| {
        view! {
            <button class="button small" form=SELECTION formaction=Activate::PATH>
                {td_string!(now, agents.activate)}
            </button>
            <button class="button small" form=SELECTION formaction=Deactivate::PATH>
                {td_string!(now, agents.deactivate)}
            </button>
        }
    });
    view! {
        <form id=SELECTION method="post" action=Unlock::PATH>
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
            <button class="button small" form=SELECTION formaction=Unlock::PATH>
                {td_string!(now, agents.unlock)}
            </button>
        </div>
    }
    .into_any()
    .into_any()
}

/// The head of a column that sorts the list, and turns its order round when it does already.
fn sortable(page: &ListPage, sort: AgentSort, label: &'static str) -> AnyView {
    let current = page.list.filter.sort == sort;
    let turned = current && !page.list.filter.descending;
    let direction = current.then_some(if page.list.filter.descending {
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
            <a href=with_query(AGENTS, &query.join("&"))>{label}</a>
        </th>
    }
    .into_any()
}

fn agent_row(now: Locale, list: &AgentList, account: &Account) -> AnyView {
    let moments = Moments::of(now, &list.company, &list.own);
    let select = td_string!(now, agents.select_one, name = account.name.clone());
    let id = account.id.to_string();
    let last_sign_in = match account.last_sign_in_at {
        Some(at) => moment(moments.write(at)).into_any(),
        None => td_string!(now, agents.never).into_any(),
    };
    let locked = account.locked_at.map(|at| moments.write(at));
    view! {
        <tr>
            <td>
                <input type="checkbox" form=SELECTION name="selected[]" value=id.clone() aria-label=select />
            </td>
            <th scope="row" data-label=td_string!(now, agents.name)>
                <a href=page_of(&id, "view")>
                    <bdi>{account.person.alias.clone()}</bdi>
                </a>
            </th>
            <td data-label=td_string!(now, agents.account)>
                <bdi>{account.name.clone()}</bdi>
            </td>
            <td data-label=td_string!(now, agents.email)>
                <bdi>{account.email.clone()}</bdi>
            </td>
            <td data-label=td_string!(now, agents.roles)>{roles(now, &account.roles)}</td>
            <td data-label=td_string!(now, agents.state)>{state(now, account, locked)}</td>
            <td data-label=td_string!(now, agents.factor)>{factors(now, account)}</td>
            <td data-label=td_string!(now, agents.last_sign_in)>{last_sign_in}</td>
            <td data-label=td_string!(now, agents.actions)>{menu(now, &list.own, account)}</td>
        </tr>
    }
    .into_any()
}

/// What may be done to the agent of this row. Opens without scripts.
fn menu(now: Locale, own: &Account, account: &Account) -> AnyView {
    let name = td_string!(now, agents.actions_of, name = account.name.clone());
    view! {
        <details class="menu">
            <summary class="button small" aria-label=name>
                "⋯"
            </summary>
            <ul>{actions(now, own, account, true)}</ul>
        </details>
    }
    .into_any()
}

fn pages(now: Locale, page: &ListPage) -> AnyView {
    let found = &page.list.page;
    let link = |key: &str, account: Option<&Account>, label: &'static str| {
        let own = format!("{key}={}", account?.id);
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
    let first = page.is_later.then(|| {
        view! {
            <a class="button small" href=with_query(AGENTS, &page.query)>
                {td_string!(now, agents.first_page)}
            </a>
        }
    });
    let previous = link(
        "before",
        found.accounts.first().filter(|_| found.before),
        td_string!(now, agents.previous_page),
    );
    let next = link(
        "after",
        found.accounts.last().filter(|_| found.after),
        td_string!(now, agents.next_page),
    );
    (first.is_some() || previous.is_some() || next.is_some())
        .then(|| {
            view! {
                <nav class="buttons pages" aria-label=td_string!(now, agents.pages)>
                    {first}
                    {previous}
                    {next}
                </nav>
            }
        })
        .into_any()
}
