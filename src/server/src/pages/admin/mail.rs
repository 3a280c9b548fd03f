//! `/admin/mail`: Custom SMTP Server, and how its test mail is doing.

use std::borrow::Cow;

use axum::{extract::State, response::Response};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule_app::{
    call::Call,
    components::{
        fields::{meanwhile, number, radio, text, why},
        forms::{Input, around, good, moment, problem, refused},
    },
    functions::Done,
    page::{Content, Frame, Head, Refresh, Sheet, Typed, When},
    shell::console::{console, fact},
};
use vestibule_core::{
    mail_server::MailSecurity,
    paths::{ADMIN_MAIL, ADMIN_MAIL_TEST},
    refusal::{Field, Refusal},
    rights::Action,
};
use vestibule_service::console::{MailServerInput, MailServerPage, MailServerSaved};
use vestibule_storage::{MailServerRow, TestMailRow};
use vestibule_translations::{Locale, sentences, td_string};
use zeroize::Zeroizing;

use crate::{
    form::{Filled, Form, Routes, redirect_or_refuse},
    http::{answer::show_form, facts::Facts, moments::Moments},
    state::AppState,
};

/// Id of the form, which the language switch sends along.
const FORM: &str = "mail-form";
/// Word for a server of the company's own.
const OWN: &str = "own";
/// Word for the server of the installation.
const INSTALLATION: &str = "installation";
/// Word for a server that was saved and that no test mail has gone through.
const UNTESTED: &str = "untested";

/// The company's own mail server, and test mails through it.
pub fn routes(routes: Routes) -> Routes {
    routes
        .page(ADMIN_MAIL, SaveMailServer::ACTION, settings)
        .form::<SaveMailServer>()
        .form::<TryMailServer>()
        .page(ADMIN_MAIL_TEST, Action::SeeSettings, test)
        .form::<SendTestMail>()
}

/// Saves the company's own mail server, or goes back to the installation's.
#[derive(Clone, Deserialize)]
pub struct SaveMailServer {
    /// Version that the page showed; 0 = there was none.
    version: i64,
    /// `own`, or `installation`.
    way: String,
    /// Host name or network address.
    host: String,
    port: String,
    /// Word of how connections are encrypted.
    security: Option<String>,
    /// User to sign in with.
    user: String,
    /// Its password; empty = the one that is stored.
    mail_password: Zeroizing<String>,
    /// Whom mails are from.
    sender: String,
    /// Where answers go.
    reply_to: String,
    /// Whether mails go through the installation's server when this one fails.
    fall_back: Option<String>,
}

impl SaveMailServer {
    fn input(self) -> MailServerInput {
        MailServerInput {
            own: self.way == OWN,
            host: self.host,
            port: self.port,
            security: self.security.unwrap_or_default(),
            user: self.user,
            password: self.mail_password,
            sender: self.sender,
            reply_to: self.reply_to,
            fall_back: self.fall_back.is_some(),
        }
    }
}

impl Form for SaveMailServer {
    const PATH: &'static str = ADMIN_MAIL;
    const ACTION: Action = Action::ChangeMailServer;
    const SWITCHED: bool = true;

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        let version = (self.version != 0).then_some(self.version);
        let console = call.service.console();
        let MailServerSaved { untested } = console
            .save_mail_server(version, self.input(), &call.visitor)
            .await?;
        Ok(Done::to(if untested {
            format!("{ADMIN_MAIL}?saved={UNTESTED}")
        } else {
            format!("{ADMIN_MAIL}?saved")
        }))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        show_settings(state, facts, &Filled::again(self, refusal), false).await
    }
}

/// Sends a test mail through the server that is typed, whichever way is chosen, and saves nothing.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct TryMailServer(SaveMailServer);

impl Form for TryMailServer {
    const PATH: &'static str = "/admin/mail/try";
    const ACTION: Action = Action::ChangeMailServer;
    const OPENED: Option<&'static str> = Some(ADMIN_MAIL);
    const SWITCHED: bool = true;

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        let input = MailServerInput {
            own: true,
            ..self.0.input()
        };
        call.service
            .console()
            .try_mail_server(input, &call.visitor)
            .await?;
        Ok(Done::to(ADMIN_MAIL_TEST))
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        show_settings(state, facts, &Filled::again(&self.0, refusal), false).await
    }

    /// What became of the test mail, above everything typed.
    async fn done(&self, state: &AppState, facts: &Facts, _done: Done) -> Response {
        show_settings(state, facts, &Filled::again(&self.0, None), true).await
    }
}

