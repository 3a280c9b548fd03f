//! One agent: adding, editing, looking, and what is done to them.

use leptos::prelude::*;
use vestibule_core::{
    account::Role,
    company::NewAgentMail,
    limits::{ISSUED_CODE_SECONDS, REASON_MAX},
    paths,
    refusal::Refusal,
    signed_in::FormField,
    sso::Provider,
};
use vestibule_translations::{Locale, all, from_tag, name, tag, td_string};

use super::{
    agents::{actions, factors, page_of, role_name, state},
    audit::event_table,
    company::why,
    console::{console, fact},
    forms::{Input, action, good, moment, problem, refused},
    security::ask_to_disconnect,
};
use crate::page::{
    AgentAct, AgentActPage, AgentFormPage, AgentNotice, AgentViewPage, Frame, IssuedCodePage, Typed, When,
};

/// Id of the form, which the language switch sends along.
const FORM: &str = "agent-form";
/// Id of the page's heading.
const HEADING: &str = "heading";

/// `/admin/agents/new` and `/admin/agents/{id}`
pub(super) fn form(frame: Frame, page: AgentFormPage) -> impl IntoView {
    let now = frame.locale;
    let title = if page.id.is_some() {
        td_string!(now, agents.edit_title)
    } else {
        td_string!(now, agents.add_title)
    };
    let notices = [
        (page.saved, td_string!(now, agents.saved)),
        (page.email_sent, td_string!(now, agents.email_sent)),
        (page.email_cancelled, td_string!(now, agents.email_cancelled)),
    ]
    .map(|(shown, sentence)| shown.then(|| good(sentence)))
    .into_iter()
    .collect_view();
    let refusal = page.refusal.clone();
    let pending = page
        .id
        .clone()
        .zip(page.pending_email.clone())
        .map(|(id, (email, since))| pending_email(now, id, (email, since), page.is_own));
    let content = view! {
        <p class="back">
            <a href=paths::AGENTS>{td_string!(now, agents.title)}</a>
        </p>
        <h1 id=HEADING>{title}</h1>
        {notices}
        {why(now, refusal.as_ref())}
        {pending}
        {fields(now, page)}
    };
    console(frame, paths::AGENTS, Some(FORM), content)
}

/// A new address that waits for its confirmation. The mail to the own one is sent again from the profile.
fn pending_email(now: Locale, id: String, (email, since): (String, When), is_own: bool) -> impl IntoView {
    let resend = (!is_own).then(|| {
        action(
            paths::AGENTS_EMAIL_RESEND,
            td_string!(now, agents.resend_email),
            "pending-email".to_owned(),
            Some(id.clone()),
        )
    });
    view! {
        <section class="notice caution" aria-labelledby="pending-email">
            <p id="pending-email">
                {td_string!(now, agents.pending_email, email = email, when = since.shown)}
            </p>
            <div class="buttons">
                {resend}
                {action(
                    paths::AGENTS_EMAIL_CANCEL,
                    td_string!(now, agents.cancel_email),
                    "pending-email".to_owned(),
                    Some(id),
                )}
            </div>
        </section>
    }
}

fn fields(now: Locale, page: AgentFormPage) -> impl IntoView {
    let refusal = page.refusal.as_ref();
    let text = |field, label, typed: Typed, required, hint: Option<&str>| {
        let meanwhile = typed
            .meanwhile
            .map(|value| td_string!(now, company.meanwhile, value = value));
        let hint = match (meanwhile, hint) {
            (Some(meanwhile), Some(hint)) => Some(format!("{meanwhile} {hint}")),
            (Some(only), None) => Some(only),
            (None, hint) => hint.map(str::to_owned),
        };
        Input {
            field,
            label,
            // The browser's own data belong to the admin.
            autocomplete: "off",
            value: typed.value,
            required,
            hint,
            refusal,
        }
        .view(now)
    };
    let is_new = page.id.is_none();
    let account = if is_new {
        text(
            FormField::Account,
            td_string!(now, agents.account),
            page.account,
            true,
            Some(td_string!(now, agents.account_hint)),
        )
        .into_any()
    } else {
        view! {
            <dl class="facts">{fact(td_string!(now, agents.account), page.account.value)}</dl>
        }
        .into_any()
    };
    let email_hint = email_hint(now, is_new, page.new_agent_mail);
    let email = if page.is_own {
        own_email(now, page.email.value).into_any()
    } else {
        text(
            FormField::Email,
            td_string!(now, agents.email),
            page.email,
            true,
            Some(email_hint),
        )
        .into_any()
    };
    let hidden = page.id.clone().map(|id| {
        view! {
            <input type="hidden" name="id" value=id />
            <input type="hidden" name="version" value=page.version />
        }
    });
    let action = if is_new {
        paths::AGENTS_NEW
    } else {
        paths::AGENTS_EDIT
    };
    let button = if is_new {
        td_string!(now, agents.create)
    } else {
        td_string!(now, common.save)
    };
    view! {
        <form id=FORM class="fields pairs" method="post" action=action novalidate>
            {hidden}
            {account}
            {email}
            {text(FormField::FirstName, td_string!(now, profile.first_name), page.first_name, true, None)}
            {text(FormField::LastName, td_string!(now, profile.last_name), page.last_name, false, None)}
            {text(
                FormField::Alias,
                td_string!(now, profile.alias),
                page.alias,
                false,
                Some(td_string!(now, agents.alias_hint)),
            )}
            {text(FormField::Phone, td_string!(now, profile.phone), page.phone, false, None)}
            {text(FormField::Title, td_string!(now, profile.job_title), page.title, false, None)}
            {time_format(now, page.time_format)}
            {language(now, page.language, &page.company_language)}
            {roles(now, page.roles, refusal)}
            {active(now, page.active)}
            <div class="buttons">
                <button class="button primary">{button}</button>
                <a class="button" href=paths::AGENTS>
                    {td_string!(now, common.cancel)}
                </a>
            </div>
        </form>
    }
}

