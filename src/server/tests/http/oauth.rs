//! Signing agents in to applications: what stands before it, what ends it, and faults that others had.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;
use vestibule_core::{
    account::Role, company::RequireSecondFactor, oidc::application::ApplicationInput, session::Proof,
};
use vestibule_server::form::Access;

use crate::{
    company::{account, other_company},
    relying_party::{
        BYE, CALLBACK, CHALLENGE, RelyingParty, VERIFIER, called_back, json, led_on, parameter, part,
        refused, typed,
    },
    site::{Answer, Browser, PASSWORD},
};

/// What an application was told.
type Told = Arc<Mutex<Vec<String>>>;

/// An application of the installation that listens on this machine, and what it hears.
pub async fn listening(party: RelyingParty) -> (RelyingParty, Told) {
    let told: Told = Told::default();
    let heard = Arc::clone(&told);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let routes =
        axum::Router::new().fallback(move |body: String| async move { heard.lock().unwrap().push(body) });
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let input = ApplicationInput {
        back_channel_uri: format!("http://{address}/ended"),
        ..typed("web")
    };
    (RelyingParty::at(party.site, None, &input).await, told)
}

/// A code that was mailed, and what the account proved with it.
async fn with_code(party: &mut RelyingParty, account: &str, next: &str) -> String {
    let typed = [
        ("company", "Acme"),
        ("account", account),
        ("password", PASSWORD),
        ("next", next),
    ];
    let answer = party.browser.post(&party.site, "/login", &typed).await;
    assert_eq!(answer.location(), "/login/code", "{}", answer.body);
    let code = party.site.code(account).await;
    let answer = party
        .browser
        .post(&party.site, "/login/code", &[("code", &code)])
        .await;
    answer.location().to_owned()
}

#[tokio::test]
async fn a_second_factor_stands_before_the_code_and_the_way_back_is_kept() {
    let mut party = RelyingParty::new().await;
    let out = party.authorize(&[("scope", "openid email")]).await;
    let next = parameter(out.location(), "next");
    assert_eq!(with_code(&mut party, "alice", &next).await, next);
    let page = party.browser.get(&party.site, &next).await;
    let said = called_back(&led_on(&page));
    let tokens = json(&party.trade(&said["code"]).await);
    let claims = party.verified(tokens["id_token"].as_str().unwrap()).await;
    assert_eq!(claims["acr"], "urn:vestibule:acr:mail-code");
    assert_eq!(claims["amr"], serde_json::json!(["mfa", "otp"]));
    assert_eq!(
        (claims["email"].as_str(), claims["email_verified"].as_bool()),
        (Some("alice@acme.test"), Some(true))
    );
}

/// A form of another site: it brings no cookies.
async fn posted(party: &RelyingParty, body: String) -> Answer {
    let mut foreign = Browser::default();
    foreign.without_origin();
    foreign
        .extra
        .push(("origin", "https://desktop.acme.test".to_owned()));
    foreign.extra.push(("sec-fetch-site", "cross-site".to_owned()));
    let body = Some(body.into_bytes());
    foreign.send(&party.site, "POST", "/oauth/authorize", body).await
}

