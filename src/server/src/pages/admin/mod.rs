//! `/admin`: the console.

mod agents;
mod applications;
mod audit;
mod company;
mod download;
mod mail;
mod overview;
mod security;
mod sessions;
mod sso;

use leptos::prelude::*;
use vestibule_app::components::forms::Input;
use vestibule_core::{
    limits::REASON_MAX,
    refusal::{Field, Refusal},
};
use vestibule_translations::{Locale, td_string};

use crate::form::Routes;

/// Pages and forms of the console.
pub fn routes(routes: Routes) -> Routes {
    routes
        .room(overview::routes)
        .room(agents::routes)
        .room(sessions::routes)
        .room(company::routes)
        .room(security::routes)
        .room(sso::routes)
        .room(applications::routes)
        .room(mail::routes)
        .room(audit::routes)
}

/// The head of the column with the boxes that select rows: with scripts a box for all on the page.
fn select_page(now: Locale) -> AnyView {
    view! {
        <th scope="col" class="select">
            <span class="visually-hidden">{td_string!(now, agents.select)}</span>
            <input
                type="checkbox"
                class="after-script"
                data-select-page=""
                aria-label=td_string!(now, agents.select_page)
                autocomplete="off"
            />
        </th>
    }
    .into_any()
}

/// The input for a reason that agents are told where their sessions end. It may be left empty.
fn told_reason(now: Locale, typed: String, refusal: Option<&Refusal>) -> AnyView {
    Input {
        field: Field::Reason,
        label: td_string!(now, agents.reason),
        autocomplete: "off",
        value: typed,
        required: false,
        hint: Some(td_string!(now, agents.reason_told_hint, count = REASON_MAX)),
        refusal,
    }
    .view(now)
}
