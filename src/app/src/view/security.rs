//! Security Settings: second factors, backup codes, trusted browsers and sessions.

use leptos::prelude::*;
use vestibule_core::{paths, sso::Provider};
use vestibule_translations::{Locale, td_string};

use super::{
    forms::{action, few_backup_codes, good, moment, refused},
    site::site,
};
use crate::page::{
    BackupCodesPage, Frame, NewBackupCodesPage, ProviderRow, SecurityNotice, SecurityPage, SessionRow,
    TrustedRow, When,
};

/// `/profile/security`
pub(super) fn settings(frame: Frame, page: SecurityPage) -> impl IntoView {
    let now = frame.locale;
    let notice = page.notice.map(|notice| {
        good(match notice {
            SecurityNotice::Confirmed => td_string!(now, profile.confirmed),
            SecurityNotice::Changed => td_string!(now, profile.changed),
            SecurityNotice::Ended => td_string!(now, profile.ended),
            SecurityNotice::Connected => td_string!(now, sso.was_connected),
            SecurityNotice::Disconnected => td_string!(now, sso.was_disconnected),
        })
    });
    let content = view! {
        <main id="content" class="settings" tabindex="-1">
            <p class="back">
                <a href=paths::PROFILE>{td_string!(now, profile.title)}</a>
            </p>
            <h1>{td_string!(now, profile.security_title)}</h1>
            {notice}
            {refused(now, page.refusal.as_ref(), true)}
            {few_backup_codes(now, page.few_backup_codes)}
            {second_factors(now, page.email, page.app)}
            {providers(now, page.providers)}
            {trusted_browsers(now, page.trusted)}
            {sessions(now, page.sessions)}
        </main>
    };
    site(frame, content)
}

fn providers(now: Locale, rows: Vec<ProviderRow>) -> impl IntoView {
    let content = if rows.is_empty() {
        view! { <p class="quiet">{td_string!(now, profile.sso_none)}</p> }.into_any()
    } else {
        let rows = rows.into_iter().map(|row| provider(now, row)).collect_view();
        view! {
            <p class="quiet">{td_string!(now, sso.section_intro)}</p>
            <ul class="rows">{rows}</ul>
        }
        .into_any()
    };
    view! {
        <section class="card" aria-labelledby="sso">
            <h2 id="sso">{td_string!(now, profile.sso_title)}</h2>
            {content}
        </section>
    }
}

fn provider(now: Locale, row: ProviderRow) -> impl IntoView {
    let ProviderRow { provider, connected } = row;
    let heading = ["row-", provider.as_str()].concat();
    let about = heading.clone();
    let on = connected.is_some();
    let state = if on {
        td_string!(now, sso.connected)
    } else {
        td_string!(now, sso.not_connected)
    };
    let button = if on {
        ask_to_disconnect(now, provider, about, None).into_any()
    } else {
        action(provider.connect_path(), td_string!(now, sso.connect), about, None).into_any()
    };
    view! {
        <li class="row">
            <div class="row-text">
                <h3 id=heading>
                    {provider.name()} " " <span class="state" data-on=on.then_some("")>{state}</span>
                </h3>
                {connected
                    .filter(|shown| !shown.is_empty())
                    .map(|shown| {
                        view! {
                            <p class="quiet">
                                <bdi>{shown}</bdi>
                            </p>
                        }
                    })}
            </div>
            <div class="buttons">{button}</div>
        </li>
    }
}

/// A button that asks once more before a provider is disconnected: from the own account, or from the agent with this
/// identifier.
pub(super) fn ask_to_disconnect(
    now: Locale,
    provider: Provider,
    about: String,
    agent: Option<String>,
) -> impl IntoView {
    let (path, sentence) = match agent {
        None => (
            paths::SECURITY_SSO_DISCONNECT,
            td_string!(now, sso.disconnect_confirm),
        ),
        Some(_) => (
            paths::AGENTS_DISCONNECT,
            td_string!(now, sso.agent_disconnect_confirm),
        ),
    };
    view! {
        <details class="ask">
            <summary class="button small" aria-describedby=about>
                {td_string!(now, sso.disconnect)}
            </summary>
            <form method="post" action=path>
                <p>{sentence}</p>
                {agent.map(|id| view! { <input type="hidden" name="id" value=id /> })}
                <input type="hidden" name="provider" value=provider.as_str() />
                <button class="button small primary">{td_string!(now, sso.disconnect)}</button>
            </form>
        </details>
    }
}

