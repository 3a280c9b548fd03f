//! Sign-in with a provider, without scripts, against a provider on a real socket.

use serde_json::json;
use vestibule_sso::test_support::Issuer;

use crate::{
    company::signed_in,
    site::{Answer, Browser, PASSWORD, Site},
};

const BOB: [(&str, &str); 3] = [("company", "Acme"), ("account", "bob"), ("password", PASSWORD)];

/// A site where people can sign in with Google.
pub async fn with_google() -> (Site, Issuer) {
    let issuer = Issuer::start().await;
    let site = Site::with(&[
        ("VESTIBULE_SSO__GOOGLE__CLIENT_ID", "our-app"),
        ("VESTIBULE_SSO__GOOGLE__CLIENT_SECRET", "our-secret"),
        ("VESTIBULE_SSO__GOOGLE__ISSUER", &issuer.url),
    ])
    .await;
    (site, issuer)
}

/// A parameter of the address that a page leads to.
fn parameter(page: &Answer, name: &str) -> String {
    assert_eq!(page.status, 200, "{}", page.body);
    let url = page.body.split_once("content=\"0;url=").unwrap().1;
    let url = url.split_once('"').unwrap().0.replace("&amp;", "&");
    let query = url.split_once('?').unwrap().1;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(key, _)| key == name).unwrap().1.into_owned()
}

/// Comes back as this subject; the answer of `/auth/google/callback`.
pub async fn come_back(
    site: &Site,
    issuer: &Issuer,
    browser: &mut Browser,
    out: &Answer,
    subject: &str,
) -> Answer {
    let now = site.now().timestamp();
    issuer.will_say(json!({
        "iss": issuer.url, "aud": "our-app", "sub": subject, "nonce": parameter(out, "nonce"),
        "iat": now, "exp": now + 3600, "email": format!("{subject}@gmail.test"),
    }));
    let path = format!(
        "/auth/google/callback?code=secret-code&state={}",
        parameter(out, "state")
    );
    browser.get(site, &path).await
}

/// Signs in with Google as this subject, up to where the site leads then.
pub async fn sign_in(site: &Site, issuer: &Issuer, browser: &mut Browser, subject: &str) -> Answer {
    let out = browser
        .post(site, "/auth/google/start", &[("company", "Acme")])
        .await;
    let back = come_back(site, issuer, browser, &out, subject).await;
    assert_eq!(back.status, 200, "{}", back.body);
    browser.get(site, "/auth/continue").await
}

#[tokio::test]
async fn nobody_is_sent_to_a_provider_that_is_not_configured() {
    let site = Site::new().await;
    let mut browser = Browser::default();
    assert!(!browser.get(&site, "/login").await.body.contains("/auth/google"));
    let answer = browser
        .post(&site, "/auth/google/start", &[("company", "Acme")])
        .await;
    assert!(answer.status >= 400 && !browser.has("sso"), "{}", answer.body);
    assert!(answer.body.contains("href=\"/login"), "{}", answer.body);
}

#[tokio::test]
async fn whoever_is_unknown_connects_once_and_comes_in_from_then_on() {
    let (site, issuer) = with_google().await;
    let mut browser = Browser::default();
    let login = browser.get(&site, "/login?company=Acme").await;
    assert!(login.body.contains("Sign in with Google"), "{}", login.body);
    assert!(!login.body.contains("Office 365"));

    let out = browser
        .post(&site, "/auth/google/start", &[("company", "Acme")])
        .await;
    assert_eq!(
        parameter(&out, "redirect_uri"),
        "http://127.0.0.1:3000/auth/google/callback"
    );
    assert_eq!(parameter(&out, "code_challenge_method"), "S256");
    let back = come_back(&site, &issuer, &mut browser, &out, "bob-at-google").await;
    assert!(
        back.body.contains("content=\"0;url=/auth/continue\""),
        "{}",
        back.body
    );
    assert!(!back.body.contains("secret-code") && back.header("referrer-policy") == "strict-origin");
    assert!(
        !browser.has("session"),
        "an answer of a provider alone signs nobody in"
    );

    let unknown = browser.get(&site, "/auth/continue").await;
    assert_eq!((unknown.status, unknown.location()), (303, "/login/bind"));
    let page = browser.get(&site, "/login/bind").await;
    assert!(page.body.contains("bob-at-google@gmail.test") && page.body.contains("value=\"Acme\""));

    let wrong = [
        ("company", "Acme"),
        ("account", "bob"),
        ("password", "not the password"),
    ];
    let refused = browser.post(&site, "/login/bind", &wrong).await;
    assert_eq!(refused.status, 401, "{}", refused.body);
    assert!(refused.body.contains("value=\"bob\"") && !refused.body.contains("not the password"));
    assert!(refused.body.contains("action=\"/login/bind\"") && !browser.has("session"));

    let bound = browser.post(&site, "/login/bind", &BOB).await;
    assert_eq!(
        (bound.status, bound.location()),
        (303, "/agent"),
        "{}",
        bound.body
    );
    assert!(browser.has("session"));

    let mut other = Browser::default();
    let again = sign_in(&site, &issuer, &mut other, "bob-at-google").await;
    assert_eq!(
        (again.status, again.location()),
        (303, "/agent"),
        "{}",
        again.body
    );
    assert!(other.has("session") && !other.has("sso"));
}

