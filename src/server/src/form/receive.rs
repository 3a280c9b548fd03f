//! One handler for all forms, for browsers without scripts and for programs.
//!
//! A program gets JSON. A browser gets what a person expects: on success it is sent on, on refusal the page comes back with
//! the reason and everything typed except passwords and codes.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::State,
    response::{IntoResponse, Response},
};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use vestibule_app::{call::Call, functions::Done};
use vestibule_core::{paths, refusal::Refusal, rights::Action};

use super::{
    Form, FormFields, kept,
    wait::{self, Sight},
};
use crate::{
    http::{
        answer::{apply, see_other},
        denied::Denied,
        facts::Facts,
    },
    state::AppState,
};

/// Receives the form `F`.
pub async fn receive<F: Form>(
    State(state): State<AppState>,
    facts: Facts,
    fields: Option<Extension<FormFields>>,
) -> Response {
    let fields = fields.map(|Extension(fields)| fields).unwrap_or_default();
    let form = fields.read::<F>();
    if let Err(refusal) = may_send(&state, &facts, F::ACTION).await {
        let refusal = named(refusal, &facts);
        return match form {
            Ok(form) => refused(&state, &facts, &fields, &form, &refusal).await,
            Err(_) => Denied::from(refusal).into_response(),
        };
    }
    let form = match form {
        Ok(form) => form,
        Err(refusal) => return Denied::from(refusal).into_response(),
    };
    let call = call_of(&state, &facts);
    let (sent, acting) = (form.clone(), call.clone());
    let acts = async move { sent.act(&acting).await };
    let outcome = if F::MAY_WAIT {
        let mut acts = tokio::spawn(acts);
        match wait::in_sight(&state, &facts, &mut acts).await {
            Sight::InLine(ticket) => {
                return wait::begin(&state, &facts, &fields, &ticket, (acts, call), |done: Done| {
                    Some(done.to)
                });
            }
            Sight::Done(outcome) => outcome
                .unwrap_or_else(|_| Err(internal(&facts)))
                .map_err(|refusal| named(refusal, &facts)),
        }
    } else {
        run(&facts, acts).await
    };
    let mut response = match outcome {
        Ok(done) if facts.wants_page => {
            kept::forget(&state, &facts, &form).await;
            form.done(&state, &facts, done).await
        }
        Ok(done) => Json(done).into_response(),
        Err(refusal) => refused(&state, &facts, &fields, &form, &refusal).await,
    };
    apply(&state, &call.take_effects(), &mut response);
    response
}

/// The call that a form makes.
pub fn call_of(state: &AppState, facts: &Facts) -> Call {
    let known = facts.clone();
    let choose_language = move |account: Option<&str>, company: Option<&str>| known.locale(account, company);
    Call::new(
        state.service.clone(),
        Arc::clone(&facts.visitor),
        Arc::new(choose_language),
    )
}

/// Runs it in a task of its own: a visitor who hangs up does not stop a count, a lock or a mail half-way.
///
/// # Errors
/// What it refuses; [`Refusal::Internal`] when it breaks off.
pub async fn run<T: Send + 'static>(
    facts: &Facts,
    act: impl Future<Output = Result<T, Refusal>> + Send + 'static,
) -> Result<T, Refusal> {
    tokio::spawn(act)
        .await
        .unwrap_or_else(|_| Err(internal(facts)))
        .map_err(|refusal| named(refusal, facts))
}

/// A fault without a reference gets the one of this request.
pub fn named(refusal: Refusal, facts: &Facts) -> Refusal {
    match refusal {
        Refusal::Internal { reference } if reference.is_empty() => internal(facts),
        other => other,
    }
}

/// A fault of ours, by the number of this request.
pub fn internal(facts: &Facts) -> Refusal {
    Refusal::Internal {
        reference: facts.visitor.reference.clone(),
    }
}

/// The gate before all forms: whoever may do it to nobody does not come in. What is behind it asks again, and more
/// closely.
///
/// # Errors
/// What the session, the role or the database refuses.
pub async fn may_send(state: &AppState, facts: &Facts, action: Action) -> Result<(), Refusal> {
    match action {
        // These ask for no session, or say themselves what they need.
        Action::ComeIn | Action::OwnAccount => Ok(()),
        action => match state.service.console().authorize(action, &facts.visitor).await {
            // What was typed is kept by the page, not lost on the way to a new proof of identity.
            Ok(_) | Err(Refusal::StepUpNeeded) => Ok(()),
            Err(refusal) => Err(refusal),
        },
    }
}

/// The answer to a form that was refused.
async fn refused<F: Form>(
    state: &AppState,
    facts: &Facts,
    fields: &FormFields,
    form: &F,
    refusal: &Refusal,
) -> Response {
    if !facts.wants_page {
        return Denied::from(refusal.clone()).into_response();
    }
    let leads_away = match refusal {
        Refusal::NotSignedIn | Refusal::StepUpNeeded if F::KEPT && F::ACTION != Action::ComeIn => {
            return kept::keep(state, facts, fields, form, refusal).await;
        }
        Refusal::NotSignedIn
        | Refusal::StepUpNeeded
        | Refusal::SetUpRequired
        | Refusal::PasswordChangeRequired => true,
        // Of the console nothing is shown to those whom it does not know, or about what it does not know.
        Refusal::Forbidden | Refusal::NotFound | Refusal::Malformed => {
            !matches!(F::ACTION, Action::ComeIn | Action::OwnAccount)
        }
        _ => false,
    };
    if leads_away {
        redirect_or_refuse(refusal, &form.page())
    } else {
        form.redisplay(state, facts, Some(refusal)).await
    }
}

/// What would end a parameter of a query, or be read as something else in it.
const IN_QUERY: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'&')
    .add(b'+')
    .add(b'<')
    .add(b'>');

/// The answer to somebody who may not see the page at `path`, or not yet.
pub fn redirect_or_refuse(refusal: &Refusal, path: &str) -> Response {
    match refusal {
        Refusal::NotSignedIn => {
            let next: String = form_urlencoded::byte_serialize(path.as_bytes()).collect();
            see_other(&format!("{}?next={next}", paths::LOGIN))
        }
        Refusal::SetUpRequired => see_other(paths::SECURITY_SET_UP),
        Refusal::PasswordChangeRequired => see_other(paths::CHOOSE_PASSWORD),
        Refusal::StepUpNeeded => see_other(&format!("{}&again", confirm_for(path))),
        other => Denied::from(other.clone()).into_response(),
    }
}

/// The answer to a form that has no page of its own: an error page, or the way to `path` when nothing was refused.
pub fn refused_or(refusal: Option<&Refusal>, path: &str) -> Response {
    match refusal {
        Some(refusal) => Denied::from(refusal.clone()).into_response(),
        None => see_other(path),
    }
}

/// The page that asks for a proof of identity, and leads to `next` afterwards.
pub fn confirm_for(next: &str) -> String {
    leading_to(paths::PROFILE_CONFIRM, next)
}

/// The address of a page that leads to `next` afterwards.
pub fn leading_to(page: &str, next: &str) -> String {
    format!("{page}?next={}", utf8_percent_encode(next, IN_QUERY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_up_keeps_the_whole_way_to_where_it_leads() {
        let next = "/admin/agents?state=locked&search=a b&order=desc";
        let address = confirm_for(next);
        let (_, query) = address.split_once('?').unwrap();
        let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        assert_eq!(pairs, [("next".to_owned(), next.to_owned())]);
        assert_eq!(
            confirm_for("/profile/security"),
            "/profile/confirm?next=/profile/security"
        );
    }
}
