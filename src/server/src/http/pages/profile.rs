//! Profile, and the page that asks for the password again.

use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use vestibule_app::page::{Body, ConfirmPage, ConfirmReason, ProfileForm, ProfileNotice, ProfilePage};
use vestibule_core::{paths, refusal::Refusal};
use vestibule_service::{profile, sessions::SignedIn};

use super::{mark, show, turned_away};
use crate::{
    http::{denied::Denied, facts::Facts, form_guard::FormFields, moments::Moments},
    state::AppState,
};

/// `/profile`
pub async fn profile(State(state): State<AppState>, request: Request) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    let page = |page: &mut ProfilePage| {
        page.notice = [
            ("saved", ProfileNotice::Saved),
            ("confirmed", ProfileNotice::Confirmed),
            ("email_sent", ProfileNotice::EmailSent),
            ("email_cancelled", ProfileNotice::EmailCancelled),
        ]
        .into_iter()
        .find_map(|(word, notice)| facts.asks(word).then_some(notice));
    };
    show_profile(&state, &facts, page).await
}

/// The profile page after one of its forms was refused, with everything typed but passwords.
pub async fn refused(
    state: &AppState,
    facts: &Facts,
    fields: &FormFields,
    form: ProfileForm,
    refusal: &Refusal,
) -> Response {
    let page = |page: &mut ProfilePage| {
        if form == ProfileForm::Data {
            keep_typed(page, fields);
            if let Some(language) = fields.get("language") {
                language.clone_into(&mut page.language);
            }
        }
        if form == ProfileForm::Email {
            fields
                .get("email")
                .unwrap_or_default()
                .clone_into(&mut page.email);
        }
        page.refused = Some((form, refusal.clone()));
    };
    let mut response = show_profile(state, facts, page).await;
    if response.status() == StatusCode::OK {
        mark(&mut response, refusal);
    }
    response
}

/// The profile page in another language, with everything typed. Only the language is the one that was just chosen: it
/// was stored with the account.
pub async fn in_another_language(state: &AppState, facts: &Facts, fields: &FormFields) -> Response {
    show_profile(state, facts, |page| keep_typed(page, fields)).await
}

fn keep_typed(page: &mut ProfilePage, fields: &FormFields) {
    for (name, place) in [
        ("first_name", &mut page.first_name),
        ("last_name", &mut page.last_name),
        ("alias", &mut page.alias),
        ("phone", &mut page.phone),
        ("title", &mut page.title),
        ("time_format", &mut page.time_format),
    ] {
        if let Some(typed) = fields.get(name) {
            typed.clone_into(place);
        }
    }
}

async fn show_profile(state: &AppState, facts: &Facts, change: impl FnOnce(&mut ProfilePage)) -> Response {
    let profile::ProfilePage {
        company,
        account,
        proved,
        proved_lately,
    } = match state.service.profile(&facts.visitor).await {
        Ok(page) => page,
        Err(refusal) => return turned_away(&refusal, paths::PROFILE),
    };
    let moments = Moments::of(&company, &account);
    let mut page = ProfilePage {
        first_name: account.first_name.clone(),
        last_name: account.last_name.clone(),
        alias: account.alias.clone(),
        phone: account.phone.clone(),
        title: account.title.clone(),
        time_format: account.time_format.hours().to_string(),
        language: account.language.clone().unwrap_or_default(),
        company_language: company.language.clone(),
        no_password: !account.has_password,
        password_min: company.password_min,
        must_confirm: !proved && account.has_second_factor(),
        must_confirm_for_email: !proved_lately,
        pending_email: account
            .pending_email
            .as_ref()
            .map(|pending| (pending.address.clone(), moments.write(pending.since))),
        ..ProfilePage::default()
    };
    change(&mut page);
    let mut page = facts.page_for(state, &company, &account, Body::Profile(page));
    paths::PROFILE.clone_into(&mut page.frame.path);
    show(StatusCode::OK, page)
}

/// `/profile/confirm`
pub async fn confirm(State(state): State<AppState>, request: Request) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    let reason = if facts.asks("again") {
        ConfirmReason::TooOld
    } else if facts.asks("expired") {
        ConfirmReason::Expired
    } else {
        ConfirmReason::Ahead
    };
    let page = ConfirmPage {
        next: facts.query("next").unwrap_or_default(),
        reason,
        ..ConfirmPage::default()
    };
    show_confirm(&state, &facts, page).await
}

/// The page again after the password was refused.
pub async fn confirm_refused(
    state: &AppState,
    facts: &Facts,
    fields: &FormFields,
    refusal: &Refusal,
) -> Response {
    let page = ConfirmPage {
        next: fields.get("next").unwrap_or_default().to_owned(),
        refusal: Some(refusal.clone()),
        ..ConfirmPage::default()
    };
    let mut response = show_confirm(state, facts, page).await;
    if response.status() == StatusCode::OK {
        mark(&mut response, refusal);
    }
    response
}

async fn show_confirm(state: &AppState, facts: &Facts, mut page: ConfirmPage) -> Response {
    let SignedIn { company, account, .. } = match session(state, facts, paths::PROFILE_CONFIRM).await {
        Ok(signed_in) => signed_in,
        Err(response) => return *response,
    };
    if !paths::is_local(&page.next) {
        paths::SECURITY.clone_into(&mut page.next);
    }
    if !account.has_password {
        page.providers = match state.service.own_providers(&facts.visitor).await {
            Ok(own) => own
                .into_iter()
                .filter(|own| own.identity.is_some())
                .map(|own| own.provider)
                .collect(),
            Err(refusal) => return turned_away(&refusal, paths::PROFILE_CONFIRM),
        };
    }
    let path = format!("{}?next={}", paths::PROFILE_CONFIRM, page.next);
    let mut page = facts.page_for(state, &company, &account, Body::Confirm(page));
    page.frame.path = path;
    show(StatusCode::OK, page)
}

/// The live session, whether or not a second factor has to be set up first; or the way to the sign-in page and back
/// to `path`.
pub(super) async fn session(state: &AppState, facts: &Facts, path: &str) -> Result<SignedIn, Box<Response>> {
    match state.service.session(&facts.visitor).await {
        Ok(Some(signed_in)) => Ok(signed_in),
        Ok(None) => Err(Box::new(turned_away(&Refusal::NotSignedIn, path))),
        Err(refusal) => Err(Box::new(Denied::from(refusal).into_response())),
    }
}
