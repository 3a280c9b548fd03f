//! Ending the sessions of an agent.

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
    pages::admin::told_reason,
    state::AppState,
};

/// Ends the sessions of an agent.
#[derive(Clone, Deserialize)]
pub struct EndAgentSessions {
    id: String,
    /// Why.
    #[serde(default)]
    reason: String,
}

impl Form for EndAgentSessions {
    const PATH: &'static str = "/admin/agents/end-sessions";
    const ACTION: Action = Action::EndSessions;
    const OPENED: Option<&'static str> = Some(AGENTS);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service
            .console()
            .end_agent_sessions(&self.id, &self.reason, &call.visitor)
            .await?;
        Ok(Done::to(agent_page(&self.id, "view?sessions_ended").to))
    }

    fn page(&self) -> String {
        address::<Self>(&self.id)
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        again::<Self>(state, facts, &self.id, &Filled::again(self, refusal)).await
    }
}

impl Act for EndAgentSessions {
    const WORD: &'static str = "end-sessions";
    const IS_DANGEROUS: bool = true;

    fn title(now: Locale) -> &'static str {
        td_string!(now, agents.end_sessions)
    }

    fn forms(now: Locale, found: &AgentDetails, filled: &Filled<'_, Self>) -> AnyView {
        let text = td_string!(now, agents.end_sessions_text, count = found.sessions);
        let typed = filled.text(|form| &form.reason, "").value;
        let reason = told_reason(now, typed, filled.refusal);
        act_form::<Self>(now, found, text, td_string!(now, agents.end_sessions), reason).into_any()
    }
}
