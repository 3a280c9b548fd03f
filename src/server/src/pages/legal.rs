//! `/terms` and `/privacy`.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use leptos::prelude::*;
use vestibule_app::{
    page::{Content, Frame, Head},
    shell::site::site,
};
use vestibule_core::{paths, rights::Action};
use vestibule_service::sessions::SignedIn;
use vestibule_translations::{Locale, direction, from_tag, td_string};

use crate::{
    form::Routes,
    http::{
        answer::{see_other, show},
        denied::Denied,
        facts::Facts,
    },
    legal::{Kind, LegalText},
    state::AppState,
};

/// Terms of Service and Privacy Policy.
pub fn routes(routes: Routes) -> Routes {
    let page = |kind| move |State(state), facts| legal(state, facts, kind);
    routes.page(paths::TERMS, Action::ComeIn, page(Kind::Terms)).page(
        paths::PRIVACY,
        Action::ComeIn,
        page(Kind::Privacy),
    )
}

async fn legal(state: AppState, facts: Facts, kind: Kind) -> Response {
    let signed_in = match state.service.sign_in().session(&facts.visitor).await {
        Ok(signed_in) => signed_in,
        Err(refusal) => return Denied::from(refusal).into_response(),
    };
    let language = |signed_in: &SignedIn| {
        facts.locale(
            signed_in.account.person.language.as_deref(),
            Some(&signed_in.company.settings.language),
        )
    };
    let locale = signed_in
        .as_ref()
        .map_or_else(|| facts.locale(None, None), language);
    match state.legal.text(kind, locale) {
        Ok(text) => show(
            StatusCode::OK,
            facts.page_in(&state, locale, LegalPage { kind, text }),
        ),
        Err(url) => see_other(&url),
    }
}

struct LegalPage {
    kind: Kind,
    text: LegalText,
}

impl Content for LegalPage {
    fn head(&self, now: Locale) -> Head {
        let title = match self.kind {
            Kind::Terms => td_string!(now, common.terms),
            Kind::Privacy => td_string!(now, common.privacy),
        };
        Head::new(title, &[])
    }

    fn view(self, frame: Frame) -> AnyView {
        let LegalText { language, html } = self.text;
        let dir = from_tag(&language).map_or("auto", direction);
        let content = view! {
            <main id="content" class="reading" tabindex="-1">
                <article class="prose" lang=language dir=dir inner_html=html></article>
            </main>
        };
        site(frame, content)
    }
}
