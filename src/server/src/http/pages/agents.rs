//! The list of agents, one agent, and the pages on which something is done to them.

use axum::{
    extract::{Path, Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use vestibule_app::page::{
    AgentAct, AgentActPage, AgentFormPage, AgentMay, AgentNotice, AgentRow, AgentViewPage, AgentsNotice,
    AgentsPage, Body, IssuedCodePage, Typed,
};
use vestibule_core::{
    account::{Account, Role},
    agents::{AgentFilter, AgentSort, AgentState, FactorFilter},
    company::Company,
    paths,
    refusal::Refusal,
    rights::Action,
    signed_in::FormRefusal,
    sso::Provider,
};
use vestibule_service::console::AgentDetails;

use super::{audit::line, company::Form, mark, see_other, show, turned_away};
use crate::{
    http::{denied::Denied, facts::Facts, form_guard::FormFields, moments::Moments},
    state::AppState,
};

/// `/admin/agents`
pub async fn list(State(state): State<AppState>, request: Request) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    show_list(&state, &facts, filter_of(&facts), None).await
}

async fn show_list(
    state: &AppState,
    facts: &Facts,
    filter: AgentFilter,
    refusal: Option<&Refusal>,
) -> Response {
    let (after, before) = match refusal {
        None => (facts.query("after"), facts.query("before")),
        Some(_) => (None, None),
    };
    let found = state
        .service
        .agents(filter, after.as_deref(), before.as_deref(), &facts.visitor)
        .await;
    let list = match found {
        Ok(list) => list,
        Err(refusal) => return turned_away(&refusal, &facts.path),
    };
    let moments = Moments::of(&list.company, &list.own);
    let id = |account: &Account| account.id.to_string();
    let accounts = &list.page.accounts;
    let kept = facts.query("kept").and_then(|word| match word.as_str() {
        "own_account" => Some(Refusal::Form(FormRefusal::OwnAccount)),
        "last_admin" => Some(Refusal::Form(FormRefusal::LastAdmin)),
        _ => None,
    });
    let changed = facts.query("changed").and_then(|count| count.parse().ok());
    let notice = match (refusal, changed) {
        (Some(_), _) => None,
        (None, Some(count)) => Some(AgentsNotice::Changed(count)),
        (None, None) => facts.asks("deleted").then_some(AgentsNotice::Deleted),
    };
    let body = AgentsPage {
        rows: accounts
            .iter()
            .map(|account| row(moments, &list.own, account))
            .collect(),
        search: list.filter.search.clone(),
        state: list
            .filter
            .state
            .map(AgentState::as_str)
            .unwrap_or_default()
            .to_owned(),
        role: list.filter.role.map(Role::as_str).unwrap_or_default().to_owned(),
        factor: list
            .filter
            .factor
            .map(FactorFilter::as_str)
            .unwrap_or_default()
            .to_owned(),
        sort: list.filter.sort.as_str().to_owned(),
        descending: list.filter.descending,
        is_admin: list.own.highest_role() == Role::Admin,
        query: query_of(&list.filter),
        before: accounts.first().filter(|_| list.page.before).map(id),
        after: accounts.last().filter(|_| list.page.after).map(id),
        is_later: after.is_some() || before.is_some(),
        notice,
        refusal: refusal.cloned().or(kept),
    };
    let mut page = facts.page_for(state, &list.company, &list.own, Body::Agents(body));
    if refusal.is_some() {
        paths::AGENTS.clone_into(&mut page.frame.path);
    }
    let mut response = show(StatusCode::OK, page);
    if let Some(refusal) = refusal {
        mark(&mut response, refusal);
    }
    response
}

/// The filter in the address of the list. What cannot be read is as if it had not been asked.
pub(super) fn filter_of(facts: &Facts) -> AgentFilter {
    filter_from(|name| facts.query(name))
}

fn filter_from(word: impl Fn(&str) -> Option<String>) -> AgentFilter {
    let word = |name| word(name).unwrap_or_default();
    AgentFilter {
        search: word("search").trim().to_owned(),
        state: AgentState::from_word(&word("state")),
        role: word("role").parse().ok(),
        factor: FactorFilter::from_word(&word("factor")),
        sort: AgentSort::from_word(&word("sort")).unwrap_or_default(),
        descending: word("order") == "desc",
        only_agents: false,
    }
}

/// The query that [`filter_of`] reads; without what is as it is anyway.
fn query_of(filter: &AgentFilter) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let state = filter.state.map(AgentState::as_str).unwrap_or_default();
    let role = filter.role.map(Role::as_str).unwrap_or_default();
    let factor = filter.factor.map(FactorFilter::as_str).unwrap_or_default();
    let sort = if filter.sort == AgentSort::default() {
        ""
    } else {
        filter.sort.as_str()
    };
    let order = if filter.descending { "desc" } else { "" };
    for (name, value) in [
        ("search", filter.search.as_str()),
        ("state", state),
        ("role", role),
        ("factor", factor),
        ("sort", sort),
        ("order", order),
    ] {
        if !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    query.finish()
}

fn row(moments: Moments, own: &Account, account: &Account) -> AgentRow {
    AgentRow {
        id: account.id.to_string(),
        alias: account.alias.clone(),
        account: account.name.clone(),
        email: account.email.clone(),
        roles: account.roles.iter().map(|role| role.as_str()).collect(),
        active: account.active,
        locked: account.locked_at.map(|at| moments.write(at)),
        email_factor: account.email_factor,
        app_factor: account.app_factor,
        last_sign_in: account.last_sign_in_at.map(|at| moments.write(at)),
        may: may(own, account),
    }
}

/// What may be done to an account, and is of use right now.
fn may(own: &Account, account: &Account) -> AgentMay {
    let allowed = |action: Action| action.reaches(own, account);
    let is_own = own.id == account.id;
    let locked = account.is_locked();
    AgentMay {
        edit: allowed(Action::EditAgent),
        delete: allowed(Action::DeleteAgent) && !is_own,
        reset_password: allowed(Action::ResetPassword),
        backup_code: allowed(Action::IssueBackupCode) && account.has_second_factor() && !locked,
        unlock: allowed(Action::Unlock) && locked,
        end_sessions: allowed(Action::EndSessions),
        send_details: allowed(Action::SendAccountDetails) && account.awaits_password(),
    }
}

/// `/admin/agents/new`
pub async fn new(State(state): State<AppState>, request: Request) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    match state.service.console(Action::AddAgent, &facts.visitor).await {
        Ok(own) => show_form(&state, &facts, (&own.company, &own.account), None, None, None),
        Err(refusal) => turned_away(&refusal, paths::AGENTS_NEW),
    }
}

