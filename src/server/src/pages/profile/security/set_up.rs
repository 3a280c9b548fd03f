//! `/profile/security/set-up`: the company requires a second factor and the account has none.

use axum::{extract::State, response::Response};
use leptos::prelude::*;
use vestibule_app::{
    call::Call,
    components::forms::{refused, set_up_code},
    functions::Done,
    page::{Content, Frame, Head, Sheet},
    shell::console::account_page,
};
use vestibule_core::{
    backup_code::BackupCode,
    paths::{SECURITY, SECURITY_SET_UP},
    refusal::Refusal,
    rights::Action,
    second_factor::must_set_up,
    sign_in_view::Method,
};
use vestibule_service::sessions::SignedIn;
use vestibule_translations::{Locale, td_string};

use super::{app::BeginAppSetUp, email::BeginEmailSetUp, show_settings};
use crate::{
    form::{Form, Routes},
    http::{
        answer::{see_other, show_form},
        facts::Facts,
    },
    pages::common::session,
    state::AppState,
};

/// Where somebody is led who has to set up a second factor.
pub fn routes(routes: Routes) -> Routes {
    routes.page(SECURITY_SET_UP, Action::OwnAccount, set_up)
}

async fn set_up(State(state): State<AppState>, facts: Facts) -> Response {
    match session(&state, &facts, SECURITY_SET_UP).await {
        Ok(signed_in) if must_set_up(&signed_in.company, &signed_in.account) => {
            show_set_up(&state, &facts, &signed_in, None)
        }
        Ok(_) => see_other(SECURITY),
        Err(response) => *response,
    }
}

fn show_set_up(state: &AppState, facts: &Facts, signed_in: &SignedIn, refusal: Option<&Refusal>) -> Response {
    let page = SetUpPage {
        refusal: refusal.cloned(),
    };
    let (company, account) = (&signed_in.company, &signed_in.account);
    show_form(
        facts.page_at(state, company, account, SECURITY_SET_UP, page),
        refusal,
    )
}

/// The page after a set-up that is over: the settings, or the page that asks for a set-up where one is required.
pub async fn set_up_over(state: &AppState, facts: &Facts, refusal: &Refusal) -> Response {
    match session(state, facts, SECURITY).await {
        Ok(signed_in) if must_set_up(&signed_in.company, &signed_in.account) => {
            show_set_up(state, facts, &signed_in, Some(refusal))
        }
        Ok(_) => show_settings(state, facts, Some(refusal)).await,
        Err(response) => *response,
    }
}

/// Finishes a set-up. Whoever had to do it goes on to the landing page, everybody else back to the settings.
///
/// # Errors
/// What the service refuses.
pub async fn finish(call: &Call, method: Method, set_up: &str, code: &str) -> Result<Done, Refusal> {
    let before = call.service.sign_in().session(&call.visitor).await?;
    let required = before.is_some_and(|before| must_set_up(&before.company, &before.account));
    let done = call
        .service
        .profile()
        .finish_set_up(method, set_up, code, &call.visitor)
        .await?;
    let codes = |codes: Vec<BackupCode>| codes.iter().map(BackupCode::reveal).collect();
    let to = if required {
        "/".to_owned()
    } else {
        format!("{SECURITY}?changed")
    };
    Ok(Done {
        backup_codes: done.backup_codes.map(codes),
        ..Done::to(to)
    })
}

struct SetUpPage {
    refusal: Option<Refusal>,
}

impl Content for SetUpPage {
    fn head(&self, now: Locale) -> Head {
        Head::new(td_string!(now, profile.required_title), &[Sheet::Account])
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let content = view! {
            <main id="content" class="settings narrow" tabindex="-1">
                <h1>{td_string!(now, profile.required_title)}</h1>
                <p class="lead">{td_string!(now, profile.required_intro)}</p>
                {refused(now, self.refusal.as_ref(), true)}
                <section class="card" aria-labelledby="app-title">
                    <h2 id="app-title">{td_string!(now, profile.app_row)}</h2>
                    <p class="quiet">{td_string!(now, profile.app_advice)}</p>
                    <form class="card-end" method="post" action=BeginAppSetUp::PATH>
                        <button class="button primary" aria-describedby="app-title">
                            {td_string!(now, profile.set_up)}
                        </button>
                    </form>
                </section>
                <section class="card" aria-labelledby="email-title">
                    <h2 id="email-title">{td_string!(now, profile.email_row)}</h2>
                    <p class="quiet">{td_string!(now, profile.email_advice)}</p>
                    <form class="card-end" method="post" action=BeginEmailSetUp::PATH>
                        <button class="button" aria-describedby="email-title">
                            {td_string!(now, profile.set_up)}
                        </button>
                    </form>
                </section>
            </main>
        };
        account_page(frame, None, content)
    }
}

/// The form for the first code of a set-up.
pub fn code_form(now: Locale, path: &'static str, set_up: String, refusal: Option<&Refusal>) -> AnyView {
    view! {
        <form class="fields" method="post" action=path novalidate>
            {set_up_code(now, set_up, refusal)}
            <div class="buttons">
                <button class="button primary">{td_string!(now, profile.confirm)}</button>
                {cancel(now)}
            </div>
        </form>
    }
    .into_any()
}

/// Where no set-up is under way: what it is good for, and the button.
pub fn begin(now: Locale, advice: &'static str, path: &'static str) -> AnyView {
    view! {
        <p class="lead">{advice}</p>
        <form class="buttons fields" method="post" action=path>
            <button class="button primary">{td_string!(now, profile.set_up)}</button>
            {cancel(now)}
        </form>
    }
    .into_any()
}

/// Back to the settings; whoever has to set up a second factor comes to that page from there.
pub fn cancel(now: Locale) -> AnyView {
    view! {
        <a class="button" href=SECURITY>
            {td_string!(now, common.cancel)}
        </a>
    }
    .into_any()
}
