//! `/profile`: an agent's own data, e-mail address and password.

mod confirm;
mod security;

use axum::{extract::State, response::Response};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    call::{Call, Effect},
    components::forms::{Input, action, good, refused},
    functions::{Done, JudgePassword},
    page::{Content, Frame, Head, Sheet, SignedIn as Somebody, When},
    shell::console::{account_page, fact, role_name},
    text::Sentence,
};
use vestibule_core::{
    account::TimeFormat,
    paths::{CHANGE_PASSWORD, LOGIN, PROFILE, PROFILE_CONFIRM, PROFILE_PASSWORD_CHECK, SECURITY},
    refusal::{Field, Refusal},
    rights::Action,
    secret::Password,
};
use vestibule_service::profile::{PasswordInput, PersonInput};
use vestibule_translations::{Locale, all, from_tag, name, tag, td_string};

use crate::{
    form::{Form, NoPage, Routes, redirect_or_refuse},
    http::{
        answer::{see_other, show_form},
        facts::Facts,
        moments::Moments,
    },
    state::AppState,
};

/// Where on the page the password is changed.
const PASSWORD_PART: &str = "/profile#password-title";

/// Id of the form with the own data.
const FORM: &str = "profile-form";

/// The profile, the proof that it is really you, and Security Settings.
pub fn routes(routes: Routes) -> Routes {
    routes
        .page(PROFILE, Action::OwnAccount, profile)
        .form::<SaveProfile>()
        .form::<ChangeEmail>()
        .form::<ResendEmailChange>()
        .form::<CancelEmailChange>()
        .page(CHANGE_PASSWORD, Action::ComeIn, change_password)
        .form::<ChangePassword>()
        .function::<JudgePassword, NoPage>(Action::OwnAccount)
        .room(confirm::routes)
        .room(security::routes)
}

/// Leads password managers, and whoever followed one, to the form. Whoever is not signed in is asked to there.
async fn change_password() -> Response {
    see_other(PASSWORD_PART)
}

/// Saves the own data.
#[derive(Clone, Deserialize)]
pub struct SaveProfile {
    first_name: String,
    last_name: String,
    /// What colleagues see; empty = first and last name.
    alias: String,
    phone: String,
    title: String,
    /// `12` or `24`.
    time_format: String,
    /// Language tag; empty = the company's.
    language: String,
}

impl Form for SaveProfile {
    const PATH: &'static str = PROFILE;
    const ACTION: Action = Action::OwnAccount;
    const SWITCHED: bool = true;

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        let before = call.service.sign_in().session(&call.visitor).await?;
        let chosen = Some(self.language.clone()).filter(|language| !language.is_empty());
        let input = PersonInput {
            first_name: self.first_name,
            last_name: self.last_name,
            alias: self.alias,
            phone: self.phone,
            title: self.title,
            time_format: self.time_format.parse().ok().and_then(TimeFormat::from_hours),
            language: self.language,
        };
        call.service.profile().save_profile(input, &call.visitor).await?;
        // What this browser remembers goes before the account's language: a new choice must be seen at once.
        if before.is_some_and(|before| before.account.person.language != chosen) {
            call.add(Effect::Language(chosen));
        }
        Ok(Done::to(format!("{PROFILE}?saved")))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        show(state, facts, refusal, |page| {
            page.first_name.clone_from(&self.first_name);
            page.last_name.clone_from(&self.last_name);
            page.alias.clone_from(&self.alias);
            page.phone.clone_from(&self.phone);
            page.title.clone_from(&self.title);
            page.time_format.clone_from(&self.time_format);
            // In another language, the language is the one that was just chosen: it was stored with the account.
            if refusal.is_some() {
                page.language.clone_from(&self.language);
            }
            page.refused = refusal.cloned().map(|refusal| (Part::Data, refusal));
        })
        .await
    }
}

/// Changes the own password. Ends every session, this one too.
#[derive(Clone, Deserialize)]
pub struct ChangePassword {
    #[serde(rename = "old_password")]
    old: Password,
    #[serde(rename = "new_password")]
    new: Password,
    /// The same once more.
    #[serde(rename = "confirm_password")]
    confirm: Password,
}

impl Form for ChangePassword {
    const PATH: &'static str = "/profile/password";
    const ACTION: Action = Action::OwnAccount;
    const OPENED: Option<&'static str> = Some(PROFILE);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        let input = PasswordInput {
            old: self.old,
            new: self.new,
            confirm: self.confirm,
        };
        call.service
            .profile()
            .change_password(input, &call.visitor)
            .await?;
        call.leave();
        Ok(Done::to(format!("{LOGIN}?password_changed")))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        show(state, facts, refusal, |page| {
            page.refused = refusal.cloned().map(|refusal| (Part::Password, refusal));
        })
        .await
    }
}