/// Sends a test mail through the company's own server. Nobody waits for the answer here.
#[derive(Clone, Deserialize)]
pub struct SendTestMail {}

impl Form for SendTestMail {
    const PATH: &'static str = ADMIN_MAIL_TEST;
    const ACTION: Action = Action::ChangeMailServer;

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service.console().send_test_mail(&call.visitor).await?;
        Ok(Done::to(ADMIN_MAIL_TEST))
    }

    fn page(&self) -> String {
        ADMIN_MAIL.to_owned()
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        match refusal {
            Some(Refusal::MailLimit | Refusal::NoMailServer) | None => show_test(state, facts, refusal).await,
            Some(other) => redirect_or_refuse(other, ADMIN_MAIL),
        }
    }
}

/// `/admin/mail`
async fn settings(State(state): State<AppState>, facts: Facts) -> Response {
    // Whoever fills the form in should not be asked for a proof of identity only afterwards.
    match state
        .service
        .console()
        .authorize(SaveMailServer::ACTION, &facts.visitor)
        .await
    {
        Ok(_) => show_settings(&state, &facts, &Filled::OPENED, false).await,
        Err(refusal) => redirect_or_refuse(&refusal, ADMIN_MAIL),
    }
}

/// `tried`: whether a test mail was just sent with what is typed.
async fn show_settings(
    state: &AppState,
    facts: &Facts,
    form: &Filled<'_, SaveMailServer>,
    tried: bool,
) -> Response {
    let MailServerPage {
        company,
        own,
        server,
        test,
        tried: known,
    } = match state.service.console().mail_server(&facts.visitor).await {
        Ok(found) => found,
        Err(refusal) => return redirect_or_refuse(&refusal, ADMIN_MAIL),
    };
    let moments = Moments::of(facts.locale_for(&company, &own), &company, &own);
    let is_saved = form.is_opened() && facts.asks("saved");
    let untested = is_saved
        && facts.query("saved").as_deref() == Some(UNTESTED)
        && server
            .as_ref()
            .is_some_and(|server| !has_taken(test.as_ref(), server));
    let saved = server.as_ref();
    let port = saved.map_or(MailSecurity::default().usual_port(), |row| row.port);
    let security = saved.map_or(MailSecurity::default(), |row| row.security);
    let host = form.text(|form| &form.host, saved.map_or("", |row| &row.host));
    let user = form.text(
        |form| &form.user,
        saved.and_then(|row| row.user.as_deref()).unwrap_or_default(),
    );
    let knows_password = known.is_some_and(|(known_host, known_user)| {
        host.value.trim().eq_ignore_ascii_case(&known_host) && user.value.trim() == known_user
    });
    let page = MailPage {
        version: form.version(
            form.typed.map(|form| form.version),
            saved.map_or(0, |row| row.version),
        ),
        way: form.text(|form| &form.way, if saved.is_some() { OWN } else { INSTALLATION }),
        host,
        port: form.text(|form| &form.port, &port.to_string()),
        security: form.text(
            |form| form.security.as_deref().unwrap_or_default(),
            security.as_str(),
        ),
        user,
        password: if knows_password {
            StoredPassword::Tried
        } else if saved.is_some_and(|row| row.sealed_password.is_some()) {
            StoredPassword::Saved
        } else {
            StoredPassword::None
        },
        sender: form.text(|form| &form.sender, saved.map_or("", |row| &row.sender)),
        reply_to: form.text(
            |form| &form.reply_to,
            saved.and_then(|row| row.reply_to.as_deref()).unwrap_or_default(),
        ),
        fall_back: match form.typed {
            Some(form) => form.fall_back.is_some(),
            None => saved.is_some_and(|row| row.fall_back),
        },
        email: own.email.clone(),
        last_test: test.as_ref().map(|test| moments.write(test.created_at)),
        tried: test.filter(|_| tried).map(|test| (moments, test)),
        saved: is_saved.then_some(Saved { untested }),
        refusal: form.refusal.cloned(),
    };
    show_form(
        facts.page_at(state, &company, &own, ADMIN_MAIL, page),
        form.refusal,
    )
}

/// Whether the server has taken the newest test mail since it was saved.
fn has_taken(test: Option<&TestMailRow>, server: &MailServerRow) -> bool {
    test.is_some_and(|test| test.sent_at.is_some() && test.created_at >= server.changed_at)
}

