//! What applications ask all day: the check of a session behind a proxy, and tokens. On both databases.

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
    thread,
};

use anyhow::{Context as _, Result, anyhow};
use serde_json::Value;

use super::{COMPANY, Installation, LOAD_TIME, console::Visitor, figures::Figures, sign_in, wrk};
use crate::{postgres::Cluster, say, shell};

/// Where nobody answers: the bench is the proxy and the application.
const WALLBOARD: &str = "http://127.0.0.1:8081";
const CALLBACK: &str = "http://127.0.0.1:8082/callback";
/// Agents that each renew their tokens, one after the other.
const RENEWING: usize = 16;
const AT_ONCE: usize = 8;

/// Measures on SQLite and on a PostgreSQL that syncs its commits.
///
/// # Errors
/// The binary does not start, or an answer is not what was asked for.
pub fn run(binary: &Path, figures: &mut Figures) -> Result<()> {
    wrk::install()?;
    let cluster = say::step("A private PostgreSQL cluster", Cluster::durable)?;
    for (on, folder, database) in [
        ("SQLite", "bench-sqlite", None),
        ("PostgreSQL", "bench-postgres", Some(cluster.url.clone())),
    ] {
        let mut site = Installation::in_folder(binary, folder, None)?;
        if let Some(database) = database {
            site.database = database;
        }
        site.fill()?;
        let address = format!("{WALLBOARD}/");
        let wallboard = create(&site, &["--kind", "behind_proxy", "--launch-uri", &address])?;
        let desktop = create(&site, &["--redirect-uri", CALLBACK, "--signing", "ES256"])?;
        site.start()?;
        let check = Check::of(&site, &wallboard)?;
        let alone = check.measured()?;
        figures.add("session check", on, "a second", alone.rate, "");
        figures.add("session check", on, "p99", alone.p99, "ms");
        // As at the start of a shift: sign-ins take what processor there is.
        let (signed_in, beside) = thread::scope(|scope| {
            let checking = scope.spawn(|| check.measured());
            let signed_in = sign_in::several(&site.url, LOAD_TIME);
            let checked = checking.join().map_err(|_| anyhow!("a thread died"))?;
            Ok::<_, anyhow::Error>((signed_in?, checked?))
        })?;
        figures.add("session check beside sign-ins", on, "a second", beside.rate, "");
        figures.add("session check beside sign-ins", on, "p99", beside.p99, "ms");
        figures.add(
            "session check beside sign-ins",
            on,
            "sign-ins a second",
            signed_in,
            "",
        );
        let tokens = renew(&site, &desktop)?;
        figures.add("token endpoint, refresh, ES256", on, "a second", tokens, "");
    }
    Ok(())
}

/// An application as the command line shows it.
fn create(site: &Installation, more: &[&str]) -> Result<Value> {
    let mut create = site.command(&[
        "application",
        "create",
        "--company",
        COMPANY,
        "--name",
        "Bench",
        "--json",
    ]);
    Ok(serde_json::from_str(&shell::output(create.args(more))?)?)
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str> {
    value[name]
        .as_str()
        .with_context(|| format!("no {name}: {value}"))
}

/// Asks once; gives where that leads, and the first cookie that it sets.
fn ask(address: &str, headers: &[(&str, &str)]) -> Result<(String, String)> {
    let agent = ureq::Agent::config_builder()
        .max_redirects(0)
        .http_status_as_error(false)
        .build()
        .new_agent();
    let mut request = agent.get(address);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.call()?;
    let header = |name: &str| {
        let value = answer.headers().get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let led = header("location");
    if led.is_empty() {
        return Err(anyhow!(
            "{address} answered {} and leads nowhere",
            answer.status()
        ));
    }
    let cookie = header("set-cookie");
    let cookie = cookie.split(';').next().unwrap_or_default();
    Ok((led, cookie.to_owned()))
}

/// A proxy that asks about somebody who is signed in.
struct Check {
    address: String,
    cookie: String,
}

impl Check {
    /// Goes the way of a browser to the application.
    fn of(site: &Installation, wallboard: &Value) -> Result<Self> {
        let agent = Visitor::sign_in(&site.url, COMPANY, 0)?;
        let address = format!(
            "{}/forward-auth/nginx/{}",
            site.url,
            text(wallboard, "client_id")?
        );
        let wanted = format!("{WALLBOARD}/");
        let (start, _) = ask(
            &address,
            &[
                ("accept", "text/html"),
                ("x-original-url", &wanted),
                ("x-original-method", "GET"),
            ],
        )?;
        let host = WALLBOARD.trim_start_matches("http://");
        // The proxy passes these addresses of the application's host on.
        let passed_on = |address: &str| address.replace(WALLBOARD, &site.url);
        let (open, state) = ask(&passed_on(&start), &[("host", host)])?;
        let (enter, _) = ask(&open, &[("cookie", &agent.cookie)])?;
        let (_, cookie) = ask(&passed_on(&enter), &[("host", host), ("cookie", &state)])?;
        Ok(Self { address, cookie })
    }

    fn measured(&self) -> Result<wrk::Answers> {
        let headers = [
            format!("Cookie: {}", self.cookie),
            format!("X-Original-URL: {WALLBOARD}/calls"),
            "X-Original-Method: GET".to_owned(),
        ];
        wrk::load(&self.address, &headers)
    }
}

/// How many times a second agents can have their tokens renewed.
fn renew(site: &Installation, desktop: &Value) -> Result<f64> {
    let (id, secret) = (text(desktop, "client_id")?, text(desktop, "client_secret")?);
    let mut chains = Vec::with_capacity(RENEWING);
    for number in 0..RENEWING {
        let agent = Visitor::sign_in(&site.url, COMPANY, number)?;
        let request = format!(
            "{}/oauth/authorize?client_id={id}&redirect_uri=http%3A%2F%2F127.0.0.1%3A8082%2Fcallback\
             &response_type=code&scope=openid%20profile%20offline_access&state=bench",
            site.url
        );
        let (answer, _) = ask(&request, &[("cookie", &agent.cookie), ("accept", "text/html")])?;
        let code = answer
            .split(['?', '&'])
            .find_map(|part| part.strip_prefix("code="))
            .with_context(|| format!("no code: {answer}"))?;
        let given = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
        ];
        let client = ureq::Agent::new_with_defaults();
        let token = exchange(&client, site, (id, secret), &given)?;
        chains.push((client, token));
    }
    let chains = Mutex::new(chains);
    let turn = || chains.lock().unwrap_or_else(PoisonError::into_inner);
    sign_in::rate(AT_ONCE, LOAD_TIME, |_| {
        // There are more of them than threads.
        let Some((client, token)) = turn().pop() else {
            return Ok(());
        };
        let given = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
        let token = exchange(&client, site, (id, secret), &given)?;
        turn().insert(0, (client, token));
        Ok(())
    })
}

/// What the token endpoint gives: the next refresh token.
fn exchange(
    client: &ureq::Agent,
    site: &Installation,
    (id, secret): (&str, &str),
    given: &[(&str, &str)],
) -> Result<String> {
    let form = [("client_id", id), ("client_secret", secret)];
    let mut answer = client
        .post(format!("{}/oauth/token", site.url))
        .send_form(form.into_iter().chain(given.iter().copied()))?;
    let answer: Value = serde_json::from_str(&answer.body_mut().read_to_string()?)?;
    Ok(text(&answer, "refresh_token")?.to_owned())
}
