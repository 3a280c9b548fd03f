//! Import of agents from a file.

use axum::{
    body::{Body as HttpBody, Bytes},
    extract::{FromRequest, Multipart, Path, Request, State, multipart::Field},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::StreamExt;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use vestibule_app::page::{Body, ImportPage, ImportRow, ImportStage, UploadPage};
use vestibule_core::{
    limits::IMPORT_BYTES_MAX,
    paths,
    refusal::Refusal,
    rights::Action,
    signed_in::{FormField, FormProblem, FormRefusal},
};
use vestibule_service::{
    console::{ImportPage as Import, LineVerdict},
    sessions::SignedIn,
};
use vestibule_storage::ImportState;

use super::{company::show_to, see_other, show, turned_away};
use crate::{
    http::{denied::Denied, facts::Facts, form_guard::FormFields},
    state::AppState,
};

/// Largest upload that is read to its end, in bytes: a browser shows the answer only when it could send everything.
/// What is over [`IMPORT_BYTES_MAX`] of it is thrown away as it comes.
pub const UPLOAD_MAX: usize = 32 * 1024 * 1024;

/// The columns that the import reads, and two agents to show how.
const TEMPLATE: &str = "account,email,first_name,last_name,alias,phone,title,language,roles,active\r\n\
    ada,ada@example.com,Ada,Lovelace,,,,en,agent,yes\r\n\
    grace,grace@example.com,Grace,Hopper,Amazing Grace,+1 555 0100,Lead,en,agent supervisor,yes\r\n";

/// `/admin/agents/import`
pub async fn upload_page(State(state): State<AppState>, request: Request) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    match state.service.console(Action::ImportAgents, &facts.visitor).await {
        Ok(signed_in) => show_upload(&state, &facts, &signed_in, None),
        Err(refusal) => turned_away(&refusal, paths::AGENTS_IMPORT),
    }
}

/// Takes a file: who sends it is asked before anything of it is kept.
pub async fn upload(State(state): State<AppState>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let facts = Facts::of(&state, &parts);
    let signed_in = match state.service.console(Action::ImportAgents, &facts.visitor).await {
        Ok(signed_in) => signed_in,
        Err(refusal) => {
            throw_away(body).await;
            return if facts.wants_page {
                turned_away(&refusal, paths::AGENTS_IMPORT)
            } else {
                Denied::from(refusal).into_response()
            };
        }
    };
    let checked = match read_file(Request::from_parts(parts, body)).await {
        Ok(file) => state.service.check_import(file, &facts.visitor).await,
        Err(Unread::Large) => Err(too_large()),
        Err(Unread::Denied(denied)) => return denied.into_response(),
    };
    match checked {
        Ok(id) => see_other(&format!("{}/{id}", paths::AGENTS_IMPORT)),
        Err(refusal) if !facts.wants_page => {
            Denied::with_status(status_of(&refusal), refusal).into_response()
        }
        Err(refusal @ Refusal::Form(FormRefusal::Invalid { .. })) => {
            show_upload(&state, &facts, &signed_in, Some(&refusal))
        }
        Err(refusal) => turned_away(&refusal, paths::AGENTS_IMPORT),
    }
}

fn too_large() -> Refusal {
    let problem = FormProblem::LargeFile {
        most: IMPORT_BYTES_MAX,
    };
    Refusal::Form(FormRefusal::field(FormField::File, problem))
}

