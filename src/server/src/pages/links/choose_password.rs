//! `/choose-password`: with a link of a mail, or in place of a temporary password.

use axum::{extract::State, response::Response};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    call::{Call, Effect},
    components::forms::{Input, refused},
    functions::{Done, JudgeChosenPassword},
    page::{Content, Frame, Head, Sheet},
    shell::console::fact,
};
use vestibule_core::{
    link::LinkPurpose,
    paths::{CHOOSE_PASSWORD, CHOOSE_PASSWORD_CHECK, LOGIN},
    refusal::{Field, Refusal},
    rights::Action,
    secret::Password,
};
use vestibule_translations::{Locale, td_string};

use super::nothing_to_do;
use crate::{
    form::{Form, NoPage, Routes},
    http::{answer::show_form, facts::Facts},
    pages::common::in_gate_with_form,
    state::AppState,
};

/// Id of the form, which the language switch sends along.
const FORM: &str = "choose-form";

/// Choosing a password.
pub fn routes(routes: Routes) -> Routes {
    routes
        .page(CHOOSE_PASSWORD, Action::ComeIn, open)
        .form::<ChoosePassword>()
        .function::<JudgeChosenPassword, NoPage>(Action::ComeIn)
}

/// Chooses a password. Signs nobody in.
#[derive(Clone, Deserialize)]
pub struct ChoosePassword {
    new_password: Password,
    /// The same once more.
    confirm_password: Password,
}

impl Form for ChoosePassword {
    const PATH: &'static str = CHOOSE_PASSWORD;
    const ACTION: Action = Action::ComeIn;
    const SWITCHED: bool = true;

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        let recovery = call.service.recovery();
        let whose = recovery.password_choice(&call.visitor).await?;
        recovery
            .choose_password(self.new_password, self.confirm_password, &call.visitor)
            .await?;
        // Every session of the account is over; another account's in this browser would only confuse.
        call.add(Effect::Session(None));
        call.add(Effect::Link(None));
        let news = if whose.link == Some(LinkPurpose::Activate) {
            "password_chosen"
        } else {
            "password_changed"
        };
        let names = form_urlencoded::Serializer::new(String::new())
            .append_pair("company", &whose.company.name)
            .append_pair("account", &whose.account.name)
            .finish();
        Ok(Done::to(format!("{LOGIN}?{names}&{news}")))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        match refusal {
            Some(Refusal::Invalid { .. }) | None => show(state, facts, refusal).await,
            Some(other) => nothing_to_do(state, facts, other),
        }
    }
}

async fn open(State(state): State<AppState>, facts: Facts) -> Response {
    show(&state, &facts, None).await
}

async fn show(state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
    let choice = match state.service.recovery().password_choice(&facts.visitor).await {
        Ok(choice) => choice,
        Err(refusal) => return nothing_to_do(state, facts, &refusal),
    };
    let locale = facts.locale(
        choice.account.person.language.as_deref(),
        Some(&choice.company.settings.language),
    );
    let page = ChoosePage {
        company: choice.company.name,
        account: choice.account.name,
        link: choice.link,
        password_min: choice.company.settings.password_min,
        refusal: refusal.cloned(),
    };
    let mut page = facts.page_in(state, locale, page);
    CHOOSE_PASSWORD.clone_into(&mut page.frame.path);
    show_form(page, refusal)
}

struct ChoosePage {
    company: String,
    account: String,
    /// The link that leads here; `None` = the password until now is temporary.
    link: Option<LinkPurpose>,
    password_min: usize,
    refusal: Option<Refusal>,
}

impl Content for ChoosePage {
    fn head(&self, now: Locale) -> Head {
        Head::new(td_string!(now, agents.choose_title), &[Sheet::Account]).with_account_script()
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let why = match self.link {
            Some(LinkPurpose::Activate) => td_string!(now, agents.choose_first),
            Some(_) => td_string!(now, agents.choose_reset),
            None => td_string!(now, agents.choose_temporary),
        };
        let input = |field, label, hint| {
            Input {
                field,
                label,
                autocomplete: "new-password",
                value: String::new(),
                required: true,
                hint,
                refusal: self.refusal.as_ref(),
            }
            .view(now)
        };
        // Scripts ask the server there while somebody types, and write down what it says.
        let strength = view! { <p id="strength" class="strength" role="status"></p> }
            .attr("data-href", CHOOSE_PASSWORD_CHECK);
        let hint = td_string!(now, profile.password_hint, count = self.password_min);
        let content = view! {
            <h1>{td_string!(now, agents.choose_title)}</h1>
            <p class="lead">{why}</p>
            {whose(now, self.company.clone(), self.account.clone())}
            {refused(now, self.refusal.as_ref(), true)}
            <form id=FORM class="fields" method="post" action=ChoosePassword::PATH novalidate>
                <input class="visually-hidden" type="text" autocomplete="username" value=self.account.clone() tabindex="-1" aria-hidden="true" readonly />
                <div>
                    {input(Field::NewPassword, td_string!(now, profile.new_password), Some(hint))} {strength}
                </div>
                {input(Field::ConfirmPassword, td_string!(now, profile.confirm_password), None)}
                <button class="button primary wide">{td_string!(now, agents.choose_button)}</button>
            </form>
        };
        in_gate_with_form(frame, FORM, |now| td_string!(now, agents.choose_title), content)
    }
}

fn whose(now: Locale, company: String, account: String) -> AnyView {
    view! {
        <dl class="facts">
            {fact(td_string!(now, console.company), company)} {fact(td_string!(now, console.account), account)}
        </dl>
    }.into_any()
}
