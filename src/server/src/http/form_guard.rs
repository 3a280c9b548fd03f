//! Forms are read strictly, once, before anything acts on them (N25; attacks.md T094, T155, T157, T160).
//!
//! Only one reading is possible of what passes: the type is `application/x-www-form-urlencoded`, nothing is in the
//! query, every field is known, named once, and decodes to UTF-8. So no later reader can see other values.

use std::{collections::HashMap, sync::Arc};

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{
        HeaderMap, Method, StatusCode,
        header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::StreamExt;
use percent_encoding::percent_decode_str;
use vestibule_core::{
    limits::{BODY_MAX, SELECTED_MAX},
    refusal::Refusal,
};

use crate::{
    form::FormFields,
    http::{denied::Denied, listener::BodyTimedOut},
};

/// How often a field may be sent whose name ends in `[]`: boxes that are ticked.
const REPEATED_MAX: usize = SELECTED_MAX;

/// The names each form may have, by the address it is posted to; and the addresses of uploads, with what they may send.
#[derive(Clone, Debug)]
pub struct FormRules {
    names: Arc<HashMap<&'static str, Vec<&'static str>>>,
    uploads: Arc<HashMap<&'static str, usize>>,
}

impl FormRules {
    /// Lets exactly this address announce more than [`BODY_MAX`]: up to `most` bytes. Its handler reads the body.
    #[must_use]
    pub fn with_upload(mut self, path: &'static str, most: usize) -> Self {
        Arc::make_mut(&mut self.uploads).insert(path, most);
        self
    }
}

impl FromIterator<(&'static str, Vec<&'static str>)> for FormRules {
    fn from_iter<I: IntoIterator<Item = (&'static str, Vec<&'static str>)>>(rules: I) -> Self {
        Self {
            names: Arc::new(rules.into_iter().collect()),
            uploads: Arc::default(),
        }
    }
}

/// The layer that checks every POST and adds [`FormFields`]; the body goes on unchanged.
///
/// An address without rules is left to the router, which knows none or reads another type: there only the announced
/// length is checked.
pub async fn check(State(rules): State<FormRules>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    match read(&rules, request).await {
        Ok(request) => next.run(request).await,
        Err(denied) => denied.into_response(),
    }
}

async fn read(rules: &FormRules, request: Request) -> Result<Request, Denied> {
    let announced = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse().ok());
    let path = request.uri().path();
    let most = rules.uploads.get(path).copied().unwrap_or(BODY_MAX);
    if announced.is_some_and(|length: u64| length > most as u64) {
        return Err(Refusal::TooLarge.into());
    }
    let Some(names) = rules.names.get(path) else {
        return Ok(request);
    };
    if request.uri().query().is_some_and(|query| !query.is_empty()) {
        return Err(Refusal::Malformed.into());
    }
    let (mut parts, body) = request.into_parts();
    let unreadable = Denied::with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE, Refusal::Malformed);
    let is_form = is_form(&parts.headers).ok_or(unreadable.clone())?;
    let bytes = collect(body).await?;
    if !is_form && !bytes.is_empty() {
        return Err(unreadable);
    }
    let fields = parse(&bytes, names).ok_or(Refusal::Malformed)?;
    parts
        .extensions
        .insert(fields.into_iter().collect::<FormFields>());
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

/// Whether the body says that it is a form; `None` when it says that it is something else, or compressed.
fn is_form(headers: &HeaderMap) -> Option<bool> {
    if headers.contains_key(CONTENT_ENCODING) {
        return None;
    }
    let mut kinds = headers.get_all(CONTENT_TYPE).iter();
    let Some(kind) = kinds.next() else {
        return Some(false);
    };
    let mut parts = kind.to_str().ok()?.split(';').map(str::trim);
    let right = parts
        .next()?
        .eq_ignore_ascii_case("application/x-www-form-urlencoded")
        && parts.all(|parameter| parameter.eq_ignore_ascii_case("charset=utf-8"))
        && kinds.next().is_none();
    right.then_some(true)
}

/// The whole body, never more than [`BODY_MAX`] whatever it announced (N25), in the time the listener gives it (N26).
async fn collect(body: Body) -> Result<Bytes, Denied> {
    let mut collected = Vec::new();
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| {
            if BodyTimedOut::caused(&error) {
                Denied::with_status(StatusCode::REQUEST_TIMEOUT, Refusal::Malformed)
            } else {
                Refusal::Malformed.into()
            }
        })?;
        if collected.len() + chunk.len() > BODY_MAX {
            return Err(Refusal::TooLarge.into());
        }
        collected.extend_from_slice(&chunk);
    }
    Ok(collected.into())
}

