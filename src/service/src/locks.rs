//! Locks that were counted and not written: somebody was cut off between the fifth wrong code and its lock.
//!
//! The account is locked all the same, for everybody who reads it. What is missing, the mail and the line of the audit
//! log, is made up for by whoever meets the account next, or by the background work.

use chrono::TimeDelta;
use vestibule_core::{
    audit::Event,
    id::{AccountId, CompanyId},
    ports::Moment,
};
use vestibule_storage::{StoreError, Writer, again};

use crate::{Service, Upkeep, Visitor, counted::SETTLED_AFTER, letters::Receiver};

/// Accounts that are looked for at once.
const TOGETHER: i64 = 100;

impl Upkeep {
    /// Completes the locks that somebody left behind, of all companies; gives their number.
    ///
    /// # Errors
    /// A failing database: what was not completed waits for the next time.
    pub async fn complete_locks(&self) -> Result<usize, StoreError> {
        // Looking costs no write: an idle Vestibule leaves its disk alone.
        let until = self.settled_until();
        let left = self
            .inner
            .store
            .read()
            .await?
            .counted_out(until, TOGETHER)
            .await?;
        let mut completed = 0;
        for (company, account) in left {
            completed += usize::from(again(|| self.complete_lock(company, account)).await?);
        }
        Ok(completed)
    }
}

impl Service {
    /// Completes the lock of an account, if it was left behind; says whether it was.
    pub(crate) async fn complete_lock(
        &self,
        company: CompanyId,
        account: AccountId,
    ) -> Result<bool, StoreError> {
        let mut writer = self.inner.store.write().await?;
        writer.hold_account(company, account).await?;
        let found = writer
            .company(company)
            .await?
            .zip(writer.account(company, account).await?);
        let Some((company, account)) = found else {
            return Ok(false);
        };
        let receiver = Receiver::new(&company, &account);
        let completed = self.complete_lock_in(&mut writer, receiver).await?;
        writer.commit().await?;
        Ok(completed)
    }

    /// The same as part of a transaction that holds the account.
    pub(crate) async fn complete_lock_in(
        &self,
        writer: &mut Writer,
        receiver: Receiver<'_>,
    ) -> Result<bool, StoreError> {
        let Receiver { company, account } = receiver;
        let left_behind = account.is_locked()
            && writer
                .is_counted_out(company.id, account.id, self.settled_until())
                .await?;
        if left_behind {
            // Nobody remembers where the fifth code was entered.
            self.lock_in(writer, company, account, &Visitor::default())
                .await?;
            let id = account.id;
            writer.after_commit(move || {
                tracing::info!(account = %id, event = Event::AccountLocked.as_str(), "a lock was completed");
            });
        }
        Ok(left_behind)
    }

    /// A fifth try that was counted later may still be compared by whoever counted it, or taken back: if it was right, or
    /// no guess, nothing is locked.
    fn settled_until(&self) -> Moment {
        self.database_now() - TimeDelta::seconds(SETTLED_AFTER)
    }
}
