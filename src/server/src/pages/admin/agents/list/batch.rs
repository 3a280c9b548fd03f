//! What is done to several agents at once: to those that were ticked, or to all that the list finds.

use std::marker::PhantomData;

use axum::response::Response;
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    call::{Call, list_again, list_with},
    components::forms::refused,
    functions::Done,
    page::{Content, Frame, Head, Sheet},
    shell::console::console,
};
use vestibule_core::{
    account::Account, limits::UNDO_SECONDS, paths::AGENTS, refusal::Refusal, rights::Action,
};
use vestibule_service::console::{Chosen, ChosenAgents, Selected};
use vestibule_translations::{Locale, td_string, wait};

use super::{
    CHANGED, DEACTIVATED, Ticks,
    query::{filter_of, list_at},
    show_list, show_ticked,
};
use crate::{
    form::{Form, redirect_or_refuse},
    http::{answer::show_form, facts::Facts},
    pages::admin::told_reason,
    state::AppState,
};

/// Something that is done to several agents.
pub trait Batch: Clone + Send + Sync + 'static {
    /// Where it is posted to.
    const PATH: &'static str;
    /// What it does.
    const ACTION: Action;

    /// Does it to those who were chosen.
    fn run(chosen: Chosen, call: &Call) -> impl Future<Output = Result<Selected, Refusal>> + Send;
}

/// The agents that were ticked, or all that were found, and the list that they stand in.
#[derive(Clone, Deserialize)]
#[serde(bound = "")]
pub struct Selection<B: Batch> {
    #[serde(rename = "selected[]", default)]
    selected: Vec<String>,
    /// Whether all that the list finds are meant, ticked or not.
    all: Option<String>,
    /// How many the list found when it was shown.
    counted: Option<String>,
    /// Query of the list.
    back: String,
    #[serde(skip)]
    batch: PhantomData<B>,
}

/// Those that are meant. Without a number that can be read nobody was told how many all are.
fn chosen(ticks: Ticks<'_>, counted: Option<&str>, back: &str) -> Chosen {
    if ticks.all {
        Chosen::Found {
            filter: filter_of(back),
            counted: counted.and_then(|counted| counted.parse().ok()),
        }
    } else {
        Chosen::Ticked(ticks.selected.to_vec())
    }
}

impl<B: Batch> Form for Selection<B> {
    const PATH: &'static str = B::PATH;
    const ACTION: Action = B::ACTION;
    const OPENED: Option<&'static str> = Some(AGENTS);
    const KEPT: bool = true;

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        let chosen = chosen(self.ticks(), self.counted.as_deref(), &self.back);
        let done = B::run(chosen, call).await?;
        Ok(Done::to(list_again(&self.back, CHANGED, &done).to))
    }

    fn page(&self) -> String {
        list_at(&self.back)
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        show_ticked(state, facts, filter_of(&self.back), self.ticks(), refusal).await
    }
}

impl<B: Batch> Selection<B> {
    fn ticks(&self) -> Ticks<'_> {
        Ticks {
            selected: &self.selected,
            all: self.all.is_some(),
        }
    }
}

/// Switches them on.
#[derive(Clone)]
pub struct Activate;

impl Batch for Activate {
    const PATH: &'static str = "/admin/agents/activate";
    const ACTION: Action = Action::ActivateAgents;

    async fn run(chosen: Chosen, call: &Call) -> Result<Selected, Refusal> {
        call.service
            .console()
            .activate_agents(chosen, &call.visitor)
            .await
    }
}

/// Unlocks them.
#[derive(Clone)]
pub struct Unlock;

impl Batch for Unlock {
    const PATH: &'static str = "/admin/agents/unlock-selected";
    const ACTION: Action = Action::Unlock;

    async fn run(chosen: Chosen, call: &Call) -> Result<Selected, Refusal> {
        call.service.console().unlock_agents(chosen, &call.visitor).await
    }
}

/// Asks once before they are switched off: who they are, and how many.
#[derive(Clone, Deserialize)]
pub struct AskToDeactivate {
    #[serde(rename = "selected[]", default)]
    selected: Vec<String>,
    all: Option<String>,
    counted: Option<String>,
    back: String,
}

impl AskToDeactivate {
    fn ticks(&self) -> Ticks<'_> {
        Ticks {
            selected: &self.selected,
            all: self.all.is_some(),
        }
    }

    fn chosen(&self) -> Chosen {
        chosen(self.ticks(), self.counted.as_deref(), &self.back)
    }
}

impl Form for AskToDeactivate {
    const PATH: &'static str = "/admin/agents/deactivate/ask";
    const ACTION: Action = Action::EditAgent;
    const OPENED: Option<&'static str> = Some(AGENTS);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service
            .console()
            .chosen_agents(Self::ACTION, &self.chosen(), &call.visitor)
            .await?;
        Ok(Done::to(list_at(&self.back)))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        show_ticked(state, facts, filter_of(&self.back), self.ticks(), refusal).await
    }

    async fn done(&self, state: &AppState, facts: &Facts, _done: Done) -> Response {
        ask(state, facts, self, "", None).await
    }
}

