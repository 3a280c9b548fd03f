//! `/admin/sessions`: who is signed in to the company, and ending that.

use axum::{extract::State, response::Response};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    call::Call,
    components::forms::{good, labelled, moment, refused},
    functions::Done,
    page::{Content, Frame, Head, Sheet},
    shell::console::console_wide,
};
use vestibule_core::{paths::ADMIN_SESSIONS, refusal::Refusal, rights::Action};
use vestibule_service::console::SessionList;
use vestibule_storage::CompanySession;
use vestibule_translations::{Locale, browser_name, proof_name, td_string};

use super::{agents::agent_view, select_page, told_reason};
use crate::{
    form::{Filled, Form, Routes, redirect_or_refuse},
    http::{answer::show_form, facts::Facts, moments::Moments},
    state::AppState,
};

/// Id of the form with the boxes of the list.
const SELECTION: &str = "selection";

/// The sessions of the company.
pub fn routes(routes: Routes) -> Routes {
    routes
        .page(ADMIN_SESSIONS, Action::EndSessions, list)
        .form::<EndSessions>()
}

/// Ends sessions.
#[derive(Clone, Deserialize)]
pub struct EndSessions {
    #[serde(rename = "selected[]", default)]
    selected: Vec<String>,
    /// The one beside which the button stands that was pressed: it alone is meant, whatever is ticked.
    one: Option<String>,
    /// Why.
    #[serde(default)]
    reason: String,
}

impl EndSessions {
    /// Identifiers of the sessions that are meant.
    fn meant(&self) -> &[String] {
        match &self.one {
            Some(one) => std::slice::from_ref(one),
            None => &self.selected,
        }
    }
}

impl Form for EndSessions {
    const PATH: &'static str = "/admin/sessions/end";
    const ACTION: Action = Action::EndSessions;
    const OPENED: Option<&'static str> = Some(ADMIN_SESSIONS);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        let ended = call
            .service
            .console()
            .end_company_sessions(self.meant(), &self.reason, &call.visitor)
            .await?;
        Ok(Done::to(format!("{ADMIN_SESSIONS}?ended={ended}")))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        show_list(state, facts, &Filled::again(self, refusal)).await
    }
}

async fn list(State(state): State<AppState>, facts: Facts) -> Response {
    show_list(&state, &facts, &Filled::OPENED).await
}

async fn show_list(state: &AppState, facts: &Facts, filled: &Filled<'_, EndSessions>) -> Response {
    let refusal = filled.refusal;
    let before = facts.query("before").filter(|_| refusal.is_none());
    let found = state
        .service
        .console()
        .company_sessions(before.as_deref(), &facts.visitor)
        .await;
    let list = match found {
        Ok(list) => list,
        Err(refusal) => return redirect_or_refuse(&refusal, ADMIN_SESSIONS),
    };
    let (company, own) = (list.company.clone(), list.own.clone());
    let page = SessionsPage {
        list,
        is_later: before.is_some(),
        ended: facts
            .query("ended")
            .filter(|_| refusal.is_none())
            .and_then(|count| count.parse().ok()),
        ticked: filled
            .typed
            .map(|typed| typed.selected.clone())
            .unwrap_or_default(),
        reason: filled.text(|form| &form.reason, "").value,
        refusal: refusal.cloned(),
    };
    show_form(
        facts.page_at(state, &company, &own, ADMIN_SESSIONS, page),
        refusal,
    )
}

struct SessionsPage {
    list: SessionList,
    /// Whether this is not the first page.
    is_later: bool,
    /// How many sessions were just ended.
    ended: Option<usize>,
    /// Identifiers of the sessions that are ticked.
    ticked: Vec<String>,
    /// The reason, as it was typed.
    reason: String,
    /// Why none was ended.
    refusal: Option<Refusal>,
}

impl Content for SessionsPage {
    fn head(&self, now: Locale) -> Head {
        Head::new(
            td_string!(now, profile.sessions_title),
            &[Sheet::Account, Sheet::Console],
        )
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let signed_in = td_string!(now, console.sessions_intro, count = self.list.signed_in);
        let ended = self
            .ended
            .map(|count| good(td_string!(now, console.sessions_ended, count = count)));
        let moments = Moments::of(now, &self.list.company, &self.list.own);
        let content = view! {
            <h1>{td_string!(now, profile.sessions_title)}</h1>
            <p class="lead">{signed_in}</p>
            <p class="quiet">{moments.zone()}</p>
            {ended}
            {refused(now, self.refusal.as_ref(), true)}
            // Outside of what follows the sessions: nobody types in vain.
            <form
                id=SELECTION
                class="fields"
                method="post"
                action=EndSessions::PATH
                autocomplete="off"
                novalidate
            >
                {told_reason(now, self.reason.clone(), self.refusal.as_ref())}
            </form>
            <div class="found" id="sessions" data-refresh="">
                {table(now, &self, moments)}
            </div>
        };
        console_wide(frame, ADMIN_SESSIONS, content)
    }
}

