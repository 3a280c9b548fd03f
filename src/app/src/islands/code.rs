//! `/login/code`

use std::time::Duration;

use leptos::{ev, prelude::*, task::spawn_local};
use vestibule_core::{
    form::code_problem,
    paths,
    refusal::{Field, Refusal},
    sign_in_view::{CodeMail, CodeView, Method},
};
use vestibule_translations::{Locale, refusal::warning, td_string, wait};

use crate::{
    browser,
    components::{
        code::{clear, code_input},
        frame::{Shell, gate},
        notice::{LOCKED_TITLE, Tone, locked_panel, notice},
    },
    facts,
    functions::{CodeStatus, ResendCode, VerifyCode},
    page::CodePage,
    text::{follow, follow_with, phrase, refusal_sentence, text},
};

/// Seconds between two questions to the server how the mail is doing.
const POLL_SECONDS: u32 = 4;
/// The code page that asks for a backup code.
const BACKUP: &str = "/login/code?backup";
/// Id of the message about the code.
const PROBLEM: &str = "code-problem";

/// The code page, and the panel that takes its place when the account is locked. Its facts are not properties: see
/// [`facts`].
#[island]
pub fn CodeScreen() -> impl IntoView {
    facts::of_page().map(|(shell, page)| screen(shell, page))
}

fn screen(shell: Shell, page: CodePage) -> impl IntoView {
    let locale = RwSignal::new(shell.locale());
    let screen = Screen::new(page);
    screen.keep_up_to_date();
    // The form is hidden, not replaced: what can be made anew weighs twice in the WebAssembly.
    let content = view! {
        {move || screen.locked.get().then(|| locked_panel(locale))}
        <div hidden=move || screen.locked.get()>{screen.form(locale)}</div>
    };
    let title = move || {
        if screen.locked.get() {
            LOCKED_TITLE
        } else {
            phrase!(sign_in.code_title)
        }
    };
    gate(shell, locale, title, Some(screen.refusal), content)
}

/// Which code is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// The one that was mailed.
    Mailed,
    /// The one that the authenticator app shows.
    App,
    /// A backup code.
    Backup,
}

/// What the screen knows. Everything is a signal, so that it can be handed around freely.
#[derive(Clone, Copy)]
struct Screen {
    view: RwSignal<CodeView>,
    refusal: RwSignal<Option<Refusal>>,
    resent: RwSignal<bool>,
    trust: bool,
    asked: Asked,
    step_up: bool,
    /// A request is on its way.
    busy: RwSignal<bool>,
    locked: RwSignal<bool>,
    /// The pending sign-in is gone: asking again is pointless.
    over: RwSignal<bool>,
    /// The browser's half runs.
    live: RwSignal<bool>,
    /// Seconds until `Resend` is allowed.
    left: RwSignal<u32>,
    /// The moment of [`browser::now`] at which it is.
    ends_at: RwSignal<f64>,
    /// Whether a whole code may still be sent by itself.
    auto: StoredValue<bool>,
}

impl Screen {
    fn new(page: CodePage) -> Self {
        let CodePage {
            view,
            refusal,
            resent,
            trust,
            backup,
        } = page;
        let offers_trust = view.trust_days.is_some();
        Self {
            asked: match view.method {
                _ if backup => Asked::Backup,
                Method::Email => Asked::Mailed,
                Method::App => Asked::App,
            },
            step_up: view.step_up,
            left: RwSignal::new(view.resend_in),
            over: RwSignal::new(refusal == Some(Refusal::SignInExpired)),
            view: RwSignal::new(without_seconds(view)),
            refusal: RwSignal::new(refusal),
            resent: RwSignal::new(resent),
            trust,
            busy: RwSignal::new(false),
            locked: RwSignal::new(false),
            live: RwSignal::new(false),
            ends_at: RwSignal::new(0.0),
            // Who is offered to tick something decides about that first.
            auto: StoredValue::new(!offers_trust),
        }
    }

    /// Counts down, and asks the server while there is something to learn.
    fn keep_up_to_date(self) {
        Effect::new(move |_| {
            self.live.set(true);
            self.ends_at
                .set(browser::now() + f64::from(self.left.get_untracked()) * 1000.0);
            let ticks = StoredValue::new(0_u32);
            set_interval(
                move || {
                    self.tick();
                    ticks.update_value(|ticks| *ticks += 1);
                    if ticks.get_value().is_multiple_of(POLL_SECONDS) {
                        self.poll();
                    }
                },
                Duration::from_secs(1),
            );
        });
    }

