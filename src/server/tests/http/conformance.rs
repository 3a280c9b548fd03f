//! The modules of the OpenID Foundation's test plans for providers, under their names, written anew against the router:
//! Basic (38), Config (1), RP-Initiated Logout (11) and Back-Channel Logout (2; the first of them is the second of Config).

use serde_json::Value;

use crate::{
    relying_party::{
        BYE, CALLBACK, CHALLENGE, ISSUER, RelyingParty, VERIFIER, called_back, json, led_on, parameter, part,
        refused, typed,
    },
    site::{Browser, PASSWORD},
};

/// Every module of the four plans.
const PLANS: [&str; 52] = [
    "oidcc-server",
    "oidcc-response-type-missing",
    "oidcc-idtoken-signature",
    "oidcc-idtoken-unsigned",
    "oidcc-userinfo-get",
    "oidcc-userinfo-post-header",
    "oidcc-userinfo-post-body",
    "oidcc-ensure-request-without-nonce-succeeds-for-code-flow",
    "oidcc-scope-profile",
    "oidcc-scope-email",
    "oidcc-scope-address",
    "oidcc-scope-phone",
    "oidcc-scope-all",
    "oidcc-ensure-other-scope-order-succeeds",
    "oidcc-display-page",
    "oidcc-display-popup",
    "oidcc-prompt-login",
    "oidcc-prompt-none-not-logged-in",
    "oidcc-prompt-none-logged-in",
    "oidcc-max-age-1",
    "oidcc-max-age-10000",
    "oidcc-ensure-request-with-unknown-parameter-succeeds",
    "oidcc-id-token-hint",
    "oidcc-login-hint",
    "oidcc-ui-locales",
    "oidcc-claims-locales",
    "oidcc-ensure-request-with-acr-values-succeeds",
    "oidcc-codereuse",
    "oidcc-codereuse-30seconds",
    "oidcc-ensure-registered-redirect-uri",
    "oidcc-ensure-post-request-succeeds",
    "oidcc-server-client-secret-post",
    "oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported",
    "oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported",
    "oidcc-claims-essential",
    "oidcc-ensure-request-object-with-redirect-uri",
    "oidcc-refresh-token",
    "oidcc-ensure-request-with-valid-pkce-succeeds",
    "oidcc-discovery-endpoint-verification",
    "oidcc-rp-initiated-logout-discovery-endpoint-verification",
    "oidcc-rp-initiated-logout",
    "oidcc-rp-initiated-logout-bad-post-logout-redirect-uri",
    "oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri",
    "oidcc-rp-initiated-logout-bad-id-token-hint",
    "oidcc-rp-initiated-logout-modified-id-token-hint",
    "oidcc-rp-initiated-logout-no-id-token-hint",
    "oidcc-rp-initiated-logout-no-params",
    "oidcc-rp-initiated-logout-no-post-logout-redirect-uri",
    "oidcc-rp-initiated-logout-no-state",
    "oidcc-rp-initiated-logout-only-state",
    "oidcc-backchannel-logout-discovery-endpoint-verification",
    "oidcc-backchannel-rp-initiated-logout",
];

/// What does not apply, with the reason.
const NOT_APPLICABLE: [(&str, &str); 1] = [(
    "oidcc-idtoken-unsigned",
    "no application can ask for unsigned tokens: the module says that such a provider skips it",
)];

/// A test for each module, named as it is.
macro_rules! modules {
    ($(async fn $name:ident($($party:tt)+) $body:block)*) => {
        const WRITTEN: &[&str] = &[$(stringify!($name)),*];

        $(
            #[tokio::test]
            async fn $name() {
                let $($party)+ = RelyingParty::new().await;
                $body
            }
        )*
    };
}

#[test]
fn every_module_is_written_or_listed_with_a_reason() {
    for module in PLANS {
        let written = WRITTEN.iter().any(|name| name.replace('_', "-") == module);
        let listed = NOT_APPLICABLE.iter().any(|(name, _)| *name == module);
        assert!(written != listed, "{module}");
    }
    assert_eq!(WRITTEN.len() + NOT_APPLICABLE.len(), PLANS.len());
}

