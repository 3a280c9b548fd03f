//! Single Sign-On of a company, and accounts without a password.

use vestibule_core::{
    refusal::{Field, Problem, Refusal},
    session::Proof,
    sso::{Provider, ProviderProblem},
};
use vestibule_service::{
    Visitor,
    console::{NewPasswordInput, ProviderInput},
    key_rotation::Resealed,
    keys::{Key, Keys},
    profile::Confirmed,
    recovery::ResetInput,
    sign_in::{
        Outcome,
        sso::{Arrival, KnownProvider, Providers, SsoAnswer},
    },
};
use vestibule_sso::{
    Client,
    test_support::{Issuer, Mood},
};

use crate::{
    profile::set_up_email,
    site::{self, Site, on_both},
    sso::{back_as, bind, claims, find, from, typed, with_providers},
};

const SECRET: &str = "s3cret-of-the-application";

async fn inputs(site: &Site, ada: &Visitor) -> [ProviderInput; 2] {
    let page = site.service.console().sso_settings(ada).await.unwrap();
    page.providers.map(|settings| typed(&settings))
}

/// Both inputs with an application of the company's own at Google.
async fn with_own(site: &Site, ada: &Visitor, id: &str, secret: &str) -> [ProviderInput; 2] {
    let [google, office] = inputs(site, ada).await;
    let google = ProviderInput {
        enabled: true,
        client_id: id.to_owned(),
        client_secret: secret.to_owned().into(),
        ..google
    };
    [google, office]
}

/// Tries the form as it stands after it is opened.
async fn test_stored(site: &Site, provider: Provider, ada: &Visitor) -> Result<(), Refusal> {
    let [google, office] = inputs(site, ada).await;
    let input = match provider {
        Provider::Google => google,
        Provider::Office365 => office,
    };
    site.service.console().test_sso(provider, input, ada).await
}

/// A site where only companies have applications.
async fn without_installation(site: &Site) -> (Site, Issuer, Visitor) {
    let issuer = Issuer::start().await;
    let known = vec![KnownProvider {
        provider: Provider::Google,
        issuer: issuer.url.clone(),
        application: None,
    }];
    let site = site.with_providers(Providers::new(Client::new(None).unwrap(), known));
    let ada = crate::console::acme(&site).await;
    (site, issuer, ada)
}

/// bob without a password, connected with Google, and signed in with it.
async fn bob_without_password(site: &Site, issuer: &Issuer, ada: &Visitor) -> Visitor {
    let visitor = back_as(site, issuer, "bob-at-google").await;
    bind(site, &visitor, "Acme", "bob", site::PASSWORD).await.unwrap();
    let id = site.id_of("Acme", "bob").await;
    site.service.console().remove_password(&id, ada).await.unwrap();
    let visitor = back_as(site, issuer, "bob-at-google").await;
    let Ok(Arrival::In(Outcome::SignedIn(granted))) = site.service.sso().arrive(None, &visitor).await else {
        panic!("not signed in")
    };
    Visitor {
        session: Some(granted.session),
        ..site::visitor()
    }
}

/// Comes back from Google as this subject, from a step-up.
async fn confirm_as(site: &Site, issuer: &Issuer, by: &Visitor, subject: &str) -> Result<Arrival, Refusal> {
    let out = site
        .service
        .sso()
        .begin_step_up(Provider::Google, "/profile/security?confirmed".to_owned(), by)
        .await?;
    issuer.will_say(claims(site, issuer, &find(&out.url, "nonce"), subject));
    let visitor = Visitor {
        sso_flow: Some(out.flow.clone()),
        ..by.clone()
    };
    let answer = SsoAnswer {
        state: find(&out.url, "state"),
        code: Ok("c".to_owned()),
        issuer: None,
    };
    site.service
        .sso()
        .answer_sso(Provider::Google, &answer, &visitor)
        .await?;
    site.service.sso().arrive(None, &visitor).await
}

