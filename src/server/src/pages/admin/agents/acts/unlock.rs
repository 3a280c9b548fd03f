//! Unlocking an agent.

use axum::response::Response;
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    call::{Call, agent_page},
    functions::Done,
};
use vestibule_core::{paths::AGENTS, refusal::Refusal, rights::Action};
use vestibule_service::console::AgentDetails;
use vestibule_translations::{Locale, td_string};

use super::{Act, act_form, address, again};
use crate::{
    form::{Filled, Form},
    http::facts::Facts,
    state::AppState,
};

/// Unlocks an agent.
#[derive(Clone, Deserialize)]
pub struct UnlockAgent {
    id: String,
}

impl Form for UnlockAgent {
    const PATH: &'static str = "/admin/agents/unlock";
    const ACTION: Action = Action::Unlock;
    const OPENED: Option<&'static str> = Some(AGENTS);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service
            .console()
            .unlock_agent(&self.id, &call.visitor)
            .await?;
        Ok(Done::to(agent_page(&self.id, "view?unlocked").to))
    }

    fn page(&self) -> String {
        address::<Self>(&self.id)
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        again::<Self>(state, facts, &self.id, &Filled::again(self, refusal)).await
    }
}

impl Act for UnlockAgent {
    const WORD: &'static str = "unlock";
    /// It shows nothing and takes one click: only the click asks for a proof.
    const SHOWN_TO: Action = Action::SeeAgents;

    fn title(now: Locale) -> &'static str {
        td_string!(now, agents.unlock)
    }

    fn forms(now: Locale, found: &AgentDetails, _filled: &Filled<'_, Self>) -> AnyView {
        let (text, button) = (
            td_string!(now, agents.unlock_text),
            td_string!(now, agents.unlock),
        );
        act_form::<Self>(now, found, text, button, ()).into_any()
    }
}
