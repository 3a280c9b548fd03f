//! What has to end when the database was put back to an older state (attacks.md T190).

use vestibule_core::{
    audit::{Actor, AuditEntry, Event},
    authenticator::step_of,
};
use vestibule_storage::StoreError;

use crate::{Operator, Visitor};

impl Operator {
    /// Ends all sessions, sign-ins under way, trust in browsers, links and issued codes, throws away mails that have not gone
    /// out, and takes every code that an authenticator app has shown until now for used. What was changed since the copy was
    /// made cannot be known.
    ///
    /// # Errors
    /// A failing database; nothing has ended then.
    pub async fn end_what_was_revived(&self) -> Result<(), StoreError> {
        let mut writer = self.inner.store.write().await?;
        writer.end_what_was_revived(step_of(self.now())).await?;
        let entry = AuditEntry {
            actor: Actor::Operator,
            ..Visitor::default().entry(Event::DatabaseRestored, None, None)
        };
        self.record(&mut writer, &entry).await?;
        writer.commit().await
    }
}
