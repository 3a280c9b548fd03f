//! What admins and supervisors do in the console (product.md section 3, Agents to Audit log).
//!
//! Every use case names its [`Action`] and begins with [`crate::Console::authorize`] or, to change something, with
//! `Service::act`, which asks again behind the locks: the session, the rights of today's roles, the step-up, and that
//! the account belongs to the company of the session and lies in the scope. What lies outside does not exist.

mod agents;
mod audit;
mod cells;
mod company;
mod credentials;
mod days;
mod export;
mod gate;
mod import;
mod import_file;
mod mail_server;
mod offices;
mod overview;
mod sessions;
mod sso;

pub(crate) use gate::Hold;

use serde::{Deserialize, Serialize};
use vestibule_core::{
    account::Account,
    agents::AgentFilter,
    audit::Event,
    company::Company,
    id::{ImportId, SessionId},
    ports::Moment,
    refusal::Refusal,
    rights::Action,
    secret::Password,
    sso::{Identity, Provider},
    words,
};
use vestibule_storage::{
    AgentCounts, AgentPage, CompanySession, EventRow, ImportLine, ImportState, MailServerRow, OutboxCounts,
    SsoApplicationRow, TestMailRow, Waiting,
};
use zeroize::Zeroizing;

use crate::profile::PersonInput;

/// What was typed to add or edit an agent.
pub struct AgentInput {
    /// Account name; not read when an agent is edited: it never changes.
    pub account: String,
    /// E-mail address.
    pub email: String,
    /// Whom it belongs to.
    pub person: PersonInput,
    /// Words of roles.
    pub roles: Vec<String>,
    /// An admin's switch.
    pub active: bool,
}

/// What is wanted of the list of agents. `after` and `before` are identifiers of accounts as the links of a page have them;
/// one that cannot be read begins at the start.
#[derive(Clone, Debug, Default)]
pub struct AgentQuery {
    /// Which agents, in which order.
    pub filter: AgentFilter,
    /// Where the page before ended.
    pub after: Option<String>,
    /// Where the page after begins.
    pub before: Option<String>,
    /// How many agents at most.
    pub rows: usize,
}

/// Agents to whom something is done at once.
#[derive(Clone, Debug)]
pub enum Chosen {
    /// Those with these identifiers.
    Ticked(Vec<String>),
    /// All that a filter finds, as long as they are as many as whoever chose them was told.
    Found {
        /// The filter.
        filter: AgentFilter,
        /// How many they were; `None` = nobody was told.
        counted: Option<usize>,
    },
}

/// Agents to whom something is about to be done.
pub struct ChosenAgents {
    /// The company.
    pub company: Company,
    /// Who asks.
    pub own: Account,
    /// The first of them.
    pub first: Vec<Account>,
    /// How many they are.
    pub count: usize,
}

/// One page of the list of agents.
pub struct AgentList {
    /// The company.
    pub company: Company,
    /// Who asks.
    pub own: Account,
    /// The filter as it was applied: a supervisor's is narrower than what was asked for.
    pub filter: AgentFilter,
    /// The accounts.
    pub page: AgentPage,
    /// How many the filter finds, as far as they were counted.
    pub found: usize,
    /// Whether there may be more than were counted.
    pub found_more: bool,
    /// How many of those who were switched off just now can be switched on again by an undo.
    pub undo: Option<usize>,
    /// Which of several agents were not changed just now.
    pub not_changed: Option<NotChanged>,
}

/// One agent, as the console shows it.
pub struct AgentDetails {
    /// The company.
    pub company: Company,
    /// Who asks.
    pub own: Account,
    /// The agent.
    pub target: Account,
    /// What whoever asks may do to the agent, by role and scope; not whether it would be of use right now.
    pub may: Vec<Action>,
    /// Live sessions.
    pub sessions: usize,
    /// Trusted browsers.
    pub trusted_browsers: usize,
    /// How many of the agent's own backup codes are left; `None` = no set.
    pub backup_codes_left: Option<usize>,
    /// Until when a backup code that was issued is good; `None` = there is none.
    pub issued_code_until: Option<Moment>,
    /// Providers that the agent can sign in with.
    pub providers: Vec<Provider>,
    /// Who the agent is to providers, whether or not the company lets them in.
    pub identities: Vec<Identity>,
    /// The newest events about the agent; empty for whoever may not see the audit log.
    pub events: Vec<EventRow>,
}

