//! Custom SMTP Server, as a browser without scripts sees it.

use crate::{
    company::{other_company, signed_in, version},
    site::{self, Browser, Site},
};

/// A server that nothing listens on.
fn fields<'a>(version: &'a str, host: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("version", version),
        ("way", "own"),
        ("host", host),
        ("port", "465"),
        ("security", "tls"),
        ("user", "mailer"),
        ("mail_password", "hunter2 and more"),
        ("sender", "no-reply@example.org"),
        ("reply_to", ""),
        ("fall_back", "yes"),
    ]
}

#[tokio::test]
async fn a_server_is_saved_shown_without_its_password_and_taken_away() {
    let site = Site::new().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    let page = root.get(&site, "/admin/mail").await;
    assert!(
        page.status == 200 && page.body.contains("<h1>Custom SMTP Server</h1>"),
        "{}",
        page.body
    );
    assert!(page.body.contains("value=\"installation\" checked") && !page.body.contains("Send test mail"));
    let saved = root
        .post(&site, "/admin/mail", &fields(&version(&page), "mail.example.org"))
        .await;
    assert_eq!((saved.status, saved.location()), (303, "/admin/mail?saved"));
    let page = root.get(&site, "/admin/mail?saved").await;
    for shown in [
        "value=\"own\" checked",
        "value=\"mail.example.org\"",
        "value=\"mailer\"",
        "value=\"no-reply@example.org\"",
        "name=\"fall_back\" value=\"yes\" checked",
        ">Send test mail</button>",
        "Sends an email to root@acme.test",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    assert!(!page.body.contains("hunter2"));
    let late = root
        .post(&site, "/admin/mail", &fields("1", "mail.example.net"))
        .await;
    assert_eq!(late.status, 409);
    assert!(
        late.body.contains("Saved value: mail.example.org"),
        "{}",
        late.body
    );
    let now = version(&page);
    let mut gone = fields(&now, "");
    gone[1].1 = "installation";
    assert_eq!(root.post(&site, "/admin/mail", &gone).await.status, 303);
    let page = root.get(&site, "/admin/mail").await;
    assert!(page.body.contains("value=\"installation\" checked"));
}

#[tokio::test]
async fn what_is_refused_comes_back_in_any_language_without_the_password() {
    let site = Site::new().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    let page = root.post(&site, "/admin/mail", &fields("0", "10.0.0.1")).await;
    assert_eq!(page.status, 422);
    assert!(
        page.body.contains("on Vestibule's internal network")
            && page.body.contains("href=\"#host\"")
            && page.body.contains("value=\"10.0.0.1\"")
            && !page.body.contains("hunter2"),
        "{}",
        page.body
    );
    let mut switch = fields("0", "mail.example.org");
    switch.extend([("shown_in", "ar"), ("return_to", "/admin/mail")]);
    let page = root.post(&site, "/language", &switch).await;
    assert!(
        page.status == 200
            && page.body.contains("<html lang=\"ar\" dir=\"rtl\"")
            && page.body.contains("value=\"mail.example.org\"")
            && !page.body.contains("hunter2"),
        "{}",
        page.body
    );
    site.clock.advance(vestibule_core::limits::STEP_UP_SECONDS + 1);
    let page = root
        .post(&site, "/admin/mail", &fields("0", "mail.example.org"))
        .await;
    assert_eq!(page.location(), "/profile/confirm?next=/admin/mail?kept&again");
    let proof = [("password", site::PASSWORD), ("next", "/admin/mail?kept")];
    root.post(&site, "/profile/confirm", &proof).await;
    let page = root.get(&site, "/admin/mail?kept").await;
    assert!(
        page.body.contains("value=\"mail.example.org\"") && !page.body.contains("hunter2"),
        "what was typed is still there, but for the password"
    );
    site.clock.advance(vestibule_core::limits::STEP_UP_SECONDS + 1);
    let page = root.get(&site, "/admin/mail").await;
    assert_eq!(page.location(), "/profile/confirm?next=/admin/mail&again");
}

#[tokio::test]
async fn a_test_mail_shows_what_became_of_it() {
    let site = Site::new().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    let none = root.post(&site, "/admin/mail/test", &[]).await;
    assert_eq!(none.status, 409);
    assert!(
        none.body.contains("doesn't have its own mail server yet"),
        "{}",
        none.body
    );
    // Reserved for examples: nobody answers there.
    root.post(&site, "/admin/mail", &fields("0", "mail.example.org"))
        .await;
    let sent = root.post(&site, "/admin/mail/test", &[]).await;
    assert_eq!((sent.status, sent.location()), (303, "/admin/mail/test"));
    let waiting = root.get(&site, "/admin/mail/test").await;
    assert!(
        waiting
            .body
            .contains("The test email to root@acme.test is on its way.")
            && waiting
                .body
                .contains("<meta http-equiv=\"refresh\" content=\"2\">"),
        "{}",
        waiting.body
    );
    let company = site.service.operator().company_named("Acme").await.unwrap().id;
    let mut writer = site.service.store().write().await.unwrap();
    let claimed = writer
        .claim_mails(
            vestibule_storage::MailLane::Company(company),
            site.now(),
            site.now(),
            9,
        )
        .await
        .unwrap();
    let said = "535 5.7.8 <b>Bad</b> login";
    writer
        .mail_given_up(claimed[0].id, site.now(), "rejected_535", Some(said))
        .await
        .unwrap();
    writer.commit().await.unwrap();
    let failed = root.get(&site, "/admin/mail/test").await;
    for part in [
        "The mail server rejected the test email",
        "The server doesn't accept the user and password.",
        "535 5.7.8 &lt;b&gt;Bad&lt;/b&gt; login",
    ] {
        assert!(failed.body.contains(part), "{part}: {}", failed.body);
    }
    assert!(!failed.body.contains("http-equiv=\"refresh\""));
    let overview = root.get(&site, "/admin").await;
    assert!(
        overview.body.contains("Emails waiting")
            && overview
                .body
                .contains("1 email couldn't be delivered in the last 24 hours.")
            && overview.body.contains("href=\"/admin/mail\""),
        "{}",
        overview.body
    );
}

#[tokio::test]
async fn a_server_that_offers_no_password_is_quoted_with_what_is_spoken_here() {
    let site = Site::new().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    root.post(&site, "/admin/mail", &fields("0", "mail.example.org"))
        .await;
    for (offered, sentence) in [
        (
            "XOAUTH2, CRAM-MD5",
            "supports only these sign-in methods: XOAUTH2, CRAM-MD5. Vestibule signs in with a user and password, using PLAIN \
             or LOGIN.",
        ),
        ("", "support signing in with a user and password"),
    ] {
        root.post(&site, "/admin/mail/test", &[]).await;
        let company = site.service.operator().company_named("Acme").await.unwrap().id;
        let lane = vestibule_storage::MailLane::Company(company);
        let mut writer = site.service.store().write().await.unwrap();
        let claimed = writer.claim_mails(lane, site.now(), site.now(), 9).await.unwrap();
        writer
            .mail_given_up(claimed[0].id, site.now(), "no_sign_in", Some(offered))
            .await
            .unwrap();
        writer.commit().await.unwrap();
        let page = root.get(&site, "/admin/mail/test").await;
        assert!(
            page.body.contains(sentence) && !page.body.contains("Enter the password again"),
            "{}",
            page.body
        );
        site.clock.advance(1);
    }
}

#[tokio::test]
async fn the_mail_server_is_for_admins_of_its_company() {
    let site = Site::new().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    root.post(&site, "/admin/mail", &fields("0", "mail.example.org"))
        .await;
    let mut boss = other_company(&site).await;
    let page = boss.get(&site, "/admin/mail").await;
    assert!(page.status == 200 && !page.body.contains("mail.example.org"));
    let mut bob = signed_in(&site, "Acme", "bob").await;
    for path in ["/admin/mail", "/admin/mail/test"] {
        assert_eq!(bob.get(&site, path).await.status, 403, "{path}");
        assert_eq!(bob.post(&site, path, &[]).await.status, 403, "{path}");
        let nobody = Browser::default().get(&site, path).await;
        assert!(nobody.location().starts_with("/login?next="), "{path}");
    }
}
