//! What every request asks for must be found by an index: nothing here may read a whole table.

use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use uuid::Uuid;
use vestibule_core::{
    account::Role,
    agents::{AgentFilter, AgentSort, AgentState, FactorFilter},
    audit::{ActorKind, Event, Outcome, Source as Place},
    id::{AccountId, CompanyId, EventId, ImportId},
    ports::Moment,
    secret::TokenHash,
};

use crate::{
    EventFilter, Store, StoreOptions, account,
    agents::{self, Group, Key, Position, Source, Stretch, count_of, stretch_of},
    application, application_session, audit, authenticator, backup_code, carried, cleanup, code, company,
    folding, grant, import, kept, links, mail_server, note, office, outbox, overview, pending, reset_request,
    session, set_up, sign_in, sso, tally, throttle, ticket, trusted, words,
};

/// The look-ups of a sign-in and of a page, each with what it is for.
fn look_ups() -> Vec<(&'static str, &'static str)> {
    vec![
        ("session of a cookie", session::BY_TOKEN),
        ("sessions of an account", session::OF_ACCOUNT),
        ("session to end", session::BY_FORMER_TOKEN),
        ("session that has ended", session::ENDED),
        ("what a browser has kept", kept::BY_TOKEN),
        ("request that is carried along", carried::BY_TOKEN),
        ("requests of a place", carried::MAKE_ROOM_OF_SOURCE),
        ("what is kept no longer", kept::DROP),
        ("what makes room for what is kept", kept::TRIM),
        ("company at sign-in", company::BY_KEY),
        ("account at sign-in", account::BY_SIGN_IN),
        ("pending sign-in of a cookie", pending::BY_TOKEN),
        ("pending sign-in with its account", pending::UNDERWAY),
        ("account that was typed", sign_in::BY_NAMES),
        ("account that gets a session", sign_in::SIGNING_IN),
        ("codes of a pending sign-in", code::OF_PENDING),
        ("codes that are old", code::REMEMBERED),
        ("mails with codes", code::MAILED_SINCE),
        ("trusted browsers", trusted::OF_ACCOUNT),
        ("mail of a pending sign-in", outbox::OF_PENDING),
        ("app of an account", authenticator::OF_ACCOUNT),
        ("use of an app's step", authenticator::USE_STEP),
        ("apps of all accounts", authenticator::AFTER),
        ("backup codes", backup_code::OF_ACCOUNT),
        ("backup codes left", backup_code::LEFT),
        ("use of a backup code", backup_code::USE),
        ("issued code", backup_code::ISSUED),
        ("set-up of an account", set_up::OF_ACCOUNT),
        ("codes of a set-up", set_up::CODES),
        ("events of a company", audit::NEWEST_OF_COMPANY),
        ("place of an account", agents::POSITION),
        ("numbers of agents", tally::SUMS),
        ("number of admins", agents::COUNT_ADMINS),
        ("admins", agents::ADMINS),
        ("address in use", agents::EMAIL_TAKEN),
        ("all accounts", agents::AFTER),
        ("accounts whose words are made anew", words::AFTER),
        ("version of a folding", folding::VERSION),
        ("addresses to be folded", folding::ADDRESSES),
        ("account of a folded address", folding::ACCOUNT_OF_KEY),
        ("link of a token", links::BY_TOKEN),
        ("link of an account", links::OF_ACCOUNT),
        ("use of a link", links::USE),
        ("end of links", links::END),
        ("import", import::BY_ID),
        ("verdicts", import::VERDICTS),
        ("start of an import", import::START),
        ("stop of an import", import::STOP),
        ("line of an import", import::SETTLE),
        ("progress of an import", import::TOUCH),
        ("end of an import", import::FINISH),
        ("account of a session", session::ACCOUNT_OF),
        ("sign-ins that wait", overview::WAITING),
        ("connected accounts", overview::IDENTITIES),
        ("sessions of a company", overview::SIGNED_IN),
        ("sessions in use", overview::SIGNED_IN_SINCE),
        ("pending sign-ins of a company", overview::PENDING),
        ("number of events", overview::EVENTS),
        ("mail server of a company", mail_server::OF_COMPANY),
        ("providers of a company", sso::APPLICATIONS),
        ("all secrets of applications", sso::SECRETS_AFTER),
        ("identities of an account", sso::OF_ACCOUNT),
        ("accounts of an identity", sso::LINKED),
        ("identity that goes", sso::UNLINK),
        ("accounts without a password", sso::ONLY_BY),
        ("flow of a browser", sso::FLOW_BY_TOKEN),
        ("flow of a pending sign-in", sso::FLOW_OF_PENDING),
        ("answer to a flow", sso::ANSWER_FLOW),
        ("flow that waits for a code", sso::SET_FLOW_PENDING),
        ("end of a flow", sso::END_FLOW),
        ("all passwords of mail servers", mail_server::AFTER),
        ("mails of an account", outbox::SINCE),
        ("newest mail of an account", outbox::NEWEST_OF_KIND),
        ("test mails", outbox::TESTS_SINCE),
        ("newest test mail", outbox::NEWEST_TEST),
        ("failing mail of a pending sign-in", outbox::HURRY),
        ("mails that are replaced", outbox::DROP),
        ("outbox of a company", outbox::COUNTS_OF_COMPANY),
        ("wrong passwords of a source", throttle::WRONG_OF_SOURCE),
        ("what a source has earned", throttle::EARNED),
        ("block of a lane", throttle::IS_BLOCKED),
        ("offices of a company", office::OF_COMPANY),
        ("ticket of a browser", ticket::BY_TOKEN),
        ("ticket that goes", ticket::DROP),
        ("note of a session", note::OF_SESSION),
        ("note that goes", note::DROP),
    ]
}

