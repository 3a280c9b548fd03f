//! `/admin/applications/new` and `/admin/applications/{id}`: an application, what it has to know, and its form.

use axum::{
    extract::{Path, State},
    response::Response,
};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    call::Call,
    components::{
        fields::{choice, meanwhile, radio, text, why},
        forms::{good, moment, problem},
    },
    functions::Done,
    page::{Content, Frame, Head, Sheet, Typed, When},
    shell::{console::console, document::escape},
};
use vestibule_core::{
    account::{Account, Role},
    company::Company,
    oidc::application::{Application, ApplicationInput, ApplicationKind, Signing},
    paths::{ADMIN_APPLICATIONS, ADMIN_APPLICATIONS_NEW, OPENID_CONFIGURATION},
    refusal::{Field, Refusal},
    rights::Action,
};
use vestibule_service::{applications::ApplicationDetails, sessions::SignedIn};
use vestibule_translations::{Locale, td_string};

use super::{
    page_of,
    secret::{NewSecret, show_secret},
};
use crate::{
    form::{Filled, Form, redirect_or_refuse},
    http::{
        answer::{see_other, show_form},
        facts::Facts,
        moments::Moments,
    },
    pages::admin::role_boxes,
    state::AppState,
};

/// Id of the form, which the language switch sends along.
const FORM: &str = "application-form";

/// Adds an application.
#[derive(Clone, Deserialize)]
pub struct AddApplication {
    name: String,
    /// Word of what it is; missing = nothing was picked.
    #[serde(default)]
    kind: String,
    launch_uri: String,
    redirect_uris: String,
    logout_uris: String,
    back_channel_uri: String,
    #[serde(rename = "roles[]", default)]
    roles: Vec<String>,
    signing: String,
}

impl AddApplication {
    /// Who may look at its page.
    pub const RIGHT: Action = Action::ChangeApplications;

    fn input(self) -> ApplicationInput {
        ApplicationInput {
            name: self.name,
            kind: self.kind,
            redirect_uris: self.redirect_uris,
            logout_uris: self.logout_uris,
            back_channel_uri: self.back_channel_uri,
            launch_uri: self.launch_uri,
            roles: self.roles,
            signing: self.signing,
        }
    }
}

impl Form for AddApplication {
    const PATH: &'static str = ADMIN_APPLICATIONS_NEW;
    const ACTION: Action = Self::RIGHT;
    const SWITCHED: bool = true;

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        let added = call
            .service
            .console()
            .add_application(&self.input(), &call.visitor)
            .await?;
        Ok(Done {
            secret: added.secret.map(|secret| secret.reveal()),
            ..Done::to(format!("{}?added", page_of(&added.application.id.to_string())))
        })
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        // Whoever is asked for a new proof of identity keeps the page, and with it what they typed.
        let input = self.clone().input();
        open_new(state, facts, Action::SeeSettings, &Filled::again(&input, refusal)).await
    }

    async fn done(&self, state: &AppState, facts: &Facts, done: Done) -> Response {
        if done.secret.is_none() {
            return see_other(&done.to);
        }
        let page = done.to.split('?').next().unwrap_or_default();
        let id = page.rsplit('/').next().unwrap_or_default().to_owned();
        show_secret(state, facts, &id, done).await
    }
}

/// Saves an application. What it is, stays; fields that its kind has no use for are not sent.
#[derive(Clone, Deserialize)]
pub struct EditApplication {
    id: String,
    /// Version that the page showed.
    version: i64,
    name: String,
    /// Word of what it is.
    kind: String,
    launch_uri: String,
    #[serde(default)]
    redirect_uris: String,
    #[serde(default)]
    logout_uris: String,
    #[serde(default)]
    back_channel_uri: String,
    #[serde(rename = "roles[]", default)]
    roles: Vec<String>,
    signing: String,
}

impl EditApplication {
    fn input(self) -> ApplicationInput {
        ApplicationInput {
            name: self.name,
            kind: self.kind,
            redirect_uris: self.redirect_uris,
            logout_uris: self.logout_uris,
            back_channel_uri: self.back_channel_uri,
            launch_uri: self.launch_uri,
            roles: self.roles,
            signing: self.signing,
        }
    }
}

