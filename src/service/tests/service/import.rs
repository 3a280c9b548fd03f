//! Agents from a file.

use vestibule_core::{
    account::{Account, Role},
    agents::AgentFilter,
    id::ImportId,
    mail::Mail,
    ports::Clock,
    refusal::{Field, Problem, Refusal},
};
use vestibule_service::{
    Visitor,
    console::{AgentInput, AuditInput, ImportPage, LineVerdict, LinesWanted},
    operator::AccountInput,
};
use vestibule_storage::ImportState;
use vestibule_translations::Locale;

use crate::{
    console::{acme, as_is, new_agent},
    records::{detail_of, text_of},
    site::{self, Site, on_both},
};

const NOBODY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

async fn check(site: &Site, file: &str, by: &Visitor) -> ImportId {
    let file = file.as_bytes().to_vec();
    site.service.console().check_import(file, by).await.unwrap()
}

async fn page(site: &Site, id: ImportId, by: &Visitor) -> ImportPage {
    site.service
        .console()
        .import_page(&id.to_string(), LinesWanted::All, 0, by)
        .await
        .unwrap()
}

/// The import when it stands like this.
async fn when(state: ImportState, site: &Site, id: ImportId, by: &Visitor) -> ImportPage {
    site::until(async || Some(page(site, id, by).await).filter(|page| page.state == state)).await
}

/// The import when every line has its verdict.
async fn done(site: &Site, id: ImportId, by: &Visitor) -> ImportPage {
    when(ImportState::Done, site, id, by).await
}

fn verdicts(page: &ImportPage) -> Vec<(i64, &str, &str)> {
    let lines = page.lines.iter();
    lines
        .map(|line| (line.line, line.account.as_str(), line.verdict.as_str()))
        .collect()
}

fn count(page: &ImportPage, verdict: LineVerdict) -> usize {
    let found = page.verdicts.iter().find(|(found, _)| *found == verdict);
    found.map_or(0, |(_, count)| *count)
}

/// A file of so many new agents.
fn many(agents: usize) -> String {
    let lines = (0..agents).map(|number| format!("new{number},new{number}@acme.test,New\n"));
    ["account,email,first_name\n".to_owned()]
        .into_iter()
        .chain(lines)
        .collect()
}

