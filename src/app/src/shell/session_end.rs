//! Until when somebody is signed in. Without scripts the page says it; with them a bar shows in time, and offers to stay.

use leptos::prelude::*;
use vestibule_core::{limits::STAY_SECONDS, paths};
use vestibule_translations::{Locale, td_string};

use crate::page::SessionEnd;

/// The end in a sentence.
pub fn sentence(now: Locale, end: &SessionEnd) -> String {
    let at = end.at.shown.clone();
    if end.idle {
        td_string!(now, console.session_idle_end, time = at)
    } else {
        td_string!(now, console.session_last_end, time = at)
    }
}

/// The bar.
pub fn session_end(now: Locale, end: &SessionEnd) -> AnyView {
    let stay = view! {
        <button type="button" class="button small" hidden>
            {td_string!(now, console.session_stay)}
        </button>
    };
    view! {
        <div id="session-end" class="session-end">
            <p role="status">{sentence(now, end)}</p>
            {stay}
        </div>
    }
    .attr("data-href", paths::SESSION)
    .attr("data-left", end.left.to_string())
    .attr("data-idle", end.idle.then_some(""))
    .attr("data-before", STAY_SECONDS.to_string())
    .attr("data-over", td_string!(now, console.session_over))
    .into_any()
}
