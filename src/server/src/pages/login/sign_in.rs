//! `/login`: Company, Account and Password.

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    functions::SignIn,
    islands::LoginScreen,
    page::{Content, Frame, Head, LoginPage},
    shell::document::shell,
};
use vestibule_core::{limits::COMPANY_MAX, paths, refusal::Refusal, rights::Action, sign_in::landing};
use vestibule_translations::{Locale, td_string};

use crate::{
    form::{FormFields, FunctionPage, Routes},
    http::{
        answer::{see_other, show, show_form},
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
pub struct Login(pub LoginPage);

impl FunctionPage for Login {
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
    next: Option<String>,
    signed_out: Option<String>,
    password_changed: Option<String>,
    ended: Option<String>,
}

/// `/login`
async fn login(
    State(state): State<AppState>,
    query: Result<Query<LoginQuery>, QueryRejection>,
    facts: Facts,
) -> Response {
    // A query that cannot be read is a broken bookmark, not a reason to turn somebody away.
    let query = query.map(|Query(query)| query).unwrap_or_default();
    let next = query.next.filter(|next| paths::is_local(next));
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
        .or_else(|| facts.company.clone())
        .unwrap_or_default();
    let company: String = company.chars().take(COMPANY_MAX).collect();
    let providers = match providers(&state, &facts).await {
        Ok(providers) => providers,
        Err(refusal) => return Denied::from(refusal).into_response(),
    };
    let page = LoginPage {
        forgot: forgot_password(&company),
        providers,
        company,
        account: String::new(),
        next,
        refusal: query.ended.map(|_| Refusal::SignInExpired),
        signed_out: query.signed_out.is_some(),
        password_changed: query.password_changed.is_some(),
    };
    show(StatusCode::OK, facts.page(&state, Login(page)))
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
fn forgot_password(company: &str) -> String {
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
        signed_out: false,
        password_changed: false,
    };
    show_form(facts.page(state, Login(page)), Some(refusal))
}
