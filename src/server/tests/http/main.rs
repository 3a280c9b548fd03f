//! The whole router, as a program and as a browser without scripts meet it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod abuse;
mod access;
mod applications;
mod attacks;
mod company;
mod conformance;
mod console;
mod documents;
mod ended;
mod forward_auth;
mod import;
mod mail_server;
mod oauth;
mod offices;
mod profile;
mod recovery;
mod relying_party;
mod rust_client;
mod second_factor;
mod site;
mod sso;
mod sso_settings;
mod strangers;
mod waiting;

use site::{Browser, Site};

#[tokio::test]
async fn a_plain_form_signs_in_with_a_code_and_lands() {
    let site = Site::new().await;
    let mut browser = Browser::default();
    let page = browser.get(&site, "/login?company=Acme").await;
    assert_eq!(page.status, 200);
    assert!(
        page.body.contains("<form method=\"post\" action=\"/login\""),
        "{}",
        page.body
    );
    assert!(page.body.contains("value=\"Acme\""));

    let sent = browser
        .post(
            &site,
            "/login",
            &[
                ("company", "acme"),
                ("account", "alice"),
                ("password", site::PASSWORD),
            ],
        )
        .await;
    assert_eq!((sent.status, sent.location()), (303, "/login/code"));
    let page = browser.get(&site, "/login/code").await;
    assert!(page.body.contains("a***@a***.test") && page.body.contains("one-time-code"));
    let no_way = "Your administrator can issue a backup code for you.";
    assert!(page.body.contains(no_way), "{}", page.body);
    let code = site.code("alice").await;
    let sent = browser.post(&site, "/login/code", &[("code", &code)]).await;
    assert_eq!((sent.status, sent.location()), (303, "/agent"));
    assert!(browser.get(&site, "/agent").await.body.contains("Alice"));
    assert_eq!(
        browser.get(&site, "/login").await.location(),
        "/agent",
        "whoever is signed in is sent on"
    );
    assert_eq!(browser.get(&site, "/").await.location(), "/agent");
    assert_eq!(browser.get(&site, "/admin").await.status, 403);

    let out = browser.post(&site, "/logout", &[]).await;
    assert_eq!((out.status, out.location()), (303, "/login?signed_out"));
    assert_eq!(out.header("clear-site-data"), "\"storage\"");
    assert_eq!(
        browser.get(&site, "/agent").await.location(),
        "/login?next=%2Fagent"
    );
    let again = browser.get(&site, "/login").await;
    assert!(again.body.contains("value=\"Acme\""), "the company is remembered");
    assert!(!again.body.contains("alice"), "the account is not");
}

#[tokio::test]
async fn a_refused_plain_form_comes_back_with_its_reason_and_what_was_typed() {
    let site = Site::new().await;
    let mut browser = Browser::default();
    let typed = [
        ("company", "Acme"),
        ("account", "alice"),
        ("password", "not the password"),
        ("next", "/agent?tab=2"),
    ];
    let page = browser.post(&site, "/login", &typed).await;
    assert_eq!(page.status, 401);
    for kept in [
        "Company, account or password is incorrect",
        "value=\"Acme\"",
        "value=\"alice\"",
        "value=\"/agent?tab=2\"",
    ] {
        assert!(page.body.contains(kept), "{kept}");
    }
    assert!(!page.body.contains("not the password"));

    let page = browser
        .post(
            &site,
            "/login",
            &[("company", ""), ("account", "alice"), ("password", "")],
        )
        .await;
    assert_eq!(page.status, 422);
    assert!(page.body.contains("Enter your company.") && page.body.contains("Enter your password."));
    assert!(page.body.contains("value=\"alice\""));

    let hostile = "\"><script>alert(1)</script>";
    let page = browser
        .post(
            &site,
            "/login",
            &[("company", hostile), ("account", hostile), ("password", "x")],
        )
        .await;
    assert_eq!(page.status, 401);
    assert!(!page.body.contains("<script>alert"), "{}", page.body);
}

