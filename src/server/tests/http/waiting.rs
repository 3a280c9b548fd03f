//! Standing in line before the sign-in page.

use vestibule_storage::test_support::until;

use crate::site::{self, Answer, Browser, Site};

const TYPED: [(&str, &str); 4] = [
    ("company", "Acme"),
    ("account", "bob"),
    ("password", site::PASSWORD),
    ("next", "/agent?tab=2"),
];

fn with_password(password: &'static str) -> [(&'static str, &'static str); 4] {
    TYPED.map(|(name, value)| (name, if name == "password" { password } else { value }))
}

/// Refreshes the page, as it does itself, until it has something else to say than `waiting`.
async fn until_called(site: &Site, browser: &mut Browser, waiting: &str) -> Answer {
    until(async || {
        let page = browser.get(site, "/login/wait").await;
        (!page.body.contains(waiting)).then_some(page)
    })
    .await
}

fn form_of(account: &'static str) -> [(&'static str, &'static str); 3] {
    [
        ("company", "Acme"),
        ("account", account),
        ("password", site::PASSWORD),
    ]
}

/// Waits until the session of an account that nobody got has ended.
async fn until_given_up(site: &Site, account: &str) {
    let (_, account) = site
        .service
        .operator()
        .account_named("Acme", account)
        .await
        .unwrap();
    until(async || {
        let mut reader = site.service.store().read().await.unwrap();
        let events = reader.events(Some(account.company), 100).await.unwrap();
        let mut ends = events.iter();
        ends.find(|row| row.event == "signed_out" && row.target == Some(account.id))
            .map(drop)
    })
    .await;
    let mut reader = site.service.store().read().await.unwrap();
    let left = reader.sessions_of(account.company, account.id).await.unwrap();
    assert_eq!(left, []);
}

#[tokio::test]
async fn of_two_tabs_in_line_the_newer_one_comes_in() {
    let site = Site::new().await;
    let held = site.service.sign_in().hold_line().await;
    let mut browser = Browser::default();
    browser.post(&site, "/login", &form_of("bob")).await;
    let first = browser.cookie("ticket").unwrap();
    let sent = browser.post(&site, "/login", &form_of("root")).await;
    assert_eq!(sent.location(), "/login/wait");
    assert_ne!(browser.cookie("ticket").unwrap(), first);
    drop(held);
    let called = until_called(&site, &mut browser, "You're number").await;
    assert_eq!(called.location(), "/admin");
    until_given_up(&site, "bob").await;
    assert_eq!(browser.get(&site, "/admin").await.status, 200);
    // Whatever still asks with the older ticket gets nothing by it.
    let mut other = Browser::default();
    other.set_cookie("ticket", &first);
    assert_eq!(other.get(&site, "/login/wait").await.status, 410);
}

#[tokio::test]
async fn an_answer_that_comes_late_takes_the_place_of_nothing_newer() {
    let site = Site::new().await;
    let held = site.service.sign_in().hold_line().await;
    let mut browser = Browser::default();
    browser.post(&site, "/login", &form_of("bob")).await;
    drop(held);
    // Another tab did not have to wait.
    let mut tab = Browser::default();
    let entered = tab.post(&site, "/login", &form_of("root")).await;
    assert_eq!(entered.location(), "/admin");
    let newer = tab.cookie("session").unwrap();
    browser.set_cookie("session", &newer);
    let called = until_called(&site, &mut browser, "You're number").await;
    assert_eq!((called.status, called.location()), (303, "/"));
    assert_eq!(browser.cookie("session"), Some(newer));
    assert!(!browser.has("ticket"));
    assert_eq!(browser.get(&site, "/admin").await.status, 200);
    until_given_up(&site, "bob").await;
    // A session that is over is no newer one.
    let held = site.service.sign_in().hold_line().await;
    browser.forget("session");
    browser.post(&site, "/login", &form_of("bob")).await;
    drop(held);
    browser.set_cookie("session", &"A".repeat(43));
    let called = until_called(&site, &mut browser, "You're number").await;
    assert_eq!(called.location(), "/agent");
}

#[tokio::test]
async fn trust_that_came_meanwhile_is_not_lost_to_an_answer_that_comes_late() {
    let site = Site::new().await;
    let mut alices = Browser::default();
    alices.past_password(&site, "alice").await;
    let code = site.code("alice").await;
    alices
        .post(&site, "/login/code", &[("code", &code), ("trust", "yes")])
        .await;
    let trusted = alices.cookie("trusted").unwrap();
    let mut claras = Browser::default();
    claras.past_password(&site, "clara").await;
    let code = site.code("clara").await;
    claras
        .post(&site, "/login/code", &[("code", &code), ("trust", "yes")])
        .await;

    let mut browser = Browser::default();
    browser.set_cookie("trusted", &trusted);
    let held = site.service.sign_in().hold_line().await;
    let sent = browser.post(&site, "/login", &form_of("alice")).await;
    assert_eq!(sent.location(), "/login/wait");
    // Another tab brought Clara's trust, and she signed out again.
    let hers = claras.cookie("trusted").unwrap();
    browser.set_cookie("trusted", &format!("{trusted}.{hers}"));
    drop(held);
    let called = until_called(&site, &mut browser, "You're number").await;
    assert_eq!(called.location(), "/agent");
    let kept = browser.cookie("trusted").unwrap();
    let kept: Vec<_> = kept.split('.').collect();
    assert_eq!((kept.len(), kept[1]), (2, hers.as_str()));
    assert_ne!(kept[0], trusted, "hers was used");
}

