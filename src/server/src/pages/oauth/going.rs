//! Pages that lead a browser on to an application. A redirect after a form of ours may lead to this site only, so there is a
//! page between; and an answer that the application wants posted is a form.

use std::sync::Arc;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use leptos::prelude::*;
use url::Url;
use vestibule_app::{
    page::{Content, Frame, Head, Refresh, Sheet},
    text::Sentence,
};
use vestibule_core::{
    oidc::{parameters::with_parameters, request::AuthorizationAnswer},
    paths::LOGIN,
};
use vestibule_service::sessions::SignedIn;
use vestibule_translations::{Locale, td_string};

use crate::{
    http::{answer::show, facts::Facts, headers::ContentPolicy},
    pages::common::in_gate,
    state::AppState,
};

/// Leads to `to`, which is an address of an application, by itself or by a link.
pub fn lead_on(state: &AppState, facts: &Facts, application: Option<String>, to: String) -> Response {
    let page = GoingPage {
        application,
        to,
        fields: None,
    };
    secretive(show(StatusCode::OK, facts.page(state, page)))
}

/// Leads somebody who is signed in on to an application, in their own language.
pub fn lead_to(
    state: &AppState,
    facts: &Facts,
    signed_in: &SignedIn,
    application: String,
    to: String,
) -> Response {
    let page = GoingPage {
        application: Some(application),
        to,
        fields: None,
    };
    let page = facts.page_for(state, &signed_in.company, &signed_in.account, page);
    secretive(show(StatusCode::OK, page))
}

/// Posts an answer to an application, by itself or by a button.
pub fn post_on(
    state: &AppState,
    facts: &Facts,
    application: String,
    to: String,
    fields: Vec<(&'static str, String)>,
) -> Response {
    let policy = with_form_to(&to);
    let page = GoingPage {
        application: Some(application),
        to,
        fields: Some(fields),
    };
    let mut response = secretive(show(StatusCode::OK, facts.page(state, page)));
    response.extensions_mut().insert(policy);
    response
}

/// The policy of a page with a form that is posted to an application.
fn with_form_to(to: &str) -> ContentPolicy {
    Url::parse(to)
        .map(|url| ContentPolicy::PageWithForm(Arc::from(url.origin().ascii_serialization())))
        .unwrap_or_default()
}

/// A way on to an application that the visitor may take, and is not led on by itself.
pub struct Offer {
    /// What has happened here.
    pub title: Sentence,
    /// Name of the application.
    pub application: String,
    /// An address of the application.
    pub to: String,
    /// What is posted there; `None` = it is a link.
    pub fields: Option<Vec<(&'static str, String)>>,
}

/// Shows an offer.
pub fn offer(state: &AppState, facts: &Facts, status: StatusCode, offer: Offer) -> Response {
    let policy = offer.fields.is_some().then(|| with_form_to(&offer.to));
    let mut response = secretive(show(status, facts.page(state, offer)));
    if let Some(policy) = policy {
        response.extensions_mut().insert(policy);
    }
    response
}

/// The address to go to with an answer when nothing may be posted.
pub fn address_of(answer: AuthorizationAnswer) -> String {
    match answer.fields {
        None => answer.uri,
        Some(fields) => {
            let pairs: Vec<_> = fields
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            with_parameters(&answer.uri, &pairs)
        }
    }
}

/// What stands behind our host in the address is told to nobody. Not `no-referrer`: browsers then send `Origin: null` with
/// the forms of the page, also with the language switch, and these would be refused.
pub fn secretive(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("strict-origin"));
    response
}

/// The fields of a form as a browser posts them.
fn hidden(fields: Vec<(&'static str, String)>) -> AnyView {
    fields
        .into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=name value=value /> })
        .collect_view()
        .into_any()
}

impl Content for Offer {
    fn head(&self, now: Locale) -> Head {
        Head::new((self.title)(now), &[Sheet::Account])
    }

    fn view(self, mut frame: Frame) -> AnyView {
        let now = frame.locale;
        // The request is the application's: it is not brought back by a switch of the language.
        LOGIN.clone_into(&mut frame.path);
        // The name is the application's own choice, so the host is told, too.
        let url = Url::parse(&self.to).ok();
        let host = url.and_then(|url| url.host_str().map(str::to_owned));
        let back = td_string!(now, oauth.back, application = self.application);
        let onward = match self.fields {
            None => view! {
                <a class="button wide" href=self.to>
                    {back}
                </a>
            }
            .into_any(),
            Some(fields) => view! {
                <form method="post" action=self.to>
                    {hidden(fields)} <button class="button wide">{back}</button>
                </form>
            }
            .into_any(),
        };
        let content = view! {
            <h1>{(self.title)(now)}</h1>
            {onward}
            <p class="aside">
                <bdi>{host}</bdi>
            </p>
        };
        in_gate(frame, self.title, content)
    }
}

struct GoingPage {
    /// Its name, where it is known.
    application: Option<String>,
    /// An address of the application.
    to: String,
    /// What is posted there; `None` = it is a link.
    fields: Option<Vec<(&'static str, String)>>,
}

impl Content for GoingPage {
    fn head(&self, now: Locale) -> Head {
        let refresh = self.fields.is_none().then(|| Refresh::To(self.to.clone()));
        Head::new(td_string!(now, oauth.going_title), &[Sheet::Account]).refreshed(refresh)
    }

    fn view(self, mut frame: Frame) -> AnyView {
        let now = frame.locale;
        // The language switch would come back to an answer that is good once.
        LOGIN.clone_into(&mut frame.path);
        let text = self
            .application
            .map(|name| view! { <p class="lead">{td_string!(now, oauth.going, application = name)}</p> });
        let onward = match self.fields {
            None => view! {
                <a class="button primary wide" href=self.to>
                    {td_string!(now, common.go_on)}
                </a>
            }
            .into_any(),
            Some(fields) => view! {
                <form id="answer" method="post" action=self.to>
                    {hidden(fields)}
                    <button class="button primary wide">{td_string!(now, common.go_on)}</button>
                </form>
                <script nonce=frame.nonce.clone()>"document.getElementById('answer').submit()"</script>
            }
            .into_any(),
        };
        let content = view! {
            <h1>{td_string!(now, oauth.going_title)}</h1>
            {text}
            {onward}
        };
        in_gate(frame, |now| td_string!(now, oauth.going_title), content)
    }
}
