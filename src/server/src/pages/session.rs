//! `/session`: until when the session lasts, and staying signed in. Only scripts ask; without them the page says it.

use axum::{
    Extension, Json,
    extract::State,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use vestibule_app::shell::session_end;
use vestibule_core::{paths::SESSION, rights::Action};

use crate::{
    form::{FormFields, Routes},
    http::{denied::Denied, facts::Facts},
    state::AppState,
};

/// Until when a session lasts.
pub fn routes(routes: Routes) -> Routes {
    routes.other(SESSION, Action::OwnAccount, &["stay"], ends)
}

/// What the script is told.
#[derive(Serialize)]
struct Lasts {
    /// Seconds until the session ends.
    left: u32,
    /// Whether it ends then only if nobody does anything.
    idle: bool,
    /// When it ends, in the language of the page.
    sentence: String,
}

/// Only staying counts as activity.
async fn ends(
    State(state): State<AppState>,
    facts: Facts,
    fields: Option<Extension<FormFields>>,
) -> Result<Response, Denied> {
    let stay = fields.is_some_and(|Extension(fields)| fields.get("stay") == Some("yes"));
    let sign_in = state.service.sign_in();
    let (signed_in, ends) = sign_in.session_ends(stay, &facts.visitor).await?;
    let end = facts.end_of_session(&state, &signed_in.company, &signed_in.account, ends);
    let locale = facts.locale(
        signed_in.account.person.language.as_deref(),
        Some(&signed_in.company.settings.language),
    );
    Ok(Json(Lasts {
        left: end.left,
        idle: end.idle,
        sentence: session_end::sentence(locale, &end),
    })
    .into_response())
}
