//! Import of agents: the file, what would become of it, what became of it.

use leptos::prelude::*;
use vestibule_core::{
    limits::{IMPORT_BYTES_MAX, IMPORT_LINES_MAX},
    paths,
    signed_in::FormField,
};
use vestibule_translations::{Locale, td_string, verdict_sentence};

use super::{
    console::console,
    forms::{problem, refused},
};
use crate::page::{Frame, ImportPage, ImportRow, ImportStage, UploadPage};

/// `/admin/agents/import`
pub(super) fn upload(frame: Frame, page: UploadPage) -> impl IntoView {
    let now = frame.locale;
    let id = FormField::File.name();
    let problem = problem(now, FormField::File, page.refusal.as_ref());
    let invalid = problem.is_some().then_some("true");
    let format = td_string!(
        now,
        company.import_format,
        lines = IMPORT_LINES_MAX,
        megabytes = IMPORT_BYTES_MAX / 1024 / 1024
    );
    let content = view! {
        {back(now)}
        <h1>{td_string!(now, company.import_title)}</h1>
        <p class="lead">{td_string!(now, company.import_intro)}</p>
        {refused(now, page.refusal.as_ref(), true)}
        <section class="card" aria-labelledby="columns">
            <h2 id="columns">{td_string!(now, company.import_columns)}</h2>
            <p>{td_string!(now, company.import_first_line)}</p>
            <p>{td_string!(now, company.import_values)}</p>
            <p id="file-hint">{format}</p>
            <p class="card-end">
                <a class="button" href=page.template download="agents.csv">
                    {td_string!(now, company.import_template)}
                </a>
            </p>
        </section>
        <form class="fields" method="post" action=paths::AGENTS_IMPORT enctype="multipart/form-data" novalidate>
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
    console(frame, paths::AGENTS, None, content)
}

fn back(now: Locale) -> impl IntoView {
    view! {
        <p class="back">
            <a href=paths::AGENTS>{td_string!(now, company.back_to_agents)}</a>
        </p>
    }
}

/// `/admin/agents/import/{id}`
pub(super) fn import(frame: Frame, page: ImportPage) -> impl IntoView {
    let now = frame.locale;
    let state = state(now, &page);
    let counts = page
        .verdicts
        .iter()
        .map(|(word, count)| {
            view! {
                <div>
                    <dt>{verdict_sentence(now, word)}</dt>
                    <dd>{*count}</dd>
                </div>
            }
        })
        .collect_view();
    let heading = if page.stage == ImportStage::Checked {
        td_string!(now, company.lines)
    } else {
        td_string!(now, company.lines_left)
    };
    let another = (page.stage == ImportStage::Done).then(|| {
        view! {
            <p class="buttons">
                <a class="button primary" href=paths::AGENTS>
                    {td_string!(now, company.back_to_agents)}
                </a>
                <a class="button" href=paths::AGENTS_IMPORT>
                    {td_string!(now, company.import_another)}
                </a>
            </p>
        }
    });
    let content = view! {
        {back(now)}
        <h1>{td_string!(now, company.import_title)}</h1>
        {refused(now, page.refusal.as_ref(), true)}
        {state}
        <section class="card" aria-labelledby="summary-title">
            <h2 id="summary-title">{td_string!(now, company.summary)}</h2>
            <dl class="facts">{counts}</dl>
        </section>
        {lines(now, heading, page.lines, page.first, page.next)}
        {another}
    };
    console(frame, paths::AGENTS, None, content)
}

/// Where the import stands, and what to do next.
fn state(now: Locale, page: &ImportPage) -> AnyView {
    let all = page.settled + page.good;
    let progress = || {
        let done = td_string!(now, company.import_progress, done = page.settled, all = all);
        view! {
            <p>
                <label for="progress">{done}</label>
            </p>
            <progress id="progress" max=all.max(1).to_string() value=page.settled.to_string()></progress>
        }
    };
    match page.stage {
        ImportStage::Checked if page.good == 0 => {
            view! { <p class="notice caution" role="status">{td_string!(now, company.import_nothing)}</p> }
                .into_any()
        }
        ImportStage::Checked => {
            let label = td_string!(now, company.import_button, count = page.good);
            view! {
                <p class="lead">
                    {td_string!(now, company.import_checked)} " " {td_string!(now, company.import_mails)}
                </p>
                {start(page.id.clone(), label)}
            }
            .into_any()
        }
        ImportStage::Running => view! {
            <p class="lead">{td_string!(now, company.import_running)}</p>
            {progress()}
        }
        .into_any(),
        ImportStage::Stalled => view! {
            <p class="notice caution" role="status">{td_string!(now, company.import_stalled)}</p>
            {progress()}
            {start(page.id.clone(), td_string!(now, company.import_go_on).to_owned())}
        }
        .into_any(),
        ImportStage::Done => {
            let done = td_string!(now, company.import_done, count = page.imported);
            view! { <p class="notice good" role="status">{done}</p> }.into_any()
        }
    }
}

fn start(id: String, label: String) -> impl IntoView {
    view! {
        <form class="fields" method="post" action=paths::AGENTS_IMPORT_START>
            <input type="hidden" name="id" value=id />
            <button class="button primary">{label}</button>
        </form>
    }
}

fn lines(
    now: Locale,
    heading: &'static str,
    rows: Vec<ImportRow>,
    first: Option<String>,
    next: Option<String>,
) -> impl IntoView {
    (!rows.is_empty() || first.is_some()).then(|| {
        let rows = rows
            .into_iter()
            .map(|row| {
                view! {
                    <tr>
                        <td>{row.line}</td>
                        <td>
                            <bdi>{row.account}</bdi>
                        </td>
                        <td>{verdict_sentence(now, &row.verdict)}</td>
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
            <section class="card" aria-labelledby="lines">
                <h2 id="lines">{heading}</h2>
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
}

fn page_link(href: String, label: &'static str) -> impl IntoView {
    view! {
        <a class="button" href=href>
            {label}
        </a>
    }
}
