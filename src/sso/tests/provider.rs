//! The flow against a provider on a real socket that behaves, or misbehaves in one way (attacks.md section 5).

#[cfg(test)]
mod tests {
    use std::{collections::HashMap, time::Duration};

    use serde_json::{Value, json};
    use vestibule_core::{
        ports::{Moment, SeededRandomness},
        sso::Provider,
    };
    use vestibule_sso::{Application, Begun, Client, Returned, SsoError, TokenProblem};

    use vestibule_sso::test_support::{Issuer, Mood, Signature};

    const CALLBACK: &str = "https://login.test/auth/google/callback";
    const TENANT: &str = "9188040D-6c67-4c5b-b112-36a304b66dad";
    const OBJECT: &str = "00000000-0000-0000-66f3-3332eca7ea81";

    fn now() -> Moment {
        Moment::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn google(issuer: &Issuer) -> Application {
        Application::new(Provider::Google, "our-app", "our-secret", &issuer.url, CALLBACK).unwrap()
    }

    fn office(issuer: &Issuer) -> Application {
        let at = format!("{}/common/v2.0", issuer.url);
        Application::new(Provider::Office365, "our-app", "our-secret", &at, CALLBACK).unwrap()
    }

    /// Claims that are right for Google.
    fn claims(issuer: &Issuer, begun: &Begun) -> Value {
        json!({
            "iss": issuer.url, "aud": "our-app", "sub": "110169", "nonce": begun.nonce.as_str(),
            "iat": now().timestamp() - 5, "exp": now().timestamp() + 3600, "email": "alice@gmail.test",
        })
    }

    /// Claims that are right for Office 365.
    fn office_claims(issuer: &Issuer, begun: &Begun) -> Value {
        let mut claims = claims(issuer, begun);
        claims["iss"] = json!(format!("{}/{TENANT}/v2.0", issuer.url));
        claims["tid"] = json!(TENANT);
        claims["oid"] = json!(OBJECT);
        claims
    }

    /// Says something else in a claim; `null` leaves it out.
    fn change(claims: &mut Value, name: &str, value: &Value) {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }

    async fn begun(client: &Client, application: &Application, seed: u64) -> Begun {
        client
            .begin(application, false, &SeededRandomness::new(seed))
            .await
            .unwrap()
    }

    async fn finished(client: &Client, application: &Application, begun: &Begun) -> Result<String, SsoError> {
        finished_by(client, application, begun, None).await
    }

    /// The same with an answer that names this issuer.
    async fn finished_by(
        client: &Client,
        application: &Application,
        begun: &Begun,
        issuer: Option<&str>,
    ) -> Result<String, SsoError> {
        let returned = Returned {
            code: "the-code",
            issuer,
            verifier: &begun.verifier,
            nonce: &begun.nonce,
        };
        client
            .finish(application, &returned, now())
            .await
            .map(|identity| identity.key)
    }

    fn query(url: &str) -> HashMap<String, String> {
        let (_, query) = url.split_once('?').unwrap();
        url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect()
    }

    #[tokio::test]
    async fn a_browser_is_sent_with_state_nonce_and_challenge_of_its_own() {
        let issuer = Issuer::start().await;
        let client = Client::new(None).unwrap();
        let (first, second) = (
            begun(&client, &google(&issuer), 1).await,
            begun(&client, &google(&issuer), 2).await,
        );
        let sent = query(&first.url);
        assert!(
            first.url.starts_with(&format!("{}/authorize?", issuer.url)),
            "{}",
            first.url
        );
        for (name, value) in [
            ("response_type", "code"),
            ("client_id", "our-app"),
            ("redirect_uri", CALLBACK),
            ("code_challenge_method", "S256"),
            ("state", first.state.as_str()),
            ("nonce", first.nonce.as_str()),
        ] {
            assert_eq!(sent[name], value, "{name}");
        }
        assert!(sent["scope"].split(' ').any(|scope| scope == "openid"));
        assert!(!first.url.contains("our-secret") && !first.url.contains(first.verifier.as_str()));
        for secret in [&first.state, &first.nonce, &first.verifier] {
            assert_eq!(secret.len(), 43, "256 bits");
        }
        assert_ne!(first.state, second.state);
        assert_ne!(first.verifier, second.verifier);
        assert_eq!(issuer.count("/jwks"), 1, "documents are kept");
    }

    #[tokio::test]
    async fn an_identity_is_issuer_and_subject_and_for_office_365_tenant_and_object() {
        for signature in [Signature::Es256, Signature::Rs256] {
            let issuer = Issuer::start_with(signature).await;
            let client = Client::new(None).unwrap();
            let application = google(&issuer);
            let flow = begun(&client, &application, 1).await;
            issuer.will_say(claims(&issuer, &flow));
            assert_eq!(
                finished(&client, &application, &flow).await,
                Ok(format!("{} 110169", issuer.url))
            );
            let sent = issuer.exchange();
            for (name, value) in [
                ("grant_type", "authorization_code"),
                ("code", "the-code"),
                ("code_verifier", flow.verifier.as_str()),
                ("client_secret", "our-secret"),
                ("redirect_uri", CALLBACK),
            ] {
                assert_eq!(sent[name], value, "{name}");
            }
        }
        let issuer = Issuer::start().await;
        let client = Client::new(None).unwrap();
        let application = office(&issuer);
        let flow = begun(&client, &application, 1).await;
        issuer.will_say(office_claims(&issuer, &flow));
        let key = format!("{} {OBJECT}", TENANT.to_lowercase());
        assert_eq!(finished(&client, &application, &flow).await, Ok(key.clone()));
        let restricted = application.clone().of_tenants(vec!["another".to_owned()]);
        assert_eq!(
            finished(&client, &restricted, &flow).await,
            Err(SsoError::TenantNotAllowed)
        );
        let allowed = application.of_tenants(vec!["another".to_owned(), TENANT.to_lowercase()]);
        assert_eq!(finished(&client, &allowed, &flow).await, Ok(key));
    }

    #[tokio::test]
    async fn a_token_that_is_not_ours_is_refused() {
        use TokenProblem::{Audience, Claim, Issuer as WrongIssuer, Nonce, Time};
        let issuer = Issuer::start().await;
        let client = Client::new(None).unwrap();
        let application = google(&issuer);
        let flow = begun(&client, &application, 1).await;
        let at = |seconds: i64| json!(now().timestamp() + seconds);
        for (name, value, problem) in [
            ("aud", json!("another-app"), Audience),
            ("aud", json!(["our-app", "another-app"]), Audience),
            ("azp", json!("another-app"), Audience),
            ("iss", json!("https://accounts.evil.test"), WrongIssuer),
            ("iss", json!(format!("{}/", issuer.url)), WrongIssuer),
            ("aud", json!([]), Audience),
            ("exp", at(-61), Time("exp")),
            ("exp", json!("1"), Time("exp")),
            ("iat", at(61), Time("iat")),
            ("iat", at(-661), Time("iat")),
            ("nbf", at(61), Time("nbf")),
            ("nonce", json!("another"), Nonce),
            ("nonce", Value::Null, Nonce),
            ("sub", json!(""), TokenProblem::Subject),
            ("iss", json!(7), Claim("iss")),
            ("aud", json!({"our-app": true}), Claim("aud")),
            ("aud", json!(["our-app", 7]), Claim("aud")),
            ("aud", Value::Null, Claim("aud")),
            ("azp", json!(["our-app"]), Claim("azp")),
            ("exp", Value::Null, Claim("exp")),
            ("exp", json!("tomorrow"), Claim("exp")),
            ("exp", json!("inf"), Claim("exp")),
            ("iat", Value::Null, Claim("iat")),
            ("iat", json!([1]), Claim("iat")),
            ("nbf", json!(true), Claim("nbf")),
            ("nonce", json!(7), Claim("nonce")),
            ("sub", Value::Null, Claim("sub")),
            ("sub", json!(110_169), Claim("sub")),
        ] {
            let mut said = claims(&issuer, &flow);
            change(&mut said, name, &value);
            issuer.will_say(said);
            let refused = finished(&client, &application, &flow).await;
            assert_eq!(refused, Err(SsoError::Token(problem)), "{name}: {value}");
        }
        for (name, value) in [
            ("exp", at(-59)),
            ("iat", at(59)),
            ("iat", at(-659)),
            ("azp", json!("our-app")),
        ] {
            let mut said = claims(&issuer, &flow);
            said[name] = value;
            issuer.will_say(said);
            assert!(
                finished(&client, &application, &flow).await.is_ok(),
                "{name}: within the leeway"
            );
        }
    }

    #[tokio::test]
    async fn what_nobody_uses_is_not_judged() {
        let issuer = Issuer::start().await;
        let client = Client::new(None).unwrap();
        let application = google(&issuer);
        issuer.will_publish(json!({
            "claims_parameter_supported": "false", "ui_locales_supported": "en", "scopes_supported": "openid",
            "response_types_supported": null, "op_policy_uri": 7,
        }));
        let flow = begun(&client, &application, 1).await;
        for answer in [
            json!({"expires_in": "3599"}),
            json!({"expires_in": 3599.5, "scope": ["openid", "email"]}),
            json!({"token_type": null, "access_token": null, "refresh_token": 7}),
        ] {
            issuer.will_say(claims(&issuer, &flow));
            issuer.will_answer(answer.clone());
            assert!(finished(&client, &application, &flow).await.is_ok(), "{answer}");
        }
        issuer.will_answer(json!({}));
        for (name, value) in [
            ("email_verified", json!("true")),
            ("phone_number_verified", json!(1)),
            ("updated_at", json!("2026-11-30T20:46:16Z")),
            ("address", json!("1 Main Street")),
            ("birthdate", json!(19_700_101)),
            ("locale", json!(["en"])),
            ("picture", json!("not an address")),
            ("zoneinfo", json!({"name": "UTC"})),
            ("auth_time", json!("yesterday")),
            ("amr", json!("pwd")),
            ("acr", json!(1)),
            ("at_hash", json!(7)),
            ("name", json!({"given": "Alice"})),
            ("email", json!(["alice@gmail.test"])),
            ("exp", json!((now().timestamp() + 3600).to_string())),
            ("iat", json!(1_799_999_999.5)),
            ("nbf", Value::Null),
            ("aud", json!(["our-app"])),
        ] {
            let mut said = claims(&issuer, &flow);
            said[name] = value.clone();
            issuer.will_say(said);
            assert_eq!(
                finished(&client, &application, &flow).await,
                Ok(format!("{} 110169", issuer.url)),
                "{name}: {value}"
            );
        }
    }

    #[test]
    fn the_audit_log_names_the_claim() {
        for (problem, word) in [
            (TokenProblem::Claim("sub"), "token_claim_sub"),
            (TokenProblem::Time("exp"), "token_time_exp"),
            (TokenProblem::Missing, "token_missing"),
        ] {
            assert_eq!(SsoError::Token(problem).to_string(), word);
        }
    }

    #[tokio::test]
    async fn of_many_who_set_out_at_once_one_asks_for_the_documents() {
        let issuer = Issuer::start().await;
        let client = Client::new(None).unwrap();
        let application = google(&issuer);
        let all = (0..20).map(|seed| begun(&client, &application, seed));
        futures::future::join_all(all).await;
        assert_eq!(issuer.count("/jwks"), 1);
    }

    #[tokio::test]
    async fn a_step_has_one_limit_however_much_it_asks_for() {
        let limit = Duration::from_millis(500);
        let issuer = Issuer::start().await;
        let client = Client::new(Some(limit)).unwrap();
        // Each answer alone would be in time.
        issuer.feel(Mood::Slow(limit * 3 / 5));
        let application = google(&issuer);
        let late = client
            .begin(&application, false, &SeededRandomness::new(1))
            .await
            .map(drop);
        assert_eq!(late, Err(SsoError::TimedOut));
        assert_eq!(client.check(&application).await, Err(SsoError::TimedOut));
    }

    #[tokio::test]
    async fn an_answer_of_another_provider_gets_no_code() {
        let issuer = Issuer::start().await;
        let client = Client::new(None).unwrap();
        let another = || Err(SsoError::WrongIssuer);
        let application = google(&issuer);
        let flow = begun(&client, &application, 1).await;
        issuer.will_say(claims(&issuer, &flow));
        for named in [Some("https://accounts.evil.test"), Some("")] {
            let refused = finished_by(&client, &application, &flow, named).await;
            assert_eq!(refused, another(), "{named:?}");
        }
        assert_eq!(issuer.count("/token"), 0);
        for named in [None, Some(issuer.url.as_str())] {
            assert!(finished_by(&client, &application, &flow, named).await.is_ok());
        }
        let application = office(&issuer);
        let flow = begun(&client, &application, 2).await;
        issuer.will_say(office_claims(&issuer, &flow));
        let tenants = format!("{}/{TENANT}/v2.0", issuer.url);
        assert!(
            finished_by(&client, &application, &flow, Some(&tenants))
                .await
                .is_ok()
        );
        let elsewhere = format!("https://evil.test/{TENANT}/v2.0");
        let refused = finished_by(&client, &application, &flow, Some(&elsewhere)).await;
        assert_eq!(refused, another());

        // Whoever says that answers name their issuer has to do it.
        issuer.will_publish(json!({"authorization_response_iss_parameter_supported": true}));
        let client = Client::new(None).unwrap();
        let application = google(&issuer);
        let flow = begun(&client, &application, 3).await;
        issuer.will_say(claims(&issuer, &flow));
        assert_eq!(finished(&client, &application, &flow).await, another());
        assert!(
            finished_by(&client, &application, &flow, Some(&issuer.url))
                .await
                .is_ok()
        );
    }

    #[tokio::test]
    async fn a_tenant_speaks_for_itself_only() {
        let issuer = Issuer::start().await;
        let client = Client::new(None).unwrap();
        let application = office(&issuer);
        let flow = begun(&client, &application, 1).await;
        for (name, value, problem) in [
            (
                "iss",
                json!(format!("{}/another/v2.0", issuer.url)),
                TokenProblem::Issuer,
            ),
            (
                "iss",
                json!(format!("{}/{{tenantid}}/v2.0", issuer.url)),
                TokenProblem::Issuer,
            ),
            (
                "iss",
                json!(format!("https://evil.test/{TENANT}/v2.0")),
                TokenProblem::Issuer,
            ),
            ("tid", Value::Null, TokenProblem::Claim("tid")),
            ("oid", Value::Null, TokenProblem::Claim("oid")),
            ("tid", json!("../evil"), TokenProblem::Claim("tid")),
            ("tid", json!(7), TokenProblem::Claim("tid")),
            ("oid", json!("a b"), TokenProblem::Claim("oid")),
        ] {
            let mut said = office_claims(&issuer, &flow);
            change(&mut said, name, &value);
            issuer.will_say(said);
            let refused = finished(&client, &application, &flow).await;
            assert_eq!(refused, Err(SsoError::Token(problem)), "{name}: {value}");
        }
    }

    #[tokio::test]
    async fn a_signature_is_one_of_two_kinds_and_by_a_published_key() {
        let issuer = Issuer::start().await;
        let client = Client::new(None).unwrap();
        let application = google(&issuer);
        let flow = begun(&client, &application, 1).await;
        issuer.will_say(claims(&issuer, &flow));
        for (mood, problem) in [
            (Mood::Unsigned, TokenProblem::Algorithm),
            (Mood::SignedWithTheSecret, TokenProblem::Algorithm),
            (Mood::ForeignKey, TokenProblem::Signature),
            (Mood::KeyInHeader, TokenProblem::Signature),
            (Mood::UnknownKey, TokenProblem::Signature),
            (Mood::Damaged, TokenProblem::Signature),
            (Mood::NoToken, TokenProblem::Missing),
            (Mood::Garbage, TokenProblem::Missing),
        ] {
            issuer.feel(mood);
            let refused = finished(&client, &application, &flow).await;
            assert_eq!(refused, Err(SsoError::Token(problem)), "{mood:?}");
        }
        issuer.feel(Mood::Good);
        assert!(finished(&client, &application, &flow).await.is_ok());
    }

    #[tokio::test]
    async fn keys_that_change_in_between_are_fetched_anew_but_not_at_everybodys_word() {
        let issuer = Issuer::start().await;
        let client = Client::new(None).unwrap();
        let application = google(&issuer);
        let flow = begun(&client, &application, 1).await;
        issuer.will_say(claims(&issuer, &flow));
        assert!(finished(&client, &application, &flow).await.is_ok());
        issuer.rotate();
        assert!(finished(&client, &application, &flow).await.is_ok());
        assert_eq!(issuer.count("/jwks"), 2);
        issuer.feel(Mood::ForeignKey);
        for _ in 0..5 {
            let refused = finished(&client, &application, &flow).await;
            assert_eq!(refused, Err(SsoError::Token(TokenProblem::Signature)));
        }
        assert_eq!(issuer.count("/jwks"), 2, "within a minute");
    }

    #[tokio::test]
    async fn a_provider_that_is_ill_is_said_to_be_and_left_in_time() {
        let limit = Duration::from_millis(400);
        for (mood, at_exchange, at_discovery) in [
            (Mood::Down, SsoError::NotUnderstood, SsoError::Status(500)),
            (Mood::Silent, SsoError::TimedOut, SsoError::TimedOut),
            (Mood::Huge, SsoError::TooLarge, SsoError::TooLarge),
            (Mood::Redirecting, SsoError::NotUnderstood, SsoError::Status(302)),
            (Mood::NotJson, SsoError::NotUnderstood, SsoError::NotUnderstood),
        ] {
            let issuer = Issuer::start().await;
            let client = Client::new(Some(limit)).unwrap();
            let application = google(&issuer);
            let flow = begun(&client, &application, 1).await;
            issuer.will_say(claims(&issuer, &flow));
            issuer.feel(mood);
            assert_eq!(
                finished(&client, &application, &flow).await,
                Err(at_exchange),
                "{mood:?}"
            );
            assert_eq!(client.check(&application).await, Err(at_discovery), "{mood:?}");
            assert_eq!(issuer.count("/elsewhere"), 0, "redirects are not followed");
        }
        let issuer = Issuer::start().await;
        let client = Client::new(Some(limit)).unwrap();
        let application = google(&issuer);
        let flow = begun(&client, &application, 1).await;
        for (error, expected) in [
            ("invalid_client", SsoError::UnknownApplication),
            ("invalid_grant", SsoError::CodeRefused),
            ("invalid_request", SsoError::RequestRefused),
        ] {
            issuer.feel(Mood::Refusing(error));
            assert_eq!(finished(&client, &application, &flow).await, Err(expected));
        }
        for (error, expected) in [
            ("invalid_client", Err(SsoError::UnknownApplication)),
            ("unauthorized_client", Err(SsoError::UnknownApplication)),
            ("invalid_grant", Ok(())),
            ("redirect_uri_mismatch", Err(SsoError::RequestRefused)),
            ("invalid_scope", Err(SsoError::RequestRefused)),
        ] {
            issuer.feel(Mood::Refusing(error));
            assert_eq!(client.check(&application).await, expected, "{error}");
        }
        let nowhere = Application::new(Provider::Google, "a", "b", "http://127.0.0.1:1", CALLBACK).unwrap();
        assert_eq!(client.check(&nowhere).await, Err(SsoError::Unreachable));
    }

    #[tokio::test]
    async fn whoever_has_to_prove_it_anew_is_asked_so_where_the_provider_knows_how() {
        let issuer = Issuer::start().await;
        let client = Client::new(None).unwrap();
        for (application, anew, expected) in [
            (google(&issuer), false, "select_account"),
            (google(&issuer), true, "select_account"),
            (office(&issuer), false, "select_account"),
            (office(&issuer), true, "login"),
        ] {
            let begun = client
                .begin(&application, anew, &SeededRandomness::new(1))
                .await
                .unwrap();
            assert_eq!(query(&begun.url)["prompt"], expected);
        }
    }

    #[tokio::test]
    async fn a_document_of_another_issuer_or_with_unsafe_addresses_is_not_used() {
        let issuer = Issuer::start().await;
        let client = Client::new(None).unwrap();
        for (change, expected) in [
            (
                json!({"issuer": "https://accounts.evil.test"}),
                SsoError::WrongIssuer,
            ),
            (
                json!({"jwks_uri": "http://keys.evil.test/jwks"}),
                SsoError::NotUnderstood,
            ),
            (
                json!({"token_endpoint": "http://tokens.evil.test/"}),
                SsoError::NotUnderstood,
            ),
            (
                json!({"authorization_endpoint": "http://evil.test/"}),
                SsoError::NotUnderstood,
            ),
        ] {
            issuer.will_publish(change.clone());
            assert_eq!(client.check(&google(&issuer)).await, Err(expected), "{change}");
        }
        issuer.will_publish(json!({}));
        assert_eq!(client.check(&google(&issuer)).await, Ok(()));
        assert_eq!(client.check(&office(&issuer)).await, Ok(()));
    }
}
