//! General Information and Security: the settings of a company.

use leptos::prelude::*;
use vestibule_core::{
    company::{NewAgentMail, RequireSecondFactor, TwoFactorPolicy},
    limits::{IDLE_MINUTES_LEAST, IDLE_MINUTES_MOST, PASSWORD_MIN_HIGHEST, PASSWORD_MIN_LOWEST},
    paths,
    refusal::Refusal,
    signed_in::{FormField, FormRefusal},
};
use vestibule_translations::{Locale, all, from_tag, name, tag, td_string};

use super::{
    console::console,
    forms::{Input, good, problem, refused},
};
use crate::page::{CompanyPage, Frame, PoliciesPage, Typed};

/// Id of the form, which the language switch sends along.
const FORM: &str = "company-form";
/// Days that the 2FA Policy offers besides `Every login`.
const SKIP_DAYS: [u16; 4] = [14, 30, 60, 90];

/// `/admin/company`
pub(super) fn general(frame: Frame, page: CompanyPage) -> impl IntoView {
    let now = frame.locale;
    let refusal = page.refusal.clone();
    let saved = page.saved.then(|| good(td_string!(now, company.saved)));
    let content = view! {
        <h1>{td_string!(now, company.general_title)}</h1>
        <p class="lead">{td_string!(now, company.general_intro)}</p>
        {saved}
        {why(now, refusal.as_ref())}
        {general_form(now, page, refusal.as_ref())}
    };
    console(frame, paths::ADMIN_COMPANY, Some(FORM), content)
}

fn general_form(now: Locale, page: CompanyPage, refusal: Option<&Refusal>) -> impl IntoView + use<> {
    let language_name =
        |word: &str| from_tag(word).map_or_else(|| word.to_owned(), |known| name(known).to_owned());
    let languages = all()
        .iter()
        .map(|&offered| {
            view! {
                <option value=tag(offered) lang=tag(offered) selected=page.language.value == tag(offered)>
                    {name(offered)}
                </option>
            }
        })
        .collect_view();
    let language = choice(
        now,
        FormField::Language.name(),
        td_string!(now, company.language),
        td_string!(now, company.language_hint),
        problem(now, FormField::Language, refusal),
        page.language.meanwhile.as_deref().map(language_name),
        view! {
            {unknown(&page.language.value, from_tag(&page.language.value).is_some())}
            {languages}
        },
    );
    let zone = choice(
        now,
        FormField::TimeZone.name(),
        td_string!(now, company.time_zone),
        td_string!(now, company.time_zone_hint),
        problem(now, FormField::TimeZone, refusal),
        page.time_zone.meanwhile,
        zones(now, &page.zones, &page.time_zone.value),
    );
    let modes = NewAgentMail::ALL
        .into_iter()
        .map(|mode| {
            let hint = match mode {
                NewAgentMail::AccountDetails => td_string!(now, company.account_details_hint),
                NewAgentMail::ActivationLink => td_string!(now, company.activation_link_hint),
            };
            let picked = page.new_agent_mail.value == mode.as_str();
            radio(
                "new_agent_mail",
                mode.as_str().to_owned(),
                mail_name(now, mode).to_owned(),
                Some(hint),
                picked,
            )
        })
        .collect_view();
    let mail_meanwhile = page
        .new_agent_mail
        .meanwhile
        .map(|word| NewAgentMail::from_word(&word).map_or(word, |mode| mail_name(now, mode).to_owned()));
    view! {
        <form id=FORM class="fields" method="post" action=paths::ADMIN_COMPANY novalidate>
            <input type="hidden" name="version" value=page.version />
            <section class="card" aria-labelledby="basic">
                <h2 id="basic">{td_string!(now, company.general_title)}</h2>
                <dl class="facts">
                    <div>
                        <dt>{td_string!(now, company.name)}</dt>
                        <dd>
                            <bdi>{page.name}</bdi>
                        </dd>
                    </div>
                </dl>
                <p class="hint">{td_string!(now, company.name_hint)}</p>
                <div class="fields pairs">{language} {zone}</div>
            </section>
            <fieldset class="card">
                <legend>{td_string!(now, company.new_agent_mail)}</legend>
                <p class="hint">{td_string!(now, company.new_agent_mail_hint)}</p>
                {modes}
                {meanwhile(now, mail_meanwhile)}
            </fieldset>
            <button class="button primary">{td_string!(now, common.save)}</button>
        </form>
    }
}

