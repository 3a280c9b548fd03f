//! Secrets at rest when keys change, go missing, or rows are swapped.

use std::sync::{Arc, Mutex};

use vestibule_core::{audit::Event, ports::Clock, refusal::Refusal};
use vestibule_service::{
    key_check::{KeyCheckError, KeyMismatch},
    key_rotation::Resealed,
    keys::{Key, Keys},
};

use crate::site::{Site, on_both, other_code};

fn key(version: u32) -> Key {
    Key {
        version,
        secret: [u8::try_from(version + 6).unwrap(); 32].into(),
    }
}

on_both! {
    async fn a_secret_of_another_account_lets_nobody_in(site: Site) {
        site.company("Acme", 0).await;
        let (tom_secret, _) = site.app_account("Acme", "tom").await;
        let (eve_secret, codes) = site.app_account("Acme", "eve").await;
        let (tom, eve) = (site.account_of("Acme", "tom").await, site.account_of("Acme", "eve").await);
        let mut writer = site.store.write().await.unwrap();
        let of = |account: &vestibule_core::account::Account| (account.company, account.id);
        let (toms, eves) = (
            writer.app_of(of(&tom).0, of(&tom).1).await.unwrap().unwrap().sealed,
            writer.app_of(of(&eve).0, of(&eve).1).await.unwrap().unwrap().sealed,
        );
        assert!(writer.reseal_app_secret(tom.company, tom.id, &toms, &eves).await.unwrap());
        assert!(writer.reseal_app_secret(eve.company, eve.id, &eves, &toms).await.unwrap());
        writer.commit().await.unwrap();

        for (account, codes) in [("tom", [&tom_secret, &eve_secret]), ("eve", [&eve_secret, &tom_secret])] {
            let visitor = site.past_password("Acme", account).await;
            for secret in codes {
                let answer = site.verify(&site.app_code(secret, 0), &visitor).await;
                assert!(matches!(answer, Err(Refusal::Internal { .. })), "{answer:?}");
            }
            assert_eq!(site.account_of("Acme", account).await.wrong_codes, 0, "our fault is nobody's guess");
            assert_eq!(site.sessions("Acme", account).await, 0);
        }
        let visitor = site.past_password("Acme", "eve").await;
        site.verify(&codes[0], &visitor).await.unwrap();
    }

    async fn without_its_key_a_second_factor_still_is_one(site: Site) {
        site.company("Acme", 0).await;
        let (secret, _) = site.app_account("Acme", "tom").await;
        let lost = site.with_keys(Keys::new(vec![key(9)]).unwrap());
        let visitor = lost.past_password("Acme", "tom").await;
        let answer = lost.verify(&lost.app_code(&secret, 0), &visitor).await;
        assert!(matches!(answer, Err(Refusal::Internal { .. })), "{answer:?}");
        assert_eq!(lost.sessions("Acme", "tom").await, 0);
    }

    async fn a_completed_sign_in_whose_key_is_not_here_counts_nothing(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "alice", true).await;
        let (visitor, code) = site.at_code_page("Acme", "alice").await;
        site.verify(&code, &visitor).await.unwrap();
        // The double click lands on a server whose file has lost the key that the first one was written down with.
        let lost = site.with_keys(Keys::new(vec![key(9)]).unwrap());
        let answer = lost.verify(&code, &visitor).await;
        assert!(matches!(answer, Err(Refusal::Internal { .. })), "{answer:?}");
        assert_eq!(site.account_of("Acme", "alice").await.wrong_codes, 0, "nothing was compared");
        site.verify(&code, &visitor).await.unwrap();
    }

    async fn keys_rotate_while_serving(site: Site) {
        site.company("Acme", 0).await;
        let mut secrets = Vec::new();
        for name in ["tom", "eve", "kim"] {
            secrets.push((name, site.app_account("Acme", name).await.0));
        }
        // The key file, as the running server sees it.
        let file = Arc::new(Mutex::new(vec![1]));
        let seen = Arc::clone(&file);
        let source = Box::new(move || Some(seen.lock().unwrap().iter().map(|&version| key(version)).collect()));
        let serving = site.with_keys(Keys::new(vec![key(1)]).unwrap().with_source(source));

        file.lock().unwrap().push(2);
        let rotating = site.with_keys(Keys::new(vec![key(1), key(2)]).unwrap());
        let done = rotating.service.operator().reseal_secrets().await.unwrap();
        assert_eq!(done, Resealed { resealed: 3, unreadable: 0 });
        let again = rotating.service.operator().reseal_secrets().await.unwrap();
        assert_eq!(again, Resealed { resealed: 0, unreadable: 0 });

        for (name, secret) in &secrets {
            let visitor = serving.past_password("Acme", name).await;
            serving.verify(&serving.app_code(secret, 0), &visitor).await.unwrap();
        }
        serving.clock.advance(60);
        let without_the_old_key = site.with_keys(Keys::new(vec![key(2)]).unwrap());
        let (name, secret) = &secrets[0];
        let visitor = without_the_old_key.past_password("Acme", name).await;
        without_the_old_key.verify(&site.app_code(secret, 0), &visitor).await.unwrap();

        let lost = site.with_keys(Keys::new(vec![key(3)]).unwrap());
        let done = lost.service.operator().reseal_secrets().await.unwrap();
        assert_eq!(done, Resealed { resealed: 0, unreadable: 3 }, "what no key opens is left as it is");
    }

    async fn a_code_that_no_key_can_judge_is_no_guess(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "alice", true).await;
        let (visitor, code) = site.at_code_page("Acme", "alice").await;
        // Another process, with the key file of somebody else.
        for keys in [vec![key(9)], vec![key(2), key(9)]] {
            let lost = site.with_keys(Keys::new(keys).unwrap());
            for entered in [&code, &code, &other_code(&code), &code, &code, &code] {
                let answer = lost.verify(entered, &visitor).await;
                assert!(matches!(answer, Err(Refusal::Internal { .. })), "{answer:?}");
            }
        }
        let alice = site.account_of("Acme", "alice").await;
        assert_eq!((alice.wrong_codes, alice.locked_at), (0, None), "nobody guessed");
        let events = site.events("Acme").await;
        let alarms = events.iter().filter(|(event, _)| event == Event::SecretUnreadable.as_str());
        assert_eq!(alarms.count(), 12);
        site.verify(&code, &visitor).await.unwrap();
    }

    async fn only_a_server_with_the_keys_of_the_database_serves(site: Site) {
        let with = |keys: Vec<Key>| site.with_keys(Keys::new(keys).unwrap());
        let other = |version| Key { secret: [99; 32].into(), ..key(version) };
        site.service.upkeep().check_keys().await.unwrap();
        with(vec![key(1)]).service.upkeep().check_keys().await.unwrap();
        let refused = with(vec![other(1)]).service.upkeep().check_keys().await;
        assert!(matches!(refused, Err(KeyCheckError::Mismatch(KeyMismatch::Different { version: 1, .. }))));
        // A foreign key file leaves nothing behind, not even a newer version.
        with(vec![other(1), other(2)]).service.upkeep().check_keys().await.unwrap_err();
        with(vec![key(1), key(2)]).service.upkeep().check_keys().await.unwrap();
        let refused = with(vec![key(1)]).service.upkeep().check_keys().await;
        assert!(matches!(refused, Err(KeyCheckError::Mismatch(KeyMismatch::Missing { version: 2, .. }))));
        let sentence = refused.unwrap_err().to_string();
        let needed = Keys::new(vec![key(2)]).unwrap().fingerprints()[0].1;
        assert!(sentence.contains(&needed.to_string()), "{sentence}");
    }

    async fn an_old_key_may_go_when_nothing_needs_it(site: Site) {
        site.service.upkeep().check_keys().await.unwrap();
        site.company("Acme", 0).await;
        let (secret, _) = site.app_account("Acme", "tom").await;
        let both = site.with_keys(Keys::new(vec![key(1), key(2)]).unwrap());
        both.service.upkeep().check_keys().await.unwrap();
        let new = site.with_keys(Keys::new(vec![key(2)]).unwrap());
        new.service.upkeep().check_keys().await.unwrap_err();
        both.service.operator().reseal_secrets().await.unwrap();
        new.service.upkeep().check_keys().await.unwrap();
        // And for good: what was kept a little longer does no harm.
        new.service.upkeep().check_keys().await.unwrap();
        both.service.upkeep().check_keys().await.unwrap();
        let visitor = new.past_password("Acme", "tom").await;
        new.verify(&site.app_code(&secret, 0), &visitor).await.unwrap();
        // The newest never goes, whether or not something is made with it.
        site.service.upkeep().check_keys().await.unwrap_err();
    }

    async fn a_server_that_falls_behind_says_so_and_catches_up(site: Site) {
        let machine: Arc<dyn Clock> = site.clock.clone();
        let file = Arc::new(Mutex::new(vec![1]));
        let seen = Arc::clone(&file);
        let source = Box::new(move || Some(seen.lock().unwrap().iter().map(|&version| key(version)).collect()));
        let serving = site.with_keys(Keys::new(vec![key(1)]).unwrap().with_source(source));
        let keys = async || {
            serving.service.upkeep().probe(&machine).await.unwrap();
            serving.service.upkeep().vitals().unwrap().keys
        };
        assert!(keys().await);
        site.with_keys(Keys::new(vec![key(1), key(2)]).unwrap()).service.upkeep().check_keys().await.unwrap();
        assert!(!keys().await, "another server uses a key that is not here");
        assert!(!keys().await);
        file.lock().unwrap().push(2);
        assert!(keys().await, "its file has it now");
    }
}
