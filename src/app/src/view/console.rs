//! Landing pages: the Agent Panel and the Admin console.

use leptos::prelude::*;
use vestibule_core::paths;
use vestibule_translations::{Locale, td_string};

use super::forms::few_backup_codes;
use super::site::site;
use crate::page::{Frame, LandingPage, Role, SignedIn};

/// `/agent`
pub(super) fn agent(frame: Frame, page: LandingPage) -> impl IntoView {
    let now = frame.locale;
    let content = frame.signed_in.clone().map(|somebody| {
        let welcome = td_string!(now, console.agent_welcome, name = somebody.alias.clone());
        let intro = td_string!(now, console.agent_intro, company = somebody.company.clone());
        view! {
            <main id="content" tabindex="-1">
                {hero(Some(welcome), td_string!(now, console.agent_title).to_owned(), intro)}
                {few_backup_codes(now, page.few_backup_codes)}
                <div class="cards">{who(now, somebody)}</div>
            </main>
        }
    });
    site(frame, content)
}

/// `/admin`: the console's frame with its navigation, and the overview.
pub(super) fn admin(frame: Frame, page: LandingPage) -> impl IntoView {
    let now = frame.locale;
    let content = frame.signed_in.clone().map(|somebody| {
        let title = td_string!(now, console.admin_title).to_owned();
        let intro = td_string!(now, console.admin_intro, company = somebody.company.clone());
        view! {
            <div class="console">
                <nav class="console-nav" aria-label=td_string!(now, console.navigation)>
                    <ul>
                        <li>
                            <a href=paths::ADMIN aria-current="page">
                                {td_string!(now, console.overview)}
                            </a>
                        </li>
                    </ul>
                </nav>
                <main id="content" class="console-main" tabindex="-1">
                    {hero(None, title, intro)}
                    {few_backup_codes(now, page.few_backup_codes)}
                    <div class="cards">{who(now, somebody)}</div>
                </main>
            </div>
        }
    });
    site(frame, content)
}

/// The head of a landing page, with the open door.
fn hero(eyebrow: Option<String>, title: String, intro: String) -> impl IntoView {
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
fn who(now: Locale, somebody: SignedIn) -> impl IntoView {
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
