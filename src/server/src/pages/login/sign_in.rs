//! `/login`: Company, Account and Password.

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::header::SET_COOKIE,
    response::{Html, IntoResponse, Response},
};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    functions::SignIn,
    islands::LoginScreen,
    page::{Content, Frame, Head, LoginPage},
    shell::document::shell,
    text::Sentence,
};
use vestibule_core::{
    limits::{COMPANY_MAX, EMAIL_MAX},
    paths,
    refusal::Refusal,
    rights::Action,
    session::{EndReason, Ending},
    sign_in::landing,
};
use vestibule_storage::EndedRow;
use vestibule_translations::{Locale, all, sentences, tag, td_string, wait};

use crate::{
    form::{FormFields, FunctionPage, Routes},
    http::{
        answer::{see_other, show_form},
        cookies::{Kind, PROBE},
        denied::Denied,
        facts::Facts,
    },
    state::AppState,
};

/// The sign-in page.
pub fn routes(routes: Routes) -> Routes {
    routes
        .page(paths::LOGIN, Action::ComeIn, login)
        .function::<SignIn, Login>(Action::ComeIn)
}

/// The sign-in page, which an island brings to life.
#[derive(Clone, Debug)]
pub struct Login(pub LoginPage);

/// The field that says that the page gave the browser a cookie.
const COOKIES: &str = "cookies";

impl FunctionPage for Login {
    const KEPT: &'static [&'static str] = &[COOKIES];
    const COOKIES_GIVEN: Option<&'static str> = Some(COOKIES);
    const MAY_WAIT: bool = true;

    async fn redisplay(state: &AppState, facts: &Facts, fields: &FormFields, refusal: &Refusal) -> Response {
        again(state, facts, fields, refusal).await
    }
}

impl Content for Login {
    fn head(&self, now: Locale) -> Head {
        Head::new(td_string!(now, sign_in.title), &[])
    }

    fn view(self, frame: Frame) -> AnyView {
        provide_context((shell(frame), self.0));
        view! { <LoginScreen /> }.into_any()
    }

    fn island(&self, frame: &Frame) -> Option<String> {
        serde_json::to_string(&(shell(frame.clone()), &self.0)).ok()
    }
}

/// Query of the sign-in page.
#[derive(Debug, Default, Deserialize)]
pub struct LoginQuery {
    company: Option<String>,
    account: Option<String>,
    /// What an application would like the page to be in.
    language: Option<String>,
    next: Option<String>,
    signed_out: Option<String>,
    password_changed: Option<String>,
    password_chosen: Option<String>,
    cancelled: Option<String>,
    ended: Option<String>,
}

impl LoginQuery {
    /// What it says that somebody should know, and whether that is good news.
    fn notice(&self) -> Option<(Sentence, bool)> {
        let said: [(&Option<String>, Sentence, bool); 4] = [
            (&self.signed_out, |now| td_string!(now, sign_in.signed_out), true),
            (
                &self.password_changed,
                |now| td_string!(now, sign_in.password_changed),
                true,
            ),
            (
                &self.password_chosen,
                |now| td_string!(now, sign_in.password_chosen),
                true,
            ),
            (
                &self.cancelled,
                |now| td_string!(now, errors.sso_cancelled),
                false,
            ),
        ];
        said.into_iter()
            .find(|(word, ..)| word.is_some())
            .map(|(_, sentence, good)| (sentence, good))
    }
}

/// One sentence in every language, for an island that has none of its own.
fn in_all_languages(sentence: impl Fn(Locale) -> String) -> Vec<(String, String)> {
    all()
        .iter()
        .map(|&locale| (tag(locale).to_owned(), sentence(locale)))
        .collect()
}

/// Why somebody has to sign in again, with what whoever ended the session typed for them.
fn why_again(now: Locale, ended: &EndedRow) -> String {
    let why = how_it_ended(now, ended.ending);
    match &ended.note {
        Some(note) => {
            let reason = td_string!(now, sign_in.ended_reason, reason = note);
            sentences(now, &[why, reason])
        }
        None => why,
    }
}

/// How a session came to its end.
fn how_it_ended(now: Locale, ending: Ending) -> String {
    let minutes = ending.minutes.and_then(|minutes| u32::try_from(minutes).ok());
    let time = wait(now, minutes.unwrap_or_default().saturating_mul(60));
    match ending.reason {
        EndReason::Idle => return td_string!(now, sign_in.ended_idle, time = time),
        EndReason::Lifetime => return td_string!(now, sign_in.ended_lifetime, time = time),
        EndReason::SignedOut => td_string!(now, sign_in.ended_signed_out),
        EndReason::ByOwner => td_string!(now, sign_in.ended_by_owner),
        EndReason::ByAdmin => td_string!(now, sign_in.ended_by_admin),
        EndReason::Deactivated => td_string!(now, sign_in.ended_deactivated),
        EndReason::Deleted => td_string!(now, sign_in.ended_deleted),
        EndReason::CompanyDisabled => td_string!(now, sign_in.ended_company_disabled),
        EndReason::PasswordChanged => td_string!(now, sign_in.ended_password_changed),
        EndReason::CredentialsChanged => td_string!(now, sign_in.ended_credentials_changed),
        EndReason::RolesChanged => td_string!(now, sign_in.ended_roles_changed),
        EndReason::Policy => td_string!(now, sign_in.ended_policy),
        EndReason::WrongPasswords => td_string!(now, sign_in.ended_wrong_passwords),
        EndReason::TooMany => td_string!(now, sign_in.ended_too_many),
    }
    .to_owned()
}

