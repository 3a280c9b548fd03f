//! `/admin/security`: the company's policies.

use axum::{extract::State, response::Response};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    call::Call,
    components::{
        fields::{meanwhile, number, radio, why},
        forms::good,
    },
    functions::Done,
    page::{Content, Frame, Head, Sheet, Typed},
    shell::console::console,
};
use vestibule_core::{
    company::{Company, RequireSecondFactor, TwoFactorPolicy},
    limits::{IDLE_MINUTES_LEAST, IDLE_MINUTES_MOST, PASSWORD_MIN_HIGHEST, PASSWORD_MIN_LOWEST},
    paths::ADMIN_SECURITY,
    refusal::{Field, Refusal},
    rights::Action,
};
use vestibule_service::{
    console::{PeriodInput, PolicyInput},
    sessions::SignedIn,
};
use vestibule_translations::{Locale, td_string};

use crate::{
    form::{Filled, Form, Routes, redirect_or_refuse},
    http::{answer::show_form, facts::Facts},
    state::AppState,
};

/// Id of the form, which the language switch sends along.
const FORM: &str = "company-form";
/// Days that the 2FA Policy offers besides `Every login`.
const SKIP_DAYS: [u16; 4] = [14, 30, 60, 90];

/// The policies.
pub fn routes(routes: Routes) -> Routes {
    routes
        .page(ADMIN_SECURITY, SavePolicies::ACTION, policies)
        .form::<SavePolicies>()
}

/// Saves the policies.
#[derive(Clone, Deserialize)]
pub struct SavePolicies {
    /// Version that the page showed.
    version: i64,
    /// Days of the 2FA Policy; 0 = every login.
    two_factor_days: String,
    /// Word of Require a second factor.
    require_second_factor: String,
    /// `never` or `after`.
    log_out: String,
    /// Minutes without activity; not read for `never`.
    idle_minutes: String,
    /// Characters that a new password needs.
    password_min: String,
}

impl Form for SavePolicies {
    const PATH: &'static str = ADMIN_SECURITY;
    const ACTION: Action = Action::ChangePolicies;
    const SWITCHED: bool = true;

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        let idle_minutes = match (self.logs_out(), self.idle_minutes.trim()) {
            (false, _) => String::new(),
            // Empty would mean never, and that was not chosen: no number is out of range like zero.
            (true, "") => "0".to_owned(),
            (true, minutes) => minutes.to_owned(),
        };
        let input = PolicyInput {
            two_factor_days: self.two_factor_days,
            require_second_factor: self.require_second_factor,
            password_min: self.password_min,
            idle_minutes,
        };
        call.service
            .console()
            .save_policies(self.version, input, &call.visitor)
            .await?;
        Ok(Done::to(format!("{ADMIN_SECURITY}?saved")))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        // Whoever is asked for a new proof of identity keeps the page, and with it what they typed.
        open(state, facts, Action::SeeSettings, &Filled::again(self, refusal)).await
    }
}

impl SavePolicies {
    fn logs_out(&self) -> bool {
        self.log_out != "never"
    }
}

async fn policies(State(state): State<AppState>, facts: Facts) -> Response {
    open(&state, &facts, SavePolicies::ACTION, &Filled::OPENED).await
}

async fn open(state: &AppState, facts: &Facts, action: Action, form: &Filled<'_, SavePolicies>) -> Response {
    let SignedIn { company, account, .. } =
        match state.service.console().authorize(action, &facts.visitor).await {
            Ok(signed_in) => signed_in,
            Err(refusal) => return redirect_or_refuse(&refusal, ADMIN_SECURITY),
        };
    let require_second_factor = form.text(
        |form| &form.require_second_factor,
        company.settings.require_second_factor.as_str(),
    );
    let without_second_factor = if require_second_factor.value == RequireSecondFactor::Everyone.as_str() {
        // The number only helps: a fault in it keeps nobody from the policies.
        match state
            .service
            .console()
            .overview(&PeriodInput::default(), &facts.visitor)
            .await
        {
            Ok(overview) => overview.agents.active - overview.agents.with_second_factor,
            Err(_) => 0,
        }
    } else {
        0
    };
    let (log_out, idle_minutes) = log_out_of(form, &company);
    let page = PoliciesPage {
        version: form.version(form.typed.map(|form| form.version), company.version),
        two_factor_days: form.text(
            |form| &form.two_factor_days,
            &company.settings.two_factor.days().to_string(),
        ),
        require_second_factor,
        password_min: form.text(
            |form| &form.password_min,
            &company.settings.password_min.to_string(),
        ),
        log_out,
        idle_minutes,
        without_second_factor,
        saved: form.is_opened() && facts.asks("saved"),
        refusal: form.refusal.cloned(),
    };
    show_form(
        facts.page_at(state, &company, &account, ADMIN_SECURITY, page),
        form.refusal,
    )
}

/// Whether sessions end without activity, and after how many minutes.
fn log_out_of(form: &Filled<'_, SavePolicies>, company: &Company) -> (bool, Typed) {
    let saved = company
        .settings
        .idle_minutes
        .map(|minutes| minutes.to_string())
        .unwrap_or_default();
    let after = form.typed.map_or(!saved.is_empty(), SavePolicies::logs_out);
    let value = form
        .typed
        .map_or(saved.as_str(), |form| &form.idle_minutes)
        .to_owned();
    let wanted = if after { value.trim() } else { "" };
    let meanwhile = (form.is_late() && wanted != saved).then_some(saved);
    (after, Typed { value, meanwhile })
}

