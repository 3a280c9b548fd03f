//! Sessions that end while somebody works: the reason is told, and nothing typed is lost.

use vestibule_core::account::Role;

use crate::{
    company::{account, signed_in},
    site::{Browser, PASSWORD, Site},
};

const CREDENTIALS: [(&str, &str); 3] = [("company", "Acme"), ("account", "bob"), ("password", PASSWORD)];

fn profile(phone: &'static str) -> [(&'static str, &'static str); 7] {
    [
        ("first_name", "Bob"),
        ("last_name", ""),
        ("alias", ""),
        ("phone", phone),
        ("title", ""),
        ("time_format", "24"),
        ("language", ""),
    ]
}

#[tokio::test]
async fn an_idle_end_is_told_and_what_was_typed_comes_back() {
    let site = Site::new().await;
    let mut bob = signed_in(&site, "Acme", "bob").await;
    site.clock.advance(31 * 60);
    let sent = bob.post(&site, "/profile", &profile("+49 170 1")).await;
    assert_eq!(
        (sent.status, sent.location()),
        (303, "/login?next=%2Fprofile%3Fkept")
    );
    let page = bob.get(&site, sent.location()).await;
    let reason = "You were signed out after 30 minutes without activity.";
    assert!(page.body.contains(reason), "{}", page.body);
    assert!(
        page.body.contains("nach 30 Minuten ohne Aktivität"),
        "in every language, for the switch: {}",
        page.body
    );
    let mut typed = CREDENTIALS.to_vec();
    typed.push(("next", "/profile?kept"));
    let back = bob.post(&site, "/login", &typed).await;
    assert_eq!(back.location(), "/profile?kept");
    let page = bob.get(&site, back.location()).await;
    assert_eq!(page.status, 200);
    for kept in ["value=\"+49 170 1\"", "What you entered is still here"] {
        assert!(page.body.contains(kept), "{kept}: {}", page.body);
    }
    let saved = bob.post(&site, "/profile", &profile("+49 170 1")).await;
    assert_eq!(saved.location(), "/profile?saved");
    let page = bob.get(&site, "/profile?kept").await;
    assert!(!page.body.contains("still here"), "{}", page.body);
}

#[tokio::test]
async fn what_was_typed_is_nobody_elses_and_not_kept_for_long() {
    let site = Site::new().await;
    for (account, minutes) in [("root", 0), ("bob", 16)] {
        let mut browser = signed_in(&site, "Acme", "bob").await;
        site.clock.advance(31 * 60);
        browser.post(&site, "/profile", &profile("+49 170 2")).await;
        site.clock.advance(minutes * 60);
        let typed = [("company", "Acme"), ("account", account), ("password", PASSWORD)];
        browser.post(&site, "/login", &typed).await;
        let page = browser.get(&site, "/profile?kept").await;
        assert_eq!(page.status, 200);
        assert!(!page.body.contains("+49 170 2"), "{account}: {}", page.body);
        browser.post(&site, "/logout", &[]).await;
    }
    // Whoever never had a session keeps nothing.
    let mut stranger = Browser::default();
    stranger.set_cookie("session", &"a".repeat(43));
    let sent = stranger.post(&site, "/profile", &profile("+49 170 3")).await;
    assert_eq!(sent.location(), "/login?next=%2Fprofile");
    assert!(!stranger.has("kept"));
}

#[tokio::test]
async fn a_password_is_never_kept() {
    let site = Site::new().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    site.clock.advance(31 * 60);
    let fields = [
        ("version", "0"),
        ("way", "own"),
        ("host", "mail.example.org"),
        ("port", "465"),
        ("security", "tls"),
        ("user", "relay"),
        ("mail_password", "hunter2"),
        ("sender", "a@example.org"),
        ("reply_to", ""),
    ];
    let sent = root.post(&site, "/admin/mail", &fields).await;
    assert_eq!(
        sent.location(),
        "/login?next=%2Fadmin%2Fmail%3Fkept",
        "{}",
        sent.body
    );
    let typed = [("company", "Acme"), ("account", "root"), ("password", PASSWORD)];
    root.post(&site, "/login", &typed).await;
    let page = root.get(&site, "/admin/mail?kept").await;
    assert!(page.body.contains("value=\"mail.example.org\""), "{}", page.body);
    assert!(!page.body.contains("hunter2"), "{}", page.body);
}