#[tokio::test]
async fn a_long_request_survives_the_sign_in_and_one_that_is_too_long_is_answered() {
    let mut party = RelyingParty::new().await;
    let (state, nonce) = ("s".repeat(2048), "n".repeat(2048));
    let long = [
        ("state", state.as_str()),
        ("nonce", &nonce),
        ("scope", "openid profile email phone company roles offline_access"),
    ];
    let out = party.authorize(&long).await;
    assert!(out.location().len() < 200, "{}", out.location());
    let next = parameter(out.location(), "next");
    assert_eq!(with_code(&mut party, "alice", &next).await, next);
    let page = party.browser.get(&party.site, &next).await;
    let said = called_back(&led_on(&page));
    assert_eq!(said["state"], state);
    let tokens = json(&party.trade(&said["code"]).await);
    assert_eq!(
        part(tokens["id_token"].as_str().unwrap(), 1)["nonce"],
        nonce.as_str()
    );

    let out = posted(&party, party.query(&long)).await;
    let page = party.browser.get(&party.site, out.location()).await;
    assert_eq!(called_back(&led_on(&page))["state"], state);
    let page = posted(&party, "a".repeat(5000)).await;
    assert!(page.status == 400 && !page.has_header("location"));
    // Nobody is led to an application of a company, but by what may show no page.
    let hint = "h".repeat(9000);
    for (wrong, error) in [
        ([long[0], ("scope", "")], "invalid_scope"),
        ([long[0], ("login_hint", &hint)], "invalid_request"),
    ] {
        let page = posted(&party, party.query(&wrong)).await;
        assert!(page.status == 400 && !page.has_header("location"), "{error}");
        assert!(page.body.contains("Back to Agent Desktop"), "{}", page.body);
        let silent = [&wrong[..], &[("prompt", "none")]].concat();
        let out = posted(&party, party.query(&silent)).await;
        assert_eq!(called_back(out.location())["error"], error);
    }

    let more = "s".repeat(2049);
    for too_long in [("state", more.as_str()), ("login_hint", &hint)] {
        assert_eq!(
            party.error(&[too_long]).await,
            "invalid_request",
            "{}",
            too_long.0
        );
    }
    let gone = format!("/oauth/resume?asked={}", "A".repeat(43));
    let page = party.browser.get(&party.site, &gone).await;
    assert!(
        page.status == 410 && page.body.contains("Your sign-in expired."),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn an_application_that_asks_for_more_gets_a_step_up() {
    let mut party = RelyingParty::new().await;
    // Signed in on a trusted browser: no second factor was asked.
    let (_, token) = party
        .site
        .service
        .operator()
        .give_session("Acme", "alice", Proof::TrustedBrowser)
        .await
        .unwrap();
    party.browser.set_cookie("session", &token.reveal());
    party.code(&[]).await;
    let wanted = [("acr_values", "urn:vestibule:acr:mail-code")];
    let silent = [wanted[0], ("prompt", "none")];
    assert_eq!(party.error(&silent).await, "login_required");
    let out = party.authorize(&wanted).await;
    let next = parameter(out.location(), "next");
    let typed = [("password", PASSWORD), ("next", &next)];
    let asked = party.browser.post(&party.site, "/profile/confirm", &typed).await;
    assert_eq!(asked.location(), "/login/code", "{}", asked.body);
    let code = party.site.code("alice").await;
    let back = party
        .browser
        .post(&party.site, "/login/code", &[("code", &code)])
        .await;
    assert_eq!(back.location(), next);
    let page = party.browser.get(&party.site, &next).await;
    let tokens = json(&party.trade(&called_back(&led_on(&page))["code"]).await);
    assert_eq!(
        part(tokens["id_token"].as_str().unwrap(), 1)["acr"],
        "urn:vestibule:acr:mail-code"
    );
}

/// Whoever has to sign in again does it for this request: one that somebody else began, and handed over, is met by nothing.
#[tokio::test]
async fn a_proof_counts_for_the_request_in_the_browser_that_it_came_to() {
    let mut party = RelyingParty::new().await;
    let out = party.authorize(&[("prompt", "login")]).await;
    assert!(party.browser.has("browser"), "it is known again");
    let next = parameter(out.location(), "next");
    let own = std::mem::take(&mut party.browser);
    party.site.clock.advance(5);
    party.sign_in("bob").await;
    let asked = party.browser.get(&party.site, &next).await;
    assert!(
        asked.location().starts_with("/profile/confirm?next="),
        "{}",
        asked.body
    );
    party.browser = own;
    party.sign_in("bob").await;
    let page = party.browser.get(&party.site, &next).await;
    assert!(called_back(&led_on(&page)).contains_key("code"));
}

#[tokio::test]
async fn a_choice_counts_in_the_browser_that_it_was_made_in() {
    let mut party = RelyingParty::new().await;
    party.sign_in("bob").await;
    let page = party.authorize(&[("prompt", "select_account")]).await;
    let (_, rest) = page.body.split_once("name=\"asked\" value=\"").unwrap();
    let asked = rest.split_once('"').unwrap().0.to_owned();
    let typed = [("asked", asked.as_str()), ("how", "go_on")];
    let on = party.browser.post(&party.site, "/oauth/choose", &typed).await;
    let chosen = on.location().to_owned();
    let page = party.browser.get(&party.site, &chosen).await;
    assert!(called_back(&led_on(&page)).contains_key("code"));
    party.browser = Browser::default();
    party.sign_in("bob").await;
    let page = party.browser.get(&party.site, &chosen).await;
    assert!(page.body.contains("Continue as Bob"), "{}", page.body);
}

#[tokio::test]
async fn what_has_to_be_done_first_is_done_first() {
    let mut party = RelyingParty::new().await;
    party.sign_in("bob").await;
    let operator = party.site.service.operator();
    operator
        .set_require_second_factor("Acme", RequireSecondFactor::Everyone)
        .await
        .unwrap();
    assert_eq!(party.authorize(&[]).await.location(), "/profile/security/set-up");
    assert_eq!(party.error(&[("prompt", "none")]).await, "interaction_required");
    let operator = party.site.service.operator();
    operator
        .set_require_second_factor("Acme", RequireSecondFactor::Off)
        .await
        .unwrap();
    operator.lock_account("Acme", "bob").await.unwrap();
    assert_eq!(
        party.error(&[]).await,
        "access_denied",
        "a locked account goes nowhere"
    );
}

#[tokio::test]
async fn an_application_is_there_for_its_company_and_its_roles_only() {
    let input = ApplicationInput {
        roles: vec!["supervisor".into()],
        ..typed("web")
    };
    let mut party = RelyingParty::of("Acme", &input).await;
    party.sign_in("bob").await;
    let page = party.authorize(&[]).await;
    assert!(
        page.status == 200 && page.body.contains("t use Agent Desktop"),
        "{}",
        page.body
    );
    assert!(!page.body.contains("Continue as"));
    assert_eq!(party.error(&[("prompt", "none")]).await, "access_denied");

    let boss = other_company(&party.site).await;
    let own = std::mem::replace(&mut party.browser, boss);
    let page = party.authorize(&[]).await;
    assert!(
        page.status == 200 && page.body.contains("expects an account other than"),
        "{}",
        page.body
    );
    assert_eq!(party.error(&[("prompt", "none")]).await, "login_required");
    party.browser = own;

    let mut shared = RelyingParty::at(party.site, None, &typed("web")).await;
    shared.sign_in("bob").await;
    shared.code(&[]).await;
    shared.browser = crate::company::signed_in(&shared.site, "Globex", "boss").await;
    shared.code(&[]).await;
}

#[tokio::test]
async fn the_agent_chooses_as_whom() {
    let mut party = RelyingParty::new().await;
    party.sign_in("bob").await;
    let page = party.authorize(&[("prompt", "select_account")]).await;
    let (_, rest) = page.body.split_once("name=\"asked\" value=\"").unwrap();
    let asked = rest.split_once('"').unwrap().0.to_owned();
    let fields = |how: &'static str| [("asked", asked.clone()), ("how", how.to_owned())];
    let send = async |party: &mut RelyingParty, how: &'static str| {
        let [asked, how] = fields(how);
        let sent = [(asked.0, asked.1.as_str()), (how.0, how.1.as_str())];
        party.browser.post(&party.site, "/oauth/choose", &sent).await
    };
    let on = send(&mut party, "go_on").await;
    let page = party.browser.get(&party.site, on.location()).await;
    assert!(called_back(&led_on(&page)).contains_key("code"));
    let on = send(&mut party, "other").await;
    let out = party.browser.get(&party.site, on.location()).await;
    assert!(out.location().starts_with("/login?next="), "{}", out.location());
    assert_eq!(
        party.browser.get(&party.site, "/agent").await.status,
        303,
        "bob is signed out"
    );
    let damaged = [("asked", "nonsense"), ("how", "go_on")];
    assert_eq!(
        party
            .browser
            .post(&party.site, "/oauth/choose", &damaged)
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn refresh_tokens_rotate_and_a_copy_ends_the_family() {
    let mut party = RelyingParty::new().await;
    party.sign_in("bob").await;
    let first = party.tokens(&[("scope", "openid offline_access")]).await;
    let token = first["refresh_token"].as_str().unwrap();
    let second = json(&party.refresh(token).await);
    party.site.clock.advance(29);
    let again = json(&party.refresh(token).await);
    for same in ["access_token", "refresh_token"] {
        assert_eq!(
            second[same], again[same],
            "the answer was lost and is given again: {same}"
        );
    }
    let newest = json(&party.refresh(second["refresh_token"].as_str().unwrap()).await);
    party.site.clock.advance(1);
    assert_eq!(refused(&party.refresh(token).await), "invalid_grant");
    assert_eq!(
        refused(&party.refresh(newest["refresh_token"].as_str().unwrap()).await),
        "invalid_grant"
    );
    assert_eq!(
        party
            .userinfo(newest["access_token"].as_str().unwrap())
            .await
            .status,
        401
    );
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
        ("scope", "openid roles"),
    ];
    let mut other = RelyingParty::new().await;
    other.sign_in("bob").await;
    let fresh = other.tokens(&[("scope", "openid offline_access")]).await;
    let fields = [
        fields[0],
        ("refresh_token", fresh["refresh_token"].as_str().unwrap()),
        fields[2],
    ];
    assert_eq!(
        refused(&other.post("/oauth/token", &fields).await),
        "invalid_scope"
    );
}

/// Whoever has used what a token was traded for has got the answer: the token is a copy then, however young.
#[tokio::test]
async fn an_answer_that_was_used_is_not_given_again() {
    let mut party = RelyingParty::new().await;
    party.sign_in("bob").await;
    let first = party.tokens(&[("scope", "openid offline_access")]).await;
    let token = first["refresh_token"].as_str().unwrap();
    let second = json(&party.refresh(token).await);
    let third = json(&party.refresh(second["refresh_token"].as_str().unwrap()).await);
    assert_eq!(refused(&party.refresh(token).await), "invalid_grant");
    let newest = third["refresh_token"].as_str().unwrap();
    assert_eq!(
        refused(&party.refresh(newest).await),
        "invalid_grant",
        "the family has ended"
    );
    let access = third["access_token"].as_str().unwrap();
    assert_eq!(party.userinfo(access).await.status, 401);
}

/// The access token, the refresh token and a code that was not used yet.
async fn everything(party: &mut RelyingParty) -> (String, String, String) {
    let tokens = party.tokens(&[("scope", "openid offline_access")]).await;
    let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
    let code = party.code(&[]).await;
    assert_eq!(party.userinfo(&text("access_token")).await.status, 200);
    (text("access_token"), text("refresh_token"), code)
}

async fn assert_all_over(
    party: &RelyingParty,
    (access, refresh, code): &(String, String, String),
    what: &str,
) {
    let answer = party.userinfo(access).await;
    assert_eq!(
        (answer.status, answer.header("www-authenticate")),
        (401, "Bearer error=\"invalid_token\""),
        "{what}"
    );
    assert_eq!(refused(&party.refresh(refresh).await), "invalid_grant", "{what}");
    assert_eq!(refused(&party.trade(code).await), "invalid_grant", "{what}");
    let said = json(&party.post("/oauth/introspect", &[("token", access)]).await);
    assert_eq!(said, serde_json::json!({ "active": false }), "{what}");
}

#[tokio::test]
async fn everything_ends_with_the_session_and_with_what_ends_it() {
    for what in ["logout", "lock", "deactivation", "company", "password", "idle"] {
        let mut party = RelyingParty::new().await;
        party.sign_in("bob").await;
        let got = everything(&mut party).await;
        let operator = party.site.service.operator();
        match what {
            "logout" => {
                party.browser.post(&party.site, "/logout", &[]).await;
            }
            "lock" => {
                operator.lock_account("Acme", "bob").await.unwrap();
                operator.unlock_account("Acme", "bob").await.unwrap();
            }
            "deactivation" => {
                operator.set_account_active("Acme", "bob", false).await.unwrap();
                operator.set_account_active("Acme", "bob", true).await.unwrap();
            }
            "company" => {
                operator.set_company_enabled("Acme", false).await.unwrap();
                operator.set_company_enabled("Acme", true).await.unwrap();
            }
            "password" => {
                let new = "quiet marble lantern";
                let fields = [
                    ("old_password", PASSWORD),
                    ("new_password", new),
                    ("confirm_password", new),
                ];
                let changed = party
                    .browser
                    .post(&party.site, "/profile/password", &fields)
                    .await;
                assert_eq!(changed.status, 303, "{}", changed.body);
            }
            _ => party.site.clock.advance(31 * 60),
        }
        assert_all_over(&party, &got, what).await;
    }
}

#[tokio::test]
async fn an_access_token_lives_five_minutes_and_a_code_one() {
    let mut party = RelyingParty::new().await;
    party.sign_in("bob").await;
    let (access, _, code) = everything(&mut party).await;
    party.site.clock.advance(60);
    assert_eq!(refused(&party.trade(&code).await), "invalid_grant");
    party.site.clock.advance(239);
    assert_eq!(party.userinfo(&access).await.status, 200);
    party.site.clock.advance(1);
    assert_eq!(party.userinfo(&access).await.status, 401);
}

#[tokio::test]
async fn applications_of_one_company_see_no_tokens_of_another() {
    let mut party = RelyingParty::new().await;
    party.sign_in("bob").await;
    let (access, refresh, _) = everything(&mut party).await;
    let said = json(&party.post("/oauth/introspect", &[("token", &access)]).await);
    assert_eq!(
        (said["active"].as_bool(), said["username"].as_str()),
        (Some(true), Some("bob"))
    );
    let said = json(&party.post("/oauth/introspect", &[("token", &refresh)]).await);
    assert_eq!(said["active"], true);
    other_company(&party.site).await;
    let site = party.site;
    let resource = RelyingParty::at(site, Some("Acme"), &typed("web")).await;
    let said = json(&resource.post("/oauth/introspect", &[("token", &access)]).await);
    assert_eq!(said["active"], true, "an interface of the same company may ask");
    let said = json(&resource.post("/oauth/introspect", &[("token", &refresh)]).await);
    assert_eq!(said["active"], false, "a refresh token is its owner's business");
    let foreign = RelyingParty::at(resource.site, Some("Globex"), &typed("web")).await;
    let said = json(&foreign.post("/oauth/introspect", &[("token", &access)]).await);
    assert_eq!(said["active"], false);
    assert_eq!(
        foreign.post("/oauth/revoke", &[("token", &refresh)]).await.status,
        200
    );
    assert_eq!(
        foreign
            .post("/oauth/revoke", &[("token", "nonsense")])
            .await
            .status,
        200
    );
    let own = RelyingParty {
        id: party.id,
        secret: party.secret,
        browser: Browser::default(),
        site: foreign.site,
    };
    assert_eq!(own.userinfo(&access).await.status, 200, "nobody else revokes it");
    assert_eq!(
        own.post("/oauth/revoke", &[("token", &refresh)]).await.status,
        200
    );
    assert_eq!(
        own.userinfo(&access).await.status,
        401,
        "all that came of the code ends with it"
    );
}

#[tokio::test]
async fn a_wrong_secret_is_counted_and_slowed_and_shuts_nobody_else_out() {
    let mut party = RelyingParty::new().await;
    party.sign_in("bob").await;
    let right = party.secret.replace("A".repeat(43));
    let mut refusals = Vec::new();
    for _ in 0..6 {
        let answer = party.trade("nonsense").await;
        refusals.push((answer.status, answer.has_header("retry-after")));
    }
    assert_eq!(refusals[0], (401, false));
    assert_eq!(refusals[4], (401, false), "the fifth is counted");
    assert_eq!(refusals[5], (429, true), "then it has to wait");
    party.secret = right;
    assert_eq!(
        party.trade("nonsense").await.status,
        400,
        "a right secret is never stopped by what others sent from there"
    );
    let mut elsewhere = Browser::program();
    elsewhere.without_origin();
    elsewhere.address = "203.0.113.9";
    let code = party.code(&[]).await;
    let (id, secret) = (party.id.clone(), party.secret.clone().unwrap());
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("client_id", &id),
        ("client_secret", &secret),
    ];
    assert_eq!(
        elsewhere.post(&party.site, "/oauth/token", &fields).await.status,
        200
    );
    party.site.clock.advance(31);
    assert_eq!(
        refused(&party.trade("nonsense").await),
        "invalid_grant",
        "the wait is over"
    );
}

#[tokio::test]
async fn a_secret_is_rotated_without_a_gap() {
    let mut party = RelyingParty::new().await;
    party.sign_in("bob").await;
    let rotate = async |party: &RelyingParty| {
        let operator = party.site.service.operator();
        operator
            .rotate_application_secret(&party.id)
            .await
            .unwrap()
            .reveal()
    };
    let first = party.secret.clone();
    let second = rotate(&party).await;
    let works = async |party: &mut RelyingParty, secret: &Option<String>| {
        party.secret.clone_from(secret);
        refused(&party.trade("nonsense").await) == "invalid_grant"
    };
    assert!(works(&mut party, &first).await && works(&mut party, &Some(second.clone())).await);
    let third = rotate(&party).await;
    assert!(!works(&mut party, &first).await, "never more than two");
    assert!(works(&mut party, &Some(second.clone())).await && works(&mut party, &Some(third.clone())).await);
    party.site.clock.advance(24 * 3600);
    assert!(!works(&mut party, &Some(second)).await);
    assert!(works(&mut party, &Some(third)).await);
}

#[tokio::test]
async fn an_application_in_the_browser_needs_pkce_and_reads_its_own_answers_only() {
    let mut party = RelyingParty::of("Acme", &typed("single_page")).await;
    party.sign_in("bob").await;
    assert_eq!(party.error(&[]).await, "invalid_request");
    let pkce = [("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];
    let port = [
        pkce[0],
        pkce[1],
        ("redirect_uri", "http://127.0.0.1:51004/callback"),
    ];
    let out = party.authorize(&port).await;
    assert!(
        out.location()
            .starts_with("http://127.0.0.1:51004/callback?code="),
        "{}",
        out.location()
    );
    for (origin, opened) in [("https://desktop.acme.test", true), ("https://evil.test", false)] {
        let code = party.code(&pkce).await;
        let mut script = Browser::program();
        script.without_origin();
        script.extra.push(("origin", origin.to_owned()));
        script.extra.push(("sec-fetch-site", "cross-site".to_owned()));
        let id = party.id.clone();
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", CALLBACK),
            ("client_id", &id),
            ("code_verifier", VERIFIER),
        ];
        let answer = script.post(&party.site, "/oauth/token", &fields).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let allowed = answer.header("access-control-allow-origin");
        assert_eq!(allowed, if opened { origin } else { "" });
        assert!(!answer.has_header("access-control-allow-credentials"));
    }
    let mut script = Browser::program();
    script
        .extra
        .push(("origin", "https://desktop.acme.test".to_owned()));
    let asked = script.send(&party.site, "OPTIONS", "/oauth/userinfo", None).await;
    assert_eq!(
        (asked.status, asked.header("access-control-allow-headers")),
        (204, "authorization, content-type")
    );
    party.secret = Some("A".repeat(43));
    assert_eq!(
        refused(&party.trade("nonsense").await),
        "invalid_client",
        "it has no secret"
    );
}

#[tokio::test]
async fn an_answer_may_be_posted_and_the_policy_lets_it() {
    let mut party = RelyingParty::new().await;
    party.sign_in("bob").await;
    let hostile = [
        ("response_mode", "form_post"),
        ("state", "\"><script>alert(1)</script>"),
    ];
    let page = party.authorize(&hostile).await;
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("form-action 'self' https://desktop.acme.test;"),
        "{policy}"
    );
    for field in ["name=\"code\"", "name=\"state\"", "name=\"iss\""] {
        assert!(page.body.contains(field), "{field}");
    }
    assert!(page.body.contains(&format!("action=\"{CALLBACK}\"")) && !page.body.contains("<script>alert"));
    let silent = [("response_mode", "form_post"), ("prompt", "none")];
    party.browser = Browser::default();
    assert!(
        party
            .authorize(&silent)
            .await
            .body
            .contains("value=\"login_required\"")
    );
}

/// A company enters the addresses of its applications itself: a link to this site must not be a link to any of them.
#[tokio::test]
async fn nobody_is_led_to_the_application_of_a_company_by_a_link_that_is_wrong() {
    let mut party = RelyingParty::new().await;
    let wrong = ("response_type", "token");
    let error = "unsupported_response_type";
    assert_eq!(party.offered(&[wrong]).await, error);
    let page = party.authorize(&[wrong, ("response_mode", "form_post")]).await;
    assert!(page.status == 400 && page.body.contains("name=\"error\""));
    assert!(!page.body.contains(".submit()") && page.body.contains(">desktop.acme.test<"));
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("form-action 'self' https://desktop.acme.test;"),
        "{policy}"
    );
    let damaged = [("id_token_hint", "damaged")];
    assert_eq!(party.offered(&damaged).await, "invalid_request");
    assert_eq!(
        party.error(&[wrong, ("prompt", "none")]).await,
        error,
        "nobody may be shown a page"
    );

    let boss = other_company(&party.site).await;
    let stranger = std::mem::replace(&mut party.browser, boss);
    assert_eq!(party.offered(&[wrong]).await, error, "of another company");
    party.browser = stranger;
    party.sign_in("bob").await;
    assert_eq!(party.error(&[wrong]).await, error, "the company's own people");

    let mut shared = RelyingParty::at(party.site, None, &typed("web")).await;
    assert_eq!(shared.error(&[wrong]).await, error, "the operator knows them");
}

