//! `/admin/company`: General Information.

use axum::{extract::State, response::Response};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    call::Call,
    components::{
        fields::{choice, meanwhile, radio, why},
        forms::{copy_button, good, problem},
    },
    functions::Done,
    page::{Content, Frame, Head, Sheet, Typed},
    shell::console::console,
};
use vestibule_core::{
    company::NewAgentMail,
    paths::{ADMIN_COMPANY, LOGIN},
    refusal::{Field, Refusal},
    rights::Action,
};
use vestibule_service::{console::CompanyInfoInput, sessions::SignedIn};
use vestibule_translations::{Locale, all, from_tag, name, tag, td_string};

use crate::{
    form::{Filled, Form, Routes, redirect_or_refuse},
    http::{answer::show_form, facts::Facts},
    state::AppState,
};

/// Id of the form, which the language switch sends along.
const FORM: &str = "company-form";

/// General Information.
pub fn routes(routes: Routes) -> Routes {
    routes
        .page(ADMIN_COMPANY, SaveCompany::ACTION, company)
        .form::<SaveCompany>()
}

/// Saves General Information.
#[derive(Clone, Deserialize)]
pub struct SaveCompany {
    /// Version that the page showed.
    version: i64,
    /// Language tag.
    language: String,
    /// IANA name.
    time_zone: String,
    /// Word of how new agents are told.
    new_agent_mail: String,
}

impl Form for SaveCompany {
    const PATH: &'static str = ADMIN_COMPANY;
    const ACTION: Action = Action::ChangeCompany;
    const SWITCHED: bool = true;

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        let input = CompanyInfoInput {
            language: self.language,
            time_zone: self.time_zone,
            new_agent_mail: self.new_agent_mail,
        };
        call.service
            .console()
            .save_company(self.version, input, &call.visitor)
            .await?;
        Ok(Done::to(format!("{ADMIN_COMPANY}?saved")))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        open(state, facts, &Filled::again(self, refusal)).await
    }
}

async fn company(State(state): State<AppState>, facts: Facts) -> Response {
    open(&state, &facts, &Filled::OPENED).await
}

async fn open(state: &AppState, facts: &Facts, form: &Filled<'_, SaveCompany>) -> Response {
    let SignedIn { company, account, .. } = match state
        .service
        .console()
        .authorize(SaveCompany::ACTION, &facts.visitor)
        .await
    {
        Ok(signed_in) => signed_in,
        Err(refusal) => return redirect_or_refuse(&refusal, ADMIN_COMPANY),
    };
    let page = CompanyPage {
        agents_link: agents_link(&state.config.origin(), &company.name),
        name: company.name.clone(),
        version: form.version(form.typed.map(|form| form.version), company.version),
        language: form.text(|form| &form.language, &company.settings.language),
        time_zone: form.text(|form| &form.time_zone, &company.settings.time_zone),
        new_agent_mail: form.text(
            |form| &form.new_agent_mail,
            company.settings.new_agent_mail.as_str(),
        ),
        saved: form.is_opened() && facts.asks("saved"),
        refusal: form.refusal.cloned(),
    };
    show_form(
        facts.page_at(state, &company, &account, ADMIN_COMPANY, page),
        form.refusal,
    )
}

/// Where agents of this company sign in: the page with the company filled in.
pub fn agents_link(origin: &str, company: &str) -> String {
    let company: String = form_urlencoded::byte_serialize(company.as_bytes()).collect();
    [origin, LOGIN, "?company=", &company].concat()
}

/// That address, to be copied.
pub fn agents_link_field(now: Locale, link: &str) -> AnyView {
    view! {
        <div class="field">
            <label for="agents_link">{td_string!(now, console.agents_link)}</label>
            <div class="control">
                <input id="agents_link" type="text" value=link.to_owned() readonly dir="ltr" aria-describedby="agents_link-hint" />
            </div>
            <p class="hint" id="agents_link-hint">
                {td_string!(now, console.agents_link_hint)}
            </p>
            <div class="buttons">{copy_button(now, link.to_owned())}</div>
        </div>
    }
    .into_any()
}

struct CompanyPage {
    /// Where agents sign in.
    agents_link: String,
    name: String,
    /// Version that is saved over.
    version: i64,
    language: Typed,
    time_zone: Typed,
    new_agent_mail: Typed,
    /// Whether it was just saved.
    saved: bool,
    refusal: Option<Refusal>,
}

impl Content for CompanyPage {
    fn head(&self, now: Locale) -> Head {
        Head::new(
            td_string!(now, company.general_title),
            &[Sheet::Account, Sheet::Console],
        )
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let refusal = self.refusal.clone();
        let content = view! {
            <h1>{td_string!(now, company.general_title)}</h1>
            <p class="lead">{td_string!(now, company.general_intro)}</p>
            {self.saved.then(|| good(td_string!(now, company.saved)))}
            {why(now, refusal.as_ref())}
            {general_form(now, self, refusal.as_ref())}
        };
        console(frame, ADMIN_COMPANY, Some(FORM), content)
    }
}

