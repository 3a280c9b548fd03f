//! The audit log on screen.

use vestibule_core::{
    audit::{ActorKind, Event, Outcome, Source},
    company::Company,
    id::EventId,
    limits::PAGE_SIZE,
    name::has_bad_characters,
    refusal::Refusal,
    rights::Action,
    text::trim,
};
use vestibule_storage::{EventFilter, EventPage, Reader, StoreError};

use super::{
    AuditField, AuditInput, AuditPage,
    days::{end_of_day, read_day, start_of_day, zone_of},
};
use crate::{Console, Visitor, sessions::SignedIn};

/// What was asked of the log, in the words of the storage.
pub(super) struct Asked {
    /// Which events are wanted, but for where the page before ended; `None` = there are none.
    pub(super) filter: Option<EventFilter>,
    /// What could not be read, and asks for nothing.
    pub(super) ignored: Vec<AuditField>,
}

/// Reads what was asked.
pub(super) async fn filter_of(
    reader: &mut Reader,
    company: &Company,
    input: &AuditInput,
) -> Result<Asked, StoreError> {
    let zone = zone_of(company);
    let mut ignored = Vec::new();
    let mut filter = EventFilter {
        event: read(input, AuditField::Event, Event::from_word, &mut ignored),
        outcome: read(input, AuditField::Outcome, Outcome::from_word, &mut ignored),
        actor: read(input, AuditField::Actor, ActorKind::from_word, &mut ignored),
        source: read(input, AuditField::Source, Source::from_word, &mut ignored),
        from: read(input, AuditField::From, read_day, &mut ignored).map(|day| start_of_day(zone, day)),
        until: read(input, AuditField::Until, read_day, &mut ignored).map(|day| end_of_day(zone, day)),
        ..EventFilter::default()
    };
    let nothing = |ignored| Asked {
        filter: None,
        ignored,
    };
    let typed = trim(&input.account);
    if !typed.is_empty() {
        // No account has these characters, and PostgreSQL does not take all of them.
        if has_bad_characters(typed) {
            return Ok(nothing(ignored));
        }
        let Some((account, _)) = reader.account_by_sign_in(company.id, typed, typed).await? else {
            return Ok(nothing(ignored));
        };
        filter.account = Some(account.id);
    }
    Ok(Asked {
        filter: Some(filter),
        ignored,
    })
}

/// One thing that was asked; what cannot be read is noted and asks for nothing.
fn read<T>(
    input: &AuditInput,
    field: AuditField,
    read: impl FnOnce(&str) -> Option<T>,
    ignored: &mut Vec<AuditField>,
) -> Option<T> {
    let typed = trim(input.get(field));
    if typed.is_empty() {
        return None;
    }
    let found = read(typed);
    if found.is_none() {
        ignored.push(field);
    }
    found
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
                let Asked { filter, ignored } = filter_of(&mut reader, &company, input).await?;
                let EventPage { events, older } = match filter {
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
                    ignored,
                })
            })
            .await
    }
}
