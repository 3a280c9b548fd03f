//! A form that cannot be received now, because its session has ended or identity has to be proved first, is not lost: it is
//! kept, sealed and without its secrets, and stands on its page again when whoever sent it comes back.

use axum::{
    extract::{Request, State},
    http::{
        Method,
        header::{LOCATION, SET_COOKIE},
    },
    middleware::Next,
    response::Response,
};
use futures::{FutureExt, future::BoxFuture};
use vestibule_core::{paths::PROFILE_CONFIRM, refusal::Refusal};
use vestibule_service::kept::KeptForm;

use super::{Form, FormFields, receive::redirect_or_refuse};
use crate::{
    http::{cookies::Kind, facts::Facts},
    state::AppState,
};

/// The word in the address of a page that shows what was kept.
const WORD: &str = "kept";

/// Shows the kept fields on the page at this address, if it is the page of the form.
type Restore = fn(AppState, Facts, FormFields, String) -> BoxFuture<'static, Option<Response>>;

/// Where a form is sent to, and how it is shown again.
pub type Restorable = (&'static str, Restore);

/// The [`Restorable`] of a form.
pub fn restorable<F: Form>() -> Restorable {
    (F::PATH, show::<F>)
}

fn show<F: Form>(
    state: AppState,
    facts: Facts,
    fields: FormFields,
    address: String,
) -> BoxFuture<'static, Option<Response>> {
    async move {
        let form = fields.read::<F>().ok().filter(|form| form.page() == address)?;
        Some(form.redisplay(&state, &facts, Some(&Refusal::FormKept)).await)
    }
    .boxed()
}

/// Keeps a form that was refused, and leads to what has to be done before it is sent again. When it cannot be kept, the way
/// is the same.
pub async fn keep<F: Form>(
    state: &AppState,
    facts: &Facts,
    fields: &FormFields,
    form: &F,
    refusal: &Refusal,
) -> Response {
    let page = form.page();
    let kept = KeptForm {
        path: F::PATH.to_owned(),
        page: page.clone(),
        fields: fields.without_secrets(),
    };
    match state.service.sign_in().keep_form(&kept, &facts.visitor).await {
        Ok(Some(token)) => {
            let mut response = redirect_or_refuse(refusal, &with_word(&page));
            if let Some(cookie) = state.cookies.set(Kind::Kept, &token.reveal()) {
                response.headers_mut().append(SET_COOKIE, cookie);
            }
            response
        }
        Ok(None) | Err(_) => redirect_or_refuse(refusal, &page),
    }
}

/// The form was sent: what was kept of it is of no use any more.
pub async fn forget<F: Form>(state: &AppState, facts: &Facts, form: &F) {
    if F::KEPT && facts.visitor.kept.is_some() {
        // What stays is thrown away in its time.
        let _ = state
            .service
            .sign_in()
            .drop_kept_form(F::PATH, &form.page(), &facts.visitor)
            .await;
    }
}

/// The layer that shows what was kept on the page that it belongs to.
pub async fn restore(
    State((state, forms)): State<(AppState, Vec<Restorable>)>,
    request: Request,
    next: Next,
) -> Response {
    if request.method() != Method::GET || !request.uri().query().is_some_and(|query| query.contains(WORD)) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let facts = Facts::of(&state, &parts);
    if facts.wants_page
        && facts.asks(WORD)
        && let Some(response) = restored(&state, &facts, &forms).await
    {
        return response;
    }
    next.run(Request::from_parts(parts, body)).await
}

async fn restored(state: &AppState, facts: &Facts, forms: &[Restorable]) -> Option<Response> {
    let address = without_word(&facts.path);
    let kept = state.service.sign_in().kept_forms(&facts.visitor).await.ok()?;
    for KeptForm { path, fields, .. } in kept {
        let Some((_, show)) = forms.iter().find(|(known, _)| *known == path) else {
            continue;
        };
        let fields = fields.into_iter().collect();
        let shown = show(state.clone(), facts.clone(), fields, address.clone()).await;
        if let Some(response) = shown {
            return Some(if asks_for_proof(&response) {
                // It is still kept, and shown afterwards.
                redirect_or_refuse(&Refusal::StepUpNeeded, &facts.path)
            } else {
                response
            });
        }
    }
    None
}

fn asks_for_proof(response: &Response) -> bool {
    let location = response.headers().get(LOCATION);
    location.is_some_and(|to| to.as_bytes().starts_with(PROFILE_CONFIRM.as_bytes()))
}

/// Whether what was kept stands at this address.
pub fn is_kept(address: &str) -> bool {
    without_word(address) != address
}

fn with_word(page: &str) -> String {
    let mark = if page.contains('?') { '&' } else { '?' };
    format!("{page}{mark}{WORD}")
}

fn without_word(address: &str) -> String {
    let Some((path, query)) = address.split_once('?') else {
        return address.to_owned();
    };
    let rest: Vec<&str> = query.split('&').filter(|word| *word != WORD).collect();
    if rest.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", rest.join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_is_put_to_an_address_and_taken_from_it() {
        for page in ["/profile", "/admin/agents?state=locked&page=2"] {
            assert_eq!(without_word(&with_word(page)), page);
        }
        assert_eq!(without_word("/profile?kept&confirmed"), "/profile?confirmed");
    }
}
