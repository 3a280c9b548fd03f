//! The frame of pages without an island: plain HTML.

use leptos::prelude::*;
use vestibule_core::paths;
use vestibule_translations::{Locale, td_string};

use super::session_end::session_end;
use crate::{
    components::frame::{brand, footer, language_form, language_switch_of, skip_link},
    page::{Frame, SignedIn},
};

/// Header, content, footer.
pub fn site(frame: Frame, content: impl IntoView) -> AnyView {
    // Where the page would be lost by leaving it, the switch asks for a click more.
    let live = frame.signed_in.is_some() && !frame.answers_form;
    let switch = language_form(RwSignal::new(frame.locale), frame.path.clone(), live);
    around(frame, switch.into_any(), content.into_any())
}

/// As [`site`], for a page whose form must not lose what was typed when the language changes: the switch sends the
/// form with this id along, and the page comes back with it.
pub fn site_with_form(frame: Frame, form: &'static str, content: impl IntoView) -> AnyView {
    let switch = language_switch_of(form, frame.locale, frame.path.clone(), frame.signed_in.is_some());
    around(frame, switch.into_any(), content.into_any())
}

/// Built once for all pages: what differs is erased here.
fn around(frame: Frame, switch: AnyView, content: AnyView) -> AnyView {
    let Frame {
        locale,
        links,
        assets,
        signed_in,
        ..
    } = frame;
    let shared = RwSignal::new(locale);
    let confined = signed_in.as_ref().is_some_and(|somebody| somebody.confined);
    let home = (!confined).then_some("/");
    let ends = signed_in.as_ref().and_then(|somebody| somebody.ends.clone());
    view! {
        <div class="site">
            {skip_link(shared)}
            <header class="site-top">
                {brand(assets.logo, home)} {switch}
                {signed_in.map(|somebody| status_menu(locale, somebody))}
            </header>
            {content}
            {ends.map(|ends| session_end(locale, &ends))}
            {footer(shared, links)}
        </div>
    }
    .into_any()
}

/// Id of what the status menu shows.
const STATUS_PANEL: &str = "status-panel";

/// Who is signed in, and the way out. Opens without scripts, closes with Escape and by a click anywhere else.
fn status_menu(now: Locale, somebody: SignedIn) -> impl IntoView {
    let SignedIn {
        alias,
        account,
        email,
        company,
        confined,
        ..
    } = somebody;
    let initial = alias.chars().next().map(|first| first.to_uppercase().to_string());
    let signed_in_as = td_string!(now, common.signed_in_as, name = alias.clone());
    view! {
        <div class="status">
            <button type="button" class="status-button" popovertarget=STATUS_PANEL>
                <span class="avatar" aria-hidden="true">{initial}</span>
                <span class="visually-hidden">{signed_in_as}</span>
                <bdi class="status-name" aria-hidden="true">{alias.clone()}</bdi>
            </button>
            <div class="status-panel" id=STATUS_PANEL popover="auto">
                <p class="status-who">
                    <bdi><b>{alias}</b></bdi>
                    <bdi>{account}</bdi>
                    <bdi>{email}</bdi>
                    <bdi>{company}</bdi>
                </p>
                {(!confined)
                    .then(|| {
                        view! {
                            <a class="button wide" href=paths::PROFILE>
                                {td_string!(now, common.profile)}
                            </a>
                            <a class="button wide" href=paths::SECURITY>
                                {td_string!(now, profile.security_title)}
                            </a>
                        }
                    })}
                <form method="post" action=paths::LOGOUT>
                    <button class="button wide">{td_string!(now, common.logout)}</button>
                </form>
            </div>
        </div>
    }
}
