//! The secret of an application: made anew, and shown this once.

use axum::response::Response;
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    call::Call,
    functions::Done,
    page::{Content, Frame, Head, Sheet},
    shell::console::console,
};
use vestibule_core::{paths::ADMIN_APPLICATIONS, refusal::Refusal, rights::Action};
use vestibule_service::applications::ApplicationDetails;
use vestibule_translations::{Locale, td_string};

use super::{
    edit::{copied, show_refused},
    page_of,
};
use crate::{
    form::{Form, redirect_or_refuse},
    http::{answer::show_form, facts::Facts},
    state::AppState,
};

/// Makes a new secret; the one before stays good for a day.
#[derive(Clone, Deserialize)]
pub struct NewSecret {
    id: String,
}

impl Form for NewSecret {
    const PATH: &'static str = "/admin/applications/secret";
    const ACTION: Action = Action::ChangeApplications;
    const OPENED: Option<&'static str> = Some(ADMIN_APPLICATIONS);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        let secret = call
            .service
            .console()
            .rotate_application_secret(&self.id, &call.visitor)
            .await?;
        Ok(Done {
            secret: Some(secret.reveal()),
            ..Done::to(page_of(&self.id))
        })
    }

    fn page(&self) -> String {
        page_of(&self.id)
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        show_refused(state, facts, &self.id, refusal).await
    }

    async fn done(&self, state: &AppState, facts: &Facts, done: Done) -> Response {
        show_secret(state, facts, &self.id, done).await
    }
}

/// The page that shows a secret which was just made.
pub async fn show_secret(state: &AppState, facts: &Facts, id: &str, done: Done) -> Response {
    let found = state.service.console().application(id, &facts.visitor).await;
    match found {
        Ok(ApplicationDetails {
            company,
            own,
            application,
            ..
        }) => {
            let page = SecretPage {
                name: application.settings.name,
                client_id: application.id.to_string(),
                secret: done.secret.unwrap_or_default(),
                to: done.to.clone(),
            };
            show_form(facts.page_at(state, &company, &own, done.to, page), None)
        }
        Err(refusal) => redirect_or_refuse(&refusal, ADMIN_APPLICATIONS),
    }
}

/// A secret that was just made. It is shown this once, so it has no `Debug`.
struct SecretPage {
    name: String,
    client_id: String,
    secret: String,
    /// Where `Done` leads.
    to: String,
}

impl Content for SecretPage {
    fn head(&self, now: Locale) -> Head {
        Head::new(
            td_string!(now, applications.secret),
            &[Sheet::Account, Sheet::Console],
        )
        .with_account_script()
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let content = view! {
            <h1>{td_string!(now, applications.secret)}</h1>
            <p class="lead">
                <bdi>{self.name}</bdi>
            </p>
            <p class="notice caution">{td_string!(now, applications.secret_once)}</p>
            <div class="fields">
                {copied(now, "client-id", td_string!(now, applications.client_id), self.client_id)}
                {copied(now, "client-secret", td_string!(now, applications.secret), self.secret)}
            </div>
            <p class="card-end">
                <a class="button primary" href=self.to>
                    {td_string!(now, agents.done)}
                </a>
            </p>
        };
        console(frame, ADMIN_APPLICATIONS, None, content)
    }
}
