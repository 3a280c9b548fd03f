//! Second factors, step-up and Security Settings as a browser without scripts walks through them.

use chrono::TimeDelta;
use vestibule_core::{authenticator::AppSecret, company::RequireSecondFactor};

use crate::site::{Answer, Browser, PASSWORD, Site};

/// Every page that only somebody who is signed in may see.
const PAGES: [&str; 10] = [
    "/agent",
    "/admin",
    "/profile",
    "/profile/confirm",
    "/profile/security",
    "/profile/security/set-up",
    "/profile/security/email",
    "/profile/security/app",
    "/profile/security/app/code",
    "/profile/security/backup-codes",
];

/// Every server function that only somebody who is signed in may call.
const FUNCTIONS: [(&str, &[(&str, &str)]); 18] = [
    (
        "/profile",
        &[
            ("first_name", "X"),
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
            ("old_password", PASSWORD),
            ("new_password", "orchard marble thunder"),
            ("confirm_password", "orchard marble thunder"),
        ],
    ),
    ("/profile/password/check", &[("new_password", "x")]),
    (
        "/profile/confirm",
        &[("password", PASSWORD), ("next", "/profile")],
    ),
    ("/profile/security/email", &[]),
    (
        "/profile/security/email/code",
        &[("set_up", "x"), ("code", "123456")],
    ),
    ("/profile/security/email/resend", &[]),
    ("/profile/security/email/off", &[]),
    ("/profile/security/app", &[]),
    (
        "/profile/security/app/code",
        &[("set_up", "x"), ("code", "123456")],
    ),
    ("/profile/security/app/off", &[]),
    ("/profile/security/backup-codes", &[]),
    (
        "/profile/security/backup-codes/new",
        &[("next", "/profile/security")],
    ),
    (
        "/profile/security/trusted/remove",
        &[("id", "00000000-0000-0000-0000-000000000000")],
    ),
    ("/profile/security/trusted/remove-all", &[]),
    (
        "/profile/security/sessions/end",
        &[("id", "00000000-0000-0000-0000-000000000000")],
    ),
    ("/profile/security/sessions/end-others", &[]),
    ("/login/code/method", &[]),
];

/// What stands between two marks.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let start = text.find(before).unwrap() + before.len();
    &text[start..start + text[start..].find(after).unwrap()]
}

/// The identifier of the set-up that a page's form carries.
fn set_up_of(page: &Answer) -> &str {
    let input = page
        .body
        .split("<input")
        .find(|input| input.contains("name=\"set_up\""))
        .unwrap();
    between(input, "value=\"", "\"")
}

/// The codes that a page shows.
fn backup_codes(page: &Answer) -> Vec<String> {
    page.body
        .split(['>', '<'])
        .filter(|text| text.len() == 19 && text.matches('-').count() == 3)
        .map(str::to_owned)
        .collect()
}

async fn signed_in(site: &Site, account: &str) -> Browser {
    let mut browser = Browser::default();
    let answer = browser
        .post(
            site,
            "/login",
            &[("company", "Acme"), ("account", account), ("password", PASSWORD)],
        )
        .await;
    if answer.location() == "/login/code" {
        let code = site.code(account).await;
        browser.post(site, "/login/code", &[("code", &code)]).await;
    }
    assert!(browser.has("session"));
    browser
}

/// The secret that the set-up page shows for typing.
async fn secret_on_page(site: &Site, browser: &mut Browser) -> AppSecret {
    let page = browser.get(site, "/profile/security/app").await;
    assert!(page.body.contains("<svg") && page.body.contains("role=\"img\""));
    let typed = page
        .body
        .split(['>', '<'])
        .find(|text| text.len() == 39 && text.split(' ').all(|group| group.len() == 4))
        .unwrap()
        .replace(' ', "");
    let bytes = data_encoding::BASE32_NOPAD.decode(typed.as_bytes()).unwrap();
    AppSecret::from_bytes(&bytes).unwrap()
}

