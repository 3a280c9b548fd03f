//! What several pages share.

use axum::response::{IntoResponse, Response};
use leptos::prelude::*;
use vestibule_app::{
    components::frame::{gate, gate_with, language_switch_of},
    page::Frame,
    shell::document::shell,
    text::Sentence,
};
use vestibule_core::{limits::BACKUP_CODES_LOW, refusal::Refusal};
use vestibule_service::sessions::SignedIn;

use crate::{
    form::redirect_or_refuse,
    http::{denied::Denied, facts::Facts},
    state::AppState,
};

/// The live session, whether or not a second factor has to be set up first; or the way to the sign-in page and back
/// to `path`.
pub async fn session(state: &AppState, facts: &Facts, path: &str) -> Result<SignedIn, Box<Response>> {
    match state.service.sign_in().session(&facts.visitor).await {
        Ok(Some(signed_in)) => Ok(signed_in),
        Ok(None) => Err(Box::new(redirect_or_refuse(&Refusal::NotSignedIn, path))),
        Err(refusal) => Err(Box::new(Denied::from(refusal).into_response())),
    }
}

/// The live session with everything open to it, or the way to what stands before.
pub async fn signed_in(state: &AppState, facts: &Facts) -> Result<SignedIn, Box<Response>> {
    state
        .service
        .sign_in()
        .signed_in(&facts.visitor)
        .await
        .map_err(|refusal| Box::new(redirect_or_refuse(&refusal, &facts.path)))
}

/// How many backup codes are left, when they are so few that it has to be said. A fault in it does not keep anybody from
/// their work.
pub async fn few_codes(state: &AppState, facts: &Facts, signed_in: &SignedIn) -> Option<usize> {
    let left = state
        .service
        .profile()
        .backup_codes_left(signed_in, &facts.visitor)
        .await;
    few(left.ok().flatten())
}

/// The backup codes that are left, when they are so few that it has to be said.
pub fn few(left: Option<usize>) -> Option<usize> {
    left.filter(|&left| left <= BACKUP_CODES_LOW)
}

/// A page in the frame of the sign-in screens.
pub fn in_gate(frame: Frame, title: Sentence, content: impl IntoView) -> AnyView {
    let locale = RwSignal::new(frame.locale);
    gate(shell(frame), locale, move || title, None, content.into_any()).into_any()
}

/// The same for a page whose form must not lose what was typed when the language changes.
pub fn in_gate_with_form(
    frame: Frame,
    form: &'static str,
    title: Sentence,
    content: impl IntoView,
) -> AnyView {
    let locale = RwSignal::new(frame.locale);
    let switch = language_switch_of(form, frame.locale, frame.path.clone(), true);
    let title = move |now| title(now).to_owned();
    gate_with(shell(frame), locale, switch, title, content.into_any()).into_any()
}