/// The look-ups of applications.
fn look_ups_of_applications() -> Vec<(&'static str, &'static str)> {
    vec![
        ("application that asks", application::BY_ID),
        ("applications of a company", application::OF_COMPANY),
        ("applications of the installation", application::OF_INSTALLATION),
        ("secrets of an application", application::SECRETS),
        ("session at an application", application_session::BY_TOKEN),
        ("ticket to an application", application_session::ENTER),
        ("grant of a code", grant::BY_CODE),
        ("grant of a refresh token", grant::BY_REFRESH),
        ("grant of an access token", grant::BY_ACCESS),
        ("grants of an account", grant::END_OF_ACCOUNT),
        ("applications of a session", grant::APPLICATIONS_OF_SESSION),
        ("notice that is taken", grant::CLAIM),
        ("idle sessions of applications", grant::IDLE),
        ("oldest uses of applications", grant::OLDEST_USES),
        ("old sessions of applications", grant::PAST_END),
    ]
}

#[tokio::test]
async fn look_ups_use_an_index_on_sqlite() {
    let (_folder, mut connection) = connection().await;
    for (what, sql) in look_ups().into_iter().chain(look_ups_of_applications()) {
        let plan = plan_of(&mut connection, sql).await;
        assert!(!plan.is_empty(), "{what}");
        assert!(
            plan.iter().all(|step| !step.contains("SCAN")),
            "{what}: {plan:#?}"
        );
    }
}

#[tokio::test]
async fn look_ups_use_the_index_that_is_meant_for_them_on_sqlite() {
    let (_folder, mut connection) = connection().await;
    let tokens = trusted::of_tokens(&[TokenHash([1; 32]), TokenHash([2; 32])]);
    let plan = plan_of(&mut connection, &tokens.text()).await;
    assert!(plan.iter().all(|step| !step.contains("SCAN")), "{plan:#?}");
    // Not all accounts of the company: the name and the address each by their own index.
    for sql in [account::BY_SIGN_IN, sign_in::BY_NAMES] {
        let plan = plan_of(&mut connection, sql).await.join("\n");
        assert!(
            plan.contains("name_key=?") && plan.contains("email_key=?"),
            "{plan}"
        );
    }
    // What is remembered is found by its index; no more than may be mailed in a day is walked then.
    let plan = plan_of(&mut connection, code::TO_COMPARE).await;
    let is_found = |step: &String| !step.contains("SCAN") || step == "SCAN remembered";
    assert!(plan.iter().all(is_found), "{plan:#?}");
    // The oldest request is the first entry of the key's index.
    let oldest = plan_of(&mut connection, reset_request::TAKE_SQLITE).await;
    assert!(
        oldest.iter().all(|step| !step.contains("TEMP B-TREE")) && oldest[2].contains("INDEX"),
        "{oldest:#?}"
    );
    let of_company = plan_of(&mut connection, outbox::CLAIM_OF_COMPANY_SQLITE).await;
    let by_lane = |step: &String| step.contains("INDEX mail_outbox_lane (company_id=?");
    assert!(of_company.iter().any(by_lane), "{of_company:#?}");
    // The claim reads the small index of waiting mails in the order it wants, which SQLite calls a scan too.
    for sql in [outbox::CLAIM_SQLITE, outbox::DUE, outbox::DUE_OF_INSTALLATION] {
        let plan = plan_of(&mut connection, sql).await;
        assert!(
            plan.iter().any(|step| step.contains("INDEX mail_outbox_waiting")),
            "{plan:#?}"
        );
        assert!(
            !plan.iter().any(|step| step.ends_with("SCAN mail_outbox")),
            "{plan:#?}"
        );
    }
}

