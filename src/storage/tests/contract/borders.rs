//! Between two companies: what belongs to one does not exist for the other.

use chrono::TimeDelta;
use vestibule_core::{
    account::{Account, Person, Role, TimeFormat},
    agents::AgentFilter,
    audit::Event,
    company::{Company, CompanySettings, NewAgentMail, RequireSecondFactor, TwoFactorPolicy},
    id::CompanyId,
    link::LinkPurpose,
    name::EmailAddress,
    ports::Moment,
    session::{EndReason, Ending, Proof},
    sign_in::Pending,
    sign_in_view::Method,
    sso::{Identity, Provider},
};
use vestibule_storage::{
    AgentData, AgentPage, AppRow, BackupSet, CodeRow, Completion, EventFilter, EventRow, ImportLine,
    ImportRow, IssuedRow, LinkRow, LinkedIdentity, MailLane, MailProgress, MailServerRow, MailedCodeRow,
    NewAccount, NewImport, NewLink, NewPending, NewSession, NewSetUp, NewTrusted, Office, OutboxCounts,
    PageFrom, PasswordRecord, Reader, SessionRow, SetUpCodeRow, SetUpRow, Store, StoreError, TrustedRow,
};

use crate::fixture::{Maker, alice, at, entry, mail_server, write};

/// Everything that can be read about one company's account.
#[derive(Debug, PartialEq)]
struct Everything {
    company: Option<Company>,
    accounts: Vec<Account>,
    password: Option<PasswordRecord>,
    session: Option<SessionRow>,
    pending: Option<(Pending, Option<Completion>)>,
    codes: Vec<CodeRow>,
    mailed_codes: Vec<MailedCodeRow>,
    trusted: Vec<TrustedRow>,
    known: bool,
    mail: Option<MailProgress>,
    mail_server: Option<MailServerRow>,
    identities: Vec<LinkedIdentity>,
    outbox: OutboxCounts,
    app: Option<AppRow>,
    backup_codes: Option<BackupSet>,
    issued_code: Option<IssuedRow>,
    set_up: Option<SetUpRow>,
    link: Option<LinkRow>,
    import: Option<ImportRow>,
    import_lines: Vec<ImportLine>,
    agents: AgentPage,
    set_up_codes: Vec<SetUpCodeRow>,
    events: Vec<EventRow>,
}

struct Owned {
    account: NewAccount,
    session: NewSession,
    pending: NewPending,
    trusted: NewTrusted,
    set_up: NewSetUp,
    link: NewLink,
    import: NewImport,
    browser: [u8; 32],
}

async fn everything(reader: &mut Reader, owned: &Owned) -> Result<Everything, StoreError> {
    let (company, account) = (owned.account.company, owned.account.id);
    Ok(Everything {
        company: reader.company(company).await?,
        accounts: reader.accounts(company).await?,
        password: reader.password_of(company, account).await?,
        session: reader.session_by_token(owned.session.token_hash).await?,
        pending: reader.pending_by_token(owned.pending.token_hash).await?,
        codes: reader.codes_of_pending(company, owned.pending.id).await?,
        mailed_codes: reader.mailed_codes(company, account, at(-1)).await?,
        trusted: reader
            .trusted_of_browser(company, account, &[owned.trusted.token_hash])
            .await?,
        known: reader.knows_browser(company, account, owned.browser).await?,
        mail: reader.mail_of_pending(company, owned.pending.id).await?,
        mail_server: reader.mail_server(company).await?,
        identities: reader.identities_of(company, account).await?,
        outbox: reader.outbox_counts(company, at(-1)).await?,
        app: reader.app_of(company, account).await?,
        backup_codes: reader.backup_codes_of(company, account).await?,
        issued_code: reader.issued_code_of(company, account).await?,
        set_up: reader.set_up_of(company, account, Method::App).await?,
        link: reader.link_by_token(owned.link.token_hash).await?,
        import: reader.import(company, owned.import.id).await?,
        import_lines: reader
            .import_lines(company, owned.import.id, None, &[], 0, 10)
            .await?,
        agents: reader
            .agent_page(company, &alice_searched(), PageFrom::Start, 10)
            .await?,
        set_up_codes: reader.set_up_codes(company, owned.set_up.id).await?,
        events: reader.events(Some(company), 10).await?,
    })
}

