//! The outbox as the mail worker sees it: mails are unsealed when they are claimed, and what was given up is in the
//! audit log.

use std::time::Duration;

use chrono::TimeDelta;
use vestibule_core::{
    audit::{Actor, AuditEntry, Event},
    id::MailId,
    mail::{Letter, Mail},
    ports::Moment,
};
use vestibule_mail::{
    Reason,
    outbox::{CLAIM_SECONDS, Claimed, Lane, Problem, Queue, Route},
};
use vestibule_storage::{MailLane, NewMail, OutboxCounts, OutboxRow, StoreError, Writer};

use crate::{
    Outbox, Service, Visitor,
    keys::{Purpose, Unsealable},
};

/// Pause between two steps of the clean-up: whoever waits to write goes first.
const BETWEEN_STEPS: Duration = Duration::from_millis(20);

/// Stored for a mail that no key opens.
const UNSEALABLE: &str = "unsealable";

impl Outbox {
    /// Whether mails go out: false while a waiting one has failed.
    ///
    /// # Errors
    /// A failing database.
    pub async fn mail_is_flowing(&self) -> Result<bool, StoreError> {
        Ok(!self.inner.store.read().await?.has_failing_mail().await?)
    }

    /// What waits in the outbox of all companies together, and what was given up in the last 24 hours. For operators.
    ///
    /// # Errors
    /// A failing database.
    pub async fn outbox_counts(&self) -> Result<OutboxCounts, StoreError> {
        let since = self.now() - TimeDelta::days(1);
        self.inner.store.read().await?.all_outbox_counts(since).await
    }

    /// Deletes what has expired by the database's clock, in small steps; gives the number of rows.
    ///
    /// # Errors
    /// A failing database.
    pub async fn clean_up(&self) -> Result<u64, StoreError> {
        self.forget_own_servers().await?;
        let now = self.database_now();
        let expired = self.inner.store.delete_expired(now, BETWEEN_STEPS).await?;
        self.inner.store.fold_agent_tallies().await?;
        Ok(expired + self.shorten_audit_log(now).await?)
    }

    /// Deletes the oldest events when they are older than the operator keeps them.
    async fn shorten_audit_log(&self, now: Moment) -> Result<u64, StoreError> {
        let Some(days) = self.inner.settings.audit_retention_days else {
            return Ok(0);
        };
        let before = now - TimeDelta::days(days.into());
        let deleted = self
            .inner
            .store
            .delete_events_before(before, BETWEEN_STEPS)
            .await?;
        if deleted > 0 {
            let entry = AuditEntry {
                actor: Actor::System,
                detail: Some(deleted.to_string()),
                ..Visitor::default().entry(Event::AuditShortened, None, None)
            };
            self.note(entry).await?;
        }
        Ok(deleted)
    }
}

impl Service {
    /// Puts a letter into the outbox, sealed, as part of the transaction that gave rise to it; the worker looks once that is
    /// final.
    pub(crate) async fn post(&self, writer: &mut Writer, letter: &Letter) -> Result<(), StoreError> {
        let now = self.now();
        let filled = self.inner.outbox_filled.clone();
        writer.after_commit(move || filled.notify_one());
        self.put_letter(writer, letter, [now, now]).await.map(drop)
    }

    /// Puts a letter into the outbox that whoever writes it sends at once: it counts like any other, and no worker takes it
    /// while it is of use. One that is left behind has expired when a worker finds it.
    pub(crate) async fn post_claimed(
        &self,
        writer: &mut Writer,
        letter: Letter,
        route: Route,
    ) -> Result<Claimed, StoreError> {
        let now = self.now();
        let until = now + TimeDelta::seconds(CLAIM_SECONDS);
        let letter = Letter {
            expires_at: Some(until),
            ..letter
        };
        let id = self.put_letter(writer, &letter, [now, until]).await?;
        Ok(Claimed {
            id,
            receiver: letter.receiver,
            language: letter.language,
            mail: letter.mail,
            expires_at: letter.expires_at,
            tries: 0,
            created_at: now,
            route,
        })
    }