/// What became of a change that was saved.
pub struct Edited {
    /// The new e-mail address that waits for its confirmation, when it was changed.
    pub email_to_confirm: Option<String>,
}

/// What became of a change of several agents at once.
#[derive(Debug, Default)]
pub struct Selected {
    /// How many were changed.
    pub changed: usize,
    /// How many were as wanted already.
    pub unchanged: usize,
    /// Who was not changed.
    pub not_changed: NotChanged,
}

/// Those of several agents who were not changed, as the list tells of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotChanged {
    /// Account names, and why.
    pub named: Vec<(String, Refusal)>,
    /// How many were left as they were after that, and why.
    pub left: Option<(usize, Refusal)>,
}

impl NotChanged {
    /// How many they are.
    pub fn count(&self) -> usize {
        self.named.len() + self.left.as_ref().map_or(0, |(count, _)| *count)
    }
}

/// What was typed to set another agent's password.
pub struct NewPasswordInput {
    /// The password.
    pub new: Password,
    /// The same once more.
    pub confirm: Password,
}

/// What was typed into General Information.
pub struct CompanyInfoInput {
    /// Language tag.
    pub language: String,
    /// IANA name of the time zone.
    pub time_zone: String,
    /// Word of how new agents are told.
    pub new_agent_mail: String,
}

/// What was typed into the company's policies.
pub struct PolicyInput {
    /// Days of the 2FA Policy; 0 = every login.
    pub two_factor_days: String,
    /// Word of Require a second factor.
    pub require_second_factor: String,
    /// Minimum password length.
    pub password_min: String,
    /// Minutes without activity; empty = never.
    pub idle_minutes: String,
}

/// What was typed about the company's own mail server. It holds a password, so it has no `Debug`.
pub struct MailServerInput {
    /// Whether the company has one; if not, nothing else is read.
    pub own: bool,
    /// Host name or network address.
    pub host: String,
    /// Port.
    pub port: String,
    /// Word of how connections are encrypted.
    pub security: String,
    /// User to sign in with; empty = none.
    pub user: String,
    /// Its password; empty = the one that was typed to try the same server moments ago, or else the one that is stored.
    pub password: Zeroizing<String>,
    /// Whom mails are from.
    pub sender: String,
    /// Where answers go; empty = to the sender.
    pub reply_to: String,
    /// Whether mails go through the installation's server when this one fails.
    pub fall_back: bool,
}

/// What the page of the company's own mail server shows.
pub struct MailServerPage {
    /// The company.
    pub company: Company,
    /// Who asks: test mails go there.
    pub own: Account,
    /// The server; `None` = mails go through the installation's.
    pub server: Option<MailServerRow>,
    /// The newest test mail.
    pub test: Option<TestMailRow>,
    /// Host and user of a server that was tried in this session moments ago, when its password was typed: it need not be
    /// typed again.
    pub tried: Option<(String, String)>,
}

/// What became of the company's own mail server when it was saved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MailServerSaved {
    /// Whether mails go another way from now on, and no test mail has gone it in this session.
    pub untested: bool,
}

/// What was typed about a provider. It holds a secret, so it has no `Debug`.
pub struct ProviderInput {
    /// The version that the page showed; `None` = nothing was saved yet.
    pub version: Option<i64>,
    /// Whether accounts may come in this way.
    pub enabled: bool,
    /// Identifier of the company's own application; empty = the installation's is used.
    pub client_id: String,
    /// Its secret; empty = the one that was typed to try the same application moments ago, or else the one that is stored.
    pub client_secret: Zeroizing<String>,
    /// Tenants of Office 365 that are let in; empty = all.
    pub tenants: String,
    /// Whether a sign-in with the provider spares the second factor.
    pub trusted: bool,
}

/// What the page of providers shows.
pub struct SsoPage {
    /// The company.
    pub company: Company,
    /// Who asks.
    pub own: Account,
    /// Each provider.
    pub providers: [ProviderSettings; 2],
}