/// The question, with the reason as it was typed.
async fn ask(
    state: &AppState,
    facts: &Facts,
    asked: &AskToDeactivate,
    reason: &str,
    refusal: Option<&Refusal>,
) -> Response {
    let found = state
        .service
        .console()
        .chosen_agents(AskToDeactivate::ACTION, &asked.chosen(), &facts.visitor)
        .await;
    match found {
        Ok(found) => {
            let (company, own) = (found.company.clone(), found.own.clone());
            let list = list_at(&asked.back);
            let page = AskPage {
                asked: asked.clone(),
                list: list.clone(),
                found,
                reason: reason.to_owned(),
                refusal: refusal.cloned(),
            };
            show_form(facts.page_at(state, &company, &own, list, page), refusal)
        }
        Err(refusal) => redirect_or_refuse(&refusal, AGENTS),
    }
}

/// Switches them off, after the question.
#[derive(Clone, Deserialize)]
pub struct Deactivate {
    #[serde(rename = "selected[]", default)]
    selected: Vec<String>,
    all: Option<String>,
    counted: Option<String>,
    back: String,
    /// Why.
    #[serde(default)]
    reason: String,
}

impl Deactivate {
    fn asked(&self) -> AskToDeactivate {
        AskToDeactivate {
            selected: self.selected.clone(),
            all: self.all.clone(),
            counted: self.counted.clone(),
            back: self.back.clone(),
        }
    }
}

impl Form for Deactivate {
    const PATH: &'static str = "/admin/agents/deactivate";
    const ACTION: Action = Action::EditAgent;
    const OPENED: Option<&'static str> = Some(AGENTS);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        let done = call
            .service
            .console()
            .deactivate_agents(self.asked().chosen(), &self.reason, &call.visitor)
            .await?;
        Ok(Done::to(list_again(&self.back, DEACTIVATED, &done).to))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        let asked = self.asked();
        match refusal {
            Some(Refusal::Invalid { .. }) => ask(state, facts, &asked, &self.reason, refusal).await,
            _ => show_ticked(state, facts, filter_of(&self.back), asked.ticks(), refusal).await,
        }
    }
}

/// Switches those on again who were switched off just now.
#[derive(Clone, Deserialize)]
pub struct UndoDeactivation {
    /// Query of the list.
    back: String,
}

impl Form for UndoDeactivation {
    const PATH: &'static str = "/admin/agents/deactivate/undo";
    const ACTION: Action = Action::EditAgent;
    const OPENED: Option<&'static str> = Some(AGENTS);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        let undone = call.service.console().undo_deactivation(&call.visitor).await?;
        let word = match undone {
            Some(undone) => format!("undone={}", undone.changed),
            None => "undo_over".to_owned(),
        };
        Ok(Done::to(list_with(&self.back, &word).to))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        show_list(state, facts, filter_of(&self.back), refusal).await
    }
}

/// The question before agents are switched off.
struct AskPage {
    asked: AskToDeactivate,
    /// The list that they stand in.
    list: String,
    found: ChosenAgents,
    /// The reason, as it was typed.
    reason: String,
    /// Why the reason was refused.
    refusal: Option<Refusal>,
}

impl Content for AskPage {
    fn head(&self, now: Locale) -> Head {
        Head::new(
            td_string!(now, agents.deactivate_ask, count = self.found.count),
            &[Sheet::Account, Sheet::Console],
        )
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let Self {
            asked,
            list,
            found,
            reason,
            refusal,
        } = self;
        let names = found.first.iter().map(named).collect_view();
        let more = found.count.saturating_sub(found.first.len());
        let more = (more > 0).then(|| {
            view! { <li>{td_string!(now, agents.and_more, count = more)}</li> }
        });
        let selected = asked
            .selected
            .iter()
            .map(|id| view! { <input type="hidden" name="selected[]" value=id.clone() /> })
            .collect_view();
        let all = asked
            .all
            .map(|_| view! { <input type="hidden" name="all" value="yes" /> });
        let counted = asked
            .counted
            .map(|counted| view! { <input type="hidden" name="counted" value=counted /> });
        let seconds = u32::try_from(UNDO_SECONDS).unwrap_or_default();
        let content = view! {
            <p class="back">
                <a href=list.clone()>{td_string!(now, agents.title)}</a>
            </p>
            <h1 id="heading">{td_string!(now, agents.deactivate_ask, count = found.count)}</h1>
            <p class="lead">{td_string!(now, agents.deactivate_text, time = wait(now, seconds))}</p>
            {refused(now, refusal.as_ref(), true)}
            <ul class="card named">{names} {more}</ul>
            <form class="fields" method="post" action=Deactivate::PATH novalidate>
                {selected}
                {all}
                {counted}
                <input type="hidden" name="back" value=asked.back />
                {told_reason(now, reason, refusal.as_ref())}
                <div class="buttons">
                    <button class="button danger" aria-describedby="heading">
                        {td_string!(now, agents.deactivate)}
                    </button>
                    <a class="button" href=list>
                        {td_string!(now, common.cancel)}
                    </a>
                </div>
            </form>
        };
        console(frame, AGENTS, None, content)
    }
}

fn named(account: &Account) -> AnyView {
    view! {
        <li>
            <bdi>{account.person.alias.clone()}</bdi>
            " "
            <bdi class="quiet">{account.name.clone()}</bdi>
        </li>
    }
    .into_any()
}