#[tokio::test]
async fn wrong_codes_warn_and_lock_without_scripts() {
    let site = Site::new().await;
    let mut browser = Browser::default();
    browser.past_password(&site, "alice").await;
    let wrong = site.wrong_code("alice").await;
    for (number, warning) in [
        (1, None),
        (2, None),
        (3, Some("You have 2 login attempts before your account is locked")),
        (4, Some("You have 1 login attempt before your account is locked")),
    ] {
        let page = browser.post(&site, "/login/code", &[("code", &wrong)]).await;
        assert_eq!(page.status, 401, "{number}");
        assert!(page.body.contains("The code is incorrect."));
        match warning {
            Some(warning) => assert!(page.body.contains(warning), "{number}"),
            None => assert!(
                !page.shown().contains("before your account is locked"),
                "{number}"
            ),
        }
    }
    let page = browser.post(&site, "/login/code", &[("code", &wrong)]).await;
    assert_eq!(page.status, 403);
    assert!(
        page.body
            .contains("Your account is locked. Contact your administrator to unlock it.")
    );
    assert!(
        !browser.has("pending"),
        "the cookie of the pending sign-in goes with it"
    );
    assert_eq!(browser.get(&site, "/login/code").await.location(), "/login");
    let page = browser
        .post(
            &site,
            "/login",
            &[
                ("company", "Acme"),
                ("account", "alice"),
                ("password", site::PASSWORD),
            ],
        )
        .await;
    assert_eq!(page.status, 403);
    assert!(
        page.body
            .contains("Your account is locked. Contact your administrator to unlock it.")
    );
}

#[tokio::test]
async fn resend_and_cancel_without_scripts() {
    let site = Site::new().await;
    let mut browser = Browser::default();
    browser.past_password(&site, "alice").await;
    let page = browser.post(&site, "/login/code/resend", &[]).await;
    assert_eq!((page.status, page.header("retry-after")), (429, "60"));
    assert!(
        page.body.contains("You can request a new code in 1 minute."),
        "{}",
        page.body
    );
    site.clock.advance(61);
    let sent = browser.post(&site, "/login/code/resend", &[]).await;
    assert_eq!((sent.status, sent.location()), (303, "/login/code?resent"));
    assert!(
        browser
            .get(&site, "/login/code?resent")
            .await
            .body
            .contains("We've sent a new code.")
    );

    let sent = browser.post(&site, "/login/code/cancel", &[]).await;
    assert_eq!((sent.status, sent.location()), (303, "/login"));
    assert!(!browser.has("pending"));
    assert_eq!(browser.get(&site, "/login/code").await.location(), "/login");
}

#[tokio::test]
async fn an_expired_sign_in_says_so() {
    let site = Site::new().await;
    let mut browser = Browser::default();
    browser.past_password(&site, "alice").await;
    site.clock.advance(601);
    let page = browser.post(&site, "/login/code", &[("code", "123456")]).await;
    assert_eq!(page.status, 410);
    assert!(page.body.contains("Your sign-in expired."));
    let mut other = Browser::default();
    other.past_password(&site, "alice").await;
    site.clock.advance(601);
    assert_eq!(other.get(&site, "/login/code").await.location(), "/login?ended");
    assert!(
        other
            .get(&site, "/login?ended")
            .await
            .body
            .contains("Your sign-in expired.")
    );
}

#[tokio::test]
async fn a_deep_link_is_kept_and_a_foreign_one_is_not() {
    let site = Site::new().await;
    for (next, landing) in [
        ("/agent?tab=2", "/agent?tab=2"),
        ("//evil.test", "/agent"),
        ("https://evil.test", "/agent"),
        ("/\\evil", "/agent"),
    ] {
        let mut browser = Browser::default();
        let typed = [
            ("company", "Acme"),
            ("account", "bob"),
            ("password", site::PASSWORD),
            ("next", next),
        ];
        assert_eq!(
            browser.post(&site, "/login", &typed).await.location(),
            landing,
            "{next}"
        );
    }
    let mut browser = Browser::default();
    let typed = [
        ("company", "Acme"),
        ("account", "root"),
        ("password", site::PASSWORD),
    ];
    assert_eq!(browser.post(&site, "/login", &typed).await.location(), "/admin");
    assert!(browser.get(&site, "/admin").await.body.contains("Admin console"));
}

