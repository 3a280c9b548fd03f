//! The audit log on screen.

use vestibule_core::{
    audit::Event, company::Company, id::EventId, limits::PAGE_SIZE, name::has_bad_characters,
    refusal::Refusal, rights::Action, text::trim,
};
use vestibule_storage::{EventFilter, EventPage, Reader, StoreError};

use super::{
    AuditInput, AuditPage,
    days::{end_of_day, read_day, start_of_day, zone_of},
};
use crate::{Console, Visitor, sessions::SignedIn};

/// Puts what was asked for into the words of the storage; `None` finds nothing. Leaves out where the page before ended.
pub(super) async fn filter_of(
    reader: &mut Reader,
    company: &Company,
    input: &AuditInput,
) -> Result<Option<EventFilter>, StoreError> {
    let zone = zone_of(company);
    let mut filter = EventFilter {
        from: read_day(&input.from).map(|day| start_of_day(zone, day)),
        until: read_day(&input.until).map(|day| end_of_day(zone, day)),
        ..EventFilter::default()
    };
    if !input.event.is_empty() {
        let Some(event) = Event::from_word(&input.event) else {
            return Ok(None);
        };
        filter.event = Some(event);
    }
    let typed = trim(&input.account);
    if !typed.is_empty() {
        // No account has these characters, and PostgreSQL does not take all of them.
        if has_bad_characters(typed) {
            return Ok(None);
        }
        let Some((account, _)) = reader.account_by_sign_in(company.id, typed, typed).await? else {
            return Ok(None);
        };
        filter.account = Some(account.id);
    }
    Ok(Some(filter))
}

impl Console {
    /// One page of the audit log.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`].
    pub async fn audit_log(&self, input: &AuditInput, visitor: &Visitor) -> Result<AuditPage, Refusal> {
        visitor
            .attempt(async {
                let SignedIn { company, account, .. } = self.allowed(Action::SeeAudit, visitor).await?;
                let mut reader = self.inner.store.read().await?;
                let EventPage { events, older } = match filter_of(&mut reader, &company, input).await? {
                    Some(filter) => {
                        let filter = EventFilter {
                            before: EventId::parse(&input.before),
                            ..filter
                        };
                        reader.event_page(company.id, &filter, PAGE_SIZE).await?
                    }
                    None => EventPage {
                        events: Vec::new(),
                        older: false,
                    },
                };
                Ok(AuditPage {
                    company,
                    own: account,
                    events,
                    older,
                })
            })
            .await
    }
}
