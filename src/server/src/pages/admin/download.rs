//! Files that the console gives out.

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use chrono_tz::Tz;
use futures::stream;
use vestibule_service::console::Download;

use crate::{http::facts::Facts, state::AppState};

/// A CSV file that is sent while it is written, named after what it holds and the day in the company's time zone.
pub async fn csv(state: &AppState, facts: &Facts, what: &str, download: Download) -> Response {
    let signed_in = state
        .service
        .sign_in()
        .session(&facts.visitor)
        .await
        .ok()
        .flatten();
    let zone: Tz = signed_in
        .and_then(|signed_in| signed_in.company.settings.time_zone.parse().ok())
        .unwrap_or(Tz::UTC);
    let today = state
        .service
        .clock()
        .now()
        .with_timezone(&zone)
        .format("%Y-%m-%d");
    let name = format!("attachment; filename=\"{what}-{today}.csv\"");
    let chunks = stream::unfold(download, |mut download| async move {
        download.recv().await.map(|chunk| (chunk, download))
    });
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/csv; charset=utf-8"),
        ),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::try_from(name).unwrap_or(HeaderValue::from_static("attachment")),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, Body::from_stream(chunks)).into_response()
}