fn code_of(site: &Site, secret: &AppSecret) -> String {
    secret.code_at(site.now()).reveal().to_owned()
}

async fn set_up_app(site: &Site, browser: &mut Browser) -> (AppSecret, Answer) {
    let begun = browser.post(site, "/profile/security/app", &[]).await;
    assert_eq!(
        (begun.status, begun.location()),
        (303, "/profile/security/app"),
        "{}",
        begun.body
    );
    let secret = secret_on_page(site, browser).await;
    let page = browser.get(site, "/profile/security/app/code").await;
    let set_up = set_up_of(&page).to_owned();
    let code = code_of(site, &secret);
    let done = browser
        .post(
            site,
            "/profile/security/app/code",
            &[("set_up", &set_up), ("code", &code)],
        )
        .await;
    (secret, done)
}

/// The page with the codes that something led to.
async fn shown_codes(site: &Site, browser: &mut Browser, done: &Answer) -> Answer {
    assert_eq!(done.status, 303, "{}", done.body);
    assert!(
        done.location()
            .starts_with("/profile/security/backup-codes/new?next=/"),
        "{}",
        done.location()
    );
    let page = browser.get(site, done.location()).await;
    assert_eq!(page.status, 200, "{}", page.body);
    page
}

#[tokio::test]
async fn nothing_opens_without_a_session_or_with_half_a_sign_in() {
    let site = Site::new().await;
    let mut half = Browser::default();
    half.past_password(&site, "alice").await;
    let pending = half.cookie("pending").unwrap();
    let mut renamed = Browser::default();
    renamed.set_cookie("session", &pending);
    for browser in [&mut Browser::default(), &mut half, &mut renamed] {
        for page in PAGES {
            let answer = browser.get(&site, page).await;
            assert_eq!(answer.status, 303, "{page}");
            assert!(
                answer.location().starts_with("/login"),
                "{page}: {}",
                answer.location()
            );
        }
    }
    for cookie in [
        ("nothing", ""),
        ("pending", pending.as_str()),
        ("session", pending.as_str()),
    ] {
        for (path, fields) in FUNCTIONS.iter().filter(|(path, _)| *path != "/login/code/method") {
            let mut program = Browser::program();
            program.set_cookie(cookie.0, cookie.1);
            let answer = program.post(&site, path, fields).await;
            assert_eq!(answer.status, 401, "{path} with {}: {}", cookie.0, answer.body);
            assert!(answer.body.contains("not_signed_in"), "{}", answer.body);
        }
    }
}

#[tokio::test]
async fn an_authenticator_app_is_set_up_and_asked_for() {
    let site = Site::new().await;
    let mut browser = signed_in(&site, "bob").await;
    let (secret, done) = set_up_app(&site, &mut browser).await;
    let page = shown_codes(&site, &mut browser, &done).await;
    let codes = backup_codes(&page);
    assert_eq!(codes.len(), 10, "{}", page.body);
    assert!(page.body.contains("download=") && page.body.contains("data:text/plain"));
    assert!(page.header("cache-control").contains("no-store"));
    assert!(
        page.body
            .contains("name=\"next\" value=\"/profile/security?changed\""),
        "{}",
        page.body
    );

    // A reload shows them again, and so does another language; another session of the account does not.
    let switch = [("language", "de"), ("return_to", done.location())];
    let switched = browser.post(&site, "/language", &switch).await;
    assert_eq!(switched.location(), done.location());
    let again = browser.get(&site, done.location()).await;
    assert!(again.body.contains("<html lang=\"de\""), "{}", again.body);
    assert_eq!(backup_codes(&again), codes);
    browser
        .post(&site, "/language", &[("language", "en"), ("return_to", "/")])
        .await;
    let mut nobody = Browser::default();
    let elsewhere = nobody.get(&site, done.location()).await;
    assert!(
        elsewhere.location().starts_with("/login?next="),
        "{}",
        elsewhere.location()
    );

    let list = browser.get(&site, "/profile/security/backup-codes").await;
    assert!(backup_codes(&list).is_empty(), "shown once");
    for code in &codes {
        assert!(!list.body.contains(code));
    }

    browser.post(&site, "/logout", &[]).await;
    let answer = browser
        .post(
            &site,
            "/login",
            &[("company", "Acme"), ("account", "bob"), ("password", PASSWORD)],
        )
        .await;
    assert_eq!(answer.location(), "/login/code");
    let page = browser.get(&site, "/login/code").await;
    assert!(!page.body.contains("***@"), "no address: nothing was mailed");
    let replay = code_of(&site, &secret);
    let refused = browser.post(&site, "/login/code", &[("code", &replay)]).await;
    assert_eq!(refused.status, 401);
    assert!(refused.body.contains("has already been used"), "{}", refused.body);
    let backup = browser.get(&site, "/login/code?backup").await;
    assert!(backup.body.contains("name=\"backup\""), "{}", backup.body);
    let answer = browser
        .post(
            &site,
            "/login/code",
            &[("code", &codes[2].to_lowercase()), ("backup", "yes")],
        )
        .await;
    assert_eq!((answer.status, answer.location()), (303, "/agent"));
}