#[tokio::test]
async fn whoever_waits_longer_than_a_second_sees_it_and_goes_on_without_sending_the_password_again() {
    let site = Site::new().await;
    let held = site.service.sign_in().hold_line().await;
    let mut browser = Browser::default();
    let sent = browser.post(&site, "/login", &TYPED).await;
    assert_eq!((sent.status, sent.location()), (303, "/login/wait"));
    assert!(browser.has("ticket") && !browser.has("session"));
    let page = browser.get(&site, "/login/wait").await;
    assert_eq!(page.status, 200);
    assert!(
        page.body
            .contains("Many people are signing in right now. You're number 1 in line."),
        "{}",
        page.body
    );
    assert!(page.body.contains("<meta http-equiv=\"refresh\" content=\"2\""));
    assert!(!page.body.contains(site::PASSWORD) && !page.body.contains("<input type=\"password\""));
    let other = browser
        .post(
            &site,
            "/language",
            &[("language", "de"), ("return_to", "/login/wait")],
        )
        .await;
    assert_eq!(other.location(), "/login/wait");
    let page = browser.get(&site, "/login/wait").await;
    assert!(
        page.body.contains("Ihr Platz in der Warteschlange: 1."),
        "{}",
        page.body
    );

    drop(held);
    browser.set_cookie("language", "en");
    let called = until_called(&site, &mut browser, "You're number").await;
    assert_eq!((called.status, called.location()), (303, "/agent?tab=2"));
    assert!(browser.has("session") && !browser.has("ticket"));
    assert_eq!(browser.get(&site, "/agent").await.status, 200);
    assert_eq!(browser.get(&site, "/login/wait").await.location(), "/login");
}

#[tokio::test]
async fn whoever_waited_for_a_refusal_gets_it_with_what_was_typed() {
    let site = Site::new().await;
    let held = site.service.sign_in().hold_line().await;
    let mut browser = Browser::default();
    let sent = browser
        .post(&site, "/login", &with_password("not the password"))
        .await;
    assert_eq!(sent.location(), "/login/wait");
    drop(held);
    let page = until_called(&site, &mut browser, "You're number").await;
    assert_eq!(page.status, 401);
    for kept in [
        "Company, account or password is incorrect",
        "value=\"Acme\"",
        "value=\"bob\"",
        "value=\"/agent?tab=2\"",
        "action=\"/login\"",
    ] {
        assert!(page.body.contains(kept), "{kept}");
    }
    assert!(!page.body.contains("not the password"));
    assert!(!browser.has("ticket"));
}

#[tokio::test]
async fn a_program_is_told_where_to_wait_and_which_number_it_has() {
    let site = Site::new().await;
    let held = site.service.sign_in().hold_line().await;
    let mut program = Browser::program();
    let sent = program.post(&site, "/login", &TYPED).await;
    assert_eq!(
        (sent.status, sent.body.as_str()),
        (200, r#"{"to":"/login/wait"}"#)
    );
    let number = program.get(&site, "/login/wait").await;
    assert_eq!((number.status, number.body.as_str()), (200, r#"{"number":1}"#));
    drop(held);
    let called = until_called(&site, &mut program, r#"{"number":1}"#).await;
    assert_eq!((called.status, called.location()), (303, "/agent?tab=2"));
}

#[tokio::test]
async fn a_ticket_is_of_use_to_its_browser_only() {
    let site = Site::new().await;
    let held = site.service.sign_in().hold_line().await;
    let mut browser = Browser::default();
    browser.post(&site, "/login", &TYPED).await;
    drop(held);
    let mut stranger = Browser::default();
    assert_eq!(stranger.get(&site, "/login/wait").await.location(), "/login");
    stranger.set_cookie("ticket", &"A".repeat(43));
    let refused = stranger.get(&site, "/login/wait").await;
    assert_eq!(refused.status, 410);
    assert!(!stranger.has("session") && !stranger.has("ticket"));
    assert!(
        refused.body.contains("action=\"/login\""),
        "the form is there for another try"
    );
}

#[tokio::test]
async fn signed_in_pages_and_health_do_not_wait_in_line() {
    let site = Site::new().await;
    let mut agent = Browser::default();
    agent.post(&site, "/login", &TYPED).await;
    let _held = site.service.sign_in().hold_line().await;
    assert_eq!(agent.get(&site, "/agent").await.status, 200);
    assert_eq!(Browser::default().get(&site, "/healthz").await.status, 200);
    assert_eq!(Browser::default().get(&site, "/login").await.status, 200);
}
