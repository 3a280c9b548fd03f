//! Which columns the list of agents has and how many rows: chosen by whoever looks at it, and kept in their browser.

use axum::response::Response;
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    call::{Call, Effect},
    functions::Done,
};
use vestibule_core::{
    agents::{AgentColumn, AgentView},
    limits::PAGE_SIZES,
    paths::AGENTS,
    refusal::Refusal,
    rights::Action,
};
use vestibule_translations::{Locale, td_string};

use super::{
    query::{filter_of, list_at},
    show_list,
};
use crate::{form::Form, http::facts::Facts, state::AppState};

/// Id of the form, which opens over the list.
const PANEL: &str = "columns";

/// Chooses columns and rows.
#[derive(Clone, Deserialize)]
pub struct ChooseColumns {
    #[serde(rename = "columns[]", default)]
    columns: Vec<String>,
    rows: String,
    /// Query of the list.
    back: String,
}

impl Form for ChooseColumns {
    const PATH: &'static str = "/admin/agents/columns";
    const ACTION: Action = Action::SeeAgents;
    const OPENED: Option<&'static str> = Some(AGENTS);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        let columns = self.columns.iter().map(String::as_str);
        call.add(Effect::AgentView(AgentView::new(columns, &self.rows)));
        Ok(Done::to(list_at(&self.back)))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        show_list(state, facts, filter_of(&self.back), refusal).await
    }
}

/// What a column is called.
pub fn column_name(now: Locale, column: AgentColumn) -> &'static str {
    match column {
        AgentColumn::Account => td_string!(now, agents.account),
        AgentColumn::Email => td_string!(now, agents.email),
        AgentColumn::Phone => td_string!(now, profile.phone),
        AgentColumn::Title => td_string!(now, profile.job_title),
        AgentColumn::Roles => td_string!(now, agents.roles),
        AgentColumn::State => td_string!(now, agents.state),
        AgentColumn::Factor => td_string!(now, agents.factor),
        AgentColumn::LastSignIn => td_string!(now, agents.last_sign_in),
        AgentColumn::Created => td_string!(now, agents.created),
    }
}

/// The button, and the form that it opens.
pub fn chooser(now: Locale, shown: &AgentView, query: &str) -> AnyView {
    let boxes = AgentColumn::ALL
        .into_iter()
        .map(|column| {
            view! {
                <label class="check">
                    <input
                        type="checkbox"
                        name="columns[]"
                        value=column.as_str()
                        checked=shown.shows(column)
                    />
                    {column_name(now, column)}
                </label>
            }
        })
        .collect_view();
    let rows = PAGE_SIZES
        .into_iter()
        .map(|rows| {
            view! {
                <option value=rows.to_string() selected=rows == shown.rows>
                    {rows}
                </option>
            }
        })
        .collect_view();
    view! {
        <button type="button" class="button small" popovertarget=PANEL>
            {td_string!(now, agents.columns)}
        </button>
        <form id=PANEL class="panel" popover="auto" method="post" action=ChooseColumns::PATH autocomplete="off">
            <input type="hidden" name="back" value=query.to_owned() />
            <fieldset class="checks">
                <legend>{td_string!(now, agents.columns)}</legend>
                {boxes}
            </fieldset>
            <div class="field">
                <label for="rows">{td_string!(now, agents.rows_per_page)}</label>
                <select id="rows" name="rows" autocomplete="off">
                    {rows}
                </select>
            </div>
            <button class="button small primary">{td_string!(now, agents.show)}</button>
        </form>
    }
    .into_any()
}
