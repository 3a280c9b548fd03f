//! `/admin/agents`: the list, and what is done to several agents at once.

mod batch;
mod columns;
mod query;
mod table;

use axum::{extract::State, http::header, response::Response};
use leptos::prelude::*;
use vestibule_app::{
    components::forms::{around, good, not_done, refused},
    page::{Content, Frame, Head, Sheet},
    shell::console::{console_wide, role_name},
    text::refusal_sentence,
};
use vestibule_core::{
    account::Role,
    agents::{AgentFilter, AgentState, AgentView, FactorFilter},
    paths::{self, AGENTS},
    refusal::Refusal,
};
use vestibule_service::console::{AgentList, AgentQuery, NotChanged};
use vestibule_translations::{Locale, td_string};

pub use self::{
    batch::{Activate, AskToDeactivate, Batch, Deactivate, Selection, UndoDeactivation, Unlock},
    columns::ChooseColumns,
};
use self::{
    query::{filter_from, list_of, query_of, with_query},
    table::table,
};
use crate::{
    form::{Form, redirect_or_refuse},
    http::{answer::show_form, cookies::Kind, facts::Facts},
    pages::admin::{chips, choice, download::csv},
    state::AppState,
};

/// Id of what is shown anew while somebody types.
const FOUND: &str = "found";

/// `/admin/agents`
pub async fn list(State(state): State<AppState>, facts: Facts) -> Response {
    show_list(&state, &facts, asked(&facts), None).await
}

/// `/admin/agents/export`: the agents that the list with the same query shows.
pub async fn export(State(state): State<AppState>, facts: Facts) -> Response {
    match state
        .service
        .console()
        .export_agents(asked(&facts), &facts.visitor)
        .await
    {
        Ok(download) => csv(&state, &facts, "agents", download).await,
        Err(refusal) => redirect_or_refuse(&refusal, &facts.path),
    }
}

/// The filter in the address of the list.
fn asked(facts: &Facts) -> AgentFilter {
    filter_from(|name| facts.query(name))
}

/// What is ticked in the list.
#[derive(Clone, Copy, Default)]
struct Ticks<'a> {
    /// Identifiers of accounts.
    selected: &'a [String],
    /// Whether all that were found are.
    all: bool,
}

async fn show_list(
    state: &AppState,
    facts: &Facts,
    filter: AgentFilter,
    refusal: Option<&Refusal>,
) -> Response {
    show_ticked(state, facts, filter, Ticks::default(), refusal).await
}

