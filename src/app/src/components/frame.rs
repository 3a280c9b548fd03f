//! What surrounds every page: skip link, logo, language form, footer.

use leptos::{ev, prelude::*, task::spawn_local};
use serde::{Deserialize, Serialize};
use vestibule_core::paths;
use vestibule_translations::{Locale, from_tag, tag, td_string};

use super::PRODUCT;
use crate::{
    browser,
    page::Links,
    text::{Sentence, said, text},
};

/// Id of the form with the language switch.
pub const LANGUAGE_FORM: &str = "language-form";
/// Id of the language switch.
const LANGUAGE: &str = "language";

/// What an island must know about the page around it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shell {
    /// Language tag of the page.
    pub language: String,
    /// Address of the page: the language form comes back to it.
    pub path: String,
    /// Links of the footer.
    pub links: Links,
    /// Address of the logo.
    pub logo: String,
}

impl Shell {
    /// Language of the page.
    pub fn locale(&self) -> Locale {
        from_tag(&self.language).unwrap_or_default()
    }
}

/// The frame of the sign-in screens: logo and language on top, the form in the middle, the doorway at the side.
pub fn gate(
    shell: Shell,
    locale: RwSignal<Locale>,
    title: impl Fn() -> Sentence + 'static,
    content: impl IntoView,
) -> impl IntoView {
    let switch = language_form(locale, shell.path.clone(), true);
    gate_with(shell, locale, switch, title, content)
}

/// The same with another language switch.
pub fn gate_with(
    shell: Shell,
    locale: RwSignal<Locale>,
    switch: impl IntoView,
    title: impl Fn() -> Sentence + 'static,
    content: impl IntoView,
) -> impl IntoView {
    let Shell { links, logo, .. } = shell;
    Effect::new(move |_| {
        let now = locale.get();
        browser::name_language(now, said(title(), now));
    });
    view! {
        <div class="gate">
            {skip_link(locale)}
            <header class="gate-top">{brand(logo, None)} {switch}</header>
            <main id="content" class="gate-main" tabindex="-1">
                <div class="sheet">{content}</div>
            </main>
            {footer(locale, links)}
            <div class="doorway" aria-hidden="true"></div>
        </div>
    }
}

/// Link for keyboards that jumps over the header.
pub fn skip_link(locale: RwSignal<Locale>) -> impl IntoView {
    view! {
        <a class="skip" href="#content">
            {text!(locale, common.skip_to_content)}
        </a>
    }
}

/// Logo and name; a link when `href` is given.
pub fn brand(logo: String, href: Option<&'static str>) -> impl IntoView {
    view! {
        <a class="brand" href=href>
            <img src=logo alt="" width="36" height="36" />
            <span>{PRODUCT}</span>
        </a>
    }
}

/// The language switch. A plain form that comes back to the same page; live inside an island, where scripts make its
/// button superfluous.
pub fn language_form(locale: RwSignal<Locale>, return_to: String, live: bool) -> impl IntoView {
    let button = if live {
        "button small before-script"
    } else {
        "button small"
    };
    let failed = RwSignal::new(false);
    let switch = move |event: ev::Event| {
        let wanted = event_target_value(&event);
        spawn_local(async move {
            let arrived = browser::language(&wanted).await;
            if browser::value(LANGUAGE) != wanted {
                // Another one was chosen meanwhile.
                return;
            }
            failed.set(arrived.is_none());
            match arrived {
                Some(chosen) => {
                    browser::remember_language(chosen);
                    locale.set(chosen);
                }
                None => browser::set_value(LANGUAGE, tag(locale.get_untracked())),
            }
        });
    };
    let problem = move || {
        failed
            .get()
            .then(|| td_string!(locale.get(), common.language_failed))
    };
    view! {
        <form id=LANGUAGE_FORM class="language" method="post" action=paths::LANGUAGE>
            <label for=LANGUAGE>{text!(locale, common.language)}</label>
            <input type="hidden" name="return_to" value=return_to />
            <select
                id=LANGUAGE
                name="language"
                autocomplete="off"
                on:focus=|_| browser::fetch_languages()
                on:change=switch
                inner_html=options(locale.get_untracked())
            ></select>
            <button class=button>{text!(locale, common.change_language)}</button>
            {live.then(|| view! { <p class="problem" role="alert">{problem}</p> })}
        </form>
    }
}

/// Every language on offer, as HTML.
#[cfg(not(target_arch = "wasm32"))]
fn options(selected: Locale) -> String {
    language_options(selected).to_html()
}

/// The page has them already.
#[cfg(target_arch = "wasm32")]
fn options(_: Locale) -> String {
    String::new()
}

/// The language switch of a page with the form `form`, which it sends along: nothing typed is lost. `live` = scripts make
/// its button superfluous.
#[cfg(feature = "ssr")]
pub fn language_switch_of(form: &'static str, now: Locale, return_to: String, live: bool) -> impl IntoView {
    let class = if live {
        "button small before-script"
    } else {
        "button small"
    };
    view! {
        // Enter in a field presses the first button of its form. That must not be the one of the language.
        <button class="visually-hidden" form=form tabindex="-1" aria-hidden="true"></button>
        <div class="language">
            <label for=LANGUAGE>{td_string!(now, common.language)}</label>
            <select id=LANGUAGE name="shown_in" form=form autocomplete="off">
                {language_options(now)}
            </select>
            <button
                class=class
                form=form
                formaction=paths::LANGUAGE
                formnovalidate
                name="return_to"
                value=return_to
            >
                {td_string!(now, common.change_language)}
            </button>
        </div>
    }
}

/// Every language on offer by its own name, for a `select`.
#[cfg(not(target_arch = "wasm32"))]
pub fn language_options(selected: Locale) -> impl IntoView {
    use vestibule_translations::{all, name};

    all()
        .iter()
        .map(|&offered| {
            view! {
                <option value=tag(offered) lang=tag(offered) selected=offered == selected>
                    {name(offered)}
                </option>
            }
        })
        .collect_view()
}

/// Links at the end of every page.
pub fn footer(locale: RwSignal<Locale>, links: Links) -> impl IntoView {
    view! {
        <footer class="foot">
            <a href=links.terms>{text!(locale, common.terms)}</a>
            <a href=links.privacy>{text!(locale, common.privacy)}</a>
            {links
                .mailbox
                .map(|href| {
                    view! { <a href=href>{text!(locale, mailbox.title)}</a> }
                })}
        </footer>
    }
}
