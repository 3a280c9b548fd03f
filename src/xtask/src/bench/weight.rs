//! What the sign-in page weighs.

use std::{collections::BTreeSet, path::Path, process::Stdio};

use anyhow::{Context as _, Result};
use serde_json::Value;
use vestibule_locales::TEXTS;

use crate::{files, say, setup, wasm};

/// Body of a page or file as it comes, with the coding it comes in.
///
/// # Errors
/// No answer, or one of failure.
pub fn get(url: &str, accept: &str) -> Result<(Vec<u8>, Option<String>)> {
    let mut response = ureq::get(url)
        .header("accept-encoding", accept)
        .call()
        .with_context(|| url.to_owned())?;
    let coding = response
        .headers()
        .get("content-encoding")
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    Ok((response.body_mut().read_to_vec()?, coding))
}

/// Prints all that `/login` loads.
///
/// # Errors
/// The server does not answer.
pub fn print(url: &str) -> Result<()> {
    let toolchain = wasm::toolchain()?;
    println!(
        "\nWhat /login loads (bytes of content; brotli at its best, and in brackets what the server sends)"
    );
    println!("  {:>9} {:>9}", "raw", "brotli");
    let (page, _) = get(&format!("{url}/login"), "identity")?;
    let mut total = Weight::default();
    let mut text = Weight::default();
    let mut add = |name: &str, address: &str| -> Result<()> {
        let (raw, _) = get(address, "identity")?;
        let (sent, coding) = get(address, "br, gzip")?;
        let weight = Weight {
            raw: raw.len(),
            brotli: files::brotli(&raw)?.len().min(raw.len()),
        };
        let coding = coding.unwrap_or_else(|| "as it is".to_owned());
        println!(
            "  {} {name} ({} {coding})",
            weight.shown(),
            say::bytes(sent.len() as u64)
        );
        total.add(&weight);
        if Path::new(name)
            .extension()
            .is_none_or(|extension| extension == "css")
        {
            text.add(&weight);
        }
        Ok(())
    };
    add("/login", &format!("{url}/login"))?;
    let files = addresses(&String::from_utf8_lossy(&page));
    for file in &files {
        add(file, &format!("{url}{file}"))?;
    }
    println!("  {} HTML and CSS", text.shown());
    println!("  {} everything, {} requests", total.shown(), files.len() + 1);
    println!(
        "  at most {} with {}",
        say::bytes(toolchain.budget() as u64),
        toolchain.name()
    );
    if let Err(error) = in_a_browser(url) {
        println!("  not measured in a browser: {error:#}");
    }
    Ok(())
}

/// Addresses of hashed files that a page loads. It names the texts of other languages too, and loads them when somebody is
/// about to choose one.
fn addresses(page: &str) -> BTreeSet<String> {
    let texts = format!("/assets/{TEXTS}");
    page.split(['"', '\'', '=', '(', ')', ' ', '>'])
        .filter(|word| word.starts_with("/assets/") && !word.starts_with(&texts))
        .map(str::to_owned)
        .collect()
}

/// The same as Chromium sees it, headers of the answers included.
fn in_a_browser(url: &str) -> Result<()> {
    setup::chromium()?;
    let output = std::process::Command::new("node")
        .args([
            "--input-type=module",
            "--eval",
            include_str!("visit.mjs"),
            "--",
            &format!("{url}/login"),
            setup::CHROMIUM,
        ])
        .current_dir(crate::shell::root().join("end2end"))
        .stdin(Stdio::null())
        .output()?;
    let visits: Vec<Value> = serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    for (name, visit) in ["first visit", "repeat visit"].into_iter().zip(&visits) {
        let requests = visit["requests"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let sent: Vec<_> = requests
            .iter()
            .filter(|request| request["cached"] == Value::Bool(false))
            .collect();
        let bytes: f64 = sent.iter().filter_map(|request| request["bytes"].as_f64()).sum();
        println!(
            "  in Chromium, {name}: {bytes:.0} bytes on the wire with headers, {} requests and {} from the cache, live after {:.0} ms",
            sent.len(),
            requests.len() - sent.len(),
            visit["milliseconds"].as_f64().unwrap_or_default(),
        );
    }
    Ok(())
}

#[derive(Debug, Default)]
struct Weight {
    raw: usize,
    brotli: usize,
}

impl Weight {
    fn add(&mut self, other: &Self) {
        self.raw += other.raw;
        self.brotli += other.brotli;
    }

    fn shown(&self) -> String {
        format!(
            "{:>9} {:>9}",
            say::bytes(self.raw as u64),
            say::bytes(self.brotli as u64)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hashed_file_of_a_page_is_found_once() {
        let page = r#"<link href="/assets/a.1.css"><script src='/assets/b.2.js' data-wasm="/assets/c.3.wasm"></script>
            <img src=/assets/d.4.svg><a href="/login">/assets</a><link href="/assets/a.1.css">
            <body data-languages="de=/assets/texts-de.5.txt">"#;
        let found: Vec<_> = addresses(page).into_iter().collect();
        assert_eq!(
            found,
            [
                "/assets/a.1.css",
                "/assets/b.2.js",
                "/assets/c.3.wasm",
                "/assets/d.4.svg"
            ]
        );
    }
}