fn second_factors(now: Locale, email: bool, app: bool) -> impl IntoView {
    let backup_codes = (email || app).then(|| {
        view! {
            <p class="card-end">
                <a class="button" href=paths::SECURITY_BACKUP_CODES>
                    {td_string!(now, profile.view_backup_codes)}
                </a>
            </p>
        }
    });
    let email = factor(
        now,
        td_string!(now, profile.email_row),
        td_string!(now, profile.email_advice),
        email,
        (paths::SECURITY_EMAIL, paths::SECURITY_EMAIL_OFF),
    );
    let app = factor(
        now,
        td_string!(now, profile.app_row),
        td_string!(now, profile.app_advice),
        app,
        (paths::SECURITY_APP, paths::SECURITY_APP_OFF),
    );
    view! {
        <section class="card" aria-labelledby="two-factor">
            <h2 id="two-factor">{td_string!(now, profile.two_factor_title)}</h2>
            <ul class="rows">{email} {app}</ul>
            {backup_codes}
        </section>
    }
}

/// One method: its state and what can be done. `set_up` and `off` are the addresses of the two forms.
fn factor(
    now: Locale,
    title: &'static str,
    advice: &'static str,
    on: bool,
    (set_up, off): (&'static str, &'static str),
) -> impl IntoView {
    let heading = ["row", &set_up.replace('/', "-")].concat();
    let (state, label) = if on {
        (td_string!(now, profile.on), td_string!(now, profile.reset))
    } else {
        (td_string!(now, profile.off), td_string!(now, profile.set_up))
    };
    view! {
        <li class="row">
            <div class="row-text">
                <h3 id=heading.clone()>
                    {title} " " <span class="state" data-on=on.then_some("")>{state}</span>
                </h3>
                <p class="quiet">{advice}</p>
            </div>
            <div class="buttons">
                {action(set_up, label, heading.clone(), None)}
                {on.then(|| action(off, td_string!(now, profile.turn_off), heading, None))}
            </div>
        </li>
    }
}

fn trusted_browsers(now: Locale, rows: Vec<TrustedRow>) -> impl IntoView {
    let content = if rows.is_empty() {
        view! { <p class="quiet">{td_string!(now, profile.trusted_none)}</p> }.into_any()
    } else {
        let rows = rows.into_iter().map(|row| trusted(now, row)).collect_view();
        view! {
            <p class="quiet">{td_string!(now, profile.trusted_intro)}</p>
            <ul class="rows">{rows}</ul>
            <form class="card-end" method="post" action=paths::SECURITY_TRUSTED_REMOVE_ALL>
                <button class="button" aria-describedby="trusted">
                    {td_string!(now, profile.remove_all)}
                </button>
            </form>
        }
        .into_any()
    };
    view! {
        <section class="card" aria-labelledby="trusted">
            <h2 id="trusted">{td_string!(now, profile.trusted_title)}</h2>
            {content}
        </section>
    }
}

fn trusted(now: Locale, row: TrustedRow) -> impl IntoView {
    let browser = browser_name(now, row.browser);
    let about = ["row-", &row.id].concat();
    view! {
        <li class="row">
            <div class="row-text">
                <h3 id=about.clone()>
                    <bdi>{browser}</bdi>
                    {row.this.then(|| this(td_string!(now, profile.this_browser)))}
                </h3>
                <dl class="details">
                    {address(now, row.address)} {detail(td_string!(now, profile.since), row.since)}
                    {detail(td_string!(now, profile.until), row.until)}
                    {detail(td_string!(now, profile.last_used), row.last_used)}
                </dl>
            </div>
            {action(paths::SECURITY_TRUSTED_REMOVE, td_string!(now, profile.remove), about, Some(row.id))}
        </li>
    }
}

fn sessions(now: Locale, rows: Vec<SessionRow>) -> impl IntoView {
    let others = rows.iter().any(|row| !row.this);
    let rows = rows.into_iter().map(|row| session(now, row)).collect_view();
    let end_others = others.then(|| {
        view! {
            <form class="card-end" method="post" action=paths::SECURITY_SESSIONS_END_OTHERS>
                <button class="button" aria-describedby="sessions">
                    {td_string!(now, profile.end_others)}
                </button>
            </form>
        }
    });
    view! {
        <section class="card" aria-labelledby="sessions">
            <h2 id="sessions">{td_string!(now, profile.sessions_title)}</h2>
            <p class="quiet">{td_string!(now, profile.sessions_intro)}</p>
            <ul class="rows">{rows}</ul>
            {end_others}
        </section>
    }
}

fn session(now: Locale, row: SessionRow) -> impl IntoView {
    let browser = browser_name(now, row.browser);
    let about = ["row-", &row.id].concat();
    view! {
        <li class="row">
            <div class="row-text">
                <h3 id=about.clone()>
                    <bdi>{browser}</bdi>
                    {row.this.then(|| this(td_string!(now, profile.this_session)))}
                </h3>
                <dl class="details">
                    {address(now, row.address)} {detail(td_string!(now, profile.since), row.since)}
                    {detail(td_string!(now, profile.last_used), row.last_used)}
                </dl>
            </div>
            {action(paths::SECURITY_SESSION_END, td_string!(now, profile.end), about, Some(row.id))}
        </li>
    }
}