#[tokio::test]
async fn the_second_factor_is_asked_for_after_a_provider_too() {
    let (site, issuer) = with_google().await;
    let mut browser = Browser::default();
    let unknown = sign_in(&site, &issuer, &mut browser, "alice-at-google").await;
    assert_eq!(unknown.location(), "/login/bind");
    let alice = [("company", "Acme"), ("account", "alice"), ("password", PASSWORD)];
    let bound = browser.post(&site, "/login/bind", &alice).await;
    assert_eq!((bound.location(), browser.has("session")), ("/login/code", false));
    let code = site.code("alice").await;
    let done = browser.post(&site, "/login/code", &[("code", &code)]).await;
    assert!(
        done.location() == "/agent" && browser.has("session"),
        "{}",
        done.body
    );

    let mut other = Browser::default();
    let again = sign_in(&site, &issuer, &mut other, "alice-at-google").await;
    assert_eq!((again.location(), other.has("session")), ("/login/code", false));
}

#[tokio::test]
async fn an_answer_counts_only_in_the_browser_that_set_out_and_once() {
    let (site, issuer) = with_google().await;
    let mut victim = Browser::default();
    let mut attacker = Browser::default();
    let out = attacker
        .post(&site, "/auth/google/start", &[("company", "Acme")])
        .await;
    for _ in 0..2 {
        let answer = come_back(&site, &issuer, &mut victim, &out, "evil").await;
        assert_eq!((answer.status, answer.location()), (303, "/login?ended"));
        assert_eq!(
            victim.get(&site, "/auth/continue").await.location(),
            "/login?ended"
        );
    }
    for path in [
        "/auth/google/callback",
        "/auth/google/callback?state=x&code=y",
        "/auth/google/callback?code=y",
        "/login/bind",
    ] {
        assert_eq!(victim.get(&site, path).await.location(), "/login?ended", "{path}");
    }
    let state = parameter(&out, "state");
    let twice = format!("/auth/google/callback?code=y&state={state}&state={state}");
    let mut copy = Browser::default();
    copy.set_cookie("sso", &attacker.cookie("sso").unwrap());
    assert_eq!(copy.get(&site, &twice).await.location(), "/login?ended");
    let own = come_back(&site, &issuer, &mut attacker, &out, "evil").await;
    assert_eq!(own.status, 200, "{}", own.body);
    let flow = attacker.cookie("sso").unwrap();
    let second = come_back(&site, &issuer, &mut attacker, &out, "evil").await;
    assert_eq!(second.location(), "/login?ended");
    attacker.set_cookie("sso", &flow);
    let office = attacker
        .get(&site, "/auth/office365/callback?state=x&code=y")
        .await;
    assert_eq!(office.location(), "/login?ended");
}

