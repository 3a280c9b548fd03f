//! An agent in few words: as in the list, and at the head of its page.

use leptos::prelude::*;
use vestibule_app::{page::When, shell::console::role_name};
use vestibule_core::{
    account::{Account, Role},
    paths,
    rights::Action,
};
use vestibule_translations::{Locale, td_string};

use super::acts::{
    Act, DeactivateAgent, DeleteAgent, EndAgentSessions, IssueBackupCode, SendAccountDetails, SetPassword,
    UnlockAgent,
};

/// Active or inactive, and the lock with when and why.
pub fn state(now: Locale, account: &Account, locked: Option<When>) -> AnyView {
    let label = if account.active {
        td_string!(now, agents.active)
    } else {
        td_string!(now, agents.inactive)
    };
    let lock = locked.map(|when| {
        let why = td_string!(now, agents.locked_since, when = when.shown);
        let title = why.clone();
        view! {
            <span class="lock" title=title>
                <span aria-hidden="true">"🔒"</span>
                " "
                <span>{why}</span>
            </span>
        }
    });
    view! {
        <span class="state" data-on=account.active.then_some("")>
            {label}
        </span>
        {lock}
    }
    .into_any()
}

/// The same in one line; when and why an account is locked stands in its title, and is read out.
pub fn list_state(now: Locale, account: &Account, locked: Option<When>) -> AnyView {
    let inactive = (!account.active).then(|| {
        view! {
            <span class="state">{td_string!(now, agents.inactive)}</span>
            " "
        }
    });
    let lock = locked.map(|when| {
        let why = td_string!(now, agents.locked_since, when = when.shown);
        view! {
            <span class="state" data-bad="" title=why.clone()>
                {td_string!(now, agents.locked)}
            </span>
            <span class="visually-hidden">{why}</span>
        }
    });
    let active = (account.active && lock.is_none()).then(|| {
        view! {
            <span class="state" data-on="">
                {td_string!(now, agents.active)}
            </span>
        }
    });
    view! {
        {inactive}
        {lock}
        {active}
    }
    .into_any()
}

/// The second factors in words.
pub fn factors(now: Locale, account: &Account) -> String {
    let on = [
        account.app_factor.then(|| td_string!(now, agents.factor_app)),
        account.email_factor.then(|| td_string!(now, agents.factor_email)),
    ];
    let on: Vec<&str> = on.into_iter().flatten().collect();
    if on.is_empty() {
        td_string!(now, agents.factor_none).to_owned()
    } else {
        on.join(", ")
    }
}

/// The roles in words.
pub fn roles(now: Locale, roles: &[Role]) -> String {
    let names: Vec<&str> = roles.iter().map(|&role| role_name(now, role)).collect();
    names.join(", ")
}

/// The links to everything that `own` may do to an account, and that is of use right now.
pub fn actions(now: Locale, own: &Account, account: &Account, with_view: bool) -> AnyView {
    let allowed = |action: Action| action.reaches(own, account);
    let locked = account.is_locked();
    let id = account.id.to_string();
    [
        (with_view, "view", td_string!(now, agents.view)),
        (allowed(Action::EditAgent), "", td_string!(now, agents.edit)),
        link::<UnlockAgent>(now, allowed, locked),
        link::<IssueBackupCode>(now, allowed, account.has_second_factor() && !locked),
        link::<SetPassword>(now, allowed, true),
        link::<SendAccountDetails>(now, allowed, account.awaits_password()),
        link::<EndAgentSessions>(now, allowed, true),
        link::<DeactivateAgent>(now, allowed, account.active && own.id != account.id),
        link::<DeleteAgent>(now, allowed, own.id != account.id),
    ]
    .into_iter()
    .filter(|(offered, ..)| *offered)
    .map(|(_, page, label)| {
        view! {
            <li>
                <a href=page_of(&id, page)>{label}</a>
            </li>
        }
    })
    .collect_view()
    .into_any()
}

/// An act that is offered when it is allowed and of use.
fn link<A: Act>(
    now: Locale,
    allowed: impl Fn(Action) -> bool,
    of_use: bool,
) -> (bool, &'static str, &'static str) {
    (allowed(A::ACTION) && of_use, A::WORD, A::title(now))
}

/// A page of an agent; `page` is the last part of its address, empty for editing.
pub fn page_of(id: &str, page: &str) -> String {
    let between = if page.is_empty() { "" } else { "/" };
    [paths::AGENTS, "/", id, between, page].concat()
}
