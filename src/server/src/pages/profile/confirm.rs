//! `/profile/confirm`: the proof that it is really you (N21).

use axum::{extract::State, response::Response};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    call::{Call, after_step_up},
    components::forms::{Input, refused},
    functions::Done,
    page::{Content, Frame, Head, Sheet},
    shell::console::account_page,
    text::refusal_sentence,
};
use vestibule_core::{
    paths::{self, LOGOUT, PROFILE_CONFIRM, SECURITY},
    refusal::{Field, Refusal},
    rights::Action,
    secret::Password,
    sso::Provider,
};
use vestibule_service::sessions::SignedIn;
use vestibule_translations::{Locale, td_string};

use crate::{
    form::{Form, Routes, confirm_for, is_kept, redirect_or_refuse},
    http::{answer::show_form, facts::Facts},
    pages::common::session,
    state::AppState,
};

/// Step-up with the password.
pub fn routes(routes: Routes) -> Routes {
    routes
        .page(PROFILE_CONFIRM, Action::OwnAccount, confirm)
        .form::<Confirm>()
}

/// Checks the password of somebody who is signed in; a code follows when the account has a second factor.
#[derive(Clone, Deserialize)]
pub struct Confirm {
    password: Password,
    /// Where it leads; anything but a local path leads to Security Settings.
    next: String,
}

impl Form for Confirm {
    const PATH: &'static str = PROFILE_CONFIRM;
    const ACTION: Action = Action::OwnAccount;

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        let next = after_step_up(&self.next);
        let confirmed = call
            .service
            .profile()
            .confirm_identity(&self.password, &next, &call.visitor)
            .await?;
        Ok(Done::to(call.confirmed(confirmed, next).await))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        show(state, facts, self.next.clone(), Reason::Ahead, refusal).await
    }
}

async fn confirm(State(state): State<AppState>, facts: Facts) -> Response {
    let next = facts.query("next").unwrap_or_default();
    let reason = if facts.asks("again") && is_kept(&next) {
        Reason::Kept
    } else if facts.asks("again") {
        Reason::TooOld
    } else if facts.asks("expired") {
        Reason::Expired
    } else {
        Reason::Ahead
    };
    show(&state, &facts, next, reason, None).await
}

async fn show(
    state: &AppState,
    facts: &Facts,
    next: String,
    reason: Reason,
    refusal: Option<&Refusal>,
) -> Response {
    let SignedIn { company, account, .. } = match session(state, facts, PROFILE_CONFIRM).await {
        Ok(signed_in) => signed_in,
        Err(response) => return *response,
    };
    let providers = if account.has_password {
        Vec::new()
    } else {
        match state.service.sso().own_providers(&facts.visitor).await {
            Ok(own) => own
                .into_iter()
                .filter(|own| own.identity.is_some())
                .map(|own| own.provider)
                .collect(),
            Err(refusal) => return redirect_or_refuse(&refusal, PROFILE_CONFIRM),
        }
    };
    let page = ConfirmPage {
        next: if paths::is_local(&next) {
            next
        } else {
            SECURITY.to_owned()
        },
        reason,
        providers,
        refusal: refusal.cloned(),
    };
    let path = confirm_for(&page.next);
    show_form(facts.page_at(state, &company, &account, path, page), refusal)
}

/// Why identity has to be confirmed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reason {
    /// For what comes next.
    Ahead,
    /// A change was refused because the last proof is too old.
    TooOld,
    /// The same, and what was typed is kept.
    Kept,
    /// The code took too long.
    Expired,
}

struct ConfirmPage {
    /// Where it leads: a local path.
    next: String,
    reason: Reason,
    /// Providers that are asked in the place of a password, by an account that has none.
    providers: Vec<Provider>,
    refusal: Option<Refusal>,
}

impl Content for ConfirmPage {
    fn head(&self, now: Locale) -> Head {
        Head::new(td_string!(now, profile.confirm_title), &[Sheet::Account])
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        if !self.providers.is_empty() {
            return confirm_with(frame, &self).into_any();
        }
        let why = match self.reason {
            Reason::Ahead => td_string!(now, profile.confirm_intro).to_owned(),
            Reason::TooOld => refusal_sentence(now, &Refusal::StepUpNeeded),
            Reason::Kept => td_string!(now, profile.confirm_kept).to_owned(),
            Reason::Expired => td_string!(now, profile.confirm_expired).to_owned(),
        };
        let password = Input {
            field: Field::Password,
            label: td_string!(now, sign_in.password),
            autocomplete: "current-password",
            value: String::new(),
            required: true,
            hint: None,
            refusal: self.refusal.as_ref(),
        };
        // Password managers want to know whose password this is.
        let account = frame.signed_in.as_ref().map(|somebody| somebody.account.clone());
        let content = view! {
            <main id="content" class="settings narrow" tabindex="-1">
                <h1>{td_string!(now, profile.confirm_title)}</h1>
                <p class="lead">{why}</p>
                {refused(now, self.refusal.as_ref(), true)}
                <form class="fields" method="post" action=Confirm::PATH novalidate>
                    <input type="hidden" name="next" value=self.next />
                    <input class="visually-hidden" type="text" autocomplete="username" value=account tabindex="-1" aria-hidden="true" readonly />
                    {password.view(now)}
                    <div class="buttons">
                        <button class="button primary">{td_string!(now, common.go_on)}</button>
                        <a class="button" href=SECURITY>
                            {td_string!(now, common.cancel)}
                        </a>
                    </div>
                </form>
                {somebody_else(now)}
            </main>
        };
        account_page(frame, None, content)
    }
}

/// The way out for whoever finds somebody else signed in at a shared desk: the company stays.
fn somebody_else(now: Locale) -> AnyView {
    view! {
        <form class="other-ways" method="post" action=LOGOUT>
            <button class="as-link">{td_string!(now, sign_in.not_you)}</button>
        </form>
    }
    .into_any()
}

/// The same for an account without a password.
fn confirm_with(frame: Frame, page: &ConfirmPage) -> AnyView {
    let now = frame.locale;
    let turned_back = (page.reason != Reason::Ahead)
        .then(|| view! { <p class="notice caution">{td_string!(now, errors.not_done_title)}</p> });
    let providers = page
        .providers
        .iter()
        .map(|provider| {
            let label = td_string!(now, sso.confirm_with, provider = provider.name());
            view! {
                <form method="post" action=provider.confirm_path()>
                    <input type="hidden" name="next" value=page.next.clone() />
                    <button class="button primary wide">{label}</button>
                </form>
            }
        })
        .collect_view();
    let content = view! {
        <main id="content" class="settings narrow" tabindex="-1">
            <h1>{td_string!(now, profile.confirm_title)}</h1>
            <p class="lead">{td_string!(now, sso.confirm_intro)}</p>
            {turned_back}
            <div class="fields">{providers}</div>
            <p class="aside">
                <a href=SECURITY>{td_string!(now, common.cancel)}</a>
            </p>
        </main>
    };
    account_page(frame, None, content)
}
