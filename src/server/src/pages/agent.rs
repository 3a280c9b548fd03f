//! `/agent`: the Agent Panel.

use axum::{extract::State, http::StatusCode, response::Response};
use leptos::prelude::*;
use vestibule_app::{
    components::forms::few_backup_codes,
    page::{Content, Frame, Head, Sheet},
    shell::{
        console::{hero, who},
        site::site,
    },
};
use vestibule_core::{account::Role, paths, rights::Action};
use vestibule_translations::{Locale, td_string};

use super::common::{few_codes, signed_in};
use crate::{
    form::Routes,
    http::{answer::show, facts::Facts},
    state::AppState,
};

/// Landing page of agents.
pub fn routes(routes: Routes) -> Routes {
    routes.page(paths::AGENT, Action::OwnAccount, agent)
}

async fn agent(State(state): State<AppState>, facts: Facts) -> Response {
    let signed_in = match signed_in(&state, &facts).await {
        Ok(signed_in) => signed_in,
        Err(response) => return *response,
    };
    let page = AgentPanel {
        few_backup_codes: few_codes(&state, &facts, &signed_in).await,
    };
    let page = facts.page_for(&state, &signed_in.company, &signed_in.account, page);
    show(StatusCode::OK, page)
}

struct AgentPanel {
    /// How many backup codes are left, when there are so few that it has to be said.
    few_backup_codes: Option<usize>,
}

impl Content for AgentPanel {
    fn head(&self, now: Locale) -> Head {
        Head::new(td_string!(now, console.agent_title), &[Sheet::Account])
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let content = frame.signed_in.clone().map(|somebody| {
            let welcome = td_string!(now, console.agent_welcome, name = somebody.alias.clone());
            let intro = td_string!(now, console.agent_intro, company = somebody.company.clone());
            let console = (somebody.role > Role::Agent).then(|| {
                view! {
                    <p class="card-end">
                        <a class="button primary" href=paths::AGENTS>
                            {td_string!(now, console.open)}
                        </a>
                    </p>
                }
            });
            view! {
                <main id="content" tabindex="-1">
                    {hero(Some(welcome), td_string!(now, console.agent_title).to_owned(), intro)}
                    {few_backup_codes(now, self.few_backup_codes)}
                    {console}
                    <div class="cards">{who(now, somebody)}</div>
                </main>
            }
        });
        site(frame, content)
    }
}