#[tokio::test]
async fn the_reason_is_the_true_one_and_told_to_this_browser_only() {
    let site = Site::new().await;
    account(&site, "Acme", "rita", Role::Admin).await;
    let mut bob = signed_in(&site, "Acme", "bob").await;
    let mut phone = signed_in(&site, "Acme", "bob").await;
    phone
        .post(&site, "/profile/security/sessions/end-others", &[])
        .await;
    let page = bob.get(&site, "/login").await;
    assert!(page.body.contains("ended from another browser"), "{}", page.body);
    site.service
        .operator()
        .end_sessions_of("Acme", Some("bob"))
        .await
        .unwrap();
    let led = phone.get(&site, "/agent").await;
    assert_eq!(led.location(), "/login?next=%2Fagent");
    let page = phone.get(&site, led.location()).await;
    assert!(
        page.body.contains("An administrator ended your session."),
        "{}",
        page.body
    );
    let page = Browser::default().get(&site, led.location()).await;
    assert!(
        !page.body.contains("class=\"notice"),
        "nobody else is told: {}",
        page.body
    );

    let mut bob = signed_in(&site, "Acme", "bob").await;
    site.service
        .operator()
        .set_company_enabled("Acme", false)
        .await
        .unwrap();
    let page = bob.get(&site, "/login").await;
    assert!(page.body.contains("your company was disabled"), "{}", page.body);
    site.service
        .operator()
        .set_company_enabled("Acme", true)
        .await
        .unwrap();
    let mut bob = signed_in(&site, "Acme", "bob").await;
    for _ in 0..25 {
        site.clock.advance(29 * 60);
        bob.get(&site, "/agent").await;
    }
    let page = bob.get(&site, "/login").await;
    assert!(
        page.body.contains("a session ends after 12 hours at the latest"),
        "{}",
        page.body
    );
    site.clock.advance(25 * 3600);
    let page = bob.get(&site, "/login").await;
    assert!(!page.body.contains("class=\"notice"), "for a day: {}", page.body);
}

#[tokio::test]
async fn what_an_admin_typed_is_told_where_the_session_was_and_nowhere_else() {
    let site = Site::new().await;
    account(&site, "Acme", "rita", Role::Admin).await;
    let mut rita = signed_in(&site, "Acme", "rita").await;
    let list = rita.get(&site, "/admin/agents?search=bob").await;
    let (_, rest) = list.body.split_once("name=\"selected[]\" value=\"").unwrap();
    let id = rest.split_once('"').unwrap().0;
    let endless = "x".repeat(201);
    for (path, fields) in [
        ("/admin/agents/end-sessions", vec![("id", id)]),
        ("/admin/agents/switch-off", vec![("id", id)]),
        ("/admin/agents/deactivate", vec![("selected[]", id), ("back", "")]),
    ] {
        let mut bob = signed_in(&site, "Acme", "bob").await;
        let with = |reason| [&fields[..], &[("reason", reason)]].concat();
        let refused = rita.post(&site, path, &with(endless.as_str())).await;
        assert_eq!(refused.status, 422, "{path}: {}", refused.body);
        let kept = format!("value=\"{endless}\"");
        assert!(
            refused.body.contains(&kept) && refused.body.contains("href=\"#reason\""),
            "{path}: {}",
            refused.body
        );
        assert_eq!(bob.get(&site, "/agent").await.status, 200, "{path}");
        let done = rita.post(&site, path, &with("Laptop <b>lost</b>")).await;
        assert_eq!(done.status, 303, "{path}: {}", done.body);
        let page = bob.get(&site, "/login").await;
        assert!(
            page.body.contains("Reason: Laptop &lt;b&gt;lost&lt;/b&gt;") && !page.body.contains("<b>lost"),
            "{path}: {}",
            page.body
        );
        let page = Browser::default().get(&site, "/login").await;
        assert!(!page.body.contains("Laptop"), "{path}: {}", page.body);
        let again = [("selected[]", id), ("back", "")];
        rita.post(&site, "/admin/agents/activate", &again).await;
    }
    let log = rita.get(&site, "/admin/audit?event=sessions_ended").await;
    assert!(
        log.body
            .contains("Number: 1, Reason: Laptop &lt;b&gt;lost&lt;/b&gt;"),
        "{}",
        log.body
    );
    let log = rita.get(&site, "/admin/audit?event=account_deactivated").await;
    assert_eq!(
        log.body.matches("Laptop &lt;b&gt;lost&lt;/b&gt;").count(),
        2,
        "{}",
        log.body
    );
    // The list of sessions takes the reason for those that are ticked.
    let mut bob = signed_in(&site, "Acme", "bob").await;
    let list = rita.get(&site, "/admin/sessions").await;
    let (_, rest) = list.body.split_once("name=\"selected[]\" value=\"").unwrap();
    let session = rest.split_once('"').unwrap().0;
    let with = |reason| [("selected[]", session), ("reason", reason)];
    let refused = rita.post(&site, "/admin/sessions/end", &with(&endless)).await;
    assert!(
        refused.status == 422 && refused.body.contains(" checked") && refused.body.contains(&endless),
        "{}",
        refused.body
    );
    rita.post(&site, "/admin/sessions/end", &with("Shift is over"))
        .await;
    let page = bob.get(&site, "/login").await;
    assert!(page.body.contains("Reason: Shift is over"), "{}", page.body);
    // So does the button of a row, whatever is ticked.
    let mut bob = signed_in(&site, "Acme", "bob").await;
    account(&site, "Acme", "carl", Role::Agent).await;
    let mut carl = signed_in(&site, "Acme", "carl").await;
    let list = rita.get(&site, "/admin/sessions").await;
    let rows: Vec<&str> = list.body.split("<tr>").collect();
    let value_in = |account: &str, name: &str| {
        let row = rows
            .iter()
            .find(|row| row.contains(&format!("<bdi>{account}</bdi>")));
        let field = row.and_then(|row| row.split_once(&format!("name=\"{name}\" value=\"")));
        field
            .and_then(|(_, rest)| rest.split_once('"'))
            .unwrap()
            .0
            .to_owned()
    };
    let (ticked, one) = (value_in("carl", "selected[]"), value_in("bob", "one"));
    let fields = [
        ("selected[]", ticked.as_str()),
        ("reason", "Wrong desk"),
        ("one", one.as_str()),
    ];
    let ended = rita.post(&site, "/admin/sessions/end", &fields).await;
    assert_eq!(ended.location(), "/admin/sessions?ended=1");
    let page = bob.get(&site, "/login").await;
    assert!(page.body.contains("Reason: Wrong desk"), "{}", page.body);
    assert_eq!(carl.get(&site, "/agent").await.status, 200);
}

