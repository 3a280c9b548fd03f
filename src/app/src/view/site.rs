//! The frame of pages without an island, the legal texts and the error pages. All of it is plain HTML.

use leptos::prelude::*;
use vestibule_core::{paths, refusal::Refusal};
use vestibule_translations::{Locale, direction, from_tag, refusal, td_string};

use crate::{
    components::frame::{brand, footer, language_form, language_options, skip_link},
    page::{Frame, LegalPage, SignedIn},
};

/// Header, content, footer.
pub(super) fn site(frame: Frame, content: impl IntoView) -> impl IntoView {
    let switch = language_form(RwSignal::new(frame.locale), frame.path.clone(), false);
    around(frame, switch, content)
}

/// As [`site`], for a page whose form must not lose what was typed when the language changes: the switch sends the
/// form with this id along, and the page comes back with it.
pub(super) fn site_with_form(frame: Frame, form: &'static str, content: impl IntoView) -> impl IntoView {
    let now = frame.locale;
    let switch = view! {
        // Enter in a field presses the first button of its form. That must not be the one of the language.
        <button class="visually-hidden" form=form tabindex="-1" aria-hidden="true"></button>
        <div class="language">
            <label for="language">{td_string!(now, common.language)}</label>
            <select id="language" name="shown_in" form=form autocomplete="off">
                {language_options(now)}
            </select>
            <button
                class="button small"
                form=form
                formaction=paths::LANGUAGE
                formnovalidate
                name="return_to"
                value=frame.path.clone()
            >
                {td_string!(now, common.change_language)}
            </button>
        </div>
    };
    around(frame, switch, content)
}

fn around(frame: Frame, switch: impl IntoView, content: impl IntoView) -> impl IntoView {
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
    view! {
        <div class="site">
            {skip_link(shared)}
            <header class="site-top">
                {brand(assets.logo, home)} {switch}
                {signed_in.map(|somebody| status_menu(locale, somebody))}
            </header>
            {content}
            {footer(shared, links)}
        </div>
    }
}

/// Who is signed in, and the way out. Opens without scripts.
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
        <details class="status">
            <summary>
                <span class="avatar" aria-hidden="true">{initial}</span>
                <span class="visually-hidden">{signed_in_as}</span>
                <bdi class="status-name" aria-hidden="true">{alias.clone()}</bdi>
            </summary>
            <div class="status-panel">
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
                        }
                    })}
                <form method="post" action=paths::LOGOUT>
                    <button class="button wide">{td_string!(now, common.logout)}</button>
                </form>
            </div>
        </details>
    }
}

/// Terms of Service or Privacy Policy.
pub(super) fn legal(frame: Frame, page: LegalPage) -> impl IntoView {
    let LegalPage { language, html, .. } = page;
    let dir = from_tag(&language).map_or("auto", direction);
    let content = view! {
        <main id="content" class="reading" tabindex="-1">
            <article class="prose" lang=language dir=dir inner_html=html></article>
        </main>
    };
    site(frame, content)
}

/// Standing in line. The document refreshes itself.
pub(super) fn waiting(frame: Frame, number: Option<u32>) -> impl IntoView {
    let now = frame.locale;
    let place = number.map(|number| td_string!(now, sign_in.waiting, number = number));
    let content = view! {
        <main id="content" class="problem-page" tabindex="-1">
            <h1>{td_string!(now, sign_in.waiting_title)}</h1>
            {place.map(|place| view! { <p class="lead" role="status">{place}</p> })}
            <p>{td_string!(now, sign_in.waiting_next)}</p>
        </main>
    };
    site(frame, content)
}

/// An error page: what happened, in one sentence, and the way back.
pub(super) fn problem(frame: Frame, refusal: &Refusal) -> impl IntoView {
    let now = frame.locale;
    let heading = refusal::title(now, refusal);
    let sentence = refusal::full_sentence(now, refusal);
    let status = refusal.status();
    let home = matches!(
        refusal,
        Refusal::NotFound | Refusal::Forbidden | Refusal::Internal { .. }
    );
    let back = if home {
        view! { <a class="button primary" href="/">{td_string!(now, errors.go_home)}</a> }.into_any()
    } else {
        view! { <a class="button primary" href=paths::LOGIN>{td_string!(now, sign_in.back_to_sign_in)}</a> }
            .into_any()
    };
    let content = view! {
        <main id="content" class="problem-page" tabindex="-1">
            <p class="problem-status" aria-hidden="true">{status}</p>
            <h1>{heading}</h1>
            <p class="lead">{sentence}</p>
            <p>{back}</p>
        </main>
    };
    site(frame, content)
}