/// `/admin/mail/test`
async fn test(State(state): State<AppState>, facts: Facts) -> Response {
    show_test(&state, &facts, None).await
}

async fn show_test(state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
    let MailServerPage {
        company, own, test, ..
    } = match state.service.console().mail_server(&facts.visitor).await {
        Ok(found) => found,
        Err(reason) => return redirect_or_refuse(&reason, ADMIN_MAIL_TEST),
    };
    let page = TestPage {
        moments: Moments::of(facts.locale_for(&company, &own), &company, &own),
        test,
        refusal: refusal.cloned(),
    };
    show_form(
        facts.page_at(state, &company, &own, ADMIN_MAIL_TEST, page),
        refusal,
    )
}

struct MailPage {
    /// Version that is saved over; 0 = there is none yet.
    version: i64,
    /// `own`, or `installation`.
    way: Typed,
    host: Typed,
    port: Typed,
    security: Typed,
    user: Typed,
    password: StoredPassword,
    sender: Typed,
    reply_to: Typed,
    fall_back: bool,
    /// Where a test mail would go.
    email: String,
    /// When the newest test mail was asked for, if that is not long ago.
    last_test: Option<When>,
    /// What became of the test mail that was just sent with what is typed.
    tried: Option<(Moments, TestMailRow)>,
    /// That it was just saved.
    saved: Option<Saved>,
    refusal: Option<Refusal>,
}

/// The password that counts when none is typed.
#[derive(Clone, Copy)]
enum StoredPassword {
    /// There is none.
    None,
    /// The one that is saved.
    Saved,
    /// The one that was typed for a test of this host and this user.
    Tried,
}

/// What is told of a server that was just saved.
#[derive(Clone, Copy)]
struct Saved {
    /// Whether no test mail has gone through it.
    untested: bool,
}

impl Content for MailPage {
    fn head(&self, now: Locale) -> Head {
        Head::new(td_string!(now, console.mail), &[Sheet::Account, Sheet::Console])
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let refusal = self.refusal.as_ref();
        let saved = self.saved.map(|saved| {
            let untested = saved.untested.then(|| td_string!(now, mail_server.untested));
            let said: Vec<&str> = [td_string!(now, company.saved)]
                .into_iter()
                .chain(untested)
                .collect();
            good(sentences(now, &said))
        });
        let tried = self
            .tried
            .clone()
            .map(|(moments, test)| outcome(now, moments, test, true));
        let content = view! {
            <h1>{td_string!(now, console.mail)}</h1>
            <p class="lead">{td_string!(now, mail_server.intro)}</p>
            {saved}
            {tried}
            {why(now, refusal)}
            {form(now, &self, refusal)}
            {test_card(now, &self)}
        };
        console(frame, ADMIN_MAIL, Some(FORM), content)
    }
}

fn form(now: Locale, page: &MailPage, refusal: Option<&Refusal>) -> AnyView {
    let way_name = |word: &str| {
        if word == OWN {
            td_string!(now, mail_server.own)
        } else {
            td_string!(now, mail_server.installation)
        }
    };
    let ways = [INSTALLATION, OWN]
        .map(|word| {
            let picked = page.way.value == word;
            radio("way", word.to_owned(), way_name(word).to_owned(), None, picked)
        })
        .into_iter()
        .collect_view();
    let way_meanwhile = page
        .way
        .meanwhile
        .as_deref()
        .map(|word| way_name(word).to_owned());
    view! {
        <form id=FORM class="fields" method="post" action=SaveMailServer::PATH novalidate>
            <input type="hidden" name="version" value=page.version />
            <fieldset class="card">
                <legend>{td_string!(now, mail_server.way)}</legend>
                {ways}
                {meanwhile(now, way_meanwhile)}
            </fieldset>
            <section class="card own-server" aria-labelledby="server-title">
                <h2 id="server-title">{td_string!(now, mail_server.server)}</h2>
                <div class="fields pairs">{server_fields(now, page, refusal)}</div>
            </section>
            {encryption(now, &page.security, refusal)}
            <section class="card own-server" aria-labelledby="mails-title">
                <h2 id="mails-title">{td_string!(now, mail_server.mails)}</h2>
                <div class="fields pairs">{mail_fields(now, page, refusal)}</div>
                <div class="choice">
                    <input id="fall_back" type="checkbox" name="fall_back" value="yes" checked=page.fall_back aria-describedby="fall_back-hint" />
                    <label for="fall_back">{td_string!(now, mail_server.fall_back)}</label>
                    <p class="hint" id="fall_back-hint">
                        {td_string!(now, mail_server.fall_back_hint)}
                    </p>
                </div>
            </section>
            <div class="buttons">
                <button class="button primary">{td_string!(now, common.save)}</button>
                <button class="button own-server" formaction=TryMailServer::PATH>
                    {td_string!(now, mail_server.try_out)}
                </button>
            </div>
        </form>
    }.into_any()
}