/// Begins a change of the own e-mail address.
#[derive(Clone, Deserialize)]
pub struct ChangeEmail {
    /// The new address.
    email: String,
}

impl Form for ChangeEmail {
    const PATH: &'static str = "/profile/email";
    const ACTION: Action = Action::OwnAccount;
    const OPENED: Option<&'static str> = Some(PROFILE);
    const KEPT: bool = true;

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service
            .profile()
            .change_own_email(&self.email, &call.visitor)
            .await?;
        Ok(Done::to(format!("{PROFILE}?email_sent")))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        show_email(state, facts, &self.email, refusal).await
    }
}

/// Sends the mails of the change once more.
#[derive(Clone, Deserialize)]
pub struct ResendEmailChange {}

impl Form for ResendEmailChange {
    const PATH: &'static str = "/profile/email/resend";
    const ACTION: Action = Action::OwnAccount;
    const OPENED: Option<&'static str> = Some(PROFILE);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service
            .profile()
            .resend_own_email_change(&call.visitor)
            .await?;
        Ok(Done::to(format!("{PROFILE}?email_sent")))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        show_email(state, facts, "", refusal).await
    }
}

/// Gives the change up.
#[derive(Clone, Deserialize)]
pub struct CancelEmailChange {}

impl Form for CancelEmailChange {
    const PATH: &'static str = "/profile/email/cancel";
    const ACTION: Action = Action::OwnAccount;
    const OPENED: Option<&'static str> = Some(PROFILE);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service
            .profile()
            .cancel_own_email_change(&call.visitor)
            .await?;
        Ok(Done::to(format!("{PROFILE}?email_cancelled")))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        show_email(state, facts, "", refusal).await
    }
}

/// What went well before, by the word in the address.
const NOTICES: [(&str, Sentence); 4] = [
    ("saved", |now| td_string!(now, profile.saved)),
    ("confirmed", |now| td_string!(now, profile.confirmed)),
    ("email_sent", |now| td_string!(now, agents.email_sent)),
    ("email_cancelled", |now| td_string!(now, agents.email_cancelled)),
];

async fn profile(State(state): State<AppState>, facts: Facts) -> Response {
    let notice = NOTICES.into_iter().find(|(word, _)| facts.asks(word));
    show(&state, &facts, None, |page| {
        page.notice = notice.map(|(_, sentence)| sentence);
    })
    .await
}

async fn show_email(state: &AppState, facts: &Facts, email: &str, refusal: Option<&Refusal>) -> Response {
    show(state, facts, refusal, |page| {
        email.clone_into(&mut page.email);
        page.refused = refusal.cloned().map(|refusal| (Part::Email, refusal));
    })
    .await
}

async fn show(
    state: &AppState,
    facts: &Facts,
    refusal: Option<&Refusal>,
    change: impl FnOnce(&mut ProfilePage),
) -> Response {
    let found = match state.service.profile().page(&facts.visitor).await {
        Ok(found) => found,
        Err(refusal) => return redirect_or_refuse(&refusal, PROFILE),
    };
    let (company, account) = (found.company, found.account);
    let moments = Moments::of(facts.locale_for(&company, &account), &company, &account);
    let mut page = ProfilePage {
        first_name: account.person.first_name.clone(),
        last_name: account.person.last_name.clone(),
        alias: account.person.alias.clone(),
        phone: account.person.phone.clone(),
        title: account.person.title.clone(),
        time_format: account.person.time_format.hours().to_string(),
        language: account.person.language.clone().unwrap_or_default(),
        company_language: company.settings.language.clone(),
        no_password: !account.has_password,
        password_min: company.settings.password_min,
        must_confirm: !found.proved && account.has_second_factor(),
        must_confirm_for_email: !found.proved_lately,
        pending_email: account
            .pending_email
            .as_ref()
            .map(|pending| (pending.address.clone(), moments.write(pending.since))),
        email: String::new(),
        notice: None,
        refused: None,
    };
    change(&mut page);
    show_form(facts.page_at(state, &company, &account, PROFILE, page), refusal)
}

/// One of the forms of the page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Basic information.
    Data,
    /// Change Password.
    Password,
    /// The e-mail address.
    Email,
}

