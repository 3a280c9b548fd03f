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
    forms::{Input, action, good, refused},
    site::{site, site_with_form},
};
use crate::{
    page::{ConfirmPage, ConfirmReason, Frame, ProfileForm, ProfileNotice, ProfilePage, SignedIn, When},
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
    let data_refused = refusal_of(ProfileForm::Data);
    let password_refused = refusal_of(ProfileForm::Password);
    let email_refused = refusal_of(ProfileForm::Email);
    let notice = page.notice.map(|notice| good(notice_text(now, notice)));
    let password = if page.no_password {
        view! { <p class="quiet">{td_string!(now, sso.no_password)}</p> }.into_any()
    } else if page.must_confirm {
        confirm_first(
            td_string!(now, profile.password_confirm_first),
            td_string!(now, profile.change_password),
        )
        .into_any()
    } else {
        password_form(now, page.password_min, password_refused.as_ref()).into_any()
    };
    let email = email_card(now, &page, email_refused.as_ref());
    let any_refused = [&data_refused, &email_refused, &password_refused]
        .into_iter()
        .find_map(Option::as_ref);
    let any_refused = refused(now, any_refused, true);
    let who = frame.signed_in.clone().map(|somebody| who(now, somebody));
    let content = view! {
        <main id="content" class="settings" tabindex="-1">
            <h1>{td_string!(now, profile.title)}</h1>
            {notice}
            {any_refused}
            <section class="card" aria-labelledby="basic">
                <h2 id="basic">{td_string!(now, profile.basic)}</h2>
                {who}
                {data_form(now, page, data_refused.as_ref())}
            </section>
            <section class="card" aria-labelledby="email-title">
                <h2 id="email-title">{td_string!(now, profile.change_email)}</h2>
                {email}
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

fn notice_text(now: Locale, notice: ProfileNotice) -> &'static str {
    match notice {
        ProfileNotice::Saved => td_string!(now, profile.saved),
        ProfileNotice::Confirmed => td_string!(now, profile.confirmed),
        ProfileNotice::EmailSent => td_string!(now, agents.email_sent),
        ProfileNotice::EmailCancelled => td_string!(now, agents.email_cancelled),
    }
}

/// What waits for its confirmation, and the form for another address.
fn email_card(now: Locale, page: &ProfilePage, refusal: Option<&Refusal>) -> impl IntoView + use<> {
    let waiting = page
        .pending_email
        .clone()
        .map(|(email, since)| pending_email(now, email, since));
    let form = if page.must_confirm_for_email {
        confirm_first(
            td_string!(now, profile.email_confirm_first),
            td_string!(now, profile.change_email),
        )
        .into_any()
    } else {
        let input = Input {
            field: FormField::Email,
            label: td_string!(now, agents.new_email),
            autocomplete: "email",
            value: page.email.clone(),
            required: true,
            hint: Some(td_string!(now, agents.email_hint).to_owned()),
            refusal,
        };
        view! {
            <p class="quiet">{td_string!(now, profile.email_intro)}</p>
            <form class="fields" method="post" action=paths::PROFILE_EMAIL novalidate>
                {input.view(now)}
                <button class="button primary">{td_string!(now, profile.change_email)}</button>
            </form>
        }
        .into_any()
    };
    view! {
        {waiting}
        {form}
    }
}

/// A new address that waits for its confirmation.
fn pending_email(now: Locale, email: String, since: When) -> impl IntoView {
    let button = |path, label| action(path, label, "pending-email".to_owned(), None);
    view! {
        <div class="notice caution">
            <p id="pending-email">
                {td_string!(now, agents.pending_email, email = email, when = since.shown)}
            </p>
            <div class="buttons">
                {button(paths::PROFILE_EMAIL_RESEND, td_string!(now, agents.resend_email))}
                {button(paths::PROFILE_EMAIL_CANCEL, td_string!(now, agents.cancel_email))}
            </div>
        </div>
    }
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

/// The way to a form for somebody whose last proof is too old: they would fill it in for nothing.
fn confirm_first(why: &'static str, label: &'static str) -> impl IntoView {
    let href = [paths::PROFILE_CONFIRM, "?next=", paths::PROFILE].concat();
    view! {
        <p class="quiet">{why}</p>
        <p class="card-end">
            <a class="button" href=href>
                {label}
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
pub(super) fn confirm(frame: Frame, page: ConfirmPage) -> AnyView {
    let now = frame.locale;
    if !page.providers.is_empty() {
        return confirm_with(frame, &page).into_any();
    }
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
    site(frame, content).into_any()
}

/// The same for an account without a password.
fn confirm_with(frame: Frame, page: &ConfirmPage) -> impl IntoView + use<> {
    let now = frame.locale;
    let turned_back = (page.reason != ConfirmReason::Ahead)
        .then(|| view! { <p class="notice caution">{td_string!(now, errors.not_done_title)}</p> });
    let providers = page
        .providers
        .iter()
        .map(|provider| {
            let label = td_string!(now, sso.confirm_with, provider = provider.name());
            view! {
                <form method="post" action=provider.confirm_path()>
                    <input type="hidden" name="next" value=page.next.clone() />
                    <button class="button primary wide">{label}</button>
                </form>
            }
        })
        .collect_view();
    let content = view! {
        <main id="content" class="settings narrow" tabindex="-1">
            <h1>{td_string!(now, profile.confirm_title)}</h1>
            <p class="lead">{td_string!(now, sso.confirm_intro)}</p>
            {turned_back}
            <div class="fields">{providers}</div>
            <p class="aside">
                <a href=paths::SECURITY>{td_string!(now, common.cancel)}</a>
            </p>
        </main>
    };
    site(frame, content)
}
