//! `/admin/agents/new` and `/admin/agents/{id}`: adding and editing an agent.

use axum::{
    extract::{Path, State},
    response::Response,
};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    call::{Call, agent_page},
    components::{
        fields::{meanwhile, why},
        forms::{Input, action, good},
    },
    functions::Done,
    page::{Content, Frame, Head, Sheet, Typed, When},
    shell::console::{console, fact},
};
use vestibule_core::{
    account::{Account, Role, TimeFormat},
    company::{Company, NewAgentMail},
    paths::{self, AGENTS, AGENTS_NEW},
    refusal::{Field, Refusal},
    rights::Action,
};
use vestibule_service::{console::AgentInput, profile::PersonInput};
use vestibule_translations::{Locale, all, from_tag, name, tag, td_string};

use super::row::page_of;
use crate::{
    form::{Filled, Form, redirect_or_refuse},
    http::{
        answer::{self, see_other},
        facts::Facts,
        moments::Moments,
    },
    pages::admin::role_boxes,
    state::AppState,
};

/// Id of the form, which the language switch sends along.
const FORM: &str = "agent-form";

/// Creates an agent.
#[derive(Clone, Deserialize)]
pub struct AddAgent {
    account: String,
    email: String,
    first_name: String,
    last_name: String,
    alias: String,
    phone: String,
    title: String,
    time_format: String,
    language: String,
    #[serde(rename = "roles[]", default)]
    roles: Vec<String>,
    active: Option<String>,
}

impl Form for AddAgent {
    const PATH: &'static str = AGENTS_NEW;
    const ACTION: Action = Action::AddAgent;
    const SWITCHED: bool = true;

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        let id = call
            .service
            .console()
            .add_agent(self.input(), &call.visitor)
            .await?;
        Ok(Done::to(agent_page(&id.to_string(), "view?added").to))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        match state
            .service
            .console()
            .authorize(Self::ACTION, &facts.visitor)
            .await
        {
            Ok(own) => {
                let input = self.clone().input();
                let who = (&own.company, &own.account);
                show_form(state, facts, who, None, None, &Filled::again(&input, refusal))
            }
            Err(refusal) => redirect_or_refuse(&refusal, AGENTS_NEW),
        }
    }
}

impl AddAgent {
    fn input(self) -> AgentInput {
        AgentInput {
            account: self.account,
            email: self.email,
            roles: self.roles,
            active: self.active.is_some(),
            person: PersonInput {
                first_name: self.first_name,
                last_name: self.last_name,
                alias: self.alias,
                phone: self.phone,
                title: self.title,
                time_format: self.time_format.parse().ok().and_then(TimeFormat::from_hours),
                language: self.language,
            },
        }
    }
}

/// Saves an agent.
#[derive(Clone, Deserialize)]
pub struct EditAgent {
    id: String,
    /// Version that the page showed.
    version: i64,
    email: String,
    first_name: String,
    last_name: String,
    alias: String,
    phone: String,
    title: String,
    time_format: String,
    language: String,
    #[serde(rename = "roles[]", default)]
    roles: Vec<String>,
    active: Option<String>,
}

impl Form for EditAgent {
    const PATH: &'static str = "/admin/agents/edit";
    const ACTION: Action = Action::EditAgent;
    const OPENED: Option<&'static str> = Some(AGENTS);
    const SWITCHED: bool = true;

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        let (id, version) = (self.id.clone(), self.version);
        let edited = call
            .service
            .console()
            .edit_agent(&id, version, self.input(), &call.visitor)
            .await?;
        let page = match edited.email_to_confirm {
            Some(_) => "?saved&email_sent",
            None => "?saved",
        };
        Ok(Done::to(agent_page(&id, page).to))
    }

    fn page(&self) -> String {
        page_of(&self.id, "")
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        let input = self.clone().input();
        let filled = Filled::again(&input, refusal);
        show_edit(state, facts, &self.id, Some(self.version), &filled).await
    }
}

