//! `/profile/security/backup-codes`: which backup codes are used, and new ones.

use axum::{extract::State, http::StatusCode, response::Response};
use leptos::prelude::*;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use vestibule_app::{
    call::Call,
    components::forms::{around, good, moment, refused},
    functions::Done,
    page::{Content, Frame, Head, Sheet, When},
    shell::console::account_page,
};
use vestibule_core::{
    backup_code::BackupCode,
    paths::{self, SECURITY, SECURITY_BACKUP_CODES, SECURITY_BACKUP_CODES_NEW},
    refusal::Refusal,
    rights::Action,
};
use vestibule_service::sessions::SignedIn;
use vestibule_translations::{Locale, sentences, td_string};

use crate::{
    form::{Form, Routes, confirm_for, leading_to, redirect_or_refuse, refused_or},
    http::{
        answer::{see_other, show, show_form},
        facts::Facts,
        moments::Moments,
    },
    pages::common::{session, signed_in},
    state::AppState,
};

/// Backup codes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .page(SECURITY_BACKUP_CODES, Action::OwnAccount, backup_codes)
        .page(SECURITY_BACKUP_CODES_NEW, Action::OwnAccount, new_codes)
        .form::<NewBackupCodes>()
        .form::<CodesSaved>()
}

/// Makes ten new backup codes; the old ones no longer work.
#[derive(Clone, Deserialize)]
pub struct NewBackupCodes {}

impl Form for NewBackupCodes {
    const PATH: &'static str = SECURITY_BACKUP_CODES;
    const ACTION: Action = Action::OwnAccount;

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        let codes = call.service.profile().new_backup_codes(&call.visitor).await?;
        Ok(Done {
            backup_codes: Some(codes.iter().map(BackupCode::reveal).collect()),
            ..Done::to(SECURITY)
        })
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        show_codes(state, facts, refusal).await
    }

    async fn done(&self, _: &AppState, _: &Facts, done: Done) -> Response {
        to_new_codes(&done)
    }
}

/// Says that the new codes are saved: their page shows them no more.
#[derive(Clone, Deserialize)]
pub struct CodesSaved {
    /// Where it leads; anything but a local path leads to Security Settings.
    next: String,
}

impl Form for CodesSaved {
    const PATH: &'static str = SECURITY_BACKUP_CODES_NEW;
    const ACTION: Action = Action::OwnAccount;

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service.profile().forget_new_codes(&call.visitor).await?;
        Ok(Done::to(onward(Some(self.next))))
    }

    async fn redisplay(&self, _: &AppState, _: &Facts, refusal: Option<&Refusal>) -> Response {
        refused_or(refusal, SECURITY_BACKUP_CODES)
    }
}

/// Where the page with the new codes leads.
fn onward(next: Option<String>) -> String {
    next.filter(|next| paths::is_local(next))
        .unwrap_or_else(|| SECURITY.to_owned())
}

async fn backup_codes(State(state): State<AppState>, facts: Facts) -> Response {
    show_codes(&state, &facts, None).await
}

async fn show_codes(state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
    let SignedIn { company, account, .. } = match signed_in(state, facts).await {
        Ok(signed_in) => signed_in,
        Err(response) => return *response,
    };
    let found = match state.service.profile().backup_codes(&facts.visitor).await {
        Ok(found) => found,
        Err(reason) => return redirect_or_refuse(&reason, SECURITY_BACKUP_CODES),
    };
    let moments = Moments::of(facts.locale_for(&company, &account), &company, &account);
    let page = BackupCodesPage {
        made_at: found.made_at.map(|at| moments.write(at)),
        used_at: found
            .used_at
            .into_iter()
            .map(|used| used.map(|at| moments.write(at)))
            .collect(),
        available: found.available,
        confirmed: facts.asks("confirmed"),
        refusal: refusal.cloned(),
    };
    show_form(
        facts.page_at(state, &company, &account, SECURITY_BACKUP_CODES, page),
        refusal,
    )
}

/// The way on after something was done: the page with the backup codes that were made by it, if any were, which leads on to
/// where that was to end.
pub fn to_new_codes(done: &Done) -> Response {
    if done.backup_codes.is_none() {
        return see_other(&done.to);
    }
    see_other(&leading_to(SECURITY_BACKUP_CODES_NEW, &done.to))
}

