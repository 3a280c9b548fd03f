//! Requests that no page of ours sends.

use std::collections::BTreeSet;

use vestibule_core::sso::Provider;

use crate::site::{self, Browser, Site};

const FORM: &str = "application/x-www-form-urlencoded";

/// Every server function with fields that it would accept.
pub const FUNCTIONS: [(&str, &[(&str, &str)]); 77] = [
    (
        "/login",
        &[
            ("company", "Acme"),
            ("account", "bob"),
            ("password", site::PASSWORD),
        ],
    ),
    ("/login/code", &[("code", "123456")]),
    ("/login/code/resend", &[]),
    ("/login/code/cancel", &[]),
    ("/login/code/status", &[]),
    ("/login/code/method", &[]),
    ("/logout", &[]),
    ("/session", &[("stay", "yes")]),
    ("/language", &[("language", "de"), ("return_to", "/login")]),
    (
        "/profile",
        &[
            ("first_name", "Bob"),
            ("last_name", ""),
            ("alias", ""),
            ("phone", ""),
            ("title", ""),
            ("time_format", "24"),
            ("language", ""),
        ],
    ),
    (
        "/profile/password",
        &[
            ("old_password", site::PASSWORD),
            ("new_password", "amber lantern orchard"),
            ("confirm_password", "amber lantern orchard"),
        ],
    ),
    (
        "/profile/password/check",
        &[("new_password", "amber lantern orchard")],
    ),
    (
        "/profile/confirm",
        &[("password", site::PASSWORD), ("next", "/profile")],
    ),
    ("/profile/security/email", &[]),
    (
        "/profile/security/email/code",
        &[("set_up", SOMETHING), ("code", "123456")],
    ),
    ("/profile/security/email/resend", &[]),
    ("/profile/security/email/off", &[]),
    ("/profile/security/app", &[]),
    (
        "/profile/security/app/code",
        &[("set_up", SOMETHING), ("code", "123456")],
    ),
    ("/profile/security/app/off", &[]),
    ("/profile/security/backup-codes", &[]),
    (
        "/profile/security/backup-codes/new",
        &[("next", "/profile/security")],
    ),
    ("/profile/security/trusted/remove", &[("id", SOMETHING)]),
    ("/profile/security/trusted/remove-all", &[]),
    ("/profile/security/sessions/end", &[("id", SOMETHING)]),
    ("/profile/security/sessions/end-others", &[]),
    ("/admin/applications", &[("version", "1"), ("after_sign_in", "")]),
    (
        "/admin/applications/new",
        &[
            ("name", "Agent Desktop"),
            ("kind", "web"),
            ("launch_uri", "https://desktop.acme.test/"),
            ("redirect_uris", "https://desktop.acme.test/callback"),
            ("logout_uris", ""),
            ("back_channel_uri", ""),
            ("roles[]", "agent"),
            ("signing", "ES256"),
        ],
    ),
    (
        "/admin/applications/edit",
        &[
            ("id", SOMETHING),
            ("version", "1"),
            ("name", "Agent Desktop"),
            ("kind", "web"),
            ("launch_uri", "https://desktop.acme.test/"),
            ("redirect_uris", "https://desktop.acme.test/callback"),
            ("logout_uris", ""),
            ("back_channel_uri", ""),
            ("roles[]", "agent"),
            ("signing", "ES256"),
        ],
    ),
    ("/admin/applications/secret", &[("id", SOMETHING)]),
    ("/admin/applications/delete", &[("id", SOMETHING)]),
    (
        "/admin/agents/new",
        &[
            ("account", "xenia"),
            ("email", "x@acme.test"),
            ("first_name", "Xenia"),
            ("last_name", ""),
            ("alias", ""),
            ("phone", ""),
            ("title", ""),
            ("time_format", "24"),
            ("language", ""),
            ("roles[]", "agent"),
            ("active", "on"),
        ],
    ),
    (
        "/admin/agents/edit",
        &[
            ("id", SOMETHING),
            ("version", "1"),
            ("email", "x@acme.test"),
            ("first_name", "Xenia"),
            ("last_name", ""),
            ("alias", ""),
            ("phone", ""),
            ("title", ""),
            ("time_format", "24"),
            ("language", ""),
            ("roles[]", "agent"),
            ("active", "on"),
        ],
    ),
    (
        "/admin/agents/delete",
        &[("id", SOMETHING), ("confirm_name", "bob")],
    ),
    (
        "/admin/agents/password",
        &[
            ("id", SOMETHING),
            ("new_password", "amber lantern orchard"),
            ("confirm_password", "amber lantern orchard"),
        ],
    ),
    ("/admin/agents/reset-link", &[("id", SOMETHING)]),
    ("/admin/agents/send-details", &[("id", SOMETHING)]),
    ("/admin/agents/backup-code", &[("id", SOMETHING), ("reason", "x")]),
    ("/admin/agents/issued-code", &[("id", SOMETHING)]),
    ("/admin/agents/unlock", &[("id", SOMETHING)]),
    ("/admin/agents/end-sessions", &[("id", SOMETHING)]),
    ("/admin/agents/email/resend", &[("id", SOMETHING)]),
    ("/admin/agents/email/cancel", &[("id", SOMETHING)]),
    (
        "/admin/agents/activate",
        &[("selected[]", SOMETHING), ("back", "")],
    ),
    (
        "/admin/agents/deactivate/ask",
        &[("selected[]", SOMETHING), ("back", "")],
    ),
    ("/admin/agents/deactivate/undo", &[("back", "")]),
    ("/admin/sessions/end", &[("selected[]", SOMETHING)]),
    ("/admin/agents/switch-off", &[("id", SOMETHING)]),
    (
        "/admin/agents/columns",
        &[("columns[]", "email"), ("rows", "25"), ("back", "")],
    ),
    (
        "/admin/agents/deactivate",
        &[("selected[]", SOMETHING), ("back", "")],
    ),
    (
        "/admin/agents/unlock-selected",
        &[("selected[]", SOMETHING), ("back", "")],
    ),
    ("/admin/agents/import/start", &[("id", SOMETHING)]),
    (
        "/admin/company",
        &[
            ("version", "1"),
            ("language", "de"),
            ("time_zone", "UTC"),
            ("new_agent_mail", "activation_link"),
        ],
    ),
    (
        "/admin/security",
        &[
            ("version", "1"),
            ("two_factor_days", "90"),
            ("require_second_factor", "off"),
            ("log_out", "never"),
            ("idle_minutes", ""),
            ("password_min", "8"),
        ],
    ),
    (
        "/admin/security/offices",
        &[("office_name", "Berlin"), ("office_range", "192.0.2.0/28")],
    ),
    ("/admin/security/offices/remove", &[("network", "192.0.2.0/28")]),
    (
        "/admin/mail",
        &[
            ("version", "0"),
            ("way", "installation"),
            ("host", ""),
            ("port", "465"),
            ("user", ""),
            ("mail_password", ""),
            ("sender", ""),
            ("reply_to", ""),
        ],
    ),
    (
        "/admin/mail/try",
        &[
            ("version", "0"),
            ("way", "own"),
            ("host", ""),
            ("port", "465"),
            ("user", ""),
            ("mail_password", ""),
            ("sender", ""),
            ("reply_to", ""),
        ],
    ),
    ("/admin/mail/test", &[]),
    (
        "/forgot-password",
        &[("company", "Acme"), ("email", "bob@acme.test")],
    ),
    ("/profile/email", &[("email", "new@acme.test")]),
    ("/profile/email/resend", &[]),
    ("/profile/email/cancel", &[]),
    (
        "/choose-password",
        &[
            ("new_password", "amber lantern orchard"),
            ("confirm_password", "amber lantern orchard"),
        ],
    ),
    (
        "/choose-password/check",
        &[("new_password", "amber lantern orchard")],
    ),
    (
        "/login/bind",
        &[
            ("company", "Acme"),
            ("account", "bob"),
            ("password", site::PASSWORD),
        ],
    ),
    ("/login/bind/company", &[("id", SOMETHING)]),
    ("/login/bind/cancel", &[]),
    (
        "/admin/sso",
        &[
            ("google_version", "0"),
            ("google_client_id", ""),
            ("google_client_secret", ""),
            ("office365_version", "0"),
            ("office365_client_id", ""),
            ("office365_client_secret", ""),
            ("office365_tenants", ""),
        ],
    ),
    (
        "/admin/sso/test",
        &[
            ("google_version", "0"),
            ("google_client_id", ""),
            ("google_client_secret", ""),
            ("office365_version", "0"),
            ("office365_client_id", ""),
            ("office365_client_secret", ""),
            ("office365_tenants", ""),
            ("provider", "google"),
        ],
    ),
    ("/admin/agents/remove-password", &[("id", SOMETHING)]),
    (
        "/admin/agents/disconnect",
        &[("id", SOMETHING), ("provider", "google")],
    ),
    ("/profile/security/sso/disconnect", &[("provider", "google")]),
    ("/confirm-email", &[]),
    ("/oauth/choose", &[("asked", "x"), ("how", "go_on")]),
    ("/oauth/logout/confirm", &[("asked", "state=x")]),
    ("/stop-email-change", &[]),
];

