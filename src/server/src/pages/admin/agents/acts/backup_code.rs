//! Issuing a backup code for an agent.

use axum::{http::StatusCode, response::Response};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    call::{Call, agent_page},
    components::forms::{Input, copy_button},
    functions::Done,
    page::{Content, Frame, Head, Sheet},
    shell::console::console,
};
use vestibule_core::{
    limits::{CODES_SHOWN_SECONDS, ISSUED_CODE_SECONDS, REASON_MAX},
    paths::AGENTS,
    refusal::{Field, Refusal},
    rights::Action,
};
use vestibule_service::console::AgentDetails;
use vestibule_translations::{Locale, td_string, wait};
use zeroize::Zeroizing;

use super::{Act, act_form, address, again};
use crate::{
    form::{Filled, Form, confirm_for, redirect_or_refuse, refused_or},
    http::{
        answer::{see_other, show},
        facts::Facts,
    },
    state::AppState,
};

/// How long an issued code can be used.
fn life(now: Locale) -> String {
    wait(now, u32::try_from(ISSUED_CODE_SECONDS).unwrap_or_default())
}

/// The last part of the address at which a code is shown that was issued.
pub const ISSUED: &str = "issued-code";

/// The code that was just issued, for a while and for whoever has proved who they are: opening its page once more issues
/// none.
pub async fn issued(state: &AppState, facts: &Facts, id: &str) -> Response {
    let console = state.service.console();
    let code = match console.issued_code(id, &facts.visitor).await {
        Ok(Some(code)) => code,
        Ok(None) => return see_other(&agent_page(id, "view").to),
        Err(Refusal::StepUpNeeded) => return see_other(&confirm_for(&facts.path)),
        Err(refusal) => return redirect_or_refuse(&refusal, &facts.path),
    };
    match console.agent(Action::SeeAgents, id, &facts.visitor).await {
        Ok(found) => {
            let page = IssuedPage {
                code,
                alias: found.target.person.alias.clone(),
                id: found.target.id.to_string(),
            };
            show(
                StatusCode::OK,
                facts.page_for(state, &found.company, &found.own, page),
            )
        }
        Err(refusal) => redirect_or_refuse(&refusal, &facts.path),
    }
}

/// Issues a backup code, which the next page shows.
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
            ..Done::to(agent_page(&self.id, ISSUED).to)
        })
    }

    fn page(&self) -> String {
        address::<Self>(&self.id)
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        again::<Self>(state, facts, &self.id, &Filled::again(self, refusal)).await
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

/// Says that the code was handed on: its page shows it no more.
#[derive(Clone, Deserialize)]
pub struct CodeHandedOn {
    id: String,
}

impl Form for CodeHandedOn {
    const PATH: &'static str = "/admin/agents/issued-code";
    const ACTION: Action = Action::SeeAgents;
    const OPENED: Option<&'static str> = Some(AGENTS);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service
            .console()
            .forget_issued_code(&self.id, &call.visitor)
            .await?;
        Ok(Done::to(self.page()))
    }

    fn page(&self) -> String {
        agent_page(&self.id, "view").to
    }

    async fn redisplay(&self, _: &AppState, _: &Facts, refusal: Option<&Refusal>) -> Response {
        refused_or(refusal, &self.page())
    }
}

/// The backup code that was just issued. It has no `Debug`.
struct IssuedPage {
    /// The code, as it is typed.
    code: Zeroizing<String>,
    /// What colleagues see of the agent.
    alias: String,
    /// The agent.
    id: String,
}

impl Content for IssuedPage {
    fn head(&self, now: Locale) -> Head {
        let label = td_string!(now, agents.backup_code);
        let title = td_string!(now, common.labelled, label = label, value = &self.alias);
        Head::new(title, &[Sheet::Account, Sheet::Console])
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let shown = u32::try_from(CODES_SHOWN_SECONDS).unwrap_or_default();
        let content = view! {
            <h1>{td_string!(now, agents.backup_code)}</h1>
            <p class="lead">{td_string!(now, agents.issued_text, name = self.alias, time = life(now))}</p>
            <p class="issued-code">
                <code dir="ltr">{self.code.to_string()}</code>
            </p>
            <div class="buttons">{copy_button(now, self.code.to_string())}</div>
            <p class="notice caution">{td_string!(now, agents.issued_again, time = wait(now, shown))}</p>
            <form class="card-end" method="post" action=CodeHandedOn::PATH>
                <input type="hidden" name="id" value=self.id />
                <button class="button primary">{td_string!(now, agents.done)}</button>
            </form>
        };
        console(frame, AGENTS, None, content)
    }
}
