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
fn about(id: &str) -> Vec<(&'static str, Vec<(&'static str, &str)>)> {
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
            "/admin/agents/unlock-selected" | "/admin/agents/columns" | "/admin/agents/issued-code" => {
                assert_eq!(status, 200, "{path}");
            }
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
        (303, "/admin/agents?search=c&deactivated=2&kept=own_account")
    );
    let list = admin.get(&site, done.location()).await;
    for part in [
        "2 agents deactivated.",
        "1 agent wasn't changed",
        "<bdi>rita</bdi>: You can't delete, deactivate, or unlock your own account here,",
    ] {
        assert!(list.body.contains(part), "{part}: {}", list.body);
    }
    let list = admin.get(&site, "/admin/agents?state=inactive").await;
    assert!(!list.body.contains("wasn't changed"), "once: {}", list.body);
    assert!(list.body.contains(&carl) && list.body.contains(&cora) && !list.body.contains(&rita));
    let nothing = admin.post(&site, "/admin/agents/activate", &[("back", "")]).await;
    assert_eq!(nothing.status, 422);
}

#[tokio::test]
async fn a_deactivation_asks_once_with_names_and_can_be_undone() {
    let site = Site::new().await;
    account(&site, "Acme", "rita", Role::Admin).await;
    account(&site, "Acme", "carl", Role::Agent).await;
    let mut admin = signed_in(&site, "Acme", "rita").await;
    let carl = id_of(&mut admin, &site, "carl").await;
    let ask = "/admin/agents/deactivate/ask";
    let nobody = admin.post(&site, ask, &[("back", "state=active")]).await;
    assert_eq!(nobody.status, 422);
    let ticked = [("selected[]", carl.as_str()), ("back", "search=carl")];
    let asked = admin.post(&site, ask, &ticked).await;
    assert_eq!(asked.status, 200, "{}", asked.body);
    for part in [
        "Deactivate 1 agent?",
        ">carl</bdi>",
        &carl,
        "/admin/agents?search=carl",
        "button danger",
    ] {
        assert!(asked.body.contains(part), "{part}: {}", asked.body);
    }
    let all = [("all", "yes"), ("counted", "1"), ("back", "search=carl")];
    let all = admin.post(&site, ask, &all).await;
    for part in [
        "Deactivate 1 agent?",
        "name=\"all\"",
        "name=\"counted\" value=\"1\"",
    ] {
        assert!(all.body.contains(part), "{part}: {}", all.body);
    }
    let still = admin.get(&site, "/admin/agents?state=active&search=carl").await;
    assert!(still.body.contains(&carl), "asking does nothing");

    let done = admin.post(&site, "/admin/agents/deactivate", &ticked).await;
    let list = admin.get(&site, done.location()).await;
    assert!(
        list.body.contains("/admin/agents/deactivate/undo"),
        "{}",
        list.body
    );
    let undone = admin
        .post(&site, "/admin/agents/deactivate/undo", &[("back", "search=carl")])
        .await;
    assert_eq!(undone.location(), "/admin/agents?search=carl&undone=1");
    let list = admin.get(&site, undone.location()).await;
    assert!(
        list.body.contains("Undone. 1 agent is active again."),
        "{}",
        list.body
    );
    assert!(!list.body.contains("/admin/agents/deactivate/undo"));

    let off = admin
        .post(&site, "/admin/agents/switch-off", &[("id", &carl)])
        .await;
    assert_eq!(off.location(), "/admin/agents?deactivated=1");
    site.clock.advance(16);
    let late = admin
        .post(&site, "/admin/agents/deactivate/undo", &[("back", "")])
        .await;
    assert_eq!(late.location(), "/admin/agents?undo_over");
    let rita = id_of(&mut admin, &site, "rita").await;
    let oneself = admin
        .post(&site, "/admin/agents/switch-off", &[("id", &rita)])
        .await;
    assert_eq!(oneself.status, 409, "{}", oneself.body);
}

