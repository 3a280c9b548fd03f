//! The pages about agents, and those behind the links of mails (product.md section 3).

use vestibule_core::{refusal::Refusal, sso::Provider};

use super::{EventLine, Typed, When};

/// `/admin/agents`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentsPage {
    /// The agents, in their order.
    pub rows: Vec<AgentRow>,
    /// What was searched for.
    pub search: String,
    /// Word of the state that is wanted; empty = all.
    pub state: String,
    /// Word of the role that is wanted; empty = all.
    pub role: String,
    /// Word of the second factor that is wanted; empty = all.
    pub factor: String,
    /// Word of what the list is sorted by.
    pub sort: String,
    /// Whether the order is turned round.
    pub descending: bool,
    /// Whether whoever asks is an admin, and not a supervisor.
    pub is_admin: bool,
    /// The query of this list without its page, for links and for coming back.
    pub query: String,
    /// Identifier of the first account, when there are accounts before this page.
    pub before: Option<String>,
    /// Identifier of the last account, when there are accounts after it.
    pub after: Option<String>,
    /// Whether this is not the first page.
    pub is_later: bool,
    /// What went well before.
    pub notice: Option<AgentsNotice>,
    /// Why the last try was refused, wholly or for some.
    pub refusal: Option<Refusal>,
}

/// What went well before the list was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentsNotice {
    /// An agent was deleted.
    Deleted,
    /// So many agents were changed.
    Changed(usize),
}

/// An agent in the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentRow {
    /// Identifier of the account.
    pub id: String,
    /// What colleagues see.
    pub alias: String,
    /// Account name.
    pub account: String,
    /// E-mail address.
    pub email: String,
    /// Words of roles.
    pub roles: Vec<&'static str>,
    /// An admin's switch.
    pub active: bool,
    /// Since when it is locked.
    pub locked: Option<When>,
    /// Whether codes by e-mail are on.
    pub email_factor: bool,
    /// Whether an authenticator app is on.
    pub app_factor: bool,
    /// When it last signed in.
    pub last_sign_in: Option<When>,
    /// What may be done to it.
    pub may: AgentMay,
}

/// What may be done to an agent, and is of use right now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "one for each entry of a menu")]
pub struct AgentMay {
    /// Edit.
    pub edit: bool,
    /// Delete.
    pub delete: bool,
    /// Reset password.
    pub reset_password: bool,
    /// Backup Code.
    pub backup_code: bool,
    /// Unlock.
    pub unlock: bool,
    /// End sessions.
    pub end_sessions: bool,
    /// Send again how to sign in.
    pub send_details: bool,
}

/// `/admin/agents/new` and `/admin/agents/{id}`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says something of its own about the form"
)]
pub struct AgentFormPage {
    /// Identifier of the account; `None` = a new one.
    pub id: Option<String>,
    /// Whether it is the account of whoever looks, whose e-mail address is changed in the profile.
    pub is_own: bool,
    /// Version that is saved over.
    pub version: i64,
    /// Account name.
    pub account: Typed,
    /// E-mail address.
    pub email: Typed,
    /// A new address that waits for its confirmation, and since when.
    pub pending_email: Option<(String, When)>,
    /// First name.
    pub first_name: Typed,
    /// Last name.
    pub last_name: Typed,
    /// What colleagues see.
    pub alias: Typed,
    /// Phone.
    pub phone: Typed,
    /// Title.
    pub title: Typed,
    /// Hours that a clock has: 12 or 24.
    pub time_format: Typed,
    /// Language tag; empty = the company's.
    pub language: Typed,
    /// Language tag of the company.
    pub company_language: String,
    /// Words of roles, separated by spaces.
    pub roles: Typed,
    /// `on` or empty.
    pub active: Typed,
    /// Word of how a new agent is told.
    pub new_agent_mail: &'static str,
    /// Whether it was just saved.
    pub saved: bool,
    /// Whether a mail was just sent to the new address.
    pub email_sent: bool,
    /// Whether a change of the address was just given up.
    pub email_cancelled: bool,
    /// Why the last try was refused.
    pub refusal: Option<Refusal>,
}

