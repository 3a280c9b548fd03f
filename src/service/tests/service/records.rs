//! The company's settings, its numbers, its audit log, and files of them.

use vestibule_core::{
    account::Role,
    agents::AgentFilter,
    audit::{Actor, AuditEntry, Event},
    id::EventId,
    ports::{Clock, Moment},
    refusal::{Field, FieldProblem, Problem, Refusal},
};
use vestibule_service::{
    Visitor,
    console::{
        AuditField, AuditInput, CompanyInfoInput, Download, LinesWanted, PeriodInput, PolicyInput,
        SpanOfSignIns,
    },
    offices::parse,
    sign_in::Outcome,
};

use crate::{
    console::{acme, new_agent},
    site::{self, Site, on_both},
};

fn info(language: &str, time_zone: &str, new_agent_mail: &str) -> CompanyInfoInput {
    CompanyInfoInput {
        language: language.to_owned(),
        time_zone: time_zone.to_owned(),
        new_agent_mail: new_agent_mail.to_owned(),
    }
}

fn policies(days: &str, require: &str, password_min: &str, idle: &str) -> PolicyInput {
    PolicyInput {
        two_factor_days: days.to_owned(),
        require_second_factor: require.to_owned(),
        password_min: password_min.to_owned(),
        idle_minutes: idle.to_owned(),
    }
}

/// The detail of the only event of this kind.
pub async fn detail_of(site: &Site, wanted: &str) -> Option<String> {
    let mut events = site.events("Acme").await;
    events.retain(|(event, _)| event == wanted);
    assert_eq!(events.len(), 1, "{wanted}");
    events.swap_remove(0).1
}

/// The whole file; panics when it was cut off.
pub async fn text_of(mut download: Download) -> String {
    let mut bytes = Vec::new();
    while let Some(part) = download.recv().await {
        bytes.extend(part.unwrap());
    }
    String::from_utf8(bytes).unwrap()
}

async fn found(site: &Site, input: AuditInput, by: &Visitor) -> Vec<(String, Option<String>)> {
    let page = site.service.console().audit_log(&input, by).await.unwrap();
    page.events
        .into_iter()
        .map(|row| (row.event, row.target_name))
        .collect()
}

fn asked(event: &str, account: &str, from: &str, until: &str) -> AuditInput {
    AuditInput {
        event: event.to_owned(),
        account: account.to_owned(),
        from: from.to_owned(),
        until: until.to_owned(),
        ..AuditInput::default()
    }
}

