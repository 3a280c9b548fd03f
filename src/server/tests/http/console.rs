//! The Admin console's agents, and the links of mails, as browsers and programs see them.

use vestibule_core::account::Role;

use crate::{
    abuse::FUNCTIONS,
    company::{account, other_company, signed_in},
    site::{Answer, Browser, PASSWORD, Site},
};

/// Identifier of an account of Acme, from the list that an admin sees.
async fn id_of(admin: &mut Browser, site: &Site, name: &str) -> String {
    let list = admin.get(site, &format!("/admin/agents?search={name}")).await;
    let (_, rest) = list.body.split_once("name=\"selected[]\" value=\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

/// What a program gets that is in this browser.
async fn as_program(browser: &Browser, site: &Site, path: &str, fields: &[(&str, &str)]) -> Answer {
    let mut program = Browser::program();
    if let Some(session) = browser.cookie("session") {
        program.set_cookie("session", &session);
    }
    program.post(site, path, fields).await
}

/// The functions of the console, about this account.
fn about<'a>(id: &'a str) -> Vec<(&'static str, Vec<(&'static str, &'a str)>)> {
    FUNCTIONS
        .into_iter()
        .filter(|(path, _)| path.starts_with("/admin"))
        .map(|(path, fields)| {
            let fields = fields.iter().map(|&(name, value)| match name {
                "id" | "selected[]" => (name, id),
                _ => (name, value),
            });
            (path, fields.collect())
        })
        .collect()
}

#[tokio::test]
async fn every_function_of_the_console_asks_for_the_role() {
    let site = Site::new().await;
    account(&site, "Acme", "rita", Role::Admin).await;
    account(&site, "Acme", "sue", Role::Supervisor).await;
    account(&site, "Acme", "carl", Role::Agent).await;
    let mut admin = signed_in(&site, "Acme", "rita").await;
    let supervisor = signed_in(&site, "Acme", "sue").await;
    let agent = signed_in(&site, "Acme", "carl").await;
    let boss = other_company(&site).await;
    let carl = id_of(&mut admin, &site, "carl").await;
    let rita = id_of(&mut admin, &site, "rita").await;
    let for_supervisors = ["/admin/agents/unlock", "/admin/agents/backup-code"];
    for (path, fields) in about(&carl) {
        assert_eq!(
            as_program(&Browser::default(), &site, path, &fields).await.status,
            401,
            "{path}"
        );
        assert_eq!(
            as_program(&agent, &site, path, &fields).await.status,
            403,
            "{path}"
        );
        let status = as_program(&supervisor, &site, path, &fields).await.status;
        match path {
            // Not locked, and without a second factor: allowed, but of no use.
            path if for_supervisors.contains(&path) => assert_eq!(status, 409, "{path}"),
            "/admin/agents/unlock-selected" => assert_eq!(status, 200, "{path}"),
            _ => assert_eq!(status, 403, "{path}"),
        }
    }
    // Of an account with another role a supervisor sees nothing, and neither does another company's admin.
    for (path, fields) in about(&rita)
        .into_iter()
        .filter(|(path, _)| for_supervisors.contains(path))
    {
        assert_eq!(
            as_program(&supervisor, &site, path, &fields).await.status,
            404,
            "{path}"
        );
    }
    for (path, fields) in about(&carl)
        .into_iter()
        .filter(|(_, fields)| fields.iter().any(|(name, _)| *name == "id"))
    {
        assert_eq!(
            as_program(&boss, &site, path, &fields).await.status,
            404,
            "{path}"
        );
    }
    let untouched = admin.get(&site, &format!("/admin/agents/{carl}")).await;
    assert!(untouched.body.contains("carl@Acme.test"), "{}", untouched.body);
}

#[tokio::test]
async fn pages_of_an_agent_do_not_exist_for_others() {
    let site = Site::new().await;
    account(&site, "Acme", "rita", Role::Admin).await;
    account(&site, "Acme", "sue", Role::Supervisor).await;
    let mut admin = signed_in(&site, "Acme", "rita").await;
    let mut supervisor = signed_in(&site, "Acme", "sue").await;
    let mut boss = other_company(&site).await;
    let rita = id_of(&mut admin, &site, "rita").await;
    for page in ["", "/view", "/delete", "/password", "/unlock", "/end-sessions"] {
        let path = format!("/admin/agents/{rita}{page}");
        assert_eq!(admin.get(&site, &path).await.status, 200, "{path}");
        assert_eq!(boss.get(&site, &path).await.status, 404, "{path}");
        let status = supervisor.get(&site, &path).await.status;
        assert!(matches!(status, 403 | 404), "{path}: {status}");
    }
    let nobody = "/admin/agents/01941f29-7c00-7000-8000-000000000000";
    let (foreign, unknown) = (
        boss.get(&site, &format!("/admin/agents/{rita}")).await,
        boss.get(&site, nobody).await,
    );
    assert_eq!(foreign.status, unknown.status);
    assert_eq!(admin.get(&site, "/admin/agents/rubbish").await.status, 404);
}

#[tokio::test]
async fn ticked_agents_are_switched_off_together_and_nobody_switches_off_the_own_account() {
    let site = Site::new().await;
    account(&site, "Acme", "rita", Role::Admin).await;
    account(&site, "Acme", "carl", Role::Agent).await;
    account(&site, "Acme", "cora", Role::Agent).await;
    let mut admin = signed_in(&site, "Acme", "rita").await;
    let (carl, cora) = (
        id_of(&mut admin, &site, "carl").await,
        id_of(&mut admin, &site, "cora").await,
    );
    let rita = id_of(&mut admin, &site, "rita").await;
    let ticked = [
        ("selected[]", carl.as_str()),
        ("selected[]", &cora),
        ("selected[]", &rita),
        ("back", "search=c"),
    ];
    let done = admin.post(&site, "/admin/agents/deactivate", &ticked).await;
    assert_eq!(
        (done.status, done.location()),
        (303, "/admin/agents?search=c&changed=2&kept=own_account")
    );
    let list = admin.get(&site, "/admin/agents?state=inactive").await;
    assert!(list.body.contains("carl") && list.body.contains("cora") && !list.body.contains("rita@"));
    let nothing = admin.post(&site, "/admin/agents/activate", &[("back", "")]).await;
    assert_eq!(nothing.status, 422);
}

#[tokio::test]
async fn a_refused_agent_comes_back_with_everything_typed() {
    let site = Site::new().await;
    account(&site, "Acme", "rita", Role::Admin).await;
    let mut admin = signed_in(&site, "Acme", "rita").await;
    let fields = |name: &'static str, email: &'static str| {
        vec![
            ("account", name),
            ("email", email),
            ("first_name", "Xenia"),
            ("last_name", "<b>"),
            ("alias", ""),
            ("phone", "+49 1"),
            ("title", ""),
            ("time_format", "12"),
            ("language", "de"),
            ("roles[]", "agent"),
            ("roles[]", "supervisor"),
            ("active", "on"),
        ]
    };
    let refused = admin
        .post(&site, "/admin/agents/new", &fields("two words", "no address"))
        .await;
    assert_eq!(refused.status, 422);
    for kept in [
        "value=\"two words\"",
        "value=\"no address\"",
        "value=\"&lt;b&gt;\"",
        "value=\"+49 1\"",
    ] {
        assert!(refused.body.contains(kept), "{kept}: {}", refused.body);
    }
    let taken = admin
        .post(&site, "/admin/agents/new", &fields("RITA", "x@acme.test"))
        .await;
    assert_eq!(taken.status, 422, "{}", taken.body);
    // Rights are given by somebody who proved who they are, and nothing typed is lost meanwhile.
    site.clock.advance(301);
    let late = admin
        .post(&site, "/admin/agents/new", &fields("xenia", "x@acme.test"))
        .await;
    assert_eq!(late.status, 403);
    assert!(
        late.body.contains("value=\"xenia\"") && late.body.contains("/profile/confirm?next="),
        "{}",
        late.body
    );
}

#[tokio::test]
async fn a_temporary_password_opens_nothing_but_the_choice_of_another() {
    let site = Site::new().await;
    account(&site, "Acme", "carl", Role::Agent).await;
    site.service
        .make_password_temporary("Acme", "carl")
        .await
        .unwrap();
    let mut carl = signed_in(&site, "Acme", "carl").await;
    for path in ["/agent", "/profile", "/profile/security", "/admin/agents"] {
        let answer = carl.get(&site, path).await;
        assert_eq!(
            (answer.status, answer.location()),
            (303, "/choose-password"),
            "{path}"
        );
    }
    let page = carl.get(&site, "/choose-password").await;
    assert!(page.status == 200 && page.body.contains("carl"), "{}", page.body);
    let fields =
        |new: &'static str, confirm: &'static str| [("new_password", new), ("confirm_password", confirm)];
    let weak = carl
        .post(&site, "/choose-password", &fields("short", "short"))
        .await;
    assert_eq!(weak.status, 422);
    assert!(
        !weak.body.contains("value=\"short\""),
        "a password never comes back"
    );
    let done = carl
        .post(
            &site,
            "/choose-password",
            &fields("amber lantern orchard", "amber lantern orchard"),
        )
        .await;
    assert_eq!((done.status, done.location()), (303, "/login?password_changed"));
    assert!(!carl.has("session"));
    let old = [("company", "Acme"), ("account", "carl"), ("password", PASSWORD)];
    assert_eq!(Browser::default().post(&site, "/login", &old).await.status, 401);
}

#[tokio::test]
async fn the_token_of_a_link_moves_into_a_cookie_and_a_dead_one_says_so() {
    let site = Site::new().await;
    for (link, page) in [
        ("/activate/", "/choose-password"),
        ("/reset-password/", "/choose-password"),
        ("/confirm-email/", "/confirm-email"),
        ("/stop-email-change/", "/stop-email-change"),
    ] {
        for token in ["rubbish", &"A".repeat(43)] {
            let mut browser = Browser::default();
            let opened = browser.get(&site, &format!("{link}{token}")).await;
            assert_eq!((opened.status, opened.location()), (303, page), "{link}");
            assert!(browser.has("link"), "{link}");
            let over = browser.get(&site, page).await;
            assert_eq!(over.status, 410, "{link}");
            assert!(over.body.contains("no longer good"), "{}", over.body);
            assert!(!browser.has("link"), "{link}");
        }
        assert_eq!(
            Browser::default().get(&site, page).await.status,
            if page == "/choose-password" { 303 } else { 410 }
        );
    }
}
