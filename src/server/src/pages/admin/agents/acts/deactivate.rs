//! Switching an agent off.

use axum::response::Response;
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    call::{Call, list_again},
    functions::Done,
};
use vestibule_core::{limits::UNDO_SECONDS, paths::AGENTS, refusal::Refusal, rights::Action};
use vestibule_service::console::{AgentDetails, Chosen};
use vestibule_translations::{Locale, td_string, wait};

use super::{Act, act_form, address, again};
use crate::{
    form::{Filled, Form},
    http::facts::Facts,
    pages::admin::{agents::list::DEACTIVATED, told_reason},
    state::AppState,
};

/// Switches an agent off. The list, to which it leads, offers to undo it for a moment.
#[derive(Clone, Deserialize)]
pub struct DeactivateAgent {
    id: String,
    /// Why.
    #[serde(default)]
    reason: String,
}

impl Form for DeactivateAgent {
    const PATH: &'static str = "/admin/agents/switch-off";
    const ACTION: Action = Action::EditAgent;
    const OPENED: Option<&'static str> = Some(AGENTS);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        let chosen = Chosen::Ticked(vec![self.id]);
        let done = call
            .service
            .console()
            .deactivate_agents(chosen, &self.reason, &call.visitor)
            .await?;
        match done.not_changed.named.first() {
            Some((_, refusal)) => Err(refusal.clone()),
            None if done.changed + done.unchanged == 0 => Err(Refusal::NotFound),
            None => Ok(Done::to(list_again("", DEACTIVATED, &done).to)),
        }
    }

    fn page(&self) -> String {
        address::<Self>(&self.id)
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        again::<Self>(state, facts, &self.id, &Filled::again(self, refusal)).await
    }
}

impl Act for DeactivateAgent {
    const WORD: &'static str = "deactivate";
    const IS_DANGEROUS: bool = true;

    fn title(now: Locale) -> &'static str {
        td_string!(now, agents.deactivate)
    }

    fn forms(now: Locale, found: &AgentDetails, filled: &Filled<'_, Self>) -> AnyView {
        let seconds = u32::try_from(UNDO_SECONDS).unwrap_or_default();
        let text = td_string!(now, agents.deactivate_text, time = wait(now, seconds));
        let typed = filled.text(|form| &form.reason, "").value;
        let reason = told_reason(now, typed, filled.refusal);
        act_form::<Self>(now, found, text, td_string!(now, agents.deactivate), reason).into_any()
    }
}
