//! CSV files, written while they are sent: a hundred thousand lines take no more memory than a page of them. No cell
//! begins with what a spreadsheet would take for a formula (attacks.md T137).

use std::{
    collections::{BTreeMap, HashSet},
    io,
};

use chrono::SecondsFormat;
use tokio::sync::mpsc::{Sender, channel};
use vestibule_core::{
    account::Account,
    agents::AgentFilter,
    audit::Event,
    company::Company,
    id::AccountId,
    ports::Moment,
    refusal::Refusal,
    rights::{Action, Scope},
};
use vestibule_storage::{AgentPage, EventFilter, EventRow, ImportLine, PageFrom, Reader, StoreError};

use vestibule_translations::{Locale, verdict_sentence};

use super::{
    AuditInput, Download, Hold, LinesWanted,
    audit::{Asked, filter_of},
    cells::guarded,
};
use crate::{Console, Failure, Service, Visitor, sessions::SignedIn};

/// Rows that are read, and sent, together.
const TOGETHER: usize = 500;
/// Parts that wait for a slow reader.
const WAITING: usize = 1;
/// Tells spreadsheets that the file is UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// The columns of agents: those that the import reads, and what else is known.
const AGENT_COLUMNS: [&str; 14] = [
    "account",
    "email",
    "first_name",
    "last_name",
    "alias",
    "phone",
    "title",
    "language",
    "roles",
    "active",
    "locked",
    "second_factor",
    "created",
    "last_sign_in",
];
/// The columns of events.
const EVENT_COLUMNS: [&str; 10] = [
    "time",
    "event",
    "outcome",
    "actor",
    "actor_account",
    "target_account",
    "address",
    "browser",
    "request",
    "detail",
];

/// The columns of lines that could not be imported: those that the import reads, and two that it leaves alone.
const PROBLEM_COLUMNS: [&str; 12] = [
    "account",
    "email",
    "first_name",
    "last_name",
    "alias",
    "phone",
    "title",
    "language",
    "roles",
    "active",
    "line",
    "problem",
];

/// Why a file ends before its end.
enum CutOff {
    /// Whoever downloads it has gone away.
    Gone,
    /// Nothing more is written: the database, or whoever asked is no admin any more.
    Failed(String),
}

