//! `/admin/security`: the company's policies, and from where its people sign in together.

use axum::{extract::State, response::Response};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    call::Call,
    components::{
        fields::{meanwhile, number, radio, text, why},
        forms::{Input, good},
    },
    functions::Done,
    page::{Content, Frame, Head, Sheet, Typed},
    shell::console::console,
    text::Sentence,
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
    offices,
    sessions::SignedIn,
};
use vestibule_storage::Office;
use vestibule_translations::{Locale, refusal::RANGES, td_string};

use crate::{
    form::{Filled, Form, Routes, redirect_or_refuse},
    http::{answer::show_form, facts::Facts},
    state::AppState,
};

/// Id of the form, which the language switch sends along.
const FORM: &str = "company-form";
/// Days that the 2FA Policy offers besides `Every login`.
const SKIP_DAYS: [u16; 4] = [14, 30, 60, 90];

/// The policies, and the offices.
pub fn routes(routes: Routes) -> Routes {
    routes
        .page(ADMIN_SECURITY, SavePolicies::ACTION, policies)
        .form::<SavePolicies>()
        .form::<AddOffice>()
        .form::<RemoveOffice>()
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
        let form = Filled::again(self, refusal);
        open(state, facts, Action::SeeSettings, &form, None).await
    }
}

impl SavePolicies {
    fn logs_out(&self) -> bool {
        self.log_out != "never"
    }
}

/// Names an office.
#[derive(Clone, Deserialize)]
pub struct AddOffice {
    /// What it is called.
    office_name: String,
    /// Its address, or its range of addresses.
    office_range: String,
}

impl Form for AddOffice {
    const PATH: &'static str = "/admin/security/offices";
    const ACTION: Action = Action::ChangePolicies;
    const OPENED: Option<&'static str> = Some(ADMIN_SECURITY);
    const KEPT: bool = true;

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service
            .console()
            .add_office(&self.office_name, &self.office_range, &call.visitor)
            .await?;
        Ok(Done::to(format!("{ADMIN_SECURITY}?office_added")))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        let form = Filled::refused(refusal);
        open(state, facts, Action::SeeSettings, &form, Some(self)).await
    }
}

/// Takes an office away.
#[derive(Clone, Deserialize)]
pub struct RemoveOffice {
    /// Its range, as the page showed it.
    network: String,
}

impl Form for RemoveOffice {
    const PATH: &'static str = "/admin/security/offices/remove";
    const ACTION: Action = Action::ChangePolicies;
    const OPENED: Option<&'static str> = Some(ADMIN_SECURITY);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service
            .console()
            .remove_office(&self.network, &call.visitor)
            .await?;
        Ok(Done::to(format!("{ADMIN_SECURITY}?office_removed")))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        open(state, facts, Action::SeeSettings, &Filled::refused(refusal), None).await
    }
}

/// What went well before, by the word in the address.
const NOTICES: [(&str, Sentence); 3] = [
    ("saved", |now| td_string!(now, company.saved)),
    ("office_added", |now| td_string!(now, company.office_added)),
    ("office_removed", |now| td_string!(now, company.office_removed)),
];

async fn policies(State(state): State<AppState>, facts: Facts) -> Response {
    open(&state, &facts, SavePolicies::ACTION, &Filled::OPENED, None).await
}

/// The page. `office` is what was typed to name an office, when that comes back.
async fn open(
    state: &AppState,
    facts: &Facts,
    action: Action,
    form: &Filled<'_, SavePolicies>,
    office: Option<&AddOffice>,
) -> Response {
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
    let offices = match state.service.console().offices(&facts.visitor).await {
        Ok(offices) => offices,
        Err(refusal) => return redirect_or_refuse(&refusal, ADMIN_SECURITY),
    };
    let (log_out, idle_minutes) = log_out_of(form, &company);
    let notice = NOTICES
        .into_iter()
        .find(|(word, _)| form.is_opened() && facts.asks(word));
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
        offices: Offices::of(facts, offices, office),
        notice: notice.map(|(_, sentence)| sentence),
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
    offices: Offices,
    /// What went well before.
    notice: Option<Sentence>,
    refusal: Option<Refusal>,
}

