//! What admins and supervisors do to agents.

use vestibule_core::{
    account::{Account, Role, TimeFormat},
    agents::{AgentFilter, AgentState},
    company::NewAgentMail,
    limits::KEPT_SECONDS,
    mail::Mail,
    name::{AccountName, EmailAddress},
    refusal::{Field, FieldProblem, Problem, Refusal},
    rights::{Action, Scope},
    sso::Provider,
};
use vestibule_service::{
    Visitor,
    console::{AgentInput, AgentQuery, Chosen, NewPasswordInput},
    profile::{Confirmed, PersonInput},
};

use crate::site::{self, Site, on_both};

const NEW_PASSWORD: &str = "orchard marble thunder";
const NOBODY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

fn passwords(new: &str) -> NewPasswordInput {
    NewPasswordInput {
        new: site::password(new),
        confirm: site::password(new),
    }
}

pub fn new_agent(account: &str) -> AgentInput {
    AgentInput {
        account: account.to_owned(),
        email: format!("{account}@acme.test"),
        roles: vec!["agent".to_owned()],
        active: true,
        person: PersonInput {
            first_name: account.to_owned(),
            last_name: "Lindqvist".to_owned(),
            alias: String::new(),
            phone: String::new(),
            title: String::new(),
            time_format: Some(TimeFormat::Hours24),
            language: String::new(),
        },
    }
}

/// What the form of an agent holds when nothing was changed.
pub fn as_is(account: &Account) -> AgentInput {
    AgentInput {
        account: account.name.clone(),
        email: account.email.clone(),
        roles: account
            .roles
            .iter()
            .map(|role| role.as_str().to_owned())
            .collect(),
        active: account.active,
        person: PersonInput {
            first_name: account.person.first_name.clone(),
            last_name: account.person.last_name.clone(),
            alias: account.person.alias.clone(),
            phone: account.person.phone.clone(),
            title: account.person.title.clone(),
            time_format: Some(account.person.time_format),
            language: account.person.language.clone().unwrap_or_default(),
        },
    }
}

/// Acme with an admin, a supervisor and an agent, and the admin at home.
pub async fn acme(site: &Site) -> Visitor {
    site.company("Acme", 0).await;
    site.person("Acme", "ada", &[Role::Admin], false).await;
    site.person("Acme", "sue", &[Role::Supervisor], false).await;
    site.account("Acme", "bob", false).await;
    site.at_home("Acme", "ada", None).await
}

/// Every use case that is about one agent, with its action; each fails for a reason of its own when it is allowed, or
/// changes something that the next ones can live with.
async fn every_use_case(site: &Site, id: &str, by: &Visitor) -> Vec<(Action, Result<(), Refusal>)> {
    let service = &site.service;
    let ids = [id.to_owned()];
    vec![
        (
            Action::SeeAgents,
            service.console().agent(Action::SeeAgents, id, by).await.map(drop),
        ),
        (Action::Unlock, service.console().unlock_agent(id, by).await),
        (
            Action::IssueBackupCode,
            service
                .console()
                .issue_backup_code_for(id, "lost phone", by)
                .await
                .map(drop),
        ),
        (
            Action::ResetPassword,
            service.console().send_reset_link(id, by).await,
        ),
        (
            Action::ResetPassword,
            service.console().reset_password(id, passwords("x"), by).await,
        ),
        (
            Action::SendAccountDetails,
            service.console().send_account_details(id, by).await,
        ),
        (
            Action::EndSessions,
            service.console().end_agent_sessions(id, "", by).await.map(drop),
        ),
        (
            Action::EditAgent,
            service
                .console()
                .edit_agent(id, 0, new_agent("x"), by)
                .await
                .map(drop),
        ),
        (
            Action::EditAgent,
            service.console().resend_email_change(id, by).await,
        ),
        (
            Action::EditAgent,
            service.console().cancel_email_change(id, by).await,
        ),
        (
            Action::DeleteAgent,
            service.console().delete_agent(id, "nobody", by).await,
        ),
        (
            Action::ActivateAgents,
            service.console().activate_agents(&ids, by).await.map(drop),
        ),
    ]
}