/// `/admin/agents/{id}`: editing, for whoever may.
pub async fn edit(State(state): State<AppState>, Path(id): Path<String>, request: Request) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    match state.service.agent(Action::SeeAgents, &id, &facts.visitor).await {
        Ok(found) if found.may.contains(&Action::EditAgent) => {
            let who = (&found.company, &found.own);
            show_form(&state, &facts, who, Some(&found.target), None, None)
        }
        Ok(_) => see_other(&format!("{}/{id}/view", paths::AGENTS)),
        Err(refusal) => turned_away(&refusal, &facts.path),
    }
}

/// Add or Edit with everything typed: after it was refused, or in another language.
pub async fn form_again(
    state: &AppState,
    facts: &Facts,
    fields: &FormFields,
    refusal: Option<&Refusal>,
) -> Response {
    if let Some(
        refusal @ (Refusal::NotSignedIn
        | Refusal::Forbidden
        | Refusal::NotFound
        | Refusal::Malformed
        | Refusal::Form(FormRefusal::SetUpRequired | FormRefusal::PasswordChangeRequired)),
    ) = refusal
    {
        return turned_away(refusal, paths::AGENTS);
    }
    match fields.get("id") {
        Some(id) => match state.service.agent(Action::EditAgent, id, &facts.visitor).await {
            Ok(found) => {
                let who = (&found.company, &found.own);
                show_form(state, facts, who, Some(&found.target), Some(fields), refusal)
            }
            Err(refusal) => turned_away(&refusal, paths::AGENTS),
        },
        None => match state.service.console(Action::AddAgent, &facts.visitor).await {
            Ok(own) => {
                let who = (&own.company, &own.account);
                show_form(state, facts, who, None, Some(fields), refusal)
            }
            Err(refusal) => turned_away(&refusal, paths::AGENTS_NEW),
        },
    }
}

