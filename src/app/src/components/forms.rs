//! Parts of the forms of signed-in pages: why one was refused, fields, buttons that are forms of their own.

use leptos::prelude::*;
use vestibule_core::{
    paths,
    refusal::{Field, Refusal},
    sso::Provider,
};
use vestibule_translations::{Locale, refusal::field_sentence, refusal::warning, td_string};

use super::{code::code_input, notice::SUMMARY};
use crate::{page::When, text::refusal_sentence};

/// Why a form was refused, with a link to every field that needs a change. It takes the focus, unless the page has a
/// single field that does.
pub fn refused(now: Locale, refusal: Option<&Refusal>, focus: bool) -> AnyView {
    let Some(refusal) = refusal else {
        return ().into_any();
    };
    let links: Vec<(&str, String)> = match refusal {
        Refusal::Invalid { fields } => fields
            .iter()
            .map(|wrong| {
                (
                    wrong.field.name(),
                    field_sentence(now, wrong.field, wrong.problem),
                )
            })
            .collect(),
        _ => Vec::new(),
    };
    let heading = if links.is_empty() {
        refusal_sentence(now, refusal)
    } else {
        td_string!(now, errors.summary_title).to_owned()
    };
    let links = links
        .into_iter()
        .map(|(field, sentence)| {
            view! {
                <li>
                    <a href=["#", field].concat()>{sentence}</a>
                </li>
            }
        })
        .collect_view();
    let last_tries = warning(now, refusal);
    let class = if refusal.status() < 400 {
        "notice caution"
    } else if last_tries.is_some() {
        "alert strong"
    } else {
        "alert"
    };
    view! {
        <div class=class role="alert">
            <h2 id=SUMMARY tabindex="-1" autofocus=focus>
                {heading}
            </h2>
            {last_tries.map(|warning| view! { <p><strong>{warning}</strong></p> })}
            {(!links.is_empty()).then(|| view! { <ul>{links}</ul> })}
        </div>
    }
    .into_any()
}

/// What could not be done, each with its reason. It takes the focus, like a refusal.
pub fn not_done(heading: String, items: Vec<AnyView>) -> AnyView {
    let items = items
        .into_iter()
        .map(|item| view! { <li>{item}</li> })
        .collect_view();
    view! {
        <div class="alert" role="alert">
            <h2 id=SUMMARY tabindex="-1" autofocus=true>
                {heading}
            </h2>
            <ul>{items}</ul>
        </div>
    }
    .into_any()
}

/// What is wrong with a field, in a sentence.
pub fn problem(now: Locale, field: Field, refusal: Option<&Refusal>) -> Option<String> {
    Some(field_sentence(now, field, refusal?.problem(field)?))
}

/// One labelled input.
pub struct Input<'a> {
    /// Which.
    pub field: Field,
    /// Its label.
    pub label: &'static str,
    /// What the browser may fill in.
    pub autocomplete: &'static str,
    /// What stands in it; a password never comes back.
    pub value: String,
    /// Whether nothing may be left empty.
    pub required: bool,
    /// What to know before typing; several things stand on lines of their own.
    pub hint: Option<String>,
    /// Why the form was refused.
    pub refusal: Option<&'a Refusal>,
}

impl Input<'_> {
    /// The input with its label, its hint and what is wrong with it.
    pub fn view(self, now: Locale) -> AnyView {
        let id = self.field.name();
        let secret = matches!(
            self.field,
            Field::Password
                | Field::OldPassword
                | Field::NewPassword
                | Field::ConfirmPassword
                | Field::MailPassword
                | Field::GoogleClientSecret
                | Field::Office365ClientSecret
        );
        let problem = problem(now, self.field, self.refusal);
        let (hint_id, problem_id) = ([id, "-hint"].concat(), [id, "-problem"].concat());
        let described_by: Vec<&str> = [
            problem.is_some().then_some(problem_id.as_str()),
            self.hint.is_some().then_some(hint_id.as_str()),
        ]
        .into_iter()
        .flatten()
        .collect();
        let described_by = (!described_by.is_empty()).then(|| described_by.join(" "));
        view! {
            <div class="field">
                <label for=id>{self.label}</label>
                <div class="control">
                    <input
                        id=id
                        name=id
                        type=if secret { "password" } else { "text" }
                        inputmode=match self.field {
                            Field::Phone => Some("tel"),
                            Field::Email => Some("email"),
                            _ => None,
                        }
                        value=self.value
                        dir="auto"
                        autocomplete=self.autocomplete
                        autocapitalize=(secret || self.field == Field::Email).then_some("none")
                        spellcheck="false"
                        required=self.required
                        autofocus=matches!(self.field, Field::Password | Field::AccountName) && self.refusal.is_none()
                        aria-invalid=problem.is_some().then_some("true")
                        aria-describedby=described_by
                    />
                </div>
                {problem
                    .map(|problem| {
                        view! {
                            <p class="problem" id=problem_id>
                                {problem}
                            </p>
                        }
                    })}
                {self
                    .hint
                    .map(|hint| {
                        view! {
                            <p class="hint" id=hint_id>
                                {hint}
                            </p>
                        }
                    })}
            </div>
        }
        .into_any()
    }
}

