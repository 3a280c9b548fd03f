//! `/logout`

use axum::{http::StatusCode, response::Response};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    call::{Call, Effect},
    functions::Done,
    page::{Content, Frame, Head},
};
use vestibule_core::{
    paths::{LOGIN, LOGOUT},
    refusal::Refusal,
    rights::Action,
};
use vestibule_translations::{Locale, td_string};

use crate::{
    form::{Form, Routes, refused_or},
    http::{
        answer::{see_other, show},
        facts::Facts,
    },
    pages::common::in_gate,
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
        let not_told = call.service.sign_in().sign_out(&call.visitor).await?;
        call.leave();
        call.add(Effect::ClearSiteData);
        Ok(Done {
            not_told,
            ..Done::to(format!("{LOGIN}?signed_out"))
        })
    }

    async fn done(&self, state: &AppState, facts: &Facts, done: Done) -> Response {
        if done.not_told.is_empty() {
            return see_other(&done.to);
        }
        let page = NotToldPage {
            applications: done.not_told,
        };
        show(StatusCode::OK, facts.clone().answering_form().page(state, page))
    }

    async fn redisplay(&self, _: &AppState, _: &Facts, refusal: Option<&Refusal>) -> Response {
        refused_or(refusal, LOGIN)
    }
}

/// Says which applications do not know that somebody has signed out.
struct NotToldPage {
    /// Their names.
    applications: Vec<String>,
}

impl Content for NotToldPage {
    fn head(&self, now: Locale) -> Head {
        Head::new(td_string!(now, applications.not_told_title), &[])
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let names = self
            .applications
            .into_iter()
            .map(|name| {
                view! {
                    <li>
                        <bdi>{name}</bdi>
                    </li>
                }
            })
            .collect_view();
        let content = view! {
            <h1>{td_string!(now, applications.not_told_title)}</h1>
            <p class="lead">{td_string!(now, applications.not_told)}</p>
            <ul class="prose">{names}</ul>
            <p class="fields">
                <a class="button primary wide" href=LOGIN>
                    {td_string!(now, applications.sign_in_again)}
                </a>
            </p>
        };
        in_gate(frame, |now| td_string!(now, applications.not_told_title), content)
    }
}
