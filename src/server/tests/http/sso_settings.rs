//! Single Sign-On of a company, and an account without a password, as a browser without scripts sees them.

use vestibule_core::limits::STEP_UP_SECONDS;
use vestibule_sso::test_support::{Issuer, Mood};

use crate::{
    company::{other_company, signed_in},
    site::{Answer, Browser, PASSWORD, Site},
    sso::{come_back, sign_in, with_google},
};

const SECRET: &str = "hush-hush-secret";

/// A site whose operator has no application, and a provider that companies may have one at.
async fn without_application() -> (Site, Issuer) {
    let issuer = Issuer::start().await;
    let site = Site::with(&[("VESTIBULE_SSO__GOOGLE__ISSUER", &issuer.url)]).await;
    (site, issuer)
}

/// The form with an application at Google.
fn fields<'a>(version: &'a str, id: &'a str, tenants: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("google_version", version),
        ("google_enabled", "yes"),
        ("google_client_id", id),
        ("google_client_secret", SECRET),
        ("google_trusted", "yes"),
        ("office365_version", "0"),
        ("office365_client_id", ""),
        ("office365_client_secret", ""),
        ("office365_tenants", tenants),
    ]
}

/// The same when a test of Google is asked for.
fn test_of<'a>(version: &'a str, id: &'a str, secret: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut test = fields(version, id, "");
    test[3].1 = secret;
    test.push(("provider", "google"));
    test
}

