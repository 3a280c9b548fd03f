//! Numbers about a company and the installation.

use vestibule_core::{
    audit::{Actor, AuditEntry, Event},
    sign_in::Purpose,
};
use vestibule_storage::{InstallationCounts, NewPending, NewSession, Store, StoreError, Writer};

use crate::fixture::{Maker, alice, at, entry, write};

pub async fn who_is_signed_in_is_counted_once(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let (bob, carol) = (
        maker.account(alice.company, "bob"),
        maker.account(alice.company, "carol"),
    );
    let company = alice.company;
    let old = NewSession {
        credential_version: 2,
        ..maker.session(&carol, at(0))
    };
    write(store, async |writer| {
        writer.insert_account(&bob).await?;
        writer.insert_account(&carol).await?;
        for session in [
            maker.session(&alice, at(0)),
            maker.session(&alice, at(50)),
            maker.session(&bob, at(10)),
            old,
        ] {
            writer.insert_session(&session).await?;
        }
        let live = async |writer: &mut Writer, idle_since, now, before| {
            let sessions = writer
                .sessions_of_company(company, idle_since, now, before, 9)
                .await?;
            let names: Vec<String> = sessions.iter().map(|session| session.name.clone()).collect();
            Ok::<_, StoreError>((names.len(), sessions.last().map(|session| session.id)))
        };
        assert_eq!(live(writer, None, at(60), None).await?.0, 3);
        assert_eq!(live(writer, Some(at(10)), at(60), None).await?.0, 1);
        let (_, last) = live(writer, None, at(60), None).await?;
        assert_eq!(live(writer, None, at(60), last).await?.0, 0);
        let last = last.unwrap();
        assert!(writer.account_of_session(company, last).await?.is_some());
        assert_eq!(writer.count_signed_in(company, None, at(60)).await?, 2);
        assert_eq!(writer.count_signed_in(company, Some(at(10)), at(60)).await?, 1);
        assert_eq!(writer.count_signed_in(company, Some(at(9)), at(60)).await?, 2);
        let over = 12 * 3600;
        assert_eq!(writer.count_signed_in(company, None, at(over)).await?, 2);
        assert_eq!(writer.count_signed_in(company, None, at(over + 10)).await?, 1);
        assert_eq!(writer.count_signed_in(company, None, at(over + 50)).await?, 0);
        Ok(())
    })
    .await
    .unwrap();
}

pub async fn what_waits_and_what_happened_is_counted(store: &Store) {
    let maker = Maker::new();
    let alice = alice(store, &maker).await;
    let company = alice.company;
    let step_up = NewPending {
        purpose: Purpose::StepUp(maker.session_id()),
        ..maker.pending(&alice, at(0))
    };
    let done = maker.pending(&alice, at(0));
    let session = maker.session(&alice, at(0));
    write(store, async |writer| {
        writer.insert_session(&session).await?;
        writer.insert_pending(&maker.pending(&alice, at(0))).await?;
        writer.insert_pending(&step_up).await?;
        writer.insert_pending(&done).await?;
        assert!(
            writer
                .complete_pending(company, done.id, session.id, b"hash", at(1))
                .await?
        );
        assert_eq!(writer.count_pending(company, at(2)).await?, 1);
        let waiting = writer.waiting_for_code(company, at(2), 9).await?;
        assert_eq!(waiting.len(), 1);
        assert_eq!((waiting[0].account(), waiting[0].created_at), (alice.id, at(0)));
        assert_eq!(writer.count_pending(company, at(600)).await?, 0);
        for (second, event) in [
            (0, Event::SignedIn),
            (10, Event::SignedIn),
            (10, Event::CodeRefused),
            (20, Event::AccountLocked),
        ] {
            let new = AuditEntry {
                event,
                ..entry(Some(company), Actor::Account(alice.id))
            };
            writer
                .insert_event(maker.event_id_at(at(second)), at(second), &new)
                .await?;
        }
        let asked = [
            (Event::CodeRefused, at(0), at(100)),
            (Event::SignedIn, at(0), at(10)),
            (Event::SignedIn, at(0), at(11)),
            (Event::PasswordRefused, at(0), at(100)),
        ];
        assert_eq!(writer.counts_of_events(company, &asked).await?, [1, 1, 2, 0]);
        assert_eq!(
            writer.counts_of_events(company, &asked.repeat(60)).await?.len(),
            240
        );
        let proofs = writer.proofs_of(company, at(0), at(100), 9).await?;
        assert_eq!(proofs.iter().map(|(_, count)| count).sum::<i64>(), 2);
        assert_eq!(writer.proofs_of(company, at(0), at(100), 1).await?[0].1, 1);
        let two = [Event::SignedIn, Event::AccountLocked];
        for (from, until, count) in [(0, 100, 3), (0, 20, 2), (1, 20, 1), (1, 21, 2), (21, 100, 0)] {
            assert_eq!(
                writer.count_events(company, &two, at(from), at(until)).await?,
                count,
                "{from} {until}"
            );
        }
        assert_eq!(writer.count_events(company, &[], at(0), at(100)).await?, 0);
        writer.insert_mail(&maker.mail(&alice, None, at(0))).await?;
        writer
            .lock_account(company, alice.id, "wrong_codes", at(1))
            .await?;
        let other = maker.company("Other");
        writer.insert_company(&other).await?;
        writer.set_company_enabled(other.id, false, at(1)).await?;
        assert_eq!(
            writer.installation_counts(at(2)).await?,
            InstallationCounts {
                companies: 2,
                enabled_companies: 1,
                accounts: 1,
                locked: 1,
                sessions: 1,
                pending: 1,
                waiting_mails: 1,
                events: 4,
            }
        );
        Ok(())
    })
    .await
    .unwrap();
}