#[tokio::test]
async fn all_that_were_found_are_meant_only_as_they_were_counted() {
    let site = Site::new().await;
    account(&site, "Acme", "rita", Role::Admin).await;
    for number in 0..26 {
        account(&site, "Acme", &format!("carl{number:02}"), Role::Agent).await;
    }
    let mut admin = signed_in(&site, "Acme", "rita").await;
    let rows = [("rows", "25"), ("back", "search=carl")];
    admin.post(&site, "/admin/agents/columns", &rows).await;
    let list = admin.get(&site, "/admin/agents?search=carl").await;
    assert!(
        list.body.contains("name=\"counted\" value=\"26\"") && list.body.contains("All found (26)"),
        "{}",
        list.body
    );
    let carl = id_of(&mut admin, &site, "carl07").await;
    account(&site, "Acme", "carl99", Role::Agent).await;
    for path in [
        "/admin/agents/deactivate/ask",
        "/admin/agents/deactivate",
        "/admin/agents/activate",
        "/admin/agents/unlock-selected",
    ] {
        for counted in [Some("26"), Some("x"), None] {
            let mut fields = vec![
                ("selected[]", carl.as_str()),
                ("all", "yes"),
                ("back", "search=carl"),
            ];
            fields.extend(counted.map(|counted| ("counted", counted)));
            let refused = admin.post(&site, path, &fields).await;
            assert_eq!(refused.status, 409, "{path} {counted:?}: {}", refused.body);
            // The filter is as it was, and so is what was ticked; the number is the new one.
            for part in [
                "value=\"carl\"",
                "name=\"counted\" value=\"27\"",
                "All found (27)",
                "The list has changed: 27 agents are found now. Nothing was done.",
            ] {
                assert!(refused.body.contains(part), "{path} {part}: {}", refused.body);
            }
            assert_eq!(
                refused.body.matches(" checked").count(),
                2,
                "{path}: {}",
                refused.body
            );
        }
    }
    let active = admin.get(&site, "/admin/agents?search=carl&state=active").await;
    assert!(active.body.contains("1–25 of 27"), "{}", active.body);
    let fields = [("all", "yes"), ("counted", "27"), ("back", "search=carl")];
    let done = admin.post(&site, "/admin/agents/deactivate", &fields).await;
    assert_eq!(done.location(), "/admin/agents?search=carl&deactivated=27");
}

#[tokio::test]
async fn the_list_has_the_columns_and_rows_that_this_browser_wants_and_says_how_many_there_are() {
    let site = Site::new().await;
    account(&site, "Acme", "rita", Role::Admin).await;
    for number in 0..30 {
        account(&site, "Acme", &format!("carl{number:02}"), Role::Agent).await;
    }
    let mut admin = signed_in(&site, "Acme", "rita").await;
    let list = admin.get(&site, "/admin/agents?search=arl").await;
    assert!(
        list.body.contains("1–30 of 30") && list.body.contains("col-email"),
        "{}",
        list.body
    );
    let fields = [
        ("columns[]", "phone"),
        ("columns[]", "nonsense"),
        ("rows", "25"),
        ("back", "search=arl"),
    ];
    let chosen = admin.post(&site, "/admin/agents/columns", &fields).await;
    assert_eq!(
        (chosen.status, chosen.location()),
        (303, "/admin/agents?search=arl")
    );
    let list = admin.get(&site, "/admin/agents?search=arl").await;
    assert!(list.body.contains("1–25 of 30"), "{}", list.body);
    assert!(
        list.body.contains("col-phone") && !list.body.contains("col-email"),
        "{}",
        list.body
    );
    assert!(list.body.contains("All found (30)"));
    let (_, next) = list.body.split_once("after=").unwrap();
    let next = next.split_once('"').unwrap().0.replace("&amp;", "&");
    let second = admin
        .get(&site, &format!("/admin/agents?search=arl&after={next}"))
        .await;
    assert!(second.body.contains("26–30 of 30"), "{}", second.body);
    for sort in ["role", "state", "factor", "last_sign_in", "created"] {
        for order in ["", "&order=desc"] {
            let sorted = admin
                .get(&site, &format!("/admin/agents?sort={sort}{order}"))
                .await;
            assert_eq!(sorted.status, 200, "{sort}{order}");
        }
    }
    // Whoever comes back from an agent finds the list as it was, and nobody else does.
    admin.get(&site, "/admin/agents?search=arl&state=active").await;
    let carl = id_of(&mut admin, &site, "carl07").await;
    admin.get(&site, "/admin/agents?search=carl07&state=active").await;
    let view = admin.get(&site, &format!("/admin/agents/{carl}/view")).await;
    let back = "href=\"/admin/agents?search=carl07&amp;state=active\"";
    assert!(view.body.contains(back), "{}", view.body);
    assert!(view.body.contains("<title>carl07"), "{}", view.body);
    let mut boss = other_company(&site).await;
    if let Some(kept) = admin.cookie("agents") {
        boss.set_cookie("agents", &kept);
    }
    let own = id_of(&mut boss, &site, "boss").await;
    boss.set_cookie("agents", &admin.cookie("agents").unwrap());
    let view = boss.get(&site, &format!("/admin/agents/{own}/view")).await;
    assert!(!view.body.contains("carl07"), "{}", view.body);
    admin.post(&site, "/logout", &[]).await;
    assert!(!admin.has("agents"));
}