impl EditAgent {
    fn input(self) -> AgentInput {
        AgentInput {
            account: String::new(),
            email: self.email,
            roles: self.roles,
            active: self.active.is_some(),
            person: PersonInput {
                first_name: self.first_name,
                last_name: self.last_name,
                alias: self.alias,
                phone: self.phone,
                title: self.title,
                time_format: self.time_format.parse().ok().and_then(TimeFormat::from_hours),
                language: self.language,
            },
        }
    }
}

/// Sends the mail that confirms a new e-mail address once more.
#[derive(Clone, Deserialize)]
pub struct ResendEmailChange {
    id: String,
}

impl Form for ResendEmailChange {
    const PATH: &'static str = "/admin/agents/email/resend";
    const ACTION: Action = Action::EditAgent;
    const OPENED: Option<&'static str> = Some(AGENTS);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service
            .console()
            .resend_email_change(&self.id, &call.visitor)
            .await?;
        Ok(Done::to(agent_page(&self.id, "?email_sent").to))
    }

    fn page(&self) -> String {
        page_of(&self.id, "")
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        show_edit(state, facts, &self.id, None, &Filled::refused(refusal)).await
    }
}

/// Gives a change of the e-mail address up.
#[derive(Clone, Deserialize)]
pub struct CancelEmailChange {
    id: String,
}

impl Form for CancelEmailChange {
    const PATH: &'static str = "/admin/agents/email/cancel";
    const ACTION: Action = Action::EditAgent;
    const OPENED: Option<&'static str> = Some(AGENTS);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service
            .console()
            .cancel_email_change(&self.id, &call.visitor)
            .await?;
        Ok(Done::to(agent_page(&self.id, "?email_cancelled").to))
    }

    fn page(&self) -> String {
        page_of(&self.id, "")
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        show_edit(state, facts, &self.id, None, &Filled::refused(refusal)).await
    }
}

/// `/admin/agents/new`
pub async fn new(State(state): State<AppState>, facts: Facts) -> Response {
    match state
        .service
        .console()
        .authorize(Action::AddAgent, &facts.visitor)
        .await
    {
        Ok(own) => {
            let who = (&own.company, &own.account);
            show_form(&state, &facts, who, None, None, &Filled::OPENED)
        }
        Err(refusal) => redirect_or_refuse(&refusal, AGENTS_NEW),
    }
}

/// `/admin/agents/{id}`: editing, for whoever may.
pub async fn edit(State(state): State<AppState>, Path(id): Path<String>, facts: Facts) -> Response {
    match state
        .service
        .console()
        .agent(Action::SeeAgents, &id, &facts.visitor)
        .await
    {
        Ok(found) if found.may.contains(&Action::EditAgent) => {
            let who = (&found.company, &found.own);
            show_form(&state, &facts, who, Some(&found.target), None, &Filled::OPENED)
        }
        Ok(_) => see_other(&page_of(&id, "view")),
        Err(refusal) => redirect_or_refuse(&refusal, &facts.path),
    }
}

async fn show_edit(
    state: &AppState,
    facts: &Facts,
    id: &str,
    version: Option<i64>,
    filled: &Filled<'_, AgentInput>,
) -> Response {
    match state
        .service
        .console()
        .agent(Action::EditAgent, id, &facts.visitor)
        .await
    {
        Ok(found) => {
            let who = (&found.company, &found.own);
            show_form(state, facts, who, Some(&found.target), version, filled)
        }
        Err(refusal) => redirect_or_refuse(&refusal, AGENTS),
    }
}

