//! The document around every page: head, scripts where the page comes to life, body.

use leptos::prelude::*;
use vestibule_translations::{Locale, direction, refusal, tag, td_string};

use super::{
    agent, agents, audit, company, console, import, links, mail_server, mailbox, overview, profile, recovery,
    second_factor, security, site, sso, sso_settings,
};
use crate::{
    components::{
        PRODUCT,
        frame::{Shell, gate},
        notice::{LOCKED_TITLE, locked_panel},
    },
    islands::{CodeScreen, LoginScreen},
    page::{AgentAct, Assets, Body, Frame, ImportStage, Legal, Page},
};

/// The whole HTML document of a page.
pub fn document(page: Page) -> impl IntoView {
    let Page { frame, body } = page;
    let locale = frame.locale;
    let has_island = matches!(body, Body::Login(_) | Body::Code(_));
    let account_style = is_of_an_account(&body).then(|| frame.assets.account_style.clone());
    let console_style = is_of_the_console(&body).then(|| frame.assets.console_style.clone());
    let account_script = matches!(
        body,
        Body::Profile(_)
            | Body::NewBackupCodes(_)
            | Body::ChoosePassword(_)
            | Body::ForgotPassword(_)
            | Body::Bind(_)
            | Body::SsoSettings(_)
    )
    .then(|| frame.assets.account_script.clone());
    // A line, an import or a test mail that is under way shows how it goes on, without scripts.
    let moving = match &body {
        Body::Import(page) => page.stage == ImportStage::Running,
        Body::TestMail(page) => page.is_waiting(),
        Body::Waiting(_) => true,
        _ => false,
    };
    // A redirect after a form may lead to this site only; and coming back, only a page of this site brings all cookies.
    let onward = match &body {
        Body::Onward(page) => Some(["0;url=", &page.to].concat()),
        _ => None,
    };
    let facts = facts(&frame, &body);
    let title = [title(locale, &body), " · ", PRODUCT].concat();
    let head = view! {
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        {moving.then(|| view! { <meta http-equiv="refresh" content="2" /> })}
        {onward.map(|to| view! { <meta http-equiv="refresh" content=to /> })}
        <title inner_html=escape(&title)></title>
        <link rel="stylesheet" href=frame.assets.style.clone() />
        <link rel="icon" type="image/svg+xml" href=frame.assets.icon.clone() />
        {account_style.map(|style| view! { <link rel="stylesheet" href=style /> })}
        {console_style.map(|style| view! { <link rel="stylesheet" href=style /> })}
        {has_island.then(|| scripts(frame.assets.clone(), frame.nonce.clone()))}
        {account_script
            .map(|script| view! { <script type="module" src=script nonce=frame.nonce.clone()></script> })}
    };
    view! {
        <!DOCTYPE html>
        <html lang=tag(locale) dir=direction(locale)>
            <head>{head}</head>
            <body data-facts=facts>{self::body(frame, body)}</body>
        </html>
    }
}

/// Whether a page needs the sheet of Profile and Security Settings.
const fn is_of_an_account(body: &Body) -> bool {
    matches!(
        body,
        Body::Profile(_)
            | Body::Confirm(_)
            | Body::Security(_)
            | Body::SetUp(_)
            | Body::EmailSetUp(_)
            | Body::AppSetUp(_)
            | Body::AppCode(_)
            | Body::BackupCodes(_)
            | Body::NewBackupCodes(_)
            | Body::Company(_)
            | Body::Policies(_)
            | Body::MailServer(_)
            | Body::SsoSettings(_)
            | Body::TestMail(_)
            | Body::Audit(_)
            | Body::Upload(_)
            | Body::Import(_)
            | Body::Onward(_)
            | Body::Bind(_)
            | Body::SsoCompany(_)
            | Body::ChooseCompany(_)
            | Body::ForgotPassword(_)
            | Body::ChoosePassword(_)
            | Body::EmailLink(_)
    ) || is_of_agents(body)
}

/// Whether a page is about agents.
const fn is_of_agents(body: &Body) -> bool {
    matches!(
        body,
        Body::Agents(_) | Body::AgentForm(_) | Body::AgentView(_) | Body::AgentAct(_) | Body::IssuedCode(_)
    )
}