#[tokio::test]
async fn sessions_of_the_company_are_listed_and_ended() {
    let site = Site::new().await;
    account(&site, "Acme", "rita", Role::Admin).await;
    account(&site, "Acme", "carl", Role::Agent).await;
    let mut admin = signed_in(&site, "Acme", "rita").await;
    let mut carl = signed_in(&site, "Acme", "carl").await;
    let mut boss = other_company(&site).await;
    let list = admin.get(&site, "/admin/sessions").await;
    assert!(
        list.body.contains(">carl</bdi>") && list.body.contains("This session"),
        "{}",
        list.body
    );
    assert!(!list.body.contains(">boss</bdi>"), "{}", list.body);
    let (_, rest) = list.body.split_once("name=\"selected[]\" value=\"").unwrap();
    let session = rest.split_once('"').unwrap().0.to_owned();
    let ids = [("selected[]", session.as_str()), ("selected[]", "rubbish")];
    let foreign = boss.post(&site, "/admin/sessions/end", &ids).await;
    assert_eq!(foreign.location(), "/admin/sessions?ended=0");
    assert_eq!(carl.get(&site, "/agent").await.status, 200);
    let ended = admin.post(&site, "/admin/sessions/end", &ids).await;
    assert_eq!(ended.location(), "/admin/sessions?ended=1");
    assert_eq!(carl.get(&site, "/agent").await.status, 303);
    assert_eq!(admin.post(&site, "/admin/sessions/end", &[]).await.status, 422);
    let audit = admin.get(&site, "/admin/audit?event=sessions_ended").await;
    assert!(audit.body.contains("Number: 1"), "{}", audit.body);
}

#[tokio::test]
async fn sessions_name_their_browser_in_the_language_of_the_reader() {
    let site = Site::new().await;
    account(&site, "Acme", "rita", Role::Admin).await;
    account(&site, "Acme", "carl", Role::Agent).await;
    let mut carl = Browser::default();
    let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
    carl.extra.push(("user-agent", firefox.to_owned()));
    let fields = [("company", "Acme"), ("account", "carl"), ("password", PASSWORD)];
    assert_eq!(carl.post(&site, "/login", &fields).await.status, 303);
    let mut admin = signed_in(&site, "Acme", "rita").await;
    for (language, said, zone) in [
        ("en", "Firefox on Linux", "time zone UTC."),
        ("de", "Firefox unter Linux", "Zeitzone UTC."),
    ] {
        admin.set_cookie("language", language);
        for page in ["/admin/sessions", "/admin/audit"] {
            let shown = admin.get(&site, page).await;
            assert!(shown.body.contains(zone), "{language}: {}", shown.body);
            assert!(shown.body.contains(said), "{language}: {}", shown.body);
            assert!(
                !shown.body.contains("Firefox / Linux"),
                "{language}: {}",
                shown.body
            );
        }
    }
}

#[tokio::test]
async fn the_overview_shows_the_days_that_are_asked_for_and_leads_to_every_list() {
    let site = Site::new().await;
    account(&site, "Acme", "rita", Role::Admin).await;
    let mut admin = signed_in(&site, "Acme", "rita").await;
    let page = admin.get(&site, "/admin").await;
    for part in [
        "Sign-ins in the last 14 days",
        "href=\"/admin/sessions\"",
        "/admin/audit?event=password_refused&amp;from=2025-12-23&amp;until=2026-01-05",
        "Password only",
        "data-refresh",
    ] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    let hours = admin.get(&site, "/admin?from=2026-01-05&until=2026-01-05").await;
    assert!(
        hours.body.contains("Sign-ins from 2026-01-05 to 2026-01-05") && hours.body.contains("per hour"),
        "{}",
        hours.body
    );
    for nonsense in [
        "?from=x&until=%00",
        "?from=2030-01-01",
        "?from=0000-00-00&until=1900-01-01",
    ] {
        assert_eq!(
            admin.get(&site, &format!("/admin{nonsense}")).await.status,
            200,
            "{nonsense}"
        );
    }
    let mut boss = other_company(&site).await;
    let empty = boss.get(&site, "/admin").await;
    assert!(empty.body.contains("First steps"), "{}", empty.body);
}

#[tokio::test]
async fn the_audit_log_is_read_in_words_and_names_who_gave_the_right_password() {
    let site = Site::new().await;
    account(&site, "Acme", "rita", Role::Admin).await;
    let mut admin = signed_in(&site, "Acme", "rita").await;
    let mut alice = Browser::default();
    alice.past_password(&site, "alice").await;
    let wrong = site.wrong_code("alice").await;
    alice.post(&site, "/login/code", &[("code", &wrong)]).await;
    let log = admin.get(&site, "/admin/audit?event=code_refused").await;
    let (_, rows) = log.body.split_once("<tbody>").unwrap();
    assert!(
        rows.contains("Wrong code number 1") && !rows.contains(">Visitor<"),
        "{rows}"
    );
    assert!(
        log.body
            .contains("/admin/audit?account=alice&amp;from=2026-01-05&amp;until=2026-01-05"),
        "{}",
        log.body
    );
    let log = admin.get(&site, "/admin/audit?event=signed_in").await;
    assert!(log.body.contains("Password only"), "{}", log.body);
    let preset = "from=2025-12-30&amp;until=2026-01-05";
    assert!(log.body.contains(preset), "{}", log.body);
}

