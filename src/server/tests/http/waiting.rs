//! Standing in line before the sign-in page.

use std::time::Duration;

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
    let mut tries = 0..600;
    loop {
        let page = browser.get(site, "/login/wait").await;
        if !page.body.contains(waiting) {
            return page;
        }
        assert!(tries.next().is_some(), "nobody was called within a minute");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn whoever_waits_longer_than_a_second_sees_it_and_goes_on_without_sending_the_password_again() {
    let site = Site::new().await;
    let held = site.service.hold_line().await;
    let mut browser = Browser::default();
    let sent = browser.post(&site, "/login", &TYPED).await;
    assert_eq!((sent.status, sent.location()), (303, "/login/wait"));
    assert!(browser.has("ticket") && !browser.has("session"));
    let page = browser.get(&site, "/login/wait").await;
    assert_eq!(page.status, 200);
    assert!(
        page.body
            .contains("Many people are signing in. You are number 1."),
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
    assert!(page.body.contains("Sie sind Nummer 1."), "{}", page.body);

    drop(held);
    browser.set_cookie("language", "en");
    let called = until_called(&site, &mut browser, "You are number").await;
    assert_eq!((called.status, called.location()), (303, "/agent?tab=2"));
    assert!(browser.has("session") && !browser.has("ticket"));
    assert_eq!(browser.get(&site, "/agent").await.status, 200);
    assert_eq!(browser.get(&site, "/login/wait").await.location(), "/login");
}

#[tokio::test]
async fn whoever_waited_for_a_refusal_gets_it_with_what_was_typed() {
    let site = Site::new().await;
    let held = site.service.hold_line().await;
    let mut browser = Browser::default();
    let sent = browser
        .post(&site, "/login", &with_password("not the password"))
        .await;
    assert_eq!(sent.location(), "/login/wait");
    drop(held);
    let page = until_called(&site, &mut browser, "You are number").await;
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
    let held = site.service.hold_line().await;
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
    let held = site.service.hold_line().await;
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
    let _held = site.service.hold_line().await;
    assert_eq!(agent.get(&site, "/agent").await.status, 200);
    assert_eq!(Browser::default().get(&site, "/healthz").await.status, 200);
    assert_eq!(Browser::default().get(&site, "/login").await.status, 200);
}
