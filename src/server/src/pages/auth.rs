//! `/auth`: the way to a provider and back. Nobody is signed in by what a provider sends: its answer is kept with the
//! browser's flow, and a page of our own proceeds with it, to which the browser brings all its cookies.

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use leptos::prelude::*;
use vestibule_app::{
    call::{Call, after_step_up},
    components::forms::refused,
    page::{Content, Frame, Head, Refresh, Sheet},
};
use vestibule_core::{
    limits::{COMPANY_MAX, EMAIL_MAX},
    paths,
    refusal::{Field, Refusal},
    rights::Action,
    sso::Provider,
};
use vestibule_service::sign_in::sso::{Arrival, AuthorizationRequest, SetOut, SsoAnswer};
use vestibule_translations::{Locale, td_string};

use super::{common::in_gate, login::input, oauth::going::secretive, problem::closed};
use crate::{
    form::{FormFields, Routes, call_of, redirect_or_refuse, run},
    http::{
        answer::{apply, see_other, show, show_form},
        cookies::Kind,
        facts::Facts,
    },
    state::AppState,
};

/// The way out for each provider, and back.
pub fn routes(routes: Routes) -> Routes {
    let routes = routes.page(paths::AUTH_CONTINUE, Action::ComeIn, proceed);
    Provider::ALL.into_iter().fold(routes, |routes, provider| {
        routes
            .other(
                provider.start_path(),
                Action::ComeIn,
                &["company", "account", "next"],
                move |State(state), facts, fields| start(provider, state, facts, sent(fields)),
            )
            .other(
                provider.connect_path(),
                Action::OwnAccount,
                &[],
                move |State(state), facts| connect(provider, state, facts),
            )
            .other(
                provider.confirm_path(),
                Action::OwnAccount,
                &["next"],
                move |State(state), facts, fields| confirm(provider, state, facts, sent(fields)),
            )
            .page(
                provider.callback_path(),
                Action::ComeIn,
                move |State(state), facts| callback(provider, state, facts),
            )
    })
}

fn sent(fields: Option<Extension<FormFields>>) -> FormFields {
    fields.map(|Extension(fields)| fields).unwrap_or_default()
}

/// `/auth/{provider}/start`: sends a browser out to sign in.
async fn start(provider: Provider, state: AppState, facts: Facts, fields: FormFields) -> Response {
    let typed: String = fields
        .get("company")
        .filter(|company| !company.trim().is_empty())
        .map(str::to_owned)
        .or_else(|| facts.company.clone())
        .unwrap_or_default();
    let account = fields.get("account").unwrap_or_default();
    let next = fields
        .get("next")
        .filter(|next| paths::is_local(next))
        .map(str::to_owned);
    let from = SetOut {
        company: typed.chars().take(COMPANY_MAX).collect(),
        account: account.chars().take(EMAIL_MAX).collect(),
        next,
    };
    let (service, visitor) = (state.service.clone(), Arc::clone(&facts.visitor));
    let with = from.clone();
    let out = run(&facts, async move {
        service.sso().begin_sso(provider, with, &visitor).await
    })
    .await;
    if let Err(refusal @ Refusal::SsoNotOffered) = &out
        && let Ok(offered) = state.service.sso().offered_providers(&facts.visitor).await
        && offered.contains(&provider)
    {
        let body = CompanyPage {
            provider,
            refusal: (!from.company.trim().is_empty()).then(|| refusal.clone()),
            from,
        };
        return ask_company(&state, &facts, body);
    }
    redirect_to_provider(&state, &facts, provider, out)
}

/// Without scripts the form of a provider does not know what was typed into the other one: then it is asked for here.
fn ask_company(state: &AppState, facts: &Facts, body: CompanyPage) -> Response {
    let refusal = body.refusal.clone();
    let mut page = facts.page(state, body);
    paths::LOGIN.clone_into(&mut page.frame.path);
    show_form(page, refusal.as_ref())
}

/// `/auth/{provider}/connect`: sends a browser out to connect an account of the provider.
async fn connect(provider: Provider, state: AppState, facts: Facts) -> Response {
    let (service, visitor) = (state.service.clone(), Arc::clone(&facts.visitor));
    let out = run(&facts, async move {
        service.sso().begin_connect(provider, &visitor).await
    })
    .await;
    match out {
        Err(
            refusal @ (Refusal::NotSignedIn
            | Refusal::StepUpNeeded
            | Refusal::SetUpRequired
            | Refusal::PasswordChangeRequired),
        ) => redirect_or_refuse(&refusal, paths::SECURITY),
        out => redirect_to_provider(&state, &facts, provider, out),
    }
}