fn mail_name(now: Locale, mode: NewAgentMail) -> &'static str {
    match mode {
        NewAgentMail::AccountDetails => td_string!(now, company.account_details),
        NewAgentMail::ActivationLink => td_string!(now, company.activation_link),
    }
}

/// All time zones by region; what was typed stays even when it is none.
fn zones(now: Locale, names: &[&'static str], picked: &str) -> impl IntoView + use<> {
    let mut regions: Vec<(&str, Vec<(&'static str, &str)>)> = Vec::new();
    let mut rest = Vec::new();
    for &zone in names {
        match zone.split_once('/') {
            Some((region, place)) => match regions.iter_mut().find(|(known, _)| *known == region) {
                Some((_, zones)) => zones.push((zone, place)),
                None => regions.push((region, vec![(zone, place)])),
            },
            None => rest.push((zone, zone)),
        }
    }
    regions.push((td_string!(now, company.zone_other), rest));
    let groups = regions
        .into_iter()
        .map(|(region, zones)| {
            let options = zones
                .into_iter()
                .map(|(zone, place)| {
                    view! {
                        <option value=zone selected=zone == picked>
                            {place.replace('_', " ")}
                        </option>
                    }
                })
                .collect_view();
            view! { <optgroup label=region.to_owned()>{options}</optgroup> }
        })
        .collect_view();
    view! {
        {unknown(picked, names.contains(&picked))}
        {groups}
    }
}

/// An option for a value that is none of those on offer, so that the form shows what was sent.
fn unknown(value: &str, is_known: bool) -> impl IntoView + use<> {
    (!is_known).then(|| {
        let (value, label) = (value.to_owned(), value.to_owned());
        view! {
            <option value=value selected>
                {label}
            </option>
        }
    })
}

/// `/admin/security`
pub(super) fn policies(frame: Frame, page: PoliciesPage) -> impl IntoView {
    let now = frame.locale;
    let refusal = page.refusal.clone();
    let saved = page.saved.then(|| good(td_string!(now, company.saved)));
    let content = view! {
        <h1>{td_string!(now, company.security_title)}</h1>
        <p class="lead">{td_string!(now, company.security_intro)}</p>
        {saved}
        {why(now, refusal.as_ref())}
        {policies_form(now, page, refusal.as_ref())}
    };
    console(frame, paths::ADMIN_SECURITY, Some(FORM), content)
}

fn policies_form(now: Locale, page: PoliciesPage, refusal: Option<&Refusal>) -> impl IntoView + use<> {
    let without = (page.without_second_factor > 0).then(|| {
        view! {
            <p class="notice caution">
                {td_string!(now, company.without_factor, count = page.without_second_factor)}
            </p>
        }
    });
    let password_min = number(
        now,
        FormField::PasswordMin,
        td_string!(now, company.password_min),
        td_string!(now, company.password_min_hint),
        (PASSWORD_MIN_LOWEST, PASSWORD_MIN_HIGHEST),
        page.password_min,
        refusal,
    );
    view! {
        <form id=FORM class="fields" method="post" action=paths::ADMIN_SECURITY novalidate>
            <input type="hidden" name="version" value=page.version />
            {two_factor(now, page.two_factor_days)}
            <fieldset class="card">
                <legend>{td_string!(now, company.require)}</legend>
                <p class="hint">{td_string!(now, company.require_hint)}</p>
                {without}
                {require(now, page.require_second_factor)}
            </fieldset>
            <section class="card" aria-labelledby="password-policy">
                <h2 id="password-policy">{td_string!(now, company.password_policy)}</h2>
                <div class="fields">{password_min}</div>
            </section>
            {log_out(now, page.log_out, page.idle_minutes, refusal)}
            <button class="button primary">{td_string!(now, common.save)}</button>
        </form>
    }
}

fn two_factor(now: Locale, typed: Typed) -> impl IntoView {
    let options = std::iter::once(TwoFactorPolicy::EveryLogin)
        .chain(SKIP_DAYS.into_iter().map(TwoFactorPolicy::Skip))
        .map(|policy| {
            let days = policy.days().to_string();
            let picked = typed.value == days;
            radio(
                "two_factor_days",
                days,
                two_factor_name(now, policy),
                None,
                picked,
            )
        })
        .collect_view();
    let saved = typed.meanwhile.map(|days| {
        let policy = days.parse().ok().and_then(TwoFactorPolicy::from_days);
        policy.map_or(days, |policy| two_factor_name(now, policy))
    });
    view! {
        <fieldset class="card">
            <legend>{td_string!(now, company.two_factor)}</legend>
            <p class="hint">{td_string!(now, company.two_factor_hint)}</p>
            {options}
            {meanwhile(now, saved)}
        </fieldset>
    }
}

fn two_factor_name(now: Locale, policy: TwoFactorPolicy) -> String {
    match policy {
        TwoFactorPolicy::EveryLogin => td_string!(now, company.every_login).to_owned(),
        TwoFactorPolicy::Skip(days) => td_string!(now, company.allow_skip, days = days),
    }
}

fn require(now: Locale, typed: Typed) -> impl IntoView {
    let label = move |policy| match policy {
        RequireSecondFactor::Off => td_string!(now, company.require_off),
        RequireSecondFactor::Admins => td_string!(now, company.require_admins),
        RequireSecondFactor::Everyone => td_string!(now, company.require_everyone),
    };
    let options = RequireSecondFactor::ALL
        .into_iter()
        .map(|policy| {
            let picked = typed.value == policy.as_str();
            radio(
                "require_second_factor",
                policy.as_str().to_owned(),
                label(policy).to_owned(),
                None,
                picked,
            )
        })
        .collect_view();
    let saved = typed
        .meanwhile
        .map(|word| RequireSecondFactor::from_word(&word).map_or(word, |policy| label(policy).to_owned()));
    view! {
        {options}
        {meanwhile(now, saved)}
    }
}

fn log_out(now: Locale, after: bool, minutes: Typed, refusal: Option<&Refusal>) -> impl IntoView + use<> {
    let saved = minutes.meanwhile.map(|saved| {
        if saved.is_empty() {
            td_string!(now, company.never).to_owned()
        } else {
            td_string!(now, company.after_minutes, minutes = saved)
        }
    });
    let field = number(
        now,
        FormField::IdleMinutes,
        td_string!(now, company.minutes),
        td_string!(now, company.minutes_hint),
        (IDLE_MINUTES_LEAST.into(), IDLE_MINUTES_MOST.into()),
        Typed {
            value: minutes.value,
            meanwhile: None,
        },
        refusal,
    );
    view! {
        <fieldset class="card">
            <legend>{td_string!(now, company.log_out)}</legend>
            <p class="hint">{td_string!(now, company.log_out_hint)}</p>
            {radio("log_out", "never".to_owned(), td_string!(now, company.never).to_owned(), None, !after)}
            {radio("log_out", "after".to_owned(), td_string!(now, company.after).to_owned(), None, after)}
            {field}
            {meanwhile(now, saved)}
        </fieldset>
    }
}

/// Why the form came back, and what to do about it.
pub(super) fn why(now: Locale, refusal: Option<&Refusal>) -> impl IntoView + use<> {
    match refusal {
        Some(Refusal::Form(FormRefusal::StepUpNeeded)) => {
            let href = [paths::PROFILE_CONFIRM, "?next=", paths::PROFILE].concat();
            let sentence = view! {
                {td_string!(now, company.confirm_first)}
            };
            let next = view! {
                <p>
                    <a href=href target="_blank" rel="noopener">
                        {td_string!(now, company.confirm_link)}
                    </a>
                    " "
                    {td_string!(now, company.confirm_then)}
                </p>
            };
            alert(sentence, Some(next)).into_any()
        }
        Some(Refusal::Form(FormRefusal::ChangedMeanwhile)) => {
            alert(td_string!(now, company.changed_meanwhile), None::<()>).into_any()
        }
        other => refused(now, other, true).into_any(),
    }
}

fn alert(sentence: impl IntoView, next: Option<impl IntoView>) -> impl IntoView {
    view! {
        <div class="alert" role="alert">
            <h2 id=crate::components::notice::SUMMARY tabindex="-1" autofocus>
                {sentence}
            </h2>
            {next}
        </div>
    }
}

/// What somebody else saved meanwhile.
pub(super) fn meanwhile(now: Locale, value: Option<String>) -> impl IntoView {
    value.map(|value| {
        view! {
            <p class="problem meanwhile">
                <bdi>{td_string!(now, company.meanwhile, value = value)}</bdi>
            </p>
        }
    })
}

/// One of several answers. Its input is told from the others by its value.
pub(super) fn radio(
    group: &'static str,
    value: String,
    label: String,
    hint: Option<&'static str>,
    picked: bool,
) -> impl IntoView {
    let id = [group, "-", &value].concat();
    let hint_id = [&id, "-hint"].concat();
    let described_by = hint.is_some().then(|| hint_id.clone());
    view! {
        <div class="choice">
            <input id=id.clone() type="radio" name=group value=value checked=picked aria-describedby=described_by autocomplete="off" />
            <label for=id>{label}</label>
            {hint
                .map(|hint| {
                    view! {
                        <p class="hint" id=hint_id>
                            {hint}
                        </p>
                    }
                })}
        </div>
    }
}

/// What stands beneath an input, and the ids of it that the input is described by.
fn notes(
    now: Locale,
    id: &'static str,
    hint: &'static str,
    problem: Option<String>,
    saved: Option<String>,
) -> (String, impl IntoView) {
    let (hint_id, problem_id) = ([id, "-hint"].concat(), [id, "-problem"].concat());
    let described_by = if problem.is_some() {
        [&problem_id, " ", &hint_id].concat()
    } else {
        hint_id.clone()
    };
    let notes = view! {
        {problem
            .map(|problem| {
                view! {
                    <p class="problem" id=problem_id>
                        {problem}
                    </p>
                }
            })}
        {meanwhile(now, saved)}
        <p class="hint" id=hint_id>
            {hint}
        </p>
    };
    (described_by, notes)
}

/// A labelled list to choose from.
fn choice(
    now: Locale,
    id: &'static str,
    label: &'static str,
    hint: &'static str,
    problem: Option<String>,
    saved: Option<String>,
    options: impl IntoView,
) -> impl IntoView {
    let invalid = problem.is_some().then_some("true");
    let (described_by, notes) = notes(now, id, hint, problem, saved);
    // The language switch in the page's head has an id that a field must not have.
    let select_id = ["company-", id].concat();
    view! {
        <div class="field">
            <label for=select_id.clone()>{label}</label>
            <select id=select_id name=id autocomplete="off" aria-invalid=invalid aria-describedby=described_by>
                {options}
            </select>
            {notes}
        </div>
    }
}

/// A field with what is known about it, and what somebody else saved meanwhile.
pub(super) fn text<'a>(
    now: Locale,
    field: FormField,
    label: &'static str,
    hint: &str,
    typed: &Typed,
    refusal: Option<&'a Refusal>,
) -> Input<'a> {
    let meanwhile = typed
        .meanwhile
        .clone()
        .map(|value| td_string!(now, company.meanwhile, value = value));
    let hint: Vec<String> = meanwhile.into_iter().chain([hint.to_owned()]).collect();
    Input {
        field,
        label,
        // The browser's own data belong to the admin.
        autocomplete: "off",
        value: typed.value.clone(),
        required: false,
        hint: Some(hint.join(" ")),
        refusal,
    }
}

/// A labelled whole number from `least` to `most`.
pub(super) fn number(
    now: Locale,
    field: FormField,
    label: &'static str,
    hint: &'static str,
    (least, most): (usize, usize),
    typed: Typed,
    refusal: Option<&Refusal>,
) -> impl IntoView + use<> {
    let id = field.name();
    let problem = problem(now, field, refusal);
    let invalid = problem.is_some().then_some("true");
    let (described_by, notes) = notes(now, id, hint, problem, typed.meanwhile);
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <div class="control">
                <input
                    id=id
                    name=id
                    type="number"
                    inputmode="numeric"
                    min=least.to_string()
                    max=most.to_string()
                    value=typed.value
                    autocomplete="off"
                    aria-invalid=invalid
                    aria-describedby=described_by
                />
            </div>
            {notes}
        </div>
    }
}