/// The claims for whoever is signed in, when this is asked for.
async fn claims(party: &mut RelyingParty, changes: &[(&str, &str)]) -> Value {
    let tokens = party.tokens(changes).await;
    part(tokens["id_token"].as_str().unwrap(), 1)
}

/// What the userinfo endpoint says when these scopes are asked for.
async fn user(scopes: &str) -> Value {
    let mut party = RelyingParty::new().await;
    party.sign_in("bob").await;
    let tokens = party.tokens(&[("scope", scopes)]).await;
    let said = party.userinfo(tokens["access_token"].as_str().unwrap()).await;
    json(&said)
}

/// Something that does not matter.
async fn is_passed_over(changes: &[(&str, &str)]) {
    let mut party = RelyingParty::new().await;
    party.sign_in("bob").await;
    assert_eq!(claims(&mut party, changes).await["nonce"], "nonce");
}

/// A token of whoever is signed in, and the sign-out with these parameters besides.
async fn sign_out(
    party: &mut RelyingParty,
    with_token: bool,
    parameters: &[(&str, &str)],
) -> crate::site::Answer {
    party.sign_in("bob").await;
    let tokens = party.tokens(&[]).await;
    let mut query = form_urlencoded::Serializer::new(String::new());
    if with_token {
        query.append_pair("id_token_hint", tokens["id_token"].as_str().unwrap());
    }
    query.extend_pairs(parameters);
    let path = format!("/oauth/logout?{}", query.finish());
    party.browser.get(&party.site, &path).await
}

/// The application is told, as the modules want it. A browser in which nobody is signed in goes there by a link and not by
/// itself: the standard says that the error comes to the application, and RFC 9700, section 4.11.2, that nobody is led on
/// unasked to an address that a stranger may have sent them to.
async fn is_refused(party: &mut RelyingParty, changes: &[(&str, &str)], error: &str) {
    assert_eq!(party.offered(changes).await, error);
    party.sign_in("bob").await;
    assert_eq!(party.error(changes).await, error);
}

async fn is_signed_in(party: &mut RelyingParty) -> bool {
    party.browser.get(&party.site, "/agent").await.status == 200
}