fn server_fields(now: Locale, page: &MailPage, refusal: Option<&Refusal>) -> AnyView {
    let host = Input {
        required: true,
        ..text(
            now,
            Field::Host,
            td_string!(now, mail_server.host),
            td_string!(now, mail_server.host_hint),
            &page.host,
            refusal,
        )
    };
    let port = number(
        now,
        Field::Port,
        td_string!(now, mail_server.port),
        td_string!(now, mail_server.port_hint),
        (1, usize::from(u16::MAX)),
        page.port.clone(),
        refusal,
    );
    let user = text(
        now,
        Field::MailUser,
        td_string!(now, mail_server.user),
        td_string!(now, mail_server.user_hint),
        &page.user,
        refusal,
    );
    let password_hint = match page.password {
        StoredPassword::None => td_string!(now, mail_server.password_hint),
        StoredPassword::Saved => td_string!(now, mail_server.password_kept),
        StoredPassword::Tried => td_string!(now, mail_server.password_tried),
    };
    let password = Input {
        autocomplete: "new-password",
        ..text(
            now,
            Field::MailPassword,
            td_string!(now, mail_server.password),
            password_hint,
            &Typed::default(),
            refusal,
        )
    };
    view! {
        {host.view(now)}
        {port}
        {user.view(now)}
        {password.view(now)}
    }
    .into_any()
}

fn mail_fields(now: Locale, page: &MailPage, refusal: Option<&Refusal>) -> AnyView {
    let sender = Input {
        required: true,
        ..text(
            now,
            Field::Sender,
            td_string!(now, mail_server.sender),
            td_string!(now, mail_server.sender_hint),
            &page.sender,
            refusal,
        )
    };
    let reply_to = text(
        now,
        Field::ReplyTo,
        td_string!(now, mail_server.reply_to),
        td_string!(now, mail_server.reply_to_hint),
        &page.reply_to,
        refusal,
    );
    view! {
        {sender.view(now)}
        {reply_to.view(now)}
    }
    .into_any()
}

fn encryption(now: Locale, typed: &Typed, refusal: Option<&Refusal>) -> AnyView {
    let name = |security| match security {
        MailSecurity::Tls => td_string!(now, mail_server.tls),
        MailSecurity::StartTls => td_string!(now, mail_server.starttls),
        MailSecurity::None => td_string!(now, mail_server.none),
    };
    let options = MailSecurity::ALL
        .map(|security| {
            let hint = match security {
                MailSecurity::Tls => td_string!(now, mail_server.tls_hint),
                MailSecurity::StartTls => td_string!(now, mail_server.starttls_hint),
                MailSecurity::None => td_string!(now, mail_server.none_hint),
            };
            let word = security.as_str();
            let picked = typed.value == word;
            radio(
                "security",
                word.to_owned(),
                name(security).to_owned(),
                Some(hint),
                picked,
            )
        })
        .into_iter()
        .collect_view();
    let saved = typed
        .meanwhile
        .clone()
        .map(|word| MailSecurity::from_word(&word).map_or(word, |security| name(security).to_owned()));
    let wrong = problem(now, Field::MailSecurity, refusal);
    view! {
        <fieldset id="security" class="card own-server" tabindex="-1">
            <legend>{td_string!(now, mail_server.security)}</legend>
            {wrong.map(|wrong| view! { <p class="problem">{wrong}</p> })}
            {options}
            {meanwhile(now, saved)}
        </fieldset>
    }
    .into_any()
}

