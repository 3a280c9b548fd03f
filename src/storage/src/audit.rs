//! The audit log: written in the transaction of what it tells about, never changed, kept when a company goes.

use chrono::TimeDelta;
use sqlx::FromRow;
use uuid::Uuid;
use vestibule_core::{
    audit::{Actor, ActorKind, AuditEntry, Event, Outcome, Source},
    id::{AccountId, CompanyId, EventId},
    ports::Moment,
};

use crate::{
    Reader, StoreError, Writer,
    built::{Built, built_anew},
    later::{Later, values},
    link::all,
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
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// The account that did it or to which it was done.
    pub account: Option<AccountId>,
    /// What is told of who did it ([`ActorKind::told`]). With an account, [`ActorKind::Account`] is this one.
    pub actor: Option<ActorKind>,
    /// Where it was done.
    pub source: Option<Source>,
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

impl EventRow {
    /// How it ended. What a newer version wrote is taken for done.
    pub fn outcome(&self) -> Outcome {
        let event = Event::from_word(&self.event);
        event.map_or(Outcome::Done, |event| event.outcome(self.detail.as_deref()))
    }

    /// Where it was done; `None` for what a newer version wrote.
    pub fn source(&self) -> Option<Source> {
        let own = matches!(self.actor, Actor::Account(id) if self.target == Some(id));
        Some(Source::of(Event::from_word(&self.event)?, self.actor.kind(), own))
    }
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
        for statement in pages(company, filter, most) {
            rows.extend(built_anew!(self, EventColumns, statement)?);
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

/// The columns of an event.
const COLUMNS: &str = "SELECT e.id, e.at, e.company_id, e.actor, e.actor_id, e.actor_name, e.target_id, e.target_name, \
    e.event, e.address, e.browser, e.request, e.detail FROM ";

/// What an account has to do with an event.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Actor,
    Target,
}

/// A way through the events of a company, the newest first. An index has them in this order.
#[derive(Clone, Copy)]
enum Way {
    /// All of them.
    All,
    /// What an account did, or what was done to it.
    Account(Side, AccountId),
    /// Those of one kind that one kind of actor brought about.
    By(ActorKind, Event),
}

/// Events of a way with something else that is asked of them.
type Stretch = (Way, &'static str);

impl Way {
    /// Adds which of a company's events they are, within the time of the filter.
    fn add_to(self, company: CompanyId, filter: &EventFilter, built: &mut Built) {
        // The identifier bounds the walk by the millisecond, the time itself does the rest.
        let from = filter.from.map_or(Uuid::nil(), first_id_at);
        let next = |until: Moment| {
            until
                .checked_add_signed(TimeDelta::milliseconds(1))
                .unwrap_or(until)
        };
        let until = filter.until.map_or(Uuid::max(), |until| first_id_at(next(until)));
        let until = filter.before.map_or(until, |before| before.0.min(until));
        built.bind(company);
        match self {
            Self::All => built.add(" AND id >= ").bind(from).add(" AND id < ").bind(until),
            // Compared together, they leave SQLite no other index than theirs.
            Self::Account(side, account) => built
                .add(side.with_id())
                .add(" >= (")
                .bind(account)
                .add(", ")
                .bind(from)
                .add(")")
                .add(side.with_id())
                .add(" < (")
                .bind(account)
                .add(", ")
                .bind(until)
                .add(")"),
            Self::By(actor, event) => built
                .add(" AND actor = ")
                .bind(actor.as_str())
                .add(" AND event = ")
                .bind(event.as_str())
                .add(" AND id >= ")
                .bind(from)
                .add(" AND id < ")
                .bind(until),
        };
        if let Some(from) = filter.from {
            built.add(" AND at >= ").bind(from);
        }
        if let Some(until) = filter.until {
            built.add(" AND at < ").bind(until);
        }
    }

    /// Adds the order of its index, and how many are wanted.
    fn add_order(self, limit: i64, built: &mut Built) {
        built.add(match self {
            Self::All | Self::By(..) => " ORDER BY id DESC LIMIT ",
            Self::Account(Side::Actor, _) => " ORDER BY actor_id DESC, id DESC LIMIT ",
            Self::Account(Side::Target, _) => " ORDER BY target_id DESC, id DESC LIMIT ",
        });
        built.bind(limit);
    }
}

impl Side {
    /// The columns of its index after the company.
    const fn with_id(self) -> &'static str {
        match self {
            Self::Actor => " AND (actor_id, id)",
            Self::Target => " AND (target_id, id)",
        }
    }
}

impl EventFilter {
    /// Whether it asks nothing of what happened and who did it.
    const fn takes_all(&self) -> bool {
        self.event.is_none() && self.outcome.is_none() && self.actor.is_none() && self.source.is_none()
    }

    /// What is asked besides of events of this kind that this kind of actor brought about; `None` = none of them is wanted.
    fn asks(&self, event: Event, actor: ActorKind) -> Option<&'static str> {
        let is_wanted = self.event.is_none_or(|wanted| wanted == event)
            && self.actor.is_none_or(|wanted| wanted == actor.told(event));
        if !is_wanted {
            return None;
        }
        let ended = match self.outcome {
            None => "",
            // How a test of a provider ended stands in its detail: `GOOD_TEST`.
            Some(Outcome::Done) if event == Event::SsoTested => " AND detail LIKE '%: good'",
            Some(Outcome::Refused) if event == Event::SsoTested => {
                " AND (detail IS NULL OR detail NOT LIKE '%: good')"
            }
            Some(wanted) if event.outcome(None) == wanted => "",
            Some(_) => return None,
        };
        let place = match self.source {
            None => "",
            Some(wanted) => match [true, false].map(|own| Source::of(event, actor, own) == wanted) {
                [true, true] => "",
                [true, false] => " AND actor_id = target_id",
                [false, true] => " AND actor_id IS DISTINCT FROM target_id",
                [false, false] => return None,
            },
        };
        // There is no event of which both are asked.
        Some(if ended.is_empty() { place } else { ended })
    }

    /// The stretches in which all wanted events lie, and no others.
    fn stretches(&self) -> Vec<Stretch> {
        let pairs = Event::ALL
            .into_iter()
            .flat_map(|event| ActorKind::ALL.map(|actor| (actor, event)));
        pairs
            .filter_map(|(actor, event)| Some((Way::By(actor, event), self.asks(event, actor)?)))
            .collect()
    }
}

/// The newest events of a filter, one more than are wanted, by one statement or by two. Each event that is read was wanted, or
/// belongs to the account that was asked for: however much else the log holds, a page costs the same.
pub(crate) fn pages(company: CompanyId, filter: &EventFilter, most: usize) -> Vec<Built> {
    let limit = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
    match filter.account {
        Some(account) => [Side::Actor, Side::Target]
            .into_iter()
            .filter_map(|side| of_account(company, filter, (side, account), limit))
            .collect(),
        None if filter.takes_all() => vec![of_one(company, filter, (Way::All, ""), limit)],
        None => match &filter.stretches()[..] {
            [] => Vec::new(),
            [only] => vec![of_one(company, filter, *only, limit)],
            several => vec![of_several(company, filter, several, limit)],
        },
    }
}

fn of_one(company: CompanyId, filter: &EventFilter, (way, and): Stretch, limit: i64) -> Built {
    let mut built = Built::new(COLUMNS);
    built.add("audit_event e WHERE company_id = ");
    way.add_to(company, filter, &mut built);
    built.add(and);
    way.add_order(limit, &mut built);
    built
}

/// What an account did, or what was done to it, and of that what is wanted; `None` = nothing of it.
fn of_account(
    company: CompanyId,
    filter: &EventFilter,
    (side, account): (Side, AccountId),
    limit: i64,
) -> Option<Built> {
    let way = Way::Account(side, account);
    let mut built = Built::new(COLUMNS);
    built.add("audit_event e WHERE company_id = ");
    way.add_to(company, filter, &mut built);
    if !filter.takes_all() && !add_wanted(filter, side, &mut built) {
        return None;
    }
    way.add_order(limit, &mut built);
    Some(built)
}

/// Adds which events of an account are wanted, by who brought them about; says whether any are. With something added to them,
/// the columns of `audit_event_doing` keep a planner from walking that index, which has them in another order.
fn add_wanted(filter: &EventFilter, side: Side, built: &mut Built) -> bool {
    let mut any = false;
    for actor in ActorKind::ALL {
        let can_be = match side {
            Side::Actor => actor == ActorKind::Account,
            // What others did to it, it has not done.
            Side::Target => actor != ActorKind::Account || filter.actor != Some(ActorKind::Account),
        };
        let asked = Event::ALL
            .into_iter()
            .filter_map(|event| Some((event, filter.asks(event, actor)?)));
        let (plain, others): (Vec<_>, Vec<_>) = asked.filter(|_| can_be).partition(|(_, and)| and.is_empty());
        if plain.is_empty() && others.is_empty() {
            continue;
        }
        built.add(if any { " OR " } else { " AND (" });
        any = true;
        built.add("(actor || '' = ").bind(actor.as_str());
        built.add(" AND (FALSE");
        let mut next = " OR event || '' IN (";
        for (event, _) in &plain {
            built.add(next).bind(event.as_str());
            next = ", ";
        }
        built.add(if plain.is_empty() { "" } else { ")" });
        for (event, and) in others {
            built.add(" OR (event || '' = ").bind(event.as_str());
            built.add(and).add(")");
        }
        built.add("))");
    }
    built.add(if any { ")" } else { "" });
    any
}

/// The newest of several stretches are found in their indexes, each by itself, and only the newest of them all are read.
fn of_several(company: CompanyId, filter: &EventFilter, stretches: &[Stretch], limit: i64) -> Built {
    let mut built = Built::new(COLUMNS);
    let mut begin = "(SELECT id FROM (SELECT id FROM (SELECT id FROM audit_event WHERE company_id = ";
    for (way, and) in stretches {
        built.add(begin);
        way.add_to(company, filter, &mut built);
        built.add(and);
        way.add_order(limit, &mut built);
        built.add(") AS part");
        begin = " UNION ALL SELECT id FROM (SELECT id FROM audit_event WHERE company_id = ";
    }
    built
        .add(") AS parts ORDER BY id DESC LIMIT ")
        .bind(limit)
        .add(") AS newest JOIN audit_event e ON e.id = newest.id ORDER BY e.id DESC");
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
        let values = values![
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
        ];
        self.write_later(Later::adding("audit_event", INSERT, values))
            .await
    }
}
