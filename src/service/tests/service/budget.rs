//! What each use case asks of the database. With one that is five milliseconds away, every statement costs five.

use vestibule_core::secret::Token;
use vestibule_service::Visitor;
use vestibule_storage::Traffic;

use crate::site::{self, Site, on_both};

/// What may be asked: statements on SQLite and on PostgreSQL, those that begin and end transactions included, and commits.
///
/// On PostgreSQL holding an account is a statement; on SQLite, where a statement costs no trip, one that stands alone is a
/// transaction.
const BUDGETS: [(&str, u64, u64, u64); 9] = [
    ("password only, in a browser that the account knows", 9, 8, 2),
    (
        "password only, in a new browser at a new address, with a notice by mail",
        9,
        8,
        2,
    ),
    ("wrong password", 8, 4, 2),
    ("wrong password for an account that does not exist", 8, 4, 2),
    ("password, a code is mailed", 10, 9, 2),
    ("code page", 2, 2, 0),
    ("wrong code", 8, 4, 2),
    ("right code, in a browser that the account knows", 10, 9, 2),
    ("a page of somebody who is signed in", 1, 1, 0),
];

/// Compares what was asked since `before` with its budget.
fn check(site: &Site, before: Traffic, what: &str) {
    let after = site.store.traffic();
    let asked = (
        after.statements - before.statements,
        after.commits - before.commits,
    );
    let (_, sqlite, postgres, commits) = BUDGETS.into_iter().find(|(of, ..)| *of == what).unwrap();
    let on_postgres = format!("{:?}", **site.store).contains("PostgreSQL");
    let most = (if on_postgres { postgres } else { sqlite }, commits);
    assert_eq!(asked, most, "{what}: a smaller number is welcome, in the table");
}

/// The browser with this number.
fn browser() -> Visitor {
    Visitor {
        browser_token: Some(Token::from_bytes([5; 32])),
        ..site::visitor()
    }
}

on_both! {
    async fn a_sign_in_asks_no_more_than_its_budget(site: Site) {
        site.company("Acme", 0).await;
        site.account("Acme", "bob", false).await;
        site.account("Acme", "alice", true).await;

        let before = site.store.traffic();
        site.signed_in("Acme", "bob", &browser()).await;
        check(&site, before, "password only, in a new browser at a new address, with a notice by mail");

        let before = site.store.traffic();
        let granted = site.signed_in("Acme", "bob", &browser()).await;
        check(&site, before, "password only, in a browser that the account knows");

        let visitor = Visitor { session: Some(granted.session), ..browser() };
        let before = site.store.traffic();
        site.service.sign_in().signed_in(&visitor).await.unwrap();
        check(&site, before, "a page of somebody who is signed in");

        for (account, what) in [
            ("bob", "wrong password"),
            ("nobody", "wrong password for an account that does not exist"),
        ] {
            let before = site.store.traffic();
            site.try_password("Acme", account, "not the password", &site::visitor()).await.err().unwrap();
            check(&site, before, what);
        }

        // The first time, its browser and its source are written down.
        let (visitor, code) = site.at_code_page("Acme", "alice").await;
        site.verify(&code, &Visitor { pending: visitor.pending, ..browser() }).await.unwrap();
        site.clock.advance(3600);

        let before = site.store.traffic();
        let pending = site.past_password("Acme", "alice").await.pending;
        check(&site, before, "password, a code is mailed");

        let visitor = Visitor { pending, ..browser() };
        let before = site.store.traffic();
        site.service.sign_in().open_sign_in(&visitor).await.unwrap();
        check(&site, before, "code page");

        let code = site.code_for("alice").await;
        let before = site.store.traffic();
        site.verify(&site::other_code(&code), &visitor).await.err().unwrap();
        check(&site, before, "wrong code");

        let before = site.store.traffic();
        site.verify(&code, &visitor).await.unwrap();
        check(&site, before, "right code, in a browser that the account knows");
    }
}