on_both! {
    async fn general_information_is_saved_once_per_version(site: Site) {
        let ada = acme(&site).await;
        let before = site.service.operator().company_named("Acme").await.unwrap();
        let save = |version, input| site.service.console().save_company(version, input, &ada);
        let bad = [(Field::Language, Problem::NotOffered), (Field::TimeZone, Problem::NotOffered)];
        let fields = bad.map(|(field, problem)| FieldProblem { field, problem }).to_vec();
        assert_eq!(
            save(before.version, info("xx", "Mars/Olympus", "activation_link")).await,
            Err(Refusal::Invalid { fields })
        );
        assert_eq!(save(before.version, info("de", "UTC", "owl")).await, Err(Refusal::Malformed));
        let events = site.events("Acme").await.len();
        let unchanged = info(&before.settings.language, &before.settings.time_zone, before.settings.new_agent_mail.as_str());
        save(before.version, unchanged).await.unwrap();
        assert_eq!(site.service.operator().company_named("Acme").await.unwrap(), before, "nothing changed");
        assert_eq!(site.events("Acme").await.len(), events, "and nothing is noted");

        save(before.version, info("de", "Asia/Tokyo", "activation_link")).await.unwrap();
        let after = site.service.operator().company_named("Acme").await.unwrap();
        assert_eq!((after.settings.language.as_str(), after.settings.time_zone.as_str()), ("de", "Asia/Tokyo"));
        let detail = detail_of(&site, "company_changed").await;
        assert_eq!(
            detail.as_deref(),
            Some("language: en -> de; time_zone: Europe/Berlin -> Asia/Tokyo; \
                  new_agent_mail: account_details -> activation_link")
        );
        let late = save(before.version, info("ar", "UTC", "activation_link")).await;
        assert_eq!(late, Err(Refusal::ChangedMeanwhile));
        assert_eq!(site.service.operator().company_named("Acme").await.unwrap(), after);
        let (one, other) = tokio::join!(
            save(after.version, info("en", "UTC", "activation_link")),
            save(after.version, info("ar", "UTC", "activation_link"))
        );
        assert_ne!(one.is_ok(), other.is_ok(), "one of two at once: {one:?} {other:?}");
        assert!(site.mails().await.is_empty());
    }

    async fn policies_need_a_fresh_proof_and_all_admins_are_told(site: Site) {
        let ada = acme(&site).await;
        site.person("Acme", "amy", &[Role::Agent, Role::Admin], false).await;
        let before = site.service.operator().company_named("Acme").await.unwrap();
        let save = |version, input| site.service.console().save_policies(version, input, &ada);
        for odd in [
            policies("15", "off", "12", ""),
            policies("", "off", "12", ""),
            policies("0", "some", "12", ""),
        ] {
            assert_eq!(save(before.version, odd).await, Err(Refusal::Malformed));
        }
        let fields = vec![
            FieldProblem {
                field: Field::PasswordMin,
                problem: Problem::OutOfRange { least: 8, most: 64 },
            },
            FieldProblem {
                field: Field::IdleMinutes,
                problem: Problem::OutOfRange { least: 15, most: 999 },
            },
        ];
        for (length, idle) in [("7", "14"), ("65", "1000"), ("+12", "15.5"), ("", "never")] {
            assert_eq!(
                save(before.version, policies("0", "off", length, idle)).await,
                Err(Refusal::Invalid { fields: fields.clone() })
            );
        }
        assert!(site.mails().await.is_empty());
        save(before.version, policies("30", "off", "16", "45")).await.unwrap();
        let after = site.service.operator().company_named("Acme").await.unwrap();
        assert_eq!((after.settings.two_factor.days(), after.settings.password_min, after.settings.idle_minutes), (30, 16, Some(45)));
        assert_eq!(after.settings.time_zone, before.settings.time_zone, "General Information stays");
        assert_eq!(site.mail_kinds().await, ["policies_changed", "policies_changed"]);
        let detail = detail_of(&site, "policy_changed").await;
        assert!(detail.unwrap().starts_with("two_factor_days: 0 -> 30; password_min: 12 -> 16; idle_minutes: "));
        assert_eq!(
            save(before.version, policies("0", "off", "16", "")).await,
            Err(Refusal::ChangedMeanwhile)
        );
        save(after.version, policies("30", "off", "16", "45")).await.unwrap();
        assert!(site.mails().await.is_empty(), "nothing changed");
        site.clock.advance(301);
        assert_eq!(
            save(after.version, policies("0", "off", "16", "")).await,
            Err(Refusal::StepUpNeeded)
        );
    }

    async fn offices_need_a_fresh_proof_and_all_admins_are_told(site: Site) {
        let ada = acme(&site).await;
        let console = site.service.console();
        site.company("Beta", 0).await;
        let beta = vec![parse("Bonn=192.0.2.0/28").unwrap()];
        site.service.operator().set_offices("Beta", beta.clone()).await.unwrap();
        let wrong = |field, problem| Err(Refusal::field(field, problem));
        for (name, range, refused) in [
            ("Berlin", "here", wrong(Field::OfficeRange, Problem::NotARange)),
            ("Berlin", "10.0.0.0/8", wrong(Field::OfficeRange, Problem::WideRange)),
            (" ", "192.0.2.0/28", wrong(Field::OfficeName, Problem::Missing)),
        ] {
            assert_eq!(console.add_office(name, range, &ada).await, refused, "{range}");
        }
        assert!(site.mails().await.is_empty());
        console.add_office(" Berlin ", "192.0.2.7/28", &ada).await.unwrap();
        let berlin = vec![parse("Berlin=192.0.2.0/28").unwrap()];
        assert_eq!(console.offices(&ada).await, Ok(berlin.clone()));
        assert_eq!(site.service.operator().offices("Acme").await.unwrap(), berlin, "the operator sees the same");
        assert_eq!(site.mail_kinds().await, ["policies_changed"]);
        assert_eq!(detail_of(&site, "policy_changed").await.as_deref(), Some("offices: none -> 192.0.2.0/28"));
        let doubled = console.add_office("Bonn", "192.0.2.0/28", &ada).await;
        assert_eq!(doubled, wrong(Field::OfficeRange, Problem::Taken));

        console.remove_office("198.51.100.7/32", &ada).await.unwrap();
        assert_eq!(site.events("Acme").await.iter().filter(|(event, _)| event == "policy_changed").count(), 1);
        console.remove_office("192.0.2.0/28", &ada).await.unwrap();
        assert_eq!(console.offices(&ada).await, Ok(Vec::new()));
        assert_eq!(site.service.operator().offices("Beta").await.unwrap(), beta, "another company's stays");
        assert_eq!(site.mail_kinds().await, ["policies_changed"]);

        let fifty = (0..50).map(|number| parse(&format!("O{number:02}=10.0.{number}.0/24")).unwrap()).collect();
        site.service.operator().set_offices("Acme", fifty).await.unwrap();
        let many = console.add_office("Berlin", "192.0.2.0/28", &ada).await;
        assert_eq!(many, wrong(Field::OfficeRange, Problem::ManyOffices { most: 50 }));

        site.clock.advance(301);
        assert_eq!(console.add_office("Berlin", "192.0.2.0/28", &ada).await, Err(Refusal::StepUpNeeded));
        assert_eq!(console.remove_office("10.0.0.0/24", &ada).await, Err(Refusal::StepUpNeeded));
        assert_eq!(console.offices(&ada).await.map(|offices| offices.len()), Ok(50));
    }

    async fn a_shorter_log_out_policy_ends_sessions_that_run(site: Site) {
        let ada = acme(&site).await;
        let version = site.service.operator().company_named("Acme").await.unwrap().version;
        site.service.console().save_policies(version, policies("0", "off", "12", ""), &ada).await.unwrap();
        let bob = site.at_home("Acme", "bob", None).await;
        site.clock.advance(20 * 60);
        let ada = site.at_home("Acme", "ada", None).await;
        let version = site.service.operator().company_named("Acme").await.unwrap().version;
        site.service.console().save_policies(version, policies("0", "off", "12", "15"), &ada).await.unwrap();
        assert!(site.service.sign_in().session(&bob).await.unwrap().is_none());
        assert!(site.service.sign_in().session(&ada).await.unwrap().is_some());
        assert_eq!(site.service.console().overview(&PeriodInput::default(), &ada).await.unwrap().signed_in, 1);
    }

    async fn a_shorter_two_factor_policy_ends_trust_that_was_given(site: Site) {
        site.company("Acme", 90).await;
        site.person("Acme", "ada", &[Role::Admin], false).await;
        site.account("Acme", "mia", true).await;
        let (visitor, code) = site.at_code_page("Acme", "mia").await;
        let granted = site.service.sign_in().verify_code(&code, true, &visitor).await.unwrap();
        let trusted = Visitor { trusted: granted.trusted.unwrap(), ..site::visitor() };
        site.clock.advance(20 * 86_400);
        let again = site.signed_in("Acme", "mia", &trusted).await;
        let trusted = Visitor { trusted: again.trusted.unwrap(), ..site::visitor() };
        let ada = site.at_home("Acme", "ada", None).await;
        let version = site.service.operator().company_named("Acme").await.unwrap().version;
        site.service.console().save_policies(version, policies("14", "off", "12", ""), &ada).await.unwrap();
        let outcome = site.try_password("Acme", "mia", site::PASSWORD, &trusted).await.unwrap();
        assert!(matches!(outcome, Outcome::CodeAsked { .. }), "20 days are more than 14");
    }

    async fn a_second_factor_that_becomes_required_confines_sessions_that_run(site: Site) {
        let ada = acme(&site).await;
        let bob = site.at_home("Acme", "bob", None).await;
        site.service.sign_in().signed_in(&bob).await.unwrap();
        let version = site.service.operator().company_named("Acme").await.unwrap().version;
        site.service.console().save_policies(version, policies("0", "everyone", "12", ""), &ada).await.unwrap();
        for by in [&ada, &bob] {
            assert_eq!(site.service.sign_in().signed_in(by).await.map(drop), Err(Refusal::SetUpRequired));
        }
        assert_eq!(site.service.console().overview(&PeriodInput::default(), &ada).await.map(drop), Err(Refusal::SetUpRequired));
    }

    async fn the_audit_log_is_asked_by_event_account_and_day(site: Site) {
        let ada = acme(&site).await;
        let at = |time: &str| site.clock.set(time.parse::<Moment>().unwrap());
        let version = site.service.operator().company_named("Acme").await.unwrap().version;
        site.service.console().save_policies(version, policies("0", "off", "12", ""), &ada).await.unwrap();
        at("2026-03-28T22:59:59Z");
        site.at_home("Acme", "bob", None).await;
        // In Berlin this Sunday has 23 hours.
        at("2026-03-28T23:00:00Z");
        site.at_home("Acme", "sue", None).await;
        at("2026-03-29T21:59:59.999Z");
        site.at_home("Acme", "bob", None).await;
        at("2026-03-29T22:00:00Z");
        let ada = site.at_home("Acme", "ada", None).await;
        let signed_in = |names: &[&str]| -> Vec<_> {
            names.iter().map(|name| ("signed_in".to_owned(), Some((*name).to_owned()))).collect()
        };
        let ask = |event, account, from, until| found(&site, asked(event, account, from, until), &ada);
        assert_eq!(ask("signed_in", "", "2026-03-29", "2026-03-29").await, signed_in(&["bob", "sue"]));
        assert_eq!(ask("signed_in", "", "2026-03-29", "").await, signed_in(&["ada", "bob", "sue"]));
        assert_eq!(ask("signed_in", "", "2026-03-28", "2026-03-28").await, signed_in(&["bob"]));
        assert_eq!(ask("signed_in", " BOB ", "2026-03-01", "").await, signed_in(&["bob", "bob"]));
        assert_eq!(ask("signed_in", "Bob@Acme.test", "2026-03-29", "29.3.2026").await, signed_in(&["bob"]));
        for (event, account, from, until) in [
            ("", "nobody", "", ""),
            ("", "b\0b", "", ""),
            ("", "", "2026-03-31", ""),
            ("", "", "", "0000-01-01"),
        ] {
            assert!(ask(event, account, from, until).await.is_empty(), "{event} {account} {from} {until}");
        }
        site.company("Beta", 0).await;
        site.person("Beta", "eve", &[Role::Admin], false).await;
        assert!(ask("", "eve", "", "").await.is_empty());
        let all = site.service.console().audit_log(&AuditInput::default(), &ada).await.unwrap();
        let older = AuditInput {
            before: all.events[0].id.to_string(),
            ..AuditInput::default()
        };
        let older = site.service.console().audit_log(&older, &ada).await.unwrap();
        assert_eq!(older.events[0], all.events[1]);

        let days = site.service.console().overview(&PeriodInput::default(), &ada).await.unwrap().spans;
        let last = |day: &str, signed_in| SpanOfSignIns { day: day.parse().unwrap(), hour: None, signed_in, failed: 0 };
        assert_eq!(days.len(), 14);
        assert_eq!(days[11..], [last("2026-03-28", 1), last("2026-03-29", 2), last("2026-03-30", 1)]);
    }

    async fn the_audit_log_is_asked_by_outcome_actor_and_source(site: Site) {
        let ada = acme(&site).await;
        let wrong = site.try_password("Acme", "bob", "wrong password", &site::visitor()).await;
        assert_eq!(wrong.map(drop), Err(Refusal::WrongCredentials));
        site.service.console().add_agent(new_agent("max"), &ada).await.unwrap();
        let input = |outcome: &str, actor: &str, source: &str| AuditInput {
            outcome: outcome.to_owned(),
            actor: actor.to_owned(),
            source: source.to_owned(),
            ..AuditInput::default()
        };
        let ask = |outcome, actor, source| {
            let asked = found(&site, input(outcome, actor, source), &ada);
            async move {
                // Events of one millisecond have no order.
                let mut events = asked.await;
                events.sort();
                events
            }
        };
        let line = |event: &str, target: &str| (event.to_owned(), Some(target.to_owned()));
        let refused = [line("password_refused", "bob")];
        assert_eq!(ask("refused", "", "").await, refused);
        assert_eq!(ask("", "visitor", "").await, refused, "whoever gave the right password is no stranger");
        assert_eq!(ask("", "account", "sign_in").await, [line("signed_in", "ada")]);
        assert_eq!(ask("", "", "sign_in").await, [line("password_refused", "bob"), line("signed_in", "ada")]);
        let made = ask("", "", "command_line").await;
        assert_eq!(made.iter().filter(|(event, _)| event == "account_created").count(), 3, "{made:?}");
        assert_eq!(ask("", "operator", "").await, made);
        let added = ask("", "", "console").await;
        assert!(added.contains(&line("account_created", "max")), "{added:?}");
        assert!(added.iter().all(|(_, target)| target.as_deref() == Some("max")), "{added:?}");
        assert_eq!(ask("done", "account", "console").await, added);
        assert!(ask("refused", "", "console").await.is_empty());
        assert!(ask("", "system", "import").await.is_empty(), "an event has one place");
        let created = AuditInput { event: "account_created".to_owned(), ..input("done", "account", "console") };
        assert_eq!(found(&site, created.clone(), &ada).await, [line("account_created", "max")]);
        assert_eq!(found(&site, AuditInput { account: "ada".to_owned(), ..created }, &ada).await.len(), 1);

        let file = text_of(site.service.console().export_audit(input("refused", "visitor", "sign_in"), &ada).await.unwrap()).await;
        assert_eq!(file.lines().count(), 2, "{file}");
        assert!(file.contains(",password_refused,refused,visitor,,bob,"), "{file}");
    }

    async fn what_the_audit_log_cannot_read_asks_for_nothing_and_is_named(site: Site) {
        let ada = acme(&site).await;
        let nonsense = AuditInput {
            event: "signed_out_or_in".to_owned(),
            outcome: "Done".to_owned(),
            actor: "\0".to_owned(),
            source: "the moon".to_owned(),
            from: "yesterday".to_owned(),
            until: "29.3.2026".to_owned(),
            before: "1'--".to_owned(),
            ..AuditInput::default()
        };
        let all = site.service.console().audit_log(&AuditInput::default(), &ada).await.unwrap();
        assert!(all.ignored.is_empty());
        let page = site.service.console().audit_log(&nonsense, &ada).await.unwrap();
        assert_eq!(page.events, all.events);
        for field in AuditField::ALL {
            assert_eq!(page.ignored.contains(&field), field != AuditField::Account, "{field:?}");
        }
        let partly = AuditInput { outcome: " refused ".to_owned(), ..nonsense.clone() };
        let page = site.service.console().audit_log(&partly, &ada).await.unwrap();
        assert!(page.events.is_empty() && !page.ignored.contains(&AuditField::Outcome));
        let strange = AuditInput { account: "nobody".to_owned(), ..nonsense.clone() };
        let page = site.service.console().audit_log(&strange, &ada).await.unwrap();
        assert!(page.events.is_empty() && page.ignored.len() == 6, "and still named");
        let file = text_of(site.service.console().export_audit(nonsense, &ada).await.unwrap()).await;
        assert!(file.lines().count() > all.events.len(), "{file}");
    }

    async fn the_overview_counts_the_own_company_only(site: Site) {
        let ada = acme(&site).await;
        site.company("Beta", 0).await;
        site.account("Beta", "eve", true).await;
        site.past_password("Beta", "eve").await;
        site.account("Acme", "mia", true).await;
        site.past_password("Acme", "mia").await;
        site.lock("Acme", "sue").await;
        let wrong = site.try_password("Acme", "bob", "wrong password", &site::visitor()).await;
        assert_eq!(wrong.map(drop), Err(Refusal::WrongCredentials));
        let overview = site.service.console().overview(&PeriodInput::default(), &ada).await.unwrap();
        assert_eq!((overview.agents.all, overview.agents.locked, overview.agents.with_second_factor), (4, 1, 1));
        assert_eq!((overview.signed_in, overview.waiting), (1, 1));
        let today = overview.spans.last().unwrap();
        assert_eq!((today.signed_in, today.failed), (1, 1));
    }

    async fn files_hold_everything_and_no_formula(site: Site) {
        let ada = acme(&site).await;
        let mut odd = new_agent("max");
        "+46 8 123".clone_into(&mut odd.person.phone);
        "=HYPERLINK(\"x\";\"y\")".clone_into(&mut odd.person.title);
        site.service.console().add_agent(odd, &ada).await.unwrap();
        let agents = text_of(site.service.console().export_agents(AgentFilter::default(), &ada).await.unwrap()).await;
        let lines: Vec<_> = agents.strip_prefix('\u{feff}').unwrap().split("\r\n").collect();
        assert_eq!(
            lines[0],
            "account,email,first_name,last_name,alias,phone,title,language,roles,active,locked,second_factor,created,\
             last_sign_in"
        );
        assert_eq!(lines.len(), 6, "four agents and the end: {agents}");
        assert_eq!(
            lines[3],
            "max,max@acme.test,max,Lindqvist,max Lindqvist,'+46 8 123,\"'=HYPERLINK(\"\"x\"\";\"\"y\"\")\",,agent,yes,no,\
             none,2026-01-05T09:00:00Z,"
        );
        assert!(lines[1].ends_with(",admin,yes,no,none,2026-01-05T09:00:00Z,2026-01-05T09:00:00Z"), "{}", lines[1]);
        let filter = AgentFilter { search: "max".to_owned(), ..AgentFilter::default() };
        let one = text_of(site.service.console().export_agents(filter, &ada).await.unwrap()).await;
        assert_eq!(one.lines().count(), 2);

        let strange = Visitor { browser: Some(" @SUM(1)".to_owned()), ..site::visitor() };
        site.signed_in("Acme", "bob", &strange).await;
        let log = text_of(site.service.console().export_audit(asked("signed_in", "bob", "", ""), &ada).await.unwrap()).await;
        let lines: Vec<_> = log.lines().collect();
        assert_eq!(
            lines[0],
            "\u{feff}time,event,outcome,actor,actor_account,target_account,address,browser,request,detail"
        );
        assert_eq!(lines.len(), 2);
        assert!(lines[1].starts_with("2026-01-05T09:00:00Z,signed_in,done,"), "{log}");
        assert!(lines[1].contains(",192.0.2.77,' @SUM(1),"), "{log}");
        let none = text_of(site.service.console().export_audit(asked("", "nobody", "", ""), &ada).await.unwrap()).await;
        assert_eq!(none.lines().count(), 1);
        let words: Vec<_> = site.events("Acme").await.into_iter().map(|(event, _)| event).collect();
        let times = |wanted: &str| words.iter().filter(|word| *word == wanted).count();
        assert_eq!((times("agents_exported"), times("audit_exported")), (2, 2));
    }

    async fn long_files_are_whole_and_end_when_the_admin_is_gone(site: Site) {
        let ada = acme(&site).await;
        for _ in 0..1100 {
            let entry = AuditEntry {
                company: Some(site.service.operator().company_named("Acme").await.unwrap().id),
                actor: Actor::System,
                target: None,
                event: Event::CodeResent,
                address: None,
                browser: None,
                request: None,
                detail: None,
            };
            let mut writer = site.store.write().await.unwrap();
            let id = EventId::new(site.clock.now(), site.service.randomness().as_ref());
            writer.insert_event(id, site.clock.now(), &entry).await.unwrap();
            writer.commit().await.unwrap();
        }
        let all = || site.service.console().export_audit(asked("code_resent", "", "", ""), &ada);
        let log = text_of(all().await.unwrap()).await;
        assert_eq!(log.lines().count(), 1101);
        let mut download = all().await.unwrap();
        assert!(download.recv().await.unwrap().is_ok());
        site.service.operator().set_account_active("Acme", "ada", false).await.unwrap();
        let mut parts = Vec::new();
        while let Some(part) = download.recv().await {
            parts.push(part.is_ok());
        }
        assert_eq!(parts.last(), Some(&false), "cut off: {parts:?}");
    }

    async fn supervisors_and_agents_get_none_of_it(site: Site) {
        acme(&site).await;
        for name in ["sue", "bob"] {
            let by = site.at_home("Acme", name, None).await;
            let service = &site.service;
            assert_eq!(service.console().save_company(1, info("", "", ""), &by).await, Err(Refusal::Forbidden));
            assert_eq!(service.console().save_policies(1, policies("", "", "", ""), &by).await, Err(Refusal::Forbidden));
            assert_eq!(service.console().offices(&by).await, Err(Refusal::Forbidden));
            assert_eq!(service.console().add_office("Berlin", "192.0.2.0/28", &by).await, Err(Refusal::Forbidden));
            assert_eq!(service.console().remove_office("192.0.2.0/28", &by).await, Err(Refusal::Forbidden));
            assert_eq!(service.console().overview(&PeriodInput::default(), &by).await.map(drop), Err(Refusal::Forbidden));
            assert_eq!(service.console().audit_log(&AuditInput::default(), &by).await.map(drop), Err(Refusal::Forbidden));
            assert_eq!(service.console().export_audit(AuditInput::default(), &by).await.map(drop), Err(Refusal::Forbidden));
            assert_eq!(service.console().export_agents(AgentFilter::default(), &by).await.map(drop), Err(Refusal::Forbidden));
            assert_eq!(service.console().check_import(Vec::new(), &by).await.map(drop), Err(Refusal::Forbidden));
            assert_eq!(service.console().import_page("", LinesWanted::All, 0, &by).await.map(drop), Err(Refusal::Forbidden));
            assert_eq!(service.console().start_import("", &by).await, Err(Refusal::Forbidden));
        }
    }
}
