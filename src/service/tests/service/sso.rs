//! Sign-in with Google and Office 365, against a provider on a real socket.

use serde_json::{Value, json};
use vestibule_core::{
    account::Role,
    limits::{CARRIED_ADDRESS_MAX, SSO_FLOWS_BYTES},
    paths,
    ports::Clock,
    refusal::Refusal,
    session::Proof,
    sso::Provider,
};
use vestibule_service::{
    Visitor,
    console::{NewPasswordInput, ProviderInput, ProviderSettings},
    sign_in::{
        Outcome, SignInForm,
        sso::{Arrival, KnownProvider, Providers, SetOut, SsoAnswer},
    },
};
use vestibule_sso::{
    Client,
    test_support::{Issuer, Mood},
};

use crate::site::{self, Site, on_both};

const GOOGLE: Provider = Provider::Google;

/// A site with both providers, and Acme with alice (codes by e-mail) and bob (no second factor).
pub async fn with_providers(site: &Site) -> (Site, Issuer) {
    let issuer = Issuer::start().await;
    let application = || Some(("our-app".to_owned(), "our-secret".to_owned().into()));
    let known = vec![
        KnownProvider {
            provider: GOOGLE,
            issuer: issuer.url.clone(),
            application: application(),
        },
        KnownProvider {
            provider: Provider::Office365,
            issuer: format!("{}/common/v2.0", issuer.url),
            application: application(),
        },
    ];
    let site = site.with_providers(Providers::new(Client::new(None).unwrap(), known));
    site.company("Acme", 30).await;
    site.account("Acme", "alice", true).await;
    site.account("Acme", "bob", false).await;
    site.person("Acme", "ada", &[Role::Admin], false).await;
    (site, issuer)
}

/// Sets out with this company in the form.
pub fn from(company: &str) -> SetOut {
    SetOut {
        company: company.to_owned(),
        ..SetOut::default()
    }
}

/// A browser that sets out, and the state that it has to come back with.
pub async fn set_out(site: &Site, provider: Provider) -> (Visitor, SsoAnswer, String) {
    set_out_of(site, provider, "").await
}

/// The same with a company in the form.
async fn set_out_of(site: &Site, provider: Provider, company: &str) -> (Visitor, SsoAnswer, String) {
    let out = site
        .service
        .sso()
        .begin_sso(provider, from(company), &site::visitor())
        .await
        .unwrap();
    let visitor = Visitor {
        sso_flow: Some(out.flow),
        ..site::visitor()
    };
    let answer = SsoAnswer {
        state: find(&out.url, "state"),
        code: Ok("the-code".to_owned()),
        issuer: None,
    };
    (visitor, answer, find(&out.url, "nonce"))
}

/// A parameter of an address.
pub fn find(url: &str, name: &str) -> String {
    let (_, rest) = url.split_once(&format!("{name}=")).unwrap();
    rest.split('&').next().unwrap().to_owned()
}

pub fn claims(site: &Site, issuer: &Issuer, nonce: &str, subject: &str) -> Value {
    let now = site.clock.now().timestamp();
    json!({"iss": issuer.url, "aud": "our-app", "sub": subject, "nonce": nonce, "iat": now, "exp": now + 3600,
        "email": format!("{subject}@gmail.test")})
}

/// A browser that came back from Google as this subject.
pub async fn back_as(site: &Site, issuer: &Issuer, subject: &str) -> Visitor {
    back_of(site, issuer, "", subject).await
}

/// The same with a company in the form.
async fn back_of(site: &Site, issuer: &Issuer, company: &str, subject: &str) -> Visitor {
    let (visitor, answer, nonce) = set_out_of(site, GOOGLE, company).await;
    issuer.will_say(claims(site, issuer, &nonce, subject));
    site.service
        .sso()
        .answer_sso(GOOGLE, &answer, &visitor)
        .await
        .unwrap();
    visitor
}

