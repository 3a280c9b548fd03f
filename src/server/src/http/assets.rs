//! The files that pages load: embedded in the binary, precompressed, served from memory, kept by browsers for ever
//! because their names change with their content.
//!
//! The build tool leaves them in `target/site` with a `manifest.json`. Without that folder (a plain `cargo test`) the
//! server works with names that lead nowhere.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use axum::{
    Extension, Router,
    body::{Body, Bytes},
    extract::{Path, State, rejection::PathRejection},
    http::{
        HeaderMap, HeaderValue,
        header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use rust_embed::RustEmbed;
use serde::Deserialize;
use vestibule_app::page::Assets;
use vestibule_core::refusal::Refusal;
use vestibule_translations::{all, tag};

use crate::http::{denied::Denied, headers::ContentPolicy};

const MANIFEST: &str = "manifest.json";
/// What the address of every file of the site begins with.
pub const PREFIX: &str = "/assets/";

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../target/site"]
#[allow_missing = true]
struct Embedded;

/// Names of the files by what they are for; the build writes more than pages need.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(default)]
struct Manifest {
    style: String,
    account_style: String,
    console_style: String,
    account_script: String,
    script: String,
    bindings: String,
    wasm: String,
    logo: String,
    icon: String,
    /// Everything else by its plain name; the texts of the islands are among it.
    #[serde(flatten)]
    others: BTreeMap<String, String>,
}

impl Default for Manifest {
    /// Names for a binary without files.
    fn default() -> Self {
        Self {
            style: "vestibule.css".into(),
            account_style: "account.css".into(),
            console_style: "console.css".into(),
            account_script: "account.js".into(),
            script: "vestibule.js".into(),
            bindings: "bindings.js".into(),
            wasm: "vestibule.wasm".into(),
            logo: "logo.svg".into(),
            icon: "icon.svg".into(),
            others: BTreeMap::new(),
        }
    }
}

/// One file, as it is and compressed.
#[derive(Clone, Debug)]
struct Asset {
    content_type: HeaderValue,
    bytes: Bytes,
    brotli: Option<Bytes>,
    gzip: Option<Bytes>,
}

/// All files.
#[derive(Clone, Debug)]
pub struct Site {
    manifest: Arc<Manifest>,
    assets: Arc<HashMap<String, Asset>>,
}

impl Site {
    /// The files in this binary.
    pub fn embedded() -> Self {
        let site = Self::new(Embedded::iter().filter_map(|name| {
            let bytes = match Embedded::get(&name)?.data {
                Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                Cow::Owned(bytes) => bytes.into(),
            };
            Some((name.into_owned(), bytes))
        }));
        if site.assets.is_empty() {
            tracing::warn!(
                "this binary has no style sheet and no scripts in it; build it with `cargo xtask build`"
            );
        }
        site
    }

    fn new(files: impl Iterator<Item = (String, Bytes)>) -> Self {
        let files: HashMap<String, Bytes> = files.collect();
        let manifest = files.get(MANIFEST).map(|text| {
            serde_json::from_slice(text).unwrap_or_else(|error| {
                tracing::error!(%error, "the list of files in this binary cannot be read");
                Manifest::default()
            })
        });
        let whole = files.iter().filter(|(name, _)| {
            let compressed = name.strip_suffix(".br").or_else(|| name.strip_suffix(".gz"));
            *name != MANIFEST && compressed.is_none_or(|name| !files.contains_key(name))
        });
        let assets = whole
            .map(|(name, bytes)| {
                let sibling = |ending| files.get(&format!("{name}.{ending}")).cloned();
                let asset = Asset {
                    content_type: content_type(name),
                    bytes: bytes.clone(),
                    brotli: sibling("br"),
                    gzip: sibling("gz"),
                };
                (name.clone(), asset)
            })
            .collect();
        Self {
            manifest: Arc::new(manifest.unwrap_or_default()),
            assets: Arc::new(assets),
        }
    }

    /// The addresses of the files that pages name.
    pub fn asset_names(&self) -> Assets {
        let address = |name: &String| format!("{PREFIX}{name}");
        let Manifest {
            style,
            account_style,
            console_style,
            account_script,
            script,
            bindings,
            wasm,
            logo,
            icon,
            others,
        } = &*self.manifest;
        let texts = all().iter().map(|locale| {
            let plain = format!("texts-{}.txt", tag(*locale));
            (
                tag(*locale).to_owned(),
                address(others.get(&plain).unwrap_or(&plain)),
            )
        });
        Assets {
            texts: texts.collect(),
            style: address(style),
            account_style: address(account_style),
            console_style: address(console_style),
            account_script: address(account_script),
            script: address(script),
            bindings: address(bindings),
            wasm: address(wasm),
            logo: address(logo),
            icon: address(icon),
        }
    }

    /// `/assets/{name}`, `/favicon.ico` and `/robots.txt`.
    pub fn router(self) -> Router {
        Router::new()
            .route("/assets/{name}", get(hashed))
            .route("/favicon.ico", get(icon))
            .route("/robots.txt", get(|| async { "User-agent: *\nDisallow: /\n" }))
            .with_state(self)
    }

    fn answer(&self, name: &str, headers: &HeaderMap) -> Response {
        let Some(asset) = self.assets.get(name) else {
            return Denied::from(Refusal::NotFound).into_response();
        };
        let (encoding, bytes) = match (&asset.brotli, &asset.gzip) {
            (Some(brotli), _) if accepts(headers, "br") => (Some("br"), brotli),
            (_, Some(gzip)) if accepts(headers, "gzip") => (Some("gzip"), gzip),
            _ => (None, &asset.bytes),
        };
        let mut response = Body::from(bytes.clone()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, asset.content_type.clone());
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if let Some(encoding) = encoding {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        (Extension(ContentPolicy::File), response).into_response()
    }
}

async fn hashed(
    State(site): State<Site>,
    name: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let mut response = site.answer(name.as_deref().map_or("", String::as_str), &headers);
    if response.status().is_success() {
        let for_ever = HeaderValue::from_static("public, max-age=31536000, immutable");
        response.headers_mut().insert(CACHE_CONTROL, for_ever);
    }
    response
}

async fn icon(State(site): State<Site>, headers: HeaderMap) -> Response {
    site.answer(&site.manifest.icon, &headers)
}

fn content_type(name: &str) -> HeaderValue {
    HeaderValue::from_static(match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("txt") => "text/plain; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("webp") => "image/webp",
        _ => "application/octet-stream",
    })
}

/// Whether the browser reads this content coding (RFC 9110, section 12.5.3).
fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    let wishes = headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|line| line.to_str().ok());
    let mut any = false;
    for wish in wishes.flat_map(|line| line.split(',')) {
        let (name, weight) = wish.split_once(';').unwrap_or((wish, ""));
        let weight = weight
            .trim()
            .strip_prefix("q=")
            .map_or(Ok(1.0), str::parse::<f32>);
        let wanted = weight.is_ok_and(|weight| weight > 0.0);
        match name.trim() {
            name if name.eq_ignore_ascii_case(coding) => return wanted,
            "*" => any = wanted,
            _ => {}
        }
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::testing::{ask, text};

    fn site() -> Site {
        let manifest = r#"{"style":"vestibule.1a.css","script":"start.2b.js","bindings":"b.3c.js","wasm":"v.4d.wasm",
            "logo":"logo.5e.svg","icon":"icon.6f.svg","more":"x","texts-de.txt":"texts-de.7a.txt"}"#;
        let files = [
            (MANIFEST, manifest),
            ("vestibule.1a.css", "plain"),
            ("vestibule.1a.css.br", "brotli"),
            ("vestibule.1a.css.gz", "gzip"),
            ("v.4d.wasm", "wasm"),
            ("v.4d.wasm.gz", "gzip wasm"),
            ("icon.6f.svg", "<svg/>"),
        ];
        Site::new(
            files
                .into_iter()
                .map(|(name, text)| (name.to_owned(), Bytes::from_static(text.as_bytes()))),
        )
    }

    async fn get(path: &str, accept: Option<&str>) -> (u16, HeaderMap, String) {
        let headers: Vec<_> = accept
            .map(|accept| ("accept-encoding", accept))
            .into_iter()
            .collect();
        let response = ask(site().router(), "GET", path, &headers, "").await;
        (
            response.status().as_u16(),
            response.headers().clone(),
            text(response).await,
        )
    }

    #[tokio::test]
    async fn the_smallest_form_that_the_browser_reads_is_sent() {
        let css = "/assets/vestibule.1a.css";
        for (accept, encoding, body) in [
            (Some("gzip, deflate, br, zstd"), Some("br"), "brotli"),
            (Some("gzip;q=1.0, br;q=0.5"), Some("br"), "brotli"),
            (Some("gzip, BR;q=0"), Some("gzip"), "gzip"),
            (Some("gzip"), Some("gzip"), "gzip"),
            (Some("*"), Some("br"), "brotli"),
            (Some("*, br;q=0.0"), Some("gzip"), "gzip"),
            (Some("br;q=x"), None, "plain"),
            (Some("identity"), None, "plain"),
            (Some(""), None, "plain"),
            (None, None, "plain"),
        ] {
            let (status, headers, text) = get(css, accept).await;
            assert_eq!((status, text.as_str()), (200, body), "{accept:?}");
            assert_eq!(
                headers
                    .get("content-encoding")
                    .map(|value| value.to_str().unwrap()),
                encoding,
                "{accept:?}"
            );
            assert_eq!(headers["content-type"], "text/css; charset=utf-8");
            assert_eq!(headers["cache-control"], "public, max-age=31536000, immutable");
            assert_eq!(headers["vary"], "accept-encoding");
        }
        let (_, headers, body) = get("/assets/v.4d.wasm", Some("br, gzip")).await;
        assert_eq!(
            (&headers["content-type"], body.as_str()),
            (&"application/wasm".parse().unwrap(), "gzip wasm")
        );
    }

    #[tokio::test]
    async fn nothing_else_is_served() {
        for path in [
            "/assets/vestibule.1a.css.br",
            "/assets/manifest.json",
            "/assets/vestibule.css",
            "/assets/",
            "/assets/../Cargo.toml",
            "/assets/..%2fCargo.toml",
            "/assets/%ff",
            "/assets/vestibule.1a.css.map",
        ] {
            let (status, headers, _) = get(path, Some("br")).await;
            assert_eq!(status, 404, "{path}");
            assert!(!headers.contains_key("cache-control"), "{path}");
        }
    }

    #[tokio::test]
    async fn pages_learn_the_names() {
        let names = site().asset_names();
        assert_eq!(names.style, "/assets/vestibule.1a.css");
        assert_eq!(names.icon, "/assets/icon.6f.svg");
    }

    #[tokio::test]
    async fn the_icon_and_the_robots_have_their_usual_addresses() {
        let (status, headers, body) = get("/favicon.ico", None).await;
        assert_eq!((status, body.as_str()), (200, "<svg/>"));
        assert_eq!(headers["content-type"], "image/svg+xml");
        assert!(
            !headers.contains_key("cache-control"),
            "its name does not change with its content"
        );
        assert!(get("/robots.txt", None).await.2.contains("Disallow: /"));
    }

    #[tokio::test]
    async fn without_files_everything_else_works() {
        for files in [
            vec![],
            vec![(MANIFEST.to_owned(), Bytes::from_static(b"rubbish"))],
        ] {
            let site = Site::new(files.into_iter());
            assert_eq!(site.asset_names().style, "/assets/vestibule.css");
            assert_eq!(
                ask(site.router(), "GET", "/favicon.ico", &[], "").await.status(),
                404
            );
        }
        assert!(Site::embedded().asset_names().style.starts_with("/assets/"));
    }
}
