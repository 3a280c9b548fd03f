//! What strangers and thieves try (attacks.md; the index is end2end/attacks.md).

use std::collections::BTreeMap;

use vestibule_core::{ports::SeededRandomness, refusal::Refusal, secret::Token, sso::Provider};
use vestibule_service::{
    Visitor,
    recovery::ResetInput,
    sign_in::{
        Outcome,
        sso::{Arrival, SsoAnswer},
    },
};

use crate::{
    site::{self, Site, on_both},
    sso::{back_as, bind, claims, from, set_out, with_providers},
};

const GOOGLE: Provider = Provider::Google;
const CHOSEN: &str = "orchard marble thunder";

/// How many lines of each event the audit log has.
async fn lines(site: &Site) -> BTreeMap<String, usize> {
    site.service.upkeep().write_stranger_lines().await.unwrap();
    let events = site.store.read().await.unwrap().events(None, 1000).await.unwrap();
    let mut counts = BTreeMap::new();
    for event in events {
        *counts.entry(event.event).or_default() += 1;
    }
    counts
}

fn with_token(seed: u64) -> Visitor {
    let token = Token::new(&SeededRandomness::new(seed));
    Visitor {
        link: Some(token.clone()),
        session: Some(token),
        ..site::visitor()
    }
}

async fn ask_for_link(site: &Site, email: &str) -> Result<(), Refusal> {
    let input = ResetInput {
        company: "Acme".to_owned(),
        email: email.to_owned(),
    };
    site.service
        .recovery()
        .ask_for_reset_link(&input, &site::visitor())
        .await
}

/// The link that somebody asks for and gets.
async fn reset_link(site: &Site, account: &str) -> Visitor {
    site.no_mail().await;
    ask_for_link(site, &format!("{account}@acme.test")).await.unwrap();
    site.service.recovery().answer_reset_requests().await.unwrap();
    let mails = site.mails().await;
    let link = mails.into_iter().find_map(|mail| match mail.mail {
        vestibule_core::mail::Mail::ResetLink { link, .. } => Some(link),
        _ => None,
    });
    site::with_link(&link.unwrap())
}

async fn choose(site: &Site, visitor: &Visitor) -> Result<(), Refusal> {
    let password = || site::password(CHOSEN);
    site.service
        .recovery()
        .choose_password(password(), password(), visitor)
        .await
}

