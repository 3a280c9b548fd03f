//! Authenticator apps (N15): the sealed secret of an account and the steps of it that are used up.

use sqlx::FromRow;
use uuid::Uuid;
use vestibule_core::{
    id::{AccountId, CompanyId},
    ports::Moment,
};

use crate::{
    Reader, StoreError, Writer,
    link::{all, execute, optional},
};

pub(crate) const OF_ACCOUNT: &str = "SELECT app_secret AS sealed, app_step AS step FROM account \
    WHERE company_id = $1 AND id = $2 AND app_secret IS NOT NULL";
pub(crate) const AFTER: &str = "SELECT company_id, id, app_secret FROM account \
    WHERE id > $1 AND app_secret IS NOT NULL ORDER BY id LIMIT $2";
const SET: &str = "UPDATE account SET app_secret = $3, app_step = $4, app_hinted_step = 0, \
    credential_version = credential_version + 1, changed_at = $5 WHERE company_id = $1 AND id = $2";
const CLEAR: &str = "UPDATE account SET app_secret = NULL, app_step = 0, app_hinted_step = 0, \
    credential_version = credential_version + 1, changed_at = $3 \
    WHERE company_id = $1 AND id = $2 AND app_secret IS NOT NULL";
pub(crate) const USE_STEP: &str = "UPDATE account SET app_step = $4 \
    WHERE company_id = $1 AND id = $2 AND app_secret = $3 AND app_step < $4 AND app_hinted_step <> $4";
const NOTE_HINTED: &str = "UPDATE account SET app_hinted_step = $3 \
    WHERE company_id = $1 AND id = $2 AND app_secret IS NOT NULL AND app_hinted_step < $3";
const RESEAL: &str =
    "UPDATE account SET app_secret = $4 WHERE company_id = $1 AND id = $2 AND app_secret = $3";

/// The authenticator app of an account.
#[derive(Clone, PartialEq, Eq, FromRow)]
pub struct AppRow {
    /// Its secret, encrypted.
    pub sealed: Vec<u8>,
    /// The last step whose code was accepted; 0 = none yet.
    pub step: i64,
}

impl std::fmt::Debug for AppRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AppRow")
            .field("step", &self.step)
            .finish_non_exhaustive()
    }
}

impl Reader {
    /// The authenticator app of an account; `None` when it has none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn app_of(&mut self, company: CompanyId, id: AccountId) -> Result<Option<AppRow>, StoreError> {
        optional!(self, AppRow, OF_ACCOUNT, company.0, id.0)
    }

    /// Up to `most` sealed secrets of apps of all companies, ordered by account, from the one after `after` on. For
    /// encrypting them anew under another key.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn app_secrets_after(
        &mut self,
        after: Option<AccountId>,
        most: i64,
    ) -> Result<Vec<(CompanyId, AccountId, Vec<u8>)>, StoreError> {
        // No account has the smallest identifier there is.
        let after = after.map_or(Uuid::nil(), |id| id.0);
        let rows = all!(self, (Uuid, Uuid, Vec<u8>), AFTER, after, most)?;
        Ok(rows
            .into_iter()
            .map(|(company, id, sealed)| (CompanyId(company), AccountId(id), sealed))
            .collect())
    }
}

impl Writer {
    /// Makes an app a second factor of the account, in the place of an older one, and makes the credential version one
    /// higher, which ends sessions and trusted browsers of older versions. `step` is that of the code which finished
    /// the set-up: it is used up. Says whether the account exists.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_app_secret(
        &mut self,
        company: CompanyId,
        id: AccountId,
        sealed: &[u8],
        step: i64,
        now: Moment,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, SET, company.0, id.0, sealed, step, now)? == 1)
    }

    /// Takes the app away and makes the credential version one higher; says whether there was one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clear_app_secret(
        &mut self,
        company: CompanyId,
        id: AccountId,
        now: Moment,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, CLEAR, company.0, id.0, now)? == 1)
    }

    /// Uses up a step, and with it all before: only if `sealed` is still the account's secret, the step is after the
    /// last one that was used, and no clock hint gave it away. Of several requests at once, one gets `true`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn use_app_step(
        &mut self,
        company: CompanyId,
        id: AccountId,
        sealed: &[u8],
        step: i64,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, USE_STEP, company.0, id.0, sealed, step)? == 1)
    }

    /// Notes that a clock hint said which step a code belongs to: [`Writer::use_app_step`] refuses that step when its
    /// time comes. Only the latest such step is kept; one before it changes nothing, so that the hint for a code of
    /// the past does not set a future one free.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn note_hinted_step(
        &mut self,
        company: CompanyId,
        id: AccountId,
        step: i64,
    ) -> Result<(), StoreError> {
        execute!(self, NOTE_HINTED, company.0, id.0, step).map(drop)
    }

    /// Replaces a sealed secret by the same secret sealed under another key; credentials do not change. Says whether
    /// `old` was still the stored one. Whoever compares a code reads the sealed secret while holding the account, so
    /// that this waits for them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn reseal_app_secret(
        &mut self,
        company: CompanyId,
        id: AccountId,
        old: &[u8],
        new: &[u8],
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, RESEAL, company.0, id.0, old, new)? == 1)
    }
}
