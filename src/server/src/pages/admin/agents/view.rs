//! `/admin/agents/{id}/view`: looking at an agent.

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    call::{Call, agent_page},
    components::forms::{ask_to_disconnect, good, moment},
    functions::Done,
    page::{Content, Frame, Head, Sheet},
    shell::console::{console, fact},
    text::Sentence,
};
use vestibule_core::{
    account::Account, paths::AGENTS, ports::Moment, refusal::Refusal, rights::Action, sso::Provider,
};
use vestibule_service::console::AgentDetails;
use vestibule_translations::{Locale, from_tag, name, td_string};

use super::{
    acts::{self, SetPassword, address, again, names},
    row::{actions, factors, roles, state},
};
use crate::{
    form::{Filled, Form, redirect_or_refuse},
    http::{answer::show, facts::Facts, moments::Moments},
    pages::admin::audit::event_table,
    state::AppState,
};

/// Takes the account of a provider from an agent.
#[derive(Clone, Deserialize)]
pub struct DisconnectAgent {
    id: String,
    /// Word of the provider.
    provider: String,
}

impl Form for DisconnectAgent {
    const PATH: &'static str = "/admin/agents/disconnect";
    const ACTION: Action = Action::ResetPassword;
    const OPENED: Option<&'static str> = Some(AGENTS);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        let provider = Provider::from_word(&self.provider).ok_or(Refusal::Malformed)?;
        call.service
            .console()
            .disconnect_agent(&self.id, provider, &call.visitor)
            .await?;
        Ok(Done::to(agent_page(&self.id, "view?provider_disconnected").to))
    }

    fn page(&self) -> String {
        address::<SetPassword>(&self.id)
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        again::<SetPassword>(state, facts, &self.id, &Filled::refused(refusal)).await
    }
}

/// `/admin/agents/{id}/{page}`: looking, or what is done to an agent.
pub async fn page(
    State(state): State<AppState>,
    Path((id, page)): Path<(String, String)>,
    facts: Facts,
) -> Response {
    if page != "view" {
        return acts::open(&state, &facts, &id, &page).await;
    }
    let found = match state
        .service
        .console()
        .agent(Action::SeeAgents, &id, &facts.visitor)
        .await
    {
        Ok(found) => found,
        Err(refusal) => return redirect_or_refuse(&refusal, &facts.path),
    };
    let notice = NOTICES.into_iter().find(|(word, _)| facts.asks(word));
    let (company, own) = (found.company.clone(), found.own.clone());
    let page = ViewPage {
        list: facts.agents_list(&own),
        notice: notice.map(|(_, sentence)| sentence),
        found,
    };
    show(StatusCode::OK, facts.page_for(&state, &company, &own, page))
}

/// What went well before an agent was shown, by the word in the address.
const NOTICES: [(&str, Sentence); 8] = [
    ("added", |now| td_string!(now, agents.added)),
    ("password_set", |now| td_string!(now, agents.password_set)),
    ("password_removed", |now| td_string!(now, agents.password_removed)),
    ("provider_disconnected", |now| {
        td_string!(now, agents.provider_disconnected)
    }),
    ("link_sent", |now| td_string!(now, agents.link_sent)),
    ("details_sent", |now| td_string!(now, agents.details_sent)),
    ("unlocked", |now| td_string!(now, agents.unlocked)),
    ("sessions_ended", |now| td_string!(now, agents.sessions_ended)),
];

struct ViewPage {
    found: AgentDetails,
    /// The list that one comes from.
    list: String,
    notice: Option<Sentence>,
}

impl Content for ViewPage {
    fn head(&self, now: Locale) -> Head {
        let alias = self.found.target.person.alias.as_str();
        let title = [alias, " · ", td_string!(now, agents.title)].concat();
        Head::new(title, &[Sheet::Account, Sheet::Console])
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let AgentDetails {
            company,
            own,
            target,
            may,
            identities,
            events,
            ..
        } = &self.found;
        let moments = Moments::of(now, company, own);
        let identities = (!identities.is_empty() && may.contains(&Action::ResetPassword))
            .then(|| connected(now, &self.found));
        let events = may.contains(&Action::SeeAudit).then(|| {
            view! {
                <section class="card" aria-labelledby="events">
                    <h2 id="events">{td_string!(now, agents.events)}</h2>
                    {event_table(now, moments, events.clone())}
                </section>
            }
        });
        let locked = target.locked_at.map(|at| moments.write(at));
        let content = view! {
            <p class="back">
                <a href=self.list>{td_string!(now, agents.title)}</a>
            </p>
            <h1>
                <bdi>{target.person.alias.clone()}</bdi>
            </h1>
            {self.notice.map(|sentence| good(sentence(now)))}
            <p>{state(now, target, locked)}</p>
            <nav aria-label=td_string!(now, agents.actions_of, name = target.name.clone())>
                <ul class="buttons acts">{actions(now, own, target, false)}</ul>
            </nav>
            {identities}
            {facts(now, moments, &self.found)}
            {events}
        };
        console(frame, AGENTS, None, content)
    }
}