/// Why the session of this browser is over. Whoever has signed out knows, and is told only where another tab led here.
/// A fault in it keeps nobody from signing in.
async fn ended(state: &AppState, facts: &Facts, led_here: bool) -> Option<EndedRow> {
    if facts.visitor.session.is_none() && !led_here {
        return None;
    }
    let ended = state.service.sign_in().ended_session(&facts.visitor).await;
    ended.ok().flatten()
}

/// `/login`
async fn login(
    State(state): State<AppState>,
    query: Result<Query<LoginQuery>, QueryRejection>,
    facts: Facts,
) -> Response {
    // A query that cannot be read is a broken bookmark, not a reason to turn somebody away.
    let query = query.map(|Query(query)| query).unwrap_or_default();
    let next = query.next.clone().filter(|next| paths::is_local(next));
    match state.service.sign_in().session(&facts.visitor).await {
        Ok(Some(signed_in)) => {
            return see_other(&landing(
                &signed_in.company.settings,
                signed_in.account.highest_role(),
                next.as_deref(),
            ));
        }
        Ok(None) => {}
        Err(refusal) => return Denied::from(refusal).into_response(),
    }
    let company = query
        .company
        .clone()
        .or_else(|| facts.company.clone())
        .unwrap_or_default();
    let company: String = company.chars().take(COMPANY_MAX).collect();
    let providers = match providers(&state, &facts).await {
        Ok(providers) => providers,
        Err(refusal) => return Denied::from(refusal).into_response(),
    };
    let (notice, good) = match query.notice() {
        Some((sentence, good)) => (in_all_languages(|now| sentence(now).to_owned()), good),
        None if query.ended.is_some() => (Vec::new(), false),
        None => match ended(&state, &facts, next.is_some()).await {
            Some(ended) => (in_all_languages(|now| why_again(now, &ended)), false),
            None => (Vec::new(), false),
        },
    };
    let account = query.account.unwrap_or_default();
    let page = LoginPage {
        forgot: forgot_password(&company),
        providers,
        company,
        account: account.chars().take(EMAIL_MAX).collect(),
        next,
        refusal: query.ended.map(|_| Refusal::SignInExpired),
        notice,
        good,
    };
    let locale = facts.locale(None, query.language.as_deref());
    let html = state.ready_pages.html(facts.page_in(&state, locale, Login(page)));
    let mut response = Html(html).into_response();
    give_cookie(&state, &facts, &mut response);
    response
}

/// Gives a browser that has none the cookie that its form then has to bring.
fn give_cookie(state: &AppState, facts: &Facts, response: &mut Response) {
    if !facts.has_cookies
        && let Some(cookie) = state.cookies.set(Kind::Probe, PROBE)
    {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}

/// The providers that somebody of this company may sign in with: names, and where their buttons lead.
///
/// # Errors
/// [`Refusal::Internal`] when storage cannot answer.
async fn providers(state: &AppState, facts: &Facts) -> Result<Vec<(String, String)>, Refusal> {
    let offered = state.service.sso().offered_providers(&facts.visitor).await?;
    Ok(offered
        .into_iter()
        .map(|provider| (provider.name().to_owned(), provider.start_path().to_owned()))
        .collect())
}

/// Where `Forgot Password` leads to somebody of this company.
pub fn forgot_password(company: &str) -> String {
    let company: String = form_urlencoded::byte_serialize(company.as_bytes()).collect();
    format!("{}?company={company}", paths::FORGOT_PASSWORD)
}

/// The page again after what was typed was refused.
pub async fn again(state: &AppState, facts: &Facts, fields: &FormFields, refusal: &Refusal) -> Response {
    let typed = |name| fields.get(name).map(str::to_owned);
    let company = typed("company")
        .or_else(|| facts.company.clone())
        .unwrap_or_default();
    // Without the buttons the refusal is said all the same.
    let providers = providers(state, facts).await.unwrap_or_default();
    let page = LoginPage {
        forgot: forgot_password(&company),
        providers,
        company,
        account: typed("account").unwrap_or_default(),
        next: typed("next").filter(|next| paths::is_local(next)),
        refusal: Some(refusal.clone()),
        notice: Vec::new(),
        good: false,
    };
    let mut response = show_form(facts.page(state, Login(page)), Some(refusal));
    give_cookie(state, facts, &mut response);
    response
}