/// The codes that were made in this session moments ago: a reload, or another language, shows them again to whoever has
/// proved who they are.
async fn new_codes(State(state): State<AppState>, facts: Facts) -> Response {
    let codes = match state.service.profile().new_codes(&facts.visitor).await {
        Ok(Some(codes)) => codes,
        Ok(None) => return see_other(SECURITY_BACKUP_CODES),
        Err(Refusal::StepUpNeeded) => return see_other(&confirm_for(&facts.path)),
        Err(refusal) => return redirect_or_refuse(&refusal, SECURITY_BACKUP_CODES),
    };
    let SignedIn { company, account, .. } = match session(&state, &facts, SECURITY_BACKUP_CODES).await {
        Ok(signed_in) => signed_in,
        Err(response) => return *response,
    };
    let locale = facts.locale(
        account.person.language.as_deref(),
        Some(&company.settings.language),
    );
    let page = NewCodesPage {
        file: text_file(locale, &company.name, &account.name, &codes),
        codes: codes.to_vec(),
        to: onward(facts.query("next")),
    };
    show(StatusCode::OK, facts.page_for(&state, &company, &account, page))
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

struct BackupCodesPage {
    /// When the set was made; `None` = there is no set.
    made_at: Option<When>,
    /// For each code in its order, when it was used.
    used_at: Vec<Option<When>>,
    /// Whether the account has a second factor, without which there are no backup codes.
    available: bool,
    /// Whether identity was just confirmed.
    confirmed: bool,
    refusal: Option<Refusal>,
}

impl Content for BackupCodesPage {
    fn head(&self, now: Locale) -> Head {
        Head::new(td_string!(now, profile.backup_title), &[Sheet::Account])
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let Self {
            made_at,
            used_at,
            available,
            confirmed,
            refusal,
        } = self;
        let list = match (available, made_at) {
            (false, _) => view! {
                <p class="lead">{td_string!(now, profile.backup_unavailable)}</p>
                <p class="card-end">
                    <a class="button primary" href=SECURITY>
                        {td_string!(now, profile.security_title)}
                    </a>
                </p>
            }
            .into_any(),
            (true, made_at) => made(now, made_at, used_at).into_any(),
        };
        let content = view! {
            <main id="content" class="settings narrow" tabindex="-1">
                <p class="back">
                    <a href=SECURITY>{td_string!(now, profile.security_title)}</a>
                </p>
                <h1>{td_string!(now, profile.backup_title)}</h1>
                {confirmed.then(|| good(td_string!(now, profile.confirmed)))}
                {refused(now, refusal.as_ref(), true)}
                {list}
            </main>
        };
        account_page(frame, None, content)
    }
}

/// The set of codes with what was used of it, and the button for a new one.
fn made(now: Locale, made_at: Option<When>, used_at: Vec<Option<When>>) -> AnyView {
    let left = used_at.iter().filter(|used| used.is_none()).count();
    let since = match made_at {
        Some(when) => {
            let said = [
                td_string!(now, profile.backup_left, count = left),
                td_string!(now, profile.backup_made, when = "\n"),
            ];
            view! { <p class="quiet">{around(&sentences(now, &said), moment(when))}</p> }.into_any()
        }
        None => view! { <p class="quiet">{td_string!(now, profile.backup_none)}</p> }.into_any(),
    };
    let codes = (1..)
        .zip(used_at)
        .map(|(number, used): (usize, _)| {
            let state = match used {
                None => view! {
                    <span class="state" data-on="">
                        {td_string!(now, profile.unused)}
                    </span>
                }
                .into_any(),
                Some(when) => {
                    let used = td_string!(now, profile.used_on, when = "\n");
                    view! { <span class="quiet">{around(&used, moment(when))}</span> }.into_any()
                }
            };
            view! {
                <li>
                    <b>{td_string!(now, profile.code_number, number = number)}</b>
                    {state}
                </li>
            }
        })
        .collect_view();
    view! {
        <p class="lead">{td_string!(now, profile.backup_intro)}</p>
        {since}
        <ul class="code-states">{codes}</ul>
        <form class="fields" method="post" action=NewBackupCodes::PATH>
            <button class="button primary" aria-describedby="new-codes">
                {td_string!(now, profile.generate)}
            </button>
            <p id="new-codes" class="hint">
                {td_string!(now, profile.generate_hint)}
            </p>
        </form>
    }
    .into_any()
}

/// The codes that were just made. They are shown once, so it has no `Debug`.
struct NewCodesPage {
    /// The codes, as they are typed.
    codes: Vec<String>,
    /// The same as a text file: a `data:` address, which works without scripts.
    file: String,
    /// Where `Done` leads.
    to: String,
}

impl Content for NewCodesPage {
    fn head(&self, now: Locale) -> Head {
        Head::new(td_string!(now, profile.backup_title), &[Sheet::Account]).with_account_script()
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let Self { codes, file, to } = self;
        let together = codes.join("\n");
        let codes = codes
            .into_iter()
            .map(|code| view! { <li><code dir="ltr">{code}</code></li> })
            .collect_view();
        // Scripts show the button and copy what its attribute holds.
        let copy = view! {
            <button type="button" class="button" hidden>
                {td_string!(now, profile.copy)}
            </button>
        }
        .attr("data-text", together);
        let copied = view! { <span class="quiet" role="status"></span> }
            .attr("data-done", td_string!(now, profile.copied));
        let content = view! {
            <main id="content" class="settings narrow" tabindex="-1">
                <h1>{td_string!(now, profile.backup_title)}</h1>
                <p class="notice caution">{td_string!(now, profile.codes_once)}</p>
                <ol class="codes">{codes}</ol>
                <div class="buttons">
                    <a class="button" download="vestibule-backup-codes.txt" href=file>
                        {td_string!(now, profile.download)}
                    </a>
                    {copy}
                    {copied}
                </div>
                <form class="card-end" method="post" action=CodesSaved::PATH>
                    <input type="hidden" name="next" value=to />
                    <button class="button primary">{td_string!(now, profile.done)}</button>
                </form>
            </main>
        };
        account_page(frame, None, content)
    }
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