#[tokio::test]
async fn another_tab_hears_that_somebody_signed_out() {
    let site = Site::new().await;
    let mut bob = signed_in(&site, "Acme", "bob").await;
    bob.post(&site, "/logout", &[]).await;
    assert!(!bob.has("session"));
    let page = bob.get(&site, "/login").await;
    assert!(
        !page.body.contains("another tab"),
        "whoever did it knows: {}",
        page.body
    );
    let sent = bob.post(&site, "/profile", &profile("+49 170 4")).await;
    let page = bob.get(&site, sent.location()).await;
    assert!(
        page.body.contains("You signed out in another tab."),
        "{}",
        page.body
    );
    bob.post(&site, "/login", &CREDENTIALS).await;
    assert!(!bob.has("ended"));
}

#[tokio::test]
async fn whoever_sits_down_after_a_sign_out_leaves_no_form_behind() {
    let site = Site::new().await;
    for cookie_comes_back in [false, true] {
        let mut desk = signed_in(&site, "Acme", "bob").await;
        let session = desk.cookie("session").unwrap();
        desk.post(&site, "/logout", &[]).await;
        if cookie_comes_back {
            desk.set_cookie("session", &session);
        }
        let planted = desk.post(&site, "/profile", &profile("+49 170 5")).await;
        assert_eq!(planted.location(), "/login?next=%2Fprofile");
        assert!(!desk.has("kept"));
        desk.post(&site, "/login", &CREDENTIALS).await;
        let page = desk.get(&site, "/profile?kept").await;
        assert_eq!(page.status, 200);
        assert!(!page.body.contains("+49 170 5"), "{}", page.body);
    }
    // Bob ends this session from another browser: he is not here either.
    let mut desk = signed_in(&site, "Acme", "bob").await;
    let mut phone = signed_in(&site, "Acme", "bob").await;
    phone
        .post(&site, "/profile/security/sessions/end-others", &[])
        .await;
    let planted = desk.post(&site, "/profile", &profile("+49 170 6")).await;
    assert_eq!(planted.location(), "/login?next=%2Fprofile");
    assert!(!desk.has("kept"));
}

#[tokio::test]
async fn what_was_typed_survives_an_end_that_comes_upon_somebody_at_work() {
    let site = Site::new().await;
    let mut bob = signed_in(&site, "Acme", "bob").await;
    site.service
        .operator()
        .end_sessions_of("Acme", Some("bob"))
        .await
        .unwrap();
    let sent = bob.post(&site, "/profile", &profile("+49 170 7")).await;
    assert_eq!(sent.location(), "/login?next=%2Fprofile%3Fkept");
    bob.post(&site, "/login", &CREDENTIALS).await;
    let page = bob.get(&site, "/profile?kept").await;
    assert!(page.body.contains("value=\"+49 170 7\""), "{}", page.body);
    // It is shown, and nothing was done with it.
    let page = bob.get(&site, "/profile").await;
    assert!(!page.body.contains("+49 170 7"), "{}", page.body);
}

