//! The way to a provider and back. Nobody is signed in by what a provider sends: its answer is kept with the browser's flow,
//! and a page of our own goes on with it, to which the browser brings all its cookies.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use vestibule_app::{
    call::{Call, after_step_up},
    page::{BindPage, Body, ChooseCompanyPage, OnwardPage, SsoCompanyPage},
};
use vestibule_core::{
    id::CompanyId, limits::COMPANY_MAX, paths, refusal::Refusal, signed_in::FormRefusal, sso::Provider,
};
use vestibule_service::sign_in::sso::{self, Arrival, SetOut, SsoAnswer};

use super::{mark, see_other, show, turned_away};
use crate::{
    http::{cookies::Kind, facts::Facts, form_guard::FormFields, functions},
    state::AppState,
};

/// `/auth/{provider}/start`: sends a browser out to sign in.
pub async fn start(provider: Provider, state: AppState, request: Request) -> Response {
    let parts = request.into_parts().0;
    let facts = Facts::of(&state, &parts);
    let fields = parts.extensions.get::<FormFields>().cloned().unwrap_or_default();
    let typed: String = fields
        .get("company")
        .filter(|company| !company.trim().is_empty())
        .map(str::to_owned)
        .or_else(|| facts.company.clone())
        .unwrap_or_default();
    let company: String = typed.chars().take(COMPANY_MAX).collect();
    let next = fields
        .get("next")
        .filter(|next| paths::is_local(next))
        .map(str::to_owned);
    let (service, visitor) = (state.service.clone(), Arc::clone(&facts.visitor));
    let (for_company, for_next) = (company.clone(), next.clone());
    let out = run(&facts, async move {
        service
            .begin_sso(provider, &for_company, for_next, &visitor)
            .await
    })
    .await;
    if let Err(refusal @ Refusal::Form(FormRefusal::SsoNotOffered)) = &out
        && let Ok(offered) = state.service.offered_providers(&facts.visitor).await
        && offered.contains(&provider)
    {
        let body = SsoCompanyPage {
            provider,
            refusal: (!company.trim().is_empty()).then(|| refusal.clone()),
            company,
            next,
        };
        return ask_company(&state, &facts, body);
    }
    send_out(&state, &facts, provider, out)
}

/// Without scripts the form of a provider does not know what was typed into the other one: then it is asked for here.
fn ask_company(state: &AppState, facts: &Facts, body: SsoCompanyPage) -> Response {
    let refusal = body.refusal.clone();
    let mut page = facts.page(state, Body::SsoCompany(body));
    paths::LOGIN.clone_into(&mut page.frame.path);
    let mut response = show(StatusCode::OK, page);
    if let Some(refusal) = &refusal {
        mark(&mut response, refusal);
    }
    response
}

/// `/auth/{provider}/connect`: sends a browser out to connect an account of the provider.
pub async fn connect(provider: Provider, state: AppState, request: Request) -> Response {
    let parts = request.into_parts().0;
    let facts = Facts::of(&state, &parts);
    let (service, visitor) = (state.service.clone(), Arc::clone(&facts.visitor));
    let out = run(
        &facts,
        async move { service.begin_connect(provider, &visitor).await },
    )
    .await;
    match out {
        Err(
            refusal @ (Refusal::NotSignedIn
            | Refusal::Form(
                FormRefusal::StepUpNeeded | FormRefusal::SetUpRequired | FormRefusal::PasswordChangeRequired,
            )),
        ) => turned_away(&refusal, paths::SECURITY),
        out => send_out(&state, &facts, provider, out),
    }
}

/// `/auth/{provider}/confirm`: sends a browser out to prove once more who is signed in.
pub async fn confirm(provider: Provider, state: AppState, request: Request) -> Response {
    let parts = request.into_parts().0;
    let facts = Facts::of(&state, &parts);
    let fields = parts.extensions.get::<FormFields>().cloned().unwrap_or_default();
    let next = after_step_up(fields.get("next").unwrap_or_default());
    let (service, visitor) = (state.service.clone(), Arc::clone(&facts.visitor));
    let out = run(&facts, async move {
        service.begin_step_up(provider, next, &visitor).await
    })
    .await;
    match out {
        Err(refusal @ Refusal::NotSignedIn) => turned_away(&refusal, paths::SECURITY),
        out => send_out(&state, &facts, provider, out),
    }
}

/// Runs a use case to its end even when the visitor goes away.
async fn run<T: Send + 'static>(
    facts: &Facts,
    act: impl Future<Output = Result<T, Refusal>> + Send + 'static,
) -> Result<T, Refusal> {
    tokio::spawn(act)
        .await
        .unwrap_or_else(|_| Err(functions::internal(facts)))
}

fn send_out(state: &AppState, facts: &Facts, provider: Provider, out: Result<SetOut, Refusal>) -> Response {
    match out {
        Ok(SetOut { url, flow }) => {
            let page = OnwardPage {
                provider,
                to: url,
                leaves: true,
            };
            let mut response = show(StatusCode::OK, facts.page(state, Body::Onward(page)));
            set_cookie(&mut response, state.cookies.set(Kind::SsoFlow, &flow));
            response
        }
        Err(refusal) => problem(state, facts, &refusal),
    }
}

/// `/auth/{provider}/callback`
pub async fn callback(provider: Provider, state: AppState, request: Request) -> Response {
    let parts = request.into_parts().0;
    let facts = Facts::of(&state, &parts);
    let answer = read_answer(parts.uri.query().unwrap_or_default());
    let (service, visitor) = (state.service.clone(), Arc::clone(&facts.visitor));
    match run(&facts, async move {
        service.answer_sso(provider, &answer, &visitor).await
    })
    .await
    {
        Ok(()) => {
            let page = OnwardPage {
                provider,
                to: paths::AUTH_CONTINUE.to_owned(),
                leaves: false,
            };
            let mut page = facts.page(&state, Body::Onward(page));
            paths::LOGIN.clone_into(&mut page.frame.path);
            let mut response = show(StatusCode::OK, page);
            response
                .headers_mut()
                .insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
            response
        }
        Err(refusal) => problem(&state, &facts, &refusal),
    }
}