#[tokio::test]
async fn applications_to_be_told_are_looked_for_among_those_that_are_not() {
    let (_folder, mut connection) = connection().await;
    let plan = plan_of(&mut connection, grant::UNTOLD).await;
    assert!(
        plan.iter().any(|step| step.contains("INDEX access_grant_untold")),
        "{plan:#?}"
    );
}

#[tokio::test]
async fn sessions_of_applications_that_end_are_looked_for_among_those_that_have_not_ended() {
    let (_folder, mut connection) = connection().await;
    for sql in [grant::PAST_END, grant::IDLE, grant::OLDEST_USES] {
        let plan = plan_of(&mut connection, sql).await;
        assert!(
            plan.iter().any(|step| step.contains("INDEX access_grant_live")),
            "{plan:#?}"
        );
    }
}

#[tokio::test]
async fn the_oldest_requests_make_room_without_being_sorted() {
    let (_folder, mut connection) = connection().await;
    for sql in [carried::MAKE_ROOM, carried::MAKE_ROOM_OF_SOURCE] {
        let plan = plan_of(&mut connection, sql).await;
        assert!(
            plan.iter().any(|step| step.contains("INDEX carried_request_")),
            "{plan:#?}"
        );
        assert!(plan.iter().all(|step| !step.contains("TEMP B-TREE")), "{plan:#?}");
    }
}

#[tokio::test]
async fn locks_left_behind_are_looked_for_among_the_few_that_are_locked() {
    let (_folder, mut connection) = connection().await;
    let plan = plan_of(&mut connection, account::COUNTED_OUT).await;
    assert!(plan[0].contains("INDEX account_locked"), "{plan:#?}");
}

const COMPANY: CompanyId = CompanyId(Uuid::nil());
const ACCOUNT: AccountId = AccountId(Uuid::nil());

async fn connection() -> (tempfile::TempDir, SqliteConnection) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("plans.sqlite").display());
    let store = Store::open(&url, StoreOptions::default()).await.unwrap();
    store.migrate().await.unwrap();
    (folder, SqliteConnection::connect(&url).await.unwrap())
}

#[tokio::test]
async fn the_clean_up_uses_an_index_on_sqlite() {
    let (_folder, mut connection) = connection().await;
    // However much is over: a step of the clean-up reads no more than it deletes.
    for sql in cleanup::statements() {
        let plan = plan_of(&mut connection, sql).await;
        assert!(plan.iter().all(|step| !step.contains("SCAN")), "{sql}: {plan:#?}");
    }
}

/// Everything that a list of agents may be filtered by, alone and together.
fn filters() -> Vec<AgentFilter> {
    let mut filters = Vec::new();
    for search in ["", "ann lee"] {
        for state in [None].into_iter().chain(AgentState::ALL.map(Some)) {
            for role in [None, Some(Role::Agent)] {
                for factor in [None].into_iter().chain(FactorFilter::ALL.map(Some)) {
                    for only_agents in [false, true] {
                        filters.push(AgentFilter {
                            search: search.into(),
                            state,
                            role,
                            factor,
                            only_agents,
                            ..AgentFilter::default()
                        });
                    }
                }
            }
        }
    }
    filters
}