/// The test of what is saved; nothing where nothing is.
fn test_card(now: Locale, page: &MailPage) -> AnyView {
    if page.version == 0 {
        return ().into_any();
    }
    let last = page.last_test.clone().map(|at| {
        let label = td_string!(now, mail_server.last_test, when = "\n");
        view! { <a href=SendTestMail::PATH>{around(&label, moment(at))}</a> }
    });
    view! {
        <section class="card" aria-labelledby="test-title">
            <h2 id="test-title">{td_string!(now, mail_server.test_title)}</h2>
            <p class="quiet">{td_string!(now, mail_server.test_intro, email = page.email.clone())}</p>
            <div class="buttons">{send_test(now)} {last}</div>
        </section>
    }
    .into_any()
}

fn send_test(now: Locale) -> AnyView {
    view! {
        <form method="post" action=SendTestMail::PATH>
            <button class="button">{td_string!(now, mail_server.send_test)}</button>
        </form>
    }
    .into_any()
}

struct TestPage {
    moments: Moments,
    /// The newest test mail; `None` = none was sent lately.
    test: Option<TestMailRow>,
    /// Why another was not sent.
    refusal: Option<Refusal>,
}

impl Content for TestPage {
    fn head(&self, now: Locale) -> Head {
        let is_under_way = |test: &TestMailRow| test.sent_at.is_none() && test.given_up_at.is_none();
        Head::new(
            td_string!(now, mail_server.test_title),
            &[Sheet::Account, Sheet::Console],
        )
        .refreshed(
            self.test
                .as_ref()
                .is_some_and(is_under_way)
                .then_some(Refresh::Soon),
        )
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let content = view! {
            <h1>{td_string!(now, mail_server.test_title)}</h1>
            {refused(now, self.refusal.as_ref(), true)}
            {self.test.map(|test| outcome(now, self.moments, test, false))}
            <div class="buttons">
                {send_test(now)}
                <a class="button" href=ADMIN_MAIL>
                    {td_string!(now, mail_server.back)}
                </a>
            </div>
        };
        console(frame, ADMIN_MAIL, None, content)
    }
}

/// What became of a test mail; `unsaved`: whether it was sent with settings that are only typed.
fn outcome(now: Locale, moments: Moments, test: TestMailRow, unsaved: bool) -> AnyView {
    let email = test.receiver;
    let (class, sentence, why) = match (test.sent_at, test.given_up_at) {
        (Some(_), _) => (
            "notice good",
            td_string!(now, mail_server.test_sent, email = email),
            None,
        ),
        (None, None) => (
            "notice",
            td_string!(now, mail_server.test_waiting, email = email),
            None,
        ),
        (None, Some(_)) => (
            "notice caution",
            td_string!(now, mail_server.test_failed, email = email),
            Some(reason(
                now,
                &test.problem.unwrap_or_default(),
                test.answer.as_deref().unwrap_or_default(),
            )),
        ),
    };
    let answer = test.answer.filter(|answer| !answer.is_empty());
    view! {
        <div class=class role="status">
            <p>{sentence}</p>
            {why.map(|why| view! { <p>{why}</p> })}
            {unsaved.then(|| view! { <p>{td_string!(now, company.not_saved)}</p> })}
        </div>
        <dl class="facts">
            <div>
                <dt>{td_string!(now, mail_server.test_at)}</dt>
                <dd>{moment(moments.write(test.created_at))}</dd>
            </div>
            {answer.map(|answer| fact(td_string!(now, mail_server.answer), answer))}
        </dl>
    }
    .into_any()
}

/// What a word of the outbox means for whoever configures the server; `answer`: what that said.
fn reason(now: Locale, word: &str, answer: &str) -> Cow<'static, str> {
    let sentence = match word {
        "no_sign_in" if answer.is_empty() => td_string!(now, mail_server.why_no_sign_in),
        "no_sign_in" => {
            return td_string!(now, mail_server.why_other_sign_in, offered = answer.to_owned()).into();
        }
        "refused" => td_string!(now, mail_server.why_refused),
        "unreachable" => td_string!(now, mail_server.why_unreachable),
        "timed_out" => td_string!(now, mail_server.why_timed_out),
        "tls" => td_string!(now, mail_server.why_tls),
        "address" => td_string!(now, mail_server.why_address),
        "forbidden" => td_string!(now, errors.private_host),
        "expired" | "tries_used_up" => td_string!(now, mail_server.why_late),
        "rejected_530" | "rejected_534" | "rejected_535" | "rejected_538" => {
            td_string!(now, mail_server.why_login)
        }
        word if word.starts_with("rejected_") => td_string!(now, mail_server.why_rejected),
        _ => td_string!(now, mail_server.why_other),
    };
    sentence.into()
}
