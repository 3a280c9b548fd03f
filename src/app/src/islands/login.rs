//! `/login`

use leptos::{ev, prelude::*, task::spawn_local};
use vestibule_core::{
    form::sign_in_problems,
    paths,
    refusal::{Field, Refusal},
};
use vestibule_translations::{Locale, refusal::field_sentence, tag, td_string};

use crate::{
    browser,
    components::{
        frame::{Shell, gate},
        notice::{SUMMARY, summary},
    },
    facts,
    functions::SignIn,
    page::LoginPage,
    text::{Sentence, follow, follow_with, phrase, said, text},
};

/// The sign-in page. Its facts are not properties: see [`facts`].
#[island]
pub fn LoginScreen() -> impl IntoView {
    facts::of_page().map(|(shell, page)| screen(shell, page))
}

fn screen(shell: Shell, page: LoginPage) -> impl IntoView {
    let locale = RwSignal::new(shell.locale());
    let LoginPage {
        company,
        account,
        next,
        refusal,
        notice,
        good,
        forgot,
        providers,
    } = page;
    let asked_for = next.clone();
    let named = [company.clone(), account.clone()];
    let focused = first_to_fill(&company, &account, refusal.as_ref());
    let screen = Screen {
        refusal: RwSignal::new(refusal),
        busy: RwSignal::new(false),
        shown: RwSignal::new(false),
    };
    let input = |field, label, autocomplete, value| Input {
        field,
        label,
        autocomplete,
        value,
        hint: None,
        autofocus: focused == Some(field),
    };
    let company = input(Field::Company, phrase!(sign_in.company), "organization", company);
    let account = Input {
        hint: Some(phrase!(sign_in.account_hint)),
        ..input(Field::Account, phrase!(sign_in.account), "username", account)
    };
    let password = input(
        Field::Password,
        phrase!(sign_in.password),
        "current-password",
        String::new(),
    );
    let button = move || {
        if screen.busy.get() {
            phrase!(sign_in.working)
        } else {
            phrase!(sign_in.submit)
        }
    };

    let content = view! {
        <h1>{text!(locale, sign_in.title)}</h1>
        <p class="lead">{text!(locale, sign_in.intro)}</p>
        {(!notice.is_empty()).then(|| told(locale, good, notice))}
        {summary(locale, screen.refusal)}
        <form
            class="fields"
            method="post"
            action=paths::LOGIN
            novalidate
            on:submit=move |event| screen.submit(&event)
        >
            // The page gave a cookie: whoever does not bring it back keeps none.
            <input type="hidden" name="cookies" value="yes" />
            {next.map(|next| view! { <input type="hidden" name="next" value=next /> })}
            {company.view(locale, screen)}
            {account.view(locale, screen)}
            {password.view(locale, screen)}
            <p class="aside">
                <a href=forgot on:click=move |event| browser::add_company(&event, paths::FORGOT_PASSWORD)>
                    {text!(locale, sign_in.forgot)}
                </a>
            </p>
            <button class="button primary wide" disabled=move || screen.busy.get()>
                {move || said(button(), locale.get())}
            </button>
        </form>
        {providers
            .into_iter()
            .map(|(name, path)| by_provider(locale, (name, path), named.clone(), asked_for.clone()))
            .collect_view()}
    };
    gate(
        shell,
        locale,
        || phrase!(sign_in.title),
        Some(screen.refusal),
        content,
    )
}

/// What the server says about how somebody came here.
fn told(locale: RwSignal<Locale>, good: bool, sentences: Vec<(String, String)>) -> impl IntoView {
    let class = if good { "notice good" } else { "notice caution" };
    let sentence = move |now| {
        let of_page = |(language, _): &&(String, String)| language == tag(now);
        let found = sentences.iter().find(of_page);
        found.map(|(_, sentence)| sentence.clone()).unwrap_or_default()
    };
    view! {
        <p class=class role="status">
            {follow_with(locale, sentence)}
        </p>
    }
}

/// A button that leads to a provider, with the names that stand in the other form.
fn by_provider(
    locale: RwSignal<Locale>,
    (name, path): (String, String),
    [company, account]: [String; 2],
    next: Option<String>,
) -> impl IntoView {
    let ids = [Field::Company, Field::Account].map(|field| [field.name(), "-of", &path].concat());
    let [of_company, of_account] = ids.clone();
    let label = move |now: Locale| td_string!(now, sso.sign_in_with, provider = name.clone());
    view! {
        <form
            class="provider"
            method="post"
            action=path
            on:submit=move |_| {
                for (id, field) in ids.iter().zip([Field::Company, Field::Account]) {
                    browser::set_value(id, &browser::value(field.name()));
                }
            }
        >
            <input type="hidden" id=of_company name="company" value=company />
            <input type="hidden" id=of_account name="account" value=account />
            {next.map(|next| view! { <input type="hidden" name="next" value=next /> })}
            <button class="button wide">{follow_with(locale, label)}</button>
        </form>
    }
}

/// The field that has the focus when the page appears; none when the summary takes it.
fn first_to_fill(company: &str, account: &str, refusal: Option<&Refusal>) -> Option<Field> {
    match (refusal, company, account) {
        (Some(Refusal::Invalid { .. }), ..) => None,
        (_, "", _) => Some(Field::Company),
        (_, _, "") => Some(Field::Account),
        _ => Some(Field::Password),
    }
}