fn general_form(now: Locale, page: CompanyPage, refusal: Option<&Refusal>) -> AnyView {
    let language_name =
        |word: &str| from_tag(word).map_or_else(|| word.to_owned(), |known| name(known).to_owned());
    let languages = all()
        .iter()
        .map(|&offered| {
            view! {
                <option value=tag(offered) lang=tag(offered) selected=page.language.value == tag(offered)>
                    {name(offered)}
                </option>
            }
        })
        .collect_view();
    let language = choice(
        now,
        Field::Language.name(),
        td_string!(now, company.language),
        td_string!(now, company.language_hint),
        problem(now, Field::Language, refusal),
        page.language.meanwhile.as_deref().map(language_name),
        view! {
            {unknown(&page.language.value, from_tag(&page.language.value).is_some())}
            {languages}
        },
    );
    let zone = choice(
        now,
        Field::TimeZone.name(),
        td_string!(now, company.time_zone),
        td_string!(now, company.time_zone_hint),
        problem(now, Field::TimeZone, refusal),
        page.time_zone.meanwhile,
        zones(now, &page.time_zone.value),
    );
    let modes = NewAgentMail::ALL
        .into_iter()
        .map(|mode| {
            let hint = match mode {
                NewAgentMail::AccountDetails => td_string!(now, company.account_details_hint),
                NewAgentMail::ActivationLink => td_string!(now, company.activation_link_hint),
            };
            let picked = page.new_agent_mail.value == mode.as_str();
            radio(
                "new_agent_mail",
                mode.as_str().to_owned(),
                mail_name(now, mode).to_owned(),
                Some(hint),
                picked,
            )
        })
        .collect_view();
    let mail_meanwhile = page
        .new_agent_mail
        .meanwhile
        .map(|word| NewAgentMail::from_word(&word).map_or(word, |mode| mail_name(now, mode).to_owned()));
    view! {
        <form id=FORM class="fields" method="post" action=SaveCompany::PATH novalidate>
            <input type="hidden" name="version" value=page.version />
            <section class="card" aria-labelledby="basic">
                <h2 id="basic">{td_string!(now, company.general_title)}</h2>
                <dl class="facts">
                    <div>
                        <dt>{td_string!(now, company.name)}</dt>
                        <dd>
                            <bdi>{page.name}</bdi>
                        </dd>
                    </div>
                </dl>
                <p class="hint">{td_string!(now, company.name_hint)}</p>
                {agents_link_field(now, &page.agents_link)}
                <div class="fields pairs">{language} {zone}</div>
            </section>
            <fieldset class="card">
                <legend>{td_string!(now, company.new_agent_mail)}</legend>
                <p class="hint">{td_string!(now, company.new_agent_mail_hint)}</p>
                {modes}
                {meanwhile(now, mail_meanwhile)}
            </fieldset>
            <button class="button primary">{td_string!(now, common.save)}</button>
        </form>
    }
    .into_any()
}

fn mail_name(now: Locale, mode: NewAgentMail) -> &'static str {
    match mode {
        NewAgentMail::AccountDetails => td_string!(now, company.account_details),
        NewAgentMail::ActivationLink => td_string!(now, company.activation_link),
    }
}

/// All time zones by region; what was typed stays even when it is none.
fn zones(now: Locale, picked: &str) -> AnyView {
    let mut regions: Vec<(&str, Vec<(&'static str, &str)>)> = Vec::new();
    let mut rest = Vec::new();
    for zone in chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()) {
        match zone.split_once('/') {
            Some((region, place)) => match regions.iter_mut().find(|(known, _)| *known == region) {
                Some((_, zones)) => zones.push((zone, place)),
                None => regions.push((region, vec![(zone, place)])),
            },
            None => rest.push((zone, zone)),
        }
    }
    regions.push((td_string!(now, company.zone_other), rest));
    let groups = regions
        .into_iter()
        .map(|(region, zones)| {
            let options = zones
                .into_iter()
                .map(|(zone, place)| {
                    view! {
                        <option value=zone selected=zone == picked>
                            {place.replace('_', " ")}
                        </option>
                    }
                })
                .collect_view();
            view! { <optgroup label=region.to_owned()>{options}</optgroup> }
        })
        .collect_view();
    view! {
        {unknown(picked, picked.parse::<chrono_tz::Tz>().is_ok())}
        {groups}
    }
    .into_any()
}

/// An option for a value that is none of those on offer, so that the form shows what was sent.
fn unknown(value: &str, is_known: bool) -> AnyView {
    (!is_known)
        .then(|| {
            let (value, label) = (value.to_owned(), value.to_owned());
            view! {
                <option value=value selected>
                    {label}
                </option>
            }
        })
        .into_any()
}
