//! `/forgot-password`, in the frame of the sign-in screens.

use leptos::prelude::*;
use vestibule_core::{paths, signed_in::FormField};
use vestibule_translations::td_string;

use super::{
    forms::{Input, good, keep_refusal, refused},
    links::in_gate,
};
use crate::{
    page::{ForgotPasswordPage, Frame},
    text::phrase,
};

pub(super) fn forgot_password(frame: Frame, page: ForgotPasswordPage) -> impl IntoView {
    let now = frame.locale;
    let content = if page.sent {
        view! {
            <h1>{td_string!(now, sign_in.forgot)}</h1>
            {good(td_string!(now, recovery.sent))}
            <p>{td_string!(now, recovery.sent_next)}</p>
            <a class="button primary wide" href=paths::LOGIN>
                {td_string!(now, sign_in.back_to_sign_in)}
            </a>
        }
        .into_any()
    } else {
        let refusal = page.refusal.as_ref();
        let input = |field, label, autocomplete, value| {
            Input {
                field,
                label,
                autocomplete,
                value,
                required: true,
                hint: None,
                refusal,
            }
            .view(now)
        };
        view! {
            <h1>{td_string!(now, sign_in.forgot)}</h1>
            <p class="lead">{td_string!(now, recovery.intro)}</p>
            {refused(now, refusal, true)}
            {keep_refusal(refusal)}
            <form class="fields" method="post" action=paths::FORGOT_PASSWORD novalidate>
                {input(FormField::Company, td_string!(now, sign_in.company), "organization", page.company)}
                {input(FormField::Email, td_string!(now, recovery.email), "email", page.email)}
                <button class="button primary wide">{td_string!(now, recovery.submit)}</button>
            </form>
            <p class="aside">
                <a href=paths::LOGIN>{td_string!(now, sign_in.back_to_sign_in)}</a>
            </p>
        }
        .into_any()
    };
    in_gate(frame, phrase!(sign_in.forgot), content)
}
