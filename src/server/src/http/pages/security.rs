//! Security Settings: second factors, backup codes, trusted browsers and sessions.

use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use vestibule_app::page::{
    AppCodePage, AppSetUp, AppSetUpPage, BackupCodesPage, Body, EmailSetUp, EmailSetUpPage,
    NewBackupCodesPage, ProviderRow, SecurityNotice, SecurityPage, SessionRow, SetUpPage, TrustedRow,
};
use vestibule_core::{paths, refusal::Refusal, second_factor::must_set_up, signed_in::FormRefusal};
use vestibule_service::{
    profile::{SessionItem, TrustedItem},
    sessions::SignedIn,
    sign_in::sso::OwnProvider,
};
use vestibule_translations::{Locale, td_string};

use super::{few, mark, profile::session, see_other, show, turned_away};
use crate::{
    http::{facts::Facts, moments::Moments},
    state::AppState,
};

/// `/profile/security`
pub async fn settings(State(state): State<AppState>, request: Request) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    show_settings(&state, &facts, None).await
}

/// The settings, with the reason when a form of theirs was refused.
pub async fn show_settings(state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
    let page = match state.service.security(&facts.visitor).await {
        Ok(page) => page,
        Err(reason) => return turned_away(&reason, paths::SECURITY),
    };
    let providers = match state.service.own_providers(&facts.visitor).await {
        Ok(providers) => providers,
        Err(reason) => return turned_away(&reason, paths::SECURITY),
    };
    let moments = Moments::of(&page.company, &page.account);
    let notice = [
        ("confirmed", SecurityNotice::Confirmed),
        ("changed", SecurityNotice::Changed),
        ("ended", SecurityNotice::Ended),
        ("connected", SecurityNotice::Connected),
        ("disconnected", SecurityNotice::Disconnected),
    ]
    .into_iter()
    .find(|(word, _)| facts.asks(word))
    .map(|(_, notice)| notice);
    let body = SecurityPage {
        email: page.account.email_factor,
        app: page.account.app_factor,
        few_backup_codes: few(page.backup_codes_left),
        providers: providers
            .into_iter()
            .map(|OwnProvider { provider, identity }| ProviderRow {
                provider,
                connected: identity.map(|identity| identity.shown),
            })
            .collect(),
        trusted: page
            .trusted
            .into_iter()
            .map(|item| trusted(moments, item))
            .collect(),
        sessions: page
            .sessions
            .into_iter()
            .map(|item| session_row(moments, item))
            .collect(),
        notice,
        refusal: refusal.cloned(),
    };
    let mut page = facts.page_for(state, &page.company, &page.account, Body::Security(body));
    paths::SECURITY.clone_into(&mut page.frame.path);
    marked(show(StatusCode::OK, page), refusal)
}

fn trusted(moments: Moments, item: TrustedItem) -> TrustedRow {
    TrustedRow {
        id: item.id.to_string(),
        browser: item.browser,
        address: item.address,
        since: moments.write(item.since),
        until: moments.write(item.until),
        last_used: moments.write(item.last_used),
        this: item.this,
    }
}

fn session_row(moments: Moments, item: SessionItem) -> SessionRow {
    SessionRow {
        id: item.id.to_string(),
        browser: item.browser,
        address: item.address,
        since: moments.write(item.since),
        last_used: moments.write(item.last_used),
        this: item.this,
    }
}

/// `/profile/security/set-up`
pub async fn set_up(State(state): State<AppState>, request: Request) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    match session(&state, &facts, paths::SECURITY_SET_UP).await {
        Ok(signed_in) if must_set_up(&signed_in.company, &signed_in.account) => {
            show_set_up(&state, &facts, &signed_in, None)
        }
        Ok(_) => see_other(paths::SECURITY),
        Err(response) => *response,
    }
}

fn show_set_up(state: &AppState, facts: &Facts, signed_in: &SignedIn, refusal: Option<&Refusal>) -> Response {
    let body = Body::SetUp(SetUpPage {
        refusal: refusal.cloned(),
    });
    show_to(state, facts, signed_in, paths::SECURITY_SET_UP, body, refusal)
}