fn identity() -> Identity {
    Identity {
        provider: Provider::Google,
        key: "https://accounts.google.com 1".into(),
        shown: "alice@gmail.test".into(),
    }
}

fn alice_searched() -> AgentFilter {
    AgentFilter {
        search: "alice".into(),
        ..AgentFilter::default()
    }
}

#[expect(clippy::too_many_lines, reason = "one table of all methods")]
pub async fn another_companys_identifiers_do_not_exist(store: &Store) {
    let maker = Maker::new();
    let account = alice(store, &maker).await;
    let owned = Owned {
        session: maker.session(&account, at(0)),
        pending: maker.pending(&account, at(0)),
        trusted: maker.trusted(&account, at(0)),
        set_up: maker.set_up(&account, Method::App, at(0)),
        link: maker.link(&account, at(0)),
        import: maker.import(&account, 3, at(0)),
        browser: maker.bytes(),
        account,
    };
    let code = maker.code(&owned.pending, at(0));
    let (hashes, issued) = (maker.hashes(), maker.issued(&owned.account, at(0)));
    let profile = Person {
        first_name: "Stolen".into(),
        last_name: String::new(),
        alias: String::new(),
        phone: String::new(),
        title: String::new(),
        time_format: TimeFormat::Hours12,
        language: None,
    };
    let data = AgentData {
        roles: vec![Role::Admin],
        active: false,
        person: Person {
            first_name: "Stolen".into(),
            last_name: String::new(),
            alias: String::new(),
            phone: String::new(),
            title: String::new(),
            time_format: TimeFormat::Hours12,
            language: None,
        },
    };
    let settings = CompanySettings {
        language: "xx".into(),
        time_zone: "UTC".into(),
        new_agent_mail: NewAgentMail::AccountDetails,
        two_factor: TwoFactorPolicy::EveryLogin,
        require_second_factor: RequireSecondFactor::Off,
        password_min: 8,
        idle_minutes: None,
        after_sign_in: None,
    };
    let alices = owned.account.email.clone();
    let stolen = EmailAddress::parse("stolen@example.test").unwrap();
    // A company of its own with an account of the same name: whatever is asked there with foreign identifiers must
    // find nothing and change nothing.
    let intruder = maker.company("Intruder");
    let own = maker.account(intruder.id, "own");
    write(store, async |writer| {
        writer.insert_company(&intruder).await?;
        writer.insert_account(&own).await?;
        writer
            .count_wrong_code(owned.account.company, owned.account.id, 5)
            .await?;
        writer.insert_session(&owned.session).await?;
        writer
            .put_session_note(
                owned.account.company,
                owned.session.id,
                "undo",
                b"sealed",
                at(900),
            )
            .await?;
        writer.insert_pending(&owned.pending).await?;
        writer.insert_code(&code).await?;
        writer
            .remember_code(code.company, code.account, code.id, &[1; 36], at(0))
            .await?;
        writer.insert_trusted(&owned.trusted).await?;
        writer
            .remember_browser(owned.account.company, owned.account.id, owned.browser, at(0))
            .await?;
        writer
            .insert_mail(&maker.mail(&owned.account, Some(&owned.pending), at(0)))
            .await?;
        writer
            .put_mail_server(&mail_server(owned.account.company), None)
            .await?;
        let (company, account) = (owned.account.company, owned.account.id);
        writer
            .set_app_secret(company, account, b"sealed", 10, at(0))
            .await?;
        writer
            .replace_backup_codes(company, account, &[1; 16], &hashes, at(0))
            .await?;
        writer.put_issued_code(&issued).await?;
        writer.begin_set_up(&owned.set_up).await?;
        writer
            .insert_set_up_code(company, owned.set_up.id, maker.code_id(at(0)), &[1; 32], at(0))
            .await?;
        writer.put_link(&owned.link).await?;
        writer.link_identity(company, account, &identity(), at(0)).await?;
        writer.insert_import(&owned.import).await?;
        let event = entry(
            Some(owned.account.company),
            vestibule_core::audit::Actor::Operator,
        );
        writer.insert_event(maker.event_id(), at(0), &event).await
    })
    .await
    .unwrap();

    let mut w = store.write().await.unwrap();
    let before = everything(&mut w, &owned).await.unwrap();
    let (c, a) = (intruder.id, owned.account.id);
    let over = Ending::now(EndReason::ByAdmin, at(1));
    let (session, pending, trusted) = (owned.session.id, owned.pending.id, owned.trusted.id);
    let set_up = owned.set_up.id;
    let (link, import) = (owned.link.id, owned.import.id);
    let of_alice = EventFilter {
        account: Some(a),
        ..EventFilter::default()
    };
    let nothing = Box::pin(async {
        let table: Vec<(&str, bool)> = vec![
            ("account", w.account(c, a).await?.is_none()),
            (
                "account_by_sign_in name",
                w.account_by_sign_in(c, "alice", "alice").await?.is_none(),
            ),
            (
                "account_by_sign_in address",
                w.account_by_sign_in(c, "alice@example.test", "alice@example.test")
                    .await?
                    .is_none(),
            ),
            ("password_of", w.password_of(c, a).await?.is_none()),
            (
                "accounts",
                w.accounts(c).await?.iter().all(|account| account.id == own.id),
            ),
            (
                "set_password",
                !w.set_password(c, a, "stolen", false, None, at(1)).await?,
            ),
            (
                "replace_password_hash",
                !w.replace_password_hash(c, a, "hash of alice", "stolen").await?,
            ),
            (
                "set_account_active",
                !w.set_account_active(c, a, false, at(1)).await?,
            ),
            (
                "set_account_language",
                !w.set_account_language(c, a, Some("xx"), at(1)).await?,
            ),
            ("set_profile", !w.set_profile(c, a, &profile, at(1)).await?),
            ("set_email_factor", !w.set_email_factor(c, a, false, at(1)).await?),
            ("app_of", w.app_of(c, a).await?.is_none()),
            (
                "set_app_secret",
                !w.set_app_secret(c, a, b"stolen", 99, at(1)).await?,
            ),
            ("clear_app_secret", !w.clear_app_secret(c, a, at(1)).await?),
            ("use_app_step", !w.use_app_step(c, a, b"sealed", 11).await?),
            ("note_hinted_step", w.note_hinted_step(c, a, 12).await.is_ok()),
            (
                "reseal_app_secret",
                !w.reseal_app_secret(c, a, b"sealed", b"stolen").await?,
            ),
            (
                "replace_backup_codes",
                !w.replace_backup_codes(c, a, &[2; 16], &[[2; 32]], at(1)).await?,
            ),
            ("backup_codes_of", w.backup_codes_of(c, a).await?.is_none()),
            ("backup_codes_left", w.backup_codes_left(c, a).await?.is_none()),
            (
                "use_backup_code",
                !w.use_backup_code(c, a, &hashes[0], at(1)).await?,
            ),
            (
                "use_backup_code own account",
                !w.use_backup_code(c, own.id, &hashes[0], at(1)).await?,
            ),
            ("delete_backup_codes", !w.delete_backup_codes(c, a).await?),
            ("issued_code_of", w.issued_code_of(c, a).await?.is_none()),
            (
                "use_issued_code",
                !w.use_issued_code(c, a, &issued.code_hash, at(1)).await?,
            ),
            ("end_issued_code", !w.end_issued_code(c, a, at(1)).await?),
            ("delete_issued_code", !w.delete_issued_code(c, a).await?),
            ("set_up_of", w.set_up_of(c, a, Method::App).await?.is_none()),
            (
                "mark_set_up_mailed",
                !w.mark_set_up_mailed(c, set_up, None, at(1), true).await?,
            ),
            (
                "replace_set_up_codes",
                w.replace_set_up_codes(c, set_up, at(1)).await.is_ok(),
            ),
            ("set_up_codes", w.set_up_codes(c, set_up).await?.is_empty()),
            ("end_set_up", !w.end_set_up(c, set_up).await?),
            ("end_set_ups_of", w.end_set_ups_of(c, a).await? == 0),
            ("note_sign_in", w.note_sign_in(c, a, at(1)).await.is_ok()),
            ("hold_account", w.hold_account(c, a).await.is_ok()),
            ("count_wrong_code", w.count_wrong_code(c, a, 5).await?.is_none()),
            ("note_last_code", w.note_last_code(c, a, at(1)).await.is_ok()),
            ("is_counted_out", !w.is_counted_out(c, a, at(9)).await?),
            ("uncount_wrong_code", w.uncount_wrong_code(c, a, 0).await.is_ok()),
            (
                "note_sign_in_by_code",
                w.note_sign_in_by_code(c, a, at(1)).await.is_ok(),
            ),
            ("lock_account", !w.lock_account(c, a, "wrong_codes", at(1)).await?),
            ("unlock_account", !w.unlock_account(c, a, at(1)).await?),
            ("sessions_of", w.sessions_of(c, a).await?.is_empty()),
            ("touch_session", w.touch_session(c, session, at(1)).await.is_ok()),
            (
                "count_wrong_password",
                w.count_wrong_password(c, session).await?.is_none(),
            ),
            ("end_session", !w.end_session(c, session, over).await?),
            (
                "prove_session",
                !w.prove_session(c, session, Some(maker.token()), Proof::Password, 9, at(1))
                    .await?,
            ),
            (
                "keep_session",
                !w.keep_session(c, session, Proof::Password, 9).await?,
            ),
            (
                "end_session_of",
                !w.end_session_of(c, a, session, over, None).await?,
            ),
            (
                "end_session_of own account",
                !w.end_session_of(c, own.id, session, over, None).await?,
            ),
            (
                "end_other_sessions",
                w.end_other_sessions(c, a, maker.session_id(), over).await? == 0,
            ),
            ("end_sessions_of", w.end_sessions_of(c, a, over, None).await? == 0),
            ("trim_sessions", w.trim_sessions(c, a, 0, at(1)).await? == 0),
            (
                "end_sessions_of_company",
                w.end_sessions_of_company(c, over).await? == 0,
            ),
            (
                "mark_mailed",
                !w.mark_mailed(c, pending, None, at(1), true).await?,
            ),
            (
                "complete_pending_by_code",
                !w.complete_pending_by_code((c, pending), code.id, session, b"hash", at(1))
                    .await?,
            ),
            (
                "complete_pending",
                !w.complete_pending(c, pending, session, b"hash", at(1)).await?,
            ),
            (
                "set_pending_method",
                !w.set_pending_method(c, pending, Method::App).await?,
            ),
            ("delete_pending", !w.delete_pending(c, pending).await?),
            ("delete_pendings_of", w.delete_pendings_of(c, a).await? == 0),
            (
                "delete_pendings_of_company",
                w.delete_pendings_of_company(c).await? == 0,
            ),
            ("count_company", w.count_company(c, at(1)).await?.sessions == 0),
            (
                "replace_codes",
                w.replace_codes(c, a, code.purpose, at(1)).await.is_ok(),
            ),
            ("mailed_codes", w.mailed_codes(c, a, at(-1)).await?.is_empty()),
            (
                "codes_to_compare",
                w.codes_to_compare((c, a), pending, at(-1)).await? == (vec![], vec![]),
            ),
            ("forget_code", w.forget_code(c, code.id).await.is_ok()),
            (
                "codes_of_pending",
                w.codes_of_pending(c, pending).await?.is_empty(),
            ),
            ("use_code", !w.use_code(c, code.id, at(1)).await?),
            (
                "code_mails_since",
                w.code_mails_since(c, a, at(-1)).await?.is_empty(),
            ),
            (
                "trusted_of_browser",
                w.trusted_of_browser(c, a, &[owned.trusted.token_hash])
                    .await?
                    .is_empty(),
            ),
            (
                "trusted_of_browser own account",
                w.trusted_of_browser(c, own.id, &[owned.trusted.token_hash])
                    .await?
                    .is_empty(),
            ),
            (
                "rotate_trusted",
                !w.rotate_trusted(c, trusted, (owned.trusted.token_hash, maker.token()), None, at(1))
                    .await?,
            ),
            ("trusted_of", w.trusted_of(c, a).await?.is_empty()),
            ("end_trusted", !w.end_trusted(c, a, trusted).await?),
            (
                "end_trusted own account",
                !w.end_trusted(c, own.id, trusted).await?,
            ),
            ("trim_trusted", w.trim_trusted(c, a, 0, at(1)).await? == 0),
            ("end_trusted_of", w.end_trusted_of(c, a).await? == 0),
            ("knows_browser", !w.knows_browser(c, a, owned.browser).await?),
            ("mail_of_pending", w.mail_of_pending(c, pending).await?.is_none()),
            ("hurry_mail", !w.hurry_mail(c, pending, at(1)).await?),
            (
                "drop_mails",
                w.drop_mails(c, a, "sign_in_code", at(1), "stolen").await.is_ok(),
            ),
            (
                "mails_since",
                w.mails_since(c, a, "sign_in_code", at(-1)).await? == 0,
            ),
            (
                "newest_mail",
                w.newest_mail(c, a, "sign_in_code").await?.is_none(),
            ),
            ("test_mails_since", w.test_mails_since(c, at(-1)).await? == 0),
            ("newest_test_mail", w.newest_test_mail(c).await?.is_none()),
            ("outbox_counts", w.outbox_counts(c, at(-1)).await?.waiting == 0),
            (
                "claim_mails",
                w.claim_mails(MailLane::Company(c), at(0), at(30), 10)
                    .await?
                    .is_empty(),
            ),
            ("sso_applications", w.sso_applications(c).await?.is_empty()),
            (
                "reseal_sso_secret",
                !w.reseal_sso_secret(c, Provider::Google, b"sealed", b"stolen")
                    .await?,
            ),
            (
                "identities_without_password",
                w.identities_without_password(c, Provider::Google)
                    .await?
                    .is_empty(),
            ),
            ("remove_password", !w.remove_password(c, a, at(1)).await?),
            ("identities_of", w.identities_of(c, a).await?.is_empty()),
            (
                "unlink_identity",
                !w.unlink_identity(c, a, Provider::Google).await?,
            ),
            ("mail_server", w.mail_server(c).await?.is_none()),
            ("delete_mail_server", !w.delete_mail_server(c, 5).await?),
            (
                "reseal_mail_password",
                !w.reseal_mail_password(c, b"sealed", b"stolen").await?,
            ),
            ("events", w.events(Some(c), 10).await?.is_empty()),
            (
                "set_company_enabled",
                w.set_company_enabled(c, false, at(1)).await?,
            ),
            (
                "agent_page",
                w.agent_page(c, &alice_searched(), PageFrom::Start, 10)
                    .await?
                    .accounts
                    .is_empty(),
            ),
            (
                "agent_page after a foreign account",
                w.agent_page(c, &AgentFilter::default(), PageFrom::After(a), 10)
                    .await?
                    .accounts
                    .iter()
                    .all(|account| account.id == own.id),
            ),
            ("count_agents", w.count_agents(c).await?.all == 1),
            (
                "count_found",
                w.count_found(c, &alice_searched(), 10).await? == 0
                    && w.count_found(c, &AgentFilter::default(), 10).await? == 1,
            ),
            (
                "session_note",
                w.session_note(c, session, "undo", at(0)).await?.is_none(),
            ),
            (
                "drop_session_note",
                !w.drop_session_note(c, session, "undo").await?,
            ),
            (
                "count_active_admins",
                w.count_active_admins(c, Some(own.id)).await? == 0,
            ),
            (
                "active_admins",
                w.active_admins(c)
                    .await?
                    .iter()
                    .all(|account| account.id == own.id),
            ),
            ("email_is_taken", !w.email_is_taken(c, &alices, None).await?),
            (
                "accounts_after",
                w.accounts_after(c, None, 10)
                    .await?
                    .iter()
                    .all(|account| account.id == own.id),
            ),
            ("set_agent", !w.set_agent(c, a, 1, &data, at(1)).await?),
            (
                "set_pending_email",
                !w.set_pending_email(c, a, Some(&stolen), at(1)).await?,
            ),
            ("put_email", !w.put_email(c, a, &stolen, at(1)).await?),
            ("delete_account", !w.delete_account(c, a).await?),
            ("hold_company", w.hold_company(c).await?),
            ("hold_accounts_of", w.hold_accounts_of(c).await.is_ok()),
            ("link_of", w.link_of(c, a, owned.link.purpose).await?.is_none()),
            ("use_link", !w.use_link(c, link).await?),
            (
                "end_links_of",
                w.end_links_of(c, a, &LinkPurpose::ALL).await.is_ok(),
            ),
            ("import", w.import(c, import).await?.is_none()),
            ("import_verdicts", w.import_verdicts(c, import).await?.is_empty()),
            (
                "import_lines",
                w.import_lines(c, import, None, &[], 0, 10).await?.is_empty(),
            ),
            ("start_import", !w.start_import(c, import, at(1), at(1)).await?),
            ("stop_import", w.stop_import(c, import, at(1)).await.is_ok()),
            (
                "settle_import_line",
                w.settle_import_line(c, import, 1, "stolen", at(1)).await.is_ok(),
            ),
            ("finish_import", w.finish_import(c, import, at(1)).await.is_ok()),
            ("count_signed_in", w.count_signed_in(c, None, at(1)).await? == 0),
            ("count_pending", w.count_pending(c, at(1)).await? == 0),
            (
                "waiting_for_code",
                w.waiting_for_code(c, at(1), 9).await?.is_empty(),
            ),
            ("count_identities", w.count_identities(c).await?.is_empty()),
            ("proofs_of", w.proofs_of(c, at(-1), at(1), 9).await?.is_empty()),
            (
                "counts_of_events",
                w.counts_of_events(c, &Event::ALL.map(|event| (event, at(-1), at(1))))
                    .await?
                    .iter()
                    .all(|count| *count == 0),
            ),
            (
                "sessions_of_company",
                w.sessions_of_company(c, None, at(1), None, 9).await?.is_empty(),
            ),
            (
                "account_of_session",
                w.account_of_session(c, session).await?.is_none(),
            ),
            (
                "count_events",
                w.count_events(c, &Event::ALL, at(-1), at(1)).await? == 0,
            ),
            (
                "event_page",
                w.event_page(c, &of_alice, 10).await?.events.is_empty(),
            ),
            ("set_company", w.set_company(c, 2, &settings, at(1)).await?),
            ("delete_company", w.delete_company(c).await?),
        ];
        Ok::<_, StoreError>(table)
    })
    .await
    .unwrap();
    let again = w.set_company(c, 3, &settings, at(1)).await;
    assert_eq!(again, Ok(false), "it is gone");
    for (method, as_if_it_did_not_exist) in nothing {
        assert!(as_if_it_did_not_exist, "{method}");
    }
    assert_eq!(everything(&mut w, &owned).await.unwrap(), before);
}

