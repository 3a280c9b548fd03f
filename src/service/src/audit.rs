//! Lines of the audit log.

use vestibule_core::{audit::AuditEntry, id::EventId, ports::Moment};
use vestibule_storage::{StoreError, Writer};

use crate::Service;

impl Service {
    /// Writes a line of the audit log by itself.
    pub(crate) async fn note(&self, entry: AuditEntry) -> Result<(), StoreError> {
        let mut writer = self.inner.store.write_one().await?;
        self.record(&mut writer, &entry).await?;
        writer.commit().await
    }

    /// Writes a line of the audit log as part of the transaction it belongs to. The log of the process has it once that is
    /// final.
    pub(crate) async fn record(&self, writer: &mut Writer, entry: &AuditEntry) -> Result<(), StoreError> {
        self.record_at(writer, self.now(), entry).await
    }

    /// The same about something that happened a moment ago.
    pub(crate) async fn record_at(
        &self,
        writer: &mut Writer,
        at: Moment,
        entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        writer
            .insert_event(EventId::new(at, self.random()), at, entry)
            .await?;
        let (entry, metrics) = (entry.clone(), self.inner.metrics.clone());
        writer.after_commit(move || {
            metrics.happened(&entry);
            tracing::info!(
                event = entry.event.as_str(),
                company = entry.company.map(tracing::field::display),
                account = entry.target.map(tracing::field::display),
                address = entry.address.as_deref(),
                request = entry.request.as_deref(),
                detail = entry.detail.as_deref(),
                "audit"
            );
        });
        Ok(())
    }
}