/// `/admin/agents/{id}/view`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentViewPage {
    /// The agent, as in the list.
    pub row: AgentRow,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Phone.
    pub phone: String,
    /// Title.
    pub title: String,
    /// Language tag; empty = the company's.
    pub language: String,
    /// A new address that waits for its confirmation, and since when.
    pub pending_email: Option<(String, When)>,
    /// Whether the agent has not chosen a password yet.
    pub waits_for_password: bool,
    /// Wrong codes that count now.
    pub wrong_codes: i64,
    /// Live sessions.
    pub sessions: usize,
    /// Trusted browsers.
    pub trusted_browsers: usize,
    /// Backup codes that are left.
    pub backup_codes_left: Option<usize>,
    /// Until when an issued backup code is good.
    pub issued_code_until: Option<When>,
    /// Whether there is no password.
    pub no_password: bool,
    /// Names of the providers that the agent can sign in with.
    pub providers: String,
    /// Accounts of providers that are connected, and what they are known by.
    pub identities: Vec<(Provider, String)>,
    /// When the account was created.
    pub created: When,
    /// The newest events; `None` for whoever may not see the audit log.
    pub events: Option<Vec<EventLine>>,
    /// What went well before.
    pub notice: Option<AgentNotice>,
}

/// What went well before an agent was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentNotice {
    /// Created, and told how to sign in.
    Added,
    /// The password was removed.
    PasswordRemoved,
    /// The account of a provider was disconnected.
    ProviderDisconnected,
    /// A new password was set.
    PasswordSet,
    /// A link to choose a new password was sent.
    LinkSent,
    /// Told once more how to sign in.
    DetailsSent,
    /// Unlocked.
    Unlocked,
    /// Sessions were ended.
    SessionsEnded,
}

/// One thing that is done to an agent, with its form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentActPage {
    /// Whether it may be done to this account: if not, the page says why.
    pub offered: bool,
    /// What.
    pub act: AgentAct,
    /// Identifier of the account.
    pub id: String,
    /// What colleagues see.
    pub alias: String,
    /// Account name.
    pub account: String,
    /// Live sessions.
    pub sessions: usize,
    /// Characters that a new password needs.
    pub password_min: usize,
    /// Word of how new agents are told.
    pub new_agent_mail: &'static str,
    /// Names of the providers that the agent could sign in with if there were no password; empty = that cannot be.
    pub providers: String,
    /// What was typed: the reason, or the account name once more.
    pub typed: String,
    /// Why the last try was refused.
    pub refusal: Option<Refusal>,
}

/// What is done to an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentAct {
    /// Delete.
    Delete,
    /// Reset password.
    ResetPassword,
    /// Backup Code.
    BackupCode,
    /// Unlock.
    Unlock,
    /// End sessions.
    EndSessions,
    /// Tell once more how to sign in.
    SendDetails,
}

impl AgentAct {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Delete,
        Self::ResetPassword,
        Self::BackupCode,
        Self::Unlock,
        Self::EndSessions,
        Self::SendDetails,
    ];

    /// The last part of the page's address.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::ResetPassword => "password",
            Self::BackupCode => "backup-code",
            Self::Unlock => "unlock",
            Self::EndSessions => "end-sessions",
            Self::SendDetails => "send-details",
        }
    }

    /// From the last part of the address.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.word() == word)
    }
}

/// A backup code that was just issued. It is shown once.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuedCodePage {
    /// The code, as it is typed.
    pub code: String,
    /// What colleagues see of the agent.
    pub alias: String,
    /// Where `Done` leads.
    pub to: String,
}

impl std::fmt::Debug for IssuedCodePage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IssuedCodePage(…)")
    }
}

/// `/choose-password`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChoosePasswordPage {
    /// The company.
    pub company: String,
    /// Account name.
    pub account: String,
    /// Why a password is chosen.
    pub reason: ChoiceReason,
    /// Characters that it needs.
    pub password_min: usize,
    /// Why the last try was refused.
    pub refusal: Option<Refusal>,
}

/// Why a password is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChoiceReason {
    /// It is the first one.
    #[default]
    First,
    /// A link to choose a new one was asked for.
    Reset,
    /// The one until now is temporary.
    Temporary,
}

/// `/confirm-email` and `/stop-email-change`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EmailLinkPage {
    /// The company.
    pub company: String,
    /// Account name.
    pub account: String,
    /// The new e-mail address.
    pub email: String,
    /// Whether the change is stopped, and not confirmed.
    pub stops: bool,
    /// Whether that was just done: nothing is left but to sign in.
    pub done: bool,
    /// Why the last try was refused.
    pub refusal: Option<Refusal>,
}