fn show_form(
    state: &AppState,
    facts: &Facts,
    (company, own): (&Company, &Account),
    target: Option<&Account>,
    fields: Option<&FormFields>,
    refusal: Option<&Refusal>,
) -> Response {
    let moments = Moments::of(company, own);
    let form = Form { fields, refusal };
    let saved = |of: fn(&Account) -> &str| target.map(of).unwrap_or_default();
    let roles = target.map_or_else(
        || Role::Agent.as_str().to_owned(),
        |target| {
            let words: Vec<&str> = target.roles.iter().map(|role| role.as_str()).collect();
            words.join(" ")
        },
    );
    let active = if target.is_none_or(|target| target.active) {
        "on"
    } else {
        ""
    };
    let hours = target.map_or(24, |target| target.time_format.hours()).to_string();
    let body = AgentFormPage {
        id: target.map(|target| target.id.to_string()),
        is_own: target.is_some_and(|target| target.id == own.id),
        version: form.version(target.map_or(0, |target| target.version)),
        account: form.typed("account", saved(|target| &target.name)),
        // Saving the address until now gives a change up: whoever saves something else keeps it.
        email: form.typed("email", pending_or_current(target)),
        pending_email: target
            .and_then(|target| target.pending_email.clone())
            .map(|pending| (pending.address, moments.write(pending.since))),
        first_name: form.typed("first_name", saved(|target| &target.first_name)),
        last_name: form.typed("last_name", saved(|target| &target.last_name)),
        alias: form.typed("alias", saved(|target| &target.alias)),
        phone: form.typed("phone", saved(|target| &target.phone)),
        title: form.typed("title", saved(|target| &target.title)),
        time_format: form.typed("time_format", &hours),
        language: language(&form, target),
        company_language: company.language.clone(),
        roles: form.ticked("roles[]", &roles),
        active: form.ticked("active", active),
        new_agent_mail: company.new_agent_mail.as_str(),
        saved: fields.is_none() && facts.asks("saved"),
        email_sent: fields.is_none() && facts.asks("email_sent"),
        email_cancelled: fields.is_none() && facts.asks("email_cancelled"),
        refusal: refusal.cloned(),
    };
    let path = target.map_or_else(
        || paths::AGENTS_NEW.to_owned(),
        |target| format!("{}/{}", paths::AGENTS, target.id),
    );
    let mut page = facts.page_for(state, company, own, Body::AgentForm(body));
    page.frame.path = path;
    let mut response = show(StatusCode::OK, page);
    if let Some(refusal) = refusal {
        mark(&mut response, refusal);
    }
    response
}

/// The address that waits for its confirmation, or else the one that counts.
fn pending_or_current(target: Option<&Account>) -> &str {
    target.map_or("", |target| match &target.pending_email {
        Some(pending) => &pending.address,
        None => &target.email,
    })
}

/// The agent's language. In the form that changes the language of the page, the field of that name is the page's.
fn language(form: &Form<'_>, target: Option<&Account>) -> Typed {
    let saved = target
        .and_then(|target| target.language.clone())
        .unwrap_or_default();
    form.typed("language", &saved)
}

/// `/admin/agents/{id}/{page}`: looking, or what is done to an agent.
pub async fn page(
    State(state): State<AppState>,
    Path((id, page)): Path<(String, String)>,
    request: Request,
) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    if page == "view" {
        return look(&state, &facts, &id).await;
    }
    match AgentAct::from_word(&page) {
        Some(act) => match state.service.agent(asked_by(act), &id, &facts.visitor).await {
            Ok(found) => show_act(&state, &facts, act, &found, None, None),
            Err(refusal) => turned_away(&refusal, &facts.path),
        },
        None => Denied::from(Refusal::NotFound).into_response(),
    }
}