/// What the query of a callback says. A parameter that comes twice says nothing (RFC 6749, section 3.1), and an answer
/// without a state belongs to nobody.
fn read_answer(query: &str) -> SsoAnswer {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut twice = false;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        twice |= pairs.iter().any(|(known, _)| *known == name);
        pairs.push((name.into_owned(), value.into_owned()));
    }
    if twice {
        pairs.clear();
    }
    let find = |name: &str| {
        let found = pairs.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone())
    };
    SsoAnswer {
        state: find("state").unwrap_or_default(),
        code: match (find("code"), find("error")) {
            (Some(code), None) => Ok(code),
            (_, error) => Err(error.unwrap_or_default()),
        },
        issuer: find("iss"),
    }
}

/// `/auth/continue`
pub async fn go_on(State(state): State<AppState>, request: Request) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    let arrived = arrive(&state, &facts, None).await;
    match arrived {
        Ok((Arrival::Bind | Arrival::Choose(_), _)) => see_other(paths::LOGIN_BIND),
        Ok((Arrival::Connected, _)) => {
            let mut response = see_other(&format!("{}?connected", paths::SECURITY));
            set_cookie(&mut response, state.cookies.remove(Kind::SsoFlow));
            response
        }
        Ok((Arrival::Confirmed(confirmed, next), call)) => {
            let mut response = see_other(&call.confirmed(confirmed, next).await);
            functions::apply(&state, &call.take_effects(), &mut response);
            set_cookie(&mut response, state.cookies.remove(Kind::SsoFlow));
            response
        }
        Ok((Arrival::In(outcome), call)) => {
            let mut response = see_other(&call.entered(outcome));
            functions::apply(&state, &call.take_effects(), &mut response);
            set_cookie(&mut response, state.cookies.remove(Kind::SsoFlow));
            response
        }
        Err(refusal) => problem(&state, &facts, &refusal),
    }
}

async fn arrive(
    state: &AppState,
    facts: &Facts,
    company: Option<CompanyId>,
) -> Result<(Arrival, Call), Refusal> {
    let known = facts.clone();
    let choose_language = move |account: Option<&str>, company: Option<&str>| known.locale(account, company);
    let call = Call::new(
        state.service.clone(),
        Arc::clone(&facts.visitor),
        Arc::new(choose_language),
    );
    let (service, visitor) = (state.service.clone(), Arc::clone(&facts.visitor));
    let arrival = run(facts, async move { service.arrive(company, &visitor).await }).await?;
    Ok((arrival, call))
}

/// `/login/bind`
pub async fn bind(State(state): State<AppState>, request: Request) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    match state.service.bind_page(&facts.visitor).await {
        Ok(page) if !page.known.is_empty() => {
            let rows = page.known.into_iter();
            let body = ChooseCompanyPage {
                provider: page.provider,
                companies: rows
                    .map(|company| (company.id.to_string(), company.name))
                    .collect(),
            };
            show(StatusCode::OK, facts.page(&state, Body::ChooseCompany(body)))
        }
        Ok(page) => show_bind(&state, &facts, page, &FormFields::default(), None),
        Err(refusal) => problem(&state, &facts, &refusal),
    }
}

/// The page again after what was typed was refused.
pub async fn bind_again(state: &AppState, facts: &Facts, fields: &FormFields, refusal: &Refusal) -> Response {
    match state.service.bind_page(&facts.visitor).await {
        Ok(page) => show_bind(state, facts, page, fields, Some(refusal)),
        Err(reason) => problem(state, facts, &reason),
    }
}

fn show_bind(
    state: &AppState,
    facts: &Facts,
    page: sso::BindPage,
    fields: &FormFields,
    refusal: Option<&Refusal>,
) -> Response {
    let typed = |name: &str| fields.get(name).map(str::to_owned);
    let body = BindPage {
        provider: page.provider,
        shown: page.shown,
        company: typed("company").unwrap_or(page.company),
        account: typed("account").unwrap_or_default(),
        refusal: refusal.cloned(),
    };
    let mut page = facts.page(state, Body::Bind(body));
    paths::LOGIN_BIND.clone_into(&mut page.frame.path);
    let mut response = show(StatusCode::OK, page);
    if let Some(refusal) = refusal {
        mark(&mut response, refusal);
    }
    response
}

/// A clear page with a way back; a way that is over leads to the sign-in page, which says so.
pub fn problem(state: &AppState, facts: &Facts, refusal: &Refusal) -> Response {
    let mut response = match refusal {
        Refusal::SignInExpired => see_other("/login?ended"),
        Refusal::NotSignedIn => see_other(paths::LOGIN),
        refusal => {
            let body = match refusal {
                Refusal::AccountLocked => Body::Locked,
                other => Body::Problem(other.clone()),
            };
            let mut page = facts.page(state, body);
            paths::LOGIN.clone_into(&mut page.frame.path);
            let mut response = show(StatusCode::OK, page);
            mark(&mut response, refusal);
            response
        }
    };
    // Whoever is to come again later comes with the same flow.
    if !matches!(refusal, Refusal::Busy { .. } | Refusal::Unavailable { .. }) {
        set_cookie(&mut response, state.cookies.remove(Kind::SsoFlow));
    }
    response
}

fn set_cookie(response: &mut Response, cookie: Option<HeaderValue>) {
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}
