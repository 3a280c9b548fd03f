//! Single Sign-On: which providers a company lets its accounts in by.

use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use vestibule_app::page::{Body, ProviderForm, SsoSettingsPage};
use vestibule_core::{paths, refusal::Refusal, rights::Action, signed_in::FormRefusal, sso::Provider};
use vestibule_service::console::{ProviderSettings, SsoPage};

use super::{company::Form, mark, see_other, show, turned_away};
use crate::{
    http::{facts::Facts, form_guard::FormFields},
    state::AppState,
};

/// `/admin/sso`
pub async fn settings(State(state): State<AppState>, request: Request) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    // Whoever fills the form in should not be asked for a proof of identity only afterwards.
    match state.service.console(Action::ChangeSso, &facts.visitor).await {
        Ok(_) => show_settings(&state, &facts, None, None).await,
        Err(refusal) => turned_away(&refusal, paths::ADMIN_SSO),
    }
}

/// The page with everything typed but secrets: after it was refused, or in another language.
pub async fn again(
    state: &AppState,
    facts: &Facts,
    fields: &FormFields,
    refusal: Option<&Refusal>,
) -> Response {
    match refusal {
        Some(refusal @ (Refusal::NotSignedIn | Refusal::Forbidden | Refusal::Malformed)) => {
            turned_away(refusal, paths::ADMIN_SSO)
        }
        refusal => show_settings(state, facts, Some(fields), refusal).await,
    }
}

/// The page again after a provider could not be tried, or is not as it should be.
pub async fn test_refused(state: &AppState, facts: &Facts, refusal: &Refusal) -> Response {
    match refusal {
        Refusal::Form(FormRefusal::NoApplication { .. } | FormRefusal::ProviderUnusable { .. }) => {
            show_settings(state, facts, None, Some(refusal)).await
        }
        other => turned_away(other, paths::ADMIN_SSO),
    }
}

/// Sends somebody who opens the address of the test to the page that holds it.
pub async fn of_test() -> Response {
    see_other(paths::ADMIN_SSO)
}

async fn show_settings(
    state: &AppState,
    facts: &Facts,
    fields: Option<&FormFields>,
    refusal: Option<&Refusal>,
) -> Response {
    let SsoPage {
        company,
        own,
        providers,
    } = match state.service.sso_settings(&facts.visitor).await {
        Ok(page) => page,
        Err(reason) => return turned_away(&reason, paths::ADMIN_SSO),
    };
    let form = Form { fields, refusal };
    let tested = facts.query("tested").as_deref().and_then(Provider::from_word);
    let body = SsoSettingsPage {
        providers: providers
            .into_iter()
            .map(|settings| provider(&form, settings))
            .collect(),
        saved: fields.is_none() && facts.asks("saved"),
        tested: tested.filter(|_| refusal.is_none() && fields.is_none()),
        refusal: refusal.cloned(),
    };
    let mut page = facts.page_for(state, &company, &own, Body::SsoSettings(body));
    paths::ADMIN_SSO.clone_into(&mut page.frame.path);
    let mut response = show(StatusCode::OK, page);
    if let Some(refusal) = refusal {
        mark(&mut response, refusal);
    }
    response
}

fn provider(form: &Form<'_>, settings: ProviderSettings) -> ProviderForm {
    let ProviderSettings {
        provider,
        row,
        installation,
        redirect_uri,
    } = settings;
    let of = |field: &str| [provider.as_str(), "_", field].concat();
    let ticked = |on: bool| if on { "yes" } else { "" };
    let client = row.as_ref().and_then(|row| row.client.as_ref());
    let enabled = row.as_ref().map_or(installation, |row| row.enabled);
    let trusted = row.as_ref().is_some_and(|row| row.trusted);
    let tenants = row.as_ref().map(|row| row.tenants.join(" ")).unwrap_or_default();
    ProviderForm {
        provider,
        version: form.version_in(&of("version"), row.as_ref().map_or(0, |row| row.version)),
        enabled: form.ticked(&of("enabled"), ticked(enabled)),
        client_id: form.typed(&of("client_id"), client.map_or("", |client| &client.id)),
        has_secret: client.is_some(),
        tenants: form.typed(&of("tenants"), &tenants),
        trusted: form.ticked(&of("trusted"), ticked(trusted)),
        installation,
        redirect_uri,
    }
}
