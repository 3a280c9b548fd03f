//! The pictures of the README, taken from a demo that is made for it.

use std::{
    fs,
    net::{Ipv4Addr, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use crate::{
    postgres::free_port,
    say, server, setup,
    shell::{self, execute},
    site,
};

/// How long a new demo may take to make its past and to listen.
const START_LIMIT: Duration = Duration::from_mins(1);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The command `pictures`: writes `end2end/screenshots`.
///
/// # Errors
/// A step fails.
pub fn run() -> Result<()> {
    setup::npm()?;
    setup::chromium()?;
    site::build(site::Kind::Shipped)?;
    server::compile()?;
    let folder = shell::target("pictures");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let port = free_port()?;
    let address = format!("127.0.0.1:{port}");
    let demo = say::step("Starting a demo", || {
        let mut demo = Command::new(shell::target("debug").join("vestibule"))
            .args(["demo", "--listen", &address, "--data"])
            .arg(&folder)
            .stdout(Stdio::null())
            .spawn()
            .context("cannot start the demo")?;
        match wait_for(port, &mut demo) {
            Ok(()) => Ok(demo),
            Err(error) => {
                server::stop(demo);
                Err(error)
            }
        }
    })?;
    let taken = say::step("Taking the pictures", || {
        execute(
            Command::new("node")
                .args([
                    "--input-type=module",
                    "--eval",
                    include_str!("pictures.mjs"),
                    "--",
                ])
                .arg(format!("http://{address}"))
                .arg(shell::root().join("end2end/screenshots"))
                .arg(setup::CHROMIUM)
                .current_dir(shell::root().join("end2end")),
        )
    });
    server::stop(demo);
    fs::remove_dir_all(&folder)?;
    taken
}

/// Waits until the demo listens, which it does once its past is made.
fn wait_for(port: u16, demo: &mut Child) -> Result<()> {
    let begun = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        if let Some(status) = demo.try_wait()? {
            bail!("the demo ended at once: {status}");
        }
        if begun.elapsed() > START_LIMIT {
            bail!("the demo does not listen after {START_LIMIT:?}");
        }
        thread::sleep(LOOK_EVERY);
    }
    Ok(())
}