impl Form for EditApplication {
    const PATH: &'static str = "/admin/applications/edit";
    const ACTION: Action = Action::ChangeApplications;
    const OPENED: Option<&'static str> = Some(ADMIN_APPLICATIONS);
    const SWITCHED: bool = true;

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        let (id, version) = (self.id.clone(), self.version);
        call.service
            .console()
            .change_application(&id, version, &self.input(), &call.visitor)
            .await?;
        Ok(Done::to(format!("{}?saved", page_of(&id))))
    }

    fn page(&self) -> String {
        page_of(&self.id)
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        let input = self.clone().input();
        let filled = Filled::again(&input, refusal);
        open_one(state, facts, &self.id, Some(self.version), &filled).await
    }
}

pub async fn new(State(state): State<AppState>, facts: Facts) -> Response {
    open_new(&state, &facts, AddApplication::RIGHT, &Filled::OPENED).await
}

async fn open_new(
    state: &AppState,
    facts: &Facts,
    action: Action,
    form: &Filled<'_, ApplicationInput>,
) -> Response {
    match state.service.console().authorize(action, &facts.visitor).await {
        Ok(SignedIn { company, account, .. }) => {
            let page = ApplicationPage {
                form: Fields::of(None, None, form),
                details: None,
                added: false,
                saved: false,
                refusal: form.refusal.cloned(),
            };
            show_form(
                facts.page_at(state, &company, &account, ADMIN_APPLICATIONS_NEW, page),
                form.refusal,
            )
        }
        Err(refusal) => redirect_or_refuse(&refusal, ADMIN_APPLICATIONS_NEW),
    }
}

pub async fn edit(State(state): State<AppState>, Path(id): Path<String>, facts: Facts) -> Response {
    open_one(&state, &facts, &id, None, &Filled::OPENED).await
}

/// The page of an application on which another form was refused.
pub async fn show_refused(state: &AppState, facts: &Facts, id: &str, refusal: Option<&Refusal>) -> Response {
    open_one(state, facts, id, None, &Filled::refused(refusal)).await
}

async fn open_one(
    state: &AppState,
    facts: &Facts,
    id: &str,
    version: Option<i64>,
    form: &Filled<'_, ApplicationInput>,
) -> Response {
    let found = match state.service.console().application(id, &facts.visitor).await {
        Ok(found) => found,
        Err(refusal) => return redirect_or_refuse(&refusal, &page_of(id)),
    };
    let opened = |word: &str| form.is_opened() && facts.asks(word);
    let (company, own) = (found.company.clone(), found.own.clone());
    let page = ApplicationPage {
        form: Fields::of(Some(&found.application), version, form),
        details: Some(Details::of(
            state,
            facts.locale_for(&company, &own),
            (&company, &own),
            found,
        )),
        added: opened("added"),
        saved: opened("saved"),
        refusal: form.refusal.cloned(),
    };
    show_form(
        facts.page_at(state, &company, &own, page_of(id), page),
        form.refusal,
    )
}

/// What is known of an application besides its form.
struct Details {
    id: String,
    name: String,
    kind: ApplicationKind,
    /// Where it finds out everything else.
    discovery: String,
    /// Where its proxy asks; the kind of proxy follows.
    check: String,
    /// Where agents open it.
    launch_uri: Option<String>,
    last_used: Option<When>,
    /// Good secrets: since when, and until when if they end.
    secrets: Vec<(When, Option<When>)>,
}

impl Details {
    fn of(
        state: &AppState,
        locale: Locale,
        (company, own): (&Company, &Account),
        found: ApplicationDetails,
    ) -> Self {
        let moments = Moments::of(locale, company, own);
        let Application {
            id,
            settings,
            last_used_at,
            ..
        } = found.application;
        let origin = state.config.origin();
        Self {
            id: id.to_string(),
            name: settings.name,
            kind: settings.kind,
            discovery: format!("{origin}{OPENID_CONFIGURATION}"),
            check: format!("/forward-auth/nginx/{id}"),
            launch_uri: settings.launch_uri,
            last_used: last_used_at.map(|at| moments.write(at)),
            secrets: found
                .secrets
                .into_iter()
                .map(|(since, until)| (moments.write(since), until.map(|until| moments.write(until))))
                .collect(),
        }
    }
}

/// The form as it stands on the page.
struct Fields {
    /// Identifier; `None` = a new one.
    id: Option<String>,
    version: i64,
    name: Typed,
    kind: String,
    launch_uri: Typed,
    redirect_uris: Typed,
    logout_uris: Typed,
    back_channel_uri: Typed,
    /// Words of roles, separated by spaces.
    roles: Typed,
    signing: Typed,
}

