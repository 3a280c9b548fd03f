//! What applications got from sign-ins, and what ends it.

use std::time::Duration;

use chrono::TimeDelta;
use vestibule_core::{
    id::{GrantId, IssuedTokenId, SigningKeyId},
    oidc::{
        application::{Application, Signing},
        token::Challenge,
    },
    secret::TokenHash,
    session::Proof,
};
use vestibule_storage::{
    NewAccessToken, NewAccount, NewGrant, NewSession, SessionOfApplications, SigningKeyRow, Store,
    test_support::TestStore,
};

use crate::session::by_admin;
use crate::{
    application::application,
    fixture::{Maker, alice, at, count, day, raw, winners_of_twenty, write},
};

/// Somebody who is signed in and went on to an application.
struct Gone {
    maker: Maker,
    account: NewAccount,
    session: NewSession,
    application: Application,
    grant: NewGrant,
}

fn grant(maker: &Maker, account: &NewAccount, session: &NewSession, application: &Application) -> NewGrant {
    NewGrant {
        id: GrantId(maker.uuid()),
        company: account.company,
        application: application.id,
        account: account.id,
        subject: account.public_id,
        session: session.id,
        scopes: "openid email".into(),
        nonce: Some("n".into()),
        proof: Proof::EmailCode,
        proved_at: at(1),
        code_hash: maker.token(),
        redirect_uri: "https://a.test/callback".into(),
        challenge: Some(Challenge(maker.bytes())),
        created_at: at(2),
        expires_at: session.ends_at,
    }
}

async fn gone(store: &Store) -> Gone {
    let maker = Maker::new();
    let account = alice(store, &maker).await;
    let session = maker.session(&account, at(0));
    let application = application(&maker, Some(account.company), "Wallboard");
    let grant = grant(&maker, &account, &session, &application);
    write(store, async |writer| {
        writer.insert_session(&session).await?;
        writer.insert_application(&application).await?;
        writer.insert_grant(&grant).await
    })
    .await
    .unwrap();
    Gone {
        maker,
        account,
        session,
        application,
        grant,
    }
}

/// What tells how the session comes to its end.
fn of_applications(gone: &Gone) -> SessionOfApplications {
    SessionOfApplications {
        company: gone.account.company,
        id: gone.session.id,
        created_at: at(0),
        last_used_at: at(0),
        ends_at: gone.session.ends_at,
    }
}

fn access_token(gone: &Gone) -> NewAccessToken {
    NewAccessToken {
        id: IssuedTokenId(gone.maker.uuid()),
        grant: gone.grant.id,
        hash: gone.maker.token(),
        scopes: "openid".into(),
        created_at: at(3),
        expires_at: at(303),
    }
}

async fn untold(store: &Store, seconds: i64) -> usize {
    let mut reader = store.read().await.unwrap();
    reader.logout_notices(at(seconds), 10).await.unwrap().len()
}

pub async fn a_grant_is_read_with_the_session_that_it_came_of(store: &Store) {
    let gone = gone(store).await;
    let (access, refresh) = (access_token(&gone), gone.maker.token());
    write(store, async |writer| {
        writer.insert_access_token(&access).await?;
        writer.insert_access_token(&access).await?;
        let id = IssuedTokenId(gone.maker.uuid());
        writer
            .insert_refresh_token(id, gone.grant.id, refresh, at(3))
            .await
    })
    .await
    .unwrap();
    let mut reader = store.read().await.unwrap();
    let by_code = reader.grant_by_code(gone.grant.code_hash).await.unwrap().unwrap();
    assert_eq!(by_code.id, gone.grant.id);
    assert_eq!(by_code.application, gone.application.id);
    assert_eq!(
        (by_code.scopes.as_str(), by_code.nonce.as_deref()),
        ("openid email", Some("n"))
    );
    assert_eq!((by_code.proof, by_code.proved_at), (Proof::EmailCode, at(1)));
    assert_eq!(by_code.challenge, gone.grant.challenge);
    assert_eq!((by_code.code_used_at, by_code.is_over), (None, false));
    assert_eq!(by_code.session.id, gone.session.id);
    assert_eq!(by_code.session.account.public_id, gone.account.public_id);
    let by_access = reader.access_token(access.hash).await.unwrap().unwrap();
    assert_eq!(
        (by_access.scopes.as_str(), by_access.expires_at),
        ("openid", at(303))
    );
    assert_eq!(by_access.application, gone.application);
    assert_eq!(by_access.grant.id, gone.grant.id);
    let by_refresh = reader.refresh_token(refresh).await.unwrap().unwrap();
    assert_eq!((by_refresh.used_at, by_refresh.grant.id), (None, gone.grant.id));
    for nothing in [gone.maker.token(), TokenHash([0; 32])] {
        assert!(reader.grant_by_code(nothing).await.unwrap().is_none());
        assert!(reader.access_token(nothing).await.unwrap().is_none());
        assert!(reader.refresh_token(nothing).await.unwrap().is_none());
    }
    drop(reader);
    write(store, async |writer| {
        writer.delete_access_token(access.hash).await
    })
    .await
    .unwrap();
    assert!(
        store
            .read()
            .await
            .unwrap()
            .access_token(access.hash)
            .await
            .unwrap()
            .is_none()
    );
}