#[tokio::test]
async fn programs_get_json_and_honest_statuses() {
    let site = Site::new().await;
    let mut browser = Browser::program();
    let answer = browser
        .post(
            &site,
            "/login",
            &[("company", "Acme"), ("account", "bob"), ("password", "wrong one")],
        )
        .await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (401, r#"{"code":"wrong_credentials"}"#)
    );
    let answer = browser
        .post(
            &site,
            "/login",
            &[
                ("company", "Acme"),
                ("account", "bob"),
                ("password", site::PASSWORD),
            ],
        )
        .await;
    assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"to":"/agent"}"#));
    assert!(browser.has("session"));
    let answer = Browser::program().post(&site, "/login/code/status", &[]).await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (410, r#"{"code":"sign_in_expired"}"#)
    );

    let mut browser = Browser::program();
    browser.past_password(&site, "alice").await;
    let answer = browser.post(&site, "/login/code/status", &[]).await;
    assert_eq!(answer.status, 200);
    assert!(
        answer.body.contains(r#""mailed_to":"a***@a***.test""#) && answer.body.contains(r#""resend_in":60"#),
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn the_language_follows_browser_then_account_then_accept_language() {
    let site = Site::new().await;
    let mut browser = Browser::default();
    browser.accept_language = "de-AT, en;q=0.5";
    let page = browser.get(&site, "/login").await;
    assert!(
        page.body.contains("<html lang=\"de\" dir=\"ltr\""),
        "{}",
        &page.body[..200]
    );
    let sent = browser
        .post(
            &site,
            "/language",
            &[("language", "ar"), ("return_to", "/login?company=Acme")],
        )
        .await;
    assert_eq!((sent.status, sent.location()), (303, "/login?company=Acme"));
    assert!(
        browser
            .get(&site, "/login")
            .await
            .body
            .contains("<html lang=\"ar\" dir=\"rtl\"")
    );
    for bad in ["xx", "../../etc/passwd", "en\r\nSet-Cookie: a=b", "<script>"] {
        let mut browser = Browser::default();
        let sent = browser
            .post(
                &site,
                "/language",
                &[("language", bad), ("return_to", "//evil.test")],
            )
            .await;
        assert_eq!((sent.status, sent.location()), (303, "/login"));
        assert!(!browser.has("language"));
    }

    let mut browser = Browser::default();
    browser.past_password(&site, "clara").await;
    assert!(
        browser
            .get(&site, "/login/code")
            .await
            .body
            .contains("<html lang=\"de\""),
        "the account's"
    );
    let code = site.code("clara").await;
    browser.post(&site, "/login/code", &[("code", &code)]).await;
    browser
        .post(&site, "/language", &[("language", "ar"), ("return_to", "/agent")])
        .await;
    let mut elsewhere = Browser::default();
    elsewhere.past_password(&site, "clara").await;
    assert!(
        elsewhere
            .get(&site, "/login/code")
            .await
            .body
            .contains("<html lang=\"ar\""),
        "stored with the account"
    );
}

#[tokio::test]
async fn a_trusted_browser_skips_the_code_until_its_cookie_is_cleared() {
    let site = Site::new().await;
    let mut browser = Browser::default();
    browser.past_password(&site, "alice").await;
    let code = site.code("alice").await;
    browser
        .post(&site, "/login/code", &[("code", &code), ("trust", "yes")])
        .await;
    browser.post(&site, "/logout", &[]).await;
    let form = [
        ("company", "Acme"),
        ("account", "alice"),
        ("password", site::PASSWORD),
    ];
    assert_eq!(browser.post(&site, "/login", &form).await.location(), "/agent");
    browser.post(&site, "/logout", &[]).await;
    browser.forget("trusted");
    assert_eq!(
        browser.post(&site, "/login", &form).await.location(),
        "/login/code"
    );
}

#[tokio::test]
async fn every_page_exists_and_says_what_it_is() {
    let site = Site::new().await;
    let mut browser = Browser::default();
    for (path, status, text) in [
        ("/terms", 200, "Terms of Service"),
        ("/privacy", 200, "Privacy Policy"),
        ("/mailbox", 200, "Local mailbox"),
        ("/nowhere", 404, "Page not found"),
        ("/assets/nothing.css", 404, "Page not found"),
        ("/.git/config", 404, "Page not found"),
    ] {
        let page = browser.get(&site, path).await;
        assert_eq!(page.status, status, "{path}");
        assert!(page.body.contains(text), "{path}: {}", page.body);
    }
    assert_eq!(browser.get(&site, "/healthz").await.body, "ok");
    let ready = browser.get(&site, "/readyz").await;
    assert_eq!(
        (ready.status, ready.body.as_str()),
        (
            200,
            r#"{"database":"ok","migrations":"ok","mail":"ok","writes":"ok","keys":"ok","clock":"ok"}"#
        )
    );
}

#[tokio::test]
async fn the_outbox_is_counted_for_the_operator_at_an_address_of_its_own() {
    use tower::ServiceExt as _;
    let site = Site::new().await;
    Browser::default().past_password(&site, "alice").await;
    site.clock.advance(90);
    let metrics = vestibule_server::http::metrics::router(site.service.clone(), site.worker.counters());
    let ask = async || {
        let request = axum::http::Request::get("/metrics").body(axum::body::Body::empty());
        let answer = metrics.clone().oneshot(request.unwrap()).await.unwrap();
        let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    };
    let text = ask().await;
    for line in [
        "vestibule_mails_waiting 1\n",
        "vestibule_mail_oldest_seconds 90\n",
        "vestibule_mails_taken_total 0\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!text.contains("acme") && text.ends_with("# EOF\n"), "{text}");
    site.code("alice").await;
    let text = ask().await;
    assert!(
        text.contains("vestibule_mails_waiting 0\n") && text.contains("vestibule_mails_taken_total 1\n"),
        "{text}"
    );
    assert!(
        !text.contains("clock_offset"),
        "nobody has asked the database yet"
    );
    let machine: std::sync::Arc<dyn vestibule_core::ports::Clock> = site.clock.clone();
    site.service.upkeep().probe(&machine).await.unwrap();
    let text = ask().await;
    let offset = text
        .lines()
        .find_map(|line| line.strip_prefix("vestibule_clock_offset_seconds "));
    let offset: f64 = offset.unwrap().parse().unwrap();
    assert!(
        offset < -300.0,
        "the clock of the test stands in the past: {offset}"
    );
    let page = Browser::default().get(&site, "/metrics").await;
    assert_eq!(page.status, 404);
}

#[tokio::test]
async fn alert_rules_and_dashboard_ask_for_numbers_that_are_there() {
    use tower::ServiceExt as _;

    let site = Site::new().await;
    let metrics = vestibule_server::http::metrics::router(site.service.clone(), site.worker.counters());
    // What is measured only once something happened.
    Browser::default().get(&site, "/login").await;
    let machine: std::sync::Arc<dyn vestibule_core::ports::Clock> = site.clock.clone();
    site.service.upkeep().probe(&machine).await.unwrap();
    let request = axum::http::Request::get("/metrics").body(axum::body::Body::empty());
    let answer = metrics.oneshot(request.unwrap()).await.unwrap();
    let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    for line in [
        "vestibule_build_info{version=\"",
        "vestibule_http_answer_seconds_count{route=\"/login\",method=\"GET\",status=\"200\"}",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let mut asked = 0;
    for file in [
        include_str!("../../monitoring/alerts.yml"),
        include_str!("../../monitoring/dashboard.json"),
    ] {
        let words = file.split(|character: char| !(character.is_ascii_lowercase() || character == '_'));
        for name in words.filter(|word| word.starts_with("vestibule_")) {
            asked += 1;
            let has = |ending: &str| text.contains(&format!("\n{name}{ending}"));
            assert!(has(" ") || has("{"), "{name} is not among the numbers: {text}");
        }
    }
    assert!(asked > 30, "{asked}");
}

#[tokio::test]
async fn the_local_mailbox_is_for_visitors_of_this_machine() {
    let site = Site::new().await;
    let mut browser = Browser::default();
    browser.past_password(&site, "alice").await;
    let code = site.code("alice").await;
    let list = browser.get(&site, "/mailbox").await;
    assert!(list.body.contains("alice@acme.test") && list.body.contains(&code));
    let href = list
        .body
        .split("href=\"/mailbox/")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    assert!(
        browser
            .get(&site, &format!("/mailbox/{href}"))
            .await
            .body
            .contains("<iframe")
    );
    let html = browser.get(&site, &format!("/mailbox/{href}/html")).await;
    assert!(html.body.contains(&code) && html.header("content-security-policy").contains("sandbox"));
    browser.address = "192.0.2.1";
    assert_eq!(browser.get(&site, "/mailbox").await.status, 404);
    assert_eq!(browser.get(&site, &format!("/mailbox/{href}")).await.status, 404);
}

#[tokio::test]
async fn a_slash_at_the_end_leads_to_the_address_without_it_and_never_elsewhere() {
    let site = Site::new().await;
    let mut browser = Browser::default();
    for (asked, location) in [
        ("/login/", "/login"),
        ("/admin/", "/admin"),
        ("/login//", "/login"),
        ("/login/?company=Acme%20Ltd&x=/", "/login?company=Acme%20Ltd&x=/"),
        ("/admin/agents/?page=2", "/admin/agents?page=2"),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = browser.send(&site, method, asked, None).await;
            assert_eq!(
                (answer.status, answer.location()),
                (308, location),
                "{method} {asked}"
            );
        }
    }
    for asked in [
        "/nowhere/",
        "/assets/",
        "//evil.test/",
        "///evil.test//",
        "//evil.test/login/",
        "/%2Fevil.test/",
        "/%5Cevil.test/",
    ] {
        let answer = browser.get(&site, asked).await;
        assert_eq!(answer.status, 404, "{asked}");
        assert!(!answer.has_header("location"), "{asked}: {}", answer.location());
    }
    let posted = browser.post(&site, "/login/", &[("company", "Acme")]).await;
    assert_eq!(posted.status, 404, "what is sent is not sent again elsewhere");
}