#[tokio::test]
async fn the_audit_log_is_narrowed_by_how_it_ended_who_did_it_and_where() {
    let site = Site::new().await;
    account(&site, "Acme", "rita", Role::Admin).await;
    let mut admin = signed_in(&site, "Acme", "rita").await;
    let mut alice = Browser::default();
    alice.past_password(&site, "alice").await;
    let wrong = site.wrong_code("alice").await;
    alice.post(&site, "/login/code", &[("code", &wrong)]).await;
    let asked = "outcome=refused&actor=account&source=sign_in&from=2026-01-05";
    let log = admin.get(&site, &format!("/admin/audit?{asked}")).await;
    let (_, table) = log.body.split_once("<tbody>").unwrap();
    assert!(
        table.matches("<tr>").count() == 1 && table.contains("Wrong code number 1"),
        "{table}"
    );
    for part in [
        "<option value=\"refused\" selected>",
        "<option value=\"account\" selected>",
        "<option value=\"sign_in\" selected>",
        "\"/admin/audit/export?outcome=refused&amp;actor=account&amp;source=sign_in&amp;from=2026-01-05\"",
        "\"/admin/audit?actor=account&amp;source=sign_in&amp;from=2026-01-05\"",
        "Remove filter Outcome: Refused",
        "Remove filter Source: Sign-in",
        "Remove filter From: 2026-01-05",
        "source=sign_in&amp;from=2026-01-05&amp;until=2026-01-05\"",
        "source=sign_in&amp;from=2026-01-04&amp;until=2026-01-04\"",
        "source=sign_in&amp;from=2025-12-07&amp;until=2026-01-05\"",
    ] {
        assert!(log.body.contains(part), "{part}: {}", log.body);
    }
    let file = admin.get(&site, &format!("/admin/audit/export?{asked}")).await;
    assert!(
        file.body.lines().count() == 2 && file.body.contains(",code_refused,refused,visitor,"),
        "{}",
        file.body
    );
    for nonsense in [
        "?outcome=%00&actor=%27--&source=%F0%9F%92%A5",
        "?outcome=done&from=9999-12-31&until=0000-01-01",
        "?outcome=refused&outcome=done",
        "?source=console&before=x",
        "?account=%00&actor=system",
        "?account=alice&actor=system&source=application",
        "?event=signed_in&source=import",
    ] {
        let page = admin.get(&site, &format!("/admin/audit{nonsense}")).await;
        assert_eq!(page.status, 200, "{nonsense}");
    }
}

#[tokio::test]
async fn what_a_page_asks_by_itself_is_no_activity() {
    let site = Site::new().await;
    account(&site, "Acme", "rita", Role::Admin).await;
    let mut admin = signed_in(&site, "Acme", "rita").await;
    for _ in 0..3 {
        site.clock.advance(10 * 60 - 1);
        admin.extra.push(("vestibule-refresh", "1".to_owned()));
        assert_eq!(admin.get(&site, "/admin").await.status, 200);
        admin.extra.clear();
    }
    site.clock.advance(10);
    assert_eq!(
        admin.get(&site, "/admin").await.status,
        303,
        "nobody was there for half an hour"
    );
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
    assert!(
        refused.body.contains("<title>Error: Add agent"),
        "{}",
        refused.body
    );
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
    assert_eq!(
        late.location(),
        "/profile/confirm?next=/admin/agents/new?kept&again"
    );
    let asked = admin.get(&site, late.location()).await;
    assert!(asked.body.contains("Your entries are kept"), "{}", asked.body);
    let proof = [("password", PASSWORD), ("next", "/admin/agents/new?kept")];
    let proved = admin.post(&site, "/profile/confirm", &proof).await;
    assert_eq!(proved.location(), "/admin/agents/new?kept");
    let back = admin.get(&site, proved.location()).await;
    assert_eq!(back.status, 200);
    for kept in [
        "value=\"xenia\"",
        "value=\"&lt;b&gt;\"",
        "What you entered is still here",
    ] {
        assert!(back.body.contains(kept), "{kept}: {}", back.body);
    }
    assert!(
        !back.body.contains("<title>Error:"),
        "nothing was wrong: {}",
        back.body
    );
}

#[tokio::test]
async fn a_temporary_password_opens_nothing_but_the_choice_of_another() {
    let site = Site::new().await;
    account(&site, "Acme", "carl", Role::Agent).await;
    site.service
        .operator()
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
    assert_eq!(
        (done.status, done.location()),
        (303, "/login?company=Acme&account=carl&password_changed")
    );
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
            assert!(over.body.contains("no longer valid"), "{}", over.body);
            assert!(!browser.has("link"), "{link}");
        }
        assert_eq!(
            Browser::default().get(&site, page).await.status,
            if page == "/choose-password" { 303 } else { 410 }
        );
    }
}

const CHOSEN: [(&str, &str); 2] = [
    ("new_password", "amber lantern orchard"),
    ("confirm_password", "amber lantern orchard"),
];

/// The version that a form would save over.
fn version(page: &Answer) -> String {
    let (_, rest) = page.body.split_once("name=\"version\" value=\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

/// The fields of the form that changes an agent.
fn edited<'a>(id: &'a str, version: &'a str, email: &'a str, last_name: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        ("id", id),
        ("version", version),
        ("email", email),
        ("last_name", last_name),
    ];
    fields.extend([
        ("first_name", "carl"),
        ("alias", ""),
        ("phone", ""),
        ("title", ""),
        ("time_format", "24"),
        ("language", ""),
        ("roles[]", "agent"),
        ("active", "on"),
    ]);
    fields
}

