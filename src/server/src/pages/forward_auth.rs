//! Signing in to an application behind a proxy: it begins on the application's host, goes by the sign-in page, and ends
//! on the application's host, where a cookie is left. Browsers of other hosts never see it.

use axum::{
    extract::State,
    http::{
        HeaderMap, HeaderValue,
        header::{HOST, SET_COOKIE},
    },
    response::{IntoResponse, Response},
};
use vestibule_core::{
    forward_auth::way_back,
    oidc::application::Application,
    paths::{BEHIND_ENTER, BEHIND_START, LOGIN, OPEN},
    refusal::Refusal,
    rights::Action,
    secret::Token,
};

use super::oauth::going::{lead_on, secretive};
use crate::{
    form::{Routes, redirect_or_refuse, run},
    http::{
        answer::see_other,
        cookies::{self, HostCookie},
        denied::Denied,
        facts::Facts,
    },
    state::AppState,
};

/// Signing in to applications behind a proxy.
pub fn routes(routes: Routes) -> Routes {
    routes
        .page(BEHIND_START, Action::ComeIn, start)
        .page(OPEN, Action::ComeIn, open)
        .page(BEHIND_ENTER, Action::ComeIn, enter)
}

/// Whether the browser asks for this on the host of the application, which the proxy passes on.
fn is_on_host_of(application: &Application, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    let Some(origin) = application.origin() else {
        return false;
    };
    let asked = host
        .to_str()
        .ok()
        .and_then(|host| url::Url::parse(&format!("{}://{host}", scheme_of(&origin))).ok());
    asked.is_some_and(|url| url.origin() == origin)
}

fn scheme_of(origin: &url::Origin) -> &str {
    match origin {
        url::Origin::Tuple(scheme, ..) => scheme,
        url::Origin::Opaque(_) => "https",
    }
}

/// On the application's host: leaves what only this browser has, and leads to the sign-in.
async fn start(State(state): State<AppState>, headers: HeaderMap, facts: Facts) -> Response {
    let id = facts.query("application").unwrap_or_default();
    let application = match state
        .service
        .forward_auth()
        .application(&id, &facts.visitor)
        .await
    {
        Ok(application) => application,
        Err(refusal) => return Denied::from(refusal).into_response(),
    };
    if !is_on_host_of(&application, &headers) {
        return Denied::from(Refusal::WrongAddress).into_response();
    }
    let https = cookies::is_https(&application);
    // Another tab may be on its way, too.
    let known = cookies::read_host_cookie(&headers, HostCookie::State, https);
    let mark = known.unwrap_or_else(|| Token::new(state.service.randomness().as_ref()));
    let hash = Token::from_bytes(mark.hash().0).reveal();
    let to = facts.query("to").unwrap_or_default();
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("application", &application.id.to_string())
        .append_pair("state", &hash)
        .append_pair("to", &to)
        .finish();
    let mut response = see_other(&format!("{}{OPEN}?{query}", state.config.origin()));
    put(
        &mut response,
        cookies::set_host_cookie(HostCookie::State, &mark, https),
    );
    response
}

fn put(response: &mut Response, cookie: Option<HeaderValue>) {
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}

/// On Vestibule's own host: whoever is signed in gets a ticket, and goes on with it.
async fn open(State(state): State<AppState>, headers: HeaderMap, facts: Facts) -> Response {
    let (service, visitor) = (state.service.clone(), facts.visitor.clone());
    let id = facts.query("application").unwrap_or_default();
    let mark = facts.query("state").unwrap_or_default();
    let opened = run(&facts, async move {
        service.forward_auth().open(&id, &mark, &visitor).await
    })
    .await;
    let opened = match opened {
        Ok(opened) => opened,
        Err(refusal) => return redirect_or_refuse(&refusal, &facts.path),
    };
    let Some(origin) = opened.application.origin() else {
        return Denied::from(Refusal::UnknownApplication).into_response();
    };
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("ticket", &opened.ticket.reveal())
        .append_pair("to", &facts.query("to").unwrap_or_default())
        .finish();
    let uri = format!("{}{BEHIND_ENTER}?{query}", origin.ascii_serialization());
    let after_form = headers
        .get("sec-fetch-site")
        .is_some_and(|site| site.as_bytes() == b"same-origin");
    if after_form {
        lead_on(
            &state,
            &facts,
            Some(opened.application.settings.name.clone()),
            uri,
        )
    } else {
        secretive(see_other(&uri))
    }
}

/// On the application's host again: the ticket becomes a cookie of it.
async fn enter(State(state): State<AppState>, headers: HeaderMap, facts: Facts) -> Response {
    // The cookie says by its name for which scheme it was made.
    let marks = [true, false].map(|https| cookies::read_host_cookie(&headers, HostCookie::State, https));
    let mark = marks.into_iter().flatten().next();
    let ticket = facts.query("ticket").as_deref().and_then(Token::parse);
    let (Some(mark), Some(ticket)) = (mark, ticket) else {
        return expired(&state);
    };
    let (service, visitor) = (state.service.clone(), facts.visitor.clone());
    let entered = run(&facts, async move {
        service
            .forward_auth()
            .enter_application(&ticket, &mark, &visitor)
            .await
    })
    .await;
    let entered = match entered {
        Ok(entered) => entered,
        Err(Refusal::SignInExpired) => return expired(&state),
        Err(refusal) => return Denied::from(refusal).into_response(),
    };
    let Some(origin) = entered.application.origin() else {
        return Denied::from(Refusal::UnknownApplication).into_response();
    };
    let https = cookies::is_https(&entered.application);
    let to = way_back(&origin, &facts.query("to").unwrap_or_default());
    let mut response = secretive(see_other(&to));
    put(
        &mut response,
        cookies::set_host_cookie(HostCookie::Session, &entered.session, https),
    );
    response
}

/// Pages of ours are on our host only: the sign-in page says that it took too long, and who is signed in goes to the panel.
fn expired(state: &AppState) -> Response {
    secretive(see_other(&format!("{}{LOGIN}?ended", state.config.origin())))
}