/// The six boxes of a set-up, with the identifier of that set-up.
pub fn set_up_code(now: Locale, set_up: String, refusal: Option<&Refusal>) -> AnyView {
    let id = Field::Code.name();
    let wrong = matches!(
        refusal,
        Some(
            Refusal::Invalid { .. }
                | Refusal::WrongCode { .. }
                | Refusal::CodeReplaced
                | Refusal::CodeExpired
                | Refusal::CodeElsewhere
        )
    );
    view! {
        <input type="hidden" name="set_up" value=set_up />
        <div class="field">
            <label for=id>{td_string!(now, sign_in.code_label)}</label>
            {code_input(false, move || wrong.then_some("true"), SUMMARY, None)}
        </div>
    }
    .into_any()
}

/// A moment.
pub fn moment(when: When) -> AnyView {
    view! {
        <time datetime=when.datetime>
            <bdi>{when.shown}</bdi>
        </time>
    }
    .into_any()
}

/// A sentence around something that is an element of its own, such as a moment: a line end in the sentence says where that
/// belongs.
pub fn around(sentence: &str, inside: impl IntoView) -> AnyView {
    let (before, after) = sentence.split_once('\n').unwrap_or((sentence, ""));
    let words = |words: &str| (!words.is_empty()).then(|| words.to_owned());
    view! {
        {words(before)}
        {inside}
        {words(after)}
    }
    .into_any()
}

/// Something that is an element of its own, behind its label.
pub fn labelled(now: Locale, label: &str, inside: impl IntoView) -> AnyView {
    let line = td_string!(now, common.labelled, label = label, value = "\n");
    around(&line, inside)
}

/// A button that copies a text, where there is a script and a clipboard, and a word that it did.
pub fn copy_button(now: Locale, text: String) -> AnyView {
    let copy = view! {
        <button type="button" class="button small" hidden>
            {td_string!(now, profile.copy)}
        </button>
    }
    .attr("data-text", text);
    let copied = view! { <span class="quiet" role="status"></span> }
        .attr("data-done", td_string!(now, profile.copied));
    view! {
        {copy}
        {copied}
    }
    .into_any()
}

/// A message that something went well.
pub fn good(sentence: impl IntoView) -> AnyView {
    view! {
        <p class="notice good" role="status">
            {sentence}
        </p>
    }
    .into_any()
}

/// How few backup codes are left, and where to make new ones.
pub fn few_backup_codes(now: Locale, left: Option<usize>) -> AnyView {
    left.map(|left| {
        view! {
            <p class="notice caution">
                {td_string!(now, console.few_backup_codes, count = left)} " "
                <a href=paths::SECURITY_BACKUP_CODES>{td_string!(now, profile.view_backup_codes)}</a>
            </p>
        }
    })
    .into_any()
}

/// A button that is a form of its own. The heading with the id `about` tells it from other buttons of the same name: it
/// is read after it.
pub fn action(path: &'static str, label: &'static str, about: String, id: Option<String>) -> AnyView {
    view! {
        <form method="post" action=path>
            {id.map(|id| view! { <input type="hidden" name="id" value=id /> })}
            <button class="button small" aria-describedby=about>
                {label}
            </button>
        </form>
    }
    .into_any()
}

/// The same for what ends something: it looks like it.
pub fn danger(path: &'static str, label: &'static str, about: String, id: Option<String>) -> AnyView {
    view! {
        <form method="post" action=path>
            {id.map(|id| view! { <input type="hidden" name="id" value=id /> })}
            <button class="button small danger-line" aria-describedby=about>
                {label}
            </button>
        </form>
    }
    .into_any()
}

/// A button that asks once more before a provider is disconnected: from the own account, or from the agent with this
/// identifier.
pub fn ask_to_disconnect(
    now: Locale,
    path: &'static str,
    question: &'static str,
    provider: Provider,
    about: String,
    agent: Option<String>,
) -> AnyView {
    view! {
        <details class="ask">
            <summary class="button small" aria-describedby=about>
                {td_string!(now, sso.disconnect)}
            </summary>
            <form method="post" action=path>
                <p>{question}</p>
                {agent.map(|id| view! { <input type="hidden" name="id" value=id /> })}
                <input type="hidden" name="provider" value=provider.as_str() />
                <button class="button small danger">{td_string!(now, sso.disconnect)}</button>
            </form>
        </details>
    }
    .into_any()
}