pub async fn a_code_and_a_refresh_token_have_one_winner(store: &Store) {
    let gone = gone(store).await;
    let refresh = gone.maker.token();
    write(store, async |writer| {
        let id = IssuedTokenId(gone.maker.uuid());
        writer
            .insert_refresh_token(id, gone.grant.id, refresh, at(3))
            .await
    })
    .await
    .unwrap();
    let codes = winners_of_twenty(store, async |w| {
        w.use_authorization_code(gone.grant.id, at(4)).await
    });
    assert_eq!(codes.await, 1);
    let tokens = winners_of_twenty(store, async |w| w.use_refresh_token(refresh, at(5)).await);
    assert_eq!(tokens.await, 1);
    let mut reader = store.read().await.unwrap();
    let used = reader.refresh_token(refresh).await.unwrap().unwrap();
    assert_eq!(
        (used.used_at, used.grant.code_used_at),
        (Some(at(5)), Some(at(4)))
    );
}

/// However a session ends, the application is told, and nothing it has is worth anything.
pub async fn a_session_that_ends_ends_what_came_of_it(store: &TestStore) {
    for (what, end) in [
        ("session", "DELETE FROM session"),
        ("account", "DELETE FROM account"),
    ] {
        raw(store, "DELETE FROM company").await;
        let gone = gone(store).await;
        write(store, async |writer| {
            assert!(writer.use_authorization_code(gone.grant.id, at(4)).await?);
            Ok(())
        })
        .await
        .unwrap();
        assert_eq!(untold(store, 5).await, 0, "{what}");
        raw(store, end).await;
        let mut reader = store.read().await.unwrap();
        assert!(
            reader
                .grant_by_code(gone.grant.code_hash)
                .await
                .unwrap()
                .is_none()
        );
        let notices = reader.logout_notices(at(5), 10).await.unwrap();
        assert_eq!(notices.len(), 1, "{what}");
        assert_eq!(notices[0].session, gone.session.id);
        assert_eq!(notices[0].subject, gone.account.public_id);
        assert_eq!(notices[0].application, gone.application);
    }
}

pub async fn a_lock_and_a_new_password_end_what_came_of_the_old_one(store: &Store) {
    for lock in [true, false] {
        let gone = gone_again(store, lock).await;
        let (company, id) = (gone.account.company, gone.account.id);
        write(store, async |writer| {
            assert!(writer.use_authorization_code(gone.grant.id, at(4)).await?);
            if lock {
                assert!(writer.lock_account(company, id, "wrong_codes", at(9)).await?);
            } else {
                assert!(
                    writer
                        .set_password(company, id, "hash", false, None, at(9))
                        .await?
                );
            }
            let found = writer.grant_by_code(gone.grant.code_hash).await?.unwrap();
            assert!(found.is_over, "lock: {lock}");
            assert!(!writer.use_authorization_code(gone.grant.id, at(9)).await?);
            Ok(())
        })
        .await
        .unwrap();
        assert!(untold(store, 10).await > 0, "lock: {lock}");
    }
}