impl Fields {
    fn of(saved: Option<&Application>, version: Option<i64>, form: &Filled<'_, ApplicationInput>) -> Self {
        let settings = saved.map(|saved| &saved.settings);
        let one = |uri: Option<&Option<String>>| uri.cloned().flatten().unwrap_or_default();
        let lines = |uris: Option<&Vec<String>>| uris.map(|uris| uris.join("\n")).unwrap_or_default();
        let everybody = Role::ALL;
        let roles = settings.map_or(&everybody[..], |settings| &settings.roles);
        let roles: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
        let kind = match (settings, form.typed) {
            (Some(settings), _) => settings.kind.as_str(),
            (None, Some(typed)) => typed.kind.as_str(),
            (None, None) => ApplicationKind::Web.as_str(),
        };
        Self {
            id: saved.map(|saved| saved.id.to_string()),
            version: form.version(version, saved.map_or(0, |saved| saved.version)),
            name: form.text(
                |input| &input.name,
                settings.map_or("", |settings| &settings.name),
            ),
            kind: kind.to_owned(),
            launch_uri: form.text(|input| &input.launch_uri, &one(settings.map(|s| &s.launch_uri))),
            redirect_uris: form.text(
                |input| &input.redirect_uris,
                &lines(settings.map(|s| &s.redirect_uris)),
            ),
            logout_uris: form.text(
                |input| &input.logout_uris,
                &lines(settings.map(|s| &s.logout_uris)),
            ),
            back_channel_uri: form.text(
                |input| &input.back_channel_uri,
                &one(settings.map(|s| &s.back_channel_uri)),
            ),
            roles: form.boxes(|input| input.roles.join(" "), &roles.join(" ")),
            signing: form.text(
                |input| &input.signing,
                settings
                    .map_or(Signing::Rs256, |settings| settings.signing)
                    .as_str(),
            ),
        }
    }
}

struct ApplicationPage {
    form: Fields,
    /// `None` = a new one.
    details: Option<Details>,
    /// Whether it was just added.
    added: bool,
    /// Whether it was just saved.
    saved: bool,
    refusal: Option<Refusal>,
}

impl Content for ApplicationPage {
    fn head(&self, now: Locale) -> Head {
        let title = if self.details.is_some() {
            td_string!(now, applications.one_title)
        } else {
            td_string!(now, applications.add)
        };
        Head::new(title, &[Sheet::Account, Sheet::Console]).with_account_script()
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let refusal = self.refusal.clone();
        let title = match &self.details {
            Some(details) => view! { <bdi>{details.name.clone()}</bdi> }.into_any(),
            None => td_string!(now, applications.add).into_any(),
        };
        let form = form(now, self.form, refusal.as_ref());
        let (before, after) = match self.details {
            Some(details) => (Some(connect(now, &details)), Some(more(now, details))),
            None => (None, None),
        };
        let content = view! {
            <p class="back">
                <a href=ADMIN_APPLICATIONS>{td_string!(now, applications.title)}</a>
            </p>
            <h1 id="heading">{title}</h1>
            {self.added.then(|| good(td_string!(now, applications.added)))}
            {self.saved.then(|| good(td_string!(now, company.saved)))}
            {why(now, refusal.as_ref())}
            {before}
            {form}
            {after}
        };
        console(frame, ADMIN_APPLICATIONS, Some(FORM), content)
    }
}

/// What an application is.
pub fn kind_name(now: Locale, kind: ApplicationKind) -> &'static str {
    match kind {
        ApplicationKind::Web => td_string!(now, applications.web),
        ApplicationKind::SinglePage => td_string!(now, applications.single_page),
        ApplicationKind::BehindProxy => td_string!(now, applications.behind_proxy),
    }
}