const fn action_of(act: AgentAct) -> Action {
    match act {
        AgentAct::Delete => Action::DeleteAgent,
        AgentAct::ResetPassword => Action::ResetPassword,
        AgentAct::BackupCode => Action::IssueBackupCode,
        AgentAct::Unlock => Action::Unlock,
        AgentAct::EndSessions => Action::EndSessions,
        AgentAct::SendDetails => Action::SendAccountDetails,
    }
}

/// What the page of it asks for. That of unlocking shows nothing and takes one click: only the click asks for a proof.
const fn asked_by(act: AgentAct) -> Action {
    match act {
        AgentAct::Unlock => Action::SeeAgents,
        act => action_of(act),
    }
}

fn names(providers: &[Provider]) -> String {
    let names: Vec<&str> = providers.iter().map(|provider| provider.name()).collect();
    names.join(", ")
}

async fn look(state: &AppState, facts: &Facts, id: &str) -> Response {
    let found = match state.service.agent(Action::SeeAgents, id, &facts.visitor).await {
        Ok(found) => found,
        Err(refusal) => return turned_away(&refusal, &facts.path),
    };
    let moments = Moments::of(&found.company, &found.own);
    let AgentDetails {
        company,
        own,
        target,
        may: allowed,
        sessions,
        trusted_browsers,
        backup_codes_left,
        issued_code_until,
        providers,
        identities,
        events,
    } = found;
    let notice = [
        ("added", AgentNotice::Added),
        ("password_set", AgentNotice::PasswordSet),
        ("password_removed", AgentNotice::PasswordRemoved),
        ("provider_disconnected", AgentNotice::ProviderDisconnected),
        ("link_sent", AgentNotice::LinkSent),
        ("details_sent", AgentNotice::DetailsSent),
        ("unlocked", AgentNotice::Unlocked),
        ("sessions_ended", AgentNotice::SessionsEnded),
    ]
    .into_iter()
    .find_map(|(word, notice)| facts.asks(word).then_some(notice));
    let events = allowed.contains(&Action::SeeAudit).then(|| {
        events
            .into_iter()
            .map(|event| line(moments, event))
            .collect::<Vec<_>>()
    });
    let body = AgentViewPage {
        row: row(moments, &own, &target),
        waits_for_password: target.awaits_password(),
        no_password: !target.has_password,
        providers: names(&providers),
        identities: identities
            .into_iter()
            .map(|identity| (identity.provider, identity.shown))
            .collect(),
        first_name: target.first_name,
        last_name: target.last_name,
        phone: target.phone,
        title: target.title,
        language: target.language.unwrap_or_default(),
        pending_email: target
            .pending_email
            .map(|pending| (pending.address, moments.write(pending.since))),
        wrong_codes: target.wrong_codes,
        sessions,
        trusted_browsers,
        backup_codes_left,
        issued_code_until: issued_code_until.map(|until| moments.write(until)),
        created: moments.write(target.created_at),
        events,
        notice,
    };
    show(
        StatusCode::OK,
        facts.page_for(state, &company, &own, Body::AgentView(body)),
    )
}

fn show_act(
    state: &AppState,
    facts: &Facts,
    act: AgentAct,
    found: &AgentDetails,
    fields: Option<&FormFields>,
    refusal: Option<&Refusal>,
) -> Response {
    let typed = |name| fields.and_then(|fields| fields.get(name)).unwrap_or_default();
    let offered = found.may.contains(&action_of(act));
    let own_account = Refusal::Form(FormRefusal::OwnAccount);
    let body = AgentActPage {
        offered,
        act,
        id: found.target.id.to_string(),
        alias: found.target.alias.clone(),
        account: found.target.name.clone(),
        sessions: found.sessions,
        password_min: found.company.password_min,
        new_agent_mail: found.company.new_agent_mail.as_str(),
        providers: if found.target.has_password {
            names(&found.providers)
        } else {
            String::new()
        },
        typed: match act {
            AgentAct::Delete => typed("confirm_name").to_owned(),
            AgentAct::BackupCode => typed("reason").to_owned(),
            _ => String::new(),
        },
        refusal: refusal.cloned().or((!offered).then_some(own_account)),
    };
    let mut page = facts.page_for(state, &found.company, &found.own, Body::AgentAct(body));
    page.frame.path = format!("{}/{}/{}", paths::AGENTS, found.target.id, act.word());
    let mut response = show(StatusCode::OK, page);
    if let Some(refusal) = refusal {
        mark(&mut response, refusal);
    }
    response
}

