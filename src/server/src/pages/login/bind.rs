//! `/login/bind`: connecting who came back from a provider with an account.

use axum::{extract::State, http::StatusCode, response::Response};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    call::{Call, Effect},
    components::forms::refused,
    functions::Done,
    page::{Content, Frame, Head, Sheet},
};
use vestibule_core::{
    company::Company,
    id::CompanyId,
    paths::{self, LOGIN, LOGIN_BIND},
    refusal::{Field, Refusal},
    rights::Action,
    secret::Password,
    sso::Provider,
};
use vestibule_service::sign_in::{
    SignInForm,
    sso::{Arrival, BindPage as Found},
};
use vestibule_translations::{Locale, refusal::field_sentence, td_string};

use crate::{
    form::{Form, FormFields, Routes},
    http::{
        answer::{show, show_form},
        facts::Facts,
    },
    pages::{
        auth::problem,
        common::{in_gate, in_gate_with_form},
    },
    state::AppState,
};

/// Id of the form, which the language switch sends along.
const FORM: &str = "bind-form";

/// Connecting an account, or choosing one of several that are connected.
pub fn routes(routes: Routes) -> Routes {
    routes
        .page(LOGIN_BIND, Action::ComeIn, open)
        .form::<Bind>()
        .form::<ChooseCompany>()
        .form::<CancelBinding>()
}

/// Connects who came back with the account whose credentials are given.
#[derive(Clone, Deserialize)]
pub struct Bind {
    company: String,
    account: String,
    password: Password,
}

impl Form for Bind {
    const PATH: &'static str = LOGIN_BIND;
    const ACTION: Action = Action::ComeIn;
    const SWITCHED: bool = true;
    const MAY_WAIT: bool = true;

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        let form = SignInForm {
            company: self.company,
            account: self.account,
            password: self.password,
            next: None,
        };
        let (company, account) = (form.company.clone(), form.account.clone());
        match call.service.sso().bind(form, &call.visitor).await {
            Ok(outcome) => Ok(Done::to(call.entered(outcome))),
            Err(refusal) => Err(call.refused_password(&company, &account, refusal)),
        }
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        if let Some(over @ Refusal::SignInExpired) = refusal {
            return problem(state, facts, over);
        }
        let typed = Typed {
            company: Some(self.company.clone()),
            account: self.account.clone(),
        };
        show_typed(state, facts, typed, refusal).await
    }
}

/// Signs in to one of the companies that know who came back.
#[derive(Clone, Deserialize)]
pub struct ChooseCompany {
    /// Identifier of the company.
    id: String,
}

impl Form for ChooseCompany {
    const PATH: &'static str = paths::LOGIN_BIND_COMPANY;
    const ACTION: Action = Action::ComeIn;

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        let company = CompanyId::parse(&self.id).ok_or(Refusal::Malformed)?;
        Ok(Done::to(
            match call.service.sso().arrive(Some(company), &call.visitor).await? {
                Arrival::In(outcome) => call.entered(outcome),
                _ => LOGIN_BIND.to_owned(),
            },
        ))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        problem(state, facts, refusal.unwrap_or(&Refusal::SignInExpired))
    }
}

/// Goes away from the page: who came back is forgotten.
#[derive(Clone, Deserialize)]
pub struct CancelBinding {}

impl Form for CancelBinding {
    const PATH: &'static str = paths::LOGIN_BIND_CANCEL;
    const ACTION: Action = Action::ComeIn;

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service.sso().cancel_binding(&call.visitor).await?;
        call.add(Effect::SsoFlowOver);
        Ok(Done::to(LOGIN))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        problem(state, facts, refusal.unwrap_or(&Refusal::SignInExpired))
    }
}

async fn open(State(state): State<AppState>, facts: Facts) -> Response {
    match state.service.sso().bind_page(&facts.visitor).await {
        Ok(found) if !found.known.is_empty() => {
            let page = ChoosePage {
                provider: found.provider,
                companies: found.known,
            };
            show(StatusCode::OK, facts.page(&state, page))
        }
        Ok(found) => show_bind(&state, &facts, found, Typed::default(), None),
        Err(refusal) => problem(&state, &facts, &refusal),
    }
}

/// The page again, after somebody stood in line and what was typed was refused.
pub async fn again(state: &AppState, facts: &Facts, fields: &FormFields, refusal: &Refusal) -> Response {
    let typed = Typed {
        company: fields.get("company").map(str::to_owned),
        account: fields.get("account").unwrap_or_default().to_owned(),
    };
    show_typed(state, facts, typed, Some(refusal)).await
}

/// What was typed besides the password.
#[derive(Default)]
struct Typed {
    company: Option<String>,
    account: String,
}

async fn show_typed(state: &AppState, facts: &Facts, typed: Typed, refusal: Option<&Refusal>) -> Response {
    match state.service.sso().bind_page(&facts.visitor).await {
        Ok(found) => show_bind(state, facts, found, typed, refusal),
        Err(reason) => problem(state, facts, &reason),
    }
}

