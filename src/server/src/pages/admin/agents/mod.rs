//! `/admin/agents`: the list of agents, one agent, and what is done to them.

mod acts;
mod edit;
mod import;
mod list;
mod row;
mod view;

use vestibule_core::{id::AccountId, paths, rights::Action};

use self::{
    edit::{AddAgent, CancelEmailChange, EditAgent, ResendEmailChange},
    list::{Activate, AskToDeactivate, ChooseColumns, Deactivate, Selection, UndoDeactivation, Unlock},
    view::DisconnectAgent,
};
use crate::form::Routes;

/// Where agents are unlocked, one or several, with the list to come back to.
pub const UNLOCK_SELECTED: &str = <Unlock as list::Batch>::PATH;

/// Where an agent is looked at.
pub fn agent_view(id: AccountId) -> String {
    row::page_of(&id.to_string(), "view")
}

/// Pages and forms about agents.
pub fn routes(routes: Routes) -> Routes {
    routes
        .page(paths::AGENTS, Action::SeeAgents, list::list)
        .page(paths::AGENTS_EXPORT, Action::ExportAgents, list::export)
        .form::<Selection<Activate>>()
        .form::<AskToDeactivate>()
        .form::<Deactivate>()
        .form::<UndoDeactivation>()
        .form::<ChooseColumns>()
        .form::<Selection<Unlock>>()
        .page(paths::AGENTS_NEW, Action::AddAgent, edit::new)
        .form::<AddAgent>()
        .page("/admin/agents/{id}", Action::SeeAgents, edit::edit)
        .form::<EditAgent>()
        .form::<ResendEmailChange>()
        .form::<CancelEmailChange>()
        .page("/admin/agents/{id}/{page}", Action::SeeAgents, view::page)
        .form::<DisconnectAgent>()
        .room(acts::routes)
        .room(import::routes)
}