#[tokio::test]
async fn a_sign_out_leads_nobody_on_who_was_not_signed_in() {
    let mut party = RelyingParty::new().await;
    party.sign_in("bob").await;
    let tokens = party.tokens(&[]).await;
    party.browser = Browser::default();
    let hint = tokens["id_token"].as_str().unwrap();
    let id = party.id.clone();
    for (name, value) in [("client_id", id.as_str()), ("id_token_hint", hint)] {
        let path = format!("/oauth/logout?{name}={value}&post_logout_redirect_uri={BYE}");
        let page = party.browser.get(&party.site, &path).await;
        assert!(page.status == 200 && !page.has_header("location"), "{name}");
        assert!(!page.body.contains("http-equiv=\"refresh\""), "{name}");
        assert!(
            page.body.contains(&format!("href=\"{BYE}\"")),
            "{name}: {}",
            page.body
        );
    }
    let mut shared = RelyingParty::at(party.site, None, &typed("web")).await;
    let path = format!(
        "/oauth/logout?client_id={}&post_logout_redirect_uri={BYE}",
        shared.id
    );
    let out = shared.browser.get(&shared.site, &path).await;
    assert_eq!((out.status, out.location()), (303, BYE));
}

/// Faults that other providers had.
#[tokio::test]
async fn faults_of_others_are_none_of_ours() {
    let mut party = RelyingParty::new().await;
    // A callback that is not checked when nobody may be asked.
    let page = party
        .authorize(&[("prompt", "none"), ("redirect_uri", "https://evil.test/")])
        .await;
    assert!(page.status == 400 && !page.has_header("location"));
    party.sign_in("bob").await;
    for (changes, error) in [
        (
            &[("code_challenge", CHALLENGE), ("code_challenge_method", "S512")][..],
            "invalid_request",
        ),
        (&[("scope", "")], "invalid_scope"),
        (&[("response_type", "token")], "unsupported_response_type"),
        (&[("response_type", "code id_token")], "unsupported_response_type"),
    ] {
        assert_eq!(party.error(changes).await, error, "{changes:?}");
    }
    party.code(&[("scope", "openid everything and_more")]).await;
    for uri in [
        "javascript:alert(1)",
        "https://*.acme.test/callback",
        "https://desktop.acme.test/callback#x",
    ] {
        assert_eq!(
            party.authorize(&[("redirect_uri", uri)]).await.status,
            400,
            "{uri}"
        );
        let input = ApplicationInput {
            redirect_uris: uri.into(),
            ..typed("web")
        };
        let added = party
            .site
            .service
            .operator()
            .add_application(Some("Acme"), &input)
            .await;
        assert!(added.is_err(), "{uri}");
    }
    let page = party
        .authorize(&[("client_id", "\"><script>alert(1)</script>")])
        .await;
    assert!(page.status == 400 && !page.body.contains("<script>alert"));
    // Parameters of the token endpoint in the query are logged by every proxy.
    let code = party.code(&[]).await;
    let path = format!("/oauth/token?grant_type=authorization_code&code={code}");
    assert_eq!(
        refused(&party.post(&path, &[("redirect_uri", CALLBACK)]).await),
        "invalid_request"
    );
    json(&party.trade(&code).await);
    let by_get = Browser::program().get(&party.site, "/oauth/token").await;
    assert_eq!(by_get.status, 405);
    for grant in [
        "password",
        "client_credentials",
        "urn:ietf:params:oauth:grant-type:device_code",
    ] {
        let answer = party.post("/oauth/token", &[("grant_type", grant)]).await;
        assert_eq!(refused(&answer), "unsupported_grant_type", "{grant}");
    }
    let in_query = format!("/oauth/userinfo?access_token={code}");
    assert_eq!(Browser::program().get(&party.site, &in_query).await.status, 401);
}

