//! Encrypting the secrets in the database anew after a new key was added.

use vestibule_core::audit::{Actor, AuditEntry, Event};

use crate::{
    Operator, Service, Visitor,
    codes::app_context,
    keys::{Purpose, Unsealable},
    operator::OperatorError,
    sign_in::sso::secret_context,
};

/// How many secrets are read at once.
const AT_ONCE: i64 = 200;

/// What became of the secrets in the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Encrypted anew.
    pub resealed: usize,
    /// Opened by no key: their accounts are refused until the missing key is back.
    pub unreadable: usize,
}

impl Operator {
    /// Encrypts every long-lived secret in the database anew that was not made with the newest key. Serving goes on
    /// meanwhile: each account is one small transaction, and whoever meets a key not known yet reads the key file again.
    ///
    /// # Errors
    /// A failing database. What no key opens is counted, not changed.
    pub async fn reseal_secrets(&self) -> Result<Resealed, OperatorError> {
        let mut count = Resealed::default();
        let mut after = None;
        loop {
            let rows = self
                .inner
                .store
                .read()
                .await?
                .app_secrets_after(after, AT_ONCE)
                .await?;
            let Some((_, last, _)) = rows.last() else {
                break;
            };
            after = Some(*last);
            for (company, account, old) in &rows {
                let context = app_context(*company, *account);
                let Some(new) = self.reseal(Purpose::AppSecret, &context, old, &mut count)? else {
                    continue;
                };
                let mut writer = self.inner.store.write().await?;
                // Somebody who sets the app up anew at this moment has used the newest key already.
                count.resealed += usize::from(writer.reseal_app_secret(*company, *account, old, &new).await?);
                writer.commit().await?;
            }
        }
        self.reseal_mail_passwords(&mut count).await?;
        self.reseal_sso_secrets(&mut count).await?;
        self.reseal_signing_keys(&mut count).await?;
        let entry = AuditEntry {
            actor: Actor::Operator,
            detail: Some(count.resealed.to_string()),
            ..Visitor::default().entry(Event::KeysRotated, None, None)
        };
        self.note(entry).await?;
        Ok(count)
    }
}

impl Service {
    async fn reseal_mail_passwords(&self, count: &mut Resealed) -> Result<(), OperatorError> {
        let mut after = None;
        loop {
            let mut reader = self.inner.store.read().await?;
            let rows = reader.mail_passwords_after(after, AT_ONCE).await?;
            drop(reader);
            let Some((last, _)) = rows.last() else {
                return Ok(());
            };
            after = Some(*last);
            for (company, old) in &rows {
                let context = company.0.as_bytes();
                let Some(new) = self.reseal(Purpose::MailPassword, context, old, count)? else {
                    continue;
                };
                let mut writer = self.inner.store.write().await?;
                count.resealed += usize::from(writer.reseal_mail_password(*company, old, &new).await?);
                writer.commit().await?;
            }
        }
    }

    async fn reseal_sso_secrets(&self, count: &mut Resealed) -> Result<(), OperatorError> {
        let mut after = None;
        loop {
            let mut reader = self.inner.store.read().await?;
            let rows = reader.sso_secrets_after(after, AT_ONCE).await?;
            drop(reader);
            let Some((company, provider, _)) = rows.last() else {
                return Ok(());
            };
            after = Some((*company, *provider));
            for (company, provider, old) in &rows {
                let context = secret_context(*company, *provider);
                let Some(new) = self.reseal(Purpose::SsoSecret, &context, old, count)? else {
                    continue;
                };
                let mut writer = self.inner.store.write().await?;
                let resealed = writer.reseal_sso_secret(*company, *provider, old, &new).await?;
                count.resealed += usize::from(resealed);
                writer.commit().await?;
            }
        }
    }

    async fn reseal_signing_keys(&self, count: &mut Resealed) -> Result<(), OperatorError> {
        let rows = self.inner.store.read().await?.signing_keys().await?;
        for row in rows {
            let context = row.id.0.as_bytes();
            let Some(new) = self.reseal(Purpose::SigningKey, context, &row.sealed, count)? else {
                continue;
            };
            let mut writer = self.inner.store.write().await?;
            count.resealed += usize::from(writer.reseal_signing_key(row.id, &row.sealed, &new).await?);
            writer.commit().await?;
        }
        Ok(())
    }

    /// A secret under the newest key; `None` when it is already, or cannot be read, which is counted.
    fn reseal(
        &self,
        purpose: Purpose,
        context: &[u8],
        old: &[u8],
        count: &mut Resealed,
    ) -> Result<Option<Vec<u8>>, Unsealable> {
        if self.inner.keys.is_newest(old) {
            return Ok(None);
        }
        let Ok(plain) = self.inner.keys.open(purpose, context, old) else {
            count.unreadable += 1;
            return Ok(None);
        };
        self.inner
            .keys
            .seal(purpose, context, &plain, self.random())
            .map(Some)
    }
}
