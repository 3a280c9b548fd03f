//! Another password for an agent, a link to choose one, or none at all.

use axum::response::Response;
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    call::{Call, agent_page},
    components::forms::{Input, action},
    functions::Done,
};
use vestibule_core::{
    paths::AGENTS,
    refusal::{Field, Refusal},
    rights::Action,
    secret::Password,
    sso::Provider,
};
use vestibule_service::console::{AgentDetails, NewPasswordInput};
use vestibule_translations::{Locale, list, td_string};

use super::{Act, HEADING, act_form, address, again};
use crate::{
    form::{Filled, Form},
    http::facts::Facts,
    state::AppState,
};

/// Sets a new password that the agent has to change at the next sign-in.
#[derive(Clone, Deserialize)]
pub struct SetPassword {
    id: String,
    new_password: Password,
    /// The same once more.
    confirm_password: Password,
}

impl Form for SetPassword {
    const PATH: &'static str = "/admin/agents/password";
    const ACTION: Action = Action::ResetPassword;
    const OPENED: Option<&'static str> = Some(AGENTS);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        let input = NewPasswordInput {
            new: self.new_password,
            confirm: self.confirm_password,
        };
        call.service
            .console()
            .reset_password(&self.id, input, &call.visitor)
            .await?;
        Ok(Done::to(agent_page(&self.id, "view?password_set").to))
    }

    fn page(&self) -> String {
        address::<Self>(&self.id)
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        again::<Self>(state, facts, &self.id, &Filled::again(self, refusal)).await
    }
}

impl Act for SetPassword {
    const WORD: &'static str = "password";

    fn title(now: Locale) -> &'static str {
        td_string!(now, agents.reset_password)
    }

    fn forms(now: Locale, found: &AgentDetails, filled: &Filled<'_, Self>) -> AnyView {
        let input = |field, label, hint| {
            Input {
                field,
                label,
                autocomplete: "new-password",
                value: String::new(),
                required: true,
                hint,
                refusal: filled.refusal,
            }
            .view(now)
        };
        let hint = td_string!(
            now,
            profile.password_hint,
            count = found.company.settings.password_min
        );
        let passwords = view! {
            {input(Field::NewPassword, td_string!(now, profile.new_password), Some(hint))}
            {input(Field::ConfirmPassword, td_string!(now, profile.confirm_password), None)}
        };
        let link = card(
            "reset-link",
            td_string!(now, agents.reset_link_title),
            td_string!(now, agents.reset_link_text).to_owned(),
            action(
                SendResetLink::PATH,
                td_string!(now, agents.send_reset_link),
                HEADING.to_owned(),
                Some(found.target.id.to_string()),
            ),
        );
        view! {
            {act_form::<
                Self,
            >(
                now,
                found,
                td_string!(now, agents.password_text),
                td_string!(now, agents.reset_password),
                passwords,
            )}
            {link}
            {removal(now, found)}
        }
        .into_any()
    }
}

/// Taking the password away, where the agent can sign in with a provider.
fn removal(now: Locale, found: &AgentDetails) -> Option<impl IntoView + use<>> {
    let offered = found.target.has_password && !found.providers.is_empty();
    offered.then(|| {
        card(
            "remove-password",
            td_string!(now, agents.remove_password_title),
            td_string!(
                now,
                agents.remove_password_intro,
                provider = names(now, &found.providers)
            ),
            action(
                RemovePassword::PATH,
                td_string!(now, agents.remove_password),
                HEADING.to_owned(),
                Some(found.target.id.to_string()),
            ),
        )
    })
}

fn card(id: &'static str, title: &'static str, text: String, button: impl IntoView) -> AnyView {
    view! {
        <section class="card" aria-labelledby=id>
            <h2 id=id>{title}</h2>
            <p class="quiet">{text}</p>
            <div class="card-end">{button}</div>
        </section>
    }
    .into_any()
}

/// The names of providers, as the language lists them.
pub fn names(now: Locale, providers: &[Provider]) -> String {
    let names: Vec<&str> = providers.iter().map(|provider| provider.name()).collect();
    list(now, &names)
}

/// Sends an agent a link to choose a new password.
#[derive(Clone, Deserialize)]
pub struct SendResetLink {
    id: String,
}

impl Form for SendResetLink {
    const PATH: &'static str = "/admin/agents/reset-link";
    const ACTION: Action = Action::ResetPassword;
    const OPENED: Option<&'static str> = Some(AGENTS);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service
            .console()
            .send_reset_link(&self.id, &call.visitor)
            .await?;
        Ok(Done::to(agent_page(&self.id, "view?link_sent").to))
    }

    fn page(&self) -> String {
        address::<SetPassword>(&self.id)
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        again::<SetPassword>(state, facts, &self.id, &Filled::refused(refusal)).await
    }
}

/// Takes the password away from an agent who signs in with a provider.
#[derive(Clone, Deserialize)]
pub struct RemovePassword {
    id: String,
}

impl Form for RemovePassword {
    const PATH: &'static str = "/admin/agents/remove-password";
    const ACTION: Action = Action::ResetPassword;
    const OPENED: Option<&'static str> = Some(AGENTS);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service
            .console()
            .remove_password(&self.id, &call.visitor)
            .await?;
        Ok(Done::to(agent_page(&self.id, "view?password_removed").to))
    }

    fn page(&self) -> String {
        address::<SetPassword>(&self.id)
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        again::<SetPassword>(state, facts, &self.id, &Filled::refused(refusal)).await
    }
}
