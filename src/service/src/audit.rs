//! Lines of the audit log.

use vestibule_core::{audit::AuditEntry, id::EventId};
use vestibule_storage::{StoreError, Writer};

use crate::Service;

impl Service {
    /// Writes a line of the audit log in a transaction of its own.
    pub(crate) async fn note(&self, entry: AuditEntry) -> Result<(), StoreError> {
        let mut writer = self.inner.store.write().await?;
        self.record(&mut writer, &entry).await?;
        writer.commit().await
    }

    /// Writes a line of the audit log as part of the transaction it belongs to.
    pub(crate) async fn record(&self, writer: &mut Writer, entry: &AuditEntry) -> Result<(), StoreError> {
        let now = self.now();
        tracing::info!(
            event = entry.event.as_str(),
            company = entry.company.map(tracing::field::display),
            account = entry.target.map(tracing::field::display),
            address = entry.address.as_deref(),
            request = entry.request.as_deref(),
            detail = entry.detail.as_deref(),
            "audit"
        );
        writer
            .insert_event(EventId::new(now, self.random()), now, entry)
            .await
    }
}
