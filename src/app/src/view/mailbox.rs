//! The demo's local mailbox, as a mail client would show it.

use leptos::prelude::*;
use vestibule_core::paths;
use vestibule_translations::td_string;

use super::site::site;
use crate::page::{Frame, MailboxMessage, MailboxRow};

/// `/mailbox`
pub(super) fn list(frame: Frame, rows: Vec<MailboxRow>) -> impl IntoView {
    let now = frame.locale;
    let mails = if rows.is_empty() {
        view! { <p class="empty">{td_string!(now, mailbox.empty)}</p> }.into_any()
    } else {
        let rows = rows
            .into_iter()
            .map(
                |MailboxRow {
                     href,
                     to,
                     subject,
                     at,
                 }| {
                    view! {
                        <tr>
                            <td><a href=href><bdi>{subject}</bdi></a></td>
                            <td><bdi>{to}</bdi></td>
                            <td>{moment(at)}</td>
                        </tr>
                    }
                },
            )
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
                <a class="button" href=paths::MAILBOX>
                    {td_string!(now, mailbox.refresh)}
                </a>
            </div>
            <p class="lead">{td_string!(now, mailbox.intro)}</p>
            {mails}
        </main>
    };
    site(frame, content)
}

/// `/mailbox/{id}`
pub(super) fn message(frame: Frame, mail: MailboxMessage) -> impl IntoView {
    let now = frame.locale;
    let MailboxMessage {
        to,
        from,
        subject,
        at,
        text,
        html_href,
    } = mail;
    let content = view! {
        <main id="content" class="mailbox" tabindex="-1">
            <p class="back">
                <a href=paths::MAILBOX>{td_string!(now, mailbox.back)}</a>
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
                    src=html_href
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

fn line(name: &'static str, value: String) -> impl IntoView {
    view! {
        <div>
            <dt>{name}</dt>
            <dd><bdi>{value}</bdi></dd>
        </div>
    }
}

/// An RFC 3339 moment in UTC, shown without its technical letters.
fn moment(at: String) -> impl IntoView {
    let shown = readable(&at);
    view! { <time datetime=at><bdi>{shown}</bdi></time> }
}

fn readable(at: &str) -> String {
    match (at.get(..10), at.get(11..19)) {
        (Some(day), Some(time)) => [day, " ", time, " UTC"].concat(),
        _ => at.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn a_moment_is_shown_to_the_second() {
        assert_eq!(readable("2026-01-05T09:00:07Z"), "2026-01-05 09:00:07 UTC");
        assert_eq!(
            readable("2026-01-05T09:00:07.123456+00:00"),
            "2026-01-05 09:00:07 UTC"
        );
        assert_eq!(readable("soon"), "soon");
    }
}
