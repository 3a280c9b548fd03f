//! How many sign-in pages a second the server gives out, against nginx with the same bytes as a file on the same cores.

use std::{
    fs,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use super::{Installation, START_LIMIT, figures::Figures, wrk};
use crate::{postgres::free_port, server, setup, shell};

/// Measures both, one after the other.
///
/// # Errors
/// A tool is missing, or nginx does not start.
pub fn run(site: &Installation, figures: &mut Figures) -> Result<()> {
    wrk::install()?;
    let body = ureq::get(format!("{}/login", site.url))
        .call()?
        .body_mut()
        .read_to_vec()?;
    let own = wrk::load(&format!("{}/login", site.url), &[])?.rate;
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
    let measured = answers(&url).and_then(|()| Ok(wrk::load(&url, &[])?.rate));
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
