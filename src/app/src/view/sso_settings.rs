//! Single Sign-On: which providers a company lets its accounts in by.

use leptos::prelude::*;
use vestibule_core::{paths, refusal::Refusal, signed_in::FormField, sso::Provider};
use vestibule_translations::{Locale, td_string};

use super::{
    company::{meanwhile, text, why},
    console::console,
    forms::{Input, good},
};
use crate::page::{Frame, ProviderForm, SsoSettingsPage, Typed};

/// Id of the form, which the language switch sends along.
const FORM: &str = "sso-form";

/// `/admin/sso`
pub(super) fn settings(frame: Frame, page: &SsoSettingsPage) -> impl IntoView + use<> {
    let now = frame.locale;
    let refusal = page.refusal.as_ref();
    let saved = page.saved.then(|| good(td_string!(now, company.saved)));
    let tested = page.tested.map(|provider| {
        let sentence = td_string!(now, sso.tested, provider = provider.name());
        view! {
            <p class="notice good" role="status">
                {sentence}
            </p>
        }
    });
    let providers = page
        .providers
        .iter()
        .map(|form| provider(now, form, refusal))
        .collect_view();
    let tests = page
        .providers
        .iter()
        .map(|form| test(now, form.provider))
        .collect_view();
    let content = view! {
        <h1>{td_string!(now, console.sso)}</h1>
        <p class="lead">{td_string!(now, sso.settings_intro)}</p>
        {saved}
        {tested}
        {why(now, refusal)}
        <form id=FORM class="fields" method="post" action=paths::ADMIN_SSO novalidate>
            {providers}
            <button class="button primary">{td_string!(now, common.save)}</button>
        </form>
        <section class="card" aria-labelledby="test-title">
            <h2 id="test-title">{td_string!(now, sso.test_title)}</h2>
            <p class="quiet">{td_string!(now, sso.test_intro)}</p>
            <ul class="rows">{tests}</ul>
        </section>
    };
    console(frame, paths::ADMIN_SSO, Some(FORM), content)
}

fn test(now: Locale, provider: Provider) -> impl IntoView {
    let heading = ["test-", provider.as_str()].concat();
    let about = heading.clone();
    view! {
        <li class="row">
            <div class="row-text">
                <h3 id=heading>{provider.name()}</h3>
            </div>
            <form method="post" action=paths::ADMIN_SSO_TEST>
                <input type="hidden" name="provider" value=provider.as_str() />
                <button class="button small" aria-describedby=about>
                    {td_string!(now, sso.test)}
                </button>
            </form>
        </li>
    }
}

fn provider(now: Locale, form: &ProviderForm, refusal: Option<&Refusal>) -> impl IntoView + use<> {
    let word = form.provider.as_str();
    let name = form.provider.name();
    let of = |field: &str| [word, "_", field].concat();
    let (id_field, secret_field) = match form.provider {
        Provider::Google => (FormField::GoogleClientId, FormField::GoogleClientSecret),
        Provider::Office365 => (FormField::Office365ClientId, FormField::Office365ClientSecret),
    };
    let id_hint = if form.installation {
        td_string!(now, sso.client_id_hint, provider = name)
    } else {
        td_string!(now, sso.client_id_own, provider = name)
    };
    let secret_hint = if form.has_secret {
        td_string!(now, sso.client_secret_kept)
    } else {
        td_string!(now, sso.client_secret_hint)
    };
    let text = |field, label, hint: &str, typed| text(now, field, label, hint, typed, refusal);
    let client_id = text(
        id_field,
        td_string!(now, sso.client_id),
        &id_hint,
        &form.client_id,
    );
    let empty = Typed::default();
    let client_secret = Input {
        autocomplete: "new-password",
        ..text(
            secret_field,
            td_string!(now, sso.client_secret),
            secret_hint,
            &empty,
        )
    };
    let tenants = (form.provider == Provider::Office365).then(|| {
        let hint = td_string!(now, sso.tenants_hint);
        text(
            FormField::Office365Tenants,
            td_string!(now, sso.tenants),
            hint,
            &form.tenants,
        )
        .view(now)
    });
    let heading = of("title");
    let labelled_by = heading.clone();
    view! {
        <section class="card" aria-labelledby=labelled_by>
            <h2 id=heading>{name}</h2>
            <input type="hidden" name=of("version") value=form.version />
            {tick(
                now,
                of("enabled"),
                td_string!(now, sso.enabled, provider = name),
                td_string!(now, sso.enabled_hint).to_owned(),
                &form.enabled,
            )}
            <div class="fields pairs">
                {client_id.view(now)}
                {client_secret.view(now)}
                {tenants}
            </div>
            {redirect_uri(now, form, of("redirect_uri"))}
            {tick(
                now,
                of("trusted"),
                td_string!(now, sso.trusted).to_owned(),
                td_string!(now, sso.trusted_hint, provider = name),
                &form.trusted,
            )}
        </section>
    }
}

/// A box to tick; what is ticked is a word.
fn tick(now: Locale, name: String, label: String, hint: String, typed: &Typed) -> impl IntoView + use<> {
    let (id, field) = (name.clone(), name.clone());
    let hint_id = [&name, "-hint"].concat();
    let described_by = hint_id.clone();
    let before = typed.meanwhile.as_ref().map(|word| {
        let on = !word.is_empty();
        if on {
            td_string!(now, profile.on)
        } else {
            td_string!(now, profile.off)
        }
        .to_owned()
    });
    view! {
        <div class="choice">
            <input
                id=id
                type="checkbox"
                name=field
                value="yes"
                checked=!typed.value.is_empty()
                autocomplete="off"
                aria-describedby=described_by
            />
            <label for=name>{label}</label>
            <p class="hint" id=hint_id>
                {hint}
            </p>
        </div>
        {meanwhile(now, before)}
    }
}

/// What the provider has to be told. It is an input, so that it is marked whole and copied with the keyboard too.
fn redirect_uri(now: Locale, form: &ProviderForm, id: String) -> impl IntoView + use<> {
    let label_for = id.clone();
    let hint_id = [&id, "-hint"].concat();
    let described_by = hint_id.clone();
    let uri = form.redirect_uri.clone();
    // Scripts show the button and copy what its attribute holds.
    let copy = view! {
        <button type="button" class="button small" hidden>
            {td_string!(now, profile.copy)}
        </button>
    }
    .attr("data-text", uri.clone());
    let copied = view! { <span class="quiet" role="status"></span> }
        .attr("data-done", td_string!(now, profile.copied));
    view! {
        <div class="field">
            <label for=label_for>{td_string!(now, sso.redirect_uri)}</label>
            <div class="control">
                <input id=id type="text" value=uri readonly dir="ltr" aria-describedby=described_by />
            </div>
            <p class="hint" id=hint_id>
                {td_string!(now, sso.redirect_uri_hint, provider = form.provider.name())}
            </p>
            <div class="buttons">{copy} {copied}</div>
        </div>
    }
}