#[tokio::test]
async fn two_tabs_are_two_ways_and_neither_disturbs_the_other() {
    let (site, issuer) = with_google().await;
    let mut browser = Browser::default();
    let set_out = [("company", "Acme")];
    let first = browser.post(&site, "/auth/google/start", &set_out).await;
    let second = browser.post(&site, "/auth/google/start", &set_out).await;
    let foreign = browser.get(&site, "/auth/google/callback?state=x&code=y").await;
    assert_eq!(foreign.location(), "/login?ended");
    for out in [&first, &second] {
        let back = come_back(&site, &issuer, &mut browser, out, "new-at-google").await;
        assert_eq!(back.status, 200, "{}", back.body);
        assert_eq!(
            browser.get(&site, "/auth/continue").await.location(),
            "/login/bind"
        );
    }
    let again = come_back(&site, &issuer, &mut browser, &first, "new-at-google").await;
    assert_eq!(again.location(), "/login?ended", "each of them once");
}

#[tokio::test]
async fn whoever_cancels_at_the_provider_is_told_and_has_a_way_back() {
    let (site, _issuer) = with_google().await;
    let mut browser = Browser::default();
    let typed = [
        ("company", "Acme & Sons"),
        ("account", "bob"),
        ("next", "/profile?a=b"),
    ];
    let out = browser.post(&site, "/auth/google/start", &typed).await;
    let state = parameter(&out, "state");
    let path =
        format!("/auth/google/callback?error=access_denied&error_description=%3Cb%3Eevil&state={state}");
    let cancelled = browser.get(&site, &path).await;
    assert_eq!(
        (cancelled.status, cancelled.location()),
        (
            303,
            "/login?company=Acme+%26+Sons&account=bob&next=%2Fprofile%3Fa%3Db&cancelled"
        )
    );
    assert!(!browser.has("sso"));
    let page = browser.get(&site, cancelled.location()).await;
    for kept in ["Acme &amp; Sons", "bob", "/profile?a=b"] {
        assert!(page.body.contains(&format!("value=\"{kept}\"")), "{}", page.body);
    }
    assert!(
        page.body.contains("You canceled the sign-in.") && !page.body.contains("evil"),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn security_settings_connect_and_disconnect_an_account_of_a_provider() {
    let (site, issuer) = with_google().await;
    let mut browser = signed_in(&site, "Acme", "bob").await;
    let page = browser.get(&site, "/profile/security").await;
    assert!(
        page.body.contains("Not connected") && page.body.contains("/auth/google/connect"),
        "{}",
        page.body
    );
    let out = browser.post(&site, "/auth/google/connect", &[]).await;
    let back = come_back(&site, &issuer, &mut browser, &out, "bob-at-google").await;
    assert_eq!(back.status, 200, "{}", back.body);
    let done = browser.get(&site, "/auth/continue").await;
    assert_eq!(done.location(), "/profile/security?connected");
    let page = browser.get(&site, done.location()).await;
    assert!(page.body.contains("bob-at-google@gmail.test"), "{}", page.body);
    assert!(page.body.contains("Connected. You can now use it to sign in."));

    let off = browser
        .post(
            &site,
            "/profile/security/sso/disconnect",
            &[("provider", "google")],
        )
        .await;
    assert_eq!(off.location(), "/profile/security?disconnected", "{}", off.body);
    let page = browser.get(&site, off.location()).await;
    assert!(page.body.contains("Not connected") && !page.body.contains("bob-at-google"));
    let wrong = browser
        .post(
            &site,
            "/profile/security/sso/disconnect",
            &[("provider", "myspace")],
        )
        .await;
    assert_eq!(wrong.status, 400, "{}", wrong.body);

    let stranger = Browser::default().post(&site, "/auth/google/connect", &[]).await;
    assert_eq!(stranger.status, 303);
    assert!(
        stranger.location().starts_with("/login"),
        "{}",
        stranger.location()
    );
}

#[tokio::test]
async fn another_site_sends_nobody_to_a_provider() {
    let (site, _issuer) = with_google().await;
    for path in [
        "/auth/google/start",
        "/auth/google/connect",
        "/auth/google/confirm",
    ] {
        let mut browser = signed_in(&site, "Acme", "bob").await;
        browser.without_origin();
        browser.extra.push(("sec-fetch-site", "cross-site".to_owned()));
        let answer = browser.post(&site, path, &[]).await;
        assert_eq!((answer.status, browser.has("sso")), (403, false), "{path}");
        assert_eq!(Browser::default().get(&site, path).await.status, 405, "{path}");
    }
}
