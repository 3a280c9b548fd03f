//! `/oauth/authorize`: from an application to the sign-in page, to whatever else has to happen, and back with a code.

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
use vestibule_core::{
    limits::{COMPANY_MAX, EMAIL_MAX},
    oidc::{
        request::{AuthorizationAnswer, LoginHint},
        step::Choice,
    },
    paths,
    refusal::Refusal,
    rights::Action,
    secret::Token,
};
use vestibule_service::{
    oidc::{Authorized, Begun, Posted},
    sessions::SignedIn,
};
use vestibule_translations::{Locale, td_string};

use super::going::{Offer, address_of, lead_on, offer, post_on, secretive};
use crate::{
    form::{Form, confirm_for, redirect_or_refuse, refused_or, run},
    http::{
        answer::{apply, see_other, show},
        denied::Denied,
        facts::Facts,
    },
    pages::common::in_gate,
    state::AppState,
};

/// The query of this request.
fn query_of(facts: &Facts) -> String {
    facts
        .path
        .split_once('?')
        .map_or("", |(_, query)| query)
        .to_owned()
}

/// `GET /oauth/authorize`
pub async fn authorize(State(state): State<AppState>, facts: Facts) -> Response {
    let begun = Begun::anew(state.service.clock().now());
    answer(&state, &facts, query_of(&facts), begun, Way::Direct).await
}

/// `POST /oauth/authorize`: another site's form brings no cookies, so the browser comes once more by itself.
pub async fn authorize_posted(State(state): State<AppState>, facts: Facts, body: String) -> Response {
    let answered = match state.service.issuer().take_posted(&body, &facts.visitor).await {
        Ok(Posted::GoesOn(resume)) => return see_other(&resume),
        Ok(Posted::Answered(authorized)) => to_application(&state, &facts, authorized, Way::Direct),
        Err(refusal) => return Denied::from(refusal).into_response(),
    };
    answered.unwrap_or_else(|_| Denied::from(Refusal::Malformed).into_response())
}

/// `GET /oauth/resume`
pub async fn resume(State(state): State<AppState>, facts: Facts) -> Response {
    let asked = facts.query("asked").unwrap_or_default();
    match state.service.issuer().open_request(&asked, &facts.visitor).await {
        Ok((query, begun)) => answer(&state, &facts, query, begun, Way::AfterForm).await,
        Err(refusal) => Denied::from(refusal).into_response(),
    }
}

/// How the browser came.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// From the application.
    Direct,
    /// Perhaps from a form of ours, after which a redirect may lead to this site only.
    AfterForm,
}

/// The sign-in page, which leads back to `resume`.
fn sign_in(resume: &str, hint: Option<&LoginHint>, ui_locales: &[String]) -> Response {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("next", resume);
    if let Some(hint) = hint {
        // No more than there is room for in the fields, and in the address.
        let shortened = |text: &str, most| text.chars().take(most).collect::<String>();
        if let Some(company) = &hint.company {
            query.append_pair("company", &shortened(company, COMPANY_MAX));
        }
        query.append_pair("account", &shortened(&hint.account, EMAIL_MAX));
    }
    let known = |tag: &&String| vestibule_translations::from_tag(tag).is_some();
    if let Some(tag) = ui_locales.iter().find(known) {
        query.append_pair("language", tag);
    }
    see_other(&format!("{}?{}", paths::LOGIN, query.finish()))
}

async fn answer(state: &AppState, facts: &Facts, query: String, begun: Begun, way: Way) -> Response {
    let (service, visitor, asked) = (state.service.clone(), facts.visitor.clone(), query.clone());
    let authorized = run(facts, async move {
        service.issuer().authorize(&asked, begun, &visitor).await
    })
    .await;
    let authorized = match authorized {
        Ok(authorized) => authorized,
        // A page here: nothing is certain about where the request would lead.
        Err(refusal) => return Denied::from(refusal).into_response(),
    };
    let authorized = match to_application(state, facts, authorized, way) {
        Ok(response) => return response,
        Err(interrupted) => interrupted,
    };
    let number = facts.visitor.browser_token.clone();
    let number = number.unwrap_or_else(|| Token::new(state.service.randomness().as_ref()));
    let issuer = state.service.issuer();
    let carried = issuer.carry_request(&query, begun, Some(&number), &facts.visitor);
    let resume = match carried.await {
        Ok(resume) => resume,
        Err(refusal) => return Denied::from(refusal).into_response(),
    };
    let mut response = interrupt(state, facts, authorized, resume);
    // What happens now counts for this request in this browser alone.
    if facts.visitor.browser_token.is_none() {
        apply(state, &[Effect::Browser(number)], &mut response);
    }
    response
}

