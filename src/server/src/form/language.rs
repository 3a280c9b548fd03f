//! The language switch. Where it stands on a page whose form is half filled in, it sends the form along, and the page comes
//! back with it in the new language.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use futures::{FutureExt, future::BoxFuture};
use serde::Deserialize;
use vestibule_core::{paths, refusal::Refusal, sign_in_view::Onward};

use super::{Form, FormFields, receive::call_of};
use crate::{
    http::{
        answer::{apply, see_other},
        denied::Denied,
        facts::Facts,
    },
    state::AppState,
};

/// Field of a form that was refused, with the text in it that was: the switch says once more what was wrong with that,
/// whatever was typed since.
pub const REFUSED_TEXT: &str = "refused_text";

/// The switch alone.
#[derive(Clone, Debug, Deserialize)]
pub struct SwitchLanguage {
    /// Language tag; not read when `shown_in` is there.
    language: Option<String>,
    /// Where to go back to; anything but a local path leads to the sign-in page.
    return_to: String,
    /// Language tag of a switch that stands in another form, where `language` may be a field of that form.
    shown_in: Option<String>,
}

/// Shows the form in the fields once more, if its page is the one at this address.
pub type Redisplay = fn(AppState, Facts, FormFields, String) -> BoxFuture<'static, Option<Response>>;

/// The [`Redisplay`] of a form.
pub fn redisplay<F: Form>(
    state: AppState,
    facts: Facts,
    fields: FormFields,
    address: String,
) -> BoxFuture<'static, Option<Response>> {
    async move {
        let form = fields.read::<F>().ok().filter(|form| form.page() == address)?;
        let refused = fields.get(REFUSED_TEXT).and_then(|text| {
            let fields: FormFields = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
            fields.read::<F>().ok()
        });
        let refusal = refused.and_then(|refused| refused.problems());
        Some(form.redisplay(&state, &facts, refusal.as_ref()).await)
    }
    .boxed()
}

/// Remembers a language in this browser, and with the account when somebody is signed in. An unknown language changes
/// nothing; [`Refusal::Malformed`] without any.
pub async fn switch(state: AppState, facts: Facts, fields: FormFields, forms: Vec<Redisplay>) -> Response {
    match switched(state, facts, fields, forms).await {
        Ok(response) => response,
        Err(refusal) => Denied::from(refusal).into_response(),
    }
}

async fn switched(
    state: AppState,
    facts: Facts,
    fields: FormFields,
    forms: Vec<Redisplay>,
) -> Result<Response, Refusal> {
    let switch: SwitchLanguage = fields.read()?;
    let language = switch.shown_in.or(switch.language).ok_or(Refusal::Malformed)?;
    let call = call_of(&state, &facts);
    call.remember_language(&language).await?;
    let to = if paths::is_local(&switch.return_to) {
        switch.return_to
    } else {
        paths::LOGIN.to_owned()
    };
    let mut response = if facts.wants_page {
        let chosen = vestibule_translations::from_tag(&language);
        let facts = facts.choosing(chosen, fields.get(REFUSED_TEXT));
        let mut shown = None;
        for form in forms {
            shown = form(state.clone(), facts.clone(), fields.clone(), to.clone()).await;
            if shown.is_some() {
                break;
            }
        }
        shown.unwrap_or_else(|| see_other(&to))
    } else {
        Json(Onward { to }).into_response()
    };
    apply(&state, &call.take_effects(), &mut response);
    Ok(response)
}
