//! Custom SMTP Server, and how its test mail is doing.

use leptos::prelude::*;
use vestibule_core::{mail_server::MailSecurity, paths, refusal::Refusal, signed_in::FormField};
use vestibule_translations::{Locale, td_string};

use super::{
    company::{meanwhile, number, radio, text, why},
    console::{console, fact},
    forms::{Input, good, moment, problem, refused},
};
use crate::page::{Frame, MailServerPage, TestMail, TestMailPage, TestOutcome, Typed};

/// Id of the form, which the language switch sends along.
const FORM: &str = "mail-form";
/// Word for a server of the company's own.
pub const OWN: &str = "own";
/// Word for the server of the installation.
pub const INSTALLATION: &str = "installation";

/// `/admin/mail`
pub(super) fn settings(frame: Frame, page: &MailServerPage) -> impl IntoView + use<> {
    let now = frame.locale;
    let refusal = page.refusal.clone();
    let saved = page.saved.then(|| good(td_string!(now, company.saved)));
    let test = test_card(now, page);
    let content = view! {
        <h1>{td_string!(now, console.mail)}</h1>
        <p class="lead">{td_string!(now, mail_server.intro)}</p>
        {saved}
        {why(now, refusal.as_ref())}
        {form(now, page, refusal.as_ref())}
        {test}
    };
    console(frame, paths::ADMIN_MAIL, Some(FORM), content)
}

fn form(now: Locale, page: &MailServerPage, refusal: Option<&Refusal>) -> impl IntoView + use<> {
    let way_name = |word: &str| {
        if word == OWN {
            td_string!(now, mail_server.own)
        } else {
            td_string!(now, mail_server.installation)
        }
    };
    let ways = [INSTALLATION, OWN]
        .map(|word| {
            let picked = page.way.value == word;
            radio("way", word.to_owned(), way_name(word).to_owned(), None, picked)
        })
        .into_iter()
        .collect_view();
    let way_meanwhile = page
        .way
        .meanwhile
        .as_deref()
        .map(|word| way_name(word).to_owned());
    view! {
        <form id=FORM class="fields" method="post" action=paths::ADMIN_MAIL novalidate>
            <input type="hidden" name="version" value=page.version />
            <fieldset class="card">
                <legend>{td_string!(now, mail_server.way)}</legend>
                {ways}
                {meanwhile(now, way_meanwhile)}
            </fieldset>
            <section class="card" aria-labelledby="server-title">
                <h2 id="server-title">{td_string!(now, mail_server.server)}</h2>
                <div class="fields pairs">{server_fields(now, page, refusal)}</div>
            </section>
            {encryption(now, &page.security, refusal)}
            <section class="card" aria-labelledby="mails-title">
                <h2 id="mails-title">{td_string!(now, mail_server.mails)}</h2>
                <div class="fields pairs">{mail_fields(now, page, refusal)}</div>
                <div class="choice">
                    <input id="fall_back" type="checkbox" name="fall_back" value="yes" checked=page.fall_back autocomplete="off" aria-describedby="fall_back-hint" />
                    <label for="fall_back">{td_string!(now, mail_server.fall_back)}</label>
                    <p class="hint" id="fall_back-hint">
                        {td_string!(now, mail_server.fall_back_hint)}
                    </p>
                </div>
            </section>
            <button class="button primary">{td_string!(now, common.save)}</button>
        </form>
    }
}

fn server_fields(now: Locale, page: &MailServerPage, refusal: Option<&Refusal>) -> impl IntoView + use<> {
    let host = Input {
        required: true,
        ..text(
            now,
            FormField::Host,
            td_string!(now, mail_server.host),
            td_string!(now, mail_server.host_hint),
            &page.host,
            refusal,
        )
    };
    let port = number(
        now,
        FormField::Port,
        td_string!(now, mail_server.port),
        td_string!(now, mail_server.port_hint),
        (1, usize::from(u16::MAX)),
        page.port.clone(),
        refusal,
    );
    let user = text(
        now,
        FormField::MailUser,
        td_string!(now, mail_server.user),
        td_string!(now, mail_server.user_hint),
        &page.user,
        refusal,
    );
    let password_hint = if page.has_password {
        td_string!(now, mail_server.password_kept)
    } else {
        td_string!(now, mail_server.password_hint)
    };
    let password = Input {
        autocomplete: "new-password",
        ..text(
            now,
            FormField::MailPassword,
            td_string!(now, mail_server.password),
            password_hint,
            &Typed::default(),
            refusal,
        )
    };
    view! {
        {host.view(now)}
        {port}
        {user.view(now)}
        {password.view(now)}
    }
}

fn mail_fields(now: Locale, page: &MailServerPage, refusal: Option<&Refusal>) -> impl IntoView + use<> {
    let sender = Input {
        required: true,
        ..text(
            now,
            FormField::Sender,
            td_string!(now, mail_server.sender),
            td_string!(now, mail_server.sender_hint),
            &page.sender,
            refusal,
        )
    };
    let reply_to = text(
        now,
        FormField::ReplyTo,
        td_string!(now, mail_server.reply_to),
        td_string!(now, mail_server.reply_to_hint),
        &page.reply_to,
        refusal,
    );
    view! {
        {sender.view(now)}
        {reply_to.view(now)}
    }
}