/// Has an admin of the company change what it says about a provider.
async fn configure(site: &Site, company: &str, provider: Provider, change: impl FnOnce(&mut ProviderInput)) {
    let ada = site.at_home(company, "ada", None).await;
    let page = site.service.console().sso_settings(&ada).await.unwrap();
    let mut inputs = page.providers.map(|settings| typed(&settings));
    change(&mut inputs[usize::from(provider != GOOGLE)]);
    site.service.console().save_sso(inputs, &ada).await.unwrap();
}

/// What stands in the form.
pub fn typed(settings: &ProviderSettings) -> ProviderInput {
    let row = settings.row.as_ref();
    let client = row.and_then(|row| row.client.as_ref());
    ProviderInput {
        version: row.map(|row| row.version),
        enabled: row.map_or(settings.installation, |row| row.enabled),
        client_id: client.map(|client| client.id.clone()).unwrap_or_default(),
        client_secret: String::new().into(),
        tenants: row.map(|row| row.tenants.join(" ")).unwrap_or_default(),
        trusted: row.is_some_and(|row| row.trusted),
    }
}

pub async fn bind(
    site: &Site,
    visitor: &Visitor,
    company: &str,
    account: &str,
    typed: &str,
) -> Result<Outcome, Refusal> {
    let form = SignInForm {
        company: company.to_owned(),
        account: account.to_owned(),
        password: site::password(typed),
        next: None,
    };
    site.service.sso().bind(form, visitor).await
}

async fn identities(site: &Site, account: &str) -> Vec<String> {
    let account = site.account_of("Acme", account).await;
    let mut reader = site.store.read().await.unwrap();
    let linked = reader.identities_of(account.company, account.id).await.unwrap();
    linked.into_iter().map(|linked| linked.identity.shown).collect()
}

/// Why the newest visitor was not let in.
async fn refused(site: &Site) -> Option<String> {
    site.service.upkeep().write_stranger_lines().await.unwrap();
    let events = site.store.read().await.unwrap().events(None, 1).await.unwrap();
    let newest = events
        .into_iter()
        .next()
        .filter(|event| event.event == "sso_refused");
    newest.and_then(|event| event.detail)
}

