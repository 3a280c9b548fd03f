//! `/admin/sso`: Single Sign-On: which providers a company lets its accounts in by.

use axum::{extract::State, response::Response};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    call::Call,
    components::{
        fields::{meanwhile, text, why},
        forms::{Input, copy_button, good},
    },
    functions::Done,
    page::{Content, Frame, Head, Sheet, Typed},
    shell::console::console,
};
use vestibule_core::{
    paths::ADMIN_SSO,
    refusal::{Field, Refusal},
    rights::Action,
    sso::Provider,
};
use vestibule_service::console::{ProviderInput, ProviderSettings, SsoPage};
use vestibule_translations::{Locale, sentences, td_string};
use zeroize::Zeroizing;

use super::company::{agents_link, agents_link_field};
use crate::{
    form::{Filled, Form, Routes, redirect_or_refuse},
    http::{answer::show_form, facts::Facts},
    state::AppState,
};

/// Id of the form, which the language switch sends along.
const FORM: &str = "sso-form";

/// Single Sign-On, and a test of it.
pub fn routes(routes: Routes) -> Routes {
    routes
        .page(ADMIN_SSO, SaveSso::ACTION, settings)
        .form::<SaveSso>()
        .form::<TestSso>()
}

/// Saves what the company says about providers, or tries a provider with it.
#[derive(Clone, Deserialize)]
pub struct SaveSso {
    /// Version about Google that the page showed; 0 = nothing was saved yet.
    google_version: i64,
    google_enabled: Option<String>,
    /// Identifier of the company's application at Google; empty = the installation's is used.
    google_client_id: String,
    /// Its secret; empty = the one that is stored.
    google_client_secret: Zeroizing<String>,
    /// Whether a sign-in with Google spares the second factor.
    google_trusted: Option<String>,
    office365_version: i64,
    office365_enabled: Option<String>,
    office365_client_id: String,
    office365_client_secret: Zeroizing<String>,
    /// Tenants that are let in; empty = all.
    office365_tenants: String,
    office365_trusted: Option<String>,
    /// Word of the provider that is tried; not read when it is saved.
    provider: Option<String>,
}

/// What the form says about one provider.
struct Sent<'a> {
    version: i64,
    enabled: bool,
    client_id: &'a str,
    client_secret: &'a Zeroizing<String>,
    tenants: &'a str,
    trusted: bool,
}

impl SaveSso {
    fn of(&self, provider: Provider) -> Sent<'_> {
        match provider {
            Provider::Google => Sent {
                version: self.google_version,
                enabled: self.google_enabled.is_some(),
                client_id: &self.google_client_id,
                client_secret: &self.google_client_secret,
                tenants: "",
                trusted: self.google_trusted.is_some(),
            },
            Provider::Office365 => Sent {
                version: self.office365_version,
                enabled: self.office365_enabled.is_some(),
                client_id: &self.office365_client_id,
                client_secret: &self.office365_client_secret,
                tenants: &self.office365_tenants,
                trusted: self.office365_trusted.is_some(),
            },
        }
    }

    fn input(&self, provider: Provider) -> ProviderInput {
        let sent = self.of(provider);
        ProviderInput {
            version: (sent.version != 0).then_some(sent.version),
            enabled: sent.enabled,
            client_id: sent.client_id.to_owned(),
            client_secret: sent.client_secret.clone(),
            tenants: sent.tenants.to_owned(),
            trusted: sent.trusted,
        }
    }
}

impl Form for SaveSso {
    const PATH: &'static str = ADMIN_SSO;
    const ACTION: Action = Action::ChangeSso;
    const SWITCHED: bool = true;

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        let inputs = Provider::ALL.map(|provider| self.input(provider));
        call.service.console().save_sso(inputs, &call.visitor).await?;
        Ok(Done::to(format!("{ADMIN_SSO}?saved")))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        show_settings(state, facts, &Filled::again(self, refusal), None).await
    }
}

/// Tries a provider as its settings are typed, and saves nothing.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct TestSso(SaveSso);

impl TestSso {
    fn provider(&self) -> Option<Provider> {
        self.0.provider.as_deref().and_then(Provider::from_word)
    }
}