    fn tick(self) {
        let left = seconds_left(self.ends_at.get_untracked() - browser::now());
        if left == self.left.get_untracked() {
            return;
        }
        self.left.set(left);
        let waited = matches!(
            *self.refusal.read_untracked(),
            Some(Refusal::ResendTooSoon { .. })
        );
        if left == 0 && waited {
            self.refusal.set(None);
        }
    }

    fn poll(self) {
        let settled = !self.waits_for_mail()
            || (self.view.with_untracked(|view| view.mail == CodeMail::Sent)
                && self.left.get_untracked() == 0);
        if settled || self.over.get_untracked() || self.locked.get_untracked() || !browser::is_visible() {
            return;
        }
        spawn_local(async move {
            match browser::call::<CodeStatus>(None).await {
                Ok(view) => self.learn(view),
                Err(Refusal::SignInExpired) => self.refuse(Refusal::SignInExpired),
                Err(Refusal::AccountLocked) => self.locked.set(true),
                // The next question may be answered.
                Err(_) => {}
            }
        });
    }

    /// Whether the code comes by mail: only then is there something to tell, to count down and to resend.
    fn waits_for_mail(self) -> bool {
        self.asked == Asked::Mailed
    }

    /// Takes the server's word for how things are.
    fn learn(self, view: CodeView) {
        self.count_from(view.resend_in);
        let view = without_seconds(view);
        if self.view.with_untracked(|known| *known != view) {
            self.view.set(view);
        }
    }

    /// The server says whole seconds, rounded up: what lies within that second needs no correction.
    fn count_from(self, seconds: u32) {
        let (now, most) = (browser::now(), f64::from(seconds) * 1000.0);
        let counted = self.ends_at.get_untracked() - now;
        if counted > most || counted < most - 1000.0 {
            self.ends_at.set(now + most);
            self.tick();
        }
    }

    fn refuse(self, refusal: Refusal) {
        match &refusal {
            Refusal::AccountLocked => {
                self.locked.set(true);
                browser::focus_soon("locked");
                return;
            }
            Refusal::SignInExpired => self.over.set(true),
            Refusal::ResendTooSoon { retry_after } => self.count_from(*retry_after),
            _ => {}
        }
        self.refusal.set(Some(refusal));
    }

    fn verify(self, event: &ev::SubmitEvent) {
        let Some(form) = browser::keep(event).filter(|_| !self.busy.get_untracked()) else {
            return;
        };
        // Once: whoever was refused looks twice.
        self.auto.set_value(false);
        self.resent.set(false);
        if let Some(problem) = code_problem(&browser::value(Field::Code.name())) {
            self.refuse(Refusal::field(Field::Code, problem));
            browser::focus_soon(Field::Code.name());
            return;
        }
        self.refusal.set(None);
        self.busy.set(true);
        spawn_local(async move {
            match browser::call::<VerifyCode>(Some(&form)).await {
                Ok(onward) => browser::leave_for(&onward.to),
                Err(refusal) => {
                    if !matches!(refusal, Refusal::Internal { .. }) {
                        clear();
                    }
                    browser::focus_soon(Field::Code.name());
                    self.refuse(refusal);
                    self.busy.set(false);
                }
            }
        });
    }

    fn resend(self, event: &ev::SubmitEvent) {
        let Some(form) = browser::keep(event).filter(|_| !self.busy.get_untracked()) else {
            return;
        };
        self.refusal.set(None);
        self.resent.set(false);
        self.busy.set(true);
        spawn_local(async move {
            match browser::call::<ResendCode>(Some(&form)).await {
                Ok(_) => {
                    self.resent.set(true);
                    clear();
                    browser::focus_soon(Field::Code.name());
                    if let Ok(view) = browser::call::<CodeStatus>(None).await {
                        self.learn(view);
                    }
                }
                Err(refusal) => self.refuse(refusal),
            }
            self.busy.set(false);
        });
    }

