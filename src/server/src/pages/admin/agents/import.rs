//! `/admin/agents/import`: import of agents: the file, what would become of it, what became of it.

use axum::{
    body::{Body as HttpBody, Bytes},
    extract::{FromRequest, Multipart, Path, Request, State, multipart},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::StreamExt;
use leptos::prelude::*;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use vestibule_app::{
    call::Call,
    components::forms::{problem, refused},
    functions::Done,
    page::{Content, Frame, Head, Refresh, Sheet},
    shell::console::console,
};
use vestibule_core::{
    id::ImportId,
    limits::{IMPORT_BYTES_MAX, IMPORT_LINES_MAX},
    paths::{AGENTS, AGENTS_IMPORT},
    refusal::{Field, Problem, Refusal},
    rights::Action,
};
use vestibule_service::{
    console::{ImportPage as Found, LineVerdict, LinesWanted},
    sessions::SignedIn,
};
use vestibule_storage::{ImportLine, ImportState};
use vestibule_translations::{Locale, sentences, td_string, verdict_sentence, wait};

use crate::{
    form::{Form, Routes, redirect_or_refuse},
    http::{
        answer::{see_other, show_form},
        denied::Denied,
        facts::Facts,
    },
    pages::admin::download::csv,
    state::AppState,
};

/// Choosing a file, and what became of it.
pub fn routes(routes: Routes) -> Routes {
    routes
        .page(AGENTS_IMPORT, Action::ImportAgents, choose)
        .upload(AGENTS_IMPORT, Action::ImportAgents, UPLOAD_MAX, upload)
        .page("/admin/agents/import/{id}", Action::ImportAgents, import)
        .page(
            "/admin/agents/import/{id}/problems",
            Action::ImportAgents,
            problems,
        )
        .form::<StartImport>()
}

/// Largest upload that is read to its end, in bytes: a browser shows the answer only when it could send everything.
/// What is over [`IMPORT_BYTES_MAX`] of it is thrown away as it comes.
const UPLOAD_MAX: usize = 32 * 1024 * 1024;

/// The columns that the import reads, and two agents to show how.
const TEMPLATE: &str = "account,email,first_name,last_name,alias,phone,title,language,roles,active\r\n\
    ada,ada@example.com,Ada,Lovelace,,,,en,agent,yes\r\n\
    grace,grace@example.com,Grace,Hopper,Amazing Grace,+1 555 0100,Lead,en,agent supervisor,yes\r\n";

/// Imports the file that was checked, or takes an import on that was cut off.
#[derive(Clone, Deserialize)]
pub struct StartImport {
    id: String,
}

impl Form for StartImport {
    const PATH: &'static str = "/admin/agents/import/start";
    const ACTION: Action = Action::ImportAgents;
    const OPENED: Option<&'static str> = Some(AGENTS_IMPORT);

    async fn act(self, call: &Call) -> Result<Done, Refusal> {
        call.service
            .console()
            .start_import(&self.id, &call.visitor)
            .await?;
        Ok(Done::to(self.page()))
    }

    /// Leads back to the import; what is no identifier leads to where a file is chosen.
    fn page(&self) -> String {
        match ImportId::parse(&self.id) {
            Some(id) => address(&id.to_string()),
            None => AGENTS_IMPORT.to_owned(),
        }
    }

    async fn redisplay(&self, state: &AppState, facts: &Facts, refusal: Option<&Refusal>) -> Response {
        match refusal {
            Some(Refusal::ImportOver) | None => show_import(state, facts, &self.id, 0, refusal).await,
            Some(other) => redirect_or_refuse(other, &self.page()),
        }
    }
}

/// The page of an import.
fn address(id: &str) -> String {
    [AGENTS_IMPORT, "/", id].concat()
}

/// `/admin/agents/import`
async fn choose(State(state): State<AppState>, facts: Facts) -> Response {
    match state
        .service
        .console()
        .authorize(Action::ImportAgents, &facts.visitor)
        .await
    {
        Ok(signed_in) => show_upload(&state, &facts, &signed_in, None),
        Err(refusal) => redirect_or_refuse(&refusal, AGENTS_IMPORT),
    }
}

/// Takes a file: who sends it is asked before anything of it is kept.
async fn upload(State(state): State<AppState>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let facts = Facts::of(&state, &parts);
    let signed_in = match state
        .service
        .console()
        .authorize(Action::ImportAgents, &facts.visitor)
        .await
    {
        Ok(signed_in) => signed_in,
        Err(refusal) => {
            throw_away(body).await;
            return if facts.wants_page {
                redirect_or_refuse(&refusal, AGENTS_IMPORT)
            } else {
                Denied::from(refusal).into_response()
            };
        }
    };
    let checked = match read_file(Request::from_parts(parts, body)).await {
        Ok(file) => state.service.console().check_import(file, &facts.visitor).await,
        Err(Unread::Large) => Err(too_large()),
        Err(Unread::Denied(denied)) => return denied.into_response(),
    };
    match checked {
        Ok(id) => see_other(&format!("{AGENTS_IMPORT}/{id}")),
        Err(refusal) if !facts.wants_page => {
            Denied::with_status(status_of(&refusal), refusal).into_response()
        }
        Err(refusal @ Refusal::Invalid { .. }) => show_upload(&state, &facts, &signed_in, Some(&refusal)),
        Err(refusal) => redirect_or_refuse(&refusal, AGENTS_IMPORT),
    }
}

fn too_large() -> Refusal {
    let problem = Problem::LargeFile {
        most: IMPORT_BYTES_MAX,
    };
    Refusal::field(Field::File, problem)
}

/// HTTP has a status of its own for a file that is too large.
fn status_of(refusal: &Refusal) -> StatusCode {
    match refusal {
        refusal if matches!(refusal.problem(Field::File), Some(Problem::LargeFile { .. })) => {
            StatusCode::PAYLOAD_TOO_LARGE
        }
        refusal => StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// Why an upload is no file.
enum Unread {
    /// Larger than [`IMPORT_BYTES_MAX`]; it was read to its end.
    Large,
    /// Not a form with one file, or cut off.
    Denied(Denied),
}

/// The only file of a form that has nothing else in it.
async fn read_file(request: Request) -> Result<Vec<u8>, Unread> {
    let malformed = || Unread::Denied(Refusal::Malformed.into());
    if request.headers().contains_key(header::CONTENT_ENCODING)
        || request.uri().query().is_some_and(|query| !query.is_empty())
    {
        return Err(malformed());
    }
    let Ok(mut form) = Multipart::from_request(request, &()).await else {
        let denied = Denied::with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE, Refusal::Malformed);
        return Err(Unread::Denied(denied));
    };
    let mut file = None;
    let mut is_ours = true;
    loop {
        let field = match form.next_field().await {
            Ok(Some(field)) => field,
            Ok(None) => break,
            Err(error) => return Err(cut_off(error.status())),
        };
        is_ours &= field.name() == Some(Field::File.name()) && file.is_none();
        // Something wrong is read to its end as well, and not kept.
        let most = if is_ours { IMPORT_BYTES_MAX } else { 0 };
        file = Some(collect(field, most).await?);
    }
    match file {
        Some(_) | None if !is_ours => Err(malformed()),
        Some(Some(file)) => Ok(file),
        Some(None) => Err(Unread::Large),
        None => Err(malformed()),
    }
}

/// The whole field, or `None` when it is larger than `most` bytes; read to its end in any case.
async fn collect(mut field: multipart::Field<'_>, most: usize) -> Result<Option<Vec<u8>>, Unread> {
    let mut kept = Some(Vec::new());
    loop {
        let chunk: Bytes = match field.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => return Ok(kept),
            Err(error) => return Err(cut_off(error.status())),
        };
        kept = kept.filter(|kept| kept.len() + chunk.len() <= most);
        if let Some(kept) = &mut kept {
            kept.extend_from_slice(&chunk);
        }
    }
}

fn cut_off(status: StatusCode) -> Unread {
    Unread::Denied(if status == StatusCode::PAYLOAD_TOO_LARGE {
        Refusal::TooLarge.into()
    } else {
        Refusal::Malformed.into()
    })
}

/// Reads on what nobody wants, so that the browser gets to see the answer. Beyond [`UPLOAD_MAX`] it is cut off.
async fn throw_away(body: HttpBody) {
    let mut read = 0;
    let mut chunks = body.into_data_stream();
    while let Some(Ok(chunk)) = chunks.next().await {
        read += chunk.len();
        if read > UPLOAD_MAX {
            break;
        }
    }
}

fn show_upload(state: &AppState, facts: &Facts, signed_in: &SignedIn, refusal: Option<&Refusal>) -> Response {
    let page = UploadPage {
        refusal: refusal.cloned(),
    };
    let page = facts.page_at(state, &signed_in.company, &signed_in.account, AGENTS_IMPORT, page);
    let mut response = show_form(page, refusal);
    if let Some(refusal) = refusal {
        *response.status_mut() = status_of(refusal);
    }
    response
}

/// `/admin/agents/import/{id}`
async fn import(State(state): State<AppState>, Path(id): Path<String>, facts: Facts) -> Response {
    let after = facts
        .query("after")
        .and_then(|line| line.parse().ok())
        .unwrap_or_default();
    show_import(&state, &facts, &id, after, None).await
}

/// `/admin/agents/import/{id}/problems`: the lines that cannot be imported, as a file to be corrected.
async fn problems(State(state): State<AppState>, Path(id): Path<String>, facts: Facts) -> Response {
    let console = state.service.console();
    let download = async {
        let own = console.authorize(Action::ImportAgents, &facts.visitor).await?;
        let locale = facts.locale(
            own.account.person.language.as_deref(),
            Some(&own.company.settings.language),
        );
        console.export_problems(&id, locale, &facts.visitor).await
    };
    match download.await {
        Ok(download) => csv(&state, &facts, "import-problems", download).await,
        Err(refusal) => redirect_or_refuse(&refusal, &facts.path),
    }
}

async fn show_import(
    state: &AppState,
    facts: &Facts,
    id: &str,
    after: i64,
    refusal: Option<&Refusal>,
) -> Response {
    let only = facts.query("verdict").as_deref().and_then(LineVerdict::from_word);
    let wanted = only.map_or(LinesWanted::Problems, LinesWanted::Only);
    let console = state.service.console();
    let found = match console.import_page(id, wanted, after, &facts.visitor).await {
        Ok(found) => found,
        // An import that is gone has nothing to show but that.
        Err(Refusal::NotFound) if refusal.is_some() => {
            return match state
                .service
                .console()
                .authorize(Action::ImportAgents, &facts.visitor)
                .await
            {
                Ok(signed_in) => show_upload(state, facts, &signed_in, refusal),
                Err(reason) => redirect_or_refuse(&reason, AGENTS_IMPORT),
            };
        }
        Err(reason) => return redirect_or_refuse(&reason, &facts.path),
    };
    // What is wrong comes first, and what is not after it.
    let good = if found.state == ImportState::Checked && only.is_none() && after == 0 {
        let good = LinesWanted::Only(LineVerdict::Good);
        match console.import_page(id, good, 0, &facts.visitor).await {
            Ok(good) => Some(good),
            Err(reason) => return redirect_or_refuse(&reason, &facts.path),
        }
    } else {
        None
    };
    let path = address(&found.id.to_string());
    let (company, own) = (found.company.clone(), found.own.clone());
    let page = ImportPage {
        found,
        good,
        only,
        is_later: after > 0,
        refusal: refusal.cloned(),
    };
    show_form(facts.page_at(state, &company, &own, path, page), refusal)
}

struct UploadPage {
    /// Why the last file was refused.
    refusal: Option<Refusal>,
}

impl Content for UploadPage {
    fn head(&self, now: Locale) -> Head {
        Head::new(
            td_string!(now, company.import_title),
            &[Sheet::Account, Sheet::Console],
        )
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let id = Field::File.name();
        let problem = problem(now, Field::File, self.refusal.as_ref());
        let invalid = problem.is_some().then_some("true");
        let format = td_string!(
            now,
            company.import_format,
            count = IMPORT_LINES_MAX,
            megabytes = IMPORT_BYTES_MAX / 1024 / 1024
        );
        let template = format!(
            "data:text/csv;charset=utf-8,{}",
            utf8_percent_encode(TEMPLATE, NON_ALPHANUMERIC)
        );
        let content = view! {
            {back(now)}
            <h1>{td_string!(now, company.import_title)}</h1>
            <p class="lead">{td_string!(now, company.import_intro)}</p>
            {refused(now, self.refusal.as_ref(), true)}
            <section class="card" aria-labelledby="columns">
                <h2 id="columns">{td_string!(now, company.import_columns)}</h2>
                <p>{td_string!(now, company.import_first_line)}</p>
                <p>{td_string!(now, company.import_values)}</p>
                <p id="file-hint">{format}</p>
                <p class="card-end">
                    <a class="button" href=template download="agents.csv">
                        {td_string!(now, company.import_template)}
                    </a>
                </p>
            </section>
            <form class="fields" method="post" action=AGENTS_IMPORT enctype="multipart/form-data" novalidate>
                <div class="field">
                    <label for=id>{td_string!(now, company.file)}</label>
                    <div class="control">
                        <input
                            id=id
                            name=id
                            type="file"
                            accept=".csv,text/csv"
                            required
                            aria-invalid=invalid
                            aria-describedby=if problem.is_some() { "file-problem file-hint" } else { "file-hint" }
                        />
                    </div>
                    {problem
                        .map(|problem| {
                            view! {
                                <p class="problem" id="file-problem">
                                    {problem}
                                </p>
                            }
                        })}
                </div>
                <button class="button primary">{td_string!(now, company.check_file)}</button>
            </form>
        };
        console(frame, AGENTS, None, content)
    }
}

struct ImportPage {
    /// The lines with which something is wrong, or those with a verdict.
    found: Found,
    /// The lines that will be imported, beside the others.
    good: Option<Found>,
    /// The verdict that was asked for.
    only: Option<LineVerdict>,
    /// Whether this is not its first page.
    is_later: bool,
    /// Why it could not be started.
    refusal: Option<Refusal>,
}

impl ImportPage {
    /// How many lines have this verdict.
    fn count(&self, wanted: LineVerdict) -> usize {
        let verdicts = self.found.verdicts.iter();
        verdicts
            .filter(|(verdict, _)| *verdict == wanted)
            .map(|(_, count)| count)
            .sum()
    }
}

impl Content for ImportPage {
    fn head(&self, now: Locale) -> Head {
        let is_under_way = self.found.state == ImportState::Running && !self.found.stalled;
        Head::new(
            td_string!(now, company.import_title),
            &[Sheet::Account, Sheet::Console],
        )
        .refreshed(is_under_way.then_some(Refresh::Soon))
    }

    fn view(self, frame: Frame) -> AnyView {
        let now = frame.locale;
        let state = stands(now, &self);
        let path = address(&self.found.id.to_string());
        let counts = self
            .found
            .verdicts
            .iter()
            .map(|(verdict, count)| {
                let href = format!("{path}?verdict={}", verdict.as_str());
                let current = (self.only == Some(*verdict)).then_some("true");
                view! {
                    <div>
                        <dt>
                            <a href=href aria-current=current>
                                {verdict_sentence(now, verdict.as_str())}
                            </a>
                        </dt>
                        <dd>{*count}</dd>
                    </div>
                }
            })
            .collect_view();
        let heading = match (self.only, self.found.state) {
            (Some(verdict), _) => verdict_sentence(now, verdict.as_str()),
            (None, ImportState::Checked) => td_string!(now, company.lines_with_problems),
            (None, _) => td_string!(now, company.lines_left),
        };
        let has_problems = self.found.verdicts.iter().any(|(verdict, count)| {
            *count > 0 && !matches!(verdict, LineVerdict::Good | LineVerdict::Imported)
        });
        let download = has_problems.then(|| {
            view! {
                <p>
                    <a class="button" href=[&path, "/problems"].concat() download="">
                        {td_string!(now, company.download_problems)}
                    </a>
                </p>
            }
        });
        let good = self.good.as_ref().map(|good| {
            let heading = verdict_sentence(now, LineVerdict::Good.as_str());
            lines(now, "lines-good", heading, good, Some(LineVerdict::Good), false)
        });
        let another = (self.found.state == ImportState::Done).then(|| {
            view! {
                <p class="buttons">
                    <a class="button primary" href=AGENTS>
                        {td_string!(now, company.back_to_agents)}
                    </a>
                    <a class="button" href=AGENTS_IMPORT>
                        {td_string!(now, company.import_another)}
                    </a>
                </p>
            }
        });
        let content = view! {
            {back(now)}
            <h1>{td_string!(now, company.import_title)}</h1>
            {refused(now, self.refusal.as_ref(), true)}
            {state}
            <section class="card" aria-labelledby="summary-title">
                <h2 id="summary-title">{td_string!(now, company.summary)}</h2>
                <dl class="facts">{counts}</dl>
            </section>
            {download}
            {lines(now, "lines", heading, &self.found, self.only, self.is_later)}
            {good}
            {another}
        };
        console(frame, AGENTS, None, content)
    }
}

fn back(now: Locale) -> AnyView {
    view! {
        <p class="back">
            <a href=AGENTS>{td_string!(now, company.back_to_agents)}</a>
        </p>
    }
    .into_any()
}

/// Where the import stands, and what to do next.
fn stands(now: Locale, page: &ImportPage) -> AnyView {
    let (good, imported) = (page.count(LineVerdict::Good), page.count(LineVerdict::Imported));
    let settled = imported + page.count(LineVerdict::Failed);
    let all = settled + good;
    let progress = || {
        let done = td_string!(now, company.import_progress, done = settled, all = all);
        view! {
            <p>
                <label for="progress">{done}</label>
            </p>
            <progress id="progress" max=all.max(1).to_string() value=settled.to_string()></progress>
        }
    };
    match page.found.state {
        ImportState::Checked if good == 0 => {
            view! { <p class="notice caution" role="status">{td_string!(now, company.import_nothing)}</p> }
                .into_any()
        }
        ImportState::Checked => {
            let label = td_string!(now, company.import_button, count = good);
            let next = [
                td_string!(now, company.import_checked),
                td_string!(now, company.import_mails),
            ];
            view! {
                <p class="lead">{sentences(now, &next)}</p>
                {start(page.found.id.to_string(), label)}
            }
            .into_any()
        }
        ImportState::Running if !page.found.stalled => {
            let left = page.found.seconds_left.map(|seconds| {
                let left = td_string!(now, company.import_left, time = wait(now, seconds));
                view! { <p class="quiet">{left}</p> }
            });
            view! {
                <p class="lead">{td_string!(now, company.import_running)}</p>
                {progress()}
                {left}
            }
            .into_any()
        }
        state @ (ImportState::Running | ImportState::Stopped) => {
            let why = if state == ImportState::Stopped {
                td_string!(now, company.import_stopped)
            } else {
                td_string!(now, company.import_stalled)
            };
            view! {
                <p class="notice caution" role="status">{why}</p>
                {progress()}
                {start(page.found.id.to_string(), td_string!(now, company.import_go_on).to_owned())}
            }
            .into_any()
        }
        ImportState::Done => {
            let done = td_string!(now, company.import_done, count = imported);
            view! { <p class="notice good" role="status">{done}</p> }.into_any()
        }
    }
}

fn start(id: String, label: String) -> AnyView {
    view! {
        <form class="fields" method="post" action=StartImport::PATH>
            <input type="hidden" name="id" value=id />
            <button class="button primary">{label}</button>
        </form>
    }
    .into_any()
}

fn lines(
    now: Locale,
    id: &'static str,
    heading: &'static str,
    found: &Found,
    only: Option<LineVerdict>,
    is_later: bool,
) -> AnyView {
    let path = address(&found.id.to_string());
    let verdict = only.map(|verdict| format!("verdict={}", verdict.as_str()));
    let address = |after: Option<i64>| {
        let after = after.map(|line| format!("after={line}"));
        let asked: Vec<String> = verdict.clone().into_iter().chain(after).collect();
        [path.as_str(), "?", &asked.join("&")].concat()
    };
    let next = found.more_after.map(|line| address(Some(line)));
    let first = is_later.then(|| address(None));
    let rows = &found.lines;
    (!rows.is_empty() || first.is_some())
        .then(|| {
            let rows = rows
                .iter()
                .map(|row| {
                    view! {
                        <tr>
                            <td>{row.line}</td>
                            <td>
                                <bdi>{row.account.clone()}</bdi>
                            </td>
                            <td>{verdict_sentences(now, &row.verdict)}</td>
                        </tr>
                    }
                })
                .collect_view();
            let pages = (first.is_some() || next.is_some()).then(|| {
                view! {
                    <nav class="buttons pages" aria-label=td_string!(now, company.pages)>
                        {first.map(|href| page_link(href, td_string!(now, company.first_lines)))}
                        {next.map(|href| page_link(href, td_string!(now, company.next_lines)))}
                    </nav>
                }
            });
            view! {
                <section class="card" aria-labelledby=id>
                    <h2 id=id>{heading}</h2>
                    <div class="table-scroll">
                        <table>
                            <thead>
                                <tr>
                                    <th scope="col">{td_string!(now, company.line)}</th>
                                    <th scope="col">{td_string!(now, company.account)}</th>
                                    <th scope="col">{td_string!(now, company.verdict)}</th>
                                </tr>
                            </thead>
                            <tbody>{rows}</tbody>
                        </table>
                    </div>
                    {pages}
                </section>
            }
        })
        .into_any()
}

/// All that is wrong with a line.
fn verdict_sentences(now: Locale, words: &str) -> String {
    let said: Vec<&str> = words
        .split(ImportLine::BETWEEN)
        .map(|word| verdict_sentence(now, word))
        .collect();
    sentences(now, &said)
}

fn page_link(href: String, label: &'static str) -> AnyView {
    view! {
        <a class="button" href=href>
            {label}
        </a>
    }
    .into_any()
}