/// The list with what is ticked in it: whoever was refused does not choose once more.
async fn show_ticked(
    state: &AppState,
    facts: &Facts,
    filter: AgentFilter,
    ticks: Ticks<'_>,
    refusal: Option<&Refusal>,
) -> Response {
    let place = |name| facts.query(name).filter(|_| refusal.is_none());
    let (after, before) = (place("after"), place("before"));
    let is_later = after.is_some() || before.is_some();
    let query = AgentQuery {
        filter,
        after,
        before,
        rows: facts.agent_view.rows,
    };
    let mut list = match state.service.console().agents(query, &facts.visitor).await {
        Ok(list) => list,
        Err(refusal) => return redirect_or_refuse(&refusal, &facts.path),
    };
    let kept = facts.query("kept").and_then(|word| match word.as_str() {
        "own_account" => Some(Refusal::OwnAccount),
        "last_admin" => Some(Refusal::LastAdmin),
        _ => None,
    });
    let (company, own) = (list.company.clone(), list.own.clone());
    let query = query_of(&list.filter);
    let notice = notice(facts).filter(|_| refusal.is_none());
    // It belongs to the act that the address tells of.
    let not_changed = list.not_changed.take().filter(|_| notice.is_some());
    let page = ListPage {
        query: query.clone(),
        view: facts.agent_view.clone(),
        is_later,
        number: place("number")
            .and_then(|number| number.parse().ok())
            .filter(|number| *number < NUMBER_MAX)
            .unwrap_or(1),
        notice,
        refusal: refusal.cloned().or(kept.filter(|_| not_changed.is_none())),
        not_changed,
        ticked: ticks.selected.to_vec(),
        all_ticked: ticks.all,
        list,
    };
    let mut page = facts.page_for(state, &company, &own, page);
    if refusal.is_some() {
        AGENTS.clone_into(&mut page.frame.path);
    }
    let mut response = show_form(page, refusal);
    // Whoever comes back from an agent finds the list as it was.
    if !query.is_empty() || facts.remembers_list() {
        let kept = [&own.id.to_string(), ".", &query].concat();
        if let Some(cookie) = state.cookies.set(Kind::AgentsQuery, &kept) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    response
}

/// Further down no list is read page by page.
const NUMBER_MAX: usize = 10_000_000;

/// In the query, before how many were changed.
pub const CHANGED: &str = "changed";
/// In the query, before how many were switched off.
pub const DEACTIVATED: &str = "deactivated";

/// What went well before the list was shown.
enum Notice {
    /// An agent was deleted.
    Deleted,
    /// So many agents were changed.
    Changed(usize),
    /// So many were switched off.
    Deactivated(usize),
    /// So many were switched on again.
    Undone(usize),
    /// It was too late to undo it.
    UndoOver,
}

fn notice(facts: &Facts) -> Option<Notice> {
    let count = |word| facts.query(word).and_then(|count| count.parse().ok());
    if let Some(changed) = count(CHANGED) {
        Some(Notice::Changed(changed))
    } else if let Some(deactivated) = count(DEACTIVATED) {
        Some(Notice::Deactivated(deactivated))
    } else if let Some(undone) = count("undone") {
        Some(Notice::Undone(undone))
    } else if facts.asks("undo_over") {
        Some(Notice::UndoOver)
    } else {
        facts.asks("deleted").then_some(Notice::Deleted)
    }
}

struct ListPage {
    list: AgentList,
    /// The query of this list without its page, for links and for coming back.
    query: String,
    /// Columns and rows.
    view: AgentView,
    /// Whether this is not the first page.
    is_later: bool,
    /// The number of its first agent among all, from 1, as far as the links before have counted.
    number: usize,
    notice: Option<Notice>,
    /// Why the last try was refused, wholly or for some.
    refusal: Option<Refusal>,
    /// Who was not changed.
    not_changed: Option<NotChanged>,
    /// Identifiers of the accounts that are ticked.
    ticked: Vec<String>,
    /// Whether all that were found are.
    all_ticked: bool,
}

impl Content for ListPage {
    fn head(&self, now: Locale) -> Head {
        Head::new(td_string!(now, agents.title), &[Sheet::Account, Sheet::Console])
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
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
            {notices(now, &self)}
            {self.not_changed.as_ref().map(|told| not_changed(now, told))}
            {refused(now, self.refusal.as_ref(), true)}
            {filter(now, &self)}
            <div id=FOUND class="found">
                {narrowed(now, &self)}
                {table(now, &self)}
            </div>
        };
        console_wide(frame, AGENTS, content)
    }
}

/// What went well, and how to take a deactivation back.
fn notices(now: Locale, page: &ListPage) -> AnyView {
    let undo = page.list.undo;
    let done = match (&page.notice, undo) {
        (Some(Notice::Changed(count)), _) => Some(td_string!(now, agents.changed, count = *count)),
        (Some(Notice::Undone(count)), _) => Some(td_string!(now, agents.undone, count = *count)),
        (Some(Notice::UndoOver), _) => Some(td_string!(now, agents.undo_over).to_owned()),
        (Some(Notice::Deleted), _) => Some(td_string!(now, agents.deleted).to_owned()),
        (Some(Notice::Deactivated(count)), None) => Some(td_string!(now, agents.deactivated, count = *count)),
        // Said with the offer.
        (Some(Notice::Deactivated(_)), Some(_)) | (None, _) => None,
    };
    let done = done.map(|sentence| {
        view! { <div class="done">{good(sentence)}</div> }
    });
    // Offered as long as it is taken, also when something else was done meanwhile.
    let undo = undo.map(|count| {
        view! {
            <div class="done">
                {good(td_string!(now, agents.deactivated, count = count))}
                <form class="undo" method="post" action=UndoDeactivation::PATH>
                    <input type="hidden" name="back" value=page.query.clone() />
                    <button class="button small">{td_string!(now, agents.undo)}</button>
                </form>
            </div>
        }
    });
    (done, undo).into_any()
}