#[expect(clippy::too_many_lines, reason = "one table of all methods")]
pub async fn nothing_is_attached_to_another_companys_account(store: &Store) {
    let maker = Maker::new();
    let account = alice(store, &maker).await;
    let pending = maker.pending(&account, at(0));
    let intruder = maker.company("Intruder");
    let own = maker.account(intruder.id, "own");
    write(store, async |writer| {
        writer.insert_pending(&pending).await?;
        writer.insert_company(&intruder).await?;
        writer.insert_account(&own).await
    })
    .await
    .unwrap();
    let foreign = NewAccount {
        company: intruder.id,
        ..account.clone()
    };
    let own_pending = maker.pending(&own, at(0));
    let foreign_code = vestibule_storage::NewCode {
        pending: Some(pending.id),
        ..maker.code(&own_pending, at(0))
    };
    let session = maker.session(&account, at(0));
    write(store, async |w| w.insert_session(&session).await)
        .await
        .unwrap();
    let attempts = [
        (
            "put_session_note",
            write(store, async |w| {
                w.put_session_note(foreign.company, session.id, "undo", b"sealed", at(900))
                    .await
            })
            .await,
        ),
        (
            "insert_session",
            write(store, async |w| {
                w.insert_session(&maker.session(&foreign, at(0))).await
            })
            .await,
        ),
        (
            "insert_pending",
            write(store, async |w| {
                w.insert_pending(&maker.pending(&foreign, at(0))).await
            })
            .await,
        ),
        (
            "insert_code",
            write(store, async |w| w.insert_code(&foreign_code).await).await,
        ),
        (
            "remember_code",
            write(store, async |w| {
                w.remember_code(foreign.company, foreign.id, foreign_code.id, &[1; 36], at(0))
                    .await
            })
            .await,
        ),
        (
            "insert_trusted",
            write(store, async |w| {
                w.insert_trusted(&maker.trusted(&foreign, at(0))).await
            })
            .await,
        ),
        (
            "insert_mail",
            write(store, async |w| {
                w.insert_mail(&maker.mail(&foreign, None, at(0))).await
            })
            .await,
        ),
        (
            "remember_browser",
            write(store, async |w| {
                w.remember_browser(intruder.id, account.id, [1; 32], at(0)).await
            })
            .await,
        ),
        (
            "insert_account with an identifier in use",
            write(store, async |w| {
                w.insert_account(&NewAccount {
                    id: account.id,
                    ..maker.account(intruder.id, "twin")
                })
                .await
            })
            .await,
        ),
        (
            "insert_account in a company that does not exist",
            write(store, async |w| {
                w.insert_account(&maker.account(maker.company("Nowhere").id, "lost"))
                    .await
            })
            .await,
        ),
    ];
    for (method, refused) in attempts {
        assert!(
            matches!(refused, Err(StoreError::Other(_))),
            "{method}: {refused:?}"
        );
    }
}

