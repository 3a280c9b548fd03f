//! Landing pages: the Agent Panel and the Admin console.

use leptos::prelude::*;
use vestibule_core::paths;
use vestibule_translations::{Locale, td_string};

use super::forms::few_backup_codes;
use super::site::{site, site_with_form};
use crate::page::{Frame, LandingPage, Role, SignedIn};

/// `/agent`
pub(super) fn agent(frame: Frame, page: LandingPage) -> impl IntoView {
    let now = frame.locale;
    let content = frame.signed_in.clone().map(|somebody| {
        let welcome = td_string!(now, console.agent_welcome, name = somebody.alias.clone());
        let intro = td_string!(now, console.agent_intro, company = somebody.company.clone());
        let console = (somebody.role > Role::Agent).then(|| {
            view! {
                <p>
                    <a class="button primary" href=paths::AGENTS>
                        {td_string!(now, console.open)}
                    </a>
                </p>
            }
        });
        view! {
            <main id="content" tabindex="-1">
                {hero(Some(welcome), td_string!(now, console.agent_title).to_owned(), intro)}
                {few_backup_codes(now, page.few_backup_codes)}
                {console}
                <div class="cards">{who(now, somebody)}</div>
            </main>
        }
    });
    site(frame, content)
}

/// The console's frame with its navigation. `current` is the address that it marks; the language switch sends the form
/// with the id `form` along, so that nothing typed is lost.
pub(super) fn console(
    frame: Frame,
    current: &'static str,
    form: Option<&'static str>,
    content: impl IntoView,
) -> AnyView {
    let now = frame.locale;
    // A supervisor has no other page of the console.
    let all = frame
        .signed_in
        .as_ref()
        .is_some_and(|somebody| somebody.role == Role::Admin);
    let links = [
        (paths::ADMIN, td_string!(now, console.overview)),
        (paths::AGENTS, td_string!(now, console.agents)),
        (paths::ADMIN_COMPANY, td_string!(now, console.general)),
        (paths::ADMIN_SECURITY, td_string!(now, console.security)),
        (paths::ADMIN_SSO, td_string!(now, console.sso)),
        (paths::ADMIN_MAIL, td_string!(now, console.mail)),
        (paths::ADMIN_AUDIT, td_string!(now, console.audit)),
    ]
    .into_iter()
    .filter(|(href, _)| all || *href == paths::AGENTS)
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
    let content = view! {
        <div class="console">
            <nav class="console-nav" aria-label=td_string!(now, console.navigation)>
                <ul>{links}</ul>
            </nav>
            <main id="content" class="console-main" tabindex="-1">
                {content}
            </main>
        </div>
    };
    match form {
        Some(form) => site_with_form(frame, form, content).into_any(),
        None => site(frame, content).into_any(),
    }
}

/// The head of a landing page, with the open door.
pub(super) fn hero(eyebrow: Option<String>, title: String, intro: String) -> impl IntoView {
    view! {
        <div class="hero">
            <div class="hero-text">
                {eyebrow.map(|eyebrow| view! { <p class="eyebrow">{eyebrow}</p> })} <h1>{title}</h1>
                <p class="lead">{intro}</p>
            </div>
            <div class="doorway" aria-hidden="true"></div>
        </div>
    }
}

/// Who is signed in.
pub(super) fn who(now: Locale, somebody: SignedIn) -> impl IntoView {
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
    }
}

/// The name of a role.
pub(super) fn role_name(now: Locale, role: Role) -> &'static str {
    match role {
        Role::Agent => td_string!(now, console.role_agent),
        Role::Supervisor => td_string!(now, console.role_supervisor),
        Role::Admin => td_string!(now, console.role_admin),
    }
}

/// A name and a value.
pub(super) fn fact(name: &'static str, value: String) -> impl IntoView {
    view! {
        <div>
            <dt>{name}</dt>
            <dd>
                <bdi>{value}</bdi>
            </dd>
        </div>
    }
}