/// The page after a set-up that is over: the settings, or the page that asks for a set-up where one is required.
pub async fn set_up_over(state: &AppState, facts: &Facts, refusal: &Refusal) -> Response {
    match session(state, facts, paths::SECURITY).await {
        Ok(signed_in) if must_set_up(&signed_in.company, &signed_in.account) => {
            show_set_up(state, facts, &signed_in, Some(refusal))
        }
        Ok(_) => show_settings(state, facts, Some(refusal)).await,
        Err(response) => *response,
    }
}

/// `/profile/security/email`
pub async fn email(State(state): State<AppState>, request: Request) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    show_email(&state, &facts, None).await
}

/// The set-up of codes by e-mail, with the reason when a form of its was refused.
pub async fn show_email(state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
    let signed_in = match session(state, facts, paths::SECURITY_EMAIL).await {
        Ok(signed_in) => signed_in,
        Err(response) => return *response,
    };
    let set_up = match state.service.email_set_up(&facts.visitor).await {
        Ok(set_up) => set_up,
        Err(reason) => return turned_away(&reason, paths::SECURITY_EMAIL),
    };
    let body = Body::EmailSetUp(EmailSetUpPage {
        set_up: set_up.map(|set_up| EmailSetUp {
            id: set_up.id.to_string(),
            address: set_up.address,
            mail: set_up.mail,
            resend_in: set_up.resend_in,
        }),
        resent: facts.asks("resent"),
        refusal: refusal.cloned(),
    });
    show_to(state, facts, &signed_in, paths::SECURITY_EMAIL, body, refusal)
}

/// `/profile/security/app`
pub async fn app(State(state): State<AppState>, request: Request) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    show_app(&state, &facts, None).await
}

/// The set-up of an authenticator app, with the reason when it could not begin.
pub async fn show_app(state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
    let signed_in = match session(state, facts, paths::SECURITY_APP).await {
        Ok(signed_in) => signed_in,
        Err(response) => return *response,
    };
    let set_up = match state.service.app_set_up(&facts.visitor).await {
        Ok(set_up) => set_up,
        Err(reason) => return turned_away(&reason, paths::SECURITY_APP),
    };
    let body = Body::AppSetUp(AppSetUpPage {
        set_up: set_up.map(|set_up| AppSetUp {
            id: set_up.id.to_string(),
            qr: set_up.qr,
            secret: set_up.secret,
        }),
        refusal: refusal.cloned(),
    });
    show_to(state, facts, &signed_in, paths::SECURITY_APP, body, refusal)
}

/// `/profile/security/app/code`
pub async fn app_code(State(state): State<AppState>, request: Request) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    show_app_code(&state, &facts, None).await
}

/// The field for the app's first code, with the reason when one was refused.
pub async fn show_app_code(state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
    let signed_in = match session(state, facts, paths::SECURITY_APP).await {
        Ok(signed_in) => signed_in,
        Err(response) => return *response,
    };
    let set_up = match state.service.app_set_up(&facts.visitor).await {
        Ok(Some(set_up)) => set_up,
        // Nothing to enter a code for (any more): the page before says why, and what to do.
        Ok(None) if refusal.is_some() => return show_app(state, facts, refusal).await,
        Ok(None) => return see_other(paths::SECURITY_APP),
        Err(reason) => return turned_away(&reason, paths::SECURITY_APP),
    };
    // A tab whose QR code a newer set-up has replaced: its code would be wrong, and count.
    if facts
        .query("set_up")
        .is_some_and(|asked| asked != set_up.id.to_string())
    {
        return set_up_over(state, facts, &Refusal::Form(FormRefusal::SetUpOver)).await;
    }
    let body = Body::AppCode(AppCodePage {
        set_up: set_up.id.to_string(),
        refusal: refusal.cloned(),
    });
    show_to(state, facts, &signed_in, paths::SECURITY_APP_CODE, body, refusal)
}

/// `/profile/security/backup-codes`
pub async fn backup_codes(State(state): State<AppState>, request: Request) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    show_backup_codes(&state, &facts, None).await
}