on_both! {
    async fn everybody_may_do_what_the_table_says_and_the_rest_of_the_world_does_not_exist(site: Site) {
        acme(&site).await;
        site.person("Acme", "tom", &[Role::Agent, Role::Supervisor], false).await;
        site.company("Globex", 0).await;
        site.account("Globex", "zoe", false).await;
        let strangers = [site.id_of("Globex", "zoe").await, NOBODY.to_owned(), "x".to_owned()];
        for (name, role) in [("ada", Role::Admin), ("sue", Role::Supervisor), ("bob", Role::Agent)] {
            let by = site.at_home("Acme", name, None).await;
            for target in ["bob", "tom"] {
                if name == target {
                    continue;
                }
                let scope_holds = |action: Action| match action.scope(role) {
                    Scope::Company => true,
                    Scope::Agents => target == "bob",
                    _ => false,
                };
                let id = site.id_of("Acme", target).await;
                for (action, outcome) in every_use_case(&site, &id, &by).await {
                    let context = format!("{name} {action:?} {target}: {outcome:?}");
                    if action.scope(role) == Scope::Nobody {
                        assert_eq!(outcome, Err(Refusal::Forbidden), "{context}");
                    } else if !scope_holds(action) {
                        assert_eq!(outcome, Err(Refusal::NotFound), "{context}");
                    } else {
                        let let_in = !matches!(outcome, Err(Refusal::Forbidden | Refusal::NotFound));
                        assert!(let_in, "{context}");
                    }
                }
            }
            for id in &strangers {
                for (action, outcome) in every_use_case(&site, id, &by).await {
                    if action.scope(role) == Scope::Nobody {
                        assert_eq!(outcome, Err(Refusal::Forbidden), "{name} {action:?}");
                    } else if outcome.is_err() {
                        assert_eq!(outcome, Err(Refusal::NotFound), "{name} {action:?} {id}");
                    }
                }
            }
            for action in Action::ALL {
                let allowed = action.scope(role) != Scope::Nobody;
                assert_eq!(site.service.console().authorize(action, &by).await.is_ok(), allowed, "{name} {action:?}");
            }
            let added = site.service.console().add_agent(new_agent(&format!("by{name}")), &by).await;
            assert_eq!(added.is_ok(), role == Role::Admin, "{name}");
            let list = site.service.console().agents(AgentQuery { rows: 50, ..AgentQuery::default() }, &by).await;
            let names = list.map(|list| list.page.accounts.into_iter().map(|a| a.name).collect::<Vec<_>>());
            match role {
                Role::Admin => assert_eq!(names.unwrap(), ["ada", "bob", "byada", "sue", "tom"]),
                Role::Supervisor => assert_eq!(names.unwrap(), ["bob", "byada"]),
                Role::Agent => assert_eq!(names, Err(Refusal::Forbidden)),
            }
        }
        assert!(site.service.operator().account_named("Globex", "zoe").await.unwrap().1.active);
        let refused = site.events("Acme").await;
        assert!(refused.contains(&("right_refused".to_owned(), Some("DeleteAgent".to_owned()))));
        let nobody = site.service.console().authorize(Action::SeeAgents, &site::visitor()).await.map(drop);
        assert_eq!(nobody, Err(Refusal::NotSignedIn));
    }

    async fn what_opens_an_account_asks_who_it_is_first(site: Site) {
        let ada = acme(&site).await;
        let bob = site.id_of("Acme", "bob").await;
        site.clock.advance(301);
        let needed = || Err(Refusal::StepUpNeeded);
        for (action, outcome) in every_use_case(&site, &bob, &ada).await {
            assert_eq!(outcome == needed(), action.needs_step_up(), "{action:?}: {outcome:?}");
        }
        let admin = AgentInput { roles: vec!["admin".to_owned()], ..new_agent("eve") };
        assert_eq!(site.service.console().add_agent(admin, &ada).await.map(drop), needed());
        site.service.console().add_agent(new_agent("eve"), &ada).await.unwrap();
        let before = site.account_of("Acme", "bob").await;
        let roles = AgentInput { roles: vec!["supervisor".to_owned()], ..as_is(&before) };
        assert_eq!(site.service.console().edit_agent(&bob, before.version, roles, &ada).await.map(drop), needed());
        let email = AgentInput { email: "b@new.test".to_owned(), ..as_is(&before) };
        assert_eq!(site.service.console().edit_agent(&bob, before.version, email, &ada).await.map(drop), needed());
        let phone = AgentInput { person: PersonInput { phone: "1".to_owned(), ..as_is(&before).person }, ..as_is(&before) };
        site.service.console().edit_agent(&bob, before.version, phone, &ada).await.unwrap();
    }

    async fn shutting_somebody_out_asks_nothing_and_letting_them_in_again_does(site: Site) {
        let ada = acme(&site).await;
        let bob = site.id_of("Acme", "bob").await;
        let ids = [bob.clone()];
        let console = site.service.console();
        site.clock.advance(301);
        console.deactivate_agents(&ids, "", &ada).await.unwrap();
        assert_eq!(console.undo_deactivation(&ada).await.unwrap().unwrap().changed, 1, "what it took itself a moment ago");
        console.deactivate_agents(&ids, "", &ada).await.unwrap();
        let needed = || Err(Refusal::StepUpNeeded);
        assert_eq!(console.activate_agents(&ids, &ada).await.map(drop), needed());
        let before = site.account_of("Acme", "bob").await;
        let on = AgentInput { active: true, ..as_is(&before) };
        assert_eq!(console.edit_agent(&bob, before.version, on, &ada).await.map(drop), needed());
        let phone = AgentInput { person: PersonInput { phone: "1".to_owned(), ..as_is(&before).person }, ..as_is(&before) };
        console.edit_agent(&bob, before.version, phone, &ada).await.unwrap();
        assert!(!site.account_of("Acme", "bob").await.active);
        let ada = site.at_home("Acme", "ada", None).await;
        assert_eq!(console.activate_agents(&ids, &ada).await.unwrap().changed, 1);
        let sue = site.at_home("Acme", "sue", None).await;
        assert_eq!(console.activate_agents(&ids, &sue).await.map(drop), Err(Refusal::Forbidden));
    }

    async fn a_new_agent_is_told_and_everything_wrong_is_said_at_once(site: Site) {
        let ada = acme(&site).await;
        let bad = AgentInput {
            account: "a@b".to_owned(),
            email: "nobody".to_owned(),
            roles: Vec::new(),
            person: PersonInput {
                first_name: " ".to_owned(),
                phone: "x".repeat(101),
                language: "xx".to_owned(),
                ..new_agent("eve").person
            },
            ..new_agent("eve")
        };
        let fields = [
            (Field::AccountName, Problem::BadCharacters),
            (Field::Email, Problem::NotAnAddress),
            (Field::FirstName, Problem::Missing),
            (Field::Phone, Problem::TooLong { most: 100 }),
            (Field::Roles, Problem::Missing),
            (Field::Language, Problem::NotOffered),
        ]
        .map(|(field, problem)| FieldProblem { field, problem })
        .to_vec();
        assert_eq!(site.service.console().add_agent(bad, &ada).await, Err(Refusal::Invalid { fields }));
        let taken = |field| Err(Refusal::field(field, Problem::Taken));
        let name = AgentInput { email: "other@acme.test".to_owned(), ..new_agent("BOB") };
        assert_eq!(site.service.console().add_agent(name, &ada).await, taken(Field::AccountName));
        let email = AgentInput { email: "Bob@Acme.test".to_owned(), ..new_agent("eve") };
        assert_eq!(site.service.console().add_agent(email, &ada).await, taken(Field::Email));
        assert!(site.mails().await.is_empty());

        site.service.console().add_agent(new_agent("eve"), &ada).await.unwrap();
        let eve = site.account_of("Acme", "eve").await;
        assert_eq!((eve.person.alias.as_str(), eve.password_must_change, eve.email_factor), ("eve Lindqvist", true, false));
        let mails = site.mails().await;
        let Mail::AccountDetails { password, email, hours, .. } = &mails[0].mail else { panic!("no details") };
        assert_eq!((email.as_str(), *hours, password.len()), ("eve@acme.test", 72, 19));
        site.tell_new_agents("Acme", NewAgentMail::ActivationLink).await;
        site.service.console().add_agent(new_agent("fay"), &ada).await.unwrap();
        assert_eq!(site.mail_kinds().await, ["activation_link"]);
        assert!(!site.account_of("Acme", "fay").await.has_password);
    }

    async fn nobody_shuts_themselves_out_and_an_older_version_is_not_saved(site: Site) {
        let ada = acme(&site).await;
        let id = site.id_of("Acme", "ada").await;
        let own = site.account_of("Acme", "ada").await;
        let refused = || Err(Refusal::OwnAccount);
        let demoted = AgentInput { roles: vec!["agent".to_owned()], ..as_is(&own) };
        assert_eq!(site.service.console().edit_agent(&id, own.version, demoted, &ada).await.map(drop), refused());
        let off = AgentInput { active: false, ..as_is(&own) };
        assert_eq!(site.service.console().edit_agent(&id, own.version, off, &ada).await.map(drop), refused());
        assert_eq!(site.service.console().delete_agent(&id, "ada", &ada).await, refused());
        assert_eq!(site.service.console().reset_password(&id, passwords(NEW_PASSWORD), &ada).await, refused());

        let bob = site.account_of("Acme", "bob").await;
        let bob_id = bob.id.to_string();
        let title = |text: &str| AgentInput { person: PersonInput { title: text.to_owned(), ..as_is(&bob).person }, ..as_is(&bob) };
        site.service.console().edit_agent(&bob_id, bob.version, title("one"), &ada).await.unwrap();
        let late = site.service.console().edit_agent(&bob_id, bob.version, title("two"), &ada).await.map(drop);
        assert_eq!(late, Err(Refusal::ChangedMeanwhile));
        assert_eq!(site.account_of("Acme", "bob").await.person.title, "one");
        assert!(site.events("Acme").await.contains(&("account_changed".to_owned(), Some("title".to_owned()))));
    }

    async fn two_admins_who_demote_each_other_leave_one(site: Site) {
        let ada = acme(&site).await;
        for round in 0..4 {
            let name = format!("amy{round}");
            site.person("Acme", &name, &[Role::Admin], false).await;
            let ada = if round == 0 { ada.clone() } else { site.at_home("Acme", "ada", None).await };
            let amy = site.at_home("Acme", &name, None).await;
            let (first, second) = (site.account_of("Acme", "ada").await, site.account_of("Acme", &name).await);
            let demote = |account: &Account| AgentInput { roles: vec!["agent".to_owned()], ..as_is(account) };
            let (first_id, second_id) = (first.id.to_string(), second.id.to_string());
            let (left, right) = tokio::join!(
                site.service.console().edit_agent(&second_id, second.version, demote(&second), &ada),
                site.service.console().edit_agent(&first_id, first.version, demote(&first), &amy),
            );
            assert_eq!(usize::from(left.is_ok()) + usize::from(right.is_ok()), 1);
            let loser = left.map(drop).and(right.map(drop)).unwrap_err();
            assert!(!matches!(loser, Refusal::Busy { .. } | Refusal::Unavailable { .. } | Refusal::Internal { .. }), "{loser:?}");
            let admins = site.service.operator().accounts_after("Acme", None, 100).await.unwrap();
            let admins: Vec<_> = admins.iter().filter(|a| a.roles.contains(&Role::Admin)).collect();
            assert_eq!(admins.len(), 1);
            if admins[0].name != "ada" {
                break;
            }
        }
    }

    async fn other_roles_and_switching_off_end_the_sessions(site: Site) {
        let ada = acme(&site).await;
        let bob = site.at_home("Acme", "bob", None).await;
        let account = site.account_of("Acme", "bob").await;
        let id = account.id.to_string();
        let roles = AgentInput { roles: vec!["supervisor".to_owned(), "agent".to_owned()], ..as_is(&account) };
        site.service.console().edit_agent(&id, account.version, roles, &ada).await.unwrap();
        assert!(site.service.sign_in().session(&bob).await.unwrap().is_none());
        site.at_home("Acme", "bob", None).await;
        let ids = vec![id.clone(), site.id_of("Acme", "ada").await, NOBODY.to_owned(), id.clone()];
        let off = site.service.console().deactivate_agents(&ids, "", &ada).await.unwrap();
        assert_eq!((off.changed, off.unchanged), (1, 0));
        assert_eq!(off.not_changed.named, [("ada".to_owned(), Refusal::OwnAccount)]);
        assert_eq!(site.sessions("Acme", "bob").await, 0);
        let again = site.service.console().deactivate_agents(&ids[..1], "", &ada).await.unwrap();
        assert_eq!((again.changed, again.unchanged), (0, 1));
        let none = site.service.console().activate_agents(Chosen::Ticked(Vec::new()), &ada).await.map(drop);
        assert_eq!(none, Err(Refusal::NothingSelected));
        let many = vec![id; 201];
        assert_eq!(site.service.console().activate_agents(&many, &ada).await.map(drop), Err(Refusal::Malformed));
    }

    async fn a_deactivation_can_be_undone_for_a_moment_and_in_its_session_only(site: Site) {
        let ada = acme(&site).await;
        site.account("Acme", "kim", false).await;
        let other = site.at_home("Acme", "ada", None).await;
        let ids = [site.id_of("Acme", "bob").await, site.id_of("Acme", "kim").await];
        let console = site.service.console();
        let undo = async |by: &Visitor| console.agents(AgentQuery::default(), by).await.unwrap().undo;
        assert_eq!(undo(&ada).await, None);
        console.deactivate_agents(&ids, "", &ada).await.unwrap();
        assert_eq!((undo(&ada).await, undo(&other).await), (Some(2), None));
        assert!(console.undo_deactivation(&other).await.unwrap().is_none());
        assert!(!site.account_of("Acme", "kim").await.active);
        assert_eq!(console.undo_deactivation(&ada).await.unwrap().unwrap().changed, 2);
        assert!(site.account_of("Acme", "kim").await.active && site.account_of("Acme", "bob").await.active);
        assert!(console.undo_deactivation(&ada).await.unwrap().is_none(), "once");
        console.deactivate_agents(&ids, "", &ada).await.unwrap();
        site.clock.advance(16);
        assert_eq!(undo(&ada).await, None);
        assert!(console.undo_deactivation(&ada).await.unwrap().is_none(), "too late");
        assert!(!site.account_of("Acme", "bob").await.active);
    }

    async fn what_went_well_is_counted_and_undone_whatever_became_of_the_rest(site: Site) {
        let ada = acme(&site).await;
        // Later, so that they come after the others.
        site.clock.advance(1);
        for name in ["kim", "kit"] {
            site.account("Acme", name, false).await;
        }
        // The database takes everybody's change but kim's.
        site.store
            .run(if site.store.is_sqlite() {
                "CREATE TRIGGER spare_kim BEFORE UPDATE OF active ON account WHEN NEW.name = 'kim' \
                 BEGIN SELECT RAISE(ABORT, 'spared'); END;"
            } else {
                "CREATE FUNCTION spare_kim() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                 IF NEW.name = 'kim' AND NEW.active <> OLD.active THEN RAISE EXCEPTION 'spared'; END IF; \
                 RETURN NEW; END; $$; \
                 CREATE TRIGGER spare_kim BEFORE UPDATE ON account FOR EACH ROW EXECUTE FUNCTION spare_kim();"
            })
            .await;
        let mut ids = Vec::new();
        for name in ["ada", "bob", "kim", "kit"] {
            ids.push(site.id_of("Acme", name).await);
        }
        let console = site.service.console();
        let list = async || console.agents(AgentQuery::default(), &ada).await.unwrap();
        let off = console.deactivate_agents(&ids, "", &ada).await.unwrap();
        assert_eq!((off.changed, off.not_changed.left.clone()), (2, None));
        let [(own, Refusal::OwnAccount), (kim, Refusal::Internal { .. })] = &off.not_changed.named[..] else {
            panic!("{:?}", off.not_changed.named)
        };
        assert_eq!((own.as_str(), kim.as_str()), ("ada", "kim"));
        let told = list().await;
        assert_eq!(told.undo, Some(2));
        let not_changed = told.not_changed.unwrap();
        assert_eq!((not_changed.count(), &not_changed.named), (2, &off.not_changed.named));
        assert_eq!(console.undo_deactivation(&ada).await.unwrap().unwrap().changed, 2);
        assert!(list().await.not_changed.is_none(), "of another act");
        for name in ["bob", "kim", "kit"] {
            assert!(site.account_of("Acme", name).await.active, "{name}");
        }
        console.deactivate_agents(&ids, "", &ada).await.unwrap();
        site.clock.advance(61);
        assert!(list().await.not_changed.is_none());
    }

    async fn who_loses_the_right_half_way_leaves_the_rest_and_what_was_done_stays(site: Site) {
        acme(&site).await;
        site.person("Acme", "amy", &[Role::Admin], false).await;
        // Later, so that it comes after the others.
        site.clock.advance(1);
        site.account("Acme", "kim", false).await;
        let amy = site.at_home("Acme", "amy", None).await;
        // Whoever switches bob off is an admin no more.
        site.store
            .run(if site.store.is_sqlite() {
                "CREATE TRIGGER demote AFTER UPDATE OF active ON account WHEN NEW.name = 'bob' BEGIN \
                 UPDATE account_role SET role = 'agent' WHERE role = 'admin' \
                 AND account_id = (SELECT a.id FROM account a WHERE a.name = 'amy'); END;"
            } else {
                "CREATE FUNCTION demote() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                 IF NEW.name = 'bob' AND NEW.active <> OLD.active THEN \
                 UPDATE account_role SET role = 'agent' WHERE role = 'admin' \
                 AND account_id = (SELECT a.id FROM account a WHERE a.name = 'amy'); END IF; RETURN NEW; END; $$; \
                 CREATE TRIGGER demote AFTER UPDATE ON account FOR EACH ROW EXECUTE FUNCTION demote();"
            })
            .await;
        let ids = [site.id_of("Acme", "bob").await, site.id_of("Acme", "kim").await];
        let console = site.service.console();
        let off = console.deactivate_agents(&ids, "", &amy).await.unwrap();
        assert_eq!((off.changed, off.not_changed.named.len()), (1, 0));
        assert_eq!(off.not_changed.left, Some((1, Refusal::Forbidden)));
        assert!(!site.account_of("Acme", "bob").await.active);
        assert!(site.account_of("Acme", "kim").await.active);
    }

    async fn all_that_a_filter_finds_are_switched_together_within_the_scope(site: Site) {
        let ada = acme(&site).await;
        for name in ["kim", "kit", "kip"] {
            site.account("Acme", name, false).await;
        }
        site.company("Globex", 0).await;
        site.account("Globex", "kid", false).await;
        let console = site.service.console();
        let ki = AgentFilter { search: "ki".into(), state: Some(AgentState::Active), ..AgentFilter::default() };
        let found = |filter: &AgentFilter, counted| Chosen::Found { filter: filter.clone(), counted };
        let chosen = found(&ki, Some(3));
        let asked = console.chosen_agents(Action::EditAgent, &chosen, &ada).await.unwrap();
        assert_eq!((asked.count, asked.first.len()), (3, 3));
        let off = console.deactivate_agents(chosen.clone(), "", &ada).await.unwrap();
        assert_eq!((off.changed, off.not_changed.named.len()), (3, 0));
        let active = ki.clone();
        let query = AgentQuery { filter: AgentFilter { state: None, ..ki }, rows: 2, ..AgentQuery::default() };
        let list = console.agents(query, &ada).await.unwrap();
        assert_eq!((list.found, list.found_more, list.page.accounts.len()), (3, false, 2));
        let nobody = console.deactivate_agents(found(&active, Some(0)), "", &ada).await.map(drop);
        assert_eq!(nobody, Err(Refusal::NothingSelected));
        assert!(site.account_of("Globex", "kid").await.active);
        site.lock("Acme", "ada").await;
        site.lock("Acme", "bob").await;
        let sue = site.at_home("Acme", "sue", None).await;
        let locked = AgentFilter { state: Some(AgentState::Locked), ..AgentFilter::default() };
        let unlocked = console.unlock_agents(found(&locked, Some(1)), &sue).await.unwrap();
        assert_eq!(unlocked.changed, 1, "a supervisor reaches agents only");
        assert!(site.account_of("Acme", "ada").await.is_locked());
    }

    async fn all_that_were_found_are_those_that_were_counted(site: Site) {
        let ada = acme(&site).await;
        for name in ["kim", "kit"] {
            site.account("Acme", name, false).await;
        }
        let console = site.service.console();
        let ki = AgentFilter { search: "ki".into(), ..AgentFilter::default() };
        let found = |counted| Chosen::Found { filter: ki.clone(), counted };
        let changed = || Err(Refusal::FoundChanged { now: 2 });
        // Somebody new is found, or somebody not any more, or nobody was told how many there are.
        for counted in [None, Some(0), Some(1), Some(3), Some(5_000)] {
            let asked = console.chosen_agents(Action::EditAgent, &found(counted), &ada).await.map(drop);
            assert_eq!(asked, changed(), "{counted:?}");
            assert_eq!(console.deactivate_agents(found(counted), "", &ada).await.map(drop), changed(), "{counted:?}");
            assert_eq!(console.unlock_agents(found(counted), &ada).await.map(drop), changed(), "{counted:?}");
        }
        let many = console.deactivate_agents(found(Some(5_001)), "", &ada).await.map(drop);
        assert_eq!(many, Err(Refusal::Malformed));
        assert!(site.account_of("Acme", "kim").await.active && site.account_of("Acme", "kit").await.active);
        assert_eq!(console.deactivate_agents(found(Some(2)), "", &ada).await.unwrap().changed, 2);
    }

    async fn an_issued_code_is_shown_to_the_session_that_issued_it(site: Site) {
        let ada = acme(&site).await;
        site.account("Acme", "kim", true).await;
        let (kim, bob) = (site.id_of("Acme", "kim").await, site.id_of("Acme", "bob").await);
        let console = site.service.console();
        let mut sue = site.at_home("Acme", "sue", None).await;
        site.clock.advance(100);
        let code = console.issue_backup_code_for(&kim, "lost phone", &sue).await.unwrap();
        for _ in 0..2 {
            let shown = console.issued_code(&kim, &sue).await.unwrap();
            assert_eq!(shown.as_deref(), Some(&code.reveal()));
        }
        assert!(console.issued_code(&bob, &sue).await.unwrap().is_none());
        assert!(console.issued_code(&kim, &ada).await.unwrap().is_none());
        let stored = site.dump().await;
        assert!(!stored.contains(&code.reveal()), "sealed");
        site.clock.advance(200);
        assert_eq!(console.issued_code(&kim, &sue).await.map(drop), Err(Refusal::StepUpNeeded));
        assert!(console.issued_code(&bob, &sue).await.unwrap().is_none(), "there is nothing to prove");
        let right = site::password(site::PASSWORD);
        let Confirmed::Proved(session) = site.service.profile().confirm_identity(&right, "/x", &sue).await.unwrap() else {
            panic!("a code is asked")
        };
        sue = Visitor { session: Some(session), ..sue };
        assert!(console.issued_code(&kim, &sue).await.unwrap().is_some());
        site.clock.advance(100);
        assert!(console.issued_code(&kim, &sue).await.unwrap().is_none(), "that was long ago");
    }

    async fn a_code_that_was_handed_on_is_shown_no_more(site: Site) {
        acme(&site).await;
        site.account("Acme", "kim", true).await;
        let (kim, bob) = (site.id_of("Acme", "kim").await, site.id_of("Acme", "bob").await);
        let console = site.service.console();
        let sue = site.at_home("Acme", "sue", None).await;
        console.issue_backup_code_for(&kim, "lost phone", &sue).await.unwrap();
        console.forget_issued_code(&bob, &sue).await.unwrap();
        assert!(console.issued_code(&kim, &sue).await.unwrap().is_some(), "somebody else's stays");
        for _ in 0..2 {
            console.forget_issued_code(&kim, &sue).await.unwrap();
            assert!(console.issued_code(&kim, &sue).await.unwrap().is_none());
        }
    }

    async fn a_deleted_agent_leaves_a_trail_and_free_names(site: Site) {
        let ada = acme(&site).await;
        let id = site.id_of("Acme", "bob").await;
        let wrong = site.service.console().delete_agent(&id, "rob", &ada).await;
        assert_eq!(wrong, Err(Refusal::field(Field::ConfirmName, Problem::Different)));
        site.service.console().delete_agent(&id, " BOB ", &ada).await.unwrap();
        assert_eq!(site.service.console().delete_agent(&id, "bob", &ada).await, Err(Refusal::NotFound));
        let company = site.service.operator().company_named("Acme").await.unwrap();
        let events = site.store.read().await.unwrap().events(Some(company.id), 50).await.unwrap();
        let deleted = events.iter().find(|row| row.event == "account_deleted").unwrap();
        assert_eq!((deleted.actor_name.as_deref(), deleted.target_name.as_deref()), (Some("ada"), Some("bob")));
        site.service.console().add_agent(new_agent("bob"), &ada).await.unwrap();
        assert_ne!(site.id_of("Acme", "bob").await, id);
    }

    async fn a_backup_code_needs_a_reason_and_somebody_who_can_use_it(site: Site) {
        acme(&site).await;
        let sue = site.at_home("Acme", "sue", None).await;
        let bob = site.id_of("Acme", "bob").await;
        let issue = |id: String, reason: &'static str| {
            let (service, sue) = (site.service.clone(), sue.clone());
            async move { service.console().issue_backup_code_for(&id, reason, &sue).await }
        };
        let none = issue(bob, "lost phone").await.map(drop);
        assert_eq!(none, Err(Refusal::NoSecondFactor));
        site.account("Acme", "kim", true).await;
        let kim = site.id_of("Acme", "kim").await;
        let missing = issue(kim.clone(), "  ").await.map(drop);
        assert_eq!(missing, Err(Refusal::field(Field::Reason, Problem::Missing)));
        let code = issue(kim.clone(), " lost phone ").await.unwrap();
        assert_eq!(site.mail_kinds().await, ["backup_code_issued"]);
        let issued = ("backup_code_issued".to_owned(), Some("lost phone".to_owned()));
        assert!(site.events("Acme").await.contains(&issued));
        let at = site.past_password("Acme", "kim").await;
        site.verify(&code.reveal(), &at).await.unwrap();
        site.no_mail().await;
        assert_eq!(site.service.console().unlock_agent(&kim, &sue).await, Err(Refusal::NotLocked));
        site.lock("Acme", "kim").await;
        site.no_mail().await;
        assert_eq!(issue(kim.clone(), "lost phone").await.map(drop), Err(Refusal::TargetLocked));
        let ids = [kim, site.id_of("Acme", "bob").await, site.id_of("Acme", "ada").await];
        let unlocked = site.service.console().unlock_agents(&ids, &sue).await.unwrap();
        assert_eq!((unlocked.changed, unlocked.unchanged, unlocked.not_changed.named.len()), (1, 1, 0));
        assert_eq!(site.mail_kinds().await, ["account_unlocked"]);
        assert!(site.account_of("Acme", "kim").await.locked_at.is_none());
    }

    // attacks.md T152
    async fn somebody_with_an_admins_password_gets_five_guesses_at_the_second_factor(site: Site) {
        site.company("Acme", 0).await;
        site.person("Acme", "ada", &[Role::Admin], true).await;
        let ada = site.at_home("Acme", "ada", None).await;
        let id = site.id_of("Acme", "ada").await;
        let mut compared = 0;
        for _ in 0..4 {
            let confirmed = site.service.profile().confirm_identity(&site::password(site::PASSWORD), "/admin", &ada).await;
            let Ok(Confirmed::CodeAsked(pending)) = confirmed else { break };
            let at = Visitor { pending: Some(pending), ..ada.clone() };
            let wrong = site::other_code(&site.code_for("ada").await);
            for _ in 0..4 {
                let answer = site.verify(&wrong, &at).await;
                compared += usize::from(matches!(answer, Err(Refusal::WrongCode { .. } | Refusal::AccountLocked)));
                if answer == Err(Refusal::AccountLocked) {
                    break;
                }
            }
            let locked = site.account_of("Acme", "ada").await.is_locked();
            let alone = site.service.console().unlock_agent(&id, &ada).await;
            let among_others = site.service.console().unlock_agents(std::slice::from_ref(&id), &ada).await;
            if locked {
                assert_eq!(alone, Err(Refusal::AccountLocked));
                assert_eq!(among_others.map(drop), Err(Refusal::AccountLocked));
            } else {
                assert_eq!(alone, Err(Refusal::OwnAccount));
                let among_others = among_others.unwrap();
                assert_eq!(among_others.changed, 0);
                assert_eq!(among_others.not_changed.named, [("ada".to_owned(), Refusal::OwnAccount)]);
            }
        }
        assert_eq!(compared, 5);
        assert!(site.account_of("Acme", "ada").await.is_locked());
    }

    async fn a_counter_is_not_set_back_by_unlocking_who_is_not_locked(site: Site) {
        acme(&site).await;
        site.account("Acme", "kim", true).await;
        let sue = site.at_home("Acme", "sue", None).await;
        let kim = site.id_of("Acme", "kim").await;
        let (at, code) = site.at_code_page("Acme", "kim").await;
        let wrong = site::other_code(&code);
        for _ in 0..4 {
            site.verify(&wrong, &at).await.unwrap_err();
            assert_eq!(site.service.console().unlock_agent(&kim, &sue).await, Err(Refusal::NotLocked));
            let several = site.service.console().unlock_agents(std::slice::from_ref(&kim), &sue).await.unwrap();
            assert_eq!((several.changed, several.unchanged), (0, 1));
        }
        assert_eq!(site.account_of("Acme", "kim").await.wrong_codes, 4);
        assert_eq!(site.verify(&wrong, &at).await, Err(Refusal::AccountLocked));
        site.clock.advance(301);
        assert_eq!(
            site.service.console().unlock_agent(&kim, &sue).await,
            Err(Refusal::StepUpNeeded),
            "a session alone gives nobody five more guesses"
        );
        let sue = site.at_home("Acme", "sue", None).await;
        site.service.console().unlock_agent(&kim, &sue).await.unwrap();
        assert_eq!(site.account_of("Acme", "kim").await.wrong_codes, 0);
    }

    async fn nothing_that_opens_an_account_is_done_to_oneself(site: Site) {
        acme(&site).await;
        let (secret, _) = site.give_app("Acme", "ada").await;
        let ada = site.at_home("Acme", "ada", Some(&secret)).await;
        let own = site.account_of("Acme", "ada").await;
        let id = own.id.to_string();
        let service = &site.service;
        let email = AgentInput { email: "ada@new.test".to_owned(), ..as_is(&own) };
        for (what, outcome) in [
            ("unlock", service.console().unlock_agent(&id, &ada).await),
            ("backup code", service.console().issue_backup_code_for(&id, "lost phone", &ada).await.map(drop)),
            ("password", service.console().reset_password(&id, passwords(NEW_PASSWORD), &ada).await),
            ("no password", service.console().remove_password(&id, &ada).await),
            ("link", service.console().send_reset_link(&id, &ada).await),
            ("details", service.console().send_account_details(&id, &ada).await),
            ("provider", service.console().disconnect_agent(&id, Provider::Google, &ada).await),
            ("address", service.console().edit_agent(&id, own.version, email, &ada).await.map(drop)),
            ("mails about it", service.console().resend_email_change(&id, &ada).await),
        ] {
            assert_eq!(outcome, Err(Refusal::OwnAccount), "{what}");
        }
        assert_eq!(site.account_of("Acme", "ada").await, own);
        let offered = service.console().agent(Action::SeeAgents, &id, &ada).await.unwrap().may;
        assert!(offered.iter().all(|action| !action.is_for_others()), "{offered:?}");
        let title = AgentInput { person: PersonInput { title: "Boss".to_owned(), ..as_is(&own).person }, ..as_is(&own) };
        service.console().edit_agent(&id, own.version, title, &ada).await.unwrap();
    }

    async fn a_locked_admin_does_not_unlock(site: Site) {
        let ada = acme(&site).await;
        site.lock("Acme", "ada").await;
        let id = site.id_of("Acme", "ada").await;
        assert_eq!(site.service.console().unlock_agent(&id, &ada).await, Err(Refusal::AccountLocked));
    }

    async fn ended_sessions_are_counted(site: Site) {
        let ada = acme(&site).await;
        for _ in 0..2 {
            site.at_home("Acme", "bob", None).await;
        }
        let id = site.id_of("Acme", "bob").await;
        assert_eq!(site.service.console().end_agent_sessions(&id, "", &ada).await, Ok(2));
        assert_eq!(site.sessions("Acme", "bob").await, 0);
        assert!(site.events("Acme").await.contains(&("sessions_ended".to_owned(), Some("2".to_owned()))));
    }

    async fn a_reason_stands_in_the_log_and_is_told_where_sessions_end(site: Site) {
        let ada = acme(&site).await;
        let console = site.service.console();
        let bob = site.id_of("Acme", "bob").await;
        let ids = [bob.clone()];
        let note = async |by: &Visitor| site.service.sign_in().ended_session(by).await.unwrap().unwrap().note;
        let logged = async |event: &str, detail: Option<&str>| {
            let wanted = (event.to_owned(), detail.map(str::to_owned));
            site.events("Acme").await.contains(&wanted)
        };
        let long = "x".repeat(201);
        for (odd, problem) in [(long.as_str(), Problem::TooLong { most: 200 }), ("a\u{202e}b", Problem::BadCharacters)] {
            let refused = || Err(Refusal::field(Field::Reason, problem));
            assert_eq!(console.end_agent_sessions(&bob, odd, &ada).await.map(drop), refused());
            assert_eq!(console.deactivate_agents(&ids, odd, &ada).await.map(drop), refused());
            assert_eq!(console.end_company_sessions(&ids, odd, &ada).await.map(drop), refused());
        }
        let at = site.at_home("Acme", "bob", None).await;
        console.end_agent_sessions(&bob, " Lost: laptop ", &ada).await.unwrap();
        assert_eq!(note(&at).await.as_deref(), Some("Lost: laptop"));
        assert!(logged("sessions_ended", Some("1: Lost: laptop")).await);

        let at = site.at_home("Acme", "bob", None).await;
        let of_company = console.company_sessions(None, &ada).await.unwrap().sessions;
        let session = of_company.iter().find(|session| session.name == "bob").unwrap().id.to_string();
        console.end_company_sessions(&[session], "Shift is over", &ada).await.unwrap();
        assert_eq!(note(&at).await.as_deref(), Some("Shift is over"));
        assert!(logged("sessions_ended", Some("1: Shift is over")).await);
        site.clock.advance(KEPT_SECONDS - 1);
        assert_eq!(note(&at).await.as_deref(), Some("Shift is over"));
        site.clock.advance(1);
        assert_eq!(note(&at).await, None, "somebody else may sit there, and hears no more than how it ended");

        let at = site.at_home("Acme", "bob", None).await;
        console.deactivate_agents(&ids, "Left us", &ada).await.unwrap();
        assert_eq!(note(&at).await.as_deref(), Some("Left us"));
        assert!(logged("account_deactivated", Some("Left us")).await);
        console.undo_deactivation(&ada).await.unwrap().unwrap();
        assert!(logged("account_activated", None).await);

        let at = site.at_home("Acme", "bob", None).await;
        console.deactivate_agents(&ids, "  ", &ada).await.unwrap();
        assert_eq!(note(&at).await, None);
        assert!(logged("account_deactivated", None).await);
    }
}

#[test]
fn an_account_name_is_never_an_address() {
    assert!(AccountName::parse("a@b").is_err());
    assert!(AccountName::parse("a@b.test").is_err());
    assert!(EmailAddress::parse("alice").is_err());
    assert!(EmailAddress::parse("alice.test").is_err());
}