#[tokio::test]
async fn lists_of_agents_use_an_index_on_sqlite() {
    let (_folder, mut connection) = connection().await;
    let position = Position {
        id: ACCOUNT.0,
        alias_key: "a".into(),
        name_key: "a".into(),
        email_key: "a".into(),
        last_sign_in_at: Some(Moment::UNIX_EPOCH),
        group: Group::All,
    };
    for (filter, ascending) in filters()
        .into_iter()
        .flat_map(|filter| [(filter.clone(), true), (filter, false)])
    {
        for (sort, group) in AgentSort::ALL
            .into_iter()
            .flat_map(|sort| Group::all_of(sort).iter().map(move |&group| (sort, group)))
        {
            let filter = AgentFilter {
                sort,
                ..filter.clone()
            };
            for (beyond, inclusive) in [(None, false), (Some(&position), false), (Some(&position), true)] {
                let stretch = Stretch {
                    group,
                    beyond,
                    inclusive,
                    ascending,
                    most: 51,
                };
                // A walk through the index of the order, which needs no sorting, from where the page begins.
                let plan = plan_of(
                    &mut connection,
                    &stretch_of(COMPANY, &filter, stretch, None).text(),
                )
                .await;
                let what = format!("{filter:?} {group:?} {ascending} {inclusive}: {plan:#?}");
                assert!(plan.iter().all(|step| !step.contains("SCAN")), "{what}");
                assert!(plan.iter().all(|step| !step.contains("TEMP B-TREE")), "{what}");
                let key = group.key(sort);
                let column = match key {
                    Key::Alias => "(alias_key,id)",
                    Key::Name => "name_key",
                    Key::Email => "email_key",
                    Key::LastSignIn => "(last_sign_in_at,id)",
                    Key::Id => "id",
                };
                let begins = [format!("{column}>"), format!("{column}<")];
                let jumps = begins.iter().any(|begins| plan[0].contains(begins));
                assert_eq!(jumps, beyond.is_some(), "{what}");
                // From a short list of accounts, which are found one by one.
                for source in Source::all_of(&filter) {
                    let few = stretch_of(COMPANY, &filter, stretch, Some(&source));
                    let plan = plan_of(&mut connection, &few.text()).await;
                    let what = format!("{source:?} {filter:?} {ascending}: {plan:#?}");
                    assert!(plan.iter().all(|step| !step.contains("SCAN")), "{what}");
                    assert!(plan[0].contains("(company_id=? AND id=?)"), "{what}");
                    assert!(plan.iter().any(|step| step.contains(index_of(&source))), "{what}");
                }
            }
        }
        let plan = plan_of(&mut connection, &count_of(COMPANY, &filter, 10, None).text()).await;
        let of_accounts: Vec<_> = plan.iter().filter(|step| step.contains("SCAN")).collect();
        // What was found is read once more to be counted.
        assert!(
            of_accounts.iter().all(|step| step.contains("SCAN found")),
            "{plan:#?}"
        );
        for source in Source::all_of(&filter) {
            let plan = plan_of(&mut connection, &source.first_few(COMPANY).text()).await;
            assert!(
                plan.iter().any(|step| step.contains(index_of(&source))),
                "{plan:#?}"
            );
            assert!(plan.iter().all(|step| !step.contains("SCAN")), "{plan:#?}");
        }
    }
}

fn index_of(source: &Source) -> &'static str {
    match source {
        Source::Word(_) => "(company_id=? AND word>? AND word<?)",
        Source::Role(_) => "INDEX account_role_role (company_id=? AND role=?)",
        Source::NeverSignedIn => "INDEX account_last_sign_in (company_id=? AND last_sign_in_at=?)",
        Source::Locked => "INDEX account_locked",
        Source::Inactive => "INDEX account_inactive",
        Source::Factor(FactorFilter::App) => "INDEX account_app",
        Source::Factor(FactorFilter::Email) => "INDEX account_email_factor",
        Source::Factor(FactorFilter::None) => "INDEX account_no_factor",
    }
}

/// Everything that the audit log may be filtered by, alone and together, but for the time.
fn event_filters() -> Vec<EventFilter> {
    let mut filters = Vec::new();
    for account in [None, Some(ACCOUNT)] {
        for outcome in [None].into_iter().chain(Outcome::ALL.map(Some)) {
            for actor in [None].into_iter().chain(ActorKind::ALL.map(Some)) {
                for source in [None].into_iter().chain(Place::ALL.map(Some)) {
                    filters.push(EventFilter {
                        outcome,
                        account,
                        actor,
                        source,
                        ..EventFilter::default()
                    });
                }
            }
        }
        filters.extend(
            [Event::SignedIn, Event::SsoTested, Event::EmailChangeBegan].map(|event| EventFilter {
                event: Some(event),
                account,
                ..EventFilter::default()
            }),
        );
    }
    filters
}