fn version(page: &Answer) -> String {
    let (_, rest) = page.body.split_once("name=\"google_version\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn an_application_is_saved_tried_and_shown_without_its_secret() {
    let (site, issuer) = without_application().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    let page = root.get(&site, "/admin/sso").await;
    for shown in [
        "<h1>Single Sign-On</h1>",
        "Vestibule has no app registration of its own.",
        "value=\"http://127.0.0.1:3000/auth/google/callback\"",
        "value=\"http://127.0.0.1:3000/auth/office365/callback\"",
        ">Allowed tenant IDs</label>",
        ">Trust the provider&#39;s sign-in</label>",
        ">Test connection</button>",
    ] {
        assert!(
            page.body.contains(shown) || page.body.contains(&shown.replace("&#39;", "'")),
            "{shown}: {}",
            page.body
        );
    }
    let mut stranger = Browser::default();
    let login = stranger.get(&site, "/login").await;
    assert!(!login.body.contains("Sign in with Google"));
    let untried = root.post(&site, "/admin/sso/test", &test_of("0", "", "")).await;
    assert_eq!(untried.status, 409);
    assert!(
        untried
            .body
            .contains("There's no app registration for Google yet."),
        "{}",
        untried.body
    );

    let saved = root
        .post(&site, "/admin/sso", &fields(&version(&page), "our-app", ""))
        .await;
    assert_eq!((saved.status, saved.location()), (303, "/admin/sso?saved"));
    let page = root.get(&site, "/admin/sso?saved").await;
    assert!(
        page.body.contains("value=\"our-app\"")
            && page.body.contains("A client secret is stored and never shown."),
        "{}",
        page.body
    );
    assert!(!page.body.contains(SECRET));
    let late = root
        .post(&site, "/admin/sso", &fields("0", "another-app", ""))
        .await;
    assert_eq!(late.status, 409);
    assert!(late.body.contains("Saved value: our-app"), "{}", late.body);

    let now = version(&page);
    let good = root
        .post(&site, "/admin/sso/test", &test_of(&now, "our-app", ""))
        .await;
    assert_eq!(good.status, 200, "{}", good.body);
    assert!(
        good.body
            .contains("Google responded and accepts your app registration. Nothing was saved."),
        "{}",
        good.body
    );
    issuer.feel(Mood::Refusing("invalid_client"));
    let bad = root
        .post(&site, "/admin/sso/test", &test_of(&now, "our-app", ""))
        .await;
    assert_eq!(bad.status, 502);
    assert!(
        bad.body
            .contains("accept your app registration. Check the client ID")
            && !bad.body.contains("secret words"),
        "{}",
        bad.body
    );
    let login = stranger.get(&site, "/login").await;
    assert!(login.body.contains("Sign in with Google") && !login.body.contains("Office 365"));
    let again = root.get(&site, "/admin/sso/test").await;
    assert_eq!(again.location(), "/admin/sso");
}

#[tokio::test]
async fn an_application_is_tried_before_it_is_saved() {
    let (site, issuer) = without_application().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    let refused = root
        .post(&site, "/admin/sso/test", &test_of("0", "our-app", ""))
        .await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.body.contains("href=\"#google_client_secret\"") && refused.body.contains("value=\"our-app\""),
        "{}",
        refused.body
    );
    let tried = root
        .post(&site, "/admin/sso/test", &test_of("0", "our-app", SECRET))
        .await;
    assert_eq!(tried.status, 200, "{}", tried.body);
    for shown in [
        "Google responded and accepts your app registration.",
        "value=\"our-app\"",
        "The client secret you just tested is kept for a few minutes",
    ] {
        assert!(tried.body.contains(shown), "{shown}: {}", tried.body);
    }
    assert!(!tried.body.contains(SECRET));
    assert_eq!(issuer.exchange()["client_secret"], SECRET);
    let login = Browser::default().get(&site, "/login").await;
    assert!(!login.body.contains("Sign in with Google"), "nothing is live");
    let page = root.get(&site, "/admin/sso").await;
    assert!(!page.body.contains("our-app"), "{}", page.body);

    // What was tried is saved without being typed again.
    let mut untyped = fields("0", "our-app", "");
    untyped[3].1 = "";
    let saved = root.post(&site, "/admin/sso", &untyped).await;
    assert_eq!(saved.location(), "/admin/sso?saved", "{}", saved.body);
    let login = Browser::default().get(&site, "/login").await;
    assert!(login.body.contains("Sign in with Google"));

    let mut nonsense = test_of("0", "our-app", SECRET);
    *nonsense.last_mut().unwrap() = ("provider", "nobody");
    assert_eq!(root.post(&site, "/admin/sso/test", &nonsense).await.status, 400);
    site.clock.advance(STEP_UP_SECONDS + 1);
    let late = root
        .post(&site, "/admin/sso/test", &test_of("0", "new-app", SECRET))
        .await;
    assert_eq!(late.location(), "/profile/confirm?next=/admin/sso?kept&again");
    let proof = [("password", PASSWORD), ("next", "/admin/sso?kept")];
    root.post(&site, "/profile/confirm", &proof).await;
    let page = root.get(&site, "/admin/sso?kept").await;
    assert!(
        page.body.contains("value=\"new-app\"") && !page.body.contains(SECRET),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn where_only_companies_have_applications_the_company_is_asked_for() {
    let (site, issuer) = without_application().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    root.post(&site, "/admin/sso", &fields("0", "our-app", "")).await;
    let mut browser = Browser::default();
    let asked = browser
        .post(&site, "/auth/google/start", &[("next", "/agent?tab=1")])
        .await;
    assert_eq!(asked.status, 200, "{}", asked.body);
    for shown in [
        "Enter your company to sign in with Google.",
        "action=\"/auth/google/start\"",
        "name=\"next\" value=\"/agent?tab=1\"",
        "href=\"/login\"",
    ] {
        assert!(asked.body.contains(shown), "{shown}: {}", asked.body);
    }
    let _globex = other_company(&site).await;
    let mut seen = Vec::new();
    for company in ["Nobody at all", "Globex"] {
        let answer = browser
            .post(&site, "/auth/google/start", &[("company", company)])
            .await;
        assert_eq!((answer.status, browser.has("sso")), (403, false));
        seen.push(answer.body.replace(company, "…"));
    }
    assert_eq!(
        seen[0].split("<main").nth(1),
        seen[1].split("<main").nth(1),
        "an unknown company looks like one without an application"
    );
    let out = browser
        .post(&site, "/auth/google/start", &[("company", "ACME")])
        .await;
    assert!(
        out.body.contains(&format!("{}/authorize?", issuer.url)) && browser.has("sso"),
        "{}",
        out.body
    );
}

#[tokio::test]
async fn a_provider_leads_nobody_to_another_site() {
    let (site, issuer) = with_google().await;
    let mut bob = Browser::default();
    sign_in(&site, &issuer, &mut bob, "bob-at-google").await;
    let typed = [("company", "Acme"), ("account", "bob"), ("password", PASSWORD)];
    bob.post(&site, "/login/bind", &typed).await;
    for (next, expected) in [
        ("/profile", "/profile"),
        ("//evil.test", "/agent"),
        ("https://evil.test/", "/agent"),
        ("/\\evil.test", "/agent"),
        ("/%2f/evil.test", "/agent"),
    ] {
        let mut browser = Browser::default();
        let out = browser
            .post(
                &site,
                "/auth/google/start",
                &[("company", "Acme"), ("next", next)],
            )
            .await;
        come_back(&site, &issuer, &mut browser, &out, "bob-at-google").await;
        let home = browser.get(&site, "/auth/continue").await;
        assert_eq!((home.status, home.location()), (303, expected), "{next}");
    }
}

#[tokio::test]
async fn what_is_refused_comes_back_in_any_language_without_the_secret() {
    let (site, _issuer) = without_application().await;
    let mut root = signed_in(&site, "Acme", "root").await;
    let page = root
        .post(&site, "/admin/sso", &fields("0", "our-app", "contoso"))
        .await;
    assert_eq!(page.status, 422);
    assert!(
        page.body.contains("Enter a valid tenant ID,")
            && page.body.contains("href=\"#office365_tenants\"")
            && page.body.contains("value=\"our-app\"")
            && page
                .body
                .contains("name=\"google_trusted\" value=\"yes\" checked")
            && !page.body.contains(SECRET),
        "{}",
        page.body
    );
    let mut switch = fields("0", "our-app", "contoso");
    switch.extend([("shown_in", "ar"), ("return_to", "/admin/sso")]);
    let page = root.post(&site, "/language", &switch).await;
    assert!(
        page.status == 200
            && page.body.contains("<html lang=\"ar\" dir=\"rtl\"")
            && page.body.contains("value=\"contoso\"")
            && !page.body.contains(SECRET),
        "{}",
        page.body
    );
    site.clock.advance(STEP_UP_SECONDS + 1);
    let page = root.post(&site, "/admin/sso", &fields("0", "our-app", "")).await;
    assert_eq!(page.location(), "/profile/confirm?next=/admin/sso?kept&again");
    let page = root.get(&site, "/admin/sso").await;
    assert_eq!(page.location(), "/profile/confirm?next=/admin/sso&again");
}

#[tokio::test]
async fn an_agent_without_a_password_confirms_with_the_provider() {
    let (site, issuer) = with_google().await;
    let mut bob = Browser::default();
    sign_in(&site, &issuer, &mut bob, "bob-at-google").await;
    let typed = [("company", "Acme"), ("account", "bob"), ("password", PASSWORD)];
    bob.post(&site, "/login/bind", &typed).await;

    let mut root = signed_in(&site, "Acme", "root").await;
    let company = site.service.operator().company_named("Acme").await.unwrap().id;
    let mut reader = site.service.store().read().await.unwrap();
    let (found, _) = reader
        .account_by_sign_in(company, "bob", "bob")
        .await
        .unwrap()
        .unwrap();
    drop(reader);
    let id = found.id.to_string();
    let page = root.get(&site, &format!("/admin/agents/{id}/password")).await;
    assert!(page.body.contains(">Remove password</button>"), "{}", page.body);
    let gone = root
        .post(&site, "/admin/agents/remove-password", &[("id", &id)])
        .await;
    assert_eq!(gone.status, 303, "{}", gone.body);
    let page = root.get(&site, gone.location()).await;
    assert!(
        page.body.contains("The password was removed.") && page.body.contains("Google only"),
        "{}",
        page.body
    );
    assert!(!page.body.contains("hasn't chosen a password"), "{}", page.body);
    assert!(page.body.contains("bob-at-google@gmail.test"), "{}", page.body);
    let last = root
        .post(
            &site,
            "/admin/agents/disconnect",
            &[("id", &id), ("provider", "google")],
        )
        .await;
    assert_eq!(last.status, 409);
    assert!(
        last.body.contains("Set a password for it first.") && last.body.contains("new_password"),
        "{}",
        last.body
    );

    assert_eq!(
        bob.get(&site, "/agent").await.status,
        303,
        "signed out everywhere"
    );
    let home = sign_in(&site, &issuer, &mut bob, "bob-at-google").await;
    assert_eq!(home.location(), "/agent");
    let profile = bob.get(&site, "/profile").await;
    assert!(
        profile.body.contains("Your account has no password") && !profile.body.contains("old_password"),
        "{}",
        profile.body
    );
    let page = bob.get(&site, "/profile/confirm?next=/profile/security").await;
    assert!(
        page.body.contains(">Confirm with Google</button>") && !page.body.contains("type=\"password\""),
        "{}",
        page.body
    );
    site.clock.advance(STEP_UP_SECONDS + 1);
    let out = bob
        .post(&site, "/auth/google/confirm", &[("next", "//evil.test")])
        .await;
    let back = come_back(&site, &issuer, &mut bob, &out, "bob-at-google").await;
    assert_eq!(back.status, 200, "{}", back.body);
    let before = bob.cookie("session");
    let done = bob.get(&site, "/auth/continue").await;
    assert_eq!(done.location(), "/profile/security?confirmed", "{}", done.body);
    assert_ne!(
        bob.cookie("session"),
        before,
        "the session goes on under a new token"
    );
    let off = bob
        .post(
            &site,
            "/profile/security/sso/disconnect",
            &[("provider", "google")],
        )
        .await;
    assert_eq!(off.status, 409, "it is the last way in: {}", off.body);
    let mut stranger = Browser::default();
    let answer = stranger.post(&site, "/auth/google/confirm", &[]).await;
    assert!(answer.location().starts_with("/login"), "{}", answer.location());
}

#[tokio::test]
async fn whoever_cancels_the_binding_leaves_nothing_behind() {
    let (site, issuer) = with_google().await;
    let mut browser = Browser::default();
    sign_in(&site, &issuer, &mut browser, "bob-at-google").await;
    let page = browser.get(&site, "/login/bind").await;
    for shown in [
        "<h1>Connect your account</h1>",
        ">Bind</button>",
        ">Cancel</button>",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    let flow = browser.cookie("sso").unwrap();
    let cancelled = browser.post(&site, "/login/bind/cancel", &[]).await;
    assert_eq!((cancelled.status, cancelled.location()), (303, "/login"));
    assert!(!browser.has("sso"));
    browser.set_cookie("sso", &flow);
    let gone = browser.get(&site, "/login/bind").await;
    assert_eq!(gone.location(), "/login?ended");
}