#[tokio::test]
async fn an_application_that_does_not_listen_is_told_later() {
    let party = RelyingParty::new().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let input = ApplicationInput {
        back_channel_uri: format!("http://{address}/ended"),
        ..typed("web")
    };
    let mut party = RelyingParty::at(party.site, None, &input).await;
    party.sign_in("bob").await;
    party.tokens(&[]).await;
    party.browser.post(&party.site, "/logout", &[]).await;
    let issuer = || party.site.service.issuer();
    assert_eq!(issuer().tell_logouts().await, Ok(0));
    party.site.clock.advance(1);
    assert_eq!(issuer().tell_logouts().await, Ok(0), "not before its time");
    let heard: Told = Told::default();
    let inbox = Arc::clone(&heard);
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    let routes =
        axum::Router::new().fallback(move |body: String| async move { inbox.lock().unwrap().push(body) });
    tokio::spawn(async move { axum::serve(listener, routes).await });
    party.site.clock.advance(60);
    assert_eq!(issuer().tell_logouts().await, Ok(1));
    assert_eq!(heard.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn an_application_that_hangs_holds_nobody_up() {
    let party = RelyingParty::new().await;
    // It takes every connection, and says nothing.
    let hanging = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let input = ApplicationInput {
        back_channel_uri: format!("http://{}/ended", hanging.local_addr().unwrap()),
        ..typed("web")
    };
    let mut slow = RelyingParty::at(party.site, None, &input).await;
    for _ in 0..20 {
        let operator = slow.site.service.operator();
        let session = operator.give_session("Acme", "bob", Proof::Password).await;
        slow.browser.set_cookie("session", &session.unwrap().1.reveal());
        slow.tokens(&[]).await;
    }
    let (mut quick, told) = listening(slow).await;
    quick.sign_in("bob").await;
    quick.tokens(&[]).await;
    let service = quick.site.service.clone();
    service
        .operator()
        .set_company_enabled("Acme", false)
        .await
        .unwrap();
    let telling = tokio::spawn(async move { service.issuer().tell_logouts().await });
    let heard = async {
        while told.lock().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    // An application is given up after five seconds.
    tokio::time::timeout(Duration::from_secs(4), heard).await.unwrap();
    telling.abort();
}

#[tokio::test]
async fn an_application_is_told_of_a_session_that_nobody_uses_any_more() {
    let (mut party, told) = listening(RelyingParty::new().await).await;
    party.sign_in("bob").await;
    party.tokens(&[]).await;
    let issuer = party.site.service.issuer();
    party.site.clock.advance(29 * 60);
    assert_eq!(issuer.end_idle_sessions().await, Ok(0));
    // The background comes at that very moment.
    let left = issuer.until_idle_end().await.unwrap().unwrap().num_seconds();
    assert!((1..=60).contains(&left), "{left}");
    party.site.clock.advance(60);
    assert_eq!(
        issuer.until_idle_end().await.unwrap(),
        Some(chrono::TimeDelta::zero())
    );
    assert_eq!(issuer.end_idle_sessions().await, Ok(1));
    assert_eq!(issuer.until_idle_end().await, Ok(None));
    assert_eq!(party.site.service.issuer().tell_logouts().await, Ok(1));
    assert_eq!(told.lock().unwrap().len(), 1);
}

/// Whoever has stolen a refresh token, and whoever gives one back, ends tokens and nothing else.
#[tokio::test]
async fn an_application_without_tokens_is_told_of_the_end_of_the_session_all_the_same() {
    for stolen in [true, false] {
        let (mut party, told) = listening(RelyingParty::new().await).await;
        party.sign_in("bob").await;
        let tokens = party.tokens(&[("scope", "openid offline_access")]).await;
        let token = tokens["refresh_token"].as_str().unwrap();
        if stolen {
            json(&party.refresh(token).await);
            party.site.clock.advance(30);
            assert_eq!(refused(&party.refresh(token).await), "invalid_grant");
        } else {
            let revoked = party.post("/oauth/revoke", &[("token", token)]).await;
            assert_eq!(revoked.status, 200);
        }
        let access = tokens["access_token"].as_str().unwrap();
        assert_eq!(party.userinfo(access).await.status, 401);
        let issuer = || party.site.service.issuer();
        assert_eq!(issuer().tell_logouts().await, Ok(0), "the session goes on");
        let out = party.browser.post(&party.site, "/logout", &[]).await;
        assert_eq!(out.status, 303);
        assert_eq!(issuer().tell_logouts().await, Ok(1));
        assert_eq!(told.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_logout_token_is_no_id_token() {
    let (mut party, told) = listening(RelyingParty::new().await).await;
    party.sign_in("bob").await;
    party.tokens(&[]).await;
    party.browser.post(&party.site, "/logout", &[]).await;
    assert_eq!(party.site.service.issuer().tell_logouts().await, Ok(1));
    let body = told.lock().unwrap().pop().unwrap();
    let token = body.strip_prefix("logout_token=").unwrap();
    party.verified(token).await;
    party.sign_in("bob").await;
    assert_eq!(party.error(&[("id_token_hint", token)]).await, "invalid_request");
    let out = format!("/oauth/logout?id_token_hint={token}");
    assert_eq!(party.browser.get(&party.site, &out).await.status, 400);
}

#[tokio::test]
async fn a_company_has_nothing_told_inside_of_the_operators_network() {
    let input = ApplicationInput {
        back_channel_uri: "http://127.0.0.1:9/ended".into(),
        ..typed("web")
    };
    let mut party = RelyingParty::of("Acme", &input).await;
    party.sign_in("bob").await;
    party.tokens(&[]).await;
    party.browser.post(&party.site, "/logout", &[]).await;
    let issuer = || party.site.service.issuer();
    assert_eq!(issuer().tell_logouts().await, Ok(0));
    for _ in 0..200 {
        party.site.clock.advance(15 * 60);
        assert_eq!(issuer().tell_logouts().await, Ok(0));
    }
    let mut root = crate::company::signed_in(&party.site, "Acme", "root").await;
    let log = root.get(&party.site, "/admin/audit?event=logout_not_told").await;
    assert!(log.body.contains("Agent Desktop: Not reachable"), "{}", log.body);
}

#[tokio::test]
async fn keys_rotate_and_what_was_signed_before_is_good_for_a_day() {
    let mut party = RelyingParty::new().await;
    party.sign_in("bob").await;
    let before = party.tokens(&[]).await;
    party.site.service.operator().rotate_signing_keys().await.unwrap();
    let after = party.tokens(&[]).await;
    let kid = |tokens: &Value| part(tokens["id_token"].as_str().unwrap(), 0)["kid"].clone();
    assert_ne!(kid(&before), kid(&after));
    party.verified(before["id_token"].as_str().unwrap()).await;
    party.verified(after["id_token"].as_str().unwrap()).await;
    party.site.clock.advance(24 * 3600 + 61);
    let keys = Browser::program().get(&party.site, "/oauth/jwks").await.body;
    assert!(!keys.contains(kid(&before).as_str().unwrap()) && keys.contains(kid(&after).as_str().unwrap()));
}

/// What nobody may find in any answer: secrets, tokens, hashes, and what belongs to another company or account.
struct Hidden(Vec<(&'static str, String)>);

impl Hidden {
    fn check(&self, who: &str, access: &Access, body: &str) {
        for (what, text) in &self.0 {
            assert!(
                !body.contains(text),
                "{who} finds {what} at {} {}",
                access.method,
                access.path
            );
        }
    }
}

/// Asks every route as nobody and as every role.
#[tokio::test]
async fn a_crawler_finds_no_secret_and_nobody_elses_address() {
    let mut party = RelyingParty::new().await;
    account(&party.site, "Acme", "sue", Role::Supervisor).await;
    account(&party.site, "Acme", "carl", Role::Agent).await;
    other_company(&party.site).await;
    party.sign_in("bob").await;
    let (access, refresh, code) = everything(&mut party).await;
    let boss = party
        .site
        .service
        .operator()
        .account_named("Globex", "boss")
        .await
        .unwrap()
        .1;
    let (carl_id, other_id) = {
        let operator = party.site.service.operator();
        let carl = operator.account_named("Acme", "carl").await.unwrap().1;
        (carl.id.to_string(), boss.id.to_string())
    };
    let (application, secret) = (party.id.clone(), party.secret.clone().unwrap());
    let hidden = Hidden(vec![
        ("a client secret", secret),
        ("an access token", access),
        ("a refresh token", refresh),
        ("a code", code),
        ("a hash", "$argon2".to_owned()),
        ("the session of bob", party.browser.cookie("session").unwrap()),
        ("another company's address", "boss@Globex.test".to_owned()),
        ("another company's number", boss.public_id.to_string()),
    ]);
    let mut people = vec![("nobody", Browser::default())];
    for (who, account) in [
        ("an agent", "carl"),
        ("a supervisor", "sue"),
        ("an admin", "root"),
    ] {
        people.push((who, crate::company::signed_in(&party.site, "Acme", account).await));
    }
    for (who, browser) in &mut people {
        let cookies = browser.cookie("session");
        for access in vestibule_server::pages::routes().access() {
            for id in [&carl_id, &other_id, &application] {
                if let Some(session) = &cookies {
                    browser.set_cookie("session", session);
                }
                let path = access
                    .path
                    .replace("{id}", id)
                    .replace("{page}", "view")
                    .replace("{token}", "x");
                let answer = if access.method == "GET" {
                    browser.get(&party.site, &path).await
                } else if path.contains("logout") || path.contains("/sessions/") || access.method != "POST" {
                    continue;
                } else {
                    browser.post(&party.site, &path, &[]).await
                };
                hidden.check(who, access, &answer.body);
                assert!(answer.status < 500, "{who} {path}: {}", answer.body);
                if *who == "an agent" {
                    for address in ["bob@acme.test", "root@acme.test", "alice@acme.test"] {
                        assert!(
                            !answer.body.contains(address),
                            "{path} shows {address} to an agent"
                        );
                    }
                }
            }
        }
    }
}