/// Which backup codes are used, with the reason when no new ones were made.
pub async fn show_backup_codes(state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
    let signed_in = match super::signed_in(state, facts).await {
        Ok(signed_in) => signed_in,
        Err(response) => return *response,
    };
    let page = match state.service.backup_codes(&facts.visitor).await {
        Ok(page) => page,
        Err(reason) => return turned_away(&reason, paths::SECURITY_BACKUP_CODES),
    };
    let moments = Moments::of(&signed_in.company, &signed_in.account);
    let body = Body::BackupCodes(BackupCodesPage {
        made_at: page.made_at.map(|at| moments.write(at)),
        used_at: page
            .used_at
            .into_iter()
            .map(|used| used.map(|at| moments.write(at)))
            .collect(),
        available: page.available,
        confirmed: facts.asks("confirmed"),
        refusal: refusal.cloned(),
    });
    show_to(
        state,
        facts,
        &signed_in,
        paths::SECURITY_BACKUP_CODES,
        body,
        refusal,
    )
}

/// The backup codes that were just made. Whatever happened to the session meanwhile, they are shown: there is no other
/// time.
pub async fn new_backup_codes(state: &AppState, facts: &Facts, codes: Vec<String>, to: String) -> Response {
    let signed_in = state.service.session(&facts.visitor).await.ok().flatten();
    let page = |locale, company: &str, account: &str| {
        Body::NewBackupCodes(NewBackupCodesPage {
            file: text_file(locale, company, account, &codes),
            codes: codes.clone(),
            to,
        })
    };
    let mut page = match &signed_in {
        Some(SignedIn { company, account, .. }) => {
            let locale = facts.locale(account.language.as_deref(), Some(&company.language));
            let body = page(locale, &company.name, &account.name);
            facts.page_for(state, company, account, body)
        }
        None => facts.page(state, page(facts.locale(None, None), "", "")),
    };
    paths::SECURITY_BACKUP_CODES.clone_into(&mut page.frame.path);
    show(StatusCode::OK, page)
}

/// The codes as a text file that names company and account, in the address of a link.
fn text_file(locale: Locale, company: &str, account: &str, codes: &[String]) -> String {
    let title = td_string!(
        locale,
        profile.file_title,
        product = "Vestibule",
        account = account.to_owned(),
        company = company.to_owned()
    );
    let numbered: Vec<_> = (1..)
        .zip(codes)
        .map(|(number, code): (usize, _)| format!("{number:>2}. {code}"))
        .collect();
    let text = format!(
        "{title}\r\n\r\n{}\r\n\r\n{}\r\n",
        numbered.join("\r\n"),
        td_string!(locale, profile.backup_intro)
    );
    format!(
        "data:text/plain;charset=utf-8,{}",
        utf8_percent_encode(&text, NON_ALPHANUMERIC)
    )
}

/// A page of this account whose language form comes back to `path`.
fn show_to(
    state: &AppState,
    facts: &Facts,
    signed_in: &SignedIn,
    path: &str,
    body: Body,
    refusal: Option<&Refusal>,
) -> Response {
    let mut page = facts.page_for(state, &signed_in.company, &signed_in.account, body);
    path.clone_into(&mut page.frame.path);
    marked(show(StatusCode::OK, page), refusal)
}

fn marked(mut response: Response, refusal: Option<&Refusal>) -> Response {
    if let Some(refusal) = refusal {
        mark(&mut response, refusal);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_names_company_and_account_and_every_code() {
        let codes = ["7KQ2-M0ZD-4T8V-XH1R".to_owned(), "ZW0F-Y07Z-0093-8NKR".to_owned()];
        let file = text_file(Locale::en, "Müller & Söhne", "alice", &codes);
        let text = file.strip_prefix("data:text/plain;charset=utf-8,").unwrap();
        assert!(!text.contains(['"', '<', '&', ' ', '#']), "{text}");
        let text = percent_encoding::percent_decode_str(text).decode_utf8().unwrap();
        assert!(
            text.starts_with("Vestibule: backup codes of alice at Müller & Söhne\r\n"),
            "{text}"
        );
        assert!(
            text.contains(" 1. 7KQ2-M0ZD-4T8V-XH1R\r\n 2. ZW0F-Y07Z-0093-8NKR\r\n"),
            "{text}"
        );
    }
}
