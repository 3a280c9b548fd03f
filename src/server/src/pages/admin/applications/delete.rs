//! `/admin/applications/{id}/delete`: asks once.

use axum::{
    extract::{Path, State},
    response::Response,
};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    call::Call,
    components::forms::refused,
    functions::Done,
    page::{Content, Frame, Head, Sheet},
    shell::console::console,
};
use vestibule_core::{paths::ADMIN_APPLICATIONS, refusal::Refusal, rights::Action};
use vestibule_translations::{Locale, td_string};

use super::page_of;
use crate::{
    form::{Form, redirect_or_refuse},
    http::{answer::show_form, facts::Facts},
    state::AppState,
};

/// Deletes an application.
#[derive(Clone, Deserialize)]
pub struct DeleteApplication {
    id: String,
}

impl Form for DeleteApplication {
    const PATH: &'static str = "/admin/applications/delete";
    const ACTION: Action = Action::ChangeApplications;
    const OPENED: Option<&'static str> = Some(ADMIN_APPLICATIONS);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service
            .console()
            .delete_application(&self.id, &call.visitor)
            .await?;
        Ok(Done::to(format!("{ADMIN_APPLICATIONS}?deleted")))
    }

    fn page(&self) -> String {
        format!("{}/delete", page_of(&self.id))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        show(state, facts, &self.id, refusal).await
    }
}

pub async fn ask(State(state): State<AppState>, Path(id): Path<String>, facts: Facts) -> Response {
    // Whoever is asked whether to delete should not be asked for a proof of identity only afterwards.
    match state
        .service
        .console()
        .authorize(DeleteApplication::ACTION, &facts.visitor)
        .await
    {
        Ok(_) => show(&state, &facts, &id, None).await,
        Err(refusal) => redirect_or_refuse(&refusal, &facts.path),
    }
}

async fn show(state: &AppState, facts: &Facts, id: &str, refusal: Option<&Refusal>) -> Response {
    match state.service.console().application(id, &facts.visitor).await {
        Ok(found) => {
            let page = DeletePage {
                id: found.application.id.to_string(),
                name: found.application.settings.name,
                refusal: refusal.cloned(),
            };
            let path = format!("{}/delete", page_of(id));
            show_form(
                facts.page_at(state, &found.company, &found.own, path, page),
                refusal,
            )
        }
        Err(refusal) => redirect_or_refuse(&refusal, ADMIN_APPLICATIONS),
    }
}

struct DeletePage {
    id: String,
    name: String,
    refusal: Option<Refusal>,
}

impl Content for DeletePage {
    fn head(&self, now: Locale) -> Head {
        Head::new(
            td_string!(now, applications.delete),
            &[Sheet::Account, Sheet::Console],
        )
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let back = page_of(&self.id);
        let content = view! {
            <p class="back">
                <a href=back.clone()>
                    <bdi>{self.name.clone()}</bdi>
                </a>
            </p>
            <h1 id="heading">{td_string!(now, applications.delete)}</h1>
            {refused(now, self.refusal.as_ref(), true)}
            <p>{td_string!(now, applications.delete_text, name = self.name)}</p>
            <form class="fields" method="post" action=DeleteApplication::PATH>
                <input type="hidden" name="id" value=self.id />
                <div class="buttons">
                    <button class="button primary" aria-describedby="heading">
                        {td_string!(now, applications.delete)}
                    </button>
                    <a class="button" href=back>
                        {td_string!(now, common.cancel)}
                    </a>
                </div>
            </form>
        };
        console(frame, ADMIN_APPLICATIONS, None, content)
    }
}