/// A provider, as the company set it up.
pub struct ProviderSettings {
    /// Which.
    pub provider: Provider,
    /// What the company says; `None` = nothing yet.
    pub row: Option<SsoApplicationRow>,
    /// Whether the installation has an application for companies without their own.
    pub installation: bool,
    /// What the provider has to be told: where it sends browsers back to.
    pub redirect_uri: String,
    /// Identifier of an application that was tried in this session moments ago, when its secret was typed: it need not be
    /// typed again.
    pub tried: Option<String>,
}

/// What was asked of the audit log. What cannot be read is as if it had not been asked.
#[derive(Clone, Debug, Default)]
pub struct AuditInput {
    /// Word of an event.
    pub event: String,
    /// Word of an outcome.
    pub outcome: String,
    /// Account name or e-mail address of who did it or to whom it was done; an unknown one finds nothing.
    pub account: String,
    /// Word of a kind of actor: who did it.
    pub actor: String,
    /// Word of a source: where it was done.
    pub source: String,
    /// First day, `2026-01-31`, in the company's time zone.
    pub from: String,
    /// Last day.
    pub until: String,
    /// Identifier of the event where the page before ended.
    pub before: String,
}

words! {
    /// What the audit log may be asked by, as its address and its form have it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum AuditField {
        /// What happened.
        Event = "event",
        /// How it ended.
        Outcome = "outcome",
        /// The account that did it or to which it was done.
        Account = "account",
        /// Who did it.
        Actor = "actor",
        /// Where it was done.
        Source = "source",
        /// First day.
        From = "from",
        /// Last day.
        Until = "until",
    }
}

impl AuditInput {
    /// What was asked by this; empty = nothing.
    pub fn get(&self, field: AuditField) -> &str {
        match field {
            AuditField::Event => &self.event,
            AuditField::Outcome => &self.outcome,
            AuditField::Account => &self.account,
            AuditField::Actor => &self.actor,
            AuditField::Source => &self.source,
            AuditField::From => &self.from,
            AuditField::Until => &self.until,
        }
    }

    /// The same, asked by this; empty = by nothing of this kind.
    #[must_use]
    pub fn with(mut self, field: AuditField, asked: String) -> Self {
        let slot = match field {
            AuditField::Event => &mut self.event,
            AuditField::Outcome => &mut self.outcome,
            AuditField::Account => &mut self.account,
            AuditField::Actor => &mut self.actor,
            AuditField::Source => &mut self.source,
            AuditField::From => &mut self.from,
            AuditField::Until => &mut self.until,
        };
        *slot = asked;
        self
    }
}

/// One page of the audit log.
pub struct AuditPage {
    /// The company.
    pub company: Company,
    /// Who asks.
    pub own: Account,
    /// The events, newest first.
    pub events: Vec<EventRow>,
    /// Whether there are older ones.
    pub older: bool,
    /// What was asked and could not be read.
    pub ignored: Vec<AuditField>,
}

/// The days of which the numbers are wanted, `2026-01-31`, in the company's time zone. What cannot be read is as if it had
/// not been asked.
#[derive(Clone, Debug, Default)]
pub struct PeriodInput {
    /// First day.
    pub from: String,
    /// Last day.
    pub until: String,
}

/// The days of which numbers are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    /// First day.
    pub from: chrono::NaiveDate,
    /// Last day.
    pub until: chrono::NaiveDate,
    /// Whether they are so few that hours are shown.
    pub by_hour: bool,
    /// Whether they are those that are shown when nobody asks for others: the last 14 days.
    pub is_usual: bool,
}

/// One page of the sessions of a company.
pub struct SessionList {
    /// The company.
    pub company: Company,
    /// Who asks.
    pub own: Account,
    /// The session in which they do.
    pub this: SessionId,
    /// The sessions, the newest first.
    pub sessions: Vec<CompanySession>,
    /// Whether there are older ones.
    pub older: bool,
    /// How many accounts are signed in.
    pub signed_in: i64,
}

