//! Who may come in where: every route with its right, as the committed table has it and as the router really answers.

use std::fmt::Write;

use vestibule_core::{
    account::Role,
    rights::{Action, Scope},
};
use vestibule_server::{form::Access, pages::routes};

use crate::{
    company::{account, signed_in},
    site::{Answer, Browser, Site},
};

/// Written anew by `VESTIBULE_WRITE_ACCESS=1`; a change of it is a change of rights.
const TABLE: &str = include_str!("access.txt");

fn may(access: &Access, role: Role) -> bool {
    match access.action {
        Action::ComeIn | Action::OwnAccount => true,
        action => action.scope(role) >= Scope::Agents,
    }
}

fn table() -> String {
    let mut table = String::new();
    for access in routes().access() {
        let who = if access.action == Action::ComeIn {
            "everybody".to_owned()
        } else {
            let roles = Role::ALL.into_iter().filter(|&role| may(access, role));
            roles.map(Role::as_str).collect::<Vec<_>>().join(" ")
        };
        let Access {
            method, path, action, ..
        } = access;
        let action = format!("{action:?}");
        writeln!(table, "{method:<4} {path:<42} {action:<19} {who}").unwrap();
    }
    table
}

#[test]
fn every_route_has_the_right_that_was_agreed() {
    let table = table();
    if std::env::var_os("VESTIBULE_WRITE_ACCESS").is_some() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/http/access.txt");
        std::fs::write(file, &table).unwrap();
    }
    for (now, agreed) in table.lines().zip(TABLE.lines()) {
        assert_eq!(now, agreed);
    }
    assert_eq!(table.lines().count(), TABLE.lines().count());
}

async fn ask(site: &Site, browser: &Browser, access: &Access, id: &str) -> Answer {
    let mut program = Browser::program();
    if let Some(session) = browser.cookie("session") {
        program.set_cookie("session", &session);
    }
    let path = access.path.replace("{id}", id).replace("{page}", "view");
    if access.method == "GET" {
        return program.get(site, &path).await;
    }
    let fields: Vec<(&str, &str)> = access
        .fields
        .iter()
        // Everybody that a list finds is not meant.
        .filter(|name| **name != "all")
        .map(|&name| match name {
            "id" | "selected[]" => (name, id),
            "version" | "google_version" | "office365_version" => (name, "1"),
            name => (name, "x"),
        })
        .collect();
    program.post(site, &path, &fields).await
}

#[tokio::test]
async fn every_route_of_the_console_asks_for_its_right() {
    let site = Site::new().await;
    account(&site, "Acme", "rita", Role::Admin).await;
    account(&site, "Acme", "sue", Role::Supervisor).await;
    account(&site, "Acme", "carl", Role::Agent).await;
    account(&site, "Acme", "dora", Role::Agent).await;
    let mut admin = signed_in(&site, "Acme", "rita").await;
    let list = admin.get(&site, "/admin/agents?search=dora").await;
    let (_, rest) = list.body.split_once("name=\"selected[]\" value=\"").unwrap();
    let dora = rest.split_once('"').unwrap().0.to_owned();
    let people = [
        (Role::Agent, signed_in(&site, "Acme", "carl").await),
        (Role::Supervisor, signed_in(&site, "Acme", "sue").await),
        (Role::Admin, admin),
    ];
    for access in routes().access() {
        if matches!(access.action, Action::ComeIn | Action::OwnAccount) {
            continue;
        }
        let (method, path) = (access.method, access.path);
        let stranger = ask(&site, &Browser::default(), access, &dora).await;
        assert_eq!(
            stranger.status,
            if method == "GET" { 303 } else { 401 },
            "{method} {path}"
        );
        for (role, browser) in &people {
            let answer = ask(&site, browser, access, &dora).await;
            let says_so = answer.body.contains("\"forbidden\"") || answer.body.contains("<title>No access");
            let forbidden = answer.status == 403 && says_so;
            // A supervisor who opens the overview is led to the list.
            let led_on = path == "/admin" && *role == Role::Supervisor;
            assert_eq!(
                forbidden,
                !may(access, *role) && !led_on,
                "{method} {path} {role:?}: {} {}",
                answer.status,
                answer.body
            );
        }
    }
}