impl From<StoreError> for CutOff {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<csv::Error> for CutOff {
    fn from(error: csv::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// A file on its way.
struct File {
    sender: Sender<Result<Vec<u8>, io::Error>>,
}

impl File {
    /// Sends the first line.
    async fn begin<const N: usize>(&self, columns: [&str; N]) -> Result<(), CutOff> {
        let mut part = BYTE_ORDER_MARK.to_vec();
        part.extend(lines([columns.map(str::to_owned)])?);
        self.send(part).await
    }

    async fn send(&self, part: Vec<u8>) -> Result<(), CutOff> {
        self.sender.send(Ok(part)).await.map_err(|_| CutOff::Gone)
    }

    /// A file that was cut off must not look like a whole one.
    async fn end(self, written: Result<(), CutOff>) {
        if let Err(CutOff::Failed(error)) = written {
            tracing::error!(error, "an export was cut off");
            // Nobody may be there to be told.
            let _ = self.sender.send(Err(io::Error::other("cut off"))).await;
        }
    }
}

fn lines<const N: usize>(rows: impl IntoIterator<Item = [String; N]>) -> Result<Vec<u8>, CutOff> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for row in rows {
        writer.write_record(row.map(|cell| guarded(&cell)))?;
    }
    writer
        .into_inner()
        .map_err(|error| CutOff::Failed(error.to_string()))
}

fn time(moment: Moment) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn yes_or_no(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}

fn agent_row(account: &Account) -> [String; 14] {
    let roles: Vec<_> = account.roles.iter().map(|role| role.as_str()).collect();
    let factor = match (account.app_factor, account.email_factor) {
        (true, true) => "app email",
        (true, false) => "app",
        (false, true) => "email",
        (false, false) => "none",
    };
    [
        account.name.clone(),
        account.email.clone(),
        account.person.first_name.clone(),
        account.person.last_name.clone(),
        account.person.alias.clone(),
        account.person.phone.clone(),
        account.person.title.clone(),
        account.person.language.clone().unwrap_or_default(),
        roles.join(" "),
        yes_or_no(account.active),
        yes_or_no(account.is_locked()),
        factor.to_owned(),
        time(account.created_at),
        account.last_sign_in_at.map(time).unwrap_or_default(),
    ]
}

/// A line as it was sent, with its number and what is wrong with it.
fn problem_row(locale: Locale, line: &ImportLine) -> [String; 12] {
    let fields = line.fields.as_deref().unwrap_or_default();
    let mut cells: BTreeMap<String, String> = serde_json::from_str(fields).unwrap_or_default();
    let problems: Vec<&str> = line
        .verdict
        .split(ImportLine::BETWEEN)
        .map(|word| verdict_sentence(locale, word))
        .collect();
    cells.insert("line".to_owned(), line.line.to_string());
    cells.insert("problem".to_owned(), problems.join(" "));
    cells
        .entry("account".to_owned())
        .or_insert_with(|| line.account.clone());
    PROBLEM_COLUMNS.map(|column| cells.remove(column).unwrap_or_default())
}

fn event_row(row: EventRow) -> [String; 10] {
    let outcome = row.outcome();
    [
        time(row.at),
        row.event,
        outcome.as_str().to_owned(),
        row.actor.as_str().to_owned(),
        row.actor_name.unwrap_or_default(),
        row.target_name.unwrap_or_default(),
        row.address.unwrap_or_default(),
        row.browser.unwrap_or_default(),
        row.request.unwrap_or_default(),
        row.detail.unwrap_or_default(),
    ]
}

/// The page after `previous`, whichever of its accounts is deleted meanwhile: after one that is not there any more the
/// list would begin at its start.
async fn page_after(
    reader: &mut Reader,
    company: &Company,
    filter: &AgentFilter,
    previous: &[AccountId],
) -> Result<AgentPage, CutOff> {
    if previous.is_empty() {
        return Ok(reader
            .agent_page(company.id, filter, PageFrom::Start, TOGETHER)
            .await?);
    }
    for &last in previous.iter().rev() {
        let mut page = reader
            .agent_page(company.id, filter, PageFrom::After(last), TOGETHER)
            .await?;
        if reader.account(company.id, last).await?.is_some() {
            let written: HashSet<_> = previous.iter().collect();
            page.accounts.retain(|account| !written.contains(&account.id));
            return Ok(page);
        }
    }
    Err(CutOff::Failed("a whole page of accounts was deleted".to_owned()))
}

impl Console {
    /// All agents that the filter finds, as CSV with the columns that the import reads.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`].
    pub async fn export_agents(&self, filter: AgentFilter, visitor: &Visitor) -> Result<Download, Refusal> {
        visitor
            .attempt(self.begin_export(Action::ExportAgents, Event::AgentsExported, visitor))
            .await
            .map(|own| {
                let scope = Action::ExportAgents.scope(own.account.highest_role());
                let filter = AgentFilter {
                    only_agents: scope < Scope::Company,
                    ..filter
                };
                let (sender, download) = channel(WAITING);
                let (service, file) = (Service::clone(self), File { sender });
                tokio::spawn(async move {
                    let written = service.write_agents(&file, &own, &filter).await;
                    file.end(written).await;
                });
                download
            })
    }

