//! Temporary passwords and links of mails.

use vestibule_core::{
    company::NewAgentMail,
    link::LinkPurpose,
    mail::Mail,
    refusal::{Field, Problem, Refusal},
    rights::Action,
};
use vestibule_service::{
    Visitor,
    console::{AgentInput, NewPasswordInput},
    sign_in::Outcome,
};

use crate::{
    console::{acme, as_is, new_agent},
    site::{self, Site, on_both},
};

const CHOSEN: &str = "orchard marble thunder";
const HOUR: i64 = 3600;

async fn choose(site: &Site, visitor: &Visitor) -> Result<(), Refusal> {
    site.service
        .recovery()
        .choose_password(site::password(CHOSEN), site::password(CHOSEN), visitor)
        .await
}

/// What the mails that wait say that nobody else may know: links and temporary passwords.
async fn secrets(site: &Site) -> Vec<(&'static str, String, String)> {
    let mails = site.mails().await;
    mails
        .iter()
        .filter_map(|mail| {
            let secret = match &mail.mail {
                Mail::AccountDetails { password, .. } => password,
                Mail::ActivationLink { link, .. }
                | Mail::ResetLink { link, .. }
                | Mail::ConfirmEmail { link, .. } => link,
                Mail::EmailChangeBegan { stop, .. } => stop,
                _ => return None,
            };
            Some((mail.mail.kind(), mail.receiver.clone(), secret.clone()))
        })
        .collect()
}

async fn the_secret(site: &Site, kind: &str) -> String {
    let all = secrets(site).await;
    let found: Vec<_> = all.into_iter().filter(|(found, ..)| *found == kind).collect();
    assert_eq!(found.len(), 1, "one {kind}");
    found[0].2.clone()
}

async fn signs_in(site: &Site, account: &str, typed: &str) -> Option<Visitor> {
    match site.try_password("Acme", account, typed, &site::visitor()).await {
        Ok(Outcome::SignedIn(granted)) => Some(Visitor {
            session: Some(granted.session),
            ..site::visitor()
        }),
        Ok(Outcome::CodeAsked { .. }) => panic!("a code is asked"),
        Err(refusal) => {
            assert_eq!(refusal, Refusal::WrongCredentials);
            None
        }
    }
}

/// Begins a change of bob's e-mail address; gives the links that confirm and stop it.
async fn begin_change(site: &Site, ada: &Visitor, email: &str) -> (String, String) {
    let bob = site.account_of("Acme", "bob").await;
    let input = AgentInput {
        email: email.to_owned(),
        ..as_is(&bob)
    };
    let edited = site
        .service
        .console()
        .edit_agent(&bob.id.to_string(), bob.version, input, ada)
        .await
        .unwrap();
    assert_eq!(edited.email_to_confirm.as_deref(), Some(email));
    let all = secrets(site).await;
    let find = |kind: &str, receiver: &str| {
        let found = all.iter().find(|(k, r, _)| *k == kind && r == receiver);
        found.unwrap_or_else(|| panic!("no {kind}")).2.clone()
    };
    (
        find("confirm_email", email),
        find("email_change_began", &bob.email),
    )
}