fn table(now: Locale, page: &SessionsPage, moments: Moments) -> AnyView {
    let list = &page.list;
    let heads = [
        ("name", td_string!(now, agents.name)),
        ("col-account", td_string!(now, agents.account)),
        ("col-last", td_string!(now, profile.since)),
        ("col-created", td_string!(now, profile.last_used)),
        ("col-email", td_string!(now, company.from_where)),
        ("col-factor", td_string!(now, console.proved_with)),
    ]
    .map(|(class, label)| view! { <th scope="col" class=class>{label}</th> })
    .into_iter()
    .collect_view();
    let rows = list
        .sessions
        .iter()
        .map(|session| row(now, page, moments, session))
        .collect_view();
    let older = list.sessions.last().filter(|_| list.older).map(|last| {
        let href = format!("{ADMIN_SESSIONS}?before={}", last.id);
        view! {
            <a class="button small" href=href>
                {td_string!(now, agents.next_page)}
            </a>
        }
    });
    let first = page.is_later.then(|| {
        view! {
            <a class="button small" href=ADMIN_SESSIONS>
                {td_string!(now, agents.first_page)}
            </a>
        }
    });
    let selected = td_string!(now, console.selected_sessions);
    view! {
        <div class="bar">
            <div class="buttons selected" role="group" aria-label=selected>
                <span class="quiet">
                    {labelled(now, selected, view! { <b class="after-script" data-count="">"0"</b> })}
                </span>
                <button class="button small danger-line" form=SELECTION>
                    {td_string!(now, profile.end)}
                </button>
            </div>
        </div>
        <div class="table-scroll list-table" role="region" aria-label=td_string!(now, profile.sessions_title) tabindex="0">
            <table class="agents">
                <thead>
                    <tr>
                        {select_page(now)}
                        {heads}
                        <th scope="col" class="actions">
                            <span class="visually-hidden">{td_string!(now, agents.actions)}</span>
                        </th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        <nav class="buttons pages" aria-label=td_string!(now, agents.pages)>
            {first}
            {older}
        </nav>
    }
    .into_any()
}

fn row(now: Locale, page: &SessionsPage, moments: Moments, session: &CompanySession) -> AnyView {
    let id = session.id.to_string();
    let ticked = page.ticked.contains(&id);
    let own = session.id == page.list.this;
    let select = td_string!(now, agents.select_one, name = session.name.clone());
    let browser = session.browser.as_deref().map(|stored| browser_name(now, stored));
    let place: Vec<String> = session.address.iter().cloned().chain(browser).collect();
    let place = place.join(" · ");
    let title = place.clone();
    let end = if own {
        view! { <span class="state" data-on="">{td_string!(now, profile.this_session)}</span> }.into_any()
    } else {
        let end = td_string!(now, profile.end);
        let label = td_string!(now, common.labelled, label = end, value = &session.name);
        view! {
            // Of the form above, so that the reason that stands there goes along.
            <button
                class="button small danger-line"
                form=SELECTION
                name="one"
                value=id.clone()
                aria-label=label
            >
                {end}
            </button>
        }
        .into_any()
    };
    let tick = (!own).then(|| {
        view! {
            <input
                type="checkbox"
                form=SELECTION
                name="selected[]"
                value=id
                checked=ticked
                aria-label=select
            />
        }
    });
    view! {
        <tr>
            <td class="select">{tick}</td>
            <th scope="row" class="name" title=session.alias.clone()>
                <a href=agent_view(session.account)>
                    <bdi>{session.alias.clone()}</bdi>
                </a>
            </th>
            <td class="col-account" title=session.name.clone()>
                <bdi>{session.name.clone()}</bdi>
            </td>
            <td class="col-last">{moment(moments.write(session.created_at))}</td>
            <td class="col-created">{moment(moments.write(session.last_used_at))}</td>
            <td class="col-email" title=title>
                <bdi>{place}</bdi>
            </td>
            <td class="col-factor">{proof_name(now, session.proof.as_str())}</td>
            <td class="actions">{end}</td>
        </tr>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_button_of_a_row_means_its_session_alone() {
        let ticked = EndSessions {
            selected: vec!["a".to_owned(), "b".to_owned()],
            one: None,
            reason: String::new(),
        };
        assert_eq!(ticked.meant(), ["a", "b"]);
        let one = EndSessions {
            one: Some("c".to_owned()),
            ..ticked
        };
        assert_eq!(one.meant(), ["c"]);
    }
}
