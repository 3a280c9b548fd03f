//! The crate `openidconnect` as an application, against the router itself: it reads the metadata, and checks signatures, hashes
//! and claims by itself.

use openidconnect::{
    AccessTokenHash, AdditionalClaims, AuthenticationContextClass, AuthenticationFlow, AuthorizationCode,
    ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse, IssuerUrl, LogoutRequest, Nonce,
    OAuth2TokenResponse, PkceCodeChallenge, PostLogoutRedirectUrl, ProviderMetadataWithLogout, RedirectUrl,
    Scope, TokenResponse, UserInfoClaims,
    core::{CoreClient, CoreGenderClaim, CoreResponseType},
    http,
};
use serde::{Deserialize, Serialize};
use url::Position;
use vestibule_core::{oidc::application::ApplicationInput, session::Proof};
use vestibule_storage::test_support::TestStore;

use crate::{
    relying_party::{BYE, CALLBACK, ISSUER, RelyingParty, called_back, typed},
    site::{Browser, Site},
};

/// What Vestibule says of people besides.
#[derive(Debug, Serialize, Deserialize)]
struct Ours {
    company: String,
    roles: Vec<String>,
}

impl AdditionalClaims for Ours {}

/// Sends what the crate wants to be sent.
async fn ask(site: &Site, request: HttpRequest) -> Result<HttpResponse, http::Error> {
    let mut program = Browser::program();
    program.without_origin();
    let text = |name: &str| {
        let value = request.headers().get(name)?;
        Some(value.to_str().unwrap().to_owned())
    };
    program.content_type = text("content-type").unwrap_or_default();
    if let Some(authorization) = text("authorization") {
        program.extra.push(("authorization", authorization));
    }
    let path = request.uri().path_and_query().unwrap().as_str();
    let method = request.method().as_str();
    let body = (method != "GET").then(|| request.body().clone());
    let answer = program.send(site, method, path, body).await;
    http::Response::builder()
        .status(answer.status)
        .header("content-type", answer.header("content-type"))
        .body(answer.body.into_bytes())
}

/// Signs alice in to a new application of this kind, and out again.
async fn visit(site: Site, kind: &str, signing: &str) -> Site {
    let input = ApplicationInput {
        name: format!("{kind} {signing}"),
        signing: signing.to_owned(),
        ..typed(kind)
    };
    let RelyingParty {
        site,
        mut browser,
        id,
        secret,
    } = RelyingParty::at(site, Some("Acme"), &input).await;
    let (_, session) = site
        .service
        .operator()
        .give_session("Acme", "alice", Proof::EmailCode)
        .await
        .unwrap();
    browser.set_cookie("session", &session.reveal());

    let http = |request: HttpRequest| ask(&site, request);
    let issuer = IssuerUrl::new(ISSUER.to_owned()).unwrap();
    let metadata = ProviderMetadataWithLogout::discover_async(issuer, &http)
        .await
        .unwrap();
    let end_session = metadata
        .additional_metadata()
        .end_session_endpoint
        .clone()
        .unwrap();
    let client =
        CoreClient::from_provider_metadata(metadata, ClientId::new(id), secret.map(ClientSecret::new))
            .set_redirect_uri(RedirectUrl::new(CALLBACK.to_owned()).unwrap());

    let wanted = AuthenticationContextClass::new("urn:vestibule:acr:mail-code".to_owned());
    let scopes = ["email", "company", "roles", "offline_access"].map(|scope| Scope::new(scope.to_owned()));
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (to, state, nonce) = client
        .authorize_url(
            AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
            CsrfToken::new_random,
            Nonce::new_random,
        )
        .add_scopes(scopes)
        .add_auth_context_value(wanted.clone())
        .set_pkce_challenge(challenge)
        .url();
    let answer = browser.get(&site, &to[Position::BeforePath..]).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let said = called_back(answer.location());
    assert_eq!(&said["state"], state.secret());

    let code = AuthorizationCode::new(said["code"].clone());
    let exchange = client.exchange_code(code).unwrap().set_pkce_verifier(verifier);
    let tokens = exchange.request_async(&http).await.unwrap();
    let now = site.now();
    let verifier = client.id_token_verifier().set_time_fn(move || now);
    let token = tokens.id_token().unwrap();
    let claims = token.claims(&verifier, &nonce).unwrap();
    assert_eq!(claims.auth_context_ref(), Some(&wanted));
    assert_eq!(claims.email().unwrap().as_str(), "alice@acme.test");
    let (algorithm, key) = (
        token.signing_alg().unwrap(),
        token.signing_key(&verifier).unwrap(),
    );
    let hash = AccessTokenHash::from_token(tokens.access_token(), algorithm, key).unwrap();
    assert_eq!(claims.access_token_hash(), Some(&hash));

    let subject = claims.subject().clone();
    let asking = client
        .user_info(tokens.access_token().clone(), Some(subject))
        .unwrap();
    let user: UserInfoClaims<Ours, CoreGenderClaim> = asking.request_async(&http).await.unwrap();
    let Ours { company, roles } = user.additional_claims();
    assert_eq!((company.as_str(), roles.join(",").as_str()), ("Acme", "agent"));

    let known = tokens.refresh_token().unwrap();
    let refresh = client.exchange_refresh_token(known).unwrap();
    let refreshed = refresh.request_async(&http).await.unwrap();
    assert_ne!(refreshed.refresh_token().unwrap().secret(), known.secret());

    let out = LogoutRequest::from(end_session)
        .set_id_token_hint(token)
        .set_post_logout_redirect_uri(PostLogoutRedirectUrl::new(BYE.to_owned()).unwrap())
        .http_get_url();
    let left = browser.get(&site, &out[Position::BeforePath..]).await;
    assert_eq!(left.location(), BYE, "{}", left.body);
    let asking = client.user_info(refreshed.access_token().clone(), None).unwrap();
    let user: Result<UserInfoClaims<Ours, CoreGenderClaim>, _> = asking.request_async(&http).await;
    assert!(user.is_err(), "what came of the sign-in has ended with it");
    site
}

#[tokio::test]
async fn the_crate_openidconnect_signs_in_refreshes_and_signs_out() {
    for store in TestStore::every().await {
        let mut site = Site::on(store, &[]).await;
        for signing in ["RS256", "ES256"] {
            for kind in ["web", "single_page"] {
                site = visit(site, kind, signing).await;
            }
        }
    }
}
