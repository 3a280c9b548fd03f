//! How many sign-in pages a second the server gives out, against nginx with the same bytes as a file on the same cores.

use std::{
    fs,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use super::{Installation, LOAD_TIME, START_LIMIT, figures::Figures};
use crate::{postgres::free_port, server, setup, shell};

/// Measures both, one after the other.
///
/// # Errors
/// A tool is missing, or nginx does not start.
pub fn run(site: &Installation, figures: &mut Figures) -> Result<()> {
    setup::debian(&["wrk"], "measures pages per second")?;
    let body = ureq::get(format!("{}/login", site.url))
        .call()?
        .body_mut()
        .read_to_vec()?;
    let own = rate(&format!("{}/login", site.url))?;
    let nginx = of_nginx(site, &body)?;
    let on = format!("{} bytes, 32 connections", body.len());
    figures.add("/login", &on, "a second", own, "");
    figures.add("/login", &on, "nginx with the same bytes, a second", nginx, "");
    figures.add("/login", &on, "share of nginx", own / nginx * 100.0, "%");
    Ok(())
}

fn of_nginx(site: &Installation, body: &[u8]) -> Result<f64> {
    let folder = site.folder.join("nginx");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("login"), body)?;
    let port = free_port()?;
    let place = folder.display();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|what| format!("{what}_temp_path {place}/{what};"))
        .join("\n");
    let cores = thread::available_parallelism().map_or(2, usize::from);
    // As root its workers would be nobody, who may not read this folder.
    let user = if shell::is_root() { "user root;\n" } else { "" };
    let file = format!(
        "{user}daemon off;\nworker_processes {cores};\npid {place}/nginx.pid;\nerror_log {place}/nginx.log error;\n\
         events {{ worker_connections 1024; }}\nhttp {{\naccess_log off;\nsendfile on;\n{temporary}\n\
         server {{\nlisten 127.0.0.1:{port};\nroot {place};\ndefault_type text/html;\n}}\n}}\n"
    );
    let path = folder.join("nginx.conf");
    fs::write(&path, file)?;
    let nginx = Command::new(setup::nginx()?)
        .arg("-c")
        .arg(&path)
        .args(["-e", "stderr"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(folder.join("nginx.out"))?)
        .spawn()
        .context("cannot start nginx")?;
    let url = format!("http://127.0.0.1:{port}/login");
    let measured = answers(&url).and_then(|()| rate(&url));
    server::stop(nginx);
    measured
}

fn answers(url: &str) -> Result<()> {
    let begun = Instant::now();
    while ureq::get(url).call().is_err() {
        if begun.elapsed() > START_LIMIT {
            bail!("nginx does not answer");
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// Answers a second over 32 connections.
fn rate(url: &str) -> Result<f64> {
    let threads = thread::available_parallelism().map_or(2, |cores| cores.get().min(8));
    let text = shell::output(
        Command::new("wrk")
            .args([
                "--threads",
                &threads.to_string(),
                "--connections",
                "32",
                "--duration",
            ])
            .args([format!("{}s", LOAD_TIME.as_secs()), url.to_owned()]),
    )?;
    rate_of(&text)
}

/// What `wrk` says of it, unless some of the answers were none.
fn rate_of(text: &str) -> Result<f64> {
    if ["Non-2xx", "Socket errors"].iter().any(|bad| text.contains(bad)) {
        bail!("not all was answered: {text}");
    }
    let line = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("Requests/sec:"));
    line.and_then(|rate| rate.trim().parse().ok())
        .with_context(|| format!("wrk says nothing: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wrk_says_is_read() {
        let said = "  2 threads and 32 connections\n  40100 requests in 10.00s, 1.05GB read\nRequests/sec:   4009.71\n";
        assert!((rate_of(said).unwrap() - 4009.71).abs() < f64::EPSILON);
        rate_of(&said.replace("Requests", "  Non-2xx or 3xx responses: 4\nRequests")).unwrap_err();
        rate_of("").unwrap_err();
    }
}
