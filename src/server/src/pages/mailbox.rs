//! `/mailbox`: mails of a Vestibule without a mail server, shown as a mail client would. Only for visitors on this machine,
//! and never when a mail server is configured.

use axum::{
    Extension,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use chrono::{SecondsFormat, TimeDelta};
use leptos::prelude::*;
use uuid::Uuid;
use vestibule_app::{
    page::{Content, Frame, Head, Refresh},
    shell::site::site,
};
use vestibule_core::{id::MailId, paths::MAILBOX, ports::Moment, refusal::Refusal, rights::Action};
use vestibule_mail::{Mailbox, StoredMail};
use vestibule_translations::{Locale, sentences, td_string};

use crate::{
    form::Routes,
    http::{
        answer::show, client_address::ClientAddress, denied::Denied, facts::Facts, headers::ContentPolicy,
    },
    state::AppState,
};

/// The local mailbox.
pub fn routes(routes: Routes) -> Routes {
    routes
        .page(MAILBOX, Action::ComeIn, list)
        .page("/mailbox/{id}", Action::ComeIn, message)
        .page("/mailbox/{id}/html", Action::ComeIn, html)
}

async fn list(
    State(state): State<AppState>,
    Extension(from): Extension<ClientAddress>,
    facts: Facts,
) -> Result<Response, Denied> {
    let page = ListPage {
        mails: mailbox(&state, from)?.mails(None),
        now: state.service.clock().now(),
    };
    Ok(show(StatusCode::OK, facts.page(&state, page)))
}

async fn message(
    State(state): State<AppState>,
    Extension(from): Extension<ClientAddress>,
    id: Result<Path<Uuid>, PathRejection>,
    facts: Facts,
) -> Result<Response, Denied> {
    let mail = find(&state, from, id)?;
    let mut response = show(StatusCode::OK, facts.page(&state, MessagePage(mail)));
    response.extensions_mut().insert(ContentPolicy::PageWithFrame);
    Ok(response)
}

/// `/mailbox/{id}/html`: the HTML part alone, shut away in a sandbox.
async fn html(
    State(state): State<AppState>,
    Extension(from): Extension<ClientAddress>,
    id: Result<Path<Uuid>, PathRejection>,
) -> Result<Response, Denied> {
    let mail = find(&state, from, id)?;
    let mut response = Html(mail.html).into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    response.extensions_mut().insert(ContentPolicy::MailPart);
    Ok(response)
}

fn mailbox(state: &AppState, from: ClientAddress) -> Result<&Mailbox, Denied> {
    let here = from.0.is_loopback();
    Ok(state.mailbox.as_ref().filter(|_| here).ok_or(Refusal::NotFound)?)
}

fn find(
    state: &AppState,
    from: ClientAddress,
    id: Result<Path<Uuid>, PathRejection>,
) -> Result<StoredMail, Denied> {
    let Path(id) = id.map_err(|_| Refusal::NotFound)?;
    Ok(mailbox(state, from)?.mail(MailId(id)).ok_or(Refusal::NotFound)?)
}

fn address(mail: &StoredMail) -> String {
    format!("{MAILBOX}/{}", mail.id)
}

/// How long a mail is one that just came.
const NEW_FOR: TimeDelta = TimeDelta::seconds(30);

struct ListPage {
    mails: Vec<StoredMail>,
    now: Moment,
}

impl Content for ListPage {
    fn head(&self, now: Locale) -> Head {
        Head::new(td_string!(now, mailbox.title), &[]).refreshed(Some(Refresh::Often))
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let mails = if self.mails.is_empty() {
            view! { <p class="empty">{td_string!(now, mailbox.empty)}</p> }.into_any()
        } else {
            let rows = self
                .mails
                .into_iter()
                .map(|mail| {
                    let href = address(&mail);
                    let came = (self.now - mail.at < NEW_FOR)
                        .then(|| view! { <b class="new">{td_string!(now, mailbox.just_came)}</b> });
                    view! {
                        <tr>
                            <td>{came} <a href=href><bdi>{mail.subject}</bdi></a></td>
                            <td><bdi>{mail.to}</bdi></td>
                            <td>{moment(mail.at)}</td>
                        </tr>
                    }
                })
                .collect_view();
            view! {
                <table class="mails">
                    <thead>
                        <tr>
                            <th scope="col">{td_string!(now, mailbox.subject)}</th>
                            <th scope="col">{td_string!(now, mailbox.to)}</th>
                            <th scope="col">{td_string!(now, mailbox.received)}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            }
            .into_any()
        };
        let content = view! {
            <main id="content" class="mailbox" tabindex="-1">
                <div class="title-row">
                    <h1>{td_string!(now, mailbox.title)}</h1>
                    <a class="button" href=MAILBOX>
                        {td_string!(now, mailbox.refresh)}
                    </a>
                </div>
                <p class="lead">
                    {sentences(now, &[td_string!(now, mailbox.intro), td_string!(now, mailbox.refreshes)])}
                </p>
                {mails}
            </main>
        };
        site(frame, content)
    }
}

struct MessagePage(StoredMail);

impl Content for MessagePage {
    fn head(&self, now: Locale) -> Head {
        Head::new(td_string!(now, mailbox.title), &[])
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let html = [&address(&self.0), "/html"].concat();
        let StoredMail {
            to,
            from,
            subject,
            at,
            text,
            ..
        } = self.0;
        let content = view! {
            <main id="content" class="mailbox" tabindex="-1">
                <p class="back">
                    <a href=MAILBOX>{td_string!(now, mailbox.back)}</a>
                </p>
                <article class="mail">
                    <header>
                        <h1><bdi>{subject.clone()}</bdi></h1>
                        <dl class="facts">
                            {line(td_string!(now, mailbox.from), from)}
                            {line(td_string!(now, mailbox.to), to)}
                            <div>
                                <dt>{td_string!(now, mailbox.received)}</dt>
                                <dd>{moment(at)}</dd>
                            </div>
                        </dl>
                    </header>
                    // Scripts, forms and plug-ins of a mail stay off; its links open outside the frame.
                    <iframe
                        title=subject
                        src=html
                        sandbox="allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
                    ></iframe>
                    <details>
                        <summary>{td_string!(now, mailbox.text_version)}</summary>
                        <pre dir="auto">{text}</pre>
                    </details>
                </article>
            </main>
        };
        site(frame, content)
    }
}

fn line(name: &'static str, value: String) -> AnyView {
    view! {
        <div>
            <dt>{name}</dt>
            <dd><bdi>{value}</bdi></dd>
        </div>
    }
    .into_any()
}

/// To the second, in UTC: the mailbox belongs to no company.
fn moment(at: Moment) -> AnyView {
    view! {
        <time datetime=at.to_rfc3339_opts(SecondsFormat::Secs, true)>
            <bdi>{at.format("%Y-%m-%d %H:%M:%S UTC").to_string()}</bdi>
        </time>
    }
    .into_any()
}