/// `/auth/{provider}/confirm`: sends a browser out to prove once more who is signed in.
async fn confirm(provider: Provider, state: AppState, facts: Facts, fields: FormFields) -> Response {
    let next = after_step_up(fields.get("next").unwrap_or_default());
    let (service, visitor) = (state.service.clone(), Arc::clone(&facts.visitor));
    let out = run(&facts, async move {
        service.sso().begin_step_up(provider, next, &visitor).await
    })
    .await;
    match out {
        Err(refusal @ Refusal::NotSignedIn) => redirect_or_refuse(&refusal, paths::SECURITY),
        out => redirect_to_provider(&state, &facts, provider, out),
    }
}

fn redirect_to_provider(
    state: &AppState,
    facts: &Facts,
    provider: Provider,
    out: Result<AuthorizationRequest, Refusal>,
) -> Response {
    match out {
        Ok(AuthorizationRequest { url, flow }) => {
            let page = OnwardPage {
                provider,
                to: url,
                leaves: true,
            };
            let mut response = show(StatusCode::OK, facts.page(state, page));
            set_cookie(&mut response, state.cookies.set(Kind::SsoFlow, &flow));
            response
        }
        Err(refusal) => problem(state, facts, &refusal),
    }
}

/// `/auth/{provider}/callback`
async fn callback(provider: Provider, state: AppState, facts: Facts) -> Response {
    let answer = read_answer(facts.path.split_once('?').map_or("", |(_, query)| query));
    let (service, visitor) = (state.service.clone(), Arc::clone(&facts.visitor));
    let of_state = answer.state.clone();
    match run(&facts, async move {
        service.sso().answer_sso(provider, &answer, &visitor).await
    })
    .await
    {
        Ok(flows) => {
            let page = OnwardPage {
                provider,
                to: paths::AUTH_CONTINUE.to_owned(),
                leaves: false,
            };
            let mut page = facts.page(&state, page);
            paths::LOGIN.clone_into(&mut page.frame.path);
            let mut response = secretive(show(StatusCode::OK, page));
            keep_flows(&state, &mut response, Some(flows));
            response
        }
        Err(refusal) => {
            let sso = state.service.sso();
            let from = (refusal == Refusal::SsoCancelled)
                .then(|| sso.set_out_with(&of_state, &facts.visitor))
                .flatten();
            let mut response = match from {
                Some(from) => see_other(&turned_back(&from)),
                None => explained(&state, &facts, &refusal),
            };
            // What another tab is on is none of this one's business.
            if !may_come_again(&refusal) {
                let others = state.service.sso().flows_without(&of_state, &facts.visitor);
                keep_flows(&state, &mut response, others);
            }
            response
        }
    }
}

/// The sign-in page for whoever turned back at the provider: what they had at hand is there, and the page says why they are.
fn turned_back(from: &SetOut) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let typed = [("company", &from.company), ("account", &from.account)];
    let typed = typed.into_iter().filter(|(_, value)| !value.is_empty());
    query.extend_pairs(typed);
    if let Some(next) = &from.next {
        query.append_pair("next", next);
    }
    let query = query.append_key_only("cancelled").finish();
    [paths::LOGIN, "?", &query].concat()
}

/// What the browser keeps of its ways to providers from now on.
fn keep_flows(state: &AppState, response: &mut Response, flows: Option<String>) {
    let cookie = match flows {
        Some(flows) => state.cookies.set(Kind::SsoFlow, &flows),
        None => state.cookies.remove(Kind::SsoFlow),
    };
    set_cookie(response, cookie);
}

