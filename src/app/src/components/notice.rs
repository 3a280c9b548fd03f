//! Messages: what went well, what to know, what is wrong.

use leptos::prelude::*;
use vestibule_core::{
    paths,
    refusal::{FieldProblem, Refusal},
};
use vestibule_translations::{Locale, refusal::field_sentence, td_string};

use crate::text::{Sentence, follow, follow_with, phrase, refusal_sentence, text};

/// How much a message wants to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Something went well.
    Good,
    /// Something to know before going on.
    Caution,
}

/// A message that nobody has to act on at once.
pub fn notice(locale: RwSignal<Locale>, tone: Tone, sentence: Sentence) -> impl IntoView {
    let class = match tone {
        Tone::Good => "notice good",
        Tone::Caution => "notice caution",
    };
    view! { <p class=class>{follow(locale, sentence)}</p> }
}

/// Id of the element in a [`summary`] that takes the focus.
pub const SUMMARY: &str = "summary";

/// Why a form was refused, with a link to every field that needs a change. Empty while there is no refusal.
pub fn summary(locale: RwSignal<Locale>, refusal: RwSignal<Option<Refusal>>) -> impl IntoView {
    move || {
        let refusal = refusal.get()?;
        let links = match &refusal {
            Refusal::Invalid { fields } => {
                Some(fields.iter().map(|wrong| link(locale, *wrong)).collect_view())
            }
            _ => None,
        };
        let takes_focus = links.is_some();
        let heading = follow_with(locale, move |now| match &refusal {
            Refusal::Invalid { .. } => td_string!(now, errors.summary_title).to_owned(),
            refusal => refusal_sentence(now, refusal),
        });
        Some(view! {
            <div class="alert" role="alert">
                <h2 id=SUMMARY tabindex="-1" autofocus=takes_focus>
                    {heading}
                </h2>
                {links.map(|links| view! { <ul>{links}</ul> })}
            </div>
        })
    }
}

fn link(locale: RwSignal<Locale>, wrong: FieldProblem) -> impl IntoView {
    let sentence = follow_with(locale, move |now| field_sentence(now, wrong.field, wrong.problem));
    view! {
        <li>
            <a href=["#", wrong.field.name()].concat()>{sentence}</a>
        </li>
    }
}

/// What somebody sees whose account has just been locked.
pub fn locked_panel(locale: RwSignal<Locale>) -> impl IntoView {
    view! {
        <h1 id="locked" tabindex="-1">
            {text!(locale, sign_in.locked_title)}
        </h1>
        <div class="alert" role="alert">
            <p>{text!(locale, errors.account_locked)}</p>
        </div>
        <p class="quiet">{text!(locale, sign_in.locked_next)}</p>
        <p>
            <a class="button" href=paths::LOGIN>
                {text!(locale, sign_in.back_to_sign_in)}
            </a>
        </p>
    }
}

/// The title of [`locked_panel`].
pub const LOCKED_TITLE: Sentence = phrase!(sign_in.locked_title);
