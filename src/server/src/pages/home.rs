//! `/`

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use vestibule_core::{paths, rights::Action, sign_in::landing};

use crate::{
    form::Routes,
    http::{answer::see_other, denied::Denied, facts::Facts},
    state::AppState,
};

/// The beginning.
pub fn routes(routes: Routes) -> Routes {
    routes.page("/", Action::ComeIn, home)
}

/// Leads to the landing page, or to the sign-in page.
async fn home(State(state): State<AppState>, facts: Facts) -> Response {
    match state.service.sign_in().session(&facts.visitor).await {
        Ok(Some(signed_in)) => see_other(&landing(
            &signed_in.company.settings,
            signed_in.account.highest_role(),
            None,
        )),
        Ok(None) => see_other(paths::LOGIN),
        Err(refusal) => Denied::from(refusal).into_response(),
    }
}