/// Whether a page belongs to the console, which has a sheet of its own.
const fn is_of_the_console(body: &Body) -> bool {
    matches!(
        body,
        Body::Admin(_)
            | Body::Company(_)
            | Body::Policies(_)
            | Body::MailServer(_)
            | Body::SsoSettings(_)
            | Body::TestMail(_)
            | Body::Audit(_)
            | Body::Upload(_)
            | Body::Import(_)
    ) || is_of_agents(body)
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
        Body::Agent(page) => console::agent(frame, page).into_any(),
        Body::Admin(page) => overview::overview(frame, &page).into_any(),
        Body::Company(page) => company::general(frame, page).into_any(),
        Body::Policies(page) => company::policies(frame, page).into_any(),
        Body::SsoSettings(page) => sso_settings::settings(frame, &page).into_any(),
        Body::MailServer(page) => mail_server::settings(frame, &page).into_any(),
        Body::TestMail(page) => mail_server::test(frame, page).into_any(),
        Body::Audit(page) => audit::audit(frame, page).into_any(),
        Body::Upload(page) => import::upload(frame, page).into_any(),
        Body::Import(page) => import::import(frame, page).into_any(),
        Body::Agents(page) => agents::list(frame, &page).into_any(),
        Body::AgentForm(page) => agent::form(frame, page).into_any(),
        Body::AgentView(page) => agent::look(frame, page).into_any(),
        Body::AgentAct(page) => agent::act(frame, page).into_any(),
        Body::IssuedCode(page) => agent::issued(frame, page).into_any(),
        Body::Onward(page) => sso::onward(frame, page).into_any(),
        Body::Bind(page) => sso::bind(frame, page).into_any(),
        Body::SsoCompany(page) => sso::company(frame, page).into_any(),
        Body::ChooseCompany(page) => sso::choose(frame, page).into_any(),
        Body::ForgotPassword(page) => recovery::forgot_password(frame, page).into_any(),
        Body::ChoosePassword(page) => links::choose_password(frame, &page).into_any(),
        Body::EmailLink(page) => links::email(frame, page).into_any(),
        Body::Profile(page) => profile::profile(frame, page).into_any(),
        Body::Confirm(page) => profile::confirm(frame, page).into_any(),
        Body::Security(page) => security::settings(frame, page).into_any(),
        Body::SetUp(page) => second_factor::set_up(frame, &page).into_any(),
        Body::EmailSetUp(page) => second_factor::email(frame, page).into_any(),
        Body::AppSetUp(page) => second_factor::app(frame, page).into_any(),
        Body::AppCode(page) => second_factor::app_code(frame, page).into_any(),
        Body::BackupCodes(page) => security::backup_codes(frame, page).into_any(),
        Body::NewBackupCodes(page) => security::new_backup_codes(frame, page).into_any(),
        Body::Legal(page) => site::legal(frame, page).into_any(),
        Body::Mailbox(rows) => mailbox::list(frame, rows).into_any(),
        Body::MailboxMessage(message) => mailbox::message(frame, message).into_any(),
        Body::Waiting(number) => site::waiting(frame, number).into_any(),
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

pub(super) fn shell(frame: Frame) -> Shell {
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
        Body::Waiting(_) => td_string!(locale, sign_in.waiting_title),
        Body::Agent(_) => td_string!(locale, console.agent_title),
        Body::Admin(_) => td_string!(locale, console.admin_title),
        Body::Company(_) => td_string!(locale, company.general_title),
        Body::Policies(_) => td_string!(locale, company.security_title),
        Body::SsoSettings(_) => td_string!(locale, console.sso),
        Body::MailServer(_) => td_string!(locale, console.mail),
        Body::TestMail(_) => td_string!(locale, mail_server.test_title),
        Body::Audit(_) => td_string!(locale, company.audit_title),
        Body::Upload(_) | Body::Import(_) => td_string!(locale, company.import_title),
        Body::Agents(_) | Body::AgentView(_) => td_string!(locale, agents.title),
        Body::AgentForm(page) if page.id.is_none() => td_string!(locale, agents.add_title),
        Body::AgentForm(_) => td_string!(locale, agents.edit_title),
        Body::AgentAct(page) => match page.act {
            AgentAct::Delete => td_string!(locale, agents.delete),
            AgentAct::ResetPassword => td_string!(locale, agents.reset_password),
            AgentAct::BackupCode => td_string!(locale, agents.backup_code),
            AgentAct::Unlock => td_string!(locale, agents.unlock),
            AgentAct::EndSessions => td_string!(locale, agents.end_sessions),
            AgentAct::SendDetails => td_string!(locale, agents.send_again),
        },
        Body::IssuedCode(_) => td_string!(locale, agents.backup_code),
        Body::Onward(_) => td_string!(locale, sso.leaving_title),
        Body::Bind(_) => td_string!(locale, sso.bind_title),
        Body::SsoCompany(_) | Body::ChooseCompany(_) => td_string!(locale, sso.choose_title),
        Body::ForgotPassword(_) => td_string!(locale, sign_in.forgot),
        Body::ChoosePassword(_) => td_string!(locale, agents.choose_title),
        Body::EmailLink(page) if page.stops => td_string!(locale, agents.stop_title),
        Body::EmailLink(_) => td_string!(locale, agents.confirm_title),
        Body::Profile(_) => td_string!(locale, profile.title),
        Body::Confirm(_) => td_string!(locale, profile.confirm_title),
        Body::Security(_) => td_string!(locale, profile.security_title),
        Body::SetUp(_) => td_string!(locale, profile.required_title),
        Body::EmailSetUp(_) => td_string!(locale, profile.email_title),
        Body::AppSetUp(_) | Body::AppCode(_) => td_string!(locale, profile.app_title),
        Body::BackupCodes(_) | Body::NewBackupCodes(_) => td_string!(locale, profile.backup_title),
        Body::Legal(page) => match page.kind {
            Legal::Terms => td_string!(locale, common.terms),
            Legal::Privacy => td_string!(locale, common.privacy),
        },
        Body::Mailbox(_) | Body::MailboxMessage(_) => td_string!(locale, mailbox.title),
        Body::Problem(refusal) => refusal::title(locale, refusal),
    }
}

/// Text for the inside of an element whose children the library does not escape.
pub(super) fn escape(text: &str) -> String {
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