fn show_bind(
    state: &AppState,
    facts: &Facts,
    found: Found,
    typed: Typed,
    refusal: Option<&Refusal>,
) -> Response {
    let page = BindPage {
        provider: found.provider,
        shown: found.shown,
        company: typed.company.unwrap_or(found.company),
        account: typed.account,
        refusal: refusal.cloned(),
    };
    let mut page = facts.page(state, page);
    LOGIN_BIND.clone_into(&mut page.frame.path);
    show_form(page, refusal)
}

struct BindPage {
    provider: Provider,
    /// What its account is known by; may be empty.
    shown: String,
    company: String,
    account: String,
    refusal: Option<Refusal>,
}

impl Content for BindPage {
    fn head(&self, now: Locale) -> Head {
        Head::new(td_string!(now, sso.bind_title), &[Sheet::Account]).with_account_script()
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let name = self.provider.name();
        let refusal = self.refusal.as_ref();
        let shown = (!self.shown.is_empty()).then(|| {
            view! {
                <dl class="facts">
                    <div>
                        <dt>{td_string!(now, sso.account_of, provider = name)}</dt>
                        <dd>
                            <bdi>{self.shown.clone()}</bdi>
                        </dd>
                    </div>
                </dl>
            }
        });
        let input = |field, label, value| input(now, field, label, value, refusal);
        let company = input(Field::Company, td_string!(now, sign_in.company), self.company);
        let account = input(Field::Account, td_string!(now, sign_in.account), self.account);
        let password = input(Field::Password, td_string!(now, sign_in.password), String::new());
        let content = view! {
            <h1>{td_string!(now, sso.bind_title)}</h1>
            <p class="lead">{td_string!(now, sso.bind_intro, provider = name)}</p>
            {shown}
            {refused(now, refusal, true)}
                <form id=FORM class="fields" method="post" action=Bind::PATH novalidate>
                {company}
                {account}
                {password}
                <button class="button primary wide">{td_string!(now, sso.bind_submit)}</button>
            </form>
            {cancel(now)}
        };
        in_gate_with_form(frame, FORM, |now| td_string!(now, sso.bind_title), content)
    }
}

/// The way back, which forgets who came.
fn cancel(now: Locale) -> AnyView {
    view! {
        <div class="after-form">
            <form method="post" action=CancelBinding::PATH>
                <button class="button">{td_string!(now, common.cancel)}</button>
            </form>
        </div>
    }
    .into_any()
}

/// One of the three inputs of a sign-in.
pub fn input(
    now: Locale,
    field: Field,
    label: &'static str,
    value: String,
    refusal: Option<&Refusal>,
) -> AnyView {
    let id = field.name();
    let problem = refusal.and_then(|refusal| refusal.problem(field));
    let problem_id = [id, "-problem"].concat();
    let hint_id = [id, "-hint"].concat();
    let hint = (field == Field::Account).then(|| td_string!(now, sign_in.account_hint));
    let described_by = [
        problem.is_some().then_some(problem_id.as_str()),
        hint.is_some().then_some(hint_id.as_str()),
    ];
    let described_by: Vec<&str> = described_by.into_iter().flatten().collect();
    let described_by = (!described_by.is_empty()).then(|| described_by.join(" "));
    let (kind, autocomplete) = match field {
        Field::Company => ("text", "organization"),
        Field::Account => ("text", "username"),
        _ => ("password", "current-password"),
    };
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <div class="control">
                <input
                    id=id
                    name=id
                    type=kind
                    value=value
                    dir="auto"
                    autocomplete=autocomplete
                    autocapitalize="none"
                    spellcheck="false"
                    required
                    aria-invalid=problem.is_some().then_some("true")
                    aria-describedby=described_by
                />
            </div>
            {problem
                .map(|problem| {
                    view! {
                        <p class="problem" id=problem_id>
                            {field_sentence(now, field, problem)}
                        </p>
                    }
                })}
            {hint
                .map(|hint| {
                    view! {
                        <p class="hint" id=hint_id>
                            {hint}
                        </p>
                    }
                })}
        </div>
    }
    .into_any()
}

/// The companies that know who came back.
struct ChoosePage {
    provider: Provider,
    companies: Vec<Company>,
}

impl Content for ChoosePage {
    fn head(&self, now: Locale) -> Head {
        Head::new(td_string!(now, sso.choose_title), &[Sheet::Account])
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let companies = self
            .companies
            .into_iter()
            .map(|company| {
                view! {
                    <form method="post" action=ChooseCompany::PATH>
                        <input type="hidden" name="id" value=company.id.to_string() />
                        <button class="button wide">
                            <bdi>{company.name}</bdi>
                        </button>
                    </form>
                }
            })
            .collect_view();
        let content = view! {
            <h1>{td_string!(now, sso.choose_title)}</h1>
            <p class="lead">{td_string!(now, sso.choose_intro, provider = self.provider.name())}</p>
            <div class="fields">{companies} {cancel(now)}</div>
        };
        in_gate(frame, |now| td_string!(now, sso.choose_title), content)
    }
}
