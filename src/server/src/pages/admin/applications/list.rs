//! `/admin/applications`

use axum::{extract::State, response::Response};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    call::Call,
    components::{
        fields::{choice, why},
        forms::{good, moment},
    },
    functions::Done,
    page::{Content, Frame, Head, Sheet, Typed, When},
    shell::console::console,
};
use vestibule_core::{
    company::Company,
    oidc::application::Application,
    paths::{ADMIN_APPLICATIONS, ADMIN_APPLICATIONS_NEW},
    refusal::Refusal,
    rights::Action,
};
use vestibule_service::applications::ApplicationList;
use vestibule_translations::{Locale, td_string};

use super::{edit::kind_name, page_of};
use crate::{
    form::{Filled, Form, redirect_or_refuse},
    http::{answer::show_form, facts::Facts, moments::Moments},
    state::AppState,
};

/// Saves where agents go after a sign-in.
#[derive(Clone, Deserialize)]
pub struct SaveAfterSignIn {
    /// Version of the company that the page showed.
    version: i64,
    /// Identifier of an application; empty = the Agent Panel.
    after_sign_in: String,
}

impl Form for SaveAfterSignIn {
    const PATH: &'static str = ADMIN_APPLICATIONS;
    const ACTION: Action = Action::ChangeCompany;

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service
            .console()
            .save_after_sign_in(self.version, &self.after_sign_in, &call.visitor)
            .await?;
        Ok(Done::to(format!("{ADMIN_APPLICATIONS}?saved")))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        open(state, facts, &Filled::again(self, refusal)).await
    }
}

pub async fn list(State(state): State<AppState>, facts: Facts) -> Response {
    open(&state, &facts, &Filled::OPENED).await
}

async fn open(state: &AppState, facts: &Facts, form: &Filled<'_, SaveAfterSignIn>) -> Response {
    let ApplicationList {
        company,
        own,
        applications,
        of_installation,
    } = match state.service.console().applications(&facts.visitor).await {
        Ok(found) => found,
        Err(refusal) => return redirect_or_refuse(&refusal, ADMIN_APPLICATIONS),
    };
    let moments = Moments::of(facts.locale_for(&company, &own), &company, &own);
    let to_open = applications.iter().chain(&of_installation);
    let offered = to_open
        .filter(|application| application.can_be_opened_in(company.id))
        .map(|application| (application.id.to_string(), application.settings.name.clone()))
        .collect();
    let saved = |word: &str| form.is_opened() && facts.asks(word);
    let page = ListPage {
        after_sign_in: form.text(|form| &form.after_sign_in, &chosen(&company)),
        version: form.version(form.typed.map(|form| form.version), company.version),
        offered,
        own: applications
            .iter()
            .map(|found| Entry::of(found, moments))
            .collect(),
        of_installation: of_installation
            .iter()
            .map(|found| Entry::of(found, moments))
            .collect(),
        saved: saved("saved"),
        deleted: saved("deleted"),
        refusal: form.refusal.cloned(),
    };
    show_form(
        facts.page_at(state, &company, &own, ADMIN_APPLICATIONS, page),
        form.refusal,
    )
}

/// Where agents go now, as the form says it.
fn chosen(company: &Company) -> String {
    company
        .settings
        .after_sign_in
        .map(|id| id.to_string())
        .unwrap_or_default()
}

/// An application in the list.
struct Entry {
    application: Application,
    last_used: Option<When>,
}

impl Entry {
    fn of(application: &Application, moments: Moments) -> Self {
        Self {
            application: application.clone(),
            last_used: application.last_used_at.map(|at| moments.write(at)),
        }
    }
}

struct ListPage {
    /// Version of the company that is saved over.
    version: i64,
    /// Identifier of the application that agents go to after a sign-in; empty = the Agent Panel.
    after_sign_in: Typed,
    /// What can be chosen for it: identifiers and names.
    offered: Vec<(String, String)>,
    own: Vec<Entry>,
    of_installation: Vec<Entry>,
    /// Whether it was just saved where agents go.
    saved: bool,
    /// Whether an application was just deleted.
    deleted: bool,
    refusal: Option<Refusal>,
}

