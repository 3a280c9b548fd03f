//! The door to the server functions: one handler for programs and for plain forms.
//!
//! Both reach the same function. A program gets its JSON. A plain form, sent without scripts, gets what a person
//! expects: on success it is sent on, on refusal it comes back with the reason and everything typed except the
//! password and the code.

use std::sync::Arc;

use axum::{
    body::{Body as HttpBody, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use leptos::context::provide_context;
use vestibule_app::{
    call::{Call, Effect},
    functions::Done,
    page::{Body, CodePage, LoginPage, ProfileForm},
};
use vestibule_core::{
    paths,
    refusal::Refusal,
    rights::{self, Action},
    secret::Token,
    signed_in::FormRefusal,
};

use super::{
    cookies::Kind,
    denied::Denied,
    facts::Facts,
    form_guard::FormFields,
    pages::{
        self, closed, mark, see_other, show, turned_away,
        waiting::{self, Sight},
    },
};
use crate::state::AppState;

/// Largest answer of a server function, in bytes.
const ANSWER_MAX: usize = 256 * 1024;

/// Calls the server function at the address of the request.
pub async fn call(State(state): State<AppState>, mut request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let facts = Facts::of(&state, &parts);
    let fields = parts.extensions.get::<FormFields>().cloned().unwrap_or_default();
    request = Request::from_parts(parts, body);
    // The function always answers a program; what a plain form gets is made from that here.
    request
        .headers_mut()
        .insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    request.headers_mut().remove(header::REFERER);

    if let Err(refusal) = may_call(&state, &facts).await {
        return match refusal {
            // The form's page says it in its own way.
            refusal if facts.wants_page => come_back(&state, &facts, &fields, &refusal).await,
            refusal => Denied::from(refusal).into_response(),
        };
    }
    let known = facts.clone();
    let choose_language = move |account: Option<&str>, company: Option<&str>| known.locale(account, company);
    let call = Call::new(
        state.service.clone(),
        facts.visitor.clone(),
        Arc::new(choose_language),
    );
    let context = call.clone();
    let about = facts.clone();
    // In a task of its own: a visitor who hangs up does not stop a count, a lock or a mail half-way.
    let mut run = tokio::spawn(async move {
        let answer =
            leptos_axum::handle_server_fns_with_context(move || provide_context(context.clone()), request)
                .await
                .into_response();
        outcome_of(answer, &about).await
    });
    let outcome = if waiting::may_wait(facts.path.as_str()) {
        match waiting::in_sight(&state, &facts, &mut run).await {
            Sight::InLine(ticket) => return waiting::begin(&state, &facts, &fields, &ticket, (run, call)),
            Sight::Done(outcome) => outcome,
        }
    } else {
        run.await
    };
    let outcome = outcome.unwrap_or_else(|_| Err(internal(&facts)));
    let mut response = match outcome {
        Ok(bytes) if facts.wants_page => go_on(&state, &facts, &fields, &bytes).await,
        Ok(bytes) => {
            let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
            (StatusCode::OK, json, HttpBody::from(bytes)).into_response()
        }
        Err(refusal) if facts.wants_page => come_back(&state, &facts, &fields, &refusal).await,
        Err(refusal) => Denied::from(refusal).into_response(),
    };
    apply(&state, &call.take_effects(), &mut response);
    response
}

/// What a server function answered.
async fn outcome_of(answer: Response, facts: &Facts) -> Result<Bytes, Refusal> {
    let (parts, body) = answer.into_parts();
    let bytes = to_bytes(body, ANSWER_MAX).await.map_err(|_| internal(facts))?;
    if parts.status.is_success() {
        return Ok(bytes);
    }
    Err(serde_json::from_slice::<Refusal>(&bytes)
        .map_or_else(|_| internal(facts), |found| named(found, facts)))
}

/// The door to all server functions: each has an action, and whoever may do it to nobody does not come in. What is
/// behind it asks again, and more closely.
async fn may_call(state: &AppState, facts: &Facts) -> Result<(), Refusal> {
    let path = facts.path.split('?').next().unwrap_or_default();
    let action = rights::action_at(path).ok_or(Refusal::NotFound)?;
    match action {
        // These ask for no session, or say themselves what they need.
        Action::ComeIn | Action::OwnAccount => Ok(()),
        action => match state.service.console(action, &facts.visitor).await {
            // What was typed is kept by the page, not lost on the way to a new proof of identity.
            Ok(_) | Err(Refusal::Form(FormRefusal::StepUpNeeded)) => Ok(()),
            Err(refusal) => Err(refusal),
        },
    }
}

/// A fault without a reference gets the one of this request.
fn named(refusal: Refusal, facts: &Facts) -> Refusal {
    match refusal {
        Refusal::Internal { reference } if reference.is_empty() => internal(facts),
        other => other,
    }
}

pub(super) fn internal(facts: &Facts) -> Refusal {
    Refusal::Internal {
        reference: facts.visitor.reference.clone(),
    }
}

/// What a plain form gets that was accepted: the way on, or what is shown only now.
async fn go_on(state: &AppState, facts: &Facts, fields: &FormFields, answer: &[u8]) -> Response {
    // Where to go is the same in every answer; only some bring more.
    let Ok(Done { to, backup_codes }) = serde_json::from_slice(answer) else {
        // A function that answers with data has no page of its own.
        return see_other(paths::LOGIN);
    };
    if let Some(codes) = backup_codes {
        if facts.path == paths::AGENTS_BACKUP_CODE {
            return pages::agents::issued(state, facts, fields, codes, to).await;
        }
        return pages::security::new_backup_codes(state, facts, codes, to).await;
    }
    // The language was changed in the middle of a form.
    let of_company = [
        (paths::ADMIN_COMPANY, "version"),
        (paths::ADMIN_SECURITY, "version"),
        (paths::ADMIN_MAIL, "version"),
        (paths::ADMIN_SSO, "google_version"),
    ]
    .into_iter()
    .find(|(path, version)| *path == to && fields.get(version).is_some())
    .map(|(path, _)| path);
    let of_profile = to == paths::PROFILE && fields.get("first_name").is_some();
    let of_agent = to.starts_with(paths::AGENTS) && fields.get("first_name").is_some();
    // What was refused is said again in the new language.
    let refused = fields
        .get("refused")
        .and_then(|refusal| serde_json::from_str::<Refusal>(refusal).ok());
    if facts.path == paths::LANGUAGE && (of_profile || of_agent || of_company.is_some() || refused.is_some())
    {
        let chosen = fields
            .get("shown_in")
            .or_else(|| fields.get("language"))
            .and_then(vestibule_translations::from_tag);
        let facts = match chosen {
            Some(_) => facts.clone().choosing(chosen),
            None => facts.clone(),
        };
        if let Some(refusal) = refused {
            return match to.as_str() {
                paths::FORGOT_PASSWORD => pages::recovery::again(state, &facts, fields, Some(&refusal)),
                paths::CHOOSE_PASSWORD => pages::links::choice_refused(state, &facts, &refusal).await,
                paths::LOGIN_BIND => pages::sso::bind_again(state, &facts, fields, &refusal).await,
                _ => see_other(&to),
            };
        }
        if of_company == Some(paths::ADMIN_MAIL) {
            return pages::mail_server::again(state, &facts, fields, None).await;
        }
        if of_company == Some(paths::ADMIN_SSO) {
            return pages::sso_settings::again(state, &facts, fields, None).await;
        }
        if let Some(path) = of_company {
            return pages::company::again(state, &facts, fields, path, None).await;
        }
        if of_agent {
            return pages::agents::form_again(state, &facts, fields, None).await;
        }
        return pages::profile::in_another_language(state, &facts, fields).await;
    }
    see_other(&to)
}

/// The page that a refused plain form came from, with the reason.
async fn come_back(state: &AppState, facts: &Facts, fields: &FormFields, refusal: &Refusal) -> Response {
    let path = facts.path.as_str();
    match path {
        paths::LOGIN => return login_again(state, facts, fields, refusal).await,
        paths::LOGIN_CODE | paths::LOGIN_CODE_RESEND | paths::LOGIN_CODE_METHOD => {
            return code_again(state, facts, fields, refusal).await;
        }
        paths::ADMIN_COMPANY => {
            return pages::company::again(state, facts, fields, paths::ADMIN_COMPANY, Some(refusal)).await;
        }
        paths::ADMIN_SECURITY => {
            return pages::company::again(state, facts, fields, paths::ADMIN_SECURITY, Some(refusal)).await;
        }
        paths::ADMIN_MAIL => return pages::mail_server::again(state, facts, fields, Some(refusal)).await,
        paths::ADMIN_MAIL_TEST => return pages::mail_server::test_refused(state, facts, refusal).await,
        paths::ADMIN_SSO => return pages::sso_settings::again(state, facts, fields, Some(refusal)).await,
        paths::ADMIN_SSO_TEST => return pages::sso_settings::test_refused(state, facts, refusal).await,
        paths::AGENTS_NEW | paths::AGENTS_EDIT => {
            return pages::agents::form_again(state, facts, fields, Some(refusal)).await;
        }
        paths::LOGIN_BIND if *refusal == Refusal::SignInExpired => {
            return pages::sso::problem(state, facts, refusal);
        }
        paths::LOGIN_BIND => return pages::sso::bind_again(state, facts, fields, refusal).await,
        paths::LOGIN_BIND_COMPANY | paths::LOGIN_BIND_CANCEL => {
            return pages::sso::problem(state, facts, refusal);
        }
        paths::FORGOT_PASSWORD => return pages::recovery::again(state, facts, fields, Some(refusal)),
        paths::CHOOSE_PASSWORD => return pages::links::choice_refused(state, facts, refusal).await,
        paths::CONFIRM_EMAIL | paths::STOP_EMAIL_CHANGE => {
            return pages::links::email_refused(state, facts, refusal);
        }
        path if path.starts_with(paths::AGENTS) && path != paths::AGENTS_IMPORT_START => {
            return pages::agents::refused(state, facts, fields, refusal).await;
        }
        paths::AGENTS_IMPORT_START => {
            return pages::import::start_refused(state, facts, fields, refusal).await;
        }
        _ => {}
    }
    let Some(page) = page_of(path) else {
        return Denied::from(refusal.clone()).into_response();
    };
    match refusal {
        Refusal::NotSignedIn
        | Refusal::Form(
            FormRefusal::StepUpNeeded | FormRefusal::SetUpRequired | FormRefusal::PasswordChangeRequired,
        ) => turned_away(refusal, page),
        Refusal::Form(FormRefusal::SetUpOver) => pages::security::set_up_over(state, facts, refusal).await,
        _ => page_again(state, facts, fields, refusal, page).await,
    }
}

async fn page_again(
    state: &AppState,
    facts: &Facts,
    fields: &FormFields,
    refusal: &Refusal,
    page: &str,
) -> Response {
    let reason = Some(refusal);
    match page {
        paths::PROFILE => {
            let form = match facts.path.as_str() {
                paths::PROFILE_PASSWORD => ProfileForm::Password,
                paths::PROFILE_EMAIL | paths::PROFILE_EMAIL_RESEND | paths::PROFILE_EMAIL_CANCEL => {
                    ProfileForm::Email
                }
                _ => ProfileForm::Data,
            };
            pages::profile::refused(state, facts, fields, form, refusal).await
        }
        paths::PROFILE_CONFIRM => pages::profile::confirm_refused(state, facts, fields, refusal).await,
        paths::SECURITY_EMAIL => pages::security::show_email(state, facts, reason).await,
        paths::SECURITY_APP => pages::security::show_app(state, facts, reason).await,
        paths::SECURITY_APP_CODE => pages::security::show_app_code(state, facts, reason).await,
        paths::SECURITY_BACKUP_CODES => pages::security::show_backup_codes(state, facts, reason).await,
        _ => pages::security::show_settings(state, facts, reason).await,
    }
}

/// Sends somebody who opens the address of a form to the page that holds it.
pub async fn page_of_form(uri: Uri) -> Response {
    see_other(page_of(uri.path()).unwrap_or(paths::PROFILE))
}

/// The page that holds the form with this address; only forms of signed-in agents are known here.
fn page_of(path: &str) -> Option<&'static str> {
    Some(match path {
        paths::PROFILE
        | paths::PROFILE_PASSWORD
        | paths::PROFILE_EMAIL
        | paths::PROFILE_EMAIL_RESEND
        | paths::PROFILE_EMAIL_CANCEL => paths::PROFILE,
        paths::PROFILE_CONFIRM => paths::PROFILE_CONFIRM,
        paths::SECURITY_EMAIL | paths::SECURITY_EMAIL_CODE | paths::SECURITY_EMAIL_RESEND => {
            paths::SECURITY_EMAIL
        }
        paths::SECURITY_APP => paths::SECURITY_APP,
        paths::SECURITY_APP_CODE => paths::SECURITY_APP_CODE,
        paths::SECURITY_BACKUP_CODES => paths::SECURITY_BACKUP_CODES,
        paths::SECURITY_EMAIL_OFF
        | paths::SECURITY_APP_OFF
        | paths::SECURITY_TRUSTED_REMOVE
        | paths::SECURITY_TRUSTED_REMOVE_ALL
        | paths::SECURITY_SESSION_END
        | paths::SECURITY_SSO_DISCONNECT
        | paths::SECURITY_SESSIONS_END_OTHERS => paths::SECURITY,
        _ => return None,
    })
}

async fn code_again(state: &AppState, facts: &Facts, fields: &FormFields, refusal: &Refusal) -> Response {
    if matches!(
        refusal,
        Refusal::AccountLocked | Refusal::AccountInactive | Refusal::CompanyDisabled
    ) {
        return closed(state, facts, refusal);
    }
    match state.service.open_sign_in(&facts.visitor).await {
        Ok(open) => {
            let (trust, backup) = (fields.get("trust").is_some(), fields.get("backup").is_some());
            let page = CodePage {
                view: open.view,
                refusal: Some(refusal.clone()),
                resent: false,
                trust,
                backup,
            };
            let page = pages::code_page(state, facts, &open.language, page);
            let mut response = show(StatusCode::OK, page);
            mark(&mut response, refusal);
            response
        }
        Err(Refusal::SignInExpired) => login_again(state, facts, fields, &Refusal::SignInExpired).await,
        Err(reason) => closed(state, facts, &reason),
    }
}

pub(super) async fn login_again(
    state: &AppState,
    facts: &Facts,
    fields: &FormFields,
    refusal: &Refusal,
) -> Response {
    let typed = |name| fields.get(name).map(str::to_owned);
    let company = typed("company")
        .or_else(|| facts.company.clone())
        .unwrap_or_default();
    // Without the buttons the refusal is said all the same.
    let providers = pages::providers(state, facts).await.unwrap_or_default();
    let page = LoginPage {
        forgot: pages::forgot_password(&company),
        providers,
        company,
        account: typed("account").unwrap_or_default(),
        next: typed("next").filter(|next| paths::is_local(next)),
        refusal: Some(refusal.clone()),
        signed_out: false,
        password_changed: false,
    };
    let page = facts.page(state, Body::Login(page));
    let mut response = show(StatusCode::OK, page);
    mark(&mut response, refusal);
    response
}

/// Turns effects into headers.
pub(super) fn apply(state: &AppState, effects: &[Effect], response: &mut Response) {
    let headers = response.headers_mut();
    let cookies = &state.cookies;
    for effect in effects {
        let cookie = match effect {
            Effect::Session(Some(token)) => cookies.set(Kind::Session, &token.reveal()),
            Effect::Session(None) => cookies.remove(Kind::Session),
            Effect::Pending(Some(token)) => cookies.set(Kind::Pending, &token.reveal()),
            Effect::Pending(None) => cookies.remove(Kind::Pending),
            Effect::Trusted(tokens) => {
                let list: Vec<_> = tokens.iter().map(Token::reveal).collect();
                cookies.set(Kind::Trusted, &list.join("."))
            }
            Effect::Browser(token) => cookies.set(Kind::Browser, &token.reveal()),
            Effect::Company(name) => cookies.set(Kind::Company, name),
            Effect::Link(Some(token)) => cookies.set(Kind::Link, &token.reveal()),
            Effect::Link(None) => cookies.remove(Kind::Link),
            Effect::SsoFlowOver => cookies.remove(Kind::SsoFlow),
            Effect::Language(Some(tag)) => cookies.set(Kind::Language, tag),
            Effect::Language(None) => cookies.remove(Kind::Language),
            Effect::ClearSiteData => {
                headers.insert("clear-site-data", HeaderValue::from_static("\"storage\""));
                None
            }
        };
        if let Some(cookie) = cookie {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
}
