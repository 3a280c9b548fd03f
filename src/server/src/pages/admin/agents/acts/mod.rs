//! `/admin/agents/{id}/…`: what is done to one agent. Each has a page that says what it does, and asks for what it needs.

mod backup_code;
mod deactivate;
mod delete;
mod end_sessions;
mod password;
mod send_details;
mod unlock;

use axum::response::{IntoResponse, Response};
use leptos::prelude::*;
use vestibule_app::{
    components::forms::refused,
    page::{Content, Frame, Head, Sheet},
    shell::console::console,
};
use vestibule_core::{paths, refusal::Refusal, rights::Action};
use vestibule_service::console::AgentDetails;
use vestibule_translations::{Locale, td_string};

use crate::{
    form::{Filled, Form, Routes, redirect_or_refuse},
    http::{answer::show_form, denied::Denied, facts::Facts},
    state::AppState,
};

pub use self::password::names;
pub use self::{
    backup_code::IssueBackupCode, deactivate::DeactivateAgent, delete::DeleteAgent,
    end_sessions::EndAgentSessions, password::SetPassword, send_details::SendAccountDetails,
    unlock::UnlockAgent,
};

/// Id of the page's heading.
const HEADING: &str = "heading";

/// The forms of these pages.
pub fn routes(routes: Routes) -> Routes {
    routes
        .form::<DeactivateAgent>()
        .form::<DeleteAgent>()
        .form::<SetPassword>()
        .form::<password::SendResetLink>()
        .form::<password::RemovePassword>()
        .form::<SendAccountDetails>()
        .form::<IssueBackupCode>()
        .form::<backup_code::CodeHandedOn>()
        .form::<UnlockAgent>()
        .form::<EndAgentSessions>()
}

/// Something that is done to an agent on a page of its own: the form of that page.
pub trait Act: Form {
    /// The last part of the page's address.
    const WORD: &'static str;

    /// Whether it takes something away that does not come back by itself: then its button looks like it.
    const IS_DANGEROUS: bool = false;

    /// Who may look at the page.
    const SHOWN_TO: Action = Self::ACTION;

    /// What it is called.
    fn title(now: Locale) -> &'static str;

    /// What it does, and its forms.
    fn forms(now: Locale, found: &AgentDetails, filled: &Filled<'_, Self>) -> AnyView;
}

/// The page of an act upon this agent.
pub fn address<A: Act>(id: &str) -> String {
    [paths::AGENTS, "/", id, "/", A::WORD].concat()
}

/// Opens the page with this last part of its address.
pub async fn open(state: &AppState, facts: &Facts, id: &str, word: &str) -> Response {
    match word {
        backup_code::ISSUED => backup_code::issued(state, facts, id).await,
        DeactivateAgent::WORD => opened::<DeactivateAgent>(state, facts, id).await,
        DeleteAgent::WORD => opened::<DeleteAgent>(state, facts, id).await,
        SetPassword::WORD => opened::<SetPassword>(state, facts, id).await,
        SendAccountDetails::WORD => opened::<SendAccountDetails>(state, facts, id).await,
        IssueBackupCode::WORD => opened::<IssueBackupCode>(state, facts, id).await,
        UnlockAgent::WORD => opened::<UnlockAgent>(state, facts, id).await,
        EndAgentSessions::WORD => opened::<EndAgentSessions>(state, facts, id).await,
        _ => Denied::from(Refusal::NotFound).into_response(),
    }
}

async fn opened<A: Act>(state: &AppState, facts: &Facts, id: &str) -> Response {
    match state
        .service
        .console()
        .agent(A::SHOWN_TO, id, &facts.visitor)
        .await
    {
        Ok(found) => show_act::<A>(state, facts, &found, &Filled::OPENED),
        Err(refusal) => redirect_or_refuse(&refusal, &facts.path),
    }
}

/// The page again, after a form on it was refused.
pub async fn again<A: Act>(state: &AppState, facts: &Facts, id: &str, filled: &Filled<'_, A>) -> Response {
    match state
        .service
        .console()
        .agent(A::SHOWN_TO, id, &facts.visitor)
        .await
    {
        Ok(found) => show_act::<A>(state, facts, &found, filled),
        Err(refusal) => redirect_or_refuse(&refusal, paths::AGENTS),
    }
}

fn show_act<A: Act>(
    state: &AppState,
    facts: &Facts,
    found: &AgentDetails,
    filled: &Filled<'_, A>,
) -> Response {
    let now = facts.locale(
        found.own.person.language.as_deref(),
        Some(&found.company.settings.language),
    );
    let offered = found.may.contains(&A::ACTION);
    let own_account = Refusal::OwnAccount;
    let page = ActPage {
        title: A::title(now),
        id: found.target.id.to_string(),
        alias: found.target.person.alias.clone(),
        account: found.target.name.clone(),
        refusal: filled.refusal.cloned().or((!offered).then_some(own_account)),
        forms: offered.then(|| A::forms(now, found, filled)),
    };
    let path = address::<A>(&found.target.id.to_string());
    show_form(
        facts.page_at(state, &found.company, &found.own, path, page),
        filled.refusal,
    )
}

/// The page of an act.
struct ActPage {
    title: &'static str,
    id: String,
    alias: String,
    account: String,
    refusal: Option<Refusal>,
    /// `None` when it may not be done to this account: then the page says why.
    forms: Option<AnyView>,
}

impl Content for ActPage {
    fn head(&self, now: Locale) -> Head {
        let title = td_string!(now, common.labelled, label = self.title, value = &self.alias);
        Head::new(title, &[Sheet::Account, Sheet::Console])
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let content = view! {
            <p class="back">
                <a href=view_of(&self.id)>
                    <bdi>{self.alias.clone()}</bdi>
                </a>
            </p>
            <h1 id=HEADING>{self.title}</h1>
            <p class="lead">
                <bdi>{self.alias}</bdi>
                " "
                <bdi class="quiet">{self.account}</bdi>
            </p>
            {refused(now, self.refusal.as_ref(), true)}
            {self.forms}
        };
        console(frame, paths::AGENTS, None, content)
    }
}

/// Where the agent is looked at.
fn view_of(id: &str) -> String {
    [paths::AGENTS, "/", id, "/view"].concat()
}

/// What it does, its inputs, and the button that does it.
fn act_form<A: Act>(
    now: Locale,
    found: &AgentDetails,
    text: impl IntoView,
    button: &'static str,
    inputs: impl IntoView,
) -> AnyView {
    let id = found.target.id.to_string();
    let class = if A::IS_DANGEROUS {
        "button danger"
    } else {
        "button primary"
    };
    view! {
        <p>{text}</p>
        <form class="fields" method="post" action=A::PATH novalidate>
            <input type="hidden" name="id" value=id.clone() />
            {inputs}
            <div class="buttons">
                <button class=class aria-describedby=HEADING>
                    {button}
                </button>
                <a class="button" href=view_of(&id)>
                    {td_string!(now, common.cancel)}
                </a>
            </div>
        </form>
    }
    .into_any()
}