    fn form(self, locale: RwSignal<Locale>) -> impl IntoView {
        let id = Field::Code.name();
        let wrong = move || {
            self.refusal
                .with(|refusal| refusal.as_ref().is_some_and(is_about_the_code))
                .then_some("true")
        };
        let backup = self.asked == Asked::Backup;
        let (label, hint) = if backup {
            (phrase!(sign_in.backup_label), phrase!(sign_in.backup_hint))
        } else {
            (phrase!(sign_in.code_label), phrase!(sign_in.code_hint))
        };
        view! {
            <h1>{text!(locale, sign_in.code_title)}</h1>
            <p class="lead" hidden=move || !self.waits_for_mail() || !self.view.with(is_under_way)>
                {follow_with(locale, |now| around_address(now).0)}
                <bdi>{move || self.view.with(|view| view.mailed_to.clone())}</bdi>
                {follow_with(locale, |now| around_address(now).1)}
            </p>
            <p class="lead" hidden=self.asked != Asked::App>
                {text!(locale, sign_in.code_from_app)}
            </p>
            <div role="status">{move || self.news(locale)}</div>
            {move || self.problem(locale)}
            <form
                class="fields"
                method="post"
                action=paths::LOGIN_CODE
                novalidate
                on:submit=move |event| self.verify(&event)
            >
                <div class="field">
                    <label for=id>{follow(locale, label)}</label>
                    {code_input(backup, wrong, "code-problem code-hint", Some(self.auto))}
                    <div class="hint" id="code-hint">
                        <p hidden=self.asked == Asked::App>{follow(locale, hint)}</p>
                        // Without scripts nothing happens by itself.
                        <p class="after-script" hidden=backup || !self.auto.get_value()>
                            {text!(locale, sign_in.code_checked)}
                        </p>
                    </div>
                    // Without a name it is not sent.
                    <input type="hidden" name=backup.then_some("backup") value="yes" />
                </div>
                {self.trust_choice(locale)}
                <button class="button primary wide" disabled=move || self.busy.get() || self.over.get()>
                    {text!(locale, sign_in.verify)}
                </button>
            </form>
            {self.other_ways(locale)}
        }
    }

    /// `Don't ask again`, where the company's policy offers it; a backup code never earns it.
    fn trust_choice(self, locale: RwSignal<Locale>) -> Option<impl IntoView> {
        let days = self.view.with_untracked(|view| view.trust_days)?;
        if self.asked == Asked::Backup {
            return None;
        }
        let label = follow_with(locale, move |now| td_string!(now, sign_in.trust, days = days));
        Some(view! {
            <div class="choice">
                <input
                    id="trust"
                    type="checkbox"
                    name="trust"
                    value="yes"
                    checked=self.trust
                    aria-describedby="trust-hint"
                />
                <label for="trust">{label}</label>
                <p class="hint" id="trust-hint">
                    {text!(locale, sign_in.trust_hint)}
                </p>
            </div>
        })
    }

    /// `Cancel`; `Resend` with the time until it may be used, where the code comes by mail; the ways to prove it
    /// differently. The seconds are not announced; their end is.
    fn other_ways(self, locale: RwSignal<Locale>) -> impl IntoView {
        let seconds = move || {
            self.waiting().then(|| {
                let now = locale.get();
                let time = wait(now, self.left.get());
                view! { <p class="ticking">{td_string!(now, sign_in.resend_in, time = time)}</p> }
            })
        };
        let (other_code, other_label) = if self.asked == Asked::Backup {
            (paths::LOGIN_CODE, phrase!(sign_in.use_digits))
        } else {
            (BACKUP, phrase!(sign_in.use_backup_code))
        };
        let end = move || {
            if !self.view.with(|view| view.resends_left) {
                td_string!(locale.get(), sign_in.resends_used_up)
            } else if self.waiting() {
                ""
            } else {
                td_string!(locale.get(), sign_in.resend_now)
            }
        };
        view! {
            <div class="after-form">
                <form method="post" action=paths::LOGIN_CODE_CANCEL>
                    <button class="button">{text!(locale, sign_in.cancel)}</button>
                </form>
                <form
                    method="post"
                    action=paths::LOGIN_CODE_RESEND
                    hidden=!self.waits_for_mail()
                    on:submit=move |event| self.resend(&event)
                >
                    <button
                        class="button"
                        disabled=move || self.may_not_resend()
                        aria-describedby="resend-when"
                    >
                        {text!(locale, sign_in.resend)}
                    </button>
                </form>
                <div id="resend-when" class="quiet" hidden=!self.waits_for_mail()>
                    {seconds}
                    <p role="status">{end}</p>
                </div>
            </div>
            <div class="other-ways">
                <form
                    method="post"
                    action=paths::LOGIN_CODE_METHOD
                    hidden=!self.view.with_untracked(|view| view.other_method)
                >
                    <button class="as-link">{text!(locale, sign_in.other_method)}</button>
                </form>
                <a href=other_code>{follow(locale, other_label)}</a>
            </div>
            <p class="quiet">{text!(locale, sign_in.code_admin)}</p>
        }
    }

