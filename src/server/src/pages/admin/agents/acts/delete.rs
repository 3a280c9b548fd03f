//! Deleting an agent.

use axum::response::Response;
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{call::Call, components::forms::Input, functions::Done};
use vestibule_core::{
    paths::AGENTS,
    refusal::{Field, Refusal},
    rights::Action,
};
use vestibule_service::console::AgentDetails;
use vestibule_translations::{Locale, td_string};

use super::{Act, act_form, address, again};
use crate::{
    form::{Filled, Form},
    http::facts::Facts,
    state::AppState,
};

/// Deletes an agent.
#[derive(Clone, Deserialize)]
pub struct DeleteAgent {
    id: String,
    /// The account name once more.
    confirm_name: String,
}

impl Form for DeleteAgent {
    const PATH: &'static str = "/admin/agents/delete";
    const ACTION: Action = Action::DeleteAgent;
    const OPENED: Option<&'static str> = Some(AGENTS);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service
            .console()
            .delete_agent(&self.id, &self.confirm_name, &call.visitor)
            .await?;
        Ok(Done::to(format!("{AGENTS}?deleted")))
    }

    fn page(&self) -> String {
        address::<Self>(&self.id)
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        again::<Self>(state, facts, &self.id, &Filled::again(self, refusal)).await
    }
}

impl Act for DeleteAgent {
    const WORD: &'static str = "delete";
    const IS_DANGEROUS: bool = true;

    fn title(now: Locale) -> &'static str {
        td_string!(now, agents.delete)
    }

    fn forms(now: Locale, found: &AgentDetails, filled: &Filled<'_, Self>) -> AnyView {
        let name = Input {
            field: Field::ConfirmName,
            label: td_string!(now, agents.account),
            autocomplete: "off",
            value: filled.text(|form| &form.confirm_name, "").value,
            required: true,
            hint: Some(td_string!(
                now,
                agents.delete_hint,
                name = found.target.name.clone()
            )),
            refusal: filled.refusal,
        };
        act_form::<Self>(
            now,
            found,
            td_string!(now, agents.delete_text),
            td_string!(now, agents.delete),
            name.view(now),
        )
        .into_any()
    }
}