/// Answers the application, or offers the way to it; gives back what has to happen before.
fn to_application(
    state: &AppState,
    facts: &Facts,
    authorized: Authorized,
    way: Way,
) -> Result<Response, Authorized> {
    match authorized {
        Authorized::Answer { answer, application } => Ok(send(state, facts, answer, application, way)),
        Authorized::Offer { answer, application } => {
            let title: Sentence = |now| td_string!(now, errors.application_unknown_title);
            let back = Offer {
                title,
                application,
                to: answer.uri,
                fields: answer.fields,
            };
            Ok(offer(state, facts, StatusCode::BAD_REQUEST, back))
        }
        interrupted => Err(interrupted),
    }
}

/// Leads to what has to happen before the request goes on at `resume`.
fn interrupt(state: &AppState, facts: &Facts, authorized: Authorized, resume: String) -> Response {
    match authorized {
        Authorized::SignIn { hint, ui_locales } => sign_in(&resume, hint.as_ref(), &ui_locales),
        Authorized::Prove => see_other(&confirm_for(&resume)),
        Authorized::First(refusal) => redirect_or_refuse(&refusal, &resume),
        Authorized::Choose {
            choice,
            application,
            signed_in,
            back,
        } => {
            let SignedIn { company, account, .. } = *signed_in;
            let page = ChoosePage {
                choice,
                application,
                name: account.person.alias.clone(),
                company: company.name.clone(),
                asked: paths::resumed(&resume).unwrap_or_default().to_owned(),
                back: address_of(back),
            };
            let page = facts.page_at(state, &company, &account, resume, page);
            secretive(show(StatusCode::OK, page))
        }
        Authorized::Answer { .. } | Authorized::Offer { .. } => {
            Denied::from(Refusal::Malformed).into_response()
        }
    }
}

/// Sends the browser back to the application.
fn send(
    state: &AppState,
    facts: &Facts,
    answer: AuthorizationAnswer,
    application: String,
    way: Way,
) -> Response {
    match (answer.fields, way) {
        (Some(fields), _) => post_on(state, facts, application, answer.uri, fields),
        (None, Way::Direct) => secretive(see_other(&answer.uri)),
        (None, Way::AfterForm) => lead_on(state, facts, Some(application), answer.uri),
    }
}

/// Says how to go on with the request of an application.
#[derive(Clone, Deserialize)]
pub struct Choose {
    asked: String,
    /// `go_on`, or anything else: as somebody else.
    how: String,
}

impl Form for Choose {
    const PATH: &'static str = paths::OAUTH_CHOOSE;
    const ACTION: Action = Action::ComeIn;
    const OPENED: Option<&'static str> = Some("/");

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        let issuer = call.service.issuer();
        let (query, begun) = issuer.open_request(&self.asked, &call.visitor).await?;
        let goes_on = self.how == "go_on";
        if !goes_on {
            call.service.sign_in().sign_out(&call.visitor).await?;
            call.add(Effect::Session(None));
        }
        let begun = Begun {
            chosen: goes_on,
            ..begun
        };
        let number = call.visitor.browser_token.as_ref();
        let resume = issuer.carry_request(&query, begun, number, &call.visitor).await?;
        Ok(Done::to(resume))
    }

    async fn redisplay(&self, _: &AppState, _: &Facts, refusal: Option<&Refusal>) -> Response {
        refused_or(refusal, "/")
    }
}

/// Asks as whom the agent goes on to an application.
struct ChoosePage {
    choice: Choice,
    /// Name of the application.
    application: String,
    /// Who is signed in.
    name: String,
    /// In which company.
    company: String,
    /// The request, sealed.
    asked: String,
    /// The way back to the application.
    back: String,
}

impl Content for ChoosePage {
    fn head(&self, now: Locale) -> Head {
        Head::new(td_string!(now, oauth.choose_title), &[Sheet::Account])
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let application = self.application.clone();
        let intro = match self.choice {
            Choice::AsWhom => td_string!(now, oauth.choose_intro, application = application),
            Choice::SomebodyElse => td_string!(now, oauth.other_intro, application = application),
            Choice::NotAllowed => td_string!(now, oauth.not_allowed_intro, application = application),
        };
        let asked = self.asked;
        let button = |how: &'static str, class: &'static str, label: String| {
            view! {
                <form method="post" action=Choose::PATH>
                    <input type="hidden" name="asked" value=asked.clone() />
                    <input type="hidden" name="how" value=how />
                    <button class=class>{label}</button>
                </form>
            }
        };
        let name = self.name.clone();
        let go_on = (self.choice == Choice::AsWhom).then(|| {
            let label = td_string!(now, oauth.continue_as, name = name);
            button("go_on", "button primary wide", label)
        });
        let other = button(
            "other",
            "button wide",
            td_string!(now, oauth.other_account).to_owned(),
        );
        let content = view! {
            <h1>{td_string!(now, oauth.choose_title)}</h1>
            <p class="lead">{intro}</p>
            <p>{td_string!(now, oauth.signed_in_as, name = self.name, company = self.company)}</p>
            <div class="fields">{go_on} {other}</div>
            <p class="aside">
                <a href=self.back>{td_string!(now, oauth.back, application = self.application)}</a>
            </p>
        };
        in_gate(frame, |now| td_string!(now, oauth.choose_title), content)
    }
}