/// The page that a refused plain form came from, with the reason.
pub async fn refused(state: &AppState, facts: &Facts, fields: &FormFields, refusal: &Refusal) -> Response {
    let list = matches!(
        facts.path.as_str(),
        paths::AGENTS_ACTIVATE | paths::AGENTS_DEACTIVATE | paths::AGENTS_UNLOCK_SELECTED
    );
    let act = match facts.path.as_str() {
        paths::AGENTS_DELETE => Some(AgentAct::Delete),
        paths::AGENTS_PASSWORD
        | paths::AGENTS_REMOVE_PASSWORD
        | paths::AGENTS_DISCONNECT
        | paths::AGENTS_RESET_LINK => Some(AgentAct::ResetPassword),
        paths::AGENTS_BACKUP_CODE => Some(AgentAct::BackupCode),
        paths::AGENTS_UNLOCK => Some(AgentAct::Unlock),
        paths::AGENTS_END_SESSIONS => Some(AgentAct::EndSessions),
        paths::AGENTS_SEND_DETAILS => Some(AgentAct::SendDetails),
        _ => None,
    };
    let id = fields.get("id").unwrap_or_default();
    match (refusal, act) {
        (Refusal::Form(FormRefusal::StepUpNeeded), Some(act)) => {
            turned_away(refusal, &format!("{}/{id}/{}", paths::AGENTS, act.word()))
        }
        (Refusal::Form(FormRefusal::StepUpNeeded), None) if list => turned_away(refusal, paths::AGENTS),
        (
            Refusal::Form(FormRefusal::SetUpRequired | FormRefusal::PasswordChangeRequired)
            | Refusal::NotSignedIn
            | Refusal::Forbidden
            | Refusal::NotFound
            | Refusal::Malformed,
            _,
        ) => turned_away(refusal, paths::AGENTS),
        (_, Some(act)) => match state.service.agent(asked_by(act), id, &facts.visitor).await {
            Ok(found) => show_act(state, facts, act, &found, Some(fields), Some(refusal)),
            Err(refusal) => turned_away(&refusal, paths::AGENTS),
        },
        (_, None) if list => {
            let back = fields.get("back").unwrap_or_default().as_bytes();
            let filter = filter_from(|name| {
                form_urlencoded::parse(back)
                    .find(|(found, _)| found == name)
                    .map(|(_, value)| value.into_owned())
            });
            show_list(state, facts, filter, Some(refusal)).await
        }
        // The two buttons about a waiting e-mail address.
        (_, None) => match state.service.agent(Action::EditAgent, id, &facts.visitor).await {
            Ok(found) => {
                let who = (&found.company, &found.own);
                show_form(state, facts, who, Some(&found.target), None, Some(refusal))
            }
            Err(refusal) => turned_away(&refusal, paths::AGENTS),
        },
    }
}

/// The backup code that was just issued. It is shown this once.
pub async fn issued(
    state: &AppState,
    facts: &Facts,
    fields: &FormFields,
    codes: Vec<String>,
    to: String,
) -> Response {
    let id = fields.get("id").unwrap_or_default();
    match state
        .service
        .agent(Action::IssueBackupCode, id, &facts.visitor)
        .await
    {
        Ok(found) => {
            let body = IssuedCodePage {
                code: codes.into_iter().next().unwrap_or_default(),
                alias: found.target.alias.clone(),
                to: to.clone(),
            };
            let mut page = facts.page_for(state, &found.company, &found.own, Body::IssuedCode(body));
            page.frame.path = to;
            show(StatusCode::OK, page)
        }
        Err(refusal) => turned_away(&refusal, paths::AGENTS),
    }
}

/// Sends somebody who opens the address of a form to the list.
pub async fn of_form() -> Response {
    see_other(paths::AGENTS)
}