/// The form of a new account, or of `target`; `version` is what it was typed over.
fn show_form(
    state: &AppState,
    facts: &Facts,
    (company, own): (&Company, &Account),
    target: Option<&Account>,
    version: Option<i64>,
    form: &Filled<'_, AgentInput>,
) -> Response {
    let moments = Moments::of(facts.locale_for(company, own), company, own);
    let saved = |of: fn(&Account) -> &str| target.map(of).unwrap_or_default();
    let words = |roles: &[Role]| {
        let words: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
        words.join(" ")
    };
    let on = |active: bool| if active { "on" } else { "" };
    let hours = |format: TimeFormat| if format.hours() == 12 { "12" } else { "24" };
    let opened = form.is_opened();
    let page = FormPage {
        list: facts.agents_list(own),
        alias_saved: target.map(|target| target.person.alias.clone()),
        id: target.map(|target| target.id.to_string()),
        is_own: target.is_some_and(|target| target.id == own.id),
        version: form.version(version, target.map_or(0, |target| target.version)),
        account: form.text(|input| &input.account, saved(|target| &target.name)),
        // Saving the address until now gives a change up: whoever saves something else keeps it.
        email: form.text(|input| &input.email, pending_or_current(target)),
        pending_email: target
            .and_then(|target| target.pending_email.clone())
            .map(|pending| (pending.address, moments.write(pending.since))),
        first_name: form.text(
            |input| &input.person.first_name,
            saved(|target| &target.person.first_name),
        ),
        last_name: form.text(
            |input| &input.person.last_name,
            saved(|target| &target.person.last_name),
        ),
        alias: form.text(|input| &input.person.alias, saved(|target| &target.person.alias)),
        phone: form.text(|input| &input.person.phone, saved(|target| &target.person.phone)),
        title: form.text(|input| &input.person.title, saved(|target| &target.person.title)),
        time_format: form.text(
            |input| input.person.time_format.map_or("", hours),
            target.map_or("24", |target| hours(target.person.time_format)),
        ),
        language: form.text(
            |input| &input.person.language,
            saved(|target| target.person.language.as_deref().unwrap_or_default()),
        ),
        company_language: company.settings.language.clone(),
        roles: form.boxes(
            |input| input.roles.join(" "),
            &target.map_or_else(|| words(&[Role::Agent]), |target| words(&target.roles)),
        ),
        active: form.boxes(
            |input| on(input.active).to_owned(),
            on(target.is_none_or(|target| target.active)),
        ),
        new_agent_mail: company.settings.new_agent_mail,
        saved: opened && facts.asks("saved"),
        email_sent: opened && facts.asks("email_sent"),
        email_cancelled: opened && facts.asks("email_cancelled"),
        refusal: form.refusal.cloned(),
    };
    let path = target.map_or_else(
        || AGENTS_NEW.to_owned(),
        |target| page_of(&target.id.to_string(), ""),
    );
    answer::show_form(facts.page_at(state, company, own, path, page), form.refusal)
}

/// The address that waits for its confirmation, or else the one that counts.
fn pending_or_current(target: Option<&Account>) -> &str {
    target.map_or("", |target| match &target.pending_email {
        Some(pending) => &pending.address,
        None => &target.email,
    })
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each says something of its own about the form"
)]
struct FormPage {
    /// The list that one comes from.
    list: String,
    /// What colleagues see of the agent; `None` = a new one.
    alias_saved: Option<String>,
    /// Identifier of the account; `None` = a new one.
    id: Option<String>,
    /// Whether it is the account of whoever looks, whose e-mail address is changed in the profile.
    is_own: bool,
    /// Version that is saved over.
    version: i64,
    /// Account name.
    account: Typed,
    /// E-mail address.
    email: Typed,
    /// A new address that waits for its confirmation, and since when.
    pending_email: Option<(String, When)>,
    /// First name.
    first_name: Typed,
    /// Last name.
    last_name: Typed,
    /// What colleagues see.
    alias: Typed,
    /// Phone.
    phone: Typed,
    /// Title.
    title: Typed,
    /// Hours that a clock has: 12 or 24.
    time_format: Typed,
    /// Language tag; empty = the company's.
    language: Typed,
    /// Language tag of the company.
    company_language: String,
    /// Words of roles, separated by spaces.
    roles: Typed,
    /// `on` or empty.
    active: Typed,
    /// How a new agent is told.
    new_agent_mail: NewAgentMail,
    /// Whether it was just saved.
    saved: bool,
    /// Whether a mail was just sent to the new address.
    email_sent: bool,
    /// Whether a change of the address was just given up.
    email_cancelled: bool,
    /// Why the last try was refused.
    refusal: Option<Refusal>,
}