/// The same with an account of another name for each.
async fn gone_again(store: &Store, first: bool) -> Gone {
    if first {
        return gone(store).await;
    }
    let maker = Maker::seeded(8);
    let company = maker.company("Second");
    let account = maker.account(company.id, "second");
    let session = maker.session(&account, at(0));
    let application = application(&maker, None, "Dialler");
    let grant = grant(&maker, &account, &session, &application);
    write(store, async |writer| {
        writer.insert_company(&company).await?;
        writer.insert_account(&account).await?;
        writer.insert_session(&session).await?;
        writer.insert_application(&application).await?;
        writer.insert_grant(&grant).await
    })
    .await
    .unwrap();
    Gone {
        maker,
        account,
        session,
        application,
        grant,
    }
}

pub async fn an_application_is_told_by_one_server_and_once(store: &Store) {
    let gone = gone(store).await;
    let second = grant(&gone.maker, &gone.account, &gone.session, &gone.application);
    write(store, async |writer| {
        writer.insert_grant(&second).await?;
        for used in [gone.grant.id, second.id] {
            assert!(writer.use_authorization_code(used, at(4)).await?);
        }
        writer
            .end_session(gone.account.company, gone.session.id, by_admin())
            .await
    })
    .await
    .unwrap();
    let notices = store
        .read()
        .await
        .unwrap()
        .logout_notices(at(5), 10)
        .await
        .unwrap();
    assert_eq!(notices.len(), 2);
    let notice = &notices[0];
    let claimed = winners_of_twenty(store, async |w| {
        w.claim_logout_notice(notice, at(5), at(35)).await
    });
    assert_eq!(claimed.await, 1, "both grants of the session are one notice");
    assert_eq!(untold(store, 34).await, 0);
    assert_eq!(untold(store, 35).await, 2);
    write(store, async |writer| {
        writer.put_logout_notice_off(notice, at(50)).await
    })
    .await
    .unwrap();
    assert_eq!(untold(store, 49).await, 0);
    let again = store
        .read()
        .await
        .unwrap()
        .logout_notices(at(50), 10)
        .await
        .unwrap();
    assert_eq!((again[0].since, again[0].tries), (Some(at(5)), 1));
    write(store, async |writer| writer.finish_logout_notice(notice).await)
        .await
        .unwrap();
    assert_eq!(untold(store, 5000).await, 0);
}

/// However many one application is to be told, the next one is told after its first.
pub async fn applications_are_told_in_turn(store: &Store) {
    let gone = gone(store).await;
    let company = gone.account.company;
    let others = [
        application(&gone.maker, Some(company), "Dialler"),
        application(&gone.maker, None, "CRM"),
    ];
    write(store, async |writer| {
        let mut given = vec![gone.grant.clone()];
        for application in [&gone.application, &gone.application, &others[0], &others[1]] {
            given.push(grant(&gone.maker, &gone.account, &gone.session, application));
        }
        for other in &others {
            writer.insert_application(other).await?;
        }
        for new in &given {
            if new.id != gone.grant.id {
                writer.insert_grant(new).await?;
            }
            assert!(writer.use_authorization_code(new.id, at(4)).await?);
        }
        writer.end_session(company, gone.session.id, by_admin()).await
    })
    .await
    .unwrap();
    let mut reader = store.read().await.unwrap();
    let first = reader.logout_notices(at(5), 3).await.unwrap();
    let told = |name: &str| {
        let of_name = first
            .iter()
            .filter(|notice| notice.application.settings.name == name);
        of_name.count()
    };
    assert_eq!((told("Wallboard"), told("Dialler"), told("CRM")), (1, 1, 1));
    assert_eq!(reader.logout_notices(at(5), 10).await.unwrap().len(), 5);
}

/// Whoever shows a copy of a token ends it for everybody, but must not keep the end of the session from the application.
pub async fn what_ends_before_its_session_is_told_with_it(store: &TestStore) {
    for lock in [true, false] {
        let gone = gone_again(store, lock).await;
        let named = async || {
            let mut reader = store.read().await.unwrap();
            reader.applications_not_told(gone.session.id).await.unwrap()
        };
        assert!(named().await.is_empty(), "nothing was got");
        raw(store, "UPDATE application SET back_channel_uri = NULL").await;
        write(store, async |writer| {
            assert!(writer.use_authorization_code(gone.grant.id, at(4)).await?);
            assert!(writer.end_grant(gone.grant.id).await?);
            assert!(!writer.end_grant(gone.grant.id).await?, "once");
            let found = writer.grant_by_code(gone.grant.code_hash).await?.unwrap();
            assert!(found.is_over);
            Ok(())
        })
        .await
        .unwrap();
        let own = gone.application.settings.name.clone();
        assert_eq!(named().await, [own], "it may have a session of its own");
        assert_eq!(untold(store, 10).await, 0, "the session goes on");
        if lock {
            let (company, id) = (gone.account.company, gone.account.id);
            write(store, async |writer| {
                writer.lock_account(company, id, "wrong_codes", at(9)).await
            })
            .await
            .unwrap();
        } else {
            raw(store, "DELETE FROM session").await;
        }
        assert_eq!(untold(store, 10).await, 1, "lock: {lock}");
        raw(store, "DELETE FROM access_grant").await;
    }
}