on_both! {
    async fn every_line_gets_its_verdict_and_the_good_ones_become_agents(site: Site) {
        let ada = acme(&site).await;
        let file = "account;email;first_name;roles;language;active\r\n\
            kim;kim@acme.test;Kim;;;\r\n\
            lee;lee@acme.test;'=Lee;agent;ar;no\r\n\
            bob;bob@acme.test;Bob;;;\r\n\
            SUE;other@acme.test;Bob;;;\r\n\
            bert;ADA@acme.test;Bert;;;\r\n\
            Kim;kim2@acme.test;Kim;;;\r\n\
            kim3;KIM@acme.test;Kim;;;\r\n\
            k@m;k4@acme.test;Kim;;;\r\n\
            k5;nowhere;Kim;;;\r\n\
            k6;k6@acme.test;;;;\r\n\
            k7;k7@acme.test;Kim;agent boss;;\r\n\
            k8;k8@acme.test;Kim;;xx;\r\n\
            k9;k9@acme.test;Kim\r\n\
            k0;k0@acme.test;Kim;;;perhaps\r\n\
            k@0;nobody;;;;\r\n";
        let id = check(&site, file, &ada).await;
        let checked = page(&site, id, &ada).await;
        assert_eq!(checked.state, ImportState::Checked);
        assert_eq!(
            verdicts(&checked),
            [
                (2, "kim", "good"),
                (3, "lee", "good"),
                (4, "bob", "exists"),
                (5, "SUE", "name_taken"),
                (6, "bert", "email_taken"),
                (7, "Kim", "doubled"),
                (8, "kim3", "doubled"),
                (9, "k@m", "bad_account"),
                (10, "k5", "bad_email"),
                (11, "k6", "bad_person"),
                (12, "k7", "bad_role"),
                (13, "k8", "bad_language"),
                (14, "k9", "bad_columns"),
                (15, "k0", "bad_active"),
                (16, "k@0", "bad_account+bad_email+bad_person"),
            ]
        );
        assert_eq!(count(&checked, LineVerdict::BadAccount), 2, "it counts once, as what comes first");
        assert_eq!(checked.verdicts.iter().map(|(_, count)| count).sum::<usize>(), 15);
        let bad = site.service.console().import_page(&id.to_string(), LinesWanted::Problems, 0, &ada).await.unwrap();
        assert_eq!((bad.lines.len(), bad.lines[0].line), (13, 4));
        let only = LinesWanted::Only(LineVerdict::BadAccount);
        let only = site.service.console().import_page(&id.to_string(), only, 0, &ada).await.unwrap();
        assert_eq!(only.lines.iter().map(|line| line.line).collect::<Vec<_>>(), [9, 16]);
        assert!(site.service.operator().account_named("Acme", "kim").await.is_err(), "nothing is created yet");
        // Somebody takes a name between the check and the import.
        let mut lee = new_agent("lee");
        "lee.other@acme.test".clone_into(&mut lee.email);
        site.service.console().add_agent(lee, &ada).await.unwrap();
        site.no_mail().await;

        site.clock.advance(400);
        site.service.console().start_import(&id.to_string(), &ada).await.unwrap();
        let imported = done(&site, id, &ada).await;
        assert_eq!(count(&imported, LineVerdict::Imported), 1);
        assert_eq!(verdicts(&imported)[0], (3, "lee", "name_taken"));
        assert_eq!(verdicts(&imported).len(), 14);
        let kim = site.account_of("Acme", "kim").await;
        assert_eq!((kim.roles, kim.active, kim.password_must_change), (vec![Role::Agent], true, true));
        let mails = site.mails().await;
        let told: Vec<_> = mails
            .iter()
            .filter(|mail| matches!(mail.mail, Mail::AccountDetails { .. }))
            .map(|mail| mail.receiver.as_str())
            .collect();
        assert_eq!(told, ["kim@acme.test"]);
        assert_eq!(detail_of(&site, "agents_imported").await.as_deref(), Some("1"));
        assert_eq!(site.service.console().start_import(&id.to_string(), &ada).await, Err(Refusal::ImportOver));
        assert_eq!(imported.lines[0].fields, None, "what is settled is forgotten");
        let corrected = site.service.console().export_problems(&id.to_string(), Locale::en, &ada).await.unwrap();
        let file = text_of(corrected).await;
        assert!(file.contains("k@0,nobody,") && file.contains("k5,nowhere,Kim,"), "{file}");
        assert!(file.contains("16,") && !file.contains("kim,kim@acme.test"), "{file}");
    }

    async fn what_is_no_file_of_agents_is_refused_whole(site: Site) {
        let ada = acme(&site).await;
        let mut utf_16 = Vec::new();
        utf_16.extend("account,email,first_name\nkim,k@acme.test,Kim".encode_utf16().flat_map(u16::to_le_bytes));
        for (file, problem) in [
            (Vec::new(), Problem::EmptyFile),
            (utf_16, Problem::NotUtf8 { line: 1 }),
            (b"account,email,first_name\nkim,k@acme.test,J\xf6rg".to_vec(), Problem::NotUtf8 { line: 2 }),
            (b"name,mail\nkim,k@acme.test".to_vec(), Problem::NotOurColumns),
        ] {
            assert_eq!(
                site.service.console().check_import(file, &ada).await,
                Err(Refusal::field(Field::File, problem))
            );
        }
    }

    async fn an_exported_file_has_nothing_to_import(site: Site) {
        let ada = acme(&site).await;
        let mut odd = new_agent("max");
        "+46 8 123".clone_into(&mut odd.person.phone);
        "=1+1".clone_into(&mut odd.person.title);
        odd.roles = vec!["agent".to_owned(), "supervisor".to_owned()];
        site.service.console().add_agent(odd, &ada).await.unwrap();
        let file = text_of(site.service.console().export_agents(AgentFilter::default(), &ada).await.unwrap()).await;
        let checked = page(&site, check(&site, &file, &ada).await, &ada).await;
        assert_eq!(checked.verdicts, [(LineVerdict::Exists, 4)]);

        // In another company they are new, and what was a formula is what it was.
        site.company("Beta", 0).await;
        site.person("Beta", "eve", &[Role::Admin], false).await;
        let eve = site.at_home("Beta", "eve", None).await;
        let id = check(&site, &file, &eve).await;
        site.service.console().start_import(&id.to_string(), &eve).await.unwrap();
        assert_eq!(done(&site, id, &eve).await.verdicts, [(LineVerdict::Imported, 4)]);
        let (ours, theirs) = (site.account_of("Acme", "max").await, site.account_of("Beta", "max").await);
        assert_eq!((&theirs.person.phone, &theirs.person.title), (&ours.person.phone, &ours.person.title));
        assert_eq!((&theirs.roles, &theirs.person.alias), (&ours.roles, &ours.person.alias));
    }

    async fn an_exported_account_is_there_whatever_it_lacks(site: Site) {
        let ada = acme(&site).await;
        let input = AccountInput {
            company: "Acme".to_owned(),
            account: "ops".to_owned(),
            email: "ops@acme.test".to_owned(),
            first_name: String::new(),
            last_name: String::new(),
            roles: vec![Role::Agent],
            language: None,
            email_factor: false,
            password: site::password(site::PASSWORD),
        };
        site.service.operator().create_account(input).await.unwrap();
        let file = text_of(site.service.console().export_agents(AgentFilter::default(), &ada).await.unwrap()).await;
        let checked = page(&site, check(&site, &file, &ada).await, &ada).await;
        assert_eq!(checked.verdicts, [(LineVerdict::Exists, 4)], "{:?}", verdicts(&checked));
        // The name of one and the address of another is nobody who is there.
        let file = "account,email,first_name\nops,bob@acme.test,\nnew,ops@acme.test,\n";
        let checked = page(&site, check(&site, file, &ada).await, &ada).await;
        assert_eq!(verdicts(&checked), [(2, "ops", "bad_person"), (3, "new", "bad_person")]);
    }

    async fn names_of_all_scripts_come_through_a_file(site: Site) {
        let ada = acme(&site).await;
        let file = "account,email,first_name,last_name,title\n\
            layla,layla@acme.test,\u{644}\u{64a}\u{644}\u{649},\u{5d0}\u{5d1}\u{5d2},\u{20bb7}\u{91ce} \u{1f98a}\n\
            eve,eve@acme.test,E\u{202e}ve,,\n\
            ali,ali@b\u{fc}cher.test,\u{639}\u{644}\u{6cc}\u{200c}\u{631}\u{636}\u{627}\u{200b},,\n\
            ann,ali@xn--bcher-kva.test,Ann,,\n";
        let id = check(&site, file, &ada).await;
        let checked = page(&site, id, &ada).await;
        assert_eq!(verdicts(&checked), [(2, "layla", "good"), (3, "eve", "bad_person"), (4, "ali", "good"), (5, "ann", "doubled")]);
        site.service.console().start_import(&id.to_string(), &ada).await.unwrap();
        assert_eq!(count(&done(&site, id, &ada).await, LineVerdict::Imported), 2);
        let ali = site.account_of("Acme", "ali@xn--bcher-kva.test").await;
        assert_eq!(ali.person.first_name, "\u{639}\u{644}\u{6cc}\u{200c}\u{631}\u{636}\u{627}");
        let layla = site.account_of("Acme", "layla").await;
        assert_eq!(layla.person.first_name, "\u{644}\u{64a}\u{644}\u{649}");
        assert_eq!(layla.person.last_name, "\u{5d0}\u{5d1}\u{5d2}");
        assert_eq!(layla.person.title, "\u{20bb7}\u{91ce} \u{1f98a}");
        let file = text_of(site.service.console().export_agents(AgentFilter::default(), &ada).await.unwrap()).await;
        let again = page(&site, check(&site, &file, &ada).await, &ada).await;
        assert_eq!(again.verdicts, [(LineVerdict::Exists, 5)]);
    }

    async fn an_import_is_run_once_however_often_it_is_started(site: Site) {
        let ada = acme(&site).await;
        let id = check(&site, &many(30), &ada).await;
        let start = || async { site.service.console().start_import(&id.to_string(), &ada).await };
        let (one, two, three) = tokio::join!(start(), start(), start());
        let all = [one, two, three];
        assert_eq!(all.iter().filter(|started| started.is_ok()).count(), 1, "{all:?}");
        assert!(all.iter().all(|started| started.is_ok() || *started == Err(Refusal::ImportOver)));
        assert_eq!(done(&site, id, &ada).await.verdicts, [(LineVerdict::Imported, 30)]);
        assert_eq!(site.mail_kinds().await, ["account_details"; 30]);
        let events = site.events("Acme").await;
        assert_eq!(events.iter().filter(|(event, _)| event == "agents_imported").count(), 1);
    }

    async fn an_import_that_was_cut_off_is_taken_on(site: Site) {
        let ada = acme(&site).await;
        let id = check(&site, &many(5), &ada).await;
        let company = site.account_of("Acme", "ada").await.company;
        let now = site.clock.now();
        // Somebody claimed it, imported a line, and went down.
        site.service.console().add_agent(new_agent("new0"), &ada).await.unwrap();
        let mut writer = site.store.write().await.unwrap();
        assert!(writer.start_import(company, id, now, now).await.unwrap());
        writer.settle_import_line(company, id, 2, "imported", now).await.unwrap();
        writer.commit().await.unwrap();
        site.clock.advance(29);
        let running = page(&site, id, &ada).await;
        assert_eq!((running.state, running.stalled), (ImportState::Running, false));
        assert_eq!(site.service.console().start_import(&id.to_string(), &ada).await, Err(Refusal::ImportOver));
        site.clock.advance(1);
        assert!(page(&site, id, &ada).await.stalled);
        site.service.console().start_import(&id.to_string(), &ada).await.unwrap();
        assert_eq!(done(&site, id, &ada).await.verdicts, [(LineVerdict::Imported, 5)]);
        assert_eq!(detail_of(&site, "agents_imported").await.as_deref(), Some("5"));
    }

    async fn whoever_began_an_import_is_told_how_long_the_rest_will_take(site: Site) {
        let ada = acme(&site).await;
        site.person("Acme", "amy", &[Role::Admin], false).await;
        let amy = site.at_home("Acme", "amy", None).await;
        let id = check(&site, &many(30), &ada).await;
        assert_eq!(page(&site, id, &ada).await.seconds_left, None);
        // Its first line waits for a hash; others get their verdicts from elsewhere.
        let held = site.service.sign_in().hold_line().await;
        site.service.console().start_import(&id.to_string(), &ada).await.unwrap();
        let company = site.account_of("Acme", "ada").await.company;
        site.clock.advance(20);
        assert_eq!(page(&site, id, &ada).await.seconds_left, None, "nothing is done yet");
        let mut writer = site.store.write().await.unwrap();
        for line in 12..22 {
            writer.settle_import_line(company, id, line, "imported", site.clock.now()).await.unwrap();
        }
        writer.commit().await.unwrap();
        assert_eq!(page(&site, id, &ada).await.seconds_left, Some(40), "20 lines, 2 seconds each");
        assert_eq!(page(&site, id, &amy).await.seconds_left, None, "begun in another session");
        drop(held);
        let over = done(&site, id, &ada).await;
        assert_eq!((over.verdicts, over.seconds_left), (vec![(LineVerdict::Imported, 30)], None));
    }

    async fn an_import_stops_with_its_admin_and_another_takes_it_on(site: Site) {
        let ada = acme(&site).await;
        site.person("Acme", "amy", &[Role::Admin], false).await;
        let id = check(&site, &many(250), &ada).await;
        site.service.console().start_import(&id.to_string(), &ada).await.unwrap();
        site.service.operator().set_account_active("Acme", "ada", false).await.unwrap();
        let amy = site.at_home("Acme", "amy", None).await;
        let stopped = when(ImportState::Stopped, &site, id, &amy).await;
        assert!(count(&stopped, LineVerdict::Imported) < 250, "it went on without its admin");
        assert!(stopped.stalled, "it can be taken on at once");
        site.service.console().start_import(&id.to_string(), &amy).await.unwrap();
        assert_eq!(done(&site, id, &amy).await.verdicts, [(LineVerdict::Imported, 250)]);
        let asked = AuditInput { event: "agents_imported".to_owned(), ..AuditInput::default() };
        let events = site.service.console().audit_log(&asked, &amy).await.unwrap().events;
        let details: Vec<_> = events.iter().map(|row| row.detail.as_deref()).collect();
        assert_eq!(details, [Some("250")]);
    }

    async fn an_import_makes_no_account_once_its_admin_may_not(site: Site) {
        let ada = acme(&site).await;
        site.person("Acme", "amy", &[Role::Admin], false).await;
        let amy = site.at_home("Acme", "amy", None).await;
        let mut lines = vec!["account,email,first_name,roles".to_owned()];
        lines.extend((0..95).map(|n| format!("new{n},new{n}@acme.test,New,admin")));
        let id = check(&site, &lines.join("\n"), &ada).await;
        site.service.console().start_import(&id.to_string(), &ada).await.unwrap();
        let account = site.account_of("Acme", "ada").await;
        let demoted = AgentInput { roles: vec!["agent".to_owned()], ..as_is(&account) };
        site.service.console().edit_agent(&account.id.to_string(), account.version, demoted, &amy).await.unwrap();
        let at_once = count(&page(&site, id, &amy).await, LineVerdict::Imported);
        let stopped = when(ImportState::Stopped, &site, id, &amy).await;
        assert_eq!(count(&stopped, LineVerdict::Imported), at_once, "not one more");
    }

    async fn an_import_ends_with_the_session_that_started_it(site: Site) {
        let Account { company, id: ada, .. } = {
            acme(&site).await;
            site.person("Acme", "amy", &[Role::Admin], false).await;
            site.account_of("Acme", "ada").await
        };
        for way in ["signed out", "ended by the operator", "new password", "too old", "without activity"] {
            let by = site.at_home("Acme", "ada", None).await;
            let id = check(&site, &many(3), &by).await;
            // Its first line waits for a hash.
            let held = site.service.sign_in().hold_line().await;
            site.service.console().start_import(&id.to_string(), &by).await.unwrap();
            match way {
                "signed out" => drop(site.service.sign_in().sign_out(&by).await.unwrap()),
                "ended by the operator" => {
                    site.service.operator().end_sessions_of("Acme", Some("ada")).await.unwrap();
                }
                "new password" => {
                    let mut writer = site.store.write().await.unwrap();
                    let password = writer.password_of(company, ada).await.unwrap().unwrap().hash.unwrap();
                    writer.set_password(company, ada, &password, false, None, site.now()).await.unwrap();
                    writer.commit().await.unwrap();
                }
                "too old" => site.clock.advance(8 * 3600),
                _ => site.clock.advance(30 * 60),
            }
            drop(held);
            let amy = site.at_home("Acme", "amy", None).await;
            let stopped = when(ImportState::Stopped, &site, id, &amy).await;
            assert_eq!(stopped.verdicts, [(LineVerdict::Good, 3)], "{way}");
            assert!(stopped.stalled, "{way}: somebody else can take it on at once");
        }
    }

    async fn an_import_makes_no_account_for_somebody_who_is_locked(site: Site) {
        let ada = acme(&site).await;
        site.person("Acme", "amy", &[Role::Admin], false).await;
        let amy = site.at_home("Acme", "amy", None).await;
        let id = check(&site, &many(3), &ada).await;
        site.lock("Acme", "ada").await;
        site.service.console().start_import(&id.to_string(), &ada).await.unwrap();
        site.clock.advance(30);
        site.service.console().start_import(&id.to_string(), &amy).await.unwrap();
        assert_eq!(done(&site, id, &amy).await.verdicts, [(LineVerdict::Imported, 3)]);
        let asked = AuditInput { event: "account_created".to_owned(), ..AuditInput::default() };
        let events = site.service.console().audit_log(&asked, &amy).await.unwrap().events;
        let by: Vec<_> = events.iter().filter_map(|row| row.actor_name.as_deref()).collect();
        assert_eq!(by, ["amy"; 3]);
    }

    async fn roles_above_agent_need_a_fresh_proof(site: Site) {
        let ada = acme(&site).await;
        let id = check(&site, "account,email,first_name,roles\nkim,k@acme.test,Kim,Admin\n", &ada).await;
        site.clock.advance(301);
        assert_eq!(site.service.console().start_import(&id.to_string(), &ada).await, Err(Refusal::StepUpNeeded));
        assert_eq!(page(&site, id, &ada).await.state, ImportState::Checked);
        let ada = site.at_home("Acme", "ada", None).await;
        site.service.console().start_import(&id.to_string(), &ada).await.unwrap();
        done(&site, id, &ada).await;
        assert_eq!(site.account_of("Acme", "kim").await.roles, [Role::Admin]);
    }

    async fn an_import_of_another_company_or_of_yesterday_is_not_there(site: Site) {
        let ada = acme(&site).await;
        site.company("Beta", 0).await;
        site.person("Beta", "eve", &[Role::Admin], false).await;
        let eve = site.at_home("Beta", "eve", None).await;
        let id = check(&site, &many(1), &ada).await.to_string();
        for (id, by) in [(id.as_str(), &eve), (NOBODY, &ada), ("", &ada), ("../x", &ada)] {
            assert_eq!(site.service.console().import_page(id, LinesWanted::All, 0, by).await.map(drop), Err(Refusal::NotFound));
            assert_eq!(site.service.console().start_import(id, by).await, Err(Refusal::NotFound));
        }
        site.clock.advance(24 * 3600);
        let ada = site.at_home("Acme", "ada", None).await;
        assert_eq!(site.service.console().import_page(&id, LinesWanted::All, 0, &ada).await.map(drop), Err(Refusal::NotFound));
        assert_eq!(site.service.console().start_import(&id, &ada).await, Err(Refusal::NotFound));
        assert_eq!(site.service.console().import_page(&id, LinesWanted::All, 0, &site::visitor()).await.map(drop), Err(Refusal::NotSignedIn));
    }

    async fn long_imports_have_pages(site: Site) {
        let ada = acme(&site).await;
        let id = check(&site, &many(450), &ada).await.to_string();
        let mut after = 0;
        let mut sizes = Vec::new();
        loop {
            let page = site.service.console().import_page(&id, LinesWanted::All, after, &ada).await.unwrap();
            sizes.push(page.lines.len());
            match page.more_after {
                Some(more) => after = more,
                None => break,
            }
        }
        assert_eq!(sizes, [200, 200, 50]);
    }
}