impl FormPage {
    fn title_in(&self, now: Locale) -> &'static str {
        if self.id.is_some() {
            td_string!(now, agents.edit_title)
        } else {
            td_string!(now, agents.add_title)
        }
    }
}

impl Content for FormPage {
    fn head(&self, now: Locale) -> Head {
        let title = match &self.alias_saved {
            Some(alias) => td_string!(now, common.labelled, label = self.title_in(now), value = alias),
            None => self.title_in(now).to_owned(),
        };
        Head::new(title, &[Sheet::Account, Sheet::Console])
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let title = self.title_in(now);
        let notices = [
            (self.saved, td_string!(now, agents.saved)),
            (self.email_sent, td_string!(now, agents.email_sent)),
            (self.email_cancelled, td_string!(now, agents.email_cancelled)),
        ]
        .map(|(shown, sentence)| shown.then(|| good(sentence)))
        .into_iter()
        .collect_view();
        let refusal = self.refusal.clone();
        let pending = self
            .id
            .clone()
            .zip(self.pending_email.clone())
            .map(|(id, (email, since))| pending_email(now, id, (email, since), self.is_own));
        let content = view! {
            <p class="back">
                <a href=self.list.clone()>{td_string!(now, agents.title)}</a>
            </p>
            <h1 id="heading">{title}</h1>
            {notices}
            {why(now, refusal.as_ref())}
            {pending}
            {fields(now, self)}
        };
        console(frame, AGENTS, Some(FORM), content)
    }
}

/// A new address that waits for its confirmation. The mail to the own one is sent again from the profile.
fn pending_email(now: Locale, id: String, (email, since): (String, When), is_own: bool) -> AnyView {
    let resend = (!is_own).then(|| {
        action(
            ResendEmailChange::PATH,
            td_string!(now, agents.resend_email),
            "pending-email".to_owned(),
            Some(id.clone()),
        )
    });
    view! {
        <section class="notice caution" aria-labelledby="pending-email">
            <p id="pending-email">
                {td_string!(now, agents.pending_email, email = email, when = since.shown)}
            </p>
            <div class="buttons">
                {resend}
                {action(
                    CancelEmailChange::PATH,
                    td_string!(now, agents.cancel_email),
                    "pending-email".to_owned(),
                    Some(id),
                )}
            </div>
        </section>
    }
    .into_any()
}

fn fields(now: Locale, page: FormPage) -> AnyView {
    let refusal = page.refusal.as_ref();
    let text = |field, label, typed: Typed, required, hint: Option<&str>| {
        let meanwhile = typed
            .meanwhile
            .map(|value| td_string!(now, company.meanwhile, value = value));
        let hint = match (meanwhile, hint) {
            (Some(meanwhile), Some(hint)) => Some([meanwhile.as_str(), "\n", hint].concat()),
            (Some(only), None) => Some(only),
            (None, hint) => hint.map(str::to_owned),
        };
        Input {
            field,
            label,
            // The browser's own data belong to the admin.
            autocomplete: "off",
            value: typed.value,
            required,
            hint,
            refusal,
        }
        .view(now)
    };
    let is_new = page.id.is_none();
    let account = if is_new {
        text(
            Field::AccountName,
            td_string!(now, agents.account),
            page.account,
            true,
            Some(td_string!(now, agents.account_hint)),
        )
        .into_any()
    } else {
        view! {
            <dl class="facts">{fact(td_string!(now, agents.account), page.account.value)}</dl>
        }
        .into_any()
    };
    let email_hint = email_hint(now, is_new, page.new_agent_mail);
    let email = if page.is_own {
        own_email(now, page.email.value).into_any()
    } else {
        text(
            Field::Email,
            td_string!(now, agents.email),
            page.email,
            true,
            Some(email_hint),
        )
        .into_any()
    };
    let hidden = page.id.clone().map(|id| {
        view! {
            <input type="hidden" name="id" value=id />
            <input type="hidden" name="version" value=page.version />
        }
    });
    let action = if is_new { AddAgent::PATH } else { EditAgent::PATH };
    let button = if is_new {
        td_string!(now, agents.create)
    } else {
        td_string!(now, common.save)
    };
    view! {
        <form id=FORM class="fields pairs" method="post" action=action novalidate>
            {hidden}
            {account}
            {email}
            {text(Field::FirstName, td_string!(now, profile.first_name), page.first_name, true, None)}
            {text(Field::LastName, td_string!(now, profile.last_name), page.last_name, false, None)}
            {text(
                Field::Alias,
                td_string!(now, profile.alias),
                page.alias,
                false,
                Some(td_string!(now, agents.alias_hint)),
            )}
            {text(Field::Phone, td_string!(now, profile.phone), page.phone, false, None)}
            {text(Field::Title, td_string!(now, profile.job_title), page.title, false, None)}
            {time_format(now, page.time_format)}
            {language(now, page.language, &page.company_language)}
            {role_boxes(now, td_string!(now, agents.roles), page.roles, refusal)}
            {active(now, page.active)}
            <div class="buttons">
                <button class="button primary">{button}</button>
                <a class="button" href=page.list>
                    {td_string!(now, common.cancel)}
                </a>
            </div>
        </form>
    }
    .into_any()
}

