//! The field for a code: six boxes under one input.

use leptos::prelude::*;
use vestibule_core::{
    limits::CODE_DIGITS,
    refusal::Field,
    typed_code::{has_letters, read},
};

use crate::browser;

/// The attribute of the input while it holds more than six boxes can show.
const LONG: &str = "data-long";

/// The input, with the ids of its hint and of what is wrong in `described_by`. Asked for a backup code, it is a plain
/// field without boxes and without the keyboard of digits.
pub fn code_input(
    backup: bool,
    wrong: impl Fn() -> Option<&'static str> + Send + Sync + 'static,
    described_by: &'static str,
) -> impl IntoView {
    let id = Field::Code.name();
    let (class, autocomplete) = if backup {
        ("control", "off")
    } else {
        ("code", "one-time-code")
    };
    view! {
        <div class=class dir="ltr">
            <div class="boxes" aria-hidden="true">
                <i></i>
                <i></i>
                <i></i>
                <i></i>
                <i></i>
                <i></i>
            </div>
            <input
                id=id
                name=id
                type="text"
                dir="ltr"
                inputmode=(!backup).then_some("numeric")
                autocomplete=autocomplete
                autocapitalize="none"
                spellcheck="false"
                required
                autofocus
                aria-invalid=wrong
                aria-describedby=described_by
                on:input=move |event| {
                    if !backup && !browser::is_composing(&event) {
                        normalize();
                    }
                }
                on:compositionend=move |_| {
                    if !backup {
                        normalize();
                    }
                }
            />
        </div>
    }
}

/// Empties the field.
pub fn clear() {
    browser::set_value(Field::Code.name(), "");
    browser::mark(Field::Code.name(), LONG, false);
}

/// Drops what a pasted code has between its digits, and turns the digits of other keyboards into those of the mail. A
/// backup code stays as it is typed, and so does what has no digit: nothing disappears without a word. Never while the
/// keyboard composes: it would lose what it is about to replace.
fn normalize() {
    let typed = browser::value(Field::Code.name());
    let code = read(&typed);
    let digits: String = code.chars().filter(char::is_ascii_digit).collect();
    let letters = has_letters(&code);
    if !letters && !digits.is_empty() && digits != typed {
        browser::set_value(Field::Code.name(), &digits);
    }
    browser::mark(
        Field::Code.name(),
        LONG,
        letters || (digits.is_empty() && !typed.is_empty()) || digits.len() > CODE_DIGITS,
    );
}
