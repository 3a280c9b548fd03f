//! The sign-in page as strangers get it: the same for all of them, with a nonce of its own each time.

use std::collections::BTreeSet;

use crate::site::{Answer, Browser, PASSWORD, Site};

/// The nonce of an answer, which is that of its page.
fn nonce(page: &Answer) -> String {
    let policy = page.header("content-security-policy");
    let (_, rest) = policy.split_once("'nonce-").unwrap();
    let (nonce, _) = rest.split_once('\'').unwrap();
    let mark = format!("nonce=\"{nonce}\"");
    assert_eq!(
        page.body.matches("nonce=\"").count(),
        page.body.matches(&mark).count()
    );
    assert!(page.body.contains(&mark), "{}", page.body);
    nonce.to_owned()
}

#[tokio::test]
async fn two_strangers_get_the_same_page_with_nonces_of_their_own() {
    let site = Site::new().await;
    let mut nonces = BTreeSet::new();
    let mut pages = BTreeSet::new();
    for _ in 0..5 {
        let page = Browser::default().get(&site, "/login").await;
        assert_eq!(page.status, 200);
        assert_eq!(page.header("cache-control"), "no-store");
        assert!(
            page.has_header("set-cookie"),
            "each gets the cookie that its form brings"
        );
        let nonce = nonce(&page);
        pages.insert(page.body.replace(&nonce, ""));
        assert!(nonces.insert(nonce));
    }
    assert_eq!(pages.len(), 1);
}

#[tokio::test]
async fn what_one_browser_is_told_no_other_reads() {
    let site = Site::new().await;
    let plain = Browser::default().get(&site, "/login").await;
    let expected = plain.body.replace(&nonce(&plain), "");
    let mut bob = Browser::default();
    let typed = [("company", "Acme"), ("account", "bob"), ("password", PASSWORD)];
    assert_eq!(bob.post(&site, "/login", &typed).await.status, 303);
    bob.post(&site, "/logout", &[]).await;
    let mut german = Browser::default();
    german.set_cookie("language", "de");
    let mut seen = BTreeSet::from([expected.clone()]);
    for (browser, path, marks) in [
        (&mut bob, "/login", "value=\"Acme\""),
        (
            &mut Browser::default(),
            "/login?company=Other&account=eve",
            "value=\"eve\"",
        ),
        (&mut Browser::default(), "/login?signed_out", "signed_out"),
        (&mut Browser::default(), "/login?next=%2Fprofile", "/profile"),
        (&mut german, "/login", "lang=\"de\""),
    ] {
        let page = browser.get(&site, path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(page.body.contains(marks), "{path}: {}", page.body);
        assert!(seen.insert(page.body.replace(&nonce(&page), "")), "{path}");
        let page = Browser::default().get(&site, "/login").await;
        assert_eq!(page.body.replace(&nonce(&page), ""), expected, "after {path}");
    }
}