/// The numbers of a company.
pub struct Overview {
    /// The company.
    pub company: Company,
    /// Who asks.
    pub own: Account,
    /// Accounts by state and second factor.
    pub agents: AgentCounts,
    /// Accounts that are signed in now.
    pub signed_in: i64,
    /// Pending sign-ins that wait for a code now.
    pub waiting: i64,
    /// The newest of those sign-ins.
    pub waiting_for_code: Vec<Waiting>,
    /// Some of the accounts that are locked, those first that signed in last.
    pub locked: Vec<Account>,
    /// Mails that wait now, and those that were given up in the last 24 hours.
    pub mail: OutboxCounts,
    /// The days that were asked for.
    pub period: Period,
    /// Their days or hours in the company's time zone, oldest first.
    pub spans: Vec<SpanOfSignIns>,
    /// Why sign-ins failed in the period, and accounts that were locked; with how many there were.
    pub causes: Vec<(Event, i64)>,
    /// With which proofs the newest sign-ins of the period were completed: stored words of
    /// [`vestibule_core::session::Proof`], with how many there were.
    pub proofs: Vec<(String, i64)>,
    /// How many accounts are connected to which provider: stored words, with how many there are.
    pub identities: Vec<(String, i64)>,
}

/// Sign-ins of one day, or of one hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanOfSignIns {
    /// The day.
    pub day: chrono::NaiveDate,
    /// The hour that its clocks show; `None` = the whole day.
    pub hour: Option<u32>,
    /// Sign-ins that were completed.
    pub signed_in: i64,
    /// Wrong passwords, wrong codes, and sign-ins that the gate stopped.
    pub failed: i64,
}

words! {
    /// What becomes, or became, of a line of an imported file.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum LineVerdict {
        /// Will be imported.
        Good = "good",
        /// Was imported.
        Imported = "imported",
        /// The account is there already with this name and e-mail address: nothing to do.
        Exists = "exists",
        /// Another account has this name.
        NameTaken = "name_taken",
        /// Another account has this e-mail address.
        EmailTaken = "email_taken",
        /// The same name or e-mail address stands in an earlier line.
        Doubled = "doubled",
        /// The account name is missing or has characters that it may not have.
        BadAccount = "bad_account",
        /// The e-mail address is missing or none.
        BadEmail = "bad_email",
        /// First name, last name, alias, phone or title is missing, too long, or has characters that cannot be seen.
        BadPerson = "bad_person",
        /// A role that does not exist.
        BadRole = "bad_role",
        /// A language that is not offered.
        BadLanguage = "bad_language",
        /// Neither yes nor no where one of them belongs.
        BadActive = "bad_active",
        /// More or fewer columns than the first line.
        BadColumns = "bad_columns",
        /// Something broke on our side; nothing was created. Importing the file again is safe.
        Failed = "failed",
    }
}

/// Which lines of an import are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinesWanted {
    /// All of them while it is only checked, later those that were not imported.
    All,
    /// Those with which something is wrong.
    Problems,
    /// Those with this verdict.
    Only(LineVerdict),
}

/// An import and one page of its lines that need a look.
pub struct ImportPage {
    /// The company.
    pub company: Company,
    /// Who asks.
    pub own: Account,
    /// The import.
    pub id: ImportId,
    /// Where it stands.
    pub state: ImportState,
    /// Whether it can be taken on: whoever started it may not go on, or it is under way but nothing has happened for half a
    /// minute, because whoever ran it is gone.
    pub stalled: bool,
    /// About how many seconds the rest will take, while it is under way; `None` = too soon to tell, or begun in another
    /// session.
    pub seconds_left: Option<u32>,
    /// How many lines have which verdict.
    pub verdicts: Vec<(LineVerdict, usize)>,
    /// The lines that were wanted, in their order.
    pub lines: Vec<ImportLine>,
    /// Number of the last line of this page, when there are more.
    pub more_after: Option<i64>,
}

/// A file that is written while it is sent. The receiver ends when the file does; an error in between cuts it off.
pub type Download = tokio::sync::mpsc::Receiver<Result<Vec<u8>, std::io::Error>>;

/// The events that count as failed sign-ins.
pub(crate) const FAILED_SIGN_INS: [Event; 3] =
    [Event::PasswordRefused, Event::CodeRefused, Event::GateRefused];