/// The accounts of providers that are connected, for whoever may disconnect them.
fn connected(now: Locale, found: &AgentDetails) -> AnyView {
    let id = found.target.id.to_string();
    let rows = found
        .identities
        .iter()
        .map(|identity| {
            let heading = ["row-", identity.provider.as_str()].concat();
            let button = ask_to_disconnect(
                now,
                DisconnectAgent::PATH,
                td_string!(now, sso.agent_disconnect_confirm),
                identity.provider,
                heading.clone(),
                Some(id.clone()),
            );
            view! {
                <li class="row">
                    <div class="row-text">
                        <h3 id=heading>{identity.provider.name()}</h3>
                        <p class="quiet">
                            <bdi>{identity.shown.clone()}</bdi>
                        </p>
                    </div>
                    <div class="buttons">{button}</div>
                </li>
            }
        })
        .collect_view();
    view! {
        <section class="card" aria-labelledby="sso">
            <h2 id="sso">{td_string!(now, profile.sso_title)}</h2>
            <ul class="rows">{rows}</ul>
        </section>
    }
    .into_any()
}

/// How the agent signs in, besides by password.
fn sign_in_by(now: Locale, found: &AgentDetails) -> Option<String> {
    let provider = names(now, &found.providers);
    if provider.is_empty() {
        None
    } else if found.target.has_password {
        Some(td_string!(now, agents.by_provider_too, provider = provider))
    } else {
        Some(td_string!(now, agents.by_provider_only, provider = provider))
    }
}

fn facts(now: Locale, moments: Moments, found: &AgentDetails) -> AnyView {
    let target: &Account = &found.target;
    let language = target
        .person
        .language
        .as_deref()
        .and_then(from_tag)
        .map_or_else(|| td_string!(now, agents.language_of_company), name);
    let text = |label, value: &str| (!value.is_empty()).then(|| fact(label, value.to_owned()));
    let time = |label: &'static str, at: Moment| {
        view! {
            <div>
                <dt>{label}</dt>
                <dd>{moment(moments.write(at))}</dd>
            </div>
        }
    };
    let waiting = target.pending_email.as_ref().map(|pending| {
        let since = moments.write(pending.since).shown;
        td_string!(
            now,
            agents.pending_email,
            email = pending.address.clone(),
            when = since
        )
    });
    let waits_for_password = target
        .awaits_password()
        .then(|| view! { <p class="notice caution">{td_string!(now, agents.waits_for_password)}</p> });
    view! {
        <section class="card" aria-labelledby="facts">
            <h2 id="facts">{td_string!(now, agents.facts)}</h2>
            {waiting.map(|sentence| view! { <p class="notice caution">{sentence}</p> })}
            {waits_for_password}
            <p class="quiet">{moments.zone()}</p>
            <dl class="facts">
                {fact(td_string!(now, agents.account), target.name.clone())}
                {fact(td_string!(now, agents.email), target.email.clone())}
                {text(td_string!(now, profile.first_name), &target.person.first_name)}
                {text(td_string!(now, profile.last_name), &target.person.last_name)}
                {text(td_string!(now, profile.phone), &target.person.phone)}
                {text(td_string!(now, profile.job_title), &target.person.title)}
                {fact(td_string!(now, agents.roles), roles(now, &target.roles))}
                {fact(td_string!(now, common.language), language.to_owned())}
                {sign_in_by(now, found).map(|sentence| fact(td_string!(now, agents.sign_in_by), sentence))}
                {fact(td_string!(now, agents.factor), factors(now, target))}
                {found.backup_codes_left.map(|left| fact(td_string!(now, agents.backup_codes_left), left.to_string()))}
                {found.issued_code_until.map(|until| time(td_string!(now, agents.issued_until), until))}
                {fact(td_string!(now, agents.wrong_codes), target.wrong_codes.to_string())}
                {fact(td_string!(now, agents.sessions), found.sessions.to_string())}
                {fact(td_string!(now, agents.trusted_browsers), found.trusted_browsers.to_string())}
                {target.last_sign_in_at.map(|at| time(td_string!(now, agents.last_sign_in), at))}
                {time(td_string!(now, agents.created), target.created_at)}
            </dl>
        </section>
    }.into_any()
}