/// HTTP has a status of its own for a file that is too large.
fn status_of(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::Form(form)
            if matches!(form.problem(FormField::File), Some(FormProblem::LargeFile { .. })) =>
        {
            StatusCode::PAYLOAD_TOO_LARGE
        }
        other => StatusCode::from_u16(other.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
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
        is_ours &= field.name() == Some(FormField::File.name()) && file.is_none();
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
async fn collect(mut field: Field<'_>, most: usize) -> Result<Option<Vec<u8>>, Unread> {
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
    let body = Body::Upload(UploadPage {
        template: format!(
            "data:text/csv;charset=utf-8,{}",
            utf8_percent_encode(TEMPLATE, NON_ALPHANUMERIC)
        ),
        refusal: refusal.cloned(),
    });
    let mut response = show_to(state, facts, signed_in, paths::AGENTS_IMPORT, body, refusal);
    if let Some(refusal) = refusal {
        *response.status_mut() = status_of(refusal);
    }
    response
}

/// `/admin/agents/import/start`, opened: leads to where a file is chosen.
pub async fn of_start() -> Response {
    see_other(paths::AGENTS_IMPORT)
}

/// `/admin/agents/import/{id}`
pub async fn import(State(state): State<AppState>, Path(id): Path<String>, request: Request) -> Response {
    let facts = Facts::of(&state, &request.into_parts().0);
    let after = facts
        .query("after")
        .and_then(|line| line.parse().ok())
        .unwrap_or_default();
    show_import(&state, &facts, &id, after, None).await
}

/// The import again after it could not be started.
pub async fn start_refused(
    state: &AppState,
    facts: &Facts,
    fields: &FormFields,
    refusal: &Refusal,
) -> Response {
    let id = fields.get("id").unwrap_or_default();
    match refusal {
        Refusal::Form(FormRefusal::ImportOver) => show_import(state, facts, id, 0, Some(refusal)).await,
        // Leads back to the import; what is no identifier leads nowhere.
        _ if vestibule_core::id::ImportId::parse(id).is_some() => {
            turned_away(refusal, &format!("{}/{id}", paths::AGENTS_IMPORT))
        }
        _ => turned_away(refusal, paths::AGENTS_IMPORT),
    }
}

async fn show_import(
    state: &AppState,
    facts: &Facts,
    id: &str,
    after: i64,
    refusal: Option<&Refusal>,
) -> Response {
    let page = match state.service.import_page(id, after, &facts.visitor).await {
        Ok(page) => page,
        // An import that is gone has nothing to show but that.
        Err(Refusal::NotFound) if refusal.is_some() => {
            return match state.service.console(Action::ImportAgents, &facts.visitor).await {
                Ok(signed_in) => show_upload(state, facts, &signed_in, refusal),
                Err(reason) => turned_away(&reason, paths::AGENTS_IMPORT),
            };
        }
        Err(reason) => return turned_away(&reason, &facts.path),
    };
    let path = format!("{}/{}", paths::AGENTS_IMPORT, page.id);
    let (company, own) = (page.company.clone(), page.own.clone());
    let body = Body::Import(body(page, &path, after, refusal));
    let mut page = facts.page_for(state, &company, &own, body);
    page.frame.path = path;
    let mut response = show(StatusCode::OK, page);
    if let Some(refusal) = refusal {
        super::mark(&mut response, refusal);
    }
    response
}

fn body(import: Import, path: &str, after: i64, refusal: Option<&Refusal>) -> ImportPage {
    let count = |wanted| {
        import
            .verdicts
            .iter()
            .filter(|(verdict, _)| *verdict == wanted)
            .map(|(_, count)| count)
            .sum::<usize>()
    };
    let imported = count(LineVerdict::Imported);
    ImportPage {
        id: import.id.to_string(),
        stage: match import.state {
            ImportState::Checked => ImportStage::Checked,
            ImportState::Running if import.stalled => ImportStage::Stalled,
            ImportState::Running => ImportStage::Running,
            ImportState::Stopped => ImportStage::Stalled,
            ImportState::Done => ImportStage::Done,
        },
        good: count(LineVerdict::Good),
        imported,
        settled: imported + count(LineVerdict::Failed),
        verdicts: import
            .verdicts
            .iter()
            .map(|(verdict, count)| (verdict.as_str(), *count))
            .collect(),
        lines: import
            .lines
            .into_iter()
            .map(|line| ImportRow {
                line: line.line,
                account: line.account,
                verdict: line.verdict,
            })
            .collect(),
        next: import.more_after.map(|line| format!("{path}?after={line}")),
        first: (after > 0).then(|| path.to_owned()),
        refusal: refusal.cloned(),
    }
}