/// Also when nobody has deleted the session yet.
pub async fn what_ended_early_is_told_at_the_end_of_its_session_at_the_latest(store: &Store) {
    let gone = gone(store).await;
    write(store, async |writer| {
        assert!(writer.use_authorization_code(gone.grant.id, at(4)).await?);
        writer.end_grant(gone.grant.id).await
    })
    .await
    .unwrap();
    let end = gone.session.ends_at;
    let due = async |now| {
        let mut reader = store.read().await.unwrap();
        reader.logout_notices(now, 10).await.unwrap().len()
    };
    assert_eq!(due(end - TimeDelta::seconds(1)).await, 0);
    assert_eq!(due(end).await, 1);
}

pub async fn an_idle_session_is_found_as_long_as_something_came_of_it(store: &Store) {
    let gone = gone(store).await;
    let company = store
        .read()
        .await
        .unwrap()
        .company(gone.account.company)
        .await
        .unwrap()
        .unwrap();
    let minutes = company.settings.idle_minutes.unwrap();
    let found = async |until| {
        let mut reader = store.read().await.unwrap();
        let idle = reader.idle_sessions_of_applications(minutes, at(until), at(1), 10);
        idle.await.unwrap()
    };
    let oldest = async |now| {
        let mut reader = store.read().await.unwrap();
        reader.oldest_uses_of_applications(now).await.unwrap()
    };
    let session = of_applications(&gone);
    assert_eq!(oldest(at(1)).await, [(minutes, at(0))]);
    assert_eq!(oldest(gone.session.ends_at).await, [], "it is over anyway");
    let mut reader = store.read().await.unwrap();
    let others = reader.idle_sessions_of_applications(minutes + 1, at(0), at(1), 10);
    assert_eq!(others.await.unwrap(), []);
    drop(reader);
    assert!(found(-1).await.is_empty());
    assert_eq!(found(0).await, [session]);
    write(store, async |writer| writer.end_grant(gone.grant.id).await)
        .await
        .unwrap();
    assert_eq!(found(0).await, [session], "it has to be told of its end");
    write(store, async |writer| {
        let (company, id) = (gone.account.company, gone.account.id);
        writer.lock_account(company, id, "wrong_codes", at(9)).await
    })
    .await
    .unwrap();
    assert!(found(0).await.is_empty(), "it is told already");
    assert_eq!(oldest(at(1)).await, []);
}

pub async fn an_old_session_is_found_as_long_as_something_came_of_it(store: &TestStore) {
    let gone = gone(store).await;
    let (session, end) = (of_applications(&gone), gone.session.ends_at);
    let found = async |now| {
        let mut reader = store.read().await.unwrap();
        reader.old_sessions_of_applications(now, 10).await.unwrap()
    };
    assert!(found(end - TimeDelta::seconds(1)).await.is_empty());
    assert_eq!(found(end).await, [session]);
    write(store, async |writer| writer.end_grant(gone.grant.id).await)
        .await
        .unwrap();
    assert_eq!(found(end).await, [session], "it has to be told of its end");
    raw(store, "DELETE FROM session").await;
    assert!(found(end).await.is_empty(), "it is told already");
}

pub async fn what_applications_got_goes_when_it_is_over(store: &TestStore) {
    let gone = gone(store).await;
    let access = access_token(&gone);
    write(store, async |writer| {
        assert!(writer.use_authorization_code(gone.grant.id, at(3)).await?);
        writer.insert_access_token(&access).await
    })
    .await
    .unwrap();
    store.delete_expired(at(303), Duration::ZERO).await.unwrap();
    assert_eq!(count(store, "SELECT count(*) FROM access_token").await, 0);
    assert_eq!(count(store, "SELECT count(*) FROM access_grant").await, 1);
    store.delete_expired(day(1), Duration::ZERO).await.unwrap();
    assert_eq!(
        count(store, "SELECT count(*) FROM access_grant").await,
        1,
        "it may have to be told"
    );
    store.delete_expired(day(2), Duration::ZERO).await.unwrap();
    assert_eq!(count(store, "SELECT count(*) FROM access_grant").await, 0);
}