fn email_hint(now: Locale, is_new: bool, new_agent_mail: &str) -> &'static str {
    if !is_new {
        td_string!(now, agents.email_hint)
    } else if new_agent_mail == NewAgentMail::ActivationLink.as_str() {
        td_string!(now, agents.told_by_link)
    } else {
        td_string!(now, agents.told_by_details)
    }
}

/// The own e-mail address, which is changed in the profile.
fn own_email(now: Locale, address: String) -> impl IntoView {
    view! {
        <dl class="facts">{fact(td_string!(now, agents.email), address.clone())}</dl>
        <p class="hint">
            {td_string!(now, agents.own_email_hint)} " "
            <a href=paths::PROFILE>{td_string!(now, profile.title)}</a>
        </p>
        <input type="hidden" name="email" value=address />
    }
}

/// What somebody else saved meanwhile.
fn meanwhile(now: Locale, value: Option<String>) -> impl IntoView {
    value.map(|value| {
        view! {
            <p class="hint meanwhile">
                {td_string!(now, company.meanwhile, value = value)}
            </p>
        }
    })
}

fn time_format(now: Locale, typed: Typed) -> impl IntoView {
    let option = |value: &'static str, label: &'static str| {
        view! {
            <option value=value selected=typed.value == value>
                {label}
            </option>
        }
    };
    view! {
        <div class="field">
            <label for="time_format">{td_string!(now, profile.time_format)}</label>
            <select id="time_format" name="time_format" autocomplete="off">
                {option("24", td_string!(now, profile.hours_24))}
                {option("12", td_string!(now, profile.hours_12))}
            </select>
            {meanwhile(now, typed.meanwhile)}
        </div>
    }
}

fn language(now: Locale, typed: Typed, company: &str) -> impl IntoView + use<> {
    let company = from_tag(company).map(name).unwrap_or_default();
    let offered = all()
        .iter()
        .map(|&offered| {
            view! {
                <option value=tag(offered) lang=tag(offered) selected=typed.value == tag(offered)>
                    {name(offered)}
                </option>
            }
        })
        .collect_view();
    view! {
        <div class="field">
            <label for="agent-language">{td_string!(now, common.language)}</label>
            <select id="agent-language" name="language" autocomplete="off">
                <option value="" selected=typed.value.is_empty()>
                    {td_string!(now, profile.same_as_company, language = company)}
                </option>
                {offered}
            </select>
            {meanwhile(now, typed.meanwhile)}
        </div>
    }
}

fn roles(now: Locale, typed: Typed, refusal: Option<&Refusal>) -> impl IntoView + use<> {
    let wrong = problem(now, FormField::Roles, refusal);
    let described_by = wrong.is_some().then_some("roles-problem");
    let picked: Vec<&str> = typed.value.split(' ').collect();
    let boxes = [Role::Agent, Role::Supervisor, Role::Admin]
        .map(|role| {
            let word = role.as_str();
            view! {
                <label class="check">
                    <input type="checkbox" name="roles[]" value=word checked=picked.contains(&word) />
                    {role_name(now, word)}
                </label>
            }
        })
        .into_iter()
        .collect_view();
    let before = typed.meanwhile.map(|words| {
        let names: Vec<&str> = words.split(' ').map(|word| role_name(now, word)).collect();
        names.join(", ")
    });
    view! {
        <fieldset id=FormField::Roles.name() class="field checks" tabindex="-1" aria-describedby=described_by>
            <legend>{td_string!(now, agents.roles)}</legend>
            {boxes}
            {wrong.map(|sentence| view! { <p class="problem" id="roles-problem">{sentence}</p> })}
            {meanwhile(now, before)}
        </fieldset>
    }
}

