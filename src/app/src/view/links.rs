//! The pages behind the links of mails, in the frame of the sign-in screens.

use leptos::prelude::*;
use vestibule_core::{paths, signed_in::FormField};
use vestibule_translations::{Locale, td_string};

use super::{
    console::fact,
    document::shell,
    forms::{Input, keep_refusal, refused},
};
use crate::{
    components::frame::gate,
    page::{ChoiceReason, ChoosePasswordPage, EmailLinkPage, Frame},
    text::{Sentence, phrase},
};

/// `/choose-password`
pub(super) fn choose_password(frame: Frame, page: &ChoosePasswordPage) -> impl IntoView + use<> {
    let now = frame.locale;
    let why = match page.reason {
        ChoiceReason::First => td_string!(now, agents.choose_first),
        ChoiceReason::Reset => td_string!(now, agents.choose_reset),
        ChoiceReason::Temporary => td_string!(now, agents.choose_temporary),
    };
    let input = |field, label, hint| {
        Input {
            field,
            label,
            autocomplete: "new-password",
            value: String::new(),
            required: true,
            hint,
            refusal: page.refusal.as_ref(),
        }
        .view(now)
    };
    // Scripts ask the server there while somebody types, and write down what it says.
    let strength = view! { <p id="strength" class="strength" role="status"></p> }
        .attr("data-href", paths::CHOOSE_PASSWORD_CHECK);
    let hint = td_string!(now, profile.password_hint, least = page.password_min);
    let content = view! {
        <h1>{td_string!(now, agents.choose_title)}</h1>
        <p class="lead">{why}</p>
        {whose(now, page.company.clone(), page.account.clone())}
        {refused(now, page.refusal.as_ref(), true)}
        {keep_refusal(page.refusal.as_ref())}
        <form class="fields" method="post" action=paths::CHOOSE_PASSWORD novalidate>
            <input class="visually-hidden" type="text" autocomplete="username" value=page.account.clone() tabindex="-1" aria-hidden="true" readonly />
            <div>
                {input(FormField::NewPassword, td_string!(now, profile.new_password), Some(hint))} {strength}
            </div>
            {input(FormField::ConfirmPassword, td_string!(now, profile.confirm_password), None)}
            <button class="button primary wide">{td_string!(now, agents.choose_button)}</button>
        </form>
    };
    in_gate(frame, phrase!(agents.choose_title), content)
}

/// `/confirm-email` and `/stop-email-change`
pub(super) fn email(frame: Frame, page: EmailLinkPage) -> impl IntoView {
    let now = frame.locale;
    let (title, text, button, path): (Sentence, _, _, _) = if page.stops {
        (
            phrase!(agents.stop_title),
            td_string!(now, agents.stop_text),
            td_string!(now, agents.cancel_email),
            paths::STOP_EMAIL_CHANGE,
        )
    } else {
        (
            phrase!(agents.confirm_title),
            td_string!(now, agents.confirm_text),
            td_string!(now, agents.confirm_button),
            paths::CONFIRM_EMAIL,
        )
    };
    if page.done {
        let text = if page.stops {
            td_string!(now, agents.email_stopped)
        } else {
            td_string!(now, agents.email_confirmed)
        };
        let content = view! {
            <h1>{title(now)}</h1>
            <p class="notice good" role="status">
                {text}
            </p>
            <a class="button primary wide" href=paths::LOGIN>
                {td_string!(now, sign_in.back_to_sign_in)}
            </a>
        };
        return in_gate(frame, title, content).into_any();
    }
    let content = view! {
        <h1>{title(now)}</h1>
        <p class="lead">{text}</p>
        <dl class="facts">
            {fact(td_string!(now, console.company), page.company)}
            {fact(td_string!(now, console.account), page.account)}
            {fact(td_string!(now, agents.new_email), page.email)}
        </dl>
        {refused(now, page.refusal.as_ref(), true)}
        <form class="fields" method="post" action=path>
            <button class="button primary wide">{button}</button>
        </form>
    };
    in_gate(frame, title, content).into_any()
}

fn whose(now: Locale, company: String, account: String) -> impl IntoView {
    view! {
        <dl class="facts">
            {fact(td_string!(now, console.company), company)} {fact(td_string!(now, console.account), account)}
        </dl>
    }
}

pub(super) fn in_gate(frame: Frame, title: Sentence, content: impl IntoView) -> impl IntoView {
    let locale = RwSignal::new(frame.locale);
    gate(shell(frame), locale, move || title, content)
}
