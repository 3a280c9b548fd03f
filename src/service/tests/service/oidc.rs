//! Codes of applications, and what happens to the account while one is about to be given.

use chrono::TimeDelta;
use serde_json::Value;
use vestibule_core::{
    limits::CARRIED_ADDRESS_MAX,
    oidc::{application::ApplicationInput, parameters::Parameters},
    paths,
    refusal::Refusal,
    secret::Token,
    session::{EndReason, Ending},
};
use vestibule_service::{
    Visitor,
    applications::AddedApplication,
    oidc::{Authorized, Begun, EndpointError},
};

use crate::site::{self, Site, on_both};

/// A new application of Acme, its secret, and its request for a code.
async fn application(site: &Site) -> (AddedApplication, String) {
    let input = ApplicationInput {
        name: "Agent Desktop".to_owned(),
        kind: "web".to_owned(),
        redirect_uris: "https://desktop.acme.test/callback".to_owned(),
        roles: vec!["agent".to_owned()],
        signing: "ES256".to_owned(),
        ..ApplicationInput::default()
    };
    let added = site
        .service
        .operator()
        .add_application(Some("Acme"), &input)
        .await
        .unwrap();
    let request = format!(
        "client_id={}&{REDIRECT}&response_type=code&scope=openid%20offline_access&state=s&nonce=n",
        added.application.id
    );
    (added, request)
}

const REDIRECT: &str = "redirect_uri=https%3A%2F%2Fdesktop.acme.test%2Fcallback";

/// The request of a new application of Acme for a code.
async fn request(site: &Site) -> String {
    application(site).await.1
}

/// What the application gets for a code or a refresh token.
async fn tokens(site: &Site, by: &AddedApplication, given: &str) -> Result<Value, EndpointError> {
    let secret = by.secret.as_ref().unwrap().reveal();
    let form = format!("client_id={}&client_secret={secret}&{given}", by.application.id);
    let (answer, _) = site
        .service
        .issuer()
        .tokens(None, &Parameters::parse(&form), &site::visitor())
        .await?;
    Ok(serde_json::to_value(answer).unwrap())
}

/// The same for a refresh token that was in an answer.
async fn refreshed(site: &Site, by: &AddedApplication, answer: &Value) -> Result<Value, EndpointError> {
    let token = answer["refresh_token"].as_str().unwrap();
    tokens(
        site,
        by,
        &format!("grant_type=refresh_token&refresh_token={token}"),
    )
    .await
}

/// What a browser gets that brings this request now.
async fn authorized(site: &Site, request: &str, by: &Visitor) -> Authorized {
    let begun = Begun::anew(site.now());
    site.service.issuer().authorize(request, begun, by).await.unwrap()
}

/// The address that the application is answered at.
fn answered(authorized: Authorized) -> String {
    match authorized {
        Authorized::Answer { answer, .. } => answer.uri,
        other => panic!("no answer: {other:?}"),
    }
}