/// What the application, or its proxy, has to be told; its last use, and a way to try it.
fn connect(now: Locale, details: &Details) -> AnyView {
    let behind_proxy = details.kind == ApplicationKind::BehindProxy;
    let intro = if behind_proxy {
        td_string!(now, applications.proxy_intro)
    } else {
        td_string!(now, applications.connect_intro)
    };
    let addresses = if behind_proxy {
        let label = td_string!(now, applications.check_address);
        copied(now, "check-address", label, details.check.clone())
    } else {
        view! {
            {copied(
                now,
                "discovery",
                td_string!(now, applications.discovery),
                details.discovery.clone(),
            )}
            {copied(now, "client-id", td_string!(now, applications.client_id), details.id.clone())}
        }
        .into_any()
    };
    let used = match details.last_used.clone() {
        Some(when) => moment(when),
        None => td_string!(now, applications.never_used).into_any(),
    };
    let try_it = details.launch_uri.clone().map(|uri| {
        view! {
            <p class="card-end">
                <a class="button" href=uri target="_blank" rel="noopener">
                    {td_string!(now, applications.try_it)}
                </a>
            </p>
        }
    });
    view! {
        <section class="card" aria-labelledby="connect-title">
            <h2 id="connect-title">{td_string!(now, applications.connect_title)}</h2>
            <p class="quiet">{intro}</p>
            <div class="fields">{addresses}</div>
            <dl class="facts">
                <div>
                    <dt>{td_string!(now, applications.kind)}</dt>
                    <dd>{kind_name(now, details.kind)}</dd>
                </div>
                <div>
                    <dt>{td_string!(now, applications.last_used)}</dt>
                    <dd>{used}</dd>
                </div>
            </dl>
            {try_it}
        </section>
    }
    .into_any()
}

/// The secrets, and deleting.
fn more(now: Locale, details: Details) -> AnyView {
    let secrets = (details.kind == ApplicationKind::Web).then(|| {
        let rows = details
            .secrets
            .into_iter()
            .map(|(since, until)| {
                let sentence = if let Some(until) = until {
                    td_string!(
                        now,
                        applications.secret_until,
                        when = since.shown,
                        until = until.shown
                    )
                } else {
                    td_string!(now, applications.secret_since, when = since.shown)
                };
                view! { <li class="row">{sentence}</li> }
            })
            .collect_view();
        view! {
            <section class="card" aria-labelledby="secret-title">
                <h2 id="secret-title">{td_string!(now, applications.secret)}</h2>
                <ul class="rows">{rows}</ul>
                <p class="hint">{td_string!(now, applications.new_secret_hint)}</p>
                <form method="post" action=NewSecret::PATH>
                    <input type="hidden" name="id" value=details.id.clone() />
                    <button class="button">{td_string!(now, applications.new_secret)}</button>
                </form>
            </section>
        }
    });
    let delete = format!("{}/delete", page_of(&details.id));
    view! {
        {secrets}
        <p class="card-end">
            <a class="button" href=delete>
                {td_string!(now, applications.delete)}
            </a>
        </p>
    }
    .into_any()
}

fn form(now: Locale, fields: Fields, refusal: Option<&Refusal>) -> AnyView {
    let is_new = fields.id.is_none();
    let kind = if is_new {
        kinds(now, &fields.kind, refusal)
    } else {
        view! { <input type="hidden" name="kind" value=fields.kind.clone() /> }.into_any()
    };
    let hidden = fields.id.clone().map(|id| {
        view! {
            <input type="hidden" name="id" value=id />
            <input type="hidden" name="version" value=fields.version />
        }
    });
    let protocol = (is_new || fields.kind != ApplicationKind::BehindProxy.as_str())
        .then(|| protocol_fields(now, &fields, refusal));
    let name = text(
        now,
        Field::ApplicationName,
        td_string!(now, applications.name),
        td_string!(now, applications.name_hint),
        &fields.name,
        refusal,
    );
    let launch_uri = text(
        now,
        Field::LaunchUri,
        td_string!(now, applications.launch_uri),
        td_string!(now, applications.launch_uri_hint),
        &fields.launch_uri,
        refusal,
    );
    let (action, button) = if is_new {
        (AddApplication::PATH, td_string!(now, applications.add))
    } else {
        (EditApplication::PATH, td_string!(now, common.save))
    };
    view! {
        <form id=FORM class="fields" method="post" action=action novalidate>
            {hidden}
            {name.view(now)}
            {kind}
            {launch_uri.view(now)}
            {protocol}
            {role_boxes(now, td_string!(now, applications.roles), fields.roles, refusal)}
            {signing(now, fields.signing, refusal)}
            <div class="buttons">
                <button class="button primary">{button}</button>
                <a class="button" href=ADMIN_APPLICATIONS>
                    {td_string!(now, common.cancel)}
                </a>
            </div>
        </form>
    }
    .into_any()
}