/// The fields, or `None` when there is any doubt about them.
fn parse(body: &[u8], names: &[&str]) -> Option<Vec<(String, String)>> {
    let mut fields: Vec<(String, String)> = Vec::new();
    if body.is_empty() {
        return Some(fields);
    }
    for pair in str::from_utf8(body).ok()?.split('&') {
        let (name, value) = pair.split_once('=')?;
        let (name, value) = (decode(name)?, decode(value)?);
        let known = names.contains(&name.as_str());
        let so_far = fields.iter().filter(|(earlier, _)| *earlier == name).count();
        let most = if name.ends_with("[]") { REPEATED_MAX } else { 1 };
        if !known || value.contains('\0') || so_far >= most {
            return None;
        }
        fields.push((name, value));
    }
    Some(fields)
}

/// Decodes `+` and `%XX`, where libraries would pass broken ones on as they are.
fn decode(text: &str) -> Option<String> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('%') {
        let digits = after.as_bytes().first_chunk::<2>()?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        rest = &after[2..];
    }
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use axum::{Extension, Router, extract::DefaultBodyLimit, middleware::from_fn_with_state, routing::post};
    use futures::stream;

    use super::*;
    use crate::http::testing::{ask, text};

    const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

    fn router() -> Router {
        let rules: FormRules = [
            ("/login", vec!["company", "password"]),
            ("/logout", vec![]),
            ("/ticked", vec!["id", "ticked[]"]),
        ]
        .into_iter()
        .collect::<FormRules>()
        .with_upload("/upload", 10 * BODY_MAX);
        let show = |fields: Option<Extension<FormFields>>, body: String| async move {
            let Some(Extension(fields)) = fields else {
                return format!("unread {}", body.len());
            };
            let shown: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{name}:{value}"))
                .collect();
            format!("{} {body}", shown.join("|"))
        };
        Router::new()
            .route("/login", post(show))
            .route("/logout", post(show))
            .route("/ticked", post(show))
            .route("/upload", post(show).layer(DefaultBodyLimit::disable()))
            .route("/other", post(show).get(|| async { "get" }))
            .layer(from_fn_with_state(rules, check))
    }

    async fn login(headers: &[(&str, &str)], body: impl Into<Body>) -> (u16, String) {
        let response = ask(router(), "POST", "/login", headers, body).await;
        (response.status().as_u16(), text(response).await)
    }

    #[tokio::test]
    async fn a_form_is_read_and_goes_on_unchanged() {
        let body = "password=a%2Bb+c%26%C3%BC&company=";
        assert_eq!(
            login(&[FORM], body).await,
            (200, format!("password:a+b c&ü|company: {body}"))
        );
        let charset = [("content-type", "Application/X-WWW-Form-Urlencoded; Charset=UTF-8")];
        assert_eq!(
            login(&charset, "company=A").await,
            (200, "company:A company=A".into())
        );
        assert_eq!(login(&[FORM], "").await, (200, " ".into()));
        assert_eq!(login(&[], "").await, (200, " ".into()));
    }

    #[tokio::test]
    async fn only_boxes_may_be_sent_several_times_and_not_without_end() {
        let send = async |body: String| {
            ask(router(), "POST", "/ticked", &[FORM], body)
                .await
                .status()
                .as_u16()
        };
        assert_eq!(send("ticked%5B%5D=a&ticked%5B%5D=b&id=1".to_owned()).await, 200);
        assert_eq!(send("ticked[]=a&id=1&id=1".to_owned()).await, 400);
        assert_eq!(send(vec!["ticked[]=a"; SELECTED_MAX].join("&")).await, 200);
        assert_eq!(send(vec!["ticked[]=a"; SELECTED_MAX + 1].join("&")).await, 400);
    }

    #[tokio::test]
    async fn doubtful_forms_are_refused() {
        for bad in [
            "company=A&company=B",
            "company=A&%63ompany=B",
            "company=A&role=admin",
            "company[]=A",
            "company[a]=A",
            "company",
            "&company=A",
            "company=A&",
            "company=%",
            "company=%4",
            "company=%zz",
            "company=%+1",
            "company=A%00",
            "company=A\0",
            "company=%FF",
            "company=%C0%AF",
            "company=%ED%A0%80",
            "company=%C3",
            "=A",
            "{\"company\":\"A\"}",
        ] {
            assert_eq!(
                login(&[FORM], bad).await,
                (400, r#"{"code":"malformed"}"#.into()),
                "{bad:?}"
            );
        }
        assert_eq!(login(&[FORM], &b"company=\xff"[..]).await.0, 400);
        assert_eq!(
            ask(router(), "POST", "/login?company=B", &[FORM], "company=A")
                .await
                .status(),
            400
        );
        assert_eq!(
            ask(router(), "POST", "/login?", &[FORM], "company=A")
                .await
                .status(),
            200
        );
        assert_eq!(
            ask(router(), "POST", "/logout", &[FORM], "company=A")
                .await
                .status(),
            400
        );
    }

    #[tokio::test]
    async fn other_types_are_refused() {
        for bad in [
            &[][..],
            &[("content-type", "text/plain")],
            &[("content-type", "application/json")],
            &[("content-type", "multipart/form-data; boundary=x")],
            &[(
                "content-type",
                "application/x-www-form-urlencoded; charset=utf-16",
            )],
            &[("content-type", "application/x-www-form-urlencoded, text/plain")],
            &[FORM, FORM],
            &[FORM, ("content-encoding", "gzip")],
        ] {
            assert_eq!(
                login(bad, "company=A").await,
                (415, r#"{"code":"malformed"}"#.into()),
                "{bad:?}"
            );
        }
        assert_eq!(login(&[("content-type", "text/plain")], "").await.0, 415);
    }

    #[tokio::test]
    async fn large_bodies_are_refused_early_and_however_they_come() {
        let fits = format!("company={}", "a".repeat(BODY_MAX - 8));
        assert_eq!(login(&[FORM], fits.clone()).await.0, 200);
        assert_eq!(login(&[FORM], format!("{fits}a")).await.0, 413);
        assert_eq!(
            login(
                &[FORM, ("content-length", "10485760")],
                Body::from_stream(never())
            )
            .await
            .0,
            413
        );
        let endless = stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'a'; 1000])));
        assert_eq!(login(&[FORM], Body::from_stream(endless)).await.0, 413);
        let unknown = [FORM, ("content-length", "65537")];
        let response = ask(router(), "POST", "/other", &unknown, Body::from_stream(never())).await;
        assert_eq!(
            (response.status().as_u16(), &response.headers()["connection"]),
            (413, &"close".parse().unwrap())
        );
    }

    #[tokio::test]
    async fn only_the_address_of_an_upload_may_send_more_and_not_without_end() {
        let large = "a".repeat(2 * BODY_MAX);
        let file = [("content-type", "multipart/form-data; boundary=x")];
        let length = large.len().to_string();
        let announced = [file[0], ("content-length", length.as_str())];
        for (path, status) in [
            ("/upload", 200),
            ("/upload/", 413),
            ("/Upload", 413),
            ("/other", 413),
        ] {
            let response = ask(router(), "POST", path, &announced, large.clone()).await;
            assert_eq!(response.status(), status, "{path}");
        }
        let length = (10 * BODY_MAX + 1).to_string();
        let endless = [file[0], ("content-length", length.as_str())];
        let response = ask(router(), "POST", "/upload", &endless, Body::from_stream(never())).await;
        assert_eq!(response.status(), 413);
    }

    /// A body that must not be read.
    fn never() -> impl futures::Stream<Item = std::io::Result<Bytes>> + Send + 'static {
        stream::poll_fn(|_| panic!("this body was read"))
    }

    #[tokio::test]
    async fn a_broken_body_is_malformed_and_a_late_one_has_its_own_status() {
        let broken = stream::iter([
            Ok(Bytes::from_static(b"company=")),
            Err(std::io::Error::other("reset")),
        ]);
        assert_eq!(login(&[FORM], Body::from_stream(broken)).await.0, 400);
        let late = stream::iter([Err::<Bytes, _>(BodyTimedOut)]);
        assert_eq!(login(&[FORM], Body::from_stream(late)).await.0, 408);
    }

    #[tokio::test]
    async fn addresses_without_rules_are_left_to_the_router() {
        let json = [("content-type", "application/json")];
        assert_eq!(
            text(ask(router(), "POST", "/other?a=b", &json, "{}").await).await,
            "unread 2"
        );
        assert_eq!(text(ask(router(), "GET", "/other", &[], "x").await).await, "get");
        assert_eq!(
            ask(router(), "POST", "/nothing", &[FORM], "a=b").await.status(),
            404
        );
    }
}