on_both! {
    async fn a_code_comes_of_what_the_account_is_when_it_is_written(site: Site) {
        site.company("Acme", 0).await;
        let request = request(&site).await;
        for what in ["session", "deactivation", "password", "lock", "nothing"] {
            site.account("Acme", what, false).await;
            let by = site.at_home("Acme", what, None).await;
            let account = site.account_of("Acme", what).await;
            let (company, id, now) = (account.company, account.id, site.now());
            let mut writer = site.store.write().await.unwrap();
            writer.hold_account(company, id).await.unwrap();
            let asked = site.store.traffic().statements;
            let under_way = tokio::spawn({
                let (service, request, by) = (site.service.clone(), request.clone(), by.clone());
                let begun = Begun::anew(now);
                async move { service.issuer().authorize(&request, begun, &by).await.unwrap() }
            });
            // It has read the application and the session, and waits where it would write.
            site::until(async || (site.store.traffic().statements >= asked + 3).then_some(())).await;
            match what {
                "session" => {
                    let ending = Ending::now(EndReason::ByAdmin, now);
                    writer.end_sessions_of(company, id, ending, None).await.map(drop).unwrap();
                }
                "deactivation" => writer.set_account_active(company, id, false, now).await.map(drop).unwrap(),
                "password" => writer.set_password(company, id, "another", false, None, now).await.map(drop).unwrap(),
                "lock" => writer.lock_account(company, id, "wrong_codes", now).await.map(drop).unwrap(),
                _ => {}
            }
            writer.commit().await.unwrap();
            let outcome = under_way.await.unwrap();
            match what {
                "nothing" => assert!(answered(outcome).contains("code=")),
                "lock" => {
                    let uri = answered(outcome);
                    assert!(uri.contains("error=access_denied") && !uri.contains("code="), "{uri}");
                }
                _ => assert!(matches!(outcome, Authorized::SignIn { .. }), "{what}: {outcome:?}"),
            }
        }
        let entered = site.events("Acme").await.into_iter().filter(|(event, _)| event == "application_entered");
        assert_eq!(entered.count(), 1);
    }

    async fn a_request_is_carried_in_an_address_that_has_room_on_every_way_or_else_written_down(site: Site) {
        site.company("Acme", 0).await;
        let request = request(&site).await;
        let (issuer, by) = (site.service.issuer(), site::visitor());
        let (mut longest, mut written) = (0, 0);
        for more in 0..1500 {
            let long = format!("{request}{}", "s".repeat(more));
            let resume = issuer.carry_request(&long, Begun::anew(site.now()), None, &by).await.unwrap();
            let asked = paths::resumed(&resume).unwrap();
            assert!(resume.len() <= CARRIED_ADDRESS_MAX, "{more}: {}", resume.len());
            if Token::parse(asked).is_none() {
                assert_eq!(written, 0, "{more}");
                longest = resume.len();
                continue;
            }
            written += 1;
            let (found, _) = issuer.open_request(asked, &by).await.unwrap();
            assert_eq!(found, long);
            if written == 3 {
                break;
            }
        }
        assert_eq!(written, 3);
        assert!(longest > CARRIED_ADDRESS_MAX - 3, "{longest}");

        let gone = issuer.open_request(&"A".repeat(43), &by).await.map(drop);
        assert_eq!(gone, Err(Refusal::SignInExpired), "the agent opens the application again");
        for nonsense in ["", "nonsense", "n%n"] {
            let refused = issuer.open_request(nonsense, &by).await.map(drop);
            assert_eq!(refused, Err(Refusal::Malformed), "{nonsense}");
        }
    }

    async fn a_lost_answer_is_given_again_after_the_keys_were_rotated_and_a_copy_is_known(site: Site) {
        site.company("Acme", 0).await;
        let (by, request) = application(&site).await;
        site.account("Acme", "bob", false).await;
        let bob = site.at_home("Acme", "bob", None).await;
        let uri = answered(authorized(&site, &request, &bob).await);
        let code = uri.split_once("code=").unwrap().1.split('&').next().unwrap().to_owned();
        let traded = format!("grant_type=authorization_code&code={code}&{REDIRECT}");
        let first = tokens(&site, &by, &traded).await.unwrap();
        let second = refreshed(&site, &by, &first).await.unwrap();
        let rotated = site.with_keys(site::keys_of(2));
        let again = refreshed(&rotated, &by, &first).await.unwrap();
        for same in ["access_token", "refresh_token"] {
            assert_eq!(second[same], again[same], "{same}");
        }
        let third = refreshed(&rotated, &by, &again).await.unwrap();
        // The server that has the old keys alone gives no second answer for what the new ones were used for.
        for server in [&site, &rotated] {
            assert!(refreshed(server, &by, &first).await.is_err());
        }
        assert!(refreshed(&rotated, &by, &third).await.is_err(), "the family has ended");
    }

    async fn servers_with_different_newest_keys_give_one_answer_at_once(site: Site) {
        site.company("Acme", 0).await;
        let (by, request) = application(&site).await;
        site.account("Acme", "bob", false).await;
        let bob = site.at_home("Acme", "bob", None).await;
        for round in 0..8 {
            let uri = answered(authorized(&site, &request, &bob).await);
            let code = uri.split_once("code=").unwrap().1.split('&').next().unwrap().to_owned();
            let traded = format!("grant_type=authorization_code&code={code}&{REDIRECT}");
            let first = tokens(&site, &by, &traded).await.unwrap();
            // Its key file has the newer key already.
            let late = site.with_keys(site::keys_of(1).with_source(Box::new(|| Some(site::versions(2)))));
            let early = site.with_keys(site::keys_of(2));
            let (one, other) = tokio::join!(refreshed(&late, &by, &first), refreshed(&early, &by, &first));
            let (one, other) = (one.unwrap(), other.unwrap());
            for same in ["access_token", "refresh_token"] {
                assert_eq!(one[same], other[same], "{round}: {same}");
            }
        }
    }

    async fn a_session_that_the_background_ends_is_over_for_what_came_first(site: Site) {
        site.company("Acme", 0).await;
        let request = request(&site).await;
        site.account("Acme", "bob", false).await;
        let bob = site.account_of("Acme", "bob").await;
        let issuer = site.service.issuer();
        // Minutes before the absolute end at which it is used last, and after it at which the background comes.
        for (used, looked, idle, old, reason) in [
            (10, 0, 0, 1, EndReason::Lifetime),
            (20, 15, 0, 1, EndReason::Lifetime),
            (60, -29, 1, 0, EndReason::Idle),
            (60, 0, 0, 1, EndReason::Idle),
        ] {
            let by = site.at_home("Acme", "bob", None).await;
            assert!(answered(authorized(&site, &request, &by).await).contains("code="));
            let mut writer = site.store.write().await.unwrap();
            let session = writer.sessions_of(bob.company, bob.id).await.unwrap().remove(0);
            let last = session.ends_at - TimeDelta::minutes(used);
            writer.touch_session(bob.company, session.id, last).await.unwrap();
            writer.commit().await.unwrap();
            site.clock.advance((session.ends_at - site.now()).num_seconds() - 1);
            assert_eq!(issuer.end_old_sessions().await, Ok(0), "not before its end");
            site.clock.advance(1 + looked * 60);
            if idle > 0 {
                assert_eq!(issuer.end_idle_sessions().await, Ok(idle));
            }
            assert_eq!(issuer.end_old_sessions().await, Ok(old));
            let ended = site.service.sign_in().ended_session(&by).await.unwrap().unwrap().ending;
            let at = if reason == EndReason::Idle { last + TimeDelta::minutes(30) } else { session.ends_at };
            assert_eq!((ended.reason, ended.at), (reason, at), "{used} {looked}");
        }
    }

    async fn a_request_that_nobody_may_be_asked_about_ends_with_an_error(site: Site) {
        site.company("Acme", 0).await;
        let request = request(&site).await;
        site.account("Acme", "bob", false).await;
        let by = site.at_home("Acme", "bob", None).await;
        let silent = format!("{request}&prompt=none");
        assert!(answered(authorized(&site, &silent, &by).await).contains("code="));
        site.service.sign_in().sign_out(&by).await.unwrap();
        assert!(answered(authorized(&site, &silent, &by).await).contains("error=login_required"));
        assert!(matches!(authorized(&site, &request, &by).await, Authorized::SignIn { .. }));
    }
}
