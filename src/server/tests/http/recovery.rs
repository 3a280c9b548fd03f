//! Forgotten passwords and another e-mail address, without scripts.

use vestibule_core::account::Role;

use crate::{
    company::{account, signed_in},
    site::{Answer, Browser, Site},
};

async fn ask(site: &Site, browser: &mut Browser, company: &str, email: &str) -> Answer {
    let fields = [("company", company), ("email", email)];
    browser.post(site, "/forgot-password", &fields).await
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_and_nobody_is_told_who_exists() {
    let site = Site::new().await;
    let mut browser = Browser::default();
    let page = browser.get(&site, "/login?company=Acme%20%26%20Sons").await;
    let way = "/forgot-password?company=Acme+%26+Sons";
    assert!(
        page.body
            .contains(&format!("href=\"{way}\"").replace('&', "&amp;"))
            || page.body.contains(way)
    );
    let page = browser.get(&site, way).await;
    assert!(
        page.status == 200 && page.body.contains("value=\"Acme &amp; Sons\""),
        "{}",
        page.body
    );
    let mut answers = Vec::new();
    for (company, email) in [
        ("Acme", "bob@acme.test"),
        ("Acme", "nobody@acme.test"),
        ("Nowhere", "bob@acme.test"),
    ] {
        let sent = ask(&site, &mut browser, company, email).await;
        assert_eq!((sent.status, sent.location()), (303, "/forgot-password?sent"));
        answers.push(browser.get(&site, sent.location()).await.body.len());
    }
    assert!(answers.iter().all(|length| *length == answers[0]), "{answers:?}");
    let page = browser.get(&site, "/forgot-password?sent").await;
    assert!(page.body.contains("we've sent it a link"), "{}", page.body);

    site.service.recovery().answer_reset_requests().await.unwrap();
    let link = site.link("bob@acme.test", "/reset-password/").await;
    let opened = browser.get(&site, &link).await;
    assert_eq!((opened.status, opened.location()), (303, "/choose-password"));
    let new = [
        ("new_password", "amber lantern orchard"),
        ("confirm_password", "amber lantern orchard"),
    ];
    let done = browser.post(&site, "/choose-password", &new).await;
    assert_eq!(
        (done.status, done.location()),
        (303, "/login?company=Acme&account=bob&password_changed")
    );
    assert!(!browser.has("session"));
}

#[tokio::test]
async fn a_refused_request_comes_back_in_any_language_with_what_was_typed() {
    let site = Site::new().await;
    let mut browser = Browser::default();
    let page = ask(&site, &mut browser, "Acme", "bob@acme.test,eve@evil.test").await;
    assert_eq!(page.status, 422);
    for kept in [
        "value=\"Acme\"",
        "value=\"bob@acme.test,eve@evil.test\"",
        "Enter a valid email address, such as name@example.com.",
    ] {
        assert!(page.body.contains(kept), "{kept}: {}", page.body);
    }
    // The language switch sends the form along: what was typed since comes back, with what was wrong with the text that was
    // refused, and nothing that the browser says was wrong.
    let refused_text = "company=Acme&amp;email=bob%40acme.test%2Ceve%40evil.test";
    assert!(page.body.contains(refused_text), "{}", page.body);
    let fields = [
        ("shown_in", "de"),
        ("return_to", "/forgot-password"),
        ("company", "Acme"),
        ("email", "bob@acme.test"),
        ("refused_text", &refused_text.replace("&amp;", "&")),
    ];
    let german = browser.post(&site, "/language", &fields).await;
    assert_eq!(german.status, 422);
    for kept in [
        "<html lang=\"de\"",
        "keine gültige E-Mail-Adresse",
        "value=\"Acme\"",
        "value=\"bob@acme.test\"",
        refused_text,
    ] {
        assert!(german.body.contains(kept), "{kept}: {}", german.body);
    }
    let forged = [
        ("shown_in", "de"),
        ("return_to", "/forgot-password"),
        ("refused", r#"{"code":"account_locked"}"#),
    ];
    assert_eq!(browser.post(&site, "/language", &forged).await.status, 400);
    // Several values, a list or a foreign field are no form of ours.
    let twice = [
        ("company", "Acme"),
        ("email", "a@acme.test"),
        ("email", "b@acme.test"),
    ];
    assert_eq!(browser.post(&site, "/forgot-password", &twice).await.status, 400);
    let list = [("company", "Acme"), ("email[]", "a@acme.test")];
    assert_eq!(browser.post(&site, "/forgot-password", &list).await.status, 400);
}

#[tokio::test]
async fn a_link_to_a_new_password_begins_with_our_address_whatever_the_request_says() {
    let site = Site::new().await;
    let mut browser = Browser::default();
    for name in ["x-forwarded-host", "x-original-url", "forwarded"] {
        browser.extra.push((name, "evil.test".to_owned()));
    }
    let sent = ask(&site, &mut browser, "Acme", "bob@acme.test").await;
    assert_eq!(sent.status, 303);
    site.service.recovery().answer_reset_requests().await.unwrap();
    let texts = site.mails("bob@acme.test").await;
    assert!(
        texts[0].contains("/reset-password/") && !texts[0].contains("evil.test"),
        "{}",
        texts[0]
    );
}

#[tokio::test]
async fn an_agent_changes_the_own_address() {
    let site = Site::new().await;
    account(&site, "Acme", "carl", Role::Agent).await;
    let mut carl = signed_in(&site, "Acme", "carl").await;
    let refused = carl.post(&site, "/profile/email", &[("email", "carl")]).await;
    assert!(
        refused.status == 422
            && refused.body.contains("value=\"carl\"")
            && refused
                .body
                .contains("Enter a valid email address, such as name@example.com."),
        "{}",
        refused.body
    );
    let sent = carl
        .post(&site, "/profile/email", &[("email", "charles@new.test")])
        .await;
    assert_eq!((sent.status, sent.location()), (303, "/profile?email_sent"));
    let page = carl.get(&site, "/profile?email_sent").await;
    assert!(
        page.body
            .contains("charles@new.test has been waiting for confirmation since"),
        "{}",
        page.body
    );
    for (path, word) in [
        ("/profile/email/resend", "email_sent"),
        ("/profile/email/cancel", "email_cancelled"),
    ] {
        let done = carl.post(&site, path, &[]).await;
        assert_eq!(
            (done.status, done.location()),
            (303, format!("/profile?{word}").as_str())
        );
    }
    let gone = carl.post(&site, "/profile/email/cancel", &[]).await;
    assert_eq!(gone.status, 409);
    assert_eq!(carl.get(&site, "/profile/email").await.location(), "/profile");

    site.clock.advance(vestibule_core::limits::STEP_UP_SECONDS + 1);
    let late = carl
        .post(&site, "/profile/email", &[("email", "charles@new.test")])
        .await;
    assert_eq!(
        (late.status, late.location()),
        (303, "/profile/confirm?next=/profile?kept&again")
    );
    let page = carl.get(&site, "/profile").await;
    assert!(
        page.body
            .contains("Confirm it's you before you change your email address"),
        "{}",
        page.body
    );
    let nobody = Browser::default()
        .post(&site, "/profile/email", &[("email", "a@b.test")])
        .await;
    assert_eq!(nobody.location(), "/login?next=%2Fprofile");
}