/// Whether whoever is refused comes again later with the same flow.
const fn may_come_again(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::ProviderBusy { .. } | Refusal::Busy { .. } | Refusal::Unavailable { .. }
    )
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
async fn proceed(State(state): State<AppState>, facts: Facts) -> Response {
    let arrived = arrive(&state, &facts).await;
    let after = state.service.sso().flows_after(&facts.visitor);
    match arrived {
        Ok((Arrival::Bind | Arrival::Choose(_), _)) => see_other(paths::LOGIN_BIND),
        Ok((Arrival::Connected, _)) => {
            let mut response = see_other(&format!("{}?connected", paths::SECURITY));
            keep_flows(&state, &mut response, after);
            response
        }
        Ok((Arrival::Confirmed(confirmed, next), call)) => {
            let mut response = see_other(&call.confirmed(confirmed, next).await);
            apply(&state, &call.take_effects(), &mut response);
            keep_flows(&state, &mut response, after);
            response
        }
        Ok((Arrival::In(outcome), call)) => {
            let mut response = see_other(&call.entered(outcome));
            apply(&state, &call.take_effects(), &mut response);
            keep_flows(&state, &mut response, after);
            response
        }
        Err(refusal) => problem(&state, &facts, &refusal),
    }
}

async fn arrive(state: &AppState, facts: &Facts) -> Result<(Arrival, Call), Refusal> {
    let (service, visitor) = (state.service.clone(), Arc::clone(&facts.visitor));
    let arrival = run(facts, async move { service.sso().arrive(None, &visitor).await }).await?;
    Ok((arrival, call_of(state, facts)))
}

/// A clear page with a way back; a way that is over leads to the sign-in page, which says so.
fn explained(state: &AppState, facts: &Facts, refusal: &Refusal) -> Response {
    match refusal {
        Refusal::SignInExpired => see_other("/login?ended"),
        Refusal::NotSignedIn => see_other(paths::LOGIN),
        refusal => closed(state, facts, refusal, Some(paths::LOGIN)),
    }
}

/// The same at the end of the way that came back last, which is over unless somebody comes again later.
pub fn problem(state: &AppState, facts: &Facts, refusal: &Refusal) -> Response {
    let mut response = explained(state, facts, refusal);
    if !may_come_again(refusal) {
        keep_flows(
            state,
            &mut response,
            state.service.sso().flows_after(&facts.visitor),
        );
    }
    response
}

fn set_cookie(response: &mut Response, cookie: Option<HeaderValue>) {
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// A page that leads on by itself, with a link for whoever is not led.
struct OnwardPage {
    provider: Provider,
    /// Where it leads.
    to: String,
    /// Whether it leads to the provider, or comes from there.
    leaves: bool,
}

impl Content for OnwardPage {
    fn head(&self, now: Locale) -> Head {
        Head::new(td_string!(now, sso.leaving_title), &[Sheet::Account])
            .refreshed(Some(Refresh::To(self.to.clone())))
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let name = self.provider.name();
        let text = if self.leaves {
            td_string!(now, sso.leaving, provider = name)
        } else {
            td_string!(now, sso.back, provider = name)
        };
        let content = view! {
            <h1>{td_string!(now, sso.leaving_title)}</h1>
            <p class="lead">{text}</p>
            <a class="button primary wide" href=self.to>
                {td_string!(now, common.go_on)}
            </a>
        };
        in_gate(frame, |now| td_string!(now, sso.leaving_title), content)
    }
}

/// Asks for the company that somebody wants to sign in to with a provider: the one that was given, if any, has no
/// application there.
struct CompanyPage {
    provider: Provider,
    /// What was given; the company may be empty.
    from: SetOut,
    /// Why what was given does not do.
    refusal: Option<Refusal>,
}

impl Content for CompanyPage {
    fn head(&self, now: Locale) -> Head {
        Head::new(td_string!(now, sso.choose_title), &[Sheet::Account])
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let name = self.provider.name();
        let refusal = self.refusal.as_ref();
        let field = input(
            now,
            Field::Company,
            td_string!(now, sign_in.company),
            self.from.company,
            refusal,
        );
        let account = self.from.account;
        let next = self
            .from
            .next
            .map(|next| view! { <input type="hidden" name="next" value=next /> });
        let content = view! {
            <h1>{td_string!(now, sso.choose_title)}</h1>
            <p class="lead">{td_string!(now, sso.company_intro, provider = name)}</p>
            {refused(now, refusal, true)}
            <form class="fields" method="post" action=self.provider.start_path() novalidate>
                <input type="hidden" name="account" value=account />
                {next}
                {field}
                <button class="button primary wide">{td_string!(now, sso.sign_in_with, provider = name)}</button>
            </form>
            <p class="aside">
                <a href=paths::LOGIN>{td_string!(now, sign_in.back_to_sign_in)}</a>
            </p>
        };
        in_gate(frame, |now| td_string!(now, sso.choose_title), content)
    }
}
