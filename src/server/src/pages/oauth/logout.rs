//! `/oauth/logout`: a sign-out that an application asks for (OpenID Connect RP-Initiated Logout 1.0).

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    call::{Call, Effect},
    functions::Done,
    page::{Content, Frame, Head, Sheet},
    text::Sentence,
};
use vestibule_core::{limits::OAUTH_REQUEST_MAX, paths, refusal::Refusal, rights::Action};
use vestibule_service::oidc::LoggingOut;
use vestibule_translations::{Locale, td_string};

use super::going::{Offer, lead_on, offer, secretive};
use crate::{
    form::{Form, call_of, refused_or, run},
    http::{
        answer::{apply, see_other, show},
        denied::Denied,
        facts::Facts,
    },
    pages::common::in_gate,
    state::AppState,
};

/// Where a browser goes that is signed out and not led back.
const SIGNED_OUT: &str = "/login?signed_out";

/// `GET /oauth/logout`
pub async fn logout(State(state): State<AppState>, facts: Facts) -> Response {
    let query = facts
        .path
        .split_once('?')
        .map_or("", |(_, query)| query)
        .to_owned();
    if query.len() > OAUTH_REQUEST_MAX {
        return Denied::from(Refusal::TooLarge).into_response();
    }
    let (service, visitor, sent) = (state.service.clone(), facts.visitor.clone(), query.clone());
    let done = run(&facts, async move {
        service.issuer().log_out(&sent, false, &visitor).await
    })
    .await;
    match done {
        Ok(LoggingOut::Done(to)) => {
            let response = secretive(see_other(to.as_deref().unwrap_or(SIGNED_OUT)));
            forgetting(&state, &facts, response)
        }
        Ok(LoggingOut::Offer { to, application }) => {
            let title: Sentence = |now| td_string!(now, sign_in.signed_out);
            let back = Offer {
                title,
                application,
                to,
                fields: None,
            };
            forgetting(&state, &facts, offer(&state, &facts, StatusCode::OK, back))
        }
        Ok(LoggingOut::Ask) => {
            let mut page = facts.page(&state, AskPage { asked: query });
            // The request is the application's: it is not brought back by a switch of the language.
            paths::LOGIN.clone_into(&mut page.frame.path);
            secretive(show(StatusCode::OK, page))
        }
        Err(refusal) => Denied::from(refusal).into_response(),
    }
}

/// `POST /oauth/logout`: another site's form brings no cookies, so the browser comes once more by itself.
pub async fn logout_posted(body: String) -> Response {
    if body.len() > OAUTH_REQUEST_MAX {
        return Denied::from(Refusal::TooLarge).into_response();
    }
    // Written anew: whatever it was, it is a query now.
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form_urlencoded::parse(body.as_bytes()))
        .finish();
    secretive(see_other(&format!("{}?{query}", paths::OAUTH_LOGOUT)))
}

/// The answer to a browser in which nobody is signed in any more.
fn forgetting(state: &AppState, facts: &Facts, mut response: Response) -> Response {
    let call = call_of(state, facts);
    forget(&call);
    apply(state, &call.take_effects(), &mut response);
    response
}

fn forget(call: &Call) {
    call.add(Effect::Session(None));
    call.add(Effect::ClearSiteData);
}

/// Signs out after the agent was asked.
#[derive(Clone, Deserialize)]
pub struct SignOutAgreed {
    /// The request of the application.
    asked: String,
}

impl Form for SignOutAgreed {
    const PATH: &'static str = paths::OAUTH_SIGN_OUT;
    const ACTION: Action = Action::ComeIn;
    const OPENED: Option<&'static str> = Some("/");

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        let done = call
            .service
            .issuer()
            .log_out(&self.asked, true, &call.visitor)
            .await?;
        forget(call);
        Ok(Done::to(match done {
            LoggingOut::Done(Some(to)) => to,
            LoggingOut::Done(None) | LoggingOut::Offer { .. } | LoggingOut::Ask => SIGNED_OUT.to_owned(),
        }))
    }

    async fn redisplay(&self, _: &AppState, _: &Facts, refusal: Option<&Refusal>) -> Response {
        refused_or(refusal, "/")
    }

    async fn done(&self, state: &AppState, facts: &Facts, done: Done) -> Response {
        if paths::is_local(&done.to) {
            see_other(&done.to)
        } else {
            lead_on(state, facts, None, done.to)
        }
    }
}

struct AskPage {
    /// The request of the application.
    asked: String,
}

impl Content for AskPage {
    fn head(&self, now: Locale) -> Head {
        Head::new(td_string!(now, oauth.logout_title), &[Sheet::Account])
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let content = view! {
            <h1>{td_string!(now, oauth.logout_title)}</h1>
            <p class="lead">{td_string!(now, oauth.logout_intro)}</p>
            <form class="fields" method="post" action=SignOutAgreed::PATH>
                <input type="hidden" name="asked" value=self.asked />
                <button class="button primary wide">{td_string!(now, oauth.sign_out)}</button>
            </form>
            <p class="aside">
                <a href="/">{td_string!(now, oauth.stay)}</a>
            </p>
        };
        in_gate(frame, |now| td_string!(now, oauth.logout_title), content)
    }
}