fn email_hint(now: Locale, is_new: bool, new_agent_mail: NewAgentMail) -> &'static str {
    if !is_new {
        td_string!(now, agents.email_hint)
    } else if new_agent_mail == NewAgentMail::ActivationLink {
        td_string!(now, agents.told_by_link)
    } else {
        td_string!(now, agents.told_by_details)
    }
}

/// The own e-mail address, which is changed in the profile.
fn own_email(now: Locale, address: String) -> AnyView {
    view! {
        <dl class="facts">{fact(td_string!(now, agents.email), address.clone())}</dl>
        <p class="hint">
            {td_string!(now, agents.own_email_hint)} " "
            <a href=paths::PROFILE>{td_string!(now, profile.title)}</a>
        </p>
        <input type="hidden" name="email" value=address />
    }
    .into_any()
}

fn time_format(now: Locale, typed: Typed) -> AnyView {
    let option = |value: &'static str, label: &'static str| {
        view! {
            <option value=value selected=typed.value == value>
                {label}
            </option>
        }
    };
    view! {
        <div class="field">
            <label for="time_format">{td_string!(now, profile.time_format)}</label>
            <select id="time_format" name="time_format" autocomplete="off">
                {option("24", td_string!(now, profile.hours_24))}
                {option("12", td_string!(now, profile.hours_12))}
            </select>
            {meanwhile(now, typed.meanwhile)}
        </div>
    }
    .into_any()
}

fn language(now: Locale, typed: Typed, company: &str) -> AnyView {
    let company = from_tag(company).map(name).unwrap_or_default();
    let offered = all()
        .iter()
        .map(|&offered| {
            view! {
                <option value=tag(offered) lang=tag(offered) selected=typed.value == tag(offered)>
                    {name(offered)}
                </option>
            }
        })
        .collect_view();
    view! {
        <div class="field">
            <label for="agent-language">{td_string!(now, common.language)}</label>
            <select id="agent-language" name="language" autocomplete="off">
                <option value="" selected=typed.value.is_empty()>
                    {td_string!(now, profile.same_as_company, language = company)}
                </option>
                {offered}
            </select>
            {meanwhile(now, typed.meanwhile)}
        </div>
    }
    .into_any()
}

fn active(now: Locale, typed: Typed) -> AnyView {
    let before = typed.meanwhile.map(|word| {
        if word.is_empty() {
            td_string!(now, agents.inactive).to_owned()
        } else {
            td_string!(now, agents.active).to_owned()
        }
    });
    view! {
        <div class="field checks">
            <label class="check">
                <input type="checkbox" name="active" value="on" checked=!typed.value.is_empty() />
                {td_string!(now, agents.active)}
            </label>
            <p class="hint">{td_string!(now, agents.active_hint)}</p>
            {meanwhile(now, before)}
        </div>
    }
    .into_any()
}