#[tokio::test]
async fn a_link_is_used_up_by_the_form_and_by_nothing_else() {
    let site = Site::new().await;
    account(&site, "Acme", "rita", Role::Admin).await;
    account(&site, "Acme", "carl", Role::Agent).await;
    let mut admin = signed_in(&site, "Acme", "rita").await;
    let carl = id_of(&mut admin, &site, "carl").await;
    let sent = admin
        .post(&site, "/admin/agents/reset-link", &[("id", &carl)])
        .await;
    assert_eq!(sent.status, 303, "{}", sent.body);
    let link = site.link("carl@acme.test", "/reset-password/").await;
    let mut scanner = Browser::default();
    for method in ["HEAD", "GET", "HEAD", "GET"] {
        let answer = scanner.send(&site, method, &link, None).await;
        assert_eq!(
            (answer.status, answer.location()),
            (303, "/choose-password"),
            "{method}"
        );
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(scanner.get(&site, "/choose-password").await.status, 200);
    }
    let mut browser = Browser::default();
    browser.get(&site, &link).await;
    let page = browser.get(&site, "/choose-password").await;
    assert!(
        page.body.contains("carl") && !page.body.contains(&link["/reset-password/".len()..]),
        "{}",
        page.body
    );
    let weak = browser
        .post(
            &site,
            "/choose-password",
            &[("new_password", "x"), ("confirm_password", "x")],
        )
        .await;
    assert_eq!(weak.status, 422, "a refused password leaves the link as it is");
    let done = browser.post(&site, "/choose-password", &CHOSEN).await;
    assert_eq!(
        (done.status, done.location()),
        (303, "/login?company=Acme&account=carl&password_changed")
    );
    assert!(!browser.has("session") && !browser.has("link"));
    let again = scanner.post(&site, "/choose-password", &CHOSEN).await;
    assert_eq!(again.status, 410, "{}", again.body);
    let mut late = Browser::default();
    late.get(&site, &link).await;
    assert_eq!(late.get(&site, "/choose-password").await.status, 410);
}

#[tokio::test]
async fn what_somebody_else_saved_is_not_overwritten() {
    let site = Site::new().await;
    account(&site, "Acme", "rita", Role::Admin).await;
    account(&site, "Acme", "carl", Role::Agent).await;
    let mut admin = signed_in(&site, "Acme", "rita").await;
    let carl = id_of(&mut admin, &site, "carl").await;
    let path = format!("/admin/agents/{carl}");
    let seen = version(&admin.get(&site, &path).await);
    let email = "carl@Acme.test";
    let first = admin
        .post(&site, "/admin/agents/edit", &edited(&carl, &seen, email, "First"))
        .await;
    assert_eq!(first.status, 303, "{}", first.body);
    let second = admin
        .post(
            &site,
            "/admin/agents/edit",
            &edited(&carl, &seen, email, "Second"),
        )
        .await;
    assert_eq!(second.status, 409);
    assert!(
        second.body.contains("value=\"Second\"") && second.body.contains("First"),
        "{}",
        second.body
    );
    assert!(admin.get(&site, &path).await.body.contains("value=\"First\""));
    // Who saves again has seen it.
    let seen = version(&second);
    let again = admin
        .post(
            &site,
            "/admin/agents/edit",
            &edited(&carl, &seen, email, "Second"),
        )
        .await;
    assert_eq!(again.status, 303, "{}", again.body);
    assert!(admin.get(&site, &path).await.body.contains("value=\"Second\""));
}

#[tokio::test]
async fn forms_about_two_agents_are_both_kept() {
    let site = Site::new().await;
    account(&site, "Acme", "rita", Role::Admin).await;
    account(&site, "Acme", "carl", Role::Agent).await;
    account(&site, "Acme", "dora", Role::Agent).await;
    let mut admin = signed_in(&site, "Acme", "rita").await;
    let carl = id_of(&mut admin, &site, "carl").await;
    let dora = id_of(&mut admin, &site, "dora").await;
    let [carls, doras] = [&carl, &dora].map(|id| format!("/admin/agents/{id}"));
    let seen = version(&admin.get(&site, &carls).await);
    site.clock.advance(31 * 60);
    let carls_form = edited(&carl, &seen, "carl@Acme.test", "Carlsson");
    let doras_form = edited(&dora, &seen, "dora@Acme.test", "Dorasdotter");
    for form in [&carls_form, &doras_form] {
        let sent = admin.post(&site, "/admin/agents/edit", form).await;
        assert!(sent.location().ends_with("%3Fkept"), "{}", sent.location());
    }
    let fields = [("company", "Acme"), ("account", "rita"), ("password", PASSWORD)];
    admin.post(&site, "/login", &fields).await;
    for (page, name) in [(&carls, "Carlsson"), (&doras, "Dorasdotter")] {
        let shown = admin.get(&site, &format!("{page}?kept")).await;
        assert!(shown.body.contains(name), "{name}: {}", shown.body);
    }
    let saved = admin.post(&site, "/admin/agents/edit", &carls_form).await;
    assert_eq!(saved.status, 303, "{}", saved.body);
    let page = admin.get(&site, &format!("{carls}?kept")).await;
    assert!(!page.body.contains("still here"), "{}", page.body);
    let page = admin.get(&site, &format!("{doras}?kept")).await;
    assert!(page.body.contains("Dorasdotter"), "the other one is still kept");
}

