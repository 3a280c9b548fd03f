//! Fields of the console's forms, which know what somebody else saved meanwhile.

use leptos::prelude::*;
use vestibule_core::refusal::{Field, Refusal};
use vestibule_translations::{Locale, td_string};

use super::{
    forms::{Input, problem, refused},
    notice::SUMMARY,
};
use crate::page::Typed;

/// Why the form came back, and what to do about it.
pub fn why(now: Locale, refusal: Option<&Refusal>) -> AnyView {
    match refusal {
        Some(Refusal::ChangedMeanwhile) => alert(td_string!(now, company.changed_meanwhile)),
        other => refused(now, other, true),
    }
}

fn alert(sentence: &'static str) -> AnyView {
    view! {
        <div class="alert" role="alert">
            <h2 id=SUMMARY tabindex="-1" autofocus>
                {sentence}
            </h2>
        </div>
    }
    .into_any()
}

/// What somebody else saved meanwhile.
pub fn meanwhile(now: Locale, value: Option<String>) -> AnyView {
    value
        .map(|value| {
            view! {
                <p class="problem meanwhile">
                    <bdi>{td_string!(now, company.meanwhile, value = value)}</bdi>
                </p>
            }
        })
        .into_any()
}

/// One of several answers. Its input is told from the others by its value.
pub fn radio(
    group: &'static str,
    value: String,
    label: String,
    hint: Option<&'static str>,
    picked: bool,
) -> AnyView {
    let id = [group, "-", &value].concat();
    let hint_id = [&id, "-hint"].concat();
    let described_by = hint.is_some().then(|| hint_id.clone());
    view! {
        <div class="choice">
            <input id=id.clone() type="radio" name=group value=value checked=picked aria-describedby=described_by />
            <label for=id>{label}</label>
            {hint
                .map(|hint| {
                    view! {
                        <p class="hint" id=hint_id>
                            {hint}
                        </p>
                    }
                })}
        </div>
    }.into_any()
}

/// What stands beneath an input, and the ids of it that the input is described by.
fn notes(
    now: Locale,
    id: &'static str,
    hint: &'static str,
    problem: Option<String>,
    saved: Option<String>,
) -> (String, impl IntoView) {
    let (hint_id, problem_id) = ([id, "-hint"].concat(), [id, "-problem"].concat());
    let described_by = if problem.is_some() {
        [&problem_id, " ", &hint_id].concat()
    } else {
        hint_id.clone()
    };
    let notes = view! {
        {problem
            .map(|problem| {
                view! {
                    <p class="problem" id=problem_id>
                        {problem}
                    </p>
                }
            })}
        {meanwhile(now, saved)}
        <p class="hint" id=hint_id>
            {hint}
        </p>
    };
    (described_by, notes)
}

/// A labelled list to choose from.
pub fn choice(
    now: Locale,
    id: &'static str,
    label: &'static str,
    hint: &'static str,
    problem: Option<String>,
    saved: Option<String>,
    options: impl IntoView,
) -> AnyView {
    let invalid = problem.is_some().then_some("true");
    let (described_by, notes) = notes(now, id, hint, problem, saved);
    // The language switch in the page's head has an id that a field must not have.
    let select_id = ["company-", id].concat();
    view! {
        <div class="field">
            <label for=select_id.clone()>{label}</label>
            <select id=select_id name=id autocomplete="off" aria-invalid=invalid aria-describedby=described_by>
                {options}
            </select>
            {notes}
        </div>
    }.into_any()
}

/// A field with what is known about it, and what somebody else saved meanwhile.
pub fn text<'a>(
    now: Locale,
    field: Field,
    label: &'static str,
    hint: &str,
    typed: &Typed,
    refusal: Option<&'a Refusal>,
) -> Input<'a> {
    let meanwhile = typed
        .meanwhile
        .clone()
        .map(|value| td_string!(now, company.meanwhile, value = value));
    let hint: Vec<String> = meanwhile.into_iter().chain([hint.to_owned()]).collect();
    Input {
        field,
        label,
        // The browser's own data belong to the admin.
        autocomplete: "off",
        value: typed.value.clone(),
        required: false,
        hint: Some(hint.join("\n")),
        refusal,
    }
}

/// A labelled whole number from `least` to `most`.
pub fn number(
    now: Locale,
    field: Field,
    label: &'static str,
    hint: &'static str,
    (least, most): (usize, usize),
    typed: Typed,
    refusal: Option<&Refusal>,
) -> AnyView {
    let id = field.name();
    let problem = problem(now, field, refusal);
    let invalid = problem.is_some().then_some("true");
    let (described_by, notes) = notes(now, id, hint, problem, typed.meanwhile);
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <div class="control">
                <input
                    id=id
                    name=id
                    type="number"
                    inputmode="numeric"
                    min=least.to_string()
                    max=most.to_string()
                    value=typed.value
                    autocomplete="off"
                    aria-invalid=invalid
                    aria-describedby=described_by
                />
            </div>
            {notes}
        </div>
    }
    .into_any()
}
