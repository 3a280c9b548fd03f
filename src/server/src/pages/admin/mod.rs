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
use vestibule_app::{
    components::{
        fields::meanwhile,
        forms::{Input, labelled, problem},
    },
    page::Typed,
    shell::console::role_name,
};
use vestibule_core::{
    account::Role,
    limits::REASON_MAX,
    refusal::{Field, Refusal},
};
use vestibule_translations::{Locale, list, td_string};

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

/// The boxes for roles, with what somebody else saved meanwhile.
fn role_boxes(now: Locale, label: &'static str, typed: Typed, refusal: Option<&Refusal>) -> AnyView {
    let wrong = problem(now, Field::Roles, refusal);
    let described_by = wrong.is_some().then_some("roles-problem");
    let picked: Vec<&str> = typed.value.split(' ').collect();
    let boxes = Role::ALL
        .map(|role| {
            let word = role.as_str();
            view! {
                <label class="check">
                    <input type="checkbox" name="roles[]" value=word checked=picked.contains(&word) />
                    {role_name(now, role)}
                </label>
            }
        })
        .into_iter()
        .collect_view();
    let before = typed.meanwhile.map(|words| {
        let saved = words.split(' ').filter_map(Role::from_word);
        let names: Vec<&str> = saved.map(|role| role_name(now, role)).collect();
        list(now, &names)
    });
    view! {
        <fieldset id=Field::Roles.name() class="field checks" tabindex="-1" aria-describedby=described_by>
            <legend>{label}</legend>
            {boxes}
            {wrong.map(|sentence| view! { <p class="problem" id="roles-problem">{sentence}</p> })}
            {meanwhile(now, before)}
        </fieldset>
    }
    .into_any()
}

/// A list of words to choose from; `all` stands for none of them.
fn choice(
    id: &'static str,
    label: &'static str,
    all: &'static str,
    options: &[(&'static str, &'static str)],
    picked: Option<&str>,
) -> AnyView {
    let options = options
        .iter()
        .map(|&(value, label)| {
            view! {
                <option value=value selected=picked == Some(value)>
                    {label}
                </option>
            }
        })
        .collect_view();
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <select id=id name=id autocomplete="off">
                <option value="" selected=picked.is_none()>
                    {all}
                </option>
                {options}
            </select>
        </div>
    }
    .into_any()
}

/// Something that a list is narrowed by: its name, its value, and the address of the list without it.
type Narrowed = (&'static str, String, String);

/// What a list is narrowed by, each with the way to widen it.
fn chips(now: Locale, narrowed: impl IntoIterator<Item = Narrowed>) -> AnyView {
    let chips: Vec<AnyView> = narrowed
        .into_iter()
        .map(|(name, value, href)| chip(now, name, value, href))
        .collect();
    (!chips.is_empty())
        .then(|| view! { <ul class="chips" aria-label=td_string!(now, agents.filters)>{chips}</ul> })
        .into_any()
}

fn chip(now: Locale, name: &'static str, value: String, href: String) -> AnyView {
    let label = td_string!(now, agents.remove_filter, name = name, value = value.clone());
    view! {
        <li>
            <a class="chip" href=href aria-label=label>
                {labelled(now, name, view! { <bdi>{value}</bdi> })}
                " ×"
            </a>
        </li>
    }
    .into_any()
}
