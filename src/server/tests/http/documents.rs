//! What is true of every page, whatever it shows: asked of all routes there are.

use vestibule_core::account::Role;
use vestibule_server::pages::routes;

use crate::{
    company::{account, signed_in},
    site::{Answer, Browser, Site},
};

const HOSTILE: &str = "</title><script>alert(1)</script>\"'><img src=x onerror=alert(1)>&";

/// Every page that an admin and a stranger get, with the address.
async fn every_page(site: &Site) -> Vec<(String, Answer)> {
    account(site, "Acme", "carl", Role::Agent).await;
    account(site, "Acme", "rita", Role::Admin).await;
    for name in ["carl", "rita"] {
        let mut browser = signed_in(site, "Acme", name).await;
        let typed = [
            ("first_name", HOSTILE),
            ("last_name", HOSTILE),
            ("alias", HOSTILE),
            ("phone", ""),
            ("title", HOSTILE),
            ("time_format", "24"),
            ("language", ""),
        ];
        let saved = browser.post(site, "/profile", &typed).await;
        assert_eq!(saved.location(), "/profile?saved", "{}", saved.body);
    }
    let mut admin = signed_in(site, "Acme", "rita").await;
    let list = admin.get(site, "/admin/agents?search=carl").await;
    let (_, rest) = list.body.split_once("name=\"selected[]\" value=\"").unwrap();
    let carl = rest.split_once('"').unwrap().0.to_owned();
    site.code("alice").await;
    let mail = site.mailbox.mails(None).first().unwrap().id.to_string();
    let mut pages = Vec::new();
    for access in routes().access().iter().filter(|access| access.method == "GET") {
        let words: &[&str] = if access.path.ends_with("{page}") {
            &[
                "view",
                "delete",
                "password",
                "backup-code",
                "unlock",
                "end-sessions",
            ]
        } else {
            &[""]
        };
        for word in words {
            let id = if access.path.starts_with("/mailbox") {
                &mail
            } else {
                &carl
            };
            let path = access.path.replace("{id}", id).replace("{page}", word);
            for browser in [&mut admin, &mut Browser::default()] {
                let page = browser.get(site, &path).await;
                let is_page = page.header("content-type").starts_with("text/html");
                if is_page && page.status != 303 && !path.ends_with("/html") {
                    pages.push((path.clone(), page));
                }
            }
        }
    }
    pages
}

#[tokio::test]
async fn every_page_is_a_complete_document_without_scripts_of_others() {
    let site = Site::new().await;
    let mut alice = Browser::default();
    alice.past_password(&site, "alice").await;
    let mut pages = every_page(&site).await;
    assert!(pages.len() > 30, "{}", pages.len());
    pages.push(("/login/code".to_owned(), alice.get(&site, "/login/code").await));
    for (path, page) in pages {
        let html = &page.body;
        assert!(
            html.starts_with("<!DOCTYPE html><html lang=\"en\" dir=\"ltr\">"),
            "{path}: {html}"
        );
        assert!(
            html.ends_with("</body></html>") && html.contains(" · Vestibule</title>"),
            "{path}: {html}"
        );
        assert_eq!(html.matches("<h1").count(), 1, "{path}: {html}");
        assert_eq!(html.matches("<main id=\"content\"").count(), 1, "{path}: {html}");
        assert!(html.contains("href=\"#content\""), "{path}: {html}");
        assert!(
            html.contains("action=\"/language\"") || html.contains("formaction=\"/language\""),
            "{path}: {html}"
        );
        assert!(html.contains("name=\"return_to\""), "{path}: {html}");
        assert!(
            html.contains("href=\"/terms\"") && html.contains("href=\"/privacy\""),
            "{path}: {html}"
        );
        // The Content-Security-Policy allows none of these.
        for bad in [
            " style=",
            "<style",
            " onclick=",
            " onsubmit=",
            " onload=",
            "javascript:",
        ] {
            assert!(!html.contains(bad), "{path} {bad}: {html}");
        }
        // No HTML to a checker: a comment that the library does not close, and boxes that browsers would fill in.
        assert!(!html.contains("<!>"), "{path}: {html}");
        for tag in html
            .split("<input")
            .skip(1)
            .filter_map(|rest| rest.split_once('>'))
        {
            let is_box = tag.0.contains("type=\"checkbox\"") || tag.0.contains("type=\"radio\"");
            assert!(!is_box || !tag.0.contains("autocomplete"), "{path}: {}", tag.0);
        }
        // Foreign text stays text.
        for bad in ["<script>alert", "<img src=x", "\"'>"] {
            assert!(!html.contains(bad), "{path} {bad}: {html}");
        }
        let live = html.contains("<leptos-island");
        assert_eq!(live, ["/login", "/login/code"].contains(&path.as_str()), "{path}");
        assert_eq!(live, html.contains(".wasm"), "{path}");
        if html.contains("data-on") || html.contains("class=\"status\"") {
            assert!(
                html.contains("<form method=\"post\" action=\"/logout\">"),
                "{path}: {html}"
            );
        }
    }
}