fn browser_name(now: Locale, browser: Option<String>) -> String {
    browser.unwrap_or_else(|| td_string!(now, profile.unknown_browser).to_owned())
}

fn this(label: &'static str) -> impl IntoView {
    view! {
        " "
        <span class="state" data-on="">
            {label}
        </span>
    }
}

fn address(now: Locale, address: Option<String>) -> impl IntoView {
    address.map(|address| {
        view! {
            <div>
                <dt>{td_string!(now, profile.address)}</dt>
                <dd>
                    <bdi>{address}</bdi>
                </dd>
            </div>
        }
    })
}

fn detail(name: &'static str, when: When) -> impl IntoView {
    view! {
        <div>
            <dt>{name}</dt>
            <dd>{moment(when)}</dd>
        </div>
    }
}

/// `/profile/security/backup-codes`
pub(super) fn backup_codes(frame: Frame, page: BackupCodesPage) -> impl IntoView {
    let now = frame.locale;
    let BackupCodesPage {
        made_at,
        used_at,
        available,
        confirmed,
        refusal,
    } = page;
    let list = match (available, made_at) {
        (false, _) => view! {
            <p class="lead">{td_string!(now, profile.backup_unavailable)}</p>
            <p class="card-end">
                <a class="button primary" href=paths::SECURITY>
                    {td_string!(now, profile.security_title)}
                </a>
            </p>
        }
        .into_any(),
        (true, made_at) => made(now, made_at, used_at).into_any(),
    };
    let content = view! {
        <main id="content" class="settings narrow" tabindex="-1">
            <p class="back">
                <a href=paths::SECURITY>{td_string!(now, profile.security_title)}</a>
            </p>
            <h1>{td_string!(now, profile.backup_title)}</h1>
            {confirmed.then(|| good(td_string!(now, profile.confirmed)))}
            {refused(now, refusal.as_ref(), true)}
            {list}
        </main>
    };
    site(frame, content)
}

/// The set of codes with what was used of it, and the button for a new one.
fn made(now: Locale, made_at: Option<When>, used_at: Vec<Option<When>>) -> impl IntoView {
    let left = used_at.iter().filter(|used| used.is_none()).count();
    let since = match made_at {
        Some(when) => view! {
            <p class="quiet">
                {td_string!(now, profile.backup_left, count = left)} " "
                {td_string!(now, profile.backup_made)} " " {moment(when)}
            </p>
        }
        .into_any(),
        None => view! { <p class="quiet">{td_string!(now, profile.backup_none)}</p> }.into_any(),
    };
    let codes = (1..)
        .zip(used_at)
        .map(|(number, used): (usize, _)| {
            let state = match used {
                None => view! {
                    <span class="state" data-on="">
                        {td_string!(now, profile.unused)}
                    </span>
                }
                .into_any(),
                Some(when) => view! {
                    <span class="quiet">{td_string!(now, profile.used_on)} " " {moment(when)}</span>
                }
                .into_any(),
            };
            view! {
                <li>
                    <b>{td_string!(now, profile.code_number, number = number)}</b>
                    {state}
                </li>
            }
        })
        .collect_view();
    view! {
        <p class="lead">{td_string!(now, profile.backup_intro)}</p>
        {since}
        <ul class="code-states">{codes}</ul>
        <form class="fields" method="post" action=paths::SECURITY_BACKUP_CODES>
            <button class="button primary" aria-describedby="new-codes">
                {td_string!(now, profile.generate)}
            </button>
            <p id="new-codes" class="hint">
                {td_string!(now, profile.generate_hint)}
            </p>
        </form>
    }
}

/// The ten codes, shown this once.
pub(super) fn new_backup_codes(frame: Frame, page: NewBackupCodesPage) -> impl IntoView {
    let now = frame.locale;
    let NewBackupCodesPage { codes, file, to } = page;
    let together = codes.join("\n");
    let codes = codes
        .into_iter()
        .map(|code| view! { <li><code dir="ltr">{code}</code></li> })
        .collect_view();
    // Scripts show the button and copy what its attribute holds.
    let copy = view! {
        <button type="button" class="button" hidden>
            {td_string!(now, profile.copy)}
        </button>
    }
    .attr("data-text", together);
    let copied = view! { <span class="quiet" role="status"></span> }
        .attr("data-done", td_string!(now, profile.copied));
    let content = view! {
        <main id="content" class="settings narrow" tabindex="-1">
            <h1>{td_string!(now, profile.backup_title)}</h1>
            <p class="notice caution">{td_string!(now, profile.codes_once)}</p>
            <ol class="codes">{codes}</ol>
            <div class="buttons">
                <a class="button" download="vestibule-backup-codes.txt" href=file>
                    {td_string!(now, profile.download)}
                </a>
                {copy}
                {copied}
            </div>
            <p class="card-end">
                <a class="button primary" href=to>
                    {td_string!(now, profile.done)}
                </a>
            </p>
        </main>
    };
    site(frame, content)
}