pub async fn no_second_factor_is_attached_to_another_companys_account(store: &Store) {
    let maker = Maker::new();
    let account = alice(store, &maker).await;
    let set_up = maker.set_up(&account, Method::Email, at(0));
    let intruder = maker.company("Intruder");
    write(store, async |writer| {
        writer.begin_set_up(&set_up).await?;
        writer.insert_company(&intruder).await
    })
    .await
    .unwrap();
    let foreign = NewAccount {
        company: intruder.id,
        ..account
    };
    let attempts = [
        (
            "put_issued_code",
            write(store, async |w| {
                w.put_issued_code(&maker.issued(&foreign, at(0))).await
            })
            .await,
        ),
        (
            "begin_set_up",
            write(store, async |w| {
                w.begin_set_up(&maker.set_up(&foreign, Method::Email, at(0)))
                    .await
            })
            .await,
        ),
        (
            "put_link",
            write(store, async |w| w.put_link(&maker.link(&foreign, at(0))).await).await,
        ),
        (
            "link_identity",
            write(store, async |w| {
                w.link_identity(foreign.company, foreign.id, &identity(), at(0))
                    .await
                    .map(drop)
            })
            .await,
        ),
        (
            "insert_import",
            write(store, async |w| {
                w.insert_import(&maker.import(&foreign, 1, at(0))).await
            })
            .await,
        ),
        (
            "insert_set_up_code",
            write(store, async |w| {
                let id = maker.code_id(at(0));
                w.insert_set_up_code(intruder.id, set_up.id, id, &[1; 32], at(0))
                    .await
            })
            .await,
        ),
    ];
    for (method, refused) in attempts {
        assert!(
            matches!(refused, Err(StoreError::Other(_))),
            "{method}: {refused:?}"
        );
    }
}