/// What only applications have that speak the protocol.
fn protocol_fields(now: Locale, fields: &Fields, refusal: Option<&Refusal>) -> AnyView {
    let back_channel = text(
        now,
        Field::BackChannelUri,
        td_string!(now, applications.back_channel_uri),
        td_string!(now, applications.back_channel_uri_hint),
        &fields.back_channel_uri,
        refusal,
    );
    view! {
        {lines(
            now,
            Field::RedirectUris,
            td_string!(now, applications.redirect_uris),
            td_string!(now, applications.redirect_uris_hint),
            &fields.redirect_uris,
            refusal,
        )}
        {lines(
            now,
            Field::LogoutUris,
            td_string!(now, applications.logout_uris),
            td_string!(now, applications.logout_uris_hint),
            &fields.logout_uris,
            refusal,
        )}
        {back_channel.view(now)}
    }
    .into_any()
}

fn kinds(now: Locale, picked: &str, refusal: Option<&Refusal>) -> AnyView {
    let wrong = problem(now, Field::ApplicationKind, refusal);
    let choices = ApplicationKind::ALL
        .into_iter()
        .map(|kind| {
            let hint = match kind {
                ApplicationKind::Web => td_string!(now, applications.web_hint),
                ApplicationKind::SinglePage => td_string!(now, applications.single_page_hint),
                ApplicationKind::BehindProxy => td_string!(now, applications.behind_proxy_hint),
            };
            radio(
                "kind",
                kind.as_str().to_owned(),
                kind_name(now, kind).to_owned(),
                Some(hint),
                kind.as_str() == picked,
            )
        })
        .collect_view();
    view! {
        <fieldset id=Field::ApplicationKind.name() class="card" tabindex="-1">
            <legend>{td_string!(now, applications.kind)}</legend>
            {choices}
            {wrong.map(|sentence| view! { <p class="problem">{sentence}</p> })}
        </fieldset>
    }
    .into_any()
}

/// Addresses, one a line.
fn lines(
    now: Locale,
    field: Field,
    label: &'static str,
    hint: &'static str,
    typed: &Typed,
    refusal: Option<&Refusal>,
) -> AnyView {
    let id = field.name();
    let wrong = problem(now, field, refusal);
    let (hint_id, problem_id) = ([id, "-hint"].concat(), [id, "-problem"].concat());
    let described_by = match wrong {
        Some(_) => [&problem_id, " ", &hint_id].concat(),
        None => hint_id.clone(),
    };
    let invalid = wrong.is_some().then_some("true");
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <div class="control">
                <textarea
                    id=id
                    name=id
                    rows="3"
                    dir="ltr"
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    aria-invalid=invalid
                    aria-describedby=described_by
                    inner_html=escape(&typed.value)
                ></textarea>
            </div>
            {wrong.map(|sentence| view! { <p class="problem" id=problem_id>{sentence}</p> })}
            {meanwhile(now, typed.meanwhile.clone())}
            <p class="hint" id=hint_id>
                {hint}
            </p>
        </div>
    }
    .into_any()
}

fn signing(now: Locale, typed: Typed, refusal: Option<&Refusal>) -> AnyView {
    let options = Signing::ALL
        .into_iter()
        .map(|signing| {
            let word = signing.as_str();
            view! {
                <option value=word selected=typed.value == word>
                    {word}
                </option>
            }
        })
        .collect_view();
    choice(
        now,
        Field::Signing.name(),
        td_string!(now, applications.signing),
        td_string!(now, applications.signing_hint),
        problem(now, Field::Signing, refusal),
        typed.meanwhile,
        options,
    )
}

/// Something to be copied. It is an input, so that it is marked whole and copied with the keyboard too.
pub fn copied(now: Locale, id: &'static str, label: &'static str, value: String) -> AnyView {
    // Scripts show the button and copy what its attribute holds.
    let copy = view! {
        <button type="button" class="button small" hidden>
            {td_string!(now, profile.copy)}
        </button>
    }
    .attr("data-text", value.clone());
    let done = view! { <span class="quiet" role="status"></span> }
        .attr("data-done", td_string!(now, profile.copied));
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <div class="control">
                <input id=id type="text" value=value readonly dir="ltr" autocomplete="off" />
            </div>
            <div class="buttons">{copy} {done}</div>
        </div>
    }
    .into_any()
}