struct ProfilePage {
    first_name: String,
    last_name: String,
    alias: String,
    phone: String,
    title: String,
    time_format: String,
    /// Language tag; empty = the company's.
    language: String,
    company_language: String,
    /// Whether there is no password to change.
    no_password: bool,
    password_min: usize,
    /// Whether the password can be changed only after identity was confirmed.
    must_confirm: bool,
    /// The same for the e-mail address.
    must_confirm_for_email: bool,
    /// The e-mail address that was typed, when it was refused.
    email: String,
    /// A new address that waits for its confirmation, and since when.
    pending_email: Option<(String, When)>,
    /// What went well before.
    notice: Option<Sentence>,
    /// The form that was refused, and why.
    refused: Option<(Part, Refusal)>,
}

impl Content for ProfilePage {
    fn head(&self, now: Locale) -> Head {
        Head::new(td_string!(now, profile.title), &[Sheet::Account]).with_account_script()
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let refusal_of = |form| match &self.refused {
            Some((refused, refusal)) if *refused == form => Some(refusal.clone()),
            _ => None,
        };
        let data_refused = refusal_of(Part::Data);
        let password_refused = refusal_of(Part::Password);
        let email_refused = refusal_of(Part::Email);
        let notice = self.notice.map(|sentence| good(sentence(now)));
        let password = if self.no_password {
            view! { <p class="quiet">{td_string!(now, sso.no_password)}</p> }.into_any()
        } else if self.must_confirm {
            confirm_first(
                td_string!(now, profile.password_confirm_first),
                td_string!(now, profile.change_password),
            )
            .into_any()
        } else {
            let account = frame.signed_in.as_ref().map(|somebody| somebody.account.clone());
            password_form(now, account, self.password_min, password_refused.as_ref()).into_any()
        };
        let email = email_card(now, &self, email_refused.as_ref());
        let any_refused = [&data_refused, &email_refused, &password_refused]
            .into_iter()
            .find_map(Option::as_ref);
        let any_refused = refused(now, any_refused, true);
        let who = frame.signed_in.clone().map(|somebody| who(now, somebody));
        let content = view! {
            <main id="content" class="settings" tabindex="-1">
                <h1>{td_string!(now, profile.title)}</h1>
                {notice}
                {any_refused}
                <section class="card" aria-labelledby="basic">
                    <h2 id="basic">{td_string!(now, profile.basic)}</h2>
                    {who}
                    {data_form(now, self, data_refused.as_ref())}
                </section>
                <section class="card" aria-labelledby="email-title">
                    <h2 id="email-title">{td_string!(now, profile.change_email)}</h2>
                    {email}
                </section>
                <section class="card" aria-labelledby="password-title">
                    <h2 id="password-title">{td_string!(now, profile.change_password)}</h2>
                    {password}
                </section>
                <section class="card" aria-labelledby="security-title">
                    <h2 id="security-title">{td_string!(now, profile.security_title)}</h2>
                    <p class="quiet">{td_string!(now, profile.security_intro)}</p>
                    <p class="card-end">
                        <a class="button" href=SECURITY>
                            {td_string!(now, profile.security_title)}
                        </a>
                    </p>
                </section>
            </main>
        };
        account_page(frame, Some(FORM), content)
    }
}

/// What waits for its confirmation, and the form for another address.
fn email_card(now: Locale, page: &ProfilePage, refusal: Option<&Refusal>) -> AnyView {
    let waiting = page
        .pending_email
        .clone()
        .map(|(email, since)| pending_email(now, email, since));
    let form = if page.must_confirm_for_email {
        confirm_first(
            td_string!(now, profile.email_confirm_first),
            td_string!(now, profile.change_email),
        )
        .into_any()
    } else {
        let input = Input {
            field: Field::Email,
            label: td_string!(now, agents.new_email),
            autocomplete: "email",
            value: page.email.clone(),
            required: true,
            hint: Some(td_string!(now, agents.email_hint).to_owned()),
            refusal,
        };
        view! {
            <p class="quiet">{td_string!(now, profile.email_intro)}</p>
            <form class="fields" method="post" action=ChangeEmail::PATH novalidate>
                {input.view(now)}
                <button class="button primary">{td_string!(now, profile.change_email)}</button>
            </form>
        }
        .into_any()
    };
    view! {
        {waiting}
        {form}
    }
    .into_any()
}

/// A new address that waits for its confirmation.
fn pending_email(now: Locale, email: String, since: When) -> AnyView {
    let button = |path, label| action(path, label, "pending-email".to_owned(), None);
    view! {
        <div class="notice caution">
            <p id="pending-email">
                {td_string!(now, agents.pending_email, email = email, when = since.shown)}
            </p>
            <div class="buttons">
                {button(ResendEmailChange::PATH, td_string!(now, agents.resend_email))}
                {button(CancelEmailChange::PATH, td_string!(now, agents.cancel_email))}
            </div>
        </div>
    }
    .into_any()
}