fn active(now: Locale, typed: Typed) -> impl IntoView {
    let before = typed.meanwhile.map(|word| {
        if word.is_empty() {
            td_string!(now, agents.inactive).to_owned()
        } else {
            td_string!(now, agents.active).to_owned()
        }
    });
    view! {
        <div class="field checks">
            <label class="check">
                <input type="checkbox" name="active" value="on" checked=!typed.value.is_empty() />
                {td_string!(now, agents.active)}
            </label>
            <p class="hint">{td_string!(now, agents.active_hint)}</p>
            {meanwhile(now, before)}
        </div>
    }
}

/// `/admin/agents/{id}/view`
pub(super) fn look(frame: Frame, page: AgentViewPage) -> impl IntoView {
    let now = frame.locale;
    let notice = page.notice.map(|notice| {
        good(match notice {
            AgentNotice::Added => td_string!(now, agents.added),
            AgentNotice::ProviderDisconnected => td_string!(now, agents.provider_disconnected),
            AgentNotice::PasswordRemoved => td_string!(now, agents.password_removed),
            AgentNotice::PasswordSet => td_string!(now, agents.password_set),
            AgentNotice::LinkSent => td_string!(now, agents.link_sent),
            AgentNotice::DetailsSent => td_string!(now, agents.details_sent),
            AgentNotice::Unlocked => td_string!(now, agents.unlocked),
            AgentNotice::SessionsEnded => td_string!(now, agents.sessions_ended),
        })
    });
    let row = page.row.clone();
    let identities = (!page.identities.is_empty() && row.may.reset_password)
        .then(|| identities(now, &row.id, &page.identities));
    let events = page.events.clone().map(|events| {
        view! {
            <section class="card" aria-labelledby="events">
                <h2 id="events">{td_string!(now, agents.events)}</h2>
                {event_table(now, events)}
            </section>
        }
    });
    let content = view! {
        <p class="back">
            <a href=paths::AGENTS>{td_string!(now, agents.title)}</a>
        </p>
        <h1>
            <bdi>{row.alias.clone()}</bdi>
        </h1>
        {notice}
        <p>{state(now, &row)}</p>
        <nav aria-label=td_string!(now, agents.actions_of, name = row.account.clone())>
            <ul class="buttons acts">{actions(now, &row, false)}</ul>
        </nav>
        {identities}
        {facts(now, page)}
        {events}
    };
    console(frame, paths::AGENTS, None, content)
}

/// The accounts of providers that are connected, for whoever may disconnect them.
fn identities(now: Locale, id: &str, identities: &[(Provider, String)]) -> impl IntoView + use<> {
    let rows = identities
        .iter()
        .map(|(provider, shown)| {
            let heading = ["row-", provider.as_str()].concat();
            let button = ask_to_disconnect(now, *provider, heading.clone(), Some(id.to_owned()));
            view! {
                <li class="row">
                    <div class="row-text">
                        <h3 id=heading>{provider.name()}</h3>
                        <p class="quiet">
                            <bdi>{shown.clone()}</bdi>
                        </p>
                    </div>
                    <div class="buttons">{button}</div>
                </li>
            }
        })
        .collect_view();
    view! {
        <section class="card" aria-labelledby="sso">
            <h2 id="sso">{td_string!(now, profile.sso_title)}</h2>
            <ul class="rows">{rows}</ul>
        </section>
    }
}