on_both! {
    async fn a_temporary_password_opens_nothing_but_choosing_another(site: Site) {
        let ada = acme(&site).await;
        site.service.console().add_agent(new_agent("eve"), &ada).await.unwrap();
        let temporary = the_secret(&site, "account_details").await;
        let eve = signs_in(&site, "eve", &temporary).await.unwrap();
        site.no_mail().await;
        let confined = || Err(Refusal::PasswordChangeRequired);
        let service = &site.service;
        for outcome in [
            service.sign_in().signed_in(&eve).await.map(drop),
            service.profile().page(&eve).await.map(drop),
            service.profile().security(&eve).await.map(drop),
            service.profile().begin_app_set_up(&eve).await,
            service.profile().confirm_identity(&site::password(&temporary), "/", &eve).await.map(drop),
            service.console().authorize(Action::SeeAgents, &eve).await.map(drop),
        ] {
            assert_eq!(outcome, confined());
        }
        let signed_in = service.sign_in().session(&eve).await.unwrap().unwrap();
        service.sign_in().choose_language(&signed_in, "ar", &eve).await.unwrap();
        assert!(service.recovery().password_choice(&eve).await.unwrap().link.is_none());
        let same = || site::password(&temporary);
        let unchanged = service.recovery().choose_password(same(), same(), &eve).await;
        assert_eq!(unchanged, Err(Refusal::field(Field::NewPassword, Problem::Unchanged)));
        choose(&site, &eve).await.unwrap();
        assert!(service.sign_in().session(&eve).await.unwrap().is_none(), "nobody is signed in");
        assert_eq!(site.mail_kinds().await, ["password_changed"]);
        assert!(signs_in(&site, "eve", &temporary).await.is_none());
        let eve = signs_in(&site, "eve", CHOSEN).await.unwrap();
        service.profile().page(&eve).await.unwrap();
        assert_eq!(choose(&site, &eve).await, Err(Refusal::NotSignedIn));
        let chosen = ("password_chosen".to_owned(), Some("temporary".to_owned()));
        assert!(site.events("Acme").await.contains(&chosen));
        let id = site.id_of("Acme", "eve").await;
        let ada = site.at_home("Acme", "ada", None).await;
        assert_eq!(service.console().send_account_details(&id, &ada).await, Err(Refusal::AlreadyActivated));
    }

    async fn a_temporary_password_ends_after_72_hours_and_when_another_is_sent(site: Site) {
        let ada = acme(&site).await;
        site.service.console().add_agent(new_agent("eve"), &ada).await.unwrap();
        let first = the_secret(&site, "account_details").await;
        site.clock.advance(72 * HOUR - 1);
        assert!(signs_in(&site, "eve", &first).await.is_some());
        site.clock.advance(1);
        assert!(signs_in(&site, "eve", &first).await.is_none());
        let ada = site.at_home("Acme", "ada", None).await;
        let id = site.id_of("Acme", "eve").await;
        site.service.console().send_account_details(&id, &ada).await.unwrap();
        let second = the_secret(&site, "account_details").await;
        assert!(signs_in(&site, "eve", &first).await.is_none());
        assert!(signs_in(&site, "eve", &second).await.is_some());
        site.tell_new_agents("Acme", NewAgentMail::ActivationLink).await;
        site.service.console().send_account_details(&id, &ada).await.unwrap();
        let link = site::with_link(&the_secret(&site, "activation_link").await);
        assert!(signs_in(&site, "eve", &second).await.is_none(), "the company tells by link now");
        choose(&site, &link).await.unwrap();
        assert!(signs_in(&site, "eve", CHOSEN).await.is_some());
    }

    async fn a_password_that_an_admin_sets_is_a_temporary_one(site: Site) {
        let ada = acme(&site).await;
        let bob = site.at_home("Acme", "bob", None).await;
        let id = site.id_of("Acme", "bob").await;
        let input = |text: &str| NewPasswordInput { new: site::password(text), confirm: site::password(text) };
        let weak = site.service.console().reset_password(&id, input("bobbobbobbob"), &ada).await;
        assert_eq!(weak, Err(Refusal::field(Field::NewPassword, Problem::Weak)));
        site.service.console().reset_password(&id, input("granite window lullaby"), &ada).await.unwrap();
        assert_eq!(site.mail_kinds().await, ["password_reset"]);
        assert!(site.service.sign_in().session(&bob).await.unwrap().is_none());
        assert!(signs_in(&site, "bob", site::PASSWORD).await.is_none());
        let bob = signs_in(&site, "bob", "granite window lullaby").await.unwrap();
        assert_eq!(site.service.profile().page(&bob).await.map(drop), Err(Refusal::PasswordChangeRequired));
        choose(&site, &bob).await.unwrap();
    }

    async fn an_activation_link_is_used_once_by_its_form_and_replaced_by_a_newer_one(site: Site) {
        let ada = acme(&site).await;
        site.tell_new_agents("Acme", NewAgentMail::ActivationLink).await;
        site.service.console().add_agent(new_agent("eve"), &ada).await.unwrap();
        let first = site::with_link(&the_secret(&site, "activation_link").await);
        let id = site.id_of("Acme", "eve").await;
        site.service.console().send_account_details(&id, &ada).await.unwrap();
        let second = site::with_link(&the_secret(&site, "activation_link").await);
        let over = || Err(Refusal::LinkOver);
        assert_eq!(choose(&site, &first).await, over());
        site.clock.advance(72 * HOUR - 1);
        for _ in 0..3 {
            let open = site.service.recovery().open_link(&[LinkPurpose::Activate], &second).await.unwrap();
            assert_eq!(open.account.name, "eve");
        }
        let other = site.service.recovery().open_link(&[LinkPurpose::ConfirmEmail], &second).await.map(drop);
        assert_eq!(other, over());
        let short = site.service.recovery().choose_password(site::password("x"), site::password("y"), &second).await;
        assert!(matches!(short, Err(Refusal::Invalid { .. })));
        let (left, right) = tokio::join!(choose(&site, &second), choose(&site, &second));
        assert!(left.is_ok() != right.is_ok(), "{left:?} {right:?}");
        assert_eq!(choose(&site, &second).await, over());
        assert!(site.mails().await.is_empty());
        assert!(signs_in(&site, "eve", CHOSEN).await.is_some());
        assert!(site.events("Acme").await.iter().any(|(event, _)| event == "link_refused"));
    }

    async fn an_activation_link_ends_after_72_hours(site: Site) {
        let ada = acme(&site).await;
        site.tell_new_agents("Acme", NewAgentMail::ActivationLink).await;
        site.service.console().add_agent(new_agent("eve"), &ada).await.unwrap();
        let link = site::with_link(&the_secret(&site, "activation_link").await);
        site.clock.advance(72 * HOUR);
        assert_eq!(choose(&site, &link).await, Err(Refusal::LinkOver));
    }

    async fn a_reset_link_lives_30_minutes_and_the_old_password_until_it_is_used(site: Site) {
        let ada = acme(&site).await;
        let id = site.id_of("Acme", "bob").await;
        site.service.console().send_reset_link(&id, &ada).await.unwrap();
        let late = site::with_link(&the_secret(&site, "reset_link").await);
        site.clock.advance(1800);
        assert_eq!(choose(&site, &late).await, Err(Refusal::LinkOver));
        let ada = site.at_home("Acme", "ada", None).await;
        site.service.console().send_reset_link(&id, &ada).await.unwrap();
        let link = site::with_link(&the_secret(&site, "reset_link").await);
        site.clock.advance(1799);
        let bob = signs_in(&site, "bob", site::PASSWORD).await.unwrap();
        site.no_mail().await;
        // A locked and inactive account may choose one all the same; it does not come in.
        site.lock("Acme", "bob").await;
        site.no_mail().await;
        choose(&site, &link).await.unwrap();
        assert_eq!(site.mail_kinds().await, ["password_changed"]);
        assert!(site.service.sign_in().session(&bob).await.unwrap().is_none());
        let locked = site.try_password("Acme", "bob", CHOSEN, &site::visitor()).await.map(drop);
        assert_eq!(locked, Err(Refusal::AccountLocked));
        assert!(signs_in(&site, "bob", site::PASSWORD).await.is_none());
    }

    async fn a_new_address_counts_when_it_is_confirmed(site: Site) {
        let ada = acme(&site).await;
        let bob = site.at_home("Acme", "bob", None).await;
        let (confirm, stop) = begin_change(&site, &ada, "rob@new.test").await;
        assert_eq!(site.account_of("Acme", "bob").await.email, "bob@acme.test");
        assert!(site.service.sign_in().session(&bob).await.unwrap().is_some());
        let (confirm, stop) = (site::with_link(&confirm), site::with_link(&stop));
        let open = site.service.recovery().open_link(&[LinkPurpose::ConfirmEmail], &confirm).await.unwrap();
        assert_eq!(open.email.as_deref(), Some("rob@new.test"));
        site.service.recovery().confirm_email(&confirm).await.unwrap();
        let account = site.account_of("Acme", "bob").await;
        assert_eq!((account.email.as_str(), account.pending_email), ("rob@new.test", None));
        assert!(site.service.sign_in().session(&bob).await.unwrap().is_none());
        let over = || Err(Refusal::LinkOver);
        assert_eq!(site.service.recovery().confirm_email(&confirm).await, over());
        assert_eq!(site.service.recovery().stop_email_change(&stop).await, over());
        assert!(signs_in(&site, "rob@new.test", site::PASSWORD).await.is_some());
    }

    async fn a_new_address_is_stopped_from_the_old_one_taken_back_or_taken_meanwhile(site: Site) {
        let ada = acme(&site).await;
        let over = || Err(Refusal::LinkOver);
        let bob = site.account_of("Acme", "bob").await;
        let id = bob.id.to_string();
        let taken = AgentInput { email: "SUE@acme.test".to_owned(), ..as_is(&bob) };
        let refused = site.service.console().edit_agent(&id, bob.version, taken, &ada).await.map(drop);
        assert_eq!(refused, Err(Refusal::field(Field::Email, Problem::Taken)));

        let (confirm, stop) = begin_change(&site, &ada, "rob@new.test").await;
        site.service.recovery().stop_email_change(&site::with_link(&stop)).await.unwrap();
        assert_eq!(site.service.recovery().confirm_email(&site::with_link(&confirm)).await, over());
        assert_eq!(site.service.console().resend_email_change(&id, &ada).await, Err(Refusal::NoEmailChange));

        let (confirm, _) = begin_change(&site, &ada, "rob@new.test").await;
        let now = site.account_of("Acme", "bob").await;
        site.service.console().edit_agent(&id, now.version, as_is(&now), &ada).await.unwrap();
        assert_eq!(site.account_of("Acme", "bob").await.pending_email, None);
        assert_eq!(site.service.recovery().confirm_email(&site::with_link(&confirm)).await, over());

        let (old, _) = begin_change(&site, &ada, "rob@new.test").await;
        site.service.console().resend_email_change(&id, &ada).await.unwrap();
        let confirm = the_secret(&site, "confirm_email").await;
        assert_eq!(site.service.recovery().confirm_email(&site::with_link(&old)).await, over());
        let first = AgentInput { email: "rob@new.test".to_owned(), ..new_agent("rob") };
        site.service.console().add_agent(first, &ada).await.unwrap();
        assert_eq!(site.service.recovery().confirm_email(&site::with_link(&confirm)).await, over());
        assert_eq!(site.account_of("Acme", "bob").await.email, "bob@acme.test");
        site.service.console().cancel_email_change(&id, &ada).await.unwrap();
        assert_eq!(site.account_of("Acme", "bob").await.pending_email, None);
    }
}
