//! Error pages, and what stands in the place of the sign-in screens when an account is locked.

use std::sync::Arc;

use axum::{http::StatusCode, response::Response};
use leptos::prelude::*;
use vestibule_app::{
    components::{
        frame::gate,
        notice::{LOCKED_TITLE, locked_panel},
    },
    page::{Content, Frame, Head},
    shell::{document::shell, site::site},
};
use vestibule_core::{paths, refusal::Refusal};
use vestibule_translations::{Locale, refusal, td_string};

use crate::{
    http::{
        answer::{show, show_form},
        denied::DeniedPage,
        facts::Facts,
    },
    state::AppState,
};

/// The page of a refusal that a layer or a program's answer became.
pub fn of_denied(state: AppState) -> DeniedPage {
    Arc::new(move |parts, denied| {
        let state = state.clone();
        Box::pin(async move {
            let facts = Facts::of(&state, &parts);
            show(StatusCode::OK, facts.page(&state, Problem(denied.refusal)))
        })
    })
}

/// The page of a sign-in that the gate stopped; the language form comes back to `path`, when that is another page.
pub fn closed(state: &AppState, facts: &Facts, refusal: &Refusal, path: Option<&str>) -> Response {
    if *refusal == Refusal::AccountLocked {
        let mut page = facts.page(state, Locked);
        if let Some(path) = path {
            path.clone_into(&mut page.frame.path);
        }
        return show_form(page, Some(refusal));
    }
    let mut page = facts.page(state, Problem(refusal.clone()));
    if let Some(path) = path {
        path.clone_into(&mut page.frame.path);
    }
    show_form(page, Some(refusal))
}

/// An error page: what happened, in one sentence, and the way back.
pub struct Problem(pub Refusal);

impl Content for Problem {
    fn head(&self, now: Locale) -> Head {
        Head::new(refusal::title(now, &self.0), &[])
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let heading = refusal::title(now, &self.0);
        let sentence = refusal::full_sentence(now, &self.0);
        // A number helps where somebody asks for help: not found, or broken.
        let status = matches!(self.0, Refusal::NotFound | Refusal::Internal { .. }).then(|| self.0.status());
        let home = matches!(
            self.0,
            Refusal::NotFound | Refusal::Forbidden | Refusal::Internal { .. }
        );
        let back = if home {
            view! { <a class="button primary" href="/">{td_string!(now, errors.go_home)}</a> }.into_any()
        } else {
            view! { <a class="button primary" href=paths::LOGIN>{td_string!(now, sign_in.back_to_sign_in)}</a> }
                .into_any()
        };
        let content = view! {
            <main id="content" class="problem-page" tabindex="-1">
                {status
                    .map(|status| {
                        view! {
                            <p class="problem-status" aria-hidden="true">
                                {status}
                            </p>
                        }
                    })}
                <h1>{heading}</h1>
                <p class="lead">{sentence}</p>
                <p>{back}</p>
            </main>
        };
        site(frame, content)
    }
}

/// The fifth wrong code, or any code for a locked account.
struct Locked;

impl Content for Locked {
    fn head(&self, now: Locale) -> Head {
        Head::new(td_string!(now, sign_in.locked_title), &[])
    }

    fn view(self, frame: Frame) -> AnyView {
        let locale = RwSignal::new(frame.locale);
        gate(shell(frame), locale, || LOCKED_TITLE, None, locked_panel(locale)).into_any()
    }
}