#[tokio::test]
async fn a_stale_proof_leads_through_the_password_to_the_set_up() {
    let site = Site::new().await;
    let mut browser = signed_in(&site, "bob").await;
    let before = browser.cookie("session").unwrap();
    site.clock.advance(301);
    let answer = browser.post(&site, "/profile/security/app", &[]).await;
    assert_eq!(answer.status, 303);
    assert!(
        answer.location().starts_with("/profile/confirm?next="),
        "{}",
        answer.location()
    );
    let page = browser.get(&site, answer.location()).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("/profile/security/app"));
    let wrong = browser
        .post(
            &site,
            "/profile/confirm",
            &[("password", "wrong"), ("next", "/profile/security/app")],
        )
        .await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.body.contains("The password is incorrect") && !wrong.body.contains("value=\"wrong\""));
    let right = browser
        .post(
            &site,
            "/profile/confirm",
            &[("password", PASSWORD), ("next", "/profile/security/app")],
        )
        .await;
    assert_eq!((right.status, right.location()), (303, "/profile/security/app"));
    assert_ne!(browser.cookie("session").unwrap(), before, "a new token");
    secret_on_page(&site, &mut browser).await;
    for foreign in ["//evil.test", "https://evil.test", "/\\evil.test"] {
        let answer = browser
            .post(
                &site,
                "/profile/confirm",
                &[("password", PASSWORD), ("next", foreign)],
            )
            .await;
        assert_eq!(answer.location(), "/profile/security?confirmed", "{foreign}");
    }
}

#[tokio::test]
async fn a_step_up_with_a_code_goes_over_the_code_page_and_back() {
    let site = Site::new().await;
    let mut browser = signed_in(&site, "alice").await;
    site.clock.advance(301);
    let fields = [("password", PASSWORD), ("next", "/profile/security/app")];
    let answer = browser.post(&site, "/profile/confirm", &fields).await;
    assert_eq!(answer.location(), "/login/code", "{}", answer.body);
    let page = browser.get(&site, "/login/code").await;
    assert!(!page.body.contains("name=\"trust\""), "nothing to trust here");
    let code = site.code("alice").await;
    let answer = browser.post(&site, "/login/code", &[("code", &code)]).await;
    assert_eq!((answer.status, answer.location()), (303, "/profile/security/app"));
    secret_on_page(&site, &mut browser).await;

    site.clock.advance(301);
    browser.post(&site, "/profile/confirm", &fields).await;
    let answer = browser.post(&site, "/login/code/cancel", &[]).await;
    assert_eq!((answer.status, answer.location()), (303, "/profile/security"));
    assert_eq!(browser.get(&site, "/agent").await.status, 200, "still signed in");
}

