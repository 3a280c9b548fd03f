//! The local mailbox: mails of a Vestibule without a mail server, shown as a mail client would. Only for visitors on
//! this machine, and never when a mail server is configured.

use axum::{
    extract::{Path, Request, State, rejection::PathRejection},
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use uuid::Uuid;
use vestibule_app::page::{Body, MailboxMessage, MailboxRow};
use vestibule_core::{id::MailId, paths, refusal::Refusal};
use vestibule_mail::StoredMail;

use super::{
    client_address::ClientAddress, denied::Denied, facts::Facts, headers::ContentPolicy, pages::show,
};
use crate::state::AppState;

/// `/mailbox`
///
/// # Errors
/// [`Refusal::NotFound`] for visitors from elsewhere and when mails leave the machine.
pub async fn list(State(state): State<AppState>, request: Request) -> Result<Response, Denied> {
    let mailbox = mailbox(&state, &request)?;
    let rows = mailbox
        .mails(None)
        .into_iter()
        .map(|mail| MailboxRow {
            href: address(&mail),
            to: mail.to,
            subject: mail.subject,
            at: mail.at.to_rfc3339(),
        })
        .collect();
    let facts = Facts::of(&state, &request.into_parts().0);
    Ok(show(StatusCode::OK, facts.page(&state, Body::Mailbox(rows))))
}

/// `/mailbox/{id}`
///
/// # Errors
/// [`Refusal::NotFound`] for visitors from elsewhere and when mails leave the machine.
pub async fn message(
    State(state): State<AppState>,
    id: Result<Path<Uuid>, PathRejection>,
    request: Request,
) -> Result<Response, Denied> {
    let mail = find(&state, id, &request)?;
    let message = MailboxMessage {
        html_href: format!("{}/html", address(&mail)),
        to: mail.to,
        from: mail.from,
        subject: mail.subject,
        at: mail.at.to_rfc3339(),
        text: mail.text,
    };
    let facts = Facts::of(&state, &request.into_parts().0);
    let mut response = show(StatusCode::OK, facts.page(&state, Body::MailboxMessage(message)));
    response.extensions_mut().insert(ContentPolicy::PageWithFrame);
    Ok(response)
}

/// `/mailbox/{id}/html`: the HTML part alone, shut away in a sandbox.
///
/// # Errors
/// [`Refusal::NotFound`] for visitors from elsewhere and when mails leave the machine.
pub async fn html(
    State(state): State<AppState>,
    id: Result<Path<Uuid>, PathRejection>,
    request: Request,
) -> Result<Response, Denied> {
    let mail = find(&state, id, &request)?;
    let mut response = Html(mail.html).into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    response.extensions_mut().insert(ContentPolicy::MailPart);
    Ok(response)
}

fn address(mail: &StoredMail) -> String {
    format!("{}/{}", paths::MAILBOX, mail.id)
}

fn mailbox<'a>(state: &'a AppState, request: &Request) -> Result<&'a vestibule_mail::Mailbox, Denied> {
    let here = request
        .extensions()
        .get::<ClientAddress>()
        .is_some_and(|address| address.0.is_loopback());
    Ok(state.mailbox.as_ref().filter(|_| here).ok_or(Refusal::NotFound)?)
}

fn find(
    state: &AppState,
    id: Result<Path<Uuid>, PathRejection>,
    request: &Request,
) -> Result<StoredMail, Denied> {
    let Path(id) = id.map_err(|_| Refusal::NotFound)?;
    Ok(mailbox(state, request)?
        .mail(MailId(id))
        .ok_or(Refusal::NotFound)?)
}