fn facts(now: Locale, page: AgentViewPage) -> impl IntoView {
    let row = page.row;
    let roles: Vec<&str> = row.roles.iter().map(|role| role_name(now, role)).collect();
    let language = from_tag(&page.language).map_or_else(
        || td_string!(now, agents.language_of_company).to_owned(),
        |known| name(known).to_owned(),
    );
    let text = |label, value: String| (!value.is_empty()).then(|| fact(label, value));
    let time = |label: &'static str, when: When| {
        view! {
            <div>
                <dt>{label}</dt>
                <dd>{moment(when)}</dd>
            </div>
        }
    };
    let waiting = page
        .pending_email
        .map(|(email, since)| td_string!(now, agents.pending_email, email = email, when = since.shown));
    let second_factors = factors(now, &row);
    let sign_in_by = (!page.providers.is_empty()).then(|| {
        if page.no_password {
            td_string!(now, agents.by_provider_only, provider = page.providers)
        } else {
            td_string!(now, agents.by_provider_too, provider = page.providers)
        }
    });
    view! {
        <section class="card" aria-labelledby="facts">
            <h2 id="facts">{td_string!(now, agents.facts)}</h2>
            {waiting.map(|sentence| view! { <p class="notice caution">{sentence}</p> })}
            {page
                .waits_for_password
                .then(|| view! { <p class="notice caution">{td_string!(now, agents.waits_for_password)}</p> })}
            <dl class="facts">
                {fact(td_string!(now, agents.account), row.account)}
                {fact(td_string!(now, agents.email), row.email)}
                {text(td_string!(now, profile.first_name), page.first_name)}
                {text(td_string!(now, profile.last_name), page.last_name)}
                {text(td_string!(now, profile.phone), page.phone)}
                {text(td_string!(now, profile.job_title), page.title)}
                {fact(td_string!(now, agents.roles), roles.join(", "))}
                {fact(td_string!(now, common.language), language)}
                {sign_in_by.map(|sentence| fact(td_string!(now, agents.sign_in_by), sentence))}
                {fact(td_string!(now, agents.factor), second_factors)}
                {page.backup_codes_left.map(|left| fact(td_string!(now, agents.backup_codes_left), left.to_string()))}
                {page.issued_code_until.map(|when| time(td_string!(now, agents.issued_until), when))}
                {fact(td_string!(now, agents.wrong_codes), page.wrong_codes.to_string())}
                {fact(td_string!(now, agents.sessions), page.sessions.to_string())}
                {fact(td_string!(now, agents.trusted_browsers), page.trusted_browsers.to_string())}
                {row.last_sign_in.map(|when| time(td_string!(now, agents.last_sign_in), when))}
                {time(td_string!(now, agents.created), page.created)}
            </dl>
        </section>
    }
}

/// `/admin/agents/{id}/…`: one thing that is done to an agent.
pub(super) fn act(frame: Frame, page: AgentActPage) -> impl IntoView {
    let now = frame.locale;
    let back = page_of(&page.id, "/view");
    let title = match page.act {
        AgentAct::Delete => td_string!(now, agents.delete),
        AgentAct::ResetPassword => td_string!(now, agents.reset_password),
        AgentAct::BackupCode => td_string!(now, agents.backup_code),
        AgentAct::Unlock => td_string!(now, agents.unlock),
        AgentAct::EndSessions => td_string!(now, agents.end_sessions),
        AgentAct::SendDetails => td_string!(now, agents.send_again),
    };
    let who = [&page.alias, " (", &page.account, ")"].concat();
    let content = view! {
        <p class="back">
            <a href=back.clone()>
                <bdi>{page.alias.clone()}</bdi>
            </a>
        </p>
        <h1 id=HEADING>{title}</h1>
        <p class="lead">
            <bdi>{who}</bdi>
        </p>
        {refused(now, page.refusal.as_ref(), true)}
        {page.offered.then(|| act_form(now, page, back))}
    };
    console(frame, paths::AGENTS, None, content)
}

fn act_form(now: Locale, page: AgentActPage, back: String) -> AnyView {
    let refusal = page.refusal.as_ref();
    let input = |field, label, value, hint: Option<String>| {
        Input {
            field,
            label,
            autocomplete: "off",
            value,
            required: true,
            hint,
            refusal,
        }
        .view(now)
    };
    match page.act {
        AgentAct::Delete => {
            let hint = td_string!(now, agents.delete_hint, name = page.account.clone());
            let name = input(
                FormField::ConfirmName,
                td_string!(now, agents.account),
                page.typed.clone(),
                Some(hint),
            );
            simple(
                now,
                paths::AGENTS_DELETE,
                page.id,
                td_string!(now, agents.delete_text),
                td_string!(now, agents.delete),
                back,
                name,
            )
            .into_any()
        }
        AgentAct::BackupCode => {
            let minutes = ISSUED_CODE_SECONDS / 60;
            let hint = td_string!(now, agents.reason_hint, most = REASON_MAX);
            let reason = input(
                FormField::Reason,
                td_string!(now, agents.reason),
                page.typed.clone(),
                Some(hint),
            );
            simple(
                now,
                paths::AGENTS_BACKUP_CODE,
                page.id,
                td_string!(now, agents.backup_code_text, minutes = minutes),
                td_string!(now, agents.issue),
                back,
                reason,
            )
            .into_any()
        }
        AgentAct::Unlock => simple(
            now,
            paths::AGENTS_UNLOCK,
            page.id,
            td_string!(now, agents.unlock_text),
            td_string!(now, agents.unlock),
            back,
            (),
        )
        .into_any(),
        AgentAct::EndSessions => simple(
            now,
            paths::AGENTS_END_SESSIONS,
            page.id,
            td_string!(now, agents.end_sessions_text, count = page.sessions),
            td_string!(now, agents.end_sessions),
            back,
            (),
        )
        .into_any(),
        AgentAct::SendDetails => {
            let text = if page.new_agent_mail == NewAgentMail::ActivationLink.as_str() {
                td_string!(now, agents.send_again_link)
            } else {
                td_string!(now, agents.send_again_details)
            };
            simple(
                now,
                paths::AGENTS_SEND_DETAILS,
                page.id,
                text,
                td_string!(now, agents.send_again),
                back,
                (),
            )
            .into_any()
        }
        AgentAct::ResetPassword => password_forms(now, &page, back).into_any(),
    }
}

