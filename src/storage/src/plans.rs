//! What every request asks for must be found by an index: nothing here may read a whole table.

use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use crate::{
    Store, StoreOptions, account, audit, authenticator, backup_code, code, company, outbox, pending, session,
    set_up, trusted,
};

#[tokio::test]
async fn look_ups_use_an_index_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("plans.sqlite").display());
    let store = Store::open(&url, StoreOptions::default()).await.unwrap();
    store.migrate().await.unwrap();
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    for (what, sql) in [
        ("session of a cookie", session::BY_TOKEN),
        ("sessions of an account", session::OF_ACCOUNT),
        ("company at sign-in", company::BY_KEY),
        ("account at sign-in", account::BY_SIGN_IN),
        ("pending sign-in of a cookie", pending::BY_TOKEN),
        ("codes of a pending sign-in", code::OF_PENDING),
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
    ] {
        let plan = plan_of(&mut connection, sql).await;
        assert!(!plan.is_empty(), "{what}");
        assert!(
            plan.iter().all(|step| !step.contains("SCAN")),
            "{what}: {plan:#?}"
        );
    }
    // Not all accounts of the company: the name and the address each by their own index.
    let sign_in = plan_of(&mut connection, account::BY_SIGN_IN).await.join("\n");
    assert!(
        sign_in.contains("name_key=?") && sign_in.contains("email_key=?"),
        "{sign_in}"
    );
    // The claim reads the small index of waiting mails in the order it wants, which SQLite calls a scan too.
    for sql in [outbox::CLAIM_SQLITE, outbox::DUE] {
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

async fn plan_of(connection: &mut SqliteConnection, sql: &str) -> Vec<String> {
    let rows: Vec<(i64, i64, i64, String)> =
        sqlx::query_as(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")))
            .fetch_all(connection)
            .await
            .unwrap();
    rows.into_iter().map(|(_, _, _, detail)| detail).collect()
}
