//! Use cases that meet at the same accounts, the same company and the same browser: none waits for another in a circle,
//! and nobody is told to come back later because of it.

use std::sync::Arc;

use futures::{
    FutureExt,
    future::{BoxFuture, join_all},
};
use vestibule_core::{
    account::{Role, TimeFormat},
    refusal::Refusal,
};
use vestibule_service::{
    Visitor,
    operator::{LogOut, OperatorError, PolicyChange},
    profile::{PasswordInput, PersonInput},
    recovery::ResetInput,
};

use crate::site::{self, Site, on_both};

/// Each meets every other, in another order each time.
const ROUNDS: usize = 12;

type Act = BoxFuture<'static, (&'static str, Option<String>)>;

/// Refusals are answers; a database that is busy or fails is none.
fn of_visitor<T>(answer: Result<T, Refusal>) -> Option<String> {
    match answer {
        Err(refusal @ (Refusal::Busy { .. } | Refusal::Unavailable { .. } | Refusal::Internal { .. })) => {
            Some(format!("{refusal:?}"))
        }
        _ => None,
    }
}

fn of_operator<T>(answer: Result<T, OperatorError>) -> Option<String> {
    match answer {
        Err(error @ OperatorError::Store(_)) => Some(format!("{error:?}")),
        _ => None,
    }
}

/// A browser at an address of its own: limits by address are no part of this.
fn at_own_address(visitor: &Visitor, number: usize) -> Visitor {
    Visitor {
        source: format!("198.51.100.{number}"),
        ..visitor.clone()
    }
}

async fn people(site: &Site) {
    site.company("Acme", 90).await;
    site.person("Acme", "ada", &[Role::Admin], false).await;
    site.account("Acme", "bob", true).await;
    site.account("Acme", "eve", false).await;
}

/// Everything that is done at once in a round.
async fn acts(site: &Arc<Site>) -> Vec<Act> {
    let ada = site.at_home("Acme", "ada", None).await;
    let eve = site.at_home("Acme", "eve", None).await;
    let (bob, code) = site.at_code_page("Acme", "bob").await;
    let second = site.past_password("Acme", "bob").await;
    // Shared browsers: each gives up what is another's.
    let bob = Visitor {
        session: eve.session.clone(),
        ..bob
    };
    let guest = Visitor {
        pending: second.pending.clone(),
        ..eve.clone()
    };
    let ids = Arc::new([site.id_of("Acme", "bob").await, site.id_of("Acme", "eve").await]);
    let reset = || ResetInput {
        company: "Acme".to_owned(),
        email: "bob@acme.test".to_owned(),
    };
    macro_rules! act {
        ($what:literal, [$s:ident $(, $held:ident = $value:expr)*] => $run:expr) => {{
            let $s = Arc::clone(site);
            $(let $held = $value;)*
            async move { ($what, $run) }.boxed()
        }};
    }
    vec![
        act!("right code", [s, v = at_own_address(&bob, 1), c = code.clone()] => {
            of_visitor(s.service.sign_in().verify_code(&c, true, &v).await)
        }),
        act!("wrong code", [s, v = at_own_address(&second, 2), c = site::other_code(&code)] => {
            of_visitor(s.service.sign_in().verify_code(&c, false, &v).await)
        }),
        act!("another code", [s, v = at_own_address(&second, 3)] => of_visitor(s.service.sign_in().resend_code(&v).await)),
        act!("cancel", [s, v = at_own_address(&second, 4)] => of_visitor(s.service.sign_in().cancel_sign_in(&v).await)),
        act!("sign in of another", [s, v = at_own_address(&guest, 5)] => {
            of_visitor(s.try_password("Acme", "eve", site::PASSWORD, &v).await)
        }),
        act!("sign in", [s, v = at_own_address(&bob, 6)] => {
            of_visitor(s.try_password("Acme", "bob", site::PASSWORD, &v).await)
        }),
        act!("sign out", [s, v = eve.clone()] => of_visitor(s.service.sign_in().sign_out(&v).await)),
        act!("step-up", [s, v = at_own_address(&guest, 7)] => {
            of_visitor(s.service.profile().confirm_identity(&site::password(site::PASSWORD), "/x", &v).await)
        }),
        act!("set-up", [s, v = eve.clone()] => of_visitor(s.service.profile().begin_email_set_up(&v).await)),
        act!("other sessions", [s, v = eve.clone()] => of_visitor(s.service.profile().end_other_sessions(&v).await)),
        act!("trust", [s, v = eve.clone()] => of_visitor(s.service.profile().forget_all_browsers(&v).await)),
        act!("unlock", [s, v = ada.clone(), id = Arc::clone(&ids)] => {
            of_visitor(s.service.console().unlock_agents(&id[..], &v).await)
        }),
        act!("end sessions", [s, v = ada.clone(), id = Arc::clone(&ids)] => {
            of_visitor(s.service.console().end_agent_sessions(&id[0], "", &v).await)
        }),
        act!("reset link", [s, v = ada.clone(), id = Arc::clone(&ids)] => {
            of_visitor(s.service.console().send_reset_link(&id[1], &v).await)
        }),
        act!("switch", [s, v = ada.clone(), id = Arc::clone(&ids)] => {
            let off = of_visitor(s.service.console().deactivate_agents(&id[..], "", &v).await);
            off.or(of_visitor(s.service.console().activate_agents(&id[..], &v).await))
        }),
        act!("forgotten", [s, input = reset()] => {
            let asked = of_visitor(s.service.recovery().ask_for_reset_link(&input, &site::visitor()).await);
            asked.or(s.service.recovery().answer_reset_requests().await.err().map(|error| error.to_string()))
        }),
        act!("shorter policies", [s] => {
            let change = PolicyChange {
                two_factor_days: Some(14),
                log_out: Some(LogOut::After(15)),
                ..PolicyChange::default()
            };
            of_operator(s.service.operator().change_policies("Acme", change).await)
        }),
        act!("longer policies", [s] => of_operator(
            s.service.operator().set_two_factor_days("Acme", 90).await
        )),
        act!("lock", [s] => of_operator(
            s.service.operator().lock_account("Acme", "bob").await
        )),
        act!("unlock by command", [s] => of_operator(
            s.service.operator().unlock_account("Acme", "bob").await
        )),
        act!("end all", [s] => of_operator(
            s.service.operator().end_sessions_of("Acme", None).await
        )),
        act!("company", [s] => {
            let off = of_operator(s.service.operator().set_company_enabled("Acme", false).await);
            off.or(of_operator(s.service.operator().set_company_enabled("Acme", true).await))
        }),
        act!("locks", [s] => s
            .service
            .upkeep().complete_locks()
            .await
            .err()
            .map(|error| error.to_string())),
    ]
}

