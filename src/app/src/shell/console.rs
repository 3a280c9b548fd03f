//! The frame of the Admin console, and what both landing pages share.

use leptos::prelude::*;
use vestibule_core::{account::Role, paths};
use vestibule_translations::{Locale, td_string};

use super::site::{site, site_with_form};
use crate::page::{Frame, SignedIn};

/// The console's frame with its navigation. `current` is the address that it marks; the language switch sends the form
/// with the id `form` along, so that nothing typed is lost.
pub fn console(
    frame: Frame,
    current: &'static str,
    form: Option<&'static str>,
    content: impl IntoView,
) -> AnyView {
    around(frame, current, form, "console-main", content.into_any())
}

/// The same for a page that is as wide as the window: a long list.
pub fn console_wide(frame: Frame, current: &'static str, content: impl IntoView) -> AnyView {
    around(frame, current, None, "console-main full", content.into_any())
}

/// A page of the own account: with the console's navigation for those who have a console.
pub fn account_page(frame: Frame, form: Option<&'static str>, content: impl IntoView) -> AnyView {
    let content = content.into_any();
    let has_console = frame
        .signed_in
        .as_ref()
        .is_some_and(|somebody| somebody.role > Role::Agent && !somebody.confined);
    let content = if has_console {
        view! { <div class="console">{navigation(&frame, "")} {content}</div> }.into_any()
    } else {
        content
    };
    match form {
        Some(form) => site_with_form(frame, form, content),
        None => site(frame, content),
    }
}

/// Id of what the navigation's button shows where there is no room for all of it.
const NAVIGATION: &str = "console-links";

/// Where the pages of the console are; `current` is the address that is marked. Where there is no room beside the page, a
/// button says where one is and opens the rest: without scripts, and Escape closes it.
fn navigation(frame: &Frame, current: &'static str) -> AnyView {
    let now = frame.locale;
    // A supervisor has no other page of the console.
    let all = frame
        .signed_in
        .as_ref()
        .is_some_and(|somebody| somebody.role == Role::Admin);
    let links = [
        (paths::ADMIN, td_string!(now, console.overview)),
        (paths::AGENTS, td_string!(now, console.agents)),
        (paths::ADMIN_SESSIONS, td_string!(now, profile.sessions_title)),
        (paths::ADMIN_COMPANY, td_string!(now, console.general)),
        (paths::ADMIN_SECURITY, td_string!(now, console.security)),
        (paths::ADMIN_SSO, td_string!(now, console.sso)),
        (paths::ADMIN_APPLICATIONS, td_string!(now, applications.title)),
        (paths::ADMIN_MAIL, td_string!(now, console.mail)),
        (paths::ADMIN_AUDIT, td_string!(now, console.audit)),
    ]
    .into_iter()
    .filter(|(href, _)| all || *href == paths::AGENTS);
    let name = td_string!(now, console.navigation);
    let here = links.clone().find(|(href, _)| *href == current);
    // One link hides nothing.
    let button = all.then(|| {
        let (shown, label) = match here {
            Some((_, page)) => (page, td_string!(now, common.labelled, label = name, value = page)),
            None => (name, name.to_owned()),
        };
        view! {
            <button type="button" class="button small" popovertarget=NAVIGATION aria-label=label>
                <span aria-hidden="true">"☰"</span>
                {shown}
            </button>
        }
    });
    let links = links
        .map(|(href, label)| {
            view! {
                <li>
                    <a href=href aria-current=(href == current).then_some("page")>
                        {label}
                    </a>
                </li>
            }
        })
        .collect_view();
    view! {
        <nav class="console-nav" aria-label=name>
            {button}
            <ul id=NAVIGATION popover=all.then_some("auto")>
                {links}
            </ul>
        </nav>
    }
    .into_any()
}

fn around(
    frame: Frame,
    current: &'static str,
    form: Option<&'static str>,
    class: &'static str,
    content: AnyView,
) -> AnyView {
    let content = view! {
        <div class="console">
            {navigation(&frame, current)}
            <main id="content" class=class tabindex="-1">
                {content}
            </main>
        </div>
    };
    match form {
        Some(form) => site_with_form(frame, form, content),
        None => site(frame, content),
    }
}

/// The head of a landing page, with the open door.
pub fn hero(eyebrow: Option<String>, title: String, intro: String) -> AnyView {
    view! {
        <div class="hero">
            <div class="hero-text">
                {eyebrow.map(|eyebrow| view! { <p class="eyebrow">{eyebrow}</p> })} <h1>{title}</h1>
                <p class="lead">{intro}</p>
            </div>
            <div class="doorway" aria-hidden="true"></div>
        </div>
    }
    .into_any()
}

/// Who is signed in.
pub fn who(now: Locale, somebody: SignedIn) -> AnyView {
    let SignedIn {
        alias,
        account,
        email,
        company,
        role,
        ..
    } = somebody;
    let role = role_name(now, role);
    view! {
        <section class="card">
            <h2>{td_string!(now, common.signed_in_as, name = alias)}</h2>
            <dl class="facts">
                {fact(td_string!(now, console.company), company)} {fact(td_string!(now, console.account), account)}
                {fact(td_string!(now, console.email), email)}
                {fact(td_string!(now, console.role), role.to_owned())}
            </dl>
            <p class="card-end">
                <a class="button" href=paths::PROFILE>
                    {td_string!(now, common.profile)}
                </a>
            </p>
        </section>
    }.into_any()
}

/// The name of a role.
pub fn role_name(now: Locale, role: Role) -> &'static str {
    match role {
        Role::Agent => td_string!(now, console.role_agent),
        Role::Supervisor => td_string!(now, console.role_supervisor),
        Role::Admin => td_string!(now, console.role_admin),
    }
}

/// A name and a value.
pub fn fact(name: &'static str, value: String) -> AnyView {
    view! {
        <div>
            <dt>{name}</dt>
            <dd>
                <bdi>{value}</bdi>
            </dd>
        </div>
    }
    .into_any()
}
