//! `audit tail`: the newest events, the newest last, and those that come after.

use std::{
    collections::{HashMap, HashSet},
    io::{self, Write},
    time::Duration,
};

use serde_json::json;
use vestibule_core::{
    audit::{Actor, Event},
    id::{CompanyId, EventId},
    name::has_bad_characters,
};
use vestibule_service::{Service, operator::OperatorError};
use vestibule_storage::EventRow;

/// How often is looked for new events.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Most events that are looked through for new ones.
const LOOK_THROUGH: u16 = 1000;

/// Why no events can be shown.
pub(super) enum TailError {
    /// The company does not exist, or the database failed.
    Operator(OperatorError),
    /// The answer could not be written.
    Output(io::Error),
}

impl From<OperatorError> for TailError {
    fn from(error: OperatorError) -> Self {
        Self::Operator(error)
    }
}

impl From<io::Error> for TailError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// The end of the audit log.
pub(super) struct Tail<'a> {
    service: &'a Service,
    company: Option<&'a str>,
    json: bool,
    names: HashMap<CompanyId, Option<String>>,
}

impl<'a> Tail<'a> {
    /// Of one company, or of all.
    pub(super) fn new(service: &'a Service, company: Option<&'a str>, json: bool) -> Self {
        Self {
            service,
            company,
            json,
            names: HashMap::new(),
        }
    }

    /// Writes the newest events; with `follow` goes on until the reader goes away or the process is stopped.
    pub(super) async fn run(
        mut self,
        lines: u16,
        follow: bool,
        output: &mut dyn Write,
    ) -> Result<(), TailError> {
        let most = if follow { lines.max(LOOK_THROUGH) } else { lines };
        let events = self.newest(most).await?;
        let skipped = events.len().saturating_sub(usize::from(lines));
        self.write(events.iter().skip(skipped), output).await?;
        if !follow {
            return Ok(());
        }
        let mut seen = ids(&events);
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            // Several servers write, with clocks of their own: what is new need not be newer than all that was seen.
            let events = self.newest(most).await?;
            let oldest = seen.iter().min().copied();
            let new = |event: &&EventRow| !seen.contains(&event.id) && Some(event.id) > oldest;
            self.write(events.iter().filter(new), output).await?;
            seen = ids(&events);
        }
    }

    /// The newest events, oldest first.
    async fn newest(&self, most: u16) -> Result<Vec<EventRow>, TailError> {
        let mut events = self
            .service
            .operator()
            .newest_events(self.company, i64::from(most))
            .await?;
        events.reverse();
        Ok(events)
    }

    async fn write(
        &mut self,
        events: impl Iterator<Item = &EventRow>,
        output: &mut dyn Write,
    ) -> Result<(), TailError> {
        for event in events {
            let company = self.company_name(event.company).await?;
            let line = if self.json {
                json_line(event, company.as_deref()).to_string()
            } else {
                text_line(event, company.as_deref())
            };
            writeln!(output, "{line}")?;
        }
        output.flush()?;
        Ok(())
    }

    async fn company_name(&mut self, id: Option<CompanyId>) -> Result<Option<String>, TailError> {
        let Some(id) = id else { return Ok(None) };
        if let Some(name) = self.names.get(&id) {
            return Ok(name.clone());
        }
        let name = self.service.operator().company_name(id).await?;
        self.names.insert(id, name.clone());
        Ok(name)
    }
}

fn ids(events: &[EventRow]) -> HashSet<EventId> {
    events.iter().map(|event| event.id).collect()
}

/// Who did it: a name, or else what kind of actor.
fn actor(event: &EventRow) -> &str {
    match &event.actor {
        Actor::Account(_) => event.actor_name.as_deref().unwrap_or("account"),
        other => other.as_str(),
    }
}

fn text_line(event: &EventRow, company: Option<&str>) -> String {
    let company = match (company, event.company) {
        (Some(name), _) => name.to_owned(),
        // It was deleted: the event of the deletion tells its name.
        (None, Some(id)) => id.to_string(),
        (None, None) => "-".to_owned(),
    };
    let who = match (actor(event), event.target_name.as_deref()) {
        (actor, Some(target)) if actor != target => format!("{actor} -> {target}"),
        (actor, _) => actor.to_owned(),
    };
    let parts = [
        event.at.format("%Y-%m-%d %H:%M:%SZ").to_string(),
        company,
        event.event.clone(),
        who,
        event.address.clone().unwrap_or_else(|| "-".to_owned()),
        event.detail.clone().unwrap_or_default(),
    ];
    parts.map(|part| visible(&part)).join("  ").trim_end().to_owned()
}

/// Text that visitors typed must not steer the operator's terminal.
fn visible(text: &str) -> String {
    text.chars()
        .map(|c| {
            if has_bad_characters(c.encode_utf8(&mut [0; 4])) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

fn json_line(event: &EventRow, company: Option<&str>) -> serde_json::Value {
    json!({
        "id": event.id,
        "at": event.at,
        "company_id": event.company,
        "company": company,
        "event": event.event,
        "refusal": Event::from_word(&event.event).is_some_and(Event::is_refusal),
        "actor": event.actor.as_str(),
        "actor_name": event.actor_name,
        "target_name": event.target_name,
        "address": event.address,
        "browser": event.browser,
        "request": event.request,
        "detail": event.detail,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_was_typed_steers_the_terminal() {
        assert_eq!(
            visible("a\u{1b}[2Jb\nc\u{202e}d"),
            "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d"
        );
        assert_eq!(visible("Müller -> x"), "Müller -> x");
    }
}
