//! `/agent`: the Agent Panel.

use axum::{extract::State, http::StatusCode, response::Response};
use leptos::prelude::*;
use url::Url;
use vestibule_app::{
    components::forms::few_backup_codes,
    page::{Content, Frame, Head, Sheet},
    shell::{
        console::{hero, who},
        site::site,
    },
};
use vestibule_core::{account::Role, oidc::application::Application, paths, rights::Action};
use vestibule_translations::{Locale, td_string};

use super::{
    common::{few_codes, signed_in},
    oauth::going::lead_to,
};
use crate::{
    form::{Routes, redirect_or_refuse},
    http::{
        answer::{see_other, show},
        facts::Facts,
    },
    state::AppState,
};

/// Landing page of agents.
pub fn routes(routes: Routes) -> Routes {
    routes
        .page(paths::AGENT, Action::OwnAccount, agent)
        .page(paths::AGENT_START, Action::OwnAccount, start)
}

async fn agent(State(state): State<AppState>, facts: Facts) -> Response {
    let signed_in = match signed_in(&state, &facts).await {
        Ok(signed_in) => signed_in,
        Err(response) => return *response,
    };
    let applications = match state.service.profile().applications(&facts.visitor).await {
        Ok(applications) => applications,
        Err(refusal) => return redirect_or_refuse(&refusal, &facts.path),
    };
    let page = AgentPanel {
        few_backup_codes: few_codes(&state, &facts, &signed_in).await,
        tiles: applications.into_iter().filter_map(Tile::of).collect(),
    };
    let page = facts.page_for(&state, &signed_in.company, &signed_in.account, page);
    show(StatusCode::OK, page)
}

/// Where agents go after a sign-in when the company has chosen an application: there, if this one may open it.
async fn start(State(state): State<AppState>, facts: Facts) -> Response {
    match state.service.profile().after_sign_in(&facts.visitor).await {
        Ok((signed_in, Some(application))) => match application.settings.launch_uri {
            Some(uri) => lead_to(&state, &facts, &signed_in, application.settings.name, uri),
            None => see_other(paths::AGENT),
        },
        Ok((_, None)) => see_other(paths::AGENT),
        Err(refusal) => redirect_or_refuse(&refusal, &facts.path),
    }
}

/// An application that can be opened.
struct Tile {
    name: String,
    /// Where it is, as people read it.
    host: String,
    /// Where it is opened.
    uri: String,
}

impl Tile {
    fn of(application: Application) -> Option<Self> {
        let uri = application.settings.launch_uri?;
        let host = Url::parse(&uri).ok()?.host_str()?.to_owned();
        Some(Self {
            name: application.settings.name,
            host,
            uri,
        })
    }
}

struct AgentPanel {
    /// How many backup codes are left, when there are so few that it has to be said.
    few_backup_codes: Option<usize>,
    /// The applications that this agent may open.
    tiles: Vec<Tile>,
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
                    {tiles(now, self.tiles)}
                    {console}
                    <div class="cards">{who(now, somebody)}</div>
                </main>
            }
        });
        site(frame, content)
    }
}

/// One link for each application.
fn tiles(now: Locale, tiles: Vec<Tile>) -> AnyView {
    if tiles.is_empty() {
        return ().into_any();
    }
    let links = tiles
        .into_iter()
        .map(|tile| {
            view! {
                <li>
                    <a class="tile" href=tile.uri>
                        <b>
                            <bdi>{tile.name}</bdi>
                        </b>
                        " "
                        <span class="quiet" dir="ltr">
                            {tile.host}
                        </span>
                    </a>
                </li>
            }
        })
        .collect_view();
    view! {
        <section aria-labelledby="applications">
            <h2 id="applications">{td_string!(now, applications.yours)}</h2>
            <ul class="tiles">{links}</ul>
        </section>
    }
    .into_any()
}