impl Content for ListPage {
    fn head(&self, now: Locale) -> Head {
        Head::new(
            td_string!(now, applications.title),
            &[Sheet::Account, Sheet::Console],
        )
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let after_sign_in = after_sign_in(now, &self);
        let own = if self.own.is_empty() {
            view! { <p class="empty">{td_string!(now, applications.empty)}</p> }.into_any()
        } else {
            table(now, self.own, true)
        };
        let of_installation = (!self.of_installation.is_empty()).then(|| {
            view! {
                <section aria-labelledby="of-installation">
                    <h2 id="of-installation">{td_string!(now, applications.of_installation)}</h2>
                    <p class="quiet">{td_string!(now, applications.of_installation_intro)}</p>
                    {table(now, self.of_installation, false)}
                </section>
            }
        });
        let content = view! {
            <div class="title-row">
                <h1>{td_string!(now, applications.title)}</h1>
                <a class="button primary" href=ADMIN_APPLICATIONS_NEW>
                    {td_string!(now, applications.add)}
                </a>
            </div>
            <p class="lead">{td_string!(now, applications.intro)}</p>
            {self.saved.then(|| good(td_string!(now, company.saved)))}
            {self.deleted.then(|| good(td_string!(now, applications.deleted)))}
            {why(now, self.refusal.as_ref())}
            {own}
            {of_installation}
            {after_sign_in}
        };
        console(frame, ADMIN_APPLICATIONS, None, content)
    }
}

fn table(now: Locale, entries: Vec<Entry>, own: bool) -> AnyView {
    let kind_label = td_string!(now, applications.kind);
    let used_label = td_string!(now, applications.last_used);
    let rows = entries
        .into_iter()
        .map(|entry| {
            let Application { id, settings, .. } = entry.application;
            let name = if own {
                let href = page_of(&id.to_string());
                view! {
                    <a href=href>
                        <bdi>{settings.name}</bdi>
                    </a>
                }
                .into_any()
            } else {
                view! { <bdi>{settings.name}</bdi> }.into_any()
            };
            let used = match entry.last_used {
                Some(when) => moment(when),
                None => td_string!(now, applications.never_used).into_any(),
            };
            view! {
                <tr>
                    <th scope="row">{name}</th>
                    <td data-label=kind_label>{kind_name(now, settings.kind)}</td>
                    <td data-label=used_label>{used}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="table">
            <table class="stacked">
                <thead>
                    <tr>
                        <th scope="col">{td_string!(now, applications.name)}</th>
                        <th scope="col">{kind_label}</th>
                        <th scope="col">{used_label}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

/// Where agents go after a sign-in; nothing to choose while there is nothing to open.
fn after_sign_in(now: Locale, page: &ListPage) -> AnyView {
    if page.offered.is_empty() {
        return ().into_any();
    }
    let picked = &page.after_sign_in.value;
    let options = page
        .offered
        .iter()
        .map(|(id, name)| {
            view! {
                <option value=id.clone() selected=id == picked>
                    {name.clone()}
                </option>
            }
        })
        .collect_view();
    let named = |id: String| match page.offered.iter().find(|(known, _)| *known == id) {
        Some((_, name)) => name.clone(),
        None => td_string!(now, console.agent_title).to_owned(),
    };
    let field = choice(
        now,
        "after_sign_in",
        td_string!(now, applications.after_sign_in),
        td_string!(now, applications.after_sign_in_hint),
        None,
        page.after_sign_in.meanwhile.clone().map(named),
        view! {
            <option value="" selected=picked.is_empty()>
                {td_string!(now, console.agent_title)}
            </option>
            {options}
        },
    );
    view! {
        <form class="fields card" method="post" action=SaveAfterSignIn::PATH novalidate>
            <input type="hidden" name="version" value=page.version />
            {field}
            <button class="button">{td_string!(now, common.save)}</button>
        </form>
    }
    .into_any()
}