#[tokio::test]
async fn pages_of_events_use_an_index_on_sqlite() {
    let (_folder, mut connection) = connection().await;
    let now = Moment::UNIX_EPOCH;
    let times = [
        (None, None, None),
        (Some(now), Some(now), Some(EventId(Uuid::max()))),
    ];
    for filter in event_filters() {
        for (from, until, before) in times {
            let filter = EventFilter {
                from,
                until,
                before,
                ..filter.clone()
            };
            for statement in audit::pages(COMPANY, &filter, 50) {
                let text = statement.text();
                let plan = plan_of(&mut connection, &text).await;
                let what = format!("{filter:?}: {plan:#?}");
                // Each stretch by the index that has it in its order; what they found is few, and read once more.
                let unions = text.matches("UNION ALL").count();
                let stretches = plan.iter().filter(|step| step.contains("(company_id=?"));
                assert_eq!(stretches.count(), unions + 1, "{what}");
                let is_stretch = |step: &&String| {
                    step.contains("INDEX audit_event_doing (company_id=? AND actor=? AND event=?")
                        || filter.account.is_some() && step.contains("_id,id)<(?,?)")
                        || filter.account.is_none()
                            && step.contains("INDEX audit_event_company (company_id=? AND id>")
                };
                assert_eq!(plan.iter().filter(is_stretch).count(), unions + 1, "{what}");
                let is_scan = |step: &&String| step.contains("SCAN");
                let few = |step: &String| step.contains("SCAN part") || step.contains("SCAN newest");
                assert!(plan.iter().filter(is_scan).all(few), "{what}");
                let sorts = plan.iter().filter(|step| step.contains("TEMP B-TREE")).count();
                assert!(sorts <= if unions > 0 { unions + 2 } else { 0 }, "{what}");
            }
        }
    }
}

#[tokio::test]
async fn numbers_of_events_and_pages_of_lines_use_an_index_on_sqlite() {
    let (_folder, mut connection) = connection().await;
    let now = Moment::UNIX_EPOCH;
    let counts = overview::counts(
        COMPANY,
        &[(Event::SignedIn, now, now), (Event::CodeRefused, now, now)],
    );
    for sql in [counts.text(), overview::PROOFS.to_owned()] {
        let plan = plan_of(&mut connection, &sql).await;
        let whole = |step: &&String| step.contains("SCAN") && step.contains("audit_event");
        assert_eq!(plan.iter().find(whole), None, "{plan:#?}");
        assert!(
            plan.iter().any(|step| step.contains("INDEX audit_event_event")),
            "{plan:#?}"
        );
    }
    for idle_since in [None, Some(now)] {
        for before in [None, Some(vestibule_core::id::SessionId(Uuid::nil()))] {
            let sessions = session::of_company(COMPANY, idle_since, now, before, 50);
            let plan = plan_of(&mut connection, &sessions.text()).await;
            assert!(plan.iter().all(|step| !step.contains("SCAN")), "{plan:#?}");
            assert!(plan.iter().all(|step| !step.contains("TEMP B-TREE")), "{plan:#?}");
        }
    }
    for verdict in [None, Some("good")] {
        for without in [&[][..], &["good", "done"]] {
            let lines = import::lines(COMPANY, ImportId(Uuid::nil()), verdict, without, 0, 50);
            let plan = plan_of(&mut connection, &lines.text()).await;
            assert!(plan.iter().all(|step| !step.contains("SCAN")), "{plan:#?}");
            assert!(plan.iter().all(|step| !step.contains("TEMP B-TREE")), "{plan:#?}");
        }
    }
}

async fn plan_of(connection: &mut SqliteConnection, sql: &str) -> Vec<String> {
    let rows: Vec<(i64, i64, i64, String)> =
        sqlx::query_as(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")))
            .fetch_all(connection)
            .await
            .unwrap();
    rows.into_iter().map(|(_, _, _, detail)| detail).collect()
}