fn office(network: &str, name: &str) -> Office {
    Office {
        network: network.to_owned(),
        name: name.to_owned(),
    }
}

pub async fn a_company_names_its_offices(store: &Store) {
    let maker = Maker::new();
    let (acme, beta) = (maker.company("Acme"), maker.company("Beta"));
    write(store, async |writer| {
        writer.insert_company(&acme).await?;
        writer.insert_company(&beta).await?;
        writer
            .replace_offices(
                acme.id,
                &[
                    office("192.0.2.0/28", "Berlin"),
                    office("2001:db8::/48", "Aachen"),
                ],
            )
            .await?;
        writer
            .replace_offices(beta.id, &[office("192.0.2.0/28", "Bonn")])
            .await
    })
    .await
    .unwrap();
    let mut reader = store.read().await.unwrap();
    let of_acme = [
        office("2001:db8::/48", "Aachen"),
        office("192.0.2.0/28", "Berlin"),
    ];
    assert_eq!(reader.offices_of(acme.id).await.unwrap(), of_acme);
    drop(reader);
    write(store, async |writer| {
        writer
            .replace_offices(acme.id, &[office("198.51.100.7/32", "Cottbus")])
            .await
    })
    .await
    .unwrap();
    let mut reader = store.read().await.unwrap();
    assert_eq!(
        reader.offices_of(acme.id).await.unwrap(),
        [office("198.51.100.7/32", "Cottbus")]
    );
    assert_eq!(
        reader.offices_of(beta.id).await.unwrap(),
        [office("192.0.2.0/28", "Bonn")]
    );
}