pub async fn a_code_that_nobody_used_goes_soon(store: &TestStore) {
    let gone = gone(store).await;
    let used = grant(&gone.maker, &gone.account, &gone.session, &gone.application);
    write(store, async |writer| {
        writer.insert_grant(&used).await?;
        writer.use_authorization_code(used.id, at(4)).await
    })
    .await
    .unwrap();
    // Both were given at 2.
    for (seconds, expected) in [(301, 2), (302, 1), (9000, 1)] {
        store.delete_expired(at(seconds), Duration::ZERO).await.unwrap();
        let left = count(store, "SELECT count(*) FROM access_grant").await;
        assert_eq!(left, expected, "{seconds}");
    }
    let mut reader = store.read().await.unwrap();
    assert!(reader.grant_by_code(used.code_hash).await.unwrap().is_some());
}

fn key(maker: &Maker, algorithm: Signing, begins: bool) -> SigningKeyRow {
    SigningKeyRow {
        id: SigningKeyId(maker.uuid()),
        algorithm,
        sealed: maker.bytes().to_vec(),
        created_at: at(0),
        begins_at: begins.then(|| at(0)),
        ends_at: None,
    }
}

pub async fn of_each_algorithm_one_key_is_in_use_and_one_comes_next(store: &TestStore) {
    let maker = Maker::new();
    let current = key(&maker, Signing::Es256, true);
    let next = key(&maker, Signing::Es256, false);
    let newer = key(&maker, Signing::Es256, false);
    let other = key(&maker, Signing::Rs256, true);
    write(store, async |writer| {
        for row in [&current, &next, &other] {
            assert!(writer.insert_signing_key(row).await?);
        }
        for begins in [true, false] {
            assert!(
                !writer
                    .insert_signing_key(&key(&maker, Signing::Es256, begins))
                    .await?
            );
        }
        writer
            .begin_next_signing_key(Signing::Es256, at(10), at(20))
            .await?;
        assert!(writer.insert_signing_key(&newer).await?);
        assert!(
            writer
                .reseal_signing_key(other.id, &other.sealed, b"anew")
                .await?
        );
        assert!(
            !writer
                .reseal_signing_key(other.id, &other.sealed, b"again")
                .await?
        );
        Ok(())
    })
    .await
    .unwrap();
    let rows = store.read().await.unwrap().signing_keys().await.unwrap();
    let of = |wanted: &SigningKeyRow| rows.iter().find(|row| row.id == wanted.id).unwrap().clone();
    assert_eq!(
        (of(&current).begins_at, of(&current).ends_at),
        (Some(at(0)), Some(at(20)))
    );
    assert_eq!((of(&next).begins_at, of(&next).ends_at), (Some(at(10)), None));
    assert_eq!(of(&newer).begins_at, None);
    assert_eq!(
        (of(&other).sealed.as_slice(), of(&other).ends_at),
        (&b"anew"[..], None)
    );
    store.delete_expired(at(20), Duration::ZERO).await.unwrap();
    assert_eq!(count(store, "SELECT count(*) FROM signing_key").await, 3);
}

/// What an old server writes gets a number all the same.
pub async fn every_account_has_a_public_number(store: &TestStore) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    raw(
        store,
        "INSERT INTO account (company_id, id, name, name_key, email, email_key, first_name, last_name, alias, active, \
         email_factor, created_at, changed_at) \
         SELECT company_id, public_id, 'old', 'old', 'old@a.test', 'old@a.test', '', '', '', active, email_factor, \
         created_at, changed_at FROM account; \
         INSERT INTO account_role (company_id, account_id, role) \
         SELECT company_id, id, 'agent' FROM account WHERE name = 'old'",
    )
    .await;
    let mut reader = store.read().await.unwrap();
    let accounts = reader.accounts(alice.company).await.unwrap();
    assert_eq!(accounts.len(), 2);
    assert_ne!(accounts[0].public_id, accounts[1].public_id);
    assert_eq!(accounts[0].public_id, alice.public_id);
}
