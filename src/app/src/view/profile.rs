//! Profile, and the page that asks for the password again.

use leptos::prelude::*;
use vestibule_core::{
    paths,
    refusal::Refusal,
    signed_in::{FormField, FormRefusal},
};
use vestibule_translations::{Locale, all, from_tag, name, tag, td_string};

use super::{
    console::{fact, role_name},
    forms::{Input, good, refused},
    site::{site, site_with_form},
};
use crate::{
    page::{ConfirmPage, ConfirmReason, Frame, ProfileForm, ProfilePage, SignedIn},
    text::refusal_sentence,
};

/// Id of the form with the own data.
const FORM: &str = "profile-form";

/// `/profile`
pub(super) fn profile(frame: Frame, page: ProfilePage) -> impl IntoView {
    let now = frame.locale;
    let refusal_of = |form| match &page.refused {
        Some((refused, refusal)) if *refused == form => Some(refusal.clone()),
        _ => None,
    };
    let (data_refused, password_refused) = (refusal_of(ProfileForm::Data), refusal_of(ProfileForm::Password));
    let saved = page.saved.then(|| good(td_string!(now, profile.saved)));
    let confirmed = page.confirmed.then(|| good(td_string!(now, profile.confirmed)));
    let password = if page.must_confirm {
        confirm_first(now).into_any()
    } else {
        password_form(now, page.password_min, password_refused.as_ref()).into_any()
    };
    let who = frame.signed_in.clone().map(|somebody| who(now, somebody));
    let content = view! {
        <main id="content" class="settings" tabindex="-1">
            <h1>{td_string!(now, profile.title)}</h1>
            {saved}
            {confirmed}
            {refused(now, data_refused.as_ref().or(password_refused.as_ref()), true)}
            <section class="card" aria-labelledby="basic">
                <h2 id="basic">{td_string!(now, profile.basic)}</h2>
                {who}
                {data_form(now, page, data_refused.as_ref())}
            </section>
            <section class="card" aria-labelledby="password-title">
                <h2 id="password-title">{td_string!(now, profile.change_password)}</h2>
                {password}
            </section>
            <section class="card" aria-labelledby="security-title">
                <h2 id="security-title">{td_string!(now, profile.security_title)}</h2>
                <p class="quiet">{td_string!(now, profile.security_intro)}</p>
                <p class="card-end">
                    <a class="button" href=paths::SECURITY>
                        {td_string!(now, profile.security_title)}
                    </a>
                </p>
            </section>
        </main>
    };
    site_with_form(frame, FORM, content)
}

/// What only an administrator changes.
fn who(now: Locale, somebody: SignedIn) -> impl IntoView {
    let role = role_name(now, somebody.role).to_owned();
    view! {
        <dl class="facts">
            {fact(td_string!(now, console.company), somebody.company)}
            {fact(td_string!(now, console.account), somebody.account)}
            {fact(td_string!(now, console.email), somebody.email)} {fact(td_string!(now, console.role), role)}
        </dl>
    }
}

fn data_form(now: Locale, page: ProfilePage, refusal: Option<&Refusal>) -> impl IntoView + use<> {
    let input = |field, label, autocomplete, value| Input {
        field,
        label,
        autocomplete,
        value,
        required: field == FormField::FirstName,
        hint: (field == FormField::Alias).then(|| td_string!(now, profile.alias_hint).to_owned()),
        refusal,
    };
    let names = [
        input(
            FormField::FirstName,
            td_string!(now, profile.first_name),
            "given-name",
            page.first_name,
        ),
        input(
            FormField::LastName,
            td_string!(now, profile.last_name),
            "family-name",
            page.last_name,
        ),
        input(
            FormField::Alias,
            td_string!(now, profile.alias),
            "nickname",
            page.alias,
        ),
        input(
            FormField::Phone,
            td_string!(now, profile.phone),
            "tel",
            page.phone,
        ),
        input(
            FormField::Title,
            td_string!(now, profile.job_title),
            "organization-title",
            page.title,
        ),
    ]
    .map(|input| input.view(now))
    .into_iter()
    .collect_view();
    let format = |hours: &'static str, label: &'static str| {
        view! {
            <option value=hours selected=page.time_format == hours>
                {label}
            </option>
        }
    };
    let company_language = from_tag(&page.company_language).map(name).unwrap_or_default();
    let languages = all()
        .iter()
        .map(|&offered| {
            view! {
                <option value=tag(offered) lang=tag(offered) selected=page.language == tag(offered)>
                    {name(offered)}
                </option>
            }
        })
        .collect_view();
    view! {
        <form id=FORM class="fields pairs" method="post" action=paths::PROFILE novalidate>
            {names}
            <div class="field">
                <label for="time_format">{td_string!(now, profile.time_format)}</label>
                <select id="time_format" name="time_format" autocomplete="off">
                    {format("24", td_string!(now, profile.hours_24))}
                    {format("12", td_string!(now, profile.hours_12))}
                </select>
            </div>
            <div class="field">
                <label for="own-language">{td_string!(now, common.language)}</label>
                <select id="own-language" name="language" autocomplete="off">
                    <option value="" selected=page.language.is_empty()>
                        {td_string!(now, profile.same_as_company, language = company_language)}
                    </option>
                    {languages}
                </select>
            </div>
            <button class="button primary">{td_string!(now, common.save)}</button>
        </form>
    }
}