    /// The lines of an import with which something is wrong, as CSV that can be corrected and imported; what is wrong stands
    /// beside them in this language.
    ///
    /// # Errors
    /// As [`crate::Console::import_page`].
    pub async fn export_problems(
        &self,
        id: &str,
        locale: Locale,
        visitor: &Visitor,
    ) -> Result<Download, Refusal> {
        let mut page = self.import_page(id, LinesWanted::Problems, 0, visitor).await?;
        let (sender, download) = channel(WAITING);
        let file = File { sender };
        let (service, id, visitor) = (Service::clone(self), id.to_owned(), visitor.clone());
        tokio::spawn(async move {
            let written = async {
                file.begin(PROBLEM_COLUMNS).await?;
                loop {
                    let rows = page.lines.iter().map(|line| problem_row(locale, line));
                    file.send(lines(rows)?).await?;
                    let Some(after) = page.more_after else {
                        return Ok(());
                    };
                    page = service
                        .console()
                        .import_page(&id, LinesWanted::Problems, after, &visitor)
                        .await
                        .map_err(|refusal| CutOff::Failed(format!("{refusal:?}")))?;
                }
            };
            let written = written.await;
            file.end(written).await;
        });
        Ok(download)
    }

    /// All events that were asked for, newest first, as CSV.
    ///
    /// # Errors
    /// As [`crate::Console::authorize`].
    pub async fn export_audit(&self, input: AuditInput, visitor: &Visitor) -> Result<Download, Refusal> {
        visitor
            .attempt(async {
                let own = self
                    .begin_export(Action::SeeAudit, Event::AuditExported, visitor)
                    .await?;
                let mut reader = self.inner.store.read().await?;
                let Asked { filter, .. } = filter_of(&mut reader, &own.company, &input).await?;
                drop(reader);
                let (sender, download) = channel(WAITING);
                let (service, file) = (Service::clone(self), File { sender });
                tokio::spawn(async move {
                    let written = service.write_events(&file, &own, filter).await;
                    file.end(written).await;
                });
                Ok(download)
            })
            .await
    }
}

impl Service {
    async fn write_agents(&self, file: &File, own: &SignedIn, filter: &AgentFilter) -> Result<(), CutOff> {
        file.begin(AGENT_COLUMNS).await?;
        let mut previous = Vec::new();
        loop {
            // A slow reader keeps no connection to the database.
            let page = {
                let mut reader = self.inner.store.read().await?;
                still_allowed(&mut reader, own, Action::ExportAgents).await?;
                page_after(&mut reader, &own.company, filter, &previous).await?
            };
            file.send(lines(page.accounts.iter().map(agent_row))?).await?;
            if !page.after || page.accounts.is_empty() {
                return Ok(());
            }
            previous = page.accounts.iter().map(|account| account.id).collect();
        }
    }

    async fn write_events(
        &self,
        file: &File,
        own: &SignedIn,
        filter: Option<EventFilter>,
    ) -> Result<(), CutOff> {
        file.begin(EVENT_COLUMNS).await?;
        let Some(mut filter) = filter else {
            return Ok(());
        };
        loop {
            let page = {
                let mut reader = self.inner.store.read().await?;
                still_allowed(&mut reader, own, Action::SeeAudit).await?;
                reader.event_page(own.company.id, &filter, TOGETHER).await?
            };
            filter.before = page.events.last().map(|event| event.id);
            let ends = !page.older || page.events.is_empty();
            file.send(lines(page.events.into_iter().map(event_row))?).await?;
            if ends {
                return Ok(());
            }
        }
    }

    /// Notes an export before the first line of it is read.
    async fn begin_export(
        &self,
        action: Action,
        event: Event,
        visitor: &Visitor,
    ) -> Result<SignedIn, Failure> {
        self.allowed(action, visitor).await?;
        let (mut work, own) = self.act(action, Hold::Accounts, visitor).await?;
        let entry = work.entry(event, own.company.id, None);
        self.record(&mut work, &entry).await?;
        work.commit().await?;
        Ok(own)
    }
}

/// A file takes a while: it ends when whoever asked for it may not see any more.
async fn still_allowed(reader: &mut Reader, own: &SignedIn, action: Action) -> Result<(), CutOff> {
    let company = reader.company(own.company.id).await?;
    let account = reader.account(own.company.id, own.account.id).await?;
    let holds = company.zip(account).is_some_and(|(company, account)| {
        company.enabled && account.active && action.scope(account.highest_role()) == Scope::Company
    });
    if holds {
        Ok(())
    } else {
        Err(CutOff::Failed("whoever asked may not see it any more".to_owned()))
    }
}