#[tokio::test]
async fn an_issued_backup_code_is_shown_once() {
    let site = Site::new().await;
    account(&site, "Acme", "rita", Role::Admin).await;
    let mut admin = signed_in(&site, "Acme", "rita").await;
    let alice = id_of(&mut admin, &site, "alice").await;
    let fields = [("id", alice.as_str()), ("reason", "Lost <phone>")];
    let sent = admin.post(&site, "/admin/agents/backup-code", &fields).await;
    let page = format!("/admin/agents/{alice}/issued-code");
    assert_eq!((sent.status, sent.location()), (303, page.as_str()));
    let issued = admin.get(&site, &page).await;
    assert_eq!(issued.status, 200, "{}", issued.body);
    assert_eq!(issued.header("cache-control"), "no-store");
    assert_eq!(
        admin.get(&site, &page).await.body.matches("<code").count(),
        1,
        "a reload shows it"
    );
    let mut colleague = signed_in(&site, "Acme", "rita").await;
    let elsewhere = colleague.get(&site, &page).await;
    assert_eq!(
        (elsewhere.status, elsewhere.body.contains("<code")),
        (303, false),
        "another session"
    );
    let handed_on = admin
        .post(&site, "/admin/agents/issued-code", &[("id", &alice)])
        .await;
    assert_eq!(
        (handed_on.status, handed_on.location()),
        (303, format!("/admin/agents/{alice}/view").as_str())
    );
    assert_eq!(admin.get(&site, &page).await.status, 303, "it was handed on");
    let (_, rest) = issued.body.split_once("class=\"issued-code\"").unwrap();
    let (_, rest) = rest.split_once("<code dir=\"ltr\">").unwrap();
    let code = rest.split_once('<').unwrap().0.to_owned();
    assert!(code.len() >= 10, "{code}");
    for page in ["", "/view", "/backup-code"] {
        let page = admin.get(&site, &format!("/admin/agents/{alice}{page}")).await;
        assert!(page.status == 200 && !page.body.contains(&code));
    }
    let audit = admin.get(&site, "/admin/audit").await;
    assert!(audit.body.contains("Lost &lt;phone&gt;") && !audit.body.contains(&code));
    let mails = site.mails("alice@acme.test").await;
    assert_eq!(mails.len(), 1, "a reload issues nothing");
    assert!(mails.iter().all(|text| !text.contains(&code)));
    let mut browser = Browser::default();
    browser.past_password(&site, "alice").await;
    let used = browser
        .post(&site, "/login/code", &[("code", &code), ("backup", "yes")])
        .await;
    assert_eq!(used.status, 303, "{}", used.body);
    assert!(browser.has("session"));
}

#[tokio::test]
async fn the_last_admin_stays_one() {
    let site = Site::new().await;
    let mut boss = other_company(&site).await;
    account(&site, "Globex", "chief", Role::Admin).await;
    let mut chief = signed_in(&site, "Globex", "chief").await;
    let id = id_of(&mut chief, &site, "boss").await;
    let own = id_of(&mut boss, &site, "boss").await;
    let oneself = boss
        .post(
            &site,
            "/admin/agents/delete",
            &[("id", &own), ("confirm_name", "boss")],
        )
        .await;
    assert_eq!(oneself.status, 409, "{}", oneself.body);
    let wrong = chief
        .post(
            &site,
            "/admin/agents/delete",
            &[("id", &id), ("confirm_name", "bos")],
        )
        .await;
    assert_eq!(wrong.status, 422, "{}", wrong.body);
    let gone = chief
        .post(
            &site,
            "/admin/agents/delete",
            &[("id", &id), ("confirm_name", "boss")],
        )
        .await;
    assert_eq!(gone.status, 303, "{}", gone.body);
    assert_eq!(
        boss.get(&site, "/admin").await.status,
        303,
        "whoever is deleted is out"
    );
    assert_eq!(chief.get(&site, "/admin/audit").await.status, 200);
    let chief_id = id_of(&mut chief, &site, "chief").await;
    let seen = version(&chief.get(&site, &format!("/admin/agents/{chief_id}")).await);
    let demoted = chief
        .post(
            &site,
            "/admin/agents/edit",
            &edited(&chief_id, &seen, "chief@Globex.test", ""),
        )
        .await;
    assert_eq!(demoted.status, 409, "{}", demoted.body);
}