/// The way to the password's form for somebody whose last proof is too old: they would fill it in for nothing.
fn confirm_first(now: Locale) -> impl IntoView {
    let href = [paths::PROFILE_CONFIRM, "?next=", paths::PROFILE].concat();
    view! {
        <p class="quiet">{td_string!(now, profile.password_confirm_first)}</p>
        <p class="card-end">
            <a class="button" href=href>
                {td_string!(now, profile.change_password)}
            </a>
        </p>
    }
}

fn password_form(now: Locale, least: usize, refusal: Option<&Refusal>) -> impl IntoView + use<> {
    let input = |field, label, autocomplete| Input {
        field,
        label,
        autocomplete,
        value: String::new(),
        required: true,
        hint: (field == FormField::NewPassword)
            .then(|| td_string!(now, profile.password_hint, least = least)),
        refusal,
    };
    let old = input(
        FormField::OldPassword,
        td_string!(now, profile.old_password),
        "current-password",
    );
    let new = input(
        FormField::NewPassword,
        td_string!(now, profile.new_password),
        "new-password",
    );
    let confirm = input(
        FormField::ConfirmPassword,
        td_string!(now, profile.confirm_password),
        "new-password",
    );
    // Scripts ask the server there while somebody types, and write down what it says.
    let strength = view! { <p id="strength" class="strength" role="status"></p> }
        .attr("data-href", paths::PROFILE_PASSWORD_CHECK);
    view! {
        <p class="quiet">{td_string!(now, profile.password_intro)}</p>
        <form class="fields" method="post" action=paths::PROFILE_PASSWORD novalidate>
            {old.view(now)}
            <div>
                {new.view(now)} {strength}
            </div>
            {confirm.view(now)}
            <button class="button primary">{td_string!(now, profile.change_password)}</button>
        </form>
    }
}

/// `/profile/confirm`
pub(super) fn confirm(frame: Frame, page: ConfirmPage) -> impl IntoView {
    let now = frame.locale;
    let why = match page.reason {
        ConfirmReason::Ahead => td_string!(now, profile.confirm_intro).to_owned(),
        ConfirmReason::TooOld => refusal_sentence(now, &Refusal::Form(FormRefusal::StepUpNeeded)),
        ConfirmReason::Expired => td_string!(now, profile.confirm_expired).to_owned(),
    };
    let password = Input {
        field: FormField::Password,
        label: td_string!(now, sign_in.password),
        autocomplete: "current-password",
        value: String::new(),
        required: true,
        hint: None,
        refusal: page.refusal.as_ref(),
    };
    // Password managers want to know whose password this is.
    let account = frame.signed_in.as_ref().map(|somebody| somebody.account.clone());
    let content = view! {
        <main id="content" class="settings narrow" tabindex="-1">
            <h1>{td_string!(now, profile.confirm_title)}</h1>
            <p class="lead">{why}</p>
            {refused(now, page.refusal.as_ref(), true)}
            <form class="fields" method="post" action=paths::PROFILE_CONFIRM novalidate>
                <input type="hidden" name="next" value=page.next />
                <input class="visually-hidden" type="text" autocomplete="username" value=account tabindex="-1" aria-hidden="true" readonly />
                {password.view(now)}
                <div class="buttons">
                    <button class="button primary">{td_string!(now, common.go_on)}</button>
                    <a class="button" href=paths::SECURITY>
                        {td_string!(now, common.cancel)}
                    </a>
                </div>
            </form>
        </main>
    };
    site(frame, content)
}
