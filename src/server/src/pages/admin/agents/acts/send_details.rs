//! Telling a new agent once more how to sign in.

use axum::response::Response;
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    call::{Call, agent_page},
    functions::Done,
};
use vestibule_core::{company::NewAgentMail, paths::AGENTS, refusal::Refusal, rights::Action};
use vestibule_service::console::AgentDetails;
use vestibule_translations::{Locale, td_string};

use super::{Act, act_form, address, again};
use crate::{
    form::{Filled, Form},
    http::facts::Facts,
    state::AppState,
};

/// Sends the mail that tells a new agent how to sign in once more.
#[derive(Clone, Deserialize)]
pub struct SendAccountDetails {
    id: String,
}

impl Form for SendAccountDetails {
    const PATH: &'static str = "/admin/agents/send-details";
    const ACTION: Action = Action::SendAccountDetails;
    const OPENED: Option<&'static str> = Some(AGENTS);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service
            .console()
            .send_account_details(&self.id, &call.visitor)
            .await?;
        Ok(Done::to(agent_page(&self.id, "view?details_sent").to))
    }

    fn page(&self) -> String {
        address::<Self>(&self.id)
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        again::<Self>(state, facts, &self.id, &Filled::again(self, refusal)).await
    }
}

impl Act for SendAccountDetails {
    const WORD: &'static str = "send-details";

    fn title(now: Locale) -> &'static str {
        td_string!(now, agents.send_again)
    }

    fn forms(now: Locale, found: &AgentDetails, _filled: &Filled<'_, Self>) -> AnyView {
        let text = match found.company.settings.new_agent_mail {
            NewAgentMail::ActivationLink => td_string!(now, agents.send_again_link),
            NewAgentMail::AccountDetails => td_string!(now, agents.send_again_details),
        };
        act_form::<Self>(now, found, text, td_string!(now, agents.send_again), ()).into_any()
    }
}