/// What the screen knows.
#[derive(Clone, Copy)]
struct Screen {
    refusal: RwSignal<Option<Refusal>>,
    /// A request is on its way.
    busy: RwSignal<bool>,
    /// The password can be read.
    shown: RwSignal<bool>,
}

impl Screen {
    fn submit(self, event: &ev::SubmitEvent) {
        let Some(form) = browser::keep(event).filter(|_| !self.busy.get_untracked()) else {
            return;
        };
        let typed = |field: Field| browser::value(field.name());
        let fields = sign_in_problems(
            &typed(Field::Company),
            &typed(Field::Account),
            &typed(Field::Password),
        );
        if !fields.is_empty() {
            self.refusal.set(Some(Refusal::Invalid { fields }));
            browser::focus_soon(SUMMARY);
            return;
        }
        self.refusal.set(None);
        self.shown.set(false);
        self.busy.set(true);
        spawn_local(async move {
            match browser::call::<SignIn>(Some(&form)).await {
                // The button stays off: the page is about to go.
                Ok(onward) => browser::leave_for(&onward.to),
                Err(refusal) => self.refuse(refusal),
            }
        });
    }

    fn refuse(self, refusal: Refusal) {
        if is_wrong(&refusal) {
            browser::set_value(Field::Password.name(), "");
        }
        // Where no answer came, Enter tries again.
        let again = is_wrong(&refusal) || matches!(refusal, Refusal::Internal { .. });
        browser::focus_soon(if again { Field::Password.name() } else { SUMMARY });
        self.refusal.set(Some(refusal));
        self.busy.set(false);
    }
}

/// Whether the names or the password were wrong.
const fn is_wrong(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::WrongCredentials | Refusal::WrongTooOften { .. })
}

/// One labelled input with its hint and what is wrong with it.
struct Input {
    field: Field,
    label: Sentence,
    autocomplete: &'static str,
    value: String,
    hint: Option<Sentence>,
    autofocus: bool,
}

impl Input {
    fn view(self, locale: RwSignal<Locale>, screen: Screen) -> impl IntoView {
        let Self {
            field,
            label,
            autocomplete,
            value,
            hint,
            autofocus,
        } = self;
        let Screen { refusal, shown, .. } = screen;
        let masked = field == Field::Password;
        let id = field.name();
        let hint_id = [id, "-hint"].concat();
        let problem_id = [id, "-problem"].concat();
        let problem = move || refusal.with(|refusal| refusal.as_ref()?.problem(field));
        let wrong =
            move || problem().is_some() || (masked && refusal.with(|now| now.as_ref().is_some_and(is_wrong)));
        let described_by = {
            let (hint_id, problem_id, has_hint) = (hint_id.clone(), problem_id.clone(), hint.is_some());
            move || match (problem().is_some(), has_hint) {
                (true, true) => Some([problem_id.as_str(), hint_id.as_str()].join(" ")),
                (true, false) => Some(problem_id.clone()),
                (false, true) => Some(hint_id.clone()),
                (false, false) => wrong().then(|| SUMMARY.to_owned()),
            }
        };
        let message = move || {
            problem().map(|problem| {
                let sentence = follow_with(locale, move |now| field_sentence(now, field, problem));
                view! {
                    <p class="problem" id=problem_id.clone()>
                        {sentence}
                    </p>
                }
            })
        };
        view! {
            <div class="field">
                <label for=id>{follow(locale, label)}</label>
                <div class="control">
                    <input
                        id=id
                        name=id
                        type=move || if masked && !shown.get() { "password" } else { "text" }
                        value=value
                        dir="auto"
                        autocomplete=autocomplete
                        autocapitalize="none"
                        spellcheck="false"
                        required
                        autofocus=autofocus
                        aria-invalid=move || wrong().then_some("true")
                        aria-describedby=described_by
                    />
                    {masked.then(|| reveal(locale, shown))}
                </div>
                {masked
                    .then(|| {
                        view! {
                            <p class="hint caps" role="status">
                                {text!(locale, sign_in.caps_lock)}
                            </p>
                        }
                    })}
                {message}
                {hint
                    .map(|hint| {
                        view! {
                            <p class="hint" id=hint_id>
                                {follow(locale, hint)}
                            </p>
                        }
                    })}
            </div>
        }
    }
}

/// The button that shows the password. Useless without scripts, so it is hidden until they run.
fn reveal(locale: RwSignal<Locale>, shown: RwSignal<bool>) -> impl IntoView {
    view! {
        <button
            type="button"
            class="reveal after-script"
            aria-pressed=move || if shown.get() { "true" } else { "false" }
            on:click=move |_| shown.update(|shown| *shown = !*shown)
        >
            <span class="visually-hidden">{text!(locale, sign_in.show_password)}</span>
            <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
                <path d="M2.5 12C5 7.5 8.3 5.5 12 5.5s7 2 9.5 6.5c-2.5 4.5-5.8 6.5-9.5 6.5S5 16.5 2.5 12Z" />
                <circle cx="12" cy="12" r="3" />
                <path class="slash" d="M4 20 20 4" />
            </svg>
        </button>
    }
}
