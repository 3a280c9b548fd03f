//! The audit log: written in the transaction of what it tells about, never changed, kept when a company goes.

use sqlx::FromRow;
use uuid::Uuid;
use vestibule_core::{
    audit::{Actor, AuditEntry},
    id::{AccountId, CompanyId, EventId},
    ports::Moment,
};

use crate::{
    Reader, StoreError, Writer,
    link::{all, execute},
};

const INSERT: &str = "INSERT INTO audit_event (id, at, company_id, actor, actor_id, target_id, event, address, \
    browser, request, detail) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
const NEWEST: &str = "SELECT id, at, company_id, actor, actor_id, target_id, event, address, browser, request, \
    detail FROM audit_event ORDER BY id DESC LIMIT $1";
pub(crate) const NEWEST_OF_COMPANY: &str = "SELECT id, at, company_id, actor, actor_id, target_id, event, address, \
    browser, request, detail FROM audit_event WHERE company_id = $1 ORDER BY id DESC LIMIT $2";

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
    /// The account it was done to.
    pub target: Option<AccountId>,
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
    target_id: Option<Uuid>,
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
            target: row.target_id.map(AccountId),
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