on_both! {
    async fn an_unknown_identity_is_bound_by_password_and_signs_in_from_then_on(site: Site) {
        let (site, issuer) = with_providers(&site).await;
        let service = &site.service;
        assert_eq!(service.sso().offered_providers(&site::visitor()).await.unwrap(), Provider::ALL);
        let visitor = back_as(&site, &issuer, "bob-at-google").await;
        assert!(matches!(service.sso().arrive(None, &visitor).await, Ok(Arrival::Bind)));
        let page = service.sso().bind_page(&visitor).await.unwrap();
        assert_eq!((page.provider, page.shown.as_str()), (GOOGLE, "bob-at-google@gmail.test"));
        let wrong = bind(&site, &visitor, "Acme", "bob", "not the password").await.map(drop);
        assert_eq!(wrong, Err(Refusal::WrongCredentials));
        assert!(identities(&site, "bob").await.is_empty());
        let bound = bind(&site, &visitor, "Acme", "bob", site::PASSWORD).await.unwrap();
        assert!(matches!(bound, Outcome::SignedIn(_)));
        assert_eq!(identities(&site, "bob").await, ["bob-at-google@gmail.test"]);
        assert!(site.mail_kinds().await.contains(&"sso_connected"));
        assert!(site.events("Acme").await.contains(&("sso_connected".to_owned(), Some("google".to_owned()))));
        let again = bind(&site, &visitor, "Acme", "bob", site::PASSWORD).await.map(drop);
        assert_eq!(again, Err(Refusal::SignInExpired), "a flow ends with its link");

        let visitor = back_as(&site, &issuer, "bob-at-google").await;
        let Ok(Arrival::In(Outcome::SignedIn(granted))) = service.sso().arrive(None, &visitor).await else {
            panic!("not signed in")
        };
        let session = Visitor { session: Some(granted.session), ..site::visitor() };
        let signed_in = service.sign_in().session(&session).await.unwrap().unwrap();
        assert_eq!((signed_in.account.name.as_str(), signed_in.proof), ("bob", Proof::Provider));
        assert_eq!(service.sso().arrive(None, &visitor).await.map(drop), Err(Refusal::SignInExpired), "once");
    }

    async fn what_a_browser_keeps_of_its_ways_has_bounds_and_a_request_of_an_application_has_room(site: Site) {
        let (site, issuer) = with_providers(&site).await;
        let visitor = back_as(&site, &issuer, "bob-at-google").await;
        bind(&site, &visitor, "Acme", "bob", site::PASSWORD).await.unwrap();
        let sso = site.service.sso();
        let request = paths::resuming(&"A".repeat(CARRIED_ADDRESS_MAX - paths::resuming("").len()));
        let too_long = format!("/agent?{}", "a".repeat(1900));
        let mut flows = None;
        for (next, landing) in [(&request, request.as_str()), (&too_long, "/agent"), (&request, request.as_str())] {
            let before = Visitor { sso_flow: flows, ..site::visitor() };
            let out = sso.begin_sso(GOOGLE, SetOut { next: Some(next.clone()), ..from("Acme") }, &before).await.unwrap();
            assert!(out.flow.len() <= SSO_FLOWS_BYTES, "{}", out.flow.len());
            let answer = SsoAnswer { state: find(&out.url, "state"), code: Ok("the-code".to_owned()), issuer: None };
            issuer.will_say(claims(&site, &issuer, &find(&out.url, "nonce"), "bob-at-google"));
            let visitor = Visitor { sso_flow: Some(out.flow), ..site::visitor() };
            let kept = sso.answer_sso(GOOGLE, &answer, &visitor).await.unwrap();
            assert!(kept.len() <= SSO_FLOWS_BYTES, "{}", kept.len());
            flows = Some(kept.clone());
            let back = Visitor { sso_flow: Some(kept), ..site::visitor() };
            let Ok(Arrival::In(Outcome::SignedIn(granted))) = sso.arrive(None, &back).await else {
                panic!("not signed in")
            };
            assert_eq!(granted.landing, landing);
        }
    }

    async fn with_a_second_factor_the_link_is_made_after_the_code_and_the_code_is_asked_every_time(site: Site) {
        let (site, issuer) = with_providers(&site).await;
        let visitor = back_as(&site, &issuer, "alice-at-google").await;
        let Ok(Outcome::CodeAsked { pending, .. }) = bind(&site, &visitor, "Acme", "alice", site::PASSWORD).await
        else {
            panic!("no code is asked")
        };
        assert!(identities(&site, "alice").await.is_empty(), "the code comes first");
        let at_code = Visitor { pending: Some(pending), ..visitor.clone() };
        let code = site.code_for("alice").await;
        site.verify(&site::other_code(&code), &at_code).await.unwrap_err();
        assert!(identities(&site, "alice").await.is_empty());
        site.verify(&code, &at_code).await.unwrap();
        assert_eq!(identities(&site, "alice").await.len(), 1);

        let visitor = back_as(&site, &issuer, "alice-at-google").await;
        let arrived = site.service.sso().arrive(None, &visitor).await;
        assert!(matches!(arrived, Ok(Arrival::In(Outcome::CodeAsked { .. }))), "the company does not trust Google");
        configure(&site, "Acme", GOOGLE, |google| google.trusted = true).await;
        let visitor = back_as(&site, &issuer, "alice-at-google").await;
        let arrived = site.service.sso().arrive(None, &visitor).await;
        assert!(matches!(arrived, Ok(Arrival::In(Outcome::SignedIn(_)))), "now it does");
    }

    async fn a_company_takes_only_what_came_through_its_own_application_and_of_its_tenants(site: Site) {
        let (site, issuer) = with_providers(&site).await;
        site.company("Globex", 0).await;
        for company in ["Acme", "Globex"] {
            site.account(company, "carl", false).await;
            let visitor = back_as(&site, &issuer, "carl-at-google").await;
            bind(&site, &visitor, company, "carl", site::PASSWORD).await.unwrap();
            site.clock.advance(1);
        }
        let arrive = async |visitor: &Visitor| match site.service.sso().arrive(None, visitor).await.unwrap() {
            Arrival::Choose(companies) => companies.len(),
            Arrival::In(Outcome::SignedIn(_)) => 1,
            Arrival::Bind => 0,
            _ => panic!("neither in nor out"),
        };
        let back = async |company: &str| back_of(&site, &issuer, company, "carl-at-google").await;
        assert_eq!(arrive(&back("").await).await, 2);

        configure(&site, "Acme", GOOGLE, |google| google.enabled = false).await;
        assert_eq!(arrive(&back("Acme").await).await, 1, "Globex; Acme has switched it off");
        let visitor = back_of(&site, &issuer, "Acme", "somebody").await;
        let bound = bind(&site, &visitor, "Acme", "bob", site::PASSWORD).await.map(drop);
        assert_eq!(bound, Err(Refusal::SsoNotOffered), "said only after the right password");

        let own = |google: &mut ProviderInput| {
            google.enabled = true;
            "our-app".clone_into(&mut google.client_id);
            google.client_secret = "our-secret".to_owned().into();
        };
        configure(&site, "Acme", GOOGLE, own).await;
        assert_eq!(arrive(&back("").await).await, 1, "Globex; for Acme it came through another application");
        let visitor = back_as(&site, &issuer, "somebody").await;
        let bound = bind(&site, &visitor, "Acme", "bob", site::PASSWORD).await.map(drop);
        assert_eq!(bound, Err(Refusal::OtherApplication));
        let Arrival::In(Outcome::SignedIn(granted)) = site.service.sso().arrive(None, &back("ACME").await).await.unwrap() else {
            panic!("not signed in")
        };
        assert_eq!(granted.company, "Acme", "and through Acme's it counts nowhere else");
    }

    async fn a_tenant_that_is_not_named_stays_outside(site: Site) {
        const TENANT: &str = "1b6d9b0e-0f4c-4f0a-9d0b-0d4a3f1f6f10";
        const ELSEWHERE: &str = "2c7e9b0e-0f4c-4f0a-9d0b-0d4a3f1f6f10";
        let (site, issuer) = with_providers(&site).await;
        let office = Provider::Office365;
        let back = async || {
            let (visitor, answer, nonce) = set_out_of(&site, office, "Acme").await;
            let mut said = claims(&site, &issuer, &nonce, "bob");
            said["iss"] = json!(format!("{}/{TENANT}/v2.0", issuer.url));
            said["tid"] = json!(TENANT);
            said["oid"] = json!("7c7e9b0e-0f4c-4f0a-9d0b-0d4a3f1f6f10");
            issuer.will_say(said);
            site.service.sso().answer_sso(office, &answer, &visitor).await.map(|_| visitor)
        };
        let say = async |tenant: &str, id: &str, secret: &str| {
            let change = |office: &mut ProviderInput| {
                tenant.clone_into(&mut office.tenants);
                id.clone_into(&mut office.client_id);
                office.client_secret = secret.to_owned().into();
            };
            configure(&site, "Acme", office, change).await;
        };
        say(ELSEWHERE, "", "").await;
        let visitor = back().await.unwrap();
        let bound = bind(&site, &visitor, "Acme", "bob", site::PASSWORD).await.map(drop);
        assert_eq!(bound, Err(Refusal::SsoNotOffered));
        say(TENANT, "", "").await;
        let visitor = back().await.unwrap();
        bind(&site, &visitor, "Acme", "bob", site::PASSWORD).await.unwrap();

        // An application of one tenant is asked for at that tenant, and lets nobody else in.
        say(TENANT, "our-app", "our-secret").await;
        let visitor = back().await.unwrap();
        assert!(matches!(site.service.sso().arrive(None, &visitor).await, Ok(Arrival::In(_))));
        let path = format!("/{TENANT}/v2.0/.well-known/openid-configuration");
        assert_eq!(issuer.count(&path), 1);
        // Not even an admin shuts out whoever has no password.
        let ada = site.at_home("Acme", "ada", None).await;
        let id = site.id_of("Acme", "bob").await;
        site.service.console().remove_password(&id, &ada).await.unwrap();
        let mut inputs = site.service.console().sso_settings(&ada).await.unwrap().providers.map(|settings| typed(&settings));
        ELSEWHERE.clone_into(&mut inputs[1].tenants);
        let outside = site.service.console().save_sso(inputs, &ada).await;
        assert_eq!(outside, Err(Refusal::ProviderNeeded { accounts: 1 }));
        let input = NewPasswordInput {
            new: site::password("a quite new password of bob's"),
            confirm: site::password("a quite new password of bob's"),
        };
        site.service.console().reset_password(&id, input, &ada).await.unwrap();

        say(ELSEWHERE, "our-app", "").await;
        assert_eq!(back().await.map(drop), Err(Refusal::SsoFailed), "the issuer is another tenant's");
    }

    async fn a_stranger_cannot_tell_which_companies_exist(site: Site) {
        let (site, issuer) = with_providers(&site).await;
        site.company("Globex", 0).await;
        site.person("Globex", "ada", &[Role::Admin], false).await;
        configure(&site, "Globex", GOOGLE, |google| google.enabled = false).await;
        for company in ["Acme", "Globex", "Nobody at all", ""] {
            let out = site.service.sso().begin_sso(GOOGLE, from(company), &site::visitor()).await.unwrap();
            assert!(out.url.starts_with(&format!("{}/authorize?", issuer.url)), "{company}");
            assert!(out.url.contains("client_id=our-app"), "{company}");
        }
        // The buttons go only when nobody is let in any more.
        let offered = async || site.service.sso().offered_providers(&site::visitor()).await.unwrap();
        assert_eq!(offered().await, Provider::ALL);
        configure(&site, "Acme", GOOGLE, |google| google.enabled = false).await;
        assert_eq!(offered().await, [Provider::Office365]);
    }

    async fn whoever_goes_away_from_the_bind_page_is_forgotten(site: Site) {
        let (site, issuer) = with_providers(&site).await;
        let visitor = back_as(&site, &issuer, "bob-at-google").await;
        site.service.sso().cancel_binding(&visitor).await.unwrap();
        assert_eq!(site.service.sso().bind_page(&visitor).await.map(drop), Err(Refusal::SignInExpired));
        site.service.sso().cancel_binding(&visitor).await.unwrap();
        site.service.sso().cancel_binding(&site::visitor()).await.unwrap();
    }

    async fn what_was_linked_elsewhere_while_the_code_was_on_its_way_is_not_linked_twice(site: Site) {
        let (site, issuer) = with_providers(&site).await;
        let waiting = back_as(&site, &issuer, "shared").await;
        let Ok(Outcome::CodeAsked { pending, .. }) = bind(&site, &waiting, "Acme", "alice", site::PASSWORD).await else {
            panic!("no code is asked")
        };
        let code = site.code_for("alice").await;
        let faster = back_as(&site, &issuer, "shared").await;
        bind(&site, &faster, "Acme", "bob", site::PASSWORD).await.unwrap();
        site.verify(&code, &Visitor { pending: Some(pending), ..waiting }).await.unwrap();
        assert!(identities(&site, "alice").await.is_empty());
        assert_eq!(site.sessions("Acme", "alice").await, 1, "she proved everything");
        assert!(site.events("Acme").await.contains(&("sso_refused".to_owned(), Some("google".to_owned()))));
    }

    async fn the_gate_stands_before_this_way_in_too(site: Site) {
        let (site, issuer) = with_providers(&site).await;
        let visitor = back_as(&site, &issuer, "bob-at-google").await;
        bind(&site, &visitor, "Acme", "bob", site::PASSWORD).await.unwrap();
        let between = back_as(&site, &issuer, "bob-at-google").await;
        site.lock("Acme", "bob").await;
        assert_eq!(site.service.sso().arrive(None, &between).await.map(drop), Err(Refusal::AccountLocked));
        let other = back_as(&site, &issuer, "somebody").await;
        let bound = bind(&site, &other, "Acme", "bob", site::PASSWORD).await.map(drop);
        assert_eq!(bound, Err(Refusal::AccountLocked));
        site.service.operator().unlock_account("Acme", "bob").await.unwrap();
        for change in [false, true] {
            let visitor = back_as(&site, &issuer, "bob-at-google").await;
            site.service.operator().set_account_active("Acme", "bob", change).await.unwrap();
            let arrived = site.service.sso().arrive(None, &visitor).await.map(drop);
            assert_eq!(arrived.is_ok(), change, "{arrived:?}");
        }
        site.service.operator().set_company_enabled("Acme", false).await.unwrap();
        let visitor = back_as(&site, &issuer, "bob-at-google").await;
        assert_eq!(site.service.sso().arrive(None, &visitor).await.map(drop), Err(Refusal::CompanyDisabled));
    }

    async fn an_answer_belongs_to_one_browser_one_state_one_provider_and_ten_minutes(site: Site) {
        let (site, issuer) = with_providers(&site).await;
        let service = &site.service;
        let expired = || Err(Refusal::SignInExpired);
        let (visitor, answer, nonce) = set_out(&site, GOOGLE).await;
        issuer.will_say(claims(&site, &issuer, &nonce, "bob-at-google"));
        let (other, others, _) = set_out(&site, GOOGLE).await;
        for state in ["", "x", &"A".repeat(43), &others.state] {
            let answer = SsoAnswer { state: state.to_owned(), code: Ok("c".to_owned()), issuer: None };
            assert_eq!(service.sso().answer_sso(GOOGLE, &answer, &visitor).await.map(drop), expired(), "{state}");
        }
        assert_eq!(service.sso().answer_sso(GOOGLE, &answer, &site::visitor()).await.map(drop), expired());
        assert_eq!(service.sso().answer_sso(GOOGLE, &answer, &other).await.map(drop), expired());
        // Events of one moment have no order.
        site.clock.advance(1);
        assert_eq!(service.sso().answer_sso(Provider::Office365, &answer, &visitor).await.map(drop), expired());
        assert_eq!(refused(&site).await.as_deref(), Some("office365: unknown_flow"));
        assert_eq!(service.sso().arrive(None, &visitor).await.map(drop), expired(), "nobody came back");
        let (left, right) = tokio::join!(
            service.sso().answer_sso(GOOGLE, &answer, &visitor),
            service.sso().answer_sso(GOOGLE, &answer, &visitor)
        );
        assert!(left.is_ok() != right.is_ok(), "{left:?} {right:?}");
        assert_eq!(issuer.count("/token"), 1, "one exchange");

        site.clock.advance(599);
        assert_eq!(service.sso().arrive(None, &visitor).await.map(drop), expired());
        let (visitor, answer, _) = set_out(&site, GOOGLE).await;
        site.clock.advance(600);
        assert_eq!(service.sso().answer_sso(GOOGLE, &answer, &visitor).await.map(drop), expired());
    }

    async fn whoever_cancels_or_meets_an_ill_provider_is_told_and_nothing_is_left(site: Site) {
        let (site, issuer) = with_providers(&site).await;
        let service = &site.service;
        for (word, refusal) in [
            ("access_denied", Refusal::SsoCancelled),
            ("server_error", Refusal::SsoFailed),
        ] {
            let (visitor, answer, _) = set_out(&site, GOOGLE).await;
            let answer = SsoAnswer { code: Err(word.to_owned()), ..answer };
            assert_eq!(service.sso().answer_sso(GOOGLE, &answer, &visitor).await, Err(refusal));
            assert_eq!(service.sso().arrive(None, &visitor).await.map(drop), Err(Refusal::SignInExpired));
        }
        for (mood, word) in [
            (Mood::ForeignKey, "google: token_signature"),
            (Mood::Unsigned, "google: token_algorithm"),
            (Mood::Down, "google: not_understood"),
            (Mood::Refusing("invalid_grant"), "google: code_refused"),
        ] {
            site.clock.advance(1);
            let (visitor, answer, nonce) = set_out(&site, GOOGLE).await;
            issuer.will_say(claims(&site, &issuer, &nonce, "bob-at-google"));
            issuer.feel(mood);
            assert_eq!(service.sso().answer_sso(GOOGLE, &answer, &visitor).await, Err(Refusal::SsoFailed), "{mood:?}");
            assert_eq!(refused(&site).await.as_deref(), Some(word));
            assert_eq!(service.sso().arrive(None, &visitor).await.map(drop), Err(Refusal::SignInExpired));
            issuer.feel(Mood::Good);
            let asked = issuer.count("/token");
            let again = service.sso().answer_sso(GOOGLE, &answer, &visitor).await;
            assert_eq!((again, issuer.count("/token")), (Err(Refusal::SignInExpired), asked), "one flow, one question");
        }
    }

    async fn one_identity_of_a_provider_for_an_account_and_one_account_for_an_identity(site: Site) {
        let (site, issuer) = with_providers(&site).await;
        site.account("Acme", "carl", false).await;
        let visitor = back_as(&site, &issuer, "one").await;
        bind(&site, &visitor, "Acme", "bob", site::PASSWORD).await.unwrap();
        let another = back_as(&site, &issuer, "two").await;
        let other = bind(&site, &another, "Acme", "bob", site::PASSWORD).await.map(drop);
        assert_eq!(other, Err(Refusal::IdentityOther { provider: Provider::Google }));
        bind(&site, &another, "Acme", "carl", site::PASSWORD).await.unwrap();

        site.company("Globex", 0).await;
        site.account("Globex", "gus", false).await;
        let gus = site.at_home("Globex", "gus", None).await;
        let out = site.service.sso().begin_connect(GOOGLE, &gus).await.unwrap();
        let connecting = Visitor { sso_flow: Some(out.flow), ..gus.clone() };
        issuer.will_say(claims(&site, &issuer, &find(&out.url, "nonce"), "one"));
        let answer = SsoAnswer { state: find(&out.url, "state"), code: Ok("c".to_owned()), issuer: None };
        site.service.sso().answer_sso(GOOGLE, &answer, &connecting).await.unwrap();
        let strangers = Visitor { session: None, ..connecting.clone() };
        assert_eq!(site.service.sso().arrive(None, &strangers).await.map(drop), Err(Refusal::NotSignedIn));
        assert!(matches!(site.service.sso().arrive(None, &connecting).await, Ok(Arrival::Connected)));

        // Two companies know it now: one has to be chosen.
        let visitor = back_as(&site, &issuer, "one").await;
        let Ok(Arrival::Choose(companies)) = site.service.sso().arrive(None, &visitor).await else { panic!("no choice") };
        let mut names: Vec<_> = companies.iter().map(|company| company.name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["Acme", "Globex"]);
        let globex = companies.iter().find(|company| company.name == "Globex").unwrap().id;
        let Ok(Arrival::In(Outcome::SignedIn(granted))) = site.service.sso().arrive(Some(globex), &visitor).await else {
            panic!("not signed in")
        };
        assert_eq!(granted.company, "Globex");
        let stranger = back_as(&site, &issuer, "two").await;
        let foreign = site.service.sso().arrive(Some(globex), &stranger).await;
        assert!(matches!(foreign, Ok(Arrival::Bind)), "it has nothing to do with this company");
    }

    async fn an_identity_is_connected_by_its_session_and_disconnected_unless_it_is_the_last_way_in(site: Site) {
        let (site, issuer) = with_providers(&site).await;
        let bob = site.at_home("Acme", "bob", None).await;
        let connect = async |by: &Visitor, subject: &str| {
            let out = site.service.sso().begin_connect(GOOGLE, by).await.unwrap();
            issuer.will_say(claims(&site, &issuer, &find(&out.url, "nonce"), subject));
            let visitor = Visitor { sso_flow: Some(out.flow.clone()), ..by.clone() };
            let answer = SsoAnswer { state: find(&out.url, "state"), code: Ok("c".to_owned()), issuer: None };
            site.service.sso().answer_sso(GOOGLE, &answer, &visitor).await.unwrap();
            visitor
        };
        let back = connect(&bob, "bob-at-google").await;
        // Somebody else signs in in this browser meanwhile.
        site.account("Acme", "carl", false).await;
        let carl = site.at_home("Acme", "carl", None).await;
        let as_carl = Visitor { session: carl.session.clone(), ..back.clone() };
        site.clock.advance(1);
        assert_eq!(site.service.sso().arrive(None, &as_carl).await.map(drop), Err(Refusal::SignInExpired));
        assert_eq!(refused(&site).await.as_deref(), Some("google"));
        assert!(identities(&site, "carl").await.is_empty());
        assert_eq!(site.service.sso().arrive(None, &back).await.map(drop), Err(Refusal::SignInExpired), "once is enough");
        let back = connect(&bob, "bob-at-google").await;
        assert!(matches!(site.service.sso().arrive(None, &back).await, Ok(Arrival::Connected)));
        assert_eq!(site.service.sso().own_providers(&bob).await.unwrap()[0].identity.as_ref().map(|identity| identity.shown.as_str()), Some("bob-at-google@gmail.test"));
        let taken = connect(&carl, "bob-at-google").await;
        site.clock.advance(1);
        assert_eq!(site.service.sso().arrive(None, &taken).await.map(drop), Err(Refusal::IdentityTaken { provider: Provider::Google }));
        assert_eq!(refused(&site).await.as_deref(), Some("google"));

        site.no_mail().await;
        site.service.sso().disconnect(GOOGLE, &bob).await.unwrap();
        assert_eq!(site.mail_kinds().await, ["sso_disconnected"]);
        site.service.sso().disconnect(GOOGLE, &bob).await.unwrap();
        assert!(site.mails().await.is_empty(), "there was nothing");
        site.clock.advance(vestibule_core::limits::STEP_UP_SECONDS + 1);
        assert_eq!(site.service.sso().disconnect(GOOGLE, &bob).await, Err(Refusal::StepUpNeeded));
        let begun = site.service.sso().begin_connect(GOOGLE, &bob).await.map(drop);
        assert_eq!(begun, Err(Refusal::StepUpNeeded));
    }

    async fn what_is_not_configured_or_switched_off_is_not_offered(site: Site) {
        site.company("Acme", 0).await;
        assert!(site.service.sso().offered_providers(&site::visitor()).await.unwrap().is_empty());
        let begun = site.service.sso().begin_sso(GOOGLE, from("Acme"), &site::visitor()).await.map(drop);
        assert_eq!(begun, Err(Refusal::SsoNotOffered));
        let issuer = Issuer::start().await;
        let known = vec![KnownProvider { provider: GOOGLE, issuer: issuer.url.clone(), application: None }];
        let site = site.with_providers(Providers::new(Client::new(None).unwrap(), known));
        assert!(site.service.sso().offered_providers(&site::visitor()).await.unwrap().is_empty());
    }
}
