//! The audit log: written in the transaction of what it tells about, never changed, kept when a company goes.

use chrono::TimeDelta;
use sqlx::FromRow;
use uuid::Uuid;
use vestibule_core::{
    audit::{Actor, AuditEntry, Event},
    id::{AccountId, CompanyId, EventId},
    ports::Moment,
};

use crate::{
    Reader, StoreError, Writer,
    built::{Built, built_all},
    link::{all, execute},
};

const INSERT: &str = "INSERT INTO audit_event (id, at, company_id, actor, actor_id, target_id, event, address, \
    browser, request, detail, actor_name, target_name) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, \
    (SELECT a.name FROM account a WHERE a.id = $5), (SELECT a.name FROM account a WHERE a.id = $6))";
const NEWEST: &str = "SELECT id, at, company_id, actor, actor_id, actor_name, target_id, \
    target_name, event, address, browser, request, detail FROM audit_event ORDER BY id DESC LIMIT $1";
pub(crate) const NEWEST_OF_COMPANY: &str = "SELECT id, at, company_id, actor, actor_id, actor_name, \
    target_id, target_name, event, address, browser, request, detail FROM audit_event WHERE company_id = $1 ORDER BY id DESC LIMIT $2";

/// Which events are wanted; the default is all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// What happened.
    pub event: Option<Event>,
    /// The account that did it or to which it was done.
    pub account: Option<AccountId>,
    /// Not before this moment.
    pub from: Option<Moment>,
    /// Before this moment.
    pub until: Option<Moment>,
    /// Only events older than this one: where the page before ended.
    pub before: Option<EventId>,
}

/// One page of events, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventPage {
    /// The events.
    pub events: Vec<EventRow>,
    /// Whether there are older ones.
    pub older: bool,
}

/// An event of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// Its identifier.
    pub id: EventId,
    /// When it happened.
    pub at: Moment,
    /// The company it belongs to.
    pub company: Option<CompanyId>,
    /// Who did it.
    pub actor: Actor,
    /// Name of the account that did it, as it was then.
    pub actor_name: Option<String>,
    /// The account it was done to.
    pub target: Option<AccountId>,
    /// Name of that account, as it was then.
    pub target_name: Option<String>,
    /// What happened: `vestibule_core::audit::Event::as_str`.
    pub event: String,
    /// The visitor's network address.
    pub address: Option<String>,
    /// The visitor's browser, shortened.
    pub browser: Option<String>,
    /// The request it happened in.
    pub request: Option<String>,
    /// A word or number that belongs to the event.
    pub detail: Option<String>,
}

#[derive(FromRow)]
struct EventColumns {
    id: Uuid,
    at: Moment,
    company_id: Option<Uuid>,
    actor: String,
    actor_id: Option<Uuid>,
    actor_name: Option<String>,
    target_id: Option<Uuid>,
    target_name: Option<String>,
    event: String,
    address: Option<String>,
    browser: Option<String>,
    request: Option<String>,
    detail: Option<String>,
}

impl TryFrom<EventColumns> for EventRow {
    type Error = StoreError;

    fn try_from(row: EventColumns) -> Result<Self, StoreError> {
        let actor = match (row.actor.as_str(), row.actor_id) {
            ("visitor", None) => Actor::Visitor,
            ("account", Some(id)) => Actor::Account(AccountId(id)),
            ("operator", None) => Actor::Operator,
            ("system", None) => Actor::System,
            _ => return Err(StoreError::corrupt("audit_event", "actor")),
        };
        Ok(Self {
            id: EventId(row.id),
            at: row.at,
            company: row.company_id.map(CompanyId),
            actor,
            actor_name: row.actor_name,
            target: row.target_id.map(AccountId),
            target_name: row.target_name,
            event: row.event,
            address: row.address,
            browser: row.browser,
            request: row.request,
            detail: row.detail,
        })
    }
}

