//! Issuing a backup code for an agent.

use axum::response::Response;
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    call::{Call, agent_page},
    components::forms::Input,
    functions::Done,
    page::{Content, Frame, Head, Sheet},
    shell::console::console,
};
use vestibule_core::{
    limits::{ISSUED_CODE_SECONDS, REASON_MAX},
    paths::AGENTS,
    refusal::{Field, Refusal},
    rights::Action,
};
use vestibule_service::console::AgentDetails;
use vestibule_translations::{Locale, td_string, wait};

use super::{Act, act_form, address, again};
use crate::{
    form::{Filled, Form, redirect_or_refuse},
    http::{answer::show_form, facts::Facts},
    state::AppState,
};

/// How long an issued code can be used.
fn life(now: Locale) -> String {
    wait(now, u32::try_from(ISSUED_CODE_SECONDS).unwrap_or_default())
}

/// Issues a backup code, which is shown this once.
#[derive(Clone, Deserialize)]
pub struct IssueBackupCode {
    id: String,
    /// Why.
    reason: String,
}

impl Form for IssueBackupCode {
    const PATH: &'static str = "/admin/agents/backup-code";
    const ACTION: Action = Action::IssueBackupCode;
    const OPENED: Option<&'static str> = Some(AGENTS);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        let code = call
            .service
            .console()
            .issue_backup_code_for(&self.id, &self.reason, &call.visitor)
            .await?;
        Ok(Done {
            backup_codes: Some(vec![code.reveal()]),
            ..Done::to(agent_page(&self.id, "view").to)
        })
    }

    fn page(&self) -> String {
        address::<Self>(&self.id)
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        again::<Self>(state, facts, &self.id, &Filled::again(self, refusal)).await
    }

    async fn done(&self, state: &AppState, facts: &Facts, done: Done) -> Response {
        let found = state
            .service
            .console()
            .agent(Self::ACTION, &self.id, &facts.visitor)
            .await;
        match found {
            Ok(found) => {
                let page = IssuedPage {
                    code: done.backup_codes.into_iter().flatten().next().unwrap_or_default(),
                    alias: found.target.person.alias.clone(),
                    to: done.to.clone(),
                };
                show_form(
                    facts.page_at(state, &found.company, &found.own, done.to, page),
                    None,
                )
            }
            Err(refusal) => redirect_or_refuse(&refusal, AGENTS),
        }
    }
}

impl Act for IssueBackupCode {
    const WORD: &'static str = "backup-code";

    fn title(now: Locale) -> &'static str {
        td_string!(now, agents.backup_code)
    }

    fn forms(now: Locale, found: &AgentDetails, filled: &Filled<'_, Self>) -> AnyView {
        let reason = Input {
            field: Field::Reason,
            label: td_string!(now, agents.reason),
            autocomplete: "off",
            value: filled.text(|form| &form.reason, "").value,
            required: true,
            hint: Some(td_string!(now, agents.reason_hint, count = REASON_MAX)),
            refusal: filled.refusal,
        };
        act_form::<Self>(
            now,
            found,
            td_string!(now, agents.backup_code_text, time = life(now)),
            td_string!(now, agents.issue),
            reason.view(now),
        )
        .into_any()
    }
}

/// The backup code that was just issued. It is shown this once, so it has no `Debug`.
struct IssuedPage {
    /// The code, as it is typed.
    code: String,
    /// What colleagues see of the agent.
    alias: String,
    /// Where `Done` leads.
    to: String,
}

impl Content for IssuedPage {
    fn head(&self, now: Locale) -> Head {
        Head::new(
            td_string!(now, agents.backup_code),
            &[Sheet::Account, Sheet::Console],
        )
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let content = view! {
            <h1>{td_string!(now, agents.backup_code)}</h1>
            <p class="lead">{td_string!(now, agents.issued_text, name = self.alias, time = life(now))}</p>
            <p class="issued-code">
                <code dir="ltr">{self.code}</code>
            </p>
            <p class="notice caution">{td_string!(now, agents.issued_once)}</p>
            <p class="card-end">
                <a class="button primary" href=self.to>
                    {td_string!(now, agents.done)}
                </a>
            </p>
        };
        console(frame, AGENTS, None, content)
    }
}