impl Form for TestSso {
    const PATH: &'static str = "/admin/sso/test";
    const ACTION: Action = Action::ChangeSso;
    const OPENED: Option<&'static str> = Some(ADMIN_SSO);
    const SWITCHED: bool = true;

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        let provider = self.provider().ok_or(Refusal::Malformed)?;
        call.service
            .console()
            .test_sso(provider, self.0.input(provider), &call.visitor)
            .await?;
        Ok(Done::to(ADMIN_SSO))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        show_settings(state, facts, &Filled::again(&self.0, refusal), None).await
    }

    /// That the provider is as it should be, above everything typed.
    async fn done(&self, state: &AppState, facts: &Facts, _done: Done) -> Response {
        show_settings(state, facts, &Filled::again(&self.0, None), self.provider()).await
    }
}

async fn settings(State(state): State<AppState>, facts: Facts) -> Response {
    // Whoever fills the form in should not be asked for a proof of identity only afterwards.
    match state
        .service
        .console()
        .authorize(SaveSso::ACTION, &facts.visitor)
        .await
    {
        Ok(_) => show_settings(&state, &facts, &Filled::OPENED, None).await,
        Err(refusal) => redirect_or_refuse(&refusal, ADMIN_SSO),
    }
}

/// `tested`: the provider that was just tried with what is typed, and is as it should be.
async fn show_settings(
    state: &AppState,
    facts: &Facts,
    form: &Filled<'_, SaveSso>,
    tested: Option<Provider>,
) -> Response {
    let SsoPage {
        company,
        own,
        providers,
    } = match state.service.console().sso_settings(&facts.visitor).await {
        Ok(found) => found,
        Err(reason) => return redirect_or_refuse(&reason, ADMIN_SSO),
    };
    let page = SsoSettings {
        agents_link: agents_link(&state.config.origin(), &company.name),
        providers: providers.map(|settings| card(form, settings)),
        saved: form.is_opened() && facts.asks("saved"),
        tested,
        refusal: form.refusal.cloned(),
    };
    show_form(
        facts.page_at(state, &company, &own, ADMIN_SSO, page),
        form.refusal,
    )
}

fn card(form: &Filled<'_, SaveSso>, settings: ProviderSettings) -> ProviderCard {
    let ProviderSettings {
        provider,
        row,
        installation,
        redirect_uri,
        tried,
    } = settings;
    let ticked = |on: bool| if on { "yes" } else { "" };
    let client = row.as_ref().and_then(|row| row.client.as_ref());
    let enabled = row.as_ref().map_or(installation, |row| row.enabled);
    let trusted = row.as_ref().is_some_and(|row| row.trusted);
    let tenants = row.as_ref().map(|row| row.tenants.join(" ")).unwrap_or_default();
    let client_id = form.text(
        |form| form.of(provider).client_id,
        client.map_or("", |client| &client.id),
    );
    ProviderCard {
        provider,
        version: form.version(
            form.typed.map(|form| form.of(provider).version),
            row.as_ref().map_or(0, |row| row.version),
        ),
        enabled: form.boxes(
            |form| ticked(form.of(provider).enabled).to_owned(),
            ticked(enabled),
        ),
        has_tried_secret: tried.is_some_and(|tried| client_id.value.trim() == tried),
        client_id,
        has_secret: client.is_some(),
        tenants: form.text(|form| form.of(provider).tenants, &tenants),
        trusted: form.boxes(
            |form| ticked(form.of(provider).trusted).to_owned(),
            ticked(trusted),
        ),
        installation,
        redirect_uri,
    }
}

struct SsoSettings {
    /// Where agents sign in.
    agents_link: String,
    providers: [ProviderCard; 2],
    /// Whether it was just saved.
    saved: bool,
    /// Which provider was tried just now, and is as it should be.
    tested: Option<Provider>,
    refusal: Option<Refusal>,
}

