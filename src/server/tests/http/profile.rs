//! The own data, as a browser without scripts changes them.

use crate::site::{Browser, PASSWORD, Site};

async fn bob(site: &Site) -> Browser {
    let mut browser = Browser::default();
    let fields = [("company", "Acme"), ("account", "bob"), ("password", PASSWORD)];
    assert_eq!(browser.post(site, "/login", &fields).await.location(), "/agent");
    browser
}

/// The profile's fields with something typed into two of them.
fn typed<'a>(first_name: &'a str, language: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("first_name", first_name),
        ("last_name", ""),
        ("alias", "Bobby \"<b>"),
        ("phone", "+49 30 1234"),
        ("title", ""),
        ("time_format", "12"),
        ("language", language),
    ]
}

#[tokio::test]
async fn the_profile_is_saved_and_comes_back_when_it_is_refused() {
    let site = Site::new().await;
    let mut browser = bob(&site).await;
    let page = browser.get(&site, "/profile").await;
    assert!(
        page.status == 200 && page.body.contains("value=\"Bob\""),
        "{}",
        page.body
    );

    let refused = browser.post(&site, "/profile", &typed(" ", "")).await;
    assert_eq!(refused.status, 422);
    for kept in [
        "Enter your first name.",
        "href=\"#first_name\"",
        "value=\"Bobby &quot;&lt;b&gt;\"",
        "value=\"+49 30 1234\"",
        "<option value=\"12\" selected>",
    ] {
        assert!(refused.body.contains(kept), "{kept}: {}", refused.body);
    }
    let page = browser.get(&site, "/profile").await;
    assert!(!page.body.contains("+49 30 1234"), "nothing was saved");

    let saved = browser.post(&site, "/profile", &typed("Robert", "")).await;
    assert_eq!((saved.status, saved.location()), (303, "/profile?saved"));
    assert!(
        saved.set_cookies().is_empty(),
        "the language is what it was: {:?}",
        saved.set_cookies()
    );
    let page = browser.get(&site, "/profile?saved").await;
    assert!(
        page.body.contains("Your profile was saved.") && page.body.contains("value=\"Robert\""),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn a_language_of_the_account_is_seen_at_once() {
    let site = Site::new().await;
    let mut browser = bob(&site).await;
    browser
        .post(
            &site,
            "/language",
            &[("language", "de"), ("return_to", "/profile")],
        )
        .await;
    browser.post(&site, "/profile", &typed("Bob", "ar")).await;
    assert!(
        browser
            .get(&site, "/profile")
            .await
            .body
            .contains("<html lang=\"ar\"")
    );
    browser.post(&site, "/profile", &typed("Bob", "")).await;
    assert!(
        browser
            .get(&site, "/profile")
            .await
            .body
            .contains("<html lang=\"en\""),
        "the company's"
    );
}

#[tokio::test]
async fn the_language_switch_keeps_what_was_typed_into_the_profile() {
    let site = Site::new().await;
    let mut browser = bob(&site).await;
    let mut fields = typed("Not saved", "");
    fields.extend([("shown_in", "de"), ("return_to", "/profile")]);
    let page = browser.post(&site, "/language", &fields).await;
    assert_eq!(page.status, 200);
    for kept in [
        "<html lang=\"de\"",
        "value=\"Not saved\"",
        "value=\"+49 30 1234\"",
        "<option value=\"de\" lang=\"de\" selected>",
    ] {
        assert!(page.body.contains(kept), "{kept}: {}", page.body);
    }
    let page = browser.get(&site, "/profile").await;
    assert!(page.body.contains("<html lang=\"de\""), "it is remembered");
    assert!(!page.body.contains("Not saved"), "and nothing else is saved");

    let mut stranger = Browser::default();
    let answer = stranger.post(&site, "/language", &fields).await;
    assert!(
        answer.location().starts_with("/login?next="),
        "{}",
        answer.location()
    );
}

#[tokio::test]
async fn password_managers_find_the_form_and_whose_password_it_changes() {
    let site = Site::new().await;
    let well_known = "/.well-known/change-password";
    let led = Browser::default().get(&site, well_known).await;
    assert_eq!((led.status, led.location()), (303, "/profile#password-title"));
    let mut browser = bob(&site).await;
    assert_eq!(
        browser.get(&site, well_known).await.location(),
        "/profile#password-title"
    );
    let page = browser.get(&site, "/profile").await;
    assert!(page.body.contains("id=\"password-title\""), "{}", page.body);
    let (_, form) = page.body.split_once("action=\"/profile/password\"").unwrap();
    let (form, _) = form.split_once("</form>").unwrap();
    for part in [
        "class=\"visually-hidden\"",
        "autocomplete=\"username\"",
        "value=\"bob\"",
        "autocomplete=\"current-password\"",
    ] {
        assert!(form.contains(part), "{part}: {form}");
    }
    let confirm = browser.get(&site, "/profile/confirm").await;
    assert!(
        confirm.body.contains("autocomplete=\"username\""),
        "{}",
        confirm.body
    );
}