/// The offices, and the form to name one more.
struct Offices {
    named: Vec<Office>,
    /// Where the visitor is.
    address: Option<String>,
    name: Typed,
    range: Typed,
}

impl Offices {
    fn of(facts: &Facts, named: Vec<Office>, typed: Option<&AddOffice>) -> Self {
        let visitor = &facts.visitor;
        let is_named = visitor
            .address
            .as_deref()
            .is_some_and(|address| offices::hold(&named, address));
        // Whoever names an office sits in it, most of the time. What wrong passwords are counted by is a range already.
        let suggested = if is_named { "" } else { visitor.source.as_str() };
        let typed_or = |typed: Option<&String>, otherwise: &str| Typed {
            value: typed.cloned().unwrap_or_else(|| otherwise.to_owned()),
            meanwhile: None,
        };
        Self {
            address: visitor.address.clone(),
            name: typed_or(typed.map(|typed| &typed.office_name), ""),
            range: typed_or(typed.map(|typed| &typed.office_range), suggested),
            named,
        }
    }
}

impl Content for PoliciesPage {
    fn head(&self, now: Locale) -> Head {
        Head::new(
            td_string!(now, company.security_title),
            &[Sheet::Account, Sheet::Console],
        )
        .with_account_script()
    }

    fn view(mut self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let refusal = self.refusal.take();
        let notice = self.notice.map(|sentence| good(sentence(now)));
        let offices = offices_card(now, &self.offices, refusal.as_ref());
        let content = view! {
            <h1>{td_string!(now, company.security_title)}</h1>
            <p class="lead">{td_string!(now, company.security_intro)}</p>
            {notice}
            {why(now, refusal.as_ref())}
            {policies_form(now, self, refusal.as_ref())}
            {offices}
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

fn offices_card(now: Locale, offices: &Offices, refusal: Option<&Refusal>) -> AnyView {
    let named = if offices.named.is_empty() {
        view! { <p class="quiet">{td_string!(now, company.no_offices)}</p> }.into_any()
    } else {
        let rows = offices
            .named
            .iter()
            .enumerate()
            .map(|(number, office)| office_row(now, number, office))
            .collect_view();
        view! { <ul class="rows">{rows}</ul> }.into_any()
    };
    let here = offices.address.clone().map(|address| {
        view! { <p class="quiet">{td_string!(now, company.office_here, address = address)}</p> }
    });
    let [ipv4, ipv6] = RANGES;
    let name = Input {
        required: true,
        ..text(
            now,
            Field::OfficeName,
            td_string!(now, company.office_name),
            td_string!(now, company.office_name_hint),
            &offices.name,
            refusal,
        )
    };
    let range = Input {
        required: true,
        ..text(
            now,
            Field::OfficeRange,
            td_string!(now, company.office_range),
            &td_string!(now, company.office_range_hint, ipv4 = ipv4, ipv6 = ipv6),
            &offices.range,
            refusal,
        )
    };
    view! {
        <section class="card" aria-labelledby="offices">
            <h2 id="offices">{td_string!(now, company.offices)}</h2>
            <p class="hint">{td_string!(now, company.offices_hint)}</p>
            {named}
            {here}
            <form class="fields pairs" method="post" action=AddOffice::PATH novalidate>
                {name.view(now)}
                {range.view(now)}
                <button class="button">{td_string!(now, company.add_office)}</button>
            </form>
        </section>
    }
    .into_any()
}

fn office_row(now: Locale, number: usize, office: &Office) -> AnyView {
    let heading = format!("office-{number}");
    let about = heading.clone();
    view! {
        <li class="row">
            <div class="row-text">
                <h3 id=heading>
                    <bdi>{office.name.clone()}</bdi>
                </h3>
                <p class="quiet">
                    <bdi>{office.network.clone()}</bdi>
                </p>
            </div>
            <form method="post" action=RemoveOffice::PATH>
                <input type="hidden" name="network" value=office.network.clone() />
                <button class="button small danger-line" aria-describedby=about>
                    {td_string!(now, company.remove_office)}
                </button>
            </form>
        </li>
    }
    .into_any()
}