/// What only an administrator changes.
fn who(now: Locale, somebody: Somebody) -> AnyView {
    let role = role_name(now, somebody.role).to_owned();
    view! {
        <dl class="facts">
            {fact(td_string!(now, console.company), somebody.company)}
            {fact(td_string!(now, console.account), somebody.account)}
            {fact(td_string!(now, console.email), somebody.email)} {fact(td_string!(now, console.role), role)}
        </dl>
    }
    .into_any()
}

fn data_form(now: Locale, page: ProfilePage, refusal: Option<&Refusal>) -> AnyView {
    let input = |field, label, autocomplete, value| Input {
        field,
        label,
        autocomplete,
        value,
        required: field == Field::FirstName,
        hint: (field == Field::Alias).then(|| td_string!(now, profile.alias_hint).to_owned()),
        refusal,
    };
    let names = [
        input(
            Field::FirstName,
            td_string!(now, profile.first_name),
            "given-name",
            page.first_name,
        ),
        input(
            Field::LastName,
            td_string!(now, profile.last_name),
            "family-name",
            page.last_name,
        ),
        input(
            Field::Alias,
            td_string!(now, profile.alias),
            "nickname",
            page.alias,
        ),
        input(Field::Phone, td_string!(now, profile.phone), "tel", page.phone),
        input(
            Field::Title,
            td_string!(now, profile.job_title),
            "organization-title",
            page.title,
        ),
    ]
    .map(|input| input.view(now))
    .into_iter()
    .collect_view();
    let format = |hours: &'static str, label: &'static str| {
        view! {
            <option value=hours selected=page.time_format == hours>
                {label}
            </option>
        }
    };
    let company_language = from_tag(&page.company_language).map(name).unwrap_or_default();
    let languages = all()
        .iter()
        .map(|&offered| {
            view! {
                <option value=tag(offered) lang=tag(offered) selected=page.language == tag(offered)>
                    {name(offered)}
                </option>
            }
        })
        .collect_view();
    view! {
        <form id=FORM class="fields pairs" method="post" action=SaveProfile::PATH novalidate>
            {names}
            <div class="field">
                <label for="time_format">{td_string!(now, profile.time_format)}</label>
                <select id="time_format" name="time_format" autocomplete="off">
                    {format("24", td_string!(now, profile.hours_24))}
                    {format("12", td_string!(now, profile.hours_12))}
                </select>
            </div>
            <div class="field">
                <label for="own-language">{td_string!(now, common.language)}</label>
                <select id="own-language" name="language" autocomplete="off">
                    <option value="" selected=page.language.is_empty()>
                        {td_string!(now, profile.same_as_company, language = company_language)}
                    </option>
                    {languages}
                </select>
            </div>
            <button class="button primary">{td_string!(now, common.save)}</button>
        </form>
    }
    .into_any()
}

/// The way to a form for somebody whose last proof is too old: they would fill it in for nothing.
fn confirm_first(why: &'static str, label: &'static str) -> AnyView {
    let href = [PROFILE_CONFIRM, "?next=", PROFILE].concat();
    view! {
        <p class="quiet">{why}</p>
        <p class="card-end">
            <a class="button" href=href>
                {label}
            </a>
        </p>
    }
    .into_any()
}

fn password_form(now: Locale, account: Option<String>, least: usize, refusal: Option<&Refusal>) -> AnyView {
    let input = |field, label, autocomplete| Input {
        field,
        label,
        autocomplete,
        value: String::new(),
        required: true,
        hint: (field == Field::NewPassword).then(|| td_string!(now, profile.password_hint, count = least)),
        refusal,
    };
    let old = input(
        Field::OldPassword,
        td_string!(now, profile.old_password),
        "current-password",
    );
    let new = input(
        Field::NewPassword,
        td_string!(now, profile.new_password),
        "new-password",
    );
    let confirm = input(
        Field::ConfirmPassword,
        td_string!(now, profile.confirm_password),
        "new-password",
    );
    // Scripts ask the server there while somebody types, and write down what it says.
    let strength = view! { <p id="strength" class="strength" role="status"></p> }
        .attr("data-href", PROFILE_PASSWORD_CHECK);
    view! {
        <p class="quiet">{td_string!(now, profile.password_intro)}</p>
        <form class="fields" method="post" action=ChangePassword::PATH novalidate>
            // Password managers want to know whose password this is.
            <input class="visually-hidden" type="text" autocomplete="username" value=account tabindex="-1" aria-hidden="true" readonly />
            {old.view(now)}
            <div>
                {new.view(now)} {strength}
            </div>
            {confirm.view(now)}
            <button class="button primary">{td_string!(now, profile.change_password)}</button>
        </form>
    }
    .into_any()
}
