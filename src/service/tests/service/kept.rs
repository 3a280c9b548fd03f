//! Forms that are kept for whoever has to sign in again, or to prove identity first.

use vestibule_core::{limits::KEPT_SECONDS, secret::Token};
use vestibule_service::{Visitor, kept::KeptForm};

use crate::site::{Site, on_both};

/// Sends the form of a page in vain; gives by what the browser finds it again.
async fn keep(site: &Site, page: &str, visitor: &Visitor) -> Option<Token> {
    let form = KeptForm {
        path: "/edit".to_owned(),
        page: page.to_owned(),
        fields: vec![("phone".to_owned(), "+49 170 1".to_owned())],
    };
    site.service.sign_in().keep_form(&form, visitor).await.unwrap()
}

/// The pages of the forms that this browser finds.
async fn found(site: &Site, visitor: &Visitor) -> Vec<String> {
    let forms = site.service.sign_in().kept_forms(visitor).await.unwrap();
    forms.into_iter().map(|form| form.page).collect()
}

on_both! {
    async fn after_a_sign_out_nothing_is_kept(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "bob", false).await;
        let bob = site.at_home("Acme", "bob", None).await;
        site.service.sign_in().sign_out(&bob).await.unwrap();
        // What the browser has then, and what another tab may have sent before.
        let left = Visitor { session: None, ended: bob.session.clone(), ..bob.clone() };
        for visitor in [&left, &bob] {
            assert!(keep(&site, "/profile", visitor).await.is_none());
        }
        let told = site.service.sign_in().ended_session(&left).await.unwrap();
        assert!(told.is_some(), "the reason is told all the same");
    }

    async fn after_an_end_that_interrupts_a_form_is_kept_for_its_account_alone(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "bob", false).await;
        site.account("Acme", "carl", false).await;
        let bob = site.at_home("Acme", "bob", None).await;
        site.clock.advance(31 * 60);
        let kept = keep(&site, "/profile", &bob).await;
        assert!(kept.is_some());
        let with_it = |home: Visitor| Visitor { kept: kept.clone(), ..home };
        let carl = with_it(site.at_home("Acme", "carl", None).await);
        assert_eq!(found(&site, &carl).await, Vec::<String>::new());
        let bob = with_it(site.at_home("Acme", "bob", None).await);
        assert_eq!(found(&site, &bob).await, ["/profile"]);
        site.clock.advance(KEPT_SECONDS);
        assert_eq!(found(&site, &bob).await, Vec::<String>::new(), "not for long");
    }

    async fn forms_of_one_address_do_not_drop_one_another(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "bob", false).await;
        site.account("Acme", "carl", false).await;
        let bob = site.at_home("Acme", "bob", None).await;
        let kept = keep(&site, "/agents/1", &bob).await;
        let bob = Visitor { kept, ..bob };
        site.clock.advance(1);
        keep(&site, "/agents/2", &bob).await;
        // Somebody else in the same browser, with a form of the same page.
        let carl = Visitor { kept: bob.kept.clone(), ..site.at_home("Acme", "carl", None).await };
        keep(&site, "/agents/1", &carl).await;
        site.service.sign_in().drop_kept_form("/edit", "/agents/1", &carl).await.unwrap();
        assert_eq!(found(&site, &carl).await, Vec::<String>::new());
        assert_eq!(found(&site, &bob).await, ["/agents/2", "/agents/1"], "the newest first");
        site.service.sign_in().drop_kept_form("/edit", "/agents/1", &bob).await.unwrap();
        assert_eq!(found(&site, &bob).await, ["/agents/2"]);

        // The same form, kept in one session after the other, is one.
        let again = Visitor { kept: bob.kept.clone(), ..site.at_home("Acme", "bob", None).await };
        keep(&site, "/agents/2", &again).await;
        assert_eq!(found(&site, &again).await, ["/agents/2"]);
        site.service.sign_in().drop_kept_form("/edit", "/agents/2", &again).await.unwrap();
        assert_eq!(found(&site, &again).await, Vec::<String>::new());
    }
}