fn encryption(now: Locale, typed: &Typed, refusal: Option<&Refusal>) -> impl IntoView + use<> {
    let name = |security| match security {
        MailSecurity::Tls => td_string!(now, mail_server.tls),
        MailSecurity::StartTls => td_string!(now, mail_server.starttls),
        MailSecurity::None => td_string!(now, mail_server.none),
    };
    let options = MailSecurity::ALL
        .map(|security| {
            let hint = match security {
                MailSecurity::Tls => td_string!(now, mail_server.tls_hint),
                MailSecurity::StartTls => td_string!(now, mail_server.starttls_hint),
                MailSecurity::None => td_string!(now, mail_server.none_hint),
            };
            let word = security.as_str();
            let picked = typed.value == word;
            radio(
                "security",
                word.to_owned(),
                name(security).to_owned(),
                Some(hint),
                picked,
            )
        })
        .into_iter()
        .collect_view();
    let saved = typed
        .meanwhile
        .clone()
        .map(|word| MailSecurity::from_word(&word).map_or(word, |security| name(security).to_owned()));
    let wrong = problem(now, FormField::MailSecurity, refusal);
    view! {
        <fieldset id="security" class="card" tabindex="-1">
            <legend>{td_string!(now, mail_server.security)}</legend>
            {wrong.map(|wrong| view! { <p class="problem">{wrong}</p> })}
            {options}
            {meanwhile(now, saved)}
        </fieldset>
    }
}

fn test_card(now: Locale, page: &MailServerPage) -> impl IntoView + use<> {
    let body = if page.version == 0 {
        view! { <p class="quiet">{td_string!(now, mail_server.test_none)}</p> }.into_any()
    } else {
        let last = page.last_test.clone().map(|at| {
            view! {
                <span>
                    <a href=paths::ADMIN_MAIL_TEST>{td_string!(now, mail_server.last_test)}</a>
                    " ("
                    {moment(at)}
                    ")"
                </span>
            }
        });
        view! {
            <p class="quiet">{td_string!(now, mail_server.test_intro, email = page.email.clone())}</p>
            <div class="buttons">{send_test(now)} {last}</div>
        }
        .into_any()
    };
    view! {
        <section class="card" aria-labelledby="test-title">
            <h2 id="test-title">{td_string!(now, mail_server.test_title)}</h2>
            {body}
        </section>
    }
}

fn send_test(now: Locale) -> impl IntoView {
    view! {
        <form method="post" action=paths::ADMIN_MAIL_TEST>
            <button class="button">{td_string!(now, mail_server.send_test)}</button>
        </form>
    }
}

/// `/admin/mail/test`
pub(super) fn test(frame: Frame, page: TestMailPage) -> impl IntoView {
    let now = frame.locale;
    let content = view! {
        <h1>{td_string!(now, mail_server.test_title)}</h1>
        {refused(now, page.refusal.as_ref(), true)}
        {page.test.map(|test| outcome(now, test))}
        <div class="buttons">
            {send_test(now)}
            <a class="button" href=paths::ADMIN_MAIL>
                {td_string!(now, mail_server.back)}
            </a>
        </div>
    };
    console(frame, paths::ADMIN_MAIL, None, content)
}

fn outcome(now: Locale, test: TestMail) -> impl IntoView {
    let TestMail {
        email,
        at,
        outcome,
        answer,
    } = test;
    let (class, sentence, why) = match outcome {
        TestOutcome::Waiting => (
            "notice",
            td_string!(now, mail_server.test_waiting, email = email),
            None,
        ),
        TestOutcome::Sent => (
            "notice good",
            td_string!(now, mail_server.test_sent, email = email),
            None,
        ),
        TestOutcome::Failed(word) => (
            "notice caution",
            td_string!(now, mail_server.test_failed, email = email),
            Some(reason(now, &word)),
        ),
    };
    let answer = answer.filter(|answer| !answer.is_empty());
    view! {
        <div class=class role="status">
            <p>{sentence}</p>
            {why.map(|why| view! { <p>{why}</p> })}
        </div>
        <dl class="facts">
            <div>
                <dt>{td_string!(now, mail_server.test_at)}</dt>
                <dd>{moment(at)}</dd>
            </div>
            {answer.map(|answer| fact(td_string!(now, mail_server.answer), answer))}
        </dl>
    }
}

/// What a word of the outbox means for whoever configures the server.
fn reason(now: Locale, word: &str) -> &'static str {
    match word {
        "refused" => td_string!(now, mail_server.why_refused),
        "unreachable" => td_string!(now, mail_server.why_unreachable),
        "timed_out" => td_string!(now, mail_server.why_timed_out),
        "tls" => td_string!(now, mail_server.why_tls),
        "forbidden" => td_string!(now, errors.private_host),
        "expired" | "tries_used_up" => td_string!(now, mail_server.why_late),
        "rejected_530" | "rejected_534" | "rejected_535" | "rejected_538" => {
            td_string!(now, mail_server.why_login)
        }
        word if word.starts_with("rejected_") => td_string!(now, mail_server.why_rejected),
        _ => td_string!(now, mail_server.why_other),
    }
}
