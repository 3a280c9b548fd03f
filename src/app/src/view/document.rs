//! The document around every page: head, scripts where an island needs them, body.

use leptos::prelude::*;
use vestibule_translations::{Locale, direction, refusal, tag, td_string};

use super::{console, mailbox, site};
use crate::{
    components::{
        PRODUCT,
        frame::{Shell, gate},
        notice::{LOCKED_TITLE, locked_panel},
    },
    islands::{CodeScreen, LoginScreen},
    page::{Assets, Body, Frame, Legal, Page},
};

/// The whole HTML document of a page.
pub fn document(page: Page) -> impl IntoView {
    let Page { frame, body } = page;
    let locale = frame.locale;
    let has_island = matches!(body, Body::Login(_) | Body::Code(_));
    let facts = facts(&frame, &body);
    let title = [title(locale, &body), " · ", PRODUCT].concat();
    let head = view! {
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title inner_html=escape(&title)></title>
        <link rel="stylesheet" href=frame.assets.style.clone() />
        <link rel="icon" type="image/svg+xml" href=frame.assets.icon.clone() />
        {has_island.then(|| scripts(frame.assets.clone(), frame.nonce.clone()))}
    };
    view! {
        <!DOCTYPE html>
        <html lang=tag(locale) dir=direction(locale)>
            <head>{head}</head>
            <body data-facts=facts>{self::body(frame, body)}</body>
        </html>
    }
}

/// The script that brings the islands to life, and what it will load.
fn scripts(assets: Assets, nonce: String) -> impl IntoView {
    let Assets {
        script,
        bindings,
        wasm,
        ..
    } = assets;
    view! {
        <link rel="modulepreload" href=bindings.clone() nonce=nonce.clone() />
        <link rel="preload" href=wasm.clone() r#as="fetch" r#type="application/wasm" crossorigin="anonymous" />
        <script type="module" src=script nonce=nonce data-bindings=bindings data-wasm=wasm></script>
    }
}

fn body(frame: Frame, body: Body) -> AnyView {
    match body {
        Body::Login(page) => {
            provide_context((shell(frame), page));
            view! { <LoginScreen /> }.into_any()
        }
        Body::Code(page) => {
            provide_context((shell(frame), page));
            view! { <CodeScreen /> }.into_any()
        }
        Body::Locked => {
            let locale = RwSignal::new(frame.locale);
            gate(shell(frame), locale, || LOCKED_TITLE, locked_panel(locale)).into_any()
        }
        Body::Agent => console::agent(frame).into_any(),
        Body::Admin => console::admin(frame).into_any(),
        Body::Legal(page) => site::legal(frame, page).into_any(),
        Body::Mailbox(rows) => mailbox::list(frame, rows).into_any(),
        Body::MailboxMessage(message) => mailbox::message(frame, message).into_any(),
        Body::Problem(refusal) => site::problem(frame, &refusal).into_any(),
    }
}

/// What the island of this page reads when it comes to life.
fn facts(frame: &Frame, body: &Body) -> Option<String> {
    match body {
        Body::Login(page) => serde_json::to_string(&(shell(frame.clone()), page)).ok(),
        Body::Code(page) => serde_json::to_string(&(shell(frame.clone()), page)).ok(),
        _ => None,
    }
}

fn shell(frame: Frame) -> Shell {
    Shell {
        language: tag(frame.locale).to_owned(),
        path: frame.path,
        links: frame.links,
        logo: frame.assets.logo,
    }
}

fn title(locale: Locale, body: &Body) -> &'static str {
    match body {
        Body::Login(_) => td_string!(locale, sign_in.title),
        Body::Code(_) => td_string!(locale, sign_in.code_title),
        Body::Locked => td_string!(locale, sign_in.locked_title),
        Body::Agent => td_string!(locale, console.agent_title),
        Body::Admin => td_string!(locale, console.admin_title),
        Body::Legal(page) => match page.kind {
            Legal::Terms => td_string!(locale, common.terms),
            Legal::Privacy => td_string!(locale, common.privacy),
        },
        Body::Mailbox(_) | Body::MailboxMessage(_) => td_string!(locale, mailbox.title),
        Body::Problem(refusal) => refusal::title(locale, refusal),
    }
}

/// Text for the inside of an element whose children the library does not escape.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn a_title_cannot_end_itself() {
        assert_eq!(escape("</title><script>&"), "&lt;/title&gt;&lt;script&gt;&amp;");
    }
}