pub async fn a_source_earns_with_each_account_of_a_company_once(store: &Store) {
    let maker = Maker::new();
    let (acme, beta) = (maker.company("Acme").id, maker.company("Beta").id);
    let day = |n: i64| at(n * 86_400);
    let subject = |company: CompanyId, account: u8| {
        let mut subject = [account; 32];
        subject[..16].copy_from_slice(company.0.as_bytes());
        subject
    };
    let earned = async |since: Moment| {
        let mut reader = store.read().await.unwrap();
        reader
            .accounts_right_at_source("192.0.2.1", acme, since)
            .await
            .unwrap()
    };
    write(store, async |writer| {
        for (source, subject, moment) in [
            ("192.0.2.1", subject(acme, 0), day(0)),
            ("192.0.2.1", subject(acme, 0), day(0) + TimeDelta::hours(23)),
            ("192.0.2.1", subject(acme, 255), day(5)),
            ("192.0.2.1", subject(beta, 1), day(5)),
            ("192.0.2.2", subject(acme, 3), day(5)),
        ] {
            writer.note_right_at_source(source, &subject, moment).await?;
        }
        Ok(())
    })
    .await
    .unwrap();
    assert_eq!(earned(at(-1)).await, 2);
    assert_eq!(earned(day(0)).await, 1, "written once a day");
    write(store, async |writer| {
        writer
            .note_right_at_source("192.0.2.1", &subject(acme, 0), day(2))
            .await
    })
    .await
    .unwrap();
    assert_eq!(earned(day(1)).await, 2);
}