#[tokio::test]
async fn who_has_to_set_up_a_second_factor_gets_nowhere_else() {
    let site = Site::new().await;
    let mut browser = signed_in(&site, "bob").await;
    site.service
        .operator()
        .set_require_second_factor("Acme", RequireSecondFactor::Everyone)
        .await
        .unwrap();
    for page in [
        "/agent",
        "/profile",
        "/profile/security",
        "/profile/security/backup-codes",
    ] {
        let answer = browser.get(&site, page).await;
        assert_eq!(
            (answer.status, answer.location()),
            (303, "/profile/security/set-up"),
            "{page}"
        );
    }
    let page = browser.get(&site, "/profile/security/set-up").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("action=\"/logout\""), "there is a way out");
    let mut program = Browser::program();
    program.set_cookie("session", &browser.cookie("session").unwrap());
    for (path, fields) in FUNCTIONS {
        let opens = path.starts_with("/profile/security/app")
            || path.starts_with("/profile/security/email")
            || matches!(
                path,
                "/profile/confirm" | "/login/code/method" | "/profile/security/backup-codes/new"
            );
        if !opens || path.ends_with("/off") {
            let answer = program.post(&site, path, fields).await;
            assert_eq!(answer.status, 403, "{path}: {}", answer.body);
            assert!(answer.body.contains("set_up_required"), "{path}: {}", answer.body);
        }
    }
    let (_, done) = set_up_app(&site, &mut browser).await;
    let page = shown_codes(&site, &mut browser, &done).await;
    assert_eq!(backup_codes(&page).len(), 10);
    assert!(
        page.body.contains("name=\"next\" value=\"/\""),
        "whoever had to set it up goes on"
    );
    assert_eq!(browser.get(&site, "/agent").await.status, 200);
    let refused = browser.post(&site, "/profile/security/app/off", &[]).await;
    assert_eq!(refused.status, 403);
    assert!(
        refused.body.contains("you can't turn off your only method"),
        "{}",
        refused.body
    );
    site.clock.advance(vestibule_core::limits::CODES_SHOWN_SECONDS);
    let late = browser.get(&site, done.location()).await;
    assert_eq!(late.location(), "/profile/security/backup-codes", "not for long");
}

#[tokio::test]
async fn new_codes_are_shown_again_to_whoever_proves_who_they_are_until_they_are_saved() {
    let site = Site::new().await;
    let mut browser = signed_in(&site, "bob").await;
    site.clock.advance(200);
    let (secret, done) = set_up_app(&site, &mut browser).await;
    let codes = backup_codes(&shown_codes(&site, &mut browser, &done).await);
    site.clock.advance(101);
    // Whoever sits down at a browser that was left.
    let left = browser.get(&site, done.location()).await;
    assert_eq!(left.status, 303, "{}", left.body);
    assert!(
        left.location().starts_with("/profile/confirm?next="),
        "{}",
        left.location()
    );
    let fields = [("password", PASSWORD), ("next", done.location())];
    let asked = browser.post(&site, "/profile/confirm", &fields).await;
    assert_eq!(asked.location(), "/login/code", "{}", asked.body);
    let code = code_of(&site, &secret);
    let proved = browser.post(&site, "/login/code", &[("code", &code)]).await;
    assert_eq!(
        proved.location(),
        done.location(),
        "it leads back: {}",
        proved.body
    );
    let again = browser.get(&site, proved.location()).await;
    assert_eq!(backup_codes(&again), codes);
    let urged = "Save these codes now: soon they can't be shown again.";
    assert!(again.body.contains(urged), "{}", again.body);

    for (next, leads_to) in [
        ("/profile/security?changed", "/profile/security?changed"),
        ("//evil.test", "/profile/security"),
    ] {
        let saved = browser
            .post(&site, "/profile/security/backup-codes/new", &[("next", next)])
            .await;
        assert_eq!((saved.status, saved.location()), (303, leads_to));
    }
    let over = browser.get(&site, done.location()).await;
    assert_eq!(
        over.location(),
        "/profile/security/backup-codes",
        "they are saved"
    );
}