struct ProviderCard {
    /// Which.
    provider: Provider,
    /// Version that is saved over; 0 = nothing was saved yet.
    version: i64,
    /// Whether accounts may come in this way.
    enabled: Typed,
    /// Identifier of the company's application.
    client_id: Typed,
    /// Whether the secret that was typed to try this application counts when none is typed.
    has_tried_secret: bool,
    /// Whether a secret is stored.
    has_secret: bool,
    /// Tenants of Office 365.
    tenants: Typed,
    /// Whether its sign-in spares the second factor.
    trusted: Typed,
    /// Whether the installation has an application for companies without their own.
    installation: bool,
    /// Where the provider sends browsers back to.
    redirect_uri: String,
}
impl Content for SsoSettings {
    fn head(&self, now: Locale) -> Head {
        Head::new(td_string!(now, console.sso), &[Sheet::Account, Sheet::Console]).with_account_script()
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let refusal = self.refusal.as_ref();
        let tested = self.tested.map(|provider| {
            let tested = td_string!(now, sso.tested, provider = provider.name());
            good(sentences(
                now,
                &[tested.as_str(), td_string!(now, company.not_saved)],
            ))
        });
        let providers = self
            .providers
            .iter()
            .map(|form| provider(now, form, refusal))
            .collect_view();
        let content = view! {
            <h1>{td_string!(now, console.sso)}</h1>
            <p class="lead">{td_string!(now, sso.settings_intro)}</p>
            {self.saved.then(|| good(td_string!(now, company.saved)))}
            {tested}
            {why(now, refusal)}
            <form id=FORM class="fields" method="post" action=SaveSso::PATH novalidate>
                {providers}
                <button class="button primary">{td_string!(now, common.save)}</button>
            </form>
            <section class="card" aria-labelledby="test-title">
                <h2 id="test-title">{td_string!(now, sso.test_title)}</h2>
                <p class="quiet">{td_string!(now, sso.test_intro)}</p>
                <ul class="rows">{Provider::ALL.map(|provider| test(now, provider)).into_iter().collect_view()}</ul>
            </section>
            <div class="card">{agents_link_field(now, &self.agents_link)}</div>
        };
        console(frame, ADMIN_SSO, Some(FORM), content)
    }
}

fn test(now: Locale, provider: Provider) -> AnyView {
    let heading = ["test-", provider.as_str()].concat();
    let about = heading.clone();
    view! {
        <li class="row">
            <div class="row-text">
                <h3 id=heading>{provider.name()}</h3>
            </div>
            <button
                class="button small"
                form=FORM
                formaction=TestSso::PATH
                name="provider"
                value=provider.as_str()
                aria-describedby=about
            >
                {td_string!(now, sso.test)}
            </button>
        </li>
    }
    .into_any()
}

fn provider(now: Locale, form: &ProviderCard, refusal: Option<&Refusal>) -> AnyView {
    let word = form.provider.as_str();
    let name = form.provider.name();
    let of = |field: &str| [word, "_", field].concat();
    let (id_field, secret_field) = match form.provider {
        Provider::Google => (Field::GoogleClientId, Field::GoogleClientSecret),
        Provider::Office365 => (Field::Office365ClientId, Field::Office365ClientSecret),
    };
    let id_hint = if form.installation {
        td_string!(now, sso.client_id_hint, provider = name)
    } else {
        td_string!(now, sso.client_id_own, provider = name)
    };
    let secret_hint = if form.has_tried_secret {
        td_string!(now, sso.client_secret_tried)
    } else if form.has_secret {
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
            Field::Office365Tenants,
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
    .into_any()
}

/// A box to tick; what is ticked is a word.
fn tick(now: Locale, name: String, label: String, hint: String, typed: &Typed) -> AnyView {
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
                aria-describedby=described_by
            />
            <label for=name>{label}</label>
            <p class="hint" id=hint_id>
                {hint}
            </p>
        </div>
        {meanwhile(now, before)}
    }
    .into_any()
}

/// What the provider has to be told. It is an input, so that it is marked whole and copied with the keyboard too.
fn redirect_uri(now: Locale, form: &ProviderCard, id: String) -> AnyView {
    let label_for = id.clone();
    let hint_id = [&id, "-hint"].concat();
    let described_by = hint_id.clone();
    let uri = form.redirect_uri.clone();
    let copy = copy_button(now, uri.clone());
    view! {
        <div class="field">
            <label for=label_for>{td_string!(now, sso.redirect_uri)}</label>
            <div class="control">
                <input id=id type="text" value=uri readonly dir="ltr" aria-describedby=described_by />
            </div>
            <p class="hint" id=hint_id>
                {td_string!(now, sso.redirect_uri_hint, provider = form.provider.name())}
            </p>
            <div class="buttons">{copy}</div>
        </div>
    }
    .into_any()
}