#[tokio::test]
async fn nothing_that_helps_to_open_the_own_account_is_offered() {
    let site = Site::new().await;
    account(&site, "Acme", "rita", Role::Admin).await;
    account(&site, "Acme", "carl", Role::Agent).await;
    let mut admin = signed_in(&site, "Acme", "rita").await;
    let (rita, carl) = (
        id_of(&mut admin, &site, "rita").await,
        id_of(&mut admin, &site, "carl").await,
    );
    let why = "You can't delete, deactivate, or unlock your own account here,";
    for act in ["unlock", "password", "backup-code", "send-details"] {
        let own = admin.get(&site, &format!("/admin/agents/{rita}/{act}")).await;
        assert_eq!(own.status, 200, "{act}");
        let form = format!("action=\"/admin/agents/{act}\"");
        assert!(
            own.body.contains(why) && !own.body.contains(&form),
            "{act}: {}",
            own.body
        );
        let other = admin.get(&site, &format!("/admin/agents/{carl}/{act}")).await;
        assert!(!other.body.contains(why) && other.body.contains(&form), "{act}");
    }
    for (path, fields) in [
        ("/admin/agents/unlock", vec![]),
        ("/admin/agents/backup-code", vec![("reason", "lost phone")]),
        ("/admin/agents/reset-link", vec![]),
    ] {
        let fields: Vec<_> = fields.into_iter().chain([("id", rita.as_str())]).collect();
        let refused = admin.post(&site, path, &fields).await;
        assert_eq!(refused.status, 409, "{path}");
        assert!(refused.body.contains(why), "{path}: {}", refused.body);
    }
    let ticked = [("selected[]", rita.as_str()), ("back", "")];
    let among_others = admin.post(&site, "/admin/agents/unlock-selected", &ticked).await;
    assert_eq!(
        among_others.location(),
        "/admin/agents?changed=0&kept=own_account"
    );
    let form = admin.get(&site, &format!("/admin/agents/{rita}")).await;
    assert!(
        form.body
            .contains("You can change your own email address in your profile.")
    );
    let (seen, moved) = (version(&form), "rita@elsewhere.test");
    let refused = admin
        .post(&site, "/admin/agents/edit", &edited(&rita, &seen, moved, ""))
        .await;
    assert_eq!(refused.status, 409, "{}", refused.body);
    assert!(refused.body.contains(why), "{}", refused.body);
    site.clock.advance(301);
    let ticked = [("selected[]", carl.as_str()), ("back", "")];
    for path in ["/admin/agents/unlock-selected", "/admin/agents/activate"] {
        let late = admin.post(&site, path, &ticked).await;
        assert_eq!(
            (late.status, late.location()),
            (303, "/profile/confirm?next=/admin/agents?kept&again"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn those_who_were_ticked_are_ticked_again_after_a_proof_and_nothing_is_done_by_itself() {
    let site = Site::new().await;
    account(&site, "Acme", "rita", Role::Admin).await;
    account(&site, "Acme", "carl", Role::Agent).await;
    account(&site, "Acme", "cora", Role::Agent).await;
    let mut admin = signed_in(&site, "Acme", "rita").await;
    let carl = id_of(&mut admin, &site, "carl").await;
    let cora = id_of(&mut admin, &site, "cora").await;
    let off = [("selected[]", carl.as_str()), ("back", "")];
    let done = admin.post(&site, "/admin/agents/deactivate", &off).await;
    assert_eq!(done.location(), "/admin/agents?deactivated=1");
    let inactive = "/admin/agents?search=c&state=inactive";
    let ticked = [("selected[]", carl.as_str()), ("back", "search=c&state=inactive")];
    for path in ["/admin/agents/activate", "/admin/agents/unlock-selected"] {
        site.clock.advance(301);
        let late = admin.post(&site, path, &ticked).await;
        let kept = format!("{inactive}&kept");
        let to = format!("/profile/confirm?next={}&again", kept.replace('&', "%26"));
        assert_eq!((late.status, late.location()), (303, to.as_str()), "{path}");
        let proof = [("password", PASSWORD), ("next", kept.as_str())];
        let proved = admin.post(&site, "/profile/confirm", &proof).await;
        assert_eq!(proved.location(), kept, "{path}");
        let list = admin.get(&site, proved.location()).await;
        assert_eq!(list.status, 200, "{path}");
        assert!(
            list.body.contains("What you entered is still here"),
            "{}",
            list.body
        );
        assert!(!list.body.contains(&cora), "the filter is as it was");
        let box_of_carl = list.body.split("<input").find(|input| {
            input.contains("name=\"selected[]\"") && input.contains(&format!("value=\"{carl}\""))
        });
        let box_of_carl = box_of_carl.and_then(|input| input.split_once('>')).unwrap().0;
        assert!(box_of_carl.contains(" checked"), "{path}: {box_of_carl}");
    }
    let done = admin.post(&site, "/admin/agents/activate", &ticked).await;
    assert_eq!(
        done.location(),
        "/admin/agents?search=c&state=inactive&changed=1",
        "and nothing was done before"
    );
}

#[tokio::test]
async fn pages_about_credentials_ask_who_it_is() {
    let site = Site::new().await;
    account(&site, "Acme", "rita", Role::Admin).await;
    account(&site, "Acme", "carl", Role::Agent).await;
    let mut admin = signed_in(&site, "Acme", "rita").await;
    let carl = id_of(&mut admin, &site, "carl").await;
    site.clock.advance(301);
    for page in ["password", "backup-code", "delete"] {
        let path = format!("/admin/agents/{carl}/{page}");
        let answer = admin.get(&site, &path).await;
        let to = format!("/profile/confirm?next={path}&again");
        assert_eq!((answer.status, answer.location()), (303, to.as_str()));
    }
    for page in ["", "/view", "/unlock", "/end-sessions"] {
        let path = format!("/admin/agents/{carl}{page}");
        assert_eq!(admin.get(&site, &path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn ticked_agents_of_another_company_are_nobody() {
    let site = Site::new().await;
    account(&site, "Acme", "rita", Role::Admin).await;
    account(&site, "Acme", "carl", Role::Agent).await;
    let mut admin = signed_in(&site, "Acme", "rita").await;
    let carl = id_of(&mut admin, &site, "carl").await;
    let mut boss = other_company(&site).await;
    for path in [
        "/admin/agents/deactivate",
        "/admin/agents/activate",
        "/admin/agents/unlock-selected",
    ] {
        let foreign = boss
            .post(&site, path, &[("selected[]", &carl), ("back", "")])
            .await;
        let unknown = boss
            .post(
                &site,
                path,
                &[
                    ("selected[]", "01941f29-7c00-7000-8000-000000000000"),
                    ("back", ""),
                ],
            )
            .await;
        assert_eq!(
            (foreign.status, foreign.location()),
            (unknown.status, unknown.location()),
            "{path}"
        );
    }
    let list = admin.get(&site, "/admin/agents?state=active&search=carl").await;
    assert!(list.body.contains(&carl));
}

#[tokio::test]
async fn a_changed_address_waits_for_its_owner() {
    let site = Site::new().await;
    account(&site, "Acme", "rita", Role::Admin).await;
    account(&site, "Acme", "carl", Role::Agent).await;
    let mut admin = signed_in(&site, "Acme", "rita").await;
    let carl = id_of(&mut admin, &site, "carl").await;
    let path = format!("/admin/agents/{carl}");
    for (email, stops) in [("new@acme.test", true), ("newer@acme.test", false)] {
        let seen = version(&admin.get(&site, &path).await);
        let saved = admin
            .post(&site, "/admin/agents/edit", &edited(&carl, &seen, email, ""))
            .await;
        assert_eq!(saved.status, 303, "{}", saved.body);
        let page = admin.get(&site, &path).await;
        assert!(
            page.body.contains("has been waiting for confirmation"),
            "{}",
            page.body
        );
        let confirm = site.link(email, "/confirm-email/").await;
        let stop = site.link("carl@acme.test", "/stop-email-change/").await;
        let (link, page, says) = if stops {
            (stop, "/stop-email-change", "The change was canceled.")
        } else {
            (confirm.clone(), "/confirm-email", "is confirmed")
        };
        let mut owner = Browser::default();
        owner.get(&site, &link).await;
        assert_eq!(owner.get(&site, page).await.status, 200);
        let done = owner.post(&site, page, &[]).await;
        assert_eq!(done.status, 303, "{}", done.body);
        let shown = owner.get(&site, done.location()).await;
        assert!(shown.body.contains(says), "{}", shown.body);
        let mut late = Browser::default();
        late.get(&site, &confirm).await;
        assert_eq!(late.get(&site, "/confirm-email").await.status, 410, "{email}");
    }
    let page = admin.get(&site, &path).await;
    assert!(page.body.contains("value=\"newer@acme.test\""), "{}", page.body);
}

#[tokio::test]
async fn the_navigation_says_where_one_is_and_opens_without_scripts() {
    let site = Site::new().await;
    account(&site, "Acme", "rita", Role::Admin).await;
    account(&site, "Acme", "sam", Role::Supervisor).await;
    let mut admin = signed_in(&site, "Acme", "rita").await;
    for (path, label) in [
        ("/admin/company", "Console: General Information"),
        ("/profile", "Console"),
    ] {
        let page = admin.get(&site, path).await.body;
        for part in [
            "popovertarget=\"console-links\"",
            "<ul id=\"console-links\" popover=\"auto\">",
            &format!("aria-label=\"{label}\""),
        ] {
            assert!(page.contains(part), "{path} {part}: {page}");
        }
    }
    let list = signed_in(&site, "Acme", "sam")
        .await
        .get(&site, "/admin/agents")
        .await;
    assert!(list.body.contains("<ul id=\"console-links\">"), "{}", list.body);
    assert!(
        !list.body.contains("popovertarget=\"console-links\""),
        "{}",
        list.body
    );
}