impl Reader {
    /// The newest events of a company; with `None` of the whole installation, for operators only.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn events(
        &mut self,
        company: Option<CompanyId>,
        most: i64,
    ) -> Result<Vec<EventRow>, StoreError> {
        let rows = if let Some(company) = company {
            all!(self, EventColumns, NEWEST_OF_COMPANY, company.0, most)
        } else {
            all!(self, EventColumns, NEWEST, most)
        };
        rows?.into_iter().map(EventRow::try_from).collect()
    }
}

impl Reader {
    /// One page of the events of a company, newest first, found by an index whatever is asked for.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn event_page(
        &mut self,
        company: CompanyId,
        filter: &EventFilter,
        most: usize,
    ) -> Result<EventPage, StoreError> {
        let mut rows: Vec<EventColumns> = Vec::new();
        // What an account did and what was done to it lie in two indexes; the newest of both are enough.
        let parts: &[Option<Side>] = match filter.account {
            None => &[None],
            Some(_) => &[Some(Side::Actor), Some(Side::Target)],
        };
        for side in parts {
            rows.extend(built_all!(
                self,
                EventColumns,
                page(company, filter, *side, most)
            )?);
        }
        rows.sort_by_key(|row| std::cmp::Reverse(row.id));
        rows.dedup_by_key(|row| row.id);
        let older = rows.len() > most;
        rows.truncate(most);
        let events = rows.into_iter().map(EventRow::try_from);
        Ok(EventPage {
            events: events.collect::<Result<_, _>>()?,
            older,
        })
    }
}

/// What an account has to do with an event.
#[derive(Clone, Copy)]
pub(crate) enum Side {
    Actor,
    Target,
}

/// The newest events of a filter, one more than are wanted.
pub(crate) fn page(company: CompanyId, filter: &EventFilter, side: Option<Side>, most: usize) -> Built {
    let mut built = Built::new(
        "SELECT id, at, company_id, actor, actor_id, actor_name, target_id, target_name, event, address, browser, \
         request, detail FROM audit_event WHERE company_id = ",
    );
    built.bind(company);
    if let (Some(account), Some(side)) = (filter.account, side) {
        built.add(match side {
            Side::Actor => " AND actor_id = ",
            Side::Target => " AND target_id = ",
        });
        built.bind(account);
    }
    if let Some(event) = filter.event {
        built.add(" AND event = ").bind(event.as_str());
    }
    // The identifier bounds the walk by the millisecond, the time itself does the rest.
    if let Some(from) = filter.from {
        built.add(" AND id >= ").bind(first_id_at(from));
        built.add(" AND at >= ").bind(from);
    }
    if let Some(until) = filter.until {
        let next = until
            .checked_add_signed(TimeDelta::milliseconds(1))
            .unwrap_or(until);
        built.add(" AND id < ").bind(first_id_at(next));
        built.add(" AND at < ").bind(until);
    }
    if let Some(before) = filter.before {
        built.add(" AND id < ").bind(before.0);
    }
    let limit = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
    built.add(" ORDER BY id DESC LIMIT ").bind(limit);
    built
}

/// The least identifier that can be made in the millisecond of this moment.
pub(crate) fn first_id_at(at: Moment) -> Uuid {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or_default();
    Uuid::from_u128(u128::from(millis) << 80)
}

impl Writer {
    /// Writes an event down.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn insert_event(
        &mut self,
        id: EventId,
        at: Moment,
        entry: &AuditEntry,
    ) -> Result<(), StoreError> {
        let actor = match &entry.actor {
            Actor::Account(account) => Some(account.0),
            Actor::Visitor | Actor::Operator | Actor::System => None,
        };
        execute!(
            self,
            INSERT,
            id.0,
            at,
            entry.company.map(|company| company.0),
            entry.actor.as_str(),
            actor,
            entry.target.map(|target| target.0),
            entry.event.as_str(),
            &entry.address,
            &entry.browser,
            &entry.request,
            &entry.detail,
        )
        .map(drop)
    }
}
