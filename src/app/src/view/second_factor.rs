//! Setting up a second factor.

use leptos::prelude::*;
use vestibule_core::{paths, refusal::Refusal, sign_in_view::CodeMail};
use vestibule_translations::{Locale, clock, td_string};

use super::{
    forms::{good, refused, set_up_code},
    site::site,
};
use crate::page::{AppCodePage, AppSetUp, AppSetUpPage, EmailSetUp, EmailSetUpPage, Frame, SetUpPage};

/// `/profile/security/set-up`: the company requires a second factor and the account has none.
pub(super) fn set_up(frame: Frame, page: &SetUpPage) -> impl IntoView + use<> {
    let now = frame.locale;
    let content = view! {
        <main id="content" class="settings narrow" tabindex="-1">
            <h1>{td_string!(now, profile.required_title)}</h1>
            <p class="lead">{td_string!(now, profile.required_intro)}</p>
            {refused(now, page.refusal.as_ref(), true)}
            <section class="card" aria-labelledby="app-title">
                <h2 id="app-title">{td_string!(now, profile.app_row)}</h2>
                <p class="quiet">{td_string!(now, profile.app_advice)}</p>
                <form class="card-end" method="post" action=paths::SECURITY_APP>
                    <button class="button primary" aria-describedby="app-title">
                        {td_string!(now, profile.set_up)}
                    </button>
                </form>
            </section>
            <section class="card" aria-labelledby="email-title">
                <h2 id="email-title">{td_string!(now, profile.email_row)}</h2>
                <p class="quiet">{td_string!(now, profile.email_advice)}</p>
                <form class="card-end" method="post" action=paths::SECURITY_EMAIL>
                    <button class="button" aria-describedby="email-title">
                        {td_string!(now, profile.set_up)}
                    </button>
                </form>
            </section>
        </main>
    };
    site(frame, content)
}

/// `/profile/security/app`: the QR code, and the secret for those who cannot scan it.
pub(super) fn app(frame: Frame, page: AppSetUpPage) -> impl IntoView {
    let now = frame.locale;
    let steps = match page.set_up {
        Some(set_up) => app_steps(now, set_up).into_any(),
        None => begin(now, td_string!(now, profile.app_advice), paths::SECURITY_APP).into_any(),
    };
    let content = view! {
        <main id="content" class="settings narrow" tabindex="-1">
            <h1>{td_string!(now, profile.app_title)}</h1>
            {refused(now, page.refusal.as_ref(), true)}
            {steps}
        </main>
    };
    site(frame, content)
}

fn app_steps(now: Locale, set_up: AppSetUp) -> impl IntoView {
    view! {
        <ol class="steps">
            <li>{td_string!(now, profile.app_step_install)}</li>
            <li>
                {td_string!(now, profile.app_step_scan)}
                <div class="qr" role="img" aria-label=td_string!(now, profile.qr_text) inner_html=set_up.qr></div>
                <p>{td_string!(now, profile.app_step_type)}</p>
                <p class="secret">
                    <code dir="ltr">{set_up.secret}</code>
                </p>
            </li>
            <li>{td_string!(now, profile.app_step_next)}</li>
        </ol>
        <form class="buttons" method="get" action=paths::SECURITY_APP_CODE>
            <input type="hidden" name="set_up" value=set_up.id />
            <button class="button primary">{td_string!(now, profile.next)}</button>
            {cancel(now)}
        </form>
    }
}

/// `/profile/security/app/code`
pub(super) fn app_code(frame: Frame, page: AppCodePage) -> impl IntoView {
    let now = frame.locale;
    let content = view! {
        <main id="content" class="settings narrow" tabindex="-1">
            <p class="back">
                <a href=paths::SECURITY_APP>{td_string!(now, profile.back_to_qr)}</a>
            </p>
            <h1>{td_string!(now, profile.app_title)}</h1>
            <p class="lead">{td_string!(now, sign_in.code_from_app)}</p>
            {refused(now, page.refusal.as_ref(), false)}
            {code_form(now, paths::SECURITY_APP_CODE, page.set_up, page.refusal.as_ref())}
        </main>
    };
    site(frame, content)
}

/// `/profile/security/email`
pub(super) fn email(frame: Frame, page: EmailSetUpPage) -> impl IntoView {
    let now = frame.locale;
    let EmailSetUpPage {
        set_up,
        resent,
        refusal,
    } = page;
    let steps = match set_up {
        Some(set_up) => email_steps(now, set_up, resent, refusal.as_ref()).into_any(),
        None => view! {
            {refused(now, refusal.as_ref(), true)}
            {begin(now, td_string!(now, profile.email_advice), paths::SECURITY_EMAIL)}
        }
        .into_any(),
    };
    let content = view! {
        <main id="content" class="settings narrow" tabindex="-1">
            <h1>{td_string!(now, profile.email_title)}</h1>
            {steps}
        </main>
    };
    site(frame, content)
}

fn email_steps(
    now: Locale,
    set_up: EmailSetUp,
    resent: bool,
    refusal: Option<&Refusal>,
) -> impl IntoView + use<> {
    let news = match set_up.mail {
        CodeMail::Failing => Some(td_string!(now, profile.email_mail_failing)),
        CodeMail::GivenUp => Some(td_string!(now, profile.email_mail_given_up)),
        CodeMail::Limited => Some(td_string!(now, sign_in.code_mail_limited)),
        CodeMail::Queued | CodeMail::Sent => None,
    };
    let lead = if news.is_some() {
        td_string!(now, profile.email_lead_waiting)
    } else {
        td_string!(now, profile.email_lead)
    };
    let wait = if set_up.resend_in == 0 {
        td_string!(now, sign_in.resend_now).to_owned()
    } else {
        td_string!(now, sign_in.resend_in, time = clock(set_up.resend_in))
    };
    let resent = (resent && news.is_none()).then(|| good(td_string!(now, sign_in.resent)));
    view! {
        <p class="lead">
            {lead} " " <bdi>{set_up.address}</bdi>
        </p>
        {news.map(|news| view! { <p class="notice caution">{news}</p> })}
        {resent}
        {refused(now, refusal, false)}
        {code_form(now, paths::SECURITY_EMAIL_CODE, set_up.id, refusal)}
        <form class="resend" method="post" action=paths::SECURITY_EMAIL_RESEND>
            <button class="button" aria-describedby="resend-when">
                {td_string!(now, sign_in.resend)}
            </button>
            <p id="resend-when" class="quiet">{wait}</p>
        </form>
    }
}

/// The form for the first code of a set-up.
fn code_form(
    now: Locale,
    path: &'static str,
    set_up: String,
    refusal: Option<&Refusal>,
) -> impl IntoView + use<> {
    view! {
        <form class="fields" method="post" action=path novalidate>
            {set_up_code(now, set_up, refusal)}
            <div class="buttons">
                <button class="button primary">{td_string!(now, profile.confirm)}</button>
                {cancel(now)}
            </div>
        </form>
    }
}

/// Where no set-up is under way: what it is good for, and the button.
fn begin(now: Locale, advice: &'static str, path: &'static str) -> impl IntoView {
    view! {
        <p class="lead">{advice}</p>
        <form class="buttons fields" method="post" action=path>
            <button class="button primary">{td_string!(now, profile.set_up)}</button>
            {cancel(now)}
        </form>
    }
}

/// Back to the settings; whoever has to set up a second factor comes to that page from there.
fn cancel(now: Locale) -> impl IntoView {
    view! {
        <a class="button" href=paths::SECURITY>
            {td_string!(now, common.cancel)}
        </a>
    }
}
