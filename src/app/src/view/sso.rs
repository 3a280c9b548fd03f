//! The pages on the way to a provider and back, in the frame of the sign-in screens.

use leptos::prelude::*;
use vestibule_core::{paths, refusal::Field, refusal::Refusal};
use vestibule_translations::{Locale, refusal::field_sentence, td_string};

use super::{
    forms::{keep_refusal, refused},
    links::in_gate,
};
use crate::{
    components::notice::field_id,
    page::{BindPage, ChooseCompanyPage, Frame, OnwardPage, SsoCompanyPage},
    text::phrase,
};

/// On the way to a provider, or back.
pub(super) fn onward(frame: Frame, page: OnwardPage) -> impl IntoView {
    let now = frame.locale;
    let name = page.provider.name();
    let text = if page.leaves {
        td_string!(now, sso.leaving, provider = name)
    } else {
        td_string!(now, sso.back, provider = name)
    };
    let content = view! {
        <h1>{td_string!(now, sso.leaving_title)}</h1>
        <p class="lead">{text}</p>
        <a class="button primary wide" href=page.to>
            {td_string!(now, common.go_on)}
        </a>
    };
    in_gate(frame, phrase!(sso.leaving_title), content)
}

/// Which company somebody wants to sign in to.
pub(super) fn company(frame: Frame, page: SsoCompanyPage) -> impl IntoView {
    let now = frame.locale;
    let name = page.provider.name();
    let refusal = page.refusal.as_ref();
    let field = input(
        now,
        Field::Company,
        td_string!(now, sign_in.company),
        page.company,
        refusal,
    );
    let next = page
        .next
        .map(|next| view! { <input type="hidden" name="next" value=next /> });
    let content = view! {
        <h1>{td_string!(now, sso.choose_title)}</h1>
        <p class="lead">{td_string!(now, sso.company_intro, provider = name)}</p>
        {refused(now, refusal, true)}
        <form class="fields" method="post" action=page.provider.start_path() novalidate>
            {next}
            {field}
            <button class="button primary wide">{td_string!(now, sso.sign_in_with, provider = name)}</button>
        </form>
        <p class="aside">
            <a href=paths::LOGIN>{td_string!(now, sign_in.back_to_sign_in)}</a>
        </p>
    };
    in_gate(frame, phrase!(sso.choose_title), content)
}

/// `/login/bind`
pub(super) fn bind(frame: Frame, page: BindPage) -> impl IntoView {
    let now = frame.locale;
    let name = page.provider.name();
    let refusal = page.refusal.as_ref();
    let shown = (!page.shown.is_empty()).then(|| {
        view! {
            <dl class="facts">
                <div>
                    <dt>{td_string!(now, sso.account_of, provider = name)}</dt>
                    <dd>
                        <bdi>{page.shown.clone()}</bdi>
                    </dd>
                </div>
            </dl>
        }
    });
    let input = |field, label, value| input(now, field, label, value, refusal);
    let company = input(Field::Company, td_string!(now, sign_in.company), page.company);
    let account = input(Field::Account, td_string!(now, sign_in.account), page.account);
    let password = input(Field::Password, td_string!(now, sign_in.password), String::new());
    let content = view! {
        <h1>{td_string!(now, sso.bind_title)}</h1>
        <p class="lead">{td_string!(now, sso.bind_intro, provider = name)}</p>
        {shown}
        {refused(now, refusal, true)}
        {keep_refusal(refusal)}
        <form class="fields" method="post" action=paths::LOGIN_BIND novalidate>
            {company}
            {account}
            {password}
            <button class="button primary wide">{td_string!(now, sso.bind_submit)}</button>
        </form>
        {cancel(now)}
    };
    in_gate(frame, phrase!(sso.bind_title), content)
}

/// The way back, which forgets who came.
fn cancel(now: Locale) -> impl IntoView {
    view! {
        <div class="after-form">
            <form method="post" action=paths::LOGIN_BIND_CANCEL>
                <button class="button">{td_string!(now, common.cancel)}</button>
            </form>
        </div>
    }
}

/// One of the three inputs of a sign-in.
fn input(
    now: Locale,
    field: Field,
    label: &'static str,
    value: String,
    refusal: Option<&Refusal>,
) -> impl IntoView + use<> {
    let id = field_id(field);
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
        Field::Password | Field::Code => ("password", "current-password"),
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
}

/// `/login/bind`, where several companies know who came back.
pub(super) fn choose(frame: Frame, page: ChooseCompanyPage) -> impl IntoView {
    let now = frame.locale;
    let companies = page
        .companies
        .into_iter()
        .map(|(id, name)| {
            view! {
                <form method="post" action=paths::LOGIN_BIND_COMPANY>
                    <input type="hidden" name="id" value=id />
                    <button class="button wide">
                        <bdi>{name}</bdi>
                    </button>
                </form>
            }
        })
        .collect_view();
    let content = view! {
        <h1>{td_string!(now, sso.choose_title)}</h1>
        <p class="lead">{td_string!(now, sso.choose_intro, provider = page.provider.name())}</p>
        <div class="fields">{companies} {cancel(now)}</div>
    };
    in_gate(frame, phrase!(sso.choose_title), content)
}