/// An identifier that belongs to nothing.
const SOMETHING: &str = "01941f29-7c00-7000-8000-000000000000";

#[test]
fn every_form_is_known_here() {
    let routes = vestibule_server::pages::routes();
    let ways_out = Provider::ALL.map(|provider| {
        [
            provider.start_path(),
            provider.connect_path(),
            provider.confirm_path(),
        ]
    });
    let others = [&ways_out.concat()[..], &["/admin/agents/import"]].concat();
    let forms: BTreeSet<_> = routes
        .access()
        .iter()
        .filter(|access| access.method == "POST" && !access.open && !others.contains(&access.path))
        .map(|access| access.path)
        .collect();
    let known: BTreeSet<_> = FUNCTIONS.iter().map(|(path, _)| *path).collect();
    assert_eq!(forms, known, "a new form needs a place in these tests");
}

#[tokio::test]
async fn a_form_from_another_site_changes_nothing() {
    let site = Site::new().await;
    for (path, fields) in FUNCTIONS {
        for (name, value) in [
            ("origin", "https://evil.test"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", "none"),
        ] {
            let mut browser = Browser::default();
            browser.without_origin();
            browser.extra.push((name, value.to_owned()));
            let answer = browser.post(&site, path, fields).await;
            assert_eq!(answer.status, 403, "{path} {name}: {value}");
            assert!(answer.set_cookies().is_empty(), "{path}");
            assert_eq!(answer.header("location"), "");
        }
        let mut bare = Browser::program();
        bare.without_origin();
        assert_eq!(
            bare.post(&site, path, fields).await.status,
            403,
            "{path} without any origin"
        );
    }
}

#[tokio::test]
async fn reading_methods_and_odd_methods_do_nothing() {
    let site = Site::new().await;
    for (path, fields) in FUNCTIONS {
        let query: Vec<_> = fields
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut browser = Browser::default();
        let answer = browser
            .send(
                &site,
                "GET",
                &format!("{path}?{}", query.join("&").replace(' ', "+")),
                None,
            )
            .await;
        assert!(
            answer
                .set_cookies()
                .iter()
                .all(|cookie| !cookie.starts_with("session=")),
            "{path}"
        );
        for method in ["PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "CONNECT"] {
            let answer = browser.send(&site, method, path, None).await;
            assert_eq!(answer.status, 405, "{method} {path}");
            assert!(!answer.has_header("access-control-allow-origin"));
        }
    }
    for path in [
        "/login/code/resend",
        "/login/code/cancel",
        "/login/code/status",
        "/login/code/method",
        "/logout",
        "/language",
        "/profile/password/check",
    ] {
        assert_eq!(Browser::default().get(&site, path).await.status, 405, "{path}");
    }
    // A refused form leaves its address in the browser: opened anew, it leads to its page.
    for (path, page) in [
        ("/profile/password", "/profile"),
        ("/profile/security/email/code", "/profile/security/email"),
        ("/profile/security/email/resend", "/profile/security/email"),
        ("/profile/security/email/off", "/profile/security"),
        ("/profile/security/app/off", "/profile/security"),
        ("/profile/security/trusted/remove", "/profile/security"),
        ("/profile/security/trusted/remove-all", "/profile/security"),
        ("/profile/security/sessions/end", "/profile/security"),
        ("/profile/security/sessions/end-others", "/profile/security"),
    ] {
        let answer = Browser::default().get(&site, path).await;
        assert_eq!((answer.status, answer.location()), (303, page), "{path}");
    }
}

/// Address, content type, body and the status it deserves.
fn unreadable() -> Vec<(&'static str, &'static str, Vec<u8>, u16)> {
    let long = format!("company=Acme&account=bob&password={}", "x".repeat(10_000));
    vec![
        ("/login", FORM, b"".to_vec(), 400),
        ("/login", FORM, b"company=Acme".to_vec(), 400),
        (
            "/login",
            FORM,
            b"company=Acme&company=Beta&account=bob&password=x".to_vec(),
            400,
        ),
        (
            "/login",
            FORM,
            b"company=Acme&account=bob&password=x&role=admin".to_vec(),
            400,
        ),
        (
            "/login",
            FORM,
            b"company=%00&account=bob&password=x".to_vec(),
            400,
        ),
        (
            "/login",
            FORM,
            b"company=%ff%fe&account=bob&password=x".to_vec(),
            400,
        ),
        (
            "/login",
            FORM,
            b"company=\xff&account=bob&password=x".to_vec(),
            400,
        ),
        (
            "/login",
            FORM,
            b"company=%zz&account=bob&password=x".to_vec(),
            400,
        ),
        (
            "/login",
            FORM,
            b"company[]=Acme&account=bob&password=x".to_vec(),
            400,
        ),
        (
            "/login",
            "application/json",
            br#"{"company":"Acme","account":"bob","password":"x"}"#.to_vec(),
            415,
        ),
        (
            "/login",
            "text/plain",
            b"company=Acme&account=bob&password=x".to_vec(),
            415,
        ),
        ("/login", "", b"company=Acme&account=bob&password=x".to_vec(), 415),
        ("/login", FORM, long.into_bytes(), 422),
        ("/login", FORM, vec![b'a'; 65 * 1024], 413),
        (
            "/login?company=Beta",
            FORM,
            b"company=Acme&account=bob&password=x".to_vec(),
            400,
        ),
        ("/login/code", FORM, b"code=1&code=2".to_vec(), 400),
        ("/login/code", FORM, b"code[]=123456".to_vec(), 400),
        ("/login/code", FORM, b"".to_vec(), 400),
        ("/login/code", FORM, b"code=null".to_vec(), 422),
        ("/login/code", FORM, b"code=%5B%22123456%22%5D".to_vec(), 422),
        ("/login/code", FORM, "code=①②③④⑤⑥".as_bytes().to_vec(), 422),
    ]
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_and_never_a_fault() {
    let site = Site::new().await;
    let cases = unreadable();
    for accept in ["text/html", "application/json"] {
        let mut browser = if accept == "text/html" {
            Browser::default()
        } else {
            Browser::program()
        };
        browser.past_password(&site, "alice").await;
        site.code("alice").await;
        for (path, kind, body, status) in &cases {
            browser.content_type = (*kind).to_owned();
            let answer = browser.send(&site, "POST", path, Some(body.clone())).await;
            assert_eq!(
                answer.status,
                *status,
                "{path} {kind} {:?}",
                String::from_utf8_lossy(&body[..body.len().min(60)])
            );
            assert!(!browser.has("session"));
        }
        // Cancelled, so that the second round is not short of code mails.
        browser.content_type = FORM.to_owned();
        browser.post(&site, "/login/code/cancel", &[]).await;
        site.clock.advance(700);
    }
    let account = site
        .service
        .operator()
        .account_named("Acme", "alice")
        .await
        .unwrap()
        .1;
    assert_eq!(account.wrong_codes, 0, "nothing unreadable counts");
}

/// Nobody but somebody who is signed in gets past the sign-in page, whatever is asked and however.
#[tokio::test]
async fn without_a_session_the_own_account_is_closed() {
    let site = Site::new().await;
    let pages = [
        "/profile",
        "/profile/confirm",
        "/profile/security",
        "/profile/security/set-up",
        "/profile/security/email",
        "/profile/security/app",
        "/profile/security/app/code",
        "/profile/security/backup-codes",
        "/profile/security/backup-codes/new",
    ];
    for pending in [false, true] {
        let mut browser = Browser::default();
        if pending {
            browser.past_password(&site, "alice").await;
        }
        for path in pages {
            let answer = browser.get(&site, path).await;
            assert_eq!(answer.status, 303, "{path}");
            assert!(answer.location().starts_with("/login?next="), "{path}");
        }
        for (path, fields) in FUNCTIONS
            .into_iter()
            .filter(|(path, _)| path.starts_with("/profile"))
        {
            let answer = browser.post(&site, path, fields).await;
            assert!(
                answer.location().starts_with("/login?next=") || answer.status == 401,
                "{path}: {}",
                answer.status
            );
            assert!(
                answer
                    .set_cookies()
                    .iter()
                    .all(|cookie| !cookie.starts_with("session=")),
                "{path}"
            );
            let mut program = Browser::program();
            assert_eq!(program.post(&site, path, fields).await.status, 401, "{path}");
        }
    }
}

#[tokio::test]
async fn a_pending_sign_in_opens_nothing_else() {
    let site = Site::new().await;
    let mut browser = Browser::default();
    browser.past_password(&site, "root2").await;
    for path in ["/agent", "/admin"] {
        assert!(
            browser
                .get(&site, path)
                .await
                .location()
                .starts_with("/login?next="),
            "{path}"
        );
    }
    let pending = browser.cookie("pending").unwrap();
    let mut renamed = Browser::default();
    renamed.set_cookie("session", &pending);
    assert!(
        renamed
            .get(&site, "/admin")
            .await
            .location()
            .starts_with("/login?next=")
    );
    for bad in [
        "",
        "x",
        "../x",
        "0",
        &"A".repeat(43),
        &"A".repeat(8000),
        "\"quoted\"",
    ] {
        let mut browser = Browser::default();
        for name in ["session", "pending", "trusted", "browser", "language", "company"] {
            browser.set_cookie(name, bad);
        }
        assert!(
            browser
                .get(&site, "/agent")
                .await
                .location()
                .starts_with("/login"),
            "{bad:.20}"
        );
        assert!(
            browser
                .get(&site, "/login/code")
                .await
                .location()
                .starts_with("/login"),
            "{bad:.20}"
        );
        assert_eq!(browser.get(&site, "/login").await.status, 200, "{bad:.20}");
    }
}

#[tokio::test]
async fn every_answer_carries_its_headers_and_no_secret() {
    let site = Site::new().await;
    let mut browser = Browser::default();
    let mut answers = vec![
        browser.get(&site, "/login").await,
        browser.get(&site, "/nowhere").await,
    ];
    answers.push(
        browser
            .post(
                &site,
                "/login",
                &[("company", "Acme"), ("account", "alice"), ("password", "wrong")],
            )
            .await,
    );
    answers.push(browser.past_password(&site, "alice").await);
    answers.push(browser.get(&site, "/login/code").await);
    let code = site.code("alice").await;
    answers.push(browser.get(&site, "/login/code").await);
    answers.push(browser.post(&site, "/login/code", &[("code", &code)]).await);
    answers.push(browser.get(&site, "/agent").await);
    let nonces: BTreeSet<_> = answers
        .iter()
        .map(|answer| {
            answer
                .header("content-security-policy")
                .split("'nonce-")
                .nth(1)
                .unwrap()
                .split('\'')
                .next()
                .unwrap()
        })
        .collect();
    assert_eq!(nonces.len(), answers.len(), "every answer has a nonce of its own");
    for answer in &answers {
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        assert!(
            answer
                .header("content-security-policy")
                .contains("frame-ancestors 'none'")
        );
        assert!(!answer.has_header("server"));
        assert!(!answer.body.contains(&code), "the code leaves by mail only");
        assert!(!answer.body.contains(site::PASSWORD));
        for cookie in answer.set_cookies() {
            assert!(
                cookie.contains("HttpOnly") && cookie.contains("Path=/") && cookie.contains("SameSite="),
                "{cookie}"
            );
            assert!(!cookie.contains("Domain"));
        }
    }
}

#[tokio::test]
async fn too_many_wrong_passwords_from_one_address_have_to_wait() {
    let site = Site::new().await;
    let mut browser = Browser::default();
    browser.address = "198.51.100.7";
    for n in 0..10 {
        let account = format!("nobody{n}");
        let typed = [
            ("company", "Acme"),
            ("account", account.as_str()),
            ("password", "wrong"),
        ];
        assert_eq!(browser.post(&site, "/login", &typed).await.status, 401);
    }
    let typed = [
        ("company", "Acme"),
        ("account", "bob"),
        ("password", site::PASSWORD),
    ];
    let answer = browser.post(&site, "/login", &typed).await;
    assert_eq!(answer.status, 429);
    assert!(answer.has_header("retry-after"));
    for (name, value) in [
        ("x-forwarded-for", "203.0.113.1"),
        ("forwarded", "for=203.0.113.1"),
        ("x-real-ip", "203.0.113.1"),
    ] {
        browser.extra = vec![(name, value.to_owned())];
        assert_eq!(
            browser.post(&site, "/login", &typed).await.status,
            429,
            "{name} is not believed"
        );
    }
    browser.extra.clear();
    browser.address = "198.51.100.8";
    assert_eq!(
        browser.post(&site, "/login", &typed).await.status,
        303,
        "other addresses are not affected"
    );
}