modules! {
    async fn oidcc_server(mut party) {
        let out = party.authorize(&[]).await;
        assert!(out.location().starts_with("/login?next=%2Foauth%2Fresume"), "{}", out.location());
        let next = parameter(out.location(), "next");
        let typed = [("company", "Acme"), ("account", "bob"), ("password", PASSWORD), ("next", &next)];
        let back = party.browser.post(&party.site, "/login", &typed).await;
        assert_eq!(back.location(), next);
        let page = party.browser.get(&party.site, &next).await;
        let said = called_back(&led_on(&page));
        assert_eq!((said["state"].as_str(), said["iss"].as_str()), ("s t&a=te", ISSUER));
        let tokens = json(&party.trade(&said["code"]).await);
        assert_eq!((tokens["token_type"].as_str(), tokens["expires_in"].as_i64()), (Some("Bearer"), Some(300)));
        assert!(tokens.get("refresh_token").is_none(), "nobody asked for one");
        let claims = party.verified(tokens["id_token"].as_str().unwrap()).await;
        let now = party.site.now().timestamp();
        for (name, value) in [
            ("iss", Value::from(ISSUER)),
            ("aud", Value::from(party.id.clone())),
            ("nonce", Value::from("nonce")),
            ("iat", Value::from(now)),
            ("exp", Value::from(now + 300)),
            ("auth_time", Value::from(now)),
            ("acr", Value::from("urn:vestibule:acr:password")),
        ] {
            assert_eq!(claims[name], value, "{name}");
        }
        let bob = party.site.service.operator().account_named("Acme", "bob").await.unwrap().1;
        assert_eq!(claims["sub"], bob.public_id.to_string());
        assert_ne!(claims["sub"], bob.id.to_string());
    }

    async fn oidcc_response_type_missing(mut party) {
        party.sign_in("bob").await;
        assert_eq!(party.error(&[("response_type", "")]).await, "invalid_request");
    }

    async fn oidcc_idtoken_signature(_party) {
        for signing in ["ES256", "RS256"] {
            let input = vestibule_core::oidc::application::ApplicationInput {
                signing: signing.into(),
                ..typed("web")
            };
            let mut other = RelyingParty::of("Acme", &input).await;
            other.sign_in("bob").await;
            let tokens = other.tokens(&[]).await;
            let token = tokens["id_token"].as_str().unwrap();
            assert_eq!(part(token, 0)["alg"], signing);
            other.verified(token).await;
        }
    }

    async fn oidcc_userinfo_get(mut party) {
        party.sign_in("bob").await;
        let tokens = party.tokens(&[]).await;
        let said = json(&party.userinfo(tokens["access_token"].as_str().unwrap()).await);
        assert_eq!(said["sub"], part(tokens["id_token"].as_str().unwrap(), 1)["sub"]);
    }

    async fn oidcc_userinfo_post_header(mut party) {
        party.sign_in("bob").await;
        let tokens = party.tokens(&[]).await;
        let mut program = Browser::program();
        program.without_origin();
        let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
        program.extra.push(("authorization", bearer));
        program.content_type = String::new();
        assert!(json(&program.post(&party.site, "/oauth/userinfo", &[]).await)["sub"].is_string());
    }

    async fn oidcc_userinfo_post_body(mut party) {
        party.sign_in("bob").await;
        let tokens = party.tokens(&[]).await;
        let mut program = Browser::program();
        program.without_origin();
        let fields = [("access_token", tokens["access_token"].as_str().unwrap())];
        assert!(json(&program.post(&party.site, "/oauth/userinfo", &fields).await)["sub"].is_string());
    }

    async fn oidcc_ensure_request_without_nonce_succeeds_for_code_flow(mut party) {
        party.sign_in("bob").await;
        assert!(claims(&mut party, &[("nonce", "")]).await.get("nonce").is_none());
    }

    async fn oidcc_scope_profile(_party) {
        let said = user("openid profile").await;
        assert_eq!((said["name"].as_str(), said["given_name"].as_str()), (Some("Bob"), Some("Bob")));
        assert_eq!(said["preferred_username"], "bob");
        assert!(said.get("email").is_none());
    }

    async fn oidcc_scope_email(_party) {
        let said = user("openid email").await;
        assert_eq!((said["email"].as_str(), said["email_verified"].as_bool()), (Some("bob@acme.test"), Some(false)));
        assert!(said.get("name").is_none());
    }

    async fn oidcc_scope_address(_party) {
        // No address is known of anybody: the scope is passed over.
        assert!(user("openid address").await.get("address").is_none());
    }

    async fn oidcc_scope_phone(_party) {
        assert!(user("openid phone").await.get("phone_number").is_none(), "bob has none");
    }

    async fn oidcc_scope_all(_party) {
        let said = user("openid profile email address phone company roles").await;
        assert_eq!((said["company"].as_str(), said["roles"][0].as_str()), (Some("Acme"), Some("agent")));
        assert!(said["company_id"].is_string() && said["email"].is_string() && said["zoneinfo"] == "UTC");
    }

    async fn oidcc_ensure_other_scope_order_succeeds(_party) {
        assert!(user("email openid").await["email"].is_string());
    }

    async fn oidcc_display_page(_party) {
        is_passed_over(&[("display", "page")]).await;
    }

    async fn oidcc_display_popup(_party) {
        is_passed_over(&[("display", "popup")]).await;
    }

    async fn oidcc_prompt_login(mut party) {
        party.sign_in("bob").await;
        let before = claims(&mut party, &[]).await["auth_time"].as_i64().unwrap();
        party.site.clock.advance(5);
        let out = party.authorize(&[("prompt", "login")]).await;
        assert!(out.location().starts_with("/profile/confirm?next="), "{}", out.location());
        let next = parameter(out.location(), "next");
        party.site.clock.advance(5);
        let typed = [("password", PASSWORD), ("next", &next)];
        let back = party.browser.post(&party.site, "/profile/confirm", &typed).await;
        assert_eq!(back.location(), next, "{}", back.body);
        let page = party.browser.get(&party.site, &next).await;
        let said = called_back(&led_on(&page));
        let tokens = json(&party.trade(&said["code"]).await);
        let after = part(tokens["id_token"].as_str().unwrap(), 1)["auth_time"].as_i64().unwrap();
        assert_eq!(after, before + 10);
    }

    async fn oidcc_prompt_none_not_logged_in(mut party) {
        assert_eq!(party.error(&[("prompt", "none")]).await, "login_required");
    }

    async fn oidcc_prompt_none_logged_in(mut party) {
        party.sign_in("bob").await;
        let first = claims(&mut party, &[]).await;
        let second = claims(&mut party, &[("prompt", "none")]).await;
        assert_eq!((&first["sub"], &first["auth_time"]), (&second["sub"], &second["auth_time"]));
    }

    async fn oidcc_max_age_1(mut party) {
        party.sign_in("bob").await;
        party.site.clock.advance(2);
        let out = party.authorize(&[("max_age", "1")]).await;
        assert!(out.location().starts_with("/profile/confirm?next="), "{}", out.location());
        assert_eq!(party.error(&[("max_age", "1"), ("prompt", "none")]).await, "login_required");
    }

    async fn oidcc_max_age_10000(mut party) {
        party.sign_in("bob").await;
        party.site.clock.advance(2);
        let said = claims(&mut party, &[("max_age", "10000")]).await;
        assert_eq!(said["auth_time"].as_i64(), Some(party.site.now().timestamp() - 2));
    }

    async fn oidcc_ensure_request_with_unknown_parameter_succeeds(_party) {
        is_passed_over(&[("extra", "foobar")]).await;
    }

    async fn oidcc_id_token_hint(mut party) {
        party.sign_in("bob").await;
        let tokens = party.tokens(&[]).await;
        let hint = tokens["id_token"].as_str().unwrap();
        // Long after it has expired.
        party.site.clock.advance(1200);
        let again = claims(&mut party, &[("prompt", "none"), ("id_token_hint", hint)]).await;
        assert_eq!(again["sub"], part(hint, 1)["sub"]);
        let mut other = Browser::default();
        std::mem::swap(&mut party.browser, &mut other);
        party.sign_in("root").await;
        assert_eq!(party.error(&[("prompt", "none"), ("id_token_hint", hint)]).await, "login_required");
        let damaged = format!("{hint}x");
        assert_eq!(party.error(&[("id_token_hint", &damaged)]).await, "invalid_request");
    }

    async fn oidcc_login_hint(mut party) {
        let out = party.authorize(&[("login_hint", "Acme/bob")]).await;
        let page = party.browser.get(&party.site, out.location()).await;
        assert!(page.body.contains("value=\"Acme\"") && page.body.contains("value=\"bob\""));
        party.sign_in("bob").await;
        party.code(&[("login_hint", "Acme/bob")]).await;
        let page = party.authorize(&[("login_hint", "Acme/root")]).await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains("Continue as Bob") && page.body.contains("Agent Desktop"));
    }

    async fn oidcc_ui_locales(mut party) {
        let out = party.authorize(&[("ui_locales", "se de")]).await;
        let page = party.browser.get(&party.site, out.location()).await;
        assert!(page.body.contains("<html lang=\"de\""), "{}", out.location());
    }

    async fn oidcc_claims_locales(_party) {
        is_passed_over(&[("claims_locales", "se")]).await;
    }

    async fn oidcc_ensure_request_with_acr_values_succeeds(mut party) {
        party.sign_in("bob").await;
        let document = Browser::program().get(&party.site, "/.well-known/openid-configuration").await;
        let document: Value = serde_json::from_str(&document.body).unwrap();
        let all: Vec<_> = document["acr_values_supported"].as_array().unwrap().iter().collect();
        let all: Vec<_> = all.into_iter().map(|word| word.as_str().unwrap()).collect();
        let said = claims(&mut party, &[("acr_values", &all.join(" "))]).await;
        assert!(all.contains(&said["acr"].as_str().unwrap()));
        let unmet = party.error(&[("acr_values", "urn:vestibule:acr:app-code")]).await;
        assert_eq!(unmet, "unmet_authentication_requirements");
    }

    async fn oidcc_codereuse(mut party) {
        party.sign_in("bob").await;
        let code = party.code(&[]).await;
        json(&party.trade(&code).await);
        assert_eq!(refused(&party.trade(&code).await), "invalid_grant");
    }

    async fn oidcc_codereuse_30seconds(mut party) {
        party.sign_in("bob").await;
        let code = party.code(&[("scope", "openid offline_access")]).await;
        let tokens = json(&party.trade(&code).await);
        party.site.clock.advance(30);
        assert_eq!(refused(&party.trade(&code).await), "invalid_grant");
        let access = tokens["access_token"].as_str().unwrap();
        assert_eq!(party.userinfo(access).await.status, 401, "what came of the first use has ended");
        let refresh = tokens["refresh_token"].as_str().unwrap();
        assert_eq!(refused(&party.refresh(refresh).await), "invalid_grant");
        assert!(is_signed_in(&mut party).await, "the agent is not disturbed");
    }

    async fn oidcc_ensure_registered_redirect_uri(mut party) {
        party.sign_in("bob").await;
        for uri in ["https://evil.test/", "https://desktop.acme.test/callback/other"] {
            let page = party.authorize(&[("redirect_uri", uri)]).await;
            assert_eq!(page.status, 400);
            assert!(!page.has_header("location") && !page.body.contains("=\"https://evil"), "{}", page.body);
        }
    }

    async fn oidcc_ensure_post_request_succeeds(mut party) {
        party.sign_in("bob").await;
        let body = party.query(&[]).into_bytes();
        // A form of the application: another site's, without cookies.
        let mut foreign = Browser::default();
        foreign.without_origin();
        foreign.extra.push(("origin", "https://desktop.acme.test".to_owned()));
        foreign.extra.push(("sec-fetch-site", "cross-site".to_owned()));
        let out = foreign.send(&party.site, "POST", "/oauth/authorize", Some(body)).await;
        assert!(out.location().starts_with("/oauth/resume?asked="), "{}", out.body);
        let page = party.browser.get(&party.site, out.location()).await;
        assert!(called_back(&led_on(&page)).contains_key("code"));
    }

    async fn oidcc_server_client_secret_post(mut party) {
        party.sign_in("bob").await;
        let code = party.code(&[]).await;
        let (id, secret) = (party.id.clone(), party.secret.clone().unwrap());
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", CALLBACK),
            ("client_id", &id),
            ("client_secret", &secret),
        ];
        let mut program = Browser::program();
        program.without_origin();
        json(&program.post(&party.site, "/oauth/token", &fields).await);
    }

    async fn oidcc_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported(mut party) {
        let changes = [("request_uri", "https://desktop.acme.test/request")];
        is_refused(&mut party, &changes, "request_uri_not_supported").await;
    }

    async fn oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported(mut party) {
        let changes = [("request", "eyJhbGciOiJub25lIn0.e30.")];
        is_refused(&mut party, &changes, "request_not_supported").await;
    }

    async fn oidcc_claims_essential(_party) {
        // The parameter is not supported, and the document says so: it is passed over.
        is_passed_over(&[("claims", "{\"userinfo\":{\"name\":{\"essential\":true}}}")]).await;
    }

    async fn oidcc_ensure_request_object_with_redirect_uri(mut party) {
        let changes = [("request", "eyJhbGciOiJub25lIn0.e30."), ("redirect_uri", "https://evil.test/")];
        assert_eq!(party.authorize(&changes).await.status, 400);
    }

    async fn oidcc_refresh_token(mut party) {
        party.sign_in("bob").await;
        let first = party.tokens(&[("scope", "openid offline_access"), ("prompt", "consent")]).await;
        party.site.clock.advance(10);
        let token = first["refresh_token"].as_str().unwrap();
        let second = json(&party.refresh(token).await);
        let (old, new) = (part(first["id_token"].as_str().unwrap(), 1), part(second["id_token"].as_str().unwrap(), 1));
        for same in ["iss", "sub", "aud", "auth_time", "sid"] {
            assert_eq!(old[same], new[same], "{same}");
        }
        assert_eq!(new["iat"].as_i64(), old["iat"].as_i64().map(|iat| iat + 10));
        assert!(new.get("nonce").is_none());
        assert_ne!(first["access_token"], second["access_token"]);
        assert_ne!(first["refresh_token"], second["refresh_token"]);
        json(&party.userinfo(second["access_token"].as_str().unwrap()).await);
        let mut other = RelyingParty::of("Acme", &typed("web")).await;
        other.sign_in("bob").await;
        assert_eq!(refused(&other.refresh(token).await), "invalid_grant");
    }

    async fn oidcc_ensure_request_with_valid_pkce_succeeds(mut party) {
        party.sign_in("bob").await;
        let pkce = [("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];
        for (verifier, expected) in [(VERIFIER, 200), (CHALLENGE, 400), ("", 400)] {
            let code = party.code(&pkce).await;
            let fields = [
                ("grant_type", "authorization_code"),
                ("code", &code),
                ("redirect_uri", CALLBACK),
                ("code_verifier", verifier),
            ];
            assert_eq!(party.post("/oauth/token", &fields).await.status, expected, "{verifier}");
        }
    }

    async fn oidcc_discovery_endpoint_verification(party) {
        let answer = Browser::program().get(&party.site, "/.well-known/openid-configuration").await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        let document: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(document["issuer"], ISSUER);
        let keys = Browser::program().get(&party.site, "/oauth/jwks").await;
        let keys: Value = serde_json::from_str(&keys.body).unwrap();
        let keys = keys["keys"].as_array().unwrap();
        for algorithm in ["ES256", "RS256"] {
            assert_eq!(keys.iter().filter(|key| key["alg"] == algorithm).count(), 2, "current and next");
        }
        assert!(keys.iter().all(|key| key.get("d").is_none() && key["use"] == "sig"));
    }

    async fn oidcc_rp_initiated_logout_discovery_endpoint_verification(party) {
        let answer = Browser::program().get(&party.site, "/.well-known/openid-configuration").await;
        let document: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(document["end_session_endpoint"], format!("{ISSUER}/oauth/logout"));
    }

    async fn oidcc_rp_initiated_logout(mut party) {
        let out = sign_out(&mut party, true, &[("post_logout_redirect_uri", BYE), ("state", "s&")]).await;
        assert_eq!((out.status, out.location()), (303, "https://desktop.acme.test/bye?state=s%26"));
        assert!(!is_signed_in(&mut party).await);
    }

    async fn oidcc_rp_initiated_logout_bad_post_logout_redirect_uri(mut party) {
        let out = sign_out(&mut party, true, &[("post_logout_redirect_uri", "https://evil.test/")]).await;
        assert_eq!(out.status, 400);
        assert!(is_signed_in(&mut party).await);
    }

    async fn oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri(mut party) {
        let uri = format!("{BYE}?foo=bar");
        assert_eq!(sign_out(&mut party, true, &[("post_logout_redirect_uri", &uri)]).await.status, 400);
    }

    async fn oidcc_rp_initiated_logout_bad_id_token_hint(mut party) {
        let parameters = [("id_token_hint", "1.2.3"), ("post_logout_redirect_uri", BYE)];
        assert_eq!(sign_out(&mut party, false, &parameters).await.status, 400);
        assert!(is_signed_in(&mut party).await);
    }

    async fn oidcc_rp_initiated_logout_modified_id_token_hint(mut party) {
        party.sign_in("bob").await;
        let tokens = party.tokens(&[]).await;
        let token = tokens["id_token"].as_str().unwrap();
        let (head, signature) = token.rsplit_once('.').unwrap();
        let other = party.tokens(&[]).await;
        let (other_head, _) = other["id_token"].as_str().unwrap().rsplit_once('.').unwrap();
        assert_ne!(head, other_head);
        let modified = format!("{other_head}.{signature}");
        let path = format!("/oauth/logout?id_token_hint={modified}");
        assert_eq!(party.browser.get(&party.site, &path).await.status, 400);
        assert!(is_signed_in(&mut party).await);
    }

    async fn oidcc_rp_initiated_logout_no_id_token_hint(mut party) {
        let out = sign_out(&mut party, false, &[("post_logout_redirect_uri", BYE)]).await;
        assert_eq!(out.status, 400);
        // With its name the application is known, and the agent is asked.
        let id = party.id.clone();
        let out = sign_out(&mut party, false, &[("post_logout_redirect_uri", BYE), ("client_id", &id)]).await;
        assert!(out.status == 200 && out.body.contains("Sign out?"), "{}", out.body);
        assert!(is_signed_in(&mut party).await);
        let asked = format!("post_logout_redirect_uri={BYE}&client_id={id}");
        let done = party.browser.post(&party.site, "/oauth/logout/confirm", &[("asked", &asked)]).await;
        assert_eq!(led_on(&done), BYE);
        assert!(!is_signed_in(&mut party).await);
    }

    async fn oidcc_rp_initiated_logout_no_params(mut party) {
        let out = sign_out(&mut party, false, &[]).await;
        assert!(out.status == 200 && out.body.contains("Sign out?"), "{}", out.body);
        assert!(is_signed_in(&mut party).await);
    }

    async fn oidcc_rp_initiated_logout_no_post_logout_redirect_uri(mut party) {
        let out = sign_out(&mut party, true, &[]).await;
        assert_eq!(out.location(), "/login?signed_out");
        assert!(!is_signed_in(&mut party).await);
    }

    async fn oidcc_rp_initiated_logout_no_state(mut party) {
        let out = sign_out(&mut party, true, &[("post_logout_redirect_uri", BYE)]).await;
        assert_eq!(out.location(), BYE);
    }

    async fn oidcc_rp_initiated_logout_only_state(mut party) {
        let out = sign_out(&mut party, false, &[("state", "x")]).await;
        assert!(out.status == 200 && out.body.contains("Sign out?"), "{}", out.body);
    }

    async fn oidcc_backchannel_logout_discovery_endpoint_verification(party) {
        let answer = Browser::program().get(&party.site, "/.well-known/openid-configuration").await;
        let document: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(document["backchannel_logout_supported"], true);
        assert_eq!(document["backchannel_logout_session_supported"], true);
    }

    async fn oidcc_backchannel_rp_initiated_logout(party) {
        let (mut listening, told) = crate::oauth::listening(party).await;
        let out = sign_out(&mut listening, true, &[("post_logout_redirect_uri", BYE)]).await;
        assert_eq!(out.location(), BYE);
        assert_eq!(listening.site.service.issuer().tell_logouts().await, Ok(1));
        let body = told.lock().unwrap().pop().unwrap();
        let token = body.strip_prefix("logout_token=").unwrap();
        let claims = listening.verified(token).await;
        assert_eq!(part(token, 0)["typ"], "logout+jwt");
        assert_eq!((claims["iss"].as_str(), claims["aud"].as_str()), (Some(ISSUER), Some(listening.id.as_str())));
        let event = "http://schemas.openid.net/event/backchannel-logout";
        assert!(claims["events"][event].is_object() && claims["jti"].is_string() && claims["sid"].is_string());
        assert!(claims.get("nonce").is_none());
        assert_eq!(listening.site.service.issuer().tell_logouts().await, Ok(0), "once");
    }
}