struct PoliciesPage {
    /// Version that is saved over.
    version: i64,
    two_factor_days: Typed,
    require_second_factor: Typed,
    password_min: Typed,
    /// Whether sessions end without activity. What was saved meanwhile about it is with the minutes.
    log_out: bool,
    /// Minutes without activity; saved meanwhile empty = never.
    idle_minutes: Typed,
    /// How many active accounts have no second factor though everyone has to have one; 0 = there is nothing to say.
    without_second_factor: i64,
    /// Whether they were just saved.
    saved: bool,
    refusal: Option<Refusal>,
}

impl Content for PoliciesPage {
    fn head(&self, now: Locale) -> Head {
        Head::new(
            td_string!(now, company.security_title),
            &[Sheet::Account, Sheet::Console],
        )
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let refusal = self.refusal.clone();
        let content = view! {
            <h1>{td_string!(now, company.security_title)}</h1>
            <p class="lead">{td_string!(now, company.security_intro)}</p>
            {self.saved.then(|| good(td_string!(now, company.saved)))}
            {why(now, refusal.as_ref())}
            {policies_form(now, self, refusal.as_ref())}
        };
        console(frame, ADMIN_SECURITY, Some(FORM), content)
    }
}

fn policies_form(now: Locale, page: PoliciesPage, refusal: Option<&Refusal>) -> AnyView {
    let without = (page.without_second_factor > 0).then(|| {
        view! {
            <p class="notice caution">
                {td_string!(now, company.without_factor, count = page.without_second_factor)}
            </p>
        }
    });
    let password_min = number(
        now,
        Field::PasswordMin,
        td_string!(now, company.password_min),
        td_string!(now, company.password_min_hint),
        (PASSWORD_MIN_LOWEST, PASSWORD_MIN_HIGHEST),
        page.password_min,
        refusal,
    );
    view! {
        <form id=FORM class="fields" method="post" action=SavePolicies::PATH novalidate>
            <input type="hidden" name="version" value=page.version />
            {two_factor(now, page.two_factor_days)}
            <fieldset class="card">
                <legend>{td_string!(now, company.require)}</legend>
                <p class="hint">{td_string!(now, company.require_hint)}</p>
                {without}
                {require(now, page.require_second_factor)}
            </fieldset>
            <section class="card" aria-labelledby="password-policy">
                <h2 id="password-policy">{td_string!(now, company.password_policy)}</h2>
                <div class="fields">{password_min}</div>
            </section>
            {log_out(now, page.log_out, page.idle_minutes, refusal)}
            <button class="button primary">{td_string!(now, common.save)}</button>
        </form>
    }
    .into_any()
}

fn two_factor(now: Locale, typed: Typed) -> AnyView {
    let options = std::iter::once(TwoFactorPolicy::EveryLogin)
        .chain(SKIP_DAYS.into_iter().map(TwoFactorPolicy::Skip))
        .map(|policy| {
            let days = policy.days().to_string();
            let picked = typed.value == days;
            radio(
                "two_factor_days",
                days,
                two_factor_name(now, policy),
                None,
                picked,
            )
        })
        .collect_view();
    let saved = typed.meanwhile.map(|days| {
        let policy = days.parse().ok().and_then(TwoFactorPolicy::from_days);
        policy.map_or(days, |policy| two_factor_name(now, policy))
    });
    view! {
        <fieldset class="card">
            <legend>{td_string!(now, company.two_factor)}</legend>
            <p class="hint">{td_string!(now, company.two_factor_hint)}</p>
            {options}
            {meanwhile(now, saved)}
        </fieldset>
    }
    .into_any()
}

fn two_factor_name(now: Locale, policy: TwoFactorPolicy) -> String {
    match policy {
        TwoFactorPolicy::EveryLogin => td_string!(now, company.every_login).to_owned(),
        TwoFactorPolicy::Skip(days) => td_string!(now, company.allow_skip, days = days),
    }
}

fn require(now: Locale, typed: Typed) -> AnyView {
    let label = move |policy| match policy {
        RequireSecondFactor::Off => td_string!(now, company.require_off),
        RequireSecondFactor::Admins => td_string!(now, company.require_admins),
        RequireSecondFactor::Everyone => td_string!(now, company.require_everyone),
    };
    let options = RequireSecondFactor::ALL
        .into_iter()
        .map(|policy| {
            let picked = typed.value == policy.as_str();
            radio(
                "require_second_factor",
                policy.as_str().to_owned(),
                label(policy).to_owned(),
                None,
                picked,
            )
        })
        .collect_view();
    let saved = typed
        .meanwhile
        .map(|word| RequireSecondFactor::from_word(&word).map_or(word, |policy| label(policy).to_owned()));
    view! {
        {options}
        {meanwhile(now, saved)}
    }
    .into_any()
}

fn log_out(now: Locale, after: bool, minutes: Typed, refusal: Option<&Refusal>) -> AnyView {
    let saved = minutes.meanwhile.map(|saved| match saved.parse::<u16>() {
        Ok(minutes) => td_string!(now, company.after_minutes, count = minutes),
        Err(_) => td_string!(now, company.never).to_owned(),
    });
    let field = number(
        now,
        Field::IdleMinutes,
        td_string!(now, company.minutes),
        td_string!(now, company.minutes_hint),
        (IDLE_MINUTES_LEAST.into(), IDLE_MINUTES_MOST.into()),
        Typed {
            value: minutes.value,
            meanwhile: None,
        },
        refusal,
    );
    view! {
        <fieldset class="card">
            <legend>{td_string!(now, company.log_out)}</legend>
            <p class="hint">{td_string!(now, company.log_out_hint)}</p>
            {radio("log_out", "never".to_owned(), td_string!(now, company.never).to_owned(), None, !after)}
            {radio("log_out", "after".to_owned(), td_string!(now, company.after).to_owned(), None, after)}
            {field}
            {meanwhile(now, saved)}
        </fieldset>
    }
    .into_any()
}