on_both! {
    async fn an_application_is_saved_used_and_its_secret_shown_nowhere(site: Site) {
        let (site, issuer, ada) = without_installation(&site).await;
        let service = &site.service;
        let nobody = service.sso().offered_providers(&site::visitor()).await.unwrap();
        assert!(nobody.is_empty());
        assert_eq!(
            test_stored(&site, Provider::Google, &ada).await,
            Err(Refusal::NoApplication { provider: Provider::Google })
        );
        site.no_mail().await;
        service.console().save_sso(with_own(&site, &ada, "our-app", SECRET).await, &ada).await.unwrap();
        assert_eq!(site.mail_kinds().await, ["policies_changed"]);
        assert!(!site.dump().await.contains(SECRET), "the secret is stored encrypted");
        let changed = site.events("Acme").await.into_iter().find(|(event, _)| event == "sso_settings_changed");
        let detail = changed.unwrap().1.unwrap();
        assert_eq!(
            detail,
            "google enabled: false -> true; google client_id: none -> our-app; google client_secret: changed"
        );
        assert_eq!(service.sso().offered_providers(&site::visitor()).await.unwrap(), [Provider::Google]);
        assert_eq!(test_stored(&site, Provider::Google, &ada).await, Ok(()));
        assert_eq!(issuer.exchange()["client_secret"], SECRET);

        // Once more without a change: no mail, no event, the secret stays.
        service.console().save_sso(inputs(&site, &ada).await, &ada).await.unwrap();
        assert!(site.mails().await.is_empty());
        service.console().save_sso(with_own(&site, &ada, "our-app", "").await, &ada).await.unwrap();
        assert_eq!(test_stored(&site, Provider::Google, &ada).await, Ok(()));
        assert_eq!(issuer.exchange()["client_secret"], SECRET);

        let begun = service.sso().begin_sso(Provider::Google, from("Acme"), &site::visitor()).await.unwrap();
        assert_eq!(find(&begun.url, "client_id"), "our-app");
        let other = service.sso().begin_sso(Provider::Google, from("Nobody"), &site::visitor()).await.map(drop);
        assert_eq!(other, Err(Refusal::SsoNotOffered));

        let [google, office] = inputs(&site, &ada).await;
        let gone = ProviderInput { enabled: false, client_id: String::new(), ..google };
        service.console().save_sso([gone, office], &ada).await.unwrap();
        assert!(service.sso().offered_providers(&site::visitor()).await.unwrap().is_empty());
    }

    async fn what_cannot_be_is_refused_and_nobody_saves_over_a_newer_version(site: Site) {
        let (site, _, ada) = without_installation(&site).await;
        let service = &site.service;
        let missing = service.console().save_sso(with_own(&site, &ada, "", "").await, &ada).await;
        assert_eq!(missing, Err(Refusal::field(Field::GoogleClientId, Problem::Missing)));
        let [google, office] = with_own(&site, &ada, "our-app", "").await;
        let office = ProviderInput { tenants: "common".to_owned(), ..office };
        let Err(Refusal::Invalid { fields }) = service.console().save_sso([google, office], &ada).await else {
            panic!("taken")
        };
        let fields: Vec<_> = fields.iter().map(|found| (found.field, found.problem)).collect();
        assert_eq!(fields, [
            (Field::GoogleClientSecret, Problem::Missing),
            (Field::Office365Tenants, Problem::NotATenant),
        ]);

        let old = with_own(&site, &ada, "our-app", SECRET).await;
        service.console().save_sso(with_own(&site, &ada, "other-app", SECRET).await, &ada).await.unwrap();
        assert_eq!(service.console().save_sso(old, &ada).await, Err(Refusal::ChangedMeanwhile));
        let secret = Err(Refusal::field(Field::GoogleClientSecret, Problem::Missing));
        let renamed = service.console().save_sso(with_own(&site, &ada, "our-app", "").await, &ada).await;
        assert_eq!(renamed, secret, "a secret belongs to one application");

        site.clock.advance(vestibule_core::limits::STEP_UP_SECONDS + 1);
        let late = service.console().save_sso(inputs(&site, &ada).await, &ada).await;
        assert_eq!(late, Err(Refusal::StepUpNeeded));
        assert_eq!(test_stored(&site, Provider::Google, &ada).await, Err(Refusal::StepUpNeeded));
        let bob = site.at_home("Acme", "bob", None).await;
        assert_eq!(service.console().sso_settings(&bob).await.map(drop), Err(Refusal::Forbidden));
        let sue = site.at_home("Acme", "sue", None).await;
        let forbidden = service.console().save_sso(inputs(&site, &ada).await, &sue).await;
        assert_eq!(forbidden, Err(Refusal::Forbidden));
    }

    async fn a_test_says_what_is_wrong(site: Site) {
        let (site, issuer, ada) = without_installation(&site).await;
        site.service.console().save_sso(with_own(&site, &ada, "our-app", SECRET).await, &ada).await.unwrap();
        for (mood, problem, word) in [
            (Mood::Down, ProviderProblem::Status(500), "google: status_500"),
            (Mood::NotJson, ProviderProblem::NotUnderstood, "google: not_understood"),
            (Mood::Refusing("redirect_uri_mismatch"), ProviderProblem::Refused, "google: request_refused"),
            (Mood::Refusing("invalid_client"), ProviderProblem::UnknownApplication, "google: unknown_application"),
        ] {
            issuer.feel(mood);
            site.clock.advance(1);
            let provider = Provider::Google;
            let tested = test_stored(&site, provider, &ada).await;
            assert_eq!(tested, Err(Refusal::ProviderUnusable { provider, problem }));
            let events = site.store.read().await.unwrap().events(None, 1).await.unwrap();
            assert_eq!((events[0].event.as_str(), events[0].detail.as_deref()), ("sso_tested", Some(word)));
        }
    }

    async fn what_is_typed_is_tried_and_its_secret_kept_for_saving_that(site: Site) {
        let (site, issuer, ada) = without_installation(&site).await;
        let service = &site.service;
        let test = async |id: &str, secret: &str| {
            let [google, _] = with_own(&site, &ada, id, secret).await;
            service.console().test_sso(Provider::Google, google, &ada).await
        };
        let missing = Err(Refusal::field(Field::GoogleClientSecret, Problem::Missing));
        assert_eq!(test("our-app", "").await, missing);
        assert_eq!(test("our-app", SECRET).await, Ok(()));
        assert_eq!(issuer.exchange()["client_secret"], SECRET);
        assert!(!site.dump().await.contains(SECRET), "it is kept encrypted");
        let page = service.console().sso_settings(&ada).await.unwrap();
        assert!(page.providers.iter().all(|settings| settings.row.is_none()), "nothing is saved");
        assert_eq!(page.providers[0].tried.as_deref(), Some("our-app"));
        assert_eq!(test("our-app", "").await, Ok(()), "it need not be typed again");
        assert_eq!(test("other-app", "").await, missing, "it belongs to one application");

        service.console().save_sso(with_own(&site, &ada, "our-app", "").await, &ada).await.unwrap();
        let page = service.console().sso_settings(&ada).await.unwrap();
        assert_eq!(page.providers[0].tried, None, "it is saved now");
        assert_eq!(test("our-app", "").await, Ok(()));
        assert_eq!(issuer.exchange()["client_secret"], SECRET);

        issuer.feel(Mood::Refusing("invalid_client"));
        let provider = Provider::Google;
        let problem = ProviderProblem::UnknownApplication;
        assert_eq!(test("other-app", "wrong").await, Err(Refusal::ProviderUnusable { provider, problem }));
        assert_eq!(test("other-app", "").await, missing, "what the provider does not take is not kept");
        let bob = site.at_home("Acme", "bob", None).await;
        let [google, _] = inputs(&site, &ada).await;
        let forbidden = service.console().test_sso(provider, google, &bob).await;
        assert_eq!(forbidden, Err(Refusal::Forbidden));
    }

    async fn secrets_of_applications_move_to_a_new_key(site: Site) {
        let (site, _, ada) = without_installation(&site).await;
        site.service.console().save_sso(with_own(&site, &ada, "our-app", SECRET).await, &ada).await.unwrap();
        let key = |version: u32, byte: u8| Key { version, secret: [byte; 32].into() };
        let rotating = site.with_keys(Keys::new(vec![key(1, 7), key(2, 8)]).unwrap());
        let done = rotating.service.operator().reseal_secrets().await.unwrap();
        assert_eq!(done, Resealed { resealed: 1, unreadable: 0 });
        let again = rotating.service.operator().reseal_secrets().await.unwrap();
        assert_eq!(again, Resealed::default());
        let tested = test_stored(&site, Provider::Google, &ada).await;
        assert!(matches!(tested, Err(Refusal::Internal { .. })), "{tested:?}");
        let lost = site.with_keys(Keys::new(vec![key(3, 9)]).unwrap());
        let done = lost.service.operator().reseal_secrets().await.unwrap();
        assert_eq!(done, Resealed { resealed: 0, unreadable: 1 });
    }

    async fn an_account_without_a_password_comes_in_by_its_provider_only(site: Site) {
        let (site, issuer) = with_providers(&site).await;
        let service = &site.service;
        let ada = site.at_home("Acme", "ada", None).await;
        let id = site.id_of("Acme", "bob").await;
        assert_eq!(service.console().remove_password(&id, &ada).await, Err(Refusal::NoIdentity));
        let own = site.id_of("Acme", "ada").await;
        assert_eq!(service.console().remove_password(&own, &ada).await, Err(Refusal::OwnAccount));
        let with_password = site.at_home("Acme", "bob", None).await;
        site.no_mail().await;
        let bob = bob_without_password(&site, &issuer, &ada).await;
        let mails = site.mail_kinds().await;
        assert!(mails.contains(&"password_removed") && mails.contains(&"sso_connected"), "{mails:?}");
        assert!(service.sign_in().session(&with_password).await.unwrap().is_none(), "signed out everywhere");
        let typed = site.try_password("Acme", "bob", site::PASSWORD, &site::visitor()).await.map(drop);
        assert_eq!(typed, Err(Refusal::WrongCredentials));
        assert_eq!(service.sso().disconnect(Provider::Google, &bob).await, Err(Refusal::LastWayIn));

        let last = service.console().disconnect_agent(&id, Provider::Google, &ada).await;
        assert_eq!(last, Err(Refusal::ProviderIsLastWayIn));

        // While accounts depend on it, it cannot be switched off.
        let [google, office] = inputs(&site, &ada).await;
        let off = ProviderInput { enabled: false, ..google };
        assert_eq!(service.console().save_sso([off, office], &ada).await, Err(Refusal::ProviderNeeded { accounts: 1 }));
        let input = NewPasswordInput {
            new: site::password("a quite new password of bob's"),
            confirm: site::password("a quite new password of bob's"),
        };
        service.console().reset_password(&id, input, &ada).await.unwrap();
        site.no_mail().await;
        service.console().disconnect_agent(&id, Provider::Google, &ada).await.unwrap();
        service.console().disconnect_agent(&id, Provider::Google, &ada).await.unwrap();
        assert_eq!(site.mail_kinds().await, ["sso_disconnected"], "once, and bob hears of it");
        let [google, office] = inputs(&site, &ada).await;
        let off = ProviderInput { enabled: false, ..google };
        service.console().save_sso([off, office], &ada).await.unwrap();
    }

    async fn forgot_password_says_the_same_and_sends_nothing_without_a_password(site: Site) {
        let (site, issuer) = with_providers(&site).await;
        let ada = site.at_home("Acme", "ada", None).await;
        bob_without_password(&site, &issuer, &ada).await;
        site.no_mail().await;
        let bob = site.account_of("Acme", "bob").await;
        for email in [bob.email.as_str(), "nobody@acme.test"] {
            let input = ResetInput {
                company: "Acme".to_owned(),
                email: email.to_owned(),
            };
            site.service.recovery().ask_for_reset_link(&input, &site::visitor()).await.unwrap();
        }
        site.service.recovery().answer_reset_requests().await.unwrap();
        assert!(site.mails().await.is_empty());
    }

    async fn a_provider_stands_in_for_the_password_in_a_step_up(site: Site) {
        let (site, issuer) = with_providers(&site).await;
        let service = &site.service;
        let ada = site.at_home("Acme", "ada", None).await;
        let alice_has_one = service.sso().begin_step_up(Provider::Google, "/x".to_owned(), &ada).await.map(drop);
        assert_eq!(alice_has_one, Err(Refusal::SsoNotOffered), "whoever has a password uses it");
        let bob = bob_without_password(&site, &issuer, &ada).await;
        site.clock.advance(vestibule_core::limits::STEP_UP_SECONDS + 1);
        let needed = service.sso().begin_connect(Provider::Office365, &bob).await.map(drop);
        assert_eq!(needed, Err(Refusal::StepUpNeeded));

        let stranger = confirm_as(&site, &issuer, &bob, "somebody-else").await.map(drop);
        assert_eq!(stranger, Err(Refusal::IdentityOther { provider: Provider::Google }));
        let refused = site.events("Acme").await.into_iter().any(|(event, _)| event == "step_up_refused");
        assert!(refused);
        let Ok(Arrival::Confirmed(Confirmed::Proved(session), next)) =
            confirm_as(&site, &issuer, &bob, "bob-at-google").await
        else {
            panic!("not confirmed")
        };
        assert_eq!(next, "/profile/security?confirmed");
        assert!(service.sign_in().session(&bob).await.unwrap().is_none(), "the session goes on under a new token");
        let bob = Visitor { session: Some(session), ..site::visitor() };
        assert_eq!(service.sign_in().session(&bob).await.unwrap().unwrap().proof, Proof::Provider);
        service.sso().begin_connect(Provider::Office365, &bob).await.unwrap();

        // A second factor is asked here too.
        set_up_email(&site, &bob).await;
        let asked = confirm_as(&site, &issuer, &bob, "bob-at-google").await;
        assert!(matches!(asked, Ok(Arrival::Confirmed(Confirmed::CodeAsked(_), _))));
        site.lock("Acme", "bob").await;
        let locked = confirm_as(&site, &issuer, &bob, "bob-at-google").await.map(drop);
        assert_eq!(locked, Err(Refusal::AccountLocked));
    }
}
