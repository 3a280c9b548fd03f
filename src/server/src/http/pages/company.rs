//! Overview, General Information and Security of a company.

use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use vestibule_app::page::{Body, CompanyPage, DayRow, MailsWaiting, OverviewPage, PoliciesPage, Typed};
use vestibule_core::{
    account::Role, company::RequireSecondFactor, paths, refusal::Refusal, rights::Action,
    signed_in::FormRefusal,
};
use vestibule_service::{console::DayOfSignIns, sessions::SignedIn};

use super::{landing_page, mark, page_for, see_other, show, signed_in, turned_away};
use crate::{
    http::{facts::Facts, form_guard::FormFields, moments::Moments},
    state::AppState,
};

/// `/admin`: the overview of a company. Supervisors begin with the list of agents.
pub async fn overview(State(state): State<AppState>, request: Request) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    let signed_in = match signed_in(&state, &facts).await {
        Ok(signed_in) => signed_in,
        Err(response) => return *response,
    };
    if signed_in.account.highest_role() == Role::Supervisor {
        return see_other(paths::AGENTS);
    }
    let overview = match state.service.overview(&facts.visitor).await {
        Ok(overview) => overview,
        Err(Refusal::Forbidden) => {
            let page = page_for(&state, &facts, &signed_in, Body::Problem(Refusal::Forbidden));
            return show(StatusCode::FORBIDDEN, page);
        }
        Err(refusal) => return turned_away(&refusal, paths::ADMIN),
    };
    let landing = landing_page(&state, &facts, &signed_in).await;
    let moments = Moments::of(&overview.company, &overview.own);
    let body = OverviewPage {
        few_backup_codes: landing.few_backup_codes,
        signed_in: overview.signed_in,
        locked: overview.agents.locked,
        waiting: overview.waiting,
        mails: MailsWaiting {
            waiting: overview.mail.waiting,
            failing: overview.mail.failing,
            oldest: overview.mail.oldest.map(|since| moments.write(since)),
            given_up: overview.mail.given_up,
        },
        active: overview.agents.active,
        with_second_factor: overview.agents.with_second_factor,
        days: overview.days.iter().map(day).collect(),
    };
    show(
        StatusCode::OK,
        page_for(&state, &facts, &signed_in, Body::Admin(body)),
    )
}

fn day(day: &DayOfSignIns) -> DayRow {
    DayRow {
        day: day.day.format("%Y-%m-%d").to_string(),
        short: day.day.format("%-d").to_string(),
        signed_in: day.signed_in,
        failed: day.failed,
    }
}

/// `/admin/company`
pub async fn general(State(state): State<AppState>, request: Request) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    match state.service.console(Action::ChangeCompany, &facts.visitor).await {
        Ok(signed_in) => show_general(&state, &facts, &signed_in, None, None),
        Err(refusal) => turned_away(&refusal, paths::ADMIN_COMPANY),
    }
}

/// `/admin/security`
pub async fn policies(State(state): State<AppState>, request: Request) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    match state
        .service
        .console(Action::ChangePolicies, &facts.visitor)
        .await
    {
        Ok(signed_in) => show_policies(&state, &facts, &signed_in, None, None).await,
        Err(refusal) => turned_away(&refusal, paths::ADMIN_SECURITY),
    }
}

/// The page at `path` with everything typed: after it was refused, or in another language.
pub async fn again(
    state: &AppState,
    facts: &Facts,
    fields: &FormFields,
    path: &'static str,
    refusal: Option<&Refusal>,
) -> Response {
    if let Some(refusal @ (Refusal::NotSignedIn | Refusal::Forbidden | Refusal::Malformed)) = refusal {
        return turned_away(refusal, path);
    }
    // Whoever is asked for a new proof of identity keeps the page, and with it what they typed.
    match state.service.console(Action::ChangeCompany, &facts.visitor).await {
        Ok(signed_in) if path == paths::ADMIN_COMPANY => {
            show_general(state, facts, &signed_in, Some(fields), refusal)
        }
        Ok(signed_in) => show_policies(state, facts, &signed_in, Some(fields), refusal).await,
        Err(reason) => turned_away(&reason, path),
    }
}