on_both! {
    async fn strangers_wait_for_no_database_and_keep_nobody_from_it(site: Site) {
        let (site, _issuer) = with_providers(&site).await;
        let service = &site.service;
        for _ in 0..11 {
            ask_for_link(&site, "bob@acme.test").await.unwrap();
        }
        // SQLite has one writer: whoever needs it now waits in vain.
        let writer = site.store.write().await.unwrap();
        for seed in 0..300 {
            let visitor = with_token(seed);
            let over = service.recovery().password_choice(&visitor).await.map(drop);
            assert_eq!(over, Err(Refusal::LinkOver));
            service.sign_in().sign_out(&visitor).await.unwrap();
            service.upkeep().note_cross_site(&visitor);
            let out = service.sso().begin_sso(GOOGLE, from("Acme"), &visitor).await.unwrap();
            let answer = SsoAnswer { state: "A".repeat(43), code: Ok("c".to_owned()), issuer: None };
            let back = Visitor { sso_flow: Some(out.flow), ..visitor };
            assert_eq!(service.sso().answer_sso(GOOGLE, &answer, &back).await, Err(Refusal::SignInExpired));
            ask_for_link(&site, "bob@acme.test").await.unwrap();
        }
        drop(writer);
        let counts = lines(&site).await;
        for event in ["link_refused", "cross_site_refused", "sso_refused"] {
            assert_eq!(counts.get(event), Some(&1), "{event}: one source, one minute, one line");
        }
        assert_eq!(counts.get("reset_refused"), Some(&1), "the source is noted once an hour");
        assert_eq!(service.upkeep().stranger_lines().repeated, 3 * 299);
        site.clock.advance(60);
        service.upkeep().note_cross_site(&site::visitor());
        assert_eq!(lines(&site).await.get("cross_site_refused"), Some(&2));
    }

    async fn five_hundred_behind_one_address_set_out_and_come_back(site: Site) {
        let (site, issuer) = with_providers(&site).await;
        let mut browsers = Vec::new();
        for _ in 0..500 {
            browsers.push(set_out(&site, GOOGLE).await);
        }
        // Whoever set out first has not been pushed out by the others.
        for (visitor, answer, nonce) in [browsers.remove(0), browsers.remove(498)] {
            issuer.will_say(claims(&site, &issuer, &nonce, "bob-at-google"));
            site.service.sso().answer_sso(GOOGLE, &answer, &visitor).await.unwrap();
            assert!(matches!(site.service.sso().arrive(None, &visitor).await, Ok(Arrival::Bind)));
        }
    }

    async fn a_cookie_of_the_way_to_a_provider_is_ours_or_nothing(site: Site) {
        let (site, issuer) = with_providers(&site).await;
        let (visitor, answer, nonce) = set_out(&site, GOOGLE).await;
        issuer.will_say(claims(&site, &issuer, &nonce, "bob-at-google"));
        let ours = visitor.sso_flow.clone().unwrap();
        let cut = ours[..ours.len() - 4].to_owned();
        let changed = format!("{}{}", &ours[..80], ours[80..].replacen(|c: char| c != 'A', "A", 1));
        for forged in ["", "x", "!!!", &"A".repeat(43), &"A".repeat(400), &cut, &changed] {
            let forged = Visitor { sso_flow: Some(forged.to_owned()), ..site::visitor() };
            let refused = site.service.sso().answer_sso(GOOGLE, &answer, &forged).await;
            assert_eq!(refused, Err(Refusal::SignInExpired));
            assert_eq!(site.service.sso().arrive(None, &forged).await.map(drop), Err(Refusal::SignInExpired));
            site.service.sso().cancel_binding(&forged).await.unwrap();
        }
        assert_eq!(issuer.count("/token"), 0);
        site.service.sso().answer_sso(GOOGLE, &answer, &visitor).await.unwrap();
        // What has ended stays over, although the browser keeps its cookie.
        site.service.sso().cancel_binding(&visitor).await.unwrap();
        let again = site.service.sso().answer_sso(GOOGLE, &answer, &visitor).await;
        assert_eq!((again, issuer.count("/token")), (Err(Refusal::SignInExpired), 1));
    }

    // T021
    async fn a_locked_account_comes_in_by_no_way(site: Site) {
        let (site, issuer) = with_providers(&site).await;
        let (visitor, code) = site.at_code_page("Acme", "alice").await;
        let granted = site.service.sign_in().verify_code(&code, true, &visitor).await.unwrap();
        let trusted = Visitor { trusted: granted.trusted.unwrap(), ..site::visitor() };
        let linking = back_as(&site, &issuer, "alice-at-google").await;
        let Ok(Outcome::CodeAsked { pending, .. }) = bind(&site, &linking, "Acme", "alice", site::PASSWORD).await
        else {
            panic!("no code is asked")
        };
        let code = site.code_for("alice").await;
        site.verify(&code, &Visitor { pending: Some(pending), ..linking }).await.unwrap();
        site.no_mail().await;
        let link = reset_link(&site, "alice").await;
        let (open, right) = site.at_code_page("Acme", "alice").await;
        let by_google = back_as(&site, &issuer, "alice-at-google").await;

        site.lock("Acme", "alice").await;
        let before = site.sessions("Acme", "alice").await;
        let locked = || Err(Refusal::AccountLocked);
        site.verify(&right, &open).await.unwrap_err();
        let password = site.try_password("Acme", "alice", site::PASSWORD, &trusted).await;
        assert_eq!(password.map(drop), locked());
        assert_eq!(site.service.sso().arrive(None, &by_google).await.map(drop), locked());
        choose(&site, &link).await.unwrap();
        for visitor in [&trusted, &site::visitor()] {
            let chosen = site.try_password("Acme", "alice", CHOSEN, visitor).await;
            assert_eq!(chosen.map(drop), locked(), "a new password unlocks nothing");
        }
        assert!(site.sessions("Acme", "alice").await <= before, "nobody came in");
    }

    // T107, T109
    async fn the_same_address_at_a_provider_is_not_the_same_person(site: Site) {
        let (site, issuer) = with_providers(&site).await;
        let back = async |subject: &str, email: &str, verified: bool| {
            let (visitor, answer, nonce) = set_out(&site, GOOGLE).await;
            let mut said = claims(&site, &issuer, &nonce, subject);
            said["email"] = email.into();
            said["email_verified"] = verified.into();
            issuer.will_say(said);
            site.service.sso().answer_sso(GOOGLE, &answer, &visitor).await.unwrap();
            visitor
        };
        for (email, verified) in [
            ("bob@acme.test", true),
            ("bob@acme.test", false),
            ("BOB@ACME.test", true),
            ("bob+x@acme.test", true),
        ] {
            let visitor = back("somebody", email, verified).await;
            assert!(matches!(site.service.sso().arrive(None, &visitor).await, Ok(Arrival::Bind)), "{email}");
            let page = site.service.sso().bind_page(&visitor).await.unwrap();
            assert!(page.known.is_empty() && page.company.is_empty(), "{email}: the page tells nothing");
        }
        let visitor = back("first", "bob@acme.test", true).await;
        bind(&site, &visitor, "Acme", "bob", site::PASSWORD).await.unwrap();
        let again = back("first", "other@acme.test", true).await;
        assert!(matches!(site.service.sso().arrive(None, &again).await, Ok(Arrival::In(_))));
        let made_anew = back("second", "bob@acme.test", true).await;
        assert!(matches!(site.service.sso().arrive(None, &made_anew).await, Ok(Arrival::Bind)));
    }

    // T127
    async fn a_reset_changes_the_password_and_nothing_else(site: Site) {
        site.company("Acme", 30).await;
        site.account("Acme", "alice", true).await;
        let (secret, _) = site.app_account("Acme", "tom").await;
        for account in ["alice", "tom"] {
            let at_home = site.at_home("Acme", account, (account == "tom").then_some(&secret)).await;
            let link = reset_link(&site, account).await;
            choose(&site, &link).await.unwrap();
            assert!(site.service.sign_in().session(&at_home).await.unwrap().is_none(), "{account}");
            assert_eq!(site.sessions("Acme", account).await, 0, "a reset signs nobody in");
            assert_eq!(site.mail_kinds().await, ["password_changed"]);
            let old = site.try_password("Acme", account, site::PASSWORD, &site::visitor()).await;
            assert_eq!(old.map(drop), Err(Refusal::WrongCredentials));
            let new = site.try_password("Acme", account, CHOSEN, &site::visitor()).await;
            assert!(matches!(new, Ok(Outcome::CodeAsked { .. })), "{account}: the second factor stays");
        }
    }
}