#[tokio::test]
async fn a_new_password_leads_back_to_the_sign_in_page() {
    let site = Site::new().await;
    let mut browser = signed_in(&site, "bob").await;
    let mut phone = signed_in(&site, "bob").await;
    let change = |old: &'static str, new: &'static str, confirm: &'static str| {
        [
            ("old_password", old),
            ("new_password", new),
            ("confirm_password", confirm),
        ]
    };
    let refused = browser
        .post(
            &site,
            "/profile/password",
            &change(PASSWORD, "acmeacmeacme", "other"),
        )
        .await;
    assert_eq!(refused.status, 422);
    for sentence in ["easy to guess", "don't match"] {
        assert!(refused.body.contains(sentence), "{sentence}: {}", refused.body);
    }
    assert!(!refused.body.contains("acmeacmeacme") && !refused.body.contains(PASSWORD));
    let new = "orchard marble thunder";
    let done = browser
        .post(&site, "/profile/password", &change(PASSWORD, new, new))
        .await;
    assert_eq!((done.status, done.location()), (303, "/login?password_changed"));
    let login = browser.get(&site, "/login?password_changed").await;
    assert_eq!(login.status, 200, "nobody is signed in any more");
    assert_eq!(phone.get(&site, "/agent").await.status, 303);
}

#[tokio::test]
async fn feedback_about_a_new_password_is_a_sentence() {
    let site = Site::new().await;
    let browser = signed_in(&site, "bob").await;
    let mut program = Browser::program();
    program.set_cookie("session", &browser.cookie("session").unwrap());
    for (typed, good) in [
        ("", false),
        ("short", false),
        ("bobbobbobbob", false),
        ("orchard marble thunder", true),
    ] {
        let answer = program
            .post(&site, "/profile/password/check", &[("new_password", typed)])
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let told: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(told["good"], good, "{typed}: {told}");
        assert!(!told["sentence"].as_str().unwrap().is_empty());
    }
}

#[tokio::test]
async fn an_older_tab_of_a_set_up_is_told_that_it_is_over() {
    let site = Site::new().await;
    let mut browser = signed_in(&site, "bob").await;
    browser.post(&site, "/profile/security/app", &[]).await;
    let secret = secret_on_page(&site, &mut browser).await;
    let older = browser.get(&site, "/profile/security/app/code").await;
    let older = set_up_of(&older).to_owned();
    browser.post(&site, "/profile/security/app", &[]).await;
    let code = code_of(&site, &secret);
    let answer = browser
        .post(
            &site,
            "/profile/security/app/code",
            &[("set_up", &older), ("code", &code)],
        )
        .await;
    assert_eq!(answer.status, 410, "{}", answer.body);
    assert!(answer.body.contains("replaced by a newer one"), "{}", answer.body);
    let account = site
        .service
        .operator()
        .account_named("Acme", "bob")
        .await
        .unwrap()
        .1;
    assert!(!account.app_factor && account.wrong_codes == 0);
}

#[tokio::test]
async fn a_clock_hint_is_a_sentence_with_the_difference() {
    let site = Site::new().await;
    let (secret, _) = site.service.operator().give_app("Acme", "bob").await.unwrap();
    let mut browser = Browser::default();
    browser.past_password(&site, "bob").await;
    let ahead = secret.code_at(site.now() + TimeDelta::seconds(240));
    let answer = browser
        .post(&site, "/login/code", &[("code", ahead.reveal())])
        .await;
    assert_eq!(answer.status, 401);
    assert!(answer.body.contains("clock is 4 minutes fast"), "{}", answer.body);
    let account = site
        .service
        .operator()
        .account_named("Acme", "bob")
        .await
        .unwrap()
        .1;
    assert_eq!(account.wrong_codes, 1);
}