    async fn put_letter(
        &self,
        writer: &mut Writer,
        letter: &Letter,
        [created_at, due_at]: [Moment; 2],
    ) -> Result<MailId, StoreError> {
        let id = MailId::new(created_at, self.random());
        let sealed = self
            .seal(id, &letter.mail)
            .map_err(|_| StoreError::unsealable())?;
        writer
            .insert_mail(&NewMail {
                id,
                company: letter.company,
                account: letter.account,
                kind: letter.mail.kind(),
                receiver: letter.receiver.clone(),
                language: letter.language.clone(),
                sealed,
                priority: letter.mail.priority(),
                created_at,
                due_at,
                expires_at: letter.expires_at,
                pending: letter.pending,
            })
            .await?;
        Ok(id)
    }

    fn seal(&self, id: MailId, mail: &Mail) -> Result<Vec<u8>, Unsealable> {
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(mail).map_err(|_| Unsealable)?);
        self.inner
            .keys
            .seal(Purpose::Outbox, id.0.as_bytes(), &plain, self.random())
    }

    fn unseal(&self, row: OutboxRow, route: Route) -> Result<Claimed, Unsealable> {
        let plain = self
            .inner
            .keys
            .open(Purpose::Outbox, row.id.0.as_bytes(), &row.sealed)?;
        Ok(Claimed {
            id: row.id,
            receiver: row.receiver,
            language: row.language,
            mail: serde_json::from_slice(&plain).map_err(|_| Unsealable)?,
            expires_at: row.expires_at,
            // The claim has counted this try already.
            tries: row.tries - 1,
            created_at: row.created_at,
            route,
        })
    }

    async fn give_up(
        &self,
        id: MailId,
        now: Moment,
        problem: &str,
        answer: Option<&str>,
    ) -> Result<(), StoreError> {
        let mut writer = self.inner.store.write().await?;
        writer.mail_given_up(id, now, problem, answer).await?;
        let owner = writer.mail_owner(id).await?;
        let entry = AuditEntry {
            company: owner.map(|(company, _)| company),
            actor: Actor::System,
            target: owner.map(|(_, account)| account),
            event: Event::MailGivenUp,
            address: None,
            browser: None,
            request: None,
            detail: Some(problem.to_owned()),
        };
        self.record(&mut writer, &entry).await?;
        writer.commit().await
    }
}

impl Queue for Service {
    type Error = StoreError;

    async fn lanes(&self, now: Moment) -> Result<Vec<Lane>, StoreError> {
        // Looking costs no write: an idle Vestibule leaves its disk alone.
        let lanes = self.inner.store.read().await?.mail_lanes(now).await?;
        Ok(lanes
            .into_iter()
            .map(|lane| match lane {
                MailLane::Installation => Lane::Installation,
                MailLane::Company(company) => Lane::Company(company),
            })
            .collect())
    }

    async fn claim(&self, lane: Lane, now: Moment, most: usize) -> Result<Vec<Claimed>, StoreError> {
        let until = now + TimeDelta::seconds(CLAIM_SECONDS);
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let mut writer = self.inner.store.write().await?;
        let (rows, route) = match lane {
            Lane::Installation => {
                let rows = writer
                    .claim_mails(MailLane::Installation, now, until, most)
                    .await?;
                (rows, Route::Installation)
            }
            Lane::Company(company) => {
                let rows = writer
                    .claim_mails(MailLane::Company(company), now, until, most)
                    .await?;
                let server = writer.mail_server(company).await?;
                (rows, self.route_through(server.as_ref()))
            }
        };
        writer.commit().await?;
        let mut claimed = Vec::with_capacity(rows.len());
        for row in rows {
            let id = row.id;
            match self.unseal(row, route.clone()) {
                Ok(mail) => claimed.push(mail),
                Err(error) => {
                    tracing::error!(mail = %id, %error, "a mail is given up");
                    self.give_up(id, now, UNSEALABLE, None).await?;
                }
            }
        }
        Ok(claimed)
    }

    async fn sent(&self, id: MailId, now: Moment, answer: Option<&str>) -> Result<(), StoreError> {
        let mut writer = self.inner.store.write_one().await?;
        writer.mail_sent(id, now, answer).await?;
        writer.commit().await
    }

    async fn retry(&self, id: MailId, due_at: Moment, problem: Reason) -> Result<(), StoreError> {
        let mut writer = self.inner.store.write_one().await?;
        writer.mail_retry(id, due_at, &problem.to_string()).await?;
        writer.commit().await
    }

    async fn given_up(
        &self,
        id: MailId,
        now: Moment,
        problem: Problem,
        answer: Option<&str>,
    ) -> Result<(), StoreError> {
        self.give_up(id, now, &problem.to_string(), answer).await
    }
}
