//! Secrets at rest when keys change, go missing, or rows are swapped.

use std::sync::{Arc, Mutex};

use vestibule_core::refusal::Refusal;
use vestibule_service::{
    key_rotation::Resealed,
    keys::{Key, Keys},
};

use crate::site::{Site, on_both};

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
        let done = rotating.service.reseal_secrets().await.unwrap();
        assert_eq!(done, Resealed { resealed: 3, unreadable: 0 });
        let again = rotating.service.reseal_secrets().await.unwrap();
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
        let done = lost.service.reseal_secrets().await.unwrap();
        assert_eq!(done, Resealed { resealed: 0, unreadable: 3 }, "what no key opens is left as it is");
    }
}
