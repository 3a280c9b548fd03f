//! Custom SMTP Server, and how its test mail is doing.

use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use vestibule_app::{
    page::{Body, MailServerPage, TestMail, TestMailPage, TestOutcome},
    view::{INSTALLATION, OWN},
};
use vestibule_core::{
    mail_server::MailSecurity, paths, refusal::Refusal, rights::Action, signed_in::FormRefusal,
};
use vestibule_service::console;

use super::{company::Form, mark, show, turned_away};
use crate::{
    http::{facts::Facts, form_guard::FormFields, moments::Moments},
    state::AppState,
};

/// `/admin/mail`
pub async fn settings(State(state): State<AppState>, request: Request) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    // Whoever fills the form in should not be asked for a proof of identity only afterwards.
    match state
        .service
        .console(Action::ChangeMailServer, &facts.visitor)
        .await
    {
        Ok(_) => show_settings(&state, &facts, None, None).await,
        Err(refusal) => turned_away(&refusal, paths::ADMIN_MAIL),
    }
}

/// The page with everything typed but the password: after it was refused, or in another language.
pub async fn again(
    state: &AppState,
    facts: &Facts,
    fields: &FormFields,
    refusal: Option<&Refusal>,
) -> Response {
    if let Some(refusal @ (Refusal::NotSignedIn | Refusal::Forbidden | Refusal::Malformed)) = refusal {
        return turned_away(refusal, paths::ADMIN_MAIL);
    }
    show_settings(state, facts, Some(fields), refusal).await
}

async fn show_settings(
    state: &AppState,
    facts: &Facts,
    fields: Option<&FormFields>,
    refusal: Option<&Refusal>,
) -> Response {
    let console::MailServerPage {
        company,
        own,
        server,
        test,
    } = match state.service.mail_server(&facts.visitor).await {
        Ok(page) => page,
        Err(reason) => return turned_away(&reason, paths::ADMIN_MAIL),
    };
    let form = Form { fields, refusal };
    let saved = server.as_ref();
    let text = |name, value: Option<&str>| form.typed(name, value.unwrap_or_default());
    let port = saved.map_or(MailSecurity::default().usual_port(), |row| row.port);
    let security = saved.map_or(MailSecurity::default(), |row| row.security);
    let body = MailServerPage {
        version: form.version(saved.map_or(0, |row| row.version)),
        way: form.typed("way", if saved.is_some() { OWN } else { INSTALLATION }),
        host: text("host", saved.map(|row| row.host.as_str())),
        port: form.typed("port", &port.to_string()),
        security: form.typed("security", security.as_str()),
        user: text("user", saved.and_then(|row| row.user.as_deref())),
        has_password: saved.is_some_and(|row| row.sealed_password.is_some()),
        sender: text("sender", saved.map(|row| row.sender.as_str())),
        reply_to: text("reply_to", saved.and_then(|row| row.reply_to.as_deref())),
        fall_back: match fields {
            Some(fields) => fields.get("fall_back").is_some(),
            None => saved.is_some_and(|row| row.fall_back),
        },
        email: own.email.clone(),
        last_test: test.map(|test| Moments::of(&company, &own).write(test.created_at)),
        saved: fields.is_none() && facts.asks("saved"),
        refusal: refusal.cloned(),
    };
    let mut page = facts.page_for(state, &company, &own, Body::MailServer(body));
    paths::ADMIN_MAIL.clone_into(&mut page.frame.path);
    let mut response = show(StatusCode::OK, page);
    if let Some(refusal) = refusal {
        mark(&mut response, refusal);
    }
    response
}

/// `/admin/mail/test`
pub async fn test(State(state): State<AppState>, request: Request) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    show_test(&state, &facts, None).await
}

/// The page again after another test mail was refused.
pub async fn test_refused(state: &AppState, facts: &Facts, refusal: &Refusal) -> Response {
    match refusal {
        Refusal::Form(FormRefusal::MailLimit | FormRefusal::NoMailServer) => {
            show_test(state, facts, Some(refusal)).await
        }
        other => turned_away(other, paths::ADMIN_MAIL),
    }
}

async fn show_test(state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
    let console::MailServerPage {
        company, own, test, ..
    } = match state.service.mail_server(&facts.visitor).await {
        Ok(page) => page,
        Err(reason) => return turned_away(&reason, paths::ADMIN_MAIL_TEST),
    };
    let moments = Moments::of(&company, &own);
    let test = test.map(|test| TestMail {
        outcome: match (test.sent_at, test.given_up_at) {
            (Some(_), _) => TestOutcome::Sent,
            (None, Some(_)) => TestOutcome::Failed(test.problem.unwrap_or_default()),
            (None, None) => TestOutcome::Waiting,
        },
        email: test.receiver,
        at: moments.write(test.created_at),
        answer: test.answer,
    });
    let body = TestMailPage {
        test,
        refusal: refusal.cloned(),
    };
    let mut page = facts.page_for(state, &company, &own, Body::TestMail(body));
    paths::ADMIN_MAIL_TEST.clone_into(&mut page.frame.path);
    let mut response = show(StatusCode::OK, page);
    if let Some(refusal) = refusal {
        mark(&mut response, refusal);
    }
    response
}
