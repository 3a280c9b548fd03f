//! `/logout`

use axum::response::Response;
use serde::Deserialize;
use vestibule_app::{
    call::{Call, Effect},
    functions::Done,
};
use vestibule_core::{
    paths::{LOGIN, LOGOUT},
    refusal::Refusal,
    rights::Action,
};

use crate::{
    form::{Form, Routes, refused_or},
    http::facts::Facts,
    state::AppState,
};

/// The way out.
pub fn routes(routes: Routes) -> Routes {
    routes.form::<SignOut>()
}

/// Ends this session.
#[derive(Clone, Deserialize)]
pub struct SignOut {}

impl Form for SignOut {
    const PATH: &'static str = LOGOUT;
    const ACTION: Action = Action::ComeIn;

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service.sign_in().sign_out(&call.visitor).await?;
        call.leave();
        call.add(Effect::ClearSiteData);
        Ok(Done::to(format!("{LOGIN}?signed_out")))
    }

    async fn redisplay(&self, _: &AppState, _: &Facts, refusal: Option<&Refusal>) -> Response {
        refused_or(refusal, LOGIN)
    }
}