#[tokio::test]
async fn the_page_says_when_the_session_ends_and_a_script_may_stay() {
    let site = Site::new().await;
    let mut bob = signed_in(&site, "Acme", "bob").await;
    let page = bob.get(&site, "/agent").await;
    for part in ["id=\"session-end\"", "data-left=\"1800\"", "signed out at 09:30"] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    let mut script = Browser::program();
    script.set_cookie("session", &bob.cookie("session").unwrap());
    site.clock.advance(28 * 60);
    for (fields, left) in [
        (&[][..], 120),
        (&[], 120),
        (&[("stay", "yes")], 1800),
        (&[], 1800),
    ] {
        let answer = script.post(&site, "/session", fields).await;
        let start = format!("{{\"left\":{left},\"idle\":true,\"sentence\":\"If you do nothing");
        assert!(answer.body.starts_with(&start), "{}", answer.body);
    }
    site.clock.advance(31 * 60);
    let answer = script.post(&site, "/session", &[("stay", "yes")]).await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (401, r#"{"code":"not_signed_in"}"#)
    );
}

#[tokio::test]
async fn from_the_fifth_wrong_password_on_everybody_reads_the_wait() {
    let site = Site::new().await;
    for account in ["bob", "nobody"] {
        let mut browser = Browser::program();
        let wrong = [
            ("company", "Acme"),
            ("account", account),
            ("password", "not this one"),
        ];
        for _ in 0..4 {
            let answer = browser.post(&site, "/login", &wrong).await;
            assert_eq!(answer.body, r#"{"code":"wrong_credentials"}"#, "{account}");
        }
        let answer = browser.post(&site, "/login", &wrong).await;
        let told = r#"{"code":"wrong_too_often","retry_after":30}"#;
        assert_eq!((answer.status, answer.body.as_str()), (401, told), "{account}");
        site.clock.advance(10);
        let answer = browser.post(&site, "/login", &wrong).await;
        assert!(
            answer.body.contains("\"retry_after\":20"),
            "{account}: {}",
            answer.body
        );
        // Other names begin anew, and say nothing of these.
        let other = [
            ("company", "Acme"),
            ("account", "clara"),
            ("password", "not this one"),
        ];
        let answer = browser.post(&site, "/login", &other).await;
        assert_eq!(answer.body, r#"{"code":"wrong_credentials"}"#, "{account}");
        site.clock.advance(3600);
    }
    let mut root = Browser::default();
    let wrong = [
        ("company", "Acme"),
        ("account", "root"),
        ("password", "not this one"),
    ];
    for _ in 0..5 {
        root.post(&site, "/login", &wrong).await;
    }
    let right = [("company", "Acme"), ("account", "root"), ("password", PASSWORD)];
    let page = root.post(&site, "/login", &right).await;
    assert!(page.body.contains("try again in 30 seconds"), "{}", page.body);
    assert!(
        page.body.contains("<title>Error: Sign in · Vestibule</title>"),
        "{}",
        page.body
    );
    site.clock.advance(31);
    assert_eq!(root.post(&site, "/login", &right).await.location(), "/admin");
    assert!(!root.has("tries"));
}

#[tokio::test]
async fn a_browser_without_cookies_is_told_so_and_gets_no_mail() {
    let site = Site::new().await;
    let mut browser = Browser::default();
    let page = browser.get(&site, "/login").await;
    assert!(page.body.contains("name=\"cookies\""), "{}", page.body);
    assert!(browser.has("probe"));
    browser.forget("probe");
    let typed = [
        ("company", "Acme"),
        ("account", "alice"),
        ("password", PASSWORD),
        ("cookies", "yes"),
    ];
    let refused = browser.post(&site, "/login", &typed).await;
    assert_eq!(refused.status, 400);
    assert!(
        refused.body.contains("accept cookies from this page"),
        "{}",
        refused.body
    );
    assert!(refused.body.contains("value=\"alice\""), "{}", refused.body);
    assert!(site.mails("alice@acme.test").await.is_empty());
    let sent = browser.post(&site, "/login", &typed).await;
    assert_eq!(sent.location(), "/login/code", "the page gave it another");
}