fn show_general(
    state: &AppState,
    facts: &Facts,
    signed_in: &SignedIn,
    fields: Option<&FormFields>,
    refusal: Option<&Refusal>,
) -> Response {
    let company = &signed_in.company;
    let form = Form { fields, refusal };
    let body = CompanyPage {
        name: company.name.clone(),
        version: form.version(company.version),
        language: form.typed("language", &company.language),
        time_zone: form.typed("time_zone", &company.time_zone),
        new_agent_mail: form.typed("new_agent_mail", company.new_agent_mail.as_str()),
        zones: chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()).collect(),
        saved: fields.is_none() && facts.asks("saved"),
        refusal: refusal.cloned(),
    };
    show_to(
        state,
        facts,
        signed_in,
        paths::ADMIN_COMPANY,
        Body::Company(body),
        refusal,
    )
}

async fn show_policies(
    state: &AppState,
    facts: &Facts,
    signed_in: &SignedIn,
    fields: Option<&FormFields>,
    refusal: Option<&Refusal>,
) -> Response {
    let company = &signed_in.company;
    let form = Form { fields, refusal };
    let minutes = company.idle_minutes.map(|minutes| minutes.to_string());
    let require_second_factor = form.typed("require_second_factor", company.require_second_factor.as_str());
    let without_second_factor = if require_second_factor.value == RequireSecondFactor::Everyone.as_str() {
        // The number only helps: a fault in it keeps nobody from the policies.
        match state.service.overview(&facts.visitor).await {
            Ok(overview) => overview.agents.active - overview.agents.with_second_factor,
            Err(_) => 0,
        }
    } else {
        0
    };
    let (log_out, idle_minutes) = form.log_out(minutes);
    let body = PoliciesPage {
        version: form.version(company.version),
        two_factor_days: form.typed("two_factor_days", &company.two_factor.days().to_string()),
        require_second_factor,
        password_min: form.typed("password_min", &company.password_min.to_string()),
        log_out,
        idle_minutes,
        without_second_factor,
        saved: fields.is_none() && facts.asks("saved"),
        refusal: refusal.cloned(),
    };
    show_to(
        state,
        facts,
        signed_in,
        paths::ADMIN_SECURITY,
        Body::Policies(body),
        refusal,
    )
}

/// What was typed into a form that comes back, if it does.
pub(super) struct Form<'a> {
    pub fields: Option<&'a FormFields>,
    pub refusal: Option<&'a Refusal>,
}

impl Form<'_> {
    /// Whether somebody else saved a newer version while this one was filled in.
    pub fn is_late(&self) -> bool {
        matches!(self.refusal, Some(Refusal::Form(FormRefusal::ChangedMeanwhile)))
    }

    fn sent(&self, name: &str) -> Option<&str> {
        self.fields?.get(name)
    }

    /// The version that is saved over next: the one that was shown, until the newer one has been shown too.
    pub fn version(&self, current: i64) -> i64 {
        self.version_in("version", current)
    }

    /// The same for one of several versions in a form.
    pub fn version_in(&self, name: &str, current: i64) -> i64 {
        if self.is_late() {
            return current;
        }
        self.sent(name)
            .and_then(|version| version.parse().ok())
            .unwrap_or(current)
    }

    pub fn typed(&self, name: &str, saved: &str) -> Typed {
        let value = self.sent(name).unwrap_or(saved).to_owned();
        Typed {
            meanwhile: (self.is_late() && value.trim() != saved).then(|| saved.to_owned()),
            value,
        }
    }

    /// Boxes: what was not ticked was not sent.
    pub fn ticked(&self, name: &str, saved: &str) -> Typed {
        let value = match self.fields {
            Some(fields) => fields.all(name).collect::<Vec<_>>().join(" "),
            None => saved.to_owned(),
        };
        Typed {
            meanwhile: (self.is_late() && value != saved).then(|| saved.to_owned()),
            value,
        }
    }

    /// Whether sessions end without activity, and after how many minutes; `saved` is the saved number.
    fn log_out(&self, saved: Option<String>) -> (bool, Typed) {
        let after = self
            .sent("log_out")
            .map_or(saved.is_some(), |word| word != "never");
        let saved = saved.unwrap_or_default();
        let value = self.sent("idle_minutes").unwrap_or(&saved).to_owned();
        let wanted = if after { value.trim() } else { "" };
        let meanwhile = (self.is_late() && wanted != saved).then(|| saved.clone());
        (after, Typed { value, meanwhile })
    }
}

/// A page of the console whose language form comes back to `path`.
pub(super) fn show_to(
    state: &AppState,
    facts: &Facts,
    signed_in: &SignedIn,
    path: &str,
    body: Body,
    refusal: Option<&Refusal>,
) -> Response {
    let mut page = page_for(state, facts, signed_in, body);
    path.clone_into(&mut page.frame.path);
    let mut response = show(StatusCode::OK, page);
    if let Some(refusal) = refusal {
        mark(&mut response, refusal);
    }
    response
}