on_both! {
    async fn nobody_waits_in_a_circle(site: Site) {
        let site = Arc::new(site);
        people(&site).await;
        let mut failed = Vec::new();
        for round in 0..ROUNDS {
            let mut acts = acts(&site).await;
            let offset = round * 5 % acts.len();
            acts.rotate_left(offset);
            if round % 3 == 2 {
                let site = Arc::clone(&site);
                let delete = async move { ("delete", of_operator(site.service.operator().delete_company("Acme").await)) };
                acts.insert(acts.len() / 2, delete.boxed());
            }
            let answers = join_all(acts.into_iter().map(tokio::spawn)).await;
            failed.extend(answers.into_iter().map(Result::unwrap).filter(|(_, failure)| failure.is_some()));
            if site.service.operator().company_named("Acme").await.is_err() {
                people(&site).await;
            }
            site.service.operator().set_company_enabled("Acme", true).await.unwrap();
            for account in ["bob", "eve"] {
                site.service.operator().set_account_active("Acme", account, true).await.unwrap();
                // Nothing to unlock is fine.
                let _ = site.service.operator().unlock_account("Acme", account).await;
            }
            site.service.operator().forget_tries().await.unwrap();
            site.no_mail().await;
            site.clock.advance(86_400);
        }
        assert!(failed.is_empty(), "{failed:?}");
        assert_eq!(site.store.deadlocks().await, 0);
    }

    async fn what_the_database_ended_for_others_is_done_again(site: Site) {
        people(&site).await;
        if site.store.is_sqlite() {
            return;
        }
        let eve = site.at_home("Acme", "eve", None).await;
        // The first transaction after each reset that writes here is ended, as if another one had to go on.
        site.store
            .run(
                "CREATE SEQUENCE of_audit; CREATE SEQUENCE of_right; \
                 CREATE FUNCTION end_one() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                 IF nextval(TG_ARGV[0]) = 1 THEN RAISE EXCEPTION 'ended' USING ERRCODE = '40001'; END IF; \
                 RETURN NEW; END; $$; \
                 CREATE TRIGGER end_one BEFORE INSERT ON audit_event FOR EACH ROW EXECUTE FUNCTION end_one('of_audit'); \
                 CREATE TRIGGER end_one BEFORE INSERT ON source_right FOR EACH ROW EXECUTE FUNCTION end_one('of_right');",
            )
            .await;
        let ended = async || {
            site.store
                .run("ALTER SEQUENCE of_audit RESTART; ALTER SEQUENCE of_right RESTART")
                .await;
        };
        ended().await;
        let profile = PersonInput {
            first_name: "Eva".to_owned(),
            last_name: String::new(),
            alias: String::new(),
            phone: String::new(),
            title: String::new(),
            language: String::new(),
            time_format: Some(TimeFormat::Hours24),
        };
        site.service.profile().save_profile(profile, &eve).await.unwrap();
        ended().await;
        site.service.operator().issue_backup_code("Acme", "bob", "lost phone").await.unwrap();
        ended().await;
        let berlin = vestibule_service::offices::parse("Berlin=192.0.2.0/28").unwrap();
        site.service.operator().set_offices("Acme", vec![berlin]).await.unwrap();
        ended().await;
        let password = PasswordInput {
            old: site::password(site::PASSWORD),
            new: site::password("another password of eve's own"),
            confirm: site::password("another password of eve's own"),
        };
        site.service.profile().change_password(password, &eve).await.unwrap();
        let events = site.events("Acme").await;
        for event in ["profile_changed", "backup_code_issued", "policy_changed", "password_changed"] {
            assert_eq!(events.iter().filter(|(found, _)| found == event).count(), 1, "{event}");
        }
    }
}
