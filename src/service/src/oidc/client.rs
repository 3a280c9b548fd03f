//! Applications that prove themselves to the endpoints. A wrong secret is counted for the application and the place that it
//! came from, so that nobody who only knows its identifier shuts it out; while a place has to wait, nothing is compared.

use vestibule_core::{
    audit::{AuditEntry, Event},
    oidc::{
        application::Application,
        client::{ClientSecret, Credentials, SentSecret, unknown},
        parameters::Parameters,
    },
    throttle::{FREE_TRIES, TRIES_TO_DISABLE, wait_after},
};

use super::Trouble;
use crate::{Service, Visitor, keys::Purpose};

impl Service {
    /// The application that asks, if it has proved itself as it has to.
    pub(super) async fn client(
        &self,
        header: Option<&str>,
        form: &Parameters,
        visitor: &Visitor,
    ) -> Result<Application, Trouble> {
        let credentials = Credentials::read(header, form)?;
        let mut reader = self.inner.store.read().await?;
        let found = reader.application(credentials.application).await?;
        let application = found.ok_or(unknown())?;
        let now = self.now();
        if matches!(credentials.secret, SentSecret::Nothing) {
            credentials.prove(&application, &[], now)?;
            return Ok(application);
        }
        let rows = reader.application_secrets(application.id).await?;
        let secrets: Vec<ClientSecret> = rows.iter().map(|row| row.secret).collect();
        // A right secret always passes: agents at the application's address must not be able to shut it out.
        let Err(refused) = credentials.prove(&application, &secrets, now) else {
            return Ok(application);
        };
        let (subject, lane) = self.client_lane(&application, visitor);
        if reader.is_password_blocked(&subject, &lane, now).await? {
            return Err(Trouble::Wait(shortest_wait()));
        }
        drop(reader);
        self.count_wrong_secret(&application, (&subject, &lane), visitor)
            .await?;
        Err(refused.into())
    }

    /// What the wrong secrets of an application are counted by.
    pub(crate) fn client_subject(&self, application: &Application) -> [u8; 32] {
        let id = application.id.0.as_bytes();
        self.inner.keys.derive(Purpose::Subject, &[b"application", id])
    }

    fn client_lane(&self, application: &Application, visitor: &Visitor) -> ([u8; 32], [u8; 32]) {
        let source = visitor.source.as_bytes();
        let lane = self
            .inner
            .keys
            .derive(Purpose::Subject, &[b"source of an application", source]);
        (self.client_subject(application), lane)
    }

    async fn count_wrong_secret(
        &self,
        application: &Application,
        (subject, lane): (&[u8], &[u8]),
        visitor: &Visitor,
    ) -> Result<(), Trouble> {
        let now = self.now();
        let mut writer = self.inner.store.write().await?;
        let counted = writer
            .count_password_try((subject, lane), now.timestamp_micros(), i64::MAX, now)
            .await?;
        if let Some(counted) = counted {
            // Never for good: a secret of 256 bits is not guessed, and an application that was set up wrongly recovers.
            let wait = wait_after(counted.failures.min(TRIES_TO_DISABLE - 1)).unwrap_or_default();
            if !wait.is_zero() {
                writer.block_password(subject, lane, now + wait).await?;
            }
        }
        writer.commit().await?;
        let entry = AuditEntry {
            detail: Some(application.id.to_string()),
            ..visitor.entry(Event::ClientRefused, application.company, None)
        };
        self.note_stranger(entry, visitor);
        Ok(())
    }
}

/// The shortest that somebody has to wait, in seconds: whoever comes too early is told once more.
fn shortest_wait() -> u32 {
    let wait = wait_after(FREE_TRIES + 1).unwrap_or_default();
    u32::try_from(wait.num_seconds()).unwrap_or(u32::MAX)
}
