//! The field for a code: six boxes under one input.

use std::time::Duration;

use leptos::prelude::*;
use vestibule_core::{
    limits::CODE_DIGITS,
    refusal::Field,
    typed_code::{has_letters, read},
};

use crate::browser;

/// How long a whole code stands before it is sent by itself, in milliseconds: long enough to see a slip and mend it.
const PAUSE: Duration = Duration::from_millis(800);

/// The attribute of the input while it holds more than six boxes can show.
const LONG: &str = "data-long";

/// The input, with the ids of its hint and of what is wrong in `described_by`. Asked for a backup code, it is a plain
/// field without boxes and without the keyboard of digits. With `auto`, the form is sent by itself once six digits were
/// typed or came at once, as long as it holds.
pub fn code_input(
    backup: bool,
    wrong: impl Fn() -> Option<&'static str> + Send + Sync + 'static,
    described_by: &'static str,
    auto: Option<StoredValue<bool>>,
) -> impl IntoView {
    let before = StoredValue::new(0_usize);
    let typed = move || {
        let length = normalize();
        // Digits in the middle of others are somebody's mending, not a code that is whole.
        let whole = length == CODE_DIGITS && matches!(before.get_value(), 0 | 5);
        before.set_value(length);
        if let Some(auto) = auto.filter(|_| whole) {
            send_soon(auto);
        }
    };
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
                pattern=(!backup).then_some("[0-9]{6}")
                required
                autofocus
                aria-invalid=wrong
                aria-describedby=described_by
                on:input=move |event| {
                    if !backup && !browser::is_composing(&event) {
                        typed();
                    }
                }
                on:compositionend=move |_| {
                    if !backup {
                        typed();
                    }
                }
            />
        </div>
    }
}

/// Sends the form of the code, unless it is changed, left or sent meanwhile.
fn send_soon(auto: StoredValue<bool>) {
    let code = browser::value(Field::Code.name());
    set_timeout(
        move || {
            let id = Field::Code.name();
            if auto.try_get_value() == Some(true) && browser::value(id) == code && browser::has_focus(id) {
                browser::send_form_of(id);
            }
        },
        PAUSE,
    );
}

/// Empties the field.
pub fn clear() {
    browser::set_value(Field::Code.name(), "");
    browser::mark(Field::Code.name(), LONG, false);
}

/// Drops what a pasted code has between its digits, and turns the digits of other keyboards into those of the mail. A
/// backup code stays as it is typed, and so does what has no digit: nothing disappears without a word. Never while the
/// keyboard composes: it would lose what it is about to replace. Gives how many digits there are, 0 when there is anything
/// else.
fn normalize() -> usize {
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
    if letters { 0 } else { digits.len() }
}