/// A new password, or a link with which the agent chooses one.
fn password_forms(now: Locale, page: &AgentActPage, back: String) -> impl IntoView + use<> {
    let input = |field, label, hint| {
        Input {
            field,
            label,
            autocomplete: "new-password",
            value: String::new(),
            required: true,
            hint,
            refusal: page.refusal.as_ref(),
        }
        .view(now)
    };
    let hint = td_string!(now, profile.password_hint, least = page.password_min);
    let passwords = view! {
        {input(FormField::NewPassword, td_string!(now, profile.new_password), Some(hint))}
        {input(FormField::ConfirmPassword, td_string!(now, profile.confirm_password), None)}
    };
    let remove = (!page.providers.is_empty()).then(|| {
        let text = td_string!(
            now,
            agents.remove_password_intro,
            provider = page.providers.clone()
        );
        view! {
            <section class="card" aria-labelledby="remove-password">
                <h2 id="remove-password">{td_string!(now, agents.remove_password_title)}</h2>
                <p class="quiet">{text}</p>
                <div class="card-end">
                    {action(
                        paths::AGENTS_REMOVE_PASSWORD,
                        td_string!(now, agents.remove_password),
                        HEADING.to_owned(),
                        Some(page.id.clone()),
                    )}
                </div>
            </section>
        }
    });
    view! {
        {simple(
            now,
            paths::AGENTS_PASSWORD,
            page.id.clone(),
            td_string!(now, agents.password_text),
            td_string!(now, agents.reset_password),
            back,
            passwords,
        )}
        <section class="card" aria-labelledby="reset-link">
            <h2 id="reset-link">{td_string!(now, agents.reset_link_title)}</h2>
            <p class="quiet">{td_string!(now, agents.reset_link_text)}</p>
            <div class="card-end">
                {action(
                    paths::AGENTS_RESET_LINK,
                    td_string!(now, agents.send_reset_link),
                    HEADING.to_owned(),
                    Some(page.id.clone()),
                )}
            </div>
        </section>
        {remove}
    }
}

/// What it does, its inputs, and the button that does it.
fn simple(
    now: Locale,
    path: &'static str,
    id: String,
    text: impl IntoView,
    button: &'static str,
    back: String,
    inputs: impl IntoView,
) -> impl IntoView {
    view! {
        <p>{text}</p>
        <form class="fields" method="post" action=path novalidate>
            <input type="hidden" name="id" value=id />
            {inputs}
            <div class="buttons">
                <button class="button primary" aria-describedby=HEADING>
                    {button}
                </button>
                <a class="button" href=back>
                    {td_string!(now, common.cancel)}
                </a>
            </div>
        </form>
    }
}

/// The backup code that was just issued.
pub(super) fn issued(frame: Frame, page: IssuedCodePage) -> impl IntoView {
    let now = frame.locale;
    let minutes = ISSUED_CODE_SECONDS / 60;
    let content = view! {
        <h1>{td_string!(now, agents.backup_code)}</h1>
        <p class="lead">{td_string!(now, agents.issued_text, name = page.alias, minutes = minutes)}</p>
        <p class="issued-code">
            <code dir="ltr">{page.code}</code>
        </p>
        <p class="notice caution">{td_string!(now, agents.issued_once)}</p>
        <p class="card-end">
            <a class="button primary" href=page.to>
                {td_string!(now, agents.done)}
            </a>
        </p>
    };
    console(frame, paths::AGENTS, None, content)
}
