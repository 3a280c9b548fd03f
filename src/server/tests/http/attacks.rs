//! What strangers and thieves send (attacks.md), and the index of all these tests.

use std::path::{Path, PathBuf};

use crate::site::{self, Browser, Site};

/// How many lines of this event the audit log has.
async fn lines(site: &Site, event: &str) -> usize {
    site.service.upkeep().write_stranger_lines().await.unwrap();
    let mut reader = site.service.store().read().await.unwrap();
    let events = reader.events(None, 1000).await.unwrap();
    events.iter().filter(|row| row.event == event).count()
}

/// Forms without the name of their page come as fast as a line carries them: one line for a source and minute, and none
/// of them waits for the database (T086).
#[tokio::test]
async fn a_flood_from_another_site_is_one_line() {
    let site = Site::new().await;
    let mut browser = Browser::program();
    browser.without_origin();
    let writer = site.service.store().write().await.unwrap();
    for _ in 0..200 {
        assert_eq!(
            browser.post(&site, "/login", &[("company", "Acme")]).await.status,
            403
        );
    }
    browser.address = "127.0.0.2";
    assert_eq!(browser.post(&site, "/logout", &[]).await.status, 403);
    drop(writer);
    assert_eq!(lines(&site, "cross_site_refused").await, 2);
    assert_eq!(site.service.upkeep().stranger_lines().repeated, 199);
}

/// T048: the cookie of the code step takes nothing but its own.
#[tokio::test]
async fn what_is_no_pending_sign_in_loads_none() {
    let site = Site::new().await;
    let mut alice = Browser::default();
    alice.past_password(&site, "alice").await;
    let pending = alice.cookie("pending").unwrap();
    let code = site.code("alice").await;
    let mut bob = Browser::default();
    let typed = [
        ("company", "Acme"),
        ("account", "bob"),
        ("password", site::PASSWORD),
    ];
    bob.post(&site, "/login", &typed).await;
    let session = bob.cookie("session").unwrap();
    let flipped = format!(
        "{}{}",
        if pending.starts_with('A') { "B" } else { "A" },
        &pending[1..]
    );
    let zeros = "A".repeat(43);
    for forged in [
        "",
        "1",
        "../x",
        &pending[..42],
        &flipped,
        &session,
        &zeros,
        "018f0000-0000-7000-8000-000000000000",
    ] {
        let mut thief = Browser::default();
        thief.set_cookie("pending", forged);
        let page = thief.get(&site, "/login/code").await;
        let to = page.location().split('?').next();
        assert_eq!((page.status, to), (303, Some("/login")), "{forged}");
        let sent = thief.post(&site, "/login/code", &[("code", &code)]).await;
        assert!(sent.status >= 400 && !thief.has("session"), "{forged}");
    }
    let sent = alice.post(&site, "/login/code", &[("code", &code)]).await;
    assert_eq!(sent.location(), "/agent", "none of it was a try");
}

/// T066: forged trust asks for a code like none.
#[tokio::test]
async fn forged_trust_is_none() {
    let site = Site::new().await;
    let mut browser = Browser::default();
    browser.past_password(&site, "alice").await;
    let code = site.code("alice").await;
    browser
        .post(&site, "/login/code", &[("code", &code), ("trust", "yes")])
        .await;
    let trust = browser.cookie("trusted").unwrap();
    let flipped = format!(
        "{}{}",
        if trust.starts_with('A') { "B" } else { "A" },
        &trust[1..]
    );
    let session = browser.cookie("session").unwrap();
    let doubled = format!("{flipped}.{flipped}");
    for forged in [
        "",
        &trust[1..],
        &format!("{trust}A"),
        &flipped,
        &doubled,
        &session,
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.",
    ] {
        let mut thief = Browser::default();
        thief.set_cookie("trusted", forged);
        thief.past_password(&site, "alice").await;
        assert!(!thief.has("session"), "{forged}");
        site.clock.advance(700);
    }
}

/// T073: a copied session is worth nothing after its owner has signed out.
#[tokio::test]
async fn a_copy_of_a_session_ends_with_it() {
    let site = Site::new().await;
    let mut browser = Browser::default();
    let typed = [
        ("company", "Acme"),
        ("account", "bob"),
        ("password", site::PASSWORD),
    ];
    browser.post(&site, "/login", &typed).await;
    let mut copy = Browser::default();
    copy.set_cookie("session", &browser.cookie("session").unwrap());
    assert_eq!(copy.get(&site, "/agent").await.status, 200);
    for _ in 0..2 {
        let out = browser.post(&site, "/logout", &[]).await;
        assert_eq!((out.status, out.location()), (303, "/login?signed_out"));
    }
    assert_eq!(copy.get(&site, "/agent").await.location(), "/login?next=%2Fagent");
    let out = copy.post(&site, "/logout", &[]).await;
    assert_eq!(out.status, 303, "nothing to end is fine");
    assert_eq!(lines(&site, "signed_out").await, 1);
}

/// T010: what is too long to be a password is refused for that, before anything is hashed.
#[tokio::test]
async fn a_password_that_is_too_long_is_refused_for_that() {
    let site = Site::new().await;
    for (length, status) in [(64, 401), (128, 401), (129, 422), (10_000, 422), (60_000, 422)] {
        let mut browser = Browser::default();
        let long = "x".repeat(length);
        let typed = [("company", "Acme"), ("account", "bob"), ("password", &long)];
        assert_eq!(
            browser.post(&site, "/login", &typed).await.status,
            status,
            "{length}"
        );
        // Four wrong ones are free.
        site.clock.advance(3600);
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What stands between backquotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn is_file(word: &str) -> bool {
    let ending = Path::new(word).extension();
    ending.is_some_and(|ending| ending == "rs" || ending == "ts")
}

/// Each line of the index names files and tests that are there, or says why a program cannot run it.
#[test]
fn the_index_of_attacks_tells_the_truth() {
    const COMMAND: &str = "cargo xtask attack ";
    let root = root();
    let index = std::fs::read_to_string(root.join("end2end/attacks.md")).unwrap();
    let scenarios = root.join("src/xtask/src/attack");
    let mut last = String::new();
    let mut count = 0;
    for line in index
        .lines()
        .filter(|line| line.starts_with("| T0") || line.starts_with("| T1"))
    {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [number, what, place] = cells[..] else {
            panic!("three cells: {line}")
        };
        assert!(number > last.as_str() && !what.is_empty(), "in order: {number}");
        number.clone_into(&mut last);
        count += 1;
        let mut file = None;
        for word in quoted(place) {
            if let Some(scenario) = word.strip_prefix(COMMAND) {
                // Where the scenarios are not built in, there is nothing to look at.
                let there = !scenarios.exists() || scenarios.join(format!("{scenario}.rs")).exists();
                assert!(there, "{number}: {word}");
            } else if is_file(word) {
                let text = std::fs::read_to_string(root.join(word));
                file = Some(text.unwrap_or_else(|error| panic!("{number}: {word}: {error}")));
            } else {
                let there = file.as_ref().is_some_and(|file| file.contains(word));
                assert!(there, "{number}: {word} is not where the index says");
            }
        }
        let has_test = file.is_some() || place.contains(COMMAND);
        assert!(
            has_test || place.starts_with("By hand"),
            "{number}: neither a test nor a reason"
        );
    }
    assert_eq!(count, 116);
}