    fn waiting(self) -> bool {
        self.left.get() > 0 && self.view.with(|view| view.resends_left)
    }

    /// Without scripts the button always works and the server decides.
    fn may_not_resend(self) -> bool {
        self.over.get()
            || !self.view.with(|view| view.resends_left)
            || (self.live.get() && self.left.get() > 0)
    }

    /// How the mail is doing, when there is more to say than that it went out.
    fn news(self, locale: RwSignal<Locale>) -> Option<impl IntoView> {
        if !self.waits_for_mail() {
            return None;
        }
        let (tone, sentence) = match self.view.with(|view| view.mail) {
            CodeMail::Failing => (Tone::Caution, phrase!(sign_in.code_mail_failing)),
            CodeMail::GivenUp => (Tone::Caution, phrase!(sign_in.code_mail_given_up)),
            CodeMail::Undeliverable => (Tone::Caution, phrase!(sign_in.code_mail_undeliverable)),
            CodeMail::Limited => (Tone::Caution, phrase!(sign_in.code_mail_limited)),
            CodeMail::Queued | CodeMail::Sent if self.resent.get() => (Tone::Good, phrase!(sign_in.resent)),
            CodeMail::Queued | CodeMail::Sent => return None,
        };
        Some(notice(locale, tone, sentence))
    }

    /// Why the last try was refused.
    fn problem(self, locale: RwSignal<Locale>) -> Option<impl IntoView> {
        let refusal = self.refusal.get()?;
        let over = refusal == Refusal::SignInExpired;
        let (back, back_label) = if self.step_up {
            (paths::PROFILE_CONFIRM, phrase!(sign_in.start_again))
        } else {
            (paths::LOGIN, phrase!(sign_in.back_to_sign_in))
        };
        let same = refusal.clone();
        let last_tries = warning(locale.get_untracked(), &refusal).map(|_| {
            let warning = move || warning(locale.get(), &same);
            view! { <p><strong>{warning}</strong></p> }
        });
        let class = if last_tries.is_some() {
            "alert strong"
        } else {
            "alert"
        };
        Some(view! {
            <div class=class role="alert" id=PROBLEM>
                <p>{follow_with(locale, move |now| refusal_sentence(now, &refusal))}</p>
                {last_tries}
                {over.then(|| view! { <p><a href=back>{follow(locale, back_label)}</a></p> })}
            </div>
        })
    }
}

/// What stays the same while the seconds run.
fn without_seconds(view: CodeView) -> CodeView {
    CodeView { resend_in: 0, ..view }
}

/// Whether a code went out or is about to.
fn is_under_way(view: &CodeView) -> bool {
    matches!(view.mail, CodeMail::Queued | CodeMail::Sent)
}

/// Whether the input holds the mistake.
fn is_about_the_code(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::Invalid { .. }
            | Refusal::WrongCode { .. }
            | Refusal::CodeReplaced
            | Refusal::CodeExpired
            | Refusal::CodeElsewhere
    )
}

/// The sentence that says where the code went, cut in two around the address: the address stands in an element of
/// its own, so that it reads from left to right in every language.
fn around_address(now: Locale) -> (String, String) {
    let whole = td_string!(now, sign_in.code_mailed, address = "\n");
    match whole.split_once('\n') {
        Some((before, after)) => (before.to_owned(), after.to_owned()),
        None => (whole, String::new()),
    }
}

/// Whole seconds that are left of `millis`, rounded up.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rounded up and never negative; casts saturate"
)]
fn seconds_left(millis: f64) -> u32 {
    (millis / 1000.0).ceil().max(0.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_countdown_never_ends_early() {
        assert_eq!(seconds_left(42_001.0), 43);
        assert_eq!(seconds_left(42_000.0), 42);
        assert_eq!(seconds_left(0.1), 1);
        assert_eq!(seconds_left(-5.0), 0);
    }
}