/// Who was not changed, and why.
fn not_changed(now: Locale, told: &NotChanged) -> AnyView {
    let named = told.named.iter().map(|(name, refusal)| {
        let (name, why) = (name.clone(), refusal_sentence(now, refusal));
        let sentence = td_string!(now, common.labelled, label = "\n", value = why);
        around(&sentence, view! { <bdi>{name}</bdi> })
    });
    let left = told.left.as_ref().map(|(count, refusal)| {
        let more = td_string!(now, agents.and_more, count = *count);
        let why = refusal_sentence(now, refusal);
        td_string!(now, common.labelled, label = more, value = why).into_any()
    });
    let heading = td_string!(now, agents.not_changed, count = told.count());
    not_done(heading, named.chain(left).collect())
}

fn state_name(now: Locale, state: AgentState) -> &'static str {
    match state {
        AgentState::Active => td_string!(now, agents.active),
        AgentState::Inactive => td_string!(now, agents.inactive),
        AgentState::Locked => td_string!(now, agents.locked),
    }
}

fn factor_name(now: Locale, factor: FactorFilter) -> &'static str {
    match factor {
        FactorFilter::None => td_string!(now, agents.factor_none),
        FactorFilter::Email => td_string!(now, agents.factor_email),
        FactorFilter::App => td_string!(now, agents.factor_app),
    }
}

fn filter(now: Locale, page: &ListPage) -> AnyView {
    let asked = &page.list.filter;
    let states = AgentState::ALL.map(|state| (state.as_str(), state_name(now, state)));
    let roles = Role::ALL.map(|role| (role.as_str(), role_name(now, role)));
    let factors = FactorFilter::ALL.map(|factor| (factor.as_str(), factor_name(now, factor)));
    let all = td_string!(now, agents.all);
    let roles = page.is_admin().then(|| {
        choice(
            "role",
            td_string!(now, agents.role),
            all,
            &roles,
            asked.role.map(Role::as_str),
        )
    });
    let picked = asked.state.map(AgentState::as_str);
    let states = choice("state", td_string!(now, agents.state), all, &states, picked);
    let picked = asked.factor.map(FactorFilter::as_str);
    let factors = choice("factor", td_string!(now, agents.factor), all, &factors, picked);
    let order = asked
        .descending
        .then(|| view! { <input type="hidden" name="order" value="desc" /> });
    view! {
        <form class="card filter" method="get" action=AGENTS role="search" data-live=FOUND>
            <div class="pairs">
                <div class="field wide">
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
                </div>
                {states}
                {roles}
                {factors}
            </div>
            <p class="hint" id="search-hint">
                {td_string!(now, agents.search_hint)}
            </p>
            <input type="hidden" name="sort" value=asked.sort.as_str() />
            {order}
            <div class="buttons">
                <button class="button small primary">{td_string!(now, agents.show)}</button>
                <a class="button small" href=AGENTS>
                    {td_string!(now, agents.show_all)}
                </a>
            </div>
        </form>
    }
    .into_any()
}

/// What the list is narrowed by.
fn narrowed(now: Locale, page: &ListPage) -> AnyView {
    let asked = &page.list.filter;
    let without = |change: fn(&mut AgentFilter)| {
        let mut wider = asked.clone();
        change(&mut wider);
        list_of(&wider)
    };
    let search = (!asked.search.is_empty()).then(|| {
        let href = without(|filter| filter.search.clear());
        (td_string!(now, agents.search), asked.search.clone(), href)
    });
    let state = asked.state.map(|state| {
        let href = without(|filter| filter.state = None);
        (
            td_string!(now, agents.state),
            state_name(now, state).to_owned(),
            href,
        )
    });
    let role = asked.role.map(|role| {
        let href = without(|filter| filter.role = None);
        (
            td_string!(now, agents.role),
            role_name(now, role).to_owned(),
            href,
        )
    });
    let factor = asked.factor.map(|factor| {
        let href = without(|filter| filter.factor = None);
        (
            td_string!(now, agents.factor),
            factor_name(now, factor).to_owned(),
            href,
        )
    });
    chips(now, [search, state, role, factor].into_iter().flatten())
}
